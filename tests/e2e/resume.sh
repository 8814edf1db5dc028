#!/bin/sh
# Killed anywhere, the next run goes on with the same key and the same order.
# shellcheck disable=SC2154,SC2317 # variables of lib.sh; functions called by name
. "$(dirname "$0")/../lib.sh"

strace -o /dev/null true 2>/dev/null || skip_all 'strace may not trace here'
challtestsrv_start
free_port http_port
free_port tls_port
pebble_start quick PEBBLE_AUTHZREUSE=0 PEBBLE_WFE_NONCEREJECT=0

# standalone, and the end of acme in the call that KILL_IN names
cat >"$scratch/hook" <<-END
	#!/bin/sh
	[ "\$1" != "\${KILL_IN-}" ] || kill -KILL \$PPID
	exec "$acme" hook "standalone:$http_port" "\$@"
END
chmod 755 "$scratch/hook"
set -- -s "$server" --ca-file "$ca" -c "$scratch/hook" -t http-01
exits 'the account' 0 "$acme" account register -s "$server" --ca-file "$ca"

orders() { grep -c 'POST /order-plz' "$scratch/pebble.log"; }
public() { openssl pkey -in "$1" -pubout 2>/dev/null; }

# resumed NAME OPTION...: the next run has the key that was there, and a certificate for it
resumed()
{
	name=$1
	shift
	live=$ACME_HOME/certs/$name/live
	key=$(public "$ACME_HOME/certs/$name/pending/privkey.pem")
	run "$acme" issue "$name" "$@"
	[ "$status" -eq 0 ] && [ ! -e "$ACME_HOME/certs/$name/pending" ] &&
		[ "$(openssl x509 -in "$live/cert.pem" -noout -pubkey)" = "$(public "$live/privkey.pem")" ] &&
		[ "${key:-$(public "$live/privkey.pem")}" = "$(public "$live/privkey.pem")" ]
}

for method in begin 'done'; do
	before=$(orders)
	KILL_IN=$method exits "killed in $method" 137 "$acme" issue "$method.example.com" "$@"
	ok 'the next run goes on' resumed "$method.example.com" "$@"
	is 'with the one order' $(($(orders) - before)) 1
done
before=$(orders)
# shellcheck disable=SC2016 # for the hook to expand
exits 'killed before any challenge' 137 "$acme" issue pre.example.com "$@" --pre-hook 'kill -KILL $PPID'
ok 'the next run goes on' resumed pre.example.com "$@"
is 'with the one order' $(($(orders) - before)) 1
before=$(orders)
exits 'killed while the files are deployed' 137 "$acme" issue reload.example.com "$@" \
	-r "[ -e '$scratch/once' ] || { touch '$scratch/once'; kill -KILL \$PPID; }"
exits 'the next run only deploys' 0 "$acme" renew reload.example.com
is 'with the one order' $(($(orders) - before)) 1

# At each file that gets its name: n is the number of the rename, until a run
# has no more of them.  Only who is killed between the CA's answer and the file
# that remembers it may order twice.
n=0
while
	n=$((n + 1))
	name=n$n.example.com
	before=$(orders)
	run strace -o "$scratch/trace" -e trace=rename,renameat,renameat2 \
		-e inject=rename,renameat,renameat2:signal=KILL:when="$n" "$acme" issue "$name" "$@"
	[ "$status" -ne 0 ]
do
	last=$(sed -n 's/^rename.*"\([^"]*\)".*/\1/p' "$scratch/trace" | tail -n 1)
	want=1
	[ "$last" != order ] || want=2
	is "killed at rename $n, $last" "$status" 137
	ok 'the next run goes on' resumed "$name" "$@"
	is 'and nothing was ordered in vain' $(($(orders) - before)) $want
done
ok 'these were all' test $n -gt 8

# While what is left of a finished order is removed, which is the last thing
# that happens: nothing of it gets into the next one.
run strace -o "$scratch/trace" -e trace=unlinkat "$acme" issue u.example.com "$@"
all=$(grep -c ^unlinkat "$scratch/trace")
for n in $((all - 3)) $((all - 1)) $all; do
	name=u$n.example.com
	run strace -o "$scratch/trace" -e trace=unlinkat -e inject=unlinkat:signal=KILL:when="$n" "$acme" issue "$name" "$@"
	is "killed at removal $n of $all" "$status" 137
	live=$ACME_HOME/certs/$name/live
	key=$(public "$live/privkey.pem")
	exits 'the next run has nothing to do' 2 "$acme" issue "$name" "$@" -x
	exits 'a renewal is' 0 "$acme" renew -f "$name"
	ok 'one with a key of its own' test "$(public "$live/privkey.pem")" != "$key"
	ok 'and leaves nothing' test ! -e "$ACME_HOME/certs/$name/pending"
done

done_testing
