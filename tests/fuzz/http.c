/*
 * Fuzzes http_receive, http_header and http_link: the first byte chooses the
 * step size and the end, the rest is what the server sends.  Two readings of
 * the same bytes in different steps must agree.
 */
#include "fuzz.h"

#include "../../http.c"

struct memory {
	const unsigned char *p;
	size_t n, step;
	long end;
};

static long
memory_read(void *ctx, void *p, size_t n)
{
	struct memory *m = ctx;

	if (m->n == 0)
		return m->end;
	if (n > m->n)
		n = m->n;
	if (n > m->step)
		n = m->step;
	memcpy(p, m->p, n);
	m->p += n;
	m->n -= n;
	return (long)n;
}

static char body[2][LIMIT_REPLY];
static struct http_response res[2];
static struct http_reader reader[2];

static void
check(const struct http_response *r)
{
	struct slice s;
	unsigned i;

	for (i = 0; s = http_link(r, "alternate", i), s.p; i++)
		if (s.p < r->head || s.p + s.n > r->head + r->head_len)
			abort();
	for (i = 0; s = http_header(r, "A", i), s.p; i++)
		if (s.p < r->head || s.p + s.n > r->head + r->head_len)
			abort();
}

int
LLVMFuzzerTestOneInput(const unsigned char *p, size_t n)
{
	static const char *const methods[] = { "GET", "HEAD" };
	struct memory m[2];
	struct http_stream s[2];
	enum http_error e[2];
	int i, k;

	if (n == 0)
		return 0;
	for (i = 0; i < 2; i++) {
		m[i].p = p + 1;
		m[i].n = n - 1;
		m[i].step = i ? 1u + (p[0] & 15u) : sizeof(reader[i].mem);
		m[i].end = -(long)(p[0] >> 4 & 3) % 3;
		memset(&s[i], 0, sizeof(s[i]));
		s[i].ctx = &m[i];
		s[i].read = memory_read;
		memset(&reader[i], 0, sizeof(reader[i]));
		reader[i].s = &s[i];
		buf_init(&res[i].body, body[i], sizeof(body[i]));
	}
	for (k = 0; k < 5; k++) {
		for (i = 0; i < 2; i++)
			e[i] = http_receive(&reader[i], methods[p[0] >> 6 & 1], &res[i]);
		if (e[0] != e[1] || res[0].close != res[1].close)
			abort();
		if (e[0])
			break;
		if (res[0].status != res[1].status || res[0].body.len != res[1].body.len ||
		    memcmp(body[0], body[1], res[0].body.len) != 0)
			abort();
		check(&res[0]);
	}
	return 0;
}
