/*
 * manage.h - the command `acme account`: what is done with the account at one
 * CA, and what is told of it.
 */
#ifndef MANAGE_H
#define MANAGE_H

struct conf;

/*
 * what: "register", "show", "update", "rollover", "deactivate".  name: for
 * show, 0 or a name whose DNS records are printed.  A status, printed.
 */
int manage_account(struct conf *c, const char *what, const char *name);

#endif
