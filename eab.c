/*
 * eab.c - external account binding.  The key is never an argument: it comes
 * from a file, from standard input, from the environment (which hooks do not
 * inherit), or from the CA itself.  Invariants: it is at least as long as
 * HS256 wants (RFC 7518 3.2), is never printed, and is wiped after use.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "acme.h"
#include "base64.h"
#include "ca.h"
#include "conf.h"
#include "eab.h"
#include "jws.h"
#include "talker.h"
#include "util.h"

enum { KEY_MIN = 32 };		/* bytes: the hash of HS256 */

static struct {
	char kid[512];
	char text[1024];	/* base64 */
	char mem[768];
	struct buf key;
} eab;

/* --- what is missing --- */

static const char *
given_kid(const struct conf *c)
{
	const char *kid = c->eab_kid ? c->eab_kid : getenv("ACME_EAB_KID");

	return kid && *kid ? kid : 0;
}

static const char *
environment_key(void)
{
	const char *key = getenv("ACME_EAB_KEY");

	return key && *key ? key : 0;
}

static int
given_key(const struct conf *c)
{
	return c->eab_key || environment_key();
}

static int
has_mail(const struct conf *c)
{
	return c->mail && strcmp(c->mail, "none") != 0;
}

int
eab_lacking(const struct conf *c, const char *url, int required)
{
	const struct ca *ca = ca_find(url);
	const char *who = ca ? ca->name : url;
	unsigned needs = ca ? ca->needs : 0;
	int bound = given_kid(c) && given_key(c);

	if (!given_kid(c) != !given_key(c))
		return fail(ST_USAGE, "an external account binding is both --eab-kid (or ACME_EAB_KID)"
		    " and --eab-key FILE (or ACME_EAB_KEY): ", given_kid(c) ? "the key" : "the key id",
		    " is missing", (char *)0);
	if (ca && ca->eab_by_mail)
		return bound || has_mail(c) ? 0 : fail(ST_CONFIG, who, " needs a mail address, by which it"
		    " makes an external account binding: -m MAIL; or --eab-kid ID and --eab-key FILE from"
		    " your account there", (char *)0);
	if ((needs & CA_EAB || required) && !bound)
		return fail(ST_CONFIG, who, " needs an external account binding: --eab-kid ID and"
		    " --eab-key FILE from your account page there",
		    needs & CA_MAIL && !has_mail(c) ? ", and a mail address: -m MAIL" : "", (char *)0);
	if (needs & CA_MAIL && !has_mail(c))
		return fail(ST_CONFIG, who, " needs a mail address: -m MAIL", (char *)0);
	return 0;
}

/* --- the key --- */

static int
space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Decodes the key in s, which came from there; 0, or ST_CONFIG, printed. */
static int
decode(struct slice s, const char *from)
{
	while (s.n && space(s.p[s.n - 1]))
		s.n--;
	while (s.n && space(*s.p)) {
		s.p++;
		s.n--;
	}
	buf_init(&eab.key, eab.mem, sizeof(eab.mem));
	if (base64_any(&eab.key, s) < 0)
		return fail(ST_CONFIG, "the external account binding key in ", from,
		    eab.key.err ? " is too long" : " is not base64", (char *)0);
	if (eab.key.len < KEY_MIN)
		return fail(ST_CONFIG, "the external account binding key in ", from,
		    " is too short: HS256 wants 32 bytes at least", (char *)0);
	return 0;
}

static int
read_file(const char *file)
{
	struct buf b = BUF(eab.text);
	int input = strcmp(file, "-") == 0;

	if (conf_file(input ? "/dev/stdin" : file, &b) < 0)
		return fail(ST_CONFIG, "external account binding key ", file, ":", (char *)0);
	return decode(buf_view(&b), input ? "standard input" : file);
}

/* The CA gives key id and key for a mail address. */
static int
ask(const struct ca *ca, const char *mail)
{
	if (talker_binding(ca->eab_by_mail, mail, eab.kid, sizeof(eab.kid),
	    eab.text, sizeof(eab.text)) < 0)
		return fail((enum status)talker_why()->status, talker_why()->text, (char *)0);
	return decode(slice(eab.text), ca->eab_by_mail);
}

int
eab_get(const struct conf *c, const char *url)
{
	const struct ca *ca = ca_find(url);
	const char *kid = given_kid(c);
	int r;

	if (!kid && ca && ca->eab_by_mail && has_mail(c))
		r = ask(ca, c->mail);
	else if (!kid || !given_key(c))
		return EAB_NONE;
	else if (slice_copy(slice(kid), eab.kid, sizeof(eab.kid)) < 0)
		return fail(ST_CONFIG, "the external account binding key id is too long", (char *)0);
	else
		r = c->eab_key ? read_file(c->eab_key) :
		    decode(slice(environment_key()), "ACME_EAB_KEY");
	if (r == 0 && !jws_clean(eab.kid))
		r = fail(ST_CONFIG, "the external account binding key id has odd characters", (char *)0);
	wipe(eab.text, sizeof(eab.text));
	return r;
}

int
eab_write(struct buf *b, const struct jws_key *account, const char *new_account)
{
	return jws_eab(b, account, eab.kid, buf_view(&eab.key), new_account);
}

void
eab_wipe(void)
{
	wipe(&eab, sizeof(eab));
}
