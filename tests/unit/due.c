/* due.c: when a certificate is renewed, and when its CA is asked, as tables. */
#include "../tap.h"
#include "../../due.c"

static struct renewal st;

/* A certificate of that lifetime in hours, its age in hours; plan made. */
static const int64_t birth = 1800000000;

static void
certificate(int64_t hours, const char *days)
{
	memset(&st, 0, sizeof(st));
	st.not_before = birth;
	st.not_after = birth + hours * HOUR;
	strcpy(st.ari, "a.b");
	strcpy(st.server, "https://ca.example/dir");
	due_plan(&st, days);
}

static void
plans(void)
{
	static const struct {
		const char *name;
		int64_t life;
		const char *days;
		int64_t before_end;
	} table[] = {
		{ "90 days: at two thirds", 90 * DAY, 0, 30 * DAY },
		{ "47 days: at two thirds", 47 * DAY, 0, 47 * DAY / 3 },
		{ "ten days: at two thirds", 10 * DAY, 0, 10 * DAY / 3 },
		{ "a second less: at a half", 10 * DAY - 2, 0, 5 * DAY - 1 },
		{ "six days: at a half", 6 * DAY, 0, 3 * DAY },
		{ "an hour: at a half", 3600, 0, 1800 },
		{ "no lifetime: at its end", 0, 0, 0 },
		{ "days given", 90 * DAY, "7", 7 * DAY },
		{ "days given for a short one", 6 * DAY, "1", DAY },
		{ "more days than it lives", 6 * DAY, "30", 30 * DAY },
		{ "at its very end", 90 * DAY, "0", 0 },
	};
	static const int64_t births[] = { 1700000000, 2147480000, 4294960000 };	/* 2038, 2106 */
	size_t i, j;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++)
		for (j = 0; j < 3; j++) {
			memset(&st, 0, sizeof(st));
			st.not_before = births[j];
			st.not_after = births[j] + table[i].life;
			st.window_start = st.window_end = st.chosen = st.ask = 1;
			strcpy(st.explanation, "x");
			due_plan(&st, table[i].days);
			ok(st.next == st.not_after - table[i].before_end &&
			    due_at(&st) == st.next && !st.window_start && !st.window_end &&
			    !st.ask && !st.explanation[0], table[i].name);
		}
	certificate(2160, 0);
	ok(!due_other_plan(&st, 0) && due_other_plan(&st, "30") && due_other_plan(&st, "7"),
	    "days are another plan, even at the same moment");
	due_plan(&st, "7");
	ok(!due_other_plan(&st, "7") && due_other_plan(&st, 0) && due_other_plan(&st, "8"),
	    "and so is none");
}

/* Hours of age; chosen 0: the CA said nothing. */
static void
falls_due(void)
{
	static const struct {
		const char *name;
		int64_t life, chosen;
		const char *days, *once;
		unsigned interval;	/* hours */
		int64_t not_yet, due;	/* the last age at which it is not due, the first at which it is */
	} table[] = {
		{ "90 days, daily", 2160, 0, 0, 0, 24, 1415, 1416 },
		{ "90 days, hourly", 2160, 0, 0, 0, 1, 1438, 1439 },
		{ "90 days, weekly", 2160, 0, 0, 0, 168, 1271, 1272 },
		{ "90 days, monthly: not in its first part", 2160, 0, 0, 0, 720, 899, 900 },
		{ "six days, daily", 144, 0, 0, 0, 24, 47, 48 },
		{ "160 hours, daily", 160, 0, 0, 0, 24, 55, 56 },
		{ "two days, daily: a quarter early at most", 48, 0, 0, 0, 24, 11, 12 },
		{ "a day, daily: not at every turn", 24, 0, 0, 0, 24, 5, 6 },
		{ "the CA says later", 2160, 1700, 0, 0, 24, 1675, 1676 },
		{ "the CA says earlier", 2160, 1200, 0, 0, 24, 1175, 1176 },
		{ "days, to the hour", 2160, 0, "7", 0, 24, 1991, 1992 },
		{ "days for this once", 2160, 0, 0, "60", 24, 719, 720 },
		{ "days for this once, instead of the CA's word", 2160, 1200, 0, "7", 24, 1991, 1992 },
		{ "days for this once, instead of the stored", 2160, 0, "60", "7", 24, 1991, 1992 },
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		certificate(table[i].life, table[i].days);
		if (table[i].chosen)
			st.chosen = birth + table[i].chosen * HOUR;
		ok(!due_now(&st, table[i].once, birth + table[i].not_yet * HOUR, table[i].interval * HOUR) &&
		    due_now(&st, table[i].once, birth + table[i].due * HOUR, table[i].interval * HOUR) &&
		    due_now(&st, table[i].once, st.not_after + 1, table[i].interval * HOUR), table[i].name);
	}
	certificate(2160, 0);
	st.pending = 1;
	ok(due_now(&st, 0, birth, DAY) && due_now(&st, "1", birth, DAY), "an order under way");
	st.revoked = birth + 1;
	ok(!due_now(&st, 0, st.not_after, DAY) && !due_now(&st, "60", st.not_after, DAY), "never if revoked");
	memset(&st, 0, sizeof(st));
	ok(due_now(&st, 0, birth, DAY) && due_now(&st, "1", birth, DAY), "nothing known");
}

/* Runs at every interval from each of many first moments: a valid one is there always. */
static void
in_time(void)
{
	static const int64_t lives[] = { 47, 48, 72, 100, 144, 160, 239, 240, 1080, 2160 };
	size_t i;
	int64_t start, at, renewals;
	int good;

	for (i = 0; i < sizeof(lives) / sizeof(*lives); i++) {
		good = 1;
		renewals = 0;
		for (start = 0; start < 24; start++) {
			certificate(lives[i], 0);
			for (at = birth + start * HOUR; at < birth + 400 * DAY; at += DAY) {
				good &= at <= st.not_after;
				if (!due_now(&st, 0, at, DAY))
					continue;
				renewals++;
				st.not_before = at;
				st.not_after = at + lives[i] * HOUR;
				due_plan(&st, 0);
			}
		}
		ok(good, "from a daily cron none of two days or more runs out");
		ok(lives[i] < 96 || renewals / 24 <= 400 * 24 * 3 / lives[i],
		    "and none is renewed before a third of its lifetime");
	}
}

static void
asks(void)
{
	static const struct {
		const char *name;
		int want;
		int64_t age, ask;	/* hours; ask: from now, 0 free */
		int pending, revoked, expired;
		const char *days, *ari, *server;
	} table[] = {
		{ "more than half is left", 0, 1079, 0, 0, 0, 0, 0, "a.b", "s" },
		{ "half is left", 1, 1080, 0, 0, 0, 0, 0, "a.b", "s" },
		{ "Retry-After is not over", 0, 1080, 1, 0, 0, 0, 0, "a.b", "s" },
		{ "Retry-After is over", 1, 1080, -1, 0, 0, 0, 0, "a.b", "s" },
		{ "one of a clock that was wrong", 1, 1080, 25, 0, 0, 0, 0, "a.b", "s" },
		{ "just before its end", 1, 2159, 0, 0, 0, 0, 0, "a.b", "s" },
		{ "expired", 0, 2160, 0, 0, 0, 0, 0, "a.b", "s" },
		{ "an order under way", 0, 1080, 0, 1, 0, 0, 0, "a.b", "s" },
		{ "revoked", 0, 1080, 0, 0, 1, 0, 0, "a.b", "s" },
		{ "planned by days", 0, 1080, 0, 0, 0, 0, "30", "a.b", "s" },
		{ "no id", 0, 1080, 0, 0, 0, 0, 0, "", "s" },
		{ "no CA known", 0, 1080, 0, 0, 0, 0, 0, "a.b", "" },
	};
	int64_t now;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		certificate(2160, table[i].days);
		now = birth + table[i].age * HOUR;
		st.ask = table[i].ask ? now + table[i].ask * HOUR : 0;
		st.pending = table[i].pending;
		st.revoked = table[i].revoked;
		strcpy(st.ari, table[i].ari);
		strcpy(st.server, table[i].server);
		ok(due_ask(&st, now) == table[i].want, table[i].name);
	}
	memset(&st, 0, sizeof(st));
	ok(!due_ask(&st, birth), "nothing known");
}

static uint32_t drawn, width;

static uint32_t
draw(uint32_t n)
{
	width = n;
	return drawn;
}

/* Windows in hours of age, of a certificate of 90 days that is 50 days old. */
static void
windows(void)
{
	enum { AGE = 1200, TEN_YEARS = 10 * 365 * 24 };
	static const struct {
		const char *name;
		int64_t start, end;
		int want;
	} table[] = {
		{ "in the future", 1416, 1464, 1 },
		{ "now", 1190, 1210, 1 },
		{ "in the past: revoked", 1198, 1199, 1 },
		{ "years in the past", AGE - TEN_YEARS, AGE - TEN_YEARS + 1, 1 },
		{ "ten years in the past", AGE - TEN_YEARS - 1, 1300, -1 },
		{ "in 1970", -birth / HOUR, 1 - birth / HOUR, -1 },
		{ "up to its end", 2100, 2160, 1 },
		{ "beyond its end", 2100, 2161, -1 },
		{ "ten years off", AGE + TEN_YEARS, AGE + TEN_YEARS + 48, -1 },
		{ "inverted", 1464, 1416, -1 },
		{ "empty", 1416, 1416, -1 },
	};
	const int64_t now = birth + AGE * HOUR;
	static struct renewal before;
	int64_t start, end;
	size_t i;
	int r;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		certificate(2160, 0);
		start = birth + table[i].start * HOUR;
		end = birth + table[i].end * HOUR;
		before = st;
		drawn = 7;
		r = due_window(&st, start, end, now, draw);
		ok(r == table[i].want, table[i].name);
		if (r < 0)
			ok(memcmp(&st, &before, sizeof(st)) == 0, "changes nothing");
		else
			ok(st.window_start == start && st.window_end == end &&
			    due_at(&st) == start + 7 && width == end - start,
			    "a moment in it is drawn from all of its seconds");
		if (r < 0)
			continue;
		before = st;
		drawn = 9;
		ok(due_window(&st, start, end, now, draw) == 0 &&
		    memcmp(&st, &before, sizeof(st)) == 0, "and stays when the same window comes again");
		ok(due_window(&st, start + 1, end, now, draw) == 1 && st.chosen == start + 10,
		    "and moves with the window");
	}
	certificate(2160, 0);
	drawn = 0;
	due_window(&st, birth + 1198 * HOUR, birth + 1199 * HOUR, now, draw);
	ok(due_now(&st, 0, now, 60), "one in the past is due at once");
	st.chosen = 5;
	ok(due_window(&st, birth + 1198 * HOUR, birth + 1199 * HOUR, now, draw) == 1,
	    "a moment outside of its window is chosen anew");
	certificate(200000, 0);
	ok(due_window(&st, now - FAR, now + FAR, now, draw) == 1 && width == 2 * (uint32_t)FAR,
	    "the widest fits a random number");
}

static void
pauses(void)
{
	static const struct {
		const char *name;
		int64_t retry_after;
		int passing;
		int64_t want;
	} table[] = {
		{ "none: six hours", -1, 0, 6 * HOUR },
		{ "none after a passing failure", -1, 1, HOUR },
		{ "0: a minute", 0, 0, MINUTE },
		{ "59", 59, 0, MINUTE },
		{ "61", 61, 0, 61 },
		{ "Pebble's", 21600, 0, 21600 },
		{ "a day", DAY, 0, DAY },
		{ "more than a day", DAY + 1, 1, DAY },
		{ "absurd", INT64_MAX, 0, DAY },
		{ "after a passing failure", 120, 1, 120 },
	};
	static const struct {
		const char *name;
		unsigned failures;
		int64_t retry_at, want;	/* from now; 0 none */
	} after[] = {
		{ "the first", 0, 0, MINUTE }, { "the second", 1, 0, 10 * MINUTE },
		{ "the third", 2, 0, 100 * MINUTE }, { "the fourth", 3, 0, DAY },
		{ "the millionth", 1000000, 0, DAY },
		{ "the CA's moment is later", 0, 720, 720 },
		{ "the CA's moment is earlier", 1, 36, 10 * MINUTE },
		{ "the CA's moment is in 92 days", 0, 7961561, DAY },
		{ "the CA's moment is past", 0, -HOUR, MINUTE },
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++)
		ok(due_pause(table[i].retry_after, table[i].passing) == table[i].want, table[i].name);
	for (i = 0; i < sizeof(after) / sizeof(*after); i++)
		ok(due_back_off(after[i].failures, birth,
		    after[i].retry_at ? birth + after[i].retry_at : 0) == birth + after[i].want,
		    after[i].name);
	memset(&st, 0, sizeof(st));
	ok(!due_held(&st, birth), "not held without a failure");
	st.back_off = birth + 1;
	ok(due_held(&st, birth) && !due_held(&st, birth + 1), "held until its moment");
	ok(!due_held(&st, birth - DAY), "but not by a clock that was wrong once");
}

int
main(void)
{
	plans();
	falls_due();
	in_time();
	asks();
	windows();
	pauses();
	return tap_done();
}
