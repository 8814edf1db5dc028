/*
 * base64.c - base64 and base64url (RFC 4648 4, 5), PEM armour (RFC 7468).
 *
 * Private keys pass through here, so digits and their values are turned into
 * each other by arithmetic on masks: nothing is indexed by them and no branch
 * depends on them.  What shows in the timing is layout only: lengths, white
 * space, padding, and where there is something that is no digit.
 * Eight are turned at once, each in a byte of one number.
 */
#include <string.h>

#include "base64.h"

/* c, below 256, in each of eight bytes. */
#define EACH(c) ((uint64_t)(c) * 0x0101010101010101)

/*
 * Digits come in runs, and so do their values.  For bytes below 0x80, added
 * to eight of them at once: what sets the high bit of those from the start of
 * the run on, of those behind it, and what turns one of the run into its
 * counterpart.  No sum is carried into the next byte.
 */
struct run {
	uint64_t start, behind, turn;
};
#define RUN(from, count, to) \
	{ EACH(0x80 - (from)), EACH(0x80 - (from) - (count)), EACH(((to) - (from)) & 0x7f) }

/* base64 uses the first five, base64url the last five. */
static const struct run to_value[] = {
	RUN('+', 1, 62), RUN('/', 1, 63),
	RUN('A', 26, 0), RUN('a', 26, 26), RUN('0', 10, 52),
	RUN('-', 1, 62), RUN('_', 1, 63)
}, to_digit[] = {
	RUN(62, 1, '+'), RUN(63, 1, '/'),
	RUN(0, 26, 'A'), RUN(26, 26, 'a'), RUN(52, 10, '0'),
	RUN(62, 1, '-'), RUN(63, 1, '_')
};

/* Which of the runs. */
static const struct alphabet {
	unsigned char from, to;
} standard = { 0, 5 }, url = { 2, 7 }, either = { 0, 7 };

enum { PAD_NEVER, PAD_MAYBE, PAD_ALWAYS };
enum { DIGITS = 8, BYTES = 6 };		/* the same bits, in digits and in bytes */

/* Turns the bytes of x by these runs; *bad is no longer 0 if one is in none of them. */
static uint64_t
turn(uint64_t x, const struct run *runs, const struct alphabet *a, uint64_t *bad)
{
	uint64_t low = x & EACH(0x7f), out = 0, found = 0, in;
	const struct run *r, *end = runs + a->to;

	for (r = runs + a->from; r < end; r++) {
		in = (low + r->start) & ~(low + r->behind) & EACH(0x80);
		in -= in >> 7;			/* 0x7f where it is of this run */
		out |= in & (low + r->turn);
		found |= in;
	}
	*bad |= (x ^ low) | (found ^ EACH(0x7f));
	return out;
}

/* Eight values of six bits as one number of 48, and back. */
static uint64_t
join(uint64_t x)
{
	x = (x & 0x003f003f003f003f) | (x & 0x3f003f003f003f00) >> 2;
	x = (x & 0x00000fff00000fff) | (x & 0x0fff00000fff0000) >> 4;
	return (x & 0xffffff) | x >> 32 << 24;
}

static uint64_t
part(uint64_t x)
{
	x = (x & 0xffffff) | x >> 24 << 32;
	x = (x & 0x00000fff00000fff) | (x & 0x00fff00000fff000) << 4;
	return (x & 0x003f003f003f003f) | (x & 0x0fc00fc00fc00fc0) << 2;
}

/* Appends the n lowest bytes of x, the highest of them first. */
static void
put(struct buf *b, uint64_t x, size_t n)
{
	char *p;

	if (b->err || n > b->cap - b->len) {
		b->err = 1;
		return;
	}
	b->len += n;
	for (p = b->p + b->len; n; n--, x >>= 8)
		*--p = (char)x;
}

/* n bytes at p as one number. */
static uint64_t
take(const unsigned char *p, size_t n)
{
	uint64_t x = 0;

	for (; n; n--)
		x = x << 8 | *p++;
	return x;
}

static void
encode(struct buf *b, const unsigned char *p, size_t n, const struct alphabet *a, int pad)
{
	uint64_t digits, bad = 0;
	size_t bytes, count;

	for (; n; n -= bytes, p += bytes) {
		bytes = n < BYTES ? n : BYTES;
		count = (bytes * DIGITS + BYTES - 1) / BYTES;
		digits = turn(part(take(p, bytes) << 8 * (BYTES - bytes)), to_digit, a, &bad);
		put(b, digits >> 8 * (DIGITS - count), count);
		if (pad == PAD_ALWAYS)
			buf_mem(b, "==", (BYTES - bytes) % 3);
	}
}

void
base64_encode(struct buf *b, const void *p, size_t n)
{
	encode(b, p, n, &standard, PAD_ALWAYS);
}

void
base64url_encode(struct buf *b, const void *p, size_t n)
{
	encode(b, p, n, &url, PAD_NEVER);
}

static int
is_space(int c)
{
	return c == '\n' || c == '\r' || c == '\t' || c == ' ';
}

/* Appends what eight digits at p stand for; 0 if there are fewer, or something else among them. */
static int
decode_group(struct buf *b, const unsigned char *p, const unsigned char *end, const struct alphabet *a)
{
	uint64_t bits, bad = 0;

	if (end - p < DIGITS)
		return 0;
	bits = join(turn(take(p, DIGITS), to_value, a, &bad));
	if (bad)
		return 0;
	put(b, bits, BYTES);
	return 1;
}

static int
decode(struct buf *b, struct slice s, const struct alphabet *a, int pad, int space)
{
	uint64_t bits, bad = 0;
	size_t start = b->len, n = 0, pads = 0, bytes;
	const unsigned char *p = (const unsigned char *)s.p, *end = p + s.n;
	unsigned char group[DIGITS];

	while (p < end) {
		if (n == 0 && decode_group(b, p, end, a)) {
			bad |= pads;
			p += DIGITS;
			continue;
		}
		if (*p == '=') {
			pads++;
		} else if (!space || !is_space(*p)) {
			bad |= pads;
			group[n++] = *p;
		}
		p++;
		if (n == DIGITS) {	/* with white space between them */
			bits = join(turn(take(group, DIGITS), to_value, a, &bad));
			put(b, bits, BYTES);
			n = 0;
		}
	}
	bytes = n * BYTES / DIGITS;
	if (n) {		/* of 2, 3, 4 digits 1, 2, 3 bytes, and unused bits */
		memset(group + n, 'A', DIGITS - n);
		bits = join(turn(take(group, DIGITS), to_value, a, &bad));
		put(b, bits >> 8 * (BYTES - bytes), bytes);
		bad |= n % 4 == 1;
		bad |= bits & (((uint64_t)1 << 8 * (BYTES - bytes)) - 1);
	}
	n %= 4;
	if (pads ? pad == PAD_NEVER || pads != (4 - n) % 4 : pad == PAD_ALWAYS && n)
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
	return decode(b, s, &standard, PAD_ALWAYS, 1);
}

int
base64url_decode(struct buf *b, struct slice s)
{
	return decode(b, s, &url, PAD_NEVER, 0);
}

int
base64_any(struct buf *b, struct slice s)
{
	return decode(b, s, &either, PAD_MAYBE, 0);
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
	const char *dash;

	if (!find_boundary(&s))
		return 0;
	if (take_boundary(&s, "-----BEGIN ", &name) < 0)
		return -1;
	body = s;
	dash = s.n ? memchr(s.p, '-', s.n) : 0;		/* which is no digit */
	if (dash)
		body.n = (size_t)(dash - s.p);
	advance(&s, body.n);
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
