/*
 * account.h - the account at one CA: its key, registration, cached directory;
 * and signing for the talker by kind and URL, only what was built here.
 */
#ifndef ACCOUNT_H
#define ACCOUNT_H

#include "buf.h"

struct conf;
struct jws_key;
struct pk;
struct key;

/*
 * Opens a conversation with the CA at that directory URL.  Without a key
 * (ACCOUNT_NONE) only what another key signs can be sent; ACCOUNT_EXISTING
 * wants a registered account; ACCOUNT_CREATE makes key and registration where
 * there is none (under a lock, so that concurrent runs make one account).
 * An open conversation with the same account, for which it has the key if one
 * is wanted, goes on with a new allowance of time.  0, or a status, printed.
 */
enum account_mode { ACCOUNT_NONE, ACCOUNT_EXISTING, ACCOUNT_CREATE };
int account_open(const struct conf *c, const char *url, enum account_mode mode);
void account_close(void);		/* wipes the key */

const char *account_url(void);		/* the kid, "" if not registered */
const struct jws_key *account_jws(void);
int account_same_key(const struct pk *pk);	/* 1: that is the account's own key */

/*
 * What the next request of that enum acme_kind carries; the text must live
 * until it is sent, and is forgotten then.  A kind that has no payload is not
 * signed; fetching and answering a challenge need none.
 */
void account_payload(int kind, struct slice payload);
/* The next revocation is signed by this certificate's key; 0: by the account's. */
void account_sign_as(struct key *key);

/* Prints what acme_why() says, with what to do next where that is known; its status. */
int account_failed(void);

/*
 * `account register` and `account show`: registers (or finds) the account of
 * this key and prints its URL to out; prints what the CA says of it.
 */
int account_register(const struct conf *c, const char *url, struct buf *out);
int account_show(const struct conf *c, const char *url, struct buf *out);

#endif
