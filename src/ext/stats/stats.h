/* SPDX-License-Identifier: MIT
 *
 * hasten._stats: what the core knows about measurements, for Python. The type of
 * scalings is in growth.c, functions of sets of numbers in numbers.c. */
#ifndef HASTEN_EXT_STATS_H
#define HASTEN_EXT_STATS_H

#include "ext/common/pycompat.h"

extern PyType_Spec hasten_stats_scaling_spec;

/* {"time_class": ...} and the like are built of such pairs: releases `value`; false with
 * an exception where it is NULL or cannot be added. */
bool hasten_stats_put(PyObject *dict, const char *key, PyObject *value);

PyObject *hasten_stats_summarize(PyObject *module, PyObject *values);
PyObject *hasten_stats_find_class(PyObject *module, PyObject *text);

#endif
