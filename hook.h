/*
 * hook.h - running programs: challenge hooks, deploy hooks, the user's shell
 * commands; and the built-in hook webroot.  fork, execve, own process group,
 * deadline, only descriptors 0-2, default signals.
 */
#ifndef HOOK_H
#define HOOK_H

#include "buf.h"

/*
 * Finds a hook: a name with '/' is made absolute; one without is looked up in
 * HOME/hooks, the installed hook directory (HOOKDIR, set by make), then among
 * the built-in ones ("webroot", "standalone[:[ADDR:]PORT]", "tls-alpn[:...]").
 * A file must be regular and executable.  For root, and below HOME for everybody,
 * it must belong to root or to us and be writable by nobody else.
 * 0, or -1 with a static text in *why.
 */
struct hook {
	int builtin;			/* run as: acme hook PATH ... */
	char path[LIMIT_PATH];		/* absolute file, or the built-in's name */
};
int hook_find(struct hook *h, const char *name, const char *home, const char **why);

/* A list of "VAR=VALUE" for a program, above the caller's environment. */
struct hook_env {
	struct buf text;		/* the caller's memory */
	const char *v[160];		/* pointers into text */
	unsigned n;
	int err;			/* sticky: too many, or text overflow */
};
void hook_env_init(struct hook_env *e, void *mem, size_t cap);
void hook_env_put(struct hook_env *e, const char *var, const char *value);
void hook_env_line(struct hook_env *e, const char *line);	/* VAR=VALUE */

/*
 * Whether a user may set VAR with -e: a shell name, and none of LD_*, PATH,
 * IFS, ENV, BASH_ENV, ACME_*, UACME_*, SHELLOPTS, PS4, HOME...
 */
int hook_env_allowed(struct slice var);

/*
 * Runs h (a built-in hook as "acme hook NAME") with args, at most 13 up to a
 * null pointer, and waits at most timeout seconds: then TERM, two seconds later
 * KILL, to its process group.  A stop signal does the same at once; a further
 * one comes to KILL sooner.  What it left running when it ended is let run.
 * The environment is the caller's without ACME_* and the UACME_* of the contract, and env, where a
 * later entry overrides.  Its exit status 0-255, or one of these.
 */
enum { HOOK_SIGNAL = -1, HOOK_TIMEOUT = -2, HOOK_STOPPED = -3, HOOK_EXEC = -4 };
int hook_run(const struct hook *h, const char *const *args, const struct hook_env *env, unsigned timeout);
/* The same for /bin/sh -c TEXT. */
int hook_shell(const char *text, const struct hook_env *env, unsigned timeout);
/*
 * "exit status 3", "killed by signal 9", "no answer in 600 seconds", "cannot be
 * run: Permission denied" (60 bytes at most) for the result of the last run.
 */
void hook_result(struct buf *b, int result, unsigned timeout);

/* The path of our own binary, for built-in hooks: /proc/self/exe, else argv[0] resolved.  Once, from main. */
void hook_self(const char *argv0);
/* The umask that programs get: the one we were started with (022 until told). Once, from main. */
void hook_umask(unsigned mask);

/*
 * The built-in webroot: writes DIR/.well-known/acme-challenge/TOKEN (0644,
 * directories 0755, content without newline, atomically), removes it and
 * directories that are empty then.  DIR from $ACME_WEBROOT.  argv: METHOD TYPE
 * IDENT TOKEN AUTH, argc 5.  Exit status: 0; 1 declined, or not removed; 64 usage;
 * 126 failed.
 */
int hook_webroot(int argc, char *const *argv);

#endif
