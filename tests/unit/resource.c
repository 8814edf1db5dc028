/* resource.c against a scripted server. */
#include "../tap.h"
#include "../../resource.c"
#include "../script.h"

static struct acme_order order;

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

	scripted(s);
	ok(acme_new_order(&order, 1) == 0 && order.count == 2 && order.idents == 2, "an order is read");
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
		scripted(r);
		acme_new_order(&order, 1);
		ok(acme_authorizations(&order) == z[i].result && (z[i].result ||
		    (int)order.authz[0].count == z[i].count), z[i].name);
	}
	scripted(odd);
	ok(acme_new_order(&order, 1) == 0 && order.status == ACME_READY && order.count == 0,
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

	scripted(s);
	acme_new_order(&order, 1);
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

	scripted(t);
	acme_new_order(&order, 1);
	acme_authorizations(&order);
	order.authz[0].chosen = 1;
	ok(acme_answer(&order) == 0 && acme_wait(&order) == -1 && acme_why()->status == ST_REFUSED &&
	    strstr(acme_why()->text, "validation of b.example failed: connection: refused"),
	    "an invalid order without an error is explained by its authorization");

	scripted(u);
	acme_new_order(&order, 1);
	acme_authorizations(&order);
	order.authz[0].chosen = 1;
	ok(acme_answer(&order) == 0 && acme_wait(&order) == 0 && acme_finalize(&order) == 0,
	    "orderNotReady: the order is looked at");
	scripted(v);
	acme_new_order(&order, 1);
	acme_authorizations(&order);
	order.authz[0].chosen = 1;
	ok(acme_answer(&order) == 0 && acme_wait(&order) == 0 && acme_finalize(&order) == 0,
	    "a finalize whose answer is lost: the order is looked at first");
}

/* An order with one authorization, its challenge chosen; the script continues with replies. */
static void
chosen_order(const char *challenge, const char *const *replies)
{
	static const char *s[16];
	char body[1024];
	size_t n = 0;

	snprintf(body, sizeof(body), "{\"status\":\"pending\",\"identifier\":{\"type\":\"dns\","
	    "\"value\":\"b.example\"},\"challenges\":[%s]}", challenge);
	s[n++] = NONCE;
	s[n++] = reply("201 OK", N "Location: /o/1\r\n", "{\"status\":\"pending\","
	    "\"identifiers\":[],\"authorizations\":[\"/z/1\"],\"finalize\":\"/f\"}");
	s[n++] = reply("200 OK", N, body);
	while (*replies)
		s[n++] = *replies++;
	s[n] = 0;
	scripted(s);
	acme_new_order(&order, 1);
	acme_authorizations(&order);
	order.authz[0].chosen = 0;
}

#define PENDING "{\"type\":\"http-01\",\"url\":\"/c\",\"token\":\"t\",\"status\":\"pending\"}"
#define REFUSED ",\"error\":{\"type\":\"x:connection\",\"detail\":\"refused\"}"

static void
hears_answers(void)
{
	static const struct {
		const char *name, *status, *body;
		int result;
	} table[] = {
		{ "the challenge", "200 OK", PENDING, 0 },
		{ "nothing", "200 OK", "", 0 },
		{ "something else", "200 OK", "[1]", 0 },
		{ "invalid", "200 OK", "{\"status\":\"invalid\"" REFUSED "}", -1 },
		{ "invalid without a reason", "200 OK", "{\"status\":\"invalid\"}", -1 },
		{ "it runs already", "409 Conflict", "{\"type\":\"x:conflict\"}", 0 },
		{ "it is decided already", "400 Bad", "{\"type\":\"x:malformed\"}", 0 },
		{ "it is not ours", "403 No", "{\"type\":\"x:unauthorized\"}", -1 },
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		const char *s[] = { reply(table[i].status, N, table[i].body), 0 };

		chosen_order(PENDING, s);
		ok(acme_answer(&order) == table[i].result, table[i].name);
		if (strcmp(table[i].name, "invalid") == 0)
			is_str(acme_why()->text, "validation of b.example failed: connection: refused", "its reason");
	}
}

static void
reads_certificates(void)
{
	static const struct {
		const char *name, *type, *body, *want;
		int result;
	} table[] = {
		{ "PEM", "application/pem-certificate-chain", "PEM", "PEM", 0 },
		{ "PEM with parameters", "Application/pem-certificate-chain ; x=y", "PEM", "PEM", 0 },
		{ "a longer type", "application/pem-certificate-chains", "PEM", "", -1 },
		{ "HTML", "text/html", "PEM", "", -1 },
		{ "DER", "application/pkix-cert", "abc",
		  "-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n", 0 },
	};
	char mem[512], headers[256];
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct buf b = BUF(mem);
		const char *s[3] = { NONCE, 0, 0 };

		snprintf(headers, sizeof(headers), N "Content-Type: %s\r\n", table[i].type);
		s[1] = reply("200 OK", headers, table[i].body);
		scripted(s);
		slice_copy(slice("https://ca/x"), order.certificate, sizeof(order.certificate));
		ok(acme_certificate(&order, 0, &b) == table[i].result, table[i].name);
		is_str(buf_text(&b), table[i].want, "what comes out");
	}
}

/* 50 ms, doubling, after some as the server says; never so long that no poll is left. */
static void
puts_polls_off(void)
{
	static const struct {
		const char *name, *after;
		unsigned poll;
		int64_t want;
	} table[] = {
		{ "the first poll", "", 0, 50 },
		{ "the fourth", "", 3, 400 },
		{ "the hundredth", "", 100, 5000 },
		{ "quick polls come first", "Retry-After: 2\r\n", 3, 400 },
		{ "then as the server says", "Retry-After: 2\r\n", 4, 2000 },
		{ "the server exaggerates", "Retry-After: 100\r\n", 4, 30000 },
		{ "the server is not to be taken seriously", "Retry-After: 86400\r\n", 4, 800 },
		{ "nor now", "Retry-After: -1\r\n", 4, 800 },
		{ "at once", "Retry-After: 0\r\n", 4, 800 },
	};
	static const unsigned allowed[] = { 60, 2, 1 };
	int64_t ms;
	int redirect;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		const char *s[] = { reply("200 OK", table[i].after, ""), 0 };

		scripted(s);
		talk_allow(60);
		talk_enter();
		talk_get("https://ca/x", "x", &redirect);
		/* the quick ones count from the request before */
		ms = table[i].poll < POLL_QUICK ? talk_took() : 0;
		ok(poll_delay(table[i].poll) == table[i].want - ms, table[i].name);
	}
	for (i = 0; i < sizeof(allowed) / sizeof(*allowed); i++) {
		talk_allow(allowed[i]);
		talk_enter();
		ms = poll_delay(100);
		ok(i == 0 ? ms == 5000 : i == 1 ? ms > 500 && ms <= 1000 : ms == -1,
		    "no longer than there is time");
	}
}

int
main(void)
{
	reads_orders();
	waits();
	hears_answers();
	reads_certificates();
	puts_polls_off();
	return tap_done();
}
