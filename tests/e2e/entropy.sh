#!/bin/sh
# Where keys come from: the kernel's generator, waited for if need be, and
# nothing else.  The answers of getrandom() and the devices are played by strace and by
# another /dev.
# shellcheck disable=SC2154,SC2317 # variables of lib.sh; functions called by name
. "$(dirname "$0")/../lib.sh"

strace -o "$scratch/strace" true 2>/dev/null || skip_all 'strace cannot trace here'
key=$scratch/key.pem

# csr INJECTION: makes a key and a request, with getrandom() so.
csr() { strace -f -o "$scratch/strace" -e trace=getrandom,openat,open -e inject="getrandom:$1" "$acme" csr a.example --key "$key"; }
fresh() { rm -f "$key"; }

exits 'interrupted again and again' 0 csr 'error=EINTR:when=1..5'
ok 'a key is made' openssl pkey -in "$key" -noout
is 'by the sixth call' "$(grep -c 'getrandom.*EINTR.*INJECTED' "$scratch/strace")" 5
fresh
exits 'not ready at early boot' 0 csr 'error=EAGAIN:when=1..14'
ok 'a key is made, later' openssl pkey -in "$key" -noout
is 'and the wait was told, once' "$err" 'acme: waiting for the kernel to gather entropy'
is 'of that nothing weaker was taken' "$(grep -c urandom "$scratch/strace")" 0

# never ready: no key until it is stopped
fresh
strace -f -o "$scratch/strace" -e trace=getrandom -e inject=getrandom:error=EAGAIN \
	"$acme" csr a.example --key "$key" >"$scratch/out" 2>"$scratch/err" </dev/null 3>&- &
pid=$!
turns=0
until grep -q 'gather entropy' "$scratch/err" || [ $turns -ge 200 ]; do
	turns=$((turns + 1))
	sleep 0.1
done
sleep 1
ok 'never ready: it waits' kill -0 $pid
kill -TERM "$(sed -n '1s/ .*//p' "$scratch/strace")"
status=0
wait $pid 2>/dev/null || status=$?
is 'and can be stopped' "$((status == 143 || status == 78))" 1
is 'no key was made, no request' "$(ls "$key" 2>/dev/null; cat "$scratch/out")" ''

# no getrandom()
exits 'a kernel without getrandom' 0 csr error=ENOSYS
ok 'a key is made' openssl pkey -in "$key" -noout
is 'random is asked whether it is ready, before urandom gives' "$(grep -o '/dev/[a-z]*random' "$scratch/strace" | tr '\n' ' ')" '/dev/random /dev/urandom '
fresh
if [ "$(id -u)" -eq 0 ] && unshare -m true 2>/dev/null; then
	# shellcheck disable=SC2016 # for that shell
	# devices COMMAND: what is in /dev for that shell text, and no getrandom.
	devices() { timeout 60 unshare -m sh -c 'mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 && eval "$1" && shift && exec "$@"' - "$1" \
		strace -f -o "$scratch/strace" -e trace=getrandom -e inject=getrandom:error=ENOSYS "$acme" csr a.example --key "$key" -k ec256; }
	for text in : 'mknod /dev/urandom c 1 9' 'mknod /dev/random c 1 5; head -c 100000 /etc/passwd >/dev/urandom' \
		'mknod /dev/random c 1 5; ln -s null /dev/urandom' 'mknod /dev/random c 1 5; mkfifo /dev/urandom'; do
		exits "no getrandom, and in /dev: $text" 78 devices "$text"
		is 'no key, no request' "$(ls "$key" 2>/dev/null)$out" ''
	done
	like 'the reason is given' "$err" 'entropy'
	exits 'both devices will do' 0 devices 'mknod /dev/random c 1 5; mknod /dev/urandom c 1 9'
	fresh
	# The same number of the process, the same second or the next: a boot like the one before.
	boot() { unshare --pid --fork --mount-proc "$acme" csr a.example --key "$key" -k ec256; }
	for turn in first second third; do
		exits "the $turn boot" 0 boot
		cat "$key" >>"$scratch/boots"
		fresh
	done
	is 'each makes another key' "$(grep -v -e ---- "$scratch/boots" | sort | uniq -d)" ''
else
	skip 'no getrandom, and other devices' 'takes root and namespaces'
fi

# All comes from there: the same bytes give the same key.
if strace -o "$scratch/strace" -e inject=getrandom:poke_exit=@arg1=00 true 2>/dev/null; then
	# twin BYTE...: a key where getrandom gives these and 46 others
	twin()
	{
		fresh
		run csr "retval=48:poke_exit=@arg1=$(printf '5a%.0s' $(seq 46))$1"
		cat "$key" >"$scratch/$2"
	}
	twin 5a5a first
	twin 5a5a second
	is 'the same bytes of the kernel are the same key: no clock, no number of a process takes part' \
		"$(cat "$scratch/second")" "$(cat "$scratch/first")"
	is '48 of them' "$(grep -c 'getrandom(.*, 48, GRND_NONBLOCK)' "$scratch/strace")" 1
	twin 5a5b third
	ok 'one bit of them makes another' test "$(cat "$scratch/third")" != "$(cat "$scratch/first")"
else
	skip 'the same bytes of the kernel are the same key' 'strace is too old'
fi

# An issuance, all its processes
challtestsrv_start
free_port http_port
pebble_start PEBBLE_VA_NOSLEEP=1 PEBBLE_AUTHZREUSE=0 PEBBLE_WFE_NONCEREJECT=0
issue() { strace -f -o "$scratch/strace" -e trace=getrandom -e inject="getrandom:$1" \
	"$acme" issue "$2" -c "standalone:$http_port" -s "$server" --ca-file "$ca"; }
exits 'an issuance with interruptions' 0 issue error=EINTR:when=1+2 a.example.com
exits 'and with waits' 0 issue error=EAGAIN:when=1..3 b.example.com
run issue error=ENOSYS c.example.com
is 'without getrandom: by the devices, or not at all' "$((status == 0 || status == 78 || status == 69))" 1
diag "status $status"
done_testing
