/*
 * util.h - messages, exit statuses, time and waiting.  Implemented in util.c.
 */
#ifndef UTIL_H
#define UTIL_H

#include "buf.h"

/* The documented exit statuses; EXIT_TABLE in main.c describes each. */
enum status {
	ST_OK = 0,
	ST_REFUSED = 1,		/* the CA refused */
	ST_UNCHANGED = 2,	/* nothing changed, nothing failed (-x) */
	ST_HOOK = 3,		/* a challenge hook failed or none accepted */
	ST_DEPLOY = 4,		/* in place, but a deploy hook is owed */
	ST_USAGE = 64,
	ST_NET = 69,		/* network or TLS */
	ST_STORE = 73,		/* state directory */
	ST_LATER = 75,		/* try again later */
	ST_PROTO = 76,		/* the server broke the protocol */
	ST_CONFIG = 78		/* configuration, key or clock */
};

extern int verbose;		/* -q: -1, default 0, -v: 1, -vv: 2 */

/* What the following messages are about (a certificate's name); 0 for nothing. */
void about(const char *name);

/*
 * One line on stderr, "acme: [NAME: ]part part ...", from the strings up to a
 * null pointer, each made printable.  If the last part ends in ':' the text of
 * errno follows.  fail() keeps the line for last_failure() and returns status.
 */
int fail(enum status status, ...);
void warn(const char *part, ...);
void note(int level, const char *part, ...);	/* only if verbose >= level */
const char *last_failure(void);			/* the parts alone; "" if none */
/* While set, what fails does not matter: fail() prints its line at -v only. */
extern int lenient;

/* In a process that has no terminal: what is said from now on goes there. */
void messages_to(void (*line)(const char *text),
    void (*waiting)(const char *what, unsigned done, unsigned total, unsigned seconds));

/*
 * A line rewritten in place while something is waited for, if stderr is a
 * terminal and not -q; progress(0) wipes it.  done of total, seconds so far.
 */
void progress(const char *what, unsigned done, unsigned total, unsigned seconds);

/*
 * Time.  Monotonic milliseconds for every deadline; wall clock seconds for dates,
 * as the clock was at the first call: a run, with all that it forks, does not see
 * it set.
 */
int64_t now_ms(void);
int64_t now_wall(void);
/* Years 0 to 9999: buf_time() takes what is beyond as the first or last second of these. */
void buf_time(struct buf *b, int64_t t);	/* 2026-11-23T15:10:27Z */
/* RFC 3339, fraction dropped, any offset / IMF-fixdate (RFC 9110 5.6.7): 0 or -1. */
int time_rfc3339(struct slice s, int64_t *t);
int time_http(struct slice s, int64_t *t);
/* Proleptic Gregorian UTC fields to seconds since 1970; -1 if a field is out of range. */
int time_civil(int year, int month, int day, int h, int m, int s, int64_t *t);

/*
 * Signals.  signals_catch() keeps INT, TERM and HUP blocked except inside
 * wait_fd(), ignores PIPE, and takes note of the first that comes; after CONT
 * a wait_fd() goes by the clock again.
 * stop_signal() is its number or 0.  signals_default() is for a child before exec.
 */
void signals_catch(void);
int stop_signal(void);
void signals_default(void);
void signals_ignore(void);	/* for a child that the stop signals are not meant for */

/*
 * Waits until fd is ready for events (poll's), the deadline (now_ms() scale)
 * or a stop signal.  fd -1: sleeps.  While cleaning up after a signal
 * (signals_cleanup(1)) a first signal no longer ends a wait, a second one does.
 */
enum wait { WAIT_READY, WAIT_TIMEOUT, WAIT_SIGNAL };
enum wait wait_fd(int fd, short events, int64_t deadline);
/* The same for n of them, as poll() takes them: POLLIN, POLLOUT; revents is set. */
struct pollfd;
enum wait wait_fds(struct pollfd *p, unsigned n, int64_t deadline);
void signals_cleanup(int on);
/*
 * While on, a stop signal ends the process there and then: for what takes long
 * without waiting, at a time when nothing stands that would have to be cleaned up.
 */
void signals_deadly(int on);

/*
 * From now on a page of the program counts as resident only where it is touched,
 * and not the fifteen around it: several processes of ours live side by side.
 */
void program_by_page(void);
/* And those that were touched do no longer. */
void program_drop(void);

/* Closes all descriptors above that one. */
void descriptors_close(int last);

#endif
