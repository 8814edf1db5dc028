/*
 * due.h - when a certificate is renewed, and when its CA is asked about that
 * (RFC 9773).  Decisions only: from what the file `renewal` says, and a clock
 * that is passed in as seconds since 1970.
 */
#ifndef DUE_H
#define DUE_H

#include "buf.h"

struct renewal;

/*
 * Plans the renewal of the certificate whose validity is in st: `days` before
 * its end if given, and then the CA is not asked; else at two thirds of its
 * lifetime, or a half if that is under ten days.  An earlier plan is forgotten.
 */
void due_plan(struct renewal *st, const char *days);
/* 1 if due_plan() with these days would change st. */
int due_other_plan(const struct renewal *st, const char *days);
/* The moment it is planned for: the one chosen in the CA's window, else the planned one; 0 now. */
int64_t due_at(const struct renewal *st);
/*
 * 1 if it is to be renewed by a run now, when the next one comes in interval
 * seconds.  days: for this once, instead of the plan; or 0.
 */
int due_now(const struct renewal *st, const char *days, int64_t now, unsigned interval);
/* 1 while a failed one is not to be tried again. */
int due_held(const struct renewal *st, int64_t now);
/* 1 if its CA is to be asked for renewal information. */
int due_ask(const struct renewal *st, int64_t now);
/*
 * Takes the CA's window: 1 it moved, and a moment in it is chosen; 0 it did
 * not; -1 it makes no sense, and st is as it was.  below: a random number
 * from 0 to n - 1, uniformly.
 */
int due_window(struct renewal *st, int64_t start, int64_t end, int64_t now,
    uint32_t (*below)(uint32_t n));
/*
 * Seconds until the CA may be asked again (RFC 9773 4.3): retry_after within
 * a minute and a day; -1: six hours, or one after a passing failure.
 */
int64_t due_pause(int64_t retry_after, int passing);
/*
 * When to try again after a failure that came after so many others in a row:
 * in 1, 10, 100 minutes, then a day; not before retry_at (0: none), if that is
 * within a day.
 */
int64_t due_back_off(unsigned failures, int64_t now, int64_t retry_at);

#endif
