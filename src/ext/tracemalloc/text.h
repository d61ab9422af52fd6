/* SPDX-License-Identifier: MIT
 *
 * Python strings as bytes and back: UTF-8 in which surrogates are coded as if they
 * were characters, so that every string has exactly one code. */
#ifndef HASTEN_EXT_TRACEMALLOC_TEXT_H
#define HASTEN_EXT_TRACEMALLOC_TEXT_H

#include "ext/common/pycompat.h"

#include "core/base/buffer.h"

/* Calls nothing of CPython and needs no GIL. -1: no memory, or no string. */
int hasten_py_text_append(struct hasten_buffer *buffer, PyObject *text);
PyObject *hasten_py_text_new(const char *bytes, size_t size);

#endif
