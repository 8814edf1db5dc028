/*
 * store: HOME is made and probed, and refused when it belongs to others, can
 * be written by others or is another client's; paths are walked without
 * following symlinks; names, key=value lines, lists, locks.
 */
#include "../fault.h"
#include "../tap.h"
#include "../../dir.c"
#include "../../home.c"
#include "../../store.c"

static char home[LIMIT_PATH];

static void
run(const char *command)
{
	if (system(command) != 0)
		printf("# failed: %s\n", command);
}

static mode_t
mode_of(const char *name)
{
	struct stat st;

	return lstat(name, &st) < 0 ? 0 : st.st_mode & 07777;
}

/* An empty directory, mode 0700; or, if not made, nothing. */
static void
fresh(const char *name, int made)
{
	fault_set(FAULT_NONE, 0, 0);
	if (dir_clear(AT_FDCWD, name) < 0 || (made && dir_make(AT_FDCWD, name) < 0))
		perror(name);
}

/* The result of store_open, its message in last_failure(). */
static int
opened(const char *where, int create)
{
	int saved = dup(2), null = open("/dev/null", O_WRONLY), r;

	dup2(null, 2);
	r = store_open(where, create);
	dup2(saved, 2);
	dir_close(null);
	dir_close(saved);
	return r;
}

static int
failure_has(const char *text)
{
	if (strstr(last_failure(), text))
		return 1;
	printf("# message: %s\n", last_failure());
	return 0;
}

static void
test_open(void)
{
	char mem[64], *long_path;
	struct buf b = BUF(mem);

	ok(opened("new", 0) == ST_OK && access("new", F_OK) != 0, "a missing HOME is not made unasked");
	ok(store_read("conf", &b) == -1 && errno == ENOENT && !store_exists("x") &&
	    store_certs(&b) == 0 && b.len == 0 && store_remove("x") == 0,
	    "nothing is found in a missing HOME");
	ok(store_write("x", slice("")) == -1 && errno == ENOENT, "nor written");
	ok(opened("new", 1) == ST_OK && mode_of("new") == 0700, "a new HOME is 0700");
	ok(mode_of("new/certs") == 0700 && mode_of("new/locks") == 0700 && !store_exists(".probe"),
	    "it is probed, and the probe leaves nothing");
	snprintf(home, sizeof(home), "%s/new", scratch);
	is_str(store_home(), home, "a relative HOME is made absolute");
	ok(opened("deep/er/home//", 1) == ST_OK && mode_of("deep") == 0700, "parents are made too");
	ok(opened("", 1) == ST_STORE && failure_has("empty"), "an empty path is refused");
	long_path = malloc(LIMIT_PATH);
	memset(long_path, 'x', LIMIT_PATH - 1);
	long_path[0] = '/';
	long_path[LIMIT_PATH - 300] = 0;
	ok(opened(long_path, 1) == ST_STORE && failure_has("too long"), "a path too long is refused");
	free(long_path);
	run(": >file");
	ok(opened("file", 1) == ST_STORE && failure_has("Not a directory"), "a file is refused");
	run("ln -s nowhere dangling");
	ok(opened("dangling", 1) == ST_STORE, "a dangling link is refused");
	run("ln -s new linked");
	ok(opened("linked", 1) == ST_OK, "HOME itself may be a symlink");
	umask(0);
	ok(opened("open", 1) == ST_OK && mode_of("open") == 0700 && mode_of("open/certs") == 0700,
	    "0700 under umask 000");
	umask(0777);
	ok(opened("shut", 1) == ST_OK && mode_of("shut") == 0700 && mode_of("shut/certs") == 0700,
	    "0700 under umask 777");
	umask(077);
}

static void
test_gone(void)
{
	char mem[64];
	struct buf b = BUF(mem);

	opened("gone", 1);
	run("rm -r gone");
	ok(store_write("x", slice("y")) == -1 && store_read("x", &b) == -1 &&
	    store_mkdir("certs/a") == -1 && store_lock("l", 0) == -1,
	    "a HOME deleted during the run is an error everywhere, no crash");
	run("mkdir cwd");
	if (chdir("cwd") == 0)
		run("rmdir ../cwd");
	ok(opened("relative", 1) == ST_STORE && failure_has("no working directory"),
	    "a deleted working directory is named");
	ok(opened(home, 1) == ST_OK, "and does not matter to an absolute HOME");
	if (chdir(scratch) != 0)
		perror(scratch);
}

static void
test_trust(void)
{
	char mem[64];
	struct buf b = BUF(mem);

	opened(home, 1);
	run("chmod 0770 new");
	ok(opened(home, 0) == ST_STORE && failure_has("chmod go-w"), "a HOME that its group can write is refused");
	run("chmod 0702 new");
	ok(opened(home, 1) == ST_STORE && failure_has("chmod go-w"), "a HOME that all can write is refused");
	run("chmod 0755 new");
	ok(opened(home, 1) == ST_OK && mode_of("new") == 0755, "one that others can read is not");
	store_mkdir("certs/a");
	store_write("certs/a/conf", slice("k=v\n"));
	run("chmod 0620 new/certs/a/conf");
	ok(store_read("certs/a/conf", &b) == -1 && errno == EPERM && b.len == 0,
	    "a conf file that others can write is refused: EPERM");
	verbose = 0;
	if (!freopen("/dev/null", "w", stderr))
		perror("stderr");
	ok(store_read("certs/a/conf", &b) == -1 && store_failed("cannot read", "certs/a/conf") == ST_STORE &&
	    failure_has("/new/certs/a/conf must belong to you or root"), "and the message names it");
	run("chmod 0600 new/certs/a/conf; chmod 0770 new/certs/a");
	ok(store_read("certs/a/conf", &b) == -1 && errno == EPERM &&
	    store_failed("cannot read", "certs/a/conf") == ST_STORE &&
	    failure_has("/new/certs/a must belong to you or root"), "so is a directory on the way");
	ok(store_write("certs/a/conf", slice("")) == -1 && errno == EPERM, "nothing is written there");
	run("chmod 0700 new/certs/a");
	ok(store_read("certs/a/conf", &b) == 0 && b.len == 4, "mended, it is read");
	if (geteuid() != 0) {
		ok(1, "files of another user are refused # SKIP not root");
		return;
	}
	run("chown 65534 new/certs/a/conf");
	b.len = 0;
	ok(store_read("certs/a/conf", &b) == -1 && errno == EPERM, "a conf file of another user is refused");
	run("chown 0 new/certs/a/conf; chown 65534 new");
	ok(opened(home, 1) == ST_STORE && failure_has("belongs to another user"),
	    "a HOME of another user is refused, also for root");
	run("chown 0 new");
}

static void
test_foreign(void)
{
	static const struct {
		const char *make, *client;
	} rows[] = {
		{ ": >h/account.conf", "acme.sh" },
		{ "mkdir h/ca h/example.com_ecc", "acme.sh" },
		{ "mkdir h/renewal h/archive h/live", "certbot" },
		{ "mkdir h/archive h/live", "certbot" },
		{ "mkdir h/accounts h/chains", "dehydrated" },
		{ "mkdir h/accounts; : >h/domains.txt", "dehydrated" },
		{ "mkdir h/accounts h/certificates", "lego" },
		{ "mkdir h/private", "uacme" },
		{ "mkdir h/ca", 0 },
		{ "mkdir h/accounts h/certs", 0 },
		{ ": >h/domains.txt", 0 },
		{ "mkdir h/locks h/private", 0 },
	};
	char name[80];
	size_t i;
	int create;

	for (i = 0; i < 2 * sizeof(rows) / sizeof(*rows); i++) {
		create = (int)(i % 2);
		fresh("h", 1);
		run(rows[i / 2].make);
		snprintf(name, sizeof(name), "%s: %s", rows[i / 2].make,
		    rows[i / 2].client ? rows[i / 2].client : "ours");
		if (rows[i / 2].client)
			ok(opened("h", create) == ST_STORE && failure_has(rows[i / 2].client) &&
			    failure_has(" import ") && access("h/locks", F_OK) != 0, name);
		else
			ok(opened("h", create) == ST_OK, name);
	}
}

/* What a file system lacks, by the call that it refuses. */
static void
test_probe(void)
{
	static const struct {
		const char *call, *message;
		int error;
	} rows[] = {
		{ "symlinkat", "lacks symbolic links", EPERM },
		{ "flock", "lacks file locks (flock)", ENOSYS },
		{ "flock", "lacks file locks (flock)", ENOLCK },
		{ "mkdirat", "cannot set up", ENOSPC },
		{ "mkdirat", "Read-only file system", EROFS },
		{ "symlinkat", "No space left", ENOSPC },
	};
	char name[80];
	int at, good, seen, r;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		for (at = 1, good = 1, seen = 0; at < 200; at++) {
			fresh("p", 1);
			store_close();	/* so that the calls are the same each time */
			fault_set(FAULT_ERROR, at, rows[i].error);
			r = opened("p", 1);
			if (fault.calls < at)
				break;
			/* nothing comes of a failed unlocking */
			if (strcmp(fault.name, rows[i].call) != 0 || r == ST_OK)
				continue;
			fault_set(FAULT_NONE, 0, 0);
			good &= failure_has(rows[i].message);
			good &= opened("p", 1) == ST_OK && !store_exists(".probe");
			seen++;
		}
		fault_set(FAULT_NONE, 0, 0);
		snprintf(name, sizeof(name), "%s: %s is told, and the next run goes on",
		    rows[i].call, strerror(rows[i].error));
		ok(good && seen, name);
	}
}

static int
first(void)
{
	return opened("first", 1);
}

static void
test_first_use(void)
{
	int at, status = 0, good = 1, bad = 0, i;

	for (at = 1; at < 500; at++) {
		fresh("first", 0);
		status = fault_child(FAULT_KILL, at, 0, first);
		if (WIFEXITED(status))
			break;
		good &= first() == ST_OK && !store_exists(".probe");
	}
	printf("# killed before each of %d calls\n", at - 1);
	ok(good && at > 30 && WEXITSTATUS(status) == 0, "killed anywhere in first use, the next run goes on");
	for (at = 1; at < 500; at++) {
		fresh("first", 0);
		fault_set(FAULT_ERROR, at, EIO);
		status = first();
		bad += status != ST_OK && status != ST_STORE;
		if (fault.calls < at)
			break;
	}
	ok(bad == 0 && at > 30, "an error anywhere in first use is status 73");
	fresh("first", 0);
	fault_set(FAULT_EINTR, 0, 0);
	ok(first() == ST_OK, "EINTR at every call: success");
	fault_set(FAULT_NONE, 0, 0);
	fresh("first", 0);
	fflush(stdout);
	for (i = 0; i < 30; i++)
		if (fork() == 0)
			_exit(first());
	for (bad = 0; wait(&status) > 0;)
		bad |= status;
	ok(bad == 0, "thirty first uses at once");
}

static void
test_files(void)
{
	char mem[64];
	struct buf b = BUF(mem);

	opened(home, 1);
	ok(store_mkdir("accounts/a/b") == 0 && mode_of("new/accounts/a/b") == 0700, "directories are made with parents, 0700");
	ok(store_mkdir("accounts/a/b") == 0, "again is success");
	ok(store_write("accounts/a/f", slice("text")) == 0 && mode_of("new/accounts/a/f") == 0600 &&
	    store_read("accounts/a/f", &b) == 0 && b.len == 4, "a file is written 0600 and read");
	ok(store_write("nowhere/f", slice("")) == -1 && errno == ENOENT, "not into a missing directory");
	ok(store_exists("accounts/a/f") && !store_exists("accounts/a/g") && !store_exists("x/y"), "exists");
	b.len = 62;
	ok(store_read("accounts/a/f", &b) == -1 && errno == EFBIG && b.len == 62, "what does not fit is EFBIG");
	b.len = 0;
	run("mkfifo new/fifo; ln -s accounts/a/f new/link; ln -s accounts new/dirlink");
	alarm(10);
	ok(store_read("fifo", &b) == -1 && errno == EINVAL, "a FIFO is refused and does not block");
	alarm(0);
	ok(store_read("accounts", &b) == -1 && errno == EISDIR, "a directory is refused");
	ok(store_read("link", &b) == -1 && errno == ELOOP, "a symlink is not followed");
	ok(store_read("dirlink/a/f", &b) == -1 && errno == ELOOP &&
	    store_write("dirlink/a/f", slice("")) == -1 && store_mkdir("dirlink/z") == -1, "nor on the way");
	ok(store_failed("cannot read", "dirlink/a/f") == ST_STORE && failure_has("symbolic link"), "which the message says");
	ok(store_read("../new/link", &b) == -1 && errno == EINVAL &&
	    store_read("accounts//a/f", &b) == -1 && store_read("./x", &b) == -1 &&
	    store_read("", &b) == -1, "no \"..\", \".\" or empty component");
	ok(store_remove("accounts/a/f") == 0 && !store_exists("accounts/a/f") &&
	    store_remove("accounts/a/f") == 0 && store_remove("x/y") == 0, "a file is removed, a missing one is success");
	ok(store_remove_tree("accounts") == 0 && !store_exists("accounts"), "a tree is removed");
	ok(store_remove("link") == 0 && store_remove("fifo") == 0 && store_remove("dirlink") == 0, "links and FIFOs too");
}

static void
test_warning(void)
{
	char mem[64];
	struct buf b = BUF(mem);
	FILE *f;

	store_mkdir("accounts/a");
	store_write("accounts/a/key.pem", slice("key"));
	run("chmod 0644 new/accounts/a/key.pem");
	if (!freopen("stderr", "w", stderr))
		perror("stderr");
	ok(store_read("accounts/a/key.pem", &b) == 0, "a key that others can read is read,");
	f = fopen("stderr", "r");
	ok(f && fgets(mem, sizeof(mem), f) && strstr(mem, "others can read "), "but reported");
	if (f)
		fclose(f);
	if (!freopen("/dev/null", "w", stderr))
		perror("stderr");
}

static void
test_kv(void)
{
	static const char text[] =
	    "\xef\xbb\xbf" "a=1\r\n# c=2\n\nno equals\nb==x=\nc=\r\na=2 \r\n=empty key\nd=last";
	static const struct {
		const char *key, *value;
	} rows[] = {
		{ "a", "1" }, { "b", "=x=" }, { "c", "" }, { "a", "2 " }, { "", "empty key" }, { "d", "last" }
	};
	struct slice s = { text, sizeof(text) - 1 }, k, v;
	char mem[64], *end;
	struct buf b = BUF(mem);
	size_t i, n;
	int good = 1;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		good &= kv_next(&s, &k, &v) && slice_is(k, rows[i].key) && slice_is(v, rows[i].value);
	ok(good && !kv_next(&s, &k, &v), "key=value lines; comments, CR, BOM, lines without '='");
	s.p = text;
	s.n = sizeof(text) - 1;
	ok(slice_is(kv_get(s, "a"), "2 "), "the last value counts");
	ok(kv_get(s, "c").p && kv_get(s, "c").n == 0 && !kv_get(s, "none").p, "an empty value is not a missing one");
	for (n = 0; n < sizeof(text); n++) {
		end = malloc(n + 1);
		memcpy(end, text, n);
		s.p = end;
		s.n = n;
		while (kv_next(&s, &k, &v))
			good &= v.p + v.n <= end + n;
		free(end);
	}
	ok(good, "every truncation stays inside its bytes");
	kv_put(&b, "key", slice("a value = "));
	ok(!b.err && slice_is(buf_view(&b), "key=a value = \n"), "a line is written");
	kv_put(&b, "key", slice("a\nevil=1"));
	ok(b.err, "a newline in a value is an error");
	buf_clear(&b);
	kv_put(&b, "key", slice("a\r"));
	ok(b.err, "so is a CR, which would be lost");
}

static void
test_names(void)
{
	static const struct {
		const char *name, *dir;
	} rows[] = {
		{ "example.com", "certs/example.com" }, { "*.example.com", "certs/_.example.com" },
		{ "192.0.2.1", "certs/192.0.2.1" }, { "2001:db8::1", "certs/2001:db8::1" },
		{ "::1", "certs/::1" }, { "web-rsa", "certs/web-rsa" }, { "_dmarc.example.com", "certs/_dmarc.example.com" },
		{ "live", "certs/live" },
		{ "", 0 }, { ".", 0 }, { "..", 0 }, { ".hidden", 0 }, { "-a", 0 }, { "a/b", 0 }, { "../x", 0 },
		{ "_.example.com", 0 }, { "*", 0 }, { "*.", 0 }, { "**", 0 }, { "a.*.b", 0 }, { "a b", 0 },
		{ "a\nb", 0 }, { "a%2f", 0 }, { "\xc3\xa4", 0 }, { "*/x", 0 }, { "*.*.x", 0 }
	};
	char out[LIMIT_PATH], small[12], name[300], title[80];
	size_t i;
	int r;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		r = store_cert_dir(out, sizeof(out), rows[i].name);
		snprintf(title, sizeof(title), "name \"%s\"", i == 21 ? "with newline" : rows[i].name);
		if (rows[i].dir)
			is_str(r == 0 ? out : "(refused)", rows[i].dir, title);
		else
			ok(r == -1 && out[0] == 0, title);
	}
	memset(name, 'a', sizeof(name));
	name[253] = 0;
	ok(store_cert_dir(out, sizeof(out), name) == 0, "253 bytes are a name");
	ok(store_cert_dir(small, sizeof(small), "example.com") == -1, "what does not fit is refused");
	name[253] = 'a';
	name[254] = 0;
	ok(store_cert_dir(out, sizeof(out), name) == -1, "254 are none");
}

static void
test_account_names(void)
{
	static const struct {
		const char *url, *label, *dir;
	} rows[] = {
		{ "https://acme.example/dir", 0, "accounts/acme.example%2fdir" },
		{ "https://acme.example/dir", "", "accounts/acme.example%2fdir" },
		{ "https://acme.example:14000/dir", "work", "accounts/acme.example%3a14000%2fdir,work" },
		{ "https://[::1]:1/", "a,b/..", "accounts/%5b%3a%3a1%5d%3a1%2f,a%2cb%2f.." },
		{ "https://a%2fb/", 0, "accounts/a%252fb%2f" },
		{ "https://../..", 0, "accounts/%2e.%2f.." },
		{ "https://.", 0, "accounts/%2e" },
		{ "http://acme.example/dir", 0, 0 }, { "https://", 0, 0 }, { "https:///x", 0, 0 },
		{ "file:///etc", 0, 0 }, { "", 0, 0 }
	};
	char out[LIMIT_PATH], url[400];
	size_t i;
	int r;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		r = store_account_dir(out, sizeof(out), rows[i].url, rows[i].label);
		is_str(r == 0 ? out : "(refused)", rows[i].dir ? rows[i].dir : "(refused)", rows[i].url);
	}
	snprintf(url, sizeof(url), "https://%0300d", 0);
	ok(store_account_dir(out, sizeof(out), url, 0) == -1, "a URL too long for a directory is refused");
}

static void
test_lists(void)
{
	static const char certs[] = "*.example.com\0a.example\0b.example\0live";
	static const char entries[] = "1\0x\0y";
	static char names[16 * 1024];
	char mem[64] = "", small[20];
	struct buf b = BUF(mem), s = BUF(small);
	struct listing l = { 0, 0 };
	const char *p;
	int i, good = 1;

	run("rm -rf new/certs/*");
	ok(store_certs(&b) == 0 && b.len == 0, "no certificates");
	run("cd new/certs; mkdir b.example _.example.com a.example live .stage; : >file; ln -s live link; mkdir 'a b'");
	ok(store_certs(&b) == 0 && b.len == sizeof(certs) && memcmp(mem, certs, sizeof(certs)) == 0,
	    "certificates are listed by name, sorted; what is none is left out");
	ok(store_certs(&s) == -1 && errno == EFBIG && s.len == 0, "too many for the buffer: EFBIG");
	buf_clear(&b);
	buf_str(&b, "zz");
	run("mkdir new/e; cd new/e; : >y; : >x; : >1; : >.hidden");
	ok(store_entries("e", &b) == 0 && b.len == 2 + sizeof(entries) &&
	    memcmp(mem + 2, entries, sizeof(entries)) == 0, "entries are sorted after what is there");
	buf_clear(&b);
	ok(store_entries("none", &b) == 0 && b.len == 0, "a missing directory is empty");
	buf_init(&b, names, sizeof(names));
	l.b = &b;
	for (i = 0; i < 1000; i++) {
		/* lengths and order of every kind, each name once */
		snprintf(small, sizeof(small), "%.*s%d", i % 7, "xxxxxxx", i * 7919 % 1000);
		good &= insert(&l, small) == 0;
	}
	for (p = names, i = 1; p + strlen(p) + 1 < names + b.len; p += strlen(p) + 1, i++)
		good &= strcmp(p, p + strlen(p) + 1) < 0;
	ok(good && i == 1000, "a thousand names come out sorted");
	run("rm -rf new/certs/* new/e");
}

static void
test_locks(void)
{
	char name[300];
	int a, b, c;

	a = store_lock("certs/*.example.com", 0);
	ok(a >= 0 && mode_of("new/locks/certs%2f%2a.example.com") == 0600, "a lock is a file of escaped name, 0600");
	b = store_lock("certs/other", 0);
	c = store_lock("certs/*.example.com", 0);
	ok(b >= 0 && c == -1 && errno == EWOULDBLOCK, "each name has its own");
	store_unlock(a);
	c = store_lock("certs/*.example.com", 0);
	ok(c >= 0, "given up, it is free");
	store_unlock(b);
	store_unlock(c);
	memset(name, 'x', sizeof(name));
	name[260] = 0;
	a = store_lock(name, 0);
	name[259] = 'y';
	b = store_lock(name, 0);
	ok(a >= 0 && b >= 0, "names too long for a file have locks of their own as well");
	store_unlock(a);
	store_unlock(b);
	a = store_lock("../x", 0);
	ok(a >= 0 && mode_of("new/locks/%2e.%2fx") == 0600, "no name leaves the directory");
	store_unlock(a);
	run(": >new/locks/stale");
	a = store_lock("stale", 0);
	ok(a >= 0, "a file left by a power cut has no effect");
	store_unlock(a);
}

int
main(void)
{
	umask(077);
	scratch_make();
	test_open();
	test_gone();
	test_trust();
	test_foreign();
	test_probe();
	test_first_use();
	test_files();
	test_warning();
	test_kv();
	test_names();
	test_account_names();
	test_lists();
	test_locks();
	return tap_done();
}
