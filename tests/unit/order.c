/* order.c: what is ordered, and the order that is gone on with. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../home.h"
#include "../tap.h"
#include "../../order.c"

static struct acme_order order;

static void
asks_for_names(void)
{
#define DNS(name) "{\"type\":\"dns\",\"value\":\"" name "\"}"
#define IP(name) "{\"type\":\"ip\",\"value\":\"" name "\"}"
	static const struct {
		const char *name, *names[4], *want;
	} table[] = {
		{ "one name", { "a.example" }, DNS("a.example") },
		{ "a wildcard", { "*.a.example" }, DNS("*.a.example") },
		{ "an IPv4 address", { "192.0.2.1" }, IP("192.0.2.1") },
		{ "an IPv6 address", { "2001:db8::1" }, IP("2001:db8::1") },
		{ "nearly an address", { "192.0.2.1.example" }, DNS("192.0.2.1.example") },
		{ "several in our order", { "b.example", "192.0.2.1", "*.b.example", "a.example" },
		    DNS("b.example") "," IP("192.0.2.1") "," DNS("*.b.example") "," DNS("a.example") },
	};
	static struct conf c;
	char mem[1024], want[1024];
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct buf b = BUF(mem);

		memset(&c, 0, sizeof(c));
		while (c.names < 4 && table[i].names[c.names]) {
			c.name[c.names] = table[i].names[c.names];
			c.names++;
		}
		order_payload(&b, &c, 0);
		snprintf(want, sizeof(want), "{\"identifiers\":[%s]}", table[i].want);
		is_str(buf_text(&b), want, table[i].name);
	}
}

static void
most_names_fit(void)
{
	static char name[LIMIT_NAME + 1], mem[LIMIT_CONF];
	static struct conf c;
	struct buf b = BUF(mem);
	size_t i;

	memset(name, 'x', LIMIT_NAME);
	for (i = 63; i < LIMIT_NAME; i += 64)
		name[i] = '.';
	for (i = 0; i < LIMIT_NAMES; i++)
		c.name[i] = name;
	c.names = LIMIT_NAMES;
	order_payload(&b, &c, 0);
	ok(!b.err, "a hundred of the longest names fit in an order");
	strcpy(order.url, "https://ca.example/order/1");
	ok(remember_order("a.example", &c, &order) == 0 && remembered_order("a.example", &c, &order),
	    "and in the file that remembers it");
}

/* Writes the file of an order `age` seconds old, without the line `but`. */
static void
write_order(const char *url, const char *server, const char *names, int64_t age, const char *but)
{
	char mem[4096], when[32];
	struct buf b = BUF(mem), t = BUF(when);
	const char *const lines[][2] = {
		{ "url", url }, { "server", server }, { "names", names }, { "at", when }
	};
	size_t i;

	buf_time(&t, now_wall() - age);
	buf_text(&t);
	for (i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		if (strcmp(lines[i][0], but) != 0)
			kv_put(&b, lines[i][0], slice(lines[i][1]));
	if (store_write("certs/a.example/pending/order", buf_view(&b)) < 0)
		perror("order");
}

static void
goes_on_with_an_order(void)
{
#define URL "https://ca.example/order/1"
#define SERVER "https://ca.example/dir"
#define NAMES "a.example *.a.example"
	enum { HOUR = 3600, DAY = 24 * HOUR };
	static const struct {
		const char *name, *url, *server, *names;
		int64_t age;
		const char *but;
		int want;
	} table[] = {
		{ "the same order", URL, SERVER, NAMES, 0, "", 1 },
		{ "six days old", URL, SERVER, NAMES, 6 * DAY, "", 1 },
		{ "seven days old", URL, SERVER, NAMES, 7 * DAY - HOUR, "", 1 },
		{ "older", URL, SERVER, NAMES, 7 * DAY + HOUR, "", 0 },
		{ "from a clock that was a little fast", URL, SERVER, NAMES, -DAY + HOUR, "", 1 },
		{ "from the future", URL, SERVER, NAMES, -DAY - HOUR, "", 0 },
		{ "another server", URL, "https://ca.example/di", NAMES, 0, "", 0 },
		{ "another name", URL, SERVER, "a.example *.b.example", 0, "", 0 },
		{ "a name less", URL, SERVER, "a.example", 0, "", 0 },
		{ "a name more", URL, SERVER, NAMES " b.example", 0, "", 0 },
		{ "no server", URL, SERVER, NAMES, 0, "server", 0 },
		{ "no names", URL, SERVER, NAMES, 0, "names", 0 },
		{ "no date", URL, SERVER, NAMES, 0, "at", 0 },
		{ "no URL", URL, SERVER, NAMES, 0, "url", 0 },
	};
	static struct conf c;
	static char long_url[LIMIT_URL + 1];
	size_t i;

	c.names = 2;
	c.name[0] = "a.example";
	c.name[1] = "*.a.example";
	c.server.n = 1;
	c.server.v[0] = SERVER;
	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		write_order(table[i].url, table[i].server, table[i].names, table[i].age, table[i].but);
		strcpy(order.url, "old");
		ok(remembered_order("a.example", &c, &order) == table[i].want &&
		    strcmp(order.url, table[i].want ? URL : "") == 0, table[i].name);
	}
	memset(long_url, 'x', LIMIT_URL);
	write_order(long_url, SERVER, NAMES, 0, "");
	ok(!remembered_order("a.example", &c, &order), "a URL too long");
	write_order(long_url + 1, SERVER, NAMES, 0, "");
	ok(remembered_order("a.example", &c, &order), "the longest one");
	ok(store_write("certs/a.example/pending/order", slice("junk\n")) == 0 &&
	    !remembered_order("a.example", &c, &order), "junk");
	ok(store_remove("certs/a.example/pending/order") == 0 &&
	    !remembered_order("a.example", &c, &order), "no file");
	memset(&order, 0xff, offsetof(struct acme_order, arena));
	strcpy(order.url, URL);
	ok(remember_order("a.example", &c, &order) == 0, "what is remembered");
	ok(remembered_order("a.example", &c, &order) && order.count == 0 && order.idents == 0 &&
	    order.status == ACME_UNKNOWN, "is found, nothing else of it");
	is_str(order.url, URL, "by its URL");
	c.dry_run = 1;
	c.server.v[0] = "letsencrypt";
	ok(!remembered_order("a.example", &c, &order), "not at another server");
}

static void
asks_for_more(void)
{
	static struct conf c;
	char mem[1024];
	struct buf b = BUF(mem);
	const char *at;
	int64_t t;

	c.names = 1;
	c.name[0] = "a.example";
	c.profile = "short lived\"";
	c.not_before = "2027-01-31T12:00:00+01:00";
	order_payload(&b, &c, "aYhb.AIdl");
	is_str(buf_text(&b), "{\"identifiers\":[" DNS("a.example") "],\"profile\":\"short lived\\\"\","
	    "\"notBefore\":\"2027-01-31T11:00:00Z\",\"replaces\":\"aYhb.AIdl\"}", "profile, validity, replaces");
	buf_clear(&b);
	c.profile = c.not_before = 0;
	c.not_after = "+2h";
	order_payload(&b, &c, 0);
	at = strstr(buf_text(&b), "\"notAfter\":\"");
	ok(at && time_rfc3339((struct slice){ at + 12, 20 }, &t) == 0 &&
	    t >= now_wall() + 7190 && t <= now_wall() + 7200, "a time from now");
}

/* What was ordered with other options is not gone on with. */
static void
other_options(void)
{
	static struct conf c;

	c.names = 1;
	c.name[0] = "a.example";
	c.profile = "p";
	c.not_after = "+2h";
	c.server.n = 2;
	c.server.v[0] = "https://a.example/dir";
	c.server.v[1] = "https://b.example/dir";
	c.server_at = 1;
	strcpy(order.url, "https://b.example/order/1");
	ok(remember_order("a.example", &c, &order) == 0 &&
	    remembered_order("a.example", &c, &order), "profile and validity are remembered");
	c.server_at = 0;
	ok(!remembered_order("a.example", &c, &order), "the order is at one server");
	ok(order_server("a.example", &c) == 1, "which is found among several");
	c.server.n = 1;
	ok(order_server("a.example", &c) == -1, "unless it is not wanted any more");
	c.server.n = 2;
	c.profile = "q";
	ok(order_server("a.example", &c) == -1, "another profile");
	c.profile = 0;
	ok(order_server("a.example", &c) == -1, "no profile");
	c.profile = "p";
	c.not_before = "+1h";
	ok(order_server("a.example", &c) == -1, "a start");
	c.not_before = 0;
	c.not_after = "+3h";
	ok(order_server("a.example", &c) == -1, "another end");
	c.not_after = "+2h";
	ok(order_server("a.example", &c) == 1, "the same again");
	ok(order_forget("a.example") == 0 && order_server("a.example", &c) == -1, "until it is forgotten");
}

int
main(void)
{
	umask(077);
	if (!mkdtemp(home)) {
		perror(home);
		return 1;
	}
	atexit(remove_home);
	if (store_open(home, 1) != 0 || store_mkdir("certs/a.example/pending") < 0)
		return 1;
	asks_for_names();
	asks_for_more();
	most_names_fit();
	goes_on_with_an_order();
	other_options();
	return tap_done();
}
