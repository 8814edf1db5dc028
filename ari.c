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

int
ari_open(const struct conf *c, const char *server)
{
	static struct conf brief;
	int r;

	if (strcmp(server, silent) == 0)
		return -1;
	brief = *c;
	if (brief.timeout > PATIENCE)
		brief.timeout = PATIENCE;
	lenient = 1;
	r = account_open(&brief, server, ACCOUNT_NONE);
	lenient = 0;
	if (r)
		slice_copy(slice(server), silent, sizeof(silent));
	return r ? -1 : 0;
}

int
ari_goes_on(const struct conf *c, const char *server)
{
	return account_goes_on(c, server, ACCOUNT_NONE);
}

int
ari_ask(struct acme_renewal *list, unsigned count)
{
	unsigned i;
	int r;

	lenient = 1;
	r = talker_renewal_info(list, count);
	if (r < 0)
		account_failed();
	lenient = 0;
	for (i = 0; r < 0 && i < count; i++) {
		list[i].status = talker_why()->status;
		list[i].retry_after = -1;
	}
	for (i = 0; i < count; i++)
		if (list[i].status == ST_NET || list[i].status == ST_CONFIG)
			slice_copy(slice(account_server()), silent, sizeof(silent));
	return stop_signal() ? -1 : 0;
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
ari_take(const struct conf *c, struct renewal *st, const struct acme_renewal *info)
{
	int64_t now = now_wall(), pause;
	int moved = 0;

	if (info->status == ST_OK) {
		pause = due_pause(info->retry_after, 0);
		moved = due_window(st, info->start, info->end, now, random_below);
	} else {
		pause = due_pause(info->status == ST_LATER ? info->retry_after : -1,
		    info->status == ST_LATER || info->status == ST_NET);
	}
	if (moved > 0)
		tell(st, info);
	else if (moved < 0)
		note(1, "the CA's window for renewal makes no sense; it is not used", (char *)0);
	st->ask = now + pause;
	/* a day's run after a day's pause needs no reminder: nothing is written for it */
	return moved > 0 || pause > c->interval;
}
