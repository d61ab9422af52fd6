/* SPDX-License-Identifier: MIT
 *
 * What `hasten check` can be asked for. */
#include <stdlib.h>
#include <string.h>

#include "cli/options.h"

/* Examples in these texts are run by tests/cli/test_cli_examples.py. */
const char cli_check_usage[] = "hasten check --against REV [OPTIONS] [FILE...]\n"
                               "hasten check [OPTIONS] [FILE...]\n"
                               "hasten check --history [OPTIONS]\n";

const char cli_check_details[] =
    "Runs benchmarks (files bench_*.py of the project, as for hasten bench) and says\n"
    "which are slower than they may be. With --against they are compared with another\n"
    "revision, which is built for that: both run side by side, in turns. A benchmark\n"
    "fails where its 95 % interval is beyond the threshold. Budgets of functions\n"
    "(@hasten.budget) are judged with and without a revision.\n"
    "\n"
    "[tool.hasten.check] in pyproject.toml has files, threshold, memory-threshold,\n"
    "budget, strict and history; [tool.hasten.check.benchmarks.NAME] the three\n"
    "limits of one.\n"
    "\n"
    "Examples:\n"
    "  hasten check --against HEAD~1 --budget 1 --threshold 50\n"
    "  hasten check --against HEAD~1 --budget 1 --threshold 50 --json benchmarks.py\n"
    "  hasten check --budget 1 --record benchmarks.py && hasten check --history\n"
    "\n"
    "Exit status:\n"
    "  0  nothing is slower than it may be\n"
    "  1  something is, or needs more memory, or is over its budget\n"
    "  2  wrong usage, or it could not be measured, or (--strict) is unclear\n";

static bool percent(const char *text, double *ret_share) {
    char *end = NULL;
    double value = strtod(text, &end);
    if (end == text || (*end != '\0' && strcmp(end, "%") != 0) || !(value >= 0 && value <= 1000)) {
        return false;
    }
    *ret_share = value / 100;
    return true;
}

const char *cli_store_against(struct cli_options *options, const char *value) {
    options->check.against = value;
    return value[0] == '\0' ? "a revision is expected, like HEAD~1 or main" : NULL;
}

const char *cli_store_junit(struct cli_options *options, const char *value) {
    options->check.junit = value;
    return value[0] == '\0' ? "a file name is expected" : NULL;
}

const char *cli_store_github(struct cli_options *options, const char *value) {
    (void)value;
    options->check.github = true;
    return NULL;
}

const char *cli_store_threshold(struct cli_options *options, const char *value) {
    options->check.has_threshold = percent(value, &options->check.threshold);
    return options->check.has_threshold ? NULL : "a percentage from 0 to 1000 is expected";
}

const char *cli_store_memory_threshold(struct cli_options *options, const char *value) {
    options->check.has_memory_threshold = percent(value, &options->check.memory_threshold);
    return options->check.has_memory_threshold ? NULL : "a percentage from 0 to 1000 is expected";
}

const char *cli_store_check_budget(struct cli_options *options, const char *value) {
    options->check.has_budget = cli_seconds(value, 0.1, &options->check.budget_s);
    return options->check.has_budget
               ? NULL
               : "a time from 0.1 to 86400 seconds is expected, like 30s or 2m";
}

const char *cli_store_allow_different(struct cli_options *options, const char *value) {
    (void)value;
    options->check.allows_different = true;
    return NULL;
}

const char *cli_store_strict(struct cli_options *options, const char *value) {
    (void)value;
    options->check.is_strict = true;
    return NULL;
}

const char *cli_store_history(struct cli_options *options, const char *value) {
    (void)value;
    options->check.shows_history = true;
    return NULL;
}

const char *cli_store_history_file(struct cli_options *options, const char *value) {
    options->check.history_file = value;
    return value[0] == '\0' ? "a file name is expected" : NULL;
}

const char *cli_store_record(struct cli_options *options, const char *value) {
    (void)value;
    options->check.records = true;
    return NULL;
}

const char *cli_store_fail_if_worse(struct cli_options *options, const char *value) {
    (void)value;
    options->check.fails_if_worse = true;
    return NULL;
}
