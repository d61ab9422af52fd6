/* SPDX-License-Identifier: MIT
 *
 * Names and sentences of statuses, and filling in an error's detail. */
#include "hasten/status.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

static const char *const status_names[] = {
#define STATUS_NAME(name, sentence) #name,
    HASTEN_STATUS_MAP(STATUS_NAME)
#undef STATUS_NAME
};

static const char *const status_sentences[] = {
#define STATUS_SENTENCE(name, sentence) sentence,
    HASTEN_STATUS_MAP(STATUS_SENTENCE)
#undef STATUS_SENTENCE
};

#define STATUS_COUNT (sizeof status_names / sizeof status_names[0])

const char *hasten_status_name(hasten_status status) {
    return (size_t)status < STATUS_COUNT ? status_names[status] : "UNKNOWN";
}

const char *hasten_status_sentence(hasten_status status) {
    return (size_t)status < STATUS_COUNT ? status_sentences[status] : "unknown status";
}

hasten_status hasten_error_set(struct hasten_error *error, hasten_status status, int64_t position,
                               const char *format, ...) {
    if (error == NULL) {
        return status;
    }
    error->status = status;
    error->position = position;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    if (length < 0) {
        error->message[0] = '\0';
    }
    return status;
}
