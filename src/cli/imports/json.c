/* SPDX-License-Identifier: MIT
 *
 * hasten imports --json: docs/formats/imports.md. */
#include "cli/imports/show.h"
#include "core/report/json_writer.h"

static void put_load(struct hasten_json *json, const struct hasten_loads *loads,
                     const struct hasten_load *load) {
    hasten_json_open_row(json);
    hasten_json_string(json, "name", hasten_loads_text(loads, load->name));
    hasten_json_string(json, "imported_by", hasten_loads_text(loads, load->importer));
    if (load->parent == HASTEN_LOADS_NONE) {
        hasten_json_null(json, "parent");
    } else {
        hasten_json_integer(json, "parent", (int64_t)load->parent);
    }
    hasten_json_seconds(json, "start", load->start_ns);
    hasten_json_seconds(json, "total", load->total_ns);
    hasten_json_seconds(json, "self", load->self_ns);
    hasten_json_integer(json, "total_bytes", load->total_bytes);
    hasten_json_integer(json, "self_bytes", load->self_bytes);
    if (loads->knows_use) {
        hasten_json_boolean(json, "never_used", !load->is_needed);
    } else {
        hasten_json_null(json, "never_used");
    }
    hasten_json_boolean(json, "failed", load->has_failed);
    hasten_json_close_row(json);
}

void cli_imports_json(struct hasten_buffer *out, const struct hasten_loads *loads,
                      const char *program) {
    struct hasten_json json = {.out = out};
    hasten_json_open(&json, NULL, '{');
    hasten_json_integer(&json, "version", HASTEN_LOADS_VERSION);
    hasten_json_string(&json, "program", program);
    hasten_json_string(&json, "python", hasten_loads_text(loads, loads->version));
    hasten_json_seconds(&json, "duration", loads->duration_ns);
    hasten_json_seconds(&json, "total", loads->total_ns);
    hasten_json_integer(&json, "total_bytes", loads->total_bytes);
    hasten_json_boolean(&json, "knows_use", loads->knows_use);
    hasten_json_seconds(&json, "never_used", loads->unneeded_ns);
    hasten_json_integer(&json, "never_used_bytes", loads->unneeded_bytes);
    hasten_json_integer(&json, "never_used_modules", (int64_t)loads->unneeded_count);
    hasten_json_open(&json, "modules", '[');
    for (size_t i = 0; i < loads->count; i++) {
        put_load(&json, loads, &loads->loads[i]);
    }
    hasten_json_close(&json, ']');
    hasten_json_close(&json, '}');
    hasten_buffer_byte(out, '\n');
}
