/*
 * fuzz.h - for fuzzers.  A fuzzer includes the .c file whose readers it tries,
 * and has one function; it aborts when a promise is broken.  libFuzzer calls it
 * (make fuzz), or ../replay.c (make check).
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdlib.h>
#include <string.h>

#include "../../buf.h"

int LLVMFuzzerTestOneInput(const unsigned char *p, size_t n);

static inline void
need(int truth)
{
	if (!truth)
		abort();
}

/* A NUL-terminated text of printable ASCII. */
static inline void
need_printable(const char *s, size_t size)
{
	need(memchr(s, 0, size) != 0);
	for (; *s; s++)
		need(*s >= ' ' && *s <= '~');
}

/* s lies in whole. */
static inline void
need_inside(struct slice s, struct slice whole)
{
	need(s.n == 0 || (s.p >= whole.p && s.p + s.n <= whole.p + whole.n));
}

static inline int
same_slice(struct slice a, struct slice b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* What is before the next line break of *rest; *rest moves behind it. */
static inline struct slice
fuzz_line(struct slice *rest)
{
	const char *end = rest->n ? memchr(rest->p, '\n', rest->n) : 0;
	struct slice line = { rest->p, end ? (size_t)(end - rest->p) : rest->n };

	rest->p += line.n + (end != 0);
	rest->n -= line.n + (end != 0);
	return line;
}

/* The next piece of *rest, behind two bytes of its length: 1, or 0. */
static inline int
fuzz_piece(struct slice *rest, struct slice *piece)
{
	if (rest->n < 2)
		return 0;
	piece->p = rest->p + 2;
	piece->n = (size_t)(unsigned char)rest->p[0] << 8 | (unsigned char)rest->p[1];
	if (piece->n > rest->n - 2)
		piece->n = rest->n - 2;
	rest->p = piece->p + piece->n;
	rest->n -= piece->n + 2;
	return 1;
}

#endif
