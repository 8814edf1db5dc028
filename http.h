/*
 * http.h - URLs (RFC 3986, the http and https subset), and HTTP/1.1 (RFC 9112)
 * over an abstract byte stream: requests out, a strict response parser in,
 * keep-alive and pipelining.  Bounded: LIMIT_HEAD, the caller's body buffer,
 * 100 fields, 8 interim responses.  Knows nothing of sockets or TLS.
 */
#ifndef HTTP_H
#define HTTP_H

#include "buf.h"

/* Parts of an absolute URL, NUL-terminated; port always set. */
struct http_url {
	int tls;			/* https */
	int port_given;			/* the URL names its port, so Host does too */
	char host[LIMIT_NAME + 1];	/* lower case, IPv6 without brackets */
	char port[6];
	char path[LIMIT_URL];		/* path and query, at least "/" */
};
/*
 * Rejects what RFC 3986 does not allow, and: other schemes, userinfo,
 * fragments, port 0 or empty, a final dot, IPv4 but as four decimal numbers.
 * 0, or -1 and *u is not to be used.
 */
int http_url(struct http_url *u, struct slice text);
/*
 * Resolves a reference (absolute, //host, /path, ?query, relative; RFC 3986
 * 5.2) against base into out; an absolute one stays byte for byte what it is.
 * The result has passed http_url().  0, or -1 and out is "".
 */
int http_resolve(const char *base, struct slice ref, char *out, size_t size);
/* "host" or "host:port" as the Host header wants it (RFC 9110 7.2); IPv6 in brackets. */
void http_authority(struct buf *b, const struct http_url *u);
int http_same_origin(const struct http_url *a, const struct http_url *b);

/*
 * A byte stream.  read: >0 bytes, 0 end, -1 error, -2 the peer broke off
 * without an orderly end; write: all n or -1; flush: 0 or -1.
 */
struct http_stream {
	void *ctx;
	long (*read)(void *ctx, void *p, size_t n);
	int (*write)(void *ctx, const void *p, size_t n);
	int (*flush)(void *ctx);
};

/*
 * Writes one request; body.p 0: none.  type: its Content-Type.  Flush is the
 * caller's.  0, or -1: the stream failed, or a part is not fit for a header.
 */
int http_request(struct http_stream *s, const char *method, const struct http_url *u,
    const char *agent, const char *type, struct slice body);

/* Why a response could not be had. */
enum http_error {
	HTTP_OK,
	HTTP_CLOSED,		/* the end before the first byte of a response: may be sent again */
	HTTP_IO,		/* the stream failed or ended within a response */
	HTTP_BAD,		/* not HTTP/1.x, or ambiguous framing; see why */
	HTTP_LIMIT		/* larger than a limit; see why */
};

struct http_response {
	int status;
	int close;			/* the connection is not to be used again */
	const char *why;		/* static text on error */
	struct buf body;		/* the caller's memory; set before http_receive */
	size_t head_len;
	char head[LIMIT_HEAD];		/* the header lines as received */
};

/* A connection's read-ahead; 0-fill for a new connection. */
struct http_reader {
	struct http_stream *s;
	size_t start, end;
	char mem[4096];
};

/*
 * Reads one final response to a request of that method (interim 1xx are skipped).
 * Framing: Content-Length, chunked, or until close; any conflict is HTTP_BAD,
 * so are a repeated Content-Length, bare LF and any Content-Encoding.
 */
enum http_error http_receive(struct http_reader *r, const char *method, struct http_response *res);
/* 1 if bytes beyond the last response have been read: with nothing outstanding, a reason to drop the connection. */
int http_excess(const struct http_reader *r);

/* The i-th (from 0) field of that name, any case, value trimmed; .p 0 if none. */
struct slice http_header(const struct http_response *res, const char *name, unsigned i);
/* The i-th target of all Link fields with that rel (RFC 8288): comma-joined or not, quoted or not. .p 0 if none. */
struct slice http_link(const struct http_response *res, const char *rel, unsigned i);

#endif
