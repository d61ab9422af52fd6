/* SPDX-License-Identifier: MIT
 *
 * The pipe to a side's process, and commands as blocks. */
#include "cli/bench/process.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/bench/spawn.h"
#include "cli/message.h"
#include "cli/signals.h"
#include "core/base/clock.h"

/* program.py, made into C by tools/embed.py. */
extern const char bench_program[];
/* python/hasten/_growing.py likewise. */
extern const char growing_program[];

#define MOST_ERROR_TEXT 65536
#define MOST_ERRORS_SHOWN 4096

/* What a process writes on its standard error is shown where it fails. It would bury the
 * results of others: a command is run many times. */
static void open_errors(struct bench_process *process) {
    process->errors = memfd_create("hasten-errors", MFD_CLOEXEC);
}

static void close_errors(struct bench_process *process) {
    if (process->errors >= 0) {
        close(process->errors);
    }
    process->errors = -1;
}

/* The end of it. */
static void show_errors(const struct bench_process *process) {
    char text[MOST_ERRORS_SHOWN];
    off_t size = process->errors >= 0 ? lseek(process->errors, 0, SEEK_END) : 0;
    off_t from = size > MOST_ERRORS_SHOWN ? size - MOST_ERRORS_SHOWN : 0;
    ssize_t got = size > 0 ? pread(process->errors, text, sizeof text, from) : 0;
    if (got > 0) {
        fwrite(text, 1, (size_t)got, stderr);
        fputs(text[got - 1] == '\n' ? "" : "\n", stderr);
    }
}

void bench_process_end(struct bench_process *process) {
    close_errors(process);
    if (process->pid > 0) {
        if (process->to >= 0) {
            close(process->to);
        }
        close(process->from);
        bench_kill(process->pid);
        process->pid = 0;
    }
}

static bool is_quiet(const struct bench_process *process) {
    return process->chance.instrument != NULL && process->chance.instrument->is_quiet;
}

const char *bench_verb(const struct bench_side *side) {
    return side->verb != NULL ? side->verb : side->kind == BENCH_GROWING ? "complexity" : "bench";
}

/* Says what is wrong with the side; ends it. */
static bool fail(struct bench_process *process, const char *what) {
    if (!cli_signals_stop_asked() && !is_quiet(process)) {
        cli_say("%s: %s: %s", bench_verb(process->side), process->side->label, what);
        show_errors(process);
    }
    bench_process_end(process);
    return false;
}

/* Waits for bytes and puts them behind those that are pending. */
static bool more(struct bench_process *process, uint64_t deadline_ns) {
    size_t room = sizeof process->pending - process->pending_size;
    for (;;) {
        uint64_t now_ns = hasten_clock_monotonic_ns();
        struct pollfd event = {process->from, POLLIN, 0};
        if (now_ns >= deadline_ns) {
            process->is_late = true;
            if (process->side->kind == BENCH_GROWING) {
                bench_process_end(process); /* what it means depends on the size */
                return false;
            }
            return fail(process, "did not come to an end in time; --timeout allows more");
        }
        uint64_t left_ms = (deadline_ns - now_ns) / 1000000 + 1;
        int got = poll(&event, 1, left_ms > BENCH_LOOK_MS ? BENCH_LOOK_MS : (int)left_ms);
        if (cli_signals_stop_asked()) {
            return fail(process, "stopped");
        }
        if (got > 0) {
            break;
        }
    }
    ssize_t size = read(process->from, process->pending + process->pending_size, room);
    if (size <= 0) {
        return fail(process, "the process ended before its time: it exited or was killed");
    }
    process->pending_size += (size_t)size;
    return true;
}

static void take(struct bench_process *process, size_t size) {
    process->pending_size -= size;
    memmove(process->pending, process->pending + size, process->pending_size);
}

/* Hands on an exception's text. */
static bool show_error(struct bench_process *process, size_t size, uint64_t deadline_ns) {
    size = size < MOST_ERROR_TEXT ? size : MOST_ERROR_TEXT;
    if (!is_quiet(process)) {
        fprintf(stderr, "hasten: %s: %s raised an exception\n", bench_verb(process->side),
                process->side->label);
    }
    while (size > 0) {
        if (process->pending_size == 0 && !more(process, deadline_ns)) {
            return false;
        }
        size_t part = process->pending_size < size ? process->pending_size : size;
        if (!is_quiet(process)) {
            fwrite(process->pending, 1, part, stderr);
        }
        take(process, part);
        size -= part;
    }
    bench_process_end(process);
    return false;
}

/* A line, without its end. */
static bool read_line(struct bench_process *process, uint64_t deadline_ns, char *ret_line,
                      size_t size) {
    for (;;) {
        char *end = memchr(process->pending, '\n', process->pending_size);
        if (end != NULL) {
            size_t length = (size_t)(end - process->pending);
            size_t kept = length < size ? length : size - 1;
            memcpy(ret_line, process->pending, kept);
            ret_line[kept] = '\0';
            take(process, length + 1);
            break;
        }
        if (process->pending_size == sizeof process->pending) {
            return fail(process, "wrote something else where an answer was expected");
        }
        if (!more(process, deadline_ns)) {
            return false;
        }
    }
    size_t bytes = 0;
    if (sscanf(ret_line, "error %zu", &bytes) == 1) {
        return show_error(process, bytes, deadline_ns);
    }
    return true;
}

static uint64_t deadline_of(const struct bench_process *process) {
    return hasten_clock_monotonic_ns() + (uint64_t)(process->patience_s * 1e9);
}

static void write_flags(const struct bench_process *process, char *ret_flags, size_t size) {
    const struct bench_instrument *instrument = process->chance.instrument;
    snprintf(ret_flags, size, "%s,%s,%s", process->side->leaves_gc_on ? "gc" : "no-gc",
             instrument != NULL ? "counted" : "timed",
             process->side->unrolls && instrument == NULL ? "unroll" : "plain");
}

/* Words before the interpreter's or command's at most, and of a command that has such. */
#define MOST_PREFIX 8
#define MOST_WORDS 1000

static size_t write_prefix(const struct bench_process *process, const char **ret_words) {
    const struct bench_instrument *instrument = process->chance.instrument;
    size_t used = 0;
    while (instrument != NULL && instrument->prefix != NULL && used < MOST_PREFIX &&
           instrument->prefix[used] != NULL) {
        ret_words[used] = instrument->prefix[used];
        used++;
    }
    return used;
}

/* Starts python on the program with these words after the descriptors. */
static bool start_python(struct bench_process *process, const char *const words[4]) {
    const struct bench_side *side = process->side;
    int there[2] = {-1, -1}, back[2] = {-1, -1};
    char read_end[16], write_end[16], flags[64];
    if (pipe2(there, O_CLOEXEC) != 0 || pipe2(back, O_CLOEXEC) != 0) {
        cli_say("%s: no pipe for %s: %s", bench_verb(side), side->label, strerror(errno));
        if (there[0] >= 0) {
            close(there[0]);
            close(there[1]);
        }
        return false;
    }
    snprintf(read_end, sizeof read_end, "%d", there[0]);
    snprintf(write_end, sizeof write_end, "%d", back[1]);
    const char *program = side->kind == BENCH_GROWING ? growing_program : bench_program;
    const char *arguments[MOST_PREFIX + 11];
    size_t used = write_prefix(process, arguments);
    write_flags(process, flags, sizeof flags);
    const char *const own[] = {side->python, "-c", program, read_end, write_end, flags};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        arguments[used++] = own[i];
    }
    for (size_t i = 0; i < 4; i++) {
        arguments[used++] = words[i];
    }
    arguments[used] = NULL;
    const int keep[2] = {there[0], back[1]};
    open_errors(process);
    bool started = bench_spawn(side, &process->chance, (char *const *)arguments, keep,
                               process->errors, &process->pid);
    close(there[0]);
    close(back[1]);
    process->to = there[1];
    process->from = back[0];
    process->pending_size = 0;
    if (!started) {
        process->pid = 0;
        close(process->to);
        close(process->from);
        close_errors(process);
    }
    return started;
}

bool bench_process_start(struct bench_process *process, const struct bench_side *side,
                         const struct bench_chance *chance, double patience_s) {
    char parameter[16];
    *process = (struct bench_process){.side = side,
                                      .chance = *chance,
                                      .patience_s = patience_s,
                                      .digest = "-",
                                      .changed = "-",
                                      .errors = -1};
    if (side->kind == BENCH_COMMAND) {
        return true;
    }
    snprintf(parameter, sizeof parameter, "%" PRIu32, side->parameter);
    const char *statement[4] = {"statement", side->setup, side->statement, NULL};
    const char *function[4] = {"function", side->file, side->function, parameter};
    const char *growing[4] = {side->file, side->generate, NULL, NULL};
    return start_python(process, side->kind == BENCH_GROWING     ? growing
                                 : side->kind == BENCH_STATEMENT ? statement
                                                                 : function);
}

bool bench_process_ready(struct bench_process *process) {
    char line[128];
    process->prints = false;
    if (process->side->kind == BENCH_COMMAND) {
        return true;
    }
    if (!read_line(process, deadline_of(process), line, sizeof line)) {
        return false;
    }
    int prints = 0;
    int words = sscanf(line, "ready %15s %d %63s", process->digest, &prints, process->changed);
    if (words != (process->side->kind == BENCH_GROWING ? 1 : 3)) {
        return fail(process, "answered something else when it started");
    }
    process->prints = prints != 0;
    return true;
}

bool bench_process_answers(const struct bench_process *process) {
    struct pollfd event = {process->from, POLLIN, 0};
    return process->side->kind == BENCH_COMMAND || poll(&event, 1, 0) != 0;
}

/* One run of a command, from fork to its end. */
static bool run_command(struct bench_process *process, struct bench_block *ret_block) {
    const struct bench_side *side = process->side;
    const int keep[2] = {-1, -1};
    struct rusage usage;
    pid_t pid = 0;
    int status = 0;
    char what[64];
    char *arguments[MOST_PREFIX + MOST_WORDS + 1];
    size_t used = write_prefix(process, (const char **)arguments);
    char **words = side->command;
    for (size_t i = 0; used > 0 && side->command[i] != NULL; i++) {
        if (i == MOST_WORDS) {
            return fail(process, "has too many words to be counted in");
        }
        arguments[used++] = side->command[i];
    }
    if (used > 0) {
        arguments[used] = NULL;
        words = arguments;
    }
    open_errors(process);
    uint64_t start_ns = hasten_clock_monotonic_ns();
    if (!bench_spawn(side, &process->chance, words, keep, process->errors, &pid)) {
        close_errors(process);
        return false;
    }
    if (!bench_wait(pid, process->patience_s, &status, &usage)) {
        bench_kill(pid);
        return fail(process, "did not come to an end in time; --timeout allows more");
    }
    uint64_t end_ns = hasten_clock_monotonic_ns();
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        snprintf(what, sizeof what, "%s %d", WIFEXITED(status) ? "exited with" : "died of signal",
                 WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
        return fail(process, what);
    }
    close_errors(process);
    *ret_block = (struct bench_block){
        .each_ns = (double)(end_ns - start_ns),
        .switches = (uint32_t)usage.ru_nivcsw,
        .peak_kb = (uint64_t)usage.ru_maxrss,
    };
    return true;
}

static bool run_block(struct bench_process *process, const char *what, uint64_t loops,
                      struct bench_block *ret_block) {
    char line[128];
    struct bench_block block = {0};
    uint64_t stolen = bench_stolen_ticks();
    if (process->side->kind == BENCH_COMMAND) {
        if (!run_command(process, &block)) {
            return false;
        }
    } else {
        uint64_t spent_ns = 0;
        int size = snprintf(line, sizeof line, "%s %" PRIu64 "\n", what, loops);
        if (write(process->to, line, (size_t)size) != size) {
            return fail(process, "the process ended before its time: it exited or was killed");
        }
        if (!read_line(process, deadline_of(process), line, sizeof line)) {
            return false;
        }
        if (sscanf(line, "ok %" SCNu64 " %" SCNu32 " %" SCNu32, &spent_ns, &block.switches,
                   &block.collections) != 3) {
            return fail(process, "answered something else after a block");
        }
        /* A clock that did not move: half of its step. */
        block.each_ns = (spent_ns == 0 ? 0.5 : (double)spent_ns) / (double)loops;
    }
    block.stolen_ticks = (uint32_t)(bench_stolen_ticks() - stolen);
    *ret_block = block;
    return true;
}

bool bench_process_block(struct bench_process *process, uint64_t loops,
                         struct bench_block *ret_block) {
    return run_block(process, "run", loops, ret_block);
}

bool bench_process_empty(struct bench_process *process, uint64_t loops) {
    struct bench_block block;
    return run_block(process, "empty", loops, &block);
}

bool bench_process_count(struct bench_process *process, const char *what, int64_t *ret_number) {
    char line[128];
    int size = snprintf(line, sizeof line, "count %s\n", what);
    if (write(process->to, line, (size_t)size) != size) {
        return fail(process, "the process ended before its time: it exited or was killed");
    }
    if (!read_line(process, deadline_of(process), line, sizeof line)) {
        return false;
    }
    if (sscanf(line, "counted %" SCNd64, ret_number) != 1) {
        return fail(process, "answered something else after counting");
    }
    return true;
}

bool bench_process_finish(struct bench_process *process) {
    int status = 0;
    struct rusage usage;
    close(process->to);
    process->to = -1;
    if (!bench_wait(process->pid, process->patience_s, &status, &usage)) {
        return fail(process, "did not come to an end in time; --timeout allows more");
    }
    close(process->from);
    close_errors(process);
    process->pid = 0;
    return true;
}

bool bench_process_ask(struct bench_process *process, const char *question, char *ret_answer,
                       size_t size) {
    size_t length = strlen(question);
    if (write(process->to, question, length) != (ssize_t)length) {
        return fail(process, "the process ended before its time: it exited or was killed");
    }
    return read_line(process, deadline_of(process), ret_answer, size);
}

bool bench_process_list(const struct bench_side *side, const char *what, double patience_s,
                        bench_found *found, void *context) {
    struct bench_process process = {.side = side, .patience_s = patience_s, .errors = -1};
    const char *const words[4] = {what, side->file, NULL, NULL};
    char line[512];
    if (!start_python(&process, words)) {
        return false;
    }
    for (;;) {
        char function[200];
        uint32_t parameter = 0;
        int label = 0;
        if (!read_line(&process, deadline_of(&process), line, sizeof line)) {
            return false;
        }
        if (strcmp(line, "end") == 0) {
            break;
        }
        if (sscanf(line, "name %199s %" SCNu32 " %n", function, &parameter, &label) != 2) {
            return fail(&process, "has a benchmark that cannot be used");
        }
        if (!found(context, function, parameter, line + label)) {
            bench_process_end(&process); /* it has said why */
            return false;
        }
    }
    bench_process_end(&process);
    return true;
}
