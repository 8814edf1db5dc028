/*
 * tap.h - TAP output for unit tests.  A test includes the .c file it tests,
 * calls ok() for each promise, and ends with return tap_done().
 */
#ifndef TAP_H
#define TAP_H

#include <stdio.h>
#include <string.h>

static unsigned tap_count, tap_failed;

static int
tap_ok(int good, const char *name, const char *file, int line)
{
	tap_count++;
	printf("%sok %u - %s\n", good ? "" : "not ", tap_count, name);
	if (!good) {
		tap_failed++;
		printf("# at %s:%d\n", file, line);
	}
	return good;
}

static int
tap_done(void)
{
	printf("1..%u\n", tap_count);
	return tap_failed != 0;
}

#define ok(cond, name) tap_ok((cond) ? 1 : 0, (name), __FILE__, __LINE__)
#define is_str(got, want, name) do { \
	const char *got_ = (got), *want_ = (want); \
	if (!ok(strcmp(got_, want_) == 0, (name))) \
		printf("# got  '%s'\n# want '%s'\n", got_, want_); \
} while (0)

#endif
