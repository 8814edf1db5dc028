#!/bin/sh
# Clocks: one that was never set, one that is set while a run is under way
# (build/tests/program/clocked is the program with a wall clock that we turn), and --timeout,
# which is measured with a resolver and with servers that keep silent.
# shellcheck disable=SC2154,SC2317 # variables of lib.sh; functions called by name
private_network=1
. "$(dirname "$0")/../lib.sh"

clocked=$root/${B:-build}/tests/program/clocked
case ${B:-build} in /*) clocked=$B/tests/program/clocked ;; esac
[ "${TOOLS-}" ] || make -s build/tests/program/clocked >"$scratch/make.log" 2>&1
[ -x "$clocked" ] || { echo "Bail out! no $clocked"; exit 1; }
need_tool peer
ip route add 192.0.2.0/24 dev lo || skip_all 'no route into nowhere'
resolv_conf 'nameserver 192.0.2.53'
challtestsrv_start
free_port http_port
free_port silent_port
pebble_start PEBBLE_VA_NOSLEEP=1 PEBBLE_AUTHZREUSE=0 PEBBLE_WFE_NONCEREJECT=0
begin silent "$silent_port" "$tools/peer" "$silent_port" stall
# Each request takes a connection of its own, so all of them look at the server's certificate.
front_start server "location / {
	keepalive_requests 1;
	proxy_pass https://127.0.0.1:$pebble_port;
}
location = /stalled { proxy_pass http://127.0.0.1:$silent_port; }"
stalled=https://localhost:$front/stalled
set -- -s "https://localhost:$front/dir" --ca-file "$ca"

CLOCK=$scratch/clock
export CLOCK
# turn SECONDS: by so much the clock is wrong from now on, in place
turn() { printf '%-32s' "$1" 1<>"$CLOCK"; }
turn 0
decade=315360000
requests() { grep -c 'calling handler' "$scratch/pebble.log"; }

# --- a clock that was never set ----------------------------------------------

exits 'a certificate' 0 "$clocked" issue a.example.com -c "standalone:$http_port" "$@"
exits 'an account' 0 "$clocked" account show "$@"
before=$(requests)
turn $((120 - $(date +%s)))
for command in "issue b.example.com -c standalone:$http_port" 'account show' 'account register' 'account update -m a@example.com' \
	"revoke $ACME_HOME/certs/a.example.com/live/cert.pem"; do
	# shellcheck disable=SC2086 # words
	exits "$command in 1970" 78 "$clocked" $command "$@"
	like 'the clock is named' "$err" 'the clock is wrong.* it says 1970-01-01T00:0[0-9]:[0-9][0-9]Z'
done
exits 'renew in 1970' 78 "$clocked" renew
like 'the clock is named' "$err" 'the clock is wrong, it says 1970-01-01T00:0[0-9]:[0-9][0-9]Z'
is 'the CA has heard nothing' "$(requests)" "$before"
exits 'what is there can be looked at' 0 "$clocked" list
exits 'a request needs no clock' 0 "$clocked" csr c.example.com --key "$scratch/c.key"
# It is not believed either: a server may show what was good then.
cat >"$scratch/ca.cnf" <<-END
	[ca]
	default_ca = d
	[d]
	database = $scratch/index
	serial = $scratch/serial
	new_certs_dir = $scratch
	default_md = sha256
	policy = p
	[p]
	commonName = supplied
END
: >"$scratch/index"
echo 01 >"$scratch/serial"
server_cert old localhost DNS:localhost
for days in '19600101000000Z 20491231000000Z' '19600101000000Z 19800101000000Z'; do
	rm -f "$scratch/index" && : >"$scratch/index"
	openssl ca -batch -notext -config "$scratch/ca.cnf" -cert "$ca" -keyfile "$scratch/ca.key" -in "$scratch/old.csr" \
		-startdate "${days% *}" -enddate "${days#* }" -extfile "$scratch/old.ext" -out "$scratch/old.pem" 2>"$scratch/openssl.log"
	front_name=old front_start old "location / { proxy_pass https://127.0.0.1:$pebble_port; }"
	exits "a certificate until ${days#* }" 78 "$clocked" account register -s "https://localhost:$front/dir" --ca-file "$ca"
	stop old
done
is 'the CA has heard nothing' "$(requests)" "$before"
turn 0

# --- a clock that is set meanwhile --------------------------------------------

cat >"$scratch/hook" <<END
#!/bin/sh
[ ! -e "$scratch/jump.\$1" ] || printf '%-32s' "\$(cat "$scratch/jump.\$1")" 1<>"$CLOCK"
exec "$clocked" hook standalone:$http_port "\$@"
END
chmod 755 "$scratch/hook"
for jump in $decade -$decade; do
	for method in begin 'done'; do
		turn 0
		name=$(echo "$method$jump" | tr -- - m).example.com
		echo "$jump" >"$scratch/jump.$method"
		exits "$jump seconds in $method" 0 "$clocked" issue "$name" two.example.com -c "$scratch/hook" "$@" --timeout 60
		rm "$scratch/jump.$method"
		is 'nothing is said' "$err" ''
		turn 0
		is 'the state is that of a right clock' "$(sed -n 's/^not_after=\(....-..-..\).*/\1/p' "$ACME_HOME/certs/$name/renewal")" \
			"$(date -u -d "$(openssl x509 -noout -enddate -in "$ACME_HOME/certs/$name/live/cert.pem" | cut -d= -f2)" +%Y-%m-%d)"
		exits 'nothing is due then' 2 "$clocked" renew "$name" -x
	done
done

# Ten years to and fro all the time, beginning when the run has begun.
start restless sh -c "while sleep 0.02; do
	[ -e '$scratch/jump' ] || continue
	printf '%-32s' $decade 1<>'$CLOCK'
	sleep 0.02
	printf '%-32s' -$decade 1<>'$CLOCK'
done"
cat >"$scratch/pre" <<END
#!/bin/sh
touch "$scratch/jump"
sleep 0.2
END
chmod 755 "$scratch/pre"
begun=$(date +%s)
exits 'a clock without rest' 0 "$clocked" issue r1.example.com r2.example.com r3.example.com \
	-c "standalone:$http_port" --pre-hook "$scratch/pre" "$@" --timeout 60
took=$(($(date +%s) - begun))
ok "nothing waits for it: $took s" test $took -lt 40
begun=$(date +%s%N)
exits 'a deadline does not move with it' 69 "$clocked" account register -s "https://localhost:$silent_port/dir" --ca-file "$ca" --timeout 2
took=$((($(date +%s%N) - begun) / 1000000))
ok "neither earlier nor later: $took ms" test $took -ge 1900 -a $took -lt 8000
rm "$scratch/jump"
stop restless
turn 0

# The responder's entries of other runs do not age by it.
hook() { "$clocked" hook "standalone:$http_port" "$1" http-01 a.example.com "$2" "$2.9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI"; }
served() { curl -s -o "$scratch/served" -w '%{http_code}' "http://127.0.0.1:$http_port/.well-known/acme-challenge/$1"; }
hook begin one
turn $decade
hook begin two
hook 'done' two
is 'what another run waits for is still served' "$(served one)" 200
hook 'done' one
turn 0

# --- --timeout ---------------------------------------------------------------------

# The CA at URL is given two seconds: WHERE, URL, what is said
while read -r where url text; do
	{
		begun=$(date +%s%N)
		"$acme" issue "$where.example.com" -c /bin/true -s "$url" --ca-file "$ca" --timeout 2 -H "$scratch/home.$where" 2>"$scratch/err.$where"
		echo "$? $((($(date +%s%N) - begun) / 1000000)) $text" >"$scratch/took.$where"
	} </dev/null 3>&- &
done <<END
resolver https://ca.example.test/dir no answer|timed out
connect https://192.0.2.1/dir timed out
handshake https://localhost:$silent_port/dir timed out
reply $stalled timed out
END
for where in resolver connect handshake reply; do
	turns=0
	until [ -s "$scratch/took.$where" ] || [ $((turns += 1)) -gt 200 ]; do sleep 0.1; done
	read -r status took text <"$scratch/took.$where"
	is "$where: the exit status" "$status" 69
	like 'the line tells' "$(cat "$scratch/err.$where")" "$text"
	ok "after two seconds: $took ms" test "$took" -ge 1900 -a "$took" -lt 8000
done

done_testing
