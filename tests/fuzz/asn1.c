/*
 * Fuzzes all readers of der.c, keyinfo.c and asn1.c with the same bytes.  What is read must lie in
 * the input; what DER has only one form for must be written as it was read.
 */
#include "fuzz.h"

#include "../../der.c"
#include "../../keyinfo.c"
#include "../../asn1.c"

static struct slice input;

static void
inside(struct slice s)
{
	need_inside(s, input);
}

/* Each element, and those within it, is what der_bytes() would write. */
static void
check_elements(struct der d, int depth)
{
	static char mem[1 << 16];
	struct der copy;
	struct slice whole, content;
	struct buf b;
	int tag;

	while ((tag = der_peek(&d)) >= 0) {
		copy = d;
		whole = der_element(&d, -1);
		content = der_take(&copy, tag);
		if (d.err != copy.err || d.p != copy.p)
			abort();
		if (d.err)
			return;
		inside(whole);
		inside(content);
		buf_init(&b, mem, sizeof(mem));
		der_bytes(&b, tag, content.p, content.n);
		if (!b.err && (b.len != whole.n || memcmp(mem, whole.p, b.len)))
			abort();
		if (depth < 20)
			check_elements(der_of(content), depth + 1);
	}
}

static void
check_san(struct slice rest)
{
	struct san name;
	size_t before;
	int more;

	do {
		before = rest.n;
		more = x509_san(&rest, &name);
		inside(rest);
		if (more > 0)
			inside(name.s);
		if (more > 0 && rest.n >= before)
			abort();
	} while (more > 0);
}

static void
check_x509(void)
{
	struct x509 c;

	if (x509_read(input, &c))
		return;
	inside(c.serial);
	inside(c.issuer);
	inside(c.subject);
	inside(c.issuer_cn);
	inside(c.subject_cn);
	inside(c.spki);
	inside(c.tbs);
	inside(c.sig_alg);
	inside(c.sig);
	inside(c.aki);
	inside(c.ski);
	inside(c.san_ext);
	check_san(c.san_ext);
	if (c.serial.n == 0 || c.not_before < -62135596800 || c.not_after > 253402300799)
		abort();
}

static void
check_csr(void)
{
	struct san san[8];
	struct pk pk;
	size_t n, i;

	if (csr_read(input, &pk, san, 8, &n))
		return;
	if (n > 8)
		abort();
	for (i = 0; i < n; i++)
		inside(san[i].s);
	inside(pk.a);
	inside(pk.b);
}

static void
check_spki(void)
{
	static char mem[1 << 16];
	struct buf b = BUF(mem);
	struct pk pk;

	if (spki_read(input, &pk))
		return;
	inside(pk.a);
	inside(pk.b);
	spki_write(&b, &pk);
	if (!b.err && (b.len != input.n || memcmp(mem, input.p, b.len)))
		abort();
}

/* Written as PKCS#8 and read again, a key is written the same. */
static void
check_sk(const char *label)
{
	static char mem[2][1 << 16];
	struct buf a = BUF(mem[0]), b = BUF(mem[1]);
	struct sk sk;

	if (sk_read(slice(label), input, &sk))
		return;
	inside(sk.n);
	inside(sk.iq);
	inside(sk.x);
	inside(sk.point);
	sk_write(&a, &sk);
	if (a.err)
		return;
	if (sk_read(slice("PRIVATE KEY"), buf_view(&a), &sk))
		abort();
	sk_write(&b, &sk);
	if (b.err || a.len != b.len || memcmp(mem[0], mem[1], a.len))
		abort();
}

int
LLVMFuzzerTestOneInput(const unsigned char *p, size_t n)
{
	input = slice_of(p, n);
	check_elements(der_of(input), 0);
	check_san(input);
	check_x509();
	check_csr();
	check_spki();
	check_sk("PRIVATE KEY");
	check_sk("RSA PRIVATE KEY");
	check_sk("EC PRIVATE KEY");
	return 0;
}
