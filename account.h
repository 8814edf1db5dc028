/*
 * account.h - the account at one CA: its key, its registration; and signing
 * for the talker by kind and URL, only what was built here.
 */
#ifndef ACCOUNT_H
#define ACCOUNT_H

#include "buf.h"

struct acme_account;
struct conf;
struct jws_key;
struct key;
struct pk;

/*
 * Opens a conversation with the CA at that directory URL.  Without a key
 * (ACCOUNT_NONE) only what another key signs can be sent; ACCOUNT_EXISTING
 * wants a registered account; ACCOUNT_CREATE makes key and registration where
 * there is none (under a lock, so that concurrent runs make one account);
 * ACCOUNT_ADOPT the same with the key in c->key, which the CA must know;
 * ACCOUNT_CHANGE is EXISTING, and keeps the account's lock until
 * account_close().  A key change that was cut off is settled first.
 * An open conversation with the same account, for which it has the key if one
 * is wanted, goes on with a new allowance of time.  0, or a status, printed.
 */
enum account_mode { ACCOUNT_NONE, ACCOUNT_EXISTING, ACCOUNT_CREATE, ACCOUNT_ADOPT, ACCOUNT_CHANGE };
int account_open(const struct conf *c, const char *url, enum account_mode mode);
/* 1 if account_open() would go on with the conversation that is open. */
int account_goes_on(const struct conf *c, const char *url, enum account_mode mode);
void account_close(void);		/* wipes the key */

const char *account_url(void);		/* the kid, "" if not registered */
const char *account_dir(void);		/* "accounts/..." */
const char *account_server(void);	/* the directory URL */
int account_key_type(void);		/* enum key_type */
const struct acme_account *account_state(void);
const struct jws_key *account_jws(void);
int account_same_key(const struct pk *pk);	/* 1: that is the account's own key */
/* k as a key that signs JWS; j and pk point into k. */
void account_bridge(struct jws_key *j, struct key *k, struct pk *pk);

/*
 * What the next request of that enum acme_kind carries; the text must live
 * until it is sent, and is forgotten then.  A kind that has no payload is not
 * signed; fetching and answering a challenge need none.
 */
void account_payload(int kind, struct slice payload);
/*
 * The next revocation or newAccount, the requests that name a key and not the
 * account, is signed by this key; 0: the account's.
 */
void account_sign_as(struct key *key);

/* Prints what acme_why() says, with what to do next where that is known; its status. */
int account_failed(void);

/*
 * With the conversation open.  account_register: makes or finds the account of
 * the key, also if it was registered before (the CA may have lost it).
 * account_find: asks the CA for it.  account_save: writes down what is known.
 * Each 0, or a status, printed.  account_post: an update or deactivation with
 * that payload; 0, or -1 and acme_why().
 */
int account_register(const struct conf *c, enum account_mode mode);
int account_find(void);
int account_save(void);
int account_post(int kind, struct slice payload);

/*
 * Key changes (7.3.5): the new key stands in key.pem.next before the CA hears
 * of it.  account_settle() asks the CA whose key is the account's, and puts that
 * in key.pem: the next one, the one before then being key.pem.old; or the old
 * one, the next one then being key.pem.unused.  0, or a status, printed, if
 * that could not be found out: both stay.
 */
enum account_settled {
	SETTLED_NOTHING,	/* there was no next key */
	SETTLED_NEW,
	SETTLED_OLD,
	SETTLED_TAKEN		/* old, since the next one is another account's */
};
int account_settle(enum account_settled *what);

#endif
