/* Unit tests of http.c: URLs, requests, responses (faults.md 48-73), links. */
#include <stdlib.h>

#include "../tap.h"
#include "../../http.c"

/* A stream over memory: step bytes at a time, then the end: 0, -1 or -2. */
struct memory {
	const char *p;
	size_t n, step;
	long end;
	char out[60000];
	size_t out_len, writes;
};

static long
memory_read(void *ctx, void *p, size_t n)
{
	struct memory *m = ctx;

	if (m->n == 0)
		return m->end;
	if (n > m->n)
		n = m->n;
	if (m->step && n > m->step)
		n = m->step;
	memcpy(p, m->p, n);
	m->p += n;
	m->n -= n;
	return (long)n;
}

static int
memory_write(void *ctx, const void *p, size_t n)
{
	struct memory *m = ctx;

	m->writes++;
	if (n > sizeof(m->out) - m->out_len)
		return -1;
	memcpy(m->out + m->out_len, p, n);
	m->out_len += n;
	return 0;
}

static struct memory memory;
static struct http_stream stream = { &memory, memory_read, memory_write, 0 };
static struct http_reader reader;
static struct http_response res;
static char body[LIMIT_REPLY];

static void
feed(const char *p, size_t n, size_t step, long end)
{
	memory.p = p;
	memory.n = n;
	memory.step = step;
	memory.end = end;
	memset(&reader, 0, sizeof(reader));
	reader.s = &stream;
	memset(&res, 0x5a, sizeof(res));
	buf_init(&res.body, body, sizeof(body));
}

/*
 * Responses
 */

#define H "HTTP/1.1 200 OK\r\n"
#define CL2 "Content-Length: 2\r\n"
#define TEC "Transfer-Encoding: chunked\r\n"

static const struct row {
	const char *name, *method, *in;
	enum http_error want;
	int status;
	const char *body;
	int close, excess;
} rows[] = {
	/* 48 */
	{ "plain response", "GET", H CL2 "\r\nok", HTTP_OK, 200, "ok", 0, 0 },
	{ "no reason", "GET", "HTTP/1.1 200 \r\n" CL2 "\r\nok", HTTP_OK, 200, "ok", 0, 0 },
	{ "no reason, no space", "GET", "HTTP/1.1 200\r\n" CL2 "\r\nok", HTTP_OK, 200, "ok", 0, 0 },
	{ "48 HTTP/0.9", "GET", "HTTP/0.9 200 OK\r\n" CL2 "\r\nok", HTTP_BAD, 0, 0, 1, 0 },
	{ "48 body without head", "GET", "<html>hello</html>\r\n", HTTP_BAD, 0, 0, 1, 0 },
	{ "48 HTTP/2", "GET", "HTTP/2 200 OK\r\n" CL2 "\r\nok", HTTP_BAD, 0, 0, 1, 0 },
	{ "48 HTTP/1.2", "GET", "HTTP/1.2 200 OK\r\n" CL2 "\r\nok", HTTP_BAD, 0, 0, 1, 0 },
	{ "48 http/1.1", "GET", "http/1.1 200 OK\r\n" CL2 "\r\nok", HTTP_BAD, 0, 0, 1, 0 },
	{ "48 ICY", "GET", "ICY 200 OK\r\n" CL2 "\r\nok", HTTP_BAD, 0, 0, 1, 0 },
	{ "48 two digits", "GET", "HTTP/1.1 20 OK\r\n" CL2 "\r\nok", HTTP_BAD, 0, 0, 1, 0 },
	{ "48 four digits", "GET", "HTTP/1.1 2000 OK\r\n" CL2 "\r\nok", HTTP_BAD, 0, 0, 1, 0 },
	{ "48 status 099", "GET", "HTTP/1.1 099 OK\r\n" CL2 "\r\nok", HTTP_BAD, 0, 0, 1, 0 },
	{ "48 status 600", "GET", "HTTP/1.1 600 OK\r\n" CL2 "\r\nok", HTTP_BAD, 0, 0, 1, 0 },
	{ "48 two spaces", "GET", "HTTP/1.1  200 OK\r\n" CL2 "\r\nok", HTTP_BAD, 0, 0, 1, 0 },
	{ "48 tab", "GET", "HTTP/1.1\t200 OK\r\n" CL2 "\r\nok", HTTP_BAD, 0, 0, 1, 0 },
	{ "48 empty line before the status line", "GET", "\r\n" H CL2 "\r\nok", HTTP_BAD, 0, 0, 1, 0 },
	/* 51 */
	{ "51 no colon", "GET", H "Server nginx\r\n" CL2 "\r\nok", HTTP_BAD, 0, 0, 1, 0 },
	{ "51 space before colon", "GET", H "Content-Length : 2\r\n\r\nok", HTTP_BAD, 0, 0, 1, 0 },
	{ "51 empty name", "GET", H ": 2\r\n\r\nok", HTTP_BAD, 0, 0, 1, 0 },
	{ "51 folded line", "GET", H "A: b\r\n c\r\n" CL2 "\r\nok", HTTP_BAD, 0, 0, 1, 0 },
	{ "51 folded line with tab", "GET", H "A: b\r\n\tc\r\n" CL2 "\r\nok", HTTP_BAD, 0, 0, 1, 0 },
	{ "51 white space after the status line", "GET", H " A: b\r\n" CL2 "\r\nok", HTTP_BAD, 0, 0, 1, 0 },
	{ "51 bare CR", "GET", H "A: b\rC: d\r\n" CL2 "\r\nok", HTTP_BAD, 0, 0, 1, 0 },
	{ "51 bare LF", "GET", H "A: b\nC: d\r\n" CL2 "\r\nok", HTTP_BAD, 0, 0, 1, 0 },
	{ "51 bare LF everywhere", "GET", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok", HTTP_BAD, 0, 0, 1, 0 },
	{ "51 escape character", "GET", H "A: \033[2J\r\n" CL2 "\r\nok", HTTP_BAD, 0, 0, 1, 0 },
	{ "51 DEL", "GET", H "A: \177\r\n" CL2 "\r\nok", HTTP_BAD, 0, 0, 1, 0 },
	{ "51 CR CR LF", "GET", H "A: b\r\r\n" CL2 "\r\nok", HTTP_BAD, 0, 0, 1, 0 },
	{ "8-bit value", "GET", H "A: \xc3\xa9\r\n" CL2 "\r\nok", HTTP_OK, 200, "ok", 0, 0 },
	{ "empty value", "GET", H "A:\r\n" CL2 "\r\nok", HTTP_OK, 200, "ok", 0, 0 },
	/* 52 */
	{ "52 lower case", "GET", H "content-length: 2\r\n\r\nok", HTTP_OK, 200, "ok", 0, 0 },
	{ "52 upper case", "GET", H "CONTENT-LENGTH:2 \t\r\n\r\nok", HTTP_OK, 200, "ok", 0, 0 },
	/* 53, 54, 55 */
	{ "53 the same length twice", "GET", H CL2 CL2 "\r\nok", HTTP_BAD, 0, 0, 1, 0 },
	{ "53 two lengths", "GET", H CL2 "Content-Length: 3\r\n\r\nok", HTTP_BAD, 0, 0, 1, 0 },
	{ "54 length and chunked", "GET", H CL2 TEC "\r\n2\r\nok\r\n0\r\n\r\n", HTTP_BAD, 0, 0, 1, 0 },
	{ "54 chunked and length", "HEAD", H TEC CL2 "\r\n", HTTP_BAD, 0, 0, 1, 0 },
	{ "55 +1", "GET", H "Content-Length: +1\r\n\r\nok", HTTP_BAD, 0, 0, 1, 0 },
	{ "55 -1", "GET", H "Content-Length: -1\r\n\r\nok", HTTP_BAD, 0, 0, 1, 0 },
	{ "55 0x5", "GET", H "Content-Length: 0x5\r\n\r\nok", HTTP_BAD, 0, 0, 1, 0 },
	{ "55 1,1", "GET", H "Content-Length: 1,1\r\n\r\nok", HTTP_BAD, 0, 0, 1, 0 },
	{ "55 1 1", "GET", H "Content-Length: 1 1\r\n\r\nok", HTTP_BAD, 0, 0, 1, 0 },
	{ "55 20 nines", "GET", H "Content-Length: 99999999999999999999\r\n\r\nok", HTTP_BAD, 0, 0, 1, 0 },
	{ "55 2^64", "GET", H "Content-Length: 18446744073709551616\r\n\r\nok", HTTP_BAD, 0, 0, 1, 0 },
	{ "55 empty", "GET", H "Content-Length:\r\n\r\nok", HTTP_BAD, 0, 0, 1, 0 },
	{ "55 bad length, no body expected", "HEAD", H "Content-Length: x\r\n\r\n", HTTP_BAD, 0, 0, 1, 0 },
	/* 56, 57 */
	{ "56 length > body", "GET", H "Content-Length: 3\r\n\r\nok", HTTP_IO, 0, 0, 1, 0 },
	{ "57 length < body", "GET", H CL2 "\r\nokHTTP/1.1 500 X\r\n\r\n", HTTP_OK, 200, "ok", 0, 1 },
	/* 58 */
	{ "58 gzip", "GET", H "Transfer-Encoding: gzip\r\n\r\nok", HTTP_BAD, 0, 0, 1, 0 },
	{ "58 chunked, gzip", "GET", H "Transfer-Encoding: chunked, gzip\r\n\r\n2\r\nok\r\n0\r\n\r\n", HTTP_BAD, 0, 0, 1, 0 },
	{ "58 gzip, chunked", "GET", H "Transfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", HTTP_BAD, 0, 0, 1, 0 },
	{ "58 chunked twice", "GET", H TEC TEC "\r\n2\r\nok\r\n0\r\n\r\n", HTTP_BAD, 0, 0, 1, 0 },
	{ "58 identity", "GET", H "Transfer-Encoding: identity\r\n\r\nok", HTTP_BAD, 0, 0, 1, 0 },
	{ "58 empty", "GET", H "Transfer-Encoding:\r\n\r\nok", HTTP_BAD, 0, 0, 1, 0 },
	{ "58 chunked in HTTP/1.0", "GET", "HTTP/1.0 200 OK\r\n" TEC "\r\n2\r\nok\r\n0\r\n\r\n", HTTP_BAD, 0, 0, 1, 0 },
	/* 59, 60, 61, 62 */
	{ "chunked", "GET", H TEC "\r\n2\r\nok\r\n003\r\n...\r\n0\r\n\r\n", HTTP_OK, 200, "ok...", 0, 0 },
	{ "Chunked", "GET", H "transfer-encoding: Chunked\r\n\r\na\r\n0123456789\r\nA\r\n0123456789\r\n00\r\n\r\n", HTTP_OK, 200, "01234567890123456789", 0, 0 },
	{ "chunk extensions", "GET", H TEC "\r\n2;a=b;c=\"d\"\r\nok\r\n0;x\r\n\r\n", HTTP_OK, 200, "ok", 0, 0 },
	{ "59 -1", "GET", H TEC "\r\n-1\r\nok\r\n0\r\n\r\n", HTTP_BAD, 0, 0, 1, 0 },
	{ "59 +2", "GET", H TEC "\r\n+2\r\nok\r\n0\r\n\r\n", HTTP_BAD, 0, 0, 1, 0 },
	{ "59 0x10", "GET", H TEC "\r\n0x2\r\nok\r\n0\r\n\r\n", HTTP_BAD, 0, 0, 1, 0 },
	{ "59 16 F", "GET", H TEC "\r\nFFFFFFFFFFFFFFFF\r\nok\r\n0\r\n\r\n", HTTP_LIMIT, 0, 0, 1, 0 },
	{ "59 17 digits", "GET", H TEC "\r\n00000000000000002\r\nok\r\n0\r\n\r\n", HTTP_BAD, 0, 0, 1, 0 },
	{ "59 empty", "GET", H TEC "\r\n\r\nok\r\n0\r\n\r\n", HTTP_BAD, 0, 0, 1, 0 },
	{ "59 only an extension", "GET", H TEC "\r\n;a\r\nok\r\n0\r\n\r\n", HTTP_BAD, 0, 0, 1, 0 },
	{ "59 trailing space", "GET", H TEC "\r\n2 \r\nok\r\n0\r\n\r\n", HTTP_BAD, 0, 0, 1, 0 },
	{ "59 leading space", "GET", H TEC "\r\n 2\r\nok\r\n0\r\n\r\n", HTTP_BAD, 0, 0, 1, 0 },
	{ "59 bare LF", "GET", H TEC "\r\n2\nok\r\n0\r\n\r\n", HTTP_BAD, 0, 0, 1, 0 },
	{ "61 chunk longer than its size", "GET", H TEC "\r\n2\r\nok.\r\n0\r\n\r\n", HTTP_BAD, 0, 0, 1, 0 },
	{ "61 no CRLF behind a chunk", "GET", H TEC "\r\n2\r\nok0\r\n\r\n", HTTP_BAD, 0, 0, 1, 0 },
	{ "61 no last chunk", "GET", H TEC "\r\n2\r\nok\r\n", HTTP_IO, 0, 0, 1, 0 },
	{ "61 no final CRLF", "GET", H TEC "\r\n2\r\nok\r\n0\r\n", HTTP_IO, 0, 0, 1, 0 },
	{ "62 trailers", "GET", H TEC "\r\n2\r\nok\r\n0\r\nConnection: close\r\nX: y\r\n\r\n", HTTP_OK, 200, "ok", 0, 0 },
	{ "62 malformed trailer", "GET", H TEC "\r\n2\r\nok\r\n0\r\nConnection\r\n\r\n", HTTP_BAD, 0, 0, 1, 0 },
	/* 63 */
	{ "63 100", "POST", "HTTP/1.1 100 Continue\r\n\r\n" H CL2 "\r\nok", HTTP_OK, 200, "ok", 0, 0 },
	{ "63 103 three times", "POST", "HTTP/1.1 103 X\r\nLink: <a>;rel=b\r\n\r\nHTTP/1.1 103 X\r\n\r\nHTTP/1.1 103 X\r\n\r\n" H CL2 "\r\nok", HTTP_OK, 200, "ok", 0, 0 },
	{ "63 101", "GET", "HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n" H CL2 "\r\nok", HTTP_BAD, 0, 0, 1, 0 },
	{ "63 only 100", "POST", "HTTP/1.1 100 Continue\r\n\r\n", HTTP_IO, 0, 0, 1, 0 },
	/* 64 */
	{ "64 HEAD", "HEAD", H "Content-Length: 200\r\n\r\n", HTTP_OK, 200, "", 0, 0 },
	{ "64 HEAD, chunked", "HEAD", H TEC "\r\n", HTTP_OK, 200, "", 0, 0 },
	{ "64 HEAD without framing", "HEAD", H "\r\n", HTTP_OK, 200, "", 0, 0 },
	{ "64 HEAD with a body", "HEAD", H CL2 "\r\nok", HTTP_OK, 200, "", 0, 1 },
	{ "64 204", "GET", "HTTP/1.1 204 No\r\n\r\n", HTTP_OK, 204, "", 0, 0 },
	{ "64 204, length 0", "GET", "HTTP/1.1 204 No\r\nContent-Length: 0\r\n\r\n", HTTP_OK, 204, "", 0, 0 },
	{ "64 204 with a body", "GET", "HTTP/1.1 204 No\r\n" CL2 "\r\nok", HTTP_OK, 204, "", 1, 1 },
	{ "64 204, chunked", "GET", "HTTP/1.1 204 No\r\n" TEC "\r\n0\r\n\r\n", HTTP_OK, 204, "", 1, 1 },
	{ "64 304 with a length", "GET", "HTTP/1.1 304 No\r\nContent-Length: 99\r\n\r\n", HTTP_OK, 304, "", 0, 0 },
	/* 67, 68: nothing came; 69 */
	{ "67 close before the status", "GET", "", HTTP_CLOSED, 0, 0, 1, 0 },
	{ "67 close within the status", "GET", "H", HTTP_IO, 0, 0, 1, 0 },
	{ "69 unsolicited second response", "GET", H CL2 "\r\nok" H CL2 "\r\nno", HTTP_OK, 200, "ok", 0, 1 },
	/* 70 */
	{ "70 gzip", "GET", H "Content-Encoding: gzip\r\n" CL2 "\r\nok", HTTP_BAD, 0, 0, 1, 0 },
	{ "70 identity", "GET", H "Content-Encoding: identity\r\n" CL2 "\r\nok", HTTP_OK, 200, "ok", 0, 0 },
	/* 72, 73: the caller's to judge, with all it needs */
	{ "72 captive portal", "GET", "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>", HTTP_OK, 502, "<html>", 0, 0 },
	{ "73 redirect", "GET", "HTTP/1.1 301 Moved\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n", HTTP_OK, 301, "", 0, 0 },
	/* keep-alive or not (RFC 9112 9.3) */
	{ "Connection: close", "GET", H "Connection: close\r\n" CL2 "\r\nok", HTTP_OK, 200, "ok", 1, 0 },
	{ "Connection: a list", "GET", H "Connection: foo\r\nconnection: , keep-alive , CLOSE\r\n" CL2 "\r\nok", HTTP_OK, 200, "ok", 1, 0 },
	{ "Connection: closed", "GET", H "Connection: closed\r\n" CL2 "\r\nok", HTTP_OK, 200, "ok", 0, 0 },
	{ "HTTP/1.0 closes", "GET", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n" CL2 "\r\nok", HTTP_OK, 200, "ok", 1, 0 },
	{ "until close", "GET", H "\r\nok", HTTP_OK, 200, "ok", 1, 0 },
	{ "until close, empty", "GET", H "\r\n", HTTP_OK, 200, "", 1, 0 },
};

static int
row_good(const struct row *r, size_t step)
{
	enum http_error e;

	feed(r->in, strlen(r->in), step, 0);
	e = http_receive(&reader, r->method, &res);
	if (e != r->want || res.close != r->close)
		return 0;
	if (e != HTTP_OK)
		return res.why[0] != 0;
	return res.status == r->status && slice_is(buf_view(&res.body), r->body) &&
	    (step || http_excess(&reader) == r->excess);
}

static void
test_rows(void)
{
	size_t i;
	char name[100];

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!ok(row_good(&rows[i], 0), rows[i].name))
			printf("# error %d %s, status %d, close %d\n", (int)reader.end, res.why, res.status, res.close);
		snprintf(name, sizeof(name), "%s, byte by byte", rows[i].name);
		ok(row_good(&rows[i], 1), name);
	}
}

/* A response cut anywhere is no response; flush against the end of its memory. */
static void
test_truncation(void)
{
	static const char *const whole[] = {
		"HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 11\r\n\r\nhello world",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n" TEC "\r\n5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nA: b\r\n\r\n",
	};
	size_t i, n, step;
	int good = 1;

	for (i = 0; i < 2; i++) {
		for (n = 0; n < strlen(whole[i]); n++) {
			char *copy = malloc(n ? n : 1);

			memcpy(copy, whole[i], n);
			for (step = 0; step < 2; step++) {
				feed(copy, n, step, 0);
				good &= http_receive(&reader, "GET", &res) == (n ? HTTP_IO : HTTP_CLOSED);
				good &= res.close;
				feed(copy, n, step, -1);
				good &= http_receive(&reader, "GET", &res) == HTTP_IO;
				feed(copy, n, step, -2);
				good &= http_receive(&reader, "GET", &res) == (n ? HTTP_IO : HTTP_CLOSED);
			}
			free(copy);
		}
		feed(whole[i], strlen(whole[i]), 0, -1);
		good &= http_receive(&reader, "GET", &res) == HTTP_OK && slice_is(buf_view(&res.body), "hello world");
	}
	ok(good, "a response cut at any byte is an error, never a success");
	feed(H "\r\nok", strlen(H "\r\nok"), 0, -2);
	ok(http_receive(&reader, "GET", &res) == HTTP_IO, "until close: only an orderly end is the end");
}

/*
 * Large inputs: head, n times unit, tail; then the expected error.
 */
static char large[400000];

static void
test_large(void)
{
	static const struct {
		const char *name, *head, *unit;
		size_t n;
		const char *tail;
		enum http_error want;
	} t[] = {
		{ "49 status line of 8 KiB", "HTTP/1.1 200 ", "a", 8192, "\r\n" CL2 "\r\nok", HTTP_LIMIT },
		{ "49 status line of 300 KB", "HTTP/1.1 200 ", "a", 300000, "", HTTP_LIMIT },
		{ "50 100 headers", H CL2, "a: b\r\n", 99, "\r\nok", HTTP_OK },
		{ "50 101 headers", H CL2, "a: b\r\n", 100, "\r\nok", HTTP_LIMIT },
		{ "50 64 KiB of headers", H CL2 "a: ", "b", 65536, "\r\n\r\nok", HTTP_LIMIT },
		{ "50 a name of 300 KB", H, "b", 300000, "", HTTP_LIMIT },
		{ "60 a chunk extension of 300 KB", H TEC "\r\n2;", "x", 300000, "\r\nok\r\n0\r\n\r\n", HTTP_LIMIT },
		{ "60 many chunk extensions", H TEC "\r\n", "1;aaaaaaaaaaaaa\r\nx\r\n", 2000, "0\r\n\r\n", HTTP_LIMIT },
		{ "many chunks", H TEC "\r\n", "1\r\nx\r\n", 60000, "0\r\n\r\n", HTTP_OK },
		{ "62 trailers of 64 KiB", H TEC "\r\n2\r\nok\r\n0\r\na:", "b", 65536, "\r\n\r\n", HTTP_LIMIT },
		{ "62 101 trailers", H TEC "\r\n2\r\nok\r\n0\r\n", "a: b\r\n", 101, "\r\n", HTTP_LIMIT },
		{ "63 8 interim responses", "", "HTTP/1.1 103 X\r\n\r\n", 8, H CL2 "\r\nok", HTTP_OK },
		{ "63 9 interim responses", "", "HTTP/1.1 103 X\r\n\r\n", 9, H CL2 "\r\nok", HTTP_LIMIT },
		{ "63 1000 interim responses", "", "HTTP/1.1 100 X\r\n\r\n", 1000, H CL2 "\r\nok", HTTP_LIMIT },
		{ "65 10 GB announced", H "Content-Length: 10000000000\r\n\r\n", "x", 5, "", HTTP_LIMIT },
		{ "65 128 KiB", H "Content-Length: 131072\r\n\r\n", "x", 131072, "", HTTP_OK },
		{ "65 128 KiB and 1", H "Content-Length: 131073\r\n\r\n", "x", 131073, "", HTTP_LIMIT },
		{ "65 128 KiB until close", H "\r\n", "x", 131072, "", HTTP_OK },
		{ "65 endless until close", H "\r\n", "x", 300000, "", HTTP_LIMIT },
		{ "65 endless chunks", H TEC "\r\n", "5\r\nhello\r\n", 35000, "", HTTP_LIMIT },
	};
	size_t i, k, n;
	enum http_error e;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct buf b = BUF(large);

		buf_str(&b, t[i].head);
		for (k = 0; k < t[i].n; k++)
			buf_str(&b, t[i].unit);
		buf_str(&b, t[i].tail);
		n = b.len;
		ok(!b.err, "fits");
		feed(large, n, 0, 0);
		e = http_receive(&reader, "GET", &res);
		if (!ok(e == t[i].want, t[i].name))
			printf("# %d %s\n", e, res.why);
		feed(large, n, 1, 0);
		ok(http_receive(&reader, "GET", &res) == t[i].want, t[i].name);
	}
}

static void
test_nul(void)
{
	static const char in[] = H "A: b\0c\r\n" CL2 "\r\nok";
	static const char in2[] = H CL2 "\r\n\0k";

	feed(in, sizeof(in) - 1, 0, 0);
	ok(http_receive(&reader, "GET", &res) == HTTP_BAD, "51 NUL in a header");
	feed(in2, sizeof(in2) - 1, 0, 0);
	ok(http_receive(&reader, "GET", &res) == HTTP_OK && res.body.len == 2 &&
	    memcmp(res.body.p, "\0k", 2) == 0, "NUL in a body is data");
}

static void
test_pipeline(void)
{
	static const char in[] =
	    H CL2 "Replay-Nonce: n1\r\n\r\n11"
	    "HTTP/1.1 204 No\r\nReplay-Nonce: n2\r\n\r\n"
	    "HTTP/1.1 100 Continue\r\n\r\n"
	    "HTTP/1.1 400 Bad\r\n" TEC "\r\n1\r\n3\r\n1\r\n3\r\n0\r\n\r\n"
	    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
	    "HTTP/1.1 503 Busy\r\nConnection: close\r\n" CL2 "\r\n55";
	static const struct {
		const char *method;
		int status, close;
		const char *body;
	} want[] = {
		{ "GET", 200, 0, "11" }, { "HEAD", 204, 0, "" }, { "POST", 400, 0, "33" },
		{ "GET", 200, 0, "" }, { "GET", 503, 1, "55" },
	};
	size_t i, step;
	int good = 1;

	for (step = 0; step < 8; step++) {
		feed(in, sizeof(in) - 1, step, 0);
		for (i = 0; i < 5; i++) {
			good &= http_receive(&reader, want[i].method, &res) == HTTP_OK;
			good &= res.status == want[i].status && res.close == want[i].close;
			good &= slice_is(buf_view(&res.body), want[i].body);
		}
		good &= !http_excess(&reader);
		good &= http_receive(&reader, "GET", &res) == HTTP_CLOSED;
	}
	ok(good, "pipelined responses are taken apart, in steps of any size");
}

static struct slice
head_of(const char *fields)
{
	static char text[4000];
	struct buf b = BUF(text);

	buf_all(&b, H "Content-Length: 0\r\n", fields, "\r\n", (char *)0);
	feed(text, b.len, 0, 0);
	if (http_receive(&reader, "GET", &res) != HTTP_OK)
		printf("# bad fixture: %s\n", res.why);
	return buf_view(&b);
}

static void
test_header(void)
{
	head_of("Replay-Nonce:  a b \t\r\nX: 1\r\nreplay-nonce: c\r\nEmpty:\r\nLong-X: 2\r\n");
	ok(slice_is(http_header(&res, "replay-NONCE", 0), "a b"), "52 a header in any case, trimmed");
	ok(slice_is(http_header(&res, "Replay-Nonce", 1), "c"), "the second of that name");
	ok(http_header(&res, "Replay-Nonce", 2).p == 0, "no third");
	ok(http_header(&res, "Empty", 0).p != 0 && http_header(&res, "Empty", 0).n == 0, "an empty value is there");
	ok(slice_is(http_header(&res, "X", 0), "1"), "a name is not matched as a part");
	ok(http_header(&res, "Replay", 0).p == 0, "nor as a prefix");
	ok(http_header(&res, "", 0).p == 0, "nor when empty");
	ok(http_header(&res, "Content-Type", 0).p == 0, "71 a missing Content-Type is seen");
}

static void
test_link(void)
{
	static const struct {
		const char *name, *fields, *rel;
		unsigned i;
		const char *want;	/* 0: none */
	} t[] = {
		{ "quoted", "Link: <https://a/1>;rel=\"alternate\"\r\n", "alternate", 0, "https://a/1" },
		{ "unquoted", "Link: <https://a/1>; rel=alternate\r\n", "alternate", 0, "https://a/1" },
		{ "lower-case field name", "link:<https://a/1>;rel=alternate\r\n", "alternate", 0, "https://a/1" },
		{ "second line", "Link: <i>;rel=index\r\nLink: <https://a/1>;rel=\"alternate\"\r\n", "alternate", 0, "https://a/1" },
		{ "second of two lines", "Link: <1>;rel=alternate\r\nX: y\r\nLink: <2>;rel=\"alternate\"\r\n", "alternate", 1, "2" },
		{ "no third", "Link: <1>;rel=alternate\r\nX: y\r\nLink: <2>;rel=\"alternate\"\r\n", "alternate", 2, 0 },
		{ "comma-joined", "Link: <1>;rel=index, <2>;rel=alternate,<3>;rel=\"alternate\"\r\n", "alternate", 1, "3" },
		{ "empty elements", "Link: , ,<1>;rel=index,, <2>;rel=alternate,\r\n", "alternate", 0, "2" },
		{ "comma in the target", "Link: <a,b>;rel=index, <c;rel=x,d>;rel=alternate\r\n", "alternate", 0, "c;rel=x,d" },
		{ "comma and > in quotes", "Link: <1>;title=\"a, <9>;rel=alternate\";rel=index, <2>;rel=alternate\r\n", "alternate", 0, "2" },
		{ "escaped quote", "Link: <1>;title=\"a\\\", <9>;rel=alternate\";rel=index, <2>;rel=alternate\r\n", "alternate", 0, "2" },
		{ "rel list", "Link: <1>;rel=\"alternate index\"\r\n", "index", 0, "1" },
		{ "rel list, first", "Link: <1>;rel=\"alternate index\"\r\n", "alternate", 0, "1" },
		{ "rel in any case", "Link: <1>; REL=\"Alternate\"\r\n", "alternate", 0, "1" },
		{ "rel behind other parameters", "Link: <1>; type=text/html; title*=UTF-8''x; foo; rel=up\r\n", "up", 0, "1" },
		{ "spaces everywhere", "Link:  < 1 > ; rel = \"up\" , <2> ;rel= up\r\n", "up", 1, "2" },
		{ "only the first rel counts", "Link: <1>;rel=index;rel=up\r\n", "up", 0, 0 },
		{ "a part of a rel", "Link: <1>;rel=terms-of-service\r\n", "terms", 0, 0 },
		{ "rel without value", "Link: <1>;rel, <2>;rel=up\r\n", "up", 0, "2" },
		{ "no rel", "Link: <1>\r\n", "up", 0, 0 },
		{ "empty target", "Link: <>;rel=up\r\n", "up", 0, "" },
		{ "anchored elsewhere", "Link: <1>;rel=up;anchor=\"#x\", <2>;rel=up\r\n", "up", 0, "2" },
		{ "empty parameters", "Link: <1>;;rel=up;\r\n", "up", 0, "1" },
		{ "no brackets", "Link: https://a/1;rel=up\r\n", "up", 0, 0 },
		{ "bracket not closed", "Link: <https://a/1;rel=up\r\n", "up", 0, 0 },
		{ "quote not closed", "Link: <1>;rel=\"up\r\n", "up", 0, 0 },
		{ "quote ends in a backslash", "Link: <1>;rel=\"up\\\r\n", "up", 0, 0 },
		{ "junk behind the target", "Link: <1> x;rel=up\r\n", "up", 0, 0 },
		{ "malformed, next line", "Link: <1;rel=up\r\nLink: <2>;rel=up\r\n", "up", 0, "2" },
		{ "no Link", "X: <1>;rel=up\r\n", "up", 0, 0 },
	};
	struct slice got;
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		head_of(t[i].fields);
		got = http_link(&res, t[i].rel, t[i].i);
		if (!ok(t[i].want ? got.p && slice_is(got, t[i].want) : !got.p, t[i].name))
			printf("# got %.*s\n", (int)got.n, got.p ? got.p : "nothing");
	}
}

/*
 * URLs
 */

/* The URL flush against the end of its memory, without a NUL. */
static int
url_flush(struct http_url *u, const char *text)
{
	struct slice s = { 0, strlen(text) };
	char *copy = malloc(s.n ? s.n : 1);
	int e;

	memcpy(copy, text, s.n);
	s.p = copy;
	e = http_url(u, s);
	free(copy);
	return e;
}

static void
test_url(void)
{
	static const struct {
		const char *text;
		int tls;
		const char *host, *port, *path, *authority;
	} t[] = {
		{ "https://example.com", 1, "example.com", "443", "/", "example.com" },
		{ "HTTPS://Example.COM/A/b?c=d", 1, "example.com", "443", "/A/b?c=d", "example.com" },
		{ "http://example.com:8080?q", 0, "example.com", "8080", "/?q", "example.com:8080" },
		{ "https://h:443/", 1, "h", "443", "/", "h:443" },
		{ "https://h:65535/", 1, "h", "65535", "/", "h:65535" },
		{ "https://127.0.0.1:14000/dir", 1, "127.0.0.1", "14000", "/dir", "127.0.0.1:14000" },
		{ "https://[::1]/", 1, "::1", "443", "/", "[::1]" },
		{ "https://[2001:DB8::1]:14000/dir", 1, "2001:db8::1", "14000", "/dir", "[2001:db8::1]:14000" },
		{ "https://[::ffff:1.2.3.4]/", 1, "::ffff:1.2.3.4", "443", "/", "[::ffff:1.2.3.4]" },
		{ "https://a_b.example/x%2F;~!$&'()*+,=:@", 1, "a_b.example", "443", "/x%2F;~!$&'()*+,=:@", "a_b.example" },
		{ "https://4.example/", 1, "4.example", "443", "/", "4.example" },
		{ "https://xn--bcher-kva.example/", 1, "xn--bcher-kva.example", "443", "/", "xn--bcher-kva.example" },
	};
	static const char *const rejected[] = {
		"", "https", "https:", "https:/", "https://", "https:///x",
		"https:example.com", "https:\\\\example.com", "//example.com/", "/x", "example.com",
		"ftp://h/", "file:///etc/passwd", "javascript:alert(1)", "data:text/plain,x",
		"httpss://h/", " https://h/", "https://h/ ", "https://h /",
		"https://user@h/", "https://user:pass@h/", "https://@h/", "https://h@/",
		"https://h/#frag", "https://h#frag", "https://h/a\\b", "https://h\\a",
		"https://h/\r\nX: y", "https://h/\n", "https://h\r\n/", "https://h/\t", "https://h/\177",
		"https://h/\xc3\xa9", "https://b\xc3\xbc.example/", "https://h/\"", "https://h/<x>",
		"https://h/a b", "https://h/%", "https://h/%4", "https://h/%4g", "https://h/{x}",
		"https://h/[x]", "https://h/`", "https://h/^", "https://h/|",
		"https://h:/", "https://h:0/", "https://h:00/", "https://h:65536/", "https://h:99999/",
		"https://h:000443/", "https://h:0443/", "https://h:-1/", "https://h:+1/", "https://h:4 3/",
		"https://h:443:443/", "https://h:443x/",
		"https://.h/", "https://h./", "https://a..b/", "https://h%2e/", "https://*.h/",
		"https://1.2.3/", "https://1.2.3.4.5/", "https://256.1.1.1/", "https://01.2.3.4/",
		"https://0x7f.0.0.1/", "https://0x7f000001/", "https://2130706433/", "https://a.1/",
		"https://[]/", "https://[::1/", "https://::1/", "https://[::1]x/", "https://[::1%25eth0]/",
		"https://[fe80::1%eth0]/", "https://[1.2.3.4]/", "https://[g::1]/", "https://[::1]]/",
		"https://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/",
	};
	struct http_url u;
	static char text[5000], authority[300];
	size_t i, n;
	int good;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct buf b = BUF(authority);

		good = url_flush(&u, t[i].text) == 0;
		http_authority(&b, &u);
		ok(good && u.tls == t[i].tls && strcmp(u.host, t[i].host) == 0 &&
		    strcmp(u.port, t[i].port) == 0 && strcmp(u.path, t[i].path) == 0 &&
		    strcmp(buf_text(&b), t[i].authority) == 0, t[i].text);
	}
	for (i = 0; i < sizeof(rejected) / sizeof(rejected[0]); i++) {
		struct buf b = BUF(text);

		buf_str(&b, "rejected: ");
		buf_printable(&b, slice(rejected[i]));
		ok(url_flush(&u, rejected[i]) == -1, buf_text(&b));
	}
	for (n = 1000; n <= 4096; n += n < 1100 ? 1 : 2996) {
		memset(text, 'a', n);
		memcpy(text, "https://h/", 10);
		text[n] = 0;
		good = http_url(&u, slice(text)) == (n < LIMIT_URL ? 0 : -1);
		if (!good)
			break;
	}
	ok(good, "a URL of LIMIT_URL bytes or 4 KiB is rejected");
	memcpy(text, "https://h/a", 11);
	text[10] = 0;
	n = 11;
	good = http_url(&u, (struct slice){ text, n });
	ok(good == -1, "NUL in a URL");
}

static void
test_same_origin(void)
{
	struct http_url a, b;

	http_url(&a, slice("https://h/a"));
	ok(http_url(&b, slice("https://H:443/b")) == 0 && http_same_origin(&a, &b), "same origin");
	ok(http_url(&b, slice("http://h/a")) == 0 && !http_same_origin(&a, &b), "other scheme");
	ok(http_url(&b, slice("https://h:444/a")) == 0 && !http_same_origin(&a, &b), "other port");
	ok(http_url(&b, slice("https://h.h/a")) == 0 && !http_same_origin(&a, &b), "other host");
}

static void
test_resolve(void)
{
	/* RFC 3986 5.4.1 and 5.4.2, without those that have a fragment */
	static const struct { const char *base, *ref, *want; } t[] = {
		{ "http://a/b/c/d;p?q", "g:h", 0 },
		{ "http://a/b/c/d;p?q", "g", "http://a/b/c/g" },
		{ "http://a/b/c/d;p?q", "./g", "http://a/b/c/g" },
		{ "http://a/b/c/d;p?q", "g/", "http://a/b/c/g/" },
		{ "http://a/b/c/d;p?q", "/g", "http://a/g" },
		{ "http://a/b/c/d;p?q", "//g", "http://g" },
		{ "http://a/b/c/d;p?q", "?y", "http://a/b/c/d;p?y" },
		{ "http://a/b/c/d;p?q", "g?y", "http://a/b/c/g?y" },
		{ "http://a/b/c/d;p?q", "#s", 0 },
		{ "http://a/b/c/d;p?q", ";x", "http://a/b/c/;x" },
		{ "http://a/b/c/d;p?q", "g;x", "http://a/b/c/g;x" },
		{ "http://a/b/c/d;p?q", "", "http://a/b/c/d;p?q" },
		{ "http://a/b/c/d;p?q", ".", "http://a/b/c/" },
		{ "http://a/b/c/d;p?q", "./", "http://a/b/c/" },
		{ "http://a/b/c/d;p?q", "..", "http://a/b/" },
		{ "http://a/b/c/d;p?q", "../", "http://a/b/" },
		{ "http://a/b/c/d;p?q", "../g", "http://a/b/g" },
		{ "http://a/b/c/d;p?q", "../..", "http://a/" },
		{ "http://a/b/c/d;p?q", "../../", "http://a/" },
		{ "http://a/b/c/d;p?q", "../../g", "http://a/g" },
		{ "http://a/b/c/d;p?q", "../../../g", "http://a/g" },
		{ "http://a/b/c/d;p?q", "../../../../g", "http://a/g" },
		{ "http://a/b/c/d;p?q", "/./g", "http://a/g" },
		{ "http://a/b/c/d;p?q", "/../g", "http://a/g" },
		{ "http://a/b/c/d;p?q", "g.", "http://a/b/c/g." },
		{ "http://a/b/c/d;p?q", ".g", "http://a/b/c/.g" },
		{ "http://a/b/c/d;p?q", "g..", "http://a/b/c/g.." },
		{ "http://a/b/c/d;p?q", "..g", "http://a/b/c/..g" },
		{ "http://a/b/c/d;p?q", "./../g", "http://a/b/g" },
		{ "http://a/b/c/d;p?q", "./g/.", "http://a/b/c/g/" },
		{ "http://a/b/c/d;p?q", "g/./h", "http://a/b/c/g/h" },
		{ "http://a/b/c/d;p?q", "g/../h", "http://a/b/c/h" },
		{ "http://a/b/c/d;p?q", "g;x=1/./y", "http://a/b/c/g;x=1/y" },
		{ "http://a/b/c/d;p?q", "g;x=1/../y", "http://a/b/c/y" },
		{ "http://a/b/c/d;p?q", "g?y/./x", "http://a/b/c/g?y/./x" },
		{ "http://a/b/c/d;p?q", "g?y/../x", "http://a/b/c/g?y/../x" },
		{ "http://a/b/c/d;p?q", "http:g", 0 },
		/* as ACME servers send them */
		{ "https://ca:14000/dir", "/order/1", "https://ca:14000/order/1" },
		{ "https://ca", "order", "https://ca/order" },
		{ "https://ca:443/dir", "x", "https://ca:443/x" },
		{ "https://[::1]:1/d/e?f", "x?a:b", "https://[::1]:1/d/x?a:b" },
		{ "https://ca/dir", "https://Other/a/../b", "https://Other/a/../b" },
		{ "https://ca/dir", "//other:444/x", "https://other:444/x" },
		{ "https://ca/dir", "http://ca/x", "http://ca/x" },
		{ "https://ca/dir", "javascript:alert(1)", 0 },
		{ "https://ca/dir", "data:text/plain,Do%20what%20thou%20wilt", 0 },
		{ "https://ca/dir", "//user@other/x", 0 },
		{ "https://ca/dir", "a b", 0 },
		{ "https://ca/dir", "a\\b", 0 },
		{ "https://ca/dir", "a\nb", 0 },
		{ "https://ca/dir", "///x", 0 },
		{ "ftp://ca/dir", "/x", 0 },
	};
	char out[LIMIT_URL], tiny[12];
	size_t i;
	int e;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		e = http_resolve(t[i].base, slice(t[i].ref), out, sizeof(out));
		if (!ok(e == (t[i].want ? 0 : -1) && strcmp(out, t[i].want ? t[i].want : "") == 0, t[i].ref))
			printf("# got %s\n", out);
	}
	ok(http_resolve("https://ca/", slice("12"), tiny, sizeof(tiny)) == -1 && tiny[0] == 0, "no room: -1 and empty");
	memset(large, 'a', 5000);
	large[5000] = 0;
	ok(http_resolve("https://ca/", slice(large), out, sizeof(out)) == -1, "a reference of 5000 bytes");
}

/*
 * Requests
 */

static void
test_request(void)
{
	static char big[LIMIT_REQUEST];
	struct http_url u;
	struct slice none = { 0, 0 }, all = { big, sizeof(big) };

	http_url(&u, slice("https://ca.example:14000/dir?x"));
	memset(&memory, 0, sizeof(memory));
	ok(http_request(&stream, "GET", &u, "acme/1", 0, none) == 0 && memory.writes == 1, "one write");
	is_str(memory.out, "GET /dir?x HTTP/1.1\r\nHost: ca.example:14000\r\nUser-Agent: acme/1\r\n"
	    "Accept-Language: en\r\n\r\n", "a request without a body");
	memset(&memory, 0, sizeof(memory));
	ok(http_request(&stream, "POST", &u, "acme/1", "application/jose+json", slice("{}")) == 0 &&
	    memory.writes == 1, "one write with a body");
	is_str(memory.out, "POST /dir?x HTTP/1.1\r\nHost: ca.example:14000\r\nUser-Agent: acme/1\r\n"
	    "Accept-Language: en\r\nContent-Type: application/jose+json\r\nContent-Length: 2\r\n\r\n{}",
	    "a request with a body");
	memset(&memory, 0, sizeof(memory));
	ok(http_request(&stream, "POST", &u, "a", "t", slice("")) == 0 &&
	    strstr(memory.out, "Content-Length: 0\r\n\r\n"), "an empty body has a length");
	memset(&memory, 0, sizeof(memory));
	memset(big, 'x', sizeof(big));
	ok(http_request(&stream, "POST", &u, "a", "t", all) == 0 && memory.writes == 2 &&
	    memcmp(memory.out + memory.out_len - sizeof(big), big, sizeof(big)) == 0 &&
	    strstr(memory.out, "Content-Length: 50000\r\n\r\nx"), "the largest body");
	memset(&memory, 0, sizeof(memory));
	ok(http_request(&stream, "GET", &u, "a\r\nX: y", 0, none) == -1 && memory.writes == 0, "no line breaks in headers");
	ok(http_request(&stream, "GET", &u, "a", "b\nc", slice("")) == -1 && memory.writes == 0, "nor in the type");
	memory.out_len = sizeof(memory.out);
	ok(http_request(&stream, "GET", &u, "a", 0, none) == -1, "a failing stream");
}

int
main(void)
{
	test_rows();
	test_truncation();
	test_large();
	test_nul();
	test_pipeline();
	test_header();
	test_link();
	test_url();
	test_same_origin();
	test_resolve();
	test_request();
	return tap_done();
}
