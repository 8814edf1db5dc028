/*
 * ca.c - the table of known CAs and the search in it.  Invariants: the first
 * row is the default; names are lower case and unique, aliases included;
 * every URL is https.
 */
#include <string.h>

#include "buf.h"
#include "ca.h"

const struct ca cas[] = {
	{ "letsencrypt", "letsencrypt.org",
	  "https://acme-v02.api.letsencrypt.org/directory", 0,
	  "letsencrypt-staging", CA_PROFILE, "the default", 0, 15, 0 },
	{ "letsencrypt-staging",
	  "letsencrypt_test letsencrypttest letsencrypt.org_test letsencrypt-test",
	  "https://acme-staging-v02.api.letsencrypt.org/directory", 0,
	  "letsencrypt-staging", CA_PROFILE, "for tests; trusted by no browser", 15, 15, 0 },
	{ "zerossl", "zerossl.com", "https://acme.zerossl.com/v2/DV90", 0,
	  0, CA_EAB | CA_MAIL, "the mail address gets an EAB key, unless one is given", 5, 5,
	  "https://api.zerossl.com/acme/eab-credentials-email" },
	{ "google", "google.com",
	  "https://dv.acme-v02.api.pki.goog/directory", 0,
	  "google-staging", CA_EAB, "an EAB key serves once, within 7 days", 0, 0, 0 },
	{ "google-staging", "googletest google_test google.com_test google-test",
	  "https://dv.acme-v02.test-api.pki.goog/directory", 0,
	  "google-staging", CA_EAB, "for tests; has EAB keys of its own", 0, 0, 0 },
	{ "sslcom", "ssl.com", "https://acme.ssl.com/sslcom-dv-rsa",
	  "https://acme.ssl.com/sslcom-dv-ecc",
	  0, CA_EAB | CA_MAIL, "one directory for RSA keys, one for EC keys", 0, 0, 0 },
	{ "actalis", "actalis.com",
	  "https://acme-api.actalis.com/acme/directory", 0, 0, CA_EAB, "", 0, 0, 0 },
	{ "sectigo", "sectigo-dv sectigo.com", "https://acme.sectigo.com/v2/DV",
	  0, 0, CA_EAB, "an EAB key binds one account only", 0, 0, 0 },
	{ "sectigo-ov", "", "https://acme.sectigo.com/v2/OV",
	  0, 0, CA_EAB, "an EAB key binds one account only", 0, 0, 0 },
	{ "sectigo-ev", "", "https://acme.sectigo.com/v2/EV",
	  0, 0, CA_EAB, "an EAB key binds one account only", 0, 0, 0 },
	{ "digicert", "digicert.com",
	  "https://one.digicert.com/mpki/api/v1/acme/v2/directory", 0,
	  0, CA_EAB, "CertCentral shows a URL for each customer: use that", 0, 0, 0 },
	{ "globalsign", "globalsign.com",
	  "https://emea.acme.atlas.globalsign.com/directory", 0,
	  0, CA_EAB, "", 0, 0, 0 },
	{ "harica", "harica.gr", "https://acme-v02.harica.gr/acme/ID/directory",
	  0, 0, CA_EAB | CA_OWN_URL, "the customer's own URL has the place of ID filled", 0, 0, 0 },
	{ "buypass", "buypass.com", "https://api.buypass.com/acme/directory",
	  0, 0, CA_ENDED, "ended on 2025-10-31", 0, 0, 0 },
};
const size_t cas_count = sizeof(cas) / sizeof(*cas);

/* 1 if name is one of the words of list. */
static int
one_of(const char *list, const char *name)
{
	struct slice word;

	while (*list) {
		word.p = list;
		word.n = strcspn(list, " ");
		if (slice_is_nocase(word, name))
			return 1;
		list += word.n + (list[word.n] == ' ');
	}
	return 0;
}

/* 1 if url is of the form of a CA with a directory for each customer: "ID" filled in. */
static int
own_directory(const struct ca *ca, const char *url)
{
	const char *id = ca->needs & CA_OWN_URL ? strstr(ca->url, "/ID/") : 0;
	size_t head = id ? (size_t)(id - ca->url) + 1 : 0, n = strlen(url);
	size_t tail = id ? strlen(id + 3) : 0;

	return id && n > head + tail && strncmp(url, ca->url, head) == 0 &&
	    strcmp(url + n - tail, id + 3) == 0;
}

const struct ca *
ca_find(const char *name)
{
	const struct ca *ca;

	if (!*name)
		return 0;
	for (ca = cas; ca < cas + cas_count; ca++) {
		if (slice_is_nocase(slice(name), ca->name) ||
		    one_of(ca->alias, name) || strcmp(name, ca->url) == 0 ||
		    (ca->url_ec && strcmp(name, ca->url_ec) == 0) ||
		    own_directory(ca, name))
			return ca;
	}
	return 0;
}
