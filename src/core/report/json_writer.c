/* SPDX-License-Identifier: MIT
 *
 * JSON syntax. */
#include "core/report/json_writer.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "core/report/text.h"

#define NS_PER_S 1000000000

static void write_text(struct hasten_buffer *out, const char *text) {
    size_t size = strlen(text);
    size_t position = 0;
    hasten_buffer_byte(out, '"');
    while (position < size) {
        uint32_t character = 0;
        size_t length = hasten_utf8_decode(text + position, size - position, &character);
        if (length == 0) {
            hasten_buffer_text(out, "\\ufffd"); /* not UTF-8: the replacement character */
            position++;
            continue;
        }
        if (character == '"' || character == '\\') {
            hasten_buffer_byte(out, '\\');
            hasten_buffer_byte(out, (uint8_t)character);
        } else if (character < 0x20 || character == 0x7f ||
                   (character >= 0x80 && character < 0xa0)) {
            hasten_buffer_format(out, "\\u%04x", (unsigned)character);
        } else {
            hasten_buffer_append(out, text + position, length);
        }
        position += length;
    }
    hasten_buffer_byte(out, '"');
}

static void next_line(struct hasten_json *json) {
    if (json->depth == 0) {
        return;
    }
    if (json->on_one_line) {
        hasten_buffer_text(json->out, json->needs_comma ? " " : "");
        return;
    }
    hasten_buffer_byte(json->out, '\n');
    for (unsigned i = 0; i < json->depth; i++) {
        hasten_buffer_byte(json->out, ' ');
    }
}

static void begin(struct hasten_json *json, const char *key) {
    if (json->needs_comma) {
        hasten_buffer_byte(json->out, ',');
    }
    next_line(json);
    if (key != NULL) {
        write_text(json->out, key);
        hasten_buffer_text(json->out, ": ");
    }
    json->needs_comma = true;
}

void hasten_json_open(struct hasten_json *json, const char *key, char bracket) {
    begin(json, key);
    hasten_buffer_byte(json->out, (uint8_t)bracket);
    json->depth++;
    json->needs_comma = false;
}

void hasten_json_close(struct hasten_json *json, char bracket) {
    bool was_empty = !json->needs_comma;
    json->depth--;
    if (!was_empty && !json->on_one_line) {
        hasten_buffer_byte(json->out, '\n');
        for (unsigned i = 0; i < json->depth; i++) {
            hasten_buffer_byte(json->out, ' ');
        }
    }
    hasten_buffer_byte(json->out, (uint8_t)bracket);
    json->needs_comma = true;
}

void hasten_json_open_row(struct hasten_json *json) {
    hasten_json_open(json, NULL, '{');
    json->on_one_line = true;
}

void hasten_json_close_row(struct hasten_json *json) {
    hasten_json_close(json, '}');
    json->on_one_line = false;
}

void hasten_json_string(struct hasten_json *json, const char *key, const char *text) {
    begin(json, key);
    if (text == NULL) {
        hasten_buffer_text(json->out, "null");
    } else {
        write_text(json->out, text);
    }
}

void hasten_json_integer(struct hasten_json *json, const char *key, int64_t number) {
    begin(json, key);
    hasten_buffer_format(json->out, "%" PRId64, number);
}

void hasten_json_boolean(struct hasten_json *json, const char *key, bool value) {
    begin(json, key);
    hasten_buffer_text(json->out, value ? "true" : "false");
}

void hasten_json_seconds(struct hasten_json *json, const char *key, int64_t duration_ns) {
    char fraction[16];
    begin(json, key);
    hasten_buffer_format(json->out, "%" PRId64, duration_ns / NS_PER_S);
    int64_t rest = duration_ns % NS_PER_S;
    if (rest > 0) {
        for (int digit = 8; digit >= 0; digit--) {
            fraction[digit] = (char)('0' + rest % 10);
            rest /= 10;
        }
        size_t length = 9;
        while (fraction[length - 1] == '0') {
            length--;
        }
        hasten_buffer_byte(json->out, '.');
        hasten_buffer_append(json->out, fraction, length);
    }
}

void hasten_json_share(struct hasten_json *json, const char *key, double share) {
    begin(json, key);
    hasten_buffer_format(json->out, "%.6f", share);
}

void hasten_json_number(struct hasten_json *json, const char *key, double number) {
    begin(json, key);
    if (isfinite(number)) {
        hasten_buffer_format(json->out, "%.9g", number);
    } else {
        hasten_buffer_text(json->out, "null");
    }
}

void hasten_json_null(struct hasten_json *json, const char *key) {
    begin(json, key);
    hasten_buffer_text(json->out, "null");
}

void hasten_json_interval(struct hasten_json *json, const char *key, double low, double high) {
    if (isinf(high)) {
        hasten_json_null(json, key);
        return;
    }
    hasten_json_open(json, key, '[');
    hasten_json_number(json, NULL, low);
    hasten_json_number(json, NULL, high);
    hasten_json_close(json, ']');
}
