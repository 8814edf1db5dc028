/* reply.c on replies that are set, not received. */
#include "../tap.h"
#include "../../reply.c"
#include "../script.h"

static const char base[] = "https://ca.example:14000/dir/x";

/* The answer to one request, so that it is talk_reply(). */
static void
replied(const char *headers, const char *body)
{
	const char *s[] = { reply("200 OK", headers, body), 0 };
	int redirect;

	scripted(s);
	talk_enter();
	talk_leave(talk_get("https://ca/x", "x", &redirect));
}

static void
reads_urls(void)
{
	static const struct {
		const char *name, *json, *want;
		int result;
	} table[] = {
		{ "an absolute URL", "{\"u\":\"https://a.example/b\"}", "https://a.example/b", 0 },
		{ "a path", "{\"u\":\"/b\"}", "https://ca.example:14000/b", 0 },
		{ "a relative path", "{\"u\":\"b\"}", "https://ca.example:14000/dir/b", 0 },
		{ "none", "{}", "", 0 },
		{ "null", "{\"u\":null}", "", 0 },
		{ "plain http", "{\"u\":\"http://a.example/b\"}", "", -1 },
		{ "another scheme", "{\"u\":\"data:text/plain,x\"}", "", -1 },
		{ "a space", "{\"u\":\"/b c\"}", "", -1 },
		{ "a number: the document is wrong, not the URL", "{\"u\":1}", "", 0 },
	};
	char url[LIMIT_URL];
	struct json_doc doc;
	struct json v;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		v = json_parse(&doc, slice(table[i].json));
		ok(reply_url(json_get(v, "u"), base, url, sizeof(url)) == table[i].result, table[i].name);
		is_str(url, table[i].want, "what comes out");
	}
	ok(doc.err && reply_bad(&doc, "order") == -1, "a member of the wrong type");
	is_str(acme_why()->text, "order: bad member \"u\" in the reply", "is named");
}

static void
reads_words(void)
{
	static const struct {
		const char *name, *json, *want;
	} table[] = {
		{ "an array", "[\"a\",\"b c\"]", "a b c" },
		{ "the keys of an object", "{\"a\":{},\"b\":1}", "a b" },
		{ "nothing", "[]", "" },
		{ "null", "null", "" },
		{ "control characters", "[\"a\\n\"]", "" },
		{ "what does not fit is left out", "[\"abcd\",\"efghijklmnop\",\"q\"]", "abcd" },
	};
	char words[12];
	struct json_doc doc;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		reply_words(json_parse(&doc, slice(table[i].json)), words, sizeof(words));
		is_str(words, table[i].want, table[i].name);
	}
}

static void
reads_replies(void)
{
	char url[LIMIT_URL];
	struct json_doc doc;
	struct json v;

	replied("Location: ../o/1\r\n", "{\"a\":1}");
	ok(reply_object(&doc, &v, "order") == 0 && json_int(json_get(v, "a"), 0) == 1, "an object");
	ok(reply_location(base, url, "order") == 0, "a Location");
	is_str(url, "https://ca.example:14000/o/1", "is resolved");
	replied("Location: http://a.example/\r\n", "[]");
	ok(reply_object(&doc, &v, "order") == -1, "an array is no object");
	is_str(acme_why()->text, "order: the reply is not a JSON object", "as it says");
	ok(reply_location(base, url, "order") == -1, "a Location at plain http");
	replied("", "");
	ok(reply_object(&doc, &v, "order") == -1, "nothing is no object");
	ok(reply_location(base, url, "order") == -1 && acme_why()->status == ST_PROTO, "no Location");
}

int
main(void)
{
	reads_urls();
	reads_words();
	reads_replies();
	return tap_done();
}
