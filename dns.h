/*
 * dns.h - a DNS client: questions, answers strictly read (RFC 1035, 3596,
 * 8659), many of them under way at once over UDP, what does not fit over TCP
 * (RFC 7766).  Names are text without a final dot, the root is "."; bytes of
 * a name that are not printable, dots and backslashes in labels are escaped as
 * in zone files (\DDD, \., \\).
 */
#ifndef DNS_H
#define DNS_H

#include "buf.h"

enum dns_type { DNS_A = 1, DNS_NS = 2, DNS_CNAME = 5, DNS_SOA = 6, DNS_TXT = 16, DNS_AAAA = 28, DNS_CAA = 257 };
enum {
	DNS_PORT = 53,
	DNS_NAME = 1024,		/* memory for any name as text */
	DNS_NXDOMAIN = 3		/* rcode: no such name */
};

/* An address of n bytes, 4 or 16; scope: the interface of a link-local one. */
struct dns_address {
	unsigned char ip[16], n;
	unsigned scope, port;
};
/* A socket that does not block, connected or (TCP) connecting: it, or -1 and errno. */
int dns_connect(const struct dns_address *a, int socket_type);
/* "192.0.2.1", "fe80::1%eth0": 0, or -1 if text is none; the port is left alone. */
int dns_address(struct dns_address *a, const char *text);
/* The address and, unless it is 53, the port: "192.0.2.1", "[::1]:5353". */
void dns_address_text(struct buf *b, const struct dns_address *a);

int dns_name(const char *name);		/* 0: can be asked for; -1: it cannot be written as labels */

/* What is asked, and whom; names and servers must last until it is done. */
struct dns_question {
	const char *name;
	enum dns_type type;
	int recurse;			/* RD: the server is a resolver */
	const struct dns_address *server;	/* tried in turn, again and again */
	unsigned servers;
	unsigned patience;		/* ms for all tries */
	unsigned tag;			/* the caller's own */
};

enum dns_outcome {
	DNS_ANSWER,			/* rcode 0 or DNS_NXDOMAIN; there may be no records */
	DNS_FAILED,			/* all servers answer with another rcode */
	DNS_SILENT			/* none did, within patience */
};
struct dns_answer {
	enum dns_outcome outcome;
	unsigned rcode;
	int authoritative;		/* AA */
	int error;			/* DNS_SILENT: errno of the last try, 0 if there is none */
	const unsigned char *p;		/* the message, checked from end to end */
	size_t n, start;
	unsigned count[3];		/* records: answer, authority, additional */
};
const char *dns_rcode(unsigned rcode);	/* "SERVFAIL", ... */

/* One record; zero before the first. */
struct dns_record {
	unsigned seen, section;		/* 0 answer, 1 authority, 2 additional */
	size_t next;
	unsigned type;			/* 0 if the class is not IN */
	size_t at, n;			/* its data in the message */
	char owner[DNS_NAME];
};
int dns_next(const struct dns_answer *a, struct dns_record *r);	/* 1, or 0: no more */
/*
 * The name in the data of an NS, CNAME or SOA (its first); the strings of a
 * TXT, joined; any of our types as a line for people, without line end.
 */
void dns_target(const struct dns_answer *a, const struct dns_record *r, char out[DNS_NAME]);
void dns_txt(struct buf *b, const struct dns_answer *a, const struct dns_record *r);
void dns_value(struct buf *b, const struct dns_answer *a, const struct dns_record *r);
/* The name that the CNAMEs of an answer lead to from name; name itself if there are none. */
void dns_final(const struct dns_answer *a, const char *name, char out[DNS_NAME]);

/* 1 if name is zone or below it. */
int dns_below(const char *name, const char *zone);

/*
 * Asks what next() hands out (1: q is filled; 0: nothing now, but it is called
 * again after each done()) and passes each answer to done(), until nothing is
 * under way, or until the deadline, which done() may move; at the deadline, what
 * is under way is done as DNS_SILENT.  No dns_run() within done().  0, or -1: a
 * stop signal came, and what was under way is dropped.
 */
struct dns_run {
	int64_t deadline;		/* now_ms() scale */
	int (*next)(void *ctx, struct dns_question *q);
	void (*done)(void *ctx, const struct dns_question *q, const struct dns_answer *a);
	void *ctx;
};
int dns_run(struct dns_run *run);

#endif
