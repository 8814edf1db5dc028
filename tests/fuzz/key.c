/*
 * Fuzzes key_read and key_verify: the first byte chooses the PEM label that
 * the rest is put under, 0 takes it as PEM.  An accepted key is written and
 * read back; a refused one leaves nothing.
 */
#include "fuzz.h"

#include "../../key.c"

static const char *const labels[] = { "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY" };
enum { LABELS = sizeof(labels) / sizeof(*labels) };

static void
check_read(struct slice pem)
{
	static struct key k, again;
	static const struct key zero;
	static char mem[LIMIT_PEM_KEY];
	struct buf b = BUF(mem);
	const char *why;

	memset(&k, 0xaa, sizeof(k));
	if (key_read(&k, pem, &why)) {
		if (!why || memcmp(&k, &zero, sizeof(k)))
			abort();
		return;
	}
	key_write(&k, &b);
	if (b.err || key_read(&again, buf_view(&b), &why) || memcmp(&k, &again, sizeof(k)))
		abort();
}

/* The bytes as a public key and a signature; it cannot be good but by a miracle. */
static void
check_verify(struct slice s)
{
	struct der d = der_of(s);
	struct slice spki = der_element(&d, DER_SEQUENCE);
	struct pk pk;
	size_t i;

	if (d.err || spki_read(spki, &pk))
		return;
	for (i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
		key_verify(&pk, slice(schemes[i].oid + 1), "abc", 3, slice_of(d.p, (size_t)(d.end - d.p)));
}

int
LLVMFuzzerTestOneInput(const unsigned char *p, size_t n)
{
	static char mem[32768];
	struct buf b = BUF(mem);

	if (n == 0)
		return 0;
	if (p[0] % (LABELS + 2) == 0) {
		check_read(slice_of(p + 1, n - 1));
	} else if (p[0] % (LABELS + 2) == LABELS + 1) {
		check_verify(slice_of(p + 1, n - 1));
	} else {
		pem_encode(&b, labels[p[0] % (LABELS + 2) - 1], p + 1, n - 1);
		check_read(buf_view(&b));
	}
	return 0;
}
