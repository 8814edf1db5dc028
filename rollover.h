/*
 * rollover.h - `acme account rollover`: another key for the account
 * (RFC 8555 7.3.5).
 */
#ifndef ROLLOVER_H
#define ROLLOVER_H

struct conf;

/*
 * The account at that directory URL gets the key in c->key, or a new one of
 * the type wanted, by default the same as before.  0: the CA knows the account
 * by it, and it is in key.pem; else a status, printed, and the old key stays.
 */
int rollover(const struct conf *c, const char *url);

#endif
