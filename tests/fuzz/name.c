/*
 * Fuzzes names, and values of options, one of each kind, as text.  What is
 * accepted is canonical: accepted again, unchanged.
 */
#include "fuzz.h"

#include "../../store.h"
#include "../../util.h"
#include "../../idn.c"
#include "../../name.c"
#include "../../value.c"

static void
check_name(const char *text)
{
	char out[LIMIT_NAME + 1], again[LIMIT_NAME + 1], dir[LIMIT_PATH];
	unsigned char address[16];

	if (name_canonical(text, out))
		return;
	need_printable(out, sizeof(out));
	need(*out && !name_canonical(out, again) && strcmp(out, again) == 0);
	need(name_address(out, address) || !strpbrk(out, "/ :%\"\\"));
	need(store_cert_dir(dir, sizeof(dir), out) == 0 && !strstr(dir, "..") && !strchr(dir, '*'));
	need(!name_wildcard(out) || (name_covers(out, out + 2) == 0 && out[0] == '*'));
}

static void
check_values(const char *text)
{
	static value_check *const checks[] = {
		value_path, value_program, value_input, value_word, value_label, value_when, value_types,
		value_server, value_key_type, value_mail, value_proxy, value_reason, value_cert_name
	};
	static char mem[2][8 * LIMIT_PATH];
	const char *why, *value, *again;
	size_t i;

	if (!*text || strpbrk(text, "\r\n"))
		return;		/* as conf_put() has it */
	for (i = 0; i < sizeof(checks) / sizeof(*checks); i++) {
		struct buf b = BUF(mem[0]), c = BUF(mem[1]);

		why = 0;
		value = checks[i](&b, text, &why);
		if (!value) {
			need(why != 0);
			continue;
		}
		again = checks[i](&c, value, &why);
		need(again && strcmp(value, again) == 0);
	}
	value_number(text, 1, 86400, &why);
	if (value_types(0, text, &why))
		need(value_type_bits(text) != 0);
	if (value_when(0, text, &why))
		value_moment(text, 1800000000);
}

/* The directory of an account, by the URL of its CA. */
static void
check_account(const char *text)
{
	char dir[LIMIT_PATH];

	if (store_account_dir(dir, sizeof(dir), text, 0) == 0)
		need(strncmp(dir, "accounts/", 9) == 0 && !strchr(dir + 9, '/') && dir[9] && dir[9] != '.');
}

int
LLVMFuzzerTestOneInput(const unsigned char *p, size_t n)
{
	static char text[4096];

	if (slice_copy(slice_of(p, n), text, sizeof(text)) < 0)
		return 0;
	check_name(text);
	check_values(text);
	check_account(text);
	return 0;
}
