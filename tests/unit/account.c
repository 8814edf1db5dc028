/* account.c: what the keeper signs and what it does not, and the keys that it keeps. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef VERSION
#define VERSION "test"
#endif
#include "../home.h"
#include "../tap.h"
#include "../../account.c"
#include "../../base64.h"
#include "../../json.h"

#define URL "https://ca.example/x"
#define KID "https://ca.example/acct/1"

/* A member of the last JWS, decoded; "" if there is none. */
static char jws_mem[LIMIT_REQUEST];
static struct buf jws;

static const char *
part(const char *member)
{
	static char mem[4096], raw[4096];
	struct buf b = BUF(mem);
	struct json_doc doc;
	struct json v = json_parse(&doc, buf_view(&jws));

	json_string(json_get(v, member), raw, sizeof(raw));
	if (doc.err || base64url_decode(&b, slice(raw)) < 0)
		return "";
	return buf_text(&b);
}

static int
signs(enum acme_kind kind, const char *url, const char *nonce)
{
	buf_init(&jws, jws_mem, sizeof(jws_mem));
	return sign(0, kind, url, nonce, &jws);
}

static int
header_has(const char *text)
{
	return strstr(part("protected"), text) != 0;
}

/* --- signing --- */

static void
signs_what_was_built(void)
{
	static const struct {
		const char *name;
		enum acme_kind kind;
		int set;
		const char *want;	/* the payload, 0: refused */
	} table[] = {
		{ "fetching needs no payload", ACME_GET, 0, "" },
		{ "and takes none", ACME_GET, 1, "" },
		{ "answering has its own", ACME_ANSWER, 0, "{}" },
		{ "always", ACME_ANSWER, 1, "{}" },
		{ "newAccount without a payload", ACME_NEW_ACCOUNT, 0, 0 },
		{ "account update without", ACME_UPDATE_ACCOUNT, 0, 0 },
		{ "account deactivation without", ACME_DEACTIVATE_ACCOUNT, 0, 0 },
		{ "key change without", ACME_KEY_CHANGE, 0, 0 },
		{ "newOrder without", ACME_NEW_ORDER, 0, 0 },
		{ "finalize without", ACME_FINALIZE, 0, 0 },
		{ "revocation without", ACME_REVOKE, 0, 0 },
		{ "authorization deactivation without", ACME_DEACTIVATE_AUTHZ, 0, 0 },
		{ "newAccount", ACME_NEW_ACCOUNT, 1, "{\"a\":1}" },
		{ "account update", ACME_UPDATE_ACCOUNT, 1, "{\"a\":1}" },
		{ "newOrder", ACME_NEW_ORDER, 1, "{\"a\":1}" },
		{ "finalize", ACME_FINALIZE, 1, "{\"a\":1}" },
		{ "revocation", ACME_REVOKE, 1, "{\"a\":1}" },
	};
	size_t i;
	int r;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		account_payload((int)table[i].kind, slice("{\"a\":1}"));
		if (!table[i].set)
			account_payload((int)table[i].kind, (struct slice){ 0, 0 });
		r = signs(table[i].kind, URL, "abc");
		if (table[i].want)
			ok(r == 0 && strcmp(part("payload"), table[i].want) == 0, table[i].name);
		else
			ok(r == -1 && jws.len == 0, table[i].name);
		account_payload((int)table[i].kind, (struct slice){ 0, 0 });
	}
	account_payload(ACME_NEW_ORDER, slice("{\"b\":2}"));
	ok(signs(ACME_FINALIZE, URL, "abc") == -1, "a payload is for its kind only");
	ok(signs(ACME_NEW_ORDER, URL, "abc") == 0 && signs(ACME_NEW_ORDER, URL, "def") == 0 &&
	    strcmp(part("payload"), "{\"b\":2}") == 0 && header_has("\"def\""),
	    "and can be signed again for another nonce");
	account_payload(ACME_NEW_ORDER, (struct slice){ 0, 0 });
	ok(signs(ACME_NEW_ORDER, URL, "abc") == -1, "until it is taken back");
}

static void
signs_to_clean_places(void)
{
	static const struct {
		const char *name, *url, *nonce;
		int want;
	} table[] = {
		{ "an https URL", URL, "abc", 0 },
		{ "a nonce of all letters", URL, "AZaz09-_", 0 },
		{ "an http URL", "http://ca.example/x", "abc", -1 },
		{ "upper case", "HTTPS://ca.example/x", "abc", -1 },
		{ "no scheme", "ca.example/x", "abc", -1 },
		{ "half a scheme", "https:/ca.example", "abc", -1 },
		{ "no URL", "", "abc", -1 },
		{ "a quote in the URL", URL "\"", "abc", -1 },
		{ "a backslash", URL "\\u0022", "abc", -1 },
		{ "a newline", URL "\n", "abc", -1 },
		{ "a quote in the nonce", URL, "abc\",\"kid\":\"x", -1 },
		{ "a backslash in the nonce", URL, "\\", -1 },
		{ "a control character", URL, "a\x1f", -1 },
		{ "no ASCII", URL, "\xc3\xa9", -1 },
		{ "an empty nonce", URL, "", -1 },
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++)
		ok(signs(ACME_GET, table[i].url, table[i].nonce) == table[i].want &&
		    (table[i].want == 0 || jws.len == 0), table[i].name);
}

static void
names_its_key(void)
{
	static struct key other;

	ok(signs(ACME_GET, URL, "abc") == 0 && header_has("\"kid\":\"" KID "\"") &&
	    !header_has("\"jwk\""), "a request names the account");
	ok(header_has("\"nonce\":\"abc\"") && header_has("\"url\":\"" URL "\"") &&
	    header_has("\"alg\":\"ES256\""), "with nonce, URL and algorithm");
	account_payload(ACME_NEW_ACCOUNT, slice("{}"));
	ok(signs(ACME_NEW_ACCOUNT, URL, "abc") == 0 && header_has("\"jwk\":{") &&
	    !header_has("\"kid\""), "newAccount has the key itself");
	account_payload(ACME_REVOKE, slice("{}"));
	ok(signs(ACME_REVOKE, URL, "abc") == 0 && header_has("\"kid\":\"" KID "\""),
	    "a revocation names the account");
	key_generate(&other, KEY_EC384);
	account_sign_as(&other);
	ok(signs(ACME_REVOKE, URL, "abc") == 0 && header_has("\"jwk\":{") &&
	    !header_has("\"kid\"") && header_has("\"alg\":\"ES384\""),
	    "or has the key that it is signed by");
	ok(signs(ACME_NEW_ACCOUNT, URL, "abc") == 0 && header_has("\"alg\":\"ES384\""),
	    "which can look for its account");
	ok(signs(ACME_GET, URL, "abc") == 0 && header_has("\"kid\"") &&
	    header_has("\"alg\":\"ES256\""), "and signs nothing else");
	account_sign_as(0);
	ok(signs(ACME_REVOKE, URL, "abc") == 0 && header_has("\"kid\""), "and not for ever");
	ac.account.url[0] = 0;
	ok(signs(ACME_GET, URL, "abc") == -1 && signs(ACME_REVOKE, URL, "abc") == -1 &&
	    signs(ACME_NEW_ACCOUNT, URL, "abc") == 0, "without an account only newAccount is signed");
	account_sign_as(&other);
	ok(signs(ACME_REVOKE, URL, "abc") == 0, "and a revocation by another key");
	account_sign_as(0);
	strcpy(ac.account.url, KID);
}

/* --- the key --- */

static void
keeps_its_key(void)
{
	static struct key before;
	static struct conf c;
	const char *path = "accounts/ca.example%2fdir/key.pem";
	char own[64];
	struct pk pk;

	before = ac.key;
	key_public(&before, &pk);
	is_str(registration_path(ac.dir, "key.pem"), path, "the key has its place");
	ok(keyfile_write(path, &ac.key) == 0 && find_key(&c, ACCOUNT_EXISTING) == 0 &&
	    account_same_key(&pk), "and is found there");
	snprintf(own, sizeof(own), "%s/own.pem", home);
	c.key = own;
	hush(1);
	ok(store_write("own.pem", slice("junk")) == 0 && find_key(&c, ACCOUNT_ADOPT) == ST_CONFIG,
	    "junk is not adopted");
	key_generate(&ac.key, KEY_EC256);
	ok(keyfile_write("own.pem", &ac.key) == 0 && find_key(&c, ACCOUNT_ADOPT) == ST_CONFIG &&
	    strstr(last_failure(), "--account LABEL"), "nor another key than the one that is there");
	ok(keyfile_write("own.pem", &before) == 0 && find_key(&c, ACCOUNT_ADOPT) == 0,
	    "but the same");
	ok(store_write(path, slice("junk")) == 0 && find_key(&c, ACCOUNT_CREATE) == ST_CONFIG &&
	    store_exists(path), "a broken one is left as it is");
	hush(0);
	key_wipe(&ac.key);
	ok(store_remove(path) == 0 && find_key(&c, ACCOUNT_CREATE) == 0 && !ac.key.type &&
	    !*account_url(), "no key: what it had registered is no account");
	ok(make_key(&c) == 0 && store_exists(path) && !account_same_key(&pk) &&
	    ac.key.type == KEY_EC256, "a new one is on disk");
	c.account_key_type = "ec384";
	ok(make_key(&c) == 0 && ac.key.type == KEY_EC384 &&
	    store_exists("accounts/ca.example%2fdir/key.pem.unused"),
	    "one of another type takes its place, and does not destroy it");
}

/* The switch to the next key; what decides about it is tested in e2e/account. */
static void
switches_keys(void)
{
	static struct key next, old, read;
	enum account_settled what;
	struct pk pk;

	old = ac.key;
	ok(account_settle(&what) == 0 && what == SETTLED_NOTHING, "no next key, nothing to settle");
	ok(store_write("accounts/ca.example%2fdir/key.pem.next", slice("junk")) == 0, "a broken one");
	hush(1);
	ok(account_settle(&what) == ST_CONFIG && account_same_key((key_public(&old, &pk), &pk)),
	    "changes nothing");
	hush(0);
	key_generate(&next, KEY_EC256);
	ok(keyfile_write("accounts/ca.example%2fdir/key.pem.next", &next) == 0 &&
	    switch_key(&next) == 0, "the next key is switched to");
	key_public(&next, &pk);
	ok(account_same_key(&pk) && !store_exists("accounts/ca.example%2fdir/key.pem.next") &&
	    keyfile_read("accounts/ca.example%2fdir/key.pem", &read) == 0 && key_same(&read, &pk),
	    "in memory and on disk");
	key_public(&old, &pk);
	ok(keyfile_read("accounts/ca.example%2fdir/key.pem.old", &read) == 0 && key_same(&read, &pk),
	    "and the old one is kept");
}

/* Before anything is sent: a proxy that is not there would be noticed. */
static void
says_first_what_is_missing(void)
{
	static struct conf c;

	account_close();
	c.timeout = 1;
	c.proxy = "http://127.0.0.1:1";
	hush(1);
	ok(account_open(&c, "https://acme.ssl.com/sslcom-dv-ecc", ACCOUNT_CREATE) == ST_CONFIG &&
	    strstr(last_failure(), "sslcom needs"), "a binding");
	ok(account_open(&c, "https://ca.example/other", ACCOUNT_EXISTING) == ST_CONFIG &&
	    strstr(last_failure(), "acme account register"), "an account");
	ok(account_open(&c, "https://ca.example/other", ACCOUNT_CREATE) == ST_NET &&
	    !store_exists("accounts/ca.example%2fother/key.pem"),
	    "no key is made for a CA that cannot be reached");
	hush(0);
}

static void
refuses_other_places(void)
{
	static struct conf c;

	hush(1);
	ok(account_open(&c, "http://ca.example/dir", ACCOUNT_CREATE) == ST_USAGE &&
	    account_open(&c, "ca.example", ACCOUNT_CREATE) == ST_USAGE &&
	    account_open(&c, "", ACCOUNT_CREATE) == ST_USAGE, "a server that is no https URL");
	hush(0);
	account_close();
	ok(!ac.key.type && !*account_url(), "closed, nothing of the key is left");
}

/* A conversation goes on only with what it was opened with. */
static void
goes_on_with_the_same(void)
{
	static const char dir[] = "accounts/ca", url[] = "https://ca.example/dir";
	static const struct {
		const char *name;
		int want;
		enum account_mode was, now;
		const char *dir, *url, *ca_file, *proxy;
		int family;
	} table[] = {
		{ "the same", 1, ACCOUNT_CREATE, ACCOUNT_CREATE, dir, url, "/ca.pem", 0, 4 },
		{ "a key that was there already", 1, ACCOUNT_EXISTING, ACCOUNT_CREATE, dir, url, "/ca.pem", 0, 4 },
		{ "a question that needs no key", 1, ACCOUNT_CREATE, ACCOUNT_NONE, dir, url, "/ca.pem", 0, 4 },
		{ "one question after the other", 1, ACCOUNT_NONE, ACCOUNT_NONE, dir, url, "/ca.pem", 0, 4 },
		{ "a key after a question", 0, ACCOUNT_NONE, ACCOUNT_CREATE, dir, url, "/ca.pem", 0, 4 },
		{ "another account", 0, ACCOUNT_CREATE, ACCOUNT_CREATE, "accounts/ca,b", url, "/ca.pem", 0, 4 },
		{ "another CA", 0, ACCOUNT_CREATE, ACCOUNT_CREATE, dir, "https://ca.example/", "/ca.pem", 0, 4 },
		{ "other roots", 0, ACCOUNT_NONE, ACCOUNT_NONE, dir, url, "/other.pem", 0, 4 },
		{ "the default roots", 0, ACCOUNT_NONE, ACCOUNT_NONE, dir, url, 0, 0, 4 },
		{ "a proxy", 0, ACCOUNT_NONE, ACCOUNT_NONE, dir, url, "/ca.pem", "http://p:1", 4 },
		{ "another family", 0, ACCOUNT_NONE, ACCOUNT_NONE, dir, url, "/ca.pem", 0, 0 },
	};
	static struct conf c;
	size_t i;

	strcpy(ac.dir, dir);
	strcpy(ac.server, url);
	ac.tls.ca_file = keep("/ca.pem", ac.ca_file, sizeof(ac.ca_file));
	ac.tls.proxy = keep(0, ac.proxy, sizeof(ac.proxy));
	ac.tls.family = 4;
	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		ac.open = 1;
		ac.mode = table[i].was;
		c.ca_file = table[i].ca_file;
		c.proxy = table[i].proxy;
		c.family = table[i].family;
		ok(goes_on(&c, table[i].dir, table[i].url, table[i].now) == table[i].want, table[i].name);
		ac.open = 0;
		ok(!goes_on(&c, table[i].dir, table[i].url, table[i].now), "never with none open");
	}
}

int
main(void)
{
	umask(077);
	if (!mkdtemp(home)) {
		perror(home);
		return 1;
	}
	atexit(remove_home);
	if (store_open(home, 1) != 0 || key_generate(&ac.key, KEY_EC256) < 0 ||
	    store_account_dir(ac.dir, sizeof(ac.dir), "https://ca.example/dir", 0) < 0 ||
	    store_mkdir(ac.dir) < 0)
		return 1;
	account_bridge(&ac.jws, &ac.key, &ac.pk);
	strcpy(ac.account.url, KID);
	signs_what_was_built();
	signs_to_clean_places();
	names_its_key();
	keeps_its_key();
	switches_keys();
	says_first_what_is_missing();
	refuses_other_places();
	goes_on_with_the_same();
	return tap_done();
}
