#!/bin/sh
# Options of issue and renew that no other test has: keys, days, serial, names,
# ready, fail and env; a dry run at the staging directory of a known CA, which
# is a Pebble behind a proxy.
# shellcheck disable=SC2154 # free_port sets its variables by name
. "$(dirname "$0")/../lib.sh"

tools=${TOOLS:-$root/build/tests/tool}
[ "${TOOLS-}" ] || make -s build/tests/tool/peer >"$scratch/make.log" 2>&1
challtestsrv_start
free_port http_port
free_port tls_port
staging='acme-staging-v02.api.letsencrypt.org'
ca_make
server_cert server $staging "DNS:$staging,DNS:localhost,IP:127.0.0.1"
pebble_start quick PEBBLE_AUTHZREUSE=0
set -- -s "$server" --ca-file "$ca" -c "standalone:$http_port"

public() { openssl pkey -in "$1" -pubout; }
key() { public "$ACME_HOME/certs/$1/live/privkey.pem"; }

exits 'a first certificate' 0 "$acme" issue a.example.com "$@"
first=$(key a.example.com)
exits 'renewed' 0 "$acme" renew -f a.example.com
ok 'it has a new key' test "$(key a.example.com)" != "$first"
exits '--reuse-key' 0 "$acme" issue a.example.com "$@" --reuse-key -f
first=$(key a.example.com)
exits 'renewed' 0 "$acme" renew -f a.example.com
is 'it has the same key' "$(key a.example.com)" "$first"
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out "$scratch/own.pem" 2>"$scratch/openssl.log"
exits '--key' 0 "$acme" issue k.example.com "$@" --key "$scratch/own.pem"
is 'is that key' "$(key k.example.com)" "$(public "$scratch/own.pem")"
exits "the account's own key is refused" 78 "$acme" issue l.example.com "$@" \
	--key "$(find "$ACME_HOME/accounts" -name key.pem)"
like 'and named' "$err" "account's key"
exits 'and not kept for the next run' 0 "$acme" issue l.example.com "$@"

exits 'another key type issues anew' 0 "$acme" issue -N rsa -k rsa2048 a.example.com "$@"
exits 'side by side with the first' 0 "$acme" list
like 'both are listed' "$out" '^rsa +a\.example\.com +rsa2048 '
exits 'the same again: nothing' 2 "$acme" issue -N rsa -k rsa2048 a.example.com "$@" -x
exits 'one name more: issued now' 0 "$acme" issue -N rsa -k rsa2048 a.example.com b.example.com "$@" -x
exits '--days beyond its life: due now' 0 "$acme" renew rsa --days 100 -x
exits 'without: not due' 2 "$acme" renew rsa -x
exits 'an unchanged certificate, other hook: conf only' 2 "$acme" issue a.example.com -s "$server" --ca-file "$ca" --reuse-key -c "tls-alpn:$tls_port" -x
like 'is kept' "$(cat "$ACME_HOME/certs/a.example.com/conf")" "^hook=tls-alpn:$tls_port\$"

exits '--serial, three names' 0 "$acme" issue s1.example.com s2.example.com s3.example.com "$@" --serial
# shellcheck disable=SC2016 # for the hooks to expand
printf '#!/bin/sh\nenv | grep -E "^(ACME_NAME|TOKEN|FILED)=" >%s; exit ${READY:-0}\n' "$scratch/ready.env" >"$scratch/ready"
# shellcheck disable=SC2016
printf '#!/bin/sh\necho "$*: $ACME_ERROR" >%s\n' "$scratch/failed" >"$scratch/fail"
chmod 755 "$scratch/ready" "$scratch/fail"
echo 'FILED=from a file' >"$scratch/env"
TOKEN="it's \"odd\"" exits '--ready-hook, -e, --env-file' 0 "$acme" issue r.example.com "$@" \
	--ready-hook "$scratch/ready" -e TOKEN --env-file "$scratch/env"
is 'it sees both variables' "$(sort "$scratch/ready.env" | tr '\n' ';')" "ACME_NAME=r.example.com;FILED=from a file;TOKEN=it's \"odd\";"
exits 'show masks values' 0 "$acme" show r.example.com
unlike 'of variables' "$out" 'odd|from a file'
exits '-vv shows no secret' 0 "$acme" issue -f -vv r.example.com
unlike 'of variables' "$err" 'odd|from a file'
exits 'a ready hook that fails' 3 "$acme" issue f.example.com "$@" --ready-hook "$scratch/ready" -e READY=7 --fail-hook "$scratch/fail"
like 'the fail hook is told' "$(cat "$scratch/failed")" '^failed f\.example\.com 3: ready-hook .*exit status 7'
exits 'renew waits after a failure' 75 "$acme" renew f.example.com
like 'and says until when' "$err" 'not tried again before 20'

# a dry run: letsencrypt's staging directory, through a proxy to an nginx that
# has Pebble's directory where letsencrypt's is
free_port proxy
front_start server "location = /directory { proxy_pass https://127.0.0.1:$pebble_port/dir; }
	location / { proxy_pass https://127.0.0.1:$pebble_port; }"
begin proxy "$proxy" "$tools/peer" "$proxy" proxy '' "$front"
files() { find "$ACME_HOME/certs" -print | sort; }
before=$(files)
exits 'a dry run needs a staging directory' 78 "$acme" issue -n d.example.com "$@"
exits 'a dry run asks the staging CA' 0 "$acme" issue -n d.example.com -s letsencrypt --ca-file "$ca" \
	-c "standalone:$http_port" --proxy "http://127.0.0.1:$proxy" -l "$scratch/fail"
like 'through the proxy' "$(cat "$scratch/proxy.log")" "^CONNECT $staging:443 "
like 'says that it succeeded' "$err" 'dry run succeeded'
is 'and keeps nothing' "$(files)" "$before"
exits 'the same for a renewal' 0 "$acme" renew -n a.example.com -s letsencrypt \
	--proxy "http://127.0.0.1:$proxy" -c "standalone:$http_port"
is 'which keeps nothing either' "$(files)" "$before"
openssl req -new -key "$scratch/own.pem" -subj / -addext subjectAltName=DNS:d.example.com -out "$scratch/d.csr"
exits 'one of all that an order can be' 0 "$acme" issue -n --csr "$scratch/d.csr" -s "$server" -s letsencrypt --ca-file "$ca" \
	-c "standalone:$http_port" --proxy "http://127.0.0.1:$proxy" -p default --not-after +20d --chain none
like 'at the first CA that has a staging directory' "$err" "$server failed - trying letsencrypt\$"
like 'tells of chains' "$err" 'none has an issuer called "none"'
exits 'and of profiles' 78 "$acme" issue -n d.example.com -s letsencrypt --ca-file "$ca" \
	-c "standalone:$http_port" --proxy "http://127.0.0.1:$proxy" -p none
like 'which there are' "$err" 'its profiles are: default$'
is 'nothing of these is kept' "$(files)" "$before"
done_testing
