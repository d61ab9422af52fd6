/* SPDX-License-Identifier: MIT
 *
 * Patterns of module names: what install() lets wait. */
#include <fnmatch.h>
#include <string.h>

#include "ext/imports/imports.h"

void patterns_clear(struct patterns *patterns) {
    for (Py_ssize_t i = 0; i < patterns->count; i++) {
        PyMem_Free(patterns->texts[i]);
    }
    PyMem_Free(patterns->texts);
    *patterns = (struct patterns){0};
}

static char *copy(PyObject *text) {
    Py_ssize_t size = 0;
    const char *from = PyUnicode_AsUTF8AndSize(text, &size);
    char *to = from == NULL ? NULL : PyMem_Malloc((size_t)size + 1);
    if (to != NULL) {
        memcpy(to, from, (size_t)size + 1);
    } else if (from != NULL) {
        PyErr_NoMemory();
    }
    return to;
}

bool patterns_set(struct patterns *patterns, PyObject *list) {
    struct patterns made = {0};
    const Py_ssize_t count = PySequence_Fast_GET_SIZE(list);
    made.texts = PyMem_Calloc((size_t)count + 1, sizeof *made.texts);
    if (made.texts == NULL) {
        PyErr_NoMemory();
        return false;
    }
    for (; made.count < count; made.count++) {
        made.texts[made.count] = copy(PySequence_Fast_GET_ITEM(list, made.count));
        if (made.texts[made.count] == NULL) {
            patterns_clear(&made);
            return false;
        }
    }
    patterns_clear(patterns);
    *patterns = made;
    return true;
}

/* A pattern is for a module and all within it. */
static bool is_matched(const char *pattern, const char *name) {
    const size_t size = strlen(pattern);
    return fnmatch(pattern, name, 0) == 0 ||
           (strncmp(pattern, name, size) == 0 && name[size] == '.');
}

static bool is_any_matched(const struct patterns *patterns, const char *name) {
    for (Py_ssize_t i = 0; i < patterns->count; i++) {
        if (is_matched(patterns->texts[i], name)) {
            return true;
        }
    }
    return false;
}

bool imports_may_wait(const struct imports *imports, PyObject *name) {
    const char *text = PyUnicode_AsUTF8(name);
    if (text == NULL) {
        PyErr_Clear();
        return false;
    }
    return (imports->include.count == 0 || is_any_matched(&imports->include, text)) &&
           !is_any_matched(&imports->exclude, text);
}
