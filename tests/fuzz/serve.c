/*
 * Fuzzes the responder: the first byte chooses HTTP or TLS and the size of
 * pieces, the rest is what a peer sends.  Each file that is asked for by a
 * proper name exists; no other name may be opened.
 */
#include "fuzz.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static const char entry[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
static struct slice incoming;
static size_t step, outgoing;
static int proper(const char *name);

static int
play_open(const char *name)
{
	need(proper(name));
	return 1;
}

static int
play_fstat(struct stat *st)
{
	st->st_mode = S_IFREG | 0644;
	st->st_size = sizeof(entry) - 1;
	return 0;
}

static ssize_t
play_read(void *p)
{
	memcpy(p, entry, sizeof(entry) - 1);
	return sizeof(entry) - 1;
}

static ssize_t
play_recv(void *p, size_t n)
{
	n = n < incoming.n ? n : incoming.n;
	n = n < step ? n : step;
	if (n)
		memcpy(p, incoming.p, n);
	incoming.p += n;
	incoming.n -= n;
	return (ssize_t)n;
}

#define openat(dir, name, flags) ((void)(dir), play_open(name))
#define fstat(fd, st) play_fstat(st)
#define read(fd, p, n) play_read(p)
#define close(fd) ((void)0)
#define recv(fd, p, n, flags) play_recv(p, n)
#define send(fd, p, n, flags) (outgoing += (n), (ssize_t)(n))
#define shutdown(fd, how) ((void)0)
#include "../../serve.c"

static int
proper(const char *name)
{
	return serve_is_token(slice(name)) || serve_is_ident(slice(name));
}

int
LLVMFuzzerTestOneInput(const unsigned char *p, size_t n)
{
	static struct connection c;
	unsigned char digest[32], ip[16];
	int turns;

	if (n == 0 || (key.type == KEY_NONE && serve_key() < 0))
		return 0;
	serve_alpn_entry(slice_of(p, n), digest, ip);
	is_tls = p[0] & 1;
	step = p[0] & 2 ? 1 + p[0] / 4u : 1 << 16;
	incoming = slice_of(p + 1, n - 1);
	outgoing = 0;
	memset(&c, 0, offsetof(struct connection, ssl));
	c.fd = 1;
	c.stage = RECEIVING;
	c.deadline = now_ms() + CONNECTION_MS;
	if (is_tls && tls_start(&c) < 0)
		return 0;
	for (turns = 0; c.fd; turns++) {
		need(turns < 1 << 16);
		connection_run(&c);
	}
	need(outgoing < 1 << 16);
	return 0;
}
