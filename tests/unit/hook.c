/*
 * hook: what a program gets (arguments, environment, descriptors, signals,
 * process group) and how it may end (status, signal, deadline, not run at
 * all); nothing that it does hangs us or leaves a zombie; the built-in webroot.
 */
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "../tap.h"
#include "../../hook.c"

static char scratch[256];
static char program[LIMIT_PATH];	/* this test itself */
static struct hook_env no_env;

static void
scratch_remove(void)
{
	char command[300];

	snprintf(command, sizeof(command), "rm -rf '%s'", scratch);
	if (chdir("/") != 0 || system(command) != 0)
		perror(scratch);
}

static void
scratch_make(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(scratch, sizeof(scratch), "%s/acme-test-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(scratch) || chdir(scratch) != 0 || !getcwd(scratch, sizeof(scratch))) {
		perror(scratch);
		exit(1);
	}
	atexit(scratch_remove);
}

static void
put(const char *name, const char *text, mode_t mode)
{
	FILE *f = fopen(name, "w");

	if (!f || fputs(text, f) < 0 || fclose(f) != 0 || chmod(name, mode) != 0)
		perror(name);
}

static const char *
get(const char *name)
{
	static char mem[8192];
	FILE *f = fopen(name, "r");
	size_t n = 0;

	if (f) {
		n = fread(mem, 1, sizeof(mem) - 1, f);
		fclose(f);
	}
	mem[n] = 0;
	return f ? mem : "(none)";
}

static mode_t
mode_of(const char *name)
{
	struct stat st;

	return lstat(name, &st) < 0 ? 0 : st.st_mode & 07777;
}

/* A hook that is this shell script. */
static const struct hook *
script(const char *text)
{
	static struct hook h;
	char all[2048];

	snprintf(all, sizeof(all), "#!/bin/sh\n%s\n", text);
	unlink("script");
	put("script", all, 0700);
	snprintf(h.path, sizeof(h.path), "%s/script", scratch);
	h.builtin = 0;
	return &h;
}

static const struct hook *
at(const char *path)
{
	static struct hook h;

	h.builtin = 0;
	snprintf(h.path, sizeof(h.path), "%s", path);
	return &h;
}

static const char *const none[] = { 0 };

static int
run(const char *text, unsigned timeout)
{
	return hook_run(script(text), none, &no_env, timeout);
}

static const char *
result(int r, unsigned timeout)
{
	static char mem[64];
	struct buf b = BUF(mem);

	hook_result(&b, r, timeout);
	return buf_text(&b);
}

/* The process that wrote its id into that file, and its group. */
static int
group_alive(const char *name)
{
	pid_t pid = (pid_t)strtol(get(name), 0, 10);
	int tries;

	/* those that were killed count until init has reaped them */
	for (tries = 0; tries < 300 && pid > 1; tries++) {
		if (kill(-pid, 0) < 0)
			return 0;
		nap();
	}
	return 1;
}

static void
test_status(void)
{
	static const int codes[] = { 0, 1, 2, 77, 125, 126, 127, 128, 255 };
	char text[32], name[64];
	size_t i;

	for (i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
		snprintf(text, sizeof(text), "exit %d", codes[i]);
		snprintf(name, sizeof(name), "exit status %d", codes[i]);
		ok(run(text, 10) == codes[i], name);
	}
	is_str(result(3, 10), "exit status 3", "told as such");
	ok(run("kill -9 $$", 10) == HOOK_SIGNAL, "killed by a signal");
	is_str(result(HOOK_SIGNAL, 10), "killed by signal 9", "which is named");
	ok(hook_shell("exit 5", &no_env, 10) == 5, "a shell command's status");
	ok(hook_shell("echo \"a  b\" >'x y'; test -f 'x y'", &no_env, 10) == 0, "its text goes to /bin/sh as it is");
	signal(SIGCHLD, SIG_IGN);
	ok(run("exit 4", 10) == 4, "also if the caller ignored SIGCHLD");
}

static void
test_not_run(void)
{
	ok(hook_run(at("/nonexistent/hook"), none, &no_env, 10) == HOOK_EXEC, "an absent program is not exit status 127");
	is_str(result(HOOK_EXEC, 10), "cannot be run: No such file or directory", "and the reason is told");
	put("plain", "#!/bin/sh\n", 0600);
	ok(hook_run(at("./plain"), none, &no_env, 10) == HOOK_EXEC, "nor one that is not executable");
	is_str(result(HOOK_EXEC, 10), "cannot be run: Permission denied", "which is told");
	put("noshebang", "exit 0\n", 0700);
	ok(hook_run(at("./noshebang"), none, &no_env, 10) == HOOK_EXEC, "nor one without #!");
	is_str(result(HOOK_EXEC, 10), "cannot be run: Exec format error", "which is told");
	put("interpreter", "#!/nonexistent/sh\n", 0700);
	ok(hook_run(at("./interpreter"), none, &no_env, 10) == HOOK_EXEC, "nor one whose interpreter is missing");
	ok(hook_run(at("."), none, &no_env, 10) == HOOK_EXEC, "nor a directory");
}

static void
test_arguments(void)
{
	static const char *const args[] = {
		"begin", "a b", "it's \"quoted\" $(touch evil) `touch evil`; touch evil", "two\nlines", "", 0
	};
	static const char *const many[] = {
		"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", 0
	};

	ok(hook_run(script("printf '%s.' $# >out; for i; do printf '[%s]' \"$i\" >>out; done"),
	    args, &no_env, 10) == 0, "arguments are run through no shell");
	is_str(get("out"), "5.[begin][a b][it's \"quoted\" $(touch evil) `touch evil`; touch evil][two\nlines][]",
	    "each stays one argument");
	ok(access("evil", F_OK) != 0, "and is not run");
	ok(hook_run(script("exit 0"), many, &no_env, 10) == HOOK_EXEC, "too many are refused");
}

static void
test_environment(void)
{
	static char mem[2048], tiny[8];
	static struct hook_env e;
	unsigned i;

	setenv("CALLERS", "kept", 1);
	setenv("OVERRIDE", "callers", 1);
	setenv("ACME_HOME", "callers", 1);
	setenv("UACME_TOKEN", "callers", 1);
	setenv("UACME_X", "kept", 1);
	hook_env_init(&e, mem, sizeof(mem));
	hook_env_put(&e, "OVERRIDE", "first");
	hook_env_put(&e, "ACME_NAME", "a b\nc");
	hook_env_line(&e, "OVERRIDE=second=2");
	hook_env_put(&e, "EMPTY", "");
	ok(!e.err && hook_run(script("echo \"$CALLERS|$OVERRIDE|${ACME_HOME-none}|${UACME_TOKEN-none}|$UACME_X|"
	    "$ACME_NAME|${EMPTY-none}\" >out; env | grep -c ^OVERRIDE= >>out"), none, &e, 10) == 0, "a program has an environment");
	is_str(get("out"), "kept|second=2|none|none|kept|a b\nc|\n1\n",
	    "the caller's without ACME_* and UACME_TOKEN and the like, and ours; later ones override");
	hook_env_init(&e, tiny, sizeof(tiny));
	hook_env_put(&e, "AB", "123");
	ok(!e.err, "a list that just fits");
	hook_env_put(&e, "A", "");
	ok(e.err, "text that does not fit is an error that stays");
	hook_env_init(&e, mem, sizeof(mem));
	for (i = 0; i < 161; i++)
		hook_env_line(&e, "A=1");
	ok(e.err && e.n == 160, "so are too many");
	for (i = 0; i < ENVIRONMENT; i++) {
		snprintf(mem, sizeof(mem), "FILL%u", i);
		setenv(mem, "x", 1);
	}
	ok(run("exit 0", 10) == HOOK_EXEC, "an environment of more variables than we carry is refused");
	is_str(result(HOOK_EXEC, 10), "cannot be run: Argument list too long", "which is told");
	for (i = 0; i < ENVIRONMENT; i++) {
		snprintf(mem, sizeof(mem), "FILL%u", i);
		unsetenv(mem);
	}
	unsetenv("ACME_HOME");
	unsetenv("UACME_TOKEN");
}

static void
test_allowed(void)
{
	static const struct {
		const char *var;
		int allowed;
	} rows[] = {
		{ "CF_Token", 1 }, { "A", 1 }, { "_x1", 1 }, { "HOMEX", 1 }, { "MYPATH", 1 }, { "LDAP", 1 }, { "ACME", 1 },
		{ "", 0 }, { "1A", 0 }, { "A-B", 0 }, { "A B", 0 }, { "A=B", 0 }, { "\xc3\xa4", 0 },
		{ "LD_PRELOAD", 0 }, { "LD_", 0 }, { "PATH", 0 }, { "IFS", 0 }, { "ENV", 0 }, { "BASH_ENV", 0 },
		{ "ACME_NAME", 0 }, { "ACME_", 0 }, { "UACME_X", 0 }, { "SHELLOPTS", 0 }, { "PS4", 0 }, { "HOME", 0 }
	};
	struct slice nul = { "A\0B", 3 };
	char name[64];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		snprintf(name, sizeof(name), "-e %s: %s", rows[i].var, rows[i].allowed ? "allowed" : "refused");
		ok(hook_env_allowed(slice(rows[i].var)) == rows[i].allowed, name);
	}
	ok(!hook_env_allowed(nul), "-e with a NUL: refused");
}

/* The part of this test that is run as a hook: writes what it finds itself to be. */
static int
report(const char *file)
{
	FILE *f = 0;
	struct sigaction sa;
	struct stat a, b, null;
	sigset_t mask;
	mode_t old;
	char open_fds[256] = "", odd[256] = "";
	int i;

	for (i = 0; i < 1024; i++)
		if (fcntl(i, F_GETFD) >= 0)
			snprintf(open_fds + strlen(open_fds), 16, " %d", i);
	sigprocmask(SIG_BLOCK, 0, &mask);
	for (i = 1; i < 32; i++) {
		if (sigismember(&mask, i))
			snprintf(odd + strlen(odd), 16, " blocked %d", i);
		/* a sanitizer has handlers of its own for these */
		if (sigaction(i, 0, &sa) == 0 && sa.sa_handler != SIG_DFL &&
		    (sa.sa_handler == SIG_IGN || (i != SIGSEGV && i != SIGBUS && i != SIGFPE)))
			snprintf(odd + strlen(odd), 16, " changed %d", i);
	}
	old = umask(022);
	if (fstat(0, &a) < 0 || stat("/dev/null", &null) < 0 || a.st_rdev != null.st_rdev)
		strcat(odd, " stdin");
	if (fstat(1, &a) < 0 || fstat(2, &b) < 0 || a.st_ino != b.st_ino || a.st_dev != b.st_dev)
		strcat(odd, " stdout");
	if (getpgrp() != getpid())
		strcat(odd, " group");
	f = fopen(file, "w");
	if (!f)
		return 1;
	fprintf(f, "fds%s; odd%s; umask %03o\n", open_fds, odd, (unsigned)old);
	return fclose(f) != 0;
}

static void
test_surroundings(void)
{
	static const char *const args[] = { "report", "out", 0 };
	int fds[30], i;

	for (i = 0; i < 30; i++)
		fds[i] = open("/dev/null", O_RDONLY);
	dup2(fds[0], 900);
	signal(SIGUSR1, SIG_IGN);
	signals_catch();
	umask(077);
	hook_umask(027);
	ok(hook_run(at(program), args, &no_env, 10) == 0, "a program has surroundings");
	is_str(get("out"), "fds 0 1 2; odd; umask 027\n",
	    "descriptors 0-2 only, stdin /dev/null, stdout as stderr, default signals, own group, the caller's umask");
	for (i = 0; i < 30; i++)
		close(fds[i]);
	close(900);
	signal(SIGUSR1, SIG_DFL);
	hook_umask(022);
}

static void
test_deadline(void)
{
	int64_t start = now_ms();

	ok(run("echo $$ >pid; sleep 60", 1) == HOOK_TIMEOUT, "a hook that hangs");
	ok(now_ms() - start >= 1000 && now_ms() - start < 5000, "is ended at the deadline");
	ok(!group_alive("pid"), "with its children");
	is_str(result(HOOK_TIMEOUT, 600), "no answer in 600 seconds", "which is told");
	start = now_ms();
	ok(run("trap '' TERM; echo $$ >pid; while :; do sleep 1; done", 1) == HOOK_TIMEOUT &&
	    now_ms() - start >= 3000 && now_ms() - start < 8000, "one that ignores TERM is killed two seconds later");
	ok(!group_alive("pid"), "with its children");
	ok(run("echo $$ >pid; (trap '' TERM; sleep 60) & wait", 1) == HOOK_TIMEOUT && !group_alive("pid"),
	    "a child that ignores TERM goes as well");
	start = now_ms();
	ok(run("trap 'sleep 0.3; : >cleaned; exit 0' TERM; sleep 60 & wait", 1) == HOOK_TIMEOUT &&
	    access("cleaned", F_OK) == 0 && now_ms() - start < 3000, "one that cleans up on TERM has time for it");
	ok(run("kill -STOP $$", 1) == HOOK_TIMEOUT, "one that stopped itself is ended too");
}

static void
test_output(void)
{
	int64_t start = now_ms();
	int saved = dup(2), null = open("/dev/null", O_WRONLY);

	dup2(null, 2);
	ok(run("dd if=/dev/zero bs=1000000 count=100; dd if=/dev/zero bs=1000000 count=100 >&2", 60) == 0,
	    "two hundred megabytes of output");
	start = now_ms();
	ok(run("sleep 20 & echo $! >pid", 10) == 0 && now_ms() - start < 5000,
	    "a daemon that keeps stdout does not hold us");
	ok(kill((pid_t)strtol(get("pid"), 0, 10), SIGKILL) == 0, "and is let run");
	ok(run("exec <&- >&- 2>&-; exit 3", 10) == 3, "a hook may close everything");
	dup2(saved, 2);
	close(saved);
	close(null);
}

/* Sends the signal to us, count times, a while from now. */
static pid_t
signal_later(int sig, int count)
{
	struct timespec t = { 0, 300000000 };
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		while (count--) {
			nanosleep(&t, 0);
			kill(getppid(), sig);
		}
		_exit(0);
	}
	return pid;
}

/* In a child, since a noted signal stays noted. */
static int
interrupted(int sig)
{
	int64_t start;
	pid_t pid;
	int bad = 0;

	pid = signal_later(sig, 1);
	start = now_ms();
	bad |= run("echo $$ >pid; sleep 60", 60) != HOOK_STOPPED || now_ms() - start > 10000;
	bad |= (group_alive("pid") ? 2 : 0) | (stop_signal() != sig ? 4 : 0);
	waitpid(pid, 0, 0);
	unlink("ran");
	bad |= run(": >ran", 10) == HOOK_STOPPED && access("ran", F_OK) != 0 ? 0 : 8;
	if (sig != SIGINT)
		return bad;
	signals_cleanup(1);
	bad |= run("sleep 0.2; : >ran; exit 7", 10) == 7 ? 0 : 16;
	pid = signal_later(sig, 1);
	start = now_ms();
	bad |= run("trap '' TERM INT HUP; while :; do sleep 1; done", 60) == HOOK_STOPPED && now_ms() - start < 6000 ? 0 : 32;
	waitpid(pid, 0, 0);
	return bad;
}

static void
test_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	char name[100];
	int status;
	size_t i;

	for (i = 0; i < 3; i++) {
		fflush(stdout);
		if (fork() == 0)
			_exit(interrupted(signals[i]));
		wait(&status);
		snprintf(name, sizeof(name), "signal %d ends a hook, and none is started then%s", signals[i],
		    signals[i] == SIGINT ? " but to clean up; a second ends that" : "");
		if (!ok(status == 0, name))
			printf("# status %x\n", (unsigned)status);
	}
}

static void
test_limits(void)
{
	static const char *const args[] = { "report", "out", 0 };
	struct rlimit limit;
	int status;

	fflush(stdout);
	if (fork() == 0) {
		limit.rlim_cur = limit.rlim_max = 0;
		setrlimit(RLIMIT_NPROC, &limit);
		_exit(run("exit 0", 10) == (geteuid() == 0 ? 0 : HOOK_EXEC) ? 0 : 1);
	}
	wait(&status);
	ok(status == 0, "no process to be had: not run");
	fflush(stdout);
	if (fork() == 0) {
		limit.rlim_cur = limit.rlim_max = 6;
		setrlimit(RLIMIT_NOFILE, &limit);
		status = hook_run(at(program), args, &no_env, 10);
		_exit(status == 0 || status == HOOK_EXEC ? 0 : 1);
	}
	wait(&status);
	ok(status == 0, "hardly a descriptor to be had: run, or not");
}

static int
finds(const char *name, const char *path, const char *reason)
{
	char home[300], want[LIMIT_PATH];
	struct hook h;
	const char *why = 0;
	int r;

	snprintf(home, sizeof(home), "%s/home", scratch);
	snprintf(want, sizeof(want), *path == '/' || !strchr(path, '/') ? "%.0s%s" : "%s/%s", scratch, path);
	r = hook_find(&h, name, home, &why);
	if (reason ? r == -1 && why && strstr(why, reason) != 0 :
	    r == 0 && !why && strcmp(h.path, want) == 0 && h.builtin == !strchr(path, '/'))
		return 1;
	printf("# %d, %s, %s\n", r, h.path, why ? why : "-");
	return 0;
}

static void
test_find(void)
{
	static const struct {
		const char *name, *path, *why;
		int root;	/* only root is refused */
	} rows[] = {
		{ "good", "home/hooks/good", 0, 0 },
		{ "./good", "./good", 0, 0 },
		{ "../", "", "regular", 0 },
		{ "/bin/sh", "/bin/sh", 0, 0 },
		{ "webroot", "webroot", 0, 0 },
		{ "standalone", "standalone", 0, 0 },
		{ "standalone:8080", "standalone:8080", 0, 0 },
		{ "standalone:[::1]:8080", "standalone:[::1]:8080", 0, 0 },
		{ "tls-alpn", "home/hooks/tls-alpn", 0, 0 },
		{ "tls-alpn:443", "tls-alpn:443", 0, 0 },
		{ "webroot:x", "", "neither in", 0 },
		{ "standalonex", "", "neither in", 0 },
		{ "none", "", "neither in", 0 },
		{ "./none", "", "not found", 0 },
		{ "/bin/sh/x", "", "not found", 0 },
		{ "", "", "empty", 0 },
		{ "plain", "", "not executable", 0 },
		{ "dir", "", "no regular file", 0 },
		{ "fifo", "", "no regular file", 0 },
		{ "loose", "", "written by others", 0 },
		{ "group", "", "written by others", 0 },
		{ "./loose", "./loose", "written by others", 1 },
		{ "foreign", "", "another user", 0 },
		{ "gone", "", "first line", 0 },
		{ "crlf", "", "first line", 0 },
		{ "nothing", "", "first line", 0 },
		{ "options", "home/hooks/options", 0, 0 },
		{ "binary", "home/hooks/binary", 0, 0 },
		{ "empty", "home/hooks/empty", 0, 0 },
		{ "./open/good", "./open/good", "in a directory", 1 },
		{ "./link", "./link", "in a directory", 1 },
	};
	char name[100];
	size_t i;

	if (system("rm -rf home; mkdir -p home/hooks/dir; cd home/hooks; mkfifo fifo; chmod 0755 . ..;"
	    "for i in good tls-alpn plain loose group foreign; do printf '#!/bin/sh\\n' >$i; done;"
	    "chmod 0755 good tls-alpn foreign; chmod 0644 plain; chmod 0757 loose; chmod 0775 group;"
	    "printf '#!/nonexistent/sh\\n' >gone; printf '#!/bin/sh\\r\\n' >crlf; printf '#!\\n' >nothing;"
	    "printf '#! \\t/usr/bin/env  -i sh' >options; cp /bin/true binary; : >empty; chmod 755 gone crlf nothing options binary empty;"
	    "mkdir ../../open; cp -p good ../../open; chmod 777 ../../open; ln -s good ../../link; chown -h 65534 ../../link 2>/dev/null;"
	    "cp -p good loose ../..; chown 65534 foreign 2>/dev/null; :") != 0)
		perror("system");
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (strcmp(rows[i].name, "foreign") == 0 && geteuid() != 0) {
			ok(1, "'foreign': another user # SKIP not root");
			continue;
		}
		snprintf(name, sizeof(name), "'%s': %s", rows[i].name, rows[i].why ? rows[i].why : "found");
		ok(finds(rows[i].name, rows[i].path, rows[i].root && geteuid() != 0 ? 0 : rows[i].why), name);
	}
	if (chmod("home/hooks", 0777) != 0)
		perror("chmod");
	ok(finds("good", "", "directory"), "a hooks directory that others can write is refused");
	if (chmod("home/hooks", 0755) != 0)
		perror("chmod");
	memset(name, 'x', sizeof(name));
	name[99] = 0;
	ok(finds(name, "", "neither in"), "a long name is not found");
}

static const char token[] = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA";
static const char auth[] = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA.NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
static const char challenge[] = "www/.well-known/acme-challenge";

static int
webroot(const char *method, const char *type, const char *tok, const char *key)
{
	char *argv[6];
	int saved = dup(2), null = open("/dev/null", O_WRONLY), r;

	argv[0] = (char *)method;
	argv[1] = (char *)type;
	argv[2] = (char *)"example.com";
	argv[3] = (char *)tok;
	argv[4] = (char *)key;
	argv[5] = 0;
	dup2(null, 2);
	r = hook_webroot(5, argv);
	dup2(saved, 2);
	close(saved);
	close(null);
	return r;
}

static const char *
token_file(const char *tok)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", challenge, tok);
	return path;
}

static void
test_webroot(void)
{
	static const mode_t masks[] = { 0, 077, 0777 };
	static const char *const bad[] = {
		"", "../x", "a/b", ".", "a.b", "a b", "a;reboot", "$(x)", "a\n", "\xc3\xa4"
	};
	char name[64], long_token[130], *no_args[1] = { 0 };
	size_t i;
	int saved;

	mkdir("www", 0755);
	setenv("ACME_WEBROOT", "www", 1);
	for (i = 0; i < 3; i++) {
		umask(masks[i]);
		snprintf(name, sizeof(name), "webroot begins under umask %03o", (unsigned)masks[i]);
		ok(webroot("begin", "http-01", token, auth) == 0, name);
		umask(077);
		is_str(get(token_file(token)), auth, "the file has the key authorization and no newline");
		ok(mode_of("www/.well-known") == 0755 && mode_of(challenge) == 0755 &&
		    mode_of(token_file(token)) == 0644, "directories 0755, file 0644");
		ok(webroot(i ? "done" : "failed", "http-01", token, auth) == 0 && access("www/.well-known", F_OK) != 0 &&
		    access("www", F_OK) == 0, "all is removed again");
	}
	ok(webroot("done", "http-01", token, auth) == 0, "also if nothing is there");
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		snprintf(name, sizeof(name), "token %u is refused", (unsigned)i);
		ok(webroot("begin", "http-01", bad[i], auth) == 126 && webroot("done", "http-01", bad[i], auth) == 1, name);
	}
	memset(long_token, 'x', 129);
	long_token[129] = 0;
	ok(webroot("begin", "http-01", long_token, auth) == 126, "a token of 129 bytes is refused");
	long_token[128] = 0;
	ok(webroot("begin", "http-01", long_token, auth) == 0 && webroot("done", "http-01", long_token, auth) == 0, "one of 128 is not");
	ok(webroot("begin", "http-01", token, "a b") == 126 && webroot("begin", "http-01", token, "") == 126, "so is an authorization that is none");
	ok(webroot("begin", "dns-01", token, auth) == 1, "another type is declined");
	ok(webroot("start", "http-01", token, auth) == 1, "so is another method");
	saved = dup(2);
	close(2);
	ok(hook_webroot(0, no_args) == ST_USAGE, "too few arguments");
	dup2(saved, 2);
	close(saved);
	ok(access("www/.well-known", F_OK) != 0, "none of these wrote anything");
	setenv("ACME_WEBROOT", "nowhere", 1);
	ok(webroot("begin", "http-01", token, auth) == 126, "a missing directory ends the order");
	setenv("ACME_WEBROOT", "", 1);
	ok(webroot("begin", "http-01", token, auth) == 126, "so does none");
	setenv("ACME_WEBROOT", "www", 1);
}

static void
test_webroot_others(void)
{
	struct hook h;
	const char *why, *args[] = { "begin", "http-01", "example.com", token, auth, 0 };
	static char mem[256];
	static struct hook_env e;
	int i, j, status, bad = 0;

	webroot("begin", "http-01", "other", auth);
	webroot("begin", "http-01", token, auth);
	ok(webroot("done", "http-01", token, auth) == 0 && access(token_file(token), F_OK) != 0 &&
	    access(token_file("other"), F_OK) == 0, "another's token stays");
	webroot("done", "http-01", "other", auth);
	if (system("mkdir -p www/.well-known elsewhere; ln -s ../../elsewhere www/.well-known/acme-challenge;"
	    "echo old >victim; chmod 600 victim; ln -s ../victim elsewhere/link; ln -s ../victim elsewhere/.link.new") != 0)
		perror("system");
	ok(webroot("begin", "http-01", token, auth) == 0 && strcmp(get(token_file(token)), auth) == 0,
	    "acme-challenge may be a symlink");
	ok(webroot("done", "http-01", token, auth) == 0 && access(challenge, F_OK) == 0, "which stays");
	ok(webroot("begin", "http-01", "link", auth) == 0 && strcmp(get("victim"), "old\n") == 0 &&
	    strcmp(get("elsewhere/link"), auth) == 0 && mode_of("victim") == 0600,
	    "a symlink at the file's name is replaced, not followed");
	ok(webroot("done", "http-01", "link", auth) == 0 && access("victim", F_OK) == 0, "and not when it is removed");
	if (system("rm -rf www/.well-known; echo x >www/.well-known") != 0)
		perror("system");
	ok(webroot("begin", "http-01", token, auth) == 126, "a file in the way ends the order");
	if (system("rm -rf www; mkdir www") != 0)
		perror("system");
	for (i = 0; i < 20; i++) {
		fflush(stdout);
		if (fork() == 0) {
			char tok[16];

			snprintf(tok, sizeof(tok), "token%d", i);
			for (j = 0; j < 20; j++) {
				bad |= webroot("begin", "http-01", tok, auth) != 0 || strcmp(get(token_file(tok)), auth) != 0;
				bad |= webroot("done", "http-01", tok, auth) != 0;
			}
			_exit(bad);
		}
	}
	while (wait(&status) > 0)
		bad |= status;
	ok(bad == 0 && access("www/.well-known", F_OK) != 0, "twenty runs at once do not disturb each other");
	hook_env_init(&e, mem, sizeof(mem));
	hook_env_put(&e, "ACME_WEBROOT", "www");
	ok(hook_find(&h, "webroot", "", &why) == 0 && h.builtin && hook_run(&h, args, &e, 10) == 0 &&
	    strcmp(get(token_file(token)), auth) == 0, "our own binary runs it as a hook");
}

static void
test_self(void)
{
	char path[LIMIT_PATH];

	hook_self("whatever");
	is_str(self, program, "our own binary is found by /proc");
	put("somewhere", "#!/bin/sh\n", 0700);
	setenv("PATH", "relative::/nonexistent:/bin:", 1);
	ok(search_path("sh") == 0 && strcmp(self, "/bin/sh") == 0, "else in PATH");
	ok(search_path("somewhere") == -1, "but in no relative directory");
	snprintf(path, sizeof(path), "%s/./somewhere", scratch);
	ok(absolute(self, "./somewhere") == 0 && strcmp(self, path) == 0, "or by its path");
}

int
main(int argc, char **argv)
{
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);

	if (argc == 3 && strcmp(argv[1], "report") == 0)
		return report(argv[2]);
	if (argc > 3 && strcmp(argv[1], "hook") == 0 && strcmp(argv[2], "webroot") == 0)
		return hook_webroot(argc - 3, argv + 3);
	if (n < 0)
		return 1;
	hook_self(argv[0]);
	scratch_make();
	hook_env_init(&no_env, 0, 0);
	test_status();
	test_not_run();
	test_arguments();
	test_environment();
	test_allowed();
	test_surroundings();
	test_deadline();
	test_output();
	test_signals();
	test_limits();
	test_find();
	test_webroot();
	test_webroot_others();
	test_self();
	ok(waitpid(-1, 0, WNOHANG) == -1 && errno == ECHILD, "no zombie is left");
	return tap_done();
}
