/*
 * serve.h - answers validation requests from the entries of one directory:
 * http-01 (RFC 8555 8.3) and tls-alpn-01 (RFC 8737, 8738).  One process, no
 * waiting on any one peer, no memory but its own: at most 16 connections, 8
 * KiB of request, ten seconds each.
 */
#ifndef SERVE_H
#define SERVE_H

#include "buf.h"

enum { SERVE_ENTRY = 512 };	/* bytes of content of an entry */

/*
 * Whether a text may name an entry: a token is base64url; an identifier is a
 * host name in lower case or an address.  Either is a safe file name.
 */
int serve_is_token(struct slice s);
int serve_is_ident(struct slice s);

/*
 * The content of dir/path and a NUL; its length, or -1 if it is no regular
 * file (symlinks are none), is empty or too large.
 */
int serve_entry(int dir, const char *path, char text[SERVE_ENTRY + 1]);

/*
 * What the entry of a server name says in tls-alpn-01: the digest in base64url,
 * then, if the certificate is for an address, that in hex.  The number of
 * the address's bytes (0, 4, 16), or -1 if it says nothing like that.
 */
int serve_alpn_entry(struct slice text, unsigned char digest[32], unsigned char ip[16]);

/* Makes the key of the certificates; once, before serve_open with tls.  0 or -1. */
int serve_key(void);
/*
 * Listens on a port of an address (family AF_INET or AF_INET6, ip in network
 * order), or with family 0 on all addresses of both families, or of the one
 * that this machine has.  dir: where the entries are; tls: tls-alpn-01.
 * Descriptors stay open until serve_close.  0, or -1 with errno.
 */
int serve_open(int dir, int tls, int family, const unsigned char *ip, uint16_t port);
/* One turn: waits at most that long for something to do, and does it. */
void serve_turn(int milliseconds);
void serve_close(void);

#endif
