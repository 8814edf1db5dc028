/*
 * revoke.c - `revoke` (RFC 8555 7.6): a certificate of ours or a PEM file,
 * signed by the account or by the certificate's own key, at the CA that it
 * came from.  A file that is the live certificate of one of ours counts as
 * that, so that the store remembers.
 */
#include <string.h>

#include "account.h"
#include "acme.h"
#include "base64.h"
#include "conf.h"
#include "issue.h"
#include "key.h"
#include "keyfile.h"
#include "renewal.h"
#include "store.h"
#include "talker.h"
#include "util.h"

static struct key key;

/* 1 if both texts begin with the same certificate. */
static int
same_certificate(struct slice a, struct slice b)
{
	static char a_mem[LIMIT_REQUEST / 2] LARGE, b_mem[LIMIT_REQUEST / 2] LARGE;
	struct buf a_der = BUF(a_mem), b_der = BUF(b_mem);
	struct slice label;

	return pem_next(&a, &label, &a_der) == 1 && pem_next(&b, &label, &b_der) == 1 &&
	    a_der.len == b_der.len && memcmp(a_der.p, b_der.p, a_der.len) == 0;
}

/* The name of the certificate of ours that this is the live one of; 0 if none. */
static const char *
owner(struct slice pem)
{
	static char names_mem[LIMIT_CONF] LARGE, mem[LIMIT_CHAIN] LARGE;
	struct buf names = BUF(names_mem), live;
	char path[LIMIT_PATH];
	const char *name;

	if (store_certs(&names) < 0)
		return 0;
	for (name = names.p; name < names.p + names.len; name += strlen(name) + 1) {
		buf_init(&live, mem, sizeof(mem));
		if (store_file(path, sizeof(path), name, 0, "cert.pem") == 0 &&
		    store_read(path, &live) == 0 && same_certificate(pem, buf_view(&live)))
			return name;
	}
	return 0;
}

/* The certificate to be revoked as PEM; *name is set if it is one of ours. */
static int
find_certificate(const char *what, struct buf *pem, const char **name)
{
	char path[LIMIT_PATH];

	*name = 0;
	if (store_file(path, sizeof(path), what, 0, "cert.pem") == 0 &&
	    store_read(path, pem) == 0) {
		*name = what;
		return 0;
	}
	buf_clear(pem);
	if (conf_file(what, pem) == 0) {
		*name = owner(buf_view(pem));
		return 0;
	}
	return fail(ST_CONFIG, "no certificate of that name, and no such file: ", what, (char *)0);
}

static int
revoke_payload(struct buf *b, const struct conf *c, struct slice pem, const char *what)
{
	static char der_mem[LIMIT_REQUEST / 2] LARGE;
	struct buf der = BUF(der_mem);
	struct slice label;
	int reason = c->reason ? conf_reason(c->reason) : -1;

	if (pem_next(&pem, &label, &der) != 1 || !slice_is(label, "CERTIFICATE"))
		return fail(ST_CONFIG, what, ": no PEM certificate", (char *)0);
	buf_str(b, "{\"certificate\":\"");
	base64url_encode(b, der.p, der.len);
	buf_char(b, '"');
	if (reason >= 0) {
		buf_str(b, ",\"reason\":");
		buf_uint(b, (uint64_t)reason);
	}
	buf_char(b, '}');
	return 0;
}

static struct renewal st;	/* of the certificate, if it is one of ours */

static int
revoke(const struct conf *c, const char *name, struct slice payload)
{
	int r = account_open(c, conf_directory(c), c->cert_key ? ACCOUNT_NONE : ACCOUNT_EXISTING);

	if (r)
		return r;
	account_sign_as(c->cert_key ? &key : 0);
	account_payload(ACME_REVOKE, payload);
	if (talker_revoke() < 0) {
		if (strcmp(talker_why()->type, "alreadyRevoked") != 0)
			return account_failed();
		warn("it was revoked already", (char *)0);
	}
	if (!name)
		return 0;
	st.revoked = now_wall();
	return renewal_write(name, &st);
}

/* The options for it: its own below those given, and the CA that it came from. */
static int
options(const char *name, const struct conf *given, struct conf *all)
{
	int r = issue_conf(name, given, all);

	renewal_read(name, &st);
	if (r <= 1 && !given->server.n && st.server[0]) {
		all->server.n = 1;
		all->server.v[0] = st.server;
		all->server_at = 0;
	}
	return r <= 1 ? 0 : r;
}

int
issue_revoke(struct conf *c, const char *what)
{
	static struct conf all;
	static char pem_mem[LIMIT_CHAIN] LARGE, mem[LIMIT_REQUEST] LARGE;
	struct buf pem = BUF(pem_mem), b = BUF(mem);
	const char *name;
	int r, fd = -1;

	about(what);
	r = store_open(c->home, 0);
	if (r == 0)
		r = find_certificate(what, &pem, &name);
	if (r)
		return r;
	all = *c;
	if (name) {
		fd = issue_lock(name);
		if (fd < 0)
			return -fd;
		r = options(name, c, &all);
	}
	if (r == 0)
		r = c->cert_key ? keyfile_foreign(c->cert_key, &key) : 0;
	if (r == 0)
		r = revoke_payload(&b, &all, buf_view(&pem), what);
	if (r == 0)
		r = revoke(&all, name, buf_view(&b));
	key_wipe(&key);
	account_close();
	store_unlock(fd);
	about(0);
	return r;
}
