/* SPDX-License-Identifier: MIT
 *
 * Reads the environment and the terminal. */
#include "cli/screen.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* What a table shows when nobody asked for a number of rows. */
#define DEFAULT_ROWS 15
#define LEAST_SHARE 0.005

static bool is_set(const char *name) {
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0';
}

static bool is_zero(const char *name) {
    const char *value = getenv(name);
    return value != NULL && strcmp(value, "0") == 0;
}

/* In the order of precedence of the Python interpreter itself. */
static bool wants_colour(int descriptor) {
    if (is_set("NO_COLOR")) {
        return false;
    }
    if ((is_set("FORCE_COLOR") && !is_zero("FORCE_COLOR")) ||
        (is_set("CLICOLOR_FORCE") && !is_zero("CLICOLOR_FORCE"))) {
        return true;
    }
    const char *terminal = getenv("TERM");
    if (terminal == NULL || strcmp(terminal, "dumb") == 0 || is_zero("CLICOLOR")) {
        return false;
    }
    return isatty(descriptor) == 1;
}

/* The first of these that is set decides, as in setlocale. */
static bool locale_is_utf8(void) {
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);
        if (value != NULL && value[0] != '\0') {
            return strcasestr(value, "utf-8") != NULL || strcasestr(value, "utf8") != NULL;
        }
    }
    return false;
}

static uint32_t columns(int descriptor) {
    struct winsize size;
    if (isatty(descriptor) == 1 && ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        return size.ws_col;
    }
    const char *value = getenv("COLUMNS");
    unsigned long count = value == NULL ? 0 : strtoul(value, NULL, 10);
    return count > 0 && count < 10000 ? (uint32_t)count : 80;
}

struct hasten_report_options cli_screen(int descriptor, const struct cli_options *options) {
    return (struct hasten_report_options){
        .sort = options->sort,
        .limit = options->has_limit ? options->limit
                 : options->json    ? 0
                                    : DEFAULT_ROWS,
        .least_share = options->has_limit ? 0 : LEAST_SHARE,
        .filter = options->filter,
        .callers = options->callers,
        .callees = options->callees,
        .memory = options->memory_only,
        .columns = columns(descriptor),
        .colour = wants_colour(descriptor),
        .unicode = locale_is_utf8(),
    };
}
