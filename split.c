/*
 * split.c - privilege separation.  The keeper is the process that was started:
 * it has the keys, the state directory, the hooks and the terminal, and reads no
 * byte that a server sent.  Before it touches any of these it forks the nursery,
 * which stays as it was then: it has no key, no open file but one socket, and
 * reads from that socket nothing but a byte and a descriptor at a time.  With each comes
 * one conversation: the nursery forks a talker, which confines itself
 * (confine.c) and then speaks with the CA over TLS, and with the keeper over
 * the descriptor in the few calls of talker.c and converse.c.  The talker can open nothing,
 * the files of the resolver neither; so it asks the nursery, which forks a
 * resolver for each name, confined once it has read them.  A probe (probe.c) is
 * to name servers what the talker is to a CA.  Whoever ends, or is
 * killed, closes a socket: the nursery then kills what it made, so nothing
 * outlives the keeper, and a talker that was taken over by its server dies with
 * the conversation.  All of them ignore the stop signals: what they mean is for
 * the keeper to say.
 */
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "confine.h"
#include "dns.h"
#include "key.h"
#include "resolve.h"
#include "split.h"
#include "util.h"

enum { GRACE = 2000 };		/* ms that a resolver is late at most */

static struct {
	struct confine_user user;
	split_serve *serve[SPLIT_KINDS];
	pid_t nursery;			/* the keeper's; 0: there is none */
	int control;			/* between keeper and nursery */
	int names;			/* between talker and nursery */
} split;

/* What a resolver is asked, and what it answers. */
struct question {
	char host[LIMIT_NAME + 1];
	unsigned port;
	int family;
	int64_t left;			/* ms */
};
struct answer {
	int count;			/* as of resolve_host() */
	struct dns_address address[RESOLVE_MAX];
	char why[256];
};

/* --- channels --- */

/* Waits for the channel: 0, or -1 and errno. */
static int
await(int fd, short events, int64_t deadline)
{
	enum wait w = wait_fd(fd, events, deadline);

	if (w == WAIT_READY)
		return 0;
	errno = w == WAIT_SIGNAL ? EINTR : ETIMEDOUT;
	return -1;
}

int
split_send(int channel, const void *p, size_t n, int64_t deadline)
{
	const char *at = p;
	ssize_t put;

	while (n) {
		put = send(channel, at, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (put > 0) {
			at += put;
			n -= (size_t)put;
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			if (await(channel, POLLOUT, deadline) < 0)
				return -1;
		} else if (errno != EINTR) {
			errno = EPIPE;
			return -1;
		}
	}
	return 0;
}

int
split_receive(int channel, void *p, size_t n, int64_t deadline)
{
	char *at = p;
	ssize_t got;

	while (n) {
		if (await(channel, POLLIN, deadline) < 0)
			return -1;
		got = recv(channel, at, n, MSG_DONTWAIT);
		if (got > 0) {
			at += got;
			n -= (size_t)got;
		} else if (got == 0 || (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK)) {
			errno = EPIPE;
			return -1;
		}
	}
	return 0;
}

/* Two ends that no program of ours inherits: 0, or -1 and errno. */
static int
make_channel(int end[2])
{
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, end) < 0)
		return -1;
	fcntl(end[0], F_SETFD, FD_CLOEXEC);
	fcntl(end[1], F_SETFD, FD_CLOEXEC);
	return 0;
}

/* A message of one byte, the kind, with room for a descriptor. */
struct parcel {
	struct msghdr m;
	struct iovec v;
	unsigned char kind;
	union {
		size_t align;		/* as that of struct cmsghdr */
		char mem[CMSG_SPACE(sizeof(int))];
	} control;
};

static void
pack(struct parcel *p)
{
	memset(p, 0, sizeof(*p));
	p->v.iov_base = &p->kind;
	p->v.iov_len = 1;
	p->m.msg_iov = &p->v;
	p->m.msg_iovlen = 1;
	p->m.msg_control = p->control.mem;
	p->m.msg_controllen = sizeof(p->control.mem);
}

static int
send_descriptor(int channel, int kind, int fd)
{
	struct parcel p;
	struct cmsghdr *c;
	ssize_t n;

	pack(&p);
	p.kind = (unsigned char)kind;
	c = CMSG_FIRSTHDR(&p.m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	do
		n = sendmsg(channel, &p.m, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n == 1 ? 0 : -1;
}

/* The descriptor that comes with the next byte, a kind; -1 if none does; -2: the end of the channel. */
static int
receive_descriptor(int channel, int *kind)
{
	struct parcel p;
	struct cmsghdr *c;
	ssize_t n;
	int fd;

	pack(&p);
	do
		n = recvmsg(channel, &p.m, 0);
	while (n < 0 && errno == EINTR);
	if (n != 1 || p.kind >= SPLIT_KINDS)
		return -2;
	*kind = p.kind;
	c = CMSG_FIRSTHDR(&p.m);
	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
	    c->cmsg_len != CMSG_LEN(sizeof(int)))
		return -1;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

/* --- the resolver --- */

int
split_confine(void)
{
	unsigned char byte;

	/* the generator is seeded while all sources can be opened */
	if (random_bytes(&byte, 1) < 0)
		return -1;
	return confine(&split.user);
}

/* Called by resolve.c between its files and the network. */
static void
confine_resolver(void)
{
	if (split_confine() < 0)
		_exit(1);
}

/* Answers one question of the talker's. */
static void
resolver(int names)
{
	static struct question q;
	static struct answer a;
	int64_t deadline = now_ms() + GRACE;
	struct buf why = BUF(a.why);

	if (split_receive(names, &q, sizeof(q), deadline) < 0)
		_exit(1);
	q.host[LIMIT_NAME] = 0;
	deadline = now_ms() + q.left;
	resolve_loaded = confine_resolver;
	a.count = resolve_host(a.address, q.host, q.port, q.family, deadline, &why);
	buf_text(&why);
	split_send(names, &a, sizeof(a), now_ms() + GRACE);
	_exit(0);
}

int
split_resolve(struct dns_address *out, const char *host, unsigned port, int family,
    int64_t deadline, struct buf *why)
{
	static struct question q;
	static struct answer a;

	memset(&q, 0, sizeof(q));
	slice_copy(slice(host), q.host, sizeof(q.host));
	q.port = port;
	q.family = family;
	q.left = deadline - now_ms();
	if (split_send(split.names, &q, sizeof(q), deadline) < 0 ||
	    split_receive(split.names, &a, sizeof(a), deadline + GRACE) < 0) {
		buf_str(why, errno == ETIMEDOUT ? "timed out" : "the resolver died");
		return -1;
	}
	a.why[sizeof(a.why) - 1] = 0;
	if (a.count < 0 || a.count > RESOLVE_MAX) {
		buf_str(why, a.why);
		return -1;
	}
	memcpy(out, a.address, sizeof(a.address));
	return a.count;
}

/* --- the nursery --- */

struct child {
	pid_t pid;			/* 0: none */
	int fd;				/* to it: at its end, this ends too */
};

static void
stop(struct child *c)
{
	if (c->pid) {
		kill(c->pid, SIGKILL);
		while (waitpid(c->pid, 0, 0) < 0 && errno == EINTR)
			;
		close(c->fd);
	}
	c->pid = 0;
	c->fd = -1;
}

/* A child, in place of the last: as fork(); *end is its end of a channel to the nursery. */
static pid_t
make(struct child *c, int *end)
{
	int ends[2];

	stop(c);
	if (make_channel(ends) < 0)
		return -1;
	c->pid = fork();
	if (c->pid == 0) {
		close(split.control);
		close(ends[0]);
		*end = ends[1];
		return 0;
	}
	close(ends[1]);
	c->fd = ends[0];
	if (c->pid > 0)
		return c->pid;
	close(c->fd);
	c->pid = 0;
	c->fd = -1;
	return -1;
}

static void
new_child(struct child *c, int kind, int channel)
{
	if (make(c, &split.names) == 0) {
		split.serve[kind](channel);
		_exit(0);
	}
	close(channel);
}

/* Something comes from the talker: a question, or its end. */
static void
new_resolver(struct child *r, struct child *talker)
{
	char byte;
	int end;

	if (recv(talker->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1 && make(r, &end) == 0)
		resolver(talker->fd);
	if (!r->pid)
		stop(talker);
}

/* What the keeper wants: a new child of a kind, or an end to it, or to all. */
static void
obey(struct child *child, struct child *r)
{
	int kind, channel = receive_descriptor(split.control, &kind);

	if (channel == -2) {
		for (kind = 0; kind < SPLIT_KINDS; kind++)
			stop(&child[kind]);
		stop(r);
		_exit(0);
	}
	if (kind == SPLIT_TALKER)
		stop(r);
	stop(&child[kind]);
	if (channel >= 0)
		new_child(&child[kind], kind, channel);
}

/* Its memory is there as long as any: it waits without the clock, which takes a page, and signals are ignored. */
static void
nursery(void)
{
	struct child child[SPLIT_KINDS] = { { 0, -1 }, { 0, -1 } }, r = { 0, -1 };
	struct pollfd p[3];

	p[0].fd = split.control;
	p[0].events = p[1].events = p[2].events = POLLIN;
	for (;;) {
		p[1].fd = r.pid ? r.fd : child[SPLIT_TALKER].fd;
		p[2].fd = child[SPLIT_PROBE].fd;
		program_drop();
		if (poll(p, 3, -1) <= 0)
			continue;
		if (p[0].revents)
			obey(child, &r);
		else if (p[2].revents)
			stop(&child[SPLIT_PROBE]);
		else if (r.pid)
			stop(&r);
		else
			new_resolver(&r, &child[SPLIT_TALKER]);
	}
}

/* The first thing in the nursery: nothing is kept of what the keeper was given. */
static void
settle(int control)
{
	int fd = open("/dev/null", O_RDWR), i;

	for (i = 0; i < 3; i++)
		if (fd < 0 || dup2(fd, i) < 0)
			_exit(1);
	if (control != 3 && dup2(control, 3) < 0)
		_exit(1);
	descriptors_close(3);
	program_drop();
	split.control = 3;
	fcntl(3, F_SETFD, FD_CLOEXEC);
	if (chdir("/") < 0)
		_exit(1);
	signals_ignore();
}

/* --- the keeper --- */

int
split_start(const char *user, void (*forget)(void), split_serve *const serve[SPLIT_KINDS])
{
	int ends[2], kind;

	if (confine_user(&split.user, user) < 0)
		return fail(ST_CONFIG, "--user: there is no user ", user, (char *)0);
	for (kind = 0; kind < SPLIT_KINDS; kind++)
		split.serve[kind] = serve[kind];
	program_by_page();
	if (make_channel(ends) < 0)
		return fail(ST_CONFIG, "cannot make a socket:", (char *)0);
	split.nursery = fork();
	if (split.nursery == 0) {
		settle(ends[1]);
		forget();
		nursery();
	}
	close(ends[1]);
	split.control = ends[0];
	if (split.nursery > 0)
		return 0;
	close(ends[0]);
	split.nursery = 0;
	return fail(ST_CONFIG, "cannot make a process:", (char *)0);
}

void
split_end(void)
{
	if (!split.nursery)
		return;
	close(split.control);
	while (waitpid(split.nursery, 0, 0) < 0 && errno == EINTR)
		;
	split.nursery = 0;
}

int
split_child(int kind)
{
	int ends[2], r;

	if (!split.nursery) {
		errno = ESRCH;
		return -1;
	}
	if (make_channel(ends) < 0)
		return -1;
	r = send_descriptor(split.control, kind, ends[1]);
	close(ends[1]);
	if (r == 0)
		return ends[0];
	close(ends[0]);
	return -1;
}

void
split_shut(int channel)
{
	shutdown(channel, SHUT_WR);
}

void
split_kill(int kind, int channel)
{
	char byte = (char)kind;

	if (channel < 0)
		return;
	close(channel);
	/* without a descriptor it means the end of it */
	split_send(split.control, &byte, 1, now_ms() + GRACE);
}

int
split_probe(const char *user)
{
	pid_t pid;
	int status = 0;

	if (confine_user(&split.user, user) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		status = confine(&split.user);
		_exit(status < 0 ? 255 : status);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid < 0 || !WIFEXITED(status) || WEXITSTATUS(status) == 255 ? -1 : WEXITSTATUS(status);
}
