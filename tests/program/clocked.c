/*
 * clocked.c - the program with a wall clock that tests set: the file $CLOCK has the
 * seconds by which it is wrong, in 32 bytes, which may change at any time.  It is
 * mapped before main: whoever is confined later sees it too.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { SIZE = 32 };

int __real_clock_gettime(clockid_t id, struct timespec *t);
int __wrap_clock_gettime(clockid_t id, struct timespec *t);

static const char *offset;

__attribute__((constructor)) static void
map(void)
{
	const char *path = getenv("CLOCK");
	int fd = path ? open(path, O_RDONLY) : -1;
	void *p;

	if (fd < 0)
		return;
	p = mmap(0, SIZE, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		_exit(125);
	offset = p;
}

int
__wrap_clock_gettime(clockid_t id, struct timespec *t)
{
	int r = __real_clock_gettime(id, t);

	if (id == CLOCK_REALTIME && offset)
		t->tv_sec += atoll(offset);
	return r;
}
