/* SPDX-License-Identifier: MIT
 *
 * What time it is for values that have an end: by the program's clock, or by the system's,
 * read as cheaply as the times at hand allow.
 *
 *   a tenth of a second and more   the kernel's coarse clock, which steps by up to 10 ms
 *   less                           the kernel's exact clock, read again when the processor's
 *                                  counter says that a small share of the time has passed;
 *                                  each time where there is no such counter */
#ifndef HASTEN_EXT_FUNCTOOLS_CLOCK_H
#define HASTEN_EXT_FUNCTOOLS_CLOCK_H

#include "ext/common/pycompat.h"

#include "core/tracing/ticks.h"

struct hasten_py_clock {
    PyObject *function; /* the program's, owned; NULL: the system's */
    bool is_coarse;
    int64_t step_ticks; /* for so long the time that was read counts; 0: not at all */
    int64_t read_ticks; /* when it was read */
    int64_t read_ns;
};

/* Of a time that is not negative; as many as there can be where it is longer than that. */
int64_t hasten_py_nanoseconds(double seconds);
/* Takes a reference to `function`, None for the system's clock. `shortest_ns`: the shortest
 * time that is measured by it. May wait for 2 ms where `ticks` are young. */
void hasten_py_clock_init(struct hasten_py_clock *clock, const struct hasten_ticks *ticks,
                          PyObject *function, int64_t shortest_ns);
/* False with an exception set. */
bool hasten_py_clock_now(struct hasten_py_clock *clock, int64_t *ret_now_ns);
/* When something ends that lasts so long from now on: before INT64_MAX, which is never. */
int64_t hasten_py_clock_end(int64_t now_ns, int64_t lifetime_ns);

#endif
