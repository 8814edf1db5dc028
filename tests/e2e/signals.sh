#!/bin/sh
# INT, TERM, HUP and KILL wherever a run may be: what was set up is cleaned up
# once, the process ends by that very signal and at once, nothing of it is
# left, no lock is held, and the next run goes on.  LONG=1: each signal in each place.
# shellcheck disable=SC2154,SC2317 # variables of lib.sh; functions called by name
private_network=1
. "$(dirname "$0")/../lib.sh"

env --default-signal true 2>/dev/null || skip_all 'env knows no --default-signal'
# A black hole: what is sent there comes to this machine, which is not its address.
ip route add 192.0.2.0/24 dev lo || skip_all 'no route into nowhere'
need_tool peer
resolv_conf 'nameserver 192.0.2.53'
challtestsrv_start
free_port http_port
free_port tls_port
free_port silent_port
pebble_start PEBBLE_VA_NOSLEEP=1 PEBBLE_AUTHZREUSE=0 PEBBLE_WFE_NONCEREJECT=0
begin silent "$silent_port" "$tools/peer" "$silent_port" stall
# Requests of a kind (the first part of the path) are never answered while there
# is a file stall/KIND, and asked to come later with a file later/KIND.
mkdir "$scratch/stall" "$scratch/later" "$scratch/hang"
front_start server "location / {
	if (\$uri ~ ^/([a-zA-Z-]*)) { set \$kind \$1; }
	set \$to https://127.0.0.1:$pebble_port;
	set \$later '';
	if (-f $scratch/stall/\$kind) { set \$to http://127.0.0.1:$silent_port; }
	if (-f $scratch/later/\$kind) { set \$later 20; }
	if (\$later) { return 503; }
	proxy_pass \$to;
	proxy_hide_header Retry-After;
	add_header Retry-After \$later always;
}"
server=https://localhost:$front/dir

# A copy, so that its processes are told from others.
cp "$acme" "$scratch/acme"
acme=$scratch/acme
diary=$scratch/diary
# What all hooks do: begin and end of challenges by standalone, and whatever hangs.
cat >"$scratch/hook" <<END
#!/bin/sh
what=\${1%_cert}
echo "\$what" >>"$diary"
if [ -e "$scratch/hang/\$what" ]; then
	echo \$\$ >>"$scratch/hanging"
	exec sleep 300
fi
case \$2 in
http-01) exec "$acme" hook standalone:$http_port "\$@" ;;
esac
END
chmod 755 "$scratch/hook"

# within MILLISECONDS COMMAND...
within()
{
	within_end=$(($(date +%s%N) / 1000000 + $1))
	shift
	until "$@"; do
		[ $(($(date +%s%N) / 1000000)) -lt $within_end ] || return 1
		sleep 0.05
	done
}

# peer PROTOCOL STATE PORT-IN-HEX: somebody here has such a connection to that port
connection() { grep -qi "^ *[0-9]*: [0-9A-F]*:[0-9A-F]* [0-9A-F]*:$3 $2 " "/proc/net/$1"; }
asking() { connection udp 01 0035; }
connecting() { connection tcp 02 01BB; }
silence() { connection tcp 01 "$(printf %04X "$silent_port")"; }
hanging() { [ -s "$scratch/hanging" ]; }
begun() { [ -s "$diary" ]; }
said() { grep -Eq "$1" "$scratch/err"; }

orders() { grep -c 'Added order' "$scratch/pebble.log"; }
diary() { tr '\n' ' ' <"$diary" | sed 's/ $//'; }
ours() { left_running | grep " $acme \(issue\|renew\)"; }
gone() { [ -z "$(ours)" ]; }
# Locks that are held: of the certificate and the account of this case.
held()
{
	for file in "$ACME_HOME/locks/certs%2f$name" "$ACME_HOME"/locks/accounts*"$place$signal"; do
		[ ! -e "$file" ] || flock -n "$file" true || echo "${file##*/}"
	done
}

# Sets status, and took (milliseconds), of COMMAND that got SIGNAL (-SIGNAL: with its
# process group) as soon as READY was true.
interrupted()
{
	sig=$1 ready=$2
	shift 2
	rm -f "$scratch/hanging"
	: >"$diary"
	case $sig in
	-*) set -- setsid "$@" ;;
	esac
	ran="$sig: $*"
	env --default-signal "$@" >"$scratch/out" 2>"$scratch/err" </dev/null 3>&- &
	pid=$!
	# shellcheck disable=SC2086 # words
	within 20000 $ready || echo "not ready: $ready" >>"$scratch/err"
	sleep 0.05
	since=$(date +%s%N)
	case $sig in
	-*) kill "$sig" "-$pid" ;;
	*) kill "-$sig" $pid ;;
	esac
	status=0
	wait $pid 2>/dev/null || status=$?
	took=$((($(date +%s%N) - since) / 1000000))
	[ "$took" -le "$slowest" ] || slowest=$took
}
slowest=0

number()
{
	case ${1#-} in
	HUP) echo 129 ;;
	INT) echo 130 ;;
	KILL) echo 137 ;;
	TERM) echo 143 ;;
	esac
}

# at PLACE READY OBSTACLE STOPPED KILLED RESUMED OPTION...: an issuance that got
# into that place because of a file OBSTACLE gets signals there.  What the hooks'
# diary has then: after a stop signal, after KILL, and when the next run, without the
# obstacle, is done ("no" where there can be none).  In check it is one of the three
# in turn, and KILL where a child is at work or a lock of consequence is held.
turn=0
at()
{
	place=$1 ready=$2 obstacle=$3 stopped=$4 killed=$5 resumed=$6
	shift 6
	signals="INT TERM HUP KILL -INT"
	if [ ! "${LONG-}" ]; then
		turn=$((turn % 3 + 1))
		signals=$(echo INT TERM HUP | cut -d' ' -f$turn)
		case " $kill_at " in
		*" $place "*) signals="$signals KILL" ;;
		esac
		case " $group_at " in
		*" $place "*) signals="$signals -INT" ;;
		esac
	fi
	for signal in $signals; do
		name=$(echo "$place$signal" | tr '[:upper:]' '[:lower:]').example.com
		before=$(orders)
		[ ! "$obstacle" ] || touch "$scratch/$obstacle"
		interrupted "$signal" "$ready" "$acme" issue "$name" -v --ca-file "$ca" --account "$place$signal" "$@"
		diag "$place, SIG$signal: $took ms"
		want_diary=$stopped
		[ "$signal" != KILL ] || want_diary=$killed
		is "$place, SIG$signal: the end" "$status" "$(number "$signal")"
		is 'what hooks have seen' "$(diary)" "$want_diary"
		ok 'nothing of it is left' within 2000 gone
		is 'no lock is held' "$(held)" ''
		rm -f "$scratch"/hang/* "$scratch"/stall/* "$scratch"/later/*
		if [ "$signal" = KILL ] && hanging; then
			ok 'a hook outlives it' kill -0 "$(tail -n 1 "$scratch/hanging")"
		fi
		case $resumed in
		no) ok 'how to go on is known' test -s "$ACME_HOME/certs/$name/conf" ;;
		*)
			exits 'the next run goes on' 0 "$acme" renew "$name" --wait 0
			is 'and cleans up' "$(diary)" "$resumed"
			ok 'and is done' test -s "$ACME_HOME/certs/$name/live/cert.pem" -a ! -e "$ACME_HOME/certs/$name/pending"
			is 'with one order' $(($(orders) - before)) 1
			;;
		esac
		[ ! -e "$scratch/hanging" ] || while read -r pid; do kill -KILL "$pid" "-$pid"; done <"$scratch/hanging" 2>/dev/null
	done
}

kill_at='resolve handshake account begin zone poll deploy'
group_at='directory begin'	# as from a terminal
set -- -s "$server" -c "$scratch/hook"
at resolve asking '' '' '' no -s https://ca.example.test/dir -c "$scratch/hook"
at connect connecting '' '' '' no -s https://192.0.2.1/dir -c "$scratch/hook"
at handshake silence '' '' '' no -s "https://localhost:$silent_port/dir" -c "$scratch/hook"
at directory silence stall/dir '' '' 'begin done' "$@"
at account silence stall/sign-me-up '' '' 'begin done' "$@"
at begin hanging hang/begin 'begin failed' begin 'begin failed begin done' "$@"
at wait begun '' 'begin failed' begin 'begin failed begin done' "$@" --wait 60
at zone asking '' 'begin failed' begin no "$@" -t dns-01
at answer silence stall/chalZ 'begin failed' begin 'begin failed begin done' "$@"
at poll silence stall/my-order 'begin failed' begin 'begin failed' "$@"
at later 'said POST.*/finalize-order/' later/finalize-order 'begin done' 'begin done' 'begin done' "$@"
at download silence stall/certZ 'begin done' 'begin done' 'begin done' "$@"
at deploy hanging hang/deploy 'begin done deploy' 'begin done deploy' 'begin done deploy deploy' "$@" -l "$scratch/hook"
at reload hanging hang/reload 'begin done reload' 'begin done reload' 'begin done reload reload' "$@" -r "'$scratch/hook' reload"

# --- where there is more to it ------------------------------------------------

# While it waits for a lock, and before it begins.
name=beginint.example.com
flock "$ACME_HOME/locks/certs%2f$name" sh -c "echo >'$scratch/hanging.lock'; exec sleep 300" 3>&- &
holder=$!
within 10000 test -e "$scratch/hanging.lock"
asleep() { grep -q '^State:.S' "/proc/$pid/status"; }
interrupted TERM asleep "$acme" issue -f "$name" --ca-file "$ca" "$@"
is 'a wait for a lock is ended' "$status" 143
unlike 'without a word of the lock' "$(cat "$scratch/err")" 'another run'
pkill -P $holder
wait $holder
rm "$scratch/hanging.lock"
file=$ACME_HOME/certs/$name/renewal
sed -i '/^next=/d; /^not_/d' "$file"
printf '%s\n' not_before=2026-01-01T00:00:00Z not_after=2026-04-01T00:00:00Z next=2026-03-02T00:00:00Z >>"$file"
before=$(cat "$file")
interrupted HUP asleep "$acme" renew "$name" --jitter 10000
is 'a random delay is ended' "$status" 129
is 'before anything has changed' "$(cat "$file")" "$before"

# By the signal, and not by an exit status that looks like it.
touch "$scratch/hang/begin"
rm -f "$scratch/hanging"
cat >"$scratch/parent" <<-'END'
	import os, signal, subprocess, sys, time
	child = subprocess.Popen(sys.argv[2:], stderr=subprocess.DEVNULL)
	while not os.path.exists(sys.argv[1]):
	    time.sleep(0.02)
	child.send_signal(signal.SIGINT)
	print(child.wait())
END
exits 'another parent' 0 /usr/bin/python3 "$scratch/parent" "$scratch/hanging" "$acme" issue parent.example.com --ca-file "$ca" "$@"
is 'sees it end by the signal' "$out" -2
rm "$scratch/hang/begin"

# A second one while hooks clean up: they are left to the next run.
rm -f "$scratch/hanging"
: >"$diary"
touch "$scratch/hang/failed" "$scratch/stall/chalZ"
env --default-signal "$acme" issue two.example.com more.example.com --ca-file "$ca" "$@" >"$scratch/out" 2>"$scratch/err" </dev/null 3>&- &
pid=$!
within 20000 silence
kill -INT $pid
within 20000 hanging
sleep 0.2
ok 'a first signal lets hooks clean up' kill -0 $pid
since=$(date +%s%N)
kill -INT $pid
status=0
wait $pid 2>/dev/null || status=$?
took=$((($(date +%s%N) - since) / 1000000))
is 'a second one is the end' "$status" 130
ok "at once: $took ms" test $took -lt 2000
is 'after the one that was at it' "$(diary)" 'begin begin failed'
ok 'nothing of it is left' within 2000 gone
name=two.example.com
is 'no lock is held' "$(held)" ''
rm -f "$scratch"/hang/* "$scratch"/stall/*
exits 'the next run goes on' 0 "$acme" renew two.example.com
is 'and cleans up what was left' "$(diary)" 'begin begin failed failed failed begin begin done done'

# PIPE: whoever read our output may be gone.
{
	"$acme" issue pipe.example.com -v --ca-file "$ca" "$@" 3>&- 2>&1
	echo $? >"$scratch/status"
} | true
is 'nobody reads the messages: the certificate comes' "$(cat "$scratch/status")" 0
{
	"$acme" list 2>"$scratch/err" 3>&-
	echo $? >"$scratch/status"
} | true
is 'nobody reads the output: the exit status tells' "$(cat "$scratch/status") $(cat "$scratch/err")" '73 '

# STOP and CONT: time goes on meanwhile, for deadlines as for hooks.
rm -f "$scratch/hanging"
: >"$diary"
touch "$scratch/stall/my-order"
env --default-signal setsid "$acme" issue stop.example.com --ca-file "$ca" "$@" --timeout 3 >"$scratch/out" 2>"$scratch/err" </dev/null 3>&- &
pid=$!
within 20000 silence
kill -STOP "-$pid"
sleep 4
since=$(date +%s%N)
kill -CONT "-$pid"
status=0
wait $pid || status=$?
took=$((($(date +%s%N) - since) / 1000000))
is 'stopped until after the deadline, a run ends with it' "$status" 69
ok "at once: $took ms" test $took -lt 2000
is 'and cleans up' "$(diary)" 'begin failed'
rm "$scratch/stall/my-order"
cat >"$scratch/slow" <<END
#!/bin/sh
[ "\$1" != begin ] || { echo >"$scratch/hanging"; sleep 1; }
exec "$acme" hook standalone:$http_port "\$@"
END
chmod 755 "$scratch/slow"
env --default-signal setsid "$acme" issue cont.example.com --ca-file "$ca" -s "$server" -c "$scratch/slow" --hook-timeout 2 >"$scratch/out" 2>"$scratch/err" </dev/null 3>&- &
pid=$!
within 20000 hanging
kill -STOP "-$pid"
sleep 3
kill -CONT "-$pid"
status=0
wait $pid || status=$?
is 'a hook that ended meanwhile was in time' "$status" 0

diag "at most $slowest ms from a signal to the end"
# two seconds are what a process has that TERM does not end, or that nobody reaps
ok 'the end comes soon' test "$slowest" -lt 2500

done_testing
