/*
 * json.c - a validating JSON scanner (RFC 8259), and string escaping.
 *
 * One routine, skip_value(), knows the grammar.  json_parse() runs it over the
 * document; lookups run it again over the members they pass, so that no table
 * of tokens is kept and every step stays within bounds.  Nesting is a counter
 * and one bit for each level, not recursion; all time is linear in the text
 * for each call.
 */
#include <string.h>

#include "json.h"

enum { DEPTH = 16 };

struct scan {
	const char *p, *end;
	unsigned depth;
	uint32_t objects;	/* lowest bit: the innermost container is an object */
};

static const char *
skip_space(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
		p++;
	return p;
}

static int
hex_digit(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four hexadecimal digits at p, or -1. */
static int32_t
hex4(const char *p, const char *end)
{
	int32_t v = 0;
	int i, h;

	if (end - p < 4)
		return -1;
	for (i = 0; i < 4; i++) {
		if ((h = hex_digit(p[i])) < 0)
			return -1;
		v = v << 4 | h;
	}
	return v;
}

/*
 * One escape, p behind the backslash: its code point in *c, surrogate pairs
 * joined.  Behind it, or 0 if it is malformed or a lone surrogate.
 */
static const char *
skip_escape(const char *p, const char *end, uint32_t *c)
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	const char *name;
	int32_t high, low;

	if (p == end)
		return 0;
	if (*p != 'u') {
		if (!(name = memchr(names, *p, sizeof(names) - 1)))
			return 0;
		*c = (unsigned char)values[name - names];
		return p + 1;
	}
	if ((high = hex4(p + 1, end)) < 0)
		return 0;
	p += 5;
	*c = (uint32_t)high;
	if (high < 0xd800 || high > 0xdfff)
		return p;
	if (high > 0xdbff || end - p < 6 || p[0] != '\\' || p[1] != 'u')
		return 0;
	low = hex4(p + 2, end);
	if (low < 0xdc00 || low > 0xdfff)
		return 0;
	*c = 0x10000 + ((*c - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
	return p + 6;
}

/* The length of a UTF-8 sequence by its first byte, a valid one. */
static size_t
utf8_length(unsigned char c)
{
	return c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

/*
 * One UTF-8 sequence beyond ASCII (RFC 3629): the range of its second byte
 * excludes overlong forms, surrogates and what lies above U+10FFFF.
 */
static const char *
skip_utf8(const char *p, const char *end)
{
	static const struct { unsigned char last, low, high; } second[] = {
		{ 0xc1, 1, 0 }, { 0xdf, 0x80, 0xbf }, { 0xe0, 0xa0, 0xbf },
		{ 0xec, 0x80, 0xbf }, { 0xed, 0x80, 0x9f }, { 0xef, 0x80, 0xbf },
		{ 0xf0, 0x90, 0xbf }, { 0xf3, 0x80, 0xbf }, { 0xf4, 0x80, 0x8f },
		{ 0xff, 1, 0 },
	};
	const unsigned char *u = (const unsigned char *)p;
	size_t n = utf8_length(*u), i = 0;

	if ((size_t)(end - p) < n)
		return 0;
	while (*u > second[i].last)
		i++;
	if (u[1] < second[i].low || u[1] > second[i].high)
		return 0;
	for (i = 2; i < n; i++)
		if ((u[i] & 0xc0) != 0x80)
			return 0;
	return p + n;
}

static const char *
skip_string(const char *p, const char *end)
{
	uint32_t c;

	if (p == end || *p != '"')
		return 0;
	for (p++; p && p < end; ) {
		if (*p == '"')
			return p + 1;
		if (*p == '\\')
			p = skip_escape(p + 1, end, &c);
		else if ((unsigned char)*p >= 0x80)
			p = skip_utf8(p, end);
		else if ((unsigned char)*p >= 0x20)
			p++;
		else
			return 0;
	}
	return 0;
}

/* One or more digits. */
static const char *
skip_digits(const char *p, const char *end)
{
	const char *start = p;

	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p > start ? p : 0;
}

static const char *
skip_number(const char *p, const char *end)
{
	if (p < end && *p == '-')
		p++;
	if (p < end && *p == '0')
		p++;
	else
		p = skip_digits(p, end);
	if (p && p < end && *p == '.')
		p = skip_digits(p + 1, end);
	if (p && p < end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < end && (*p == '+' || *p == '-'))
			p++;
		p = skip_digits(p, end);
	}
	return p;
}

static const char *
skip_scalar(const char *p, const char *end)
{
	static const char *const literal[] = { "true", "false", "null" };
	size_t i, n;

	if (p < end && *p == '"')
		return skip_string(p, end);
	for (i = 0; i < sizeof(literal) / sizeof(literal[0]); i++) {
		n = strlen(literal[i]);
		if ((size_t)(end - p) >= n && memcmp(p, literal[i], n) == 0)
			return p + n;
	}
	return skip_number(p, end);
}

/* A key and its colon. */
static const char *
skip_key(const char *p, const char *end)
{
	p = skip_string(skip_space(p, end), end);
	if (!p)
		return 0;
	p = skip_space(p, end);
	return p < end && *p == ':' ? p + 1 : 0;
}

/* If the innermost container ends here, leaves it: 1, else 0. */
static int
leave(struct scan *s)
{
	s->p = skip_space(s->p, s->end);
	if (s->p == s->end || *s->p != (s->objects & 1 ? '}' : ']'))
		return 0;
	s->p++;
	s->depth--;
	s->objects >>= 1;
	return 1;
}

/* Up to where a value must stand: behind the key in an object. */
static int
before_value(struct scan *s)
{
	if (s->objects & 1 && !(s->p = skip_key(s->p, s->end)))
		return -1;
	s->p = skip_space(s->p, s->end);
	return 0;
}

/* Behind a value: leaves all that end here, then a comma if not outside. */
static int
after_value(struct scan *s)
{
	while (s->depth && leave(s))
		;
	if (s->depth == 0)
		return 0;
	if (s->p == s->end || *s->p != ',')
		return -1;
	s->p++;
	return before_value(s);
}

/* Behind the value at p, or 0 if there is none or it nests too deeply. */
static const char *
skip_value(const char *p, const char *end)
{
	struct scan s = { p, end, 0, 0 };

	do {
		if (s.p < end && (*s.p == '{' || *s.p == '[')) {
			if (s.depth++ == DEPTH)
				return 0;
			s.objects = s.objects << 1 | (*s.p++ == '{');
			if (!leave(&s)) {
				if (before_value(&s) < 0)
					return 0;
				continue;
			}
		} else if (!(s.p = skip_scalar(s.p, end))) {
			return 0;
		}
		if (after_value(&s) < 0)
			return 0;
	} while (s.depth);
	return s.p;
}

static enum json_type
type_of(int c)
{
	switch (c) {
	case '{':
		return JSON_OBJECT;
	case '[':
		return JSON_ARRAY;
	case '"':
		return JSON_STRING;
	case 't':
	case 'f':
		return JSON_BOOL;
	case 'n':
		return JSON_NULL;
	default:
		return JSON_NUMBER;
	}
}

/* A value of no type, still tied to its document. */
static struct json
none(struct json_doc *doc)
{
	struct json v = { 0, JSON_NONE, { 0, 0 }, { 0, 0 } };

	v.doc = doc;
	return v;
}

/* The first error counts. */
static void
wrong(struct json v)
{
	struct buf b;

	if (v.doc->err)
		return;
	v.doc->err = 1;
	buf_init(&b, v.doc->bad, sizeof(v.doc->bad) - 1);
	buf_printable(&b, v.key);
	v.doc->bad[b.len] = 0;
}

/* 1 if v is of that type; absent: 0; another type: 0 and an error. */
static int
expect(struct json v, enum json_type type)
{
	if (v.type != JSON_NONE && v.type != type)
		wrong(v);
	return v.type == type;
}

/* The value at p, which must be within the document of v; NONE ends. */
static struct json
value_at(struct json v, const char *p)
{
	const char *end = v.text.p + v.text.n;

	v.text.p = skip_space(p, end);
	p = skip_value(v.text.p, end);
	if (!p) {
		wrong(v);
		return none(v.doc);
	}
	v.text.n = (size_t)(p - v.text.p);
	v.type = type_of(*v.text.p);
	return v;
}

struct json
json_parse(struct json_doc *doc, struct slice text)
{
	struct json v = none(doc);
	const char *end;

	memset(doc, 0, sizeof(*doc));
	doc->text = v.text = text.n ? text : slice(" ");
	end = v.text.p + v.text.n;
	v = value_at(v, v.text.p);
	if (v.type != JSON_NONE && skip_space(v.text.p + v.text.n, end) != end) {
		wrong(v);
		return none(doc);
	}
	return v;
}

/* Where the next element or member of container v begins, or 0 at the end. */
static const char *
next(struct json v, const struct json_iter *it)
{
	const char *p = it->p ? it->p : v.text.p + 1;
	const char *end = v.text.p + v.text.n;

	p = skip_space(p, end);
	if (it->p && p < end && *p == ',')
		p = skip_space(p + 1, end);
	return end - p > 1 ? p : 0;	/* the last byte closes v */
}

struct json
json_next(struct json array, struct json_iter *it)
{
	struct json v = none(array.doc);
	const char *p;

	if (!expect(array, JSON_ARRAY) || !(p = next(array, it)))
		return v;
	v = value_at(array, p);
	it->p = v.text.p + v.text.n;
	return v;
}

struct json
json_member(struct json object, struct json_iter *it, struct slice *key)
{
	struct json v = none(object.doc);
	const char *p, *end;

	if (!expect(object, JSON_OBJECT) || !(p = next(object, it)))
		return v;
	end = object.text.p + object.text.n;
	key->p = p + 1;
	key->n = (size_t)(skip_string(p, end) - key->p) - 1;
	v = value_at(object, skip_key(p, end));
	v.key = *key;
	it->p = v.text.p + v.text.n;
	return v;
}

static size_t
utf8_encode(char out[4], uint32_t c)
{
	size_t i, n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (i = n; i-- > 1; c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3f));
	out[0] = (char)(lead[n] | c);
	return n;
}

/*
 * Takes one character off a checked string, without its quotes, as UTF-8: the
 * number of bytes, 0 at the end.
 */
static size_t
take_char(struct slice *s, char out[4])
{
	const char *p = s->p;
	uint32_t c = 0;
	size_t n;

	if (s->n == 0)
		return 0;
	if (*p == '\\') {
		p = skip_escape(p + 1, p + s->n, &c);
		n = utf8_encode(out, c);
	} else {
		n = utf8_length((unsigned char)*p);
		memcpy(out, p, n);
		p += n;
	}
	s->n -= (size_t)(p - s->p);
	s->p = p;
	return n;
}

/* 1 if the raw string is text after unescaping. */
static int
equal(struct slice raw, const char *text)
{
	size_t n, left = strlen(text);
	char c[4];

	while ((n = take_char(&raw, c))) {
		if (n > left || memcmp(c, text, n) != 0)
			return 0;
		text += n;
		left -= n;
	}
	return left == 0;
}

struct json
json_get(struct json o, const char *key)
{
	struct json found = none(o.doc), v;
	struct json_iter it = { 0 };
	struct slice name;
	int seen = 0;

	while ((v = json_member(o, &it, &name)).type != JSON_NONE) {
		if (!equal(name, key))
			continue;
		if (seen++) {
			wrong(v);
			return none(o.doc);
		}
		found = v;
	}
	return found.type == JSON_NULL ? none(o.doc) : found;
}

/* What stands between the quotes. */
static struct slice
inside(struct json v)
{
	v.text.p++;
	v.text.n -= 2;
	return v.text;
}

/* 1 if v is a string without control characters; absent: 0; else an error. */
static int
expect_plain(struct json v)
{
	struct slice raw;
	char c[4];

	if (!expect(v, JSON_STRING))
		return 0;
	for (raw = inside(v); take_char(&raw, c); )
		if ((unsigned char)c[0] < 0x20) {
			wrong(v);
			return 0;
		}
	return 1;
}

void
json_string(struct json v, char *out, size_t size)
{
	struct slice raw;
	size_t n, used = 0;
	char c[4];

	out[0] = 0;
	if (!expect_plain(v))
		return;
	for (raw = inside(v); (n = take_char(&raw, c)); used += n) {
		if (n >= size - used) {
			out[0] = 0;
			wrong(v);
			return;
		}
		memcpy(out + used, c, n);
	}
	out[used] = 0;
}

void
json_text(struct json v, struct buf *out)
{
	struct slice raw;
	size_t n;
	char c[4];

	if (!expect(v, JSON_STRING))
		return;
	for (raw = inside(v); (n = take_char(&raw, c)); ) {
		if (n >= out->cap - out->len)
			return;
		buf_mem(out, c, n);
	}
}

int
json_is(struct json v, const char *text)
{
	return expect_plain(v) && equal(inside(v), text);
}

int64_t
json_int(struct json v, int64_t absent)
{
	struct slice digits = v.text;
	uint64_t n;
	int negative;

	if (!expect(v, JSON_NUMBER))
		return absent;
	negative = *digits.p == '-';
	digits.p += negative;
	digits.n -= (size_t)negative;
	if (slice_uint(digits, &n) < 0 || n >> 53) {
		wrong(v);
		return absent;
	}
	return negative ? -(int64_t)n : (int64_t)n;
}

int
json_bool(struct json v, int absent)
{
	return expect(v, JSON_BOOL) ? *v.text.p == 't' : absent;
}

void
json_quote(struct buf *b, struct slice s)
{
	buf_char(b, '"');
	for (; s.n; s.n--, s.p++) {
		if ((unsigned char)*s.p < 0x20) {
			buf_str(b, "\\u00");
			buf_hex(b, s.p, 1);
			continue;
		}
		if (*s.p == '"' || *s.p == '\\')
			buf_char(b, '\\');
		buf_char(b, *s.p);
	}
	buf_char(b, '"');
}
