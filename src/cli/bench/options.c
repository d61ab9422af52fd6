/* SPDX-License-Identifier: MIT
 *
 * What `hasten bench` can be asked for. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bench/counts.h"
#include "cli/options.h"

#define DEFAULT_BUDGET_S 10
#define DEFAULT_TIMEOUT_S 60
#define DEFAULT_MARGIN 0.01
#define MOST_SECONDS 86400.0

/* Examples in these texts are run by tests/cli/test_cli_examples.py. */
const char cli_bench_usage[] = "hasten bench [OPTIONS] STATEMENT [--vs STATEMENT]\n"
                               "hasten bench [OPTIONS] FILE.py [--vs FILE.py]\n"
                               "hasten bench [OPTIONS] -- COMMAND [ARGS...] [--vs COMMAND ...]\n";

const char cli_bench_details[] =
    "A file's benchmarks are its functions bench_*. `bench_x.params = [...]` runs one\n"
    "for each; what a function `bench_x.setup` returns, called before each execution\n"
    "and untimed, are the arguments. Coroutine functions are awaited.\n"
    "\n"
    "Two sides run side by side, in turns, in fresh processes with the same random\n"
    "hash seed. The answer is the ratio of B to A with its 95 % interval: faster,\n"
    "slower, same or unclear. It ends when that is clear or the budget is used up.\n"
    "What benchmarks print is thrown away; where one fails, its last words are shown.\n"
    "\n"
    "With --vs-rev both sides are installed from git into environments of their own,\n"
    "A from the working tree as it is, and kept in ~/.cache/hasten. The benchmarks are\n"
    "those of the working tree.\n"
    "\n"
    "Examples:\n"
    "  hasten bench --budget 1 'sorted(range(1000))'\n"
    "  hasten bench --budget 1 -s 'x = list(range(100))' '99 in x' --vs '99 in set(x)'\n"
    "  hasten bench --budget 1 benchmarks.py\n"
    "  hasten bench --budget 1 --json benchmarks.py --vs-env PYTHONMALLOC=malloc\n"
    "  hasten bench --budget 1 -- python -c pass --vs python -S -c pass\n"
    "  hasten bench --budget 1 --vs-rev HEAD~1 benchmarks.py\n"
    "\n"
    "Exit status:\n"
    "  0  measured\n"
    "  2  wrong usage, or it could not be measured\n";

void cli_bench_defaults(struct cli_bench_options *options) {
    *options = (struct cli_bench_options){
        .budget_s = DEFAULT_BUDGET_S, .timeout_s = DEFAULT_TIMEOUT_S, .margin = DEFAULT_MARGIN};
}

bool cli_seconds(const char *text, double least, double *ret_seconds) {
    char *end = NULL;
    double value = strtod(text, &end);
    double unit = 1;
    if (end == text) {
        return false;
    }
    if (strcmp(end, "m") == 0) {
        unit = 60;
    } else if (strcmp(end, "h") == 0) {
        unit = 3600;
    } else if (*end != '\0' && strcmp(end, "s") != 0) {
        return false;
    }
    value *= unit;
    if (!isfinite(value) || value < least || value > MOST_SECONDS) {
        return false;
    }
    *ret_seconds = value;
    return true;
}

const char *cli_store_setup(struct cli_options *options, const char *value) {
    if (options->bench.setup_count == CLI_MOST_SETUPS) {
        return "32 lines of setup are the most; put them into a file";
    }
    options->bench.setups[options->bench.setup_count++] = value;
    return NULL;
}

const char *cli_store_vs(struct cli_options *options, const char *value) {
    options->bench.vs = value;
    return NULL;
}

const char *cli_store_vs_python(struct cli_options *options, const char *value) {
    options->bench.vs_python = value;
    return value[0] == '\0' ? "a path is expected" : NULL;
}

const char *cli_store_vs_env(struct cli_options *options, const char *value) {
    const char *equals = strchr(value, '=');
    options->bench.vs_env = value;
    return equals == NULL || equals == value || equals - value > 255 ? "NAME=VALUE is expected"
                                                                     : NULL;
}

const char *cli_store_vs_rev(struct cli_options *options, const char *value) {
    options->bench.vs_rev = value;
    return value[0] == '\0' ? "a revision is expected, like HEAD~1 or main" : NULL;
}

const char *cli_store_install(struct cli_options *options, const char *value) {
    options->bench.install = value;
    bool is_line = value[0] != '\0' && strchr(value, '\n') == NULL && strlen(value) < 2000;
    return is_line ? NULL : "a line of shell is expected, like 'pip install .[fast]'";
}

const char *cli_store_budget(struct cli_options *options, const char *value) {
    return cli_seconds(value, 0.1, &options->bench.budget_s)
               ? NULL
               : "a time from 0.1 to 86400 seconds is expected, like 30s or 2m";
}

const char *cli_store_timeout(struct cli_options *options, const char *value) {
    return cli_seconds(value, 0.1, &options->bench.timeout_s)
               ? NULL
               : "a time from 0.1 to 86400 seconds is expected, like 30s or 2m";
}

const char *cli_store_margin(struct cli_options *options, const char *value) {
    char *end = NULL;
    double percent = strtod(value, &end);
    if (end == value || *end != '\0' || !(percent >= 0 && percent <= 50)) {
        return "a percentage from 0 to 50 is expected";
    }
    options->bench.margin = percent / 100;
    return NULL;
}

const char *cli_store_gc(struct cli_options *options, const char *value) {
    (void)value;
    options->bench.leaves_gc_on = true;
    return NULL;
}

const char *cli_store_no_memory(struct cli_options *options, const char *value) {
    (void)value;
    options->bench.skips_memory = true;
    return NULL;
}

const char *cli_store_count(struct cli_options *options, const char *value) {
    bool is_bytecodes = strcmp(value, "bytecodes") == 0;
    options->bench.counts |= BENCH_COUNT(is_bytecodes ? BENCH_BYTECODES : BENCH_INSTRUCTIONS);
    return NULL;
}

const char *cli_store_unroll(struct cli_options *options, const char *value) {
    (void)value;
    options->bench.unrolls = true;
    return NULL;
}

const char *cli_store_html(struct cli_options *options, const char *value) {
    options->bench.html = value;
    return value[0] == '\0' ? "a file name is expected" : NULL;
}
