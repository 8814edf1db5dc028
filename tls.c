/*
 * tls.c - connections to a CA: TCP, CONNECT through a proxy (RFC 9110 9.3.6),
 * TLS 1.2 (RFC 5246) by BearSSL.
 *
 * Sockets do not block; all waiting is done by wait_fd(), so that one deadline
 * and the stop signals end everything.  Invariants: no application byte is
 * written before trust.c has accepted the certificate, be it when the session
 * began that is resumed (BearSSL offers no buffer for one until then); after an
 * error a connection only reports it; the end of TCP without close_notify is
 * never the end of data.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bearssl.h>

#include "base64.h"
#include "dns.h"
#include "http.h"
#include "key.h"
#include "resolve.h"
#include "tls.h"
#include "trust.h"
#include "util.h"

enum { STAGGER = 500 };		/* ms before the next address is tried as well (RFC 8305 5) */

/* A record that is received may have 16 KiB; those that are sent are smaller, to save memory. */
enum { OUT = 4096 + BR_SSL_BUFSIZE_OUTPUT - 16384 };
struct tls {
	int used, fd, broken_off, resumed;
	int64_t deadline;
	struct tls_error error;
	br_ssl_client_context client;
	unsigned char in[BR_SSL_BUFSIZE_INPUT], out[OUT];
};
static struct tls slots[TLS_CONNECTIONS];

/* The text of a failure from the strings up to a null pointer, cut to fit; -1. */
static int
failure(struct tls_error *e, int net, const char *part, ...)
{
	struct buf b = BUF(e->text);
	va_list ap;

	b.cap--;
	e->net = net;
	va_start(ap, part);
	for (; part; part = va_arg(ap, const char *))
		buf_printable(&b, slice(part));
	va_end(ap);
	e->text[b.len] = 0;
	return -1;
}

/* What a wait ended with: 0, or -1 and *e filled. */
static int
waited(enum wait w, struct tls_error *e)
{
	if (w == WAIT_READY)
		return 0;
	e->signal = w == WAIT_SIGNAL;
	return failure(e, 1, e->signal ? "interrupted" : "timed out", (char *)0);
}

/* Waits for events on fd: 0, or -1 and *e filled. */
static int
await(int fd, short events, int64_t deadline, struct tls_error *e)
{
	return waited(wait_fd(fd, events, deadline), e);
}

static int
would_block(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

/*
 * TCP.  Several addresses may be under way at once: the next one is started
 * when all before have failed, or have not answered for a while.
 */

struct addresses {
	unsigned count;
	struct dns_address list[RESOLVE_MAX];
};

/* The last host, for the connections that follow the first. */
static struct {
	char host[LIMIT_NAME + 1], port[6];
	int family;
	struct addresses found;
} known;

static void
forget(void)
{
	known.found.count = 0;
}

/* Makes known.found the addresses of host: 0, or -1 and *e filled. */
static int
resolve(const struct tls_config *config, const char *host, const char *port, int64_t deadline,
    struct tls_error *e)
{
	tls_resolve *ask = config->resolve ? config->resolve : resolve_host;
	char mem[sizeof(e->text)];
	struct buf why = BUF(mem);
	uint64_t number = 0;
	int n;

	if (known.found.count && known.family == config->family &&
	    strcmp(known.host, host) == 0 && strcmp(known.port, port) == 0)
		return 0;
	forget();
	if (slice_copy(slice(host), known.host, sizeof(known.host)) ||
	    slice_copy(slice(port), known.port, sizeof(known.port)) ||
	    slice_uint(slice(port), &number))
		return failure(e, 1, "host name too long", (char *)0);
	known.family = config->family;
	n = ask(known.found.list, host, (unsigned)number, config->family, deadline, &why);
	if (n == -2)
		return waited(WAIT_SIGNAL, e);
	if (n < 0)
		return failure(e, 1, "cannot resolve ", host, ": ", buf_text(&why), (char *)0);
	known.found.count = (unsigned)n;
	return 0;
}

/* A socket that is connecting, or -1 and *err. */
static int
start_connect(const struct dns_address *a, int *err)
{
	int fd = dns_connect(a, SOCK_STREAM), on = 1;

	*err = errno;
	if (fd >= 0)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

/* Drops the attempts that have failed: the index of one that is connected, or -1. */
static int
settle(struct pollfd *p, unsigned n, int *err)
{
	socklen_t len = sizeof(*err);
	unsigned i;

	for (i = 0; i < n; i++) {
		if (p[i].fd < 0 || !p[i].revents)
			continue;
		if (getsockopt(p[i].fd, SOL_SOCKET, SO_ERROR, err, &len) == 0 && *err == 0)
			return (int)i;
		close(p[i].fd);
		p[i].fd = -1;
	}
	return -1;
}

static unsigned
under_way(const struct pollfd *p, unsigned n)
{
	unsigned i, count = 0;

	for (i = 0; i < n; i++)
		count += p[i].fd >= 0;
	return count;
}

/* Connects to one of the addresses: its index, the socket in p[index]; or -1. */
static int
race(const struct addresses *a, struct pollfd *p, int64_t deadline, struct tls_error *e)
{
	unsigned n = 0, before;
	int64_t next = 0, share;
	int won, err = 0;
	enum wait w;

	for (;;) {
		if (n < a->count && now_ms() >= next) {
			share = (deadline - now_ms()) / (a->count - n);
			next = now_ms() + (share < STAGGER ? share : STAGGER);
			p[n].fd = start_connect(&a->list[n], &err);
			p[n].events = POLLOUT;
			if (p[n++].fd < 0)
				next = 0;
			continue;
		}
		before = under_way(p, n);
		if (before == 0)
			return failure(e, 1, strerror(err), (char *)0);
		w = wait_fds(p, n, n < a->count && next < deadline ? next : deadline);
		if ((w != WAIT_TIMEOUT || now_ms() >= deadline) && waited(w, e))
			return -1;
		won = settle(p, n, &err);
		if (won >= 0)
			return won;
		if (under_way(p, n) < before)
			next = 0;
	}
}

/* A connected socket, or -1 and *e filled. */
static int
dial(const struct tls_config *config, const char *host, const char *port, int64_t deadline,
    struct tls_error *e)
{
	struct pollfd p[RESOLVE_MAX];
	struct dns_address first;
	unsigned i;
	int won, fd;

	if (resolve(config, host, port, deadline, e))
		return -1;
	for (i = 0; i < RESOLVE_MAX; i++)
		p[i].fd = -1;
	won = race(&known.found, p, deadline, e);
	fd = won < 0 ? -1 : p[won].fd;
	for (i = 0; i < RESOLVE_MAX; i++)
		if (p[i].fd >= 0 && (int)i != won)
			close(p[i].fd);
	if (won < 0) {
		forget();
		return -1;
	}
	/* The next connection goes to this one at once. */
	first = known.found.list[won];
	known.found.list[won] = known.found.list[0];
	known.found.list[0] = first;
	return fd;
}

/*
 * CONNECT
 */

struct proxy {
	struct http_url url;
	char credentials[256];		/* user:password, "" none */
};

struct raw {
	int fd;
	int64_t deadline;
	struct tls_error *e;
};

static long
raw_read(void *ctx, void *p, size_t n)
{
	struct raw *r = ctx;
	ssize_t got;

	for (;;) {
		got = recv(r->fd, p, n, 0);
		if (got >= 0)
			return got;
		if (!would_block())
			return failure(r->e, 1, strerror(errno), (char *)0);
		if (await(r->fd, POLLIN, r->deadline, r->e))
			return -1;
	}
}

static int
raw_write(void *ctx, const void *p, size_t n)
{
	struct raw *r = ctx;
	const char *c = p;
	ssize_t put;

	while (n) {
		put = send(r->fd, c, n, MSG_NOSIGNAL);
		if (put > 0) {
			c += put;
			n -= (size_t)put;
		} else if (!would_block()) {
			return failure(r->e, 1, strerror(errno), (char *)0);
		} else if (await(r->fd, POLLOUT, r->deadline, r->e)) {
			return -1;
		}
	}
	return 0;
}

static int
hex_digit(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Userinfo (RFC 3986 3.2.1) with its percent escapes undone; no controls. */
static int
read_credentials(struct proxy *p, struct slice s)
{
	struct buf b = BUF(p->credentials);
	int c;

	for (; s.n; s.p++, s.n--) {
		c = (unsigned char)*s.p;
		if (c == '%') {
			if (s.n < 3 || hex_digit(s.p[1]) < 0 || hex_digit(s.p[2]) < 0)
				return -1;
			c = hex_digit(s.p[1]) << 4 | hex_digit(s.p[2]);
			s.p += 2;
			s.n -= 2;
		}
		if (c < 0x20 || c == 0x7f)
			return -1;
		buf_char(&b, c);
	}
	buf_text(&b);
	return b.err ? -1 : 0;
}

/* [http://][user:pass@]host[:port][/]: 0, or -1 and *e filled. */
static int
read_proxy(struct proxy *p, const char *text, struct tls_error *e)
{
	char mem[LIMIT_URL];
	struct buf b = BUF(mem);
	const char *scheme = strstr(text, "://"), *at;
	struct slice userinfo;

	memset(p, 0, sizeof(*p));
	if (scheme && !slice_is_nocase((struct slice){ text, (size_t)(scheme - text) }, "http"))
		return failure(e, 1, "the proxy's URL must start with http:// "
		    "(TLS to the proxy and SOCKS are not supported)", (char *)0);
	if (scheme)
		text = scheme + 3;
	at = strrchr(text, '@');
	if (at) {
		userinfo.p = text;
		userinfo.n = (size_t)(at - text);
		text = at + 1;
		if (read_credentials(p, userinfo))
			return failure(e, 1, "malformed user or password in the proxy's URL", (char *)0);
	}
	buf_all(&b, "http://", text, (char *)0);
	if (b.err || http_url(&p->url, buf_view(&b)) || strcmp(p->url.path, "/") != 0)
		return failure(e, 1, "malformed proxy URL", (char *)0);	/* it may hold a password */
	return 0;
}

static int
write_connect(struct http_stream *s, const struct proxy *p, const char *host, const char *port)
{
	char mem[2048];
	struct buf b = BUF(mem);
	int i, v6 = strchr(host, ':') != 0, e;

	for (i = 0; i < 2; i++)
		buf_all(&b, i ? "Host: " : "CONNECT ", v6 ? "[" : "", host, v6 ? "]" : "",
		    ":", port, i ? "\r\n" : " HTTP/1.1\r\n", (char *)0);
	if (p->credentials[0]) {
		buf_str(&b, "Proxy-Authorization: Basic ");
		base64_encode(&b, p->credentials, strlen(p->credentials));
		buf_str(&b, "\r\n");
	}
	buf_str(&b, "\r\n");
	e = b.err || s->write(s->ctx, b.p, b.len) ? -1 : 0;
	wipe(mem, sizeof(mem));
	return e;
}

/*
 * Asks the proxy at fd for a tunnel.  To this method a 200 has no body (RFC
 * 9110 9.3.6), and the body of a refusal is of no use: read as if for HEAD.
 */
static int
tunnel(int fd, const struct proxy *p, const char *host, const char *port,
    int64_t deadline, struct tls_error *e)
{
	static struct http_response res;
	struct http_reader reader;
	struct raw raw = { fd, deadline, e };
	struct http_stream s = { &raw, raw_read, raw_write, 0 };
	enum http_error err;
	char status[4];

	memset(&reader, 0, sizeof(reader));
	reader.s = &s;
	if (write_connect(&s, p, host, port))
		return -1;
	err = http_receive(&reader, "HEAD", &res);
	if (err == HTTP_IO && e->text[0])
		return -1;
	if (err)
		return failure(e, 1, res.why, (char *)0);
	if (res.status == 407)
		return failure(e, 1, "it wants a user and password, or others (407)", (char *)0);
	if (res.status < 200 || res.status > 299) {
		status[0] = (char)('0' + res.status / 100);
		status[1] = (char)('0' + res.status / 10 % 10);
		status[2] = (char)('0' + res.status % 10);
		status[3] = 0;
		return failure(e, 1, "it refused: HTTP status ", status, (char *)0);
	}
	if (http_excess(&reader))
		return failure(e, 1, "it sent data of its own", (char *)0);
	return 0;
}

/* A socket on which host's server is spoken to, or -1 and *e filled. */
static int
reach(const struct tls_config *config, const char *host, const char *port,
    int64_t deadline, struct tls_error *e)
{
	struct proxy p;
	char why[sizeof(e->text)];
	int fd = -1;

	if (!config->proxy || !config->proxy[0])
		return dial(config, host, port, deadline, e);
	if (read_proxy(&p, config->proxy, e))
		return -1;
	fd = dial(config, p.url.host, p.url.port, deadline, e);
	if (fd >= 0 && tunnel(fd, &p, host, port, deadline, e)) {
		close(fd);
		fd = -1;
	}
	wipe(p.credentials, sizeof(p.credentials));
	if (fd < 0) {
		memcpy(why, e->text, sizeof(why));
		failure(e, 1, "proxy ", p.url.host, ": ", why, (char *)0);
	}
	return fd;
}

/*
 * TLS
 */

/* What can go wrong but with certificates, whose errors trust.c explains. */
static const struct {
	int err;
	const char *text;
} reasons[] = {
	{ BR_ERR_UNSUPPORTED_VERSION, "the server does not speak TLS 1.2" },
	{ BR_ERR_BAD_VERSION, "the server does not speak TLS (or changes its version)" },
	{ BR_ERR_TOO_LARGE, "the server sent too large a record" },
	{ BR_ERR_BAD_MAC, "a record was damaged on its way" },
	{ BR_ERR_NO_RANDOM, "no entropy" },
	{ BR_ERR_UNKNOWN_TYPE, "the server does not speak TLS" },
	{ BR_ERR_UNEXPECTED, "the server sent an unexpected TLS message" },
	{ BR_ERR_BAD_CIPHER_SUITE, "the server chose a cipher suite that was not offered" },
	{ BR_ERR_BAD_SECRENEG, "the server wants to renegotiate insecurely" },
	{ BR_ERR_INVALID_ALGORITHM, "the server chose a curve or hash that was not offered" },
	{ BR_ERR_BAD_SIGNATURE, "the server does not hold its certificate's key (bad signature)" },
	{ BR_ERR_WRONG_KEY_USAGE, "certificate's key may not be used for this" },
	{ BR_ERR_RECV_FATAL_ALERT + 40, "the server refused the handshake (alert 40): it wants "
	    "another TLS version or cipher suite, or Extended Master Secret" },
	{ BR_ERR_RECV_FATAL_ALERT + 70, "the server does not speak TLS 1.2 (alert 70)" },
	{ BR_ERR_RECV_FATAL_ALERT + 71, "the server finds TLS 1.2 as we speak it too weak (alert 71)" },
	{ BR_ERR_RECV_FATAL_ALERT + 80, "the server has an internal error (alert 80)" },
	{ BR_ERR_RECV_FATAL_ALERT + 112, "the server does not know this name (alert 112)" },
};

static int
explain_tls(int err, struct buf *b)
{
	size_t i;

	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (reasons[i].err == err) {
			buf_str(b, reasons[i].text);
			return 0;
		}
	}
	if (err >= BR_ERR_RECV_FATAL_ALERT && err < BR_ERR_SEND_FATAL_ALERT) {
		buf_str(b, "the server sent TLS alert ");
		buf_int(b, err - BR_ERR_RECV_FATAL_ALERT);
	} else {
		buf_str(b, "the server broke the TLS protocol (error ");
		buf_int(b, err);
		buf_char(b, ')');
	}
	return 0;
}

/* The engine has given up. */
static int
explain(struct tls_error *e, int err)
{
	char mem[sizeof(e->text)];
	struct buf b = BUF(mem);
	int clock;

	b.cap--;
	clock = trust_explain(err, &b);
	if (clock < 0)
		clock = explain_tls(err, &b);
	e->clock = clock;
	mem[b.len] = 0;
	return failure(e, 0, mem, (char *)0);
}

/*
 * Hands records that are ready to the kernel, once: 1 progress, 0 it would
 * block, -1 failed.
 */
static int
send_records(struct tls *t)
{
	size_t len;
	unsigned char *p = br_ssl_engine_sendrec_buf(&t->client.eng, &len);
	ssize_t n = send(t->fd, p, len, MSG_NOSIGNAL);

	if (n > 0) {
		br_ssl_engine_sendrec_ack(&t->client.eng, (size_t)n);
		return 1;
	}
	if (n < 0 && would_block())
		return 0;
	t->broken_off = errno == EPIPE || errno == ECONNRESET;
	return failure(&t->error, 1, t->broken_off ?
	    "the server broke off the connection" : strerror(errno), (char *)0);
}

static int
receive_records(struct tls *t)
{
	size_t len;
	unsigned char *p = br_ssl_engine_recvrec_buf(&t->client.eng, &len);
	ssize_t n = recv(t->fd, p, len, 0);

	if (n > 0) {
		br_ssl_engine_recvrec_ack(&t->client.eng, (size_t)n);
		return 1;
	}
	if (n < 0 && would_block())
		return 0;
	t->broken_off = n == 0 || errno == ECONNRESET;
	return failure(&t->error, 1, t->broken_off ?
	    "the server broke off the connection" : strerror(errno), (char *)0);
}

/*
 * Moves records both ways until the engine is in a state of target, or, with
 * target 0, has nothing more to send: 0.  1: the peer has closed in order;
 * -1: t->error tells.  Each round moves at least a byte or waits.
 */
static int
pump(struct tls *t, unsigned target)
{
	br_ssl_engine_context *eng = &t->client.eng;
	unsigned state;
	short events;
	int r, err;

	for (r = 0; r >= 0 && !t->error.text[0]; ) {
		/* A peer that never lets us wait must not keep us for ever. */
		if (r > 0 && now_ms() >= t->deadline)
			return failure(&t->error, 1, "timed out", (char *)0);
		state = br_ssl_engine_current_state(eng);
		if (state & BR_SSL_CLOSED) {
			err = br_ssl_engine_last_error(eng);
			return err == BR_ERR_OK ? 1 : explain(&t->error, err);
		}
		events = 0;
		if (state & BR_SSL_SENDREC) {
			if ((r = send_records(t)) != 0)
				continue;
			events = POLLOUT;
		} else if (target == 0) {
			return 0;
		}
		if (state & target)
			return 0;
		if (state & BR_SSL_RECVREC) {
			if ((r = receive_records(t)) != 0)
				continue;
			events |= POLLIN;
		}
		r = await(t->fd, events, t->deadline, &t->error);
	}
	return -1;
}

/*
 * What every ACME server can do, and nothing that would only add code: ECDHE
 * on P-256, P-384 and, which costs half, X25519; AEAD suites, SHA-256 and SHA-384.
 */
static void
set_algorithms(br_ssl_engine_context *eng)
{
	static const uint16_t suites[] = {
		BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
		BR_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
		BR_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		BR_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
		BR_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	};

	br_ssl_engine_set_versions(eng, BR_TLS12, BR_TLS12);
	br_ssl_engine_set_suites(eng, suites, sizeof(suites) / sizeof(suites[0]));
	br_ssl_engine_set_ec(eng, &br_ec_all_m31);
	br_ssl_engine_set_ecdsa(eng, br_ecdsa_i31_vrfy_asn1);
	br_ssl_engine_set_rsavrfy(eng, br_rsa_pkcs1_vrfy_get_default());
	br_ssl_engine_set_hash(eng, br_sha256_ID, &br_sha256_vtable);
	br_ssl_engine_set_hash(eng, br_sha384_ID, &br_sha384_vtable);
	br_ssl_engine_set_hash(eng, br_sha512_ID, &br_sha512_vtable);
	br_ssl_engine_set_prf_sha256(eng, br_tls12_sha256_prf);
	br_ssl_engine_set_prf_sha384(eng, br_tls12_sha384_prf);
	br_ssl_engine_set_gcm(eng, &br_sslrec_in_gcm_vtable, &br_sslrec_out_gcm_vtable);
	br_ssl_engine_set_aes_ctr(eng, &br_aes_ct_ctr_vtable);
	br_ssl_engine_set_ghash(eng, br_ghash_ctmul);
	br_ssl_engine_set_chapol(eng, &br_sslrec_in_chapol_vtable, &br_sslrec_out_chapol_vtable);
	br_ssl_engine_set_chacha20(eng, br_chacha20_ct_run);
	br_ssl_engine_set_poly1305(eng, br_poly1305_ctmul_run);
	br_ssl_engine_add_flags(eng, BR_OPT_NO_RENEGOTIATION);
}

/*
 * The last session (RFC 5246 7.4.1.2), for further connections to the same host
 * and port, which need neither certificates nor public keys then: whoever has
 * its master secret is the server whose certificate this process has checked, a
 * moment ago, for this name and against the anchors of this file.
 */
static struct {
	char host[LIMIT_NAME + 1], port[6], ca_file[LIMIT_PATH];
	br_ssl_session_parameters parameters;	/* no id: there is none */
} session;

static void
forget_session(void)
{
	wipe(&session, sizeof(session));
}

static int
have_session(const char *ca_file, const char *host, const char *port)
{
	return session.parameters.session_id_len > 0 && strcmp(session.host, host) == 0 &&
	    strcmp(session.port, port) == 0 && strcmp(session.ca_file, ca_file ? ca_file : "") == 0;
}

/* The handshake is done: its session is the last one now.  1 if it was before. */
static int
keep_session(const br_ssl_engine_context *eng, const char *ca_file, const char *host, const char *port)
{
	br_ssl_session_parameters p;
	int same;

	br_ssl_engine_get_session_parameters(eng, &p);
	same = have_session(ca_file, host, port) && p.session_id_len == session.parameters.session_id_len &&
	    memcmp(p.session_id, session.parameters.session_id, p.session_id_len) == 0;
	if (!same) {
		forget_session();
		if (!slice_copy(slice(host), session.host, sizeof(session.host)) &&
		    !slice_copy(slice(port), session.port, sizeof(session.port)) &&
		    !slice_copy(slice(ca_file ? ca_file : ""), session.ca_file, sizeof(session.ca_file)))
			session.parameters = p;
	}
	wipe(&p, sizeof(p));
	return same;
}

/* Sets up the engine for a new connection to host: 0, or -1 and t->error filled. */
static int
start_engine(struct tls *t, const char *ca_file, const char *host, const char *port)
{
	br_ssl_engine_context *eng = &t->client.eng;
	int resume = have_session(ca_file, host, port);
	unsigned char seed[32];

	if (random_bytes(seed, sizeof(seed)))
		return failure(&t->error, 0, "no entropy", (char *)0);
	trust_begin(ca_file, host);
	br_ssl_client_zero(&t->client);
	set_algorithms(eng);
	br_ssl_engine_set_x509(eng, trust_engine());
	br_ssl_engine_set_buffers_bidi(eng, t->in, sizeof(t->in), t->out, sizeof(t->out));
	br_ssl_engine_inject_entropy(eng, seed, sizeof(seed));
	wipe(seed, sizeof(seed));
	if (resume)
		br_ssl_engine_set_session_parameters(eng, &session.parameters);
	if (!br_ssl_client_reset(&t->client, trust_is_address() ? 0 : host, resume))
		return explain(&t->error, br_ssl_engine_last_error(eng));
	return 0;
}

/* Until application data may be sent: 0, or -1 and t->error filled. */
static int
handshake(struct tls *t)
{
	int r = pump(t, BR_SSL_SENDAPP);

	if (r == 0)
		return 0;
	if (r > 0 || t->broken_off)
		failure(&t->error, 1, "the server closed the connection during the TLS handshake", (char *)0);
	return -1;
}

struct tls *
tls_connect(const struct tls_config *config, const char *host, const char *port,
    int64_t deadline, struct tls_error *e)
{
	struct tls *t = slots;

	memset(e, 0, sizeof(*e));
	while (t < slots + TLS_CONNECTIONS && t->used)
		t++;
	if (t == slots + TLS_CONNECTIONS || !host[0] || strlen(host) > LIMIT_NAME) {
		failure(e, 1, host[0] ? "too many connections" : "no host name", (char *)0);
		return 0;
	}
	memset(&t->error, 0, sizeof(t->error));
	t->broken_off = 0;
	t->deadline = deadline;
	t->fd = reach(config, host, port, deadline, e);
	if (t->fd < 0)
		return 0;
	if (start_engine(t, config->ca_file, host, port) || handshake(t)) {
		*e = t->error;
		forget_session();
		tls_close(t);
		return 0;
	}
	t->resumed = keep_session(&t->client.eng, config->ca_file, host, port);
	t->used = 1;
	return t;
}

long
tls_read(void *ctx, void *p, size_t n)
{
	struct tls *t = ctx;
	unsigned char *data;
	size_t len;
	int r = pump(t, BR_SSL_RECVAPP);

	if (r)
		return r > 0 ? 0 : t->broken_off ? -2 : -1;
	data = br_ssl_engine_recvapp_buf(&t->client.eng, &len);
	if (n > len)
		n = len;
	memcpy(p, data, n);
	br_ssl_engine_recvapp_ack(&t->client.eng, n);
	return (long)n;
}

int
tls_write(void *ctx, const void *p, size_t n)
{
	struct tls *t = ctx;
	const unsigned char *c = p;
	unsigned char *room;
	size_t len;
	int r;

	while (n) {
		r = pump(t, BR_SSL_SENDAPP);
		if (r > 0)
			failure(&t->error, 1, "the server closed the connection", (char *)0);
		if (r)
			return -1;
		room = br_ssl_engine_sendapp_buf(&t->client.eng, &len);
		if (len > n)
			len = n;
		memcpy(room, c, len);
		br_ssl_engine_sendapp_ack(&t->client.eng, len);
		c += len;
		n -= len;
	}
	return 0;
}

int
tls_flush(void *ctx)
{
	struct tls *t = ctx;

	br_ssl_engine_flush(&t->client.eng, 0);
	return pump(t, 0) < 0 ? -1 : 0;
}

void
tls_deadline(struct tls *t, int64_t deadline)
{
	t->deadline = deadline;
}

const struct tls_error *
tls_failure(const struct tls *t)
{
	return &t->error;
}

int
tls_resumed(const struct tls *t)
{
	return t->resumed;
}

int
tls_stale(struct tls *t)
{
	char c;

	if (br_ssl_engine_current_state(&t->client.eng) & (BR_SSL_CLOSED | BR_SSL_RECVAPP))
		return 1;
	return recv(t->fd, &c, 1, MSG_PEEK) >= 0 || !would_block();
}

int
tls_await(struct tls *const *t, unsigned n, int64_t deadline)
{
	struct pollfd p[TLS_CONNECTIONS];
	unsigned i;

	for (i = 0; i < n; i++) {
		if (br_ssl_engine_current_state(&t[i]->client.eng) & (BR_SSL_CLOSED | BR_SSL_RECVAPP))
			return (int)i;
		p[i].fd = t[i]->fd;
		p[i].events = POLLIN;
	}
	if (wait_fds(p, n, deadline) != WAIT_READY)
		return -1;
	for (i = 0; i < n && !p[i].revents; i++)
		;
	return i < n ? (int)i : -1;
}

/* close_notify is offered to the kernel, but not waited for. */
void
tls_close(struct tls *t)
{
	if (!t)
		return;
	/* A session ends with a fatal error of any of its connections (RFC 5246 7.2.2). */
	if (br_ssl_engine_last_error(&t->client.eng) != BR_ERR_OK)
		forget_session();
	br_ssl_engine_close(&t->client.eng);
	if (!t->error.text[0] &&
	    (br_ssl_engine_current_state(&t->client.eng) & BR_SSL_SENDREC))
		send_records(t);
	close(t->fd);
	wipe(&t->client, sizeof(t->client));
	t->used = 0;
}
