/*
 * value.h - single values of options: what is accepted, and what is kept.
 */
#ifndef VALUE_H
#define VALUE_H

#include "buf.h"

/*
 * Checks value (not empty, no line break).  The text to be kept: value itself,
 * a constant, or in text's memory; or 0 and a text in *why, valid until the
 * next call, that does not repeat the value.
 */
typedef const char *value_check(struct buf *text, const char *value, const char **why);

value_check value_path;		/* made absolute */
value_check value_program;	/* made absolute if it has a '/' */
value_check value_input;	/* the same, and "-" for standard input */
value_check value_word;		/* printable ASCII without space, quote and backslash */
value_check value_label;	/* of an account: letters, digits, '-', '_', inner dots */
value_check value_when;		/* RFC 3339, or +N with s, m, h or d: N of these from now */
value_check value_types;	/* "dns-01,http-01" */
value_check value_env;		/* VAR=VALUE; VAR alone: its value in the environment */
value_check value_server;	/* a CA's name (ca.h), or an https URL */
value_check value_key_type;
value_check value_mail;	/* one address, or "none" */
value_check value_proxy;	/* http://[USER:PASSWORD@]HOST[:PORT] */
value_check value_reason;
value_check value_cert_name;	/* names a directory */
const char *value_number(const char *value, unsigned min, unsigned max, const char **why);

/* The moment that a text which value_when() accepts means at the time now; seconds since 1970. */
int64_t value_moment(const char *text, int64_t now);

/*
 * Challenge types as bits: those of a list that value_types() accepts.
 * VALUE_PERSIST, a record that may stand without a hook, is a kind of VALUE_DNS.
 */
enum { VALUE_HTTP = 1, VALUE_ALPN = 2, VALUE_DNS = 4, VALUE_PERSIST = 8 };
unsigned value_type_bits(const char *list);

/* The number of a revocation reason (RFC 5280 5.3.1) by its keyword, any case; -1 if unknown. */
int value_reason_code(const char *keyword);

/* A copy of s with a NUL in text's memory; 0, and *why, if it does not fit. */
const char *value_keep(struct buf *text, struct slice s, const char **why);
/* The parts up to a null pointer as one text, as *why is. */
const char *value_say(const char *part, ...);

#endif
