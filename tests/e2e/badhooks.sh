#!/bin/sh
# Hostile hooks: however a program of the user's ends, hangs, floods or
# changes what is ours, the run ends in time and with the right status, what was
# set up is taken down, and the next run is sound.  Faults 107 to 120, 129, 130.
# shellcheck disable=SC2154,SC2317 # variables of lib.sh; functions called by name
# shellcheck disable=SC2016 # snippets are for hooks to expand
. "$(dirname "$0")/../lib.sh"

LONG=${LONG-}
tools=${TOOLS:-$root/build/tests/tool}
[ "${TOOLS-}" ] || make -s build/tests/tool/odd >"$scratch/make.log" 2>&1
odd=$tools/odd
pebble_retry=0
challtestsrv_start
pebble_start PEBBLE_VA_NOSLEEP=1 PEBBLE_VA_ALWAYS_VALID=1 PEBBLE_AUTHZREUSE=0 PEBBLE_WFE_NONCEREJECT=0
chmod 711 "$scratch"
orders() { grep -c 'POST /order-plz' "$scratch/pebble.log"; }

# A hook that keeps a diary and does in the last begin, and in each end, what it is told.
cat >"$scratch/hook" <<'END'
#!/bin/sh
echo "$1 $3" >>"$DIARY"
case $1:$ACME_REMAINING in
begin:0) eval "$BEGIN" ;;
begin:*) ;;
*) eval "$END" ;;
esac
END
cat >"$scratch/program" <<'END'
#!/bin/sh
eval "$PROGRAM"
END
chmod 755 "$scratch/hook" "$scratch/program"
BEGIN='' END='' PROGRAM='' DIARY=$scratch/diary
export BEGIN END PROGRAM DIARY server ca acme scratch
set -- -s "$server" --ca-file "$ca" -c "$scratch/hook" -t http-01 --wait 0
exits 'an account' 0 "$acme" account register -s "$server" --ca-file "$ca"
cp -a "$ACME_HOME" "$scratch/fresh"

# matching NAME: the live certificate is for the live key; sound NAME: and nothing is under way.
matching()
{
	live=$ACME_HOME/certs/$1/live
	[ "$(openssl x509 -in "$live/cert.pem" -noout -pubkey)" = "$(openssl pkey -in "$live/privkey.pem" -pubout)" ]
}
sound() { matching "$1" && [ ! -e "$ACME_HOME/certs/$1/pending" ]; }

# in_home NAME COMMAND...: in the background, with a HOME of its own; what it
# printed, and its status, are in $scratch/NAME.out, .err, .status.
runs=
in_home()
{
	in_name=$1
	shift
	cp -a "$scratch/fresh" "$scratch/$in_name"
	: >"$scratch/$in_name.diary"
	(
		ACME_HOME=$scratch/$in_name DIARY=$scratch/$in_name.diary
		in_status=0
		"$@" >"$scratch/$in_name.out" 2>"$scratch/$in_name.err" </dev/null 3>&- || in_status=$?
		echo $in_status >"$scratch/$in_name.status"
	) &
	runs="$runs $!"
}

# of NAME: the results of that run, as run leaves them (but for out).
of()
{
	ran="(in the background) $1"
	cp "$scratch/$1.out" "$scratch/out"
	cp "$scratch/$1.err" "$scratch/err"
	status=$(cat "$scratch/$1.status")
	err=$(cat "$scratch/err")
	ACME_HOME=$scratch/$1
}

# --- 107: what is no program is found before the order ------------------------------------

printf '#!/nonexistent/sh\n' >"$scratch/gone"
printf '#!/bin/sh\r\nexit 0\r\n' >"$scratch/crlf"
printf 'exit 0\n' >"$scratch/bare"
printf '#!/bin/sh\n' >"$scratch/plain"
chmod 755 "$scratch/gone" "$scratch/crlf" "$scratch/bare"
mkfifo "$scratch/fifo"
ln -s nowhere "$scratch/dangling"
before=$(orders)
for option in -c --ready-hook -l --fail-hook; do
	bad=''
	some='plain fifo gone'
	[ $option != -c ] && [ ! "$LONG" ] || some='none plain . fifo dangling gone crlf plain/x'
	for program in nowhere $some; do
		[ "$program" = nowhere ] || program=$scratch/$program
		case $option in
		-c) run timeout 60 "$acme" issue a.example -s "$server" --ca-file "$ca" -c "$program" ;;
		*) run timeout 60 "$acme" issue a.example "$@" "$option" "$program" ;;
		esac
		[ "$status" = 78 ] && [ "$(printf '%s\n' "$err" | wc -l)" -eq 1 ] || bad="$bad $program: $status $err;"
	done
	is "no program: $option" "$bad" ''
done
is 'is found before the order' "$(orders)" "$before"
exits 'what cannot be executed after all' 78 "$acme" issue a.example -s "$server" --ca-file "$ca" -c "$scratch/bare" -t http-01
like 'is said to be so' "$err" 'begin http-01 a\.example: cannot be run: Exec format error'
exits 'a certificate' 0 "$acme" issue a.example "$@" -l "$scratch/program"
before=$(orders)
mv "$scratch/program" "$scratch/away"
exits 'a deploy hook that went away' 78 "$acme" renew -f a.example
mv "$scratch/away" "$scratch/program"
is 'is missed before the order' "$(orders)" "$before"

# The lock's ten seconds pass while all else is tested.
same='"$acme" issue -f same.example -s "$server" --ca-file "$ca" -c "$scratch/hook" -t http-01 --wait 0 >"$scratch/nested.out" 2>&1; echo $? >"$scratch/nested"'
BEGIN="$same; exit 0" in_home same "$acme" issue same.example "$@"
same_run=$runs
runs=

# --- 108 to 113: how it may end -------------------------------------------------------------

# Each row: name, exit status, what is said, the ends called, what the last begin does.
cat >"$scratch/rows" <<'END'
exit1|3|accepted no challenge for|failed|exit 1
exit77|3|accepted no challenge for|failed|exit 77
exit125|3|accepted no challenge for|failed|exit 125
exit126|3|begin http-01 .*: exit status 126|failed failed|exit 126
exit127|3|exit status 127|failed failed|exit 127
exit128|3|exit status 128|failed failed|exit 128
exit255|3|exit status 255|failed failed|exit 255
killed|3|killed by signal 9|failed failed|kill -9 $$
crashed|3|killed by signal 11|failed failed|kill -SEGV $$
terminated|3|killed by signal 15|failed failed|kill -TERM $$
stopped|3|no answer in 1 seconds|failed failed|kill -STOP $$
hanging|3|no answer in 1 seconds|failed failed|sleep 300
stubborn|3|no answer in 1 seconds|failed failed|trap "" TERM INT HUP; while :; do sleep 1; done
brood|3|no answer in 1 seconds|failed failed|(trap "" TERM; sleep 300 & sleep 300) & sleep 300 | sleep 300
forking|3|no answer in 1 seconds|failed failed|trap 'sleep 300 &' TERM; while :; do sleep 0.1; done
flooding|0|^$|done done|dd if=/dev/zero bs=65536 count=8192 2>&-; dd if=/dev/zero bs=65536 count=8192 1>&2 2>&-; exit 0
closing|0|^$|done done|exec <&- >&- 2>&-; exit 0
daemon|0|^$|done done|setsid sleep 300 & echo $! >"$DIARY.pid"; exit 0
lingering|0|^$|done done|sleep 300 & echo $! >"$DIARY.pid"; exit 0
END
while IFS='|' read -r name want said ends what; do
	case $name in
	# a pipe that is read by nobody in time, and hardly any memory
	flooding) BEGIN=$what in_home "$name" sh -c 'ulimit -v 100000; "$@" 2>/dev/null' - "$acme" issue "a.$name.example" "b.$name.example" "$@" ;;
	*) BEGIN=$what in_home "$name" "$acme" issue "a.$name.example" "b.$name.example" "$@" --hook-timeout 1 ;;
	esac
done <"$scratch/rows"
# And how the clean-up, the deploy hook and the rest may.
cat >"$scratch/others" <<'END'
end-exit|0|done http-01 .*: exit status 3||exit 3|||
end-killed|0|done http-01 .*: killed by signal 9||kill -9 $$|||
end-hangs|0|done http-01 .*: no answer in 1 seconds||sleep 300|||
deploy-exit|4|is owed: deploy .*: exit status 9|||exit 9|-l|%
deploy-killed|4|is owed: deploy .*: killed by signal 9|||kill -9 $$|-l|%
deploy-hangs|4|is owed: deploy .*: no answer in 1 seconds|||sleep 300|-l|%
reload-exit|4|is owed: reload .*: exit status 9|||exit 9|-r|%
reload-hangs|4|is owed: reload .*: no answer in 1 seconds|||sleep 300|-r|%
ready-exit|3|ready-hook .*: exit status 9|||exit 9|--ready-hook|%
ready-hangs|3|ready-hook .*: no answer in 1 seconds|||sleep 300|--ready-hook|%
pre-exit|3|the pre-hook failed|||exit 9|--pre-hook|%
pre-hangs|3|pre-hook .*: no answer in 1 seconds|||sleep 300|--pre-hook|%
post-exit|0|post-hook .*: exit status 9|||exit 9|--post-hook|%
post-killed|0|post-hook .*: exit status 137|||kill -9 $$|--post-hook|%
fail-exit|3|fail-hook .* failed|exit 126||exit 9|--fail-hook|%
fail-hangs|3|fail-hook .* failed|exit 126||sleep 300|--fail-hook|%
END
while IFS='|' read -r name want said begin end program option _; do
	# shellcheck disable=SC2086 # no option is no word
	BEGIN=$begin END=$end PROGRAM=$program in_home "$name" "$acme" issue "$name.example" "$@" --hook-timeout 1 \
		${option:+"$option" "$scratch/program"}
done <"$scratch/others"
# shellcheck disable=SC2086 # a list
wait $runs
runs=
while IFS='|' read -r name want said ends what; do
	of "$name"
	like "a hook that is $name: exit status $want" "$status $err" "^$want "
	like 'and said so' "$err" "$said"
	is 'what was set up is taken down, once' "$(grep -v begin "$scratch/$name.diary" | cut -d' ' -f1 | tr '\n' ' ')" "$ends "
	is 'nothing is left standing' "$(ls "$ACME_HOME"/certs/*/pending/hooks 2>/dev/null)" ''
	if [ -s "$scratch/$name.diary.pid" ]; then
		ok 'what it left running runs' kill -KILL "$(cat "$scratch/$name.diary.pid")"
	fi
done <"$scratch/rows"
while IFS='|' read -r name want said begin end program option _; do
	of "$name"
	like "$name: exit status $want" "$status $err" "^$want "
	like 'and said so' "$err" "$said"
	is 'nothing is left standing' "$(ls "$ACME_HOME"/certs/*/pending/hooks 2>/dev/null)" ''
	is 'what was set up is taken down, once' "$(grep -c begin "$scratch/$name.diary")" "$(grep -vc begin "$scratch/$name.diary")"
	case $want in
	0 | 4) ok 'the certificate is in place' sound "$name.example" ;;
	esac
	[ "$want" = 4 ] || continue
	exits 'the next run pays what is owed' 0 "$acme" renew
	exits 'and the one after has nothing to do' 2 "$acme" renew -x
done <"$scratch/others"

# --- 112: nobody reads what we say --------------------------------------------------------------

ACME_HOME=$scratch/home
{ "$acme" issue pipe.example "$@" -vv; echo $? >"$scratch/piped"; } 2>&1 3>&- | true
is 'a closed pipe does not end us' "$(cat "$scratch/piped")" 0
ok 'the certificate is in place' sound pipe.example

# --- 114 to 116, 119: what it gets -----------------------------------------------------------------

cat >"$scratch/witness" <<'END'
#!/bin/sh
# witness KIND: what this process was given
seen=$scratch/seen.$1
env >"$scratch/env.$1"
cat /proc/self/status >"$seen.status"
{
	echo "fds $(ls /proc/self/fd | tr '\n' ' ')"
	echo "stdin $(readlink /proc/self/fd/0)"
	grep -E '^Sig(Blk|Ign|Cgt)' "$seen.status" | while read -r name mask; do
		# libc keeps 32 to 34 to itself: who had them ignored passes that on
		printf '%s %016x\n' "$name" $((0x$mask & ~0x380000000))
	done
	echo "umask $(umask)"
	case $1 in
	done | reload)
		grep -l "^PPid:	$PPID\$" /proc/[0-9]*/status 2>/dev/null | xargs grep -l '^State:	Z' 2>/dev/null | sed 's/^/zombie /'
	esac
} >"$seen"
[ /proc/$$/fd/1 -ef /proc/$$/fd/2 ] || echo 'stdout is not stderr' >>"$seen"
[ "$1" != begin ] || [ ! "${REFUSE-}" ] || exit 126
exit 0
END
chmod 755 "$scratch/witness"
for kind in deploy ready fail; do
	printf '#!/bin/sh\nexec "$scratch/witness" %s\n' $kind >"$scratch/witness-$kind"
	chmod 755 "$scratch/witness-$kind"
done
witnessed()
{
	"$@" issue witness.example -f -s "$server" --ca-file "$ca" -t http-01 --wait 0 -c "$scratch/witness" -l "$scratch/witness-deploy" \
		--ready-hook "$scratch/witness-ready" --fail-hook "$scratch/witness-fail" \
		-r '"$scratch/witness" reload' --pre-hook '"$scratch/witness" pre' --post-hook '"$scratch/witness" post'
}
zero=0000000000000000
want="fds 0 1 2 3 
stdin /dev/null
SigBlk: $zero
SigIgn: $zero
SigCgt: $zero
umask 0027"
CALLERS="a value
of two lines"
export CALLERS
while read -r start; do
	rm -f "$scratch"/seen.* "$scratch"/env.*
	# shellcheck disable=SC2086 # words
	(umask 027; witnessed $start "$acme") >"$scratch/out" 2>"$scratch/err" 3>&-
	is "all kinds of programs, started by: ${start#"$tools/"}" $? 0
	# shellcheck disable=SC2086 # words
	(umask 027; REFUSE=1; export REFUSE; witnessed $start "$acme") >"$scratch/out" 2>"$scratch/err" 3>&-
	is 'and in a run that fails' $? 3
	for kind in begin 'done' failed pre post ready deploy reload fail; do
		is "descriptors, signals, umask of $kind" "$(cat "$scratch/seen.$kind" 2>&1)" "$want"
	done
done <<END
env
$odd -i -b -f 20 -c 0
$odd -c 0 -c 1 -c 2
END
cat "$scratch"/env.* >"$scratch/env"
is "the caller's environment" "$(grep -c '^CALLERS=a value$' "$scratch/env") $(grep -c '^of two lines$' "$scratch/env")" '9 9'
find "$ACME_HOME" -name '*key*.pem' -exec cat {} + | grep -v -e ----- | sort -u >"$scratch/secrets"
ok 'there are secrets' test -s "$scratch/secrets"
is 'and none of them' "$(grep -Ff "$scratch/secrets" "$scratch/env")" ''
free_port proxy
begin proxy "$proxy" "$tools/peer" "$proxy" proxy "$(printf 'me:s3cret' | base64)"
exits 'through a proxy with a password' 0 witnessed "$acme" --proxy "http://me:s3cret@127.0.0.1:$proxy"
is 'which they do not get' "$(cat "$scratch"/env.* | grep s3cret)" ''

# --- 120: one argument stays one -----------------------------------------------------------------------

odd_dir="$scratch/it's \"a\"  \$(touch evil) \`touch evil\`; touch evil #*?\\"
mkdir "$odd_dir"
cp -a "$scratch/fresh" "$odd_dir/home"
printf '#!/bin/sh\nfor i; do printf "%%s\\n" "$i"; done >"$scratch/arguments"\n' >"$odd_dir/deploy it"
cp "$scratch/hook" "$odd_dir/hook it"
chmod 755 "$odd_dir/deploy it" "$odd_dir/hook it"
cd "$odd_dir" || exit 1
exits 'paths of all characters' 0 "$acme" issue a.example "$@" -H "$odd_dir/home" -l './deploy it' -f
live=$odd_dir/home/certs/a.example/live
is 'are one argument each' "$(sed '7s/.*/EPOCH/' "$scratch/arguments")" "deploy_cert
a.example
$live/privkey.pem
$live/cert.pem
$live/fullchain.pem
$live/chain.pem
EPOCH"
exits 'also as the hook' 0 "$acme" issue b.example -s "$server" --ca-file "$ca" -t http-01 -c './hook it' -H home
exits 'and again from conf' 0 "$acme" renew -f a.example -H home
ok 'and no shell saw them' test ! -e evil
cd "$root" || exit 1
run "$acme" issue a.example "$@" -H "$scratch/a
b"
is 'but a line break is refused' "$status $(find "$scratch" -maxdepth 1 -name 'a
*')" '64 '

# --- hooks that change what is ours ----------------------------------------------------------------------

victim=$scratch/victim
mkdir "$victim"
echo precious >"$victim/file"
export victim
before=$(ls -lAR --time-style=full-iso "$victim"; cat "$victim/file")
# Each row: name, exit status, what the begin does, what the end does.  The next run is sound.
cat >"$scratch/rows" <<'END'
deletes-home|73|rm -rf "$ACME_HOME"; exit 0|
deletes-certs|0|rm -rf "$ACME_HOME/certs"; exit 0|
deletes-accounts|0|rm -rf "$ACME_HOME/accounts"; exit 0|
deletes-pending|0|rm -rf "$ACME_HOME/certs/$ACME_NAME/pending"; exit 0|
deletes-journal|0|rm -rf "$ACME_HOME/certs/$ACME_NAME/pending/hooks"; exit 0|
deletes-locks|0|rm -rf "$ACME_HOME/locks"; exit 0|
deletes-key|0|rm -f "$ACME_HOME/certs/$ACME_NAME/pending/privkey.pem"; exit 0|
changes-key|0|openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 >"$ACME_HOME/certs/$ACME_NAME/pending/privkey.pem" 2>/dev/null; exit 0|
changes-conf|0|echo reload=false >>"$ACME_HOME/certs/$ACME_NAME/conf"; exit 0|
opens-certs|73|chmod 777 "$ACME_HOME/certs"; exit 0|[ "$1" = failed ] || exit 1
links-certs|73|mv "$ACME_HOME/certs" "$ACME_HOME/gone"; ln -s "$victim" "$ACME_HOME/certs"; exit 0|
links-pending|0|rm -rf "$ACME_HOME/certs/$ACME_NAME/pending"; ln -s "$victim" "$ACME_HOME/certs/$ACME_NAME/pending"; exit 0|
links-live|0||ln -s "$victim" "$ACME_HOME/certs/$ACME_NAME/live"
dangles-live|0||ln -s 77 "$ACME_HOME/certs/$ACME_NAME/live"
blocks-live|73||mkdir "$ACME_HOME/certs/$ACME_NAME/live"
makes-generation|0||mkdir "$ACME_HOME/certs/$ACME_NAME/1"; echo x >"$ACME_HOME/certs/$ACME_NAME/1/privkey.pem"
fills-stage|0||mkdir -p "$ACME_HOME/certs/$ACME_NAME/.stage/a/b"; ln -s "$victim/file" "$ACME_HOME/certs/$ACME_NAME/.stage/cert.pem"
ends-parent|143|kill -TERM $PPID; sleep 5; exit 0|
kills-parent|137|kill -KILL $PPID; sleep 0.2; exit 0|
calls-other|0|"$acme" issue other.example -s "$server" --ca-file "$ca" -c /bin/true -t http-01 --wait 0 >"$scratch/other.out" 2>&1; echo $? >"$scratch/other"; exit 0|
calls-list|0|"$acme" list -q >"$scratch/list.out" 2>&1; echo $? >"$scratch/list"; "$acme" show "$ACME_NAME" >"$scratch/show.out" 2>&1; exit 0|
END
while IFS='|' read -r name want begin end; do
	BEGIN=$begin END=$end in_home "$name" timeout 60 "$acme" issue "$name.example" "$@"
done <"$scratch/rows"
# shellcheck disable=SC2086 # a list
wait $runs
runs=
while IFS='|' read -r name want begin end; do
	of "$name"
	like "a hook that $name: exit status $want" "$status $err" "^$want "
	[ "$want" != 0 ] || ok 'the certificate is in place' sound "$name.example"
	# what it did is put right, as a person would
	case $name in
	deletes-home) rm -rf "$ACME_HOME"; cp -a "$scratch/fresh" "$ACME_HOME" ;;
	opens-certs) chmod 700 "$ACME_HOME/certs" ;;
	links-certs) rm "$ACME_HOME/certs"; mv "$ACME_HOME/gone" "$ACME_HOME/certs" ;;
	blocks-live) rmdir "$ACME_HOME/certs/$name.example/live" ;;
	esac
	exits 'the next run' 0 "$acme" issue -f "$name.example" "$@"
	ok 'is sound' sound "$name.example"
done <"$scratch/rows"
is 'others were not touched' "$(ls -lAR --time-style=full-iso "$victim"; cat "$victim/file")" "$before"
is 'a run of a hook for another name succeeds' "$(cat "$scratch/other")" 0
is 'a hook may list' "$(cat "$scratch/list" "$scratch/list.out")" '0
calls-list.example'

# --- 129: limits -----------------------------------------------------------------------------------------------

# as_user COMMAND...: as one who has no other processes, if we may.
user=64123
as_user()
{
	if [ "$(id -u)" -eq 0 ]; then
		setpriv --reuid="$user" --regid="$user" --clear-groups "$@"
	else
		"$@"
	fi
}

# limited OPTION: an issuance within that limit of prlimit ends with a status that
# the manual has, and the next run is sound.
cp "$acme" "$scratch/acme"
set -- "$scratch/acme" issue limited.example -s "$server" --ca-file "$ca" -c /bin/true -t http-01 --wait 0 \
	-r true --pre-hook true --hook-timeout 10 --timeout 20
limited()
{
	rm -rf "$scratch/limited"
	cp -a "$scratch/fresh" "$scratch/limited"
	ACME_HOME=$scratch/limited
	[ "$(id -u)" -ne 0 ] || chown -R "$user" "$ACME_HOME"
	limited_by=$1
	shift
	run as_user prlimit "$limited_by" "$@"
	case $status:$err in
	0:* | [134]:*acme:* | 69:*acme:* | 7[3568]:*acme:*) ;;
	*) return 1 ;;
	esac
	run as_user "$@"
	[ "$status" -eq 0 ] && matching limited.example
}
for limit in nproc=1 nproc=2 nofile=3 nofile=6 nofile=9 stack=65536 ${LONG:+nproc=3 nproc=4 nofile=4 nofile=5 nofile=7 nofile=8 nofile=10 nofile=11}; do
	ok "within $limit: an error or none, and the next run is sound" limited "--$limit" "$@"
done

# --- the same name from within ------------------------------------------------------------------------------------

# shellcheck disable=SC2086 # a list
wait $same_run
of same
is 'a hook that calls for the same name' "$status $(cat "$scratch/nested")" '0 75'
like 'is told that it has to wait' "$(cat "$scratch/nested.out")" 'another run is at work on this certificate'
ok 'and is no obstacle' sound same.example
done_testing
