#!/bin/sh
# The processes: what each holds, and what a talker that was taken over by its
# server can do (tests/program/attacker.c): nothing but speak.
# shellcheck disable=SC2013,SC2086,SC2317 # words; functions called by name
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

attacker=$root/${B:-build}/tests/program/attacker
case ${B:-build} in /*) attacker=${B:-build}/tests/program/attacker ;; esac
challtestsrv_start
pebble_start PEBBLE_VA_NOSLEEP=1 PEBBLE_VA_ALWAYS_VALID=1 PEBBLE_AUTHZREUSE=0 PEBBLE_WFE_NONCEREJECT=0
chmod 755 "$scratch"
cat >"$scratch/hook" <<'END'
#!/bin/sh
# The processes of the program that runs this: one line for each descriptor, and for each its user.
[ "$1" = begin ] && [ "${LOOK-}" ] || exit 0
keeper=$PPID
nursery=$(cat /proc/$keeper/task/$keeper/children)
for p in $nursery; do
	[ "$p" != $$ ] || continue
	for t in $(cat "/proc/$p/task/$p/children") ; do
		{
			echo "talker user $(sed -n 's/^Uid:\t\([0-9]*\)\t.*/\1/p' "/proc/$t/status")"
			echo "talker groups $(sed -n 's/^Groups:\t\([0-9 ]*[0-9]\).*/\1/p' "/proc/$t/status")"
			echo "talker seccomp $(sed -n 's/^Seccomp:\t//p' "/proc/$t/status")"
			for f in /proc/$t/fd/*; do echo "talker $(readlink "$f" | sed 's/:.*//')"; done
			for f in /proc/$p/fd/*; do echo "nursery $(readlink "$f" | sed 's/:.*//')"; done
		} >>"$LOOK"
	done
done
echo "keeper locked $(sed -n 's/^VmLck:[^0-9]*\([0-9]*\) .*/\1/p' "/proc/$keeper/status")" >>"$LOOK"
echo "keeper dumpable $(stat -c %u "/proc/$keeper/environ" 2>/dev/null)" >>"$LOOK"
END
chmod 755 "$scratch/hook"

# issue_by PROGRAM [OPTION...]: one certificate, with a new state directory.
issue_by()
{
	program=$1
	shift
	rm -rf "$ACME_HOME"
	run "$program" issue a.example -c "$scratch/hook" -s "$server" --ca-file "$ca" "$@"
}

# --- who has what ---

LOOK=$scratch/look
export LOOK
issue_by "$acme"
is 'a certificate is issued' $status 0
look=$(sort "$LOOK" | uniq -c | sed 's/^ *//')
like 'the nursery has nothing open but a socket and one to the talker' "$look" '^2 nursery socket$'
unlike 'no file' "$(echo "$look" | grep nursery)" 'nursery [^s/]|nursery /[^d]|nursery /dev/[^n]'
like 'the talker has two sockets, beside that to the CA' "$look" '^[23] talker socket$'
like 'and one file, that of the anchors' "$look" "^1 talker $ca\$"
is 'and that is all' "$(echo "$look" | grep -cE 'talker /' || :)" 2
unlike 'keys are not swapped' "$look" 'keeper locked 0$'
if [ "$(id -u)" -eq 0 ]; then
	like "root's talker is nobody" "$look" 'talker user 65534'
	like 'in no other group' "$look" 'talker groups 65534'
	rm -f "$LOOK"
	issue_by "$acme" --user daemon
	like 'or whom --user names' "$(cat "$LOOK")" 'talker user 1$'
	issue_by "$acme" --user nosuchuser
	is 'who must be there' $status 78
	like 'says so' "$err" 'there is no user nosuchuser'
fi
unset LOOK
run "$acme" -V -v
confined=$out
diag "$confined"
seccomp='' landlock=''
case $confined in *seccomp*) seccomp=1 ;; esac
case $confined in *Landlock*) landlock=1 ;; esac

# --- what it can do ---

# The errno of each attack: what the kernel answers. 0 is success.
result()
{
	printf '%s\n' "$err" | sed -n "s/.*attack $1: //p" | head -n 1
}

# attack NAME ALLOWED [COMMAND...]: runs the attacker; of the attacks only those in ALLOWED
# (an extended regular expression) may succeed.
attack()
{
	attack_name=$1 allowed=$2
	shift 2
	rm -rf "$ACME_HOME"
	ATTACK_HOME=$ACME_HOME
	export ATTACK_HOME
	run "$@" "$attacker" issue a.example -c "$scratch/hook" -s "$server" --ca-file "$ca"
	said=$(printf '%s\n' "$err" | grep -c 'attack .*: ')
	ok "$attack_name: all was tried" test "$said" -ge 29
	is "$attack_name: nothing is gained" "$(printf '%s\n' "$err" | grep -E 'attack (open|write|make|remove|read|trace|send|run|reach|sign) .*: 0$' | grep -vE "$allowed" || :)" ''
	like "$attack_name: its new order is the keeper's own" "$err" 'attack payload: \{"identifiers":\[\{"type":"dns","value":"a.example"\}\]\}$'
	ok "$attack_name: and signed a few times only" test "$(result 'new orders signed')" -le 24
	like "$attack_name: the run ends in order" "$status" '^(0|1|76)$'
	unlike "$attack_name: no secret" "$err" 'PRIVATE KEY'
	[ "${ATTACK_SPARE-}" ] || ok "$attack_name: no file was made" test ! -e /tmp/acme-evil -a ! -e /tmp/acme-evil-dir
}

attack 'a talker' '^$'
ok 'it has seven descriptors at most' test "$(result 'count descriptors')" -le 7
if [ "$(id -u)" -eq 0 ]; then
	if strace -qq -o /dev/null -f -e inject=seccomp:error=EINVAL -e inject=landlock_create_ruleset:error=EOPNOTSUPP true; then
		# fork and local sockets are of no use to nobody
		attack 'without seccomp' 'reach a local socket' strace -qq -o /dev/null -f -e trace=seccomp -e inject=seccomp:error=EINVAL
		attack 'without Landlock' '^$' strace -qq -o /dev/null -f -e trace=landlock_create_ruleset -e inject=landlock_create_ruleset:error=EOPNOTSUPP
		# then it is what any program of nobody's is, but for large files and processes
		ATTACK_SPARE=1
		export ATTACK_SPARE
		attack 'without both, as nobody' 'reach a local|write elsewhere|make a directory' \
			strace -qq -o /dev/null -f -e trace=landlock_create_ruleset,seccomp \
			-e inject=landlock_create_ruleset:error=EOPNOTSUPP -e inject=seccomp:error=EINVAL
		unset ATTACK_SPARE
		rm -rf /tmp/acme-evil /tmp/acme-evil-dir
	else
		skip 'kernels without seccomp and Landlock' 'strace may not trace here'
	fi
	if [ "$landlock$seccomp" ]; then
		mkdir "$scratch/user"
		chown 1:1 "$scratch/user"
		ACME_HOME=$scratch/user/home
		attack 'as an ordinary user' '^$' setpriv --reuid 1 --regid 1 --clear-groups
		ACME_HOME=$scratch/home
	else
		skip 'an ordinary user' 'neither seccomp nor Landlock in this kernel'
	fi
fi

# --- what it remembers ---

echo 'FILE_SECRET=confidential-by-file' >"$scratch/env"
chmod 600 "$scratch/env"
rm -rf "$ACME_HOME"
ATTACK_HOME=$ACME_HOME SECRET=confidential-by-environment
export ATTACK_HOME SECRET
run "$attacker" issue a.example -c "$scratch/hook" -s "$server" --ca-file "$ca" \
	-e SECRET -e OTHER=confidential-by-argument --env-file "$scratch/env"
unset SECRET
is "a talker knows no hook's secrets" "$(result 'remember secrets')" 0

# --- what it can say ---

for wrong in count texts end control token url status type challenges order words; do
	ATTACK_ORDER=$wrong
	export ATTACK_ORDER
	issue_by "$attacker"
	is "senseless ($wrong): a protocol error" $status 76
	is "senseless ($wrong): one line" "$(printf '%s\n' "$err" | grep -v 'registered an account' | grep -c .)" 1
	ok "senseless ($wrong): no hook has run" test ! -e "$ACME_HOME/hookdata/a.example"
done
for wrong in die crash; do
	ATTACK_ORDER=$wrong
	issue_by "$attacker"
	is "a talker may $wrong" $status 69
	like 'which is told' "$err" 'the process that talks to the CA has died'
	unset ATTACK_ORDER
	run "$attacker" renew
	run "$acme" issue a.example
	is 'and the next run goes on' $status 0
	export ATTACK_ORDER
done
ATTACK_ORDER=name
issue_by "$attacker"
is 'another name is none of ours' $status 76
ATTACK_ORDER=later
issue_by "$attacker"
is 'what was seen cannot be changed later' $status 0
ATTACK_ORDER=answer
issue_by "$attacker" -t http-01
is 'answers are signed' "$(result 'sign the chosen answer')" 0
is 'for the challenge that was set up' "$(printf '%s\n' "$err" | grep -c 'attack sign another answer: 0' || :)" 0
is 'a request for a certificate goes to our order' "$(result 'sign a finalization elsewhere')" 1
is 'answers have their time' "$(result 'sign an answer late')" 1
unset ATTACK_ORDER

# --- and the end of it all ---

mkfifo "$scratch/hold"
cat >"$scratch/slow" <<END
#!/bin/sh
[ "\$1" = begin ] || exit 0
echo "\$PPID" >"$scratch/keeper"
cat "$scratch/hold" >/dev/null
END
chmod 755 "$scratch/slow"
rm -rf "$ACME_HOME"
"$acme" issue a.example -c "$scratch/slow" -s "$server" --ca-file "$ca" 2>/dev/null &
tries=0
while [ ! -s "$scratch/keeper" ] && [ $((tries += 1)) -lt 200 ]; do sleep 0.05; done
keeper=$(cat "$scratch/keeper")
family=
for p in $(cat "/proc/$keeper/task/$keeper/children"); do
	[ "$(readlink "/proc/$p/exe")" = "$(readlink -f "$acme")" ] || continue
	family="$family $p $(cat "/proc/$p/task/$p/children")"
done
like 'nursery and talker run' "$family" '^ [0-9]+ [0-9]+ *$'
kill -KILL "$keeper"
# ended: of that process nothing is left but what its parent has to take note of.
ended()
{
	tries=0
	while grep -q '^State:[^Z]*$' "/proc/$1/status" 2>/dev/null && [ $((tries += 1)) -lt 100 ]; do sleep 0.02; done
	[ $tries -lt 100 ]
}
for p in $family; do
	ok 'with the keeper, they end' ended "$p"
done
echo >"$scratch/hold"

done_testing
