/*
 * registration.h - the file accounts/X/account: the account as the CA told of
 * it, and the CA's directory, so that a renewal need not fetch it; key=value
 * lines.
 */
#ifndef REGISTRATION_H
#define REGISTRATION_H

#include "buf.h"

struct acme_account;
struct acme_directory;

/*
 * Reads it from that directory below HOME; a missing file gives empty ones.
 * cached: the directory is complete enough to be used.  single: until then the CA
 * gets one request at a time, 0 never.  0, or ST_CONFIG, printed.
 */
int registration_read(const char *dir, struct acme_account *a, struct acme_directory *d, int *cached,
    int64_t *single);
/* 0, or ST_STORE, printed. */
int registration_write(const char *dir, const struct acme_account *a, const struct acme_directory *d,
    int64_t single);
/* "DIR/FILE": a static text until the next call. */
const char *registration_path(const char *dir, const char *file);

#endif
