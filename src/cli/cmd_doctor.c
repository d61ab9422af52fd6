/* SPDX-License-Identifier: MIT
 *
 * hasten doctor. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/doctor/checks.h"
#include "cli/message.h"
#include "cli/screen.h"
#include "core/report/json_writer.h"
#include "core/report/text.h"

#define TEXT_COLUMN 21

struct look {
    const char *word;   /* in JSON */
    const char *plain;  /* in text */
    const char *colour; /* SGR parameters */
};

static const struct look looks[] = {
    [CHECK_GOOD] = {"good", "ok", "32"},
    [CHECK_NOTE] = {"note", "--", "33"},
    [CHECK_BAD] = {"bad", "NO", "1;31"},
};

/* Names and versions come from the machine: safe for the terminal first. */
static void write_text(struct hasten_buffer *out, const char *text,
                       const struct hasten_report_options *screen) {
    struct hasten_buffer safe;
    struct hasten_buffer wrapped;
    char indent[TEXT_COLUMN + 1];
    memset(indent, ' ', TEXT_COLUMN);
    indent[TEXT_COLUMN] = '\0';
    hasten_buffer_init(&safe, NULL);
    hasten_buffer_init(&wrapped, NULL);
    hasten_text_safe(&safe, text, strlen(text), screen->unicode);
    hasten_text_wrap(&wrapped, hasten_buffer_cstring(&safe), indent, screen->columns);
    hasten_buffer_text(out, hasten_buffer_cstring(&wrapped) +
                                (wrapped.size > TEXT_COLUMN ? TEXT_COLUMN : 0));
    hasten_buffer_done(&safe);
    hasten_buffer_done(&wrapped);
}

static void write_check(struct hasten_buffer *out, const struct check *check,
                        const struct hasten_report_options *screen) {
    const struct look *look = &looks[check->verdict];
    if (screen->colour) {
        hasten_buffer_format(out, "\x1b[%sm%s\x1b[0m", look->colour, look->plain);
    } else {
        hasten_buffer_text(out, look->plain);
    }
    hasten_buffer_format(out, "  %-*s ", TEXT_COLUMN - 5, check->name);
    write_text(out, check->found, screen);
    if (check->advice[0] != '\0') {
        hasten_buffer_format(out, "%*s", TEXT_COLUMN, "");
        write_text(out, check->advice, screen);
    }
}

static void write_json(struct hasten_buffer *out, const struct checks *checks, bool is_well) {
    struct hasten_json json = {.out = out};
    hasten_json_open(&json, NULL, '{');
    hasten_json_integer(&json, "version", 1);
    hasten_json_string(&json, "hasten", HASTEN_VERSION);
    hasten_json_boolean(&json, "can_sample", is_well);
    hasten_json_open(&json, "checks", '[');
    for (size_t i = 0; i < checks->count; i++) {
        const struct check *check = &checks->rows[i];
        hasten_json_open_row(&json);
        hasten_json_string(&json, "name", check->name);
        hasten_json_string(&json, "verdict", looks[check->verdict].word);
        hasten_json_string(&json, "found", check->found);
        hasten_json_string(&json, "advice", check->advice[0] == '\0' ? NULL : check->advice);
        hasten_json_close_row(&json);
    }
    hasten_json_close(&json, ']');
    hasten_json_close(&json, '}');
    hasten_buffer_byte(out, '\n');
}

int cmd_doctor(const struct cli_options *options) {
    if (options->argument_count > 0) {
        cli_say("doctor: no argument is expected; `hasten help doctor` shows how");
        return CLI_EXIT_USAGE;
    }
    struct checks *checks = calloc(1, sizeof *checks);
    if (checks == NULL) {
        cli_say("out of memory");
        return CLI_EXIT_FAILED;
    }
    struct hasten_report_options screen = cli_screen(STDOUT_FILENO, options);
    struct hasten_buffer out;
    hasten_buffer_init(&out, NULL);
    checks_kernel(checks);
    bool is_well = checks_interpreters(checks) > 0;
    if (options->json) {
        write_json(&out, checks, is_well);
    } else {
        hasten_buffer_text(&out, "hasten " HASTEN_VERSION "\n");
        for (size_t i = 0; i < checks->count; i++) {
            write_check(&out, &checks->rows[i], &screen);
        }
        hasten_buffer_text(&out, is_well ? "\nPrograms can be run and sampled here.\n"
                                         : "\nNothing can be sampled here yet.\n");
    }
    fputs(hasten_buffer_cstring(&out), stdout);
    hasten_buffer_done(&out);
    free(checks);
    return is_well ? CLI_EXIT_OK : CLI_EXIT_FAILED;
}
