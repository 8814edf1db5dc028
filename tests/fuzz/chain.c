/*
 * Fuzzes what the CA sends as a certificate: the first byte chooses whether
 * the rest is PEM, or certificates as DER, each behind two bytes of length;
 * and for whose key it is to be.  A chain that is accepted is, read again, the
 * same, and for that key and those names.
 */
#include "fuzz.h"

#include "../../util.h"
#define now_wall() 1800000000
#include "../../chain.c"

static const struct conf names = {
	.names = 3, .name = { "a.example", "*.a.example", "192.0.2.1" }
};

/* The key of the first certificate, or none of this world. */
static void
own_key(struct pk *pk, struct slice pem, int fits)
{
	static char mem[CERTIFICATE];
	struct slice der;
	struct x509 x;

	pk->type = PK_P256;
	pk->a = pk->b = slice("0123456789abcdef0123456789abcdef");
	if (fits && next(&pem, mem, &der, &x) == 1)
		spki_read(x.spki, pk);
}

static void
check(struct slice pem, const struct pk *pk)
{
	static char mem[2][LIMIT_CHAIN], list[300];
	struct buf out = BUF(mem[0]), again = BUF(mem[1]), offered = BUF(list);
	struct chain c, d;
	const char *why = 0;

	chain_rank(pem, "Test Root", &offered);
	need(memchr(list, 0, sizeof(list)) != 0);
	if (chain_read(&c, pem) == 0)
		need_printable(c.ari, sizeof(c.ari));
	if (chain_check(&c, pem, &names, pk, &out, &why) < 0) {
		need(why && *why);
		return;
	}
	need(c.fullchain.n == c.cert.n + c.chain.n && c.not_after > now_wall());
	need(chain_check(&d, c.fullchain, &names, pk, &again, &why) == 0 && same_slice(c.fullchain, d.fullchain));
	need(chain_is_for(c.cert, pk) && chain_shares_name(c.cert, &names));
	need(chain_read(&d, c.cert) == 0 && strcmp(c.serial, d.serial) == 0 && strcmp(c.ari, d.ari) == 0);
}

int
LLVMFuzzerTestOneInput(const unsigned char *p, size_t n)
{
	static char mem[2 * LIMIT_CHAIN];
	struct buf b = BUF(mem);
	struct slice rest, piece, pem;
	struct pk pk;

	if (n == 0)
		return 0;
	rest = pem = slice_of(p + 1, n - 1);
	if (p[0] & 1) {
		while (fuzz_piece(&rest, &piece))
			pem_encode(&b, "CERTIFICATE", piece.p, piece.n);
		pem = buf_view(&b);
	}
	own_key(&pk, pem, p[0] & 2);
	check(pem, &pk);
	return 0;
}
