#!/bin/sh
# Whose key a certificate is for: foreign requests, and keys of each type.
# shellcheck disable=SC2154,SC2317 # variables of lib.sh; functions called by name
. "$(dirname "$0")/../lib.sh"

challtestsrv_start
free_port http_port
free_port tls_port
pebble_start quick PEBBLE_AUTHZREUSE=0 -strict
set -- -s "$server" --ca-file "$ca" -c "standalone:$http_port"

live() { echo "$ACME_HOME/certs/$1/live"; }

# foreign requests
# request FILE ALGORITHM OPTION NAME,NAME...: and its key
request()
{
	openssl genpkey -algorithm "$2" -pkeyopt "$3" -out "$1.key" 2>>"$scratch/openssl.log" &&
		openssl req -new -key "$1.key" -subj / -addext "subjectAltName=$4" -out "$1"
}
same_key() { [ "$(openssl x509 -in "$(live "$1")/cert.pem" -noout -pubkey)" = "$(openssl pkey -in "$2" -pubout)" ]; }
csr=$scratch/ec.csr
request "$csr" EC ec_paramgen_curve:P-384 DNS:f.example.com,DNS:g.example.com,IP:127.0.0.1
exits '--csr, names from it' 0 "$acme" issue "$@" --csr "$csr"
ok 'it is for that key' same_key f.example.com "$csr.key"
is 'no key is here' "$(cd "$(live f.example.com)/" && echo *)" 'cert.pem chain.pem fullchain.pem'
exits 'the same again: nothing' 2 "$acme" issue "$@" --csr "$csr" -x
exits 'show' 0 "$acme" show f.example.com
exits 'the names given too' 2 "$acme" issue "$@" --csr "$csr" -N f.example.com g.example.com F.example.com 127.0.0.1 -x
exits 'other names' 64 "$acme" issue "$@" --csr "$csr" f.example.com
like 'say which' "$err" 'also for g.example.com'
exits 'and a key' 64 "$acme" issue "$@" --csr "$csr" -k ec384
mv "$csr" "$scratch/moved.csr"
exits 'renewed without the file' 0 "$acme" renew -f f.example.com
like 'by the copy, with a warning' "$err" 'request.pem'
ok 'which is for that key' same_key f.example.com "$csr.key"
request "$csr" EC ec_paramgen_curve:P-256 DNS:f.example.com,DNS:g.example.com,IP:127.0.0.1
exits 'another key in the file' 0 "$acme" issue "$@" --csr "$csr" -x
ok 'issues anew' same_key f.example.com "$csr.key"
exits 'a key of our own again' 0 "$acme" issue f.example.com "$@"
ok 'is here' test -f "$(live f.example.com)/privkey.pem"
ok 'and no copy of the request' test ! -e "$ACME_HOME/certs/f.example.com/request.pem"
request "$scratch/rsa.csr" RSA rsa_keygen_bits:2048 DNS:h.example.com
openssl req -in "$scratch/rsa.csr" -outform DER -out "$scratch/rsa.der"
exits '--csr, RSA, DER' 0 "$acme" issue "$@" --csr "$scratch/rsa.der"
ok 'it is for that key' same_key h.example.com "$scratch/rsa.csr.key"
exits 'no request' 78 "$acme" issue "$@" --csr "$ca"

# key types
for type in ec256 ec384 rsa2048 rsa3072 rsa4096; do
	exits "$type" 0 "$acme" issue k.example.com "$@" -k $type -x
	like 'is its key' "$(openssl x509 -in "$(live k.example.com)/cert.pem" -noout -text)" "Public-Key: \\(${type##*[a-z]} bit"
	ok 'that is here' same_key k.example.com "$(live k.example.com)/privkey.pem"
done

done_testing
