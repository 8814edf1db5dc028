/*
 * args.c - the command line, by the option table of conf.c: short clusters,
 * "-wDIR", "--webroot=DIR", options anywhere.  Invariants: every usage error
 * is one line that says where to read on; nothing is abbreviated.
 */
#include <string.h>

#include "args.h"
#include "conf.h"
#include "util.h"
#include "value.h"

struct arguments {
	struct conf *c;
	int argc, i;
	char *const *argv;
	const char *command;
	const char **operand;
	unsigned max, operands;
};

/* Where to read on, as the end of a message. */
static const char *
hint(const char *command)
{
	static char mem[64];
	struct buf b = BUF(mem);

	if (!command || strlen(command) > 16)
		return "; try: acme -h";
	buf_all(&b, "; try: acme ", command, " -h", (char *)0);
	return buf_text(&b);
}

static int
add_operand(struct arguments *a, const char *text)
{
	if (a->operands == a->max)
		return fail(ST_USAGE, "more names than ", a->command ? a->command : "",
		    " takes", hint(a->command), (char *)0);
	a->operand[a->operands++] = text;
	return 0;
}

/* 1 if it has one value, so may be given once only. */
static int
single(const struct conf_option *o)
{
	return o->kind == CONF_TEXT || o->kind == CONF_DIGITS || o->kind == CONF_NUMBER;
}

/* An option with its value, "" for a flag. */
static int
given(struct arguments *a, const struct conf_option *o, const char *value)
{
	uint64_t bit = (uint64_t)1 << (o - conf_options);
	/* secrets are not printed, nor what would hide the reason */
	int shown = *value && strlen(value) <= LIMIT_NAME &&
	    o->check != value_env && o->check != value_proxy;
	const char *why = "given twice";

	if (o->kind == CONF_NAMES) {
		a->c->given |= bit;
		return add_operand(a, value);
	}
	if (!((a->c->given & bit) && single(o)) &&
	    conf_put(a->c, o, value, &why) == 0) {
		a->c->given |= bit;
		a->c->kept += o->kept || o->kind == CONF_ENV_FILE;
		return 0;
	}
	return fail(o->kind == CONF_ENV_FILE ? ST_CONFIG : ST_USAGE,
	    "--", o->name, shown ? " " : "", shown ? value : "",
	    ": ", why, hint(a->command), (char *)0);
}

/* The next argument as the value of o. */
static int
take_value(struct arguments *a, const struct conf_option *o)
{
	if (a->i + 1 >= a->argc)
		return fail(ST_USAGE, "--", o->name, ": ", o->arg, " is missing",
		    hint(a->command), (char *)0);
	return given(a, o, a->argv[++a->i]);
}

/* "--name", "--name=value", "--name value" */
static int
take_long(struct arguments *a, const char *text)
{
	struct slice name = { text, strcspn(text, "=") };
	const struct conf_option *o = conf_find(name);

	if (!o)
		return fail(ST_USAGE, "unknown option --", text, hint(a->command), (char *)0);
	if (!text[name.n])
		return o->arg ? take_value(a, o) : given(a, o, "");
	if (!o->arg)
		return fail(ST_USAGE, "--", o->name, " takes no value",
		    hint(a->command), (char *)0);
	return given(a, o, text + name.n + 1);
}

/* "-fq", "-wDIR", "-w DIR" */
static int
take_short(struct arguments *a, const char *text)
{
	const struct conf_option *o, *end = conf_options + conf_options_count;
	char letter[2] = "";
	int status = 0;

	for (; *text && !status; text++) {
		for (o = conf_options; o < end && o->letter != *text; o++)
			;
		letter[0] = *text;
		if (o == end)
			return fail(ST_USAGE, "unknown option -", letter,
			    hint(a->command), (char *)0);
		if (o->arg)
			return text[1] ? given(a, o, text + 1) : take_value(a, o);
		status = given(a, o, "");
	}
	return status;
}

static int
take_command(struct arguments *a, const char *text, int known(const char *))
{
	a->command = text;
	return known(text) ? 0 :
	    fail(ST_USAGE, "no such command: ", text, hint(0), (char *)0);
}

int
args_parse(struct conf *c, int argc, char *const *argv, int known(const char *),
    const char **command, const char **operand, unsigned max, unsigned *operands)
{
	struct arguments a = { c, argc, 1, argv, 0, operand, max, 0 };
	const char *text;
	int status = 0, plain = 0;

	for (; a.i < argc && !status; a.i++) {
		text = argv[a.i];
		if (plain || text[0] != '-' || !text[1]) {
			if (a.command)
				status = add_operand(&a, text);
			else
				status = take_command(&a, text, known);
			plain |= !strcmp(a.command, "hook");
		} else if (text[1] != '-') {
			status = take_short(&a, text + 1);
		} else if (text[2]) {
			status = take_long(&a, text + 2);
		} else {
			plain = 1;
		}
	}
	*command = a.command;
	*operands = a.operands;
	/* the commands that talk to a CA are those that take --server */
	return status ? status : conf_environment(c, a.command &&
	    conf_takes(conf_find(slice("server")), a.command));
}

int
args_allowed(const struct conf *c, const char *command)
{
	size_t i;

	for (i = 0; i < conf_options_count; i++)
		if (c->given >> i & 1 && !conf_takes(conf_options + i, command))
			return fail(ST_USAGE, command, " takes no --",
			    conf_options[i].name, hint(command), (char *)0);
	return 0;
}

