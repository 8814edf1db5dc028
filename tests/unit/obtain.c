/* obtain.c: the order that is sent, the one that is gone on with, and the key that it is for. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../home.h"
#include "../tap.h"
#include "../../obtain.c"

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
		order_payload(&b, &c);
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
	order_payload(&b, &c);
	ok(!b.err, "a hundred of the longest names fit in an order");
	strcpy(order.url, "https://ca.example/order/1");
	ok(remember_order("a.example", &c) == 0 && remembered_order("a.example", &c),
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
		ok(remembered_order("a.example", &c) == table[i].want &&
		    strcmp(order.url, table[i].want ? URL : "") == 0, table[i].name);
	}
	memset(long_url, 'x', LIMIT_URL);
	write_order(long_url, SERVER, NAMES, 0, "");
	ok(!remembered_order("a.example", &c), "a URL too long");
	write_order(long_url + 1, SERVER, NAMES, 0, "");
	ok(remembered_order("a.example", &c), "the longest one");
	ok(store_write("certs/a.example/pending/order", slice("junk\n")) == 0 &&
	    !remembered_order("a.example", &c), "junk");
	ok(store_remove("certs/a.example/pending/order") == 0 &&
	    !remembered_order("a.example", &c), "no file");
	memset(&order, 0xff, offsetof(struct acme_order, arena));
	strcpy(order.url, URL);
	ok(remember_order("a.example", &c) == 0, "what is remembered");
	ok(remembered_order("a.example", &c) && order.count == 0 && order.idents == 0 &&
	    order.status == ACME_UNKNOWN, "is found, nothing else of it");
	is_str(order.url, URL, "by its URL");
	c.dry_run = 1;
	c.server.v[0] = "letsencrypt";
	ok(!remembered_order("a.example", &c), "not at another server");
}

static void
wants_a_type(void)
{
	static const struct {
		const char *name;
		enum key_type want;
	} table[] = {
		{ 0, KEY_EC256 },
		{ "ec256", KEY_EC256 }, { "ec384", KEY_EC384 }, { "rsa2048", KEY_RSA2048 },
		{ "rsa3072", KEY_RSA3072 }, { "rsa4096", KEY_RSA4096 },
	};
	static struct conf c;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		c.key_type = table[i].name;
		ok(wanted_type(&c) == table[i].want, table[i].name ? table[i].name : "no type is ec256");
	}
}

/* Prepares the key for an order; 1 if it is `before`'s, 0 if it is new, -1 failed. */
static int
prepared(const struct conf *c, const struct renewal *st, const struct key *before, int *fresh)
{
	struct pk pk;

	if (prepare_key("a.example", c, st, fresh) != 0)
		return -1;
	key_public(before, &pk);
	return key_same(&key, &pk);
}

static void
keeps_its_key(void)
{
	static struct key first, second;
	static struct renewal st;
	static struct conf c;
	int fresh;

	c.key_type = "ec256";
	ok(prepare_key("a.example", &c, &st, &fresh) == 0 && fresh && key.type == KEY_EC256 &&
	    store_exists("certs/a.example/pending/privkey.pem"), "a new key is on disk at once");
	first = key;
	ok(prepared(&c, &st, &first, &fresh) == 1 && !fresh, "the run after it takes the same");
	c.key_type = "ec384";
	ok(prepared(&c, &st, &first, &fresh) == 0 && fresh && key.type == KEY_EC384,
	    "unless another type is wanted");
	second = key;
	ok(prepared(&c, &st, &second, &fresh) == 1 && !fresh, "which is kept then");
	ok(store_remove("certs/a.example/pending/privkey.pem") == 0 &&
	    prepared(&c, &st, &second, &fresh) == 0 && fresh, "a lost one is made anew");
}

static void
reuses_the_live_key(void)
{
	static struct key live;
	static struct renewal st;
	static struct conf c;
	static char mem[LIMIT_PEM_KEY];
	struct buf pem = BUF(mem);
	struct store_files f = { { 0, 0 }, { "c", 1 }, { "c", 1 }, { "c", 1 } };
	int number = 0, fresh;

	key_generate(&live, KEY_EC256);
	key_write(&live, &pem);
	f.privkey = buf_view(&pem);
	ok(store_stage("a.example", &f, &number) == 0 && store_commit("a.example", number) == 0 &&
	    store_remove("certs/a.example/pending/privkey.pem") == 0, "a live key");
	st.live = number;
	c.reuse_key = 1;
	ok(prepared(&c, &st, &live, &fresh) == 1 && fresh, "is used again if that is wanted");
	store_remove("certs/a.example/pending/privkey.pem");
	c.key_type = "ec256";
	ok(prepared(&c, &st, &live, &fresh) == 1, "if it is of the type");
	store_remove("certs/a.example/pending/privkey.pem");
	c.key_type = "ec384";
	ok(prepared(&c, &st, &live, &fresh) == 0 && key.type == KEY_EC384, "not of another type");
	store_remove("certs/a.example/pending/privkey.pem");
	c.reuse_key = 0;
	c.key_type = 0;
	ok(prepared(&c, &st, &live, &fresh) == 0, "else a new one is made");
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
	most_names_fit();
	goes_on_with_an_order();
	wants_a_type();
	keeps_its_key();
	reuses_the_live_key();
	return tap_done();
}
