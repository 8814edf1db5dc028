/*
 * value.c - checks of single option values.  Invariants: a kept path is
 * absolute, since cron runs elsewhere; a kept URL is https; what goes into
 * JSON needs no escaping.  No message repeats a value, which may be a secret.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ca.h"
#include "hook.h"
#include "http.h"
#include "key.h"
#include "store.h"
#include "util.h"
#include "value.h"

static const struct {
	const char *name;
	unsigned bit;
} types[] = {
	{ "http-01", VALUE_HTTP }, { "tls-alpn-01", VALUE_ALPN }, { "dns-01", VALUE_DNS },
	{ "dns-account-01", VALUE_DNS }, { "dns-persist-01", VALUE_DNS | VALUE_PERSIST },
};

/* Reasons for a server's certificate; a CA may accept fewer. */
static const struct {
	const char *keyword;
	int code;
} reasons[] = {
	{ "unspecified", 0 }, { "keyCompromise", 1 }, { "affiliationChanged", 3 },
	{ "superseded", 4 }, { "cessationOfOperation", 5 }, { "privilegeWithdrawn", 9 },
};

const char *
value_say(const char *part, ...)
{
	static char mem[256];
	struct buf b = BUF(mem);
	va_list ap;

	va_start(ap, part);
	for (; part; part = va_arg(ap, const char *))
		buf_str(&b, part);
	va_end(ap);
	return buf_text(&b);
}

const char *
value_keep(struct buf *text, struct slice s, const char **why)
{
	const char *p = text->p + text->len;

	*why = "more text than fits";
	buf_slice(text, s);
	buf_char(text, 0);
	return text->err ? 0 : p;
}

const char *
value_path(struct buf *text, const char *value, const char **why)
{
	char cwd[LIMIT_PATH], mem[LIMIT_PATH];
	struct buf b = BUF(mem);

	while (value[0] == '.' && value[1] == '/')
		value += 2;
	if (!*value)
		value = ".";
	if (*value != '/') {
		*why = "relative, and the current directory is not known";
		if (!getcwd(cwd, sizeof(cwd)))
			return 0;
		buf_all(&b, cwd, strcmp(cwd, "/") == 0 ? "" : "/", (char *)0);
	}
	buf_str(&b, value);
	buf_text(&b);
	*why = "the path is too long";
	if (b.err)
		return 0;
	return *value == '/' ? value : value_keep(text, buf_view(&b), why);
}

const char *
value_program(struct buf *text, const char *value, const char **why)
{
	return strchr(value, '/') ? value_path(text, value, why) : value;
}

const char *
value_input(struct buf *text, const char *value, const char **why)
{
	return strcmp(value, "-") == 0 ? value : value_path(text, value, why);
}

const char *
value_word(struct buf *text, const char *value, const char **why)
{
	const char *p;

	(void)text;
	*why = "has a character other than printable ASCII, or a space, quote or backslash";
	for (p = value; *p; p++)
		if (*p <= ' ' || *p > '~' || *p == '"' || *p == '\\')
			return 0;
	return value;
}

const char *
value_label(struct buf *text, const char *value, const char **why)
{
	const char *p;

	(void)text;
	*why = "a label has letters, digits, '-', '_' and inner dots, at most 64";
	for (p = value; *p; p++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.", *p))
			return 0;
	return *value == '.' || p[-1] == '.' || p - value > 64 ? 0 : value;
}

/* Seconds of "+30d"; -1 if it is nothing like that. */
static int64_t
relative(const char *text)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	struct slice digits = { text + 1, strlen(text) };
	uint64_t n;
	size_t i;

	if (*text != '+' || digits.n < 3)
		return -1;
	digits.n -= 2;		/* '+' and the unit */
	for (i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (digits.p[digits.n] == units[i].unit && digits.n <= 9 &&
		    slice_uint(digits, &n) == 0)
			return (int64_t)n * units[i].seconds;
	return -1;
}

const char *
value_when(struct buf *text, const char *value, const char **why)
{
	int64_t t;

	(void)text;
	*why = "neither a time such as 2027-01-31T12:00:00Z nor +N with s, m, h or d";
	return relative(value) >= 0 || time_rfc3339(slice(value), &t) == 0 ? value : 0;
}

int64_t
value_moment(const char *text, int64_t now)
{
	int64_t t = relative(text);

	if (t >= 0)
		return now + t;
	return time_rfc3339(slice(text), &t) == 0 ? t : now;
}

unsigned
value_type_bits(const char *list)
{
	struct slice word;
	unsigned bits = 0;
	size_t i;

	for (;; list += word.n + 1) {
		word.p = list;
		word.n = strcspn(list, ",");
		for (i = 0; i < sizeof(types) / sizeof(*types); i++)
			if (slice_is(word, types[i].name))
				break;
		if (i == sizeof(types) / sizeof(*types))
			return 0;
		bits |= types[i].bit;
		if (!list[word.n])
			return bits;
	}
}

const char *
value_types(struct buf *text, const char *value, const char **why)
{
	(void)text;
	*why = "the types are http-01, tls-alpn-01, dns-01, dns-account-01, dns-persist-01,"
	    " separated by commas";
	return value_type_bits(value) ? value : 0;
}

const char *
value_env(struct buf *text, const char *value, const char **why)
{
	struct slice variable = { value, strcspn(value, "=") };
	const char *now;
	size_t start = text->len;

	*why = "not a variable that hooks may be given";
	if (!hook_env_allowed(variable))
		return 0;
	if (value[variable.n])
		return value;
	now = getenv(value);
	*why = now ? "its value has a line break" : "not set in the environment";
	if (!now || strpbrk(now, "\r\n"))
		return 0;
	buf_all(text, value, "=", (char *)0);
	return value_keep(text, slice(now), why) ? text->p + start : 0;
}

const char *
value_number(const char *value, unsigned min, unsigned max, const char **why)
{
	char low_mem[12], high_mem[12];
	struct buf low = BUF(low_mem), high = BUF(high_mem);
	uint64_t v;

	if (slice_uint(slice(value), &v) == 0 && v >= min && v <= max)
		return value;
	buf_uint(&low, min);
	buf_uint(&high, max);
	*why = value_say("not a number from ", buf_text(&low), " to ", buf_text(&high), (char *)0);
	return 0;
}

/* 1 if text begins so, in any case. */
static int
begins(const char *text, const char *start)
{
	struct slice head = { text, strlen(start) };

	return strlen(text) >= head.n && slice_is_nocase(head, start);
}

/* What is wrong with the URL of a directory, or 0. */
static const char *
url_fault(const char *url)
{
	struct http_url u;

	if (!strstr(url, "://"))
		return "no CA of that name (`acme cas` lists them), nor an https:// URL";
	if (!begins(url, "https://"))
		return "a directory URL begins with https://";
	return strlen(url) >= LIMIT_URL || http_url(&u, slice(url)) < 0 || !u.tls ?
	    "not a well-formed URL" : 0;
}

const char *
value_server(struct buf *text, const char *value, const char **why)
{
	const struct ca *ca = ca_find(value);

	(void)text;
	if (ca && ca->needs & CA_ENDED)
		*why = value_say(ca->name, " ", ca->note, (char *)0);
	else if (ca && ca->needs & CA_OWN_URL &&
	    (!strstr(value, "://") || strcmp(value, ca->url) == 0))
		*why = value_say("has one directory for each customer, of the form ", ca->url, (char *)0);
	else if (ca && !strstr(value, "://"))
		return ca->name;
	else
		*why = ca ? 0 : url_fault(value);
	return *why ? 0 : value;
}

const char *
value_key_type(struct buf *text, const char *value, const char **why)
{
	enum key_type type = key_type(value);

	(void)text;
	*why = "the types are ec256, ec384, rsa2048, rsa3072, rsa4096";
	return type == KEY_NONE ? 0 : key_type_name(type);
}

/* Goes into JSON and a mailto: URL as it is. */
const char *
value_mail(struct buf *text, const char *value, const char **why)
{
	const char *p, *at = strchr(value, '@');

	(void)text;
	if (strcmp(value, "none") == 0)
		return value;
	*why = "not a mail address";
	for (p = value; *p; p++)
		if (*p <= ' ' || *p >= 0x7f || strchr("\"\\,;:?&%<>()[]", *p))
			return 0;
	return at && at > value && at[1] && !strchr(at + 1, '@') ? value : 0;
}

/* The scheme may be missing, as curl takes it. */
const char *
value_proxy(struct buf *text, const char *value, const char **why)
{
	char mem[LIMIT_URL];
	struct buf b = BUF(mem);
	struct http_url u;
	const char *at = strrchr(value, '@'), *host = at ? at + 1 : value;
	size_t most = LIMIT_URL - sizeof("http://") - (strstr(value, "://") ? 0 : strlen("http://"));

	*why = "not http://HOST:PORT";
	if (strpbrk(value, " \t") || strlen(value) > most)
		return 0;
	if (!at && strstr(value, "://"))
		buf_str(&b, value);
	else
		buf_all(&b, "http://", host, (char *)0);
	if ((strstr(value, "://") && !begins(value, "http://")) ||
	    http_url(&u, buf_view(&b)) < 0 || u.tls || strcmp(u.path, "/") != 0)
		return 0;
	if (strstr(value, "://"))
		return value;
	buf_clear(&b);
	buf_all(&b, "http://", value, (char *)0);
	return value_keep(text, buf_view(&b), why);
}

int
value_reason_code(const char *keyword)
{
	size_t i;

	for (i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
		if (slice_is_nocase(slice(keyword), reasons[i].keyword))
			return reasons[i].code;
	return -1;
}

const char *
value_reason(struct buf *text, const char *value, const char **why)
{
	(void)text;
	*why = "the reasons are unspecified, keyCompromise, affiliationChanged, superseded, "
	    "cessationOfOperation, privilegeWithdrawn";
	return value_reason_code(value) < 0 ? 0 : value;
}

const char *
value_cert_name(struct buf *text, const char *value, const char **why)
{
	char path[LIMIT_PATH];

	(void)text;
	*why = "not fit for the name of a directory";
	return store_cert_dir(path, sizeof(path), value) < 0 ? 0 : value;
}
