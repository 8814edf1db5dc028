/* nonce.c: what is taken for a nonce, and which one is used next. */
#include <stdlib.h>

#include "../tap.h"
#include "../../acme.h"
#include "../../nonce.c"

static struct http_response res;

static void
replied(const char *head)
{
	res.status = 200;
	res.head_len = strlen(head);
	memcpy(res.head, head, res.head_len);
}

static void
nonces_are_checked(void)
{
	static const struct {
		const char *name, *head;
		int want;
		unsigned count;
	} table[] = {
		{ "a nonce", "Replay-Nonce: abc\r\n", 0, 1 },
		{ "in another case", "replay-nonce:abc\r\n", 0, 1 },
		{ "all characters", "Replay-Nonce: AZaz09-_\r\n", 0, 1 },
		{ "none", "Content-Type: x\r\n", 0, 0 },
		{ "no header at all", "", 0, 0 },
		{ "an empty one", "Replay-Nonce: \r\n", -1, 0 },
		{ "padding", "Replay-Nonce: abc=\r\n", -1, 0 },
		{ "base64", "Replay-Nonce: a+/c\r\n", -1, 0 },
		{ "a quote", "Replay-Nonce: abc\"\r\n", -1, 0 },
		{ "a space", "Replay-Nonce: a b\r\n", -1, 0 },
		{ "two in one", "Replay-Nonce: a,b\r\n", -1, 0 },
		{ "two", "Replay-Nonce: a\r\nReplay-Nonce: b\r\n", -1, 0 },
	};
	static char head[LIMIT_NONCE + 64];
	size_t i;
	int n;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		nonce_clear();
		replied(table[i].head);
		ok(nonce_harvest(&res) == table[i].want && nonce_count() == table[i].count &&
		    (table[i].want == 0 || problem_last()->status == ST_PROTO), table[i].name);
	}
	for (n = LIMIT_NONCE - 1; n <= LIMIT_NONCE; n++) {
		nonce_clear();
		snprintf(head, sizeof(head), "Replay-Nonce: %0*d\r\n", n, 0);
		replied(head);
		ok(nonce_harvest(&res) == (n < LIMIT_NONCE ? 0 : -1), n < LIMIT_NONCE ?
		    "the longest" : "a longer one");
	}
}

static void
nonces_are_kept(void)
{
	char head[64], text[LIMIT_NONCE];
	unsigned i;

	nonce_clear();
	for (i = 0; i < NONCES + 3; i++) {
		snprintf(head, sizeof(head), "Replay-Nonce: n%u\r\n", i);
		replied(head);
		nonce_harvest(&res);
	}
	ok(nonce_count() == NONCES, "there are so many at most");
	is_str(nonce.text, "n3", "the oldest are dropped");
	nonce_take(text);
	is_str(text, "n52", "the newest is the first");
	nonce_take(text);
	is_str(text, "n51", "then the one before");
	ok(nonce_count() == NONCES - 2, "each is used once");
	for (i = 0; i < NONCES; i++)
		nonce.at[i] = now_ms() - AGE - 1;
	ok(nonce_count() == 0, "old ones are not used");
	nonce_harvest(&res);
	ok(nonce_count() == 1, "but a new one is");
	nonce_clear();
	ok(nonce_count() == 0, "a conversation begins with none");
	for (i = 0; i < 3 * 16; i++) {
		static char long_head[LIMIT_NONCE + 64];

		snprintf(long_head, sizeof(long_head), "Replay-Nonce: %0*u\r\n", LIMIT_NONCE - 1 - (int)(i % 3), i);
		replied(long_head);
		nonce_harvest(&res);
	}
	ok(nonce_count() >= 16 && nonce.used <= sizeof(nonce.text), "of long ones there are fewer");
	while (nonce_count() > 1)
		nonce_take(text);
	nonce_take(text);
	ok(strtoul(text, 0, 10) >= 2 * 16 - 1, "the newest");
}

int
main(void)
{
	nonces_are_checked();
	nonces_are_kept();
	return tap_done();
}
