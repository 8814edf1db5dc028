#!/bin/sh
# hooks/nsupdate by itself, against a real BIND, under dash and busybox ash.
# shellcheck source=tests/lib.sh
# shellcheck disable=SC1010,SC2086,SC2317 # done is an argument; $shell is words; hook is called by name
. "$(dirname "$0")/../lib.sh"

command -v nsupdate >/dev/null || skip_all 'no nsupdate'
named_start
secret=$(sed -n 's/.*secret "\(.*\)";/\1/p' "$tsig_file")
one=lCM7cZyQXcVHK2nnW3jjAhNT3Fvm18UN-kWZZknKoYM
two=-CM7cZyQXcVHK2nnW3jjAhNT3Fvm18UN-kWZZknKo_-
unset NSUPDATE_PORT NSUPDATE_KEY NSUPDATE_TSIG NSUPDATE_ZONE NSUPDATE_TTL ACME_RECORD
NSUPDATE_SERVER=127.0.0.1#$dns_port
export NSUPDATE_SERVER
# Those who have no nsupdate of their own find the one that keeps its arguments.
mkdir "$scratch/bin"
cat >"$scratch/bin/nsupdate" <<END
#!/bin/sh
echo "\$*" >>"$scratch/arguments"
tee -a "$scratch/input" | exec $(command -v nsupdate) "\$@"
END
chmod 755 "$scratch/bin/nsupdate"
PATH=$scratch/bin:$PATH

# txt [OWNER]: its values, sorted, on one line
txt()
{
	dig +short @127.0.0.1 -p "$dns_port" "${1:-_acme-challenge.example.test}" TXT | sort | tr '\n' ' '
}

# hook METHOD IDENT VALUE, or with TYPE first
hook()
{
	$shell "$root/hooks/nsupdate" "$1" dns-01 "$2" token "$3"
}

for shell in dash 'busybox ash'; do
	command -v "${shell% *}" >/dev/null || continue
	: >"$scratch/arguments"
	NSUPDATE_KEY=$tsig_file
	export NSUPDATE_KEY
	exits "$shell: begin for a name" 0 hook begin example.test $one
	is 'says nothing' "$out$err" ''
	exits 'begin for its wildcard' 0 hook begin example.test $two
	is 'both values are there' "$(txt)" "\"$two\" \"$one\" "
	exits 'begin is repeatable' 0 hook begin example.test $two
	like 'the TTL is 60' "$(dig @127.0.0.1 -p "$dns_port" _acme-challenge.example.test TXT)" "[[:space:]]60[[:space:]]IN[[:space:]]TXT"
	exits 'done for the wildcard' 0 hook done example.test $two
	is 'takes its own value only' "$(txt)" "\"$one\" "
	exits 'failed for the name' 0 hook failed example.test $one
	is 'takes the other' "$(txt)" ''
	exits 'done a second time' 0 hook done example.test $one

	unset NSUPDATE_KEY
	NSUPDATE_SERVER=127.0.0.1 NSUPDATE_PORT=$dns_port NSUPDATE_ZONE=example.test NSUPDATE_TTL=5 \
	NSUPDATE_TSIG="hmac-sha256:acme-test:$secret" ACME_RECORD=_abc._acme-challenge.a.example.test \
		exits 'key, zone, port, TTL and record from the environment' 0 \
		$shell "$root/hooks/nsupdate" begin dns-account-01 a.example.test token $one
	unset NSUPDATE_ZONE NSUPDATE_TTL NSUPDATE_TSIG ACME_RECORD NSUPDATE_PORT
	NSUPDATE_SERVER=127.0.0.1#$dns_port
	is 'that record is made' "$(txt _abc._acme-challenge.a.example.test)" "\"$one\" "
	NSUPDATE_TSIG="hmac-sha256:acme-test:$secret" ACME_RECORD=_abc._acme-challenge.a.example.test \
		exits 'and removed' 0 $shell "$root/hooks/nsupdate" done dns-account-01 a.example.test token $one
	unset NSUPDATE_TSIG ACME_RECORD
	is 'entirely' "$(txt _abc._acme-challenge.a.example.test)" ''
	unlike 'no secret stood in an argument' "$(cat "$scratch/arguments")" "$secret"

	other=$(openssl rand -base64 32)
	for tsig in "hmac-sha256:acme-test:$other" "hmac-sha256:other:$secret"; do
		NSUPDATE_TSIG=$tsig exits 'a wrong key fails' 126 hook begin example.test $one
		unset NSUPDATE_TSIG
		like 'with what the server said' "$err" \
			'^nsupdate: cannot add TXT _acme-challenge\.example\.test: .*NOTAUTH\(BAD(SIG|KEY)\)'
		is 'in one line' "$(wc -l <"$scratch/err" | tr -d ' ')" 1
		unlike 'without the secret' "$err" "$other|$secret"
	done
	NSUPDATE_TSIG='hmac-sha256:acme-test:A/A' exits 'a key that is none fails' 126 hook begin example.test $one
	unset NSUPDATE_TSIG
	unlike 'and is not shown' "$err" 'A/A'
	exits 'no key at all fails' 126 hook begin example.test $one
	like 'with what the server said' "$err" 'REFUSED'
	NSUPDATE_KEY=$scratch/missing exits 'a missing key file fails' 126 hook begin example.test $one
	unset NSUPDATE_KEY
	like 'and is named' "$err" "$scratch/missing"
	NSUPDATE_KEY=$tsig_file exits 'another zone fails' 126 hook begin example.invalid $one
	unset NSUPDATE_KEY

	: >"$scratch/input"
	for type in http-01 tls-alpn-01 dns-persist-01 dns-account-01; do
		exits "$type is declined" 1 $shell "$root/hooks/nsupdate" begin $type example.test token $one
	done
	exits 'an unknown method is declined' 1 hook prepare example.test $one
	exits 'four arguments are wrong' 126 $shell "$root/hooks/nsupdate" begin dns-01 example.test token
	exits 'a value with a quote fails' 126 hook begin example.test 'a"b'
	exits 'a value of two lines fails' 126 hook begin example.test "$one
update delete example.test A"
	exits 'a name of two words fails' 126 hook begin 'example.test 1 IN A 192.0.2.1' $one
	NSUPDATE_TTL='60 IN' exits 'a TTL of two words fails' 126 hook begin example.test $one
	unset NSUPDATE_TTL
	NSUPDATE_ZONE='a b' exits 'a zone of two words fails' 126 hook begin example.test $one
	unset NSUPDATE_ZONE
	NSUPDATE_SERVER='a b' exits 'a server of two words fails' 126 hook begin example.test $one
	NSUPDATE_SERVER=127.0.0.1#$dns_port
	NSUPDATE_TSIG=name:secret exits 'a key of two parts fails' 126 hook begin example.test $one
	unset NSUPDATE_TSIG
	is 'none of these was sent' "$(cat "$scratch/input")" ''
done
done_testing
