/* der: lengths, nesting, integers, and what is not DER. */
#include "../tap.h"
#include "../../der.c"
#include "../exact.h"

static void
test_lengths(void)
{
	static const struct {
		size_t n, head;
		const char *bytes;
	} rows[] = {
		{ 0, 2, "\x04\x00" }, { 1, 2, "\x04\x01" }, { 127, 2, "\x04\x7f" },
		{ 128, 3, "\x04\x81\x80" }, { 255, 3, "\x04\x81\xff" },
		{ 256, 4, "\x04\x82\x01\x00" }, { 65535, 4, "\x04\x82\xff\xff" },
		{ 65536, 5, "\x04\x83\x01\x00\x00" }, { 70000, 5, "\x04\x83\x01\x11\x70" },
	};
	static char mem[70010], content[70000];
	size_t i, k;
	int good = 1, room = 1;

	for (i = 0; i < sizeof(content); i++)
		content[i] = (char)(i * 7);
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf b = BUF(mem);
		struct der d;

		der_bytes(&b, DER_OCTET_STRING, content, rows[i].n);
		good = good && !b.err && b.len == rows[i].head + rows[i].n &&
		    memcmp(mem, rows[i].bytes, rows[i].head) == 0;
		d = der_of(buf_view(&b));
		good = good && equal(der_take(&d, DER_OCTET_STRING), content, rows[i].n) && der_end(&d);
		for (k = b.len; k-- > (rows[i].n ? b.len - 3 : 0);) {
			struct buf small;

			buf_init(&small, mem, k);
			der_bytes(&small, DER_OCTET_STRING, content, rows[i].n);
			room = room && small.err;
		}
	}
	ok(good, "lengths are written minimal, and read back");
	ok(room, "an element that does not fit sets err");
}

static void
test_nesting(void)
{
	char mem[400];
	struct buf b = BUF(mem);
	static const char oid[] = "\x03\x55\x04\x03";
	struct der d, inner;
	size_t outer, m;
	int i;

	outer = der_open(&b, DER_SEQUENCE);
	for (i = 0; i < 30; i++) {
		m = der_open(&b, DER_SET);
		der_bytes(&b, DER_NULL, "", 0);
		der_oid(&b, oid);
		der_close(&b, m);
	}
	der_close(&b, outer);
	d = der_of(buf_view(&b));
	inner = der_enter(&d, DER_SEQUENCE);
	for (i = 0; der_peek(&inner) == DER_SET; i++) {
		struct der set = der_enter(&inner, DER_SET);

		der_take(&set, DER_NULL);
		if (!der_oid_is(der_take(&set, DER_OID), oid) || !der_end(&set))
			break;
	}
	ok(i == 30 && der_end(&inner) && der_end(&d), "nested elements are closed from the inside");
}

static void
test_uint_written(void)
{
	static const struct {
		const char *in, *out;
		size_t in_n, out_n;
	} rows[] = {
		{ "", "\x02\x01\x00", 0, 3 }, { "\0", "\x02\x01\x00", 1, 3 },
		{ "\0\0\0", "\x02\x01\x00", 3, 3 }, { "\x7f", "\x02\x01\x7f", 1, 3 },
		{ "\x80", "\x02\x02\x00\x80", 1, 4 }, { "\0\0\x80", "\x02\x02\x00\x80", 3, 4 },
		{ "\0\x01\x00", "\x02\x02\x01\x00", 3, 4 }, { "\xff\xff", "\x02\x03\x00\xff\xff", 2, 5 },
	};
	size_t i;
	int good = 1;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char mem[16];
		struct buf b = BUF(mem);

		der_uint(&b, (const unsigned char *)rows[i].in, rows[i].in_n);
		good = good && equal(buf_view(&b), rows[i].out, rows[i].out_n);
	}
	ok(good, "unsigned integers are written minimal and positive");
}

static void
test_uint_read(void)
{
	static const struct {
		const char *in;
		size_t in_n;
		const char *out;	/* 0: rejected */
		size_t out_n;
	} rows[] = {
		{ "\x02\x01\x00", 3, "\0", 1 }, { "\x02\x01\x7f", 3, "\x7f", 1 },
		{ "\x02\x02\x00\x80", 4, "\x80", 1 }, { "\x02\x02\x01\x00", 4, "\x01\x00", 2 },
		{ "\x02\x00", 2, 0, 0 }, { "\x02\x01\x80", 3, 0, 0 }, { "\x02\x01\xff", 3, 0, 0 },
		{ "\x02\x02\x00\x7f", 4, 0, 0 }, { "\x02\x02\x00\x00", 4, 0, 0 },
		{ "\x02\x02\xff\x80", 4, 0, 0 }, { "\x04\x01\x01", 3, 0, 0 }, { "\x02\x02\x01", 3, 0, 0 },
	};
	size_t i;
	int good = 1;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		void *mem;
		struct der d = der_of(flush(rows[i].in, rows[i].in_n, &mem));
		struct slice s = der_take_uint(&d);

		good = good && (rows[i].out ? der_end(&d) && equal(s, rows[i].out, rows[i].out_n) :
		    d.err && s.n == 0);
		free(mem);
	}
	ok(good, "integers are read if minimal and not negative");
}

static void
test_strict(void)
{
	static const struct {
		const char *name, *in;
		size_t n;
	} rows[] = {
		{ "nothing", "", 0 },
		{ "a tag alone", "\x30", 1 },
		{ "indefinite length", "\x30\x80\x00\x00", 4 },
		{ "length of two bytes for one", "\x04\x81\x01\x00", 4 },
		{ "length with a leading zero", "\x04\x82\x00\x80\x00", 5 },
		{ "length cut", "\x04\x82\x01", 3 },
		{ "length of five bytes", "\x04\x85\x01\x00\x00\x00\x00\x00", 8 },
		{ "length of 127 bytes", "\x04\xff\x01\x00\x00\x00\x00\x00", 8 },
		{ "length near the top of 32 bits", "\x04\x84\xff\xff\xff\xff\x00", 7 },
		{ "content cut", "\x04\x02\x00", 3 },
		{ "a tag of several bytes", "\x1f\x81\x01\x00", 4 },
		{ "a context tag of several bytes", "\xbf\x1f\x00", 3 },
		{ "end-of-contents", "\x00\x00", 2 },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char text[80] = "rejected: ";
		void *mem;
		struct slice s = flush(rows[i].in, rows[i].n, &mem);
		struct der a = der_of(s), b = der_of(s), c = der_of(s), in = der_enter(&c, -1);

		ok(der_take(&a, -1).n == 0 && a.err && der_element(&b, -1).n == 0 && b.err &&
		    c.err && in.err && in.p == in.end && !der_end(&in),
		    strncat(text, rows[i].name, 60));
		free(mem);
	}
}

static void
test_sticky(void)
{
	struct der d = der_of(slice_of("\x04\x00\x05\x00", 4)), in;

	der_take(&d, DER_NULL);
	ok(d.err && der_peek(&d) == -1 && !der_end(&d), "a wrong tag is an error");
	in = der_enter(&d, DER_OCTET_STRING);
	ok(in.err && d.err && der_take(&d, DER_OCTET_STRING).n == 0 &&
	    der_element(&d, -1).n == 0 && der_take_uint(&d).n == 0, "and errors stay");
	d = der_of(nothing);
	ok(der_end(&d) && der_peek(&d) == -1, "an empty slice is at its end");
	d.p = d.end = 0;
	d = der_of((struct slice){ 0, 0 });
	ok(der_end(&d) && d.p, "a null slice too");
}

int
main(void)
{
	test_lengths();
	test_nesting();
	test_uint_written();
	test_uint_read();
	test_strict();
	test_sticky();
	return tap_done();
}
