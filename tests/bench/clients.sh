# clients.sh - how each client does each row of the bench: as its manual advises,
# and with $fast set, with its fastest sensible settings.  Sourced by run.
#
# NAME_first, NAME_renew, NAME_http, NAME_idle call timed once, with what is measured.
# They run in the root folder of the other clients: $home is the client's
# folder there, $server the CA, /bench/hook a hook that does nothing, /bench/www
# a webroot that is served.  NAME_cert prints where the certificate of a first name is;
# NAME_fill makes COUNT certificates of the one that is there, none of them due.
#
# Challenges are http-01 everywhere.  Clients that write the file themselves do so;
# acme and uacme run a hook.  The key is EC P-256.
# shellcheck shell=sh
# shellcheck disable=SC2154 # home server fast rootfs are run's

bundle=/etc/ssl/certs/ca-certificates.crt
well_known=/bench/www/.well-known/acme-challenge

# each WORD NAME...: sets options to "WORD NAME WORD NAME ..."
each()
{
	each_word=$1
	shift
	options=
	for each_name; do
		options="$options $each_word $each_name"
	done
}

# --- acme ---------------------------------------------------------------------

acme_version()
{
	inside chroot "$rootfs" acme -V | sed 's/^acme //; s/ .*//'
}

acme_cert()
{
	echo "$home/certs/$1/live/fullchain.pem"
}

acme_first()
{
	timed acme issue "$@" -H "$home" -s "$server" --ca-file "$bundle" -c /bench/hook
}

acme_http()
{
	timed acme issue "$@" -H "$home" -s "$server" --ca-file "$bundle" -w /bench/www
}

acme_renew()
{
	timed acme renew -f -H "$home" --ca-file "$bundle"
}

acme_idle()
{
	timed acme renew -H "$home" --ca-file "$bundle"
}

# The certificates may be the same: only their names in the store differ.
acme_fill()
(
	cd "$rootfs$home/certs" || exit
	for i in $(seq "$1"); do
		cp -a n1.idle.example.test "copy$i" || exit
	done
	rm -rf n1.idle.example.test
)

# --- uacme ----------------------------------------------------------------------

uacme_version()
{
	inside chroot "$rootfs" uacme -V 2>&1 | sed -n 's/^uacme: version //p'
}

uacme_cert()
{
	echo "$home/$1/cert.pem"
}

# The account is a command of its own.
uacme_new()
{
	# shellcheck disable=SC2016 # expanded inside
	timed env UACME_CHALLENGE_PATH=$well_known sh -c \
		'uacme -c "$0" -a "$1" -t EC -y new && exec uacme -c "$0" -a "$@"' "$home" "$server" "$@"
}

uacme_first()
{
	uacme_new -h /bench/hook -t EC issue "$@"
}

uacme_http()
{
	mkdir -p "$rootfs$well_known"
	uacme_new -h /usr/share/uacme/uacme.sh -t EC issue "$@"
}

uacme_renew()
{
	timed uacme -c "$home" -a "$server" -h /bench/hook -t EC -f issue "$@"
}

# One call for each, as from a crontab.
uacme_idle()
{
	# shellcheck disable=SC2016
	timed sh -c 'i=0; while [ $((i += 1)) -le "$2" ]; do
		uacme -c "$0/copy$i" -a "$1" -h /bench/hook -t EC issue n1.idle.example.test
		[ $? -eq 1 ] || exit 2; done' "$home" "$server" "$1"
}

uacme_fill()
(
	cd "$rootfs$home" || exit
	for i in $(seq "$1"); do
		mkdir "copy$i" && cp -a private n1.idle.example.test "copy$i" || exit
	done
)

# --- acme.sh ----------------------------------------------------------------------

acmesh()
{
	timed_command=$1
	shift
	timed acme.sh "$timed_command" --home "$home" --server "$server" --ca-bundle "$bundle" "$@"
}

acmesh_version()
{
	inside chroot "$rootfs" acme.sh -v | sed -n 's/^v//p'
}

acmesh_cert()
{
	echo "$home/$1_ecc/fullchain.cer"
}

acmesh_first()
{
	each -d "$@"
	# shellcheck disable=SC2086 # words
	acmesh --issue -k ec-256 -w /bench/www $options
}

acmesh_http()
{
	acmesh_first "$@"
}

acmesh_renew()
{
	acmesh --renew --ecc --force -d "$1"
}

acmesh_idle()
{
	acmesh --cron
}

acmesh_fill()
(
	cd "$rootfs$home" || exit
	for i in $(seq "$1"); do
		cp -a n1.idle.example.test_ecc "copy$i.example.test_ecc" &&
		(
			cd "copy$i.example.test_ecc" || exit
			for file in n1.idle*; do
				mv "$file" "copy$i.example.test${file#n1.idle.example.test}" || exit
			done
			sed -i "s/n1\.idle\.example\.test/copy$i.example.test/g" "copy$i.example.test.conf"
		) || exit
	done
)

# --- dehydrated ---------------------------------------------------------------------

dehydrated_version()
{
	inside chroot "$rootfs" dehydrated -v 2>/dev/null | sed -n 's/^Dehydrated version: //p'
}

dehydrated_cert()
{
	echo "$home/certs/$1/fullchain.pem"
}

dehydrated_first()
{
	cat >"$rootfs$home/config" <<-END
	CA=$server
	CHALLENGETYPE=http-01
	WELLKNOWN=$well_known
	BASEDIR=$home
	KEY_ALGO=prime256v1
	END
	mkdir -p "$rootfs$well_known"
	each -d "$@"
	# shellcheck disable=SC2016,SC2086
	timed bash -c 'dehydrated -f "$0" --register --accept-terms && exec dehydrated -f "$0" "$@"' \
		"$home/config" -c $options
}

dehydrated_http()
{
	dehydrated_first "$@"
}

dehydrated_renew()
{
	each -d "$@"
	# shellcheck disable=SC2086
	timed dehydrated -f "$home/config" -c -x $options
}

dehydrated_idle()
{
	timed dehydrated -f "$home/config" -c
}

# The same name under other names of the certificate: that is what > is for.
dehydrated_fill()
(
	cd "$rootfs$home/certs" || exit
	for i in $(seq "$1"); do
		cp -a n1.idle.example.test "copy$i" || exit
		echo "n1.idle.example.test > copy$i" >>../domains.txt
	done
)

# --- certbot --------------------------------------------------------------------------

certbot()
{
	certbot_command=$1
	shift
	timed certbot "$certbot_command" -n --config-dir "$home" --work-dir "$home/work" --logs-dir "$home/logs" "$@"
}

certbot_version()
{
	inside chroot "$rootfs" certbot --version 2>/dev/null | sed 's/.* //'
}

certbot_cert()
{
	echo "$home/live/$1/fullchain.pem"
}

certbot_first()
{
	each -d "$@"
	# shellcheck disable=SC2086
	certbot certonly --agree-tos --register-unsafely-without-email --server "$server" \
		--webroot -w /bench/www --key-type ecdsa --elliptic-curve secp256r1 $options
}

certbot_http()
{
	certbot_first "$@"
}

certbot_renew()
{
	certbot renew --force-renewal --no-random-sleep-on-renew
}

certbot_idle()
{
	certbot renew
}

certbot_fill()
(
	cd "$rootfs$home" || exit
	for i in $(seq "$1"); do
		sed "s/n1\.idle\.example\.test/copy$i/" renewal/n1.idle.example.test.conf >"renewal/copy$i.conf" &&
		cp -a archive/n1.idle.example.test "archive/copy$i" &&
		mkdir "live/copy$i" || exit
		for file in cert chain fullchain privkey; do
			ln -s "../../archive/copy$i/${file}1.pem" "live/copy$i/$file.pem" || exit
		done
	done
)

# --- lego -------------------------------------------------------------------------------

# fast: its own limit of requests a second, 18, raised.
lego_options()
{
	each -d "$@"
	options="--accept-tos -m a@example.com --server $server --path $home
		--http --http.webroot /bench/www -k ec256 ${fast:+--overall-request-limit 1000} $options"
}

lego_version()
{
	inside chroot "$rootfs" lego -v | awk '{ print $3 }'
}

lego_cert()
{
	echo "$home/certificates/$1.crt"
}

lego_first()
{
	lego_options "$@"
	# shellcheck disable=SC2086
	timed lego $options run
}

lego_http()
{
	lego_first "$@"
}

lego_renew()
{
	lego_options "$@"
	# shellcheck disable=SC2086
	timed lego $options renew --days 9999 --no-random-sleep
}

# One call for each, as from a crontab.
lego_idle()
{
	lego_options n1.idle.example.test
	# shellcheck disable=SC2016,SC2086
	timed sh -c 'i=0; while [ $((i += 1)) -le "$0" ]; do
		lego "$@" renew || exit; done' "$1" $options
}

lego_fill()
{
	:
}

# --- acmetool -------------------------------------------------------------------------------

acmetool_version()
{
	inside chroot "$rootfs" acmetool --version 2>&1 | sed -n 's/.*version //p' | tail -n 1
}

acmetool_cert()
{
	echo "$home/live/$1/fullchain"
}

acmetool_first()
{
	mkdir -p "$rootfs$home/conf"
	cat >"$rootfs$home/conf/target" <<-END
	request:
	  provider: $server
	  key:
	    type: ecdsa
	    ecdsa-curve: nistp256
	  challenge:
	    webroot-paths:
	      - $well_known
	    http-self-test: false
	END
	cat >"$rootfs$home/answers" <<-END
	"acme-enter-email": ""
	"acme-agreement:data:text/plain,Do%20what%20thou%20wilt": true
	END
	mkdir -p "$rootfs$well_known"
	timed acmetool --batch --response-file "$home/answers" --state "$home" --hooks /bench/nohooks want "$@"
}

acmetool_http()
{
	acmetool_first "$@"
}

# Its account has no other targets.
acmetool_idle()
{
	timed acmetool --batch --state "$home" --hooks /bench/nohooks reconcile
}

# Its store knows a certificate by the sum of the URL that it came from.
acmetool_fill()
(
	cd "$rootfs$home" || exit
	from=$(echo certs/*)
	url=$(cat "$from/url")
	for i in $(seq "$1"); do
		to=certs/$(printf %s "$url$i" | openssl dgst -sha256 -binary | base32 | tr '[:upper:]' '[:lower:]' | tr -d '=\n') &&
		cp -a "$from" "$to" &&
		printf %s "$url$i" >"$to/url" &&
		cp -a desired/n1.idle.example.test-* "desired/copy$i" || exit
	done
)

# --- probe ------------------------------------------------------------------------

# No client, but the CA's own time: what is left when nobody waits for anything.  Its
# wall time is its own account of it, without Python's start.
probe_version()
{
	echo -
}

probe_cert()
{
	echo "$home/chain.pem"
}

probe_first()
{
	timed python3 /bench/probe.py "$server" "$bundle" "${way:-plain}" "$home/chain.pem" "$@"
	probe_wall=$(sed -n 's/^wall_us //p' "$scratch/client.log")
	sed -i "s/^wall_us .*/wall_us $probe_wall/" "$scratch/figures"
}

probe_http()
{
	probe_first "$@"
}
