/*
 * probe.c - the two calls of zone.c, both ends of them.  A probe is made for one
 * question: it reads the system's configuration, confines itself, asks, and sends
 * up lines to be printed, progress, values, and what came of it.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "probe.h"
#include "resolve.h"
#include "split.h"
#include "util.h"
#include "zone.h"

enum {
	LATE = 30 * 1000,	/* ms that it may take longer than asked for */
	VALUE = 64 * 1024,	/* one TXT value at most */
	LINES = 1000		/* that are shown */
};

/* Down; behind it the wants, each a struct sizes and its two texts. */
struct question {
	int family;
	unsigned count;		/* wants; 0: the values of name are asked for */
	int64_t left;		/* ms */
	char name[LIMIT_URL];
};
struct sizes {
	unsigned record, value;
};

/* Up, with length bytes of text. */
struct message {
	enum { LINE, PROGRESS, ITEM, DONE } what;
	int result;
	unsigned done, total, seconds, length;
};

static char text[VALUE + 1];

/* ---- the probe ---- */

static int channel;

static void
put(struct message *m, struct slice s)
{
	m->length = (unsigned)s.n;
	if (split_send(channel, m, sizeof(*m), now_ms() + LATE) < 0 ||
	    split_send(channel, s.p, s.n, now_ms() + LATE) < 0)
		_exit(0);
}

static void
get(void *p, size_t n)
{
	if (split_receive(channel, p, n, now_ms() + LATE) < 0)
		_exit(0);
}

static void
put_line(const char *line)
{
	struct message m = { LINE, 0, 0, 0, 0, 0 };

	put(&m, slice(line));
}

static void
put_progress(const char *what, unsigned done, unsigned total, unsigned seconds)
{
	struct message m = { PROGRESS, 0, 0, 0, 0, 0 };

	m.done = done;
	m.total = total;
	m.seconds = seconds;
	put(&m, slice(what ? what : ""));
}

static void
put_value(void *ctx, struct slice value)
{
	struct message m = { ITEM, 0, 0, 0, 0, 0 };

	(void)ctx;
	if (value.n <= VALUE)
		put(&m, value);
}

/* A text that comes down, into *b. */
static const char *
get_text(struct buf *b, unsigned n)
{
	const char *start = b->p + b->len;

	if (n >= b->cap - b->len)
		_exit(1);
	get(b->p + b->len, n);
	b->len += n;
	buf_char(b, 0);
	return start;
}

static void
confine_probe(void)
{
	resolve_loaded = 0;
	if (split_confine() < 0)
		_exit(1);
}

void
probe_serve(int to)
{
	static struct question q;
	static struct zone_want want[LIMIT_NAMES];
	static char mem[2 * LIMIT_NAMES * LIMIT_URL];
	struct message m = { DONE, 0, 0, 0, 0, 0 };
	struct buf b = BUF(mem);
	struct sizes s;
	unsigned i;

	channel = to;
	get(&q, sizeof(q));
	if (q.count > LIMIT_NAMES)
		_exit(1);
	for (i = 0; i < q.count; i++) {
		get(&s, sizeof(s));
		want[i].record = get_text(&b, s.record);
		want[i].value = get_text(&b, s.value);
	}
	messages_to(put_line, put_progress);
	resolve_loaded = confine_probe;
	m.result = q.count ? zone_wait(want, q.count, q.family, (unsigned)(q.left / 1000)) :
	    zone_txt(q.name, q.family, now_ms() + q.left, put_value, 0);
	put(&m, slice(""));
	_exit(0);
}

/* ---- the keeper ---- */

struct asker {
	int channel;
	int64_t deadline;
	void (*each)(void *ctx, struct slice value);
	void *ctx;
};

static int
send_question(const struct asker *a, const struct question *q, const struct zone_want *want)
{
	struct sizes s;
	unsigned i;
	int r = split_send(a->channel, q, sizeof(*q), a->deadline);

	for (i = 0; r == 0 && i < q->count; i++) {
		s.record = (unsigned)strlen(want[i].record);
		s.value = (unsigned)strlen(want[i].value);
		if (split_send(a->channel, &s, sizeof(s), a->deadline) < 0 ||
		    split_send(a->channel, want[i].record, s.record, a->deadline) < 0 ||
		    split_send(a->channel, want[i].value, s.value, a->deadline) < 0)
			r = -1;
	}
	return r;
}

/* Takes messages until it is done: 0 and *result; -1 and errno. */
static int
listen_to(const struct asker *a, int *result)
{
	struct message m;
	unsigned lines = 0;

	for (;;) {
		if (split_receive(a->channel, &m, sizeof(m), a->deadline) < 0)
			return -1;
		errno = EPROTO;
		if (m.length > VALUE || split_receive(a->channel, text, m.length, a->deadline) < 0)
			return -1;
		text[m.length] = 0;
		switch (m.what) {
		case LINE:
			if (lines++ < LINES)
				warn(text, (char *)0);
			break;
		case PROGRESS:
			progress(*text ? text : 0, m.done, m.total, m.seconds);
			break;
		case ITEM:
			if (a->each)
				a->each(a->ctx, (struct slice){ text, m.length });
			break;
		case DONE:
			*result = m.result;
			return 0;
		default:
			return -1;
		}
	}
}

/* Has a question answered: its result; -1 if a stop signal came, or -2 if there is none. */
static int
ask(struct asker *a, const struct question *q, const struct zone_want *want)
{
	int r = -1, result = -1, error;

	a->deadline = now_ms() + q->left + LATE;
	a->channel = split_child(SPLIT_PROBE);
	if (a->channel >= 0)
		r = send_question(a, q, want);
	if (r == 0)
		r = listen_to(a, &result);
	error = errno;
	split_kill(SPLIT_PROBE, a->channel);
	progress(0, 0, 0, 0);
	if (r == 0)
		return result < -1 ? -2 : result;
	return error == EINTR ? -1 : -2;
}

int
probe_wait(const struct zone_want *want, unsigned count, int family, unsigned seconds)
{
	static struct question q;
	struct asker a = { -1, 0, 0, 0 };
	int r;

	q.family = family;
	q.count = count;
	q.left = (int64_t)seconds * 1000;
	r = ask(&a, &q, want);
	if (r == -2)
		warn("the process that asks the name servers has died; going on", (char *)0);
	return r == -1 ? -1 : 0;
}

int
probe_txt(const char *name, int family, int64_t deadline,
    void (*each)(void *ctx, struct slice value), void *ctx)
{
	static struct question q;
	struct asker a = { -1, 0, each, ctx };
	int r;

	if (slice_copy(slice(name), q.name, sizeof(q.name)) < 0)
		return 0;
	q.family = family;
	q.count = 0;
	q.left = deadline - now_ms();
	r = ask(&a, &q, 0);
	return r < 0 ? -1 : r;
}
