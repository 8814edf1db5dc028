/*
 * rollover.c - key change (RFC 8555 7.3.5).  The next key is on disk, synced,
 * before the CA hears of it; whether it took effect is never told by the reply,
 * since servers answer 200 and change nothing, or change it and the answer is
 * lost: newAccount is asked under the next key, then under the old one.
 */
#include <string.h>

#include "account.h"
#include "acme.h"
#include "conf.h"
#include "jws.h"
#include "key.h"
#include "keyfile.h"
#include "keyinfo.h"
#include "registration.h"
#include "rollover.h"
#include "store.h"
#include "talker.h"
#include "util.h"

/* The next key into k, and on disk. */
static int
prepare(const struct conf *c, struct key *k)
{
	enum key_type type = c->account_key_type ? key_type(c->account_key_type) :
	    (enum key_type)account_key_type();
	struct pk pk;
	int r = c->key ? keyfile_foreign(c->key, k) : key_make(k, type);

	if (r)
		return r;
	key_public(k, &pk);
	if (account_same_key(&pk))
		return fail(ST_CONFIG, "key ", c->key, ": that is the account's key already", (char *)0);
	return keyfile_write(registration_path(account_dir(), "key.pem.next"), k);
}

/* Sends the request: 0, or -1 and talker_why(). */
static int
request(struct key *k, const char *url)
{
	char mem[8 * 1024];
	struct buf b = BUF(mem);
	struct jws_key next;
	struct pk pk;
	int r;

	account_bridge(&next, k, &pk);
	if (jws_key_change(&b, account_jws(), &next, account_url(), url) < 0)
		return -1;
	account_payload(ACME_KEY_CHANGE, buf_view(&b));
	r = talker_post(ACME_KEY_CHANGE, url);
	account_payload(ACME_KEY_CHANGE, (struct slice){ 0, 0 });
	return r;
}

/* The change was not made: why, as far as the reply tells. */
static int
unchanged(int answered, const struct acme_problem *why, enum account_settled what)
{
	static const char stays[] = " - the old key stays";

	if (what == SETTLED_TAKEN || (!answered && why->http == 409))
		return fail(ST_REFUSED, "key change: another account at the CA has that key", stays, (char *)0);
	if (answered)
		return fail(ST_PROTO, "key change: the CA answers that it was made, but it was not",
		    stays, (char *)0);
	if (why->http == 501)
		return fail(ST_REFUSED, why->text, "; this CA does not change keys", stays, (char *)0);
	return fail((enum status)why->status, why->text, stays, (char *)0);
}

static int
change(struct key *k, const char *url)
{
	static struct acme_problem why;
	enum account_settled what;
	int answered = request(k, url) == 0, r;

	if (!answered)
		why = *talker_why();
	r = account_settle(&what);
	if (r)
		return r;
	return what == SETTLED_NEW ? 0 : unchanged(answered, &why, what);
}

int
rollover(const struct conf *c, const char *url)
{
	static struct key next;
	const char *endpoint;
	int r = account_open(c, url, ACCOUNT_CHANGE);

	if (r)
		return r;
	endpoint = talker_directory(0)->url[EP_KEY_CHANGE];
	if (!*endpoint)
		return fail(ST_REFUSED, "this CA does not change keys (its directory has no keyChange);"
		    " the old key stays - acme account deactivate, then register makes a new account", (char *)0);
	r = prepare(c, &next);
	if (r == 0)
		r = change(&next, endpoint);
	key_wipe(&next);
	return r;
}
