#!/bin/sh
# tls.sh - TLS and proxies on the wire: tests/tool/get against openssl's
# servers and against peers that misbehave (faults.md 28-47).
#
# shellcheck disable=SC2154 # variables of lib.sh, and ports set by free_port
. "$(dirname "$0")/../lib.sh"

need_tool get peer
get=$tools/get
peer=$tools/peer
ca_make
cd "$scratch" || exit 1

# --- certificates ------------------------------------------------------------

# key FILE [TYPE]: a private key, P-256 if not said otherwise
key()
{
	case ${2-} in
	rsa*) openssl genrsa -out "$1.key" "${2#rsa}" ;;
	ed25519) openssl genpkey -algorithm ed25519 -out "$1.key" ;;
	*) openssl ecparam -name "${2:-prime256v1}" -genkey -noout -out "$1.key" ;;
	esac 2>>openssl.log
}

# signed FILE ISSUER SUBJECT EXTENSIONS [OPTION...]: FILE.pem for FILE.key by ISSUER
signed()
{
	file=$1 issuer=$2 subject=$3 extensions=$4
	shift 4
	[ $# -gt 0 ] || set -- -days 30 -sha256
	printf '%b' "$extensions" >"$file.ext"
	openssl req -new -key "$file.key" -subj "$subject" -out "$file.csr" 2>>openssl.log &&
	openssl x509 -req -in "$file.csr" -CA "$issuer.pem" -CAkey "$issuer.key" -CAcreateserial \
		-extfile "$file.ext" -out "$file.pem" "$@" 2>>openssl.log
}

# dated FILE SUBJECT START END: a leaf for localhost by the test CA, with these dates
dated()
{
	: >index.txt
	echo 01 >serial
	cat >dated.cnf <<-'END'
	[ca]
	default_ca = d
	[d]
	database = index.txt
	serial = serial
	new_certs_dir = .
	default_md = sha256
	policy = p
	unique_subject = no
	[p]
	commonName = supplied
	END
	printf '%b' "$leaf" >"$1.ext"
	openssl req -new -key "$1.key" -subj "$2" -out "$1.csr" 2>>openssl.log &&
	openssl ca -batch -notext -config dated.cnf -cert ca.pem -keyfile ca.key -in "$1.csr" \
		-startdate "$3" -enddate "$4" -extfile "$1.ext" -out "$1.pem" 2>>openssl.log
}

authority='basicConstraints=critical,CA:TRUE\n'
leaf='basicConstraints=critical,CA:FALSE\nsubjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1\n'

# --- servers and requests ----------------------------------------------------

# serve NAME [OPTION...]: an HTTPS server with NAME.pem and NAME.key; sets port, url
serve()
{
	name=$1
	shift
	free_port port
	url=https://localhost:$port/
	begin "$name-$port" "$port" openssl s_server -accept "127.0.0.1:$port" \
		-cert "$name.pem" -key "$name.key" -www "$@"
}

# refused NAME STATUS PATTERN OPTION...: get fails like that, and has sent nothing
refused()
{
	refused_name=$1 refused_status=$2 refused_like=$3
	shift 3
	run "$get" "$@"
	is "$refused_name" "$status" "$refused_status"
	like "$refused_name: the reason" "$err" "$refused_like"
}

accepted()
{
	accepted_name=$1
	shift
	run "$get" "$@"
	is "$accepted_name" "$status $(head -n 1 out)" '0 200'
}

# --- certificates that are good ------------------------------------------------

serve server
server_port=$port
accepted 'a CA of --ca-file, a DNS name' -c ca.pem "$url"
accepted '38 an IPv4 address that the certificate names' -c ca.pem "https://127.0.0.1:$port/"
refused '33 only IPv6 wanted, only IPv4 there' 2 'refused|resolve' -f 6 -c ca.pem "$url"
accepted 'only IPv4 wanted' -f 4 -c ca.pem "$url"

if [ -e /proc/net/if_inet6 ] && grep -q ' lo$' /proc/net/if_inet6; then
	free_port port
	begin v6 "$port" openssl s_server -accept "[::1]:$port" -cert server.pem -key server.key -www
	accepted '38 an IPv6 address that the certificate names' -c ca.pem "https://[::1]:$port/"
	accepted '38 the same address, written at length' -c ca.pem "https://[0:0:0:0:0:0:0:1]:$port/"
fi

cat /etc/ssl/certs/ca-certificates.crt ca.pem >bundle.pem
accepted 'a CA at the end of a large bundle' -c bundle.pem "https://localhost:$server_port/"
sed 's/$/\r/' ca.pem >crlf.pem
accepted '25 a CA file with CRLF' -c crlf.pem "https://localhost:$server_port/"
printf %s "$(cat ca.pem)" >unended.pem
accepted '25 a CA file without a final newline' -c unended.pem "https://localhost:$server_port/"
accepted 'the server certificate itself as --ca-file' -c server.pem "https://localhost:$server_port/"

for type in rsa2048 rsa4096 secp384r1; do
	key "ca-$type" "$type"
	openssl req -x509 -new -key "ca-$type.key" -sha384 -days 30 -subj "/CN=CA $type" \
		-addext basicConstraints=critical,CA:TRUE -out "ca-$type.pem" 2>>openssl.log
	key "$type" "$type"
	signed "$type" "ca-$type" /CN=x "$leaf" -sha512
	serve "$type"
	accepted "keys and signatures with $type" -c "ca-$type.pem" "$url"
done

for suite in ECDHE-ECDSA-CHACHA20-POLY1305 ECDHE-ECDSA-AES128-GCM-SHA256 ECDHE-ECDSA-AES256-GCM-SHA384; do
	serve server -tls1_2 -cipher $suite
	accepted "$suite" -c ca.pem "$url"
done
for suite in ECDHE-RSA-CHACHA20-POLY1305 ECDHE-RSA-AES128-GCM-SHA256 ECDHE-RSA-AES256-GCM-SHA384; do
	serve rsa2048 -tls1_2 -cipher $suite
	accepted "$suite" -c ca-rsa2048.pem "$url"
done
serve server -curves P-384
accepted 'a server that wants P-384' -c ca.pem "$url"

key middle
signed middle ca '/CN=middle' "$authority"
key below
signed below middle '/CN=x' "$leaf"
serve below -cert_chain middle.pem
accepted 'a chain with an intermediate' -c ca.pem "$url"
accepted 'the intermediate as --ca-file' -c middle.pem "$url"
serve below
refused '41 the intermediate is missing' 1 'unknown issuer: middle' -c ca.pem "$url"
accepted 'the intermediate is missing, but trusted itself' -c middle.pem "$url"

# --- certificates that are not ---------------------------------------------------

serve server
refused '34 unknown CA' 1 'unknown issuer: acme test CA' "$url"
refused '34 not the CA of --ca-file' 1 'unknown issuer: acme test CA' -c ca-rsa2048.pem "$url"
unlike '34 nothing was sent' "$(cat "server-$port.log")" 'GET /'

key other
signed other ca /CN=localhost 'subjectAltName=DNS:other.example,DNS:*.example\n'
serve other
refused '35 another name' 1 'not for this name: localhost, but for other.example' -c ca.pem "$url"
refused '38 an address the certificate does not name' 1 'not for this name: 127.0.0.1' -c ca.pem "https://127.0.0.1:$port/"
unlike '35 nothing was sent' "$(cat "other-$port.log")" 'GET /'

key text
signed text ca '/CN=127.0.0.1' 'subjectAltName=DNS:127.0.0.1,IP:127.0.0.2\n'
serve text
refused '38 an address as a DNS name is no address' 1 'not for this name' -c ca.pem "https://127.0.0.1:$port/"

key cn
signed cn ca /CN=localhost 'basicConstraints=CA:FALSE\n'
serve cn
refused '39 only a common name' 1 'not for this name: localhost' -c ca.pem "$url"

key wild
signed wild ca /CN=x 'subjectAltName=DNS:*,DNS:*.0.0.1\n'
serve wild
refused 'wildcards match neither a single label nor an address' 1 'not for this name' -c ca.pem "$url"
refused 'nor an address' 1 'not for this name' -c ca.pem "https://127.0.0.1:$port/"

key old
dated old /CN=x 20200101000000Z 20210101000000Z
serve old
refused '36 expired' 1 'has expired.*2021-01-01' -c ca.pem "$url"
unlike '36 nothing was sent' "$(cat "old-$port.log")" 'GET /'
key early
dated early /CN=x 20900101000000Z 20910101000000Z
serve early
refused '37 not yet valid' 1 'not yet valid.*2090-01-01' -c ca.pem "$url"
unlike '37 nothing was sent' "$(cat "early-$port.log")" 'GET /'

key self
openssl req -x509 -new -key self.key -days 30 -subj /CN=self -addext subjectAltName=DNS:localhost \
	-addext basicConstraints=critical,CA:FALSE -out self.pem 2>>openssl.log
serve self
refused '41 self-signed' 1 'self-signed certificate: self' -c ca.pem "$url"
accepted 'self-signed, and itself the --ca-file' -c self.pem "$url"
key self2
openssl req -x509 -new -key self2.key -days 30 -subj /CN=self -addext subjectAltName=DNS:localhost \
	-addext basicConstraints=critical,CA:FALSE -out self2.pem 2>>openssl.log
refused 'another certificate of that name is not trusted for it' 1 '.' -c self2.pem "$url"

key leaf
signed leaf ca /CN=leaf 'basicConstraints=critical,CA:FALSE\nsubjectAltName=DNS:leaf.example\n'
key under
signed under leaf /CN=under "$leaf"
serve under -cert_chain leaf.pem
refused 'a certificate signed by one that is no authority' 1 'not an authority' -c ca.pem "$url"
refused 'nor when that one is the --ca-file' 1 '.' -c leaf.pem "$url"

key twin
openssl req -x509 -new -key twin.key -days 30 -subj '/CN=acme test CA' \
	-addext basicConstraints=critical,CA:TRUE -out twin.pem 2>>openssl.log
key forged
signed forged twin /CN=x "$leaf"
serve forged
refused '43 signed by a namesake of the CA' 1 'not signed by the trusted issuer' -c ca.pem "$url"

key critical
signed critical ca /CN=x "${leaf}1.2.3.4=critical,ASN1:UTF8String:x\n"
serve critical
refused '47 an unknown critical extension' 1 'critical extension' -c ca.pem "$url"

key weak rsa1024
signed weak ca /CN=x "$leaf"
serve weak -cipher DEFAULT@SECLEVEL=0
refused 'RSA 1024' 1 'below 2048' -c ca.pem "$url"

upper=ca
n=0
while [ $n -lt 12 ]; do
	key "link$n"
	signed "link$n" $upper "/CN=link$n" "$authority"
	cat "link$n.pem" >>links.pem
	upper=link$n
	n=$((n + 1))
done
key long
signed long $upper /CN=x "$leaf"
serve long -cert_chain links.pem
refused '42 a chain of 13 certificates' 1 'larger than 10' -c ca.pem "$url"
key fat
n=0
while [ $n -lt 2500 ]; do
	n=$((n + 1))
	printf ',DNS:%d.fat.example.org' $n
done >fat.names
signed fat ca /CN=x "subjectAltName=DNS:localhost$(cat fat.names)\n"
serve fat
refused '42 a certificate of 57 KB' 1 'larger than' -c ca.pem "$url"

# --- TLS -------------------------------------------------------------------------

serve server -tls1_1 -cipher DEFAULT@SECLEVEL=0
refused '40 only TLS 1.1' 1 'TLS version|TLS 1\.2' -c ca.pem "$url"
serve server -tls1_3
refused 'only TLS 1.3' 1 'TLS 1\.2' -c ca.pem "$url"
serve server -tls1_2 -cipher ECDHE-ECDSA-AES128-SHA256
refused 'no cipher suite in common' 1 'refused the handshake' -c ca.pem "$url"

# misbehave NAME ARGUMENT...: a peer; sets port, url
misbehave()
{
	name=$1
	shift
	free_port port
	url=https://localhost:$port/
	begin "$name" "$port" "$peer" "$port" "$@"
}

misbehave stall stall
started=$(date +%s)
refused '44 a stall in the handshake ends with the deadline' 2 'timed out' -t 2 -c ca.pem "$url"
ok '44 in time' [ $(($(date +%s) - started)) -le 4 ]
"$get" -t 30 -c ca.pem "$url" 2>signal.err &
pid=$!
sleep 1
started=$(date +%s)
kill -TERM $pid
wait $pid
is '131 a signal ends the wait' $? 4
ok '131 at once' [ $(($(date +%s) - started)) -le 2 ]
like '131 and is told' "$(cat signal.err)" interrupted

misbehave plain say 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'
refused '46 a server without TLS' 1 'does not speak TLS' -c ca.pem "$url"
misbehave garbage say '\x16\x03\x03\x00\x04\x02\x00\x00\x00\x16\x03\x03\x40\x01'
refused '46 garbage records' 1 'TLS' -c ca.pem "$url"
misbehave alert say '\x15\x03\x03\x00\x02\x02\x28'
refused '46 an alert' 1 'alert 40' -c ca.pem "$url"
misbehave warnings say "$(printf '%0200d' 0 | sed 's/0/\\x15\\x03\\x03\\x00\\x02\\x01\\x70/g')"
refused '46 two hundred warnings, then the end' 2 'closed the connection during' -c ca.pem "$url"
misbehave mute say ''
refused '30 the connection is closed at once' 2 'closed the connection during' -c ca.pem "$url"

mkdir -p www nginx
head -c 90000 /dev/urandom | base64 -w 76 | head -c 120000 >www/large
head -c 131072 /dev/zero >www/limit
head -c 131073 /dev/zero >www/beyond
free_port port
nginx_port=$port
cat >nginx.conf <<END
daemon off;
master_process off;
pid $scratch/nginx/pid;
error_log stderr;
events { }
http {
	access_log off;
	client_body_temp_path $scratch/nginx/body;
	proxy_temp_path $scratch/nginx/proxy;
	fastcgi_temp_path $scratch/nginx/fastcgi;
	uwsgi_temp_path $scratch/nginx/uwsgi;
	scgi_temp_path $scratch/nginx/scgi;
	server {
		listen 127.0.0.1:$port ssl;
		ssl_certificate $scratch/server.pem;
		ssl_certificate_key $scratch/server.key;
		root $scratch/www;
		location = /short { return 200 "hello\n"; }
	}
}
END
begin nginx "$port" nginx -e stderr -p "$scratch/nginx" -c "$scratch/nginx.conf"
url=https://localhost:$port
run "$get" -c ca.pem "$url/large"
is 'a reply of 120 KB arrives whole' "$(sed 1d out | cksum)" "$(cksum <www/large)"
run "$get" -c ca.pem "$url/limit"
is '65 a reply of 128 KiB' "$status $(sed 1d out | wc -c)" '0 131072'
refused '65 a reply of a byte more' 3 'body larger than the limit' -c ca.pem "$url/beyond"
run "$get" -n 20 -c ca.pem "$url/short"
is 'twenty requests over one connection' "$status $(grep -c hello out)" '0 20'
run "$get" -n 5 -b 50000 -c ca.pem "$url/short"
is 'five requests with a body of 50000 bytes' "$status $(grep -c hello out)" '0 5'

# --- sessions ------------------------------------------------------------------

# TLS 1.2 without tickets; at the first port sessions are kept, at the second
# they are given out and forgotten at once, at the third there are none.
free_port kept
free_port forgotten
free_port none
cat >sessions.conf <<END
daemon off;
master_process off;
pid $scratch/nginx/sessions.pid;
error_log stderr;
events { }
http {
	log_format reused '\$server_port \$ssl_session_reused';
	access_log $scratch/sessions.log reused;
	client_body_temp_path $scratch/nginx/body;
	proxy_temp_path $scratch/nginx/proxy;
	fastcgi_temp_path $scratch/nginx/fastcgi;
	uwsgi_temp_path $scratch/nginx/uwsgi;
	scgi_temp_path $scratch/nginx/scgi;
	ssl_certificate $scratch/server.pem;
	ssl_certificate_key $scratch/server.key;
	ssl_session_tickets off;
	server {
		listen 127.0.0.1:$kept ssl;
		ssl_session_cache shared:kept:1m;
		return 200 "hello\n";
	}
	server {
		listen 127.0.0.1:$forgotten ssl;
		ssl_session_cache none;
		return 200 "hello\n";
	}
	server {
		listen 127.0.0.1:$none ssl;
		ssl_session_cache off;
		return 200 "hello\n";
	}
}
END
begin sessions "$kept" nginx -e stderr -p "$scratch/nginx" -c "$scratch/sessions.conf"

# sessions NAME WANT URL...: how the handshake of each connection went, and as nginx saw it.
sessions()
{
	sessions_name=$1 sessions_want=$2
	shift 2
	: >sessions.log
	run "$get" -s -c ca.pem "$@"
	is "$sessions_name" "$status $(grep -c hello out) $(grep -E 'full|resumed' out | tr '\n' ' ')" "0 $# $sessions_want "
	is "$sessions_name: so says nginx" "$(awk '{ printf "%s ", $2 == "r" ? "resumed" : "full" }' sessions.log)" "$sessions_want "
}
sessions 'further connections resume the session' 'full resumed resumed' \
	"https://localhost:$kept/" "https://localhost:$kept/" "https://localhost:$kept/"
sessions 'a session that the server forgot: full handshakes' 'full full full' \
	"https://localhost:$forgotten/" "https://localhost:$forgotten/" "https://localhost:$forgotten/"
sessions 'a server without sessions: full handshakes' 'full full' "https://localhost:$none/" "https://localhost:$none/"
sessions 'an address in between: the last session counts, and for its own name' 'full full resumed full' \
	"https://localhost:$kept/" "https://127.0.0.1:$kept/" "https://127.0.0.1:$kept/" "https://localhost:$kept/"
sessions 'another port in between' 'full full full' \
	"https://localhost:$kept/" "https://localhost:$forgotten/" "https://localhost:$kept/"
misbehave slow relay "$nginx_port" 1
run "$get" -n 3 -c ca.pem "$url/short"
is '32 one byte at a time, both ways' "$status $(grep -c hello out)" '0 3'
run "$get" -t 60 -b 50000 -c ca.pem "$url/large"
is '32 with a large body and a large reply' "$status" 0
misbehave cut relay "$server_port" 4096 1500
refused '45 the end without close_notify within a response' 2 'broke off' -c ca.pem "$url"

# A body that ends with the connection: openssl sends what it reads from a
# pipe, then says close_notify; killed, it says nothing.
until_close()
{
	free_port port
	url=https://localhost:$port/
	mkfifo "pipe$port"
	openssl s_server -accept "127.0.0.1:$port" -cert server.pem -key server.key \
		-quiet -naccept 1 <"pipe$port" >/dev/null 2>&1 3>&- &
	server=$!
	exec 4>"pipe$port"
	wait_port "$port" $server
	"$get" -t 10 -c ca.pem "$url" >until.out 2>until.err 3>&- 4>&- &
	client=$!
	sleep 1 # openssl speaks when the handshake is done
	printf 'HTTP/1.1 200 OK\r\n\r\nhello' >&4
	sleep 1
	"$@"
	exec 4>&-
	wait $client
	client=$?
	kill $server 2>/dev/null
	wait $server 2>/dev/null
}
# shellcheck disable=SC2317 # called as until_close's argument
kill_server()
{
	kill -KILL "$server"
}
until_close true
is 'a body that ends with close_notify' "$client $(cat until.out)" '0 200
hello'
until_close kill_server
is '45 a body that ends without one' "$client" 2
like '45 the reason' "$(cat until.err)" 'broke off'

refused '30 connection refused' 2 'refused' -c ca.pem "https://127.0.0.1:1/"
started=$(date +%s)
refused '28 a name that does not exist' 2 'resolve|timed out' -t 5 -c ca.pem https://no-such-host.invalid/
ok '28 in time' [ $(($(date +%s) - started)) -le 7 ]

# --- proxies ------------------------------------------------------------------------

free_port proxy
begin proxy "$proxy" "$peer" "$proxy" proxy
accepted 'through a proxy' -x "http://localhost:$proxy" -c ca.pem "https://localhost:$server_port/"
accepted 'through a proxy, URL with a slash' -x "HTTP://127.0.0.1:$proxy/" -c ca.pem "https://localhost:$server_port/"
accepted 'through a proxy without a scheme' -x "localhost:$proxy" -c ca.pem "https://localhost:$server_port/"
like 'the proxy is asked for host and port' "$(cat proxy.log)" "^CONNECT localhost:$server_port HTTP/1.1$"
refused 'the name is still checked' 1 'not for this name: other.example' -x "http://localhost:$proxy" \
	-c ca.pem "https://other.example:$server_port/"
refused 'a session opens no door for another name' 1 'not for this name: other.example' -x "http://localhost:$proxy" \
	-s -c ca.pem "https://localhost:$kept/" "https://other.example:$kept/"
is 'its own was good' "$(sed -n 1,2p out)" 'full
200'
run "$get" -x "http://localhost:$proxy" -c ca.pem "https://[::1]:$server_port/"
like 'an IPv6 address in brackets' "$(cat proxy.log)" "^CONNECT \[::1\]:$server_port HTTP/1.1$"

free_port keeper
begin keeper "$keeper" "$peer" "$keeper" proxy dXNlcjpwQHM6cyUgdw== # user:p@s:s% w
accepted 'a proxy with user and password' -x "http://user:p%40s:s%25%20w@localhost:$keeper" \
	-c ca.pem "https://localhost:$server_port/"
refused 'a wrong password' 2 'proxy localhost: it wants a user and password' \
	-x "http://user:no@localhost:$keeper" -c ca.pem "https://localhost:$server_port/"
unlike 'it is not shown' "$err" 'user:no'

# proxied NAME PATTERN TEXT: a proxy that says TEXT
proxied()
{
	misbehave "proxied$port" say "$3" '\r\n\r\n'
	refused "$1" 2 "$2" -t 5 -x "http://127.0.0.1:$port" -c ca.pem "https://localhost:$server_port/"
}
proxied 'a proxy that refuses' 'proxy 127.0.0.1: it refused: HTTP status 403' 'HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n'
proxied 'a proxy that redirects' 'HTTP status 302' 'HTTP/1.1 302 No\r\nLocation: /\r\n\r\n'
proxied 'a proxy that closes' 'closed' ''
proxied 'a proxy that breaks off' 'ended within' 'HTTP/1.1 200 O'
proxied 'a proxy that is no proxy' 'not an HTTP/1.1 response' 'SSH-2.0-x\r\n'
proxied 'a proxy that talks first' 'data of its own' 'HTTP/1.1 200 OK\r\n\r\nhello'
misbehave proxystall stall
refused 'a proxy that stalls' 2 'proxy 127.0.0.1: timed out' -t 2 -x "http://127.0.0.1:$port" -c ca.pem "https://localhost:$server_port/"
refused 'an https proxy' 2 'must start with http://' -x "https://localhost:$proxy" -c ca.pem "https://localhost:$server_port/"
refused 'a SOCKS proxy' 2 'must start with http://' -x "socks5://localhost:$proxy" -c ca.pem "https://localhost:$server_port/"
refused 'a malformed proxy URL' 2 'malformed proxy URL' -x "http://localhost:0" -c ca.pem "https://localhost:$server_port/"
refused 'control characters in a proxy password' 2 'malformed user or password' -x "http://a:%0d%0a@localhost:$proxy" \
	-c ca.pem "https://localhost:$server_port/"

# --- CA files and limits ---------------------------------------------------------------

: >empty.pem
refused '25 an empty CA file' 78 'holds no certificate' -c empty.pem "$url"
echo junk >junk.pem
refused '25 junk' 78 'holds no certificate' -c junk.pem "$url"
refused '25 a missing CA file' 78 'cannot be read' -c missing.pem "$url"
refused '25 a directory' 78 'not a regular file' -c . "$url"
refused '25 a private key only' 78 'holds no certificate' -c server.key "$url"
sed 5d ca.pem >torn.pem
refused '25 a torn certificate' 78 'malformed' -c torn.pem "$url"
sed '$d' ca.pem >endless.pem
refused '25 a certificate without its end' 78 'malformed' -c endless.pem "$url"

run "$get" -m -c bundle.pem "https://localhost:$server_port/"
memory=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' out)
diag "peak resident memory with a bundle of $(grep -c BEGIN bundle.pem) certificates: $memory kB"
if file -L "$get" 2>/dev/null | grep -q 'statically linked' || ! ldd "$get" >/dev/null 2>&1; then
	ok 'one connection takes less than 512 kB in a static program' [ "$memory" -lt 512 ]
fi

done_testing
