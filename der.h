/*
 * der.h - DER (X.690): reading and writing.  Pure, no allocation.
 */
#ifndef DER_H
#define DER_H

#include "buf.h"

/* Tags: class and constructed bit included. */
enum {
	DER_BOOLEAN = 0x01, DER_INTEGER = 0x02, DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04, DER_NULL = 0x05, DER_OID = 0x06,
	DER_UTF8STRING = 0x0c, DER_PRINTABLESTRING = 0x13, DER_IA5STRING = 0x16,
	DER_UTCTIME = 0x17, DER_GENERALIZEDTIME = 0x18,
	DER_SEQUENCE = 0x30, DER_SET = 0x31,
	DER_CONTEXT = 0x80,
	DER_EXPLICIT_0 = 0xa0, DER_EXPLICIT_1, DER_EXPLICIT_2, DER_EXPLICIT_3
};

/*
 * Writing, forwards: m = der_open(b, DER_SEQUENCE); ...; der_close(b, m);
 * der_close moves the content to make room for the length.  Errors stick in b.
 */
size_t der_open(struct buf *b, int tag);
void der_close(struct buf *b, size_t m);
void der_bytes(struct buf *b, int tag, const void *p, size_t n);
void der_uint(struct buf *b, const unsigned char *p, size_t n);	/* unsigned big-endian */
void der_oid(struct buf *b, const char *oid);	/* content as a literal, first byte its length */
void der_small(struct buf *b, unsigned char value);
void der_slice(struct buf *b, int tag, struct slice s);
void der_number(struct buf *b, struct slice s);	/* as der_uint */

/*
 * Reading.  Strict DER: definite minimal lengths, one-byte tags.  err is
 * sticky; a failed read gives an empty slice.
 */
struct der {
	const unsigned char *p, *end;
	int err;
};
struct der der_of(struct slice s);
int der_peek(const struct der *d);			/* next tag, -1 at end or error */
int der_end(const struct der *d);			/* 1: all was read, without error */
struct der der_enter(struct der *d, int tag);		/* contents of the next element */
struct slice der_take(struct der *d, int tag);		/* the same, as bytes */
struct slice der_element(struct der *d, int tag);	/* tag and length included; tag -1: any */
struct slice der_take_int(struct der *d);		/* INTEGER of any sign, content as it stands */
struct slice der_take_uint(struct der *d);		/* INTEGER >= 0, leading zero removed (0: one zero byte) */
int der_take_small(struct der *d);			/* INTEGER below 128; -1 if it is none */
struct slice der_take_bits(struct der *d);		/* BIT STRING of whole bytes */
/* BOOLEAN DEFAULT FALSE: absent or, which is not DER but common, written out. */
int der_take_flag(struct der *d);
int der_oid_is(struct slice s, const char *oid);	/* oid as for der_oid */

#endif
