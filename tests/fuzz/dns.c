/*
 * Fuzzes the parser of DNS answers: the first byte chooses the type asked for,
 * the rest is the message, in memory of exactly its size.  What is accepted
 * can be shown, and its parts are where they should be.
 */
#include "fuzz.h"

#include "../../dns.c"

static void
show(const struct dns_answer *a)
{
	static char mem[4 * 65536 + 1024];
	struct buf b = BUF(mem);
	struct dns_record r;
	char name[DNS_NAME];
	unsigned count = 0;

	memset(&r, 0, sizeof(r));
	while (dns_next(a, &r)) {
		count++;
		if (r.at + r.n > a->n || r.section > 2)
			abort();
		buf_clear(&b);
		dns_value(&b, a, &r);
		if (r.type == DNS_TXT)
			dns_txt(&b, a, &r);
		if (r.type == DNS_NS || r.type == DNS_SOA || r.type == DNS_CNAME)
			dns_target(a, &r, name);
	}
	if (a->outcome == DNS_ANSWER && count != a->count[0] + a->count[1] + a->count[2])
		abort();
	dns_final(a, "a.example", name);
	dns_below(name, "example");
}

int
LLVMFuzzerTestOneInput(const unsigned char *p, size_t n)
{
	static const enum dns_type types[] = { DNS_A, DNS_NS, DNS_CNAME, DNS_SOA, DNS_TXT, DNS_AAAA, DNS_CAA };
	struct dns_question q = { .name = "a.example" };
	struct dns_answer a;
	unsigned char *copy;

	if (n < 3)
		return 0;
	q.type = types[p[0] % 7];
	copy = malloc(n - 1);
	memcpy(copy, p + 1, n - 1);
	if (parse(&a, copy, n - 1, get16(copy), &q) == 0)
		show(&a);
	free(copy);
	return 0;
}
