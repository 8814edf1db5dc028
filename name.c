/*
 * name.c - the names that a certificate can be for, in one canonical spelling:
 * host names (RFC 1034 3.5) as lower-case A-labels, wildcards with '*' as the
 * whole leftmost label (RFC 6125 6.4.3), IPv4 and IPv6 addresses (RFC 4291 2.2,
 * RFC 5952).  Pure.
 */
#include <string.h>

#include "idn.h"
#include "name.h"

static int
hex(int ch)
{
	return ch >= '0' && ch <= '9' ? ch - '0' :
	    (ch | 32) >= 'a' && (ch | 32) <= 'f' ? (ch | 32) - 'a' + 10 : -1;
}

/* "192.0.2.1", four decimal numbers without leading zeros. */
static int
parse_ipv4(const char *s, unsigned char out[4])
{
	unsigned i, v;

	for (i = 0; i < 4; i++) {
		if (*s < '0' || *s > '9' || (*s == '0' && s[1] >= '0' && s[1] <= '9'))
			return -1;
		for (v = 0; *s >= '0' && *s <= '9' && v < 256; s++)
			v = v * 10 + (unsigned)(*s - '0');
		if (v > 255 || *s != (i < 3 ? '.' : 0))
			return -1;
		out[i] = (unsigned char)v;
		s++;
	}
	return 0;
}

/* RFC 4291 2.2; no zone. */
static int
parse_ipv6(const char *s, unsigned char out[16])
{
	size_t n = 0, gap = 17, digits;
	unsigned v;

	memset(out, 0, 16);
	if (s[0] == ':' && s[1] != ':')
		return -1;
	for (;;) {
		if (s[0] == ':' && s[1] == ':') {
			if (gap <= 16)
				return -1;
			gap = n;
			s += 2;
			if (!*s)
				break;
		} else if (*s == ':' && n) {
			s++;
		}
		if (n <= 12 && parse_ipv4(s, out + n) == 0) {
			n += 4;
			break;
		}
		for (v = 0, digits = 0; hex(s[digits]) >= 0; digits++)
			v = v << 4 | (unsigned)hex(s[digits]);
		if (digits == 0 || digits > 4 || n == 16)
			return -1;
		out[n++] = (unsigned char)(v >> 8);
		out[n++] = (unsigned char)v;
		s += digits;
		if (!*s)
			break;
		if (*s != ':')
			return -1;
	}
	if (gap > 16)
		return n == 16 ? 0 : -1;
	if (n == 16)
		return -1;
	memmove(out + 16 - (n - gap), out + gap, n - gap);
	memset(out + gap, 0, 16 - n);
	return 0;
}

int
name_address(const char *name, unsigned char out[16])
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (parse_ipv4(name, out) == 0)
		return 4;
	if (parse_ipv6(name, out) < 0)
		return 0;
	if (memcmp(out, mapped, 12) != 0)
		return 16;
	memmove(out, out + 12, 4);
	return 4;
}

static unsigned
group(const unsigned char *a, unsigned i)
{
	return (unsigned)a[2 * i] << 8 | a[2 * i + 1];
}

static void
ipv6_text(struct buf *b, const unsigned char *a)
{
	unsigned i, run, best = 8, length = 1;
	int shift;

	/* the longest run of at least two zero groups, the first of equals */
	for (i = 0; i < 8; i += run + 1) {
		for (run = 0; i + run < 8 && group(a, i + run) == 0; run++)
			;
		if (run > length) {
			best = i;
			length = run;
		}
	}
	for (i = 0; i < 8; i++) {
		if (i == best) {
			buf_str(b, "::");
			i += length - 1;
			continue;
		}
		if (i && i != best + length)
			buf_char(b, ':');
		for (shift = 12; shift && !(group(a, i) >> shift); shift -= 4)
			;
		for (; shift >= 0; shift -= 4)
			buf_char(b, "0123456789abcdef"[group(a, i) >> shift & 15]);
	}
}

void
name_address_text(struct buf *b, const unsigned char *address, size_t n)
{
	size_t i;

	if (n == 16) {
		ipv6_text(b, address);
		return;
	}
	for (i = 0; i < n; i++) {
		if (i)
			buf_char(b, '.');
		buf_uint(b, address[i]);
	}
}

/* Lower case, without a final dot; -1 if it does not fit. */
static int
fold(const char *name, char out[LIMIT_NAME + 1])
{
	size_t n = strlen(name), i;

	if (n > 1 && name[n - 1] == '.' && name[n - 2] != '.')
		n--;
	if (n > LIMIT_NAME)
		return -1;
	for (i = 0; i < n; i++)
		out[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] | 32 : name[i]);
	out[n] = 0;
	return 0;
}

static int
all_digits(const char *s)
{
	return *s && s[strspn(s, "0123456789")] == 0;
}

/* What is wrong with a folded DNS name, or 0. */
static const char *
dns_fault(const char *name)
{
	const char *p = name, *last = name;
	size_t n;

	if (p[0] == '*' && p[1] == '.')
		p += 2;
	for (;; p += n + 1) {
		last = p;
		n = strcspn(p, ".");
		if (n == 0)
			return "a label is empty";
		if (n > 63)
			return "a label is longer than 63 bytes";
		if (memchr(p, '*', n))
			return "'*' may only be the whole leftmost label";
		if (strspn(p, "abcdefghijklmnopqrstuvwxyz0123456789-") < n)
			return "a character that no host name has";
		if (p[0] == '-' || p[n - 1] == '-')
			return "a label begins or ends with '-'";
		if (!p[n])
			break;
	}
	return all_digits(last) ? "neither a host name nor an IPv4 address" : 0;
}

const char *
name_canonical(const char *name, char out[LIMIT_NAME + 1])
{
	unsigned char address[16];
	char mem[LIMIT_NAME + 2];		/* a final dot, and the NUL */
	struct buf ascii = BUF(mem), b;
	const char *why;
	int n;

	if (!*name)
		return "is empty";
	why = idn_ascii(name, &ascii);
	if (why)
		return why;
	name = buf_text(&ascii);
	if (ascii.err)
		return "longer than 253 bytes";
	n = name_address(name, address);
	if (n) {
		buf_init(&b, out, LIMIT_NAME + 1);
		name_address_text(&b, address, (size_t)n);
		buf_text(&b);
		return 0;
	}
	if (strchr(name, ':'))
		return "not an IPv6 address";
	if (fold(name, out) < 0)
		return "longer than 253 bytes";
	return dns_fault(out);
}

int
name_wildcard(const char *name)
{
	return name[0] == '*' && name[1] == '.';
}

int
name_covers(const char *wildcard, const char *name)
{
	const char *parent = strchr(name, '.');

	return parent && name_wildcard(wildcard) && !name_wildcard(name) &&
	    strcmp(wildcard + 1, parent) == 0;
}
