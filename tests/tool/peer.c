/*
 * peer.c - servers that misbehave, for tests: peer PORT MODE [ARGUMENT...]
 *
 * stall                    accepts, and says and reads nothing
 * say TEXT [REQUEST-END]   sends TEXT (printf's \r \n \xHH understood) at once, or
 *                          when the client has sent REQUEST-END, and closes
 * relay PORT [STEP [CUT]]  passes on to 127.0.0.1:PORT, STEP bytes at a time both
 *                          ways; closes after CUT bytes from there
 * proxy [BASE64 [PORT]]    an http proxy; with BASE64 (unless "") only for those
 *                          credentials.  All hosts are at 127.0.0.1, and their
 *                          port is PORT if that is given.
 *
 * Listens on 127.0.0.1; each connection has its process.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../check.h"

static struct sockaddr_in
local(const char *port)
{
	struct sockaddr_in a;

	memset(&a, 0, sizeof(a));
	a.sin_family = AF_INET;
	a.sin_port = htons((unsigned short)atoi(port));
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return a;
}

static int
listen_at(const char *port)
{
	struct sockaddr_in a = local(port);
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	check(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0, "setsockopt");
	check(bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0, "bind");
	check(listen(fd, 10) == 0, "listen");
	return fd;
}

static int
connect_to(const char *port)
{
	struct sockaddr_in a = local(port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	check(connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0, "connect");
	return fd;
}

static void
put(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t k = write(fd, p, n);

		if (k <= 0)
			exit(0);
		p += k;
		n -= (size_t)k;
	}
}

/* Undoes the escapes of a text in place; its length. */
static size_t
unescape(char *s)
{
	char *out = s, *start = s, hex[3] = "";

	for (; *s; s++) {
		if (*s != '\\') {
			*out++ = *s;
		} else if (*++s == 'x') {
			memcpy(hex, s + 1, 2);
			*out++ = (char)strtol(hex, 0, 16);
			s += 2;
		} else {
			*out++ = *s == 'r' ? '\r' : *s == 'n' ? '\n' : *s;
		}
	}
	return (size_t)(out - start);
}

/* Reads until the end of text is seen, into a buffer that stays; its length. */
static char seen[65536];

static size_t
read_until(int fd, const char *end)
{
	size_t n = 0;

	for (;;) {
		ssize_t k = read(fd, seen + n, sizeof(seen) - 1 - n);

		if (k <= 0)
			exit(0);
		n += (size_t)k;
		seen[n] = 0;
		if (strstr(seen, end))
			return n;
	}
}

static void
say(int fd, char *text, char *end)
{
	if (end) {
		end[unescape(end)] = 0;
		read_until(fd, end);
	}
	put(fd, text, unescape(text));
	/* Without this, unread data would make the kernel reset the connection. */
	shutdown(fd, SHUT_WR);
	while (read(fd, seen, sizeof(seen)) > 0)
		;
}

static void
relay(int client, int server, size_t step, long cut)
{
	struct pollfd p[2] = { { client, POLLIN, 0 }, { server, POLLIN, 0 } };
	int on = 1, i;
	ssize_t n;

	setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	while (poll(p, 2, -1) > 0) {
		for (i = 0; i < 2; i++) {
			if (!p[i].revents)
				continue;
			n = read(p[i].fd, seen, step);
			if (n <= 0)
				exit(0);
			if (i == 1 && cut >= 0 && (cut -= n) < 0)
				exit(0);
			put(p[!i].fd, seen, (size_t)n);
		}
	}
}

static void
proxy(int fd, const char *credentials, const char *to)
{
	char port[8], want[512];

	read_until(fd, "\r\n\r\n");
	snprintf(want, sizeof(want), "\r\nProxy-Authorization: Basic %s\r\n", credentials ? credentials : "");
	if (credentials && !strstr(seen, want)) {
		put(fd, "HTTP/1.1 407 Who?\r\nContent-Length: 2\r\n\r\nno", 42);
		return;
	}
	if (sscanf(seen, "CONNECT %*[^] ]%*[]]:%7[0-9] HTTP/1.1", port) != 1 &&
	    sscanf(seen, "CONNECT %*[^: ]:%7[0-9] HTTP/1.1", port) != 1) {
		put(fd, "HTTP/1.1 400 What?\r\n\r\n", 22);
		return;
	}
	printf("%.*s\n", (int)strcspn(seen, "\r\n"), seen);
	fflush(stdout);
	put(fd, "HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n", 47);
	relay(fd, connect_to(to ? to : port), sizeof(seen), -1);
}

static void
serve(int fd, int argc, char **argv)
{
	const char *mode = argv[2];

	if (strcmp(mode, "stall") == 0)
		pause();
	else if (strcmp(mode, "say") == 0)
		say(fd, argv[3], argc > 4 ? argv[4] : 0);
	else if (strcmp(mode, "relay") == 0)
		relay(fd, connect_to(argv[3]), argc > 4 ? (size_t)atoi(argv[4]) : sizeof(seen),
		    argc > 5 ? atol(argv[5]) : -1);
	else if (strcmp(mode, "proxy") == 0)
		proxy(fd, argc > 3 && *argv[3] ? argv[3] : 0, argc > 4 ? argv[4] : 0);
}

/* Children, in our process group, end with us. */
static void
end_all(int sig)
{
	(void)sig;
	kill(0, SIGKILL);
}

int
main(int argc, char **argv)
{
	int fd, client;

	if (argc < 3)
		return 64;
	setpgid(0, 0);
	signal(SIGTERM, end_all);
	signal(SIGCHLD, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	fd = listen_at(argv[1]);
	while ((client = accept(fd, 0, 0)) >= 0) {
		if (fork() == 0) {
			close(fd);
			serve(client, argc, argv);
			return 0;
		}
		close(client);
	}
	return 1;
}
