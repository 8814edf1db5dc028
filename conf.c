/*
 * conf.c - the options: their table, a certificate's conf file, and what
 * several options are together.  Invariants: every value in a struct conf has
 * passed the check of its row, and none holds a line break; a value of --env
 * is never printed.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ca.h"
#include "conf.h"
#include "key.h"
#include "name.h"
#include "store.h"
#include "util.h"
#include "value.h"

enum { FILE_WAIT = 10000 };	/* ms for a pipe to deliver */

#define ORDER "issue renew"
#define AT(field) offsetof(struct conf, field)

const struct conf_option conf_options[] = {
	{ "domain", 'd', "NAME", "issue renew csr revoke remove show path", 1,
	  "the same as an operand", CONF_NAMES, AT(name), 0, 0, 0 },
	{ "webroot", 'w', "DIR", ORDER, 1,
	  "answer http-01 by files below DIR", CONF_TEXT, AT(webroot), value_path, 0, 0 },
	{ "hook", 'c', "PROG", ORDER, 1,
	  "challenge hook: a file, or standalone, tls-alpn", CONF_TEXT, AT(hook), value_program, 0, 0 },
	{ "challenge", 't', "TYPES", ORDER " account", 1,
	  "challenge types, comma separated, best first", CONF_TEXT, AT(challenge), value_types, 0, 0 },
	{ "env", 'e', "VAR[=VALUE]", ORDER, 1,
	  "variable for hooks; without VALUE, as it is now", CONF_MANY, AT(env), value_env, 0, 0 },
	{ "env-file", 0, "FILE", ORDER, 0,
	  "variables for hooks, lines VAR=VALUE", CONF_ENV_FILE, 0, 0, 0, 0 },
	{ "wait", 0, "SECONDS", ORDER, 1,
	  "wait so long before the CA is told", CONF_DIGITS, AT(wait), 0, 0, 86400 },
	{ "ready-hook", 0, "PROG", ORDER, 1,
	  "run PROG, which may wait, before the CA is told", CONF_TEXT, AT(ready_hook), value_program, 0, 0 },
	{ "serial", 0, 0, ORDER, 1,
	  "one authorization after the other", CONF_FLAG, AT(serial), 0, 0, 0 },
	{ "reload", 'r', "CMD", ORDER, 1,
	  "shell text to run after files changed", CONF_TEXT, AT(reload), 0, 0, 0 },
	{ "pre-hook", 0, "CMD", ORDER, 1,
	  "shell text to run before the challenges", CONF_TEXT, AT(pre_hook), 0, 0, 0 },
	{ "post-hook", 0, "CMD", ORDER, 1,
	  "shell text to run after the challenges", CONF_TEXT, AT(post_hook), 0, 0, 0 },
	{ "deploy-hook", 'l', "PROG", ORDER, 1,
	  "program to run after files changed; repeatable", CONF_MANY, AT(deploy), value_program, 0, 0 },
	{ "fail-hook", 0, "PROG", ORDER, 1,
	  "program to run when a renewal fails", CONF_TEXT, AT(fail_hook), value_program, 0, 0 },
	{ "server", 's', "CA", ORDER " revoke account", 1,
	  "a name of `acme cas`, or its URL; repeatable", CONF_MANY, AT(server), value_server, 0, 0 },
	{ "account", 0, "LABEL", ORDER " revoke account", 1,
	  "which account at the CA", CONF_TEXT, AT(account), value_label, 0, 0 },
	{ "key-type", 'k', "TYPE", ORDER " csr", 1,
	  "ec256 (default) ec384 rsa2048 rsa3072 rsa4096", CONF_TEXT, AT(key_type), value_key_type, 0, 0 },
	{ "reuse-key", 0, 0, ORDER, 1,
	  "keep the key at renewal", CONF_FLAG, AT(reuse_key), 0, 0, 0 },
	{ "key", 0, "FILE", ORDER " csr account", 1,
	  "use the private key in FILE", CONF_TEXT, AT(key), value_path, 0, 0 },
	{ "csr", 0, "FILE", ORDER, 1,
	  "have this request signed; no key is needed here", CONF_TEXT, AT(csr), value_path, 0, 0 },
	{ "profile", 'p', "NAME", ORDER, 1,
	  "certificate profile of the CA", CONF_TEXT, AT(profile), value_word, 0, 0 },
	{ "chain", 0, "CN", ORDER, 1,
	  "prefer the chain with an issuer of this name", CONF_TEXT, AT(chain), 0, 0, 0 },
	{ "not-before", 0, "TIME", ORDER, 1,
	  "validity: 2027-01-31T12:00:00Z, or +30d from now", CONF_TEXT, AT(not_before), value_when, 0, 0 },
	{ "not-after", 0, "TIME", ORDER, 1,
	  "likewise, where the CA allows it", CONF_TEXT, AT(not_after), value_when, 0, 0 },
	{ "days", 0, "N", ORDER, 1,
	  "renew when fewer days are left", CONF_DIGITS, AT(days), 0, 1, 3650 },
	{ "force", 'f', 0, ORDER, 0,
	  "renew now", CONF_FLAG, AT(force), 0, 0, 0 },
	{ "dry-run", 'n', 0, ORDER, 0,
	  "try at the CA's staging directory, keep nothing", CONF_FLAG, AT(dry_run), 0, 0, 0 },
	{ "name", 'N', "NAME", "issue", 0,
	  "name of the certificate, if not its first name", CONF_TEXT, AT(cert_name), value_cert_name, 0, 0 },
	{ "exit-unchanged", 'x', 0, ORDER, 0,
	  "exit status 2 when nothing was due", CONF_FLAG, AT(exit_unchanged), 0, 0, 0 },

	{ "reason", 0, "WORD", "revoke", 0,
	  "keyCompromise superseded cessationOfOperation ...", CONF_TEXT, AT(reason), value_reason, 0, 0 },
	{ "cert-key", 0, "FILE", "revoke", 0,
	  "sign with the certificate's own key", CONF_TEXT, AT(cert_key), value_path, 0, 0 },
	{ "eab-kid", 0, "ID", "issue account", 0,
	  "external account binding: key id", CONF_TEXT, AT(eab_kid), value_word, 0, 0 },
	{ "eab-key", 0, "FILE", "issue account", 0,
	  "... and a file with its key; - is standard input", CONF_TEXT, AT(eab_key), value_input, 0, 0 },
	{ "interval", 0, "SECONDS", "renew", 0,
	  "how often renew runs (86400)", CONF_NUMBER, AT(interval), 0, 60, 30 * 86400 },
	{ "account-key-type", 0, "TYPE", "issue account", 0,
	  "key type of a new account", CONF_TEXT, AT(account_key_type), value_key_type, 0, 0 },
	{ "json", 'j', 0, "list show cert cas account", 0,
	  "JSON output", CONF_FLAG, AT(json), 0, 0, 0 },
	{ "due", 0, 0, "list", 0,
	  "only what is due", CONF_FLAG, AT(due), 0, 0, 0 },
	{ "purge", 0, 0, "remove", 0,
	  "delete, keep nothing in trash/", CONF_FLAG, AT(purge), 0, 0, 0 },

	{ "home", 'H', "DIR", "", 0,
	  "state directory", CONF_TEXT, AT(home), value_path, 0, 0 },
	{ "mail", 'm', "MAIL", "", 1,
	  "contact address of the account", CONF_TEXT, AT(mail), value_mail, 0, 0 },
	{ "ca-file", 0, "FILE", "", 1,
	  "trust these roots only (PEM)", CONF_TEXT, AT(ca_file), value_path, 0, 0 },
	{ "proxy", 0, "URL", "", 1,
	  "http:// proxy to go through", CONF_TEXT, AT(proxy), value_proxy, 0, 0 },
	{ "ipv4", '4', 0, "", 0,
	  "only IPv4", CONF_FAMILY, 0, 0, 4, 0 },
	{ "ipv6", '6', 0, "", 0,
	  "only IPv6", CONF_FAMILY, 0, 0, 6, 0 },
	{ "timeout", 0, "SECONDS", "", 0,
	  "for all dealings with the CA (300)", CONF_NUMBER, AT(timeout), 0, 1, 86400 },
	{ "hook-timeout", 0, "SECONDS", "", 0,
	  "for each hook (600)", CONF_NUMBER, AT(hook_timeout), 0, 1, 86400 },
	{ "jitter", 0, "SECONDS", "", 0,
	  "sleep a random time first, at most so long", CONF_NUMBER, AT(jitter), 0, 0, 86400 },
	{ "user", 0, "NAME", "", 0,
	  "whom the responder becomes (nobody)", CONF_TEXT, AT(user), 0, 0, 0 },
	{ "quiet", 'q', 0, "", 0,
	  "errors only; list: bare names", CONF_VERBOSE, 0, 0, 0, 0 },
	{ "verbose", 'v', 0, "", 0,
	  "say what is done; twice: bodies too", CONF_VERBOSE, 0, 0, 1, 0 },
	{ "help", 'h', 0, "", 0,
	  "this text", CONF_FLAG, AT(help), 0, 0, 0 },
	{ "version", 'V', 0, "", 0,
	  "version", CONF_FLAG, AT(version), 0, 0, 0 },
};
const size_t conf_options_count = sizeof(conf_options) / sizeof(*conf_options);

/* Built-in hooks and what they answer. */
static const struct {
	const char *name;
	unsigned bits;
} builtin[] = {
	{ "webroot", VALUE_HTTP }, { "standalone", VALUE_HTTP }, { "tls-alpn", VALUE_ALPN },
};

static void *
field(struct conf *c, const struct conf_option *o)
{
	return (char *)c + o->at;
}

static const void *
stored(const struct conf *c, const struct conf_option *o)
{
	return (const char *)c + o->at;
}

const struct conf_option *
conf_find(struct slice name)
{
	size_t i;

	for (i = 0; i < conf_options_count; i++)
		if (slice_is(name, conf_options[i].name))
			return conf_options + i;
	return 0;
}

int
conf_takes(const struct conf_option *o, const char *command)
{
	const char *p = o->commands;
	struct slice word;

	if (!*p)
		return 1;
	for (;; p += word.n + 1) {
		word.p = p;
		word.n = strcspn(p, " ");
		if (slice_is(word, command))
			return 1;
		if (!p[word.n])
			return 0;
	}
}

int
conf_add_name(struct conf *c, const char *name, const char **why)
{
	char folded[LIMIT_NAME + 1];
	unsigned i;

	*why = name_canonical(name, folded);
	if (*why)
		return -1;
	for (i = 0; i < c->names; i++)
		if (strcmp(c->name[i], folded) == 0)
			return 0;
	if (c->names == LIMIT_NAMES) {
		*why = "more than 100 names in one certificate";
		return -1;
	}
	c->name[c->names] = value_keep(&c->text, slice(folded), why);
	if (!c->name[c->names])
		return -1;
	c->names++;
	return 0;
}

int
conf_covered(const struct conf *c, const char *name)
{
	unsigned i;

	for (i = 0; i < c->names; i++)
		if (name_covers(c->name[i], name))
			return 1;
	return 0;
}

/* A variable set again replaces the one before. */
static void
env_drop(struct conf_list *list, const char *line)
{
	size_t n = strcspn(line, "=") + 1;
	unsigned i, left = 0;

	for (i = 0; i < list->n; i++)
		if (strncmp(list->v[i], line, n) != 0)
			list->v[left++] = list->v[i];
	list->n = left;
}

static int
append(struct conf *c, const struct conf_option *o, const char *text, const char **why)
{
	struct conf_list *list = field(c, o);

	if (o->check == value_env)
		env_drop(list, text);
	*why = "more than 64 of it";
	if (list->n == CONF_LIST)
		return -1;
	list->v[list->n++] = text;
	return 0;
}

/* One line; the file may come from a person: CR, blank lines, comments. */
static int
env_line(struct conf *c, struct slice line, const char **why)
{
	const char *text;

	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	if (line.n == 0 || *line.p == '#')
		return 0;
	*why = "not VAR=VALUE";
	if (!memchr(line.p, '=', line.n) || memchr(line.p, 0, line.n))
		return -1;
	text = value_keep(&c->text, line, why);
	return text ? conf_put(c, conf_find(slice("env")), text, why) : -1;
}

static int
env_file(struct conf *c, const char *path, const char **why)
{
	static char mem[LIMIT_CONF] LARGE;
	char digits[12], reason[200];
	struct buf b = BUF(mem), n = BUF(digits);
	struct slice rest, line;
	const char *end;
	unsigned number = 0;
	int status = 0;

	if (conf_file(path, &b) < 0) {
		*why = value_say("cannot be read: ", strerror(errno), (char *)0);
		return -1;
	}
	for (rest = buf_view(&b); rest.n && !status; rest.n -= line.n, rest.p += line.n) {
		number++;
		end = memchr(rest.p, '\n', rest.n);
		line.p = rest.p;
		line.n = end ? (size_t)(end - rest.p) : rest.n;
		status = env_line(c, line, why);
		line.n += end != 0;
	}
	wipe(mem, sizeof(mem));
	if (status) {
		buf_uint(&n, number);
		slice_copy(slice(*why), reason, sizeof(reason));
		*why = value_say("line ", buf_text(&n), ": ", reason, (char *)0);
	}
	return status;
}

static int
set_family(struct conf *c, int family, const char **why)
{
	*why = "-4 and -6 exclude each other";
	if (c->family && c->family != family)
		return -1;
	c->family = family;
	return 0;
}

static int
set_number(struct conf *c, const struct conf_option *o, const char *text, const char **why)
{
	uint64_t v;

	if (!value_number(text, o->min, o->max, why) || slice_uint(slice(text), &v) < 0)
		return -1;
	if (o->kind == CONF_NUMBER)
		*(unsigned *)field(c, o) = (unsigned)v;
	else
		*(const char **)field(c, o) = text;
	return 0;
}

int
conf_put(struct conf *c, const struct conf_option *o, const char *value, const char **why)
{
	*why = "is empty";
	if (o->arg && !*value)
		return -1;
	*why = "has a line break";
	if (strpbrk(value, "\r\n"))
		return -1;
	if (o->check && (value = o->check(&c->text, value, why)) == 0)
		return -1;
	switch (o->kind) {
	case CONF_FLAG:
		*(int *)field(c, o) = 1;
		return 0;
	case CONF_TEXT:
		*(const char **)field(c, o) = value;
		return 0;
	case CONF_DIGITS:
	case CONF_NUMBER:
		return set_number(c, o, value, why);
	case CONF_MANY:
		return append(c, o, value, why);
	case CONF_NAMES:
		return conf_add_name(c, value, why);
	case CONF_ENV_FILE:
		return env_file(c, value, why);
	case CONF_FAMILY:
		return set_family(c, (int)o->min, why);
	case CONF_VERBOSE:
		verbose = !o->min ? -1 : verbose < 0 ? 1 : verbose + 1;
		return 0;
	}
	return -1;
}

/* One value of a kept option as from a conf file. */
static int
put_kept(struct conf *c, const struct conf_option *o, const char *value, const char **why)
{
	if (o->kind == CONF_FLAG && strcmp(value, "no") == 0)
		return 0;
	*why = "neither yes nor no";
	if (o->kind == CONF_FLAG && strcmp(value, "yes") != 0)
		return -1;
	*why = "not an absolute path";
	if ((o->check == value_path && *value != '/') ||
	    (o->check == value_program && *value != '/' && strchr(value, '/')))
		return -1;
	*why = "not VAR=VALUE";
	if (o->check == value_env && !strchr(value, '='))
		return -1;
	return conf_put(c, o, value, why);
}

int
conf_set(struct conf *c, const char *name, const char *value, const char **why)
{
	const struct conf_option *o = conf_find(slice(name));

	*why = "unknown";
	if (!o || !o->kept)
		return -1;
	value = value_keep(&c->text, slice(value), why);
	return value ? put_kept(c, o, value, why) : -1;
}

int
conf_reason(const char *keyword)
{
	return value_reason_code(keyword);
}

void
conf_init(struct conf *c, void *mem, size_t cap)
{
	const char *home = getenv("HOME"), *proxy = getenv("HTTPS_PROXY");
	const char *start = mem, *file = getenv("SSL_CERT_FILE");

	memset(c, 0, sizeof(*c));
	buf_init(&c->text, mem, cap);
	c->timeout = 300;
	c->hook_timeout = 600;
	c->interval = 86400;
	c->home = getenv("ACME_HOME");
	if (!c->home || !*c->home) {
		c->home = geteuid() == 0 ? "/etc/acme" : 0;
		if (!c->home && home && strlen(home) >= LIMIT_PATH) {
			c->home = home;		/* too long, as conf_environment() says */
		} else if (!c->home && home && *home) {
			buf_all(&c->text, home, "/.acme", (char *)0);
			buf_char(&c->text, 0);
			c->home = start;
		}
	}
	if (!proxy || !*proxy)
		proxy = getenv("https_proxy");
	if (proxy && *proxy)
		c->proxy = c->env_proxy = proxy;
	if (file && *file)
		c->ca_file = c->env_ca_file = file;
}

int
conf_environment(struct conf *c, int network)
{
	static const struct {
		const char *option, *variable;
	} rows[] = {
		{ "home", "ACME_HOME or HOME" }, { "ca-file", "SSL_CERT_FILE" },
		{ "proxy", "HTTPS_PROXY" },
	};
	const struct conf_option *o;
	const char *why, *value;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		o = conf_find(slice(rows[i].option));
		value = *(const char **)field(c, o);
		if (!value || c->given & (uint64_t)1 << (o - conf_options) ||
		    (o->check == value_proxy && !network))
			continue;
		if (conf_put(c, o, value, &why) < 0)
			return fail(ST_CONFIG, rows[i].variable, ": ", why, (char *)0);
	}
	if (c->env_ca_file)
		c->env_ca_file = c->ca_file;
	if (c->env_proxy)
		c->env_proxy = c->proxy;
	return 0;
}

/* What several options are together. */

/* The types that the hook and --challenge leave. */
static unsigned
possible(const struct conf *c)
{
	const char *hook = c->webroot ? "webroot" : c->hook ? c->hook : "";
	struct slice name = { hook, strcspn(hook, ":") };
	unsigned bits = c->challenge ? value_type_bits(c->challenge) :
	    VALUE_HTTP | VALUE_ALPN | VALUE_DNS;
	size_t i;

	/* a persistent record needs no hook, so is possible beside each */
	for (i = 0; i < sizeof(builtin) / sizeof(*builtin); i++)
		if (slice_is(name, builtin[i].name))
			bits &= builtin[i].bits | VALUE_PERSIST;
	return bits & VALUE_PERSIST ? bits | VALUE_DNS : bits;
}

static int
check_types(const struct conf *c)
{
	unsigned char address[16];
	unsigned i, bits = possible(c);

	if (!bits)
		return fail(ST_USAGE, "the hook answers no type that --challenge allows", (char *)0);
	for (i = 0; i < c->names; i++) {
		if (name_wildcard(c->name[i]) && !(bits & VALUE_DNS))
			return fail(ST_USAGE, c->name[i], ": a wildcard needs dns-01, "
			    "so a hook for DNS (--hook PROG)", (char *)0);
		if (name_address(c->name[i], address) && !(bits & (VALUE_HTTP | VALUE_ALPN)))
			return fail(ST_USAGE, c->name[i], ": an address needs http-01 "
			    "or tls-alpn-01", (char *)0);
	}
	return 0;
}

int
conf_check(const struct conf *c)
{
	int64_t now = now_wall(), start = c->not_before ? value_moment(c->not_before, now) : now;

	if (c->webroot && c->hook)
		return fail(ST_USAGE, "--webroot is a hook: not together with --hook", (char *)0);
	if (c->csr && (c->key || c->reuse_key || c->key_type))
		return fail(ST_USAGE, "--csr brings its own key: not together with --key, --reuse-key"
		    " or --key-type", (char *)0);
	if (c->not_after && value_moment(c->not_after, now) <= start)
		return fail(ST_USAGE, "--not-after is not later than ",
		    c->not_before ? "--not-before" : "now", (char *)0);
	return check_types(c);
}

unsigned
conf_servers(const struct conf *c)
{
	return c->server.n ? c->server.n : 1;
}

const char *
conf_directory_at(const struct conf *c, unsigned at)
{
	const char *server = c->server.n ? c->server.v[at] : cas[0].name;
	const struct ca *ca = ca_find(server);
	enum key_type type = c->key_type ? key_type(c->key_type) : KEY_EC256;

	if (c->dry_run)
		ca = ca && ca->staging ? ca_find(ca->staging) : 0;
	if (!ca)
		return c->dry_run ? 0 : server;
	if (strcmp(server, ca->name) != 0 && !c->dry_run)
		return server;
	return ca->url_ec && (type == KEY_EC256 || type == KEY_EC384) ? ca->url_ec : ca->url;
}

const char *
conf_directory(const struct conf *c)
{
	return conf_directory_at(c, c->server_at);
}

int
conf_server(const struct conf *c, struct slice directory)
{
	const char *url;
	unsigned i;

	for (i = 0; i < conf_servers(c); i++) {
		url = conf_directory_at(c, i);
		if (url && slice_is(directory, url))
			return (int)i;
	}
	return -1;
}

static int
same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

int
conf_same_certificate(const struct conf *a, const struct conf *b, const char *server)
{
	const char *type_a = a->key_type ? a->key_type : key_type_name(KEY_EC256);
	const char *type_b = b->key_type ? b->key_type : key_type_name(KEY_EC256);
	unsigned i, j;

	for (i = 0; i < a->names; i++) {
		for (j = 0; j < b->names; j++)
			if (strcmp(a->name[i], b->name[j]) == 0)
				break;
		if (j == b->names)
			return 0;
	}
	return a->names == b->names && same_text(type_a, type_b) &&
	    (*server ? conf_server(a, slice(server)) >= 0 :
	    same_text(conf_directory(a), conf_directory(b))) &&
	    same_text(a->profile, b->profile) && same_text(a->chain, b->chain) &&
	    same_text(a->csr, b->csr);
}

/* The conf file. */

const char *
conf_get(const struct conf *c, const struct conf_option *o, unsigned i)
{
	const struct conf_list *list;

	if (!o->kept)
		return 0;
	switch (o->kind) {
	case CONF_NAMES:
		return i < c->names ? c->name[i] : 0;
	case CONF_MANY:
		list = stored(c, o);
		return i < list->n ? list->v[i] : 0;
	case CONF_FLAG:
		return i == 0 && *(const int *)stored(c, o) ? "yes" : 0;
	case CONF_TEXT:
	case CONF_DIGITS:
		return i == 0 ? *(const char *const *)stored(c, o) : 0;
	default:
		return 0;
	}
}

void
conf_masked(struct buf *b, const struct conf_option *o, const char *value)
{
	const char *at = o->check == value_proxy ? strrchr(value, '@') : 0;

	if (o->check == value_env) {
		buf_mem(b, value, strcspn(value, "="));
		buf_str(b, "=***");
	} else if (at) {
		buf_all(b, "http://***", at, (char *)0);
	} else {
		buf_str(b, value);
	}
}

void
conf_write(struct buf *b, const struct conf *c)
{
	const struct conf_option *o;
	const char *value;
	unsigned i;

	for (o = conf_options; o < conf_options + conf_options_count; o++)
		for (i = 0; (value = conf_get(c, o, i)) != 0; i++)
			kv_put(b, o->name, slice(value));
}

/* "key = value", as a person may write it: without the spaces around '='. */
static void
trim(struct slice *key, struct slice *value)
{
	if (key->n == 0 || key->p[key->n - 1] != ' ')
		return;
	while (key->n && key->p[key->n - 1] == ' ')
		key->n--;
	while (value->n && *value->p == ' ') {
		value->p++;
		value->n--;
	}
}

int
conf_read(struct conf *c, struct slice text, const char *where)
{
	char name[64];
	struct slice key, value;
	const struct conf_option *o;
	const char *copy, *why;

	while (kv_next(&text, &key, &value) == 1) {
		trim(&key, &value);
		o = conf_find(key);
		if (slice_copy(key, name, sizeof(name)) < 0 || !o || !o->kept) {
			warn(where, ": unknown key ", name, (char *)0);
			continue;
		}
		copy = value_keep(&c->text, value, &why);
		if (copy && strlen(copy) != value.n)
			why = "has a NUL byte";
		else if (copy && put_kept(c, o, copy, &why) == 0)
			continue;
		return fail(ST_CONFIG, where, ": ", name, ": ", why, (char *)0);
	}
	return c->names ? 0 : fail(ST_CONFIG, where, ": there is no domain in it", (char *)0);
}

static int
from_environment(const struct conf *c, const struct conf_option *o)
{
	const char *value = conf_get(c, o, 0);

	return value && (value == c->env_ca_file || value == c->env_proxy);
}

void
conf_merge(struct conf *c, const struct conf *over)
{
	const struct conf_option *o;
	unsigned i;

	if (over->webroot || over->hook)
		c->webroot = c->hook = 0;
	for (o = conf_options; o < conf_options + conf_options_count; o++) {
		if (!conf_get(over, o, 0))
			continue;
		if (o->kind == CONF_NAMES) {
			for (i = 0; i < over->names; i++)
				c->name[i] = over->name[i];
			c->names = over->names;
		} else if (o->kind == CONF_MANY) {
			*(struct conf_list *)field(c, o) = *(const struct conf_list *)stored(over, o);
		} else if (o->kind == CONF_FLAG) {
			*(int *)field(c, o) = 1;
		} else if (!from_environment(over, o) || !conf_get(c, o, 0) || from_environment(c, o)) {
			*(const char **)field(c, o) = conf_get(over, o, 0);
		}
	}
}

/* As read(), but a pipe may take until the deadline. */
static ssize_t
read_until(int fd, void *p, size_t n, int64_t deadline)
{
	ssize_t r;

	for (;;) {
		r = read(fd, p, n);
		if (r >= 0 || (errno != EAGAIN && errno != EINTR))
			return r;
		switch (wait_fd(fd, POLLIN, deadline)) {
		case WAIT_READY:
			break;
		case WAIT_TIMEOUT:
			errno = ETIMEDOUT;
			return -1;
		case WAIT_SIGNAL:
			errno = EINTR;
			return -1;
		}
	}
}

int
conf_file(const char *path, struct buf *b)
{
	/* not blocking: a pipe that nobody writes to is empty */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), error = 0;
	int64_t deadline = now_ms() + FILE_WAIT;
	char spare;
	ssize_t n = 0;

	if (fd < 0)
		return -1;
	while (b->len < b->cap && (n = read_until(fd, b->p + b->len, b->cap - b->len, deadline)) > 0)
		b->len += (size_t)n;
	if (b->len == b->cap && (n = read_until(fd, &spare, 1, deadline)) > 0)
		error = EFBIG;
	else if (n < 0)
		error = errno;
	close(fd);
	errno = error;
	return error ? -1 : 0;
}
