#!/bin/sh
# The command line without a CA: what is refused before anything is done, what
# is kept, what is shown; and the manual against the usage texts.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

nowhere=https://127.0.0.1:1/dir		# nobody listens there

# refuses NAME PATTERN ARGUMENT...: exit status 64 and one line like PATTERN.
refuses()
{
	refuses_name=$1 refuses_like=$2
	shift 2
	run "$acme" "$@"
	if [ "$status" = 64 ] && [ ! "$out" ] && [ "$(printf '%s\n' "$err" | wc -l)" -eq 1 ] &&
		printf '%s\n' "$err" | grep -Eq -e "^acme: .*$refuses_like"; then
		pass "$refuses_name"
	else
		fail "$refuses_name" "want one line like $refuses_like"
	fi
}

# --- usage: faults 1 to 8 ----------------------------------------------------

refuses 'no command' 'no command; try: acme -h'
refuses 'an unknown command' 'no such command: frobnicate' frobnicate --with -x
refuses 'an unknown long option' 'unknown option --frobnicate; try: acme issue -h' issue --frobnicate a.example
refuses 'an unknown letter' 'unknown option -Z' issue -Z a.example
refuses 'an abbreviated option' 'unknown option --web' issue --web /x a.example
refuses 'a missing argument' '--webroot: DIR is missing' issue a.example -w
refuses 'a repeated argument' '--webroot /b: given twice' issue a.example -w /a -w /b
refuses 'a value for a flag' '--force takes no value' issue a.example --force=1
refuses 'an option of another command' 'list takes no --webroot' list -w /x
refuses 'too few operands' 'usage: acme show .* NAME' show
refuses 'too many operands' 'usage: acme show .* NAME' show a b
refuses 'operands where there are none' 'usage: acme list' list a
refuses 'issue without a name' 'give a name' issue -w /x
refuses 'csr without a key' '--key FILE' csr a.example
refuses 'a wrong subcommand' 'register, show .NAME., update' account frobnicate
refuses 'an unknown built-in hook' 'webroot, standalone, tls-alpn' hook frobnicate begin http-01 a t k

long=$(printf '%064d' 0 | tr 0 a)
too_long=$(printf '%0251d' 0 | sed 's/0\{50\}/&./g' | tr 0 a).example
# shellcheck disable=SC2016 # meant so
set -- '' . .. a..b .a -- a- 'a b' / a/b ../a a%b 'a
b' "$long.example" "$too_long" '**' '**.a' 'a.*.b' '*a.b' '*' 1.2.3 256.1.1.1 01.1.1.1 1:2 ::1%lo a_b '$(reboot)'
for name; do
	[ "$name" != -- ] || name=-a
	run "$acme" issue -w /x -- "$name"
	case $status:$err in
	'64:acme: not a name for a certificate: '*) pass "bad name '$(printf %s "$name" | tr '\n' ' ' | cut -c 1-40)'" ;;
	*) fail "bad name '$name'" "$status $err" ;;
	esac
done
refuses 'a U-label that is not composed' 'A-label' issue -w /x "b$(printf 'u\314\210')cher.example"
refuses 'a name in Latin-1' 'A-label' issue -w /x "b$(printf '\374')cher.example"
refuses 'a wildcard by webroot' '\*\.a\.example: a wildcard needs dns-01' issue -w /x '*.a.example'
refuses 'a wildcard by http-01' 'dns-01' issue -c /bin/true -t http-01 '*.a.example'
refuses 'an address by dns-01' '192\.0\.2\.1: an address needs' issue -c /bin/true -t dns-01 192.0.2.1
refuses 'webroot and hook' 'not together' issue -w /x -c /bin/true a.example

for number in '' -1 +1 0x1 ' 3' 1e9 1.0 2147483648 4294967296 18446744073709551616 86401; do
	refuses "the number '$number'" '--timeout' issue a.example -w /x "--timeout=$number"
done
refuses 'a number out of range' 'not a number from 1 to 3650' issue a.example -w /x --days 0

for url in http://ca.example/ file:///etc/passwd https:// https://user@ca.example/ https://ca.example:0/ \
	https://ca.example:65536/ 'https://ca.example/#x' "https://ca.example/$(printf '%04096d' 0)" 'https://ca.example/
X: y' ca.example; do
	refuses "the server $(printf %s "$url" | tr '\n' ' ' | cut -c 1-40)" '--server' issue a.example -w /x -s "$url"
done
refuses 'a CA that has ended' 'ended on 2025-10-31' issue a.example -w /x -s buypass
refuses 'a variable that is not set' 'not set in the environment' issue a.example -w /x -e NOT_SET_HERE
refuses 'a variable that changes the loader' 'not a variable' issue a.example -w /x -e LD_PRELOAD=/x
ok 'and no file was made' test ! -e "$ACME_HOME"

# --- the process: faults 9 to 12 -----------------------------------------------

status=0
"$acme" csr a.example --key "$scratch/closed.key" <&- >&- 2>&- 3>&- || status=$?
is 'a closed standard output is noticed' "$status" 73
is 'and no key goes there' "$(openssl pkey -in "$scratch/closed.key" -noout 2>&1)$(grep -c . "$scratch/closed.key")" 5
if [ -c /dev/full ]; then
	for command in 'cas' 'cas -j' '-h' '-V' 'list -j'; do
		status=0
		# shellcheck disable=SC2086 # a list of words
		"$acme" $command >/dev/full 2>"$scratch/err" || status=$?
		is "a full disk is noticed: acme $command" "$status $(cat "$scratch/err")" \
			'73 acme: cannot write the output: No space left on device'
	done
fi
is 'a reader that has enough is no reason for a message' "$( ("$acme" cas; "$acme" cas) 2>&1 | head -n 1 | cut -c 1-4)" NAME
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	chmod 711 "$scratch"
	cp "$acme" "$scratch/suid"
	chmod 4755 "$scratch/suid"
	run env ASAN_OPTIONS=detect_leaks=0 setpriv --reuid=65534 --regid=65534 --clear-groups "$scratch/suid" cas
	like 'setuid is refused' "$status $err" '^(78|1) .*more rights than its user'
	chmod 2755 "$scratch/suid"
	run env ASAN_OPTIONS=detect_leaks=0 setpriv --reuid=65534 --regid=65534 --clear-groups "$scratch/suid" cas
	like 'setgid too' "$status $err" '^(78|1) .*more rights than its user'
	rm "$scratch/suid"
	chmod 700 "$scratch"
else
	skip 'setuid is refused' 'not root'
	skip 'setgid too' 'not root'
fi
refuses 'a hook with four arguments' 'usage: acme hook' hook webroot begin http-01 a t
mkdir "$scratch/hooked"
ACME_WEBROOT=$scratch/hooked exits 'a token that begins with -' 0 "$acme" hook webroot begin http-01 a.example -w -w.thumb
is 'is no option' "$(cat "$scratch/hooked/.well-known/acme-challenge/-w")" -w.thumb

# --- requests and certificates ---------------------------------------------------

for umask in 000 022 777; do
	(umask $umask; exec "$acme" csr a.example --key "$scratch/key.$umask") >"$scratch/csr" 2>"$scratch/err"
	is "a key made under umask $umask has mode 600" "$(stat -c %a "$scratch/key.$umask")" 600
done
run "$acme" csr B.example '*.c.example' 192.0.2.1 2001:DB8::1 b.EXAMPLE. "*.B$(printf '\303\234')CHER.example" --key "$scratch/key.022"
is 'a request has its names, folded, and as A-labels' \
	"$(openssl req -in "$scratch/out" -noout -text | sed -n '/Subject Alternative Name/ { n; s/^ *//; p; }')" \
	'DNS:b.example, DNS:*.c.example, IP Address:192.0.2.1, IP Address:2001:DB8:0:0:0:0:0:1, DNS:*.xn--bcher-kva.example'
ok 'and its signature' openssl req -in "$scratch/out" -noout -verify 2>/dev/null
is 'it is for that key' "$(openssl req -in "$scratch/out" -noout -pubkey)" "$(openssl pkey -in "$scratch/key.022" -pubout)"
run "$acme" csr b.example --key "$scratch/rsa.key" -k 2048
is 'an RSA key' "$(openssl pkey -in "$scratch/rsa.key" -noout -text | sed -n '1s/.*(\([0-9]*\) bit.*/\1/p')" 2048
like 'another key type than the file has' "$("$acme" csr b.example --key "$scratch/rsa.key" -k ec256 2>&1; echo $?)" 'this key is rsa2048'
is 'the key stays' "$(grep -c PRIVATE "$scratch/rsa.key")" 2
cp "$scratch/rsa.key" "$scratch/open.key"
chmod 644 "$scratch/open.key"
run "$acme" csr b.example --key "$scratch/open.key"
like 'a key that others may read is warned of' "$status $err" '^0 .*others can read'
run "$acme" csr b.example '*.b.example' x.b.example --key "$scratch/rsa.key"
like 'a redundant name is said to be so' "$status $err" '^0 acme: x\.b\.example is covered by a wildcard'
mkfifo "$scratch/fifo"
for file in "$scratch/fifo" "$scratch" /dev/zero /dev/null "$scratch/csr" /nonexistent/key; do
	exits "no key: $(basename "$file")" 78 timeout 20 "$acme" csr b.example --key "$file"
done

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -keyout "$scratch/x.key" -out "$scratch/x.pem" \
	-days 30 -set_serial 0x00af01 -subj '/CN=Test
Issuer' -addext 'subjectAltName=DNS:a.example,DNS:*.b.example,IP:192.0.2.1,IP:2001:db8::1' 2>/dev/null
openssl x509 -in "$scratch/x.pem" -outform DER -out "$scratch/x.der"
run "$acme" cert "$scratch/x.pem"
is 'the names of a certificate' "$(sed -n 1p "$scratch/out")" 'names: a.example *.b.example 192.0.2.1 2001:db8::1'
like 'its key type' "$out" '^key_type: ec384$'
like 'its issuer, printable' "$out" '^issuer: Test\\x0aIssuer$'
like 'its serial' "$out" '^serial: 00af01$'
like 'its days' "$out" '^days_left: (29|30)$'
aki=$(openssl x509 -in "$scratch/x.pem" -noout -ext subjectKeyIdentifier | sed 1d | tr -d ' :')
is 'its ARI identifier' "$(sed -n 's/^ari_id: //p' "$scratch/out")" \
	"$(printf %s "$aki" | sed 's/../\\x&/g' | xargs -0 busybox printf | base64 | tr +/ -_ | tr -d =).AK8B"
want=$(sed '/^days_left/d' "$scratch/out")
is 'the same from DER' "$("$acme" cert "$scratch/x.der" | sed '/^days_left/d')" "$want"
is 'the same from standard input' "$("$acme" cert - <"$scratch/x.pem" | sed '/^days_left/d')" "$want"
is 'the same behind a key' "$(cat "$scratch/x.key" "$scratch/x.pem" | "$acme" cert - | sed '/^days_left/d')" "$want"
like 'as JSON' "$("$acme" cert -j "$scratch/x.pem")" '^\{"names":\["a.example","\*.b.example","192.0.2.1","2001:db8::1"\],"key_type":"ec384","issuer":"Test\\u000aIssuer","serial":"00af01","ari_id":"[^"]*","not_before":"[^"]*Z","not_after":"[^"]*Z","days_left":[0-9]*\}$'
exits 'no certificate in the file' 78 "$acme" cert "$scratch/x.key"
exits 'no file' 78 "$acme" cert /nonexistent

# --- what is kept ------------------------------------------------------------------

exits 'no certificates' 0 "$acme" list
is 'print nothing' "$out$err" ''
is 'or an empty list' "$("$acme" list -j)" '[]'
ok 'and make nothing' test ! -e "$ACME_HOME"
exits 'renew without certificates' 0 "$acme" renew
exits 'an unknown certificate' 78 "$acme" show a.example
like 'is told so' "$err" 'no certificate is named a.example; there are none'

# A first issue that fails keeps its conf.  Nobody listens: nothing leaves this machine.
mkdir "$scratch/www"
printf '#!/bin/sh\n' >"$scratch/prog"
chmod 755 "$scratch/prog"
FROM_ENV='s3cret2 with  spaces'
export FROM_ENV
cd "$scratch" || exit 1
exits 'a CA that is not there' 69 "$acme" issue Www.Example.org -d example.org -w www -s "$nowhere" \
	-e "TOKEN=s3cret1 '\"#=" -e FROM_ENV -r 'echo "a  b" #c' -l ./prog --days 20 -k ec-384 -m me@example.org
cd "$root" || exit 1
conf=$ACME_HOME/certs/www.example.org/conf
is 'the options are kept' "$(cat "$conf")" "domain=www.example.org
domain=example.org
webroot=$scratch/www
env=TOKEN=s3cret1 '\"#=
env=FROM_ENV=s3cret2 with  spaces
reload=echo \"a  b\" #c
deploy-hook=$scratch/prog
server=$nowhere
key-type=ec384
days=20
mail=me@example.org"
is 'for the owner only' "$(stat -c %a "$conf" "$ACME_HOME" | tr '\n' ' ')" '600 700 '
run "$acme" show www.example.org
is 'they are shown' "$(sed -n 's/^conf\.//p' "$scratch/out")" "webroot: $scratch/www
env: TOKEN=***
env: FROM_ENV=***
reload: echo \"a  b\" #c
deploy-hook: $scratch/prog
server: $nowhere
key-type: ec384
days: 20
mail: me@example.org"
like 'what failed is shown' "$out" '^error: .'
like 'how often' "$out" '^failures: 1$'
like 'and when it is tried again' "$out" '^retry_after: 20..-..-..T..:..:..Z$'
run "$acme" show -j www.example.org
like 'as JSON, variables masked' "$out" '"conf":\{"webroot":"[^"]*/www","env":\["TOKEN=\*\*\*","FROM_ENV=\*\*\*"\],"reload":"echo \\"a  b\\" #c","deploy-hook":\['
for command in 'list' 'list -j' 'show www.example.org' 'show -j www.example.org' 'renew -vv' 'renew -f -vv' 'path www.example.org'; do
	# shellcheck disable=SC2086 # a list of words
	run "$acme" $command
	unlike "no secret in the output of $command" "$out$err" 's3cret'
done
exits 'backing off' 75 "$acme" renew www.example.org
exits 'no files yet' 78 "$acme" path www.example.org
like 'a variable of the environment is not kept as such' "$("$acme" list)" '^www\.example\.org  www\.example\.org example\.org  ec384  127\.0\.0\.1:1  -     retry '

printf '\357\273\277domain = www.example.org\r\n# mine\r\n\r\nwebroot=%s\r\ncolour=red\r\n' "$scratch/www" >"$conf"
run "$acme" show www.example.org
like 'a conf file from an editor' "$status $out" '^names: www\.example\.org$'
is 'an unknown key is warned of' "$err" "acme: www.example.org: $conf: unknown key colour"
echo 'domain=a..b' >"$conf"
exits 'a bad value in it' 78 "$acme" show www.example.org
is 'is named' "$err" "acme: www.example.org: $conf: domain: a label is empty"

# --- certificates that are there -----------------------------------------------------

# lives NAME DIRECTORY NOT_BEFORE NOT_AFTER NEXT: a certificate in the state directory.
lives()
{
	dir=$ACME_HOME/certs/$2
	(umask 077 && mkdir -p "$dir/3")
	cp "$scratch/x.pem" "$dir/3/cert.pem"
	cp "$scratch/x.pem" "$dir/3/fullchain.pem"
	cp "$scratch/x.key" "$dir/3/privkey.pem"
	chmod 600 "$dir/3/privkey.pem"
	ln -s 3 "$dir/live"
	printf 'domain=%s\nwebroot=/var/www\n' "$1" >"$dir/conf"
	printf 'generation=3\nnot_before=%s\nnot_after=%s\nnext=%s\n' "$3" "$4" "$5" >"$dir/renewal"
	chmod 600 "$dir/conf" "$dir/renewal"
}

rm -rf "$ACME_HOME"
mkdir -m 700 "$ACME_HOME" "$ACME_HOME/certs"
lives b.example b.example 2026-01-01T00:00:00Z 2099-01-01T00:00:00Z 2098-01-01T00:00:00Z
lives '*.a.example' _.a.example 2026-01-01T00:00:00Z 2026-01-03T00:00:00Z 2026-01-02T00:00:00Z
i=0
while [ $((i += 1)) -le 30 ]; do
	echo "domain=n$i.b.example" >>"$ACME_HOME/certs/b.example/conf"
done
run "$acme" list
is 'the list is a table' "$(awk '{ $(NF - 1) = "N"; print }' "$scratch/out")" \
'NAME NAMES KEY CA N RENEWAL
*.a.example *.a.example ec256 letsencrypt N due
b.example b.example n1.b.example n2.b.example +28 ec256 letsencrypt N 2098-01-01'
is 'bare names' "$("$acme" list -q)" "*.a.example
b.example"
is 'what is due' "$("$acme" list -q --due)" '*.a.example'
like 'as JSON' "$("$acme" list -j --due)" '^\{"name":"\*\.a\.example","names":\["\*\.a\.example"\],"key_type":"ec256","ca":"letsencrypt","server":"https://acme-v02\.api\.letsencrypt\.org/directory","not_before":"2026-01-01T00:00:00Z","not_after":"2026-01-03T00:00:00Z","days_left":-?[0-9]*,"due":true,"next_renewal":"2026-01-02T00:00:00Z","owed":false,"failures":0,"retry_after":null,"error":null,"revoked":null,"live":"[^"]*/certs/_\.a\.example/live"\}$'
is 'a path' "$("$acme" path '*.a.example')" "$ACME_HOME/certs/_.a.example/live"
is 'of a file' "$("$acme" path '*.a.example' privkey)" "$ACME_HOME/certs/_.a.example/live/privkey.pem"
exits 'of a file that is not there' 78 "$acme" path b.example chain
refuses 'of no such kind' 'privkey cert chain fullchain combined' path b.example frobnicate
is 'a relative HOME is made absolute' "$(cd "$scratch" && "$acme" -H home path b.example)" "$ACME_HOME/certs/b.example/live"
run "$acme" show b.example
like 'show has the live certificate' "$out" '^serial: 00af01$'
exits 'a name that is not known' 78 "$acme" show c.example
is 'the known ones are told' "$err" 'acme: no certificate is named c.example; there are: *.a.example b.example'

for signal in TERM HUP; do
	"$acme" renew --jitter 86400 -s "$nowhere" >"$scratch/out" 2>"$scratch/err" 3>&- &
	pid=$!
	sleep 0.5
	kill -$signal $pid
	status=0
	wait $pid || status=$?
	is "SIG$signal ends a wait, and the program by that signal" "$(kill -l $status)" $signal
done

exits 'a certificate is removed' 0 "$acme" remove b.example
is 'and gone' "$("$acme" list -q)" '*.a.example'
is 'to the trash' "$(find "$ACME_HOME/trash" -name conf | wc -l)" 1
exits 'another is deleted' 0 "$acme" remove -d '*.a.example' --purge
is 'and not in the trash' "$(find "$ACME_HOME/trash" -name conf | wc -l)" 1
exits 'twice is once too often' 78 "$acme" remove b.example

# --- tables, usage and manual ----------------------------------------------------------

like 'the CAs' "$("$acme" cas)" '^zerossl  *mail  *-  *https://acme\.zerossl\.com/v2/DV90 '
like 'as JSON' "$("$acme" cas -j)" '^\{"name":"letsencrypt","server":"https://acme-v02\.api\.letsencrypt\.org/directory","server_ec":null,'
like 'the version' "$("$acme" -V)" '^acme [0-9.]* \(BearSSL 0\.6\)$'
is 'no line of the usage texts is over 80 columns' "$({ "$acme" -h; "$acme" issue -h; } | grep '.\{81\}')" ''

# Options as "-w --webroot +", the plus for an argument; from usage texts and manual.
"$acme" -h | sed -n '/^commands:/,/^$/ s/^  \([a-z]*\) .*/\1/p' >"$scratch/commands"
{ echo; cat "$scratch/commands"; } | while read -r command; do
	# shellcheck disable=SC2086 # none for the options of all
	"$acme" $command -h
done | sed -n 's/^  \(-.\), --/\1 --/p; s/^      --/--/p' | sed 's/  .*//; s/\(--[a-z0-9-]*\) .*/\1 +/' | sort -u >"$scratch/usage"
sed -n 's/^\.It Fl //p' "$root/acme.1" |
	sed 's/ Ar.*/ +/; s/^-/--/; s/ , Fl -/ --/; s/^\([^-]\) /-\1 /' | sort -u >"$scratch/manual"
ok 'there are options' test "$(wc -l <"$scratch/usage")" -gt 30
is 'the manual has the options of the usage texts' "$(diff "$scratch/usage" "$scratch/manual")" ''
is 'and the commands' "$(sed -n 's/^\.It Cm \([a-z]*\) O*[a-z]* *Ar.*/\1/p' "$root/acme.1" | sort)" "$(sort "$scratch/commands")"
is 'and the exit statuses' "$(sed -n 's/^\.It \([0-9]*\)$/\1/p' "$root/acme.1")" \
	"$("$acme" -h | sed -n '/^exit status:/,$ s/^  \([0-9]*\) .*/\1/p')"
while read -r command; do
	ok "an example of $command" grep -Eq "^\.Dl .*acme $command( |\$)" "$root/acme.1"
done <"$scratch/commands"
# by its letter, alone or among others, or by its name
grep -E '^\.Dl .*acme ' "$root/acme.1" >"$scratch/examples"
while read -r option; do
	case $option in
	'') continue ;;
	esac
	letter=$(printf '%s\n' "$option" | sed -n 's/^-\([^-]\) .*/\1/p')
	name=$(printf '%s\n' "$option" | sed 's/.*--//; s/ .*//')
	ok "an example of --$name" grep -Eq -e "--$name( |=|\$)${letter:+| -[a-zA-Z]*$letter( |\$)}" "$scratch/examples"
done <"$scratch/manual"
if command -v mandoc >/dev/null; then
	is 'the manual is good mdoc' "$(mandoc -Tlint -Wwarning "$root/acme.1")" ''
else
	skip 'the manual is good mdoc' 'no mandoc'
fi

done_testing
