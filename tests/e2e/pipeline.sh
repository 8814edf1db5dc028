#!/bin/sh
# Requests in flights: how many there are, over how many connections, and that a CA
# or front end that does not bear them gets one at a time and loses nothing.  First
# against the scripted server (tests/ca/pipeline.py), then nginx in front of Pebble.
# shellcheck disable=SC2317 # rows call the functions
# shellcheck disable=SC2154 # variables of lib.sh
. "$(dirname "$0")/../lib.sh"
. tests/ca/play.sh

# --- what rows call, in the case's folder ---

# names N: n1.example to nN.example.
names()
{
	seq -f 'n%g.example' "$1"
}

# requests N: so many there were.
requests()
{
	[ "$(grep -Evc '^(connection|more |refused)' log)" -eq "$1" ]
}

# connections MIN MAX
connections()
{
	set -- "$1" "$2" "$(grep -c '^connection' log)"
	[ "$3" -ge "$1" ] && [ "$3" -le "$2" ]
}

# quick: one of three renewals took one connection; if the machine is busy, no server is quick.
quick()
{
	for i in 1 2 3; do
		before=$(grep -c '^connection' log)
		renew -f && connections $((before + 1)) $((before + 1)) && return
	done
	return 1
}

# timed COMMAND...: sets ms.
timed()
{
	ms=$(date +%s%3N)
	"$@" || return
	ms=$(($(date +%s%3N) - ms))
}

# took MIN MAX: s.
took()
{
	[ "$ms" -ge $(($1 * 1000)) ] && [ "$ms" -le $(($2 * 1000)) ]
}

# heads: no more than ten, and fifteen for each second.
heads()
{
	set -- "$(grep -c '^newNonce' log)"
	[ "$1" -gt 10 ] && [ "$1" -le $((10 + 15 * ms / 1000)) ]
}

# single: the account's file says so for a week.
single()
{
	until=$(sed -n 's/^singleUntil=//p' home/accounts/*/account)
	[ "$until" ] || return
	set -- $(($(date -d "$until" +%s) - $(date +%s)))
	[ "$1" -le 604800 ] && [ "$1" -gt 604700 ]
}

# single_until WHEN: the file says so, "" something that is no date.
single_until()
{
	until='next week'
	[ ! "$1" ] || until=$(date -u -d "$1" +%Y-%m-%dT%H:%M:%SZ)
	echo "singleUntil=$until" >>"$(echo home/accounts/*/account)"
}

# alone: each request came after the answer to the one before.
alone()
{
	! grep -q '^more' log
}

# in_flights_until KIND N: the Nth of that kind was the last that had something with it.
in_flights_until()
{
	awk -v kind="$1" -v last="$2" '
		$1 == "more" { if (after) bad = 1; else flights = 1 }
		$1 == kind && ++n == last { after = 1 }
		END { exit !flights || !after || bad }' log
}

# copies N: so many certificates, with ids of their own, whose renewal information is due.
copies()
{
	half_over n1.example
	for i in $(seq 2 "$1"); do
		cp -R home/certs/n1.example "home/certs/n$i.example"
		sed -i "s/^ari=.*/ari=AAAA.$(printf %04d "$i")/" "home/certs/n$i.example/renewal"
	done
}

# elsewhere N: the first N in the order of renew are of a CA that is not there.
elsewhere()
{
	for i in $("$acme" list -q | head -n "$1"); do
		sed -i 's,^server=.*,server=https://localhost:1/dir,' "home/certs/$i/renewal" "home/certs/$i/conf"
	done
}

# windows N: of so many it is known when the CA wants them renewed.
windows()
{
	[ "$(grep -l '^window_start=' home/certs/*/renewal | wc -l)" -eq "$1" ]
}

# stale ENDPOINT...: these have moved since the directory was written down.
stale()
{
	for i; do
		sed -i "s,^\\($i=.*\\)/$i\$,\\1/old," home/accounts/*/account
	done
	! fresh
}

fresh()
{
	! grep -q '/old$' home/accounts/*/account
}

# one_by_one: between two answers an authorization was looked at.
one_by_one()
{
	awk '$1 == "challenge" { if (answered) exit 1; answered = 1 } $1 == "authz" { answered = 0 }' log
}

# --- nginx in front of Pebble ---

pebble_start PEBBLE_VA_NOSLEEP=1 PEBBLE_VA_ALWAYS_VALID=1 PEBBLE_AUTHZREUSE=0 PEBBLE_WFE_NONCEREJECT=0
# shellcheck disable=SC2016,SC2034 # nginx's variables; lib.sh's
front_http='log_format flights "$connection $request_method $uri $status";
	limit_req_zone $binary_remote_addr zone=each:1m rate=20r/s;'

# through NAME DIRECTIVES: an nginx with these, and forty names by it, in the background.
through()
{
	front_name=$1 front_start server "access_log $scratch/$1.access flights;
		$2
		location / {
			proxy_pass https://127.0.0.1:$pebble_port;
			proxy_hide_header Retry-After;
		}"
	# shellcheck disable=SC2046 # a list
	{
		status=0
		ACME_HOME=$scratch/$1 "$acme" issue $(names 40) -s "https://localhost:$front/dir" --ca-file "$ca" \
			-c "$hook" --wait 0 --timeout 60 -v >"$scratch/$1.out" 2>&1 || status=$?
		echo $status >"$scratch/$1.status"
	} 3>&- &
	jobs="$jobs $!"
}

# seen NAME PATTERN: lines of nginx's log.
seen()
{
	grep -Ec "$2" "$scratch/$1.access"
}

# backed_off NAME: how often it was said, and is written down.
backed_off()
{
	echo "$(grep -c 'one request at a time from here on' "$scratch/$1.out") $(grep -c ^singleUntil= "$scratch/$1"/accounts/*/account)"
}

jobs=
through after20 'keepalive_requests 20;'
through after60 'keepalive_requests 60;'
through busy503 'limit_req zone=each burst=20 nodelay;'
through busy429 'limit_req zone=each burst=20 nodelay; limit_req_status 429;'

play tests/ca/pipeline.py

# shellcheck disable=SC2086 # a list
wait $jobs
for name in after20 after60 busy503 busy429; do
	is "$name: forty names" "$(cat "$scratch/$name.status")" 0
	is "$name: ordered once" "$(seen $name 'order-plz 201$')" 1
	is "$name: each challenge was answered once" "$(seen $name 'chalZ/.* 200$')" 40
done
is 'connections that end in good order after twenty requests: one request at a time' "$(backed_off after20)" '1 1'
is 'after sixty: that is nothing special' "$(backed_off after60)" '0 0'
is 'all the same there were several' "$([ "$(cut -d ' ' -f 1 "$scratch/after60.access" | sort -u | wc -l)" -gt 1 ] && echo yes)" yes
is 'more requests than the front lets through: one at a time' "$(backed_off busy503)" '1 1'
is 'the same with 429' "$(backed_off busy429)" '1 1'

done_testing
