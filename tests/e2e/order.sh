#!/bin/sh
# What an order can be: profiles, chains, validity, addresses, records of DNS by
# a hook, and what a certificate replaces.
# shellcheck disable=SC2154 # variables of lib.sh
# shellcheck disable=SC2034 # read there
. "$(dirname "$0")/../lib.sh"

challtestsrv_start
free_port http_port
free_port tls_port
pebble_profiles='"long": { "description": "ninety days", "validityPeriod": 7776000 },
	"short": { "description": "six days", "validityPeriod": 518400 }'
pebble_config='"caaIdentities": [ "first.example", "second.example" ],'
pebble_start quick PEBBLE_AUTHZREUSE=0 PEBBLE_ALTERNATE_ROOTS=2 PEBBLE_CHAIN_LENGTH=3 -strict
set -- -s "$server" --ca-file "$ca" -c "standalone:$http_port"

live() { echo "$ACME_HOME/certs/$1/live"; }
orders() { grep -c 'POST /order-plz' "$scratch/pebble.log"; }
# days NAME: of validity
days()
{
	start=$(date -d "$(openssl x509 -in "$(live "$1")/cert.pem" -noout -startdate | cut -d= -f2)" +%s)
	end=$(date -d "$(openssl x509 -in "$(live "$1")/cert.pem" -noout -enddate | cut -d= -f2)" +%s)
	echo $(((end - start + 43200) / 86400))
}

# profiles
exits '--profile' 0 "$acme" issue p.example.com "$@" -p short
is 'has its validity' "$(days p.example.com)" 6
before=$(orders)
exits 'a profile that is not listed' 78 "$acme" issue q.example.com "$@" -p none
like 'the listed ones are named' "$err" 'no profile none.*: (long short|short long)$'
is 'and nothing is ordered' "$(orders)" "$before"
exits 'another profile' 0 "$acme" issue p.example.com "$@" -p long -x
is 'issues anew' "$(days p.example.com)" 90

# chains; from here on one profile, as Pebble takes any if it is not told
set -- "$@" -p long
for i in 0 1 2; do
	curl -fsS --cacert "$ca" -o "$scratch/root$i.pem" "$management/roots/$i"
done
cn() { openssl x509 -in "$1" -noout -"$2" -nameopt multiline | sed -n 's/^ *commonName *= *//p'; }
for i in 0 1 2; do
	root=$(cn "$scratch/root$i.pem" subject)
	exits "--chain, root $i" 0 "$acme" issue c.example.com "$@" --chain "$root"
	ok 'ends there' openssl verify -CAfile "$scratch/root$i.pem" -untrusted "$(live c.example.com)/chain.pem" "$(live c.example.com)/cert.pem" >/dev/null
done
openssl x509 -in "$(live c.example.com)/chain.pem" -out "$scratch/issuer.pem"
exits '--chain, an issuer' 0 "$acme" issue c.example.com "$@" --chain "$(cn "$scratch/issuer.pem" subject)"
is 'without a warning' "$err" ''
exits '--chain, nobody' 0 "$acme" issue c.example.com "$@" --chain 'No Such CA'
like 'the default is taken and all are named' "$err" "default.*\"No Such CA\".*\"$(cn "$scratch/root0.pem" subject)\".*\"$root\""
ok 'the default it is' openssl verify -CAfile "$scratch/root0.pem" -untrusted "$(live c.example.com)/chain.pem" "$(live c.example.com)/cert.pem" >/dev/null

# validity
exits '--not-before, --not-after' 0 "$acme" issue v.example.com "$@" \
	--not-before 2026-01-31T12:00:00Z --not-after 2036-02-10T12:00:00Z
is 'are as asked for' "$(openssl x509 -in "$(live v.example.com)/cert.pem" -noout -dates | tr '\n' ' ')" \
	'notBefore=Jan 31 12:00:00 2026 GMT notAfter=Feb 10 12:00:00 2036 GMT '
exits 'the wrong way round' 64 "$acme" issue v.example.com "$@" --not-before +2d --not-after +1d

# addresses
exits 'an address by http-01' 0 "$acme" issue 127.0.0.1 "$@"
exits 'an address by tls-alpn-01' 0 "$acme" issue -s "$server" --ca-file "$ca" -p long -N alpn -c "tls-alpn:$tls_port" 127.0.0.1
like 'it is an address in the certificate' "$(openssl x509 -in "$(live alpn)/cert.pem" -noout -ext subjectAltName)" 'IP Address:127\.0\.0\.1$'

# records of DNS
cat >"$scratch/dns" <<-END
	#!/bin/sh
	case \$2 in dns-*) ;; *) exit 1 ;; esac
	case \$1 in begin) what=set-txt ;; *) what=clear-txt ;; esac
	echo "\$1 \$2 \$3 \$4 \$5 \$ACME_RECORD" >>"$scratch/dns.log"
	exec curl -fsS -d "{\"host\":\"\$ACME_RECORD.\",\"value\":\"\$5\"}" "http://127.0.0.1:$challtestsrv_port/\$what"
END
chmod 755 "$scratch/dns"
set -- -s "$server" --ca-file "$ca" -c "$scratch/dns" --wait 0 -p long
exits 'dns-account-01' 0 "$acme" issue a.example.com '*.a.example.com' "$@" -t dns-account-01
like 'at its record' "$(cat "$scratch/dns.log")" '^begin dns-account-01 a.example.com [A-Za-z0-9_-]+ [A-Za-z0-9_-]{43} _[a-z2-7]{16}\._acme-challenge\.a\.example\.com$'
: >"$scratch/dns.log"
exits 'dns-persist-01' 0 "$acme" issue b.example.com '*.b.example.com' "$@" -t dns-persist-01
like 'at its record' "$(cat "$scratch/dns.log")" '^begin dns-persist-01 b.example.com  first.example; accounturi=https://[^; ]+ _validation-persist\.b\.example\.com$'
like 'with a policy for the wildcard' "$(cat "$scratch/dns.log")" '^begin dns-persist-01 b.example.com  first.example; accounturi=https://[^; ]+; policy=wildcard _validation-persist\.b\.example\.com$'
is 'and taken down' "$(grep -c '^done' "$scratch/dns.log")" 2

# what it replaces
exits 'renewed' 0 "$acme" renew -f -vv a.example.com
like 'in place of the one before' "$err" '"replaces":"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+"'
cp -a "$ACME_HOME/certs/a.example.com" "$scratch/kept"
exits 'again' 0 "$acme" renew -f a.example.com
rm -r "$ACME_HOME/certs/a.example.com"
mv "$scratch/kept" "$ACME_HOME/certs/a.example.com"
exits 'one that is replaced already' 0 "$acme" renew -f -v a.example.com
like 'is ordered without that' "$err" 'once more, without replaces'
exits 'other names' 0 "$acme" issue -N a.example.com z.example.com "$@" -t dns-01 -vv
unlike 'replace nothing' "$err" '"replaces"'

done_testing
