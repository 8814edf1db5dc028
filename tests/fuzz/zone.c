/*
 * Fuzzes what resolvers and name servers answer to zone.c: pieces, each an
 * answer: two bytes of flags, three of counts, then the records.
 */
#include "fuzz.h"

#include "../../dns.c"
#include "../../resolve.h"

static struct slice rest;

static int
answer(struct dns_run *run)
{
	static unsigned char mem[1 << 16];
	struct dns_question q;
	struct dns_answer a;
	struct slice piece;
	unsigned char *copy;
	struct buf b;

	while (memset(&q, 0, sizeof(q)), run->next(run->ctx, &q)) {
		memset(&a, 0, sizeof(a));
		a.outcome = DNS_SILENT;
		if (!fuzz_piece(&rest, &piece) || piece.n < 5) {
			run->done(run->ctx, &q, &a);
			continue;
		}
		buf_init(&b, mem, sizeof(mem));
		need(dns_name(q.name) == 0 && build(&b, 1, &q) == 0);
		buf_mem(&b, piece.p + 5, piece.n - 5);
		mem[4] = 0x80 | ((unsigned char)piece.p[0] & 4);
		mem[5] = (unsigned char)piece.p[1] & 15;
		mem[9] = (unsigned char)piece.p[2];
		mem[11] = (unsigned char)piece.p[3];
		mem[13] = (unsigned char)piece.p[4];
		copy = malloc(b.len - 2);
		memcpy(copy, mem + 2, b.len - 2);
		if (parse(&a, copy, b.len - 2, 1, &q) != 0) {
			memset(&a, 0, sizeof(a));
			a.outcome = DNS_SILENT;
		}
		run->done(run->ctx, &q, &a);
		free(copy);
	}
	return 0;
}

#define dns_run(r) answer(r)
#define dns_connect(a, type) 0
#define close(fd) ((void)0)
#define now_ms() 0
#include "../../zone.c"

static void
value(void *ctx, struct slice s)
{
	(void)ctx;
	need(s.n <= VALUE);
}

int
LLVMFuzzerTestOneInput(const unsigned char *p, size_t n)
{
	static const struct zone_want want[] = {
		{ "_acme-challenge.a.example", "one" }, { "_acme-challenge.a.example", "two" },
		{ "_acme-challenge.b.c.example", "three" },
	};

	rest = slice_of(p, n);
	zone_wait(want, 3, n % 3 ? 0 : 4, 0);
	need(zones <= LIMIT_NAMES && hosts <= HOSTS && servers <= SERVERS);
	zone_txt("a.example", 0, 0, value, 0);
	return 0;
}
