/* issue.c: the clock, which of two statuses is the graver, and whether a certificate is due. */
#include "../home.h"
#include "../tap.h"
#include "../../issue.c"

static void
the_graver_counts(void)
{
	static const int order[] = {	/* of the design, from grave to light */
		ST_STORE, ST_CONFIG, ST_USAGE, ST_PROTO, ST_REFUSED, ST_HOOK, ST_NET, ST_LATER,
		ST_DEPLOY, ST_OK, ST_UNCHANGED
	};
	enum { N = sizeof(order) / sizeof(*order) };
	char name[80];
	size_t i, j;

	for (i = 0; i < N; i++) {
		for (j = 0; j < N; j++)
			if (graver(order[i], order[j]) != order[i < j ? i : j])
				break;
		snprintf(name, sizeof(name), "%d is graver than what comes behind it", order[i]);
		ok(j == N, name);
	}
}

/* Times are seconds from now; next and not_after -1: none.  due_now() has its own test. */
static void
what_is_due(void)
{
	enum { HOUR = 3600, DAY = 24 * HOUR };
	static const struct {
		const char *name;
		int want;
		long next, not_after;
		int pending, revoked;
		const char *owed, *days;
		int force, dry_run;
	} table[] = {
		{ "nothing known", 1, -1, -1, 0, 0, "", 0, 0, 0 },
		{ "nothing known but days", 1, -1, -1, 0, 0, "", "10", 0, 0 },
		{ "later", 0, HOUR, 30 * DAY, 0, 0, "", 0, 0, 0 },
		{ "now", 1, 0, 30 * DAY, 0, 0, "", 0, 0, 0 },
		{ "long ago", 1, -DAY, -HOUR, 0, 0, "", 0, 0, 0 },
		{ "an order is under way", 1, HOUR, 30 * DAY, 1, 0, "", 0, 0, 0 },
		{ "something is owed", 1, HOUR, 30 * DAY, 0, 0, "reload x\n", 0, 0, 0 },
		{ "revoked", 0, -HOUR, 30 * DAY, 0, 1, "", 0, 0, 0 },
		{ "revoked, an order under way", 0, -HOUR, 30 * DAY, 1, 1, "", 0, 0, 0 },
		{ "revoked, with days", 0, -HOUR, 30 * DAY, 0, 1, "", "60", 0, 0 },
		{ "revoked, but owing", 1, HOUR, 30 * DAY, 0, 1, "deploy x\n", 0, 0, 0 },
		{ "revoked, but forced", 1, HOUR, 30 * DAY, 0, 1, "", 0, 1, 0 },
		{ "forced", 1, HOUR, 30 * DAY, 0, 0, "", 0, 1, 0 },
		{ "dry run", 1, HOUR, 30 * DAY, 0, 0, "", 0, 0, 1 },
		{ "days that are reached", 1, HOUR, 30 * DAY, 0, 0, "", "31", 0, 0 },
		{ "days to the second", 1, HOUR, 30 * DAY, 0, 0, "", "30", 0, 0 },
		{ "days that are not reached, whatever was planned", 0, -HOUR, 30 * DAY, 0, 0, "", "29", 0, 0 },
		{ "forced before its days", 1, HOUR, 30 * DAY, 0, 0, "", "29", 1, 0 },
	};
	static struct renewal st;
	static struct conf c;
	int64_t now = now_wall();
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		memset(&st, 0, sizeof(st));
		st.next = table[i].next == -1 ? 0 : now + table[i].next;
		st.not_before = now - 60 * DAY;
		st.not_after = table[i].not_after == -1 ? 0 : now + table[i].not_after;
		st.pending = table[i].pending;
		st.revoked = table[i].revoked ? now - HOUR : 0;
		strcpy(st.owed, table[i].owed);
		c.days = table[i].days;
		c.force = table[i].force;
		c.dry_run = table[i].dry_run;
		ok(is_due(&c, &st) == table[i].want, table[i].name);
	}
}

static void
clocks(void)
{
	static const struct {
		const char *name;
		int64_t now;
		int want;
	} table[] = {
		{ "1970", 12, ST_CONFIG }, { "before 1970", -1, ST_CONFIG },
		{ "2025", 1767225599, ST_CONFIG }, { "2026", 1767225600, 0 },
		{ "after 32 bits", 4294967296, 0 },
	};
	size_t i;

	hush(1);
	for (i = 0; i < sizeof(table) / sizeof(*table); i++)
		ok(check_clock(table[i].now) == table[i].want, table[i].name);
	check_clock(12);
	hush(0);
	ok(strstr(last_failure(), "the clock is wrong, it says 1970-01-01T00:00:12Z"),
	    "a clock that is not set is named as such");
}

int
main(void)
{
	clocks();
	the_graver_counts();
	what_is_due();
	return tap_done();
}
