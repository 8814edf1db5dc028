/*
 * keyfile.h - files with one private key: ours below HOME, and the user's
 * elsewhere.  What passes through memory on the way is wiped.
 */
#ifndef KEYFILE_H
#define KEYFILE_H

#include "buf.h"

struct key;

/* From a path in HOME; 0, KEYFILE_NONE, or ST_CONFIG with the reason printed. */
enum { KEYFILE_NONE = 1 };
int keyfile_read(const char *path, struct key *k);
/* To a path in HOME, whole and synced; 0, or ST_STORE, printed. */
int keyfile_write(const char *path, const struct key *k);
/* From a file of the user's: 0, or ST_CONFIG, printed. */
int keyfile_foreign(const char *file, struct key *k);

#endif
