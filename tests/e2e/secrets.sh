#!/bin/sh
# No byte of a key shows anywhere but in its file: not in what is printed at -vvv,
# in arguments, in an environment, in other files; nor in a core.
# shellcheck disable=SC2154,SC2317 # variables of lib.sh; functions called by name
. "$(dirname "$0")/../lib.sh"

strace -o "$scratch/strace" true 2>/dev/null || skip_all 'strace cannot trace here'
challtestsrv_start
free_port http_port
secret=$(openssl rand 48 | openssl base64 -A)
urlsafe=$(printf %s "$secret" | tr '+/' '-_')
pebble_config='"externalAccountBindingRequired": true, "externalAccountMACKeys": { "kid-1": "'$urlsafe'" },'
pebble_start PEBBLE_VA_NOSLEEP=1 PEBBLE_AUTHZREUSE=0
# Copies, as a rollover replaces one of them.
keys=$scratch/keys
mkdir "$keys"
printf %s "$secret" >"$scratch/eab"

# What every program gets that is run: its arguments, environment, descriptors and limits.
cat >"$scratch/hook" <<END
#!/bin/sh
{ echo "\$0" "\$@"; env; cat; ls -l /proc/self/fd; tr '\\0' ' ' </proc/\$PPID/cmdline; } >>"$scratch/hook.log" 2>&1
grep core /proc/\$PPID/limits >>"$scratch/limits"
case \$1:\$2 in
begin:http-01) exec "$acme" hook "standalone:$http_port" "\$@" ;;
done:http-01|failed:http-01) exec "$acme" hook "standalone:$http_port" "\$@" ;;
begin:*) exit 1 ;;
esac
END
chmod 755 "$scratch/hook"

# collect NAME: the keys that there are now.
collect()
{
	i=0
	find "$ACME_HOME" -type f -name '*.pem*' | while read -r file; do
		i=$((i + 1))
		sed -n '/-BEGIN PRIVATE KEY/,/-END/p' "$file" >"$keys/$1.$i"
		[ -s "$keys/$1.$i" ] || rm "$keys/$1.$i"
	done
}

# traced NAME COMMAND...: it, with what it and all its programs are started with in strace.NAME.
traced()
{
	name=$1
	shift
	strace -f -v -s 100000 -o "$scratch/strace.$name" -e trace=execve "$acme" "$@" -vvv
	traced_status=$?
	collect "$name"
	return "$traced_status"
}
keep() { cat "$scratch/out" "$scratch/err" >>"$scratch/printed"; }

exits 'an issuance' 0 traced issue issue a.example.com -c "$scratch/hook" --eab-kid kid-1 --eab-key "$scratch/eab" \
	-l "$scratch/hook" -r "$scratch/hook reload" --pre-hook "$scratch/hook pre" --post-hook "$scratch/hook post" \
	-s "$server" --ca-file "$ca"
keep
exits 'another, the binding from the environment' 0 env ACME_EAB_KID=kid-1 ACME_EAB_KEY="$secret" ACME_HOME="$ACME_HOME" \
	"$acme" issue b.example.com --account two -c "$scratch/hook" -k rsa2048 -vvv -s "$server" --ca-file "$ca"
keep
collect two
exits 'a change of key' 0 traced rollover account rollover -s "$server" --ca-file "$ca"
keep
exits 'a renewal with a hook that fails' 4 traced renew renew -f a.example.com -l /bin/false
keep
exits 'a revocation' 0 traced revoke revoke a.example.com
keep
exits 'all that can be shown' 0 traced show show b.example.com
keep
exits 'the account too' 0 traced account account show -s "$server" --ca-file "$ca"
keep
like 'hooks ran' "$(cat "$scratch/hook.log")" 'begin http-01 a\.example\.com'
like 'much was printed' "$(wc -l <"$scratch/printed")" '[0-9][0-9][0-9]'
is 'no core file is written of what runs them' "$(awk '$5 != 0' "$scratch/limits")" ''
ok 'as they saw' test -s "$scratch/limits"

# The lines of all key files, as they stand there and as bytes that may stand elsewhere.
cat "$keys"/* | grep -v -e '^-----' | awk 'length($0) > 20' | sort -u >"$scratch/lines"
ok 'there are keys to be looked for' test "$(wc -l <"$scratch/lines")" -gt 20
# The numbers alone, in hexadecimal, and as base64url would have them.
for file in "$keys"/*; do
	openssl pkey -in "$file" -noout -text 2>/dev/null |
	awk '/^(priv|privateExponent|prime1|prime2):/ { on = 1; next } /^[a-zA-Z]/ { on = 0 } on' | tr -d ' :\n'
	echo
done | awk 'length($0) > 40 { print substr($0, 5, 32); print toupper(substr($0, 5, 32)) }' >>"$scratch/lines"
printf '%s\n' "$secret" "$urlsafe" | cut -c 5-30 >>"$scratch/lines"
# What is sent is public: a chain is no key, but a combined file and the keys' own have them.
seen()
{
	grep -alF -f "$scratch/lines" "$@"
}
is 'they are in their files' "$(seen "$keys"/* | wc -l)" "$(find "$keys" -type f | wc -l)"
is 'none in what was printed' "$(seen "$scratch/printed")" ''
is "none in a hook's arguments, environment and input" "$(seen "$scratch/hook.log")" ''
is 'none in what programs are started with' "$(seen "$scratch"/strace.*)" ''
find "$ACME_HOME" -type f ! -name 'privkey.pem' ! -name 'combined.pem' ! -name 'key.pem*' >"$scratch/files"
# shellcheck disable=SC2046 # names without spaces
is 'none in other files' "$(seen $(cat "$scratch/files"))" ''
is 'and these can others not read' "$(find "$ACME_HOME" -type f \( -name 'privkey.pem' -o -name 'combined.pem' -o -name 'key.pem*' \) -perm /077)" ''
is 'the binding key is not handed on' "$(grep -c EAB_KEY "$scratch/hook.log")" 0
done_testing
