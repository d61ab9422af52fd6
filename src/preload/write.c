/* SPDX-License-Identifier: MIT
 *
 * From the book to the part: a log of this process alone, which the command puts into the
 * recording at the end. What is written each time is by how much amounts changed. The
 * file is open only while it is written: descriptors are the program's business. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/os/process.h"
#include "core/recording/part_names.h"
#include "preload/heap.h"

#define INTERVAL_NS 500000000u
/* Writing takes no more of the time than one part in this. */
#define LEAST_REST 20

static const char *const metric_names[HASTEN_HEAP_COUNTS][2] = {
#define METRIC_NAMES(name) {"heap." #name ".bytes", "heap." #name ".blocks"},
    HASTEN_HEAP_COUNT_MAP(METRIC_NAMES)
#undef METRIC_NAMES
};
static const char *const metric_texts[HASTEN_HEAP_COUNTS] = {
    [HASTEN_HEAP_allocated] = "memory allocated",
    [HASTEN_HEAP_live] = "memory allocated and not freed by the end",
    [HASTEN_HEAP_peak] = "memory that was in use when most was",
    [HASTEN_HEAP_temporary] = ("memory freed by the thread that allocated it before that had "
                               "allocated another 64 KiB, or four times the block's size"),
};

static uint64_t since_start(const struct hasten_heap *heap) {
    uint64_t now_ns = hasten_clock_monotonic_ns();
    return now_ns > heap->start_ns ? now_ns - heap->start_ns : 0;
}

static hasten_status write_head(struct hasten_heap *heap) {
    static char command[4096], executable[4096]; /* guarded by the lock */
    if (hasten_process_command(heap->pid, command, sizeof command) != HASTEN_OK) {
        command[0] = '\0';
    }
    if (hasten_process_executable(heap->pid, executable, sizeof executable) != HASTEN_OK) {
        executable[0] = '\0';
    }
    const struct hasten_process_info info = {
        .pid = heap->pid,
        .parent_pid = (uint32_t)getppid(),
        .python_version = heap->python.version_hex,
        .command = command,
        .executable = executable,
        .label = heap->label,
        .start_ns = since_start(heap),
    };
    hasten_status status = hasten_recorder_process(heap->recorder, &info, &heap->process);
    for (int count = 0; count < HASTEN_HEAP_COUNTS; count++) {
        for (int unit = 0; unit < 2 && status == HASTEN_OK; unit++) {
            status = hasten_recorder_metric(heap->recorder, metric_names[count][unit],
                                            unit == 0 ? "bytes" : "1", metric_texts[count],
                                            &heap->metrics[count][unit]);
        }
    }
    if (status == HASTEN_OK) {
        status = hasten_recorder_series(heap->recorder, heap->process, "heap.live.bytes", "bytes",
                                        "memory that is allocated", &heap->series);
    }
    return status;
}

/* The path of the part that was begun last. */
static const char *part_path(const struct hasten_heap *heap, const char *state) {
    static char paths[2][PATH_MAX + 64]; /* guarded by the lock */
    char *path = paths[state[0] != '\0'];
    snprintf(path, sizeof paths[0], "%s/%u-heap-%u%s" HASTEN_PART_SUFFIX, heap->folder, heap->pid,
             heap->parts, state);
    return path;
}

/* A process that begins a second program (exec) has a part for each. */
static hasten_status open_part(struct hasten_heap *heap) {
    do {
        heap->parts++;
    } while (access(part_path(heap, ""), F_OK) == 0);
    hasten_status status = hasten_recorder_open(part_path(heap, ""), 1, &heap->book.arena.allocator,
                                                &heap->recorder, NULL);
    if (status != HASTEN_OK) {
        heap->recorder = NULL;
        return status;
    }
    return write_head(heap);
}

/* What was written before stays readable, and the program goes on. The part's name tells
 * the command why there is no more. */
static void give_up(struct hasten_heap *heap, hasten_status status) {
    const char *state = status == HASTEN_NO_SPACE ? HASTEN_PART_FULL : HASTEN_PART_FAILED;
    hasten_recorder_free(heap->recorder);
    heap->recorder = NULL;
    heap->is_closed = true;
    (void)rename(part_path(heap, ""), part_path(heap, state)); /* or there is none any more */
}

static hasten_status write_threads(struct hasten_heap *heap) {
    hasten_status status = HASTEN_OK;
    for (size_t i = 0; i < heap->book.thread_count && status == HASTEN_OK; i++) {
        struct hasten_heap_thread *thread = &heap->book.threads[i];
        if (thread->recorded == HASTEN_NONE) {
            status = hasten_recorder_thread(heap->recorder, heap->process, thread->tid, "",
                                            thread->tid == heap->pid, &thread->recorded);
        }
    }
    return status;
}

static hasten_status write_codes(struct hasten_heap *heap) {
    struct hasten_code_table *codes = &heap->book.codes;
    void *ids = heap->book.code_ids;
    if (hasten_grow(&heap->book.arena.allocator, &ids, &heap->book.code_capacity, codes->count,
                    sizeof(uint32_t)) != 0) {
        return HASTEN_NO_MEMORY;
    }
    heap->book.code_ids = ids;
    hasten_status status = HASTEN_OK;
    for (size_t i = codes->written; i < codes->count && status == HASTEN_OK; i++) {
        const struct hasten_code_text *text = &codes->fresh[i - codes->written];
        const struct hasten_code_info info = {
            .process = heap->process,
            .file = codes->texts.data + text->file,
            .name = codes->texts.data + text->name,
            .qualname = codes->texts.data + text->qualname,
            .first_line = text->first_line,
            .linetable = (const uint8_t *)codes->texts.data + text->linetable,
            .linetable_size = (uint32_t)text->linetable_size,
        };
        status = hasten_recorder_code(heap->recorder, &info, &heap->book.code_ids[i]);
    }
    hasten_code_table_forget(codes);
    return status;
}

static hasten_status write_node(struct hasten_heap *heap, size_t index) {
    const struct hasten_heap_node *node = &heap->book.sites.nodes[index];
    uint32_t *recorded = heap->book.nodes;
    if (node->parent == index) {
        recorded[index] = 0; /* a thread's root */
        return HASTEN_OK;
    }
    if (node->code == HASTEN_CODE_NATIVE) {
        uint32_t code;
        hasten_status status = hasten_natives_record(heap, node->place, &code);
        return status != HASTEN_OK ? status
                                   : hasten_recorder_node(heap->recorder, recorded[node->parent],
                                                          code, 0, &recorded[index]);
    }
    return hasten_recorder_node(heap->recorder, recorded[node->parent],
                                heap->book.code_ids[node->code], (uint32_t)node->place,
                                &recorded[index]);
}

static hasten_status write_nodes(struct hasten_heap *heap) {
    struct hasten_heap_book *book = &heap->book;
    void *nodes = book->nodes;
    if (hasten_grow(&book->arena.allocator, &nodes, &book->node_capacity, book->sites.node_count,
                    sizeof(uint32_t)) != 0) {
        return HASTEN_NO_MEMORY;
    }
    book->nodes = nodes;
    hasten_status status = HASTEN_OK;
    for (; book->nodes_written < book->sites.node_count && status == HASTEN_OK;
         book->nodes_written++) {
        status = write_node(heap, book->nodes_written);
    }
    hasten_natives_forget(&book->natives);
    return status;
}

/* The thread whose root is above a node. */
static uint32_t thread_of(const struct hasten_heap_book *book, uint32_t index) {
    const struct hasten_heap_node *nodes = book->sites.nodes;
    while (nodes[index].parent != index) {
        index = nodes[index].parent;
    }
    return book->threads[nodes[index].code].recorded;
}

static hasten_status write_site(struct hasten_heap *heap, uint32_t index) {
    struct hasten_heap_book *book = &heap->book;
    struct hasten_heap_amount counts[HASTEN_HEAP_COUNTS];
    struct hasten_heap_written *written = &book->sites_written[index];
    uint32_t node = book->sites.sites[index].node;
    uint32_t thread = HASTEN_NONE;
    hasten_status status = HASTEN_OK;
    hasten_sites_counts(&book->sites, index, counts);
    for (int count = 0; count < HASTEN_HEAP_COUNTS; count++) {
        const double amounts[2] = {counts[count].bytes, counts[count].blocks};
        for (int unit = 0; unit < 2; unit++) {
            int64_t amount = (int64_t)(amounts[unit] + (amounts[unit] < 0 ? -0.5 : 0.5));
            int64_t growth = amount - written->amounts[count][unit];
            if (growth == 0 || status != HASTEN_OK) {
                continue;
            }
            thread = thread == HASTEN_NONE ? thread_of(book, node) : thread;
            status = hasten_recorder_value(heap->recorder, book->nodes[node], thread,
                                           heap->metrics[count][unit], growth);
            written->amounts[count][unit] = amount;
        }
    }
    return status;
}

static hasten_status write_sites(struct hasten_heap *heap) {
    struct hasten_heap_book *book = &heap->book;
    void *written = book->sites_written;
    size_t before = book->site_capacity;
    if (hasten_grow(&book->arena.allocator, &written, &book->site_capacity, book->sites.site_count,
                    sizeof *book->sites_written) != 0) {
        return HASTEN_NO_MEMORY;
    }
    book->sites_written = written;
    for (size_t i = before; i < book->site_capacity; i++) {
        book->sites_written[i] = (struct hasten_heap_written){0};
    }
    hasten_status status = HASTEN_OK;
    for (uint32_t i = 0; i < book->sites.site_count && status == HASTEN_OK; i++) {
        status = write_site(heap, i);
    }
    return status;
}

static hasten_status write_points(struct hasten_heap *heap) {
    struct hasten_heap_book *book = &heap->book;
    hasten_status status = HASTEN_OK;
    for (size_t i = 0; i < book->point_count && status == HASTEN_OK; i++) {
        status = hasten_recorder_point(heap->recorder, heap->series, book->points[i].time_ns,
                                       (int64_t)book->points[i].live_bytes);
    }
    book->point_count = 0;
    return status;
}

static hasten_status write_facts(struct hasten_heap *heap, enum hasten_heap_reason reason) {
    hasten_status status = hasten_recorder_fact(heap->recorder, "heap.end",
                                                reason == HASTEN_HEAP_GOES_ON ? "none" : "known");
    if (status == HASTEN_OK && heap->book.sites.folded) {
        status = hasten_recorder_fact(heap->recorder, "heap.folded", "1");
    }
    if (status == HASTEN_OK && heap->python.state == HASTEN_PYTHON_REFUSED) {
        status = hasten_recorder_fact(heap->recorder, "heap.refused", "1");
    }
    if (status == HASTEN_OK && reason != HASTEN_HEAP_GOES_ON) {
        status = hasten_recorder_process_end(heap->recorder, heap->process, since_start(heap));
    }
    return status;
}

static hasten_status write_all(struct hasten_heap *heap, enum hasten_heap_reason reason) {
    hasten_status status =
        heap->recorder == NULL ? open_part(heap) : hasten_recorder_resume(heap->recorder);
    if (status == HASTEN_OK) {
        status = write_threads(heap);
    }
    if (status == HASTEN_OK) {
        status = write_codes(heap);
    }
    if (status == HASTEN_OK) {
        status = write_nodes(heap);
    }
    if (status == HASTEN_OK) {
        status = write_sites(heap);
    }
    if (status == HASTEN_OK) {
        status = write_points(heap);
    }
    if (status == HASTEN_OK) {
        status = write_facts(heap, reason);
    }
    if (status != HASTEN_OK) {
        return status;
    }
    if (reason == HASTEN_HEAP_ENDS) {
        status = hasten_recorder_close(heap->recorder, NULL);
        heap->recorder = NULL;
        heap->is_closed = true;
        return status;
    }
    return hasten_recorder_pause(heap->recorder);
}

struct task {
    struct hasten_heap *heap;
    enum hasten_heap_reason reason;
};

static void run(void *argument) {
    const struct task *task = argument;
    struct hasten_heap *heap = task->heap;
    uint64_t before_ns = hasten_clock_monotonic_ns();
    hasten_status status = write_all(heap, task->reason);
    if (status != HASTEN_OK) {
        give_up(heap, status);
    }
    uint64_t after_ns = hasten_clock_monotonic_ns();
    uint64_t rest_ns = (after_ns - before_ns) * LEAST_REST;
    heap->write_ns = after_ns + (rest_ns > INTERVAL_NS ? rest_ns : INTERVAL_NS);
}

/* A file that may not grow any more (RLIMIT_FSIZE) is told by a signal, which would end
 * the program for what is not its doing. */
static void swallow_size_signal(void) {
    const struct timespec now = {0, 0};
    sigset_t size_signal;
    sigemptyset(&size_signal);
    sigaddset(&size_signal, SIGXFSZ);
    (void)sigtimedwait(&size_signal, NULL, &now);
}

void hasten_heap_write(struct hasten_heap *heap, enum hasten_heap_reason reason) {
    struct task task = {heap, reason};
    sigset_t all, before, pending;
    if (heap->is_closed || heap->pid != (uint32_t)getpid()) {
        return; /* a copy of this process that was not made by fork() */
    }
    sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &before);
    bool was_pending = sigpending(&pending) == 0 && sigismember(&pending, SIGXFSZ) == 1;
    hasten_stack_call(run, &task);
    if (heap->is_closed && !was_pending) {
        swallow_size_signal();
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void hasten_heap_drop(struct hasten_heap *heap) {
    struct hasten_heap_book *book = &heap->book;
    const struct hasten_allocator *allocator = &book->arena.allocator;
    hasten_recorder_free(heap->recorder);
    heap->recorder = NULL;
    hasten_sites_done(&book->sites);
    hasten_code_table_done(&book->codes);
    hasten_natives_done(&book->natives);
    hasten_release(allocator, book->stack.frames,
                   book->stack.capacity * sizeof *book->stack.frames);
    hasten_release(allocator, book->threads, book->thread_capacity * sizeof *book->threads);
    hasten_release(allocator, book->nodes, book->node_capacity * sizeof *book->nodes);
    hasten_release(allocator, book->code_ids, book->code_capacity * sizeof *book->code_ids);
    hasten_release(allocator, book->sites_written,
                   book->site_capacity * sizeof *book->sites_written);
    hasten_heap_begin(heap);
}
