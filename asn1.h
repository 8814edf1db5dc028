/*
 * asn1.h - the signed structures that ACME needs: PKCS#10 (RFC 2986), X.509
 * fields (RFC 5280), the tls-alpn-01 certificate (RFC 8737 3).
 * Pure: no crypto, no files, no allocation; signing is a callback.
 */
#ifndef ASN1_H
#define ASN1_H

#include "buf.h"

struct pk;			/* keyinfo.h */

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
