/* registration.c: what is kept of an account and a directory, and read with care. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../home.h"
#include "../tap.h"
#include "../../registration.c"

#define KID "https://ca.example/acct/1"

static const char dir[] = "accounts/ca.example";
static struct acme_account a;
static struct acme_directory d;
static int cached;
static int64_t single;

static void
keeps_a_file(void)
{
	static struct acme_account account;
	static struct acme_directory directory;
	size_t i;

	strcpy(a.url, KID);
	strcpy(a.status, "valid");
	strcpy(a.contact, "mailto:a@b.example mailto:c@d.example");
	strcpy(a.orders, "https://ca.example/orders");
	for (i = 0; i < EP_COUNT; i++)
		snprintf(d.url[i], sizeof(d.url[i]), "https://ca.example/%s", acme_endpoint_name[i]);
	strcpy(d.terms, "https://ca.example/terms?a=b");
	strcpy(d.profiles, "one two");
	strcpy(d.caa, "ca.example");
	d.external_account_required = 1;
	ok(registration_write(dir, &a, &d, single) == 0, "an account is written");
	memset(&account, 1, sizeof(account));
	memset(&directory, 1, sizeof(directory));
	ok(registration_read(dir, &account, &directory, &cached, &single) == 0 && cached &&
	    memcmp(&account, &a, sizeof(a)) == 0, "and read again");
	ok(memcmp(&directory, &d, sizeof(d)) == 0, "with its directory");
	ok(single == 0, "and no word of its pace");
	single = 1800000000;
	ok(registration_write(dir, &a, &d, single) == 0 && registration_read(dir, &account, &directory, &cached, &single) == 0 &&
	    single == 1800000000, "or with one");
	single = 0;
	strcpy(d.terms, "data:text/plain,\"x\"");
	strcpy(a.contact, "mailto:\\xe2");
	ok(registration_write(dir, &a, &d, single) == 0 && registration_read(dir, &account, &directory, &cached, &single) == 0 &&
	    cached && !directory.terms[0] && !account.contact[0] && strcmp(account.url, KID) == 0,
	    "what could not be read is not written");
}

static void
reads_with_care(void)
{
#define NONCE "newNonce=https://ca.example/n\n"
#define ACCOUNT "newAccount=https://ca.example/a\n"
#define ORDER "newOrder=https://ca.example/o\n"
	static const struct {
		const char *name, *text;
		int want, cached;
	} table[] = {
		{ "an empty file", "", 0, 0 },
		{ "no directory", "url=" KID "\n", 0, 0 },
		{ "a directory", NONCE ACCOUNT ORDER, 0, 1 },
		{ "half a directory", NONCE ORDER, 0, 0 },
		{ "unknown keys", "colour=blue\n" NONCE ACCOUNT ORDER, 0, 1 },
		{ "a quote", "url=" KID "\"\n", ST_CONFIG, 0 },
		{ "a backslash", "contact=mailto:\\\n", ST_CONFIG, 0 },
		{ "a control character", "status=val\tid\n", ST_CONFIG, 0 },
		{ "a status too long", "status=0123456789abcdef\n", ST_CONFIG, 0 },
	};
	const char *path = "accounts/ca.example/account";
	size_t i;

	hush(1);
	for (i = 0; i < sizeof(table) / sizeof(*table); i++)
		ok(store_write(path, slice(table[i].text)) == 0 &&
		    registration_read(dir, &a, &d, &cached, &single) == table[i].want && cached == table[i].cached, table[i].name);
	hush(0);
	ok(store_remove(path) == 0 && registration_read(dir, &a, &d, &cached, &single) == 0 && !a.url[0] && !cached,
	    "no file is no account");
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
	if (store_open(home, 1) != 0 || store_mkdir(dir) < 0)
		return 1;
	keeps_a_file();
	reads_with_care();
	return tap_done();
}
