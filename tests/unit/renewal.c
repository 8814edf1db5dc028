/* renewal.c: its file, how failures are counted, and what is owed after a commit. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../home.h"
#include "../tap.h"
#include "../../renewal.c"

/* The text of a file in HOME in static memory, "" if there is none. */
static const char *
content(const char *file)
{
	static char mem[LIMIT_CONF];
	struct buf b = BUF(mem);

	return store_read(file, &b) < 0 ? "" : buf_text(&b);
}

static void
put(const char *file, const char *text, mode_t mode)
{
	char path[LIMIT_PATH];
	struct buf b = BUF(path);

	store_path(&b, file);
	if (store_write(file, slice(text)) < 0 || chmod(buf_text(&b), mode) < 0)
		perror(file);
}

static void
backs_off(void)
{
	static const int seconds[] = { 60, 600, 6000, 86400, 86400, 86400 };
	static struct renewal r;
	char odd[2 * sizeof(r.error)];
	unsigned i;
	int64_t before, wait;

	for (i = 0; i < sizeof(seconds) / sizeof(*seconds); i++) {
		before = now_wall();
		renewal_failed(&r, "no", 0);
		wait = r.back_off - seconds[i];
		ok(r.failures == i + 1 && wait >= before && wait <= now_wall(),
		    "a failure is counted, and the pause grows up to a day");
	}
	r.failures = 0;
	before = now_wall() + 3600;
	renewal_failed(&r, "no", before);
	ok(r.back_off == before, "the CA's own moment counts if it is later");
	r.failures = 999998;
	renewal_failed(&r, "no", 0);
	renewal_failed(&r, "no", 0);
	ok(r.failures == 999999, "the count ends where the file's does");
	is_str(r.error, "no", "the error is kept");
	memset(odd, 'x', sizeof(odd));
	odd[sizeof(odd) - 1] = 0;
	renewal_failed(&r, odd, 0);
	ok(strlen(r.error) == sizeof(r.error) - 1 && strspn(r.error, "x") == sizeof(r.error) - 1,
	    "a long error is cut");
	odd[sizeof(r.error) - 1] = 0;
	renewal_failed(&r, odd, 0);
	is_str(r.error, odd, "the longest one is not");
}

static int
same(const struct renewal *a, const struct renewal *b)
{
	return a->live == b->live && a->not_before == b->not_before &&
	    a->not_after == b->not_after && strcmp(a->serial, b->serial) == 0 &&
	    a->next == b->next && a->pending == b->pending && a->failures == b->failures &&
	    a->back_off == b->back_off && a->revoked == b->revoked &&
	    a->window_start == b->window_start && a->window_end == b->window_end &&
	    a->chosen == b->chosen && a->ask == b->ask && a->by_days == b->by_days &&
	    strcmp(a->explanation, b->explanation) == 0 && strcmp(a->ari, b->ari) == 0 &&
	    strcmp(a->server, b->server) == 0 &&
	    strcmp(a->error, b->error) == 0 && strcmp(a->owed, b->owed) == 0;
}

static void
comes_back(void)
{
	static const char *const errors[] = {
		"", "plain", "a=b", "=", "#", " leading and trailing ", "error=other",
		"\xc3\xa9 \x1b[31m \t", "\"quoted\" \\x41 'and' $(more)", "owed=deploy x",
	};
	static const char *const owed[] = {
		"", "deploy /a\n", "deploy /a\ndeploy b=c\nreload x=1 y && z | t # u\n",
		"reload  spaces  \n",
	};
	static struct renewal r, back, empty;
	size_t i;

	ok(renewal_write("a.example", &empty) == 0, "an empty one is written");
	is_str(content("certs/a.example/renewal"), "", "as an empty file");
	renewal_read("a.example", &back);
	ok(same(&back, &empty), "and read again");
	for (i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		memset(&r, 0, sizeof(r));
		strcpy(r.error, errors[i]);
		ok(renewal_write("a.example", &r) == 0, "an odd error is written");
		memset(&back, 1, sizeof(back));
		renewal_read("a.example", &back);
		ok(same(&r, &back), "and read again");
	}
	for (i = 0; i < sizeof(owed) / sizeof(*owed); i++) {
		memset(&r, 0, sizeof(r));
		r.live = 999999;
		r.not_before = 1700000000;
		r.not_after = 1800000000;
		strcpy(r.serial, "0123456789abcdef");
		r.next = 1766666666;
		r.window_start = 4102444800;	/* 2100, after time is longer than 32 bits */
		r.window_end = 4102444801;
		r.chosen = 4102444802;
		r.ask = 4102444803;
		r.by_days = 1;
		strcpy(r.ari, "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE");
		strcpy(r.server, "https://ca.example/dir");
		memset(r.explanation, 'u', sizeof(r.explanation) - 1);
		r.pending = 1;
		r.failures = 999999;
		r.back_off = 1766666667;
		r.revoked = 1766666668;
		memset(r.error, 'e', sizeof(r.error) - 1);
		strcpy(r.owed, owed[i]);
		ok(renewal_write("*.b.example", &r) == 0, "one with everything is written");
		memset(&back, 1, sizeof(back));
		renewal_read("*.b.example", &back);
		ok(same(&r, &back), "and read again");
	}
	ok(store_exists("certs/_.b.example/renewal"), "a wildcard's has its directory");
	memset(&r, 0, sizeof(r));
	strcpy(r.error, "two\nlines");
	hush(1);
	ok(renewal_write("a.example", &r) == ST_STORE && renewal_write("none", &empty) == ST_STORE,
	    "what cannot be written is told");
	hush(0);
}

static void
reads_anything(void)
{
	static const struct {
		const char *name, *text;
	} table[] = {
		{ "an empty file", "" },
		{ "no key=value", "what\n\n\xff\xfe\x80\n" },
		{ "unknown keys", "colour=blue\nnexts=2026-11-23T15:10:27Z\n" },
		{ "comments", "#next=2026-11-23T15:10:27Z\n" },
		{ "bad dates", "next=soon\nnot_after=1700000000\nback_off=2026-13-01T00:00:00Z\nrevoked=\n" },
		{ "bad numbers", "generation=-1\nfailures=1e3\npending=yes\n" },
		{ "numbers too large", "generation=99999999999999999999\nfailures=1000000\n" },
		{ "a serial too long", "serial=0123456789012345678901234567890123456789"
		    "012345678901234567890123\n" },
		{ "a cut line", "next=2026-11-23T15:1" },
		{ "bytes that no line has", "server=a\rb\nerror=a\rb\nowed=reload a\rb\n" },
	};
	static struct renewal r, empty;
	static char big[LIMIT_CONF + 2];
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		put("certs/a.example/renewal", table[i].text, 0600);
		memset(&r, 1, sizeof(r));
		renewal_read("a.example", &r);
		ok(same(&r, &empty), table[i].name);
	}
	memset(&r, 1, sizeof(r));
	renewal_read("none", &r);
	ok(same(&r, &empty), "no file");
	memset(big, '=', sizeof(big) - 1);
	put("certs/a.example/renewal", big, 0600);
	memset(&r, 1, sizeof(r));
	hush(1);
	renewal_read("a.example", &r);
	hush(0);
	ok(same(&r, &empty), "a file too large");
	for (i = 0; i < 20000; i += 5)
		memcpy(big + i, "owed=", 5);
	for (i = 999; i < 20000; i += 1000)
		big[i] = '\n';
	big[20000] = 0;
	put("certs/a.example/renewal", big, 0600);
	renewal_read("a.example", &r);
	ok(strlen(r.owed) < sizeof(r.owed), "more owed than fits");
	put("certs/a.example/renewal", "next=x\nfailures=2\n", 0600);
	renewal_read("a.example", &r);
	ok(r.failures == 2 && r.next == 0, "good lines beside bad ones");
}

static void
owes(void)
{
	static struct renewal r;
	static struct conf c;
	static char name[5000];

	ok(renewal_owe(&r, &c) == 0, "no hook");
	is_str(r.owed, "", "owes nothing");
	c.deploy.n = 2;
	c.deploy.v[0] = "one";
	c.deploy.v[1] = "/two";
	c.reload = "three four";
	ok(renewal_owe(&r, &c) == 0, "hooks and a command");
	is_str(r.owed, "deploy one\ndeploy /two\nreload three four\n", "are owed in order");
	c.deploy.n = 0;
	ok(renewal_owe(&r, &c) == 0, "again");
	is_str(r.owed, "reload three four\n", "what was owed before is not added to");
	memset(name, 'x', sizeof(name) - 1);
	c.deploy.n = 2;
	c.deploy.v[0] = c.deploy.v[1] = name;
	hush(1);
	ok(renewal_owe(&r, &c) == ST_CONFIG, "more than fits");
	hush(0);
	is_str(r.owed, "", "owes no half of a line");
}

/*
 * Hooks a and b add their name and event to the file log, with what is owed on
 * disk at that time; b fails while there is a file "broken".
 */
static void
pays(void)
{
	static struct renewal r, back;
	static struct conf c;
	char a[LIMIT_PATH], b[LIMIT_PATH], script[512], wanted[LIMIT_PATH * 2];
	static const char reload[] = "echo reload $RENEWED_DOMAINS $COLOUR >>\"$ACME_HOME/log\"";

	snprintf(script, sizeof(script), "#!/bin/sh\ncd \"$ACME_HOME\" || exit\n"
	    "echo \"${0##*/} $# $1 $2 $ACME_EVENT $ACME_NAME\" >>log\n"
	    "grep -c ^owed= certs/a.example/renewal >>log\n"
	    "[ \"${0##*/}\" = a ] || [ ! -e broken ]\n");
	put("a", script, 0700);
	put("b", script, 0700);
	snprintf(a, sizeof(a), "%s/a", store_home());
	snprintf(b, sizeof(b), "%s/b", store_home());
	c.names = 2;
	c.name[0] = "a.example";
	c.name[1] = "*.a.example";
	c.env.n = 1;
	c.env.v[0] = "COLOUR=blue";
	c.deploy.n = 2;
	c.deploy.v[0] = a;
	c.deploy.v[1] = b;
	c.reload = reload;
	c.hook_timeout = 60;
	ok(renewal_pay("a.example", &c, &r, "issued") == 0 && !*content("log"), "nothing owed, nothing run");
	ok(renewal_owe(&r, &c) == 0 && renewal_write("a.example", &r) == 0 &&
	    renewal_pay("a.example", &c, &r, "issued") == 0, "all is run");
	is_str(content("log"), "a 7 deploy_cert a.example issued a.example\n3\n"
	    "b 7 deploy_cert a.example issued a.example\n2\n"
	    "reload a.example *.a.example blue\n", "in order, each crossed off on disk at once");
	renewal_read("a.example", &back);
	ok(!r.owed[0] && !back.owed[0], "nothing stays owed");

	store_remove("log");
	put("broken", "", 0600);
	renewal_owe(&r, &c);
	renewal_write("a.example", &r);
	hush(1);
	ok(renewal_pay("a.example", &c, &r, "renewed") == ST_DEPLOY, "one that fails");
	ok(strstr(last_failure(), "is owed") && strstr(last_failure(), "exit status 1"), "is told");
	is_str(content("log"), "a 7 deploy_cert a.example renewed a.example\n3\n"
	    "b 7 deploy_cert a.example renewed a.example\n2\n"
	    "reload a.example *.a.example blue\n", "does not keep the others from being run");
	snprintf(wanted, sizeof(wanted), "deploy %s\n", b);
	renewal_read("a.example", &back);
	is_str(back.owed, wanted, "and stays owed");
	is_str(r.owed, wanted, "in memory too");
	store_remove("log");
	ok(renewal_pay("a.example", &c, &back, "renewed") == ST_DEPLOY, "it fails again");
	store_remove("log");
	store_remove("broken");
	ok(renewal_pay("a.example", &c, &back, "renewed") == 0, "it is run until it succeeds");
	is_str(content("log"), "b 7 deploy_cert a.example renewed a.example\n1\n", "alone");
	is_str(content("certs/a.example/renewal"), "", "and is crossed off");

	strcpy(r.owed, "deploy /none/such\nreload exit 7\nreload kill -9 $$\n");
	ok(renewal_pay("a.example", &c, &r, "renewed") == ST_DEPLOY, "all fail");
	is_str(r.owed, "deploy /none/such\nreload exit 7\nreload kill -9 $$\n", "all stay owed");
	strcpy(r.owed, "reload exit 0");
	ok(renewal_pay("a.example", &c, &r, "renewed") == 0 && !r.owed[0], "a last line without its end");
	hush(0);
}

int
main(void)
{
	umask(077);
	if (!mkdtemp(home)) {
		perror(home);
		return 1;
	}
	atexit(remove_home);
	if (store_open(home, 1) != 0 || store_mkdir("certs/a.example") < 0 ||
	    store_mkdir("certs/_.b.example") < 0)
		return 1;
	backs_off();
	comes_back();
	reads_anything();
	owes();
	pays();
	return tap_done();
}
