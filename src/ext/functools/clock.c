/* SPDX-License-Identifier: MIT */
#include "ext/functools/clock.h"

/* From here on times may end by a step of the coarse clock late. */
#define COARSE_FROM_NS INT64_C(100000000)
/* By such a share of the shortest time others may end late, ... */
#define STEPS 64
/* ... but by no more than that: frequencies of counters are known to 1 in 1,000. */
#define LONGEST_STEP_NS INT64_C(1000000)
#define NS_PER_S 1e9
/* About 146 years: sums of two do not overflow. */
#define LONGEST_NS (INT64_MAX / 2)

int64_t hasten_py_nanoseconds(double seconds) {
    if (!(seconds * NS_PER_S < (double)LONGEST_NS)) {
        return LONGEST_NS;
    }
    /* 0 would be another thing than a very short time. */
    return seconds > 0 && seconds * NS_PER_S < 1 ? 1 : (int64_t)(seconds * NS_PER_S);
}

void hasten_py_clock_init(struct hasten_py_clock *clock, const struct hasten_ticks *ticks,
                          PyObject *function, int64_t shortest_ns) {
    *clock = (struct hasten_py_clock){
        .function = function == Py_None ? NULL : Py_NewRef(function),
        .is_coarse = shortest_ns >= COARSE_FROM_NS,
    };
    if (clock->function == NULL && !clock->is_coarse && ticks->counter) {
        const int64_t share_ns = shortest_ns / STEPS;
        const int64_t step_ns = share_ns < LONGEST_STEP_NS ? share_ns : LONGEST_STEP_NS;
        clock->step_ticks = (int64_t)((double)step_ns / NS_PER_S / hasten_ticks_seconds(ticks));
    }
}

/* The exact time, or what it was less than a step ago. The time is written before and read
 * after what tells how old it is: where threads run free, it is never older than it says. */
static int64_t exact_ns(struct hasten_py_clock *clock) {
    if (clock->step_ticks == 0) {
        return hasten_ticks_kernel(CLOCK_MONOTONIC);
    }
    const int64_t now_ticks = hasten_ticks_counter();
    const int64_t read_ticks = __atomic_load_n(&clock->read_ticks, __ATOMIC_ACQUIRE);
    /* Also where the counter began anew: what it says then is behind, or long ago. */
    if ((uint64_t)now_ticks - (uint64_t)read_ticks < (uint64_t)clock->step_ticks &&
        read_ticks != 0) {
        return __atomic_load_n(&clock->read_ns, __ATOMIC_RELAXED);
    }
    const int64_t now_ns = hasten_ticks_kernel(CLOCK_MONOTONIC);
    __atomic_store_n(&clock->read_ns, now_ns, __ATOMIC_RELAXED);
    __atomic_store_n(&clock->read_ticks, now_ticks, __ATOMIC_RELEASE);
    return now_ns;
}

bool hasten_py_clock_now(struct hasten_py_clock *clock, int64_t *ret_now_ns) {
    if (clock->function == NULL) {
        *ret_now_ns =
            clock->is_coarse ? hasten_ticks_kernel(CLOCK_MONOTONIC_COARSE) : exact_ns(clock);
        return true;
    }
    PyObject *answer = PyObject_CallNoArgs(clock->function);
    if (answer == NULL) {
        return false;
    }
    const double seconds = PyFloat_AsDouble(answer);
    Py_DECREF(answer);
    if (seconds == -1 && PyErr_Occurred()) {
        return false;
    }
    if (!(seconds * NS_PER_S < (double)LONGEST_NS && seconds * NS_PER_S > -(double)LONGEST_NS)) {
        PyErr_SetString(PyExc_OverflowError, "the clock's time is out of range");
        return false;
    }
    *ret_now_ns = (int64_t)(seconds * NS_PER_S);
    return true;
}

int64_t hasten_py_clock_end(int64_t now_ns, int64_t lifetime_ns) {
    return now_ns > INT64_MAX - 1 - lifetime_ns ? INT64_MAX - 1 : now_ns + lifetime_ns;
}
