/*
 * asn1: requests and certificates.  The vectors are RFC 9773 A, RFC 8737 3 and
 * what openssl 3.0 writes; the keys guard nothing.
 */
#include "../tap.h"
#include "../../asn1.c"
#include "../exact.h"

static const char ca_pem[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBbjCCARSgAwIBAgIBATAKBggqhkjOPQQDAjAkMRAwDgYDVQQKDAdUZXN0ZXJz\n"
    "MRAwDgYDVQQDDAdUZXN0IENBMCAXDTI2MTEyMzIzNDIxNloYDzIwODEwODI2MjM0\n"
    "MjE2WjAkMRAwDgYDVQQKDAdUZXN0ZXJzMRAwDgYDVQQDDAdUZXN0IENBMFkwEwYH\n"
    "KoZIzj0CAQYIKoZIzj0DAQcDQgAE5PAb385gf2Ohkv7t765nXNaq96A7WIchwt2m\n"
    "VopC1JxRHQ1riy8DH5q27sEnidId5wriVOgYVWomfso+tkqA7aM1MDMwEgYDVR0T\n"
    "AQH/BAgwBgEB/wIBADAdBgNVHQ4EFgQUOGT5dnPZ0PwY16k5o0qzdg3xOVAwCgYI\n"
    "KoZIzj0EAwIDSAAwRQIgalMV3ZSjQL29Ib8p6aTjWfA6Kfq23YwBlURPoGvvnlQC\n"
    "IQCRKv3phGevIyfVptPqwlhozpDZV2It3/8XVgA1QhZjhQ==\n"
    "-----END CERTIFICATE-----\n";

static const char leaf_pem[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIICYzCCAgigAwIBAgILAP/u3cy7qpmId2YwCgYIKoZIzj0EAwIwJDEQMA4GA1UE\n"
    "CgwHVGVzdGVyczEQMA4GA1UEAwwHVGVzdCBDQTAeFw0yNjExMjMyMzQyNDBaFw0y\n"
    "NzAyMjEyMzQyNDBaMDgxDjAMBgNVBAMMBWZpcnN0MRAwDgYDVQQKDAdUZXN0ZXJz\n"
    "MRQwEgYDVQQDDAtleGFtcGxlLmNvbTB2MBAGByqGSM49AgEGBSuBBAAiA2IABMsc\n"
    "nyCS2hRXcfwT1KcQJu5S79r7J3FKiOWL7nM/uoD9WdcfgoKLYOaVBqfE3q9sFkwv\n"
    "cq1ID+TeNNu0koPCWWEHXEgYuRH6ttxm901i4xm8mkZlqaXUM4mmphhxIOYT+KOB\n"
    "7zCB7DBiBgNVHREEWzBZggtleGFtcGxlLmNvbYENYUBleGFtcGxlLmNvbYINKi5l\n"
    "eGFtcGxlLmNvbYcEwAACAYYUaHR0cHM6Ly9leGFtcGxlLmNvbS+HECABDbgAAAAA\n"
    "AAAAAAAAAAEwCQYDVR0TBAIwADAOBgNVHQ8BAf8EBAMCB4AwHQYDVR0OBBYEFLmD\n"
    "AVfUloehztjQoLdyMRl8ZyS6MEwGA1UdIwRFMEOAFDhk+XZz2dD8GNepOaNKs3YN\n"
    "8TlQoSikJjAkMRAwDgYDVQQKDAdUZXN0ZXJzMRAwDgYDVQQDDAdUZXN0IENBggEB\n"
    "MAoGCCqGSM49BAMCA0kAMEYCIQDP4+d2UO8wgobCti6LEJ0YzMigvEIFjIxXCmFJ\n"
    "YF2z9wIhAINtmqY02SETOvQukj7eTwSTxrL1xTmSGDCTf6qaRbOB\n"
    "-----END CERTIFICATE-----\n";

static const char csr_cn[] =
    "-----BEGIN CERTIFICATE REQUEST-----\n"
    "MIIBDzCBlgIBADAXMRUwEwYDVQQDDAxvbmx5LmV4YW1wbGUwdjAQBgcqhkjOPQIB\n"
    "BgUrgQQAIgNiAATLHJ8gktoUV3H8E9SnECbuUu/a+ydxSojli+5zP7qA/VnXH4KC\n"
    "i2DmlQanxN6vbBZML3KtSA/k3jTbtJKDwllhB1xIGLkR+rbcZvdNYuMZvJpGZaml\n"
    "1DOJpqYYcSDmE/igADAKBggqhkjOPQQDAgNoADBlAjAvolX/gCkFu6l/bePZOKDO\n"
    "KdMljzwNFAOfceayrkN8RGhBCXtGcT8BK8bhAHxEqc8CMQDlZoOzHo23UAjfKox8\n"
    "7Xo0K6xd6J0Fp+Wb5t2Zyk78n86/9mylR7kkDLRdXWqvePY=\n"
    "-----END CERTIFICATE REQUEST-----\n";

static const char csr_same[] =
    "-----BEGIN CERTIFICATE REQUEST-----\n"
    "MIIBQzCBywIBADAUMRIwEAYDVQQDDAlBLmV4YW1wbGUwdjAQBgcqhkjOPQIBBgUr\n"
    "gQQAIgNiAATLHJ8gktoUV3H8E9SnECbuUu/a+ydxSojli+5zP7qA/VnXH4KCi2Dm\n"
    "lQanxN6vbBZML3KtSA/k3jTbtJKDwllhB1xIGLkR+rbcZvdNYuMZvJpGZaml1DOJ\n"
    "pqYYcSDmE/igODA2BgkqhkiG9w0BCQ4xKTAnMCUGA1UdEQQeMByCCWEuZXhhbXBs\n"
    "ZYIJYi5leGFtcGxlhwTAAAIHMAoGCCqGSM49BAMCA2cAMGQCMF9BKSnYR+3tGqrn\n"
    "aa3DAhvinAByo4mO2OckhlRsdDF/6vvoG3s6E5M8iPlMCO7w+gIwGF6eZMIXS1X6\n"
    "CWEBiD2rkiYFpzwtC9W49A8sIZC3zHjnQJAxtPf98F+z3c8dm4/k\n"
    "-----END CERTIFICATE REQUEST-----\n";

static const char csr_other[] =
    "-----BEGIN CERTIFICATE REQUEST-----\n"
    "MIIBPzCBxQIBADAUMRIwEAYDVQQDDAljLmV4YW1wbGUwdjAQBgcqhkjOPQIBBgUr\n"
    "gQQAIgNiAATLHJ8gktoUV3H8E9SnECbuUu/a+ydxSojli+5zP7qA/VnXH4KCi2Dm\n"
    "lQanxN6vbBZML3KtSA/k3jTbtJKDwllhB1xIGLkR+rbcZvdNYuMZvJpGZaml1DOJ\n"
    "pqYYcSDmE/igMjAwBgkqhkiG9w0BCQ4xIzAhMBQGA1UdEQQNMAuCCWEuZXhhbXBs\n"
    "ZTAJBgNVHRMEAjAAMAoGCCqGSM49BAMCA2kAMGYCMQCMYLWf7ddjYsLCfWhkPl1i\n"
    "2IvDu2Zq8JElBB8yNAzduZePIrNmtU8H/jOhP8eDE8gCMQD3Qyhy84Dt9E4MokaZ\n"
    "14WEJZ3pmEBZ5cOhhOYayIhDsGhYWwJ2OXm2VYG72Ascll8=\n"
    "-----END CERTIFICATE REQUEST-----\n";

static const char csr_attribute[] =
    "-----BEGIN CERTIFICATE REQUEST-----\n"
    "MIIBSjCB0AIBADAMMQowCAYDVQQKDAF4MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAE\n"
    "yxyfIJLaFFdx/BPUpxAm7lLv2vsncUqI5Yvucz+6gP1Z1x+Cgotg5pUGp8Ter2wW\n"
    "TC9yrUgP5N4027SSg8JZYQdcSBi5Efq23Gb3TWLjGbyaRmWppdQziaamGHEg5hP4\n"
    "oEUwFQYJKoZIhvcNAQkHMQgMBnNlY3JldDAsBgkqhkiG9w0BCQ4xHzAdMBsGA1Ud\n"
    "EQQUMBKHECABDbgAAAAAAAAAAAAAAAcwCgYIKoZIzj0EAwIDaQAwZgIxAKxZ56y8\n"
    "d7eBEvdli/MixHbA1LHQFb3IM3hn3VCmXV1nqhoA2BorpO6m7C3CTK/FCQIxAJ/y\n"
    "U0sEkjO1Dwr7v4xK98tQHx23kpacL7nNcBlcxj63IUymEgGLBuopxAno6P3xkw==\n"
    "-----END CERTIFICATE REQUEST-----\n";

static const char csr_p521[] =
    "-----BEGIN CERTIFICATE REQUEST-----\n"
    "MIIBWjCBvAIBADAXMRUwEwYDVQQDDAxwNTIxLmV4YW1wbGUwgZswEAYHKoZIzj0C\n"
    "AQYFK4EEACMDgYYABADNLZjvQN+jR+tHnhCqR8FedGqQiC/D+ZGR0z4dl1o4Tqbh\n"
    "uPe5u8r6I/v9egqwd47qJwhCGvXrR1kL+mFa7B7HdQGuz00KnJlRfvbqtNyip75y\n"
    "CkLQtCG0/lPPC33PmTi9Al9qJVOS6kfyhSTevnqlk8YOPzQt61dwGfaHM0jbilPS\n"
    "/qAAMAoGCCqGSM49BAMCA4GMADCBiAJCAbVLmZVebf2zlFuL3YvUXc7eImgKNphJ\n"
    "yIT5uEocrIbihmk5fm5LBWZS7l4SsVqBNQRfai4EkVFkxGQ9KzXEV5C8AkIBlYQm\n"
    "uN6gBq/Btxh5nJOjlxmx9BUozIkT+l7x27o+BHgABLvyC1GMLSPIOHQMiaavKsVY\n"
    "oYg+ob9E7S78nzn3XbY=\n"
    "-----END CERTIFICATE REQUEST-----\n";

static const char csr_rsa[] =
    "-----BEGIN CERTIFICATE REQUEST-----\n"
    "MIICbDCCAVQCAQAwADCCASIwDQYJKoZIhvcNAQEBBQADggEPADCCAQoCggEBALS7\n"
    "JE/gIkDtfYxcyyLMSlC4ds1gK8dkcIERe62z6yEu0AOmHWnqJkYcw6t6R/Mt7c+N\n"
    "x8dKx/BSwF1HT/8HHMpzsMJQw5HUCwV/CqtIz4cOJTd12UXpplHbTrTGTe/lBii4\n"
    "YYz2+cXk8asNjiw3VacJ7CAAR6wykj9kKzXcGZzSynKgPZdkX4pOBoSnGWbcmI+q\n"
    "2Z0ELSoCI8dUGob38TEqwhGTzb8fu1j1zt70L/0WUI8SWHXnPBToUy/o6exRHzVL\n"
    "vobVRk3ASEu3g7cLaNCLyMerbIkEOYAjXkob+vEiWWTVvmeP5tFTbCWyOysu4hLK\n"
    "+e9FhNC05zN63zTu6rUCAwEAAaAnMCUGCSqGSIb3DQEJDjEYMBYwFAYDVR0RBA0w\n"
    "C4IJci5leGFtcGxlMA0GCSqGSIb3DQEBCwUAA4IBAQBilPYjtsllSJemmy3rYDIC\n"
    "ipHdZt/JmAweQ0ssiAq0/nl2oUCcjYOBaYQ9EjaS3MFTyy8ERNqOfjbbi8QN8k+p\n"
    "oTb2eaxyQMRRD57E9kG4sLBWXXF2z6z7ahijQwZt19o3HxSjhwV1y0987RchXqdl\n"
    "T2VX74TQ4XQmskLSW86m3lN7O1OQ/FytHZJKTMUo3MBUoNF8YTK3/gpFy0+09yP9\n"
    "PrtqIipHHSdU4KIXaAt5bnPBwQ/XOGO7nHC1xu6mJ8FEmHEEP9lW76ZQnhgDl/Yf\n"
    "7S8UJPcLzaHVn2/Yl6SqZPXGRZGnjCYjrHvnx1HB2/5h0dyJenGqwQfPC4rScCtd\n"
    "-----END CERTIFICATE REQUEST-----\n";

/* RFC 9773 Appendix A. */
static const char ari_pem[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBQzCB66ADAgECAgUAh2VDITAKBggqhkjOPQQDAjAVMRMwEQYDVQQDEwpFeGFt\n"
    "cGxlIENBMCIYDzAwMDEwMTAxMDAwMDAwWhgPMDAwMTAxMDEwMDAwMDBaMBYxFDAS\n"
    "BgNVBAMTC2V4YW1wbGUuY29tMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeBZu\n"
    "7cbpAYNXZLbbh8rNIzuOoqOOtmxA1v7cRm//AwyMwWxyHz4zfwmBhcSrf47NUAFf\n"
    "qzLQ2PPQxdTXREYEnKMjMCEwHwYDVR0jBBgwFoAUaYhba4dGQEHhs3uEe6CuLN4B\n"
    "yNQwCgYIKoZIzj0EAwIDRwAwRAIge09+S5TZAlw5tgtiVvuERV6cT4mfutXIlwTb\n"
    "+FYN/8oCIClDsqBklhB9KAelFiYt9+6FDj3z4KGVelYM5MdsO3pK\n"
    "-----END CERTIFICATE-----\n";

static int
parse_cert(struct slice der)
{
	struct x509 c;

	return x509_read(der, &c);
}

static int
parse_csr(struct slice der)
{
	struct san san[8];
	struct pk pk;
	size_t n;

	return csr_read(der, &pk, san, 8, &n);
}

static void
test_ari(void)
{
	struct slice der = unpem(ari_pem);
	struct x509 c;
	struct pk pk;
	char mem[100];
	struct buf b = BUF(mem);

	ok(x509_read(der, &c) == 0, "RFC 9773 A: the certificate is read");
	ok(equal(c.aki, "\x69\x88\x5b\x6b\x87\x46\x40\x41\xe1\xb3\x7b\x84\x7b\xa0\xae\x2c\xde\x01\xc8\xd4", 20),
	    "its keyIdentifier");
	ok(equal(c.serial, "\x00\x87\x65\x43\x21", 5), "its serial, leading zero kept");
	base64url_encode(&b, c.aki.p, c.aki.n);
	buf_char(&b, '.');
	base64url_encode(&b, c.serial.p, c.serial.n);
	is_str(buf_text(&b), "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE", "its ARI identifier");
	ok(c.not_before == -62135596800 && c.not_after == c.not_before, "its dates in year 1");
	ok(slice_is(c.issuer_cn, "Example CA") && slice_is(c.subject_cn, "example.com"), "its names");
	ok(spki_read(c.spki, &pk) == 0 && pk.type == PK_P256, "its key");
	ok(c.san_ext.n == 0 && c.ski.n == 0 && !c.ca, "it has no other extension");
	ok(exact(der, parse_cert), "no prefix and no extension of it is read");
}

static void
test_cert(void)
{
	static const struct {
		int ip;
		const char *text;
		size_t n;
	} want[] = {
		{ 0, "example.com", 11 }, { 0, "*.example.com", 13 }, { 1, "\xc0\x00\x02\x01", 4 },
		{ 1, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16 },
	};
	struct slice der = unpem(leaf_pem), rest;
	struct san san;
	struct x509 c;
	struct pk pk;
	size_t i;
	int good = 1;

	ok(x509_read(der, &c) == 0, "a certificate with everything is read");
	ok(equal(c.serial, "\x00\xff\xee\xdd\xcc\xbb\xaa\x99\x88\x77\x66", 11), "serial");
	ok(slice_is(c.subject_cn, "example.com") && slice_is(c.issuer_cn, "Test CA"), "last common name");
	ok(c.not_before == 1795477360 && c.not_after == 1803253360, "UTCTime");
	ok(equal(c.ski, "\xb9\x83\x01\x57\xd4\x96\x87\xa1\xce\xd8\xd0\xa0\xb7\x72\x31\x19\x7c\x67\x24\xba", 20) &&
	    equal(c.aki, "\x38\x64\xf9\x76\x73\xd9\xd0\xfc\x18\xd7\xa9\x39\xa3\x4a\xb3\x76\x0d\xf1\x39\x50", 20),
	    "key identifiers, other parts skipped");
	ok(spki_read(c.spki, &pk) == 0 && pk.type == PK_P384 && !c.ca, "key; no CA");
	ok(equal(c.sig_alg, "\x2a\x86\x48\xce\x3d\x04\x03\x02", 8) && c.sig.n > 60 && c.sig.p[0] == 0x30,
	    "signature");
	ok(c.tbs.p == der.p + 4 && c.tbs.p[0] == 0x30, "what is signed");
	rest = c.san_ext;
	for (i = 0; i < 4; i++)
		good = good && x509_san(&rest, &san) == 1 && san.ip == want[i].ip &&
		    equal(san.s, want[i].text, want[i].n);
	ok(good && x509_san(&rest, &san) == 0, "DNS names and addresses in their order, others skipped");
	ok(exact(der, parse_cert), "no prefix and no extension of it is read");
	ok(x509_read(unpem(ca_pem), &c) == 0 && c.ca && c.not_after == 3523477336,
	    "a CA with GeneralizedTime");
	ok(equal(c.issuer, c.subject.p, c.subject.n) && c.subject.p[0] == 0x30, "issuer and subject");
}

/* A certificate of parts, each one replaceable. */
enum part { VERSION, SERIAL, ALG, ISSUER, VALIDITY, SUBJECT, KEY, EXTENSIONS, OUTER, SIG, PARTS };
struct raw { const char *p; size_t n; };
#define RAW(text) { text, sizeof(text) - 1 }
#define NAME "\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01\x41"
#define DATES "\x30\x1e\x17\x0d" "260101000000Z" "\x17\x0d" "260401000000Z"
#define ECDSA "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"

static const struct raw plain[PARTS] = {
	[VERSION] = RAW("\xa0\x03\x02\x01\x02"),
	[SERIAL] = RAW("\x02\x01\x05"),
	[ALG] = RAW(ECDSA),
	[ISSUER] = RAW(NAME),
	[VALIDITY] = RAW(DATES),
	[SUBJECT] = RAW(NAME),
	[KEY] = RAW("\x30\x02\x05\x00"),
	[EXTENSIONS] = RAW(""),
	[OUTER] = RAW(ECDSA),
	[SIG] = RAW("\x03\x02\x00\x55"),
};

static int
build(struct x509 *c, enum part part, struct raw replacement)
{
	struct buf b = BUF(block);
	size_t cert = der_open(&b, DER_SEQUENCE), tbs = der_open(&b, DER_SEQUENCE);
	int i;

	for (i = 0; i < PARTS; i++) {
		struct raw r = i == (int)part ? replacement : plain[i];

		buf_mem(&b, r.p, r.n);
		if (i == EXTENSIONS)
			der_close(&b, tbs);
	}
	der_close(&b, cert);
	return b.err ? -2 : x509_read(buf_view(&b), c);
}

static void
test_parts(void)
{
	static const struct {
		const char *name;
		enum part part;
		struct raw raw;
		int want;
	} rows[] = {
		{ "nothing special", PARTS, RAW(""), 0 },
		{ "version 1, left out", VERSION, RAW(""), 0 },
		{ "version 4", VERSION, RAW("\xa0\x03\x02\x01\x03"), -1 },
		{ "version without integer", VERSION, RAW("\xa0\x00"), -1 },
		{ "serial zero", SERIAL, RAW("\x02\x01\x00"), 0 },
		{ "serial negative", SERIAL, RAW("\x02\x01\x80"), 0 },
		{ "serial empty", SERIAL, RAW("\x02\x00"), -1 },
		{ "serial not minimal", SERIAL, RAW("\x02\x02\x00\x01"), -1 },
		{ "serial of 21 bytes", SERIAL, RAW("\x02\x15\x01" "aaaaaaaaaaaaaaaaaaaa"), 0 },
		{ "two signature algorithms", OUTER, RAW("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03"), -1 },
		{ "a signature of bits", SIG, RAW("\x03\x02\x01\x54"), -1 },
		{ "no signature", SIG, RAW(""), -1 },
		{ "something behind it", SIG, RAW("\x03\x02\x00\x55\x05\x00"), -1 },
		{ "an empty subject", SUBJECT, RAW("\x30\x00"), 0 },
		{ "an empty RDN", SUBJECT, RAW("\x30\x02\x31\x00"), -1 },
		{ "a name that is no name", SUBJECT, RAW("\x30\x02\x05\x00"), -1 },
		{ "unique identifiers", EXTENSIONS, RAW("\x81\x02\x00\x01\x82\x02\x00\x01"), 0 },
		{ "an unknown field", EXTENSIONS, RAW("\xa4\x00"), -1 },
		{ "no extension in the list", EXTENSIONS, RAW("\xa3\x02\x30\x00"), 0 },
		{ "an unknown extension", EXTENSIONS, RAW("\xa3\x0b\x30\x09\x30\x07\x06\x01\x29\x04\x02\x05\x00"), 0 },
		{ "basicConstraints empty", EXTENSIONS,
		    RAW("\xa3\x0d\x30\x0b\x30\x09\x06\x03\x55\x1d\x13\x04\x02\x30\x00"), 0 },
		{ "basicConstraints cA TRUE", EXTENSIONS,
		    RAW("\xa3\x10\x30\x0e\x30\x0c\x06\x03\x55\x1d\x13\x04\x05\x30\x03\x01\x01\xff"), 1 },
		{ "basicConstraints cA FALSE written out", EXTENSIONS,
		    RAW("\xa3\x10\x30\x0e\x30\x0c\x06\x03\x55\x1d\x13\x04\x05\x30\x03\x01\x01\x00"), 0 },
		{ "basicConstraints cA 1", EXTENSIONS,
		    RAW("\xa3\x10\x30\x0e\x30\x0c\x06\x03\x55\x1d\x13\x04\x05\x30\x03\x01\x01\x01"), -1 },
		{ "basicConstraints twice", EXTENSIONS, RAW("\xa3\x18\x30\x16"
		    "\x30\x09\x06\x03\x55\x1d\x13\x04\x02\x30\x00\x30\x09\x06\x03\x55\x1d\x13\x04\x02\x30\x00"), -1 },
		{ "a critical extension", EXTENSIONS,
		    RAW("\xa3\x10\x30\x0e\x30\x0c\x06\x03\x55\x1d\x13\x01\x01\xff\x04\x02\x30\x00"), 0 },
		{ "an extension without value", EXTENSIONS,
		    RAW("\xa3\x0b\x30\x09\x30\x07\x06\x03\x55\x1d\x13\x04\x00"), -1 },
		{ "an extension of garbage", EXTENSIONS,
		    RAW("\xa3\x0d\x30\x0b\x30\x09\x06\x03\x55\x1d\x13\x04\x02\x30\x01"), -1 },
		{ "an address of 5 bytes", EXTENSIONS, RAW("\xa3\x14\x30\x12\x30\x10\x06\x03\x55\x1d\x11"
		    "\x04\x09\x30\x07\x87\x05\x01\x02\x03\x04\x05"), -1 },
		{ "a name of no known kind", EXTENSIONS, RAW("\xa3\x10\x30\x0e\x30\x0c\x06\x03\x55\x1d\x11"
		    "\x04\x05\x30\x03\x42\x01\x41"), -1 },
		{ "an AKI without keyIdentifier", EXTENSIONS,
		    RAW("\xa3\x10\x30\x0e\x30\x0c\x06\x03\x55\x1d\x23\x04\x05\x30\x03\x82\x01\x05"), 0 },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char text[100];
		struct x509 c;
		int got = build(&c, rows[i].part, rows[i].raw);

		snprintf(text, sizeof(text), "certificate with %s", rows[i].name);
		ok(got == (rows[i].want < 0 ? -1 : 0) && (got || c.ca == rows[i].want), text);
	}
}

static void
test_nul(void)
{
	static const struct raw extension = RAW("\xa3\x1e\x30\x1c\x30\x1a\x06\x03\x55\x1d\x11\x04\x13"
	    "\x30\x11\x82\x0f" "a.example\0.test");
	struct san san;
	struct x509 c;

	ok(build(&c, EXTENSIONS, extension) == 0 && x509_san(&c.san_ext, &san) == 1 &&
	    equal(san.s, "a.example\0.test", 15), "a NUL in a name stays in it");
}

static void
test_times(void)
{
	static const struct {
		const char *text;	/* 13: UTCTime, 15: GeneralizedTime */
		int good;
		int64_t t;
	} rows[] = {
		{ "700101000000Z", 1, 0 }, { "500101000000Z", 1, -631152000 },
		{ "491231235959Z", 1, 2524607999 }, { "000229120000Z", 1, 951825600 },
		{ "20500101000000Z", 1, 2524608000 }, { "19700101000000Z", 1, 0 },
		{ "00010101000000Z", 1, -62135596800 }, { "99991231235959Z", 1, 253402300799 },
		{ "20240229000000Z", 1, 1709164800 }, { "24000229000000Z", 1, 13574563200 },
		{ "20560701123456Z", 1, 2729680496 },
		{ "00000101000000Z", 0, 0 }, { "20230229000000Z", 0, 0 }, { "21000229000000Z", 0, 0 },
		{ "20240431000000Z", 0, 0 }, { "20241301000000Z", 0, 0 }, { "20240001000000Z", 0, 0 },
		{ "20240100000000Z", 0, 0 }, { "20240101240000Z", 0, 0 }, { "20240101006000Z", 0, 0 },
		{ "20240101000060Z", 0, 0 }, { "20240101000000z", 0, 0 }, { "2024010100000 Z", 0, 0 },
		{ "240101000000+", 0, 0 }, { "2401010000+00", 0, 0 }, { "24010100000-Z", 0, 0 },
		{ "20240101000000", 0, 0 }, { "202401010000Z", 0, 0 }, { "2401010000Z", 0, 0 },
		{ "20240101000000.5Z", 0, 0 }, { "240101000000+0000", 0, 0 }, { "", 0, 0 }, { "Z", 0, 0 },
	};
	static char text[100], mem[64];
	struct x509 c;
	size_t i, m;
	int tag, got;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf b = BUF(mem);

		tag = strlen(rows[i].text) == 13 ? DER_UTCTIME : DER_GENERALIZEDTIME;
		m = der_open(&b, DER_SEQUENCE);
		der_bytes(&b, tag, rows[i].text, strlen(rows[i].text));
		der_bytes(&b, DER_UTCTIME, "260101000000Z", 13);
		der_close(&b, m);
		got = build(&c, VALIDITY, (struct raw){ mem, b.len });
		snprintf(text, sizeof(text), "time %s is %s", rows[i].text, rows[i].good ? "read" : "rejected");
		ok(got == rows[i].good - 1 && (got || c.not_before == rows[i].t), text);
	}
}

static void
test_times_written(void)
{
	static const struct {
		int64_t t;
		const char *want;	/* 0: cannot be written */
	} rows[] = {
		{ 0, "\x17\x0d" "700101000000Z" }, { 2524607999, "\x17\x0d" "491231235959Z" },
		{ 2524608000, "\x18\x0f" "20500101000000Z" }, { -631152000, "\x17\x0d" "500101000000Z" },
		{ -631152001, "\x18\x0f" "19491231235959Z" }, { 951825599, "\x17\x0d" "000229115959Z" },
		{ -62135596800, "\x18\x0f" "00010101000000Z" }, { 253402300799, "\x18\x0f" "99991231235959Z" },
		{ -62135596801, 0 }, { 253402300800, 0 },
		{ INT64_MAX, 0 }, { INT64_MIN, 0 }, { 1795477360, "\x17\x0d" "261123234240Z" },
	};
	size_t i;
	int64_t t, back;
	int good = 1;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char mem[32];
		struct buf b = BUF(mem);

		write_time(&b, rows[i].t);
		good = good && (rows[i].want ? slice_is(buf_view(&b), rows[i].want) : b.err);
	}
	ok(good, "times are written as UTCTime up to 2049, then as GeneralizedTime");
	for (t = -62135596800; good && t <= 253402300799; t += 86400 * 173 + 12347) {
		char mem[32];
		struct buf b = BUF(mem);
		struct der d;

		write_time(&b, t);
		d = der_of(buf_view(&b));
		read_time(&d, &back);
		good = der_end(&d) && back == t;
	}
	ok(good, "and read back as what they were, through all years");
}

/* The signature of tests: a marker, then how many bytes were to be signed. */
static int
fake_sign(void *ctx, const void *p, size_t n, struct buf *sig)
{
	*(struct slice *)ctx = slice_of(p, n);
	buf_str(sig, "SIGNED");
	return 0;
}

static int
no_sign(void *ctx, const void *p, size_t n, struct buf *sig)
{
	(void)ctx, (void)p, (void)n, (void)sig;
	return -1;
}

static const char x256[] = "abcdefghijklmnopqrstuvwxyz012345", y256[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
static const struct pk p256 = { PK_P256, { x256, 32 }, { y256, 32 } };
static const struct san names[] = {
	{ 0, { "example.com", 11 } }, { 0, { "*.example.com", 13 } }, { 1, { "\xc0\x00\x02\x01", 4 } },
};

static void
test_csr_written(void)
{
	/* As RFC 2986 4 lays it out, by hand. */
	static const char info[] =
	    "\x30\x81\xa0\x02\x01\x00\x30\x00"
	    "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
	    "\x03\x42\x00\x04" "abcdefghijklmnopqrstuvwxyz012345ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
	    "\xa0\x3e\x30\x3c\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e\x31\x2f\x30\x2d"
	    "\x30\x2b\x06\x03\x55\x1d\x11\x04\x24\x30\x22"
	    "\x82\x0b" "example.com" "\x82\x0d" "*.example.com" "\x87\x04\xc0\x00\x02\x01";
	static const char tail[] = "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02\x03\x07\x00SIGNED";
	size_t info_n = sizeof(info) - 1, tail_n = sizeof(tail) - 1, n, i;
	char mem[400];
	struct buf b = BUF(mem);
	struct slice tbs;
	struct san san[3];
	struct pk pk;
	int good = 1;

	ok(csr_write(&b, &p256, names, 3, fake_sign, &tbs) == 0, "a request is written");
	ok(b.len == 3 + info_n + tail_n && memcmp(mem, "\x30\x81\xb8", 3) == 0 &&
	    memcmp(mem + 3, info, info_n) == 0 && memcmp(mem + 3 + info_n, tail, tail_n) == 0,
	    "as RFC 2986 has it, with an empty subject");
	ok(tbs.n == info_n, "what is signed is its information");
	ok(csr_read(buf_view(&b), &pk, san, 3, &n) == 0 && n == 3 && pk.type == PK_P256, "it is read");
	for (i = 0; i < 3; i++)
		good = good && san[i].ip == names[i].ip && equal(san[i].s, names[i].s.p, names[i].s.n);
	ok(good && equal(pk.a, x256, 32) && equal(pk.b, y256, 32), "with its names and its key");
	ok(csr_read(buf_view(&b), &pk, san, 2, &n) == -1, "more names than there is room for");
	ok(exact(buf_view(&b), parse_csr), "no prefix and no extension of it is read");
}

static void
test_csr_refused(void)
{
	static const struct san bad[] = {
		{ 0, { "", 0 } }, { 0, { "b\xc3\xbc", 3 } }, { 1, { "\1\2\3", 3 } }, { 1, { "", 0 } },
	};
	static char mem[400];
	struct slice tbs;
	size_t i;
	int good = 1;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct buf b = BUF(mem);

		good = good && csr_write(&b, &p256, &bad[i], 1, fake_sign, &tbs) == -1 && b.err;
	}
	ok(good, "names that cannot stand in a request are refused");
	for (i = 0; i < 187; i++) {
		struct buf b;

		buf_init(&b, mem, i);
		good = good && csr_write(&b, &p256, names, 3, fake_sign, &tbs) == -1 && b.err;
	}
	ok(good, "so is too little room");
	{
		struct buf b = BUF(mem), c = BUF(mem);

		ok(csr_write(&b, &p256, names, 0, fake_sign, &tbs) == -1, "and a request for no name");
		ok(csr_write(&c, &p256, names, 3, no_sign, 0) == -1 && c.err, "and one that cannot be signed");
	}
}

static void
test_csr_foreign(void)
{
	static const struct {
		const char *name, *pem, *names;		/* joined by spaces, addresses as # */
		enum pk_type type;
	} rows[] = {
		{ "only a common name", csr_cn, "only.example", PK_P384 },
		{ "a common name that is also an alternative one", csr_same, "a.example b.example #", PK_P384 },
		{ "another common name", csr_other, "a.example c.example", PK_P384 },
		{ "a challenge password", csr_attribute, "#", PK_P384 },
		{ "a key of another curve", csr_p521, "p521.example", PK_NONE },
		{ "an RSA key and no subject", csr_rsa, "r.example", PK_RSA },
	};
	size_t i, k, n;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char text[100], mem[200];
		struct buf b = BUF(mem);
		struct slice der = unpem(rows[i].pem);
		struct san san[8];
		struct pk pk;
		int r = csr_read(der, &pk, san, 8, &n);

		for (k = 0; r == 0 && k < n; k++) {
			if (k)
				buf_char(&b, ' ');
			if (san[k].ip)
				buf_char(&b, '#');
			else
				buf_slice(&b, san[k].s);
		}
		snprintf(text, sizeof(text), "foreign request with %s", rows[i].name);
		ok(r == 0 && pk.type == rows[i].type, text);
		is_str(buf_text(&b), rows[i].names, "its names");
		ok(exact(der, parse_csr), "no prefix and no extension of it is read");
		ok(csr_read(der, &pk, san, n - 1, &n) == -1, "nor with less room for names");
	}
}

static void
test_csr_parts(void)
{
	static const struct {
		const char *name;
		struct raw attributes;
		int want;
	} rows[] = {
		{ "no attributes field", RAW(""), 0 },
		{ "no attributes", RAW("\xa0\x00"), 0 },
		{ "a foreign attribute", RAW("\xa0\x07\x30\x05\x06\x01\x29\x31\x00"), 0 },
		{ "an attribute that is no SET", RAW("\xa0\x07\x30\x05\x06\x01\x29\x30\x00"), -1 },
		{ "an empty extension request", RAW("\xa0\x0f\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e\x31\x00"), -1 },
		{ "no extensions", RAW("\xa0\x11\x30\x0f\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e\x31\x02\x30\x00"), 0 },
		{ "two extension requests", RAW("\xa0\x22"
		    "\x30\x0f\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e\x31\x02\x30\x00"
		    "\x30\x0f\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e\x31\x02\x30\x00"), -1 },
		{ "two values", RAW("\xa0\x13\x30\x11\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e\x31\x04\x30\x00\x30\x00"), -1 },
		{ "attributes under another tag", RAW("\xa1\x00"), -1 },
	};
	size_t i, csr, info, n;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf b = BUF(block);
		struct san san[2];
		struct pk pk;
		char text[80];

		csr = der_open(&b, DER_SEQUENCE);
		info = der_open(&b, DER_SEQUENCE);
		der_small(&b, 0);
		buf_mem(&b, NAME, sizeof(NAME) - 1);
		spki_write(&b, &p256);
		buf_mem(&b, rows[i].attributes.p, rows[i].attributes.n);
		der_close(&b, info);
		buf_mem(&b, ECDSA "\x03\x02\x00\x55", sizeof(ECDSA) + 3);
		der_close(&b, csr);
		snprintf(text, sizeof(text), "request with %s", rows[i].name);
		ok(csr_read(buf_view(&b), &pk, san, 2, &n) == rows[i].want && (rows[i].want || n == 1), text);
	}
}

static void
test_alpn(void)
{
	/* RFC 8737 3, digest of protocol's example key authorization. */
	static const unsigned char digest[32] =
	    "\x94\x23\x3b\x71\x9c\x90\x5d\xc5\x47\x2b\x69\xe7\x5b\x78\xe3\x02"
	    "\x13\x53\xdc\x5b\xe6\xd7\xc5\x0d\xfa\x45\x99\x66\x49\xca\xa1\x83";
	static const char extensions[] = "\xa3\x51\x30\x4f"
	    "\x30\x1a\x06\x03\x55\x1d\x11\x04\x13\x30\x11\x82\x0f" "www.example.com"
	    "\x30\x31\x06\x08\x2b\x06\x01\x05\x05\x07\x01\x1f\x01\x01\xff\x04\x22\x04\x20"
	    "\x94\x23\x3b\x71\x9c\x90\x5d\xc5\x47\x2b\x69\xe7\x5b\x78\xe3\x02"
	    "\x13\x53\xdc\x5b\xe6\xd7\xc5\x0d\xfa\x45\x99\x66\x49\xca\xa1\x83";
	static const struct san host = { 0, { "www.example.com", 15 } };
	static const struct san v6 = { 1, { "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16 } };
	size_t n = sizeof(extensions) - 1, i;
	char mem[600];
	struct buf b = BUF(mem), a = BUF(mem), small;
	struct slice tbs, rest;
	struct san san;
	struct x509 c;
	int good = 1;

	ok(alpn_cert_write(&b, &p256, &host, digest, 1795477360, 2524608000, fake_sign, &tbs) == 0 &&
	    x509_read(buf_view(&b), &c) == 0, "a tls-alpn-01 certificate is written");
	ok(tbs.n == c.tbs.n && memcmp(c.tbs.p + c.tbs.n - n, extensions, n) == 0,
	    "with a SAN and the critical acmeIdentifier, and no other extension");
	ok(memcmp(c.tbs.p + 4, "\xa0\x03\x02\x01\x02\x02\x10", 7) == 0, "version 3");
	ok(c.serial.n == 16 && (c.serial.p[0] & 0xc0) == 0x40, "a positive serial of 16 bytes");
	ok(c.issuer.n == c.subject.n && memcmp(c.issuer.p, c.subject.p, c.issuer.n) == 0, "issuer is subject");
	ok(c.not_before == 1795477360 && c.not_after == 2524608000, "dates of both kinds");
	ok(!c.ca && c.sig.n == 6, "no CA, signed by the callback");
	ok(exact(buf_view(&b), parse_cert), "no prefix and no extension of it is read");
	for (i = 0; i < b.len; i++) {
		buf_init(&small, block, i);
		good = good && alpn_cert_write(&small, &p256, &host, digest, 1795477360, 2524608000,
		    fake_sign, &tbs) == -1;
	}
	ok(good, "too little room is refused");
	ok(alpn_cert_write(&a, &p256, &v6, digest, 0, 1, fake_sign, &tbs) == 0 &&
	    x509_read(buf_view(&a), &c) == 0, "one for an address");
	rest = c.san_ext;
	ok(x509_san(&rest, &san) == 1 && san.ip && equal(san.s, v6.s.p, 16) && x509_san(&rest, &san) == 0,
	    "has it as iPAddress");
}

static void
test_algorithms(void)
{
	static const char n256[256] = "\xff", x384[48] = "\1";
	static const struct {
		const char *name;
		struct pk pk;
		struct raw alg;
	} rows[] = {
		{ "RSA", { PK_RSA, { n256, 256 }, { "\1\0\1", 3 } },
		    RAW("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00") },
		{ "P-256", { PK_P256, { x384, 32 }, { x384, 32 } }, RAW(ECDSA) },
		{ "P-384", { PK_P384, { x384, 48 }, { x384, 48 } },
		    RAW("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03") },
	};
	size_t i, n;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char mem[1000], text[80];
		struct buf b = BUF(mem);
		struct slice tbs;
		struct san san[3];
		struct pk pk;

		snprintf(text, sizeof(text), "request by %s: signature algorithm and key", rows[i].name);
		ok(csr_write(&b, &rows[i].pk, names, 3, fake_sign, &tbs) == 0 &&
		    memcmp(mem + b.len - 9 - rows[i].alg.n, rows[i].alg.p, rows[i].alg.n) == 0 &&
		    csr_read(buf_view(&b), &pk, san, 3, &n) == 0 && pk.type == rows[i].pk.type &&
		    equal(pk.a, rows[i].pk.a.p, rows[i].pk.a.n) && exact(buf_view(&b), parse_csr), text);
	}
}

int
main(void)
{
	test_ari();
	test_cert();
	test_parts();
	test_nul();
	test_times();
	test_times_written();
	test_csr_written();
	test_csr_refused();
	test_csr_foreign();
	test_csr_parts();
	test_alpn();
	test_algorithms();
	return tap_done();
}
