/*
 * keyinfo.c - the structures that keys stand in: SubjectPublicKeyInfo (RFC
 * 5280 4.1.2.7, 5480), PrivateKeyInfo (RFC 5208), RSAPrivateKey (RFC 8017
 * A.1.2), ECPrivateKey (RFC 5915).  Whether numbers belong together is for
 * key.c to say.
 */
#include "der.h"
#include "keyinfo.h"

/* OIDs as their content, the first byte its length. */
static const char oid_rsa[] = "\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
static const char oid_ec[] = "\x07\x2a\x86\x48\xce\x3d\x02\x01";
static const char oid_p256[] = "\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
static const char oid_p384[] = "\x05\x2b\x81\x04\x00\x22";

/* What belongs to a type of key: its curve, the bytes of a coordinate. */
static const struct kind {
	const char *curve;
	size_t size;
} kinds[] = {
	[PK_RSA] = { 0, 0 },
	[PK_P256] = { oid_p256, 32 },
	[PK_P384] = { oid_p384, 48 },
};

enum { RSA_NUMBERS = 8 };

static void
write_key_algorithm(struct buf *b, enum pk_type type)
{
	size_t m = der_open(b, DER_SEQUENCE);

	if (kinds[type].curve) {
		der_oid(b, oid_ec);
		der_oid(b, kinds[type].curve);
	} else {
		der_oid(b, oid_rsa);
		der_bytes(b, DER_NULL, 0, 0);
	}
	der_close(b, m);
}

static enum pk_type
curve_type(struct slice oid)
{
	return der_oid_is(oid, oid_p256) ? PK_P256 :
	    der_oid_is(oid, oid_p384) ? PK_P384 : PK_NONE;
}

/* An AlgorithmIdentifier of a key; PK_NONE without error: some other key. */
static enum pk_type
read_key_algorithm(struct der *d)
{
	struct der a = der_enter(d, DER_SEQUENCE);
	struct slice oid = der_take(&a, DER_OID);
	enum pk_type type = PK_NONE;

	if (der_oid_is(oid, oid_rsa)) {
		type = PK_RSA;
		if (der_take(&a, DER_NULL).n)
			a.err = 1;
	} else if (der_oid_is(oid, oid_ec) && der_peek(&a) == DER_OID) {
		type = curve_type(der_take(&a, DER_OID));
	} else if (der_peek(&a) >= 0) {
		der_element(&a, -1);
	}
	if (!der_end(&a))
		d->err = 1;
	return d->err ? PK_NONE : type;
}

static int
is_point(struct slice s, enum pk_type type)
{
	return s.n == 1 + 2 * kinds[type].size && s.p[0] == 4;
}

void
spki_write(struct buf *b, const struct pk *pk)
{
	size_t spki, bits, rsa;

	spki = der_open(b, DER_SEQUENCE);
	write_key_algorithm(b, pk->type);
	bits = der_open(b, DER_BIT_STRING);
	buf_char(b, 0);
	if (pk->type == PK_RSA) {
		rsa = der_open(b, DER_SEQUENCE);
		der_number(b, pk->a);
		der_number(b, pk->b);
		der_close(b, rsa);
	} else {
		buf_char(b, 4);
		buf_slice(b, pk->a);
		buf_slice(b, pk->b);
	}
	der_close(b, bits);
	der_close(b, spki);
}

static int
read_rsa_public(struct slice bits, struct pk *pk)
{
	struct der d = der_of(bits), rsa = der_enter(&d, DER_SEQUENCE);

	pk->a = der_take_uint(&rsa);
	pk->b = der_take_uint(&rsa);
	return der_end(&rsa) && der_end(&d) ? 0 : -1;
}

static int
read_ec_public(struct slice bits, struct pk *pk)
{
	size_t size = kinds[pk->type].size;

	if (!is_point(bits, pk->type))
		return -1;
	pk->a.p = bits.p + 1;
	pk->b.p = bits.p + 1 + size;
	pk->a.n = pk->b.n = size;
	return 0;
}

int
spki_read(struct slice der, struct pk *pk)
{
	struct der d = der_of(der), spki = der_enter(&d, DER_SEQUENCE);
	struct slice bits;

	pk->a = pk->b = slice("");
	pk->type = read_key_algorithm(&spki);
	bits = der_take_bits(&spki);
	if (!der_end(&spki) || !der_end(&d))
		return -1;
	if (pk->type == PK_NONE)
		return -2;
	return pk->type == PK_RSA ? read_rsa_public(bits, pk) : read_ec_public(bits, pk);
}

/* RSAPrivateKey (RFC 8017 A.1.2). */
static int
read_pkcs1(struct der *d, struct sk *sk)
{
	struct der k = der_enter(d, DER_SEQUENCE);
	struct slice *number[RSA_NUMBERS] = { &sk->n, &sk->e, &sk->d, &sk->p, &sk->q,
	    &sk->dp, &sk->dq, &sk->iq };
	int version = der_take_small(&k);
	size_t i;

	for (i = 0; i < RSA_NUMBERS; i++)
		*number[i] = der_take_uint(&k);
	if (version == 1 && !k.err)
		return -2;	/* more than two primes */
	sk->type = PK_RSA;
	return version == 0 && der_end(&k) ? 0 : -1;
}

/* ECPrivateKey (RFC 5915 3); the curve by PKCS#8, PK_NONE: by itself. */
static int
read_sec1(struct der *d, enum pk_type curve, struct sk *sk)
{
	struct der k = der_enter(d, DER_SEQUENCE), part;

	if (der_take_small(&k) != 1)
		return -1;
	sk->x = der_take(&k, DER_OCTET_STRING);
	if (der_peek(&k) == DER_EXPLICIT_0) {
		part = der_enter(&k, DER_EXPLICIT_0);
		if (der_peek(&part) == DER_SEQUENCE)
			return -2;	/* a curve by its parameters */
		sk->type = curve_type(der_take(&part, DER_OID));
		if (!der_end(&part) || (curve && sk->type != curve))
			return -1;
		if (sk->type == PK_NONE)
			return -2;
	} else {
		sk->type = curve;
	}
	if (der_peek(&k) == DER_EXPLICIT_1) {
		part = der_enter(&k, DER_EXPLICIT_1);
		sk->point = der_take_bits(&part);
		if (!der_end(&part) || !is_point(sk->point, sk->type))
			return -1;
	}
	return der_end(&k) && sk->type && sk->x.n == kinds[sk->type].size ? 0 : -1;
}

/* PrivateKeyInfo (RFC 5208 5); attributes are skipped. */
static int
read_pkcs8(struct der *d, struct sk *sk)
{
	struct der info = der_enter(d, DER_SEQUENCE), key;
	int version = der_take_small(&info), result;
	enum pk_type type = read_key_algorithm(&info);

	key = der_enter(&info, DER_OCTET_STRING);
	if (der_peek(&info) == DER_EXPLICIT_0)
		der_element(&info, DER_EXPLICIT_0);
	if (version != 0 || !der_end(&info))
		return -1;
	if (type == PK_NONE)
		return -2;
	result = type == PK_RSA ? read_pkcs1(&key, sk) : read_sec1(&key, type, sk);
	return result == 0 && !der_end(&key) ? -1 : result;
}

int
sk_read(struct slice label, struct slice der, struct sk *sk)
{
	struct der d = der_of(der);
	int result = -3;

	sk->type = PK_NONE;
	sk->n = sk->e = sk->d = sk->p = sk->q = slice("");
	sk->dp = sk->dq = sk->iq = sk->x = sk->point = slice("");
	if (slice_is(label, "PRIVATE KEY"))
		result = read_pkcs8(&d, sk);
	else if (slice_is(label, "RSA PRIVATE KEY"))
		result = read_pkcs1(&d, sk);
	else if (slice_is(label, "EC PRIVATE KEY"))
		result = read_sec1(&d, PK_NONE, sk);
	return result == 0 && !der_end(&d) ? -1 : result;
}

static void
write_pkcs1(struct buf *b, const struct sk *sk)
{
	const struct slice *number[RSA_NUMBERS] = { &sk->n, &sk->e, &sk->d, &sk->p, &sk->q,
	    &sk->dp, &sk->dq, &sk->iq };
	size_t m = der_open(b, DER_SEQUENCE), i;

	der_small(b, 0);
	for (i = 0; i < RSA_NUMBERS; i++)
		der_number(b, *number[i]);
	der_close(b, m);
}

static void
write_sec1(struct buf *b, const struct sk *sk)
{
	size_t m = der_open(b, DER_SEQUENCE), point, bits;

	der_small(b, 1);
	der_slice(b, DER_OCTET_STRING, sk->x);
	if (sk->point.n) {
		point = der_open(b, DER_EXPLICIT_1);
		bits = der_open(b, DER_BIT_STRING);
		buf_char(b, 0);
		buf_slice(b, sk->point);
		der_close(b, bits);
		der_close(b, point);
	}
	der_close(b, m);
}

void
sk_write(struct buf *b, const struct sk *sk)
{
	size_t info = der_open(b, DER_SEQUENCE), key;

	der_small(b, 0);
	write_key_algorithm(b, sk->type);
	key = der_open(b, DER_OCTET_STRING);
	if (sk->type == PK_RSA)
		write_pkcs1(b, sk);
	else
		write_sec1(b, sk);
	der_close(b, key);
	der_close(b, info);
}
