/*
 * talk.h - requests to a CA (RFC 8555 6): signed, repeated where that is safe,
 * several at a time where they do not depend on each other, and their replies
 * judged.  What the requests are about is acme.c's and resource.c's.
 */
#ifndef TALK_H
#define TALK_H

#include "buf.h"

struct acme_config;
struct http_response;

/* A new conversation, with an allowance of time; nothing is sent. */
void talk_open(const struct acme_config *config);
void talk_allow(unsigned seconds);
void talk_close(void);
void talk_nonce_url(const char *url);	/* newNonce; the text must live on */
/* 1: the CA does not bear several requests at a time, as config said or was found out. */
int talk_single(void);

/*
 * Everything that talks is bracketed by these two, so that only the time
 * spent in between uses up the allowance.  talk_leave returns result.
 */
void talk_enter(void);
int talk_leave(int result);
int64_t talk_deadline(void);

/*
 * A GET, or a signed POST of that enum acme_kind (6.2): 0 and a 2xx reply (for
 * GET also a 3xx with *redirect set), or -1 and the problem.
 */
int talk_get(const char *url, const char *what, int *redirect);
int talk_post(int kind, const char *url);
/* The next one also gets nonces for that many requests that will follow, in the time that it takes itself. */
void talk_ahead(unsigned requests);
/*
 * An unsigned POST of a form, outside of ACME, whose reply is a secret: it is
 * sent once, and not traced.  0 with a reply of any status, or -1 and the problem.
 */
int talk_form(const char *url, struct slice form, const char *what);
const struct http_response *talk_reply(void);	/* the last one */
int64_t talk_took(void);			/* ms from its request to it */
int64_t talk_retry_after(void);			/* its Retry-After in seconds from now, -1 none or junk */

/*
 * Requests of one kind that do not depend on each other, in any order.  url: of
 * number i, 0: none is sent for it.  take: result is that of talk_get() or
 * talk_post(); its own is 0, or -1: the problem stands, and no others are sent.
 */
enum { TALK_GET = -1, TALK_BATCH = LIMIT_NAMES };
struct talk_batch {
	int kind;			/* enum acme_kind, or TALK_GET */
	const char *what;		/* for TALK_GET: in messages */
	unsigned count;			/* TALK_BATCH at most */
	const char *(*url)(void *ctx, unsigned i);
	int (*take)(void *ctx, unsigned i, int result);
	void *ctx;
};
/* 0 when all are done, or -1 and the first problem that stood. */
int talk_batch(const struct talk_batch *b);

/* Sleeps, not beyond the deadline: 0, or -1 and the problem.  tick: what the user is told. */
int talk_nap(int64_t ms);
void talk_tick(const char *what, unsigned seconds);
/* Tells of something that is of use in looking for a fault; up to a null pointer. */
void talk_note(const char *text, ...);

#endif
