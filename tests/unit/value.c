/* Single values of options: what is kept of them, what is refused. */
#include "../tap.h"
#include "../../value.c"

static char long_path[LIMIT_PATH + 1] = "/";	/* the rest by main */

static const struct {
	value_check *check;
	const char *value, *kept;	/* kept 0: refused */
} rows[] = {
	{ value_path, "/a/b", "/a/b" },
	{ value_path, "/a b/'c\"", "/a b/'c\"" },
	{ value_path, long_path, 0 },
	{ value_program, "name", "name" },
	{ value_program, "standalone:[::1]:80", "standalone:[::1]:80" },
	{ value_program, "/a", "/a" },
	{ value_types, "dns-01", "dns-01" },
	{ value_types, "dns-01,http-01,tls-alpn-01", "dns-01,http-01,tls-alpn-01" },
	{ value_types, "dns", 0 }, { value_types, "dns-01,", 0 }, { value_types, ",dns-01", 0 },
	{ value_types, "dns-account-01,dns-persist-01", "dns-account-01,dns-persist-01" },
	{ value_word, "shortlived", "shortlived" }, { value_word, "a b", 0 }, { value_word, "a\"b", 0 },
	{ value_label, "work-2", "work-2" }, { value_label, "../x", 0 }, { value_label, ".x", 0 },
	{ value_when, "+30d", "+30d" }, { value_when, "+30", 0 }, { value_when, "+d", 0 },
	{ value_when, "2027-01-31T12:00:00Z", "2027-01-31T12:00:00Z" }, { value_when, "tomorrow", 0 },
	{ value_input, "-", "-" }, { value_input, "/key", "/key" },
	{ value_types, "dns-01 http-01", 0 }, { value_types, "DNS-01", 0 },
	{ value_env, "A=", "A=" }, { value_env, "A=b=c", "A=b=c" }, { value_env, "VALUE_TEST", "VALUE_TEST=x y" },
	{ value_env, "VALUE_UNSET", 0 }, { value_env, "VALUE_LINES", 0 }, { value_env, "=a", 0 },
	{ value_env, "A-B=c", 0 }, { value_env, "1A=b", 0 }, { value_env, "LD_PRELOAD=x", 0 },
	{ value_env, "ACME_HOME=x", 0 }, { value_env, "UACME_TOKEN=x", 0 },
	{ value_server, "LetsEncrypt", "letsencrypt" }, { value_server, "zerossl.com", "zerossl" },
	{ value_server, "https://localhost:14000/dir", "https://localhost:14000/dir" },
	{ value_server, "https://acme.zerossl.com/v2/DV90", "https://acme.zerossl.com/v2/DV90" },
	{ value_server, "https://[::1]:14000/dir", "https://[::1]:14000/dir" },
	{ value_server, "nobody", 0 }, { value_server, "http://ca.example/d", 0 },
	{ value_server, "file:///d", 0 }, { value_server, "https://", 0 }, { value_server, "https:///d", 0 },
	{ value_server, "https://user@ca.example/d", 0 }, { value_server, "https://ca.example:0/d", 0 },
	{ value_server, "https://ca.example:65536/d", 0 }, { value_server, "https://ca.example/d#f", 0 },
	{ value_server, "https://ca.example/a b", 0 }, { value_server, "https://ca.example\\d", 0 },
	{ value_server, "buypass", 0 }, { value_server, "harica", 0 },
	{ value_server, "https://acme-v02.harica.gr/acme/ID/directory", 0 },
	{ value_key_type, "ec-256", "ec256" }, { value_key_type, "4096", "rsa4096" },
	{ value_key_type, "rsa1024", 0 }, { value_key_type, "ed25519", 0 },
	{ value_mail, "a@b.example", "a@b.example" }, { value_mail, "a+b@c", "a+b@c" },
	{ value_mail, "a", 0 }, { value_mail, "@b", 0 }, { value_mail, "a@", 0 }, { value_mail, "a@b@c", 0 },
	{ value_mail, "a b@c", 0 }, { value_mail, "a\"@b", 0 }, { value_mail, "a@b,c@d", 0 },
	{ value_mail, "mailto:a@b", 0 }, { value_mail, "\303\274@b", 0 }, { value_mail, "a\t@b", 0 },
	{ value_proxy, "http://p:1", "http://p:1" }, { value_proxy, "p:1", "http://p:1" },
	{ value_proxy, "HTTP://p:1/", "HTTP://p:1/" }, { value_proxy, "http://u:p@w@h:1", "http://u:p@w@h:1" },
	{ value_proxy, "u:p@h:1", "http://u:p@h:1" }, { value_proxy, "http://[::1]:1", "http://[::1]:1" },
	{ value_proxy, "https://p:1", 0 }, { value_proxy, "socks5://u@p:1", 0 }, { value_proxy, "http://", 0 },
	{ value_proxy, "http://p:x", 0 }, { value_proxy, "http://p/a", 0 }, { value_proxy, "http://u:p @h", 0 },
	{ value_proxy, "http://u@", 0 }, { value_proxy, long_path, 0 },
	{ value_reason, "superseded", "superseded" }, { value_reason, "KEYCOMPROMISE", "KEYCOMPROMISE" },
	{ value_reason, "certificateHold", 0 }, { value_reason, "1", 0 },
	{ value_cert_name, "*.a.example", "*.a.example" }, { value_cert_name, "web-rsa", "web-rsa" },
	{ value_cert_name, "../a", 0 }, { value_cert_name, "a/b", 0 }, { value_cert_name, ".", 0 },
	{ value_cert_name, "-a", 0 }, { value_cert_name, "a b", 0 },
};

static const char *const bad_numbers[] = { "", "-1", "+1", "0x1", " 3", "3 ", "1e9", "1.5", "1", "86401",
	"2147483648", "4294967296", "4294967298", "18446744073709551616", "999999999999999999999", "a", "\303\274" };

int
main(void)
{
	static char mem[8192];
	struct buf text = BUF(mem);
	char small[4];
	struct buf full = BUF(small);
	const char *why, *kept;
	size_t i;

	setenv("VALUE_TEST", "x y", 1);
	setenv("VALUE_LINES", "x\ny", 1);
	memset(long_path + 1, 'a', LIMIT_PATH - 1);
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		why = "";
		kept = rows[i].check(&text, rows[i].value, &why);
		if (rows[i].kept)
			is_str(kept ? kept : "refused", rows[i].kept, "a good value is kept");
		else if (!ok(!kept && *why && (rows[i].check != value_env || !strstr(why, rows[i].value)), "a bad value is refused"))
			printf("# '%s': %s\n", rows[i].value, why);
	}
	for (i = 0; i < sizeof(bad_numbers) / sizeof(*bad_numbers); i++)
		ok(!value_number(bad_numbers[i], 2, 86400, &why), "a bad number is refused");
	is_str(why, "not a number from 2 to 86400", "with its range");
	ok(value_number("2", 2, 86400, &why) && value_number("86400", 2, 86400, &why), "its ends are in it");
	ok(value_moment("+2h", 1000) == 8200, "a moment from now");
	ok(value_moment("1970-01-01T00:00:09Z", 1000) == 9, "a moment as a date");
	ok(value_type_bits("dns-01,http-01") == (VALUE_DNS | VALUE_HTTP), "types as bits");
	ok(!value_proxy(&full, "p:1", &why), "what does not fit is refused");
	ok(value_reason_code("keyCompromise") == 1 && value_reason_code("cessationOfOperation") == 5, "reasons");
	return tap_done();
}
