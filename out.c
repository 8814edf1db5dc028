/*
 * out.c - standard output, by write(2) alone.  Invariants: a failed write is
 * told once and never forgotten; JSON is well-formed whatever the values are;
 * no control byte of a value reaches the terminal.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "json.h"
#include "out.h"
#include "util.h"

int out_json;

static char out_mem[OUT_MAX];
static struct buf out = BUF(out_mem);
static int failed;
static char last;		/* byte of what has been flushed */

struct buf *
out_buf(void)
{
	return &out;
}

static int
write_all(const char *p, size_t n)
{
	ssize_t w;

	while (n) {
		w = write(1, p, n);
		if (w < 0 && errno == EAGAIN && wait_fd(1, POLLOUT, INT64_MAX) == WAIT_READY)
			continue;
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return -1;
		p += w;
		n -= (size_t)w;
	}
	return 0;
}

int
out_flush(void)
{
	int full = out.err;

	if (!failed && (write_all(out.p, out.len) < 0 || full)) {
		failed = 1;
		if (full)
			errno = EFBIG;
		/* whoever closed a pipe early knows */
		if (errno != EPIPE)
			fail(ST_STORE, "cannot write the output:", (char *)0);
	}
	if (out.len)
		last = out.p[out.len - 1];
	buf_clear(&out);
	return failed ? ST_STORE : 0;
}

static int
last_byte(void)
{
	return out.len ? out.p[out.len - 1] : last;
}

/* A string that is no UTF-8 is shown with its odd bytes escaped. */
static void
quote(struct slice s)
{
	static char mem[4 * LIMIT_CONF] LARGE;
	struct buf plain = BUF(mem);
	struct json_doc doc;
	struct slice written;
	size_t start = out.len;

	json_quote(&out, s);
	written.p = out.p + start;
	written.n = out.len - start;
	if (out.err || json_parse(&doc, written).type == JSON_STRING)
		return;
	out.len = start;
	buf_printable(&plain, s);
	json_quote(&out, buf_view(&plain));
}

void
out_open(int bracket)
{
	if (!out_json)
		return;
	if (last_byte() == '}')
		buf_str(&out, ",\n");
	else if (last_byte() == '[')
		buf_char(&out, '\n');
	buf_char(&out, bracket);
}

void
out_close(int bracket)
{
	if (!out_json)
		return;
	if (bracket == ']' && last_byte() == '}')
		buf_char(&out, '\n');
	buf_char(&out, bracket);
}

void
out_end(void)
{
	if (out_json)
		buf_char(&out, '\n');
}

static void
put_key(const char *key)
{
	if (out_json) {
		if (last_byte() != '{')
			buf_char(&out, ',');
		quote(slice(key));
		buf_char(&out, ':');
	} else {
		buf_all(&out, key, ": ", (char *)0);
	}
}

void
out_member(const char *key)
{
	if (out_json) {
		put_key(key);
		buf_char(&out, '{');
	}
}

static void
end_line(void)
{
	if (!out_json)
		buf_char(&out, '\n');
}

static void
put_value(struct slice s)
{
	if (out_json)
		quote(s);
	else
		buf_printable(&out, s);
}

void
out_text(const char *key, struct slice s)
{
	put_key(key);
	put_value(s);
	end_line();
}

void
out_some(const char *key, const char *s)
{
	if (s && *s) {
		out_text(key, slice(s));
	} else if (out_json) {
		put_key(key);
		buf_str(&out, "null");
	}
}

void
out_number(const char *key, int64_t v)
{
	put_key(key);
	buf_int(&out, v);
	end_line();
}

void
out_flag(const char *key, int v)
{
	put_key(key);
	buf_str(&out, out_json ? v ? "true" : "false" : v ? "yes" : "no");
	end_line();
}

void
out_time(const char *key, int64_t t)
{
	char mem[32];
	struct buf b = BUF(mem);

	if (t)
		buf_time(&b, t);
	out_some(key, buf_text(&b));
}

void
out_list(const char *key)
{
	put_key(key);
	if (out_json)
		buf_char(&out, '[');
}

void
out_item(struct slice s)
{
	if (last_byte() != '[' && last_byte() != ' ')
		buf_char(&out, out_json ? ',' : ' ');
	put_value(s);
}

void
out_list_end(void)
{
	if (out_json)
		buf_char(&out, ']');
	end_line();
}

/* Cells, each with its NUL, are collected first to know the widths. */
static char cells_mem[OUT_MAX];
static struct buf cells = BUF(cells_mem);
static size_t width[OUT_COLUMNS];
static int columns, column;

void
out_columns(int n)
{
	memset(width, 0, sizeof(width));
	columns = n;
	column = 0;
}

void
out_cell(struct slice s)
{
	size_t start;

	/* a table longer than memory is aligned in parts */
	if (column == 0 && cells.len > OUT_MAX / 2)
		out_rows();
	start = cells.len;
	buf_printable(&cells, s.n ? s : slice("-"));
	if (cells.len - start > width[column])
		width[column] = cells.len - start;
	buf_char(&cells, 0);
	column = (column + 1) % columns;
}

void
out_rows(void)
{
	const char *p = cells.p;
	size_t n, pad;
	int i;

	out.err |= cells.err;
	while (p < cells.p + cells.len) {
		for (i = 0; i < columns; i++, p += n + 1) {
			n = strlen(p);
			buf_str(&out, p);
			for (pad = i < columns - 1 ? width[i] + 2 - n : 0; pad; pad--)
				buf_char(&out, ' ');
		}
		buf_char(&out, '\n');
		if (out.len > OUT_MAX / 2)
			out_flush();
	}
	buf_clear(&cells);
}
