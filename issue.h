/*
 * issue.h - one certificate from names to files: the order, the challenges,
 * finalize, check, commit, what is owed; `renew` over all; revocation.
 */
#ifndef ISSUE_H
#define ISSUE_H

#include "buf.h"

struct conf;

/* `issue`: c has the options and names of this run.  A status; the reason is printed. */
int issue(struct conf *c);
/* `renew`: names[0..count), or all certificates for 0.  The gravest status. */
int issue_renew(struct conf *c, const char *const *names, unsigned count);
/* `revoke`: a certificate's name, or a PEM file (with a '/' or that exists). */
int issue_revoke(struct conf *c, const char *what);

/* For those who work on one certificate: its lock, a descriptor, or -status, printed. */
int issue_lock(const char *name);
/*
 * Its conf with the options of this run above it, into c, valid until the
 * next call: 0, 1 there is none (c as given), or a status, printed.
 */
int issue_conf(const char *name, const struct conf *given, struct conf *c);

#endif
