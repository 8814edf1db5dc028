/* The command line: what is understood, what is refused, and how. */
#include <stdlib.h>
#include <unistd.h>

#include "../tap.h"
#include "../../args.c"

static char mem[2 * LIMIT_CONF];
static struct conf c;
static const char *command, *operand[LIMIT_NAMES];
static unsigned operands;
static char said[4096];

/* What was printed on stderr since the last call, in said. */
static void
listen(void)
{
	static FILE *f;
	ssize_t n;

	if (!f) {
		f = tmpfile();
		dup2(fileno(f), 2);
	}
	n = pread(2, said, sizeof(said) - 1, 0);
	said[n > 0 ? n : 0] = 0;
	if (ftruncate(2, 0) < 0)
		exit(1);
	lseek(2, 0, SEEK_SET);
}

static int
known(const char *name)
{
	return strcmp(name, "nonsense") != 0;
}

/* Parses a command line of words separated by '|'. */
static int
parse(const char *line)
{
	static char text[8192];
	static char *argv[256];
	int argc = 1, status;
	char *p;

	snprintf(text, sizeof(text), "%s", line);
	argv[0] = (char *)"acme";
	for (p = text; *line; p++) {
		argv[argc++] = p;
		p = p + strcspn(p, "|");
		if (!*p)
			break;
		*p = 0;
	}
	argv[argc] = 0;
	conf_init(&c, mem, sizeof(mem));
	verbose = 0;
	status = args_parse(&c, argc, argv, known, &command, operand, LIMIT_NAMES, &operands);
	listen();
	return status;
}

static const struct {
	const char *line;
	const char *command, *first;
	unsigned operands;
	const char *webroot, *hook;
} lines[] = {
	{ "issue|a.b|-w|/x", "issue", "a.b", 1, "/x", 0 },
	{ "issue|-w/x|a.b", "issue", "a.b", 1, "/x", 0 },
	{ "issue|--webroot|/x|a.b", "issue", "a.b", 1, "/x", 0 },
	{ "issue|--webroot=/x|a.b|c.d", "issue", "a.b", 2, "/x", 0 },
	{ "-w|/x|issue|a.b", "issue", "a.b", 1, "/x", 0 },
	{ "issue|-d|a.b|-d|c.d|-w|/x", "issue", "a.b", 2, "/x", 0 },
	{ "issue|-da.b|--domain=c.d|e.f", "issue", "a.b", 3, 0, 0 },
	{ "issue|--|-w|/x", "issue", "-w", 2, 0, 0 },
	{ "issue|-", "issue", "-", 1, 0, 0 },
	{ "issue|-fnx|-w|-x|a", "issue", "a", 1, "", 0 },
	{ "issue|-fw/x|a", "issue", "a", 1, "/x", 0 },
	{ "issue|--webroot=/x=y|a", "issue", "a", 1, "/x=y", 0 },
	{ "issue|-c|standalone:[::1]:80|a", "issue", "a", 1, 0, "standalone:[::1]:80" },
	{ "issue|-c|/h/x|a", "issue", "a", 1, 0, "/h/x" },
	{ "hook|webroot|begin|-w|-x", "hook", "webroot", 4, 0, 0 },
	{ "-v|hook|webroot|-h", "hook", "webroot", 2, 0, 0 },
	{ "list", "list", "", 0, 0, 0 },
	{ "", "", "", 0, 0, 0 },
};

static void
command_lines(void)
{
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		ok(parse(lines[i].line) == 0, lines[i].line);
		is_str(command ? command : "", lines[i].command, "the command");
		is_str(operands ? operand[0] : "", lines[i].first, "the first operand");
		ok(operands == lines[i].operands, "the number of operands");
		if (!lines[i].webroot || lines[i].webroot[0])
			is_str(c.webroot ? c.webroot : "", lines[i].webroot ? lines[i].webroot : "",
			    "the webroot");
		is_str(c.hook ? c.hook : "", lines[i].hook ? lines[i].hook : "", "the hook");
	}
}

/* Each is refused with that status and one line that holds the text. */
static const struct {
	const char *line;
	int status;
	const char *text;
} refused[] = {
	{ "nonsense|--nonsense", ST_USAGE, "no such command: nonsense; try: acme -h" },
	{ "issue|--nonsense", ST_USAGE, "unknown option --nonsense; try: acme issue -h" },
	{ "issue|--webroo=/x", ST_USAGE, "unknown option --webroo" },
	{ "issue|-Z", ST_USAGE, "unknown option -Z" },
	{ "issue|-fZ", ST_USAGE, "unknown option -Z" },
	{ "issue|-w", ST_USAGE, "--webroot: DIR is missing" },
	{ "issue|--webroot", ST_USAGE, "--webroot: DIR is missing" },
	{ "issue|--webroot=", ST_USAGE, "--webroot: is empty" },
	{ "issue|-w|", ST_USAGE, "--webroot: is empty" },
	{ "issue|-w|/x|-w|/y", ST_USAGE, "--webroot /y: given twice" },
	{ "issue|--force=yes", ST_USAGE, "--force takes no value" },
	{ "issue|-w|/a\nb", ST_USAGE, "has a line break" },
	{ "issue|-r|echo\rx", ST_USAGE, "has a line break" },
	{ "issue|-4|-6", ST_USAGE, "exclude each other" },
	{ "issue|-t|http-02", ST_USAGE, "the types are" },
	{ "issue|-t|http-01,", ST_USAGE, "the types are" },
	{ "issue|-t|,", ST_USAGE, "the types are" },
	{ "issue|-k|rsa1024", ST_USAGE, "the types are ec256" },
	{ "issue|-s|letsencrypt|-s|zerossl|-s|nobody", ST_USAGE, "no CA of that name" },
	{ "issue|--profile|a b", ST_USAGE, "a space" },
	{ "issue|--account|../x", ST_USAGE, "a label has" },
	{ "issue|--not-after|tomorrow", ST_USAGE, "neither a time" },
	{ "issue|-s|buypass", ST_USAGE, "ended on 2025-10-31" },
	{ "issue|-s|harica", ST_USAGE, "one directory for each customer" },
	{ "issue|-s|nobody", ST_USAGE, "no CA of that name" },
	{ "issue|-N|../x", ST_USAGE, "not fit" },
	{ "issue|-m|nobody", ST_USAGE, "not a mail address" },
	{ "issue|-m|a@b\"", ST_USAGE, "not a mail address" },
	{ "issue|-m|a@b@c", ST_USAGE, "not a mail address" },
	{ "revoke|--reason|boredom", ST_USAGE, "the reasons are" },
	{ "issue|--proxy|https://p:1", ST_USAGE, "--proxy: not http://HOST:PORT" },
	{ "issue|--proxy|http://secret@p:x", ST_USAGE, "--proxy: not" },
	{ "issue|--proxy|http://p/path", ST_USAGE, "--proxy: not" },
	{ "issue|-e|CONF_TEST_UNSET", ST_USAGE, "--env: not set in the environment" },
	{ "issue|-e|CONF_TEST_LINES", ST_USAGE, "--env: its value has a line break" },
	{ "issue|-e|LD_PRELOAD=/secret", ST_USAGE, "--env: not a variable" },
	{ "issue|-e|=secret", ST_USAGE, "--env: not a variable" },
	{ "issue|-e|ACME_HOME=secret", ST_USAGE, "--env: not a variable" },
	{ "issue|--env-file|/nonexistent/file", ST_CONFIG, "cannot be read: No such file" },
	{ "issue|--env-file|/", ST_CONFIG, "cannot be read: Is a directory" },
	{ "issue|--env-file|/dev/zero", ST_CONFIG, "cannot be read: File too large" },
};

static void
refusals(void)
{
	size_t i;

	setenv("CONF_TEST_LINES", "secret\nsecret", 1);
	unsetenv("CONF_TEST_UNSET");
	for (i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		ok(parse(refused[i].line) == refused[i].status, "a bad command line is refused");
		if (!ok(strstr(said, refused[i].text) && strchr(said, '\n') == said + strlen(said) - 1,
		    "one line says why"))
			printf("# got '%s'\n# want '%s'\n", said, refused[i].text);
		ok(!strstr(said, "secret"), "no secret is printed");
	}
}

static const char *const numbers[] = { "", "-1", "+1", "0x1", " 3", "3 ", "1e9", "1.5",
	"86401", "2147483648", "4294967297", "18446744073709551616", "999999999999999999999", "a" };

static const char *const urls[] = { "http://ca.example/d", "file:///d", "https://", "https:///d",
	"https://user@ca.example/d", "https://u:p@ca.example/d", "https://ca.example:0/d",
	"https://ca.example:65536/d", "https://ca.example/d#f", "https://ca.example/d\r\nX: y",
	"https://ca.example/a b", "https://ca.example\\d", "HTTPS", "ftp://ca.example/",
	"https//ca.example", "javascript:alert(1)" };

static void
values(void)
{
	static char line[8192];
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		snprintf(line, sizeof(line), "issue|--timeout=%s", numbers[i]);
		ok(parse(line) == ST_USAGE, "a bad number is refused");
		snprintf(line, sizeof(line), "issue|--wait|%s", numbers[i]);
		ok(parse(line) == ST_USAGE, "a bad number is refused");
	}
	ok(parse("issue|--timeout|86400|--wait|0|--days|3650") == 0, "good numbers");
	ok(c.timeout == 86400, "a number arrives");
	is_str(c.wait, "0", "a kept number stays text");
	ok(parse("issue|--timeout|0") == ST_USAGE, "below the minimum");
	for (i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
		snprintf(line, sizeof(line), "issue|-s|%s", urls[i]);
		if (!ok(parse(line) == ST_USAGE, "a bad server is refused"))
			printf("# %s\n", urls[i]);
	}
	memset(line, 'a', 4200);
	memcpy(line, "issue|-s|https://ca.example/", 28);
	line[4200] = 0;
	ok(parse(line) == ST_USAGE, "a URL of 4 KiB is refused");
	ok(parse("issue|-s|https://localhost:14000/dir") == 0, "a private CA");
	is_str(conf_directory(&c), "https://localhost:14000/dir", "has its URL as it was given");
	ok(parse("issue|-s|LetsEncrypt_Test") == 0, "an alias");
	is_str(c.server.v[0], "letsencrypt-staging", "is kept as the CA's name");
	ok(parse("issue|-k|ec-384") == 0, "acme.sh's key type");
	is_str(c.key_type, "ec384", "is kept as ours");
	ok(parse("issue|-vv") == 0 && verbose == 2, "-vv");
	ok(parse("issue|-q|-v") == 0 && verbose == 1, "-q -v");
}

static void
environment(void)
{
	FILE *f;

	setenv("CONF_TEST", "v w", 1);
	ok(parse("issue|-e|CONF_TEST|-e|B=|-e|C=d=e") == 0, "variables");
	ok(c.env.n == 3, "all of them");
	is_str(c.env.v[0], "CONF_TEST=v w", "a value from the environment");
	is_str(c.env.v[1], "B=", "an empty value");
	is_str(c.env.v[2], "C=d=e", "a value with '='");
	ok(parse("issue|-e|A=1|-e|AB=1|-e|A=2") == 0 && c.env.n == 2, "the last one counts");
	is_str(c.env.v[1], "A=2", "the last one");

	f = fopen("conf_test.env", "w");
	fputs("# comment\n\nA=1\r\nB= two \nC=\"x\"", f);
	fclose(f);
	ok(parse("issue|--env-file|conf_test.env") == 0 && c.env.n == 3, "an env file");
	is_str(c.env.v[0], "A=1", "CR LF");
	is_str(c.env.v[1], "B= two ", "spaces are part of the value");
	is_str(c.env.v[2], "C=\"x\"", "the last line needs no end");
	ok(c.kept == 1, "counts as kept");
	f = fopen("conf_test.env", "w");
	fputs("A=1\nsecret\n", f);
	fclose(f);
	ok(parse("issue|--env-file|conf_test.env") == ST_CONFIG, "a line without '='");
	ok(strstr(said, "line 2: not VAR=VALUE") && !strstr(said, "secret"), "is named by number");
	unlink("conf_test.env");

	setenv("ACME_HOME", "rel", 1);
	setenv("SSL_CERT_FILE", "./ca.pem", 1);
	setenv("HTTPS_PROXY", "proxy.example:8080", 1);
	ok(parse("issue") == 0, "from the environment");
	ok(c.home[0] == '/' && strcmp(c.home + strlen(c.home) - 4, "/rel") == 0, "an absolute home");
	ok(c.ca_file[0] == '/' && strcmp(c.ca_file + strlen(c.ca_file) - 7, "/ca.pem") == 0,
	    "an absolute file of roots");
	is_str(c.proxy, "http://proxy.example:8080", "a proxy without scheme");
	ok(c.kept == 0, "nothing was given");
	ok(parse("issue|--proxy|http://u:p@other:1|--ca-file|/r.pem") == 0, "options win");
	is_str(c.proxy, "http://u:p@other:1", "the proxy");
	is_str(c.ca_file, "/r.pem", "the roots");
	setenv("HTTPS_PROXY", "socks5://x", 1);
	ok(parse("issue") == ST_CONFIG && strstr(said, "HTTPS_PROXY: "), "a bad variable is named");
	unsetenv("HTTPS_PROXY");
	unsetenv("SSL_CERT_FILE");
	unsetenv("ACME_HOME");
}

static void
relative_paths(void)
{
	char cwd[512], want[600];

	if (!getcwd(cwd, sizeof(cwd)))
		exit(1);
	snprintf(want, sizeof(want), "%s/www", strcmp(cwd, "/") == 0 ? "" : cwd);
	ok(parse("issue|-w|./www|--ready-hook|./www|-l|./www|-l|name|--key|www|--ca-file|www") == 0,
	    "relative paths");
	is_str(c.webroot, want, "webroot is made absolute");
	is_str(c.ready_hook, want, "ready hook");
	is_str(c.deploy.v[0], want, "deploy hook");
	is_str(c.deploy.v[1], "name", "but no bare name");
	is_str(c.key, want, "key");
	is_str(c.ca_file, want, "roots");
	ok(parse("issue|-w|.") == 0, "the directory itself");
	snprintf(want, sizeof(want), "%s/.", cwd);
	ok(c.webroot[0] == '/', "is absolute too");
}

static void
many(void)
{
	static char line[16384];
	unsigned i;

	strcpy(line, "issue");
	for (i = 0; i <= CONF_LIST; i++)
		strcat(line, "|-l|/x");
	ok(parse(line) == ST_USAGE && strstr(said, "more than 64"), "a list has a limit");
	strcpy(line, "issue");
	for (i = 0; i <= LIMIT_NAMES; i++)
		strcat(line, "|x");
	ok(parse(line) == ST_USAGE && strstr(said, "more names than issue takes"), "operands have one");
}

static void
allowed(void)
{
	ok(parse("issue|-c|/x") == 0 && args_allowed(&c, "issue") == 0, "issue takes --hook");
	ok(parse("renew|-d|a") == 0 && args_allowed(&c, "renew") == 0, "renew takes -d");
	ok(parse("-v|list|-H|/x") == 0 && args_allowed(&c, "list") == 0, "every command takes --home");
	ok(parse("list|-w|/x") == 0 && args_allowed(&c, "list") == ST_USAGE, "list does not take --webroot");
	listen();
	is_str(said, "acme: list takes no --webroot; try: acme list -h\n", "and says so");
}

int
main(void)
{
	listen();
	unsetenv("HTTPS_PROXY");
	unsetenv("https_proxy");
	unsetenv("SSL_CERT_FILE");
	unsetenv("ACME_HOME");
	command_lines();
	refusals();
	values();
	environment();
	relative_paths();
	many();
	allowed();
	return tap_done();
}
