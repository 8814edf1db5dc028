/* request.c: requests for our names, and foreign ones: names, keys, the copy. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../home.h"
#include "../tap.h"
#include "../../request.c"

#define NAME "a.example"

static struct key ours;
static char path[64];			/* of the file that --csr names */

static void
names(struct conf *c, const char *a, const char *b, const char *d)
{
	const char *all[3];
	unsigned i;

	all[0] = a;
	all[1] = b;
	all[2] = d;
	memset(c, 0, sizeof(*c));
	c->csr = path;
	for (i = 0; i < 3 && all[i]; i++)
		c->name[c->names++] = all[i];
}

/* Writes a request for the names of c, as PEM or as DER, between two texts. */
static void
write_file(const struct conf *c, int pem, const char *before, const char *after)
{
	static char mem[LIMIT_REQUEST], file[LIMIT_REQUEST];
	struct buf der = BUF(mem), b = BUF(file);

	if (request_write(&der, c, &ours) < 0)
		perror("request");
	buf_str(&b, before);
	if (pem)
		pem_encode(&b, pem > 1 ? "NEW CERTIFICATE REQUEST" : "CERTIFICATE REQUEST", der.p, der.len);
	else
		buf_slice(&b, buf_view(&der));
	buf_str(&b, after);
	if (store_write("request", buf_view(&b)) < 0)
		perror("request");
}

static void
takes_names(void)
{
	static struct conf c, asked;
	static char mem[LIMIT_CONF];
	int i;

	names(&c, "b.example", "*.a.example", "2001:db8::1");
	for (i = 0; i < 3; i++) {
		write_file(&c, i, i ? "text\n" : "", i ? "text\n" : "");
		conf_init(&asked, mem, sizeof(mem));
		asked.csr = path;
		ok(request_names(&asked) == 0 && asked.names == 3 && strcmp(asked.name[0], "b.example") == 0 &&
		    strcmp(asked.name[1], "*.a.example") == 0 && strcmp(asked.name[2], "2001:db8::1") == 0,
		    i ? "names of a PEM file" : "names of a DER file");
	}
	names(&asked, "2001:db8::1", "b.example", "*.a.example");
	ok(request_names(&asked) == 0, "the same names given");
	asked.names = 2;
	ok(request_names(&asked) == ST_USAGE && strstr(last_failure(), "also for *.a.example"), "one less");
	names(&asked, "b.example", "*.a.example", "c.example");
	ok(request_names(&asked) == ST_USAGE && strstr(last_failure(), "not for c.example"), "another one");
}

static void
refuses(void)
{
	static const struct {
		const char *name, *text;
	} table[] = {
		{ "nothing", "" }, { "text", "hello\n" }, { "half of DER", "\x30\x82\x01" },
		{ "another thing", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n" },
		{ "an empty request", "-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n" },
	};
	static struct conf c;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		names(&c, 0, 0, 0);
		store_write("request", slice(table[i].text));
		ok(request_names(&c) == ST_CONFIG && strstr(last_failure(), path), table[i].name);
	}
	store_remove("request");
	ok(request_names(&c) == ST_CONFIG && strstr(last_failure(), "No such file"), "no file");
}

static int
open_it(const struct conf *c, int *fresh)
{
	static struct request request;
	int r = request_open(NAME, c, &request, fresh);

	return r ? r : request.der.n > 100 && key_same(&ours, request.pk) ? 0 : -1;
}

static void
keeps_a_copy(void)
{
	static struct conf c;
	int fresh;

	names(&c, "a.example", 0, 0);
	write_file(&c, 0, "", "");
	ok(request_check(NAME, &c) == 0 && !store_exists("certs/" NAME "/request.pem"), "a check keeps nothing");
	ok(open_it(&c, &fresh) == 0 && fresh && store_exists("certs/" NAME "/request.pem"), "the copy is made");
	ok(open_it(&c, &fresh) == 0 && !fresh, "once");
	store_remove("request");
	ok(open_it(&c, &fresh) == 0 && !fresh, "and used when the file is gone");
	ok(request_check(NAME, &c) == 0 && !request_changed(NAME, &c), "which is no change");
	key_generate(&ours, KEY_EC384);
	write_file(&c, 1, "", "");
	ok(open_it(&c, &fresh) == 0 && fresh, "another request takes its place");
	names(&c, "b.example", 0, 0);
	ok(open_it(&c, &fresh) == ST_USAGE, "other names");
	store_remove("request");
	store_remove("certs/" NAME "/request.pem");
	ok(open_it(&c, &fresh) == ST_CONFIG, "neither file nor copy");
	c.csr = 0;
	ok(request_check(NAME, &c) == 0, "none wanted");
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
	if (store_open(home, 1) != 0 || store_mkdir("certs/" NAME) < 0 || key_generate(&ours, KEY_EC256) < 0)
		return 1;
	snprintf(path, sizeof(path), "%s/request", home);
	hush(1);
	takes_names();
	refuses();
	keeps_a_copy();
	hush(0);
	return tap_done();
}
