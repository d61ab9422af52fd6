/* SPDX-License-Identifier: MIT
 *
 * The oracle of smallest.py: the processor's counter around calls of two functions. */
#include <Python.h>
#include <x86intrin.h>

static int by_number(const void *left, const void *right) {
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double ticks_of(PyObject *function, int *failed) {
    unsigned int core;
    _mm_lfence();
    const unsigned long long start = __rdtsc();
    PyObject *answer = PyObject_CallNoArgs(function);
    const unsigned long long end = __rdtscp(&core);
    *failed |= answer == NULL;
    Py_XDECREF(answer);
    return (double)(end - start);
}

/* cycles(short, long, repeats): the median of long's ticks less short's. */
static PyObject *cycles(PyObject *module, PyObject *arguments) {
    PyObject *shorter, *longer;
    int repeats, failed = 0;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "OOi", &shorter, &longer, &repeats)) {
        return NULL;
    }
    double *differences = PyMem_Calloc((size_t)repeats, sizeof *differences);
    if (differences == NULL) {
        return PyErr_NoMemory();
    }
    for (int i = 0; i < repeats && !failed; i++) {
        const double before = ticks_of(shorter, &failed);
        const double both = ticks_of(longer, &failed);
        differences[i] = both - (before + ticks_of(shorter, &failed)) / 2;
    }
    qsort(differences, (size_t)repeats, sizeof *differences, by_number);
    const double median = differences[repeats / 2];
    PyMem_Free(differences);
    return failed ? NULL : PyFloat_FromDouble(median);
}

static PyObject *ticks(PyObject *module, PyObject *none) {
    (void)module;
    (void)none;
    return PyLong_FromUnsignedLongLong(__rdtsc());
}

static PyMethodDef methods[] = {
    {"cycles", cycles, METH_VARARGS, NULL},
    {"ticks", ticks, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "cycles", .m_size = 0,
                                        .m_methods = methods};

PyMODINIT_FUNC PyInit_cycles(void);

PyMODINIT_FUNC PyInit_cycles(void) {
    return PyModule_Create(&definition);
}
