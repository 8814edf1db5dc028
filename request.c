/*
 * request.c - the certificate request (RFC 2986).  A foreign one is sent as it
 * came; its signature is the CA's to check.  A copy is kept beside the
 * certificate, since the file is often one that was only passed on: renewals
 * go on without it, and take notice of it when it is replaced.
 */
#include <errno.h>
#include <string.h>

#include "asn1.h"
#include "base64.h"
#include "chain.h"
#include "conf.h"
#include "der.h"
#include "key.h"
#include "keyinfo.h"
#include "name.h"
#include "request.h"
#include "store.h"
#include "util.h"

/* The foreign request at hand; san and pk are slices into der_mem. */
static char file_mem[LIMIT_REQUEST] LARGE, der_mem[LIMIT_REQUEST / 2] LARGE;
static struct san san[LIMIT_NAMES];
static struct pk pk;

int
request_write(struct buf *der, const struct conf *c, struct key *key)
{
	static unsigned char address[LIMIT_NAMES][16];
	struct pk own;
	unsigned i;
	int n;

	for (i = 0; i < c->names; i++) {
		n = name_address(c->name[i], address[i]);
		san[i].ip = n > 0;
		san[i].s = slice(c->name[i]);
		if (n) {
			san[i].s.p = (const char *)address[i];
			san[i].s.n = (size_t)n;
		}
	}
	key_public(key, &own);
	return csr_write(der, &own, san, c->names, key_sign_der, key);
}

/* --- a foreign request --- */

/* The DER of a file's text, which is PEM or DER itself, into der_mem. */
static int
decode(struct slice text, struct slice *der)
{
	struct buf b = BUF(der_mem);
	struct slice label;

	if (text.n && *text.p == DER_SEQUENCE)
		buf_slice(&b, text);
	else if (pem_next(&text, &label, &b) != 1 || (!slice_is(label, "CERTIFICATE REQUEST") &&
	    !slice_is(label, "NEW CERTIFICATE REQUEST")))
		return -1;
	*der = buf_view(&b);
	return b.err ? -1 : 0;
}

/* Reads the names of the request at hand into c, which has none. */
static int
add_names(struct conf *c, size_t count, const char **why)
{
	char mem[LIMIT_NAME + 1];
	size_t i;

	*why = "it is for no name";
	for (i = 0; i < count; i++) {
		struct buf b = BUF(mem);

		if (san[i].ip)
			name_address_text(&b, (const unsigned char *)san[i].s.p, san[i].s.n);
		else
			buf_slice(&b, san[i].s);
		*why = "one of its names is too long";
		if (memchr(b.p, 0, b.len) || !*buf_text(&b) || conf_add_name(c, mem, why) < 0)
			return -1;
	}
	return c->names ? 0 : -1;
}

/* Reads a request's text: names into asked (a conf without names), and the rest. */
static int
parse(struct slice text, struct conf *asked, struct request *out, const char **why)
{
	size_t count;

	*why = "not a certificate request";
	out->pk = &pk;
	if (decode(text, &out->der) < 0 || csr_read(out->der, &pk, san, LIMIT_NAMES, &count) < 0)
		return -1;
	*why = "its key is neither RSA nor of P-256 or P-384";
	if (pk.type == PK_NONE)
		return -1;
	return add_names(asked, count, why);
}

static int
has_name(const struct conf *c, const char *name)
{
	unsigned i;

	for (i = 0; i < c->names; i++)
		if (strcmp(c->name[i], name) == 0)
			return 1;
	return 0;
}

static int
check_names(const struct conf *c, const struct conf *asked)
{
	unsigned i;

	for (i = 0; i < c->names; i++)
		if (!has_name(asked, c->name[i]))
			return fail(ST_USAGE, "the request in ", c->csr, " is not for ",
			    c->name[i], (char *)0);
	for (i = 0; i < asked->names; i++)
		if (!has_name(c, asked->name[i]))
			return fail(ST_USAGE, "the request in ", c->csr, " is also for ",
			    asked->name[i], ", which was not asked for", (char *)0);
	return 0;
}

/* Reads the request that c names from a text, and compares names; 0 or a status, printed. */
static int
take(const struct conf *c, struct slice text, struct request *out)
{
	static struct conf asked;
	static char names[LIMIT_CONF] LARGE;
	const char *why;

	conf_init(&asked, names, sizeof(names));
	if (parse(text, &asked, out, &why) < 0)
		return fail(ST_CONFIG, "--csr ", c->csr, ": ", why, (char *)0);
	return check_names(c, &asked);
}

int
request_names(struct conf *c)
{
	struct buf b = BUF(file_mem);
	struct request request;
	const char *why;

	if (conf_file(c->csr, &b) < 0)
		return fail(ST_CONFIG, "--csr ", c->csr, ":", (char *)0);
	if (c->names)
		return take(c, buf_view(&b), &request);
	if (parse(buf_view(&b), c, &request, &why) < 0)
		return fail(ST_CONFIG, "--csr ", c->csr, ": ", why, (char *)0);
	return 0;
}

/* Writes the copy unless it is there. */
static int
keep(const char *name, struct slice der, int *fresh)
{
	static char mem[LIMIT_REQUEST] LARGE, old_mem[LIMIT_REQUEST] LARGE;
	struct buf pem = BUF(mem), old = BUF(old_mem);
	const char *path = store_cert_path(name, "/request.pem");

	pem_encode(&pem, "CERTIFICATE REQUEST", der.p, der.n);
	*fresh = store_read(path, &old) < 0 || old.len != pem.len ||
	    memcmp(old.p, pem.p, pem.len) != 0;
	if (!*fresh || (!pem.err && store_write(path, buf_view(&pem)) == 0))
		return 0;
	return store_failed("cannot write", path);
}

int
request_open(const char *name, const struct conf *c, struct request *out, int *fresh)
{
	struct buf b = BUF(file_mem);
	int r, error = 0;

	if (conf_file(c->csr, &b) < 0) {
		error = errno;
		buf_clear(&b);
		if (store_read(store_cert_path(name, "/request.pem"), &b) < 0) {
			errno = error;
			return fail(ST_CONFIG, "--csr ", c->csr, ":", (char *)0);
		}
		if (fresh)
			warn("--csr ", c->csr, ": ", strerror(error), " - so the copy of it is used,"
			    " ", store_cert_path(name, "/request.pem"), (char *)0);
	}
	r = take(c, buf_view(&b), out);
	return r || !fresh ? r : keep(name, out->der, fresh);
}

int
request_check(const char *name, const struct conf *c)
{
	struct request request;

	return c->csr ? request_open(name, c, &request, 0) : 0;
}

int
request_changed(const char *name, const struct conf *c)
{
	static char mem[LIMIT_CHAIN] LARGE;
	struct buf b = BUF(file_mem), pem = BUF(mem);
	char path[LIMIT_PATH];
	struct request request;

	return c->csr && conf_file(c->csr, &b) == 0 && take(c, buf_view(&b), &request) == 0 &&
	    store_file(path, sizeof(path), name, 0, "cert.pem") == 0 &&
	    store_read(path, &pem) == 0 && !chain_is_for(buf_view(&pem), request.pk);
}
