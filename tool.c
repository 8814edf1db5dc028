/*
 * tool.c - the small tools for shell.  What they print is for scripts: values
 * alone, one a line, printable.
 */
#include <string.h>

#include "dns.h"
#include "out.h"
#include "resolve.h"
#include "tool.h"
#include "util.h"

static const struct {
	const char *name;
	enum dns_type type;
} types[] = {
	{ "A", DNS_A },
	{ "AAAA", DNS_AAAA },
	{ "CAA", DNS_CAA },
	{ "CNAME", DNS_CNAME },
	{ "NS", DNS_NS },
	{ "SOA", DNS_SOA },
	{ "TXT", DNS_TXT },
};
enum { TYPES = sizeof(types) / sizeof(types[0]) };

/* One question of acme dns, and what came of it. */
struct query {
	const char *type, *server;
	char name[LIMIT_NAME + 1];	/* without a final dot */
	struct dns_question question;
	struct dns_address address[RESOLVE_MAX];
	int asked, status;
};

static int
find_type(struct query *q)
{
	char mem[128];
	struct buf all = BUF(mem);
	size_t i;

	for (i = 0; i < TYPES; i++) {
		if (slice_is_nocase(slice(q->type), types[i].name)) {
			q->type = types[i].name;
			q->question.type = types[i].type;
			return 0;
		}
		buf_all(&all, " ", types[i].name, (char *)0);
	}
	return fail(ST_USAGE, "no such type of record: ", q->type, "; there are",
	    buf_text(&all), (char *)0);
}

/* HOST, HOST:PORT, [ADDRESS]:PORT; an address with several colons stands for itself.  0 or -1. */
static int
split_server(const char *text, char host[LIMIT_NAME + 1], unsigned *port)
{
	const char *end = strchr(text, ':'), *colon = end;
	uint64_t number = DNS_PORT;
	struct slice s;

	if (*text == '[') {
		text++;
		end = strchr(text, ']');
		if (!end || (end[1] && end[1] != ':'))
			return -1;
		colon = end[1] ? end + 1 : 0;
	} else if (colon && strchr(colon + 1, ':')) {
		end = colon = 0;
	}
	s.p = text;
	s.n = end ? (size_t)(end - text) : strlen(text);
	if (colon && slice_uint(slice(colon + 1), &number))
		return -1;
	*port = (unsigned)number;
	return number < 1 || number > 65535 || !s.n ? -1 : slice_copy(s, host, LIMIT_NAME + 1);
}

/* Whom to ask: the system's resolvers, or one server. */
static int
find_server(struct query *q, int family, int64_t deadline)
{
	char host[LIMIT_NAME + 1], mem[256];
	struct buf why = BUF(mem);
	unsigned port;
	int n;

	resolve_load(family);
	resolve_ask(&q->question);
	if (!q->server)
		return 0;
	if (split_server(q->server, host, &port))
		return fail(ST_USAGE, "not a DNS server: ", q->server,
		    "; give an address or a name, as in 192.0.2.1, [2001:db8::1]:53, ns.example.com", (char *)0);
	n = resolve_host(q->address, host, port, family, deadline, &why);
	if (n == -2)
		return fail(ST_NET, "interrupted", (char *)0);
	if (n < 0)
		return fail(ST_NET, "cannot resolve ", host, ": ", buf_text(&why), (char *)0);
	q->question.server = q->address;
	q->question.servers = (unsigned)n;
	return 0;
}

static int
next(void *ctx, struct dns_question *question)
{
	struct query *q = ctx;

	*question = q->question;
	return !q->asked++;
}

static int
no_answer(const struct query *q, const struct dns_answer *a)
{
	char mem[256];
	struct buf who = BUF(mem);

	if (q->server)
		buf_str(&who, q->server);
	else
		resolve_servers(&who);
	if (a->outcome == DNS_FAILED)
		return fail(ST_NET, buf_text(&who), " answers ", dns_rcode(a->rcode), " for ",
		    q->name, " ", q->type, (char *)0);
	return fail(ST_NET, "no answer from ", buf_text(&who), a->error ? ": " : "",
	    a->error ? strerror(a->error) : "", (char *)0);
}

static void
done(void *ctx, const struct dns_question *question, const struct dns_answer *a)
{
	struct query *q = ctx;
	struct dns_record r;
	char final[DNS_NAME];
	int alias;

	if (a->outcome != DNS_ANSWER) {
		q->status = no_answer(q, a);
		return;
	}
	slice_copy(slice(q->name), final, sizeof(final));
	if (question->type != DNS_CNAME)
		dns_final(a, q->name, final);
	memset(&r, 0, sizeof(r));
	while (dns_next(a, &r) && r.section == 0) {
		if (r.type != question->type || !dns_below(r.owner, final) || !dns_below(final, r.owner))
			continue;
		q->status = ST_OK;
		dns_value(out_buf(), a, &r);
		buf_char(out_buf(), '\n');
	}
	if (q->status == ST_OK)
		return;
	alias = strcmp(final, q->name) != 0;
	if (a->rcode == DNS_NXDOMAIN)
		fail(ST_REFUSED, "no such name: ", q->name, alias ? ", an alias of " : "",
		    alias ? final : "", (char *)0);
	else
		fail(ST_REFUSED, q->name, alias ? ", an alias of " : "", alias ? final : "",
		    alias ? "," : "", " has no ", q->type, " record", (char *)0);
}

int
tool_dns(const char *type, const char *name, const char *server, int family, unsigned timeout)
{
	struct query q;
	struct dns_run run = { now_ms() + (int64_t)timeout * 1000, next, done, &q };
	struct slice plain = slice(name);
	int status;

	if (plain.n > 1 && name[plain.n - 1] == '.')
		plain.n--;
	memset(&q, 0, sizeof(q));
	q.type = type;
	q.question.name = q.name;
	q.server = server;
	q.status = ST_REFUSED;
	status = find_type(&q);
	if (!status && (dns_name(name) || slice_copy(plain, q.name, sizeof(q.name))))
		status = fail(ST_USAGE, "not a name for the DNS: ", name, (char *)0);
	if (!status)
		status = find_server(&q, family, run.deadline);
	if (status)
		return status;
	if (dns_run(&run))
		return fail(ST_NET, "interrupted", (char *)0);
	return q.asked ? q.status : fail(ST_NET, "timed out", (char *)0);
}
