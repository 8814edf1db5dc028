/*
 * measure.c - what a command costs, with all that it starts, for the bench:
 * measure [-t] [-l SECONDS] [-r ROOT] FILE COMMAND...  runs COMMAND in the root
 * folder ROOT, kills it after SECONDS, and writes lines "name value" to FILE: exit, wall_us,
 * cpu_us (user and system, of every process, orphans too).
 *
 * With -t each process is stopped when it forks, executes and exits (ptrace), and
 * every 20 ms they are looked at besides; then it writes processes (threads are none),
 * memory_kib: the most that the peaks (VmHWM) of the processes alive at one time add
 * up to; pss_kib: the same of what they had just then, each shared page counted by
 * its share (Pss).  Time is that of another run: stopping takes some.
 */
#define _GNU_SOURCE
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../check.h"

enum { ALIVE = 1024 };

static pid_t alive[ALIVE];
static long processes, memory, pss;
static volatile sig_atomic_t ticks;

static long long
usec(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static void
tick(int sig)
{
	(void)sig;
	ticks++;
}

/* The number behind a word at the start of a line of /proc/PID/NAME, -1 if there is none. */
static long
proc(pid_t pid, const char *name, const char *word)
{
	char mem[8192], path[64];
	const char *at;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, mem, sizeof(mem) - 1);
	close(fd);
	if (n <= 0)
		return -1;
	mem[n] = 0;
	at = strstr(mem, word);
	return at ? strtol(at + strlen(word), 0, 10) : -1;
}

static void
sample(void)
{
	long peaks = 0, shares = 0, n;
	int i;

	for (i = 0; i < ALIVE; i++) {
		if (!alive[i])
			continue;
		n = proc(alive[i], "status", "\nVmHWM:");
		peaks += n > 0 ? n : 0;
		n = proc(alive[i], "smaps_rollup", "\nPss:");
		shares += n > 0 ? n : 0;
	}
	memory = peaks > memory ? peaks : memory;
	pss = shares > pss ? shares : pss;
}

static int
find(pid_t pid)
{
	int i;

	for (i = 0; i < ALIVE && alive[i] != pid; i++)
		;
	return i;
}

/* A thread that stops for the first time, or a process. */
static void
came(pid_t pid)
{
	int i;

	if (find(pid) < ALIVE || proc(pid, "status", "\nTgid:") != pid)
		return;
	processes++;
	i = find(0);
	check(i < ALIVE, "processes");
	alive[i] = pid;
}

static void
gone(pid_t pid)
{
	int i = find(pid);

	if (i < ALIVE)
		alive[i] = 0;
}

static void
stopped(pid_t pid, int status)
{
	int event = status >> 16, sig = event ? 0 : WSTOPSIG(status);

	came(pid);
	if (event == PTRACE_EVENT_STOP && (WSTOPSIG(status) == SIGSTOP || WSTOPSIG(status) == SIGTSTP)) {
		ptrace(PTRACE_LISTEN, pid, 0, 0);
		return;
	}
	if (event && event != PTRACE_EVENT_CLONE)
		sample();
	ptrace(PTRACE_CONT, pid, 0, (long)sig);
}

/* All processes but this one: it is the first of a pid namespace, or their only reaper. */
static void
kill_all(pid_t first)
{
	int i;

	kill(-first, SIGKILL);
	for (i = 0; i < ALIVE; i++)
		if (alive[i])
			kill(alive[i], SIGKILL);
}

int
main(int argc, char **argv)
{
	const long options = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
	    PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL;
	const char *root = 0;
	struct sigaction act;
	struct itimerval timer;
	struct rusage use;
	long long began, ended = 0;
	long limit = 0;
	int opt, trace = 0, go[2], status, result = 125, over = 0;
	pid_t first, pid;
	FILE *out;
	char c;

	while ((opt = getopt(argc, argv, "+tl:r:")) != -1) {
		switch (opt) {
		case 't': trace = 1; break;
		case 'l': limit = strtol(optarg, 0, 10); break;
		case 'r': root = optarg; break;
		default: return 64;
		}
	}
	if (argc - optind < 2)
		return 64;
	out = fopen(argv[optind], "w");
	check(out != 0, argv[optind]);
	check(prctl(PR_SET_CHILD_SUBREAPER, 1L) == 0, "subreaper");
	check(pipe2(go, O_CLOEXEC) == 0, "pipe");
	first = fork();
	check(first >= 0, "fork");
	if (first == 0) {
		setpgid(0, 0);
		if ((root && (chroot(root) != 0 || chdir("/root") != 0)) || read(go[0], &c, 1) != 1)
			_exit(126);
		execvp(argv[optind + 1], argv + optind + 1);
		_exit(127);
	}
	if (trace)
		check(ptrace(PTRACE_SEIZE, first, 0, options) == 0, "ptrace");
	memset(&act, 0, sizeof(act));
	act.sa_handler = tick;
	sigaction(SIGALRM, &act, 0);
	memset(&timer, 0, sizeof(timer));
	timer.it_interval.tv_usec = timer.it_value.tv_usec = trace ? 20000 : 0;
	timer.it_interval.tv_sec = timer.it_value.tv_sec = trace ? 0 : 1;
	setitimer(ITIMER_REAL, &timer, 0);
	began = usec();
	check(write(go[1], "g", 1) == 1, "write");
	close(go[0]);
	close(go[1]);
	for (;;) {
		pid = waitpid(-1, &status, __WALL);
		if (pid < 0 && errno != EINTR)
			break;
		if (pid < 0 && trace)
			sample();
		if (limit && usec() - began > limit * 1000000) {
			over = 1;
			kill_all(first);
		}
		if (pid < 0)
			continue;
		if (WIFSTOPPED(status)) {
			stopped(pid, status);
			continue;
		}
		gone(pid);
		if (pid == first) {
			ended = usec();
			result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		}
	}
	getrusage(RUSAGE_CHILDREN, &use);
	fprintf(out, "exit %d\nover %d\nwall_us %lld\ncpu_us %lld\n", result, over, ended - began,
	    (use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000000LL + use.ru_utime.tv_usec + use.ru_stime.tv_usec);
	if (trace)
		fprintf(out, "processes %ld\nmemory_kib %ld\npss_kib %ld\n", processes, memory, pss);
	return fclose(out) == 0 ? 0 : 125;
}
