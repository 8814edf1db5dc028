/*
 * util.c - messages, time and waiting.  All that is printed on stderr goes
 * through here, one write for each line, with bytes outside printable ASCII
 * escaped; and every wait of the program is wait_fd(), so that a stop signal
 * is seen in each and nowhere else.
 */
#define _DEFAULT_SOURCE 1	/* madvise, syscall */
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

#include <dirent.h>
#include <errno.h>
#ifdef __linux__
#include <link.h>
#endif
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "util.h"

int verbose;
int lenient;

static void (*tell)(const char *text);
static void (*show)(const char *what, unsigned done, unsigned total, unsigned seconds);
static const char *subject;
static char failure[1024];
static int progress_shown;

void
about(const char *name)
{
	subject = name;
}

static void
put(const char *p, size_t n)
{
	ssize_t w;

	while (n) {
		w = write(2, p, n);
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return;
		p += w;
		n -= (size_t)w;
	}
}

/*
 * "acme: NAME: parts[: errno]" in line, cut if it is too long; keeps errno.
 * Returns where the parts begin.
 */
static size_t
compose(struct buf *line, const char *part, va_list ap)
{
	int saved = errno;
	const char *last = "";
	size_t start;

	buf_str(line, "acme: ");
	if (subject) {
		buf_printable(line, slice(subject));
		buf_str(line, ": ");
	}
	start = line->len;
	for (; part; part = va_arg(ap, const char *)) {
		buf_printable(line, slice(part));
		last = part;
	}
	if (*last && last[strlen(last) - 1] == ':')
		buf_all(line, " ", strerror(saved), (char *)0);
	errno = saved;
	return start;
}

void
messages_to(void (*line)(const char *text),
    void (*waiting)(const char *what, unsigned done, unsigned total, unsigned seconds))
{
	tell = line;
	show = waiting;
}

/* The parts begin at start. */
static void
emit(struct buf *line, size_t start)
{
	if (tell) {
		tell(buf_text(line) + (line->err ? 0 : start));
		return;
	}
	progress(0, 0, 0, 0);
	if (line->len == line->cap)
		line->len--;
	line->p[line->len] = '\n';
	put(line->p, line->len + 1);
}

int
fail(enum status status, ...)
{
	char mem[4096];
	struct buf line = BUF(mem);
	struct slice text;
	const char *part;
	size_t start;
	va_list ap;

	va_start(ap, status);
	part = va_arg(ap, const char *);
	start = compose(&line, part, ap);
	va_end(ap);
	text.p = mem + start;
	text.n = line.len - start;
	if (text.n >= sizeof(failure))
		text.n = sizeof(failure) - 1;
	slice_copy(text, failure, sizeof(failure));
	if (!lenient || verbose > 0)
		emit(&line, start);
	return (int)status;
}

void
warn(const char *part, ...)
{
	char mem[4096];
	struct buf line = BUF(mem);
	size_t start;
	va_list ap;

	if (verbose < 0)
		return;
	va_start(ap, part);
	start = compose(&line, part, ap);
	va_end(ap);
	emit(&line, start);
}

void
note(int level, const char *part, ...)
{
	char mem[4096];
	struct buf line = BUF(mem);
	size_t start;
	va_list ap;

	if (verbose < level)
		return;
	va_start(ap, part);
	start = compose(&line, part, ap);
	va_end(ap);
	emit(&line, start);
}

const char *
last_failure(void)
{
	return failure;
}

void
progress(const char *what, unsigned done, unsigned total, unsigned seconds)
{
	char mem[256];
	struct buf line = BUF(mem);

	if (show) {
		show(what, done, total, seconds);
		return;
	}
	if (!what) {
		if (progress_shown)
			put("\r\033[K", 4);
		progress_shown = 0;
		return;
	}
	if (verbose < 0 || !isatty(2))
		return;
	buf_str(&line, "\r\033[K");
	buf_printable(&line, slice(what));
	if (total) {
		buf_char(&line, ' ');
		buf_uint(&line, done);
		buf_str(&line, " of ");
		buf_uint(&line, total);
	}
	buf_str(&line, ", ");
	buf_uint(&line, seconds);
	buf_str(&line, " s");
	put(mem, line.len);
	progress_shown = 1;
}

int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t
now_wall(void)
{
	static int64_t ahead;	/* of the monotonic clock; 0: not known */
	struct timespec t;

	if (!ahead) {
		clock_gettime(CLOCK_REALTIME, &t);
		ahead = (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 - now_ms();
	}
	return (now_ms() + ahead) / 1000;
}

/*
 * Days since 1970-01-01 of a date, and back, with years that begin in March
 * so that the leap day comes last.
 */
static int64_t
days_of(int64_t y, int m, int d)
{
	int64_t era, yoe, doy;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static void
date_of(int64_t days, int64_t *y, int *m, int *d)
{
	int64_t era, doe, yoe, doy, mp;

	days += 719468;
	era = (days >= 0 ? days : days - 146096) / 146097;
	doe = days - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	*d = (int)(doy - (153 * mp + 2) / 5 + 1);
	*m = (int)(mp < 10 ? mp + 3 : mp - 9);
	*y = yoe + era * 400 + (*m <= 2);
}

/* The same moment, or the nearest that has a year of four digits. */
static int64_t
in_range(int64_t t)
{
	const int64_t first = -62167219200, last = 253402300799;

	return t < first ? first : t > last ? last : t;
}

int
time_civil(int year, int month, int day, int h, int m, int s, int64_t *t)
{
	static const char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	if (year < 0 || month < 1 || month > 12 || day < 1 ||
	    day > days[month - 1] + (month == 2 && leap) ||
	    h < 0 || h > 23 || m < 0 || m > 59 || s < 0 || s > 60)
		return -1;
	*t = days_of(year, month, day) * 86400 + h * 3600 + m * 60 + s;
	return in_range(*t) == *t ? 0 : -1;
}

static void
digits(struct buf *b, int64_t v, int width)
{
	int64_t unit = 1;

	while (--width)
		unit *= 10;
	for (; unit; unit /= 10)
		buf_char(b, (int)('0' + v / unit % 10));
}

void
buf_time(struct buf *b, int64_t t)
{
	int64_t days, s, y;
	int m, d;

	t = in_range(t);
	days = (t >= 0 ? t : t - 86399) / 86400;
	s = t - days * 86400;
	date_of(days, &y, &m, &d);
	digits(b, y, 4);
	buf_char(b, '-');
	digits(b, m, 2);
	buf_char(b, '-');
	digits(b, d, 2);
	buf_char(b, 'T');
	digits(b, s / 3600, 2);
	buf_char(b, ':');
	digits(b, s / 60 % 60, 2);
	buf_char(b, ':');
	digits(b, s % 60, 2);
	buf_char(b, 'Z');
}

/* n digits at s->p; the slice moves on.  -1 if they are none. */
static int
take(struct slice *s, size_t n)
{
	struct slice head = { s->p, n };
	uint64_t v;

	if (s->n < n || slice_uint(head, &v) < 0)
		return -1;
	s->p += n;
	s->n -= n;
	return (int)v;
}

static int
skip(struct slice *s, const char *text)
{
	size_t n = strlen(text);

	if (s->n < n || memcmp(s->p, text, n) != 0)
		return -1;
	s->p += n;
	s->n -= n;
	return 0;
}

/* "HH:MM:SS" */
static int
take_clock(struct slice *s, int *h, int *m, int *sec)
{
	*h = take(s, 2);
	if (skip(s, ":") < 0)
		return -1;
	*m = take(s, 2);
	if (skip(s, ":") < 0)
		return -1;
	*sec = take(s, 2);
	return *h < 0 || *m < 0 || *sec < 0 ? -1 : 0;
}

int
time_rfc3339(struct slice s, int64_t *t)
{
	int year, month, day, h, m, sec, sign;

	year = take(&s, 4);
	if (skip(&s, "-") < 0)
		return -1;
	month = take(&s, 2);
	if (skip(&s, "-") < 0)
		return -1;
	day = take(&s, 2);
	if (s.n == 0 || (*s.p != 'T' && *s.p != 't' && *s.p != ' '))
		return -1;
	s.p++;
	s.n--;
	if (take_clock(&s, &h, &m, &sec) < 0 ||
	    time_civil(year, month, day, h, m, sec, t) < 0)
		return -1;
	if (skip(&s, ".") == 0) {
		if (take(&s, 1) < 0)
			return -1;
		while (take(&s, 1) >= 0)
			;
	}
	if (skip(&s, "Z") == 0 || skip(&s, "z") == 0)
		return s.n ? -1 : 0;
	if (s.n != 6 || (*s.p != '+' && *s.p != '-'))
		return -1;
	sign = *s.p == '+' ? -1 : 1;
	s.p++;
	s.n--;
	h = take(&s, 2);
	if (skip(&s, ":") < 0)
		return -1;
	m = take(&s, 2);
	if (h < 0 || h > 23 || m < 0 || m > 59)
		return -1;
	*t += sign * (h * 3600 + m * 60);
	return in_range(*t) == *t ? 0 : -1;
}

int
time_http(struct slice s, int64_t *t)
{
	static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
		"Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	int year, month, day, h, m, sec;

	/* "Mon, 23 Nov 2026 15:10:27 GMT"; the day's name tells nothing new */
	if (s.n != 29)
		return -1;
	s.p += 3;
	s.n -= 3;
	if (skip(&s, ", ") < 0)
		return -1;
	day = take(&s, 2);
	if (skip(&s, " ") < 0)
		return -1;
	for (month = 0; month < 12 && skip(&s, months[month]) < 0; month++)
		;
	if (skip(&s, " ") < 0)
		return -1;
	year = take(&s, 4);
	if (skip(&s, " ") < 0 || take_clock(&s, &h, &m, &sec) < 0 ||
	    skip(&s, " GMT") < 0)
		return -1;
	return time_civil(year, month + 1, day, h, m, sec, t);
}

static volatile sig_atomic_t stopped, stop_count, stop_enough = 1;
static const int stop_signals[] = { SIGINT, SIGTERM, SIGHUP };

static void
on_signal(int sig)
{
	if (!stopped)
		stopped = sig;
	if (stop_count < 2)
		stop_count++;
}

/* With a handler, a wait is cut short: it looks at the clock, which went on while we were stopped. */
static void
on_continue(int sig)
{
	(void)sig;
}

void
signals_catch(void)
{
	struct sigaction sa, old;
	sigset_t block;
	size_t i;

	memset(&sa, 0, sizeof(sa));
	sigemptyset(&sa.sa_mask);
	sigemptyset(&block);
	sa.sa_handler = on_signal;
	for (i = 0; i < sizeof(stop_signals) / sizeof(*stop_signals); i++) {
		/* what nohup and the like had ignored stays ignored */
		if (sigaction(stop_signals[i], 0, &old) == 0 && old.sa_handler == SIG_IGN)
			continue;
		sigaddset(&block, stop_signals[i]);
		sigaction(stop_signals[i], &sa, 0);
	}
	sigprocmask(SIG_BLOCK, &block, 0);
	sa.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &sa, 0);
	/* a limit to the size of files: EFBIG says so */
	sigaction(SIGXFSZ, &sa, 0);
	sa.sa_handler = on_continue;
	sa.sa_flags = SA_RESTART;
	sigaction(SIGCONT, &sa, 0);
}

int
stop_signal(void)
{
	return stopped;
}

void
signals_default(void)
{
	struct sigaction sa;
	sigset_t none;
	int sig;

	memset(&sa, 0, sizeof(sa));
	sigemptyset(&sa.sa_mask);
	sa.sa_handler = SIG_DFL;
	for (sig = 1; sig <= 64; sig++)		/* real-time ones too; what is none is refused */
		sigaction(sig, &sa, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, 0);
}

void
signals_ignore(void)
{
	struct sigaction sa;
	size_t i;

	memset(&sa, 0, sizeof(sa));
	sigemptyset(&sa.sa_mask);
	sa.sa_handler = SIG_IGN;
	for (i = 0; i < sizeof(stop_signals) / sizeof(*stop_signals); i++)
		sigaction(stop_signals[i], &sa, 0);
}

void
signals_cleanup(int on)
{
	stop_enough = on ? 2 : 1;
}

/* Blocked in here, the signal comes when we return, to the default that it then has. */
static void
end_here(int sig)
{
	progress(0, 0, 0, 0);
	raise(sig);
}

void
signals_deadly(int on)
{
	struct sigaction sa, old;
	sigset_t ours;
	size_t i;

	memset(&sa, 0, sizeof(sa));
	sigemptyset(&sa.sa_mask);
	sigemptyset(&ours);
	sa.sa_handler = on ? end_here : on_signal;
	sa.sa_flags = on ? (int)SA_RESETHAND : 0;
	for (i = 0; i < sizeof(stop_signals) / sizeof(*stop_signals); i++) {
		/* only what signals_catch() took */
		if (sigaction(stop_signals[i], 0, &old) < 0 ||
		    (old.sa_handler != on_signal && old.sa_handler != end_here))
			continue;
		sigaddset(&ours, stop_signals[i]);
		sigaction(stop_signals[i], &sa, 0);
	}
	sigprocmask(on ? SIG_UNBLOCK : SIG_BLOCK, &ours, 0);
}

/* The mask that lets the stop signals through. */
static void
open_mask(sigset_t *mask)
{
	size_t i;

	sigprocmask(SIG_BLOCK, 0, mask);
	for (i = 0; i < sizeof(stop_signals) / sizeof(*stop_signals); i++)
		sigdelset(mask, stop_signals[i]);
}

/* pselect() for the descriptors of p, whose revents it sets. */
static int
select_fds(struct pollfd *p, unsigned n, const struct timespec *left, const sigset_t *mask)
{
	fd_set in, out;
	unsigned i;
	int r, top = -1;

	FD_ZERO(&in);
	FD_ZERO(&out);
	for (i = 0; i < n; i++) {
		p[i].revents = 0;
		if (p[i].fd >= 0 && (p[i].events & POLLIN))
			FD_SET((unsigned)p[i].fd, &in);
		if (p[i].fd >= 0 && (p[i].events & POLLOUT))
			FD_SET((unsigned)p[i].fd, &out);
		if (p[i].fd > top)
			top = p[i].fd;
	}
	r = pselect(top + 1, &in, &out, 0, left, mask);
	for (i = 0; r > 0 && i < n; i++) {
		if (p[i].fd >= 0 && FD_ISSET((unsigned)p[i].fd, &in))
			p[i].revents |= p[i].events & POLLIN;
		if (p[i].fd >= 0 && FD_ISSET((unsigned)p[i].fd, &out))
			p[i].revents |= p[i].events & POLLOUT;
	}
	return r;
}

enum wait
wait_fds(struct pollfd *p, unsigned n, int64_t deadline)
{
	struct timespec left;
	sigset_t mask;
	int64_t ms;
	int r;

	open_mask(&mask);
	for (;;) {
		ms = deadline - now_ms();
		if (ms < 0)
			ms = 0;
		left.tv_sec = (time_t)(ms / 1000);
		left.tv_nsec = (long)(ms % 1000 * 1000000);
		if (stop_count >= stop_enough)
			return WAIT_SIGNAL;
		r = select_fds(p, n, &left, &mask);
		if (stop_count >= stop_enough)
			return WAIT_SIGNAL;
		if (r > 0 || (r < 0 && errno != EINTR))
			return WAIT_READY;
		if (r == 0 && now_ms() >= deadline)
			return WAIT_TIMEOUT;
	}
}

enum wait
wait_fd(int fd, short events, int64_t deadline)
{
	struct pollfd p;

	p.fd = fd;
	p.events = events;
	return wait_fds(&p, 1, deadline);
}

/* All at once, where the system can. */
static int
close_above(int last)
{
#ifdef SYS_close_range
	return (int)syscall(SYS_close_range, (unsigned)last + 1, ~0u, 0u);
#else
	return last < 0 ? 0 : -1;
#endif
}

/*
 * Else by /proc where it is: the limit may be a thousand million, and there may
 * be descriptors above it.
 */
void
descriptors_close(int last)
{
	enum { MANY = 65536 };	/* closed one by one where /proc is missing */
	DIR *d;
	struct dirent *e;
	struct rlimit limit;
	uint64_t fd, end = MANY;

	if (close_above(last) == 0)
		return;
	d = opendir("/proc/self/fd");
	if (d) {
		while ((e = readdir(d)))
			if (slice_uint(slice(e->d_name), &fd) == 0 &&
			    fd > (uint64_t)last && fd != (uint64_t)dirfd(d))
				close((int)fd);
		closedir(d);
		return;
	}
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < end)
		end = limit.rlim_cur;
	for (fd = (uint64_t)last + 1; fd < end; fd++)
		close((int)fd);
}

/*
 * A fault maps what is in the page cache around it, within the same mapping;
 * every other page is given an attribute of its own, so that mappings are one
 * page long.
 */
void
program_by_page(void)
{
#if defined(__linux__) && defined(__ELF__)
	extern char __executable_start[], edata[];
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *at;

	for (at = __executable_start; at < edata; at += 2 * page)
		madvise(at, page, MADV_RANDOM);
	program_drop();
#endif
}

#if defined(__linux__) && defined(__ELF__)
/* Where keys are, all is locked in memory (key.c): this need not be. */
static void
drop(void *p, size_t n)
{
	if (madvise(p, n, MADV_DONTNEED) < 0 && errno == EINVAL && munlock(p, n) == 0)
		madvise(p, n, MADV_DONTNEED);
}
#endif

/* What is never written can be read again: segments that are not writable. */
void
program_drop(void)
{
#if defined(__linux__) && defined(__ELF__)
	extern char __executable_start[];
	const ElfW(Ehdr) *e = (const void *)__executable_start;
	const ElfW(Phdr) *h = (const void *)(__executable_start + e->e_phoff), *end = h + e->e_phnum;
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), first, from, to;

	while (h < end && h->p_type != PT_LOAD)
		h++;
	first = h->p_vaddr & ~(page - 1);	/* it begins with *e */
	for (; h < end; h++) {
		from = (h->p_vaddr & ~(page - 1)) - first;
		to = ((h->p_vaddr + h->p_memsz + page - 1) & ~(page - 1)) - first;
		if (h->p_type == PT_LOAD && !(h->p_flags & PF_W))
			drop(__executable_start + from, to - from);
	}
#endif
}
