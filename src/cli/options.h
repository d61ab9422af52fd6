/* SPDX-License-Identifier: MIT
 *
 * The command line: one table of verbs and one of options, from which parsing,
 * help and shell completion are made. */
#ifndef HASTEN_CLI_OPTIONS_H
#define HASTEN_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hasten/report.h"
#include "hasten/sampler.h"

/* Verbs, in the order of the help. X(name, function, summary). Those without a summary,
 * at the end, are for other programs, and in no list. */
#define CLI_VERB_MAP(X)                                                                          \
    X(RUN, "run", cmd_run, "run a Python program and say where its time goes")                   \
    X(ATTACH, "attach", cmd_attach, "watch a Python process that runs already")                  \
    X(REPORT, "report", cmd_report, "show a recording again, as text or JSON")                   \
    X(EXPORT, "export", cmd_export, "write a recording as a file for other tools")               \
    X(BENCH, "bench", cmd_bench, "how long code takes, or which of two is faster")               \
    X(COMPLEXITY, "complexity", cmd_complexity, "how a function's cost grows with its input")    \
    X(IMPORTS, "imports", cmd_imports, "what a program's imports cost, and which it never used") \
    X(CHECK, "check", cmd_check, "fail where benchmarks got slower than a revision was")         \
    X(DOCTOR, "doctor", cmd_doctor, "what this machine permits, and how to get the rest")        \
    X(COMPLETION, "completion", cmd_completion, "completion for bash, zsh or fish")              \
    X(HELP, "help", cmd_help, "help on a command")                                               \
    X(REVISION, "revision", cmd_revision, NULL)

enum cli_verb_id {
#define CLI_VERB_ENUM(id, name, function, summary) CLI_VERB_##id,
    CLI_VERB_MAP(CLI_VERB_ENUM)
#undef CLI_VERB_ENUM
        CLI_VERB_COUNT,
    CLI_VERB_LISTED = CLI_VERB_REVISION
};

#define CLI_ON(verb) (1u << CLI_VERB_##verb)

#define CLI_LEAKS_EVERY "10" /* seconds */
enum cli_memory_mode { CLI_MEMORY_SAMPLED, CLI_MEMORY_EXACT, CLI_MEMORY_OFF };

/* More -s than anybody writes. */
#define CLI_MOST_SETUPS 32

struct cli_bench_options {
    const char *setups[CLI_MOST_SETUPS]; /* lines of -s */
    size_t setup_count;
    const char *vs; /* side B: another statement or file; NULL: A's */
    const char *vs_python;
    const char *vs_env;  /* NAME=VALUE */
    const char *vs_rev;  /* a git revision */
    const char *install; /* how revisions are installed; NULL: as pyproject.toml says */
    double budget_s;
    double timeout_s;
    double margin; /* share */
    bool leaves_gc_on;
    bool skips_memory;
    const char *html; /* file; NULL: none */
    bool unrolls;
    unsigned counts; /* BENCH_COUNT(...) */
};

struct cli_check_options {
    const char *against; /* a git revision; NULL: budgets alone */
    const char *junit;   /* a file; NULL: none */
    const char *history_file;
    double threshold, memory_threshold, budget_s;
    bool has_threshold, has_memory_threshold, has_budget;
    bool allows_different;
    bool is_strict;
    bool github;
    bool shows_history, fails_if_worse, records;
};

/* Sizes that can be listed; as many as are ever measured. */
#define CLI_MOST_SIZES 64

struct cli_complexity_options {
    uint64_t sizes[CLI_MOST_SIZES];
    size_t size_count;    /* 0: they grow by themselves */
    const char *generate; /* NULL: the function gets the size itself */
    bool wants_memory;
};

struct cli_imports_options {
    uint32_t depth; /* levels that are shown; 0: all */
    bool unused;    /* only what was never used */
};

struct cli_options {
    struct cli_imports_options imports;
    struct cli_bench_options bench;
    struct cli_check_options check;
    struct cli_complexity_options complexity;
    const char *output;
    double rate_hz;
    double duration_s; /* 0: until the end */
    enum hasten_mode mode;
    bool main_thread_only;
    bool blocking;
    const char *sampling_option; /* one that was given and says how to sample; NULL: none */
    bool trace;
    enum cli_memory_mode memory;
    uint64_t memory_interval_bytes; /* 0: the default */
    const char *memory_option;      /* one that was given and says how; NULL: none */
    bool no_builtins;
    bool leaks;
    const char *leaks_when; /* seconds, or "module:function"; NULL: CLI_LEAKS_EVERY */
    bool lazy_imports;
    bool no_report;
    const char *python;
    const char *module; /* -m: arguments follow */
    const char *code;   /* -c: arguments follow */
    bool is_command;    /* after --: arguments are a whole command */
    bool json;
    enum hasten_report_sort sort;
    bool has_limit;
    uint32_t limit;
    const char *filter;
    const char *callers; /* functions whose callers are shown; NULL: none */
    const char *callees;
    bool memory_only; /* the report's chapter on memory alone */
    bool help;
    int argument_count; /* what follows the options */
    char **arguments;
};

struct cli_option {
    char letter;         /* 0: none */
    const char *name;    /* NULL: none */
    const char *value;   /* how the help calls it; NULL: takes none */
    unsigned verbs;      /* CLI_ON(...) | ... */
    bool ends;           /* everything after it belongs to the program */
    const char *choices; /* "wall cpu gil"; NULL: anything */
    /* Stores the value; answers why not, or NULL. */
    const char *(*store)(struct cli_options *options, const char *value);
    const char *help;
};

struct cli_verb {
    const char *name;
    const char *summary;
    int (*run)(const struct cli_options *options);
};

extern const struct cli_verb cli_verbs[CLI_VERB_COUNT];
extern const struct cli_option cli_options[];
extern const size_t cli_option_count;

/* Values of `hasten bench`, stored by cli/bench/options.c. */
extern const char cli_bench_usage[];
extern const char cli_bench_details[];
/* "30", "30s", "2m", "1h", from `least` to a day. */
bool cli_seconds(const char *text, double least, double *ret_seconds);
void cli_bench_defaults(struct cli_bench_options *options);
const char *cli_store_setup(struct cli_options *options, const char *value);
const char *cli_store_vs(struct cli_options *options, const char *value);
const char *cli_store_vs_python(struct cli_options *options, const char *value);
const char *cli_store_vs_env(struct cli_options *options, const char *value);
const char *cli_store_vs_rev(struct cli_options *options, const char *value);
const char *cli_store_install(struct cli_options *options, const char *value);
const char *cli_store_budget(struct cli_options *options, const char *value);
const char *cli_store_timeout(struct cli_options *options, const char *value);
const char *cli_store_margin(struct cli_options *options, const char *value);
const char *cli_store_gc(struct cli_options *options, const char *value);
const char *cli_store_count(struct cli_options *options, const char *value);
const char *cli_store_unroll(struct cli_options *options, const char *value);
const char *cli_store_html(struct cli_options *options, const char *value);
const char *cli_store_no_memory(struct cli_options *options, const char *value);

/* Values of `hasten check`, stored by cli/check/options.c. */
extern const char cli_check_usage[];
extern const char cli_check_details[];
const char *cli_store_against(struct cli_options *options, const char *value);
const char *cli_store_junit(struct cli_options *options, const char *value);
const char *cli_store_github(struct cli_options *options, const char *value);
const char *cli_store_threshold(struct cli_options *options, const char *value);
const char *cli_store_memory_threshold(struct cli_options *options, const char *value);
const char *cli_store_check_budget(struct cli_options *options, const char *value);
const char *cli_store_allow_different(struct cli_options *options, const char *value);
const char *cli_store_strict(struct cli_options *options, const char *value);
const char *cli_store_history(struct cli_options *options, const char *value);
const char *cli_store_history_file(struct cli_options *options, const char *value);
const char *cli_store_record(struct cli_options *options, const char *value);
const char *cli_store_fail_if_worse(struct cli_options *options, const char *value);

/* Values of `hasten complexity`, stored by cli/complexity/options.c. */
extern const char cli_complexity_usage[];
extern const char cli_complexity_details[];
const char *cli_store_sizes(struct cli_options *options, const char *value);
const char *cli_store_generate(struct cli_options *options, const char *value);
const char *cli_store_complexity_memory(struct cli_options *options, const char *value);

/* Values of `hasten imports`, stored by cli/imports/options.c. */
extern const char cli_imports_usage[];
extern const char cli_imports_details[];
const char *cli_store_depth(struct cli_options *options, const char *value);
const char *cli_store_unused(struct cli_options *options, const char *value);
const char *cli_store_lazy_imports(struct cli_options *options, const char *value);

/* The ways to call it, a line each; what stands after the options in its help. */
const char *cli_verb_usage(enum cli_verb_id verb);
const char *cli_verb_details(enum cli_verb_id verb);

/* Parses what follows the verb. False after saying what is wrong. */
bool cli_parse(enum cli_verb_id verb, int count, char **arguments, struct cli_options *ret_options);

int cmd_run(const struct cli_options *options);
int cmd_attach(const struct cli_options *options);
int cmd_report(const struct cli_options *options);
int cmd_export(const struct cli_options *options);
int cmd_bench(const struct cli_options *options);
int cmd_imports(const struct cli_options *options);
int cmd_check(const struct cli_options *options);
int cmd_complexity(const struct cli_options *options);
int cmd_doctor(const struct cli_options *options);
int cmd_completion(const struct cli_options *options);
int cmd_help(const struct cli_options *options);
int cmd_revision(const struct cli_options *options);

#endif
