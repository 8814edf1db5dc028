#!/bin/sh
# dns-persist-01 by a record that stands: found by query, no hook needed.  In a
# network of its own, where the resolver is the challenge test server.
# shellcheck disable=SC2154 # variables of lib.sh
# shellcheck disable=SC2034 # read there
private_network=1
. "$(dirname "$0")/../lib.sh"

dns_port=53
resolv_conf 'nameserver 127.0.0.1'
challtestsrv_start
pebble_config='"caaIdentities": [ "first.example", "second.example" ],' pebble_start quick PEBBLE_AUTHZREUSE=0
set -- -s "$server" --ca-file "$ca" -t dns-persist-01

# record NAME VALUE
record() { challtestsrv set-txt "{\"host\":\"_validation-persist.$1.\",\"value\":\"$2\"}" >/dev/null; }

exits 'no hook and no record' 3 "$acme" issue a.example.com '*.b.example.com' "$@"
like 'the record to create is told' "$err" \
	'create this one: _validation-persist\.a\.example\.com\. IN TXT "first\.example; accounturi=https://[^ ;]+"$'
like 'of each name' "$err" \
	'create this one: _validation-persist\.b\.example\.com\. IN TXT "first\.example; accounturi=https://[^ ;]+; policy=wildcard"$'
printf '%s\n' "$err" | sed -n 's/.*: _validation-persist\.\(.*\)\. IN TXT "\(.*\)"$/\1=\2/p' >"$scratch/records"
while IFS='=' read -r name value; do
	record "$name" "$value"
done <"$scratch/records"
exits 'created' 0 "$acme" issue a.example.com '*.b.example.com' "$@" -v
like 'they are found' "$err" '_validation-persist\.a\.example\.com stands: no hook run'
is 'without a warning' "$(printf '%s\n' "$err" | grep -c 'no name server\|create')" 0
exits 'and serve again' 0 "$acme" renew -f a.example.com
is 'in silence' "$err" ''

account=$(sed -n 's/.*accounturi=\([^;]*\).*/\1/p' "$scratch/records" | head -n 1)
record c.example.com "second.example;policy=wildcard; x=y ;accounturi=$account; persistUntil=4000000000"
exits 'another issuer, more parameters' 0 "$acme" issue '*.c.example.com' "$@"
record d.example.com "first.example; accounturi=$account; persistUntil=1000000000"
exits 'one that has expired' 3 "$acme" issue d.example.com "$@"
record d.example.com "first.example; accounturi=$account"
exits 'beside one that has not' 0 "$acme" issue d.example.com "$@"
exits 'not for the wildcard' 3 "$acme" issue '*.d.example.com' "$@"

printf '#!/bin/sh\necho "$@" >>%s\nexit 1\n' "$scratch/hook.log" >"$scratch/hook"
chmod 755 "$scratch/hook"
exits 'a hook is not run where a record stands' 0 "$acme" issue -N hook a.example.com "$@" -c "$scratch/hook"
ok 'not at all' test ! -e "$scratch/hook.log"
exits 'but where none does' 3 "$acme" issue -N hook2 e.example.com "$@" -c "$scratch/hook"
like 'with the value' "$(cat "$scratch/hook.log")" '^begin dns-persist-01 e\.example\.com  first\.example; accounturi='

done_testing
