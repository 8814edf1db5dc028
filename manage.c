/*
 * manage.c - `acme account`: register, show, update, rollover, deactivate; and
 * the DNS records that tie a name to the account: CAA (RFC 8657) and
 * dns-persist-01, in zone-file form.
 */
#include <string.h>

#include "account.h"
#include "acme.h"
#include "conf.h"
#include "json.h"
#include "jws.h"
#include "key.h"
#include "manage.h"
#include "name.h"
#include "out.h"
#include "rollover.h"
#include "store.h"
#include "talker.h"
#include "util.h"

static int
run_register(const struct conf *c, const char *url)
{
	enum account_mode mode = c->key ? ACCOUNT_ADOPT : ACCOUNT_CREATE;
	int r = account_open(c, url, mode);

	if (r == 0)
		r = account_register(c, mode);
	if (r == 0)
		buf_all(out_buf(), account_url(), "\n", (char *)0);
	return r;
}

/* --- records --- */

/* The parts of space separated words, one after the other; 1 or 0. */
static int
next_word(const char **list, char *word, size_t size)
{
	struct slice s;

	while (**list == ' ')
		++*list;
	s.p = *list;
	s.n = strcspn(*list, " ");
	*list += s.n;
	return s.n && (slice_copy(s, word, size) == 0 || next_word(list, word, size));
}

/* What may stand in a record: host names of issuers, URIs without ';'. */
static int
proper(const char *issuer, const char *kid)
{
	char folded[LIMIT_NAME + 1];

	return !name_canonical(issuer, folded) && !strpbrk(kid, "; \"\\");
}

/* NAME. CAA 0 issue "ISSUER; accounturi=KID; validationmethods=..." */
static void
caa(struct buf *b, const char *name, const char *issuer, const struct conf *c)
{
	int wildcard = name_wildcard(name);
	const char *methods = c->challenge ? c->challenge :
	    wildcard ? "dns-01" : "http-01,tls-alpn-01,dns-01";

	buf_all(b, wildcard ? name + 2 : name, ". CAA 0 ", wildcard ? "issuewild" : "issue", " \"",
	    issuer, "; accounturi=", account_url(), "; validationmethods=", methods, "\"", (char *)0);
}

/* _validation-persist.NAME. TXT "ISSUER; accounturi=KID", in strings of 255 bytes at most. */
static void
persist(struct buf *b, const char *name, const char *issuer, const struct conf *c)
{
	int wildcard = name_wildcard(name);
	char mem[LIMIT_NAME + LIMIT_URL + 64];
	struct buf value = BUF(mem);
	size_t i, n;

	(void)c;
	buf_all(&value, issuer, "; accounturi=", account_url(), wildcard ? "; policy=wildcard" : "", (char *)0);
	buf_all(b, "_validation-persist.", wildcard ? name + 2 : name, ". TXT", (char *)0);
	for (i = 0; i < value.len; i += n) {
		n = value.len - i < 255 ? value.len - i : 255;
		buf_str(b, " \"");
		buf_mem(b, value.p + i, n);
		buf_char(b, '"');
	}
}

/* One record for each issuer of the directory: a line of its own, or an item of a list. */
static void
records(const char *key, void (*write)(struct buf *, const char *, const char *, const struct conf *),
    const char *name, const struct conf *c)
{
	const char *issuers = talker_directory(0)->caa;
	char issuer[LIMIT_NAME + 1], mem[2 * LIMIT_URL + 2 * LIMIT_NAME];
	struct buf b = BUF(mem);

	if (out_json)
		out_list(key);
	while (next_word(&issuers, issuer, sizeof(issuer))) {
		if (!proper(issuer, account_url()))
			continue;
		buf_clear(&b);
		write(&b, name, issuer, c);
		if (out_json)
			out_item(buf_view(&b));
		else
			buf_all(out_buf(), buf_text(&b), "\n", (char *)0);
	}
	if (out_json)
		out_list_end();
}

/* --- show --- */

static void
words(const char *key, const char *list)
{
	char word[512];

	out_list(key);
	while (next_word(&list, word, sizeof(word)))
		out_item(slice(word));
	out_list_end();
}

static void
print_account(void)
{
	const struct acme_account *a = account_state();
	char mem[64], path[2 * LIMIT_PATH];
	struct buf thumbprint = BUF(mem), key = BUF(path);

	jwk_thumbprint(&thumbprint, account_jws());
	buf_all(&key, store_home(), "/", account_dir(), "/key.pem", (char *)0);
	out_text("url", slice(a->url));
	out_text("status", slice(a->status));
	words("contact", a->contact);
	out_some("orders", a->orders);
	out_text("key_type", slice(key_type_name((enum key_type)account_key_type())));
	out_text("thumbprint", buf_view(&thumbprint));
	out_text("server", slice(account_server()));
	out_text("key", buf_view(&key));
	out_some("terms", talker_directory(0)->terms);
}

static int
show(const struct conf *c, const char *url, const char *given)
{
	char name[LIMIT_NAME + 1];
	unsigned char address[16];
	const char *why = given ? name_canonical(given, name) : 0;
	int r;

	if (why || (given && name_address(name, address)))
		return fail(ST_USAGE, "not a name that can have DNS records: ", given, (char *)0);
	r = account_open(c, url, ACCOUNT_EXISTING);
	if (r == 0)
		r = account_find();
	if (r)
		return r;
	out_json = c->json;
	out_open('{');
	print_account();
	if (given) {
		if (!talker_directory(0)->caa[0])
			warn("the CA's directory names no issuer for CAA records", (char *)0);
		records("caa", caa, name, c);
		records("persist", persist, name, c);
	}
	out_close('}');
	out_end();
	return 0;
}

/* --- update --- */

/* {"termsOfServiceAgreed":true,"contact":[...]}: the mail address given, else what the CA has. */
static void
update_payload(struct buf *b, const struct conf *c)
{
	const char *list = account_state()->contact;
	char uri[512];
	int n = 0;

	buf_str(b, "{\"termsOfServiceAgreed\":true,\"contact\":[");
	if (!c->mail)
		while (next_word(&list, uri, sizeof(uri))) {
			if (n++)
				buf_char(b, ',');
			json_quote(b, slice(uri));
		}
	else if (strcmp(c->mail, "none") != 0)
		buf_all(b, "\"mailto:", c->mail, "\"", (char *)0);
	buf_str(b, "]}");
}

static int
run_update(const struct conf *c, const char *url)
{
	char mem[2048];
	struct buf b = BUF(mem);
	int r = account_open(c, url, ACCOUNT_CHANGE);

	if (r == 0)
		r = account_find();
	if (r)
		return r;
	update_payload(&b, c);
	r = account_post(ACME_UPDATE_ACCOUNT, buf_view(&b)) < 0 ? account_failed() : account_save();
	if (r == 0 && c->mail && strcmp(c->mail, "none") != 0 && !strstr(account_state()->contact, c->mail))
		warn("this CA keeps no contact addresses", (char *)0);
	return r;
}

/* --- deactivate --- */

/* Asks the CA; one that was deactivated before is as good. */
static int
deactivated(void)
{
	if (account_post(ACME_DEACTIVATE_ACCOUNT, slice("{\"status\":\"deactivated\"}")) < 0)
		return strcmp(talker_why()->type, "unauthorized") == 0 &&
		    strstr(talker_why()->text, "deactivated") ? 0 : account_failed();
	if (strcmp(account_state()->status, "deactivated") != 0)
		return fail(ST_PROTO, "the CA answers, but the account is still ",
		    account_state()->status, (char *)0);
	return 0;
}

static int
run_deactivate(const struct conf *c, const char *url)
{
	int r = account_open(c, url, ACCOUNT_CHANGE);

	if (r == 0)
		r = deactivated();
	if (r)
		return r;
	if (store_discard(account_dir(), 0) < 0)
		return store_failed("cannot move aside", account_dir());
	note(0, "deactivated ", account_url(), "; its files are in trash, and the next certificate"
	    " from there registers a new account", (char *)0);
	return 0;
}

/* --- the command --- */

static const struct {
	const char *name;
	int (*run)(const struct conf *c, const char *url);	/* 0: show */
} actions[] = {
	{ "register", run_register }, { "show", 0 }, { "update", run_update },
	{ "rollover", rollover }, { "deactivate", run_deactivate },
};

int
manage_account(struct conf *c, const char *what, const char *name)
{
	const char *url = conf_directory(c);
	size_t i;
	int r;

	for (i = 0; i < sizeof(actions) / sizeof(*actions); i++)
		if (strcmp(what, actions[i].name) == 0)
			break;
	if (i == sizeof(actions) / sizeof(*actions) || (name && actions[i].run))
		return fail(ST_USAGE, "account ", what, name ? " " : "", name ? name : "",
		    ": there are register, show [NAME], update, rollover, deactivate;"
		    " try: acme account -h", (char *)0);
	r = store_open(c->home, actions[i].run == run_register);
	if (r == 0)
		r = actions[i].run ? actions[i].run(c, url) : show(c, url, name);
	account_close();
	return r;
}
