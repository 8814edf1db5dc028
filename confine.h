/*
 * confine.h - giving up rights: another user for root, and for a process that
 * speaks to the network everything but that: Landlock and a seccomp filter on
 * Linux, pledge and unveil on OpenBSD, each where the kernel has it.
 */
#ifndef CONFINE_H
#define CONFINE_H

#include "buf.h"

/* Whom root is to become. */
struct confine_user {
	const char *name;
	uint32_t uid, gid;
};
/*
 * A user's ids, from /etc/passwd; name 0 or "": nobody, who needs not be
 * there.  0, or -1: there is no such user.
 */
int confine_user(struct confine_user *u, const char *name);
/* Becomes that user for ever, if we are root: 0, or -1 and errno. */
int confine_become(const struct confine_user *u);

/*
 * The whole of it, for a process that needs no more than its descriptors, new
 * connections, clocks and random numbers: no file, program, process or signal
 * to others.  Of what the kernel lacks nothing is said; a set of bits tells
 * what there is.  -1 and errno: it could not become the user.
 */
enum { CONFINE_USER = 1, CONFINE_LANDLOCK = 2, CONFINE_SECCOMP = 4, CONFINE_PLEDGE = 8 };
int confine(const struct confine_user *u);

#endif
