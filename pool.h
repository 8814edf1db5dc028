/*
 * pool.h - connections to a CA, and the requests that are under way on them:
 * on each one several may be sent before the first is answered (pipelining, RFC
 * 9112 9.3.2).  There is one connection; others are opened when many requests
 * are to come and the server takes its time for each, so that they pay.
 */
#ifndef POOL_H
#define POOL_H

#include "buf.h"

struct http_response;
struct http_url;
struct tls_config;

enum { POOL_REQUESTS = 50 };	/* under way at most */

/* Neither text is copied. */
void pool_open(const struct tls_config *tls, const char *agent);
void pool_close(void);

/* How many requests, those under way included, are still to be answered; 0: no further connections. */
void pool_expect(unsigned requests);
/*
 * Sends a request, at the latest when pool_next() is called; type: of the body,
 * 0 none.  tag: told with its reply.  1; 0: there is no room now; -1 and the
 * problem: there is no connection.
 */
int pool_send(const char *method, const struct http_url *url, const char *type, struct slice body,
    int tag, int64_t deadline);
unsigned pool_under_way(void);
/* 1 if pool_next() need not wait. */
int pool_ready(void);

/* What became of a request. */
struct pool_event {
	int tag;
	int64_t took;			/* ms since it was sent */
	int error;			/* enum http_error; HTTP_OK: the reply is there */
	int behind;			/* lost with the connection on which another had failed ... */
	int dropped;			/* ... or with a reply that closed it in an orderly way */
	unsigned answered;		/* requests on that connection */
	int signal;			/* 1: a stop signal came */
	char why[256];			/* of an error: printable */
};
/* The next event; there must be something under way.  The body's memory in res is the caller's. */
void pool_next(struct http_response *res, struct pool_event *e, int64_t deadline);

#endif
