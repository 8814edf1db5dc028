/*
 * registration.c - the file `account`: lines url, status, contact, orders, the
 * members of the directory by their names in RFC 8555 7.1.1, and singleUntil.  Invariant:
 * every text that comes out of it may stand in JSON as it is.
 */
#include <errno.h>
#include <string.h>

#include "acme.h"
#include "jws.h"
#include "registration.h"
#include "store.h"
#include "util.h"

/* One table names the texts of both. */
static const struct field {
	const char *name;
	enum { ACCOUNT, CA } of;
	size_t at, size;
} fields[] = {
	{ "url", ACCOUNT, offsetof(struct acme_account, url), LIMIT_URL },
	{ "status", ACCOUNT, offsetof(struct acme_account, status), sizeof(((struct acme_account *)0)->status) },
	{ "contact", ACCOUNT, offsetof(struct acme_account, contact), sizeof(((struct acme_account *)0)->contact) },
	{ "orders", ACCOUNT, offsetof(struct acme_account, orders), LIMIT_URL },
	{ "newNonce", CA, offsetof(struct acme_directory, url[EP_NEW_NONCE]), LIMIT_URL },
	{ "newAccount", CA, offsetof(struct acme_directory, url[EP_NEW_ACCOUNT]), LIMIT_URL },
	{ "newOrder", CA, offsetof(struct acme_directory, url[EP_NEW_ORDER]), LIMIT_URL },
	{ "revokeCert", CA, offsetof(struct acme_directory, url[EP_REVOKE]), LIMIT_URL },
	{ "keyChange", CA, offsetof(struct acme_directory, url[EP_KEY_CHANGE]), LIMIT_URL },
	{ "renewalInfo", CA, offsetof(struct acme_directory, url[EP_RENEWAL_INFO]), LIMIT_URL },
	{ "terms", CA, offsetof(struct acme_directory, terms), sizeof(((struct acme_directory *)0)->terms) },
	{ "profiles", CA, offsetof(struct acme_directory, profiles), sizeof(((struct acme_directory *)0)->profiles) },
	{ "caa", CA, offsetof(struct acme_directory, caa), sizeof(((struct acme_directory *)0)->caa) },
};
enum { FIELDS = sizeof(fields) / sizeof(*fields) };

static char file_mem[LIMIT_CONF] LARGE;

const char *
registration_path(const char *dir, const char *file)
{
	static char mem[LIMIT_PATH];
	struct buf b = BUF(mem);

	buf_all(&b, dir, "/", file, (char *)0);
	return buf_text(&b);
}

static int
parse(struct slice text, const char *path, struct acme_account *a, struct acme_directory *d)
{
	const struct field *f;
	struct slice v;
	char *out;

	for (f = fields; f < fields + FIELDS; f++) {
		out = (f->of == CA ? (char *)d : (char *)a) + f->at;
		v = kv_get(text, f->name);
		if (v.p && v.n && (slice_copy(v, out, f->size) < 0 || !jws_clean(out)))
			return fail(ST_CONFIG, store_home(), "/", path, ": bad value of ",
			    f->name, (char *)0);
	}
	v = kv_get(text, "externalAccountRequired");
	d->external_account_required = v.p && slice_is(v, "1");
	return 0;
}

int
registration_read(const char *dir, struct acme_account *a, struct acme_directory *d, int *cached,
    int64_t *single)
{
	struct buf text = BUF(file_mem);
	const char *path = registration_path(dir, "account");
	int r = 0;

	*single = 0;
	memset(a, 0, sizeof(*a));
	memset(d, 0, sizeof(*d));
	if (store_read(path, &text) == 0) {
		r = parse(buf_view(&text), path, a, d);
		time_rfc3339(kv_get(buf_view(&text), "singleUntil"), single);
	} else if (errno != ENOENT) {
		r = store_unread(path);
	}
	*cached = d->url[EP_NEW_NONCE][0] && d->url[EP_NEW_ACCOUNT][0] && d->url[EP_NEW_ORDER][0];
	return r;
}

int
registration_write(const char *dir, const struct acme_account *a, const struct acme_directory *d,
    int64_t single)
{
	char when[32];
	struct buf text = BUF(file_mem), until = BUF(when);
	const char *path = registration_path(dir, "account"), *out;
	const struct field *f;

	for (f = fields; f < fields + FIELDS; f++) {
		out = (f->of == CA ? (const char *)d : (const char *)a) + f->at;
		if (jws_clean(out))	/* what could not be read again is done without */
			kv_put(&text, f->name, slice(out));
	}
	if (single) {
		buf_time(&until, single);
		kv_put(&text, "singleUntil", buf_view(&until));
	}
	if (d->external_account_required)
		kv_put(&text, "externalAccountRequired", slice("1"));
	if (text.err || store_write(path, buf_view(&text)) < 0)
		return store_failed("cannot write", path);
	return 0;
}
