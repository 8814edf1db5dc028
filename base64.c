/*
 * base64.c - base64 and base64url (RFC 4648 4, 5), PEM armour (RFC 7468).
 *
 * Private keys pass through here, so a digit and its value are turned into
 * each other by arithmetic on masks: nothing is indexed by them and no branch
 * depends on them.  What shows in the timing is layout only: lengths, white
 * space, padding; whether a digit was malformed is asked once, at the end.
 */
#include <string.h>

#include "base64.h"

/* Digits in runs; base64 uses the first five, base64url the last five. */
static const struct run {
	unsigned char first, count, value;
} runs[] = {
	{ '+', 1, 62 }, { '/', 1, 63 },
	{ 'A', 26, 0 }, { 'a', 26, 26 }, { '0', 10, 52 },
	{ '-', 1, 62 }, { '_', 1, 63 },
};

enum { STANDARD = 0x1f, URL = 0x7c };	/* which of the runs */
enum { PAD_NEVER, PAD_MAYBE, PAD_ALWAYS };

/* All ones if a < b, else 0; both below 2^31. */
static uint32_t
mask_less(uint32_t a, uint32_t b)
{
	return 0 - ((a - b) >> 31);
}

/*
 * A byte wraps around to at least 256 minus the start of its run, which is
 * more than any run's count: one comparison finds both ends of a run.
 */
static unsigned char
digit_of(uint32_t value, unsigned which)
{
	uint32_t digit = 0, at;
	size_t i;

	for (i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		at = (value - runs[i].value) & 0xff;
		if (which >> i & 1)
			digit |= mask_less(at, runs[i].count) & (runs[i].first + at);
	}
	return (unsigned char)digit;
}

/* The value of a digit, or 64 or more. */
static uint32_t
value_of(unsigned char digit, unsigned which)
{
	uint32_t value = 0, found = 0, in, at;
	size_t i;

	for (i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		at = ((uint32_t)digit - runs[i].first) & 0xff;
		in = mask_less(at, runs[i].count);
		if (which >> i & 1) {
			value |= in & (runs[i].value + at);
			found |= in;
		}
	}
	return value | (~found & 64);
}

static void
encode(struct buf *b, const unsigned char *p, size_t n, unsigned which, int pad)
{
	unsigned char quad[4];
	uint32_t bits;
	size_t i, take;

	for (; n; n -= take, p += take) {
		take = n < 3 ? n : 3;
		bits = 0;
		for (i = 0; i < 3; i++)
			bits = bits << 8 | (i < take ? p[i] : 0u);
		for (i = 0; i < 4; i++)
			quad[i] = i <= take ?
			    digit_of(bits >> (18 - 6 * i) & 63, which) : '=';
		buf_mem(b, quad, pad == PAD_NEVER ? take + 1 : 4);
	}
}

void
base64_encode(struct buf *b, const void *p, size_t n)
{
	encode(b, p, n, STANDARD, PAD_ALWAYS);
}

void
base64url_encode(struct buf *b, const void *p, size_t n)
{
	encode(b, p, n, URL, PAD_NEVER);
}

static int
is_space(int c)
{
	return c == '\n' || c == '\r' || c == '\t' || c == ' ';
}

/* Appends the n highest bytes of 24 bits. */
static void
put(struct buf *b, uint32_t bits, size_t n)
{
	unsigned char out[3];

	out[0] = (unsigned char)(bits >> 16);
	out[1] = (unsigned char)(bits >> 8);
	out[2] = (unsigned char)bits;
	buf_mem(b, out, n);
}

static int
decode(struct buf *b, struct slice s, unsigned which, int pad, int space)
{
	uint32_t bits = 0, value, bad = 0;
	size_t start = b->len, digits = 0, pads = 0;

	for (; s.n; s.n--, s.p++) {
		if (space && is_space(*s.p))
			continue;
		if (*s.p == '=') {
			pads++;
			continue;
		}
		value = value_of((unsigned char)*s.p, which);
		bad |= (value & 64) | (pads > 0);
		bits = (bits << 6 | (value & 63)) & 0xffffff;
		if (++digits % 4 == 0)
			put(b, bits, 3);
	}
	if (digits % 4) {	/* 1, 2, 3 digits: 0, 1, 2 bytes, and unused bits */
		bits <<= 6 * (4 - digits % 4);
		put(b, bits, digits % 4 - 1);
		bad |= digits % 4 == 1;
		bad |= bits & (0xffffffu >> 8 * (digits % 4 - 1));
	}
	if (pads ? pad == PAD_NEVER || pads != (4 - digits % 4) % 4 :
	    pad == PAD_ALWAYS && digits % 4)
		bad = 1;
	if (bad || b->err) {
		b->len = start;
		return -1;
	}
	return 0;
}

int
base64_decode(struct buf *b, struct slice s)
{
	return decode(b, s, STANDARD, PAD_ALWAYS, 1);
}

int
base64url_decode(struct buf *b, struct slice s)
{
	return decode(b, s, URL, PAD_NEVER, 0);
}

int
base64_any(struct buf *b, struct slice s)
{
	return decode(b, s, STANDARD | URL, PAD_MAYBE, 0);
}

void
pem_encode(struct buf *b, const char *label, const void *der, size_t n)
{
	const unsigned char *p = der;
	size_t take;

	buf_all(b, "-----BEGIN ", label, "-----\n", (char *)0);
	for (; n; n -= take, p += take) {
		take = n < 48 ? n : 48;
		base64_encode(b, p, take);
		buf_char(b, '\n');
	}
	buf_all(b, "-----END ", label, "-----\n", (char *)0);
}

static void
advance(struct slice *s, size_t n)
{
	s->p += n;
	s->n -= n;
}

static int
starts(struct slice s, const char *text)
{
	return s.n >= strlen(text) && memcmp(s.p, text, strlen(text)) == 0;
}

/* Moves s to the next line that is a boundary: 1, or 0 if there is none. */
static int
find_boundary(struct slice *s)
{
	while (s->n) {
		if (starts(*s, "-----BEGIN ") || starts(*s, "-----END "))
			return 1;
		while (s->n && *s->p != '\n' && *s->p != '\r')
			advance(s, 1);
		if (s->n)
			advance(s, 1);
	}
	return 0;
}

/* Takes "-----BEGIN label-----" off s, which nothing but blanks may follow. */
static int
take_boundary(struct slice *s, const char *begin, struct slice *label)
{
	if (!starts(*s, begin))
		return -1;
	advance(s, strlen(begin));
	label->p = s->p;
	while (s->n && *s->p >= 0x20 && *s->p <= 0x7e && !starts(*s, "-----"))
		advance(s, 1);
	label->n = (size_t)(s->p - label->p);
	if (!starts(*s, "-----"))
		return -1;
	advance(s, 5);
	while (s->n && (*s->p == ' ' || *s->p == '\t'))
		advance(s, 1);
	return s->n && *s->p != '\n' && *s->p != '\r' ? -1 : 0;
}

int
pem_next(struct slice *text, struct slice *label, struct buf *b)
{
	struct slice s = *text, body, name, end;

	if (!find_boundary(&s))
		return 0;
	if (take_boundary(&s, "-----BEGIN ", &name) < 0)
		return -1;
	body.p = s.p;
	while (s.n && *s.p != '-')	/* '-' is no digit */
		advance(&s, 1);
	body.n = (size_t)(s.p - body.p);
	if (body.n == 0 || (s.p[-1] != '\n' && s.p[-1] != '\r') ||
	    take_boundary(&s, "-----END ", &end) < 0 || end.n != name.n ||
	    memcmp(end.p, name.p, name.n) != 0 || base64_decode(b, body) < 0)
		return -1;
	*text = s;
	*label = name;
	return 1;
}

int
base64url_is(struct slice s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (!(s.p[i] >= 'a' && s.p[i] <= 'z') && !(s.p[i] >= 'A' && s.p[i] <= 'Z') &&
		    !(s.p[i] >= '0' && s.p[i] <= '9') && s.p[i] != '-' && s.p[i] != '_')
			return 0;
	return s.n > 0;
}
