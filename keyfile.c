/*
 * keyfile.c - private keys in files.  Invariant: a key that cannot be read is
 * left as it is, and never taken for a missing one.
 */
#include <sys/stat.h>

#include <errno.h>

#include "conf.h"
#include "key.h"
#include "keyfile.h"
#include "store.h"
#include "util.h"

static char mem[LIMIT_PEM_KEY];

/* The key in the PEM text b, which is wiped; where it came from is in, slash, path. */
static int
parse(struct buf *b, struct key *k, const char *in, const char *slash, const char *path)
{
	const char *why;
	int r = key_read(k, buf_view(b), &why);

	wipe(mem, sizeof(mem));
	return r == 0 ? 0 : fail(ST_CONFIG, "key ", in, slash, path, ": ", why,
	    " - left as it is", (char *)0);
}

int
keyfile_read(const char *path, struct key *k)
{
	struct buf b = BUF(mem);

	if (store_read(path, &b) == 0)
		return parse(&b, k, store_home(), "/", path);
	return errno == ENOENT ? KEYFILE_NONE : store_unread(path);
}

int
keyfile_write(const char *path, const struct key *k)
{
	struct buf b = BUF(mem);
	int r;

	key_write(k, &b);
	r = b.err ? -1 : store_write(path, buf_view(&b));
	wipe(mem, sizeof(mem));
	return r < 0 ? store_failed("cannot write", path) : 0;
}

int
keyfile_foreign(const char *file, struct key *k)
{
	struct buf b = BUF(mem);
	struct stat st;

	if (conf_file(file, &b) == 0) {
		if (stat(file, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 077))
			warn("others can read ", file, ": run chmod 600 on it", (char *)0);
		return parse(&b, k, "", "", file);
	}
	wipe(mem, sizeof(mem));
	return fail(ST_CONFIG, "key ", file, ":", (char *)0);
}
