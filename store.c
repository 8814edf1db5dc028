/*
 * store.c - HOME: its files, names and locks.  All access goes through a
 * descriptor of HOME, one path component after the other; no symlink is
 * followed but certs/NAME/live, and nothing is relied on that somebody else
 * could have written.  A file under its own name is always whole; names that
 * begin with '.' are private, and left-overs of a killed run under them are
 * taken over or removed by the next one.  certs.c has the rest of store.h.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "dir.h"
#include "home.h"
#include "store.h"
#include "util.h"

enum { BELOW = 320 };	/* bytes that the longest path below HOME needs */

static int home_fd = -1;
static char home_path[LIMIT_PATH];
static char suspect[LIMIT_PATH];	/* what trusted() refused, for store_failed() */

/* EPERM if path's first n bytes name what others have or can write. */
static int
trusted(const struct stat *st, const char *path, size_t n)
{
	struct buf b = BUF(suspect);
	struct slice part = { path, n };

	if ((st->st_uid == 0 || st->st_uid == geteuid()) &&
	    (st->st_mode & (S_IWGRP | S_IWOTH)) == 0)
		return 0;
	buf_all(&b, home_path, "/", (char *)0);
	buf_slice(&b, part);
	if (!*buf_text(&b))
		suspect[0] = 0;
	errno = EPERM;
	return -1;
}

/* One component as a string: no ".", "..", or nothing. */
static int
component(char out[DIR_NAME + 1], const char *p, size_t n)
{
	struct slice s = { p, n };

	if (n > DIR_NAME) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (slice_copy(s, out, DIR_NAME + 1) == 0 && *out &&
	    strcmp(out, ".") != 0 && strcmp(out, "..") != 0)
		return 0;
	errno = EINVAL;
	return -1;
}

/* certs/NAME/live, the only symlink: to a number beside it. */
static int
open_live(int at)
{
	char target[16];

	if (dir_readlink(at, "live", target, sizeof(target)) < 0)
		return -1;
	if (dir_number(target, 1))
		return dir_open(at, target);
	errno = strcmp(target, "live") == 0 ? ELOOP : EINVAL;
	return -1;
}

static int
is_live(const char *path, size_t i, const char *name)
{
	return strcmp(name, "live") == 0 && strncmp(path, "certs/", 6) == 0 &&
	    i > 7 && !memchr(path + 6, '/', i - 7);
}

/* One step of store_dir(), to the component of n bytes at path + i. */
static int
step(int at, const char *path, size_t i, size_t n, int make)
{
	char name[DIR_NAME + 1];
	struct stat st;
	int fd;

	if (component(name, path + i, n) < 0)
		return -1;
	if (is_live(path, i, name)) {
		fd = open_live(at);
	} else {
		fd = dir_open(at, name);
		if (fd < 0 && errno == ENOENT && make && dir_make(at, name) == 0)
			fd = dir_open(at, name);
	}
	if (fd < 0)
		return -1;
	if (dir_fstat(fd, &st) == 0 && trusted(&st, path, i + n) == 0)
		return fd;
	dir_close(fd);
	return -1;
}

/* The directory that path's first n bytes name. */
static int
walk(const char *path, size_t n, int make)
{
	size_t i, end;
	int fd, next;

	suspect[0] = 0;
	if (home_fd < 0) {
		errno = ENOENT;
		return -1;
	}
	fd = home_fd;
	for (i = 0; fd >= 0 && i < n; i = end + 1) {
		for (end = i; end < n && path[end] != '/'; end++)
			;
		next = step(fd, path, i, end - i, make);
		if (fd != home_fd)
			dir_close(fd);
		fd = next;
	}
	return fd == home_fd ? dir_open(fd, ".") : fd;
}

int
store_dir(const char *path, int make)
{
	return walk(path, strlen(path), make);
}

int
store_parent(const char *path, const char **base)
{
	const char *slash = strrchr(path, '/');
	char name[DIR_NAME + 1];

	*base = slash ? slash + 1 : path;
	if (component(name, *base, strlen(*base)) < 0)
		return -1;
	return walk(path, slash ? (size_t)(slash - path) : 0, 0);
}

int
store_write(const char *path, struct slice text)
{
	const char *base;
	int dir = store_parent(path, &base), r;

	if (dir < 0)
		return -1;
	r = dir_replace(dir, base, text);
	dir_close(dir);
	return r;
}

int
store_rename(const char *path, const char *base)
{
	const char *old;
	int dir = store_parent(path, &old), r;

	if (dir < 0)
		return -1;
	r = dir_rename(dir, old, dir, base) < 0 ? -1 : dir_sync(dir);
	dir_close(dir);
	return r;
}

/* Whether a file may be relied on; warns if others may read a secret. */
static int
check_file(int fd, const char *path, const char *base)
{
	static const char *const secret[] = {
		"conf", "key.pem", "key.pem.next", "privkey.pem", "combined.pem"
	};
	struct stat st;
	size_t i;

	if (dir_fstat(fd, &st) < 0 || trusted(&st, path, strlen(path)) < 0)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
		return -1;
	}
	for (i = 0; i < sizeof(secret) / sizeof(*secret); i++)
		if ((st.st_mode & 077) && strcmp(base, secret[i]) == 0)
			warn("others can read ", home_path, "/", path,
			    ": run chmod 600 on it", (char *)0);
	return 0;
}

int
store_read(const char *path, struct buf *b)
{
	const char *base;
	int dir = store_parent(path, &base), fd, r;

	if (dir < 0)
		return -1;
	/* a FIFO must not block */
	fd = dir_file(dir, base, O_RDONLY | O_NONBLOCK);
	dir_close(dir);
	if (fd < 0)
		return -1;
	r = check_file(fd, path, base);
	if (r == 0)
		r = dir_read(fd, b);
	dir_close(fd);
	return r;
}

/* Removes path by that function of dir.h. */
static int
removal(const char *path, int (*f)(int at, const char *name))
{
	const char *base;
	int dir = store_parent(path, &base), r;

	if (dir < 0)
		return errno == ENOENT ? 0 : -1;
	r = f(dir, base);
	if (r == 0)
		r = dir_sync(dir);
	dir_close(dir);
	return r;
}

int
store_remove(const char *path)
{
	return removal(path, dir_unlink);
}

int
store_remove_tree(const char *path)
{
	return removal(path, dir_clear);
}

int
store_mkdir(const char *path)
{
	int fd = store_dir(path, 1);

	dir_close(fd);
	return fd < 0 ? -1 : 0;
}

int
store_exists(const char *path)
{
	const char *base;
	int dir = store_parent(path, &base), r;

	if (dir < 0)
		return 0;
	r = dir_exists(dir, base);
	dir_close(dir);
	return r;
}

const char *
store_home(void)
{
	return home_path;
}

void
store_path(struct buf *b, const char *path)
{
	buf_all(b, home_path, "/", path, (char *)0);
}

int
store_failed(const char *doing, const char *path)
{
	if (errno == EPERM && suspect[0])
		return fail(ST_STORE, doing, " ", home_path, "/", path, ": ", suspect,
		    " must belong to you or root and be writable by nobody else:"
		    " check it, then chown and chmod go-w", (char *)0);
	if (errno == ELOOP)
		return fail(ST_STORE, doing, " ", home_path, "/", path,
		    ": a symbolic link is in the way, none is followed here", (char *)0);
	return fail(ST_STORE, doing, " ", home_path, "/", path, ":", (char *)0);
}

int
store_unread(const char *path)
{
	if (errno != EFBIG && errno != EINVAL && errno != EISDIR)
		return store_failed("cannot read", path);
	return fail(ST_CONFIG, "cannot read ", home_path, "/", path, ":", (char *)0);
}

/* key=value lines */

int
kv_next(struct slice *text, struct slice *key, struct slice *value)
{
	const char *eol, *eq;
	struct slice line;

	while (text->n) {
		line = *text;
		eol = memchr(line.p, '\n', line.n);
		if (eol) {
			line.n = (size_t)(eol - line.p);
			text->p += line.n + 1;
			text->n -= line.n + 1;
			if (line.n && line.p[line.n - 1] == '\r')
				line.n--;
		} else {
			text->p += line.n;
			text->n = 0;
		}
		if (line.n >= 3 && memcmp(line.p, "\xef\xbb\xbf", 3) == 0) {
			line.p += 3;
			line.n -= 3;
		}
		eq = line.n && *line.p != '#' ? memchr(line.p, '=', line.n) : 0;
		if (!eq)
			continue;
		key->p = line.p;
		key->n = (size_t)(eq - line.p);
		value->p = eq + 1;
		value->n = line.n - key->n - 1;
		return 1;
	}
	return 0;
}

struct slice
kv_get(struct slice text, const char *key)
{
	struct slice k, v, last = { 0, 0 };

	while (kv_next(&text, &k, &v))
		if (slice_is(k, key))
			last = v;
	return last;
}

void
kv_put(struct buf *b, const char *key, struct slice value)
{
	size_t i;

	for (i = 0; i < value.n; i++)
		if (value.p[i] == '\n' || value.p[i] == '\r' || value.p[i] == 0)
			b->err = 1;
	buf_all(b, key, "=", (char *)0);
	buf_slice(b, value);
	buf_char(b, '\n');
}

/* Names */

static int
is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

int
store_cert_dir(char *out, size_t size, const char *name)
{
	const char *p = name;
	struct buf b;

	buf_init(&b, out, size);
	buf_str(&b, "certs/");
	if (strncmp(name, "*.", 2) == 0) {
		buf_char(&b, '_');
		p++;
	} else if (!is_alnum(*name) && *name != ':' && (*name != '_' || name[1] == '.')) {
		/* "::1" may begin so; "-x" is an option, "_." stands for "*." */
		b.err = 1;
	}
	if (strlen(name) > LIMIT_NAME || p[0] == 0 || (p > name && p[1] == 0))
		b.err = 1;
	buf_str(&b, p);
	for (; *p; p++)
		if (!is_alnum(*p) && !strchr("._-:@+", *p))
			b.err = 1;
	if (*buf_text(&b))
		return 0;
	if (size)
		*out = 0;
	errno = EINVAL;
	return -1;
}

/* Appends s with all but letters, digits, '-', '_' and inner dots as %XX. */
static void
escape(struct buf *b, const char *s)
{
	const char *p;

	for (p = s; *p; p++) {
		if (is_alnum(*p) || *p == '-' || *p == '_' || (*p == '.' && p > s)) {
			buf_char(b, *p);
		} else {
			buf_char(b, '%');
			buf_hex(b, p, 1);
		}
	}
}

int
store_account_dir(char *out, size_t size, const char *url, const char *label)
{
	struct buf b;
	size_t start;

	buf_init(&b, out, size);
	buf_str(&b, "accounts/");
	start = b.len;
	if (strncmp(url, "https://", 8) == 0 && url[8] && url[8] != '/')
		escape(&b, url + 8);
	else
		b.err = 1;
	if (label && *label) {
		buf_char(&b, ',');
		escape(&b, label);
	}
	if (b.len - start <= DIR_NAME && *buf_text(&b))
		return 0;
	if (size)
		*out = 0;
	errno = EINVAL;
	return -1;
}

struct listing {
	struct buf *b;
	size_t start;
};

/* Where name belongs among those from start: by halves, each moved to where a name begins. */
static size_t
place(const struct listing *l, const char *name)
{
	const char *p = l->b->p;
	size_t low = l->start, high = l->b->len, at;

	while (low < high) {
		at = low + (high - low) / 2;
		while (at > low && p[at - 1])
			at--;
		if (strcmp(p + at, name) < 0)
			low = at + strlen(p + at) + 1;
		else
			high = at;
	}
	return low;
}

/* Inserts name and its NUL where it belongs among those from start. */
static int
insert(const struct listing *l, const char *name)
{
	struct buf *b = l->b;
	size_t n = strlen(name) + 1, at = place(l, name), end = b->len;

	buf_mem(b, name, n);
	if (b->err) {
		errno = EFBIG;
		return -1;
	}
	memmove(b->p + at + n, b->p + at, end - at);
	memcpy(b->p + at, name, n);
	return 0;
}

static int
list_entry(void *ctx, int dir, const char *name)
{
	(void)dir;
	return *name == '.' ? 0 : insert(ctx, name);
}

static int
list_cert(void *ctx, int dir, const char *name)
{
	char plain[DIR_NAME + 2], path[DIR_NAME + 16];
	struct buf b = BUF(plain);
	struct stat st;

	if (strncmp(name, "_.", 2) == 0)
		buf_all(&b, "*", name + 1, (char *)0);
	else
		buf_str(&b, name);
	if (store_cert_dir(path, sizeof(path), buf_text(&b)) < 0 ||
	    dir_stat(dir, name, &st) < 0 || !S_ISDIR(st.st_mode))
		return 0;
	return insert(ctx, plain);
}

static int
list(const char *path, struct buf *b, dir_visit *f)
{
	struct listing l = { b, b->len };
	int dir = store_dir(path, 0), r;

	if (dir < 0)
		return errno == ENOENT ? 0 : -1;
	r = dir_each(dir, f, &l);
	dir_close(dir);
	if (r < 0)
		b->len = l.start;
	return r;
}

int
store_certs(struct buf *b)
{
	return list("certs", b, list_cert);
}

int
store_entries(const char *path, struct buf *b)
{
	return list(path, b, list_entry);
}

/* Locks */

/* FNV-1a, so that a name too long for a file still has a lock of its own. */
static uint64_t
hash(const char *s)
{
	uint64_t h = 0xcbf29ce484222325U;

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3U;
	return h;
}

static const char *
lock_name(char out[DIR_NAME + 1], const char *name)
{
	char all[3 * LIMIT_PATH];
	struct buf escaped = BUF(all), b;
	struct slice head;

	escape(&escaped, name);
	head = buf_view(&escaped);
	buf_init(&b, out, DIR_NAME + 1);
	if (head.n > 200) {
		head.n = 200;
		buf_slice(&b, head);
		buf_char(&b, '%');
		buf_uint(&b, hash(name));
	} else {
		buf_slice(&b, head);
	}
	return buf_text(&b);
}

int
store_lock(const char *name, int64_t deadline)
{
	char file[DIR_NAME + 1];
	int dir = store_dir("locks", 1), fd;

	if (dir < 0)
		return -1;
	fd = dir_lock(dir, lock_name(file, name), deadline);
	dir_close(dir);
	return fd;
}

void
store_unlock(int fd)
{
	dir_unlock(fd);
}

/* Opening HOME */

static int
set_path(const char *home)
{
	struct buf b = BUF(home_path);

	if (*home && *home != '/') {
		if (!getcwd(home_path, sizeof(home_path)))
			return fail(ST_STORE, "no working directory to find ",
			    home, " in:", (char *)0);
		b.len = strlen(home_path);
		buf_char(&b, '/');
	}
	buf_str(&b, home);
	while (b.len > 1 && b.p[b.len - 1] == '/')
		b.len--;
	if (*home && b.len <= sizeof(home_path) - BELOW && *buf_text(&b))
		return ST_OK;
	home_path[0] = 0;
	return fail(ST_STORE, "the path of the state directory is ",
	    *home ? "too long: " : "empty", home, (char *)0);
}

/* The file system or the system lacks what, or something else went wrong: 0. */
static int
unfit(const char *what)
{
	return what ?
	    fail(ST_STORE, "the file system of ", home_path, " lacks ", what,
	    ": choose another --home (", strerror(errno), ")", (char *)0) :
	    fail(ST_STORE, "cannot set up ", home_path, ":", (char *)0);
}

/* Under a lock, since routers start everything at once; certs comes last. */
static int
first_use(void)
{
	const char *missing;
	int lock = store_lock(".home", now_ms() + 10000), r = ST_OK;

	if (lock < 0 && (errno == EWOULDBLOCK || errno == EINTR))
		return fail(ST_LATER, "another run is setting up ", home_path, (char *)0);
	if (lock < 0)
		return unfit(errno == ENOSYS || errno == ENOTSUP || errno == ENOLCK ||
		    errno == EINVAL ? "file locks (flock)" : 0);
	if (!store_exists("certs")) {
		if (home_probe(home_fd, &missing) < 0)
			r = unfit(missing);
		else if (store_mkdir("certs") < 0)
			r = unfit(0);
	}
	store_unlock(lock);
	return r;
}

static int
check_home(void)
{
	const char *why = home_untrusted(home_fd), *client;

	if (why)
		return fail(ST_STORE, "the state directory ", home_path, " ", why, (char *)0);
	client = store_exists("locks") ? 0 : home_foreign(home_fd);
	if (client)
		return fail(ST_STORE, home_path, " is a directory of ", client,
		    ": take it over into a new one with acme --home DIR import ",
		    home_path, (char *)0);
	return ST_OK;
}

/* Root works nowhere where others could put another directory in place of HOME. */
static int
check_way(void)
{
	char where[LIMIT_PATH];
	struct stat st;

	if (geteuid() != 0 || !dir_exposed(home_path, where))
		return ST_OK;
	/* home_untrusted() has better words for the directory itself */
	if (strcmp(where, home_path) == 0 && lstat(where, &st) == 0 && S_ISDIR(st.st_mode))
		return ST_OK;
	return fail(ST_STORE, "the state directory ", home_path, " is not safe for root: ", where,
	    " on the way to it belongs to another user, or all can write it - choose another"
	    " --home", (char *)0);
}

static int
open_home(int create)
{
	int tries;

	for (tries = 0; tries < 2; tries++) {
		RETRY(home_fd, open(home_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
		if (home_fd >= 0 || errno != ENOENT || !create)
			break;
		if (home_make(home_path) < 0)
			break;
	}
	return home_fd < 0 && (create || errno != ENOENT) ?
	    fail(ST_STORE, "cannot open the state directory ", home_path, ":", (char *)0) :
	    ST_OK;
}

void
store_close(void)
{
	dir_close(home_fd);
	home_fd = -1;
}

int
store_open(const char *home, int create)
{
	int r;

	store_close();
	r = set_path(home);
	if (r == ST_OK)
		r = check_way();
	if (r == ST_OK)
		r = open_home(create);
	if (r == ST_OK && home_fd >= 0)
		r = check_home();
	if (r == ST_OK && create && !(store_exists("locks") && store_exists("certs")))
		r = first_use();
	if (r)
		store_close();
	return r;
}
