/*
 * challenge.c - the challenges of one order (RFC 8555 7.5, 8).  What a hook
 * sees of the server's words was checked: tokens by acme.c, names by looking
 * them up in our own list, whose spelling is the one that is passed on.
 *
 * A journal entry is the call itself in key=value lines: hook (path),
 * builtin, type, ident, token, auth, and an env line for each variable; or
 * post=COMMAND for the post hook, which is entered first and so ends last.
 */
#include <sys/stat.h>

#include <errno.h>
#include <string.h>

#include "account.h"
#include "acme.h"
#include "challenge.h"
#include "conf.h"
#include "hook.h"
#include "jws.h"
#include "name.h"
#include "persist.h"
#include "probe.h"
#include "store.h"
#include "util.h"
#include "value.h"
#include "zone.h"

enum {
	ENTRIES = 2 * LIMIT_NAMES,
	ZONE_WAIT = 600,	/* s until all servers of a zone have a record */
	RECORD_WAIT = 20000	/* ms for a record that may stand */
};

/* One entry and one hook's environment at a time. */
static char entry_mem[LIMIT_CONF] LARGE, env_mem[LIMIT_CONF] LARGE;
static struct hook_env env;

/* --- names --- */

/* 1 if a name of ours (without "*.") and the server's text are the same identifier. */
static int
same_ident(const char *ours, const char *theirs)
{
	unsigned char a[16], b[16];
	int n = name_address(ours, a);

	if (n)
		return name_address(theirs, b) == n && memcmp(a, b, (size_t)n) == 0;
	return strcmp(ours, theirs) == 0;
}

static int
is_wildcard(const char *name)
{
	return name[0] == '*' && name[1] == '.';
}

/* Index of the name that an authorization is for, -1 if it is none of ours. */
static int
name_of(const struct conf *c, const struct acme_order *o, const struct acme_authz *z)
{
	const char *ident = acme_string(o, z->ident);
	unsigned i;

	for (i = 0; i < c->names; i++)
		if (is_wildcard(c->name[i]) == !!z->wildcard &&
		    same_ident(c->name[i] + 2 * !!z->wildcard, ident))
			return (int)i;
	return -1;
}

/* The same name without "*.", in our spelling; that it is ours was checked. */
static const char *
ident_of(const struct conf *c, const struct acme_order *o, const struct acme_authz *z)
{
	return c->name[name_of(c, o, z)] + 2 * !!z->wildcard;
}

int
challenge_identifiers(const struct conf *c, const struct acme_order *o)
{
	unsigned i, j;

	for (i = 0; i < c->names; i++) {
		for (j = 0; j < o->idents; j++)
			if (same_ident(c->name[i], acme_string(o, o->ident[j])))
				break;
		if (j == o->idents)
			return fail(ST_PROTO, "the server's order leaves out ",
			    c->name[i], (char *)0);
	}
	for (j = 0; j < o->idents; j++) {
		for (i = 0; i < c->names; i++)
			if (same_ident(c->name[i], acme_string(o, o->ident[j])))
				break;
		if (i == c->names)
			return fail(ST_PROTO, "the server's order has a name not asked for: ",
			    acme_string(o, o->ident[j]), (char *)0);
	}
	return 0;
}

int
challenge_authorizations(const struct conf *c, const struct acme_order *o)
{
	unsigned char seen[LIMIT_NAMES] = { 0 };
	unsigned i;
	int n;

	for (i = 0; i < o->count; i++) {
		n = name_of(c, o, &o->authz[i]);
		if (n < 0 || seen[n])
			return fail(ST_PROTO, "the server sent an authorization that was"
			    " not asked for: ", o->authz[i].wildcard ? "*." : "",
			    acme_string(o, o->authz[i].ident), (char *)0);
		seen[n] = 1;
	}
	return 0;
}

/* --- hooks --- */

/* The name of the hook, 0 there is none. */
static const char *
hook_name(const struct conf *c)
{
	return c->hook ? c->hook : c->webroot ? "webroot" : 0;
}

/* The hook that c names; none (an empty path) will do where a record may stand already. */
static int
find_hook(const struct conf *c, struct hook *h)
{
	const char *why, *name = hook_name(c);

	h->path[0] = 0;
	if (!name && c->challenge && value_type_bits(c->challenge) & VALUE_PERSIST)
		return 0;
	if (!name)
		return fail(ST_USAGE, "no way to answer challenges: give --webroot DIR"
		    " or --hook PROG", (char *)0);
	errno = 0;
	if (hook_find(h, name, store_home(), &why) == 0)
		return 0;
	return fail(ST_CONFIG, "hook ", name, ": ", why, (char *)0);
}

static int
find_program(const char *name, const char *option)
{
	struct hook h;
	const char *why;

	if (!name || hook_find(&h, name, store_home(), &why) == 0)
		return 0;
	return fail(ST_CONFIG, "--", option, " ", name, ": ", why, (char *)0);
}

/* The built-in webroot works below a directory that is there. */
static int
check_webroot(const struct conf *c)
{
	struct stat st;

	if (!c->webroot || (stat(c->webroot, &st) == 0 && S_ISDIR(st.st_mode)))
		return 0;
	return fail(ST_CONFIG, "--webroot ", c->webroot, ": no such directory", (char *)0);
}

int
challenge_check(const struct conf *c)
{
	struct hook h;
	unsigned i;
	int r = find_hook(c, &h);

	if (r == 0)
		r = check_webroot(c);

	if (r == 0)
		r = find_program(c->ready_hook, "ready-hook");
	if (r == 0)
		r = find_program(c->fail_hook, "fail-hook");
	for (i = 0; r == 0 && i < c->deploy.n; i++)
		r = find_program(c->deploy.v[i], "deploy-hook");
	return r;
}

/* The types that are tried, in order of preference; the count. */
static unsigned
preference(const struct conf *c, const struct hook *h, enum acme_type out[ACME_TYPES])
{
	struct slice all = slice(c->challenge ? c->challenge :
	    !h->builtin ? "http-01,dns-01,tls-alpn-01" :
	    strncmp(h->path, "tls-alpn", 8) == 0 ? "tls-alpn-01" : "http-01");
	struct slice one;
	const char *comma;
	unsigned n = 0;
	int t;

	while (all.n && n < ACME_TYPES) {
		comma = memchr(all.p, ',', all.n);
		one.p = all.p;
		one.n = comma ? (size_t)(comma - all.p) : all.n;
		all.p += one.n + !!comma;
		all.n -= one.n + !!comma;
		for (t = 0; t < ACME_TYPES; t++)
			if (slice_is(one, acme_type_name[t]))
				out[n++] = (enum acme_type)t;
	}
	return n;
}

unsigned
challenge_types(const struct conf *c)
{
	struct hook h = { 0 };
	enum acme_type types[ACME_TYPES];
	const char *why;
	unsigned n, bits = 0;

	if (hook_name(c))	/* if it is not there, that is told when it is to be run */
		hook_find(&h, hook_name(c), store_home(), &why);
	for (n = preference(c, &h, types); n--;)
		bits |= 1u << types[n];
	return bits;
}

/* --- the environment of a hook --- */

static void
put_number(struct hook_env *e, const char *var, unsigned v)
{
	char mem[24];
	struct buf b = BUF(mem);

	buf_uint(&b, v);
	hook_env_put(e, var, buf_text(&b));
}

/* What every program of ours gets to know of the certificate. */
static void
common_env(struct hook_env *e, const char *name, const struct conf *c)
{
	char mem[LIMIT_NAMES * (LIMIT_NAME + 1)], path[LIMIT_PATH];
	struct buf b = BUF(mem), p = BUF(path);
	unsigned i;

	for (i = 0; i < c->env.n; i++)
		hook_env_line(e, c->env.v[i]);
	store_path(&p, "hookdata");
	hook_env_put(e, "UACME_CONFDIR", buf_text(&p));
	put_number(e, "UACME_VERBOSE", verbose > 0 ? (unsigned)verbose : 0);
	hook_env_put(e, "ACME_HOME", store_home());
	hook_env_put(e, "ACME_NAME", name);
	for (i = 0; i < c->names; i++)
		buf_all(&b, i ? " " : "", c->name[i], (char *)0);
	hook_env_put(e, "ACME_IDENTS", buf_text(&b));
	if (c->webroot)
		hook_env_put(e, "ACME_WEBROOT", c->webroot);
	if (c->user)
		hook_env_put(e, "ACME_USER", c->user);
}

/* One call as a journal entry keeps it; texts belong to the caller. */
struct call {
	const struct hook *hook;
	const char *type, *ident, *token, *auth;
};

/* What the CA will look for: the key authorization, its form for the type, the TXT owner ("" if none). */
struct proof {
	char keyauth[LIMIT_TOKEN + 64], auth[LIMIT_PERSIST], record[2 * LIMIT_NAME];
};
static struct proof proof;

static int
write_entry(const char *name, const struct call *k, const struct hook_env *e, int *id)
{
	struct buf b = BUF(entry_mem);
	unsigned i;
	int r;

	kv_put(&b, "hook", slice(k->hook->path));
	kv_put(&b, "builtin", slice(k->hook->builtin ? "1" : "0"));
	kv_put(&b, "type", slice(k->type));
	kv_put(&b, "ident", slice(k->ident));
	kv_put(&b, "token", slice(k->token));
	kv_put(&b, "auth", slice(k->auth));
	for (i = 0; i < e->n; i++)
		kv_put(&b, "env", slice(e->v[i]));
	r = b.err || e->err ?
	    fail(ST_CONFIG, "the environment of the hook is too large", (char *)0) :
	    store_journal_add(name, buf_view(&b), id) < 0 ?
	    store_failed("cannot write the journal in", store_cert_path(name, "/pending/hooks")) : 0;
	wipe(entry_mem, b.len);
	return r;
}

static int
run(const struct call *k, const char *method, struct hook_env *e, unsigned timeout)
{
	const char *args[6];

	args[0] = method;
	args[1] = k->type;
	args[2] = k->ident;
	args[3] = k->token;
	args[4] = k->auth;
	args[5] = 0;
	hook_env_put(e, "UACME_METHOD", method);
	note(1, "hook ", k->hook->path, " ", method, " ", k->type, " ", k->ident, (char *)0);
	return e->err ? HOOK_EXEC : hook_run(k->hook, args, e, timeout);
}

static void
call_env(struct hook_env *e, const char *name, const struct conf *c,
    const struct call *k, int wildcard, unsigned remaining)
{
	hook_env_init(e, env_mem, sizeof(env_mem));
	common_env(e, name, c);
	hook_env_put(e, "UACME_TYPE", k->type);
	hook_env_put(e, "UACME_IDENT", k->ident);
	hook_env_put(e, "UACME_TOKEN", k->token);
	hook_env_put(e, "UACME_AUTH", k->auth);
	hook_env_put(e, "ACME_KEYAUTH", proof.keyauth);
	if (proof.record[0])
		hook_env_put(e, "ACME_RECORD", proof.record);
	hook_env_put(e, "ACME_WILDCARD", wildcard ? "1" : "0");
	put_number(e, "ACME_REMAINING", remaining);
	hook_env_put(e, "ACME_SERVER", conf_directory(c));
}

static int
hook_data(const char *ident)
{
	char path[LIMIT_PATH];
	struct buf b = BUF(path);

	buf_all(&b, "hookdata/", ident, (char *)0);
	if (store_mkdir(buf_text(&b)) == 0)
		return 0;
	return store_failed("cannot make", path);
}

static int
begin_failed(const struct call *k, int result, unsigned timeout)
{
	char mem[64];
	struct buf b = BUF(mem);

	if (result == HOOK_STOPPED)
		return fail(ST_HOOK, "interrupted", (char *)0);
	hook_result(&b, result, timeout);
	return fail(result == HOOK_EXEC ? ST_CONFIG : ST_HOOK, "hook ", k->hook->path,
	    " begin ", k->type, " ", k->ident, ": ", buf_text(&b), (char *)0);
}

/* --- one challenge --- */

/* 1 if an equal challenge was set up before this one (some CAs repeat tokens). */
static int
set_up_before(const struct acme_order *o, unsigned at, enum acme_type type,
    const char *ident, const char *token)
{
	unsigned i;

	for (i = 0; i < at; i++) {
		const struct acme_authz *z = &o->authz[i];

		if (z->chosen >= 0 && !z->standing && z->challenge[z->chosen].type == type &&
		    (type != ACME_DNS_PERSIST_01 || z->wildcard == o->authz[at].wildcard) &&
		    strcmp(acme_string(o, z->challenge[z->chosen].token), token) == 0 &&
		    same_ident(ident, acme_string(o, z->ident)))
			return 1;
	}
	return 0;
}

/* The account that a persistent record has to name. */
static const char *
persistent_account(const struct acme_order *o, const struct acme_challenge *ch)
{
	return ch->account ? acme_string(o, ch->account) : account_url();
}

/* The TXT record of dns-persist-01, for the first of the issuers. */
static void
persistent_proof(const struct acme_order *o, const struct acme_challenge *ch,
    const char *ident, int wildcard)
{
	struct buf record = BUF(proof.record), auth = BUF(proof.auth);
	const char *issuers = acme_string(o, ch->issuers);
	char issuer[LIMIT_NAME + 1];
	struct slice first = { issuers, strcspn(issuers, " ") };

	slice_copy(first, issuer, sizeof(issuer));
	persist_record(&record, ident);
	persist_value(&auth, issuer, persistent_account(o, ch), wildcard);
	buf_text(&record);
	buf_text(&auth);
}

/* Fills proof for one challenge (RFC 8555 8.1 to 8.4, RFC 8737, and the drafts of dns-account-01, dns-persist-01). */
static void
make_proof(const struct acme_order *o, const struct acme_challenge *ch,
    const char *ident, int wildcard)
{
	struct buf keyauth = BUF(proof.keyauth), auth = BUF(proof.auth), record = BUF(proof.record);

	proof.keyauth[0] = proof.record[0] = 0;
	if (ch->type == ACME_DNS_PERSIST_01) {
		persistent_proof(o, ch, ident, wildcard);
		return;
	}
	jws_key_authorization(&keyauth, acme_string(o, ch->token), account_jws());
	if (ch->type == ACME_HTTP_01)
		buf_slice(&auth, buf_view(&keyauth));
	else
		jws_digest(&auth, buf_view(&keyauth));
	if (ch->type == ACME_DNS_ACCOUNT_01) {
		jws_account_label(&record, account_url());
		buf_char(&record, '.');
	}
	if (ch->type == ACME_DNS_01 || ch->type == ACME_DNS_ACCOUNT_01)
		buf_all(&record, "_acme-challenge.", ident, (char *)0);
	buf_text(&keyauth);
	buf_text(&auth);
	buf_text(&record);
}

struct search {
	const char *issuers, *account;
	int wildcard, found;
};

static void
look_at_value(void *ctx, struct slice value)
{
	struct search *s = ctx;

	s->found |= persist_match(value, s->issuers, s->account, s->wildcard, now_wall());
}

/* 1 if a record for a dns-persist-01 challenge of z stands already, as far as the DNS tells us. */
static int
record_stands(const struct conf *c, const struct acme_order *o, const struct acme_authz *z,
    const struct acme_challenge *ch)
{
	struct search s = { acme_string(o, ch->issuers), persistent_account(o, ch), z->wildcard, 0 };

	make_proof(o, ch, ident_of(c, o, z), z->wildcard);
	if (probe_txt(proof.record, c->family, now_ms() + RECORD_WAIT, look_at_value, &s) < 0 && !stop_signal())
		warn("no name server answers for ", proof.record, (char *)0);
	if (s.found)
		note(1, proof.record, " stands: no hook run; challenge answered", (char *)0);
	return s.found;
}

/*
 * Offers one challenge of authorization i to the hook.  0 accepted, 1
 * declined, else a status that aborts the order, printed.
 */
enum { DECLINED = -1 };
static int
offer(const char *name, const struct conf *c, struct acme_order *o, unsigned i,
    unsigned which, unsigned remaining, const struct hook *h)
{
	struct acme_authz *z = &o->authz[i];
	const struct acme_challenge *ch = &z->challenge[which];
	struct call k;
	int id = 0, r;

	k.hook = h;
	k.type = acme_type_name[ch->type];
	k.ident = ident_of(c, o, z);
	k.token = acme_string(o, ch->token);
	k.auth = proof.auth;
	if (set_up_before(o, i, ch->type, k.ident, k.token))
		return 0;
	make_proof(o, ch, k.ident, z->wildcard);
	call_env(&env, name, c, &k, z->wildcard, remaining);
	r = hook_data(k.ident);
	if (r == 0)
		r = write_entry(name, &k, &env, &id);
	if (r)
		return r;
	r = run(&k, "begin", &env, c->hook_timeout);
	wipe(env_mem, env.text.len);
	if (r == 0)
		return 0;
	if (r < 1 || r > 125)
		return begin_failed(&k, r, c->hook_timeout);
	if (store_journal_drop(name, id) < 0)
		return store_failed("cannot write the journal in", store_cert_path(name, "/pending/hooks"));
	return DECLINED;
}

/* Says why no challenge of z was taken; without a hook, which record would do. */
static int
nothing_chosen(const struct conf *c, const struct acme_order *o, const struct acme_authz *z,
    const struct hook *h)
{
	const char *ours = c->name[name_of(c, o, z)];
	char mem[256];
	struct buf offered = BUF(mem);
	unsigned k;

	for (k = 0; k < z->count; k++) {
		buf_all(&offered, " ", acme_type_name[z->challenge[k].type], (char *)0);
		if (h->path[0] || z->challenge[k].type != ACME_DNS_PERSIST_01)
			continue;
		make_proof(o, &z->challenge[k], ident_of(c, o, z), z->wildcard);
		return fail(ST_HOOK, "there is no hook, and no record for ", ours,
		    "; create this one: ", proof.record, ". IN TXT \"", proof.auth, "\"", (char *)0);
	}
	return fail(ST_HOOK, h->path[0] ? "the hook accepted no challenge for " :
	    "there is no hook, and no dns-persist-01 for ", ours,
	    "; the CA offers", offered.len ? buf_text(&offered) : " none", (char *)0);
}

/* Chooses a challenge for authorization i, by our preference. */
static int
choose(const char *name, const struct conf *c, struct acme_order *o, unsigned i,
    unsigned remaining, const struct hook *h)
{
	struct acme_authz *z = &o->authz[i];
	enum acme_type types[ACME_TYPES];
	unsigned n = preference(c, h, types), t, k;
	int r;

	for (t = 0; t < n; t++)
		for (k = 0; k < z->count; k++) {
			/* of an authorization that is used again, one may have failed before */
			if (z->challenge[k].type != types[t] ||
			    z->challenge[k].status == ACME_INVALID)
				continue;
			z->standing = types[t] == ACME_DNS_PERSIST_01 &&
			    record_stands(c, o, z, &z->challenge[k]);
			r = z->standing ? 0 :
			    h->path[0] ? offer(name, c, o, i, k, remaining, h) : DECLINED;
			if (r == 0)
				z->chosen = (int)k;
			if (r != DECLINED)
				return r;
		}
	return nothing_chosen(c, o, z, h);
}

/* --- pre and post hook --- */

static int
run_shell(const char *text, const char *what, const char *name, const struct conf *c)
{
	char mem[64];
	struct buf b = BUF(mem);
	int r;

	hook_env_init(&env, env_mem, sizeof(env_mem));
	common_env(&env, name, c);
	note(1, what, " ", text, (char *)0);
	r = env.err ? HOOK_EXEC : hook_shell(text, &env, c->hook_timeout);
	wipe(env_mem, env.text.len);
	if (r == 0)
		return 0;
	hook_result(&b, r, c->hook_timeout);
	warn(what, " ", text, ": ", buf_text(&b), (char *)0);
	return r;
}

static int
pre_hook(const char *name, const struct conf *c)
{
	struct buf b = BUF(entry_mem);
	int id;

	if (c->post_hook) {
		kv_put(&b, "post", slice(c->post_hook));
		if (store_journal_add(name, buf_view(&b), &id) < 0)
			return store_failed("cannot write the journal in", store_cert_path(name, "/pending/hooks"));
	}
	if (c->pre_hook && run_shell(c->pre_hook, "pre-hook", name, c) != 0)
		return fail(ST_HOOK, "the pre-hook failed", (char *)0);
	return 0;
}

int
challenge_begin(const char *name, const struct conf *c, struct acme_order *o,
    unsigned first, unsigned last)
{
	struct hook h = { 0 };
	unsigned i, pending = 0, left;
	int r, one;

	for (i = 0; i < o->count; i++)
		pending += o->authz[i].status == ACME_PENDING;
	for (i = first, left = 0; i < last; i++)
		left += o->authz[i].status == ACME_PENDING;
	if (!left)
		return 0;
	r = find_hook(c, &h);
	if (r == 0)
		r = pre_hook(name, c);
	if (r)
		return r;
	program_drop();
	/* without a hook each record that is missing is told */
	for (i = first; (r == 0 || (r == ST_HOOK && !h.path[0])) && i < last; i++) {
		if (o->authz[i].status != ACME_PENDING)
			continue;
		pending--;
		progress("setting up challenges", i + 1, o->count, 0);
		one = choose(name, c, o, i, pending, &h);
		r = one ? one : r;
	}
	return r;
}

/* --wait: so many seconds, whatever is there by then. */
static int
wait_seconds(unsigned seconds)
{
	unsigned s;

	for (s = 0; s < seconds; s++) {
		progress("waiting before the CA is told", s, seconds, s);
		if (wait_fd(-1, 0, now_ms() + 1000) == WAIT_SIGNAL)
			return fail(ST_NET, "interrupted", (char *)0);
	}
	return 0;
}

/* A copy of text behind what b holds, with its NUL. */
static const char *
packed(struct buf *b, const char *text)
{
	const char *p = b->p + b->len;

	buf_mem(b, text, strlen(text) + 1);
	return p;
}

/*
 * Until the servers of all zones have the TXT records of first..last-1.  Their
 * texts are packed, so that few pages are touched; what does not fit (forty of
 * the longest dns-persist-01 values do) is not waited for.
 */
static int
wait_records(const struct conf *c, const struct acme_order *o, unsigned first, unsigned last)
{
	static char mem[2 * LIMIT_CONF] LARGE;
	struct buf b = BUF(mem);
	struct zone_want want[LIMIT_NAMES];
	const struct acme_authz *z;
	unsigned i, n = 0;

	for (i = first; i < last; i++) {
		z = &o->authz[i];
		if (z->chosen < 0 || z->standing)
			continue;
		make_proof(o, &z->challenge[z->chosen], ident_of(c, o, z), z->wildcard);
		if (!proof.record[0])
			continue;
		want[n].record = packed(&b, proof.record);
		want[n].value = packed(&b, proof.auth);
		if (b.err)
			break;
		n++;
	}
	return n && probe_wait(want, n, c->family, ZONE_WAIT) < 0 ?
	    fail(ST_NET, "interrupted", (char *)0) : 0;
}

int
challenge_ready(const char *name, const struct conf *c, const struct acme_order *o,
    unsigned first, unsigned last)
{
	const char *args[2] = { name, 0 };
	char mem[64];
	struct buf b = BUF(mem);
	uint64_t seconds = 0;
	struct hook h;
	const char *why;
	int r = 0;

	if (c->wait && slice_uint(slice(c->wait), &seconds) == 0)
		r = wait_seconds((unsigned)seconds);
	else if (!c->ready_hook)
		r = wait_records(c, o, first, last);
	if (r)
		return r;
	if (!c->ready_hook)
		return 0;
	if (hook_find(&h, c->ready_hook, store_home(), &why) < 0)
		return fail(ST_CONFIG, "ready-hook ", c->ready_hook, ": ", why, (char *)0);
	hook_env_init(&env, env_mem, sizeof(env_mem));
	common_env(&env, name, c);
	r = env.err ? HOOK_EXEC : hook_run(&h, args, &env, c->hook_timeout);
	wipe(env_mem, env.text.len);
	if (r == 0)
		return 0;
	hook_result(&b, r, c->hook_timeout);
	return fail(ST_HOOK, "ready-hook ", h.path, ": ", buf_text(&b), (char *)0);
}

/* --- clean-up --- */

/* A member of a journal entry as text in mem; "" if it is missing. */
static const char *
member(struct slice text, const char *key, char *mem, size_t size)
{
	struct slice v = kv_get(text, key);

	mem[0] = 0;
	if (v.p)
		slice_copy(v, mem, size);
	return mem;
}

/* The hook's result. */
static int
end_call(struct slice text, const struct conf *c, const char *error)
{
	static struct hook h;
	char type[32], ident[LIMIT_NAME + 1], token[LIMIT_TOKEN + 1], auth[LIMIT_PERSIST];
	char line[1024 + 16], mem[64];
	struct buf b = BUF(mem);
	struct slice key, value, rest = text;
	struct call k;
	int r;

	member(text, "hook", h.path, sizeof(h.path));
	h.builtin = member(text, "builtin", line, sizeof(line))[0] == '1';
	k.hook = &h;
	k.type = member(text, "type", type, sizeof(type));
	k.ident = member(text, "ident", ident, sizeof(ident));
	k.token = member(text, "token", token, sizeof(token));
	k.auth = member(text, "auth", auth, sizeof(auth));
	hook_env_init(&env, env_mem, sizeof(env_mem));
	while (kv_next(&rest, &key, &value)) {
		static char var[LIMIT_CONF / 2] LARGE;

		if (slice_is(key, "env") && slice_copy(value, var, sizeof(var)) == 0)
			hook_env_line(&env, var);
	}
	if (error) {
		struct buf w = BUF(line);

		w.cap = 1024;
		buf_printable(&w, slice(error));
		w.cap = sizeof(line);
		w.err = 0;
		hook_env_put(&env, "ACME_ERROR", buf_text(&w));
	}
	r = run(&k, error ? "failed" : "done", &env, c->hook_timeout);
	wipe(env_mem, env.text.len);
	if (r == 0)
		return 0;
	hook_result(&b, r, c->hook_timeout);
	warn("hook ", h.path, error ? " failed " : " done ", type, " ", ident, ": ",
	    buf_text(&b), (char *)0);
	return r;
}

/* What could not be read now may be read later; else it was never written by us. */
static int
unreadable(const char *name)
{
	return errno == ENOENT || errno == ELOOP || errno == EPERM || errno == EINVAL ||
	    errno == EISDIR || errno == ENOTDIR || errno == EFBIG ? 0 :
	    store_failed("cannot read what is to be undone, in", store_cert_path(name, "/pending/hooks"));
}

static int
end_entry(const char *name, const struct conf *c, int id, const char *error)
{
	struct buf b = BUF(entry_mem);
	static char command[LIMIT_CONF] LARGE;
	int r = 0;

	if (store_journal_read(name, id, &b) < 0) {
		if (unreadable(name))
			return ST_STORE;
		warn("cannot read the journal entry of a hook left standing:", (char *)0);
	} else if (kv_get(buf_view(&b), "post").p) {
		r = run_shell(member(buf_view(&b), "post", command, sizeof(command)),
		    "post-hook", name, c);
	} else {
		r = end_call(buf_view(&b), c, error);
	}
	wipe(entry_mem, b.len);
	/* by a second signal: it stays for the next run */
	if (r == HOOK_STOPPED)
		return 0;
	if (store_journal_drop(name, id) < 0)
		warn("cannot remove an entry of ", store_home(), "/",
		    store_cert_path(name, "/pending/hooks"), ":", (char *)0);
	return 0;
}

int
challenge_end(const char *name, const struct conf *c, const char *error)
{
	int ids[ENTRIES + 1], n = store_journal(name, ids, ENTRIES + 1), r = 0;

	if (n < 0)
		return unreadable(name);
	signals_cleanup(1);
	program_drop();
	while (n-- > 0 && wait_fd(-1, 0, 0) != WAIT_SIGNAL)
		if (end_entry(name, c, ids[n], error))
			r = ST_STORE;
	signals_cleanup(0);
	return r;
}
