#!/bin/sh
# The responder of the built-in hooks standalone and tls-alpn, by itself:
# shared, raced for, killed, starved, and gone when it is not needed.
# shellcheck source=tests/lib.sh
# shellcheck disable=SC1010,SC2030,SC2031,SC2317 # done is an argument; functions are called by name
. "$(dirname "$0")/../lib.sh"

B=${B:-build}
tool=$B/tests/tool/respond
if [ ! -x "$tool" ]; then
	tool=$scratch/respond
	# shellcheck disable=SC2046,SC2086 # words
	${CC:-$(command -v musl-gcc || echo cc)} -std=c99 -D_POSIX_C_SOURCE=200809L -Os -static \
		-isystem "$B/bearssl/inc" -o "$tool" tests/tool/respond.c serve.c asn1.c keyinfo.c der.c base64.c buf.c \
		dir.c key.c name.c util.c "$B/libbearssl.a" 2>"$scratch/cc.log" || {
		sed 's/^/# /' "$scratch/cc.log"
		echo 'Bail out! the responder does not compile'
		exit 1
	}
fi
mkdir -m 700 "$ACME_HOME"
print=9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI
digest=lCM7cZyQXcVHK2nnW3jjAhNT3Fvm18UN-kWZZknKoYM
digest_hex=94233B719C905DC5472B69E75B78E3021353DC5BE6D7C50DFA45996649CAA183
user=nobody
[ "$(id -u)" = 0 ] || user=$(id -un)

# http METHOD TOKEN, alpn METHOD IDENT [DIGEST]
http()
{
	"$tool" http "$port" "$1" http-01 a.test "$2" "$2.$print"
}

alpn()
{
	"$tool" alpn "$port" "$1" tls-alpn-01 "$2" token "${3:-$digest}"
}

# get TOKEN [HOST]: what is served for it
get()
{
	curl -sS --max-time 8 "http://${2:-127.0.0.1}:$port/.well-known/acme-challenge/$1" 2>&1
}

status_of()
{
	curl -s --max-time 8 -o /dev/null -w '%{http_code}' "$@"
}

# The ids of the responders that live.
responders()
{
	left_running | sed -n "s|^\([0-9]*\) $tool .*|\1|p"
}

listening()
{
	grep -is "^ *[0-9]*: [0-9A-F]*:$(printf %04X "$port") [0-9A-F]*:0000 0A " /proc/net/tcp /proc/net/tcp6
}

# Nothing is left: no process, no port, no file but the locks.
gone()
{
	is "$1: no responder" "$(responders)" ''
	is "$1: no port" "$(listening)" ''
	is "$1: no entry" "$(ls -A "$ACME_HOME/hookdata/respond")" ''
}

# until COMMAND...: at most ten seconds
until_true()
{
	turns=0
	until "$@"; do
		turns=$((turns + 1))
		[ $turns -lt 100 ] || return 1
		sleep 0.1
	done
}

ends()
{
	[ -z "$(responders)" ]
}

# small TYPE: its memory
small()
{
	peak=$(sed -n 's/^VmHWM:[ \t]*\([0-9]*\) kB/\1/p' "/proc/$(responders)/status")
	diag "peak resident memory of the $1 responder: $peak KiB"
	if grep -q __asan_ "$tool"; then
		skip 'it is small' 'a sanitizer is not'
	else
		ok 'it is small' test "$peak" -lt 512
	fi
}

# --- http-01: shared by several runs

free_port port
# Two certificates of three names each at once.
for t in a1 a2 a3 b1 b2 b3; do
	{
		status=0
		http begin $t || status=$?
		echo $status >"$scratch/begin.$t"
	} &
	pids="${pids-} $!"
done
# shellcheck disable=SC2086 # a list
wait $pids
is 'six begins at once succeed' "$(cat "$scratch"/begin.* | tr '\n' ' ')" '0 0 0 0 0 0 '
is 'through one responder' "$(responders | wc -l | tr -d ' ')" 1
pid=$(responders)
v6=
# not -s: files in /proc have no size
if grep -q '^0*1 ' /proc/net/if_inet6 2>/dev/null; then
	v6='[::1]'
fi
for t in a1 a2 a3 b1 b2 b3; do
	for host in 127.0.0.1 $v6; do
		is "$t is served at $host" "$(get $t "$host")" "$t.$print"
	done
done
[ "$v6" ] || skip 'served at [::1]' 'no IPv6 here'
is 'another token is not' "$(status_of "http://127.0.0.1:$port/.well-known/acme-challenge/c1")" 404
is 'no other path is' "$(status_of --path-as-is "http://127.0.0.1:$port/.well-known/acme-challenge/../../a1")" 404
is 'no other method is' "$(status_of -d x "http://127.0.0.1:$port/.well-known/acme-challenge/a1")" 404
is 'HEAD is answered' "$(status_of -I "http://127.0.0.1:$port/.well-known/acme-challenge/a1")" 200
like 'with type and length' "$(curl -sI "http://127.0.0.1:$port/.well-known/acme-challenge/a1" | tr -d '\r' | tr '\n' ' ')" \
	'Content-Type: application/octet-stream .*Content-Length: 46 '
head -c 100000 /dev/zero | tr '\0' x >"$scratch/long"
is 'a request of 100 KB does no harm' "$(status_of -H @"$scratch/long" "http://127.0.0.1:$port/"; get a1)" "404a1.$print"

is 'it has given up its privileges' "$(ps -o user= -p "$pid")" "$user"
if [ "$user" = nobody ]; then
	is 'all of them' "$(awk '/^(Uid|Gid|Groups|CapEff|CapPrm):/ { $1 = ""; printf "%s;", $0 }' "/proc/$pid/status" |
		sed 's/ *;/;/g')" \
		" $(id -u nobody) $(id -u nobody) $(id -u nobody) $(id -u nobody);\
 $(id -g nobody) $(id -g nobody) $(id -g nobody) $(id -g nobody); $(id -g nobody);\
 0000000000000000; 0000000000000000;"
	is 'it sees no file but its own' "$(readlink "/proc/$pid/root")" "$ACME_HOME/hookdata/respond/http-any-$port"
else
	skip 'all of them' 'not root'
	skip 'it sees no file but its own' 'not root'
fi
is 'it is detached' "$(ps -o tty=,pgid= -p "$pid" | tr -d ' ')" "?$pid"
small http-01

for t in a1 b1 a2 b2 a3; do
	http done $t
done
is 'it lives as long as there is one token' "$(responders)" "$pid"
is 'which is served' "$(get b3)" "b3.$print"
is 'a removed one is not' "$(status_of "http://127.0.0.1:$port/.well-known/acme-challenge/a1")" 404
http failed b3
gone 'the last done or failed ends it'
exits 'a done too many is no error' 0 http done b3
exits 'nor one of another content' 0 "$tool" http "$port" done http-01 a.test b3 b3.other
gone 'and leaves nothing'

# --- what a begin hands on, and what it does not

run http begin x1 9>"$scratch/held"
is 'begin prints nothing' "$out$err" ''
pid=$(responders)
unlike 'the responder keeps none of its descriptors' "$(readlink "/proc/$pid/fd/"*)" "^$scratch/(held|out|err)"
exits 'begin is repeatable' 0 http begin x1
is 'done of another content does not end it' \
	"$("$tool" http "$port" done http-01 a.test x1 x1.other; responders)" "$pid"
http done x1

exits 'another type is declined' 1 "$tool" http "$port" begin dns-01 a.test x1 $digest
exits 'four arguments are wrong' 126 "$tool" http "$port" begin http-01 a.test x1
exits 'a bad token fails' 126 "$tool" http "$port" begin http-01 a.test ../x1 "x1.$print"
exits 'a bad address fails' 126 "$tool" http 'localhost:80' begin http-01 a.test x1 "x1.$print"
gone 'nothing has been started'

http begin x1
(
	ACME_HOME=$scratch/other
	mkdir -m 700 "$ACME_HOME"
	run http begin x1
	echo "$status $err $(ls -A "$ACME_HOME/hookdata/respond")" >"$scratch/used"
)
like 'a port that is taken is said to be' "$(cat "$scratch/used")" \
	"^126 acme: cannot listen on port $port: Address (already )?in use $"
http done x1
if [ "$user" = nobody ]; then
	ACME_USER=daemon http begin x1
	is 'another user' "$(ps -o user= -p "$(responders)")" daemon
	http done x1
	export ACME_USER=nosuchuser
	run http begin x1
	unset ACME_USER
	is 'a user that is none fails' "$status $err" '126 acme: there is no user nosuchuser'
	gone 'then'
	setpriv --reuid "$(id -u nobody)" --regid "$(id -g nobody)" --clear-groups \
		env ACME_HOME=/ "$tool" http 1 begin http-01 a.test x1 "x1.$print" 2>"$scratch/err"
	is 'a HOME that we may not write fails' $? 126
else
	skip 'another user' 'not root'
fi

both=$port
for address in "127.0.0.1:$both" ${v6:+"[::1]:$both"}; do
	port=$address
	host=${address%":$both"}
	exits "begin at $address" 0 http begin x1
	port=$both
	is "it is served at $host" "$(get x1 "$host")" "x1.$print"
	is 'and there only' "$(listening | wc -l | tr -d ' ')" 1
	port=$address
	exits "done at $address" 0 http done x1
	port=$both
done
gone 'then'

# --- races and accidents

# Each begin must find a responder that serves its token, however many are ending.
worker()
{
	i=0
	while [ $((i += 1)) -le 70 ]; do
		t=race-$1-$i
		http begin "$t" || echo "begin $t: $?"
		got=$(get "$t")
		[ "$got" = "$t.$print" ] || echo "get $t: $got"
		http done "$t" || echo "done $t: $?"
	done
}
pids=
for w in 1 2 3; do
	worker $w >"$scratch/race.$w" 2>&1 &
	pids="$pids $!"
done
# shellcheck disable=SC2086 # a list
wait $pids
is '210 begins race with responders that end' "$(cat "$scratch"/race.*)" ''
gone 'then'

http begin k1
kill -KILL "$(responders)"
until_true ends
exits 'begin after the responder was killed' 0 http begin k2
is 'serves what was there before' "$(get k1)" "k1.$print"
is 'and the new one' "$(get k2)" "k2.$print"
kill -TERM "$(responders)"
until_true ends
http done k1
http done k2
gone 'done without a responder'

# begin and done killed at any moment, at 40 different ones
i=0
while [ $((i += 1)) -le 40 ]; do
	timeout -s KILL "0.00$((i % 5))$i" "$tool" http "$port" begin http-01 a.test "m$i" "m$i.$print"
	[ $((i % 3)) -ne 0 ] || timeout -s KILL "0.0$i" "$tool" http "$port" done http-01 a.test "m$i" "m$i.$print"
done >/dev/null 2>&1
exits 'begin after many were killed' 0 http begin last
is 'works' "$(get last)" "last.$print"
i=0
while [ $((i += 1)) -le 40 ]; do
	http failed "m$i"
done
http done last
gone 'then'

RESPOND_LIFE=2
export RESPOND_LIFE
http begin old
is 'it lives' "$(get old)" "old.$print"
ok 'it ends by itself' until_true ends
exits 'and is started again' 0 http begin new
sleep 1
http done new
gone 'an entry that nobody has removed is removed in the end'
unset RESPOND_LIFE

# --- peers that misbehave

# sixteen that connect and say nothing until hang_up
hang_on()
{
	mkfifo "$scratch/silence.$port"
	sleep 60 >"$scratch/silence.$port" &
	pids=$!
	i=0
	while [ $((i += 1)) -le 16 ]; do
		curl -s -N -o /dev/null "telnet://127.0.0.1:$port" <"$scratch/silence.$port" &
		pids="$pids $!"
	done
	until_true connected
}

connected()
{
	[ "$(grep -ic "^ *[0-9]*: [0-9A-F]*:$(printf %04X "$port") [0-9A-F]*:[0-9A-F]* 01 " /proc/net/tcp)" -ge 16 ]
}

hang_up()
{
	# shellcheck disable=SC2086 # a list
	kill $pids 2>/dev/null
	# shellcheck disable=SC2086 # a list
	wait $pids
}

http begin s1
hang_on
begin_time=$(date +%s)
is '16 idle connections do not lock out the 17th' "$(get s1)" "s1.$print"
is 'it stays the only responder' "$(responders | wc -l | tr -d ' ')" 1
slow=$({
	for part in 'GET /.well-known' '/acme-chall' 'enge/s1 HT' 'TP/1.1
Host: a' '

'; do
		printf '%s' "$part"
		sleep 0.3
	done
} | curl -s -N --max-time 8 "telnet://127.0.0.1:$port" | tail -n 1)
is 'a request in pieces is answered' "$slow" "s1.$print"
closed()
{
	for p in $(responders); do
		[ "$(find "/proc/$p/fd" -lname 'socket:*' | wc -l)" -le 2 ] || return 1
	done
}
until_true closed || until_true closed || until_true closed
# ten seconds, and what a busy machine takes
is 'idle connections are closed long before their peers end' \
	"$(closed && [ $(($(date +%s) - begin_time)) -le 40 ] && echo yes)" yes
hang_up
exits 'done with connections open' 0 http done s1
gone 'then'

# --- tls-alpn-01

# tls OPTION...: what openssl s_client says
tls()
{
	timeout 10 openssl s_client -connect "127.0.0.1:$port" "$@" </dev/null 2>&1
}

free_port port
for name in a.test b.test 192.0.2.1 2001:db8::1; do
	exits "begin for $name" 0 alpn begin $name
done
pid=$(responders)
tls -alpn acme-tls/1 -servername a.test >"$scratch/tls"
like 'the protocol is acme-tls/1' "$(cat "$scratch/tls")" '^ALPN protocol: acme-tls/1'
openssl x509 -in "$scratch/tls" -noout -text >"$scratch/text"
like 'the certificate names the host' "$(cat "$scratch/text")" '^ *DNS:a\.test$'
like 'the extension is critical' "$(cat "$scratch/text")" '1\.3\.6\.1\.5\.5\.7\.1\.31: critical'
like 'and has the digest' "$(openssl x509 -in "$scratch/tls" -outform DER | openssl asn1parse -inform DER)" \
	"OCTET STRING *\[HEX DUMP\]:0420$digest_hex"
ok 'its signature is good' openssl verify -ignore_critical -check_ss_sig -CAfile "$scratch/tls" "$scratch/tls"
for cipher in ECDHE-ECDSA-CHACHA20-POLY1305 ECDHE-ECDSA-AES128-GCM-SHA256; do
	like "$cipher" "$(tls -alpn acme-tls/1 -servername b.test -tls1_2 -cipher $cipher)" "Cipher is $cipher"
done
for curve in P-256 X25519:P-384; do
	like "$curve" "$(tls -alpn h2,acme-tls/1 -servername B.TEST -curves $curve)" '^ALPN protocol: acme-tls/1'
done
like 'an IPv4 address' "$(tls -alpn acme-tls/1 -servername 1.2.0.192.in-addr.arpa | openssl x509 -noout -ext subjectAltName)" \
	'^ *IP Address:192\.0\.2\.1$'
like 'an IPv6 address' "$(tls -alpn acme-tls/1 \
	-servername 1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa |
	openssl x509 -noout -ext subjectAltName)" '^ *IP Address:2001:DB8:0:0:0:0:0:1$'

# refused NAME OPTION...
refused()
{
	refused_name=$1
	shift
	refused_text=$(tls "$@")
	like "$refused_name is refused" "$refused_text" 'Cipher is \(NONE\)'
	unlike 'without a certificate' "$refused_text" 'BEGIN CERTIFICATE'
}
refused 'a client without ALPN' -servername a.test
like 'by an alert' "$refused_text" 'alert handshake failure'
refused 'a client of another protocol' -servername a.test -alpn h2,http/1.1
like 'by an alert of its own' "$refused_text" 'alert no application protocol'
refused 'a name that is not validated' -servername c.test -alpn acme-tls/1
refused 'no name' -noservername -alpn acme-tls/1
refused 'a path as name' -servername ../a.test -alpn acme-tls/1
refused 'an old version' -servername a.test -alpn acme-tls/1 -tls1_1 -cipher ALL:@SECLEVEL=0
refused 'a new version only' -servername a.test -alpn acme-tls/1 -tls1_3
refused 'an RSA cipher only' -servername a.test -alpn acme-tls/1 -tls1_2 -cipher ECDHE-RSA-AES128-GCM-SHA256

printf 'GET / HTTP/1.0\r\n\r\n' | timeout 10 curl -s -o /dev/null "telnet://127.0.0.1:$port"
head -c 20000 /dev/urandom | timeout 10 curl -s -o /dev/null "telnet://127.0.0.1:$port"
is 'no TLS at all does no harm' "$(responders)" "$pid"
hang_on
like '16 idle connections do not lock out the 17th' "$(tls -alpn acme-tls/1 -servername a.test)" '^ALPN protocol: acme-tls/1'
hang_up
i=0
pids=
while [ $((i += 1)) -le 20 ]; do
	tls -alpn acme-tls/1 -servername a.test >"$scratch/tls.$i" &
	pids="$pids $!"
done
# shellcheck disable=SC2086 # a list
wait $pids
is '20 handshakes at once' "$(cat "$scratch"/tls.[0-9]* | grep -c '^ALPN protocol: acme-tls/1')" 20
is 'it has given up its privileges' "$(ps -o user= -p "$pid")" "$user"
small tls-alpn-01

# Two orders for one host: a server can show one certificate only.
other=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
{
	alpn begin a.test $other
	echo $? >"$scratch/second"
} &
sleep 0.5
is 'another order for the same host waits' "$(cat "$scratch/second" 2>/dev/null)" ''
like 'while the first is served' "$(tls -alpn acme-tls/1 -servername a.test | openssl x509 -outform DER |
	openssl asn1parse -inform DER)" "0420$digest_hex"
alpn done a.test
wait $!
is 'then has its turn' "$(cat "$scratch/second")" 0
like 'and is served' "$(tls -alpn acme-tls/1 -servername a.test | openssl x509 -outform DER |
	openssl asn1parse -inform DER)" 04200000000000000000
for name in b.test 192.0.2.1 2001:db8::1; do
	alpn done $name
done
is 'it lives on for that one' "$(responders)" "$pid"
alpn done a.test $other
gone 'the last done ends it'

done_testing
