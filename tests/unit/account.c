/* account.c: what the keeper signs and what it does not, and the file that it keeps. */
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
	ok(signs(ACME_GET, URL, "abc") == 0 && header_has("\"kid\"") &&
	    header_has("\"alg\":\"ES256\""), "which signs nothing else");
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

/* --- files --- */

static void
keeps_a_file(void)
{
	static struct acme_directory d;
	static struct acme_account before;
	struct acme_config config;
	size_t i;

	memset(&config, 0, sizeof(config));
	config.timeout = 1;
	for (i = 0; i < EP_COUNT; i++)
		snprintf(d.url[i], sizeof(d.url[i]), "https://ca.example/%s", acme_endpoint_name[i]);
	strcpy(d.terms, "https://ca.example/terms?a=b");
	strcpy(d.profiles, "one two");
	strcpy(d.caa, "ca.example");
	d.external_account_required = 1;
	ok(acme_open(&config, "https://ca.example/dir", &d) == 0, "a directory that was kept");
	strcpy(ac.account.status, "valid");
	strcpy(ac.account.contact, "mailto:a@b.example mailto:c@d.example");
	strcpy(ac.account.orders, "https://ca.example/orders");
	before = ac.account;
	ok(write_account() == 0, "an account is written");
	memset(&ac.account, 1, sizeof(ac.account));
	memset(&ac.cached, 1, sizeof(ac.cached));
	ok(read_account() == 0 && ac.have_cached && strcmp(ac.account.url, before.url) == 0 &&
	    strcmp(ac.account.status, before.status) == 0 &&
	    strcmp(ac.account.contact, before.contact) == 0 &&
	    strcmp(ac.account.orders, before.orders) == 0, "and read again");
	for (i = 0; i < EP_COUNT && strcmp(ac.cached.url[i], d.url[i]) == 0; i++)
		;
	ok(i == EP_COUNT && strcmp(ac.cached.terms, d.terms) == 0 &&
	    strcmp(ac.cached.profiles, d.profiles) == 0 && strcmp(ac.cached.caa, d.caa) == 0 &&
	    ac.cached.external_account_required == 1, "with its directory");
	acme_close();
}

static void
reads_with_care(void)
{
#define NONCE "newNonce=https://ca.example/n\n"
#define ACCOUNT "newAccount=https://ca.example/a\n"
#define ORDER "newOrder=https://ca.example/o\n"
	static const struct {
		const char *name, *text;
		int want, cached;
	} table[] = {
		{ "an empty file", "", 0, 0 },
		{ "no directory", "url=" KID "\n", 0, 0 },
		{ "a directory", NONCE ACCOUNT ORDER, 0, 1 },
		{ "half a directory", NONCE ORDER, 0, 0 },
		{ "unknown keys", "colour=blue\n" NONCE ACCOUNT ORDER, 0, 1 },
		{ "a quote", "url=" KID "\"\n", ST_CONFIG, 0 },
		{ "a backslash", "contact=mailto:\\\n", ST_CONFIG, 0 },
		{ "a control character", "status=val\tid\n", ST_CONFIG, 0 },
		{ "a status too long", "status=0123456789abcdef\n", ST_CONFIG, 0 },
	};
	char path[LIMIT_PATH];
	struct buf b = BUF(path);
	size_t i;

	buf_all(&b, ac.dir, "/account", (char *)0);
	buf_text(&b);
	hush(1);
	for (i = 0; i < sizeof(table) / sizeof(*table); i++)
		ok(store_write(path, slice(table[i].text)) == 0 && read_account() == table[i].want &&
		    ac.have_cached == table[i].cached, table[i].name);
	hush(0);
	ok(store_remove(path) == 0 && read_account() == 0 && !ac.account.url[0] && !ac.have_cached,
	    "no file is no account");
}

static void
keeps_its_key(void)
{
	static struct key before;
	static struct conf c;
	char path[LIMIT_PATH];
	struct buf b = BUF(path);
	struct pk pk;

	before = ac.key;
	key_public(&before, &pk);
	ok(write_key() == 0, "the key is written");
	key_wipe(&ac.key);
	ok(read_key() == 0 && account_same_key(&pk), "and read again");
	buf_all(&b, ac.dir, "/key.pem", (char *)0);
	buf_text(&b);
	hush(1);
	ok(store_write(path, slice("junk")) == 0 && need_key(&c, ACCOUNT_CREATE) == ST_CONFIG &&
	    store_exists(path), "a broken one is left as it is");
	ok(store_remove(path) == 0 && need_key(&c, ACCOUNT_EXISTING) == ST_CONFIG &&
	    !store_exists(path), "none is made unless it is wanted");
	hush(0);
	ok(need_key(&c, ACCOUNT_CREATE) == 0 && store_exists(path) && !account_same_key(&pk) &&
	    ac.key.type == KEY_EC256, "then it is on disk");
	c.account_key_type = "ec384";
	ok(need_key(&c, ACCOUNT_CREATE) == 0 && ac.key.type == KEY_EC256, "and stays what it is");
	ok(store_remove(path) == 0 && need_key(&c, ACCOUNT_CREATE) == 0 && ac.key.type == KEY_EC384,
	    "a new one is of the type wanted");
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
	bridge(&ac.jws, &ac.key, &ac.pk);
	strcpy(ac.account.url, KID);
	signs_what_was_built();
	signs_to_clean_places();
	names_its_key();
	keeps_a_file();
	reads_with_care();
	keeps_its_key();
	refuses_other_places();
	goes_on_with_the_same();
	return tap_done();
}
