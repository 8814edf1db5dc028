#!/bin/sh
# Requests for 250 random sets of names: each verifies with openssl and has the
# names that were asked for, and Pebble -strict issues for 25 of them (LONG=1:
# a thousand, all issued, other ones each time).  SEED repeats a run.
# shellcheck disable=SC2317 # functions are called by name
. "$(dirname "$0")/../lib.sh"

seed=${SEED:-$([ "${LONG-}" ] && date +%s || echo 1)}
sets=${SETS:-$([ "${LONG-}" ] && echo 1000 || echo 250)}
# So many of them are issued, spread over all: each is a quarter of a second of
# processor time, so it is all of them only in check-all.
issued=${ISSUED:-$([ "${LONG-}" ] && echo "$sets" || echo 25)}
diag "SEED=$seed SETS=$sets ISSUED=$issued"

# Two files, a line for each set: a key's name and the names as they are given,
# in any case and spelling; and the same as openssl prints them.
awk -v seed="$seed" -v sets="$sets" -v given="$scratch/given" -v wanted="$scratch/wanted" '
function random(n)	# 0 .. n-1; the same in every awk
{
	state = state * 16807 % 2147483647
	return int(state / 2147483647 * n)
}
function pick(text)
{
	return substr(text, random(length(text)) + 1, 1)
}
function label(length_,	s)
{
	for (s = pick(ALNUM); length(s) < length_ - 1;)
		s = s pick(ALNUM (length(s) == 2 ? "" : "-"))
	return length_ > 1 ? s pick(ALNUM) : s
}
# Sets name, as it is given, and want.
function host(	size, wild, left, n, i)
{
	i = random(TLDS) + 1
	name = tld[i]
	want = tld_want[i]
	wild = random(8) == 0
	# now and then up to the limit
	size = random(12) ? length(want) + random(80) + 2 : wild ? 251 : 253
	while ((left = size - length(want) - 1) > 0) {
		i = random(IDNS) + 1
		if (random(6) == 0 && left > length(idn_want[i]) + 2) {
			name = idn[i] "." name
			want = idn_want[i] "." want
			continue
		}
		n = random(5) ? random(15) + 1 : random(63) + 1
		if (n >= left - 1)
			n = left > 63 ? 61 : left
		i = label(n)
		name = (random(4) ? i : toupper(i)) "." name
		want = i "." want
	}
	if (wild) {
		name = "*." name
		want = "*." want
	}
	if (random(20) == 0)
		name = name "."
	want = "DNS:" want
}
# Below 32: Pebble sorts what is asked for by sixteen bytes, and what is in the
# request by four, so a greater one beside an IPv6 address would be missed.
function ipv4()
{
	name = random(32) "." random(256) "." random(256) "." random(256)
	want = "IP Address:" name
}
function ipv6(	i, g, zero)
{
	zero = random(7) + 1	# a group of zeros, written as ::
	name = want = ""
	for (i = 0; i < 8; i++) {
		g = i == zero ? 0 : i == 0 ? 8193 : random(3) ? random(65536) : random(16)
		want = want (i ? ":" : "") sprintf("%X", g)
		name = name (i == zero ? (i == 7 ? "::" : ":") : (i ? ":" : "") sprintf(random(2) ? "%x" : "%04X", g))
	}
	want = "IP Address:" want
}
BEGIN {
	ALNUM = "abcdefghijklmnopqrstuvwxyz0123456789"
	TLDS = split("example com Org test xn--p1ai de \320\240\320\244", tld, " ")
	split("example com org test xn--p1ai de xn--p1ai", tld_want, " ")
	IDNS = split("b\303\274cher M\303\234NCHEN \320\277\321\200\320\270\320\274\320\265\321\200 \346\227\245\346\234\254\350\252\236 xn--strae-oqa \316\222\316\214\316\233\316\237\316\243", idn, " ")
	split("xn--bcher-kva xn--mnchen-3ya xn--e1afmkfd xn--wgv71a119e xn--strae-oqa xn--nxasmq6b", idn_want, " ")
	state = seed % 2147483646 + 1
	for (i = 0; i < 20; i++)
		random(2)
	for (set = 0; set < sets; set++) {
		count = set == 0 ? 100 : random(10) ? random(8) + 1 : random(40) ? random(100) + 1 : 100
		key = random(20) ? "ec256" : random(3) ? "ec384" : "rsa2048"
		line = key
		list = ""
		split("", seen)
		for (i = 0; i < count; i++) {
			r = random(10)
			if (r == 0) ipv4()
			else if (r == 1) ipv6()
			else host()
			line = line " " name
			if (want in seen)
				continue
			seen[want] = 1
			list = list (list == "" ? "" : ", ") want
		}
		print line >given
		print list >wanted
	}
}'
is 'there are so many sets' "$(wc -l <"$scratch/given" | tr -d ' ')" "$sets"
ok 'the longest name has 253 bytes' grep -Eq '(^|DNS:)[^,]{253}(,|$)' "$scratch/wanted"
ok 'a label has 63' grep -Eq '[.:][a-z0-9-]{63}\.' "$scratch/wanted"
for kind in 'DNS:\*\.' 'IP Address:[0-9]*\.' 'IP Address:2001:' 'xn--' '(.*, ){90}'; do
	ok "there is: $kind" grep -Eq "$kind" "$scratch/wanted"
done

for key in ec256 ec384 rsa2048; do
	exits "a key: $key" 0 "$acme" csr a.example -k "$key" --key "$scratch/$key.pem"
done

# part WHICH OF COMMAND...: COMMAND NUMBER LINE for each of those sets whose number leaves WHICH.
part()
{
	which=$1 of=$2
	shift 2
	number=0
	set -f	# a wildcard is no pattern
	while read -r line; do
		number=$((number + 1))
		[ $((number % of)) -ne "$which" ] || "$@" "$number" "$line"
	done <"$scratch/given" 3>&-
}

# parallel JOBS COMMAND...
parallel()
{
	jobs=$1
	shift
	job=$jobs
	while [ "$job" -gt 0 ]; do
		job=$((job - 1))
		part $job "$jobs" "$@" &
		eval "job_$job=\$!"
	done
	while [ "$job" -lt "$jobs" ]; do
		eval "wait \$job_$job"
		job=$((job + 1))
	done
}

verify()
{
	# shellcheck disable=SC2086 # names
	"$acme" csr ${2#* } --key "$scratch/${2%% *}.pem" >"$scratch/csr/$1" 2>"$scratch/csr/$1.err"
	openssl req -in "$scratch/csr/$1" -verify -noout -text >"$scratch/csr/$1.text" 2>&1
}

mkdir "$scratch/csr"
begun=$(date +%s)
parallel 2 verify
diag "requests: $(($(date +%s) - begun)) s"
# shellcheck disable=SC2046 # numbers
(cd "$scratch/csr" && for i in $(seq "$sets"); do cat "$i.text"; echo end; done) |
	awk '/verify OK/ { good = 1 }
		names { sub(/^ */, ""); list = $0; names = 0 }
		/Subject Alternative Name/ { names = 1 }
		/^end$/ { print good ? list : "not verified"; good = 0; list = "" }' >"$scratch/got"
ok 'every request verifies, and has the names asked for in their order' cmp "$scratch/wanted" "$scratch/got"
is 'nothing is complained about' "$(cat "$scratch"/csr/*.err | grep -v 'is covered by\|redundant')" ''

challtestsrv_start
pebble_start quick PEBBLE_VA_ALWAYS_VALID=1 PEBBLE_WFE_NONCEREJECT=0 PEBBLE_AUTHZREUSE=0 -strict
exits 'a registration' 0 "$acme" account register -s "$server" --ca-file "$ca"

issue()
{
	[ $(($1 * issued / sets)) -ne $((($1 - 1) * issued / sets)) ] || return 0
	# shellcheck disable=SC2086 # names
	"$acme" issue -N "set$1" ${2#* } --key "$scratch/${2%% *}.pem" -c /bin/true --wait 0 \
		-s "$server" --ca-file "$ca" >"$scratch/issue/$1.err" 2>&1 || echo "exit status $?" >>"$scratch/issue/$1.err"
	[ ! -s "$ACME_HOME/certs/set$1/live/cert.pem" ] || echo "$1" >>"$scratch/issue/$job"
}

mkdir "$scratch/issue"
begun=$(date +%s)
parallel 4 issue
diag "certificates: $(($(date +%s) - begun)) s"
is 'Pebble -strict issued for each' "$(cat "$scratch"/issue/[0-9] | wc -l | tr -d ' ')" "$issued"
is 'without complaint' "$(cat "$scratch"/issue/*.err | grep -v 'is covered by\|redundant' | head -n 5)" ''
done_testing
