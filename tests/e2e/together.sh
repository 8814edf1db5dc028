#!/bin/sh
# Many runs at once over one state directory, as a router starts them at boot:
# one account, the right files for every name, nothing ordered twice, and
# nobody waits for ever.
# shellcheck disable=SC2154 # variables of lib.sh
. "$(dirname "$0")/../lib.sh"

challtestsrv_start
free_port http_port
free_port tls_port
pebble_start quick PEBBLE_AUTHZREUSE=0 PEBBLE_WFE_NONCEREJECT=20
pebble_root
set -- -s "$server" --ca-file "$ca"

orders() { grep -c 'Added order' "$scratch/pebble.log"; }

# launch COMMAND...: one more at the same time.  landed PROMISE: all of them have
# ended, with 0, or with 75 since they met another, and then with 0.
jobs=0
launch()
{
	jobs=$((jobs + 1))
	printf '%s\n' "$@" >"$scratch/job.$jobs"
	{
		status=0
		"$@" >"$scratch/said.$jobs" 2>&1 </dev/null 3>&- || status=$?
		echo $status >"$scratch/status.$jobs"
	} &
	eval "pid_$jobs=$!"
}

landed()
{
	landed_wrong='' landed_later=0 job=0
	while [ $((job += 1)) -le $jobs ]; do
		eval "wait \$pid_$job"
		status=$(cat "$scratch/status.$job")
		if [ "$status" -eq 75 ]; then
			landed_later=$((landed_later + 1))
			# words without spaces
			# shellcheck disable=SC2046
			run $(cat "$scratch/job.$job")
			cp "$scratch/err" "$scratch/said.$job"
		fi
		[ "$status" -eq 0 ] || landed_wrong="$landed_wrong$status: $(tr '\n' ' ' <"$scratch/job.$job"): $(cat "$scratch/said.$job")
"
	done
	diag "$1: $jobs at once; $landed_later had to come again"
	is "$1" "$landed_wrong" ''
	jobs=0
}

# wrong NAME...: what is not as it should be with the certificate of these names
wrong()
{
	live=$ACME_HOME/certs/$1/live
	public=$(openssl x509 -in "$live/cert.pem" -noout -pubkey 2>&1)
	[ "$public" = "$(openssl pkey -in "$live/privkey.pem" -pubout 2>&1)" ] || echo "$1: another key"
	[ "$(openssl x509 -in "$live/cert.pem" -noout -ext subjectAltName 2>&1 | sed '1d; s/ *DNS://g' | tr , '\n' | sort | tr '\n' ' ')" = \
		"$(printf '%s\n' "$@" | sort | tr '\n' ' ')" ] || echo "$1: other names"
	openssl verify -CAfile "$scratch/root.pem" -untrusted "$live/chain.pem" "$live/cert.pem" >/dev/null 2>&1 ||
		echo "$1: another chain"
	[ ! -e "$ACME_HOME/certs/$1/pending" ] || echo "$1: an order is left"
}

all_wrong()
{
	i=0
	while [ $((i += 1)) -le 10 ]; do
		wrong "a$i.example.com" "b$i.example.com"
		[ $i -gt 5 ] || wrong "s$i.example.com"
		[ $i -gt 5 ] || wrong "t$i.example.com"
	done
}

generations() { readlink "$ACME_HOME"/certs/*/live | sort | uniq -c | tr -s ' ' | sed 's/^ //' | tr '\n' ' '; }

# --- a fresh state directory -------------------------------------------------

i=0
while [ $((i += 1)) -le 10 ]; do
	launch "$acme" issue "a$i.example.com" "b$i.example.com" -c "standalone:$http_port" "$@"
	[ $i -le 5 ] || continue
	launch "$acme" issue "t$i.example.com" -c "tls-alpn:$tls_port" "$@"
	launch "$acme" renew
done
i=0
while [ $((i += 1)) -le 5 ]; do
	launch "$acme" issue "s$i.example.com" -c "standalone:$http_port" "$@"
	launch "$acme" issue "s$i.example.com" -c "standalone:$http_port" "$@"
done
landed 'issue and renew'
is 'the CA has one account' "$(grep -c 'There are now [0-9]* accounts in memory' "$scratch/pebble.log")" 1
is 'and so has the state directory' "$(find "$ACME_HOME/accounts" -name 'key.pem*' | wc -l | tr -d ' ')" 1
is 'every certificate is right' "$(all_wrong)" ''
is 'and has been issued once' "$(generations)" '20 1 '
is 'by one order' "$(orders)" 20
is 'no challenge is left standing' "$(find "$ACME_HOME/hookdata/respond" -mindepth 1)" ''

# --- all of them due ------------------------------------------------------------

for file in "$ACME_HOME"/certs/*/renewal; do
	sed -i '/^next=/d; /^not_/d' "$file"
	printf '%s\n' not_before=2026-01-01T00:00:00Z not_after=2026-04-01T00:00:00Z next=2026-03-02T00:00:00Z >>"$file"
done
i=0
while [ $((i += 1)) -le 10 ]; do
	launch "$acme" renew
	launch "$acme" renew "a$i.example.com"
	launch "$acme" issue "a$i.example.com" "b$i.example.com" -c "standalone:$http_port" "$@"
done
landed 'renew of all, renew of one, issue of the same'
is 'every certificate is right' "$(all_wrong)" ''
is 'and was renewed once' "$(generations)" '20 2 '
is 'by one order' "$(orders)" 40

# --- one that holds a lock for long, and what a power cut leaves of locks -----------

for file in "$ACME_HOME"/locks/*; do
	printf 'pid 1 of a machine that lost its power' >"$file"
done
touch "$ACME_HOME/locks/.new"
exits 'locks that nobody holds hinder nobody' 0 "$acme" renew -f a1.example.com
cat >"$scratch/hook" <<-END
	#!/bin/sh
	if [ "\$1" = begin ]; then
		touch "$scratch/held"
		until [ -e "$scratch/enough" ]; do sleep 0.1; done
	fi
	exec "$acme" hook standalone:$http_port "\$@"
END
chmod 755 "$scratch/hook"
before=$(orders)
launch "$acme" issue -f held.example.com -c "$scratch/hook" "$@"
until [ -e "$scratch/held" ]; do sleep 0.1; done
# at once, since each waits for ten seconds
launch "$acme" renew held.example.com
launch "$acme" remove held.example.com
launch "$acme" revoke a2.example.com
launch "$acme" issue other.example.com -c "standalone:$http_port" "$@"
for job in 2 3 4 5; do
	eval "wait \$pid_$job"
done
is 'who meets a run on the same certificate is told to come later' "$(cat "$scratch"/status.[23] | tr '\n' ' ')" '75 75 '
like 'and why' "$(cat "$scratch"/said.2)" '^acme: held\.example\.com: another run is at work on this certificate'
is 'one on another certificate goes on' "$(cat "$scratch"/status.[45] | tr '\n' ' ')" '0 0 '
touch "$scratch/enough"
wait "$pid_1"
is 'as does the first' "$(cat "$scratch/status.1")" 0
is 'there were two orders' $(($(orders) - before)) 2
is 'its certificate is right' "$(wrong held.example.com)" ''

done_testing
