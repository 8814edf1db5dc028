/*
 * order.c - newOrder (RFC 8555 7.4; profiles: draft-ietf-acme-profiles;
 * replaces: RFC 9773 5), and the file pending/order, key=value lines: url,
 * server, at, and what was ordered, so that a run that was cut off is gone on
 * with and nothing is ordered twice.
 */
#include <string.h>

#include "account.h"
#include "acme.h"
#include "chain.h"
#include "conf.h"
#include "json.h"
#include "name.h"
#include "order.h"
#include "renewal.h"
#include "store.h"
#include "talker.h"
#include "util.h"
#include "value.h"

enum { ORDER_AGE = 7 * 86400 };	/* s after which an order is not resumed */

static char text_mem[LIMIT_CHAIN] LARGE;	/* one payload or file at a time */

/* --- what is asked for --- */

static void
put_member(struct buf *b, const char *key, const char *value)
{
	buf_all(b, ",\"", key, "\":", (char *)0);
	json_quote(b, slice(value));
}

static void
put_moment(struct buf *b, const char *key, const char *when)
{
	char mem[32];
	struct buf t = BUF(mem);

	if (!when)
		return;
	buf_time(&t, value_moment(when, now_wall()));
	put_member(b, key, buf_text(&t));
}

/* {"identifiers":[{"type":"dns","value":"a"},...],...}; replaces: 0 none. */
static void
order_payload(struct buf *b, const struct conf *c, const char *replaces)
{
	unsigned char address[16];
	unsigned i;

	buf_str(b, "{\"identifiers\":[");
	for (i = 0; i < c->names; i++) {
		buf_all(b, i ? "," : "", "{\"type\":\"",
		    name_address(c->name[i], address) ? "ip" : "dns",
		    "\",\"value\":", (char *)0);
		json_quote(b, slice(c->name[i]));
		buf_char(b, '}');
	}
	buf_char(b, ']');
	if (c->profile)
		put_member(b, "profile", c->profile);
	put_moment(b, "notBefore", c->not_before);
	put_moment(b, "notAfter", c->not_after);
	if (replaces)
		put_member(b, "replaces", replaces);
	buf_char(b, '}');
}

/* --- profiles --- */

/* What is not listed is not asked for; a cached directory may be older than the profile. */
static int
check_profile(const struct conf *c)
{
	const struct acme_directory *d;
	int fetched;

	if (!c->profile)
		return 0;
	d = talker_directory(&fetched);
	if (!slice_listed(slice(c->profile), d->profiles) && !fetched && talker_refresh() < 0)
		return account_failed();
	if (slice_listed(slice(c->profile), d->profiles))
		return 0;
	if (!d->profiles[0])
		return fail(ST_CONFIG, "this CA offers no profiles, so none is called ", c->profile, (char *)0);
	return fail(ST_CONFIG, "this CA has no profile ", c->profile, "; its profiles are: ",
	    d->profiles, (char *)0);
}

int
order_failed(void)
{
	const struct acme_problem *p = talker_why();

	if (strcmp(p->type, "invalidProfile") != 0)
		return account_failed();
	return fail((enum status)p->status, p->text, "; the CA's profiles are: ",
	    talker_directory(0)->profiles, (char *)0);
}

/* --- the certificate that is replaced --- */

/* The id of the live certificate if the order may say that it replaces it, else 0. */
static const char *
replaced(const char *name, const struct conf *c, const struct renewal *st)
{
	struct buf pem = BUF(text_mem);
	char path[LIMIT_PATH];

	if (!st || !st->live || !st->ari[0] || strcmp(st->server, conf_directory(c)) != 0 ||
	    !talker_directory(0)->url[EP_RENEWAL_INFO][0])
		return 0;
	if (store_file(path, sizeof(path), name, st->live, "cert.pem") < 0 ||
	    store_read(path, &pem) < 0 || !chain_shares_name(buf_view(&pem), c))
		return 0;
	return st->ari;
}

/*
 * 1 if a refusal may be for replaces: CAs answer that with 409 alreadyReplaced,
 * but also with 400, 403, 404 and 500 of any type.
 */
static int
may_be_replaces(void)
{
	const struct acme_problem *p = talker_why();

	return p->http >= 400 && p->http <= 500 && p->http != 429 &&
	    strcmp(p->type, "rateLimited") != 0 && strcmp(p->type, "badNonce") != 0;
}

/* --- ordering --- */

static int
post(const struct conf *c, const char *replaces, struct acme_order *o)
{
	struct buf b = BUF(text_mem);
	int r;

	order_payload(&b, c, replaces);
	buf_text(&b);
	if (b.err)
		return fail(ST_USAGE, "the names together are longer than the limit", (char *)0);
	account_payload(ACME_NEW_ORDER, buf_view(&b));
	r = talker_new_order(o, c->names);
	account_payload(ACME_NEW_ORDER, (struct slice){ 0, 0 });
	return r;
}

int
order_new(const char *name, const struct conf *c, const struct renewal *st, struct acme_order *o)
{
	const char *replaces;
	int r = check_profile(c);

	if (r)
		return r;
	replaces = replaced(name, c, st);
	r = post(c, replaces, o);
	if (r < 0 && replaces && may_be_replaces() && !stop_signal()) {
		note(1, talker_why()->text, " - once more, without replaces", (char *)0);
		r = post(c, 0, o);
	}
	return r < 0 ? order_failed() : r;
}

/* --- remembering --- */

static void
join_names(struct buf *b, const struct conf *c)
{
	unsigned i;

	for (i = 0; i < c->names; i++)
		buf_all(b, i ? " " : "", c->name[i], (char *)0);
	buf_text(b);
}

/* The options that an order depends on, beside names and server. */
static const char *const members[] = { "profile", "not-before", "not-after" };
enum { MEMBERS = sizeof(members) / sizeof(*members) };

static const char *
member(const struct conf *c, size_t i)
{
	return conf_get(c, conf_find(slice(members[i])), 0);
}

static const char *
order_path(const char *name)
{
	return store_cert_path(name, "/pending/order");
}

static int
remember_order(const char *name, const struct conf *c, const struct acme_order *o)
{
	char names[LIMIT_NAMES * (LIMIT_NAME + 1)], at[32];
	struct buf b = BUF(text_mem), n = BUF(names), t = BUF(at);
	size_t i;

	join_names(&n, c);
	buf_time(&t, now_wall());
	kv_put(&b, "url", slice(o->url));
	kv_put(&b, "server", slice(conf_directory(c)));
	kv_put(&b, "names", buf_view(&n));
	kv_put(&b, "at", buf_view(&t));
	for (i = 0; i < MEMBERS; i++)
		if (member(c, i))
			kv_put(&b, members[i], slice(member(c, i)));
	if (store_write(order_path(name), buf_view(&b)) < 0)
		return store_failed("cannot write", order_path(name));
	return 0;
}

/* 1 if the file's text is of an order that is still what c wants, at whatever server. */
static int
is_wanted(struct slice text, const struct conf *c)
{
	char names[LIMIT_NAMES * (LIMIT_NAME + 1)];
	struct buf n = BUF(names);
	struct slice v = kv_get(text, "at");
	int64_t at;
	size_t i;

	if (!v.p || time_rfc3339(v, &at) < 0 || at < now_wall() - ORDER_AGE || at > now_wall() + 86400)
		return 0;
	for (i = 0; i < MEMBERS; i++) {
		v = kv_get(text, members[i]);
		if (!v.p != !member(c, i) || (v.p && !slice_is(v, member(c, i))))
			return 0;
	}
	join_names(&n, c);
	v = kv_get(text, "names");
	return v.p && slice_is(v, names);
}

/* The text of the file if it is of such an order, else empty. */
static struct slice
read_order(const char *name, const struct conf *c)
{
	struct buf b = BUF(text_mem);

	if (store_read(order_path(name), &b) < 0 || !is_wanted(buf_view(&b), c))
		buf_clear(&b);
	return buf_view(&b);
}

int
order_server(const char *name, const struct conf *c)
{
	struct slice v = kv_get(read_order(name, c), "server");

	return v.p ? conf_server(c, v) : -1;
}

/* The URL of an order that a cut-off run left and that is still what is wanted; 0 if none. */
static int
remembered_order(const char *name, const struct conf *c, struct acme_order *o)
{
	struct slice text = read_order(name, c), server = kv_get(text, "server");
	struct slice url = kv_get(text, "url");

	acme_order_clear(o);
	return url.p && server.p && slice_is(server, conf_directory(c)) &&
	    slice_copy(url, o->url, sizeof(o->url)) == 0;
}

int
order_forget(const char *name)
{
	return store_remove(order_path(name)) < 0 ?
	    store_failed("cannot remove", order_path(name)) : 0;
}

int
order_open(const char *name, const struct conf *c, const struct renewal *st, int fresh,
    struct acme_order *o)
{
	int r;

	if (!fresh && remembered_order(name, c, o)) {
		r = talker_order(o);
		if (r == 0 && o->status != ACME_INVALID) {
			note(1, "going on with order ", o->url, (char *)0);
			return 0;
		}
		if (r < 0 && (stop_signal() || talker_why()->status == ST_NET ||
		    talker_why()->status == ST_LATER))
			return account_failed();
		note(1, "the order of the last run is of no use any more", (char *)0);
	}
	r = order_forget(name);
	if (r == 0)
		r = order_new(name, c, st, o);
	return r ? r : remember_order(name, c, o);
}
