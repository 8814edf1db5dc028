/*
 * dir.c - files relative to a directory descriptor: the mechanics below the
 * state directory.  Invariant: what stands under a name given to
 * dir_replace() is at every instant, also after a power cut, the whole old
 * file or the whole new one, since fsync comes before rename.
 */
#include <sys/file.h>		/* flock: not POSIX, but there on Linux and the BSDs */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>		/* renameat */
#include <string.h>
#include <unistd.h>

#include "dir.h"
#include "util.h"

enum {
	SLOTS = 64,		/* private names of one file: writers at a time */
	DEPTH = 8,		/* directories in each other that dir_clear() enters */
	STICKY = 01000,		/* S_ISVTX, which POSIX has with XSI only */
	LINKS = 40		/* symlinks on the way to a file; Linux says ELOOP then */
};

void
dir_close(int fd)
{
	int saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
}

/* After EINTR the descriptor is gone, and what was written is synced already. */
static int
finish(int fd)
{
	return close(fd) < 0 && errno != EINTR ? -1 : 0;
}

int
dir_file(int at, const char *name, int flags)
{
	int fd;

	RETRY(fd, openat(at, name, flags | O_NOFOLLOW | O_CLOEXEC, 0600));
	return fd;
}

int
dir_stat(int at, const char *name, struct stat *st)
{
	int r;

	RETRY(r, fstatat(at, name, st, AT_SYMLINK_NOFOLLOW));
	return r;
}

int
dir_fstat(int fd, struct stat *st)
{
	int r;

	RETRY(r, fstat(fd, st));
	return r;
}

int
dir_exists(int at, const char *name)
{
	struct stat st;

	return dir_stat(at, name, &st) == 0;
}

int
dir_open(int at, const char *name)
{
	int fd = dir_file(at, name, O_RDONLY | O_DIRECTORY);
	struct stat st;

	/* systems differ in what they say of a symlink */
	if (fd < 0 && errno == ENOTDIR)
		errno = dir_stat(at, name, &st) == 0 && S_ISLNK(st.st_mode) ?
		    ELOOP : ENOTDIR;
	return fd;
}

static int
sync_file(int fd)
{
	int r;

	RETRY(r, fsync(fd));
	return r;
}

int
dir_sync(int dir)
{
	return sync_file(dir) < 0 && errno != EINVAL ? -1 : 0;
}

int
dir_make(int at, const char *name)
{
	int r;

	RETRY(r, mkdirat(at, name, 0700));
	if (r < 0)
		return errno == EEXIST ? 0 : -1;
	/* by name: under a strange umask we could not open it */
	RETRY(r, fchmodat(at, name, 0700, 0));
	return r < 0 ? -1 : dir_sync(at);
}

int
dir_rename(int from, const char *old, int to, const char *new)
{
	int r;

	RETRY(r, renameat(from, old, to, new));
	return r;
}

int
dir_symlink(const char *target, int at, const char *name)
{
	int r;

	RETRY(r, symlinkat(target, at, name));
	return r;
}

int
dir_readlink(int at, const char *name, char *out, size_t size)
{
	ssize_t n;

	RETRY(n, readlinkat(at, name, out, size));
	if (n < 0)
		return -1;
	if ((size_t)n >= size) {
		errno = EINVAL;
		return -1;
	}
	out[n] = 0;
	return 0;
}

static int
unlink_at(int at, const char *name, int flag)
{
	int r;

	RETRY(r, unlinkat(at, name, flag));
	return r < 0 && errno != ENOENT ? -1 : 0;
}

int
dir_unlink(int at, const char *name)
{
	return unlink_at(at, name, 0);
}

int
dir_each(int dir, dir_visit *visit, void *ctx)
{
	int fd = dir_open(dir, "."), r = 0, saved;
	struct dirent *e;
	DIR *d;

	if (fd < 0)
		return -1;
	do
		d = fdopendir(fd);
	while (!d && errno == EINTR);
	if (!d) {
		dir_close(fd);
		return -1;
	}
	while (r == 0) {
		errno = 0;
		e = readdir(d);
		if (!e && errno == EINTR)
			continue;
		if (!e) {
			r = errno ? -1 : 0;
			break;
		}
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			r = visit(ctx, dir, e->d_name);
	}
	saved = errno;
	closedir(d);
	errno = saved;
	return r;
}

void
dir_number_name(char out[16], int v, int width)
{
	struct buf b;
	int unit;

	buf_init(&b, out, 16);
	for (unit = 1; --width; unit *= 10)
		;
	for (; unit > v && unit > 1; unit /= 10)
		buf_char(&b, '0');
	buf_int(&b, v);
	buf_text(&b);
}

int
dir_number(const char *name, int width)
{
	char again[16];
	uint64_t v;

	if (slice_uint(slice(name), &v) < 0 || v < 1 || v > DIR_NUMBER)
		return 0;
	dir_number_name(again, (int)v, width);
	return strcmp(again, name) == 0 ? (int)v : 0;
}

/* Keeps the lowest max in order. */
static int
collect(void *ctx, int dir, const char *name)
{
	struct dir_numbers *s = ctx;
	int v = dir_number(name, s->width), i;

	(void)dir;
	if (v == 0)
		return 0;
	if (v > s->top)
		s->top = v;
	if (s->n == s->max && (s->n == 0 || v > s->v[s->n - 1]))
		return 0;
	if (s->n < s->max)
		s->n++;
	for (i = s->n - 1; i > 0 && s->v[i - 1] > v; i--)
		s->v[i] = s->v[i - 1];
	s->v[i] = v;
	return 0;
}

int
dir_numbered(int dir, struct dir_numbers *s)
{
	s->n = s->top = 0;
	return dir_each(dir, collect, s);
}

static int clear_dir(int at, const char *name, int depth);

static int
clear_entry(void *ctx, int dir, const char *name)
{
	const int *depth = ctx;

	if (dir_unlink(dir, name) == 0)
		return 0;
	/* Linux says EISDIR, POSIX EPERM */
	if (errno != EISDIR && errno != EPERM)
		return -1;
	return clear_dir(dir, name, *depth + 1);
}

/* More than one pass: what is removed under its eyes may hide others from readdir. */
static int
clear_dir(int at, const char *name, int depth)
{
	int fd, r, pass;

	if (depth > DEPTH) {
		errno = ELOOP;
		return -1;
	}
	for (pass = 0; pass < 3; pass++) {
		fd = dir_open(at, name);
		if (fd < 0)
			return errno == ENOENT ? 0 : -1;
		r = dir_each(fd, clear_entry, &depth);
		dir_close(fd);
		if (r < 0)
			return -1;
		if (unlink_at(at, name, AT_REMOVEDIR) == 0)
			return 0;
		if (errno != ENOTEMPTY && errno != EEXIST)
			return -1;
	}
	return -1;
}

int
dir_clear(int at, const char *name)
{
	int depth = 0;

	return clear_entry(&depth, at, name);
}

int
dir_read(int fd, struct buf *b)
{
	size_t start = b->len, room;
	char extra;
	ssize_t n;

	errno = EFBIG;
	while (!b->err) {
		room = b->cap - b->len;
		RETRY(n, read(fd, room ? b->p + b->len : &extra, room ? room : 1));
		if (n == 0)
			return 0;
		if (n > 0 && !room)
			errno = EFBIG;
		if (n < 0 || !room)
			break;
		b->len += (size_t)n;
	}
	wipe(b->p + start, b->len - start);
	b->len = start;
	return -1;
}

static int
write_all(int fd, struct slice s)
{
	ssize_t n;

	while (s.n) {
		RETRY(n, write(fd, s.p, s.n));
		if (n < 0)
			return -1;
		s.p += n;
		s.n -= (size_t)n;
	}
	return 0;
}

static int
fill(int fd, mode_t mode, const struct slice *s, size_t count)
{
	int r;

	RETRY(r, fchmod(fd, mode));
	for (; r == 0 && count; count--)
		r = write_all(fd, *s++);
	return r < 0 ? -1 : sync_file(fd);
}

int
dir_create(int at, const char *name, mode_t mode, const struct slice *s, size_t count)
{
	int fd = dir_file(at, name, O_WRONLY | O_CREAT | O_EXCL);

	if (fd < 0)
		return -1;
	if (fill(fd, mode, s, count) < 0) {
		dir_close(fd);
		return -1;
	}
	return finish(fd);
}

/* 1 if fd holds the lock on what stands under name; 0 if another does; -1. */
static int
held(int at, const char *name, int fd)
{
	struct stat a, b;
	int r;

	RETRY(r, flock(fd, LOCK_EX | LOCK_NB));
	if (r < 0)
		return errno == EWOULDBLOCK ? 0 : -1;
	if (dir_fstat(fd, &a) < 0)
		return -1;
	if (dir_stat(at, name, &b) < 0)
		return errno == ENOENT ? 0 : -1;
	return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/*
 * A new file under that private name.  Its writer holds a lock on it until it
 * is renamed, so one that nobody holds was left by a killed run, and goes.
 * EEXIST: somebody is writing it, or it is no file of ours.
 */
static int
take_name(int at, const char *name)
{
	int fd, mine, tries;

	for (tries = 0; tries < 3; tries++) {
		fd = dir_file(at, name, O_RDWR | O_CREAT | O_EXCL);
		if (fd < 0 && errno != EEXIST)
			return -1;
		if (fd >= 0) {
			mine = held(at, name, fd);
			if (mine > 0)
				return fd;
			dir_close(fd);
			if (mine < 0)
				return -1;
			continue;	/* taken for a left-over before it was locked */
		}
		fd = dir_file(at, name, O_RDONLY | O_NONBLOCK);
		if (fd >= 0 && held(at, name, fd) > 0)
			(void)dir_unlink(at, name);
		dir_close(fd);
	}
	errno = EEXIST;
	return -1;
}

/* Opens the first free one of base's private names. */
static int
open_private(int at, const char *base, char name[DIR_NAME + 1])
{
	struct buf b;
	int fd = -1, i;

	for (i = 0; i < SLOTS; i++) {
		buf_init(&b, name, DIR_NAME + 1);
		buf_all(&b, ".", base, ".", (char *)0);
		buf_int(&b, i);
		if (!*buf_text(&b)) {
			errno = ENAMETOOLONG;
			return -1;
		}
		fd = take_name(at, name);
		if (fd >= 0 || errno != EEXIST)
			break;
	}
	return fd;
}

int
dir_replace(int at, const char *name, struct slice text)
{
	char hidden[DIR_NAME + 1];
	int fd = open_private(at, name, hidden), r, saved;

	if (fd < 0)
		return -1;
	r = fill(fd, 0600, &text, 1);
	if (r == 0)
		r = dir_rename(at, hidden, at, name);
	if (r < 0) {
		saved = errno;
		dir_unlink(at, hidden);
		dir_close(fd);
		errno = saved;
		return -1;
	}
	/* not before: this gives up the lock on the private name */
	r = finish(fd);
	return dir_sync(at) < 0 ? -1 : r;
}

static int
open_lock(int at, const char *name)
{
	int fd = dir_file(at, name, O_RDWR | O_CREAT | O_NONBLOCK), r;
	struct stat st;

	if (fd < 0)
		return -1;
	r = dir_fstat(fd, &st);
	if (r == 0 && (st.st_mode & 07777) != 0600)
		RETRY(r, fchmod(fd, 0600));
	if (r < 0) {
		dir_close(fd);
		return -1;
	}
	return fd;
}

/* In short sleeps: a blocking flock would not see a stop signal. */
int
dir_lock(int at, const char *name, int64_t deadline)
{
	int fd = open_lock(at, name), pause = 10, r;
	int64_t until;

	while (fd >= 0) {
		RETRY(r, flock(fd, LOCK_EX | LOCK_NB));
		if (r == 0)
			return fd;
		if (errno != EWOULDBLOCK)
			break;
		until = now_ms();
		if (until >= deadline) {
			errno = EWOULDBLOCK;
			break;
		}
		pause = pause < 80 ? 2 * pause : 80;
		until = deadline - until < pause ? deadline : until + pause;
		if (wait_fd(-1, 0, until) == WAIT_SIGNAL) {
			errno = EINTR;
			break;
		}
	}
	dir_close(fd);
	return -1;
}

/* Unlocked before it is closed: a child that has not come to exec yet shares it. */
void
dir_unlock(int fd)
{
	if (fd < 0)
		return;
	flock(fd, LOCK_UN);
	close(fd);
}

/* Takes the first component of rest and appends it to way; 0 if there was none. */
static int
descend(struct buf *way, struct buf *rest)
{
	struct slice name;
	size_t skip = 0;

	while (skip < rest->len && rest->p[skip] == '/')
		skip++;
	name.p = rest->p + skip;
	for (name.n = 0; skip + name.n < rest->len && name.p[name.n] != '/'; name.n++)
		;
	if (slice_is(name, "..")) {
		while (way->len && way->p[--way->len] != '/')
			;
	} else if (name.n && !slice_is(name, ".")) {
		buf_char(way, '/');
		buf_slice(way, name);
	}
	skip += name.n;
	memmove(rest->p, rest->p + skip, rest->len - skip);
	rest->len -= skip;
	return name.n > 0;
}

/* Puts the target of the symlink that way ends in before rest, and takes it off way. */
static int
follow(struct buf *way, struct buf *rest)
{
	char mem[2 * LIMIT_PATH];
	struct buf b = BUF(mem);
	ssize_t n;

	RETRY(n, readlink(buf_text(way), mem, sizeof(mem)));
	if (n < 0)
		return -1;
	b.len = (size_t)n;
	buf_char(&b, '/');
	buf_slice(&b, buf_view(rest));
	while (way->len && way->p[--way->len] != '/')
		;
	if (mem[0] == '/')
		way->len = 0;
	buf_clear(rest);
	buf_slice(rest, buf_view(&b));
	return b.err || rest->err ? -1 : 0;
}

int
dir_exposed(const char *path, char out[LIMIT_PATH])
{
	char mem[2 * LIMIT_PATH];
	struct buf rest = BUF(mem), way;
	struct stat st;
	int r, steps = 0;

	buf_init(&way, out, LIMIT_PATH);
	buf_str(&rest, path);
	while (!rest.err && descend(&way, &rest) && !way.err) {
		if (!way.len)
			continue;
		RETRY(r, lstat(buf_text(&way), &st));
		if (r < 0)
			return 0;	/* as will be found when it is opened */
		if ((st.st_uid != 0 && st.st_uid != geteuid()) || (S_ISDIR(st.st_mode) &&
		    (st.st_mode & S_IWOTH) && !(st.st_mode & STICKY)))
			return 1;
		if (S_ISLNK(st.st_mode) && (++steps > LINKS || follow(&way, &rest) < 0))
			return 0;
	}
	return 0;
}
