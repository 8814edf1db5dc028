/*
 * name.h - the names that a certificate can be for: host names, wildcards,
 * addresses; their rules and canonical spelling.
 */
#ifndef NAME_H
#define NAME_H

#include "buf.h"

/*
 * The canonical spelling in out: lower case, A-labels, no final dot; addresses
 * as RFC 5952 writes them, IPv6-mapped IPv4 as IPv4.  0, or what is wrong as a
 * static text.  name is UTF-8.
 */
const char *name_canonical(const char *name, char out[LIMIT_NAME + 1]);

/* 4 or 16 bytes of an address into out, and the number; 0 if name is none. */
int name_address(const char *name, unsigned char out[16]);
void name_address_text(struct buf *b, const unsigned char *address, size_t n);

int name_wildcard(const char *name);	/* 1 for "*.b" */
int name_covers(const char *wildcard, const char *name);	/* 1: "*.b" covers "a.b" */

#endif
