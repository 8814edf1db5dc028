#!/bin/sh
# Several CAs: the next is tried when one fails for a reason of its own, and
# the one that worked is remembered.
# shellcheck disable=SC2154 # variables of lib.sh
# shellcheck disable=SC2034 # read there
. "$(dirname "$0")/../lib.sh"

challtestsrv_start
free_port http_port
free_port tls_port
free_port dead_port
dead=https://localhost:$dead_port/dir
pebble_config='"domainBlocklist": [ "blocked.example" ],' pebble_start quick PEBBLE_AUTHZREUSE=0
blocks=$server
pebble_name=eab pebble_config='"externalAccountBindingRequired": true, "externalAccountMACKeys": { "kid": "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W" },' \
	pebble_start quick
eab=$server
pebble_name=good pebble_config='' pebble_profiles='"special": { "description": "", "validityPeriod": 518400 }' \
	pebble_start quick PEBBLE_AUTHZREUSE=0
good=$server
set -- --ca-file "$ca" -c "standalone:$http_port"

orders() { grep -c 'POST /order-plz' "$scratch/$1.log"; }
from() { sed -n 's/^server=//p' "$ACME_HOME/certs/$1/renewal"; }

exits 'the first is dead' 0 "$acme" issue a.example.com "$@" -s "$dead" -s "$good"
like 'which is told' "$err" "^acme: a.example.com: $dead failed - trying $good\$"
is 'the other worked' "$(from a.example.com)" "$good"
exits 'renewed' 0 "$acme" renew -f a.example.com
is 'it is tried first from then on' "$err" ''
exits 'the same list turned round is nothing new' 2 "$acme" issue a.example.com "$@" -s "$good" -s "$dead" -x
exits 'nor a list with one more' 2 "$acme" issue a.example.com "$@" -s "$dead" -s "$eab" -s "$good" -x
exits 'a list without it is' 0 "$acme" issue a.example.com "$@" -s "$blocks" -x
is 'and issued there' "$(from a.example.com)" "$blocks"

exits 'the first refuses the name' 0 "$acme" issue x.blocked.example "$@" -s "$blocks" -s "$good"
like 'and says why' "$err" 'rejectedIdentifier'
exits 'the first wants a binding' 0 "$acme" issue b.example.com "$@" -s "$eab" -s "$good"
like 'and says so' "$err" 'binding'
exits 'the first lacks the profile' 0 "$acme" issue c.example.com "$@" -s "$blocks" -s "$good" -p special
like 'and says so too' "$err" 'no profile special'
exits 'three, two of no use' 0 "$acme" issue y.blocked.example "$@" -s "$dead" -s "$blocks" -s "$good"
is 'each is told of' "$(grep -c ' failed - trying ' "$scratch/err")" 2
exits 'all fail: the status is that of the last' 69 "$acme" issue z.blocked.example "$@" -s "$blocks" -s "$dead"
unlike 'after which nothing is tried' "$err" "$dead failed"

before=$(orders good)
printf '#!/bin/sh\nexit 0\n' >"$scratch/lazy"
printf '#!/bin/sh\nexit 1\n' >"$scratch/declines"
chmod 755 "$scratch/lazy" "$scratch/declines"
exits 'a challenge that fails is no reason' 1 "$acme" issue d.example.com --ca-file "$ca" -c "$scratch/lazy" -t http-01 -s "$blocks" -s "$good"
exits 'nor a hook that declines' 3 "$acme" issue e.example.com --ca-file "$ca" -c "$scratch/declines" -s "$blocks" -s "$good"
is 'nothing was ordered at the other' "$(orders good)" "$before"

# an order that is under way is gone on with where it is
# shellcheck disable=SC2016 # for the hook
printf '#!/bin/sh\n[ "$1" != begin ] || kill -KILL $PPID\n' >"$scratch/kills"
chmod 755 "$scratch/kills"
exits 'killed' 137 "$acme" issue f.example.com --ca-file "$ca" -c "$scratch/kills" -s "$dead" -s "$good"
before=$(orders good)
exits 'gone on with' 0 "$acme" issue f.example.com "$@" -s "$dead" -s "$good"
is 'at the same server' "$err" ''
is 'in the same order' "$(orders good)" "$before"

done_testing
