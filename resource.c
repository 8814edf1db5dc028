/*
 * resource.c - orders, authorizations, challenges, waiting for them, and
 * certificates (RFC 8555 7.1.3 to 7.5); the talker's half.  Invariant: every
 * URL, token and status that leaves this file was checked.
 */
#include <string.h>

#include "acme.h"
#include "base64.h"
#include "http.h"
#include "json.h"
#include "persist.h"
#include "problem.h"
#include "reply.h"
#include "talk.h"
#include "util.h"

enum {
	POLL_WAIT = 30,		/* s of Retry-After that one poll is put off */
	POLL_ABSURD = 600,	/* s: a Retry-After beyond is not about this order (ZeroSSL: 86400) */
	POLL_FIRST = 50,	/* ms, doubling */
	POLL_QUICK = 4,		/* of these come whatever Retry-After says: most CAs are done by then */
	POLL_LIMIT = 5000,	/* ms, without Retry-After */
	POLL_LAST = 1000,	/* ms that are left for the last poll */
	POLL_STUCK = 3,		/* polls after which authorizations are looked at */
	FINALIZE_TRIES = 3,
	NONCES_AHEAD = 10,	/* got with the order for what follows it */
	ISSUERS = 5		/* certificates that are fetched one by one */
};

const char *const acme_status_name[] = {
	"unknown", "pending", "processing", "ready", "valid",
	"invalid", "deactivated", "expired", "revoked"
};
const char *const acme_type_name[ACME_TYPES] = {
	"http-01", "dns-01", "tls-alpn-01", "dns-account-01", "dns-persist-01"
};

/* The other chains of the certificate that was fetched last. */
static struct {
	unsigned count;
	char url[LIMIT_ALTERNATES][LIMIT_URL];
} alternates;

static enum acme_status
status_of(struct json v)
{
	int i;

	for (i = ACME_PENDING; i <= ACME_REVOKED; i++)
		if (json_is(v, acme_status_name[i]))
			return (enum acme_status)i;
	return ACME_UNKNOWN;
}

/* --- orders (7.1.3) --- */

const char *
acme_string(const struct acme_order *o, acme_text t)
{
	return t < o->used ? o->arena + t : "";
}

/* Copies text into the arena; 0 and an error in *full if there is no room. */
static acme_text
keep(struct acme_order *o, const char *text, int *full)
{
	size_t n = strlen(text) + 1;
	acme_text t;

	if (o->used == 0)
		o->arena[o->used++] = 0;
	if (n == 1)
		return 0;
	if (n > sizeof(o->arena) - o->used) {
		*full = 1;
		return 0;
	}
	t = o->used;
	memcpy(o->arena + t, text, n);
	o->used += (uint32_t)n;
	return t;
}

static int
arena_full(void)
{
	return problem_set(ST_PROTO, "order: its texts are larger than the limit of 128 KiB",
	    (char *)0);
}

/* An error member as printable text in the arena. */
static acme_text
keep_error(struct acme_order *o, struct json v, int *full)
{
	char mem[1200];
	struct buf b = BUF(mem);

	if (v.type != JSON_OBJECT)
		return 0;
	b.cap--;
	problem_words(&b, v);
	b.cap++;
	b.err = 0;
	return keep(o, buf_text(&b), full);
}

/* {"type": "dns", "value": "..."}: a printable value. */
static int
read_identifier(struct json v, char *value, size_t size, int *ip)
{
	struct slice s;
	size_t i;

	*ip = json_is(json_get(v, "type"), "ip");
	json_string(json_get(v, "value"), value, size);
	s = slice(value);
	for (i = 0; i < s.n; i++) {
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return -1;
		if (value[i] >= 'A' && value[i] <= 'Z')
			value[i] = (char)(value[i] + ('a' - 'A'));
	}
	return s.n ? 0 : -1;
}

static int
read_identifiers(struct acme_order *o, struct json array, int *full)
{
	struct json_iter it = { 0 };
	struct json v;
	char value[LIMIT_NAME + 8];
	int ip;

	while ((v = json_next(array, &it)).type != JSON_NONE) {
		if (o->idents == LIMIT_NAMES)
			return problem_set(ST_PROTO, "order: more than 100 identifiers", (char *)0);
		if (read_identifier(v, value, sizeof(value), &ip) < 0)
			return problem_set(ST_PROTO, "order: an identifier without a proper value", (char *)0);
		o->ident[o->idents++] = keep(o, value, full);
	}
	return 0;
}

static int
read_authorization_urls(struct acme_order *o, struct json array, const char *base, int *full)
{
	struct json_iter it = { 0 };
	struct json v;
	char url[LIMIT_URL];

	while ((v = json_next(array, &it)).type != JSON_NONE) {
		if (o->count == LIMIT_NAMES)
			return problem_set(ST_PROTO, "order: more than 100 authorizations", (char *)0);
		if (reply_url(v, base, url, sizeof(url)) < 0)
			return -1;
		memset(&o->authz[o->count], 0, sizeof(o->authz[0]));
		o->authz[o->count].chosen = -1;
		o->authz[o->count++].url = keep(o, url, full);
	}
	return 0;
}

/* An order object: all of it the first time, afterwards what may change. */
static int
read_order(struct acme_order *o)
{
	struct json_doc doc;
	struct json v;
	int full = 0, first = o->count == 0 && o->idents == 0;

	if (reply_object(&doc, &v, "order") < 0)
		return -1;
	o->status = status_of(json_get(v, "status"));
	if (reply_url(json_get(v, "finalize"), o->url, o->finalize, LIMIT_URL) < 0 ||
	    reply_url(json_get(v, "certificate"), o->url, o->certificate, LIMIT_URL) < 0)
		return -1;
	if (first && (read_identifiers(o, json_get(v, "identifiers"), &full) < 0 ||
	    read_authorization_urls(o, json_get(v, "authorizations"), o->url, &full) < 0))
		return -1;
	if (!o->error)
		o->error = keep_error(o, json_get(v, "error"), &full);
	if (full)
		return arena_full();
	if (doc.err)
		return reply_bad(&doc, "order");
	if (o->status == ACME_UNKNOWN)
		return problem_set(ST_PROTO, "order: no known status", (char *)0);
	if (first && o->status == ACME_PENDING && !o->count)
		return problem_set(ST_PROTO, "order: pending, with no authorizations", (char *)0);
	return 0;
}

void
acme_order_clear(struct acme_order *o)
{
	memset(o, 0, offsetof(struct acme_order, authz));
}

static int
new_order(struct acme_order *o, unsigned names)
{
	char url[LIMIT_URL];

	acme_order_clear(o);
	talk_ahead(names > NONCES_AHEAD ? NONCES_AHEAD - 1 : names ? names - 1 : 0);
	if (acme_to_endpoint(ACME_NEW_ORDER, EP_NEW_ORDER, url) < 0 ||
	    reply_location(url, o->url, "new order") < 0)
		return -1;
	return read_order(o);
}

int
acme_new_order(struct acme_order *o, unsigned names)
{
	talk_enter();
	return talk_leave(new_order(o, names));
}

static int
poll_order(struct acme_order *o)
{
	if (talk_post(ACME_GET, o->url) < 0)
		return -1;
	return read_order(o);
}

int
acme_order(struct acme_order *o)
{
	talk_enter();
	return talk_leave(poll_order(o));
}

/* --- authorizations (7.1.4) and challenges (8) --- */

static int
proper_token(const char *t)
{
	return strlen(t) <= LIMIT_TOKEN && base64url_is(slice(t));
}

/* What a dns-persist-01 challenge has in place of a token; 0: to be passed over. */
static int
read_persist(struct acme_order *o, struct acme_challenge *c, struct json v, int *full)
{
	char issuers[PERSIST_ISSUERS * (LIMIT_NAME + 1)], account[LIMIT_URL];

	if (persist_read(&v, issuers, account) < 0)
		return 0;
	c->issuers = keep(o, issuers, full);
	c->account = keep(o, account, full);
	return 1;
}

/* 1: c filled; 0: a challenge to pass over; -1: the problem is set. */
static int
read_challenge(struct acme_order *o, struct acme_challenge *c, struct json v,
    const char *base, int *full)
{
	char token[LIMIT_TOKEN + 2], url[LIMIT_URL];
	struct json t = json_get(v, "type"), tok = json_get(v, "token");
	int type;

	for (type = 0; type < ACME_TYPES && !json_is(t, acme_type_name[type]); type++)
		;
	if (type == ACME_TYPES)
		return 0;
	memset(c, 0, sizeof(*c));
	c->type = (enum acme_type)type;
	c->status = status_of(json_get(v, "status"));
	if (o->unwanted >> type & 1)
		return 1;
	if (type == ACME_DNS_PERSIST_01 ? !read_persist(o, c, v, full) : tok.type == JSON_NONE)
		return 0;
	if (tok.type != JSON_NONE) {
		json_string(tok, token, sizeof(token));
		if (!proper_token(token))
			return problem_set(ST_PROTO, "authorization: a token with characters"
			    " other than A-Z a-z 0-9 - _, or too long", (char *)0);
		c->token = keep(o, token, full);
	}
	if (reply_url(json_get(v, "url"), base, url, sizeof(url)) < 0)
		return -1;
	if (!url[0])
		return 0;
	c->url = keep(o, url, full);
	c->error = keep_error(o, json_get(v, "error"), full);
	return 1;
}

/* Reads an authorization object into z; arena space of an earlier reading is given up. */
static int
read_authorization(struct acme_order *o, struct acme_authz *z)
{
	struct json_doc doc;
	struct json v, c;
	struct json_iter it = { 0 };
	char value[LIMIT_NAME + 8];
	const char *base = acme_string(o, z->url);
	int full = 0, r;

	if (reply_object(&doc, &v, "authorization") < 0)
		return -1;
	z->status = status_of(json_get(v, "status"));
	z->wildcard = json_bool(json_get(v, "wildcard"), 0);
	if (read_identifier(json_get(v, "identifier"), value, sizeof(value), &z->ip) < 0)
		return problem_set(ST_PROTO, "authorization: no proper identifier", (char *)0);
	z->ident = keep(o, value, &full);
	z->count = 0;
	c = json_get(v, "challenges");
	while ((v = json_next(c, &it)).type != JSON_NONE && z->count < ACME_CHALLENGES) {
		r = read_challenge(o, &z->challenge[z->count], v, base, &full);
		if (r < 0)
			return -1;
		if (z->challenge[z->count].error)
			z->error = z->challenge[z->count].error;
		z->count += (unsigned)r;
	}
	if (full)
		return arena_full();
	if (doc.err)
		return reply_bad(&doc, "authorization");
	return z->status == ACME_UNKNOWN ?
	    problem_set(ST_PROTO, "authorization: no known status", (char *)0) : 0;
}

static int
refused(struct acme_order *o, const struct acme_authz *z)
{
	const char *error = acme_string(o, z->error);
	struct slice type = { error, strcspn(error, ":") };

	problem_set(ST_REFUSED, "validation of ", z->wildcard ? "*." : "",
	    acme_string(o, z->ident), " failed: ", error[0] ? error :
	    acme_status_name[z->status], (char *)0);
	slice_copy(type, problem_last()->type, sizeof(problem_last()->type));
	return -1;
}

static const char *
authorization_url(void *ctx, unsigned i)
{
	struct acme_order *o = ctx;

	return acme_string(o, o->authz[i].url);
}

static int
take_authorization(void *ctx, unsigned i, int result)
{
	struct acme_order *o = ctx;
	struct acme_authz *z = &o->authz[i];

	if (result < 0 || read_authorization(o, z) < 0)
		return -1;
	return z->status > ACME_VALID ? refused(o, z) : 0;
}

int
acme_authorizations(struct acme_order *o)
{
	struct talk_batch b = { ACME_GET, 0, o->count, authorization_url, take_authorization, o };

	talk_enter();
	return talk_leave(talk_batch(&b));
}

static struct acme_challenge *
chosen(struct acme_authz *z)
{
	return z->chosen >= 0 && (unsigned)z->chosen < z->count ?
	    &z->challenge[z->chosen] : 0;
}

/*
 * What the reply to an answer tells already: a CA that validates before it
 * replies may leave authorization and order pending for ever (step-ca).
 */
static int
answered(struct acme_order *o, struct acme_authz *z, struct acme_challenge *c)
{
	struct json_doc doc;
	struct json v = json_parse(&doc, buf_view(&talk_reply()->body));
	int full = 0;

	if (v.type != JSON_OBJECT || status_of(json_get(v, "status")) != ACME_INVALID)
		return 0;
	c->status = ACME_INVALID;
	z->error = keep_error(o, json_get(v, "error"), &full);
	return full ? arena_full() : refused(o, z);
}

/* The URL for an answer to the chosen challenge, 0 if there is none to be given. */
static const char *
answer_url(void *ctx, unsigned i)
{
	struct acme_order *o = ctx;
	struct acme_challenge *c = chosen(&o->authz[i]);

	return c && o->authz[i].status == ACME_PENDING ? acme_string(o, c->url) : 0;
}

/*
 * Refusals that say that it runs or is decided already (400 malformed, 409
 * conflict after an answer that got lost) are for the polling to find out.
 */
static int
take_answer(void *ctx, unsigned i, int result)
{
	struct acme_order *o = ctx;
	const struct acme_problem *why = problem_last();

	if (result == 0)
		return answered(o, &o->authz[i], chosen(&o->authz[i]));
	return why->http == 409 || (why->http == 400 && strcmp(why->type, "malformed") == 0) ? 0 : -1;
}

int
acme_answer(struct acme_order *o)
{
	struct talk_batch b = { ACME_ANSWER, 0, o->count, answer_url, take_answer, o };

	talk_enter();
	return talk_leave(talk_batch(&b));
}

/* --- waiting --- */

/*
 * Fetches one authorization again for its status and that of the chosen
 * challenge, found by its URL: servers list challenges in any order.  -1: it
 * is lost.  What was read anew is given back to the arena.
 */
static int
look_at(struct acme_order *o, struct acme_authz *z)
{
	struct acme_authz now = *z;
	struct acme_challenge *c = chosen(z);
	uint32_t used = o->used;
	int r = 0, again = 0;
	unsigned i;

	if (talk_post(ACME_GET, acme_string(o, z->url)) < 0 ||
	    read_authorization(o, &now) < 0)
		return -1;
	z->status = now.status;
	for (i = 0; c && i < now.count; i++) {
		struct acme_challenge *n = &now.challenge[i];

		if (strcmp(acme_string(o, n->url), acme_string(o, c->url)) != 0)
			continue;
		c->status = n->status;
		if (n->error)
			now.error = n->error;
		/* error, yet pending: a transient failure that wants a new answer (8.2) */
		again = n->status == ACME_PENDING && n->error;
	}
	if (again && !z->error) {
		/* the first such error is kept for still() */
		z->error = now.error;
		used = o->used;
	}
	if (z->status > ACME_VALID || (c && c->status == ACME_INVALID))
		r = refused(o, &now);
	o->used = used;
	if (r < 0 || !again || z->status != ACME_PENDING)
		return r;
	return take_answer(o, (unsigned)(z - o->authz), talk_post(ACME_ANSWER, acme_string(o, c->url)));
}

/* An order became invalid: finds the authorization that did it. */
static int
explain(struct acme_order *o)
{
	unsigned i;

	for (i = 0; i < o->count; i++) {
		struct acme_authz *z = &o->authz[i];

		if (z->chosen < 0 && z->status == ACME_VALID)
			continue;
		if (look_at(o, z) < 0)
			return -1;
	}
	return problem_set(ST_REFUSED, "the order became invalid: ",
	    o->error ? acme_string(o, o->error) : "the CA gives no reason", (char *)0);
}

/*
 * How long to wait before a poll, the n-th (from 0) that is waited for, in ms; -1:
 * there is no time left for another.  The quick ones are that far from the
 * request before: on a long way no time is lost by waiting at its end, too.
 */
static int64_t
poll_delay(unsigned n)
{
	int64_t after = talk_retry_after(), left = talk_deadline() - now_ms() - POLL_LAST;
	int64_t delay = n < 7 ? (int64_t)POLL_FIRST << n : POLL_LIMIT;

	if (n < POLL_QUICK)
		delay -= talk_took() < delay ? talk_took() : delay;
	else if (after > 0 && after <= POLL_ABSURD)
		delay = (after < POLL_WAIT ? after : POLL_WAIT) * 1000;
	return left <= 0 ? -1 : delay < left ? delay : left;
}

static int
still(const struct acme_order *o, const char *what)
{
	const struct acme_authz *z = o->authz, *end = z + o->count;
	int trouble;

	while (z < end && (z->status != ACME_PENDING || !z->error))
		z++;
	trouble = z < end;
	return problem_set(ST_LATER, what, ": the order is still ",
	    acme_status_name[o->status], "; the next run goes on with it",
	    trouble ? "; the CA said of " : "", trouble ? acme_string(o, z->ident) : "",
	    trouble ? ": " : "", trouble ? acme_string(o, z->error) : "", (char *)0);
}

/* Looks at one of the authorizations that are pending, each time at the next one. */
static int
look_at_next(struct acme_order *o, unsigned *next)
{
	unsigned i;

	for (i = 0; i < o->count; i++) {
		struct acme_authz *z = &o->authz[(*next)++ % o->count];

		if (z->chosen >= 0 && z->status == ACME_PENDING)
			return look_at(o, z);
	}
	return 0;
}

/* Polls while the order's status is one of those in the set (bits). */
static int
wait_while(struct acme_order *o, unsigned set, const char *what)
{
	int64_t start = now_ms(), delay;
	unsigned n, naps = 0, next = 0;

	for (n = 0; set & 1u << o->status; n++) {
		delay = poll_delay(naps);
		if (n == LIMIT_POLLS || delay < 0)
			return still(o, what);
		if (n > 0 || o->status == ACME_PROCESSING) {
			talk_tick(what, (unsigned)((now_ms() - start) / 1000));
			if (talk_nap(delay) < 0)
				return -1;
			naps++;
		}
		if (n >= POLL_STUCK && o->status == ACME_PENDING && look_at_next(o, &next) < 0)
			return -1;
		if (poll_order(o) < 0)
			return -1;
	}
	return o->status == ACME_INVALID ? explain(o) : 0;
}

int
acme_wait(struct acme_order *o)
{
	talk_enter();
	return talk_leave(wait_while(o, 1u << ACME_PENDING, "validation"));
}

int
acme_wait_authorization(struct acme_order *o, unsigned i)
{
	struct acme_authz *z = &o->authz[i];
	int64_t start = now_ms(), delay;
	unsigned n;
	int r = 0;

	talk_enter();
	for (n = 0; r == 0 && z->status == ACME_PENDING; n++) {
		delay = poll_delay(n ? n - 1 : 0);
		if (n == LIMIT_POLLS || delay < 0)
			r = still(o, "validation");
		else if (n)
			r = talk_nap(delay);
		talk_tick("validation", (unsigned)((now_ms() - start) / 1000));
		if (r == 0)
			r = look_at(o, z);
	}
	return talk_leave(r);
}

/* 1 if finalize may have been executed although the reply says otherwise, or did not come. */
static int
maybe_finalized(const struct acme_problem *why)
{
	return why->status == ST_NET || strcmp(why->type, "orderNotReady") == 0 ||
	    (why->http >= 500 && (!why->retry_at || why->retry_at <= now_wall() + POLL_WAIT));
}

/* Sends the request, and in doubt looks at the order before it sends it again. */
static int
request_certificate(struct acme_order *o)
{
	struct acme_problem why;
	int64_t delay;
	unsigned try;

	for (try = 1; o->status == ACME_READY; try++) {
		if (talk_post(ACME_FINALIZE, o->finalize) == 0)
			return read_order(o);
		if (!maybe_finalized(problem_last()))
			return -1;
		why = *problem_last();
		delay = poll_delay(try);
		if (delay < 0 || talk_nap(delay) < 0 || poll_order(o) < 0)
			return -1;
		if (try == FINALIZE_TRIES && o->status == ACME_READY) {
			*problem_last() = why;
			return -1;
		}
	}
	return 0;
}

static int
finalize(struct acme_order *o)
{
	if (request_certificate(o) < 0)
		return -1;
	if (wait_while(o, 1u << ACME_PROCESSING | 1u << ACME_READY | 1u << ACME_PENDING,
	    "issuance") < 0)
		return -1;
	if (!o->certificate[0])
		return problem_set(ST_PROTO, "order: valid, but without a certificate URL", (char *)0);
	return 0;
}

int
acme_finalize(struct acme_order *o)
{
	talk_enter();
	return talk_leave(finalize(o));
}

/* --- certificates (7.4.2) --- */

/* The media type of the reply, whatever its parameters. */
static int
reply_is(const char *want)
{
	struct slice type = http_header(talk_reply(), "Content-Type", 0);
	size_t n = strlen(want);

	if (type.n < n || (type.n > n && !strchr("; \t", type.p[n])))
		return 0;
	type.n = n;
	return slice_is_nocase(type, want);
}

/*
 * A certificate in DER (RFC 8555 7.4.2 allows other formats than the default,
 * and old CAs know but this one): it and those that its rel="up" lead to.
 */
static int
der_chain(const char *at, struct buf *pem)
{
	char url[LIMIT_URL], next[LIMIT_URL];
	struct slice up;
	unsigned n;

	slice_copy(slice(at), url, sizeof(url));
	for (n = 1; reply_is("application/pkix-cert"); n++) {
		pem_encode(pem, "CERTIFICATE", talk_reply()->body.p, talk_reply()->body.len);
		up = http_link(talk_reply(), "up", 0);
		if (!up.p)
			return 0;
		if (n == ISSUERS)
			return problem_set(ST_PROTO, "certificate ", at,
			    ": it has more than 5 certificates above it", (char *)0);
		if (http_resolve(url, up, next, sizeof(next)) < 0 || talk_post(ACME_GET, next) < 0)
			return -1;
		slice_copy(slice(next), url, sizeof(url));
	}
	return problem_set(ST_PROTO, "certificate ", url,
	    ": the reply is no PEM certificate chain", (char *)0);
}

static int
certificate(struct acme_order *o, unsigned alternate, struct buf *pem)
{
	const char *url = alternate ? alternates.url[alternate - 1] : o->certificate;
	struct slice link;

	if (alternate > alternates.count)
		return 1;
	if (talk_post(ACME_GET, url) < 0)
		return -1;
	if (!alternate)
		for (alternates.count = 0; alternates.count < LIMIT_ALTERNATES; alternates.count++) {
			link = http_link(talk_reply(), "alternate", alternates.count);
			if (!link.p || http_resolve(url, link,
			    alternates.url[alternates.count], LIMIT_URL) < 0)
				break;
		}
	if (reply_is("application/pem-certificate-chain"))
		buf_mem(pem, talk_reply()->body.p, talk_reply()->body.len);
	else if (der_chain(url, pem) < 0)
		return -1;
	if (pem->err)
		return problem_set(ST_PROTO, "certificate ", url,
		    ": the chain is larger than the limit of 64 KiB", (char *)0);
	return 0;
}

int
acme_certificate(struct acme_order *o, unsigned alternate, struct buf *pem)
{
	talk_enter();
	return talk_leave(certificate(o, alternate, pem));
}
