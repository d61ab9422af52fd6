/* SPDX-License-Identifier: MIT
 *
 * hasten complexity: a process that executes the function, asked size by size as
 * core/scaling wants it. */
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "cli/bench/process.h"
#include "cli/complexity/show.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/python.h"
#include "cli/screen.h"
#include "cli/signals.h"
#include "core/base/clock.h"
#include "core/report/text.h"
#include "core/scaling/words.h"

#define EXIT_NOT_MEASURED CLI_EXIT_USAGE
#define MOST_ANSWER 512

struct complexity_run {
    const struct cli_options *options;
    struct bench_side side;
    struct bench_process process;
    struct hasten_scaling *scaling;
    uint64_t start_ns;
    uint64_t seed;
    char reason[MOST_ANSWER]; /* of the last exception, in one line; "": none */
    bool shows_progress;
};

static double elapsed_s(const struct complexity_run *run) {
    return (double)(hasten_clock_monotonic_ns() - run->start_ns) / 1e9;
}

static bool start(struct complexity_run *run) {
    struct bench_chance chance = {.hash_seed = 1 + (uint32_t)(run->seed % (UINT32_MAX - 1))};
    if (!bench_process_start(&run->process, &run->side, &chance, run->options->bench.timeout_s)) {
        return false;
    }
    bool done = bench_process_ready(&run->process);
    if (!done && run->process.is_late) {
        cli_say("complexity: %s: its module was not imported in time; --timeout allows more",
                run->side.label);
    }
    return done;
}

static void show_progress(const struct complexity_run *run, const struct hasten_ask *ask) {
    if (run->shows_progress) {
        double left_s = run->options->bench.budget_s - elapsed_s(run);
        fprintf(stderr, "\r\x1b[Khasten: %.60s: n = %" PRIu64 ", at most %.0f s left",
                run->side.label, ask->size, left_s < 0 ? 0 : left_s);
    }
}

/* What the process says of one ask. False where it is of no use. */
static bool take_answer(struct complexity_run *run, const struct hasten_ask *ask,
                        const char *answer) {
    double numbers[5] = {0};
    int count = sscanf(answer, "ok %lf %lf %lf %lf %lf", &numbers[0], &numbers[1], &numbers[2],
                       &numbers[3], &numbers[4]);
    if (ask->kind == HASTEN_ASK_MEMORY && count == 1) {
        hasten_scaling_tell_memory(run->scaling, numbers[0]);
        return true;
    }
    if (ask->kind == HASTEN_ASK_TIME && count == 5 && numbers[0] >= 1 && numbers[1] >= 0) {
        struct hasten_timed timed = {.executions = (uint64_t)numbers[0],
                                     .spent_ns = numbers[1],
                                     .whole_s = numbers[2] / 1e9,
                                     .input_bytes = numbers[3],
                                     .is_fresh = numbers[4] != 0};
        hasten_scaling_tell_time(run->scaling, &timed);
        return true;
    }
    if (strncmp(answer, "raised ", 7) == 0) {
        snprintf(run->reason, sizeof run->reason, "%s", answer + 7);
        hasten_scaling_tell_failure(run->scaling, false);
        return true;
    }
    cli_say("complexity: %s: answered something else", run->side.label);
    return false;
}

/* One ask. A size that hangs costs the process; another one goes on with smaller sizes. */
static bool execute(struct complexity_run *run, const struct hasten_ask *ask) {
    char question[80], answer[MOST_ANSWER];
    if (ask->kind == HASTEN_ASK_MEMORY) {
        snprintf(question, sizeof question, "memory %" PRIu64 "\n", ask->size);
    } else {
        snprintf(question, sizeof question, "time %" PRIu64 " %" PRIu64 " %" PRIu32 "\n", ask->size,
                 ask->executions, ask->draw);
    }
    if (bench_process_ask(&run->process, question, answer, sizeof answer)) {
        return take_answer(run, ask, answer);
    }
    if (!run->process.is_late) {
        return false;
    }
    hasten_scaling_tell_failure(run->scaling, true);
    return start(run);
}

static bool measure(struct complexity_run *run) {
    run->start_ns = hasten_clock_monotonic_ns();
    for (;;) {
        struct hasten_ask ask = hasten_scaling_next(run->scaling, elapsed_s(run));
        if (ask.kind == HASTEN_ASK_NOTHING) {
            return true;
        }
        show_progress(run, &ask);
        if (cli_signals_stop_asked() || !execute(run, &ask)) {
            return false;
        }
    }
}

/* Too little to say anything: why. */
static bool is_measured(struct complexity_run *run) {
    const struct hasten_scaling_result *result = hasten_scaling_result(run->scaling);
    char answer[MOST_ANSWER];
    if (result->row_count >= HASTEN_MODELS_LEAST_POINTS || result->end == HASTEN_END_ALL) {
        return true;
    }
    if (result->end == HASTEN_END_RAISED) {
        cli_say("complexity: %s: it raised an exception at n = %" PRIu64 ": %s", run->side.label,
                result->end_size, run->reason);
        (void)!bench_process_ask(&run->process, "explain\n", answer, sizeof answer);
        return false;
    }
    if (result->end == HASTEN_END_HUNG) {
        cli_say("complexity: %s: n = %" PRIu64 " did not come to an end in time; --timeout allows "
                "more, --sizes smaller ones",
                run->side.label, result->end_size);
        return false;
    }
    cli_say("complexity: %s: after %zu sizes the budget was used up; --budget allows more, "
            "--sizes smaller ones",
            run->side.label, result->row_count);
    return false;
}

static bool show(const struct complexity_run *run) {
    const struct hasten_scaling_result *result = hasten_scaling_result(run->scaling);
    struct hasten_buffer out;
    hasten_buffer_init(&out, NULL);
    if (run->options->json) {
        complexity_json(&out, run->side.label, result);
    } else {
        struct hasten_report_options screen = cli_screen(STDOUT_FILENO, run->options);
        hasten_text_safe(&out, run->side.label, strlen(run->side.label), screen.unicode);
        hasten_buffer_text(&out, "\n");
        hasten_scaling_text(&out, result, screen.columns, screen.unicode);
        if (run->reason[0] != '\0') {
            hasten_buffer_text(&out, "the exception: ");
            hasten_text_safe(&out, run->reason, strlen(run->reason), screen.unicode);
            hasten_buffer_text(&out, "\n");
        }
    }
    bool is_whole = !out.failed;
    if (is_whole) {
        fwrite(out.data, 1, out.size, stdout);
    } else {
        cli_say("complexity: out of memory");
    }
    hasten_buffer_done(&out);
    return is_whole;
}

/* What is measured, by which interpreter. */
static bool prepare(struct complexity_run *run, char *python, size_t size) {
    const struct cli_options *options = run->options;
    const char *wanted = options->python;
    if (options->argument_count != 1 || strrchr(options->arguments[0], ':') == NULL) {
        cli_say("complexity: MODULE:FUNCTION or FILE.py:FUNCTION is expected; "
                "`hasten help complexity` shows how");
        return false;
    }
    if (!cli_python_choose(wanted, python, size)) {
        cli_say("complexity: no interpreter%s%s found; --python PATH names one",
                wanted == NULL ? "" : " ", wanted == NULL ? "" : wanted);
        return false;
    }
    run->side = (struct bench_side){
        .kind = BENCH_GROWING,
        .python = python,
        .file = options->arguments[0],
        .generate = options->complexity.generate == NULL ? "" : options->complexity.generate,
    };
    snprintf(run->side.label, sizeof run->side.label, "%.250s", options->arguments[0]);
    if (getrandom(&run->seed, sizeof run->seed, GRND_NONBLOCK) != (ssize_t)sizeof run->seed) {
        run->seed = hasten_clock_wall_ns() ^ (uint64_t)getpid() << 40;
    }
    long cache = sysconf(_SC_LEVEL2_CACHE_SIZE);
    struct hasten_scaling_options scaling = {
        .sizes = options->complexity.sizes,
        .size_count = options->complexity.size_count,
        .budget_s = options->bench.budget_s,
        .patience_s = options->bench.timeout_s,
        .wants_memory = options->complexity.wants_memory,
        .seed = run->seed,
        .cache_bytes = cache > 0 ? (double)cache : 0,
    };
    struct hasten_error error;
    if (hasten_scaling_new(NULL, &scaling, &run->scaling, &error) != HASTEN_OK) {
        cli_say("complexity: %s", error.message);
        return false;
    }
    return true;
}

int cmd_complexity(const struct cli_options *options) {
    struct complexity_run run = {.options = options,
                                 .process = {.errors = -1}, /* none: standard input is not it */
                                 .shows_progress = isatty(STDERR_FILENO) == 1};
    char python[PATH_MAX];
    cli_signals_catch_stop();
    bool done = prepare(&run, python, sizeof python) && start(&run) && measure(&run);
    if (run.shows_progress) {
        fputs("\r\x1b[K", stderr);
    }
    done = done && is_measured(&run) && show(&run);
    bench_process_end(&run.process);
    hasten_scaling_free(run.scaling);
    if (cli_signals_stop_asked()) {
        cli_signals_die_by(SIGINT);
    }
    return done ? CLI_EXIT_OK : EXIT_NOT_MEASURED;
}
