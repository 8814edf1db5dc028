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

static struct {
	unsigned count;
	int64_t at[NONCES];
	char text[NONCES][LIMIT_NONCE];
} nonce;

void
nonce_clear(void)
{
	nonce.count = 0;
}

unsigned
nonce_count(void)
{
	/* they are in the order in which they came */
	if (nonce.count && now_ms() - nonce.at[nonce.count - 1] > AGE)
		nonce.count = 0;
	return nonce.count;
}

void
nonce_take(char *out)
{
	slice_copy(slice(nonce.text[--nonce.count]), out, LIMIT_NONCE);
}

int
nonce_harvest(const struct http_response *res)
{
	struct slice s = http_header(res, "Replay-Nonce", 0);

	if (!s.p)
		return 0;
	if (!base64url_is(s) || s.n >= LIMIT_NONCE || http_header(res, "Replay-Nonce", 1).p)
		return problem_set(ST_PROTO, "the server sent no proper Replay-Nonce", (char *)0);
	if (nonce.count == NONCES) {
		nonce.count--;
		memmove(nonce.text[0], nonce.text[1], nonce.count * sizeof(nonce.text[0]));
		memmove(nonce.at, nonce.at + 1, nonce.count * sizeof(nonce.at[0]));
	}
	slice_copy(s, nonce.text[nonce.count], LIMIT_NONCE);
	nonce.at[nonce.count++] = now_ms();
	return 0;
}
