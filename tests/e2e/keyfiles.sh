#!/bin/sh
# Private keys that cannot be used, wherever one is read: exit status 78 and the
# reason, within the second, the file as it was, and nothing asked of the CA.
# shellcheck disable=SC2154,SC2317 # variables of lib.sh; functions called by name
. "$(dirname "$0")/../lib.sh"

challtestsrv_start
free_port http_port
pebble_start PEBBLE_VA_NOSLEEP=1 PEBBLE_AUTHZREUSE=0 PEBBLE_WFE_NONCEREJECT=0
set -- -s "$server" --ca-file "$ca"
exits 'an account' 0 "$acme" account register "$@"
exits 'a certificate' 0 "$acme" issue a.example.com -c "standalone:$http_port" --reuse-key "$@"
account=$(find "$ACME_HOME/accounts" -name key.pem)
live=$ACME_HOME/certs/a.example.com/live/privkey.pem
good=$scratch/good.pem
cp "$account" "$good"
accounts() { grep -c 'POST /sign-me-up' "$scratch/pebble.log"; }
asked() { grep -c ' /' "$scratch/pebble.log"; }
before=$(accounts)
is 'there is one account' "$before" 1

# Keys that are none, and why, by file.
bad=$scratch/bad
mkdir "$bad"
number() { printf 'INTEGER:0x%s\n' "$(printf "%$((2 * $1))s" | tr ' ' f)"; }
# numbers FILE SIZE...: an RSAPrivateKey of numbers of so many bytes each
numbers()
{
	file=$1
	shift
	{
		echo 'asn1=SEQUENCE:k'
		echo '[k]'
		echo 'v=INTEGER:0'
		for size; do
			echo "n$size$#=$(number "$size")"
			shift
		done
	} >"$scratch/asn1"
	openssl asn1parse -genconf "$scratch/asn1" -noout -out "$scratch/der" >/dev/null &&
	{ echo '-----BEGIN RSA PRIVATE KEY-----'; openssl base64 -in "$scratch/der"; echo '-----END RSA PRIVATE KEY-----'; } >"$file"
}
pem() { { echo "-----BEGIN $1-----"; openssl base64; echo "-----END $1-----"; }; }
der() { openssl pkey -in "$good" -outform DER; }
{
	: >"$bad/empty"
	echo 'no key' >"$bad/text"
	head -c 4000 /dev/zero >"$bad/zeros"
	head -c 100 "$good" >"$bad/truncated"
	der | head -c 100 | pem 'PRIVATE KEY' >"$bad/truncated-inside"
	{ der; printf x; } | pem 'PRIVATE KEY' >"$bad/extra-byte"
	{ cat "$good"; cat "$good"; } >"$bad/twice"
	openssl pkey -in "$good" -aes128 -passout pass:x -out "$bad/encrypted"
	openssl pkey -in "$good" -traditional -aes128 -passout pass:x -out "$bad/encrypted-sec1"
	openssl ec -in "$good" -aes128 -passout pass:x -out "$bad/encrypted-sec1"
	openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out "$bad/rsa1024"
	openssl pkey -in "$good" -pubout -out "$bad/public"
	openssl ecparam -name secp256k1 -genkey -noout -out "$bad/secp256k1"
	cp "$ca" "$bad/certificate"
	# more than 4096 bits; and what makes br_skey_decoder of BearSSL 0.6 write beyond its buffer
	numbers "$bad/rsa5000" 625 3 625 313 313 313 313 313
	numbers "$bad/overflow-p" 256 3 256 600 128 128 128 128
	numbers "$bad/overflow-all" 512 512 512 512 512 512 512 512
	head -c 200000 /dev/zero | tr '\0' A >"$bad/huge"
} >"$scratch/openssl.log" 2>&1
is 'keys of all kinds' "$(find "$bad" -type f -size +0 | wc -l | tr -d ' ')" 16
all=$(cd "$bad" && echo *)
few='empty truncated encrypted overflow-p'

# refused WHAT KEYS FILE COMMAND...: with each of these in FILE
refused()
{
	what=$1 keys=$2 file=$3
	shift 3
	wrong=
	now=$(asked)
	for key in $keys; do
		cp "$bad/$key" "$file"
		chmod 600 "$file"
		inode=$(stat -c '%a %i' "$file")
		run timeout 60 "$@"
		case $status,$err in
		78,*"
"*) wrong="$wrong $key: $err" ;;
		78,*) ;;
		*) wrong="$wrong $key: status $status" ;;
		esac
		cmp "$bad/$key" "$file" && [ "$(stat -c '%a %i' "$file")" = "$inode" ] || wrong="$wrong $key changed"
	done
	is "$what: refused, left as it is" "$wrong" ''
	is 'and nothing asked' "$(asked)" "$now"
	cp "$good" "$file"
}

# not_blocked WHAT FILE COMMAND...: with what is no file in its place
not_blocked()
{
	what=$1 file=$2
	shift 2
	for place in directory fifo zero; do
		rm -f "$file"
		case $place in
		directory) mkdir "$file" ;;
		fifo) mkfifo "$file" ;;
		zero) [ -c /dev/zero ] && ln -s /dev/zero "$file" ;;
		esac
		# in the state directory no symbolic link is followed
		want=78
		[ "$place,$file" != "zero,$account" ] || want=73
		since=$(date +%s)
		now=$(asked)
		run timeout 20 "$@"
		is "$what: a $place: refused" "$status" "$want"
		ok 'at once, and nothing asked' test $(($(date +%s) - since)) -lt 10 -a "$(asked)" = "$now"
		rm -rf "$file"
	done
	cp "$good" "$file"
}

other=$scratch/other.pem
refused "the account's key" "$all" "$account" "$acme" account show "$@"
refused 'the same, when a certificate is wanted' "$few" "$account" "$acme" issue b.example.com -c "standalone:$http_port" "$@"
refused 'the same, when it is registered' "$few" "$account" "$acme" account register "$@"
refused 'a key that is adopted' "$few" "$other" "$acme" account register --account own --key "$other" "$@"
refused 'a key that the account changes to' "$few" "$other" "$acme" account rollover --key "$other" "$@"
refused 'a key that is brought' "$few" "$other" "$acme" issue c.example.com -c "standalone:$http_port" --key "$other" "$@"
refused 'a key of a request' "$all" "$other" "$acme" csr c.example.com --key "$other"
refused 'a key that revokes' "$few" "$other" "$acme" revoke a.example.com --cert-key "$other"
cp "$live" "$scratch/live.pem"
refused 'the key that is used again' "$few" "$live" "$acme" renew -f a.example.com
cp "$scratch/live.pem" "$live"
not_blocked "the account's key" "$account" "$acme" account register "$@"
not_blocked 'a key that is brought' "$other" "$acme" issue c.example.com -c "standalone:$http_port" --key "$other" "$@"
not_blocked 'a key of a request' "$other" "$acme" csr c.example.com --key "$other"
is 'no account was made in all this' "$(accounts)" "$before"
ok 'nor a certificate' test ! -e "$ACME_HOME/certs/c.example.com/live"

# modes
chmod 600 "$account" "$live"
exits 'all is well again' 0 "$acme" renew -f a.example.com
is 'without a word' "$err" ''
chmod 644 "$account"
exits 'an account key that others can read' 0 "$acme" account show "$@"
like 'is reported' "$err" 'others can read .*key\.pem: run chmod 600 on it'
is 'and left as it is' "$(stat -c %a "$account")" 644
chmod 600 "$account"
chmod 640 "$live"
exits 'a key in use that others can read' 0 "$acme" renew -f a.example.com
like 'is reported' "$err" 'others can read .*privkey\.pem: run chmod 600 on it'
openssl ecparam -name prime256v1 -genkey -noout -out "$other"
chmod 644 "$other"
exits 'a key that is brought, and others can read' 0 "$acme" csr c.example.com --key "$other"
like 'is reported' "$err" "others can read $other: run chmod 600 on it"
exits 'in another command too' 0 "$acme" issue c.example.com -c "standalone:$http_port" --key "$other" "$@"
like 'is reported' "$err" "others can read $other: run chmod 600 on it"
chmod 600 "$other"
exits 'and when they cannot' 0 "$acme" csr c.example.com --key "$other"
is 'nothing is' "$err" ''
done_testing
