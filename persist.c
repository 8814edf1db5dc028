/*
 * persist.c - the TXT record behind dns-persist-01: written as CAs want it
 * (no final ';'), and read as RFC 8659 4.2 has it: tags in any case, unknown
 * ones passed over, one that counts given twice makes the value void.  The
 * issuer's name is compared byte by byte, as CAs do.
 */
#include <string.h>

#include "json.h"
#include "name.h"
#include "persist.h"

/* 1: a host name in the one spelling that an issuer has (lower-case A-labels). */
static int
proper_issuer(const char *text)
{
	char canonical[LIMIT_NAME + 1];
	unsigned char address[16];

	return !name_canonical(text, canonical) && strcmp(canonical, text) == 0 &&
	    !name_wildcard(text) && !name_address(text, address);
}

int
persist_issuers(const char *text)
{
	char one[LIMIT_NAME + 1];
	struct slice word;
	unsigned n = 0;

	for (;; text += word.n + 1, n++) {
		word.p = text;
		word.n = strcspn(text, " ");
		if (n == PERSIST_ISSUERS || slice_copy(word, one, sizeof(one)) < 0 || !proper_issuer(one))
			return 0;
		if (!text[word.n])
			return 1;
	}
}

int
persist_account(const char *text)
{
	static const char uri[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789-._~:/?#[]@!$&()*+,=%";
	size_t n = strspn(text, uri);

	return n > 0 && n < LIMIT_URL && !text[n];
}

int
persist_read(const struct json *challenge, char issuers[PERSIST_ISSUERS * (LIMIT_NAME + 1)],
    char account[LIMIT_URL])
{
	struct json array = json_get(*challenge, "issuer-domain-names");
	struct json uri = json_get(*challenge, "accounturi"), e;
	struct json_iter it = { 0 };
	char text[LIMIT_NAME + 1];
	struct buf b;
	unsigned n = 0;

	/* another draft may have other types there: no error, just no use */
	if (array.type != JSON_ARRAY || (uri.type != JSON_NONE && uri.type != JSON_STRING))
		return -1;
	buf_init(&b, issuers, PERSIST_ISSUERS * (LIMIT_NAME + 1));
	for (; (e = json_next(array, &it)).type != JSON_NONE; n++) {
		if (n == PERSIST_ISSUERS || e.type != JSON_STRING)
			return -1;
		json_string(e, text, sizeof(text));
		if (!text[0] || strchr(text, ' '))
			return -1;
		buf_all(&b, n ? " " : "", text, (char *)0);
	}
	buf_text(&b);
	json_string(uri, account, LIMIT_URL);
	return n && persist_issuers(issuers) && (uri.type == JSON_NONE || persist_account(account)) ? 0 : -1;
}

void
persist_record(struct buf *b, const char *name)
{
	buf_all(b, "_validation-persist.", name + 2 * name_wildcard(name), (char *)0);
}

void
persist_value(struct buf *b, const char *issuer, const char *account, int wildcard)
{
	buf_all(b, issuer, "; accounturi=", account, wildcard ? "; policy=wildcard" : "", (char *)0);
}

/* --- reading --- */

static void
skip_space(struct slice *s)
{
	for (; s->n && (*s->p == ' ' || *s->p == '\t'); s->n--)
		s->p++;
}

/* Takes the bytes from low to high that are not the one left out. */
static struct slice
take(struct slice *s, char low, char high, char but)
{
	struct slice out = { s->p, 0 };

	while (s->n && *s->p >= low && *s->p <= high && *s->p != but) {
		s->p++;
		s->n--;
		out.n++;
	}
	return out;
}

static int
take_char(struct slice *s, char c)
{
	if (!s->n || *s->p != c)
		return 0;
	s->p++;
	s->n--;
	return 1;
}

/* tag *WSP "=" *WSP value; -1 malformed. */
static int
take_parameter(struct slice *s, struct slice *tag, struct slice *value)
{
	size_t i;

	*tag = take(s, '!', '~', '=');
	for (i = 0; i < tag->n; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-", tag->p[i]))
			return -1;
	skip_space(s);
	if (!tag->n || tag->p[0] == '-' || tag->p[tag->n - 1] == '-' || !take_char(s, '='))
		return -1;
	skip_space(s);
	*value = take(s, '!', '~', ';');
	skip_space(s);
	return 0;
}

enum { ACCOUNT, POLICY, UNTIL, TAGS };

/* The values of the tags that count, .p 0 where there is none; -1 malformed. */
static int
take_parameters(struct slice *s, struct slice found[TAGS])
{
	static const char *const tags[TAGS] = { "accounturi", "policy", "persistuntil" };
	struct slice tag, value;
	int i;

	while (take_char(s, ';')) {
		skip_space(s);
		if (take_parameter(s, &tag, &value) < 0)
			return -1;
		for (i = 0; i < TAGS; i++) {
			if (!slice_is_nocase(tag, tags[i]))
				continue;
			if (found[i].p)
				return -1;
			found[i] = value;
		}
	}
	return s->n ? -1 : 0;
}

int
persist_match(struct slice value, const char *issuers, const char *account,
    int wildcard, int64_t now)
{
	struct slice found[TAGS] = { { 0, 0 } }, issuer;
	uint64_t until;

	skip_space(&value);
	issuer = take(&value, '!', '~', ';');
	skip_space(&value);
	if (!slice_listed(issuer, issuers) || take_parameters(&value, found) < 0)
		return 0;
	if (found[UNTIL].p && (slice_uint(found[UNTIL], &until) < 0 || (int64_t)until <= now))
		return 0;
	if (wildcard && !(found[POLICY].p && slice_is_nocase(found[POLICY], "wildcard")))
		return 0;
	return found[ACCOUNT].p && slice_is(found[ACCOUNT], account);
}
