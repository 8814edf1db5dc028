#!/bin/sh
# Accounts at a real CA: external account binding, adoption of a key, labels,
# update, key change with all its ends, deactivation; revocation, seen at
# Pebble's management port.
# shellcheck disable=SC2154 # free_port sets its variables by name
. "$(dirname "$0")/../lib.sh"

tools=${TOOLS:-$root/build/tests/tool}
[ "${TOOLS-}" ] || make -s build/tests/tool/peer >"$scratch/make.log" 2>&1
challtestsrv_start
pebble_config='"caaIdentities": ["ca.example", "ca2.example"],'
pebble_start quick PEBBLE_AUTHZREUSE=0 PEBBLE_WFE_NONCEREJECT=20
plain=$server plain_management=$management plain_port=$pebble_port
secret=$(openssl rand 48 | base64 -w 0)
urlsafe=$(printf %s "$secret" | tr '+/' '-_')
pebble_config='"externalAccountBindingRequired": true, "externalAccountMACKeys": { "kid-1": "'$urlsafe'" },'
pebble_name=bound pebble_start quick PEBBLE_AUTHZREUSE=0 PEBBLE_WFE_NONCEREJECT=20
bound=$server

# at SERVER COMMAND...: acme there
# shellcheck disable=SC2317 # run by exits
at()
{
	at_server=$1
	shift
	"$acme" "$@" -s "$at_server" --ca-file "$ca"
}
# value KEY: of the lines last printed
value() { printf '%s\n' "$out" | sed -n "s/^$1: //p"; }
public() { openssl pkey -in "$1" -pubout; }
files() { (cd "$ACME_HOME" && find accounts trash -type f 2>/dev/null | sort); }

# --- external account binding
exits 'a CA that wants a binding, and none given' 78 at "$bound" account register
like 'says so' "$err" 'needs an external account binding: --eab-kid ID and --eab-key FILE'
is 'and nothing is left' "$(files)" ''
exits 'the same for issue' 78 at "$bound" issue a.example.com -c "standalone:$http_port"
printf '  %s\r\n' "$secret" >"$scratch/eab"
exits 'half a binding' 64 at "$bound" account register --eab-key "$scratch/eab"
openssl rand 48 | base64 -w 0 >"$scratch/wrong"
exits 'a wrong key' 1 at "$bound" account register --account wrong --eab-kid kid-1 --eab-key "$scratch/wrong"
unlike 'which is not shown' "$err" "$(cut -c 1-20 "$scratch/wrong")"
exits 'an unknown key id' 1 at "$bound" account register --account wrong --eab-kid kid-2 --eab-key "$scratch/eab"
for junk in 'no base64 !' 'c2hvcnQ='; do
	printf %s "$junk" >"$scratch/junk"
	exits "a key that is '$junk'" 78 at "$bound" account register --account wrong --eab-kid kid-1 --eab-key "$scratch/junk"
	like 'is named' "$err" 'binding key in .*junk is (not base64|too short)'
done
exits 'a key file that is missing' 78 at "$bound" account register --account wrong --eab-kid kid-1 --eab-key "$scratch/none"
exits 'from a file, base64 with space around it' 0 at "$bound" account register --eab-kid kid-1 --eab-key "$scratch/eab" -vv
unlike 'the key is not shown' "$err" "$(printf %s "$secret" | cut -c 1-20 | sed 's/[+]/[+]/g')"
url=$out
exits 'registered again: no binding is needed' 0 at "$bound" account register
is 'it is the same account' "$out" "$url"
printf %s "$urlsafe" >"$scratch/eab"
exits 'base64url' 0 at "$bound" account register --account two --eab-kid kid-1 --eab-key "$scratch/eab"
ok 'another label is another account' test "$out" != "$url"
# shellcheck disable=SC2016 # for that shell to expand
exits 'from standard input' 0 sh -c 'printf %s "$1" | "$2" account register --account three -s "$3" --ca-file "$4" --eab-kid kid-1 --eab-key -' - "$secret" "$acme" "$bound" "$ca"
exits 'from the environment, by issue' 0 env ACME_EAB_KID=kid-1 ACME_EAB_KEY="$secret" \
	"$acme" issue e.example.com --account four -s "$bound" --ca-file "$ca" -c "standalone:$http_port" --pre-hook "env >$scratch/hook.env"
unlike 'hooks do not see it' "$(cat "$scratch/hook.env")" 'EAB'

# --- known CAs: before any request (a proxy that nobody is at)
free_port nobody
exits 'sslcom wants binding and mail' 78 "$acme" account register -s sslcom --proxy "http://127.0.0.1:$nobody"
like 'and says both' "$err" 'sslcom needs an external account binding: .*, and a mail address'
exits 'by URL too' 78 "$acme" issue x.example -c standalone -s https://acme.ssl.com/sslcom-dv-rsa --proxy "http://127.0.0.1:$nobody"
like 'it is known' "$err" 'sslcom needs'
exits 'zerossl wants a mail address' 78 "$acme" account register -s zerossl --proxy "http://127.0.0.1:$nobody"
like 'or a binding' "$err" 'needs a mail address.* or --eab-kid'
exits 'with one it is asked' 69 "$acme" account register -s zerossl -m a@b.example --proxy "http://127.0.0.1:$nobody"
exits 'buypass has ended' 64 "$acme" account register -s buypass

# --- register, show, update
exits 'RSA' 0 at "$plain" account register --account rsa --account-key-type rsa2048
exits 'P-384' 0 at "$plain" account register --account p384 --account-key-type ec384
exits 'is used' 0 at "$plain" issue p.example.com --account p384 -c "standalone:$http_port"
exits 'register' 0 at "$plain" account register -m a@b.example
url=$out
exits 'show' 0 at "$plain" account
is 'its URL' "$(value url)" "$url"
is 'contact' "$(value contact)" 'mailto:a@b.example'
key=$(value key)
ok 'and where the key is' test -f "$key"
thumbprint=$(value thumbprint)
exits 'show NAME' 0 at "$plain" account show www.example.com -t dns-01,http-01
like 'has the CAA record' "$out" "^www\\.example\\.com\\. CAA 0 issue \"ca2\\.example; accounturi=$url; validationmethods=dns-01,http-01\"\$"
like 'and the TXT record' "$out" "^_validation-persist\\.www\\.example\\.com\\. TXT \"ca\\.example; accounturi=$url\"\$"
exits 'of a wildcard' 0 at "$plain" account show '*.example.com' -j
like 'as JSON: contacts' "$out" '^\{"url":"[^"]*","status":"valid","contact":\["mailto:a@b.example"\],'
like 'CAA records' "$out" ",\"caa\":\[\"example\.com\. CAA 0 issuewild \\\\\"ca\.example; accounturi=$url; validationmethods=dns-01\\\\\"\",\"example"
like 'TXT records' "$out" ",\"_validation-persist\.example\.com\. TXT \\\\\"ca2\.example; accounturi=$url; policy=wildcard\\\\\"\"\]\}\$"
exits 'an address has none' 64 at "$plain" account show 192.0.2.1
exits 'update' 0 at "$plain" account update -m c@d.example
exits 'without anything to say' 0 at "$plain" account update
exits 'show' 0 at "$plain" account
is 'the contact is the new one' "$(value contact)" 'mailto:c@d.example'
exits 'no contact' 0 at "$plain" account update -m none
exits 'show' 0 at "$plain" account
is 'none is left' "$(value contact)" ''

# --- adoption
exits 'there is another key: not adopted' 78 at "$plain" account register --key "$scratch/server.key"
like 'it says how to go on' "$err" 'account LABEL adopts this one beside it'
before=$(files)
exits 'the CA does not know it: not adopted' 1 at "$plain" account register --account own --key "$scratch/server.key"
is 'and nothing is left' "$(files)" "$before"
cp "$key" "$scratch/key.pem"
exits 'adopted' 0 at "$plain" account register --account own --key "$scratch/key.pem"
is 'it is that account' "$out" "$url"
exits 'again' 0 at "$plain" account register --account own --key "$scratch/key.pem"

# --- key change
exits 'rollover' 0 at "$plain" account rollover
exits 'show' 0 at "$plain" account
is 'the account is the same' "$(value url)" "$url"
ok 'the key is another' test "$(value thumbprint)" != "$thumbprint"
is 'the old key is kept' "$(public "$key.old")" "$(public "$scratch/key.pem")"
ok 'and nothing else' test ! -e "$key.next"
exits 'the account of the old key is gone' 1 at "$plain" account show --account own
like 'and that is said' "$err" 'acme account register registers its key again'
exits 'to another type' 0 at "$plain" account rollover --account-key-type rsa2048
exits 'a certificate' 0 at "$plain" issue a.example.com -c "standalone:$http_port"
exits 'to a key of the own' 0 at "$plain" account rollover --key "$scratch/server.key"
exits 'and a renewal' 0 at "$plain" renew -f a.example.com
exits 'the same key again' 78 at "$plain" account rollover --key "$scratch/server.key"
exits 'another' 0 at "$plain" account rollover
exits 'show' 0 at "$plain" account
thumbprint=$(value thumbprint)
exits 'to a key that another account has' 1 at "$plain" account rollover \
	--key "$(find "$ACME_HOME/accounts" -path '*,p384/key.pem')"
like 'which Pebble does not say' "$err" 'another account at the CA has that key - the old key stays'
exits 'show' 0 at "$plain" account
is 'the key is the old one' "$(value thumbprint)" "$thumbprint"
ok 'the next one does not stand in the way' test ! -e "$key.next"

# cut off: with the next key on disk, and nothing sent; and when the CA has made
# the change, before the old key was kept, and before the next one took its place
# shellcheck disable=SC2317 # run by exits
cut_off()
{
	strace -f -o "$scratch/strace" -e trace="$1" -e inject="$1:signal=SIGKILL:when=$2" \
		"$acme" account rollover -s "$plain" --ca-file "$ca"
}
exits 'a key change before it' 0 strace -f -o "$scratch/strace" -e trace=rename,renameat,renameat2,fsync \
	"$acme" account rollover -s "$plain" --ca-file "$ca"
is 'renames three times' "$(grep -c 'rename.*key\.pem' "$scratch/strace")" 3
call=$(sed -n 's/.* \(rename[a-z0-9]*\)(.*"key\.pem\.next").*/\1/p' "$scratch/strace" | head -n 1)
exits 'show' 0 at "$plain" account
thumbprint=$(value thumbprint)
exits 'killed before the request' 137 cut_off fsync 2
ok 'the next key is there' test -f "$key.next"
exits 'the next run' 0 at "$plain" renew -f a.example.com
like 'finds out' "$err" 'key change .* cut off was not made'
exits 'show' 0 at "$plain" account
is 'the key is the old one' "$(value thumbprint)" "$thumbprint"
for when in 2 3; do
	exits "killed after it, at rename $when" 137 cut_off "$call" $when
	ok 'the next key is there' test -f "$key.next"
	next=$(public "$key.next")
	exits 'the next run' 0 at "$plain" renew -f a.example.com
	like 'finds out' "$err" 'key change .* cut off was made'
	is 'the next key is the key' "$(public "$key")" "$next"
	ok 'nothing stands in the way' test ! -e "$key.next"
	exits 'show' 0 at "$plain" account
	is 'it is the same account' "$(value url)" "$url"
done

# --- a CA that has lost all accounts
stop pebble
server=$plain
begin pebble "$plain_port" env PEBBLE_VA_NOSLEEP=1 PEBBLE_AUTHZREUSE=0 pebble -config "$scratch/pebble.json" -dnsserver "127.0.0.1:$dns_port"
exits 'a stored account is unknown' 1 at "$plain" renew -f a.example.com
like 'it says what to do' "$err" 'acme account register registers its key again'
next=$(public "$key")
exits 'register' 0 at "$plain" account register
is 'the key is the same' "$(public "$key")" "$next"
rm -r "$ACME_HOME/certs/a.example.com"

# --- revocation
status_of() { curl -fsS --cacert "$ca" "$plain_management/cert-status-by-serial/$(openssl x509 -in "$1" -noout -serial | cut -d = -f 2)"; }
live() { echo "$ACME_HOME/certs/$1/live"; }
for name in name file key; do
	exits "a certificate to be revoked by $name" 0 at "$plain" issue "$name.example.com" -c "standalone:$http_port"
done
cp "$(live file.example.com)/fullchain.pem" "$scratch/file.pem"
exits 'by name, at the CA that it came from' 0 "$acme" revoke name.example.com --ca-file "$ca" --reason superseded
like 'the CA knows' "$(status_of "$(live name.example.com)/cert.pem")" '"Status": ?"Revoked"'
like 'and why' "$(status_of "$(live name.example.com)/cert.pem")" '"Reason": ?4'
exits 'again is success' 0 "$acme" revoke name.example.com
like 'and said' "$err" 'already'
exits 'by file: it is one of ours, so the CA is known' 0 "$acme" revoke "$scratch/file.pem"
like 'the CA knows' "$(status_of "$scratch/file.pem")" 'Revoked'
exits 'by another key: refused' 1 "$acme" revoke key.example.com --cert-key "$scratch/server.key"
unlike 'the CA has it still' "$(status_of "$(live key.example.com)/cert.pem")" 'Revoked'
exits 'by its key, without the account' 0 "$acme" revoke key.example.com --cert-key "$(live key.example.com)/privkey.pem" --reason keyCompromise
like 'the CA knows why' "$(status_of "$(live key.example.com)/cert.pem")" '"Reason": ?1'
for name in name file key; do
	exits "$name.example.com is not renewed" 2 "$acme" renew "$name.example.com" -x --days 3000
done
exits 'unless told' 0 "$acme" renew -f file.example.com
exits 'a file that is nobody'\''s: the CA is the one given' 0 at "$plain" revoke "$scratch/file.pem"

# --- deactivation
exits 'deactivate' 0 at "$plain" account deactivate
like 'says what comes next' "$err" 'in trash, and the next certificate from there registers a new account'
ok 'the key is kept' test -n "$(find "$ACME_HOME/trash" -name key.pem)"
exits 'nothing to show' 78 at "$plain" account
gone=$(dirname "$(find "$ACME_HOME/trash" -name key.pem)")
exits 'its key is not adopted' 1 at "$plain" account register --key "$gone/key.pem"
like 'the CA says why' "$err" 'deactivated'
exits 'a renewal registers a new account' 0 "$acme" renew -f file.example.com
like 'and says so' "$err" 'registered an account at'
exits 'show' 0 at "$plain" account
ok 'another one' test "$(value key)" = "$key"
cp "$gone/key.pem" "$gone/account" "$(dirname "$key")"
exits 'one that was deactivated elsewhere' 1 at "$plain" account
exits 'is moved aside' 0 at "$plain" account deactivate
ok 'all of it' test ! -e "$key"

# --- ZeroSSL: the binding for a mail address.  Behind the proxy are an nginx with
# Pebble's directory where ZeroSSL's is, and one that answers the form.
server_cert front acme.zerossl.com DNS:acme.zerossl.com,DNS:api.zerossl.com
free_port proxy
free_port form
front_start front "location = /v2/DV90 { proxy_pass https://127.0.0.1:$pebble_port/dir; }
	location = /acme/eab-credentials-email { proxy_pass http://127.0.0.1:$form; }
	location / { proxy_pass https://127.0.0.1:$pebble_port; }"
json="{\"success\":true,\"eab_kid\":\"kid-1\",\"eab_hmac_key\":\"$urlsafe\"}"
begin proxy "$proxy" "$tools/peer" "$proxy" proxy '' "$front"
begin form "$form" "$tools/peer" "$form" say \
	"HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\nContent-Length: ${#json}\\r\\n\\r\\n$json" 'email=a%2Bb%40c.example'
exits 'ZeroSSL, for a mail address' 0 "$acme" account register -s zerossl -m a+b@c.example --ca-file "$ca" \
	--proxy "http://127.0.0.1:$proxy" -vv
like 'it has an account' "$out" '^https://acme\.zerossl\.com/'
like 'asked by a form' "$err" '^acme: POST https://api\.zerossl\.com/acme/eab-credentials-email 200'
unlike 'whose reply is not shown' "$err" "$(printf %s "$urlsafe" | cut -c 1-20)"
done_testing
