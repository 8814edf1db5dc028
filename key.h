/*
 * key.h - private keys: make, read, write, sign, wipe; entropy.
 * The only file that holds secret numbers.  Keys are strict PEM of PKCS#8,
 * PKCS#1 or SEC 1 on input, PKCS#8 on output.
 */
#ifndef KEY_H
#define KEY_H

#include "buf.h"

enum key_type { KEY_NONE, KEY_EC256, KEY_EC384, KEY_RSA2048, KEY_RSA3072, KEY_RSA4096 };

/* "ec256", and acme.sh's "ec-256", "2048", ...: the type, or KEY_NONE. */
enum key_type key_type(const char *name);
const char *key_type_name(enum key_type t);

struct pk;			/* keyinfo.h */
/*
 * No pointers inside, so it may be copied, and must be wiped.  Big-endian
 * numbers at full width; h is half the bytes of an RSA modulus.
 */
struct key {
	enum key_type type;
	unsigned char secret[7 * 256];		/* RSA: p q dp dq iq, h each, d of 2h; EC: x */
	unsigned char public[2 * 256 + 4];	/* RSA: n of 2h, e of 4; EC: 04 x y */
};

/*
 * Entropy: n bytes, from getrandom (waits at early boot, saying so after a
 * second), else /dev/urandom after /dev/random was readable.  0, or -1: none,
 * or a stop signal came; nothing weaker is ever used.
 */
int entropy(void *p, size_t n);
/* n bytes from the program's HMAC-DRBG, seeded from entropy() once in each process; 0 or -1. */
int random_bytes(void *p, size_t n);
/* A number from 0 to n - 1, uniformly, n at least 1; 0 without entropy. */
uint32_t random_below(uint32_t n);
/* The DRBG as BearSSL wants it (const br_prng_class **), or 0. */
void *random_prng(void);

/* Each 0 or -1; on -1 the key is wiped. */
/*
 * RSA takes seconds, on a router minutes, with a line of progress; a stop signal
 * ends the process meanwhile, so nothing may stand that it would leave behind.
 */
int key_generate(struct key *k, enum key_type t);
int key_make(struct key *k, enum key_type t);	/* the same: 0, or a status, printed */
/*
 * One key from PEM.  *why is a static text on error ("encrypted", "RSA below
 * 2048 bits", ...), else 0.  Refused: encrypted keys, RSA of other sizes, other
 * curves, more than one key (a block of EC PARAMETERS before it may stand),
 * numbers that do not belong together.
 */
int key_read(struct key *k, struct slice pem, const char **why);
void key_write(const struct key *k, struct buf *pem);	/* PKCS#8 PEM */
void key_wipe(struct key *k);

void key_public(const struct key *k, struct pk *pk);	/* slices into k */
int key_same(const struct key *k, const struct pk *pk);	/* 1: k's public half is pk */

/*
 * Signatures over a message of n bytes: RSA PKCS#1 v1.5 and P-256 with
 * SHA-256, P-384 with SHA-384.  _der: as in X.509 (usable as asn1_sign);
 * _raw: as in JWS (RFC 7518 3.3, 3.4): EC r||s.  Appended; 0 or -1.
 */
int key_sign_der(void *key, const void *p, size_t n, struct buf *sig);
int key_sign_raw(void *key, const void *p, size_t n, struct buf *sig);
/*
 * Checks an X.509 signature by its algorithm's OID: RSA PKCS#1 v1.5 (2048 to
 * 4096 bits) or ECDSA, with SHA-256, -384 or -512.  1 good, 0 bad or another one.
 */
int key_verify(const struct pk *pk, struct slice sig_alg, const void *p, size_t n, struct slice sig);

#endif
