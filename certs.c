/*
 * certs.c - certs/NAME in the state directory: generations, the journal,
 * trash.  Invariants, also after SIGKILL or a power cut anywhere:
 *
 * - A numbered generation is whole: it is written and synced as .stage, then
 *   renamed; and it is renamed to .old before it is taken apart.
 * - live changes by one rename of a symlink, after all behind it is synced.
 * - A journal entry is on disk before store_journal_add() returns.
 *
 * The caller holds the certificate's lock for all that writes.
 */
#include <errno.h>
#include <string.h>

#include "dir.h"
#include "store.h"
#include "util.h"

enum {
	KEEP = 3,		/* old generations */
	PRUNE = 64,		/* generations looked at in one go */
	JOURNAL_WIDTH = 3
};

/* "certs/NAME" and what follows; 0, or -1 with errno. */
static int
path_of(char *out, size_t size, const char *name, const char *below)
{
	struct buf b;

	if (store_cert_dir(out, size, name) < 0)
		return -1;
	buf_init(&b, out, size);
	b.len = strlen(out);
	buf_str(&b, below);
	if (*buf_text(&b))
		return 0;
	errno = ENAMETOOLONG;
	return -1;
}

const char *
store_cert_path(const char *name, const char *file)
{
	static char path[LIMIT_PATH];

	return path_of(path, sizeof(path), name, file) < 0 ? "" : path;
}

static int
cert_dir(const char *name, const char *below, int make)
{
	char path[LIMIT_PATH];

	return path_of(path, sizeof(path), name, below) < 0 ? -1 : store_dir(path, make);
}

/* Generations */

int
store_live(const char *name)
{
	int dir = cert_dir(name, "", 0), fd, r, number = 0;
	char target[16];

	if (dir < 0)
		return errno == ENOENT ? 0 : -1;
	r = dir_readlink(dir, "live", target, sizeof(target));
	dir_close(dir);
	if (r == 0)
		number = dir_number(target, 1);
	if (r < 0 && errno == ENOENT)
		return 0;
	if (r < 0)
		return -1;
	/* as everybody comes to it; the errors are those of store_dir() */
	fd = cert_dir(name, "/live", 0);
	dir_close(fd);
	return fd < 0 ? -1 : number;
}

static int
write_generation(int dir, const struct store_files *f)
{
	struct slice combined[3];
	size_t n = f->fullchain.n;

	combined[0] = f->fullchain;
	combined[1].p = "\n";
	combined[1].n = n && f->fullchain.p[n - 1] != '\n';
	combined[2] = f->privkey;
	if (f->privkey.p &&
	    (dir_create(dir, "privkey.pem", 0600, &f->privkey, 1) < 0 ||
	     dir_create(dir, "combined.pem", 0600, combined, 3) < 0))
		return -1;
	if (dir_create(dir, "cert.pem", 0644, &f->cert, 1) < 0 ||
	    dir_create(dir, "chain.pem", 0644, &f->chain, 1) < 0 ||
	    dir_create(dir, "fullchain.pem", 0644, &f->fullchain, 1) < 0)
		return -1;
	return dir_sync(dir);
}

static int
stage(int dir, const struct store_files *f, int number)
{
	char text[16];
	int fd, r;

	if (dir_clear(dir, ".stage") < 0 || dir_make(dir, ".stage") < 0)
		return -1;
	fd = dir_open(dir, ".stage");
	if (fd < 0)
		return -1;
	r = write_generation(fd, f);
	dir_close(fd);
	if (r < 0)
		return -1;
	dir_number_name(text, number, 1);
	return dir_rename(dir, ".stage", dir, text) < 0 ? -1 : dir_sync(dir);
}

int
store_stage(const char *name, const struct store_files *f, int *number)
{
	struct dir_numbers all = { 0, 0, 1, 0, 0 };
	int dir = cert_dir(name, "", 1), r, saved;

	*number = 0;
	if (dir < 0)
		return -1;
	r = dir_numbered(dir, &all);
	if (r == 0 && all.top == DIR_NUMBER) {
		errno = EOVERFLOW;
		r = -1;
	}
	if (r == 0)
		r = stage(dir, f, all.top + 1);
	if (r == 0)
		*number = all.top + 1;
	saved = errno;
	if (r < 0)
		dir_clear(dir, ".stage");
	dir_close(dir);
	errno = saved;
	return r;
}

static int
commit(int dir, const char *target)
{
	int fd = dir_open(dir, target);

	dir_close(fd);
	/* a symlink cannot be synced, its directory can */
	if (fd < 0 || dir_unlink(dir, ".live") < 0 ||
	    dir_symlink(target, dir, ".live") < 0 || dir_sync(dir) < 0 ||
	    dir_rename(dir, ".live", dir, "live") < 0)
		return -1;
	return dir_sync(dir);
}

int
store_commit(const char *name, int number)
{
	char text[16];
	int dir = cert_dir(name, "", 0), r, saved;

	if (dir < 0)
		return -1;
	dir_number_name(text, number, 1);
	r = commit(dir, text);
	saved = errno;
	if (r < 0)
		dir_unlink(dir, ".live");
	dir_close(dir);
	errno = saved;
	return r;
}

/* Out of sight by one rename first, so that a number never names a ruin. */
static int
drop(int dir, int number)
{
	char text[16];

	dir_number_name(text, number, 1);
	if (dir_rename(dir, text, dir, ".old") < 0 || dir_clear(dir, ".old") < 0)
		return -1;
	return dir_sync(dir);
}

int
store_prune(const char *name, int (*keep)(void *ctx, int number), void *ctx)
{
	int v[PRUNE], live = store_live(name), dir, i, r, old = 0;
	struct dir_numbers all = { v, PRUNE, 1, 0, 0 };

	if (live < 0)
		return -1;
	dir = cert_dir(name, "", 0);
	if (dir < 0)
		return errno == ENOENT ? 0 : -1;
	r = dir_clear(dir, ".stage") < 0 || dir_clear(dir, ".old") < 0 ||
	    dir_unlink(dir, ".live") < 0 ? -1 : dir_numbered(dir, &all);
	for (i = 0; i < all.n; i++)
		old += v[i] != live;
	for (i = 0; r == 0 && old > KEEP; i++)
		if (v[i] != live && old-- && !(keep && keep(ctx, v[i])))
			r = drop(dir, v[i]);
	dir_close(dir);
	return r;
}

int
store_file(char *out, size_t size, const char *name, int number, const char *file)
{
	char below[DIR_NAME + 32];
	struct buf b = BUF(below);

	buf_char(&b, '/');
	if (number)
		buf_int(&b, number);
	else
		buf_str(&b, "live");
	if (*file)
		buf_all(&b, "/", file, (char *)0);
	return path_of(out, size, name, buf_text(&b));
}

/* The journal */

static int
journal_path(char *out, size_t size, const char *name, int id)
{
	char below[64], text[16];
	struct buf b = BUF(below);

	dir_number_name(text, id, JOURNAL_WIDTH);
	buf_all(&b, "/pending/hooks/", text, (char *)0);
	return path_of(out, size, name, buf_text(&b));
}

int
store_journal_add(const char *name, struct slice text, int *id)
{
	struct dir_numbers all = { 0, 0, JOURNAL_WIDTH, 0, 0 };
	int dir = cert_dir(name, "/pending/hooks", 1), r;
	char file[16];

	*id = 0;
	if (dir < 0)
		return -1;
	r = dir_numbered(dir, &all);
	if (r == 0) {
		dir_number_name(file, all.top + 1, JOURNAL_WIDTH);
		r = dir_replace(dir, file, text);
	}
	if (r == 0)
		*id = all.top + 1;
	dir_close(dir);
	return r;
}

int
store_journal_drop(const char *name, int id)
{
	char path[LIMIT_PATH];

	return journal_path(path, sizeof(path), name, id) < 0 ? -1 : store_remove(path);
}

int
store_journal_read(const char *name, int id, struct buf *b)
{
	char path[LIMIT_PATH];

	return journal_path(path, sizeof(path), name, id) < 0 ? -1 : store_read(path, b);
}

int
store_journal(const char *name, int *ids, int max)
{
	struct dir_numbers all = { ids, max, JOURNAL_WIDTH, 0, 0 };
	int dir = cert_dir(name, "/pending/hooks", 0), r;

	if (dir < 0)
		return errno == ENOENT ? 0 : -1;
	r = dir_numbered(dir, &all);
	dir_close(dir);
	return r < 0 ? -1 : all.n;
}

/* Trash */

/* "20261123T151027Z" */
static void
compact_time(struct buf *b)
{
	char mem[32];
	struct buf t = BUF(mem);
	size_t i;

	buf_time(&t, now_wall());
	for (i = 0; i < t.len; i++)
		if (mem[i] != '-' && mem[i] != ':')
			buf_char(b, mem[i]);
}

/* "NAME.TIME", or "NAME.TIME.2" and so on: free in that directory. */
static int
trash_name(int trash, const char *base, char out[DIR_NAME + 1])
{
	struct slice head = slice(base);
	struct buf b;
	int i;

	if (head.n > 220)
		head.n = 220;	/* leaves room for the rest */
	for (i = 1; i < 1000; i++) {
		buf_init(&b, out, DIR_NAME + 1);
		buf_slice(&b, head);
		buf_char(&b, '.');
		compact_time(&b);
		if (i > 1) {
			buf_char(&b, '.');
			buf_int(&b, i);
		}
		if (!dir_exists(trash, buf_text(&b)))
			return 0;
	}
	errno = EEXIST;
	return -1;
}

/* What is to be deleted goes through .purge, where the next run finds its rest. */
static int
move(int from, const char *base, int trash, int purge)
{
	char name[DIR_NAME + 1] = ".purge";

	if (dir_clear(trash, ".purge") < 0 ||
	    (!purge && trash_name(trash, base, name) < 0) ||
	    dir_rename(from, base, trash, name) < 0 ||
	    dir_sync(trash) < 0 || dir_sync(from) < 0)
		return -1;
	return !purge ? 0 : dir_clear(trash, name) < 0 ? -1 : dir_sync(trash);
}

int
store_discard(const char *path, int purge)
{
	const char *base;
	int parent = store_parent(path, &base), trash, r;

	if (parent < 0)
		return -1;
	trash = store_dir("trash", 1);
	r = trash < 0 ? -1 : move(parent, base, trash, purge);
	dir_close(trash);
	dir_close(parent);
	return r;
}

int
store_trash(const char *name, int purge)
{
	char path[LIMIT_PATH];

	return store_cert_dir(path, sizeof(path), name) < 0 ? -1 : store_discard(path, purge);
}
