#!/bin/sh
# The fuzzers' corpora once more, and each beginning of their small files: no crash, no
# broken promise, no report of a sanitizer, in bounded memory and time.  It
# takes no clang: tests/replay.c runs them, built with the sanitizers where the compiler has any.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

flags='-O0 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all'
echo 'int main(void) { return 0; }' >"$scratch/empty.c"

# compiler COMMAND FLAGS: it makes programs so that run.
compiler()
{
	# shellcheck disable=SC2086 # a list
	command -v "$1" >/dev/null && "$1" $2 "$scratch/empty.c" -o "$scratch/empty" 2>/dev/null && "$scratch/empty"
}

for cc in gcc cc clang; do
	! compiler $cc "$flags" || break
done
compiler "$cc" "$flags" || { cc=cc flags=-O1; diag 'no sanitizers here'; }

# BearSSL is the build's own: it is not what is tested.
fuzz=build/fuzz-$cc
mkdir -p "$fuzz"
run make -j2 B="$fuzz" CC="$cc" STATIC= BEARSSL="${B:-build}/bearssl" LIBBEARSSL="${B:-build}/libbearssl.a" \
	LDFLAGS=-no-pie CFLAGS="$flags -fno-pie" fuzzers
is 'the fuzzers are built' "$status" 0

ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=1:hard_rss_limit_mb=512:max_allocation_size_mb=64
UBSAN_OPTIONS=print_stacktrace=1
export ASAN_OPTIONS UBSAN_OPTIONS
for source in tests/fuzz/*.c; do
	name=$(basename "$source" .c)
	run timeout -k 5 120 "$fuzz/tests/fuzz/$name" "tests/fuzz/corpus/$name"
	is "$name: $(printf '%s\n' "$out" | sed -n 's/^ok 1 - .*: //p')" "$status" 0
done
done_testing
