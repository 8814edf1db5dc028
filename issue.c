/*
 * issue.c - what `issue` and `renew` do with one certificate under its lock:
 * conf read or replaced, whether anything is due, failures counted, hooks of
 * a run that was cut off cleaned up, what is owed paid.
 */
#include <errno.h>
#include <string.h>

#include "account.h"
#include "chain.h"
#include "challenge.h"
#include "conf.h"
#include "hook.h"
#include "issue.h"
#include "key.h"
#include "obtain.h"
#include "renewal.h"
#include "request.h"
#include "store.h"
#include "util.h"

enum { LOCK_WAIT = 10 * 1000 };	/* ms for another run on the same certificate */

static const char cut_off[] = "the run before this one was cut off";

/* --- one certificate under its lock --- */

int
issue_lock(const char *name)
{
	char path[LIMIT_PATH];
	int fd;

	if (store_cert_dir(path, sizeof(path), name) < 0)
		return -fail(ST_USAGE, "not a name for a certificate", (char *)0);
	if (store_mkdir("locks") < 0)
		return -store_failed("cannot make", "locks");
	fd = store_lock(path, now_ms() + LOCK_WAIT);
	if (fd < 0 && errno == EWOULDBLOCK)
		return -fail(ST_LATER, "another run is at work on this certificate"
		    " - try again when it is done", (char *)0);
	if (fd < 0 && errno == EINTR)
		return -fail(ST_LATER, "interrupted", (char *)0);
	return fd < 0 ? -store_failed("cannot lock", path) : fd;
}

/* The stored conf of a certificate into c: 0, 1 there is none, or a status, printed. */
static int
read_conf(const char *name, struct conf *c, char *mem, size_t size)
{
	struct buf b;

	buf_init(&b, mem, size);
	if (store_read(store_cert_path(name, "/conf"), &b) < 0)
		return errno == ENOENT ? 1 :
		    fail(errno == EPERM ? ST_STORE : ST_CONFIG, "cannot read ",
		    store_cert_path(name, "/conf"), ":", (char *)0);
	return conf_read(c, buf_view(&b), store_cert_path(name, "/conf"));
}

/* Writes conf unless it says that already. */
static int
write_conf(const char *name, const struct conf *c)
{
	static char mem[LIMIT_CONF], old_mem[LIMIT_CONF];
	struct buf b = BUF(mem), old = BUF(old_mem);

	conf_write(&b, c);
	if (b.err)
		return fail(ST_USAGE, "the options together are longer than the limit"
		    " of 32 KiB", (char *)0);
	if (store_read(store_cert_path(name, "/conf"), &old) == 0 && old.len == b.len &&
	    memcmp(old.p, b.p, b.len) == 0)
		return 0;
	if (store_mkdir(store_cert_path(name, "")) < 0 ||
	    store_write(store_cert_path(name, "/conf"), buf_view(&b)) < 0)
		return store_failed("cannot write", store_cert_path(name, "/conf"));
	return 0;
}

/* Tells the fail hook of a failed renewal. */
static void
tell_failure(const char *name, const struct conf *c, int status)
{
	static char env_mem[LIMIT_CONF];
	static struct hook_env e;
	char number[24];
	struct buf b = BUF(number);
	const char *args[4], *why;
	struct hook h;
	unsigned i;

	if (!c->fail_hook || stop_signal())
		return;
	if (hook_find(&h, c->fail_hook, store_home(), &why) < 0) {
		warn("fail-hook ", c->fail_hook, ": ", why, (char *)0);
		return;
	}
	buf_int(&b, status);
	args[0] = "failed";
	args[1] = name;
	args[2] = buf_text(&b);
	args[3] = 0;
	hook_env_init(&e, env_mem, sizeof(env_mem));
	for (i = 0; i < c->env.n; i++)
		hook_env_line(&e, c->env.v[i]);
	hook_env_put(&e, "ACME_EVENT", "failed");
	hook_env_put(&e, "ACME_NAME", name);
	hook_env_put(&e, "ACME_HOME", store_home());
	hook_env_put(&e, "ACME_ERROR", last_failure());
	if (hook_run(&h, args, &e, c->hook_timeout) != 0)
		warn("fail-hook ", c->fail_hook, " failed", (char *)0);
	wipe(env_mem, e.text.len);
}

/* Obtains, counts failures, and pays what is owed. */
static int
obtain_and_deploy(const char *name, struct conf *c, struct renewal *st)
{
	int first = st->live == 0, r;

	/* what a run left that was done but for this */
	if (!st->pending && store_remove_tree(store_cert_path(name, "/pending")) < 0)
		return store_failed("cannot remove", store_cert_path(name, "/pending"));
	st->pending = 1;
	r = renewal_write(name, st);
	if (r == 0)
		r = challenge_check(c);
	if (r == 0)
		r = obtain(name, c, st);
	progress(0, 0, 0, 0);
	if (r == 0)
		return renewal_pay(name, c, st, first ? "issued" : "renewed");
	if (stop_signal())
		return r;
	renewal_failed(st, last_failure());
	renewal_write(name, st);
	tell_failure(name, c, r);
	return r;
}

static int
unchanged(const struct conf *c)
{
	return c->exit_unchanged ? ST_UNCHANGED : ST_OK;
}

/* The generation that is live, 0 if none; -1 printed. */
static int
live_generation(const char *name)
{
	int live = store_live(name);

	if (live < 0)
		fail(ST_STORE, store_cert_path(name, "/live"), " is no symlink to a directory beside"
		    " it; nothing was changed:", (char *)0);
	return live;
}

static int
issue_locked(const char *name, struct conf *c)
{
	static struct conf stored;
	static char conf_mem[LIMIT_CONF], file_mem[LIMIT_CONF];
	static struct renewal st;
	int r, have, live = live_generation(name);
	unsigned i;

	if (live < 0)
		return ST_STORE;
	conf_init(&stored, conf_mem, sizeof(conf_mem));
	have = read_conf(name, &stored, file_mem, sizeof(file_mem));
	if (have > 1)
		return have;
	/* no option given: as it was; only names given: those names */
	if (have == 0 && !c->kept) {
		struct conf run = *c;

		conf_merge(c, &stored);
		c->names = run.names;
		memcpy(c->name, run.name, sizeof(c->name));
	}
	for (i = 0; have == 0 && !c->names && i < stored.names; i++)
		c->name[i] = stored.name[i];
	if (!c->names)
		c->names = i;
	if (!c->names)
		return fail(ST_USAGE, "no name given, and no such certificate is known", (char *)0);
	r = conf_check(c);
	if (r == 0)
		r = challenge_check(c);
	if (r == 0)
		r = request_check(name, c);
	if (r)
		return r;
	if (c->dry_run) {
		challenge_end(name, c, cut_off);
		return obtain_dry_run(name, c, live || have == 0);
	}
	renewal_read(name, &st);
	if (st.live != live && live)
		st.pending = 1;
	st.live = live;
	if (live && have == 0 && !c->force && !st.pending && !st.revoked &&
	    conf_same_certificate(c, &stored, st.server) && !request_changed(name, c)) {
		st.next = renewal_due(st.not_before, st.not_after, c->days);
		if (st.next > now_wall()) {
			r = write_conf(name, c);
			if (r == 0 && st.owed[0])
				r = renewal_pay(name, c, &st, "renewed");
			return r ? r : unchanged(c);
		}
	}
	r = write_conf(name, c);
	if (r)
		return r;
	challenge_end(name, c, cut_off);
	return obtain_and_deploy(name, c, &st);
}

int
issue(struct conf *c)
{
	const char *name = c->cert_name ? c->cert_name : c->names ? c->name[0] : 0;
	int r, fd;

	if (!name)
		return fail(ST_USAGE, "issue what? give a name, such as example.com", (char *)0);
	about(name);
	r = store_open(c->home, 1);
	if (r)
		return r;
	fd = issue_lock(name);
	if (fd < 0)
		return -fd;
	r = issue_locked(name, c);
	store_unlock(fd);
	account_close();
	about(0);
	return r;
}

/* --- renew --- */

/* Exit statuses from grave to light. */
static const int gravity[] = {
	ST_STORE, ST_CONFIG, ST_USAGE, ST_PROTO, ST_REFUSED, ST_HOOK, ST_NET, ST_LATER,
	ST_DEPLOY, ST_OK, ST_UNCHANGED
};

static int
graver(int a, int b)
{
	size_t i;

	for (i = 0; gravity[i] != a && gravity[i] != b && gravity[i] != ST_UNCHANGED; i++)
		;
	return gravity[i];
}

/* Whether there is anything to do for a certificate, from its one small file. */
static int
is_due(const struct conf *c, const struct renewal *st)
{
	if (c->force || c->dry_run || st->owed[0])
		return 1;
	if (st->revoked)
		return 0;
	if (c->days && st->not_after)
		return st->pending ||
		    renewal_due(st->not_before, st->not_after, c->days) <= now_wall();
	return st->pending || st->next <= now_wall();
}

int
issue_conf(const char *name, const struct conf *given, struct conf *c)
{
	static struct conf stored;
	static char conf_mem[LIMIT_CONF], file_mem[LIMIT_CONF];
	int r;

	conf_init(&stored, conf_mem, sizeof(conf_mem));
	r = read_conf(name, &stored, file_mem, sizeof(file_mem));
	*c = *given;
	if (r == 0) {
		conf_merge(c, &stored);
		conf_merge(c, given);
		/* for once: days given decide what is due now, not what comes after */
		c->days = stored.days;
	}
	return r;
}

static int
renew_locked(const char *name, const struct conf *given)
{
	static struct conf c;
	static char cert_mem[LIMIT_CHAIN];
	static struct renewal st;
	struct chain live;
	struct buf b = BUF(cert_mem);
	char path[LIMIT_PATH];
	int r;

	r = issue_conf(name, given, &c);
	if (r == 1)
		return fail(ST_CONFIG, "no such certificate", (char *)0);
	if (r)
		return r;
	renewal_read(name, &st);
	st.live = live_generation(name);
	if (st.live < 0)
		return ST_STORE;
	if (st.live && !st.not_after &&
	    store_file(path, sizeof(path), name, 0, "cert.pem") == 0 &&
	    store_read(path, &b) == 0 && chain_read(&live, buf_view(&b)) == 0) {
		/* the file was lost: what it said can be read from the certificate */
		st.not_before = live.not_before;
		st.not_after = live.not_after;
		st.next = renewal_due(live.not_before, live.not_after, c.days);
		r = renewal_write(name, &st);
		if (r || !is_due(given, &st))
			return r ? r : ST_UNCHANGED;
	}
	r = conf_check(&c);
	if (r)
		return r;
	challenge_end(name, &c, cut_off);
	if (c.dry_run)
		return obtain_dry_run(name, &c, 1);
	if (st.owed[0] && !st.pending && !given->force && st.next > now_wall())
		return renewal_pay(name, &c, &st, "renewed");
	return obtain_and_deploy(name, &c, &st);
}

static int
renew_one(const char *name, const struct conf *c)
{
	static struct renewal st;
	char when[32];
	struct buf b = BUF(when);
	int r, fd;

	renewal_read(name, &st);
	if (!is_due(c, &st))
		return ST_UNCHANGED;
	if (!c->force && !c->dry_run && st.back_off > now_wall() && !st.owed[0]) {
		buf_time(&b, st.back_off);
		note(0, "not tried again before ", buf_text(&b),
		    ", since it failed: ", st.error, (char *)0);
		return ST_LATER;
	}
	fd = issue_lock(name);
	if (fd < 0)
		return -fd;
	r = renew_locked(name, c);
	store_unlock(fd);
	return r;
}

/* Sleeps a random part of --jitter. */
static int
spread(const struct conf *c)
{
	uint32_t v;

	if (!c->jitter || random_bytes(&v, sizeof(v)) < 0)
		return 0;
	return wait_fd(-1, 0, now_ms() + (int64_t)(v % (c->jitter * 1000))) == WAIT_SIGNAL;
}

static int
anything_due(const struct conf *c, struct slice names)
{
	static struct renewal st;

	while (names.n) {
		renewal_read(names.p, &st);
		if (is_due(c, &st))
			return 1;
		names.n -= strlen(names.p) + 1;
		names.p += strlen(names.p) + 1;
	}
	return 0;
}

int
issue_renew(struct conf *c, const char *const *names, unsigned count)
{
	static char mem[256 * 1024];
	struct buf b = BUF(mem);
	struct slice all;
	unsigned i;
	int r, worst = ST_UNCHANGED;

	r = store_open(c->home, 0);
	if (r)
		return r;
	for (i = 0; i < count; i++)
		buf_mem(&b, names[i], strlen(names[i]) + 1);
	if (!count && store_certs(&b) < 0)
		return store_failed("cannot read", "certs");
	if (b.err)
		return fail(ST_STORE, "more certificates than fit in 256 KiB of names", (char *)0);
	all = buf_view(&b);
	if (c->jitter && anything_due(c, all) && spread(c))
		return ST_NET;
	for (; all.n && !stop_signal(); all.n -= strlen(all.p) + 1, all.p += strlen(all.p) + 1) {
		about(all.p);
		worst = graver(worst, renew_one(all.p, c));
	}
	about(0);
	account_close();
	return worst == ST_UNCHANGED ? unchanged(c) : worst;
}
