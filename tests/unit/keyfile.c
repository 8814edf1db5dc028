/* keyfile.c: a key that cannot be read is never taken for a missing one. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../home.h"
#include "../tap.h"
#include "../../keyinfo.h"
#include "../../keyfile.c"

static struct key key, other;

static int
same(void)
{
	struct pk pk;

	key_public(&key, &pk);
	return key_same(&other, &pk);
}

static int
wiped(void)
{
	size_t i;

	for (i = 0; i < sizeof(mem) && !mem[i]; i++)
		;
	return i == sizeof(mem);
}

int
main(void)
{
	static const char *const junk[] = {
		"", "junk", "-----BEGIN PRIVATE KEY-----\nAQID\n-----END PRIVATE KEY-----\n",
	};
	char path[64];
	struct stat st;
	size_t i;

	umask(0);
	if (!mkdtemp(home)) {
		perror(home);
		return 1;
	}
	atexit(remove_home);
	if (store_open(home, 1) != 0 || key_generate(&key, KEY_EC256) < 0)
		return 1;
	snprintf(path, sizeof(path), "%s/key.pem", home);
	ok(keyfile_read("key.pem", &other) == KEYFILE_NONE, "none is none");
	ok(keyfile_write("key.pem", &key) == 0 && wiped(), "written");
	ok(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600, "for the owner only");
	ok(keyfile_read("key.pem", &other) == 0 && same() && wiped(), "read");
	key_wipe(&other);
	ok(keyfile_foreign(path, &other) == 0 && same() && wiped(), "read from outside");
	hush(1);
	for (i = 0; i < sizeof(junk) / sizeof(*junk); i++) {
		ok(store_write("key.pem", slice(junk[i])) == 0 &&
		    keyfile_read("key.pem", &other) == ST_CONFIG && strstr(last_failure(), path) && wiped(),
		    "a broken one is an error that names it");
		ok(keyfile_foreign(path, &other) == ST_CONFIG && strstr(last_failure(), path) && wiped(),
		    "outside too");
		ok(stat(path, &st) == 0 && st.st_size == (off_t)strlen(junk[i]), "and is left as it is");
	}
	ok(store_remove("key.pem") == 0 && store_mkdir("key.pem") == 0 &&
	    keyfile_read("key.pem", &other) == ST_CONFIG, "a directory is no missing key");
	ok(keyfile_foreign("/nonexistent/key", &other) == ST_CONFIG, "outside a key must be there");
	ok(keyfile_write("none/key.pem", &key) == ST_STORE && wiped(), "where it cannot be written");
	hush(0);
	return tap_done();
}
