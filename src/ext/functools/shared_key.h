/* SPDX-License-Identifier: MIT
 *
 * Arguments and results as another process sees them: what a call's arguments are in the
 * name of a key, and which results survive being written as JSON or msgpack.
 *
 * The form of arguments, so that different ones never look the same and equal ones always
 * do: a letter for the type, then a number with a full stop at its end, or a length, a
 * colon and the bytes, or what it contains up to a closing bracket.
 *
 *   n None            i<decimal>.   integers        s<length>:<UTF-8>   text
 *   ( tuple )         x<hex>.       larger ones     b<length>:<bytes>   bytes
 *   { frozenset }     f<hex>.       other numbers   k<length>:<name>    before a keyword's value
 *
 * True and 1.0 are 1, as they are to a dict; with types told apart, t and F say so. */
#ifndef HASTEN_EXT_FUNCTOOLS_SHARED_KEY_H
#define HASTEN_EXT_FUNCTOOLS_SHARED_KEY_H

#include "ext/common/pycompat.h"

/* Functions of the module, up to an entry without a name. */
extern PyMethodDef hasten_py_shared_methods[];

#endif
