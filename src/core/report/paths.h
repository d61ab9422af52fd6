/* SPDX-License-Identifier: MIT
 *
 * File names of code objects: whose code it is, and a short way to write it.
 * Works on the text alone; opens nothing. */
#ifndef HASTEN_REPORT_PATHS_H
#define HASTEN_REPORT_PATHS_H

#include "core/base/buffer.h"

enum hasten_origin {
    HASTEN_ORIGIN_OWN,      /* the program's own, `-c` and standard input included */
    HASTEN_ORIGIN_LIBRARY,  /* the standard library, frozen or not */
    HASTEN_ORIGIN_PACKAGE,  /* an installed package */
    HASTEN_ORIGIN_GENERATED /* made at run time by a library */
};

enum hasten_origin hasten_path_origin(const char *file);

/* Appends "<stdlib>/json/decoder.py" (frozen modules too), "site-packages/flask/app.py", the path
 * relative to `directory` (may be NULL) where it is below it, else the path as it
 * is. Not yet safe for a terminal. */
void hasten_path_shorten(struct hasten_buffer *out, const char *file, const char *directory);

#endif
