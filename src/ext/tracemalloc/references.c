/* SPDX-License-Identifier: MIT
 *
 * The interpreter tells one function. Whoever had set one goes on being told. */
#include "ext/tracemalloc/references.h"

#include "ext/tracemalloc/tracer.h"

#ifdef HASTEN_PY_HAS_REF_TRACER

static PyRefTracer other_tracer;
static void *other_data;

static int on_event(PyObject *object, PyRefTracerEvent event, void *Py_UNUSED(data)) {
    if (event == PyRefTracer_CREATE) {
        hasten_hooks_created(object);
    }
    return other_tracer == NULL || event > PyRefTracer_DESTROY
               ? 0
               : other_tracer(object, event, other_data);
}

void hasten_references_watch(void) {
    void *data = NULL;
    PyRefTracer tracer = PyRefTracer_GetTracer(&data);
    if (tracer != on_event) {
        other_tracer = tracer;
        other_data = data;
        (void)PyRefTracer_SetTracer(on_event, NULL);
    }
}

void hasten_references_unwatch(void) {
    void *data = NULL;
    if (PyRefTracer_GetTracer(&data) == on_event) {
        (void)PyRefTracer_SetTracer(other_tracer, other_data);
    }
}

#else

void hasten_references_watch(void) {
}

void hasten_references_unwatch(void) {
}

#endif
