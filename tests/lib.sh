# lib.sh - for the tests in tests/e2e (and tests/demo): TAP, a scratch folder,
# and servers on loopback that do not outlive the test.  Source it first:
#
#	. "$(dirname "$0")/../lib.sh"
#
# It sets
#	root		the checkout
#	acme		the program under test ($ACME, else ./acme)
#	scratch		a folder of this test, removed unless something failed
#	ACME_HOME	$scratch/home
# and ends with done_testing.  A test that sets private_network=1 before has
# network and mounts of its own: only loopback, all ports free; it is skipped
# where that cannot be.  All addresses are 127.0.0.1 (and ::1 in
# certificates); all ports are free ones.
# shellcheck shell=sh
# shellcheck disable=SC2034 # variables are what it hands out
set -u

root=$(cd "$(dirname "$0")" && while [ ! -f tests/lib.sh ] && [ "$PWD" != / ]; do cd ..; done && pwd)
cd "$root" || exit 1
acme=${ACME:-$root/acme}
PATH=$root/build/download/tools/usr/bin:$PATH:/usr/local/sbin:/usr/sbin:/sbin
export PATH LC_ALL=C TZ=UTC
umask 022
# What a surrounding make, CA bundle or proxy says is none of the test's business.
unset MAKEFLAGS MFLAGS MAKELEVEL ACME_HOME SSL_CERT_FILE HTTPS_PROXY https_proxy HTTP_PROXY http_proxy ALL_PROXY all_proxy

# Once more, in new namespaces; why that cannot be is told once skip_all is there.
no_network=
if [ "${private_network-}" ] && [ ! "${ACME_NAMESPACE-}" ]; then
	if [ "$(id -u)" -ne 0 ]; then
		no_network='a network of its own takes root'
	elif ! unshare -n -m true 2>/dev/null || ! command -v ip >/dev/null; then
		no_network='no network namespaces here'
	else
		ACME_NAMESPACE=1 exec unshare -n -m sh "$root/tests/e2e/$(basename "$0")" "$@"
	fi
elif [ "${private_network-}" ]; then
	unset ACME_NAMESPACE
	mount --make-rprivate / && ip link set lo up || no_network='no loopback in a network namespace'
fi

scratch=$(mktemp -d "${TMPDIR:-/tmp}/acme-test.XXXXXX") || exit 1
# The environment of all that is started here says so: left_running looks for it.
ACME_TEST=$scratch
ACME_HOME=$scratch/home
export ACME_TEST ACME_HOME

# What is handed out below; all empty until the server is there.
ca='' server='' management='' webroot='' tsig_file='' out='' err='' ran='' pid='' tools=''
http_port='' tls_port='' dns_port='' pebble_port='' management_port='' challtestsrv_port='' front=''
status=0

ok_count=0
failures=0
skips=0
finished=
servers=
ports=

# --- TAP ---------------------------------------------------------------
# Goes to descriptor 3, so that a test may redirect what its commands print.

exec 3>&1

diag()
{
	printf '%s\n' "$*" | sed 's/^/# /' >&3
}

# pass NAME, fail NAME [EXPLANATION]
pass()
{
	ok_count=$((ok_count + 1))
	echo "ok $ok_count - $1" >&3
}

fail()
{
	ok_count=$((ok_count + 1))
	failures=$((failures + 1))
	echo "not ok $ok_count - $1" >&3
	shift
	[ $# -eq 0 ] || diag "$@"
	show_run
	return 1
}

# skip NAME REASON
skip()
{
	ok_count=$((ok_count + 1))
	skips=$((skips + 1))
	echo "ok $ok_count - $1 # SKIP $2" >&3
}

# skip_all REASON: the whole test, before anything else.
skip_all()
{
	finished=1
	echo "1..0 # SKIP $1"
	exit 0
}

[ ! "$no_network" ] || { rm -rf "$scratch"; skip_all "$no_network"; }

# ok NAME COMMAND...: the promise holds if the command succeeds.
ok()
{
	ok_name=$1
	shift
	if "$@" 3>&-; then
		pass "$ok_name"
	else
		fail "$ok_name" "failed: $*"
	fi
}

# is NAME GOT WANT
is()
{
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		fail "$1" "got:  $2
want: $3"
	fi
}

# like NAME TEXT PATTERN, unlike NAME TEXT PATTERN: an extended regular expression.
like()
{
	if printf '%s\n' "$2" | grep -Eq -e "$3"; then
		pass "$1"
	else
		fail "$1" "got:  $2
like: $3"
	fi
}

unlike()
{
	if printf '%s\n' "$2" | grep -Eq -e "$3"; then
		fail "$1" "got:    $2
unlike: $3"
	else
		pass "$1"
	fi
}

# run COMMAND...: sets status, and out and err to what it printed.
run()
{
	ran=$*
	status=0
	"$@" >"$scratch/out" 2>"$scratch/err" </dev/null 3>&- || status=$?
	out=$(cat "$scratch/out")
	err=$(cat "$scratch/err")
}

# exits NAME STATUS COMMAND...: runs it and checks the exit status.
exits()
{
	exits_name=$1 exits_want=$2
	shift 2
	run "$@"
	is "$exits_name" "$status" "$exits_want"
}

# What the last run did, for whoever reads the failure.
show_run()
{
	[ "$ran" ] || return 0
	diag "last run: $ran"
	diag "exit status $status"
	tail -n 20 "$scratch/out" | sed 's/^/# stdout: /' >&3
	tail -n 40 "$scratch/err" | sed 's/^/# stderr: /' >&3
}

# The plan, and that all has ended which was started.
done_testing()
{
	stop_all
	is 'nothing is left running' "$(left_running)" ''
	echo "1..$ok_count" >&3
	finished=1
	[ $failures -eq 0 ]
	exit
}

# --- processes -----------------------------------------------------------

# Ids and command lines of processes that were started by this test and run.
left_running()
{
	# The grep itself is none of them.
	env -u ACME_TEST grep -lzxF "ACME_TEST=$scratch" /proc/[0-9]*/environ 2>/dev/null |
		while IFS=/ read -r _ _ left_pid _; do
			left_line=$(tr '\0' ' ' 2>/dev/null <"/proc/$left_pid/cmdline") && echo "$left_pid $left_line"
		done 2>/dev/null
}

# start NAME COMMAND...: in the background, output in $scratch/NAME.log; sets pid.
start()
{
	start_name=$1
	shift
	"$@" >"$scratch/$start_name.log" 2>&1 </dev/null 3>&- &
	pid=$!
	servers="$servers $start_name:$pid"
}

# stop NAME: ends it and waits.
stop()
{
	stop_rest=
	for stop_entry in $servers; do
		case $stop_entry in
		"$1":*) end_process "${stop_entry#*:}" ;;
		*) stop_rest="$stop_rest $stop_entry" ;;
		esac
	done
	servers=$stop_rest
}

stop_all()
{
	for stop_entry in $servers; do
		kill "${stop_entry#*:}" 2>/dev/null
	done
	for stop_entry in $servers; do
		end_process "${stop_entry#*:}"
	done
	servers=
}

# TERM, and KILL after five seconds.
end_process()
{
	kill "$1" 2>/dev/null
	end_turns=0
	while kill -0 "$1" 2>/dev/null && [ $end_turns -lt 50 ]; do
		sleep 0.1
		end_turns=$((end_turns + 1))
		[ $end_turns -ne 50 ] || kill -KILL "$1" 2>/dev/null
	done
	wait "$1" 2>/dev/null
}

cleanup()
{
	cleanup_status=$?
	trap '' HUP INT TERM
	stop_all
	left_running | while read -r left_pid left_line; do
		diag "killing what is left running: $left_pid $left_line"
		kill -KILL "$left_pid" 2>/dev/null
	done
	for cleanup_port in $ports; do
		rmdir "$root/build/ports/$cleanup_port" 2>/dev/null
	done
	if [ $failures -eq 0 ] && [ "$finished" ]; then
		rm -rf "$scratch"
	else
		diag "kept: $scratch"
	fi
	exit $cleanup_status
}
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# --- ports ---------------------------------------------------------------

# port_used PORT: somebody has it, on TCP or UDP, v4 or v6.
port_used()
{
	grep -qis "^ *[0-9]*: [0-9A-F]*:$(printf %04X "$1") " /proc/net/tcp /proc/net/tcp6 /proc/net/udp /proc/net/udp6
}

# free_port VARIABLE: a port that no other test gets; below those of clients.
free_port()
{
	mkdir -p "$root/build/ports"
	: "${next_port:=$((10000 + $$ * 61 % 20000))}"
	while
		next_port=$((next_port + 1))
		[ $next_port -lt 32000 ] || next_port=10000
		# A claim that is a day old is nobody's.
		find "$root/build/ports/$next_port" -prune -mtime +0 -exec rmdir {} \; 2>/dev/null
		port_used $next_port || ! mkdir "$root/build/ports/$next_port" 2>/dev/null
	do :; done
	ports="$ports $next_port"
	eval "$1=\$next_port"
}

# wait_port PORT [PID]: until somebody listens (TCP), at most twenty seconds.
wait_port()
{
	wait_hex=$(printf %04X "$1")
	wait_turns=0
	until grep -qis "^ *[0-9]*: [0-9A-F]*:$wait_hex [0-9A-F]*:0000 0A " /proc/net/tcp /proc/net/tcp6; do
		wait_turns=$((wait_turns + 1))
		if [ $wait_turns -gt 200 ] || { [ "${2-}" ] && ! kill -0 "$2" 2>/dev/null; }; then
			return 1
		fi
		sleep 0.1
	done
}

# begin NAME PORT COMMAND...: start, and wait until it listens; the test is over if it does not.
begin()
{
	begin_name=$1 begin_port=$2
	shift 2
	start "$begin_name" "$@"
	wait_port "$begin_port" "$pid" && return
	sed "s/^/# $begin_name: /" "$scratch/$begin_name.log"
	echo "Bail out! $begin_name does not start"
	exit 1
}

# need_tool NAME...: these programs of tests/tool are in $tools.  tests/run has
# them built; by hand it is done here.
need_tool()
{
	tools=${TOOLS:-$root/build/tests/tool}
	for need_name; do
		[ "${TOOLS-}" ] || make -s "build/tests/tool/$need_name" >"$scratch/make.log" 2>&1
		[ ! -x "$tools/$need_name" ] || continue
		sed 's/^/# /' "$scratch/make.log" 2>/dev/null
		echo "Bail out! no $tools/$need_name"
		exit 1
	done
}

# --- a CA for servers ------------------------------------------------------

# ca_make: $ca ($scratch/ca.pem), and $scratch/server.key, server.pem for
# localhost, 127.0.0.1 and ::1.
ca_make()
{
	ca=$scratch/ca.pem
	[ ! -f "$ca" ] || return 0
	(
		cd "$scratch" || exit 1
		set -e
		openssl ecparam -name prime256v1 -genkey -noout -out ca.key
		openssl req -x509 -new -key ca.key -sha256 -days 3650 -subj '/CN=acme test CA' \
			-addext basicConstraints=critical,CA:TRUE \
			-addext keyUsage=critical,keyCertSign,cRLSign -out ca.pem
		server_cert server localhost DNS:localhost,IP:127.0.0.1,IP:::1
	) >"$scratch/ca.log" 2>&1 || { sed 's/^/# /' "$scratch/ca.log"; echo 'Bail out! openssl'; exit 1; }
}

# server_cert FILE CN SAN,SAN...: $scratch/FILE.key and FILE.pem by the test CA.
server_cert()
{
	(
		cd "$scratch" || exit 1
		set -e
		openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"
		openssl req -new -key "$1.key" -subj "/CN=$2" -out "$1.csr"
		printf '%s\n' basicConstraints=critical,CA:FALSE keyUsage=critical,digitalSignature \
			extendedKeyUsage=serverAuth "subjectAltName=$3" >"$1.ext"
		openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial \
			-days 825 -sha256 -extfile "$1.ext" -out "$1.pem"
	) >>"$scratch/ca.log" 2>&1
}

# --- Pebble and its challenge test server ----------------------------------

# challtestsrv_start: DNS at 127.0.0.1:$dns_port (made if unset) that says 127.0.0.1 to every
# A query and is told more by: challtestsrv add-a '{"host":...}'
challtestsrv_start()
{
	[ "$dns_port" ] || free_port dns_port
	free_port challtestsrv_port
	begin challtestsrv "$challtestsrv_port" pebble-challtestsrv \
		-management "127.0.0.1:$challtestsrv_port" -dnsserver "127.0.0.1:$dns_port" \
		-http01 '' -https01 '' -tlsalpn01 '' -doh '' -defaultIPv6 '' -defaultIPv4 127.0.0.1
	wait_port "$dns_port" "$pid"
}

challtestsrv()
{
	curl -fsS -d "$2" "http://127.0.0.1:$challtestsrv_port/$1"
}

# pebble_start [NAME=VALUE]... [option]...: Pebble, validating at $http_port
# and $tls_port (made if unset), asking $dns_port (if set).  NAME=VALUE are its
# knobs, PEBBLE_VA_NOSLEEP=1 and so on; without them it is as Pebble is: sleeps,
# 5 % of nonces refused, half of the authorizations reused.  $pebble_config
# holds further members of its configuration, each with a comma at the end;
# $pebble_validity is its certificates' lifetime in seconds (ninety days), or
# $pebble_profiles has its profiles.
# With the word quick before them it does not sleep, and an nginx in front of it
# keeps Retry-After (Pebble knows a second, at least) from the client.
# Sets server (the directory URL), management, pebble_port; $ca is its server's CA.
# Further instances: pebble_name=second pebble_start ...
pebble_start()
{
	ca_make
	[ "$http_port" ] || free_port http_port
	[ "$tls_port" ] || free_port tls_port
	free_port pebble_port
	free_port management_port
	pebble_this=${pebble_name:-pebble}
	pebble_default="\"default\": { \"description\": \"the only one\", \"validityPeriod\": ${pebble_validity:-7776000} }"
	cat >"$scratch/$pebble_this.json" <<-END
	{ "pebble": { ${pebble_config-}
		"listenAddress": "127.0.0.1:$pebble_port",
		"managementListenAddress": "127.0.0.1:$management_port",
		"certificate": "$scratch/server.pem", "privateKey": "$scratch/server.key",
		"httpPort": $http_port, "tlsPort": $tls_port, "ocspResponderURL": "",
		"retryAfter": { "authz": ${pebble_retry:-1}, "order": ${pebble_retry:-1} },
		"keyAlgorithm": "ecdsa",
		"profiles": { ${pebble_profiles-$pebble_default} } } }
	END
	pebble_env=
	pebble_quick=
	while [ $# -gt 0 ]; do
		case $1 in
		quick) pebble_env=PEBBLE_VA_NOSLEEP=1 pebble_quick=1; shift ;;
		*=*) pebble_env="$pebble_env $1"; shift ;;
		*) break ;;
		esac
	done
	[ -z "$dns_port" ] || set -- -dnsserver "127.0.0.1:$dns_port" "$@"
	# shellcheck disable=SC2086 # a list of words
	begin "$pebble_this" "$pebble_port" env $pebble_env pebble -config "$scratch/$pebble_this.json" "$@"
	wait_port "$management_port" "$pid"
	server=https://localhost:$pebble_port/dir
	if [ "$pebble_quick" ]; then
		front_name=$pebble_this-front front_start server "location / {
			proxy_pass https://127.0.0.1:$pebble_port;
			proxy_hide_header Retry-After;
		}"
		server=https://localhost:$front/dir
	fi
	management=https://localhost:$management_port
}

# pebble_root: Pebble's own root and intermediate, which its certificates end
# at: $scratch/root.pem, intermediate.pem.  $pebble_chain: those of an alternate.
pebble_root()
{
	curl -fsS --cacert "$ca" -o "$scratch/root.pem" "$management/roots/${pebble_chain:-0}" &&
	curl -fsS --cacert "$ca" -o "$scratch/intermediate.pem" "$management/intermediates/${pebble_chain:-0}"
}

# --- other servers -----------------------------------------------------------

# resolv_conf LINE...: what programs here find in /etc/resolv.conf (private_network).
resolv_conf()
{
	printf '%s\n' "$@" >"$scratch/resolv.conf"
	grep -q " /etc/resolv.conf \|$scratch/resolv.conf" /proc/self/mounts ||
		mount --bind "$scratch/resolv.conf" /etc/resolv.conf
}

# nginx_start: a real nginx that serves $webroot ($scratch/www if unset) at $http_port.
nginx_start()
{
	[ "$http_port" ] || free_port http_port
	webroot=${webroot:-$scratch/www}
	mkdir -p "$webroot" "$scratch/nginx"
	cat >"$scratch/nginx.conf" <<-END
	daemon off;
	master_process off;
	pid $scratch/nginx/pid;
	error_log stderr;
	events { }
	http {
		access_log $scratch/nginx/access.log;
		client_body_temp_path $scratch/nginx/body;
		proxy_temp_path $scratch/nginx/proxy;
		fastcgi_temp_path $scratch/nginx/fastcgi;
		uwsgi_temp_path $scratch/nginx/uwsgi;
		scgi_temp_path $scratch/nginx/scgi;
		server {
			listen 127.0.0.1:$http_port;
			root $webroot;
		}
	}
	END
	begin nginx "$http_port" nginx -e stderr -p "$scratch/nginx" -c "$scratch/nginx.conf"
}

# front_start CERT LOCATIONS: an nginx at $front (made) with TLS, by server_cert's
# CERT, and these location blocks; what they pass on keeps its Host.  $front_http
# is for the block around that.  Further ones: front_name=second front_start ...
front_start()
{
	free_port front
	front_this=${front_name:-front}
	mkdir -p "$scratch/$front_this"
	cat >"$scratch/$front_this.conf" <<-END
	daemon off;
	master_process off;
	pid $scratch/$front_this/pid;
	error_log stderr;
	events { }
	http {
		${front_http-}
		access_log off;
		client_body_temp_path $scratch/$front_this/body;
		proxy_temp_path $scratch/$front_this/proxy;
		fastcgi_temp_path $scratch/$front_this/fastcgi;
		uwsgi_temp_path $scratch/$front_this/uwsgi;
		scgi_temp_path $scratch/$front_this/scgi;
		server {
			listen 127.0.0.1:$front ssl;
			ssl_certificate $scratch/$1.pem;
			ssl_certificate_key $scratch/$1.key;
			proxy_set_header Host \$http_host;
			$2
		}
	}
	END
	begin "$front_this" "$front" nginx -e stderr -p "$scratch" -c "$scratch/$front_this.conf"
}

# named_start: a real BIND at 127.0.0.1:$dns_port, TCP and UDP, with the zone
# example.test: every name in it is at 127.0.0.1.  Updates are signed by the
# key in $tsig_file (named's own format, as nsupdate -k takes it).
named_start()
{
	free_port dns_port
	tsig_file=$scratch/tsig.key
	mkdir -p "$scratch/named"
	cat >"$tsig_file" <<-END
	key "acme-test" {
		algorithm hmac-sha256;
		secret "$(openssl rand -base64 32)";
	};
	END
	cat >"$scratch/named/zone" <<-'END'
	$TTL 1
	@	SOA	ns hostmaster 1 3600 600 86400 1
	@	NS	ns
	@	A	127.0.0.1
	*	A	127.0.0.1
	ns	A	127.0.0.1
	END
	cat >"$scratch/named.conf" <<-END
	include "$tsig_file";
	controls { };
	options {
		directory "$scratch/named";
		pid-file none;
		session-keyfile none;
		managed-keys-directory "$scratch/named";
		listen-on port $dns_port { 127.0.0.1; };
		listen-on-v6 { none; };
		recursion no;
		dnssec-validation no;
		notify no;
		allow-transfer { none; };
	};
	zone "example.test" {
		type primary;
		file "zone";
		allow-update { key "acme-test"; };
	};
	END
	# A copy, as AppArmor's profile for the installed one would not let it read here.
	cp "$(command -v named)" "$scratch/named/named"
	begin named "$dns_port" "$scratch/named/named" -g -n 1 -c "$scratch/named.conf"
}
