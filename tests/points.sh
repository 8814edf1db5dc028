# points.sh - one fault at one system call of the program, then a run without
# faults: the jobs, and what has to be right after them.  For e2e/power and
# e2e/storage; source it after lib.sh.
#
# A job is one run: "issue" begins with an empty state directory, "renew" with a
# certificate that is due, and a new key.  A point is a line "JOB CALL N PATH":
# the N-th CALL of that job in the process that was started (its children are
# not traced), and the path below the state directory that it is about, or "-".
#
# Points are tried in two lanes at a time, each with a CA, a state directory
# and hooks of its own.  There are thousands, so that no process is started
# here where the shell can do it.
# shellcheck shell=sh
# shellcheck disable=SC2016,SC2034,SC2059,SC2154 # variables of lib.sh, and for the caller

cert=x.example.com

# The hooks note that they were run.  The one that KILL_IN names ends the program.
hooks_make()
{
	cat >"$scratch/challenge" <<-'END'
	#!/bin/sh
	echo "$@" >>"$LANE/hooks"
	[ "$1" != "${KILL_IN-}" ] || kill -KILL $PPID
	END
	cat >"$scratch/deploy" <<-'END'
	#!/bin/sh
	[ "${KILL_IN-}" != deploy ] || kill -KILL $PPID
	{ read -r line; read -r line; } <"$4"
	echo "$line" >>"$LANE/deploy"
	END
	chmod 755 "$scratch/challenge" "$scratch/deploy"
	kills='[ "${KILL_IN-}" != %s ] || kill -KILL $PPID; '
	pre="$(printf "$kills" pre)"'echo pre >>"$LANE/hooks"'
	post="$(printf "$kills" post)"'echo post >>"$LANE/hooks"'
	reload="$(printf "$kills" reload)"'{ read -r line; read -r line; } <"$RENEWED_LINEAGE/cert.pem"; echo "$line" >>"$LANE/reload"'
}

# lane 1 or 2: the variables of that one.
lane()
{
	LANE=$scratch/lane$1
	ACME_HOME=$LANE/home
	export LANE
	live=$ACME_HOME/certs/$cert/live
	pending=$ACME_HOME/certs/$cert/pending
	old=$LANE/renew/certs/$cert/live
	ca_log=$scratch/pebble$1.log
	[ ! -f "$LANE/server" ] || read -r server <"$LANE/server"
}

# lanes_start: both, with what a renewal begins with.
lanes_start()
{
	hooks_make
	for n in 1 2; do
		lane $n
		mkdir "$LANE"
		pebble_name=pebble$n pebble_retry=0
		pebble_start PEBBLE_VA_NOSLEEP=1 PEBBLE_VA_ALWAYS_VALID=1 PEBBLE_AUTHZREUSE=0 PEBBLE_WFE_NONCEREJECT=0
		echo "$server" >"$LANE/server"
		fresh issue
		job env
		is "lane $n: a certificate" "$status" 0
		sed -i 's/^next=.*/next=2020-01-01T00:00:00Z/' "$ACME_HOME/certs/$cert/renewal"
		mv "$ACME_HOME" "$LANE/renew"
	done
}

# fresh JOB: what it begins with.
fresh()
{
	job=$1
	rm -rf "$ACME_HOME"
	[ "$job" = issue ] || cp -a "$LANE/renew" "$ACME_HOME"
	: >"$LANE/hooks"
	: >"$LANE/deploy"
	: >"$LANE/reload"
	orders_before=${orders:-$(orders)}
}

# How many the CA has.
orders() { grep -c 'Added order' "$ca_log"; }

# job COMMAND...: does the job by "strace ..." or "env ..."; what is printed goes to $LANE/said.  Sets status.
job()
{
	case $job in
	issue)
		set -- "$@" "$acme" issue "$cert" -s "$server" --ca-file "$ca" -t http-01 -c "$scratch/challenge" \
			--pre-hook "$pre" --post-hook "$post" -l "$scratch/deploy" -r "$reload"
		;;
	renew) set -- "$@" "$acme" renew ;;
	esac
	orders=
	# The pipe ends when the last of its writers does: also hooks whose parent was killed.
	{ "$@" </dev/null 3>&-; echo $? >"$LANE/status"; } 2>&1 | cat >"$LANE/said"
	read -r status <"$LANE/status"
}

# text FILE: sets text to what is in it, all in one line; nothing if there is no file.
text()
{
	text=
	[ -f "$1" ] || return 0
	while read -r text_line; do
		text=$text$text_line
	done <"$1"
}

# --- what is wrong: these print a line for each thing ---

# pair: live key and certificate, if there are live ones.
pair()
{
	if [ ! -L "$live" ]; then
		[ "$job" = issue ] || echo 'no live certificate'
		return
	fi
	cmp -s "$live/combined.pem" "$old/combined.pem" && return
	[ "$(openssl pkey -in "$live/privkey.pem" -pubout 2>&1)" = "$(openssl x509 -in "$live/cert.pem" -noout -pubkey 2>&1)" ] ||
		echo 'the live key and certificate do not match'
	all=
	for file in cert chain privkey; do
		text "$live/$file.pem"
		all=$all$text
		[ $file != chain ] || full=$all
	done
	text "$live/fullchain.pem"
	[ "$text" = "$full" ] || echo 'cert, chain and fullchain do not match'
	text "$live/combined.pem"
	[ "$text" = "$all" ] || echo 'combined does not match'
}

# modes, left: files that others can read but certificates; what should have gone.
modes()
{
	found=$(find "$ACME_HOME" ! -type l ! -name cert.pem ! -name chain.pem ! -name fullchain.pem \
		! -path '*/.probe/mode' -perm /077 2>/dev/null)
	[ ! "$found" ] || echo "others can read $found"
}
left()
{
	found=$(find "$ACME_HOME" -name '.?*' -o -name pending)
	[ ! "$found" ] || echo "left: $found"
}

# After the fault: what the next run has to go on with.
remember()
{
	orders_then=$(orders)
	text "$pending/privkey.pem"
	key_then=$text
	[ ! -f "$pending/order" ]
	order_then=$?
	text "$ACME_HOME"/accounts/*/key.pem
	account_then=$text
}

# The hooks' log: each begin is followed by done or failed, at most once more than by begins; and pre by post.
hooks_balanced()
{
	awk '
		{ id = NF > 1 ? $3 " " $4 : "pre-hook" }
		$1 == "begin" || $1 == "pre" { begun[id]++; standing[id] = 1 }
		$1 == "done" || $1 == "failed" || $1 == "post" { ended[id]++; standing[id] = 0 }
		END {
			for (id in standing) {
				if (standing[id])
					print "left standing: " id
				if (ended[id] > begun[id] + 1)
					print "ended " ended[id] " times: " id
			}
		}' "$LANE/hooks"
}

# The job once more, without faults, and all that must be so then.
settle()
{
	remember
	job env
	[ "$status" -eq 0 ] || echo "run again: $status, $(cat "$LANE/said")"
	pair
	orders=$(orders)
	[ "$orders" -eq "$orders_then" ] || [ $order_then -eq 0 ] || echo 'the order on disk was not gone on with'
	case $((orders - orders_before)) in
	1 | 2) ;;
	*) echo "$((orders - orders_before)) orders" ;;
	esac
	text "$live/privkey.pem"
	[ ! "$key_then" ] || [ "$key_then" = "$text" ] || echo 'the key on disk was not used'
	text "$ACME_HOME"/accounts/*/key.pem
	[ "${account_then:-$text}" = "$text" ] || echo 'another account key'
	{ read -r line; read -r line; } <"$live/cert.pem"
	for hook in deploy reload; do
		last=
		while read -r each; do
			last=$each
		done <"$LANE/$hook"
		[ "$last" = "$line" ] || echo "no $hook for the live files"
	done
	hooks_balanced
	"$acme" renew -x >"$LANE/said" 2>&1
	[ $? -eq 2 ] || echo "not at rest: $(cat "$LANE/said")"
}

# --- points ---

# points JOB: all of its system calls, from a run of it in this lane, which leaves $scratch/JOB.trace.
# A fifth word tells of those that changed something: here, at the CA, or by a new process.
points()
{
	fresh "$1"
	job strace -qq -y -s 0 -o "$scratch/$1.trace"
	[ "$status" -eq 0 ] || { cat "$LANE/said"; echo "Bail out! $1 does not succeed"; exit 1; } >&3
	awk -v job="$1" -v home="$ACME_HOME" '
		# 4</dir>, "name" or 4</dir/name> or "/dir/name"
		function path(    p, q) {
			p = match($0, /<[^>]*>/) ? substr($0, RSTART + 1, RLENGTH - 2) : ""
			q = match($0, /"[^"]*"/) ? substr($0, RSTART + 1, RLENGTH - 2) : ""
			if ($0 ~ /^[a-z0-9]*at2?\(/ && q !~ /^\//)
				p = p "/" q
			else if (q ~ /^\//)
				p = q
			return index(p, home "/") == 1 ? substr(p, length(home) + 2) : p == home ? "." : "-"
		}
		function changes() {
			return $0 !~ / = -1 / && (/O_CREAT/ || call ~ /^(p?write|send|mkdir|rename|f?link|symlink|unlink|rmdir|f?chmod|f?chown|f?truncate|fork|vfork|clone)/)
		}
		match($0, /^[a-z][a-z0-9_]*\(/) {
			call = substr($0, 1, RLENGTH - 1)
			if (n[call]++ || call != "execve")
				print job, call, n[call], path(), changes() ? "changes" : ""
		}' "$scratch/$1.trace"
}

# points_start: the lanes, and $scratch/issue.points, renew.points.
points_start()
{
	strace -o /dev/null true 2>/dev/null || skip_all 'strace may not trace here'
	lanes_start
	lane 1
	for job in issue renew; do
		points $job >"$scratch/$job.points"
	done
}

# work LANE FUNCTION POINTS: every second of them; what FUNCTION prints of a point is wrong with it.
work()
{
	lane "$1"
	turn=$1
	while read -r point; do
		turn=$(((turn + 1) % 2))
		[ $turn -eq 0 ] || continue
		# shellcheck disable=SC2086 # its words
		"$2" $point >"$LANE/wrong" 2>&1 </dev/null
		[ ! -s "$LANE/wrong" ] || cp -a "$LANE" "$scratch/$(echo "$point" | tr ' /' '__')"
		echo "$point"
		cat "$LANE/wrong"
		echo .
	done <"$3" >"$LANE/results"
}

# each_point FUNCTION POINTS: a test for each of them.
each_point()
{
	for n in 1 2; do
		start "lane$n" work $n "$1" "$2"
		eval "pid_$n=\$pid"
	done
	# shellcheck disable=SC2154 # set by eval
	wait "$pid_1" "$pid_2"
	ran=
	for n in 1 2; do
		while read -r point; do
			wrong=
			while read -r line && [ "$line" != . ]; do
				wrong="$wrong$line
"
			done
			if [ "$wrong" ]; then
				fail "$point" "$wrong"
			else
				pass "$point"
			fi
		done <"$scratch/lane$n/results"
	done
	is 'all were tried' "$(cat "$scratch"/lane?/results | grep -cx '\.')" $(($(wc -l <"$2")))
}
