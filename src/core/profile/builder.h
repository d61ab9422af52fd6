/* SPDX-License-Identifier: MIT
 *
 * Puts a profile together from definitions that come one by one, and is the one
 * place where they are validated: an index refers to what was added before, a
 * string is text, a count stays under its limit.
 *
 * Every call answers OK, NO_MEMORY, LIMIT or INVALID; for the last two
 * `complaint` says what was wrong. The builder owns the profile until
 * hasten_builder_take; text and tables given to it are copied. */
#ifndef HASTEN_PROFILE_BUILDER_H
#define HASTEN_PROFILE_BUILDER_H

#include "core/base/map.h"
#include "hasten/profile.h"

/* Limits of a recording, in items and bytes; far above what a run makes and low
 * enough that a hostile file cannot exhaust the machine quietly. */
#define HASTEN_LIMIT_STRINGS (1u << 24)
#define HASTEN_LIMIT_FACTS (1u << 12)
#define HASTEN_LIMIT_PROCESSES (1u << 18)
#define HASTEN_LIMIT_THREADS (1u << 20)
#define HASTEN_LIMIT_CODES (1u << 22)
#define HASTEN_LIMIT_NODES (1u << 24)
#define HASTEN_LIMIT_METRICS (1u << 12)
#define HASTEN_LIMIT_VALUES (1u << 25)
#define HASTEN_LIMIT_SERIES (1u << 19)
#define HASTEN_LIMIT_POINTS (1u << 24) /* of all series */
#define HASTEN_LIMIT_STRING_BYTES (1u << 20)
#define HASTEN_LIMIT_LINETABLE_BYTES (1u << 22)
#define HASTEN_LIMIT_TOTAL_BYTES ((uint64_t)1 << 30) /* strings and tables together */

struct hasten_profile_storage;

struct hasten_builder {
    const struct hasten_allocator *allocator;
    struct hasten_profile *profile;
    struct hasten_profile_storage *storage;
    struct hasten_map strings;   /* hash of the text -> string */
    struct hasten_map functions; /* (file, qualname, first line) -> function */
    struct hasten_map series;    /* hash of the name, on top of the process -> series */
    uint64_t total_bytes;
    uint64_t point_count;
    const char *complaint;
};

HASTEN_CHECKED hasten_status hasten_builder_init(struct hasten_builder *builder,
                                                 const struct hasten_allocator *allocator);
/* Frees what was built and not taken. */
void hasten_builder_done(struct hasten_builder *builder);
/* Hands the profile over; the builder is only good for hasten_builder_done after. */
struct hasten_profile *hasten_builder_take(struct hasten_builder *builder);

/* Adds a string under the next index, also when there is an equal one. */
HASTEN_CHECKED hasten_status hasten_builder_string(struct hasten_builder *builder, const char *text,
                                                   size_t size);
/* Finds or adds. */
HASTEN_CHECKED hasten_status hasten_builder_intern(struct hasten_builder *builder, const char *text,
                                                   size_t size, uint32_t *ret_string);
/* Sets a fact; a later value for the same name wins. */
HASTEN_CHECKED hasten_status hasten_builder_fact(struct hasten_builder *builder, uint32_t name,
                                                 uint32_t value);
HASTEN_CHECKED hasten_status hasten_builder_fact_text(struct hasten_builder *builder,
                                                      const char *name, size_t name_size,
                                                      const char *value, size_t value_size);
HASTEN_CHECKED hasten_status hasten_builder_process(struct hasten_builder *builder,
                                                    const struct hasten_process *process);
HASTEN_CHECKED hasten_status hasten_builder_thread(struct hasten_builder *builder,
                                                   const struct hasten_thread *thread);
HASTEN_CHECKED hasten_status hasten_builder_thread_name(struct hasten_builder *builder,
                                                        uint32_t thread, uint32_t name);
HASTEN_CHECKED hasten_status hasten_builder_process_end(struct hasten_builder *builder,
                                                        uint32_t process, uint64_t end_ns);
/* `code->function` is not read: codes are grouped here. */
HASTEN_CHECKED hasten_status hasten_builder_code(struct hasten_builder *builder,
                                                 const struct hasten_code *code);
HASTEN_CHECKED hasten_status hasten_builder_node(struct hasten_builder *builder,
                                                 const struct hasten_node *node);
/* The name must be new. */
HASTEN_CHECKED hasten_status hasten_builder_metric(struct hasten_builder *builder,
                                                   const struct hasten_metric *metric);
/* Finds the metric by name or adds it. */
HASTEN_CHECKED hasten_status hasten_builder_metric_named(struct hasten_builder *builder,
                                                         const char *name, const char *unit,
                                                         const char *description,
                                                         uint32_t *ret_metric);
HASTEN_CHECKED hasten_status hasten_builder_value(struct hasten_builder *builder,
                                                  const struct hasten_value *value);
/* Adds a series without points; none before has its process and name. */
HASTEN_CHECKED hasten_status hasten_builder_series(struct hasten_builder *builder,
                                                   const struct hasten_series *series);
/* Times of a series do not decrease; of points at the same time the last counts. */
HASTEN_CHECKED hasten_status hasten_builder_point(struct hasten_builder *builder, uint32_t series,
                                                  uint64_t time_ns, int64_t value);
/* Whether the three indexes of a value or sample exist. */
bool hasten_builder_has(const struct hasten_builder *builder, uint32_t node, uint32_t thread);

#endif
