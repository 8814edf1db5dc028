/*
 * challenge.h - the challenges of one order, from choice to clean-up, through
 * hook programs (design: uacme's five arguments, batched).  Each begin is in
 * the certificate's journal before it runs, and leaves it after its done or
 * failed: so one function cleans up after success, failure and a crash.
 */
#ifndef CHALLENGE_H
#define CHALLENGE_H

#include "buf.h"

struct conf;
struct acme_order;

/* Finds the hooks that c names, before any order is made; 0, or a status, printed. */
int challenge_check(const struct conf *c);

/*
 * Checks that the order's identifiers are those of c, in any order, and that
 * its authorizations are for none but those, none twice; 0, or ST_PROTO, printed.
 */
int challenge_identifiers(const struct conf *c, const struct acme_order *o);
int challenge_authorizations(const struct conf *c, const struct acme_order *o);

/* Bits of enum acme_type: the types that may be set up for c. */
unsigned challenge_types(const struct conf *c);

/*
 * Runs begin for the pending authorizations first..last-1 and sets their
 * .chosen.  remaining: authorizations that come after last.  With nothing
 * pending nothing runs.  0, or a status, printed.
 */
int challenge_begin(const char *name, const struct conf *c, struct acme_order *o,
    unsigned first, unsigned last);
/*
 * The wait before the CA is told of first..last-1: --wait and --ready-hook, or
 * without these for DNS records until all servers of their zones have them; 0,
 * or a status, printed.
 */
int challenge_ready(const char *name, const struct conf *c, const struct acme_order *o,
    unsigned first, unsigned last);
/*
 * Runs done (error 0) or failed for everything in the journal, in reverse
 * order, and empties it.  Failures of hooks are warnings.  0, or ST_STORE,
 * printed: what could not be read is still there, for another run.
 */
int challenge_end(const char *name, const struct conf *c, const char *error);

#endif
