/*
 * dir.h - files relative to a directory descriptor.  Names are single
 * components.  No symlink is followed, no descriptor outlives exec, EINTR and
 * short writes are seen to, modes do not depend on the umask.  All functions
 * return -1 with errno unless said otherwise.
 */
#ifndef DIR_H
#define DIR_H

#include <sys/types.h>

#include <errno.h>

#include "buf.h"

struct stat;

/* Network and FUSE file systems may return EINTR from any call. */
#define RETRY(r, call) do (r) = (call); while ((r) < 0 && errno == EINTR)

enum { DIR_NAME = 255 };	/* bytes of one component, NUL not included */

int dir_open(int at, const char *name);		/* ELOOP if it is a symlink; "." is fine */
int dir_file(int at, const char *name, int flags);	/* openat, new files 0600 before the umask */
int dir_stat(int at, const char *name, struct stat *st);
int dir_fstat(int fd, struct stat *st);
int dir_exists(int at, const char *name);	/* 1 if anything stands there, a dangling link too */
void dir_close(int fd);		/* of what nothing was written to; keeps errno; -1 is fine */

/* EINVAL is success: some file systems cannot sync a directory. */
int dir_sync(int dir);

int dir_make(int at, const char *name);		/* 0700, synced; existing is success */
int dir_rename(int from, const char *old, int to, const char *new);
int dir_symlink(const char *target, int at, const char *name);
/* The target of a symlink and a NUL; EINVAL if it is none or the target has size bytes or more. */
int dir_readlink(int at, const char *name, char *out, size_t size);
int dir_unlink(int at, const char *name);	/* missing is success */
/* A file, or a directory with all that is in it; missing is success. */
int dir_clear(int at, const char *name);

/* Calls visit for each entry but "." and ".."; stops with its result if that is not 0. */
typedef int dir_visit(void *ctx, int dir, const char *name);
int dir_each(int dir, dir_visit *visit, void *ctx);

/*
 * Entries named by a number from 1 to DIR_NUMBER, with zeros up to width
 * digits.  dir_number: the number, 0 if the name is none as dir_number_name
 * writes it.  dir_numbered: the lowest max in v, ascending, and the highest.
 */
enum { DIR_NUMBER = 999999999 };
struct dir_numbers {
	int *v, max, width;
	int n, top;		/* out; top 0: there are none */
};
void dir_number_name(char out[16], int v, int width);
int dir_number(const char *name, int width);
int dir_numbered(int dir, struct dir_numbers *s);

/* Appends all of fd to b; EFBIG if it does not fit.  On error b is as before. */
int dir_read(int fd, struct buf *b);
/* A file that must not exist yet, of count pieces, with exactly that mode; the file is synced. */
int dir_create(int at, const char *name, mode_t mode, const struct slice *s, size_t count);
/*
 * Puts a file of mode 0600 in the place of name, atomically and synced.  Private
 * names ".NAME.0" and so on hold it until then; one that a killed run left is
 * taken over.  On error what stood there stands there still.
 */
int dir_replace(int at, const char *name, struct slice text);

/*
 * flock on the file name, made if missing, 0600, never removed.  Waits until
 * the deadline (now_ms() scale) or a stop signal.  A descriptor, or -1 with
 * EWOULDBLOCK (held by another), EINTR (signal) or what went wrong.
 */
int dir_lock(int at, const char *name, int64_t deadline);
/*
 * Gives it up and closes it.  A forked child shares the lock: it closes the
 * descriptor before anything else, or the lock outlives us if we are killed.
 */
void dir_unlock(int fd);

/*
 * What on the way to that absolute path, each symlink followed, belongs to
 * another user than root and us, or can be written by all and is not sticky: who
 * has that decides what the path means.  1 and its path in out, else 0.
 */
int dir_exposed(const char *path, char out[LIMIT_PATH]);

#endif
