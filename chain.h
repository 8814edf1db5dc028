/*
 * chain.h - what the CA sent as a certificate, checked against what was asked
 * for before any file changes, and brought into one form.
 */
#ifndef CHAIN_H
#define CHAIN_H

#include "buf.h"

struct conf;
struct key;

struct chain {
	struct slice cert, chain, fullchain;	/* PEM, LF, nothing between the blocks; in the caller's memory */
	int64_t not_before, not_after;
	char serial[64];			/* hex, cut if longer */
	char ari[128];				/* its id for renewal information (RFC 9773 4.1), "" if it has none */
};

/*
 * Reads the PEM text: the first certificate has exactly the names of c, is no
 * CA, not expired, belongs to key (if not 0); each further one issued the
 * one before; at most ten.  out: memory for chain->fullchain.  0, or -1 and a
 * static text in *why.
 */
int chain_check(struct chain *chain, struct slice pem, const struct conf *c,
    const struct key *key, struct buf *out, const char **why);

/* Validity and serial of the first certificate of a PEM text, nothing else; 0 or -1. */
int chain_read(struct chain *chain, struct slice pem);

#endif
