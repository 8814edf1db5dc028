/* obtain.c: the key that a certificate is for, and whether another CA may do better. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../home.h"
#include "../tap.h"
#include "../../obtain.c"

static void
wants_a_type(void)
{
	static const struct {
		const char *name;
		enum key_type want;
	} table[] = {
		{ 0, KEY_EC256 },
		{ "ec256", KEY_EC256 }, { "ec384", KEY_EC384 }, { "rsa2048", KEY_RSA2048 },
		{ "rsa3072", KEY_RSA3072 }, { "rsa4096", KEY_RSA4096 },
	};
	static struct conf c;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		c.key_type = table[i].name;
		ok(wanted_type(&c) == table[i].want, table[i].name ? table[i].name : "no type is ec256");
	}
}

/* Prepares the key for an order; 1 if it is `before`'s, 0 if it is new, -1 failed. */
static int
prepared(const struct conf *c, const struct renewal *st, const struct key *before, int *fresh)
{
	struct pk pk;

	if (prepare_key("a.example", c, st, fresh) != 0)
		return -1;
	key_public(before, &pk);
	return key_same(&key, &pk);
}

static void
keeps_its_key(void)
{
	static struct key first, second;
	static struct renewal st;
	static struct conf c;
	int fresh;

	c.key_type = "ec256";
	ok(prepare_key("a.example", &c, &st, &fresh) == 0 && fresh && key.type == KEY_EC256 &&
	    store_exists("certs/a.example/pending/privkey.pem"), "a new key is on disk at once");
	first = key;
	ok(prepared(&c, &st, &first, &fresh) == 1 && !fresh, "the run after it takes the same");
	c.key_type = "ec384";
	ok(prepared(&c, &st, &first, &fresh) == 0 && fresh && key.type == KEY_EC384,
	    "unless another type is wanted");
	second = key;
	ok(prepared(&c, &st, &second, &fresh) == 1 && !fresh, "which is kept then");
	ok(store_remove("certs/a.example/pending/privkey.pem") == 0 &&
	    prepared(&c, &st, &second, &fresh) == 0 && fresh, "a lost one is made anew");
}

static void
reuses_the_live_key(void)
{
	static struct key live;
	static struct renewal st;
	static struct conf c;
	static char mem[LIMIT_PEM_KEY];
	struct buf pem = BUF(mem);
	struct store_files f = { { 0, 0 }, { "c", 1 }, { "c", 1 }, { "c", 1 } };
	int number = 0, fresh;

	key_generate(&live, KEY_EC256);
	key_write(&live, &pem);
	f.privkey = buf_view(&pem);
	ok(store_stage("a.example", &f, &number) == 0 && store_commit("a.example", number) == 0 &&
	    store_remove("certs/a.example/pending/privkey.pem") == 0, "a live key");
	st.live = number;
	c.reuse_key = 1;
	ok(prepared(&c, &st, &live, &fresh) == 1 && fresh, "is used again if that is wanted");
	store_remove("certs/a.example/pending/privkey.pem");
	c.key_type = "ec256";
	ok(prepared(&c, &st, &live, &fresh) == 1, "if it is of the type");
	store_remove("certs/a.example/pending/privkey.pem");
	c.key_type = "ec384";
	ok(prepared(&c, &st, &live, &fresh) == 0 && key.type == KEY_EC384, "not of another type");
	store_remove("certs/a.example/pending/privkey.pem");
	c.reuse_key = 0;
	c.key_type = 0;
	ok(prepared(&c, &st, &live, &fresh) == 0, "else a new one is made");
}

static void
another_ca_may_do_better(void)
{
	static const struct {
		const char *name;
		enum stage stage;
		int status, want;
	} table[] = {
		{ "no connection", AT_ACCOUNT, ST_NET, 1 },
		{ "an account that needs a binding", AT_ACCOUNT, ST_CONFIG, 1 },
		{ "a state directory that is full", AT_ACCOUNT, ST_STORE, 0 },
		{ "an order refused", AT_ORDER, ST_REFUSED, 1 },
		{ "a rate limit", AT_ORDER, ST_LATER, 1 },
		{ "no such profile", AT_ORDER, ST_CONFIG, 1 },
		{ "too many names", AT_ORDER, ST_USAGE, 0 },
		{ "a hook that failed", AT_CHALLENGES, ST_HOOK, 0 },
		{ "a hook that cannot be run", AT_CHALLENGES, ST_CONFIG, 0 },
		{ "a challenge that failed", AT_CHALLENGES, ST_REFUSED, 0 },
		{ "no connection while validating", AT_CHALLENGES, ST_NET, 1 },
		{ "a protocol error while validating", AT_CHALLENGES, ST_PROTO, 1 },
		{ "a request refused", AT_FINALIZE, ST_REFUSED, 1 },
		{ "a chain that is of no use", AT_CHAIN, ST_PROTO, 1 },
		{ "files that cannot be written", AT_FILES, ST_STORE, 0 },
		{ "deploy hooks that are too long", AT_FILES, ST_CONFIG, 0 },
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		stage = table[i].stage;
		ok(own_reason(table[i].status) == table[i].want, table[i].name);
	}
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
	if (store_open(home, 1) != 0 || store_mkdir("certs/a.example/pending") < 0)
		return 1;
	wants_a_type();
	keeps_its_key();
	reuses_the_live_key();
	another_ca_may_do_better();
	return tap_done();
}
