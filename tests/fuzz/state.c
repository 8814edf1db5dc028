/*
 * Fuzzes the files that are read back: the first byte chooses which one the
 * rest is - renewal, account, a remembered order, a journal entry.  What comes
 * out of one may be used and written again.
 */
#include "fuzz.h"

#include "../../conf.h"
#include "../../hook.h"
#include "../../store.h"
#include "../../util.h"

static struct slice the_file;
static char written[LIMIT_CONF];
static size_t written_n;

static int
play_read(struct buf *b)
{
	if (the_file.n > b->cap - b->len)
		return -1;
	buf_slice(b, the_file);
	return 0;
}

static int
play_write(struct slice s)
{
	memcpy(written, s.p, s.n);
	written_n = s.n;
	return 0;
}

/* What a hook would get. */
static int
play_hook(const struct hook *h, const char *const *args, const struct hook_env *e)
{
	unsigned i;

	need(memchr(h->path, 0, sizeof(h->path)) != 0);
	for (i = 0; args[i]; i++)
		need(strlen(args[i]) < 4096);
	need(i == 5 && (e->err || e->n <= sizeof(e->v) / sizeof(*e->v)));
	return 0;
}

#define now_wall() 1800000000
#define store_read(path, b) ((void)(path), play_read(b))
#define store_write(path, s) ((void)(path), play_write(s))
#define store_journal_read(name, id, b) ((void)(name), (void)(id), play_read(b))
#define store_journal_drop(name, id) 0
#define hook_run(h, args, e, timeout) ((void)(timeout), play_hook(h, args, e))
#define hook_shell(text, e, timeout) ((void)(text), (void)(e), (void)(timeout), 0)
#include "../../registration.c"
#include "../../renewal.c"
/* Names that these files have in common. */
#define env_mem challenge_env_mem
#define put_number challenge_put_number
#include "../../challenge.c"
#define member order_member
#include "../../order.c"

static const struct conf wanted = {
	.names = 2, .name = { "a.example", "*.a.example" }, .hook_timeout = 1,
	.server = { 1, { "https://ca.example/dir" } }
};

static void
fuzz_renewal(void)
{
	static struct renewal r, again;

	renewal_read("a.example", &r);
	need(memchr(r.owed, 0, sizeof(r.owed)) != 0);
	need(renewal_write("a.example", &r) == 0);
	the_file = slice_of(written, written_n);
	renewal_read("a.example", &again);
	need(memcmp(&r, &again, offsetof(struct renewal, owed)) == 0 && strcmp(r.owed, again.owed) == 0);
}

static void
fuzz_registration(void)
{
	static struct acme_account a;
	static struct acme_directory d;
	const char *text;
	size_t i;
	int cached;
	int64_t single;

	if (registration_read("accounts/a", &a, &d, &cached, &single))
		return;
	for (i = 0; i < FIELDS; i++) {
		text = (fields[i].of == CA ? (char *)&d : (char *)&a) + fields[i].at;
		need(!*text || jws_clean(text));
	}
	need(registration_write("accounts/a", &a, &d, single) == 0);
}

static void
fuzz_order(void)
{
	static struct acme_order o;

	order_server("a.example", &wanted);
	if (remembered_order("a.example", &wanted, &o))
		need(*o.url && memchr(o.url, 0, sizeof(o.url)));
}

static void
fuzz_journal(void)
{
	end_entry("a.example", &wanted, 1, 0);
	end_entry("a.example", &wanted, 1, "the server said no");
}

int
LLVMFuzzerTestOneInput(const unsigned char *p, size_t n)
{
	static void (*const kinds[])(void) = { fuzz_renewal, fuzz_registration, fuzz_order, fuzz_journal };

	if (n == 0)
		return 0;
	the_file = slice_of(p + 1, n - 1);
	kinds[p[0] % 4]();
	return 0;
}
