/*
 * key.c - private keys and randomness: PKCS#8 (RFC 5208), PKCS#1 (RFC 8017),
 * SEC 1 (RFC 5915) in, PKCS#8 out; RSASSA-PKCS1-v1_5 and deterministic ECDSA
 * (RFC 6979) by BearSSL's constant-time code.  Invariants: a struct key is
 * either KEY_NONE or complete and consistent; nothing secret is left behind
 * in this file's memory or stack frames; all random bytes descend from the
 * kernel's generator.
 */
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/* Not <bearssl.h>: the TLS header does not compile without warnings. */
#include <bearssl_ec.h>
#include <bearssl_hash.h>
#include <bearssl_rand.h>
#include <bearssl_rsa.h>

#include "base64.h"
#include "der.h"
#include "key.h"
#include "keyinfo.h"
#include "util.h"

/*
 * P-256 by code of its own, 8 KB that take a third of the generic code's time:
 * an issuance is a dozen such multiplications, and hardly anything else.
 */
#define CURVES (&br_ec_all_m31)

enum {
	COORDINATE_MAX = 48, HALF_MAX = 256,	/* bytes */
	DER_MAX = 5120,		/* RSA 8192, to be refused by its size */
	SEED = 48
};

static const struct kind {
	const char *name, *alias;
	enum pk_type type;
	int curve;
	size_t size;		/* bytes of a coordinate, or of half an RSA modulus */
} kinds[] = {
	[KEY_EC256] = { "ec256", "ec-256", PK_P256, BR_EC_secp256r1, 32 },
	[KEY_EC384] = { "ec384", "ec-384", PK_P384, BR_EC_secp384r1, 48 },
	[KEY_RSA2048] = { "rsa2048", "2048", PK_RSA, 0, 128 },
	[KEY_RSA3072] = { "rsa3072", "3072", PK_RSA, 0, 192 },
	[KEY_RSA4096] = { "rsa4096", "4096", PK_RSA, 0, 256 },
};
enum { KINDS = sizeof(kinds) / sizeof(*kinds) };

/* Signature algorithms of certificates: OID content (first byte its length), and the hash. */
static const struct scheme {
	const char *oid;
	int rsa;
	const br_hash_class *hash;
	const unsigned char *hash_oid;		/* for RSA */
} schemes[] = {
	{ "\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b", 1, &br_sha256_vtable, BR_HASH_OID_SHA256 },
	{ "\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c", 1, &br_sha384_vtable, BR_HASH_OID_SHA384 },
	{ "\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d", 1, &br_sha512_vtable, BR_HASH_OID_SHA512 },
	{ "\x08\x2a\x86\x48\xce\x3d\x04\x03\x02", 0, &br_sha256_vtable, 0 },
	{ "\x08\x2a\x86\x48\xce\x3d\x04\x03\x03", 0, &br_sha384_vtable, 0 },
	{ "\x08\x2a\x86\x48\xce\x3d\x04\x03\x04", 0, &br_sha512_vtable, 0 },
};

/* Entropy. */

struct patience {
	int64_t since;
	int told;
};

/* Waits until fd is readable or, with -1, a moment: 1 readable, 0 not, -1 a stop signal. */
static int
wait_patiently(struct patience *w, int fd)
{
	int64_t now = now_ms();

	if (w->since == 0)
		w->since = now;
	if (!w->told && now - w->since >= 1000) {
		warn("waiting for the kernel to gather entropy", (char *)0);
		w->told = 1;
	}
	switch (wait_fd(fd, POLLIN, now + 100)) {
	case WAIT_READY:
		return 1;
	case WAIT_TIMEOUT:
		return 0;
	default:
		return -1;
	}
}

/* A character device and not what somebody left in its place in a chroot. */
static int
open_device(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* urandom gives bytes before it is seeded; that it is, shows in random. */
static int
wait_seeded(void)
{
	struct patience w = { 0, 0 };
	int fd = open_device("/dev/random"), ready;

	if (fd < 0)
		return -1;
	while ((ready = wait_patiently(&w, fd)) == 0)
		;
	close(fd);
	return ready < 0 ? -1 : 0;
}

static int
read_device(unsigned char *p, size_t n)
{
	int fd;
	ssize_t got;

	if (wait_seeded() < 0 || (fd = open_device("/dev/urandom")) < 0)
		return -1;
	while (n) {
		got = read(fd, p, n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		p += got;
		n -= (size_t)got;
	}
	close(fd);
	return n ? -1 : 0;
}

/*
 * Keys are not to be found in swap: all that this process touches from now on
 * stays in memory, or where that is not allowed at least what holds a key.
 */
static void
keep_in_memory(const void *p, size_t n)
{
#ifdef MCL_ONFAULT
	static pid_t all;

	if (all != getpid() && mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0)
		all = getpid();
	if (all == getpid())
		return;
#endif
	mlock(p, n);
}

int
entropy(void *p, size_t n)
{
	struct patience w = { 0, 0 };
	unsigned char *u = p;
	ssize_t got;

	while (n) {
		got = getrandom(u, n, GRND_NONBLOCK);
		if (got > 0) {
			u += got;
			n -= (size_t)got;
		} else if (got < 0 && errno == EAGAIN) {
			/* It could block by itself, but then deaf to signals. */
			if (wait_patiently(&w, -1) < 0)
				return -1;
		} else if (got == 0 || errno != EINTR) {
			return read_device(u, n);	/* an old kernel, or a filter */
		}
	}
	return 0;
}

static br_hmac_drbg_context drbg;
static pid_t drbg_owner;	/* a forked child must not repeat its parent's bytes */

void *
random_prng(void)
{
	unsigned char seed[SEED];
	int bad;

	if (drbg_owner != getpid()) {
		bad = entropy(seed, sizeof(seed));
		if (!bad)
			br_hmac_drbg_init(&drbg, &br_sha256_vtable, seed, sizeof(seed));
		wipe(seed, sizeof(seed));
		if (bad)
			return 0;
		drbg_owner = getpid();
	}
	return &drbg.vtable;
}

int
random_bytes(void *p, size_t n)
{
	if (!random_prng())
		return -1;
	br_hmac_drbg_generate(&drbg, p, n);
	return 0;
}

uint32_t
random_below(uint32_t n)
{
	uint32_t v;

	/* what is left above the last whole multiple of n would favour small numbers */
	do
		if (random_bytes(&v, sizeof(v)) < 0)
			return 0;
	while (v >= UINT32_MAX - UINT32_MAX % n);
	return v % n;
}

/* Kinds. */

enum key_type
key_type(const char *name)
{
	int t;

	for (t = KEY_NONE + 1; t < KINDS; t++)
		if (strcmp(name, kinds[t].name) == 0 || strcmp(name, kinds[t].alias) == 0)
			return (enum key_type)t;
	return KEY_NONE;
}

const char *
key_type_name(enum key_type t)
{
	return t == KEY_NONE ? "none" : kinds[t].name;
}

static enum key_type
find_kind(enum pk_type type, size_t size)
{
	int t;

	for (t = KEY_NONE + 1; t < KINDS; t++)
		if (kinds[t].type == type && kinds[t].size == size)
			return (enum key_type)t;
	return KEY_NONE;
}

static int
is_rsa(const struct key *k)
{
	return kinds[k->type].type == PK_RSA;
}

void
key_wipe(struct key *k)
{
	wipe(k, sizeof(*k));
}

/*
 * Arithmetic for checking a key file: big-endian bytes, time by lengths only.
 * It is slow, and still cheaper than one private operation.
 */

/* out, of a_len + b_len bytes, = a * b. */
static void
multiply(unsigned char *out, const unsigned char *a, size_t a_len,
    const unsigned char *b, size_t b_len)
{
	uint32_t carry;
	size_t i, j;

	memset(out, 0, a_len + b_len);
	for (i = a_len; i-- > 0;) {
		carry = 0;
		for (j = b_len; j-- > 0;) {
			carry += out[i + j + 1] + (uint32_t)a[i] * b[j];
			out[i + j + 1] = (unsigned char)carry;
			carry >>= 8;
		}
		out[i] = (unsigned char)carry;
	}
}

/* out = a - b, all of n bytes; the borrow. */
static uint32_t
subtract(unsigned char *out, const unsigned char *a, const unsigned char *b, size_t n)
{
	uint32_t borrow = 0;

	while (n-- > 0) {
		borrow = (uint32_t)a[n] - b[n] - borrow;
		out[n] = (unsigned char)borrow;
		borrow = borrow >> 8 & 1;
	}
	return borrow;
}

/* r = a mod m; r and m of n bytes, a multiple of four: bit by bit, in words, the lowest first. */
static void
reduce(unsigned char *r, const unsigned char *a, size_t a_len, const unsigned char *m, size_t n)
{
	uint32_t rest[HALF_MAX / 4] = { 0 }, less[HALF_MAX / 4], modulus[HALF_MAX / 4] = { 0 };
	uint32_t carry, borrow, mask;
	uint64_t word;
	size_t i, j, words = n / 4;

	for (j = 0; j < n; j++)
		modulus[(n - 1 - j) / 4] = modulus[(n - 1 - j) / 4] << 8 | m[j];
	for (i = 0; i < a_len * 8; i++) {
		carry = (uint32_t)a[i / 8] >> (7 - i % 8) & 1;
		borrow = 0;
		for (j = 0; j < words; j++) {
			word = (uint64_t)rest[j] << 1 | carry;
			rest[j] = (uint32_t)word;
			carry = (uint32_t)(word >> 32);
			word = (uint64_t)rest[j] - modulus[j] - borrow;
			less[j] = (uint32_t)word;
			borrow = (uint32_t)(word >> 32) & 1;
		}
		mask = 0 - (carry | (borrow ^ 1));
		for (j = 0; j < words; j++)
			rest[j] ^= (rest[j] ^ less[j]) & mask;
	}
	for (j = 0; j < n; j++)
		r[j] = (unsigned char)(rest[(n - 1 - j) / 4] >> 8 * ((n - 1 - j) % 4));
	wipe(rest, sizeof(rest));
	wipe(less, sizeof(less));
	wipe(modulus, sizeof(modulus));		/* a prime, or one less */
}

/* 0 if a and b are equal; value 1 if a is null. */
static uint32_t
differ(const unsigned char *a, const unsigned char *b, size_t n)
{
	uint32_t difference = 0;
	size_t i;

	for (i = 0; i < n; i++)
		difference |= (uint32_t)(a ? a[i] : i + 1 == n) ^ b[i];
	return difference;
}

/* 0 if a * b mod m is 1; b and m of n bytes. */
static uint32_t
not_inverse(const unsigned char *a, size_t a_len, const unsigned char *b,
    const unsigned char *m, size_t n)
{
	unsigned char product[2 * HALF_MAX], rest[HALF_MAX];
	uint32_t bad;

	multiply(product, a, a_len, b, n);
	reduce(rest, product, a_len + n, m, n);
	bad = differ(0, rest, n);
	wipe(product, sizeof(product));
	wipe(rest, sizeof(rest));
	return bad;
}

/* RSA. */

/* Where the numbers stand in a struct key, h bytes each but for d and n with 2h, e with 4. */
struct rsa {
	unsigned char *p, *q, *dp, *dq, *iq, *d, *n, *e;
	size_t h;
};

static struct rsa
rsa_of(const struct key *k)
{
	size_t h = kinds[k->type].size;
	/* For readers too; no key is a const object, and BearSSL's structs lack const. */
	unsigned char *s = (unsigned char *)k->secret, *n = (unsigned char *)k->public;
	struct rsa r = { s, s + h, s + 2 * h, s + 3 * h, s + 4 * h, s + 5 * h, n, n + 2 * h, h };

	return r;
}

static br_rsa_private_key
rsa_private(const struct key *k)
{
	struct rsa r = rsa_of(k);
	br_rsa_private_key sk = { (uint32_t)(16 * r.h), r.p, r.h, r.q, r.h,
	    r.dp, r.h, r.dq, r.h, r.iq, r.h };

	return sk;
}

/* 0 if exponent is d's and e's for the prime. */
static uint32_t
wrong_exponent(const struct rsa *r, const unsigned char *prime, const unsigned char *exponent)
{
	unsigned char order[HALF_MAX], rest[HALF_MAX];
	uint32_t bad;

	memcpy(order, prime, r->h);
	order[r->h - 1] &= 0xfe;		/* prime - 1 */
	reduce(rest, r->d, 2 * r->h, order, r->h);
	bad = differ(exponent, rest, r->h) | not_inverse(r->e, 4, exponent, order, r->h);
	wipe(order, sizeof(order));
	wipe(rest, sizeof(rest));
	return bad;
}

/* All that must hold but that p and q are prime, which a signature will show. */
static int
rsa_consistent(const struct key *k)
{
	struct rsa r = rsa_of(k);
	unsigned char product[2 * HALF_MAX];
	uint32_t bad;

	if (!(r.p[r.h - 1] & r.q[r.h - 1] & 1))
		return 0;
	multiply(product, r.p, r.h, r.q, r.h);
	bad = differ(r.n, product, 2 * r.h);
	wipe(product, sizeof(product));
	bad |= wrong_exponent(&r, r.p, r.dp) | wrong_exponent(&r, r.q, r.dq);
	return !(bad | not_inverse(r.q, r.h, r.iq, r.p, r.h));
}

/*
 * Random bytes for a long search: each candidate for a prime asks for some, so
 * a line of progress can be kept alive from here.
 */
struct search {
	const br_prng_class *vtable;	/* first: BearSSL's idea of the whole */
	const br_prng_class **source;
	int64_t since, shown;
};

static void
search_generate(const br_prng_class **context, void *out, size_t n)
{
	struct search *s = (struct search *)(void *)context;
	int64_t seconds = (now_ms() - s->since) / 1000;

	if (seconds != s->shown)
		progress("making a key", 0, 0, (unsigned)seconds);
	s->shown = seconds;
	(*s->source)->generate(s->source, out, n);
}

static const br_prng_class search_class = { sizeof(struct search), 0, search_generate, 0 };

static int
rsa_generate(struct key *k, const br_prng_class **prng)
{
	struct search search = { &search_class, prng, now_ms(), -1 };
	struct rsa r = rsa_of(k);
	br_rsa_private_key sk;
	br_rsa_public_key pk;
	unsigned char secret[BR_RSA_KBUF_PRIV_SIZE(16 * HALF_MAX)];
	unsigned char public[BR_RSA_KBUF_PUB_SIZE(16 * HALF_MAX)];
	const uint32_t e = 65537;
	uint32_t good;

	signals_deadly(1);
	good = br_rsa_keygen_get_default()(&search.vtable, &sk, secret, &pk, public,
	    (unsigned)(16 * r.h), e);
	if (good) {
		memcpy(r.p, sk.p, r.h);
		memcpy(r.q, sk.q, r.h);
		memcpy(r.dp, sk.dp, r.h);
		memcpy(r.dq, sk.dq, r.h);
		memcpy(r.iq, sk.iq, r.h);
		memcpy(r.n, pk.n, 2 * r.h);
		memcpy(r.e, "\0\1\0\1", 4);
		good = br_rsa_compute_privexp_get_default()(r.d, &sk, e) == 2 * r.h;
	}
	signals_deadly(0);
	progress(0, 0, 0, 0);
	wipe(secret, sizeof(secret));
	return good && rsa_consistent(k) ? 0 : -1;
}

/* EC. */

static br_ec_private_key
ec_private(const struct key *k)
{
	/* BearSSL's struct lacks const. */
	br_ec_private_key sk = { kinds[k->type].curve, (unsigned char *)k->secret,
	    kinds[k->type].size };

	return sk;
}

/* 1 if the secret is within 1 .. order - 1. */
static int
ec_in_range(const struct key *k)
{
	unsigned char rest[COORDINATE_MAX], any = 0;
	const unsigned char *order;
	uint32_t below;
	size_t n, i;

	order = CURVES->order(kinds[k->type].curve, &n);
	below = subtract(rest, k->secret, order, n);
	for (i = 0; i < n; i++)
		any |= k->secret[i];
	wipe(rest, sizeof(rest));
	return below && any;
}

static int
ec_set_public(struct key *k)
{
	br_ec_private_key sk = ec_private(k);
	unsigned char point[BR_EC_KBUF_PUB_MAX_SIZE];
	size_t n = 1 + 2 * kinds[k->type].size;

	if (br_ec_compute_pub(CURVES, 0, point, &sk) != n)
		return -1;
	memcpy(k->public, point, n);
	return 0;
}

int
key_generate(struct key *k, enum key_type t)
{
	const br_prng_class **prng = random_prng();
	int bad = -1;

	keep_in_memory(k, sizeof(*k));
	key_wipe(k);
	if (!prng || t == KEY_NONE)
		return -1;
	k->type = t;
	if (is_rsa(k))
		bad = rsa_generate(k, prng);
	else if (br_ec_keygen(prng, CURVES, 0, k->secret, kinds[t].curve) == kinds[t].size)
		bad = ec_set_public(k);
	if (bad)
		key_wipe(k);
	return bad;
}

int
key_make(struct key *k, enum key_type t)
{
	note(1, "making a key: ", key_type_name(t), (char *)0);
	if (key_generate(k, t) == 0)
		return 0;
	return fail(ST_CONFIG, "cannot make a key: ", stop_signal() ? "stopped" : "no entropy", (char *)0);
}

/* Reading.  These return what is wrong, or a null pointer. */

/* Left-pads a number; -1 if it has more than n bytes. */
static int
place(unsigned char *out, size_t n, struct slice number)
{
	if (number.n > n)
		return -1;
	memset(out, 0, n - number.n);
	memcpy(out + n - number.n, number.p, number.n);
	return 0;
}

static const char *
load_rsa(struct key *k, const struct sk *sk)
{
	struct rsa r;

	k->type = find_kind(PK_RSA, sk->n.n % 2 ? 0 : sk->n.n / 2);
	if (sk->n.n < 256 || (sk->n.n == 256 && !(sk->n.p[0] & 0x80)))
		return "RSA below 2048 bits";
	if (sk->n.n > 512)
		return "RSA above 4096 bits";
	if (k->type == KEY_NONE || !(sk->n.p[0] & 0x80))
		return "RSA of a size other than 2048, 3072 or 4096 bits";
	r = rsa_of(k);
	if (place(r.e, 4, sk->e) || !(r.e[3] & 1) || (sk->e.n == 1 && r.e[3] == 1))
		return "RSA with an unusual public exponent";
	if (place(r.p, r.h, sk->p) || place(r.q, r.h, sk->q))
		return "RSA with primes of different sizes";
	if (place(r.n, 2 * r.h, sk->n) || place(r.d, 2 * r.h, sk->d) ||
	    place(r.dp, r.h, sk->dp) || place(r.dq, r.h, sk->dq) ||
	    place(r.iq, r.h, sk->iq) || !rsa_consistent(k))
		return "its numbers do not belong together";
	return 0;
}

static const char *
load_ec(struct key *k, const struct sk *sk)
{
	size_t size = sk->x.n;

	k->type = find_kind(sk->type, size);
	if (k->type == KEY_NONE || place(k->secret, size, sk->x))
		return "malformed";
	if (!ec_in_range(k) || ec_set_public(k) ||
	    (sk->point.n && memcmp(sk->point.p, k->public, 1 + 2 * size) != 0))
		return "its numbers do not belong together";
	return 0;
}

static int
mentions(struct slice s, const char *text)
{
	size_t n = strlen(text);

	for (; s.n >= n; s.p++, s.n--)
		if (memcmp(s.p, text, n) == 0)
			return 1;
	return 0;
}

/* The next block of *text: where in der, which keeps all of them. */
static const char *
next_block(struct slice *text, struct buf *der, struct slice *label, struct slice *block)
{
	size_t start = der->len;
	int found = pem_next(text, label, der);

	if (found < 0 && mentions(*text, "ENCRYPTED"))
		return "encrypted";		/* its headers, or it did not fit */
	if (found < 0)
		return der->err ? "too long for a private key" : "malformed PEM";
	if (found == 0)
		return "no PEM block in it";
	if (slice_is(*label, "ENCRYPTED PRIVATE KEY"))
		return "encrypted";
	block->p = der->p + start;
	block->n = der->len - start;
	return 0;
}

static const char *
load(struct key *k, struct slice text, struct buf *der)
{
	struct slice label, block, other;
	struct sk sk;
	const char *why = next_block(&text, der, &label, &block);

	/* openssl ecparam -genkey puts the curve before the key, which names it too. */
	if (!why && slice_is(label, "EC PARAMETERS")) {
		why = next_block(&text, der, &label, &block);
		if (!why && !slice_is(label, "EC PRIVATE KEY"))
			return "EC parameters without a key";
	}
	if (why)
		return why;
	switch (sk_read(label, block, &sk)) {
	case 0:
		break;
	case -2:
		return "neither RSA with two primes nor P-256 nor P-384";
	case -3:
		return "not a private key (PKCS#8, PKCS#1 or SEC 1)";
	default:
		return "malformed";
	}
	if (pem_next(&text, &other, der) != 0)
		return "more in it than one private key";
	return sk.type == PK_RSA ? load_rsa(k, &sk) : load_ec(k, &sk);
}

int
key_read(struct key *k, struct slice pem, const char **why)
{
	char mem[DER_MAX];
	struct buf der = BUF(mem);

	keep_in_memory(k, sizeof(*k));
	key_wipe(k);
	*why = load(k, pem, &der);
	wipe(mem, sizeof(mem));
	if (*why)
		key_wipe(k);
	return *why ? -1 : 0;
}

void
key_write(const struct key *k, struct buf *pem)
{
	struct rsa r = rsa_of(k);
	struct sk sk = { .type = kinds[k->type].type };
	char mem[DER_MAX / 2];
	struct buf der = BUF(mem);

	if (is_rsa(k)) {
		sk.n = slice_of(r.n, 2 * r.h);
		sk.e = slice_of(r.e, 4);
		sk.d = slice_of(r.d, 2 * r.h);
		sk.p = slice_of(r.p, r.h);
		sk.q = slice_of(r.q, r.h);
		sk.dp = slice_of(r.dp, r.h);
		sk.dq = slice_of(r.dq, r.h);
		sk.iq = slice_of(r.iq, r.h);
	} else {
		sk.x = slice_of(k->secret, r.h);
		sk.point = slice_of(k->public, 1 + 2 * r.h);
	}
	sk_write(&der, &sk);
	if (der.err)
		pem->err = 1;
	pem_encode(pem, "PRIVATE KEY", der.p, der.len);
	wipe(mem, sizeof(mem));
}

/* Public halves. */

void
key_public(const struct key *k, struct pk *pk)
{
	size_t size = kinds[k->type].size;

	pk->type = kinds[k->type].type;
	if (is_rsa(k)) {
		pk->a = slice_of(k->public, 2 * size);
		pk->b = slice_of(k->public + 2 * size, 4);
		for (; pk->b.n && *pk->b.p == 0; pk->b.n--)
			pk->b.p++;
	} else {
		pk->a = slice_of(k->public + 1, size);
		pk->b = slice_of(k->public + 1 + size, size);
	}
}

static int
same(struct slice a, struct slice b)
{
	return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

int
key_same(const struct key *k, const struct pk *pk)
{
	struct pk own;

	key_public(k, &own);
	return own.type == pk->type && same(own.a, pk->a) && same(own.b, pk->b);
}

/* Signatures. */

static size_t
digest(const br_hash_class *hash, const void *p, size_t n, unsigned char out[64])
{
	br_hash_compat_context c;

	hash->init(&c.vtable);
	hash->update(&c.vtable, p, n);
	hash->out(&c.vtable, out);
	return hash->desc >> BR_HASHDESC_OUT_OFF & BR_HASHDESC_OUT_MASK;
}

/* 1 if sig is RSASSA-PKCS1-v1_5 over that hash value. */
static int
rsa_verify(br_rsa_public_key *pk, const unsigned char *hash, size_t hash_len,
    const unsigned char *hash_oid, const void *sig, size_t n)
{
	unsigned char got[64];

	return br_rsa_pkcs1_vrfy_get_default()(sig, n, hash_oid, hash_len, pk, got) &&
	    memcmp(got, hash, hash_len) == 0;
}

/*
 * One that was miscomputed would give the factors away to whoever sees it
 * (the CRT fault), so none leaves unchecked; that costs little.
 */
static size_t
rsa_sign(const struct key *k, const void *p, size_t n, unsigned char *out)
{
	br_rsa_private_key sk = rsa_private(k);
	struct rsa r = rsa_of(k);
	br_rsa_public_key pk = { r.n, 2 * r.h, r.e, 4 };
	unsigned char hash[64];
	size_t hash_len = digest(&br_sha256_vtable, p, n, hash);

	if (!br_rsa_pkcs1_sign_get_default()(BR_HASH_OID_SHA256, hash, hash_len, &sk, out) ||
	    !rsa_verify(&pk, hash, hash_len, BR_HASH_OID_SHA256, out, 2 * r.h)) {
		wipe(out, 2 * r.h);
		return 0;
	}
	return 2 * r.h;
}

static size_t
ec_sign(const struct key *k, const void *p, size_t n, unsigned char *out)
{
	const br_hash_class *hash = k->type == KEY_EC384 ? &br_sha384_vtable : &br_sha256_vtable;
	br_ec_private_key sk = ec_private(k);
	unsigned char value[64];

	digest(hash, p, n, value);
	return br_ecdsa_i31_sign_raw(CURVES, hash, value, &sk, out);
}

/* The signature as in JWS into out: its length, 0 if it failed. */
static size_t
sign(const struct key *k, const void *p, size_t n, unsigned char out[2 * HALF_MAX])
{
	size_t len;

	if (k->type == KEY_NONE)
		return 0;
	len = is_rsa(k) ? rsa_sign(k, p, n, out) : ec_sign(k, p, n, out);
	return len == 2 * kinds[k->type].size ? len : 0;
}

int
key_sign_raw(void *key, const void *p, size_t n, struct buf *sig)
{
	unsigned char out[2 * HALF_MAX];
	size_t len = sign(key, p, n, out);

	buf_mem(sig, out, len);
	return len && !sig->err ? 0 : -1;
}

int
key_sign_der(void *key, const void *p, size_t n, struct buf *sig)
{
	unsigned char out[2 * HALF_MAX];
	const struct key *k = key;
	size_t len, m;

	if (is_rsa(k))
		return key_sign_raw(key, p, n, sig);
	len = sign(k, p, n, out);
	m = der_open(sig, DER_SEQUENCE);
	der_uint(sig, out, len / 2);
	der_uint(sig, out + len / 2, len / 2);
	der_close(sig, m);
	return len && !sig->err ? 0 : -1;
}

static int
rsa_verify_pk(const struct pk *pk, const struct scheme *s, const unsigned char *hash,
    size_t hash_len, struct slice sig)
{
	/* BearSSL's struct lacks const. */
	br_rsa_public_key rsa = { (unsigned char *)pk->a.p, pk->a.n,
	    (unsigned char *)pk->b.p, pk->b.n };

	/* An exponent without limit would be one of the time it takes. */
	return pk->a.n >= 256 && pk->b.n <= 8 &&
	    rsa_verify(&rsa, hash, hash_len, s->hash_oid, sig.p, sig.n);
}

static int
ec_verify_pk(const struct pk *pk, const unsigned char *hash, size_t hash_len, struct slice sig)
{
	const struct kind *kind = &kinds[pk->type == PK_P384 ? KEY_EC384 : KEY_EC256];
	unsigned char point[1 + 2 * COORDINATE_MAX] = { 4 };
	br_ec_public_key ec = { kind->curve, point, 1 + 2 * kind->size };

	if (pk->a.n != kind->size || pk->b.n != kind->size)
		return 0;
	memcpy(point + 1, pk->a.p, kind->size);
	memcpy(point + 1 + kind->size, pk->b.p, kind->size);
	return br_ecdsa_i31_vrfy_asn1(CURVES, hash, hash_len, &ec, sig.p, sig.n) == 1;
}

int
key_verify(const struct pk *pk, struct slice sig_alg, const void *p, size_t n, struct slice sig)
{
	const struct scheme *s, *end = schemes + sizeof(schemes) / sizeof(*schemes);
	unsigned char hash[64];
	size_t hash_len;

	if (pk->type == PK_NONE)
		return 0;
	for (s = schemes; s < end; s++) {
		if (s->rsa != (pk->type == PK_RSA) || !der_oid_is(sig_alg, s->oid))
			continue;
		hash_len = digest(s->hash, p, n, hash);
		return s->rsa ? rsa_verify_pk(pk, s, hash, hash_len, sig) :
		    ec_verify_pk(pk, hash, hash_len, sig);
	}
	return 0;
}
