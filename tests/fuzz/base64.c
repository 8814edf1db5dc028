/*
 * Fuzzes the decoders and pem_next: decoding is strict, so encoding again gives
 * the input back; a PEM block written again is read again.
 */
#include "fuzz.h"

#include "../../base64.c"

static char plain[1 << 20], text[2 << 20], again[1 << 20];

static void
check_url(struct slice s)
{
	struct buf b = BUF(plain), t = BUF(text);

	if (base64url_decode(&b, s) < 0) {
		if (b.len)
			abort();
		return;
	}
	base64url_encode(&t, b.p, b.len);
	if (t.len != s.n || (s.n && memcmp(text, s.p, s.n) != 0))
		abort();
	buf_clear(&b);
	if (base64_any(&b, s) < 0)
		abort();
}

/* White space is lost, nothing else. */
static void
check_standard(struct slice s)
{
	struct buf b = BUF(plain), t = BUF(text);
	size_t i = 0;

	if (base64_decode(&b, s) < 0) {
		if (b.len)
			abort();
		return;
	}
	base64_encode(&t, b.p, b.len);
	for (; s.n; s.n--, s.p++)
		if (!is_space(*s.p) && (i == t.len || text[i++] != *s.p))
			abort();
	if (i != t.len)
		abort();
}

static void
check_pem(struct slice s)
{
	struct buf b = BUF(plain), t = BUF(text), a = BUF(again);
	struct slice label, same, rest;
	char name[256];

	while (pem_next(&s, &label, &b) == 1) {
		if (slice_copy(label, name, sizeof(name)) == 0) {
			buf_clear(&t);
			pem_encode(&t, name, b.p, b.len);
			buf_clear(&a);
			rest = buf_view(&t);
			if (pem_next(&rest, &same, &a) != 1 || a.len != b.len ||
			    memcmp(plain, again, b.len) != 0 || !slice_is(same, name))
				abort();
		}
		buf_clear(&b);
	}
	if (b.len)
		abort();
}

int
LLVMFuzzerTestOneInput(const unsigned char *p, size_t n)
{
	struct slice s = { (const char *)p, n };

	check_url(s);
	check_standard(s);
	check_pem(s);
	return 0;
}
