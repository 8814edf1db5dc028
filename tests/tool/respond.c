/*
 * respond.c - the responder as a program of its own, for tests/e2e/respond.sh:
 * respond http|alpn ADDRESS METHOD TYPE IDENT TOKEN AUTH
 * $RESPOND_LIFE: seconds without a change after which it ends.
 */
static int life = 3600;
#define RESPOND_LIFE life
#include "../../respond.c"

int
main(int argc, char **argv)
{
	const char *seconds = getenv("RESPOND_LIFE");

	if (argc < 3)
		return 64;
	if (seconds)
		life = atoi(seconds);
	return respond_hook(strcmp(argv[1], "alpn") == 0 ? RESPOND_ALPN : RESPOND_HTTP,
	    argv[2], argc - 3, argv + 3);
}
