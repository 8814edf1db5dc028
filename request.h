/*
 * request.h - the certificate request (RFC 2986): one for a key of ours, or a
 * foreign one whose key is not here (--csr).
 */
#ifndef REQUEST_H
#define REQUEST_H

#include "buf.h"

struct conf;
struct key;
struct pk;

/* A foreign request in the file's own memory; the next call overwrites it. */
struct request {
	struct slice der;
	const struct pk *pk;			/* slices into der */
};

/* Appends a request for the names of c, by that key; 0 or -1. */
int request_write(struct buf *der, const struct conf *c, struct key *key);

/*
 * Takes c's names from the file that --csr names (PEM or DER); if c has names,
 * they are to be the same.  0, or ST_USAGE or ST_CONFIG, printed.
 */
int request_names(struct conf *c);

/*
 * The request of the certificate NAME, checked against the names of c: from
 * the file, or if that is gone from the copy in certs/NAME/request.pem.  For a
 * real order fresh is not 0: then the copy is written if it is another
 * request, and *fresh tells whether it was, so that no earlier order can be for
 * it; and a file that is gone is warned of.  0, or a status, printed.
 */
int request_open(const char *name, const struct conf *c, struct request *out, int *fresh);
/* The same for nothing but the checks; 0 also if c names no request. */
int request_check(const char *name, const struct conf *c);
/* 1 if the file is there, and for another key than the live certificate. */
int request_changed(const char *name, const struct conf *c);

#endif
