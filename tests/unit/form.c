/* form.c: what is asked, and what is made of the answer. */
#include <stdarg.h>
#include <stdio.h>

#include "../tap.h"
#include "../../form.c"

/* --- talk.c's part --- */

static struct http_response reply;
static char asked[1024], problem[1024];
static int status, sent;

int
talk_form(const char *url, struct slice form, const char *why)
{
	(void)url;
	(void)why;
	slice_copy(form, asked, sizeof(asked));
	return sent;
}

int
problem_set(int st, const char *text, ...)
{
	struct buf b = BUF(problem);
	va_list ap;

	status = st;
	va_start(ap, text);
	for (; text; text = va_arg(ap, const char *))
		buf_str(&b, text);
	va_end(ap);
	buf_text(&b);
	return -1;
}

const struct http_response *talk_reply(void) { return &reply; }
void talk_enter(void) { }
int talk_leave(int result) { return result; }

static char kid[64], key[64];

static int
binding(int http, const char *body, const char *mail)
{
	static char mem[512];

	buf_init(&reply.body, mem, sizeof(mem));
	buf_str(&reply.body, body);
	reply.status = http;
	status = 0;
	problem[0] = kid[0] = key[0] = 0;
	return form_binding("https://ca.example/form", mail, kid, sizeof(kid), key, sizeof(key));
}

#define BOTH "\"eab_kid\":\"k\",\"eab_hmac_key\":\"a2V5\""

int
main(void)
{
	static const struct {
		const char *name;
		int http;
		const char *body;
		int status;		/* 0: given */
		const char *says;
	} table[] = {
		{ "a binding", 200, "{\"success\":true," BOTH "}", 0, "" },
		{ "201", 201, "{" BOTH "}", 0, "" },
		{ "error null", 200, "{\"error\":null," BOTH "}", 0, "" },
		{ "no success", 200, "{\"success\":false,\"error\":{\"code\":2900,\"type\":\"caa_error\"}}",
		  ST_REFUSED, "gives none: caa_error" },
		{ "an error that is a text", 200, "{\"error\":\"no\"}", ST_REFUSED, "gives none: no" },
		{ "half of it", 200, "{\"eab_kid\":\"k\"}", ST_REFUSED, "gives none: HTTP 200" },
		{ "an empty key", 200, "{\"eab_kid\":\"k\",\"eab_hmac_key\":\"\"}", ST_REFUSED, "gives none" },
		{ "another type", 200, "{\"eab_kid\":1,\"eab_hmac_key\":\"a2V5\"}", ST_PROTO, "no form that is known" },
		{ "no object", 200, "[]", ST_PROTO, "no form that is known" },
		{ "no JSON", 200, "<html>", ST_PROTO, "no form that is known" },
		{ "a key that is too long", 200, "{\"eab_kid\":\"k\",\"eab_hmac_key\":\""
		  "0123456789012345678901234567890123456789012345678901234567890123456789\"}", ST_PROTO, "no form" },
		{ "refused", 403, "{" BOTH "}", ST_REFUSED, "HTTP 403" },
		{ "too often", 429, "<html>", ST_LATER, "HTTP 429" },
		{ "broken", 502, "", ST_LATER, "HTTP 502" },
	};
	size_t i;
	int r;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		r = binding(table[i].http, table[i].body, "a@b.example");
		ok(r == (table[i].status ? -1 : 0) && status == table[i].status &&
		    strstr(problem, table[i].says) && !strstr(problem, "a2V5"), table[i].name);
		if (r == 0)
			ok(strcmp(kid, "k") == 0 && strcmp(key, "a2V5") == 0, "is handed on");
	}
	binding(200, "{" BOTH "}", "a.b-c_d+e=f@g.example");
	is_str(asked, "email=a.b-c_d%2Be%3Df%40g.example", "the address is encoded");
	sent = -1;
	ok(binding(200, "{" BOTH "}", "a@b.example") == -1 && !*kid && !*key, "nothing without a reply");
	return tap_done();
}
