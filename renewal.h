/*
 * renewal.h - what is known of a certificate between runs: the file
 * certs/NAME/renewal, key=value lines, one small file that tells `renew`
 * whether there is anything to do.
 */
#ifndef RENEWAL_H
#define RENEWAL_H

#include "buf.h"

struct conf;
struct x509;

struct renewal {
	int live;			/* generation that the file speaks of, 0 none */
	int64_t not_before, not_after;	/* of the live certificate, 0 if none; seconds since 1970 */
	char serial[64];		/* of it, hex */
	char ari[128];			/* its id for renewal information (RFC 9773 4.1), "" none */
	char server[LIMIT_URL];		/* the CA's directory URL that it came from, "" unknown */
	int64_t window_start, window_end;	/* the CA's suggestion (RFC 9773), 0 none */
	char explanation[LIMIT_URL];	/* the CA's, printable, "" none */
	int64_t chosen;			/* the moment in it, chosen once */
	int64_t ask;			/* renewal information is not asked for before; 0 free */
	int64_t next;			/* when it falls due without the CA's word; 0 now */
	int by_days;			/* next is the user's --days: the CA has no say */
	int pending;			/* an order is under way or was cut off */
	unsigned failures;		/* in a row */
	int64_t back_off;		/* not to be tried before by renew, 0 free */
	int64_t revoked;		/* when, 0 not: not renewed unless told */
	char error[512];		/* the last failure, "" none */
	char owed[8192];		/* lines "deploy PROG" and "reload CMD", to be run; last, since mostly not touched */
};

/* A missing or unreadable file gives an empty one, due now, with a warning if unreadable. */
void renewal_read(const char *name, struct renewal *r);
/* 0, or ST_STORE, printed. */
int renewal_write(const char *name, const struct renewal *r);

/* Counts a failure and sets back_off; retry_at: when the CA says to come back, 0 it does not. */
void renewal_failed(struct renewal *r, const char *error, int64_t retry_at);

/* What a commit owes: all deploy hooks of c, then its reload.  0, or ST_CONFIG, printed. */
int renewal_owe(struct renewal *r, const struct conf *c);
/*
 * Runs what is owed, in order; what succeeds is crossed off on disk at once.
 * event: "issued" or "renewed".  0, ST_DEPLOY, or ST_STORE, printed.
 */
int renewal_pay(const char *name, const struct conf *c, struct renewal *r, const char *event);

#endif
