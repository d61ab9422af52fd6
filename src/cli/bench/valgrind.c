/* SPDX-License-Identifier: MIT
 *
 * Of two processes one executes 2n times and loops n times without executing, the other
 * the other way round: they differ by n executions without the loop around them, for
 * starting, warming up and ending are the same in both. Two processes are the same to about
 * ten instructions where hash seed, environment and addresses are. */
#include "cli/bench/valgrind.h"

#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/bench/process.h"
#include "cli/message.h"

/* Executions for the difference: so many blocks' worth, some 20 million instructions. */
#define BLOCKS 5
/* A program under Valgrind takes 15 to 60 times as long. */
#define SLOWNESS 100
/* Where cachegrind has the sum in its file: in the last line. */
#define TAIL_SIZE 256

bool bench_valgrind_is_there(void) {
    char path[PATH_MAX];
    const char *folders = getenv("PATH");
    while (folders != NULL && *folders != '\0') {
        size_t size = strcspn(folders, ":");
        snprintf(path, sizeof path, "%.*s/valgrind", (int)size, folders);
        if (access(path, X_OK) == 0) {
            return true;
        }
        folders += size + (folders[size] == ':');
    }
    return false;
}

/* One process: its folder, into which cachegrind writes a file for it and for each that it
 * starts. */
struct count_run {
    char folder[PATH_MAX];
    char out_option[PATH_MAX + 32];
    char *prefix[7];
    struct bench_instrument instrument;
    struct bench_process process;
};

static bool begin(struct count_run *run, const struct bench_side *side, double patience_s) {
    const char *temporary = getenv("TMPDIR");
    int size = snprintf(run->folder, sizeof run->folder, "%s/hasten-count-XXXXXX",
                        temporary == NULL || temporary[0] == '\0' ? "/tmp" : temporary);
    run->process = (struct bench_process){.errors = -1};
    if (size >= (int)sizeof run->folder || mkdtemp(run->folder) == NULL) {
        run->folder[0] = '\0';
        cli_say("bench: no folder for Valgrind's files can be made; TMPDIR names another place");
        return false;
    }
    snprintf(run->out_option, sizeof run->out_option, "--cachegrind-out-file=%s/%%p", run->folder);
    char *const words[] = {"valgrind",
                           "--tool=cachegrind",
                           "--cache-sim=no",
                           run->out_option,
                           "--trace-children=yes",
                           "--log-file=/dev/null",
                           NULL};
    memcpy(run->prefix, words, sizeof words);
    run->instrument = (struct bench_instrument){.prefix = run->prefix, .is_fixed = true};
    const struct bench_chance chance = {.hash_seed = 0, .instrument = &run->instrument};
    return bench_process_start(&run->process, side, &chance, SLOWNESS * patience_s);
}

/* Adds what one file has; false where it has no sum: its process was killed. */
static bool add_file(const char *path, uint64_t *sum) {
    char tail[TAIL_SIZE + 1];
    FILE *file = fopen(path, "re");
    uint64_t instructions = 0;
    if (file == NULL) {
        return false;
    }
    size_t size = 0;
    if (fseek(file, -TAIL_SIZE, SEEK_END) == 0 || fseek(file, 0, SEEK_SET) == 0) {
        size = fread(tail, 1, TAIL_SIZE, file);
    }
    fclose(file);
    tail[size] = '\0';
    const char *summary = strstr(tail, "summary: ");
    if (summary == NULL || sscanf(summary, "summary: %" SCNu64, &instructions) != 1) {
        return false;
    }
    *sum += instructions;
    return true;
}

/* Sums up the folder's files, and removes it. */
static uint64_t collect(struct count_run *run) {
    uint64_t sum = 0;
    DIR *folder = run->folder[0] == '\0' ? NULL : opendir(run->folder);
    struct dirent *entry;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        char path[PATH_MAX + 300];
        if (entry->d_name[0] != '.') {
            snprintf(path, sizeof path, "%s/%s", run->folder, entry->d_name);
            (void)add_file(path, &sum);
            (void)unlink(path);
        }
    }
    if (folder != NULL) {
        closedir(folder);
        (void)rmdir(run->folder);
    }
    return sum;
}

/* Both have run both loops before. */
static bool execute(struct count_run *run, uint64_t loops, uint64_t executed, uint64_t empty) {
    struct bench_process *process = &run->process;
    struct bench_block block;
    return bench_process_ready(process) && bench_process_block(process, loops, &block) &&
           bench_process_empty(process, loops) && bench_process_block(process, executed, &block) &&
           bench_process_empty(process, empty) && bench_process_finish(process);
}

static bool count_executions(const struct bench_side *side, uint64_t loops, double patience_s,
                             double *ret_instructions) {
    struct count_run *runs = calloc(2, sizeof *runs);
    if (runs == NULL) {
        cli_say("bench: out of memory");
        return false;
    }
    runs[0].process.errors = runs[1].process.errors = -1;
    /* Both start at the same time: that takes longest. */
    bool done = begin(&runs[0], side, patience_s) && begin(&runs[1], side, patience_s) &&
                execute(&runs[0], loops, loops, 2 * loops) &&
                execute(&runs[1], loops, 2 * loops, loops);
    uint64_t sums[2];
    for (size_t i = 0; i < 2; i++) {
        bench_process_end(&runs[i].process);
        sums[i] = collect(&runs[i]);
    }
    free(runs);
    if (done && (sums[0] == 0 || sums[1] == 0)) {
        cli_say("bench: %s: Valgrind did not write what it counted: it may not know this "
                "processor's instructions, or have no room",
                side->label);
        done = false;
    }
    if (done) {
        /* An execution of nothing may come out a few below. */
        *ret_instructions = sums[1] > sums[0] ? (double)(sums[1] - sums[0]) / (double)loops : 0;
    }
    return done;
}

/* A command: one run, all of it. */
static bool count_command(const struct bench_side *side, double patience_s,
                          double *ret_instructions) {
    struct count_run *run = calloc(1, sizeof *run);
    struct bench_block block;
    if (run == NULL) {
        cli_say("bench: out of memory");
        return false;
    }
    bool done = begin(run, side, patience_s) && bench_process_block(&run->process, 1, &block);
    uint64_t sum = collect(run);
    free(run);
    if (done && sum == 0) {
        cli_say("bench: %s: Valgrind did not write what it counted", side->label);
        return false;
    }
    *ret_instructions = done ? (double)sum : 0;
    return done;
}

bool bench_valgrind_count(const struct bench_side *side, uint64_t loops, double patience_s,
                          double *ret_instructions) {
    if (side->kind == BENCH_COMMAND) {
        return count_command(side, patience_s, ret_instructions);
    }
    return count_executions(side, loops < UINT32_MAX ? BLOCKS * loops : loops, patience_s,
                            ret_instructions);
}
