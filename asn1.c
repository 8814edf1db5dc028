/*
 * asn1.c - what is signed: requests (RFC 2986), certificates (RFC 5280) and
 * the tls-alpn-01 certificate (RFC 8737 3).  A structure counts as read only
 * if der_end() holds at each of its levels; slice("") is kept between calls.
 */
#include <string.h>

#include "asn1.h"
#include "der.h"
#include "keyinfo.h"

/* OIDs as their content, the first byte its length. */
static const char oid_cn[] = "\x03\x55\x04\x03";
static const char oid_san[] = "\x03\x55\x1d\x11";
static const char oid_ski[] = "\x03\x55\x1d\x0e";
static const char oid_aki[] = "\x03\x55\x1d\x23";
static const char oid_basic_constraints[] = "\x03\x55\x1d\x13";
static const char oid_extension_request[] = "\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e";
static const char oid_acme_identifier[] = "\x08\x2b\x06\x01\x05\x05\x07\x01\x1f";

static const char *const signature_oid[] = {
	[PK_RSA] = "\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b",
	[PK_P256] = "\x08\x2a\x86\x48\xce\x3d\x04\x03\x02",
	[PK_P384] = "\x08\x2a\x86\x48\xce\x3d\x04\x03\x03",
};

enum {	/* tags within their structures */
	IMPLICIT_0 = DER_CONTEXT, IMPLICIT_1, IMPLICIT_2,
	SAN_DNS = DER_CONTEXT | 2, SAN_IP = DER_CONTEXT | 7
};

/* What requests and certificates share. */

static void
write_signature_algorithm(struct buf *b, enum pk_type type)
{
	size_t m = der_open(b, DER_SEQUENCE);

	der_oid(b, signature_oid[type]);
	if (type == PK_RSA)
		der_bytes(b, DER_NULL, 0, 0);	/* RFC 4055 5: present */
	der_close(b, m);
}

/* Behind what was written from start on: how it is signed, and the signature. */
static int
write_signature(struct buf *b, size_t start, enum pk_type type, asn1_sign *sign, void *ctx)
{
	size_t n = b->len - start, m;

	write_signature_algorithm(b, type);
	m = der_open(b, DER_BIT_STRING);
	buf_char(b, 0);
	if (!b->err && sign(ctx, b->p + start, n, b))
		b->err = 1;
	der_close(b, m);
	return b->err ? -1 : 0;
}

static void
write_general_name(struct buf *b, const struct san *san)
{
	size_t i;

	if (san->ip ? san->s.n != 4 && san->s.n != 16 : san->s.n == 0)
		b->err = 1;
	for (i = 0; !san->ip && i < san->s.n; i++)
		if (san->s.p[i] & 0x80)		/* no IA5String */
			b->err = 1;
	der_slice(b, san->ip ? SAN_IP : SAN_DNS, san->s);
}

static void
write_san(struct buf *b, const struct san *san, size_t count)
{
	size_t extension, value, names;

	extension = der_open(b, DER_SEQUENCE);
	der_oid(b, oid_san);
	value = der_open(b, DER_OCTET_STRING);
	names = der_open(b, DER_SEQUENCE);
	for (; count; count--)
		write_general_name(b, san++);
	der_close(b, names);
	der_close(b, value);
	der_close(b, extension);
}

/*
 * The values of those extensions among the Extensions at d that are listed;
 * others are skipped.  0, or -1: malformed, or one of these twice.
 */
static int
read_extensions(struct der *d, const char *const *oid, struct slice *value, size_t count)
{
	struct der list = der_enter(d, DER_SEQUENCE), e;
	struct slice id, content;
	size_t i;

	while (der_peek(&list) >= 0) {
		e = der_enter(&list, DER_SEQUENCE);
		id = der_take(&e, DER_OID);
		der_take_flag(&e);
		content = der_take(&e, DER_OCTET_STRING);
		if (!der_end(&e))
			return -1;
		for (i = 0; i < count; i++) {
			if (!der_oid_is(id, oid[i]))
				continue;
			if (value[i].n || content.n == 0)
				return -1;
			value[i] = content;
		}
	}
	return der_end(&list) ? 0 : -1;
}

/* The content of the only element of s, which may be empty for "absent". */
static int
unwrap(struct slice *s, int tag)
{
	struct der d = der_of(*s);

	if (s->n == 0)
		return 0;
	*s = der_take(&d, tag);
	return der_end(&d) ? 0 : -1;
}

/* A GeneralNames extension value: its content, each name looked at. */
static int
read_san(struct slice *value)
{
	struct slice rest;
	struct san name;
	int more;

	if (unwrap(value, DER_SEQUENCE))
		return -1;
	rest = *value;
	while ((more = x509_san(&rest, &name)) > 0)
		;
	return more;
}

/* A Name at d: the element, and the value of its last common name. */
static struct slice
read_name(struct der *d, struct slice *cn)
{
	struct slice whole = der_element(d, DER_SEQUENCE), type, value;
	struct der outer = der_of(whole), name, rdn, pair;

	*cn = slice("");
	name = der_enter(&outer, DER_SEQUENCE);
	while (der_peek(&name) >= 0) {
		rdn = der_enter(&name, DER_SET);
		do {
			pair = der_enter(&rdn, DER_SEQUENCE);
			type = der_take(&pair, DER_OID);
			value = der_take(&pair, -1);
			if (!der_end(&pair))
				rdn.err = 1;
			else if (der_oid_is(type, oid_cn))
				*cn = value;
		} while (der_peek(&rdn) >= 0);
		if (!der_end(&rdn))
			name.err = 1;
	}
	if (!der_end(&name))
		d->err = 1;
	return whole;
}

/* PKCS#10. */

static void
write_extension_request(struct buf *b, const struct san *san, size_t count)
{
	size_t attributes, attribute, values, list;

	attributes = der_open(b, DER_EXPLICIT_0);
	attribute = der_open(b, DER_SEQUENCE);
	der_oid(b, oid_extension_request);
	values = der_open(b, DER_SET);
	list = der_open(b, DER_SEQUENCE);
	write_san(b, san, count);
	der_close(b, list);
	der_close(b, values);
	der_close(b, attribute);
	der_close(b, attributes);
}

int
csr_write(struct buf *b, const struct pk *pk, const struct san *san, size_t count,
    asn1_sign *sign, void *ctx)
{
	size_t csr = der_open(b, DER_SEQUENCE), start = b->len, info;

	if (count == 0)
		b->err = 1;
	info = der_open(b, DER_SEQUENCE);
	der_small(b, 0);
	der_bytes(b, DER_SEQUENCE, 0, 0);	/* subject */
	spki_write(b, pk);
	write_extension_request(b, san, count);
	der_close(b, info);
	if (write_signature(b, start, pk->type, sign, ctx))
		return -1;
	der_close(b, csr);
	return b->err ? -1 : 0;
}

/* The attributes at d: the subjectAltName among the extensions asked for. */
static int
read_attributes(struct der *d, struct slice *san)
{
	const char *const wanted[] = { oid_san };
	struct der list = der_enter(d, DER_EXPLICIT_0), a, values;
	int seen = 0;

	while (der_peek(&list) >= 0) {
		a = der_enter(&list, DER_SEQUENCE);
		if (!der_oid_is(der_take(&a, DER_OID), oid_extension_request)) {
			der_element(&a, DER_SET);
		} else {
			values = der_enter(&a, DER_SET);
			if (seen++ || read_extensions(&values, wanted, san, 1) || !der_end(&values))
				return -1;
		}
		if (!der_end(&a))
			return -1;
	}
	return der_end(&list) ? 0 : -1;
}

static int
lower(int c)
{
	return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

static int
same_name(struct slice a, struct slice b)
{
	size_t i;

	for (i = 0; a.n == b.n && i < a.n; i++)
		if (lower(a.p[i]) != lower(b.p[i]))
			return 0;
	return a.n == b.n;
}

static int
collect_names(struct slice names, struct slice cn, struct san *san, size_t max, size_t *count)
{
	struct san name;
	int more;

	for (*count = 0; (more = x509_san(&names, &name)) > 0; san[(*count)++] = name) {
		if (*count == max)
			return -1;
		if (!name.ip && same_name(name.s, cn))
			cn = slice("");
	}
	if (more == 0 && cn.n) {
		if (*count == max)
			return -1;
		san[*count].ip = 0;
		san[(*count)++].s = cn;
	}
	return more;
}

int
csr_read(struct slice der, struct pk *pk, struct san *san, size_t max, size_t *count)
{
	struct der d = der_of(der), csr = der_enter(&d, DER_SEQUENCE);
	struct der info = der_enter(&csr, DER_SEQUENCE);
	struct slice cn, names = slice("");

	if (der_take_small(&info) != 0)
		return -1;
	read_name(&info, &cn);
	if (spki_read(der_element(&info, DER_SEQUENCE), pk) == -1)
		return -1;
	/* Some old tools leave the attributes out if there are none. */
	if (der_peek(&info) >= 0 && read_attributes(&info, &names))
		return -1;
	der_element(&csr, DER_SEQUENCE);
	der_take_bits(&csr);
	if (!der_end(&info) || !der_end(&csr) || !der_end(&d) || unwrap(&names, DER_SEQUENCE))
		return -1;
	return collect_names(names, cn, san, max, count);
}

/* X.509. */

/* Days from 1970-01-01 to a day of the proleptic Gregorian calendar, year >= 1. */
static int64_t
civil_days(int year, int month, int day)
{
	int y = month > 2 ? year : year - 1;		/* years that begin in March */
	int m = month > 2 ? month - 3 : month + 9;

	return (int64_t)365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 719469;
}

static void
write_digits(struct buf *b, int value, int count)
{
	if (count > 1)
		write_digits(b, value / 10, count - 1);
	buf_char(b, '0' + value % 10);
}

/* A Time: UTCTime up to 2049, then GeneralizedTime (RFC 5280 4.1.2.5). */
static void
write_time(struct buf *b, int64_t t)
{
	int second = (int)((t % 86400 + 86400) % 86400), year = 1, month = 1;
	int64_t day;
	size_t m;

	if (t < civil_days(1, 1, 1) * 86400 || t >= civil_days(10000, 1, 1) * 86400) {
		b->err = 1;
		return;
	}
	day = (t - second) / 86400;
	while (civil_days(year + 1, 1, 1) <= day)
		year++;
	while (month < 12 && civil_days(year, month + 1, 1) <= day)
		month++;
	if (year >= 1950 && year < 2050) {
		m = der_open(b, DER_UTCTIME);
		write_digits(b, year % 100, 2);
	} else {
		m = der_open(b, DER_GENERALIZEDTIME);
		write_digits(b, year, 4);
	}
	write_digits(b, month, 2);
	write_digits(b, (int)(day - civil_days(year, month, 1)) + 1, 2);
	write_digits(b, second / 3600, 2);
	write_digits(b, second / 60 % 60, 2);
	write_digits(b, second % 60, 2);
	buf_char(b, 'Z');
	der_close(b, m);
}

/* Two digits at *s; -1 if they are not there or not within lowest..highest. */
static int
take_two(struct slice *s, int lowest, int highest)
{
	int i, value = 0;

	for (i = 0; i < 2; i++, s->p++, s->n--) {
		if (s->n == 0 || *s->p < '0' || *s->p > '9')
			return -1;
		value = value * 10 + (*s->p - '0');
	}
	return value < lowest || value > highest ? -1 : value;
}

static void
read_time(struct der *d, int64_t *t)
{
	static const char length[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int general = der_peek(d) == DER_GENERALIZEDTIME, century, year, month, day, h, m, sec;
	struct slice s = der_take(d, general ? DER_GENERALIZEDTIME : DER_UTCTIME);

	century = general ? take_two(&s, 0, 99) : 0;
	year = take_two(&s, 0, 99);
	month = take_two(&s, 1, 12);
	day = take_two(&s, 1, 31);
	h = take_two(&s, 0, 23);
	m = take_two(&s, 0, 59);
	sec = take_two(&s, 0, 59);
	if ((century | year | month | day | h | m | sec) < 0 || !slice_is(s, "Z"))
		goto bad;
	year += general ? century * 100 : year < 50 ? 2000 : 1900;
	if (year == 0 || day > length[month - 1] + (month == 2 &&
	    year % 4 == 0 && (year % 100 || year % 400 == 0)))
		goto bad;
	*t = civil_days(year, month, day) * 86400 + h * 3600 + m * 60 + sec;
	return;
bad:
	d->err = 1;
	*t = 0;
}

/* A Name of one common name, the same for all: it identifies nobody. */
static void
write_alpn_name(struct buf *b)
{
	size_t name, rdn, pair;

	name = der_open(b, DER_SEQUENCE);
	rdn = der_open(b, DER_SET);
	pair = der_open(b, DER_SEQUENCE);
	der_oid(b, oid_cn);
	der_slice(b, DER_UTF8STRING, slice("ACME challenge"));
	der_close(b, pair);
	der_close(b, rdn);
	der_close(b, name);
}

/* The critical acmeIdentifier extension (RFC 8737 3). */
static void
write_acme_identifier(struct buf *b, const unsigned char digest[32])
{
	size_t extension, value;

	extension = der_open(b, DER_SEQUENCE);
	der_oid(b, oid_acme_identifier);
	der_bytes(b, DER_BOOLEAN, "\xff", 1);
	value = der_open(b, DER_OCTET_STRING);
	der_bytes(b, DER_OCTET_STRING, digest, 32);
	der_close(b, value);
	der_close(b, extension);
}

static void
write_alpn_extensions(struct buf *b, const struct san *name, const unsigned char digest[32])
{
	size_t extensions, list;

	extensions = der_open(b, DER_EXPLICIT_3);
	list = der_open(b, DER_SEQUENCE);
	write_san(b, name, 1);
	write_acme_identifier(b, digest);
	der_close(b, list);
	der_close(b, extensions);
}

static void
write_alpn_tbs(struct buf *b, const struct pk *pk, const struct san *name,
    const unsigned char digest[32], int64_t not_before, int64_t not_after)
{
	unsigned char serial[16];
	size_t tbs, m;

	/* The digest is as good as random; 0x40 makes the number positive. */
	memcpy(serial, digest, sizeof(serial));
	serial[0] = (unsigned char)((serial[0] & 0x3f) | 0x40);

	tbs = der_open(b, DER_SEQUENCE);
	m = der_open(b, DER_EXPLICIT_0);
	der_small(b, 2);			/* version 3 */
	der_close(b, m);
	der_uint(b, serial, sizeof(serial));
	write_signature_algorithm(b, pk->type);
	write_alpn_name(b);			/* issuer */
	m = der_open(b, DER_SEQUENCE);
	write_time(b, not_before);
	write_time(b, not_after);
	der_close(b, m);
	write_alpn_name(b);			/* subject */
	spki_write(b, pk);
	write_alpn_extensions(b, name, digest);
	der_close(b, tbs);
}

int
alpn_cert_write(struct buf *b, const struct pk *pk, const struct san *name,
    const unsigned char digest[32], int64_t not_before, int64_t not_after,
    asn1_sign *sign, void *ctx)
{
	size_t cert = der_open(b, DER_SEQUENCE), start = b->len;

	write_alpn_tbs(b, pk, name, digest, not_before, not_after);
	if (write_signature(b, start, pk->type, sign, ctx))
		return -1;
	der_close(b, cert);
	return b->err ? -1 : 0;
}

/* Version (0: 1, 2: 3), with its explicit tag. */
static int
read_version(struct der *tbs)
{
	struct der d;
	int version;

	if (der_peek(tbs) != DER_EXPLICIT_0)
		return 0;
	d = der_enter(tbs, DER_EXPLICIT_0);
	version = der_take_small(&d);
	return der_end(&d) && version <= 2 ? version : -1;
}

static int
read_basic_constraints(struct slice value, struct x509 *c)
{
	struct der d = der_of(value);

	c->ca = der_take_flag(&d);
	if (der_peek(&d) >= 0)
		der_take_uint(&d);		/* pathLenConstraint */
	return der_end(&d) ? 0 : -1;
}

/* AuthorityKeyIdentifier: its keyIdentifier, if any. */
static int
read_aki(struct slice value, struct x509 *c)
{
	struct der d = der_of(value);

	if (der_peek(&d) == IMPLICIT_0)
		c->aki = der_take(&d, IMPLICIT_0);
	while (der_peek(&d) >= 0)
		der_element(&d, -1);
	return der_end(&d) ? 0 : -1;
}

static int
read_cert_extensions(struct der *tbs, struct x509 *c)
{
	enum { SAN, SKI, AKI, BASIC, COUNT };
	const char *const oid[COUNT] = { oid_san, oid_ski, oid_aki, oid_basic_constraints };
	struct slice none = slice(""), value[COUNT] = { none, none, none, none };
	struct der d;

	if (der_peek(tbs) < 0)
		return 0;
	d = der_enter(tbs, DER_EXPLICIT_3);
	if (read_extensions(&d, oid, value, COUNT) || !der_end(&d))
		return -1;
	if (read_san(&value[SAN]) || unwrap(&value[SKI], DER_OCTET_STRING) ||
	    unwrap(&value[AKI], DER_SEQUENCE) || unwrap(&value[BASIC], DER_SEQUENCE))
		return -1;
	c->san_ext = value[SAN];
	c->ski = value[SKI];
	return read_aki(value[AKI], c) || read_basic_constraints(value[BASIC], c) ? -1 : 0;
}

/* TBSCertificate but for its extensions; alg: the signature algorithm's element. */
static int
read_tbs(struct der *tbs, struct slice *alg, struct x509 *c)
{
	struct der validity;
	int version = read_version(tbs);

	c->serial = der_take_int(tbs);
	*alg = der_element(tbs, DER_SEQUENCE);
	c->issuer = read_name(tbs, &c->issuer_cn);
	validity = der_enter(tbs, DER_SEQUENCE);
	read_time(&validity, &c->not_before);
	read_time(&validity, &c->not_after);
	c->subject = read_name(tbs, &c->subject_cn);
	c->spki = der_element(tbs, DER_SEQUENCE);
	if (der_peek(tbs) == IMPLICIT_1)	/* unique identifiers */
		der_element(tbs, IMPLICIT_1);
	if (der_peek(tbs) == IMPLICIT_2)
		der_element(tbs, IMPLICIT_2);
	return version >= 0 && der_end(&validity) ? 0 : -1;
}

int
x509_read(struct slice der, struct x509 *c)
{
	struct der d = der_of(der), cert = der_enter(&d, DER_SEQUENCE), tbs, alg;
	struct slice inner, outer;

	c->aki = c->ski = c->san_ext = slice("");
	c->ca = 0;
	c->tbs = der_element(&cert, DER_SEQUENCE);
	tbs = der_of(c->tbs);
	tbs = der_enter(&tbs, DER_SEQUENCE);
	if (read_tbs(&tbs, &inner, c) || read_cert_extensions(&tbs, c) || !der_end(&tbs))
		return -1;
	outer = der_element(&cert, DER_SEQUENCE);
	c->sig = der_take_bits(&cert);
	alg = der_of(outer);
	alg = der_enter(&alg, DER_SEQUENCE);
	c->sig_alg = der_take(&alg, DER_OID);
	if (der_peek(&alg) >= 0)
		der_element(&alg, -1);		/* parameters */
	if (!der_end(&alg) || !der_end(&cert) || !der_end(&d))
		return -1;
	return inner.n == outer.n && memcmp(inner.p, outer.p, inner.n) == 0 ? 0 : -1;
}

int
x509_san(struct slice *rest, struct san *name)
{
	struct der d = der_of(*rest);
	int tag;

	while ((tag = der_peek(&d)) >= 0) {
		name->s = der_take(&d, -1);
		name->ip = tag == SAN_IP;
		if (d.err || (tag & 0xc0) != DER_CONTEXT ||
		    (name->ip && name->s.n != 4 && name->s.n != 16))
			return -1;
		*rest = slice_of(d.p, (size_t)(d.end - d.p));
		if (tag == SAN_DNS || tag == SAN_IP)
			return 1;
	}
	return 0;
}
