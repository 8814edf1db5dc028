/*
 * talker.c - the keeper's end of the calls.  The talker may have been taken over by the server, so the keeper takes
 * nothing from it as it is: texts are ended and made printable, URLs are https,
 * numbers are within their ranges; of an order whose authorizations it has seen
 * only statuses and errors may change.  And it signs only what belongs to the
 * call under way: each has its kinds of requests, their URLs as far as the
 * keeper knows them, and a number of signatures that is enough for an honest one.
 */
#include <errno.h>
#include <string.h>

#include "acme.h"
#include "base64.h"
#include "call.h"
#include "jws.h"
#include "persist.h"
#include "split.h"
#include "talker.h"
#include "tls.h"
#include "util.h"

enum {
	LATE = 10 * 1000,	/* ms that an answer may come after the allowance */
	GOODBYE = 300,		/* ms for the end of TLS */
	REMARKS = 100,		/* lines that are shown without -v in one conversation */
	SIGNATURES = 24	/* for each request that is not a GET: nonces are refused ten times, three sent again */
};

/* What each may have signed, beside the kind that it names itself, and what of an order comes back. */
static const struct {
	unsigned kinds;		/* bits */
	int own_kind;
	enum part order;
} calls[CALLS] = {
	[CALL_NEW_ACCOUNT] = { 1u << ACME_NEW_ACCOUNT, 0, NOTHING },
	[CALL_ACCOUNT_POST] = { 0, 1, NOTHING },
	[CALL_POST] = { 0, 1, NOTHING },
	[CALL_REVOKE] = { 1u << ACME_REVOKE, 0, NOTHING },
	[CALL_NEW_ORDER] = { 1u << ACME_NEW_ORDER, 0, ALL },
	[CALL_ORDER] = { 1u << ACME_GET, 0, ALL },
	[CALL_AUTHORIZATIONS] = { 1u << ACME_GET, 0, ALL },
	[CALL_ANSWER] = { 1u << ACME_ANSWER, 0, CHANGES },
	[CALL_WAIT] = { 1u << ACME_GET | 1u << ACME_ANSWER, 0, CHANGES },
	[CALL_WAIT_AUTHORIZATION] = { 1u << ACME_GET | 1u << ACME_ANSWER, 0, CHANGES },
	[CALL_FINALIZE] = { 1u << ACME_GET | 1u << ACME_FINALIZE, 0, CHANGES },
	[CALL_CERTIFICATE] = { 1u << ACME_GET, 0, NOTHING },
};

static char text[LIMIT_REPLY + 1] LARGE;	/* that is shown */

static struct {
	int channel;			/* while open */
	int open, fetched, single;
	struct acme_config config;
	struct acme_problem why;
	struct acme_directory directory;
	struct request request;
	struct acme_order *order;	/* of the call under way, 0 none */
	int64_t deadline;
	unsigned kinds, signatures;	/* what may be signed in it */
	unsigned remarks;		/* that were shown in this conversation */
} talker;

static void
let_go(void)
{
	if (talker.open)
		split_kill(SPLIT_TALKER, talker.channel);
	talker.open = 0;
}

/* The problem is ours, not the server's; -1. */
static int
trouble(int status, const char *what)
{
	let_go();
	memset(&talker.why, 0, sizeof(talker.why));
	talker.why.status = status;
	slice_copy(slice(what), talker.why.text, sizeof(talker.why.text));
	return -1;
}

static int
lost(void)
{
	return errno == EINTR ? trouble(ST_NET, "interrupted") :
	    errno == ETIMEDOUT ? trouble(ST_NET, "no answer in time from the process that talks to the CA") :
	    trouble(ST_NET, "the process that talks to the CA has died - run it again");
}

static int
senseless(void)
{
	return trouble(ST_PROTO, "the process that talks to the CA makes no sense");
}

static int
receive(void *p, size_t n)
{
	return split_receive(talker.channel, p, n, talker.deadline) < 0 ? lost() : 0;
}

static int
transmit(const void *p, size_t n)
{
	return split_send(talker.channel, p, n, talker.deadline) < 0 ? lost() : 0;
}

/* --- what comes up is looked at --- */

/* Ends a text of that size, and makes it printable. */
static void
tame(char *s, size_t size)
{
	s[size - 1] = 0;
	for (; *s; s++)
		if (*s < ' ' || *s > '~')
			*s = '?';
}
#define TAME(array) tame(array, sizeof(array))

/* Empty, or a URL that a request may go to. */
static int
proper_url(char url[LIMIT_URL])
{
	url[LIMIT_URL - 1] = 0;
	return !*url || (strncmp(url, "https://", 8) == 0 && jws_clean(url));
}

static int
take_problem(void)
{
	static const int known[] = { ST_REFUSED, ST_USAGE, ST_NET, ST_LATER, ST_PROTO, ST_CONFIG };
	struct acme_problem *p = &talker.why;
	size_t i;

	if (receive(p, sizeof(*p)) < 0)
		return -1;
	TAME(p->type);
	TAME(p->text);
	TAME(p->link);
	for (i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (p->status == known[i])
			return 0;
	return senseless();
}

static int
take_directory(void)
{
	struct acme_directory *d = &talker.directory;
	int i, r = receive(d, sizeof(*d));

	for (i = 0; r == 0 && i < EP_COUNT; i++)
		if (!proper_url(d->url[i]))
			r = senseless();
	if (r < 0)
		memset(d, 0, sizeof(*d));
	TAME(d->terms);
	TAME(d->profiles);
	TAME(d->caa);
	talker.fetched = r == 0;
	return r;
}

static int
take_account(struct acme_account *a)
{
	int r = receive(a, sizeof(*a));

	if (r == 0 && !(proper_url(a->url) && proper_url(a->orders)))
		r = senseless();
	if (r < 0)
		memset(a, 0, sizeof(*a));
	TAME(a->status);
	TAME(a->contact);
	return r;
}

/* A challenge whose texts are those that resource.c lets through; one of a type not wanted has none. */
static int
proper_challenge(const struct acme_order *o, const struct acme_challenge *c)
{
	const char *url = acme_string(o, c->url), *token = acme_string(o, c->token),
	    *issuers = acme_string(o, c->issuers), *account = acme_string(o, c->account);

	if ((unsigned)c->type >= ACME_TYPES || (unsigned)c->status > ACME_REVOKED)
		return 0;
	if (talker.request.number >> c->type & 1)
		return !*url;
	return strncmp(url, "https://", 8) == 0 && strlen(url) < LIMIT_URL && jws_clean(url) &&
	    (!*token || (strlen(token) <= LIMIT_TOKEN && base64url_is(slice(token)))) &&
	    (*issuers ? persist_issuers(issuers) : c->type != ACME_DNS_PERSIST_01) &&
	    (!*account || persist_account(account));
}

static int
proper_authorization(const struct acme_order *o, const struct acme_authz *z)
{
	unsigned i;

	if ((unsigned)z->status > ACME_REVOKED || z->count > ACME_CHALLENGES)
		return 0;
	for (i = 0; i < z->count; i++)
		if (!proper_challenge(o, &z->challenge[i]))
			return 0;
	return 1;
}

/* The counts of what follows: no more than there is room for. */
static int
proper_counts(const struct acme_order *head, uint32_t from)
{
	return head->idents <= LIMIT_NAMES && head->count <= LIMIT_NAMES &&
	    head->used >= from && head->used <= sizeof(head->arena);
}

static int
proper_order(struct acme_order *head, const struct acme_order *o)
{
	uint32_t i;

	if ((unsigned)head->status > ACME_REVOKED || !proper_url(head->url) ||
	    !proper_url(head->finalize) || !proper_url(head->certificate) ||
	    (head->used && (o->arena[0] || o->arena[head->used - 1])))
		return 0;
	for (i = 0; i < head->used; i++)
		if (o->arena[i] && (o->arena[i] < ' ' || o->arena[i] > '~'))
			return 0;
	return 1;
}

/* What changes in an authorization: statuses and errors.  0, or -1: they make no sense. */
static int
update(struct acme_authz *z, const struct acme_authz *from)
{
	unsigned i;

	if ((unsigned)from->status > ACME_REVOKED)
		return -1;
	z->status = from->status;
	z->error = from->error;
	for (i = 0; i < z->count; i++) {
		if ((unsigned)from->challenge[i].status > ACME_REVOKED)
			return -1;
		z->challenge[i].status = from->challenge[i].status;
		z->challenge[i].error = from->challenge[i].error;
	}
	return 0;
}

/* The authorizations, each where it belongs: what is new is looked at when its texts are there. */
static int
take_authorizations(struct acme_order *o, unsigned count, int all)
{
	static struct acme_authz one;
	struct acme_authz *z = o->authz;
	unsigned i;

	for (i = 0; i < count; i++, z++) {
		if (receive(all ? z : &one, sizeof(one)) < 0)
			return -1;
		if (!all && update(z, &one) < 0)
			return senseless();
		if (all) {
			z->chosen = -1;
			z->standing = 0;
		}
	}
	return 0;
}

static int
take_order(struct acme_order *o, int all)
{
	static struct acme_order in LARGE;	/* of it only what stands before authorizations */
	uint32_t from = all ? 0 : o->used;
	unsigned i;

	if (all)	/* nothing to be kept, also if this fails */
		o->used = o->count = o->idents = 0;
	if (receive(&in, offsetof(struct acme_order, authz)) < 0)
		return -1;
	in.url[LIMIT_URL - 1] = 0;
	if (!proper_counts(&in, from) || (!all && in.count != o->count) ||
	    (talker.request.call != CALL_NEW_ORDER && strcmp(in.url, o->url) != 0))
		return senseless();
	if (take_authorizations(o, in.count, all) < 0 || receive(o->arena + from, in.used - from) < 0)
		return -1;
	if (!proper_order(&in, o))
		return senseless();
	if (!all) {
		o->used = in.used;
		o->status = in.status;
		o->error = in.error;
		memcpy(o->certificate, in.certificate, sizeof(o->certificate));
		return 0;
	}
	o->used = in.used;	/* for acme_string() */
	for (i = 0; i < in.count; i++)
		if (!proper_authorization(o, &o->authz[i])) {
			o->used = 0;
			return senseless();
		}
	memcpy(o, &in, offsetof(struct acme_order, authz));
	return 0;
}

/* --- signatures --- */

static int
is_chosen(const struct acme_order *o, const char *url)
{
	unsigned i;

	for (i = 0; i < o->count; i++) {
		const struct acme_authz *z = &o->authz[i];

		if (z->chosen >= 0 && (unsigned)z->chosen < z->count &&
		    strcmp(acme_string(o, z->challenge[z->chosen].url), url) == 0)
			return 1;
	}
	return 0;
}

/* Whether a request of that kind belongs there, in the call under way. */
static int
expected(enum acme_kind kind, const char *url)
{
	const struct acme_directory *d = &talker.directory;

	switch (kind) {
	case ACME_GET:
		return 1;	/* it says nothing */
	case ACME_NEW_ACCOUNT:
		return strcmp(url, d->url[EP_NEW_ACCOUNT]) == 0;
	case ACME_NEW_ORDER:
		return strcmp(url, d->url[EP_NEW_ORDER]) == 0;
	case ACME_REVOKE:
		return strcmp(url, d->url[EP_REVOKE]) == 0;
	case ACME_ANSWER:
		return is_chosen(talker.order, url);
	case ACME_FINALIZE:
		return strcmp(url, talker.order->finalize) == 0;
	case ACME_UPDATE_ACCOUNT:
	case ACME_DEACTIVATE_ACCOUNT:
	case ACME_KEY_CHANGE:
	case ACME_DEACTIVATE_AUTHZ:
		return strcmp(url, talker.request.url) == 0;
	}
	return 0;
}

/* Signs, or refuses to. */
static int
give_signature(int kind)
{
	struct wish w;
	static char mem[LIMIT_REQUEST] LARGE;
	struct message m;
	struct buf body = BUF(mem);

	memset(&m, 0, sizeof(m));
	if (receive(&w, sizeof(w)) < 0)
		return -1;
	w.nonce[sizeof(w.nonce) - 1] = 0;
	m.number = -1;
	if (kind < 0 || kind > ACME_DEACTIVATE_AUTHZ || !(talker.kinds & 1u << kind) ||
	    !w.url[0] || !proper_url(w.url) || !base64url_is(slice(w.nonce)) || !expected((enum acme_kind)kind, w.url))
		note(1, "the process that talks to the CA asked for a signature that it may not have", (char *)0);
	else if (kind == ACME_GET || talker.signatures)
		m.number = talker.config.sign(talker.config.ctx, (enum acme_kind)kind, w.url, w.nonce, &body);
	if (kind != ACME_GET && talker.signatures)
		talker.signatures--;
	if (body.err)
		m.number = 1;	/* larger than the limit */
	else if (m.number == 0)
		m.length = (unsigned)body.len;
	return transmit(&m, sizeof(m)) < 0 || transmit(mem, m.length) < 0 ? -1 : 0;
}

/* --- calls --- */

/* A line to be shown, or what is being waited for. */
static int
show(const struct message *m)
{
	if (m->length >= sizeof(text))
		return senseless();
	if (receive(text, m->length) < 0)
		return -1;
	text[m->length] = 0;
	if (m->what == TICK && talker.config.tick)
		talker.config.tick(talker.config.ctx, text, (unsigned)m->number);
	/* what is shown unasked for is little; an honest one says a word of the clock */
	if (m->what == TRACE && talker.config.trace && (m->number > 0 || talker.remarks++ < REMARKS))
		talker.config.trace(talker.config.ctx, m->number > 0 ? m->number : 0, text);
	return 0;
}

/* One message before the last. */
static int
take_message(const struct message *m)
{
	switch (m->what) {
	case SIGN:
		return give_signature(m->number);
	case DIRECTORY:
		return take_directory();
	case SINGLE:
		talker.single = 1;
		return 0;
	case TRACE:
	case TICK:
		return show(m);
	case DONE:
		break;
	}
	return senseless();
}

/*
 * Goes on until the request is done: its result, and how many bytes of what it
 * gives follow in *n.
 */
static int
finish(size_t *n)
{
	struct message m;
	enum part part = talker.request.order;
	int r = 0;

	*n = 0;
	while (r == 0) {
		r = receive(&m, sizeof(m));
		if (r < 0 || m.what == DONE)
			break;
		r = take_message(&m);
	}
	if (r == 0 && (m.number > 1 || (m.number == 1 && talker.request.call != CALL_CERTIFICATE)))
		r = senseless();
	if (r == 0 && m.number < 0)
		r = take_problem();
	if (r == 0 && part)
		r = take_order(talker.order, part == ALL);
	*n = m.length;
	return r < 0 || m.number < 0 ? -1 : m.number;
}

/* A request for that call, to be filled. */
static struct request *
request(enum call call, struct acme_order *o)
{
	unsigned i;

	memset(&talker.request, 0, sizeof(talker.request));
	talker.request.call = call;
	talker.request.order = calls[call].order;
	talker.order = o;
	for (i = 0; o && i < o->count; i++)
		talker.request.chosen[i] = o->authz[i].chosen;
	return &talker.request;
}

/* Sends the request, with n bytes at p behind it. */
static int
begin(const void *p, size_t n)
{
	const struct request *r = &talker.request;

	if (!talker.open)
		return stop_signal() ? trouble(ST_NET, "interrupted") : -1;
	talker.kinds = calls[r->call].kinds | (calls[r->call].own_kind ? 1u << r->kind : 0);
	talker.signatures = SIGNATURES * (1 + (talker.order ? talker.order->count : 0)) +
	    (talker.kinds & 1u << ACME_ANSWER ? LIMIT_POLLS : 0);
	talker.deadline = now_ms() + (int64_t)talker.config.timeout * 1000 + LATE;
	program_drop();
	return transmit(r, sizeof(*r)) < 0 || transmit(p, n) < 0 ? -1 : 0;
}

/* A request that gives nothing, or an order. */
static int
call(void)
{
	size_t n;

	return begin(0, 0) < 0 ? -1 : finish(&n);
}

/* A request that gives exactly n bytes, which the caller takes: 1, or the result. */
static int
call_for(size_t n)
{
	size_t given;
	int r = begin(0, 0) < 0 ? -1 : finish(&given);

	return r ? r : given == n ? 1 : senseless();
}

/* Copies a text into a request; what is too long is no text of ours. */
static int
fill(char *out, size_t size, const char *s)
{
	return slice_copy(slice(s ? s : ""), out, size) < 0 ?
	    trouble(ST_USAGE, "a text is too long") : 0;
}

int
talker_open(const struct acme_config *config, const char *directory,
    const struct acme_directory *cached)
{
	struct opening o;
	size_t n;

	talker_close();
	talker.config = *config;
	talker.fetched = 0;
	talker.remarks = 0;
	memset(&o, 0, sizeof(o));
	if (fill(o.directory, sizeof(o.directory), directory) < 0 ||
	    fill(o.ca_file, sizeof(o.ca_file), config->tls->ca_file) < 0 ||
	    fill(o.proxy, sizeof(o.proxy), config->tls->proxy) < 0 ||
	    fill(o.agent, sizeof(o.agent), config->agent) < 0)
		return -1;
	o.family = config->tls->family;
	o.timeout = config->timeout;
	o.rate = config->rate;
	o.nonce_rate = config->nonce_rate;
	o.single = talker.single = config->single;
	o.cached = cached != 0;
	if (cached)
		talker.directory = *cached;
	talker.channel = split_child(SPLIT_TALKER);
	if (talker.channel < 0)
		return trouble(ST_NET, "cannot make the process that talks to the CA");
	talker.open = 1;
	request(CALL_OPEN, 0);
	return begin(&o, sizeof(o)) < 0 || (cached && transmit(cached, sizeof(*cached)) < 0) ?
	    -1 : finish(&n);
}

void
talker_timeout(unsigned seconds)
{
	talker.config.timeout = seconds;
	request(CALL_TIMEOUT, 0)->number = seconds;
	call();
}

void
talker_close(void)
{
	char byte;

	if (!talker.open)
		return;
	/* it says farewell to the CA, and ends */
	split_shut(talker.channel);
	split_receive(talker.channel, &byte, 1, now_ms() + GOODBYE);
	let_go();
}

const struct acme_problem *
talker_why(void)
{
	return &talker.why;
}

const struct acme_directory *
talker_directory(int *fetched)
{
	if (fetched)
		*fetched = talker.fetched;
	return &talker.directory;
}

int
talker_single(void)
{
	return talker.single;
}

int
talker_refresh(void)
{
	request(CALL_REFRESH, 0);
	return call();
}

int
talker_renewal_info(struct acme_renewal *list, unsigned count)
{
	size_t given;
	unsigned i;
	int r;

	request(CALL_RENEWAL_INFO, 0)->number = count;
	r = begin(list, count * sizeof(*list));
	if (r == 0)
		r = finish(&given);
	if (r == 0 && given != count * sizeof(*list))
		r = senseless();
	if (r == 0)
		r = receive(list, given);
	for (i = 0; i < count; i++) {
		TAME(list[i].id);
		list[i].explanation[sizeof(list[i].explanation) - 1] = 0;
	}
	return r;
}

int
talker_binding(const char *url, const char *mail, char *kid, size_t kid_size, char *key, size_t key_size)
{
	static struct binding b;
	struct request *r = request(CALL_BINDING, 0);
	int bad;

	if (fill(r->url, sizeof(r->url), url) < 0 || fill(r->text, sizeof(r->text), mail) < 0 ||
	    call_for(sizeof(b)) < 1 || receive(&b, sizeof(b)) < 0)
		return -1;
	TAME(b.kid);
	TAME(b.key);
	bad = slice_copy(slice(b.kid), kid, kid_size) < 0 || slice_copy(slice(b.key), key, key_size) < 0;
	wipe(&b, sizeof(b));
	return bad ? senseless() : 0;
}

static int
call_for_account(struct acme_account *out)
{
	return call_for(sizeof(*out)) < 1 ? -1 : take_account(out);
}

int
talker_new_account(struct acme_account *out)
{
	request(CALL_NEW_ACCOUNT, 0);
	return call_for_account(out);
}

int
talker_account_post(int kind, const char *url, struct acme_account *out)
{
	struct request *r = request(CALL_ACCOUNT_POST, 0);

	r->kind = kind;
	return fill(r->url, sizeof(r->url), url) < 0 ? -1 : call_for_account(out);
}

int
talker_post(int kind, const char *url)
{
	struct request *r = request(CALL_POST, 0);

	r->kind = kind;
	return fill(r->url, sizeof(r->url), url) < 0 ? -1 : call();
}

int
talker_revoke(void)
{
	request(CALL_REVOKE, 0);
	return call();
}

int
talker_new_order(struct acme_order *o, unsigned names)
{
	acme_order_clear(o);
	request(CALL_NEW_ORDER, o)->number = names;
	return call();
}

int
talker_order(struct acme_order *o)
{
	struct request *r = request(CALL_ORDER, o);

	return fill(r->url, sizeof(r->url), o->url) < 0 ? -1 : call();
}

int
talker_authorizations(struct acme_order *o, unsigned types)
{
	request(CALL_AUTHORIZATIONS, o)->number = ~types;
	return call();
}

int
talker_answer(struct acme_order *o)
{
	request(CALL_ANSWER, o);
	return call();
}

int
talker_wait(struct acme_order *o)
{
	request(CALL_WAIT, o);
	return call();
}

int
talker_wait_authorization(struct acme_order *o, unsigned i)
{
	request(CALL_WAIT_AUTHORIZATION, o)->number = i;
	return call();
}

int
talker_finalize(struct acme_order *o)
{
	request(CALL_FINALIZE, o);
	return call();
}

int
talker_certificate(struct acme_order *o, unsigned alternate, struct buf *pem)
{
	size_t n;
	int r;

	request(CALL_CERTIFICATE, o)->number = alternate;
	r = begin(0, 0) < 0 ? -1 : finish(&n);
	if (r)
		return r;
	if (n > pem->cap - pem->len)
		return senseless();
	if (receive(pem->p + pem->len, n) < 0)
		return -1;
	pem->len += n;
	return 0;
}
