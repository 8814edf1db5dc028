/*
 * Unit tests of resolve.c: the files of the system, the order in which names
 * are tried, and what is said; the DNS is a table.
 */
#include <stdlib.h>
#include <unistd.h>

#include "../tap.h"
#include "../../dns.h"

static int play_dns(struct dns_run *run);

#define dns_run(run) play_dns(run)
#include "../../resolve.c"
#undef dns_run

static char path[] = "/tmp/acme-test-XXXXXX";

/* A file with that text, at path. */
static void
put_file(const char *text)
{
	FILE *f = fopen(path, "w");

	if (!f || fputs(text, f) < 0 || fclose(f) != 0)
		printf("Bail out! no file\n");
}

/* Names asked for, and how that goes: "a.b " each. */
static char asked[1000];
static enum dns_outcome outcome;
static unsigned rcode;

/* Only www.b.example and both.example have addresses: this one A, one AAAA. */
static int
play_dns(struct dns_run *run)
{
	static const unsigned char record[] = "\1x\0\0\1\0\1\0\0\0\0\0\4\xc0\0\2\1"
	    "\1x\0\0\x1c\0\1\0\0\0\0\0\x10\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1";
	static unsigned char message[100];
	struct dns_question q;
	struct dns_answer a;
	struct buf b = BUF(asked);
	size_t from, n, len;

	while (run->next(run->ctx, &q)) {
		b.len = strlen(asked);
		buf_all(&b, q.name, q.type == DNS_A ? "/4 " : "/6 ", (char *)0);
		buf_text(&b);
		memset(&a, 0, sizeof(a));
		a.outcome = outcome;
		a.rcode = rcode;
		if (strcmp(q.name, "www.b.example") == 0 || strcmp(q.name, "both.example") == 0) {
			/* the name, from "www.b.example" to labels, then the record without its "x" */
			for (n = 0; q.name[n]; n += len + !!q.name[n + len]) {
				len = strcspn(q.name + n, ".");
				message[n] = (unsigned char)len;
				memcpy(message + n + 1, q.name + n, len);
			}
			message[++n - 0] = 0;
			from = q.type == DNS_A ? 3 : 20;
			len = q.type == DNS_A ? 14 : 26;
			memcpy(message + n + 1, record + from, len);
			a.p = message;
			a.n = n + 1 + len;
			a.rcode = 0;
			a.count[0] = 1;
		}
		run->done(run->ctx, &q, &a);
	}
	return 0;
}

static void
test_conf(void)
{
	static const struct {
		const char *name, *text, *servers, *search;
		int family;
		unsigned ndots, timeout, attempts;
	} rows[] = {
		{ "an empty file", "", "127.0.0.1", "", 0, 1, 5, 2 },
		{ "one server", "nameserver 192.0.2.1\n", "192.0.2.1", "", 0, 1, 5, 2 },
		{ "no end of line", "nameserver 192.0.2.1", "192.0.2.1", "", 0, 1, 5, 2 },
		{ "four, of which three count", "nameserver ::1\nnameserver\t192.0.2.2 \r\nnameserver 192.0.2.3\nnameserver 192.0.2.4\n",
		    "::1, 192.0.2.2, 192.0.2.3", "", 0, 1, 5, 2 },
		{ "comments, and what is not known", "# nameserver 192.0.2.9\n; x\nnameserver 192.0.2.1 # here\nsortlist x\nnameserver x\n\n",
		    "192.0.2.1", "", 0, 1, 5, 2 },
		{ "the last search list counts", "search a b\ndomain c\nsearch x.example y.example\n", "127.0.0.1", "x.example y.example", 0, 1, 5, 2 },
		{ "options", "options ndots:3 timeout:1 attempts:4 rotate\noptions timeout:2\n", "127.0.0.1", "", 0, 3, 2, 4 },
		{ "options out of range", "options ndots:99 timeout:0 attempts:999999999999999999\n", "127.0.0.1", "", 0, 15, 1, 5 },
		{ "options that are none", "options ndots:-1 timeout: attempts:x\n", "127.0.0.1", "", 0, 1, 5, 2 },
		{ "IPv4 wanted", "nameserver ::1\nnameserver 192.0.2.1\n", "192.0.2.1", "", 4, 1, 5, 2 },
		{ "IPv6 wanted", "nameserver ::1\nnameserver 192.0.2.1\n", "::1", "", 6, 1, 5, 2 },
		{ "IPv6 wanted, but none there", "nameserver 192.0.2.1\n", "192.0.2.1", "", 6, 1, 5, 2 },
	};
	char mem[200], longline[3000];
	struct buf b = BUF(mem);
	struct dns_question q;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		put_file(rows[i].text);
		resolve_load(rows[i].family);
		buf_clear(&b);
		resolve_servers(&b);
		is_str(buf_text(&b), rows[i].servers, rows[i].name);
		is_str(conf.search, rows[i].search, "its search list");
		resolve_ask(&q);
		ok(conf.ndots == rows[i].ndots && q.patience == rows[i].timeout * rows[i].attempts * 1000 && q.recurse, "its options");
	}
	memset(longline, 'x', sizeof(longline));
	memcpy(longline + 2900, "\nnameserver 192.0.2.7\n", 23);
	put_file(longline);
	resolve_load(0);
	ok(conf.servers == 1 && conf.server[0].ip[3] == 7, "a line of 2900 bytes");
	conf_file = "/nonexistent";
	resolve_load(0);
	ok(conf.servers == 1 && conf.server[0].ip[0] == 127, "no file");
	conf_file = path;
}

static void
test_hosts(void)
{
	static const struct { const char *name; int family, n; const char *first; } rows[] = {
		{ "one", 0, 1, "192.0.2.1" }, { "ONE.example", 0, 1, "192.0.2.1" }, { "two", 0, 2, "::2" }, { "two", 4, 1, "192.0.2.2" },
		{ "two", 6, 1, "::2" }, { "localhost", 4, 1, "127.0.0.5" }, { "localhost", 6, 1, "::1" }, { "a.localhost", 0, 2, "::1" },
		{ "192.0.2.9", 0, 1, "192.0.2.9" }, { "2001:DB8::1", 0, 1, "2001:db8::1" }, { "192.0.2.9", 6, -1, "it has no IPv6 address" },
		{ "::1", 4, -1, "it has no IPv4 address" },
	};
	struct dns_address out[RESOLVE_MAX];
	char mem[200];
	struct buf b = BUF(mem);
	size_t i;
	int n;

	put_file("192.0.2.1\tone.example one # a comment with two\n192.0.2.2 two\n::2 two\n127.0.0.5 localhost\nx bad\n");
	hosts_file = path;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_clear(&b);
		asked[0] = 0;
		n = resolve_host(out, rows[i].name, 53, rows[i].family, now_ms() + 1000, &b);
		if (n > 0)
			dns_address_text(&b, out);
		ok(n == rows[i].n && !*asked, rows[i].name);
		is_str(buf_text(&b), rows[i].first, "its first address, or why there is none");
	}
	hosts_file = "/nonexistent";
}

static void
test_search(void)
{
	static const struct {
		const char *host;
		int family, n;
		enum dns_outcome outcome;
		unsigned rcode;
		const char *asked, *why;
	} rows[] = {
		{ "www", 4, 1, DNS_ANSWER, 3, "www.a.example/4 www.b.example/4 ", "" },
		{ "www", 0, 2, DNS_ANSWER, 3, "www.a.example/6 www.a.example/4 www.b.example/6 www.b.example/4 ", "" },
		{ "both.example", 0, 2, DNS_ANSWER, 3, "both.example/6 both.example/4 ", "" },
		{ "x", 6, -1, DNS_ANSWER, 3, "x.a.example/6 x.b.example/6 x/6 ", "no such host" },
		{ "x.y", 6, -1, DNS_ANSWER, 3, "x.y/6 ", "no such host" },
		{ "x.", 6, -1, DNS_ANSWER, 3, "x./6 ", "no such host" },
		{ "x.y", 6, -1, DNS_ANSWER, 0, "x.y/6 ", "it has no IPv6 address" },
		{ "x.y", 0, -1, DNS_ANSWER, 0, "x.y/6 x.y/4 ", "it has no address" },
		{ "x", 4, -1, DNS_SILENT, 0, "x.a.example/4 ", "no answer from the name servers (192.0.2.1, 192.0.2.2)" },
		{ "x.y", 4, -1, DNS_FAILED, 2, "x.y/4 ", "the name servers (192.0.2.1, 192.0.2.2) answer SERVFAIL" },
		{ "x y", 4, -1, DNS_ANSWER, 3, "", "no such host" },
		{ "", 4, -1, DNS_ANSWER, 3, ".a.example", "no such host" },
	};
	struct dns_address out[RESOLVE_MAX];
	char mem[200];
	struct buf b = BUF(mem);
	size_t i;
	int n;

	put_file("nameserver 192.0.2.1\nnameserver 192.0.2.2\nsearch a.example b.example\n");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_clear(&b);
		asked[0] = 0;
		outcome = rows[i].outcome;
		rcode = rows[i].rcode;
		n = resolve_host(out, rows[i].host, 443, rows[i].family, now_ms() + 1000, &b);
		if (!ok(n == rows[i].n && (n < 0 || (out[0].port == 443 && out[n - 1].n == 4)), rows[i].host))
			printf("# %d\n", n);
		if (*rows[i].host)
			is_str(asked, rows[i].asked, "what is asked for");
		is_str(buf_text(&b), rows[i].why, "and what is said");
	}
}

static void
test_interleave(void)
{
	static const struct {
		const char *name;
		unsigned v6, v4;
		const char *want;		/* address families in their order */
	} rows[] = {
		{ "only v4", 0, 3, "444" },
		{ "only v6", 2, 0, "66" },
		{ "as many", 3, 3, "646464" },
		{ "many and one", 4, 1, "64666" },
		{ "one and many", 1, 3, "6444" },
		{ "at most sixteen", 16, 0, "6666666666666666" },
		{ "at most sixteen of both", 16, 3, "6464646666666666" },
	};
	static const unsigned char v4[4];
	struct dns_address out[RESOLVE_MAX], a;
	struct lookup l;
	char got[RESOLVE_MAX + 1];
	size_t i;
	unsigned k;
	int n;

	memset(&a, 0, sizeof(a));
	memcpy(a.ip, v4, sizeof(v4));
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(&l, 0, sizeof(l));
		for (k = 0; k < 20; k++) {	/* more than there is room for are left out */
			a.n = 16;
			if (k < rows[i].v6 || rows[i].v6 == RESOLVE_MAX)
				add(&l, &a);
			a.n = 4;
			if (k < rows[i].v4)
				add(&l, &a);
		}
		n = interleave(out, &l);
		for (k = 0; k < (unsigned)n; k++)
			got[k] = out[k].n == 4 ? '4' : '6';
		got[k] = 0;
		is_str(got, rows[i].want, rows[i].name);
	}
}

int
main(void)
{
	int fd = mkstemp(path);

	close(fd);
	conf_file = path;
	hosts_file = "/nonexistent";
	test_conf();
	test_hosts();
	test_search();
	test_interleave();
	unlink(path);
	return tap_done();
}
