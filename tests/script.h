/*
 * script.h - for unit tests that include a .c file of the talker: a scripted
 * server behind fake tls_ functions.  scripted(replies) begins a conversation with
 * it; what it was sent is in heard (request lines) and now_sent (the last flight).
 */
#include <stdlib.h>

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
static const char *rest;		/* of the reply under way */
static unsigned unanswered_requests;	/* that were sent */
static int connects;

struct tls *
tls_connect(const struct tls_config *config, const char *host, const char *port,
    int64_t deadline, struct tls_error *e)
{
	(void)config; (void)host; (void)port; (void)deadline; (void)e;
	connects++;
	unanswered_requests = 0;
	rest = "";
	the_tls.open = 1;
	return &the_tls;
}

/* One read gives what is left of one reply, as if each came in a packet of its own. */
long
tls_read(void *t, void *p, size_t n)
{
	size_t k;

	(void)t;
	sent_len = 0;
	if (!*rest) {
		if (!unanswered_requests || !*script || (*script)[0] == '!') {
			if (*script && (*script)[0] == '!')
				script++;
			return 0;
		}
		unanswered_requests--;
		rest = *script++;
	}
	k = strlen(rest);
	if (k > n)
		k = n;
	memcpy(p, rest, k);
	rest += k;
	return (long)k;
}

int
tls_write(void *t, const void *p, size_t n)
{
	(void)t;
	if (sent_len + n < sizeof(now_sent)) {
		memcpy(now_sent + sent_len, p, n);
		sent_len += n;
		now_sent[sent_len] = 0;
	}
	return 0;
}

/* Hears the requests of a flight. */
int
tls_flush(void *t)
{
	const char *s, *end, *length;

	(void)t;
	for (s = now_sent; s < now_sent + sent_len; s = end) {
		end = strstr(s, "\r\n\r\n");
		if (!end)
			break;
		end += 4;
		length = strstr(s, "Content-Length: ");
		if (length && length < end)
			end += atoi(length + 16);
		heard_len += (size_t)snprintf(heard + heard_len, sizeof(heard) - heard_len, "%.*s\n",
		    (int)strcspn(s, "\r"), s);
		unanswered_requests++;
	}
	return 0;
}

/* 1 if a reply would come without waiting: the rest of one, but not another. */
int
tls_await(struct tls *const *t, unsigned n, int64_t deadline)
{
	(void)t; (void)n;
	return *rest || deadline > 0 ? 0 : -1;
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
	unanswered_requests = 0;
	rest = "";
	heard[0] = 0;
	connects = 0;
}

#define N "Replay-Nonce: abc\r\n"
#define NONCE "HTTP/1.1 200 OK\r\n" N "\r\n"

static const struct acme_config config = { 0, "test", 5, 0, 0, 0, test_sign, 0, 0, 0 };

/* A reply with a Content-Length computed. */
static inline const char *
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
scripted(const char *const *replies)
{
	static struct acme_directory d;
	int i;

	memset(&d, 0, sizeof(d));
	for (i = 0; i < EP_COUNT; i++)
		snprintf(d.url[i], LIMIT_URL, "https://ca/%s", acme_endpoint_name[i]);
	start(replies);
	acme_open(&config, "https://ca/dir", &d);
}
