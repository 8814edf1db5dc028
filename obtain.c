/*
 * obtain.c - one certificate from the account to live files (RFC 8555 7.4).
 * Everything that must survive a crash is on disk before the step that needs
 * it: the key, then the order's URL, then each hook's call, then what is owed,
 * then the new generation; the one rename of `live` comes last.  So a second
 * run finds its way from wherever the first was cut off.
 */
#include <errno.h>
#include <string.h>

#include "account.h"
#include "acme.h"
#include "asn1.h"
#include "base64.h"
#include "chain.h"
#include "challenge.h"
#include "conf.h"
#include "json.h"
#include "key.h"
#include "keyinfo.h"
#include "name.h"
#include "obtain.h"
#include "renewal.h"
#include "store.h"
#include "util.h"

enum { ORDER_AGE = 7 * 86400 };	/* s after which an order is not resumed */

static struct acme_order order;
static struct key key;
static char text_mem[LIMIT_CHAIN];	/* whatever file is at hand */

/* --- the key of the certificate: on disk before the order is made --- */

/* Reads a PEM key from a file in HOME; 0, 1 there is none, or a status, printed. */
static int
read_key(const char *path)
{
	static char mem[LIMIT_PEM_KEY];
	struct buf b = BUF(mem);
	const char *why;
	int r = 0;

	if (store_read(path, &b) < 0)
		r = errno == ENOENT ? 1 : fail(ST_CONFIG, "key ", path, ":", (char *)0);
	else if (key_read(&key, buf_view(&b), &why) < 0)
		r = fail(ST_CONFIG, "key ", store_home(), "/", path, ": ", why, (char *)0);
	wipe(mem, sizeof(mem));
	return r;
}

static int
write_key(const char *path)
{
	static char mem[LIMIT_PEM_KEY];
	struct buf b = BUF(mem);
	int r;

	key_write(&key, &b);
	r = store_write(path, buf_view(&b)) < 0 ? store_failed("cannot write", path) : 0;
	wipe(mem, sizeof(mem));
	return r;
}

int
obtain_key_file(const char *file, struct key *k)
{
	static char mem[LIMIT_PEM_KEY];
	struct buf b = BUF(mem);
	const char *why;
	int r = 0;

	if (conf_file(file, &b) < 0)
		r = fail(ST_CONFIG, "key ", file, ":", (char *)0);
	else if (key_read(k, buf_view(&b), &why) < 0)
		r = fail(ST_CONFIG, "key ", file, ": ", why, (char *)0);
	wipe(mem, b.len);
	return r;
}

static enum key_type
wanted_type(const struct conf *c)
{
	return c->key_type ? key_type(c->key_type) : KEY_EC256;
}

/* The key that the user wants to have again, into `key`: 0, 1 none, or a status, printed. */
static int
wanted_key(const char *name, const struct conf *c, const struct renewal *st)
{
	char live[LIMIT_PATH];
	int r;

	if (c->key)
		return obtain_key_file(c->key, &key);
	if (!c->reuse_key || !st->live ||
	    store_file(live, sizeof(live), name, 0, "privkey.pem") < 0)
		return 1;
	r = read_key(live);
	return r == 0 && c->key_type && key.type != wanted_type(c) ? 1 : r;
}

/*
 * The key for the order under way, into `key`, and on disk: one of the
 * user's, else that of a run that was cut off, else a new one.  *fresh: no
 * earlier order can be for it.
 */
static int
prepare_key(const char *name, const struct conf *c, const struct renewal *st, int *fresh)
{
	static struct key pending;
	struct pk pk;
	int r, left;

	*fresh = 1;
	if (store_mkdir(store_cert_path(name, "/pending")) < 0)
		return store_failed("cannot make", store_cert_path(name, "/pending"));
	left = read_key(store_cert_path(name, "/pending/privkey.pem"));
	if (left > 1)
		return left;
	pending = key;
	r = wanted_key(name, c, st);
	if (r == 1 && left == 0 && pending.type == wanted_type(c)) {
		key = pending;
		r = 0;
	} else if (r == 1) {
		r = key_make(&key, wanted_type(c));
	}
	if (r == 0 && left == 0) {
		key_public(&key, &pk);
		*fresh = !key_same(&pending, &pk);
	}
	key_wipe(&pending);
	return r || !*fresh ? r : write_key(store_cert_path(name, "/pending/privkey.pem"));
}

/* --- the order --- */

/* {"identifiers":[{"type":"dns","value":"a"},...]} */
static void
order_payload(struct buf *b, const struct conf *c)
{
	unsigned char address[16];
	unsigned i;

	buf_str(b, "{\"identifiers\":[");
	for (i = 0; i < c->names; i++) {
		buf_all(b, i ? "," : "", "{\"type\":\"",
		    name_address(c->name[i], address) ? "ip" : "dns",
		    "\",\"value\":", (char *)0);
		json_quote(b, slice(c->name[i]));
		buf_char(b, '}');
	}
	buf_str(b, "]}");
}

static void
join_names(struct buf *b, const struct conf *c)
{
	unsigned i;

	for (i = 0; i < c->names; i++)
		buf_all(b, i ? " " : "", c->name[i], (char *)0);
	buf_text(b);
}

static int
remember_order(const char *name, const struct conf *c)
{
	static char mem[LIMIT_CONF];
	char names[LIMIT_NAMES * (LIMIT_NAME + 1)], at[32];
	struct buf b = BUF(mem), n = BUF(names), t = BUF(at);

	join_names(&n, c);
	buf_time(&t, now_wall());
	kv_put(&b, "url", slice(order.url));
	kv_put(&b, "server", slice(conf_directory(c)));
	kv_put(&b, "names", buf_view(&n));
	kv_put(&b, "at", buf_view(&t));
	if (store_write(store_cert_path(name, "/pending/order"), buf_view(&b)) < 0)
		return store_failed("cannot write", store_cert_path(name, "/pending/order"));
	return 0;
}

/* The URL of an order that a cut-off run left and that is still what is wanted; 0 if none. */
static int
remembered_order(const char *name, const struct conf *c)
{
	static char mem[LIMIT_CONF];
	char names[LIMIT_NAMES * (LIMIT_NAME + 1)];
	struct buf b = BUF(mem), n = BUF(names);
	struct slice text, url, v;
	int64_t at;

	memset(&order, 0, offsetof(struct acme_order, arena));
	if (store_read(store_cert_path(name, "/pending/order"), &b) < 0)
		return 0;
	join_names(&n, c);
	text = buf_view(&b);
	url = kv_get(text, "url");
	v = kv_get(text, "at");
	if (!url.p || !v.p || time_rfc3339(v, &at) < 0 ||
	    at < now_wall() - ORDER_AGE || at > now_wall() + 86400)
		return 0;
	v = kv_get(text, "names");
	if (!v.p || !slice_is(v, names))
		return 0;
	v = kv_get(text, "server");
	return v.p && slice_is(v, conf_directory(c)) &&
	    slice_copy(url, order.url, sizeof(order.url)) == 0;
}

static int
new_order(const struct conf *c)
{
	static char mem[LIMIT_CONF];
	struct buf b = BUF(mem);
	int r;

	order_payload(&b, c);
	buf_text(&b);
	account_payload(ACME_NEW_ORDER, buf_view(&b));
	r = b.err ? fail(ST_USAGE, "the names together are longer than the limit", (char *)0) :
	    acme_new_order(&order) < 0 ? account_failed() : 0;
	account_payload(ACME_NEW_ORDER, (struct slice){ 0, 0 });
	return r;
}

/* Goes on with the order of a cut-off run, else makes one. */
static int
open_order(const char *name, const struct conf *c, int fresh_key)
{
	int r;

	if (!fresh_key && remembered_order(name, c)) {
		if (acme_order(&order) == 0 && order.status != ACME_INVALID) {
			note(1, "going on with order ", order.url, (char *)0);
			return 0;
		}
		if (stop_signal() || acme_why()->status == ST_NET)
			return account_failed();
		note(1, "the order of the last run is of no use any more", (char *)0);
	}
	if (store_remove(store_cert_path(name, "/pending/order")) < 0)
		return store_failed("cannot remove", store_cert_path(name, "/pending/order"));
	r = new_order(c);
	return r ? r : remember_order(name, c);
}

/* --- authorizations --- */

/* One authorization after the other: set up, wait, validate, clean up (--serial). */
static int
authorize_serial(const char *name, const struct conf *c)
{
	unsigned i;
	int r = 0;

	for (i = 0; r == 0 && i < order.count; i++) {
		if (order.authz[i].status != ACME_PENDING)
			continue;
		r = challenge_begin(name, c, &order, i, i + 1);
		if (r == 0)
			r = challenge_ready(name, c);
		if (r == 0 && (acme_answer(&order) < 0 ||
		    acme_wait_authorization(&order, i) < 0))
			r = account_failed();
		challenge_end(name, c, r ? last_failure() : 0);
		/* taken down: an equal challenge of a later one is to be set up again */
		order.authz[i].chosen = -1;
	}
	return r;
}

static int
authorize_batch(const char *name, const struct conf *c)
{
	int r = challenge_begin(name, c, &order, 0, order.count);

	if (r == 0)
		r = challenge_ready(name, c);
	if (r == 0 && (acme_answer(&order) < 0 || acme_wait(&order) < 0))
		r = account_failed();
	challenge_end(name, c, r ? last_failure() : 0);
	return r;
}

static unsigned
pending_authorizations(void)
{
	unsigned i, n = 0;

	for (i = 0; i < order.count; i++)
		n += order.authz[i].status == ACME_PENDING;
	return n;
}

static int
authorize(const char *name, const struct conf *c)
{
	int r;

	if (order.status != ACME_PENDING)
		return 0;
	if (acme_authorizations(&order) < 0)
		return account_failed();
	r = challenge_authorizations(c, &order);
	if (r == 0 && pending_authorizations())
		r = c->serial ? authorize_serial(name, c) : authorize_batch(name, c);
	if (r == 0 && order.status == ACME_PENDING && acme_wait(&order) < 0)
		r = account_failed();
	return r;
}

/* --- the certificate --- */

static int
sign_csr(void *ctx, const void *p, size_t n, struct buf *sig)
{
	return key_sign_der(ctx, p, n, sig);
}

/* {"csr":"..."} for our key and the names of c. */
static int
finalize(const struct conf *c)
{
	static char der_mem[LIMIT_REQUEST / 2], mem[LIMIT_REQUEST];
	static struct san san[LIMIT_NAMES];
	static unsigned char address[LIMIT_NAMES][16];
	struct buf der = BUF(der_mem), b = BUF(mem);
	struct pk pk;
	unsigned i;
	int n, r;

	for (i = 0; i < c->names; i++) {
		n = name_address(c->name[i], address[i]);
		san[i].ip = n > 0;
		san[i].s = slice(c->name[i]);
		if (n) {
			san[i].s.p = (const char *)address[i];
			san[i].s.n = (size_t)n;
		}
	}
	key_public(&key, &pk);
	if (csr_write(&der, &pk, san, c->names, sign_csr, &key) < 0)
		return fail(ST_CONFIG, "cannot make the certificate request", (char *)0);
	buf_str(&b, "{\"csr\":\"");
	base64url_encode(&b, der.p, der.len);
	buf_str(&b, "\"}");
	account_payload(ACME_FINALIZE, buf_view(&b));
	r = acme_finalize(&order) < 0 ? account_failed() : 0;
	account_payload(ACME_FINALIZE, (struct slice){ 0, 0 });
	return r;
}

/* Fetches the chain and checks it; texts in the two static buffers. */
static int
download(const struct conf *c, struct chain *chain)
{
	static char full[LIMIT_CHAIN];
	struct buf pem = BUF(text_mem), out = BUF(full);
	const char *why;

	if (acme_certificate(&order, 0, &pem) < 0)
		return account_failed();
	if (chain_check(chain, buf_view(&pem), c, &key, &out, &why) == 0)
		return 0;
	return fail(ST_PROTO, "the certificate from the CA is not used: ", why, (char *)0);
}

/* 1 if the live certificate is that one already (the last run was cut off after its commit). */
static int
is_live(const char *name, const struct chain *chain)
{
	struct buf b = BUF(text_mem);
	char path[LIMIT_PATH];

	if (store_file(path, sizeof(path), name, 0, "cert.pem") < 0 || store_read(path, &b) < 0)
		return 0;
	return chain->cert.p && b.len == chain->cert.n &&
	    memcmp(b.p, chain->cert.p, b.len) == 0;
}

static int
keep_none(void *ctx, int number)
{
	(void)ctx;
	(void)number;
	return 0;
}

/* Makes the new files live and records what they owe. */
static int
commit(const char *name, const struct conf *c, struct renewal *st, const struct chain *chain)
{
	static char pem_mem[LIMIT_PEM_KEY];
	struct buf pem = BUF(pem_mem);
	struct store_files f;
	int r, number = 0;

	if (is_live(name, chain))
		return 0;
	key_write(&key, &pem);
	f.privkey = buf_view(&pem);
	f.cert = chain->cert;
	f.chain = chain->chain;
	f.fullchain = chain->fullchain;
	r = store_stage(name, &f, &number);
	wipe(pem_mem, sizeof(pem_mem));
	if (r < 0)
		return store_failed("cannot write", store_cert_path(name, ""));
	r = renewal_owe(st, c);
	if (r == 0)
		r = renewal_write(name, st);
	if (r == 0 && store_commit(name, number) < 0)
		r = store_failed("cannot switch", store_cert_path(name, "/live"));
	if (r == 0 && store_prune(name, keep_none, 0) < 0)
		warn("cannot remove old files of ", name, ":", (char *)0);
	return r;
}

/* After the commit: the order is done with, and the next one is planned. */
static int
conclude(const char *name, const struct conf *c, struct renewal *st, const struct chain *chain)
{
	st->live = store_live(name);
	st->not_before = chain->not_before;
	st->not_after = chain->not_after;
	slice_copy(slice(chain->serial), st->serial, sizeof(st->serial));
	slice_copy(slice(chain->ari), st->ari, sizeof(st->ari));
	slice_copy(slice(conf_directory(c)), st->server, sizeof(st->server));
	st->window_start = st->window_end = st->chosen = st->ask = 0;
	st->next = renewal_due(st->not_before, st->not_after, c->days);
	st->pending = 0;
	st->failures = 0;
	st->back_off = st->revoked = 0;
	st->error[0] = 0;
	if (store_remove_tree(store_cert_path(name, "/pending")) < 0)
		return store_failed("cannot remove", store_cert_path(name, "/pending"));
	return renewal_write(name, st);
}

/* The account, for a key that is not its own: 0, OWN_KEY, or a status; printed. */
enum { OWN_KEY = -1 };
static int
open_account(const struct conf *c)
{
	struct pk pk;
	int r = account_open(c, conf_directory(c), ACCOUNT_CREATE);

	if (r)
		return r;
	key_public(&key, &pk);
	if (!account_same_key(&pk))
		return 0;
	fail(ST_CONFIG, "the certificate's key is the account's key;"
	    " CAs do not allow that", (char *)0);
	return OWN_KEY;
}

/* From the order to a chain that may be used. */
static int
complete(const char *name, const struct conf *c, struct chain *chain)
{
	int r = challenge_identifiers(c, &order);

	if (r == 0)
		r = authorize(name, c);
	if (r == 0 && (order.status != ACME_VALID || !order.certificate[0]))
		r = finalize(c);
	progress(0, 0, 0, 0);
	return r ? r : download(c, chain);
}

int
obtain(const char *name, const struct conf *c, struct renewal *st)
{
	struct chain chain = { 0 };
	int fresh, r;

	r = prepare_key(name, c, st, &fresh);
	if (r == 0)
		r = open_account(c);
	if (r == OWN_KEY) {
		/* a key that no CA will take is not for the next run */
		store_remove(store_cert_path(name, "/pending/privkey.pem"));
		r = ST_CONFIG;
	}
	if (r == 0)
		r = open_order(name, c, fresh);
	if (r == 0)
		r = complete(name, c, &chain);
	if (r == 0)
		r = commit(name, c, st, &chain);
	if (r == 0)
		r = conclude(name, c, st, &chain);
	key_wipe(&key);
	return r;
}

/* Removes what a dry run made for its journal. */
static void
tidy(const char *name, int known)
{
	int id;

	if (!known)
		store_remove_tree(store_cert_path(name, ""));
	else if (!store_exists(store_cert_path(name, "/pending/order")) &&
	    !store_exists(store_cert_path(name, "/pending/privkey.pem")) &&
	    store_journal(name, &id, 1) == 0)
		store_remove_tree(store_cert_path(name, "/pending"));
}

int
obtain_dry_run(const char *name, const struct conf *c, int known)
{
	struct chain chain = { 0 };
	int r;

	r = c->key ? obtain_key_file(c->key, &key) : key_make(&key, wanted_type(c));
	if (r == 0)
		r = open_account(c);
	if (r == 0)
		r = new_order(c);
	if (r == 0)
		r = complete(name, c, &chain);
	key_wipe(&key);
	tidy(name, known);
	if (r == OWN_KEY)
		r = ST_CONFIG;
	if (r == 0)
		note(0, "the dry run succeeded at ", conf_directory(c), (char *)0);
	return r;
}

