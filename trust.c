/*
 * trust.c - validation of a server's certificate chain (RFC 5280, RFC 6125).
 *
 * The chain is copied as it comes in, without being believed.  When it is
 * complete, the anchors that could be meant are picked by the issuers it
 * names, and BearSSL's engine validates it against those alone.  BearSSL takes
 * an empty server name for "do not check": so the name given to it is either
 * a DNS name or, for an address, deliberately none, after our own check.
 * Invariant: end_chain() returns 0 only if the engine did and the name is one
 * of the certificate's subjectAltNames; a common name never counts.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bearssl.h>

#include "asn1.h"
#include "base64.h"
#include "keyinfo.h"
#include "roots.h"
#include "trust.h"
#include "util.h"

enum {
	MAX_CERTS = 10,			/* certificates in a chain */
	MAX_CHAIN = 48 * 1024,		/* bytes of them */
	MAX_ANCHORS = 16,		/* that fit one chain */
	MAX_ANCHOR = 8 * 1024,		/* one certificate of a bundle */
	MAX_INDEX = 512,		/* certificates of a bundle that need be found but once */
	MIN_RSA = 2048 / 8,
	MAX_RSA = 4096 / 8,		/* BearSSL's limit */
	DAYS_TO_1970 = 719528		/* from the year 0, as BearSSL counts */
};

/* The program was not built before 2026-01-01: a clock that says so is wrong. */
static const int64_t BUILT = 1767225600;

static struct {
	const br_x509_class *vtable;	/* must come first: this is the engine's context */
	br_x509_minimal_context minimal;
	const char *ca_file, *host;
	unsigned char ip[16];
	size_t ip_len;			/* 0: host is a DNS name */

	unsigned count;			/* certificates in chain */
	int too_large;
	struct buf chain;
	size_t start[MAX_CERTS + 1];
	struct x509 cert[MAX_CERTS];

	unsigned anchors;
	br_x509_trust_anchor anchor[MAX_ANCHORS];
	struct buf kept;		/* what anchors from a file point to */
	char chain_mem[MAX_CHAIN];
	char kept_mem[MAX_ANCHORS * 1024];
} t;

/*
 * Anchors
 */

static int
same(struct slice a, struct slice b)
{
	return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

static int
is_issuer(struct slice dn)
{
	unsigned i;

	for (i = 0; i < t.count; i++)
		if (same(t.cert[i].issuer, dn))
			return 1;
	return 0;
}

/* A slot for one more anchor; those that do not fit are done without. */
static br_x509_trust_anchor *
new_anchor(const void *dn, size_t dn_len, unsigned flags)
{
	br_x509_trust_anchor *a;

	if (t.anchors == MAX_ANCHORS)
		return 0;
	a = &t.anchor[t.anchors++];
	a->dn.data = (unsigned char *)dn;	/* BearSSL only reads them */
	a->dn.len = dn_len;
	a->flags = flags;
	return a;
}

static void
set_rsa(br_x509_pkey *k, const void *n, size_t n_len, const void *e, size_t e_len)
{
	k->key_type = BR_KEYTYPE_RSA;
	k->key.rsa.n = (unsigned char *)n;
	k->key.rsa.nlen = n_len;
	k->key.rsa.e = (unsigned char *)e;
	k->key.rsa.elen = e_len;
}

static void
set_ec(br_x509_pkey *k, int curve, const void *q, size_t q_len)
{
	k->key_type = BR_KEYTYPE_EC;
	k->key.ec.curve = curve;
	k->key.ec.q = (unsigned char *)q;
	k->key.ec.qlen = q_len;
}

static void
add_builtin(void)
{
	const struct root *r;
	br_x509_trust_anchor *a;
	struct slice dn;

	for (r = roots; r < roots + roots_count; r++) {
		dn.p = (const char *)r->dn;
		dn.n = r->dn_len;
		if (!is_issuer(dn) || !(a = new_anchor(r->dn, r->dn_len, BR_X509_TA_CA)))
			continue;
		if (r->rsa)
			set_rsa(&a->pkey, r->a, r->a_len, r->b, r->b_len);
		else
			set_ec(&a->pkey, r->curve, r->a, r->a_len);
	}
}

/* Copies s to where anchors can point to; .p 0 if there is no room. */
static struct slice
keep(struct slice s)
{
	struct slice kept = { t.kept.p + t.kept.len, s.n };

	buf_slice(&t.kept, s);
	if (t.kept.err)
		kept.p = 0;
	return kept;
}

/*
 * An authority is of use if the chain names it as an issuer; another
 * certificate only as the server's own: BearSSL then compares name and key.
 */
static int
fits(const struct x509 *c)
{
	return c->ca ? is_issuer(c->subject) : same(c->subject, t.cert[0].subject);
}

static void
add_certificate(const struct x509 *c)
{
	size_t mark = t.kept.len;
	br_x509_trust_anchor *a = 0;
	struct slice dn, n, e;
	struct pk pk;

	if (!fits(c) || spki_read(c->spki, &pk) || pk.type == PK_NONE ||
	    (pk.type == PK_RSA && pk.a.n > MAX_RSA))
		return;
	dn = keep(c->subject);
	if (pk.type != PK_RSA)
		buf_char(&t.kept, 4);		/* an uncompressed point */
	n = keep(pk.a);
	e = keep(pk.b);
	if (!t.kept.err)
		a = new_anchor(dn.p, dn.n, c->ca ? BR_X509_TA_CA : 0);
	if (!a) {
		t.kept.len = mark;
		t.kept.err = 0;
	} else if (pk.type == PK_RSA) {
		set_rsa(&a->pkey, n.p, n.n, e.p, e.n);
	} else {
		set_ec(&a->pkey, pk.type == PK_P256 ? BR_EC_secp256r1 : BR_EC_secp384r1,
		    n.p - 1, 1 + n.n + e.n);
	}
}

/*
 * Bundles of PEM certificates
 */

/*
 * A bundle is read by lines, in place: text holds the block or line under way
 * and what was read behind it.
 */
struct scan {
	void (*found)(const struct x509 *c);
	uint32_t at;			/* where in the file text starts */
	unsigned count, malformed;
	int in_block, skip_line;
	size_t block, line;		/* where in text those under way start */
	struct buf text, der;
};

/*
 * Where the certificates of the file that is held are, by sums of their
 * subjects: for another chain only those are read again that may fit.
 */
static struct {
	int whole;			/* 1: none is missing */
	unsigned count;
	struct {
		uint32_t subject, at;
	} entry[MAX_INDEX];
} known;

/* FNV-1a: equal for equal names, and for hardly any others. */
static uint32_t
sum(struct slice s)
{
	uint32_t h = 2166136261u;

	for (; s.n; s.p++, s.n--)
		h = (h ^ (unsigned char)*s.p) * 16777619u;
	return h;
}

static void
remember(const struct x509 *c, uint32_t at)
{
	if (known.count == MAX_INDEX) {
		known.whole = 0;
		return;
	}
	known.entry[known.count].subject = sum(c->subject);
	known.entry[known.count++].at = at;
}

static void
scan_start(struct scan *s, void (*found)(const struct x509 *c))
{
	static char text[2 * MAX_ANCHOR] LARGE, der[MAX_ANCHOR] LARGE;

	memset(s, 0, sizeof(*s));
	s->found = found;
	buf_init(&s->text, text, sizeof(text));
	buf_init(&s->der, der, sizeof(der));
}

/* Takes a complete block; labels of other things are passed over. */
static void
scan_block(struct scan *s, struct slice text)
{
	struct slice label;
	struct x509 c;

	buf_clear(&s->der);
	if (pem_next(&text, &label, &s->der) != 1) {
		s->malformed++;
	} else if (slice_is(label, "CERTIFICATE")) {
		s->count++;
		if (x509_read(buf_view(&s->der), &c)) {
			s->malformed++;
			return;
		}
		remember(&c, s->at + (uint32_t)s->block);
		if (s->found)
			s->found(&c);
	}
}

/* The line under way ends before `end`. */
static void
scan_line(struct scan *s, size_t end)
{
	const char *p = s->text.p;
	size_t n = end - s->line;

	if (s->in_block) {
		if (n > 9 && memcmp(p + s->line, "-----END ", 9) == 0) {
			scan_block(s, slice_of(p + s->block, end - s->block));
			s->in_block = 0;
		}
	} else if (!s->skip_line && n > 11 && memcmp(p + s->line, "-----BEGIN ", 11) == 0) {
		s->in_block = 1;
		s->block = s->line;
	}
	s->skip_line = 0;
	s->line = end;
}

/* Makes room behind what is still wanted. */
static void
scan_shift(struct scan *s)
{
	size_t start = s->in_block ? s->block : s->line;

	if (start == 0 && s->text.len == s->text.cap) {
		/* A long line of other text, or no certificate: off to the next line. */
		s->malformed += s->in_block ? 1u : 0u;
		s->in_block = 0;
		s->skip_line = 1;
		start = s->line = s->text.len;
	}
	memmove(s->text.p, s->text.p + start, s->text.len - start);
	s->text.len -= start;
	s->at += (uint32_t)start;
	s->line -= start;
	s->block = 0;
}

/* n bytes more are in text. */
static void
scan_more(struct scan *s, size_t n)
{
	const char *newline, *p = s->text.p;
	size_t from = s->text.len;

	s->text.len += n;
	while (from < s->text.len && (newline = memchr(p + from, '\n', s->text.len - from))) {
		from = (size_t)(newline - p) + 1;
		scan_line(s, from);
	}
	scan_shift(s);
}

/* The last line may lack its end. */
static void
scan_end(struct scan *s)
{
	scan_line(s, s->text.len);
	if (s->in_block)
		s->malformed++;
}

/*
 * Opens path if it is a regular file: anything else could block, or be read
 * only once.  -1 with errno, 0 if it is something else.
 */
static int
open_regular(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	close(fd);
	errno = 0;
	return -1;
}

/* Calls s->found for each certificate of a file: 0, or -1 with errno. */
static int
scan_file(struct scan *s, int fd)
{
	ssize_t n;

	while ((n = read(fd, s->text.p + s->text.len, s->text.cap - s->text.len)) > 0 ||
	    (n < 0 && errno == EINTR))
		if (n > 0)
			scan_more(s, (size_t)n);
	scan_end(s);
	return n < 0 ? -1 : 0;
}

/* The system's bundle: the first of the usual places where there is one. */
#ifndef SYSTEM_BUNDLES
#define SYSTEM_BUNDLES "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/cert.pem", \
	"/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem"
#endif

/* The file of anchors, which is open then, or -1. */
static int
open_anchors(const char *ca_file)
{
	static const char *const usual[] = { SYSTEM_BUNDLES };
	size_t i;
	int fd = -1;

	if (ca_file)
		return open_regular(ca_file);
	for (i = 0; fd < 0 && i < sizeof(usual) / sizeof(usual[0]); i++)
		fd = open_regular(usual[i]);
	return fd;
}

static struct {
	int on, fd, error;
} held;

void
trust_hold(const char *ca_file)
{
	held.on = 1;
	known.whole = 0;
	held.fd = open_anchors(ca_file);
	held.error = errno;
}

/* Scans what is held, else what there is now: 0, or -1 with errno. */
static int
scan_anchors(struct scan *s, const char *ca_file)
{
	int fd = held.on ? held.fd : open_anchors(ca_file), r;

	if (fd < 0 && held.on)
		errno = held.error;
	if (fd < 0 || (held.on && lseek(fd, 0, SEEK_SET) < 0))
		return -1;
	known.count = 0;
	known.whole = 1;
	r = scan_file(s, fd);
	if (r < 0)
		known.whole = 0;
	if (!held.on)
		close(fd);
	return r;
}

int
trust_check(const char *path, const char **why)
{
	struct scan s;

	scan_start(&s, 0);
	if (scan_anchors(&s, path) < 0) {
		*why = errno ? "cannot be read" : "is not a regular file";
		return -1;
	}
	errno = 0;
	*why = s.malformed ? "holds a malformed certificate" : "holds no certificate";
	return s.malformed || s.count == 0 ? -1 : 0;
}

/* What is at `at` in the file that is held, as add_certificate() wants it; it may have changed. */
static void
add_at(struct scan *s, uint32_t at)
{
	struct slice text = slice_of(s->text.p, 0), label;
	struct x509 c;
	ssize_t n;

	if (lseek(held.fd, (off_t)at, SEEK_SET) < 0)
		return;
	while (text.n < s->text.cap && ((n = read(held.fd, s->text.p + text.n, s->text.cap - text.n)) > 0 ||
	    (n < 0 && errno == EINTR)))
		text.n += n > 0 ? (size_t)n : 0;
	buf_clear(&s->der);
	if (pem_next(&text, &label, &s->der) == 1 && slice_is(label, "CERTIFICATE") &&
	    x509_read(buf_view(&s->der), &c) == 0)
		add_certificate(&c);
}

/* The certificates of the file whose subjects are issuers of the chain, or the first one's own. */
static void
add_known(void)
{
	uint32_t wanted[MAX_CERTS + 1];
	struct scan s;
	unsigned i, k, n;

	for (n = 0; n < t.count; n++)
		wanted[n] = sum(t.cert[n].issuer);
	wanted[n++] = sum(t.cert[0].subject);
	scan_start(&s, 0);
	for (i = 0; i < known.count; i++) {
		for (k = 0; k < n && wanted[k] != known.entry[i].subject; k++)
			;
		if (k < n)
			add_at(&s, known.entry[i].at);
	}
}

static void
add_file(void)
{
	struct scan s;

	if (held.on && known.whole) {
		add_known();
		return;
	}
	scan_start(&s, add_certificate);
	scan_anchors(&s, t.ca_file);
}

/*
 * Validation
 */

/* The server's certificate has subjectAltNames, and the address is one of them if one was asked for. */
static int
names_ok(const struct x509 *c)
{
	struct slice rest = c->san_ext;
	struct san name;

	if (!t.ip_len)
		return c->san_ext.n > 0;	/* BearSSL compares; without, it would take the CN */
	while (x509_san(&rest, &name) == 1)
		if (name.ip && name.s.n == t.ip_len && memcmp(name.s.p, t.ip, t.ip_len) == 0)
			return 1;
	return 0;
}

static void
set_time(void)
{
	int64_t now = now_wall();

	br_x509_minimal_set_time(&t.minimal, (uint32_t)(now / 86400 + DAYS_TO_1970),
	    (uint32_t)(now % 86400));
}

/* Runs the engine over the chain with the anchors picked: its error, 0 if good. */
static unsigned
validate(void)
{
	br_x509_minimal_context *m = &t.minimal;
	const br_x509_class **engine = &m->vtable;
	unsigned i;

	br_x509_minimal_init(m, &br_sha256_vtable, t.anchor, t.anchors);
	br_x509_minimal_set_rsa(m, br_rsa_pkcs1_vrfy_get_default());
	br_x509_minimal_set_ecdsa(m, &br_ec_all_m31, br_ecdsa_i31_vrfy_asn1);
	br_x509_minimal_set_hash(m, br_sha256_ID, &br_sha256_vtable);
	br_x509_minimal_set_hash(m, br_sha384_ID, &br_sha384_vtable);
	br_x509_minimal_set_hash(m, br_sha512_ID, &br_sha512_vtable);
	br_x509_minimal_set_minrsa(m, MIN_RSA);
	set_time();
	(*engine)->start_chain(engine, t.ip_len ? 0 : t.host);
	for (i = 0; i < t.count; i++) {
		size_t n = t.start[i + 1] - t.start[i];

		(*engine)->start_cert(engine, (uint32_t)n);
		(*engine)->append(engine, (unsigned char *)t.chain.p + t.start[i], n);
		(*engine)->end_cert(engine);
	}
	return (*engine)->end_chain(engine);
}

/* Empties the table of anchors, fills it from one source, and validates. */
static unsigned
validate_with(void (*add)(void))
{
	t.anchors = 0;
	buf_init(&t.kept, t.kept_mem, sizeof(t.kept_mem));
	add();
	return validate();
}

/*
 * Reads the fields of all certificates.  A chain ends before one that cannot be
 * read: a server may append anything, and only what is read is used.
 */
static int
read_chain(void)
{
	struct slice der;
	unsigned i;

	for (i = 0; i < t.count; i++) {
		der.p = t.chain.p + t.start[i];
		der.n = t.start[i + 1] - t.start[i];
		if (x509_read(der, &t.cert[i]))
			break;
	}
	t.count = i;
	return i > 0 ? 0 : -1;
}

static void
start_chain(const br_x509_class **ctx, const char *server_name)
{
	(void)ctx;
	(void)server_name;	/* ours is the one of trust_begin() */
	t.count = 0;
	t.too_large = 0;
	buf_init(&t.chain, t.chain_mem, sizeof(t.chain_mem));
}

static void
start_cert(const br_x509_class **ctx, uint32_t length)
{
	(void)ctx;
	(void)length;
	if (t.count == MAX_CERTS)
		t.too_large = 1;
	else
		t.start[t.count] = t.chain.len;
}

static void
append(const br_x509_class **ctx, const unsigned char *p, size_t n)
{
	(void)ctx;
	if (!t.too_large)
		buf_mem(&t.chain, p, n);
	if (t.chain.err)
		t.too_large = 1;
}

static void
end_cert(const br_x509_class **ctx)
{
	(void)ctx;
	if (!t.too_large)
		t.start[++t.count] = t.chain.len;
}

static unsigned
end_chain(const br_x509_class **ctx)
{
	unsigned err;

	(void)ctx;
	if (t.too_large)
		return BR_ERR_X509_LIMIT_EXCEEDED;
	if (t.count == 0)
		return BR_ERR_X509_EMPTY_CHAIN;
	if (read_chain())
		return BR_ERR_X509_INVALID_VALUE;
	if (!t.host[0] || !names_ok(&t.cert[0]))
		return BR_ERR_X509_BAD_SERVER_NAME;
	/* then nobody knows what is still valid */
	if (now_wall() < BUILT)
		return BR_ERR_X509_EXPIRED;
	if (t.ca_file)
		return validate_with(add_file);
	err = validate_with(add_builtin);
	return err == BR_ERR_X509_NOT_TRUSTED ? validate_with(add_file) : err;
}

static const br_x509_pkey *
get_pkey(const br_x509_class *const *ctx, unsigned *usages)
{
	(void)ctx;
	return t.minimal.vtable->get_pkey(&t.minimal.vtable, usages);
}

static const br_x509_class engine_class = {
	sizeof(t), start_chain, start_cert, append, end_cert, end_chain, get_pkey
};

void
trust_begin(const char *ca_file, const char *host)
{
	t.vtable = &engine_class;
	t.ca_file = ca_file;
	t.host = host;
	t.count = 0;
	t.ip_len = 0;
	if (inet_pton(AF_INET, host, t.ip) == 1)
		t.ip_len = 4;
	else if (inet_pton(AF_INET6, host, t.ip) == 1)
		t.ip_len = 16;
}

int
trust_is_address(void)
{
	return t.ip_len > 0;
}

void *
trust_engine(void)
{
	return &t.vtable;
}

/*
 * Reasons
 */

static const struct {
	int err;
	const char *text;
} reasons[] = {
	{ BR_ERR_X509_EMPTY_CHAIN, "the server sent no certificate" },
	{ BR_ERR_X509_UNSUPPORTED, "certificate has a key or signature of an unsupported kind" },
	{ BR_ERR_X509_LIMIT_EXCEEDED, "certificate chain larger than 10 certificates, 48 KiB, or RSA 4096" },
	{ BR_ERR_X509_WRONG_KEY_TYPE, "certificate's key does not fit the cipher suite" },
	{ BR_ERR_X509_BAD_SIGNATURE, "bad signature in the certificate chain" },
	{ BR_ERR_X509_DN_MISMATCH, "certificate chain is incomplete or out of order" },
	{ BR_ERR_X509_CRITICAL_EXTENSION, "certificate has an unknown critical extension" },
	{ BR_ERR_X509_NOT_CA, "certificate chain has an issuer that is not an authority" },
	{ BR_ERR_X509_FORBIDDEN_KEY_USAGE, "certificate's key may not be used for this" },
	{ BR_ERR_X509_WEAK_PUBLIC_KEY, "certificate has an RSA key below 2048 bits" },
};

/* The first certificate of the chain that is not valid now, and since or until when. */
static int
explain_time(struct buf *text)
{
	int64_t now = now_wall();
	const struct x509 *c = t.cert;

	if (now < BUILT) {
		buf_str(text, "the clock is wrong: it says ");
		buf_time(text, now);
		return 1;
	}
	while (c < t.cert + t.count - 1 && now >= c->not_before && now <= c->not_after)
		c++;
	if (now < c->not_before) {
		buf_str(text, "certificate is not yet valid, or the clock is wrong: from ");
		buf_time(text, c->not_before);
	} else {
		buf_str(text, "certificate has expired, or the clock is wrong: until ");
		buf_time(text, c->not_after);
	}
	buf_str(text, ", now ");
	buf_time(text, now);
	return 0;
}

static int
explain_names(struct buf *text)
{
	struct slice rest = t.cert[0].san_ext;
	struct san name;

	buf_all(text, "certificate is not for this name: ", t.host, (char *)0);
	if (t.count && x509_san(&rest, &name) == 1 && !name.ip) {
		buf_str(text, ", but for ");
		buf_printable(text, name.s);
	}
	return 0;
}

static int
explain_issuer(struct buf *text)
{
	const struct x509 *last = &t.cert[t.count - 1];

	if (t.anchors)
		buf_str(text, "certificate is not signed by the trusted issuer that it names: ");
	else if (t.count == 1 && same(last->issuer, last->subject))
		buf_str(text, "self-signed certificate: ");
	else
		buf_str(text, "unknown issuer: ");
	buf_printable(text, last->issuer_cn);
	return 0;
}

int
trust_explain(int err, struct buf *text)
{
	size_t i;

	if (err == BR_ERR_X509_BAD_SERVER_NAME)
		return explain_names(text);
	if (t.count && (err == BR_ERR_X509_EXPIRED || err == BR_ERR_X509_TIME_UNKNOWN))
		return explain_time(text);
	if (t.count && err == BR_ERR_X509_NOT_TRUSTED)
		return explain_issuer(text);
	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (reasons[i].err == err) {
			buf_str(text, reasons[i].text);
			return 0;
		}
	}
	if (err <= BR_ERR_X509_OK || err > BR_ERR_X509_NOT_TRUSTED)
		return -1;
	buf_str(text, "malformed certificate (error ");
	buf_int(text, err);
	buf_char(text, ')');
	return 0;
}
