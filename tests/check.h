/*
 * check.h - for programs that tests use: what they cannot do without ends
 * them, with a status that none of what they run has.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>

static void
check(int good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(125);
}

#endif
