/* SPDX-License-Identifier: MIT
 *
 * The recorder and the finishing of recordings under a load like that of a real
 * program: 4 threads that walk over a tree of some 20 000 stacks, 29 deep.
 *
 *   recording record FILE SAMPLES PER_FLUSH   writes a log
 *   recording scatter FILE SAMPLES PER_FLUSH  the same with stacks at random
 *   recording finalize FILE                   makes it the SQLite form
 *   recording load FILE                       reads it
 *
 * Each prints one line of JSON with its time, CPU and largest memory. recording.py
 * runs them. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "hasten/recorder.h"
#include "hasten/recording.h"

#define THREADS 4
#define NODES 20000
#define CODES 800
#define FLOOR 22 /* depth of the frames that never change: start-up, main loop */
#define DEEPEST 44
#define MODEL_SEED 88172645463325252u

struct tree {
    uint32_t parent[NODES];
    uint32_t depth[NODES];
    uint32_t first_child[NODES + 1]; /* into `children` */
    uint32_t children[NODES];
    uint32_t node[NODES]; /* the recorder's */
};

static uint64_t random_state = MODEL_SEED;

static uint32_t random_u32(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 16);
}

static uint32_t below(uint32_t limit) {
    return (uint32_t)((uint64_t)random_u32() * limit >> 32);
}

static void die(const char *what, const struct hasten_error *error) {
    fprintf(stderr, "recording: %s: %s\n", what, error == NULL ? "" : error->message);
    exit(1);
}

static void must(hasten_status status, const char *what) {
    if (status != HASTEN_OK) {
        fprintf(stderr, "recording: %s: %s\n", what, hasten_status_sentence(status));
        exit(1);
    }
}

/* A spine of FLOOR frames, then chains of calls that begin anywhere below it. */
static void make_tree(struct tree *tree) {
    uint32_t chain = 0;
    for (uint32_t i = 1; i < NODES; i++) {
        /* Half of the nodes are another instruction or callee of the same caller. */
        uint32_t parent = i > FLOOR + 1 && below(2) == 0 ? tree->parent[i - 1] : i - 1;
        if (i > FLOOR && (chain == 0 || tree->depth[parent] >= DEEPEST)) {
            do {
                parent = FLOOR + below(i - FLOOR);
            } while (tree->depth[parent] > 36 ||
                     (i > 1000 && tree->depth[parent] < 28 && below(20) != 0));
            chain = 8 + below(16);
        }
        chain -= chain > 0;
        tree->parent[i] = parent;
        tree->depth[i] = tree->depth[parent] + 1;
        tree->first_child[parent + 1]++;
    }
    for (uint32_t i = 0; i < NODES; i++) {
        tree->first_child[i + 1] += tree->first_child[i];
    }
    uint32_t *filled = calloc(NODES, sizeof *filled);
    for (uint32_t i = 1; filled != NULL && i < NODES; i++) {
        uint32_t parent = tree->parent[i];
        tree->children[tree->first_child[parent] + filled[parent]++] = i;
    }
    free(filled);
}

static uint32_t child_count(const struct tree *tree, uint32_t at) {
    return tree->first_child[at + 1] - tree->first_child[at];
}

/* Down to where the program spends time: some children are hotter. */
static uint32_t descend(const struct tree *tree, uint32_t at) {
    while (child_count(tree, at) > 0 && (tree->depth[at] < 28 || below(8) != 0)) {
        uint32_t count = child_count(tree, at);
        uint32_t choice = below(4) == 0 ? below(below(count) + 1) : below(count);
        at = tree->children[tree->first_child[at] + choice];
    }
    return at;
}

/* Where the thread is a moment later: often the same place, often near by. With
 * `scattered` it is anywhere, which no program does: the worst there can be. */
static uint32_t step(const struct tree *tree, uint32_t at, bool scattered) {
    uint32_t chance = below(100);
    if (scattered) {
        return 1 + below(NODES - 1);
    }
    if (chance < 25) {
        return at;
    }
    uint32_t up = chance < 60 ? 1 : chance < 85 ? 1 + below(4) : 4 + below(20);
    while (up-- > 0 && tree->depth[at] > FLOOR) {
        at = tree->parent[at];
    }
    return descend(tree, at);
}

static void define(struct hasten_recorder *recorder, struct tree *tree, uint32_t *threads) {
    static uint8_t linetable[300];
    uint32_t process = 0;
    uint32_t codes[CODES];
    const struct hasten_process_info info = {
        .pid = 1000, .python_version = 0x030d00f0, .command = "python app.py", .label = "main"};
    must(hasten_recorder_process(recorder, &info, &process), "process");
    for (uint32_t i = 0; i < THREADS; i++) {
        must(hasten_recorder_thread(recorder, process, 1000 + i, "worker", i == 0, &threads[i]),
             "thread");
    }
    for (uint32_t i = 0; i < CODES; i++) {
        char file[64];
        char name[64];
        snprintf(file, sizeof file, "/usr/lib/python3/site-packages/app/module_%u.py", i / 12);
        snprintf(name, sizeof name, "Class%u.method_%u", i / 5, i);
        for (size_t k = 0; k < sizeof linetable; k += 3) { /* one-line entries, as usual */
            linetable[k] = (uint8_t)(0x80 | 11 << 3 | below(4));
            linetable[k + 1] = (uint8_t)below(40);
            linetable[k + 2] = (uint8_t)(40 + below(40));
        }
        const struct hasten_code_info code = {.process = process,
                                              .file = file,
                                              .name = name,
                                              .qualname = name,
                                              .first_line = (int32_t)(1 + i % 12 * 40),
                                              .linetable = linetable,
                                              .linetable_size = sizeof linetable};
        must(hasten_recorder_code(recorder, &code, &codes[i]), "code");
    }
    for (uint32_t i = 1; i < NODES; i++) {
        must(hasten_recorder_node(recorder, tree->node[tree->parent[i]], codes[below(CODES)],
                                  below(200), &tree->node[i]),
             "node");
    }
}

/* The largest resident size of this program. (getrusage also counts what was
 * there before it was executed.) */
static long largest_memory(void) {
    long kilobytes = 0;
    char line[128];
    FILE *file = fopen("/proc/self/status", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "VmHWM: %ld", &kilobytes) == 1) {
            break;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return kilobytes * 1024;
}

static void report(uint64_t wall_ns, uint64_t cpu_ns, const char *more) {
    printf("{\"wall_s\": %.4f, \"cpu_s\": %.4f, \"rss_bytes\": %ld%s}\n", (double)wall_ns / 1e9,
           (double)cpu_ns / 1e9, largest_memory(), more);
}

static void record(const char *path, uint64_t count, uint64_t per_flush, bool scattered) {
    struct hasten_error error;
    struct hasten_recorder *recorder = NULL;
    struct tree *tree = calloc(1, sizeof *tree);
    uint32_t threads[THREADS] = {0};
    uint32_t at[THREADS] = {0};
    uint64_t recording_ns = 0;
    uint64_t repeats = 0;
    uint64_t depth = 0;
    if (tree == NULL) {
        die("out of memory", NULL);
    }
    make_tree(tree);
    if (hasten_recorder_open(path, 1000000, NULL, &recorder, &error) != HASTEN_OK) {
        die("open", &error);
    }
    define(recorder, tree, threads);
    for (uint32_t i = 0; i < THREADS; i++) {
        at[i] = descend(tree, FLOOR);
    }
    /* The walk is prepared outside of what is timed. */
    enum { BATCH = 4096 };
    static uint32_t walked[BATCH];
    uint64_t cpu_ns = 0;
    for (uint64_t done = 0; done < count; done += BATCH) {
        uint64_t batch = count - done < BATCH ? count - done : BATCH;
        for (uint64_t i = 0; i < batch; i++) {
            uint32_t before = at[i % THREADS];
            at[i % THREADS] = step(tree, before, scattered);
            walked[i] = at[i % THREADS];
            repeats += walked[i] == before;
            depth += tree->depth[walked[i]];
        }
        uint64_t start_ns = hasten_clock_monotonic_ns();
        uint64_t start_cpu_ns = hasten_clock_process_cpu_ns();
        for (uint64_t i = 0; i < batch; i++) {
            uint32_t thread = (uint32_t)(i % THREADS);
            /* The holder of the GIL changes now and then. */
            uint32_t state = (done / BATCH + thread) % THREADS == 0 ? HASTEN_STATE_RUNNING_GIL
                                                                    : HASTEN_STATE_WAIT_GIL;
            must(hasten_recorder_sample(recorder, (done + i) / THREADS, threads[thread],
                                        tree->node[walked[i]], state, 1),
                 "sample");
            if ((done + i + 1) % per_flush == 0) {
                must(hasten_recorder_flush(recorder), "flush");
            }
        }
        recording_ns += hasten_clock_monotonic_ns() - start_ns;
        cpu_ns += hasten_clock_process_cpu_ns() - start_cpu_ns;
    }
    if (hasten_recorder_close(recorder, &error) != HASTEN_OK) {
        die("close", &error);
    }
    free(tree);
    char more[160];
    snprintf(more, sizeof more, ", \"samples\": %llu, \"repeated\": %.3f, \"depth\": %.1f",
             (unsigned long long)count, (double)repeats / (double)count,
             (double)depth / (double)count);
    report(recording_ns, cpu_ns, more);
}

static void finalize(const char *path) {
    struct hasten_error error;
    uint64_t start_ns = hasten_clock_monotonic_ns();
    if (hasten_recording_finalize(path, NULL, &error) != HASTEN_OK) {
        die("finalize", &error);
    }
    report(hasten_clock_monotonic_ns() - start_ns, hasten_clock_process_cpu_ns(), "");
}

static void load(const char *path) {
    struct hasten_error error;
    struct hasten_profile *profile = NULL;
    uint64_t start_ns = hasten_clock_monotonic_ns();
    if (hasten_recording_load(path, NULL, &profile, &error) != HASTEN_OK) {
        die("load", &error);
    }
    char more[160];
    snprintf(more, sizeof more, ", \"nodes\": %zu, \"values\": %zu", profile->node_count,
             profile->value_count);
    report(hasten_clock_monotonic_ns() - start_ns, hasten_clock_process_cpu_ns(), more);
    hasten_profile_free(profile);
}

int main(int count, char **arguments) {
    bool scattered = count == 5 && strcmp(arguments[1], "scatter") == 0;
    if (count == 5 && (scattered || strcmp(arguments[1], "record") == 0)) {
        record(arguments[2], strtoull(arguments[3], NULL, 10), strtoull(arguments[4], NULL, 10),
               scattered);
    } else if (count == 3 && strcmp(arguments[1], "finalize") == 0) {
        finalize(arguments[2]);
    } else if (count == 3 && strcmp(arguments[1], "load") == 0) {
        load(arguments[2]);
    } else {
        fprintf(stderr, "usage: recording (record|scatter FILE SAMPLES PER_FLUSH | finalize FILE | "
                        "load FILE)\n");
        return 2;
    }
    return 0;
}
