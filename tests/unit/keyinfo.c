/*
 * keyinfo: public keys, and private keys in each of their structures, as
 * openssl 3.0 writes them.
 */
#include "../tap.h"
#include "../../keyinfo.c"
#include "../exact.h"
#include "../keys.h"

static const char p521_sec1[] =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MIHcAgEBBEIA4Y7ri/+SCFPSRQzUkYLal8wGYHKvZGfo5bXG0zJG0wkjFbhPm6Pd\n"
    "1N0dHESWHSQ3ihM7EHEQkzqqW2fnShnnLR2gBwYFK4EEACOhgYkDgYYABAEDuS74\n"
    "4sDNY649tnfi6HYcYgT7la7IBw5ZPh8w6EDJp9WYfI5wYRMqSdmf4jhOCyQEQ6RI\n"
    "vnCUYQot8hYk1jN4UwCv480hFbk0lRATUM7Y1XLS6q0bWM4NSW8APbHrbDDXLTWT\n"
    "vlHBPElYyTReb2Tq4uQRPk6a6wk9tjsvp19Tt1vFSA==\n"
    "-----END EC PRIVATE KEY-----\n";

static const char explicit_pkcs8[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIIBeQIBADCCAQMGByqGSM49AgEwgfcCAQEwLAYHKoZIzj0BAQIhAP////8AAAAB\n"
    "AAAAAAAAAAAAAAAA////////////////MFsEIP////8AAAABAAAAAAAAAAAAAAAA\n"
    "///////////////8BCBaxjXYqjqT57PrvVV2mIa8ZR0GsMxTsPY7zjw+J9JgSwMV\n"
    "AMSdNgiG5wSTamZ44ROdJreBn36QBEEEaxfR8uEsQkf4vOblY6RA8ncDfYEt6zOg\n"
    "9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9QIhAP////8A\n"
    "AAAA//////////+85vqtpxeehPO5ysL8YyVRAgEBBG0wawIBAQQg5GsoDos4Th7p\n"
    "1O/+7R3B33881i1zVIZDFeFBxD4nhaKhRANCAARNalhAGJF3wt2pSWOFyc9laHxy\n"
    "wSlFndEi+gUzqvxkDROAEdyVvY6Blgfflklcm7M0Yn3/cibJz6rQKnLyo7RW\n"
    "-----END PRIVATE KEY-----\n";

static const char explicit_sec1[] =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MIIBaAIBAQQg5GsoDos4Th7p1O/+7R3B33881i1zVIZDFeFBxD4nhaKggfowgfcC\n"
    "AQEwLAYHKoZIzj0BAQIhAP////8AAAABAAAAAAAAAAAAAAAA////////////////\n"
    "MFsEIP////8AAAABAAAAAAAAAAAAAAAA///////////////8BCBaxjXYqjqT57Pr\n"
    "vVV2mIa8ZR0GsMxTsPY7zjw+J9JgSwMVAMSdNgiG5wSTamZ44ROdJreBn36QBEEE\n"
    "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54W\n"
    "K84zV2sxXs7LtkBoN79R9QIhAP////8AAAAA//////////+85vqtpxeehPO5ysL8\n"
    "YyVRAgEBoUQDQgAETWpYQBiRd8LdqUljhcnPZWh8csEpRZ3RIvoFM6r8ZA0TgBHc\n"
    "lb2OgZYH35ZJXJuzNGJ9/3Imyc+q0Cpy8qO0Vg==\n"
    "-----END EC PRIVATE KEY-----\n";

static int
parse_key(struct slice der)
{
	struct sk sk;

	return sk_read(slice(name), der, &sk);
}

static int
parse_spki(struct slice der)
{
	struct pk pk;

	return spki_read(der, &pk);
}

static void
test_spki(void)
{
	static const char head[] = "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01"
	    "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00\x04";
	static const struct {
		const char *name;
		size_t at;
		char byte;
		int want;
	} rows[] = {
		{ "compressed point", 26, 2, -1 }, { "infinity", 26, 0, -1 }, { "unused bits", 25, 1, -1 },
		{ "another curve", 22, 6, -2 }, { "another algorithm", 12, 2, -2 },
		{ "OCTET STRING for BIT STRING", 23, 4, -1 }, { "SET for SEQUENCE", 2, 0x31, -1 },
	};
	char key[91], mem[600];
	struct buf b = BUF(mem);
	struct pk pk, again;
	size_t i;

	memcpy(key, head, 27);
	for (i = 27; i < sizeof(key); i++)
		key[i] = (char)i;
	ok(spki_read(slice_of(key, 91), &pk) == 0 && pk.type == PK_P256 &&
	    equal(pk.a, key + 27, 32) && equal(pk.b, key + 59, 32), "P-256 public key");
	spki_write(&b, &pk);
	ok(equal(buf_view(&b), key, 91), "is written the same");
	ok(exact(buf_view(&b), parse_spki), "and nothing else in its place");
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char text[80] = "public key rejected: ", old = key[rows[i].at];

		key[rows[i].at] = rows[i].byte;
		ok(spki_read(slice_of(key, 91), &again) == rows[i].want,
		    strncat(text, rows[i].name, 50));
		key[rows[i].at] = old;
	}
}

static void
test_rsa_spki(void)
{
	char mem[600];
	struct buf b = BUF(mem);
	struct sk sk;
	struct pk pk = { PK_RSA, { 0, 0 }, { 0, 0 } }, again;

	sk_read(slice("RSA PRIVATE KEY"), unpem(rsa2048_pkcs1), &sk);
	pk.a = sk.n;
	pk.b = sk.e;
	spki_write(&b, &pk);
	ok(b.len == 294 && spki_read(buf_view(&b), &again) == 0 && again.type == PK_RSA &&
	    equal(again.a, sk.n.p, sk.n.n) && equal(again.b, "\1\0\1", 3) && sk.n.n == 256,
	    "RSA public key, both ways");
	ok(exact(buf_view(&b), parse_spki), "and nothing else in its place");
	/* 30 82 .. .. 30 0d 06 09 oid[9] 05 00 03 82 .. .. 00 30 ... */
	mem[20] = 1;
	ok(spki_read(buf_view(&b), &again) == -1, "RSA with parameters is rejected");
}

static void
test_keys(void)
{
	static const struct {
		const char *name, *pem, *pkcs8;
		enum pk_type type;
	} rows[] = {
		{ "PKCS#1", rsa2048_pkcs1, rsa2048_pkcs8, PK_RSA },
		{ "PKCS#8 RSA", rsa2048_pkcs8, rsa2048_pkcs8, PK_RSA },
		{ "SEC 1 P-256", ec256_sec1, ec256_pkcs8, PK_P256 },
		{ "PKCS#8 P-256", ec256_pkcs8, ec256_pkcs8, PK_P256 },
		{ "SEC 1 P-384", ec384_sec1, ec384_pkcs8, PK_P384 },
		{ "PKCS#8 P-384", ec384_pkcs8, ec384_pkcs8, PK_P384 },
		{ "SEC 1 P-256 without point", ec256_no_public, 0, PK_P256 },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char text[80], mem[2000];
		struct buf b = BUF(mem);
		struct slice der = unpem(rows[i].pem);
		struct sk sk;

		snprintf(text, sizeof(text), "%s is read", rows[i].name);
		ok(sk_read(slice(name), der, &sk) == 0 && sk.type == rows[i].type, text);
		sk_write(&b, &sk);
		snprintf(text, sizeof(text), "%s: no prefix and no extension is", rows[i].name);
		ok(exact(der, parse_key), text);
		if (!rows[i].pkcs8)
			continue;
		der = unpem(rows[i].pkcs8);
		snprintf(text, sizeof(text), "%s is written as openssl writes PKCS#8", rows[i].name);
		ok(!b.err && equal(der, mem, b.len), text);
	}
}

static void
test_other_keys(void)
{
	static const char *const rows[] = { p521_sec1, p521_pkcs8, explicit_sec1, explicit_pkcs8 };
	struct slice der;
	struct sk sk;
	size_t i;
	int good = 1;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		der = unpem(rows[i]);
		good = good && sk_read(slice(name), der, &sk) == -2;
	}
	ok(good, "other curves, and curves by parameters, are told apart from malformed keys");
	der = unpem(rsa2048_pkcs1);
	block[6] = 1;		/* 30 82 xx xx 02 01 00 */
	ok(sk_read(slice(name), der, &sk) == -2, "so are keys of several primes");
	block[6] = 2;
	ok(sk_read(slice(name), der, &sk) == -1, "but not unknown versions");
	ok(sk_read(slice("OPENSSH PRIVATE KEY"), der, &sk) == -3, "other labels are told apart");
	der = unpem(ec256_sec1);
	ok(sk_read(slice("PRIVATE KEY"), der, &sk) == -1 &&
	    sk_read(slice("RSA PRIVATE KEY"), der, &sk) == -1, "a label must fit its structure");
}

/* 30 LEN 02 01 01 04 20 x[32] a0 0a 06 08 curve[8] */
static void
test_sec1_details(void)
{
	static const struct {
		const char *name, *head;	/* what stands before the secret and its length */
		size_t secret;
		const char *tail;
		size_t tail_n;
		int want;
	} rows[] = {
		{ "no curve", "\x02\x01\x01", 32, "", 0, -1 },
		{ "a curve", "\x02\x01\x01", 32, "\xa0\x0a\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", 12, 0 },
		{ "secret too short", "\x02\x01\x01", 31, "\xa0\x0a\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", 12, -1 },
		{ "secret too long", "\x02\x01\x01", 33, "\xa0\x0a\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", 12, -1 },
		{ "version 0", "\x02\x01\x00", 32, "\xa0\x0a\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", 12, -1 },
		{ "P-384 with 32 bytes", "\x02\x01\x01", 32, "\xa0\x07\x06\x05\x2b\x81\x04\x00\x22", 9, -1 },
		{ "curve twice", "\x02\x01\x01", 32, "\xa0\x14\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
		    "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", 22, -1 },
		{ "empty curve", "\x02\x01\x01", 32, "\xa0\x00", 2, -1 },
		{ "empty point", "\x02\x01\x01", 32, "\xa0\x0a\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
		    "\xa1\x03\x03\x01\x00", 17, -1 },
		{ "something else behind", "\x02\x01\x01", 32, "\xa0\x0a\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
		    "\xa2\x00", 14, -1 },
	};
	static char mem[100], secret[33] = { 1 };
	size_t i, m;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf b = BUF(mem);
		struct sk sk;

		m = der_open(&b, DER_SEQUENCE);
		buf_mem(&b, rows[i].head, 3);
		der_bytes(&b, DER_OCTET_STRING, secret, rows[i].secret);
		buf_mem(&b, rows[i].tail, rows[i].tail_n);
		der_close(&b, m);
		snprintf(block, sizeof(block), "SEC 1 with %s", rows[i].name);
		ok(sk_read(slice("EC PRIVATE KEY"), buf_view(&b), &sk) == rows[i].want, block);
	}
}

static void
test_pkcs8_details(void)
{
	static const struct {
		const char *name, *head, *tail;
		size_t tail_n;
		int want;
	} rows[] = {
		{ "attributes", "\x02\x01\x00", "\xa0\x02\x31\x00", 4, 0 },
		{ "version 1", "\x02\x01\x01", "", 0, -1 },
		{ "something else behind", "\x02\x01\x00", "\xa1\x00", 2, -1 },
	};
	static char mem[200], inner[200];
	struct slice der;
	size_t i, m, n;

	der = unpem(ec256_pkcs8);
	n = der.n - 6;
	memcpy(inner, der.p + 6, n);	/* behind 30 81 xx 02 01 00 */
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf b = BUF(mem);
		struct sk sk;

		m = der_open(&b, DER_SEQUENCE);
		buf_mem(&b, rows[i].head, 3);
		buf_mem(&b, inner, n);
		buf_mem(&b, rows[i].tail, rows[i].tail_n);
		der_close(&b, m);
		snprintf(block, sizeof(block), "PKCS#8 with %s", rows[i].name);
		ok(sk_read(slice("PRIVATE KEY"), buf_view(&b), &sk) == rows[i].want, block);
	}
}

int
main(void)
{
	test_spki();
	test_rsa_spki();
	test_keys();
	test_other_keys();
	test_sec1_details();
	test_pkcs8_details();
	return tap_done();
}
