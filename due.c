/*
 * due.c - the rules by which renewals are planned.  Pure: no clock, file or
 * network.  Invariant: no moment that is trusted lies so far away that a clock
 * which once was wrong could keep a certificate from being renewed.
 */
#include "due.h"
#include "renewal.h"

enum {
	MINUTE = 60,
	HOUR = 60 * MINUTE,
	DAY = 24 * HOUR,
	SHORT = 10 * DAY,		/* a lifetime below is renewed at its half */
	AHEAD = 4,			/* at most a quarter of the lifetime too early */
	FAR = 10 * 365 * DAY		/* no window is so far off */
};

static int64_t
planned(const struct renewal *st, const char *days)
{
	int64_t life = st->not_after - st->not_before;
	uint64_t n;

	if (days && slice_uint(slice(days), &n) == 0)
		return st->not_after - (int64_t)n * DAY;
	return st->not_after - (life < SHORT ? life / 2 : life / 3);
}

void
due_plan(struct renewal *st, const char *days)
{
	st->window_start = st->window_end = st->chosen = st->ask = 0;
	st->explanation[0] = 0;
	st->next = planned(st, days);
	st->by_days = days != 0;
}

int
due_other_plan(const struct renewal *st, const char *days)
{
	return st->next != planned(st, days) || st->by_days != (days != 0);
}

int64_t
due_at(const struct renewal *st)
{
	return st->chosen ? st->chosen : st->next;
}

/*
 * How far the next run is away (RFC 9773 4.2: what falls before it is renewed
 * now).  Not with --days, which says exactly when; and a lifetime that is
 * short beside the interval must not be renewed by every run.
 */
static int64_t
ahead(const struct renewal *st, int64_t interval)
{
	int64_t limit = (st->not_after - st->not_before) / AHEAD;

	if (st->by_days || limit < 0)
		return 0;
	return interval < limit ? interval : limit;
}

int
due_now(const struct renewal *st, const char *days, int64_t now, unsigned interval)
{
	if (st->revoked)
		return 0;
	if (st->pending || !st->not_after)
		return 1;
	if (days)
		return planned(st, days) <= now;
	return due_at(st) - ahead(st, interval) <= now;
}

int
due_held(const struct renewal *st, int64_t now)
{
	return st->back_off > now && st->back_off <= now + DAY;
}

int
due_ask(const struct renewal *st, int64_t now)
{
	if (!st->ari[0] || !st->server[0] || st->revoked || st->pending || st->by_days)
		return 0;
	if (now < st->not_before + (st->not_after - st->not_before) / 2 || now >= st->not_after)
		return 0;
	return st->ask <= now || st->ask > now + DAY;
}

int
due_window(struct renewal *st, int64_t start, int64_t end, int64_t now,
    uint32_t (*below)(uint32_t n))
{
	if (end <= start || end > st->not_after || start < now - FAR || end > now + FAR)
		return -1;
	if (start == st->window_start && end == st->window_end &&
	    st->chosen >= start && st->chosen < end)
		return 0;
	st->window_start = start;
	st->window_end = end;
	st->chosen = start + below((uint32_t)(end - start));
	return 1;
}

int64_t
due_pause(int64_t retry_after, int passing)
{
	if (retry_after < 0)
		return passing ? HOUR : 6 * HOUR;
	return retry_after < MINUTE ? MINUTE : retry_after > DAY ? DAY : retry_after;
}

int64_t
due_back_off(unsigned failures, int64_t now, int64_t retry_at)
{
	static const int minutes[] = { 1, 10, 100 };
	int64_t until = now + (failures < 3 ? minutes[failures] * MINUTE : DAY);

	if (retry_at > now + DAY)
		retry_at = now + DAY;
	return retry_at > until ? retry_at : until;
}
