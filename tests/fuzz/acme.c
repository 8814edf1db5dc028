/*
 * Fuzzes the reading of RFC 8555's objects: the first byte chooses the kind,
 * the next the HTTP status, then a header line, the rest is the body.
 * What is accepted keeps the promises of acme.h; what is not has a problem
 * that can be printed.
 */
#include "fuzz.h"

#include "../../problem.c"
#include "../../nonce.c"
#include "../../talk.c"
#include "../../reply.c"
#include "../../acme.c"
#include "../../resource.c"

static struct acme_order an_order;
static const char base[] = "https://ca.example:14000/dir";

/* "" or an https URL. */
static void
need_url(const char *s)
{
	struct http_url u;

	need(!*s || (http_url(&u, slice(s)) == 0 && u.tls));
}

/* A text of the order: inside of what is used of the arena, printable. */
static const char *
need_text(acme_text t)
{
	const char *s = acme_string(&an_order, t);

	need(t == 0 || t < an_order.used);
	need_printable(s, an_order.used ? an_order.used - t : 1);
	return s;
}

static void
fuzz_problem(void)
{
	struct acme_problem *p = problem_last();
	struct http_url u;

	need(p->status == ST_REFUSED || p->status == ST_LATER || p->status == ST_PROTO);
	need_printable(p->text, sizeof(p->text));
	need(p->text[0] != 0);
	need(memchr(p->type, 0, sizeof(p->type)) != 0);
	/* only for a person to look at */
	need(!p->link[0] || http_url(&u, slice(p->link)) == 0);
}

static int
fuzz_directory(void)
{
	static struct acme_directory d;
	int i;

	if (read_directory(&d) < 0)
		return -1;
	for (i = 0; i < EP_COUNT; i++)
		need_url(d.url[i]);
	need(d.url[EP_NEW_NONCE][0] && d.url[EP_NEW_ACCOUNT][0] && d.url[EP_NEW_ORDER][0]);
	need_printable(d.profiles, sizeof(d.profiles));
	need_printable(d.caa, sizeof(d.caa));
	return 0;
}

static int
fuzz_account(void)
{
	static struct acme_account a;

	if (read_account(&a, base) < 0)
		return -1;
	need_url(a.orders);
	need_printable(a.contact, sizeof(a.contact));
	return reply_location(base, a.url, "account");
}

static int
fuzz_order(void)
{
	unsigned i;

	memset(&an_order, 0, offsetof(struct acme_order, arena));
	slice_copy(slice(base), an_order.url, sizeof(an_order.url));
	if (read_order(&an_order) < 0)
		return -1;
	need(an_order.status > ACME_UNKNOWN && an_order.status <= ACME_REVOKED);
	need(an_order.idents <= LIMIT_NAMES && an_order.count <= LIMIT_NAMES);
	need_url(an_order.finalize);
	need_url(an_order.certificate);
	need_text(an_order.error);
	for (i = 0; i < an_order.idents; i++)
		need(*need_text(an_order.ident[i]) != 0);
	for (i = 0; i < an_order.count; i++)
		need_url(need_text(an_order.authz[i].url));
	return read_order(&an_order);
}

static int
fuzz_authorization(void)
{
	struct acme_authz *z = &an_order.authz[0];
	unsigned i;

	memset(&an_order, 0, offsetof(struct acme_order, arena));
	an_order.count = 1;
	slice_copy(slice(base), an_order.url, sizeof(an_order.url));
	if (read_authorization(&an_order, z) < 0)
		return -1;
	need(z->status > ACME_UNKNOWN && z->status <= ACME_REVOKED && z->count <= ACME_CHALLENGES);
	need(*need_text(z->ident) != 0);
	need_text(z->error);
	for (i = 0; i < z->count; i++) {
		const struct acme_challenge *c = &z->challenge[i];
		const char *token = need_text(c->token);

		need(c->type < ACME_TYPES && *need_text(c->url));
		need_url(need_text(c->url));
		need_text(c->error);
		need(*token ? proper_token(token) : c->type == ACME_DNS_PERSIST_01);
	}
	z->chosen = z->count ? 0 : -1;
	return z->count ? answered(&an_order, z, &z->challenge[0]) : 0;
}

static int
fuzz_renewal(void)
{
	struct acme_renewal r;

	memset(&r, 0, sizeof(r));
	if (read_renewal(&r) < 0)
		return -1;
	need(r.start < r.end);
	need(talk_retry_after() >= -1 && talk_retry_after() <= 366 * 86400);
	return 0;
}

static int
fuzz_reply(void)
{
	problem_bad_nonce();
	return problem_judge(&talk.res, "a request", base);
}

/* The reply, as it comes over a connection. */
static char wire[LIMIT_REPLY];
static struct buf incoming;

static long
memory_read(void *ctx, void *p, size_t n)
{
	struct slice *rest = ctx;

	if (n > rest->n)
		n = rest->n;
	memcpy(p, rest->p, n);
	rest->p += n;
	rest->n -= n;
	return (long)n;
}

static int
take_reply(void)
{
	static struct http_reader reader;
	struct slice rest = buf_view(&incoming);
	struct http_stream s;

	memset(&s, 0, sizeof(s));
	memset(&reader, 0, sizeof(reader));
	memset(problem_last(), 0, sizeof(*problem_last()));
	s.ctx = &rest;
	s.read = memory_read;
	reader.s = &s;
	buf_init(&talk.res.body, talk.reply, sizeof(talk.reply));
	return http_receive(&reader, "POST", &talk.res) == HTTP_OK ? 0 : -1;
}

int
LLVMFuzzerTestOneInput(const unsigned char *p, size_t n)
{
	static int (*const readers[])(void) = {
		fuzz_reply, fuzz_directory, fuzz_account, fuzz_order, fuzz_authorization, fuzz_renewal
	};
	static const char *const status[] = { "200", "400", "403", "404", "429", "500", "503" };
	const unsigned char *line;

	if (n < 2 || (line = memchr(p + 2, '\n', n - 2)) == 0)
		return 0;
	buf_init(&incoming, wire, sizeof(wire));
	buf_all(&incoming, "HTTP/1.1 ", status[p[1] % (sizeof(status) / sizeof(*status))], "\r\n", (char *)0);
	buf_mem(&incoming, p + 2, (size_t)(line - (p + 2)));
	buf_str(&incoming, "\r\n\r\n");
	buf_mem(&incoming, line + 1, (size_t)(p + n - (line + 1)));
	if (take_reply() < 0)
		return 0;
	if (readers[p[0] % (sizeof(readers) / sizeof(*readers))]() < 0)
		fuzz_problem();
	else
		need(problem_last()->text[0] == 0);
	return 0;
}
