/*
 * call.h - what goes over the channel between keeper and talker: down a
 * request, up messages until the one that says done, all of them structures of
 * fixed size with what their counts announce behind them.  For talker.c and
 * converse.c alone.
 */
#ifndef CALL_H
#define CALL_H

#include "buf.h"

enum { CALL_TEXT = 512 };

enum call {
	CALL_OPEN, CALL_TIMEOUT, CALL_REFRESH, CALL_RENEWAL_INFO, CALL_BINDING,
	CALL_NEW_ACCOUNT, CALL_ACCOUNT_POST, CALL_POST, CALL_REVOKE,
	CALL_NEW_ORDER, CALL_ORDER, CALL_AUTHORIZATIONS, CALL_ANSWER, CALL_WAIT,
	CALL_WAIT_AUTHORIZATION, CALL_FINALIZE, CALL_CERTIFICATE, CALLS
};

/* What of an order comes back: nothing, all of it, or what may have changed of one that was told. */
enum part { NOTHING, ALL, CHANGES };

/*
 * Down.  Behind that of CALL_OPEN: struct opening, and the directory if there is a
 * cached one; of CALL_RENEWAL_INFO: number struct acme_renewal, which come back, too.
 */
struct request {
	enum call call;
	enum part order;
	int kind;
	unsigned number;
	char url[LIMIT_URL], text[CALL_TEXT];
	int chosen[LIMIT_NAMES];
};
struct opening {
	char directory[LIMIT_URL], ca_file[LIMIT_PATH], proxy[LIMIT_URL], agent[64];
	int family, cached, single;
	unsigned timeout, rate, nonce_rate;
};

/* Up. */
enum what {
	SIGN,		/* number: kind; struct wish; a struct message and length bytes go down */
	TRACE, TICK,	/* number: level, seconds; length bytes of text */
	DIRECTORY,	/* struct acme_directory: it was fetched */
	SINGLE,		/* the CA does not bear several requests at a time */
	DONE		/* number: result; if that is -1, struct acme_problem; then what the call gives */
};
struct message {
	enum what what;
	int number;
	unsigned length;
};
struct wish {
	char url[LIMIT_URL], nonce[LIMIT_NONCE];
};
struct binding {
	char kid[CALL_TEXT], key[2 * CALL_TEXT];
};

#endif
