/*
 * odd.c - starts a program as no shell does: odd [OPTION]... PROG [ARGUMENT...]
 *
 * -0    with no arguments at all, not even its name (Linux since 5.18 gives it "")
 * -e    with an empty name
 * -c N  with that descriptor closed
 * -f N  with N more descriptors open
 * -i    with all signals ignored, -b with all of them blocked
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

int
main(int argc, char **argv)
{
	char *none[] = { 0 }, nothing[] = "";
	char **with = 0;
	sigset_t all;
	int c, i, closed = 0;

	while ((c = getopt(argc, argv, "+0ec:f:ib")) != -1) {
		switch (c) {
		case '0':
			with = none;
			break;
		case 'e':
			with = argv;
			break;
		case 'c':
			closed |= 1 << atoi(optarg);
			break;
		case 'f':
			for (i = atoi(optarg); i > 0; i--)
				if (open("/dev/null", O_RDONLY) < 0)
					perror("/dev/null");
			break;
		case 'i':
			for (i = 1; i < 32; i++)
				signal(i, SIG_IGN);
			break;
		case 'b':
			sigfillset(&all);
			sigprocmask(SIG_BLOCK, &all, 0);
			break;
		default:
			return 99;
		}
	}
	if (optind == argc)
		return 99;
	for (i = 0; i < 3; i++)
		if (closed & 1 << i)
			close(i);
	argv += optind;
	c = 0;
	if (with == none) {
		execve(argv[0], none, environ);
	} else {
		char *prog = argv[0];

		if (with)
			argv[0] = nothing;
		execve(prog, argv, environ);
	}
	perror("execve");
	return 99;
}
