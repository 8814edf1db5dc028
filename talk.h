/*
 * talk.h - one request after the other to a CA: connection, nonces, signed
 * requests repeated where that is safe, and the judging of replies
 * (RFC 8555 6).  What the requests are about is acme.c's.
 */
#ifndef TALK_H
#define TALK_H

#include "buf.h"

struct acme_config;
struct acme_problem;
struct http_response;
struct json;

/* A new conversation, with an allowance of time; nothing is sent. */
void talk_open(const struct acme_config *config);
void talk_allow(unsigned seconds);
void talk_close(void);
void talk_nonce_url(const char *url);	/* newNonce; the text must live on */

/*
 * Everything that talks is bracketed by these two, so that only the time
 * spent in between uses up the allowance.  talk_leave returns result.
 */
void talk_enter(void);
int talk_leave(int result);
int64_t talk_deadline(void);

/* The problem of the last failure, for reading and for adding to. */
struct acme_problem *talk_why(void);
/* Fills it from a status and the strings up to a null pointer, made printable; -1. */
int talk_problem(int status, const char *text, ...);
/* Appends "type: detail" and subproblems of a problem document or an error member (RFC 9457). */
void talk_problem_text(struct buf *b, struct json v);

/*
 * A GET, or a signed POST of that enum acme_kind (6.2): 0 and a 2xx reply (for
 * GET also a 3xx with *redirect set), or -1 and the problem.
 */
int talk_get(const char *url, const char *what, int *redirect);
int talk_post(int kind, const char *url);
/*
 * An unsigned POST of a form, outside of ACME, whose reply is a secret: it is
 * sent once, and not traced.  0 with a reply of any status, or -1 and the problem.
 */
int talk_form(const char *url, struct slice form, const char *what);
const struct http_response *talk_reply(void);	/* the last one */
int64_t talk_retry_after(void);			/* its Retry-After in seconds from now, -1 none or junk */

/* Sleeps, not beyond the deadline: 0, or -1 and the problem.  tick: what the user is told. */
int talk_nap(int64_t ms);
void talk_tick(const char *what, unsigned seconds);

#endif
