/*
 * asn1.h - DER (X.690) reading and writing, and the structures that ACME
 * needs: PKCS#10 (RFC 2986), X.509 fields (RFC 5280), private keys (RFC 5208,
 * 8017 A.1.2, 5915), the tls-alpn-01 certificate (RFC 8737 3).
 * Pure: no crypto, no files, no allocation; signing is a callback.
 */
#ifndef ASN1_H
#define ASN1_H

#include "buf.h"

/* Tags: class and constructed bit included. */
enum {
	DER_BOOLEAN = 0x01, DER_INTEGER = 0x02, DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04, DER_NULL = 0x05, DER_OID = 0x06,
	DER_UTF8STRING = 0x0c, DER_PRINTABLESTRING = 0x13, DER_IA5STRING = 0x16,
	DER_UTCTIME = 0x17, DER_GENERALIZEDTIME = 0x18,
	DER_SEQUENCE = 0x30, DER_SET = 0x31,
	DER_CONTEXT = 0x80, DER_CONSTRUCTED = 0x20
};

/*
 * Writing, forwards: m = der_open(b, DER_SEQUENCE); ...; der_close(b, m);
 * der_close moves the content to make room for the length.  Errors stick in b.
 */
size_t der_open(struct buf *b, int tag);
void der_close(struct buf *b, size_t m);
void der_bytes(struct buf *b, int tag, const void *p, size_t n);
void der_uint(struct buf *b, const unsigned char *p, size_t n);	/* unsigned big-endian */
void der_oid(struct buf *b, const char *der);	/* content as a literal, first byte its length */

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
struct slice der_take_uint(struct der *d);		/* INTEGER >= 0, leading zero removed (0: one zero byte) */

/* A public key by its numbers, big-endian: RSA modulus and exponent, or EC x and y. */
enum pk_type { PK_NONE, PK_RSA, PK_P256, PK_P384 };
struct pk {
	enum pk_type type;
	struct slice a, b;
};
void spki_write(struct buf *b, const struct pk *pk);	/* SubjectPublicKeyInfo */
int spki_read(struct slice der, struct pk *pk);		/* slices into der; 0 or -1 */

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

/* Signs the n bytes at p, which may lie in sig: DER signature value appended to sig; 0 or -1. */
typedef int asn1_sign(void *ctx, const void *p, size_t n, struct buf *sig);

/* A name as it stands in a certificate: a DNS name, or 4 or 16 address bytes. */
struct san {
	int ip;			/* 1: iPAddress */
	struct slice s;
};

/*
 * PKCS#10: empty subject, the key, and subjectAltName of count names in their order.
 * Signature algorithm: RSA and P-256 with SHA-256, P-384 with SHA-384.
 * 0, or -1 with b->err set: no room, no names, a name that cannot stand there, sign failed.
 */
int csr_write(struct buf *b, const struct pk *pk, const struct san *san, size_t count,
    asn1_sign *sign, void *ctx);
/*
 * Names and key of a request (CN included when no SAN equals it); -1 if malformed or over max.
 * pk->type is PK_NONE for a key of another kind.  The signature is not checked.
 */
int csr_read(struct slice der, struct pk *pk, struct san *san, size_t max, size_t *count);

/* The self-signed certificate of RFC 8737 3 for one name and a 32-byte digest; result as above. */
int alpn_cert_write(struct buf *b, const struct pk *pk, const struct san *name,
    const unsigned char digest[32], int64_t not_before, int64_t not_after,
    asn1_sign *sign, void *ctx);

/* X.509 fields, slices into the certificate. */
struct x509 {
	struct slice serial;		/* INTEGER content, leading zero kept */
	struct slice issuer, subject;	/* Name, DER elements */
	struct slice issuer_cn, subject_cn;	/* last CN's bytes, or empty */
	struct slice spki;		/* DER element */
	struct slice tbs, sig_alg, sig;	/* for checking a signature: DER element, OID content, bits */
	struct slice aki, ski;		/* keyIdentifier, or empty */
	struct slice san_ext;		/* GeneralNames content, or empty: x509_san() */
	int64_t not_before, not_after;	/* seconds since 1970 */
	int ca;				/* basicConstraints cA */
};
int x509_read(struct slice der, struct x509 *c);	/* 0 or -1 */
/* The next dNSName or iPAddress of *rest (start with c->san_ext): 1, 0 none left, -1 malformed. */
int x509_san(struct slice *rest, struct san *name);

#endif
