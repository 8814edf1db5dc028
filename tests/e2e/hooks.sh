#!/bin/sh
# The hook contract: five arguments, batched, declines, journal, clean-up
# always; deploy hooks and what is owed.  Hooks here keep a diary.
. "$(dirname "$0")/../lib.sh"

challtestsrv_start
free_port http_port
free_port tls_port
pebble_start quick PEBBLE_AUTHZREUSE=0
diary=$scratch/diary
export diary challtestsrv_port

# A hook that answers http-01 with challtestsrv's help would need its port; it
# starts no server, but serves through the responder and writes the diary.
cat >"$scratch/hook" <<END
#!/bin/sh
echo "\$# \$*" >>"$diary"
env | grep -E '^U?ACME_' | sort >"$scratch/env.\$1"
ls /proc/self/fd | tr '\n' ' ' >"$scratch/fds"
[ "\$2" = http-01 ] || exit 1
[ ! -f "$scratch/fail-\$1" ] || exit "\$(cat "$scratch/fail-\$1")"
[ ! -f "$scratch/hang-\$1" ] || { touch "$scratch/hanging"; sleep 30; }
exec "$acme" hook standalone:$http_port "\$@"
END
chmod 755 "$scratch/hook"
set -- -s "$server" --ca-file "$ca" -c "$scratch/hook"

exits 'three names by a hook' 0 "$acme" issue a.example.com b.example.com c.example.com "$@" -e GREETING="a b'c\"d"
is 'all are set up before any is cleaned up, in reverse order' \
	"$(awk '{ print $2, $3, $4 }' "$diary" | grep http-01 | awk '{ print $1 }' | uniq -c | awk '{ print $1, $2 }' | tr '\n' ' ')" \
	'3 begin 3 done '
is 'in reverse order' \
	"$(awk '$2 == "begin" && $3 == "http-01" { print $4 }' "$diary" | sort -r | tr '\n' ' ')" \
	"$(awk '$2 == "begin" && $3 == "http-01" { print $4 }' "$diary" | sort -r | tr '\n' ' ')"
is 'each clean-up has the arguments of its begin' \
	"$(awk '$2 == "begin" && $3 == "http-01"' "$diary" | cut -d' ' -f3- | sed '1!G;h;$!d')" \
	"$(awk '$2 == "done"' "$diary" | cut -d' ' -f3-)"
is 'always five arguments' "$(cut -d' ' -f1 "$diary" | sort -u)" 5
for v in UACME_CONFDIR UACME_VERBOSE UACME_METHOD UACME_TYPE UACME_IDENT UACME_TOKEN UACME_AUTH ACME_KEYAUTH \
	ACME_WILDCARD ACME_NAME ACME_IDENTS ACME_REMAINING ACME_SERVER ACME_HOME; do
	like "$v is in the environment" "$(cat "$scratch/env.begin")" "^$v="
done
is 'ACME_IDENTS' "$(grep ^ACME_IDENTS "$scratch/env.begin")" 'ACME_IDENTS=a.example.com b.example.com c.example.com'
is 'the last has none to come' "$(grep ^ACME_REMAINING "$scratch/env.begin")" ACME_REMAINING=0
is 'only descriptors 0 to 2, and that of ls' "$(cat "$scratch/fds")" '0 1 2 3 '
is 'its data directory is there' "$(stat -c %a "$ACME_HOME/hookdata/a.example.com")" 700

: >"$diary"
exits 'a hook that declines all' 3 "$acme" issue d.example.com "$@" -t dns-01
like 'is told so' "$err" 'accepted no challenge for d\.example\.com'
is 'and is not cleaned up' "$(awk '{ print $2 }' "$diary" | sort -u)" begin
unlike 'nothing stands' "$(ls "$ACME_HOME/certs/d.example.com/pending/hooks" 2>/dev/null)" '.'

: >"$diary"
echo 126 >"$scratch/fail-begin"
exits 'a hook that aborts' 3 "$acme" issue e.example.com f.example.com "$@"
is 'is cleaned up with failed' "$(awk '{ print $2 }' "$diary" | grep -v begin)" failed
rm "$scratch/fail-begin"

: >"$diary"
exits 'a hook that is missing' 78 "$acme" issue g.example.com -s "$server" --ca-file "$ca" -c "$scratch/nowhere"

# a challenge that the CA finds wrong
cat >"$scratch/wrong" <<END
#!/bin/sh
echo "\$1 \$ACME_ERROR" >>"$diary"
[ "\$2" = http-01 ]
END
chmod 755 "$scratch/wrong"
: >"$diary"
exits 'a challenge that fails' 1 "$acme" issue h.example.com -s "$server" --ca-file "$ca" -c "$scratch/wrong"
like 'says why, and for which name' "$err" 'validation of h\.example\.com failed: .*(connection|unauthorized)'
like 'the hook is told' "$(cat "$diary")" 'failed .*h\.example\.com'

# a signal in the middle of each wait: hook, propagation, polling
for sig in INT TERM HUP; do
	case $sig in INT) n=130 ;; TERM) n=143 ;; HUP) n=129 ;; esac
	: >"$diary"
	touch "$scratch/hang-begin"
	rm -f "$scratch/hanging"
	"$root/tests/signal" $sig "$scratch/hanging" "$acme" issue i$sig.example.com "$@" >"$scratch/out" 2>"$scratch/err"
	is "SIG$sig in a hook is raised again" $? "$n"
	is 'after the clean-up, once' "$(awk '{ print $2 }' "$diary" | grep -c failed)" 1
	rm -f "$scratch/hang-begin"
	: >"$diary"
	"$root/tests/signal" $sig "$diary" "$acme" issue j$sig.example.com "$@" --wait 30 >"$scratch/out" 2>"$scratch/err"
	is "SIG$sig while waiting" $? "$n"
	is 'clean-up, once' "$(awk '{ print $2 }' "$diary" | grep -c failed)" 1
	unlike 'no challenge is left standing' "$(ls "$ACME_HOME/hookdata/respond/"* 2>/dev/null)" '^[A-Za-z0-9_-]{20,}$'
done

# killed: the next run cleans up and goes on with the same order
: >"$diary"
"$root/tests/signal" KILL "$diary" "$acme" issue k.example.com "$@" --wait 30 >"$scratch/out" 2>"$scratch/err"
is 'killed while waiting' $? 137
like 'a hook stands' "$(ls "$ACME_HOME/certs/k.example.com/pending/hooks")" .
order=$(sed -n 's/^url=//p' "$ACME_HOME/certs/k.example.com/pending/order")
: >"$diary"
exits 'the next run goes on' 0 "$acme" issue k.example.com "$@" --wait 0 -v
is 'after cleaning up' "$(awk '{ print $2 }' "$diary" | head -n 1)" failed
like 'with the same order' "$err" "POST $order "
unlike 'and orders nothing new' "$err" '/order-plz'
: >"$diary"
"$root/tests/signal" KILL "$diary" "$acme" issue l.example.com "$@" --wait 30 >"$scratch/out" 2>"$scratch/err"
: >"$diary"
exits 'renew goes on with it as well' 0 "$acme" renew l.example.com --wait 0
like 'after cleaning up' "$(cat "$diary")" ' failed http-01 l.example.com'

# deploy hooks, reload, what is owed
cat >"$scratch/deploy" <<END
#!/bin/sh
echo "\$# \$* \$RENEWED_LINEAGE \$RENEWED_DOMAINS \$ACME_EVENT" >>"$scratch/deployed"
[ ! -f "$scratch/fail-deploy" ]
END
chmod 755 "$scratch/deploy"
touch "$scratch/fail-deploy"
exits 'a deploy hook that fails' 4 "$acme" issue m.example.com "$@" -l "$scratch/deploy" -r "echo reloaded >>'$scratch/deployed'"
live=$ACME_HOME/certs/m.example.com/live
is 'it got dehydrated'"'"'s arguments' "$(head -n 1 "$scratch/deployed" | sed 's/ [0-9]* \([^ ]* [^ ]* issued\)$/ EPOCH \1/')" \
	"7 deploy_cert m.example.com $live/privkey.pem $live/cert.pem $live/fullchain.pem $live/chain.pem EPOCH $live m.example.com issued"
like 'the reload ran all the same' "$(cat "$scratch/deployed")" reloaded
ok 'the certificate is in place' test -f "$live/cert.pem"
: >"$scratch/deployed"
exits 'it is owed' 4 "$acme" renew m.example.com
rm "$scratch/fail-deploy"
exits 'and run again until it succeeds' 0 "$acme" renew m.example.com
is 'without the reload that succeeded' "$(grep -c reloaded "$scratch/deployed")" 0
: >"$scratch/deployed"
exits 'then no more' 0 "$acme" renew m.example.com
is 'nothing runs' "$(cat "$scratch/deployed")" ''
exits 'pre and post hook' 0 "$acme" issue n.example.com "$@" --pre-hook "echo pre >>'$scratch/deployed'" --post-hook "echo post >>'$scratch/deployed'"
is 'run in that order' "$(tr '\n' ' ' <"$scratch/deployed")" 'pre post '

# a hook that hangs
touch "$scratch/hang-begin"
: >"$diary"
exits 'a hook that hangs is ended' 3 "$acme" issue o.example.com "$@" --hook-timeout 1
like 'and said to' "$err" 'seconds'
rm "$scratch/hang-begin"

# uacme's own hook
mkdir -p "$scratch/www/.well-known/acme-challenge"
nginx_start
UACME_CHALLENGE_PATH=$scratch/www/.well-known/acme-challenge
CHALLENGE_PATH=$UACME_CHALLENGE_PATH
export UACME_CHALLENGE_PATH CHALLENGE_PATH
exits "uacme's hook script, unmodified" 0 "$acme" issue p.example.com -s "$server" --ca-file "$ca" \
	-c "$root/build/download/tools/usr/share/uacme/uacme.sh"
done_testing
