/*
 * account.c - the account at one CA (RFC 8555 7.3), and the keeper's side of
 * signing.  The account's key signs only payloads that were set here for that
 * kind of request, to an https URL.  Whatever is made of a key or a binding is
 * asked for before the first request is sent.
 */
#include <errno.h>
#include <string.h>

#include "account.h"
#include "acme.h"
#include "ca.h"
#include "conf.h"
#include "eab.h"
#include "jws.h"
#include "key.h"
#include "keyfile.h"
#include "keyinfo.h"
#include "registration.h"
#include "store.h"
#include "talker.h"
#include "tls.h"
#include "util.h"

enum {
	LOCK_WAIT = 120 * 1000,	/* ms; registration or key change by another run */
	SINGLE_FOR = 7 * 86400	/* s that a CA gets one request at a time for */
};

static struct {
	int open;
	enum account_mode mode;
	int enrolled;			/* the CA has confirmed it in this conversation */
	int locked, lock;		/* the descriptor of a lock that is kept */
	char server[LIMIT_URL];
	char dir[LIMIT_PATH];		/* accounts/... */
	struct key key;
	struct pk pk;
	struct jws_key jws;
	struct acme_account account;
	int cached;			/* the CA's directory was on file */
	int64_t single;			/* until then one request at a time, as the CA bore no more; 0 */
	struct tls_config tls;		/* its texts are these two: a caller's do not live as long */
	char ca_file[LIMIT_PATH], proxy[LIMIT_URL];
	struct slice payload[ACME_DEACTIVATE_AUTHZ + 1];
	struct key *other;		/* signs what names a key, not the account */
} ac;

/* --- signing --- */

void
account_bridge(struct jws_key *j, struct key *k, struct pk *pk)
{
	key_public(k, pk);
	j->alg = pk->type == PK_RSA ? JWS_RS256 :
	    pk->type == PK_P256 ? JWS_ES256 : JWS_ES384;
	j->a = pk->a;
	j->b = pk->b;
	j->sign = key_sign_raw;
	j->ctx = k;
}

void
account_payload(int kind, struct slice payload)
{
	ac.payload[kind] = payload;
}

void
account_sign_as(struct key *key)
{
	ac.other = key;
}

/* The talker's callback: one JWS for a request of that kind to that URL (6.2). */
static int
sign(void *ctx, enum acme_kind kind, const char *url, const char *nonce, struct buf *body)
{
	struct slice payload = { "", 0 };
	struct jws_key other;
	struct pk pk;
	const char *kid = ac.account.url;

	(void)ctx;
	if (strncmp(url, "https://", 8) != 0 || !jws_clean(url) || !jws_clean(nonce))
		return -1;
	if (kind == ACME_ANSWER)
		payload = slice("{}");
	else if (kind != ACME_GET)
		payload = ac.payload[kind];
	if (!payload.p)
		return -1;
	if (kind != ACME_GET)
		note(2, "payload ", kind == ACME_FINALIZE ? "{csr}" :
		    kind == ACME_REVOKE ? "{certificate}" : "",
		    kind == ACME_NEW_ORDER || kind == ACME_ANSWER ? payload.p : "", (char *)0);
	if ((kind == ACME_REVOKE || kind == ACME_NEW_ACCOUNT) && ac.other) {
		account_bridge(&other, ac.other, &pk);
		return jws_write(body, &other, 0, nonce, url, payload);
	}
	if (kind == ACME_NEW_ACCOUNT)
		kid = 0;
	else if (!kid[0])
		return -1;
	return jws_write(body, &ac.jws, kid, nonce, url, payload);
}

static void
trace(void *ctx, int level, const char *text)
{
	(void)ctx;
	note(level, text, (char *)0);
}

static void
tick(void *ctx, const char *what, unsigned seconds)
{
	(void)ctx;
	progress(what, 0, 0, seconds);
}

/* --- failures --- */

static const struct {
	const char *type, *hint;
} hints[] = {
	{ "accountDoesNotExist", "the CA does not know this account any more; acme account register"
	  " registers its key again" },
	{ "externalAccountRequired", "this CA wants an external account binding: --eab-kid ID and --eab-key FILE"
	  " from your account there" },
	{ "userActionRequired", "acme account update agrees to the CA's new terms" },
	{ "unauthorized", "" },
	{ "caa", "the CAA records of the domain must allow this CA" },
	{ "connection", "the CA must be able to reach this host; check address records, port and firewall" },
	{ "dns", "check the zone and its name servers" },
	{ "rejectedIdentifier", "this CA does not issue for that name" },
	{ "badSignatureAlgorithm", "try another --account-key-type" },
	{ "badCSR", "try another key type" },
};

static int
failed(const struct acme_problem *p)
{
	const char *hint = "";
	size_t i;

	for (i = 0; i < sizeof(hints) / sizeof(*hints); i++)
		if (strcmp(p->type, hints[i].type) == 0)
			hint = hints[i].hint;
	return fail((enum status)p->status, p->text, *hint ? " - " : "", hint,
	    p->link[0] ? "; see " : "", p->link, (char *)0);
}

int
account_failed(void)
{
	return failed(talker_why());
}

/* --- registration --- */

static int
same_key(struct key *a, struct key *b)
{
	struct pk pk;

	key_public(b, &pk);
	return key_same(a, &pk);
}

/* newAccount with that payload, signed by key, or by the account's for 0 (7.3). */
static int
new_account(struct key *key, struct slice payload, struct acme_account *out)
{
	int r;

	account_sign_as(key);
	account_payload(ACME_NEW_ACCOUNT, payload);
	r = talker_new_account(out);
	account_payload(ACME_NEW_ACCOUNT, (struct slice){ 0, 0 });
	account_sign_as(0);
	return r;
}

/* The account of a key, if the CA knows one (7.3.1): 0, or -1 and talker_why(). */
static int
look_up(struct key *key, struct acme_account *out)
{
	return new_account(key, slice("{\"onlyReturnExisting\":true}"), out);
}

int
account_save(void)
{
	return registration_write(ac.dir, &ac.account, talker_directory(0), ac.single);
}

/* Writes down what was found out of the CA on the way: another directory, or that it does not bear much. */
static void
remember(void)
{
	int fetched, bears_less = talker_single() && !ac.single;

	talker_directory(&fetched);
	if (!ac.open || ac.mode == ACCOUNT_NONE || !ac.account.url[0] || !(bears_less || (fetched && ac.cached)))
		return;
	if (bears_less)
		ac.single = now_wall() + SINGLE_FOR;
	lenient = 1;	/* it is of use only */
	account_save();
	lenient = 0;
}

/* The CA has told of the account: what it says is checked and kept. */
static int
enrolled(enum account_mode mode)
{
	const char *terms = talker_directory(0)->terms;
	int r = 0;

	if (!jws_clean(ac.account.url))
		return fail(ST_PROTO, "the account's URL has odd characters", (char *)0);
	if (strcmp(ac.account.status, "valid") != 0 && ac.account.status[0])
		return fail(ST_REFUSED, "the account is ", ac.account.status,
		    " - acme account deactivate moves it aside", (char *)0);
	if (ac.account.created)
		warn("registered an account at ", ac.server, *terms ?
		    "; its terms of service are " : "", terms, (char *)0);
	ac.enrolled = 1;
	if (store_mkdir(ac.dir) < 0)
		return store_failed("cannot make", ac.dir);
	if (mode == ACCOUNT_ADOPT)
		r = keyfile_write(registration_path(ac.dir, "key.pem"), &ac.key);
	return r ? r : account_save();
}

/* The payload that registers: agreement, contact, binding.  *bound: it has one. */
static int
registration(struct buf *b, const struct conf *c, int *bound)
{
	int r = eab_get(c, ac.server);

	*bound = r == 0;
	if (r > 0)
		return r;
	buf_str(b, "{\"termsOfServiceAgreed\":true");
	if (c->mail && strcmp(c->mail, "none") != 0)
		buf_all(b, ",\"contact\":[\"mailto:", c->mail, "\"]", (char *)0);
	if (*bound) {
		buf_str(b, ",\"externalAccountBinding\":");
		r = eab_write(b, &ac.jws, talker_directory(0)->url[EP_NEW_ACCOUNT]);
		eab_wipe();
	}
	buf_char(b, '}');
	return r < 0 && *bound ? fail(ST_CONFIG, "cannot make the external account binding",
	    (char *)0) : 0;
}

/*
 * A CA refuses a binding that has served, also if that was for this very key
 * and its answer got lost: then the account is there, and needs none.
 */
static int
enroll_new(const struct conf *c)
{
	char mem[8 * 1024];
	struct buf b = BUF(mem);
	struct acme_problem why;
	int bound, r = registration(&b, c, &bound);

	if (r)
		return r;
	if (new_account(0, buf_view(&b), &ac.account) == 0)
		return enrolled(ACCOUNT_CREATE);
	why = *talker_why();
	if (bound && why.status == ST_REFUSED && look_up(0, &ac.account) == 0)
		return enrolled(ACCOUNT_CREATE);
	ac.account.url[0] = 0;
	return failed(&why);
}

/* A new key, on disk; one of another type that was of no use is kept aside. */
static int
make_key(const struct conf *c)
{
	enum key_type t = c->account_key_type ? key_type(c->account_key_type) : KEY_EC256;
	int r, had = ac.key.type != KEY_NONE;

	/* the old one goes aside only when there is another */
	r = key_make(&ac.key, t);
	if (r)
		return r;
	if (had && store_rename(registration_path(ac.dir, "key.pem"), "key.pem.unused") < 0)
		return store_failed("cannot rename", registration_path(ac.dir, "key.pem"));
	account_bridge(&ac.jws, &ac.key, &ac.pk);
	if (store_mkdir(ac.dir) < 0)
		return store_failed("cannot make", ac.dir);
	return keyfile_write(registration_path(ac.dir, "key.pem"), &ac.key);
}

int
account_register(const struct conf *c, enum account_mode mode)
{
	int fits = !c->account_key_type || key_type(c->account_key_type) == ac.key.type, r = 0;

	if (ac.enrolled)
		return 0;
	/* a key that is there may be registered: then nothing else is needed */
	if (ac.key.type && look_up(0, &ac.account) == 0)
		return enrolled(mode);
	if (ac.key.type && talker_why()->status != ST_REFUSED)
		return account_failed();
	if (mode == ACCOUNT_ADOPT)
		return fail(ST_REFUSED, "the CA does not take the key in ", c->key, " as that of an account: ",
		    talker_why()->text, " - without --key, acme account register makes a new account", (char *)0);
	ac.account.url[0] = 0;
	r = eab_lacking(c, ac.server, talker_directory(0)->external_account_required);
	if (r == 0 && (!ac.key.type || !fits))
		r = make_key(c);
	return r ? r : enroll_new(c);
}

int
account_find(void)
{
	return look_up(0, &ac.account) < 0 ? account_failed() : 0;
}

int
account_post(int kind, struct slice payload)
{
	static struct acme_account reply;
	int r;

	account_payload(kind, payload);
	r = talker_account_post(kind, ac.account.url, &reply);
	account_payload(kind, (struct slice){ 0, 0 });
	if (r == 0)
		ac.account = reply;
	return r;
}

/* --- the key, and a change of it --- */

/* The user's key takes the place of an account's that is not there. */
static int
adopt(const struct conf *c)
{
	static struct key own;
	int r, other;

	own = ac.key;
	r = keyfile_foreign(c->key, &ac.key);
	other = r == 0 && own.type && !same_key(&own, &ac.key);
	key_wipe(&own);
	return other ? fail(ST_CONFIG, "there is an account with another key at ", ac.server, " in ",
	    store_home(), "/", ac.dir, " - --account LABEL adopts this one beside it,"
	    " acme account rollover --key changes its key", (char *)0) : r;
}

/* The account's key, if it is there. */
static int
find_key(const struct conf *c, enum account_mode mode)
{
	int r = keyfile_read(registration_path(ac.dir, "key.pem"), &ac.key);

	if (r == KEYFILE_NONE) {
		/* what was registered by a key that is lost is lost */
		ac.account.url[0] = 0;
		r = 0;
	}
	if (r == 0 && mode == ACCOUNT_ADOPT)
		r = adopt(c);
	if (r == 0 && ac.key.type)
		account_bridge(&ac.jws, &ac.key, &ac.pk);
	return r;
}

static int
switch_key(struct key *next)
{
	int r = keyfile_write(registration_path(ac.dir, "key.pem.old"), &ac.key);

	if (r)
		return r;
	if (store_rename(registration_path(ac.dir, "key.pem.next"), "key.pem") < 0)
		return store_failed("cannot rename", registration_path(ac.dir, "key.pem.next"));
	ac.key = *next;
	account_bridge(&ac.jws, &ac.key, &ac.pk);
	return 0;
}

/* Under which of the keys the CA knows the account; the next one first, as servers may know both for a while. */
static int
settle(struct key *next, enum account_settled *what)
{
	static struct acme_account found;

	*what = SETTLED_OLD;
	if (look_up(next, &found) == 0) {
		if (strcmp(found.url, ac.account.url) == 0) {
			*what = SETTLED_NEW;
			return switch_key(next);
		}
		*what = SETTLED_TAKEN;
	} else if (talker_why()->status != ST_REFUSED) {
		return account_failed();
	}
	if (look_up(0, &found) < 0)
		return account_failed();
	if (store_rename(registration_path(ac.dir, "key.pem.next"), "key.pem.unused") < 0)
		return store_failed("cannot rename", registration_path(ac.dir, "key.pem.next"));
	return 0;
}

int
account_settle(enum account_settled *what)
{
	static struct key next;
	int r = keyfile_read(registration_path(ac.dir, "key.pem.next"), &next);

	*what = SETTLED_NOTHING;
	if (r == 0)
		r = settle(&next, what);
	else if (r == KEYFILE_NONE)
		r = 0;
	key_wipe(&next);
	return r;
}

/* A run was cut off in a key change: says how that went. */
static int
settle_left(void)
{
	enum account_settled what;
	int r = account_settle(&what);

	if (r == 0 && what != SETTLED_NOTHING)
		warn("the key change of a run that was cut off was ",
		    what == SETTLED_NEW ? "made" : "not made", (char *)0);
	return r;
}

/* --- opening --- */

/* A copy of text in mem; 0 for 0. */
static const char *
keep(const char *text, char *mem, size_t size)
{
	return text && slice_copy(slice(text), mem, size) == 0 ? mem : 0;
}

/* cached: the directory, 0 there is none. */
static int
converse(const struct conf *c, const struct acme_directory *cached)
{
	const struct ca *ca = ca_find(ac.server);
	struct acme_config config;

	memset(&config, 0, sizeof(config));
	ac.tls.ca_file = keep(c->ca_file, ac.ca_file, sizeof(ac.ca_file));
	ac.tls.proxy = keep(c->proxy, ac.proxy, sizeof(ac.proxy));
	ac.tls.family = c->family;
	if ((c->ca_file && !ac.tls.ca_file) || (c->proxy && !ac.tls.proxy))
		return fail(ST_USAGE, "--ca-file or --proxy is too long", (char *)0);
	config.tls = &ac.tls;
	config.agent = "acme/" VERSION;
	config.timeout = c->timeout;
	config.rate = ca ? ca->rate : 0;
	config.nonce_rate = ca ? ca->nonce_rate : 0;
	config.single = ac.single != 0;
	config.sign = sign;
	config.trace = trace;
	config.tick = tick;
	if (talker_open(&config, ac.server, cached) < 0)
		return account_failed();
	return 0;
}

static int
creates(enum account_mode mode)
{
	return mode == ACCOUNT_CREATE || mode == ACCOUNT_ADOPT;
}

/* Key and conversation. */
static int
begin(const struct conf *c, enum account_mode mode)
{
	struct acme_directory cached;
	int r = registration_read(ac.dir, &ac.account, &cached, &ac.cached, &ac.single);

	if (ac.single < now_wall() || ac.single > now_wall() + SINGLE_FOR)
		ac.single = 0;
	if (r == 0 && mode != ACCOUNT_NONE)
		r = find_key(c, mode);
	if (r == 0 && mode != ACCOUNT_NONE && !creates(mode) && !ac.account.url[0])
		r = fail(ST_CONFIG, "no account at ", ac.server, " in ", store_home(),
		    " - acme account register makes one", (char *)0);
	if (r == 0 && mode != ACCOUNT_NONE && !ac.key.type)
		r = eab_lacking(c, ac.server, cached.external_account_required);
	return r ? r : converse(c, ac.cached ? &cached : 0);
}

/* And a registration if there is none; the lock is held where needed. */
static int
set_up(const struct conf *c, enum account_mode mode)
{
	int r = begin(c, mode);

	if (r || mode == ACCOUNT_NONE)
		return r;
	if (ac.account.url[0])
		r = settle_left();
	if (r == 0 && !ac.account.url[0])
		r = account_register(c, mode);
	return r;
}

/* Whether something may have to be made or changed, which one run at a time does. */
static int
wants_lock(enum account_mode mode)
{
	return mode == ACCOUNT_CHANGE ||
	    (mode != ACCOUNT_NONE && store_exists(registration_path(ac.dir, "key.pem.next"))) ||
	    (creates(mode) && !store_exists(registration_path(ac.dir, "account")));
}

static int
set_up_locked(const struct conf *c, enum account_mode mode)
{
	int r;

	if (!wants_lock(mode))
		return set_up(c, mode);
	if (store_mkdir("locks") < 0)
		return store_failed("cannot make", "locks");
	ac.lock = store_lock(ac.dir, now_ms() + LOCK_WAIT);
	if (ac.lock < 0 && errno == EWOULDBLOCK)
		return fail(ST_LATER, "another run is at work on the account at ",
		    ac.server, " - try again in a minute", (char *)0);
	if (ac.lock < 0)
		return store_failed("cannot lock", ac.dir);
	ac.locked = 1;
	r = set_up(c, mode);
	if (mode != ACCOUNT_CHANGE) {
		store_unlock(ac.lock);
		ac.locked = 0;
	}
	return r;
}

static int
same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* Whether the conversation that is open will do: same account, reached in the same way. */
static int
goes_on(const struct conf *c, const char *dir, const char *url, enum account_mode mode)
{
	return ac.open && mode <= ACCOUNT_CREATE &&
	    (mode == ACCOUNT_NONE || ac.mode != ACCOUNT_NONE) &&
	    strcmp(dir, ac.dir) == 0 && strcmp(url, ac.server) == 0 &&
	    same_text(c->ca_file, ac.tls.ca_file) && same_text(c->proxy, ac.tls.proxy) &&
	    c->family == ac.tls.family;
}

int
account_goes_on(const struct conf *c, const char *url, enum account_mode mode)
{
	char dir[LIMIT_PATH];

	return store_account_dir(dir, sizeof(dir), url, c->account) == 0 && goes_on(c, dir, url, mode);
}

int
account_open(const struct conf *c, const char *url, enum account_mode mode)
{
	char dir[LIMIT_PATH] = "";
	int r, bad = store_account_dir(dir, sizeof(dir), url, c->account) < 0;

	if (goes_on(c, dir, url, mode)) {
		talker_timeout(c->timeout);
		return 0;
	}
	account_close();
	if (bad || slice_copy(slice(url), ac.server, sizeof(ac.server)) < 0)
		return fail(ST_USAGE, "not a CA's directory URL: ", url, (char *)0);
	slice_copy(slice(dir), ac.dir, sizeof(ac.dir));
	ac.mode = mode;
	r = set_up_locked(c, mode);
	if (r)
		account_close();
	ac.open = r == 0;
	return r;
}

void
account_close(void)
{
	remember();
	talker_close();
	if (ac.locked)
		store_unlock(ac.lock);
	key_wipe(&ac.key);
	memset(&ac, 0, sizeof(ac));
}

const char *
account_url(void)
{
	return ac.account.url;
}

const char *
account_dir(void)
{
	return ac.dir;
}

const char *
account_server(void)
{
	return ac.server;
}

int
account_key_type(void)
{
	return (int)ac.key.type;
}

const struct acme_account *
account_state(void)
{
	return &ac.account;
}

const struct jws_key *
account_jws(void)
{
	return &ac.jws;
}

int
account_same_key(const struct pk *pk)
{
	return key_same(&ac.key, pk);
}
