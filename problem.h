/*
 * problem.h - why a call failed, and what a reply that is no success says.
 * There is one problem at a time: the last one.
 */
#ifndef PROBLEM_H
#define PROBLEM_H

#include "buf.h"

struct acme_problem;
struct http_response;
struct json;

/* For reading, adding to, and to be put back. */
struct acme_problem *problem_last(void);
/* Fills it from an enum status and the strings up to a null pointer, made printable; -1. */
int problem_set(int status, const char *text, ...);
/* Appends "type: detail" and subproblems of a problem document or an error member (RFC 9457). */
void problem_words(struct buf *b, struct json v);

/* A final reply to a request, "what" in words: 0 for 2xx, else -1 and the problem. */
int problem_judge(const struct http_response *res, const char *what, const char *url);
/* 1 if the problem of a reply is a nonce (6.5); some CAs have a type of their own for it, or none. */
int problem_bad_nonce(void);

/* Retry-After (RFC 9110 10.2.3) in seconds from now, a year at most; -1 none or junk. */
int64_t problem_retry_after(const struct http_response *res);
/* Seconds that the server's clock is ahead of ours, by the Date of its reply; 0 without one. */
int64_t problem_server_ahead(const struct http_response *res);

#endif
