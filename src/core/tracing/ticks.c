/* SPDX-License-Identifier: MIT
 *
 * Which clock is trusted, and how long its ticks are. */
#include "core/tracing/ticks.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#define CLOCK_SOURCE "/sys/devices/system/clocksource/clocksource0/current_clocksource"
/* Reading a pair is off by some 50 ns: after 2 ms that is 25 millionths. */
#define SHORTEST_BASE_NS 2000000u
#define PAIR_TRIES 5

/* Asking the kernel for the time takes this long at most where it works that out
 * from the counter; any other device is slower to read. */
#define QUICK_CLOCK_NS 200
#define QUICK_CLOCK_TRIES 16

static bool kernel_clock_is_quick(void) {
    int64_t quickest = INT64_MAX;
    int64_t before = hasten_ticks_kernel(CLOCK_MONOTONIC);
    for (int i = 0; i < QUICK_CLOCK_TRIES; i++) {
        int64_t now = hasten_ticks_kernel(CLOCK_MONOTONIC);
        quickest = now - before < quickest ? now - before : quickest;
        before = now;
    }
    return quickest > 0 && quickest < QUICK_CLOCK_NS;
}

/* What the kernel keeps CLOCK_MONOTONIC by. It says so in /sys; where that is
 * not to be seen (some containers), by how long it takes. */
static bool kernel_uses(const char *name) {
    char text[32] = {0};
    int file = open(CLOCK_SOURCE, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return kernel_clock_is_quick();
    }
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    text[length > 0 && text[length - 1] == '\n' ? length - 1 : 0] = '\0';
    return strcmp(text, name) == 0;
}

/* A counter that runs at one speed in every state of the processor, and that
 * the kernel has found to agree between processors: it uses it itself. */
static bool counter_is_sound(void) {
#if defined(__x86_64__)
    unsigned eax = 0;
    unsigned ebx = 0;
    unsigned ecx = 0;
    unsigned edx = 0;
    bool invariant = __get_cpuid(0x80000007u, &eax, &ebx, &ecx, &edx) != 0 && (edx & (1u << 8));
    return invariant && kernel_uses("tsc");
#elif defined(__aarch64__)
    return kernel_uses("arch_sys_counter");
#else
    return false;
#endif
}

/* Both clocks at the same instant, as nearly as PAIR_TRIES allow. */
static void read_pair(int64_t *ret_ticks, uint64_t *ret_ns) {
    int64_t closest = INT64_MAX;
    for (int i = 0; i < PAIR_TRIES; i++) {
        int64_t before = hasten_ticks_counter();
        uint64_t ns = (uint64_t)hasten_ticks_kernel(CLOCK_MONOTONIC);
        int64_t after = hasten_ticks_counter();
        if (after - before < closest) {
            closest = after - before;
            *ret_ticks = before + (after - before) / 2;
            *ret_ns = ns;
        }
    }
}

void hasten_ticks_init(struct hasten_ticks *ticks, bool kernel) {
    *ticks = (struct hasten_ticks){.counter = !kernel && counter_is_sound()};
    if (ticks->counter) {
        read_pair(&ticks->base_ticks, &ticks->base_ns);
    }
}

double hasten_ticks_seconds(const struct hasten_ticks *ticks) {
    if (!ticks->counter) {
        return 1e-9;
    }
    int64_t now_ticks = 0;
    uint64_t now_ns = 0;
    do {
        read_pair(&now_ticks, &now_ns);
    } while (now_ns - ticks->base_ns < SHORTEST_BASE_NS);
    return (double)(now_ns - ticks->base_ns) * 1e-9 / (double)(now_ticks - ticks->base_ticks);
}
