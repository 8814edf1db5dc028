/*
 * unconfined.c - the program as it is where the kernel has neither Landlock nor
 * seccomp, run by an ordinary user: for tools that want to open files from within
 * it, as valgrind does (tests/bench/cpu).
 */
#include "../../confine.h"

int __wrap_confine(const struct confine_user *u);

int
__wrap_confine(const struct confine_user *u)
{
	(void)u;
	return 0;
}
