/*
 * Fuzzes http_url and http_resolve: what is accepted survives being written
 * out and read again, and a resolved reference is an acceptable URL.
 */
#include "fuzz.h"

#include "../../http.c"

int
LLVMFuzzerTestOneInput(const unsigned char *p, size_t n)
{
	struct slice s = { (const char *)p, n };
	struct http_url u, again;
	char text[2 * LIMIT_URL], out[LIMIT_URL];
	struct buf b = BUF(text);

	if (http_url(&u, s) == 0) {
		buf_str(&b, u.tls ? "https://" : "http://");
		http_authority(&b, &u);
		buf_str(&b, u.path);
		if (b.len < LIMIT_URL && (http_url(&again, buf_view(&b)) ||
		    !http_same_origin(&u, &again) || strcmp(u.path, again.path) != 0))
			abort();
	}
	if (http_resolve("https://a.example:14000/b/c/d;p?q", s, out, sizeof(out)) == 0) {
		if (http_url(&u, slice(out)))
			abort();
	} else if (out[0]) {
		abort();
	}
	return 0;
}
