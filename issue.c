/*
 * issue.c - what `issue` and `renew` do with one certificate under its lock:
 * conf read or replaced, whether anything is due, failures counted, hooks of
 * a run that was cut off cleaned up, what is owed paid.
 */
#include <errno.h>
#include <string.h>

#include "account.h"
#include "acme.h"
#include "ari.h"
#include "chain.h"
#include "challenge.h"
#include "conf.h"
#include "due.h"
#include "hook.h"
#include "issue.h"
#include "key.h"
#include "keyfile.h"
#include "keyinfo.h"
#include "obtain.h"
#include "renewal.h"
#include "request.h"
#include "store.h"
#include "talker.h"
#include "util.h"

enum {
	LOCK_WAIT = 10 * 1000,	/* ms for another run on the same certificate */
	EPOCH = 1767225600	/* 2026-01-01: no clock that is set says less */
};

static char file_mem[LIMIT_CHAIN] LARGE;	/* one file at a time */
static const char cut_off[] = "the run before this one was cut off";

/* A machine without a clock of its own begins in 1970: no date can be judged then. */
static int
check_clock(int64_t now)
{
	char mem[32];
	struct buf b = BUF(mem);

	if (now >= EPOCH)
		return 0;
	buf_time(&b, now);
	return fail(ST_CONFIG, "the clock is wrong, it says ", buf_text(&b),
	    " - set it, then try again", (char *)0);
}

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
read_conf(const char *name, struct conf *c)
{
	struct buf b;

	buf_init(&b, file_mem, LIMIT_CONF);
	if (store_read(store_cert_path(name, "/conf"), &b) < 0)
		return errno == ENOENT ? 1 : store_unread(store_cert_path(name, "/conf"));
	return conf_read(c, buf_view(&b), store_cert_path(name, "/conf"));
}

/* Writes conf unless it says that already. */
static int
write_conf(const char *name, const struct conf *c)
{
	static char mem[LIMIT_CONF] LARGE;
	struct buf b = BUF(mem), old = BUF(file_mem);

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
	static char env_mem[LIMIT_CONF] LARGE;
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

/* Removes what a run left that was done but for this; 0, or ST_STORE, printed. */
static int
sweep(const char *name, const struct renewal *st)
{
	if (st->pending || store_remove_tree(store_cert_path(name, "/pending")) == 0)
		return 0;
	return store_failed("cannot remove", store_cert_path(name, "/pending"));
}

/* Pays what a run before this one owed. */
static int
pay(const char *name, const struct conf *c, struct renewal *st)
{
	int r = sweep(name, st);

	return r ? r : renewal_pay(name, c, st, "renewed");
}

/* Obtains, counts failures, and pays what is owed. */
static int
obtain_and_deploy(const char *name, struct conf *c, struct renewal *st)
{
	int first = st->live == 0, r = sweep(name, st);

	if (r)
		return r;
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
	renewal_failed(st, last_failure(), r == ST_LATER ? talker_why()->retry_at : 0);
	/* where nothing could be written this cannot either, and that was said */
	lenient = r == ST_STORE;
	renewal_write(name, st);
	lenient = 0;
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

	if (live < 0 && errno == EPERM)
		store_failed("cannot use", store_cert_path(name, "/live"));
	else if (live < 0)
		fail(ST_STORE, store_home(), "/", store_cert_path(name, "/live"), " is no symlink to a directory beside"
		    " it; nothing was changed:", (char *)0);
	return live;
}

/* 1 if the live certificate, that PEM text, is for another key than the one beside it. */
static int
other_key(const char *name, struct slice cert)
{
	static struct key k;
	struct pk pk;
	char path[LIMIT_PATH];
	int r = 0;

	if (store_file(path, sizeof(path), name, 0, "privkey.pem") == 0 &&
	    keyfile_read(path, &k) == 0) {
		key_public(&k, &pk);
		r = !chain_is_for(cert, &pk);
	}
	key_wipe(&k);
	return r;
}

/* What the file `renewal` said, if it was lost, as far as the certificate tells; 0, or a status, printed. */
static int
recover(const char *name, const struct conf *c, struct renewal *st)
{
	struct chain live;
	struct buf b = BUF(file_mem);
	char path[LIMIT_PATH];

	if (store_file(path, sizeof(path), name, 0, "cert.pem") < 0 ||
	    store_read(path, &b) < 0 || chain_read(&live, buf_view(&b)) < 0) {
		warn("its live certificate cannot be read", (char *)0);
		return 0;
	}
	if (other_key(name, buf_view(&b))) {
		warn("its live certificate is not for its key", (char *)0);
		return 0;
	}
	st->not_before = live.not_before;
	st->not_after = live.not_after;
	slice_copy(slice(live.serial), st->serial, sizeof(st->serial));
	slice_copy(slice(live.ari), st->ari, sizeof(st->ari));
	/* of several CAs it could be any */
	if (c->server.n <= 1 && !c->dry_run)
		slice_copy(slice(conf_directory(c)), st->server, sizeof(st->server));
	due_plan(st, c->days);
	return renewal_write(name, st);
}

/* The file `renewal` and what is live; 0, or a status, printed. */
static int
read_state(const char *name, const struct conf *c, struct renewal *st)
{
	int live = live_generation(name);

	if (live < 0)
		return ST_STORE;
	renewal_read(name, st);
	/* switched by a run that was cut off before it could say so */
	if (st->live && st->live != live && live)
		st->pending = 1;
	st->live = live;
	return live && !st->not_after ? recover(name, c, st) : 0;
}

/*
 * What is wanted, into c: with no option given what is stored, with only names
 * given these.  0, or ST_USAGE, printed.
 */
static int
complete_conf(struct conf *c, const struct conf *stored, int known)
{
	struct conf run = *c;
	unsigned i;

	if (known && !c->kept) {
		conf_merge(c, stored);
		c->names = run.names;
		memcpy(c->name, run.name, sizeof(c->name));
	}
	for (i = 0; known && !c->names && i < stored->names; i++)
		c->name[i] = stored->name[i];
	if (!c->names)
		c->names = i;
	return c->names ? 0 :
	    fail(ST_USAGE, "no name given, and no such certificate is known", (char *)0);
}

/* Plans anew if --days are others than before: 1 if nothing is due then, 0, or a status, printed. */
static int
not_due(const char *name, const struct conf *c, struct renewal *st)
{
	if (st->not_after && due_other_plan(st, c->days)) {
		due_plan(st, c->days);
		if (renewal_write(name, st))
			return ST_STORE;
	}
	return !due_now(st, 0, now_wall(), c->interval);
}

static int
issue_locked(const char *name, struct conf *c)
{
	static struct conf stored;
	static char conf_mem[LIMIT_CONF] LARGE;
	static struct renewal st;
	int r, have, idle = 0;

	conf_init(&stored, conf_mem, sizeof(conf_mem));
	have = read_conf(name, &stored);
	if (have > 1)
		return have;
	r = complete_conf(c, &stored, have == 0);
	if (r == 0)
		r = conf_check(c);
	if (r == 0)
		r = challenge_check(c);
	if (r == 0)
		r = request_check(name, c);
	if (r == 0)
		r = read_state(name, have == 0 ? &stored : c, &st);
	if (r)
		return r;
	if (c->dry_run) {
		r = challenge_end(name, c, cut_off);
		return r ? r : obtain_dry_run(name, c, st.live || have == 0);
	}
	if (st.live && have == 0 && !c->force && !st.revoked &&
	    conf_same_certificate(c, &stored, st.server) && !request_changed(name, c))
		idle = not_due(name, c, &st);
	r = idle > 1 ? idle : write_conf(name, c);
	if (r)
		return r;
	if (idle) {
		r = st.owed[0] ? pay(name, c, &st) : 0;
		return r ? r : unchanged(c);
	}
	r = challenge_end(name, c, cut_off);
	return r ? r : obtain_and_deploy(name, c, &st);
}

int
issue(struct conf *c)
{
	const char *name = c->cert_name ? c->cert_name : c->names ? c->name[0] : 0;
	int r, fd;

	if (!name)
		return fail(ST_USAGE, "issue what? give a name, such as example.com", (char *)0);
	about(name);
	r = check_clock(now_wall());
	if (r == 0)
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
	return c->force || c->dry_run || st->owed[0] ||
	    due_now(st, c->days, now_wall(), c->interval);
}

int
issue_conf(const char *name, const struct conf *given, struct conf *c)
{
	static struct conf stored;
	static char conf_mem[LIMIT_CONF] LARGE;
	int r;

	conf_init(&stored, conf_mem, sizeof(conf_mem));
	r = read_conf(name, &stored);
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
	static struct renewal st;
	int r;

	r = issue_conf(name, given, &c);
	if (r == 1)
		return fail(ST_CONFIG, "no such certificate", (char *)0);
	if (r)
		return r;
	r = read_state(name, &c, &st);
	if (r)
		return r;
	/* the file was lost, or another run was quicker */
	if (!is_due(given, &st))
		return ST_UNCHANGED;
	r = conf_check(&c);
	if (r)
		return r;
	r = challenge_end(name, &c, cut_off);
	if (r)
		return r;
	if (c.dry_run)
		return obtain_dry_run(name, &c, 1);
	if (st.owed[0] && !given->force && (due_held(&st, now_wall()) ||
	    !due_now(&st, given->days, now_wall(), given->interval)))
		return pay(name, &c, &st);
	return obtain_and_deploy(name, &c, &st);
}

/* Whether it is due, but not to be tried yet. */
static int
held(const struct conf *c, const struct renewal *st)
{
	return !c->force && !c->dry_run && !st->owed[0] && due_held(st, now_wall());
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
	if (held(c, &st)) {
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
	int64_t ms = (int64_t)random_below(c->jitter) * 1000 + random_below(1000);

	return wait_fd(-1, 0, now_ms() + ms) == WAIT_SIGNAL;
}

/*
 * Leaves only names of which a run has to say something, and appends those
 * whose CA is to be asked to ask, each behind a '?'.  1 if anything of it goes to the network.
 */
static int
pick(const struct conf *c, struct buf *names, struct buf *ask)
{
	static struct renewal st;
	const char *p = names->p, *end = p + names->len;
	int talks = 0, due;
	size_t n;

	buf_clear(names);
	for (; p < end; p += n) {
		n = strlen(p) + 1;
		about(p);
		renewal_read(p, &st);
		due = is_due(c, &st);
		if (!due && (c->days || !due_ask(&st, now_wall())))
			continue;
		talks |= !due || !held(c, &st);
		if (!due) {
			buf_char(ask, '?');
			buf_mem(ask, p, n);
		}
		memmove(names->p + names->len, p, n);
		names->len += n;
	}
	about(0);
	return talks;
}

/* As issue_conf(); what is wrong with it is told when it is to be renewed. */
static int
conf_quietly(const char *name, const struct conf *given, struct conf *c)
{
	int r;

	lenient = 1;
	r = issue_conf(name, given, c);
	lenient = 0;
	return r;
}

/* The certificates whose CA is asked at once, all by one conversation. */
static struct {
	unsigned count;
	const char *name[ACME_RENEWALS];
	struct acme_renewal info[ACME_RENEWALS];
} asked;

/*
 * Puts down what the CA said of one, and 0 for what was edited: that is not for
 * the CA to say.  Whoever holds its lock sees to it himself.
 */
static void
note_window(const char *name, const struct conf *given, const struct acme_renewal *info)
{
	static struct conf c;
	static struct renewal st;
	char path[LIMIT_PATH];
	int r, fd = -1;

	if (store_cert_dir(path, sizeof(path), name) == 0 && store_mkdir("locks") == 0)
		fd = store_lock(path, now_ms());
	if (fd < 0)
		return;
	about(name);
	r = conf_quietly(name, given, &c);
	renewal_read(name, &st);
	if (r == 0 && due_ask(&st, now_wall())) {
		r = c.days != 0;
		if (r)
			due_plan(&st, c.days);
		else if (info && strcmp(info->id, st.ari) == 0)
			r = ari_take(&c, &st, info);
		if (r)
			renewal_write(name, &st);
	}
	store_unlock(fd);
}

/* Asks for all that are collected. */
static void
ask_collected(const struct conf *given)
{
	unsigned i;

	about(0);
	if (asked.count && ari_ask(asked.info, asked.count) == 0)
		for (i = 0; i < asked.count; i++)
			note_window(asked.name[i], given, &asked.info[i]);
	asked.count = 0;
}

/* Adds one to those that are asked for at once. */
static void
collect(const char *name, const struct conf *given, const struct renewal *st)
{
	static struct conf c;
	int r;

	about(name);
	r = conf_quietly(name, given, &c);
	if (r == 0 && c.days)
		note_window(name, given, 0);
	if (r || c.days)
		return;
	if (asked.count == ACME_RENEWALS || (asked.count && !ari_goes_on(&c, st->server))) {
		ask_collected(given);
		about(name);
		/* its texts were those of others since */
		r = conf_quietly(name, given, &c);
	}
	if (r || ari_open(&c, st->server) < 0)
		return;
	slice_copy(slice(st->ari), asked.info[asked.count].id, sizeof(asked.info[0].id));
	asked.name[asked.count++] = name;
}

/*
 * Asks about all of names, each behind a '?', CA by CA, so that each has one
 * conversation.
 */
static void
ask_all(const struct conf *c, struct buf *names)
{
	static struct renewal st;
	static char server[LIMIT_URL];
	char *p, *end = names->p + names->len;
	int left;

	do {
		left = 0;
		server[0] = 0;
		for (p = names->p; p < end && !stop_signal(); p += strlen(p) + 1) {
			if (*p != '?')
				continue;
			renewal_read(p + 1, &st);
			if (!server[0])
				memcpy(server, st.server, sizeof(server));
			if (strcmp(st.server, server) != 0) {
				left = 1;
				continue;
			}
			*p = '-';
			collect(p + 1, c, &st);
		}
		ask_collected(c);
	} while (left && !stop_signal());
	about(0);
}

int
issue_renew(struct conf *c, const char *const *names, unsigned count)
{
	static char mem[256 * 1024] LARGE, ask_mem[256 * 1024] LARGE;
	struct buf b = BUF(mem), ask = BUF(ask_mem);
	struct slice all;
	unsigned i;
	int r, worst = ST_UNCHANGED;

	r = check_clock(now_wall());
	if (r == 0)
		r = store_open(c->home, 0);
	if (r)
		return r;
	for (i = 0; i < count; i++) {
		if (!*store_cert_path(names[i], ""))
			return fail(ST_USAGE, "not a name for a certificate: ", names[i], (char *)0);
		buf_mem(&b, names[i], strlen(names[i]) + 1);
	}
	if (!count && store_certs(&b) < 0)
		return store_failed("cannot read", "certs");
	if (b.err)
		return fail(ST_STORE, "more certificates than fit in 256 KiB of names", (char *)0);
	if (pick(c, &b, &ask) && c->jitter && spread(c))
		return ST_NET;
	ask_all(c, &ask);
	all = buf_view(&b);
	for (; all.n && !stop_signal(); all.n -= strlen(all.p) + 1, all.p += strlen(all.p) + 1) {
		about(all.p);
		worst = graver(worst, renew_one(all.p, c));
	}
	about(0);
	account_close();
	return worst == ST_UNCHANGED ? unchanged(c) : worst;
}
