/* Standard output: well-formed JSON whatever the values, aligned tables, noticed errors. */
#include <fcntl.h>
#include <stdlib.h>

#include "../tap.h"
#include "../../out.c"

static char got[2 * OUT_MAX];
static size_t got_len;
static int real = -1, file = -1;

/* From here on descriptor 1 is a file ... */
static void
divert(int json)
{
	char name[] = "/tmp/out_test.XXXXXX";

	fflush(stdout);
	if (file < 0) {
		file = mkstemp(name);
		unlink(name);
	}
	real = dup(1);
	if (file < 0 || ftruncate(file, 0) < 0 || lseek(file, 0, SEEK_SET) < 0 || dup2(file, 1) < 0)
		exit(1);
	out_json = json;
	last = 0;
}

/* ... which is read into got, with a NUL. */
static int
restore(void)
{
	int status = out_flush();
	ssize_t n = pread(file, got, sizeof(got) - 1, 0);

	dup2(real, 1);
	close(real);
	got_len = n > 0 ? (size_t)n : 0;
	got[got_len] = 0;
	return status;
}

/* One object with everything in it. */
static void
object(struct slice odd)
{
	out_open('{');
	out_text("text", odd);
	out_some("some", "");
	out_number("number", -5);
	out_flag("flag", 1);
	out_time("time", 1795446627);
	out_time("never", 0);
	out_list("list");
	out_item(odd);
	out_item(slice("b"));
	out_list_end();
	out_list("empty");
	out_list_end();
	out_member("inner");
	out_text("a", odd);
	out_list("l");
	out_item(odd);
	out_list_end();
	out_close('}');
	out_flag("last", 0);
	out_close('}');
}

static void
lines(void)
{
	divert(0);
	object(slice("x\033y"));
	ok(restore() == 0, "text is written");
	is_str(got,
	    "text: x\\x1by\n"
	    "number: -5\n"
	    "flag: yes\n"
	    "time: 2026-11-23T15:10:27Z\n"
	    "list: x\\x1by b\n"
	    "empty: \n"
	    "a: x\\x1by\n"
	    "l: x\\x1by\n"
	    "last: no\n", "as lines, printable, without what is not known");
}

static void
json(void)
{
	static const char *const odd[] = {
		"", "a", "\"", "\\", "\n", "\033[31m", "\303\274", "\xff", "\xed\xa0\x80", "a\xc3", "}", "{", "[", ",", "\x7f",
	};
	struct json_doc doc;
	struct json v, e;
	struct json_iter it = { 0 };
	char text[64];
	struct buf b;
	size_t i, n = 0;

	divert(1);
	out_open('[');
	for (i = 0; i < sizeof(odd) / sizeof(*odd); i++)
		object(slice(odd[i]));
	out_close(']');
	out_end();
	ok(restore() == 0, "JSON is written");
	ok(got_len && got[got_len - 1] == '\n', "ends with a newline");
	v = json_parse(&doc, slice(got));
	if (!ok(v.type == JSON_ARRAY, "is well-formed with all values"))
		printf("# %s\n", got);
	for (e = json_next(v, &it); e.type == JSON_OBJECT; e = json_next(v, &it)) {
		buf_init(&b, text, sizeof(text));
		json_text(json_get(e, "text"), &b);
		if (!strpbrk(odd[n], "\xff\xed\xc3") && strcmp(buf_text(&b), odd[n]) != 0)
			break;
		n++;
	}
	ok(n == sizeof(odd) / sizeof(*odd), "and has them all");
	ok(!strpbrk(got, "\033") , "without control bytes");

	divert(1);
	out_open('[');
	out_close(']');
	out_end();
	restore();
	is_str(got, "[]\n", "an empty list");

	divert(1);
	out_open('{');
	out_some("a", 0);
	out_text("b", slice("c"));
	out_close('}');
	out_end();
	restore();
	is_str(got, "{\"a\":null,\"b\":\"c\"}\n", "one object");
}

static void
tables(void)
{
	size_t i, rows = 0, other = 0;
	const char *p;

	divert(0);
	out_columns(3);
	out_cell(slice("NAME"));
	out_cell(slice("B"));
	out_cell(slice("C"));
	out_cell(slice("a"));
	out_cell(slice(""));
	out_cell(slice("ccc\n"));
	out_cell(slice("longer"));
	out_cell(slice("bb"));
	out_cell(slice("c"));
	out_rows();
	restore();
	is_str(got, "NAME    B   C\na       -   ccc\\x0a\nlonger  bb  c\n", "columns are aligned");

	divert(0);
	out_columns(2);
	for (i = 0; i < 20000; i++) {
		out_cell(slice("abcdefgh"));
		out_cell(slice("x"));
	}
	out_rows();
	ok(restore() == 0, "a table longer than memory");
	for (p = got; *p; p = strchr(p, '\n') + 1) {
		rows++;
		other += strncmp(p, "abcdefgh  x\n", 12) != 0;
	}
	ok(rows == 20000 && !other, "is complete");
}

static void
errors(void)
{
	int full = open("/dev/full", O_WRONLY), null = open("/dev/null", O_WRONLY), err = dup(2);

	fflush(stdout);
	real = dup(1);
	dup2(null, 2);
	dup2(full, 1);
	buf_str(&out, "x");
	ok(out_flush() == ST_STORE, "a full disk is noticed");
	dup2(null, 1);
	buf_str(&out, "x");
	ok(out_flush() == ST_STORE, "and not forgotten");
	dup2(real, 1);
	dup2(err, 2);
	failed = 0;
	out.err = 1;
	dup2(null, 2);
	ok(out_flush() == ST_STORE, "so is what did not fit");
	dup2(err, 2);
}

int
main(void)
{
	lines();
	json();
	tables();
	errors();
	return tap_done();
}
