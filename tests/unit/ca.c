/* The table of CAs is sound, and a CA is found by all its names. */
#include "../tap.h"
#include "../../ca.c"

static const struct {
	const char *name, *url;
} found[] = {
	{ "letsencrypt", "https://acme-v02.api.letsencrypt.org/directory" },
	{ "LetsEncrypt", "https://acme-v02.api.letsencrypt.org/directory" },
	{ "letsencrypt.org", "https://acme-v02.api.letsencrypt.org/directory" },
	{ "letsencrypt_test", "https://acme-staging-v02.api.letsencrypt.org/directory" },
	{ "letsencrypttest", "https://acme-staging-v02.api.letsencrypt.org/directory" },
	{ "LETSENCRYPT.ORG_TEST", "https://acme-staging-v02.api.letsencrypt.org/directory" },
	{ "zerossl.com", "https://acme.zerossl.com/v2/DV90" },
	{ "google_test", "https://dv.acme-v02.test-api.pki.goog/directory" },
	{ "googletest", "https://dv.acme-v02.test-api.pki.goog/directory" },
	{ "google.com", "https://dv.acme-v02.api.pki.goog/directory" },
	{ "ssl.com", "https://acme.ssl.com/sslcom-dv-rsa" },
	{ "https://acme.ssl.com/sslcom-dv-ecc", "https://acme.ssl.com/sslcom-dv-rsa" },
	{ "actalis.com", "https://acme-api.actalis.com/acme/directory" },
	{ "https://acme.zerossl.com/v2/DV90", "https://acme.zerossl.com/v2/DV90" },
	{ "https://acme-v02.harica.gr/acme/0a1b-2c/directory", "https://acme-v02.harica.gr/acme/ID/directory" },
};

static const char *const unknown[] = {
	"", " ", "lets", "letsencrypt ", "letsencrypt_test letsencrypttest",
	"https://acme-v02.api.letsencrypt.org/", "zerossl.com.example",
	"https://acme-v02.harica.gr/acme//directory", "https://acme-v02.harica.gr/acme/directory",
	"https://acme-v02.harica.gr.example/acme/a/directory",
};

/* 1 if each word of the row's names leads back to the row. */
static int
own_names(const struct ca *ca)
{
	char word[64];
	const char *p = ca->alias;
	size_t n;

	if (ca_find(ca->name) != ca || ca_find(ca->url) != ca)
		return 0;
	while (*p) {
		n = strcspn(p, " ");
		if (n == 0 || n >= sizeof(word))
			return 0;
		memcpy(word, p, n);
		word[n] = 0;
		if (ca_find(word) != ca)
			return 0;
		p += n + (p[n] == ' ');
	}
	return 1;
}

int
main(void)
{
	const struct ca *ca, *staging;
	size_t i;

	for (i = 0; i < sizeof(found) / sizeof(*found); i++) {
		ca = ca_find(found[i].name);
		is_str(ca ? ca->url : "none", found[i].url, found[i].name);
	}
	for (i = 0; i < sizeof(unknown) / sizeof(*unknown); i++)
		ok(!ca_find(unknown[i]), "an unknown name is not found");
	is_str(cas[0].name, "letsencrypt", "the default is Let's Encrypt");
	for (ca = cas; ca < cas + cas_count; ca++) {
		ok(own_names(ca), "names, aliases and URLs of a row are its own");
		ok(strncmp(ca->url, "https://", 8) == 0 &&
		    (!ca->url_ec || strncmp(ca->url_ec, "https://", 8) == 0),
		    "only https");
		if (ca->staging) {
			staging = ca_find(ca->staging);
			ok(staging && staging->staging &&
			    strcmp(staging->staging, staging->name) == 0,
			    "a staging CA is its own staging CA");
		}
		ok(!ca->eab_by_mail || (ca->needs & CA_EAB &&
		    strncmp(ca->eab_by_mail, "https://", 8) == 0), "a binding by mail, where one is needed");
		ok(!(ca->needs & CA_OWN_URL) || strstr(ca->url, "/ID/"), "a place for the customer's own part");
		ok(!(ca->needs & CA_ENDED) || strstr(ca->note, "ended"),
		    "the end of a CA is said");
	}
	return tap_done();
}
