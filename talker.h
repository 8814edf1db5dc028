/*
 * talker.h - what the keeper asks of the talker: the calls of acme.h, and
 * form.h, over the channel to another process (split.h).  They behave as they do
 * there; and what comes back was checked as if a CA had written it.  When the
 * talker is gone, or a stop signal came, every call fails until talker_open().
 */
#ifndef TALKER_H
#define TALKER_H

#include "buf.h"

struct acme_account;
struct acme_config;
struct acme_directory;
struct acme_order;
struct acme_problem;
struct acme_renewal;

/* config->tls->resolve is not used. */
int talker_open(const struct acme_config *config, const char *directory, const struct acme_directory *cached);
void talker_timeout(unsigned seconds);
void talker_close(void);
const struct acme_problem *talker_why(void);
const struct acme_directory *talker_directory(int *fetched);
int talker_refresh(void);
int talker_single(void);		/* as talk_single() */

int talker_renewal_info(struct acme_renewal *list, unsigned count);
int talker_binding(const char *url, const char *mail, char *kid, size_t kid_size, char *key, size_t key_size);

/* kind: enum acme_kind */
int talker_new_account(struct acme_account *out);
int talker_account_post(int kind, const char *url, struct acme_account *out);
int talker_post(int kind, const char *url);
int talker_revoke(void);

int talker_new_order(struct acme_order *o, unsigned names);
/* Looks at the order o->url of an earlier run. */
int talker_order(struct acme_order *o);
/*
 * types: bits of enum acme_type; of challenges of other types there is only the
 * type.  From here on of what o says only statuses and errors change, and the
 * talker goes by o as it told it, with the challenges that are chosen now.
 */
int talker_authorizations(struct acme_order *o, unsigned types);
int talker_answer(struct acme_order *o);
int talker_wait(struct acme_order *o);
int talker_wait_authorization(struct acme_order *o, unsigned i);
int talker_finalize(struct acme_order *o);
int talker_certificate(struct acme_order *o, unsigned alternate, struct buf *pem);

#endif
