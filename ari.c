/*
 * ari.c - renewal information from the network (RFC 9773 4).  It is advice:
 * whatever goes wrong here, the certificate is renewed by its lifetime.
 */
#include <string.h>

#include "account.h"
#include "acme.h"
#include "ari.h"
#include "conf.h"
#include "due.h"
#include "key.h"
#include "renewal.h"
#include "talker.h"
#include "util.h"

enum { PATIENCE = 30 };		/* s for advice, of which there may be a lot to get */

static char silent[LIMIT_URL];	/* the CA that did not answer */

/* What the CA says of the certificate; 0, or a status. */
static int
fetch(const struct conf *c, const struct renewal *st, struct acme_renewal *info)
{
	static struct conf brief;
	int r;

	brief = *c;
	if (brief.timeout > PATIENCE)
		brief.timeout = PATIENCE;
	lenient = 1;
	r = account_open(&brief, st->server, ACCOUNT_NONE);
	if (r == 0 && talker_renewal_info(st->ari, info) < 0)
		r = account_failed();
	lenient = 0;
	return r;
}

/* What a failure means: how long not to ask. */
static int64_t
pause_after(const struct renewal *st, int status)
{
	const struct acme_problem *why = talker_why();
	int64_t after = why->retry_at ? why->retry_at - now_wall() : -1;

	if (status == ST_NET || status == ST_CONFIG)
		slice_copy(slice(st->server), silent, sizeof(silent));
	return status == ST_LATER ? due_pause(after, 1) : due_pause(-1, status == ST_NET);
}

/* Tells of a window that moved, and keeps the CA's explanation. */
static void
tell(struct renewal *st, const struct acme_renewal *info)
{
	struct buf b = BUF(st->explanation);
	char mem[128];
	struct buf when = BUF(mem);

	buf_printable(&b, slice(info->explanation));
	buf_text(&b);
	if (b.err)
		st->explanation[0] = 0;
	buf_time(&when, st->window_start);
	buf_str(&when, " and ");
	buf_time(&when, st->window_end);
	buf_str(&when, "; chosen: ");
	buf_time(&when, st->chosen);
	note(1, "the CA wants it renewed between ", buf_text(&when), (char *)0);
	if (st->explanation[0])
		note(0, "the CA explains when it wants it renewed: ", st->explanation, (char *)0);
}

int
ari_ask(const struct conf *c, struct renewal *st)
{
	static struct acme_renewal info;
	int64_t now = now_wall(), pause;
	int status, moved = 0;

	if (strcmp(st->server, silent) == 0)
		return 0;
	status = fetch(c, st, &info);
	if (stop_signal())
		return 0;
	if (status == 0) {
		pause = due_pause(info.retry_after, 0);
		moved = due_window(st, info.start, info.end, now, random_below);
	} else {
		pause = pause_after(st, status);
	}
	if (moved > 0)
		tell(st, &info);
	else if (moved < 0)
		note(1, "the CA's window for renewal makes no sense; it is not used", (char *)0);
	st->ask = now + pause;
	/* a day's run after a day's pause needs no reminder: nothing is written for it */
	return moved > 0 || pause > c->interval;
}
