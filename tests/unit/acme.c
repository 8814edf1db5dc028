/* acme.c against a scripted server: fake tls_ functions, replies from a table. */
#include "../tap.h"


#include "../../acme.c"

#include "../../tls.h"

enum { NONCE_TRIES = 10 };	/* of talk.c */

/* --- the script --- */

struct tls {
	int open;
};
static struct tls the_tls;
static struct tls_error the_error;
static const char *const *script;	/* replies; "!" closes before a byte, "" ends the script */
static size_t at;
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
	at = 0;
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

static const char *
directory(void)
{
	return reply("200 OK", "", "{\"newNonce\":\"https://ca/nonce\",\"newAccount\":\"/acct\","
	    "\"newOrder\":\"https://ca/order\",\"revokeCert\":\"https://ca/revoke\",\"odd\":[1,{}],"
	    "\"meta\":{\"termsOfService\":\"https://ca/terms\",\"caaIdentities\":[\"a.example\",\"b\"],"
	    "\"profiles\":{\"p1\":\"one\",\"p2\":\"two\"},\"externalAccountRequired\":true}}");
}

static void
opens_a_directory(void)
{
	const char *s[] = { directory(), 0 };
	int fetched;

	start(s);
	ok(acme_open(&config, "https://ca/dir", 0) == 0, "a directory is fetched");
	is_str(acme_directory(&fetched)->url[EP_NEW_ACCOUNT], "https://ca/acct", "a relative URL is resolved");
	ok(fetched, "it says that it was fetched");
	is_str(acme_directory(0)->profiles, "p1 p2", "profile names are listed");
	is_str(acme_directory(0)->caa, "a.example b", "CAA identities are listed");
	is_str(acme_directory(0)->terms, "https://ca/terms", "terms are kept");
	ok(acme_directory(0)->external_account_required, "EAB need is seen");
	is_str(heard, "GET /dir HTTP/1.1\n", "one GET");
}

static void
refuses_directories(void)
{
	static const struct {
		const char *body, *name;
		int status;
	} bad[] = {
		{ "{}", "an empty directory", ST_PROTO },
		{ "[]", "an array", ST_PROTO },
		{ "", "an empty reply", ST_PROTO },
		{ "<html>login</html>", "a captive portal", ST_PROTO },
		{ "{\"newNonce\":\"http://ca/n\",\"newAccount\":\"/a\",\"newOrder\":\"/o\"}", "plain http", ST_PROTO },
		{ "{\"newNonce\":\"file:///n\",\"newAccount\":\"/a\",\"newOrder\":\"/o\"}", "file URLs", ST_PROTO },
		{ "{\"newNonce\":\"javascript:x\",\"newAccount\":\"/a\",\"newOrder\":\"/o\"}", "odd schemes", ST_PROTO },
		{ "{\"newNonce\":7,\"newAccount\":\"/a\",\"newOrder\":\"/o\"}", "a number for a URL", ST_PROTO },
		{ "{\"newNonce\":\"/n\",\"newAccount\":\"/a\",\"newOrder\":null}", "a null URL", ST_PROTO },
		{ "{\"newNonce\":\"/n\",\"newNonce\":\"/n\",\"newAccount\":\"/a\",\"newOrder\":\"/o\"}", "a duplicate key", ST_PROTO },
	};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		const char *s[] = { reply("200 OK", "", bad[i].body), 0 };

		start(s);
		ok(acme_open(&config, "https://ca/dir", 0) == -1 &&
		    acme_why()->status == bad[i].status, bad[i].name);
	}
	ok(acme_open(&config, "http://ca/dir", 0) == -1, "a plain http directory URL is refused");
}

static void
follows_one_redirect(void)
{
	const char *s[] = { reply("301 Moved", "Location: /other\r\n", ""), directory(), 0 };
	const char *t[] = { reply("301 Moved", "Location: https://else/other\r\n", ""), directory(), 0 };
	const char *u[] = { reply("301 Moved", "Location: /other\r\n", ""),
	    reply("301 Moved", "Location: /third\r\n", ""), directory(), 0 };

	start(s);
	ok(acme_open(&config, "https://ca/dir", 0) == 0, "a same-host redirect of a GET is followed");
	start(t);
	ok(acme_open(&config, "https://ca/dir", 0) == -1 && acme_why()->status == ST_PROTO,
	    "one to another host is not");
	start(u);
	ok(acme_open(&config, "https://ca/dir", 0) == -1 && acme_why()->status == ST_PROTO,
	    "a second one is not");
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

static struct acme_account account;
static struct acme_order order;

static void
makes_an_account(void)
{
	const char *s[] = { NONCE, reply("201 Created", N "Location: /acct/1\r\n",
	    "{\"status\":\"valid\",\"contact\":[\"mailto:a@b\"],\"orders\":null}"), 0 };
	const char *t[] = { NONCE, reply("200 OK", N, "{\"status\":\"valid\"}"), 0 };

	talk(s);
	ok(acme_new_account(&account) == 0 && account.created, "a new account");
	is_str(account.url, "https://ca/acct/1", "its URL is from Location");
	is_str(account.contact, "mailto:a@b", "its contact");
	is_str(heard, "HEAD /newNonce HTTP/1.1\nPOST /newAccount HTTP/1.1\n", "no directory is fetched with a cached one");
	ok(connects == 1, "one connection");
	talk(t);
	ok(acme_new_account(&account) == -1 && acme_why()->status == ST_PROTO,
	    "no Location is a fault of the protocol");
}

static void
judges_problems(void)
{
	static const struct {
		const char *status, *headers, *body;
		int class;
		const char *type, *text, *name;
	} t[] = {
		{ "403 Forbidden", N, "{\"type\":\"urn:ietf:params:acme:error:unauthorized\",\"detail\":\"no\"}",
		  ST_REFUSED, "unauthorized", "new account: unauthorized: no (HTTP 403)", "a problem document" },
		{ "400 Bad", N, "{\"type\":\"malformed\",\"detail\":\"x\\ny\\u001b[2J\"}",
		  ST_REFUSED, "malformed", "malformed: x\\x0ay\\x1b[2J", "a bare type, control bytes" },
		{ "400 Bad", N, "{\"detail\":\"only\"}", ST_REFUSED, "", "new account: only (HTTP 400)", "no type" },
		{ "400 Bad", N, "\"a string\"", ST_REFUSED, "", "a string", "a JSON string" },
		{ "405 Not Allowed", N, "", ST_REFUSED, "", "new account: (HTTP 405)", "an empty body" },
		{ "502 Bad Gateway", "Retry-After: 86400\r\n", "<html>\r\n", ST_LATER, "", "<html>", "HTML, a day to wait" },
		{ "403 Forbidden", N, "{\"message\":\"Missing Authentication Token\"}",
		  ST_REFUSED, "", "Missing Authentication Token", "a message member" },
		{ "429 Too Many", N "Retry-After: 99999999999999999999\r\n", "{\"type\":\"urn:ietf:params:acme:error:rateLimited\",\"detail\":\"d\"}",
		  ST_LATER, "rateLimited", "rateLimited: d", "an absurd Retry-After" },
		{ "429 Too Many", N, "{\"type\":\"urn:ietf:params:acme:error:rateLimited\",\"detail\":\"too many, retry after 2036-02-23 19:46:34 UTC: see\"}",
		  ST_LATER, "rateLimited", "come back after 2036-02-23T19:46:34Z", "the moment from the detail" },
		{ "302 Found", N "Location: https://ca/x\r\n", "", ST_PROTO, "", "(HTTP 302)", "a redirect of a POST" },
		{ "400 Bad", N, "{\"type\":\"urn:ietf:params:acme:error:compound\",\"detail\":\"d\",\"subproblems\":"
		  "[{\"type\":\"x\",\"detail\":\"bad\",\"identifier\":{\"type\":\"dns\",\"value\":\"n.example\"}}]}",
		  ST_REFUSED, "compound", "compound: d; n.example: bad", "subproblems" },
		{ "200 OK", N "Location: /a/1\r\n", "[]", ST_PROTO, "", "not a JSON object", "an array" },
		{ "200 OK", N "Location: /a/1\r\n", "{\"status\":[]}", ST_PROTO, "", "\"status\"", "a status that is no string" },
		{ "200 OK", N N "Location: /a/1\r\n", "{}", ST_PROTO, "", "Replay-Nonce", "two nonces" },
		{ "200 OK", "Replay-Nonce: a b\r\nLocation: /a/1\r\n", "{}", ST_PROTO, "", "Replay-Nonce", "a nonce with a space" },
	};
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(*t); i++) {
		const char *s[] = { NONCE, reply(t[i].status, t[i].headers, t[i].body), 0 };

		talk(s);
		if (!ok(acme_new_account(&account) == -1 && acme_why()->status == t[i].class &&
		    strcmp(acme_why()->type, t[i].type) == 0 && strstr(acme_why()->text, t[i].text), t[i].name))
			printf("# %d %s: %s\n", acme_why()->status, acme_why()->type, acme_why()->text);
	}
}

#define BADNONCE "{\"type\":\"urn:ietf:params:acme:error:badNonce\",\"detail\":\"JWS has an invalid anti-replay nonce\"}"

static void
retries_nonces(void)
{
	const char *bad = reply("400 Bad", "Replay-Nonce: second\r\n", BADNONCE);
	const char *good = reply("200 OK", N "Location: /a/1\r\n", "{\"status\":\"valid\"}");
	const char *s[] = { NONCE, bad, bad, good, 0 };
	const char *t[NONCE_TRIES + 4];
	const char *u[] = { NONCE, reply("400 Bad", "", BADNONCE), NONCE, good, 0 };
	int i;

	talk(s);
	ok(acme_new_account(&account) == 0, "badNonce is answered with the nonce that came with it");
	is_str(heard, "HEAD /newNonce HTTP/1.1\nPOST /newAccount HTTP/1.1\nPOST /newAccount HTTP/1.1\n"
	    "POST /newAccount HTTP/1.1\n", "without a further HEAD");
	ok(strstr(now_sent, "\"nonce\":\"second\"") != 0, "that very nonce");
	t[0] = NONCE;
	for (i = 1; i < NONCE_TRIES + 3; i++)
		t[i] = bad;
	t[i] = 0;
	talk(t);
	ok(acme_new_account(&account) == -1 && acme_why()->status == ST_REFUSED,
	    "badNonce for ever ends");
	talk(u);
	ok(acme_new_account(&account) == 0, "a badNonce without a nonce: HEAD newNonce");
}

static void
resends(void)
{
	const char *good = reply("201 OK", N "Location: /o/1\r\n",
	    "{\"status\":\"pending\",\"identifiers\":[],\"authorizations\":[],\"finalize\":\"/f\"}");
	const char *s[] = { NONCE, "!", NONCE, good, 0 };
	const char *t[] = { NONCE, "HTTP/1.1 201 OK\r\n", "!", NONCE, good, 0 };
	const char *u[] = { NONCE, reply("503 Busy", "Retry-After: 0\r\n", "busy"), NONCE, good, 0 };

	talk(s);
	ok(acme_new_order(&order) == 0, "newOrder is sent again when the connection died unanswered");
	ok(connects == 2, "over a new connection");
	talk(t);
	ok(acme_new_order(&order) == -1 && acme_why()->status == ST_NET,
	    "not when it died within the answer");
	talk(u);
	ok(acme_new_order(&order) == 0, "503 is obeyed and tried again");
}

static const char order_body[] = "{\"status\":\"pending\",\"expires\":null,\"identifiers\":"
	"[{\"type\":\"dns\",\"value\":\"B.example\"},{\"type\":\"ip\",\"value\":\"192.0.2.1\"}],"
	"\"authorizations\":[\"/z/1\",\"https://ca/z/2\"],\"finalize\":\"/f/1\",\"extra\":{}}";

static void
reads_orders(void)
{
	static const struct {
		const char *challenges, *name;
		int result, count;
	} z[] = {
		{ "[{\"type\":\"http-01\",\"url\":\"/c\",\"token\":\"tok\",\"status\":\"pending\"},"
		  "{\"type\":\"new-99\",\"url\":\"/d\"},{\"type\":\"dns-01\",\"url\":\"/e\"}]",
		  "unknown types, and known ones without a token, are passed over", 0, 1 },
		{ "[{\"type\":\"http-01\",\"url\":\"/c\",\"token\":\"../../x\"}]", "a token with ../", -1, 0 },
		{ "[{\"type\":\"http-01\",\"url\":\"/c\",\"token\":\"a;reboot\"}]", "a token with ;", -1, 0 },
		{ "[{\"type\":\"http-01\",\"url\":\"/c\",\"token\":\"$(x)\"}]", "a token with $(", -1, 0 },
		{ "[{\"type\":\"http-01\",\"url\":\"/c\",\"token\":\"\"}]", "an empty token", -1, 0 },
		{ "[{\"type\":\"http-01\",\"url\":\"/c\",\"token\":\"a\\u0000b\"}]", "a NUL in a token", -1, 0 },
		{ "[{\"type\":\"http-01\",\"url\":\"http://ca/c\",\"token\":\"tok\"}]", "a challenge at plain http", -1, 0 },
		{ "null", "no challenges", 0, 0 },
		{ "[{\"type\":\"dns-persist-01\",\"url\":\"/c\",\"status\":\"pending\","
		  "\"issuer-domain-names\":[\"ca.example\"]}]",
		  "dns-persist-01 needs no token", 0, 1 },
		{ "[{\"type\":\"dns-persist-01\",\"url\":\"/c\",\"status\":\"pending\"}]",
		  "but issuers", 0, 0 },
	};
	size_t i;
	char body[1024];
	const char *s[] = { NONCE, reply("201 OK", N "Location: /o/1\r\n", order_body), 0 };
	const char *odd[] = { NONCE, reply("201 OK", N "Location: /o/1\r\n",
	    "{\"status\":\"ready\",\"identifiers\":[],\"authorizations\":null,\"finalize\":\"/f\"}"), 0 };

	talk(s);
	ok(acme_new_order(&order) == 0 && order.count == 2 && order.idents == 2, "an order is read");
	is_str(acme_string(&order, order.ident[0]), "b.example", "identifiers are lower-cased");
	is_str(acme_string(&order, order.authz[0].url), "https://ca/z/1", "authorization URLs are resolved");
	is_str(order.url, "https://ca/o/1", "the order's URL is from Location");
	for (i = 0; i < sizeof(z) / sizeof(*z); i++) {
		const char *r[4];

		snprintf(body, sizeof(body), "{\"status\":\"pending\",\"identifier\":{\"type\":\"dns\","
		    "\"value\":\"b.example\"},\"challenges\":%s}", z[i].challenges);
		r[0] = NONCE;
		r[1] = reply("201 OK", N "Location: /o/1\r\n",
		    "{\"status\":\"pending\",\"identifiers\":[],\"authorizations\":[\"/z/1\"],\"finalize\":\"/f\"}");
		r[2] = reply("200 OK", N, body);
		r[3] = 0;
		talk(r);
		acme_new_order(&order);
		ok(acme_authorizations(&order) == z[i].result && (z[i].result ||
		    (int)order.authz[0].count == z[i].count), z[i].name);
	}
	talk(odd);
	ok(acme_new_order(&order) == 0 && order.status == ACME_READY && order.count == 0,
	    "authorizations null in an order born ready");
}

static void
waits(void)
{
	const char *o = reply("201 OK", N "Location: /o/1\r\n",
	    "{\"status\":\"pending\",\"identifiers\":[],\"authorizations\":[\"/z/1\"],\"finalize\":\"/f\"}");
	const char *z = reply("200 OK", N, "{\"status\":\"pending\",\"identifier\":{\"type\":\"dns\",\"value\":\"b.example\"},"
	    "\"challenges\":[{\"type\":\"dns-01\",\"url\":\"/c0\",\"token\":\"t\"},{\"type\":\"http-01\",\"url\":\"/c\",\"token\":\"t\",\"status\":\"pending\"}]}");
	const char *bad_z = reply("200 OK", N, "{\"status\":\"pending\",\"identifier\":{\"type\":\"dns\",\"value\":\"b.example\"},"
	    "\"challenges\":[{\"type\":\"http-01\",\"url\":\"/c\",\"token\":\"t\",\"status\":\"invalid\","
	    "\"error\":{\"type\":\"urn:ietf:params:acme:error:connection\",\"detail\":\"refused\"}}]}");
	const char *pending = reply("200 OK", N, "{\"status\":\"pending\",\"finalize\":\"/f\"}");
	const char *ready = reply("200 OK", N, "{\"status\":\"ready\",\"finalize\":\"/f\"}");
	const char *valid = reply("200 OK", N, "{\"status\":\"valid\",\"finalize\":\"/f\",\"certificate\":\"/x\"}");
	const char *invalid = reply("200 OK", N, "{\"status\":\"invalid\",\"finalize\":\"/f\"}");
	const char *pem = reply("200 OK", N "Content-Type: application/pem-certificate-chain\r\n"
	    "Link: </x/1>;rel=\"alternate\", </i>;rel=index\r\n", "PEM");
	const char *early = reply("403 Forbidden", N, "{\"type\":\"urn:ietf:params:acme:error:orderNotReady\",\"detail\":\"wait\"}");
	const char *s[] = { NONCE, o, z, ready /* reply to the answer */, pending, pending, ready,
	    reply("200 OK", N, "{\"status\":\"processing\",\"finalize\":\"/f\"}"), valid, pem, 0 };
	const char *t[] = { NONCE, o, z, ready, invalid, bad_z, 0 };
	const char *u[] = { NONCE, o, z, ready, ready, early, valid, 0 };
	const char *v[] = { NONCE, o, z, ready, ready, "!", NONCE, valid, 0 };
	char mem[256];
	struct buf b = BUF(mem);

	talk(s);
	acme_new_order(&order);
	acme_authorizations(&order);
	order.authz[0].chosen = 1;
	ok(acme_answer(&order) == 0 && acme_wait(&order) == 0 && order.status == ACME_READY,
	    "the order is polled until it is ready");
	ok(acme_finalize(&order) == 0 && order.status == ACME_VALID, "processing is waited for");
	ok(acme_certificate(&order, 0, &b) == 0 && b.len == 3, "the chain is fetched");
	ok(acme_certificate(&order, 2, &b) == 1, "there is one alternate, not two");
	is_str(heard, "HEAD /newNonce HTTP/1.1\nPOST /newOrder HTTP/1.1\nPOST /z/1 HTTP/1.1\nPOST /c HTTP/1.1\n"
	    "POST /o/1 HTTP/1.1\nPOST /o/1 HTTP/1.1\nPOST /o/1 HTTP/1.1\nPOST /f HTTP/1.1\nPOST /o/1 HTTP/1.1\n"
	    "POST /x HTTP/1.1\n", "with these requests");

	talk(t);
	acme_new_order(&order);
	acme_authorizations(&order);
	order.authz[0].chosen = 1;
	ok(acme_answer(&order) == 0 && acme_wait(&order) == -1 && acme_why()->status == ST_REFUSED &&
	    strstr(acme_why()->text, "validation of b.example failed: connection: refused"),
	    "an invalid order without an error is explained by its authorization");

	talk(u);
	acme_new_order(&order);
	acme_authorizations(&order);
	order.authz[0].chosen = 1;
	ok(acme_answer(&order) == 0 && acme_wait(&order) == 0 && acme_finalize(&order) == 0,
	    "orderNotReady: the order is looked at");
	talk(v);
	acme_new_order(&order);
	acme_authorizations(&order);
	order.authz[0].chosen = 1;
	ok(acme_answer(&order) == 0 && acme_wait(&order) == 0 && acme_finalize(&order) == 0,
	    "a finalize whose answer is lost: the order is looked at first");
}

static void
refetches_a_stale_directory(void)
{
	const char *s[] = { NONCE, reply("404 Not Found", N, ""), directory(),
	    reply("200 OK", N "Location: /a/1\r\n", "{\"status\":\"valid\"}"), 0 };

	talk(s);
	ok(acme_new_account(&account) == 0, "a cached directory that is stale is fetched anew");
	is_str(heard, "HEAD /newNonce HTTP/1.1\nPOST /newAccount HTTP/1.1\nGET /dir HTTP/1.1\nPOST /acct HTTP/1.1\n",
	    "once");
}

int
main(void)
{
	opens_a_directory();
	refuses_directories();
	follows_one_redirect();
	makes_an_account();
	judges_problems();
	retries_nonces();
	resends();
	reads_orders();
	waits();
	refetches_a_stale_directory();
	return tap_done();
}
