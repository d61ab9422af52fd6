/* SPDX-License-Identifier: MIT
 *
 * A scaling's result as JSON: docs/complexity.md has the fields, which are also those of
 * the Python result's to_dict(). */
#include "cli/complexity/show.h"
#include "core/report/json_writer.h"
#include "core/scaling/words.h"

static void write_verdict(struct hasten_json *json, const char *key,
                          const struct hasten_scaling_result *result, bool of_memory) {
    const struct hasten_verdict *verdict = of_memory ? &result->memory : &result->time;
    struct hasten_buffer words;
    hasten_buffer_init(&words, NULL);
    hasten_scaling_verdict(&words, verdict);
    hasten_json_open(json, key, '{');
    if (verdict->doubt == HASTEN_DOUBT_NONE) {
        hasten_json_string(json, "class", hasten_growth_name(verdict->growth));
    } else {
        hasten_json_null(json, "class");
    }
    if (verdict->doubt == HASTEN_DOUBT_NONE) {
        hasten_json_null(json, "doubt");
    } else {
        hasten_json_string(json, "doubt", hasten_doubt_name(verdict->doubt));
    }
    hasten_json_number(json, "confidence", verdict->confidence);
    hasten_json_string(json, "words", hasten_buffer_cstring(&words));
    hasten_json_number(json, "doubling", hasten_scaling_doubling(result, of_memory));
    if (verdict->power > 0) {
        hasten_json_number(json, "power", verdict->power);
    } else {
        hasten_json_null(json, "power");
    }
    hasten_json_open(json, "weights", '{');
    for (int i = 0; i < HASTEN_GROWTH_COUNT; i++) {
        hasten_json_number(json, hasten_growth_name((enum hasten_growth)i),
                           verdict->fits[i].weight);
    }
    hasten_json_close(json, '}');
    hasten_json_close(json, '}');
    hasten_buffer_done(&words);
}

static void write_rows(struct hasten_json *json, const struct hasten_scaling_result *result) {
    hasten_json_open(json, "sizes", '[');
    for (size_t i = 0; i < result->row_count; i++) {
        const struct hasten_scaling_row *row = &result->rows[i];
        hasten_json_open_row(json);
        hasten_json_integer(json, "size", (int64_t)row->size);
        hasten_json_number(json, "time_s", row->time_ns / 1e9);
        hasten_json_number(json, "error", row->error);
        hasten_json_integer(json, "rounds", row->rounds);
        hasten_json_integer(json, "executions_per_round", (int64_t)row->executions);
        if (row->has_memory) {
            hasten_json_integer(json, "memory_bytes", (int64_t)row->memory_bytes);
        } else {
            hasten_json_null(json, "memory_bytes");
        }
        hasten_json_close_row(json);
    }
    hasten_json_close(json, ']');
}

void complexity_json(struct hasten_buffer *out, const char *label,
                     const struct hasten_scaling_result *result) {
    static const char *const ends[] = {"all", "budget", "raised", "hung"};
    struct hasten_json json = {.out = out};
    hasten_json_open(&json, NULL, '{');
    hasten_json_string(&json, "hasten", HASTEN_VERSION);
    hasten_json_string(&json, "function", label);
    write_verdict(&json, "time", result, false);
    if (result->has_memory) {
        write_verdict(&json, "memory", result, true);
    } else {
        hasten_json_null(&json, "memory");
    }
    write_rows(&json, result);
    hasten_json_integer(&json, "rounds", result->rounds);
    hasten_json_number(&json, "spent_s", result->spent_s);
    hasten_json_string(&json, "end", ends[result->end]);
    if (result->end_size > 0) {
        hasten_json_integer(&json, "end_size", (int64_t)result->end_size);
    } else {
        hasten_json_null(&json, "end_size");
    }
    hasten_json_close(&json, '}');
    hasten_buffer_byte(out, '\n');
}
