/* SPDX-License-Identifier: MIT
 *
 * Messages to standard error. */
#include "cli/message.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A message's arguments may come from other processes: nothing that a terminal
 * would obey passes. */
static void neutralise(char *text, size_t size) {
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)text[i];
        if ((byte < 0x20 && byte != '\n') || byte == 0x7f) {
            text[i] = '?';
        }
        /* C1 controls in UTF-8 are c2 80 to c2 9f. */
        if (byte == 0xc2 && i + 1 < size && (unsigned char)text[i + 1] >= 0x80 &&
            (unsigned char)text[i + 1] < 0xa0) {
            text[i] = text[i + 1] = '?';
        }
    }
}

void cli_say(const char *format, ...) {
    static const char prefix[] = "hasten: ";
    char text[2048];
    memcpy(text, prefix, sizeof prefix);
    size_t used = sizeof prefix - 1;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text + used, sizeof text - used - 1, format, arguments);
    va_end(arguments);
    if (length < 0) {
        return;
    }
    size_t room = sizeof text - used - 2;
    used += (size_t)length < room ? (size_t)length : room;
    neutralise(text, used);
    text[used++] = '\n';
    fflush(stdout);
    if (write(STDERR_FILENO, text, used) < 0) {
        return; /* nobody to tell */
    }
}

const char *cli_error_text(const struct hasten_error *error) {
    return error->message[0] != '\0' ? error->message : hasten_status_sentence(error->status);
}
