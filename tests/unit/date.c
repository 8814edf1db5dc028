/*
 * util: dates are right far beyond 2038 and 2106, on 32 bit too (time_t plays
 * no part); what cannot be written with a year of four digits is none.
 */
#include "../tap.h"
#include "../../renewal.h"
#include "../../util.h"
#include "../../value.h"

static void
test_both_ways(void)
{
	static const struct {
		const char *text, *http;
		int64_t t;
	} rows[] = {
		{ "0000-01-01T00:00:00Z", "Sat, 01 Jan 0000 00:00:00 GMT", -62167219200 },
		{ "1900-03-01T00:00:00Z", "Thu, 01 Mar 1900 00:00:00 GMT", -2203891200 },
		{ "1969-12-31T23:59:59Z", "Wed, 31 Dec 1969 23:59:59 GMT", -1 },
		{ "1970-01-01T00:00:00Z", "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
		{ "2000-02-29T12:00:00Z", "Tue, 29 Feb 2000 12:00:00 GMT", 951825600 },
		{ "2038-01-19T03:14:07Z", "Tue, 19 Jan 2038 03:14:07 GMT", 2147483647 },
		{ "2038-01-19T03:14:08Z", "Tue, 19 Jan 2038 03:14:08 GMT", 2147483648 },
		{ "2106-02-07T06:28:15Z", "Sun, 07 Feb 2106 06:28:15 GMT", 4294967295 },
		{ "2106-02-07T06:28:16Z", "Sun, 07 Feb 2106 06:28:16 GMT", 4294967296 },
		{ "9999-12-31T23:59:59Z", "Fri, 31 Dec 9999 23:59:59 GMT", 253402300799 },
	};
	char mem[32];
	struct buf b = BUF(mem);
	int64_t t, http;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		buf_clear(&b);
		buf_time(&b, rows[i].t);
		is_str(buf_text(&b), rows[i].text, rows[i].text);
		ok(time_rfc3339(slice(rows[i].text), &t) == 0 && t == rows[i].t, "is read again");
		ok(time_http(slice(rows[i].http), &http) == 0 && http == rows[i].t, "and as HTTP has it");
	}
}

static void
test_edges(void)
{
	static const struct {
		const char *text;
		int want;
	} rows[] = {
		{ "9999-12-31T23:59:59-00:00", 0 }, { "9999-12-31T23:59:59-00:01", -1 },
		{ "9999-12-31T23:59:60Z", -1 }, { "9999-12-31T23:59:59+23:59", 0 },
		{ "0000-01-01T00:00:00+00:01", -1 }, { "0000-01-01T00:01:00+00:01", 0 },
		{ "2026-02-29T00:00:00Z", -1 }, { "2100-02-29T00:00:00Z", -1 },
		{ "10000-01-01T00:00:00Z", -1 }, { "-001-01-01T00:00:00Z", -1 },
	};
	static const struct {
		int64_t t;
		const char *text;
	} beyond[] = {
		{ 253402300800, "9999-12-31T23:59:59Z" }, { INT64_MAX, "9999-12-31T23:59:59Z" },
		{ -62167219201, "0000-01-01T00:00:00Z" }, { INT64_MIN, "0000-01-01T00:00:00Z" },
	};
	char mem[32];
	struct buf b = BUF(mem);
	int64_t t;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		ok(time_rfc3339(slice(rows[i].text), &t) == rows[i].want, rows[i].text);
	ok(time_http(slice("Fri, 31 Dec 9999 23:59:60 GMT"), &t) == -1, "a leap second beyond all years");
	for (i = 0; i < sizeof(beyond) / sizeof(*beyond); i++) {
		buf_clear(&b);
		buf_time(&b, beyond[i].t);
		is_str(buf_text(&b), beyond[i].text, "what is beyond is the last that can be written");
	}
}

/* Every day of 10,000 years is one day after the one before. */
static void
test_calendar(void)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int64_t t, want = -62167219200;
	int y, m, d, leap, good = 1;

	for (y = 0; y < 10000; y++)
		for (m = 1; m <= 12; m++) {
			leap = m == 2 && ((y % 4 == 0 && y % 100 != 0) || y % 400 == 0);
			for (d = 1; d <= days[m - 1] + leap; d++, want += 86400)
				good = good && time_civil(y, m, d, 0, 0, 0, &t) == 0 && t == want;
			good = good && time_civil(y, m, d, 0, 0, 0, &t) == -1;
		}
	ok(good && want == 253402300800, "every day of ten thousand years");
}

/* Those who keep dates keep them whole. */
static void
test_kept(void)
{
	char mem[32];
	struct buf b = BUF(mem);

	ok(sizeof(((struct renewal *)0)->not_after) == 8 && sizeof(now_wall()) == 8, "64 bits everywhere");
	ok(value_moment("2106-02-07T06:28:16Z", 0) == 4294967296 &&
	    value_moment("+36500d", 4294967296) == 4294967296 + 36500 * (int64_t)86400,
	    "--not-after beyond 2106");
	buf_time(&b, value_moment("+999999999d", 1800000000));
	is_str(buf_text(&b), "9999-12-31T23:59:59Z", "and beyond all dates");
}

int
main(void)
{
	test_both_ways();
	test_edges();
	test_calendar();
	test_kept();
	return tap_done();
}
