/*
 * nonce.h - the nonces at hand (RFC 8555 6.5): any number may be, each is
 * used once, the newest first; what is older than five minutes is dropped, as CAs
 * forget them.
 */
#ifndef NONCE_H
#define NONCE_H

#include "buf.h"

struct http_response;

enum { NONCES = 50 };

void nonce_clear(void);
unsigned nonce_count(void);
/* The newest, into out of LIMIT_NONCE bytes; there must be one. */
void nonce_take(char *out);
/* That of a reply, if there is one: 0, or -1 and the problem if it is not proper (6.5.1). */
int nonce_harvest(const struct http_response *res);

#endif
