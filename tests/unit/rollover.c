/* rollover.c: the request of a key change, and what is said when it was not made. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../home.h"
#include "../tap.h"
#include "../../rollover.c"

/* --- account.c's part: an account with a key, a CA that says what it is told to --- */

static struct key old;
static struct jws_key old_jws;
static struct pk old_pk;
static struct slice payload;
static char sent[8 * 1024];
static enum account_settled settled;
static struct acme_problem why;
static struct acme_directory dir;
static int next_was_there;

int account_open(const struct conf *c, const char *url, enum account_mode mode) { (void)c; (void)url; return mode != ACCOUNT_CHANGE; }
const char *account_url(void) { return "https://ca.example/acct/1"; }
const char *account_dir(void) { return "accounts/ca.example"; }
int account_key_type(void) { return (int)old.type; }
const struct jws_key *account_jws(void) { return &old_jws; }
int account_same_key(const struct pk *pk) { return key_same(&old, pk); }
void account_payload(int kind, struct slice p) { if (kind == ACME_KEY_CHANGE) payload = p; }
int account_settle(enum account_settled *what) { *what = settled; return 0; }
const struct acme_directory *talker_directory(int *fetched) { (void)fetched; return &dir; }
const struct acme_problem *talker_why(void) { return &why; }

void
account_bridge(struct jws_key *j, struct key *k, struct pk *pk)
{
	key_public(k, pk);
	j->alg = pk->type == PK_RSA ? JWS_RS256 : pk->type == PK_P256 ? JWS_ES256 : JWS_ES384;
	j->a = pk->a;
	j->b = pk->b;
	j->sign = key_sign_raw;
	j->ctx = k;
}

int
talker_post(int kind, const char *url)
{
	(void)kind;
	(void)url;
	next_was_there = store_exists("accounts/ca.example/key.pem.next");
	slice_copy(payload, sent, sizeof(sent));
	return why.status ? -1 : 0;
}

int
main(void)
{
	static const struct {
		const char *name;
		int status, http;
		enum account_settled settled;
		int want;
		const char *says;
	} table[] = {
		{ "made, and said so", 0, 0, SETTLED_NEW, 0, 0 },
		{ "made, and the answer lost", ST_NET, 0, SETTLED_NEW, 0, 0 },
		{ "said to be made, but not", 0, 0, SETTLED_OLD, ST_PROTO, "but it was not - the old key stays" },
		{ "said to be made, with another's key", 0, 0, SETTLED_TAKEN, ST_REFUSED, "another account" },
		{ "409", ST_REFUSED, 409, SETTLED_OLD, ST_REFUSED, "another account" },
		{ "501", ST_LATER, 501, SETTLED_OLD, ST_REFUSED, "does not change keys - the old key stays" },
		{ "another refusal", ST_REFUSED, 400, SETTLED_OLD, ST_REFUSED, "why - the old key stays" },
		{ "503", ST_LATER, 503, SETTLED_OLD, ST_LATER, "why - the old key stays" },
		{ "the network", ST_NET, 0, SETTLED_OLD, ST_NET, "why - the old key stays" },
	};
	static struct conf c;
	static struct key next;
	char own[64];
	size_t i;
	int r;

	umask(077);
	if (!mkdtemp(home)) {
		perror(home);
		return 1;
	}
	atexit(remove_home);
	if (store_open(home, 1) != 0 || store_mkdir("accounts/ca.example") < 0 ||
	    key_generate(&old, KEY_EC384) < 0)
		return 1;
	account_bridge(&old_jws, &old, &old_pk);
	hush(1);
	ok(rollover(&c, "https://ca.example/dir") == ST_REFUSED &&
	    strstr(last_failure(), "keyChange") && !store_exists("accounts/ca.example/key.pem.next"),
	    "a directory without keyChange");
	strcpy(dir.url[EP_KEY_CHANGE], "https://ca.example/key-change");
	strcpy(why.text, "why");
	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		store_remove("accounts/ca.example/key.pem.next");
		why.status = table[i].status;
		why.http = table[i].http;
		settled = table[i].settled;
		r = rollover(&c, "https://ca.example/dir");
		ok(r == table[i].want && (!r || strstr(last_failure(), table[i].says)), table[i].name);
		ok(next_was_there && !payload.p, "the next key was on disk first");
	}
	hush(0);
	ok(strncmp(sent, "{\"protected\":\"", 14) == 0, "the payload is a JWS");
	ok(keyfile_read("accounts/ca.example/key.pem.next", &next) == 0 && next.type == KEY_EC384,
	    "the type is the same as before");
	c.account_key_type = "ec256";
	ok(prepare(&c, &next) == 0 && next.type == KEY_EC256, "or the one wanted");
	snprintf(own, sizeof(own), "%s/own.pem", home);
	c.key = own;
	ok(keyfile_write("own.pem", &next) == 0 && prepare(&c, &next) == 0, "or a key of the user's");
	hush(1);
	ok(keyfile_write("own.pem", &old) == 0 && prepare(&c, &next) == ST_CONFIG,
	    "but not the one that is there");
	hush(0);
	return tap_done();
}
