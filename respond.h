/*
 * respond.h - the responder behind the built-in hooks standalone (http-01,
 * RFC 8555 8.3) and tls-alpn (tls-alpn-01, RFC 8737).
 *
 * One detached process for each kind and address serves every token (or name)
 * that it finds as a file in HOME/hookdata/respond/KIND-ADDR-PORT/.  The first
 * begin starts it and returns once it listens; the last done or failed ends
 * it; it is found by a lock, not by a pid, and shared by runs of several
 * certificates.  It gives up its privileges after bind and ends by itself
 * after an hour without a begin.  What it does is in serve.c.
 */
#ifndef RESPOND_H
#define RESPOND_H

#include "buf.h"

enum respond_kind { RESPOND_HTTP, RESPOND_ALPN };

/*
 * The built-in hook: argv is METHOD TYPE IDENT TOKEN AUTH, address "" or
 * "[ADDR:]PORT" (default 80 and 443, v6 and v4); home from $ACME_HOME, the
 * user to become from $ACME_USER (default nobody).  Exit status of the hook
 * contract: 0; 1 declined (another type); 126 failed, with a message printed.
 * Sets signals to their defaults.  A begin waits at most 30 seconds for another
 * run's tls-alpn-01 of the same name, a done two for the port to be free.
 */
int respond_hook(enum respond_kind kind, const char *address, int argc, char *const *argv);

#endif
