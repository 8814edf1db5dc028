/*
 * conf.h - what the user asked for: the table of options, the command line,
 * and a certificate's conf file, which has the same options by their long
 * names as key=value lines.
 */
#ifndef CONF_H
#define CONF_H

#include "buf.h"

enum { CONF_LIST = 64 };		/* entries of a repeatable option, names aside */

struct conf_list {
	unsigned n;
	const char *v[CONF_LIST];
};

/* Everything settable.  Texts point into argv, the environment or text. */
struct conf {
	/* kept in conf */
	unsigned names;
	const char *name[LIMIT_NAMES];	/* A-labels or addresses, canonical, no duplicates */
	const char *webroot, *hook, *challenge;
	struct conf_list env;		/* VAR=VALUE */
	const char *wait, *ready_hook;	/* wait: digits or 0 */
	int serial;
	const char *reload, *pre_hook, *post_hook, *fail_hook;
	struct conf_list deploy;
	struct conf_list server;
	const char *account;		/* label, or 0 */
	const char *key_type;
	int reuse_key;
	const char *csr, *key;
	const char *profile, *chain, *not_before, *not_after;
	const char *days;
	const char *mail;
	const char *ca_file, *proxy;	/* kept too: cron has no shell profile */
	/* not kept */
	const char *cert_name;		/* -N */
	int force, dry_run, exit_unchanged;
	/* global */
	const char *home, *user;
	int family;
	unsigned timeout, hook_timeout, jitter, interval;
	/* of single commands */
	int json, due, purge;
	const char *reason, *cert_key, *eab_kid, *eab_key, *account_key_type;
	unsigned server_at;		/* which of server is dealt with; those before it failed */
	int version, help;
	int kept;			/* options given that belong in conf */
	uint64_t given;			/* a bit for each row of conf_options */
	const char *env_ca_file, *env_proxy;	/* the two above, when from the environment */
	struct buf text;		/* memory for texts that are in no argv: the caller's */
};

/* Where an option's values go. */
enum conf_kind {
	CONF_FLAG,			/* int: 0 or 1 */
	CONF_TEXT,			/* const char * */
	CONF_DIGITS,			/* const char *, a number from min to max */
	CONF_NUMBER,			/* unsigned, from min to max */
	CONF_MANY,			/* struct conf_list: may be repeated */
	CONF_NAMES,			/* the names; on a command line the same as operands */
	CONF_ENV_FILE, CONF_FAMILY, CONF_VERBOSE	/* each its own way; min tells which */
};

/*
 * One row of the option table.  name: the long option and the conf key;
 * letter: short or 0; arg: its argument's name in usage, 0 for a flag;
 * commands: names of the commands that take it, space separated, "" for all.
 */
struct conf_option {
	const char *name;
	char letter;
	const char *arg;
	const char *commands;
	int kept;			/* stands in conf */
	const char *help;		/* a few words for the usage text */
	enum conf_kind kind;
	size_t at;			/* offset in struct conf */
	/* A value_check of value.h, or 0: any text but "". */
	const char *(*check)(struct buf *text, const char *value, const char **why);
	unsigned min, max;
};
extern const struct conf_option conf_options[];
extern const size_t conf_options_count;
const struct conf_option *conf_find(struct slice name);	/* by its long name; 0 if unknown */
int conf_takes(const struct conf_option *o, const char *command);	/* 1 or 0 */

void conf_init(struct conf *c, void *mem, size_t cap);	/* defaults, ACME_HOME, SSL_CERT_FILE, HTTPS_PROXY */
/*
 * Checks what conf_init() took from the environment and no option replaced,
 * the proxy only if the network is wanted.  0, or ST_CONFIG with the reason printed.
 */
int conf_environment(struct conf *c, int network);

/* Checks and stores one value of an option ("" for a flag), which must live as long as c; 0, or -1 and *why. */
int conf_put(struct conf *c, const struct conf_option *o, const char *value, const char **why);
/*
 * What several options have to be together: webroot or hook; wildcards by
 * dns-01 only, addresses not by it; a foreign request or a key; validity that
 * ends after it begins.  0, or ST_USAGE, printed.
 */
int conf_check(const struct conf *c);

/* Sets one option by its long name, as from a conf file; 0, or -1 and a static text in *why. */
int conf_set(struct conf *c, const char *name, const char *value, const char **why);
/* Adds one name: folded, checked, IP addresses canonical (RFC 5952), duplicates dropped; 0, or -1 and *why. */
int conf_add_name(struct conf *c, const char *name, const char **why);

/*
 * Sets in c all kept options that over has: the command line over the conf
 * file; what over has from the environment fills gaps only.
 */
void conf_merge(struct conf *c, const struct conf *over);
/* The i-th value of a kept option, as text; 0 if there is none. */
const char *conf_get(const struct conf *c, const struct conf_option *o, unsigned i);
/* Appends such a value with its secrets replaced (variables, a proxy's password). */
void conf_masked(struct buf *b, const struct conf_option *o, const char *value);

/* A conf file's text; unknown keys are warned of.  0, or ST_CONFIG with the reason printed. */
int conf_read(struct conf *c, struct slice text, const char *where);
void conf_write(struct buf *b, const struct conf *c);	/* all kept options that are set */
/*
 * 1 if both would obtain the same certificate: names as a set, key type, CA,
 * profile, chain, foreign request.  server: the directory URL that the live one
 * came from, which is to be among those of a; "" if that is not known.
 */
int conf_same_certificate(const struct conf *a, const struct conf *b, const char *server);

/*
 * The directory URL of the CA dealt with (server_at), for the key type and --dry-run; 0 if
 * a dry run is wanted and the CA has no staging directory.
 */
const char *conf_directory(const struct conf *c);
/* The same for the server with that index, of conf_servers(), at least 1. */
const char *conf_directory_at(const struct conf *c, unsigned at);
unsigned conf_servers(const struct conf *c);
int conf_server(const struct conf *c, struct slice directory);	/* the index of that URL, -1 none */

/* The number of a revocation reason (RFC 5280 5.3.1) by its keyword, any case; -1 if unknown. */
int conf_reason(const char *keyword);
/* A whole file outside of HOME, appended to b: 0, or -1 and errno (EFBIG: does not fit). */
int conf_file(const char *path, struct buf *b);

/* 1 if a name like "a.b" is covered by a "*.b" of c. */
int conf_covered(const struct conf *c, const char *name);

#endif
