/* SPDX-License-Identifier: MIT
 *
 * Ticks against the kernel's clock. What is asserted holds on any machine: that
 * both clocks tell the same time. */
#include "check.h"
#include "core/tracing/ticks.h"

static double seconds_of(const struct hasten_ticks *ticks, double *ret_kernel) {
    int64_t kernel_before = hasten_ticks_kernel(CLOCK_MONOTONIC);
    int64_t before = hasten_ticks_read(ticks);
    struct timespec pause = {.tv_nsec = 20000000};
    nanosleep(&pause, NULL);
    int64_t after = hasten_ticks_read(ticks);
    int64_t kernel_after = hasten_ticks_kernel(CLOCK_MONOTONIC);
    *ret_kernel = (double)(kernel_after - kernel_before) * 1e-9;
    return (double)(after - before) * hasten_ticks_seconds(ticks);
}

static void test_clock(bool kernel) {
    struct hasten_ticks ticks;
    hasten_ticks_init(&ticks, kernel);
    CHECK(!kernel || !ticks.counter);
    double unit = hasten_ticks_seconds(&ticks);
    CHECK(unit > 0 && unit < 1e-6);
    /* Read inside the kernel's interval, so never longer by more than its unit is
     * off; shorter only by what passed between the reads. */
    double outside = 0;
    double inside = seconds_of(&ticks, &outside);
    CHECK(inside >= 0.02 * 0.999);
    CHECK(inside <= outside * 1.001);
    int64_t last = hasten_ticks_read(&ticks);
    unsigned backwards = 0;
    for (int i = 0; i < 100000; i++) {
        int64_t now = hasten_ticks_read(&ticks);
        backwards += now < last;
        last = now;
    }
    CHECK_EQ_INT(backwards, 0);
}

int main(void) {
    test_clock(false);
    test_clock(true);
    return check_done();
}
