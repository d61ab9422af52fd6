/* SPDX-License-Identifier: MIT
 *
 * Reads what program.py writes. */
#include "cli/check/settings.h"

#include <errno.h>
#include <fnmatch.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/message.h"

/* program.py, made into C by tools/embed.py. */
extern const char check_program[];

/* Half of what a comparison sees in ten seconds on a machine that others use too. */
#define DEFAULT_THRESHOLD 0.01
/* Allocations hardly vary, but by what an interpreter keeps in its free lists. */
#define DEFAULT_MEMORY_THRESHOLD 0.05
#define DEFAULT_BUDGET_S 10

#define MOST_WORDS 4

static bool out_of_memory(void) {
    cli_say("check: out of memory");
    return false;
}

static bool add_file(struct check_settings *settings, const char *path, const char *name) {
    void *files = settings->files;
    if (settings->file_count == CHECK_MOST_FILES) {
        cli_say("check: more than %d files; name those that are to be checked", CHECK_MOST_FILES);
        return false;
    }
    if (hasten_grow(NULL, &files, &settings->file_capacity, settings->file_count + 1,
                    sizeof *settings->files) != 0) {
        return out_of_memory();
    }
    settings->files = files;
    struct check_file *file = &settings->files[settings->file_count];
    *file = (struct check_file){strdup(path), strdup(name)};
    settings->file_count++;
    return (file->path != NULL && file->name != NULL) || out_of_memory();
}

/* The number of that name; false where it is none. */
static bool find_limit(const char *key, size_t *ret_offset, double *ret_unit) {
    static const struct {
        const char *key;
        size_t offset;
        double unit;
    } limits[] = {
        {"threshold", offsetof(struct check_limits, threshold), 100},
        {"memory-threshold", offsetof(struct check_limits, memory_threshold), 100},
        {"budget", offsetof(struct check_limits, budget_s), 1},
    };
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        if (strcmp(key, limits[i].key) == 0) {
            *ret_offset = limits[i].offset;
            *ret_unit = limits[i].unit;
            return true;
        }
    }
    return false;
}

static void set_limit(struct check_limits *limits, size_t offset, double value) {
    *(double *)((char *)limits + offset) = value;
}

static bool add_rule(struct check_settings *settings, const char *pattern, size_t offset,
                     double value) {
    void *rules = settings->rules;
    if (settings->rule_count == CHECK_MOST_RULES) {
        cli_say("check: more than %d settings of benchmarks", CHECK_MOST_RULES);
        return false;
    }
    if (hasten_grow(NULL, &rules, &settings->rule_capacity, settings->rule_count + 1,
                    sizeof *settings->rules) != 0) {
        return out_of_memory();
    }
    settings->rules = rules;
    struct check_rule *rule = &settings->rules[settings->rule_count];
    *rule = (struct check_rule){strdup(pattern), offset, value};
    settings->rule_count++;
    return rule->pattern != NULL || out_of_memory();
}

/* One line; what it does not know is a fault of program.py. */
static bool take_words(struct check_settings *settings, char *words[MOST_WORDS], size_t count) {
    size_t offset = 0;
    double unit = 1;
    if (count == 2 && strcmp(words[0], "home") == 0) {
        return snprintf(settings->home, sizeof settings->home, "%s", words[1]) <
               (int)sizeof settings->home;
    }
    if (count == 2 && strcmp(words[0], "python") == 0) {
        snprintf(settings->python_version, sizeof settings->python_version, "%s", words[1]);
        return true;
    }
    if (count == 3 && strcmp(words[0], "file") == 0) {
        return add_file(settings, words[1], words[2]);
    }
    if (count == 3 && strcmp(words[0], "set") == 0 && strcmp(words[1], "history") == 0) {
        return snprintf(settings->history, sizeof settings->history, "%s", words[2]) <
               (int)sizeof settings->history;
    }
    if (count == 3 && strcmp(words[0], "set") == 0 && strcmp(words[1], "strict") == 0) {
        settings->is_strict = strcmp(words[2], "1") == 0;
        return true;
    }
    if (count == 3 && strcmp(words[0], "set") == 0 && find_limit(words[1], &offset, &unit)) {
        set_limit(&settings->limits, offset, strtod(words[2], NULL) / unit);
        return true;
    }
    if (count == 4 && strcmp(words[0], "of") == 0 && find_limit(words[2], &offset, &unit)) {
        return add_rule(settings, words[1], offset, strtod(words[3], NULL) / unit);
    }
    cli_say("check: the settings cannot be understood: %s", words[0]);
    return false;
}

static bool take_lines(struct check_settings *settings, char *text) {
    char *rest = text;
    for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
        char *words[MOST_WORDS];
        size_t count = 0;
        while (line != NULL && line[0] != '\0' && count < MOST_WORDS) {
            words[count++] = strsep(&line, "\t");
        }
        if (count > 0 && !take_words(settings, words, count)) {
            return false;
        }
    }
    return true;
}

bool check_settings_read(struct check_settings *settings, const char *python,
                         const struct cli_options *options) {
    *settings = (struct check_settings){
        .limits = {DEFAULT_THRESHOLD, DEFAULT_MEMORY_THRESHOLD, DEFAULT_BUDGET_S}};
    size_t count = 3 + (size_t)options->argument_count;
    const char **arguments = calloc(count + 1, sizeof *arguments);
    if (arguments == NULL) {
        return out_of_memory();
    }
    arguments[0] = python;
    arguments[1] = "-c";
    arguments[2] = check_program;
    for (int i = 0; i < options->argument_count; i++) {
        arguments[3 + i] = options->arguments[i];
    }
    struct hasten_buffer output, errors;
    hasten_buffer_init(&output, NULL);
    hasten_buffer_init(&errors, NULL);
    const struct cli_command command = {.arguments = arguments, .log = -1};
    int status = cli_command_run(&command, &output, &errors);
    bool done = false;
    if (status == CLI_COMMAND_NOT_STARTED) {
        cli_say("check: cannot run %s: %s", python, strerror(errno));
    } else if (status > 0) {
        const char *text = hasten_buffer_cstring(&errors);
        size_t size = strlen(text);
        cli_say("check: %.*s", (int)(size > 0 && text[size - 1] == '\n' ? size - 1 : size), text);
    } else if (status == 0) {
        hasten_buffer_byte(&output, '\0');
        done = output.failed ? out_of_memory() : take_lines(settings, output.data);
    }
    hasten_buffer_done(&output);
    hasten_buffer_done(&errors);
    free(arguments);
    return done;
}

void check_settings_done(struct check_settings *settings) {
    for (size_t i = 0; i < settings->file_count; i++) {
        free(settings->files[i].path);
        free(settings->files[i].name);
    }
    for (size_t i = 0; i < settings->rule_count; i++) {
        free(settings->rules[i].pattern);
    }
    hasten_release(NULL, settings->files, settings->file_capacity * sizeof *settings->files);
    hasten_release(NULL, settings->rules, settings->rule_capacity * sizeof *settings->rules);
}

/* The whole name, or what is behind "::", with or without its parameter. */
static bool matches(const char *pattern, const char *name) {
    char plain[512];
    const char *function = strstr(name, "::");
    function = function == NULL ? name : function + 2;
    snprintf(plain, sizeof plain, "%.*s", (int)strcspn(function, "["), function);
    return strcmp(pattern, name) == 0 || strcmp(pattern, function) == 0 ||
           fnmatch(pattern, name, 0) == 0 || fnmatch(pattern, plain, 0) == 0;
}

struct check_limits check_limits_of(const struct check_settings *settings,
                                    const struct cli_options *options, const char *name) {
    struct check_limits limits = settings->limits;
    for (size_t i = 0; i < settings->rule_count; i++) {
        if (matches(settings->rules[i].pattern, name)) {
            set_limit(&limits, settings->rules[i].offset, settings->rules[i].value);
        }
    }
    const struct cli_check_options *check = &options->check;
    if (check->has_threshold) {
        limits.threshold = check->threshold;
    }
    if (check->has_memory_threshold) {
        limits.memory_threshold = check->memory_threshold;
    }
    if (check->has_budget) {
        limits.budget_s = check->budget_s;
    }
    return limits;
}
