/*
 * nonce.c - a stack of nonces; the oldest falls out when it is full.
 */
#include <string.h>

#include "base64.h"
#include "http.h"
#include "nonce.h"
#include "problem.h"
#include "util.h"

enum { AGE = 300 * 1000 };	/* ms */

/* They lie one behind the other: most are short, and untouched memory costs nothing. */
static struct {
	unsigned count;
	size_t used;			/* bytes of text */
	int64_t at[NONCES];
	size_t start[NONCES];
	char text[16 * LIMIT_NONCE];
} nonce;

void
nonce_clear(void)
{
	nonce.count = 0;
	nonce.used = 0;
}

unsigned
nonce_count(void)
{
	/* they are in the order in which they came */
	if (nonce.count && now_ms() - nonce.at[nonce.count - 1] > AGE)
		nonce_clear();
	return nonce.count;
}

void
nonce_take(char *out)
{
	nonce.used = nonce.start[--nonce.count];
	slice_copy(slice(nonce.text + nonce.used), out, LIMIT_NONCE);
}

static void
drop_oldest(void)
{
	size_t n = nonce.count > 1 ? nonce.start[1] : nonce.used;
	unsigned i;

	memmove(nonce.text, nonce.text + n, nonce.used - n);
	nonce.used -= n;
	nonce.count--;
	for (i = 0; i < nonce.count; i++) {
		nonce.start[i] = nonce.start[i + 1] - n;
		nonce.at[i] = nonce.at[i + 1];
	}
}

int
nonce_harvest(const struct http_response *res)
{
	struct slice s = http_header(res, "Replay-Nonce", 0);

	if (!s.p)
		return 0;
	if (!base64url_is(s) || s.n >= LIMIT_NONCE || http_header(res, "Replay-Nonce", 1).p)
		return problem_set(ST_PROTO, "the server sent no proper Replay-Nonce", (char *)0);
	while (nonce.count == NONCES || nonce.used + s.n >= sizeof(nonce.text))
		drop_oldest();
	slice_copy(s, nonce.text + nonce.used, LIMIT_NONCE);
	nonce.start[nonce.count] = nonce.used;
	nonce.at[nonce.count++] = now_ms();
	nonce.used += s.n + 1;
	return 0;
}
