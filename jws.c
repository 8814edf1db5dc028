/*
 * jws.c - JSON Web Key, thumbprint and signature as ACME uses them (RFC 7515,
 * 7517, 7518, 7638; RFC 8555 6.2, 7.3.4, 7.3.5, 8.1).
 *
 * A request with a hundred names is 40 KB, so no second copy of it is made:
 * the signing input grows in the caller's buffer where the JWS will stand,
 * what is to be encoded waits at the far end of that buffer, and after signing
 * the payload moves up to make room for its member name.  Holds no secret but
 * the caller's HMAC key, in BearSSL's contexts on the stack, which are wiped.
 */
#include <string.h>

#include "bearssl.h"

#include "base64.h"
#include "jws.h"

/* JWK of an RSA 4096 key: 683 characters n, up to 11 e, 30 around them. */
enum { JWK_MAX = 768, SIGNATURE_MAX = 512 };

/* By enum jws_alg; crv 0: RSA (RFC 7518 3.1, 6.2.1.1). */
static const struct {
	const char *alg, *crv;
} algs[] = {
	{ "RS256", 0 }, { "ES256", "P-256" }, { "ES384", "P-384" },
};

/* A protected header (RFC 8555 6.2), and who signs. */
struct header {
	const char *alg;
	const char *kid;		/* 0: jwk instead */
	const struct jws_key *jwk;
	const char *nonce;		/* 0: none */
	const char *url;
	int (*sign)(void *ctx, const void *p, size_t n, struct buf *sig);
	void *ctx;
};

/* A base64urlUInt has no leading zeros (RFC 7518 2); coordinates keep theirs. */
static struct slice
minimal(struct slice number)
{
	for (; number.n > 1 && *number.p == 0; number.n--)
		number.p++;
	return number;
}

void
jwk_write(struct buf *b, const struct jws_key *k)
{
	const char *crv = algs[k->alg].crv;
	struct slice first = crv ? k->a : minimal(k->b);
	struct slice second = crv ? k->b : minimal(k->a);

	if (crv)
		buf_all(b, "{\"crv\":\"", crv,
		    "\",\"kty\":\"EC\",\"x\":\"", (char *)0);
	else
		buf_str(b, "{\"e\":\"");
	base64url_encode(b, first.p, first.n);
	buf_str(b, crv ? "\",\"y\":\"" : "\",\"kty\":\"RSA\",\"n\":\"");
	base64url_encode(b, second.p, second.n);
	buf_str(b, "\"}");
}

static void
sha256(struct slice text, unsigned char hash[br_sha256_SIZE])
{
	br_sha256_context sha;

	br_sha256_init(&sha);
	br_sha256_update(&sha, text.p, text.n);
	br_sha256_out(&sha, hash);
}

void
jws_digest(struct buf *b, struct slice text)
{
	unsigned char hash[br_sha256_SIZE];

	sha256(text, hash);
	base64url_encode(b, hash, sizeof(hash));
}

void
jws_account_label(struct buf *b, const char *url)
{
	unsigned char hash[br_sha256_SIZE];
	unsigned bit, pair;

	sha256(slice(url), hash);
	buf_char(b, '_');
	/* base32 (RFC 4648 6): the first 80 bits, so no padding */
	for (bit = 0; bit < 80; bit += 5) {
		pair = (unsigned)hash[bit / 8] << 8 | hash[bit / 8 + 1];
		buf_char(b, "abcdefghijklmnopqrstuvwxyz234567"[pair >> (11 - bit % 8) & 31]);
	}
}

void
jwk_thumbprint(struct buf *b, const struct jws_key *k)
{
	char mem[JWK_MAX];
	struct buf jwk = BUF(mem);

	jwk_write(&jwk, k);
	if (jwk.err)
		b->err = 1;
	jws_digest(b, buf_view(&jwk));
}

void
jws_key_authorization(struct buf *b, const char *token, const struct jws_key *k)
{
	buf_all(b, token, ".", (char *)0);
	jwk_thumbprint(b, k);
}

int
jws_clean(const char *s)
{
	const char *p;

	for (p = s; *p; p++)
		if (*p < 0x20 || *p > 0x7e || *p == '"' || *p == '\\')
			return 0;
	return p > s;
}

/*
 * Moves what b holds from there on to the end of its memory and takes that
 * part away from b, until the caller restores b->cap.
 */
static struct slice
set_aside(struct buf *b, size_t from)
{
	struct slice s = { 0, 0 };

	if (b->err)
		return s;
	s.n = b->len - from;
	b->len = from;
	b->cap -= s.n;
	memmove(b->p + b->cap, b->p + from, s.n);
	s.p = b->p + b->cap;
	return s;
}

static void
write_protected(struct buf *b, const struct header *h)
{
	buf_all(b, "{\"alg\":\"", h->alg, "\",", (char *)0);
	if (h->kid) {
		buf_all(b, "\"kid\":\"", h->kid, "\",", (char *)0);
	} else {
		buf_str(b, "\"jwk\":");
		jwk_write(b, h->jwk);
		buf_char(b, ',');
	}
	if (h->nonce)
		buf_all(b, "\"nonce\":\"", h->nonce, "\",", (char *)0);
	buf_all(b, "\"url\":\"", h->url, "\"}", (char *)0);
}

/* The signing input, protected '.' payload, both encoded (RFC 7515 5.1): where the '.' is. */
static size_t
write_input(struct buf *b, const struct header *h, struct slice payload)
{
	size_t start = b->len, cap = b->cap, dot;
	struct slice json;

	write_protected(b, h);
	json = set_aside(b, start);
	base64url_encode(b, json.p, json.n);
	b->cap = cap;
	dot = b->len;
	buf_char(b, '.');
	base64url_encode(b, payload.p, payload.n);
	return dot;
}

/* Puts text in place of the one byte at that position. */
static void
replace(struct buf *b, size_t at, const char *text)
{
	size_t n = strlen(text), rest = b->len - at - 1;

	buf_str(b, text + 1);	/* makes the room, or fails */
	if (b->err)
		return;
	memmove(b->p + at + n, b->p + at + 1, rest);
	memcpy(b->p + at, text, n);
}

static int
flattened(struct buf *b, const struct header *h, struct slice payload)
{
	char mem[SIGNATURE_MAX];
	struct buf signature = BUF(mem);
	size_t start = b->len, input, dot;

	if ((h->kid && !jws_clean(h->kid)) || !jws_clean(h->url) ||
	    (h->nonce && !jws_clean(h->nonce)))
		return -1;
	buf_str(b, "{\"protected\":\"");
	input = b->len;
	dot = write_input(b, h, payload);
	if (b->err || h->sign(h->ctx, b->p + input, b->len - input,
	    &signature) < 0 || signature.err) {
		b->len = start;
		return -1;
	}
	replace(b, dot, "\",\"payload\":\"");
	buf_str(b, "\",\"signature\":\"");
	base64url_encode(b, signature.p, signature.len);
	buf_str(b, "\"}");
	if (b->err) {
		b->len = start;
		return -1;
	}
	return 0;
}

int
jws_write(struct buf *b, const struct jws_key *k, const char *kid,
    const char *nonce, const char *url, struct slice payload)
{
	struct header h = { algs[k->alg].alg, kid, k, nonce, url, k->sign, k->ctx };

	return flattened(b, &h, payload);
}

/* HS256 as a signing callback; ctx: struct slice, the key. */
static int
sign_hmac(void *ctx, const void *p, size_t n, struct buf *sig)
{
	const struct slice *secret = ctx;
	unsigned char mac[br_sha256_SIZE];
	br_hmac_key_context key;
	br_hmac_context hmac;

	br_hmac_key_init(&key, &br_sha256_vtable, secret->p, secret->n);
	br_hmac_init(&hmac, &key, 0);
	br_hmac_update(&hmac, p, n);
	br_hmac_out(&hmac, mac);
	buf_mem(sig, mac, sizeof(mac));
	wipe(&key, sizeof(key));
	wipe(&hmac, sizeof(hmac));
	return 0;
}

/* The JWS over a payload that b holds from there on, in its place. */
static int
flattened_over(struct buf *b, size_t start, const struct header *h)
{
	size_t cap = b->cap;
	struct slice payload = set_aside(b, start);
	int r = flattened(b, h, payload);

	b->cap = cap;
	b->len = r < 0 ? start : b->len;
	return r;
}

int
jws_eab(struct buf *b, const struct jws_key *account, const char *kid,
    struct slice hmac_key, const char *url)
{
	struct header h = { "HS256", kid, account, 0, url, sign_hmac, &hmac_key };
	size_t start = b->len;

	if (!kid || hmac_key.n == 0)
		return -1;
	jwk_write(b, account);
	return flattened_over(b, start, &h);
}

int
jws_key_change(struct buf *b, const struct jws_key *old, const struct jws_key *new,
    const char *account, const char *url)
{
	struct header h = { algs[new->alg].alg, 0, new, 0, url, new->sign, new->ctx };
	size_t start = b->len;

	if (!jws_clean(account))
		return -1;
	buf_all(b, "{\"account\":\"", account, "\",\"oldKey\":", (char *)0);
	jwk_write(b, old);
	buf_char(b, '}');
	return flattened_over(b, start, &h);
}
