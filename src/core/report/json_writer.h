/* SPDX-License-Identifier: MIT
 *
 * Writes JSON into a buffer: commas, indentation and escapes. Whatever bytes a
 * string has, the output is valid UTF-8. */
#ifndef HASTEN_REPORT_JSON_WRITER_H
#define HASTEN_REPORT_JSON_WRITER_H

#include "core/base/buffer.h"

struct hasten_json {
    struct hasten_buffer *out;
    unsigned depth;
    bool needs_comma;
    bool on_one_line; /* inside a row */
};

/* `key` is NULL inside an array. */
void hasten_json_open(struct hasten_json *json, const char *key, char bracket);
void hasten_json_close(struct hasten_json *json, char bracket);
/* An object inside an array, with all it holds on one line. */
void hasten_json_open_row(struct hasten_json *json);
void hasten_json_close_row(struct hasten_json *json);
void hasten_json_string(struct hasten_json *json, const char *key, const char *text);
void hasten_json_integer(struct hasten_json *json, const char *key, int64_t number);
void hasten_json_boolean(struct hasten_json *json, const char *key, bool value);
/* Nanoseconds as seconds, exactly: nine decimals without trailing zeros. */
void hasten_json_seconds(struct hasten_json *json, const char *key, int64_t duration_ns);
/* A share with six decimals. */
void hasten_json_share(struct hasten_json *json, const char *key, double share);
/* Nine digits; null where it is not finite. */
void hasten_json_number(struct hasten_json *json, const char *key, double number);
/* [low, high]; null where that has no upper end. */
void hasten_json_interval(struct hasten_json *json, const char *key, double low, double high);
void hasten_json_null(struct hasten_json *json, const char *key);

#endif
