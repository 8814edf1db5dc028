/*
 * home.h - for unit tests that need a state directory: its name, its end, and
 * silence while calls fail on purpose.
 */
#ifndef HOME_TEST_H
#define HOME_TEST_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char home[] = "/tmp/acme-test-XXXXXX";	/* for mkdtemp() */

static inline void
remove_home(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf '%s'", home);
	if (system(command) != 0)
		perror(home);
}

/* What the calls print is in last_failure() too. */
static inline void
hush(int on)
{
	static int saved = -1;
	int null;

	fflush(stderr);
	if (on) {
		saved = dup(2);
		null = open("/dev/null", O_WRONLY);
		dup2(null, 2);
		close(null);
	} else {
		dup2(saved, 2);
		close(saved);
	}
}

#endif
