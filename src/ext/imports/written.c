/* SPDX-License-Identifier: MIT
 *
 * The file of a process's imports: docs/formats/imports.md. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "ext/imports/graph.h"
#include "ext/imports/timing.h"

/* Tabs and line ends would be taken for the file's own. */
static void put_name(FILE *file, PyObject *name) {
    const char *text = name == NULL ? "" : PyUnicode_AsUTF8(name);
    PyErr_Clear();
    for (; text != NULL && *text != '\0'; text++) {
        fputc((unsigned char)*text < ' ' ? '?' : *text, file);
    }
}

static void put_loads(FILE *file, const struct timing *timing) {
    for (Py_ssize_t i = 0; i < timing->count; i++) {
        const struct load *load = &timing->loads[i];
        const int flags = (load->is_needed || !timing->knows_use) | load->has_failed << 1;
        fprintf(file, "load\t%zd\t%lld\t%lld\t%lld\t%d\t", load->parent, (long long)load->start_ns,
                (long long)(load->is_over ? load->duration_ns : 0),
                (long long)(load->is_over ? load->resident_after - load->resident_before : 0),
                flags);
        put_name(file, load->name);
        fputc('\t', file);
        put_name(file, load->importer);
        fputc('\n', file);
    }
}

/* Beside, then over: nobody reads half a file. Answers 0 or an errno. */
static int write_file(const struct timing *timing, const char *path, int64_t duration_ns) {
    char beside[4096];
    if (snprintf(beside, sizeof beside, "%s.new", path) >= (int)sizeof beside) {
        return ENAMETOOLONG;
    }
    FILE *file = fopen(beside, "we");
    if (file == NULL) {
        return errno;
    }
    fprintf(file, "hasten imports 1\nprocess\t%lld\t%d\t%s\n", (long long)duration_ns,
            timing->knows_use, PY_VERSION);
    put_loads(file, timing);
    fputs("end\n", file);
    const bool is_written = ferror(file) == 0;
    const int reason = fclose(file) != 0 ? errno : is_written ? 0 : EIO;
    if (reason != 0 || rename(beside, path) != 0) {
        const int said = reason != 0 ? reason : errno;
        unlink(beside);
        return said;
    }
    return 0;
}

PyObject *timing_write(PyObject *module, PyObject *path) {
    struct imports *imports = PyModule_GetState(module);
    struct timing *timing = imports->timing;
    const int64_t now_ns = (int64_t)hasten_clock_monotonic_ns();
    if (timing == NULL || !PyUnicode_Check(path)) {
        PyErr_SetString(PyExc_RuntimeError, "nothing is recorded");
        return NULL;
    }
    timing->is_closed = true;
    PyObject *name = PyUnicode_EncodeFSDefault(path);
    if (name == NULL || !graph_judge(timing)) {
        Py_XDECREF(name);
        return NULL;
    }
    const int reason = write_file(timing, PyBytes_AS_STRING(name),
                                  now_ns - timing->start_ns - timing->overhead_ns);
    Py_DECREF(name);
    if (reason != 0) {
        errno = reason;
        return PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, path);
    }
    Py_RETURN_NONE;
}
