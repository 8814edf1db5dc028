/*
 * keyinfo.h - the structures of keys: SubjectPublicKeyInfo (RFC 5280), private
 * keys (RFC 5208, 8017 A.1.2, 5915).  Pure: no crypto, no allocation.
 */
#ifndef KEYINFO_H
#define KEYINFO_H

#include "buf.h"

/* A public key by its numbers, big-endian: RSA modulus and exponent, or EC x and y. */
enum pk_type { PK_NONE, PK_RSA, PK_P256, PK_P384 };
struct pk {
	enum pk_type type;
	struct slice a, b;
};
void spki_write(struct buf *b, const struct pk *pk);	/* SubjectPublicKeyInfo */
/* Slices into der.  0, -1 malformed, -2 a key of another kind (pk->type is PK_NONE). */
int spki_read(struct slice der, struct pk *pk);

/*
 * A private key's structure.  RSA numbers without leading zeros; EC: the
 * secret left-padded to the curve's size, point uncompressed or empty.
 */
struct sk {
	enum pk_type type;
	struct slice n, e, d, p, q, dp, dq, iq;
	struct slice x, point;
};
/*
 * Strict parsing; label is the PEM label ("PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY").
 * 0, -1 malformed, -2 neither two-prime RSA nor one of these curves, -3 another label.
 */
int sk_read(struct slice label, struct slice der, struct sk *sk);
void sk_write(struct buf *b, const struct sk *sk);	/* PKCS#8 */

#endif
