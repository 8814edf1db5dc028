#!/bin/sh
# dns-01 by hooks/nsupdate and by uacme's own scripts, against a real BIND
# that Pebble resolves through.  It is not at port 53, so nothing is waited for;
# e2e/zone.sh does that.
. "$(dirname "$0")/../lib.sh"

named_start
free_port http_port
free_port tls_port
pebble_start quick -strict
repeat=${LONG:+20}
: "${repeat:=3}"

txt()
{
	dig +short @127.0.0.1 -p "$dns_port" _acme-challenge.example.test TXT
}

i=0
while [ $((i += 1)) -le "$repeat" ]; do
	rm -rf "$ACME_HOME"
	exits "an apex and its wildcard by nsupdate, run $i" 0 "$acme" issue example.test '*.example.test' \
		-c "$root/hooks/nsupdate" -e NSUPDATE_SERVER="127.0.0.1#$dns_port" -e NSUPDATE_KEY="$tsig_file" \
		-s "$server" --ca-file "$ca" --wait 0
	is 'no TXT record is left' "$(txt)" ''
done
is 'both names are in it' "$(openssl x509 -in "$ACME_HOME/certs/example.test/live/cert.pem" -noout -ext subjectAltName |
	sed 1d | tr -d ' ' | tr , '\n' | sort | tr '\n' ' ')" 'DNS:*.example.test DNS:example.test '
exits 'a wildcard alone' 0 "$acme" issue '*.sub.example.test' \
	-c "$root/hooks/nsupdate" -e NSUPDATE_SERVER="127.0.0.1#$dns_port" -e NSUPDATE_KEY="$tsig_file" \
	-s "$server" --ca-file "$ca" --wait 0
ok 'is stored without an asterisk' test -f "$ACME_HOME/certs/_.sub.example.test/live/cert.pem"
exits 'and listed with one' 0 "$acme" list -q
like 'as it was named' "$out" '^\*\.sub\.example\.test$'

for sh in dash 'busybox ash'; do
	hook=$scratch/nsupdate-$(echo "$sh" | tr -d ' ')
	{
		echo "#!/usr/bin/env -S $sh"
		sed 1d "$root/hooks/nsupdate"
	} >"$hook"
	chmod 755 "$hook"
	exits "the same under $sh" 0 "$acme" issue -f example.test '*.example.test' --serial \
		-c "$hook" -e NSUPDATE_SERVER="127.0.0.1#$dns_port" -e NSUPDATE_KEY="$tsig_file" \
		-s "$server" --ca-file "$ca" --wait 0
	is 'no TXT record is left' "$(txt)" ''
done

exits 'a wrong TSIG key' 3 "$acme" issue wrong.example.test \
	-c "$root/hooks/nsupdate" -e NSUPDATE_SERVER="127.0.0.1#$dns_port" \
	-e NSUPDATE_TSIG=hmac-sha256:acme-test:AAAA -s "$server" --ca-file "$ca" --wait 0
unlike 'shows no secret' "$err" AAAA
like 'names the hook' "$err" 'hook .*nsupdate begin dns-01 wrong.example.test'

uacme=$root/build/download/tools/usr/share/uacme
# its nsupdate and dig want a port of their own, and five seconds are long
mkdir "$scratch/bin"
printf '#!/bin/sh\nexec %s 0.1\n' "$(command -v sleep)" >"$scratch/bin/sleep"
chmod 755 "$scratch/bin/sleep"
cat >"$scratch/dig" <<-END
	#!/bin/sh
	n=\$#
	while [ \$n -gt 0 ]; do
		n=\$((n - 1))
		case \$1 in @*) ;; *) set -- "\$@" "\$1" ;; esac
		shift
	done
	exec dig -p $dns_port @127.0.0.1 "\$@"
END
cat >"$scratch/nsupdate" <<-END
	#!/bin/sh
	sed "s/^server .*/server 127.0.0.1 $dns_port/" | nsupdate "\$@"
END
chmod 755 "$scratch/dig" "$scratch/nsupdate"
export UACME_DIG_CMD="$scratch/dig" UACME_NSUPDATE_CMD="$scratch/nsupdate" UACME_NSUPDATE_KEY="$tsig_file"
exits "uacme's nsupdate.sh, unmodified" 0 env PATH="$scratch/bin:$PATH" "$acme" issue uacme.example.test \
	-c "$uacme/nsupdate.sh" -s "$server" --ca-file "$ca" --wait 0
done_testing
