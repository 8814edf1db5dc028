#!/bin/sh
# What the source promises of itself, read from the files.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

exits 'files include what they may, and the Makefile knows it' 0 tests/includes

run grep -nE '\b(malloc|calloc|realloc|strdup|alloca)[ ]*\(' ./*.c
is 'no memory is allocated' "$out" ''

run grep -nE '\b(v?[sf]?n?printf|puts|[sf]?scanf|strto(l|ul|ll|ull|d|f|ld)|ato[ifl]|strftime|inet_ntop|assert)[ ]*\(' ./*.c
is 'nothing of printf or scanf is called' "$out" ''

run grep -nwE 'float|double' ./*.c ./*.h
is 'no floating point' "$(printf '%s\n' "$out" | grep -v ':[ 	]*\(/\*\|\*\)')" ''

for header in ./*.h; do
	[ "$(grep -c '^#include "' "$header")" -le 1 ] || echo "$header"
done >"$scratch/headers"
is 'headers include buf.h and no other of the project' "$(cat "$scratch/headers")" ''

ok 'BearSSL is the one in the manifest' [ "$(grep -c '^[0-9a-f]\{64\}  \(src\|inc\)/' tests/bearssl.manifest)" = 300 ]

# The table of faults: each number once, in order, and the tests are there.
sed -n '/^Faults$/,$s/^ *\([0-9][0-9]*\)  \(.*\)$/\1 \2/p' tests/README >"$scratch/faults"
is 'the table of faults goes from 1 to 139' "$(cut -d ' ' -f 1 "$scratch/faults" | tr '\n' ' ')" "$(seq -s ' ' 139) "
grep -oE '(e2e|unit|fuzz)/[a-z0-9]+' "$scratch/faults" | sort -u | while read -r test; do
	[ -f "tests/$test.sh" ] || [ -f "tests/$test.c" ] || echo "$test"
done >"$scratch/missing"
is 'and names tests that are there' "$(cat "$scratch/missing")" ''

done_testing
