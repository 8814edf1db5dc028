/*
 * chain.h - what the CA sent as a certificate, checked against what was asked
 * for before any file changes, and brought into one form.
 */
#ifndef CHAIN_H
#define CHAIN_H

#include "buf.h"

struct conf;
struct pk;

struct chain {
	struct slice cert, chain, fullchain;	/* PEM, LF, nothing between the blocks; in the caller's memory */
	int64_t not_before, not_after;
	char serial[64];			/* hex, cut if longer */
	char ari[128];				/* its id for renewal information (RFC 9773 4.1), "" if it has none */
};

/*
 * Reads the PEM text: the first certificate has exactly the names of c, is no
 * CA, not expired, is for that public key; each further one issued the one
 * before; at most ten.  out: memory for chain->fullchain.  0, or -1 and a
 * static text in *why.
 */
int chain_check(struct chain *chain, struct slice pem, const struct conf *c,
    const struct pk *pk, struct buf *out, const char **why);

/*
 * How well a chain of certificates fits a name: 2 if its last certificate was
 * issued by an issuer of that common name (so a root), 1 if another was, else 0.
 * The issuers' common names that are not yet in `offered` are added to it,
 * quoted and printable; what does not fit is left out.
 */
enum { CHAIN_OTHER, CHAIN_ISSUER, CHAIN_ROOT };
int chain_rank(struct slice pem, const char *cn, struct buf *offered);

/* 1 if the first certificate of a PEM text is for that key, or has a name of c. */
int chain_is_for(struct slice pem, const struct pk *pk);
int chain_shares_name(struct slice pem, const struct conf *c);

/* Validity and serial of the first certificate of a PEM text, nothing else; 0 or -1. */
int chain_read(struct chain *chain, struct slice pem);

#endif
