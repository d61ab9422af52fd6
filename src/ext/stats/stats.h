/* SPDX-License-Identifier: MIT
 *
 * hasten._stats: what the core knows about measurements, for Python. The type of
 * scalings is in growth.c, functions of sets of numbers in numbers.c, of two sides in
 * compared.c. */
#ifndef HASTEN_EXT_STATS_H
#define HASTEN_EXT_STATS_H

#include "ext/common/pycompat.h"

extern PyType_Spec hasten_stats_scaling_spec;

/* {"time_class": ...} and the like are built of such pairs: releases `value`; false with
 * an exception where it is NULL or cannot be added. */
bool hasten_stats_put(PyObject *dict, const char *key, PyObject *value);

/* The numbers as doubles, as much room again behind them; NULL with an exception. To be
 * released with PyMem_Free. */
double *hasten_stats_take(PyObject *values, size_t *ret_count);

PyObject *hasten_stats_summarize(PyObject *module, PyObject *values);
PyObject *hasten_stats_find_class(PyObject *module, PyObject *text);
PyObject *hasten_stats_turns_ratio(PyObject *module, PyObject *arguments);
PyObject *hasten_stats_paired_ratio(PyObject *module, PyObject *arguments);
PyObject *hasten_stats_holm(PyObject *module, PyObject *arguments);

#endif
