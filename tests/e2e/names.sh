#!/bin/sh
# How a CA is found, and what if it is not (faults.md 28-33): the program in a
# network of its own, with a name server (tests/ca/names.py) that answers as its table says.
# shellcheck disable=SC2034,SC2154 # variables of lib.sh
private_network=1
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

ca_make
server_cert server localhost 'DNS:localhost,DNS:*.test'
echo "row(28, 'a CA')" >"$scratch/table"
free_port ca_port
begin ca "$ca_port" /usr/bin/python3 tests/ca/server.py "$ca_port" "$scratch" "$scratch/table"
begin names 53 /usr/bin/python3 tests/ca/names.py "$ca_port"
resolv_conf 'nameserver 127.0.0.1' 'options timeout:1 attempts:2'

# ask NAME [OPTION...]: an account at the CA of that name; in the background, as it is mostly waiting
asked=
ask()
{
	asked_name=$1
	shift
	{
		begun=$(date +%s)
		ACME_HOME=$scratch/home-$asked_name "$acme" account register -s "https://$asked_name.test:$ca_port/001/dir" \
			--ca-file "$ca" --timeout 4 "$@" >"$scratch/$asked_name.out" 2>"$scratch/$asked_name.err"
		echo "$? $(($(date +%s) - begun))" >"$scratch/$asked_name.got"
	} </dev/null 3>&- &
	asked="$asked $!"
}

# told NAME STATUS PATTERN TEXT: how that went: one line, in time
told()
{
	read -r status took <"$scratch/$1.got"
	err=$(cat "$scratch/$1.err") ran="account register at $1.test"
	is "$4: $1" "$status" "$2"
	like "$4: $1: what is said" "$err" "$3"
	is "$4: $1: in one line" "$(printf '%s\n' "$err" | grep -c .)" 1
	ok "$4: $1: in time ($took s)" test "$took" -le 20
}

for name in good nothing none servfail refused silent many alldead swallowed swallows hundreds garbage short loop; do
	ask $name
done
ask six
ask four -6
# shellcheck disable=SC2086 # a list
wait $asked

cannot='^acme: (.*: )?connecting to [a-z]+\.test port [0-9]+: cannot resolve [a-z]+\.test: '
connecting='^acme: (.*: )?connecting to [a-z]+\.test port [0-9]+: '
told good 0 'registered an account' '28 a name'
told none 69 "${cannot}no such host" '28 NXDOMAIN'
told nothing 69 "${cannot}it has no address" '28 no address'
told servfail 69 "${cannot}.*SERVFAIL" '28 SERVFAIL'
told refused 69 "${cannot}.*REFUSED" '28 REFUSED'
told silent 69 "${cannot}(no answer from the name servers|timed out)" '28 silence'
told garbage 69 "$cannot" '28 no DNS message'
told short 69 "$cannot" '28 an address of three bytes'
told loop 69 "$cannot" '28 an alias of itself'
told many 0 'registered an account' '29 twenty addresses of each kind, the first of them dead, over TCP'
told swallowed 0 'registered an account' '29 two that swallow before it'
told alldead 69 "${connecting}Connection refused" '30 all refuse'
told swallows 69 "${connecting}timed out" '30 all swallow'
told hundreds 69 "${connecting}Connection refused" '29 two hundred addresses'
told four 69 "${cannot}it has no IPv6 address" '33 no address of the family that is wanted'
if grep -q ' lo$' /proc/net/if_inet6 2>/dev/null; then
	told six 0 'registered an account' '33 IPv6 only'
else
	skip '33 IPv6 only' 'no IPv6 here'
fi
done_testing
