#!/bin/sh
# Peak resident memory of complete issuances: VmHWM of every process of ours
# that is alive at once, summed, read by tests/tool/peak.  Hooks do not count; the
# responder behind a built-in one is told beside it.
. "$(dirname "$0")/../lib.sh"

case $(file -L "$acme" 2>/dev/null) in
*statically*) ;;
*) skip_all 'only for the static binary' ;;
esac
need_tool peak
"$tools/peak" /dev/null true || skip_all 'there is no tracing here'
challtestsrv_start
free_port http_port
free_port tls_port
pebble_start quick PEBBLE_AUTHZREUSE=0 PEBBLE_WFE_NONCEREJECT=0

# peak LIMIT NAME COMMAND...: the greatest sum, in KiB, over processes alive together:
# the keeper and what descends from it, but for hooks, which became that by execve, and
# the responder, which has no parent among them.
peak()
{
	limit=$1 peak_name=$2
	shift 2
	rm -f "$scratch/peak"
	exits "$peak_name succeeds" 0 "$tools/peak" "$scratch/peak" "$@"
	sum=$(awk '
		# 1 ours, 0 a hook, -1 of a hook, as the responder is
		function kind(p) { return p in hook ? 0 : !(p in parent) ? 1 : kind(parent[p]) == 1 ? 1 : -1 }
		$1 == "hook" { hook[$2] = 1; next }
		$1 == "fork" { parent[$3] = $2; next }
		$4 == "acme" { turn[++n] = $1; pid[n] = $2; kib[n] = $3 }
		END {
			for (i = 1; i <= n; i++) {
				k = kind(pid[i])
				if (k == -1 && kib[i] > responder)
					responder = kib[i]
				if (k != 1)
					continue
				sum[turn[i]] += kib[i]
				parts[turn[i]] = parts[turn[i]] " " kib[i]
				if (sum[turn[i]] > max) { max = sum[turn[i]]; at = turn[i] }
			}
			print max + 0, "=" parts[at], "; responder", responder + 0
		}' "$scratch/peak")
	diag "$peak_name: $sum KiB"
	ok "$peak_name stays below $limit KiB" test "${sum%% *}" -lt "$limit"
	ok 'and was measured' test "${sum%% *}" -gt 100
}

peak 1024 'EC, standalone' "$acme" issue e.example.com -c "standalone:$http_port" -s "$server" --ca-file "$ca"
peak 1024 'RSA 4096 key, tls-alpn' "$acme" issue r.example.com -k rsa4096 -c "tls-alpn:$tls_port" -s "$server" --ca-file "$ca"
# shellcheck disable=SC2046 # a list of names
peak 1024 '100 names' "$acme" issue $(seq -f 'n%g.example.com' 100) -c "standalone:$http_port" -s "$server" --ca-file "$ca"
done_testing
