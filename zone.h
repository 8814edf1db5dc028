/*
 * zone.h - what the DNS says of a name: the TXT values that the world sees,
 * and the wait for dns-01 until every authoritative server of the zone has
 * what a hook has set up.  Uses the system's resolvers to find those.
 */
#ifndef ZONE_H
#define ZONE_H

#include "buf.h"

/*
 * Calls each() for every TXT value of name, the strings of a record joined, as
 * the system's resolvers answer (CNAMEs are theirs to follow).  family: 0, 4
 * or 6.  The number of values, 0 if there is no such name; -1: no resolver
 * answered until the deadline (now_ms() scale), or a stop signal came.
 */
typedef void zone_value(void *ctx, struct slice value);
int zone_txt(const char *name, int family, int64_t deadline, zone_value *each, void *ctx);

/* A TXT record that is to be seen: its owner without a final dot, and its value. */
struct zone_want {
	const char *record, *value;
};
/*
 * Waits until every authoritative server has every value, at most that many
 * seconds; progress() tells.  Where that cannot be found out, or time is up, a
 * warning is printed that says which server lacks what: the CA decides.
 * 0; -1: a stop signal came.
 */
int zone_wait(const struct zone_want *want, unsigned count, int family, unsigned seconds);

#endif
