/* respond.c: addresses, entries, reverse names, users, what the hook declines. */
#define _DEFAULT_SOURCE 1	/* before any header: respond.c needs it */
#include "../tap.h"
#include "../../respond.c"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))
#define DIGEST "lCM7cZyQXcVHK2nnW3jjAhNT3Fvm18UN-kWZZknKoYM"
#define KEYAUTH "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA." \
	"9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI"

static void
test_address(void)
{
	static const struct {
		enum respond_kind kind;
		const char *text, *id;		/* id 0: rejected */
	} cases[] = {
		{ RESPOND_HTTP, "", "http-any-80" },
		{ RESPOND_ALPN, "", "alpn-any-443" },
		{ RESPOND_HTTP, "8080", "http-any-8080" },
		{ RESPOND_HTTP, "1", "http-any-1" },
		{ RESPOND_HTTP, "65535", "http-any-65535" },
		{ RESPOND_ALPN, "127.0.0.1:5001", "alpn-7f000001-5001" },
		{ RESPOND_HTTP, "[::1]:80", "http-00000000000000000000000000000001-80" },
		{ RESPOND_HTTP, "[2001:DB8:0::1]:80", "http-20010db8000000000000000000000001-80" },
		{ RESPOND_HTTP, "[2001:db8::1]:080", "http-20010db8000000000000000000000001-80" },
		{ RESPOND_HTTP, "0", 0 },
		{ RESPOND_HTTP, "65536", 0 },
		{ RESPOND_HTTP, "80a", 0 },
		{ RESPOND_HTTP, "-1", 0 },
		{ RESPOND_HTTP, " 80", 0 },
		{ RESPOND_HTTP, "184467440737095516960", 0 },
		{ RESPOND_HTTP, ":80", 0 },
		{ RESPOND_HTTP, "127.0.0.1", 0 },
		{ RESPOND_HTTP, "127.0.0.1:", 0 },
		{ RESPOND_HTTP, "127.0.0:80", 0 },
		{ RESPOND_HTTP, "::1:80", 0 },
		{ RESPOND_HTTP, "[::1]", 0 },
		{ RESPOND_HTTP, "[]:80", 0 },
		{ RESPOND_HTTP, "[127.0.0.1]:80", 0 },
		{ RESPOND_HTTP, "[::1:80", 0 },
		{ RESPOND_HTTP, "../..:80", 0 },
		{ RESPOND_HTTP, "localhost:80", 0 }
	};
	struct place p;
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		int r = place_parse(&p, cases[i].kind, cases[i].text);

		if (!cases[i].id) {
			ok(r < 0, "an address that is none is rejected");
			continue;
		}
		place_name(&p);
		ok(r == 0, "an address is understood");
		is_str(p.id, cases[i].id, "one directory for all spellings of an address");
	}
}

static void
test_arpa(void)
{
	static const struct {
		const char *address, *name;
	} cases[] = {
		{ "203.0.113.7", "7.113.0.203.in-addr.arpa" },		/* RFC 8738 6 */
		{ "0.0.0.0", "0.0.0.0.in-addr.arpa" },
		{ "255.254.10.1", "1.10.254.255.in-addr.arpa" },
		{ "2001:db8::1", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
		    "0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa" },
		{ "4321:0:1:2:3:4:567:89ab", "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0."	/* RFC 3596 2.5 */
		    "2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa" }
	};
	char mem[128] = "";
	unsigned char ip[16];
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		struct buf b = BUF(mem);

		arpa(&b, ip, (size_t)name_address(cases[i].address, ip));
		is_str(buf_text(&b), cases[i].name, "an address has its reverse name");
	}
}

static void
test_entry(void)
{
	static const struct {
		enum respond_kind kind;
		const char *ident, *token, *auth, *name, *text;	/* name 0: rejected */
	} cases[] = {
		{ RESPOND_HTTP, "a.test", "tok", KEYAUTH, "tok", KEYAUTH },
		{ RESPOND_HTTP, "192.0.2.1", "tok", "tok.x", "tok", "tok.x" },
		{ RESPOND_ALPN, "a.test", "tok", DIGEST, "a.test", DIGEST },
		{ RESPOND_ALPN, "192.0.2.1", "tok", DIGEST, "1.2.0.192.in-addr.arpa", DIGEST "c0000201" },
		{ RESPOND_ALPN, "::1", "tok", DIGEST, "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
		    "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa", DIGEST "00000000000000000000000000000001" },
		{ RESPOND_HTTP, "A.test", "tok", KEYAUTH, 0, 0 },
		{ RESPOND_HTTP, "", "tok", KEYAUTH, 0, 0 },
		{ RESPOND_HTTP, "a/../b", "tok", KEYAUTH, 0, 0 },
		{ RESPOND_HTTP, "a.test", "..", KEYAUTH, 0, 0 },
		{ RESPOND_HTTP, "a.test", "", KEYAUTH, 0, 0 },
		{ RESPOND_HTTP, "a.test", "t/k", KEYAUTH, 0, 0 },
		{ RESPOND_HTTP, "a.test", "tok", "", 0, 0 },
		{ RESPOND_HTTP, "a.test", "tok", "tok", 0, 0 },
		{ RESPOND_HTTP, "a.test", "tok", "tok.", 0, 0 },
		{ RESPOND_HTTP, "a.test", "tok", "tok.x.y", 0, 0 },
		{ RESPOND_HTTP, "a.test", "tok", "tok.a b", 0, 0 },
		{ RESPOND_HTTP, "a.test", "tok", "tok.a\r\nb", 0, 0 },
		{ RESPOND_ALPN, "a.test", "../x", DIGEST, 0, 0 },
		{ RESPOND_ALPN, "a.test", "tok", KEYAUTH, 0, 0 },
		{ RESPOND_ALPN, "a.test", "tok", DIGEST "c0000201", 0, 0 },
		{ RESPOND_ALPN, "a.test", "tok", "lCM7cZyQXcVHK2nnW3jjAhNT3Fvm18UN+kWZZknKoYM", 0, 0 },
		{ RESPOND_ALPN, "a.test", "tok", "lCM7cZyQXcVHK2nnW3jjAhNT3Fvm18UN-kWZZknKoYM=", 0, 0 }
	};
	struct entry e;
	const char *why = "";
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		int r = entry_make(&e, cases[i].kind, slice(cases[i].ident),
		    slice(cases[i].token), slice(cases[i].auth), &why);

		if (!cases[i].name) {
			ok(r < 0 && *why, "arguments that are no entry are rejected, and why is said");
			continue;
		}
		ok(r == 0, "arguments make an entry");
		is_str(e.name, cases[i].name, "its name");
		is_str(e.text, cases[i].text, "its content");
	}
}

static void
test_entry_write(void)
{
	char path[] = "/tmp/respond.XXXXXX", text[SERVE_ENTRY + 1];
	struct entry e = { "good", "xyz" };
	struct stat st;
	int dir;

	if (!mkdtemp(path))
		abort();
	dir = open(path, O_RDONLY | O_DIRECTORY);
	umask(077);
	ok(close(openat(dir, ".new", O_WRONLY | O_CREAT, 0600)) == 0 && entry_write(dir, &e) == 0,
	    "an entry is written, over what a killed run has left");
	ok(entry_write(dir, &e) == 0, "and again");
	ok(fstatat(dir, ".new", &st, 0) < 0, "nothing else stays");
	ok(serve_entry(dir, "good", text) == 3 && strcmp(text, "xyz") == 0, "it is read back");
	ok(fstatat(dir, "good", &st, 0) == 0 && (st.st_mode & 0777) == 0644,
	    "everybody can read it, whatever the umask");
	unlinkat(dir, "good", 0);
	rmdir(path);
	close(dir);
}

static void
test_hook(void)
{
	static const struct {
		int status;
		enum respond_kind kind;
		const char *address;
		const char *argv[6];
	} cases[] = {
		{ DECLINED, RESPOND_HTTP, "", { "begin", "dns-01", "a.test", "t", DIGEST } },
		{ DECLINED, RESPOND_HTTP, "", { "begin", "tls-alpn-01", "a.test", "t", DIGEST } },
		{ DECLINED, RESPOND_ALPN, "", { "begin", "http-01", "a.test", "t", DIGEST } },
		{ DECLINED, RESPOND_HTTP, "", { "prepare", "http-01", "a.test", "t", KEYAUTH } },
		{ FAILED, RESPOND_HTTP, "", { "begin", "http-01", "a.test", "t" } },
		{ FAILED, RESPOND_HTTP, "x", { "begin", "http-01", "a.test", "t", KEYAUTH } },
		{ FAILED, RESPOND_HTTP, "", { "begin", "http-01", "a.test", "../t", KEYAUTH } }
	};
	size_t i;
	int argc;

	for (i = 0; i < COUNT(cases); i++) {
		for (argc = 0; cases[i].argv[argc]; argc++)
			;
		ok(respond_hook(cases[i].kind, cases[i].address, argc,
		    (char *const *)cases[i].argv) == cases[i].status,
		    "what is not ours is declined, what is wrong fails");
	}
}

int
main(void)
{
	test_address();
	test_arpa();
	test_entry();
	test_entry_write();
	test_hook();
	return tap_done();
}
