/*
 * eab.h - external account binding (RFC 8555 7.3.4): whether this CA wants
 * one, where its key id and key come from, and the member of newAccount.
 */
#ifndef EAB_H
#define EAB_H

#include "buf.h"

struct conf;
struct jws_key;

/*
 * What a registration at that directory URL lacks, before anything is sent:
 * binding or mail address, by the table of CAs, or because the directory
 * says so (required).  0; ST_CONFIG or ST_USAGE, printed, naming it.
 */
int eab_lacking(const struct conf *c, const char *url, int required);

/*
 * Gets key id and key: from --eab-kid and --eab-key, else ACME_EAB_KID and
 * ACME_EAB_KEY, else from a CA that gives them for the mail address.  0,
 * EAB_NONE if none was given and none is needed, or a status, printed.
 */
enum { EAB_NONE = -1 };
int eab_get(const struct conf *c, const char *url);
/* Appends the JWS over the account's key, for the newAccount URL; 0 or -1. */
int eab_write(struct buf *b, const struct jws_key *account, const char *new_account);
void eab_wipe(void);

#endif
