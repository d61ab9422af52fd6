/* SPDX-License-Identifier: MIT
 *
 * hasten.lazy.resource: a lazy object that is opened when it is first used and can be
 * closed: a connection, a file. A child of fork() never has its parent's: at its start all
 * that is open is set aside (hasten_py_resources_forked), neither used nor closed nor
 * dropped there, for the parent goes on using it; and the child opens its own. */
#ifndef HASTEN_EXT_LAZY_RESOURCE_H
#define HASTEN_EXT_LAZY_RESOURCE_H

#include "ext/lazy/proxy.h"

struct hasten_py_resource;

/* All resources of an interpreter. It lives as long as one of them or the module. */
struct hasten_py_resources {
    size_t holders;
    struct hasten_py_resource *first;
    PyThread_type_lock lock; /* NULL where a GIL guards */
};

struct hasten_py_resource {
    struct hasten_py_proxy proxy;
    PyObject *closer;    /* is called with what is open; NULL: its own method */
    PyObject *abandon;   /* is called with what a parent process has open, or NULL */
    PyObject *inherited; /* that; its reference is never given up */
    struct hasten_py_resources *all;
    struct hasten_py_resource *previous;
    struct hasten_py_resource *next;
    bool reopens;
    bool is_over; /* closed, and not to be opened again */
};

extern PyType_Spec hasten_py_resource_spec;

/* NULL with an exception set. */
struct hasten_py_resources *hasten_py_resources_new(void);
void hasten_py_resources_drop(struct hasten_py_resources *all);
void hasten_py_resources_forked(struct hasten_py_resources *all);

/* Before one is opened: 0, or -1 with an exception set. */
int hasten_py_resource_may_open(PyObject *self);

#endif
