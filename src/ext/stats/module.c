/* SPDX-License-Identifier: MIT
 *
 * hasten._stats: the module. */
#include "ext/stats/stats.h"

PyDoc_STRVAR(summarize_doc,
             "summarize($module, values, /)\n--\n\n"
             "What a sequence of numbers looks like: order, quartiles, the median with its\n"
             "95 % interval, outliers.");
PyDoc_STRVAR(find_class_doc,
             "find_class($module, text, /)\n--\n\n"
             "(rank, name) of a class of growth, such as (3, 'O(n log n)') of 'n log n';\n"
             "None where it is none of those known.");

PyDoc_STRVAR(turns_ratio_doc,
             "turns_ratio($module, a, b, clean, /)\n--\n\n"
             "log(B / A) of blocks that a pair of processes ran in turns, A B and B A; `clean`\n"
             "is 1 for each pair of blocks that nothing interrupted.");
PyDoc_STRVAR(paired_ratio_doc,
             "paired_ratio($module, log_ratios, alpha=0.05, /)\n--\n\n"
             "(ratio, low, high, p): B / A of estimates of its logarithm, and how likely sides\n"
             "that are equal look as different. Too few give an interval from 0 to infinity.");
PyDoc_STRVAR(holm_doc, "holm($module, p, alpha=0.05, /)\n--\n\n"
                       "Which of several comparisons with these p count as different.");

static PyMethodDef module_methods[] = {
    {"summarize", hasten_stats_summarize, METH_O, summarize_doc},
    {"find_class", hasten_stats_find_class, METH_O, find_class_doc},
    {"turns_ratio", hasten_stats_turns_ratio, METH_VARARGS, turns_ratio_doc},
    {"paired_ratio", hasten_stats_paired_ratio, METH_VARARGS, paired_ratio_doc},
    {"holm", hasten_stats_holm, METH_VARARGS, holm_doc},
    {NULL, NULL, 0, NULL},
};

static int module_exec(PyObject *module) {
    PyObject *type = PyType_FromModuleAndSpec(module, &hasten_stats_scaling_spec, NULL);
    if (type == NULL) {
        return -1;
    }
    const int added = PyModule_AddType(module, (PyTypeObject *)type);
    Py_DECREF(type);
    return added;
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
    HASTEN_PY_ISOLATED_SLOTS{0, NULL},
};

static struct PyModuleDef module_definition = {
    PyModuleDef_HEAD_INIT, .m_name = "hasten._stats",   .m_doc = "Statistics of measurements.",
    .m_size = 0,           .m_methods = module_methods, .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit__stats(void);

PyMODINIT_FUNC PyInit__stats(void) {
    return PyModuleDef_Init(&module_definition);
}
