/*
 * Unit tests of tool.c (build/tests/tool is a folder): how a server and a type are written.  What is printed
 * is tested against real servers in tests/e2e/zone.sh.
 */
#include "../home.h"
#include "../tap.h"
#include "../../tool.c"

static void
test_server(void)
{
	static const struct { const char *text, *host; unsigned port; } rows[] = {
		{ "192.0.2.1", "192.0.2.1", 53 },
		{ "192.0.2.1:5353", "192.0.2.1", 5353 },
		{ "ns.example.com", "ns.example.com", 53 },
		{ "ns.example.com:1", "ns.example.com", 1 },
		{ "::1", "::1", 53 },
		{ "[::1]", "::1", 53 },
		{ "[::1]:65535", "::1", 65535 },
		{ "fe80::1%eth0", "fe80::1%eth0", 53 },
		{ "", 0, 0 },
		{ ":53", 0, 0 },
		{ "[]:53", 0, 0 },
		{ "[::1", 0, 0 },
		{ "[::1]53", 0, 0 },
		{ "[::1]:", 0, 0 },
		{ "a:", 0, 0 },
		{ "a:0", 0, 0 },
		{ "a:65536", 0, 0 },
		{ "a:-1", 0, 0 },
		{ "a:53x", 0, 0 },
	};
	char host[LIMIT_NAME + 1];
	unsigned port;
	size_t i;
	int r;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		r = split_server(rows[i].text, host, &port);
		ok(rows[i].host ? r == 0 && strcmp(host, rows[i].host) == 0 && port == rows[i].port : r == -1,
		    *rows[i].text ? rows[i].text : "nothing");
	}
}

static void
test_type(void)
{
	struct query q;
	size_t i;

	memset(&q, 0, sizeof(q));
	for (i = 0; i < TYPES; i++) {
		q.type = types[i].name;
		ok(find_type(&q) == 0 && q.question.type == types[i].type, types[i].name);
	}
	q.type = "txt";
	ok(find_type(&q) == 0 && q.question.type == DNS_TXT && strcmp(q.type, "TXT") == 0, "any case");
	hush(1);
	q.type = "MX";
	ok(find_type(&q) == ST_USAGE, "no other");
	ok(tool_dns("A", "", 0, 0, 1) == ST_USAGE && tool_dns("A", "a..b", 0, 0, 1) == ST_USAGE, "no name");
	ok(tool_dns("A", "a", "a:x", 0, 1) == ST_USAGE, "no server");
	hush(0);
}

int
main(void)
{
	test_server();
	test_type();
	return tap_done();
}
