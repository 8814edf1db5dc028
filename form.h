/*
 * form.h - the one thing that a CA gives outside of ACME: an external account
 * binding for a mail address, asked for by a form.  The talker's half.
 */
#ifndef FORM_H
#define FORM_H

#include "buf.h"

/*
 * Asks that URL for key id, and key in base64.  0, or -1 with *acme_why()
 * filled.  A conversation (acme_open) is under way; its time is used.
 */
int form_binding(const char *url, const char *mail, char *kid, size_t kid_size,
    char *key, size_t key_size);

#endif
