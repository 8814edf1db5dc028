/*
 * certs: key and certificate never mismatch.  Killed before any system call,
 * or at random, or with any of them failing, live leads to a whole generation,
 * and the next run succeeds; generations, journal, trash keep their promises.
 */
#include "../fault.h"

#include <time.h>

#include "../tap.h"
#include "../../dir.c"
#include "../../store.c"
#include "../../certs.c"

static char home[LIMIT_PATH];

static void
run(const char *command)
{
	if (system(command) != 0)
		printf("# failed: %s\n", command);
}

static mode_t
mode_of(const char *name)
{
	struct stat st;

	return lstat(name, &st) < 0 ? 0 : st.st_mode & 07777;
}

/* The files of a generation that tell which one it is. */
static const struct store_files *
files(unsigned serial)
{
	static char mem[4][64];
	static struct store_files f;

	snprintf(mem[0], sizeof(mem[0]), "key %u\n", serial);
	snprintf(mem[1], sizeof(mem[1]), "cert %u\n", serial);
	snprintf(mem[2], sizeof(mem[2]), "chain %u\n", serial);
	snprintf(mem[3], sizeof(mem[3]), "cert %u\nchain %u\n", serial, serial);
	f.privkey = slice(mem[0]);
	f.cert = slice(mem[1]);
	f.chain = slice(mem[2]);
	f.fullchain = slice(mem[3]);
	return &f;
}

static const char *
get(const char *name, int number, const char *file)
{
	static char mem[256];
	struct buf b = BUF(mem);
	char path[LIMIT_PATH];

	if (store_file(path, sizeof(path), name, number, file) < 0 || store_read(path, &b) < 0)
		return "";
	return buf_text(&b);
}

/* The serial of that generation (0: live) if all of its files are there and agree, else 0. */
static unsigned
whole(const char *name, int number)
{
	char key[64], combined[160];
	unsigned serial;
	const struct store_files *f;

	snprintf(key, sizeof(key), "%s", get(name, number, "privkey.pem"));
	if (sscanf(key, "key %u\n", &serial) != 1)
		return 0;
	f = files(serial);
	snprintf(combined, sizeof(combined), "%s%s", f->fullchain.p, f->privkey.p);
	return strcmp(key, f->privkey.p) == 0 &&
	    strcmp(get(name, number, "cert.pem"), f->cert.p) == 0 &&
	    strcmp(get(name, number, "chain.pem"), f->chain.p) == 0 &&
	    strcmp(get(name, number, "fullchain.pem"), f->fullchain.p) == 0 &&
	    strcmp(get(name, number, "combined.pem"), combined) == 0 ? serial : 0;
}

/* Entries of certs/NAME, with a space before each, sorted. */
static const char *
entries(const char *name)
{
	static char text[512];
	char mem[512], path[LIMIT_PATH];
	struct buf b = BUF(mem);
	size_t i;

	text[0] = 0;
	store_cert_dir(path, sizeof(path), name);
	if (store_entries(path, &b) < 0)
		return "(error)";
	for (i = 0; i < b.len; i += strlen(mem + i) + 1)
		strcat(strcat(text, " "), mem + i);
	return text;
}

/* 1 if every numbered directory is whole. */
static int
all_whole(const char *name)
{
	char mem[512], path[LIMIT_PATH];
	struct buf b = BUF(mem);
	size_t i;
	int good = 1;

	store_cert_dir(path, sizeof(path), name);
	store_entries(path, &b);
	for (i = 0; i < b.len; i += strlen(mem + i) + 1)
		if (dir_number(mem + i, 1))
			good &= whole(name, dir_number(mem + i, 1)) != 0;
	return good;
}

static int
issued(const char *name, unsigned serial)
{
	int number;

	return store_stage(name, files(serial), &number) < 0 ||
	    store_commit(name, number) < 0 ? -1 : number;
}

static void
test_generations(void)
{
	struct store_files foreign;
	int number = 7;

	ok(store_live("a.example") == 0, "no certificate: no live");
	ok(store_stage("a.example", files(1), &number) == 0 && number == 1 &&
	    store_live("a.example") == 0, "a staged generation is not live");
	ok(store_commit("a.example", 1) == 0 && store_live("a.example") == 1 &&
	    whole("a.example", 0) == 1, "committed, it is");
	ok(mode_of("home/certs") == 0700 && mode_of("home/certs/a.example") == 0700 &&
	    mode_of("home/certs/a.example/1") == 0700 &&
	    mode_of("home/certs/a.example/1/privkey.pem") == 0600 &&
	    mode_of("home/certs/a.example/1/combined.pem") == 0600 &&
	    mode_of("home/certs/a.example/1/cert.pem") == 0644 &&
	    mode_of("home/certs/a.example/1/chain.pem") == 0644 &&
	    mode_of("home/certs/a.example/1/fullchain.pem") == 0644,
	    "directories 0700, keys 0600, certificates 0644");
	ok(issued("a.example", 2) == 2 && whole("a.example", 0) == 2 && whole("a.example", 1) == 1,
	    "the next takes its place, the old one stays");
	run("mkdir home/certs/a.example/.stage; : >home/certs/a.example/.stage/privkey.pem;"
	    "ln -s 1 home/certs/a.example/.live");
	ok(issued("a.example", 3) == 3 && whole("a.example", 3) == 3, "left-overs do not matter");
	is_str(entries("a.example"), " 1 2 3 live", "and go");
	run("ln -sfn 1 home/certs/a.example/live");
	ok(store_live("a.example") == 1 && issued("a.example", 4) == 4 && whole("a.example", 3) == 3,
	    "put back by hand: the newer ones are not written over");
	foreign = *files(9);
	foreign.privkey.p = 0;
	foreign.privkey.n = 0;
	ok(store_stage("csr.example", &foreign, &number) == 0 && store_commit("csr.example", number) == 0 &&
	    strcmp(get("csr.example", 0, "cert.pem"), "cert 9\n") == 0, "a certificate without a key here");
	ok(!store_exists("certs/csr.example/1/privkey.pem") && !store_exists("certs/csr.example/1/combined.pem"),
	    "has no key file");
	foreign = *files(5);
	foreign.fullchain.n--;
	ok(store_stage("csr.example", &foreign, &number) == 0 &&
	    strcmp(get("csr.example", number, "combined.pem"), "cert 5\nchain 5\nkey 5\n") == 0,
	    "combined has every PEM block on a line of its own");
	ok(store_commit("csr.example", 99) == -1 && errno == ENOENT && store_live("csr.example") == 1,
	    "what is not there does not become live");
	run("touch home/certs/csr.example/999999999");
	ok(store_stage("csr.example", files(1), &number) == -1 && errno == EOVERFLOW && number == 0,
	    "numbers end at 999999999");
}

static void
test_umask(void)
{
	static const mode_t masks[] = { 0, 0777 };
	char name[32], path[100];
	int good = 1, id;
	size_t i;

	for (i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), "mask%u.example", (unsigned)i);
		umask(masks[i]);
		good &= issued(name, 1) == 1 && whole(name, 0) == 1 && store_journal_add(name, slice("x"), &id) == 0;
		umask(077);
		snprintf(path, sizeof(path), "home/certs/%s", name);
		good &= mode_of(path) == 0700;
		strcat(path, "/1");
		good &= mode_of(path) == 0700;
		strcat(path, "/privkey.pem");
		good &= mode_of(path) == 0600;
	}
	ok(good, "modes are exact under umask 000 and 777");
}

static void
test_live(void)
{
	static const struct {
		const char *make;
		int error;
	} rows[] = {
		{ "ln -s 5 live", ENOENT }, { "ln -s live live", ELOOP },
		{ "mkdir live; : >live/privkey.pem", EINVAL }, { ": >live", EINVAL },
		{ "ln -s ../b live; mkdir ../b", EINVAL }, { "ln -s /etc live", EINVAL },
		{ "ln -s 01 live; mkdir 01", EINVAL }, { "ln -s 3 live; ln -s 3 3", ELOOP },
		{ "ln -s 3 live; : >3", ENOTDIR }, { "ln -s 12345678901234567890 live", EINVAL },
		{ "ln -s 1 live; chmod 770 1", EPERM }
	};
	char command[200], before[512], path[LIMIT_PATH];
	struct buf b = BUF(path);
	size_t i;
	int r;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		snprintf(command, sizeof(command), "cd home/certs; rm -rf live.example b;"
		    "mkdir -m 700 live.example live.example/1; cd live.example; %s", rows[i].make);
		run(command);
		snprintf(before, sizeof(before), "%s", entries("live.example"));
		errno = 0;
		r = store_live("live.example");
		if (r != -1 || errno != rows[i].error)
			printf("# %d, %s\n", r, strerror(errno));
		snprintf(command, sizeof(command), "live is no good: %s", rows[i].make);
		ok(r == -1 && errno == rows[i].error, command);
		ok(store_prune("live.example", 0, 0) == -1 && strcmp(entries("live.example"), before) == 0,
		    "and nothing is deleted");
		ok(store_read("certs/live.example/live/cert.pem", &b) == -1, "nor read through it");
	}
	run("cd home/certs; rm -rf live.example b; mkdir -m 700 live.example; cd live.example;"
	    "mkdir -m 700 1 live; : >live/file");
	ok(store_commit("live.example", 1) == -1 && access("home/certs/live.example/live/file", F_OK) == 0,
	    "a plain directory in the place of live is not replaced");
	run("rm -rf home/certs/live.example");
}

static int kept, asked;

static int
keep(void *ctx, int number)
{
	(void)ctx;
	asked++;
	return number == kept;
}

static void
test_prune(void)
{
	unsigned i;

	ok(store_prune("none.example", keep, 0) == 0, "nothing to prune");
	for (i = 1; i <= 8; i++)
		issued("p.example", i);
	kept = 2;
	ok(store_prune("p.example", keep, 0) == 0 && asked == 4, "asked of each but live and three");
	is_str(entries("p.example"), " 2 5 6 7 8 live", "what must stay does");
	run("ln -sfn 2 home/certs/p.example/live");
	kept = 0;
	ok(store_prune("p.example", keep, 0) == 0, "live is an old one");
	is_str(entries("p.example"), " 2 6 7 8 live", "it is never removed");
	run("mkdir home/certs/p.example/.old; : >home/certs/p.example/.old/x");
	store_prune("p.example", keep, 0);
	ok(!store_exists("certs/p.example/.old"), "what an interrupted run left goes");
	ok(store_prune("p.example", 0, 0) == 0, "keep may be absent");
	for (i = 9; i <= 100; i++)
		issued("p.example", i);
	store_prune("p.example", keep, 0);
	store_prune("p.example", keep, 0);
	is_str(entries("p.example"), " 100 97 98 99 live", "many are pruned in turns");
}

static void
test_journal(void)
{
	char mem[64];
	struct buf b = BUF(mem);
	int ids[4], id, i, good = 1;

	ok(store_journal("j.example", ids, 4) == 0, "no journal: no entries");
	ok(store_journal_add("j.example", slice("hook=a\n"), &id) == 0 && id == 1 &&
	    mode_of("home/certs/j.example/pending/hooks/001") == 0600, "an entry is a file, 0600");
	ok(store_journal_read("j.example", 1, &b) == 0 && slice_is(buf_view(&b), "hook=a\n"), "it is read");
	for (i = 2; i <= 1001; i++)
		good &= store_journal_add("j.example", slice("x"), &id) == 0 && id == i;
	ok(good, "a thousand more, in ascending order");
	ok(store_journal("j.example", ids, 4) == 4 && ids[0] == 1 && ids[3] == 4, "the lowest first");
	ok(store_journal_drop("j.example", 2) == 0 && store_journal("j.example", ids, 4) == 4 && ids[1] == 3,
	    "one is dropped");
	ok(store_journal_drop("j.example", 2) == 0, "and again");
	for (i = 3; i <= 1001; i++)
		store_journal_drop("j.example", i);
	run(": >home/certs/j.example/pending/hooks/.002.0; : >home/certs/j.example/pending/hooks/7");
	ok(store_journal("j.example", ids, 4) == 1 && ids[0] == 1, "left-overs are no entries");
	ok(store_journal_add("j.example", slice("y"), &id) == 0 && id == 2, "ids go on from the highest");
}

static void
test_trash(void)
{
	char mem[512], name[254];
	struct buf b = BUF(mem);

	ok(store_trash("none.example", 0) == -1 && errno == ENOENT, "nothing to move: ENOENT");
	issued("*.t.example", 1);
	ok(store_trash("*.t.example", 0) == 0 && store_live("*.t.example") == 0, "a certificate is moved away");
	issued("*.t.example", 2);
	ok(store_trash("*.t.example", 0) == 0 && store_entries("trash", &b) == 0 && b.len > 0 &&
	    strncmp(mem, "_.t.example.20", 14) == 0 && strlen(mem) + 1 < b.len,
	    "to names that tell when, the second to one of its own");
	run("rm -rf home/trash/*; mkdir home/trash/.purge; : >home/trash/.purge/rest");
	issued("t.example", 3);
	ok(store_trash("t.example", 1) == 0 && store_live("t.example") == 0, "purged, it is deleted");
	buf_clear(&b);
	ok(store_entries("trash", &b) == 0 && b.len == 0 && !store_exists("trash/.purge"),
	    "with what an interrupted run left");
	memset(name, 'n', 253);
	name[253] = 0;
	ok(issued(name, 1) == 1 && whole(name, 0) == 1 && store_trash(name, 0) == 0, "also with the longest name");
}

/* A renewal, as far as the store is concerned.  0 or the step that failed. */
static int
renewal(void)
{
	int id, number;

	if (store_journal_add("k.example", slice("hook"), &id) < 0)
		return 1;
	if (store_stage("k.example", files((unsigned)getpid()), &number) < 0)
		return 2;
	if (store_commit("k.example", number) < 0)
		return 3;
	if (store_journal_drop("k.example", id) < 0)
		return 4;
	return store_prune("k.example", 0, 0) < 0 ? 5 : 0;
}

static void
start_over(void)
{
	unsigned i;

	run("rm -rf home/certs/k.example");
	for (i = 1; i <= 4; i++)
		issued("k.example", i);
}

/* After a run that ended anywhere: nothing is broken, and the next run succeeds. */
static int
recovers(void)
{
	char path[LIMIT_PATH], hidden[] = " .stage .old .live";
	int ids[8], n;
	char *p;

	if (!whole("k.example", 0) || !all_whole("k.example"))
		return 0;
	for (n = store_journal("k.example", ids, 8); n > 0; n--)
		if (store_journal_drop("k.example", ids[n - 1]) < 0)
			return 0;
	if (n < 0 || renewal() != 0 || whole("k.example", 0) != (unsigned)getpid())
		return 0;
	for (p = strtok(hidden, " "); p; p = strtok(0, " ")) {
		snprintf(path, sizeof(path), "certs/k.example/%s", p);
		if (store_exists(path))
			return 0;
	}
	return 1;
}

static void
test_killed(void)
{
	int at, status = 0, good = 1;

	start_over();
	for (at = 1; at < 2000; at++) {
		status = fault_child(FAULT_KILL, at, 0, renewal);
		if (WIFEXITED(status))
			break;
		if (!recovers()) {
			printf("# at call %d\n", at);
			good = 0;
		}
	}
	printf("# killed before each of %d calls\n", at - 1);
	ok(good && at > 100 && at < 2000 && WEXITSTATUS(status) == 0,
	    "killed before any call: live is whole, and the next run succeeds");
}

static void
test_errors(void)
{
	static const int errors[] = { ENOSPC, EIO };
	int at, r, good = 1, unseen = 0, seen = 0;
	size_t i;

	for (i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		start_over();
		for (at = 1; at < 2000; at++) {
			fault_set(FAULT_ERROR, at, errors[i]);
			r = renewal();
			if (fault.calls < at)
				break;
			seen += strcmp(fault.name, "fsync") == 0 || strcmp(fault.name, "write") == 0;
			unseen += r == 0 && strcmp(fault.name, "close") != 0;
			fault_set(FAULT_NONE, 0, 0);
			if (!recovers()) {
				printf("# call %d, %s\n", at, strerror(errors[i]));
				good = 0;
			}
		}
		fault_set(FAULT_NONE, 0, 0);
	}
	ok(good, "an error at any call: live is whole, and the next run succeeds");
	ok(unseen == 0 && seen > 30, "no error is ignored");
	start_over();
	fault_set(FAULT_EINTR, 0, 0);
	r = renewal();
	fault_set(FAULT_NONE, 0, 0);
	ok(r == 0 && whole("k.example", 0) == (unsigned)getpid(), "EINTR at every call: success");
	fault_set(FAULT_SHORT, 0, 0);
	r = renewal();
	fault_set(FAULT_NONE, 0, 0);
	ok(r == 0 && whole("k.example", 0) == (unsigned)getpid(), "short writes: success");
}

/* fsync of a file that was written, before any rename; and of the directory after. */
static void
test_order(void)
{
	int i, dirty = 0, good = 1, renames = 0;

	start_over();
	fault_set(FAULT_NONE, 0, 0);
	if (renewal() != 0)
		good = 0;
	for (i = 0; i < fault.calls && i < 4096; i++) {
		const char *call = fault.log[i];

		if (strcmp(call, "fsync") == 0) {
			dirty = 0;
		} else if (strcmp(call, "renameat") == 0) {
			good &= !dirty;
			dirty = 1;
			renames++;
		} else if (strcmp(call, "write") == 0 || strcmp(call, "symlinkat") == 0 ||
		    strcmp(call, "mkdirat") == 0 || strcmp(call, "openat") == 0) {
			dirty |= *call != 'o';
		}
	}
	ok(good && !dirty && renames >= 4, "each rename has an fsync before and after");
}

/* Real kills, at any instant, while others read. */
static void
test_random(void)
{
	struct timespec t = { 0, 0 };
	unsigned seed = (unsigned)time(0);
	int i, status, good = 1, read_well = 1;
	pid_t pid;

	printf("# seed %u\n", seed);
	srand(seed);
	start_over();
	for (i = 0; i < 200; i++) {
		fflush(stdout);
		pid = fork();
		if (pid == 0)
			for (;;)
				renewal();
		t.tv_nsec = rand() % 8000000;
		nanosleep(&t, 0);
		read_well &= store_live("k.example") > 0;
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		good &= WIFSIGNALED(status) && whole("k.example", 0) != 0 && all_whole("k.example");
	}
	ok(good, "killed 200 times at random: live is whole");
	ok(read_well, "and was there at every instant");
	ok(recovers(), "and the next run succeeds");
}

int
main(void)
{
	umask(077);
	scratch_make();
	snprintf(home, sizeof(home), "%s/home", scratch);
	if (store_open(home, 1) != ST_OK)
		return 1;
	test_generations();
	test_umask();
	test_live();
	test_prune();
	test_journal();
	test_trash();
	test_killed();
	test_errors();
	test_order();
	test_random();
	return tap_done();
}
