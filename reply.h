/*
 * reply.h - reading the last reply (talk_reply()): its JSON object and the
 * members and headers that several kinds of objects have.  The talker's half.
 * What returns -1 has set the problem; "what" names the object in it.
 */
#ifndef REPLY_H
#define REPLY_H

#include "buf.h"

struct json;
struct json_doc;

/* The body as a JSON object. */
int reply_object(struct json_doc *doc, struct json *v, const char *what);
/* -1: the problem is that doc->bad is not as it should be. */
int reply_bad(const struct json_doc *doc, const char *what);
/* A member that is a URL, resolved against base; "" if absent.  Only https comes out. */
int reply_url(struct json v, const char *base, char *out, size_t size);
/* "a b c" of an array of strings, or of an object's keys, printable; what does not fit is left out. */
void reply_words(struct json v, char *out, size_t size);
/* The URL in Location, which must be there; out of LIMIT_URL. */
int reply_location(const char *base, char *out, const char *what);

#endif
