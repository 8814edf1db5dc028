/*
 * buf.h - fixed-capacity output buffers, slices of input, and the limits.
 *
 * A buffer never grows and never writes past its end: what does not fit sets
 * .err, which stays set until buf_clear().  Append freely, test .err once at
 * the end.  Nothing here allocates.  Implemented in buf.c.
 */
#ifndef BUF_H
#define BUF_H

#include <stddef.h>
#include <stdint.h>

/* The limits of the program, in bytes or pieces; each has an error naming it. */
enum {
	LIMIT_NAMES = 100,		/* names in one certificate */
	LIMIT_NAME = 253,		/* one DNS name or address as text */
	LIMIT_URL = 1024,		/* one URL, NUL included */
	LIMIT_TOKEN = 128,		/* one challenge token */
	LIMIT_NONCE = 512,		/* one nonce, NUL included */
	LIMIT_REQUEST = 50000,		/* one signed request body */
	LIMIT_REPLY = 128 * 1024,	/* one reply body */
	LIMIT_HEAD = 16 * 1024,		/* one reply's status line and headers */
	LIMIT_CHAIN = 64 * 1024,	/* one certificate chain as PEM */
	LIMIT_PEM_KEY = 4096,		/* one private key as PEM (RSA 4096: 3272) */
	LIMIT_PATH = 1024,		/* one file path, NUL included */
	LIMIT_CONF = 32 * 1024,		/* one conf file */
	LIMIT_ALTERNATES = 10,		/* chains of one certificate beside the default one */
	LIMIT_POLLS = 1000		/* polls of one order */
};

/* n bytes at p that belong to somebody else; not NUL-terminated. */
struct slice {
	const char *p;
	size_t n;
};

struct buf {
	char *p;
	size_t len, cap;
	int err;		/* sticky: something did not fit */
};

/*
 * For large static arrays of which little is used: each begins with a page, and
 * what is small lies together (the Makefile sorts by alignment).
 */
#define LARGE __attribute__((aligned(4096)))

/* An empty buffer over the caller's memory: cap bytes, or an array (not a pointer) for BUF. */
#define BUF(mem) { (mem), 0, sizeof(mem), 0 }
void buf_init(struct buf *b, void *mem, size_t cap);
void buf_clear(struct buf *b);

void buf_mem(struct buf *b, const void *p, size_t n);
void buf_str(struct buf *b, const char *s);
void buf_slice(struct buf *b, struct slice s);
void buf_char(struct buf *b, int c);
void buf_uint(struct buf *b, uint64_t v);		/* decimal */
void buf_int(struct buf *b, int64_t v);
void buf_hex(struct buf *b, const void *p, size_t n);	/* lower case */
/* Appends s with each byte outside 0x20..0x7e as \xHH: safe on a terminal. */
void buf_printable(struct buf *b, struct slice s);
/* Appends the strings up to a null pointer. */
void buf_all(struct buf *b, const char *s, ...);

/*
 * NUL-terminates without counting the NUL in len and returns the text;
 * an overflow (there must be room for the NUL) sets err and returns "".
 */
const char *buf_text(struct buf *b);

struct slice slice(const char *text);
struct slice slice_of(const void *p, size_t n);
struct slice buf_view(const struct buf *b);
int slice_is(struct slice s, const char *text);		/* byte-equal */
int slice_is_nocase(struct slice s, const char *text);	/* ASCII */
int slice_listed(struct slice s, const char *list);	/* byte-equal to a word of list, between single spaces */
/* Splits *s at the first c: what is before it; all, if there is none. */
struct slice slice_cut(struct slice *s, int c);
/* Decimal digits only, no sign, no space, at most 18: 0, else -1. */
int slice_uint(struct slice s, uint64_t *v);
/* Copies s and a NUL into out of size (at least 1) bytes; -1 and "" if it does not fit or holds a NUL. */
int slice_copy(struct slice s, char *out, size_t size);

/* Overwrites n bytes in a way that the compiler may not leave out. */
void wipe(void *p, size_t n);

#endif
