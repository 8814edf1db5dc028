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

done_testing
