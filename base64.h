/*
 * base64.h - base64, base64url (RFC 4648 4, 5) and PEM armour (RFC 7468).
 * Constant time in the data: no table lookups, no branches on it, since keys
 * pass through here.
 */
#ifndef BASE64_H
#define BASE64_H

#include "buf.h"

void base64_encode(struct buf *b, const void *p, size_t n);	/* padded, one line */
void base64url_encode(struct buf *b, const void *p, size_t n);	/* unpadded */

/*
 * Strict decoding, appended to b: length, padding and unused bits are checked.
 * base64_decode skips CR, LF, tab and space; base64url_decode accepts none of
 * these and no padding; base64_any accepts either alphabet, padded or not
 * (EAB keys, RFC 8555 7.3.4), and no white space.  0, or -1 with b->len
 * unchanged (and b->err set if it did not fit).
 */
int base64_decode(struct buf *b, struct slice s);
int base64url_decode(struct buf *b, struct slice s);
int base64_any(struct buf *b, struct slice s);
/* 1 if s is not empty and has only characters of base64url (tokens, nonces). */
int base64url_is(struct slice s);

/* Appends "-----BEGIN label-----", lines of 64, "-----END label-----\n". */
void pem_encode(struct buf *b, const char *label, const void *der, size_t n);

/*
 * The next PEM block of *text: its label, its DER appended to b; *text moves
 * behind it.  Text between blocks is skipped, CRLF and a missing last newline
 * accepted; boundaries stand alone on their lines, header lines within a block
 * ("Proc-Type:") are malformed.  1 a block, 0 no further one, -1 malformed or
 * does not fit; then *text, *label and b->len are unchanged.
 */
int pem_next(struct slice *text, struct slice *label, struct buf *b);

#endif
