/*
 * tls.h - TCP and TLS to a CA: addresses tried in turn (v6 and v4
 * interleaved), one deadline, an http proxy by CONNECT, TLS 1.2 by BearSSL
 * with the certificate checked (trust.h) before any byte of ours is sent; the
 * last session is resumed where the server has kept it too (not tickets).
 */
#ifndef TLS_H
#define TLS_H

#include "buf.h"

struct dns_address;
/* As resolve_host(). */
typedef int tls_resolve(struct dns_address *out, const char *host, unsigned port, int family,
    int64_t deadline, struct buf *why);

struct tls_config {
	const char *ca_file;	/* replaces all other anchors; 0: built-in, then system's bundle */
	const char *proxy;	/* [http://][user:pass@]host[:port], or 0; whether one applies is the caller's to know */
	int family;		/* 0, 4 or 6 */
	tls_resolve *resolve;	/* 0: resolve_host() */
};

struct tls;			/* one connection; memory for TLS_CONNECTIONS of them is static in tls.c */
enum { TLS_CONNECTIONS = 4 };

struct tls_error {
	int net;		/* 1: TCP, DNS, proxy or deadline; 0: TLS or certificate */
	int signal;		/* 1: a stop signal came */
	int clock;		/* 1: the certificate's dates fail since our clock is wrong */
	char text[256];		/* printable: "certificate is not for this name: ...", "Connection refused" */
};

/*
 * A connection to host:port, ready for data, or 0 and *e filled.  host: a DNS
 * name or an address without brackets.  deadline on the now_ms() scale; config
 * need not live on.
 */
struct tls *tls_connect(const struct tls_config *config, const char *host, const char *port,
    int64_t deadline, struct tls_error *e);

/*
 * As struct http_stream wants them (ctx: struct tls *).  read: bytes, 0 only at
 * close_notify, -2 if the peer broke off without one, -1 otherwise.  write:
 * all or -1, sent at the latest by flush.  Each until the deadline last set.
 * After an error the connection can only be closed.
 */
long tls_read(void *t, void *p, size_t n);
int tls_write(void *t, const void *p, size_t n);
int tls_flush(void *t);
void tls_deadline(struct tls *t, int64_t deadline);
const struct tls_error *tls_failure(const struct tls *t);	/* after -1 or -2 */
/* 1 if it goes on with the session of the connection to this host and port before it. */
int tls_resumed(const struct tls *t);
/* 1 if the peer has sent something or closed while nothing was expected. */
int tls_stale(struct tls *t);
/* The index of one of n from which something can be read, or that has ended; -1: none until the deadline, or a signal. */
int tls_await(struct tls *const *t, unsigned n, int64_t deadline);
void tls_close(struct tls *t);	/* t may be 0 */

#endif
