/*
 * respond.c - the responder of the built-in hooks standalone (http-01, RFC
 * 8555 8.3) and tls-alpn (tls-alpn-01, RFC 8737, 8738): one process for each
 * kind and address, shared by all runs, serving what lies in one directory.
 *
 * HOME/hookdata/respond/ID/        ID is KIND-ADDRESS-PORT, "http-any-80"
 *   TOKEN                          http-01: the key authorization
 *   SERVERNAME                     tls-alpn-01: the digest, then an address in hex
 *                                  its time is now_ms()'s: no clock that is set ages it
 * HOME/locks/respond+ID            the guard: held by every change of the above
 * HOME/locks/respond+ID+run        held by the responder as long as it lives
 *
 * Invariants.  The directory is made only while no responder lives, and is
 * removed, by a rmdir that succeeds, with its last entry: so a living
 * responder and an existing directory belong together, and nothing is ever
 * counted.  The run lock is taken by the begin that starts a responder and is
 * inherited by it, so that no second one can be started in between.  A byte
 * in the file of the run lock tells the responder to end.  All of this holds
 * when any of the processes is killed anywhere.
 */
#define _DEFAULT_SOURCE 1	/* chroot */
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "confine.h"
#include "dir.h"
#include "name.h"
#include "respond.h"
#include "serve.h"
#include "util.h"

#ifndef RESPOND_LIFE
#define RESPOND_LIFE 3600	/* seconds without a change: entries are dead, the responder ends */
#endif

enum {
	TICK_MS = 50,
	END_MS = 2 * 1000,	/* how long the port's release is waited for */
	OTHER_MS = 30 * 1000,	/* how long another run's entry of that name */
	DECLINED = 1,
	FAILED = 126
};

/* One kind at one address, and what is open of it. */
struct place {
	enum respond_kind kind;
	int family;		/* AF_INET, AF_INET6, or 0: both, any address */
	unsigned char ip[16];
	uint16_t port;
	const char *address;	/* as the user wrote it */
	char id[64];
	int home, guard, run, dir;
};

struct entry {
	char name[LIMIT_NAME + 1], text[SERVE_ENTRY + 1];
};

static const struct kind {
	const char *type, *id;
	uint16_t port;
} kinds[] = {
	[RESPOND_HTTP] = { "http-01", "http", 80 },
	[RESPOND_ALPN] = { "tls-alpn-01", "alpn", 443 }
};

static const char hex[] = "0123456789abcdef";

/* ---- entries ---- */

/* The reverse name of an address, its server name (RFC 8738 6; RFC 3596 2.5). */
static void
arpa(struct buf *b, const unsigned char *ip, size_t n)
{
	size_t i;

	for (i = n; i-- > 0;) {
		if (n == 4) {
			buf_uint(b, ip[i]);
		} else {
			buf_char(b, hex[ip[i] & 15]);
			buf_char(b, '.');
			buf_char(b, hex[ip[i] >> 4]);
		}
		buf_char(b, '.');
	}
	buf_str(b, n == 4 ? "in-addr.arpa" : "ip6.arpa");
}

/* TOKEN "." THUMBPRINT (RFC 8555 8.1) */
static int
is_key_authorization(struct slice s)
{
	struct slice token = slice_cut(&s, '.');

	return serve_is_token(token) && serve_is_token(s);
}

/* The entry of a hook's arguments; 0, or -1 and what is wrong with them in *why. */
static int
entry_make(struct entry *e, enum respond_kind kind, struct slice ident,
    struct slice token, struct slice auth, const char **why)
{
	unsigned char ip[16], digest[32];
	struct buf name = BUF(e->name), text = BUF(e->text);
	size_t n;

	*why = "IDENT is no host name or address in lower case";
	if (!serve_is_ident(ident))
		return -1;
	*why = "TOKEN is not base64url";
	if (!serve_is_token(token))
		return -1;
	*why = "AUTH is no key authorization or digest";
	buf_slice(&text, auth);
	if (kind == RESPOND_HTTP) {
		if (!is_key_authorization(auth))
			return -1;
		buf_slice(&name, token);
	} else {
		if (auth.n != 43 || serve_alpn_entry(auth, digest, ip) < 0)
			return -1;
		slice_copy(ident, e->name, sizeof(e->name));
		n = (size_t)name_address(e->name, ip);
		if (n)
			arpa(&name, ip, n);
		else
			buf_slice(&name, ident);
		buf_hex(&text, ip, n);
	}
	*why = "too long";
	buf_text(&name);
	buf_text(&text);
	return name.err || text.err ? -1 : 0;
}

static int
entry_write(int dir, const struct entry *e)
{
	size_t n = strlen(e->text);
	struct timespec t[2] = { { 0, 0 }, { 0, 0 } };
	int fd, good;

	t[0].tv_sec = t[1].tv_sec = (time_t)(now_ms() / 1000);
	/* the guard is held: one private name is enough, and a dot is in no entry's */
	dir_unlink(dir, ".new");
	fd = dir_file(dir, ".new", O_WRONLY | O_CREAT | O_EXCL);
	if (fd < 0)
		return -1;
	good = write(fd, e->text, n) == (ssize_t)n && fchmod(fd, 0644) == 0 &&
	    futimens(fd, t) == 0;
	if (close(fd) < 0 || !good)
		return -1;
	return dir_rename(dir, ".new", dir, e->name);
}

/* ---- places ---- */

/* "", "PORT", "ADDRESS:PORT", "[ADDRESS]:PORT": 0 or -1. */
static int
place_parse(struct place *p, enum respond_kind kind, const char *address)
{
	const char *colon = strrchr(address, ':');
	struct slice port = slice(colon ? colon + 1 : address), host = { address, 0 };
	char text[64];
	uint64_t v = kinds[kind].port;

	p->kind = kind;
	p->address = address;
	p->family = 0;
	if (*address && (slice_uint(port, &v) < 0 || v < 1 || v > 65535))
		return -1;
	p->port = (uint16_t)v;
	if (!colon)
		return 0;
	p->family = AF_INET;
	host.n = (size_t)(colon - address);
	if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']') {
		p->family = AF_INET6;
		host.p++;
		host.n -= 2;
	}
	if (slice_copy(host, text, sizeof(text)) < 0)
		return -1;
	return name_address(text, p->ip) == (p->family == AF_INET ? 4 : 16) ? 0 : -1;
}

static void
place_name(struct place *p)
{
	struct buf id = BUF(p->id);

	buf_all(&id, kinds[p->kind].id, "-", (char *)0);
	if (p->family)
		buf_hex(&id, p->ip, p->family == AF_INET ? 4 : 16);
	else
		buf_str(&id, "any");
	buf_char(&id, '-');
	buf_uint(&id, p->port);
	buf_text(&id);
}

struct path {
	char mem[512];
};

/* A path below HOME: before, the place's ID, after. */
static const char *
place_path(const struct place *p, struct path *path, const char *before, const char *after)
{
	struct buf b = BUF(path->mem);

	buf_all(&b, before, p->id, after, (char *)0);
	return buf_text(&b);
}

static int
open_lock(const struct place *p, const char *after)
{
	struct path path;

	return dir_file(p->home, place_path(p, &path, "locks/respond+", after), O_RDWR | O_CREAT);
}

static int
open_directory(const struct place *p)
{
	struct path path;

	return dir_open(p->home, place_path(p, &path, "hookdata/respond/", ""));
}

/* Opens HOME and both locks; p->dir stays closed. */
static int
place_open(struct place *p)
{
	const char *home = getenv("ACME_HOME");
	struct path path;

	p->guard = p->run = p->dir = -1;
	place_name(p);
	if (!home || !*home)
		return fail(ST_HOOK, "ACME_HOME is not set", (char *)0);
	p->home = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->home < 0)
		return fail(ST_HOOK, "cannot open ", home, ":", (char *)0);
	mkdirat(p->home, "locks", 0700);
	mkdirat(p->home, "hookdata", 0700);
	mkdirat(p->home, "hookdata/respond", 0700);
	p->guard = open_lock(p, "");
	p->run = open_lock(p, "+run");
	if (p->guard < 0 || p->run < 0)
		return fail(ST_HOOK, "cannot open ", home, "/",
		    place_path(p, &path, "locks/respond+", ""), ":", (char *)0);
	return 0;
}

/* Locks: 0, or -1 with errno EWOULDBLOCK if another has it. */
static int
lock(int fd, int wait)
{
	int r;

	while ((r = flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB))) < 0 && errno == EINTR)
		;
	return r;
}

/*
 * Tells the responder to end, and waits until it has: 0, and the run lock is
 * ours, or -1.
 */
static int
responder_end(const struct place *p)
{
	int64_t deadline = now_ms() + END_MS;

	while (lock(p->run, 0) < 0) {
		if (errno != EWOULDBLOCK || pwrite(p->run, "e", 1, 0) < 0 ||
		    now_ms() >= deadline)
			return -1;
		wait_fd(-1, 0, now_ms() + 5);
	}
	return 0;
}

/*
 * Takes the guard.  While another run has an entry of this name with another
 * content, which for tls-alpn-01 is another order for the same host, waits
 * for it to be done; not for ever, since it may be what a crash has left.
 */
static int
guard_take(const struct place *p, const struct entry *e)
{
	int64_t deadline = now_ms() + OTHER_MS;
	char text[SERVE_ENTRY + 1];
	struct path name, path;
	struct buf b = BUF(name.mem);

	buf_all(&b, "/", e->name, (char *)0);
	place_path(p, &path, "hookdata/respond/", buf_text(&b));
	for (;;) {
		if (lock(p->guard, 1) < 0)
			return fail(ST_HOOK, "cannot lock in $ACME_HOME/locks:", (char *)0);
		if (serve_entry(p->home, path.mem, text) < 0 ||
		    strcmp(text, e->text) == 0 || now_ms() >= deadline)
			return 0;
		flock(p->guard, LOCK_UN);
		wait_fd(-1, 0, now_ms() + 100);
	}
}

/* Opens the directory; where there is none, makes it, see the invariants above. */
static int
place_enter(struct place *p)
{
	struct path path;

	p->dir = open_directory(p);
	if (p->dir >= 0)
		return 0;
	if (errno == ENOENT) {
		if (responder_end(p) < 0)
			return fail(ST_HOOK, "an earlier responder does not end", (char *)0);
		if (mkdirat(p->home, place_path(p, &path, "hookdata/respond/", ""), 0755) == 0)
			p->dir = open_directory(p);
	}
	/* the mode whatever the umask: the responder gives up its privileges */
	if (p->dir < 0 || fchmod(p->dir, 0755) < 0)
		return fail(ST_HOOK, "cannot make $ACME_HOME/hookdata/respond:", (char *)0);
	return 0;
}

/* For dir_each: removes an entry that nobody can be waiting for any more; one of the future is from before a restart. */
static int
sweep(void *ctx, int dir, const char *name)
{
	struct stat st;
	int64_t age;

	(void)ctx;
	if (name[0] == '.' || dir_stat(dir, name, &st) < 0)
		return 0;
	age = now_ms() / 1000 - st.st_mtime;
	if (age < 0 || age > RESPOND_LIFE)
		dir_unlink(dir, name);
	return 0;
}

/* Removes the entry, if it is ours, and with the last one the directory: 1, else 0. */
static int
place_leave(const struct place *p, const struct entry *e)
{
	char text[SERVE_ENTRY + 1];
	struct path path;
	const char *dir = place_path(p, &path, "hookdata/respond/", "");

	if (serve_entry(p->dir, e->name, text) >= 0 && strcmp(text, e->text) == 0)
		dir_unlink(p->dir, e->name);
	dir_unlink(p->dir, ".new");
	if (unlinkat(p->home, dir, AT_REMOVEDIR) == 0)
		return 1;
	dir_each(p->dir, sweep, 0);
	return unlinkat(p->home, dir, AT_REMOVEDIR) == 0;
}

/* ---- the responder ---- */

static int
listen_failed(const struct place *p)
{
	char mem[6];
	struct buf port = BUF(mem);
	int saved = errno;

	buf_uint(&port, p->port);
	buf_text(&port);
	errno = saved;
	if (p->family)
		return fail(ST_HOOK, "cannot listen on ", p->address, ":", (char *)0);
	return fail(ST_HOOK, "cannot listen on port ", mem, ":", (char *)0);
}

/* Only root can, and only root must: 0 or a status, printed. */
static int
give_up_privileges(int dir)
{
	struct confine_user u;

	if (geteuid() == 0) {
		if (confine_user(&u, getenv("ACME_USER")) < 0)
			return fail(ST_HOOK, "there is no user ", u.name, (char *)0);
		/* to see no other file is a gain; some containers do not allow it */
		if (fchdir(dir) < 0 || chroot(".") < 0)
			note(1, "the responder sees the file system:", (char *)0);
		if (confine_become(&u) < 0)
			return fail(ST_HOOK, "cannot become user ", u.name, ":", (char *)0);
	}
	if (chdir("/") < 0)
		return fail(ST_HOOK, "cannot change to /:", (char *)0);
	return 0;
}

/* Whether the responder has to end.  *last, *since: the last change that was seen. */
static int
responder_over(const struct place *p, time_t *last, int64_t *since, int64_t now)
{
	struct stat st;

	if (fstat(p->run, &st) == 0 && st.st_size != 0)
		return 1;
	if (fstat(p->dir, &st) < 0)
		return 0;
	if (st.st_mtime != *last) {
		*last = st.st_mtime;
		*since = now;
	}
	if (now - *since < (int64_t)RESPOND_LIFE * 1000 || lock(p->guard, 0) < 0)
		return 0;
	/* now no begin can be counting on this one: the guard is kept until the end */
	if (fstat(p->dir, &st) == 0 && st.st_mtime == *last)
		return 1;
	flock(p->guard, LOCK_UN);
	return 0;
}

/* Everything that may fail, before the begin that waits is told that we listen. */
static int
responder_prepare(struct place *p)
{
	int null;

	/* the guard of our own, since that of the begin is its alone */
	p->guard = open_lock(p, "");
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (p->guard < 0 || null < 0)
		return fail(ST_HOOK, "cannot start the responder:", (char *)0);
	if (p->kind == RESPOND_ALPN && serve_key() < 0)
		return fail(ST_HOOK, "cannot make a key: no entropy", (char *)0);
	if (serve_open(p->dir, p->kind == RESPOND_ALPN, p->family, p->ip, p->port) < 0)
		return listen_failed(p);
	if (give_up_privileges(p->dir) != 0)
		return ST_HOOK;
	if (dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
		return ST_HOOK;
	close(null);
	close(p->home);
	return 0;
}

static int
responder(struct place *p, int ready)
{
	int fd;
	time_t last = 0;
	int64_t since = now_ms();

	/* none of our caller's descriptors, above all no lock of anybody's */
	for (fd = 3; fd < 1024; fd++)
		if (fd != p->home && fd != p->run && fd != p->dir && fd != ready)
			close(fd);
	setsid();
	signal(SIGPIPE, SIG_IGN);
	if (responder_prepare(p) != 0 || write(ready, "r", 1) < 0)
		return 1;
	close(ready);
	while (!responder_over(p, &last, &since, now_ms()))
		serve_turn(TICK_MS);
	/* in this order: who gets the run lock finds the port free, who gets the guard the run lock */
	serve_close();
	close(p->run);
	return 0;
}

/* Starts a responder and waits until it listens; the run lock is ours, and then its. */
static int
responder_start(struct place *p)
{
	int ready[2], status;
	ssize_t n;
	pid_t pid;
	char c;

	program_by_page();
	if (ftruncate(p->run, 0) < 0 || pipe(ready) < 0 || (pid = fork()) < 0)
		return fail(ST_HOOK, "cannot start the responder:", (char *)0);
	if (pid == 0)
		_exit(responder(p, ready[1]));
	close(ready[1]);
	while ((n = read(ready[0], &c, 1)) < 0 && errno == EINTR)
		;
	close(ready[0]);
	if (n == 1)
		return 0;
	if (waitpid(pid, &status, 0) == pid && WIFSIGNALED(status))
		return fail(ST_HOOK, "the responder was killed", (char *)0);
	return ST_HOOK;
}

/* ---- the hook ---- */

static int
respond_begin(struct place *p, const struct entry *e)
{
	if (guard_take(p, e) != 0 || place_enter(p) != 0)
		return FAILED;
	if (entry_write(p->dir, e) < 0) {
		fail(ST_HOOK, "cannot write in $ACME_HOME/hookdata/respond:", (char *)0);
	} else if (lock(p->run, 0) < 0) {
		if (errno == EWOULDBLOCK)
			return 0;
		fail(ST_HOOK, "cannot lock in $ACME_HOME/locks:", (char *)0);
	} else if (responder_start(p) == 0) {
		return 0;
	}
	place_leave(p, e);
	return FAILED;
}

static int
respond_end(struct place *p, const struct entry *e)
{
	if (lock(p->guard, 1) < 0) {
		fail(ST_HOOK, "cannot lock in $ACME_HOME/locks:", (char *)0);
		return FAILED;
	}
	p->dir = open_directory(p);
	if (p->dir >= 0 && !place_leave(p, e))
		return 0;
	if (responder_end(p) < 0)
		warn("the responder does not end", (char *)0);
	return 0;
}

int
respond_hook(enum respond_kind kind, const char *address, int argc, char *const *argv)
{
	struct place place;
	struct entry entry;
	const char *why;
	int begin;

	if (argc != 5) {
		fail(ST_USAGE, "a hook takes METHOD TYPE IDENT TOKEN AUTH", (char *)0);
		return FAILED;
	}
	begin = strcmp(argv[0], "begin") == 0;
	if ((!begin && strcmp(argv[0], "done") != 0 && strcmp(argv[0], "failed") != 0) ||
	    strcmp(argv[1], kinds[kind].type) != 0)
		return DECLINED;
	if (place_parse(&place, kind, address) < 0) {
		fail(ST_USAGE, address, ": not [ADDRESS:]PORT", (char *)0);
		return FAILED;
	}
	if (entry_make(&entry, kind, slice(argv[2]), slice(argv[3]), slice(argv[4]), &why) < 0) {
		fail(ST_USAGE, why, (char *)0);
		return FAILED;
	}
	signals_default();
	if (place_open(&place) != 0)
		return FAILED;
	return begin ? respond_begin(&place, &entry) : respond_end(&place, &entry);
}
