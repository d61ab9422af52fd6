/* SPDX-License-Identifier: MIT
 *
 * Writes a recording while the program runs: an append-only log of blocks
 * that stays readable whatever is killed when (docs/formats/log.md).
 *
 * A recorder is used by one thread. Definitions (process, thread, code, node)
 * are interned: the same definition gives the same identifier. After the first
 * failure to write, every call answers that failure and the file keeps what it
 * had. */
#ifndef HASTEN_RECORDER_H
#define HASTEN_RECORDER_H

#include "hasten/profile.h"

struct hasten_recorder;

struct hasten_process_info {
    uint32_t pid;
    uint32_t parent_pid;
    uint32_t python_version;
    const char *command;
    const char *executable;
    const char *label;
    uint64_t start_ns; /* since the recording's start */
};

struct hasten_code_info {
    uint32_t process;
    const char *file;
    const char *name;
    const char *qualname;
    int32_t first_line;
    const uint8_t *linetable;
    uint32_t linetable_size;
};

/* Creates `path` (replacing a file there) and writes the header.
 * `interval_ns` is the width of a slot, the unit of time of samples. */
HASTEN_CHECKED hasten_status hasten_recorder_open(const char *path, uint64_t interval_ns,
                                                  const struct hasten_allocator *allocator,
                                                  struct hasten_recorder **ret_recorder,
                                                  struct hasten_error *error);
/* Sets a fact; a later value for the same name wins. */
HASTEN_CHECKED hasten_status hasten_recorder_fact(struct hasten_recorder *recorder,
                                                  const char *name, const char *value);
HASTEN_CHECKED hasten_status hasten_recorder_process(struct hasten_recorder *recorder,
                                                     const struct hasten_process_info *info,
                                                     uint32_t *ret_process);
/* Whether the recorder has a process `process`, and which it is. */
int hasten_recorder_knows(const struct hasten_recorder *recorder, uint32_t process,
                          uint32_t *ret_pid);
HASTEN_CHECKED hasten_status hasten_recorder_process_end(struct hasten_recorder *recorder,
                                                         uint32_t process, uint64_t end_ns);
/* `name` may be NULL; set it later with hasten_recorder_thread_name. Every call
 * makes a new thread: kernel identifiers are reused. */
HASTEN_CHECKED hasten_status hasten_recorder_thread(struct hasten_recorder *recorder,
                                                    uint32_t process, uint32_t tid,
                                                    const char *name, int is_main,
                                                    uint32_t *ret_thread);
HASTEN_CHECKED hasten_status hasten_recorder_thread_name(struct hasten_recorder *recorder,
                                                         uint32_t thread, const char *name);
HASTEN_CHECKED hasten_status hasten_recorder_code(struct hasten_recorder *recorder,
                                                  const struct hasten_code_info *info,
                                                  uint32_t *ret_code);
/* The child of `parent` (0 = root) at this code and instruction. Called for
 * every frame that changed: must cost one hash look-up when known. */
HASTEN_CHECKED hasten_status hasten_recorder_node(struct hasten_recorder *recorder, uint32_t parent,
                                                  uint32_t code, uint32_t instruction,
                                                  uint32_t *ret_node);
/* `thread` was seen at `node` in slot number `slot` (never decreasing) doing
 * `state` (enum hasten_state | HASTEN_FLAG_*); the sample stands for `weight`
 * slots (at least 1: more where slots were missed). The usual call only appends
 * to a buffer in memory. */
HASTEN_CHECKED hasten_status hasten_recorder_sample(struct hasten_recorder *recorder, uint64_t slot,
                                                    uint32_t thread, uint32_t node, uint32_t state,
                                                    uint32_t weight);
/* A metric that is not a state: adds `amount` on (node, thread). */
HASTEN_CHECKED hasten_status hasten_recorder_metric(struct hasten_recorder *recorder,
                                                    const char *name, const char *unit,
                                                    const char *description, uint32_t *ret_metric);
HASTEN_CHECKED hasten_status hasten_recorder_value(struct hasten_recorder *recorder, uint32_t node,
                                                   uint32_t thread, uint32_t metric,
                                                   int64_t amount);
/* A number of a process over time ("rss.bytes"). Interned by process and name. */
HASTEN_CHECKED hasten_status hasten_recorder_series(struct hasten_recorder *recorder,
                                                    uint32_t process, const char *name,
                                                    const char *unit, const char *description,
                                                    uint32_t *ret_series);
/* `value` at `time_ns` since the recording's start, which is below 2^62 and not before
 * the last point of the series (INVALID). Of points at the same time the last counts. */
HASTEN_CHECKED hasten_status hasten_recorder_point(struct hasten_recorder *recorder,
                                                   uint32_t series, uint64_t time_ns,
                                                   int64_t value);
/* Adds all of a profile but its facts: processes and threads as new ones, the rest
 * interned. `label` is that of its first process, NULL: as it is. */
HASTEN_CHECKED hasten_status hasten_recorder_absorb(struct hasten_recorder *recorder,
                                                    const struct hasten_profile *profile,
                                                    const char *label);
/* The same where both saw the same processes: one with the pid of a process that the
 * recorder has is that process (of several the one that began nearest to it), and its
 * threads with the same kernel identifier are the last such threads there. */
HASTEN_CHECKED hasten_status hasten_recorder_join(struct hasten_recorder *recorder,
                                                  const struct hasten_profile *profile);
/* Hands what is buffered to the kernel. Call several times a second. */
HASTEN_CHECKED hasten_status hasten_recorder_flush(struct hasten_recorder *recorder);
/* Flushes and closes the file; resume opens it again. For a recorder inside the program
 * that it records, whose descriptors are the program's to close and to count: nothing may
 * be recorded in between. Both answer as every call does. */
HASTEN_CHECKED hasten_status hasten_recorder_pause(struct hasten_recorder *recorder);
HASTEN_CHECKED hasten_status hasten_recorder_resume(struct hasten_recorder *recorder);
/* Flushes, marks the log complete and closes. Frees the recorder also on failure. */
HASTEN_CHECKED hasten_status hasten_recorder_close(struct hasten_recorder *recorder,
                                                   struct hasten_error *error);
/* Gives up without writing what is buffered. */
void hasten_recorder_free(struct hasten_recorder *recorder);

#endif
