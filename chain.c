/*
 * chain.c - checking what the CA issued (RFC 8555 7.4.2, RFC 5280 4): a
 * certificate for another key, other names or another time never becomes
 * live.  Signatures are not checked: the chain came over an authenticated
 * connection, and clients will check them against roots that we do not know.
 */
#include <string.h>

#include "asn1.h"
#include "base64.h"
#include "chain.h"
#include "conf.h"
#include "keyinfo.h"
#include "name.h"
#include "util.h"

enum { CERTIFICATES = 10, CERTIFICATE = 32 * 1024 };

static char der_mem[2][CERTIFICATE];	/* the certificate at hand and the one before */

/* 1 if a certificate's name is the text in conf. */
static int
same_name(const struct san *s, const char *name)
{
	unsigned char address[16];
	int n = name_address(name, address);

	if (!s->ip)
		return !n && slice_is_nocase(s->s, name);
	return n && (size_t)n == s->s.n && memcmp(s->s.p, address, s->s.n) == 0;
}

/* The index of a certificate's name among those of c; c->names if it is none of them. */
static unsigned
name_index(const struct conf *c, const struct san *s)
{
	unsigned i;

	for (i = 0; i < c->names && !same_name(s, c->name[i]); i++)
		;
	return i;
}

/* The certificate's names are those of c, no more and no fewer. */
static int
check_names(const struct x509 *x, const struct conf *c, const char **why)
{
	unsigned char found[LIMIT_NAMES] = { 0 };
	struct slice rest = x->san_ext;
	struct san s;
	unsigned i;
	int r;

	while ((r = x509_san(&rest, &s)) == 1) {
		i = name_index(c, &s);
		if (i == c->names) {
			*why = "it has a name that was not asked for";
			return -1;
		}
		found[i] = 1;
	}
	for (i = 0; i < c->names && found[i]; i++)
		;
	*why = r < 0 ? "its names are malformed" : "it lacks a name that was asked for";
	return r < 0 || i < c->names ? -1 : 0;
}

static int
same_bytes(struct slice a, struct slice b)
{
	return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

static int
is_for(const struct x509 *x, const struct pk *pk)
{
	struct pk own;

	return spki_read(x->spki, &own) == 0 && own.type == pk->type &&
	    same_bytes(own.a, pk->a) && same_bytes(own.b, pk->b);
}

static int
check_leaf(const struct x509 *x, const struct conf *c, const struct pk *pk, const char **why)
{
	*why = "it is for another key";
	if (!is_for(x, pk))
		return -1;
	*why = "it is a CA's certificate";
	if (x->ca)
		return -1;
	*why = "it has expired already, or the clock is wrong";
	if (x->not_after <= now_wall())
		return -1;
	return check_names(x, c, why);
}

static void
read_leaf(struct chain *chain, const struct x509 *x)
{
	struct buf b = BUF(chain->serial);
	struct slice s = x->serial;

	if (s.n > (sizeof(chain->serial) - 1) / 2)
		s.n = (sizeof(chain->serial) - 1) / 2;
	buf_hex(&b, s.p, s.n);
	buf_text(&b);
	chain->not_before = x->not_before;
	chain->not_after = x->not_after;
	buf_init(&b, chain->ari, sizeof(chain->ari));
	if (x->aki.n) {
		base64url_encode(&b, x->aki.p, x->aki.n);
		buf_char(&b, '.');
		base64url_encode(&b, x->serial.p, x->serial.n);
	}
	buf_text(&b);
	if (b.err)
		chain->ari[0] = 0;
}

/* The next certificate of the text, its DER in mem: 1, 0 none, -1 malformed. */
static int
next(struct slice *pem, char mem[CERTIFICATE], struct slice *der, struct x509 *x)
{
	struct buf b;
	struct slice label;
	int r;

	buf_init(&b, mem, CERTIFICATE);
	r = pem_next(pem, &label, &b);
	*der = buf_view(&b);
	if (r <= 0)
		return r;
	return slice_is(label, "CERTIFICATE") && x509_read(*der, x) == 0 ? 1 : -1;
}

int
chain_check(struct chain *chain, struct slice pem, const struct conf *c,
    const struct pk *pk, struct buf *out, const char **why)
{
	struct x509 x[2];
	struct slice der;
	size_t start = out->len, leaf = start;
	int n, r;

	*why = "it has a NUL byte";
	if (pem.n && memchr(pem.p, 0, pem.n))
		return -1;
	for (n = 0; (r = next(&pem, der_mem[n % 2], &der, &x[n % 2])) == 1; n++) {
		*why = "it comes with more than ten certificates";
		if (n == CERTIFICATES)
			return -1;
		if (n == 0 && check_leaf(&x[0], c, pk, why) < 0)
			return -1;
		*why = "a certificate of its chain did not issue the one before";
		if (n > 0 && !same_bytes(x[(n - 1) % 2].issuer, x[n % 2].subject))
			return -1;
		if (n == 0)
			read_leaf(chain, &x[0]);
		pem_encode(out, "CERTIFICATE", der.p, der.n);
		if (n == 0)
			leaf = out->len;
	}
	*why = r < 0 || !n ? "what came is no PEM certificate chain" : "its chain is too long";
	if (r < 0 || !n || out->err)
		return -1;
	chain->fullchain.p = chain->cert.p = out->p + start;
	chain->fullchain.n = out->len - start;
	chain->cert.n = leaf - start;
	chain->chain.p = out->p + leaf;
	chain->chain.n = out->len - leaf;
	return 0;
}

int
chain_read(struct chain *chain, struct slice pem)
{
	struct slice der;
	struct x509 x;

	memset(chain, 0, sizeof(*chain));
	if (next(&pem, der_mem[0], &der, &x) != 1)
		return -1;
	read_leaf(chain, &x);
	return 0;
}

int
chain_is_for(struct slice pem, const struct pk *pk)
{
	struct slice der;
	struct x509 x;

	return next(&pem, der_mem[0], &der, &x) == 1 && is_for(&x, pk);
}

int
chain_shares_name(struct slice pem, const struct conf *c)
{
	struct slice der, rest;
	struct x509 x;
	struct san s;

	if (next(&pem, der_mem[0], &der, &x) != 1)
		return 0;
	for (rest = x.san_ext; x509_san(&rest, &s) == 1;)
		if (name_index(c, &s) < c->names)
			return 1;
	return 0;
}

/* Adds "CN" in quotes to a list, ", " between, unless it is there. */
static void
add_issuer(struct buf *list, struct slice cn)
{
	char mem[256];
	struct buf b = BUF(mem);
	size_t mark = list->len;

	buf_char(&b, '"');
	buf_printable(&b, cn);
	buf_char(&b, '"');
	if (!*buf_text(&b) || strstr(buf_text(list), mem))
		return;
	buf_all(list, mark ? ", " : "", mem, (char *)0);
	buf_text(list);
	if (list->err) {
		list->err = 0;
		list->len = mark;
		list->p[mark] = 0;
	}
}

int
chain_rank(struct slice pem, const char *cn, struct buf *offered)
{
	struct slice der;
	struct x509 x;
	int rank = CHAIN_OTHER;

	/* who issued a certificate is the next one's subject, or the root */
	while (next(&pem, der_mem[0], &der, &x) == 1) {
		if (rank != CHAIN_OTHER)
			rank = CHAIN_ISSUER;
		if (slice_is(x.issuer_cn, cn))
			rank = CHAIN_ROOT;
		add_issuer(offered, x.issuer_cn);
	}
	return rank;
}
