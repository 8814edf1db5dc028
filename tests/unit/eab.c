/* eab.c: what a CA wants, and where a binding comes from. */
#include <stdlib.h>
#include <unistd.h>

#include "../home.h"
#include "../tap.h"
#include "../../eab.c"
#include "../../json.h"

#define UNKNOWN "https://ca.example/dir"
#define ZEROSSL "https://acme.zerossl.com/v2/DV90"
#define SSLCOM "https://acme.ssl.com/sslcom-dv-ecc"
#define ACTALIS "https://acme-api.actalis.com/acme/directory"

/* 33 bytes that base64 and base64url write differently. */
#define BASE64 "+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/"
#define BASE64URL "-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_"

static void
names_what_is_missing(void)
{
	static const struct {
		const char *name, *url;
		int required;
		const char *kid, *key, *mail;
		int want;
		const char *says;
	} table[] = {
		{ "nothing", UNKNOWN, 0, 0, 0, 0, 0, 0 },
		{ "a directory that says so", UNKNOWN, 1, 0, 0, 0, ST_CONFIG, UNKNOWN " needs an external account" },
		{ "and is given it", UNKNOWN, 1, "k", "f", 0, 0, 0 },
		{ "a key id alone", UNKNOWN, 0, "k", 0, 0, ST_USAGE, "the key is missing" },
		{ "a key alone", UNKNOWN, 0, 0, "f", 0, ST_USAGE, "the key id is missing" },
		{ "a known CA", ACTALIS, 0, 0, 0, "a@b", ST_CONFIG, "actalis needs an external account" },
		{ "with a binding", ACTALIS, 0, "k", "f", 0, 0, 0 },
		{ "one that wants both", SSLCOM, 0, 0, 0, 0, ST_CONFIG, "and a mail address" },
		{ "with half of it", SSLCOM, 0, "k", "f", 0, ST_CONFIG, "sslcom needs a mail address" },
		{ "none is no address", SSLCOM, 0, "k", "f", "none", ST_CONFIG, "needs a mail address" },
		{ "with both", SSLCOM, 0, "k", "f", "a@b", 0, 0 },
		{ "one that makes it from the address", ZEROSSL, 1, 0, 0, 0, ST_CONFIG, "zerossl needs a mail address" },
		{ "with the address", ZEROSSL, 1, 0, 0, "a@b", 0, 0 },
		{ "with a binding instead", ZEROSSL, 1, "k", "f", 0, 0, 0 },
	};
	static struct conf c;
	size_t i;
	int r;

	hush(1);
	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		c.eab_kid = table[i].kid;
		c.eab_key = table[i].key;
		c.mail = table[i].mail;
		r = eab_lacking(&c, table[i].url, table[i].required);
		ok(r == table[i].want && (!r || strstr(last_failure(), table[i].says)), table[i].name);
	}
	hush(0);
}

static void
reads_keys(void)
{
	static const struct {
		const char *name, *text;
		const char *fault;	/* 0: taken */
	} table[] = {
		{ "base64", BASE64, 0 },
		{ "base64url", BASE64URL, 0 },
		{ "padded", BASE64 "+w==", 0 },
		{ "unpadded", BASE64 "+w", 0 },
		{ "space around it", " \t" BASE64 "\r\n\n", 0 },
		{ "32 bytes", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", 0 },
		{ "31 bytes", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg", "too short" },
		{ "nothing", "", "too short" },
		{ "only space", "\n", "too short" },
		{ "space inside", BASE64 "\n" BASE64, "not base64" },
		{ "junk", "!" BASE64, "not base64" },
	};
	size_t i;

	hush(1);
	for (i = 0; i < sizeof(table) / sizeof(*table); i++)
		ok(decode(slice(table[i].text), "there") == (table[i].fault ? ST_CONFIG : 0) &&
		    (!table[i].fault || (strstr(last_failure(), table[i].fault) && strstr(last_failure(), "in there"))),
		    table[i].name);
	hush(0);
}

static int
sign(void *ctx, const void *p, size_t n, struct buf *sig)
{
	(void)ctx;
	(void)p;
	(void)n;
	(void)sig;
	return -1;
}

static void
finds_them(void)
{
	static const struct jws_key account = { JWS_ES256, { "x", 1 }, { "y", 1 }, sign, 0 };
	static struct conf c;
	char path[64], mem_[4096], raw[512], text[512];
	struct buf b = BUF(mem_), header = BUF(text);
	struct json_doc doc;
	FILE *f;

	ok(eab_get(&c, UNKNOWN) == EAB_NONE, "none given, none there");
	setenv("ACME_EAB_KID", "from \"env\"", 1);
	setenv("ACME_EAB_KEY", BASE64, 1);
	hush(1);
	ok(eab_get(&c, UNKNOWN) == ST_CONFIG, "an odd key id");
	hush(0);
	setenv("ACME_EAB_KID", "from-env", 1);
	ok(eab_get(&c, UNKNOWN) == 0 && eab.key.len == 33 && strcmp(eab.kid, "from-env") == 0,
	    "from the environment");
	snprintf(path, sizeof(path), "%s/eab", home);
	f = fopen(path, "w");
	ok(f && fputs(BASE64URL "AAAA\n", f) >= 0 && fclose(f) == 0, "a file");
	c.eab_kid = "from-option";
	c.eab_key = path;
	ok(eab_get(&c, UNKNOWN) == 0 && eab.key.len == 36 && strcmp(eab.kid, "from-option") == 0,
	    "options win over it");
	ok(!eab.text[0], "the text is wiped");
	ok(eab_write(&b, &account, "https://ca.example/new") == 0, "a binding is written");
	json_string(json_get(json_parse(&doc, buf_view(&b)), "protected"), raw, sizeof(raw));
	ok(base64url_decode(&header, slice(raw)) == 0 && strcmp(buf_text(&header),
	    "{\"alg\":\"HS256\",\"kid\":\"from-option\",\"url\":\"https://ca.example/new\"}") == 0,
	    "by HS256, for that URL");
	eab_wipe();
	ok(!eab.key.len && !eab.mem[0] && !eab.kid[0], "and nothing is left of it");
	c.eab_key = "/nonexistent";
	hush(1);
	ok(eab_get(&c, UNKNOWN) == ST_CONFIG, "a file that is missing");
	hush(0);
}

int
main(void)
{
	if (!mkdtemp(home)) {
		perror(home);
		return 1;
	}
	atexit(remove_home);
	unsetenv("ACME_EAB_KID");
	unsetenv("ACME_EAB_KEY");
	names_what_is_missing();
	reads_keys();
	finds_them();
	return tap_done();
}
