#!/bin/sh
# The wait for the name servers of a zone, and acme dns: real BINDs at port 53
# of a network of its own, as two resolvers, a primary, a secondary that gets each change
# three seconds late and is the one that the CA asks, and one that speaks IPv6 only.
#
# shellcheck disable=SC2154 # variables of lib.sh
# shellcheck disable=SC2034,SC2317 # read there; called by name
private_network=1
. "$(dirname "$0")/../lib.sh"

tsig_file=$scratch/tsig.key
printf 'key "acme-test" {\n\talgorithm hmac-sha256;\n\tsecret "%s";\n};\n' "$(openssl rand -base64 32)" >"$tsig_file"

# name_server NAME ADDRESS OPTION...: a named there, port 53; zones on standard input
name_server()
{
	bind_name=$1 bind_address=$2
	shift 2
	mkdir -p "$scratch/$bind_name"
	case $bind_address in
	*:*) bind_listen="listen-on { none; }; listen-on-v6 { $bind_address; };" ;;
	*)
		# BIND listens on addresses of interfaces only.
		[ "$bind_address" = 127.0.0.1 ] || ip addr add "$bind_address/8" dev lo
		bind_listen="listen-on { $bind_address; }; listen-on-v6 { none; };"
		;;
	esac
	{
		cat <<-END
		include "$tsig_file";
		controls { ${bind_control-} };
		options {
			directory "$scratch/$bind_name";
			pid-file none;
			session-keyfile none;
			$bind_listen
			query-source address 127.0.0.1;
			dnssec-validation no;
			empty-zones-enable no;
			allow-transfer { any; };
			allow-notify { any; };
			$*
		};
		END
		cat
	} >"$scratch/$bind_name.conf"
	cp "$(command -v named)" "$scratch/$bind_name/named"
	start "$bind_name" "$scratch/$bind_name/named" -g -n 1 -c "$scratch/$bind_name.conf"
	bind_turns=0
	until grep -q 'all zones loaded' "$scratch/$bind_name.log"; do
		bind_turns=$((bind_turns + 1))
		if [ $bind_turns -gt 100 ] || ! kill -0 "$pid" 2>/dev/null; then
			sed "s/^/# $bind_name: /" "$scratch/$bind_name.log"
			echo "Bail out! $bind_name does not start"
			exit 1
		fi
		sleep 0.1
	done
}

# zone NAME LINE...: its file at the primary
zone()
{
	zone_name=$1
	shift
	# shellcheck disable=SC2016 # $TTL is the zone file's
	printf '%s\n' '$TTL 1' '@ SOA ns1.example.test. hostmaster.example.test. 1 3600 600 86400 1' \
		'@ NS ns1.example.test.' "$@" >"$scratch/primary/$zone_name"
}

mkdir "$scratch/primary"
zone example.test '@ NS ns2' '@ NS ns6' 'ns1 A 127.0.0.2' 'ns2 A 127.0.0.3' 'ns6 AAAA ::1' \
	'ns6 AAAA 2001:db8::53' 'ns9 A 127.0.0.9' '@ A 127.0.0.1' '@ AAAA ::1' \
	'@ CAA 0 issue "ca.example;accounturi=x"' 'alias CNAME target.acme' 'odd TXT "two " "strings" ' 'odd TXT "\009\255"' \
	'_acme-challenge.www CNAME 0123.acme.test.' \
	"$(i=0; while [ $((i += 1)) -le 9 ]; do echo "_acme-challenge.big TXT $i$(printf '%0200d' 0)"; done)"
zone acme.test '@ NS ns2.example.test.'
zone dead.test '@ NS ns9.example.test.'
zone lame.test '@ NS ns6.example.test.'
for z in example acme dead lame; do
	echo "zone \"$z.test\" { type primary; file \"$z.test\"; allow-update { key acme-test; }; };" >>"$scratch/primaries"
done
for z in example acme; do
	echo "zone \"$z.test\" { type secondary; file \"$z.test\"; primaries { 127.0.0.2; }; };" >>"$scratch/secondaries"
	echo "zone \"$z.test\" { type static-stub; server-addresses { 127.0.0.3; }; };" >>"$scratch/stubs"
done
for z in dead lame; do
	echo "zone \"$z.test\" { type static-stub; server-addresses { 127.0.0.2; }; };" >>"$scratch/stubs"
done
name_server primary 127.0.0.2 'recursion no; notify explicit; also-notify { ::1; };' <"$scratch/primaries"
bind_control='inet 127.0.0.3 port 953 allow { any; } keys { acme-test; };'
name_server slow 127.0.0.3 'recursion no; notify no;' <"$scratch/secondaries"
bind_control=
name_server six ::1 'recursion no; notify no;' <"$scratch/secondaries"
name_server dead 127.0.0.9 'blackhole { any; };' </dev/null
# The CA has a resolver of its own: what ours was told is not there does not stay so for it.
for r in 127.0.0.1 127.0.0.4; do
	name_server "resolver-$r" $r 'recursion yes; max-cache-ttl 1; max-ncache-ttl 1;' <"$scratch/stubs"
done
resolv_conf '# a comment' 'nameserver 127.0.0.4' 'search example.test'

# What the hook has changed is at the slow server three seconds later.
start transfers sh -c "
	trap exit TERM
	while sleep 0.1; do
		[ -f '$scratch/changed' ] || continue
		rm '$scratch/changed'
		sleep 3
		for z in example acme; do
			rndc -s 127.0.0.3 -k '$tsig_file' retransfer \$z.test
		done
	done"

cat >"$scratch/hook" <<END
#!/bin/sh
[ "\$3" != www.example.test ] || export ACME_RECORD=0123.acme.test
"$root/hooks/nsupdate" "\$@" || exit
[ "\$1" != begin ] || echo x | tee "$scratch/changed" >"$scratch/begun"
END
chmod 755 "$scratch/hook"
export NSUPDATE_SERVER=127.0.0.2 NSUPDATE_KEY="$tsig_file" NSUPDATE_TTL=1
dns_port=53
pebble_start PEBBLE_VA_NOSLEEP=1 PEBBLE_AUTHZREUSE=0 PEBBLE_WFE_NONCEREJECT=0

# timed SECONDS-AT-LEAST AT-MOST NAME STATUS COMMAND...
timed()
{
	timed_least=$1 timed_most=$2 timed_name=$3 timed_status=$4
	shift 4
	timed_start=$(date +%s)
	exits "$timed_name" "$timed_status" "$@"
	timed_took=$(($(date +%s) - timed_start))
	diag "$timed_name: $timed_took s"
	ok "$timed_name: after $timed_least to $timed_most seconds" \
		[ "$timed_took" -ge "$timed_least" ] && [ "$timed_took" -le "$timed_most" ]
}

issue()
{
	"$acme" issue -f "$@" -c "$scratch/hook" -s "$server" --ca-file "$ca"
}

# --- what takes half a minute runs beside the rest ------------------------------------

main_server=$server
pebble_name=always pebble_start PEBBLE_VA_ALWAYS_VALID=1 PEBBLE_VA_NOSLEEP=1
always=$server
server=$main_server
for z in dead lame nowhere; do
	case $z in
	nowhere) hook=/bin/true ;;
	*) hook=$scratch/hook ;;
	esac
	start "$z" sh -c "
		'$acme' issue $z.test -H '$scratch/home-$z' -c '$hook' -t dns-01 -s '$always' --ca-file '$ca'
		echo \"status \$?\"
		date +%s >'$scratch/$z.end'"
	date +%s >"$scratch/$z.start"
done

# --- acme dns ----------------------------------------------------------------------------

for type in NS SOA A AAAA TXT; do
	name=example.test
	[ $type != TXT ] || name=_acme-challenge.big.example.test
	case $type in
	NS) servers_asked='127.0.0.2:53 ns1.example.test ns2 [::1]:53' ;;
	*) servers_asked=::1 ;;
	esac
	for at in '' $servers_asked; do
		# shellcheck disable=SC2086 # none for the resolver
		exits "dns $type at ${at:-the resolver}" 0 "$acme" dns $type $name $at
		is 'the same as dig says' "$(echo "$out" | sort)" \
			"$(dig +short @127.0.0.2 $name $type | tr -d \" | sed 's/\.$//; s/\. / /g' | sort)"
	done
done
exits 'dns CAA' 0 "$acme" dns CAA example.test
is 'flags, tag and value' "$out" '0 issue "ca.example;accounturi=x"'
exits 'dns CNAME' 0 "$acme" dns cname alias.example.test.
is 'its target' "$out" target.acme.example.test
exits 'dns TXT' 0 "$acme" dns TXT odd.example.test
is 'strings are joined, other bytes escaped' "$(echo "$out" | sort)" '\x09\xff
two strings'
exits 'no such name' 1 "$acme" dns A nothing.example.test
like 'is said' "$err" '^acme: no such name: nothing\.example\.test$'
exits 'no such record' 1 "$acme" dns TXT example.test
like 'is said as well' "$err" '^acme: example\.test has no TXT record$'
exits 'an alias of nothing' 1 "$acme" dns A alias.example.test
like 'is named' "$err" 'alias of target\.acme\.example\.test'
exits 'a server without the zone' 69 "$acme" dns A lame.test ::1
like 'and what it says' "$err" '::1 answers REFUSED for lame\.test A'
exits 'nobody there' 69 "$acme" dns A example.test 127.0.0.8
like 'is named' "$err" 'no answer from 127\.0\.0\.8: Connection refused'
exits 'a server that cannot be found' 69 "$acme" dns A example.test nothing.example.test
like 'is named, too' "$err" 'cannot resolve nothing\.example\.test: no such host'
exits 'an unknown type' 64 "$acme" dns MX example.test
exits 'a name with an empty label' 64 "$acme" dns A example..test
exits 'a port that is none' 64 "$acme" dns A example.test 127.0.0.2:0
exits 'one operand' 64 "$acme" dns A

# --- the wait -------------------------------------------------------------------------------

timed 0 4 'without the wait the CA sees nothing' 1 issue example.test --wait 0
# what the CA's resolver has cached of nothing ends, and the slow server is done with it
sleep 3
timed 2 15 'an apex and its wildcard, after the slow server has both' 0 issue example.test '*.example.test'
is 'nothing is said' "$err" ''
timed 2 15 'by aliases in another zone' 0 issue www.example.test
timed 2 15 'one after the other' 0 issue a.example.test b.example.test --serial
timed 2 15 'more than fits into UDP' 0 issue big.example.test
like 'that needed TCP' "$(dig +ignore +bufsize=512 @127.0.0.2 _acme-challenge.big.example.test TXT)" 'flags: qr aa tc'
# shellcheck disable=SC2046 # words
timed 2 20 'twelve names' 0 issue $(i=0; while [ $((i += 1)) -le 12 ]; do echo "n$i.example.test"; done)

rm -f "$scratch/begun"
"$root/tests/signal" TERM "$scratch/begun" "$acme" issue stop.example.test -c "$scratch/hook" \
	-s "$server" --ca-file "$ca" >"$scratch/out" 2>"$scratch/err"
is 'a signal ends the wait' $? 143
exits 'and what was set up is gone' 1 "$acme" dns TXT _acme-challenge.stop.example.test 127.0.0.2

# --- what cannot be waited for -----------------------------------------------------------------

for z in dead lame nowhere; do
	turns=0
	until [ -f "$scratch/$z.end" ] || [ $((turns += 1)) -gt 400 ]; do
		sleep 0.1
	done
	took=$(($(cat "$scratch/$z.end") - $(cat "$scratch/$z.start")))
	diag "$z: $took s: $(cat "$scratch/$z.log")"
	like "$z: the certificate is there" "$(cat "$scratch/$z.log")" '^status 0$'
	case $z in
	dead)
		like 'a dead server is named' "$(cat "$scratch/$z.log")" \
			'name server ns9\.example\.test \(127\.0\.0\.9\) does not answer; zone dead\.test was not checked there'
		ok 'after half a minute' [ "$took" -le 40 ]
		;;
	lame)
		like 'what a lame server says is told' "$(cat "$scratch/$z.log")" \
			'name server ns6\.example\.test \(::1\) answers REFUSED; zone lame\.test was not checked there'
		ok 'after half a minute' [ "$took" -le 40 ]
		;;
	nowhere)
		like 'a name without a zone is told, and what to do' "$(cat "$scratch/$z.log")" \
			'cannot check the TXT value of _acme-challenge\.nowhere\.test: .*; --wait SECONDS'
		ok 'after twenty seconds' [ "$took" -le 25 ]
		;;
	esac
done
done_testing
