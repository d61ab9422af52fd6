/* SPDX-License-Identifier: MIT
 *
 * How a function's cost grows with the size of its input: which sizes to measure, how
 * often, and what follows.
 *
 * A *scaling* does not measure. It is asked what to do next, is told how that went, and
 * has the answer at the end, so that it is the same for a process at the other end of a
 * pipe, for a function of the program itself, and for a test that only pretends.
 *
 * First sizes grow, as long as one execution is short against the budget; steep functions
 * take smaller steps, so that a size that takes hours is never begun. How often each is
 * executed in one block is found on the way. These blocks warm the program up and do not
 * count. Then come rounds, every size once in an order by chance, until the answer is
 * clear or the budget is used: what else the machine does in the meantime meets large
 * sizes as often as small ones. Memory, where wanted, comes last, because counting it
 * costs time.
 *
 * What others do on the machine only ever makes slower, so the least of several rounds is
 * nearest to the truth; but where the inputs differ it would be that of the luckiest one. So
 * inputs are drawn at random three times only, rounds use these draws in turns, and a size's
 * time is the mean of the least of each draw. */
#ifndef HASTEN_SCALING_SCALING_H
#define HASTEN_SCALING_SCALING_H

#include <stdint.h>

#include "core/base/allocator.h"
#include "core/stats/models.h"
#include "hasten/status.h"

#define HASTEN_SCALING_MOST_SIZES HASTEN_MODELS_MOST_POINTS
#define HASTEN_SCALING_MOST_ROUNDS 41

struct hasten_scaling_options {
    /* Ascending, each at least 1; none: they grow from 4 as long as the budget allows. */
    const uint64_t *sizes;
    size_t size_count;
    double budget_s;
    double patience_s; /* sizes given are left out from where one would take longer */
    bool wants_memory;
    uint64_t seed;
    double cache_bytes; /* of the processor's second level; 0: unknown */
};

enum hasten_ask_kind { HASTEN_ASK_NOTHING, HASTEN_ASK_TIME, HASTEN_ASK_MEMORY };

struct hasten_ask {
    enum hasten_ask_kind kind;
    uint64_t size;
    uint64_t executions; /* of TIME; fewer may be made */
    uint32_t draw;       /* inputs of the same draw shall be the same, as far as chance goes */
};

struct hasten_timed {
    uint64_t executions; /* made */
    double spent_ns;     /* by all of them, without the loop and the clock */
    double whole_s;      /* with making their inputs */
    double input_bytes;  /* of one; 0: unknown */
    bool is_fresh;       /* each execution had an input of its own */
};

/* Why sizes end where they do. */
enum hasten_scaling_end {
    HASTEN_END_ALL,    /* those given, or the largest that is tried unasked */
    HASTEN_END_BUDGET, /* a larger one would take too much of the budget or of memory */
    HASTEN_END_RAISED, /* the function raised at end_size */
    HASTEN_END_HUNG,   /* or took longer than is allowed */
};

struct hasten_scaling_row {
    uint64_t size;
    uint64_t executions; /* a block */
    uint32_t rounds;
    double time_ns; /* of one execution */
    double error;   /* standard deviation of that, as a share */
    double input_bytes;
    bool is_fresh;
    bool has_memory;
    double memory_bytes; /* at the peak of one execution, above what was there before */
};

struct hasten_scaling_result {
    size_t row_count;
    struct hasten_scaling_row rows[HASTEN_SCALING_MOST_SIZES];
    uint32_t rounds;
    double spent_s;
    enum hasten_scaling_end end;
    uint64_t end_size;
    struct hasten_verdict time;
    bool has_memory;
    struct hasten_verdict memory;
};

struct hasten_scaling;

/* INVALID where the sizes do not ascend from 1, LIMIT where there are too many. */
HASTEN_CHECKED hasten_status hasten_scaling_new(const struct hasten_allocator *allocator,
                                                const struct hasten_scaling_options *options,
                                                struct hasten_scaling **ret_scaling,
                                                struct hasten_error *error);
void hasten_scaling_free(struct hasten_scaling *scaling);

/* What to do at `now_s`, seconds since the beginning. After NOTHING there is a result. */
struct hasten_ask hasten_scaling_next(struct hasten_scaling *scaling, double now_s);
/* How what was asked for went; one of these, once. */
void hasten_scaling_tell_time(struct hasten_scaling *scaling, const struct hasten_timed *timed);
void hasten_scaling_tell_memory(struct hasten_scaling *scaling, double bytes);
void hasten_scaling_tell_failure(struct hasten_scaling *scaling, bool is_hung);

/* Valid as long as the scaling is. Before the end: of what is known so far. */
const struct hasten_scaling_result *hasten_scaling_result(const struct hasten_scaling *scaling);

/* A column of the result as points for hasten_classify; answers how many. */
size_t hasten_scaling_points(const struct hasten_scaling_result *result, bool of_memory,
                             double cache_bytes, struct hasten_cost *ret_points);

#endif
