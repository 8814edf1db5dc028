# play.sh - plays a table of tests/ca/server.py: each row is a test.  Source it behind
# lib.sh, then:
#
#	play TABLE
#
# Rows run what is here, and what the test that plays them defines itself.
# CASES="007 012" plays just those.
# shellcheck shell=sh
# shellcheck disable=SC2317,SC2094,SC3045 # rows call the functions; variables are called as files; dash and ash have ulimit -v
# shellcheck disable=SC2154 # variables of lib.sh

# A hook that accepts everything and tells what it was called with.
hook=$scratch/hook
cat >"$hook" <<'END'
#!/bin/sh
printf '%s\n' "$*" >>"$ACME_HOME.hook"
END
chmod 755 "$hook"

# What rows run: issue and the other commands, with what every row needs.
at_server()
{
	case " $* " in
	*' --timeout '*) ;;
	*) set -- "$@" --timeout 20 ;;
	esac
	IFS= read -r at <server
	"$acme" "$@" -s "$at" --ca-file "$ca"
}

issue()
{
	at_server issue "$@" -c "$hook" --wait 0
}

renew()
{
	"$acme" renew "$@" --ca-file "$ca"
}

revoke()
{
	"$acme" revoke "$@" --ca-file "$ca"
}

# again [OPTION...]: a certificate, and a forced renewal that is to fail and to leave it as it is.
again()
{
	issue a.example >first.out 2>&1 || return 99
	cp -RL home/certs/a.example/live before
	[ $# -gt 0 ] || set -- --timeout 15
	renew -f "$@"
}

account()
{
	at_server account "$@"
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

# In the case's folder: what the row runs; most of its time is waiting.
perform()
{
	[ ! -s needs ] && [ ! -s see ] || return
	ACME_HOME=$PWD/home
	IFS= read -r run <run
	: >begun
	# memory is bounded: all that the program could touch is 6 MB
	(ulimit -v 20000 && eval "$run") >got.out 2>got.err </dev/null
	echo $? >got
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

play()
{
	ca_make
	ca_port=''
	free_port ca_port
	begin ca "$ca_port" /usr/bin/python3 tests/ca/server.py "$ca_port" "$scratch" "$1"
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
	cd "$root" || exit 1
	/usr/bin/python3 tests/ca/judge.py "$@"
	for folder; do
		cd "$folder" || exit 1
		judge
	done
	cd "$root" || exit 1
	is 'the scripted server had no fault of its own' "$(grep -A20 Traceback "$scratch/ca.log")" ''
}
