/* SPDX-License-Identifier: MIT
 *
 * Which modules' code is of interest. */
#ifndef HASTEN_EXT_CPROFILE_FILTER_H
#define HASTEN_EXT_CPROFILE_FILTER_H

#include "ext/common/pycompat.h"

struct hasten_filter;

/* `include` and `exclude` are None or sequences of module names, each of which
 * stands for the module and all below it. NULL with an exception, or without one
 * where both are None and no filter is needed. */
struct hasten_filter *hasten_filter_new(PyObject *include, PyObject *exclude);
void hasten_filter_free(struct hasten_filter *filter);

/* Whether the code object, which is about to run or runs in the current frame, is
 * of interest. Decided at its first event, by the name of the module in the
 * frame's globals, and kept. */
bool hasten_filter_wants(struct hasten_filter *filter, PyObject *code);

#endif
