/* SPDX-License-Identifier: MIT
 *
 * What is counted has no interval: it is the same each time, or nearly. */
#include "cli/bench/amounts.h"

#include <math.h>

#include "core/report/numbers.h"

/* What differs by less is the same: what counting is good for (docs/bench.md). */
#define SAME_SHARE 1e-4

static bool is_bytes(enum bench_amount_id id) {
    return id == BENCH_PEAK_BYTES || id == BENCH_ALLOCATED_BYTES;
}

static const char *count_name(enum bench_amount_id id) {
    return id == BENCH_INSTRUCTIONS ? "instructions" : "bytecodes";
}

void bench_amount_text(struct hasten_buffer *out, enum bench_amount_id id, double value) {
    if (is_bytes(id)) {
        hasten_number_bytes(out, (int64_t)value);
    } else if (value < 1000 && value != floor(value)) {
        hasten_buffer_format(out, "%.1f", value);
    } else {
        hasten_number_count(out, (uint64_t)fmax(0, round(value)));
    }
}

void bench_amounts_text(struct hasten_buffer *out, const struct bench_amount *amounts) {
    const struct bench_amount *peak = &amounts[BENCH_PEAK_BYTES];
    const struct bench_amount *allocated = &amounts[BENCH_ALLOCATED_BYTES];
    if (peak->is_known || allocated->is_known) {
        hasten_buffer_text(out, "   memory: ");
        if (peak->is_known) {
            bench_amount_text(out, BENCH_PEAK_BYTES, peak->value);
            hasten_buffer_text(out, " at its peak");
        }
        if (allocated->is_known) {
            hasten_buffer_text(out, peak->is_known ? ", " : "");
            bench_amount_text(out, BENCH_ALLOCATED_BYTES, allocated->value);
            hasten_buffer_text(out, " allocated in all");
        }
        hasten_buffer_text(out, "\n");
    }
    const char *before = "   counted: ";
    for (enum bench_amount_id id = BENCH_INSTRUCTIONS; id < BENCH_AMOUNTS; id++) {
        if (amounts[id].is_known) {
            hasten_buffer_text(out, before);
            bench_amount_text(out, id, amounts[id].value);
            hasten_buffer_format(out, " %s", count_name(id));
            before = ", ";
        }
    }
    hasten_buffer_text(out, before[0] == ',' ? "\n" : "");
}

static bool is_same(double a, double b) {
    return fabs(b - a) <= SAME_SHARE * fmax(a, b);
}

/* "the same", "1.20 KiB more (ratio 2.05)". */
static void write_relation(struct hasten_buffer *out, enum bench_amount_id id, double a, double b) {
    if (is_same(a, b)) {
        hasten_buffer_text(out, "the same");
        return;
    }
    bench_amount_text(out, id, fabs(b - a));
    hasten_buffer_text(out, b > a ? " more" : " less");
    if (a > 0) {
        double ratio = b / a;
        hasten_buffer_format(out, " (ratio %.*f)", fabs(ratio - 1) < 0.01 ? 4 : 3, ratio);
    }
}

void bench_amounts_text_compared(struct hasten_buffer *out, const struct bench_amount *a,
                                 const struct bench_amount *b) {
    static const char *const names[BENCH_AMOUNTS] = {"peak memory", "allocated memory",
                                                     "instructions", "bytecodes"};
    const char *before = "B against A: ";
    bool same_memory = true;
    for (enum bench_amount_id id = BENCH_PEAK_BYTES; id <= BENCH_ALLOCATED_BYTES; id++) {
        same_memory =
            same_memory && a[id].is_known && b[id].is_known && is_same(a[id].value, b[id].value);
    }
    if (same_memory) {
        hasten_buffer_format(out, "%smemory the same", before);
        before = ",\n             ";
    }
    for (enum bench_amount_id id = 0; id < BENCH_AMOUNTS; id++) {
        if (a[id].is_known && b[id].is_known && !(same_memory && is_bytes(id))) {
            hasten_buffer_format(out, "%s%s ", before, names[id]);
            write_relation(out, id, a[id].value, b[id].value);
            before = ",\n             ";
        }
    }
    hasten_buffer_text(out, before[0] == 'B' ? "" : "\n");
}

static void write_amount(struct hasten_json *json, const char *key, struct bench_amount amount) {
    if (amount.is_known) {
        hasten_json_number(json, key, amount.value);
    } else {
        hasten_json_null(json, key);
    }
}

void bench_amounts_json(struct hasten_json *json, const struct bench_amount *amounts) {
    if (amounts[BENCH_PEAK_BYTES].is_known || amounts[BENCH_ALLOCATED_BYTES].is_known) {
        hasten_json_open(json, "memory", '{');
        write_amount(json, "peak_bytes", amounts[BENCH_PEAK_BYTES]);
        write_amount(json, "allocated_bytes", amounts[BENCH_ALLOCATED_BYTES]);
        hasten_json_close(json, '}');
    } else {
        hasten_json_null(json, "memory");
    }
    for (enum bench_amount_id id = BENCH_INSTRUCTIONS; id < BENCH_AMOUNTS; id++) {
        if (amounts[id].is_known) {
            hasten_json_number(json, count_name(id), amounts[id].value);
        }
    }
}

static void write_pair(struct hasten_json *json, const char *ratio, const char *difference,
                       struct bench_amount a, struct bench_amount b) {
    bool is_known = a.is_known && b.is_known;
    write_amount(json, ratio,
                 (struct bench_amount){is_known && a.value > 0, b.value / fmax(a.value, 1e-9)});
    write_amount(json, difference, (struct bench_amount){is_known, b.value - a.value});
}

void bench_amounts_json_compared(struct hasten_json *json, const struct bench_amount *a,
                                 const struct bench_amount *b) {
    hasten_json_open(json, "memory", '{');
    write_pair(json, "peak_ratio", "peak_difference_bytes", a[BENCH_PEAK_BYTES],
               b[BENCH_PEAK_BYTES]);
    write_pair(json, "allocated_ratio", "allocated_difference_bytes", a[BENCH_ALLOCATED_BYTES],
               b[BENCH_ALLOCATED_BYTES]);
    hasten_json_close(json, '}');
    for (enum bench_amount_id id = BENCH_INSTRUCTIONS; id < BENCH_AMOUNTS; id++) {
        if (a[id].is_known && b[id].is_known) {
            hasten_json_open(json, count_name(id), '{');
            write_pair(json, "ratio", "difference", a[id], b[id]);
            hasten_json_close(json, '}');
        }
    }
}
