/*
 * home.c - judging a directory before it becomes the state directory.  What
 * store.c promises rests on it: nobody else can write there, no other client
 * keeps its files there, and its file system has symlinks that can be
 * replaced by rename, modes, and flock (FAT and some network mounts do not).
 */
#include <sys/file.h>		/* flock: not POSIX, but there on Linux and the BSDs */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "dir.h"
#include "home.h"

/* Makes path, whose parent is there, synced. */
static int
make_one(const char *path)
{
	char up[LIMIT_PATH];
	const char *slash = strrchr(path, '/');
	struct slice head = { path, slash > path ? (size_t)(slash - path) : 1 };
	int fd, r;

	slice_copy(head, up, sizeof(up));
	RETRY(fd, open(up, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	if (fd < 0)
		return -1;
	r = dir_make(fd, slash + 1);
	dir_close(fd);
	return r;
}

int
home_make(const char *path)
{
	char part[LIMIT_PATH];
	struct slice head = { path, 0 };
	struct stat st;
	size_t n = strlen(path);
	int r;

	for (head.n = 2; head.n <= n; head.n++) {
		if (head.n < n && path[head.n] != '/')
			continue;
		if (slice_copy(head, part, sizeof(part)) < 0) {
			errno = ENAMETOOLONG;
			return -1;
		}
		RETRY(r, stat(part, &st));
		if (r < 0 && (errno != ENOENT || make_one(part) < 0))
			return -1;
	}
	return 0;
}

const char *
home_untrusted(int dir)
{
	struct stat st;

	if (dir_fstat(dir, &st) < 0)
		return "cannot be examined";
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return "belongs to another user: run as that user, or choose another --home";
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return "can be written by others: check what is in it, then chmod go-w";
	return 0;
}

static int
ends_in_ecc(void *ctx, int dir, const char *name)
{
	size_t n = strlen(name);

	(void)ctx;
	(void)dir;
	return n > 4 && strcmp(name + n - 4, "_ecc") == 0;
}

const char *
home_foreign(int dir)
{
	/* two names that stand together in no directory of ours; "*": ends_in_ecc */
	static const struct {
		const char *client, *a, *b;
	} layout[] = {
		{ "acme.sh", "account.conf", 0 },
		{ "acme.sh", "ca", "*" },
		{ "certbot", "renewal", 0 },
		{ "certbot", "archive", "live" },
		{ "dehydrated", "accounts", "chains" },
		{ "dehydrated", "accounts", "domains.txt" },
		{ "lego", "accounts", "certificates" },
		{ "uacme", "private", 0 },
	};
	const char *b;
	size_t i;

	for (i = 0; i < sizeof(layout) / sizeof(*layout); i++) {
		b = layout[i].b;
		if (dir_exists(dir, layout[i].a) && (!b || (*b == '*' ?
		    dir_each(dir, ends_in_ecc, 0) > 0 : dir_exists(dir, b))))
			return layout[i].client;
	}
	return 0;
}

/* For a call that succeeded without doing what it should. */
static int
ineffective(void)
{
	errno = ENOTSUP;
	return -1;
}

static int
probe_symlinks(int dir)
{
	char target[4];

	if (dir_symlink("1", dir, "a") < 0 || dir_symlink("2", dir, "b") < 0 ||
	    dir_rename(dir, "b", dir, "a") < 0 ||
	    dir_readlink(dir, "a", target, sizeof(target)) < 0)
		return -1;
	return strcmp(target, "2") == 0 ? 0 : ineffective();
}

static int
probe_modes(int dir)
{
	static const mode_t modes[] = { 0600, 0644 };
	int fd = dir_file(dir, "mode", O_RDWR | O_CREAT | O_EXCL), r = 0;
	struct stat st;
	size_t i;

	if (fd < 0)
		return -1;
	for (i = 0; r == 0 && i < 2; i++) {
		RETRY(r, fchmod(fd, modes[i]));
		if (r == 0)
			r = dir_fstat(fd, &st);
		if (r == 0 && (st.st_mode & 07777) != modes[i])
			r = ineffective();
	}
	dir_close(fd);
	return r;
}

/* A second descriptor must not get the lock. */
static int
probe_locks(int dir)
{
	int a = dir_file(dir, "lock", O_RDWR | O_CREAT | O_EXCL), b = -1, r = -1;

	if (a >= 0)
		RETRY(r, fchmod(a, 0600));
	if (r == 0)
		b = dir_file(dir, "lock", O_RDWR);
	if (b < 0)
		r = -1;
	else
		RETRY(r, flock(a, LOCK_EX | LOCK_NB));
	if (r == 0) {
		RETRY(r, flock(b, LOCK_EX | LOCK_NB));
		r = r == 0 ? ineffective() : errno == EWOULDBLOCK ? 0 : -1;
	}
	dir_close(a);
	dir_close(b);
	return r;
}

/* Whether an error says that something is not there, and not that it went wrong. */
static int
lacking(int error)
{
	return error == ENOSYS || error == ENOTSUP || error == EOPNOTSUPP ||
	    error == EPERM || error == EINVAL || error == ENOLCK;
}

int
home_probe(int at, const char **missing)
{
	static const struct {
		const char *what;
		int (*probe)(int dir);
	} probes[] = {
		{ "symbolic links", probe_symlinks },
		{ "file modes", probe_modes },
		{ "file locks (flock)", probe_locks },
	};
	int dir = -1, r = 0, saved;
	size_t i;

	*missing = 0;
	if (dir_clear(at, ".probe") < 0 || dir_make(at, ".probe") < 0 ||
	    (dir = dir_open(at, ".probe")) < 0)
		return -1;
	for (i = 0; r == 0 && i < sizeof(probes) / sizeof(*probes); i++) {
		r = probes[i].probe(dir);
		if (r < 0 && lacking(errno))
			*missing = probes[i].what;
	}
	saved = errno;
	dir_close(dir);
	if (dir_clear(at, ".probe") < 0 && r == 0)
		return -1;
	errno = saved;
	return r;
}
