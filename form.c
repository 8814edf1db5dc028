/*
 * form.c - external account bindings for a mail address, as ZeroSSL gives them:
 * a form "email=..." out, a JSON object with eab_kid and eab_hmac_key in.
 * Invariant: the key goes nowhere but to the caller.
 */
#include "base64.h"
#include "form.h"
#include "http.h"
#include "json.h"
#include "problem.h"
#include "talk.h"
#include "util.h"

static const char what[] = "external account binding by mail address";

/* application/x-www-form-urlencoded */
static void
encode(struct buf *b, const char *text)
{
	static const char hex[] = "0123456789ABCDEF";
	unsigned char c;

	for (; (c = (unsigned char)*text) != 0; text++) {
		if (base64url_is((struct slice){ text, 1 }) || c == '.') {
			buf_char(b, c);
			continue;
		}
		buf_char(b, '%');
		buf_char(b, hex[c >> 4]);
		buf_char(b, hex[c & 15]);
	}
}

/* Anything but success, or a success that says that it is none. */
static int
refused(const char *url, const char *why)
{
	int http = talk_reply()->status;
	char mem[12];
	struct buf code = BUF(mem);

	buf_uint(&code, (uint64_t)http);
	return problem_set(http == 429 || http >= 500 ? ST_LATER : ST_REFUSED,
	    what, ": ", url, " gives none: ", *why ? why : "HTTP ",
	    *why ? "" : buf_text(&code), (char *)0);
}

static int
read_reply(const char *url, char *kid, size_t kid_size, char *key, size_t key_size)
{
	char why[128];
	struct json_doc doc;
	struct json v = json_parse(&doc, buf_view(&talk_reply()->body)), error;

	if (talk_reply()->status / 100 != 2)
		return refused(url, "");
	json_string(json_get(v, "eab_kid"), kid, kid_size);
	json_string(json_get(v, "eab_hmac_key"), key, key_size);
	error = json_get(v, "error");
	json_string(error.type == JSON_OBJECT ? json_get(error, "type") : error, why, sizeof(why));
	if (doc.err)
		return problem_set(ST_PROTO, what, ": ", url, " answers in no form that is known", (char *)0);
	return *kid && *key ? 0 : refused(url, why);
}

int
form_binding(const char *url, const char *mail, char *kid, size_t kid_size,
    char *key, size_t key_size)
{
	char mem[1024];
	struct buf form = BUF(mem);
	int r;

	buf_str(&form, "email=");
	encode(&form, mail);
	if (form.err)
		return problem_set(ST_CONFIG, what, ": the address is too long", (char *)0);
	talk_enter();
	r = talk_form(url, buf_view(&form), what);
	if (r == 0)
		r = read_reply(url, kid, kid_size, key, key_size);
	return talk_leave(r);
}
