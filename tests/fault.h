/*
 * fault.h - makes system calls of the file under test fail, be cut short, or
 * be the last thing that the process does.  Included before that file.
 */
#ifndef FAULT_H
#define FAULT_H

#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum fault_kind {
	FAULT_NONE,
	FAULT_ERROR,	/* the at-th call fails with error */
	FAULT_KILL,	/* the process dies before the at-th call */
	FAULT_EINTR,	/* every call fails once with EINTR */
	FAULT_SHORT	/* writes and reads take one byte at a time */
};

static struct {
	enum fault_kind kind;
	int at, error, calls;
	const char *name;	/* of the call that failed */
	const char *log[4096];	/* names of all calls */
} fault;

static void
fault_set(enum fault_kind kind, int at, int error)
{
	fault.kind = kind;
	fault.at = at;
	fault.error = error;
	fault.calls = 0;
	fault.name = "";
}

static int
fault_hit(const char *name)
{
	if (fault.calls < 4096)
		fault.log[fault.calls] = name;
	fault.calls++;
	if (fault.kind == FAULT_EINTR && fault.calls % 2) {
		errno = EINTR;
		return 1;
	}
	if (fault.calls != fault.at)
		return 0;
	fault.name = name;
	if (fault.kind == FAULT_KILL)
		raise(SIGKILL);
	errno = fault.error;
	return fault.kind == FAULT_ERROR;
}

static size_t
fault_size(size_t n)
{
	return fault.kind == FAULT_SHORT && n > 1 ? 1 : n;
}

/* A descriptor is closed also when close() fails. */
static int
fault_close(int fd)
{
	int hit = fault_hit("close"), saved = errno;

	if (!hit)
		return close(fd);
	close(fd);
	errno = saved;
	return -1;
}

/* No power is cut here, and thousands of true ones would take minutes. */
static int
fault_fsync(int fd)
{
	return fault_hit("fsync") || fcntl(fd, F_GETFD) < 0 ? -1 : 0;
}

#define FAULT(name, call) (fault_hit(name) ? -1 : (call))
#define openat(at, name, flags, mode) FAULT("openat", openat(at, name, flags, mode))
#define fstat(fd, st) FAULT("fstat", fstat(fd, st))
#define fstatat(at, name, st, flags) FAULT("fstatat", fstatat(at, name, st, flags))
#define fchmod(fd, mode) FAULT("fchmod", fchmod(fd, mode))
#define fchmodat(at, name, mode, flags) FAULT("fchmodat", fchmodat(at, name, mode, flags))
#define mkdirat(at, name, mode) FAULT("mkdirat", mkdirat(at, name, mode))
#define renameat(a, old, b, new) FAULT("renameat", renameat(a, old, b, new))
#define symlinkat(target, at, name) FAULT("symlinkat", symlinkat(target, at, name))
#define readlinkat(at, name, p, n) FAULT("readlinkat", readlinkat(at, name, p, n))
#define unlinkat(at, name, flag) FAULT("unlinkat", unlinkat(at, name, flag))
#define flock(fd, how) FAULT("flock", flock(fd, how))
#define fsync(fd) fault_fsync(fd)
#define read(fd, p, n) FAULT("read", read(fd, p, fault_size(n)))
#define write(fd, p, n) FAULT("write", write(fd, p, fault_size(n)))
#define fdopendir(fd) (fault_hit("fdopendir") ? (DIR *)0 : fdopendir(fd))
#define readdir(d) (fault_hit("readdir") ? (struct dirent *)0 : readdir(d))
#define close(fd) fault_close(fd)

/* Runs f in a child with that fault; its wait status. */
static int
fault_child(enum fault_kind kind, int at, int error, int (*f)(void))
{
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		fault_set(kind, at, error);
		_exit(f());
	}
	waitpid(pid, &status, 0);
	return status;
}

/* A fresh directory in $TMPDIR, also the working directory; removed at exit. */
static char scratch[256];

static void
scratch_remove(void)
{
	char command[600];

	snprintf(command, sizeof(command), "chmod -R u+rwx '%s'; rm -rf '%s'", scratch, scratch);
	if (chdir("/") != 0 || system(command) != 0)
		perror(scratch);
}

static void
scratch_make(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(scratch, sizeof(scratch), "%s/acme-test-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(scratch) || chdir(scratch) != 0) {
		perror(scratch);
		exit(1);
	}
	atexit(scratch_remove);
}

#endif
