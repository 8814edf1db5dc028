#!/bin/sh
# Against real Pebble with each of its knobs turned: refused nonces, reused
# authorizations, longer chains, Retry-After, validations that sleep as by default.
. "$(dirname "$0")/../lib.sh"

challtestsrv_start
webroot=$scratch/www
nginx_start
repeat=${LONG:+20}
: "${repeat:=3}"

# with NAME KNOB...: a Pebble of its own; sets server.
with()
{
	pebble_name=$1
	shift
	pebble_start "$@" -strict
	pebble_root
}

# issue NAME...: into a fresh home unless $kept.
issue()
{
	[ "${kept-}" ] || rm -rf "$ACME_HOME"
	run "$acme" issue "$@" -w "$webroot" -s "$server" --ca-file "$ca" -v
}

issued()
{
	is "$1" "$status" 0
	is "$1: nothing is left in the webroot" "$(find "$webroot" -type f)" ''
}

# requests KIND-OF-PATH: how many there were, as -v tells.
requests()
{
	printf '%s\n' "$err" | grep -Ec " (HEAD|GET|POST) .*/$1( |/)"
}

with nonces PEBBLE_VA_NOSLEEP=1 PEBBLE_WFE_NONCEREJECT=50 PEBBLE_AUTHZREUSE=0
i=0
while [ $((i += 1)) -le "$repeat" ]; do
	issue "n$i.example.com" "m$i.example.com"
	issued "every second nonce is refused, run $i"
	is 'one HEAD for each name is enough' "$(requests nonce-plz)" 2
done
stop nonces

with reused PEBBLE_VA_NOSLEEP=1 PEBBLE_AUTHZREUSE=100
issue r.example.com
issued 'a first certificate where authorizations are reused'
kept=1
issue r.example.com -f
issued 'and the second: its order is ready at once'
is 'no challenge is answered' "$(requests chalZ)" 0
issue r.example.com s.example.com
issued 'one name authorized, the other not'
is 'one challenge is answered' "$(requests chalZ)" 1
kept=
stop reused

with chain PEBBLE_VA_NOSLEEP=1 PEBBLE_CHAIN_LENGTH=3
issue c.example.com
issued 'three intermediates'
is 'all of them are in the chain' "$(grep -c BEGIN "$ACME_HOME/certs/c.example.com/live/chain.pem")" 3
ok 'which ends at the root' openssl verify -CAfile "$scratch/root.pem" \
	-untrusted "$ACME_HOME/certs/c.example.com/live/chain.pem" "$ACME_HOME/certs/c.example.com/live/cert.pem" >/dev/null
stop chain

# Seconds or a date, as Pebble pleases; an order is valid long before.
pebble_retry=3
with retry PEBBLE_VA_NOSLEEP=1 PEBBLE_WFE_NONCEREJECT=0
began=$(date +%s)
issue w.example.com
took=$(($(date +%s) - began))
issued 'Retry-After is 3'
ok "it is obeyed, and no longer: $took s" [ "$took" -le 12 ]
polls=$(requests my-order)
like "not one poll too many: $polls" "$polls" '^[2-5]$'
stop retry
pebble_retry=90
with absurd PEBBLE_VA_NOSLEEP=1
issue a.example.com --timeout 5
issued 'Retry-After beyond the time that is left'
stop absurd
pebble_retry=1

with asleep PEBBLE_WFE_NONCEREJECT=5
issue z.example.com y.example.com x.example.com
issued 'validations that sleep'

stop nginx
issue z2.example.com --timeout 30
is 'a validation that fails is the refusal of the CA' "$status" 1
like 'the line says which and why' "$err" 'validation of z2.example.com failed: [a-z]+: '
done_testing
