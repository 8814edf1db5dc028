#!/bin/sh
# The main job: names to live files against Pebble as it is by default (sleeps,
# refused nonces, reused authorizations), -strict, by each built-in hook.
. "$(dirname "$0")/../lib.sh"

challtestsrv_start
nginx_start
free_port tls_port
pebble_start -strict
pebble_root
repeat=${LONG:+20}
: "${repeat:=3}"

# good_files CERTIFICATE NAME...: what lies in live/ is what a server needs.
good_files()
{
	live=$ACME_HOME/certs/$1/live
	shift
	ok 'the chain ends at the root' openssl verify -CAfile "$scratch/root.pem" \
		-untrusted "$live/chain.pem" "$live/cert.pem" >/dev/null
	is 'the key is the certificate'"'"'s' \
		"$(openssl pkey -in "$live/privkey.pem" -pubout)" \
		"$(openssl x509 -in "$live/cert.pem" -noout -pubkey)"
	is 'the names are those asked for' \
		"$(openssl x509 -in "$live/cert.pem" -noout -ext subjectAltName | sed 1d |
			tr -d ' ' | tr , '\n' | sed 's/^DNS://; s/^IPAddress://' | sort | tr '\n' ' ')" \
		"$(printf '%s\n' "$@" | sort | tr '\n' ' ')"
	is 'fullchain is the certificate and its chain' \
		"$(cat "$live/cert.pem" "$live/chain.pem")" "$(cat "$live/fullchain.pem")"
	is 'combined is fullchain and key' \
		"$(cat "$live/fullchain.pem" "$live/privkey.pem")" "$(cat "$live/combined.pem")"
	is 'keys are for the owner only' \
		"$(find "$ACME_HOME" -name '*.pem' -print | grep -E 'key|combined' |
			xargs stat -L -c %a | sort -u)" 600
	is 'so are directories' "$(find "$ACME_HOME" -type d ! -path '*/respond/*' -exec stat -c %a {} + | sort -u)" 700
}

# Pebble sleeps most of the time, so what it does is asked for at once.
# together NAME COMMAND...: in the background.  joined PROMISE NAME: it has succeeded, without a word but the terms.
together()
{
	together_name=$1
	shift
	(
		status=0
		"$@" >"$scratch/$together_name.said" 2>&1 </dev/null || status=$?
		sed '/terms of service/d' "$scratch/$together_name.said" >"$scratch/$together_name.result"
		echo "exit status $status" >>"$scratch/$together_name.result"
	) 3>&- &
	eval "job_$together_name=$!"
}

joined()
{
	eval "wait \$job_$2"
	is "$1" "$(cat "$scratch/$2.result")" 'exit status 0'
}

i=0
while [ $((i += 1)) -le "$repeat" ]; do
	together w$i "$acme" issue -H "$scratch/home$i" "w$i.example.com" -w "$webroot" -s "$server" --ca-file "$ca"
done
i=0
while [ $((i += 1)) -le "$repeat" ]; do
	joined "webroot behind nginx, run $i" w$i
done
is 'nothing is left in the webroot' "$(find "$webroot" -type f)" ''
mv "$scratch/home$repeat" "$ACME_HOME"
good_files "w$repeat.example.com" "w$repeat.example.com"

exits 'the same again: nothing is done' 0 "$acme" issue "w$repeat.example.com" -w "$webroot" -s "$server" --ca-file "$ca" -v
unlike 'and no connection opened' "$err" 'GET|POST|HEAD'
exits 'exit status 2 with -x' 2 "$acme" issue "w$repeat.example.com" -w "$webroot" -s "$server" --ca-file "$ca" -x
exits 'also with the name alone' 2 "$acme" issue "w$repeat.example.com" -x
before=$(find "$ACME_HOME" -printf '%p %T@ %s\n' | sort)
exits 'renew with nothing due' 0 "$acme" renew
is 'is silent' "$out$err" ''
exits 'and says so with -x' 2 "$acme" renew -x
is 'and writes nothing' "$(find "$ACME_HOME" -printf '%p %T@ %s\n' | sort)" "$before"
stop nginx

# three names in each of two certificates through one port, by either challenge
set -- -s "$server" --ca-file "$ca"
i=0
while [ $((i += 1)) -le "$repeat" ]; do
	together s$i "$acme" issue "s$i.example.com" "t$i.example.com" -c "standalone:$http_port" "$@"
	together a$i "$acme" issue "a$i.example.com" -c "tls-alpn:$tls_port" "$@" -k ec384
done
for i in u v; do
	together $i "$acme" issue ${i}1.example.com ${i}2.example.com ${i}3.example.com -c "standalone:$http_port" "$@"
done
for i in x y; do
	together $i "$acme" issue ${i}1.example.com ${i}2.example.com ${i}3.example.com -c "tls-alpn:$tls_port" "$@"
done
together rsa "$acme" issue -k rsa2048 r.example.com -c "standalone:$http_port" "$@"
together address "$acme" issue 127.0.0.1 -c "standalone:$http_port" "$@"
# the CA at an IP address whose certificate names it
together ca "$acme" issue ip.example.com -c "standalone:$http_port" -s "https://127.0.0.1:$pebble_port/dir" --ca-file "$ca"
i=0
while [ $((i += 1)) -le "$repeat" ]; do
	joined "standalone, run $i" s$i
	joined "tls-alpn, run $i" a$i
done
joined 'two certificates at once through one responder: one' u
joined 'and the other' v
joined 'the same by tls-alpn' x
joined 'the other one' y
joined 'an RSA key' rsa
joined 'an address, by http-01' address
joined 'the CA at an address' ca
good_files s1.example.com s1.example.com t1.example.com
good_files a1.example.com a1.example.com
good_files u1.example.com u1.example.com u2.example.com u3.example.com
good_files r.example.com r.example.com
good_files 127.0.0.1 127.0.0.1

exits 'renew by force' 0 "$acme" renew -f r.example.com
good_files r.example.com r.example.com
is 'the old generation is still there' "$(find "$ACME_HOME/certs/r.example.com" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | tr '\n' ' ')" '1 2 conf live renewal '

exits 'list' 0 "$acme" list
like 'knows it' "$out" '^r\.example\.com '
exits 'show' 0 "$acme" show r.example.com
exits 'path' 0 "$acme" path r.example.com fullchain
is 'names the file' "$out" "$ACME_HOME/certs/r.example.com/live/fullchain.pem"
exits 'cert' 0 "$acme" cert "$out"

exits 'revoke' 0 "$acme" revoke r.example.com --reason superseded
serial=$(openssl x509 -in "$ACME_HOME/certs/r.example.com/live/cert.pem" -noout -serial)
like 'the CA knows' "$(curl -fsS --cacert "$ca" "$management/cert-status-by-serial/${serial#serial=}")" Revoked
exits 'revoked again is success' 0 "$acme" revoke r.example.com
like 'and said' "$err" already
exits 'remove' 0 "$acme" remove r.example.com
is 'it is in the trash' "$(find "$ACME_HOME/trash" -name cert.pem | wc -l)" 2
exits 'account show' 0 "$acme" account show -s "$server" --ca-file "$ca"
like 'tells the status' "$out" '^status: valid'
exits 'account register' 0 "$acme" account register -s "$server" --ca-file "$ca"
like 'prints the URL' "$out" '^https://localhost:[0-9]*/'

done_testing
