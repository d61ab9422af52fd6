/* SPDX-License-Identifier: MIT
 *
 * The tables of a recording as tuples of rows. What a row counts is the core's
 * business (core/report/aggregate.h): nothing is added up here. */
#include "ext/recording/module.h"

#include "ext/common/row.h"

#define NS_PER_S 1e9

/* Names and paths come from another program: they need not be valid UTF-8. */
static PyObject *text(const char *bytes) {
    return PyUnicode_DecodeUTF8(bytes, (Py_ssize_t)strlen(bytes), "backslashreplace");
}

static PyObject *seconds(uint64_t nanoseconds) {
    return PyFloat_FromDouble((double)nanoseconds / NS_PER_S);
}

/* "3.12.1" of 0x030c01f0; with "a1", "b2" or "rc1" before the final release. */
static PyObject *version_text(uint32_t hex) {
    const unsigned level = hex >> 4 & 0xf;
    const char *stage = level == 0xa ? "a" : level == 0xb ? "b" : level == 0xc ? "rc" : "";
    if (stage[0] == '\0') {
        return PyUnicode_FromFormat("%u.%u.%u", hex >> 24, hex >> 16 & 0xff, hex >> 8 & 0xff);
    }
    return PyUnicode_FromFormat("%u.%u.%u%s%u", hex >> 24, hex >> 16 & 0xff, hex >> 8 & 0xff, stage,
                                hex & 0xf);
}

PyObject *hasten_py_facts(const struct hasten_profile *profile) {
    PyObject *facts = PyDict_New();
    for (size_t i = 0; facts != NULL && i < profile->fact_count; i++) {
        PyObject *name = text(profile->strings[profile->facts[i].name]);
        PyObject *value = text(profile->strings[profile->facts[i].value]);
        if (name == NULL || value == NULL || PyDict_SetItem(facts, name, value) < 0) {
            Py_CLEAR(facts);
        }
        Py_XDECREF(name);
        Py_XDECREF(value);
    }
    return facts;
}

PyObject *hasten_py_processes(const struct hasten_py_state *state,
                              const struct hasten_profile *profile) {
    PyObject *table = PyTuple_New((Py_ssize_t)profile->process_count);
    for (size_t i = 0; table != NULL && i < profile->process_count; i++) {
        const struct hasten_process *process = &profile->processes[i];
        PyObject *values[] = {
            PyLong_FromUnsignedLong(process->pid),
            PyLong_FromUnsignedLong(process->parent_pid),
            version_text(process->python_version),
            text(profile->strings[process->command]),
            text(profile->strings[process->executable]),
            text(profile->strings[process->label]),
            seconds(process->start_ns),
            seconds(process->end_ns),
        };
        PyObject *row = hasten_py_row(state->process_row, values, Py_ARRAY_LENGTH(values));
        if (row == NULL || PyTuple_SetItem(table, (Py_ssize_t)i, row) < 0) {
            Py_CLEAR(table);
        }
    }
    return table;
}

PyObject *hasten_py_threads(const struct hasten_py_state *state,
                            const struct hasten_profile *profile) {
    PyObject *table = PyTuple_New((Py_ssize_t)profile->thread_count);
    for (size_t i = 0; table != NULL && i < profile->thread_count; i++) {
        const struct hasten_thread *thread = &profile->threads[i];
        PyObject *values[] = {
            PyLong_FromUnsignedLong(thread->process),
            PyLong_FromUnsignedLong(thread->tid),
            text(profile->strings[thread->name]),
            PyBool_FromLong(thread->is_main != 0),
            seconds(thread->start_ns),
            seconds(thread->end_ns),
            PyLong_FromUnsignedLongLong(thread->samples),
        };
        PyObject *row = hasten_py_row(state->thread_row, values, Py_ARRAY_LENGTH(values));
        if (row == NULL || PyTuple_SetItem(table, (Py_ssize_t)i, row) < 0) {
            Py_CLEAR(table);
        }
    }
    return table;
}

/* A function's row, with calls, or a line's. */
static PyObject *amount_row(PyObject *type, const struct hasten_aggregate *aggregate,
                            const struct hasten_row *row, bool with_calls) {
    const struct hasten_profile *profile = aggregate->profile;
    const struct hasten_function *function = &profile->functions[row->function];
    const double all = (double)hasten_time_counted(&aggregate->sum);
    const double own = (double)hasten_time_counted(&row->self);
    const double total = (double)hasten_time_counted(&row->total);
    PyObject *values[] = {
        text(profile->strings[function->file]),
        PyLong_FromLong(row->line),
        text(profile->strings[function->qualname]),
        PyFloat_FromDouble(own / NS_PER_S),
        PyFloat_FromDouble(total / NS_PER_S),
        PyFloat_FromDouble(all > 0 ? own / all : 0),
        PyFloat_FromDouble(all > 0 ? total / all : 0),
        with_calls ? PyLong_FromLongLong(row->calls) : NULL,
        with_calls ? PyLong_FromLongLong(row->primitive_calls) : NULL,
    };
    return hasten_py_row(type, values, with_calls ? 9 : 7);
}

static PyObject *amount_table(PyObject *type, const struct hasten_aggregate *aggregate,
                              const struct hasten_row *rows, const uint32_t *order, size_t count,
                              bool with_calls) {
    PyObject *table = PyTuple_New((Py_ssize_t)count);
    for (size_t i = 0; table != NULL && i < count; i++) {
        PyObject *row = amount_row(type, aggregate, &rows[order[i]], with_calls);
        if (row == NULL || PyTuple_SetItem(table, (Py_ssize_t)i, row) < 0) {
            Py_CLEAR(table);
        }
    }
    return table;
}

PyObject *hasten_py_functions(const struct hasten_py_state *state,
                              const struct hasten_aggregate *aggregate) {
    return amount_table(state->function_row, aggregate, aggregate->functions,
                        aggregate->function_order, aggregate->function_order_count, true);
}

PyObject *hasten_py_lines(const struct hasten_py_state *state,
                          const struct hasten_aggregate *aggregate) {
    return amount_table(state->line_row, aggregate, aggregate->lines, aggregate->line_order,
                        aggregate->line_order_count, false);
}

static PyObject *frame_row(const struct hasten_py_state *state,
                           const struct hasten_profile *profile, const struct hasten_node *node) {
    const struct hasten_code *code = &profile->codes[node->code];
    const struct hasten_location location = hasten_code_location(code, node->instruction);
    PyObject *values[] = {
        text(profile->strings[code->file]),
        PyLong_FromLong(location.line),
        text(profile->strings[code->qualname]),
    };
    return hasten_py_row(state->frame_row, values, Py_ARRAY_LENGTH(values));
}

PyObject *hasten_py_stack(const struct hasten_py_state *state, const struct hasten_profile *profile,
                          uint32_t node) {
    /* Node 0 is the root, and parents come before their children. */
    Py_ssize_t depth = 0;
    for (uint32_t at = node; at != 0; at = profile->nodes[at].parent) {
        depth++;
    }
    PyObject *stack = PyTuple_New(depth);
    for (uint32_t at = node; stack != NULL && at != 0; at = profile->nodes[at].parent) {
        PyObject *row = frame_row(state, profile, &profile->nodes[at]);
        if (row == NULL || PyTuple_SetItem(stack, --depth, row) < 0) {
            Py_CLEAR(stack);
        }
    }
    return stack;
}
