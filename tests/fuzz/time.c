/*
 * Fuzzes dates: one that is read can be written, and is the same moment.
 */
#include "fuzz.h"

#include "../../util.h"

int
LLVMFuzzerTestOneInput(const unsigned char *p, size_t n)
{
	struct slice s = slice_of(p, n);
	char mem[32];
	struct buf b = BUF(mem);
	int64_t t, again;

	if (time_rfc3339(s, &t) < 0 && time_http(s, &t) < 0)
		return 0;
	buf_time(&b, t);
	need(!b.err && b.len == 20 && time_rfc3339(buf_view(&b), &again) == 0 && again == t);
	return 0;
}
