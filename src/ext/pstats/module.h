/* SPDX-License-Identifier: MIT
 *
 * What the files of hasten._pstats share. Functions that take a table want its
 * object locked; those that return an object return a new reference, or NULL with
 * an exception set. */
#ifndef HASTEN_EXT_PSTATS_MODULE_H
#define HASTEN_EXT_PSTATS_MODULE_H

#include "ext/common/pycompat.h"

#include "core/pstats/table.h"

/* Rows of a table, in an order that came from Python and was checked. */
struct hasten_py_order {
    uint32_t *rows;
    size_t count;
};

extern PyType_Spec hasten_py_stats_table_spec;

/* The core's part of a Table. */
struct hasten_pstats *hasten_py_table_core(PyObject *self);
/* A method's work, done with the object locked. */
typedef PyObject *(*hasten_py_table_work)(struct hasten_pstats *table, void *argument);
PyObject *hasten_py_locked(PyObject *self, hasten_py_table_work work, void *argument);

/* None where `status` says that the table cannot hold it, else an exception. */
PyObject *hasten_py_none_or_raise(hasten_status status, const struct hasten_error *error);

/* Methods that add to a table. */
PyObject *hasten_py_table_load(PyObject *self, PyObject *args);
PyObject *hasten_py_table_load_recording(PyObject *self, PyObject *args);
PyObject *hasten_py_table_add_dict(PyObject *self, PyObject *args);
PyObject *hasten_py_table_add_table(PyObject *self, PyObject *other);

/* `rows` is an iterable of row numbers. Returns 0, or -1 with an exception set. */
int hasten_py_order_init(struct hasten_py_order *order, const struct hasten_pstats *table,
                         PyObject *rows);
void hasten_py_order_done(struct hasten_py_order *order);

/* Stages a dict as `pstats` has it. Returns 1, 0 where a table cannot hold what is
 * in it, or -1 with an exception set. */
int hasten_py_stage_dict(struct hasten_pstats *table, PyObject *stats);
/* The number of a function that is a tuple of file, line and name: 1, 0 or -1. */
int hasten_py_function_number(struct hasten_pstats *table, PyObject *function,
                              uint32_t *ret_number);

/* The table as the dicts and lists that the standard module has. */
PyObject *hasten_py_stats_dict(const struct hasten_pstats *table);
PyObject *hasten_py_callees_dict(const struct hasten_pstats *table);
PyObject *hasten_py_function_list(const struct hasten_pstats *table,
                                  const struct hasten_py_order *order);
PyObject *hasten_py_root_list(const struct hasten_pstats *table);

/* Lists of lines as the standard module prints them, and of standard names. */
PyObject *hasten_py_name_list(const struct hasten_pstats *table,
                              const struct hasten_py_order *order);
PyObject *hasten_py_row_lines(const struct hasten_pstats *table,
                              const struct hasten_py_order *order);
/* None where a caller has no row that its time could be taken from. */
PyObject *hasten_py_caller_lines(const struct hasten_pstats *table,
                                 const struct hasten_py_order *order, size_t width);
PyObject *hasten_py_callee_lines(const struct hasten_pstats *table,
                                 const struct hasten_py_order *order, size_t width);

#endif
