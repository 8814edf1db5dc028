/*
 * Fuzzes what a server's words become part of: five lines, key id, nonce,
 * URL, token and the binding's key, and the rest, a payload.  What is signed
 * is a JSON object whose parts read back as they were given; else nothing is
 * written.
 */
#include "fuzz.h"

#include "../../json.h"
#include "../../jws.c"

static int
sign(void *ctx, const void *p, size_t n, struct buf *sig)
{
	(void)ctx;
	(void)p;
	(void)n;
	buf_str(sig, "signature");
	return 0;
}

static const struct jws_key key = { JWS_ES256, { "0123456789abcdef0123456789abcdef", 32 },
    { "0123456789abcdef0123456789abcdef", 32 }, sign, 0 };

/* A member that is base64url, decoded. */
static struct slice
part(struct json v, const char *name, char *mem, size_t size)
{
	static char text[LIMIT_REQUEST];
	struct buf t = BUF(text), b;

	json_text(json_get(v, name), &t);
	buf_init(&b, mem, size);
	need(!t.err && base64url_decode(&b, buf_view(&t)) == 0);
	return buf_view(&b);
}

static void
check(struct slice jws, const char *kid, const char *nonce, const char *url, struct slice payload)
{
	static char header_mem[LIMIT_REQUEST], payload_mem[LIMIT_REQUEST];
	struct json_doc doc, inner;
	struct json v = json_parse(&doc, jws), h;

	need(v.type == JSON_OBJECT);
	need(same_slice(part(v, "payload", payload_mem, sizeof(payload_mem)), payload));
	h = json_parse(&inner, part(v, "protected", header_mem, sizeof(header_mem)));
	need(h.type == JSON_OBJECT && json_is(json_get(h, "url"), url));
	need(!nonce || json_is(json_get(h, "nonce"), nonce));
	need(kid ? json_is(json_get(h, "kid"), kid) : json_get(h, "jwk").type == JSON_OBJECT);
}

int
LLVMFuzzerTestOneInput(const unsigned char *p, size_t n)
{
	static char mem[LIMIT_REQUEST], text[5][LIMIT_URL];
	struct buf b = BUF(mem);
	struct slice rest = slice_of(p, n);
	const char *kid = text[0], *nonce = text[1], *url = text[2];
	int i;

	for (i = 0; i < 5; i++)
		slice_copy(fuzz_line(&rest), text[i], sizeof(text[i]));
	if (jws_write(&b, &key, *kid ? kid : 0, *nonce ? nonce : 0, url, rest) == 0)
		check(buf_view(&b), *kid ? kid : 0, *nonce ? nonce : 0, url, rest);
	else
		need(b.len == 0);
	buf_clear(&b);
	if (jws_eab(&b, &key, kid, slice(text[4]), url) == 0)
		need(*kid && *text[4]);
	else
		need(b.len == 0);
	buf_clear(&b);
	jws_key_change(&b, &key, &key, kid, url);
	buf_clear(&b);
	jws_key_authorization(&b, text[3], &key);
	jws_digest(&b, rest);
	jws_account_label(&b, url);
	need(!b.err);
	return 0;
}
