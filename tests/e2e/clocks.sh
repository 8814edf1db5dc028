#!/bin/sh
# Clocks: one that is wrong from the start is named and not trusted, one that is
# set during a run does not matter (tests/clocked.c has the clock).
# shellcheck disable=SC2154 # variables of lib.sh
. "$(dirname "$0")/../lib.sh"

case ${B:-build} in
/*) clocked=$B/tests/clocked ;;
*) clocked=$root/${B:-build}/tests/clocked ;;
esac
CLOCK=$scratch/clock
export CLOCK

# set_clock SECONDS: by so much the clock is wrong from now on; never is the file any other size.
set_clock() { printf '%-32s' "$1" 1<>"$CLOCK"; }

set_clock 0
challtestsrv_start
pebble_start PEBBLE_VA_NOSLEEP=1 PEBBLE_VA_ALWAYS_VALID=1 PEBBLE_AUTHZREUSE=0 PEBBLE_WFE_NONCEREJECT=0
cat >"$scratch/hook" <<'END'
#!/bin/sh
echo "$1" >>"$CLOCK.hook"
[ "$1" != begin ] || [ ! "${SET-}" ] || printf '%-32s' "$SET" 1<>"$CLOCK"
END
chmod 755 "$scratch/hook"
now=$(date +%s)

# --- wrong from the start ---

for command in "issue a.example -c $scratch/hook" renew; do
	set_clock -$((now - 120))
	# shellcheck disable=SC2086 # words
	exits "$command in 1970" 78 "$clocked" $command -s "$server" --ca-file "$ca"
	like 'names the clock' "$err" 'clock.*1970-01-01'
done
ok 'no hook has run, no account was made' test ! -e "$CLOCK.hook" -a ! -e "$ACME_HOME/accounts"
for years in 30 -1; do
	set_clock $((years * 365 * 86400))
	exits "a clock that is wrong by $years years" 78 "$clocked" issue a.example -c "$scratch/hook" -s "$server" --ca-file "$ca"
	like 'is named where the certificate of the CA does not fit' "$err" 'the clock'
done

# --- set during a run ---

SET=''
export SET
for years in 10 -10; do
	rm -rf "$ACME_HOME" "$CLOCK.hook"
	set_clock 0
	SET=$((years * 365 * 86400))
	begun=$(date +%s)
	exits "the clock is set by $years years between challenge and answer" 0 \
		"$clocked" issue a.example -c "$scratch/hook" -s "$server" --ca-file "$ca" --timeout 60
	ok 'nothing waits longer' test $(($(date +%s) - begun)) -lt 30
	is 'hooks ran once' "$(tr '\n' ' ' <"$CLOCK.hook")" 'begin done '
	set_clock 0
	SET=''
	exits 'the next run has nothing to do' 2 "$acme" renew -x
	like 'as the dates on disk are right' "$(cat "$ACME_HOME/certs/a.example/renewal")" "^next=20(2|3)[0-9]-"
done

done_testing
