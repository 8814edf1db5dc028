/*
 * Fuzzes json_parse and every lookup: a document is walked to its leaves, a
 * string that is quoted again reads back the same, and what is not a document
 * has no value.
 */
#include "fuzz.h"

#include "../../json.c"

static char text[1 << 20], quoted[6 << 20], again[1 << 20];

static void
check_string(struct json v)
{
	struct buf t = BUF(text), q = BUF(quoted), a = BUF(again);
	struct json_doc doc;
	struct json w;
	char small[16];

	json_text(v, &t);
	json_quote(&q, buf_view(&t));
	w = json_parse(&doc, buf_view(&q));
	json_text(w, &a);
	if (q.err || doc.err || w.type != JSON_STRING || a.len != t.len ||
	    memcmp(text, again, t.len) != 0)
		abort();
	json_string(v, small, sizeof(small));
	if (strlen(small) >= sizeof(small) || (small[0] && !json_is(v, small)))
		abort();
	buf_init(&t, text, v.text.n / 2);
	json_text(v, &t);
	if (t.err)
		abort();
}

/* Nesting is limited, so this recursion is. */
static void
walk(struct json v, unsigned depth)
{
	struct json_iter it = { 0 }, members = { 0 };
	struct slice key;
	struct json e;
	int64_t i = json_int(v, 0);

	if (depth > DEPTH || i >= (int64_t)1 << 53 || i <= -((int64_t)1 << 53))
		abort();
	json_bool(v, 0);
	json_is(v, "a");
	json_get(v, "a");
	if (v.type == JSON_STRING)
		check_string(v);
	while ((e = json_next(v, &it)).type != JSON_NONE)
		walk(e, depth + 1);
	while ((e = json_member(v, &members, &key)).type != JSON_NONE)
		walk(e, depth + 1);
}

int
LLVMFuzzerTestOneInput(const unsigned char *p, size_t n)
{
	struct slice s = { (const char *)p, n };
	struct json_doc doc;
	struct json v = json_parse(&doc, s);

	if ((v.type == JSON_NONE) != doc.err)
		abort();
	walk(v, 0);
	if (doc.err && strlen(doc.bad) >= sizeof(doc.bad))
		abort();
	return 0;
}
