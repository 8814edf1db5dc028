/*
 * args.h - the command line.
 */
#ifndef ARGS_H
#define ARGS_H

struct conf;

/*
 * Parses argv[1..]: options anywhere, "--" ends them; the first operand is
 * *command (0 if there is none), which known() must know; the others and the
 * values of -d go to operand[0..*operands).  What follows the command `hook`
 * is taken as it is: a token may begin with '-'.
 * 0, ST_USAGE or ST_CONFIG with the reason printed.
 */
int args_parse(struct conf *c, int argc, char *const *argv, int known(const char *),
    const char **command, const char **operand, unsigned max, unsigned *operands);

/* Whether the command takes all options that were given: 0, or ST_USAGE, printed. */
int args_allowed(const struct conf *c, const char *command);

#endif
