#!/bin/sh
# An RSA key takes seconds to make, on a router minutes: meanwhile a stop signal
# ends the program at once, and leaves nothing behind; a terminal sees a line.
. "$(dirname "$0")/../lib.sh"

env --default-signal true 2>/dev/null || skip_all 'env knows no --default-signal'

# stopped SIGNAL DELAY COMMAND...: COMMAND (with -v) gets SIGNAL so long after it
# began to make a key.  Sets status, and took: milliseconds until it was gone.
stopped()
{
	sig=$1 delay=$2
	shift 2
	ran=$*
	env --default-signal "$@" >"$scratch/out" 2>"$scratch/err" </dev/null 3>&- &
	pid=$!
	turns=0
	until grep -q 'making a key: rsa' "$scratch/err" || [ $turns -ge 100 ]; do
		turns=$((turns + 1))
		sleep 0.05
	done
	sleep "$delay"
	since=$(date +%s%N)
	kill -"$sig" $pid
	status=0
	wait $pid 2>/dev/null || status=$?
	took=$((($(date +%s%N) - since) / 1000000))
}

# What makes 4096 bits in less than the delay is no test: it is tried again.
hit()
{
	for attempt in 1 2 3 4 5; do
		[ "$attempt" -eq 1 ] || diag "attempt $attempt"
		rm -rf "$scratch/key" "$ACME_HOME"
		stopped "$@"
		[ $status -eq 0 ] || break
	done
}

slowest=0
for signal in INT:2 TERM:15 HUP:1; do
	for delay in 0 0.1 0.4 1; do
		hit ${signal%:*} $delay "$acme" csr -v a.example -k rsa4096 --key "$scratch/key"
		is "SIG${signal%:*} $delay s into making a key" $status $((128 + ${signal#*:}))
		is 'leaves no key' "$(ls "$scratch/key" "$scratch/out" 2>/dev/null; cat "$scratch/out")" "$scratch/out"
		[ "$took" -le "$slowest" ] || slowest=$took
	done
done
diag "at most $slowest ms from the signal to the end"
ok 'the end comes within a second' test "$slowest" -lt 1000

# shellcheck disable=SC2016 # for the inner shell
exits 'a signal that was ignored stays so' 0 sh -c 'trap "" HUP
	"$0" csr -v a.example -k rsa2048 --key "$1" & kid=$!
	until [ -s "$2" ]; do sleep 0.02; done
	kill -HUP $kid; wait $kid' "$acme" "$scratch/key" "$scratch/err"
ok 'and the key is made' openssl rsa -in "$scratch/key" -check -noout 2>"$scratch/openssl.log"

challtestsrv_start
free_port http_port
pebble_start quick PEBBLE_AUTHZREUSE=0 PEBBLE_WFE_NONCEREJECT=0
set -- a.example.com -c "standalone:$http_port" -s "$server" --ca-file "$ca"
hit TERM 0.3 "$acme" issue -v "$@" -k rsa4096
is 'an issuance is ended, too' $status 143
ok 'at once' test "$took" -lt 1000
is 'without a word' "$(grep -v 'making a key' "$scratch/err")" ''
is 'no file is half written' "$(find "$ACME_HOME" -name '*.pem' -o -name '*.new*' -o -name '.*')" ''
hit TERM 0.3 "$acme" issue -v "$@" --account-key-type rsa4096
is 'so is a registration' $status 143
exits 'the next run finds no lock' 0 "$acme" issue "$@"

rm -f "$scratch/key"
if script -qec true /dev/null >/dev/null 2>&1 </dev/null; then
	script -qec "'$acme' csr a.example -k rsa3072 --key '$scratch/key' >/dev/null" /dev/null >"$scratch/terminal" </dev/null
	like 'on a terminal a line tells what takes so long' "$(cat "$scratch/terminal")" 'making a key, 0 s'
	is 'and is wiped' "$(tail -c 4 "$scratch/terminal" | od -An -c | tr -d ' ')" '\r033[K'
else
	skip 'on a terminal a line tells what takes so long' 'script is missing'
fi
done_testing
