/*
 * json.h - a validating JSON scanner (RFC 8259) that allocates nothing, and
 * string escaping for output.
 *
 * json_parse() checks a whole document (UTF-8, no lone surrogates, depth at
 * most 16, nothing after the value).  Afterwards values are slices of that
 * text: lookups walk it, and cannot run out of it.
 *
 * Errors are sticky in the document: a value of the wrong type, a duplicate
 * of a key that was asked for, a string with a control character or that does
 * not fit.  The first names its key in doc->bad (for an element, the array's
 * key), "" if it is the document itself.  Use everything, test once.
 *
 * Each call takes time linear in the text of the value it is given, and no
 * more stack for a deep document than for a flat one.
 */
#ifndef JSON_H
#define JSON_H

#include "buf.h"

enum json_type {
	JSON_NONE, JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT
};

struct json_doc {
	struct slice text;
	int err;
	char bad[64];		/* the key that was wrong, printable, cut if long */
};

struct json {			/* one value; type JSON_NONE: absent */
	struct json_doc *doc;
	enum json_type type;
	struct slice text;	/* the value's own bytes */
	struct slice key;	/* the key it stands or was reached under, raw; for messages */
};

/* The document's value.  On error type JSON_NONE and doc->err set. */
struct json json_parse(struct json_doc *doc, struct slice text);

/*
 * The member of an object; keys are compared after unescaping.  Absent and
 * null both give JSON_NONE and no error.  o of type NONE gives NONE; o of
 * another type, or the key twice, is an error.
 */
struct json json_get(struct json o, const char *key);

/*
 * Iteration: it starts as 0-filled; gives each element of an array (NONE ends,
 * a null is JSON_NULL).  For objects json_member also gives the key, as a raw
 * slice between its quotes.  Absent: NONE; another type: NONE and an error.
 */
struct json_iter { const char *p; };
struct json json_next(struct json array, struct json_iter *it);
struct json json_member(struct json object, struct json_iter *it, struct slice *key);

/*
 * A string unescaped into out, NUL-terminated.  Absent: out is "".  Wrong
 * type, no room, U+0000 or another control character below 0x20: error, out
 * is "".
 */
void json_string(struct json v, char *out, size_t size);
/*
 * For error details: appended with control characters, as UTF-8; cut, without
 * error, between two characters so that a NUL still fits.
 */
void json_text(struct json v, struct buf *out);
/* 1 for a string equal to text; errors as json_string. */
int json_is(struct json v, const char *text);
/* An integer without fraction or exponent, below 2^53 either way, else error. */
int64_t json_int(struct json v, int64_t absent);
int json_bool(struct json v, int absent);

/* Output: appends s in quotes with ", \, controls escaped; s must be UTF-8 or printable. */
void json_quote(struct buf *b, struct slice s);

#endif
