/*
 * Unit tests of zone.c, in a DNS that is a table and a time that is a number:
 * ten minutes of waiting take no time.  With real servers: tests/e2e/zone.sh.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>

#include "../tap.h"
#include "../../util.h"
#include "../../dns.h"

static int64_t play_time;
static char warnings[4000];
static unsigned questions;
static int play_dns(struct dns_run *run);

static int64_t
play_now(void)
{
	return play_time;
}

static enum wait
play_wait(int fd, short events, int64_t until)
{
	(void)fd;
	(void)events;
	play_time = until;
	return WAIT_READY;
}

static void
play_warn(const char *part, ...)
{
	struct buf b = BUF(warnings);
	va_list ap;

	b.len = strlen(warnings);
	va_start(ap, part);
	for (; part; part = va_arg(ap, const char *))
		buf_str(&b, part);
	va_end(ap);
	buf_char(&b, '\n');
	buf_text(&b);
}

/* There is no way to IPv6 here. */
static int
play_connect(const struct dns_address *a, int type)
{
	(void)type;
	return a->n == 16 ? -1 : open("/dev/null", O_RDONLY);
}

#define now_ms play_now
#define wait_fd play_wait
#define warn play_warn
#define dns_connect play_connect
#define dns_run(run) play_dns(run)
#include "../../zone.c"
#undef now_ms
#undef wait_fd
#undef warn
#undef dns_connect
#undef dns_run

/*
 * What is answered.  who: the last byte of a server's address, 0 a resolver.
 * records: "SECTION OWNER TYPE DATA;" each.  kind: AA, or how it fails.
 */
enum kind { OK, AA, NX, SERVFAIL, DEAD };
static const struct fact {
	int who;
	const char *name;
	enum dns_type type;
	int since;			/* ms */
	enum kind kind;
	const char *records;
} facts[] = {
	{ 0, "_acme-challenge.a.example", DNS_SOA, 0, NX, "1 a.example SOA 0;" },
	{ 0, "a.example", DNS_NS, 0, OK, "0 a.example NS ns1.example;0 a.example NS ns2.example;" },
	{ 0, "ns1.example", DNS_A, 0, OK, "0 ns1.example A 1;" },
	{ 0, "ns1.example", DNS_AAAA, 0, OK, "0 ns1.example AAAA 1;" },
	{ 0, "ns2.example", DNS_A, 0, OK, "0 ns2.example A 2;" },
	{ 1, "_acme-challenge.a.example", DNS_TXT, 0, AA, "0 _acme-challenge.a.example TXT one;" },
	{ 1, "_acme-challenge.a.example", DNS_TXT, 3000, AA,
	    "0 _acme-challenge.a.example TXT other;0 _acme-challenge.a.example TXT two;" },
	{ 2, "_acme-challenge.a.example", DNS_TXT, 9000, AA,
	    "0 _acme-challenge.A.example TXT two;0 _acme-challenge.a.example TXT one;" },
	/* an alias in another zone, told with the root's SOA too */
	{ 0, "_acme-challenge.b.example", DNS_SOA, 0, OK,
	    "0 _acme-challenge.b.example CNAME x.a.example;1 . SOA 0;1 b.example SOA 0;1 a.example SOA 0;" },
	{ 1, "x.a.example", DNS_TXT, 0, AA, "0 x.a.example TXT one;" },
	{ 2, "x.a.example", DNS_TXT, 0, AA, "0 x.a.example TXT one;" },
	/* no SOA until the parent is asked, and a resolver that fails at first */
	{ 0, "_acme-challenge.c.d.example", DNS_SOA, 0, SERVFAIL, "" },
	{ 0, "_acme-challenge.c.d.example", DNS_SOA, 5000, OK, "" },
	{ 0, "d.example", DNS_SOA, 0, OK, "0 d.example SOA 0;" },
	{ 0, "d.example", DNS_NS, 0, OK, "0 d.example NS ns1.example;" },
	{ 1, "_acme-challenge.c.d.example", DNS_TXT, 0, AA, "0 _acme-challenge.c.d.example TXT one;" },
	/* one that is dead, one that refuses, one without authority */
	{ 0, "_acme-challenge.dead.example", DNS_SOA, 0, NX, "1 dead.example SOA 0;" },
	{ 0, "dead.example", DNS_NS, 0, OK, "0 dead.example NS ns1.example;0 dead.example NS ns3.example;" },
	{ 0, "ns3.example", DNS_A, 0, OK, "0 ns3.example A 3;0 ns3.example A 4;0 ns3.example A 5;" },
	{ 1, "_acme-challenge.dead.example", DNS_TXT, 0, AA, "0 _acme-challenge.dead.example TXT one;" },
	{ 3, "_acme-challenge.dead.example", DNS_TXT, 0, DEAD, "" },
	{ 4, "_acme-challenge.dead.example", DNS_TXT, 0, SERVFAIL, "" },
	{ 5, "_acme-challenge.dead.example", DNS_TXT, 0, OK, "0 _acme-challenge.dead.example TXT one;" },
	/* one whose address is IPv6 only */
	{ 0, "_acme-challenge.six.example", DNS_SOA, 0, NX, "1 six.example SOA 0;" },
	{ 0, "six.example", DNS_NS, 0, OK, "0 six.example NS ns6.example;" },
	{ 0, "ns6.example", DNS_AAAA, 0, OK, "0 ns6.example AAAA 6;" },
	{ 0, "_acme-challenge.silent.example", DNS_SOA, 0, DEAD, "" },
	{ 0, "_acme-challenge.silent.example", DNS_TXT, 0, DEAD, "" },
	{ 0, "txt.example", DNS_TXT, 0, OK,
	    "0 txt.example CNAME y.example;0 y.example TXT abc;0 Y.example TXT de;0 x.example TXT f;1 y.example TXT g;" },
};

static void
put_wire(struct buf *b, const char *name)
{
	size_t n;

	for (; *name && strcmp(name, ".") != 0; name += n + !!name[n]) {
		n = strcspn(name, ".");
		buf_char(b, (int)n);
		buf_mem(b, name, n);
	}
	buf_char(b, 0);
}

static void
put_record(struct buf *b, const char *owner, const char *type, const char *data)
{
	static const struct { const char *name; int type; } types[] = {
		{ "A", DNS_A }, { "AAAA", DNS_AAAA }, { "NS", DNS_NS }, { "CNAME", DNS_CNAME },
		{ "SOA", DNS_SOA }, { "TXT", DNS_TXT },
	};
	char mem[300];
	struct buf d = BUF(mem);
	size_t i;

	for (i = 0; strcmp(types[i].name, type) != 0; i++)
		;
	if (types[i].type == DNS_A || types[i].type == DNS_AAAA) {
		buf_mem(&d, "\xc0\0\2\0\0\0\0\0\0\0\0\0\0\0\0\0", types[i].type == DNS_A ? 4 : 16);
		d.p[d.len - 1] = (char)atoi(data);
	} else if (types[i].type == DNS_TXT) {
		buf_char(&d, (int)strlen(data));
		buf_str(&d, data);
	} else if (types[i].type == DNS_SOA) {
		buf_mem(&d, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 22);
	} else {
		put_wire(&d, data);
	}
	put_wire(b, owner);
	buf_char(b, 0);
	buf_char(b, types[i].type);
	buf_mem(b, "\0\1\0\0\0\0\0", 7);
	buf_char(b, (int)d.len);
	buf_slice(b, buf_view(&d));
}

static void
play_answer(struct dns_answer *a, const struct fact *f, struct buf *b)
{
	char section[4], owner[300], type[8], data[300];
	const char *p = f ? f->records : "";
	int n;

	memset(a, 0, sizeof(*a));
	a->outcome = f && f->kind == DEAD ? DNS_SILENT : f && f->kind == SERVFAIL ? DNS_FAILED : DNS_ANSWER;
	a->rcode = !f || f->kind == NX ? DNS_NXDOMAIN : f->kind == SERVFAIL ? 2 : 0;
	a->authoritative = f && f->kind == AA;
	for (; sscanf(p, "%3s %299s %7s %299[^;];%n", section, owner, type, data, &n) == 4; p += n) {
		put_record(b, owner, type, data);
		a->count[atoi(section)]++;
	}
	a->p = (unsigned char *)b->p;
	a->n = b->len;
}

/* Answers everything at once; silence takes its time, once. */
static int
play_dns(struct dns_run *run)
{
	char mem[2000];
	struct dns_question q;
	struct dns_answer a;
	const struct fact *f;
	int64_t slow = 0;
	size_t i;
	int who;

	while (play_time < run->deadline && run->next(run->ctx, &q)) {
		struct buf b = BUF(mem);

		questions++;
		who = q.recurse ? 0 : q.server->ip[q.server->n - 1];
		f = 0;
		for (i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
			if (facts[i].who == who && facts[i].type == q.type && facts[i].since <= play_time &&
			    strcmp(facts[i].name, q.name) == 0)
				f = &facts[i];
		play_answer(&a, f, &b);
		if (who && !f)
			a.authoritative = 1;
		if (a.outcome == DNS_SILENT)
			slow = q.patience;
		run->done(run->ctx, &q, &a);
	}
	play_time += slow;
	return 0;
}

static void
test_wait(void)
{
	static const struct {
		const char *name;
		struct zone_want want[4];
		unsigned count;
		int least, most;		/* seconds */
		const char *said;		/* in warnings, 0: none */
	} rows[] = {
		{ "one value, at the slower of two", { { "_acme-challenge.a.example", "one" } }, 1, 9, 14, 0 },
		{ "two values at one name, never both at once", { { "_acme-challenge.a.example", "one" },
		    { "_acme-challenge.a.example", "two" } }, 2, 9, 14, 0 },
		{ "an alias in another zone", { { "_acme-challenge.b.example", "one" } }, 1, 0, 0, 0 },
		{ "a resolver that fails at first, no SOA at first", { { "_acme-challenge.c.d.example", "one" } }, 1, 5, 8, 0 },
		{ "servers of no use", { { "_acme-challenge.dead.example", "one" } }, 1, 30, 36,
		    "name server ns3.example (192.0.2.3) does not answer; zone dead.example was not checked there; going on\n"
		    "name server ns3.example (192.0.2.4) answers SERVFAIL; zone dead.example was not checked there; going on\n"
		    "name server ns3.example (192.0.2.5) has no authority; zone dead.example was not checked there; going on\n" },
		{ "a value that never comes", { { "_acme-challenge.a.example", "three" } }, 1, 590, 601,
		    "name server ns1.example (192.0.2.1) lacks the TXT value of _acme-challenge.a.example" },
		{ "servers that cannot be reached", { { "_acme-challenge.six.example", "one" } }, 1, 0, 1,
		    "cannot check the TXT value of _acme-challenge.six.example: no name server of six.example can be reached;"
		    " --wait SECONDS waits a fixed time instead\n" },
		{ "zones that are not there", { { "_acme-challenge.e.invalid", "one" }, { "_acme-challenge.f.invalid", "one" },
		    { "_acme-challenge.b.example", "one" } }, 3, 0, 1,
		    "cannot check the TXT value of _acme-challenge.e.invalid and of 1 other: its zone is not in the DNS" },
		{ "resolvers that are silent", { { "_acme-challenge.silent.example", "one" } }, 1, 10, 31,
		    "the resolvers do not answer: " },
		{ "a name that is none", { { "a..b", "one" } }, 1, 0, 1, "cannot check the TXT value of a..b: " },
	};
	size_t i;
	int took;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		play_time = 0;
		warnings[0] = 0;
		ok(zone_wait(rows[i].want, rows[i].count, 0, 600) == 0, rows[i].name);
		took = (int)(play_time / 1000);
		if (!ok(took >= rows[i].least && took <= rows[i].most, "ends in time"))
			printf("# after %d s\n", took);
		if (!ok(rows[i].said ? strstr(warnings, rows[i].said) != 0 : !*warnings, "and says what it could not see"))
			printf("# %s\n", warnings);
	}
}

/* A hundred names in one zone: its servers are looked for once. */
static void
test_many(void)
{
	static char text[LIMIT_NAMES][40];
	struct zone_want want[LIMIT_NAMES];
	unsigned i;

	for (i = 0; i < LIMIT_NAMES; i++) {
		snprintf(text[i], sizeof(text[i]), "_acme-challenge.%s.example", i % 2 ? "b" : "a");
		want[i].record = text[i];
		want[i].value = "one";
	}
	questions = 0;
	play_time = 0;
	warnings[0] = 0;
	ok(zone_wait(want, LIMIT_NAMES, 0, 600) == 0 && !*warnings, "a hundred values");
	if (!ok(questions < 30, "few questions for two names"))
		printf("# %u\n", questions);
	ok(zones == 1 && hosts == 2 && servers == 2, "one zone, two servers");
	play_time = 0;
	ok(zone_wait(want, LIMIT_NAMES, 6, 600) == 0 && hosts == 2 && servers == 0, "only IPv6, which is not there");
}

static void
count_value(void *ctx, struct slice s)
{
	*(unsigned *)ctx += (unsigned)s.n;
}

static void
test_txt(void)
{
	unsigned bytes = 0;

	play_time = 0;
	ok(zone_txt("_acme-challenge.none.example", 0, 1000, count_value, &bytes) == 0, "no values");
	ok(zone_txt("a..b", 0, 1000, count_value, &bytes) == 0, "no name");
	ok(zone_txt("a.example", 0, play_time - 1, count_value, &bytes) == -1, "too late");
	ok(zone_txt("_acme-challenge.silent.example", 0, 1000, count_value, &bytes) == -1, "no answer");
	ok(bytes == 0, "nothing was handed on");
	play_time = 0;
	ok(zone_txt("txt.example", 0, 1000, count_value, &bytes) == 2 && bytes == 5, "two values, behind an alias");
}

int
main(void)
{
	test_wait();
	test_many();
	test_txt();
	return tap_done();
}
