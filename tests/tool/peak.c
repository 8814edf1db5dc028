/*
 * peak.c - the memory of a command and of all that it starts, for tests:
 * peak FILE COMMAND...  Stops each process of it when it forks, executes and exits
 * (ptrace), and then appends to FILE what those who are alive have used at
 * most so far: "N PID KIB NAME", N counting the stops; "fork PARENT PID" for each
 * that comes, and "hook PID" for one that becomes NAME hook.  Its exit status is
 * that of COMMAND.  Some kernels' own record (VmHWM) misses pages that are given
 * back soon, so it is looked at before and after each system call but those of hooks.
 */
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../check.h"

enum { ALIVE = 256 };

static pid_t alive[ALIVE];
static long most[ALIVE];		/* KiB */
static int hooks[ALIVE];
static FILE *out;

/* Puts a pid in the place of another; 0 is an empty one. */
static void
replace(pid_t old, pid_t new)
{
	int i;

	for (i = 0; i < ALIVE && alive[i] != old; i++)
		;
	if (i < ALIVE) {
		alive[i] = new;
		most[i] = 0;
		hooks[i] = 0;
	}
}

/* Reads a file of /proc/PID into mem and makes it text. */
static size_t
proc(pid_t pid, const char *name, char *mem, size_t size)
{
	FILE *f;
	size_t n = 0;

	snprintf(mem, size, "/proc/%ld/%s", (long)pid, name);
	f = fopen(mem, "r");
	if (f) {
		n = fread(mem, 1, size - 1, f);
		fclose(f);
	}
	mem[n] = 0;
	return n;
}

/* What it uses now and has used before; its name is put into name (32 bytes). */
static long
look(int i, char *name)
{
	static char mem[8192];
	const char *hwm;
	long now;

	*name = 0;
	if (!proc(alive[i], "status", mem, sizeof(mem)))
		return 0;
	hwm = strstr(mem, "\nVmHWM:");
	if (!hwm || sscanf(mem, "Name: %31s", name) != 1)
		return 0;
	now = strtol(hwm + 7, 0, 10);
	if (now > most[i])
		most[i] = now;
	return most[i];
}

/* Its place; ALIVE: none. */
static int
place(pid_t pid)
{
	int i;

	for (i = 0; i < ALIVE && alive[i] != pid; i++)
		;
	return i;
}

static void
look_at(pid_t pid)
{
	char name[32];
	int i = place(pid);

	if (i < ALIVE)
		look(i, name);
}

static void
sample(void)
{
	static long turn;
	char name[32];
	long kib;
	int i;

	turn++;
	for (i = 0; i < ALIVE; i++) {
		kib = alive[i] ? look(i, name) : 0;
		if (kib)
			fprintf(out, "%ld %ld %ld %s\n", turn, (long)alive[i], kib, name);
	}
}

static void
executed(pid_t pid)
{
	static char mem[8192];
	size_t n = proc(pid, "cmdline", mem, sizeof(mem)), first = strlen(mem) + 1;

	replace(pid, pid);
	if (first < n && strcmp(mem + first, "hook") == 0) {
		fprintf(out, "hook %ld\n", (long)pid);
		if (place(pid) < ALIVE)
			hooks[place(pid)] = 1;
	}
}

int
main(int argc, char **argv)
{
	const long options = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
	    PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD;
	unsigned long child;
	pid_t first, pid;
	int go[2], status, result = 125, event;
	char c;

	if (argc < 3)
		return 64;
	out = fopen(argv[1], "a");
	check(out != 0, argv[1]);
	check(pipe(go) == 0, "pipe");
	first = fork();
	check(first >= 0, "fork");
	if (first == 0) {
		fclose(out);
		close(go[1]);
		if (read(go[0], &c, 1) != 1)
			_exit(125);
		close(go[0]);
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	check(ptrace(PTRACE_SEIZE, first, 0, options) == 0, "ptrace");
	check(write(go[1], "g", 1) == 1, "write");
	close(go[0]);
	close(go[1]);
	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		if (!WIFSTOPPED(status)) {
			replace(pid, 0);
			if (pid == first)
				result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
			continue;
		}
		if (place(pid) == ALIVE)
			replace(0, pid);
		if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {	/* a system call */
			look_at(pid);
			ptrace(PTRACE_SYSCALL, pid, 0, 0L);
			continue;
		}
		event = status >> 16;
		if ((event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK) &&
		    ptrace(PTRACE_GETEVENTMSG, pid, 0, &child) == 0)
			fprintf(out, "fork %ld %lu\n", (long)pid, child);
		if (event == PTRACE_EVENT_EXEC)
			executed(pid);
		if (event)
			sample();
		ptrace(place(pid) < ALIVE && hooks[place(pid)] ? PTRACE_CONT : PTRACE_SYSCALL, pid, 0, event ? 0L : (long)WSTOPSIG(status));
	}
	return result;
}
