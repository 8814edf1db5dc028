#!/bin/sh
# The Makefile: what it builds, that it rebuilds what changed and nothing else,
# installs and removes.  It works in a copy of the checkout, which has this
# one's BearSSL, compiled already.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

copy=$scratch/copy
unset CC CFLAGS LDFLAGS STATIC
mkdir -p "$copy/build/download"
tar cf - --exclude=./build --exclude=./.git . | (cd "$copy" && tar xof -)
cp -Rp build/bearssl build/flags.bearssl build/libbearssl.a "$copy/build"
cd "$copy" || exit 1

# built: the objects and programs that a run of make says it made, sorted, on one line.
built()
{
	printf '%s\n' "$out" | sed -n 's/^  \(CC\|LINK\|AR\)  *//p' | sort | tr '\n' ' ' | sed 's/ $//'
}

run make -j2
is 'make builds' "$status" 0
unlike 'BearSSL is not made again' "$err$out" 'bearssl'
run ls acme
is './acme is there' "$out" acme

# bmake knows whole seconds only.
newer()
{
	sleep 1.1
	touch "$@"
}

for make in make bmake; do
	if ! command -v $make >/dev/null; then
		skip "$make" 'not here'
		continue
	fi
	run $make
	is "$make: a second time builds nothing" "$(built)" ''
	newer json.c
	run $make
	is "$make: a changed .c file is compiled" "$(built)" 'acme json.o'
	newer ca.h
	run $make
	is "$make: what includes a changed header is compiled" "$(built)" \
		"$(printf 'acme %s' "$(grep -l '^#include "ca\.h"' ./*.c | sed 's|^./||; s/c$/o/')" | tr ' ' '\n' | sort | tr '\n' ' ' | sed 's/ $//')"
	sleep 1.1
	run $make PREFIX=/opt
	is "$make: another PREFIX concerns hook.o" "$(built)" 'acme hook.o'
	sleep 1.1
	run $make
	is "$make: and back" "$(built)" 'acme hook.o'
	sleep 1.1
done

run make V=1 PREFIX=/opt
like 'V=1 shows the commands' "$out" '-c -o build/hook.o hook.c'

# Neither a program interpreter, nor a name.
is 'static' "$(readelf -lW acme | grep -c INTERP)" 0
is 'stripped' "$(nm acme 2>/dev/null | wc -l | tr -d ' ')" 0
exits 'nothing of printf, scanf or floating point is linked' 0 make size
like 'make size names the goal' "$out" '262144'

cp -R build/bearssl "$scratch/changed"
echo >>"$scratch/changed/src/int/i31_add.c"
run make BEARSSL="$scratch/changed"
is 'a changed BearSSL stops the build' "$((status != 0))" 1
like 'and is named' "$err" 'src/int/i31_add\.c'
rm "$scratch/changed/src/int/i31_add.c"
run make BEARSSL="$scratch/changed"
like 'so does a missing file' "$err" 'src/int/i31_add\.c'
cp "build/bearssl/src/int/i31_add.c" "$scratch/changed/src/int"
echo >"$scratch/changed/src/more.c"
run make BEARSSL="$scratch/changed"
like 'and one too many' "$err" 'src/more\.c'

run make install DESTDIR="$scratch/dest" PREFIX=/usr PROG=acme-tls
is 'make install' "$status" 0
(cd "$scratch/dest" && find . -type f | sort) >"$scratch/installed"
{
	echo ./usr/bin/acme-tls
	for hook in hooks/*; do
		echo "./usr/share/acme/$hook"
	done
	echo ./usr/share/man/man1/acme-tls.1
} | sort >"$scratch/wanted"
is 'the binary by its name, the manual, the hooks' "$(cat "$scratch/installed")" "$(cat "$scratch/wanted")"
ok 'the installed binary runs' "$scratch/dest/usr/bin/acme-tls" -V
run make uninstall DESTDIR="$scratch/dest" PREFIX=/usr PROG=acme-tls
is 'make uninstall leaves nothing' "$(cd "$scratch/dest" && find . -type f)" ''

run make -j2 WERROR=-Werror
is 'other flags compile everything of ours' "$(built | wc -w | tr -d ' ')" "$(($(printf '%s\n' *.c | wc -l) + 1))"

run make clean
is 'make clean leaves downloads' "$(ls build)" download
ok 'and no ./acme' [ ! -e acme ]

cd "$root" || exit 1
done_testing
