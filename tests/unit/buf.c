/*
 * buf: what does not fit sets err and never writes past the end; numbers,
 * hexadecimal, printable text; slices.
 */
#include <stdlib.h>

#include "../tap.h"
#include "../../buf.c"

static void
put_str(struct buf *b)
{
	buf_str(b, "abc");
}

static void
put_empty(struct buf *b)
{
	buf_mem(b, 0, 0);
	buf_str(b, "");
}

static void
put_char(struct buf *b)
{
	buf_char(b, 'x');
	buf_char(b, 0xff);
}

static void
put_uint(struct buf *b)
{
	buf_uint(b, 0);
	buf_char(b, ' ');
	buf_uint(b, 1000000007);
	buf_char(b, ' ');
	buf_uint(b, UINT64_MAX);
}

static void
put_int(struct buf *b)
{
	buf_int(b, 0);
	buf_int(b, 42);
	buf_int(b, -1);
	buf_int(b, INT64_MAX);
	buf_int(b, INT64_MIN);
}

static void
put_hex(struct buf *b)
{
	buf_hex(b, "\x00\x0f\xa5\xff", 4);
}

static void
put_printable(struct buf *b)
{
	struct slice s = { "a ~\x1b[2J\x7f\x80\n\0.", 12 };

	buf_printable(b, s);
}

static void
put_all(struct buf *b)
{
	buf_all(b, "one", "", "-", "two", (char *)0);
}

static void
put_slice(struct buf *b)
{
	struct slice s = { "a\0b", 3 }, none = { 0, 0 };

	buf_slice(b, s);
	buf_slice(b, none);
}

static const struct {
	const char *name;
	void (*put)(struct buf *b);
	const char *want;
	size_t n;
} writers[] = {
	{ "a string", put_str, "abc", 3 },
	{ "nothing at all, from a null pointer too", put_empty, "", 0 },
	{ "single bytes, also above 127", put_char, "x\xff", 2 },
	{ "unsigned numbers up to 2^64-1", put_uint,
	    "0 1000000007 18446744073709551615", 33 },
	{ "signed numbers down to -2^63", put_int,
	    "042-19223372036854775807-9223372036854775808", 44 },
	{ "hexadecimal in lower case", put_hex, "000fa5ff", 8 },
	{ "bytes that are not printable ASCII as \\xHH", put_printable,
	    "a ~\\x1b[2J\\x7f\\x80\\x0a\\x00.", 27 },
	{ "several strings", put_all, "one-two", 7 },
	{ "slices with NUL, and a null slice", put_slice, "a\0b", 3 },
};

/* In memory of exactly that size, so that a write past the end is seen. */
static void
test_writer(size_t i)
{
	size_t cap, n = writers[i].n;
	int good = 1;
	char *mem;
	struct buf b;

	for (cap = 0; cap <= n + 1; cap++) {
		mem = malloc(cap ? cap : 1);
		buf_init(&b, mem, cap);
		writers[i].put(&b);
		if (b.err != (cap < n) || b.len > cap ||
		    (!b.err && (b.len != n || memcmp(mem, writers[i].want, n) != 0)))
			good = 0;
		free(mem);
	}
	ok(good, writers[i].name);
}

static void
test_overflow(void)
{
	char mem[4] = "....";
	struct buf b = BUF(mem);

	buf_str(&b, "ab");
	buf_str(&b, "cde");
	ok(b.err && b.len == 2, "what does not fit is not written at all");
	buf_char(&b, 'c');
	ok(b.err && b.len == 2 && mem[2] == '.', "err sticks, even for what would fit");
	buf_clear(&b);
	ok(!b.err && b.len == 0, "buf_clear() takes err back");
	buf_mem(&b, "abc", (size_t)-1);
	ok(b.err && b.len == 0, "a length near SIZE_MAX does not wrap around");
	buf_clear(&b);
	buf_str(&b, "abcd");
	ok(!b.err && b.len == 4, "a buffer can be filled to the last byte");
	buf_mem(&b, "", 0);
	ok(!b.err, "nothing fits into a full buffer");
	buf_char(&b, 'e');
	ok(b.err, "one byte does not");
	ok(buf_view(&b).p == mem && buf_view(&b).n == 4, "buf_view() is what was written");
}

static void
test_text(void)
{
	char mem[4] = "xxxx";
	struct buf b = BUF(mem);

	is_str(buf_text(&b), "", "the text of an empty buffer");
	buf_str(&b, "abc");
	is_str(buf_text(&b), "abc", "the NUL may take the last byte");
	ok(b.len == 3, "the NUL is not counted");
	buf_char(&b, 'd');
	is_str(buf_text(&b), "", "without room for the NUL the text is empty");
	ok(b.err, "and err is set");
	buf_clear(&b);
	buf_str(&b, "abcde");
	is_str(buf_text(&b), "", "after an overflow the text is empty");
}

static void
test_slices(void)
{
	static const struct {
		const char *a, *b;
		int same, nocase;
	} rows[] = {
		{ "", "", 1, 1 }, { "a", "", 0, 0 }, { "", "a", 0, 0 },
		{ "abc", "abc", 1, 1 }, { "abc", "abd", 0, 0 },
		{ "abc", "ABC", 0, 1 }, { "Retry-After", "retry-after", 0, 1 },
		{ "abc", "abcd", 0, 0 }, { "abcd", "abc", 0, 0 },
		{ "[", "{", 0, 0 }, { "@", "`", 0, 0 }, { "\xc4", "\xe4", 0, 0 },
	};
	struct slice nul = { "a\0", 2 }, none = { 0, 0 };
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ok(slice_is(slice(rows[i].a), rows[i].b) == rows[i].same,
		    "slice_is compares bytes");
		ok(slice_is_nocase(slice(rows[i].a), rows[i].b) == rows[i].nocase,
		    "slice_is_nocase folds ASCII letters only");
	}
	ok(slice_listed(slice("b"), "a b c") && slice_listed(slice("a"), "a") && slice_listed(slice("c"), "a c "),
	    "a word of a list");
	ok(!slice_listed(slice("b"), "ab bc B") && !slice_listed(slice(""), "a b") &&
	    !slice_listed(slice("a b"), "a b") && !slice_listed(slice("a"), ""), "nothing else is");
	ok(!slice_is(nul, "a") && !slice_is_nocase(nul, "a"),
	    "a NUL is a byte like any other");
	ok(slice_is(none, "") && slice_is_nocase(none, "") && !slice_is(none, "a"),
	    "a null slice is an empty one");
}

static void
test_uint(void)
{
	static const struct {
		const char *text;
		int result;
		uint64_t v;
	} rows[] = {
		{ "0", 0, 0 }, { "7", 0, 7 }, { "0010", 0, 10 },
		{ "999999999999999999", 0, 999999999999999999 },
		{ "000000000000000001", 0, 1 },
		{ "", -1, 5 }, { "-1", -1, 5 }, { "+1", -1, 5 }, { " 3", -1, 5 },
		{ "3 ", -1, 5 }, { "1e9", -1, 5 }, { "0x1", -1, 5 }, { "1.0", -1, 5 },
		{ "1000000000000000000", -1, 5 }, { "0000000000000000001", -1, 5 },
		{ "\xb1", -1, 5 }, { "/", -1, 5 }, { ":", -1, 5 },
	};
	uint64_t v;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		v = 5;
		if (!ok(slice_uint(slice(rows[i].text), &v) == rows[i].result &&
		    v == rows[i].v, "slice_uint takes 1 to 18 digits, nothing else"))
			printf("# '%s'\n", rows[i].text);
	}
}

static void
test_copy(void)
{
	struct slice nul = { "a\0b", 3 }, none = { 0, 0 };
	char out[4];

	ok(slice_copy(slice("abc"), out, 4) == 0 && strcmp(out, "abc") == 0,
	    "slice_copy fills up to the NUL");
	ok(slice_copy(slice("abcd"), out, 4) < 0 && out[0] == 0,
	    "too long: -1 and an empty text");
	ok(slice_copy(nul, out, 4) < 0 && out[0] == 0, "a NUL within: -1 and an empty text");
	ok(slice_copy(none, out, 4) == 0 && out[0] == 0, "a null slice is an empty text");
	ok(slice_copy(none, out, 1) == 0 && out[0] == 0, "which fits one byte");
}

static void
test_wipe(void)
{
	char mem[5] = "abcd";

	wipe(mem + 1, 2);
	ok(memcmp(mem, "a\0\0d", 5) == 0, "wipe clears exactly n bytes");
	wipe(mem, 0);
	ok(mem[0] == 'a', "wipe of nothing");
}

int
main(void)
{
	size_t i;

	for (i = 0; i < sizeof(writers) / sizeof(writers[0]); i++)
		test_writer(i);
	test_overflow();
	test_text();
	test_slices();
	test_uint();
	test_copy();
	test_wipe();
	return tap_done();
}
