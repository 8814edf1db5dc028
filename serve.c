/*
 * serve.c - answers validation requests: http-01 (RFC 8555 8.3) by a request
 * line of HTTP/1.1 (RFC 9112) and a fixed reply, tls-alpn-01 (RFC 8737, 8738)
 * by a TLS 1.2 handshake and nothing after it.
 *
 * Invariants.  What a peer says becomes a file name only after its bytes
 * were checked, relative to one directory, and only regular files are read.
 * No call waits for one peer.  A peer that does nothing is closed in time, and
 * gives way earlier when all connections are in use.
 */
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <bearssl.h>

#include "asn1.h"
#include "base64.h"
#include "key.h"
#include "keyinfo.h"
#include "serve.h"
#include "util.h"

enum {
	CONNECTIONS = 16,
	LISTENERS = 2,
	CONNECTION_MS = 10 * 1000,
	LINGER_MS = 2 * 1000,	/* for the peer to take all and close */
	EVICT_MS = 2 * 1000,	/* older ones give way when all are in use */
	STEPS = 32,		/* of one connection before the others have their turn */
	REQUEST = 8 * 1024,
	CERTIFICATE = 1024
};

static const char hex[] = "0123456789abcdef";

/* 1 to max lower-case letters, digits and bytes of extra; with big, upper case too. */
static int
alphabet(struct slice s, size_t max, int big, const char *extra)
{
	size_t i;

	if (s.n == 0 || s.n > max)
		return 0;
	for (i = 0; i < s.n; i++) {
		int c = (unsigned char)s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		    (big && c >= 'A' && c <= 'Z') || (c && strchr(extra, c))))
			return 0;
	}
	return 1;
}

int
serve_is_token(struct slice s)
{
	return alphabet(s, LIMIT_TOKEN, 1, "-_");
}

int
serve_is_ident(struct slice s)
{
	/* the first byte no dot: neither . nor .. nor what is being written */
	return alphabet(s, LIMIT_NAME, 0, "-_.:") && s.p[0] != '.';
}

int
serve_alpn_entry(struct slice text, unsigned char digest[32], unsigned char ip[16])
{
	struct buf b;
	struct slice head = { text.p, 43 };
	size_t i, n;

	buf_init(&b, digest, 32);
	if (text.n < 43 || base64url_decode(&b, head) < 0 || b.len != 32)
		return -1;
	n = text.n - 43;
	if (n != 0 && n != 8 && n != 32)
		return -1;
	memset(ip, 0, 16);
	for (i = 0; i < n; i++) {
		const char *at = strchr(hex, text.p[43 + i]);

		if (!at || !*at)
			return -1;
		ip[i / 2] = (unsigned char)(ip[i / 2] << 4 | (at - hex));
	}
	return (int)(n / 2);
}

int
serve_entry(int dir, const char *path, char text[SERVE_ENTRY + 1])
{
	/* O_NONBLOCK: whatever lies there, opening it must not wait */
	int fd = openat(dir, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	ssize_t n = -1;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= SERVE_ENTRY)
		n = read(fd, text, SERVE_ENTRY);
	close(fd);
	if (n <= 0)
		return -1;
	text[n] = 0;
	return (int)n;
}

/* ---- http-01 ---- */

enum stage { RECEIVING, SENDING, LINGERING };

struct connection {
	int fd;			/* 0: not in use (0 is /dev/null): memory never used stays untouched */
	enum stage stage;
	short events;		/* what is waited for */
	int closing;		/* close_notify has been made */
	int64_t since, deadline;
	size_t len, sent;
	unsigned char mem[REQUEST];	/* a request, then its reply; or TLS records */
	/* tls-alpn-01; policy's address is how the engine's callbacks find this */
	const br_ssl_server_policy_class *policy;
	br_ssl_server_context ssl;
	br_x509_certificate chain;
	char certificate[CERTIFICATE];
};

/* One process serves one directory; what is untouched of these costs nothing. */
static struct connection connections[CONNECTIONS];
static int directory, is_tls, listeners[LISTENERS];
static struct key key;		/* of all certificates: made at start, never stored */

static int
skip(struct slice *s, const char *text)
{
	size_t n = strlen(text);

	if (s->n < n || memcmp(s->p, text, n) != 0)
		return 0;
	s->p += n;
	s->n -= n;
	return 1;
}

/* Whether the bytes at mem hold a whole request head. */
static int
request_whole(const unsigned char *mem, size_t n)
{
	size_t i;

	for (i = 1; i < n; i++)
		if (mem[i] == '\n' && (mem[i - 1] == '\n' ||
		    (mem[i - 1] == '\r' && i >= 2 && mem[i - 2] == '\n')))
			return 1;
	return 0;
}

/* The token that a request wants (RFC 9112 3); empty if something else. */
static struct slice
request_token(struct slice head, int *head_only)
{
	static const struct slice none = { "", 0 };
	struct slice line = slice_cut(&head, '\n'), method, target;

	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	method = slice_cut(&line, ' ');
	target = slice_cut(&line, ' ');
	*head_only = slice_is(method, "HEAD");
	if (!*head_only && !slice_is(method, "GET"))
		return none;
	if (!skip(&line, "HTTP/1.") || line.n != 1)
		return none;
	if (skip(&target, "http://")) {		/* the absolute form: any host */
		slice_cut(&target, '/');
		if (!skip(&target, ".well-known/acme-challenge/"))
			return none;
	} else if (!skip(&target, "/.well-known/acme-challenge/")) {
		return none;
	}
	return serve_is_token(target) ? target : none;
}

static void
reply(struct connection *c)
{
	struct slice head = { (const char *)c->mem, c->len }, token;
	char name[LIMIT_TOKEN + 1], text[SERVE_ENTRY + 1];
	struct buf b;
	int head_only, n = -1;

	token = request_token(head, &head_only);
	if (token.n && slice_copy(token, name, sizeof(name)) == 0)
		n = serve_entry(directory, name, text);
	buf_init(&b, c->mem, sizeof(c->mem));
	buf_all(&b, "HTTP/1.1 ", n < 0 ? "404 Not Found" : "200 OK",
	    n < 0 ? "" : "\r\nContent-Type: application/octet-stream",
	    "\r\nConnection: close\r\nContent-Length: ", (char *)0);
	buf_uint(&b, n < 0 ? 0 : (uint64_t)n);
	buf_str(&b, "\r\n\r\n");
	if (n > 0 && !head_only)
		buf_mem(&b, text, (size_t)n);
	c->len = b.len;
	c->sent = 0;
	c->stage = SENDING;
	c->events = POLLOUT;
}

/* The steps below: 1 go on, 0 wait for c->events, -1 close. */
static int
blocked(struct connection *c, ssize_t r, short events)
{
	c->events = events;
	return r < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) ? 0 : -1;
}

/* All is sent: the peer closes, or a reset could destroy what it has not read. */
static int
linger(struct connection *c)
{
	int64_t deadline = now_ms() + LINGER_MS;

	shutdown(c->fd, SHUT_WR);
	c->stage = LINGERING;
	c->events = POLLIN;
	if (deadline < c->deadline)
		c->deadline = deadline;
	return 1;
}

static int
http_step(struct connection *c)
{
	ssize_t r;

	if (c->stage == RECEIVING) {
		r = recv(c->fd, c->mem + c->len, sizeof(c->mem) - c->len, 0);
		if (r <= 0)
			return blocked(c, r, POLLIN);
		c->len += (size_t)r;
		if (c->len == sizeof(c->mem) || request_whole(c->mem, c->len))
			reply(c);
		return 1;
	}
	r = send(c->fd, c->mem + c->sent, c->len - c->sent, MSG_NOSIGNAL);
	if (r <= 0)
		return blocked(c, r, POLLOUT);
	c->sent += (size_t)r;
	return c->sent == c->len ? linger(c) : 1;
}

/* ---- tls-alpn-01 ---- */

enum { ECDSA_SHA256 = 0x0403 };		/* SignatureAndHashAlgorithm (RFC 5246 7.4.1.4.1) */

/* The certificate for the server name that the client sent: 0 or -1. */
static int
certificate(struct connection *c, const char *server_name)
{
	char name[LIMIT_NAME + 1], text[SERVE_ENTRY + 1];
	unsigned char digest[32], ip[16];
	struct buf b = BUF(c->certificate);
	struct slice content = { text, 0 };
	struct san san;
	struct pk pk;
	size_t i;
	int n;

	if (slice_copy(slice(server_name), name, sizeof(name)) < 0)
		return -1;
	for (i = 0; name[i]; i++)
		if (name[i] >= 'A' && name[i] <= 'Z')
			name[i] = (char)(name[i] + 'a' - 'A');
	if (!serve_is_ident(slice(name)) || (n = serve_entry(directory, name, text)) < 0)
		return -1;
	content.n = (size_t)n;
	n = serve_alpn_entry(content, digest, ip);
	if (n < 0)
		return -1;
	san.ip = n > 0;
	san.s.p = n > 0 ? (const char *)ip : name;
	san.s.n = n > 0 ? (size_t)n : strlen(name);
	key_public(&key, &pk);
	if (alpn_cert_write(&b, &pk, &san, digest, now_wall() - 86400,
	    now_wall() + 7 * 86400, key_sign_der, &key) < 0 || b.err)
		return -1;
	c->chain.data = (unsigned char *)c->certificate;
	c->chain.data_len = b.len;
	return 0;
}

static struct connection *
connection_of(const br_ssl_server_policy_class **policy)
{
	return (struct connection *)(void *)((char *)policy - offsetof(struct connection, policy));
}

/* Only who offers acme-tls/1 and names a host that is being validated is served. */
static int
policy_choose(const br_ssl_server_policy_class **policy,
    const br_ssl_server_context *ssl, br_ssl_server_choices *choices)
{
	struct connection *c = connection_of(policy);
	const br_suite_translated *suites;
	size_t n;

	suites = br_ssl_server_get_client_suites(ssl, &n);
	if (n == 0 || !br_ssl_engine_get_selected_protocol(&c->ssl.eng) ||
	    !(br_ssl_server_get_client_hashes(ssl) >> 8 & 1u << br_sha256_ID) ||
	    certificate(c, br_ssl_engine_get_server_name(&ssl->eng)) < 0)
		return 0;
	choices->cipher_suite = suites[0][0];
	choices->algo_id = ECDSA_SHA256;
	choices->chain = &c->chain;
	choices->chain_len = 1;
	return 1;
}

/* No suite that is offered needs a key exchange with the certificate's key. */
static uint32_t
policy_keyx(const br_ssl_server_policy_class **policy, unsigned char *data, size_t *len)
{
	(void)policy;
	(void)data;
	(void)len;
	return 0;
}

static size_t
policy_sign(const br_ssl_server_policy_class **policy, unsigned algo,
    unsigned char *data, size_t n, size_t size)
{
	char mem[128];
	struct buf sig = BUF(mem);

	(void)policy;
	if (algo != ECDSA_SHA256 || key_sign_der(&key, data, n, &sig) < 0 ||
	    sig.err || sig.len > size)
		return 0;
	memcpy(data, mem, sig.len);
	return sig.len;
}

static const br_ssl_server_policy_class policy_class = {
	sizeof(br_ssl_server_policy_class *), policy_choose, policy_keyx, policy_sign
};

static int
tls_start(struct connection *c)
{
	static const char *protocols[] = { "acme-tls/1" };
	static const uint16_t suites[] = {
		BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
		BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
	};
	br_ssl_engine_context *e = &c->ssl.eng;
	unsigned char seed[32];

	if (random_bytes(seed, sizeof(seed)) < 0)
		return -1;
	br_ssl_server_zero(&c->ssl);
	br_ssl_engine_set_versions(e, BR_TLS12, BR_TLS12);
	br_ssl_engine_set_suites(e, suites, sizeof(suites) / sizeof(*suites));
	br_ssl_engine_set_ec(e, &br_ec_all_m31);
	br_ssl_engine_set_hash(e, br_sha256_ID, &br_sha256_vtable);
	br_ssl_engine_set_prf_sha256(e, br_tls12_sha256_prf);
	/* the same implementations as in tls.c, so that no further ones are linked */
	br_ssl_engine_set_gcm(e, &br_sslrec_in_gcm_vtable, &br_sslrec_out_gcm_vtable);
	br_ssl_engine_set_aes_ctr(e, &br_aes_ct_ctr_vtable);
	br_ssl_engine_set_ghash(e, br_ghash_ctmul);
	br_ssl_engine_set_chapol(e, &br_sslrec_in_chapol_vtable, &br_sslrec_out_chapol_vtable);
	br_ssl_engine_set_chacha20(e, br_chacha20_ct_run);
	br_ssl_engine_set_poly1305(e, br_poly1305_ctmul_run);
	br_ssl_engine_set_protocol_names(e, protocols, 1);
	br_ssl_engine_set_all_flags(e, BR_OPT_FAIL_ON_ALPN_MISMATCH | BR_OPT_NO_RENEGOTIATION);
	c->policy = &policy_class;
	br_ssl_server_set_policy(&c->ssl, &c->policy);
	br_ssl_engine_set_buffer(e, c->mem, sizeof(c->mem), 0);
	br_ssl_engine_inject_entropy(e, seed, sizeof(seed));
	wipe(seed, sizeof(seed));
	return br_ssl_server_reset(&c->ssl) ? 0 : -1;
}

/* A handshake, and nothing after it (RFC 8737 3). */
static int
tls_step(struct connection *c)
{
	br_ssl_engine_context *e = &c->ssl.eng;
	unsigned state = br_ssl_engine_current_state(e);
	unsigned char *p;
	size_t n;
	ssize_t r;

	if (state & BR_SSL_SENDREC) {
		p = br_ssl_engine_sendrec_buf(e, &n);
		r = send(c->fd, p, n, MSG_NOSIGNAL);
		if (r <= 0)
			return blocked(c, r, POLLOUT);
		br_ssl_engine_sendrec_ack(e, (size_t)r);
		return 1;
	}
	if (c->closing || (state & BR_SSL_CLOSED))
		return linger(c);
	if (state & BR_SSL_SENDAPP) {
		c->closing = 1;
		br_ssl_engine_close(e);
		return 1;
	}
	if (!(state & BR_SSL_RECVREC))
		return -1;
	p = br_ssl_engine_recvrec_buf(e, &n);
	r = recv(c->fd, p, n, 0);
	if (r <= 0)
		return blocked(c, r, POLLIN);
	br_ssl_engine_recvrec_ack(e, (size_t)r);
	return 1;
}

/* ---- connections ---- */

static void
connection_close(struct connection *c)
{
	if (c->fd)
		close(c->fd);
	c->fd = 0;
}

/* What comes after the last byte was sent is of no interest. */
static int
linger_step(struct connection *c)
{
	ssize_t r = recv(c->fd, c->mem, sizeof(c->mem), 0);

	return r > 0 ? 1 : blocked(c, r, POLLIN);
}

static void
connection_run(struct connection *c)
{
	int steps = STEPS, more = 1;

	while (more > 0 && steps-- > 0)
		more = c->stage == LINGERING ? linger_step(c) :
		    is_tls ? tls_step(c) : http_step(c);
	if (more > 0)
		c->events = POLLIN | POLLOUT;
	else if (more < 0)
		connection_close(c);
}

/* One that is free, or else the oldest, if it has had some time; or 0. */
static struct connection *
connection_free(int64_t now)
{
	struct connection *c, *oldest = connections;

	for (c = connections; c < connections + CONNECTIONS; c++) {
		if (!c->fd)
			return c;
		if (c->since < oldest->since)
			oldest = c;
	}
	return now - oldest->since >= EVICT_MS ? oldest : 0;
}

static int
nonblocking(int fd)
{
	return fcntl(fd, F_SETFL, O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ? -1 : 0;
}

static void
connection_accept(int listener, int64_t now)
{
	struct connection *c = connection_free(now);
	int fd;

	if (!c || (fd = accept(listener, 0, 0)) < 0)
		return;
	connection_close(c);
	c->fd = fd;
	c->stage = RECEIVING;
	c->events = POLLIN;
	c->closing = 0;
	c->len = 0;
	c->since = now;
	c->deadline = now + CONNECTION_MS;
	if (nonblocking(fd) < 0 || (is_tls && tls_start(c) < 0))
		connection_close(c);
}

static int
listen_at(int family, const unsigned char *ip, uint16_t port)
{
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} a;
	socklen_t size = family == AF_INET ? sizeof(a.in) : sizeof(a.in6);
	int fd = socket(family, SOCK_STREAM, 0), on = 1, saved;

	if (fd < 0)
		return -1;
	memset(&a, 0, sizeof(a));
	a.any.sa_family = (sa_family_t)family;
	if (family == AF_INET) {
		a.in.sin_port = htons(port);
		if (ip)
			memcpy(&a.in.sin_addr, ip, 4);
	} else {
		a.in6.sin6_port = htons(port);
		if (ip)
			memcpy(&a.in6.sin6_addr, ip, 16);
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	}
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, &a.any, size) == 0 && listen(fd, 64) == 0 && nonblocking(fd) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

int
serve_key(void)
{
	return key_generate(&key, KEY_EC256);
}

int
serve_open(int dir, int tls, int family, const unsigned char *ip, uint16_t port)
{
	static const int families[LISTENERS] = { AF_INET6, AF_INET };
	int i, saved = EAFNOSUPPORT, open = 0, failed = 0;

	directory = dir;
	is_tls = tls;
	for (i = 0; i < LISTENERS; i++) {
		listeners[i] = -1;
		if (family && family != families[i])
			continue;
		listeners[i] = listen_at(families[i], family ? ip : 0, port);
		if (listeners[i] >= 0) {
			open++;
		} else {
			saved = errno;
			/* this machine may have only one family; nothing else may fail */
			failed += saved != EAFNOSUPPORT && saved != EADDRNOTAVAIL;
		}
	}
	if (open && !failed)
		return 0;
	serve_close();
	errno = saved;
	return -1;
}

void
serve_close(void)
{
	int i;

	for (i = 0; i < LISTENERS; i++)
		if (listeners[i] >= 0)
			close(listeners[i]);
	for (i = 0; i < CONNECTIONS; i++)
		connection_close(&connections[i]);
	wipe(&key, sizeof(key));
}

void
serve_turn(int milliseconds)
{
	struct pollfd polled[LISTENERS + CONNECTIONS], *p = polled + LISTENERS;
	int64_t now = now_ms();
	int i, room = connection_free(now) != 0;

	for (i = 0; i < LISTENERS; i++) {
		polled[i].fd = room ? listeners[i] : -1;
		polled[i].events = POLLIN;
	}
	for (i = 0; i < CONNECTIONS; i++) {
		p[i].fd = connections[i].fd ? connections[i].fd : -1;
		p[i].events = connections[i].events;
	}
	if (poll(polled, LISTENERS + CONNECTIONS, milliseconds) < 0)
		return;
	now = now_ms();
	for (i = 0; i < CONNECTIONS; i++) {
		if (connections[i].fd && p[i].revents)
			connection_run(&connections[i]);
		if (connections[i].fd && now >= connections[i].deadline)
			connection_close(&connections[i]);
	}
	for (i = 0; i < LISTENERS; i++)
		if (polled[i].fd >= 0 && polled[i].revents)
			connection_accept(listeners[i], now);
}
