/* The option table, the conf file's round trip, and options together. */
#include "../tap.h"
#include "../../conf.c"

static char mem[2 * LIMIT_CONF];
static struct conf c;
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

static void
table(void)
{
	const struct conf_option *o, *p, *end = conf_options + conf_options_count;
	int unique = 1, sound = 1;

	ok(conf_options_count < 64, "the rows fit the bits of struct conf");
	for (o = conf_options; o < end; o++) {
		for (p = o + 1; p < end; p++)
			if (strcmp(o->name, p->name) == 0 ||
			    (o->letter && o->letter == p->letter))
				unique = 0;
		if (!o->help[0] || strlen(o->help) > 50 ||
		    (o->kept && (o->kind == CONF_NUMBER || o->kind >= CONF_ENV_FILE)) ||
		    (o->kind == CONF_FLAG && o->arg))
			sound = 0;
	}
	ok(unique, "long names and letters are unique");
	ok(sound, "rows are sound");
}

/* Everything that was set is there again, byte by byte. */
static void
round_trip(void)
{
	static const char *const odd[] = {
		"a b", " leading", "trailing ", "'quote'", "\"double\"", "=", "a=b", "#", "# x", "\\",
		"\\n", "$(x) `y`", "\t", "\303\274", "\x7f", "key=value", ";|&<>*?[]", "  ",
	};
	static char mem2[2 * LIMIT_CONF], text[LIMIT_CONF], again[LIMIT_CONF], line[256];
	static struct conf d;
	struct buf b, b2;
	size_t i, j;

	for (i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		for (j = 0; j < sizeof(odd) / sizeof(*odd); j++) {
			const char *why;

			conf_init(&c, mem, sizeof(mem));
			snprintf(line, sizeof(line), "/%s", odd[i]);
			if (conf_set(&c, "domain", "*.a.example", &why) < 0 ||
			    conf_set(&c, "domain", "2001:DB8::1", &why) < 0 ||
			    conf_set(&c, "webroot", line, &why) < 0 ||
			    conf_set(&c, "reload", odd[j], &why) < 0 ||
			    conf_set(&c, "serial", "yes", &why) < 0 ||
			    conf_set(&c, "server", "letsencrypt", &why) < 0)
				break;
			snprintf(line, sizeof(line), "A=%s", odd[i]);
			if (conf_set(&c, "env", line, &why) < 0)
				break;
			snprintf(line, sizeof(line), "B=%s", odd[j]);
			if (conf_set(&c, "env", line, &why) < 0)
				break;
			buf_init(&b, text, sizeof(text));
			conf_write(&b, &c);
			conf_init(&d, mem2, sizeof(mem2));
			if (b.err || conf_read(&d, buf_view(&b), "conf") != 0)
				break;
			buf_init(&b2, again, sizeof(again));
			conf_write(&b2, &d);
			if (b.len != b2.len || memcmp(text, again, b.len) != 0 ||
			    strcmp(d.reload, odd[j]) != 0 || strcmp(d.env.v[0] + 2, odd[i]) != 0 ||
			    !conf_same_certificate(&c, &d, "") || d.names != 2 || !d.serial)
				break;
		}
		if (!ok(j == sizeof(odd) / sizeof(*odd), "odd values survive writing and reading"))
			printf("# '%s' '%s'\n", odd[i], odd[j]);
	}
	listen();
}

static int
read_text(const char *text)
{
	int status;

	conf_init(&c, mem, sizeof(mem));
	status = conf_read(&c, slice(text), "H/conf");
	listen();
	return status;
}

static void
conf_files(void)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{ "domain=a..b\n", "H/conf: domain: a label is empty" },
		{ "webroot=www\n", "H/conf: webroot: not an absolute path" },
		{ "hook=./x\n", "H/conf: hook: not an absolute path" },
		{ "env=HOME_ALONE\n", "H/conf: env: not VAR=VALUE" },
		{ "serial=1\n", "H/conf: serial: neither yes nor no" },
		{ "days=\n", "H/conf: days: is empty" },
		{ "days=soon\n", "H/conf: days: not a number from 1 to 3650" },
		{ "server=http://x/\n", "H/conf: server: a directory URL begins with https://" },
		{ "", "H/conf: there is no domain in it" },
		{ "domain\nwebroot=/w\n", "H/conf: there is no domain in it" },
	};
	struct slice nul = { "reload=a\0b\n", 11 };
	size_t i;

	ok(read_text("\xef\xbb\xbf" "domain=a.b\r\n# x=y\r\n\r\nkey-type = rsa2048\r\nreload =  a\n") == 0,
	    "a file from an editor");
	ok(c.names == 1 && !said[0], "a BOM and CR LF do no harm");
	is_str(c.key_type, "rsa2048", "spaces around '='");
	is_str(c.reload, "a", "are no part of the value");
	ok(read_text("domain=a.b\ncolour=red\nforce=yes\n") == 0, "unknown keys are no error");
	ok(strstr(said, "H/conf: unknown key colour") && strstr(said, "unknown key force"),
	    "but named, with the file");
	ok(read_text("domain=a.b\nserial=no\n") == 0 && !c.serial, "a flag that is off");
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		ok(read_text(bad[i].text) == ST_CONFIG, bad[i].says);
		ok(strstr(said, bad[i].says) != 0, "is said");
	}
	conf_init(&c, mem, sizeof(mem));
	ok(conf_read(&c, nul, "conf") == ST_CONFIG, "a NUL byte");
	listen();
	memset(mem, 0, sizeof(mem));
	conf_init(&c, mem, 16);
	ok(conf_read(&c, slice("reload=aaaaaaaaaaaaaaaaaaaaaaaa\n"), "conf") == ST_CONFIG,
	    "more text than memory");
	listen();
}

/* The status of conf_check for a conf file's text; what it says is in said. */
static int
check_text(const char *text)
{
	int status = read_text(text);

	status = status ? status : conf_check(&c);
	listen();
	return status;
}

static void
together(void)
{
	ok(check_text("webroot=/x\nhook=/y\ndomain=a.b\n") == ST_USAGE, "webroot and hook");
	ok(check_text("webroot=/x\ndomain=*.a.b\n") == ST_USAGE && strstr(said, "dns-01"), "wildcard, webroot");
	ok(check_text("hook=standalone:81\ndomain=*.a.b\n") == ST_USAGE, "wildcard, standalone");
	ok(check_text("hook=/h\nchallenge=http-01,tls-alpn-01\ndomain=*.a.b\n") == ST_USAGE, "wildcard, no dns-01");
	ok(check_text("hook=/h\nchallenge=http-01,dns-01\ndomain=*.a.b\n") == 0, "wildcard, dns-01");
	ok(check_text("hook=/h\ndomain=*.a.b\n") == 0, "wildcard, any type");
	ok(check_text("hook=/h\nchallenge=dns-01\ndomain=192.0.2.1\n") == ST_USAGE, "address, dns-01 only");
	ok(check_text("webroot=/x\nchallenge=dns-01\ndomain=a.b\n") == ST_USAGE, "webroot, dns-01 only");
	ok(check_text("webroot=/x\nchallenge=dns-persist-01,http-01\ndomain=*.a.b\n") == 0,
	    "a wildcard by a record that stands, beside webroot");
	ok(check_text("challenge=dns-persist-01\ndomain=192.0.2.1\n") == ST_USAGE, "no address by it");
	ok(check_text("domain=a.b\ncsr=/r\nkey=/k\n") == ST_USAGE && check_text("domain=a.b\ncsr=/r\nreuse-key=yes\n") == ST_USAGE &&
	    check_text("domain=a.b\ncsr=/r\nkey-type=ec384\n") == ST_USAGE, "a foreign request and a key");
	ok(check_text("domain=a.b\ncsr=/r\n") == 0, "the request alone");
	ok(check_text("domain=a.b\nnot-before=+2d\nnot-after=+1d\n") == ST_USAGE && strstr(said, "--not-before"),
	    "validity that ends before it begins");
	ok(check_text("domain=a.b\nnot-before=+1d\nnot-after=+24h\n") == ST_USAGE, "or at once");
	ok(check_text("domain=a.b\nnot-after=2020-01-01T00:00:00Z\n") == ST_USAGE && strstr(said, "now"), "or has ended");
	ok(check_text("domain=a.b\nnot-before=+1d\nnot-after=+25h\n") == 0, "an hour of it");
	ok(check_text("hook=/h\ndomain=*.a.b\ndomain=x.a.b\ndomain=a.b\n") == 0, "a redundant name");
	ok(conf_covered(&c, "x.a.b") && !conf_covered(&c, "a.b") && !conf_covered(&c, "*.a.b"),
	    "is known to be so");
	ok(check_text("domain=A.b\ndomain=a.B.\ndomain=2001:db8::1\ndomain=2001:DB8:0::1\n") == 0 && c.names == 2,
	    "duplicates are folded");
}

static const struct {
	const char *text;
	int dry_run;
	const char *url;
} directory[] = {
	{ "", 0, "https://acme-v02.api.letsencrypt.org/directory" },
	{ "", 1, "https://acme-staging-v02.api.letsencrypt.org/directory" },
	{ "server=letsencrypt-staging\n", 1, "https://acme-staging-v02.api.letsencrypt.org/directory" },
	{ "server=sslcom\n", 0, "https://acme.ssl.com/sslcom-dv-ecc" },
	{ "server=sslcom\nkey-type=rsa2048\n", 0, "https://acme.ssl.com/sslcom-dv-rsa" },
	{ "server=https://acme.ssl.com/sslcom-dv-rsa\n", 0, "https://acme.ssl.com/sslcom-dv-rsa" },
	{ "server=https://localhost:1/d\n", 0, "https://localhost:1/d" },
	{ "server=https://acme-v02.api.letsencrypt.org/directory\n", 1,
	  "https://acme-staging-v02.api.letsencrypt.org/directory" },
	{ "server=sslcom\n", 1, 0 },
	{ "server=https://localhost:1/d\n", 1, 0 },
};

static void
directories(void)
{
	const char *url;
	size_t i;

	for (i = 0; i < sizeof(directory) / sizeof(*directory); i++) {
		read_text(directory[i].text);
		c.dry_run = directory[i].dry_run;
		url = conf_directory(&c);
		is_str(url ? url : "none", directory[i].url ? directory[i].url : "none",
		    "the directory of that CA");
	}
}

static const struct {
	const char *a, *b;
	int same;
	const char *server;
} pairs[] = {
	{ "domain=a.b\ndomain=c.d\n", "domain=c.d\ndomain=A.B\n", 1, "" },
	{ "domain=a.b\n", "domain=a.b\ndomain=c.d\n", 0, "" },
	{ "domain=a.b\ndomain=c.d\n", "domain=a.b\n", 0, "" },
	{ "domain=a.b\n", "domain=a.b\nkey-type=ec256\n", 1, "" },
	{ "domain=a.b\n", "domain=a.b\nkey-type=ec384\n", 0, "" },
	{ "domain=a.b\n", "domain=a.b\nserver=letsencrypt\n", 1, "" },
	{ "domain=a.b\n", "domain=a.b\nserver=https://acme-v02.api.letsencrypt.org/directory\n", 1, "" },
	{ "domain=a.b\n", "domain=a.b\nserver=google\n", 0, "" },
	{ "domain=a.b\nwebroot=/x\n", "domain=a.b\nhook=/y\nenv=A=1\nserial=yes\n", 1, "" },
	{ "domain=a.b\nprofile=p\n", "domain=a.b\n", 0, "" },
	{ "domain=a.b\nchain=X\n", "domain=a.b\nchain=Y\n", 0, "" },
	{ "domain=a.b\ncsr=/x\n", "domain=a.b\ncsr=/y\n", 0, "" },
	{ "domain=a.b\nserver=https://b/\nserver=https://a/\n", "domain=a.b\nserver=https://a/\n", 1, "https://a/" },
	{ "domain=a.b\nserver=https://b/\nserver=https://a/\n", "domain=a.b\nserver=https://a/\n", 0, "" },
	{ "domain=a.b\nserver=https://b/\n", "domain=a.b\nserver=https://b/\nserver=https://a/\n", 0, "https://a/" },
	{ "domain=a.b\nserver=sslcom\n", "domain=a.b\n", 1, "https://acme.ssl.com/sslcom-dv-ecc" },
	{ "domain=a.b\nserver=sslcom\n", "domain=a.b\n", 0, "https://acme.ssl.com/sslcom-dv-rsa" },
};

static void
same(void)
{
	static struct conf d;
	static char mem2[LIMIT_CONF];
	size_t i;

	for (i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		conf_init(&d, mem2, sizeof(mem2));
		conf_read(&d, slice(pairs[i].b), "b");
		read_text(pairs[i].a);
		ok(conf_same_certificate(&c, &d, pairs[i].server) == pairs[i].same, "names, key type and CA make a certificate");
	}
}

static void
merging(void)
{
	static struct conf stored;
	static char mem2[LIMIT_CONF];

	read_text("hook=/h\nenv=X=1\ndays=9\nkey-type=rsa2048\n");
	c.proxy = c.env_proxy = "http://env:1";
	conf_init(&stored, mem2, sizeof(mem2));
	conf_read(&stored, slice("domain=a.b\nwebroot=/w\nenv=A=1\nenv=B=2\nproxy=http://file:1\n"), "f");
	conf_merge(&stored, &c);
	is_str(stored.hook, "/h", "the command line's hook");
	ok(!stored.webroot, "replaces the stored webroot");
	ok(stored.env.n == 1, "variables are replaced as a whole");
	is_str(stored.days, "9", "a number");
	is_str(stored.proxy, "http://file:1", "the file wins over the environment");
	ok(stored.names == 1, "names stay");
	stored.proxy = 0;
	conf_merge(&stored, &c);
	is_str(stored.proxy, "http://env:1", "which fills gaps");
	stored.proxy = stored.env_proxy = "env:1";
	conf_merge(&stored, &c);
	is_str(stored.proxy, "http://env:1", "and what was checked wins over what was not");
}

static void
masks(void)
{
	char text[256];
	struct buf b = BUF(text);

	conf_masked(&b, conf_find(slice("env")), "TOKEN=secret=x");
	is_str(buf_text(&b), "TOKEN=***", "a variable's value is masked");
	buf_clear(&b);
	conf_masked(&b, conf_find(slice("proxy")), "http://u:p@h:1");
	is_str(buf_text(&b), "http://***@h:1", "a proxy's password is masked");
	buf_clear(&b);
	conf_masked(&b, conf_find(slice("webroot")), "/a=b@c");
	is_str(buf_text(&b), "/a=b@c", "other values are not");
}

static void
many(void)
{
	char name[32];
	const char *why;
	size_t n = 0;
	unsigned i;

	conf_init(&c, mem, sizeof(mem));
	for (i = 0; i < LIMIT_NAMES; i++) {
		snprintf(name, sizeof(name), "n%u.example", i);
		n += conf_add_name(&c, name, &why) == 0;
	}
	ok(n == LIMIT_NAMES, "as many names as the limit says");
	ok(conf_add_name(&c, "n0.EXAMPLE", &why) == 0, "a duplicate needs no room");
	ok(conf_add_name(&c, "one.more", &why) < 0 && strstr(why, "100"), "one more is refused");
}

static void
files(void)
{
	char text[16];
	struct buf b = BUF(text);
	int ends[2];
	char path[32];

	ok(conf_file("/dev/null", &b) == 0 && b.len == 0, "an empty file");
	ok(conf_file("/dev/zero", &b) < 0 && errno == EFBIG, "an endless one");
	if (pipe(ends) < 0 || write(ends[1], "abc", 3) != 3)
		exit(1);
	close(ends[1]);
	snprintf(path, sizeof(path), "/dev/fd/%d", ends[0]);
	buf_clear(&b);
	ok(conf_file(path, &b) == 0 && b.len == 3, "a pipe");
}

int
main(void)
{
	listen();
	unsetenv("HTTPS_PROXY");
	unsetenv("https_proxy");
	unsetenv("SSL_CERT_FILE");
	table();
	round_trip();
	conf_files();
	together();
	directories();
	same();
	merging();
	masks();
	many();
	files();
	ok(conf_reason("keycompromise") == 1 && conf_reason("cessationOfOperation") == 5 &&
	    conf_reason("4") == -1, "reasons by keyword");
	return tap_done();
}
