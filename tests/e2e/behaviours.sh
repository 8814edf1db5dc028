#!/bin/sh
# Behaviours of CAs that break naive clients, numbered as in the project's notes
# on the protocol: the program against tests/ca/server.py, which plays each row
# of tests/ca/behaviours.py ($TABLE: of another table; e2e/hostile.sh).
# CASES="007 012" plays just those.
# shellcheck disable=SC2317,SC2094,SC3045 # rows call the functions; variables are called as files; dash and busybox have ulimit -v
. "$(dirname "$0")/../lib.sh"

table=${TABLE:-tests/ca/behaviours.py}
ca_make
ca_port=''
free_port ca_port
begin ca "$ca_port" /usr/bin/python3 tests/ca/server.py "$ca_port" "$scratch" "$table"

# A hook that accepts everything and tells what it was called with.
hook=$scratch/hook
cat >"$hook" <<'END'
#!/bin/sh
printf '%s\n' "$*" >>"$ACME_HOME.hook"
END
chmod 755 "$hook"

# What rows run: issue and the other commands, with what every row needs.
issue()
{
	case " $* " in
	*' --timeout '*) ;;
	*) set -- "$@" --timeout 20 ;;
	esac
	"$acme" issue "$@" -c "$hook" --wait 0 -s "$(cat server)" --ca-file "$ca"
}

renew()
{
	"$acme" renew "$@" --ca-file "$ca"
}

revoke()
{
	"$acme" revoke "$@" --ca-file "$ca"
}

# The live files.
pair()
{
	(cd "$ACME_HOME/certs/a.example/live" && cat privkey.pem fullchain.pem cert.pem chain.pem | cksum)
}

# again [OPTION...]: a certificate, and a forced renewal that is to fail: 98 if it changed anything.
again()
{
	issue a.example >first.out 2>&1 || return 99
	sum=$(pair)
	again_status=0
	[ $# -gt 0 ] || set -- --timeout 15
	renew -f "$@" || again_status=$?
	[ "$(pair)" = "$sum" ] || return 98
	return "$again_status"
}

account()
{
	"$acme" account "$@" -s "$(cat server)" --ca-file "$ca" --timeout 20
}

# half_over NAME: as if more than half of its certificate's lifetime had passed.
half_over()
{
	{
		grep -Ev '^(not_before|not_after|next)=' "$ACME_HOME/certs/$1/renewal"
		date -u -d '50 days ago' +not_before=%Y-%m-%dT%H:%M:%SZ
		date -u -d '40 days' +not_after=%Y-%m-%dT%H:%M:%SZ
		date -u -d '10 days' +next=%Y-%m-%dT%H:%M:%SZ
	} >renewal
	cat renewal >"$ACME_HOME/certs/$1/renewal"
}

# The requests of one kind, and the calls of the hook.
count()
{
	case $1 in
	hook) [ ! -f home.hook ] || grep -c . home.hook ;;
	hook\ *) [ ! -f home.hook ] || grep -c "^${1#hook }" home.hook ;;
	*) grep -Ec "^$1( |\$)" log ;;
	esac
}

# wrong: what is not as the row has it, one a line; what holds for all rows is last.
wrong()
{
	read -r status <got
	read -r want <status
	read -r took <got.time
	IFS= read -r pattern <err
	IFS= read -r run <run
	[ "$status" -eq "$want" ] || echo "exit status $status, want $want"
	[ -z "$pattern" ] || grep -Eq -e "$pattern" got.err || echo "stderr is not like: $pattern"
	while read -r want kind; do
		seen=$(count "$kind")
		[ "${seen:-0}" -eq "$want" ] || echo "$kind: seen ${seen:-0}, want $want"
	done <seen
	# one line tells of a failure, none of success; where several commands are run, more may
	said=$(grep -v 'registered an account' got.err | grep -c .)
	case $status\;$pattern\;$run in
	*\;*\;*[\;\&]*) ;;
	0\;\;*) [ "$said" -eq 0 ] || echo "$said lines on stderr, want none" ;;
	0\;*) ;;
	*) [ "$said" -eq 1 ] || echo "$said lines on stderr, want one" ;;
	esac
	! grep -aq '[^[:print:]]' got.err || echo 'bytes on stderr that are not printable'
	! grep -q '^[^a]' got.err || echo 'a line that is not ours on stderr'
	! cat home/certs/*/*/privkey.pem home/accounts/*/key.pem 2>/dev/null | grep -v -e ----- | grep -qFf - got.out got.err ||
		echo 'a key is shown'
	[ "$(count 'hook begin')" = "$(count 'hook \(done\|failed\)')" ] || echo 'a hook is left standing'
	find home -name '*.tmp*' -o -name '.*' 2>/dev/null | sed 's/^/left: /'
	[ "$took" -le 45 ] || echo "took $took s"
}

# In the case's folder: what the row runs, most of its time is waiting; and what is wrong, to a file.
perform()
{
	[ ! -s needs ] && [ ! -s see ] || return
	ACME_HOME=$PWD/home
	begun=$(date +%s)
	# memory is bounded: all that the program could touch is 6 MB
	(ulimit -v 20000 && eval "$(cat run)") >got.out 2>got.err </dev/null
	echo $? >got
	echo $(($(date +%s) - begun)) >got.time
	wrong >faults 2>&1
}

# In the case's folder: one test.
judge()
{
	IFS= read -r text <text
	if [ -s needs ]; then
		skip "$text" "needs $(cat needs)"
	elif [ -s see ]; then
		see=$(cat see)
		ok "$text ($see)" grep -Fq -e "${see#*: }" "$root/${see%%: *}"
	elif [ -f faults ] && [ ! -s faults ]; then
		pass "$text"
	else
		fail "$text" "$(cat faults)
$(cat run)
$(tr '\n' ' ' <log)
$(cat got.err)"
	fi
}

set -- "$scratch"/cases/*
if [ "${CASES-}" ]; then
	set --
	for case in $CASES; do
		set -- "$@" "$scratch/cases/$case"
	done
fi
workers=
for turn in 0 1 2 3 4 5 6 7; do
	i=0
	for folder; do
		[ $((i % 8)) -ne $turn ] || { cd "$folder" && perform; }
		i=$((i + 1))
	done 3>&- &
	workers="$workers $!"
done
# shellcheck disable=SC2086 # a list
wait $workers
for folder; do
	cd "$folder" || exit 1
	judge
done
cd "$root" || exit 1
is 'the scripted server had no fault of its own' "$(grep -A20 Traceback "$scratch/ca.log")" ''
done_testing
