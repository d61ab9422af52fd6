/* SPDX-License-Identifier: MIT
 *
 * hasten._imports: imports that happen when what they import is used for the first time.
 *
 * In reading order: code.h (what an import statement stores, how a module uses its names),
 * hook.c (which statements may wait), modules.h (modules that are not loaded yet), machinery.c
 * (how the object that stands for such a module becomes the module), values.h (what stands for
 * `y` of `from x import y`), scope.c (what is to be lazy), timing.h (what imports cost).
 *
 * Everything belongs to one interpreter and is guarded by its GIL. No lock of ours is held
 * while code of the program runs: the import system's own locks order the threads. */
#ifndef HASTEN_EXT_IMPORTS_H
#define HASTEN_EXT_IMPORTS_H

#include "ext/common/pycompat.h"

struct code_info;
struct timing;

/* How many of the modules whose imports run are remembered as read. */
#define CODE_INFOS 8
/* `with imports():` in `with imports():` in ... */
#define MOST_SCOPES 32

/* A list of patterns, like "numpy" or "my*.views". */
struct patterns {
    char **texts;
    Py_ssize_t count;
};

/* The body of `with hasten.lazy.imports():` that runs. */
struct scope {
    PyObject *code;  /* a reference */
    int handler;     /* where exceptions of the body go: what tells it from others */
    PyObject *owner; /* who opened it: borrowed, for comparison */
};

struct imports {
    PyTypeObject *module_type;    /* a module that is not loaded */
    PyTypeObject *namespace_type; /* a module with names whose values are not loaded */
    PyTypeObject *value_type;     /* such a value */
    PyTypeObject *pending_type;
    PyTypeObject *source_type;   /* what `from x import` takes from meanwhile */
    PyObject *pending;           /* name -> what is known of a module that is not loaded */
    PyObject *import_before;     /* builtins.__import__ before ours; NULL: ours is not there */
    PyObject *lazy_import;       /* builtins.__lazy_import__, from 3.15 on; else NULL */
    PyObject *find_spec_before;  /* of importlib; NULL: ours is not there */
    PyObject *make_before;       /* its module_from_spec */
    PyObject *default_creations; /* create_module of loaders that leave that to importlib */
    bool import_before_is_builtin;
    bool is_beneath;    /* ours was put there and not taken away: what is there now may call it */
    bool is_everywhere; /* install() */
    struct patterns include, exclude;
    struct scope scopes[MOST_SCOPES];
    int scope_count;
    struct code_info *infos[CODE_INFOS];
    unsigned next_info;
    struct timing *timing;
};

/* The state, from a type of this module or one derived from it. */
struct imports *imports_of(PyTypeObject *type);

/* scope.c */
bool patterns_set(struct patterns *patterns, PyObject *list);
void patterns_clear(struct patterns *patterns);
/* Whether install()'s patterns let the module `name` wait. */
bool imports_may_wait(const struct imports *imports, PyObject *name);

/* hook.c: puts ours in the place of builtins.__import__ and takes it away; false with an
 * exception. */
bool hook_put(struct imports *imports, PyObject *module);
void hook_remove(struct imports *imports, PyObject *module);
PyObject *hook_import(PyObject *module, PyObject *const *arguments, Py_ssize_t count,
                      PyObject *keywords);
/* Imports `name` (absolute) as whoever had the hook before would; 0, or -1 with an exception. */
int hook_import_now(struct imports *imports, PyObject *name);
/* The same for `from name import names`: the module, a new reference. */
PyObject *hook_import_from_now(struct imports *imports, PyObject *name, PyObject *names);

/* machinery.c: the same for importlib's find_spec and module_from_spec, once and for good. */
bool machinery_put(struct imports *imports, PyObject *module);
PyObject *machinery_find_spec(PyObject *module, PyObject *const *arguments, Py_ssize_t count);
PyObject *machinery_make(PyObject *module, PyObject *spec);
/* The specification of a module whose parent, if any, is loaded: a new reference; None where
 * there is none. */
PyObject *machinery_look(struct imports *imports, PyObject *name);
/* Whether the object that stands for a module can become one of this specification. */
bool machinery_can_become(struct imports *imports, PyObject *spec);

#endif
