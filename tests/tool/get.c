/*
 * get.c - one HTTPS GET through http.c, tls.c and trust.c, for tests/e2e/tls.sh:
 * get [-c CA-FILE] [-x PROXY] [-t SECONDS] [-n COUNT] [-b BYTES] [-f 4|6] [-m] [-s] URL...
 *
 * Prints status and body, COUNT times over one connection for each URL; with -s
 * first whether its handshake was full or a session was resumed; with -b it sends
 * a body of that many bytes by POST; with -m it ends with its peak memory.
 * Exit status: 0, 1 TLS or certificate, 2 network, 3 HTTP, 4 stopped by a
 * signal, 5 the clock, 64 usage, 78 the CA file; the reason goes to stderr.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../http.h"
#include "../../tls.h"
#include "../../trust.h"
#include "../../util.h"

static struct http_response res;
static struct http_reader reader;
static char body[LIMIT_REPLY], upload[LIMIT_REQUEST];

static void
print(struct slice s)
{
	while (s.n) {
		ssize_t n = write(1, s.p, s.n);

		if (n <= 0)
			_exit(74);
		s.p += n;
		s.n -= (size_t)n;
	}
}

/* The line of /proc/self/status that tells the peak resident memory. */
static void
print_memory(void)
{
	static char text[4096];
	int fd = open("/proc/self/status", O_RDONLY);
	ssize_t n = read(fd, text, sizeof(text) - 1);
	char *line;

	close(fd);
	text[n > 0 ? n : 0] = 0;
	line = strstr(text, "VmHWM:");
	if (line) {
		struct slice s = { line, strcspn(line, "\n") + 1 };

		print(s);
	}
}

static int
explain(const struct tls_error *e)
{
	struct slice text = slice(e->text);

	warn(e->text[0] ? e->text : "(no text)", (char *)0);
	if (text.n == 0)
		return 99;
	return e->signal ? 4 : e->clock ? 5 : e->net ? 2 : 1;
}

static int
exchange(struct tls *t, struct http_stream *s, const struct http_url *u, struct slice data)
{
	char line[64];
	struct buf b = BUF(line);
	enum http_error e;

	buf_init(&res.body, body, sizeof(body));
	if (http_request(s, data.p ? "POST" : "GET", u, "get/1", "text/plain", data) ||
	    s->flush(s->ctx))
		return explain(tls_failure(t));
	e = http_receive(&reader, "GET", &res);
	if (e) {
		warn(res.why, (char *)0);
		return tls_failure(t)->text[0] ? explain(tls_failure(t)) : 3;
	}
	buf_uint(&b, (uint64_t)res.status);
	buf_str(&b, "\n");
	print(buf_view(&b));
	print(buf_view(&res.body));
	return 0;
}

/* COUNT exchanges over a connection of their own. */
static int
fetch(const struct tls_config *config, const char *url, int count, struct slice data, int64_t deadline, int tell)
{
	struct http_stream s = { 0, tls_read, tls_write, tls_flush };
	struct tls_error error;
	struct http_url u;
	struct tls *t;
	int status = 0;

	if (http_url(&u, slice(url)) || !u.tls)
		return 64;
	t = tls_connect(config, u.host, u.port, deadline, &error);
	if (!t)
		return explain(&error);
	if (tell)
		print(slice(tls_resumed(t) ? "resumed\n" : "full\n"));
	s.ctx = t;
	memset(&reader, 0, sizeof(reader));
	reader.s = &s;
	while (status == 0 && count-- > 0) {
		if (tls_stale(t) || http_excess(&reader)) {
			warn("stale", (char *)0);
			status = 3;
		} else {
			status = exchange(t, &s, &u, data);
		}
	}
	tls_close(t);
	return status;
}

int
main(int argc, char **argv)
{
	struct tls_config config = { 0, 0, 0, 0 };
	struct slice data = { 0, 0 };
	const char *why;
	int c, count = 1, memory = 0, tell = 0, status = 0;
	int64_t deadline = 10000;

	while ((c = getopt(argc, argv, "c:x:t:n:b:f:ms")) != -1) {
		switch (c) {
		case 'c': config.ca_file = optarg; break;
		case 'x': config.proxy = optarg; break;
		case 't': deadline = 1000 * (int64_t)atoi(optarg); break;
		case 'n': count = atoi(optarg); break;
		case 'b':
			data.p = upload;
			data.n = (size_t)atoi(optarg);
			break;
		case 'f': config.family = atoi(optarg); break;
		case 'm': memory = 1; break;
		case 's': tell = 1; break;
		default: return 64;
		}
	}
	if (optind == argc || data.n > sizeof(upload))
		return 64;
	signals_catch();
	if (config.ca_file && trust_check(config.ca_file, &why)) {
		warn(config.ca_file, " ", why, (char *)0);
		return 78;
	}
	deadline += now_ms();
	memset(upload, 'u', sizeof(upload));
	for (; status == 0 && optind < argc; optind++)
		status = fetch(&config, argv[optind], count, data, deadline, tell);
	if (memory)
		print_memory();
	return status;
}
