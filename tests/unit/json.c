/*
 * json: what RFC 8259 allows and what it does not, the errors that stick, and
 * documents made to hurt (the JSON cases of the fault catalogue, by number).
 */
#include <stdlib.h>
#include <time.h>

#include "../tap.h"
#include "../../json.c"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define T(s) s, sizeof(s) - 1

/* A document whose end is the end of its memory, so that an over-read is seen. */
static void *memory;

static struct json
parse(struct json_doc *doc, const char *p, size_t n)
{
	struct slice s;

	free(memory);
	memory = malloc(n + 1);
	s.p = memcpy((char *)memory + 1, p, n);
	s.n = n;
	return json_parse(doc, s);
}

static int
accepts(const char *p, size_t n)
{
	struct json_doc doc;
	struct json v = parse(&doc, p, n);

	return v.type != JSON_NONE && !doc.err;
}

/* Refused means: an error, no value, and no key to blame. */
static int
refuses(const char *p, size_t n)
{
	struct json_doc doc;
	struct json v = parse(&doc, p, n);

	return v.type == JSON_NONE && doc.err && doc.bad[0] == 0;
}

struct text {
	const char *name, *p;
	size_t n;
};

static const struct text good[] = {
	{ "array: empty", T("[]") },
	{ "array: empty string within", T("[\"\"]") },
	{ "array: empty, with space", T("[ \n\t\r]") },
	{ "array: space around", T(" [1] ") },
	{ "array: newline behind", T("[1\n]\n") },
	{ "array: false", T("[false]") },
	{ "array: mixed", T("[null, 1, \"1\", {}]") },
	{ "array: several null", T("[1,null,null,null,2]") },
	{ "array: arrays", T("[[]   ,[[]],[ [ ] ]]") },
	{ "array: sixteen deep", T("[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]") },
	{ "array: sixteen deep, mixed",
	    T("[{\"a\":[{\"a\":[{\"a\":[{\"a\":[{\"a\":[{\"a\":[{\"a\":[{\"a\":1}]}]}]}]}]}]}]}]") },
	{ "array: deep, twice", T("[[[[[[[[1]]]]]]],[[[[[[[2]]]]]]]]") },
	{ "object: empty", T("{}") },
	{ "object: empty, with space", T("{ \t}") },
	{ "object: one member", T("{\"a\":\"b\"}") },
	{ "object: two members", T("{\"a\":1, \"b\" : 2}") },
	{ "object: a key twice, not asked for", T("{\"a\":\"b\",\"a\":\"c\"}") },
	{ "object: an empty key", T("{\"\":0}") },
	{ "object: an escaped NUL in a key", T("{\"foo\\u0000bar\": 42}") },
	{ "object: a long key", T("{\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\":0}") },
	{ "object: a key beyond ASCII", T("{\"\\u041f\xd0\xbe\":[]}") },
	{ "object: newlines", T("{\n\"a\":\n\"b\"\n}\n") },
	{ "object: objects", T("{\"a\":{\"b\":{}},\"c\":{}}") },
	{ "number: 0", T("0") },
	{ "number: -0", T("-0") },
	{ "number: -1", T("-1") },
	{ "number: 123", T("[123]") },
	{ "number: 0e1", T("[0e1]") },
	{ "number: 0e+1", T("[0e+1]") },
	{ "number: 20e1", T("[20e1]") },
	{ "number: 1E22", T("[1E22]") },
	{ "number: 1E-2", T("[1E-2]") },
	{ "number: 1E+2", T("[1E+2]") },
	{ "number: 123e45", T("[123e45]") },
	{ "number: 123.456e78", T("[123.456e78]") },
	{ "number: many places",
	    T("[-0.000000000000000000000000000000000000000000000000000000000001]") },
	{ "number: beyond any type, unused", T("[1e999, 123456789012345678901234567890]") },
	{ "number: space behind", T("[4 ]") },
	{ "string: alone", T("\"abc\"") },
	{ "string: empty, alone", T("\"\"") },
	{ "string: every escape", T("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"") },
	{ "string: hexadecimal in both cases", T("\"\\u0060\\u012a\\u12AB\\uaBcD\"") },
	{ "string: a surrogate pair", T("\"\\uD801\\udc37\"") },
	{ "string: two surrogate pairs", T("\"\\ud83d\\ude39\\ud83d\\udc8d\"") },
	{ "string: the last code point", T("\"\\uDBFF\\uDFFF\"") },
	{ "string: noncharacters, escaped", T("\"\\uFFFF\\uFDD0\\uD83F\\uDFFE\"") },
	{ "string: an escaped NUL", T("\"\\u0000\"") },
	{ "string: an escaped control character", T("\"\\u0012\"") },
	{ "string: escaped backslashes before the quote", T("\"\\\\\\\\\"") },
	{ "string: a backslash and an n", T("\"\\\\n\"") },
	{ "string: comment signs", T("\"a/*b*/c//d\"") },
	{ "string: DEL", T("\"a\x7f\"") },
	{ "string: UTF-8 of two, three and four bytes",
	    T("\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"
	    "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"") },
	{ "string: a byte order mark within", T("\"\xef\xbb\xbf\"") },
	{ "string: line separators", T("\"\xe2\x80\xa8\xe2\x80\xa9\"") },
	{ "literal: true", T("true") },
	{ "literal: false", T("false") },
	{ "literal: null", T("null") },
	{ "space: before", T(" \r\n\t true") },
	{ "space: behind", T("true \r\n\t ") },
};

static const struct text bad[] = {
	{ "80: empty", T("") },
	{ "80: only space", T(" \n") },
	{ "80: a byte order mark", T("\xef\xbb\xbf{}") },
	{ "80: only a byte order mark", T("\xef\xbb\xbf") },
	{ "80: UTF-16 with its mark", T("\xff\xfe[\0]\0") },
	{ "80: UTF-16 without", T("\0[\0]") },
	{ "80: two documents", T("{}{}") },
	{ "80: two documents, a newline between", T("{}\n{}") },
	{ "80: a bracket behind", T("[]]") },
	{ "80: a brace behind", T("{\"a\": true}}") },
	{ "80: a comma behind", T("[],") },
	{ "80: text behind", T("[1]x") },
	{ "80: a NUL behind", T("{}\0") },
	{ "80: a comment behind", T("{}/**/") },
	{ "80: a line comment behind", T("{}//") },
	{ "80: a hash behind", T("{}#") },
	{ "80: HTML", T("<html></html>") },
	{ "80: text", T("not found") },
	{ "array: one colon", T("[\"\": 1]") },
	{ "array: comma first", T("[,1]") },
	{ "array: comma last", T("[1,]") },
	{ "array: commas last", T("[1,,]") },
	{ "array: two commas", T("[1,,2]") },
	{ "array: only a comma", T("[,]") },
	{ "array: no comma", T("[3[4]]") },
	{ "array: no comma between strings", T("[\"a\" \"b\"]") },
	{ "array: a space is no comma", T("[1 true]") },
	{ "array: a semicolon", T("[1;2]") },
	{ "array: open", T("[1") },
	{ "array: open after a comma", T("[1,") },
	{ "array: open after an array", T("[[1]") },
	{ "array: open at a newline", T("[\"a\",\n4\n,1") },
	{ "array: only open", T("[") },
	{ "array: only closed", T("]") },
	{ "array: closed as an object", T("[1}") },
	{ "array: an object closed as an array", T("[{]") },
	{ "array: crossed", T("[{\"a\":[}]]") },
	{ "array: a vertical tab", T("[\v1]") },
	{ "array: a form feed", T("[1\f]") },
	{ "array: a no-break space", T("[\xc2\xa0]") },
	{ "array: a star", T("[*]") },
	{ "array: minus", T("[-]") },
	{ "array: a lone invalid byte", T("[\xff]") },
	{ "array: an invalid byte behind a value", T("[1\xe5]") },
	{ "array: seventeen deep", T("[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]") },
	{ "object: seventeen deep", T("{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":"
	    "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}}}}}}}}}}}}}") },
	{ "object: a key without quotes", T("{a: \"b\"}") },
	{ "object: a key in single quotes", T("{'a':0}") },
	{ "object: a number for a key", T("{1:1}") },
	{ "object: null for a key", T("{null:null}") },
	{ "object: only a key", T("{\"a\"}") },
	{ "object: only a key and colon", T("{\"a\":}") },
	{ "object: a key and open", T("{\"a\"") },
	{ "object: a key, colon and open", T("{\"a\":") },
	{ "object: a value and open", T("{\"a\":\"a\"") },
	{ "object: no colon", T("{\"a\" b}") },
	{ "object: no colon before a value", T("{\"a\" 1}") },
	{ "object: two colons", T("{\"x\"::\"b\"}") },
	{ "object: a comma for the colon", T("{\"x\", null}") },
	{ "object: comma last", T("{\"id\":0,}") },
	{ "object: commas last", T("{\"id\":0,,}") },
	{ "object: two commas", T("{\"a\":1,,\"b\":2}") },
	{ "object: comma first", T("{,\"a\":1}") },
	{ "object: no comma", T("{\"a\":1 \"b\":2}") },
	{ "object: a value without a key", T("{\"a\":\"b\",\"c\"}") },
	{ "object: an array's content", T("{[: \"x\"}") },
	{ "object: a comment behind a member", T("{\"a\":\"b\"/**/}") },
	{ "object: a comment before", T("{/**/\"a\":\"b\"}") },
	{ "object: brackets", T("{]") },
	{ "object: only open", T("{") },
	{ "object: open at a quote", T("{\"") },
	{ "object: a bad escape in a key", T("{\"\\x\":1}") },
	{ "object: a key that is no UTF-8", T("{\"\xb9\":\"0\"}") },
	{ "number: 01 (75)", T("01") },
	{ "number: -01", T("[-01]") },
	{ "number: 00", T("00") },
	{ "number: -012", T("[-012]") },
	{ "number: +1", T("+1") },
	{ "number: ++1", T("[++1]") },
	{ "number: --1", T("[--1]") },
	{ "number: - 1", T("[- 1]") },
	{ "number: -", T("-") },
	{ "number: -a", T("-a") },
	{ "number: 1.", T("1.") },
	{ "number: .5", T(".5") },
	{ "number: -.5", T("-.5") },
	{ "number: 0.e1", T("[0.e1]") },
	{ "number: 2.e3", T("2.e3") },
	{ "number: 1e", T("1e") },
	{ "number: 1e+", T("1e+") },
	{ "number: 1eE2", T("1eE2") },
	{ "number: 1.0e-", T("[1.0e-]") },
	{ "number: 1e1.5", T("1e1.5") },
	{ "number: 1.2.3", T("1.2.3") },
	{ "number: 1 000", T("[1 000]") },
	{ "number: 1_000", T("[1_000]") },
	{ "number: 0x1", T("0x1") },
	{ "number: 1a", T("[1a]") },
	{ "number: NaN", T("NaN") },
	{ "number: Infinity", T("Infinity") },
	{ "number: -Infinity", T("-Infinity") },
	{ "number: inf", T("[inf]") },
	{ "number: full-width digit", T("[\xef\xbc\x91]") },
	{ "number: an expression", T("[1+2]") },
	{ "number: a NUL within", T("1\0002") },
	{ "string: open", T("\"abc") },
	{ "string: only a quote", T("\"") },
	{ "string: an escaped quote at the end", T("\"abc\\\"") },
	{ "string: a backslash at the end", T("\"\\") },
	{ "string: single quotes", T("['a']") },
	{ "string: no quotes", T("[abc]") },
	{ "string: typographic quotes", T("[\xe2\x80\x9c" "a\xe2\x80\x9d]") },
	{ "string: quote missing at the start", T("[a\"]") },
	{ "string: escape x", T("\"\\x00\"") },
	{ "string: escape a", T("\"\\a\"") },
	{ "string: escape U", T("\"\\U0041\"") },
	{ "string: escape 0", T("\"\\0\"") },
	{ "string: an escaped NUL byte", T("\"\\\0\"") },
	{ "string: an escaped newline byte", T("\"\\\n\"") },
	{ "string: an escaped tab byte", T("\"\\\t\"") },
	{ "string: an escaped byte beyond ASCII", T("\"\\\xc3\xa9\"") },
	{ "string: escape u, no digits", T("\"\\u\"") },
	{ "string: escape u, three digits", T("\"\\u00A\"") },
	{ "string: escape u, a bad digit", T("\"\\u00G0\"") },
	{ "string: escape u, a sign", T("\"\\u+041\"") },
	{ "string: escape u, a blank", T("\"\\u 041\"") },
	{ "string: escape u, 'at' is no digit", T("\"\\u00@1\"") },
	{ "string: escape u, cut", T("\"\\u004") },
	{ "77: a lone high surrogate", T("\"\\uDADA\"") },
	{ "77: a lone low surrogate", T("\"\\uDC00\"") },
	{ "77: a high surrogate, then text", T("\"\\uD800abcdef\"") },
	{ "77: a high surrogate, then another escape", T("\"\\uD800\\n\"") },
	{ "77: a high surrogate, then a letter", T("\"\\uD800\\u0041\"") },
	{ "77: two high surrogates", T("\"\\uD800\\uD800\"") },
	{ "77: two high surrogates and a low one", T("\"\\uD800\\uD800\\uDC00\"") },
	{ "77: surrogates exchanged", T("\"\\uDC00\\uD800\"") },
	{ "77: a high surrogate, then a cut escape", T("\"\\uD800\\uDC0\"") },
	{ "77: a high surrogate, then a bad digit", T("\"\\uD800\\uDC0x\"") },
	{ "77: a high surrogate at the end", T("\"\\uD800\\u") },
	{ "77: a continuation byte alone", T("\"\x80\"") },
	{ "77: a lead byte alone", T("\"\xc3\"") },
	{ "77: Latin-1", T("\"caf\xe9\"") },
	{ "77: overlong in two bytes", T("\"\xc0\xaf\"") },
	{ "77: overlong in two bytes, the last", T("\"\xc1\xbf\"") },
	{ "77: overlong in three bytes", T("\"\xe0\x9f\xbf\"") },
	{ "77: overlong in four bytes", T("\"\xf0\x8f\xbf\xbf\"") },
	{ "77: overlong NUL", T("\"\xc0\x80\"") },
	{ "77: a surrogate as UTF-8", T("\"\xed\xa0\x80\"") },
	{ "77: the last surrogate as UTF-8", T("\"\xed\xbf\xbf\"") },
	{ "77: above U+10FFFF", T("\"\xf4\x90\x80\x80\"") },
	{ "77: lead byte F5", T("\"\xf5\x80\x80\x80\"") },
	{ "77: lead byte FF", T("\"\xff\"") },
	{ "77: five bytes", T("\"\xf8\x88\x80\x80\x80\"") },
	{ "77: cut after two of three", T("\"\xe2\x82\"") },
	{ "77: cut after three of four", T("\"\xf0\x9f\x92\"") },
	{ "77: the second continuation byte is none", T("\"\xe2\x82\x41\"") },
	{ "77: the third continuation byte is none", T("\"\xf0\x9f\x92\xc0\"") },
	{ "77: cut by the end of the text", T("\"\xf0\x9f\x92") },
	{ "78: a NUL byte in a string", T("\"a\0b\"") },
	{ "78: a newline in a string", T("\"new\nline\"") },
	{ "78: a tab in a string", T("\"\t\"") },
	{ "78: an escape character in a string", T("\"\x1b[2J\"") },
	{ "78: the last control character", T("\"\x1f\"") },
	{ "literal: cut", T("[tru]") },
	{ "literal: cut false", T("fals") },
	{ "literal: cut null", T("nul") },
	{ "literal: capitals", T("True") },
	{ "literal: longer", T("nulll") },
	{ "literal: two", T("true false") },
	{ "literal: undefined", T("[undefined]") },
};

static void
test_grammar(void)
{
	size_t i;

	for (i = 0; i < COUNT(good); i++)
		if (!ok(accepts(good[i].p, good[i].n), "accepted"))
			printf("# %s\n", good[i].name);
	for (i = 0; i < COUNT(bad); i++)
		if (!ok(refuses(bad[i].p, bad[i].n), "refused"))
			printf("# %s\n", bad[i].name);
}

/* As real servers send it, with every kind of value. */
static const char order[] =
    "{\n"
    "  \"status\": \"pending\", \"expires\": \"2026-11-30T00:00:00Z\",\n"
    "  \"identifiers\": [ { \"type\": \"dns\", \"value\": \"\\u0065xample.test\" },\n"
    "    {\"type\":\"ip\",\"value\":\"2001:db8::1\"} ],\n"
    "  \"authorizations\": [\"https:\\/\\/ca.test\\/authz\\/1\", \"https://ca.test/authz/2\"],\n"
    "  \"finalize\": \"https://ca.test/finalize\", \"certificate\": null,\n"
    "  \"n\": -12, \"big\": 9007199254740991, \"wildcard\": true, \"no\": false,\n"
    "  \"text\": \"a\\u0007\\n\\u00e9\\u20ac\\ud83d\\ude00\\/\"\n"
    "}";

static void
test_truncation(void)
{
	size_t n;
	int right = 1;

	for (n = 0; n < sizeof(order) - 1; n++)
		if (!refuses(order, n))
			right = 0;
	ok(right, "79: truncated at each byte: refused");
	ok(accepts(order, n), "and whole: accepted");
}

static void
test_lookup(void)
{
	struct json_doc doc;
	struct json o = parse(&doc, order, sizeof(order) - 1), v, ids;
	struct json_iter it = { 0 };
	char out[64];

	ok(o.type == JSON_OBJECT && o.text.p == doc.text.p, "the document is an object");
	json_string(json_get(o, "status"), out, sizeof(out));
	is_str(out, "pending", "a string");
	ok(json_is(json_get(o, "status"), "pending"), "json_is: equal");
	ok(!json_is(json_get(o, "status"), "pendin"), "json_is: longer");
	ok(!json_is(json_get(o, "status"), "pending "), "json_is: shorter");
	ok(!json_is(json_get(o, "status"), ""), "json_is: not empty");
	ok(json_int(json_get(o, "n"), 5) == -12, "a negative number");
	ok(json_int(json_get(o, "big"), 5) == 9007199254740991, "2^53 - 1");
	ok(json_bool(json_get(o, "wildcard"), 0) == 1, "true");
	ok(json_bool(json_get(o, "no"), 1) == 0, "false");
	ids = json_get(o, "identifiers");
	v = json_next(ids, &it);
	json_string(json_get(v, "value"), out, sizeof(out));
	is_str(out, "example.test", "an element's member, with an escape");
	v = json_next(ids, &it);
	json_string(json_get(v, "value"), out, sizeof(out));
	is_str(out, "2001:db8::1", "the second element's");
	ok(json_next(ids, &it).type == JSON_NONE, "then there are no more");
	ok(json_next(ids, &it).type == JSON_NONE, "and still none");
	it.p = 0;
	json_string(json_next(json_get(o, "authorizations"), &it), out, sizeof(out));
	is_str(out, "https://ca.test/authz/1", "escaped slashes");
	ok(!doc.err, "and no error");
}

static void
test_absent(void)
{
	struct json_doc doc;
	struct json o = parse(&doc, order, sizeof(order) - 1), v = json_get(o, "nothing");
	struct json_iter it = { 0 };
	struct slice key;
	char out[4] = "xxx", mem[4];
	struct buf b = BUF(mem);

	ok(v.type == JSON_NONE, "an absent member has no type");
	ok(json_get(o, "certificate").type == JSON_NONE, "81: null is as absent");
	ok(json_get(v, "deeper").type == JSON_NONE, "absent: a member of it");
	ok(json_next(v, &it).type == JSON_NONE, "absent: an element of it");
	ok(json_member(v, &it, &key).type == JSON_NONE, "absent: iterating over it");
	json_string(v, out, sizeof(out));
	is_str(out, "", "absent: as a string");
	json_text(v, &b);
	ok(b.len == 0 && !b.err, "absent: as a text");
	ok(!json_is(v, "") && !json_is(v, "x"), "absent: equals nothing, not even \"\"");
	ok(json_int(v, -7) == -7, "absent: as a number");
	ok(json_bool(v, 1) == 1 && json_bool(v, 0) == 0, "absent: as a boolean");
	ok(!doc.err, "absent: no error anywhere");
	ok(json_get(o, "Status").type == JSON_NONE, "keys are compared with case");
	ok(json_get(o, "statu").type == JSON_NONE, "a prefix of a key is another key");
	ok(json_get(o, "statuss").type == JSON_NONE, "an extension too");
	ok(json_get(o, "").type == JSON_NONE, "and the empty key");
}

static void
test_members(void)
{
	struct json_doc doc;
	struct json o, v;
	struct json_iter it = { 0 };
	struct slice key;

	o = parse(&doc, T("{ \"a\\\"\" : [1] , \"\":{\"x\":[]},\"c\":\"d\" }"));
	v = json_member(o, &it, &key);
	ok(slice_is(key, "a\\\"") && v.type == JSON_ARRAY && slice_is(v.text, "[1]"),
	    "the first member: its raw key and its value's own bytes");
	v = json_member(o, &it, &key);
	ok(slice_is(key, "") && v.type == JSON_OBJECT, "the second: an empty key");
	v = json_member(o, &it, &key);
	ok(slice_is(key, "c") && slice_is(v.text, "\"d\""), "the third");
	ok(json_member(o, &it, &key).type == JSON_NONE, "then there are no more");
	ok(json_member(o, &it, &key).type == JSON_NONE && !doc.err, "and still none");
	o = parse(&doc, T("[ ]"));
	it.p = 0;
	ok(json_next(o, &it).type == JSON_NONE, "an empty array has no element");
	o = parse(&doc, T("{ }"));
	it.p = 0;
	ok(json_member(o, &it, &key).type == JSON_NONE && !doc.err,
	    "an empty object has no member");
	o = parse(&doc, T("[null,0,[[]],{},\"\"]"));
	it.p = 0;
	ok(json_next(o, &it).type == JSON_NULL, "a null element is a null, not the end");
	ok(json_next(o, &it).type == JSON_NUMBER, "a number");
	ok(slice_is(json_next(o, &it).text, "[[]]"), "an array");
	ok(json_next(o, &it).type == JSON_OBJECT, "an object");
	ok(json_next(o, &it).type == JSON_STRING, "a string");
	ok(json_next(o, &it).type == JSON_NONE && !doc.err, "the end");
}

static void
use_string(struct json v)
{
	char out[8];

	json_string(v, out, sizeof(out));
}

static void
use_text(struct json v)
{
	char mem[8];
	struct buf b = BUF(mem);

	json_text(v, &b);
}

static void
use_is(struct json v)
{
	json_is(v, "a");
}

static void
use_int(struct json v)
{
	json_int(v, 0);
}

static void
use_bool(struct json v)
{
	json_bool(v, 0);
}

static void
use_object(struct json v)
{
	json_get(v, "a");
}

static void
use_array(struct json v)
{
	struct json_iter it = { 0 };

	json_next(v, &it);
}

static void
use_members(struct json v)
{
	struct json_iter it = { 0 };
	struct slice key;

	json_member(v, &it, &key);
}

/* A use of the member "key" of a document, and whether it is an error. */
static const struct {
	const char *name;
	void (*use)(struct json v);
	const char *p;
	size_t n;
	int err;
} uses[] = {
	{ "81: null as a string: absent", use_string, T("{\"key\":null}"), 0 },
	{ "81: a number as a string", use_string, T("{\"key\":1}"), 1 },
	{ "81: an array as a string", use_string, T("{\"key\":[\"a\"]}"), 1 },
	{ "81: an object as a string", use_string, T("{\"key\":{}}"), 1 },
	{ "81: a boolean as a string", use_string, T("{\"key\":true}"), 1 },
	{ "81: a number as a text", use_text, T("{\"key\":1}"), 1 },
	{ "81: an object as a text", use_text, T("{\"key\":{}}"), 1 },
	{ "81: a number compared with a string", use_is, T("{\"key\":1}"), 1 },
	{ "81: a boolean compared with a string", use_is, T("{\"key\":false}"), 1 },
	{ "81: a string as a number", use_int, T("{\"key\":\"1\"}"), 1 },
	{ "81: a boolean as a number", use_int, T("{\"key\":true}"), 1 },
	{ "81: an array as a number", use_int, T("{\"key\":[1]}"), 1 },
	{ "81: a string as a boolean", use_bool, T("{\"key\":\"true\"}"), 1 },
	{ "81: a number as a boolean", use_bool, T("{\"key\":1}"), 1 },
	{ "81: an array as an object", use_object, T("{\"key\":[]}"), 1 },
	{ "81: a string as an object", use_object, T("{\"key\":\"{}\"}"), 1 },
	{ "81: an object as an array", use_array, T("{\"key\":{}}"), 1 },
	{ "81: a string as an array", use_array, T("{\"key\":\"[]\"}"), 1 },
	{ "81: a number as an array", use_array, T("{\"key\":1}"), 1 },
	{ "81: an array iterated as an object", use_members, T("{\"key\":[]}"), 1 },
	{ "81: null as an array: absent", use_array, T("{\"key\":null}"), 0 },
	{ "81: null as an object: absent", use_object, T("{\"key\":null}"), 0 },
	{ "75: -0", use_int, T("{\"key\":-0}"), 0 },
	{ "75: 1e999", use_int, T("{\"key\":1e999}"), 1 },
	{ "75: 1.0", use_int, T("{\"key\":1.0}"), 1 },
	{ "75: 1e2", use_int, T("{\"key\":1e2}"), 1 },
	{ "75: 2^53 - 1", use_int, T("{\"key\":9007199254740991}"), 0 },
	{ "75: 2^53", use_int, T("{\"key\":9007199254740992}"), 1 },
	{ "75: -2^53 + 1", use_int, T("{\"key\":-9007199254740991}"), 0 },
	{ "75: -2^53", use_int, T("{\"key\":-9007199254740992}"), 1 },
	{ "75: 2^63", use_int, T("{\"key\":9223372036854775808}"), 1 },
	{ "75: 2^64 + 1", use_int, T("{\"key\":18446744073709551617}"), 1 },
	{ "76: the key twice", use_string, T("{\"key\":\"a\",\"b\":1,\"key\":\"a\"}"), 1 },
	{ "76: the key twice, the second null", use_string, T("{\"key\":\"a\",\"key\":null}"), 1 },
	{ "76: the key twice, the first null", use_string, T("{\"key\":null,\"key\":\"a\"}"), 1 },
	{ "76: the key twice, once escaped", use_string,
	    T("{\"key\":\"a\",\"\\u006bey\":\"a\"}"), 1 },
	{ "76: three times", use_string, T("{\"key\":1,\"key\":2,\"key\":3}"), 1 },
	{ "76: another key twice", use_string, T("{\"x\":1,\"key\":\"a\",\"x\":2}"), 0 },
	{ "76: the same key deeper", use_string, T("{\"key\":\"a\",\"b\":{\"key\":1}}"), 0 },
	{ "77: only in a key not asked for", use_string, T("{\"key\":\"a\",\"\\u0000\":1}"), 0 },
	{ "78: U+0000", use_string, T("{\"key\":\"a\\u0000b\"}"), 1 },
	{ "78: U+0000 at the end", use_string, T("{\"key\":\"a\\u0000\"}"), 1 },
	{ "78: a newline", use_string, T("{\"key\":\"a\\n\"}"), 1 },
	{ "78: U+001F", use_string, T("{\"key\":\"\\u001f\"}"), 1 },
	{ "78: U+0000, compared", use_is, T("{\"key\":\"a\\u0000\"}"), 1 },
	{ "78: control characters in a text are allowed", use_text,
	    T("{\"key\":\"a\\u0000\\u001b\\n\"}"), 0 },
	{ "78: U+0020 is none", use_string, T("{\"key\":\"\\u0020\"}"), 0 },
	{ "83: an escaped spelling of the key", use_string, T("{\"\\u006b\\u0065y\":\"a\"}"), 0 },
	{ "a string that just fits", use_string, T("{\"key\":\"1234567\"}"), 0 },
	{ "a string that does not", use_string, T("{\"key\":\"12345678\"}"), 1 },
	{ "a string that does not, by its last character", use_string,
	    T("{\"key\":\"12345\\u20ac\"}"), 1 },
	{ "a text that does not fit is cut", use_text, T("{\"key\":\"123456789\"}"), 0 },
};

static void
test_uses(void)
{
	struct json_doc doc;
	struct json o, v;
	size_t i;

	for (i = 0; i < COUNT(uses); i++) {
		o = parse(&doc, uses[i].p, uses[i].n);
		v = json_get(o, "key");
		uses[i].use(v);
		if (!ok(o.type == JSON_OBJECT && doc.err == uses[i].err &&
		    (!doc.err || strstr(doc.bad, "ey")), uses[i].name))
			printf("# err %d bad '%s'\n", doc.err, doc.bad);
	}
}

static void
test_blame(void)
{
	static const char long_key[] = "{\"0123456789012345678901234567890123456789"
	    "012345678901234567890123456789\":1}";
	struct json_doc doc;
	struct json o = parse(&doc, T("{\"a\":1,\"b\":2,\"c\":[1],\"d\":{\"e\":[{\"f\":3}]}}"));
	struct json_iter it = { 0 };
	struct slice key;
	char out[8] = "xxx";

	json_string(json_get(o, "a"), out, sizeof(out));
	is_str(out, "", "after an error the string is empty");
	json_bool(json_get(o, "b"), 0);
	is_str(doc.bad, "a", "the first error counts");
	doc.err = 0;
	json_string(json_next(json_get(o, "c"), &it), out, sizeof(out));
	is_str(doc.bad, "c", "an element is blamed on the array's key");
	doc.err = 0;
	it.p = 0;
	json_bool(json_get(json_next(json_get(json_get(o, "d"), "e"), &it), "f"), 0);
	is_str(doc.bad, "f", "a member deep down on its own");
	doc.err = 0;
	it.p = 0;
	json_bool(json_member(o, &it, &key), 0);
	is_str(doc.bad, "a", "a member that was iterated to, too");
	o = parse(&doc, long_key, sizeof(long_key) - 1);
	it.p = 0;
	json_bool(json_member(o, &it, &key), 0);
	ok(doc.err && strlen(doc.bad) == 63, "a long key is cut");
	o = parse(&doc, T("{\"\x7f\xc3\xa9\":1}"));
	it.p = 0;
	json_bool(json_member(o, &it, &key), 0);
	is_str(doc.bad, "\\x7f\\xc3\\xa9", "a key is made printable");
	o = parse(&doc, T("[]"));
	json_get(o, "a");
	ok(doc.err && doc.bad[0] == 0, "the document itself has no key");
	o = parse(&doc, T("null"));
	json_get(o, "a");
	ok(doc.err, "a null for the document is an error");
	doc.err = 0;
	ok(json_get(o, "a").type == JSON_NONE && json_parse(&doc, slice("{")).type == JSON_NONE,
	    "lookups go on after errors");
	json_get(json_parse(&doc, slice("{")), "a");
	ok(doc.err, "also in a document that is none");
}

static void
test_strings(void)
{
	struct json_doc doc;
	struct json o = parse(&doc, order, sizeof(order) - 1), v = json_get(o, "text");
	static const char text[] = "a\x07\n\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80/";
	struct slice nul = { 0, 0 };
	char mem[32], *room;
	struct buf b = BUF(mem);
	size_t n, len = sizeof(text) - 1;
	int right = 1;

	json_text(v, &b);
	ok(b.len == len && memcmp(mem, text, len) == 0,
	    "a text has its control characters, and escapes as UTF-8");
	for (n = 0; n <= len; n++) {
		room = malloc(n ? n : 1);
		buf_init(&b, room, n);
		json_text(v, &b);
		if (b.err || (n && b.len >= n) || memcmp(room, text, b.len) != 0 ||
		    (b.len < len && (text[b.len] & 0xc0) == 0x80) ||
		    (n && strcmp(buf_text(&b), "") == 0 && b.len))
			right = 0;
		free(room);
	}
	ok(right && !doc.err, "cut anywhere: whole characters, room for a NUL, no error");
	o = parse(&doc, T("\"\\ud801\\udc37\xf0\x90\x90\xb7\\uffff\\u0800\\u07ff\\u0080\\u007f\""));
	json_string(o, mem, sizeof(mem));
	is_str(mem, "\xf0\x90\x90\xb7\xf0\x90\x90\xb7\xef\xbf\xbf\xe0\xa0\x80\xdf\xbf\xc2\x80\x7f",
	    "code points at the limits of UTF-8's lengths");
	buf_init(&b, mem, sizeof(mem));
	json_quote(&b, slice("a\"\\/\n\x1f\x7f\xc3\xa9"));
	is_str(buf_text(&b), "\"a\\\"\\\\/\\u000a\\u001f\x7f\xc3\xa9\"", "quoted for output");
	buf_clear(&b);
	json_quote(&b, nul);
	is_str(buf_text(&b), "\"\"", "nothing, quoted");
	ok(json_parse(&doc, nul).type == JSON_NONE && doc.err, "a null slice is no document");
}

static void
test_quote_round_trip(void)
{
	char plain[0x80], quoted[8 * 0x80], back[0x80 + 1];
	struct buf q = BUF(quoted), b = BUF(back);
	struct slice s = { plain, sizeof(plain) };
	struct json_doc doc;
	size_t i;

	for (i = 0; i < sizeof(plain); i++)
		plain[i] = (char)i;
	json_quote(&q, s);
	json_text(json_parse(&doc, buf_view(&q)), &b);
	ok(!q.err && !doc.err && b.len == sizeof(plain) &&
	    memcmp(back, plain, sizeof(plain)) == 0,
	    "all ASCII characters come back from being quoted");
}

/* The piece again and again, up to size bytes. */
static struct buf
repeat(const char *head, const char *piece, size_t size, const char *tail)
{
	struct buf b;

	buf_init(&b, malloc(size + 1), size);
	buf_str(&b, head);
	while (b.len + strlen(piece) + strlen(tail) <= size)
		buf_str(&b, piece);
	buf_str(&b, tail);
	return b;
}

/* Everything that is asked of one reply, on a hostile one. */
static void
use_all(struct json v)
{
	struct json_iter it = { 0 };
	struct slice key;
	struct json e;
	char out[64];
	int i;

	for (i = 0; i < 20; i++)
		json_get(v, "status");
	if (v.type == JSON_ARRAY)
		while ((e = json_next(v, &it)).type != JSON_NONE)
			json_is(e, "a");
	if (v.type == JSON_OBJECT)
		while (json_member(v, &it, &key).type != JSON_NONE)
			;
	json_string(v, out, sizeof(out));
}

static const struct {
	const char *name, *head, *piece, *tail;
	size_t size;
	int accepted;
} hostile[] = {
	{ "74: 250,001 open arrays", "[", "[", "", 250001, 0 },
	{ "74: 250,001 bytes of open objects", "", "{\"a\":", "", 250001, 0 },
	{ "74: 100,000 open arrays and objects", "", "[{\"\":", "", 100000, 0 },
	{ "74: 128 KiB of brackets", "[", "[]]", "", LIMIT_REPLY, 0 },
	{ "74: 128 KiB of open brackets within an object", "{\"status\":", "[", "", LIMIT_REPLY, 0 },
	{ "75: a number of a million digits", "", "1", "", 1000000, 1 },
	{ "75: as many after the point", "0.", "0", "", LIMIT_REPLY, 1 },
	{ "75: as many in the exponent", "1e", "9", "", LIMIT_REPLY, 1 },
	{ "82: 10,000 unknown keys", "{", "\"a\":\"bcdef\",", "\"status\":\"x\"}", 130000, 1 },
	{ "82: unknown keys that nearly fit", "{", "\"statu\":1,", "\"status\":\"x\"}", LIMIT_REPLY, 1 },
	{ "82: the key that is asked for, again and again", "{", "\"status\":1,",
	    "\"status\":\"x\"}", LIMIT_REPLY, 1 },
	{ "128 KiB of empty arrays", "[", "[],", "[]]", LIMIT_REPLY, 1 },
	{ "128 KiB of numbers", "[", "1,", "1]", LIMIT_REPLY, 1 },
	{ "128 KiB of empty strings", "[", "\"\",", "\"\"]", LIMIT_REPLY, 1 },
	{ "128 KiB of space", "", " ", "1", LIMIT_REPLY, 1 },
	{ "128 KiB of space in an array", "[1", " ", ",2]", LIMIT_REPLY, 1 },
	{ "128 KiB of space between members", "{\"a\":1", "\n", "}", LIMIT_REPLY, 1 },
	{ "128 KiB of one string", "\"", "a", "\"", LIMIT_REPLY, 1 },
	{ "128 KiB of escapes", "\"", "\\u0041", "\"", LIMIT_REPLY, 1 },
	{ "128 KiB of backslashes", "\"", "\\\\", "\"", LIMIT_REPLY, 1 },
	{ "128 KiB of one key", "{\"", "a", "\":1}", LIMIT_REPLY, 1 },
	{ "128 KiB of one escaped key", "{\"", "\\u0073", "\":1}", LIMIT_REPLY, 1 },
	{ "128 KiB of objects sixteen deep", "[",
	    "[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]],", "1]", LIMIT_REPLY, 1 },
	{ "128 KiB of an open string", "\"", "a", "", LIMIT_REPLY, 0 },
	{ "128 KiB of quotes", "", "\"", "", LIMIT_REPLY, 0 },
	{ "128 KiB of NUL's neighbour", "", "\x01", "", LIMIT_REPLY, 0 },
};

static void
test_hostile(void)
{
	struct json_doc doc;
	struct json v;
	struct buf b;
	size_t i;
	clock_t start;

	for (i = 0; i < COUNT(hostile); i++) {
		b = repeat(hostile[i].head, hostile[i].piece, hostile[i].size, hostile[i].tail);
		start = clock();
		v = parse(&doc, b.p, b.len);
		ok(!b.err && (v.type != JSON_NONE) == hostile[i].accepted &&
		    doc.err != hostile[i].accepted, hostile[i].name);
		use_all(v);
		/* some milliseconds; two seconds would be a quadratic one */
		ok((clock() - start) / CLOCKS_PER_SEC < 2, "and in no time");
		free(b.p);
	}
}

int
main(void)
{
	test_grammar();
	test_truncation();
	test_lookup();
	test_absent();
	test_members();
	test_uses();
	test_blame();
	test_strings();
	test_quote_round_trip();
	test_hostile();
	free(memory);
	return tap_done();
}
