/*
 * zone.c - what the DNS says of a name.  To wait for a record, its zone is
 * found through the system's resolvers (the SOA that answers or refuses the
 * name behind CNAMEs, RFC 2308 3), then the zone's servers and their addresses; these
 * are asked directly, without recursion.  One table each for records, zones, hosts and
 * servers, so that names that share a zone, or zones that share servers, cost
 * one look-up; everything that can be asked is asked at once (dns_run()).
 *
 * What a server has shown once is not asked again.  A server that has not
 * answered with authority for a while (dead, unreachable, not set up for the zone)
 * is not waited for when all others are done: a CA gets around it, too.
 */
#include <sys/socket.h>

#include <string.h>
#include <unistd.h>

#include "dns.h"
#include "resolve.h"
#include "util.h"
#include "zone.h"

enum {
	HOSTS = 128, SERVERS = 256,	/* more are not asked */
	FIND_TIME = 20000, FIND_PAUSE = 2000,	/* ms for finding zones, between failures */
	FIRST_PAUSE = 500, LONGEST_PAUSE = 5000,	/* ms between rounds */
	PATIENCE = 2000,		/* ms for one question */
	SILENCE = 30000,		/* ms after which a server is not waited for */
	VALUE = 4096			/* bytes of a TXT value */
};

enum state { TO_ASK, ASKED, AGAIN, DONE };

static struct record {		/* one for each wanted value */
	char name[LIMIT_NAME + 1];	/* of the record; then what its CNAMEs lead to */
	size_t suffix;			/* where in name the part begins whose SOA is asked for */
	enum state state;
	int zone;			/* -1: not found */
	unsigned first;			/* index of the first with the same record */
	unsigned char seen[SERVERS / 8];	/* servers that have the value */
} record[LIMIT_NAMES];

static struct zone {
	char name[LIMIT_NAME + 1];
	enum state state;
	unsigned char hosts[HOSTS / 8];
} zone[LIMIT_NAMES];

static struct host {
	char name[LIMIT_NAME + 1];
	enum state state[2];		/* AAAA, A */
} host[HOSTS];

static struct server {
	struct dns_address address;
	unsigned host;
	int64_t heard;			/* when it last answered with authority, at first: when asking began */
	int skip;			/* no answer of use in this round */
	struct dns_answer last;
} server[SERVERS];

static unsigned records, zones, hosts, servers;
static const struct zone_want *wanted;
static struct dns_answer failure;	/* the last one of a resolver */

static int
bit(const unsigned char *set, unsigned i)
{
	return set[i / 8] >> i % 8 & 1;
}

static void
set_bit(unsigned char *set, unsigned i)
{
	set[i / 8] |= (unsigned char)(1u << i % 8);
}

/* --- the tables --- */

/* The index of a zone, added if it is new; -1 if that cannot be. */
static int
zone_index(const char *name)
{
	unsigned i;

	for (i = 0; i < zones; i++)
		if (slice_is_nocase(slice(name), zone[i].name))
			return (int)i;
	if (zones == LIMIT_NAMES || slice_copy(slice(name), zone[i].name, sizeof(zone[i].name)))
		return -1;
	zone[i].state = TO_ASK;
	memset(zone[i].hosts, 0, sizeof(zone[i].hosts));
	return (int)zones++;
}

static void
add_host(struct zone *z, const char *name, int family)
{
	unsigned i;

	for (i = 0; i < hosts; i++)
		if (slice_is_nocase(slice(name), host[i].name))
			break;
	if (i == HOSTS || dns_name(name) || slice_copy(slice(name), host[i].name, sizeof(host[i].name))) {
		warn("name server ", name, " of ", z->name, " is not asked: ",
		    i == HOSTS ? "too many" : "no host name", (char *)0);
		return;
	}
	if (i == hosts) {
		hosts++;
		host[i].state[0] = family == 4 ? DONE : TO_ASK;
		host[i].state[1] = family == 6 ? DONE : TO_ASK;
	}
	set_bit(z->hosts, i);
}

/* An address to which there is no way from here is left out. */
static void
add_server(unsigned of, const struct dns_address *a)
{
	struct server *s = &server[servers];
	int fd;

	if (servers == SERVERS)
		return;
	fd = dns_connect(a, SOCK_DGRAM);
	if (fd < 0)
		return;
	close(fd);
	memset(s, 0, sizeof(*s));
	s->address = *a;
	s->host = of;
	s->last.outcome = DNS_SILENT;
	servers++;
}

/* 1 if server s is one of the zone of record r. */
static int
serves(const struct server *s, const struct record *r)
{
	return r->zone >= 0 && bit(zone[r->zone].hosts, s->host);
}

/* --- finding zones, hosts and servers --- */

static int
find_question(struct dns_question *q, const char *name, enum dns_type type, unsigned tag)
{
	resolve_ask(q);
	q->name = name;
	q->type = type;
	q->tag = tag;
	return 1;
}

static int
find_next(void *ctx, struct dns_question *q)
{
	unsigned i, k;

	(void)ctx;
	for (i = 0; i < records; i++)
		if (record[i].first == i && record[i].state == TO_ASK) {
			record[i].state = ASKED;
			return find_question(q, record[i].name + record[i].suffix, DNS_SOA, i);
		}
	for (i = 0; i < zones; i++)
		if (zone[i].state == TO_ASK) {
			zone[i].state = ASKED;
			return find_question(q, zone[i].name, DNS_NS, i);
		}
	for (i = 0; i < hosts; i++)
		for (k = 0; k < 2; k++)
			if (host[i].state[k] == TO_ASK) {
				host[i].state[k] = ASKED;
				return find_question(q, host[i].name, k ? DNS_A : DNS_AAAA, i);
			}
	return 0;
}

/*
 * The zone is the owner of the SOA, be it the answer or what comes with
 * "there is none"; otherwise that of the parent is asked for.  The root is no
 * zone to wait for: it only means that there is none.
 */
static void
found_soa(struct record *r, const struct dns_answer *a)
{
	char name[DNS_NAME];
	struct dns_record rr;
	const char *dot;

	r->state = DONE;
	if (r->suffix == 0) {
		dns_final(a, r->name, name);
		if (dns_name(name) || slice_copy(slice(name), r->name, sizeof(r->name)))
			return;
	}
	memset(&rr, 0, sizeof(rr));
	while (r->zone < 0 && dns_next(a, &rr))
		if (rr.type == DNS_SOA && strcmp(rr.owner, ".") != 0 && dns_below(r->name, rr.owner))
			r->zone = zone_index(rr.owner);
	if (r->zone >= 0)
		return;
	dot = strchr(r->name + r->suffix, '.');
	if (!dot || !dot[1])
		return;
	r->suffix = (size_t)(dot + 1 - r->name);
	r->state = TO_ASK;
}

static void
found_ns(struct zone *z, const struct dns_answer *a, int family)
{
	struct dns_record rr;
	char name[DNS_NAME];

	z->state = DONE;
	memset(&rr, 0, sizeof(rr));
	while (dns_next(a, &rr) && rr.section == 0)
		if (rr.type == DNS_NS && slice_is_nocase(slice(rr.owner), z->name)) {
			dns_target(a, &rr, name);
			add_host(z, name, family);
		}
}

/* Where the servers of zones listen; another one in tests. */
static unsigned server_port = DNS_PORT;

static void
found_address(unsigned of, const struct dns_question *q, const struct dns_answer *a)
{
	struct dns_record rr;
	struct dns_address address;
	char name[DNS_NAME];

	host[of].state[q->type == DNS_A] = DONE;
	dns_final(a, q->name, name);
	memset(&rr, 0, sizeof(rr));
	while (dns_next(a, &rr) && rr.section == 0) {
		if (rr.type != q->type || !slice_is_nocase(slice(rr.owner), name))
			continue;
		memset(&address, 0, sizeof(address));
		address.n = (unsigned char)rr.n;
		address.port = server_port;
		memcpy(address.ip, a->p + rr.at, rr.n);
		add_server(of, &address);
	}
}

static void
find_done(void *ctx, const struct dns_question *q, const struct dns_answer *a)
{
	int good = a->outcome == DNS_ANSWER;

	if (!good)
		failure = *a;
	if (q->type == DNS_SOA && good)
		found_soa(&record[q->tag], a);
	else if (q->type == DNS_SOA)
		record[q->tag].state = AGAIN;
	else if (q->type == DNS_NS && good)
		found_ns(&zone[q->tag], a, *(int *)ctx);
	else if (q->type == DNS_NS)
		zone[q->tag].state = AGAIN;
	else if (good)
		found_address(q->tag, q, a);
	else
		host[q->tag].state[q->type == DNS_A] = AGAIN;
}

static int
once_more(enum state *state)
{
	if (*state != AGAIN)
		return 0;
	*state = TO_ASK;
	return 1;
}

/* What got no answer is to be asked again; how much that is. */
static int
retry(void)
{
	unsigned i;
	int n = 0;

	for (i = 0; i < records; i++)
		n += once_more(&record[i].state);
	for (i = 0; i < zones; i++)
		n += once_more(&zone[i].state);
	for (i = 0; i < hosts; i++)
		n += once_more(&host[i].state[0]) + once_more(&host[i].state[1]);
	return n;
}

/* Fills the tables: 0, or -1: a stop signal. */
static int
find(int family, int64_t deadline)
{
	struct dns_run run = { deadline, find_next, find_done, &family };
	unsigned i;

	for (;;) {
		if (dns_run(&run))
			return -1;
		if (!retry() || now_ms() + FIND_PAUSE >= deadline)
			break;
		if (wait_fd(-1, 0, now_ms() + FIND_PAUSE) == WAIT_SIGNAL)
			return -1;
	}
	for (i = 0; i < records; i++) {
		record[i].zone = record[record[i].first].zone;
		record[i].state = record[record[i].first].state;
	}
	return 0;
}

/* --- asking servers --- */

static int64_t began;

/* 1 if server s is to show something for the record of r[first]. */
static int
lacks(unsigned s, unsigned first)
{
	unsigned i;

	if (!serves(&server[s], &record[first]))
		return 0;
	for (i = first; i < records; i++)
		if (record[i].first == first && !bit(record[i].seen, s))
			return 1;
	return 0;
}

/* ctx: the pair of record and server that comes next. */
static int
poll_next(void *ctx, struct dns_question *q)
{
	unsigned *at = ctx, r, s;

	for (; *at < records * SERVERS; ++*at) {
		r = *at / SERVERS;
		s = *at % SERVERS;
		if (s >= servers || server[s].skip || record[r].first != r || !lacks(s, r))
			continue;
		q->name = record[r].name;
		q->type = DNS_TXT;
		q->recurse = 0;
		q->server = &server[s].address;
		q->servers = 1;
		q->patience = PATIENCE;
		q->tag = (*at)++;
		return 1;
	}
	return 0;
}

static int
has_value(const struct dns_answer *a, const char *name, const char *value)
{
	char final[DNS_NAME], mem[VALUE];
	struct buf b = BUF(mem);
	struct dns_record rr;

	dns_final(a, name, final);
	memset(&rr, 0, sizeof(rr));
	while (dns_next(a, &rr) && rr.section == 0) {
		if (rr.type != DNS_TXT || !slice_is_nocase(slice(rr.owner), final))
			continue;
		buf_clear(&b);
		dns_txt(&b, a, &rr);
		if (!b.err && slice_is(buf_view(&b), value))
			return 1;
	}
	return 0;
}

static void
poll_done(void *ctx, const struct dns_question *q, const struct dns_answer *a)
{
	unsigned first = q->tag / SERVERS, s = q->tag % SERVERS, i;

	(void)ctx;
	server[s].last = *a;
	if (a->outcome != DNS_ANSWER || !a->authoritative) {
		server[s].skip = 1;
		return;
	}
	server[s].heard = now_ms();
	for (i = first; i < records; i++)
		if (record[i].first == first && has_value(a, record[first].name, wanted[i].value))
			set_bit(record[i].seen, s);
}

/* Values that are still waited for; *total: all that are wanted. */
static unsigned
missing(unsigned *total)
{
	unsigned r, s, n = 0;

	*total = 0;
	for (r = 0; r < records; r++)
		for (s = 0; s < servers; s++) {
			if (!serves(&server[s], &record[r]))
				continue;
			++*total;
			n += !bit(record[r].seen, s) && now_ms() - server[s].heard < SILENCE;
		}
	return n;
}

/* Rounds until nothing is missing, or the deadline: 0, or -1: a stop signal. */
static int
ask_servers(int64_t deadline)
{
	unsigned at, total, lack, s;
	struct dns_run run = { deadline, poll_next, poll_done, &at };
	int64_t pause = FIRST_PAUSE, until;

	for (s = 0; s < servers; s++)
		server[s].heard = now_ms();
	for (;;) {
		for (at = s = 0; s < servers; s++)
			server[s].skip = 0;
		if (dns_run(&run))
			return -1;
		lack = missing(&total);
		until = now_ms() + pause;
		if (!lack || until >= deadline)
			return 0;
		progress("waiting for the name servers", total - lack, total,
		    (unsigned)((now_ms() - began) / 1000));
		if (wait_fd(-1, 0, until) == WAIT_SIGNAL)
			return -1;
		pause = pause * 3 / 2 < LONGEST_PAUSE ? pause * 3 / 2 : LONGEST_PAUSE;
	}
}

/* --- what could not be had --- */

static void
put_others(struct buf *b, unsigned n)
{
	if (n) {
		buf_str(b, " and of ");
		buf_uint(b, n);
		buf_str(b, n == 1 ? " other" : " others");
	}
}

/* The server and what is wrong with it. */
static void
put_server(struct buf *b, const struct server *s, const char *zone_name)
{
	const struct dns_answer *a = &s->last;

	buf_all(b, "name server ", host[s->host].name, " (", (char *)0);
	dns_address_text(b, &s->address);
	buf_str(b, ")");
	if (a->outcome == DNS_FAILED)
		buf_all(b, " answers ", dns_rcode(a->rcode), (char *)0);
	else if (a->outcome == DNS_ANSWER && !a->authoritative)
		buf_str(b, " has no authority");
	else if (a->outcome == DNS_SILENT)
		buf_all(b, " does not answer", a->error ? ": " : "",
		    a->error ? strerror(a->error) : "", (char *)0);
	else
		return;
	buf_all(b, "; zone ", zone_name, " was not checked there", (char *)0);
}

/* One line for each server that has not shown everything. */
static void
warn_server(unsigned s)
{
	char mem[4 * LIMIT_NAME];
	struct buf b = BUF(mem);
	unsigned r, n = 0, first = 0;

	for (r = records; r-- > 0; )
		if (serves(&server[s], &record[r]) && !bit(record[r].seen, s)) {
			first = r;
			n++;
		}
	if (!n)
		return;
	put_server(&b, &server[s], zone[record[first].zone].name);
	if (server[s].last.outcome == DNS_ANSWER && server[s].last.authoritative) {
		buf_str(&b, " lacks the TXT value of ");
		buf_str(&b, wanted[first].record);
		put_others(&b, n - 1);
		buf_str(&b, " after ");
		buf_uint(&b, (uint64_t)(now_ms() - began) / 1000);
		buf_str(&b, " seconds");
	}
	warn(buf_text(&b), "; going on", (char *)0);
}

/* 1 if any server can be asked for r. */
static int
has_server(const struct record *r)
{
	unsigned s;

	for (s = 0; s < servers; s++)
		if (serves(&server[s], r))
			return 1;
	return 0;
}

/* One line for all records whose servers are not known. */
static void
warn_unknown(void)
{
	char mem[4 * LIMIT_NAME];
	struct buf b = BUF(mem);
	unsigned r, n = 0, first = 0;

	for (r = records; r-- > 0; )
		if (!has_server(&record[r])) {
			first = r;
			n++;
		}
	if (!n)
		return;
	buf_all(&b, "cannot check the TXT value of ", wanted[first].record, (char *)0);
	put_others(&b, n - 1);
	if (record[first].zone >= 0)
		buf_all(&b, ": no name server of ", zone[record[first].zone].name, " can be reached", (char *)0);
	else if (record[first].state == DONE)
		buf_str(&b, ": its zone is not in the DNS");
	else
		buf_str(&b, failure.outcome == DNS_FAILED ? ": the resolvers fail: " : ": the resolvers do not answer: ");
	if (record[first].zone < 0 && record[first].state != DONE)
		resolve_servers(&b);
	warn(buf_text(&b), "; --wait SECONDS waits a fixed time instead", (char *)0);
}

/* --- the whole --- */

static void
start(const struct zone_want *want, unsigned count)
{
	unsigned i, k;

	wanted = want;
	records = count < LIMIT_NAMES ? count : LIMIT_NAMES;
	zones = hosts = servers = 0;
	memset(&failure, 0, sizeof(failure));
	for (i = 0; i < records; i++) {
		memset(&record[i], 0, sizeof(record[i]));
		record[i].zone = -1;
		for (k = 0; strcmp(want[k].record, want[i].record) != 0; k++)
			;
		record[i].first = k;
		if (slice_copy(slice(want[i].record), record[i].name, sizeof(record[i].name)) ||
		    dns_name(record[i].name) || k < i)
			record[i].state = DONE;
	}
}

int
zone_wait(const struct zone_want *want, unsigned count, int family, unsigned seconds)
{
	int64_t deadline;
	unsigned s;
	int r;

	began = now_ms();
	deadline = began + (int64_t)seconds * 1000;
	start(want, count);
	resolve_load(family);
	progress("looking for the name servers", 0, records, 0);
	r = find(family, deadline - began < FIND_TIME ? deadline : began + FIND_TIME);
	if (r == 0)
		warn_unknown();
	if (r == 0)
		r = ask_servers(deadline);
	progress(0, 0, 0, 0);
	for (s = 0; r == 0 && s < servers; s++)
		warn_server(s);
	return r;
}

/* zone_txt(): one question, whose values are handed on. */
struct values {
	const char *name;
	zone_value *each;
	void *ctx;
	int count;
};

static int
values_next(void *ctx, struct dns_question *q)
{
	struct values *v = ctx;

	if (!v->name)
		return 0;
	find_question(q, v->name, DNS_TXT, 0);
	v->name = 0;
	return 1;
}

static void
values_done(void *ctx, const struct dns_question *q, const struct dns_answer *a)
{
	struct values *v = ctx;
	char final[DNS_NAME], mem[VALUE];
	struct buf b = BUF(mem);
	struct dns_record rr;

	if (a->outcome != DNS_ANSWER)
		return;
	v->count = 0;
	dns_final(a, q->name, final);
	memset(&rr, 0, sizeof(rr));
	while (dns_next(a, &rr) && rr.section == 0) {
		if (rr.type != DNS_TXT || !slice_is_nocase(slice(rr.owner), final))
			continue;
		buf_clear(&b);
		dns_txt(&b, a, &rr);
		if (b.err)
			continue;
		v->count++;
		v->each(v->ctx, buf_view(&b));
	}
}

int
zone_txt(const char *name, int family, int64_t deadline, zone_value *each, void *ctx)
{
	struct values v = { name, each, ctx, -1 };
	struct dns_run run = { deadline, values_next, values_done, &v };

	if (dns_name(name))
		return 0;
	resolve_load(family);
	return dns_run(&run) ? -1 : v.count;
}
