/*
 * unconfined.c - the program as it is where the kernel has neither Landlock nor
 * seccomp, run by an ordinary user: for tools that want to open files from within
 * it, as valgrind does (tests/bench/cpu).  Nor are its processes killed before
 * they have had ten seconds to end by themselves, and such a tool to write.
 */
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "../../confine.h"

int __wrap_confine(const struct confine_user *u);
int __real_kill(pid_t pid, int sig);
int __wrap_kill(pid_t pid, int sig);

int
__wrap_confine(const struct confine_user *u)
{
	(void)u;
	return 0;
}

int
__wrap_kill(pid_t pid, int sig)
{
	const struct timespec moment = { 0, 10 * 1000 * 1000 };
	siginfo_t info = { 0 };
	int i;

	for (i = 0; sig == SIGKILL && pid > 0 && i < 1000; i++) {
		if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid)
			break;
		nanosleep(&moment, 0);
	}
	return __real_kill(pid, sig);
}
