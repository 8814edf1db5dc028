/*
 * split.h - the processes, and the channels between them: the keeper, which
 * is the program as it was started; a nursery, forked from it before any key
 * is read; and for each conversation with a CA a talker, for each wait for name
 * servers a probe, for each resolution of a name a resolver, all of them forked
 * from the nursery and confined.
 */
#ifndef SPLIT_H
#define SPLIT_H

#include "buf.h"

struct dns_address;

/*
 * In the keeper, before it opens the state directory or reads a key: makes the
 * nursery.  user: whom root's talkers become, 0 nobody.  forget() is run in the
 * nursery, to wipe what the command line and the environment told in confidence;
 * serve[] in each child, with its end of the channel: it does not return.  0,
 * or a status, printed.
 */
enum { SPLIT_TALKER, SPLIT_PROBE, SPLIT_KINDS };
typedef void split_serve(int channel);
int split_start(const char *user, void (*forget)(void), split_serve *const serve[SPLIT_KINDS]);
/* Ends the nursery and all that it has made; without one, nothing. */
void split_end(void);

/* A new one: the keeper's end of its channel, or -1 and errno.  There is one of a kind at a time. */
int split_child(int kind);
void split_shut(int channel);	/* nothing more is sent: the talker is to end by itself */
/* Closes the keeper's end, which may be -1, and kills it. */
void split_kill(int kind, int channel);

/*
 * Whole pieces of a channel, until that deadline (now_ms() scale).  0, or -1:
 * errno EPIPE the other end is gone, ETIMEDOUT, or EINTR a stop signal came.
 */
int split_send(int channel, const void *p, size_t n, int64_t deadline);
int split_receive(int channel, void *p, size_t n, int64_t deadline);

/* In a child: gives up all rights but those to speak; what confine() returned. */
int split_confine(void);
/* In a talker: as resolve_host(), by a resolver. */
int split_resolve(struct dns_address *out, const char *host, unsigned port, int family,
    int64_t deadline, struct buf *why);

/* For a report: what confine() comes to here, in a child that ends at once; -1 it failed. */
int split_probe(const char *user);

#endif
