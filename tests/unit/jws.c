/*
 * jws: JWK, thumbprint, key authorization, signatures, external account
 * binding and key change, with the vectors of RFC 7515, 7517, 7638 and 8555;
 * every JWS is taken apart and its signature verified.
 */
#include <stdlib.h>

#include "../tap.h"
#include "../../jws.c"
#include "../../json.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* RFC 7638 3.1; RFC 7515 A.2.1 with p, q, dp, dq, qi */
#define N_7638 \
	"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86z" \
	"wu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5Js" \
	"GY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMic" \
	"AtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-" \
	"bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csF" \
	"Cur-kEgU8awapJzKnqDKgw"
#define N_A2 \
	"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp" \
	"-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOW" \
	"vG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUs" \
	"LA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9k" \
	"G4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2" \
	"PAcDTW9gb54h4FRWyuXpoQ"
#define P_A2 \
	"4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBds" \
	"s1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ" \
	"5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc"
#define Q_A2 \
	"uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHA" \
	"jLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLt" \
	"XlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc"
#define DP_A2 \
	"BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE" \
	"2e9YkxvuxdBfpT_PI7Yz-FOKnu1R6HsJeDCjn12Sk3vmAktV2zb34MCdy7cpdTh_" \
	"YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0"
#define DQ_A2 \
	"h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDo" \
	"RwbKgB719rrmI2oKr6N3Do9U0ajaHF-NKJnwgjMd2w9cjz3_-kyNlxAr2v4IKhGN" \
	"pmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU"
#define QI_A2 \
	"IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0Em" \
	"pScGLq2MowX7fhd_QJQ3ydy5cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1c" \
	"q9SbsxYawBgfp_gh6A5603k2-ZQwVK0JKSHuLFkuQ3U"
#define SIGNATURE_A2 \
	"cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7" \
	"AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4" \
	"BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K" \
	"0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqv" \
	"hJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrB" \
	"p0igcN_IoypGlUPQGe77Rw"

/* RFC 7515 A.3.1, RFC 7517 A.1, and a P-384 key of our own */
#define X_A3 "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define Y_A3 "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define D_A3 "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"
#define X_7517 "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4"
#define Y_7517 "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"
#define X_384 "NiZ7ofVpdhdVAdSaaVIbasNvaGbyPwtPsduv6dV778d6PWTIZCQQ5lAiHTICUMqe"
#define Y_384 "s-IqJjoZdZPcZduy6ijTeWkuz02ovKrx00_NVaT-upAraLE2C2GR4h2YZofPT3Vj"
#define D_384 "YIl3ZPQrVEQBOqWEjQ3bwzV99NPbnfBxPKF9-LIPkPfVfspI3KuBgAsmxFTuz_KC"

#define INPUT_A1 "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." PAYLOAD_A1
#define INPUT_A2 "eyJhbGciOiJSUzI1NiJ9." PAYLOAD_A1
#define PAYLOAD_A1 "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9l" \
	"eGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
#define HMAC_KEY_A1 "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aK" \
	"tMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"

#define JWK_A2 "{\"e\":\"AQAB\",\"kty\":\"RSA\",\"n\":\"" N_A2 "\"}"
#define JWK_A3 "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"" X_A3 "\",\"y\":\"" Y_A3 "\"}"
#define JWK_384 "{\"crv\":\"P-384\",\"kty\":\"EC\",\"x\":\"" X_384 "\",\"y\":\"" Y_384 "\"}"

#define URL "https://ca.test/acme/new-order"
#define KID "https://ca.test/acme/acct/1"
#define NONCE "IXVHDyxIRGcTE0VSblhPzw"

/* A number of a key, decoded; there are few, and they stay. */
static struct slice
number(const char *text)
{
	static char memory[65536];
	static size_t used;
	struct buf b;

	buf_init(&b, memory + used, sizeof(memory) - used);
	if (base64url_decode(&b, slice(text)) < 0)
		exit(1);
	used += b.len;
	return buf_view(&b);
}

/* The private half of a test key. */
struct secret {
	enum jws_alg alg;
	const char *d;			/* 0: the RSA key of RFC 7515 A.2 */
	unsigned calls;
};

static int
sign_rsa(const unsigned char *hash, struct buf *sig)
{
	br_rsa_private_key k;
	struct slice p = number(P_A2), q = number(Q_A2), dp = number(DP_A2),
	    dq = number(DQ_A2), iq = number(QI_A2);
	static unsigned char out[256];

	k.n_bitlen = 2048;
	k.p = (unsigned char *)p.p;
	k.plen = p.n;
	k.q = (unsigned char *)q.p;
	k.qlen = q.n;
	k.dp = (unsigned char *)dp.p;
	k.dplen = dp.n;
	k.dq = (unsigned char *)dq.p;
	k.dqlen = dq.n;
	k.iq = (unsigned char *)iq.p;
	k.iqlen = iq.n;
	if (!br_rsa_i31_pkcs1_sign(BR_HASH_OID_SHA256, hash, 32, &k, out))
		return -1;
	buf_mem(sig, out, sizeof(out));
	return 0;
}

static void
hash_of(enum jws_alg alg, const void *p, size_t n, unsigned char out[48])
{
	br_sha256_context sha256;
	br_sha384_context sha384;

	if (alg == JWS_ES384) {
		br_sha384_init(&sha384);
		br_sha384_update(&sha384, p, n);
		br_sha384_out(&sha384, out);
	} else {
		br_sha256_init(&sha256);
		br_sha256_update(&sha256, p, n);
		br_sha256_out(&sha256, out);
	}
}

static int
sign(void *ctx, const void *p, size_t n, struct buf *sig)
{
	struct secret *secret = ctx;
	unsigned char hash[48], out[96];
	br_ec_private_key k;
	struct slice d;
	size_t len;

	secret->calls++;
	hash_of(secret->alg, p, n, hash);
	if (!secret->d)
		return sign_rsa(hash, sig);
	d = number(secret->d);
	k.curve = secret->alg == JWS_ES384 ? BR_EC_secp384r1 : BR_EC_secp256r1;
	k.x = (unsigned char *)d.p;
	k.xlen = d.n;
	len = br_ecdsa_i31_sign_raw(&br_ec_prime_i31, secret->alg == JWS_ES384 ?
	    &br_sha384_vtable : &br_sha256_vtable, hash, &k, out);
	buf_mem(sig, out, len);
	return len ? 0 : -1;
}

static int
verify(const struct jws_key *k, struct slice input, struct slice sig)
{
	unsigned char hash[48], decoded[32], point[97];
	br_rsa_public_key rsa;
	br_ec_public_key ec;

	hash_of(k->alg, input.p, input.n, hash);
	if (k->alg == JWS_RS256) {
		rsa.n = (unsigned char *)k->a.p;
		rsa.nlen = k->a.n;
		rsa.e = (unsigned char *)k->b.p;
		rsa.elen = k->b.n;
		return br_rsa_i31_pkcs1_vrfy((const unsigned char *)sig.p, sig.n,
		    BR_HASH_OID_SHA256, 32, &rsa, decoded) &&
		    memcmp(decoded, hash, 32) == 0;
	}
	point[0] = 4;
	memcpy(point + 1, k->a.p, k->a.n);
	memcpy(point + 1 + k->a.n, k->b.p, k->b.n);
	ec.curve = k->alg == JWS_ES384 ? BR_EC_secp384r1 : BR_EC_secp256r1;
	ec.q = point;
	ec.qlen = 1 + 2 * k->a.n;
	return (int)br_ecdsa_i31_vrfy_raw(&br_ec_prime_i31, hash,
	    k->alg == JWS_ES384 ? 48 : 32, &ec, sig.p, sig.n);
}

static struct secret secret_a2 = { JWS_RS256, 0, 0 };
static struct secret secret_a3 = { JWS_ES256, D_A3, 0 };
static struct secret secret_384 = { JWS_ES384, D_384, 0 };
static struct jws_key key_a2, key_a3, key_384;

static struct jws_key
key(enum jws_alg alg, const char *a, const char *b, struct secret *secret)
{
	struct jws_key k;

	k.alg = alg;
	k.a = number(a);
	k.b = number(b);
	k.sign = sign;
	k.ctx = secret;
	return k;
}

static void
test_jwk(void)
{
	static const struct {
		const char *name;
		enum jws_alg alg;
		const char *a, *b, *jwk, *thumbprint;
	} rows[] = {
		{ "RFC 7638 3.1", JWS_RS256, N_7638, "AQAB",
		    "{\"e\":\"AQAB\",\"kty\":\"RSA\",\"n\":\"" N_7638 "\"}",
		    "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs" },
		{ "RFC 7515 A.2", JWS_RS256, N_A2, "AQAB", JWK_A2,
		    "IsUn6_e04MaShXFIISMp4kG62LWzMIPy_MvSA5pJgX8" },
		{ "RFC 7515 A.3", JWS_ES256, X_A3, Y_A3, JWK_A3,
		    "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U" },
		{ "RFC 7517 A.1", JWS_ES256, X_7517, Y_7517,
		    "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"" X_7517
		    "\",\"y\":\"" Y_7517 "\"}",
		    "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s" },
		{ "P-384", JWS_ES384, X_384, Y_384, JWK_384,
		    "Nko1y8oZdcwNyJJM4Z6p58IMwK-n-DyMQZkTl0IJDbM" },
		{ "a coordinate keeps its leading zero (RFC 7518 6.2.1.2)", JWS_ES256,
		    "AFVDiUrz0A7X10Cr29dclrBod7eH219w7qeLkKjXwAo",
		    "u0yFo9jqKe-q-iRAaRLdhNWxTcMr9lbvbGvVil2UP5I",
		    "{\"crv\":\"P-256\",\"kty\":\"EC\","
		    "\"x\":\"AFVDiUrz0A7X10Cr29dclrBod7eH219w7qeLkKjXwAo\","
		    "\"y\":\"u0yFo9jqKe-q-iRAaRLdhNWxTcMr9lbvbGvVil2UP5I\"}",
		    "7Yxe6c_3bAa6kiaK1G-BZmi9EeNsUmlcbdnrtLeuK4E" },
		{ "an RSA number does not (RFC 7518 6.3.1.1)", JWS_RS256,
		    "AACh-BYK", "AAEAAQ", "{\"e\":\"AQAB\",\"kty\":\"RSA\",\"n\":\"ofgWCg\"}",
		    "6B80CIDR6KMTSPaHQiEJQc1Uc4JUvgTfnwZtc1_eWuc" },
	};
	char mem[1024];
	struct buf b = BUF(mem);
	struct jws_key k;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		printf("# %s\n", rows[i].name);
		k = key(rows[i].alg, rows[i].a, rows[i].b, 0);
		buf_clear(&b);
		jwk_write(&b, &k);
		is_str(buf_text(&b), rows[i].jwk, "members in lexicographic order, no space");
		buf_clear(&b);
		jwk_thumbprint(&b, &k);
		is_str(buf_text(&b), rows[i].thumbprint, "thumbprint");
	}
}

static void
test_largest_jwk(void)
{
	static char n[1024], e[8];
	struct jws_key k = { JWS_RS256, { n, 512 }, { e, sizeof(e) }, 0, 0 };
	char mem[43], small[42];
	struct buf b = BUF(mem), too_small = BUF(small);

	memset(n, 0xff, sizeof(n));
	memset(e, 0xff, sizeof(e));
	jwk_thumbprint(&b, &k);
	ok(!b.err && b.len == 43, "the thumbprint of an RSA 4096 key needs 43 bytes of room");
	jwk_thumbprint(&too_small, &k);
	ok(too_small.err, "not 42");
	buf_clear(&b);
	k.a.n = sizeof(n);
	jwk_thumbprint(&b, &k);
	ok(b.err, "of a key beyond all limits there is none");
}

static void
test_key_authorization(void)
{
	static const char authorization[] = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA."
	    "9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI";
	struct jws_key k = key(JWS_RS256, N_7638, "AQAB", 0);
	struct slice none = { 0, 0 };
	char mem[LIMIT_TOKEN + 1 + 43 + 1];
	struct buf b = BUF(mem);

	jws_key_authorization(&b, "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA", &k);
	is_str(buf_text(&b), "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA."
	    "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", "token, dot, thumbprint");
	buf_clear(&b);
	jws_digest(&b, slice(authorization));
	is_str(buf_text(&b), "lCM7cZyQXcVHK2nnW3jjAhNT3Fvm18UN-kWZZknKoYM",
	    "the dns-01 value of a key authorization");
	buf_clear(&b);
	jws_digest(&b, slice("abc"));
	is_str(buf_text(&b), "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0",
	    "SHA-256 of abc (FIPS 180)");
	buf_clear(&b);
	jws_digest(&b, none);
	is_str(buf_text(&b), "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU",
	    "SHA-256 of nothing");
	buf_clear(&b);
	jws_account_label(&b, "https://example.com/acme/acct/ExampleAccount");
	is_str(buf_text(&b), "_ujmmovf2vn55tgye", "the account's label of the dns-account-01 draft");
}

static void
test_signatures(void)
{
	struct slice secret = number(HMAC_KEY_A1);
	char raw[512], text[400];
	struct buf sig = BUF(raw), b = BUF(text);

	sign_hmac(&secret, INPUT_A1, strlen(INPUT_A1), &sig);
	base64url_encode(&b, sig.p, sig.len);
	is_str(buf_text(&b), "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
	    "HS256 (RFC 7515 A.1)");
	buf_clear(&sig);
	buf_clear(&b);
	sign(&secret_a2, INPUT_A2, strlen(INPUT_A2), &sig);
	base64url_encode(&b, sig.p, sig.len);
	is_str(buf_text(&b), SIGNATURE_A2,
	    "RS256: what the test's callback gives is a JWS signature (RFC 7515 A.2)");
}

/* A JWS taken apart: exactly the three members, decoded; verified if k. */
struct parts {
	char header[4096], payload[LIMIT_REQUEST], signature[513];
	size_t header_len, payload_len, signature_len;
};

static int
member(struct json o, const char *name, char *out, size_t size, size_t *len)
{
	struct json v = json_get(o, name);
	struct buf b;

	if (v.type != JSON_STRING)
		return -1;
	v.text.p++;
	v.text.n -= 2;
	buf_init(&b, out, size - 1);
	if (base64url_decode(&b, v.text) < 0)
		return -1;
	out[b.len] = 0;
	*len = b.len;
	return 0;
}

static int
take_apart(struct slice text, const struct jws_key *k, struct parts *out)
{
	static char input[LIMIT_REQUEST];
	struct json_doc doc;
	struct json o = json_parse(&doc, text), p, l;
	struct json_iter it = { 0 };
	struct slice name, sig;
	struct buf b = BUF(input);
	unsigned members = 0;

	while (json_member(o, &it, &name).type != JSON_NONE)
		members++;
	if (members != 3 ||
	    member(o, "protected", out->header, sizeof(out->header), &out->header_len) ||
	    member(o, "payload", out->payload, sizeof(out->payload), &out->payload_len) ||
	    member(o, "signature", out->signature, sizeof(out->signature),
	    &out->signature_len) || doc.err)
		return -1;
	p = json_get(o, "protected");
	l = json_get(o, "payload");
	buf_mem(&b, p.text.p + 1, p.text.n - 2);
	buf_char(&b, '.');
	buf_mem(&b, l.text.p + 1, l.text.n - 2);
	sig.p = out->signature;
	sig.n = out->signature_len;
	return !k || verify(k, buf_view(&b), sig) ? 0 : -1;
}

static struct parts parts;

static void
test_write(void)
{
	static const struct {
		const char *name;
		const struct jws_key *k;
		const char *kid, *nonce, *payload, *header;
		size_t signature;
	} rows[] = {
		{ "newOrder", &key_a3, KID, NONCE, "{\"identifiers\":[]}",
		    "{\"alg\":\"ES256\",\"kid\":\"" KID "\",\"nonce\":\"" NONCE
		    "\",\"url\":\"" URL "\"}", 64 },
		{ "POST-as-GET", &key_a3, KID, NONCE, "",
		    "{\"alg\":\"ES256\",\"kid\":\"" KID "\",\"nonce\":\"" NONCE
		    "\",\"url\":\"" URL "\"}", 64 },
		{ "a challenge's answer", &key_384, KID, NONCE, "{}",
		    "{\"alg\":\"ES384\",\"kid\":\"" KID "\",\"nonce\":\"" NONCE
		    "\",\"url\":\"" URL "\"}", 96 },
		{ "newAccount, ES256", &key_a3, 0, NONCE, "{\"termsOfServiceAgreed\":true}",
		    "{\"alg\":\"ES256\",\"jwk\":" JWK_A3 ",\"nonce\":\"" NONCE
		    "\",\"url\":\"" URL "\"}", 64 },
		{ "newAccount, ES384", &key_384, 0, NONCE, "{\"termsOfServiceAgreed\":true}",
		    "{\"alg\":\"ES384\",\"jwk\":" JWK_384 ",\"nonce\":\"" NONCE
		    "\",\"url\":\"" URL "\"}", 96 },
		{ "newAccount, RS256", &key_a2, 0, NONCE, "{\"termsOfServiceAgreed\":true}",
		    "{\"alg\":\"RS256\",\"jwk\":" JWK_A2 ",\"nonce\":\"" NONCE
		    "\",\"url\":\"" URL "\"}", 256 },
		{ "RS256 with kid", &key_a2, KID, NONCE, "x",
		    "{\"alg\":\"RS256\",\"kid\":\"" KID "\",\"nonce\":\"" NONCE
		    "\",\"url\":\"" URL "\"}", 256 },
		{ "without a nonce", &key_a3, 0, 0, "{}",
		    "{\"alg\":\"ES256\",\"jwk\":" JWK_A3 ",\"url\":\"" URL "\"}", 64 },
	};
	static char mem[4096];
	struct buf b = BUF(mem);
	struct slice text;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		printf("# %s\n", rows[i].name);
		buf_clear(&b);
		buf_str(&b, "before");
		ok(jws_write(&b, rows[i].k, rows[i].kid, rows[i].nonce, URL,
		    slice(rows[i].payload)) == 0 && !b.err &&
		    memcmp(mem, "before", 6) == 0, "appended to what was there");
		text.p = mem + 6;
		text.n = b.len - 6;
		ok(take_apart(text, rows[i].k, &parts) == 0,
		    "protected, payload, signature and no more; the signature verifies");
		is_str(parts.header, rows[i].header, "the protected header");
		is_str(parts.payload, rows[i].payload, "the payload");
		ok(parts.signature_len == rows[i].signature, "the signature's length");
	}
}

/* More payload than finalize with a hundred names has. */
static void
test_large(void)
{
	static char mem[LIMIT_REQUEST], payload[36000];
	struct buf b = BUF(mem);
	struct slice s = { payload, sizeof(payload) };
	size_t i;

	for (i = 0; i < sizeof(payload); i++)
		payload[i] = (char)('0' + i % 75);
	ok(jws_write(&b, &key_a3, KID, NONCE, URL, s) == 0, "a payload of 36,000 bytes fits");
	ok(take_apart(buf_view(&b), &key_a3, &parts) == 0 &&
	    parts.payload_len == sizeof(payload) &&
	    memcmp(parts.payload, payload, sizeof(payload)) == 0, "and is signed and whole");
	buf_init(&b, mem, sizeof(mem) - 2500);
	ok(jws_write(&b, &key_a3, KID, NONCE, URL, s) < 0 && b.err && b.len == 0,
	    "one that does not fit is refused");
}

/* One of the three writers, into that buffer. */
static int
write_order(struct buf *b)
{
	return jws_write(b, &key_a3, KID, NONCE, URL, slice("{\"identifiers\":[]}"));
}

static int
write_account(struct buf *b)
{
	return jws_write(b, &key_a2, 0, NONCE, URL, slice(""));
}

static int
write_eab(struct buf *b)
{
	return jws_eab(b, &key_a3, "kid-1", slice("01234567890123456789012345678901"), URL);
}

static int
write_key_change(struct buf *b)
{
	return jws_key_change(b, &key_a3, &key_384, KID, URL);
}

static int
quick_sign(void *ctx, const void *p, size_t n, struct buf *sig)
{
	size_t i;

	(void)ctx;
	for (i = 0; i < 64; i++)
		buf_char(sig, ((const char *)p)[i % n]);
	return 0;
}

/*
 * In every size of memory, whose end is the end of its allocation: either the
 * same text, or -1 with err and the buffer as it was.
 */
static void
test_room(void)
{
	static const struct {
		const char *name;
		int (*write)(struct buf *b);
	} rows[] = {
		{ "any room: kid", write_order },
		{ "any room: jwk", write_account },
		{ "any room: external account binding", write_eab },
		{ "any room: key change", write_key_change },
	};
	struct jws_key a2 = key_a2, a3 = key_a3, k384 = key_384;
	static char mem[4096];
	struct buf whole, b;
	size_t i, cap, fits;
	char *room;
	int right;

	key_a2.sign = key_a3.sign = key_384.sign = quick_sign;
	for (i = 0; i < COUNT(rows); i++) {
		buf_init(&whole, mem, sizeof(mem));
		buf_str(&whole, "ab");
		right = rows[i].write(&whole) == 0;
		fits = 0;
		for (cap = 2; cap < 2 * whole.len; cap++) {
			room = malloc(cap);
			buf_init(&b, room, cap);
			buf_str(&b, "ab");
			if (rows[i].write(&b) == 0) {
				fits = fits ? fits : cap;
				right &= !b.err && b.cap == cap && b.len == whole.len &&
				    memcmp(room, mem, whole.len) == 0;
			} else {
				right &= b.err && b.cap == cap && b.len == 2 &&
				    !fits && memcmp(room, "ab", 2) == 0;
			}
			free(room);
		}
		ok(right && fits, rows[i].name);
		printf("# %lu bytes need %lu\n", (unsigned long)whole.len, (unsigned long)fits);
	}
	key_a2 = a2;
	key_a3 = a3;
	key_384 = k384;
}

static int
fail_sign(void *ctx, const void *p, size_t n, struct buf *sig)
{
	(void)ctx;
	(void)p;
	(void)n;
	buf_str(sig, "half");
	return -1;
}

static int
endless_sign(void *ctx, const void *p, size_t n, struct buf *sig)
{
	(void)ctx;
	(void)p;
	(void)n;
	while (!sig->err)
		buf_char(sig, 'x');
	return 0;
}

static void
test_sign_failure(void)
{
	static char mem[4096];
	struct buf b = BUF(mem);
	struct jws_key k = key_a3;

	buf_str(&b, "ab");
	k.sign = fail_sign;
	ok(jws_write(&b, &k, KID, NONCE, URL, slice("{}")) < 0 && b.len == 2 && !b.err,
	    "signing fails: -1, the buffer as it was");
	ok(jws_key_change(&b, &key_a3, &k, KID, URL) < 0 && b.len == 2 && !b.err &&
	    b.cap == sizeof(mem), "the same for a key change");
	k.sign = endless_sign;
	ok(jws_write(&b, &k, KID, NONCE, URL, slice("{}")) < 0 && b.len == 2,
	    "a signature longer than 512 bytes: -1");
	b.err = 1;
	ok(write_order(&b) < 0 && write_eab(&b) < 0 && write_key_change(&b) < 0 && b.len == 2,
	    "a buffer that has overflowed before: -1");
}

static void
test_clean(void)
{
	static const struct {
		const char *text;
		int clean;
	} rows[] = {
		{ "https://ca.test/a?b=c&d=%20#~!$'()*+,;@[]^`{|}", 1 }, { "a b", 1 },
		{ "x", 1 }, { "", 0 }, { "a\"b", 0 }, { "\"", 0 }, { "a\\b", 0 },
		{ "a\nb", 0 }, { "a\r", 0 }, { "\t", 0 }, { "\x1f", 0 }, { "\x7f", 0 },
		{ "\x80", 0 }, { "caf\xc3\xa9", 0 }, { "\xff", 0 },
		{ "x\",\"jwk\":\"", 0 },
	};
	static char mem[4096];
	struct buf b = BUF(mem);
	struct slice hmac = slice("01234567890123456789012345678901"), empty = slice("");
	size_t i;
	const char *t;
	int refused, want;

	for (i = 0; i < COUNT(rows); i++) {
		t = rows[i].text;
		want = rows[i].clean ? 0 : -1;
		ok(jws_clean(t) == rows[i].clean, "jws_clean: printable ASCII, no quote, no backslash");
		secret_a3.calls = 0;
		refused = 0;
		refused += jws_write(&b, &key_a3, t, NONCE, URL, empty) == want;
		refused += jws_write(&b, &key_a3, KID, t, URL, empty) == want;
		refused += jws_write(&b, &key_a3, KID, NONCE, t, empty) == want;
		refused += jws_write(&b, &key_a3, 0, 0, t, empty) == want;
		refused += jws_eab(&b, &key_a3, t, hmac, URL) == want;
		refused += jws_eab(&b, &key_a3, "kid", hmac, t) == want;
		refused += jws_key_change(&b, &key_a3, &key_a3, t, URL) == want;
		refused += jws_key_change(&b, &key_a3, &key_a3, KID, t) == want;
		ok(refused == 8 && (want == 0 || (b.len == 0 && secret_a3.calls == 0)),
		    want ? "refused unsigned as kid, nonce, url, account" : "accepted as each");
		ok(b.cap == sizeof(mem) && !b.err, "the buffer is whole");
		buf_clear(&b);
	}
	ok(jws_eab(&b, &key_a3, "kid", empty, URL) < 0 && b.len == 0,
	    "an empty HMAC key is refused");
	ok(jws_eab(&b, &key_a3, 0, hmac, URL) < 0 && b.len == 0, "so is no key identifier");
}

static void
test_eab(void)
{
	static char mem[4096];
	struct buf b = BUF(mem);
	struct jws_key k = key_a3;

	k.sign = 0;
	ok(jws_eab(&b, &k, "kid-1", number(HMAC_KEY_A1), "https://ca.test/new-account") == 0,
	    "external account binding needs no signature by the account's key");
	is_str(buf_text(&b), "{\"protected\":\"eyJhbGciOiJIUzI1NiIsImtpZCI6ImtpZC0xIiwidXJsIjoi"
	    "aHR0cHM6Ly9jYS50ZXN0L25ldy1hY2NvdW50In0\",\"payload\":\"eyJjcnYiOiJQLTI1NiIsImt0"
	    "eSI6IkVDIiwieCI6ImY4M09KM0QyeEYxQmc4dnViOXRMZTFnSE16Vjc2ZThUdXM5dVBIdlJWRVUiLCJ5"
	    "IjoieF9GRXpSdTltMzZITE5fdHVlNjU5TE5wWFc2cEN5U3Rpa1lqS0lXSTVhMCJ9\","
	    "\"signature\":\"UEF6i00RkmDOsfkQ_9pJmwbcyKc0cuP4B7uqYv2g3-E\"}",
	    "HS256 over the JWK, with kid and url, no nonce (RFC 8555 7.3.4)");
	ok(take_apart(buf_view(&b), 0, &parts) == 0 && strcmp(parts.payload, JWK_A3) == 0,
	    "the payload is the JWK");
}

static void
test_key_change(void)
{
	static char mem[4096];
	struct buf b = BUF(mem);

	ok(jws_key_change(&b, &key_a2, &key_384, KID, "https://ca.test/key-change") == 0 &&
	    take_apart(buf_view(&b), &key_384, &parts) == 0,
	    "a key change is signed by the new key (RFC 8555 7.3.5)");
	is_str(parts.header, "{\"alg\":\"ES384\",\"jwk\":" JWK_384
	    ",\"url\":\"https://ca.test/key-change\"}", "jwk and url, no nonce, no kid");
	is_str(parts.payload, "{\"account\":\"" KID "\",\"oldKey\":" JWK_A2 "}",
	    "account and old key");
}

int
main(void)
{
	key_a2 = key(JWS_RS256, N_A2, "AQAB", &secret_a2);
	key_a3 = key(JWS_ES256, X_A3, Y_A3, &secret_a3);
	key_384 = key(JWS_ES384, X_384, Y_384, &secret_384);
	test_jwk();
	test_largest_jwk();
	test_key_authorization();
	test_signatures();
	test_write();
	test_large();
	test_room();
	test_sign_failure();
	test_clean();
	test_eab();
	test_key_change();
	return tap_done();
}
