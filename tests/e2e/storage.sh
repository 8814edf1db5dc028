#!/bin/sh
# Storage that is full, read-only, broken, interrupted or gone, and limits on
# files, processes and memory: the documented exit status and one line that
# names the place, nothing lost, and the next run comes to the right end.
# shellcheck disable=SC2034,SC2154,SC2317 # variables of lib.sh and for it; functions called by name
private_network=1
. "$(dirname "$0")/../lib.sh"
. "$root/tests/points.sh"

points_start

# told STATUS...: one of these, and one line that can be read and names the place; none may do for 0.
told()
{
	case " $* " in
	*" $status "*) ;;
	*) echo "exit status $status" ;;
	esac
	grep -v ': registered an account at' "$LANE/said" >"$LANE/lines"
	case $status$(grep -c . "$LANE/lines") in
	00 | *1) ;;
	*) echo 'not one line' ;;
	esac
	grep -v "^acme: [ -~]*\($ACME_HOME\|cannot remove old files of $cert\)[ -~]*\$" "$LANE/lines"
}

# settled: the run without faults, when the time has passed that is left between failures.
settled()
{
	pair
	modes
	[ ! -f "$ACME_HOME/certs/$cert/renewal" ] || sed -i '/^back_off=/d' "$ACME_HOME/certs/$cert/renewal"
	settle
	left
}

# --- single calls ---

# fails JOB CALL N PATH ERROR: where removing what is of no use any more fails, a warning may do
fails()
{
	fresh "$1"
	job strace -o "$LANE/trace" -e trace="$2" -e inject="$2:error=$5:when=$3"
	case $2:$4 in
	unlinkat:* | fsync:* | openat:* | mmap:* | brk:* | flock:locks/*) told 0 73 ;;
	*) told 73 ;;
	esac
	[ "$2:$status" != fsync:0 ] || [ -s "$LANE/lines" ] || echo 'nothing said'
	settled
}

# Each file with one call, each call with several files, each error with several calls; all of it if LONG.
awk -v long="${LONG-}" '
	BEGIN { errors = split("ENOSPC EIO EDQUOT", error) }
	$2 ~ /^(mmap|brk)$/ && (long || $1 == "issue") { print $1, $2, $3, $4, "ENOMEM" }
	$2 == "write" { written = 1 }
	$4 == "-" || !($5 || $2 ~ /^(fsync|flock|close)$/) { next }
	$2 == "close" && !written { next }
	$2 == "close" { written = 0 }
	long { for (e in error) print $1, $2, $3, $4, error[e]; next }
	!($1 $4 in calls) { path[++paths] = $1 $4 }
	{ call[$1 $4, ++calls[$1 $4]] = $1 " " $2 " " $3 " " $4 }
	END {
		for (i = 1; i <= paths; i++)
			print call[path[i], i % calls[path[i]] + 1], error[i % errors + 1]
	}' "$scratch/issue.points" "$scratch/renew.points" >"$scratch/fails"
each_point fails "$scratch/fails"

# short JOB CALL N PATH: two bytes fewer are written by the next call
short()
{
	fresh "$1"
	job strace -o "$LANE/trace" -e trace=write -e inject="write:retval=2:when=$3"
	awk '
		left && $NF != left { print "then: " $0 }
		{ left = 0 }
		/INJECTED/ { sub(/\) *= .*/, ""); left = $NF - 2 }' "$LANE/trace"
	grep -q INJECTED "$LANE/trace" || echo 'nothing was cut short'
}
awk -v long="${LONG-}" '$2 == "write" && $4 != "-" && (long || $1 == "renew")' "$scratch"/*.points >"$scratch/short"
each_point short "$scratch/short"

# interrupted JOB: every other call of those that can be.  Not close: the descriptor would stay open.
interrupted()
{
	fresh "$1"
	calls=$(awk '
		$2 !~ /^(rt_.*|get.*|set.*|m?map|munmap|madvise|mprotect|mlock.*|brk|v?fork|clone.*|execve|exit_group)$/ &&
		$2 !~ /^(arch_prctl|umask|prlimit64|pipe2?|socketpair|fcntl|prctl|close)$/ { print $2 }' \
		"$scratch/$1.points" | sort -u | paste -sd, -)
	job strace -o "$LANE/trace" -e inject="$calls:error=EINTR:when=1+2"
	told 0
	[ ! -s "$LANE/lines" ] || echo 'something was said'
	[ "$(grep -c 'EINTR.*INJECTED' "$LANE/trace")" -gt 200 ] || echo 'hardly interrupted'
	settled
}
printf '%s\n' 'issue' 'renew' >"$scratch/interrupted"
each_point interrupted "$scratch/interrupted"

# --- no room ---

# full JOB OPTION N: on a file system with that little room
full()
{
	fresh "$1"
	mkdir -p "$ACME_HOME"
	chmod 700 "$ACME_HOME"
	mv "$ACME_HOME" "$LANE/content"
	mkdir -m 700 "$ACME_HOME"
	mount -t tmpfs -o "mode=700,$2=$3" tmpfs "$ACME_HOME" && cp -a "$LANE/content/." "$ACME_HOME" || echo "not prepared"
	rm -rf "$LANE/content"
	job env
	told 0 73
	echo "$status" >>"$LANE/full"
	mount -o remount,size=1m,nr_inodes=1000 "$ACME_HOME"
	settled
	umount "$ACME_HOME"
}
for n in 4 12 16 24 28 40 44 64 ${LONG:+8 20 32 36 48 52 56 60}; do
	echo "issue size ${n}k"
done >"$scratch/full"
for n in 36 40 44 48 60 64 72 ${LONG:+52 56 68}; do
	echo "renew size ${n}k"
done >>"$scratch/full"
for n in 2 8 16 24 ${LONG:+1 3 4 5 6 7 9 10 11 12 13 14 15 17 18 19 20 21 22 23 25 26 27 28}; do
	echo "issue nr_inodes $n"
done >>"$scratch/full"
each_point full "$scratch/full"
is 'some had room, some not' "$(sort -u "$scratch"/lane?/full | tr '\n' ' ')" '0 73 '

# --- read-only ---

lane 1
for job in issue renew; do
	fresh $job
	mkdir -p "$ACME_HOME"
	chmod 700 "$ACME_HOME"
	mount --bind "$ACME_HOME" "$ACME_HOME" && mount -o remount,ro,bind "$ACME_HOME"
	job env
	umount "$ACME_HOME"
	is "$job: a read-only file system is refused" "$status" 73
	is "$job: and told of in one line" "$(grep -c 'Read-only file system' "$LANE/said") of $(grep -c . "$LANE/said")" '1 of 1'
	is "$job: nothing is lost" "$(settled)" ''
done

# --- limits ---

# limit JOB KIND N STATUS...: the hooks have it too
limit()
{
	limit_job=$1 limit_kind=$2 limit_n=$3
	shift 3
	fresh "$limit_job"
	job prlimit "--$limit_kind=$limit_n"
	case " $* " in
	*" $status "*) ;;
	*) echo "exit status $status" ;;
	esac
	grep -q '^acme: ' "$LANE/said" || [ "$status" -eq 0 ] || echo 'nothing said'
	settled
}
# What the kernel does not start within its limit of memory is no matter of ours.
enough=5000000
until prlimit --as=$enough "$acme" -V >/dev/null 2>&1; do
	enough=$((enough + 20000))
done
{
	for n in 0 600 ${LONG:+1 300 1200}; do
		echo "renew fsize $n 73"
	done
	for n in 4 6 8 9 11 13 ${LONG:+3 5 7 10 12 14}; do
		echo "issue nofile $n 0 3 69 73 78"
		[ ! "${LONG-}" ] || echo "renew nofile $n 0 3 69 73 78"
	done
	for n in 0 40000 ${LONG:+20000 80000 120000}; do
		echo "renew as $((enough + n)) 0 73 78 69"
	done
} >"$scratch/limit"
each_point limit "$scratch/limit"

# Processes are not limited for root.
(
	fresh renew
	cp "$acme" "$scratch/acme"
	chmod 755 "$scratch"
	chmod -R a+rX "$LANE" "$ca"
	acme=$scratch/acme
	for n in 1 2 3 4 5; do
		cp -a "$LANE/renew/." "$ACME_HOME"
		chown -R 61234 "$LANE"
		job setpriv --reuid=61234 --regid=61234 --clear-groups prlimit --nproc=$n
		case $status in
		0 | 69 | 75 | 78) ;;
		*) echo "$n: $status $(cat "$LANE/said")" ;;
		esac
		pair
	done
	[ "$status" -eq 0 ] || echo "not even with $n: $(cat "$LANE/said")"
) >"$LANE/wrong" 2>&1
is 'hardly a process' "$(cat "$LANE/wrong")" ''

done_testing
