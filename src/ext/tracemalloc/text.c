/* SPDX-License-Identifier: MIT
 *
 * See text.h. */
#include "ext/tracemalloc/text.h"

static void append_character(struct hasten_buffer *buffer, Py_UCS4 character) {
    if (character < 0x80) {
        hasten_buffer_byte(buffer, (uint8_t)character);
    } else if (character < 0x800) {
        hasten_buffer_byte(buffer, (uint8_t)(0xc0 | (character >> 6)));
        hasten_buffer_byte(buffer, (uint8_t)(0x80 | (character & 0x3f)));
    } else if (character < 0x10000) {
        hasten_buffer_byte(buffer, (uint8_t)(0xe0 | (character >> 12)));
        hasten_buffer_byte(buffer, (uint8_t)(0x80 | ((character >> 6) & 0x3f)));
        hasten_buffer_byte(buffer, (uint8_t)(0x80 | (character & 0x3f)));
    } else {
        hasten_buffer_byte(buffer, (uint8_t)(0xf0 | (character >> 18)));
        hasten_buffer_byte(buffer, (uint8_t)(0x80 | ((character >> 12) & 0x3f)));
        hasten_buffer_byte(buffer, (uint8_t)(0x80 | ((character >> 6) & 0x3f)));
        hasten_buffer_byte(buffer, (uint8_t)(0x80 | (character & 0x3f)));
    }
}

int hasten_py_text_append(struct hasten_buffer *buffer, PyObject *text) {
    if (text == NULL || !PyUnicode_Check(text)) {
        return -1;
    }
    const Py_ssize_t length = PyUnicode_GET_LENGTH(text);
    const int kind = (int)PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    if (PyUnicode_IS_ASCII(text)) {
        hasten_buffer_append(buffer, data, (size_t)length);
    } else {
        for (Py_ssize_t i = 0; i < length; i++) {
            append_character(buffer, PyUnicode_READ(kind, data, i));
        }
    }
    return buffer->failed ? -1 : 0;
}

PyObject *hasten_py_text_new(const char *bytes, size_t size) {
    return PyUnicode_DecodeUTF8(bytes, (Py_ssize_t)size, "surrogatepass");
}
