/*
 * Fuzzes the command line, one argument a line.  Nothing is read from files.
 */
#include "fuzz.h"

#include <fcntl.h>
#define open(path, flags) ((void)(path), -1)
#include "../../conf.c"
#undef open
#include "../../args.c"

enum { ARGUMENTS = 40, OPERANDS = 8 };

static int
known(const char *name)
{
	return slice_listed(slice(name), "issue renew account revoke csr hook list show");
}

int
LLVMFuzzerTestOneInput(const unsigned char *p, size_t n)
{
	static struct conf c;
	static char mem[2 * LIMIT_CONF], text[LIMIT_CONF];
	char *argv[ARGUMENTS + 1] = { (char *)"acme" };
	const char *command, *operand[OPERANDS], *why;
	struct slice rest = slice_of(p, n), line;
	size_t at = 0;
	unsigned count, i;
	int argc;

	for (argc = 1; rest.n && argc < ARGUMENTS; argc++) {
		line = fuzz_line(&rest);
		if (at + line.n + 1 > sizeof(text))
			break;
		slice_copy(line, text + at, sizeof(text) - at);
		argv[argc] = text + at;
		at += line.n + 1;
	}
	argv[argc] = 0;
	conf_init(&c, mem, sizeof(mem));
	if (args_parse(&c, argc, argv, known, &command, operand, OPERANDS, &count))
		return 0;
	need(count <= OPERANDS && (!command || known(command)));
	if (!command || args_allowed(&c, command))
		return 0;
	for (i = 0; i < count; i++)
		conf_add_name(&c, operand[i], &why);
	need(c.names <= OPERANDS);
	conf_check(&c);
	return 0;
}
