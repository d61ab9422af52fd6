/* SPDX-License-Identifier: MIT
 *
 * Formats durations, counts and shares. */
#include "core/report/numbers.h"

#include <inttypes.h>

#define NS_PER_US 1000
#define NS_PER_MS 1000000
#define NS_PER_S 1000000000

double hasten_share(int64_t part, int64_t whole) {
    return whole > 0 ? (double)part / (double)whole : 0.0;
}

void hasten_number_duration(struct hasten_buffer *out, int64_t duration_ns) {
    int64_t seconds = duration_ns / NS_PER_S + (duration_ns % NS_PER_S >= NS_PER_S / 2);
    if (duration_ns <= 0) {
        hasten_buffer_text(out, "0");
    } else if (duration_ns < NS_PER_MS) {
        hasten_buffer_format(out, "%" PRId64 " us", (duration_ns + NS_PER_US - 1) / NS_PER_US);
    } else if (duration_ns < NS_PER_S) {
        double ms = (double)duration_ns / (double)NS_PER_MS;
        hasten_buffer_format(out, ms < 99.95 ? "%.1f ms" : "%.0f ms", ms);
    } else if (seconds < 100) {
        double s = (double)duration_ns / (double)NS_PER_S;
        hasten_buffer_format(out, s < 9.995 ? "%.2f s" : "%.1f s", s);
    } else if (seconds < 3600) {
        hasten_buffer_format(out, "%" PRId64 " min %02" PRId64 " s", seconds / 60, seconds % 60);
    } else {
        hasten_buffer_format(out, "%" PRId64 " h %02" PRId64 " min", seconds / 3600,
                             seconds % 3600 / 60);
    }
}

void hasten_number_time(struct hasten_buffer *out, double time_ns) {
    static const struct {
        double ns;
        const char *name;
    } units[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}, {1, "ns"}};
    size_t unit = 0;
    while (unit < 3 && time_ns < units[unit].ns * 0.9995) {
        unit++;
    }
    double amount = time_ns / units[unit].ns;
    int decimals = amount < 9.995 ? 2 : amount < 99.95 ? 1 : 0;
    hasten_buffer_format(out, "%.*f %s", decimals, amount, units[unit].name);
}

void hasten_number_count(struct hasten_buffer *out, uint64_t count) {
    if (count >= 1000) {
        hasten_number_count(out, count / 1000);
        hasten_buffer_format(out, " %03u", (unsigned)(count % 1000));
    } else {
        hasten_buffer_format(out, "%u", (unsigned)count);
    }
}

void hasten_number_bytes(struct hasten_buffer *out, int64_t bytes) {
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    if (bytes <= 0) {
        hasten_buffer_text(out, "0");
        return;
    }
    if (bytes < 1024) {
        hasten_buffer_format(out, "%" PRId64 " B", bytes);
        return;
    }
    double amount = (double)bytes / 1024;
    size_t unit = 0;
    while (amount >= 1023.5 && unit + 1 < sizeof units / sizeof *units) {
        amount /= 1024;
        unit++;
    }
    int decimals = amount < 9.995 ? 2 : amount < 99.95 ? 1 : 0;
    hasten_buffer_format(out, "%.*f %s", decimals, amount, units[unit]);
}

void hasten_number_percent(struct hasten_buffer *out, double share) {
    double percent = share * 100;
    if (percent > 0 && percent < 0.05) {
        hasten_buffer_text(out, "<0.1");
    } else {
        hasten_buffer_format(out, "%.1f", percent);
    }
}

void hasten_number_share(struct hasten_buffer *out, double share) {
    double percent = share * 100;
    if (percent > 0 && percent < 0.05) {
        hasten_buffer_text(out, "less than 0.1 %");
    } else {
        hasten_buffer_format(out, percent < 9.95 ? "%.1f %%" : "%.0f %%", percent);
    }
}

bool hasten_number_parse(const char *text, uint64_t *ret_value) {
    uint64_t value = 0;
    if (text == NULL || *text == '\0') {
        return false;
    }
    for (; *text != '\0'; text++) {
        unsigned digit = (unsigned)*text - '0';
        if (digit > 9 || value > (UINT64_MAX - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    *ret_value = value;
    return true;
}
