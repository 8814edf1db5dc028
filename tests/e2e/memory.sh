#!/bin/sh
# Peak resident memory of complete issuances: VmHWM of every process of ours
# that is alive at once, summed, read while strace holds each at its exit.  Hooks do not
# count; the responder behind a built-in one is told beside it.
. "$(dirname "$0")/../lib.sh"

case $(file -L "$acme" 2>/dev/null) in
*statically*) ;;
*) skip_all 'only for the static binary' ;;
esac
strace -o /dev/null true 2>/dev/null || skip_all 'strace may not trace here'
challtestsrv_start
free_port http_port
free_port tls_port
pebble_start PEBBLE_VA_NOSLEEP=1 PEBBLE_AUTHZREUSE=0 PEBBLE_WFE_NONCEREJECT=0
# A copy, so that its processes are told from those of other tests.
cp "$acme" "$scratch/acme"
acme=$scratch/acme
exe=$(readlink -f "$acme")

# peak LIMIT NAME COMMAND...: the greatest sum, in KiB, over processes alive together:
# the keeper and what descends from it, but for hooks, which became that by execve, and
# the responder, which has no parent among them.
peak()
{
	limit=$1 peak_name=$2
	shift 2
	: >"$scratch/ticks"
	tick=0
	strace -f -qq -s 200 -o "$scratch/strace.log" -e trace=execve,exit_group \
		-e inject=exit_group:delay_enter=300000 "$@" >"$scratch/out" 2>"$scratch/err" &
	tracer=$!
	while kill -0 $tracer 2>/dev/null; do
		tick=$((tick + 1))
		for p in $(pgrep -x acme || :); do
			[ "$(readlink "/proc/$p/exe" 2>/dev/null)" = "$exe" ] || continue
			hwm=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$p/status" 2>/dev/null)
			parent=$(sed -n 's/^PPid:[^0-9]*//p' "/proc/$p/status" 2>/dev/null)
			[ "$parent" != "$tracer" ] || keeper=$p
			[ -z "$hwm" ] || echo "$tick $p $hwm $parent" >>"$scratch/ticks"
		done
		sleep 0.03
	done
	wait $tracer
	status=$?
	is "$peak_name succeeds" $status 0
	sed -n 's/^\([0-9]*\) *execve("[^"]*", \["[^"]*", "hook".*/\1/p' "$scratch/strace.log" >"$scratch/hooks"
	sum=$(awk -v keeper="$keeper" '
		FILENAME ~ /hooks$/ { hook[$1] = 1; next }
		$2 == keeper { ours[$2] = 1 }
		$4 in ours && !($2 in hook) { ours[$2] = 1 }
		!($2 in ours) && !($2 in hook) && $3 > responder { responder = $3 }
		$2 in ours {
			n++
			last[$2] = $3; tick[n] = $1; pid[n] = $2
		}
		END {
			for (i = 1; i <= n; i++) {
				s[tick[i]] += last[pid[i]]
				parts[tick[i]] = parts[tick[i]] " " last[pid[i]]
				if (s[tick[i]] > max) { max = s[tick[i]]; at = tick[i] }
			}
			print max + 0, "=" parts[at], "; responder", responder + 0
		}' "$scratch/hooks" "$scratch/ticks")
	diag "$peak_name: $sum KiB"
	ok "$peak_name stays below $limit KiB" test "${sum%% *}" -lt "$limit"
	ok 'and was measured' test "${sum%% *}" -gt 100
}

peak 1280 'EC, standalone' "$acme" issue e.example.com -c "standalone:$http_port" -s "$server" --ca-file "$ca"
peak 1280 'RSA 4096 key, tls-alpn' "$acme" issue r.example.com -k rsa4096 -c "tls-alpn:$tls_port" -s "$server" --ca-file "$ca"
# shellcheck disable=SC2046 # a list of names
peak 1536 '100 names' "$acme" issue $(seq -f 'n%g.example.com' 100) -c "standalone:$http_port" -s "$server" --ca-file "$ca"
done_testing
