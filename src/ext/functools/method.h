/* SPDX-License-Identifier: MIT
 *
 * cached_method: a method whose results are kept with each instance, and go with it. The
 * descriptor finds the instance's own cached function, an attribute or in a slot as the
 * value of a cached_property is, and calls it. */
#ifndef HASTEN_EXT_FUNCTOOLS_METHOD_H
#define HASTEN_EXT_FUNCTOOLS_METHOD_H

#include "ext/functools/property.h"

struct hasten_py_method {
    struct hasten_py_property place; /* where an instance has its cached function */
    vectorcallfunc vectorcall;
    PyObject *make; /* makes a cached function of the method's */
};

extern PyType_Spec hasten_py_method_spec;

#endif
