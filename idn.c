/*
 * idn.c - U-labels to A-labels: UTF-8 (RFC 3629), lower case, Punycode (RFC
 * 3492).  The table says which characters may pass, and how they are lowered.
 * Full tables (RFC 5892, NFC) would be larger than the rest of the program,
 * so it holds the scripts of country domains, and of these only characters
 * that are letters, digits or vowel signs, the same in NFC and NFKC, and for
 * which lower case is arithmetic.  What it does not hold is refused, so that no
 * other name is asked for than the one that a browser looks up.
 */
#include <string.h>

#include "idn.h"

enum {
	KEEP = 0,
	EVEN = 1,	/* upper case is even, lower case follows it */
	ODD = 2,	/* upper case is odd */
	VOWEL = 3,	/* a vowel sign; two in a row may be one in two parts, which NFC joins */
	ADD = 4		/* and more: upper case, this far from lower case */
};

static const struct range {
	uint16_t first, last;
	unsigned char rule;
} ranges[] = {
	/* Latin */
	{ 0x00b7, 0x00b7, KEEP }, { 0x00c0, 0x00d6, 32 }, { 0x00d8, 0x00de, 32 },
	{ 0x00df, 0x00f6, KEEP }, { 0x00f8, 0x00ff, KEEP }, { 0x0100, 0x012f, EVEN },
	{ 0x0131, 0x0131, KEEP }, { 0x0134, 0x0137, EVEN }, { 0x0138, 0x0138, KEEP },
	{ 0x0139, 0x013e, ODD }, { 0x0141, 0x0148, ODD }, { 0x014a, 0x0177, EVEN },
	{ 0x0179, 0x017e, ODD }, { 0x018f, 0x018f, 202 }, { 0x01a0, 0x01a5, EVEN },
	{ 0x01af, 0x01b0, ODD }, { 0x01cd, 0x01dc, ODD }, { 0x01de, 0x01ef, EVEN },
	{ 0x01f8, 0x021f, EVEN }, { 0x0222, 0x0233, EVEN }, { 0x0250, 0x02af, KEEP },
	{ 0x02b9, 0x02bf, KEEP }, { 0x1e00, 0x1e95, EVEN }, { 0x1ea0, 0x1eff, EVEN },
	/* Greek */
	{ 0x0386, 0x0386, 38 }, { 0x0388, 0x038a, 37 }, { 0x038c, 0x038c, 64 },
	{ 0x038e, 0x038f, 63 }, { 0x0390, 0x0390, KEEP }, { 0x0391, 0x03a1, 32 },
	{ 0x03a3, 0x03ab, 32 }, { 0x03ac, 0x03ce, KEEP },
	/* Cyrillic, Armenian, Georgian */
	{ 0x0400, 0x040f, 80 }, { 0x0410, 0x042f, 32 }, { 0x0430, 0x045f, KEEP },
	{ 0x0460, 0x0481, EVEN }, { 0x048a, 0x04bf, EVEN }, { 0x04c0, 0x04c0, 15 },
	{ 0x04c1, 0x04ce, ODD }, { 0x04cf, 0x04cf, KEEP }, { 0x04d0, 0x052f, EVEN },
	{ 0x0531, 0x0556, 48 }, { 0x0561, 0x0586, KEEP }, { 0x10d0, 0x10fa, KEEP },
	/* Hebrew, Arabic */
	{ 0x05d0, 0x05ea, KEEP }, { 0x0620, 0x063f, KEEP }, { 0x0641, 0x064a, KEEP },
	{ 0x0660, 0x0669, KEEP }, { 0x0671, 0x0674, KEEP }, { 0x0679, 0x06d3, KEEP },
	{ 0x06ee, 0x06fc, KEEP },
	/* Devanagari, Bengali, Gujarati, Tamil, Thai */
	{ 0x0901, 0x093b, KEEP }, { 0x093d, 0x0950, KEEP }, { 0x0960, 0x0963, KEEP },
	{ 0x0966, 0x096f, KEEP }, { 0x0981, 0x09bd, KEEP }, { 0x09be, 0x09cc, VOWEL },
	{ 0x09cd, 0x09ce, KEEP }, { 0x09e6, 0x09f1, KEEP }, { 0x0a81, 0x0aef, KEEP },
	{ 0x0b82, 0x0bb9, KEEP }, { 0x0bbe, 0x0bcc, VOWEL }, { 0x0bcd, 0x0bcd, KEEP },
	{ 0x0be6, 0x0bef, KEEP }, { 0x0e01, 0x0e32, KEEP }, { 0x0e34, 0x0e39, KEEP },
	{ 0x0e40, 0x0e4e, KEEP }, { 0x0e50, 0x0e59, KEEP },
	/* Kana, Han, Hangul */
	{ 0x3005, 0x3007, KEEP }, { 0x3041, 0x3096, KEEP }, { 0x309d, 0x309e, KEEP },
	{ 0x30a1, 0x30fe, KEEP }, { 0x3400, 0x4dbf, KEEP }, { 0x4e00, 0x9fff, KEEP },
	{ 0xac00, 0xd7a3, KEEP },
};

enum { LABEL_MAX = 63, PREFIX = 4 };	/* "xn--" */

#define GIVE "give its A-label (xn--...)"

/* The next character of up to three bytes, *s moved behind it; -1 if it is no UTF-8, or beyond. */
static long
take_character(const unsigned char **s, const unsigned char *end)
{
	const unsigned char *p = *s;
	size_t more = *p < 0x80 ? 0 : (*p & 0xe0) == 0xc0 ? 1 : (*p & 0xf0) == 0xe0 ? 2 : 3;
	uint32_t c = more == 0 ? *p : *p & (0x3fU >> more);
	size_t i;

	if (more == 3 || (size_t)(end - p) <= more)
		return -1;
	for (i = 1; i <= more; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return -1;
		c = c << 6 | (p[i] & 0x3f);
	}
	if ((more == 1 && c < 0x80) || (more == 2 && c < 0x800))
		return -1;
	*s = p + more + 1;
	return (long)c;
}

static const struct range *
find(uint32_t c)
{
	size_t i;

	for (i = 0; i < sizeof(ranges) / sizeof(*ranges); i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return &ranges[i];
	return 0;
}

static uint32_t
lower(uint32_t c, unsigned rule)
{
	switch (rule) {
	case KEEP:
	case VOWEL:
		return c;
	case EVEN:
		return c | 1;
	case ODD:
		return c + (c & 1);
	default:
		return c + rule;
	}
}

/* Marks that stand behind a letter which exists with them: accents, kana's voice. */
static int
is_combining(uint32_t c)
{
	return (c >= 0x300 && c <= 0x36f) || c == 0x3099 || c == 0x309a;
}

/* The n bytes at s as lower-case characters. */
static const char *
read_label(const char *s, size_t n, uint32_t out[LABEL_MAX], size_t *count)
{
	const unsigned char *p = (const unsigned char *)s, *end = p + n;
	const struct range *r;
	unsigned before = VOWEL;
	long c;

	for (*count = 0; p < end; out[(*count)++] = (uint32_t)c) {
		if (*count == LABEL_MAX)
			return "a label is longer than 63 bytes";
		c = take_character(&p, end);
		if (c < 0)
			return "not ASCII, and not plain UTF-8: " GIVE;
		if (c < 0x80) {
			c += c >= 'A' && c <= 'Z' ? 32 : 0;
			before = KEEP;
			continue;
		}
		if (is_combining((uint32_t)c))
			return "a letter and its accent are two characters (no NFC): " GIVE;
		r = find((uint32_t)c);
		if (!r || (r->rule == VOWEL && before == VOWEL))
			return "a character that cannot be converted here: " GIVE;
		before = r->rule;
		c = (long)lower((uint32_t)c, r->rule);
	}
	return 0;
}

/* RFC 3492 6.1. */
static uint32_t
adapt(uint32_t delta, uint32_t points, int first)
{
	uint32_t k;

	delta /= first ? 700 : 2;
	delta += delta / points;
	for (k = 0; delta > 455; k += 36)
		delta /= 35;
	return k + 36 * delta / (delta + 38);
}

/* A generalised variable-length integer (RFC 3492 3.3). */
static void
write_integer(struct buf *out, uint32_t q, uint32_t bias)
{
	uint32_t k, t;

	for (k = 36;; k += 36) {
		t = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias;
		if (q < t)
			break;
		buf_char(out, "abcdefghijklmnopqrstuvwxyz0123456789"[t + (q - t) % (36 - t)]);
		q = (q - t) / (36 - t);
	}
	buf_char(out, "abcdefghijklmnopqrstuvwxyz0123456789"[q]);
}

/* RFC 3492 6.3; 63 characters below 0x10000 cannot overflow. */
static void
punycode(const uint32_t *c, size_t count, struct buf *out)
{
	uint32_t n = 0x80, delta = 0, bias = 72, next, done = 0, basic;
	size_t i;

	for (i = 0; i < count; i++)
		if (c[i] < 0x80) {
			buf_char(out, (int)c[i]);
			done++;
		}
	basic = done;
	if (basic)
		buf_char(out, '-');
	for (; done < count; delta++, n++) {
		next = UINT32_MAX;
		for (i = 0; i < count; i++)
			if (c[i] >= n && c[i] < next)
				next = c[i];
		delta += (next - n) * (done + 1);
		n = next;
		for (i = 0; i < count; i++) {
			if (c[i] < n)
				delta++;
			if (c[i] != n)
				continue;
			write_integer(out, delta, bias);
			bias = adapt(delta, done + 1, done == basic);
			delta = 0;
			done++;
		}
	}
}

static int
is_ascii(const char *s, size_t n)
{
	for (; n; n--)
		if (s[n - 1] & 0x80)
			return 0;
	return 1;
}

/* RFC 5891 4.2.3.1. */
static int
bad_hyphens(const uint32_t *c, size_t count)
{
	return count == 0 || c[0] == '-' || c[count - 1] == '-' ||
	    (count >= PREFIX && c[2] == '-' && c[3] == '-');
}

const char *
idn_ascii(const char *name, struct buf *out)
{
	uint32_t c[LABEL_MAX];
	const char *why;
	size_t n, count;

	for (;; name += n + 1) {
		n = strcspn(name, ".");
		if (is_ascii(name, n)) {
			buf_mem(out, name, n);
		} else {
			why = read_label(name, n, c, &count);
			if (why)
				return why;
			if (bad_hyphens(c, count))
				return "hyphens where an internationalised label has none";
			buf_str(out, "xn--");
			punycode(c, count, out);
		}
		if (!name[n])
			return 0;
		buf_char(out, '.');
	}
}
