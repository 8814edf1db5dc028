/*
 * show.h - what is told of certificates, on standard output: the list, one of
 * them in full, paths, a certificate file's fields, a PKCS#10 request, CAs.
 * Keys of JSON and of "key: value" lines stay: acme(1) documents them.
 * Functions that return a status have printed the reason.
 */
#ifndef SHOW_H
#define SHOW_H

#include "buf.h"

struct conf;

/* Whether there is a certificate of that name: 0, or ST_CONFIG naming those that there are. */
int show_known(const char *name);

int show_list(const struct conf *c);
int show_certificate(const struct conf *c, const char *name);
/* kind: "privkey", ..., or 0 for the directory. */
int show_path(const char *name, const char *kind);
/* The first certificate of a PEM or DER file; "-": standard input. */
int show_file(const struct conf *c, const char *file);
/* A request for the names and the key file of c; the key is made (0600) if missing. */
int show_csr(const struct conf *c);
int show_cas(const struct conf *c);

#endif
