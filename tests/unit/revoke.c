/* revoke.c: what is revoked, and why. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../home.h"
#include "../tap.h"
#include "../../revoke.c"

/* Bytes whose base64 has +, / and padding, which base64url has not: -__-AQ. */
#define PEM "-----BEGIN CERTIFICATE-----\n+//+AQ==\n-----END CERTIFICATE-----\n"
#define OTHER "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n"
#define KEY "-----BEGIN PRIVATE KEY-----\nAQID\n-----END PRIVATE KEY-----\n"

static void
says_what_and_why(void)
{
	static const struct {
		const char *name, *pem, *reason, *want;	/* want 0: refused */
	} table[] = {
		{ "a certificate", PEM, 0, "{\"certificate\":\"-__-AQ\"}" },
		{ "the first of a chain", PEM OTHER, 0, "{\"certificate\":\"-__-AQ\"}" },
		{ "text before it", "Subject: x\n" PEM, 0, "{\"certificate\":\"-__-AQ\"}" },
		{ "reason 0", PEM, "unspecified", "{\"certificate\":\"-__-AQ\",\"reason\":0}" },
		{ "reason 1", PEM, "keyCompromise", "{\"certificate\":\"-__-AQ\",\"reason\":1}" },
		{ "in any case", PEM, "KEYCOMPROMISE", "{\"certificate\":\"-__-AQ\",\"reason\":1}" },
		{ "reason 3", PEM, "affiliationChanged", "{\"certificate\":\"-__-AQ\",\"reason\":3}" },
		{ "reason 4", PEM, "superseded", "{\"certificate\":\"-__-AQ\",\"reason\":4}" },
		{ "reason 5", PEM, "cessationOfOperation", "{\"certificate\":\"-__-AQ\",\"reason\":5}" },
		{ "nothing", "", 0, 0 },
		{ "no PEM", "\x30\x03\x02\x01\x01", 0, 0 },
		{ "half of it", "-----BEGIN CERTIFICATE-----\n+//+AQ==\n", 0, 0 },
		{ "a key", KEY, 0, 0 },
		{ "a key before it", KEY PEM, 0, 0 },
	};
	static struct conf c;
	char mem[256];
	size_t i;
	int r;

	hush(1);
	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct buf b = BUF(mem);

		c.reason = table[i].reason;
		r = revoke_payload(&b, &c, slice(table[i].pem), "some/file");
		if (table[i].want)
			is_str(r == 0 ? buf_text(&b) : "refused", table[i].want, table[i].name);
		else
			ok(r == ST_CONFIG && strstr(last_failure(), "some/file") && b.len == 0,
			    table[i].name);
	}
	hush(0);
}

static void
finds_what_is_meant(void)
{
	static const struct store_files f = {
		{ "key", 3 }, { PEM, sizeof(PEM) - 1 }, { "", 0 }, { PEM, sizeof(PEM) - 1 }
	};
	static char mem[LIMIT_CHAIN];
	struct buf b = BUF(mem);
	char path[LIMIT_PATH];
	const char *name;
	int number = 0;

	ok(store_stage("a.example", &f, &number) == 0 && store_commit("a.example", number) == 0,
	    "a certificate");
	ok(find_certificate("a.example", &b, &name) == 0 && name && slice_is(buf_view(&b), PEM),
	    "is found by its name");
	is_str(name ? name : "", "a.example", "which is told");
	snprintf(path, sizeof(path), "%s/other.pem", store_home());
	ok(store_write("other.pem", slice(OTHER)) == 0, "a file");
	buf_clear(&b);
	ok(find_certificate(path, &b, &name) == 0 && !name && slice_is(buf_view(&b), OTHER),
	    "is found by its path");
	buf_clear(&b);
	snprintf(path, sizeof(path), "%s/same.pem", store_home());
	ok(store_write("same.pem", slice("Subject: a\r\n-----BEGIN CERTIFICATE-----\r\n+//+AQ==\r\n"
	    "-----END CERTIFICATE-----\r\n" OTHER)) == 0, "a copy of the certificate, written otherwise");
	buf_clear(&b);
	ok(find_certificate(path, &b, &name) == 0 && name && strcmp(name, "a.example") == 0,
	    "is known to be that");
	buf_clear(&b);
	hush(1);
	ok(find_certificate("none.example", &b, &name) == ST_CONFIG && !name &&
	    strstr(last_failure(), "none.example"), "neither");
	hush(0);
}

/* At which CA: the one given, else the one that it came from, else what conf says. */
static void
asks_where_it_came_from(void)
{
	static const struct {
		const char *name, *given, *came, *want;
	} table[] = {
		{ "from there", 0, "https://came.example/dir", "https://came.example/dir" },
		{ "given", "https://given.example/dir", "https://came.example/dir", "https://given.example/dir" },
		{ "unknown", 0, "", "https://conf.example/dir" },
	};
	static struct renewal kept;
	static struct conf c, all;
	size_t i;

	ok(store_write("certs/a.example/conf", slice("domain=a.example\nserver=https://conf.example/dir\n"
	    "account=label\n")) == 0, "a certificate with a conf");
	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		c.server.n = table[i].given != 0;
		c.server.v[0] = table[i].given;
		slice_copy(slice(table[i].came), kept.server, sizeof(kept.server));
		renewal_write("a.example", &kept);
		ok(options("a.example", &c, &all) == 0 && strcmp(conf_directory(&all), table[i].want) == 0 &&
		    strcmp(all.account, "label") == 0, table[i].name);
	}
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
	if (store_open(home, 1) != 0 || store_mkdir("certs/a.example") < 0)
		return 1;
	says_what_and_why();
	finds_what_is_meant();
	asks_where_it_came_from();
	return tap_done();
}
