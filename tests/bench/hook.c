/*
 * hook.c - a challenge hook that does nothing, for the bench: small and static,
 * so that what is measured is the client that runs it.
 */
int
main(void)
{
	return 0;
}
