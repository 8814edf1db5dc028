/*
 * renewal.c - the file certs/NAME/renewal, and the deploy hooks and reload
 * that are owed after a certificate's files changed.  Owed lines are on disk
 * before the files are switched, and crossed off one by one.
 */
#include <errno.h>
#include <string.h>

#include "conf.h"
#include "due.h"
#include "hook.h"
#include "renewal.h"
#include "store.h"
#include "util.h"

static void
put_time(struct buf *b, const char *key, int64_t t)
{
	char mem[32];
	struct buf v = BUF(mem);

	if (!t)
		return;
	buf_time(&v, t);
	kv_put(b, key, buf_view(&v));
}

static void
put_number(struct buf *b, const char *key, unsigned n)
{
	char mem[24];
	struct buf v = BUF(mem);

	if (!n)
		return;
	buf_uint(&v, n);
	kv_put(b, key, buf_view(&v));
}

/* The lines of the file but for those that are owed, in its order. */
static const struct line {
	const char *key;
	enum { NUMBER, TIME, TEXT } is;
	size_t at, size;
} lines[] = {
#define MEMBER(is, m) { #m, is, offsetof(struct renewal, m), sizeof(((struct renewal *)0)->m) }
	{ "generation", NUMBER, offsetof(struct renewal, live), sizeof(int) },
	MEMBER(TIME, not_before),
	MEMBER(TIME, not_after),
	MEMBER(TEXT, serial),
	MEMBER(TEXT, ari),
	MEMBER(TEXT, server),
	MEMBER(TIME, window_start),
	MEMBER(TIME, window_end),
	MEMBER(TEXT, explanation),
	MEMBER(TIME, chosen),
	MEMBER(TIME, ask),
	MEMBER(TIME, next),
	MEMBER(NUMBER, by_days),
	MEMBER(NUMBER, pending),
	MEMBER(NUMBER, failures),
	MEMBER(TIME, back_off),
	MEMBER(TIME, revoked),
	MEMBER(TEXT, error),
#undef MEMBER
};
enum { LINES = sizeof(lines) / sizeof(*lines) };

/* Nobody wrote a NUL or CR here: what has one is no value that could be written again. */
static int
is_whole(struct slice v)
{
	return !memchr(v.p, 0, v.n) && !memchr(v.p, '\r', v.n);
}

static void
take_line(struct renewal *r, const struct line *m, struct slice v)
{
	char *at = (char *)r + m->at;
	uint64_t n;
	int64_t t;

	switch (m->is) {
	case NUMBER:
		*(unsigned *)(void *)at = slice_uint(v, &n) == 0 && n < 1000000 ? (unsigned)n : 0;
		return;
	case TIME:
		*(int64_t *)(void *)at = time_rfc3339(v, &t) == 0 ? t : 0;
		return;
	case TEXT:
		if (at[0])	/* said before: nothing of that stays */
			memset(at, 0, m->size);
		if (is_whole(v))
			slice_copy(v, at, m->size);
		return;
	}
}

/* The member of that name, looked for from *i on, which is where it is in a file of ours; 0 there is none. */
static const struct line *
find_line(struct slice key, size_t *i)
{
	size_t tries;

	for (tries = 0; tries < LINES; tries++, *i = (*i + 1) % LINES)
		if (slice_is(key, lines[*i].key))
			return lines + *i;
	return 0;
}

void
renewal_read(const char *name, struct renewal *r)
{
	static char mem[LIMIT_CONF] LARGE;
	struct buf b = BUF(mem), owed;
	const char *path = store_cert_path(name, "/renewal");
	const struct line *m;
	struct slice text, key, value;
	size_t i = 0;

	memset(r, 0, offsetof(struct renewal, owed));
	r->owed[0] = 0;
	if (store_read(path, &b) < 0) {
		if (errno != ENOENT)
			warn("cannot read ", path, ":", (char *)0);
		return;
	}
	text = buf_view(&b);
	buf_init(&owed, r->owed, sizeof(r->owed) - 1);
	while (kv_next(&text, &key, &value)) {
		m = find_line(key, &i);
		if (m)
			take_line(r, m, value);
		else if (slice_is(key, "owed") && value.n > 7 && is_whole(value) &&
		    (memcmp(value.p, "deploy ", 7) == 0 || memcmp(value.p, "reload ", 7) == 0)) {
			buf_slice(&owed, value);
			buf_char(&owed, '\n');
		}
	}
	r->owed[owed.len] = 0;
}

/* Takes the first line of *text. */
static int
next_line(struct slice *text, struct slice *line)
{
	const char *end;

	if (!text->n)
		return 0;
	end = memchr(text->p, '\n', text->n);
	line->p = text->p;
	line->n = end ? (size_t)(end - text->p) : text->n;
	text->p += line->n + !!end;
	text->n -= line->n + !!end;
	return 1;
}

int
renewal_write(const char *name, const struct renewal *r)
{
	static char mem[LIMIT_CONF] LARGE;
	struct buf b = BUF(mem);
	const char *path = store_cert_path(name, "/renewal"), *at;
	struct slice owed = slice(r->owed), line;
	const struct line *m;

	for (m = lines; m < lines + LINES; m++) {
		at = (const char *)r + m->at;
		if (m->is == NUMBER)
			put_number(&b, m->key, *(const unsigned *)(const void *)at);
		else if (m->is == TIME)
			put_time(&b, m->key, *(const int64_t *)(const void *)at);
		else if (*at)
			kv_put(&b, m->key, slice(at));
	}
	while (next_line(&owed, &line))
		kv_put(&b, "owed", line);
	if (b.err)
		errno = EFBIG;
	if (!b.err && store_write(path, buf_view(&b)) == 0)
		return 0;
	return store_failed("cannot write", path);
}

void
renewal_failed(struct renewal *r, const char *error, int64_t retry_at)
{
	r->back_off = due_back_off(r->failures, now_wall(), retry_at);
	if (r->failures < 999999)
		r->failures++;
	if (slice_copy(slice(error), r->error, sizeof(r->error)) < 0) {
		struct slice cut = { error, sizeof(r->error) - 1 };

		slice_copy(cut, r->error, sizeof(r->error));
	}
}

int
renewal_owe(struct renewal *r, const struct conf *c)
{
	struct buf b;
	unsigned i;

	buf_init(&b, r->owed, sizeof(r->owed));
	for (i = 0; i < c->deploy.n; i++)
		buf_all(&b, "deploy ", c->deploy.v[i], "\n", (char *)0);
	if (c->reload)
		buf_all(&b, "reload ", c->reload, "\n", (char *)0);
	buf_text(&b);
	if (b.err)
		r->owed[0] = 0;
	return b.err ? fail(ST_CONFIG, "deploy hooks and reload together are longer"
	    " than the limit of 8192 bytes", (char *)0) : 0;
}

/* --- running what is owed --- */

static char env_mem[LIMIT_CONF] LARGE;

static const char *
live_file(char *mem, size_t size, const char *name, const char *file)
{
	char rel[LIMIT_PATH];
	struct buf b;

	buf_init(&b, mem, size);
	if (store_file(rel, sizeof(rel), name, 0, file) < 0)
		return "";
	store_path(&b, rel);
	if (b.len && mem[b.len - 1] == '/')
		b.len--;
	return buf_text(&b);
}

static void
deploy_env(struct hook_env *e, const char *name, const struct conf *c, const char *event)
{
	char mem[LIMIT_NAMES * (LIMIT_NAME + 1)], path[LIMIT_PATH];
	struct buf b = BUF(mem);
	unsigned i;

	hook_env_init(e, env_mem, sizeof(env_mem));
	for (i = 0; i < c->env.n; i++)
		hook_env_line(e, c->env.v[i]);
	for (i = 0; i < c->names; i++)
		buf_all(&b, i ? " " : "", c->name[i], (char *)0);
	hook_env_put(e, "RENEWED_DOMAINS", buf_text(&b));
	hook_env_put(e, "RENEWED_LINEAGE", live_file(path, sizeof(path), name, ""));
	hook_env_put(e, "ACME_EVENT", event);
	hook_env_put(e, "ACME_NAME", name);
	hook_env_put(e, "ACME_IDENTS", buf_text(&b));
	hook_env_put(e, "ACME_HOME", store_home());
}

/* deploy_cert NAME PRIVKEY CERT FULLCHAIN CHAIN EPOCH: dehydrated's arguments. */
static int
deploy(const char *prog, const char *name, const struct renewal *r,
    struct hook_env *e, unsigned timeout)
{
	static char key[LIMIT_PATH], cert[LIMIT_PATH], full[LIMIT_PATH], chain[LIMIT_PATH];
	char epoch[24];
	struct buf b = BUF(epoch);
	const char *args[8];
	struct hook h;
	const char *why;

	if (hook_find(&h, prog, store_home(), &why) < 0) {
		warn("deploy-hook ", prog, ": ", why, (char *)0);
		return HOOK_EXEC;
	}
	buf_int(&b, r->not_before);
	args[0] = "deploy_cert";
	args[1] = name;
	args[2] = live_file(key, sizeof(key), name, "privkey.pem");
	args[3] = live_file(cert, sizeof(cert), name, "cert.pem");
	args[4] = live_file(full, sizeof(full), name, "fullchain.pem");
	args[5] = live_file(chain, sizeof(chain), name, "chain.pem");
	args[6] = buf_text(&b);
	args[7] = 0;
	return hook_run(&h, args, e, timeout);
}

/* Runs one owed line; 0 if it succeeded. */
static int
pay(const char *line, const char *name, const struct conf *c,
    const struct renewal *r, const char *event)
{
	static struct hook_env e;
	char mem[64];
	struct buf b = BUF(mem);
	int result;

	deploy_env(&e, name, c, event);
	note(1, line, (char *)0);
	if (e.err)
		result = HOOK_EXEC;
	else if (strncmp(line, "deploy ", 7) == 0)
		result = deploy(line + 7, name, r, &e, c->hook_timeout);
	else
		result = hook_shell(line + 7, &e, c->hook_timeout);
	wipe(env_mem, e.text.len);
	if (result == 0)
		return 0;
	hook_result(&b, result, c->hook_timeout);
	fail(ST_DEPLOY, "the certificate is in place, but this failed and is owed: ",
	    line, ": ", buf_text(&b), (char *)0);
	return -1;
}


int
renewal_pay(const char *name, const struct conf *c, struct renewal *r, const char *event)
{
	static char line[sizeof(r->owed)];
	char *p = r->owed;
	int status = 0;
	size_t n;

	while (*p) {
		n = strcspn(p, "\n");
		memcpy(line, p, n);
		line[n] = 0;
		n += p[n] == '\n';
		if (stop_signal())
			return ST_DEPLOY;
		if (pay(line, name, c, r, event) == 0) {
			memmove(p, p + n, strlen(p + n) + 1);
			if (renewal_write(name, r))
				return ST_STORE;
		} else {
			status = ST_DEPLOY;
			p += n;
		}
	}
	return status;
}
