/*
 * talk.c - requests and replies (RFC 8555 6), the talker's half.  All requests
 * are made as batches, of one mostly.  Before each wait for a reply everything is
 * sent that can be: that is bounded by the nonces at hand, of which more are asked
 * for on the way, until the CA gives no more.  Where it, or what stands before it, does
 * not bear so many requests, it goes on with one at a time.
 *
 * Invariants: nothing is sent but to https URLs; every signed body comes from the
 * sign callback; when a batch is done, nothing of it is under way but HEADs for nonces,
 * whose replies are taken before anything of the next; a request is sent again only
 * where kinds[] says that it may be.
 */
#include <stdarg.h>
#include <string.h>

#include "acme.h"
#include "http.h"
#include "nonce.h"
#include "pool.h"
#include "problem.h"
#include "talk.h"
#include "util.h"

enum {
	NONCE_TRIES = 10,	/* five lose one issuance in six to a CA that refuses every second nonce */
	BURST = 10,		/* at once, where there is a limit to those in a second */
	KEPT = 50,		/* replies after which a connection may well be closed in good order */
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

/* So many at once, and then so many in a second; rate 0: no limit. */
struct allowance {
	unsigned rate, burst;
	int64_t used;		/* thousandths of one */
	int64_t at;
};

static struct {
	struct acme_config config;
	const char *nonce_url;
	int clock_told;		/* that the clocks differ, once a conversation */
	int single;		/* one request at a time */
	int satisfied;		/* no nonces but those that are needed: the CA gave no more */
	unsigned heads;		/* HEADs that are under way */
	unsigned ahead;		/* nonces that are wanted beside those of the batch */
	struct slice form;	/* the body of a batch of that kind */
	struct allowance nonces, all;

	int64_t left;		/* ms of the timeout not yet used up */
	int64_t deadline;	/* of the call under way */

	struct http_response res;
	int64_t took;		/* ms from its request to it */
	char reply[LIMIT_REPLY];
	char request[LIMIT_REQUEST];
} talk;

/* The batch under way. */
enum { HEAD = -1 };		/* a tag; those of others are their numbers in the batch */
enum { FORM = -2 };		/* a kind, beside TALK_GET and enum acme_kind */
enum state { DONE, WAITING, UNDER_WAY };
static struct run {
	const struct talk_batch *b;
	struct item {
		unsigned char state, nonces, tries, lost;
	} item[TALK_BATCH];
	unsigned open;		/* items that are not done */
	unsigned flying;	/* those of them that are under way */
	unsigned head_tries;
	int64_t hold;		/* nothing is sent before that */
	int failed;
	struct acme_problem why;	/* of the first failure */
} run;

/* --- time --- */

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

void
talk_allow(unsigned seconds)
{
	talk.left = (int64_t)seconds * 1000;
}

int64_t
talk_deadline(void)
{
	return talk.deadline;
}

static int
interrupted(void)
{
	return problem_set(ST_NET, "interrupted", (char *)0);
}

int
talk_nap(int64_t ms)
{
	int64_t until = now_ms() + ms;

	if (now_ms() >= talk.deadline)
		return problem_set(ST_LATER, "no time left to wait for the CA", (char *)0);
	if (until > talk.deadline)
		until = talk.deadline;
	return wait_fd(-1, 0, until) == WAIT_SIGNAL ? interrupted() : 0;
}

/* 0 if one more is allowed now, and counted then; else ms until it is. */
static int64_t
allow(struct allowance *a)
{
	int64_t now = now_ms(), most = (int64_t)a->burst * 1000;

	if (!a->rate)
		return 0;
	a->used -= (now - a->at) * a->rate;
	if (a->used < 0)
		a->used = 0;
	a->at = now;
	if (a->used + 1000 > most)
		return (a->used + 1000 - most) / a->rate + 1;
	a->used += 1000;
	return 0;
}

/* --- what is told --- */

void
talk_tick(const char *what, unsigned seconds)
{
	if (talk.config.tick)
		talk.config.tick(talk.config.ctx, what, seconds);
}

void
talk_note(const char *text, ...)
{
	char mem[LIMIT_URL + 2 * sizeof(run.why.text)];
	struct buf b = BUF(mem);
	va_list ap;

	if (!talk.config.trace)
		return;
	va_start(ap, text);
	for (; text; text = va_arg(ap, const char *))
		buf_str(&b, text);
	va_end(ap);
	talk.config.trace(talk.config.ctx, 1, buf_text(&b));
}

static const char *
method(int tag)
{
	return tag == HEAD ? "HEAD" : run.b->kind == TALK_GET ? "GET" : "POST";
}

static const char *
url_of(int tag)
{
	return tag == HEAD ? talk.nonce_url : run.b->url(run.b->ctx, (unsigned)tag);
}

/* What a request is called in messages. */
static const char *
title(int tag)
{
	return tag == HEAD ? "new nonce" : run.b->kind < 0 ? run.b->what : kinds[run.b->kind].what;
}

static void
trace(const struct pool_event *e)
{
	char mem[64];
	struct buf b = BUF(mem);

	if (!talk.config.trace)
		return;
	buf_uint(&b, (uint64_t)talk.res.status);
	buf_char(&b, ' ');
	buf_uint(&b, (uint64_t)e->took);
	talk_note(method(e->tag), " ", url_of(e->tag), " ", buf_text(&b), " ms", (char *)0);
	if (run.b->kind != FORM && talk.res.body.len < talk.res.body.cap)
		talk.config.trace(talk.config.ctx, 2, buf_text(&talk.res.body));
}

/* A wrong clock makes renewals late and certificates look expired: that is worth a line. */
static void
compare_clocks(void)
{
	char mem[128];
	struct buf b = BUF(mem);
	int64_t ahead = problem_server_ahead(&talk.res);

	if (talk.clock_told || !talk.config.trace || (ahead < CLOCK_LIMIT && ahead > -CLOCK_LIMIT))
		return;
	talk.clock_told = 1;
	buf_str(&b, "the clock here says ");
	buf_time(&b, now_wall());
	buf_str(&b, ", the CA's ");
	buf_time(&b, now_wall() + ahead);
	talk.config.trace(talk.config.ctx, 0, buf_text(&b));
}

/* --- how it goes on --- */

/* The problem stands: nothing is sent any more.  What is under way is waited for, unless there is no time. */
static void
fail_batch(void)
{
	if (!run.failed)
		run.why = *problem_last();
	run.failed = 1;
	if (stop_signal() || now_ms() >= talk.deadline) {
		pool_close();
		run.flying = talk.heads = 0;
	}
}

static void
finish(int tag, int result)
{
	run.item[tag].state = DONE;
	run.open--;
	if (run.b->take)
		result = run.b->take(run.b->ctx, (unsigned)tag, result);
	if (result < 0)
		fail_batch();
}

/* From here on one request at a time. */
static void
back_off(const char *why)
{
	if (!talk.single)
		talk_note("one request at a time from here on: ", why, (char *)0);
	talk.single = 1;
}

/* 429 that names no moment: for ever, or until it has less of us, if several at a time were too much. */
static int
is_final(const struct acme_problem *why)
{
	return !why->retry_at && why->http < 500 && (!talk.single || strcmp(why->type, "rateLimited") == 0);
}

/* After problem_judge() said later: nothing is sent for as long as the server asks.  -1: too long, too often or not that case. */
static int
hold(unsigned *tries)
{
	const struct acme_problem *why = problem_last();
	int64_t s;

	if (why->status != ST_LATER || ++*tries > RESENDS || is_final(why))
		return -1;
	s = why->retry_at ? why->retry_at - now_wall() : (int64_t)1 << (*tries - 1);
	if (s < 0)
		s = 0;
	if (s > WAIT_LIMIT || now_ms() + s * 1000 > talk.deadline)
		return -1;
	talk_tick("the CA is busy", (unsigned)s);
	if (run.hold < now_ms() + s * 1000 + 50)
		run.hold = now_ms() + s * 1000 + 50;
	return 0;
}

/* --- sending --- */

/* The JWS of number i: 0 and *body, or -1 and the problem. */
static int
sign(int i, struct slice *body)
{
	char fresh[LIMIT_NONCE];
	struct buf b = BUF(talk.request);
	int r;

	nonce_take(fresh);
	r = talk.config.sign(talk.config.ctx, (enum acme_kind)run.b->kind, url_of(i), fresh, &b);
	*body = buf_view(&b);
	if (r == 0 && !b.err)
		return 0;
	return problem_set(ST_PROTO, title(i), " ", url_of(i), b.err ?
	    ": the request is larger than the limit of 50000 bytes" : ": not signed", (char *)0);
}

/* As pool_send(). */
static int
send_request(int tag)
{
	struct http_url u;
	struct slice body = { 0, 0 };
	const char *type = 0;
	int r;

	if (http_url(&u, slice(url_of(tag))) < 0 || !u.tls)
		return problem_set(ST_PROTO, title(tag), ": not an https URL: ", url_of(tag), (char *)0);
	if (tag != HEAD && run.b->kind == FORM) {
		type = "application/x-www-form-urlencoded";
		body = talk.form;
	} else if (tag != HEAD && run.b->kind >= 0) {
		type = "application/jose+json";
		if (sign(tag, &body) < 0)
			return -1;
	}
	r = pool_send(method(tag), &u, type, body, tag, talk.deadline);
	if (r > 0 && tag != HEAD) {
		run.item[tag].state = UNDER_WAY;
		run.flying++;
	} else if (r > 0) {
		talk.heads++;
	}
	return r;
}

/*
 * Every reply gives a nonce for the one that its request took, so the pool does
 * not grow by itself: HEADs are sent until there is one for each request, with
 * each flight no more than there are requests in it; and one in any case where
 * there is none.
 */
static int
wants_nonce(void)
{
	unsigned have = nonce_count() + pool_under_way(), want = run.open + talk.ahead;

	if (run.b->kind < 0 || !run.open)
		return 0;
	if (!have)
		return 1;
	return !talk.single && !talk.satisfied && have < want && have < NONCES &&
	    (talk.heads < BURST || talk.heads < run.flying) && allow(&talk.nonces) == 0;
}

/* What can be sent now: 1 and its tag. */
static int
next(int *tag)
{
	unsigned i;
	int64_t wait;

	if (run.failed || now_ms() < run.hold || (talk.single && pool_under_way()))
		return 0;
	for (i = 0; i < run.b->count && run.item[i].state != WAITING; i++)
		;
	if (i < run.b->count && (run.b->kind < 0 || nonce_count()))
		*tag = (int)i;
	else if (wants_nonce())
		*tag = HEAD;
	else
		return 0;
	wait = allow(&talk.all);
	if (wait)
		run.hold = now_ms() + wait;
	return !wait;
}

/* Sends all that can be sent now. */
static void
fill(void)
{
	int tag, r = 1;

	pool_expect(talk.single || run.failed ? 0 : run.open);
	while (r > 0 && pool_under_way() < POOL_REQUESTS && next(&tag)) {
		r = send_request(tag);
		if (r < 0)
			fail_batch();
	}
}

/* --- replies --- */

/* A CA, or what stands before it, that has too much of us. */
static void
beware(void)
{
	if ((talk.res.status == 429 || talk.res.status == 503) && (run.b->count > 1 || pool_under_way()))
		back_off("the CA says that these were too many");
}

/* A CA that refuses nonces gets no more HEADs than are needed. */
static void
note_nonces(void)
{
	talk.satisfied = talk.satisfied || talk.res.status / 100 != 2;
}

/* A HEAD is done.  What went wrong with it matters only where there is no other nonce. */
static void
nonce_answered(void)
{
	note_nonces();
	if (talk.res.status / 100 == 2)
		run.head_tries = 0;
	if (nonce_count() || pool_under_way() || run.failed)
		return;
	if (talk.res.status / 100 == 2)
		problem_set(ST_PROTO, "new nonce ", talk.nonce_url, ": the reply carries no Replay-Nonce", (char *)0);
	else if (problem_judge(&talk.res, title(HEAD), talk.nonce_url) < 0 && hold(&run.head_tries) == 0)
		return;
	fail_batch();
}

/* 503 is a refusal; behind other errors of a server or proxy, the request may have been executed. */
static int
maybe_executed(void)
{
	return talk.res.status >= 500 && talk.res.status != 503;
}

static void
item_answered(int i)
{
	struct item *item = &run.item[i];
	unsigned tries = item->tries;
	int kind = run.b->kind;

	if (kind == FORM || problem_judge(&talk.res, title(i), url_of(i)) == 0 ||
	    (kind == TALK_GET && talk.res.status / 100 == 3)) {
		finish(i, 0);
		return;
	}
	item->state = WAITING;
	if (kind >= 0 && problem_bad_nonce() && ++item->nonces <= NONCE_TRIES)
		return;
	if (strcmp(problem_last()->type, "rateLimited") != 0)
		beware();
	if ((kind >= 0 && kinds[kind].resend != RESEND_ALWAYS && maybe_executed()) || hold(&tries) < 0)
		finish(i, -1);
	item->tries = (unsigned char)tries;
}

static void
replied(const struct pool_event *e)
{
	trace(e);
	compare_clocks();
	if (nonce_harvest(&talk.res) < 0) {
		if (e->tag == HEAD)
			fail_batch();
		else
			finish(e->tag, -1);
	} else if (e->tag == HEAD) {
		nonce_answered();
	} else {
		item_answered(e->tag);
	}
}

/* --- lost requests --- */

/* Whether a request that was lost may be sent once more. */
static int
may_resend(const struct pool_event *e)
{
	int kind = run.b->kind;
	int unanswered = e->error == HTTP_CLOSED;
	unsigned lost;

	/* of those that are lost with one connection, one counts */
	if (e->tag == HEAD)
		return unanswered && (e->behind || ++run.head_tries <= RESENDS);
	lost = ++run.item[e->tag].lost;
	if (lost > RESENDS || kind == FORM)
		return 0;
	if (kind == TALK_GET)
		return 1;
	return kinds[kind].resend == RESEND_ALWAYS || (kinds[kind].resend == RESEND_UNANSWERED &&
	    unanswered && lost <= RESENDS_UNANSWERED);
}

/* A server that closes a connection with several requests under way, and that not after many. */
static void
distrust(const struct pool_event *e)
{
	if (e->dropped ? e->answered < KEPT : e->behind && now_ms() < talk.deadline)
		back_off("the server closed the connection before it had answered all");
}

/* The connection failed before the reply to a request came, or within it. */
static void
lost(const struct pool_event *e)
{
	int bad = e->error == HTTP_BAD || e->error == HTTP_LIMIT, again;

	if (e->tag != HEAD)
		run.item[e->tag].state = WAITING;
	distrust(e);
	if (e->dropped)
		return;
	if (e->signal && stop_signal())
		interrupted();
	else
		problem_set(bad ? ST_PROTO : ST_NET, title(e->tag), " ", url_of(e->tag), ": ", e->why, (char *)0);
	again = !bad && !stop_signal() && now_ms() < talk.deadline && may_resend(e);
	if (e->tag != HEAD && !again)
		finish(e->tag, -1);
	else if (e->tag == HEAD && !again && !nonce_count() && !pool_under_way())
		fail_batch();
}

/* --- batches --- */

static void
begin(const struct talk_batch *b)
{
	unsigned i;

	memset(&run, 0, offsetof(struct run, why));
	run.b = b;
	for (i = 0; i < b->count; i++) {
		run.item[i].state = b->url(b->ctx, i) ? WAITING : DONE;
		run.open += run.item[i].state == WAITING;
	}
}

/* What becomes of a request that is under way. */
static void
receive(struct pool_event *e)
{
	buf_init(&talk.res.body, talk.reply, sizeof(talk.reply));
	pool_next(&talk.res, e, talk.deadline);
	talk.took = e->took;
	if (e->tag == HEAD)
		talk.heads--;
	else
		run.flying--;
}

/* Takes nonces that the batch before asked for; the connection may have ended since. */
static void
settle(void)
{
	struct pool_event e;

	while (pool_under_way()) {
		receive(&e);
		if (e.error == HTTP_OK) {
			trace(&e);
			note_nonces();
			nonce_harvest(&talk.res);
		} else {
			distrust(&e);
		}
	}
}

/* One event: a reply, a loss, or that the time to hold is over. */
static void
step(void)
{
	struct pool_event e;

	if (!pool_ready())
		fill();
	if (pool_under_way()) {
		receive(&e);
		if (e.error == HTTP_OK)
			replied(&e);
		else
			lost(&e);
	} else if (!run.failed && run.hold > now_ms() && talk_nap(run.hold - now_ms()) < 0) {
		fail_batch();
	}
}

int
talk_batch(const struct talk_batch *b)
{
	begin(b);
	settle();
	while ((run.open && !run.failed) || run.flying)
		step();
	talk.ahead = 0;
	if (!run.failed)
		return 0;
	*problem_last() = run.why;
	return -1;
}

static const char *
only_url(void *ctx, unsigned i)
{
	(void)i;
	return ctx;
}

/* A batch of one; the text of url may be any. */
static int
one(int kind, const char *url, const char *why)
{
	static char copy[LIMIT_URL];
	struct talk_batch b = { kind, why, 1, only_url, 0, copy };

	if (slice_copy(slice(url), copy, sizeof(copy)) < 0)
		return problem_set(ST_PROTO, "a URL that is too long", (char *)0);
	return talk_batch(&b);
}

int
talk_post(int kind, const char *url)
{
	return one(kind, url, 0);
}

int
talk_get(const char *url, const char *why, int *redirect)
{
	int r = one(TALK_GET, url, why);

	*redirect = r == 0 && talk.res.status / 100 == 3;
	return r;
}

int
talk_form(const char *url, struct slice form, const char *why)
{
	talk.form = form;
	return one(FORM, url, why);
}

void
talk_ahead(unsigned requests)
{
	talk.ahead = requests;
}

/* --- the interface --- */

void
talk_open(const struct acme_config *config)
{
	talk_close();
	talk.config = *config;
	talk.clock_told = 0;
	talk.single = config->single;
	talk.ahead = 0;
	talk.satisfied = 0;
	talk.heads = 0;
	talk.nonces = (struct allowance){ config->nonce_rate, BURST, 0, 0 };
	talk.all = (struct allowance){ config->rate, BURST, 0, 0 };
	talk_allow(config->timeout);
	nonce_clear();
	pool_open(config->tls, config->agent);
}

void
talk_close(void)
{
	pool_close();
}

void
talk_nonce_url(const char *url)
{
	talk.nonce_url = url;
}

int
talk_single(void)
{
	return talk.single;
}

const struct http_response *
talk_reply(void)
{
	return &talk.res;
}

int64_t
talk_took(void)
{
	return talk.took;
}

int64_t
talk_retry_after(void)
{
	return problem_retry_after(&talk.res);
}
