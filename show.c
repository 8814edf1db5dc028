/*
 * show.c - standard output: certificates as a table, in full, as JSON; paths;
 * the fields of a certificate file; a PKCS#10 request (RFC 2986); the CAs.
 * Invariants: nothing that came from a certificate or a conf file reaches the
 * terminal with control bytes in it, and no value of a variable at all; JSON
 * is always well-formed.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "asn1.h"
#include "base64.h"
#include "ca.h"
#include "conf.h"
#include "due.h"
#include "http.h"
#include "key.h"
#include "keyfile.h"
#include "keyinfo.h"
#include "name.h"
#include "out.h"
#include "renewal.h"
#include "request.h"
#include "show.h"
#include "store.h"
#include "util.h"

enum {
	DAY = 86400,
	NAMES_WIDTH = 40	/* of the table's second column; -j has all */
};

static const char *const kinds[] = { "privkey", "cert", "chain", "fullchain", "combined" };
enum { KINDS = sizeof(kinds) / sizeof(*kinds) };

/* Certificates. */

static int64_t
days_left(int64_t not_after)
{
	int64_t s = not_after - now_wall();

	return (s >= 0 ? s : s - DAY + 1) / DAY;
}

static const char *
public_key_type(const struct pk *pk)
{
	size_t bits = pk->a.n * 8;

	switch (pk->type) {
	case PK_P256:
		return "ec256";
	case PK_P384:
		return "ec384";
	case PK_RSA:
		return bits == 2048 ? "rsa2048" : bits == 3072 ? "rsa3072" :
		    bits == 4096 ? "rsa4096" : "rsa";
	default:
		return "unknown";
	}
}

static void
san_text(struct buf *b, const struct san *san)
{
	if (san->ip && (san->s.n == 4 || san->s.n == 16))
		name_address_text(b, (const unsigned char *)san->s.p, san->s.n);
	else
		buf_slice(b, san->s);
}

static void
certificate_names(const struct x509 *x)
{
	char mem[1024];
	struct buf b;
	struct slice rest = x->san_ext;
	struct san san;

	out_list("names");
	while (x509_san(&rest, &san) == 1) {
		buf_init(&b, mem, sizeof(mem));
		san_text(&b, &san);
		out_item(buf_view(&b));
	}
	out_list_end();
}

static void
issuer_and_serial(const struct x509 *x)
{
	char mem[256];
	struct buf b = BUF(mem);

	if (x->issuer_cn.n)
		out_text("issuer", x->issuer_cn);
	else
		out_some("issuer", 0);
	buf_hex(&b, x->serial.p, x->serial.n);
	out_text("serial", buf_view(&b));
	/* RFC 9773 4.1 */
	buf_clear(&b);
	if (x->aki.n) {
		base64url_encode(&b, x->aki.p, x->aki.n);
		buf_char(&b, '.');
		base64url_encode(&b, x->serial.p, x->serial.n);
	}
	out_some("ari_id", buf_text(&b));
}

/* The first certificate of a file's bytes, PEM or DER. */
static int
first_certificate(struct slice bytes, struct buf *der, struct x509 *x)
{
	struct slice label;

	if (bytes.n && *bytes.p == 0x30)
		return x509_read(bytes, x);
	while (pem_next(&bytes, &label, der) == 1) {
		if (slice_is(label, "CERTIFICATE"))
			return x509_read(buf_view(der), x);
		buf_clear(der);
	}
	return -1;
}

static char file_mem[LIMIT_CHAIN] LARGE, der_mem[LIMIT_CHAIN] LARGE;

int
show_file(const struct conf *c, const char *file)
{
	struct buf b = BUF(file_mem), der = BUF(der_mem);
	struct x509 x;
	struct pk pk;

	out_json = c->json;
	if (conf_file(strcmp(file, "-") == 0 ? "/dev/stdin" : file, &b) < 0)
		return fail(ST_CONFIG, "cannot read ", file, ":", (char *)0);
	if (first_certificate(buf_view(&b), &der, &x) < 0)
		return fail(ST_CONFIG, file, ": no certificate, or a malformed one", (char *)0);
	out_open('{');
	certificate_names(&x);
	out_text("key_type", slice(spki_read(x.spki, &pk) == 0 ? public_key_type(&pk) : "unknown"));
	issuer_and_serial(&x);
	out_time("not_before", x.not_before);
	out_time("not_after", x.not_after);
	out_number("days_left", days_left(x.not_after));
	out_close('}');
	out_end();
	return 0;
}

/* The state directory. */

/* One certificate of the state directory. */
static struct entry {
	const char *name;
	struct conf conf;
	struct renewal renewal;
	int live;			/* generation, 0 none */
	int64_t not_before, not_after;
	struct x509 x;			/* if live and read */
	int has_x;
} entry;

static char conf_mem[2 * LIMIT_CONF] LARGE;
static unsigned interval;		/* between runs of renew */

static int
read_conf(const char *dir)
{
	static char mem[LIMIT_CONF] LARGE;
	struct buf b = BUF(mem);
	char path[LIMIT_PATH], full[LIMIT_PATH];
	struct buf p = BUF(path), f = BUF(full);

	conf_init(&entry.conf, conf_mem, sizeof(conf_mem));
	entry.conf.proxy = entry.conf.ca_file = 0;
	buf_all(&p, dir, "/conf", (char *)0);
	store_path(&f, buf_text(&p));
	buf_text(&f);
	if (store_read(path, &b) < 0)
		return errno == ENOENT ? 0 : store_unread(path);
	return conf_read(&entry.conf, buf_view(&b), full);
}

static void
read_certificate(void)
{
	struct buf b = BUF(file_mem), der = BUF(der_mem);
	char path[LIMIT_PATH];

	entry.has_x = store_file(path, sizeof(path), entry.name, 0, "cert.pem") == 0 &&
	    store_read(path, &b) == 0 &&
	    first_certificate(buf_view(&b), &der, &entry.x) == 0;
	if (!entry.has_x)
		warn("its live certificate cannot be read", (char *)0);
	entry.not_before = entry.has_x ? entry.x.not_before : 0;
	entry.not_after = entry.has_x ? entry.x.not_after : 0;
}

/* For a negative store_live(). */
static int
live_unclear(const char *name)
{
	return store_failed("cannot tell the live files from", store_cert_path(name, "/live"));
}

/* Fills entry; the certificate itself is read only if wanted or not in `renewal`. */
static int
load(const char *name, int whole)
{
	char dir[LIMIT_PATH];
	int status;

	memset(&entry, 0, sizeof(entry));
	entry.name = name;
	if (store_cert_dir(dir, sizeof(dir), name) < 0)
		return fail(ST_CONFIG, "not the name of a certificate", (char *)0);
	status = read_conf(dir);
	if (status)
		return status;
	renewal_read(name, &entry.renewal);
	entry.live = store_live(name);
	if (entry.live < 0) {
		entry.live = 0;
		return live_unclear(name);
	}
	entry.not_before = entry.renewal.not_before;
	entry.not_after = entry.renewal.not_after;
	if (entry.renewal.live && entry.renewal.live != entry.live && entry.live)
		entry.renewal.pending = 1;	/* as renew takes it */
	if (entry.live && (whole || entry.renewal.live != entry.live || !entry.not_after))
		read_certificate();
	return 0;
}

static int64_t
next_renewal(void)
{
	if (!entry.live || !entry.not_after || entry.renewal.live != entry.live)
		return 0;
	return due_at(&entry.renewal);
}

/* Whether a renew that comes so often would do something for it now. */
static int
is_due(void)
{
	return entry.renewal.owed[0] ||
	    due_now(&entry.renewal, 0, now_wall(), interval);
}

/* "letsencrypt", or the host and port of a directory URL. */
static void
ca_name(struct buf *b)
{
	const char *url = conf_directory(&entry.conf);
	const struct ca *ca = ca_find(url);
	struct http_url u;

	if (ca)
		buf_str(b, ca->name);
	else if (http_url(&u, slice(url)) == 0)
		http_authority(b, &u);
}

static const char *
wanted_key_type(void)
{
	return entry.conf.key_type ? entry.conf.key_type : key_type_name(KEY_EC256);
}

int
show_known(const char *name)
{
	static char mem[LIMIT_CONF] LARGE;
	char dir[LIMIT_PATH], line[1024];
	struct buf b = BUF(mem), list = BUF(line);
	const char *p;

	if (store_cert_dir(dir, sizeof(dir), name) == 0 && store_exists(dir))
		return 0;
	if (store_certs(&b) < 0)
		return store_failed("cannot read", "certs");
	for (p = mem; p < mem + b.len && list.len < 800; p += strlen(p) + 1)
		buf_all(&list, " ", p, (char *)0);
	if (p < mem + b.len)
		buf_str(&list, " ...");
	return fail(ST_CONFIG, "no certificate is named ", name,
	    list.len ? "; there are:" : "; there are none", buf_text(&list), (char *)0);
}

/* The list's columns. */

static void
name_cell(struct buf *b)
{
	buf_str(b, entry.name);
}

/* All names as far as there is room, then "+N". */
static void
names_cell(struct buf *b)
{
	unsigned i;

	for (i = 0; i < entry.conf.names; i++) {
		if (i && b->len + strlen(entry.conf.name[i]) >= NAMES_WIDTH) {
			buf_str(b, " +");
			buf_uint(b, entry.conf.names - i);
			return;
		}
		buf_all(b, i ? " " : "", entry.conf.name[i], (char *)0);
	}
}

static void
key_cell(struct buf *b)
{
	buf_str(b, wanted_key_type());
}

static void
days_cell(struct buf *b)
{
	if (entry.live && entry.not_after)
		buf_int(b, days_left(entry.not_after));
}

static void
renewal_cell(struct buf *b)
{
	if (entry.renewal.revoked) {
		buf_str(b, "revoked");
	} else if (!is_due()) {
		buf_time(b, next_renewal());
		b->len -= 10;		/* THH:MM:SSZ */
	} else if (entry.renewal.back_off > now_wall()) {
		buf_str(b, "retry ");
		buf_time(b, entry.renewal.back_off);
	} else {
		buf_str(b, "due");
	}
}

static const struct {
	const char *title;
	void (*write)(struct buf *b);
} columns[] = {
	{ "NAME", name_cell }, { "NAMES", names_cell }, { "KEY", key_cell },
	{ "CA", ca_name }, { "DAYS", days_cell }, { "RENEWAL", renewal_cell },
};
enum { COLUMNS = sizeof(columns) / sizeof(*columns) };

static void
titles(void)
{
	int i;

	out_columns(COLUMNS);
	for (i = 0; i < COLUMNS; i++)
		out_cell(slice(columns[i].title));
}

static void
row(void)
{
	char mem[LIMIT_URL];
	struct buf b = BUF(mem);
	int i;

	for (i = 0; i < COLUMNS; i++) {
		buf_clear(&b);
		columns[i].write(&b);
		out_cell(buf_view(&b));
	}
}

/* A certificate in full, or the part that the list has too. */

static void
wanted_names(void)
{
	unsigned i;

	out_list("names");
	for (i = 0; i < entry.conf.names; i++)
		out_item(slice(entry.conf.name[i]));
	out_list_end();
}

static void
path_text(const char *name, const char *file)
{
	char rel[LIMIT_PATH], mem[LIMIT_PATH];
	struct buf b = BUF(mem);

	if (store_file(rel, sizeof(rel), entry.name, 0, file) < 0)
		return;
	if (!file[0] && rel[strlen(rel) - 1] == '/')
		rel[strlen(rel) - 1] = 0;
	store_path(&b, rel);
	out_text(name, slice(buf_text(&b)));
}

static void
summary(void)
{
	char mem[LIMIT_URL];
	struct buf b = BUF(mem);

	out_text("name", slice(entry.name));
	if (entry.has_x && !entry.conf.names)
		certificate_names(&entry.x);
	else
		wanted_names();
	out_text("key_type", slice(wanted_key_type()));
	ca_name(&b);
	out_text("ca", buf_view(&b));
	out_text("server", slice(conf_directory(&entry.conf)));
	out_time("not_before", entry.live ? entry.not_before : 0);
	out_time("not_after", entry.live ? entry.not_after : 0);
	if (entry.live && entry.not_after)
		out_number("days_left", days_left(entry.not_after));
	else
		out_some("days_left", 0);
	out_flag("due", is_due());
	out_time("next_renewal", next_renewal());
	out_flag("owed", entry.renewal.owed[0] != 0);
	out_number("failures", entry.renewal.failures);
	out_time("retry_after", entry.renewal.back_off);
	out_some("error", entry.renewal.error);
	out_time("revoked", entry.renewal.revoked);
	if (entry.live)
		path_text("live", "");
	else
		out_some("live", 0);
}

static void
paths(void)
{
	char file[32];
	struct buf b = BUF(file);
	int i;

	for (i = 0; i < KINDS && entry.live; i++) {
		buf_clear(&b);
		buf_all(&b, kinds[i], ".pem", (char *)0);
		path_text(kinds[i], buf_text(&b));
	}
}

/* One option of conf: "conf.KEY: value" for each value; in JSON a text or a list. */
static void
conf_value(const struct conf_option *o)
{
	static char mem[LIMIT_CONF] LARGE;
	struct buf b = BUF(mem);
	char name[40];
	struct buf n = BUF(name);
	const char *value;
	unsigned i;
	int list = out_json && o->kind == CONF_MANY;

	buf_all(&n, out_json ? "" : "conf.", o->name, (char *)0);
	if (list)
		out_list(o->name);
	for (i = 0; (value = conf_get(&entry.conf, o, i)) != 0; i++) {
		buf_clear(&b);
		conf_masked(&b, o, value);
		if (list)
			out_item(buf_view(&b));
		else
			out_text(buf_text(&n), buf_view(&b));
	}
	if (list)
		out_list_end();
}

/* What is in conf, by its keys; the names stand above. */
static void
conf_values(void)
{
	const struct conf_option *o;

	out_member("conf");
	for (o = conf_options; o < conf_options + conf_options_count; o++)
		if (o->kind != CONF_NAMES && conf_get(&entry.conf, o, 0))
			conf_value(o);
	out_close('}');
}

/* Loads the certificates in turn: 1 one, 0 no more.  What cannot be loaded is passed over. */
static int
next_entry(const struct conf *c, const struct buf *names, const char **p, int *status)
{
	int r;

	while (*p < names->p + names->len) {
		about(*p);
		r = load(*p, 0);
		about(0);
		*p += strlen(*p) + 1;
		if (r)
			*status = r;
		else if (!c->due || is_due())
			return 1;
	}
	return 0;
}

int
show_list(const struct conf *c)
{
	static char mem[OUT_MAX];
	struct buf names = BUF(mem);
	const char *p = mem;
	int status = 0, table = !c->json && verbose >= 0, any = 0;

	out_json = c->json;
	interval = c->interval;
	if (store_certs(&names) < 0)
		return fail(ST_STORE, "cannot list the certificates:", (char *)0);
	out_open('[');
	for (; next_entry(c, &names, &p, &status); any = 1) {
		if (table) {
			if (!any)
				titles();
			row();
			continue;
		}
		out_open('{');
		if (out_json)
			summary();
		else
			buf_all(out_buf(), entry.name, "\n", (char *)0);
		out_close('}');
		if (out_buf()->len > OUT_MAX / 4)
			out_flush();
	}
	out_rows();
	out_close(']');
	out_end();
	return status;
}

int
show_certificate(const struct conf *c, const char *name)
{
	int status = show_known(name);

	out_json = c->json;
	interval = c->interval;
	about(name);
	if (!status)
		status = load(name, 1);
	about(0);
	if (status)
		return status;
	out_open('{');
	summary();
	out_some("obtained_from", entry.renewal.server);
	out_time("window_start", entry.renewal.window_start);
	out_time("window_end", entry.renewal.window_end);
	out_some("explanation", entry.renewal.explanation);
	if (entry.has_x)
		issuer_and_serial(&entry.x);
	paths();
	conf_values();
	out_close('}');
	out_end();
	return 0;
}

int
show_path(const char *name, const char *kind)
{
	char rel[LIMIT_PATH], file[32] = "";
	struct buf b = BUF(file);
	int i = 0, live, status = show_known(name);

	if (status)
		return status;
	if (kind) {
		while (i < KINDS && strcmp(kind, kinds[i]) != 0)
			i++;
		if (i == KINDS)
			return fail(ST_USAGE, "no such kind of file: ", kind,
			    "; there are: privkey cert chain fullchain combined", (char *)0);
		buf_all(&b, kind, ".pem", (char *)0);
		buf_text(&b);
	}
	live = store_live(name);
	if (live < 0)
		return live_unclear(name);
	if (!live || store_file(rel, sizeof(rel), name, 0, file) < 0)
		return fail(ST_CONFIG, name, ": no certificate yet", (char *)0);
	if (!store_exists(rel))
		return fail(ST_CONFIG, name, ": there is no ", kind ? kind : "live", " file", (char *)0);
	if (rel[strlen(rel) - 1] == '/')
		rel[strlen(rel) - 1] = 0;
	store_path(out_buf(), rel);
	buf_char(out_buf(), '\n');
	return 0;
}

static void
ca_json(const struct ca *ca)
{
	out_open('{');
	out_text("name", slice(ca->name));
	out_text("server", slice(ca->url));
	out_some("server_ec", ca->url_ec);
	out_some("staging", ca->staging);
	out_some("aliases", ca->alias);
	out_flag("needs_eab", ca->needs & CA_EAB && !ca->eab_by_mail);
	out_flag("needs_mail", ca->needs & CA_MAIL);
	out_flag("profiles", ca->needs & CA_PROFILE);
	out_flag("ended", ca->needs & CA_ENDED);
	out_some("note", ca->note);
	out_close('}');
}

static void
ca_row(const struct ca *ca)
{
	static const char *const needs[] = { "", "eab", "mail", "eab,mail" };

	out_cell(slice(ca->name));
	out_cell(slice(ca->eab_by_mail ? "mail" : needs[ca->needs & (CA_EAB | CA_MAIL)]));
	out_cell(slice(ca->needs & CA_PROFILE ? "profile" : ""));
	out_cell(slice(ca->url));
	out_cell(slice(ca->note));
}

int
show_cas(const struct conf *c)
{
	const struct ca *ca;

	out_json = c->json;
	out_columns(5);
	out_cell(slice("NAME"));
	out_cell(slice("NEEDS"));
	out_cell(slice("OFFERS"));
	out_cell(slice("DIRECTORY"));
	out_cell(slice("NOTE"));
	out_open('[');
	for (ca = cas; ca < cas + cas_count; ca++)
		if (out_json)
			ca_json(ca);
		else
			ca_row(ca);
	if (!out_json)
		out_rows();
	out_close(']');
	out_end();
	return 0;
}

/* A request for a key file. */

static struct key request_key;

/* A new key in a file that must not exist yet. */
static int
make_key(const struct conf *c)
{
	static char mem[LIMIT_PEM_KEY];
	struct buf pem = BUF(mem);
	int fd, bad = key_make(&request_key, c->key_type ? key_type(c->key_type) : KEY_EC256);

	if (bad)
		return bad;
	key_write(&request_key, &pem);
	fd = open(c->key, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	bad = fd < 0 || fchmod(fd, 0600) < 0 || pem.err ||
	    write(fd, pem.p, pem.len) != (ssize_t)pem.len || fsync(fd) < 0;
	wipe(mem, sizeof(mem));
	if (bad)
		fail(ST_CONFIG, "cannot write ", c->key, ":", (char *)0);
	if (fd >= 0 && (close(fd) < 0 || bad))
		unlink(c->key);
	return bad ? ST_CONFIG : 0;
}

static int
read_key(const struct conf *c)
{
	struct stat st;

	if (stat(c->key, &st) < 0 && errno == ENOENT)
		return make_key(c);
	if (keyfile_foreign(c->key, &request_key))
		return ST_CONFIG;
	if (c->key_type && key_type(c->key_type) != request_key.type)
		return fail(ST_CONFIG, c->key, ": this key is ",
		    key_type_name(request_key.type), (char *)0);
	return 0;
}

int
show_csr(const struct conf *c)
{
	struct buf der = BUF(der_mem);
	int status = c->key ? read_key(c) :
	    fail(ST_USAGE, "csr needs --key FILE; it is made if missing", (char *)0);

	if (!status) {
		if (request_write(&der, c, &request_key) < 0)
			status = fail(ST_CONFIG, "cannot make the request", (char *)0);
		else
			pem_encode(out_buf(), "CERTIFICATE REQUEST", der.p, der.len);
	}
	key_wipe(&request_key);
	return status;
}
