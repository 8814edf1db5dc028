/* serve.c: names, requests, entries, replies, certificates. */
#include "../tap.h"
#include "../../serve.c"

#include <stdlib.h>

#define COUNT(a) (sizeof(a) / sizeof(*(a)))
#define DIGEST "lCM7cZyQXcVHK2nnW3jjAhNT3Fvm18UN-kWZZknKoYM"

/* A copy of n bytes that ends where its memory ends. */
static char *
flush_copy(const char *p, size_t n)
{
	char *copy = malloc(n ? n : 1);

	if (!copy)
		abort();
	memcpy(copy, p, n);
	return copy;
}

#define PATH "/.well-known/acme-challenge/"

static void
test_request(void)
{
	static const struct {
		const char *head, *token;
		int head_only;
	} cases[] = {
		{ "GET " PATH "a-B_9 HTTP/1.1\r\nHost: a\r\n\r\n", "a-B_9", 0 },
		{ "GET " PATH "x HTTP/1.0\n\n", "x", 0 },
		{ "HEAD " PATH "x HTTP/1.1\r\n\r\n", "x", 1 },
		{ "GET http://a.test" PATH "x HTTP/1.1\r\n\r\n", "x", 0 },
		{ "GET http://a.test:80" PATH "x HTTP/1.1\r\n\r\n", "x", 0 },
		{ "", "", 0 },
		{ "\r\n\r\n", "", 0 },
		{ "GET\r\n\r\n", "", 0 },
		{ "GET  HTTP/1.1\r\n\r\n", "", 0 },
		{ "GET " PATH "x\r\n\r\n", "", 0 },
		{ "GET " PATH "x HTTP/2.0\r\n\r\n", "", 0 },
		{ "GET " PATH "x HTTP/1.10\r\n\r\n", "", 0 },
		{ "GET " PATH "x HTTP/1.1 y\r\n\r\n", "", 0 },
		{ "GET  " PATH "x HTTP/1.1\r\n\r\n", "", 0 },
		{ "POST " PATH "x HTTP/1.1\r\n\r\n", "", 0 },
		{ "get " PATH "x HTTP/1.1\r\n\r\n", "", 0 },
		{ "GET " PATH " HTTP/1.1\r\n\r\n", "", 0 },
		{ "GET " PATH "x/ HTTP/1.1\r\n\r\n", "", 0 },
		{ "GET " PATH "x?y HTTP/1.1\r\n\r\n", "", 0 },
		{ "GET " PATH "../x HTTP/1.1\r\n\r\n", "", 0 },
		{ "GET " PATH ".new HTTP/1.1\r\n\r\n", "", 0 },
		{ "GET " PATH ". HTTP/1.1\r\n\r\n", "", 0 },
		{ "GET " PATH "%2e%2e HTTP/1.1\r\n\r\n", "", 0 },
		{ "GET " PATH "a\\b HTTP/1.1\r\n\r\n", "", 0 },
		{ "GET /" PATH "x HTTP/1.1\r\n\r\n", "", 0 },
		{ "GET / HTTP/1.1\r\n\r\n", "", 0 },
		{ "GET http:/" PATH "x HTTP/1.1\r\n\r\n", "", 0 },
		{ "GET http://a" PATH " HTTP/1.1\r\n\r\n", "", 0 },
		{ "GET ftp://a" PATH "x HTTP/1.1\r\n\r\n", "", 0 }
	};
	char got[REQUEST];
	struct slice token;
	size_t i, n;
	int head_only;

	for (i = 0; i < COUNT(cases); i++) {
		n = strlen(cases[i].head);
		char *copy = flush_copy(cases[i].head, n);
		struct slice s = { copy, n };

		token = request_token(s, &head_only);
		slice_copy(token, got, sizeof(got));
		is_str(got, cases[i].token, "a request names a token, or nothing");
		if (token.n)
			ok(head_only == cases[i].head_only, "HEAD is told from GET");
		free(copy);
	}
}

static void
test_request_whole(void)
{
	static const char *const heads[] = {
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\n\n", "\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nA:\r\n\n"
	};
	size_t i, n;

	for (i = 0; i < COUNT(heads); i++)
		for (n = 0; n <= strlen(heads[i]); n++) {
			unsigned char *copy = (unsigned char *)flush_copy(heads[i], n);

			ok(request_whole(copy, n) == (n == strlen(heads[i])),
			    "a head ends with an empty line and no byte earlier");
			free(copy);
		}
}

static void
test_names(void)
{
	static const struct {
		const char *text;
		int token, ident;
	} cases[] = {
		{ "a", 1, 1 }, { "a.test", 0, 1 }, { "A", 1, 0 }, { "a-b_c", 1, 1 },
		{ "192.0.2.1", 0, 1 }, { "2001:db8::1", 0, 1 }, { "::1", 0, 1 },
		{ "", 0, 0 }, { ".", 0, 0 }, { "..", 0, 0 }, { ".new", 0, 0 },
		{ "a/b", 0, 0 }, { "/", 0, 0 }, { "a b", 0, 0 }, { "a\n", 0, 0 },
		{ "a+b", 0, 0 }, { "a=", 0, 0 }, { "*.a.test", 0, 0 }, { "\xc3\xa4", 0, 0 },
		{ "a\\b", 0, 0 }, { "~", 0, 0 }, { "%41", 0, 0 }
	};
	char longest[LIMIT_NAME + 2];
	struct slice s = { longest, 0 };
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		ok(serve_is_token(slice(cases[i].text)) == cases[i].token, "a token is base64url");
		ok(serve_is_ident(slice(cases[i].text)) == cases[i].ident, "an identifier is a safe file name");
	}
	memset(longest, 'a', sizeof(longest));
	s.n = LIMIT_TOKEN;
	ok(serve_is_token(s), "128 bytes of token");
	s.n++;
	ok(!serve_is_token(s), "129 bytes are too many");
	s.n = LIMIT_NAME;
	ok(serve_is_ident(s), "253 bytes of name");
	s.n++;
	ok(!serve_is_ident(s), "254 bytes are too many");
	s.p = "a\0b";
	s.n = 3;
	ok(!serve_is_token(s) && !serve_is_ident(s), "NUL is in no name");
}

static void
test_alpn_entry(void)
{
	static const unsigned char want[4] = { 0x94, 0x23, 0x3b, 0x71 };
	static const char text[] = DIGEST "20010db8000000000000000000000001";
	unsigned char digest[32], ip[16];
	size_t n;

	for (n = 0; n < sizeof(text); n++) {
		char *copy = flush_copy(text, n);
		struct slice s = { copy, n };
		int r = serve_alpn_entry(s, digest, ip), expect = -1;

		if (n == 43 || n == 51 || n == 75)
			expect = (int)(n - 43) / 2;
		ok(r == expect, "an entry is a digest and no address, or a whole one");
		free(copy);
	}
	ok(memcmp(digest, want, 4) == 0 && ip[0] == 0x20 && ip[3] == 0xb8 && ip[15] == 1,
	    "digest and address are the bytes that were written");
	ok(serve_alpn_entry(slice(DIGEST "c000020G"), digest, ip) < 0, "an address is hex");
	ok(serve_alpn_entry(slice(DIGEST "C0000201"), digest, ip) < 0, "in lower case");
}

static void
put_file(const char *name, size_t n)
{
	int fd = openat(directory, name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	while (n--)
		if (write(fd, "x", 1) != 1)
			abort();
	close(fd);
}

/* The reply to a request for a token, in memory. */
static const char *
reply_to(struct connection *c, const char *method, const char *token)
{
	struct buf b;

	memset(c, 0, sizeof(*c));
	buf_init(&b, c->mem, sizeof(c->mem));
	buf_all(&b, method, " " PATH, token, " HTTP/1.1\r\n\r\n", (char *)0);
	c->len = b.len;
	reply(c);
	c->mem[c->len] = 0;
	return (const char *)c->mem;
}

static void
test_files(void)
{
	static const char none[] = "HTTP/1.1 404 Not Found\r\nConnection: close\r\n"
	    "Content-Length: 0\r\n\r\n";
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
	    "Connection: close\r\nContent-Length: 3\r\n\r\n";
	static struct connection c;
	static const char *const bad[] = { "link", "fifo", "dir", "empty", "big", "missing", ".new" };
	char path[] = "/tmp/serve.XXXXXX", text[SERVE_ENTRY + 1], body[sizeof(head) + 3];
	size_t i;

	if (!mkdtemp(path))
		abort();
	directory = open(path, O_RDONLY | O_DIRECTORY);
	put_file("good", 3);
	ok(serve_entry(directory, "good", text) == 3 && strcmp(text, "xxx") == 0, "an entry is read back");
	snprintf(body, sizeof(body), "%sxxx", head);
	is_str(reply_to(&c, "GET", "good"), body, "GET has exactly the content");
	is_str(reply_to(&c, "HEAD", "good"), head, "HEAD has the same head and no content");
	put_file("empty", 0);
	put_file("most", SERVE_ENTRY);
	put_file("big", SERVE_ENTRY + 1);
	put_file(".new", 3);
	if (symlinkat("good", directory, "link") < 0 || mkdirat(directory, "dir", 0755) < 0 ||
	    mkfifoat(directory, "fifo", 0644) < 0)
		abort();
	ok(serve_entry(directory, "most", text) == SERVE_ENTRY, "512 bytes of content");
	ok(strstr(reply_to(&c, "GET", "most"), "Content-Length: 512\r\n") && c.len > SERVE_ENTRY,
	    "are served");
	for (i = 0; i < COUNT(bad); i++)
		is_str(reply_to(&c, "GET", bad[i]), none, "what is no entry is not found");
	is_str(reply_to(&c, "GET", "../../../etc/passwd"), none, "no other file is served");
	is_str(reply_to(&c, "PUT", "good"), none, "no other method");
	for (i = 0; i < COUNT(bad); i++)
		unlinkat(directory, bad[i], strcmp(bad[i], "dir") == 0 ? AT_REMOVEDIR : 0);
	unlinkat(directory, "good", 0);
	unlinkat(directory, "most", 0);
	ok(rmdir(path) == 0, "nothing is left over");
	close(directory);
}

/* Puts a file with the entry, makes a certificate for the name; 1 if it has that name. */
static int
certified(struct connection *c, const char *file, const char *text, const char *server_name,
    const char *san_text, size_t san_n)
{
	struct slice der, rest;
	struct x509 x;
	struct san san;
	int fd = openat(directory, file, O_WRONLY | O_CREAT | O_TRUNC, 0644), good;

	if (write(fd, text, strlen(text)) < 0)
		abort();
	close(fd);
	good = certificate(c, server_name) == 0;
	unlinkat(directory, file, 0);
	if (!good)
		return 0;
	der.p = (const char *)c->chain.data;
	der.n = c->chain.data_len;
	if (x509_read(der, &x) < 0)
		return 0;
	rest = x.san_ext;
	return x509_san(&rest, &san) == 1 && san.s.n == san_n &&
	    memcmp(san.s.p, san_text, san_n) == 0 && x509_san(&rest, &san) == 0;
}

static void
test_certificate(void)
{
	static struct connection c;
	char path[] = "/tmp/serve.XXXXXX", longest[LIMIT_NAME + 1];
	int i;

	if (!mkdtemp(path) || serve_key() < 0)
		abort();
	directory = open(path, O_RDONLY | O_DIRECTORY);
	for (i = 0; i < LIMIT_NAME; i++)
		longest[i] = i % 64 == 63 ? '.' : 'a';
	longest[LIMIT_NAME] = 0;
	ok(certified(&c, "a.test", DIGEST, "a.test", "a.test", 6), "the certificate has the host's name");
	ok(certified(&c, "a.test", DIGEST, "A.Test", "a.test", 6), "in lower case");
	ok(certified(&c, longest, DIGEST, longest, longest, LIMIT_NAME), "253 bytes of it");
	ok(certified(&c, "1.2.0.192.in-addr.arpa", DIGEST "c0000201", "1.2.0.192.in-addr.arpa",
	    "\xc0\0\2\1", 4), "an address under its reverse name");
	ok(certified(&c, "1.2.0.192.in-addr.arpa", DIGEST, "1.2.0.192.in-addr.arpa",
	    "1.2.0.192.in-addr.arpa", 22), "or that name as a host's, if the entry says so");
	ok(!certified(&c, "a.test", DIGEST, "b.test", "", 0), "none for another name");
	ok(!certified(&c, "a.test", DIGEST, "", "", 0), "none without a name");
	ok(!certified(&c, "a.test", DIGEST, "../a.test", "", 0), "none for a path");
	ok(!certified(&c, "a.test", DIGEST "x", "a.test", "", 0), "none for an entry that is none");
	ok(!certified(&c, "a.test", "", "a.test", "", 0), "none for an empty one");
	close(directory);
	ok(rmdir(path) == 0, "nothing is left over");
}

static void
test_free(void)
{
	int i;

	for (i = 0; i < CONNECTIONS; i++) {
		connections[i].fd = 1000 + i;
		connections[i].since = 10000 + (i * 7) % CONNECTIONS;
	}
	ok(connection_free(10000 + EVICT_MS - 1) == 0, "a young connection does not give way");
	ok(connection_free(10000 + EVICT_MS) == &connections[0], "the oldest does");
	connections[0].since = 20000;
	ok(connection_free(20000) == &connections[7], "whichever that is");
	connections[5].fd = 0;
	ok(connection_free(20000) == &connections[5], "but a free one comes first");
	memset(connections, 0, sizeof(connections));
}

int
main(void)
{
	test_request();
	test_request_whole();
	test_names();
	test_alpn_entry();
	test_files();
	test_certificate();
	test_free();
	return tap_done();
}
