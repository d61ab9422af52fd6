/* SPDX-License-Identifier: MIT
 *
 * The mapping of hasten.functools.Cache: a store whose keys and values the program gives,
 * with the methods of a mapping that are not made of others. */
#ifndef HASTEN_EXT_FUNCTOOLS_MAPPING_H
#define HASTEN_EXT_FUNCTOOLS_MAPPING_H

#include "ext/functools/store.h"

extern PyType_Spec hasten_py_mapping_spec;

#endif
