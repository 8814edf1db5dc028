/* talk.c and pool.c against a scripted server: batches, what is sent in one flight, and what is lost. */
#include <stdlib.h>

#include "../tap.h"
#include "../../talk.c"
#include "../script.h"

enum { MOST = 100 };
static int results[MOST];	/* 1 + what take() was told, 0 it was not called */
static unsigned takes, stop_at;

static const char *
url(void *ctx, unsigned i)
{
	static char mem[64];

	snprintf(mem, sizeof(mem), "https://ca/%s%u", (const char *)ctx, i);
	return i == 99 ? 0 : mem;
}

static int
take_result(void *ctx, unsigned i, int result)
{
	(void)ctx;
	results[i] = result < 0 ? 2 : 1;
	return ++takes == stop_at ? problem_set(ST_PROTO, "stopped", (char *)0) : result;
}

/* A batch of n requests of that kind against the replies; heard tells what was sent. */
static int
batch(int kind, unsigned n, const char *const *replies)
{
	static char name[] = "z";
	struct talk_batch b = { kind, "asking", n, url, take_result, name };
	int r;

	scripted(replies);
	memset(results, 0, sizeof(results));
	takes = 0;
	talk_enter();
	r = talk_batch(&b);
	talk_leave(0);
	return r;
}

/* It ends at once for a HEAD, and for a POST. */
#define OK "HTTP/1.1 200 OK\r\n" N "Content-Length: 0\r\n\r\n"
#define BARE "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
#define BAD "HTTP/1.1 400 Bad\r\n" N "Content-Length: 19\r\n\r\n{\"type\":\"badNonce\"}"
#define BUSY "HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"
#define CLOSE "HTTP/1.1 200 OK\r\n" N "Connection: close\r\nContent-Length: 0\r\n\r\n"
#define REFUSED "HTTP/1.1 403 No\r\n" N "Content-Length: 0\r\n\r\n"

/* How many of the first n are answered well. */
static unsigned
good(unsigned n)
{
	unsigned i, count = 0;

	for (i = 0; i < n; i++)
		count += results[i] == 1;
	return count;
}

static void
one_flight(void)
{
	const char *s[] = { NONCE, NONCE, NONCE, OK, OK, OK, 0 };
	const char *g[] = { BARE, BARE, BARE, 0 };

	ok(batch(ACME_GET, 3, s) == 0 && good(3) == 3, "three signed requests");
	is_str(heard, "HEAD /newNonce HTTP/1.1\nHEAD /newNonce HTTP/1.1\nHEAD /newNonce HTTP/1.1\n"
	    "POST /z0 HTTP/1.1\nPOST /z1 HTTP/1.1\nPOST /z2 HTTP/1.1\n", "three nonces for them");
	ok(connects == 1, "one connection");
	ok(batch(TALK_GET, 3, g) == 0 && good(3) == 3, "three GETs");
	is_str(heard, "GET /z0 HTTP/1.1\nGET /z1 HTTP/1.1\nGET /z2 HTTP/1.1\n", "need no nonces");
}

static void
nonces_ahead(void)
{
	const char *s[] = { NONCE, OK, "HTTP/1.1 201 Made\r\n" N "Content-Length: 0\r\n\r\n", NONCE, NONCE, OK, 0 };

	scripted(s);
	talk_enter();
	ok(talk_post(ACME_NEW_ACCOUNT, "https://ca/a") == 0, "a request alone");
	talk_ahead(2);
	ok(talk_post(ACME_NEW_ORDER, "https://ca/o") == 0, "one with nonces for what follows");
	is_str(heard, "HEAD /newNonce HTTP/1.1\nPOST /a HTTP/1.1\nPOST /o HTTP/1.1\n"
	    "HEAD /newNonce HTTP/1.1\nHEAD /newNonce HTTP/1.1\n", "which go with it");
	ok(talk_reply()->status == 201, "its reply is the last one");
	ok(talk_post(ACME_GET, "https://ca/o") == 0 && nonce_count() == 3, "they are taken then, and not asked for again");
	talk_leave(0);
}

static void
many(void)
{
	const char *s[2 * MOST + 60];
	unsigned i, heads = 0;
	const char *p;

	/* one that fits either */
	for (i = 0; i < sizeof(s) / sizeof(*s) - 1; i++)
		s[i] = OK;
	s[i] = 0;
	ok(batch(ACME_GET, MOST, s) == 0 && good(99) == 99, "99 requests");
	ok(takes == 99 && results[99] == 0, "one that has no URL is none");
	for (p = heard; (p = strstr(p, "HEAD")) != 0; p++)
		heads++;
	ok(heads > BURST && heads <= NONCES, "there are more nonces than in the beginning");
	ok(!talk_single(), "nothing was too much");
}

/* EOF within a pipeline: what was not answered is sent again, and one at a time from then on. */
static void
lost_in_a_pipeline(void)
{
	const char *s[] = { NONCE, NONCE, NONCE, OK, "!", OK, OK, OK, 0 };
	const char *half = "HTTP/1.1 200 OK\r\n" N "Content-Length: 5\r\n\r\nab";
	const char *t[] = { NONCE, NONCE, NONCE, OK, half, "!", OK, OK, OK, 0 };
	const char *u[] = { NONCE, NONCE, NONCE, "HTTP/2 what\r\n\r\n", OK, 0 };

	ok(batch(ACME_GET, 3, s) == 0 && good(3) == 3, "EOF after the first reply of three");
	ok(connects == 2 && talk_single(), "a second connection, one request at a time");
	is_str(strstr(heard, "POST"), "POST /z0 HTTP/1.1\nPOST /z1 HTTP/1.1\nPOST /z2 HTTP/1.1\n"
	    "POST /z1 HTTP/1.1\nPOST /z2 HTTP/1.1\n", "what was not answered is sent again");
	ok(batch(ACME_GET, 3, t) == 0 && good(3) == 3 && talk_single(), "EOF within a reply");
	ok(batch(ACME_GET, 3, u) == -1 && problem_last()->status == ST_PROTO, "no HTTP is a fault, not a loss");
}

static void
closed_in_order(void)
{
	const char *s[] = { NONCE, NONCE, NONCE, CLOSE, NONCE, OK, OK, OK, 0 };
	const char *t[4 * MOST];
	unsigned i;

	ok(batch(ACME_GET, 3, s) == 0 && good(3) == 3, "a reply that closes, two requests behind it");
	ok(talk_single(), "a server that keeps no connection gets one request at a time");
	for (i = 0; i < sizeof(t) / sizeof(*t) - 1; i++)
		t[i] = i == 2 * KEPT ? CLOSE : OK;
	t[i] = 0;
	ok(batch(ACME_GET, 90, t) == 0 && good(90) == 90, "a connection that is closed after fifty replies");
	ok(connects == 2 && !talk_single(), "is nothing special");
}

static void
pushed_back(void)
{
	const char *s[] = { NONCE, NONCE, NONCE, OK, BUSY, OK, OK, 0 };
	const char *t[] = { NONCE, NONCE, BUSY, OK, OK, OK, 0 };
	const char *u[] = { NONCE, BUSY, NONCE, OK, 0 };

	ok(batch(ACME_GET, 3, s) == 0 && good(3) == 3 && talk_single(), "503 within a flight");
	ok(strstr(heard, "POST /z1 HTTP/1.1\nPOST /z2 HTTP/1.1\nPOST /z1 HTTP/1.1\n") != 0, "that one is sent again");
	ok(batch(ACME_GET, 3, t) == 0 && good(3) == 3 && !talk_single() && talk.satisfied,
	    "503 to a HEAD of several: no more of them");
	scripted(u);
	talk_enter();
	ok(talk_post(ACME_ANSWER, "https://ca/c") == 0 && !talk_single(), "503 to a request alone says nothing of batches");
	talk_leave(0);
}

static void
nonces_refused(void)
{
	const char *s[] = { NONCE, NONCE, NONCE, BAD, OK, BAD, OK, OK, 0 };

	ok(batch(ACME_GET, 3, s) == 0 && good(3) == 3 && !talk_single(), "badNonce within a flight");
	ok(connects == 1, "on the same connection");
}

static void
failures_stop(void)
{
	const char *s[] = { NONCE, NONCE, NONCE, OK, REFUSED, OK, OK, 0 };
	const char *t[] = { NONCE, NONCE, NONCE, REFUSED, REFUSED, OK, OK, 0 };

	ok(batch(ACME_GET, 3, s) == -1 && problem_last()->http == 403, "a refusal that stands is the batch's");
	ok(good(3) == 2 && results[1] == 2, "what was under way is taken all the same");
	stop_at = 1;
	ok(batch(ACME_GET, 3, t) == -1 && strcmp(problem_last()->text, "stopped") == 0, "the first problem is told");
	stop_at = 0;
}

static void
single_is_single(void)
{
	const char *s[] = { NONCE, OK, OK, OK, 0 };
	struct acme_config c = config;
	static char name[] = "z";
	struct talk_batch b = { ACME_GET, 0, 3, url, take_result, name };

	scripted(s);
	c.single = 1;
	talk_open(&c);
	talk_enter();
	ok(talk_batch(&b) == 0, "with a CA that is known to bear one request only");
	talk_leave(0);
	is_str(heard, "HEAD /newNonce HTTP/1.1\nPOST /z0 HTTP/1.1\nPOST /z1 HTTP/1.1\nPOST /z2 HTTP/1.1\n", "one nonce does");
}

static void
allowances(void)
{
	struct allowance a = { 1000, 3, 0, 0 }, none = { 0, 0, 0, 0 };
	unsigned i, n = 0;

	for (i = 0; i < 3; i++)
		n += allow(&a) == 0;
	ok(n == 3, "so many at once");
	ok(allow(&none) == 0 && allow(&none) == 0, "no limit is none");
	a.rate = 1;
	a.used = 3000;
	ok(allow(&a) > 900, "then it takes time");
}

/* What must not be sent twice is not, and what may is, once. */
static void
resends(void)
{
	static const struct {
		const char *name;
		int kind, times;
	} table[] = {
		{ "finalize", ACME_FINALIZE, 1 },
		{ "key change", ACME_KEY_CHANGE, 1 },
		{ "newOrder", ACME_NEW_ORDER, 2 },
		{ "POST-as-GET", ACME_GET, 4 },
		{ "an answer", ACME_ANSWER, 4 },
	};
	const char *s[] = { NONCE, "!", NONCE, "!", NONCE, "!", NONCE, "!", NONCE, "!", 0 };
	const char *p;
	size_t i;
	int n;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		scripted(s);
		talk_enter();
		ok(talk_post(table[i].kind, "https://ca/x") == -1 && problem_last()->status == ST_NET, table[i].name);
		talk_leave(0);
		for (n = 0, p = heard; (p = strstr(p, "POST")) != 0; p++)
			n++;
		ok(n == table[i].times, "as often as it may be");
	}
}

int
main(void)
{
	one_flight();
	nonces_ahead();
	many();
	lost_in_a_pipeline();
	closed_in_order();
	pushed_back();
	nonces_refused();
	failures_stop();
	single_is_single();
	allowances();
	resends();
	return tap_done();
}
