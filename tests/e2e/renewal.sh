#!/bin/sh
# When certificates are renewed: by the CA's word (RFC 9773), by their
# lifetime, by --days; back-off; many at once.  Days pass by changing the times
# in the file renewal, and Pebble says what it is told to.
. "$(dirname "$0")/../lib.sh"

challtestsrv_start
free_port http_port
free_port tls_port
pebble_start PEBBLE_VA_NOSLEEP=1
set -- -s "$server" --ca-file "$ca" -c "standalone:$http_port"
renewal=$ACME_HOME/certs/a.example.com/renewal

# at SECONDS: that moment from now, as in the file
at() { date -u -d "@$(($(date +%s) + $1))" +%Y-%m-%dT%H:%M:%SZ; }
seconds() { date -u -d "$1" +%s; }
day=86400

# value KEY [NAME], put NAME KEY=VALUE...: lines of the file renewal; no VALUE removes one
value() { sed -n "s/^$1=//p" "$ACME_HOME/certs/${2:-a.example.com}/renewal"; }
put()
{
	put_file=$ACME_HOME/certs/$1/renewal
	shift
	for line; do
		sed -i "/^${line%%=*}=/d" "$put_file"
		[ ! "${line#*=}" ] || echo "$line" >>"$put_file"
	done
}

# aged NAME: past half of its lifetime, and not due for long; nothing known from the CA
aged()
{
	put "$1" not_before="$(at $((-100 * day)))" not_after="$(at $((90 * day)))" next="$(at $((60 * day)))" \
		ask= window_start= window_end= chosen= explanation=
}

# says NAME TEXT: what Pebble answers from now on
says()
{
	says_pem=$(sed 's/$/\\n/' "$ACME_HOME/certs/$1/live/cert.pem" | tr -d '\n')
	printf '{"certificate":"%s","ARIResponse":"%s"}' "$says_pem" "$(printf '%s' "$2" | sed 's/["\\]/\\&/g')" |
	curl -fsS --cacert "$ca" -A test -d @- "$management/set-renewal-info/" >/dev/null
}

# window START END [MEMBER]: seconds from now
window() { echo "{\"suggestedWindow\":{\"start\":\"$(at "$1")\",\"end\":\"$(at "$2")\"}${3-}}"; }

exits 'a certificate' 0 "$acme" issue a.example.com "$@"
exits 'more than half of its life is left' 2 "$acme" renew -x -v
is 'nobody is asked' "$out$err" ''

# --- the CA is asked ---

aged a.example.com
exits 'half of it is over' 2 "$acme" renew -x -v
like 'the CA is asked' "$err" '^acme: GET .*renewalInfo'
is 'nothing else' "$(printf '%s\n' "$err" | grep -cE ': (GET|HEAD|POST) ')" 1
start=$(seconds "$(value window_start)") end=$(seconds "$(value window_end)") chosen=$(seconds "$(value chosen)")
ok 'its window is kept, and a moment in it' test "$start" -le "$chosen" -a "$chosen" -lt "$end"
is 'and when to ask again: as Retry-After says' "$((($(seconds "$(value ask)") - $(date +%s) + 60) / 3600))" 6
exits 'show knows' 0 "$acme" show a.example.com
like 'when it will be renewed' "$out" "^next_renewal: $(value chosen)\$"
like 'the window' "$out" "^window_end: $(value window_end)\$"
like 'and who issued it' "$out" "^obtained_from: $server\$"
exits 'list too' 0 "$acme" list
like 'when' "$out" " $(value chosen | cut -c 1-10)\$"
exits 'before that time' 2 "$acme" renew -x -v
is 'it is not asked again' "$out$err" ''

put a.example.com ask="$(at -60)"
before=$(cat "$renewal"; stat -c '%y %i' "$renewal")
exits 'after it' 2 "$acme" renew -x -v
like 'it is' "$err" 'GET .* 200 '
is 'the same window changes nothing on disk, the moment chosen stays' "$(cat "$renewal"; stat -c '%y %i' "$renewal")" "$before"
exits 'run every hour' 2 "$acme" renew -x -v --interval 3600
exits 'it is asked' 2 "$acme" renew -x -v --interval 3600
is 'once in the time that it says' "$err" ''

mv "$ACME_HOME/accounts" "$scratch/accounts"
put a.example.com ask=
exits 'without an account' 2 "$acme" renew -x -v
like 'it is asked as well' "$err" 'GET .*/dir 200 '
rm -rf "$ACME_HOME/accounts"
mv "$scratch/accounts" "$ACME_HOME/accounts"

put a.example.com ask=
says a.example.com "$(window $((5 * day)) $((7 * day)) ',"explanationURL":"https://ca.example/why\u001b[31m"')"
exits 'the window moves' 2 "$acme" renew -x
like 'the explanation is shown, printable' "$err" 'renewed: https://ca\.example/why\\x1b\[31m$'
start=$(seconds "$(value window_start)") chosen=$(seconds "$(value chosen)")
ok 'and a moment chosen anew' test "$start" -le "$chosen" -a "$chosen" -lt $((start + 2 * day))
exits 'show has it too' 0 "$acme" show -j a.example.com
like 'as JSON' "$out" '"explanation":"https://ca\.example/why'

# --- answers that are none ---

# useless NAME ANSWER NOTE
useless()
{
	says a.example.com "$2"
	put a.example.com ask=
	useless_before=$(cat "$renewal")
	exits "$1" 2 "$acme" renew -x
	is 'is passed over in silence' "$out$err" ''
	is 'and changes nothing' "$(cat "$renewal")" "$useless_before"
	exits 'with -v' 2 "$acme" renew -x -v
	like 'it is told' "$err" "$3"
}
useless 'an inverted window' "$(window $((7 * day)) $((5 * day)))" 'no proper window'
moment=$(at 5)
useless 'one that is empty' "{\"suggestedWindow\":{\"start\":\"$moment\",\"end\":\"$moment\"}}" 'no proper window'
useless 'one after its end' "$(window $((91 * day)) $((92 * day)))" 'makes no sense'
useless 'one in a century' "$(window $((36500 * day)) $((36501 * day)))" 'makes no sense'
useless 'one of 1970' '{"suggestedWindow":{"start":"1970-01-01T00:00:00Z","end":"1970-01-02T00:00:00Z"}}' 'makes no sense'
useless 'no JSON' 'tomorrow' 'not a JSON object'
useless 'no window' '{}' 'no proper window'
useless 'an odd date' '{"suggestedWindow":{"start":"soon","end":"later"}}' 'no proper window'
ari=$(value ari)
put a.example.com ari="${ari%?}"
useless 'one that the CA does not know' '{}' 'HTTP 4'
put a.example.com ari="$ari"

# --- what is renewed ---

generation() { readlink "$ACME_HOME/certs/${1:-a.example.com}/live"; }
says a.example.com "$(window $((-3 * day)) $((-2 * day)))"
put a.example.com ask=
exits 'a window in the past' 0 "$acme" renew -x
is 'renews at once' "$(generation)" 2
is 'and is forgotten' "$(value window_start)$(value chosen)$(value explanation)" ''
aged a.example.com
cp "$ACME_HOME/certs/a.example.com/live/cert.pem" "$scratch/copy.pem"
exits 'revoked at the CA, not by us' 0 "$acme" revoke "$scratch/copy.pem" -s "$server" --ca-file "$ca" \
	-H "$scratch/elsewhere" --cert-key "$ACME_HOME/certs/a.example.com/live/privkey.pem"
exits 'is' 0 "$acme" renew -x
is 'renewed at once' "$(generation)" 3

aged a.example.com
put a.example.com window_start="$(at $((-day)))" window_end="$(at $((3 * day)))" chosen="$(at 90000)"
exits 'a moment after the next run' 2 "$acme" renew -x -q
put a.example.com ask="$(at 3600)" chosen="$(at 80000)"
exits 'one before it' 0 "$acme" list --due -q
is 'is due' "$out" a.example.com
exits 'but not for an hourly run' 2 "$acme" renew -x --interval 3600
exits 'for a daily one' 0 "$acme" renew -x
is 'it is renewed' "$(generation)" 4
put a.example.com next="$(at 80000)"
exits 'the same by its lifetime' 0 "$acme" renew -x
is 'it is renewed' "$(generation)" 5

exits '--days for once' 2 "$acme" renew -x --days 89
exits 'more than are left' 0 "$acme" renew -x --days 91
exits 'is not kept' 2 "$acme" renew -x
exits '--days kept' 0 "$acme" issue a.example.com "$@" --days 60
is 'plans it' "$((($(seconds "$(value next)") - $(date +%s) + 3600) / day))" 30
put a.example.com not_before="$(at $((-100 * day)))"
exits 'the CA is not asked then' 2 "$acme" renew -x -v
is 'at all' "$err" ''
put a.example.com next="$(at 3600)"
exits 'and it is not due an hour before' 2 "$acme" renew -x
put a.example.com next="$(at -1)"
exits 'but then' 0 "$acme" renew -x
exits 'without --days' 0 "$acme" issue a.example.com "$@"
is 'it is as before' "$((($(seconds "$(value next)") - $(date +%s) + 3600) / day))" 60

# --- six days, from a daily cron ---

pebble_name=short pebble_validity=518400
first=$server first_port=$pebble_port
pebble_start PEBBLE_VA_NOSLEEP=1
exits 'six days' 0 "$acme" issue six.example.com -s "$server" --ca-file "$ca" -c "standalone:$http_port"
ages='' i=0
while [ $((i += 1)) -le 4 ]; do
	for key in not_before not_after next; do
		put six.example.com $key="$(at $(($(seconds "$(value $key six.example.com)") - $(date +%s) - day)))"
	done
	was=$(generation six.example.com)
	run "$acme" renew six.example.com
	[ "$(generation six.example.com)" = "$was" ] && ages="$ages good" || ages="$ages renewed"
done
is 'a daily cron renews them every two days' "$ages" ' good renewed good renewed'
stop short
server=$first

# --- many ---

i=0
while [ $((i += 1)) -le 10 ]; do
	cp -R "$ACME_HOME/certs/a.example.com" "$ACME_HOME/certs/m$i.example.com"
	aged m$i.example.com
done
aged a.example.com
put six.example.com not_before="$(at -60)" next="$(at $((3 * day)))"
exits 'eleven are asked for' 2 strace -f -e trace=connect -o "$scratch/trace" "$acme" renew -x -v
is 'each once' "$(printf '%s\n' "$err" | grep -c 'GET .* 200 ')" 11
is 'over one connection' "$(grep -c "htons($first_port)" "$scratch/trace")" 1
exits 'and again' 2 strace -f -e trace=connect -o "$scratch/trace" "$acme" renew -x -v
is 'not a connection' "$(grep -c connect "$scratch/trace")$err" 0

# a thousand of which none is due
many=$scratch/many
mkdir -p "$many/accounts" "$many/locks" "$many/certs"
(
	umask 077
	seq -f "$many/certs/n%g.example.com" 1000 | xargs mkdir
	# shellcheck disable=SC2046 # a list of files
	tee $(seq -f "$many/certs/n%g.example.com/renewal" 1000) <"$ACME_HOME/certs/a.example.com/renewal" >"$scratch/one"
)
chmod 700 "$many" "$many"/*
exits 'a thousand, none due' 2 strace -f -o "$scratch/trace" "$acme" renew -x -H "$many"
is 'one file is read of each' "$(grep -c 'open.*"renewal"' "$scratch/trace")" 1000
is 'and nothing else, nothing written, nobody asked' "$(grep -cE '"conf"|"live"|O_CREAT|O_WRONLY|rename|connect\(' "$scratch/trace")" 0
ok 'in twelve system calls each' test "$(grep -c '(.*) *= ' "$scratch/trace")" -le 12300
diag "$(grep -c '(.*) *= ' "$scratch/trace") system calls"
rm -r "$many"

# a failing one among good ones
put m2.example.com next= chosen=
put m5.example.com next= chosen=
put m8.example.com next= chosen=
printf '#!/bin/sh\nexit 126\n' >"$scratch/broken"
chmod 755 "$scratch/broken"
sed -i "s|^hook=.*|hook=$scratch/broken|; s/a\.example/fresh.example/" "$ACME_HOME/certs/m5.example.com/conf"
exits 'one of three fails' 3 "$acme" renew -x
is 'the others are renewed' "$(generation m2.example.com)$(generation m8.example.com)" "$(($(generation) + 1))$(($(generation) + 1))"
is 'that one is not' "$(generation m5.example.com)" "$(generation)"
pause=$(($(seconds "$(value back_off m5.example.com)") - $(date +%s)))
ok 'and is to be tried in a minute' test $pause -gt 50 -a $pause -le 60
exits 'until then' 75 "$acme" renew -x
like 'it is not' "$err" '^acme: m5\.example\.com: not tried again before 20'
exits 'unless forced' 3 "$acme" renew -f m5.example.com
pause=$(($(seconds "$(value back_off m5.example.com)") - $(date +%s)))
ok 'then in ten' test $pause -gt 590 -a $pause -le 600
put m5.example.com owed='reload false'
exits 'what it owes is tried' 4 "$acme" renew m5.example.com
is 'without the CA' "$(value failures m5.example.com)" 2
put m5.example.com owed= back_off="$(at $((2 * day)))"
exits 'a pause from a clock that was wrong does not count' 3 "$acme" renew m5.example.com
"$acme" remove m5.example.com

# --- what was lost, and a CA that does not answer ---

rm "$renewal"
exits 'a lost file' 2 "$acme" renew -x
is 'is made from the certificate' "$(value ari),$(value server)" "$(cat "$ACME_HOME/certs/a.example.com/live/cert.pem" >"$scratch/copy.pem"; "$acme" cert "$scratch/copy.pem" | sed -n 's/^ari_id: //p'),$server"
for i in 1 2 3; do
	aged m$i.example.com
done
stop pebble
exits 'nobody answers' 2 "$acme" renew -x
is 'and nobody is bothered with it' "$out$err" ''
exits 'with -v' 2 "$acme" renew -x -v
like 'it is told' "$err" '^acme: connecting to localhost '
is 'once for each CA' "$(printf '%s\n' "$err" | wc -l)" 1
put m1.example.com next=
put m2.example.com window_start="$(at $((-day)))" window_end="$(at $((3 * day)))" chosen="$(at -5)"
exits 'what is due fails' 69 "$acme" renew -x
like 'each' "$(value failures m1.example.com)$(value failures m2.example.com)" 11

done_testing
