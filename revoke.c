/*
 * revoke.c - `revoke` (RFC 8555 7.6): a certificate of ours or a PEM file,
 * signed by the account or by the certificate's own key.
 */
#include <string.h>

#include "account.h"
#include "acme.h"
#include "base64.h"
#include "conf.h"
#include "issue.h"
#include "key.h"
#include "obtain.h"
#include "renewal.h"
#include "store.h"
#include "util.h"

static struct key key;

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
	if (conf_file(what, pem) == 0)
		return 0;
	return fail(ST_CONFIG, "no certificate of that name, and no such file: ", what, (char *)0);
}

static int
revoke_payload(struct buf *b, const struct conf *c, struct slice pem, const char *what)
{
	static char der_mem[LIMIT_REQUEST / 2];
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

static int
revoke(const struct conf *c, const char *name, struct slice payload)
{
	static struct renewal st;
	int r = account_open(c, conf_directory(c), c->cert_key ? ACCOUNT_NONE : ACCOUNT_EXISTING);

	if (r)
		return r;
	account_sign_as(c->cert_key ? &key : 0);
	account_payload(ACME_REVOKE, payload);
	if (acme_revoke() < 0) {
		if (strcmp(acme_why()->type, "alreadyRevoked") != 0)
			return account_failed();
		warn("it was revoked already", (char *)0);
	}
	if (!name)
		return 0;
	renewal_read(name, &st);
	st.revoked = now_wall();
	return renewal_write(name, &st);
}

int
issue_revoke(struct conf *c, const char *what)
{
	static struct conf all;
	static char pem_mem[LIMIT_CHAIN], mem[LIMIT_REQUEST];
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
		r = issue_conf(name, c, &all);
	}
	if (r <= 1)
		r = c->cert_key ? obtain_key_file(c->cert_key, &key) : 0;
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
