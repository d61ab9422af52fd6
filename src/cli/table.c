/* SPDX-License-Identifier: MIT
 *
 * The tables of verbs and options. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/options.h"

/* Beyond these a rate is a slip of the hand. */
#define LEAST_RATE 0.01
#define MOST_RATE 1000000.0
#define MOST_SECONDS 31536000.0
#define MOST_INTERVAL (UINT64_C(1) << 30)

static const char *store_output(struct cli_options *options, const char *value) {
    options->output = value;
    return value[0] == '\0' ? "a file name is expected" : NULL;
}

static bool number(const char *text, double least, double most, double *ret_number) {
    char *end = NULL;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(value) || value < least || value > most) {
        return false;
    }
    *ret_number = value;
    return true;
}

static const char *store_rate(struct cli_options *options, const char *value) {
    options->sampling_option = "--rate";
    return number(value, LEAST_RATE, MOST_RATE, &options->rate_hz)
               ? NULL
               : "a number from 0.01 to 1000000 is expected";
}

static const char *store_duration(struct cli_options *options, const char *value) {
    options->sampling_option = "--duration";
    return number(value, 0.001, MOST_SECONDS, &options->duration_s)
               ? NULL
               : "a number of seconds, at least 0.001, is expected";
}

static const char *store_mode(struct cli_options *options, const char *value) {
    options->sampling_option = "--mode";
    if (strcmp(value, "wall") == 0) {
        options->mode = HASTEN_MODE_WALL;
    } else if (strcmp(value, "cpu") == 0) {
        options->mode = HASTEN_MODE_CPU;
    } else {
        options->mode = HASTEN_MODE_GIL;
    }
    return NULL;
}

static const char *store_threads(struct cli_options *options, const char *value) {
    options->sampling_option = "--threads";
    options->main_thread_only = strcmp(value, "main") == 0;
    return NULL;
}

static const char *store_blocking(struct cli_options *options, const char *value) {
    (void)value;
    options->sampling_option = "--blocking";
    options->blocking = true;
    return NULL;
}

static const char *store_trace(struct cli_options *options, const char *value) {
    (void)value;
    options->trace = true;
    return NULL;
}

static const char *store_memory(struct cli_options *options, const char *value) {
    options->memory_option = "--memory";
    options->memory = strcmp(value, "off") == 0     ? CLI_MEMORY_OFF
                      : strcmp(value, "exact") == 0 ? CLI_MEMORY_EXACT
                                                    : CLI_MEMORY_SAMPLED;
    return NULL;
}

/* "512K", "512KiB", "1M", "65536". */
static const char *store_memory_interval(struct cli_options *options, const char *value) {
    static const char *const units[] = {"", "K", "M", "G"};
    static const char complaint[] = "a size of 2 bytes to 1 GiB is expected, such as 64K or 1M";
    char *end = NULL;
    unsigned long long size = strtoull(value, &end, 10);
    if (end == value || value[0] == '-' || size > MOST_INTERVAL) {
        return complaint;
    }
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        size_t length = strlen(units[i]);
        const char *rest = end + length;
        if (strncmp(end, units[i], length) == 0 &&
            (*rest == '\0' ||
             (length > 0 && (strcmp(rest, "iB") == 0 || strcmp(rest, "B") == 0)))) {
            size <<= 10 * i;
            options->memory_option = "--memory-interval";
            options->memory_interval_bytes = size;
            return size < 2 || size > MOST_INTERVAL ? complaint : NULL;
        }
    }
    return complaint;
}

static const char *store_no_builtins(struct cli_options *options, const char *value) {
    (void)value;
    options->no_builtins = true;
    return NULL;
}

static const char *store_leaks(struct cli_options *options, const char *value) {
    (void)value;
    options->leaks = true;
    return NULL;
}

static const char *store_leaks_every(struct cli_options *options, const char *value) {
    double seconds = 0;
    options->leaks_when = value;
    return number(value, 0.01, MOST_SECONDS, &seconds)
               ? NULL
               : "a number of seconds, at least 0.01, is expected";
}

static const char *store_leaks_mark(struct cli_options *options, const char *value) {
    const char *colon = strchr(value, ':');
    options->leaks_when = value;
    bool is_named = colon != NULL && colon != value && colon[1] != '\0' && strlen(value) < 400 &&
                    strpbrk(value, "\t\n") == NULL;
    return is_named ? NULL : "MODULE:FUNCTION is expected, like app.views:index";
}

static const char *store_callers(struct cli_options *options, const char *value) {
    options->callers = value;
    return value[0] == '\0' ? "a function's name is expected" : NULL;
}

static const char *store_callees(struct cli_options *options, const char *value) {
    options->callees = value;
    return value[0] == '\0' ? "a function's name is expected" : NULL;
}

static const char *store_memory_only(struct cli_options *options, const char *value) {
    (void)value;
    options->memory_only = true;
    return NULL;
}

static const char *store_no_report(struct cli_options *options, const char *value) {
    (void)value;
    options->no_report = true;
    return NULL;
}

static const char *store_python(struct cli_options *options, const char *value) {
    options->python = value;
    return value[0] == '\0' ? "a path is expected" : NULL;
}

static const char *store_module(struct cli_options *options, const char *value) {
    options->module = value;
    return NULL;
}

static const char *store_code(struct cli_options *options, const char *value) {
    options->code = value;
    return NULL;
}

static const char *store_format(struct cli_options *options, const char *value) {
    (void)options;
    (void)value; /* there is one */
    return NULL;
}

static const char *store_json(struct cli_options *options, const char *value) {
    (void)value;
    options->json = true;
    return NULL;
}

static const char *store_sort(struct cli_options *options, const char *value) {
    options->sort = strcmp(value, "total") == 0   ? HASTEN_SORT_TOTAL
                    : strcmp(value, "calls") == 0 ? HASTEN_SORT_CALLS
                    : strcmp(value, "name") == 0  ? HASTEN_SORT_NAME
                    : strcmp(value, "file") == 0  ? HASTEN_SORT_FILE
                                                  : HASTEN_SORT_SELF;
    return NULL;
}

static const char *store_limit(struct cli_options *options, const char *value) {
    double limit = 0;
    if (!number(value, 0, 1000000, &limit) || limit != (double)(uint32_t)limit) {
        return "a whole number from 0 (all) to 1000000 is expected";
    }
    options->limit = (uint32_t)limit;
    options->has_limit = true;
    return NULL;
}

static const char *store_filter(struct cli_options *options, const char *value) {
    options->filter = value;
    return NULL;
}

static const char *store_help(struct cli_options *options, const char *value) {
    (void)value;
    options->help = true;
    return NULL;
}

#define ON_SAMPLING (CLI_ON(RUN) | CLI_ON(ATTACH))
#define ON_PROGRAMS (CLI_ON(RUN) | CLI_ON(IMPORTS))
#define ON_SHOWING (CLI_ON(RUN) | CLI_ON(ATTACH) | CLI_ON(REPORT))
#define ON_ALL ((1u << CLI_VERB_COUNT) - 1)

const struct cli_option cli_options[] = {
    {'m', NULL, "MODULE", ON_PROGRAMS, true, NULL, store_module, "run a module, as python -m does"},
    {'c', NULL, "CODE", ON_PROGRAMS, true, NULL, store_code, "run code, as python -c does"},
    {'o', "output", "FILE", ON_SAMPLING, false, NULL, store_output,
     "write the recording to FILE (default: NAME.hasten here, NAME-2.hasten when that exists)"},
    {'o', "output", "FILE", CLI_ON(EXPORT), false, NULL, store_output,
     "write to FILE, - for standard output (default: FILE.pstats for FILE.hasten)"},
    {'o', "output", "FILE", CLI_ON(IMPORTS), false, NULL, store_output,
     "write the report to FILE (default: standard error)"},
    {0, "format", "FORMAT", CLI_ON(EXPORT), false, "pstats", store_format,
     "pstats (default): what Python's pstats, snakeviz and gprof2dot read"},
    {'r', "rate", "HZ", ON_SAMPLING, false, NULL, store_rate,
     "look HZ times a second (default: 1000)"},
    {'d', "duration", "SECONDS", ON_SAMPLING, false, NULL, store_duration,
     "stop looking after SECONDS; the program goes on"},
    {0, "mode", "MODE", ON_SAMPLING, false, "wall cpu gil", store_mode,
     "wall: running and waiting (default); cpu: only threads that run; gil: only the thread "
     "that holds the GIL"},
    {0, "threads", "WHICH", ON_SAMPLING, false, "all main", store_threads,
     "all (default), or main: the main thread only"},
    {0, "blocking", NULL, ON_SAMPLING, false, NULL, store_blocking,
     "stop the program for each look: no failed samples, but it gets slower"},
    {0, "trace", NULL, CLI_ON(RUN), false, NULL, store_trace,
     "count every call instead of looking now and then: exact, but the program gets slower"},
    {0, "no-builtins", NULL, CLI_ON(RUN), false, NULL, store_no_builtins,
     "with --trace: leave out functions written in C, whose time is then their caller's"},
    {0, "leaks", NULL, CLI_ON(RUN), false, NULL, store_leaks,
     "look again and again at what the program keeps, and say what grows and what holds it"},
    {0, "leaks-every", "SECONDS", CLI_ON(RUN), false, NULL, store_leaks_every,
     "with --leaks: look every SECONDS (default: 10)"},
    {0, "leaks-mark", "MODULE:FUNCTION", CLI_ON(RUN), false, NULL, store_leaks_mark,
     "with --leaks: look at each return of that function instead"},
    {0, "lazy-imports", NULL, CLI_ON(RUN), false, NULL, cli_store_lazy_imports,
     "imports at the top of modules wait until what they import is used"},
    {0, "memory", "MODE", CLI_ON(RUN), false, "sampled exact off", store_memory,
     "sampled (default): where memory goes, by a sample of what is allocated; exact: by every "
     "block, but the program gets slower; off"},
    {0, "memory-interval", "SIZE", CLI_ON(RUN), false, NULL, store_memory_interval,
     "bytes between two samples of memory, on average (default: 512K)"},
    {0, "python", "PATH",
     ON_PROGRAMS | CLI_ON(BENCH) | CLI_ON(COMPLEXITY) | CLI_ON(CHECK) | CLI_ON(REVISION), false,
     NULL, store_python,
     "the interpreter to run (default: the virtual environment's, else the one beside hasten, "
     "else python3 on PATH)"},
    {0, "no-report", NULL, ON_SAMPLING, false, NULL, store_no_report, "only write the recording"},
    {'s', "setup", "CODE", CLI_ON(BENCH), false, NULL, cli_store_setup,
     "run this before each block, untimed; several are lines"},
    {0, "vs", "B", CLI_ON(BENCH), false, NULL, cli_store_vs,
     "compare with another statement or file (or, after --, another command)"},
    {0, "vs-python", "PATH", CLI_ON(BENCH), false, NULL, cli_store_vs_python,
     "compare with the same on another interpreter"},
    {0, "vs-env", "NAME=VALUE", CLI_ON(BENCH), false, NULL, cli_store_vs_env,
     "compare with the same where this environment variable is set"},
    {0, "vs-rev", "REV", CLI_ON(BENCH), false, NULL, cli_store_vs_rev,
     "compare with another revision of the project here: HEAD~1, main, v1.2"},
    {0, "against", "REV", CLI_ON(CHECK), false, NULL, cli_store_against,
     "compare with this revision of the project here: HEAD~1, main, v1.2"},
    {0, "threshold", "PERCENT", CLI_ON(CHECK), false, NULL, cli_store_threshold,
     "a benchmark may be slower by this much (default: as pyproject.toml says, else 1)"},
    {0, "memory-threshold", "PERCENT", CLI_ON(CHECK), false, NULL, cli_store_memory_threshold,
     "a benchmark may need more memory by this much (default: likewise, else 5)"},
    {0, "budget", "SECONDS", CLI_ON(CHECK), false, NULL, cli_store_check_budget,
     "time for a benchmark (default: likewise, else 10; less where it is clear before)"},
    {0, "allow-different", NULL, CLI_ON(CHECK), false, NULL, cli_store_allow_different,
     "benchmarks may return something else than they did"},
    {0, "strict", NULL, CLI_ON(CHECK), false, NULL, cli_store_strict,
     "exit with 2 where a benchmark's verdict is unclear"},
    {0, "history", NULL, CLI_ON(CHECK), false, NULL, cli_store_history,
     "measure nothing: show what was recorded, and where it changed"},
    {0, "record", NULL, CLI_ON(CHECK), false, NULL, cli_store_record,
     "append what is measured to the history"},
    {0, "history-file", "FILE", CLI_ON(CHECK), false, NULL, cli_store_history_file,
     "where the history is (default: as pyproject.toml says, else hasten-history.jsonl)"},
    {0, "fail-if-worse", NULL, CLI_ON(CHECK), false, NULL, cli_store_fail_if_worse,
     "with --history: exit with 1 where a benchmark's last change made it worse"},
    {0, "junit", "FILE", CLI_ON(CHECK), false, NULL, cli_store_junit,
     "write the verdicts as JUnit XML, too"},
    {0, "github", NULL, CLI_ON(CHECK), false, NULL, cli_store_github,
     "annotations and a summary for GitHub Actions (default where GITHUB_ACTIONS=true)"},
    {0, "install", "CMD", CLI_ON(BENCH) | CLI_ON(CHECK) | CLI_ON(REVISION), false, NULL,
     cli_store_install,
     "how a revision is installed (default: tool.hasten.install in pyproject.toml, else pip "
     "where there is something to install)"},
    {0, "budget", "SECONDS", CLI_ON(BENCH), false, NULL, cli_store_budget,
     "time for a benchmark: 30, 30s, 2m (default: 10; less where it is clear before)"},
    {0, "timeout", "SECONDS", CLI_ON(BENCH) | CLI_ON(CHECK), false, NULL, cli_store_timeout,
     "a block that takes longer hangs (default: 60)"},
    {0, "sizes", "SIZES", CLI_ON(COMPLEXITY), false, NULL, cli_store_sizes,
     "100..100000 (doubled again and again), or 10,20,50 (default: from 4 on, as far as the "
     "budget goes)"},
    {0, "generate", "MODULE:FUNCTION", CLI_ON(COMPLEXITY), false, NULL, cli_store_generate,
     "makes the input of a size; a tuple is all arguments (default: the size itself is the "
     "argument)"},
    {0, "memory", NULL, CLI_ON(COMPLEXITY), false, NULL, cli_store_complexity_memory,
     "also how much memory a call needs at its peak"},
    {0, "budget", "SECONDS", CLI_ON(COMPLEXITY), false, NULL, cli_store_budget,
     "time for all of it: 30, 30s, 2m (default: 10; less where it is clear before)"},
    {0, "timeout", "SECONDS", CLI_ON(COMPLEXITY), false, NULL, cli_store_timeout,
     "a size that takes longer hangs, and is the last (default: 60)"},
    {0, "margin", "PERCENT", CLI_ON(BENCH), false, NULL, cli_store_margin,
     "what differs by less is the same (default: 1)"},
    {0, "gc", NULL, CLI_ON(BENCH) | CLI_ON(CHECK), false, NULL, cli_store_gc,
     "leave the garbage collector on; without, it runs before each block and not in it"},
    {0, "count", "WHAT", CLI_ON(BENCH), false, "instructions bytecodes", cli_store_count,
     "count too: instructions (by Valgrind) or bytecodes (CPython 3.12 and later); may be given "
     "twice"},
    {0, "unroll", NULL, CLI_ON(BENCH), false, NULL, cli_store_unroll,
     "of a statement: subtract what the loop around it takes, for times of a few ns"},
    {0, "html", "FILE", CLI_ON(BENCH), false, NULL, cli_store_html,
     "also write a page of the results, with pictures"},
    {0, "no-memory", NULL, CLI_ON(BENCH), false, NULL, cli_store_no_memory,
     "do not count memory, for which a few more executions are needed"},
    {0, "unused", NULL, CLI_ON(IMPORTS), false, NULL, cli_store_unused,
     "only what was never used, and the way there"},
    {0, "depth", "N", CLI_ON(IMPORTS), false, NULL, cli_store_depth,
     "levels of the tree that are shown, 0 for all (default: all)"},
    {0, "limit", "N", CLI_ON(IMPORTS), false, NULL, store_limit,
     "modules that are shown, those with the most time; 0 for all (default: 40; all in JSON)"},
    {0, "json", NULL,
     CLI_ON(IMPORTS) | CLI_ON(REPORT) | CLI_ON(DOCTOR) | CLI_ON(BENCH) | CLI_ON(COMPLEXITY) |
         CLI_ON(CHECK) | CLI_ON(REVISION),
     false, NULL, store_json, "JSON instead of text"},
    {0, "sort", "BY", ON_SHOWING, false, "self total calls name file", store_sort,
     "order of the tables: self (default), total, calls (of a traced program), name or file"},
    {0, "limit", "N", ON_SHOWING, false, NULL, store_limit,
     "rows a table, 0 for all (default: 15; all in JSON)"},
    {0, "filter", "TEXT", ON_SHOWING, false, NULL, store_filter,
     "only functions and lines whose \"file:name\" contains TEXT"},
    {0, "callers", "NAME", CLI_ON(REPORT), false, NULL, store_callers,
     "who called the functions whose name contains NAME, and how often"},
    {0, "callees", "NAME", CLI_ON(REPORT), false, NULL, store_callees,
     "whom the functions whose name contains NAME called, and how often"},
    {0, "memory", NULL, CLI_ON(REPORT), false, NULL, store_memory_only,
     "only the chapter on memory, with all its rows"},
    {'h', "help", NULL, ON_ALL, false, NULL, store_help, "show this help"},
};
const size_t cli_option_count = sizeof cli_options / sizeof *cli_options;

/* Examples in these texts are run by tests/cli/test_cli_examples.py. */
static const char *const usages[CLI_VERB_COUNT] = {
    [CLI_VERB_RUN] = "hasten run [OPTIONS] SCRIPT [ARGS...]\n"
                     "hasten run [OPTIONS] -m MODULE [ARGS...]\n"
                     "hasten run [OPTIONS] -c CODE [ARGS...]\n"
                     "hasten run [OPTIONS] -- COMMAND [ARGS...]\n",
    [CLI_VERB_ATTACH] = "hasten attach [OPTIONS] PID\n",
    [CLI_VERB_REPORT] = "hasten report [OPTIONS] FILE\n",
    [CLI_VERB_EXPORT] = "hasten export [OPTIONS] FILE\n",
    [CLI_VERB_BENCH] = cli_bench_usage,
    [CLI_VERB_COMPLEXITY] = cli_complexity_usage,
    [CLI_VERB_CHECK] = cli_check_usage,
    [CLI_VERB_IMPORTS] = cli_imports_usage,
    [CLI_VERB_DOCTOR] = "hasten doctor [--json]\n",
    [CLI_VERB_COMPLETION] = "hasten completion bash|zsh|fish\n",
    [CLI_VERB_HELP] = "hasten help [COMMAND]\n",
    [CLI_VERB_REVISION] = "hasten revision [OPTIONS] REV\n",
};

static const char *const details[CLI_VERB_COUNT] = {
    [CLI_VERB_RUN] =
        "The program runs exactly as under python: same arguments, input, output, signals\n"
        "and exit status. It is not changed and not stopped; a second process looks at its\n"
        "memory. Python processes that it starts are recorded too. The report goes to\n"
        "standard error when the program has ended (or after -d).\n"
        "\n"
        "Memory is recorded inside the program, by a library that LD_PRELOAD loads into it\n"
        "and the programs that it starts. They do not see that.\n"
        "\n"
        "With --trace the program itself counts its calls, and nothing is estimated. Its\n"
        "interpreter must have hasten installed, and it gets slower.\n"
        "\n"
        "With --leaks the program's interpreter also looks at what it keeps, which stops\n"
        "it for about a second a million objects. A verdict takes at least four looks.\n"
        "\n"
        "Examples:\n"
        "  hasten run app.py --port 8000\n"
        "  hasten run -m json.tool data.json\n"
        "  hasten run -c 'print(sum(i * i for i in range(3000000)))'\n"
        "  hasten run -o pip.hasten -- pip list\n"
        "  hasten run --mode cpu -r 200 -d 1 app.py\n"
        "  hasten run --trace app.py\n"
        "  hasten run --leaks --leaks-every 0.5 app.py\n"
        "  hasten run --memory=exact app.py\n"
        "\n"
        "Exit status: the program's own; when a signal ended it, hasten ends by the same.\n"
        "  1    hasten failed before the program started\n"
        "  2    wrong usage\n"
        "  126  the program cannot be executed\n"
        "  127  the program was not found\n",
    [CLI_VERB_ATTACH] =
        "Watches until Ctrl-C, the end of -d or the end of the process, which is not\n"
        "changed and not stopped. Python processes that it starts are recorded too.\n"
        "Memory is not: for that the program must be started by `hasten run`.\n"
        "\n"
        "Examples:\n"
        "  hasten attach 1234\n"
        "  hasten attach -d 10 -o server.hasten 1234\n"
        "\n"
        "Exit status:\n"
        "  0  a recording was made\n"
        "  1  the process cannot be watched, or the recording cannot be written\n"
        "  2  wrong usage\n",
    [CLI_VERB_REPORT] =
        "FILE is a recording, finished or not: one that was cut short (hasten or the\n"
        "machine was stopped) shows everything up to then.\n"
        "\n"
        "Examples:\n"
        "  hasten report app.hasten\n"
        "  hasten report --sort total --limit 30 app.hasten\n"
        "  hasten report --filter parser.py app.hasten\n"
        "  hasten report --json app.hasten\n"
        "  hasten report --callers parse_line app.hasten\n"
        "  hasten report --memory app.hasten\n"
        "\n"
        "Exit status:\n"
        "  0  shown\n"
        "  1  not a recording, or not readable\n"
        "  2  wrong usage\n",
    [CLI_VERB_EXPORT] =
        "FILE is a recording. Of a traced one (hasten run --trace) the numbers are those\n"
        "that cProfile would have. A sampled one has times only: no calls were counted,\n"
        "and all numbers of calls are 0.\n"
        "\n"
        "Examples:\n"
        "  hasten export app.hasten\n"
        "  hasten export --format pstats -o app.pstats app.hasten\n"
        "\n"
        "Exit status:\n"
        "  0  written\n"
        "  1  not a recording, or not readable, or the file cannot be written\n"
        "  2  wrong usage\n",
    [CLI_VERB_BENCH] = cli_bench_details,
    [CLI_VERB_COMPLEXITY] = cli_complexity_details,
    [CLI_VERB_CHECK] = cli_check_details,
    [CLI_VERB_IMPORTS] = cli_imports_details,
    [CLI_VERB_DOCTOR] =
        "Looks at the kernel's rules for reading other processes, at the container, at the\n"
        "interpreters installed, and samples each supported one for a moment.\n"
        "\n"
        "Examples:\n"
        "  hasten doctor\n"
        "  hasten doctor --json\n"
        "\n"
        "Exit status:\n"
        "  0  a program can be run and sampled here\n"
        "  1  something is missing; the output says what\n"
        "  2  wrong usage\n",
    [CLI_VERB_COMPLETION] =
        "Prints a script that completes hasten's commands and options.\n"
        "\n"
        "Examples:\n"
        "  hasten completion bash > ~/.local/share/bash-completion/completions/hasten\n"
        "  hasten completion zsh > ~/.zfunc/_hasten\n"
        "  hasten completion fish > ~/.config/fish/completions/hasten.fish\n",
    [CLI_VERB_HELP] = "Examples:\n"
                      "  hasten help\n"
                      "  hasten help run\n",
    [CLI_VERB_REVISION] =
        "For other programs: builds that revision of the project here (. is the working\n"
        "tree as it is) where it is not built yet, and prints where it is.\n"
        "\n"
        "Exit status:\n"
        "  0  it is there\n"
        "  2  wrong usage, or it cannot be built\n",
};

/* Filled by the map, so that no verb can lack its row. */
const struct cli_verb cli_verbs[CLI_VERB_COUNT] = {
#define CLI_VERB_ROW(id, name, function, summary) {name, summary, function},
    CLI_VERB_MAP(CLI_VERB_ROW)
#undef CLI_VERB_ROW
};

const char *cli_verb_usage(enum cli_verb_id verb) {
    return usages[verb];
}

const char *cli_verb_details(enum cli_verb_id verb) {
    return details[verb];
}
