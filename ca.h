/*
 * ca.h - the known CAs: names, directory URLs, what each needs.
 */
#ifndef CA_H
#define CA_H

#include <stddef.h>

enum {
	CA_EAB = 1,		/* new accounts need external account binding (RFC 8555 7.3.4) */
	CA_MAIL = 2,		/* ... and a mail address */
	CA_ENDED = 4,		/* issues no more */
	CA_PROFILE = 8,		/* offers certificate profiles */
	CA_OWN_URL = 16		/* one directory for each customer: url shows its form only */
};

struct ca {
	const char *name;
	const char *alias;	/* acme.sh's and others' names, space separated, or "" */
	const char *url;
	const char *url_ec;	/* directory for EC keys where it differs, or 0 */
	const char *staging;	/* name of the CA's staging entry, or 0 */
	unsigned needs;		/* CA_ flags */
	const char *note;	/* what a user must know, or "" */
	unsigned rate, nonce_rate;	/* requests, and newNonces, in a second that it bears, 0 no limit is known */
	const char *eab_by_mail;	/* where a mail address gets an EAB key id and key (a form), or 0 */
};
extern const struct ca cas[];	/* the first one is the default */
extern const size_t cas_count;

/* By name or alias (any case) or directory URL, a customer's own too; 0 if unknown. */
const struct ca *ca_find(const char *name);

#endif
