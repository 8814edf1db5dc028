/*
 * hook.c - running programs: finding them, what they get, how long they may
 * take.  A program is started by fork and execve in its own process group,
 * with descriptors 0-2 and nothing else, default signals, the umask that we
 * were started with, and an environment with none of our variables but those
 * listed; and it is reaped whatever becomes of it.  A process that it leaves
 * behind is its own affair: nothing here waits for the end of its output.
 * The built-in hook webroot is here too.
 */
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "dir.h"
#include "hook.h"
#include "util.h"

#ifndef HOOKDIR
#define HOOKDIR "/usr/local/share/acme/hooks"
#endif

enum {
	ARGUMENTS = 16,		/* of one program, its own name included */
	ENVIRONMENT = 1024,	/* variables */
	GRACE = 2000		/* ms between TERM and KILL */
};

extern char **environ;

static char self[LIMIT_PATH];	/* our own binary */
static mode_t their_umask = 022;
static int exec_error, killed_by;	/* of the last run, for hook_result() */

/* Finding */

/* Appends the working directory and '/' unless name is absolute, then name; 0 or -1. */
static int
absolute(char out[LIMIT_PATH], const char *name)
{
	struct buf b;

	buf_init(&b, out, LIMIT_PATH);
	if (*name != '/') {
		if (!getcwd(out, LIMIT_PATH))
			return -1;
		b.len = strlen(out);
		buf_char(&b, '/');
	}
	buf_str(&b, name);
	return *buf_text(&b) ? 0 : -1;
}

/* What is wrong with owner or mode, or 0. */
static const char *
loose(const struct stat *st)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return "belongs to another user: check it, then chown it";
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return "can be written by others: check it, then chmod go-w it";
	return 0;
}

/* What is wrong with the first line of a script, or 0; a program need not be readable. */
static const char *
interpreter(const char *path)
{
	char line[256];			/* as Linux reads of it */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	const char *name = line + 2;
	ssize_t n;
	int r;

	if (fd < 0)
		return 0;
	n = read(fd, line, sizeof(line) - 1);
	close(fd);
	if (n < 2 || line[0] != '#' || line[1] != '!')
		return 0;
	line[n] = 0;
	name += strspn(name, " \t");
	line[name - line + (ssize_t)strcspn(name, " \t\n")] = 0;
	RETRY(r, access(name, X_OK));
	return r == 0 ? 0 :
	    "its first line names a program that is not there (or ends in CR)";
}

/* What keeps the program at path from being used, or 0; ENOENT: it is not there. */
static const char *
unusable(const char *path, int strict)
{
	char where[LIMIT_PATH];
	struct stat st;
	const char *why;
	int r;

	RETRY(r, stat(path, &st));
	if (r < 0)
		return errno == ENOENT || errno == ENOTDIR ? "not found" : "cannot be examined";
	errno = 0;
	if (!S_ISREG(st.st_mode))
		return "no regular file";
	RETRY(r, access(path, X_OK));
	if (r < 0)
		return "not executable: chmod +x it";
	why = strict ? loose(&st) : 0;
	if (!why && strict && dir_exposed(path, where))
		why = "in a directory that belongs to another user, or that all can write";
	if (!why)
		why = interpreter(path);
	errno = 0;
	return why;
}

/* A bare name, with ":ADDRESS" where the responder is behind it. */
static int
is_builtin(const char *name)
{
	static const char *const names[] = { "webroot", "standalone", "tls-alpn" };
	struct slice head = slice(name);
	const char *colon = strchr(name, ':');
	size_t i;

	if (colon)
		head.n = (size_t)(colon - name);
	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (slice_is(head, names[i]))
			return i > 0 || !colon;
	return 0;
}

/* Looks for name in the directory: 1 found, 0 not there, -1 there and of no use. */
static int
look_in(struct hook *h, const char *dir, const char *below, const char *name,
    int strict, const char **why)
{
	struct buf b = BUF(h->path);
	struct stat st;
	int r;

	buf_all(&b, dir, below, (char *)0);
	if (!*dir || !*buf_text(&b))
		return 0;
	RETRY(r, stat(h->path, &st));
	if (r < 0)
		return 0;
	if (strict && loose(&st)) {
		*why = "the directory that it is in belongs to others or can be"
		    " written by them: check it, then chown and chmod go-w it";
		return -1;
	}
	buf_all(&b, "/", name, (char *)0);
	*why = *buf_text(&b) ? unusable(h->path, strict) : "the path is too long";
	return !*why ? 1 : errno == ENOENT || errno == ENOTDIR ? 0 : -1;
}

int
hook_find(struct hook *h, const char *name, const char *home, const char **why)
{
	int root = geteuid() == 0, r;

	h->builtin = 0;
	*why = 0;
	if (strchr(name, '/')) {
		*why = absolute(h->path, name) < 0 ? "the path is too long" :
		    unusable(h->path, root);
		return *why ? -1 : 0;
	}
	*why = "the name is empty";
	if (!*name)
		return -1;
	r = look_in(h, home, "/hooks", name, 1, why);
	if (r == 0)
		r = look_in(h, HOOKDIR, "", name, root, why);
	if (r == 0 && is_builtin(name) && slice_copy(slice(name), h->path, LIMIT_PATH) == 0)
		r = h->builtin = 1;
	if (r == 0)
		*why = "neither in the state directory's hooks, nor in " HOOKDIR
		    ", nor built in";
	if (r > 0)
		*why = 0;
	return r > 0 ? 0 : -1;
}

/* Environment */

void
hook_env_init(struct hook_env *e, void *mem, size_t cap)
{
	buf_init(&e->text, mem, cap);
	e->n = 0;
	e->err = 0;
}

static void
env_add(struct hook_env *e, const char *a, const char *b, const char *c)
{
	size_t start = e->text.len;

	buf_all(&e->text, a, b, c, (char *)0);
	buf_char(&e->text, 0);
	if (e->text.err || e->n == sizeof(e->v) / sizeof(*e->v))
		e->err = 1;
	else
		e->v[e->n++] = e->text.p + start;
}

void
hook_env_put(struct hook_env *e, const char *var, const char *value)
{
	env_add(e, var, "=", value);
}

void
hook_env_line(struct hook_env *e, const char *line)
{
	env_add(e, line, "", "");
}

static int
has_prefix(struct slice s, const char *prefix)
{
	size_t n = strlen(prefix);

	return s.n >= n && memcmp(s.p, prefix, n) == 0;
}

/*
 * Ours are made anew for each program; the caller's own must not be taken for
 * them.  Others that begin with UACME_ are settings of uacme's hooks.
 */
static int
is_ours(struct slice var)
{
	static const char *const uacme[] = {
		"CONFDIR", "VERBOSE", "METHOD", "TYPE", "IDENT", "TOKEN", "AUTH"
	};
	size_t i;

	if (has_prefix(var, "ACME_"))
		return 1;
	if (!has_prefix(var, "UACME_"))
		return 0;
	var.p += 6;
	var.n -= 6;
	for (i = 0; i < sizeof(uacme) / sizeof(*uacme); i++)
		if (slice_is(var, uacme[i]))
			return 1;
	return 0;
}

int
hook_env_allowed(struct slice var)
{
	/* what changes how a shell or the loader works */
	static const char *const never[] = {
		"PATH", "IFS", "ENV", "HOME", "CDPATH", "PS4", "SHELL", "SHELLOPTS",
		"BASHOPTS", "BASH_ENV", "GLOBIGNORE", "POSIXLY_CORRECT", "PWD", "OLDPWD"
	};
	size_t i;

	for (i = 0; i < var.n; i++)
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789",
		    var.p[i]) || !var.p[i])
			return 0;
	for (i = 0; i < sizeof(never) / sizeof(*never); i++)
		if (slice_is(var, never[i]))
			return 0;
	return var.n && (var.p[0] < '0' || var.p[0] > '9') &&
	    !has_prefix(var, "LD_") && !has_prefix(var, "DYLD_") &&
	    !has_prefix(var, "ACME_") && !has_prefix(var, "UACME_");
}

static struct slice
variable(const char *line)
{
	const char *eq = strchr(line, '=');
	struct slice s = { line, eq ? (size_t)(eq - line) : strlen(line) };

	return s;
}

/* Whether one of e's entries from the i-th on sets the variable of that line. */
static int
set_later(const struct hook_env *e, unsigned i, const char *line)
{
	struct slice var = variable(line), other;

	for (; i < e->n; i++) {
		other = variable(e->v[i]);
		if (other.n == var.n && memcmp(other.p, var.p, var.n) == 0)
			return 1;
	}
	return 0;
}

/* The program's environment into out; 0, or -1 if it has too many variables. */
static int
compose(const char **out, const struct hook_env *e)
{
	unsigned n = 0, i;
	char **v;

	for (v = environ; v && *v; v++) {
		if (is_ours(variable(*v)) || set_later(e, 0, *v))
			continue;
		if (n == ENVIRONMENT)
			return -1;
		out[n++] = *v;
	}
	for (i = 0; i < e->n; i++) {
		if (set_later(e, i + 1, e->v[i]))
			continue;
		if (n == ENVIRONMENT)
			return -1;
		out[n++] = e->v[i];
	}
	out[n] = 0;
	return 0;
}

/* The child, up to execve */

enum { REPORT = 3 };	/* its end of the pipe that tells of a failed execve */

/* Only 0, 1 and 2, and the pipe as REPORT, which is closed by execve. */
static int
set_descriptors(int *report)
{
	if (*report != REPORT && dup2(*report, REPORT) < 0)
		return -1;
	*report = REPORT;
	descriptors_close(REPORT);
	close(0);
	if (open("/dev/null", O_RDONLY) != 0 || dup2(2, 1) < 0)
		return -1;
	return fcntl(REPORT, F_SETFD, FD_CLOEXEC);
}

static void
become(const char *const *argv, const struct hook_env *env, int report)
{
	static const char *envp[ENVIRONMENT + 1];
	int error;

	/* first: of the locks, this process has a share */
	if (set_descriptors(&report) == 0) {
		setpgid(0, 0);
		umask(their_umask);
		signals_default();
		errno = E2BIG;
		if (compose(envp, env) == 0) {
			execve(argv[0], (char **)argv, (char **)envp);
			/* our binary may have been replaced by a new version */
			if (argv[0] == self)
				execve("/proc/self/exe", (char **)argv, (char **)envp);
		}
	}
	error = errno;
	while (write(report, &error, sizeof(error)) < 0 && errno == EINTR)
		;
	_exit(127);
}

/* Waiting for it */

/* 1 if it has ended (and is not reaped yet), 0 not yet, -1 it is not ours. */
static int
ended(pid_t pid)
{
	siginfo_t info;
	int r;

	info.si_pid = 0;
	do
		r = waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -1 : info.si_pid == pid;
}

static int
reap(pid_t pid)
{
	pid_t r;
	int status;

	do
		r = waitpid(pid, &status, 0);
	while (r < 0 && errno == EINTR);
	if (r < 0) {
		exec_error = errno;
		return HOOK_EXEC;
	}
	if (!WIFSIGNALED(status))
		return WEXITSTATUS(status);
	killed_by = WTERMSIG(status);
	return HOOK_SIGNAL;
}

/* Not by wait_fd(), which has nothing to wait for after a stop signal. */
static void
nap(void)
{
	struct timespec t = { 0, 10000000 };

	nanosleep(&t, 0);
}

/* A further stop signal: the user is in a hurry. */
static int
stop_pending(void)
{
	sigset_t set;

	return sigpending(&set) == 0 && (sigismember(&set, SIGINT) ||
	    sigismember(&set, SIGTERM) || sigismember(&set, SIGHUP));
}

/*
 * TERM to its process group, and KILL when there is still something of it two
 * seconds later.  CONT, so that what is stopped gets to see TERM.
 */
static void
terminate(pid_t pid)
{
	int64_t until = now_ms() + GRACE;
	int reaped = 0;

	kill(-pid, SIGTERM);
	kill(-pid, SIGCONT);
	while (now_ms() < until && !stop_pending()) {
		if (!reaped && ended(pid)) {
			reap(pid);
			reaped = 1;
		}
		/* as long as a process of the group lives, its number is not given away */
		if (reaped && kill(-pid, 0) < 0 && errno == ESRCH)
			return;
		nap();
	}
	kill(-pid, SIGKILL);
	if (!reaped)
		reap(pid);
}

/*
 * Its result.  waitid() in growing steps: SIGCHLD could not be waited for
 * together with the stop signals without a race or a handler, and the end of
 * a pipe would come only when the last process that the program left is gone.
 */
static int
await(pid_t pid, int64_t deadline)
{
	int64_t start = now_ms(), now = start, step;
	enum wait w = WAIT_TIMEOUT;

	while (!ended(pid)) {
		if (w == WAIT_SIGNAL || now >= deadline) {
			terminate(pid);
			return w == WAIT_SIGNAL ? HOOK_STOPPED : HOOK_TIMEOUT;
		}
		step = 1 + (now - start) / 8;
		step = now + (step < 50 ? step : 50);
		w = wait_fd(-1, 0, step < deadline ? step : deadline);
		now = now_ms();
	}
	return reap(pid);
}

/* Whether the child has come to be the program; else *error says why not. */
static int
started(int report, int64_t deadline, int *error)
{
	ssize_t n;

	if (wait_fd(report, POLLIN, deadline) != WAIT_READY)
		return 1;	/* await() will find the same */
	do
		n = read(report, error, sizeof(*error));
	while (n < 0 && errno == EINTR);
	return n != (ssize_t)sizeof(*error);
}

static int
not_run(int error)
{
	exec_error = error;
	return HOOK_EXEC;
}

static int
open_pipe(int fd[2])
{
	if (pipe(fd) < 0)
		return -1;
	fcntl(fd[0], F_SETFD, FD_CLOEXEC);
	fcntl(fd[1], F_SETFD, FD_CLOEXEC);
	return 0;
}

/*
 * POSIX has it no more: fork(), but that the child runs in our memory, and we wait,
 * until it executes.  Without the copy a quick hook takes half the time.  Stop signals
 * are blocked here, so that no handler of ours runs in the child.
 */
pid_t vfork(void);

static int
spawn(const char *const *argv, const struct hook_env *env, unsigned timeout)
{
	int64_t deadline = now_ms() + (int64_t)timeout * 1000;
	int report[2], error = 0, good;
	pid_t pid;

	exec_error = 0;
	if (wait_fd(-1, 0, 0) == WAIT_SIGNAL)
		return HOOK_STOPPED;
	/* were it ignored, as our caller may have left it, no status would reach us */
	signal(SIGCHLD, SIG_DFL);
	if (open_pipe(report) < 0)
		return not_run(errno);
	pid = vfork();		/* NOLINT(clang-analyzer-security.insecureAPI.vfork) */
	if (pid == 0)
		become(argv, env, report[1]);	/* NOLINT(clang-analyzer-unix.Vfork): it ends in execve() or _exit() */
	error = errno;
	close(report[1]);
	if (pid < 0) {
		close(report[0]);
		return not_run(error);
	}
	setpgid(pid, pid);	/* there as well as in the child: who comes first */
	good = started(report[0], deadline, &error);
	close(report[0]);
	if (!good) {
		reap(pid);
		return not_run(error);
	}
	return await(pid, deadline);
}

int
hook_run(const struct hook *h, const char *const *args, const struct hook_env *env,
    unsigned timeout)
{
	const char *argv[ARGUMENTS + 1];
	unsigned n = 0;

	argv[n++] = h->path;
	if (h->builtin) {
		argv[0] = self;
		argv[n++] = "hook";
		argv[n++] = h->path;
	}
	while (*args) {
		if (n == ARGUMENTS)
			return not_run(E2BIG);
		argv[n++] = *args++;
	}
	argv[n] = 0;
	return spawn(argv, env, timeout);
}

int
hook_shell(const char *text, const struct hook_env *env, unsigned timeout)
{
	const char *argv[] = { "/bin/sh", "-c", 0, 0 };

	argv[2] = text;
	return spawn(argv, env, timeout);
}

void
hook_result(struct buf *b, int result, unsigned timeout)
{
	switch (result) {
	case HOOK_SIGNAL:
		buf_str(b, "killed by signal ");
		buf_int(b, killed_by);
		break;
	case HOOK_TIMEOUT:
		buf_str(b, "no answer in ");
		buf_uint(b, timeout);
		buf_str(b, " seconds");
		break;
	case HOOK_STOPPED:
		buf_str(b, "interrupted");
		break;
	case HOOK_EXEC:
		buf_str(b, "cannot be run");
		if (exec_error)
			buf_all(b, ": ", strerror(exec_error), (char *)0);
		break;
	default:
		buf_str(b, "exit status ");
		buf_int(b, result);
	}
}

/* Ourselves */

/* argv0 as a shell that found us in PATH gave it. */
static int
search_path(const char *argv0)
{
	const char *path = getenv("PATH"), *end;
	struct slice dir;
	struct buf b;

	for (; path && *path; path = *end ? end + 1 : end) {
		for (end = path; *end && *end != ':'; end++)
			;
		dir.p = path;
		dir.n = (size_t)(end - path);
		buf_init(&b, self, sizeof(self));
		buf_slice(&b, dir);
		buf_all(&b, "/", argv0, (char *)0);
		if (*path == '/' && !unusable(buf_text(&b), 0))
			return 0;
	}
	return -1;
}

void
hook_self(const char *argv0)
{
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n > 0) {
		self[n] = 0;
		return;
	}
	if (!argv0 || (strchr(argv0, '/') ? absolute(self, argv0) : search_path(argv0)) < 0)
		slice_copy(slice("/proc/self/exe"), self, sizeof(self));
}

void
hook_umask(unsigned mask)
{
	their_umask = (mode_t)mask;
}

/* webroot */

static const char *const webroot_part[] = { ".well-known", "acme-challenge" };
enum { WEBROOT_PARTS = 2 };

/* A symlink is followed here: OpenWrt has one at acme-challenge. */
static int
enter(int at, const char *name, int make)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0 || errno != ENOENT || !make)
		return fd;
	if (mkdirat(at, name, 0755) == 0)
		fchmodat(at, name, 0755, 0);
	else if (errno != EEXIST)
		return -1;
	return openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* DIR/.well-known/acme-challenge, opened. */
static int
challenge_dir(int root, int make)
{
	int fd = enter(root, webroot_part[0], make), sub;

	if (fd < 0)
		return -1;
	sub = enter(fd, webroot_part[1], make);
	dir_close(fd);
	return sub;
}

/* Where a token is written before it is renamed. */
static void
private_name(char out[LIMIT_TOKEN + 8], const char *token)
{
	struct buf b;

	buf_init(&b, out, LIMIT_TOKEN + 8);
	buf_all(&b, ".", token, ".new", (char *)0);
	buf_text(&b);
}

static int
put_token(int dir, const char *token, struct slice auth)
{
	char temp[LIMIT_TOKEN + 8];
	int saved;

	private_name(temp, token);
	if (dir_unlink(dir, temp) < 0)
		return -1;
	if (dir_create(dir, temp, 0644, &auth, 1) == 0 &&
	    dir_rename(dir, temp, dir, token) == 0)
		return 0;
	saved = errno;
	dir_unlink(dir, temp);
	errno = saved;
	return -1;
}

/* Again if it fails: the last `done` of another run may have removed the directory just made. */
static int
webroot_begin(int root, const char *token, const char *auth)
{
	int dir, r, tries;

	for (tries = 0; tries < 10; tries++) {
		dir = challenge_dir(root, 1);
		r = dir < 0 ? -1 : put_token(dir, token, slice(auth));
		dir_close(dir);
		if (r == 0 || errno != ENOENT)
			break;
	}
	return r;
}

/* And the directories that begin may have made, if nothing else is in them. */
static int
webroot_end(int root, const char *token)
{
	int dir = challenge_dir(root, 0), fd, r;
	char temp[LIMIT_TOKEN + 8];

	if (dir < 0)
		return errno == ENOENT ? 0 : -1;
	private_name(temp, token);
	r = dir_unlink(dir, temp) < 0 ? -1 : dir_unlink(dir, token);
	dir_close(dir);
	if (r < 0)
		return -1;
	fd = enter(root, webroot_part[0], 0);
	if (fd >= 0 && unlinkat(fd, webroot_part[1], AT_REMOVEDIR) == 0)
		unlinkat(root, webroot_part[0], AT_REMOVEDIR);
	dir_close(fd);
	return 0;
}

/* 1 to max bytes of base64url's alphabet and those in more. */
static int
is_word(const char *s, size_t max, const char *more)
{
	size_t n = 0;

	for (; s[n]; n++)
		if (!((s[n] >= '0' && s[n] <= '9') || (s[n] >= 'A' && s[n] <= 'Z') ||
		    (s[n] >= 'a' && s[n] <= 'z') || strchr("-_", s[n]) || strchr(more, s[n])))
			return 0;
	return n > 0 && n <= max;
}

int
hook_webroot(int argc, char *const *argv)
{
	enum { DECLINED = 1, ABORT = 126, AUTHORIZATION = 256 };
	const char *where = getenv("ACME_WEBROOT"), *why;
	int root, r, begin;

	if (argc != 5)
		return fail(ST_USAGE, "webroot: want METHOD TYPE IDENT TOKEN AUTH", (char *)0);
	begin = strcmp(argv[0], "begin") == 0;
	if (strcmp(argv[1], "http-01") != 0 || (!begin &&
	    strcmp(argv[0], "done") != 0 && strcmp(argv[0], "failed") != 0))
		return DECLINED;
	why = !where || !*where ? "ACME_WEBROOT is not set" :
	    !is_word(argv[3], LIMIT_TOKEN, "") ? "no valid token" :
	    !is_word(argv[4], AUTHORIZATION, ".") ? "no valid key authorization" : 0;
	if (why) {
		fail(ST_HOOK, "webroot: ", why, (char *)0);
		return begin ? ABORT : DECLINED;
	}
	root = open(where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = root < 0 ? -1 : begin ? webroot_begin(root, argv[3], argv[4]) :
	    webroot_end(root, argv[3]);
	if (r < 0)
		fail(ST_HOOK, begin ? "webroot: cannot write below " :
		    "webroot: cannot remove what was written below ", where, ":", (char *)0);
	dir_close(root);
	return r == 0 ? 0 : begin ? ABORT : DECLINED;
}
