/* problem.c: how a reply is judged, and what is said of a problem. */
#include <stdlib.h>

#include "../tap.h"
#include "../../problem.c"

static struct http_response res;
static char body_mem[4096];

/* A reply as if it had been received. */
static void
replied(int status, const char *head, const char *body)
{
	res.status = status;
	res.head_len = strlen(head);
	memcpy(res.head, head, res.head_len);
	buf_init(&res.body, body_mem, sizeof(body_mem));
	buf_str(&res.body, body);
}

static int
judge(void)
{
	return problem_judge(&res, "x", "https://ca.example/");
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
		problem_words(&b, v);
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
		problem_words(&b, v);
		ok(b.err && b.len <= i, "a buffer too small is filled, not more");
		free(end);
	}
}

static void
problems_are_text(void)
{
	static char words[2 * sizeof(last.text)];

	ok(problem_set(ST_NET, "a", "\n", "b", (char *)0) == -1 && problem_last()->status == ST_NET,
	    "a problem");
	is_str(problem_last()->text, "a\\x0ab", "is printable");
	memset(words, 'x', sizeof(words) - 1);
	problem_set(ST_PROTO, words, words, (char *)0);
	ok(strlen(problem_last()->text) == sizeof(last.text) - 1, "and cut if it is long");
	problem_set(ST_PROTO, "short", (char *)0);
	is_str(problem_last()->text, "short", "and leaves nothing of one before");
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
		judge();
		ok(problem_bad_nonce() == table[i].want, table[i].name);
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
		got = problem_retry_after(&res);
		/* a second may pass in between */
		ok(got == table[i].want || (table[i].want == 7 && got == 6), table[i].name);
	}
}

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
		ok(problem_retry_after(&res) == table[i].want, table[i].name);
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
		ok(judge() == -1 && problem_last()->status == table[i].want &&
		    problem_last()->http == table[i].http, table[i].name);
		is_str(problem_last()->type, table[i].type, "its type");
		is_str(problem_last()->text, table[i].text, "its words");
	}
	replied(201, "", "anything");
	ok(judge() == 0, "2xx is success");
	replied(403, "Link: </terms>;rel=\"terms-of-service\"\r\n", PROBLEM("userActionRequired"));
	problem_judge(&res, "x", "https://ca.example/a/b");
	is_str(problem_last()->link, "https://ca.example/terms", "a link to terms is resolved");
	replied(400, "", PROBLEM("badNonce"));
	judge();
	ok(problem_bad_nonce(), "badNonce is told from others");
	replied(400, "", PROBLEM("badCSR"));
	judge();
	ok(!problem_bad_nonce(), "by its type");
}

int
main(void)
{
	moment_in_text();
	words_of_problems();
	problems_are_text();
	knows_bad_nonces();
	moments_are_the_servers();
	later_is_understood();
	replies_are_judged();
	return tap_done();
}
