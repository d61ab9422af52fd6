/* SPDX-License-Identifier: MIT
 *
 * POSIX shell quoting. */
#include "cli/quote.h"

#include <stdbool.h>
#include <string.h>

struct text {
    char *data;
    size_t size, used;
};

static void put(struct text *text, char character) {
    if (text->used + 1 < text->size) {
        text->data[text->used++] = character;
    }
}

static bool is_plain(const char *argument) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789%+,-./:=@_";
    return argument[0] != '\0' && argument[strspn(argument, plain)] == '\0';
}

void cli_quote(char *const *arguments, char *ret_text, size_t size) {
    struct text text = {ret_text, size, 0};
    for (size_t i = 0; arguments[i] != NULL; i++) {
        if (i > 0) {
            put(&text, ' ');
        }
        bool quote = !is_plain(arguments[i]);
        if (quote) {
            put(&text, '\'');
        }
        for (const char *next = arguments[i]; *next != '\0'; next++) {
            if (*next == '\'') {
                put(&text, '\'');
                put(&text, '\\');
                put(&text, '\'');
            }
            put(&text, *next);
        }
        if (quote) {
            put(&text, '\'');
        }
    }
    if (size > 0) {
        ret_text[text.used] = '\0';
    }
}
