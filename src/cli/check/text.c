/* SPDX-License-Identifier: MIT
 *
 * Numbers as a person writes them. */
#include "cli/check/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "core/report/numbers.h"

void check_format(struct check_text *text, const char *format, ...) {
    size_t room = sizeof text->data - text->used;
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text->data + text->used, room, format, arguments);
    va_end(arguments);
    if (size > 0) {
        text->used += (size_t)size < room ? (size_t)size : room - 1;
    }
}

void check_time(struct check_text *text, double time_ns) {
    struct hasten_buffer number;
    hasten_buffer_init(&number, NULL);
    hasten_number_time(&number, time_ns);
    check_format(text, "%s", hasten_buffer_cstring(&number));
    hasten_buffer_done(&number);
}

void check_bytes(struct check_text *text, double bytes) {
    struct hasten_buffer number;
    hasten_buffer_init(&number, NULL);
    hasten_number_bytes(&number, (int64_t)bytes);
    check_format(text, "%s", hasten_buffer_cstring(&number));
    hasten_buffer_done(&number);
}

void check_percent(struct check_text *text, double share) {
    check_format(text, "%.4g %%", 100 * share);
}

void check_change(struct check_text *text, double ratio) {
    double percent = 100 * (ratio - 1);
    if (isinf(ratio) || isnan(ratio)) {
        check_format(text, "?");
    } else if (ratio >= 10) {
        check_format(text, "x%.*f", ratio < 99.5 ? 1 : 0, ratio);
    } else {
        check_format(text, "%+.*f %%", fabs(percent) < 9.95 ? 1 : 0, percent);
    }
}

void check_interval(struct check_text *text, const struct hasten_ratio *ratio) {
    if (isinf(ratio->high)) {
        check_format(text, "too few rounds");
    } else {
        check_change(text, ratio->low);
        check_format(text, " to ");
        check_change(text, ratio->high);
    }
}
