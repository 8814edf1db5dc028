/*
 * acme.c - RFC 8555 resources: directory, accounts, revocation, renewal
 * information (RFC 9773); the talker's half.  Orders are resource.c's.
 * Invariant: every URL and status that leaves this file was checked.
 */
#include <string.h>

#include "acme.h"
#include "http.h"
#include "json.h"
#include "problem.h"
#include "reply.h"
#include "talk.h"
#include "util.h"

const char *const acme_endpoint_name[EP_COUNT] = {
	"newNonce", "newAccount", "newOrder", "revokeCert", "keyChange", "renewalInfo"
};

static struct {
	struct acme_directory dir;
	char dir_url[LIMIT_URL];
	int dir_fetched;
} acme;

/* --- directory (7.1.1) --- */

/* Fetches it; one redirect within the same host is followed. */
static int
directory_get(void)
{
	struct slice location;
	char url[LIMIT_URL];
	struct http_url from, to;
	int redirect;

	if (talk_get(acme.dir_url, "directory", &redirect) < 0)
		return -1;
	if (!redirect)
		return 0;
	location = http_header(talk_reply(), "Location", 0);
	http_url(&from, slice(acme.dir_url));
	if (!location.p || http_resolve(acme.dir_url, location, url, sizeof(url)) < 0 ||
	    http_url(&to, slice(url)) < 0 || !http_same_origin(&from, &to))
		return -1;	/* the redirect is the problem */
	if (talk_get(url, "directory", &redirect) < 0)
		return -1;
	return redirect ? -1 : 0;
}

static int
read_directory(struct acme_directory *d)
{
	struct json_doc doc;
	struct json v, meta;
	int i;

	memset(d, 0, sizeof(*d));
	if (reply_object(&doc, &v, "directory") < 0)
		return -1;
	for (i = 0; i < EP_COUNT; i++)
		if (reply_url(json_get(v, acme_endpoint_name[i]), acme.dir_url,
		    d->url[i], LIMIT_URL) < 0)
			return -1;
	meta = json_get(v, "meta");
	json_string(json_get(meta, "termsOfService"), d->terms, sizeof(d->terms));
	reply_words(json_get(meta, "profiles"), d->profiles, sizeof(d->profiles));
	reply_words(json_get(meta, "caaIdentities"), d->caa, sizeof(d->caa));
	d->external_account_required = json_bool(json_get(meta, "externalAccountRequired"), 0);
	if (doc.err)
		return reply_bad(&doc, "directory");
	for (i = EP_NEW_NONCE; i <= EP_NEW_ORDER; i++)
		if (!d->url[i][0])
			return problem_set(ST_PROTO, "directory ", acme.dir_url, " lacks ",
			    acme_endpoint_name[i], (char *)0);
	return 0;
}

/* What was fetched is in use once it has been read to its end. */
static int
take_directory(void)
{
	struct acme_directory d;

	if (read_directory(&d) < 0)
		return -1;
	acme.dir = d;
	acme.dir_fetched = 1;
	return 0;
}

static int
directory_refresh(void)
{
	return directory_get() < 0 ? -1 : take_directory();
}

void
acme_timeout(unsigned seconds)
{
	talk_allow(seconds);
}

int
acme_open(const struct acme_config *config, const char *directory,
    const struct acme_directory *cached)
{
	struct http_url u;

	talk_open(config);
	talk_nonce_url(acme.dir.url[EP_NEW_NONCE]);
	acme.dir_fetched = 0;
	if (http_url(&u, slice(directory)) < 0 || !u.tls ||
	    slice_copy(slice(directory), acme.dir_url, sizeof(acme.dir_url)) < 0)
		return problem_set(ST_USAGE, "not an https URL: ", directory, (char *)0);
	if (cached) {
		acme.dir = *cached;
		return 0;
	}
	talk_enter();
	return talk_leave(directory_refresh());
}

void
acme_close(void)
{
	talk_close();
}

const struct acme_problem *
acme_why(void)
{
	return problem_last();
}

const struct acme_directory *
acme_directory(int *fetched)
{
	if (fetched)
		*fetched = acme.dir_fetched;
	return &acme.dir;
}

int
acme_refresh(void)
{
	talk_enter();
	return talk_leave(directory_refresh());
}

int
acme_to_endpoint(enum acme_kind kind, enum acme_endpoint ep, char *url)
{
	int again;

	for (again = 0;; again++) {
		if (!acme.dir.url[ep][0])
			return problem_set(ST_REFUSED, "this CA offers no ",
			    acme_endpoint_name[ep], (char *)0);
		slice_copy(slice(acme.dir.url[ep]), url, LIMIT_URL);
		if (talk_post((int)kind, url) == 0)
			return 0;
		if (problem_last()->http != 404 || problem_last()->type[0] || acme.dir_fetched || again)
			return -1;
		if (directory_refresh() < 0)
			return -1;
	}
}

/* --- accounts (7.1.2, 7.3) --- */

static int
read_account(struct acme_account *out, const char *base)
{
	struct json_doc doc;
	struct json v;

	if (reply_object(&doc, &v, "account") < 0)
		return -1;
	json_string(json_get(v, "status"), out->status, sizeof(out->status));
	reply_words(json_get(v, "contact"), out->contact, sizeof(out->contact));
	if (doc.err)
		return reply_bad(&doc, "account");
	return reply_url(json_get(v, "orders"), base, out->orders, sizeof(out->orders));
}

static int
new_account(struct acme_account *out)
{
	char url[LIMIT_URL];

	memset(out, 0, sizeof(*out));
	if (acme_to_endpoint(ACME_NEW_ACCOUNT, EP_NEW_ACCOUNT, url) < 0)
		return -1;
	out->created = talk_reply()->status == 201;
	if (reply_location(url, out->url, "new account") < 0)
		return -1;
	return read_account(out, url);
}

int
acme_new_account(struct acme_account *out)
{
	talk_enter();
	return talk_leave(new_account(out));
}

int
acme_account_post(enum acme_kind kind, const char *url, struct acme_account *out)
{
	int r;

	memset(out, 0, sizeof(*out));
	slice_copy(slice(url), out->url, sizeof(out->url));
	talk_enter();
	r = talk_post((int)kind, url);
	if (r == 0)
		r = read_account(out, url);
	return talk_leave(r);
}

int
acme_post(enum acme_kind kind, const char *url)
{
	talk_enter();
	return talk_leave(talk_post((int)kind, url));
}

int
acme_revoke(void)
{
	char url[LIMIT_URL];

	talk_enter();
	return talk_leave(acme_to_endpoint(ACME_REVOKE, EP_REVOKE, url));
}

/* --- renewal information (RFC 9773) --- */

static int
read_renewal(struct acme_renewal *out)
{
	char start[64], end[64];
	struct buf why = BUF(out->explanation);
	struct json_doc doc;
	struct json v, window;

	if (reply_object(&doc, &v, "renewal information") < 0)
		return -1;
	window = json_get(v, "suggestedWindow");
	json_string(json_get(window, "start"), start, sizeof(start));
	json_string(json_get(window, "end"), end, sizeof(end));
	/* shown only: an odd one is no reason to do without the window */
	json_text(json_get(v, "explanationURL"), &why);
	buf_text(&why);
	if (doc.err)
		return reply_bad(&doc, "renewal information");
	if (time_rfc3339(slice(start), &out->start) < 0 ||
	    time_rfc3339(slice(end), &out->end) < 0 || out->end <= out->start)
		return problem_set(ST_PROTO, "renewal information: no proper window", (char *)0);
	return 0;
}

static const char *
renewal_url(void *ctx, unsigned i)
{
	static char url[LIMIT_URL];
	const struct acme_renewal *list = ctx;
	struct buf b = BUF(url);

	buf_all(&b, acme.dir.url[EP_RENEWAL_INFO], "/", list[i].id, (char *)0);
	buf_text(&b);
	return b.err ? 0 : url;
}

/* What goes wrong with one is told, and is no matter for the others. */
static int
take_renewal(void *ctx, unsigned i, int result)
{
	struct acme_renewal *out = (struct acme_renewal *)ctx + i;
	const struct acme_problem *why = problem_last();

	out->retry_after = result == 0 ? talk_retry_after() : -1;
	if (result == 0 && talk_reply()->status / 100 == 2)
		result = read_renewal(out);
	else
		result = -1;	/* a redirect is a problem, too */
	if (result == 0) {
		out->status = ST_OK;
		return 0;
	}
	out->status = why->status;
	if (why->retry_at)
		out->retry_after = why->retry_at - now_wall();
	/* who does not answer one need not be asked for the others */
	if (why->status == ST_NET)
		return -1;
	talk_note(why->text, (char *)0);
	return 0;
}

int
acme_renewal_info(struct acme_renewal *list, unsigned count)
{
	struct talk_batch b = { TALK_GET, "renewal information", count, renewal_url, take_renewal, list };
	unsigned i;

	if (!acme.dir.url[EP_RENEWAL_INFO][0])
		return problem_set(ST_REFUSED, "this CA offers no ",
		    acme_endpoint_name[EP_RENEWAL_INFO], (char *)0);
	for (i = 0; i < count; i++) {
		list[i].status = ST_NET;
		list[i].retry_after = -1;
		list[i].explanation[0] = 0;
	}
	talk_enter();
	if (talk_batch(&b) < 0)
		talk_note(problem_last()->text, (char *)0);
	return talk_leave(0);
}
