/*
 * converse.c - the talker's end of the calls: requests come down, and are
 * carried out by acme.c, resource.c and form.c; what those want signed or shown
 * goes up.  It runs in a process that has given up all rights but to speak, and
 * ends with the channel.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "acme.h"
#include "call.h"
#include "converse.h"
#include "form.h"
#include "problem.h"
#include "split.h"
#include "talk.h"
#include "tls.h"
#include "trust.h"
#include "util.h"

enum { FOREVER = 86400 * 1000 };	/* ms: the keeper decides how long */

static struct {
	int channel;
	int told;		/* the directory that was fetched is known above */
	int single;		/* as is that the CA bears but one request at a time */
	uint32_t known;		/* so much of the order's texts, too */
	struct request request;
	struct acme_order order;
} mine;

/* The keeper is gone, or has had enough: there is nothing to be tidied up. */
static void
end(void)
{
	acme_close();
	_exit(0);
}

static void
put(const void *p, size_t n)
{
	if (split_send(mine.channel, p, n, now_ms() + FOREVER) < 0)
		end();
}

static void
get(void *p, size_t n)
{
	if (split_receive(mine.channel, p, n, now_ms() + FOREVER) < 0)
		end();
}

static void
put_message(enum what what, int number, size_t length)
{
	struct message m;

	memset(&m, 0, sizeof(m));
	m.what = what;
	m.number = number;
	m.length = (unsigned)length;
	put(&m, sizeof(m));
}

static void
put_directory(void)
{
	int fetched;
	const struct acme_directory *d = acme_directory(&fetched);

	if (!fetched || mine.told)
		return;
	mine.told = 1;
	put_message(DIRECTORY, 0, 0);
	put(d, sizeof(*d));
}

static void
put_single(void)
{
	if (talk_single() && !mine.single)
		put_message(SINGLE, 0, 0);
	mine.single = talk_single();
}

static int
ask_signature(void *ctx, enum acme_kind kind, const char *url, const char *nonce, struct buf *body)
{
	static struct wish w;
	struct message m;

	(void)ctx;
	put_directory();
	slice_copy(slice(url), w.url, sizeof(w.url));
	slice_copy(slice(nonce), w.nonce, sizeof(w.nonce));
	put_message(SIGN, (int)kind, 0);
	put(&w, sizeof(w));
	get(&m, sizeof(m));
	if (m.length > body->cap - body->len)
		end();
	get(body->p + body->len, m.length);
	body->len += m.length;
	body->err = m.number > 0;
	return m.number < 0 ? -1 : 0;
}

static void
put_trace(void *ctx, int level, const char *line)
{
	size_t n = strlen(line);

	(void)ctx;
	if (verbose < level || n > LIMIT_REPLY)
		return;
	put_message(TRACE, level, n);
	put(line, n);
}

static void
put_tick(void *ctx, const char *what, unsigned seconds)
{
	size_t n = strlen(what);

	(void)ctx;
	put_message(TICK, (int)seconds, n);
	put(what, n);
}

/* The order, the texts that are new last. */
static void
put_order(const struct acme_order *o, int all)
{
	uint32_t from = all ? 0 : mine.known;

	put(o, offsetof(struct acme_order, authz));
	put(o->authz, o->count * sizeof(*o->authz));
	put(o->arena + from, o->used - from);
	mine.known = o->used;
}

static const char *
given(const char *s)
{
	return *s ? s : 0;
}

/* The conversation: files are opened, then rights given up, then the network is used. */
static int
open_conversation(void)
{
	static struct opening o;
	static struct acme_directory cached;
	static struct tls_config tls;
	struct acme_config config;
	const char *why;

	get(&o, sizeof(o));
	if (o.cached)
		get(&cached, sizeof(cached));
	trust_hold(given(o.ca_file));
	if (split_confine() < 0)
		_exit(1);
	if (*o.ca_file && trust_check(o.ca_file, &why) < 0)
		return problem_set(ST_CONFIG, o.ca_file, ": ", why, errno ? ": " : "",
		    errno ? strerror(errno) : "", (char *)0);
	tls.ca_file = given(o.ca_file);
	tls.proxy = given(o.proxy);
	tls.family = o.family;
	tls.resolve = split_resolve;
	memset(&config, 0, sizeof(config));
	config.tls = &tls;
	config.agent = o.agent;
	config.timeout = o.timeout;
	config.rate = o.rate;
	config.nonce_rate = o.nonce_rate;
	config.single = mine.single = o.single;
	config.sign = ask_signature;
	config.trace = put_trace;
	config.tick = put_tick;
	return acme_open(&config, o.directory, o.cached ? &cached : 0);
}

/* Carries out one request: its result, and what it gives beside an order in *out of *n bytes. */
static int
carry_out(const struct request *r, void **out, size_t *n)
{
	static union {
		struct acme_account account;
		struct acme_renewal renewal[ACME_RENEWALS];
		struct binding binding;
	} gives;
	static char pem_mem[LIMIT_CHAIN] LARGE;
	struct buf pem = BUF(pem_mem);
	struct acme_order *o = &mine.order;
	unsigned i;
	int result;

	*out = &gives;
	*n = 0;
	for (i = 0; r->order == CHANGES && i < o->count; i++)
		o->authz[i].chosen = r->chosen[i];
	switch (r->call) {
	case CALL_OPEN:
		return open_conversation();
	case CALL_TIMEOUT:
		acme_timeout(r->number);
		return 0;
	case CALL_REFRESH:
		mine.told = 0;
		return acme_refresh();
	case CALL_RENEWAL_INFO:
		if (r->number > ACME_RENEWALS)
			end();
		*n = r->number * sizeof(gives.renewal[0]);
		get(gives.renewal, *n);
		return acme_renewal_info(gives.renewal, r->number);
	case CALL_BINDING:
		*n = sizeof(gives.binding);
		return form_binding(r->url, r->text, gives.binding.kid, sizeof(gives.binding.kid),
		    gives.binding.key, sizeof(gives.binding.key));
	case CALL_NEW_ACCOUNT:
		*n = sizeof(gives.account);
		return acme_new_account(&gives.account);
	case CALL_ACCOUNT_POST:
		*n = sizeof(gives.account);
		return acme_account_post((enum acme_kind)r->kind, r->url, &gives.account);
	case CALL_POST:
		return acme_post((enum acme_kind)r->kind, r->url);
	case CALL_REVOKE:
		return acme_revoke();
	case CALL_NEW_ORDER:
		return acme_new_order(o, r->number);
	case CALL_ORDER:
		acme_order_clear(o);
		slice_copy(slice(r->url), o->url, sizeof(o->url));
		return acme_order(o);
	case CALL_AUTHORIZATIONS:
		o->unwanted = r->number;
		return acme_authorizations(o);
	case CALL_ANSWER:
		return acme_answer(o);
	case CALL_WAIT:
		return acme_wait(o);
	case CALL_WAIT_AUTHORIZATION:
		return acme_wait_authorization(o, r->number);
	case CALL_FINALIZE:
		return acme_finalize(o);
	case CALL_CERTIFICATE:
		result = acme_certificate(o, r->number, &pem);
		*out = pem_mem;
		*n = pem.len;
		return result;
	case CALLS:
		break;
	}
	return -1;
}

void
converse(int channel)
{
	struct request *r = &mine.request;
	void *out;
	size_t n;
	int result;

	mine.channel = channel;
	for (;;) {
		program_drop();
		get(r, sizeof(*r));
		result = carry_out(r, &out, &n);
		put_directory();
		put_single();
		put_message(DONE, result, result == 0 ? n : 0);
		if (result < 0)
			put(acme_why(), sizeof(struct acme_problem));
		if (r->order)
			put_order(&mine.order, r->order == ALL);
		if (result == 0)
			put(out, n);
	}
}
