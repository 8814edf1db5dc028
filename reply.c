/*
 * reply.c - what the readers of RFC 8555's objects share.
 */
#include "http.h"
#include "json.h"
#include "problem.h"
#include "reply.h"
#include "talk.h"
#include "util.h"

int
reply_object(struct json_doc *doc, struct json *v, const char *what)
{
	*v = json_parse(doc, buf_view(&talk_reply()->body));
	if (doc->err || v->type != JSON_OBJECT)
		return problem_set(ST_PROTO, what, ": the reply is not a JSON object",
		    (char *)0);
	return 0;
}

int
reply_bad(const struct json_doc *doc, const char *what)
{
	return problem_set(ST_PROTO, what, ": bad member \"", doc->bad,
	    "\" in the reply", (char *)0);
}

int
reply_url(struct json v, const char *base, char *out, size_t size)
{
	char ref[LIMIT_URL];
	struct http_url u;

	out[0] = 0;
	json_string(v, ref, sizeof(ref));
	if (!ref[0])
		return 0;
	if (http_resolve(base, slice(ref), out, size) < 0 ||
	    http_url(&u, slice(out)) < 0 || !u.tls) {
		out[0] = 0;
		return problem_set(ST_PROTO, "the server named a URL that is not https: ",
		    ref, (char *)0);
	}
	return 0;
}

void
reply_words(struct json v, char *out, size_t size)
{
	struct buf b;
	struct json_iter it = { 0 };
	struct json e;
	struct slice key;
	char text[512];
	size_t mark;

	buf_init(&b, out, size - 1);
	for (;;) {
		if (v.type == JSON_OBJECT) {
			if (json_member(v, &it, &key).type == JSON_NONE)
				break;
		} else {
			e = json_next(v, &it);
			if (e.type == JSON_NONE)
				break;
			json_string(e, text, sizeof(text));
			key = slice(text);
		}
		mark = b.len;
		if (b.len)
			buf_char(&b, ' ');
		buf_printable(&b, key);
		if (b.err) {
			b.len = mark;
			break;
		}
	}
	out[b.len] = 0;
}

int
reply_location(const char *base, char *out, const char *what)
{
	struct slice s = http_header(talk_reply(), "Location", 0);
	struct http_url u;

	if (!s.p || http_resolve(base, s, out, LIMIT_URL) < 0 ||
	    http_url(&u, slice(out)) < 0 || !u.tls) {
		out[0] = 0;
		return problem_set(ST_PROTO, what, ": the reply has no proper Location", (char *)0);
	}
	return 0;
}
