/*
 * persist.h - the TXT record behind dns-persist-01
 * (draft-ietf-acme-dns-persist): an issue-value (RFC 8659 4.2) that names a
 * CA and an account, and may stand for years.  Pure.
 */
#ifndef PERSIST_H
#define PERSIST_H

#include "buf.h"

enum {
	PERSIST_ISSUERS = 10,			/* issuer domain names in one challenge */
	LIMIT_PERSIST = LIMIT_NAME + LIMIT_URL + 64	/* one value, NUL included */
};

struct json;
/*
 * Reads a challenge object (json.h): its issuer domain names, space
 * separated, and its accounturi, "" if it has none and our own account counts.
 * -1: no issuer, more than ten, or a text that may not stand in a record.
 */
int persist_read(const struct json *challenge, char issuers[PERSIST_ISSUERS * (LIMIT_NAME + 1)],
    char account[LIMIT_URL]);
int persist_issuers(const char *text);	/* 1: issuer domain names, as persist_read() gives them */
int persist_account(const char *text);	/* 1: a URI that may stand in a value */

/* Appends the record's owner: "_validation-persist.NAME", a wildcard's without "*.". */
void persist_record(struct buf *b, const char *name);
/* Appends "ISSUER; accounturi=ACCOUNT[; policy=wildcard]"; both texts were checked. */
void persist_value(struct buf *b, const char *issuer, const char *account, int wildcard);

/*
 * 1 if a TXT value lets one of the issuers (space separated) issue to that
 * account at the time now, for wildcards too if that is wanted.  Malformed
 * values, expired ones and those of others are 0.
 */
int persist_match(struct slice value, const char *issuers, const char *account,
    int wildcard, int64_t now);

#endif
