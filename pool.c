/*
 * pool.c - connections and what is under way on them.  Invariants: replies
 * come in the order of the requests on each connection; a connection that
 * failed is closed at once, and what was under way on it is told of, request by
 * request, before anything else; an idle one is not used if the server has
 * closed it or sent something unasked.
 */
#include <string.h>

#include "acme.h"
#include "http.h"
#include "pool.h"
#include "problem.h"
#include "tls.h"
#include "util.h"

enum {
	MANY = 10,		/* requests that one connection is always enough for */
	SAMPLES = 5,		/* replies after which the server's pace is known */
	LITTLE = 50,		/* ms that are not worth a connection */
	PATIENCE = 1000		/* ms, for one */
};

struct sent {
	int tag, head;
	int64_t at;
};

static struct connection {
	struct tls *tls;		/* 0: closed */
	struct http_url origin;
	struct http_stream stream;
	struct http_reader reader;
	struct sent sent[POOL_REQUESTS];	/* a ring */
	unsigned first, count;
	unsigned answered;
	int unsent;			/* something is not flushed */
	int64_t last;			/* when the last reply came */
	enum http_error error;		/* that it was closed for, HTTP_OK in an orderly way */
	int signal, told;
	char why[256];
} connections[TLS_CONNECTIONS];

static struct {
	const struct tls_config *tls;
	const char *agent;
	unsigned expected;
	int limited;			/* a further connection was refused */
	int64_t connecting;		/* ms that it takes */
	int64_t waited;			/* ms for replies behind others, and how many these were */
	unsigned waits;
} pool;

static void
shut(struct connection *c)
{
	tls_close(c->tls);
	c->tls = 0;
	c->unsent = 0;
}

void
pool_close(void)
{
	unsigned i;

	for (i = 0; i < TLS_CONNECTIONS; i++) {
		shut(&connections[i]);
		connections[i].count = 0;
	}
}

void
pool_open(const struct tls_config *tls, const char *agent)
{
	pool_close();
	memset(&pool, 0, sizeof(pool));
	pool.tls = tls;
	pool.agent = agent;
}

void
pool_expect(unsigned requests)
{
	pool.expected = requests;
}

/* --- connections --- */

static int
connect_to(struct connection *c, const struct http_url *u, int64_t deadline)
{
	struct tls_error e;
	int64_t start = now_ms();

	memset(&e, 0, sizeof(e));
	/* a handshake is a large part of the program, used by nothing else */
	program_drop();
	c->tls = tls_connect(pool.tls, u->host, u->port, deadline, &e);
	program_drop();
	if (!c->tls && e.signal)
		return problem_set(ST_NET, "interrupted", (char *)0);
	if (!c->tls)
		return problem_set(e.clock ? ST_CONFIG : ST_NET, "connecting to ", u->host,
		    " port ", u->port, ": ", e.text, (char *)0);
	pool.connecting = now_ms() - start;
	c->origin = *u;
	c->stream.ctx = c->tls;
	c->stream.read = tls_read;
	c->stream.write = tls_write;
	c->stream.flush = tls_flush;
	c->reader.s = &c->stream;
	c->reader.start = c->reader.end = 0;
	c->first = c->answered = 0;
	c->error = HTTP_OK;
	c->signal = c->told = 0;
	return 0;
}

/*
 * Whether one more connection beside n saves more time than it takes: by it the
 * server, which answers one request after the other on each, gets done with
 * what is expected in n/(n+1) of the time.
 */
static int
pays(unsigned n)
{
	if (n >= TLS_CONNECTIONS || pool.limited || pool.expected <= MANY || pool.waits < SAMPLES)
		return 0;
	return (int64_t)pool.expected * pool.waited / pool.waits / (n * (n + 1)) > 2 * pool.connecting + LITTLE;
}

/* A connection that nothing is lost with: never used, or idle. */
static struct connection *
spare(void)
{
	struct connection *c, *idle = 0;

	for (c = connections; c < connections + TLS_CONNECTIONS; c++) {
		if (!c->tls && !c->count)
			return c;
		if (!c->count)
			idle = c;
	}
	if (idle)
		shut(idle);
	return idle;
}

/* The connection for the next request to that origin; 0: none has room; -1 in *r and the problem: there is none. */
static struct connection *
choose(const struct http_url *u, int64_t deadline, int *r)
{
	struct connection *c, *best = 0, *new = 0;
	unsigned n = 0;

	for (c = connections; c < connections + TLS_CONNECTIONS; c++) {
		if (!c->tls || !http_same_origin(&c->origin, u))
			continue;
		if (!c->count && (http_excess(&c->reader) || tls_stale(c->tls))) {
			shut(c);
			continue;
		}
		n++;
		if (!best || c->count < best->count)
			best = c;
	}
	if (!best || (best->count && pays(n)))
		new = spare();
	if (!new)
		return best;
	/* a further one that is slow in coming is done without */
	if (best && now_ms() + 2 * pool.connecting + PATIENCE < deadline)
		deadline = now_ms() + 2 * pool.connecting + PATIENCE;
	*r = connect_to(new, u, deadline);
	if (*r == 0)
		return new;
	pool.limited = best != 0;
	*r = best ? 0 : -1;
	return best;
}

/* --- requests --- */

int
pool_send(const char *method, const struct http_url *url, const char *type, struct slice body,
    int tag, int64_t deadline)
{
	struct connection *c;
	struct sent *s;
	int r = 0;

	if (pool_under_way() == POOL_REQUESTS)
		return 0;
	c = choose(url, deadline, &r);
	if (!c)
		return r;
	s = &c->sent[(c->first + c->count++) % POOL_REQUESTS];
	s->tag = tag;
	s->head = strcmp(method, "HEAD") == 0;
	s->at = now_ms();
	c->unsent = 1;
	tls_deadline(c->tls, deadline);
	/* if this fails, so does the flush, and is told of then */
	http_request(&c->stream, method, url, pool.agent, type, body);
	return 1;
}

unsigned
pool_under_way(void)
{
	unsigned i, n = 0;

	for (i = 0; i < TLS_CONNECTIONS; i++)
		n += connections[i].count;
	return n;
}

/* --- replies --- */

/* A connection whose requests are lost, or on which a reply has begun; 0 none before the deadline. */
static struct connection *
readable(int64_t deadline)
{
	struct connection *c, *list[TLS_CONNECTIONS];
	struct tls *tls[TLS_CONNECTIONS];
	unsigned n = 0;
	int i;

	for (c = connections; c < connections + TLS_CONNECTIONS; c++) {
		if (!c->count)
			continue;
		if (!c->tls || http_excess(&c->reader))
			return c;
		list[n] = c;
		tls[n++] = c->tls;
	}
	i = n ? tls_await(tls, n, deadline) : -1;
	return i < 0 ? 0 : list[i];
}

int
pool_ready(void)
{
	return readable(0) != 0;
}

static void
fails(struct connection *c, enum http_error error, const char *why)
{
	const struct tls_error *t = tls_failure(c->tls);

	c->error = error;
	c->signal = t->signal;
	slice_copy(slice(error == HTTP_BAD || error == HTTP_LIMIT ? why : t->text[0] ? t->text :
	    "connection closed by the server"), c->why, sizeof(c->why));
	shut(c);
}

static void
flush(int64_t deadline)
{
	struct connection *c;

	for (c = connections; c < connections + TLS_CONNECTIONS; c++) {
		if (!c->unsent)
			continue;
		c->unsent = 0;
		tls_deadline(c->tls, deadline);
		if (c->stream.flush(c->stream.ctx) < 0)
			fails(c, HTTP_CLOSED, "");
	}
}

/* Takes the oldest request of a connection; what its reply, or that of one before, says. */
static void
take(struct connection *c, struct pool_event *e)
{
	struct sent *s = &c->sent[c->first];

	c->first = (c->first + 1) % POOL_REQUESTS;
	c->count--;
	memset(e, 0, sizeof(*e));
	e->tag = s->tag;
	e->took = now_ms() - s->at;
	e->answered = c->answered;
}

/* Takes one that is lost: that with which the connection failed, then those behind it. */
static void
take_lost(struct connection *c, struct pool_event *e)
{
	take(c, e);
	e->dropped = c->error == HTTP_OK;
	e->behind = e->dropped || c->told;
	e->error = (int)(e->behind ? HTTP_CLOSED : c->error);
	e->signal = c->signal;
	memcpy(e->why, c->why, sizeof(e->why));
	c->told = 1;
}

/* How long a server takes for a request that was there before it answered the last one. */
static void
measure(struct connection *c, int64_t at)
{
	int64_t now = now_ms();

	if (c->answered && at <= c->last) {
		pool.waited += now - c->last;
		pool.waits++;
	}
	c->last = now;
}

void
pool_next(struct http_response *res, struct pool_event *e, int64_t deadline)
{
	struct connection *c;
	enum http_error error;

	flush(deadline);
	c = readable(deadline);
	/* out of time, or a signal: whichever is waited for will say so */
	for (c = c ? c : connections; !c->count; c++)
		;
	if (!c->tls) {
		take_lost(c, e);
		return;
	}
	tls_deadline(c->tls, deadline);
	error = http_receive(&c->reader, c->sent[c->first].head ? "HEAD" : "", res);
	if (error != HTTP_OK) {
		fails(c, error, res->why);
		take_lost(c, e);
		return;
	}
	measure(c, c->sent[c->first].at);
	c->answered++;
	take(c, e);
	if (res->close) {
		slice_copy(slice("connection closed by the server"), c->why, sizeof(c->why));
		shut(c);
	}
}
