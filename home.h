/*
 * home.h - judging a directory before it becomes the state directory: who
 * may write it, whether another client lives there, and whether its file
 * system has what store.c relies on.
 */
#ifndef HOME_H
#define HOME_H

#include "buf.h"

/* Makes the directory of that absolute path, and what is missing above it, all 0700; 0 or -1. */
int home_make(const char *path);

/* 0, or what is wrong with its owner and mode, and what to do: a static text. */
const char *home_untrusted(int dir);

/* The client whose layout this directory has ("certbot"), or 0. */
const char *home_foreign(int dir);

/*
 * Tries symlinks, modes and flock in a directory .probe, which is removed.
 * 0, or -1: *missing is what the file system lacks, or 0 with errno for a failure.
 */
int home_probe(int dir, const char **missing);

#endif
