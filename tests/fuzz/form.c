/*
 * Fuzzes the reply of a CA that gives account bindings outside of ACME: the
 * first byte chooses the HTTP status, the rest is the body.
 */
#include "fuzz.h"

#include "../../talk.c"
#define encode form_encode
#include "../../form.c"

int
LLVMFuzzerTestOneInput(const unsigned char *p, size_t n)
{
	static const int status[] = { 200, 201, 404, 429, 500 };
	char kid[512], key[1024];

	if (n == 0 || n > LIMIT_REPLY)
		return 0;
	memset(problem_last(), 0, sizeof(*problem_last()));
	talk.res.status = status[p[0] % 5];
	buf_init(&talk.res.body, talk.reply, sizeof(talk.reply));
	buf_mem(&talk.res.body, p + 1, n - 1);
	if (read_reply("https://a.example/", kid, sizeof(kid), key, sizeof(key)) == 0) {
		need(*kid && memchr(kid, 0, sizeof(kid)) && *key && memchr(key, 0, sizeof(key)));
		return 0;
	}
	need(problem_last()->status == ST_LATER || problem_last()->status == ST_REFUSED || problem_last()->status == ST_PROTO);
	need_printable(problem_last()->text, sizeof(problem_last()->text));
	return 0;
}
