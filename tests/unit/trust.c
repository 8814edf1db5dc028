/*
 * Unit tests of trust.c: which chains are good for which names and when,
 * which anchors are picked, how bundles are read.  The certificates are valid
 * from 2026 to 2046.
 */
#include <dirent.h>
#include <stdlib.h>

/* The clock is ours, and so is the system's bundle. */
#define now_wall fake_now
static char system_name[] = "/tmp/acme-trust.XXXXXX";
#define SYSTEM_BUNDLES "/nonexistent/bundle", system_name, "/nonexistent/other"
#include "../tap.h"
#include "../../trust.c"

static int64_t fake_time;

int64_t
fake_now(void)
{
	return fake_time;
}

/* CN=Test Root, an authority */
#define CA_PEM \
	"-----BEGIN CERTIFICATE-----\n" \
	"MIIBSDCB76ADAgECAgEBMAoGCCqGSM49BAMCMBQxEjAQBgNVBAMMCVRlc3QgUm9v\n" \
	"dDAeFw0yNjAxMDEwMDAwMDBaFw00NjAxMDEwMDAwMDBaMBQxEjAQBgNVBAMMCVRl\n" \
	"c3QgUm9vdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABJZU94TNnoQ2zBfbvXdL\n" \
	"R5vSmCcpCN32Zjg6RBXf1C8RpbKY7h8Ik1EXcg0CUOrLB0kn15YfytC4+mGEO2fx\n" \
	"k06jMjAwMA8GA1UdEwEB/wQFMAMBAf8wHQYDVR0OBBYEFN6pw6NdAJehCeWnzgN9\n" \
	"5NwW/YlBMAoGCCqGSM49BAMCA0gAMEUCIQDNKdsxVD2KqxfYjhzOvQV+6PhjkgxY\n" \
	"dDQCObBjfJ+cHAIgCRa8QJE3X2bX72eORCO5dUct/MPd+ZyI5O6ilNRtgto=\n" \
	"-----END CERTIFICATE-----\n"
/* another key with the same name */
#define TWIN_PEM \
	"-----BEGIN CERTIFICATE-----\n" \
	"MIIBRzCB76ADAgECAgECMAoGCCqGSM49BAMCMBQxEjAQBgNVBAMMCVRlc3QgUm9v\n" \
	"dDAeFw0yNjAxMDEwMDAwMDBaFw00NjAxMDEwMDAwMDBaMBQxEjAQBgNVBAMMCVRl\n" \
	"c3QgUm9vdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABOsucEOTBen9EBCEIFcj\n" \
	"qEvV7GHIH3TD6DN1hTpVEw1+jv69E1w3u68Y5DljSb7Xa9Ax2jOWIIThEP3Z4LRJ\n" \
	"yISjMjAwMA8GA1UdEwEB/wQFMAMBAf8wHQYDVR0OBBYEFOstcNKaER+0zwPo0VBW\n" \
	"dM1UtpJKMAoGCCqGSM49BAMCA0cAMEQCIGUvRoslGEDxRQP1cJJVBp0kEHj5/P50\n" \
	"jCdyohE1cbATAiAQAePOOgEY41xqcE8Mu8OMC+JcnDqTWKK7u1gWScjPQA==\n" \
	"-----END CERTIFICATE-----\n"
/* CN=Test Middle by ca, an authority, P-384 */
#define MIDDLE_PEM \
	"-----BEGIN CERTIFICATE-----\n" \
	"MIIBijCCAS+gAwIBAgIBAzAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlUZXN0IFJv\n" \
	"b3QwHhcNMjYwMTAxMDAwMDAwWhcNNDYwMTAxMDAwMDAwWjAWMRQwEgYDVQQDDAtU\n" \
	"ZXN0IE1pZGRsZTB2MBAGByqGSM49AgEGBSuBBAAiA2IABLmmY08gh1il8HsWYbnG\n" \
	"L55yoLo8aHqjoIuFhkOFHu00ajN3znBqmfwiHmA9k4zk9hOzbhF56kMlH4fAkMI5\n" \
	"wAXreaqFV6hYooEqjmqCYiFCB4YmMoGPDTXq6VlJxWIRQqNTMFEwDwYDVR0TAQH/\n" \
	"BAUwAwEB/zAdBgNVHQ4EFgQUgsc7TlAbxreiNe889f2PQG4JiDUwHwYDVR0jBBgw\n" \
	"FoAU3qnDo10Al6EJ5afOA33k3Bb9iUEwCgYIKoZIzj0EAwIDSQAwRgIhAN7PxplQ\n" \
	"NU4cgUontKFxemaxUF7e11k3SLL8C/3bdGGPAiEAvwDPNt71dBxjpx5Oj50Je+Jt\n" \
	"ZnXPpqQbcYtNsx4+dJM=\n" \
	"-----END CERTIFICATE-----\n"
/* by middle: a.example *.b.example 192.0.2.1 2001:db8::1, and "192.0.2.9" as a DNS name */
#define LEAF_PEM \
	"-----BEGIN CERTIFICATE-----\n" \
	"MIIB0zCCAVigAwIBAgIBBDAKBggqhkjOPQQDAjAWMRQwEgYDVQQDDAtUZXN0IE1p\n" \
	"ZGRsZTAeFw0yNjAxMDEwMDAwMDBaFw00NjAxMDEwMDAwMDBaMBUxEzARBgNVBAMM\n" \
	"CmNuLmV4YW1wbGUwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASKqO9lWLehZAIj\n" \
	"PVGfgL6exs2urfuuHJ8Lu9S4l5JUA1L0PWRMTBuafsPatQIYOxqPwj55g9ECioCE\n" \
	"6U4yYKUno4GXMIGUMAwGA1UdEwEB/wQCMAAwRAYDVR0RBD0wO4IJYS5leGFtcGxl\n" \
	"ggsqLmIuZXhhbXBsZYcEwAACAYcQIAENuAAAAAAAAAAAAAAAAYIJMTkyLjAuMi45\n" \
	"MB0GA1UdDgQWBBTC6uW9XOw8JEDLk9jrg2Px8fcStTAfBgNVHSMEGDAWgBSCxztO\n" \
	"UBvGt6I17zz1/Y9AbgmINTAKBggqhkjOPQQDAgNpADBmAjEApQSFHDQYB4hLVgdY\n" \
	"AfiBs8hjCwLJ91M8b+c7Cvmdx6CIUZqaINexVmCszHMkz0PaAjEA6CafpH5oicFp\n" \
	"Wmu3F+hAWR6GAvkaPkVMpeBCV0pptA84oLdcgeahTwuzroxBduuZ\n" \
	"-----END CERTIFICATE-----\n"
/* by ca: CN=a.example, no other name */
#define CN_PEM \
	"-----BEGIN CERTIFICATE-----\n" \
	"MIIBZzCCAQ2gAwIBAgIBBTAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlUZXN0IFJv\n" \
	"b3QwHhcNMjYwMTAxMDAwMDAwWhcNNDYwMTAxMDAwMDAwWjAUMRIwEAYDVQQDDAlh\n" \
	"LmV4YW1wbGUwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQfxiwlOUltihIo8cSw\n" \
	"kAfT8qF4HEpAIfESlTn8cXGIadXvZ8nRD9iLrydPcVHtrwj4KiJnNQTIDjLSbuwM\n" \
	"v/7wo1AwTjAMBgNVHRMBAf8EAjAAMB0GA1UdDgQWBBRb0fDxNpquiBkFE+3/aMl9\n" \
	"ZTf9lDAfBgNVHSMEGDAWgBTeqcOjXQCXoQnlp84DfeTcFv2JQTAKBggqhkjOPQQD\n" \
	"AgNIADBFAiBuaArZlo6TSMrrPeCM32ieO32f1b1ydMhu5pbQzmLmqwIhALaZJBZz\n" \
	"aq4y+d0pc9YRx7AuVduI7pcC0Z9djx3Ucoam\n" \
	"-----END CERTIFICATE-----\n"
/* CN=Self, self-signed, a.example, no authority */
#define SELF_PEM \
	"-----BEGIN CERTIFICATE-----\n" \
	"MIIBUDCB+KADAgECAgEGMAoGCCqGSM49BAMCMA8xDTALBgNVBAMMBFNlbGYwHhcN\n" \
	"MjYwMTAxMDAwMDAwWhcNNDYwMTAxMDAwMDAwWjAPMQ0wCwYDVQQDDARTZWxmMFkw\n" \
	"EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEUshgPXIAfGOfqFsECglQezvq3sARTzkI\n" \
	"wWSySDALtPkg8LNDiguyuqm6ncI8q7WQ/l7I72b3WKGcBTpKjS1B4qNFMEMwDAYD\n" \
	"VR0TAQH/BAIwADAUBgNVHREEDTALgglhLmV4YW1wbGUwHQYDVR0OBBYEFD0vrFQQ\n" \
	"W/QTmkEIeXanOk00poKjMAoGCCqGSM49BAMCA0cAMEQCIDX7hwuCNwD6H0wNzQQt\n" \
	"VUk8+edgpi0QX+6wC9nx8H5jAiBDiGUpCUg6fDxG2bBhAPjUlevENc9OwnnQSyiP\n" \
	"iZULJA==\n" \
	"-----END CERTIFICATE-----\n"

enum { Y2026 = 1767225600, Y2027 = 1798761600 };
static const int64_t Y2050 = 2524608000;

/* DER of the certificates in a PEM text. */
struct der_list {
	unsigned n;
	struct slice cert[40];
	char mem[60000];
};

static struct der_list *
ders(const char *pem)
{
	static struct der_list l;
	struct buf b = BUF(l.mem);
	struct slice text = slice(pem), label;
	size_t start = 0;

	l.n = 0;
	while (pem_next(&text, &label, &b) == 1) {
		l.cert[l.n].p = b.p + start;
		l.cert[l.n++].n = b.len - start;
		start = b.len;
	}
	return &l;
}

static char file_name[] = "/tmp/acme-trust.XXXXXX";

static const char *
write_file(const char *name, const char *text, size_t n)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, text, n) != (ssize_t)n)
		printf("Bail out! no scratch file\n");
	close(fd);
	return name;
}

static const char *
file_of(const char *text, size_t n)
{
	return write_file(file_name, text, n);
}

/* Sends a chain through the engine, step bytes at a time. */
static unsigned
feed(const struct slice *cert, unsigned n, size_t step)
{
	const br_x509_class **engine = trust_engine();
	size_t at, k;
	unsigned i;

	(*engine)->start_chain(engine, 0);
	for (i = 0; i < n; i++) {
		(*engine)->start_cert(engine, (uint32_t)cert[i].n);
		for (at = 0; at < cert[i].n; at += k) {
			k = cert[i].n - at < step ? cert[i].n - at : step;
			(*engine)->append(engine, (const unsigned char *)cert[i].p + at, k);
		}
		(*engine)->end_cert(engine);
	}
	return (*engine)->end_chain(engine);
}

static unsigned
verify(const char *anchors, const char *chain, const char *host)
{
	const struct der_list *l = ders(chain);

	trust_begin(anchors ? file_of(anchors, strlen(anchors)) : 0, host);
	return feed(l->cert, l->n, 100);
}

static void
test_chains(void)
{
	static const struct {
		const char *name, *anchors, *chain, *host;
		unsigned want;
	} rows[] = {
		{ "root, intermediate, leaf", CA_PEM, LEAF_PEM MIDDLE_PEM, "a.example", 0 },
		{ "a chain with the root in it", CA_PEM, LEAF_PEM MIDDLE_PEM CA_PEM, "a.example", 0 },
		{ "a wildcard", CA_PEM, LEAF_PEM MIDDLE_PEM, "x.b.example", 0 },
		{ "no wildcard for the name itself", CA_PEM, LEAF_PEM MIDDLE_PEM, "b.example", BR_ERR_X509_BAD_SERVER_NAME },
		{ "nor for two labels", CA_PEM, LEAF_PEM MIDDLE_PEM, "x.y.b.example", BR_ERR_X509_BAD_SERVER_NAME },
		{ "35 another name", CA_PEM, LEAF_PEM MIDDLE_PEM, "example", BR_ERR_X509_BAD_SERVER_NAME },
		{ "39 the common name does not count", CA_PEM, LEAF_PEM MIDDLE_PEM, "cn.example", BR_ERR_X509_BAD_SERVER_NAME },
		{ "39 nor where there is no other name", CA_PEM, CN_PEM, "a.example", BR_ERR_X509_BAD_SERVER_NAME },
		{ "an empty name is never good", CA_PEM, LEAF_PEM MIDDLE_PEM, "", BR_ERR_X509_BAD_SERVER_NAME },
		{ "38 an IPv4 address", CA_PEM, LEAF_PEM MIDDLE_PEM, "192.0.2.1", 0 },
		{ "38 an IPv6 address", CA_PEM, LEAF_PEM MIDDLE_PEM, "2001:db8::1", 0 },
		{ "38 an IPv6 address at length", CA_PEM, LEAF_PEM MIDDLE_PEM, "2001:0db8:0:0::0001", 0 },
		{ "38 another IPv4 address", CA_PEM, LEAF_PEM MIDDLE_PEM, "192.0.2.2", BR_ERR_X509_BAD_SERVER_NAME },
		{ "38 another IPv6 address", CA_PEM, LEAF_PEM MIDDLE_PEM, "2001:db8::2", BR_ERR_X509_BAD_SERVER_NAME },
		{ "38 an address as a DNS name", CA_PEM, LEAF_PEM MIDDLE_PEM, "192.0.2.9", BR_ERR_X509_BAD_SERVER_NAME },
		{ "38 an address, no names at all", CA_PEM, CN_PEM, "192.0.2.1", BR_ERR_X509_BAD_SERVER_NAME },
		{ "34 no such root", SELF_PEM, LEAF_PEM MIDDLE_PEM, "a.example", BR_ERR_X509_NOT_TRUSTED },
		{ "34 a root of the same name", TWIN_PEM, LEAF_PEM MIDDLE_PEM, "a.example", BR_ERR_X509_NOT_TRUSTED },
		{ "34 neither built in nor the system's", 0, LEAF_PEM MIDDLE_PEM, "a.example", BR_ERR_X509_NOT_TRUSTED },
		{ "34 an address and no such root", SELF_PEM, LEAF_PEM MIDDLE_PEM, "192.0.2.1", BR_ERR_X509_NOT_TRUSTED },
		{ "two roots of one name", TWIN_PEM CA_PEM, LEAF_PEM MIDDLE_PEM, "a.example", 0 },
		{ "the intermediate as the anchor", MIDDLE_PEM, LEAF_PEM, "a.example", 0 },
		{ "the leaf as the anchor", LEAF_PEM, LEAF_PEM, "a.example", 0 },
		{ "but for its names only", LEAF_PEM, LEAF_PEM, "c.example", BR_ERR_X509_BAD_SERVER_NAME },
		{ "41 no intermediate", CA_PEM, LEAF_PEM, "a.example", BR_ERR_X509_NOT_TRUSTED },
		{ "41 self-signed", CA_PEM, SELF_PEM, "a.example", BR_ERR_X509_NOT_TRUSTED },
		{ "self-signed, and the anchor", SELF_PEM, SELF_PEM, "a.example", 0 },
		{ "no authority, yet an anchor: signs nothing", LEAF_PEM, CN_PEM LEAF_PEM, "a.example", BR_ERR_X509_BAD_SERVER_NAME },
		{ "the chain in the wrong order", CA_PEM, MIDDLE_PEM LEAF_PEM, "a.example", BR_ERR_X509_BAD_SERVER_NAME },
		{ "an unrelated certificate in between", CA_PEM, LEAF_PEM TWIN_PEM MIDDLE_PEM, "a.example", BR_ERR_X509_DN_MISMATCH },
		{ "an unrelated certificate at the end", CA_PEM, LEAF_PEM MIDDLE_PEM SELF_PEM, "a.example", 0 },
		{ "no chain", CA_PEM, "", "a.example", BR_ERR_X509_EMPTY_CHAIN },
	};
	char text[256];
	struct buf b = BUF(text);
	unsigned usages, e;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		e = verify(rows[i].anchors, rows[i].chain, rows[i].host);
		if (!ok(e == rows[i].want, rows[i].name))
			printf("# got %u\n", e);
		buf_clear(&b);
		if (e)
			ok(trust_explain((int)e, &b) == 0 && b.len > 0 && !b.err, "with a reason");
	}
	ok(verify(CA_PEM, LEAF_PEM MIDDLE_PEM, "a.example") == 0, "the chain again");
	ok(t.anchors == 1 && t.anchor[0].flags == BR_X509_TA_CA, "only the anchor that fits is picked");
	ok(get_pkey(0, &usages)->key_type == BR_KEYTYPE_EC, "the engine gets the leaf's key");
	ok(trust_is_address() == 0, "a name is no address");
	trust_begin(0, "::1");
	ok(trust_is_address() == 1, "an address is one");
}

static void
test_system(void)
{
	write_file(system_name, CA_PEM, strlen(CA_PEM));
	ok(verify(0, LEAF_PEM MIDDLE_PEM, "a.example") == 0, "the system's bundle counts when no built-in root fits");
	ok(verify(SELF_PEM, LEAF_PEM MIDDLE_PEM, "a.example") == BR_ERR_X509_NOT_TRUSTED,
	    "a CA file replaces it");
	ok(verify(0, LEAF_PEM MIDDLE_PEM, "c.example") == BR_ERR_X509_BAD_SERVER_NAME, "names are checked under it");
	unlink(system_name);
	ok(verify(0, LEAF_PEM MIDDLE_PEM, "a.example") == BR_ERR_X509_NOT_TRUSTED, "without it, nothing is trusted");
}

static void
test_time(void)
{
	char text[256];
	struct buf b = BUF(text);

	fake_time = 0;
	ok(verify(CA_PEM, LEAF_PEM MIDDLE_PEM, "a.example") == BR_ERR_X509_EXPIRED, "135 1970: refused");
	ok(trust_explain(BR_ERR_X509_EXPIRED, &b) == 1, "135 and the clock is to blame");
	is_str(buf_text(&b), "the clock is wrong: it says 1970-01-01T00:00:00Z", "135 which is told");
	fake_time = Y2026 - 1;
	ok(verify(CA_PEM, LEAF_PEM MIDDLE_PEM, "a.example") == BR_ERR_X509_EXPIRED, "37 a second too early");
	fake_time = Y2026;
	ok(verify(CA_PEM, LEAF_PEM MIDDLE_PEM, "a.example") == 0, "the first second");
	fake_time = 2398377600;
	ok(verify(CA_PEM, LEAF_PEM MIDDLE_PEM, "a.example") == 0, "the last second, after 2038");
	fake_time = Y2050;
	ok(verify(CA_PEM, LEAF_PEM MIDDLE_PEM, "a.example") == BR_ERR_X509_EXPIRED, "36 expired");
	buf_clear(&b);
	ok(trust_explain(BR_ERR_X509_EXPIRED, &b) == 0, "36 the clock is not known to be wrong");
	is_str(buf_text(&b), "certificate has expired, or the clock is wrong: until 2046-01-01T00:00:00Z, "
	    "now 2050-01-01T00:00:00Z", "36 the dates are told");
	fake_time = -5;
	ok(verify(CA_PEM, LEAF_PEM MIDDLE_PEM, "a.example") == BR_ERR_X509_EXPIRED, "a clock before 1970");
	fake_time = Y2027;
}

/* No truncated or changed leaf is ever accepted. */
static void
test_damage(void)
{
	struct der_list *l = ders(LEAF_PEM MIDDLE_PEM);
	struct slice chain[2];
	unsigned char *copy = malloc(l->cert[0].n);
	size_t n, full = l->cert[0].n;
	int good = 1;

	trust_begin(file_of(CA_PEM, strlen(CA_PEM)), "a.example");
	chain[1] = l->cert[1];
	for (n = 0; n < full; n++) {
		chain[0].p = memcpy(malloc(n + 1), l->cert[0].p, n);
		chain[0].n = n;
		good &= feed(chain, 2, 7) != 0;
		free((char *)chain[0].p);
	}
	ok(good, "43 a leaf cut at any byte is refused");
	for (n = 0; n < full; n++) {
		memcpy(copy, l->cert[0].p, full);
		copy[n] = (unsigned char)(copy[n] ^ (1u << n % 8));
		chain[0].p = (char *)copy;
		chain[0].n = full;
		good &= feed(chain, 2, full) != 0;
	}
	ok(good, "43 a leaf with any byte changed is refused");
	memcpy(copy, l->cert[0].p, full);
	ok(feed(chain, 2, full) == 0, "unchanged, it is not");
	free(copy);
}

static void
test_limits(void)
{
	static char junk[60000];
	struct der_list *l = ders(LEAF_PEM MIDDLE_PEM);
	struct slice chain[MAX_CERTS + 1];
	unsigned i;

	trust_begin(file_of(CA_PEM, strlen(CA_PEM)), "a.example");
	chain[0] = l->cert[0];
	chain[1] = l->cert[1];
	for (i = 2; i <= MAX_CERTS; i++)
		chain[i] = l->cert[1];
	ok(feed(chain, MAX_CERTS, 1000) == 0, "ten certificates");
	ok(feed(chain, MAX_CERTS + 1, 1000) == BR_ERR_X509_LIMIT_EXCEEDED, "42 eleven certificates");
	chain[2].p = junk;
	chain[2].n = MAX_CHAIN - chain[0].n - chain[1].n;
	ok(feed(chain, 3, 1000) == 0, "48 KiB, what is behind the anchor is not read");
	chain[2].n++;
	ok(feed(chain, 3, 1000) == BR_ERR_X509_LIMIT_EXCEEDED, "42 a byte more");
	chain[1].n = 5;
	chain[1].p = junk;
	ok(feed(chain, 2, 1000) == BR_ERR_X509_NOT_TRUSTED, "junk instead of the intermediate");
	chain[0] = chain[1];
	ok(feed(chain, 1, 1000) == BR_ERR_X509_INVALID_VALUE, "junk instead of the leaf");
	chain[0].n = 0;
	ok(feed(chain, 1, 1000) == BR_ERR_X509_INVALID_VALUE, "nothing instead of the leaf");
}

static void
test_many_anchors(void)
{
	static char text[30000];
	struct buf b = BUF(text);
	int i;

	for (i = 0; i < 30; i++)
		buf_str(&b, i < 15 ? TWIN_PEM : CA_PEM);
	ok(verify(buf_text(&b), LEAF_PEM MIDDLE_PEM, "a.example") == 0 && t.anchors == MAX_ANCHORS,
	    "more anchors of one name than fit: the first ones count");
}

/* Every built-in root is what its PEM file says: it has signed itself. */
static void
test_roots(void)
{
	static char pem[8192], der[4096];
	char path[300];
	DIR *dir = opendir("roots");
	struct dirent *d;
	unsigned found = 0;

	ok(dir != 0, "roots/ is there");
	while (dir && (d = readdir(dir))) {
		struct buf b = BUF(der);
		struct slice text, label;
		FILE *f;

		if (!strstr(d->d_name, ".pem"))
			continue;
		snprintf(path, sizeof(path), "roots/%s", d->d_name);
		f = fopen(path, "r");
		text.p = pem;
		text.n = f ? fread(pem, 1, sizeof(pem), f) : 0;
		if (f)
			fclose(f);
		t.chain = b;
		t.count = pem_next(&text, &label, &t.chain) == 1;
		t.start[0] = 0;
		t.start[1] = t.chain.len;
		t.ip_len = 4;		/* BearSSL shall look for no name */
		ok(t.count == 1 && read_chain() == 0 && validate_with(add_builtin) == 0 && t.anchors == 1, d->d_name);
		found++;
	}
	if (dir)
		closedir(dir);
	ok(found == roots_count, "each of them is in the table");
}

static void
test_bundles(void)
{
	static char text[100000];
	static const struct {
		const char *name, *text, *want;		/* want 0: good */
	} rows[] = {
		{ "one certificate", CA_PEM, 0 },
		{ "three", CA_PEM TWIN_PEM MIDDLE_PEM, 0 },
		{ "text around", "# roots\nCN=x\n\n" CA_PEM "---\nbetween\n" TWIN_PEM "end", 0 },
		{ "another kind of block", "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n" CA_PEM, 0 },
		{ "25 nothing", "", "holds no certificate" },
		{ "25 junk", "junk\n\n\n", "holds no certificate" },
		{ "25 another kind of block only", "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n", "holds no certificate" },
		{ "25 not base64", "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n", "holds a malformed certificate" },
		{ "25 not DER", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "holds a malformed certificate" },
		{ "25 no end", "-----BEGIN CERTIFICATE-----\nAAAA\n", "holds a malformed certificate" },
		{ "25 one within another", "-----BEGIN CERTIFICATE-----\nAAAA\n" CA_PEM, "holds a malformed certificate" },
		{ "25 a malformed one behind a good one", CA_PEM "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "holds a malformed certificate" },
	};
	const char *why;
	size_t i, n;
	int good;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		good = trust_check(file_of(rows[i].text, strlen(rows[i].text)), &why) == 0;
		ok(rows[i].want ? !good && strcmp(why, rows[i].want) == 0 && errno == 0 : good, rows[i].name);
	}
	for (n = 0, good = 1; n < strlen(CA_PEM) - 1; n++)
		good &= trust_check(file_of(CA_PEM, n), &why) == -1;
	ok(good, "25 a certificate cut at any byte");
	ok(trust_check(file_of(CA_PEM, n), &why) == 0, "25 but not if only the last newline is missing");

	memset(text, 'x', sizeof(text));
	memcpy(text + sizeof(text) - strlen(CA_PEM), CA_PEM, strlen(CA_PEM));
	ok(trust_check(file_of(text, sizeof(text)), &why) == -1, "a BEGIN within a line is none");
	text[sizeof(text) - strlen(CA_PEM) - 1] = '\n';
	ok(trust_check(file_of(text, sizeof(text)), &why) == 0, "a very long line of other text");
	memset(text, 'A', 50000);
	memcpy(text, "-----BEGIN CERTIFICATE-----\n", 28);
	ok(trust_check(file_of(text, sizeof(text)), &why) == -1 && strstr(why, "malformed"), "too large a block");

	ok(trust_check("/", &why) == -1 && errno == 0, "25 a directory");
	unlink(file_name);
	ok(trust_check(file_name, &why) == -1 && errno == ENOENT && strcmp(why, "cannot be read") == 0, "25 no such file");
	ok(mkfifo(file_name, 0600) == 0 && trust_check(file_name, &why) == -1 && errno == 0, "25 a FIFO does not block");
	unlink(file_name);
}

/* Wherever reads and the window over the file end, each certificate is found, once. */
static void
test_window(void)
{
	static char mem[60000];
	size_t shift, i;
	int fd, good = 1;
	struct buf b;
	struct scan s;

	for (shift = 0; shift < 20000; shift += shift > 16300 && shift < 16500 ? 1 : 61) {
		buf_init(&b, mem, sizeof(mem));
		for (i = 0; i < shift; i++)
			buf_char(&b, 'x');
		buf_char(&b, '\n');
		for (i = 0; i < 60; i++)
			buf_str(&b, i % 3 ? CA_PEM : "# between\n" MIDDLE_PEM);
		fd = open(file_of(b.p, b.len), O_RDONLY);
		scan_start(&s, 0);
		good &= !b.err && scan_file(&s, fd) == 0 && s.count == 60 && s.malformed == 0;
		close(fd);
	}
	ok(good, "certificates are found wherever they stand in a large file");
	unlink(file_name);
}

/* A file that is held is scanned once; then only what may fit is read again. */
static void
test_held(void)
{
	static char mem[400000];
	struct buf b = BUF(mem);
	const char *why;
	int i;

	for (i = 0; i < 40; i++)
		buf_str(&b, "text\n" CN_PEM SELF_PEM);
	buf_str(&b, TWIN_PEM CA_PEM SELF_PEM);
	file_of(b.p, b.len);
	trust_hold(file_name);
	ok(trust_check(file_name, &why) == 0 && known.whole && known.count == 83, "a file is scanned");
	trust_begin(file_name, "a.example");
	ok(feed(ders(LEAF_PEM MIDDLE_PEM)->cert, 2, 100) == 0 && t.anchors == 2, "what fits is found again");
	ok(feed(ders(SELF_PEM)->cert, 1, 100) == 0 && t.anchors == MAX_ANCHORS, "and for another chain");
	ok(feed(ders(LEAF_PEM)->cert, 1, 100) == BR_ERR_X509_NOT_TRUSTED && t.anchors == 0, "nothing fits");
	ok(trust_check(file_name, &why) == 0 && known.count == 83, "scanned once more");
	file_of(mem + 1, b.len - 1);
	ok(feed(ders(LEAF_PEM MIDDLE_PEM)->cert, 2, 100) == BR_ERR_X509_NOT_TRUSTED,
	    "nothing is taken from where a certificate was before the file changed");
	file_of(CA_PEM, strlen(CA_PEM));
	ok(feed(ders(LEAF_PEM MIDDLE_PEM)->cert, 2, 100) == BR_ERR_X509_NOT_TRUSTED, "nor from behind its end");

	for (i = 83; i < MAX_INDEX; i++)
		buf_str(&b, SELF_PEM);
	buf_str(&b, CA_PEM);
	file_of(b.p, b.len);
	trust_hold(file_name);
	ok(!b.err && trust_check(file_name, &why) == 0 && !known.whole, "more certificates than are remembered");
	ok(feed(ders(LEAF_PEM MIDDLE_PEM)->cert, 2, 100) == 0 && t.anchors == 3, "all of them are scanned again");
	close(held.fd);
	held.on = 0;
	unlink(file_name);
}

static void
test_reasons(void)
{
	char text[256];
	struct buf b = BUF(text);
	int e, good = 1;

	verify(CA_PEM, LEAF_PEM MIDDLE_PEM, "c.example");
	for (e = BR_ERR_X509_OK + 1; e <= BR_ERR_X509_NOT_TRUSTED; e++) {
		buf_clear(&b);
		good &= trust_explain(e, &b) == 0 && b.len > 0 && !b.err;
	}
	ok(good, "every error of a certificate has a text");
	ok(trust_explain(BR_ERR_OK, &b) == -1 && trust_explain(BR_ERR_IO, &b) == -1 &&
	    trust_explain(BR_ERR_RECV_FATAL_ALERT + 48, &b) == -1, "errors of TLS are not explained here");
	buf_clear(&b);
	trust_explain(BR_ERR_X509_BAD_SERVER_NAME, &b);
	is_str(buf_text(&b), "certificate is not for this name: c.example, but for a.example", "both names are told");
}

int
main(void)
{
	close(mkstemp(file_name));
	close(mkstemp(system_name));
	fake_time = Y2027;
	test_chains();
	test_system();
	test_time();
	test_limits();
	test_many_anchors();
	test_damage();
	test_window();
	test_held();
	test_reasons();
	test_roots();
	test_bundles();
	unlink(file_name);
	return tap_done();
}
