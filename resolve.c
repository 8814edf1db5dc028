/*
 * resolve.c - host names to addresses, in place of getaddrinfo(), which
 * knows neither our deadlines nor stop signals.  A and AAAA are asked at once;
 * when one has come, the other is waited for only a moment (RFC 8305 3).
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "dns.h"
#include "resolve.h"
#include "util.h"

enum {
	RESOLVERS = 3,
	OTHER_FAMILY = 300		/* ms for it when the first has answered */
};

void (*resolve_loaded)(void);

static const char *hosts_file = "/etc/hosts", *conf_file = "/etc/resolv.conf";

static struct {
	struct dns_address server[RESOLVERS];
	unsigned servers, ndots, timeout, attempts;
	char search[256];		/* words */
} conf;

/* Files of lines. */

struct lines {
	int fd;
	size_t start, end;
	char mem[1024];
};

/* The next line; what is too long is cut.  1, or 0 at the end. */
static int
next_line(struct lines *l, struct slice *line)
{
	char *nl;
	ssize_t n;
	int full;

	for (;;) {
		line->p = l->mem + l->start;
		line->n = l->end - l->start;
		nl = line->n ? memchr(line->p, '\n', line->n) : 0;
		if (nl) {
			line->n = (size_t)(nl - line->p);
			l->start += line->n + 1;
			return 1;
		}
		memmove(l->mem, line->p, line->n);
		l->start = 0;
		l->end = line->n;
		full = l->end == sizeof(l->mem);
		if (full)
			l->end--;
		n = read(l->fd, l->mem + l->end, sizeof(l->mem) - l->end);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		l->end += (size_t)n;
	}
	line->p = l->mem;
	line->n = l->end;
	l->end = 0;
	return line->n > 0;
}

/* The next word of s, up to a comment, into out; 0 if there is none. */
static int
word(struct slice *s, char out[LIMIT_NAME + 1])
{
	struct slice w;

	do {
		while (s->n && strchr(" \t\r", *s->p)) {
			s->p++;
			s->n--;
		}
		w.p = s->p;
		while (s->n && !strchr(" \t\r#;", *s->p)) {
			s->p++;
			s->n--;
		}
		w.n = (size_t)(s->p - w.p);
	} while (w.n && slice_copy(w, out, LIMIT_NAME + 1));	/* a word too long is none */
	return w.n > 0;
}

/* Calls each() with every line of a file that can be read. */
static void
each_line(const char *path, void (*each)(struct slice line, void *ctx), void *ctx)
{
	struct lines l;
	struct slice line;

	l.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	l.start = l.end = 0;
	if (l.fd < 0)
		return;
	while (next_line(&l, &line))
		each(line, ctx);
	close(l.fd);
}

/* The resolvers. */

static void
put_server(const char *text, int family)
{
	struct dns_address a;

	a.port = DNS_PORT;
	if (conf.servers == RESOLVERS || dns_address(&a, text))
		return;
	if (!family || (family == 4) == (a.n == 4))
		conf.server[conf.servers++] = a;
}

static void
put_option(const char *text)
{
	static const struct {
		const char *name;
		unsigned *value, max;
	} options[] = {
		{ "ndots:", &conf.ndots, 15 },
		{ "timeout:", &conf.timeout, 30 },
		{ "attempts:", &conf.attempts, 5 },
	};
	uint64_t v;
	size_t i, n;

	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		n = strlen(options[i].name);
		if (strncmp(text, options[i].name, n) == 0 && slice_uint(slice(text + n), &v) == 0)
			*options[i].value = v < options[i].max ? (unsigned)v : options[i].max;
	}
}

static void
conf_line(struct slice line, void *ctx)
{
	const int *family = ctx;
	struct buf search = { conf.search, 0, sizeof(conf.search) - 1, 0 };	/* and a NUL */
	char key[LIMIT_NAME + 1], value[LIMIT_NAME + 1];
	int is_search;

	if (!word(&line, key))
		return;
	is_search = strcmp(key, "search") == 0 || strcmp(key, "domain") == 0;
	while (word(&line, value)) {
		if (strcmp(key, "nameserver") == 0)
			put_server(value, *family);
		else if (strcmp(key, "options") == 0)
			put_option(value);
		else if (is_search)
			buf_all(&search, search.len ? " " : "", value, (char *)0);
	}
	if (is_search)
		conf.search[search.len] = 0;
}

void
resolve_load(int family)
{
	int any = 0;

	memset(&conf, 0, sizeof(conf));
	conf.ndots = 1;
	conf.timeout = 5;
	conf.attempts = 2;
	each_line(conf_file, conf_line, &family);
	if (!conf.servers && family)
		each_line(conf_file, conf_line, &any);
	if (!conf.servers)
		put_server("127.0.0.1", 0);
	if (!conf.timeout)
		conf.timeout = 1;
	if (!conf.attempts)
		conf.attempts = 1;
	if (resolve_loaded)
		resolve_loaded();
}

void
resolve_ask(struct dns_question *q)
{
	q->server = conf.server;
	q->servers = conf.servers;
	q->recurse = 1;
	q->patience = conf.timeout * conf.attempts * 1000;
}

void
resolve_servers(struct buf *b)
{
	unsigned i;

	for (i = 0; i < conf.servers; i++) {
		buf_str(b, i ? ", " : "");
		dns_address_text(b, &conf.server[i]);
	}
}

/* Addresses. */

/* What is being looked up, and found. */
struct lookup {
	const char *host;
	unsigned port;
	int family;
	struct dns_run run;
	unsigned asked;			/* of 4 and 6 */
	int exists;			/* the name does, with or without addresses */
	struct dns_answer failure;	/* .outcome DNS_ANSWER: none */
	struct dns_address found[2][RESOLVE_MAX];	/* v6, v4 */
	unsigned count[2];
};

static void
add(struct lookup *l, const struct dns_address *a)
{
	int v4 = a->n == 4;

	if ((l->family && (l->family == 4) != v4) || l->count[v4] == RESOLVE_MAX)
		return;
	l->found[v4][l->count[v4]] = *a;
	l->found[v4][l->count[v4]++].port = l->port;
}

static void
add_text(struct lookup *l, const char *text)
{
	struct dns_address a;

	if (dns_address(&a, text) == 0)
		add(l, &a);
}

static int
found(const struct lookup *l)
{
	return l->count[0] + l->count[1] > 0;
}

static void
hosts_line(struct slice line, void *ctx)
{
	struct lookup *l = ctx;
	char address[LIMIT_NAME + 1], name[LIMIT_NAME + 1];

	if (!word(&line, address))
		return;
	while (word(&line, name))
		if (slice_is_nocase(slice(name), l->host)) {
			add_text(l, address);
			return;
		}
}

/* A for v4 and AAAA for v6, as far as they are wanted. */
static int
next_family(void *ctx, struct dns_question *q)
{
	struct lookup *l = ctx;

	for (; l->asked < 2; l->asked++)
		if (!l->family || (l->family == 4) == (l->asked == 1))
			break;
	if (l->asked == 2)
		return 0;
	q->name = l->host;
	q->type = l->asked++ ? DNS_A : DNS_AAAA;
	resolve_ask(q);
	return 1;
}

static void
answered(void *ctx, const struct dns_question *q, const struct dns_answer *a)
{
	struct lookup *l = ctx;
	struct dns_record r;
	struct dns_address address;
	char name[DNS_NAME];
	int64_t soon = now_ms() + OTHER_FAMILY;

	if (a->outcome != DNS_ANSWER) {
		l->failure = *a;
		return;
	}
	l->exists |= a->rcode == 0;
	memset(&r, 0, sizeof(r));
	memset(&address, 0, sizeof(address));
	dns_final(a, q->name, name);
	while (dns_next(a, &r) && r.section == 0) {
		if (r.type != q->type || !slice_is_nocase(slice(r.owner), name))
			continue;
		address.n = (unsigned char)r.n;
		memcpy(address.ip, a->p + r.at, r.n);
		add(l, &address);
	}
	if (found(l) && soon < l->run.deadline)
		l->run.deadline = soon;
}

/* Asks the resolvers for one name: 0, or -1: a stop signal. */
static int
ask(struct lookup *l, const char *name, int64_t deadline)
{
	memset(&l->failure, 0, sizeof(l->failure));
	l->host = name;
	l->asked = 0;
	l->run.deadline = deadline;
	l->run.next = next_family;
	l->run.done = answered;
	l->run.ctx = l;
	return dns_name(name) ? 0 : dns_run(&l->run);
}

/*
 * Asks for a short name with each domain of the search list, then for the name
 * itself; not on and on where nobody answers.
 */
static int
search(struct lookup *l, const char *host, int64_t deadline)
{
	char mem[2 * LIMIT_NAME], domain[LIMIT_NAME + 1];
	struct buf b = BUF(mem);
	struct slice rest = slice(conf.search);
	unsigned dots = 0;
	size_t i;

	for (i = 0; host[i]; i++)
		dots += host[i] == '.' ? host[i + 1] ? 1 : conf.ndots : 0;
	while (dots < conf.ndots && word(&rest, domain)) {
		buf_clear(&b);
		buf_all(&b, host, ".", domain, (char *)0);
		if (ask(l, buf_text(&b), deadline))
			return -1;
		if (found(l) || l->failure.outcome == DNS_SILENT)
			return 0;
	}
	return ask(l, host, deadline);
}

/* Takes turns between the families, v6 first. */
static int
interleave(struct dns_address *out, const struct lookup *l)
{
	unsigned at[2] = { 0, 0 };
	int n = 0, turn = 0;

	for (; n < RESOLVE_MAX && at[0] + at[1] < l->count[0] + l->count[1]; turn = !turn)
		if (at[turn] < l->count[turn])
			out[n++] = l->found[turn][at[turn]++];
	return n;
}

static void
explain(const struct lookup *l, int late, struct buf *why)
{
	const struct dns_answer *f = &l->failure;

	if (f->outcome == DNS_ANSWER) {
		buf_str(why, l->exists ? l->family == 4 ? "it has no IPv4 address" :
		    l->family == 6 ? "it has no IPv6 address" : "it has no address" :
		    late ? "timed out" : "no such host");
		return;
	}
	buf_str(why, f->outcome == DNS_FAILED ? "the name servers (" : "no answer from the name servers (");
	resolve_servers(why);
	buf_char(why, ')');
	if (f->outcome == DNS_FAILED)
		buf_all(why, " answer ", dns_rcode(f->rcode), (char *)0);
	else if (f->error)
		buf_all(why, ": ", strerror(f->error), (char *)0);
}

int
resolve_host(struct dns_address *out, const char *host, unsigned port, int family,
    int64_t deadline, struct buf *why)
{
	struct dns_address numeric;
	struct lookup l;

	memset(&l, 0, sizeof(l));
	l.host = host;
	l.port = port;
	l.family = family;
	if (dns_address(&numeric, host) == 0) {
		add(&l, &numeric);
		l.exists = 1;
	} else {
		each_line(hosts_file, hosts_line, &l);
		if (!found(&l) && dns_below(host, "localhost")) {
			add_text(&l, "::1");
			add_text(&l, "127.0.0.1");
		}
	}
	if (!found(&l) && !l.exists) {
		resolve_load(family);
		if (search(&l, host, deadline))
			return -2;
	}
	if (found(&l))
		return interleave(out, &l);
	explain(&l, now_ms() >= deadline, why);
	return -1;
}
