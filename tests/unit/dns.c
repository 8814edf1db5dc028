/*
 * Unit tests of dns.c: questions and answers byte by byte, every truncation
 * of each valid answer, hostile names and data; and asking, of servers on
 * loopback that answer late, wrongly, over TCP only, or not at all.
 */
#include <signal.h>
#include <stdlib.h>

#include "../tap.h"
#include "../../dns.c"

#define QUESTION "\x01" "a\x07" "example\0"	/* a.example, at 12 */
#define OWNER "\xc0\x0c"

struct message {
	unsigned char p[2000];
	size_t n;
};

static void
add(struct message *m, const void *p, size_t n)
{
	memcpy(m->p + m->n, p, n);
	m->n += n;
}

static struct message
begin_answer(enum dns_type type, unsigned answers)
{
	struct message m = { { 0 }, 0 };
	unsigned char head[HEADER] = { 0x12, 0x34, 0x84, 0, 0, 1, 0, (unsigned char)answers };
	unsigned char tail[] = { (unsigned char)(type >> 8), (unsigned char)type, 0, 1 };

	add(&m, head, sizeof(head));
	add(&m, QUESTION, 11);
	add(&m, tail, sizeof(tail));
	return m;
}

static void
add_record(struct message *m, const char *owner, size_t owner_n, enum dns_type type, const char *data, size_t n)
{
	unsigned char fixed[] = { (unsigned char)(type >> 8), (unsigned char)type, 0, 1, 0, 0, 0, 60,
	    (unsigned char)(n >> 8), (unsigned char)n };

	add(m, owner, owner_n);
	add(m, fixed, sizeof(fixed));
	add(m, data, n);
}

static struct message
answer(enum dns_type type, const char *data, size_t n)
{
	struct message m = begin_answer(type, 1);

	add_record(&m, OWNER, 2, type, data, n);
	return m;
}

static int
read_message(struct dns_answer *a, const struct message *m, enum dns_type type)
{
	static unsigned char *copy;	/* of its exact size, for sanitizers */
	struct dns_question q = { .name = "A.Example", .type = type };

	free(copy);
	copy = malloc(m->n + 1);
	memcpy(copy, m->p, m->n);
	return parse(a, copy, m->n, 0x1234, &q);
}

static const struct {
	const char *name;
	enum dns_type type;
	const char *data;
	size_t n;
	const char *value;	/* 0: malformed */
} values[] = {
	{ "A", DNS_A, "\xc0\0\2\1", 4, "192.0.2.1" },
	{ "AAAA", DNS_AAAA, "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16, "2001:db8::1" },
	{ "NS", DNS_NS, "\2ns\xc0\x0e", 5, "ns.example" },
	{ "NS, the root", DNS_NS, "\0", 1, "." },
	{ "CNAME", DNS_CNAME, "\1b\1c\0", 5, "b.c" },
	{ "CNAME, odd bytes", DNS_CNAME, "\4.\\ \xff\0", 6, "\\.\\\\\\032\\255" },
	{ "SOA", DNS_SOA, "\2ns\xc0\x0e\1h\xc0\x0e\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\xff\xff\xff\xff", 29,
	    "ns.example h.example 1 2 3 4 4294967295" },
	{ "TXT", DNS_TXT, "\3abc", 4, "abc" },
	{ "TXT, joined", DNS_TXT, "\3abc\0\2de", 8, "abcde" },
	{ "TXT, empty", DNS_TXT, "\0", 1, "" },
	{ "TXT, odd bytes", DNS_TXT, "\3\n\0\xff", 4, "\\x0a\\x00\\xff" },
	{ "CAA", DNS_CAA, "\x80\5issueca.example", 17, "128 issue \"ca.example\"" },
	{ "CAA without value", DNS_CAA, "\0\5issue", 7, "0 issue \"\"" },
	{ "A of three bytes", DNS_A, "\xc0\0\2", 3, 0 },
	{ "A of five", DNS_A, "\xc0\0\2\1\1", 5, 0 },
	{ "AAAA of four", DNS_AAAA, "\xc0\0\2\1", 4, 0 },
	{ "NS of nothing", DNS_NS, "", 0, 0 },
	{ "NS and more", DNS_NS, "\1b\0x", 4, 0 },
	{ "NS that runs out", DNS_NS, "\2b", 2, 0 },
	{ "TXT of nothing", DNS_TXT, "", 0, 0 },
	{ "TXT that runs out", DNS_TXT, "\4abc", 4, 0 },
	{ "TXT whose second string does", DNS_TXT, "\1a\2b", 4, 0 },
	{ "SOA too short", DNS_SOA, "\0\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\xff\xff\xff", 21, 0 },
	{ "SOA too long", DNS_SOA, "\0\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\xff\xff\xff\xff\0", 23, 0 },
	{ "CAA without tag", DNS_CAA, "\0\0x", 3, 0 },
	{ "CAA whose tag runs out", DNS_CAA, "\0\6issue", 7, 0 },
	{ "a pointer to itself", DNS_CNAME, "\xc0\x27", 2, 0 },
	{ "a pointer to its own label", DNS_CNAME, "\1b\xc0\x27", 4, 0 },
	{ "a pointer forwards", DNS_CNAME, "\xc0\x29\1b\0", 5, 0 },
	{ "a pointer behind the message", DNS_CNAME, "\xff\xff", 2, 0 },
	{ "a pointer into the header", DNS_CNAME, "\xc0\0", 2, 0 },
	{ "half a pointer", DNS_CNAME, "\xc0", 1, 0 },
	{ "a label of type 01", DNS_CNAME, "\x41" "b\0", 3, 0 },
	{ "a label of type 10", DNS_CNAME, "\x81" "b\0", 3, 0 },
};

static void
test_values(void)
{
	char mem[1000];
	struct buf b = BUF(mem);
	struct dns_answer a;
	struct dns_record r;
	struct message m;
	size_t i;
	int good;

	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		m = answer(values[i].type, values[i].data, values[i].n);
		if (!values[i].value) {
			ok(read_message(&a, &m, values[i].type) == -1, values[i].name);
			continue;
		}
		memset(&r, 0, sizeof(r));
		buf_clear(&b);
		ok(read_message(&a, &m, values[i].type) == 0 && a.authoritative && dns_next(&a, &r) &&
		    strcmp(r.owner, "a.example") == 0 && r.section == 0, values[i].name);
		dns_value(&b, &a, &r);
		is_str(buf_text(&b), values[i].value, "its value");
		ok(!dns_next(&a, &r), "and no more");
		m.n++;
		good = read_message(&a, &m, values[i].type) == -1;
		for (m.n--; m.n-- > 0; )
			good &= read_message(&a, &m, values[i].type) == -1;
		ok(good, "no truncation of it is an answer, nor with a byte more");
	}
}

static void
test_header(void)
{
	static const struct { const char *name; size_t at; int byte, result; } rows[] = {
		{ "as it is", 0, 0x12, 0 },
		{ "wrong id", 0, 0x13, -1 },
		{ "wrong id, second byte", 1, 0x35, -1 },
		{ "a question", 2, 0x04, -1 },
		{ "another opcode", 2, 0x8c, -1 },
		{ "cut", 2, 0x86, 1 },
		{ "no such name", 3, 3, 0 },
		{ "SERVFAIL", 3, 2, 0 },
		{ "no question", 5, 0, -1 },
		{ "two questions", 5, 2, -1 },
		{ "another name", 13, 'b', -1 },
		{ "the name in other case", 13, 'A', 0 },
		{ "another type", 24, 16, -1 },
		{ "another class", 26, 3, -1 },
		{ "more records than there are", 7, 2, -1 },
		{ "fewer", 7, 0, -1 },
		{ "in another section", 9, 1, -1 },
	};
	struct message m;
	struct dns_answer a;
	struct dns_record r;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		m = answer(DNS_A, "\xc0\0\2\1", 4);
		m.p[rows[i].at] = (unsigned char)rows[i].byte;
		ok(read_message(&a, &m, DNS_A) == rows[i].result, rows[i].name);
	}
	m = answer(DNS_A, "\xc0\0\2\1", 4);
	m.p[3] = 5;
	ok(read_message(&a, &m, DNS_A) == 0 && a.outcome == DNS_FAILED && a.rcode == 5, "REFUSED");
	memset(&r, 0, sizeof(r));
	ok(!dns_next(&a, &r), "has no records");
	m.p[5] = 0;
	m.n = HEADER;
	ok(read_message(&a, &m, DNS_A) == 0 && a.outcome == DNS_FAILED, "an error may be a bare header");
	m.p[3] = 0;
	ok(read_message(&a, &m, DNS_A) == -1, "an answer may not");
	m = answer(DNS_A, "\xc0\0\2\1", 4);
	m.p[7] = 0;
	m.p[9] = 1;
	memset(&r, 0, sizeof(r));
	ok(read_message(&a, &m, DNS_A) == 0 && dns_next(&a, &r) && r.section == 1, "a record of the second section");
	m = answer(DNS_A, "\xc0\0\2\1", 4);
	m.p[32] = 3;
	memset(&r, 0, sizeof(r));
	ok(read_message(&a, &m, DNS_A) == 0 && dns_next(&a, &r) && r.type == 0, "a record of another class has no type");
}

/* Names as long as they may be, and longer; many pointers. */
static void
test_long_names(void)
{
	static const char label[64] = "\x3f" "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	char data[600];
	struct message m;
	struct dns_answer a;
	size_t n, i;

	for (i = 0; i < 3; i++)
		memcpy(data + 64 * i, label, 64);
	memcpy(data + 192, label, 62);
	data[192] = 61;
	data[254] = 0;
	m = answer(DNS_CNAME, data, 255);
	ok(read_message(&a, &m, DNS_CNAME) == 0, "a name of 255 bytes");
	data[192] = 62;
	data[254] = 'a';
	data[255] = 0;
	m = answer(DNS_CNAME, data, 256);
	ok(read_message(&a, &m, DNS_CNAME) == -1, "not one of 256");
	memcpy(data + 192, "\xc0\x0c", 2);
	m = answer(DNS_CNAME, data, 194);
	ok(read_message(&a, &m, DNS_CNAME) == 0, "3 * 64 bytes and a pointer to 11");
	for (n = 0; n < 2; n++) {
		m = begin_answer(DNS_TXT, 2);
		data[0] = '\0';
		for (i = 0; i < POINTERS + n; i++) {
			size_t to = i ? m.n + 12 + 2 * (i - 1) : HEADER;

			data[2 * i] = (char)(0xc0 | to >> 8);
			data[2 * i + 1] = (char)to;
		}
		/* a record of no type we know, whose data are pointers in a chain */
		add_record(&m, OWNER, 2, (enum dns_type)99, data, 2 * i);
		data[0] = (char)(0xc0 | (m.n - 2) >> 8);
		data[1] = (char)(m.n - 2);
		add_record(&m, n ? data : OWNER, 2, DNS_TXT, "\0", 1);
		ok(read_message(&a, &m, DNS_TXT) == (n ? -1 : 0), n ? "a chain of pointers too long" : "pointers as data");
	}
}

static void
test_final(void)
{
	char out[DNS_NAME];
	struct dns_answer a;
	struct message m = begin_answer(DNS_A, 3);

	add_record(&m, "\1b\0", 3, DNS_CNAME, "\1c\0", 3);	/* in any order */
	add_record(&m, OWNER, 2, DNS_CNAME, "\1B\0", 3);
	add_record(&m, "\1c\0", 3, DNS_A, "\xc0\0\2\1", 4);
	ok(read_message(&a, &m, DNS_A) == 0, "two aliases and an address");
	dns_final(&a, "A.example.", out);
	is_str(out, "c", "aliases are followed, in any order and case");
	dns_final(&a, "x", out);
	is_str(out, "x", "a name without alias is itself");
	m = begin_answer(DNS_A, 2);
	add_record(&m, OWNER, 2, DNS_CNAME, "\1b\0", 3);
	add_record(&m, "\1b\0", 3, DNS_CNAME, OWNER, 2);
	ok(read_message(&a, &m, DNS_A) == 0, "aliases in a circle");
	dns_final(&a, "a.example", out);
	ok(strcmp(out, "b") == 0 || strcmp(out, "a.example") == 0, "come to an end");
}

static void
test_names(void)
{
	static const struct { const char *name; int good; } names[] = {
		{ "a", 1 }, { "a.", 1 }, { ".", 1 }, { "_acme-challenge.a.example", 1 }, { "*.a", 1 },
		{ "", 0 }, { "..", 0 }, { ".a", 0 }, { "a..b", 0 }, { "a..", 0 }, { "a b", 0 }, { "a\\.b", 0 }, { "\xc3\xa4", 0 },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 1 },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 0 },
	};
	static const struct { const char *name, *zone; int below; } rows[] = {
		{ "a.b", "b", 1 }, { "b", "b", 1 }, { "A.B", "b", 1 }, { "ab", "b", 0 }, { "b", "a.b", 0 },
		{ "x.ab", "b", 0 }, { "a.b", ".", 1 }, { "c", "b", 0 },
	};
	static const struct { const char *text, *shown; unsigned port; } addresses[] = {
		{ "192.0.2.1", "192.0.2.1", 53 }, { "192.0.2.1", "192.0.2.1:54", 54 }, { "::1", "::1", 53 },
		{ "::1", "[::1]:5353", 5353 }, { "::ffff:192.0.2.1", "192.0.2.1", 53 }, { "fe80::1%lo", "fe80::1", 53 },
		{ "a", 0, 53 }, { "192.0.2", 0, 53 }, { "fe80::1%nowhere", 0, 53 }, { "", 0, 53 },
	};
	char mem[100];
	struct buf b = BUF(mem);
	struct dns_address a;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ok((dns_name(names[i].name) == 0) == names[i].good, *names[i].name ? names[i].name : "no name");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ok(dns_below(rows[i].name, rows[i].zone) == rows[i].below, rows[i].name);
	for (i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		buf_clear(&b);
		a.port = addresses[i].port;
		if (!addresses[i].shown) {
			ok(dns_address(&a, addresses[i].text) == -1, "not an address");
			continue;
		}
		ok(dns_address(&a, addresses[i].text) == 0, addresses[i].text);
		dns_address_text(&b, &a);
		is_str(buf_text(&b), addresses[i].shown, "as it is shown");
	}
}

static void
test_question(void)
{
	static const char want[] = "\0\x1b\x12\x34\1\0\0\1\0\0\0\0\0\0" QUESTION "\0\x10\0\1";
	struct dns_question q = { .name = "a.example.", .type = DNS_TXT, .recurse = 1 };
	char mem[QUERY];
	struct buf b = BUF(mem);

	ok(build(&b, 0x1234, &q) == 0 && b.len == sizeof(want) - 1 && memcmp(mem, want, b.len) == 0, "a question");
	q.recurse = 0;
	buf_clear(&b);
	ok(build(&b, 0x1234, &q) == 0 && mem[4] == 0, "without recursion");
}

/*
 * Servers.  The first label of the name asked for says what they do.
 */

enum { PEERS = 2 };
static struct dns_address peer[PEERS + 1];	/* the last: nobody listens */
static pid_t child;

static int
bound(int type, unsigned *port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	    .sin_port = htons((uint16_t)*port) };
	socklen_t n = sizeof(in);
	int fd = socket(AF_INET, type, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&in, sizeof(in)) || getsockname(fd, (struct sockaddr *)&in, &n) ||
	    (type == SOCK_STREAM && listen(fd, 10)))
		return -1;
	*port = ntohs(in.sin_port);
	return fd;
}

/* The question at p as an answer with one A record: 192.0.2.WHICH. */
static size_t
make_answer(unsigned char *p, size_t n, int which)
{
	static const unsigned char record[] = "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2";

	p[2] = 0x84;
	p[3] = 0x80;
	p[7] = 1;
	memcpy(p + n, record, sizeof(record) - 1);
	p[n + sizeof(record) - 1] = (unsigned char)which;
	return n + sizeof(record);
}

static void
serve_udp(int fd, int which)
{
	static int silent;
	unsigned char p[600];
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	ssize_t got = recvfrom(fd, p, sizeof(p), 0, (struct sockaddr *)&from, &len);
	size_t n = got > HEADER ? make_answer(p, (size_t)got, which) : 0;
	const char *label = (char *)p + HEADER + 1;

	if (!n || strncmp(label, "dead", 4) == 0 || (strncmp(label, "second", 6) == 0 && !which) ||
	    (strncmp(label, "lost", 4) == 0 && !silent++))
		return;
	if (strncmp(label, "fail", 4) == 0 || (strncmp(label, "half", 4) == 0 && !which))
		p[3] = 0x82;
	if (strncmp(label, "tcp", 3) == 0)
		p[2] |= 2;
	if (strncmp(label, "wrong", 5) == 0) {	/* forged ones first: another id, another name, one cut short */
		p[1] ^= 1;
		sendto(fd, p, n, 0, (struct sockaddr *)&from, len);
		p[1] ^= 1;
		p[HEADER + 2] ^= 1;
		sendto(fd, p, n, 0, (struct sockaddr *)&from, len);
		p[HEADER + 2] ^= 1;
		sendto(fd, p, n - 1, 0, (struct sockaddr *)&from, len);
	}
	sendto(fd, p, n, 0, (struct sockaddr *)&from, len);
}

static void
serve_tcp(int fd, int which)
{
	unsigned char p[600];
	int c = accept(fd, 0, 0);
	ssize_t got = recv(c, p, sizeof(p), 0);
	size_t n = got > 2 + HEADER ? make_answer(p + 2, (size_t)got - 2, which + 100) : 0, i;
	int cut = strncmp((char *)p + 2 + HEADER + 1, "tcpcut", 6) == 0;

	p[0] = (unsigned char)(n >> 8);
	p[1] = (unsigned char)n;
	for (i = 0; n && i < n + 2 - (size_t)cut; i++)	/* byte by byte */
		if (send(c, p + i, 1, MSG_NOSIGNAL) < 0)
			break;
	close(c);
}

static void
start_servers(void)
{
	struct pollfd p[2 * PEERS];
	unsigned port, tries;
	int i;

	memset(peer, 0, sizeof(peer));
	for (i = 0; i <= PEERS; i++) {
		memcpy(peer[i].ip, "\x7f\0\0\1", 4);
		peer[i].n = 4;
		port = 0;
		if (i == PEERS) {
			close(bound(SOCK_DGRAM, &port));
		} else {
			p[2 * i].fd = bound(SOCK_DGRAM, &port);
			p[2 * i + 1].fd = bound(SOCK_STREAM, &port);
			/* somebody else may have that number for TCP */
			for (tries = 0; p[2 * i + 1].fd < 0 && tries < 100; tries++) {
				close(p[2 * i].fd);
				port = 0;
				p[2 * i].fd = bound(SOCK_DGRAM, &port);
				p[2 * i + 1].fd = bound(SOCK_STREAM, &port);
			}
			p[2 * i].events = p[2 * i + 1].events = POLLIN;
			if (p[2 * i + 1].fd < 0)
				printf("Bail out! no port\n");
		}
		peer[i].port = port;
	}
	fflush(stdout);
	child = fork();
	while (child == 0 && poll(p, 2 * PEERS, 60000) > 0)
		for (i = 0; i < 2 * PEERS; i++)
			if (p[i].revents)
				(i % 2 ? serve_tcp : serve_udp)(p[i].fd, i / 2);
	if (child == 0)
		_exit(0);
}

struct asked {
	struct dns_question q;
	unsigned left, answers, last;	/* last: last byte of the address */
	struct dns_answer a;
};

static int
ask_next(void *ctx, struct dns_question *q)
{
	struct asked *x = ctx;

	if (!x->left)
		return 0;
	x->left--;
	*q = x->q;
	return 1;
}

static void
ask_done(void *ctx, const struct dns_question *q, const struct dns_answer *a)
{
	struct asked *x = ctx;
	struct dns_record r;

	(void)q;
	x->a = *a;
	memset(&r, 0, sizeof(r));
	if (dns_next(a, &r)) {
		x->answers++;
		x->last = a->p[r.at + 3];
	}
}

static void
test_asking(void)
{
	static const struct {
		const char *name;
		unsigned first, servers, patience;
		enum dns_outcome outcome;
		unsigned last;
		int least, most;		/* milliseconds */
	} rows[] = {
		{ "ok.example", 0, 1, 5000, DNS_ANSWER, 0, 0, 500 },
		{ "lost.example", 0, 1, 5000, DNS_ANSWER, 0, 900, 1500 },
		{ "second.example", 0, 2, 5000, DNS_ANSWER, 1, 900, 1500 },
		{ "half.example", 0, 2, 5000, DNS_ANSWER, 1, 0, 500 },
		{ "refused.example", 2, 1, 5000, DNS_SILENT, 0, 0, 500 },
		{ "fail.example", 0, 2, 5000, DNS_FAILED, 0, 0, 500 },
		{ "dead.example", 0, 2, 1500, DNS_SILENT, 0, 1400, 2000 },
		{ "wrong.example", 0, 1, 5000, DNS_ANSWER, 0, 0, 500 },
		{ "tcp.example", 0, 1, 5000, DNS_ANSWER, 100, 0, 500 },
		{ "tcpcut.example", 0, 1, 5000, DNS_SILENT, 0, 0, 500 },
	};
	struct asked x;
	struct dns_run run = { 0, ask_next, ask_done, &x };
	int64_t start, took;
	size_t i;

	start_servers();
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(&x, 0, sizeof(x));
		x.q = (struct dns_question){ rows[i].name, DNS_A, 0, peer + rows[i].first, rows[i].servers, rows[i].patience, 0 };
		x.left = 1;
		start = now_ms();
		run.deadline = start + 10000;
		ok(dns_run(&run) == 0, rows[i].name);
		took = now_ms() - start;
		if (!ok(x.a.outcome == rows[i].outcome && (!x.answers || x.last == rows[i].last) &&
		    x.answers == (x.a.outcome == DNS_ANSWER) &&
		    took >= rows[i].least && took <= rows[i].most, "and what comes of it"))
			printf("# outcome %d, %u, after %d ms\n", x.a.outcome, x.last, (int)took);
	}
	memset(&x, 0, sizeof(x));
	x.q = (struct dns_question){ "many.example", DNS_A, 0, peer, 1, 5000, 0 };
	x.left = 100;
	run.deadline = now_ms() + 10000;
	ok(dns_run(&run) == 0 && x.answers == 100, "a hundred questions");
	x.q = (struct dns_question){ "none.example", DNS_A, 0, peer + PEERS, 1, 5000, 0 };
	x.left = 100;
	ok(dns_run(&run) == 0 && x.left == 0 && x.answers == 100, "a hundred that fail at once");
	x.q = (struct dns_question){ "dead.example", DNS_A, 0, peer, 1, 5000, 0 };
	x.left = 100;
	start = now_ms();
	run.deadline = start + 300;
	ok(dns_run(&run) == 0 && x.left == 100 - SLOTS && now_ms() - start < 600 &&
	    x.a.outcome == DNS_SILENT, "the deadline ends it");
	kill(child, SIGTERM);
}

int
main(void)
{
	signals_catch();
	test_values();
	test_header();
	test_long_names();
	test_final();
	test_names();
	test_question();
	test_asking();
	return tap_done();
}
