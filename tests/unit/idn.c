/*
 * idn: the samples of RFC 3492 7.1, lower case in each script, and what is
 * refused because it could be another name than it looks.
 */
#include "../tap.h"
#include "../../idn.c"

/* Upper case in the encoded part tells of upper case lost (RFC 3492 A), which we do not write. */
static const struct {
	const char *name;
	uint32_t in[LABEL_MAX];		/* ends with 0 */
	const char *out;
} samples[] = {
	{ "(A) Arabic (Egyptian)", { 0x0644, 0x064a, 0x0647, 0x0645, 0x0627, 0x0628, 0x062a, 0x0643,
	    0x0644, 0x0645, 0x0648, 0x0634, 0x0639, 0x0631, 0x0628, 0x064a, 0x061f },
	    "egbpdaj6bu4bxfgehfvwxn" },
	{ "(B) Chinese (simplified)", { 0x4ed6, 0x4eec, 0x4e3a, 0x4ec0, 0x4e48, 0x4e0d, 0x8bf4, 0x4e2d,
	    0x6587 }, "ihqwcrb4cv8a8dqg056pqjye" },
	{ "(C) Chinese (traditional)", { 0x4ed6, 0x5011, 0x7232, 0x4ec0, 0x9ebd, 0x4e0d, 0x8aaa, 0x4e2d,
	    0x6587 }, "ihqwctvzc91f659drss3x8bo0yb" },
	{ "(D) Czech", { 'P', 'r', 'o', 0x010d, 'p', 'r', 'o', 's', 't', 0x011b, 'n', 'e', 'm', 'l', 'u', 'v',
	    0x00ed, 0x010d, 'e', 's', 'k', 'y' }, "Proprostnemluvesky-uyb24dma41a" },
	{ "(E) Hebrew", { 0x05dc, 0x05de, 0x05d4, 0x05d4, 0x05dd, 0x05e4, 0x05e9, 0x05d5, 0x05d8, 0x05dc,
	    0x05d0, 0x05de, 0x05d3, 0x05d1, 0x05e8, 0x05d9, 0x05dd, 0x05e2, 0x05d1, 0x05e8, 0x05d9, 0x05ea },
	    "4dbcagdahymbxekheh6e0a7fei0b" },
	{ "(F) Hindi", { 0x092f, 0x0939, 0x0932, 0x094b, 0x0917, 0x0939, 0x093f, 0x0928, 0x094d, 0x0926,
	    0x0940, 0x0915, 0x094d, 0x092f, 0x094b, 0x0902, 0x0928, 0x0939, 0x0940, 0x0902, 0x092c, 0x094b,
	    0x0932, 0x0938, 0x0915, 0x0924, 0x0947, 0x0939, 0x0948, 0x0902 },
	    "i1baa7eci9glrd9b2ae1bj0hfcgg6iyaf8o0a1dig0cd" },
	{ "(G) Japanese", { 0x306a, 0x305c, 0x307f, 0x3093, 0x306a, 0x65e5, 0x672c, 0x8a9e, 0x3092, 0x8a71,
	    0x3057, 0x3066, 0x304f, 0x308c, 0x306a, 0x3044, 0x306e, 0x304b },
	    "n8jok5ay5dzabd5bym9f0cm5685rrjetr6pdxa" },
	{ "(H) Korean", { 0xc138, 0xacc4, 0xc758, 0xbaa8, 0xb4e0, 0xc0ac, 0xb78c, 0xb4e4, 0xc774, 0xd55c,
	    0xad6d, 0xc5b4, 0xb97c, 0xc774, 0xd574, 0xd55c, 0xb2e4, 0xba74, 0xc5bc, 0xb9c8, 0xb098, 0xc88b,
	    0xc744, 0xae4c }, "989aomsvi5e83db1d2a355cv1e0vak1dwrv93d5xbh15a0dt30a5jpsd879ccm6fea98c" },
	{ "(I) Russian", { 0x043f, 0x043e, 0x0447, 0x0435, 0x043c, 0x0443, 0x0436, 0x0435, 0x043e, 0x043d,
	    0x0438, 0x043d, 0x0435, 0x0433, 0x043e, 0x0432, 0x043e, 0x0440, 0x044f, 0x0442, 0x043f, 0x043e,
	    0x0440, 0x0443, 0x0441, 0x0441, 0x043a, 0x0438 }, "b1abfaaepdrnnbgefbadotcwatmq2g4l" },
	{ "(J) Spanish", { 'P', 'o', 'r', 'q', 'u', 0x00e9, 'n', 'o', 'p', 'u', 'e', 'd', 'e', 'n', 's', 'i', 'm',
	    'p', 'l', 'e', 'm', 'e', 'n', 't', 'e', 'h', 'a', 'b', 'l', 'a', 'r', 'e', 'n', 'E', 's', 'p', 'a',
	    0x00f1, 'o', 'l' }, "PorqunopuedensimplementehablarenEspaol-fmd56a" },
	{ "(K) Vietnamese", { 'T', 0x1ea1, 'i', 's', 'a', 'o', 'h', 0x1ecd, 'k', 'h', 0x00f4, 'n', 'g', 't', 'h',
	    0x1ec3, 'c', 'h', 0x1ec9, 'n', 0x00f3, 'i', 't', 'i', 0x1ebf, 'n', 'g', 'V', 'i', 0x1ec7, 't' },
	    "TisaohkhngthchnitingVit-kjcr8268qyxafd2f1b9g" },
	{ "(L)", { '3', 0x5e74, 'B', 0x7d44, 0x91d1, 0x516b, 0x5148, 0x751f }, "3B-ww4c5e180e575a65lsy2b" },
	{ "(M)", { 0x5b89, 0x5ba4, 0x5948, 0x7f8e, 0x6075, '-', 'w', 'i', 't', 'h', '-', 'S', 'U', 'P', 'E', 'R',
	    '-', 'M', 'O', 'N', 'K', 'E', 'Y', 'S' }, "-with-SUPER-MONKEYS-pc58ag80a8qai00g7n9n" },
	{ "(N)", { 'H', 'e', 'l', 'l', 'o', '-', 'A', 'n', 'o', 't', 'h', 'e', 'r', '-', 'W', 'a', 'y', '-',
	    0x305d, 0x308c, 0x305e, 0x308c, 0x306e, 0x5834, 0x6240 }, "Hello-Another-Way--fc4qua05auwb3674vfr0b" },
	{ "(O)", { 0x3072, 0x3068, 0x3064, 0x5c4b, 0x6839, 0x306e, 0x4e0b, '2' }, "2-u9tlzr9756bt3uc0v" },
	{ "(P)", { 'M', 'a', 'j', 'i', 0x3067, 'K', 'o', 'i', 0x3059, 0x308b, '5', 0x79d2, 0x524d },
	    "MajiKoi5-783gue6qz075azm5e" },
	{ "(Q)", { 0x30d1, 0x30d5, 0x30a3, 0x30fc, 'd', 'e', 0x30eb, 0x30f3, 0x30d0 }, "de-jg4avhby1noc0d" },
	{ "(R)", { 0x305d, 0x306e, 0x30b9, 0x30d4, 0x30fc, 0x30c9, 0x3067 }, "d9juau41awczczp" },
	{ "(S)", { '-', '>', ' ', '$', '1', '.', '0', '0', ' ', '<', '-' }, "-> $1.00 <--" },
};

static void
test_samples(void)
{
	char mem[100];
	struct buf b;
	size_t i, n;

	for (i = 0; i < sizeof(samples) / sizeof(*samples); i++) {
		buf_init(&b, mem, sizeof(mem));
		for (n = 0; samples[i].in[n]; n++)
			;
		punycode(samples[i].in, n, &b);
		is_str(buf_text(&b), samples[i].out, samples[i].name);
	}
}

static const struct {
	const char *name, *ascii;
} good[] = {
	{ "example.com", "example.com" },
	{ "EXAMPLE.com.", "EXAMPLE.com." },		/* ASCII labels are name.c's */
	{ "xn--bcher-kva.example", "xn--bcher-kva.example" },
	{ "b\303\274cher.example", "xn--bcher-kva.example" },
	{ "*.b\303\274cher.example", "*.xn--bcher-kva.example" },
	{ "B\303\234CHER.example", "xn--bcher-kva.example" },
	{ "m\303\274nchen.\303\266sterreich", "xn--mnchen-3ya.xn--sterreich-z7a" },
	{ "stra\303\237e", "xn--strae-oqa" },		/* as IDNA2008 has it, not "ss" */
	{ "\305\201\303\223D\305\271", "xn--d-uga0v4h" },
	{ "l\302\267l", "xn--ll-0ea" },
	{ "\303\230\303\276", "xn--pdam" },		/* both by 32: 00d8, and 00fe as it is */
	{ "\306\217", "xn--sna" },			/* 018f to 0259 */
	{ "\306\257\306\240", "xn--jia3a" },		/* 01af 01a0 to 01b0 01a1 */
	{ "VI\341\273\206T", "xn--vit-5kz" },
	{ "\316\222\316\214\316\233\316\237\316\243", "xn--nxasmq6b" },	/* no final sigma */
	{ "\316\206\316\210\316\216", "xn--hxac0h" },
	{ "\320\237\320\240\320\230\320\234\320\225\320\240", "xn--e1afmkfd" },
	{ "\320\201\320\226", "xn--f1a7c" },
	{ "\322\220\323\200\323\201", "xn--03a2hpb" },
	{ "\324\261", "xn--y9a" },
	{ "\340\246\225\340\247\213", "xn--p5b2i" },
	{ "\346\227\245\346\234\254\350\252\236\343\200\202", 0 },	/* an ideographic full stop */
	{ "\346\227\245\346\234\254\350\252\236", "xn--wgv71a119e" },
	{ "\355\225\234\352\265\255", "xn--3e0b707e" },
	{ "\303\274..b", "xn--tda..b" },			/* name.c's again */
};

static const struct {
	const char *what, *name;
} bad[] = {
	{ "a combining accent", "u\314\210ber" },
	{ "a combining voice mark", "\343\201\213\343\202\231" },
	{ "a vowel sign in two parts", "\340\246\225\340\247\207\340\246\276" },
	{ "a vowel sign without a letter", "\340\246\276" },
	{ "a control character", "a\302\205b" },
	{ "a soft hyphen", "a\302\255b" },
	{ "an ordinal indicator", "1\302\252" },
	{ "a multiplication sign", "a\303\227b" },
	{ "a dotted I, which lowers to two characters", "\304\260" },
	{ "a ligature", "\304\263" },
	{ "a long s", "\305\277" },
	{ "a capital sharp s", "\341\272\236" },
	{ "a Greek question mark", "\315\276" },
	{ "a conjoining jamo", "\341\204\200\341\205\241" },
	{ "polytonic Greek", "\341\275\261" },
	{ "zero width", "a\342\200\213b" },
	{ "a joiner", "a\342\200\215b" },
	{ "a right-to-left mark", "a\342\200\217b" },
	{ "an ideographic full stop", "\346\227\245\343\200\202\346\234\254" },
	{ "a full-width letter", "\357\274\241" },
	{ "a full-width full stop", "a\357\274\216\303\274" },
	{ "a compatibility ideograph", "\357\244\200" },
	{ "private use", "\356\200\200" },
	{ "a byte order mark", "\357\273\277a" },
	{ "no character", "\357\277\277" },
	{ "another plane", "\360\237\230\200" },
	{ "private use in another plane", "\363\260\200\200" },
	{ "beyond Unicode", "\364\220\200\200" },
	{ "a surrogate", "\355\240\200" },
	{ "a continuation byte", "a\200" },
	{ "a sequence cut", "a\303" },
	{ "a sequence of three cut", "\346\227" },
	{ "a sequence cut by a letter", "\303a" },
	{ "a dot in two bytes", "a\300\256b" },
	{ "a letter in three bytes", "\340\203\274" },
	{ "byte ff", "\377" },
};

static const char *const hyphens[] = {
	"-\303\274", "\303\274-", "xn--\303\274", "XN--\303\274", "ab--\303\274", "a.\303\274b--", "\303\274b--c",
};

static void
test_names(void)
{
	char mem[300];
	struct buf b;
	const char *why;
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(*good); i++) {
		buf_init(&b, mem, sizeof(mem));
		why = idn_ascii(good[i].name, &b);
		if (!good[i].ascii)
			ok(why, good[i].name);
		else if (ok(!why && !b.err, good[i].ascii))
			is_str(buf_text(&b), good[i].ascii, good[i].name);
	}
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		buf_init(&b, mem, sizeof(mem));
		why = idn_ascii(bad[i].name, &b);
		ok(why && strstr(why, "give its A-label"), bad[i].what);
	}
	for (i = 0; i < sizeof(hyphens) / sizeof(*hyphens); i++) {
		buf_init(&b, mem, sizeof(mem));
		why = idn_ascii(hyphens[i], &b);
		ok(why && strstr(why, "hyphens"), hyphens[i]);
	}
}

/* The table itself: in order within a script, and lower case stays as it is. */
static void
test_table(void)
{
	const struct range *r, *again, *end = ranges + sizeof(ranges) / sizeof(*ranges);
	uint32_t c, l, unstable = 0, twice = 0;

	for (r = ranges; r < end; r++)
		for (c = r->first; c <= r->last; c++) {
			l = lower(c, r->rule);
			again = find(l);
			unstable += !again || lower(l, again->rule) != l;
			twice += find(c) != r;
		}
	ok(unstable == 0, "lower case is in the table, and stays");
	ok(twice == 0, "no character stands in two ranges");
}

static void
test_room(void)
{
	char mem[80], name[200];
	struct buf b;
	size_t i, errors = 0;

	for (i = 0; i < 21; i++) {		/* xn--bcher-kva.example */
		buf_init(&b, mem, i);
		errors += !idn_ascii("b\303\274cher.example", &b) && b.err;
	}
	ok(errors == 21, "an A-label that does not fit sets err");
	for (i = 0; i < 128; i += 2)
		memcpy(name + i, "\303\274", 3);
	buf_init(&b, mem, sizeof(mem));
	ok(idn_ascii(name, &b), "a label of 64 characters is too long");
	name[126] = 0;
	ok(!idn_ascii(name, &b) && b.len > 63, "one of 63 is for name.c to measure");
}

int
main(void)
{
	test_samples();
	test_names();
	test_table();
	test_room();
	return tap_done();
}
