#!/bin/sh
# Power is cut anywhere: key and certificate match at once, the next run gets to
# the same end with at most one more order, nothing is left standing or forgotten.
# shellcheck disable=SC2154,SC2317 # variables of lib.sh; functions called by name
. "$(dirname "$0")/../lib.sh"
. "$root/tests/points.sh"

points_start

# unsynced TRACE: what is not on disk when it has to be: what is renamed, and all of
# it when live is switched, when the CA or a hook is told something, and in the end.
unsynced()
{
	awk -v home="$ACME_HOME" '
		function below(p, dir) { return p == dir || index(p, dir "/") == 1 }
		function change(p) { if (below(p, home) && !below(p, home "/locks")) unsynced[p] = 1 }
		function forget(p,    q) { for (q in unsynced) if (below(q, p)) delete unsynced[q] }
		function must(p,    q) { for (q in unsynced) if (below(q, p)) print q " is not synced: " $0 }
		# 4</dir>, "name" and so on: dir[1], base[1]
		function operands(    rest, token, dirs, bases) {
			split("", dir)
			split("", base)
			for (rest = $0; match(rest, /<[^>]*>|"[^"]*"/); rest = substr(rest, RSTART + RLENGTH)) {
				token = substr(rest, RSTART + 1, RLENGTH - 2)
				if (substr(rest, RSTART, 1) == "<")
					dir[++dirs] = token
				else
					base[++bases] = token
			}
		}
		/ = -1 / { next }
		{ call = $0; sub(/\(.*/, "", call); operands() }
		call ~ /^open/ && /O_EXCL/ { change(dir[1]); change(dir[1] "/" base[1]) }
		call ~ /^p?write|^f(chmod|chown|truncate)$|^(mkdir|fchmod|unlink|symlink)at$/ { change(dir[1]) }
		call == "unlinkat" { forget(dir[1] "/" base[1]) }
		call ~ /^f(data)?sync$/ { delete unsynced[dir[1]] }
		call ~ /^renameat/ { must(base[2] == "live" ? home : dir[1] "/" base[1]); change(dir[1]); change(dir[2]); n++ }
		call ~ /^(fork|vfork|clone|send|exit_group)/ { must(home) }
		END { if (n < 10) print n " renames" }' "$1"
}
for job in issue renew; do
	is "$job: synced before it is renamed, and before anybody hears of it" "$(unsynced "$scratch/$job.trace")" ''
done

# killed JOB CALL N PATH: before that call is made, or in the hook PATH
killed()
{
	fresh "$1"
	if [ "$2" = hook ]; then
		job env KILL_IN="$4"
	else
		job strace -o "$LANE/trace" -e trace="$2" -e inject="$2:signal=KILL:when=$3"
	fi
	# how often it waits, and asks the talker again, depends on the CA
	case $status$2 in
	137*) ;;
	0*wait* | 0pselect6 | 0recv* | 0sendto | 0rt_sig*)
		[ "$(grep -c "^$2(" "$LANE/trace")" -lt "$3" ] || echo 'not killed'
		;;
	*) echo "exit status $status" ;;
	esac
	pair
	modes
	settle
	case $2$4 in
	unlinkat*/pending*)
		# what stays of an order that is done with does not get into the next one
		text "$live/privkey.pem"
		key=$text
		"$acme" renew -f >"$LANE/said" 2>&1 || cat "$LANE/said"
		text "$live/privkey.pem"
		[ "$key" != "$text" ] || echo 'no new key'
		orders=
		;;
	esac
	left
}

# A kill between two calls that change something leaves what one before the second does.
for job in issue renew; do
	for hook in pre begin 'done' post deploy reload; do
		echo "$job hook 1 $hook"
	done
	awk -v long="${LONG-}" 'long || $5 { print $1, $2, $3, $4 }' "$scratch/$job.points"
done >"$scratch/points"
each_point killed "$scratch/points"

done_testing
