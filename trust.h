/*
 * trust.h - is this certificate chain good for that server, now?  X.509
 * validation (RFC 5280) by BearSSL's "minimal" engine, with what it lacks
 * around it: iPAddress names, and anchors picked for the chain at hand, so
 * that no table of a whole bundle has to be held in memory.
 *
 * Anchors: the certificates of ca_file and nothing else, if there is one; else
 * the built-in roots, and the system's bundle when none of those leads to the
 * chain.  One handshake at a time: all memory is static.
 */
#ifndef TRUST_H
#define TRUST_H

#include "buf.h"

/*
 * 0: path is a readable file of PEM certificates, none malformed.  -1: not; a
 * static text in *why, and errno, or 0 where the text says it all.
 */
int trust_check(const char *path, const char **why);

/*
 * Opens the file that anchors may have to come from (ca_file, else the system's
 * bundle) for as long as the process lives: a confined one cannot do it later.
 */
void trust_hold(const char *ca_file);

/*
 * Whose chain comes next.  host: a DNS name, or an address as text, which is
 * then looked for among the iPAddress names.  Both must live until the
 * handshake has ended.  ca_file may be 0.
 */
void trust_begin(const char *ca_file, const char *host);
/* 1: the host of trust_begin() is an address, and goes into no SNI. */
int trust_is_address(void);
/* The engine as br_ssl_engine_set_x509() wants it (const br_x509_class **). */
void *trust_engine(void);

/*
 * Appends why the chain was refused with that BearSSL error, with names and
 * dates.  1: the clock is to blame, 0: it is not, -1: not such an error.
 */
int trust_explain(int err, struct buf *text);

#endif
