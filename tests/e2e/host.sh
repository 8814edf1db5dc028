#!/bin/sh
# A hostile host: odd starts, descriptors, names, planted files, state that
# others can change, damaged state, odd umasks.  Faults 1 to 27.
# shellcheck disable=SC2154,SC2317 # variables of lib.sh; functions called by name
. "$(dirname "$0")/../lib.sh"

nowhere=https://127.0.0.1:1/dir		# nobody listens there
LONG=${LONG-}
tools=${TOOLS:-$root/build/tests/tool}
[ "${TOOLS-}" ] || make -s build/tests/tool/odd >"$scratch/make.log" 2>&1
odd=$tools/odd
user=65534
is_root=
[ "$(id -u)" -ne 0 ] || is_root=1
chmod 711 "$scratch"
cp "$acme" "$scratch/acme"

# print PATH...: all that is below, with modes, owners, times and content, as a sum.
print()
{
	tar -cPf - --sort=name "$@" | cksum
}

# some WHICH...: one of them, each in its turn; all of them if LONG.
turn=0
some()
{
	if [ "$LONG" ]; then
		printf '%s\n' "$@"
		return
	fi
	shift $((turn % $#))
	printf '%s\n' "$1"
}

# What others have and nothing here may touch: beside HOME, so that ../../victim is it.
victim=$scratch/victim
mkdir "$victim" "$victim/dir"
echo precious >"$victim/file"
before_victim=$(print "$victim")

# says NAME STATUS PATTERN COMMAND...: that exit status, and stderr like that; no
# key is printed.
says()
{
	says_name=$1 says_status=$2 says_like=$3
	shift 3
	run "$@"
	if [ "$status" = "$says_status" ] && printf '%s\n' "$err" | grep -Eq -e "$says_like" &&
		! grep -q 'PRIVATE KEY' "$scratch/out" "$scratch/err"; then
		pass "$says_name"
	else
		fail "$says_name" "exit status $status, want $says_status and: $says_like"
	fi
}

# as_user COMMAND...: as somebody who is not root.
as_user()
{
	setpriv --reuid="$user" --regid="$user" --clear-groups "$@"
}

# --- 1 to 8: usage errors touch nothing -------------------------------------------

# Each kind of them once, watched.
if strace -o /dev/null true 2>/dev/null; then
	seen=
	while read -r arguments; do
		# shellcheck disable=SC2086 # words
		strace -f -qq -o "$scratch/trace" -e trace=%network,%file "$acme" $arguments >/dev/null 2>&1
		seen="$seen$? $(grep -E '^[0-9]+ +(socket|connect|((mkdir|rename|link|symlink|unlink|f?chmod)(at2?)?))\(|O_CREAT' "$scratch/trace")
"
	done <<-'END'
		frobnicate
		issue --frobnicate a.example
		issue a.example -w
		issue -w /x a..b
		issue -w /x *.a.example
		issue -w /x a.example --days 0
		issue -w /x a.example -s http://ca.example/dir
		issue -w /x a.example -e LD_PRELOAD=/x
		issue -w /x -c /bin/true a.example
		account frobnicate
		csr a.example
	END
	is 'a usage error opens no connection and makes no file' "$(printf %s "$seen" | tr -d " " | sort -u)" 64
else
	skip 'a usage error opens no connection and makes no file' 'strace may not trace here'
fi

# Names of certificates as paths, by each command that takes one.
long=$(printf '%0300d' 0)
mkdir -m 700 "$ACME_HOME"
before=$(print "$ACME_HOME")
for command in show path remove 'remove --purge' renew revoke 'issue -c /bin/true -N' 'issue -c /bin/true -d' 'account show --account'; do
	bad='' n=0
	set -- '' . .. ../../victim "$victim/dir" a/../b '*' _.a -a 'a
b' "$long"
	[ ! "$LONG" ] || set -- "$@" ../victim certs/../../victim a/b '*.' 'a%2fb' 'a b' "$(printf '\377')"
	for name; do
		n=$((n + 1))
		status=0
		# shellcheck disable=SC2086 # words
		case $command in
		*-[Nd]) "$acme" $command "$name" a.example ;;
		*account) "$acme" $command "$name" ;;
		*) "$acme" $command -- "$name" ;;
		esac || status=$?
		case $status in
		64 | 78) ;;
		*) bad="$bad '$name': $status;" ;;
		esac
	done >"$scratch/out" 2>"$scratch/err" 3>&-
	is "names that are paths: acme $command" "$bad" ''
	is 'one line for each, which is printable' "$(wc -l <"$scratch/err") $(grep -c '[^ -~]' "$scratch/err")" "$n 0"
done
is 'nothing came of it' "$(print "$ACME_HOME")" "$before"
is 'here or elsewhere' "$(print "$victim")" "$before_victim"

# --- 9 to 12: odd starts ---------------------------------------------------------------

says 'argc 0' 64 'argc is 0|no command' "$odd" -0 "$acme"
says 'an empty name' 64 'no command' "$odd" -e "$acme"
exits 'argc 0 and no descriptor' 64 "$odd" -0 -c 0 -c 1 -c 2 "$acme"
exits 'all signals ignored and blocked' 0 "$odd" -i -b "$acme" csr a.example --key "$scratch/odd.key"
exits 'two hundred descriptors' 0 "$odd" -f 200 "$acme" csr a.example --key "$scratch/odd.key"

# whole_key FILE: nothing but one key.
whole_key()
{
	openssl pkey -in "$1" -noout 2>/dev/null && [ "$(openssl pkey -in "$1")" = "$(cat "$1")" ]
}

# Closed descriptors as options of odd: all eight combinations.
closed=' ,-c 0,-c 1,-c 2,-c 0 -c 1,-c 0 -c 2,-c 1 -c 2,-c 0 -c 1 -c 2'
each_closed()
{
	n=0
	old_ifs=$IFS
	IFS=,
	for closing in $closed; do
		IFS=$old_ifs
		n=$((n + 1))
		"$@"
	done
}
csr_closed()
{
	want=0
	case $closing in
	*'-c 1'*) want=73 ;;
	esac
	# shellcheck disable=SC2086 # words
	exits "csr without descriptors: $closing" "$want" "$odd" $closing "$acme" csr a.example --key "$scratch/closed.$n"
	ok 'its key is in its file' whole_key "$scratch/closed.$n"
	unlike 'and there only' "$out$err" 'BEGIN [A-Z ]*KEY'
	[ "$want" -ne 0 ] || ok 'the request is printed' openssl req -in "$scratch/out" -noout -verify 2>/dev/null
}
each_closed csr_closed

# 129: hardly a descriptor to be had
bad=
for limit in 3 4 5 6 7 8; do
	rm -f "$scratch/few.key"
	run sh -c 'ulimit -n $1 && exec "$2" csr a.example --key "$3"' - $limit "$acme" "$scratch/few.key"
	case $status:$err in
	0:) whole_key "$scratch/few.key" || bad="$bad $limit: no key" ;;
	7[38]:acme:*) [ ! -e "$scratch/few.key" ] || bad="$bad $limit: a key" ;;
	*) bad="$bad $limit: $status $err" ;;
	esac
done
is 'with few descriptors: done, or an error and nothing made' "$bad" ''

# --- files that are none: 16, 25 ---------------------------------------------------------

mkfifo "$scratch/fifo"
ln -s nowhere "$scratch/dangling"
: >"$scratch/empty"
head -c 3000 /dev/urandom >"$scratch/junk"
chmod 600 "$scratch/empty" "$scratch/junk"
# no_files: lines "COMMAND... OPTION", each with what is no such file.
no_files()
{
	while read -r command; do
		bad=''
		for file in "$scratch/fifo" "$scratch" /dev/zero /dev/null "$scratch/dangling" "$scratch/empty" "$scratch/junk" "$scratch/$long"; do
			case $command:$file in
			# no variables are no error
			*--env-file:/dev/null | *--env-file:*/empty | *--env-file:*/fifo) want=69 ;;
			*) want=78 ;;
			esac
			status=0
			# shellcheck disable=SC2086 # words
			timeout 30 "$acme" $command "$file" >"$scratch/out" 2>"$scratch/err" </dev/null 3>&- || status=$?
			[ $status -eq "$want" ] && [ "$(wc -l <"$scratch/err")" -eq 1 ] ||
				bad="$bad $(echo "$file" | cut -c 1-60): $status $(cat "$scratch/err");"
		done
		is "no file to be read: acme $command" "$bad" ''
	done
}
no_files <<END
csr a.example --key
cert
issue a.example -c /bin/true -s $nowhere --key
issue -c /bin/true -s $nowhere --csr
issue a.example -c /bin/true -s $nowhere --env-file
issue a.example -c /bin/true -s $nowhere --ca-file
account register -s $nowhere --key
account register -s $nowhere --ca-file
END

# --- with a CA ------------------------------------------------------------------------------

pebble_retry=0
challtestsrv_start
pebble_start PEBBLE_VA_NOSLEEP=1 PEBBLE_VA_ALWAYS_VALID=1 PEBBLE_AUTHZREUSE=0 PEBBLE_WFE_NONCEREJECT=0
pebble_root
accounts() { grep -c 'POST /sign-me-up' "$scratch/pebble.log"; }
set -- -s "$server" --ca-file "$ca" -c /bin/true -t http-01
good=$scratch/good
rm -rf "$ACME_HOME"

# afresh: HOME as after the first issuance.
afresh()
{
	rm -rf "$ACME_HOME"
	cp -a "$good" "$ACME_HOME"
}

# sound: the live certificate is for the live key, and nothing is under way.
sound()
{
	live=$ACME_HOME/certs/a.example/live
	[ "$(openssl x509 -in "$live/cert.pem" -noout -pubkey)" = "$(openssl pkey -in "$live/privkey.pem" -pubout)" ] &&
		[ ! -e "$ACME_HOME/certs/a.example/pending" ]
}

exits 'an account' 0 "$acme" account register -s "$server" --ca-file "$ca"
no_files <<END
account register --account other -s $server --ca-file $ca --eab-kid k --eab-key
END

# 22: modes are ours, whatever the umask
for mask in 000 022 777 277; do
	rm -rf "$ACME_HOME"
	run sh -c 'umask $1; shift; exec "$@"' - $mask "$acme" issue a.example "$@"
	is "umask $mask: issued, and others get nothing but certificates" \
		"$status $(find "$ACME_HOME" -printf '%y%m %f\n' | sed 's/ \(cert\|chain\|fullchain\)\.pem$/ CERT/; t; s/ .*//' | sort -u | tr '\n' ' ')" \
		'0 d700 f600 f644 CERT l777 '
done
ok 'and all is right' sound
mv "$ACME_HOME" "$good"
account=$(basename "$good"/accounts/*)

# 9: descriptors again
issue_closed()
{
	rm -rf "$ACME_HOME"
	# nothing is printed, so nothing lost without descriptor 1
	# shellcheck disable=SC2086 # words
	exits "issue without descriptors: $closing" 0 "$odd" $closing "$acme" issue a.example $issue
	ok 'all is right' sound
	is 'no file has more in it than it should' "$(cd "$ACME_HOME" && for f in accounts/*/key.pem certs/*/*/privkey.pem; do
		whole_key "$f" || echo "$f"; done; grep -L '^url=' accounts/*/account; grep -Lx domain=a.example certs/*/conf
		grep -L '^generation=1$' certs/*/renewal; grep -rl '^acme: ' .)" ''
}
issue="$*"
[ "$LONG" ] || closed=' ,-c 1,-c 0 -c 2,-c 0 -c 1 -c 2'
each_closed issue_closed

# 13: the key is made once, under a name of its own
rm -rf "$ACME_HOME"
if strace -o /dev/null true 2>/dev/null; then
	strace -f -qq -o "$scratch/trace" -e trace=openat,open,renameat,rename "$acme" account register -s "$server" --ca-file "$ca" >/dev/null 2>&1
	is 'a key file is new and 0600 from the start' \
		"$(grep 'key\.pem.*O_CREAT' "$scratch/trace" | grep -o 'O_[A-Z_|]*, 0[0-7]*' | sed 's/|O_LARGEFILE//' | sort -u)" \
		'O_RDWR|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC, 0600'
else
	skip 'a key file is new and 0600 from the start' 'strace may not trace here'
fi
key=$(cksum "$ACME_HOME/accounts/$account/key.pem")
exits 'a second run has that key' 0 "$acme" issue a.example "$@"
is 'and makes none' "$(cksum "$ACME_HOME/accounts/$account/key.pem")" "$key"

# 14: an account's key that is of no use is left, and no account made in its place
(
	cd "$scratch" || exit 1
	key=$good/accounts/$account/key.pem
	mkdir keys
	: >keys/empty
	head -c 100 "$key" >keys/truncated
	head -n 4 "$key" >keys/endless
	head -c 300 /dev/urandom >keys/garbage
	openssl pkcs8 -topk8 -in "$key" -passout pass:x -out keys/encrypted
	openssl genrsa -out keys/rsa1024 1024
	openssl genpkey -algorithm ed25519 -out keys/ed25519
	openssl ecparam -name secp521r1 -genkey -noout -out keys/p521
	openssl pkey -in "$key" -pubout -out keys/public
	cp "$good/certs/a.example/1/cert.pem" keys/certificate
	sed 's/\(.*\)/\1=/' "$key" >keys/extra
	tr -d '\n' <"$key" >keys/oneline
) >"$scratch/keys.log" 2>&1
before=$(accounts)
for file in "$scratch"/keys/*; do
	afresh
	cp "$file" "$ACME_HOME/accounts/$account/key.pem"
	says "an account's key that is $(basename "$file")" 78 'left as it is' "$acme" renew -f a.example
	is 'is left' "$(cmp "$file" "$ACME_HOME/accounts/$account/key.pem")" ''
done
for kind in 'mkfifo' 'mkdir' 'ln -s nowhere'; do
	afresh
	rm "$ACME_HOME/accounts/$account/key.pem"
	(cd "$ACME_HOME/accounts/$account" && $kind key.pem)
	run timeout 30 "$acme" renew -f a.example
	like "$kind at its place" "$status $err" "^7[38] .*key\\.pem"
	ok 'is left' test ! -f "$ACME_HOME/accounts/$account/key.pem"
done
is 'no account was made for these' "$(accounts)" "$before"

# 17: modes that are too loose
afresh
chmod 644 "$ACME_HOME/accounts/$account/key.pem" "$ACME_HOME/certs/a.example/conf" "$ACME_HOME/certs/a.example/1/privkey.pem"
run "$acme" renew -f a.example --reuse-key
for file in "accounts/$account/key.pem" certs/a.example/conf certs/a.example/live/privkey.pem; do
	like "reported: others can read $(basename "$file")" "$status $err" "others can read $ACME_HOME/$file: run chmod 600"
done

# --- 18: state that others can change -------------------------------------------------------------

# others PATH STATUS: renew -f when others have or can write it.
others()
{
	bad='nothing was tried'
	turn=$((turn + 1))
	for how in $(some chmod:g+w chmod:o+w ${is_root:+chown:$user}); do
		bad=${bad#nothing was tried}
		afresh
		"${how%:*}" "${how#*:}" "$ACME_HOME/$1" || bad="$bad $how failed"
		before=$(print "$ACME_HOME/certs/a.example/conf" "$ACME_HOME/certs/a.example/1" "$ACME_HOME/accounts")
		run "$acme" renew -f a.example
		[ "$status" = "$2" ] || bad="$bad $how: $status;"
		case $2 in
		0) sound || bad="$bad $how: not renewed" ;;
		*)
			printf '%s\n' "$err" | grep -Eq 'go-w|another user' || bad="$bad $how: $err;"
			[ "$(print "$ACME_HOME/certs/a.example/conf" "$ACME_HOME/certs/a.example/1" "$ACME_HOME/accounts")" = "$before" ] ||
				bad="$bad $how: something was changed;"
			;;
		esac
	done
	is "refused if others can write it: $1" "$bad" ''
}
while read -r path want; do
	others "$path" "$want"
done <<END
. 73
accounts 73
accounts/$account 73
accounts/$account/key.pem 73
accounts/$account/account 73
certs 73
certs/a.example 73
certs/a.example/conf 73
certs/a.example/1 73
locks 73
hookdata 73
hookdata/a.example 73
certs/a.example/renewal 0
END
afresh
mkdir "$ACME_HOME/hooks"
cp /bin/true "$ACME_HOME/hooks/mine"
exits 'a hook of ours' 0 "$acme" issue -f a.example -s "$server" --ca-file "$ca" -c mine
for path in hooks hooks/mine; do
	chmod o+w "$ACME_HOME/$path"
	says "refused if others can write it: $path" 78 'written by' "$acme" renew -f a.example
	chmod o-w "$ACME_HOME/$path"
done
for command in list 'list -j' 'show a.example' 'path a.example' 'remove a.example' 'revoke a.example' "account show -s $server"; do
	afresh
	chmod o+w "$ACME_HOME"
	# shellcheck disable=SC2086 # words
	says "by each command: $command" 73 'written by others' "$acme" $command
done

if [ "$is_root" ]; then
	afresh
	mkdir "$scratch/theirs" "$scratch/open" "$scratch/sticky"
	ln -s "$ACME_HOME" "$scratch/link"
	ln -s "$ACME_HOME" "$scratch/their-link"
	ln -s "$ACME_HOME" "$scratch/sticky/link"
	cp -a "$good" "$scratch/theirs/home"
	cp -a "$good" "$scratch/open/home"
	cp -a "$good" "$scratch/sticky/home"
	chown -h $user "$scratch/theirs" "$scratch/their-link" "$scratch/sticky/link"
	chmod 777 "$scratch/open"
	chmod 1777 "$scratch/sticky"
	before=$(print "$ACME_HOME" "$scratch/theirs" "$scratch/open")
	for way in theirs/home open/home their-link sticky/link theirs/new; do
		says "root works in no directory that others can exchange: $way" 73 'not safe for root' \
			"$acme" issue b.example "$@" -H "$scratch/$way"
	done
	is 'nothing was changed' "$(print "$ACME_HOME" "$scratch/theirs" "$scratch/open")" "$before"
	for way in link sticky/home; do
		exits "but where they cannot: $way" 0 "$acme" renew -H "$scratch/$way"
	done
	for command in "issue b.example $*" 'list' 'renew -f a.example'; do
		# shellcheck disable=SC2086 # words
		says "root's HOME is not for others: $command" 73 'state directory' as_user "$scratch/acme" $command
	done
	mkdir "$scratch/own"
	chown $user "$scratch/own"
	exits 'who has one of his own' 0 env HOME="$scratch/own" ACME_HOME= setpriv --reuid="$user" --regid="$user" --clear-groups \
		"$scratch/acme" issue a.example "$@"
	is 'finds his files below it' "$(stat -c '%u %a' "$scratch/own/.acme" "$scratch/own/.acme/certs/a.example/live/privkey.pem" | tr '\n' ' ')" "$user 700 $user 600 "
	for size in 1100 70000; do
		says "HOME of $size bytes" 78 'too long' env HOME="/$(printf "%0${size}d" 0)" ACME_HOME= setpriv --reuid=$user \
			--regid=$user --clear-groups "$scratch/acme" list
	done
	says 'no HOME' 78 'HOME is not set' env -u HOME ACME_HOME= setpriv --reuid="$user" --regid="$user" --clear-groups "$scratch/acme" list
else
	skip "others' directories" 'not root'
fi

# --- 19: planted symlinks --------------------------------------------------------------------------

# planted PATH STATUS: renew -f with a symlink there, to a file and to a directory.
planted()
{
	bad='nothing was tried'
	turn=$((turn + 1))
	for target in $(some "$victim/file" "$victim/dir" "$victim/new"); do
		bad=${bad#nothing was tried}
		afresh
		mkdir -p "$(dirname "$ACME_HOME/$1")"
		rm -rf "${ACME_HOME:?}/$1"
		ln -s "$target" "$ACME_HOME/$1"
		run "$acme" renew -f a.example
		[ "$status" = "$2" ] || bad="$bad $(basename "$target"): $status $err;"
		[ "$2" != 0 ] || sound || bad="$bad $(basename "$target"): not renewed"
		[ "$(print "$victim")" = "$before_victim" ] || bad="$bad $(basename "$target"): followed"
	done
	is "not followed: $1" "$bad" ''
}
while read -r path want; do
	planted "$path" "$want"
done <<END
certs 73
certs/a.example 73
certs/a.example/conf 73
certs/a.example/live 73
certs/a.example/1 73
certs/a.example/1/cert.pem 0
certs/a.example/2 0
certs/a.example/renewal 0
certs/a.example/.renewal.0 0
certs/a.example/.stage 0
certs/a.example/.live 0
certs/a.example/.old 0
certs/a.example/pending 0
certs/a.example/pending/privkey.pem 0
certs/a.example/pending/.privkey.pem.0 0
certs/a.example/pending/order 0
certs/a.example/pending/hooks 0
certs/a.example/pending/hooks/001 0
accounts 73
accounts/$account 73
accounts/$account/key.pem 73
accounts/$account/account 73
accounts/$account/.account.0 0
locks 73
locks/certs%2fa.example 73
hookdata 73
hookdata/a.example 73
END
afresh
for i in $(seq 0 63); do
	ln -s "$victim/new" "$ACME_HOME/certs/a.example/.renewal.$i"
done
says 'at all the names of temporary files' 73 'File exists' "$acme" renew -f a.example
rm "$ACME_HOME/certs/a.example/.renewal.40"
exits 'until one is free' 0 "$acme" renew -f a.example
for path in certs locks .probe .home; do
	rm -rf "$ACME_HOME"
	mkdir -m 700 "$ACME_HOME"
	ln -s "$victim/dir" "$ACME_HOME/$path"
	run "$acme" issue a.example "$@"
	like "not followed at the first use: $path" "$status" '^(0|73)$'
done
rm -rf "$ACME_HOME"
ln -s "$victim/new" "$ACME_HOME"
says 'nor where HOME should be' 73 'cannot open the state directory' "$acme" issue a.example "$@"
rm "$ACME_HOME"
is 'the victim is as it was' "$(print "$victim")" "$before_victim"

# --- 20: live ------------------------------------------------------------------------------------------

live=certs/a.example/live
for target in 7 live "$victim" ../a.example/1 DIRECTORY FILE ${LONG:+. .. 1/ 01 1. ../../../victim 99999999999999999999}; do
	afresh
	turn=$((turn + 1))
	rm "$ACME_HOME/$live"
	case $target in
	DIRECTORY) mkdir "$ACME_HOME/$live" && cp "$ACME_HOME"/certs/a.example/1/* "$ACME_HOME/$live" ;;
	FILE) echo 1 >"$ACME_HOME/$live" ;;
	*) ln -s "$target" "$ACME_HOME/$live" ;;
	esac
	before=$(print "$ACME_HOME" "$victim")
	bad=
	for command in renew:-f:a.example $(some "issue:a.example" show:a.example path:a.example list); do
		# shellcheck disable=SC2046 # words
		run "$acme" $(echo "$command" | tr : ' ')
		[ "$status" = 73 ] || bad="$bad $command: $status $err;"
	done
	is "live that is no link to a generation: $(basename "$target")" "$bad" ''
	is 'nothing is deleted or made' "$(print "$ACME_HOME" "$victim")" "$before"
done

# --- 21: certificates, when all that is known of them is what is in the files ----------------------------------

# dated FILE NOT_BEFORE NOT_AFTER: a certificate for the live key with these dates.
mkdir "$scratch/db"
: >"$scratch/db/index"
cat >"$scratch/db/conf" <<END
[ca]
default_ca=x
[x]
database=$scratch/db/index
new_certs_dir=$scratch/db
rand_serial=yes
default_md=sha256
policy=p
copy_extensions=copy
unique_subject=no
[p]
commonName=optional
END
dated()
{
	openssl req -new -key "$good/certs/a.example/1/privkey.pem" -subj /CN=a.example -addext subjectAltName=DNS:a.example -out "$scratch/db/csr" &&
		openssl ca -batch -config "$scratch/db/conf" -cert "$ca" -keyfile "$scratch/ca.key" -in "$scratch/db/csr" -notext \
			-startdate "$2" -enddate "$3" -out "$1"
}
mkdir "$scratch/certs"
cp "$good/certs/a.example/1/cert.pem" "$scratch/certs/good"
: >"$scratch/certs/empty"
cp "$scratch/junk" "$scratch/certs/junk"
head -c 400 "$scratch/certs/good" >"$scratch/certs/truncated"
cp "$scratch/server.pem" "$scratch/certs/other-key"
{
	dated "$scratch/certs/expired" 20200101000000Z 20200401000000Z
	dated "$scratch/certs/1949" 19490101000000Z 19491231235959Z
	dated "$scratch/certs/9999" 20200101000000Z 99991231235959Z
	dated "$scratch/certs/future" 20990101000000Z 20990401000000Z
} >"$scratch/dated.log" 2>&1
# Is it due, and what is said of it?
while read -r cert due warning; do
	afresh
	rm "$ACME_HOME/certs/a.example/renewal"
	cp "$scratch/certs/$cert" "$ACME_HOME/certs/a.example/1/cert.pem"
	exits "a certificate that is $cert" 0 "$acme" renew a.example
	is "due: $due" "$(readlink "$ACME_HOME/$live")" "$([ "$due" = yes ] && echo 2 || echo 1)"
	like "which is warned of: $warning" "$err" "${warning:-^$}"
	is 'then it is good' "$("$acme" renew -x 2>&1; echo $?)" 2
done <<END
good no
empty yes cannot be read
junk yes cannot be read
truncated yes cannot be read
other-key yes not for its key
expired yes
1949 yes
9999 no
future no
END

# --- 23: long paths --------------------------------------------------------------------------------------------

longest=$(printf '%063d.%063d.%063d.%061d' 1 2 3 4 | tr 0 a)
deep=$scratch/$(printf '%0200d/%0200d/%0100d' 0 0 0)
works=
for size in 702 703 704 705 706; do
	home=$deep/$(printf "%0$((size - ${#deep} - 1))d" 0)
	run "$acme" issue "$longest" "$@" -H "$home"
	case $status:$err in
	0:*) works=$size ;;
	73:*'too long'*) ok "HOME of $size bytes is too long, and not made" test ! -e "$home" ;;
	*) fail "HOME of $size bytes" "$status" ;;
	esac
done
is 'the longest HOME does for the longest name' "$works" 704
says 'a path too long for a hook' 64 'too long' "$acme" issue a.example -s "$server" -c "/$(printf '%02000d' 0)"

# --- 26, 27: damaged state -------------------------------------------------------------------------------------

# damaged FILE CONTENT STATUS PATTERN: renew -f with that content; other than status 0
# nothing is changed.  A + before the content leaves what was there before it.
while IFS='|' read -r file content want pattern; do
	afresh
	mkdir -p "$ACME_HOME/certs/a.example/pending/hooks"
	case $content in
	JUNK) cp "$scratch/junk" "$ACME_HOME/$file" ;;
	LARGE) head -c 70000 /dev/zero | tr '\0' a >"$ACME_HOME/$file" ;;
	EMPTY) : >"$ACME_HOME/$file" ;;
	UTF16) iconv -t UTF-16 "$ACME_HOME/$file" >"$scratch/utf16" && cat "$scratch/utf16" >"$ACME_HOME/$file" ;;
	CRLF) sed 's/$/\r/; 1s/^/\xef\xbb\xbf/' "$good/$file" >"$ACME_HOME/$file" ;;
	CR) tr '\n' '\r' <"$good/$file" >"$ACME_HOME/$file" ;;
	+*) printf '%b' "${content#+}" >>"$ACME_HOME/$file" ;;
	*) printf '%b' "$content" >"$ACME_HOME/$file" ;;
	esac
	before=$(cksum "$ACME_HOME/$file")
	says "$file: $content" "$want" "$pattern" "$acme" renew -f a.example --ca-file "$ca"
	case $want in
	0) ok 'renewed' sound ;;
	*) is 'left as it is' "$(cksum "$ACME_HOME/$file")" "$before" ;;
	esac
done <<END
certs/a.example/conf|JUNK|78|no domain
certs/a.example/conf|LARGE|78|too large
certs/a.example/conf|EMPTY|78|no domain
certs/a.example/conf|UTF16|78|no domain
certs/a.example/conf|CRLF|0|^\$
certs/a.example/conf|CR|78|domain: .*line break|no domain
certs/a.example/conf|+domain=../../x\n|78|domain: 
certs/a.example/conf|+hook=../x\n|78|hook: not an absolute path
certs/a.example/conf|+webroot=/x\0y\n|78|NUL
certs/a.example/conf|+server=http://x.example/\n|78|server: 
certs/a.example/conf|+env=LD_PRELOAD=/x\n|78|env: 
certs/a.example/conf|+proxy=http://user:pass word@x\n|78|proxy: 
certs/a.example/conf|+version=2\n|0|unknown key version
certs/a.example/renewal|JUNK|0|^\$
certs/a.example/renewal|LARGE|0|cannot read
certs/a.example/renewal|EMPTY|0|^\$
certs/a.example/renewal|generation=99999999999999\nnext=9999-99-99\nowed=\nowed=x y\n|0|^\$
certs/a.example/renewal|+version=2\nowed=deploy /nonexistent\n|0|^\$
certs/a.example/pending/order|JUNK|0|^\$
certs/a.example/pending/order|url=http://evil.example/\nserver=$server\nnames=a.example\nat=2026-01-01T00:00:00Z\n|0|^\$
certs/a.example/pending/hooks/001|JUNK|0|.
certs/a.example/pending/hooks/001|hook=/nonexistent\n|0|cannot be run
certs/a.example/pending/hooks/x y|JUNK|0|^\$
accounts/$account/account|JUNK|0|^\$
accounts/$account/account|EMPTY|0|^\$
accounts/$account/account|LARGE|78|too large
accounts/$account/account|url=http://evil.example/acct/1\n|1|new order
END

# --- 25: bundles ---------------------------------------------------------------------------------------------------

afresh
(
	cd "$scratch" || exit 1
	mkdir bundles
	printf %s "$(cat ca.pem)" >bundles/no-newline
	sed 's/$/\r/' ca.pem >bundles/crlf
	{ cat junk; echo; echo 'some words'; cat root.pem ca.pem; echo more; } >bundles/text
	{ cat server.key ca.pem; } >bundles/with-a-key
	{ printf '\357\273\277'; cat root.pem ca.pem; } >bundles/bom
	sed '$d' ca.pem >bundles/endless
	{ cat ca.pem; sed 's/^MII/MXX/' root.pem; } >bundles/one-broken
	sed '5s/..../!!!!/' ca.pem >bundles/damaged
	openssl x509 -in ca.pem -outform DER -out bundles/der
	cp server.key bundles/only-a-key
	cp root.pem bundles/another-ca
)
while read -r bundle want; do
	file=$scratch/bundles/$bundle
	exits "--ca-file, $bundle" "$want" "$acme" account show -s "$server" --ca-file "$file"
	SSL_CERT_FILE=$file exits "SSL_CERT_FILE, $bundle" "$want" "$acme" account show -s "$server"
done <<END
no-newline 0
crlf 0
text 0
with-a-key 0
endless 78
one-broken 78
damaged 78
der 78
only-a-key 78
another-ca 69
../empty 78
../junk 78
../nowhere 78
../fifo 78
../keys 78
END

# --- 130: no ground to stand on --------------------------------------------------------------------------------------

afresh
mkdir "$scratch/gone"
run sh -c 'cd "$1" && rmdir "$1" && shift && exec "$@"' - "$scratch/gone" "$acme" renew -f a.example
is 'the working directory is gone' "$status" 0
mkdir "$scratch/gone"
# shellcheck disable=SC2016 # for sh
says 'and a path is relative to it' 64 'current directory is not known' \
	sh -c 'cd "$1" && rmdir "$1" && shift && exec "$@"' - "$scratch/gone" "$acme" issue a.example -s "$server" -w www
done_testing
