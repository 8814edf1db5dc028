/* challenge.c: whose names a server may speak of, which challenge is tried, what is set up and undone. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../home.h"
#include "../tap.h"
#include "../../challenge.c"

static struct acme_order order;

static acme_text
put_text(const char *text)
{
	acme_text at = order.used;

	memcpy(order.arena + at, text, strlen(text) + 1);
	order.used += (uint32_t)strlen(text) + 1;
	return at;
}

static void
clear_order(void)
{
	memset(&order, 0, sizeof(order));
	order.used = 1;
}

/* Adds an authorization for "name", or for a wildcard "*.name". */
static struct acme_authz *
add_authz(const char *name)
{
	struct acme_authz *z = &order.authz[order.count++];

	z->wildcard = is_wildcard(name);
	z->ident = put_text(name + 2 * z->wildcard);
	z->status = ACME_PENDING;
	z->chosen = -1;
	return z;
}

static void
add_challenge(struct acme_authz *z, enum acme_type type, const char *token)
{
	z->challenge[z->count].type = type;
	z->challenge[z->count].status = ACME_PENDING;
	z->challenge[z->count++].token = put_text(token);
}

static void
set_names(struct conf *c, const char *const *names)
{
	c->names = 0;
	while (names[c->names]) {
		c->name[c->names] = names[c->names];
		c->names++;
	}
}

/* --- names --- */

#define V6 "2001:db8::1"
enum { MOST = 5 };

static const struct {
	const char *name;
	const char *ours[MOST], *theirs[MOST];
	int identifiers, authorizations;
} names_table[] = {
	{ "one name", { "a.example" }, { "a.example" }, 0, 0 },
	{ "another order", { "a.example", "b.example", "192.0.2.1" },
	    { "192.0.2.1", "b.example", "a.example" }, 0, 0 },
	{ "a wildcard and its base", { "a.example", "*.a.example" },
	    { "*.a.example", "a.example" }, 0, 0 },
	{ "a name of others", { "a.example" }, { "b.example" }, ST_PROTO, ST_PROTO },
	{ "a name too many", { "a.example" }, { "a.example", "b.example" }, ST_PROTO, ST_PROTO },
	/* an authorization can be for several names: that none is missing is the CA's affair */
	{ "a name missing", { "a.example", "b.example" }, { "b.example" }, ST_PROTO, 0 },
	{ "none at all", { "a.example" }, { 0 }, ST_PROTO, 0 },
	{ "a name below ours", { "a.example" }, { "x.a.example" }, ST_PROTO, ST_PROTO },
	{ "a name above ours", { "x.a.example" }, { "a.example" }, ST_PROTO, ST_PROTO },
	{ "the beginning of ours", { "a.example" }, { "a.exampl" }, ST_PROTO, ST_PROTO },
	{ "the wildcard of our name", { "a.example" }, { "*.a.example" }, ST_PROTO, ST_PROTO },
	{ "the base of our wildcard", { "*.a.example" }, { "a.example" }, ST_PROTO, ST_PROTO },
	{ "a name under our wildcard", { "*.a.example" }, { "x.a.example" }, ST_PROTO, ST_PROTO },
	{ "an address in full", { V6 }, { "2001:0db8:0000:0000:0000:0000:0000:0001" }, 0, 0 },
	{ "an address in upper case", { "2001:db8::ab" }, { "2001:DB8::AB" }, 0, 0 },
	{ "an address with zeros", { V6 }, { "2001:db8:0:0:0:0:0:1" }, 0, 0 },
	{ "an address with an IPv4 tail", { "2001:db8::c000:201" }, { "2001:db8::192.0.2.1" }, 0, 0 },
	{ "a mapped address", { "192.0.2.1" }, { "::ffff:192.0.2.1" }, 0, 0 },
	{ "another address", { V6 }, { "2001:db8::2" }, ST_PROTO, ST_PROTO },
	{ "no address", { V6 }, { "a.example" }, ST_PROTO, ST_PROTO },
	{ "an address for a name", { "a.example" }, { "192.0.2.1" }, ST_PROTO, ST_PROTO },
	{ "a cut address", { "192.0.2.11" }, { "192.0.2.1" }, ST_PROTO, ST_PROTO },
	{ "an IPv4 address for the IPv6 one of its bytes", { "c000:201::" }, { "192.0.2.1" },
	    ST_PROTO, ST_PROTO },
	{ "an authorization twice", { "a.example", "b.example" },
	    { "a.example", "b.example", "a.example" }, 0, ST_PROTO },
	{ "twice in two spellings", { V6 }, { V6, "2001:db8:0::1" }, 0, ST_PROTO },
	{ "nothing in an identifier", { "a.example" }, { "a.example", "" }, ST_PROTO, ST_PROTO },
};

static void
names_are_ours(void)
{
	static struct conf c;
	const char *ours[MOST + 1] = { 0 };
	size_t i, j;

	hush(1);
	for (i = 0; i < sizeof(names_table) / sizeof(*names_table); i++) {
		memcpy(ours, names_table[i].ours, sizeof(names_table[i].ours));
		set_names(&c, ours);
		clear_order();
		for (j = 0; j < MOST && names_table[i].theirs[j]; j++) {
			order.ident[order.idents++] = put_text(names_table[i].theirs[j]);
			add_authz(names_table[i].theirs[j]);
		}
		ok(challenge_identifiers(&c, &order) == names_table[i].identifiers &&
		    challenge_authorizations(&c, &order) == names_table[i].authorizations,
		    names_table[i].name);
	}
	hush(0);
}

/* --- choice --- */

static void
types_in_order(void)
{
	static const struct {
		const char *name, *challenge, *path;
		int builtin;
		const char *want;
	} table[] = {
		{ "a program gets three types", 0, "/hook", 0, "http-01 dns-01 tls-alpn-01" },
		{ "webroot one", 0, "webroot", 1, "http-01" },
		{ "standalone one", 0, "standalone:8080", 1, "http-01" },
		{ "tls-alpn its own", 0, "tls-alpn", 1, "tls-alpn-01" },
		{ "with a port too", 0, "tls-alpn:127.0.0.1:4433", 1, "tls-alpn-01" },
		{ "a program of that name is a program", 0, "tls-alpn", 0, "http-01 dns-01 tls-alpn-01" },
		{ "-t decides", "dns-01", "/hook", 0, "dns-01" },
		{ "-t in its order", "tls-alpn-01,dns-01,http-01", "/hook", 0,
		    "tls-alpn-01 dns-01 http-01" },
		{ "-t for a built-in hook too", "http-01", "webroot", 1, "http-01" },
		{ "unknown types are passed over", "x,dns-01,,dns-0,dns-011", "/hook", 0, "dns-01" },
		{ "more than there are", "http-01,http-01,http-01,http-01,http-01,dns-01", "/hook", 0,
		    "http-01 http-01 http-01 http-01 http-01" },
	};
	static struct conf c;
	static struct hook h;
	enum acme_type types[ACME_TYPES];
	char mem[128];
	unsigned n, k;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct buf b = BUF(mem);

		c.challenge = table[i].challenge;
		h.builtin = table[i].builtin;
		strcpy(h.path, table[i].path);
		n = preference(&c, &h, types);
		for (k = 0; k < n; k++)
			buf_all(&b, k ? " " : "", acme_type_name[types[k]], (char *)0);
		is_str(buf_text(&b), table[i].want, table[i].name);
	}
}

static void
equal_challenges(void)
{
	static const struct {
		const char *name;
		unsigned at;
		enum acme_type type;
		const char *ident, *token;
		int want;
	} table[] = {
		{ "an equal one before", 3, ACME_DNS_01, "a.example", "t1", 1 },
		{ "another token", 3, ACME_DNS_01, "a.example", "t2", 0 },
		{ "another type", 3, ACME_HTTP_01, "a.example", "t1", 0 },
		{ "another name", 3, ACME_DNS_01, "b.example", "t1", 0 },
		{ "not chosen", 3, ACME_DNS_01, "b.example", "t3", 0 },
		{ "another spelling of an address", 3, ACME_HTTP_01, V6, "t4", 1 },
		{ "not the one itself", 0, ACME_DNS_01, "a.example", "t1", 0 },
		{ "nor one behind it", 2, ACME_HTTP_01, V6, "t4", 0 },
	};
	struct acme_authz *z;
	size_t i;

	clear_order();
	z = add_authz("a.example");
	add_challenge(z, ACME_HTTP_01, "t0");
	add_challenge(z, ACME_DNS_01, "t1");
	z->chosen = 1;
	add_challenge(add_authz("b.example"), ACME_DNS_01, "t3");
	z = add_authz("2001:db8:0:0:0:0:0:1");
	add_challenge(z, ACME_HTTP_01, "t4");
	z->chosen = 0;
	for (i = 0; i < sizeof(table) / sizeof(*table); i++)
		ok(set_up_before(&order, table[i].at, table[i].type, table[i].ident,
		    table[i].token) == table[i].want, table[i].name);
}

static void
records_and_values(void)
{
	static const struct {
		enum acme_type type;
		int wildcard;
		const char *record, *auth, *keyauth;
	} table[] = {
		{ ACME_HTTP_01, 0, "", "tok.", "tok." },
		{ ACME_TLS_ALPN_01, 0, "", 0, "tok." },
		{ ACME_DNS_01, 1, "_acme-challenge.a.example", 0, "tok." },
		{ ACME_DNS_ACCOUNT_01, 0, "_4oymiquy7qobjgx3._acme-challenge.a.example", 0, "tok." },
		{ ACME_DNS_PERSIST_01, 0, "_validation-persist.a.example", "ca.example; accounturi=urn:1", "" },
		{ ACME_DNS_PERSIST_01, 1, "_validation-persist.a.example",
		    "ca.example; accounturi=urn:1; policy=wildcard", "" },
	};
	struct acme_challenge ch = { 0 };
	size_t i;

	clear_order();
	ch.token = put_text("tok");
	ch.issuers = put_text("ca.example two.example");
	ch.account = put_text("urn:1");
	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		ch.type = table[i].type;
		make_proof(&order, &ch, "a.example", table[i].wildcard);
		is_str(proof.record, table[i].record, acme_type_name[ch.type]);
		ok(strncmp(proof.keyauth, table[i].keyauth, strlen(table[i].keyauth)) == 0 &&
		    (table[i].auth ? strncmp(proof.auth, table[i].auth, strlen(table[i].auth)) == 0 :
		    strlen(proof.auth) == 43), "has its value");
	}
}

static void
persistent_ones_differ(void)
{
	struct acme_authz *z;

	clear_order();
	z = add_authz("a.example");
	add_challenge(z, ACME_DNS_PERSIST_01, "");
	z->chosen = 0;
	add_authz("*.a.example");
	add_authz("a.example");
	ok(!set_up_before(&order, 1, ACME_DNS_PERSIST_01, "a.example", ""),
	    "a wildcard's persistent record is not its base's");
	ok(set_up_before(&order, 2, ACME_DNS_PERSIST_01, "a.example", ""), "an equal one is");
}

/* --- hooks --- */

/* What the hook wrote, and the entries of the journal, -1 if unreadable. */
static const char *
take_log(int *entries)
{
	static char mem[LIMIT_CONF];
	int ids[ENTRIES];
	struct buf b = BUF(mem);

	*entries = store_journal("a.example", ids, ENTRIES);
	if (store_read("log", &b) < 0 || store_remove("log") < 0)
		return "";
	return buf_text(&b);
}

static void
three_names(struct conf *c)
{
	static const char *const names[] = { "a.example", "*.a.example", "b.example", 0 };
	struct acme_authz *z;

	set_names(c, names);
	clear_order();
	z = add_authz("b.example");
	add_challenge(z, ACME_DNS_01, "tb-dns");
	add_challenge(z, ACME_HTTP_01, "tb-http");
	z = add_authz("*.a.example");
	add_challenge(z, ACME_DNS_01, "ta");
	z = add_authz("a.example");
	add_challenge(z, ACME_DNS_01, "ta");
}

/*
 * A hook that logs its calls; begin answers the exit status that it finds in
 * the file TYPE.
 */
static void
sets_up_and_undoes(void)
{
	static const char script[] = "#!/bin/sh\ncd \"$ACME_HOME\" || exit 99\n"
	    "echo \"$*\" | sed 's/ [^ ]*$//' >>log\n"
	    "[ \"$1\" != failed ] || echo \"$ACME_ERROR\" >>log\n"
	    "[ \"$1\" != begin ] || [ ! -e \"$2\" ] || exit \"$(cat \"$2\")\"\n";
	static struct conf c;
	char path[LIMIT_PATH];
	int entries;

	snprintf(path, sizeof(path), "%s/hook", store_home());
	if (store_write("hook", slice(script)) < 0 || chmod(path, 0700) < 0)
		perror(path);
	c.hook = path;
	c.hook_timeout = 60;
	hush(1);

	three_names(&c);
	ok(challenge_begin("a.example", &c, &order, 0, order.count) == 0 &&
	    order.authz[0].chosen == 1 && order.authz[1].chosen == 0 && order.authz[2].chosen == 0,
	    "a challenge is chosen for each");
	is_str(take_log(&entries), "begin http-01 b.example tb-http\nbegin dns-01 a.example ta\n",
	    "the hook is called for each once");
	ok(entries == 2, "and each call is in the journal");
	challenge_end("a.example", &c, 0);
	is_str(take_log(&entries), "done dns-01 a.example ta\ndone http-01 b.example tb-http\n",
	    "undone in reverse order");
	ok(entries == 0, "the journal is empty then");
	challenge_end("a.example", &c, 0);
	is_str(take_log(&entries), "", "and nothing is undone twice");

	three_names(&c);
	order.authz[0].status = ACME_VALID;
	challenge_begin("a.example", &c, &order, 0, order.count);
	is_str(take_log(&entries), "begin dns-01 a.example ta\n", "only for what is pending");
	challenge_end("a.example", &c, "no\nluck");
	is_str(take_log(&entries), "failed dns-01 a.example ta\nno\\x0aluck\n", "failure is told, printable");

	if (store_write("http-01", slice("1")) < 0)
		perror("http-01");
	three_names(&c);
	ok(challenge_begin("a.example", &c, &order, 0, 1) == 0 && order.authz[0].chosen == 0,
	    "a hook may decline a type");
	is_str(take_log(&entries), "begin http-01 b.example tb-http\nbegin dns-01 b.example tb-dns\n",
	    "then it is offered the next");
	ok(entries == 1, "what was declined leaves the journal");
	challenge_end("a.example", &c, 0);
	take_log(&entries);

	c.challenge = "http-01";
	three_names(&c);
	ok(challenge_begin("a.example", &c, &order, 0, order.count) == ST_HOOK &&
	    strstr(last_failure(), "b.example; the CA offers dns-01 http-01"), "all declined");
	take_log(&entries);
	ok(entries == 0 && order.authz[0].chosen == -1, "leaves nothing");
	c.challenge = "tls-alpn-01";
	ok(challenge_begin("a.example", &c, &order, 0, order.count) == ST_HOOK, "no type that the CA offers");
	is_str(take_log(&entries), "", "calls no hook");

	c.challenge = 0;
	store_write("dns-01", slice("200"));
	three_names(&c);
	ok(challenge_begin("a.example", &c, &order, 0, order.count) == ST_HOOK &&
	    strstr(last_failure(), "exit status 200"), "a hook that fails");
	take_log(&entries);
	ok(entries == 1, "stays in the journal, for it may have done half");
	challenge_end("a.example", &c, last_failure());
	ok(strncmp(take_log(&entries), "failed dns-01 b.example tb-dns\n", 31) == 0 && entries == 0,
	    "and is told so");

	store_remove("dns-01");
	store_remove("http-01");
	c.pre_hook = "echo pre >>\"$ACME_HOME/log\"";
	c.post_hook = "echo post >>\"$ACME_HOME/log\"";
	three_names(&c);
	challenge_begin("a.example", &c, &order, 0, order.count);
	challenge_end("a.example", &c, 0);
	is_str(take_log(&entries), "pre\nbegin http-01 b.example tb-http\nbegin dns-01 a.example ta\n"
	    "done dns-01 a.example ta\ndone http-01 b.example tb-http\npost\n",
	    "pre hook first, post hook last");
	three_names(&c);
	order.authz[0].status = order.authz[1].status = order.authz[2].status = ACME_VALID;
	ok(challenge_begin("a.example", &c, &order, 0, order.count) == 0, "nothing pending");
	challenge_end("a.example", &c, 0);
	is_str(take_log(&entries), "", "runs nothing");
	c.pre_hook = "exit 1";
	three_names(&c);
	ok(challenge_begin("a.example", &c, &order, 0, order.count) == ST_HOOK, "a pre hook that fails");
	challenge_end("a.example", &c, last_failure());
	is_str(take_log(&entries), "post\n", "is undone by the post hook only");
	hush(0);
}

static void
programs_are_there(void)
{
	static struct conf c;
	char path[LIMIT_PATH];

	snprintf(path, sizeof(path), "%s/hook", store_home());
	hush(1);
	ok(challenge_check(&c) == ST_USAGE, "no way to answer");
	c.challenge = "http-01,dns-persist-01";
	ok(challenge_check(&c) == 0, "a record that may stand");
	c.challenge = 0;
	c.webroot = store_home();
	ok(challenge_check(&c) == 0, "webroot");
	c.hook = "none-such";
	ok(challenge_check(&c) == ST_CONFIG, "a hook that is not there");
	c.hook = path;
	ok(challenge_check(&c) == 0, "one that is");
	c.ready_hook = "/none/such";
	ok(challenge_check(&c) == ST_CONFIG && strstr(last_failure(), "--ready-hook"), "ready hook");
	c.ready_hook = 0;
	c.fail_hook = "/none/such";
	ok(challenge_check(&c) == ST_CONFIG && strstr(last_failure(), "--fail-hook"), "fail hook");
	c.fail_hook = path;
	c.deploy.n = 2;
	c.deploy.v[0] = path;
	c.deploy.v[1] = "/none/such";
	ok(challenge_check(&c) == ST_CONFIG && strstr(last_failure(), "--deploy-hook"), "deploy hooks");
	hush(0);
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
	if (store_open(home, 1) != 0 || store_mkdir("certs/a.example/pending/hooks") < 0)
		return 1;
	names_are_ours();
	types_in_order();
	equal_challenges();
	records_and_values();
	persistent_ones_differ();
	sets_up_and_undoes();
	programs_are_there();
	return tap_done();
}
