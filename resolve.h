/*
 * resolve.h - names as this system sees them: /etc/hosts, localhost (RFC
 * 6761), and the resolvers, search list and options of /etc/resolv.conf (127.0.0.1
 * if there are none).
 */
#ifndef RESOLVE_H
#define RESOLVE_H

#include "buf.h"

struct dns_address;
struct dns_question;

enum { RESOLVE_MAX = 16 };

/*
 * The addresses of a host name (or address) with that port, v6 and v4 in turn,
 * at most RESOLVE_MAX into out.  family: 0, 4 or 6.  The number of them; or -1
 * with the reason in why, printable; -2: a stop signal came.
 */
int resolve_host(struct dns_address *out, const char *host, unsigned port, int family,
    int64_t deadline, struct buf *why);
/* Called by resolve_load(), unless it is 0: files have been read, and the network comes next. */
extern void (*resolve_loaded)(void);

/*
 * Reads the configuration, and makes q one for the system's resolvers: those
 * of that family, if there are any.  resolve_servers() appends who they are.
 */
void resolve_load(int family);
void resolve_ask(struct dns_question *q);
void resolve_servers(struct buf *b);

#endif
