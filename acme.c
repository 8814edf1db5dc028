/*
 * acme.c - RFC 8555 resources: directory, accounts, orders, authorizations,
 * challenges, certificates; the talker's half.  Invariant: every URL, token
 * and status that leaves this file was checked.
 */
#include <string.h>

#include "acme.h"
#include "http.h"
#include "json.h"
#include "talk.h"
#include "util.h"

enum {
	WAIT_LIMIT = 30,	/* s of Retry-After that one poll is put off */
	POLL_FIRST = 50,	/* ms, doubling */
	POLL_LIMIT = 5000,	/* ms, without Retry-After */
	POLL_STUCK = 8,		/* polls after which authorizations are looked at */
	ALTERNATES = 10
};

const char *const acme_endpoint_name[EP_COUNT] = {
	"newNonce", "newAccount", "newOrder", "revokeCert", "keyChange", "renewalInfo"
};
const char *const acme_status_name[] = {
	"unknown", "pending", "processing", "ready", "valid",
	"invalid", "deactivated", "expired", "revoked"
};
const char *const acme_type_name[ACME_TYPES] = {
	"http-01", "dns-01", "tls-alpn-01", "dns-account-01", "dns-persist-01"
};

static struct {
	struct acme_directory dir;
	char dir_url[LIMIT_URL];
	int dir_fetched;
	unsigned alternates;
	char alternate[ALTERNATES][LIMIT_URL];
} acme;

/* --- JSON replies --- */

/* The reply as a JSON object; -1 and ST_PROTO if it is none. */
static int
reply_object(struct json_doc *doc, struct json *v, const char *what)
{
	*v = json_parse(doc, buf_view(&talk_reply()->body));
	if (doc->err || v->type != JSON_OBJECT)
		return talk_problem(ST_PROTO, what, ": the reply is not a JSON object",
		    (char *)0);
	return 0;
}

static int
bad_member(const struct json_doc *doc, const char *what)
{
	return talk_problem(ST_PROTO, what, ": bad member \"", doc->bad,
	    "\" in the reply", (char *)0);
}

/* A member that is a URL, resolved; "" if absent.  Only https goes out. */
static int
member_url(struct json v, const char *base, char *out, size_t size)
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
		return talk_problem(ST_PROTO, "the server named a URL that is not https: ",
		    ref, (char *)0);
	}
	return 0;
}

static enum acme_status
status_of(struct json v)
{
	int i;

	for (i = ACME_PENDING; i <= ACME_REVOKED; i++)
		if (json_is(v, acme_status_name[i]))
			return (enum acme_status)i;
	return ACME_UNKNOWN;
}

/* Appends "a b c" of an array of strings, or of an object's keys. */
static void
join(struct json v, char *out, size_t size)
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

/* --- directory (7.1.1) --- */

/* Fetches it; one redirect within the same host is followed. */
static int
directory_get(void)
{
	struct slice location;
	char url[LIMIT_URL];
	struct http_url from, to;
	int redirect;

	if (talk_get(acme.dir_url, "directory", &redirect) < 0)
		return -1;
	if (!redirect)
		return 0;
	location = http_header(talk_reply(), "Location", 0);
	http_url(&from, slice(acme.dir_url));
	if (!location.p || http_resolve(acme.dir_url, location, url, sizeof(url)) < 0 ||
	    http_url(&to, slice(url)) < 0 || !http_same_origin(&from, &to))
		return -1;	/* the redirect is the problem */
	if (talk_get(url, "directory", &redirect) < 0)
		return -1;
	return redirect ? -1 : 0;
}

static int
directory_refresh(void)
{
	static struct acme_directory d;
	struct json_doc doc;
	struct json v, meta;
	int i;

	if (directory_get() < 0 || reply_object(&doc, &v, "directory") < 0)
		return -1;
	memset(&d, 0, sizeof(d));
	for (i = 0; i < EP_COUNT; i++)
		if (member_url(json_get(v, acme_endpoint_name[i]), acme.dir_url,
		    d.url[i], LIMIT_URL) < 0)
			return -1;
	meta = json_get(v, "meta");
	json_string(json_get(meta, "termsOfService"), d.terms, sizeof(d.terms));
	join(json_get(meta, "profiles"), d.profiles, sizeof(d.profiles));
	join(json_get(meta, "caaIdentities"), d.caa, sizeof(d.caa));
	d.external_account_required = json_bool(json_get(meta, "externalAccountRequired"), 0);
	if (doc.err)
		return bad_member(&doc, "directory");
	for (i = EP_NEW_NONCE; i <= EP_NEW_ORDER; i++)
		if (!d.url[i][0])
			return talk_problem(ST_PROTO, "directory ", acme.dir_url, " lacks ",
			    acme_endpoint_name[i], (char *)0);
	acme.dir = d;
	acme.dir_fetched = 1;
	return 0;
}

void
acme_timeout(unsigned seconds)
{
	talk_allow(seconds);
}

int
acme_open(const struct acme_config *config, const char *directory,
    const struct acme_directory *cached)
{
	struct http_url u;

	talk_open(config);
	talk_nonce_url(acme.dir.url[EP_NEW_NONCE]);
	acme.dir_fetched = 0;
	if (http_url(&u, slice(directory)) < 0 || !u.tls ||
	    slice_copy(slice(directory), acme.dir_url, sizeof(acme.dir_url)) < 0)
		return talk_problem(ST_USAGE, "not an https URL: ", directory, (char *)0);
	if (cached) {
		acme.dir = *cached;
		return 0;
	}
	talk_enter();
	return talk_leave(directory_refresh());
}

void
acme_close(void)
{
	talk_close();
}

const struct acme_problem *
acme_why(void)
{
	return talk_why();
}

const struct acme_directory *
acme_directory(int *fetched)
{
	if (fetched)
		*fetched = acme.dir_fetched;
	return &acme.dir;
}

/* A signed request to an endpoint; a cached directory that proves stale is fetched anew. */
static int
post_endpoint(enum acme_kind kind, enum acme_endpoint ep, char *url)
{
	int again;

	for (again = 0;; again++) {
		if (!acme.dir.url[ep][0])
			return talk_problem(ST_REFUSED, "this CA offers no ",
			    acme_endpoint_name[ep], (char *)0);
		slice_copy(slice(acme.dir.url[ep]), url, LIMIT_URL);
		if (talk_post((int)kind, url) == 0)
			return 0;
		if (talk_why()->http != 404 || talk_why()->type[0] || acme.dir_fetched || again)
			return -1;
		if (directory_refresh() < 0)
			return -1;
	}
}

/* --- accounts (7.1.2, 7.3) --- */

static int
location(const char *base, char *out, const char *what)
{
	struct slice s = http_header(talk_reply(), "Location", 0);
	struct http_url u;

	if (!s.p || http_resolve(base, s, out, LIMIT_URL) < 0 ||
	    http_url(&u, slice(out)) < 0 || !u.tls)
		return talk_problem(ST_PROTO, what, ": the reply has no Location", (char *)0);
	return 0;
}

static int
read_account(struct acme_account *out, const char *base)
{
	struct json_doc doc;
	struct json v;

	if (reply_object(&doc, &v, "account") < 0)
		return -1;
	json_string(json_get(v, "status"), out->status, sizeof(out->status));
	join(json_get(v, "contact"), out->contact, sizeof(out->contact));
	if (doc.err)
		return bad_member(&doc, "account");
	return member_url(json_get(v, "orders"), base, out->orders, sizeof(out->orders));
}

static int
new_account(struct acme_account *out)
{
	char url[LIMIT_URL];

	memset(out, 0, sizeof(*out));
	if (post_endpoint(ACME_NEW_ACCOUNT, EP_NEW_ACCOUNT, url) < 0)
		return -1;
	out->created = talk_reply()->status == 201;
	if (location(url, out->url, "new account") < 0)
		return -1;
	return read_account(out, url);
}

int
acme_new_account(struct acme_account *out)
{
	talk_enter();
	return talk_leave(new_account(out));
}

int
acme_account_post(enum acme_kind kind, const char *url, struct acme_account *out)
{
	int r;

	memset(out, 0, sizeof(*out));
	slice_copy(slice(url), out->url, sizeof(out->url));
	talk_enter();
	r = talk_post((int)kind, url);
	if (r == 0)
		r = read_account(out, url);
	return talk_leave(r);
}

int
acme_post(enum acme_kind kind, const char *url)
{
	talk_enter();
	return talk_leave(talk_post((int)kind, url));
}

int
acme_revoke(void)
{
	char url[LIMIT_URL];

	talk_enter();
	return talk_leave(post_endpoint(ACME_REVOKE, EP_REVOKE, url));
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
	return talk_problem(ST_PROTO, "order: its texts are larger than the limit of 128 KiB",
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
	talk_problem_text(&b, v);
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
			return talk_problem(ST_PROTO, "order: more than 100 identifiers", (char *)0);
		if (read_identifier(v, value, sizeof(value), &ip) < 0)
			return talk_problem(ST_PROTO, "order: an identifier without a proper value", (char *)0);
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
			return talk_problem(ST_PROTO, "order: more than 100 authorizations", (char *)0);
		if (member_url(v, base, url, sizeof(url)) < 0)
			return -1;
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
	if (member_url(json_get(v, "finalize"), o->url, o->finalize, LIMIT_URL) < 0 ||
	    member_url(json_get(v, "certificate"), o->url, o->certificate, LIMIT_URL) < 0)
		return -1;
	if (first && (read_identifiers(o, json_get(v, "identifiers"), &full) < 0 ||
	    read_authorization_urls(o, json_get(v, "authorizations"), o->url, &full) < 0))
		return -1;
	if (!o->error)
		o->error = keep_error(o, json_get(v, "error"), &full);
	if (full)
		return arena_full();
	if (doc.err)
		return bad_member(&doc, "order");
	if (o->status == ACME_UNKNOWN)
		return talk_problem(ST_PROTO, "order: no known status", (char *)0);
	return 0;
}

static int
new_order(struct acme_order *o)
{
	char url[LIMIT_URL];

	memset(o, 0, offsetof(struct acme_order, arena));
	if (post_endpoint(ACME_NEW_ORDER, EP_NEW_ORDER, url) < 0 ||
	    location(url, o->url, "new order") < 0)
		return -1;
	return read_order(o);
}

int
acme_new_order(struct acme_order *o)
{
	talk_enter();
	return talk_leave(new_order(o));
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
	size_t n = strlen(t);

	if (n == 0 || n > LIMIT_TOKEN)
		return 0;
	while (n--)
		if (!talk_base64url(t[n]))
			return 0;
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
	if (tok.type == JSON_NONE && type != ACME_DNS_PERSIST_01)
		return 0;
	if (tok.type != JSON_NONE) {
		json_string(tok, token, sizeof(token));
		if (!proper_token(token))
			return talk_problem(ST_PROTO, "authorization: a token with characters"
			    " other than A-Z a-z 0-9 - _, or too long", (char *)0);
		c->token = keep(o, token, full);
	}
	if (member_url(json_get(v, "url"), base, url, sizeof(url)) < 0)
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
		return talk_problem(ST_PROTO, "authorization: no proper identifier", (char *)0);
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
		return bad_member(&doc, "authorization");
	return z->status == ACME_UNKNOWN ?
	    talk_problem(ST_PROTO, "authorization: no known status", (char *)0) : 0;
}

static int
authorizations(struct acme_order *o)
{
	unsigned i;

	for (i = 0; i < o->count; i++)
		if (talk_post(ACME_GET, acme_string(o, o->authz[i].url)) < 0 ||
		    read_authorization(o, &o->authz[i]) < 0)
			return -1;
	return 0;
}

int
acme_authorizations(struct acme_order *o)
{
	talk_enter();
	return talk_leave(authorizations(o));
}

static struct acme_challenge *
chosen(struct acme_authz *z)
{
	return z->chosen >= 0 && (unsigned)z->chosen < z->count ?
	    &z->challenge[z->chosen] : 0;
}

/*
 * Answers one challenge.  Refusals that say that it runs or is decided already
 * (400 malformed, 409 conflict after an answer that got lost) are for the
 * polling to find out.
 */
static int
answer(struct acme_order *o, struct acme_authz *z)
{
	struct acme_challenge *c = chosen(z);

	if (!c || z->status != ACME_PENDING)
		return 0;
	if (talk_post(ACME_ANSWER, acme_string(o, c->url)) == 0)
		return 0;
	return talk_why()->http == 409 || (talk_why()->http == 400 &&
	    strcmp(talk_why()->type, "malformed") == 0) ? 0 : -1;
}

int
acme_answer(struct acme_order *o)
{
	unsigned i;
	int r = 0;

	talk_enter();
	for (i = 0; i < o->count && r == 0; i++)
		r = answer(o, &o->authz[i]);
	return talk_leave(r);
}

/* --- waiting --- */

static int
refused(struct acme_order *o, const struct acme_authz *z)
{
	const char *error = acme_string(o, z->error);

	return talk_problem(ST_REFUSED, "validation of ", z->wildcard ? "*." : "",
	    acme_string(o, z->ident), " failed: ", error[0] ? error :
	    acme_status_name[z->status], (char *)0);
}

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
	if (z->status > ACME_VALID || (c && c->status == ACME_INVALID))
		r = refused(o, &now);
	o->used = used;
	return r == 0 && again && z->status == ACME_PENDING ? answer(o, z) : r;
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
	return talk_problem(ST_REFUSED, "the order became invalid: ",
	    o->error ? acme_string(o, o->error) : "the CA gives no reason", (char *)0);
}

/* How long to wait before poll number n, in ms. */
static int64_t
poll_delay(unsigned n)
{
	int64_t after = talk_retry_after();

	if (after > WAIT_LIMIT)
		return WAIT_LIMIT * 1000;
	if (after > 0)
		return after * 1000;
	return n < 7 ? (int64_t)POLL_FIRST << n : POLL_LIMIT;
}

/* Polls while the order's status is one of those in the set (bits). */
static int
wait_while(struct acme_order *o, unsigned set, const char *what)
{
	int64_t start = now_ms();
	unsigned n, next = 0, i;

	for (n = 0; set & 1u << o->status; n++) {
		if (n == LIMIT_POLLS || now_ms() >= talk_deadline())
			return talk_problem(ST_LATER, what, ": the order is still ",
			    acme_status_name[o->status],
			    "; the next run goes on with it", (char *)0);
		if (n > 0 || o->status == ACME_PROCESSING) {
			talk_tick(what, (unsigned)((now_ms() - start) / 1000));
			if (talk_nap(poll_delay(n)) < 0)
				return -1;
		}
		if (n >= POLL_STUCK && o->status == ACME_PENDING)
			for (i = 0; i < o->count; i++) {
				struct acme_authz *z = &o->authz[next++ % o->count];

				if (z->chosen < 0 || z->status != ACME_PENDING)
					continue;
				if (look_at(o, z) < 0)
					return -1;
				break;
			}
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
	int64_t start = now_ms();
	unsigned n;
	int r = 0;

	talk_enter();
	for (n = 0; r == 0 && z->status == ACME_PENDING; n++) {
		if (n)
			r = talk_nap(poll_delay(n));
		talk_tick("validation", (unsigned)((now_ms() - start) / 1000));
		if (r == 0)
			r = look_at(o, z);
	}
	return talk_leave(r);
}

static int
finalize(struct acme_order *o)
{
	int try;

	for (try = 0; try < 2 && o->status == ACME_READY; try++) {
		if (talk_post(ACME_FINALIZE, o->finalize) == 0) {
			if (read_order(o) < 0)
				return -1;
			break;
		}
		/* it may have been done although no answer came: see the order first */
		if (talk_why()->status != ST_NET && talk_why()->http / 100 != 5 &&
		    strcmp(talk_why()->type, "orderNotReady") != 0)
			return -1;
		if (stop_signal() || poll_order(o) < 0)
			return -1;
	}
	if (wait_while(o, 1u << ACME_PROCESSING | 1u << ACME_READY | 1u << ACME_PENDING,
	    "issuance") < 0)
		return -1;
	if (!o->certificate[0])
		return talk_problem(ST_PROTO, "order: valid, but without a certificate URL", (char *)0);
	return 0;
}

int
acme_finalize(struct acme_order *o)
{
	talk_enter();
	return talk_leave(finalize(o));
}

/* --- certificates (7.4.2) --- */

static int
is_pem_chain(void)
{
	struct slice type = http_header(talk_reply(), "Content-Type", 0);
	const char *want = "application/pem-certificate-chain";

	if (type.n < strlen(want))
		return 0;
	type.n = strlen(want);
	return slice_is_nocase(type, want);
}

static int
certificate(struct acme_order *o, unsigned alternate, struct buf *pem)
{
	const char *url = alternate ? acme.alternate[alternate - 1] : o->certificate;
	struct slice link;

	if (alternate > acme.alternates)
		return 1;
	if (talk_post(ACME_GET, url) < 0)
		return -1;
	if (!is_pem_chain())
		return talk_problem(ST_PROTO, "certificate ", url,
		    ": the reply is no PEM certificate chain", (char *)0);
	if (!alternate)
		for (acme.alternates = 0; acme.alternates < ALTERNATES; acme.alternates++) {
			link = http_link(talk_reply(), "alternate", acme.alternates);
			if (!link.p || http_resolve(url, link,
			    acme.alternate[acme.alternates], LIMIT_URL) < 0)
				break;
		}
	buf_mem(pem, talk_reply()->body.p, talk_reply()->body.len);
	if (pem->err)
		return talk_problem(ST_PROTO, "certificate ", url,
		    ": the chain is larger than the limit of 64 KiB", (char *)0);
	return 0;
}

int
acme_certificate(struct acme_order *o, unsigned alternate, struct buf *pem)
{
	talk_enter();
	return talk_leave(certificate(o, alternate, pem));
}

/* --- renewal information (RFC 9773) --- */

static int
renewal_info(const char *id, struct acme_renewal *out)
{
	char url[LIMIT_URL], start[64], end[64];
	struct buf b = BUF(url), why = BUF(out->explanation);
	struct json_doc doc;
	struct json v, window;
	int redirect;

	memset(out, 0, sizeof(*out));
	if (!acme.dir.url[EP_RENEWAL_INFO][0])
		return talk_problem(ST_REFUSED, "this CA offers no ",
		    acme_endpoint_name[EP_RENEWAL_INFO], (char *)0);
	buf_all(&b, acme.dir.url[EP_RENEWAL_INFO], "/", id, (char *)0);
	buf_text(&b);
	if (b.err)
		return talk_problem(ST_PROTO, "renewal information: the URL is too long", (char *)0);
	if (talk_get(url, "renewal information", &redirect) < 0 || redirect ||
	    reply_object(&doc, &v, "renewal information") < 0)
		return -1;
	out->retry_after = talk_retry_after();
	window = json_get(v, "suggestedWindow");
	json_string(json_get(window, "start"), start, sizeof(start));
	json_string(json_get(window, "end"), end, sizeof(end));
	/* shown only: an odd one is no reason to do without the window */
	json_text(json_get(v, "explanationURL"), &why);
	buf_text(&why);
	if (doc.err)
		return bad_member(&doc, "renewal information");
	if (time_rfc3339(slice(start), &out->start) < 0 ||
	    time_rfc3339(slice(end), &out->end) < 0 || out->end <= out->start)
		return talk_problem(ST_PROTO, "renewal information: no proper window", (char *)0);
	return 0;
}

int
acme_renewal_info(const char *id, struct acme_renewal *out)
{
	talk_enter();
	return talk_leave(renewal_info(id, out));
}
