/*
 * idn.h - internationalised names: U-labels turned into A-labels (RFC 5890,
 * RFC 3492).  Pure.
 */
#ifndef IDN_H
#define IDN_H

#include "buf.h"

/*
 * Appends name, in UTF-8, to out: labels that are ASCII as they are, each other
 * one in lower case as its A-label (xn--...).  0, or what is wrong as a static
 * text: letters of scripts that are not known here, and all that would need
 * composing or mapping beyond lower case, are refused.  Does not check what
 * every name must keep to; out.err if it does not fit.
 */
const char *idn_ascii(const char *name, struct buf *out);

#endif
