/*
 * Fuzzes dns-persist-01: a line that is a TXT value, and the rest, a challenge
 * object.  What may stand in a record is, written there, found again.
 */
#include "fuzz.h"

#include "../../json.h"
#include "../../persist.c"

int
LLVMFuzzerTestOneInput(const unsigned char *p, size_t n)
{
	static char issuers[PERSIST_ISSUERS * (LIMIT_NAME + 1)], account[LIMIT_URL], mem[LIMIT_PERSIST];
	static char first[LIMIT_NAME + 1];
	struct slice rest = slice_of(p, n), value = fuzz_line(&rest), name;
	struct buf b = BUF(mem);
	struct json_doc doc;
	struct json challenge;

	persist_match(value, "ca.example", "https://ca.example/acct/1", 0, 1800000000);
	persist_match(value, "ca.example", "https://ca.example/acct/1", 1, 1800000000);
	challenge = json_parse(&doc, rest);
	if (persist_read(&challenge, issuers, account) < 0)
		return 0;
	need_printable(issuers, sizeof(issuers));
	need_printable(account, sizeof(account));
	need(!*account || persist_account(account));
	name.p = issuers;
	name.n = strcspn(issuers, " ");
	need(slice_copy(name, first, sizeof(first)) == 0 && *first);
	persist_value(&b, first, *account ? account : "https://ca.example/acct/1", 1);
	need(!b.err && persist_match(buf_view(&b), issuers, *account ? account : "https://ca.example/acct/1",
	    1, 1800000000));
	return 0;
}
