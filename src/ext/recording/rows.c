/* SPDX-License-Identifier: MIT
 *
 * The types of the rows of a recording's tables: named tuples that C fills. */
#include "ext/recording/module.h"

#include "ext/common/row.h"

static PyStructSequence_Field process_fields[] = {
    {"pid", "Process identifier."},
    {"parent_pid", "The parent's."},
    {"python_version", "Of the interpreter, such as '3.12.1'."},
    {"command", "The command line, quoted for a shell."},
    {"executable", "The file that ran."},
    {"label", "How it started: 'main', 'fork', 'spawn' or 'exec: ...'."},
    {"start_s", "Seconds since the recording's start."},
    {"end_s", "Seconds since the recording's start."},
    {NULL, NULL},
};

static PyStructSequence_Field thread_fields[] = {
    {"process", "Index into Recording.processes."},
    {"tid", "The kernel's identifier."},
    {"name", "The thread's name, '' where it had none."},
    {"is_main", "Whether it is its process's main thread."},
    {"start_s", "When it was first seen."},
    {"end_s", "When it was last seen."},
    {"samples", "How many samples it got."},
    {NULL, NULL},
};

/* Of functions and, without calls, of lines. */
#define AMOUNT_FIELDS                                                                            \
    {"file", "Path of the source file."}, {"line", "Counted from 1, 0 where unknown."},          \
        {"name", "Qualified name of the function."}, {"self_s", "Seconds in this code itself."}, \
        {"total_s", "Seconds in this code and what it called."},                                 \
        {"self_share", "self_s as a share of all time, 0 to 1."},                                \
        {"total_share", "total_s as a share of all time, 0 to 1."},

static PyStructSequence_Field function_fields[] = {
    AMOUNT_FIELDS{"calls", "How often it was called, 0 where that was not counted."},
    {"primitive_calls", "Of these, those made while no other call of it was active."},
    {NULL, NULL},
};

static PyStructSequence_Field line_fields[] = {AMOUNT_FIELDS{NULL, NULL}};

static PyStructSequence_Field call_fields[] = {
    {"caller", "The function that called, a row of Recording.functions."},
    {"callee", "The function that was called, likewise."},
    {"calls", "How often, 0 where that was not counted."},
    {"primitive_calls",
     "Of these, those made while no other from the one to the other was active."},
    {"self_s", "Seconds in the callee itself when called from there."},
    {"total_s", "Seconds in the callee and what it called, likewise."},
    {NULL, NULL},
};

static PyStructSequence_Field frame_fields[] = {
    {"file", "Path of the source file."},
    {"line", "The line that ran, 0 where unknown."},
    {"name", "Qualified name of the function."},
    {NULL, NULL},
};

static PyStructSequence_Field sample_fields[] = {
    {"slot", "When, in sampling intervals since the recording's start."},
    {"weight", "How many intervals the sample stands for."},
    {"thread", "Index into Recording.threads."},
    {"stack", "Argument of Recording.stack()."},
    {"state", "What the thread did, such as 'running_gil' or 'wait_lock'."},
    {"gc", "Whether the collector was running."},
    {"native", "Whether a C function was running."},
    {NULL, NULL},
};

static PyStructSequence_Desc process_description = {"hasten.Process", "A process of a recording.",
                                                    process_fields, 8};
static PyStructSequence_Desc thread_description = {"hasten.Thread", "A thread of a recording.",
                                                   thread_fields, 7};
static PyStructSequence_Desc function_description = {
    "hasten.Function", "A function and the time spent in it.", function_fields, 9};
static PyStructSequence_Desc line_description = {
    "hasten.Line", "A source line and the time spent in it.", line_fields, 7};
static PyStructSequence_Desc call_description = {
    "hasten.Call", "What one function called another for.", call_fields, 6};
static PyStructSequence_Desc frame_description = {"hasten.Frame", "One frame of a stack.",
                                                  frame_fields, 3};
static PyStructSequence_Desc sample_description = {"hasten.Sample", "One look at one thread.",
                                                   sample_fields, 7};

static int add_row(PyObject *module, PyStructSequence_Desc *description, PyObject **place) {
    *place = (PyObject *)hasten_py_row_type(module, description);
    return *place == NULL ? -1 : 0;
}

int hasten_py_rows_add_types(PyObject *module, struct hasten_py_state *state) {
    if (add_row(module, &process_description, &state->process_row) < 0 ||
        add_row(module, &thread_description, &state->thread_row) < 0 ||
        add_row(module, &function_description, &state->function_row) < 0 ||
        add_row(module, &call_description, &state->call_row) < 0 ||
        add_row(module, &line_description, &state->line_row) < 0 ||
        add_row(module, &frame_description, &state->frame_row) < 0 ||
        add_row(module, &sample_description, &state->sample_row) < 0) {
        return -1;
    }
    return 0;
}
