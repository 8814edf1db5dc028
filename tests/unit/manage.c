/* manage.c: records of a name, the payload of an update, what is refused. */
#include <stdlib.h>

#include "../home.h"
#include "../tap.h"
#include "../../manage.c"

/* --- account.c's part --- */

#define KID "https://ca.example/acct/1"

static struct acme_account account;
static struct acme_problem why;
static char kid[1024] = KID, posted[1024], after[16];
static int post_result;

int account_open(const struct conf *c, const char *url, enum account_mode mode) { (void)c; (void)url; (void)mode; return 0; }
void account_close(void) { }
const char *account_url(void) { return kid; }
const char *account_dir(void) { return "accounts/ca.example"; }
const char *account_server(void) { return "https://ca.example/dir"; }
int account_key_type(void) { return KEY_EC256; }
const struct acme_account *account_state(void) { return &account; }
const struct jws_key *account_jws(void) { return 0; }
int account_register(const struct conf *c, enum account_mode mode) { (void)c; (void)mode; return 0; }
int account_find(void) { return 0; }
int account_save(void) { return 0; }
int account_failed(void) { return fail((enum status)why.status, why.text, (char *)0); }
int rollover(const struct conf *c, const char *url) { (void)c; (void)url; return 0; }
const struct acme_directory *talker_directory(int *fetched) { (void)fetched; return 0; }
const struct acme_problem *talker_why(void) { return &why; }

int
account_post(int kind, struct slice payload)
{
	(void)kind;
	slice_copy(payload, posted, sizeof(posted));
	slice_copy(slice(after), account.status, sizeof(account.status));
	return post_result;
}

static void
writes_records(void)
{
	static const struct {
		const char *name, *types, *caa, *persist;
	} table[] = {
		{ "a.example", 0,
		  "a.example. CAA 0 issue \"ca.example; accounturi=" KID "; validationmethods=http-01,tls-alpn-01,dns-01\"",
		  "_validation-persist.a.example. TXT \"ca.example; accounturi=" KID "\"" },
		{ "a.example", "dns-01",
		  "a.example. CAA 0 issue \"ca.example; accounturi=" KID "; validationmethods=dns-01\"",
		  "_validation-persist.a.example. TXT \"ca.example; accounturi=" KID "\"" },
		{ "*.a.example", 0,
		  "a.example. CAA 0 issuewild \"ca.example; accounturi=" KID "; validationmethods=dns-01\"",
		  "_validation-persist.a.example. TXT \"ca.example; accounturi=" KID "; policy=wildcard\"" },
	};
	static struct conf c;
	char mem[2048];
	struct buf b = BUF(mem);
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		c.challenge = table[i].types;
		buf_clear(&b);
		caa(&b, table[i].name, "ca.example", &c);
		is_str(buf_text(&b), table[i].caa, "a CAA record");
		buf_clear(&b);
		persist(&b, table[i].name, "ca.example", &c);
		is_str(buf_text(&b), table[i].persist, "a TXT record");
	}
	memset(kid + sizeof(KID) - 1, 'x', 300);
	kid[sizeof(KID) - 1 + 300] = 0;
	buf_clear(&b);
	persist(&b, "a.example", "ca.example", &c);
	ok(strstr(buf_text(&b), "xxx\" \"xxx") != 0 && !b.err &&
	    strchr(strchr(mem, '"') + 1, '"') - strchr(mem, '"') == 256, "a long value is cut at 255 bytes");
	strcpy(kid, KID);
	ok(proper("ca.example", KID), "a proper issuer");
	ok(!proper("ca.example\"", KID) && !proper("ca example", KID) && !proper("", KID) &&
	    !proper("ca.example;x", KID), "others are left out");
	ok(!proper("ca.example", KID ";a=b") && !proper("ca.example", KID " x"), "odd account URLs too");
}

static void
updates(void)
{
	static const struct {
		const char *name, *has, *mail, *want;
	} table[] = {
		{ "a new address", "mailto:a@b", "c@d", "[\"mailto:c@d\"]" },
		{ "none", "mailto:a@b", "none", "[]" },
		{ "the same", "mailto:a@b mailto:c@d", 0, "[\"mailto:a@b\",\"mailto:c@d\"]" },
		{ "none, as before", "", 0, "[]" },
		{ "a quote from the CA", "mailto:\"", 0, "[\"mailto:\\\"\"]" },
	};
	static struct conf c;
	char mem[512], want[512];
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct buf b = BUF(mem);

		slice_copy(slice(table[i].has), account.contact, sizeof(account.contact));
		c.mail = table[i].mail;
		update_payload(&b, &c);
		snprintf(want, sizeof(want), "{\"termsOfServiceAgreed\":true,\"contact\":%s}", table[i].want);
		is_str(buf_text(&b), want, table[i].name);
	}
}

static void
deactivates(void)
{
	static const struct {
		const char *name;
		int result;
		const char *status, *type, *text;
		int want;
	} table[] = {
		{ "done", 0, "deactivated", "", "", 0 },
		{ "said to be done", 0, "valid", "", "", ST_PROTO },
		{ "done before", -1, "", "unauthorized", "unauthorized: account has been deactivated", 0 },
		{ "another refusal", -1, "", "unauthorized", "unauthorized: no", ST_REFUSED },
		{ "of another type", -1, "", "malformed", "deactivated", ST_REFUSED },
	};
	size_t i;

	hush(1);
	why.status = ST_REFUSED;
	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		post_result = table[i].result;
		strcpy(after, table[i].status);
		strcpy(why.type, table[i].type);
		strcpy(why.text, table[i].text);
		ok(deactivated() == table[i].want, table[i].name);
	}
	hush(0);
	is_str(posted, "{\"status\":\"deactivated\"}", "by its status");
}

int
main(void)
{
	static struct conf c;

	writes_records();
	updates();
	deactivates();
	hush(1);
	ok(manage_account(&c, "frobnicate", 0) == ST_USAGE && manage_account(&c, "register", "a") == ST_USAGE &&
	    manage_account(&c, "", 0) == ST_USAGE, "other actions are refused");
	hush(0);
	return tap_done();
}
