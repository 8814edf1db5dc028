/*
 * main.c - the program: its commands, their usage texts, the exit statuses,
 * and what has to be in order before anything else is done.  Invariants: the
 * process has descriptors 0 to 2, creates no file that others may read, leaves
 * no core, and has no more rights than its user; usage errors come before any
 * file is touched; a stop signal ends it as a signal does, after clean-up.
 */
#include <sys/auxv.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "conf.h"
#include "confine.h"
#include "converse.h"
#include "hook.h"
#include "issue.h"
#include "manage.h"
#include "out.h"
#include "probe.h"
#include "request.h"
#include "respond.h"
#include "show.h"
#include "split.h"
#include "store.h"
#include "tool.h"
#include "util.h"

#ifndef VERSION
#define VERSION "0.1"
#endif

enum {
	LOCK_WAIT = 5000,	/* ms for another run on the same certificate */
	WIDE = 30, NARROW = 6	/* columns of the descriptions in usage texts */
};

extern char **environ;

static char *const *args;	/* main's */
static int args_count;

typedef int run(struct conf *c, const char *const *operand, unsigned n);
static run run_issue, run_renew, run_list, run_show, run_path, run_cert, run_csr,
    run_revoke, run_remove, run_account, run_cas, run_dns, run_hook;

static const struct command {
	const char *name, *operands;
	run *run;
	unsigned min, max;
	enum { ALONE, HOME, TALKS } needs;	/* a state directory; that, and a CA */
	const char *help;
} commands[] = {
	{ "issue", "NAME...", run_issue, 0, LIMIT_NAMES, TALKS,
	  "obtain a certificate, and remember how" },
	{ "renew", "[NAME...]", run_renew, 0, LIMIT_NAMES, TALKS,
	  "renew what is due: these certificates, or all" },
	{ "list", "", run_list, 0, 0, HOME,
	  "list the certificates" },
	{ "show", "NAME", run_show, 1, 1, HOME,
	  "tell all about one certificate" },
	{ "path", "NAME [KIND]", run_path, 1, 2, HOME,
	  "print where its files are: privkey, cert, ..." },
	{ "cert", "FILE", run_cert, 1, 1, ALONE,
	  "tell what is in a certificate file" },
	{ "csr", "NAME...", run_csr, 1, LIMIT_NAMES, ALONE,
	  "print a certificate request for a key file" },
	{ "revoke", "NAME|FILE", run_revoke, 1, 1, TALKS,
	  "revoke a certificate" },
	{ "remove", "NAME", run_remove, 1, 1, HOME,
	  "forget a certificate" },
	{ "account", "[ACTION] [NAME]", run_account, 0, 2, TALKS,
	  "register, show, update, rollover or deactivate" },
	{ "cas", "", run_cas, 0, 0, ALONE,
	  "list the known CAs" },
	{ "dns", "TYPE NAME [SERVER]", run_dns, 2, 3, ALONE,
	  "print the records of a name: TXT, NS, A, ..." },
	{ "hook", "HOOK METHOD TYPE IDENT TOKEN AUTH", run_hook, 6, 6, ALONE,
	  "run a built-in hook by hand" },
};
enum { COMMANDS = sizeof(commands) / sizeof(*commands) };

static const struct {
	enum status status;
	const char *text;
} exits[] = {
	{ ST_OK, "in place: new, renewed, or still good" },
	{ ST_REFUSED, "the CA refused" },
	{ ST_UNCHANGED, "nothing changed and nothing failed (with -x)" },
	{ ST_HOOK, "a challenge hook failed, or none accepted" },
	{ ST_DEPLOY, "in place, but a deploy hook or the reload failed and is owed" },
	{ ST_USAGE, "wrong usage" },
	{ ST_NET, "network or TLS" },
	{ ST_STORE, "state directory or output cannot be written" },
	{ ST_LATER, "try again later" },
	{ ST_PROTO, "the server broke the protocol" },
	{ ST_CONFIG, "configuration, key or clock" },
};

/* Usage texts. */

/* LEFT, spaces up to a column, and what it does. */
static void
line(const struct buf *left, size_t column, const char *text)
{
	size_t pad = left->len < column - 1 ? column - left->len : 2;

	buf_slice(out_buf(), buf_view(left));
	while (pad--)
		buf_char(out_buf(), ' ');
	buf_all(out_buf(), text, "\n", (char *)0);
}

/* The options of one command, or for 0 those of all. */
static void
option_lines(const char *command)
{
	const struct conf_option *o;
	char mem[128];
	struct buf left = BUF(mem);

	for (o = conf_options; o < conf_options + conf_options_count; o++) {
		if (command ? !*o->commands || !conf_takes(o, command) : *o->commands)
			continue;
		buf_clear(&left);
		buf_str(&left, "  ");
		buf_char(&left, o->letter ? '-' : ' ');
		buf_char(&left, o->letter ? o->letter : ' ');
		buf_all(&left, o->letter ? ", --" : "  --", o->name,
		    o->arg ? " " : "", o->arg ? o->arg : "", (char *)0);
		line(&left, WIDE, o->help);
	}
}

static int
usage(const struct command *command)
{
	char mem[128];
	struct buf left = BUF(mem);
	size_t i;

	if (command) {
		buf_all(out_buf(), "usage: acme ", command->name,
		    command->run == run_hook ? "" : " [OPTION...]",
		    *command->operands ? " " : "", command->operands, "\n\n",
		    command->help, "\n\n", (char *)0);
		option_lines(command->name);
		buf_str(out_buf(), "\noptions of all commands: acme -h\n");
		return 0;
	}
	buf_str(out_buf(), "usage: acme COMMAND [OPTION...] [NAME...]\n\ncommands:\n");
	for (i = 0; i < COMMANDS; i++) {
		buf_clear(&left);
		buf_all(&left, "  ", commands[i].name, " ", commands[i].operands, (char *)0);
		line(&left, WIDE, commands[i].help);
	}
	buf_str(out_buf(), "\noptions of all commands (acme COMMAND -h: the others):\n");
	option_lines(0);
	buf_str(out_buf(), "\nexit status:\n");
	for (i = 0; i < sizeof(exits) / sizeof(*exits); i++) {
		buf_clear(&left);
		buf_str(&left, "  ");
		buf_uint(&left, exits[i].status);
		line(&left, NARROW, exits[i].text);
	}
	return 0;
}

/* The commands. */

static int
add_names(struct conf *c, const char *const *operand, unsigned n)
{
	const char *why;
	unsigned i;

	for (i = 0; i < n; i++)
		if (conf_add_name(c, operand[i], &why) < 0)
			return fail(ST_USAGE, "not a name for a certificate: ", why,
			    *operand[i] ? ": " : "", operand[i], (char *)0);
	for (i = 0; i < c->names; i++)
		if (conf_covered(c, c->name[i]))
			warn(c->name[i], " is covered by a wildcard, so redundant; "
			    "some CAs refuse that", (char *)0);
	return 0;
}

static int
run_issue(struct conf *c, const char *const *operand, unsigned n)
{
	int status = add_names(c, operand, n);

	if (!status && c->csr)
		status = request_names(c);
	if (!status)
		status = conf_check(c);
	return status ? status : issue(c);
}

static int
run_renew(struct conf *c, const char *const *operand, unsigned n)
{
	int status = conf_check(c);

	return status ? status : issue_renew(c, operand, n);
}

static int
run_list(struct conf *c, const char *const *operand, unsigned n)
{
	int status = store_open(c->home, 0);

	(void)operand;
	(void)n;
	return status ? status : show_list(c);
}

static int
run_show(struct conf *c, const char *const *operand, unsigned n)
{
	int status = store_open(c->home, 0);

	(void)n;
	return status ? status : show_certificate(c, operand[0]);
}

static int
run_path(struct conf *c, const char *const *operand, unsigned n)
{
	int status = store_open(c->home, 0);

	return status ? status : show_path(operand[0], n > 1 ? operand[1] : 0);
}

static int
run_cert(struct conf *c, const char *const *operand, unsigned n)
{
	(void)n;
	return show_file(c, operand[0]);
}

static int
run_csr(struct conf *c, const char *const *operand, unsigned n)
{
	int status = add_names(c, operand, n);

	return status ? status : show_csr(c);
}

static int
run_revoke(struct conf *c, const char *const *operand, unsigned n)
{
	(void)n;
	return issue_revoke(c, operand[0]);
}

/* Under the certificate's lock: a run may be at work on it. */
static int
run_remove(struct conf *c, const char *const *operand, unsigned n)
{
	const char *name = operand[0];
	char dir[LIMIT_PATH];
	int fd, id, status = store_open(c->home, 0);

	(void)n;
	if (!status)
		status = show_known(name);
	if (status)
		return status;
	about(name);
	if (store_cert_dir(dir, sizeof(dir), name) < 0 || store_mkdir("locks") < 0)
		return store_failed("cannot make", "locks");
	fd = store_lock(dir, now_ms() + LOCK_WAIT);
	if (fd < 0 && (errno == EWOULDBLOCK || errno == EINTR))
		return fail(ST_LATER, "another run is at work on this certificate", (char *)0);
	if (fd < 0)
		return store_failed("cannot lock", dir);
	if (store_journal(name, &id, 1) > 0)
		warn("hooks of a run that was cut off were not undone", (char *)0);
	if (store_trash(name, c->purge) < 0)
		status = store_failed("cannot remove", dir);
	store_unlock(fd);
	about(0);
	return status;
}

static int
run_account(struct conf *c, const char *const *operand, unsigned n)
{
	return manage_account(c, n ? operand[0] : "show", n > 1 ? operand[1] : 0);
}

static int
run_cas(struct conf *c, const char *const *operand, unsigned n)
{
	(void)operand;
	(void)n;
	return show_cas(c);
}

static int
run_dns(struct conf *c, const char *const *operand, unsigned n)
{
	return tool_dns(operand[0], operand[1], n > 2 ? operand[2] : 0, c->family, c->timeout);
}

/* The operands of hook are the last words of the command line as they are. */
static int
run_hook(struct conf *c, const char *const *operand, unsigned n)
{
	struct slice name = { operand[0], strcspn(operand[0], ":") };
	const char *address = name.p[name.n] ? name.p + name.n + 1 : "";
	int count = (int)n - 1;
	char *const *rest = args + args_count - count;

	(void)c;
	if (slice_is(name, "webroot") && !*address)
		return hook_webroot(count, rest);
	if (slice_is(name, "standalone"))
		return respond_hook(RESPOND_HTTP, address, count, rest);
	if (slice_is(name, "tls-alpn"))
		return respond_hook(RESPOND_ALPN, address, count, rest);
	return fail(ST_USAGE, "no built-in hook is called ", operand[0],
	    "; there are webroot, standalone, tls-alpn", (char *)0);
}

/* From the command line to the command. */

static const struct command *
find_command(const char *name)
{
	size_t i;

	for (i = 0; i < COMMANDS; i++)
		if (strcmp(name, commands[i].name) == 0)
			return commands + i;
	return 0;
}

static int
known(const char *name)
{
	return find_command(name) != 0;
}

static char options[2 * LIMIT_CONF] LARGE;	/* texts of those of this run */
static size_t options_length;

static void
wipe_text(char *s)
{
	wipe(s, strlen(s));
}

/* Hooks get their secrets by the environment, -e and --env-file: who talks to a CA is not told. */
static void
forget(void)
{
	char **v;
	int i;

	for (v = environ; v && *v; v++)
		wipe_text(*v);
	for (i = 1; i < args_count; i++)
		wipe_text(args[i]);
	wipe(options, options_length);
}

static int
run_command(struct conf *c, const struct command *command, const char *const *operand, unsigned n)
{
	static split_serve *const serve[SPLIT_KINDS] = { converse, probe_serve };
	int status;

	if (c->help || (command->run == run_hook && n == 1 &&
	    (strcmp(operand[0], "-h") == 0 || strcmp(operand[0], "--help") == 0)))
		return usage(command);
	status = args_allowed(c, command->name);
	if (status)
		return status;
	if (n < command->min || n > command->max)
		return fail(ST_USAGE, "usage: acme ", command->name,
		    command->run == run_hook ? "" : " [OPTION...]",
		    *command->operands ? " " : "", command->operands,
		    "; try: acme ", command->name, " -h", (char *)0);
	if (command->needs != ALONE && !c->home)
		return fail(ST_CONFIG, "no state directory: HOME is not set; "
		    "give --home DIR", (char *)0);
	status = command->needs == TALKS ? split_start(c->user, forget, serve) : 0;
	if (status == 0)
		status = command->run(c, operand, n);
	split_end();
	return status;
}

/* The program's version, and at -v what a process that talks to a CA is confined by here. */
static int
version(const struct conf *c)
{
	static const struct {
		int bit;
		const char *name;
	} means[] = {
		{ CONFINE_USER, "another user" }, { CONFINE_LANDLOCK, "Landlock" },
		{ CONFINE_SECCOMP, "seccomp" }, { CONFINE_PLEDGE, "pledge" },
	};
	int have, n = 0;
	size_t i;

	buf_str(out_buf(), "acme " VERSION " (BearSSL 0.6)\n");
	if (verbose < 1)
		return 0;
	have = split_probe(c->user);
	buf_str(out_buf(), "talker: ");
	for (i = 0; i < sizeof(means) / sizeof(*means); i++)
		if (have > 0 && have & means[i].bit)
			buf_all(out_buf(), n++ ? ", " : "", means[i].name, (char *)0);
	buf_str(out_buf(), n ? "\n" : "a process of its own\n");
	return 0;
}

static int
dispatch(int argc, char *const *argv)
{
	static struct conf c;
	const char *name, *operand[LIMIT_NAMES];
	unsigned n;
	int status;

	conf_init(&c, options, sizeof(options));
	status = args_parse(&c, argc, argv, known, &name, operand, LIMIT_NAMES, &n);
	if (status)
		return status;
	if (c.version)
		return version(&c);
	options_length = c.text.len;
	if (name)
		return run_command(&c, find_command(name), operand, n);
	return c.help ? usage(0) : fail(ST_USAGE, "no command; try: acme -h", (char *)0);
}

/* Start and end. */

/*
 * Descriptors 0 to 2 are there: no file of ours becomes standard output.  In
 * place of a closed standard output stands one that cannot be written, so that
 * the loss of what is printed is noticed.
 */
static int
descriptors(void)
{
	static const int modes[] = { O_RDONLY, O_RDONLY, O_RDWR };
	int fd;

	for (fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd]) != fd)
			return -1;
	return 0;
}

/* 1 if the file has rights that its user has not: setuid, setgid, capabilities. */
static int
privileged(void)
{
	return getuid() != geteuid() || getgid() != getegid() || getauxval(AT_SECURE);
}

/* Keys are in memory: no core, and no other process of this user looks at it. */
static void
keep_memory(void)
{
	struct rlimit none;

	if (getrlimit(RLIMIT_CORE, &none) == 0) {
		none.rlim_cur = 0;
		setrlimit(RLIMIT_CORE, &none);
	}
#ifdef PR_SET_DUMPABLE
	prctl(PR_SET_DUMPABLE, 0);
#endif
}

/* Ends the process as the signal that stopped it would have. */
static void
end_by_signal(void)
{
	int sig = stop_signal();

	if (!sig)
		return;
	signals_default();
	kill(getpid(), sig);
}

int
main(int argc, char **argv)
{
	int status;

	if (descriptors() < 0)
		return ST_CONFIG;
	if (argc < 1)
		return fail(ST_USAGE, "started without a name (argc is 0)", (char *)0);
	if (privileged())
		return fail(ST_CONFIG, "will not run with more rights than its user "
		    "(setuid, setgid or capabilities on the file)", (char *)0);
	hook_umask((unsigned)umask(077));
	now_wall();	/* from here on it is this run's */
	keep_memory();
	signals_catch();
	hook_self(argv[0]);
	args = argv;
	args_count = argc;
	status = dispatch(argc, argv);
	if (out_flush() && !status)
		status = ST_STORE;
	end_by_signal();
	return status;
}
