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
 * going on with the order of a run that was cut off.  Of several servers the
 * one that the last certificate came from is first; c->server_at is the one
 * that was tried last.  On success the files
 * are live, st is on disk and tells what is owed.  0, or a status, printed.
 */
int obtain(const char *name, struct conf *c, struct renewal *st);

/*
 * The whole way with the CA's staging directory, ST_CONFIG if none is known; only the account there is
 * kept.  Hooks are journalled with the certificate, so that a crash of a dry
 * run is cleaned up as well.  known: the certificate has a conf or files.
 */
int obtain_dry_run(const char *name, struct conf *c, int known);

#endif
