/*
 * ari.h - asking the CA when a certificate should be renewed (RFC 9773).
 */
#ifndef ARI_H
#define ARI_H

#include "buf.h"

struct conf;
struct renewal;

/*
 * Asks the CA that the certificate came from, by an unsigned GET: no account
 * is needed, and the conversation goes on with the next certificate of that
 * CA, until account_close().  What fails is told at -v only, and leaves the
 * plan as it is; a CA that does not answer is not asked again in this run.
 * c: the certificate's conf.  1 if st has news that the next run must know.
 */
int ari_ask(const struct conf *c, struct renewal *st);

#endif
