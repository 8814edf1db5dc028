/* confine.c: whom root becomes, and what is left to a process that is confined. */
#define _DEFAULT_SOURCE 1
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "../tap.h"
#include "../../confine.c"

static void
test_user(void)
{
	static const struct {
		const char *line, *name;
		int found;
	} cases[] = {
		{ "nobody:x:65534:65533:nobody:/:/bin/false", "nobody", 1 },
		{ "nobody:*:65534:65533", "nobody", 1 },
		{ "nobody::65534:65533:", "nobody", 1 },
		{ "nobody2:x:65534:65533::/:", "nobody", 0 },
		{ "nobod:x:65534:65533::/:", "nobody", 0 },
		{ "nobody:x:65534", "nobody", 0 },
		{ "nobody:x:-1:65533::/:", "nobody", 0 },
		{ "nobody:x:4294967295:1::/:", "nobody", 0 },
		{ "nobody:x:1:4294967296::/:", "nobody", 0 },
		{ "nobody:x:a:1::/:", "nobody", 0 },
		{ "nobody:x::1::/:", "nobody", 0 },
		{ "+::::::", "nobody", 0 },
		{ "", "nobody", 0 }
	};
	struct confine_user u = { 0, 1, 1 };
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t n = strlen(cases[i].line);
		char *copy = malloc(n + 1);	/* ends where its memory ends */
		struct slice s = { copy + 1, n };

		memcpy(copy + 1, cases[i].line, n);

		ok(user_line(s, cases[i].name, &u) == cases[i].found, "a user is found by its whole name");
		free(copy);
	}
	ok(u.uid == 65534 && u.gid == 65533, "with both ids");
	ok(confine_user(&u, "root") == 0 && u.uid == 0, "root is in the system's file");
	ok(confine_user(&u, "no such user") < 0, "and nobody of that name");
	ok(confine_user(&u, 0) == 0 && u.uid != 0 && strcmp(u.name, "nobody") == 0, "nobody is always there");
	ok(confine_user(&u, "") == 0 && u.uid != 0, "an empty name is nobody too");
}

#if defined(__linux__) && !defined(SANITIZED)

/* What is tried: 0 it worked, else errno. */
enum { OPEN, CREATE, EXEC, FORK, KILL, UNIX, INET, BIND, DEVICE, STAT, GIVE_BACK, ADVISE, TRIES };
static const char *const names[TRIES] = {
	"open a file", "make a file", "run a program", "fork", "send a signal", "a local socket",
	"a network socket", "listen", "open a device", "look at a file",
	"give back pages", "other advice"
};

static int
try(int what)
{
	static char page[4096] LARGE;
	struct sockaddr_in a;
	struct stat st;
	char *none[] = { 0 };
	int r = -1;

	memset(&a, 0, sizeof(a));
	a.sin_family = AF_INET;
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	switch (what) {
	case OPEN: r = open("/etc/passwd", O_RDONLY); break;
	case CREATE: r = open("/tmp/acme-confine-test", O_WRONLY | O_CREAT, 0600); break;
	case EXEC: r = execve("/bin/true", none, none); break;
	case FORK: r = fork(); if (r == 0) _exit(0); break;
	case KILL: r = kill(getppid(), 0); break;
	case UNIX: r = socket(AF_UNIX, SOCK_STREAM, 0); break;
	case INET: r = socket(AF_INET, SOCK_STREAM, 0); break;
	case BIND:
		r = socket(AF_INET, SOCK_STREAM, 0);
		r = bind(r, (struct sockaddr *)&a, sizeof(a));
		break;
	case DEVICE: r = open("/dev/null", O_RDWR); break;
	case STAT: r = stat("/etc/passwd", &st); break;
	case GIVE_BACK: r = madvise(page, sizeof(page), MADV_DONTNEED); break;
	case ADVISE: r = madvise(page, sizeof(page), MADV_RANDOM); break;
	}
	return r < 0 ? errno : 0;
}

/* Tries one thing in a child confined by those means: as try(), or -1 if they are not there. */
static int
try_confined(int (*means)(void), int what)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || !means())
			_exit(255);
		_exit(try(what));
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -2;
	return WEXITSTATUS(status) == 255 ? -1 : WEXITSTATUS(status);
}

static void
test_means(void)
{
	static const struct {
		const char *name;
		int (*means)(void);
		int refused[TRIES];
	} table[] = {
		{ "seccomp", seccomp, { EPERM, EPERM, EPERM, EPERM, EPERM, EPERM, 0, EPERM, EPERM, EPERM, 0, EPERM } },
		{ "Landlock", landlock, { EACCES, EACCES, EACCES, 0, EPERM, 0, 0, EACCES, EACCES, 0, 0, 0 } },
		{ "both", by_kernel, { EPERM, EPERM, EPERM, EPERM, EPERM, EPERM, 0, EPERM, EPERM, EPERM, 0, EPERM } },
	};
	char mem[128];
	struct buf b = BUF(mem);
	size_t i;
	int what, r;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		for (what = 0; what < TRIES; what++) {
			buf_clear(&b);
			buf_all(&b, table[i].name, ": ", names[what], (char *)0);
			r = try_confined(table[i].means, what);
			if (r == -1)
				buf_str(&b, " # SKIP not in this kernel");
			ok(r == -1 || r == table[i].refused[what], buf_text(&b));
		}
	}
}

/* For root: the whole of it. */
static void
test_all(void)
{
	struct confine_user u;
	pid_t pid;
	int status, have;

	confine_user(&u, 0);
	pid = fork();
	if (pid == 0) {
		have = confine(&u);
		_exit(have < 0 ? 255 : geteuid() == 0 ? 254 : try(OPEN) && try(FORK) ? have : 253);
	}
	ok(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) < 250, "all of it");
	ok(geteuid() != 0 || WEXITSTATUS(status) & CONFINE_USER, "root is another user then");
}

#else

static void
test_means(void)
{
	ok(1, "what a confined process may do # SKIP not in this build");
}

static void
test_all(void)
{
}

#endif

int
main(void)
{
	test_user();
	test_means();
	test_all();
	return tap_done();
}
