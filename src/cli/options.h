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

/* Verbs, in the order of the help. X(name, function, summary). */
#define CLI_VERB_MAP(X)                                                                   \
    X(RUN, "run", cmd_run, "run a Python program and say where its time goes")            \
    X(ATTACH, "attach", cmd_attach, "watch a Python process that runs already")           \
    X(REPORT, "report", cmd_report, "show a recording again, as text or JSON")            \
    X(EXPORT, "export", cmd_export, "write a recording as a file for other tools")        \
    X(DOCTOR, "doctor", cmd_doctor, "what this machine permits, and how to get the rest") \
    X(COMPLETION, "completion", cmd_completion, "completion for bash, zsh or fish")       \
    X(HELP, "help", cmd_help, "help on a command")

enum cli_verb_id {
#define CLI_VERB_ENUM(id, name, function, summary) CLI_VERB_##id,
    CLI_VERB_MAP(CLI_VERB_ENUM)
#undef CLI_VERB_ENUM
        CLI_VERB_COUNT
};

#define CLI_ON(verb) (1u << CLI_VERB_##verb)

#define CLI_LEAKS_EVERY "10" /* seconds */
enum cli_memory_mode { CLI_MEMORY_SAMPLED, CLI_MEMORY_EXACT, CLI_MEMORY_OFF };

struct cli_options {
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

/* The ways to call it, a line each; what stands after the options in its help. */
const char *cli_verb_usage(enum cli_verb_id verb);
const char *cli_verb_details(enum cli_verb_id verb);

/* Parses what follows the verb. False after saying what is wrong. */
bool cli_parse(enum cli_verb_id verb, int count, char **arguments, struct cli_options *ret_options);

int cmd_run(const struct cli_options *options);
int cmd_attach(const struct cli_options *options);
int cmd_report(const struct cli_options *options);
int cmd_export(const struct cli_options *options);
int cmd_doctor(const struct cli_options *options);
int cmd_completion(const struct cli_options *options);
int cmd_help(const struct cli_options *options);

#endif
