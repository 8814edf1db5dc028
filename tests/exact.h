/*
 * exact.h - for unit tests of what reads DER: input whose end is watched, and
 * that no prefix and no extension of it passes.
 */
#ifndef EXACT_TEST_H
#define EXACT_TEST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base64.h"

/* A copy that ends where its memory ends, so that an over-read is seen. */
static inline struct slice
flush(const void *p, size_t n, void **mem)
{
	struct slice s;

	*mem = malloc(n + 1);
	s.p = n ? memcpy((char *)*mem + 1, p, n) : (char *)*mem + 1;
	s.n = n;
	return s;
}

/* The DER of a PEM text, in static memory that the next call reuses; name is its label. */
static char block[4096], name[64];

static inline struct slice
unpem(const char *pem)
{
	struct slice text = slice(pem), label, s;
	struct buf b;

	buf_init(&b, block, sizeof(block));
	if (pem_next(&text, &label, &b) != 1) {
		printf("Bail out! %s\n", pem);
		exit(1);
	}
	slice_copy(label, name, sizeof(name));
	s = buf_view(&b);
	return s;
}

/* Tries parse on each prefix and with one byte more: all must be rejected. */
static inline int
exact(struct slice der, int (*parse)(struct slice))
{
	size_t n;
	void *mem;
	int good = parse(flush(der.p, der.n, &mem)) == 0;

	free(mem);
	for (n = 0; n < der.n; n++) {
		good = good && parse(flush(der.p, n, &mem)) != 0;
		free(mem);
	}
	mem = malloc(der.n + 1);
	memcpy(mem, der.p, der.n);
	((char *)mem)[der.n] = 0;
	good = good && parse(slice_of(mem, der.n + 1)) != 0;
	free(mem);
	return good;
}

static inline int
equal(struct slice s, const void *p, size_t n)
{
	return s.n == n && memcmp(s.p, p, n) == 0;
}

#endif
