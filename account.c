/*
 * account.c - the account at one CA (RFC 8555 7.3), and the keeper's side of
 * signing.  The account's key never leaves this file; it signs only payloads
 * that were set here for that kind of request, once each, to an https URL.
 * The file `account` holds key=value lines: url, status, contact, terms, and
 * the directory, so that a renewal need not fetch it.
 */
#include <errno.h>
#include <string.h>

#include "account.h"
#include "acme.h"
#include "base64.h"
#include "conf.h"
#include "json.h"
#include "jws.h"
#include "key.h"
#include "keyinfo.h"
#include "store.h"
#include "tls.h"
#include "util.h"

enum { LOCK_WAIT = 120 * 1000 };	/* ms; registration by another run */

static struct {
	int open, registered;
	char server[LIMIT_URL];
	char dir[LIMIT_PATH];		/* accounts/... */
	char lock[LIMIT_PATH];
	struct key key;
	struct pk pk;
	struct jws_key jws;
	struct acme_account account;
	struct acme_directory cached;
	int have_cached;
	struct tls_config tls;
	struct slice payload[ACME_DEACTIVATE_AUTHZ + 1];
	struct key *revoker;
} ac;

/* --- signing --- */

static void
bridge(struct jws_key *j, struct key *key, struct pk *pk)
{
	key_public(key, pk);
	j->alg = pk->type == PK_RSA ? JWS_RS256 :
	    pk->type == PK_P256 ? JWS_ES256 : JWS_ES384;
	j->a = pk->a;
	j->b = pk->b;
	j->sign = key_sign_raw;
	j->ctx = key;
}

void
account_payload(int kind, struct slice payload)
{
	ac.payload[kind] = payload;
}

void
account_sign_as(struct key *key)
{
	ac.revoker = key;
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
	if (kind == ACME_REVOKE && ac.revoker) {
		bridge(&other, ac.revoker, &pk);
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
	{ "accountDoesNotExist", "the CA does not know this account; acme account register makes a new one" },
	{ "externalAccountRequired", "this CA wants an external account binding" },
	{ "userActionRequired", "see the CA's terms" },
	{ "unauthorized", "" },
	{ "caa", "the CAA records of the domain must allow this CA" },
	{ "connection", "the CA must be able to reach this host; check address records, port and firewall" },
	{ "dns", "check the zone and its name servers" },
	{ "rejectedIdentifier", "this CA does not issue for that name" },
	{ "badSignatureAlgorithm", "try another account key type" },
	{ "badCSR", "try another key type" },
};

int
account_failed(void)
{
	const struct acme_problem *p = acme_why();
	const char *hint = "";
	size_t i;

	for (i = 0; i < sizeof(hints) / sizeof(*hints); i++)
		if (strcmp(p->type, hints[i].type) == 0)
			hint = hints[i].hint;
	return fail((enum status)p->status, p->text, *hint ? " - " : "", hint,
	    p->link[0] ? " " : "", p->link, (char *)0);
}

/* --- files --- */

static int
read_key(void)
{
	static char mem[LIMIT_PEM_KEY];
	struct buf pem = BUF(mem);
	char path[LIMIT_PATH];
	struct buf b = BUF(path);
	const char *why;
	int r;

	buf_all(&b, ac.dir, "/key.pem", (char *)0);
	r = store_read(buf_text(&b), &pem);
	if (r == 0 && key_read(&ac.key, buf_view(&pem), &why) < 0) {
		r = -2;
		fail(ST_CONFIG, "account key ", store_home(), "/", path, ": ", why,
		    " - left as it is; move it away to make a new account", (char *)0);
	} else if (r < 0 && errno != ENOENT) {
		fail(ST_CONFIG, "account key ", store_home(), "/", path, ":", (char *)0);
		r = -2;
	}
	wipe(mem, sizeof(mem));
	return r;
}

static int
write_key(void)
{
	static char mem[LIMIT_PEM_KEY];
	struct buf pem = BUF(mem);
	char path[LIMIT_PATH];
	struct buf b = BUF(path);
	int r;

	buf_all(&b, ac.dir, "/key.pem", (char *)0);
	key_write(&ac.key, &pem);
	r = store_mkdir(ac.dir) < 0 || store_write(buf_text(&b), buf_view(&pem)) < 0 ?
	    store_failed("cannot write", path) : 0;
	wipe(mem, sizeof(mem));
	return r;
}

/* The texts of the file `account`, key and place. */
static const struct field {
	const char *name;
	char *text;
	size_t size;
} fields[] = {
	{ "url", ac.account.url, sizeof(ac.account.url) },
	{ "status", ac.account.status, sizeof(ac.account.status) },
	{ "contact", ac.account.contact, sizeof(ac.account.contact) },
	{ "orders", ac.account.orders, sizeof(ac.account.orders) },
	{ "newNonce", ac.cached.url[EP_NEW_NONCE], LIMIT_URL },
	{ "newAccount", ac.cached.url[EP_NEW_ACCOUNT], LIMIT_URL },
	{ "newOrder", ac.cached.url[EP_NEW_ORDER], LIMIT_URL },
	{ "revokeCert", ac.cached.url[EP_REVOKE], LIMIT_URL },
	{ "keyChange", ac.cached.url[EP_KEY_CHANGE], LIMIT_URL },
	{ "renewalInfo", ac.cached.url[EP_RENEWAL_INFO], LIMIT_URL },
	{ "terms", ac.cached.terms, sizeof(ac.cached.terms) },
	{ "profiles", ac.cached.profiles, sizeof(ac.cached.profiles) },
	{ "caa", ac.cached.caa, sizeof(ac.cached.caa) },
};
enum { FIELDS = sizeof(fields) / sizeof(*fields) };

static void
account_file(struct buf *path)
{
	buf_all(path, ac.dir, "/account", (char *)0);
	buf_text(path);
}

/* Reads `account` if it is there; 0, or a status, printed. */
static int
read_account(void)
{
	static char mem[LIMIT_CONF];
	struct buf text = BUF(mem);
	char path[LIMIT_PATH];
	struct buf b = BUF(path);
	struct slice v;
	size_t i;

	memset(&ac.account, 0, sizeof(ac.account));
	memset(&ac.cached, 0, sizeof(ac.cached));
	ac.have_cached = 0;
	account_file(&b);
	if (store_read(path, &text) < 0)
		return errno == ENOENT ? 0 :
		    fail(ST_CONFIG, "cannot read ", store_home(), "/", path, ":", (char *)0);
	for (i = 0; i < FIELDS; i++) {
		v = kv_get(buf_view(&text), fields[i].name);
		if (v.p && (slice_copy(v, fields[i].text, fields[i].size) < 0 ||
		    !jws_clean(fields[i].text)))
			return fail(ST_CONFIG, store_home(), "/", path, ": bad value of ",
			    fields[i].name, (char *)0);
	}
	v = kv_get(buf_view(&text), "externalAccountRequired");
	ac.cached.external_account_required = v.p && slice_is(v, "1");
	ac.have_cached = ac.cached.url[EP_NEW_NONCE][0] &&
	    ac.cached.url[EP_NEW_ACCOUNT][0] && ac.cached.url[EP_NEW_ORDER][0];
	return 0;
}

static int
write_account(void)
{
	static char mem[LIMIT_CONF];
	struct buf text = BUF(mem);
	char path[LIMIT_PATH];
	struct buf b = BUF(path);
	size_t i;

	ac.cached = *acme_directory(0);
	account_file(&b);
	for (i = 0; i < FIELDS; i++)
		if (fields[i].text[0])
			kv_put(&text, fields[i].name, slice(fields[i].text));
	if (ac.cached.external_account_required)
		kv_put(&text, "externalAccountRequired", slice("1"));
	if (text.err || store_write(path, buf_view(&text)) < 0)
		return store_failed("cannot write", path);
	return 0;
}

/* --- registration --- */

static void
contacts(struct buf *b, const char *mail)
{
	buf_str(b, "\"contact\":[");
	if (mail) {
		char mem[512];
		struct buf uri = BUF(mem);

		buf_all(&uri, "mailto:", mail, (char *)0);
		json_quote(b, buf_view(&uri));
	}
	buf_char(b, ']');
}

/* newAccount: registers this key, or finds its account (7.3, 7.3.1). */
static int
new_account(const struct conf *c, int existing_only)
{
	char mem[1024];
	struct buf b = BUF(mem);
	int r;

	if (existing_only) {
		buf_str(&b, "{\"onlyReturnExisting\":true}");
	} else {
		buf_str(&b, "{\"termsOfServiceAgreed\":true");
		if (c->mail) {
			buf_char(&b, ',');
			contacts(&b, c->mail);
		}
		buf_char(&b, '}');
	}
	account_payload(ACME_NEW_ACCOUNT, buf_view(&b));
	r = acme_new_account(&ac.account);
	account_payload(ACME_NEW_ACCOUNT, (struct slice){ 0, 0 });
	if (r < 0)
		return account_failed();
	if (!jws_clean(ac.account.url))
		return fail(ST_PROTO, "the account's URL has odd characters", (char *)0);
	if (strcmp(ac.account.status, "valid") != 0 && ac.account.status[0])
		return fail(ST_REFUSED, "the account is ", ac.account.status, (char *)0);
	if (ac.account.created && acme_directory(0)->terms[0])
		warn("registered an account at ", ac.server,
		    "; its terms of service are ", acme_directory(0)->terms, (char *)0);
	ac.registered = 1;
	return write_account();
}

/* The key file, made if missing and wanted. */
static int
need_key(const struct conf *c, enum account_mode mode)
{
	enum key_type t = c->account_key_type ? key_type(c->account_key_type) : KEY_EC256;
	int r = read_key();

	if (r == -1 && mode == ACCOUNT_CREATE) {
		r = key_make(&ac.key, t);
		if (r == 0)
			r = write_key();
		if (r)
			return r;
	} else if (r == -1) {
		return fail(ST_CONFIG, "no account at ", ac.server, " in ", store_home(),
		    " - acme account register makes one", (char *)0);
	} else if (r < 0) {
		return ST_CONFIG;
	}
	bridge(&ac.jws, &ac.key, &ac.pk);
	return 0;
}

static int
converse(const struct conf *c)
{
	struct acme_config config;

	memset(&config, 0, sizeof(config));
	ac.tls.ca_file = c->ca_file;
	ac.tls.proxy = c->proxy;
	ac.tls.family = c->family;
	config.tls = &ac.tls;
	config.agent = "acme/" VERSION;
	config.timeout = c->timeout;
	config.sign = sign;
	config.trace = trace;
	config.tick = tick;
	if (acme_open(&config, ac.server, ac.have_cached ? &ac.cached : 0) < 0)
		return account_failed();
	return 0;
}

/* Key, conversation, and a registration if there is none; the lock is held where needed. */
static int
set_up(const struct conf *c, enum account_mode mode)
{
	int r = read_account();

	if (r == 0 && mode != ACCOUNT_NONE)
		r = need_key(c, mode);
	if (r == 0 && mode == ACCOUNT_EXISTING && !ac.account.url[0])
		r = fail(ST_CONFIG, "no account registered at ", ac.server,
		    " - acme account register makes one", (char *)0);
	if (r == 0)
		r = converse(c);
	if (r == 0 && mode == ACCOUNT_CREATE && !ac.account.url[0])
		r = new_account(c, 0);
	return r;
}

static int
check_tls(const struct conf *c)
{
	struct tls_config t = { c->ca_file, c->proxy, c->family };
	const char *why;

	errno = 0;
	if (tls_check(&t, &why) == 0)
		return 0;
	return errno ? fail(ST_CONFIG, c->ca_file ? c->ca_file : "", ": ", why, ":", (char *)0)
	    : fail(ST_CONFIG, c->ca_file ? c->ca_file : "", ": ", why, (char *)0);
}

/* Runs set_up() under the account's lock if something may have to be made. */
static int
set_up_locked(const struct conf *c, enum account_mode mode)
{
	char path[LIMIT_PATH];
	struct buf b = BUF(path);
	int fd, r;

	account_file(&b);
	if (mode != ACCOUNT_CREATE || store_exists(path))
		return set_up(c, mode);
	if (store_mkdir("locks") < 0)
		return store_failed("cannot make", "locks");
	fd = store_lock(ac.dir, now_ms() + LOCK_WAIT);
	if (fd < 0 && errno == EWOULDBLOCK)
		return fail(ST_LATER, "another run is registering the account at ",
		    ac.server, " - try again in a minute", (char *)0);
	if (fd < 0)
		return fail(ST_STORE, "cannot lock the account:", (char *)0);
	r = set_up(c, mode);
	store_unlock(fd);
	return r;
}

int
account_open(const struct conf *c, const char *url, enum account_mode mode)
{
	int r;

	if (ac.open && mode != ACCOUNT_NONE && strcmp(url, ac.server) == 0) {
		acme_timeout(c->timeout);
		return 0;
	}
	account_close();
	if (store_account_dir(ac.dir, sizeof(ac.dir), url, c->account) < 0 ||
	    slice_copy(slice(url), ac.server, sizeof(ac.server)) < 0)
		return fail(ST_USAGE, "not a CA's directory URL: ", url, (char *)0);
	r = check_tls(c);
	if (r == 0)
		r = set_up_locked(c, mode);
	if (r)
		account_close();
	ac.open = r == 0;
	return r;
}

void
account_close(void)
{
	acme_close();
	key_wipe(&ac.key);
	memset(&ac, 0, sizeof(ac));
}

const char *
account_url(void)
{
	return ac.account.url;
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

int
account_register(const struct conf *c, const char *url, struct buf *out)
{
	int r = account_open(c, url, ACCOUNT_CREATE);

	/* an account that is registered already is asked for again: the CA may have lost it */
	if (r == 0 && !ac.registered)
		r = new_account(c, 0);
	if (r == 0)
		buf_all(out, ac.account.url, "\n", (char *)0);
	return r;
}

int
account_show(const struct conf *c, const char *url, struct buf *out)
{
	int r = account_open(c, url, ACCOUNT_EXISTING);

	if (r == 0)
		r = new_account(c, 1);
	if (r)
		return r;
	buf_all(out, "url: ", ac.account.url, "\nstatus: ", ac.account.status,
	    "\ncontact: ", ac.account.contact, "\nkey type: ", key_type_name(ac.key.type),
	    "\nthumbprint: ", (char *)0);
	jwk_thumbprint(out, &ac.jws);
	buf_all(out, "\nserver: ", ac.server, "\nkey: ", store_home(), "/", ac.dir,
	    "/key.pem\n", (char *)0);
	if (acme_directory(0)->terms[0])
		buf_all(out, "terms: ", acme_directory(0)->terms, "\n", (char *)0);
	return 0;
}
