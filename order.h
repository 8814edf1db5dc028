/*
 * order.h - what is ordered (RFC 8555 7.4): names, profile, validity, and the
 * certificate that is replaced; and the order that a cut-off run left.
 */
#ifndef ORDER_H
#define ORDER_H

#include "buf.h"

struct acme_order;
struct conf;
struct renewal;

/*
 * Orders for c at the CA of the open account, in place of the live certificate
 * that st speaks of (RFC 9773 5; st 0: of none).  0, or a status, printed.
 */
int order_new(const char *name, const struct conf *c, const struct renewal *st, struct acme_order *o);
/*
 * Goes on with the order that a cut-off run left for the certificate NAME,
 * unless fresh is set or it is not what c wants; else orders, and remembers
 * that on disk.  0, or a status, printed.
 */
int order_open(const char *name, const struct conf *c, const struct renewal *st, int fresh,
    struct acme_order *o);
/* The index of the server (conf.h) that such an order is at, -1 if there is none. */
int order_server(const char *name, const struct conf *c);
/* The order is of no use any more: the next run makes another. */
int order_forget(const char *name);

/* As account_failed(); tells the CA's profiles if that is what was wrong. */
int order_failed(void);

#endif
