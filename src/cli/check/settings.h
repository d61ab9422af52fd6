/* SPDX-License-Identifier: MIT
 *
 * What `hasten check` is to check, and how strictly: the command line over
 * pyproject.toml over defaults. */
#ifndef HASTEN_CLI_CHECK_SETTINGS_H
#define HASTEN_CLI_CHECK_SETTINGS_H

#include <limits.h>

#include "cli/options.h"

#define CHECK_MOST_FILES 1000
#define CHECK_MOST_RULES 1000

/* How a benchmark is judged. */
struct check_limits {
    double threshold;        /* share that it may be slower */
    double memory_threshold; /* share that it may need more */
    double budget_s;
};

struct check_file {
    char *path; /* from the current directory */
    char *name; /* from the project's folder */
};

/* A setting of the benchmarks whose name matches. */
struct check_rule {
    char *pattern;
    size_t offset; /* of a double in check_limits */
    double value;
};

struct check_settings {
    char home[PATH_MAX];
    char history[PATH_MAX]; /* "": the default place */
    char python_version[64];
    struct check_limits limits;
    bool is_strict;
    struct check_file *files;
    size_t file_count, file_capacity;
    struct check_rule *rules;
    size_t rule_count, rule_capacity;
};

/* Reads them by that interpreter. False after saying what is wrong. Release with
 * check_settings_done, also then. */
bool check_settings_read(struct check_settings *settings, const char *python,
                         const struct cli_options *options);
void check_settings_done(struct check_settings *settings);
/* Those of the benchmark "bench_x.py::bench_f[1]". The command line's come last. */
struct check_limits check_limits_of(const struct check_settings *settings,
                                    const struct cli_options *options, const char *name);

#endif
