/*
 * der.c - DER (X.690 10, 11), forwards.  Invariants: a reader never leaves
 * p..end; what was read is whole only if der_end() holds at each level, so
 * that no prefix and no extension of it passes; nothing is kept between calls.
 */
#include <string.h>

#include "der.h"

/* Not a null pointer: adding 0 to one is undefined. */
static const struct slice nothing = { "", 0 };

int
der_oid_is(struct slice s, const char *oid)
{
	return s.n == (size_t)oid[0] && memcmp(s.p, oid + 1, s.n) == 0;
}

/* Writing. */

size_t
der_open(struct buf *b, int tag)
{
	buf_char(b, tag);
	return b->len;
}

void
der_close(struct buf *b, size_t m)
{
	unsigned char head[5] = { 0 };
	size_t n, i, count = 1;

	if (b->err)
		return;
	n = b->len - m;
	if (n >= 0x80)
		for (i = n; i; i >>= 8)
			count++;
	if (count > sizeof(head))
		b->err = 1;
	buf_mem(b, head, count);
	if (b->err)
		return;
	memmove(b->p + m + count, b->p + m, n);
	head[0] = (unsigned char)(count == 1 ? n : 0x80 | (count - 1));
	for (i = count; --i > 0; n >>= 8)
		head[i] = (unsigned char)n;
	memcpy(b->p + m, head, count);
}

void
der_bytes(struct buf *b, int tag, const void *p, size_t n)
{
	size_t m = der_open(b, tag);

	buf_mem(b, p, n);
	der_close(b, m);
}

void
der_uint(struct buf *b, const unsigned char *p, size_t n)
{
	size_t m = der_open(b, DER_INTEGER);

	for (; n && *p == 0; n--)
		p++;
	if (n == 0 || *p & 0x80)
		buf_char(b, 0);
	buf_mem(b, p, n);
	der_close(b, m);
}

void
der_oid(struct buf *b, const char *der)
{
	der_bytes(b, DER_OID, der + 1, (size_t)der[0]);
}

void
der_small(struct buf *b, unsigned char value)
{
	der_uint(b, &value, 1);
}

void
der_slice(struct buf *b, int tag, struct slice s)
{
	der_bytes(b, tag, s.p, s.n);
}

void
der_number(struct buf *b, struct slice s)
{
	der_uint(b, (const unsigned char *)s.p, s.n);
}

/* Reading. */

struct der
der_of(struct slice s)
{
	const unsigned char *p = (const unsigned char *)(s.n ? s.p : "");
	struct der d = { p, p + s.n, 0 };

	return d;
}

int
der_peek(const struct der *d)
{
	return d->err || d->p == d->end ? -1 : *d->p;
}

int
der_end(const struct der *d)
{
	return !d->err && d->p == d->end;
}

/* The length at *p, definite and minimal; -1 if it is not or exceeds end. */
static int
read_length(const unsigned char **p, const unsigned char *end, size_t *n)
{
	size_t count;

	if (*p == end)
		return -1;
	*n = *(*p)++;
	if (*n & 0x80) {
		count = *n & 0x7f;
		if (count == 0 || count > 4 || (size_t)(end - *p) < count || **p == 0)
			return -1;
		for (*n = 0; count; count--)
			*n = *n << 8 | *(*p)++;
		if (*n < 0x80)
			return -1;
	}
	return *n > (size_t)(end - *p) ? -1 : 0;
}

/* The next element's content; its start and the one after it by d->p. */
static struct slice
read_element(struct der *d, int tag)
{
	const unsigned char *p = d->p;
	int got = der_peek(d);
	size_t n;

	/* 0 is no tag of DER's; 0x1f would announce one of several bytes. */
	if (got <= 0 || (got & 0x1f) == 0x1f || (tag >= 0 && got != tag))
		goto bad;
	p++;
	if (read_length(&p, d->end, &n))
		goto bad;
	d->p = p + n;
	return slice_of(p, n);
bad:
	d->err = 1;
	return nothing;
}

struct slice
der_take(struct der *d, int tag)
{
	return read_element(d, tag);
}

struct der
der_enter(struct der *d, int tag)
{
	struct der inner = der_of(read_element(d, tag));

	inner.err = d->err;
	return inner;
}

struct slice
der_element(struct der *d, int tag)
{
	const unsigned char *start = d->p;

	read_element(d, tag);
	return d->err ? nothing : slice_of(start, (size_t)(d->p - start));
}

struct slice
der_take_int(struct der *d)
{
	struct slice s = der_take(d, DER_INTEGER);

	if (s.n == 0 || (s.n > 1 && ((s.p[0] == 0 && !(s.p[1] & 0x80)) ||
	    ((s.p[0] & 0xff) == 0xff && s.p[1] & 0x80)))) {
		d->err = 1;
		return nothing;
	}
	return s;
}

struct slice
der_take_uint(struct der *d)
{
	struct slice s = der_take_int(d);

	if (s.n && s.p[0] & 0x80) {
		d->err = 1;
		return nothing;
	}
	if (s.n > 1 && s.p[0] == 0) {
		s.p++;
		s.n--;
	}
	return s;
}

int
der_take_small(struct der *d)
{
	struct slice s = der_take_uint(d);

	return s.n == 1 && !(s.p[0] & 0x80) ? s.p[0] : -1;
}

int
der_take_flag(struct der *d)
{
	struct slice s;

	if (der_peek(d) != DER_BOOLEAN)
		return 0;
	s = der_take(d, DER_BOOLEAN);
	if (s.n != 1 || ((s.p[0] & 0xff) != 0xff && s.p[0] != 0))
		d->err = 1;
	return !d->err && s.p[0];
}

struct slice
der_take_bits(struct der *d)
{
	struct slice s = der_take(d, DER_BIT_STRING);

	if (s.n == 0 || s.p[0] != 0) {
		d->err = 1;
		return nothing;
	}
	s.p++;
	s.n--;
	return s;
}
