/* SPDX-License-Identifier: MIT
 *
 * Modules that are imported but not loaded.
 *
 * What an `import x` that waits stores is a module object that is empty but for its name, of a
 * type derived from that of modules, and in `imports->pending` is what is known of it. Asked
 * for an attribute, the object imports x. machinery.c sees to it that the module which the
 * import system makes is this very object: whoever has it has x, and it takes on the type of
 * ordinary modules, so that nothing is left that costs. Where the object cannot become the
 * module (a loader makes modules of its own) it stands for it, and the names that it was stored
 * under get the module itself. */
#ifndef HASTEN_EXT_IMPORTS_MODULES_H
#define HASTEN_EXT_IMPORTS_MODULES_H

#include "ext/imports/imports.h"

struct pending {
    PyObject_HEAD PyObject *name;
    PyObject *module;    /* the object that waits */
    PyObject *spec;      /* what was found when it was imported; NULL: not looked yet */
    PyObject *bindings;  /* list of (namespace, name) that have the object */
    PyObject *children;  /* set of submodules that are imported too when it is; or NULL */
    PyObject *file;      /* where it was imported first */
    unsigned long owner; /* the thread that loads it */
    int line;
    bool is_loading;
};

extern PyType_Spec modules_pending_spec;

/* What sys.modules has: a new reference, NULL where it is not there, or with an exception. It
 * may still be being loaded; nobody is waited for. */
PyObject *modules_loaded(PyObject *name);
/* Borrowed; NULL without an exception where the name is of no waiting module. */
struct pending *modules_find(const struct imports *imports, PyObject *name);
/* The same, made where it is not there; `spec` may be NULL. A new reference, NULL with an
 * exception. */
struct pending *modules_wait(struct imports *imports, PyObject *name, PyObject *spec,
                             PyObject *file, int line);
/* The module whose object waits will be `namespace[name]`. */
int modules_bind(struct pending *pending, PyObject *namespace, PyObject *name);
int modules_add_child(struct pending *pending, PyObject *name);
/* Imports it now: a new reference to the module, NULL with an exception. */
PyObject *modules_load(struct imports *imports, struct pending *pending);
/* The object that a `import a.b.c` has to store, or with `leaf` that of a.b.c, for later; NULL
 * with an exception, or without where the import should happen now. `*ret_pending` gets a new
 * reference where it waits. */
PyObject *modules_later(struct imports *imports, PyObject *name, bool leaf, PyObject *file,
                        int line, struct pending **ret_pending);
/* The first part of a.b.c, a new reference. */
PyObject *modules_top(PyObject *name);
/* Adds to the current exception where the import stands that only happens now. */
void modules_note(PyObject *name, PyObject *file, int line);

#endif
