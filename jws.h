/*
 * jws.h - JSON Web Key, thumbprint and signature as ACME uses them
 * (RFC 7515, 7517, 7638, 8555 6.2), from public numbers and a signing callback.
 */
#ifndef JWS_H
#define JWS_H

#include "buf.h"

enum jws_alg { JWS_RS256, JWS_ES256, JWS_ES384 };

/*
 * A key that can sign: RSA n and e, or EC x and y, big-endian, EC at full width.
 * sign appends the raw signature (RFC 7518 3) of n bytes at p, at most 512: 0 or -1.
 */
struct jws_key {
	enum jws_alg alg;
	struct slice a, b;
	int (*sign)(void *ctx, const void *p, size_t n, struct buf *sig);
	void *ctx;
};

void jwk_write(struct buf *b, const struct jws_key *k);	/* members in lexicographic order */
void jwk_thumbprint(struct buf *b, const struct jws_key *k);	/* base64url SHA-256 (RFC 7638) */

/* token.thumbprint (RFC 8555 8.1), and base64url SHA-256 of a text (8.4). */
void jws_key_authorization(struct buf *b, const char *token, const struct jws_key *k);
void jws_digest(struct buf *b, struct slice text);
/* "_ujmmovf2vn55tgye": the account's label in a dns-account-01 record (draft-ietf-acme-dns-account-label). */
void jws_account_label(struct buf *b, const char *url);

/*
 * The following append a JWS in flattened JSON (RFC 7515 7.2.2).  They need no
 * memory but b's: while they work, room for the protected header and for a
 * payload of their own once more.  0; or -1 with b->len unchanged: a text is
 * not jws_clean(), signing failed, or, with b->err set, it did not fit.
 *
 * jws_write: over payload, outside b (empty: POST-as-GET).  kid 0: the jwk
 * stands in the protected header.  nonce 0: none.
 */
int jws_write(struct buf *b, const struct jws_key *k, const char *kid,
    const char *nonce, const char *url, struct slice payload);

/*
 * External account binding (RFC 8555 7.3.4): HS256 over the account's JWK.
 * No kid or an empty hmac_key is refused.
 */
int jws_eab(struct buf *b, const struct jws_key *account, const char *kid,
    struct slice hmac_key, const char *url);
/* The payload of a key change (7.3.5): a JWS by the new key over {account, oldKey}. */
int jws_key_change(struct buf *b, const struct jws_key *old, const struct jws_key *new,
    const char *account, const char *url);

/*
 * 1 if s is not empty and may stand in JSON as it is: printable ASCII without
 * quote and backslash.
 */
int jws_clean(const char *s);

#endif
