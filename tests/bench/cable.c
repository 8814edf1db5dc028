/*
 * cable.c - the only way between a client and a CA, for the bench: cable NAME.
 * Makes a tun interface NAME in the network namespace it is started in (the CA's)
 * and another in one of its own (the client's, /proc/PID/ns/net), and carries IP
 * packets from one to the other, each as late as is asked for.  So both ends speak
 * real TCP: a connection costs a round trip, and slow start is the kernels' own.
 *
 * What passes is counted, not read.  Commands are lines on standard input; each
 * is answered by one line:
 *	delay USEC	each way, from now on
 *	begin		all counters to zero
 *	end		connections handshakes round-trips bytes-up bytes-down busy-usec
 *
 * Round trips are the longest chain of cause and effect.  What the client sends,
 * or a connection that it opens, is one step later than the latest thing that had
 * reached it; what the CA sends has the step of the latest thing that had
 * reached it on that connection.  Requests written in one flight, or side by side on
 * several connections, are one step.  Busy is the time during which the client
 * has something to wait for on some connection.
 */
#define _GNU_SOURCE
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <linux/if.h>
#include <linux/if_tun.h>

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../check.h"

enum { UP, DOWN, MTU = 1500, QUEUE = 16384 };
enum { FIN = 1, SYN = 2, RST = 4 };

struct packet {
	int64_t due;
	uint32_t step;
	uint16_t port, len;
	unsigned char mem[MTU];
};

/* Packets under way in one direction, in order. */
struct way {
	int from, to;
	unsigned long head, tail, bytes;
	struct packet *packet;
};

/* A connection, by the client's port. */
struct connection {
	uint32_t step;          /* the latest that has reached the CA */
	unsigned char open, greeted, waiting;
};

static struct way way[2];
static struct connection connection[65536];
static unsigned long connections, handshakes;
static uint32_t reached;        /* the latest step that has reached the client */
static int waiting;
static int64_t delay, busy, busy_since;

static int64_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int
tun(const char *name)
{
	struct ifreq r;
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	check(fd >= 0, "/dev/net/tun");
	memset(&r, 0, sizeof(r));
	r.ifr_flags = IFF_TUN | IFF_NO_PI;
	strncpy(r.ifr_name, name, sizeof(r.ifr_name) - 1);
	check(ioctl(fd, TUNSETIFF, &r) == 0, name);
	return fd;
}

static void
set_waiting(struct connection *c, int on)
{
	if (c->waiting == on)
		return;
	c->waiting = (unsigned char)on;
	if (on && waiting++ == 0)
		busy_since = now();
	if (!on && --waiting == 0)
		busy += now() - busy_since;
}

/*
 * The TCP header's flags and how much it carries; 0 if this is no TCP over IPv4.
 */
static const unsigned char *
tcp(const struct packet *p, int *flags, size_t *len)
{
	const unsigned char *ip = p->mem, *t;
	size_t total, head;

	if (p->len < 40 || ip[0] >> 4 != 4 || ip[9] != 6)
		return 0;
	head = (ip[0] & 15) * 4u;
	total = (size_t)ip[2] << 8 | ip[3];
	t = ip + head;
	if (total > p->len || total < head + 20 || total < head + (t[12] >> 4) * 4u)
		return 0;
	*flags = t[13];
	*len = total - head - (t[12] >> 4) * 4u;
	return t;
}

static unsigned
port(const unsigned char *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

/* A packet leaves the client. */
static void
leaves_client(struct packet *p)
{
	int flags;
	size_t len;
	const unsigned char *t = tcp(p, &flags, &len), *data;
	struct connection *c;

	if (!t)
		return;
	way[UP].bytes += p->len;
	p->port = (uint16_t)port(t);
	c = &connection[p->port];
	if ((flags & SYN) && !c->open) {
		connections++;
		c->open = 1;
		c->greeted = 0;
		c->step = 0;
	}
	if (!(flags & SYN) && len == 0 && !(flags & (FIN | RST)))
		return;
	if ((flags & SYN) || len) {
		p->step = reached + 1;
		set_waiting(c, 1);
	}
	if (len >= 6 && !c->greeted) {
		data = t + (t[12] >> 4) * 4;
		handshakes += data[0] == 22 && data[1] == 3 && data[5] == 1;
		c->greeted = 1;
	}
	if (flags & (FIN | RST)) {
		c->open = 0;
		set_waiting(c, 0);
	}
}

static void
leaves_ca(struct packet *p)
{
	int flags;
	size_t len;
	const unsigned char *t = tcp(p, &flags, &len);

	if (!t)
		return;
	way[DOWN].bytes += p->len;
	p->port = (uint16_t)port(t + 2);
	if ((flags & (SYN | FIN | RST)) || len)
		p->step = connection[p->port].step;
}

static void
arrives(int direction, const struct packet *p)
{
	struct connection *c = &connection[p->port];

	if (!p->step)
		return;
	if (direction == UP) {
		if (c->step < p->step)
			c->step = p->step;
		return;
	}
	if (reached < p->step)
		reached = p->step;
	set_waiting(c, 0);
}

/* Takes all that is there from one end. */
static void
take(int direction)
{
	struct way *w = &way[direction];
	struct packet *p;
	ssize_t n;

	while (w->tail - w->head < QUEUE) {
		p = &w->packet[w->tail % QUEUE];
		n = read(w->from, p->mem, MTU);
		if (n <= 0)
			return;
		p->len = (uint16_t)n;
		p->due = now() + delay;
		p->step = 0;
		p->port = 0;
		if (direction == UP)
			leaves_client(p);
		else
			leaves_ca(p);
		w->tail++;
	}
}

static void
give(int direction)
{
	struct way *w = &way[direction];
	const struct packet *p;

	for (; w->head < w->tail; w->head++) {
		p = &w->packet[w->head % QUEUE];
		if (p->due > now())
			return;
		arrives(direction, p);
		/* A full or vanished end loses packets, as networks do. */
		if (write(w->to, p->mem, p->len) < 0)
			continue;
	}
}

static void
command(void)
{
	char line[64];
	long usec;

	if (!fgets(line, sizeof(line), stdin))
		exit(0);
	if (sscanf(line, "delay %ld", &usec) == 1) {
		delay = usec * 1000;
		puts("ok");
	} else if (strcmp(line, "begin\n") == 0) {
		memset(connection, 0, sizeof(connection));
		way[UP].bytes = way[DOWN].bytes = connections = handshakes = 0;
		reached = 0;
		waiting = 0;
		busy = 0;
		puts("ok");
	} else {
		if (waiting)
			busy += now() - busy_since;
		printf("%lu %lu %lu %lu %lu %lld\n", connections, handshakes, (unsigned long)reached,
		    way[UP].bytes, way[DOWN].bytes, (long long)(busy / 1000));
	}
	fflush(stdout);
}

/* When the next packet is due, as poll wants it: 0, or for ever. */
static struct timespec *
wait_time(struct timespec *t)
{
	int64_t first = INT64_MAX, left;
	int i;

	for (i = 0; i < 2; i++)
		if (way[i].head < way[i].tail && way[i].packet[way[i].head % QUEUE].due < first)
			first = way[i].packet[way[i].head % QUEUE].due;
	if (first == INT64_MAX)
		return 0;
	left = first - now();
	if (left < 0)
		left = 0;
	t->tv_sec = (time_t)(left / 1000000000);
	t->tv_nsec = (long)(left % 1000000000);
	return t;
}

int
main(int argc, char **argv)
{
	struct pollfd p[3];
	struct timespec t;
	int i, ca, client;

	if (argc != 2)
		return 64;
	ca = tun(argv[1]);
	check(unshare(CLONE_NEWNET) == 0, "unshare");
	client = tun(argv[1]);
	prctl(PR_SET_TIMERSLACK, 1L);
	setvbuf(stdin, 0, _IOLBF, 0);
	for (i = 0; i < 2; i++) {
		way[i].from = i == UP ? client : ca;
		way[i].to = i == UP ? ca : client;
		way[i].packet = malloc(QUEUE * sizeof(struct packet));
		check(way[i].packet != 0, "malloc");
		p[i].fd = way[i].from;
		p[i].events = POLLIN;
	}
	p[2].fd = 0;
	p[2].events = POLLIN;
	puts("ready");
	fflush(stdout);
	for (;;) {
		check(ppoll(p, 3, wait_time(&t), 0) >= 0, "poll");
		take(UP);
		take(DOWN);
		give(UP);
		give(DOWN);
		if (p[2].revents)
			command();
	}
}
