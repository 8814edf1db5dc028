/*
 * converse.h - the talker's end of the calls of talker.h.
 */
#ifndef CONVERSE_H
#define CONVERSE_H

#include "buf.h"

/* What a talker does, from its start to its end: for split_start(). */
void converse(int channel);

#endif
