/* chain.c: what may become live and what may not.  Certificates by openssl, throw-away keys, valid until 2056. */
#include <stdarg.h>

#include "../tap.h"
#include "../../chain.c"
#include "../../key.h"

static const char leaf_pem[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBiTCCAS+gAwIBAgIEEjSrzTAKBggqhkjOPQQDAjAcMRowGAYDVQQDDBFUZXN0\n"
	"IEludGVybWVkaWF0ZTAgFw0yNjExMjMyMzUzNDlaGA8yMDU2MDkyNjIzNTM0OVow\n"
	"ADBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABFZAlzscIOm1gFQfU9O1zswJ0s1L\n"
	"/BBJEpE07js+R7GmWiGZEtKL4X0IFtB8/9I8bEhx4nKFtuIPPRR2upJZ/YOjeTB3\n"
	"MCcGA1UdEQQgMB6CCWEuZXhhbXBsZYILKi5hLmV4YW1wbGWHBMAAAgEwDAYDVR0T\n"
	"AQH/BAIwADAdBgNVHQ4EFgQUemuIGSJItCZrurnwOgqGlAW+984wHwYDVR0jBBgw\n"
	"FoAU6Nc6GnNWJ+UFj7JbmuEwEFGn+IowCgYIKoZIzj0EAwIDSAAwRQIgUqZh9fMg\n"
	"ENLrer5e+JxktCmmFr4ewda1TQ6kvbggOv8CIQDHXAK8+WkrrNGVpUGhXIjMYRCq\n"
	"roaAYwURzNPi+rnkIA==\n"
	"-----END CERTIFICATE-----\n"
	;
static const char upper_pem[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBezCCASGgAwIBAgIEEjSrzTAKBggqhkjOPQQDAjAcMRowGAYDVQQDDBFUZXN0\n"
	"IEludGVybWVkaWF0ZTAgFw0yNjExMjMyMzUzNDlaGA8yMDU2MDkyNjIzNTM0OVow\n"
	"ADBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABFZAlzscIOm1gFQfU9O1zswJ0s1L\n"
	"/BBJEpE07js+R7GmWiGZEtKL4X0IFtB8/9I8bEhx4nKFtuIPPRR2upJZ/YOjazBp\n"
	"MCcGA1UdEQQgMB6CCUEuRXhhbXBsZYILKi5hLmV4YW1wbGWHBMAAAgEwHQYDVR0O\n"
	"BBYEFHpriBkiSLQma7q58DoKhpQFvvfOMB8GA1UdIwQYMBaAFOjXOhpzViflBY+y\n"
	"W5rhMBBRp/iKMAoGCCqGSM49BAMCA0gAMEUCIQDV/D1CUiRiFowdQKFXTjisnTCM\n"
	"g/eoEj9wygCfhPS0GwIgfzPX/Aq2S1Il4skk9NR4FaNJbJV2E5R5ww/Ze1X9BYE=\n"
	"-----END CERTIFICATE-----\n"
	;
static const char ca_leaf_pem[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBjDCCATKgAwIBAgIEEjSrzTAKBggqhkjOPQQDAjAcMRowGAYDVQQDDBFUZXN0\n"
	"IEludGVybWVkaWF0ZTAgFw0yNjExMjMyMzUzNDlaGA8yMDU2MDkyNjIzNTM0OVow\n"
	"ADBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABFZAlzscIOm1gFQfU9O1zswJ0s1L\n"
	"/BBJEpE07js+R7GmWiGZEtKL4X0IFtB8/9I8bEhx4nKFtuIPPRR2upJZ/YOjfDB6\n"
	"MCcGA1UdEQQgMB6CCWEuZXhhbXBsZYILKi5hLmV4YW1wbGWHBMAAAgEwDwYDVR0T\n"
	"AQH/BAUwAwEB/zAdBgNVHQ4EFgQUemuIGSJItCZrurnwOgqGlAW+984wHwYDVR0j\n"
	"BBgwFoAU6Nc6GnNWJ+UFj7JbmuEwEFGn+IowCgYIKoZIzj0EAwIDSAAwRQIgSRHK\n"
	"FL6mgR7vKE/NNsSEuOU6UdtQi/TCC2V35j7JzuACIQDFMOmoWZ/GaSPmU7r0Puaj\n"
	"aGvBRhRsN+CsxoxNijLuyg==\n"
	"-----END CERTIFICATE-----\n"
	;
static const char expired_pem[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBdjCCARygAwIBAgIBBzAKBggqhkjOPQQDAjAcMRowGAYDVQQDDBFUZXN0IElu\n"
	"dGVybWVkaWF0ZTAeFw0yNjExMjMyMzUzNDlaFw0yNjExMjIyMzUzNDlaMAAwWTAT\n"
	"BgcqhkjOPQIBBggqhkjOPQMBBwNCAARWQJc7HCDptYBUH1PTtc7MCdLNS/wQSRKR\n"
	"NO47PkexplohmRLSi+F9CBbQfP/SPGxIceJyhbbiDz0UdrqSWf2Do2swaTAnBgNV\n"
	"HREEIDAegglhLmV4YW1wbGWCCyouYS5leGFtcGxlhwTAAAIBMB0GA1UdDgQWBBR6\n"
	"a4gZIki0Jmu6ufA6CoaUBb73zjAfBgNVHSMEGDAWgBTo1zoac1Yn5QWPslua4TAQ\n"
	"Uaf4ijAKBggqhkjOPQQDAgNIADBFAiEA5tBR3IuDltlc74E2uTGvMywMWlAQ4bhN\n"
	"i7ZajQSixE0CIHglQsJMIgXEpW16d9Akn3Oo6ZEvGUXa60zUxbr8clvE\n"
	"-----END CERTIFICATE-----\n"
	;
static const char inter_pem[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBhjCCAS2gAwIBAgIUAbUfR06XhNXGz0hlWZObSNm/xw4wCgYIKoZIzj0EAwIw\n"
	"FDESMBAGA1UEAwwJVGVzdCBSb290MCAXDTI2MTEyMzIzNTM0OVoYDzIwNTcwMTA0\n"
	"MjM1MzQ5WjAcMRowGAYDVQQDDBFUZXN0IEludGVybWVkaWF0ZTBZMBMGByqGSM49\n"
	"AgEGCCqGSM49AwEHA0IABOjhIt3RPIeitWRrxJ6iVujG5vkK6qgE1NuYLZ5kZgVh\n"
	"bU9cb/3Eek41yqvU0t/83JNfKgACr0XEZGhRQ22VL9yjUzBRMA8GA1UdEwEB/wQF\n"
	"MAMBAf8wHQYDVR0OBBYEFOjXOhpzViflBY+yW5rhMBBRp/iKMB8GA1UdIwQYMBaA\n"
	"FI/bbRMJzRbypD/tJ+6mRXnr0KY7MAoGCCqGSM49BAMCA0cAMEQCIGnVxp53Sgst\n"
	"LODlSFfAIkqMdnkyx12wFc0+QiAnTo7UAiBFTWvBbGR8rFID/Iq7TgnRv4h8E3IZ\n"
	"7IBUoJTZI3Y6BA==\n"
	"-----END CERTIFICATE-----\n"
	;
static const char root_pem[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBfzCCASWgAwIBAgIUUf2x2eChCJh1M1DSSwMq7yynMIgwCgYIKoZIzj0EAwIw\n"
	"FDESMBAGA1UEAwwJVGVzdCBSb290MCAXDTI2MTEyMzIzNTM0OVoYDzIwNTcwMTA0\n"
	"MjM1MzQ5WjAUMRIwEAYDVQQDDAlUZXN0IFJvb3QwWTATBgcqhkjOPQIBBggqhkjO\n"
	"PQMBBwNCAATHWGFagGWb2NX2xj28R6OjiGVq5F6fTrPrwmrYCEjCR/+fvchX5hnk\n"
	"lu5uwb1n0t9yEa/abAwpQjESSJHYo+Dvo1MwUTAdBgNVHQ4EFgQUj9ttEwnNFvKk\n"
	"P+0n7qZFeevQpjswHwYDVR0jBBgwFoAUj9ttEwnNFvKkP+0n7qZFeevQpjswDwYD\n"
	"VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiBBVzkvM68TA1WofMQgKEDy\n"
	"Ei/1ivV5KTIHAIJWI0nufwIhANzEXY9mPKpFEt9Ty6RqkcCSIx4hXI2JcOC/2Ptl\n"
	"flkg\n"
	"-----END CERTIFICATE-----\n"
	;
static const char leaf_key[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgwjKl+XCmpoFlbSoZ\n"
	"sR5dSkThe5U37E0aiVN4i908j3ahRANCAARWQJc7HCDptYBUH1PTtc7MCdLNS/wQ\n"
	"SRKRNO47PkexplohmRLSi+F9CBbQfP/SPGxIceJyhbbiDz0UdrqSWf2D\n"
	"-----END PRIVATE KEY-----\n"
	;
static const char other_key[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjsd2Eqcwrd3l6SKf\n"
	"FmHAfAobqIzCaQWmYZkFhNc97uShRANCAASzEjJobqLB1IhB1jaow0c9dvMoI12H\n"
	"MRTHa/w8quB0uViBz7TcDdKfRypWPYOiuaRnkFYv98TuMAfADEmfM21E\n"
	"-----END PRIVATE KEY-----\n"
	;

static char text[LIMIT_CHAIN], out_mem[LIMIT_CHAIN];

/* The parts up to a null pointer, checked; the static text of why, "" if good. */
static const char *
check(struct chain *chain, const struct conf *c, const char *key_pem, const char *part, ...)
{
	static struct key key;
	struct pk pk;
	struct buf b = BUF(text), out = BUF(out_mem);
	const char *why = "";
	va_list ap;

	va_start(ap, part);
	for (; part; part = va_arg(ap, const char *))
		buf_str(&b, part);
	va_end(ap);
	if (key_read(&key, slice(key_pem), &why) < 0)
		return "the test's key";
	key_public(&key, &pk);
	if (chain_check(chain, buf_view(&b), c, &pk, &out, &why) == 0)
		return "";
	return why;
}

static void
names(struct conf *c, const char *a, const char *b, const char *d)
{
	memset(c, 0, sizeof(*c));
	c->name[0] = a;
	c->name[1] = b;
	c->name[2] = d;
	c->names = 3;
}

static void
ranks(void)
{
	static char mem[2048], small[20];
	struct buf all = BUF(text), offered = BUF(mem), little = BUF(small);

	buf_all(&all, leaf_pem, inter_pem, (char *)0);
	ok(chain_rank(buf_view(&all), "Test Root", &offered) == CHAIN_ROOT, "the root that issued the last one");
	is_str(buf_text(&offered), "\"Test Intermediate\", \"Test Root\"", "all issuers are named");
	ok(chain_rank(buf_view(&all), "Test Intermediate", &offered) == CHAIN_ISSUER, "an issuer on the way");
	ok(chain_rank(buf_view(&all), "Test", &offered) == CHAIN_OTHER &&
	    chain_rank(buf_view(&all), "", &offered) == CHAIN_OTHER, "no part of a name");
	is_str(buf_text(&offered), "\"Test Intermediate\", \"Test Root\"", "issuers are named once");
	ok(chain_rank(slice(leaf_pem), "Test Intermediate", &little) == CHAIN_ROOT && !little.err &&
	    chain_rank(buf_view(&all), "x", &little) == CHAIN_OTHER && !little.err, "what does not fit");
	is_str(buf_text(&little), "\"Test Intermediate\"", "is left out");
	buf_str(&all, root_pem);
	ok(chain_rank(buf_view(&all), "Test Root", &offered) == CHAIN_ROOT, "a chain with its root");
	ok(chain_rank(slice("x"), "Test Root", &offered) == CHAIN_OTHER, "no chain");
}

static void
belongs(void)
{
	static struct key key;
	struct conf c;
	struct pk pk;
	const char *why;

	key_read(&key, slice(leaf_key), &why);
	key_public(&key, &pk);
	ok(chain_is_for(slice(leaf_pem), &pk) && !chain_is_for(slice(inter_pem), &pk) &&
	    !chain_is_for(slice(""), &pk), "whose key it is");
	names(&c, "x.example", "192.0.2.1", "y.example");
	ok(chain_shares_name(slice(leaf_pem), &c), "a name in common");
	names(&c, "x.example", "192.0.2.2", "b.a.example");
	ok(!chain_shares_name(slice(leaf_pem), &c) && !chain_shares_name(slice("x"), &c), "none");
}

int
main(void)
{
	struct chain ch;
	struct conf c, fewer, others;
	char crlf[sizeof(leaf_pem) * 2];
	struct buf b = BUF(crlf), many = BUF(text);
	static char eleven[LIMIT_CHAIN];
	size_t i;

	names(&c, "a.example", "*.a.example", "192.0.2.1");
	names(&others, "a.example", "*.a.example", "192.0.2.2");
	fewer = c;
	fewer.names = 2;

	is_str(check(&ch, &c, leaf_key, leaf_pem, inter_pem, (char *)0), "", "a chain of two");
	ok(ch.cert.n + ch.chain.n == ch.fullchain.n && slice_is(ch.cert, leaf_pem) &&
	    slice_is(ch.chain, inter_pem), "is cut into its parts");
	is_str(ch.serial, "1234abcd", "serial");
	is_str(check(&ch, &c, leaf_key, leaf_pem, (char *)0), "", "a chain of one");
	ok(ch.chain.n == 0, "has an empty rest");
	is_str(check(&ch, &c, leaf_key, leaf_pem, inter_pem, root_pem, (char *)0), "", "with its root");
	is_str(check(&ch, &c, leaf_key, "Subject: x\n\n", leaf_pem, "\ntext\n", inter_pem, (char *)0), "",
	    "text between is left out");
	ok(slice_is(ch.chain, inter_pem), "of the files too");
	for (i = 0; leaf_pem[i]; i++) {
		if (leaf_pem[i] == '\n')
			buf_char(&b, '\r');
		buf_char(&b, leaf_pem[i]);
	}
	is_str(check(&ch, &c, leaf_key, buf_text(&b), inter_pem, (char *)0), "", "CRLF");
	ok(slice_is(ch.cert, leaf_pem), "becomes LF");
	is_str(check(&ch, &c, leaf_key, upper_pem, inter_pem, (char *)0), "", "names in another case");

	ok(*check(&ch, &c, other_key, leaf_pem, inter_pem, (char *)0), "another key is refused");
	ok(*check(&ch, &fewer, leaf_key, leaf_pem, inter_pem, (char *)0), "a name too many");
	ok(*check(&ch, &others, leaf_key, leaf_pem, inter_pem, (char *)0), "another address");
	ok(*check(&ch, &c, leaf_key, ca_leaf_pem, inter_pem, (char *)0), "a CA's certificate");
	ok(*check(&ch, &c, leaf_key, expired_pem, inter_pem, (char *)0), "an expired one");
	ok(*check(&ch, &c, leaf_key, leaf_pem, root_pem, (char *)0), "a gap in the chain");
	ok(*check(&ch, &c, leaf_key, inter_pem, leaf_pem, (char *)0), "the wrong order");
	ok(*check(&ch, &c, leaf_key, leaf_pem, leaf_key, (char *)0), "something else than certificates");
	ok(*check(&ch, &c, leaf_key, "", (char *)0), "nothing");
	ok(*check(&ch, &c, leaf_key, "<html></html>", (char *)0), "no PEM");
	buf_init(&many, eleven, sizeof(eleven));
	for (i = 0; i < 10; i++)
		buf_str(&many, root_pem);
	ok(*check(&ch, &c, leaf_key, leaf_pem, inter_pem, buf_text(&many), (char *)0), "more than ten");
	ok(chain_read(&ch, slice(leaf_pem)) == 0 && ch.not_after > ch.not_before, "validity is read");
	ok(chain_read(&ch, slice("x")) == -1, "of a certificate only");
	for (i = 0; i < strlen(leaf_pem) - 1; i++) {
		struct slice cut = { leaf_pem, i };

		if (chain_read(&ch, cut) == 0)
			break;
	}
	ok(i == strlen(leaf_pem) - 1, "every truncation is refused");
	ranks();
	belongs();
	return tap_done();
}
