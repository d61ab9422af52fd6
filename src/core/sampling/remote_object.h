/* SPDX-License-Identifier: MIT
 *
 * Reads strings and bytes out of another interpreter's objects. Everything is
 * bounded and checked: the memory may have been freed and filled with anything. */
#ifndef HASTEN_SAMPLING_REMOTE_OBJECT_H
#define HASTEN_SAMPLING_REMOTE_OBJECT_H

#include "core/base/buffer.h"
#include "core/pyabi/interpreter.h"

/* Longest string read, in code points, and largest bytes object. A longer name
 * is cut; a longer line table is refused. */
#define HASTEN_REMOTE_TEXT_MAX 4096
#define HASTEN_REMOTE_BYTES_MAX (4u << 20)

/* Appends the str at `object` to `into` as UTF-8 (lone surrogates become U+FFFD,
 * NULs become spaces). GONE where it is not a plausible compact str. */
HASTEN_CHECKED hasten_status hasten_remote_text(const struct hasten_interpreter *interpreter,
                                                hasten_raddr object, struct hasten_buffer *into);

/* Appends the contents of the bytes object at `object` to `into`. */
HASTEN_CHECKED hasten_status hasten_remote_bytes(const struct hasten_interpreter *interpreter,
                                                 hasten_raddr object, struct hasten_buffer *into);

#endif
