/* acme.c against a scripted server. */
#include "../tap.h"
#include "../../acme.c"
#include "../script.h"

enum { NONCE_TRIES = 10 };	/* of talk.c */

static const char *
directory(void)
{
	return reply("200 OK", "", "{\"newNonce\":\"https://ca/nonce\",\"newAccount\":\"/acct\","
	    "\"newOrder\":\"https://ca/order\",\"revokeCert\":\"https://ca/revoke\",\"odd\":[1,{}],"
	    "\"meta\":{\"termsOfService\":\"https://ca/terms\",\"caaIdentities\":[\"a.example\",\"b\"],"
	    "\"profiles\":{\"p1\":\"one\",\"p2\":\"two\"},\"externalAccountRequired\":true}}");
}

static void
opens_a_directory(void)
{
	const char *s[] = { directory(), 0 };
	int fetched;

	start(s);
	ok(acme_open(&config, "https://ca/dir", 0) == 0, "a directory is fetched");
	is_str(acme_directory(&fetched)->url[EP_NEW_ACCOUNT], "https://ca/acct", "a relative URL is resolved");
	ok(fetched, "it says that it was fetched");
	is_str(acme_directory(0)->profiles, "p1 p2", "profile names are listed");
	is_str(acme_directory(0)->caa, "a.example b", "CAA identities are listed");
	is_str(acme_directory(0)->terms, "https://ca/terms", "terms are kept");
	ok(acme_directory(0)->external_account_required, "EAB need is seen");
	is_str(heard, "GET /dir HTTP/1.1\n", "one GET");
}

static void
refuses_directories(void)
{
	static const struct {
		const char *body, *name;
		int status;
	} bad[] = {
		{ "{}", "an empty directory", ST_PROTO },
		{ "[]", "an array", ST_PROTO },
		{ "", "an empty reply", ST_PROTO },
		{ "<html>login</html>", "a captive portal", ST_PROTO },
		{ "{\"newNonce\":\"http://ca/n\",\"newAccount\":\"/a\",\"newOrder\":\"/o\"}", "plain http", ST_PROTO },
		{ "{\"newNonce\":\"file:///n\",\"newAccount\":\"/a\",\"newOrder\":\"/o\"}", "file URLs", ST_PROTO },
		{ "{\"newNonce\":\"javascript:x\",\"newAccount\":\"/a\",\"newOrder\":\"/o\"}", "odd schemes", ST_PROTO },
		{ "{\"newNonce\":7,\"newAccount\":\"/a\",\"newOrder\":\"/o\"}", "a number for a URL", ST_PROTO },
		{ "{\"newNonce\":\"/n\",\"newAccount\":\"/a\",\"newOrder\":null}", "a null URL", ST_PROTO },
		{ "{\"newNonce\":\"/n\",\"newNonce\":\"/n\",\"newAccount\":\"/a\",\"newOrder\":\"/o\"}", "a duplicate key", ST_PROTO },
	};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		const char *s[] = { reply("200 OK", "", bad[i].body), 0 };

		start(s);
		ok(acme_open(&config, "https://ca/dir", 0) == -1 &&
		    acme_why()->status == bad[i].status, bad[i].name);
	}
	ok(acme_open(&config, "http://ca/dir", 0) == -1, "a plain http directory URL is refused");
}

static void
follows_one_redirect(void)
{
	const char *s[] = { reply("301 Moved", "Location: /other\r\n", ""), directory(), 0 };
	const char *t[] = { reply("301 Moved", "Location: https://else/other\r\n", ""), directory(), 0 };
	const char *u[] = { reply("301 Moved", "Location: /other\r\n", ""),
	    reply("301 Moved", "Location: /third\r\n", ""), directory(), 0 };

	start(s);
	ok(acme_open(&config, "https://ca/dir", 0) == 0, "a same-host redirect of a GET is followed");
	start(t);
	ok(acme_open(&config, "https://ca/dir", 0) == -1 && acme_why()->status == ST_PROTO,
	    "one to another host is not");
	start(u);
	ok(acme_open(&config, "https://ca/dir", 0) == -1 && acme_why()->status == ST_PROTO,
	    "a second one is not");
}

static struct acme_account account;
static struct acme_order order;

static void
makes_an_account(void)
{
	const char *s[] = { NONCE, reply("201 Created", N "Location: /acct/1\r\n",
	    "{\"status\":\"valid\",\"contact\":[\"mailto:a@b\"],\"orders\":null}"), 0 };
	const char *t[] = { NONCE, reply("200 OK", N, "{\"status\":\"valid\"}"), 0 };

	scripted(s);
	ok(acme_new_account(&account) == 0 && account.created, "a new account");
	is_str(account.url, "https://ca/acct/1", "its URL is from Location");
	is_str(account.contact, "mailto:a@b", "its contact");
	is_str(heard, "HEAD /newNonce HTTP/1.1\nPOST /newAccount HTTP/1.1\n", "no directory is fetched with a cached one");
	ok(connects == 1, "one connection");
	scripted(t);
	ok(acme_new_account(&account) == -1 && acme_why()->status == ST_PROTO,
	    "no Location is a fault of the protocol");
}

static void
judges_problems(void)
{
	static const struct {
		const char *status, *headers, *body;
		int class;
		const char *type, *text, *name;
	} t[] = {
		{ "403 Forbidden", N, "{\"type\":\"urn:ietf:params:acme:error:unauthorized\",\"detail\":\"no\"}",
		  ST_REFUSED, "unauthorized", "new account: unauthorized: no (HTTP 403)", "a problem document" },
		{ "400 Bad", N, "{\"type\":\"malformed\",\"detail\":\"x\\ny\\u001b[2J\"}",
		  ST_REFUSED, "malformed", "malformed: x\\x0ay\\x1b[2J", "a bare type, control bytes" },
		{ "400 Bad", N, "{\"detail\":\"only\"}", ST_REFUSED, "", "new account: only (HTTP 400)", "no type" },
		{ "400 Bad", N, "\"a string\"", ST_REFUSED, "", "a string", "a JSON string" },
		{ "405 Not Allowed", N, "", ST_REFUSED, "", "new account: (HTTP 405)", "an empty body" },
		{ "502 Bad Gateway", "Retry-After: 86400\r\n", "<html>\r\n", ST_LATER, "", "<html>", "HTML, a day to wait" },
		{ "403 Forbidden", N, "{\"message\":\"Missing Authentication Token\"}",
		  ST_REFUSED, "", "Missing Authentication Token", "a message member" },
		{ "429 Too Many", N "Retry-After: 99999999999999999999\r\n", "{\"type\":\"urn:ietf:params:acme:error:rateLimited\",\"detail\":\"d\"}",
		  ST_LATER, "rateLimited", "rateLimited: d", "an absurd Retry-After" },
		{ "429 Too Many", N, "{\"type\":\"urn:ietf:params:acme:error:rateLimited\",\"detail\":\"too many, retry after 2036-02-23 19:46:34 UTC: see\"}",
		  ST_LATER, "rateLimited", "come back after 2036-02-23T19:46:34Z", "the moment from the detail" },
		{ "302 Found", N "Location: https://ca/x\r\n", "", ST_PROTO, "", "(HTTP 302)", "a redirect of a POST" },
		{ "400 Bad", N, "{\"type\":\"urn:ietf:params:acme:error:compound\",\"detail\":\"d\",\"subproblems\":"
		  "[{\"type\":\"x\",\"detail\":\"bad\",\"identifier\":{\"type\":\"dns\",\"value\":\"n.example\"}}]}",
		  ST_REFUSED, "compound", "compound: d; n.example: bad", "subproblems" },
		{ "200 OK", N "Location: /a/1\r\n", "[]", ST_PROTO, "", "not a JSON object", "an array" },
		{ "200 OK", N "Location: /a/1\r\n", "{\"status\":[]}", ST_PROTO, "", "\"status\"", "a status that is no string" },
		{ "200 OK", N N "Location: /a/1\r\n", "{}", ST_PROTO, "", "Replay-Nonce", "two nonces" },
		{ "200 OK", "Replay-Nonce: a b\r\nLocation: /a/1\r\n", "{}", ST_PROTO, "", "Replay-Nonce", "a nonce with a space" },
	};
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(*t); i++) {
		const char *s[] = { NONCE, reply(t[i].status, t[i].headers, t[i].body), 0 };

		scripted(s);
		if (!ok(acme_new_account(&account) == -1 && acme_why()->status == t[i].class &&
		    strcmp(acme_why()->type, t[i].type) == 0 && strstr(acme_why()->text, t[i].text), t[i].name))
			printf("# %d %s: %s\n", acme_why()->status, acme_why()->type, acme_why()->text);
	}
}

#define BADNONCE "{\"type\":\"urn:ietf:params:acme:error:badNonce\",\"detail\":\"JWS has an invalid anti-replay nonce\"}"

static void
retries_nonces(void)
{
	const char *bad = reply("400 Bad", "Replay-Nonce: second\r\n", BADNONCE);
	const char *good = reply("200 OK", N "Location: /a/1\r\n", "{\"status\":\"valid\"}");
	const char *s[] = { NONCE, bad, bad, good, 0 };
	const char *t[NONCE_TRIES + 4];
	const char *u[] = { NONCE, reply("400 Bad", "", BADNONCE), NONCE, good, 0 };
	int i;

	scripted(s);
	ok(acme_new_account(&account) == 0, "badNonce is answered with the nonce that came with it");
	is_str(heard, "HEAD /newNonce HTTP/1.1\nPOST /newAccount HTTP/1.1\nPOST /newAccount HTTP/1.1\n"
	    "POST /newAccount HTTP/1.1\n", "without a further HEAD");
	ok(strstr(now_sent, "\"nonce\":\"second\"") != 0, "that very nonce");
	t[0] = NONCE;
	for (i = 1; i < NONCE_TRIES + 3; i++)
		t[i] = bad;
	t[i] = 0;
	scripted(t);
	ok(acme_new_account(&account) == -1 && acme_why()->status == ST_REFUSED,
	    "badNonce for ever ends");
	scripted(u);
	ok(acme_new_account(&account) == 0, "a badNonce without a nonce: HEAD newNonce");
}

static void
resends(void)
{
	const char *good = reply("201 OK", N "Location: /o/1\r\n",
	    "{\"status\":\"pending\",\"identifiers\":[],\"authorizations\":[\"/z/1\"],\"finalize\":\"/f\"}");
	const char *s[] = { NONCE, "!", NONCE, good, 0 };
	const char *t[] = { NONCE, "HTTP/1.1 201 OK\r\n", "!", NONCE, good, 0 };
	const char *u[] = { NONCE, reply("503 Busy", "Retry-After: 0\r\n", "busy"), NONCE, good, 0 };

	scripted(s);
	ok(acme_new_order(&order, 1) == 0, "newOrder is sent again when the connection died unanswered");
	ok(connects == 2, "over a new connection");
	scripted(t);
	ok(acme_new_order(&order, 1) == -1 && acme_why()->status == ST_NET,
	    "not when it died within the answer");
	scripted(u);
	ok(acme_new_order(&order, 1) == 0, "503 is obeyed and tried again");
}

static void
refetches_a_stale_directory(void)
{
	const char *s[] = { NONCE, reply("404 Not Found", N, ""), directory(),
	    reply("200 OK", N "Location: /a/1\r\n", "{\"status\":\"valid\"}"), 0 };

	scripted(s);
	ok(acme_new_account(&account) == 0, "a cached directory that is stale is fetched anew");
	is_str(heard, "HEAD /newNonce HTTP/1.1\nPOST /newAccount HTTP/1.1\nGET /dir HTTP/1.1\nPOST /acct HTTP/1.1\n",
	    "once");
}

int
main(void)
{
	opens_a_directory();
	refuses_directories();
	follows_one_redirect();
	makes_an_account();
	judges_problems();
	retries_nonces();
	resends();
	refetches_a_stale_directory();
	return tap_done();
}
