/*
 * dir: a replaced file is the old or the new one whatever happens and
 * whenever; left-overs of killed writers are taken over, what is planted is
 * not followed; modes are exact under any umask; locks exclude and end with
 * their holder.
 */
#include "../fault.h"
#include "../tap.h"
#include "../../dir.c"

static int here;	/* the scratch directory */

static const char old_text[] = "old\n", new_text[] = "new text, a bit longer\n";

static void
put(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	if (!f || fputs(text, f) < 0 || fclose(f) != 0)
		perror(name);
}

static const char *
get(const char *name)
{
	static char mem[256];
	struct buf b = BUF(mem);
	int fd = open(name, O_RDONLY);

	if (fd < 0 || dir_read(fd, &b) < 0)
		return "(none)";
	dir_close(fd);
	return buf_text(&b);
}

static mode_t
mode_of(const char *name)
{
	struct stat st;

	return lstat(name, &st) < 0 ? 0 : st.st_mode & 07777;
}

/* How many entries of the scratch directory begin with '.'. */
static int
count_hidden(void *ctx, int dir, const char *name)
{
	(void)dir;
	*(int *)ctx += *name == '.';
	return 0;
}

static int
hidden(void)
{
	int n = 0;

	dir_each(here, count_hidden, &n);
	return n;
}

static int
do_replace(void)
{
	return dir_replace(here, "file", slice(new_text)) == 0 ? 0 : 1;
}

static void
test_replace(void)
{
	put("file", old_text);
	ok(do_replace() == 0 && strcmp(get("file"), new_text) == 0, "a file is replaced");
	ok(mode_of("file") == 0600, "its mode is 0600");
	ok(hidden() == 0, "no private name is left");
	put("victim", old_text);
	unlink("file");
	if (symlink("victim", "file") != 0)
		perror("symlink");
	ok(do_replace() == 0 && strcmp(get("victim"), old_text) == 0 &&
	    strcmp(get("file"), new_text) == 0, "a symlink is replaced, not followed");
	unlink("file");
	mkdir("file", 0700);
	ok(do_replace() == 1 && errno == EISDIR && hidden() == 0, "a directory is not replaced");
	rmdir("file");
}

/* The order of calls is the promise: what is synced before what. */
static void
test_order(void)
{
	char log[1024] = "";
	int i;

	fault_set(FAULT_NONE, 0, 0);
	do_replace();
	for (i = 0; i < fault.calls; i++)
		if (strcmp(fault.log[i], "write") == 0 || strcmp(fault.log[i], "fsync") == 0 ||
		    strcmp(fault.log[i], "renameat") == 0 || strcmp(fault.log[i], "fchmod") == 0)
			strcat(strcat(log, fault.log[i]), " ");
	is_str(log, "fchmod write fsync renameat fsync ", "fsync before rename, and of the directory after");
}

static void
test_killed(void)
{
	int at, status, whole = 1, again = 1, clean = 1;

	for (at = 1; at < 1000; at++) {
		put("file", old_text);
		status = fault_child(FAULT_KILL, at, 0, do_replace);
		if (strcmp(get("file"), old_text) != 0 && strcmp(get("file"), new_text) != 0)
			whole = 0;
		if (WIFEXITED(status))
			break;
		again &= do_replace() == 0 && strcmp(get("file"), new_text) == 0;
		clean &= hidden() == 0;
	}
	printf("# killed before each of %d calls\n", at - 1);
	ok(at > 8 && at < 1000 && WEXITSTATUS(status) == 0, "it can be killed everywhere");
	ok(whole, "killed anywhere: the old file or the new one");
	ok(again, "killed anywhere: the next run succeeds");
	ok(clean, "killed anywhere: the next run takes over what is left");
}

static void
test_errors(void)
{
	static const int errors[] = { ENOSPC, EIO, EROFS, EDQUOT, EACCES, EINVAL };
	int at, whole = 1, told = 1, clean = 1, r, silent = 0;
	size_t i;

	for (i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		for (at = 1; at < 1000; at++) {
			put("file", old_text);
			fault_set(FAULT_ERROR, at, errors[i]);
			r = do_replace();
			if (fault.calls < at)
				break;
			if (r == 1 && errno != errors[i])
				told = 0;
			/* EINVAL of the directory's fsync */
			silent += r == 0;
			fault_set(FAULT_NONE, 0, 0);
			if (strcmp(get("file"), r == 0 ? new_text : old_text) != 0 &&
			    (r == 0 || strcmp(get("file"), new_text) != 0))
				whole = 0;
			clean &= hidden() == 0 || (do_replace() == 0 && hidden() == 0);
		}
	}
	ok(whole, "an error at any call: the old file or the new one");
	ok(told, "an error at any call is returned with its errno");
	ok(silent == 1, "only EINVAL of a directory's fsync is overlooked");
	ok(clean, "an error at any call leaves nothing that stays");
	fault_set(FAULT_EINTR, 0, 0);
	ok(do_replace() == 0 && strcmp(get("file"), new_text) == 0, "EINTR at every call: success");
	put("file", old_text);
	fault_set(FAULT_SHORT, 0, 0);
	ok(do_replace() == 0 && strcmp(get("file"), new_text) == 0, "short writes and reads: success");
	fault_set(FAULT_NONE, 0, 0);
}

static void
test_planted(void)
{
	int r;

	put("victim", old_text);
	if (symlink("victim", ".file.0") != 0 || mkfifo(".file.1", 0600) != 0 ||
	    mkdir(".file.2", 0700) != 0)
		perror("plant");
	unlink("file");
	alarm(10);
	r = do_replace();
	alarm(0);
	ok(r == 0 && strcmp(get("file"), new_text) == 0, "planted private names are passed over");
	ok(strcmp(get("victim"), old_text) == 0, "a planted symlink is not followed");
	unlink(".file.0");
	unlink(".file.1");
	rmdir(".file.2");
}

static void
test_writers(void)
{
	char text[32];
	int i, j, status, bad = 0;

	for (i = 0; i < 20; i++) {
		fflush(stdout);
		if (fork() == 0) {
			for (j = 0; j < 20; j++) {
				snprintf(text, sizeof(text), "%d %d\n", i, j);
				if (dir_replace(here, "file", slice(text)) < 0)
					_exit(1);
			}
			_exit(0);
		}
	}
	while (wait(&status) > 0)
		bad |= status;
	ok(bad == 0 && strstr(get("file"), "\n"), "twenty writers of one file at once all succeed");
	ok(hidden() == 0, "and leave no private name");
}

static void
test_umask(void)
{
	static const mode_t masks[] = { 0, 022, 077, 0777 };
	struct slice s = slice(new_text);
	int good = 1;
	size_t i;

	for (i = 0; i < sizeof(masks) / sizeof(*masks); i++) {
		umask(masks[i]);
		good &= do_replace() == 0 && mode_of("file") == 0600 &&
		    dir_create(here, "a", 0644, &s, 1) == 0 && mode_of("a") == 0644 &&
		    dir_create(here, "b", 0600, &s, 1) == 0 && mode_of("b") == 0600 &&
		    dir_make(here, "d") == 0 && mode_of("d") == 0700;
		dir_unlock(dir_lock(here, "l", 0));
		good &= mode_of("l") == 0600;
		umask(077);
		unlink("a");
		unlink("b");
		unlink("l");
		rmdir("d");
	}
	ok(good, "modes are exact under umask 000, 022, 077, 777");
}

static void
test_read(void)
{
	char mem[8] = "ab";
	struct buf b = BUF(mem);
	int fd;

	b.len = 2;
	put("six", "123456");
	put("seven", "1234567");
	fd = open("six", O_RDONLY);
	ok(dir_read(fd, &b) == 0 && b.len == 8 && memcmp(mem, "ab123456", 8) == 0,
	    "a file that fits exactly is read");
	dir_close(fd);
	b.len = 2;
	fd = open("seven", O_RDONLY);
	ok(dir_read(fd, &b) == -1 && errno == EFBIG && b.len == 2 && mem[2] == 0,
	    "one byte more is EFBIG, and wiped");
	dir_close(fd);
}

static void
test_clear(void)
{
	put("victim", old_text);
	if (system("mkdir -p t/a/b t/c; echo x >t/a/b/f; echo y >t/g; ln -s ../victim t/link;"
	    "ln -s . t/c/loop; i=0; while [ $i -lt 300 ]; do : >t/c/$i; i=$((i+1)); done") != 0)
		perror("system");
	ok(dir_clear(here, "t") == 0 && !dir_exists(here, "t"), "a tree is removed");
	ok(strcmp(get("victim"), old_text) == 0, "but not what a symlink in it leads to");
	ok(dir_clear(here, "t") == 0, "a missing one is success");
	ok(dir_clear(here, "victim") == 0 && !dir_exists(here, "victim"), "a file goes as well");
	if (symlink("six", "victim") != 0)
		perror("symlink");
	ok(dir_open(here, "victim") == -1 && errno == ELOOP, "a symlink is no directory: ELOOP");
	ok(dir_open(here, "six") == -1 && errno == ENOTDIR, "a file is no directory: ENOTDIR");
}

static void
test_numbers(void)
{
	static const char *const names[] = {
		"1", "2", "10", "007", "0", "-1", "1a", "999999999", "1000000000", "3", "x", "+4"
	};
	static const struct {
		const char *name;
		int width, number;
	} rows[] = {
		{ "1", 1, 1 }, { "01", 1, 0 }, { "001", 3, 1 }, { "1", 3, 0 }, { "1000", 3, 1000 },
		{ "0999", 3, 0 }, { "", 1, 0 }, { "0", 1, 0 }, { "000", 3, 0 }, { "999999999", 1, 999999999 },
		{ "18446744073709551617", 1, 0 }, { "1 ", 1, 0 }
	};
	int v[3], good = 1, fd;
	struct dir_numbers s = { v, 3, 1, 0, 0 };
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		good &= dir_number(rows[i].name, rows[i].width) == rows[i].number;
	ok(good, "numbers have one spelling");
	if (mkdir("n", 0700) != 0 || chdir("n") != 0)
		perror("n");
	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		put(names[i], "");
	fd = dir_open(AT_FDCWD, ".");
	ok(dir_numbered(fd, &s) == 0 && s.n == 3 && s.top == 999999999 &&
	    v[0] == 1 && v[1] == 2 && v[2] == 3, "the lowest in order, and the highest");
	dir_close(fd);
	if (chdir("..") != 0)
		perror("..");
}

static void
test_lock(void)
{
	int64_t start;
	int fd, other, status, pipes[2];
	pid_t pid;
	char c;

	fd = dir_lock(here, "lock", 0);
	ok(fd >= 0, "a free lock is had at once");
	start = now_ms();
	other = dir_lock(here, "lock", start + 150);
	ok(other == -1 && errno == EWOULDBLOCK && now_ms() - start >= 150 &&
	    now_ms() - start < 1000, "a held one is waited for until the deadline: EWOULDBLOCK");
	ok(fcntl(fd, F_GETFD) & FD_CLOEXEC, "its descriptor is not for programs");
	dir_unlock(fd);
	if (pipe(pipes) != 0)
		perror("pipe");
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		fd = dir_lock(here, "lock", 0);
		if (write(pipes[1], "x", 1) == 1)
			sleep(10);
		_exit(1);
	}
	if (read(pipes[0], &c, 1) != 1)
		perror("read");
	kill(pid, SIGKILL);
	fd = dir_lock(here, "lock", now_ms() + 2000);
	waitpid(pid, &status, 0);
	ok(fd >= 0, "a killed holder's lock is free");
	signals_catch();
	kill(getpid(), SIGTERM);
	other = dir_lock(here, "lock", INT64_MAX);
	ok(other == -1 && errno == EINTR, "a stop signal ends the waiting: EINTR");
	dir_unlock(fd);
	ok(dir_exists(here, "lock"), "the file stays");
	unlink("lock");
	if (symlink("victim", "lock") != 0)
		perror("symlink");
	ok(dir_lock(here, "lock", 0) == -1 && errno == ELOOP, "a planted symlink is not followed");
}

/* Paths below the scratch folder; what is exposed belongs to user 65534, or has mode 0777. */
static void
test_exposed(void)
{
	static const struct {
		const char *path, *where;
	} rows[] = {
		{ "good/file", 0 }, { "good/missing/x", 0 }, { "good", 0 }, { "sticky/file", 0 },
		{ "open", "open" }, { "open/file", "open" }, { "good/../open/x", "open" },
		{ "open/../good/file", "open" }, { "theirs/file", "theirs" }, { "good/theirs", "good/theirs" },
		{ "link/file", 0 }, { "far/file", 0 }, { "opener/file", "open" }, { "sticky/planted/file", "sticky/planted" },
		{ "loop/x", 0 }, { "./good//file/", 0 }, { "../../../../../../../../..", 0 },
	};
	char base[300], path[400], where[LIMIT_PATH], want[400];
	size_t i;

	if (geteuid() != 0) {
		ok(1, "what others can change # SKIP not root");
		return;
	}
	if (system("mkdir good open theirs sticky && touch good/file good/theirs open/file theirs/file sticky/file &&"
	    "chmod 777 open && chmod 1777 sticky && ln -s good link && ln -s \"$PWD/./link/../link\" far && ln -s open opener &&"
	    "ln -s loop loop && ln -s ../good sticky/planted && chown -h 65534 sticky/planted theirs good/theirs") != 0 ||
	    !getcwd(base, sizeof(base)))
		perror("system");
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		snprintf(path, sizeof(path), "%s/%s", base, rows[i].path);
		snprintf(want, sizeof(want), "%s/%s", base, rows[i].where ? rows[i].where : "");
		ok(rows[i].where ? dir_exposed(path, where) && strcmp(where, want) == 0 : !dir_exposed(path, where),
		    rows[i].path);
	}
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[399] = 0;
	ok(!dir_exposed(path, where), "a name too long for a directory");
}

int
main(void)
{
	scratch_make();
	here = dir_open(AT_FDCWD, ".");
	test_replace();
	test_order();
	test_killed();
	test_errors();
	test_planted();
	test_writers();
	test_umask();
	test_read();
	test_clear();
	test_numbers();
	test_exposed();
	test_lock();
	return tap_done();
}
