/*
 * Fuzzes foreign certificate requests, PEM or DER.  The names of one that is
 * accepted are names that could have been asked for.
 */
#include "fuzz.h"

#include "../../request.c"

int
LLVMFuzzerTestOneInput(const unsigned char *p, size_t n)
{
	static struct conf c;
	static char mem[LIMIT_CONF];
	char again[LIMIT_NAME + 1];
	const char *why = 0;
	struct request r;
	unsigned i;

	if (n > LIMIT_REQUEST)
		return 0;
	conf_init(&c, mem, sizeof(mem));
	if (parse(slice_of(p, n), &c, &r, &why) < 0) {
		need(why != 0);
		return 0;
	}
	need(c.names > 0 && c.names <= LIMIT_NAMES && r.pk->type != PK_NONE && r.der.n <= n);
	for (i = 0; i < c.names; i++)
		need(!name_canonical(c.name[i], again) && strcmp(c.name[i], again) == 0);
	return 0;
}
