/*
 * Fuzzes /etc/resolv.conf and /etc/hosts: the first byte chooses which, and in
 * what pieces it is read.
 */
#include "fuzz.h"

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

static struct slice file;
static size_t step;

static ssize_t
file_read(void *p, size_t n)
{
	n = n < file.n ? n : file.n;
	n = n < step ? n : step;
	if (n)
		memcpy(p, file.p, n);
	file.p += n;
	file.n -= n;
	return (ssize_t)n;
}

#define open(path, flags) ((void)(path), 0)
#define close(fd) ((void)0)
#define read(fd, p, n) file_read(p, n)
#include "../../resolve.c"

static void
check_resolvers(void)
{
	char mem[300];
	struct buf b = BUF(mem);
	struct dns_question q;
	struct slice rest;
	char word_mem[LIMIT_NAME + 1];
	unsigned i;

	resolve_load(0);
	resolve_ask(&q);
	need(q.servers >= 1 && q.servers <= RESOLVERS && q.patience > 0 && q.patience <= 150000);
	for (i = 0; i < q.servers; i++)
		need((q.server[i].n == 4 || q.server[i].n == 16) && q.server[i].port == DNS_PORT);
	need(conf.ndots <= 15 && memchr(conf.search, 0, sizeof(conf.search)) != 0);
	for (rest = slice(conf.search); word(&rest, word_mem);)
		;
	resolve_servers(&b);
	need_printable(buf_text(&b), sizeof(mem));
}

static void
check_hosts(int family)
{
	struct dns_address out[RESOLVE_MAX];
	struct lookup l;
	int i, n;

	memset(&l, 0, sizeof(l));
	l.host = "a.example";
	l.port = 443;
	l.family = family;
	each_line(hosts_file, hosts_line, &l);
	n = interleave(out, &l);
	need(n >= 0 && n <= RESOLVE_MAX && (n > 0) == found(&l));
	for (i = 0; i < n; i++)
		need(out[i].n == (family == 4 ? 4 : family == 6 ? 16 : out[i].n) && out[i].port == 443);
}

int
LLVMFuzzerTestOneInput(const unsigned char *p, size_t n)
{
	static const int families[] = { 0, 4, 6 };

	if (n == 0)
		return 0;
	file = slice_of(p + 1, n - 1);
	step = p[0] & 8 ? 7 : 4096;
	if (p[0] & 1)
		check_hosts(families[p[0] / 2 % 3]);
	else
		check_resolvers();
	return 0;
}
