/* SPDX-License-Identifier: MIT
 *
 * Messages to standard error. */
#include "cli/message.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/report/text.h"

void cli_say(const char *format, ...) {
    char text[2048];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length < 0) {
        return;
    }
    /* The arguments may come from other processes and damaged files: nothing that
     * a terminal would obey passes. */
    struct hasten_buffer line;
    hasten_buffer_init(&line, NULL);
    hasten_buffer_text(&line, "hasten: ");
    hasten_text_safe(&line, text, strlen(text), true);
    hasten_buffer_byte(&line, '\n');
    fflush(stdout);
    ssize_t written = line.failed ? 0 : write(STDERR_FILENO, line.data, line.size);
    (void)written; /* there is nobody else to tell */
    hasten_buffer_done(&line);
}

const char *cli_error_text(const struct hasten_error *error) {
    return error->message[0] != '\0' ? error->message : hasten_status_sentence(error->status);
}
