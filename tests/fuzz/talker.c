/*
 * Fuzzes what the keeper takes from a talker: the first byte chooses calls, the
 * rest is what the talker sends, what it lacks at its end being zero.  Whatever
 * comes, what is left in the keeper's hands is as talker.h promises.
 */
#include "fuzz.h"

#include "../../util.h"
#define program_drop() ((void)0)	/* slow, and nothing to be found there */
#include "../../talker.c"

static struct slice input;

int split_child(int kind) { return kind == SPLIT_TALKER ? 3 : -1; }
void split_shut(int channel) { (void)channel; }
void split_kill(int kind, int channel) { (void)kind; (void)channel; }

int
split_send(int channel, const void *p, size_t n, int64_t deadline)
{
	(void)channel; (void)p; (void)n; (void)deadline;
	return 0;
}

int
split_receive(int channel, void *p, size_t n, int64_t deadline)
{
	size_t got;

	(void)channel; (void)deadline;
	errno = EPIPE;
	if (n && !input.n)
		return -1;
	got = n < input.n ? n : input.n;
	memset(p, 0, n);
	memcpy(p, input.p, got);
	input.p += got;
	input.n -= got;
	return 0;
}

static int
fake_sign(void *ctx, enum acme_kind kind, const char *url, const char *nonce, struct buf *body)
{
	(void)ctx;
	need(kind <= ACME_DEACTIVATE_AUTHZ && kind != ACME_KEY_CHANGE && kind != ACME_REVOKE &&
	    kind != ACME_DEACTIVATE_ACCOUNT && kind != ACME_UPDATE_ACCOUNT && kind != ACME_DEACTIVATE_AUTHZ);
	need(strncmp(url, "https://", 8) == 0 && jws_clean(url) && base64url_is(slice(nonce)));
	buf_str(body, "{}");
	return 0;
}

static void
url_needed(const char *url)
{
	need(memchr(url, 0, LIMIT_URL) != 0);
	need(!*url || (strncmp(url, "https://", 8) == 0 && jws_clean(url)));
}

static void
order_needed(const struct acme_order *o)
{
	unsigned i, k;

	url_needed(o->url);
	url_needed(o->finalize);
	url_needed(o->certificate);
	need(o->status <= ACME_REVOKED && o->idents <= LIMIT_NAMES && o->count <= LIMIT_NAMES && o->used <= sizeof(o->arena));
	for (i = 0; i < o->idents; i++)
		need_printable(acme_string(o, o->ident[i]), sizeof(o->arena));
	for (i = 0; i < o->count; i++) {
		const struct acme_authz *z = &o->authz[i];

		need(z->status <= ACME_REVOKED && z->count <= ACME_CHALLENGES);
		need_printable(acme_string(o, z->ident), sizeof(o->arena));
		need_printable(acme_string(o, z->error), sizeof(o->arena));
		for (k = 0; k < z->count; k++) {
			const struct acme_challenge *c = &z->challenge[k];

			need(c->type < ACME_TYPES && c->status <= ACME_REVOKED);
			url_needed(acme_string(o, c->url));
			need(!*acme_string(o, c->token) || base64url_is(slice(acme_string(o, c->token))));
			need_printable(acme_string(o, c->error), sizeof(o->arena));
		}
	}
}

/* An order as one that was told before: one authorization, one challenge, which is chosen. */
static void
told(struct acme_order *o)
{
	static const char texts[] = "\0a.example\0https://ca.example/z\0https://ca.example/c\0token";
	struct acme_authz *z = o->authz;

	memset(z, 0, sizeof(*z));
	memcpy(o->arena, texts, sizeof(texts));
	o->used = sizeof(texts);
	o->idents = o->count = z->count = 1;
	o->ident[0] = z->ident = 1;
	z->url = 11;
	z->challenge[0].url = 32;
	z->challenge[0].token = 53;
	slice_copy(slice("https://ca.example/o"), o->url, sizeof(o->url));
	slice_copy(slice("https://ca.example/f"), o->finalize, sizeof(o->finalize));
}

static void
orders(int which)
{
	static struct acme_order o;

	acme_order_clear(&o);
	if (which == 0)
		talker_new_order(&o, 1);
	order_needed(&o);
	if (which)
		told(&o);
	if (which < 2)
		talker_authorizations(&o, which ? 1u << ACME_HTTP_01 : ~0u);
	else
		talker_answer(&o);
	order_needed(&o);
	talker_wait(&o);
	talker_finalize(&o);
	order_needed(&o);
}

static void
others(int which)
{
	static struct acme_account account;
	static struct acme_renewal renewal;
	static char mem[LIMIT_CHAIN];
	struct buf pem = BUF(mem);
	char kid[512], key[1024];
	unsigned i;

	switch (which) {
	case 3:
		talker_refresh();
		for (i = 0; i < EP_COUNT; i++)
			url_needed(talker_directory(0)->url[i]);
		need_printable(talker_directory(0)->caa, sizeof(talker_directory(0)->caa));
		break;
	case 4:
		if (talker_new_account(&account) < 0)
			break;
		url_needed(account.url);
		url_needed(account.orders);
		need_printable(account.contact, sizeof(account.contact));
		break;
	case 5:
		if (talker_renewal_info(&renewal, 1) == 0)
			need(memchr(renewal.explanation, 0, sizeof(renewal.explanation)) != 0);
		break;
	case 6:
		if (talker_certificate(0, 0, &pem) == 0)
			need(pem.len <= pem.cap);
		break;
	default:
		if (talker_binding("https://ca.example/", "a@b", kid, sizeof(kid), key, sizeof(key)) == 0)
			need_printable(key, sizeof(key));
		break;
	}
}

int
LLVMFuzzerTestOneInput(const unsigned char *p, size_t n)
{
	static struct tls_config tls;

	if (n == 0)
		return 0;
	verbose = -1;
	memset(&talker, 0, sizeof(talker));
	talker.config = (struct acme_config){ .tls = &tls, .agent = "fuzz", .timeout = 1, .sign = fake_sign };
	for (int i = 0; i < EP_COUNT; i++)
		slice_copy(slice("https://ca.example/e"), talker.directory.url[i], LIMIT_URL);
	talker.open = 1;
	input.p = (const char *)p + 1;
	input.n = n - 1;
	if (*p % 8 < 3)
		orders(*p % 8);
	else
		others(*p % 8);
	need_printable(talker.why.text, sizeof(talker.why.text));
	need_printable(talker.why.type, sizeof(talker.why.type));
	return 0;
}
