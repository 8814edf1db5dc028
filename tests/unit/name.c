/* Names and addresses: what is accepted, how it is spelt, what is refused. */
#include "../tap.h"
#include "../../name.c"

#define L63 "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0"
#define LABEL61 "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxy"

static const struct {
	const char *name, *spelt;
} good[] = {
	{ "example.com", "example.com" },
	{ "EXAMPLE.Com", "example.com" },
	{ "example.com.", "example.com" },
	{ "localhost", "localhost" },
	{ "*.example.com", "*.example.com" },
	{ "*.A", "*.a" },
	{ "xn--bcher-kva.example", "xn--bcher-kva.example" },
	{ "b\303\274cher.example", "xn--bcher-kva.example" },
	{ "*.B\303\234CHER.example.", "*.xn--bcher-kva.example" },
	{ "1.example", "1.example" },
	{ "1a", "1a" },
	{ "a-b.c--d", "a-b.c--d" },
	{ L63 ".example", L63 ".example" },
	{ L63 "." L63 "." L63 "." LABEL61, L63 "." L63 "." L63 "." LABEL61 },
	{ "192.0.2.1", "192.0.2.1" },
	{ "0.0.0.0", "0.0.0.0" },
	{ "255.255.255.255", "255.255.255.255" },
	{ "::", "::" },
	{ "::1", "::1" },
	{ "1::", "1::" },
	{ "2001:DB8:0:0::1", "2001:db8::1" },
	/* RFC 5952 2.1, 2.2, 4.1 to 4.3 */
	{ "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
	{ "2001:0db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
	{ "2001:db8::1:0:0:1", "2001:db8::1:0:0:1" },
	{ "2001:db8::0:1:0:0:1", "2001:db8::1:0:0:1" },
	{ "2001:0db8::1:0:0:1", "2001:db8::1:0:0:1" },
	{ "2001:DB8:0:0:1::1", "2001:db8::1:0:0:1" },
	{ "2001:db8:aaaa:bbbb:cccc:dddd:eeee:0001", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:1" },
	{ "2001:db8:aaaa:bbbb:cccc:dddd:0:1", "2001:db8:aaaa:bbbb:cccc:dddd:0:1" },
	{ "2001:db8:0:0:0::1", "2001:db8::1" },
	{ "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
	{ "2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
	{ "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" },
	{ "0:0:0:1:0:0:0:0", "0:0:0:1::" },
	{ "2001:db8::0a00:192.0.2.1", "2001:db8::a00:c000:201" },
	{ "::ffff:192.0.2.1", "192.0.2.1" },
	{ "::FFFF:c000:0201", "192.0.2.1" },
	{ "::fffe:192.0.2.1", "::fffe:c000:201" },
	{ "64:ff9b::192.0.2.33", "64:ff9b::c000:221" },
};

static const char *const bad[] = {
	"", ".", "..", "a..b", ".a", "a..", "-a", "a-", "a.-b.c", "a-.b",
	L63 "x.example", L63 "." L63 "." L63 "." LABEL61 "z",
	"a b", "a/b", "/", "../a", "a%b", "a\nb", "a\tb", "a\rb", "a_b.c", "a,b", "a:b",
	"a@b", "a'b", "a;b", "$(a)", "\x7f", "*", "**", "**.a", "*a.b", "a.*.b", "a.*",
	"*.*.a", "*.", "*..a", "*.192.0.2.1", "*.::1",
	"\xff.example", "\303\274*.example", "\303\274_.example", "*.\303\274.*", "\303\274:1",
	/* 64 bytes as an A-label */
	LABEL61 "\303\274.example",
	"1", "1.2", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.1.1.256", "01.2.3.4",
	"1.2.3.04", "1.2.3.4 ", "1.2.3.4/32", "1.2.3.-4", "0x1.2.3.4", "1.2.3.4.",
	":", ":::", "1:", ":1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::",
	"::1:2:3:4:5:6:7:8", "1::2::3", "12345::", "g::", "::1%eth0", "[::1]", "::1.2.3",
	"::1.2.3.256", "1:2:3:4:5:6:7:1.2.3.4", "::1.2.3.4:5", "1:2:3:4:5:6:7:8:", ":1:2:3:4:5:6:7:8",
	"::1.", "1::2:",
};

static const struct {
	const char *wildcard, *name;
	int covered;
} covers[] = {
	{ "*.b", "a.b", 1 }, { "*.b", "b", 0 }, { "*.b", "x.a.b", 0 },
	{ "*.b", "*.b", 0 }, { "*.a.b", "*.b", 0 }, { "a.b", "a.b", 0 },
	{ "*.b", "ab", 0 }, { "*.b", "a.bb", 0 }, { "*.c.d", "b.c.d", 1 },
};

/* Spelling a name twice changes nothing. */
static void
spellings(void)
{
	char once[LIMIT_NAME + 1], twice[LIMIT_NAME + 1];
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(*good); i++) {
		ok(!name_canonical(good[i].name, once), good[i].name);
		is_str(once, good[i].spelt, "is spelt canonically");
		ok(!name_canonical(once, twice) && strcmp(once, twice) == 0,
		    "and stays so");
	}
}

static void
refusals(void)
{
	char out[LIMIT_NAME + 1];
	const char *why;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		why = name_canonical(bad[i], out);
		if (!ok(why && *why, "a bad name is refused with a reason"))
			printf("# '%s'\n", bad[i]);
	}
	why = name_canonical("bu\314\210cher.example", out);
	ok(why && strstr(why, "A-label"), "what cannot be converted is answered with the A-label");
}

/* All 256 patterns of zero groups survive text and parsing. */
static void
addresses(void)
{
	unsigned char in[16], out[16];
	char mem[64];
	struct buf b;
	unsigned i, bits, same = 0;

	for (bits = 0; bits < 256; bits++) {
		for (i = 0; i < 8; i++) {
			in[2 * i] = (unsigned char)(bits >> i & 1 ? 0x10 * i : 0);
			in[2 * i + 1] = (unsigned char)(bits >> i & 1);
		}
		buf_init(&b, mem, sizeof(mem));
		name_address_text(&b, in, 16);
		same += name_address(buf_text(&b), out) == 16 && memcmp(in, out, 16) == 0;
	}
	ok(same == 256, "addresses survive text and parsing");
	ok(name_address("::ffff:192.0.2.1", out) == 4 && memcmp(out, "\300\0\2\1", 4) == 0,
	    "a mapped address has four bytes");
	ok(name_address("192.0.2.1", out) == 4 && memcmp(out, "\300\0\2\1", 4) == 0,
	    "an IPv4 address has four bytes");
	ok(name_address("example.com", out) == 0, "a host name has none");
}

int
main(void)
{
	size_t i;

	spellings();
	refusals();
	addresses();
	for (i = 0; i < sizeof(covers) / sizeof(*covers); i++)
		ok(name_covers(covers[i].wildcard, covers[i].name) == covers[i].covered,
		    "a wildcard covers one label");
	return tap_done();
}
