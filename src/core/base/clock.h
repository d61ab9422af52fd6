/* SPDX-License-Identifier: MIT
 *
 * The clocks that the core reads, in nanoseconds. */
#ifndef HASTEN_BASE_CLOCK_H
#define HASTEN_BASE_CLOCK_H

#include <stdint.h>

uint64_t hasten_clock_monotonic_ns(void);
uint64_t hasten_clock_wall_ns(void);        /* since the epoch */
uint64_t hasten_clock_process_cpu_ns(void); /* of this process, user and system */

#endif
