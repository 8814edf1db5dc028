/* persist.c: which TXT values let whom issue. */
#include "../tap.h"
#include "../../persist.c"

#define ACCT "https://ca.example/acct/1"
enum { NOW = 1800000000 };

static const struct {
	const char *value;
	int host, wildcard;		/* counts for a host name, for a wildcard */
} table[] = {
	{ "ca.example; accounturi=" ACCT, 1, 0 },
	{ "ca.example; accounturi=" ACCT "; policy=wildcard", 1, 1 },
	{ "  ca.example ;accounturi = " ACCT " ;policy=\twildcard ", 1, 1 },
	{ "ca.example; AccountURI=" ACCT "; POLICY=Wildcard", 1, 1 },
	{ "CA.Example; accounturi=" ACCT, 0, 0 },
	{ "two.example; policy=wildcard; accounturi=" ACCT, 1, 1 },
	{ "ca.example; accounturi=" ACCT "; policy=other", 1, 0 },
	{ "ca.example; x-y=1; accounturi=" ACCT "; x-y=2", 1, 0 },
	{ "ca.example; empty=; accounturi=" ACCT, 1, 0 },
	{ "ca.example; accounturi=" ACCT "; persistUntil=1800000001", 1, 0 },
	{ "ca.example; accounturi=" ACCT "; persistUntil=1800000000", 0, 0 },
	{ "ca.example; accounturi=" ACCT "; persistUntil=0", 0, 0 },
	{ "ca.example; accounturi=" ACCT "; persistUntil=-1", 0, 0 },
	{ "ca.example; accounturi=" ACCT "; persistUntil=", 0, 0 },
	{ "ca.example; accounturi=" ACCT "; persistUntil=9999999999999999999", 0, 0 },
	{ "ca.example; accounturi=" ACCT "; persistUntil=1e12", 0, 0 },
	{ "ca.example", 0, 0 },
	{ "ca.example;", 0, 0 },
	{ "", 0, 0 },
	{ ";", 0, 0 },
	{ "; accounturi=" ACCT, 0, 0 },
	{ "ca.example; policy=wildcard", 0, 0 },
	{ "other.example; accounturi=" ACCT, 0, 0 },
	{ "a.example; accounturi=" ACCT, 0, 0 },
	{ "ca.example two.example; accounturi=" ACCT, 0, 0 },
	{ "ca.example; accounturi=" ACCT "2", 0, 0 },
	{ "ca.example; accounturi=https://CA.example/acct/1", 0, 0 },
	{ "ca.example; accounturi=\"" ACCT "\"", 0, 0 },
	{ "ca.example; accounturi=" ACCT ";", 0, 0 },
	{ "ca.example; accounturi=" ACCT "; ", 0, 0 },
	{ "ca.example;; accounturi=" ACCT, 0, 0 },
	{ "ca.example; accounturi=" ACCT " policy=wildcard", 0, 0 },
	{ "ca.example; accounturi=" ACCT "; accounturi=" ACCT, 0, 0 },
	{ "ca.example; policy=wildcard; Policy=wildcard; accounturi=" ACCT, 0, 0 },
	{ "ca.example; accounturi=" ACCT "; policy", 0, 0 },
	{ "ca.example; accounturi=" ACCT "; =wildcard", 0, 0 },
	{ "ca.example; accounturi=" ACCT "; -a=1", 0, 0 },
	{ "ca.example; accounturi=" ACCT "; a-=1", 0, 0 },
	{ "ca.example; accounturi=" ACCT "; a_b=1", 0, 0 },
	{ "ca.example; accounturi=" ACCT "; a=\x01", 0, 0 },
	{ "ca.example; accounturi=" ACCT "; a=\xc3\xa4", 0, 0 },
};

static int
match(const char *value, int wildcard)
{
	return persist_match(slice(value), "ca.example two.example", ACCT, wildcard, NOW);
}

static void
writes_what_it_reads(void)
{
	char mem[LIMIT_PERSIST], name[LIMIT_NAME + 1], uri[LIMIT_URL + 1];
	struct buf b = BUF(mem);
	size_t i;

	persist_value(&b, "ca.example", ACCT, 0);
	is_str(buf_text(&b), "ca.example; accounturi=" ACCT, "value");
	ok(match(mem, 0) && !match(mem, 1), "is found for the name only");
	buf_clear(&b);
	persist_value(&b, "ca.example", ACCT, 1);
	is_str(buf_text(&b), "ca.example; accounturi=" ACCT "; policy=wildcard", "of a wildcard");
	ok(match(mem, 0) && match(mem, 1), "is found for both");
	buf_clear(&b);
	persist_record(&b, "example.com");
	is_str(buf_text(&b), "_validation-persist.example.com", "owner");
	buf_clear(&b);
	persist_record(&b, "*.example.com");
	is_str(buf_text(&b), "_validation-persist.example.com", "of a wildcard the same");

	for (i = 0; i < LIMIT_NAME; i++)
		name[i] = i % 64 == 63 ? '.' : 'a';
	name[i] = 0;
	memset(uri, 'x', LIMIT_URL);
	uri[LIMIT_URL] = 0;
	ok(proper_issuer(name) && !persist_account(uri) && persist_account(uri + 1), "longest parts");
	buf_clear(&b);
	persist_value(&b, name, uri + 1, 1);
	ok(*buf_text(&b) && !b.err, "fit");
	ok(persist_match(buf_view(&b), name, uri + 1, 1, NOW), "and are found");
}

static void
reads_challenges(void)
{
#define TEN "\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\",\"j\""
	static const struct {
		const char *name, *text, *issuers, *account;
	} challenges[] = {
		{ "draft 00", "{\"issuer-domain-names\":[\"ca.example\"]}", "ca.example", "" },
		{ "draft 01", "{\"issuer-domain-names\":[\"ca.example\",\"b\"],\"accounturi\":\"" ACCT "\"}",
		    "ca.example b", ACCT },
		{ "ten issuers", "{\"issuer-domain-names\":[" TEN "]}", "a b c d e f g h i j", "" },
		{ "eleven", "{\"issuer-domain-names\":[" TEN ",\"k\"]}", 0, 0 },
		{ "none", "{\"issuer-domain-names\":[]}", 0, 0 },
		{ "no member", "{}", 0, 0 },
		{ "no array", "{\"issuer-domain-names\":\"ca.example\"}", 0, 0 },
		{ "no text in it", "{\"issuer-domain-names\":[1]}", 0, 0 },
		{ "upper case", "{\"issuer-domain-names\":[\"CA.example\"]}", 0, 0 },
		{ "more than a name", "{\"issuer-domain-names\":[\"ca.example; policy=wildcard\"]}", 0, 0 },
		{ "an account with more", "{\"issuer-domain-names\":[\"b\"],\"accounturi\":\"a; b=c\"}", 0, 0 },
		{ "an empty account", "{\"issuer-domain-names\":[\"b\"],\"accounturi\":\"\"}", 0, 0 },
		{ "an account that is no text", "{\"issuer-domain-names\":[\"b\"],\"accounturi\":{}}", 0, 0 },
		{ "an account that is null", "{\"issuer-domain-names\":[\"b\"],\"accounturi\":null}", "b", "" },
	};
	char got[PERSIST_ISSUERS * (LIMIT_NAME + 1)], account[LIMIT_URL];
	struct json_doc doc;
	struct json v;
	size_t i;
	int r;

	for (i = 0; i < sizeof(challenges) / sizeof(*challenges); i++) {
		v = json_parse(&doc, slice(challenges[i].text));
		r = persist_read(&v, got, account);
		ok(r == (challenges[i].issuers ? 0 : -1) && (r < 0 ||
		    (strcmp(got, challenges[i].issuers) == 0 &&
		    strcmp(account, challenges[i].account) == 0)), challenges[i].name);
	}
}

int
main(void)
{
	static const char *const issuers[] = { "CA.example", "ca.example.", "*.ca.example", "192.0.2.1",
	    "::1", "", "a b", "a;b", "-a", "a..b", "caf\xc3\xa9", "a\"b" };
	static const char *const accounts[] = { "", "https://a;b", "https://a b", "https://a\"b",
	    "https://a'b", "https://a\\b", "https://a\n", "https://\xc3\xa9" };
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++)
		ok(match(table[i].value, 0) == table[i].host &&
		    match(table[i].value, 1) == table[i].wildcard, table[i].value);
	ok(proper_issuer("ca.example") && proper_issuer("xn--caf-dma.example"), "issuers");
	for (i = 0; i < sizeof(issuers) / sizeof(*issuers); i++)
		ok(!proper_issuer(issuers[i]), "not an issuer");
	ok(persist_account(ACCT), "account");
	for (i = 0; i < sizeof(accounts) / sizeof(*accounts); i++)
		ok(!persist_account(accounts[i]), "not an account's URI");
	reads_challenges();
	writes_what_it_reads();
	return tap_done();
}
