/*
 * http.c - URLs (RFC 3986) and HTTP/1.1 messages (RFC 9110, 9112, 8288).
 *
 * The peer is not trusted.  What two parsers could read in two ways is
 * refused, not repaired: bare LF or CR, folded lines, a repeated
 * Content-Length, Content-Length beside Transfer-Encoding, codings other than
 * chunked.  Invariants: after any error the connection is marked for closing;
 * bytes behind a response stay in the reader and belong to the next one; each
 * loop over input is bounded by the head's size, the body's size, or both.
 */
#include <string.h>

#include "http.h"

enum {
	MAX_STATUS_LINE = 1024,
	MAX_FIELDS = 100,		/* of one response, trailers included */
	MAX_INTERIM = 8,
	MAX_EXTENSIONS = LIMIT_HEAD,	/* bytes of all chunk extensions of one body */
	MAX_CHUNK_DIGITS = 16
};

static int
is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static int
hex_value(int c)
{
	if (is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int
is_alnum(int c)
{
	return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static int
is_one_of(int c, const char *set)
{
	return c != 0 && strchr(set, c) != 0;
}

static struct slice
skip(struct slice s, size_t n)
{
	s.p += n;
	s.n -= n;
	return s;
}

/* The length of s up to the first byte that is in set, or all of it. */
static size_t
span(struct slice s, const char *set)
{
	size_t n = 0;

	while (n < s.n && !is_one_of(s.p[n], set))
		n++;
	return n;
}

/*
 * URLs
 */

/* One label of a host name; underscores occur in names on private networks. */
static int
label_ok(struct slice s)
{
	size_t i;

	if (s.n == 0 || s.n > 63)
		return 0;
	for (i = 0; i < s.n; i++)
		if (!is_alnum(s.p[i]) && s.p[i] != '-' && s.p[i] != '_')
			return 0;
	return 1;
}

static int
octet_ok(struct slice s)
{
	uint64_t v;

	return s.n <= 3 && slice_uint(s, &v) == 0 && v <= 255 &&
	    (s.n == 1 || s.p[0] != '0');
}

/*
 * A host name, or an IPv4 address.  Resolvers read "1.2", "0x7f.1" or "010.1.1.1"
 * as addresses; a name whose last label could be a number must be four
 * plain octets, so that everybody means the same host.
 */
static int
name_ok(struct slice s)
{
	struct slice label = { 0, 0 };
	unsigned count = 0, octets = 0;
	size_t n;

	for (;;) {
		n = span(s, ".");
		label.p = s.p;
		label.n = n;
		if (!label_ok(label))
			return 0;
		count++;
		octets += octet_ok(label) ? 1u : 0u;
		if (n == s.n)
			break;
		s = skip(s, n + 1);
	}
	return is_digit(label.p[0]) ? count == 4 && octets == 4 : 1;
}

/* What stands between the brackets: only the alphabet; the resolver does the rest. */
static int
ipv6_ok(struct slice s)
{
	unsigned colons = 0;
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] == ':')
			colons++;
		else if (hex_value(s.p[i]) < 0 && s.p[i] != '.')
			return 0;
	}
	return colons >= 2 && s.n <= 45;
}

static int
url_port(struct http_url *u, struct slice s)
{
	uint64_t v;

	if (s.n > 5 || slice_uint(s, &v) || v == 0 || v > 65535 || s.p[0] == '0')
		return -1;
	u->port_given = 1;
	return slice_copy(s, u->port, sizeof(u->port));
}

static int
url_authority(struct http_url *u, struct slice s)
{
	struct slice host = s;
	char *c;

	if (s.n && s.p[0] == '[') {
		host = skip(s, 1);
		host.n = span(host, "]");
		if (host.n + 1 == s.n || !ipv6_ok(host))
			return -1;
		s = skip(s, host.n + 2);
	} else {
		host.n = span(s, ":");
		if (!name_ok(host))
			return -1;
		s = skip(s, host.n);
	}
	if (slice_copy(host, u->host, sizeof(u->host)))
		return -1;
	for (c = u->host; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c | 0x20);
	if (s.n == 0)
		return slice_copy(slice(u->tls ? "443" : "80"), u->port, sizeof(u->port));
	return s.p[0] == ':' ? url_port(u, skip(s, 1)) : -1;
}

static int
url_path(struct http_url *u, struct slice s)
{
	struct buf b = BUF(u->path);
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '%') {
			if (s.n - i < 3 || hex_value(s.p[i + 1]) < 0 || hex_value(s.p[i + 2]) < 0)
				return -1;
		} else if (!is_alnum(s.p[i]) && !is_one_of(s.p[i], "-._~!$&'()*+,;=:@/?")) {
			return -1;
		}
	}
	if (s.n == 0 || s.p[0] != '/')
		buf_char(&b, '/');
	buf_slice(&b, s);
	buf_text(&b);
	return b.err ? -1 : 0;
}

int
http_url(struct http_url *u, struct slice text)
{
	static const char *const scheme[] = { "http", "https" };
	struct slice part = text;

	if (text.n >= LIMIT_URL)
		return -1;
	part.n = span(text, ":");
	u->port_given = 0;
	u->tls = slice_is_nocase(part, scheme[1]);
	if (!u->tls && !slice_is_nocase(part, scheme[0]))
		return -1;
	text = skip(text, part.n);
	if (text.n < 3 || memcmp(text.p, "://", 3) != 0)
		return -1;
	part = text = skip(text, 3);
	part.n = span(text, "/?");
	if (url_authority(u, part))
		return -1;
	return url_path(u, skip(text, part.n));
}

void
http_authority(struct buf *b, const struct http_url *u)
{
	int v6 = strchr(u->host, ':') != 0;

	buf_all(b, v6 ? "[" : "", u->host, v6 ? "]" : "", (char *)0);
	if (u->port_given)
		buf_all(b, ":", u->port, (char *)0);
}

int
http_same_origin(const struct http_url *a, const struct http_url *b)
{
	return a->tls == b->tls && strcmp(a->host, b->host) == 0 &&
	    strcmp(a->port, b->port) == 0;
}

/*
 * Appends path without "." and ".." segments (RFC 3986 5.2.4); path starts
 * with '/', root is where the output's path starts.
 */
static void
resolve_dots(struct buf *b, struct slice path)
{
	struct slice segment;
	size_t root = b->len;
	int dot, dots;

	while (path.n) {
		segment = path;
		segment.n = 1 + span(skip(path, 1), "/");
		path = skip(path, segment.n);
		dot = slice_is(segment, "/.");
		dots = slice_is(segment, "/..");
		if (dots && !b->err)
			while (b->len > root && b->p[--b->len] != '/')
				;
		if (!dot && !dots)
			buf_slice(b, segment);
		else if (path.n == 0)
			buf_char(b, '/');
	}
}

/* A scheme in front of the first '/' or '?' makes a reference absolute. */
static int
has_scheme(struct slice ref)
{
	size_t colon = span(ref, ":");

	return colon < ref.n && colon < span(ref, "/?");
}

/* Appends what a reference without authority means against base. */
static void
resolve_path(struct buf *b, struct slice base, struct slice ref)
{
	char mem[2 * LIMIT_URL];
	struct buf merged = BUF(mem);
	struct slice path = ref, base_path = base;

	path.n = span(ref, "?");
	base_path.n = span(base, "?");
	if (path.n == 0) {
		buf_slice(b, ref.n ? base_path : base);
		buf_slice(b, ref);
		return;
	}
	if (path.p[0] != '/')
		while (base_path.n && base_path.p[base_path.n - 1] != '/')
			base_path.n--;
	else
		base_path.n = 0;
	buf_slice(&merged, base_path);
	buf_slice(&merged, path);
	if (merged.err)
		b->err = 1;
	else
		resolve_dots(b, buf_view(&merged));
	buf_slice(b, skip(ref, path.n));
}

int
http_resolve(const char *base, struct slice ref, char *out, size_t size)
{
	struct http_url u;
	struct buf b;

	buf_init(&b, out, size);
	if (has_scheme(ref)) {
		buf_slice(&b, ref);
	} else if (http_url(&u, slice(base))) {
		b.err = 1;
	} else {
		buf_str(&b, u.tls ? "https:" : "http:");
		if (ref.n >= 2 && memcmp(ref.p, "//", 2) == 0) {
			buf_slice(&b, ref);
		} else {
			buf_str(&b, "//");
			http_authority(&b, &u);
			resolve_path(&b, slice(u.path), ref);
		}
	}
	buf_text(&b);
	if (!b.err && http_url(&u, buf_view(&b)) == 0)
		return 0;
	if (size)
		out[0] = 0;
	return -1;
}

/*
 * Requests
 */

static int
field_text_ok(const char *s)
{
	for (; *s; s++)
		if (*s < 0x20 || *s > 0x7e)
			return 0;
	return 1;
}

/*
 * A small body goes into the same write as its head, so that a stream that
 * does not buffer sends one packet.
 */
int
http_request(struct http_stream *s, const char *method, const struct http_url *u,
    const char *agent, const char *type, struct slice body)
{
	char mem[4096];
	struct buf b = BUF(mem);

	if (!field_text_ok(agent) || (type && !field_text_ok(type)))
		return -1;
	buf_all(&b, method, " ", u->path, " HTTP/1.1\r\nHost: ", (char *)0);
	http_authority(&b, u);
	buf_all(&b, "\r\nUser-Agent: ", agent, "\r\nAccept-Language: en\r\n", (char *)0);
	if (body.p) {
		buf_all(&b, "Content-Type: ", type, "\r\nContent-Length: ", (char *)0);
		buf_uint(&b, body.n);
		buf_str(&b, "\r\n");
	}
	buf_str(&b, "\r\n");
	if (b.err)
		return -1;
	if (body.p && body.n <= b.cap - b.len) {
		buf_slice(&b, body);
		body.n = 0;
	}
	if (s->write(s->ctx, b.p, b.len))
		return -1;
	return body.p && body.n ? s->write(s->ctx, body.p, body.n) : 0;
}

/*
 * Responses
 */

struct parse {
	struct http_reader *r;
	struct http_response *res;
	struct buf head;	/* res->head; lines under examination at its end */
	enum http_error err;	/* sticky */
	int begun;		/* a byte of the response was read */
	int minor;		/* HTTP/1.minor */
	unsigned fields;
	size_t extensions;
};

static void
stop(struct parse *p, enum http_error err, const char *why)
{
	if (p->err)
		return;
	p->err = err;
	p->res->why = why;
}

/* Makes the reader hold at least one byte: 1, 0 at an orderly end, -1 on error. */
static int
fill(struct parse *p)
{
	struct http_reader *r = p->r;
	long n;

	if (p->err)
		return -1;
	if (r->start < r->end)
		return 1;
	n = r->s->read(r->s->ctx, r->mem, sizeof(r->mem));
	if (n > 0 && (size_t)n <= sizeof(r->mem)) {
		r->start = 0;
		r->end = (size_t)n;
		return 1;
	}
	if (n != -1 && !p->begun)
		stop(p, HTTP_CLOSED, "the server closed the connection");
	if (n == 0)
		return 0;
	stop(p, HTTP_IO, n == -2 ? "the server broke off within a response" :
	    "the connection failed");
	return -1;
}

/* The next byte, or -1. */
static int
take(struct parse *p)
{
	if (fill(p) <= 0) {
		stop(p, HTTP_IO, "the connection ended within a response");
		return -1;
	}
	p->begun = 1;
	return (unsigned char)p->r->mem[p->r->start++];
}

/*
 * Appends the next line to the head: without its CRLF in the result, with it
 * in the head.  Controls but HTAB are refused here for all that is made of lines.
 */
static struct slice
take_line(struct parse *p)
{
	struct slice line = { p->head.p + p->head.len, 0 };
	size_t start = p->head.len;
	int c;

	while ((c = take(p)) >= 0 && c != '\r') {
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			stop(p, HTTP_BAD, c == '\n' ? "bare LF in the response head" :
			    "control character in the response head");
		buf_char(&p->head, c);
		if (p->head.err)
			stop(p, HTTP_LIMIT, "response head larger than 16 KiB");
	}
	if (c == '\r' && (c = take(p)) >= 0 && c != '\n')
		stop(p, HTTP_BAD, "bare CR in the response head");
	line.n = p->head.len - start;
	buf_str(&p->head, "\r\n");
	if (p->head.err)
		stop(p, HTTP_LIMIT, "response head larger than 16 KiB");
	if (p->err)
		line.n = 0;
	return line;
}

/* "HTTP/1.1 200 OK"; the reason, and the space before it, may be missing. */
static void
take_status_line(struct parse *p)
{
	struct slice s = take_line(p);

	if (p->err)
		return;
	if (s.n > MAX_STATUS_LINE) {
		stop(p, HTTP_LIMIT, "status line larger than 1 KiB");
	} else if (s.n < 12 || memcmp(s.p, "HTTP/1.", 7) != 0 ||
	    (s.p[7] != '0' && s.p[7] != '1') || s.p[8] != ' ' ||
	    s.p[9] < '1' || s.p[9] > '5' || !is_digit(s.p[10]) ||
	    !is_digit(s.p[11]) || (s.n > 12 && s.p[12] != ' ')) {
		stop(p, HTTP_BAD, "not an HTTP/1.1 response");
	} else {
		p->minor = s.p[7] - '0';
		p->res->status = (s.p[9] - '0') * 100 + (s.p[10] - '0') * 10 + s.p[11] - '0';
	}
	p->head.len = 0;
}

static int
is_token_char(int c)
{
	return is_alnum(c) || is_one_of(c, "!#$%&'*+-.^_`|~");
}

/* The length of the token at the start of s. */
static size_t
token(struct slice s)
{
	size_t n = 0;

	while (n < s.n && is_token_char(s.p[n]))
		n++;
	return n;
}

/* Field lines up to the empty one; that one is left out of the head. */
static void
take_fields(struct parse *p)
{
	struct slice line;
	size_t n;

	while (line = take_line(p), !p->err && line.n) {
		n = token(line);
		if (line.p[0] == ' ' || line.p[0] == '\t')
			stop(p, HTTP_BAD, "folded header line");
		else if (n == 0 || n == line.n || line.p[n] != ':')
			stop(p, HTTP_BAD, "malformed header line");
		else if (++p->fields > MAX_FIELDS)
			stop(p, HTTP_LIMIT, "more than 100 header lines");
	}
	if (!p->err)
		p->head.len -= 2;
}

static struct slice
trim(struct slice s)
{
	while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = skip(s, 1);
	while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

/* The first element of a comma-separated list without quotes; *list moves behind it. */
static struct slice
list_next(struct slice *list)
{
	struct slice s = *list;

	s.n = span(*list, ",");
	*list = skip(*list, s.n < list->n ? s.n + 1 : s.n);
	return trim(s);
}

/* Whether the connection ends with this response (RFC 9112 9.3). */
static int
must_close(const struct parse *p)
{
	struct slice list;
	unsigned i;

	for (i = 0; list = http_header(p->res, "Connection", i), list.p; i++)
		while (list.n)
			if (slice_is_nocase(list_next(&list), "close"))
				return 1;
	return p->minor == 0;
}

static void
take_bytes(struct parse *p, uint64_t n)
{
	struct http_reader *r = p->r;
	struct buf *body = &p->res->body;
	size_t k;

	if (n > body->cap - body->len)
		stop(p, HTTP_LIMIT, "response body larger than the limit");
	while (n && fill(p) > 0) {
		k = r->end - r->start;
		if (k > n)
			k = (size_t)n;
		buf_mem(body, r->mem + r->start, k);
		r->start += k;
		n -= k;
	}
	if (n)
		stop(p, HTTP_IO, "the connection ended within a response");
}

static void
take_until_close(struct parse *p)
{
	struct http_reader *r = p->r;

	p->res->close = 1;
	while (fill(p) > 0)
		take_bytes(p, r->end - r->start);
}

/* A chunk's size line (RFC 9112 7.1): digits, then nothing or ";extension". */
static uint64_t
take_chunk_size(struct parse *p)
{
	size_t start = p->head.len, i;
	struct slice line = take_line(p);
	uint64_t size = 0;

	for (i = 0; i < line.n && i < MAX_CHUNK_DIGITS && hex_value(line.p[i]) >= 0; i++)
		size = size << 4 | (unsigned)hex_value(line.p[i]);
	if (i == 0 || (i < line.n && line.p[i] != ';'))
		stop(p, HTTP_BAD, "malformed chunk size");
	p->extensions += line.n - i;
	if (p->extensions > MAX_EXTENSIONS)
		stop(p, HTTP_LIMIT, "chunk extensions larger than 16 KiB");
	p->head.len = start;
	return p->err ? 0 : size;
}

static void
take_chunks(struct parse *p)
{
	size_t start = p->head.len;
	uint64_t size;
	int cr;

	while ((size = take_chunk_size(p)) > 0) {
		take_bytes(p, size);
		cr = take(p);
		if (cr != '\r' || take(p) != '\n')
			stop(p, HTTP_BAD, "chunk not ended by CRLF");
	}
	take_fields(p);		/* trailers, ignored */
	p->head.len = start;
}

/* How the body is delimited (RFC 9112 6.3); checked even where there is none. */
static void
take_body(struct parse *p, int none)
{
	struct http_response *res = p->res;
	struct slice te = http_header(res, "Transfer-Encoding", 0);
	struct slice cl = http_header(res, "Content-Length", 0);
	struct slice ce = http_header(res, "Content-Encoding", 0);
	uint64_t length = 0;

	if (te.p && (cl.p || p->minor == 0 || !slice_is_nocase(te, "chunked") ||
	    http_header(res, "Transfer-Encoding", 1).p))
		stop(p, HTTP_BAD, "Transfer-Encoding other than chunked alone");
	if (cl.p && (slice_uint(cl, &length) || http_header(res, "Content-Length", 1).p))
		stop(p, HTTP_BAD, "malformed or repeated Content-Length");
	if (none) {
		/* A 204 that announces a body may well be followed by one. */
		if (res->status == 204 && (te.p || length))
			res->close = 1;
		return;
	}
	if (ce.p && !slice_is_nocase(ce, "identity"))
		stop(p, HTTP_BAD, "Content-Encoding that was not asked for");
	if (te.p)
		take_chunks(p);
	else if (cl.p)
		take_bytes(p, length);
	else
		take_until_close(p);
}

/* Status line and fields of the first response that is not interim. */
static void
take_head(struct parse *p)
{
	unsigned interim;

	for (interim = 0; !p->err; interim++) {
		p->head.len = 0;
		p->fields = 0;
		take_status_line(p);
		take_fields(p);
		if (p->res->status >= 200)
			return;
		if (p->res->status == 101)
			stop(p, HTTP_BAD, "101 Switching Protocols that was not asked for");
		if (interim == MAX_INTERIM)
			stop(p, HTTP_LIMIT, "more than 8 interim responses");
	}
}

enum http_error
http_receive(struct http_reader *r, const char *method, struct http_response *res)
{
	struct parse p;

	memset(&p, 0, sizeof(p));
	p.r = r;
	p.res = res;
	buf_init(&p.head, res->head, sizeof(res->head));
	buf_clear(&res->body);
	res->status = 0;
	res->close = 1;
	res->why = "";
	res->head_len = 0;
	take_head(&p);
	if (!p.err) {
		res->head_len = p.head.len;
		res->close = must_close(&p);
		take_body(&p, res->status == 204 || res->status == 304 ||
		    strcmp(method, "HEAD") == 0);
	}
	if (p.err)
		res->close = 1;
	return p.err;
}

int
http_excess(const struct http_reader *r)
{
	return r->start < r->end;
}

struct slice
http_header(const struct http_response *res, const char *name, unsigned i)
{
	struct slice head = { res->head, res->head_len };
	struct slice line, field, none = { 0, 0 };

	while (head.n) {
		line = field = head;
		line.n = span(head, "\r");
		head = skip(head, line.n + 2);
		field.n = span(line, ":");
		if (slice_is_nocase(field, name) && i-- == 0)
			return trim(skip(line, field.n + 1));
	}
	return none;
}

/*
 * Link fields (RFC 8288 3)
 */

struct link {
	struct slice target, rel;
	int anchored;		/* about another resource than the one asked for */
};

/* A token or quoted string at the start of *s; *s moves behind it.  0 or -1. */
static int
link_value(struct slice *s, struct slice *value)
{
	size_t n;

	*value = *s;
	if (s->n == 0 || s->p[0] != '"') {
		/* Unquoted URIs and media types occur: up to what must end it. */
		value->n = span(*s, ";, \t\"<>");
		*s = skip(*s, value->n);
		return value->n ? 0 : -1;
	}
	for (n = 1; n < s->n && s->p[n] != '"'; n++)
		if (s->p[n] == '\\')
			n++;
	if (n >= s->n)
		return -1;
	value->p++;
	value->n = n - 1;
	*s = skip(*s, n + 1);
	return 0;
}

/* One ";name[=value]" behind its semicolon.  Only the first rel counts. */
static int
link_parameter(struct slice *s, struct link *l)
{
	struct slice name, value = { 0, 0 };

	*s = trim(*s);
	name = *s;
	name.n = token(*s);
	if (name.n == 0)
		return s->n == 0 || s->p[0] == ';' || s->p[0] == ',' ? 0 : -1;
	*s = trim(skip(*s, name.n));
	if (s->n && s->p[0] == '=') {
		*s = trim(skip(*s, 1));
		if (link_value(s, &value))
			return -1;
	}
	if (slice_is_nocase(name, "rel") && !l->rel.p)
		l->rel = value;
	if (slice_is_nocase(name, "anchor"))
		l->anchored = 1;
	return 0;
}

/* The next link-value of a field: 1; 0 none left or malformed from here on. */
static int
link_next(struct slice *s, struct link *l)
{
	memset(l, 0, sizeof(*l));
	while (*s = trim(*s), s->n && s->p[0] == ',')
		*s = skip(*s, 1);
	if (s->n == 0 || s->p[0] != '<')
		return 0;
	l->target = skip(*s, 1);
	l->target.n = span(l->target, ">");
	if (l->target.n + 1 == s->n)
		return 0;
	*s = trim(skip(*s, l->target.n + 2));
	while (s->n && s->p[0] == ';') {
		*s = skip(*s, 1);
		if (link_parameter(s, l))
			return 0;
		*s = trim(*s);
	}
	return s->n == 0 || s->p[0] == ',';
}

static int
has_rel(const struct link *l, const char *rel)
{
	struct slice list = l->rel, one;

	while (list = trim(list), list.n) {
		one = list;
		one.n = span(list, " \t");
		if (slice_is_nocase(one, rel))
			return !l->anchored;
		list = skip(list, one.n);
	}
	return 0;
}

struct slice
http_link(const struct http_response *res, const char *rel, unsigned i)
{
	struct slice field, none = { 0, 0 };
	struct link l;
	unsigned k;

	for (k = 0; field = http_header(res, "Link", k), field.p; k++)
		while (link_next(&field, &l))
			if (has_rel(&l, rel) && i-- == 0)
				return l.target;
	return none;
}
