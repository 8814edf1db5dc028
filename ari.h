/*
 * ari.h - asking the CA when certificates should be renewed (RFC 9773), by
 * unsigned GETs: no account is needed.  It is advice: what fails is told at -v only,
 * and leaves the plan as it is.
 */
#ifndef ARI_H
#define ARI_H

#include "buf.h"

struct acme_renewal;
struct conf;
struct renewal;

/*
 * Opens the conversation with that CA as c has it, until account_close(); one
 * that is open for the same goes on.  0, or -1; a CA that does not answer is not
 * asked again in this run.
 */
int ari_open(const struct conf *c, const char *server);
/* 1 if the conversation that is open is such a one. */
int ari_goes_on(const struct conf *c, const char *server);
/* Asks for the windows of the certificates with the ids in list, at once.  0, or -1: a stop signal. */
int ari_ask(struct acme_renewal *list, unsigned count);
/* What was said of one, for its plan; c: its conf.  1 if st has news that the next run must know. */
int ari_take(const struct conf *c, struct renewal *st, const struct acme_renewal *info);

#endif
