/*
 * Unit tests of tls.c: connecting to several addresses, deadlines and signals,
 * proxies' URLs, reasons.  What needs a TLS server is
 * in tests/e2e/tls.sh.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "../tap.h"
#include "../../tls.c"

static int
resolve_family(int family, const char *host, const char *port, int64_t deadline, struct tls_error *e)
{
	struct tls_config config = { 0, 0, 0, 0 };

	config.family = family;
	return resolve(&config, host, port, deadline, e);
}

static void
test_resolve(void)
{
	static const unsigned char one[] = { 192, 0, 2, 1 }, loopback[] = { 127, 0, 0, 1 };
	const struct dns_address *first = known.found.list;
	struct tls_error e;
	int64_t start = now_ms();

	memset(&e, 0, sizeof(e));
	ok(resolve_family(0, "192.0.2.1", "443", start + 1000, &e) == 0 && known.found.count == 1 &&
	    first->port == 443 && first->n == 4 && memcmp(first->ip, one, 4) == 0, "an IPv4 address");
	ok(resolve_family(0, "2001:db8::1", "14000", start + 1000, &e) == 0 && known.found.count == 1 &&
	    first->n == 16 && first->port == 14000, "an IPv6 address");
	ok(resolve_family(6, "192.0.2.1", "443", start + 1000, &e) == -1 && e.net &&
	    strcmp(e.text, "cannot resolve 192.0.2.1: it has no IPv6 address") == 0, "of the wrong family");
	ok(resolve_family(4, "localhost", "443", start + 10000, &e) == 0 && known.found.count > 0 &&
	    memcmp(first->ip, loopback, 4) == 0, "localhost");
	known.found.list[0].port = 0;
	ok(resolve_family(4, "localhost", "443", start + 10000, &e) == 0 && first->port == 0, "the next time it is known");
	ok(resolve_family(4, "localhost", "444", start + 10000, &e) == 0 && first->port == 444, "but not for another port");
	memset(&e, 0, sizeof(e));
	ok(resolve_family(4, "a.example", "445", now_ms() - 1, &e) == -1 && e.net && !e.signal &&
	    strcmp(e.text, "cannot resolve a.example: timed out") == 0 && known.found.count == 0, "28 the deadline holds");
}

/*
 * Connecting.  Ports on loopback: one that listens, one that refuses, and
 * black holes: their queue is full, so that Linux leaves a SYN unanswered.
 */

static struct dns_address
address_of(int fd)
{
	struct dns_address a = { { 127, 0, 0, 1 }, 4, 0, 0 };
	struct sockaddr_in in;
	socklen_t n = sizeof(in);

	if (getsockname(fd, (struct sockaddr *)&in, &n) == 0)
		a.port = ntohs(in.sin_port);
	return a;
}

static int
listener(int backlog)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) || (backlog >= 0 && listen(fd, backlog)))
		printf("Bail out! no listener\n");
	return fd;
}

static void
test_race(void)
{
	enum { LISTENS, REFUSES, SWALLOWS, KINDS };
	static const struct {
		const char *name;
		int kind[6], n, won, least, most;	/* milliseconds */
	} rows[] = {
		{ "one that answers", { LISTENS }, 1, 0, 0, 200 },
		{ "30 one that refuses", { REFUSES }, 1, -1, 0, 200 },
		{ "30 all refuse", { REFUSES, REFUSES, REFUSES }, 3, -1, 0, 200 },
		{ "29 the first refuses", { REFUSES, LISTENS }, 2, 1, 0, 200 },
		{ "29 the first swallows", { SWALLOWS, LISTENS }, 2, 1, 400, 900 },
		{ "29 the first two do", { SWALLOWS, SWALLOWS, LISTENS }, 3, 2, 900, 1500 },
		{ "49 one swallows, one refuses", { SWALLOWS, REFUSES, LISTENS }, 3, 2, 400, 900 },
		{ "49 one refuses, one swallows", { REFUSES, SWALLOWS, LISTENS }, 3, 2, 400, 900 },
		{ "an answer while others hang", { SWALLOWS, REFUSES }, 2, -1, 1900, 2400 },
		{ "30 all swallow", { SWALLOWS, SWALLOWS, SWALLOWS }, 3, -1, 1900, 2400 },
		{ "all get their share", { SWALLOWS, SWALLOWS, SWALLOWS, SWALLOWS, SWALLOWS, LISTENS }, 6, 5, 1000, 2000 },
	};
	int fd[KINDS] = { listener(50), listener(-1), listener(0) }, filler[4], won, k;
	struct dns_address a[KINDS];
	struct addresses list;
	struct pollfd p[RESOLVE_MAX];
	struct tls_error e;
	int64_t start, took;
	size_t i;

	for (k = 0; k < KINDS; k++)
		a[k] = address_of(fd[k]);
	for (k = 0; k < 4; k++)
		filler[k] = start_connect(&a[SWALLOWS], &won);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(&e, 0, sizeof(e));
		list.count = (unsigned)rows[i].n;
		for (k = 0; k < rows[i].n; k++)
			list.list[k] = a[rows[i].kind[k]];
		for (k = 0; k < RESOLVE_MAX; k++)
			p[k].fd = -1;
		start = now_ms();
		won = race(&list, p, start + 2000, &e);
		took = now_ms() - start;
		if (!ok(won == rows[i].won && took >= rows[i].least && took <= rows[i].most &&
		    (won >= 0 || (e.net && e.text[0])), rows[i].name))
			printf("# %d after %d ms: %s\n", won, (int)took, e.text);
		for (k = 0; k < RESOLVE_MAX; k++)
			if (p[k].fd >= 0)
				close(p[k].fd);
	}
	for (k = 0; k < 4; k++)
		close(filler[k]);
	for (k = 0; k < KINDS; k++)
		close(fd[k]);
}

/*
 * A handshake with the other end of a socket pair.
 */

static int pair[2];

static struct tls *
begin_handshake(int ms)
{
	struct tls *t = &slots[0];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		printf("Bail out! no socket pair\n");
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	memset(t, 0, sizeof(*t));
	t->fd = pair[0];
	t->deadline = now_ms() + ms;
	if (start_engine(t, 0, "a.example", "443"))
		printf("# %s\n", t->error.text);
	return t;
}

static void
test_handshake(void)
{
	static const struct { const char *name, *say; size_t n; int net; const char *like; } rows[] = {
		{ "44 silence", "", 0, 1, "timed out" },
		{ "44 half a record", "\x16\x03\x03\x00", 4, 1, "timed out" },
		{ "46 no TLS", "HTTP/1.1 400 Bad Request\r\n\r\n", 28, 0, "does not speak TLS" },
		{ "46 a fatal alert", "\x15\x03\x03\x00\x02\x02\x50", 7, 0, "internal error (alert 80)" },
		{ "46 an unheard-of alert", "\x15\x03\x03\x00\x02\x02\xf0", 7, 0, "TLS alert 240" },
		{ "46 close_notify", "\x15\x03\x03\x00\x02\x01\x00", 7, 1, "closed the connection during" },
		{ "46 a record of 65535 bytes", "\x16\x03\x03\xff\xff", 5, 0, "broke the TLS protocol" },
		{ "40 SSL 3.0", "\x16\x03\x00\x00\x04\x02\x00\x00\x00", 9, 0, "TLS" },
		{ "46 data before the handshake", "\x17\x03\x03\x00\x01x", 6, 0, "TLS" },
		{ "46 a ServerHelloDone first", "\x16\x03\x03\x00\x04\x0e\x00\x00\x00", 9, 0, "TLS" },
		{ "46 a message of 16 MB", "\x16\x03\x03\x00\x04\x02\xff\xff\xff", 9, 1, "timed out" },
	};
	char hello[4096];
	struct tls *t;
	ssize_t n;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		t = begin_handshake(300);
		if (write(pair[1], rows[i].say, rows[i].n) != (ssize_t)rows[i].n)
			printf("# cannot say\n");
		if (!ok(handshake(t) == -1 && t->error.net == rows[i].net && strstr(t->error.text, rows[i].like), rows[i].name))
			printf("# net %d, %s\n", t->error.net, t->error.text);
		n = read(pair[1], hello, sizeof(hello));
		ok(n > 5 && hello[0] == 0x16 && hello[5] == 1, "only a ClientHello was sent");
		ok(tls_read(t, hello, 1) < 0 && tls_write(t, "x", 1) == -1 && tls_flush(t) == -1,
		    "after an error nothing else happens");
		tls_close(t);
		close(pair[1]);
	}
	t = begin_handshake(5000);
	close(pair[1]);
	ok(handshake(t) == -1 && t->error.net, "30 the peer is gone");
	ok(tls_read(t, hello, 1) == -2, "and is said to have broken off");
	tls_close(t);
	tls_close(0);
}

/* The ClientHello: what it must offer, and what it must not say. */
static void
test_hello(void)
{
	static const char *const hosts[] = { "a.example", "192.0.2.1", "2001:db8::1" };
	char hello[2][4096];
	ssize_t n[2];
	struct tls *t;
	size_t i, k;

	for (i = 0; i < 3; i++) {
		for (k = 0; k < 2; k++) {
			t = begin_handshake(0);
			if (start_engine(t, 0, hosts[i], "443"))
				printf("# %s\n", t->error.text);
			handshake(t);
			n[k] = read(pair[1], hello[k], sizeof(hello[k]));
			tls_close(t);
			close(pair[1]);
		}
		ok(n[0] > 45 && n[0] == n[1] && memcmp(hello[0] + 11, hello[1] + 11, 32) != 0,
		    "139 two hellos have different randoms");
		ok(hello[0][9] == 3 && hello[0][10] == 3, "TLS 1.2");
		for (k = 0; k + 9 <= (size_t)n[0] && memcmp(hello[0] + k, hosts[i], 9) != 0; k++)
			;
		ok((k + 9 <= (size_t)n[0]) == (i == 0), i ? "no server name for an address" : "the server name");
	}
}

/* Which session a ClientHello offers, if any. */
static void
test_session(void)
{
	static const struct { const char *name, *ca_file, *host, *port; int offered; } rows[] = {
		{ "the session is offered to the same host and port", "ca.pem", "a.example", "443", 1 },
		{ "not to another host", "ca.pem", "b.example", "443", 0 },
		{ "not at another port", "ca.pem", "a.example", "444", 0 },
		{ "not if another file says whom to trust", "cb.pem", "a.example", "443", 0 },
		{ "not if no file does", 0, "a.example", "443", 0 },
	};
	br_ssl_engine_context eng;
	unsigned char hello[4096];
	struct tls *t;
	ssize_t n;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		forget_session();
		memset(&eng, 0, sizeof(eng));
		eng.session.session_id_len = 32;
		memset(eng.session.session_id, 'i', 32);
		ok(!keep_session(&eng, "ca.pem", "a.example", "443"), "a new session");
		ok(keep_session(&eng, "ca.pem", "a.example", "443"), "the same one again");
		t = begin_handshake(0);
		if (start_engine(t, rows[i].ca_file, rows[i].host, rows[i].port))
			printf("# %s\n", t->error.text);
		handshake(t);
		n = read(pair[1], hello, sizeof(hello));
		ok(n > 76 && hello[43] == (rows[i].offered ? 32 : 0) &&
		    (hello[44] == 'i') == rows[i].offered, rows[i].name);
		tls_close(t);
		close(pair[1]);
	}
	ok(have_session("ca.pem", "a.example", "443"), "a connection that is closed keeps it");
	t = begin_handshake(300);
	n = write(pair[1], "HTTP/1.1 400", 12);
	handshake(t);
	tls_close(t);
	close(pair[1]);
	ok(!have_session("ca.pem", "a.example", "443") && session.parameters.master_secret[0] == 0 &&
	    session.parameters.session_id[0] == 0, "one that ends with an error leaves nothing of it");
	eng.session.session_id_len = 0;
	ok(!keep_session(&eng, "ca.pem", "a.example", "443") && !have_session("ca.pem", "a.example", "443"),
	    "a session without an id is none");
}

static void
test_stale(void)
{
	struct tls *t = begin_handshake(100);

	ok(!tls_stale(t), "a quiet connection is not stale");
	ok(write(pair[1], "x", 1) == 1 && tls_stale(t), "69 one with unexpected data is");
	tls_close(t);
	close(pair[1]);
	t = begin_handshake(100);
	close(pair[1]);
	ok(tls_stale(t), "68 so is one that was closed");
	tls_close(t);
}

/* A signal ends a wait; the process then remembers it, so this comes last. */
static void
test_signal(void)
{
	struct tls_error e;
	struct tls *t = begin_handshake(20000);
	int64_t start = now_ms();
	pid_t child = fork();

	if (child == 0) {
		poll(0, 0, 200);
		kill(getppid(), SIGTERM);
		_exit(0);
	}
	ok(handshake(t) == -1 && t->error.signal && now_ms() - start < 5000, "131 a signal ends a handshake");
	is_str(t->error.text, "interrupted", "131 and is told");
	tls_close(t);
	close(pair[1]);
	waitpid(child, 0, 0);
	memset(&e, 0, sizeof(e));
	ok(resolve_family(0, "a.example", "1", now_ms() + 20000, &e) == -1 && e.signal, "131 and a lookup");
}

static void
test_proxy(void)
{
	static const struct {
		const char *text, *host, *port, *credentials;
	} rows[] = {
		{ "http://proxy", "proxy", "80", "" },
		{ "http://proxy:3128", "proxy", "3128", "" },
		{ "http://proxy:3128/", "proxy", "3128", "" },
		{ "HTTP://Proxy.Example:1", "proxy.example", "1", "" },
		{ "proxy:3128", "proxy", "3128", "" },
		{ "[::1]:3128", "::1", "3128", "" },
		{ "http://user:pass@10.0.0.1:8080", "10.0.0.1", "8080", "user:pass" },
		{ "http://user@h", "h", "80", "user" },
		{ "http://u%40x:p%3a%2F@h", "h", "80", "u@x:p:/" },
		{ "http://u:p@q@h", "h", "80", "u:p@q" },
	};
	static const char *const refused[] = {
		"https://proxy:443", "socks5://proxy", "ftp://proxy", "://proxy",
		"", "http://", "http://proxy:0", "http://proxy:65536", "http://proxy/x",
		"http://proxy?x", "http://pro xy", "http://a:%0d%0aX@h", "http://a:%zz@h", "http://a:%4@h",
		"http://a:\nb@h", "http://@",
	};
	char text[2000];
	struct proxy p;
	struct tls_error e;
	size_t i;
	int bad;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(&e, 0, sizeof(e));
		bad = read_proxy(&p, rows[i].text, &e);
		ok(!bad && strcmp(p.url.host, rows[i].host) == 0 && strcmp(p.url.port, rows[i].port) == 0 &&
		    strcmp(p.credentials, rows[i].credentials) == 0, rows[i].text);
	}
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		memset(&e, 0, sizeof(e));
		bad = read_proxy(&p, refused[i], &e);
		ok(bad && e.text[0] && !strstr(e.text, "a:"), "a proxy URL that is refused, without its password");
	}
	memset(text, 'u', sizeof(text));
	text[sizeof(text) - 1] = 0;
	ok(read_proxy(&p, text, &e) == -1, "a long host");
	memcpy(text + 1000, "@h", 3);
	ok(read_proxy(&p, text, &e) == -1, "a long user");
}

static void
test_reasons(void)
{
	struct tls_error e;
	int err, good = 1;

	for (err = 1; err < BR_ERR_SEND_FATAL_ALERT + 256; err++) {
		memset(&e, 0, sizeof(e));
		good &= explain(&e, err) == -1 && strlen(e.text) > 5 && !e.net;
	}
	ok(good, "every error has a text");
	failure(&e, 1, "a\033[2Jb", "\n", (char *)0);
	is_str(e.text, "a\\x1b[2Jb\\x0a", "texts are printable");
	failure(&e, 1, "0123456789012345678901234567890123456789012345678901234567890123456789"
	    "0123456789012345678901234567890123456789012345678901234567890123456789",
	    "0123456789012345678901234567890123456789012345678901234567890123456789"
	    "0123456789012345678901234567890123456789012345678901234567890123456789", (char *)0);
	ok(strlen(e.text) == sizeof(e.text) - 1, "and cut to fit");
}

static void
test_connect(void)
{
	struct tls_config config = { 0, 0, 0, 0 };
	struct tls_error e;
	struct tls *t;
	int i;

	ok(tls_connect(&config, "", "443", now_ms() + 1000, &e) == 0 && e.text[0], "an empty host is refused");
	for (i = 0; i < TLS_CONNECTIONS; i++)
		slots[i].used = 1;
	t = tls_connect(&config, "localhost", "1", now_ms() + 1000, &e);
	ok(!t && strcmp(e.text, "too many connections") == 0, "there are four connections");
	for (i = 0; i < TLS_CONNECTIONS; i++)
		slots[i].used = 0;
}

int
main(void)
{
	signals_catch();
	test_resolve();
	test_race();
	test_handshake();
	test_hello();
	test_session();
	test_stale();
	test_proxy();
	test_reasons();
	test_connect();
	test_signal();
	return tap_done();
}
