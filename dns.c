/*
 * dns.c - a DNS client.  Invariants: an answer counts only if it came from
 * the server asked (the socket is connected), has the question's random id
 * and echoes the question; it is read from end to end before anybody sees it,
 * so that what is shown later cannot fail; a compressed name only ever points
 * backwards, so reading one ends.
 *
 * No EDNS: what is asked for here mostly fits into 512 bytes, TCP takes the
 * rest, and nothing has to be found out about what a middlebox makes of it.
 */
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "dns.h"
#include "key.h"
#include "name.h"
#include "util.h"

enum {
	HEADER = 12, QUERY = 2 + HEADER + 255 + 4,	/* with the length that TCP wants */
	LABEL = 63, WIRE_NAME = 255,
	SLOTS = 16,			/* questions under way at once */
	FIRST_TRY = 1000, LONGEST_TRY = 5000, TCP_TIME = 5000,	/* ms */
	CNAMES = 16,			/* followed in one answer */
	POINTERS = 128			/* in one name; there are no more labels */
};

/* Reading messages. */

static unsigned
get16(const unsigned char *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static uint32_t
get32(const unsigned char *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static void
put_label(struct buf *b, const unsigned char *p, size_t n)
{
	for (; n; n--, p++) {
		if (*p == '.' || *p == '\\') {
			buf_char(b, '\\');
			buf_char(b, *p);
		} else if (*p > 0x20 && *p < 0x7f) {
			buf_char(b, *p);
		} else {
			buf_char(b, '\\');
			buf_char(b, '0' + *p / 100);
			buf_char(b, '0' + *p / 10 % 10);
			buf_char(b, '0' + *p % 10);
		}
	}
}

/* The name at *at, which is moved behind it: 0, or -1 if it is malformed. */
static int
read_name(const struct dns_answer *a, size_t *at, char out[DNS_NAME])
{
	struct buf b = { out, 0, DNS_NAME, 0 };
	size_t i = *at, start = i, end = 0, len, total = 1;
	int pointers = 0;

	for (;;) {
		if (i >= a->n)
			return -1;
		len = a->p[i++];
		if (len == 0)
			break;
		if (len >= 0xc0) {
			if (i >= a->n)
				return -1;
			len = (len & 0x3f) << 8 | a->p[i++];
			if (!end)
				end = i;
			if (len < HEADER || len >= start || ++pointers > POINTERS)
				return -1;
			i = start = len;
			continue;
		}
		total += len + 1;
		if (len > LABEL || len > a->n - i || total > WIRE_NAME)
			return -1;
		if (b.len)
			buf_char(&b, '.');
		put_label(&b, a->p + i, len);
		i += len;
	}
	*at = end ? end : i;
	if (!b.len)
		buf_char(&b, '.');
	buf_text(&b);
	return 0;
}

/* Strings that fill n bytes at p. */
static int
check_strings(const unsigned char *p, size_t n)
{
	size_t len;

	if (!n)
		return -1;
	while (n) {
		len = 1u + *p;
		if (len > n)
			return -1;
		p += len;
		n -= len;
	}
	return 0;
}

/* So many names and then so many bytes. */
static int
check_names(const struct dns_answer *a, const struct dns_record *r, int names, size_t bytes)
{
	char name[DNS_NAME];
	size_t at = r->at;

	while (names--)
		if (read_name(a, &at, name))
			return -1;
	return at + bytes == r->at + r->n ? 0 : -1;
}

static int
check_data(const struct dns_answer *a, const struct dns_record *r)
{
	const unsigned char *p = a->p + r->at;

	switch (r->type) {
	case DNS_A:
		return r->n == 4 ? 0 : -1;
	case DNS_AAAA:
		return r->n == 16 ? 0 : -1;
	case DNS_NS:
	case DNS_CNAME:
		return check_names(a, r, 1, 0);
	case DNS_SOA:
		return check_names(a, r, 2, 20);
	case DNS_TXT:
		return check_strings(p, r->n);
	case DNS_CAA:		/* flags, length of the tag, tag, value */
		return r->n >= 3 && p[1] && p[1] <= r->n - 2 ? 0 : -1;
	}
	return 0;
}

/* The next record: 1, 0 at the end, -1 if it is malformed. */
static int
read_record(const struct dns_answer *a, struct dns_record *r)
{
	unsigned before;
	size_t at = r->seen ? r->next : a->start;

	for (before = r->section = 0; r->section < 3; before += a->count[r->section++])
		if (r->seen < before + a->count[r->section])
			break;
	if (r->section == 3)
		return 0;
	if (read_name(a, &at, r->owner) || a->n - at < 10)
		return -1;
	r->type = get16(a->p + at + 2) == 1 ? get16(a->p + at) : 0;
	r->n = get16(a->p + at + 8);
	r->at = at + 10;
	if (r->n > a->n - r->at || check_data(a, r))
		return -1;
	r->next = r->at + r->n;
	r->seen++;
	return 1;
}

int
dns_next(const struct dns_answer *a, struct dns_record *r)
{
	return a->outcome == DNS_ANSWER && read_record(a, r) > 0;
}

/* All records are well-formed, and nothing stands behind the last. */
static int
check_records(const struct dns_answer *a)
{
	struct dns_record r;
	int more;

	memset(&r, 0, sizeof(r));
	while ((more = read_record(a, &r)) > 0)
		;
	return more == 0 && (r.seen ? r.next : a->start) == a->n ? 0 : -1;
}

static int
same_name(const char *a, const char *b)
{
	size_t n = strlen(b);

	if (n > 1 && b[n - 1] == '.')
		n--;
	return slice_is_nocase((struct slice){ b, n }, a);
}

/* The question must be ours; an error may come without it. */
static int
check_question(struct dns_answer *a, const struct dns_question *q)
{
	char name[DNS_NAME];
	size_t at = HEADER;
	unsigned count = get16(a->p + 4);

	if (count == 0 && a->outcome == DNS_FAILED && a->n == HEADER)
		return 0;
	if (count != 1 || read_name(a, &at, name) || a->n - at < 4 || !same_name(name, q->name) ||
	    get16(a->p + at) != q->type || get16(a->p + at + 2) != 1)
		return -1;
	a->start = at + 4;
	return 0;
}

/*
 * Makes *a of a message of n bytes: 0; 1 if it is the answer, but cut; -1 if
 * it is malformed or answers something else.
 */
static int
parse(struct dns_answer *a, const unsigned char *p, size_t n, unsigned id, const struct dns_question *q)
{
	unsigned flags;
	int i;

	memset(a, 0, sizeof(*a));
	a->p = p;
	a->n = n;
	if (n < HEADER || get16(p) != id)
		return -1;
	flags = get16(p + 2);
	if ((flags & 0xf800) != 0x8000)		/* an answer, to a standard query */
		return -1;
	a->rcode = flags & 15;
	a->authoritative = !!(flags & 0x400);
	a->outcome = a->rcode == 0 || a->rcode == DNS_NXDOMAIN ? DNS_ANSWER : DNS_FAILED;
	if (check_question(a, q))
		return -1;
	if (a->outcome == DNS_FAILED)
		return 0;
	if (flags & 0x200)
		return 1;
	for (i = 0; i < 3; i++)
		a->count[i] = get16(p + 6 + 2 * i);
	return check_records(a);
}

/* What is in an answer. */

const char *
dns_rcode(unsigned rcode)
{
	static const char *const names[] = { "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED" };

	return rcode < sizeof(names) / sizeof(names[0]) ? names[rcode] : "an error";
}

void
dns_target(const struct dns_answer *a, const struct dns_record *r, char out[DNS_NAME])
{
	size_t at = r->at;

	read_name(a, &at, out);
}

void
dns_txt(struct buf *b, const struct dns_answer *a, const struct dns_record *r)
{
	const unsigned char *p = a->p + r->at, *end = p + r->n;

	for (; p < end; p += 1 + *p)
		buf_mem(b, p + 1, *p);
}

static void
put_soa(struct buf *b, const struct dns_answer *a, const struct dns_record *r)
{
	char name[DNS_NAME];
	size_t at = r->at;
	int i;

	for (i = 0; i < 2; i++) {
		read_name(a, &at, name);
		buf_all(b, name, " ", (char *)0);
	}
	for (i = 0; i < 5; i++, at += 4) {
		if (i)
			buf_char(b, ' ');
		buf_uint(b, get32(a->p + at));
	}
}

void
dns_value(struct buf *b, const struct dns_answer *a, const struct dns_record *r)
{
	const unsigned char *p = a->p + r->at, *end = p + r->n;
	char name[DNS_NAME];

	switch (r->type) {
	case DNS_A:
	case DNS_AAAA:
		name_address_text(b, p, r->n);
		break;
	case DNS_NS:
	case DNS_CNAME:
		dns_target(a, r, name);
		buf_str(b, name);
		break;
	case DNS_SOA:
		put_soa(b, a, r);
		break;
	case DNS_TXT:
		for (; p < end; p += 1 + *p)
			buf_printable(b, (struct slice){ (const char *)p + 1, *p });
		break;
	case DNS_CAA:
		buf_uint(b, p[0]);
		buf_char(b, ' ');
		buf_printable(b, (struct slice){ (const char *)p + 2, p[1] });
		buf_str(b, " \"");
		p += 2 + p[1];
		buf_printable(b, (struct slice){ (const char *)p, (size_t)(end - p) });
		buf_char(b, '"');
		break;
	}
}

/* One step along a CNAME of the answer section: 1, or 0 if name has none. */
static int
follow(const struct dns_answer *a, char name[DNS_NAME])
{
	struct dns_record r;

	memset(&r, 0, sizeof(r));
	while (dns_next(a, &r) && r.section == 0)
		if (r.type == DNS_CNAME && same_name(r.owner, name)) {
			dns_target(a, &r, name);
			return 1;
		}
	return 0;
}

void
dns_final(const struct dns_answer *a, const char *name, char out[DNS_NAME])
{
	struct slice s = slice(name);
	int i;

	if (s.n > 1 && s.p[s.n - 1] == '.')
		s.n--;
	slice_copy(s, out, DNS_NAME);
	for (i = 0; i < CNAMES && follow(a, out); i++)
		;
}

int
dns_below(const char *name, const char *zone)
{
	size_t n = strlen(name), z = strlen(zone);

	if (strcmp(zone, ".") == 0)
		return 1;
	return n >= z && slice_is_nocase((struct slice){ name + n - z, z }, zone) &&
	    (n == z || name[n - z - 1] == '.');
}

/* Writing questions. */

static int
put_name(struct buf *b, const char *name)
{
	size_t n, start = b->len;

	if (strcmp(name, ".") == 0)
		name = "";
	for (; *name; name += n + !!name[n]) {
		n = strcspn(name, ".");
		if (n == 0 || n > LABEL)
			return -1;
		buf_char(b, (int)n);
		buf_mem(b, name, n);
	}
	buf_char(b, 0);
	return b->err || b->len - start > WIRE_NAME ? -1 : 0;
}

int
dns_name(const char *name)
{
	char mem[WIRE_NAME + 1];
	struct buf b = BUF(mem);
	const char *p;

	for (p = name; *p; p++)
		if (*p <= 0x20 || *p >= 0x7f || *p == '\\')
			return -1;
	return *name ? put_name(&b, name) : -1;
}

static void
put16(struct buf *b, unsigned v)
{
	buf_char(b, (int)(v >> 8 & 255));
	buf_char(b, (int)(v & 255));
}

/* Header and question; before them the length, for TCP.  0, or -1: no such name. */
static int
build(struct buf *b, unsigned id, const struct dns_question *q)
{
	size_t n;

	put16(b, 0);
	put16(b, id);
	put16(b, q->recurse ? 0x100 : 0);
	put16(b, 1);
	put16(b, 0);
	put16(b, 0);
	put16(b, 0);
	if (put_name(b, q->name))
		return -1;
	put16(b, q->type);
	put16(b, 1);
	n = b->len - 2;
	b->p[0] = (char)(n >> 8);
	b->p[1] = (char)(n & 255);
	return b->err ? -1 : 0;
}

/* Addresses and sockets. */

int
dns_address(struct dns_address *a, const char *text)
{
	char mem[LIMIT_NAME + 1];
	const char *zone = strchr(text, '%');
	struct slice s = { text, zone ? (size_t)(zone - text) : strlen(text) };

	a->scope = 0;
	if (zone && (a->scope = if_nametoindex(zone + 1)) == 0)
		return -1;
	if (slice_copy(s, mem, sizeof(mem)))
		return -1;
	a->n = (unsigned char)name_address(mem, a->ip);
	return a->n ? 0 : -1;
}

void
dns_address_text(struct buf *b, const struct dns_address *a)
{
	int brackets = a->port != DNS_PORT && a->n == 16;

	buf_str(b, brackets ? "[" : "");
	name_address_text(b, a->ip, a->n);
	buf_str(b, brackets ? "]" : "");
	if (a->port != DNS_PORT) {
		buf_char(b, ':');
		buf_uint(b, a->port);
	}
}

static socklen_t
socket_address(struct sockaddr_storage *out, const struct dns_address *a)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	memset(&v4, 0, sizeof(v4));
	memset(&v6, 0, sizeof(v6));
	if (a->n == 4) {
		v4.sin_family = AF_INET;
		v4.sin_port = htons((uint16_t)a->port);
		memcpy(&v4.sin_addr, a->ip, 4);
		memcpy(out, &v4, sizeof(v4));
		return sizeof(v4);
	}
	v6.sin6_family = AF_INET6;
	v6.sin6_port = htons((uint16_t)a->port);
	v6.sin6_scope_id = a->scope;
	memcpy(&v6.sin6_addr, a->ip, 16);
	memcpy(out, &v6, sizeof(v6));
	return sizeof(v6);
}

int
dns_connect(const struct dns_address *a, int socket_type)
{
	struct sockaddr_storage to;
	socklen_t n = socket_address(&to, a);
	int fd = socket(a->n == 4 ? AF_INET : AF_INET6, socket_type, 0), saved;

	if (fd < 0)
		return -1;
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0 &&
	    (connect(fd, (struct sockaddr *)&to, n) == 0 || errno == EINPROGRESS))
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

/* TCP, for one answer that did not fit.  All others wait meanwhile, as it is rare. */

static unsigned char message[65535] LARGE;

/* All n bytes, out or in: 0, or -1 and errno. */
static int
transfer(int fd, int out, unsigned char *p, size_t n, int64_t deadline)
{
	ssize_t done;

	while (n) {
		if (wait_fd(fd, out ? POLLOUT : POLLIN, deadline) != WAIT_READY) {
			errno = ETIMEDOUT;
			return -1;
		}
		done = out ? send(fd, p, n, MSG_NOSIGNAL) : recv(fd, p, n, 0);
		if (done == 0)
			errno = ECONNRESET;
		if (done == 0 || (done < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
			return -1;
		if (done > 0) {
			p += done;
			n -= (size_t)done;
		}
	}
	return 0;
}

static int
ask_tcp(struct dns_answer *a, const struct dns_address *server, unsigned id,
    const struct dns_question *q, int64_t deadline)
{
	char mem[QUERY];
	unsigned char length[2];
	struct buf b = BUF(mem);
	int fd = dns_connect(server, SOCK_STREAM), bad;

	if (fd < 0)
		return -1;
	bad = build(&b, id, q) || transfer(fd, 1, (unsigned char *)mem, b.len, deadline) ||
	    transfer(fd, 0, length, 2, deadline) || transfer(fd, 0, message, get16(length), deadline);
	close(fd);
	if (bad)
		return -1;
	errno = EBADMSG;
	return parse(a, message, get16(length), id, q) ? -1 : 0;
}

/* Questions under way. */

struct slot {
	int used, fd;			/* fd -1: to be tried (again) */
	struct dns_question q;
	unsigned id, tries, refusals;	/* refusals: in a row */
	int64_t next, end;		/* of this try, of all */
	int error;
	unsigned rcode;
};

static const struct dns_address *
server_of(const struct slot *s)
{
	return &s->q.server[(s->tries - 1) % s->q.servers];
}

static void
hang_up(struct slot *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

static void
finish(struct slot *s, struct dns_run *run, const struct dns_answer *a)
{
	hang_up(s);
	s->used = 0;
	run->done(run->ctx, &s->q, a);
}

/* No answer will come: the last failure that was answered, or silence. */
static void
give_up(struct slot *s, struct dns_run *run)
{
	struct dns_answer a;

	memset(&a, 0, sizeof(a));
	a.outcome = s->rcode ? DNS_FAILED : DNS_SILENT;
	a.rcode = s->rcode;
	a.error = s->error;
	finish(s, run, &a);
}

/* This server will not do: the next one; none is left when all were asked in a row. */
static void
refuse(struct slot *s, struct dns_run *run)
{
	hang_up(s);
	if (++s->refusals >= s->q.servers)
		give_up(s, run);
}

/* Sends the question to the next server. */
static void
try_next(struct slot *s, struct dns_run *run)
{
	char mem[QUERY];
	struct buf b = BUF(mem);
	unsigned char id[2];
	int64_t wait = FIRST_TRY;
	unsigned round = s->tries / s->q.servers;

	s->tries++;
	while (round-- && wait < LONGEST_TRY)
		wait *= 2;
	s->next = now_ms() + (wait < LONGEST_TRY ? wait : LONGEST_TRY);
	errno = EINVAL;
	if (random_bytes(id, sizeof(id)) == 0) {
		s->id = get16(id);
		if (build(&b, s->id, &s->q) == 0)
			s->fd = dns_connect(server_of(s), SOCK_DGRAM);
	}
	if (s->fd >= 0 && send(s->fd, mem + 2, b.len - 2, MSG_NOSIGNAL) == (ssize_t)b.len - 2)
		return;
	s->error = errno;
	refuse(s, run);
}

/* Takes what has come; what is no answer to this question is passed over. */
static void
receive(struct slot *s, struct dns_run *run)
{
	struct dns_answer a;
	ssize_t n = recv(s->fd, message, sizeof(message), 0);
	int64_t deadline = now_ms() + TCP_TIME;
	int r;

	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return;
	r = n < 0 ? -1 : parse(&a, message, (size_t)n, s->id, &s->q);
	if (r > 0)
		r = ask_tcp(&a, server_of(s), s->id, &s->q, deadline < run->deadline ? deadline : run->deadline);
	else if (r < 0 && n >= 0) {
		s->error = EBADMSG;
		return;
	}
	if (r == 0 && a.outcome == DNS_ANSWER) {
		finish(s, run, &a);
		return;
	}
	if (r == 0)
		s->rcode = a.rcode;
	else
		s->error = errno;
	refuse(s, run);
}

/* What is due for one question. */
static void
proceed(struct slot *s, struct dns_run *run, int ready)
{
	int64_t now = now_ms();

	if (ready && s->fd >= 0)
		receive(s, run);
	else if (now >= s->end || now >= run->deadline)
		give_up(s, run);
	else if (s->fd >= 0 && now >= s->next) {
		hang_up(s);
		s->refusals = 0;
	}
	while (s->used && s->fd < 0)
		try_next(s, run);
}

/* Takes on a new question: 1; 0 if there is none now. */
static int
begin(struct slot *s, struct dns_run *run)
{
	memset(s, 0, sizeof(*s));
	s->fd = -1;
	if (now_ms() >= run->deadline || !run->next(run->ctx, &s->q))
		return 0;
	s->used = 1;
	s->end = now_ms() + s->q.patience;
	while (s->used && s->fd < 0)
		try_next(s, run);
	return 1;
}

/* New questions where there is room; the number under way. */
static unsigned
fill(struct slot *slot, struct dns_run *run)
{
	unsigned i, used = 0;

	for (i = 0; i < SLOTS; i++) {
		while (!slot[i].used && begin(&slot[i], run))
			;
		used += (unsigned)slot[i].used;
	}
	return used;
}

/* Waits for the first thing to happen to any of them. */
static enum wait
wait_slots(const struct slot *slot, const struct dns_run *run, struct pollfd *p)
{
	int64_t until = run->deadline;
	unsigned i;

	for (i = 0; i < SLOTS; i++) {
		p[i].fd = slot[i].used ? slot[i].fd : -1;
		p[i].events = POLLIN;
		if (slot[i].used && slot[i].next < until)
			until = slot[i].next;
		if (slot[i].used && slot[i].end < until)
			until = slot[i].end;
	}
	return wait_fds(p, SLOTS, until);
}

int
dns_run(struct dns_run *run)
{
	struct slot slot[SLOTS];
	struct pollfd p[SLOTS];
	enum wait w = WAIT_READY;
	unsigned i;

	memset(slot, 0, sizeof(slot));
	while (w != WAIT_SIGNAL && fill(slot, run) > 0) {
		w = wait_slots(slot, run, p);
		for (i = 0; i < SLOTS && w != WAIT_SIGNAL; i++)
			if (slot[i].used)
				proceed(&slot[i], run, p[i].revents != 0);
	}
	for (i = 0; i < SLOTS; i++)
		if (slot[i].used)
			hang_up(&slot[i]);
	return w == WAIT_SIGNAL ? -1 : 0;
}
