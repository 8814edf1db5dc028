/*
 * out.h - standard output: lines "key: value", the same as JSON, and tables.
 * Keys are the same in both forms.  What is printed is printable: other bytes
 * are escaped.
 */
#ifndef OUT_H
#define OUT_H

#include "buf.h"

extern int out_json;			/* set before anything is printed */

/*
 * The buffer behind standard output, for plain text.  out_flush() is to be
 * called at least every OUT_MAX bytes: 0, or ST_STORE, printed once, if
 * anything could not be written.
 */
enum { OUT_MAX = 256 * 1024, OUT_COLUMNS = 8 };
struct buf *out_buf(void);
int out_flush(void);

/* '{', '[' and '}', ']': JSON only; commas are set where needed. */
void out_open(int bracket);
void out_close(int bracket);
void out_member(const char *key);	/* an object under a key; out_close('}') ends it */
void out_end(void);			/* ends the JSON document */

/* A key with its value: a line, or a member. */
void out_text(const char *key, struct slice s);
void out_some(const char *key, const char *s);	/* 0 or "": null, or no line */
void out_number(const char *key, int64_t v);
void out_flag(const char *key, int v);		/* yes or no, true or false */
void out_time(const char *key, int64_t t);	/* 0: as out_some */

/* A key with several values: words in a line, or an array of strings. */
void out_list(const char *key);
void out_item(struct slice s);
void out_list_end(void);

/* A table of so many columns: cells row by row; out_rows() aligns and prints them. */
void out_columns(int n);
void out_cell(struct slice s);		/* empty: "-" */
void out_rows(void);

#endif
