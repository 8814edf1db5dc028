/*
 * problem.c - why a call failed (RFC 8555 6.7, RFC 9457): the one problem of
 * this conversation, filled by what finds it, and the judging of replies that
 * are no success.  Invariant: its text is printable.
 */
#include <stdarg.h>
#include <string.h>

#include "acme.h"
#include "http.h"
#include "json.h"
#include "problem.h"
#include "util.h"

static struct acme_problem last;

struct acme_problem *
problem_last(void)
{
	return &last;
}

/* Fills the problem from the strings up to a null pointer; -1. */
int
problem_set(int status, const char *text, ...)
{
	struct buf b = BUF(last.text);
	va_list ap;

	memset(&last, 0, sizeof(last));
	last.status = status;
	va_start(ap, text);
	for (; text; text = va_arg(ap, const char *))
		buf_printable(&b, slice(text));
	va_end(ap);
	if (b.len == b.cap)
		b.len--;
	b.err = 0;
	buf_text(&b);
	return -1;
}

/* --- clocks --- */

int64_t
problem_server_ahead(const struct http_response *res)
{
	struct slice s = http_header(res, "Date", 0);
	int64_t t;

	return s.p && time_http(s, &t) == 0 ? t - now_wall() : 0;
}

static int
digits(struct slice s)
{
	size_t i;

	for (i = 0; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++)
		;
	return s.n && i == s.n;
}

/* Its date is by the server's clock. */
int64_t
problem_retry_after(const struct http_response *res)
{
	struct slice s = http_header(res, "Retry-After", 0);
	uint64_t v;
	int64_t t;

	if (!s.p)
		return -1;
	if (digits(s))
		return slice_uint(s, &v) < 0 || v > 366 * 86400 ? 366 * 86400 : (int64_t)v;
	if (time_http(s, &t) == 0) {
		t -= now_wall() + problem_server_ahead(res);
		return t < 0 ? 0 : t > 366 * 86400 ? 366 * 86400 : t;
	}
	return -1;
}

/* "retry after 2027-02-23 19:46:34 UTC" in a detail: that moment, or 0. */
static int64_t
retry_in_text(const char *text)
{
	const char *p = strstr(text, "retry after ");
	char mem[24];
	struct buf b = BUF(mem);
	struct slice s;
	int64_t t;

	if (!p || strlen(p) < 12 + 19)
		return 0;
	s.p = p + 12;
	s.n = 19;
	buf_slice(&b, s);
	buf_char(&b, 'Z');
	return time_rfc3339(buf_view(&b), &t) == 0 ? t : 0;
}

/* --- words --- */

static const char *
bare_type(const char *type)
{
	const char *colon = strrchr(type, ':');

	return strcmp(type, "about:blank") == 0 ? "" : colon ? colon + 1 : type;
}

/* Appends "; the server accepts A B": the signature algorithms of a badSignatureAlgorithm (6.2). */
static void
accepted_algorithms(struct buf *b, struct json all)
{
	struct json_iter it = { 0 };
	struct json one;
	char name[32];
	unsigned i;

	for (i = 0; !b->err && (one = json_next(all, &it)).type == JSON_STRING; i++) {
		json_string(one, name, sizeof(name));
		buf_str(b, i ? " " : "; the server accepts ");
		buf_printable(b, slice(name));
	}
}

void
problem_words(struct buf *b, struct json v)
{
	char type[128];
	struct json_doc quiet;
	struct json_iter it = { 0 };
	struct json all, sub, ident;
	char mem[1600];
	struct buf detail = BUF(mem);

	/* an error in an error shall not hide it: its faults stick in a copy */
	quiet = *v.doc;
	v.doc = &quiet;
	json_string(json_get(v, "type"), type, sizeof(type));
	json_text(json_get(v, "detail"), &detail);
	if (!detail.len)
		json_text(json_get(v, "title"), &detail);
	buf_printable(b, slice(bare_type(type)));
	if (bare_type(type)[0] && detail.len)
		buf_str(b, ": ");
	buf_printable(b, buf_view(&detail));
	accepted_algorithms(b, json_get(v, "algorithms"));
	all = json_get(v, "subproblems");
	while (!b->err && (sub = json_next(all, &it)).type == JSON_OBJECT) {
		ident = json_get(sub, "identifier");
		json_string(json_get(ident, "value"), type, sizeof(type));
		buf_str(b, "; ");
		buf_printable(b, slice(type));
		buf_str(b, type[0] ? ": " : "");
		buf_clear(&detail);
		json_text(json_get(sub, "detail"), &detail);
		buf_printable(b, buf_view(&detail));
	}
}

/* The server's words in the reply body, whatever form they have; type and link of a problem document. */
static void
reply_text(struct buf *b, const struct http_response *res, const char *url)
{
	struct json_doc doc, quiet;
	struct json v = json_parse(&doc, buf_view(&res->body));
	struct slice text = buf_view(&res->body);
	char mem[1024];
	struct buf plain = BUF(mem);

	if (!doc.err && v.type == JSON_OBJECT) {
		problem_words(b, v);
		/* odd members shall not hide the others */
		quiet = doc;
		v.doc = &quiet;
		json_string(json_get(v, "type"), mem, sizeof(mem));
		slice_copy(slice(bare_type(mem)), last.type, sizeof(last.type));
		/* where a person is to go (7.3.3) */
		json_string(json_get(v, "instance"), mem, sizeof(mem));
		if (mem[0] && strcmp(last.type, "userActionRequired") == 0)
			http_resolve(url, slice(mem), last.link, sizeof(last.link));
		if (!b->len)
			v = json_get(v, "message");
	}
	if (!doc.err && v.type == JSON_STRING) {
		json_text(v, &plain);
		buf_printable(b, buf_view(&plain));
	} else if (doc.err && text.n) {
		if (text.n > 200)
			text.n = 200;
		buf_printable(b, text);
	}
}

/* Judges a final response: 0 for 2xx, else the problem is set. */
int
problem_judge(const struct http_response *res, const char *what, const char *url)
{
	char mem[1900];
	struct buf words = BUF(mem), b = BUF(last.text);
	struct slice link;
	int http = res->status;
	int64_t after = problem_retry_after(res);

	if (http / 100 == 2)
		return 0;
	memset(&last, 0, sizeof(last));
	last.http = http;
	reply_text(&words, res, url);
	words.err = 0;
	if (after >= 0)
		last.retry_at = now_wall() + after;
	else if (http == 429)
		last.retry_at = retry_in_text(words.len < words.cap ? buf_text(&words) : "");
	if (http == 429 || http >= 500 || strcmp(last.type, "rateLimited") == 0)
		last.status = ST_LATER;
	else if (http / 100 == 3 || http < 200)
		last.status = ST_PROTO;
	else
		last.status = ST_REFUSED;
	buf_all(&b, what, http == 404 ? " " : "", http == 404 ? url : "", ": ", (char *)0);
	buf_slice(&b, buf_view(&words));
	buf_str(&b, words.len ? " (HTTP " : "(HTTP ");
	buf_uint(&b, (uint64_t)http);
	buf_char(&b, ')');
	if (last.status == ST_LATER && last.retry_at) {
		buf_str(&b, "; come back after ");
		buf_time(&b, last.retry_at);
	}
	buf_text(&b);
	link = http_link(res, "terms-of-service", 0);
	if (link.p && !last.link[0])
		http_resolve(url, link, last.link, sizeof(last.link));
	return -1;
}

/* 1 if text has word in it, in any case. */
static int
mentions(const char *text, const char *word)
{
	struct slice s;

	s.n = strlen(word);
	for (s.p = text; strlen(s.p) >= s.n; s.p++)
		if (slice_is_nocase(s, word))
			return 1;
	return 0;
}

/* Some CAs have a type of their own for it, or none.  What is taken for it wrongly ends after some tries. */
int
problem_bad_nonce(void)
{
	const char *type = last.type;

	return strcmp(type, "badNonce") == 0 || (last.http == 400 &&
	    (!type[0] || strcmp(type, "malformed") == 0) && mentions(last.text, "nonce"));
}
