/*
 * store.h - the state directory: modes and owners, atomic files, generations
 * with one symlink, the journal of hooks left standing, locks, trash.
 * Implemented in store.c (HOME, files, locks) and certs.c (certs/NAME).
 *
 * Paths given here are relative to HOME, '/'-separated, made by the caller of
 * checked names only.  No symlink is followed inside HOME except live.
 * Files are 0600 and directories 0700 unless said otherwise, whatever the umask.
 * Functions return 0, or -1 with errno: EPERM if a file or directory on the
 * way belongs to others or can be written by them, ELOOP if it is a symlink.
 * store_failed() makes the message of that.
 */
#ifndef STORE_H
#define STORE_H

#include "buf.h"

/*
 * Opens HOME.  create: makes it (and probes symlinks, modes, flock of the
 * file system when new); else a missing HOME is no error, and nothing is found
 * in it.  Refuses (ST_STORE) a HOME of another owner than root or us, one
 * that others may write, and another client's layout (naming `acme import`).
 */
int store_open(const char *home, int create);	/* a status, printed */
void store_close(void);				/* in a process that has no business there */
const char *store_home(void);			/* absolute */
/* Prints "DOING HOME/PATH: " and what errno means, with what to do; returns ST_STORE. */
int store_failed(const char *doing, const char *path);
/* The same of a file that could not be read: ST_CONFIG if no such file could be of ours, a directory or one too large. */
int store_unread(const char *path);
void store_path(struct buf *b, const char *path);	/* HOME/path */

/* A certificate's directory below HOME: "certs/NAME", "*." as "_."; -1 if name is no plain name. */
int store_cert_dir(char *out, size_t size, const char *name);
/* "certs/NAME" and file ("/conf") behind it: a static text until the next call, "" if name is no plain name. */
const char *store_cert_path(const char *name, const char *file);
/* "accounts/CA[,LABEL]" for a directory URL, escaped reversibly; -1 if too long or not https. */
int store_account_dir(char *out, size_t size, const char *url, const char *label);

/*
 * Whole files.  store_read appends to b, on error leaves it (ENOENT; EFBIG if
 * it does not fit; EISDIR, EINVAL if it is no file); it warns of a key or conf
 * that others can read.  store_write replaces atomically: private name, O_EXCL,
 * write, fsync, rename, fsync of the directory, which must be there.
 * store_remove: a missing file is success.  store_mkdir makes missing parents too.
 */
int store_read(const char *path, struct buf *b);
int store_write(const char *path, struct slice text);
int store_remove(const char *path);
int store_rename(const char *path, const char *base);	/* to another name in its directory; synced */
int store_mkdir(const char *path);
int store_exists(const char *path);
int store_remove_tree(const char *path);	/* a directory and all in it; missing is success */
/* A descriptor of a directory (make: as store_mkdir), or of that path's parent; the caller closes it. */
int store_dir(const char *path, int make);
int store_parent(const char *path, const char **base);

/*
 * key=value lines.  A line without '=' or that starts with '#' is skipped;
 * CR before LF and a BOM are dropped.
 */
int kv_next(struct slice *text, struct slice *key, struct slice *value);	/* 1 or 0 */
/* The last value of key in text; .p 0 if none. */
struct slice kv_get(struct slice text, const char *key);
/* Appends a line; a value with a CR, newline or NUL sets b->err. */
void kv_put(struct buf *b, const char *key, struct slice value);

/*
 * Names of all certificates ('_.' back to '*.'), sorted by bytes, each with its
 * NUL, appended to b.  EFBIG: they do not fit.
 */
int store_certs(struct buf *b);
/* The entries of a directory, likewise (none that begin with '.'); a missing one is empty. */
int store_entries(const char *path, struct buf *b);

/*
 * Locks: flock on HOME/locks/NAME, close-on-exec, never deleted; name is
 * escaped.  Waits until the deadline (now_ms() scale), or a stop signal.
 * A descriptor, or -1 with errno EWOULDBLOCK (held), EINTR (signal) or another.
 */
int store_lock(const char *name, int64_t deadline);
/* A forked child shares the lock until it closes the descriptor: it does that first. */
void store_unlock(int fd);

/*
 * Generations of a certificate; its lock is held by who writes.  store_live:
 * the number behind live, 0 if there is none, -1 (errno) if live is no symlink
 * to a number (EINVAL), dangles (ENOENT), or leads to no directory (ELOOP, ENOTDIR).
 */
int store_live(const char *name);
/*
 * The PEM files of one generation: 0644, but privkey and combined (fullchain and
 * key) 0600.  privkey.p 0: no key here (foreign request), and neither of these two.
 */
struct store_files {
	struct slice privkey, cert, chain, fullchain;
};
/*
 * Writes and syncs a fresh generation, *number: above all there, and whole as
 * soon as it bears the number; not live yet.
 */
int store_stage(const char *name, const struct store_files *f, int *number);
/* Makes it live: one rename of a symlink, synced. */
int store_commit(const char *name, int number);
/* Keeps live and the three highest others; keep(number) tells of each other one whether it must stay. */
int store_prune(const char *name, int (*keep)(void *ctx, int number), void *ctx);
/* "certs/NAME/7/cert.pem"; number 0: live; file "": the directory. */
int store_file(char *out, size_t size, const char *name, int number, const char *file);

/*
 * The journal of one certificate: pending/hooks/NNN, one entry for each begin
 * that may have to be undone.  add: *id of the new entry, on disk on return.
 */
int store_journal_add(const char *name, struct slice text, int *id);
int store_journal_drop(const char *name, int id);
int store_journal_read(const char *name, int id, struct buf *b);
/* Ids in ascending order, at most max: their count, or -1. */
int store_journal(const char *name, int *ids, int max);

/* Moves certs/NAME to trash/NAME.TIME, or deletes it; ENOENT if there is none. */
int store_trash(const char *name, int purge);
int store_discard(const char *path, int purge);	/* the same for any file or directory */

#endif
