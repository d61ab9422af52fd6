/* SPDX-License-Identifier: MIT
 *
 * Which of the modules that a program loaded it needed.
 *
 * A module is needed when a needed one uses it; the program's own, and those whose loading was
 * not recorded, are. Evidence is on the safe side. A module uses what it imports when code of it
 * that ran names the variable, or when any code that ran asks something for an attribute of that
 * name; when the statement is within a function that ran; and when it imported otherwise than by
 * a statement. A module whose functions ran when it was loaded already is needed, whoever called
 * them. */
#ifndef HASTEN_EXT_IMPORTS_GRAPH_H
#define HASTEN_EXT_IMPORTS_GRAPH_H

#include "ext/imports/timing.h"

/* A module was loaded: remembers what of its code ran by then. */
void graph_loaded(struct timing *timing, PyObject *name);
/* Sets is_needed of all loads. False with an exception. */
bool graph_judge(struct timing *timing);

#endif
