/*
 * attacker.c - the program with a talker that its server has taken over: linked
 * in front of calls that run in the talker (--wrap), it tries what it must not be
 * able to do, and tells what came of it through the trace, as
 * "attack WHAT: RESULT", errno or 0.  What it cannot know in there
 * (ATTACK_HOME, ATTACK_ORDER, the keeper's pid) it reads when the program starts.
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../../acme.h"
#include "../../base64.h"
#include "../../json.h"

int __real_acme_open(const struct acme_config *config, const char *directory, const struct acme_directory *cached);
int __real_acme_new_order(struct acme_order *o, unsigned names);
int __real_acme_authorizations(struct acme_order *o);
int __real_acme_answer(struct acme_order *o);
int __real_acme_finalize(struct acme_order *o);

static char home[1024], wrong[64];
static char *from, *to;		/* arguments and environment */
static pid_t keeper;
static int spare;
static struct acme_config talk;

__attribute__((constructor)) static void
prepare(void)
{
	extern char **environ;
	char **v;
	const char *h = getenv("ATTACK_HOME"), *w = getenv("ATTACK_ORDER");

	slice_copy(slice(h ? h : ""), home, sizeof(home));
	slice_copy(slice(w ? w : ""), wrong, sizeof(wrong));
	keeper = getpid();
	spare = getenv("ATTACK_SPARE") != 0;
	from = to = environ[0];
	for (v = environ; *v; v++)
		to = *v + strlen(*v);
	/* the arguments stand before it */
	from -= 256;
}

static void
tell(const char *what, int result)
{
	char mem[256];
	struct buf b = BUF(mem);

	buf_all(&b, "attack ", what, ": ", (char *)0);
	buf_int(&b, result);
	talk.trace(talk.ctx, 0, buf_text(&b));
}

static int
in_home(const char *file, int flags)
{
	char mem[1200];
	struct buf b = BUF(mem);

	buf_all(&b, home, file, (char *)0);
	return open(buf_text(&b), flags, 0600);
}

/* Whether the text is in what was this program's memory when it started; it is kept here in pieces. */
static int
remembers(void)
{
	extern char __bss_start, _end;
	const char *want[] = { "confidential-", "by-environment", "by-argument", "by-file" };
	char one[64], *p, *end;
	struct buf b = BUF(one);
	int i, seen = 0;

	for (i = 1; i < 4; i++) {
		buf_clear(&b);
		buf_all(&b, want[0], want[i], (char *)0);
		for (p = &__bss_start, end = &_end - b.len; p < end; p++)
			if (p != one && *p == *one && memcmp(p, one, b.len) == 0)
				seen |= 1 << i;
		if (memmem(from, (size_t)(to - from), one, b.len))
			seen |= 1 << i;
	}
	return seen;
}

static void
touch_the_system(void)
{
	static char stolen[64];
	struct iovec here = { stolen, sizeof(stolen) }, there = { &talk, sizeof(stolen) };
	char *none[] = { 0 }, mem[64];
	struct buf b = BUF(mem);
	int fds = 0, i;

#define TRY(what, call) tell(what, (errno = 0, (call) < 0 ? errno : 0))
	TRY("open the account's key", in_home("/accounts/key.pem", O_RDONLY));
	TRY("open the certificate's key", in_home("/certs/a.example/pending/privkey.pem", O_RDONLY));
	TRY("open the state directory", in_home("", O_RDONLY));
	TRY("write below it", in_home("/certs/evil", O_WRONLY | O_CREAT));
	TRY("write elsewhere", open("/tmp/acme-evil", O_WRONLY | O_CREAT, 0600));
	TRY("make a directory", mkdir("/tmp/acme-evil-dir", 0700));
	TRY("remove a file", unlinkat(AT_FDCWD, home, AT_REMOVEDIR));
	buf_all(&b, "/proc/", (char *)0);
	buf_int(&b, keeper);
	buf_str(&b, "/mem");
	TRY("open the keeper's memory", open(buf_text(&b), O_RDONLY));
	TRY("read the keeper's memory", process_vm_readv(keeper, &here, 1, &there, 1, 0));
	TRY("trace the keeper", ptrace(PTRACE_ATTACH, keeper, 0, 0));
	TRY("send the keeper a signal", kill(keeper, 0));
	/* where nothing forbids it, it is not this process any more */
	if (!spare)
		TRY("run a program", execve("/bin/true", none, none));
	TRY("make a process", fork());
	TRY("reach a local socket", socket(AF_UNIX, SOCK_STREAM, 0));
	for (i = 0; i < 1024; i++)
		fds += fcntl(i, F_GETFD) >= 0;
	tell("count descriptors", fds);
	tell("remember secrets", remembers());
}

/* A signature of that kind: 0 given, 1 not. */
static int
sign(enum acme_kind kind, const char *url, struct buf *body)
{
	static char mem[LIMIT_REQUEST];

	buf_init(body, mem, sizeof(mem));
	return talk.sign(talk.ctx, kind, url, "bm9uY2U", body) == 0 && !body->err ? 0 : 1;
}

static void
tell_payload(struct slice jws)
{
	char raw[4096], mem[4096], line[4096];
	struct buf b = BUF(mem), l = BUF(line);
	struct json_doc doc;
	struct json v = json_parse(&doc, jws);

	json_string(json_get(v, "payload"), raw, sizeof(raw));
	base64url_decode(&b, slice(raw));
	buf_all(&l, "attack payload: ", buf_text(&b), (char *)0);
	talk.trace(talk.ctx, 0, buf_text(&l));
}

static void
want_signatures(void)
{
	static const struct {
		const char *what;
		enum acme_kind kind;
		enum acme_endpoint ep;
	} table[] = {
		{ "sign a key change", ACME_KEY_CHANGE, EP_KEY_CHANGE },
		{ "sign a revocation", ACME_REVOKE, EP_REVOKE },
		{ "sign a new account", ACME_NEW_ACCOUNT, EP_NEW_ACCOUNT },
		{ "sign an account update", ACME_UPDATE_ACCOUNT, EP_NEW_ACCOUNT },
		{ "sign a deactivation", ACME_DEACTIVATE_ACCOUNT, EP_NEW_ACCOUNT },
		{ "sign another deactivation", ACME_DEACTIVATE_AUTHZ, EP_NEW_ACCOUNT },
		{ "sign an answer", ACME_ANSWER, EP_NEW_ORDER },
		{ "sign a finalization", ACME_FINALIZE, EP_NEW_ORDER },
		{ "sign a new order for a key change", ACME_NEW_ORDER, EP_KEY_CHANGE },
	};
	struct buf body;
	size_t i;
	int n = 0;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++)
		tell(table[i].what, sign(table[i].kind, acme_directory(0)->url[table[i].ep], &body));
	tell("sign with a strange kind", sign((enum acme_kind)77, "https://ca.example/", &body));
	tell("sign for plain http", sign(ACME_GET, "http://ca.example/", &body));
	tell("sign for a strange text", sign(ACME_GET, "https://ca.example/\",\"x\":\"", &body));
	for (i = 0; i < 200; i++)
		if (sign(ACME_NEW_ORDER, acme_directory(0)->url[EP_NEW_ORDER], &body) == 0 && n++ == 0)
			tell_payload(buf_view(&body));
	tell("new orders signed", n);
}

int
__wrap_acme_open(const struct acme_config *config, const char *directory, const struct acme_directory *cached)
{
	talk = *config;
	return __real_acme_open(config, directory, cached);
}

int
__wrap_acme_new_order(struct acme_order *o, unsigned names)
{
	if (!*wrong) {
		touch_the_system();
		want_signatures();
		/* the order is made with what is left: nothing */
	}
	return __real_acme_new_order(o, names);
}

/* What the keeper is told in place of the truth. */
int
__wrap_acme_authorizations(struct acme_order *o)
{
	int r = __real_acme_authorizations(o);
	struct acme_challenge *c = &o->authz[0].challenge[0];
	int i;

	if (strcmp(wrong, "count") == 0)
		o->count = 5000;
	if (strcmp(wrong, "texts") == 0)
		o->used = 1u << 30;
	if (strcmp(wrong, "end") == 0)
		o->arena[o->used - 1] = 'x';
	if (strcmp(wrong, "control") == 0)
		o->arena[o->authz[0].ident] = '\033';
	if (strcmp(wrong, "token") == 0)
		o->arena[c->token] = '/';
	if (strcmp(wrong, "url") == 0)
		memcpy(o->arena + c->url, "http:", 5);
	if (strcmp(wrong, "status") == 0)
		o->authz[0].status = (enum acme_status)99;
	if (strcmp(wrong, "type") == 0)
		c->type = (enum acme_type)77;
	if (strcmp(wrong, "challenges") == 0)
		o->authz[0].count = 1000;
	if (strcmp(wrong, "order") == 0)
		o->url[12] ^= 1;
	if (strcmp(wrong, "name") == 0)
		o->arena[o->authz[0].ident] = 'z';
	if (strcmp(wrong, "die") == 0)
		_exit(0);
	if (strcmp(wrong, "crash") == 0)
		*(volatile char *)0 = 0;
	for (i = 3; strcmp(wrong, "words") == 0 && i < 16; i++)
		if (write(i, "0123456789012345678901234567890123456789", 40) < 0)
			continue;
	return r;
}

int
__wrap_acme_answer(struct acme_order *o)
{
	struct buf body;
	unsigned i;

	for (i = 0; strcmp(wrong, "answer") == 0 && i < o->authz[0].count; i++)
		tell((int)i == o->authz[0].chosen ? "sign the chosen answer" : "sign another answer",
		    sign(ACME_ANSWER, acme_string(o, o->authz[0].challenge[i].url), &body));
	/* later on, of the order only statuses may change */
	if (strcmp(wrong, "later") == 0)
		o->arena[o->authz[0].ident] = 'z';
	return __real_acme_answer(o);
}

int
__wrap_acme_finalize(struct acme_order *o)
{
	struct buf body;

	if (strcmp(wrong, "answer") == 0) {
		tell("sign a finalization elsewhere", sign(ACME_FINALIZE, "https://ca.example/finalize", &body));
		tell("sign an answer late", sign(ACME_ANSWER, acme_string(o, o->authz[0].challenge[0].url), &body));
	}
	return __real_acme_finalize(o);
}
