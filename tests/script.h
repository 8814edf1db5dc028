/*
 * script.h - for unit tests that include a .c file of the talker: a scripted
 * server behind fake tls_ functions.  talk(replies) begins a conversation with
 * it; what it was sent is in heard (request lines) and now_sent (the last one).
 */
#include "../acme.h"
#include "../http.h"
#include "../tls.h"

struct tls {
	int open;
};
static struct tls the_tls;
static struct tls_error the_error;
static const char *const *script;	/* replies; "!" closes before a byte, "" ends the script */
static char heard[64 * 1024];		/* request lines, '\n' separated */
static size_t heard_len;
static char now_sent[LIMIT_REQUEST + 4096];
static size_t sent_len;
static int connects;

struct tls *
tls_connect(const struct tls_config *config, const char *host, const char *port,
    int64_t deadline, struct tls_error *e)
{
	(void)config; (void)host; (void)port; (void)deadline; (void)e;
	connects++;
	the_tls.open = 1;
	return &the_tls;
}

long
tls_read(void *t, void *p, size_t n)
{
	static const char *rest;
	static size_t left;
	size_t k;

	(void)t;
	if (!left) {
		if (sent_len == 0 || !*script || (*script)[0] == '!') {
			if (*script && (*script)[0] == '!')
				script++;
			sent_len = 0;
			return 0;
		}
		sent_len = 0;
		rest = *script++;
		left = strlen(rest);
	}
	k = left < n ? left : n;
	memcpy(p, rest, k);
	rest += k;
	left -= k;
	return (long)k;
}

int
tls_write(void *t, const void *p, size_t n)
{
	(void)t;
	if (sent_len + n < sizeof(now_sent)) {
		memcpy(now_sent + sent_len, p, n);
		sent_len += n;
	}
	return 0;
}

int
tls_flush(void *t)
{
	size_t n = 0;

	(void)t;
	while (n < sent_len && now_sent[n] != '\r')
		n++;
	if (heard_len + n + 2 < sizeof(heard)) {
		memcpy(heard + heard_len, now_sent, n);
		heard_len += n;
		heard[heard_len++] = '\n';
		heard[heard_len] = 0;
	}
	return 0;
}

void tls_deadline(struct tls *t, int64_t deadline) { (void)t; (void)deadline; }
const struct tls_error *tls_failure(const struct tls *t) { (void)t; return &the_error; }
int tls_stale(struct tls *t) { (void)t; return 0; }
void tls_close(struct tls *t) { if (t) t->open = 0; }

static int
test_sign(void *ctx, enum acme_kind kind, const char *url, const char *nonce, struct buf *body)
{
	(void)ctx; (void)kind;
	buf_all(body, "{\"url\":\"", url, "\",\"nonce\":\"", nonce, "\"}", (char *)0);
	return 0;
}

static void
start(const char *const *replies)
{
	script = replies;
	heard_len = sent_len = 0;
	heard[0] = 0;
	connects = 0;
}

#define N "Replay-Nonce: abc\r\n"
#define NONCE "HTTP/1.1 200 OK\r\n" N "\r\n"

static const struct acme_config config = { 0, "test", 5, test_sign, 0, 0, 0 };

/* A reply with a Content-Length computed. */
static const char *
reply(const char *status, const char *headers, const char *body)
{
	static char mem[32][8192];
	static int next;
	char *m = mem[next++ % 32];

	snprintf(m, sizeof(mem[0]), "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n%s",
	    status, headers, strlen(body), body);
	return m;
}

/* An open conversation with a cached directory; the script follows. */
static void
talk(const char *const *replies)
{
	static struct acme_directory d;
	int i;

	memset(&d, 0, sizeof(d));
	for (i = 0; i < EP_COUNT; i++)
		snprintf(d.url[i], LIMIT_URL, "https://ca/%s", acme_endpoint_name[i]);
	start(replies);
	acme_open(&config, "https://ca/dir", &d);
}
