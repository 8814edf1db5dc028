/*
 * base64: RFC 4648 vectors, strictness, every byte value, every truncation;
 * PEM armour as RFC 7468 has it.
 */
#include <stdlib.h>

#include "../tap.h"
#include "../../base64.c"

/* A copy whose end is the end of its memory, so that an over-read is seen. */
static struct slice
flush(const char *p, size_t n, void **mem)
{
	struct slice s;

	*mem = malloc(n + 1);
	s.p = memcpy((char *)*mem + 1, p, n);
	s.n = n;
	return s;
}

static const struct {
	const char *plain;
	size_t n;
	const char *standard, *url;
} vectors[] = {
	/* RFC 4648 10 */
	{ "", 0, "", "" },
	{ "f", 1, "Zg==", "Zg" },
	{ "fo", 2, "Zm8=", "Zm8" },
	{ "foo", 3, "Zm9v", "Zm9v" },
	{ "foob", 4, "Zm9vYg==", "Zm9vYg" },
	{ "fooba", 5, "Zm9vYmE=", "Zm9vYmE" },
	{ "foobar", 6, "Zm9vYmFy", "Zm9vYmFy" },
	/* RFC 4648 9 */
	{ "\x14\xfb\x9c\x03\xd9\x7e", 6, "FPucA9l+", "FPucA9l-" },
	{ "\x14\xfb\x9c\x03\xd9", 5, "FPucA9k=", "FPucA9k" },
	{ "\x14\xfb\x9c\x03", 4, "FPucAw==", "FPucAw" },
	/* RFC 7515 C */
	{ "\x03\xec\xff\xe0\xc1", 5, "A+z/4ME=", "A-z_4ME" },
	/* RFC 7515 A.1, A.2: protected headers */
	{ "{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}", 30,
	    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9",
	    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9" },
	{ "{\"alg\":\"RS256\"}", 15, "eyJhbGciOiJSUzI1NiJ9", "eyJhbGciOiJSUzI1NiJ9" },
	{ "\0\0\0", 3, "AAAA", "AAAA" },
	{ "\xff\xff\xff", 3, "////", "____" },
};

typedef int decoder(struct buf *, struct slice);

/* 1 if that text decodes to those n bytes, in exactly that room and in no less. */
static int
decodes(decoder *fn, const char *text, size_t len, const char *plain, size_t n)
{
	void *mem;
	struct slice s = flush(text, len, &mem);
	char *room = malloc(n + 1);
	struct buf b, small;
	int good;

	buf_init(&b, room, n);
	good = fn(&b, s) == 0 && b.len == n && memcmp(room, plain, n) == 0;
	if (n) {
		buf_init(&small, room + 1, n - 1);
		good = good && fn(&small, s) < 0 && small.len == 0 && small.err;
	}
	free(room);
	free(mem);
	return good;
}

static int
encodes(void (*fn)(struct buf *, const void *, size_t), const char *plain,
    size_t n, const char *text)
{
	size_t cap, len = strlen(text);
	int good = 1;
	char *room;
	struct buf b;

	for (cap = 0; cap <= len; cap++) {
		room = malloc(cap + 1);
		buf_init(&b, room, cap);
		fn(&b, plain, n);
		if (cap < len ? !b.err : b.err || b.len != len ||
		    memcmp(room, text, len) != 0)
			good = 0;
		free(room);
	}
	return good;
}

static void
test_vectors(void)
{
	size_t i, n;
	const char *p;

	for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		p = vectors[i].plain;
		n = vectors[i].n;
		printf("# %s\n", vectors[i].standard);
		ok(encodes(base64_encode, p, n, vectors[i].standard), "base64 encoded");
		ok(encodes(base64url_encode, p, n, vectors[i].url), "base64url encoded");
		ok(decodes(base64_decode, vectors[i].standard,
		    strlen(vectors[i].standard), p, n), "base64 decoded");
		ok(decodes(base64url_decode, vectors[i].url,
		    strlen(vectors[i].url), p, n), "base64url decoded");
		ok(decodes(base64_any, vectors[i].standard,
		    strlen(vectors[i].standard), p, n), "base64_any takes base64");
		ok(decodes(base64_any, vectors[i].url,
		    strlen(vectors[i].url), p, n), "base64_any takes base64url");
	}
}

/* The value of a digit as the RFC's table has it, or -1. */
static int
expected(int c, const char *last)
{
	static const char common[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	const char *at = c ? strchr(common, c) : 0;

	if (at)
		return (int)(at - common);
	return c && (at = strchr(last, c)) ? 62 + (int)(at - last) % 2 : -1;
}

/* Six bits of nine bytes, of which all others are 0; else -2. */
static int
digit_at(const char *p, size_t at)
{
	int bits, value = 0;
	size_t i;

	for (i = 0; i < 12; i++) {
		bits = (p[i / 4 * 3] & 0xff) << 16 | (p[i / 4 * 3 + 1] & 0xff) << 8 | (p[i / 4 * 3 + 2] & 0xff);
		bits = bits >> (18 - 6 * (i % 4)) & 63;
		if (i == at)
			value = bits;
		else if (bits)
			return -2;
	}
	return value;
}

static void
test_every_byte(void)
{
	static const struct {
		decoder *fn;
		const char *last, *name;
	} rows[] = {
		{ base64_decode, "+/", "base64: each of 256 bytes has its value or is refused" },
		{ base64url_decode, "-_", "base64url: each of 256 bytes likewise" },
		{ base64_any, "+/-_", "base64_any: each of 256 bytes likewise" },
	};
	char text[12], out[9];
	struct buf b;
	struct slice s = { text, 12 };
	size_t i, at;
	int c, want, good;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		good = 1;
		for (c = 0; c < 256; c++) {
			/* white space and '=' are layout, tested below */
			if (strchr("\n\r\t =", c) && c)
				continue;
			want = expected(c, rows[i].last);
			/* in each place of eight digits that are turned at once, and of less */
			for (at = 0; at < 12; at++) {
				memset(text, 'A', sizeof(text));
				text[at] = (char)c;
				buf_init(&b, out, sizeof(out));
				if (rows[i].fn(&b, s) != (want < 0 ? -1 : 0) ||
				    b.len != (want < 0 ? 0u : 9u) ||
				    (want >= 0 && digit_at(out, at) != want))
					good = 0;
			}
		}
		ok(good, rows[i].name);
	}
}

static void
test_strict(void)
{
	static const struct {
		const char *text;
		int standard, url, any;		/* 1: accepted */
	} rows[] = {
		{ "Zg==", 1, 0, 1 }, { "Zg", 0, 1, 1 }, { "Zg=", 0, 0, 0 },
		{ "Zg===", 0, 0, 0 }, { "Zg====", 0, 0, 0 },
		{ "Zm8=", 1, 0, 1 }, { "Zm8", 0, 1, 1 }, { "Zm8==", 0, 0, 0 },
		{ "Zm9v", 1, 1, 1 }, { "Zm9v=", 0, 0, 0 }, { "Zm9v====", 0, 0, 0 },
		{ "Z", 0, 0, 0 }, { "Z===", 0, 0, 0 }, { "Z==", 0, 0, 0 },
		{ "Zm9vZ", 0, 0, 0 }, { "=", 0, 0, 0 }, { "====", 0, 0, 0 },
		{ "=Zg=", 0, 0, 0 }, { "Zg==Zg==", 0, 0, 0 }, { "Z=g=", 0, 0, 0 },
		{ "Zh==", 0, 0, 0 }, { "Zh", 0, 0, 0 },		/* unused bits set */
		{ "Zm9=", 0, 0, 0 }, { "Zm9", 0, 0, 0 },
		{ "A+z/4ME=", 1, 0, 1 }, { "A-z_4ME=", 0, 0, 1 }, { "A-z_4ME", 0, 1, 1 },
		{ "Zm\n9v", 1, 0, 0 }, { "Zm\r\n9v\r\n", 1, 0, 0 }, { " Z\tg = = ", 1, 0, 0 },
		{ "\n", 1, 0, 0 }, { "Zm\v9v", 0, 0, 0 }, { "Zm\f9v", 0, 0, 0 },
		{ "Zm.9v", 0, 0, 0 }, { "Zm9v,", 0, 0, 0 },
		{ "Zm9\xf6", 0, 0, 0 }, { "\xc3\x84" "AA", 0, 0, 0 },
	};
	static decoder *const fn[] = { base64_decode, base64url_decode, base64_any };
	static const char *const name[] = { "base64", "base64url", "base64_any" };
	char out[16] = "";
	struct buf b;
	size_t i, k;
	int want;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (k = 0; k < 3; k++) {
			want = (k == 0 ? rows[i].standard : k == 1 ? rows[i].url :
			    rows[i].any) ? 0 : -1;
			buf_init(&b, out, sizeof(out));
			buf_char(&b, '!');
			if (!ok(fn[k](&b, slice(rows[i].text)) == want &&
			    (want == 0 || b.len == 1), want ?
			    "refused, the buffer unchanged" : "accepted"))
				printf("# %s '%s'\n", name[k], rows[i].text);
		}
}

static void
test_round_trip(void)
{
	unsigned char plain[256];
	char text[400], back[256];
	struct buf t = BUF(text), b = BUF(back);
	size_t n, i;
	int good = 1;

	for (n = 0; n <= sizeof(plain); n++) {
		for (i = 0; i < n; i++)
			plain[i] = (unsigned char)(i * 167 + n);
		buf_clear(&t);
		buf_clear(&b);
		base64_encode(&t, plain, n);
		if (t.err || t.len != (n + 2) / 3 * 4 ||
		    base64_decode(&b, buf_view(&t)) < 0 || b.len != n ||
		    memcmp(back, plain, n) != 0)
			good = 0;
		buf_clear(&t);
		buf_clear(&b);
		base64url_encode(&t, plain, n);
		if (t.err || t.len != (n * 4 + 2) / 3 ||
		    base64url_decode(&b, buf_view(&t)) < 0 || b.len != n ||
		    memcmp(back, plain, n) != 0)
			good = 0;
	}
	ok(good, "lengths 0 to 256 come back, in both alphabets");
}

/* Lines of any length, blanks anywhere: what is read does not depend on it. */
static void
test_white_space(void)
{
	static const char text[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gIQ==";
	char spaced[2 * sizeof(text)], back[40];
	struct buf s = BUF(spaced), b = BUF(back);
	size_t line, i, n = strlen(text);
	int good = 1;

	for (line = 1; line <= n; line++) {
		buf_clear(&s);
		buf_clear(&b);
		for (i = 0; i < n; i++) {
			buf_char(&s, text[i]);
			if ((i + 1) % line == 0)
				buf_char(&s, "\n\r\t "[line % 4]);
		}
		if (base64_decode(&b, buf_view(&s)) < 0 || b.len != 34)
			good = 0;
		for (i = 0; i < b.len; i++)
			good &= back[i] == (char)i;
	}
	ok(good, "lines of every length");
}

static const char pem[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v\n"
    "MDE=\n"
    "-----END PRIVATE KEY-----\n";

static void
test_pem_encode(void)
{
	static const struct {
		size_t n;
		const char *want;
	} rows[] = {
		{ 0, "-----BEGIN X-----\n-----END X-----\n" },
		{ 1, "-----BEGIN X-----\nAA==\n-----END X-----\n" },
		{ 48, "-----BEGIN X-----\n"
		    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v\n"
		    "-----END X-----\n" },
	};
	unsigned char der[50];
	char mem[sizeof(pem)];
	struct buf b = BUF(mem);
	size_t i;

	for (i = 0; i < sizeof(der); i++)
		der[i] = (unsigned char)i;
	pem_encode(&b, "PRIVATE KEY", der, sizeof(der));
	is_str(buf_text(&b), pem, "lines of 64, as RFC 7468 wants them");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_clear(&b);
		pem_encode(&b, "X", der, rows[i].n);
		is_str(buf_text(&b), rows[i].want, "short and whole lines");
	}
	buf_init(&b, mem, sizeof(pem) - 2);
	pem_encode(&b, "PRIVATE KEY", der, sizeof(der));
	ok(b.err, "one byte too little sets err");
}

#define AA "-----BEGIN A-----\nAAEC\n-----END A-----\n"
#define BB "-----BEGIN B C-----\n/w==\n-----END B C-----\n"

static void
test_pem_next(void)
{
	static const struct {
		const char *name, *text;
		int blocks;		/* that come before the end */
		int end;		/* 0 or -1 */
	} rows[] = {
		{ "nothing", "", 0, 0 },
		{ "text only", "hello\nworld", 0, 0 },
		{ "one block", AA, 1, 0 },
		{ "two blocks", AA BB, 2, 0 },
		{ "text before, between, after", "x\n" AA "y\n\n" BB "z", 2, 0 },
		{ "CRLF", "-----BEGIN A-----\r\nAAEC\r\n-----END A-----\r\n" BB, 2, 0 },
		{ "bare CR", "-----BEGIN A-----\rAAEC\r-----END A-----\r" BB, 2, 0 },
		{ "no newline at the end", "-----BEGIN A-----\nAAEC\n-----END A-----", 1, 0 },
		{ "blanks at the ends of lines",
		    "-----BEGIN A----- \t\nAA EC\t\n-----END A-----  \n", 1, 0 },
		{ "blank lines, short lines",
		    "-----BEGIN A-----\n\nA\nA\nE\nC\n\n-----END A-----\n", 1, 0 },
		{ "one long line",
		    "-----BEGIN A-----\nAAECAAECAAECAAECAAECAAECAAECAAECAAECAAEC"
		    "AAECAAECAAECAAECAAECAAECAAECAAECAAECAAECAAEC\n-----END A-----\n", 1, 0 },
		{ "a boundary that is not at the start of its line", " " AA, 0, -1 },
		{ "no blank after BEGIN is text", "-----BEGINA-----\n", 0, 0 },
		{ "an empty label", "-----BEGIN -----\nAAEC\n-----END -----\n", 1, 0 },
		{ "END without BEGIN", "-----END A-----\n" AA, 0, -1 },
		{ "END without BEGIN after a block", AA "-----END A-----\n", 1, -1 },
		{ "another label at the end", "-----BEGIN A-----\nAAEC\n-----END B-----\n", 0, -1 },
		{ "a longer label at the end", "-----BEGIN A-----\nAAEC\n-----END AB-----\n", 0, -1 },
		{ "no END", "-----BEGIN A-----\nAAEC\n", 0, -1 },
		{ "BEGIN within a block", "-----BEGIN A-----\nAAEC\n" AA, 0, -1 },
		{ "END on the line of the data", "-----BEGIN A-----\nAAEC-----END A-----\n", 0, -1 },
		{ "data on the line of BEGIN", "-----BEGIN A-----AAEC\n-----END A-----\n", 0, -1 },
		{ "text on the line of END", "-----BEGIN A-----\nAAEC\n-----END A-----x\n", 0, -1 },
		{ "blocks without a newline between (a file without its last one)",
		    "-----BEGIN A-----\nAAEC\n-----END A-----" BB, 0, -1 },
		{ "header lines (an encrypted key)",
		    "-----BEGIN A-----\nProc-Type: 4,ENCRYPTED\n\nAAEC\n-----END A-----\n", 0, -1 },
		{ "base64url digits", "-----BEGIN A-----\n_w==\n-----END A-----\n", 0, -1 },
		{ "no padding", "-----BEGIN A-----\n/w\n-----END A-----\n", 0, -1 },
		{ "four dashes", "-----BEGIN A----\nAAEC\n-----END A----\n", 0, -1 },
		{ "six dashes", "-----BEGIN A------\nAAEC\n-----END A------\n", 0, -1 },
		{ "a control byte in the label", "-----BEGIN A\tB-----\nAAEC\n-----END A\tB-----\n", 0, -1 },
		{ "a good block, then a bad one", AA "-----BEGIN B-----\n", 1, -1 },
	};
	char out[256];
	struct buf b = BUF(out);
	struct slice s, label, before;
	size_t i, len;
	void *mem;
	int n, r;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		s = flush(rows[i].text, strlen(rows[i].text), &mem);
		buf_clear(&b);
		for (n = 0; ; n++) {
			before = s;
			len = b.len;
			label = slice("?");
			if ((r = pem_next(&s, &label, &b)) <= 0)
				break;
		}
		ok(n == rows[i].blocks && r == rows[i].end && s.p == before.p &&
		    s.n == before.n && b.len == len && slice_is(label, "?"), rows[i].name);
		free(mem);
	}
}

static void
test_pem_content(void)
{
	char out[5];
	struct buf b = BUF(out);
	struct slice s = slice("x\n" AA BB), label;
	struct slice nul = { "-----BEGIN A-----\nAA\0EC\n-----END A-----\n", 40 };

	ok(pem_next(&s, &label, &b) == 1 && slice_is(label, "A") && b.len == 3 &&
	    memcmp(out, "\0\1\2", 3) == 0, "label and content of the first block");
	ok(pem_next(&s, &label, &b) == 1 && slice_is(label, "B C") && b.len == 4 &&
	    out[3] == '\xff', "the second is appended, its label has a blank");
	ok(pem_next(&s, &label, &b) == 0, "then there are no more");
	s = slice(AA);
	ok(pem_next(&s, &label, &b) < 0 && b.len == 4 && b.err, "a block that does not fit");
	buf_clear(&b);
	ok(pem_next(&nul, &label, &b) < 0, "a NUL within a block");
}

static void
test_truncation(void)
{
	char out[64];
	struct buf b = BUF(out);
	struct slice s, label;
	void *mem;
	size_t n, len = sizeof(pem) - 1;
	int good = 1, want;

	for (n = 0; n <= len; n++) {
		s = flush(pem, n, &mem);
		buf_clear(&b);
		/* up to "-----BEGIN" it is text; only the last newline may go */
		want = n < 11 ? 0 : n < len - 1 ? -1 : 1;
		if (pem_next(&s, &label, &b) != want || (want < 1 && b.len))
			good = 0;
		free(mem);
	}
	ok(good, "no truncation of a PEM block is taken for one");
}

int
main(void)
{
	test_vectors();
	test_every_byte();
	test_strict();
	test_round_trip();
	test_white_space();
	test_pem_encode();
	test_pem_next();
	test_pem_content();
	test_truncation();
	return tap_done();
}
