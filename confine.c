/*
 * confine.c - giving up rights.  The seccomp filter lists what may be called,
 * so that what future kernels add is refused as well; the list is short since
 * whoever is confined allocates nothing and opens nothing.  The kernel's
 * headers are not there in every build: the few numbers of its interface are
 * written down here.
 */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE 1	/* setgroups, syscall */
#endif
#include <sys/resource.h>
#include <sys/types.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#endif

#include "confine.h"

/* --- users --- */

/* A line of /etc/passwd is this user's: its ids. */
static int
user_line(struct slice line, const char *name, struct confine_user *u)
{
	struct slice user = slice_cut(&line, ':');
	uint64_t uid, gid;

	slice_cut(&line, ':');
	if (!slice_is(user, name) || slice_uint(slice_cut(&line, ':'), &uid) < 0 ||
	    slice_uint(slice_cut(&line, ':'), &gid) < 0 || uid >= UINT32_MAX || gid >= UINT32_MAX)
		return 0;
	u->uid = (uint32_t)uid;
	u->gid = (uint32_t)gid;
	return 1;
}

/* getpwnam would bring in malloc and stdio, and in a static glibc binary libraries that are loaded. */
static int
find(const char *name, struct confine_user *u)
{
	char mem[4096];
	int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC), found = 0;
	struct slice line;
	const char *end;
	off_t at = 0;
	ssize_t n;

	while (fd >= 0 && !found && (n = pread(fd, mem, sizeof(mem), at)) > 0) {
		line.p = mem;
		do {
			line.n = (size_t)(mem + n - line.p);
			end = line.n ? memchr(line.p, '\n', line.n) : 0;
			if (end)
				line.n = (size_t)(end - line.p);
			else if (line.p > mem && n == (ssize_t)sizeof(mem))
				break;	/* cut: it is read again from its start */
			found = user_line(line, name, u);
			line.p += line.n + (end != 0);
		} while (end && !found);
		at += line.p > mem ? line.p - mem : n;
	}
	if (fd >= 0)
		close(fd);
	return found;
}

int
confine_user(struct confine_user *u, const char *name)
{
	int given = name && *name;

	u->name = given ? name : "nobody";
	u->uid = u->gid = 65534;
	return find(u->name, u) || !given || strcmp(name, "nobody") == 0 ? 0 : -1;
}

int
confine_become(const struct confine_user *u)
{
	gid_t gid = (gid_t)u->gid;
	uid_t uid = (uid_t)u->uid;

	if (geteuid() != 0 || uid == 0)
		return 0;
	if (setgroups(1, &gid) < 0 || setgid(gid) < 0 || setuid(uid) < 0)
		return -1;
	if (setuid(0) == 0) {
		errno = EPERM;
		return -1;
	}
	return 0;
}

/* --- Linux --- */

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

#if defined(__linux__) && !defined(SANITIZED)

#ifndef PR_SET_NO_NEW_PRIVS
#define PR_SET_NO_NEW_PRIVS 38
#endif
#ifndef PR_SET_SECCOMP
#define PR_SET_SECCOMP 22
#endif

/* Landlock: <linux/landlock.h>.  System calls from 424 on have one number, after the offset of MIPS. */
#if defined(__mips__) && _MIPS_SIM == 1
#define OFFSET 4000
#elif defined(__mips__) && _MIPS_SIM == 3
#define OFFSET 5000
#elif defined(__mips__)
#define OFFSET 6000
#else
#define OFFSET 0
#endif
enum {
	LANDLOCK_CREATE_RULESET = OFFSET + 444,
	LANDLOCK_RESTRICT_SELF = OFFSET + 446,
	LANDLOCK_VERSION = 1,		/* flag: tells the version */
	LANDLOCK_BIND_TCP = 1,
	LANDLOCK_SCOPES = 3		/* abstract sockets, signals */
};
struct landlock_ruleset {
	uint64_t fs, net, scoped;
};

/* A ruleset that handles all there is and allows none of it but connect(). */
static int
landlock(void)
{
	/* by version: how many rights of files there are, and the size of the structure */
	static const struct {
		unsigned rights;
		size_t size;
	} versions[] = {
		{ 13, 8 }, { 14, 8 }, { 15, 8 }, { 15, 16 }, { 16, 16 }, { 16, 24 }
	};
	struct landlock_ruleset r = { 0, LANDLOCK_BIND_TCP, LANDLOCK_SCOPES };
	long v = syscall(LANDLOCK_CREATE_RULESET, (void *)0, (size_t)0, LANDLOCK_VERSION);
	int fd, bad;

	if (v < 1)
		return 0;
	if ((size_t)v > sizeof(versions) / sizeof(*versions))
		v = (long)(sizeof(versions) / sizeof(*versions));
	r.fs = ((uint64_t)1 << versions[v - 1].rights) - 1;
	fd = (int)syscall(LANDLOCK_CREATE_RULESET, &r, versions[v - 1].size, 0);
	if (fd < 0)
		return 0;
	bad = syscall(LANDLOCK_RESTRICT_SELF, fd, 0) != 0;
	close(fd);
	return bad ? 0 : CONFINE_LANDLOCK;
}

/* seccomp: <linux/seccomp.h>, <linux/filter.h>, <linux/audit.h> */
#if defined(__x86_64__)
#define ARCH 0xC000003E
#elif defined(__i386__)
#define ARCH 0x40000003
#elif defined(__aarch64__) && !defined(__AARCH64EB__)
#define ARCH 0xC00000B7
#elif defined(__arm__) && !defined(__ARMEB__)
#define ARCH 0x40000028
#elif defined(__mips__) && _MIPS_SIM == 1 && defined(__MIPSEB__)
#define ARCH 0x00000008
#elif defined(__mips__) && _MIPS_SIM == 1
#define ARCH 0x40000008
#elif defined(__mips__) && _MIPS_SIM == 3 && defined(__MIPSEB__)
#define ARCH 0x80000008
#elif defined(__mips__) && _MIPS_SIM == 3
#define ARCH 0xC0000008
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCH 0xC00000F3
#elif defined(__riscv)
#define ARCH 0x400000F3
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
#define ARCH 0xC0000015
#elif defined(__powerpc64__)
#define ARCH 0x80000015
#elif defined(__powerpc__)
#define ARCH 0x00000014
#endif

#ifdef ARCH

struct instruction {
	uint16_t code;
	uint8_t yes, no;
	uint32_t k;
};
struct program {
	unsigned short n;
	struct instruction *p;
};
enum {
	LOAD = 0x20, EQUAL = 0x15, RETURN = 0x06,
	ALLOW = 0x7fff0000, REFUSE = 0x00050000 | EPERM,
	AT_NUMBER = 0, AT_ARCH = 4,
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	AT_ARGUMENT = 20,		/* the lower half of the first one */
#else
	AT_ARGUMENT = 16,
#endif
	SET_FILTER = 1, FILTER = 2	/* of seccomp() and of prctl() */
};

/* What the talker and the resolver call, under all the names that it has on one machine or the other. */
static const unsigned allowed[] = {
	SYS_read, SYS_write, SYS_writev, SYS_close, SYS_lseek, SYS_fcntl,
	SYS_clock_gettime, SYS_gettimeofday, SYS_getpid, SYS_rt_sigprocmask,
	SYS_rt_sigreturn, SYS_exit, SYS_exit_group, SYS_restart_syscall,
#ifdef SYS_connect
	SYS_connect, SYS_sendto, SYS_recvfrom, SYS_sendmsg, SYS_recvmsg,
	SYS_getsockopt, SYS_setsockopt, SYS_getsockname,
#endif
#ifdef SYS_socketcall
	SYS_socketcall,
#endif
#ifdef SYS_send
	SYS_send, SYS_recv,
#endif
#ifdef SYS_poll
	SYS_poll,
#endif
#ifdef SYS_ppoll
	SYS_ppoll,
#endif
#ifdef SYS_ppoll_time64
	SYS_ppoll_time64, SYS_pselect6_time64, SYS_clock_nanosleep_time64, SYS_clock_gettime64,
#endif
#ifdef SYS_pselect6
	SYS_pselect6,
#endif
#ifdef SYS_nanosleep
	SYS_nanosleep,
#endif
#ifdef SYS_clock_nanosleep
	SYS_clock_nanosleep,
#endif
#ifdef SYS_time
	SYS_time,
#endif
#ifdef SYS_getrandom
	SYS_getrandom,
#endif
#ifdef SYS__llseek
	SYS__llseek,
#endif
#ifdef SYS_fcntl64
	SYS_fcntl64,
#endif
#ifdef SYS_sigreturn
	SYS_sigreturn,
#endif
};

static int
seccomp(void)
{
	enum { COUNT = sizeof(allowed) / sizeof(*allowed), MORE = 16 };
	struct instruction code[COUNT + MORE];
	struct program p = { 0, code };
	unsigned i;

#define PUT(...) (code[p.n++] = (struct instruction){ __VA_ARGS__ })
	PUT(LOAD, 0, 0, AT_ARCH);
	PUT(EQUAL, 1, 0, ARCH);
	PUT(RETURN, 0, 0, REFUSE);
	PUT(LOAD, 0, 0, AT_NUMBER);
	for (i = 0; i < COUNT; i++)	/* over the rest of the list, and the nine that follow it */
		PUT(EQUAL, (uint8_t)(COUNT - i - 1 + 9), 0, allowed[i]);
	/* pages given back, and no other advice */
	PUT(EQUAL, 0, 2, SYS_madvise);
	PUT(LOAD, 0, 0, AT_ARGUMENT + 2 * 8);
	PUT(EQUAL, 6, 1, MADV_DONTNEED);
#ifdef SYS_socket
	PUT(EQUAL, 1, 0, SYS_socket);
#else
	PUT(EQUAL, 0, 0, 0);
#endif
	PUT(RETURN, 0, 0, REFUSE);
	PUT(LOAD, 0, 0, AT_ARGUMENT);
	PUT(EQUAL, 2, 0, AF_INET);
	PUT(EQUAL, 1, 0, AF_INET6);
	PUT(RETURN, 0, 0, REFUSE);
	PUT(RETURN, 0, 0, ALLOW);
#undef PUT
#ifdef SYS_seccomp
	if (syscall(SYS_seccomp, SET_FILTER, 0, &p) == 0)
		return CONFINE_SECCOMP;
	if (errno != ENOSYS)
		return 0;
#endif
	return prctl(PR_SET_SECCOMP, FILTER, &p) == 0 ? CONFINE_SECCOMP : 0;
}

#else

static int
seccomp(void)
{
	return 0;
}

#endif

static int
by_kernel(void)
{
	int landlocked;

	prctl(PR_SET_DUMPABLE, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return 0;
	landlocked = landlock();
	return landlocked | seccomp();
}

#elif defined(__OpenBSD__)

static int
by_kernel(void)
{
	return unveil(0, 0) == 0 && pledge("stdio inet", "") == 0 ? CONFINE_PLEDGE : 0;
}

#else

static int
by_kernel(void)
{
	return 0;
}

#endif

/* No file can grow and, where it is not root, no process be made. */
static void
limit(void)
{
	static const struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_FSIZE, &none);
	setrlimit(RLIMIT_CORE, &none);
#ifdef RLIMIT_NPROC
	setrlimit(RLIMIT_NPROC, &none);
#endif
}

int
confine(const struct confine_user *u)
{
	int root = geteuid() == 0;

	if (confine_become(u) < 0)
		return -1;
	limit();
	return (root && u->uid ? CONFINE_USER : 0) | by_kernel();
}
