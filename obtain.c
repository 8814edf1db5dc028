/*
 * obtain.c - one certificate from the account to live files (RFC 8555 7.4),
 * by the first CA of several that does not fail for a reason of its own.
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
#include "due.h"
#include "key.h"
#include "keyfile.h"
#include "keyinfo.h"
#include "obtain.h"
#include "order.h"
#include "renewal.h"
#include "request.h"
#include "store.h"
#include "talker.h"
#include "util.h"

static struct acme_order order LARGE;
static struct key key;
static struct request foreign;		/* pk 0: the certificate is for our key */
static char text_mem[LIMIT_CHAIN] LARGE, full_mem[LIMIT_CHAIN] LARGE;	/* whatever is at hand */
/* How far an attempt came: it depends whether another CA could do better. */
static enum stage { AT_ACCOUNT, AT_ORDER, AT_CHALLENGES, AT_FINALIZE, AT_CHAIN, AT_FILES } stage;
static int key_refused;			/* it is an account's key */

/* --- the key of the certificate: on disk before the order is made --- */

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
		return keyfile_foreign(c->key, &key);
	if (!c->reuse_key || !st->live ||
	    store_file(live, sizeof(live), name, 0, "privkey.pem") < 0)
		return 1;
	r = keyfile_read(live, &key);
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
	left = keyfile_read(store_cert_path(name, "/pending/privkey.pem"), &key);
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
	return r || !*fresh ? r : keyfile_write(store_cert_path(name, "/pending/privkey.pem"), &key);
}

/*
 * What the certificate is to be for, our key or a foreign request.  fresh 0: a
 * dry run, which keeps nothing.
 */
static int
prepare(const char *name, const struct conf *c, const struct renewal *st, int *fresh)
{
	foreign.pk = 0;
	if (fresh && store_mkdir(store_cert_path(name, "/pending")) < 0)
		return store_failed("cannot make", store_cert_path(name, "/pending"));
	if (c->csr)
		return request_open(name, c, &foreign, fresh);
	if (fresh)
		return prepare_key(name, c, st, fresh);
	return c->key ? keyfile_foreign(c->key, &key) : key_make(&key, wanted_type(c));
}

/* The certificate's public key. */
static const struct pk *
public_key(void)
{
	static struct pk own;

	if (foreign.pk)
		return foreign.pk;
	key_public(&key, &own);
	return &own;
}

/* --- authorizations --- */

/* One authorization after the other: set up, wait, validate, clean up (--serial). */
static int
authorize_serial(const char *name, const struct conf *c)
{
	unsigned i;
	int r = 0, ended;

	for (i = 0; r == 0 && i < order.count; i++) {
		if (order.authz[i].status != ACME_PENDING)
			continue;
		r = challenge_begin(name, c, &order, i, i + 1);
		if (r == 0)
			r = challenge_ready(name, c, &order, i, i + 1);
		if (r == 0 && (talker_answer(&order) < 0 ||
		    talker_wait_authorization(&order, i) < 0))
			r = account_failed();
		ended = challenge_end(name, c, r ? last_failure() : 0);
		r = r ? r : ended;
		/* taken down: an equal challenge of a later one is to be set up again */
		order.authz[i].chosen = -1;
	}
	return r;
}

static int
authorize_batch(const char *name, const struct conf *c)
{
	int r = challenge_begin(name, c, &order, 0, order.count), ended;

	if (r == 0)
		r = challenge_ready(name, c, &order, 0, order.count);
	if (r == 0 && (talker_answer(&order) < 0 || talker_wait(&order) < 0))
		r = account_failed();
	ended = challenge_end(name, c, r ? last_failure() : 0);
	return r ? r : ended;
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
	if (talker_authorizations(&order, challenge_types(c)) < 0)
		return account_failed();
	r = challenge_authorizations(c, &order);
	if (r == 0 && pending_authorizations())
		r = c->serial ? authorize_serial(name, c) : authorize_batch(name, c);
	if (r == 0 && order.status == ACME_PENDING && talker_wait(&order) < 0)
		r = account_failed();
	return r;
}

/* --- the certificate --- */

/* {"csr":"..."}: the foreign request, or one for our key and the names of c. */
static int
finalize(const struct conf *c)
{
	struct buf own, b;
	struct slice der = foreign.der;
	int r;

	/* base64 twice: in the payload, and around it */
	buf_init(&own, full_mem, LIMIT_REQUEST / 16 * 9);
	buf_init(&b, text_mem, LIMIT_REQUEST / 4 * 3);
	if (!foreign.pk) {
		if (request_write(&own, c, &key) < 0)
			return own.err ? fail(ST_USAGE, "the names together are too long"
			    " for a request of 50000 bytes", (char *)0) :
			    fail(ST_CONFIG, "cannot make the certificate request", (char *)0);
		der = buf_view(&own);
	}
	buf_str(&b, "{\"csr\":\"");
	base64url_encode(&b, der.p, der.n);
	buf_str(&b, "\"}");
	if (b.err)
		return fail(ST_CONFIG, "the certificate request is too large", (char *)0);
	account_payload(ACME_FINALIZE, buf_view(&b));
	r = talker_finalize(&order) < 0 ? order_failed() : 0;
	account_payload(ACME_FINALIZE, (struct slice){ 0, 0 });
	return r;
}

/*
 * Fetches chain number i (0: the CA's default) and checks it; its texts are in
 * the static buffers, where there is room for one.  0, NO_CHAIN, or a status, printed.
 */
enum { NO_CHAIN = -1 };
static int
fetch_chain(const struct conf *c, unsigned i, struct chain *chain)
{
	struct buf pem = BUF(text_mem), out = BUF(full_mem);
	const char *why;
	int r = talker_certificate(&order, i, &pem);

	if (r)
		return r > 0 ? NO_CHAIN : account_failed();
	stage = AT_CHAIN;
	program_drop();
	if (chain_check(chain, buf_view(&pem), c, public_key(), &out, &why) == 0)
		return 0;
	return fail(ST_PROTO, "the certificate from the CA is not used: ", why, (char *)0);
}

/* The chain to be used: the default, or the best for --chain of all that the CA has. */
static int
download(const struct conf *c, struct chain *chain)
{
	char mem[1024];
	struct buf offered = BUF(mem);
	unsigned i, best = 0, held = 0;
	int r = fetch_chain(c, 0, chain), rank, one;

	if (r || !c->chain)
		return r;
	rank = chain_rank(chain->fullchain, c->chain, &offered);
	for (i = 1; i <= LIMIT_ALTERNATES && rank != CHAIN_ROOT && !stop_signal(); i++) {
		held = i;
		r = fetch_chain(c, i, chain);
		if (r == NO_CHAIN)
			break;
		if (r)
			warn("this chain of the CA's is passed over", (char *)0);
		one = r ? CHAIN_OTHER : chain_rank(chain->fullchain, c->chain, &offered);
		if (one > rank) {
			best = i;
			rank = one;
		}
	}
	if (rank == CHAIN_OTHER)
		warn("the CA's default chain is used, since none has an issuer called \"", c->chain,
		    "\"; there are ", buf_text(&offered), (char *)0);
	return best == held ? 0 : fetch_chain(c, best, chain);
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
	struct store_files f = { 0 };
	int r, number = 0;

	if (is_live(name, chain))
		return 0;
	if (!foreign.pk) {
		key_write(&key, &pem);
		f.privkey = buf_view(&pem);
	}
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
	int r;

	program_drop();
	st->live = store_live(name);
	st->not_before = chain->not_before;
	st->not_after = chain->not_after;
	slice_copy(slice(chain->serial), st->serial, sizeof(st->serial));
	slice_copy(slice(chain->ari), st->ari, sizeof(st->ari));
	slice_copy(slice(conf_directory(c)), st->server, sizeof(st->server));
	due_plan(st, c->days);
	st->pending = 0;
	st->failures = 0;
	st->back_off = st->revoked = 0;
	st->error[0] = 0;
	/* in this order: who is cut off before goes on with it, who is after has nothing to do */
	r = renewal_write(name, st);
	if (r) {
		st->pending = 1;
		return r;
	}
	if (!foreign.pk && store_remove(store_cert_path(name, "/request.pem")) < 0)
		return store_failed("cannot remove", store_cert_path(name, "/request.pem"));
	return store_remove_tree(store_cert_path(name, "/pending")) < 0 ?
	    store_failed("cannot remove", store_cert_path(name, "/pending")) : 0;
}

/* --- one CA, or several --- */

/* The account, for a certificate whose key is not its own: 0 or a status, printed. */
static int
open_account(const struct conf *c)
{
	int r;

	if (!conf_directory(c))
		return fail(ST_CONFIG, "no staging directory is known for this CA", (char *)0);
	r = account_open(c, conf_directory(c), ACCOUNT_CREATE);
	if (r || !account_same_key(public_key()))
		return r;
	key_refused = 1;
	return fail(ST_CONFIG, "the certificate's key is the account's key;"
	    " CAs do not allow that", (char *)0);
}

/* From the order to a chain that may be used. */
static int
complete(const char *name, const struct conf *c, struct chain *chain)
{
	int r = challenge_identifiers(c, &order);

	stage = AT_CHALLENGES;
	if (r == 0)
		r = authorize(name, c);
	if (r)
		return r;
	stage = AT_FINALIZE;
	program_drop();
	if (order.status != ACME_VALID || !order.certificate[0])
		r = finalize(c);
	progress(0, 0, 0, 0);
	return r ? r : download(c, chain);
}

/* A certificate from the CA that c->server_at names; st 0: a dry run. */
static int
attempt(const char *name, const struct conf *c, struct renewal *st, int fresh)
{
	struct chain chain = { 0 };
	int r;

	stage = AT_ACCOUNT;
	r = open_account(c);
	if (r)
		return r;
	stage = AT_ORDER;
	r = st ? order_open(name, c, st, fresh, &order) : order_new(name, c, 0, &order);
	if (r == 0)
		r = complete(name, c, &chain);
	/* what is not used now is not used by the next run either */
	if (st && ((r == ST_PROTO && stage == AT_CHAIN) ||
	    /* an order whose names the CA refused may stay pending for days */
	    (r == ST_REFUSED && order.status == ACME_PENDING)))
		order_forget(name);
	if (r || !st)
		return r;
	stage = AT_FILES;
	program_drop();		/* what comes now is other code than what came before */
	r = commit(name, c, st, &chain);
	return r ? r : conclude(name, c, st, &chain);
}

/* 1 if an attempt failed for a reason that another CA need not have. */
static int
own_reason(int status)
{
	if (stop_signal() || status == ST_STORE || status == ST_USAGE || stage == AT_FILES)
		return 0;
	if (stage != AT_CHALLENGES || status == ST_NET || status == ST_LATER || status == ST_PROTO)
		return 1;
	/* a challenge that fails would fail there too, but CAA records speak of one CA */
	return status == ST_REFUSED && strcmp(talker_why()->type, "caa") == 0;
}

/* Tries the CAs of c, that one first, then the others in their order. */
static int
try_servers(const char *name, struct conf *c, struct renewal *st, int fresh, unsigned first)
{
	const char *failed;
	unsigned i;
	int r;

	c->server_at = first;
	for (i = 1;; i++) {
		r = attempt(name, c, st, fresh);
		if (r == 0 || i == conf_servers(c) || !own_reason(r))
			return r;
		failed = c->server.v[c->server_at];
		account_close();
		c->server_at = i <= first ? i - 1 : i;
		warn(failed, " failed - trying ", c->server.v[c->server_at], (char *)0);
	}
}

/* Where an order is under way, else where the live certificate came from, else the first. */
static unsigned
first_server(const char *name, const struct conf *c, const struct renewal *st)
{
	int at = order_server(name, c);

	if (at < 0 && st->server[0])
		at = conf_server(c, slice(st->server));
	return at < 0 ? 0 : (unsigned)at;
}

int
obtain(const char *name, struct conf *c, struct renewal *st)
{
	int fresh = 1, r = prepare(name, c, st, &fresh);

	key_refused = 0;
	if (r == 0)
		r = try_servers(name, c, st, fresh, first_server(name, c, st));
	/* a key that no CA will take is not for the next run */
	if (r && key_refused)
		store_remove(store_cert_path(name, "/pending/privkey.pem"));
	key_wipe(&key);
	return r;
}

/* Removes what a dry run made for its journal. */
static void
tidy(const char *name, int known)
{
	int id = 0;

	if (!known)
		store_remove_tree(store_cert_path(name, ""));
	else if (!store_exists(store_cert_path(name, "/pending/order")) &&
	    !store_exists(store_cert_path(name, "/pending/privkey.pem")) &&
	    store_journal(name, &id, 1) == 0)
		store_remove_tree(store_cert_path(name, "/pending"));
}

int
obtain_dry_run(const char *name, struct conf *c, int known)
{
	int r = prepare(name, c, 0, 0);

	if (r == 0)
		r = try_servers(name, c, 0, 1, 0);
	key_wipe(&key);
	tidy(name, known);
	if (r == 0)
		note(0, "the dry run succeeded at ", conf_directory(c), (char *)0);
	return r;
}
