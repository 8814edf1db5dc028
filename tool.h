/*
 * tool.h - the small tools for shell: commands that do one thing and print it.
 */
#ifndef TOOL_H
#define TOOL_H

#include "buf.h"

/*
 * acme dns TYPE NAME [SERVER]: prints the records of that type, one a line.
 * server: an address or host name, with or without ":PORT" ("[::1]:5353"); 0:
 * the system's resolvers.  ST_OK; else, printed: ST_REFUSED, there are none;
 * ST_NET, no answer; ST_USAGE.
 */
int tool_dns(const char *type, const char *name, const char *server, int family, unsigned timeout);

#endif
