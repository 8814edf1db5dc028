/*
 * acme.h - RFC 8555 as spoken on the wire: directory, nonces, signed requests,
 * accounts, orders, authorizations, challenges, finalize, download, problem
 * documents (RFC 9457).  The talker's half: it holds no key, opens no file,
 * prints nothing.  Payloads and signatures come from a callback of the keeper.
 *
 * The calls are few and coarse; all that is passed either way is plain data
 * of fixed size, so that they can cross a pipe.  Texts of an order lie in one
 * arena and are named by offset.
 */
#ifndef ACME_H
#define ACME_H

#include "buf.h"

/* What a request is for: the keeper signs by this and the URL. */
enum acme_kind {
	ACME_GET,		/* POST-as-GET */
	ACME_NEW_ACCOUNT, ACME_UPDATE_ACCOUNT, ACME_DEACTIVATE_ACCOUNT, ACME_KEY_CHANGE,
	ACME_NEW_ORDER, ACME_ANSWER, ACME_FINALIZE, ACME_REVOKE, ACME_DEACTIVATE_AUTHZ
};

/* Appends the whole JWS for one request to body; 0, or -1: refused. */
typedef int acme_sign(void *ctx, enum acme_kind kind, const char *url,
    const char *nonce, struct buf *body);
/* A warning (level 0), one line about one request (1), or a body with secrets left out (2). */
typedef void acme_trace(void *ctx, int level, const char *text);
/* Called before each sleep between polls: what is waited for, seconds so far. */
typedef void acme_tick(void *ctx, const char *what, unsigned seconds);

/* Why a call failed; every call that returns -1 has filled it. */
struct acme_problem {
	int status;		/* enum status of util.h: 1, 69, 75, 76, 78; the exit status */
	int http;		/* HTTP status, 0 if none came */
	char type[64];		/* "badCSR": the problem type without its URN, "" if none */
	char text[2048];	/* what was tried and what the server said, printable */
	char link[LIMIT_URL];	/* terms or instance URL to show, or "" */
	int64_t retry_at;	/* wall clock seconds when to come back, 0 unknown */
};

/* The directory (RFC 8555 7.1.1).  Cached by the keeper between runs. */
enum acme_endpoint { EP_NEW_NONCE, EP_NEW_ACCOUNT, EP_NEW_ORDER, EP_REVOKE, EP_KEY_CHANGE, EP_RENEWAL_INFO, EP_COUNT };
struct acme_directory {
	char url[EP_COUNT][LIMIT_URL];	/* "" if not offered */
	char terms[LIMIT_URL];
	char profiles[1024];		/* "name name ..." */
	char caa[512];			/* caaIdentities, space separated */
	int external_account_required;
};
extern const char *const acme_endpoint_name[EP_COUNT];	/* "newNonce", ... */

struct tls_config;
struct acme_config {
	const struct tls_config *tls;
	const char *agent;		/* User-Agent */
	unsigned timeout;		/* seconds for all dealings with the CA */
	unsigned rate, nonce_rate;	/* requests, and newNonces, in a second that the CA bears, 0 unlimited */
	int single;			/* 1: one request at a time, as it bears no more */
	acme_sign *sign;
	acme_trace *trace;
	acme_tick *tick;
	void *ctx;
};

struct acme_account {
	char url[LIMIT_URL];		/* the kid */
	char status[16];
	char contact[512];		/* "mailto:a@b mailto:..." */
	char orders[LIMIT_URL];
	int created;			/* 1: new (201) */
};

enum acme_status {	/* of orders, authorizations and challenges (7.1.6) */
	ACME_UNKNOWN, ACME_PENDING, ACME_PROCESSING, ACME_READY, ACME_VALID,
	ACME_INVALID, ACME_DEACTIVATED, ACME_EXPIRED, ACME_REVOKED
};
extern const char *const acme_status_name[];

enum acme_type { ACME_HTTP_01, ACME_DNS_01, ACME_TLS_ALPN_01, ACME_DNS_ACCOUNT_01, ACME_DNS_PERSIST_01, ACME_TYPES };
extern const char *const acme_type_name[ACME_TYPES];	/* "http-01", ... */

typedef uint32_t acme_text;	/* offset into the order's arena; 0 is "" */

struct acme_challenge {
	enum acme_type type;		/* unknown types are left out */
	enum acme_status status;
	acme_text url, token;		/* token: checked, [A-Za-z0-9_-]{1,128}, "" if there was none */
	acme_text error;		/* printable; "" none */
	/* dns-persist-01: its issuer domain names (host names, space separated), its URI "" if our own counts */
	acme_text issuers, account;
};
enum { ACME_CHALLENGES = 6 };
struct acme_authz {
	acme_text url;
	acme_text ident;		/* as the server gave it, printable */
	int ip, wildcard;
	enum acme_status status;
	unsigned count;
	struct acme_challenge challenge[ACME_CHALLENGES];
	acme_text error;
	/* by the keeper */
	int chosen;			/* challenge to answer, -1 none */
	int standing;			/* what it wants was there before us */
};
struct acme_order {
	char url[LIMIT_URL], finalize[LIMIT_URL], certificate[LIMIT_URL];
	enum acme_status status;
	acme_text error;
	unsigned idents;		/* identifiers, as the server gave them */
	acme_text ident[LIMIT_NAMES];
	unsigned count;			/* authorizations; only .url until acme_authorizations() */
	unsigned unwanted;		/* bits of enum acme_type: such challenges are kept without their texts */
	uint32_t used;
	struct acme_authz authz[LIMIT_NAMES];	/* what is not counted, and the arena, is never touched */
	char arena[128 * 1024];
};
void acme_order_clear(struct acme_order *o);
const char *acme_string(const struct acme_order *o, acme_text t);

/*
 * One conversation with one CA.  acme_open takes a cached directory or 0
 * (then fetches it); nothing is sent before it is needed.  All others return
 * 0, or -1 with *acme_why() filled.  A stop signal: -1, status ST_NET, and
 * stop_signal() tells.
 */
int acme_open(const struct acme_config *config, const char *directory, const struct acme_directory *cached);
void acme_timeout(unsigned seconds);	/* a new allowance for what follows */
void acme_close(void);
const struct acme_problem *acme_why(void);
/*
 * The directory in use, and whether it was fetched in this conversation (a
 * cached one whose newNonce, newAccount or newOrder answers 404 is fetched anew).
 */
const struct acme_directory *acme_directory(int *fetched);
int acme_refresh(void);			/* fetches it anew: what a cached one lacks may be there */

/*
 * Renewal information (RFC 9773 4) of certificates with these ids, by GETs, in
 * batches.  Each has a status then: ST_OK, or that of its problem, which is told at
 * level 1 (a window that ends before it begins, or one that cannot be read, is
 * ST_PROTO), and when the CA cannot be reached, ST_NET.  -1: this CA offers none.
 */
enum { ACME_RENEWALS = 32 };		/* at once */
struct acme_renewal {
	char id[128];
	int status;
	int64_t start, end, retry_after;	/* the last in seconds, -1 unknown */
	char explanation[LIMIT_URL];	/* to be shown, "" none; not made printable */
};
int acme_renewal_info(struct acme_renewal *list, unsigned count);

int acme_new_account(struct acme_account *out);			/* newAccount (7.3) */
int acme_account_post(enum acme_kind kind, const char *url, struct acme_account *out);	/* update, deactivate, POST-as-GET */
int acme_post(enum acme_kind kind, const char *url);		/* key change: only success matters */
int acme_revoke(void);						/* 7.6 */

int acme_new_order(struct acme_order *o, unsigned names);	/* 7.4, for so many names; o->url from Location */
int acme_order(struct acme_order *o);				/* one poll of o->url */
int acme_authorizations(struct acme_order *o);			/* fetches all (batch) */
int acme_answer(struct acme_order *o);				/* answers all that are chosen and not decided (batch) */
/*
 * Polls the order until it is ready (or already valid).  -1 with ST_REFUSED
 * if it becomes invalid or the chosen challenge of a stuck authorization does
 * (the problem names identifier and error); ST_LATER if time runs out.
 */
int acme_wait(struct acme_order *o);
int acme_wait_authorization(struct acme_order *o, unsigned i);	/* the same for one, polled itself */
int acme_finalize(struct acme_order *o);			/* 7.4; waits until valid */
/* The chain as PEM appended to pem (7.4.2), alternate i (0: the default); 1: there is no such alternate. */
int acme_certificate(struct acme_order *o, unsigned alternate, struct buf *pem);

/*
 * For resource.c only: a signed request to an endpoint, whose URL is left in url
 * (LIMIT_URL); a cached directory that proves stale is fetched anew.
 */
int acme_to_endpoint(enum acme_kind kind, enum acme_endpoint ep, char *url);

#endif
