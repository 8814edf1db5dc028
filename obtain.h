/*
 * obtain.h - one certificate from the account to live files: key, order,
 * authorizations, finalize, download, check, commit.
 */
#ifndef OBTAIN_H
#define OBTAIN_H

#include "buf.h"

struct conf;
struct renewal;

/*
 * Obtains the certificate NAME, whose lock is held and whose conf is on disk,
 * going on with the order of a run that was cut off.  On success the files
 * are live, st is on disk and tells what is owed.  0, or a status, printed.
 */
int obtain(const char *name, const struct conf *c, struct renewal *st);

/*
 * The whole way with the CA's staging directory; only the account there is
 * kept.  Hooks are journalled with the certificate, so that a crash of a dry
 * run is cleaned up as well.  known: the certificate has a conf or files.
 */
int obtain_dry_run(const char *name, const struct conf *c, int known);

#endif
