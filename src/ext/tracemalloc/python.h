/* SPDX-License-Identifier: MIT
 *
 * Python, with the frames of the running program. What is in this folder includes it
 * before anything else of Python. */
#ifndef HASTEN_EXT_TRACEMALLOC_PYTHON_H
#define HASTEN_EXT_TRACEMALLOC_PYTHON_H

#define HASTEN_PY_WANTS_FRAMES
#include "ext/common/pycompat.h"

#endif
