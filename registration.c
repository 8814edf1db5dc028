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

/* Both halves, so that one table names the texts of either. */
static struct both {
	struct acme_account account;
	struct acme_directory dir;
} both;

static const struct field {
	const char *name;
	char *text;
	size_t size;
} fields[] = {
	{ "url", both.account.url, sizeof(both.account.url) },
	{ "status", both.account.status, sizeof(both.account.status) },
	{ "contact", both.account.contact, sizeof(both.account.contact) },
	{ "orders", both.account.orders, sizeof(both.account.orders) },
	{ "newNonce", both.dir.url[EP_NEW_NONCE], LIMIT_URL },
	{ "newAccount", both.dir.url[EP_NEW_ACCOUNT], LIMIT_URL },
	{ "newOrder", both.dir.url[EP_NEW_ORDER], LIMIT_URL },
	{ "revokeCert", both.dir.url[EP_REVOKE], LIMIT_URL },
	{ "keyChange", both.dir.url[EP_KEY_CHANGE], LIMIT_URL },
	{ "renewalInfo", both.dir.url[EP_RENEWAL_INFO], LIMIT_URL },
	{ "terms", both.dir.terms, sizeof(both.dir.terms) },
	{ "profiles", both.dir.profiles, sizeof(both.dir.profiles) },
	{ "caa", both.dir.caa, sizeof(both.dir.caa) },
};
enum { FIELDS = sizeof(fields) / sizeof(*fields) };

const char *
registration_path(const char *dir, const char *file)
{
	static char mem[LIMIT_PATH];
	struct buf b = BUF(mem);

	buf_all(&b, dir, "/", file, (char *)0);
	return buf_text(&b);
}

static int
parse(struct slice text, const char *path)
{
	struct slice v;
	size_t i;

	for (i = 0; i < FIELDS; i++) {
		v = kv_get(text, fields[i].name);
		if (v.p && v.n && (slice_copy(v, fields[i].text, fields[i].size) < 0 ||
		    !jws_clean(fields[i].text)))
			return fail(ST_CONFIG, store_home(), "/", path, ": bad value of ",
			    fields[i].name, (char *)0);
	}
	v = kv_get(text, "externalAccountRequired");
	both.dir.external_account_required = v.p && slice_is(v, "1");
	return 0;
}

int
registration_read(const char *dir, struct acme_account *a, struct acme_directory *d, int *cached,
    int64_t *single)
{
	static char mem[LIMIT_CONF];
	struct buf text = BUF(mem);
	const char *path = registration_path(dir, "account");
	int r = 0;

	*single = 0;
	memset(&both, 0, sizeof(both));
	if (store_read(path, &text) == 0) {
		r = parse(buf_view(&text), path);
		time_rfc3339(kv_get(buf_view(&text), "singleUntil"), single);
	}
	else if (errno != ENOENT)
		r = store_unread(path);
	*a = both.account;
	*d = both.dir;
	*cached = d->url[EP_NEW_NONCE][0] && d->url[EP_NEW_ACCOUNT][0] && d->url[EP_NEW_ORDER][0];
	return r;
}

int
registration_write(const char *dir, const struct acme_account *a, const struct acme_directory *d,
    int64_t single)
{
	char when[32];
	struct buf until = BUF(when);
	static char mem[LIMIT_CONF];
	struct buf text = BUF(mem);
	const char *path = registration_path(dir, "account");
	size_t i;

	both.account = *a;
	both.dir = *d;
	for (i = 0; i < FIELDS; i++)
		if (jws_clean(fields[i].text))	/* what could not be read again is done without */
			kv_put(&text, fields[i].name, slice(fields[i].text));
	if (single) {
		buf_time(&until, single);
		kv_put(&text, "singleUntil", buf_view(&until));
	}
	if (both.dir.external_account_required)
		kv_put(&text, "externalAccountRequired", slice("1"));
	if (text.err || store_write(path, buf_view(&text)) < 0)
		return store_failed("cannot write", path);
	return 0;
}
