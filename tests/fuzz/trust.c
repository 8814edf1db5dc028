/*
 * Fuzzes trust.c: the input as a bundle of PEM certificates, and as a server's
 * chain (each certificate behind two bytes of length).  No chain that is not
 * signed by the fuzzer's own CA may be accepted: it has none.
 */
#include "fuzz.h"

/* No file of this machine takes part. */
#define SYSTEM_BUNDLES "/nonexistent"
#include "../../trust.c"

/* Each read brings another number of bytes. */
static void
bundle(const unsigned char *p, size_t n)
{
	struct scan s;
	size_t k, room, step = n % 89 + 1;

	for (scan_start(&s, add_certificate); n; p += k, n -= k) {
		room = s.text.cap - s.text.len;
		if (room == 0)
			abort();	/* then nothing more would be read */
		k = step < room ? step : room;
		if (k > n)
			k = n;
		memcpy(s.text.p + s.text.len, p, k);
		scan_more(&s, k);
		step = step * 31 % 20011;
	}
	scan_end(&s);
	if (t.anchors > MAX_ANCHORS || t.kept.len > t.kept.cap)
		abort();
}

int
LLVMFuzzerTestOneInput(const unsigned char *p, size_t n)
{
	const unsigned char *all = p, *copy;
	size_t all_n = n, k;
	char mem[512];
	struct buf text = BUF(mem);
	int err;

	trust_begin(0, n % 2 ? "a.example" : "192.0.2.1");
	start_chain(0, 0);
	for (; n >= 2; p += k, n -= k) {
		k = (size_t)(p[0] << 8 | p[1]);
		p += 2;
		n -= 2;
		if (k > n)
			k = n;
		start_cert(0, (uint32_t)k);
		copy = memcpy(malloc(k + 1), p, k);
		append(0, copy, k);
		free((void *)copy);
		end_cert(0);
	}
	err = (int)end_chain(0);
	if (err == 0)
		abort();
	trust_explain(err, &text);
	t.anchors = 0;
	buf_init(&t.kept, t.kept_mem, sizeof(t.kept_mem));
	bundle(all, all_n);
	return 0;
}
