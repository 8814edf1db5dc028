/*
 * Fuzzes conf files and --env-file: the first byte chooses which.  What is
 * accepted and written is accepted again, and written the same.
 */
#include "fuzz.h"

#include "../../conf.c"

static struct conf c[2];
static char texts[2][2 * LIMIT_CONF], written[2][2 * LIMIT_CONF];

static int
read_env(struct conf *to, struct slice text)
{
	const char *why;

	while (text.n)
		if (env_line(to, fuzz_line(&text), &why) < 0)
			return -1;
	return 0;
}

static void
show(const struct conf *from)
{
	static char mem[2 * LIMIT_CONF];
	const struct conf_option *o;
	struct buf b;
	const char *value;
	unsigned i;

	for (o = conf_options; o < conf_options + conf_options_count; o++)
		for (i = 0; (value = conf_get(from, o, i)) != 0; i++) {
			buf_init(&b, mem, sizeof(mem));
			conf_masked(&b, o, value);
			/* a secret shows its variable's name only */
			need(o->check != value_env || (size_t)(strchr(value, '=') - value) + 4 == b.len);
			need(!strpbrk(value, "\r\n"));
		}
}

int
LLVMFuzzerTestOneInput(const unsigned char *p, size_t n)
{
	struct slice text = { (const char *)p + 1, n - 1 };
	struct buf out[2] = { BUF(written[0]), BUF(written[1]) };
	const char *why;
	int i;

	if (n == 0 || n > LIMIT_CONF)
		return 0;
	for (i = 0; i < 2; i++)
		conf_init(&c[i], texts[i], sizeof(texts[i]));
	if (p[0] & 1)
		conf_set(&c[0], "domain", "a.example", &why);
	if ((p[0] & 1 ? read_env(&c[0], text) : conf_read(&c[0], text, "conf")) != 0)
		return 0;
	need(c[0].names <= LIMIT_NAMES);
	show(&c[0]);
	conf_check(&c[0]);
	conf_write(&out[0], &c[0]);
	need(!out[0].err && conf_read(&c[1], buf_view(&out[0]), "conf") == 0);
	conf_write(&out[1], &c[1]);
	need(same_slice(buf_view(&out[0]), buf_view(&out[1])));
	need(conf_same_certificate(&c[0], &c[1], ""));
	return 0;
}
