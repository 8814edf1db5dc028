/* talk.c: how a reply is judged, what is said of a problem, and the pool of nonces; nothing is sent. */
#include <stdlib.h>

#include "../tap.h"
#include "../../talk.c"

/* A reply as if it had been received. */
static void
replied(int status, const char *head, const char *body)
{
	talk.res.status = status;
	talk.res.head_len = strlen(head);
	memcpy(talk.res.head, head, talk.res.head_len);
	buf_init(&talk.res.body, talk.reply, sizeof(talk.reply));
	buf_str(&talk.res.body, body);
}

static void
moment_in_text(void)
{
	static const struct {
		const char *name, *text;
		int64_t want;
	} table[] = {
		{ "Let's Encrypt's words", "too many certificates, retry after 2027-02-23 19:46:34 UTC: see", 1803411994 },
		{ "with a T", "retry after 2027-02-23T19:46:34Z", 1803411994 },
		{ "at the end of the text", "retry after 2027-02-23 19:46:34", 1803411994 },
		{ "the end cut off", "retry after 2027-02-23 19:46:3", 0 },
		{ "nothing behind it", "retry after ", 0 },
		{ "other words", "come back 2027-02-23 19:46:34 UTC", 0 },
		{ "a duration", "retry after 3600 seconds, or try a later day", 0 },
		{ "no such day", "retry after 2027-02-30 19:46:34 UTC", 0 },
		{ "letters", "retry after 2027-02-23 19:46:xx UTC", 0 },
		{ "nothing", "", 0 },
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++)
		ok(retry_in_text(table[i].text) == table[i].want, table[i].name);
}

static void
words_of_problems(void)
{
	static const struct {
		const char *name, *json, *want;
	} table[] = {
		{ "type and detail", "{\"type\":\"urn:ietf:params:acme:error:caa\",\"detail\":\"no\"}", "caa: no" },
		{ "another URN", "{\"type\":\"urn:acme:error:caa\",\"detail\":\"no\"}", "caa: no" },
		{ "about:blank alone", "{\"type\":\"about:blank\"}", "" },
		{ "no type", "{\"detail\":\"no\"}", "no" },
		{ "no detail", "{\"type\":\"a:caa\"}", "caa" },
		{ "nothing", "{}", "" },
		{ "a type that is no string", "{\"type\":1,\"detail\":\"no\"}", "no" },
		{ "a detail that is no string", "{\"type\":\"a:caa\",\"detail\":[\"no\"]}", "caa" },
		{ "null", "{\"type\":null,\"detail\":null,\"subproblems\":null}", "" },
		{ "control characters", "{\"detail\":\"a\\u001b[31m\\nb\"}", "a\\x1b[31m\\x0ab" },
		{ "no ASCII", "{\"detail\":\"\xc3\xa9\"}", "\\xc3\\xa9" },
		{ "subproblems", "{\"type\":\"a:compound\",\"detail\":\"no\",\"subproblems\":["
		    "{\"identifier\":{\"type\":\"dns\",\"value\":\"a.example\"},\"detail\":\"one\"},"
		    "{\"identifier\":{\"type\":\"dns\",\"value\":\"b.example\"},\"detail\":\"two\"}]}",
		    "compound: no; a.example: one; b.example: two" },
		{ "subproblems that are none", "{\"detail\":\"no\",\"subproblems\":[1,{}]}", "no" },
		{ "subproblems that are no list", "{\"detail\":\"no\",\"subproblems\":{\"a\":1}}", "no" },
		{ "an identifier that is no object", "{\"subproblems\":[{\"identifier\":7}]}", 0 },
		{ "no object", "[]", "" },
	};
	static char long_json[4096];
	char mem[512];
	struct json_doc doc;
	struct json v;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct buf b = BUF(mem);

		v = json_parse(&doc, slice(table[i].json));
		if (!ok(!doc.err, "a document"))
			continue;
		talk_problem_text(&b, v);
		if (table[i].want)
			is_str(buf_text(&b), table[i].want, table[i].name);
		ok(!doc.err, "its faults hide no other");
	}
	snprintf(long_json, sizeof(long_json), "{\"detail\":\"%03000d\",\"subproblems\":[{},{}]}", 0);
	for (i = 0; i <= sizeof(mem); i += 64) {
		char *end = malloc(i ? i : 1);
		struct buf b;

		buf_init(&b, end, i);
		v = json_parse(&doc, slice(long_json));
		talk_problem_text(&b, v);
		ok(b.err && b.len <= i, "a buffer too small is filled, not more");
		free(end);
	}
}

static void
problems_are_text(void)
{
	static char words[2 * sizeof(talk.why.text)];

	ok(talk_problem(ST_NET, "a", "\n", "b", (char *)0) == -1 && talk_why()->status == ST_NET,
	    "a problem");
	is_str(talk_why()->text, "a\\x0ab", "is printable");
	memset(words, 'x', sizeof(words) - 1);
	talk_problem(ST_PROTO, words, words, (char *)0);
	ok(strlen(talk_why()->text) == sizeof(talk.why.text) - 1, "and cut if it is long");
	talk_problem(ST_PROTO, "short", (char *)0);
	is_str(talk_why()->text, "short", "and leaves nothing of one before");
}

static void
knows_bad_nonces(void)
{
	static const struct {
		const char *name, *body;
		int status, want;
	} table[] = {
		{ "badNonce", "{\"type\":\"urn:ietf:params:acme:error:badNonce\"}", 400, 1 },
		{ "with another status", "{\"type\":\"a:badNonce\"}", 403, 1 },
		{ "in words", "{\"type\":\"a:malformed\",\"detail\":\"The Replay Nonce is not recognized\"}", 400, 1 },
		{ "as text", "invalid NONCE", 400, 1 },
		{ "words, but another type", "{\"type\":\"a:caa\",\"detail\":\"nonce.example\"}", 400, 0 },
		{ "words, but another status", "no nonce", 403, 0 },
		{ "cut off", "nonc", 400, 0 },
		{ "nothing", "", 400, 0 },
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		replied(table[i].status, "", table[i].body);
		judge("x", "https://ca.example/");
		ok(bad_nonce() == table[i].want, table[i].name);
	}
}

/* Dates are by the clock of the server, where it tells. */
static void
moments_are_the_servers(void)
{
	static const struct {
		const char *name, *head;
		int64_t want;
	} table[] = {
		{ "seconds", "Retry-After: 7\r\n", 7 },
		{ "a date by the clock of the server", "Date: Wed, 01 Jan 2020 00:00:00 GMT\r\n"
		  "Retry-After: Wed, 01 Jan 2020 00:00:07 GMT\r\n", 7 },
		{ "a date that has passed there", "Date: Wed, 01 Jan 2020 00:00:00 GMT\r\n"
		  "Retry-After: Tue, 31 Dec 2019 00:00:07 GMT\r\n", 0 },
		{ "a date by ours", "Date: x\r\nRetry-After: Wed, 01 Jan 2020 00:00:07 GMT\r\n", 0 },
		{ "a year at most", "Retry-After: 99999999999\r\n", 366 * 86400 },
		{ "none", "", -1 },
		{ "junk", "Retry-After: soon\r\n", -1 },
		{ "negative", "Retry-After: -1\r\n", -1 },
	};
	size_t i;
	int64_t got;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		replied(200, table[i].head, "");
		got = talk_retry_after();
		/* a second may pass in between */
		ok(got == table[i].want || (table[i].want == 7 && got == 6), table[i].name);
	}
}

/* --- nonces --- */

static void
nonces_are_checked(void)
{
	static const struct {
		const char *name, *head;
		int want;
		unsigned count;
	} table[] = {
		{ "a nonce", "Replay-Nonce: abc\r\n", 0, 1 },
		{ "in another case", "replay-nonce:abc\r\n", 0, 1 },
		{ "all characters", "Replay-Nonce: AZaz09-_\r\n", 0, 1 },
		{ "none", "Content-Type: x\r\n", 0, 0 },
		{ "no header at all", "", 0, 0 },
		{ "an empty one", "Replay-Nonce: \r\n", -1, 0 },
		{ "padding", "Replay-Nonce: abc=\r\n", -1, 0 },
		{ "base64", "Replay-Nonce: a+/c\r\n", -1, 0 },
		{ "a quote", "Replay-Nonce: abc\"\r\n", -1, 0 },
		{ "a space", "Replay-Nonce: a b\r\n", -1, 0 },
		{ "two in one", "Replay-Nonce: a,b\r\n", -1, 0 },
		{ "two", "Replay-Nonce: a\r\nReplay-Nonce: b\r\n", -1, 0 },
	};
	static char head[LIMIT_NONCE + 64];
	size_t i;
	int n;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		talk.nonces = 0;
		replied(200, table[i].head, "");
		ok(nonce_harvest() == table[i].want && talk.nonces == table[i].count &&
		    (table[i].want == 0 || talk_why()->status == ST_PROTO), table[i].name);
	}
	for (n = LIMIT_NONCE - 1; n <= LIMIT_NONCE; n++) {
		talk.nonces = 0;
		snprintf(head, sizeof(head), "Replay-Nonce: %0*d\r\n", n, 0);
		replied(200, head, "");
		ok(nonce_harvest() == (n < LIMIT_NONCE ? 0 : -1), n < LIMIT_NONCE ?
		    "the longest" : "a longer one");
	}
}

static char signed_with[64];

static int
refuse(void *ctx, enum acme_kind kind, const char *url, const char *nonce, struct buf *body)
{
	(void)ctx; (void)kind; (void)url; (void)body;
	slice_copy(slice(nonce), signed_with, sizeof(signed_with));
	return -1;
}

static void
nonces_are_kept(void)
{
	struct acme_config config;
	char head[64];
	int i;

	memset(&config, 0, sizeof(config));
	config.sign = refuse;
	config.timeout = 1;
	talk_open(&config);
	ok(talk.nonces == 0, "a conversation begins with no nonce");
	for (i = 0; i < NONCES + 3; i++) {
		snprintf(head, sizeof(head), "Replay-Nonce: n%d\r\n", i);
		replied(200, head, "");
		nonce_harvest();
	}
	ok(talk.nonces == NONCES, "the pool has its size");
	is_str(talk.nonce[0], "n3", "the oldest are dropped");
	talk_enter();
	ok(talk_post(ACME_NEW_ORDER, "https://ca.example/") == -1 && talk.nonces == NONCES - 1,
	    "a nonce is used up even if nothing is signed");
	is_str(signed_with, "n12", "the newest");
	talk_post(ACME_NEW_ORDER, "https://ca.example/");
	is_str(signed_with, "n11", "then the one before");
	talk_nonce_url("http://ca.example/nonce");
	for (i = 0; i < NONCES; i++)
		talk.nonce_at[i] = now_ms() - NONCE_AGE - 1;
	*signed_with = 0;
	ok(talk_post(ACME_NEW_ORDER, "https://ca.example/") == -1 && talk.nonces == 0 && !*signed_with,
	    "old ones are not used");
	ok(strstr(talk_why()->text, "not an https URL") != 0, "a new one comes by https only");
	talk_leave(0);
	talk_close();
}

/* --- replies --- */

static void
later_is_understood(void)
{
	static const struct {
		const char *name, *head;
		int64_t want;
	} table[] = {
		{ "seconds", "Retry-After: 120\r\n", 120 },
		{ "none", "", -1 },
		{ "zero", "Retry-After: 0\r\n", 0 },
		{ "at most a year", "Retry-After: 999999999999999999\r\n", 366 * 86400 },
		{ "too many digits", "Retry-After: 9999999999999999999\r\n", 366 * 86400 },
		{ "negative", "Retry-After: -1\r\n", -1 },
		{ "words", "Retry-After: soon\r\n", -1 },
		{ "empty", "Retry-After:\r\n", -1 },
		{ "a date gone by", "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 0 },
		{ "a date far ahead", "Retry-After: Fri, 31 Dec 9999 23:59:59 GMT\r\n", 366 * 86400 },
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		replied(503, table[i].head, "");
		ok(talk_retry_after() == table[i].want, table[i].name);
	}
}

static void
replies_are_judged(void)
{
#define PROBLEM(type) "{\"type\":\"urn:ietf:params:acme:error:" type "\",\"detail\":\"no\"}"
	static const struct {
		const char *name;
		int http;
		const char *head, *body;
		int want;
		const char *type, *text;
	} table[] = {
		{ "a problem", 403, "", PROBLEM("caa"), ST_REFUSED, "caa", "x: caa: no (HTTP 403)" },
		{ "an empty body", 404, "", "", ST_REFUSED, "", "x https://ca.example/: (HTTP 404)" },
		{ "an odd member", 403, "", "{\"type\":\"a:caa\",\"detail\":\"no\",\"instance\":\"\\u0007\"}", ST_REFUSED,
		    "caa", "x: caa: no (HTTP 403)" },
		{ "an odd type", 403, "", "{\"type\":\"\\u0007\",\"detail\":\"no\"}", ST_REFUSED, "", "x: no (HTTP 403)" },
		{ "no JSON", 400, "", "<p>\n", ST_REFUSED, "", "x: <p>\\x0a (HTTP 400)" },
		{ "a string", 400, "", "\"no\"", ST_REFUSED, "", "x: no (HTTP 400)" },
		{ "a message", 400, "", "{\"message\":\"no\"}", ST_REFUSED, "", "x: no (HTTP 400)" },
		{ "a redirect", 301, "", "", ST_PROTO, "", "x: (HTTP 301)" },
		{ "a server in trouble", 500, "", "", ST_LATER, "", "x: (HTTP 500)" },
		{ "too many requests", 429, "", "", ST_LATER, "", "x: (HTTP 429)" },
		{ "rateLimited of another status", 403, "", PROBLEM("rateLimited"), ST_LATER,
		    "rateLimited", "x: rateLimited: no (HTTP 403)" },
		{ "a moment in the detail", 429, "", "{\"detail\":\"retry after 2096-02-23 19:46:34 UTC\"}",
		    ST_LATER, "", "x: retry after 2096-02-23 19:46:34 UTC (HTTP 429); come back after 2096-02-23T19:46:34Z" },
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		replied(table[i].http, table[i].head, table[i].body);
		ok(judge("x", "https://ca.example/") == -1 && talk_why()->status == table[i].want &&
		    talk_why()->http == table[i].http, table[i].name);
		is_str(talk_why()->type, table[i].type, "its type");
		is_str(talk_why()->text, table[i].text, "its words");
	}
	replied(201, "", "anything");
	ok(judge("x", "https://ca.example/") == 0, "2xx is success");
	replied(403, "Link: </terms>;rel=\"terms-of-service\"\r\n", PROBLEM("userActionRequired"));
	judge("x", "https://ca.example/a/b");
	is_str(talk_why()->link, "https://ca.example/terms", "a link to terms is resolved");
	replied(400, "", PROBLEM("badNonce"));
	judge("x", "https://ca.example/");
	ok(bad_nonce(), "badNonce is told from others");
	replied(400, "", PROBLEM("badCSR"));
	judge("x", "https://ca.example/");
	ok(!bad_nonce(), "by its type");
}

int
main(void)
{
	moment_in_text();
	words_of_problems();
	problems_are_text();
	knows_bad_nonces();
	moments_are_the_servers();
	nonces_are_checked();
	nonces_are_kept();
	later_is_understood();
	replies_are_judged();
	return tap_done();
}
