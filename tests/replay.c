/*
 * replay.c - a main for fuzzers where libFuzzer is not: runs each file of the
 * directories given, and each beginning of those that are small, in memory of
 * exactly that size.  TAP: one test for each directory.  A crash, a broken
 * promise, a sanitizer's report or an input that takes ten seconds ends it;
 * the input is then the last one named on stderr.
 */
#include <sys/resource.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SMALL = 700, LARGE = 1 << 18, PATIENCE = 10 };

int LLVMFuzzerTestOneInput(const unsigned char *p, size_t n);

static unsigned long runs;

/* Input that ends where its memory ends. */
static void
run(const unsigned char *p, size_t n)
{
	unsigned char *copy = malloc(n ? n : 1);

	memcpy(copy, p, n);
	alarm(PATIENCE);
	LLVMFuzzerTestOneInput(copy, n);
	alarm(0);
	free(copy);
	runs++;
}

static int
run_file(const char *path)
{
	static unsigned char mem[LARGE];
	FILE *f = fopen(path, "rb");
	size_t n, i;

	fprintf(stderr, "replay: %s\n", path);
	if (!f || (n = fread(mem, 1, sizeof(mem), f)) == sizeof(mem))
		return -1;
	fclose(f);
	for (i = n <= SMALL ? 0 : n; i <= n; i++)
		run(mem, i);
	return 0;
}

static unsigned
run_directory(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	char path[1024];
	unsigned count = 0;

	while (d && (e = readdir(d)) != 0) {
		if (*e->d_name == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (run_file(path) < 0)
			return 0;
		count++;
	}
	if (d)
		closedir(d);
	return count;
}

int
main(int argc, char **argv)
{
	int i, failed = 0;
	unsigned files;

	for (i = 1; i < argc; i++) {
		runs = 0;
		files = run_directory(argv[i]);
		failed |= files == 0;
		printf("%sok %d - %s: %u files, %lu runs\n", files ? "" : "not ", i, argv[i], files, runs);
		fflush(stdout);
	}
	printf("1..%d\n", argc - 1);
	return failed;
}
