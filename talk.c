/*
 * talk.c - requests and replies (RFC 8555 6), the talker's half.  Invariants:
 * nothing is sent but to https URLs; every signed body comes from the sign
 * callback; a nonce is used once, the newest first; all sending happens in
 * transmit(), all repeating in talk_get() and talk_post(), all judging of
 * replies in judge().
 */
#include <stdarg.h>
#include <string.h>

#include "acme.h"
#include "base64.h"
#include "http.h"
#include "json.h"
#include "talk.h"
#include "tls.h"
#include "util.h"

enum {
	NONCES = 10,		/* kept for later use */
	NONCE_AGE = 300 * 1000,	/* ms; CAs forget them after minutes */
	NONCE_TRIES = 10,	/* five lose one issuance in six to a CA that refuses every second nonce */
	RESENDS = 3,		/* after a broken connection, 429 or 5xx */
	RESENDS_UNANSWERED = 1,	/* of what leaves something behind at the CA */
	WAIT_LIMIT = 30,	/* s of Retry-After that are slept, not reported */
	CLOCK_LIMIT = 600	/* s that our clock may differ from the CA's unmentioned */
};

/* What each kind of request is called in messages, and whether it may be sent twice. */
enum resend { RESEND_NEVER, RESEND_UNANSWERED, RESEND_ALWAYS };
static const struct {
	const char *what;
	enum resend resend;
} kinds[] = {
	[ACME_GET] = { "fetching", RESEND_ALWAYS },
	[ACME_NEW_ACCOUNT] = { "new account", RESEND_ALWAYS },
	[ACME_UPDATE_ACCOUNT] = { "account update", RESEND_ALWAYS },
	[ACME_DEACTIVATE_ACCOUNT] = { "account deactivation", RESEND_NEVER },
	[ACME_KEY_CHANGE] = { "key change", RESEND_NEVER },
	[ACME_NEW_ORDER] = { "new order", RESEND_UNANSWERED },
	[ACME_ANSWER] = { "answering the challenge", RESEND_ALWAYS },
	[ACME_FINALIZE] = { "finalizing the order", RESEND_NEVER },
	[ACME_REVOKE] = { "revocation", RESEND_ALWAYS },
	[ACME_DEACTIVATE_AUTHZ] = { "deactivating an authorization", RESEND_ALWAYS },
};

static struct {
	struct acme_config config;
	struct acme_problem why;
	const char *nonce_url;
	int clock_told;		/* that the clocks differ, once a conversation */

	int64_t left;		/* ms of the timeout not yet used up */
	int64_t deadline;	/* of the call under way */

	struct tls *tls;
	struct http_url origin;	/* where tls is connected to */
	struct http_stream stream;
	struct http_reader reader;
	struct http_response res;
	int form;		/* a form is sent, and what comes back is secret */
	char reply[LIMIT_REPLY];
	char request[LIMIT_REQUEST];

	char nonce[NONCES][LIMIT_NONCE];
	int64_t nonce_at[NONCES];
	unsigned nonces;
} talk;

/* --- failures --- */

/* Fills the problem from the strings up to a null pointer; -1. */
int
talk_problem(int status, const char *text, ...)
{
	struct buf b = BUF(talk.why.text);
	va_list ap;

	memset(&talk.why, 0, sizeof(talk.why));
	talk.why.status = status;
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

static int
interrupted(void)
{
	return talk_problem(ST_NET, "interrupted", (char *)0);
}

/* Each public call that talks is bracketed by these two. */
void
talk_enter(void)
{
	talk.deadline = now_ms() + talk.left;
}

int
talk_leave(int result)
{
	talk.left = talk.deadline - now_ms();
	if (talk.left < 0)
		talk.left = 0;
	return result;
}

/* Sleeps, but not beyond the deadline: 0, or -1 interrupted or out of time. */
int
talk_nap(int64_t ms)
{
	int64_t until = now_ms() + ms;

	if (now_ms() >= talk.deadline)
		return talk_problem(ST_LATER, "no time left to wait for the CA", (char *)0);
	if (until > talk.deadline)
		until = talk.deadline;
	return wait_fd(-1, 0, until) == WAIT_SIGNAL ? interrupted() : 0;
}

/* --- one request --- */

static void
disconnect(void)
{
	tls_close(talk.tls);
	talk.tls = 0;
}

static int
connect_to(const struct http_url *u)
{
	struct tls_error e;

	if (talk.tls && (!http_same_origin(&talk.origin, u) ||
	    http_excess(&talk.reader) || tls_stale(talk.tls)))
		disconnect();
	if (!talk.tls) {
		memset(&e, 0, sizeof(e));
		talk.tls = tls_connect(talk.config.tls, u->host, u->port, talk.deadline, &e);
		if (!talk.tls && e.signal)
			return interrupted();
		if (!talk.tls)
			return talk_problem(e.clock ? ST_CONFIG : ST_NET,
			    "connecting to ", u->host, " port ", u->port, ": ",
			    e.text, (char *)0);
		talk.origin = *u;
		talk.stream.ctx = talk.tls;
		talk.stream.read = tls_read;
		talk.stream.write = tls_write;
		talk.stream.flush = tls_flush;
		memset(&talk.reader, 0, sizeof(talk.reader));
		talk.reader.s = &talk.stream;
	}
	tls_deadline(talk.tls, talk.deadline);
	return 0;
}

static void
trace(const char *method, const char *url, int64_t start)
{
	char mem[LIMIT_URL + 128];
	struct buf b = BUF(mem);

	if (!talk.config.trace)
		return;
	buf_all(&b, method, " ", url, " ", (char *)0);
	buf_uint(&b, (uint64_t)talk.res.status);
	buf_char(&b, ' ');
	buf_uint(&b, (uint64_t)(now_ms() - start));
	buf_str(&b, " ms");
	talk.config.trace(talk.config.ctx, 1, buf_text(&b));
	if (!talk.form && talk.res.body.len < talk.res.body.cap)
		talk.config.trace(talk.config.ctx, 2, buf_text(&talk.res.body));
}

/* Seconds that the server's clock is ahead of ours, by the Date of its reply; 0 without one. */
static int64_t
server_ahead(void)
{
	struct slice s = http_header(&talk.res, "Date", 0);
	int64_t t;

	return s.p && time_http(s, &t) == 0 ? t - now_wall() : 0;
}

/* A wrong clock makes renewals late and certificates look expired: that is worth a line. */
static void
compare_clocks(void)
{
	char mem[128];
	struct buf b = BUF(mem);
	int64_t ahead = server_ahead();

	if (talk.clock_told || !talk.config.trace || (ahead < CLOCK_LIMIT && ahead > -CLOCK_LIMIT))
		return;
	talk.clock_told = 1;
	buf_str(&b, "the clock here says ");
	buf_time(&b, now_wall());
	buf_str(&b, ", the CA's ");
	buf_time(&b, now_wall() + ahead);
	talk.config.trace(talk.config.ctx, 0, buf_text(&b));
}

/* The connection failed under a request: why, as a problem. */
static int
broken(enum http_error e, const char *what, const char *url)
{
	const struct tls_error *t = tls_failure(talk.tls);
	int status = e == HTTP_BAD || e == HTTP_LIMIT ? ST_PROTO : ST_NET;

	if (stop_signal() && t->signal)
		return interrupted();
	if (status == ST_PROTO)
		return talk_problem(status, what, " ", url, ": ", talk.res.why, (char *)0);
	return talk_problem(status, what, " ", url, ": ",
	    t->text[0] ? t->text : "connection closed by the server", (char *)0);
}

/*
 * Sends one request and receives its response into talk.res.  -1: the problem
 * is set, and *unanswered tells that no byte of a response had come.
 */
static int
transmit(const char *method, const char *url, struct slice body,
    const char *what, int *unanswered)
{
	struct http_url u;
	enum http_error e;
	int64_t start = now_ms();

	*unanswered = 0;
	if (http_url(&u, slice(url)) < 0 || !u.tls)
		return talk_problem(ST_PROTO, what, ": not an https URL: ", url, (char *)0);
	if (connect_to(&u) < 0)
		return -1;
	buf_init(&talk.res.body, talk.reply, sizeof(talk.reply));
	if (http_request(&talk.stream, method, &u, talk.config.agent,
	    !body.p ? 0 : talk.form ? "application/x-www-form-urlencoded" :
	    "application/jose+json", body) < 0 ||
	    talk.stream.flush(talk.stream.ctx) < 0)
		e = HTTP_CLOSED;
	else
		e = http_receive(&talk.reader, method, &talk.res);
	if (e != HTTP_OK) {
		*unanswered = e == HTTP_CLOSED;
		broken(e, what, url);
		disconnect();
		return -1;
	}
	if (talk.res.close)
		disconnect();
	trace(method, url, start);
	compare_clocks();
	return 0;
}

/* --- nonces (6.5) --- */

/* Takes the nonce of the last response into the pool; a missing one is no error here. */
static int
nonce_harvest(void)
{
	struct slice s = http_header(&talk.res, "Replay-Nonce", 0);

	if (!s.p)
		return 0;
	if (!base64url_is(s) || s.n >= LIMIT_NONCE ||
	    http_header(&talk.res, "Replay-Nonce", 1).p)
		return talk_problem(ST_PROTO, "the server sent no proper Replay-Nonce", (char *)0);
	if (talk.nonces == NONCES) {
		memmove(talk.nonce[0], talk.nonce[1], sizeof(talk.nonce[0]) * (NONCES - 1));
		memmove(&talk.nonce_at[0], &talk.nonce_at[1], sizeof(talk.nonce_at[0]) * (NONCES - 1));
		talk.nonces--;
	}
	slice_copy(s, talk.nonce[talk.nonces], LIMIT_NONCE);
	talk.nonce_at[talk.nonces++] = now_ms();
	return 0;
}

static int judge(const char *what, const char *url);
static int pause_before_retry(unsigned *tries);

/* Puts a fresh nonce in the pool if it is empty; HEAD newNonce (7.2). */
static int
nonce_fetch(void)
{
	unsigned tries = 0;
	int unanswered;
	struct slice none = { 0, 0 };

	while (talk.nonces && now_ms() - talk.nonce_at[talk.nonces - 1] > NONCE_AGE)
		talk.nonces--;
	while (!talk.nonces) {
		if (transmit("HEAD", talk.nonce_url, none, "new nonce", &unanswered) < 0) {
			if (!unanswered || ++tries > RESENDS)
				return -1;
			continue;
		}
		if (nonce_harvest() < 0)
			return -1;
		if (talk.nonces)
			break;
		if (talk.res.status / 100 == 2)
			return talk_problem(ST_PROTO, "new nonce ", talk.nonce_url,
			    ": the reply carries no Replay-Nonce", (char *)0);
		if (judge("new nonce", talk.nonce_url) < 0 && pause_before_retry(&tries) < 0)
			return -1;
	}
	return 0;
}

/* --- replies --- */

static int
digits(struct slice s)
{
	size_t i;

	for (i = 0; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++)
		;
	return s.n && i == s.n;
}

/* A Retry-After (RFC 9110 10.2.3) in seconds from now; -1 none or junk.  Its date is by the server's clock. */
int64_t
talk_retry_after(void)
{
	struct slice s = http_header(&talk.res, "Retry-After", 0);
	uint64_t v;
	int64_t t;

	if (!s.p)
		return -1;
	if (digits(s))
		return slice_uint(s, &v) < 0 || v > 366 * 86400 ? 366 * 86400 : (int64_t)v;
	if (time_http(s, &t) == 0) {
		t -= now_wall() + server_ahead();
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
talk_problem_text(struct buf *b, struct json v)
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
reply_text(struct buf *b, const char *url)
{
	struct json_doc doc, quiet;
	struct json v = json_parse(&doc, buf_view(&talk.res.body));
	struct slice text = buf_view(&talk.res.body);
	char mem[1024];
	struct buf plain = BUF(mem);

	if (!doc.err && v.type == JSON_OBJECT) {
		talk_problem_text(b, v);
		/* odd members shall not hide the others */
		quiet = doc;
		v.doc = &quiet;
		json_string(json_get(v, "type"), mem, sizeof(mem));
		slice_copy(slice(bare_type(mem)), talk.why.type, sizeof(talk.why.type));
		/* where a person is to go (7.3.3) */
		json_string(json_get(v, "instance"), mem, sizeof(mem));
		if (mem[0] && strcmp(talk.why.type, "userActionRequired") == 0)
			http_resolve(url, slice(mem), talk.why.link, sizeof(talk.why.link));
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
static int
judge(const char *what, const char *url)
{
	char mem[1900];
	struct buf words = BUF(mem), b = BUF(talk.why.text);
	struct slice link;
	int http = talk.res.status;
	int64_t after = talk_retry_after();

	if (http / 100 == 2)
		return 0;
	memset(&talk.why, 0, sizeof(talk.why));
	talk.why.http = http;
	reply_text(&words, url);
	words.err = 0;
	if (after >= 0)
		talk.why.retry_at = now_wall() + after;
	else if (http == 429)
		talk.why.retry_at = retry_in_text(words.len < words.cap ? buf_text(&words) : "");
	if (http == 429 || http >= 500 || strcmp(talk.why.type, "rateLimited") == 0)
		talk.why.status = ST_LATER;
	else if (http / 100 == 3 || http < 200)
		talk.why.status = ST_PROTO;
	else
		talk.why.status = ST_REFUSED;
	buf_all(&b, what, http == 404 ? " " : "", http == 404 ? url : "", ": ", (char *)0);
	buf_slice(&b, buf_view(&words));
	buf_str(&b, words.len ? " (HTTP " : "(HTTP ");
	buf_uint(&b, (uint64_t)http);
	buf_char(&b, ')');
	if (talk.why.status == ST_LATER && talk.why.retry_at) {
		buf_str(&b, "; come back after ");
		buf_time(&b, talk.why.retry_at);
	}
	buf_text(&b);
	link = http_link(&talk.res, "terms-of-service", 0);
	if (link.p && !talk.why.link[0])
		http_resolve(url, link, talk.why.link, sizeof(talk.why.link));
	return -1;
}

/* After judge() said later: waits as the server asks.  -1: too long, too often or not that case. */
static int
pause_before_retry(unsigned *tries)
{
	struct acme_problem why = talk.why;
	int64_t s;

	if (talk.why.status != ST_LATER || ++*tries > RESENDS ||
	    (!talk.why.retry_at && talk.res.status < 500))
		return -1;
	s = talk.why.retry_at ? talk.why.retry_at - now_wall() : (int64_t)1 << (*tries - 1);
	if (s > WAIT_LIMIT || now_ms() + s * 1000 > talk.deadline)
		return -1;
	talk_tick("the CA is busy", (unsigned)s);
	if (talk_nap(s * 1000 + 50) < 0)
		return -1;
	talk.why = why;
	return 0;
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
static int
bad_nonce(void)
{
	const char *type = talk.why.type;

	return strcmp(type, "badNonce") == 0 || (talk.res.status == 400 &&
	    (!type[0] || strcmp(type, "malformed") == 0) && mentions(talk.why.text, "nonce"));
}

/* 503 is a refusal; behind other errors of a server or proxy, the request may have been executed. */
static int
maybe_executed(void)
{
	return talk.res.status >= 500 && talk.res.status != 503;
}

/*
 * One signed request (6.2), repeated where that is safe and of use.  0: a 2xx
 * reply is in talk.res; -1: the problem is set.
 */
int
talk_post(int kind, const char *url)
{
	struct slice body;
	struct buf b;
	unsigned nonce_tries = 0, tries = 0, lost = 0;
	int unanswered, r;

	for (;;) {
		if (nonce_fetch() < 0)
			return -1;
		buf_init(&b, talk.request, sizeof(talk.request));
		r = talk.config.sign(talk.config.ctx, (enum acme_kind)kind, url, talk.nonce[--talk.nonces], &b);
		if (r < 0 || b.err)
			return talk_problem(ST_PROTO, kinds[kind].what, " ", url,
			    b.err ? ": the request is larger than the limit of 50000 bytes"
			    : ": not signed", (char *)0);
		body = buf_view(&b);
		if (transmit("POST", url, body, kinds[kind].what, &unanswered) < 0) {
			if (talk.why.status != ST_NET || stop_signal() ||
			    now_ms() >= talk.deadline || ++lost > RESENDS ||
			    kinds[kind].resend == RESEND_NEVER ||
			    (kinds[kind].resend == RESEND_UNANSWERED &&
			    (!unanswered || lost > RESENDS_UNANSWERED)))
				return -1;
			continue;
		}
		if (nonce_harvest() < 0)
			return -1;
		if (judge(kinds[kind].what, url) == 0)
			return 0;
		if (bad_nonce() && ++nonce_tries <= NONCE_TRIES)
			continue;
		if (kinds[kind].resend != RESEND_ALWAYS && maybe_executed())
			return -1;
		if (pause_before_retry(&tries) < 0)
			return -1;
	}
}

/* --- the interface --- */

void
talk_open(const struct acme_config *config)
{
	talk_close();
	talk.config = *config;
	talk.nonces = 0;
	talk.clock_told = 0;
	talk_allow(config->timeout);
}

void
talk_allow(unsigned seconds)
{
	talk.left = (int64_t)seconds * 1000;
}

void
talk_close(void)
{
	disconnect();
}

void
talk_nonce_url(const char *url)
{
	talk.nonce_url = url;
}

int64_t
talk_deadline(void)
{
	return talk.deadline;
}

struct acme_problem *
talk_why(void)
{
	return &talk.why;
}

const struct http_response *
talk_reply(void)
{
	return &talk.res;
}

void
talk_tick(const char *what, unsigned seconds)
{
	if (talk.config.tick)
		talk.config.tick(talk.config.ctx, what, seconds);
}

int
talk_get(const char *url, const char *what, int *redirect)
{
	struct slice none = { 0, 0 };
	unsigned tries = 0;
	int unanswered;

	*redirect = 0;
	for (;;) {
		if (transmit("GET", url, none, what, &unanswered) < 0) {
			if (talk.why.status != ST_NET || !unanswered || ++tries > RESENDS)
				return -1;
			continue;
		}
		if (nonce_harvest() < 0)
			return -1;
		*redirect = talk.res.status / 100 == 3;
		if (judge(what, url) == 0 || *redirect)
			return 0;
		if (pause_before_retry(&tries) < 0)
			return -1;
	}
}

int
talk_form(const char *url, struct slice form, const char *what)
{
	int unanswered, r;

	talk.form = 1;
	r = transmit("POST", url, form, what, &unanswered);
	talk.form = 0;
	return r;
}
