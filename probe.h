/*
 * probe.h - zone.h, asked by a process of its own (split.h): what name servers
 * answer is not read by the one that has the keys.
 */
#ifndef PROBE_H
#define PROBE_H

#include "buf.h"

struct zone_want;

/* What a probe does: for split_start(). */
void probe_serve(int channel);

/* As zone_wait(); a probe that dies is warned of, and is no failure. */
int probe_wait(const struct zone_want *want, unsigned count, int family, unsigned seconds);
/* As zone_txt(). */
int probe_txt(const char *name, int family, int64_t deadline,
    void (*each)(void *ctx, struct slice value), void *ctx);

#endif
