/*
 * buf.c - fixed-capacity buffers and slices.  Invariant: len <= cap, and
 * after an overflow nothing more is appended until buf_clear().
 */
#include <stdarg.h>
#include <string.h>

#include "buf.h"

void
buf_init(struct buf *b, void *mem, size_t cap)
{
	b->p = mem;
	b->cap = cap;
	buf_clear(b);
}

void
buf_clear(struct buf *b)
{
	b->len = 0;
	b->err = 0;
}

void
buf_mem(struct buf *b, const void *p, size_t n)
{
	if (b->err || n > b->cap - b->len) {
		b->err = 1;
		return;
	}
	if (n)
		memmove(b->p + b->len, p, n);
	b->len += n;
}

void
buf_str(struct buf *b, const char *s)
{
	buf_mem(b, s, strlen(s));
}

void
buf_slice(struct buf *b, struct slice s)
{
	buf_mem(b, s.p, s.n);
}

void
buf_char(struct buf *b, int c)
{
	char ch = (char)c;

	buf_mem(b, &ch, 1);
}

void
buf_uint(struct buf *b, uint64_t v)
{
	char digits[20];
	size_t i = sizeof(digits);

	do
		digits[--i] = (char)('0' + v % 10);
	while (v /= 10);
	buf_mem(b, digits + i, sizeof(digits) - i);
}

void
buf_int(struct buf *b, int64_t v)
{
	if (v < 0)
		buf_char(b, '-');
	buf_uint(b, v < 0 ? -(uint64_t)v : (uint64_t)v);
}

void
buf_hex(struct buf *b, const void *p, size_t n)
{
	const unsigned char *u = p;

	for (; n; n--, u++) {
		buf_char(b, "0123456789abcdef"[*u >> 4]);
		buf_char(b, "0123456789abcdef"[*u & 15]);
	}
}

void
buf_printable(struct buf *b, struct slice s)
{
	for (; s.n; s.n--, s.p++) {
		if (*s.p >= 0x20 && *s.p <= 0x7e) {
			buf_char(b, *s.p);
		} else {
			buf_str(b, "\\x");
			buf_hex(b, s.p, 1);
		}
	}
}

void
buf_all(struct buf *b, const char *s, ...)
{
	va_list ap;

	va_start(ap, s);
	for (; s; s = va_arg(ap, const char *))
		buf_str(b, s);
	va_end(ap);
}

const char *
buf_text(struct buf *b)
{
	if (b->err || b->len == b->cap) {
		b->err = 1;
		return "";
	}
	b->p[b->len] = 0;
	return b->p;
}

struct slice
slice(const char *text)
{
	struct slice s = { text, strlen(text) };

	return s;
}

struct slice
slice_of(const void *p, size_t n)
{
	struct slice s = { p, n };

	return s;
}

struct slice
buf_view(const struct buf *b)
{
	struct slice s = { b->p, b->len };

	return s;
}

int
slice_is(struct slice s, const char *text)
{
	return s.n == strlen(text) && (!s.n || memcmp(s.p, text, s.n) == 0);
}

static int
lower(int c)
{
	return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

int
slice_is_nocase(struct slice s, const char *text)
{
	size_t i;

	if (s.n != strlen(text))
		return 0;
	for (i = 0; i < s.n; i++)
		if (lower(s.p[i]) != lower(text[i]))
			return 0;
	return 1;
}

int
slice_listed(struct slice s, const char *list)
{
	size_t n;

	for (; *list; list += n + (list[n] == ' ')) {
		n = strcspn(list, " ");
		if (n && s.n == n && memcmp(s.p, list, n) == 0)
			return 1;
	}
	return 0;
}

struct slice
slice_cut(struct slice *s, int c)
{
	struct slice head = *s;
	const char *at = s->n ? memchr(s->p, c, s->n) : 0;

	if (at)
		head.n = (size_t)(at - s->p);
	s->p += head.n + (at != 0);
	s->n -= head.n + (at != 0);
	return head;
}

int
slice_uint(struct slice s, uint64_t *v)
{
	uint64_t sum = 0;

	if (s.n == 0 || s.n > 18)
		return -1;
	for (; s.n; s.n--, s.p++) {
		if (*s.p < '0' || *s.p > '9')
			return -1;
		sum = sum * 10 + (uint64_t)(*s.p - '0');
	}
	*v = sum;
	return 0;
}

int
slice_copy(struct slice s, char *out, size_t size)
{
	if (s.n >= size || (s.n && memchr(s.p, 0, s.n))) {
		out[0] = 0;
		return -1;
	}
	if (s.n)
		memcpy(out, s.p, s.n);
	out[s.n] = 0;
	return 0;
}

void
wipe(void *p, size_t n)
{
	volatile unsigned char *u = p;

	while (n--)
		*u++ = 0;
}
