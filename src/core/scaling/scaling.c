/* SPDX-License-Identifier: MIT
 *
 * The stages: growing, rounds, memory. */
#include "core/scaling/scaling.h"

#include <math.h>

#include "core/scaling/steps.h"
#include "core/stats/random.h"
#include "core/stats/summary.h"

/* Long against the clock, and short enough that as a rule every execution of a block has an
 * input of its own. */
#define BLOCK_NS 50e3
#define MOST_EXECUTIONS 1e6
/* Of the budget: growing, and the end of rounds where memory is still to come. */
#define GROWING_SHARE 0.4
#define ROUNDS_SHARE 0.9
/* A block that is longer than this share of the budget is given up, where enough are left. */
#define MOST_BLOCK_SHARE (1.0 / 25)
#define ENOUGH_SIZES 7
#define MOST_DOUBTS 3
/* Before there are as many, a verdict is luck. */
#define LEAST_ROUNDS 9
#define CLEAR 0.95
/* What one block may be off, because of the clock; and where every execution has an input
 * that was not used before, because neither that nor the function is in the cache at first:
 * swapping the ends of a list took 70 ns in blocks of 600 executions, 127 ns in blocks of
 * 11, and 600 ns one at a time. */
#define BLOCK_ERROR_NS 100
#define FRESH_BLOCK_ERROR_NS 900
/* Of what was measured: nothing is known where all of it may be error. */
#define MOST_ERROR_SHARE 0.99
/* So few rounds have no spread to speak of. */
#define UNKNOWN_ERROR 0.1
/* Of inputs. */
#define DRAWS 3
/* Fewer bytes do not matter, and go by steps of the allocators: added to each value, they
 * are part of the constant. */
#define SMALL_BYTES 4096
/* Where nothing is known: an object and the reference to it. */
#define USUAL_ITEM_BYTES 64
/* Of the second level cache: what is used beside the input, and is not ours. */
#define CACHE_SHARE 0.25
#define USUAL_CACHE_BYTES 524288.0
/* The first level cache is as a rule this part of the second. */
#define FIRST_CACHE_SHARE (1.0 / 16)

enum stage { STAGE_GROWING, STAGE_ROUNDS, STAGE_MEMORY, STAGE_DONE };

struct hasten_scaling {
    const struct hasten_allocator *allocator;
    struct hasten_scaling_options options;
    uint64_t sizes[HASTEN_SCALING_MOST_SIZES];
    struct hasten_random random;
    enum stage stage;
    double now_s;
    struct hasten_ask asked;
    struct hasten_scaling_result result;
    double samples[HASTEN_SCALING_MOST_SIZES][HASTEN_SCALING_MOST_ROUNDS]; /* ns */
    double whole_s[HASTEN_SCALING_MOST_SIZES];                             /* of a block */
    uint64_t whole_size[HASTEN_SCALING_MOST_SIZES];                        /* they were of */
    size_t order[HASTEN_SCALING_MOST_SIZES];
    size_t place; /* in the order, or of the size that grows */
    double round_began_s;
    /* Growing: what is known of the size being tried. */
    uint64_t tries;
    unsigned doubts; /* how often the end of growing was doubted */
};

hasten_status hasten_scaling_new(const struct hasten_allocator *allocator,
                                 const struct hasten_scaling_options *options,
                                 struct hasten_scaling **ret_scaling, struct hasten_error *error) {
    if (options->size_count > HASTEN_SCALING_MOST_SIZES) {
        return hasten_error_set(error, HASTEN_LIMIT, -1, "more than %d sizes",
                                HASTEN_SCALING_MOST_SIZES);
    }
    for (size_t i = 0; i < options->size_count; i++) {
        if (options->sizes[i] <= (i == 0 ? 0 : options->sizes[i - 1])) {
            return hasten_error_set(error, HASTEN_INVALID, -1,
                                    "sizes must be 1 or more, and ascend");
        }
    }
    struct hasten_scaling *scaling = hasten_allocate_zeroed(allocator, sizeof *scaling);
    if (scaling == NULL) {
        return hasten_error_set(error, HASTEN_NO_MEMORY, -1, "out of memory");
    }
    scaling->allocator = allocator;
    scaling->options = *options;
    for (size_t i = 0; i < options->size_count; i++) {
        scaling->sizes[i] = options->sizes[i];
    }
    scaling->options.sizes = NULL; /* the caller's */
    scaling->random.state = options->seed;
    scaling->result.time.doubt = HASTEN_DOUBT_TOO_FEW;
    *ret_scaling = scaling;
    return HASTEN_OK;
}

void hasten_scaling_free(struct hasten_scaling *scaling) {
    if (scaling != NULL) {
        hasten_release(scaling->allocator, scaling, sizeof *scaling);
    }
}

const struct hasten_scaling_result *hasten_scaling_result(const struct hasten_scaling *scaling) {
    return &scaling->result;
}

static double bytes_of(const struct hasten_scaling_row *row) {
    return fmax(row->input_bytes, USUAL_ITEM_BYTES * (double)row->size);
}

static enum hasten_reach reach_of(const struct hasten_scaling_row *row, double cache_bytes) {
    double cache = CACHE_SHARE * (cache_bytes > 0 ? cache_bytes : USUAL_CACHE_BYTES);
    double bytes = bytes_of(row);
    return bytes > cache                       ? HASTEN_REACH_MEMORY
           : bytes > cache * FIRST_CACHE_SHARE ? HASTEN_REACH_CACHE
                                               : HASTEN_REACH_NEAR;
}

size_t hasten_scaling_points(const struct hasten_scaling_result *result, bool of_memory,
                             double cache_bytes, struct hasten_cost *ret_points) {
    size_t count = 0;
    for (size_t i = 0; i < result->row_count; i++) {
        const struct hasten_scaling_row *row = &result->rows[i];
        if (of_memory ? !row->has_memory : !(row->time_ns > 0)) {
            continue;
        }
        ret_points[count++] = (struct hasten_cost){
            .size = (double)row->size,
            .value = of_memory ? row->memory_bytes + SMALL_BYTES : row->time_ns,
            .error = of_memory ? 0 : row->error,
            .reach = reach_of(row, cache_bytes),
        };
    }
    return count;
}

static void classify(struct hasten_scaling *scaling, bool of_memory) {
    struct hasten_cost points[HASTEN_SCALING_MOST_SIZES];
    struct hasten_scaling_result *result = &scaling->result;
    size_t count = hasten_scaling_points(result, of_memory, scaling->options.cache_bytes, points);
    *(of_memory ? &result->memory : &result->time) = hasten_classify(
        points, count, of_memory ? &hasten_tolerance_memory : &hasten_tolerance_time);
}

/* Of one size: the mean of the draws' least, and how far these are apart, as a share. */
static void reduce_row(struct hasten_scaling_row *row, const double *samples) {
    double least[DRAWS], sum = 0, squares = 0;
    size_t draws = row->rounds < DRAWS ? row->rounds : DRAWS;
    for (size_t draw = 0; draw < draws; draw++) {
        least[draw] = samples[draw];
        for (size_t r = draw + DRAWS; r < row->rounds; r += DRAWS) {
            least[draw] = fmin(least[draw], samples[r]);
        }
        sum += least[draw];
    }
    row->time_ns = sum / (double)draws;
    for (size_t draw = 0; draw < draws; draw++) {
        squares += (least[draw] / row->time_ns - 1) * (least[draw] / row->time_ns - 1);
    }
    row->error = draws < DRAWS ? UNKNOWN_ERROR : sqrt(squares / (DRAWS - 1));
}

/* Times of the rounds so far, and how well they are known. */
static void reduce_rounds(struct hasten_scaling *scaling) {
    struct hasten_scaling_result *result = &scaling->result;
    double spreads[HASTEN_SCALING_MOST_SIZES];
    size_t count = 0;
    for (size_t i = 0; i < result->row_count; i++) {
        if (result->rows[i].rounds > 0) {
            reduce_row(&result->rows[i], scaling->samples[i]);
            spreads[count++] = result->rows[i].error;
        }
    }
    /* Three values say little of how far they spread: half of what is said of all sizes. */
    double usual = hasten_median_in_place(spreads, count);
    for (size_t i = 0; i < result->row_count; i++) {
        struct hasten_scaling_row *row = &result->rows[i];
        if (row->rounds == 0) {
            continue;
        }
        double off_ns = row->is_fresh ? FRESH_BLOCK_ERROR_NS : BLOCK_ERROR_NS;
        double share = off_ns / (double)row->executions / row->time_ns;
        /* It adds to the time, and so is more of a logarithm than its share. */
        double added = -log(1 - fmin(share, MOST_ERROR_SHARE));
        row->error = hypot((row->error + usual) / 2 / sqrt(DRAWS), added);
    }
}

static void shuffle(struct hasten_scaling *scaling) {
    size_t count = scaling->result.row_count;
    for (size_t i = 0; i < count; i++) {
        size_t other = hasten_random_below(&scaling->random, (uint32_t)i + 1);
        scaling->order[i] = scaling->order[other];
        scaling->order[other] = i;
    }
    scaling->place = 0;
    scaling->round_began_s = scaling->now_s;
}

/* After the rounds. */
static void finish_times(struct hasten_scaling *scaling) {
    reduce_rounds(scaling);
    classify(scaling, false);
    bool can_go_on = scaling->options.wants_memory && scaling->result.row_count > 0;
    scaling->stage = can_go_on ? STAGE_MEMORY : STAGE_DONE;
    scaling->place = 0;
}

static void finish(struct hasten_scaling *scaling) {
    struct hasten_verdict *memory = &scaling->result.memory;
    scaling->result.has_memory = true;
    classify(scaling, true);
    for (int i = 0; i < HASTEN_GROWTH_COUNT; i++) {
        memory->fits[i].constant = fmax(memory->fits[i].constant - SMALL_BYTES, 0);
    }
    scaling->stage = STAGE_DONE;
}

/* Between rounds: whether there is another one. */
static bool rounds_are_over(struct hasten_scaling *scaling) {
    struct hasten_scaling_result *result = &scaling->result;
    double share = scaling->options.wants_memory ? ROUNDS_SHARE - 0.1 : ROUNDS_SHARE;
    double left_s = scaling->options.budget_s * share - scaling->now_s;
    double round_s = scaling->now_s - scaling->round_began_s;
    if (result->rounds == HASTEN_SCALING_MOST_ROUNDS || round_s > left_s) {
        return true;
    }
    if (result->rounds < LEAST_ROUNDS || result->rounds % DRAWS != 0) {
        return false;
    }
    reduce_rounds(scaling);
    classify(scaling, false);
    return result->time.doubt == HASTEN_DOUBT_NONE && result->time.confidence >= CLEAR;
}

static struct hasten_ask ask_time(struct hasten_scaling *scaling, uint64_t size,
                                  uint64_t executions) {
    uint32_t draw = scaling->result.rounds % DRAWS;
    scaling->asked = (struct hasten_ask){HASTEN_ASK_TIME, size, executions, draw};
    return scaling->asked;
}

/* The size after the last row's; 0: none, and the result says why. */
static uint64_t choose_size(struct hasten_scaling *scaling) {
    struct hasten_scaling_result *result = &scaling->result;
    size_t count = result->row_count;
    bool is_given = scaling->options.size_count > 0;
    struct hasten_steps steps = {.count = count};
    for (size_t i = count < 2 ? 0 : count - 2; i < count; i++) {
        steps.sizes[steps.known] = (double)result->rows[i].size;
        steps.times_s[steps.known++] = result->rows[i].time_ns / 1e9;
    }
    steps.whole_s = count == 0 ? 0 : scaling->whole_s[count - 1];
    steps.input_bytes = count == 0 ? 0 : result->rows[count - 1].input_bytes;
    if (is_given) {
        if (count == scaling->options.size_count) {
            return 0;
        }
        uint64_t size = scaling->sizes[count];
        if (hasten_steps_seconds(&steps, (double)size) > scaling->options.patience_s) {
            result->end = HASTEN_END_BUDGET;
            result->end_size = size;
            return 0;
        }
        return size;
    }
    bool is_late = scaling->now_s > GROWING_SHARE * scaling->options.budget_s;
    uint64_t size = count == HASTEN_SCALING_MOST_SIZES
                        ? 0
                        : hasten_steps_next(&steps, scaling->options.budget_s);
    if (size == 0 && !is_late && count > 0 && scaling->doubts < MOST_DOUBTS) {
        /* A block that was interrupted looks long: once more, the shorter time counts. */
        scaling->doubts++;
        result->row_count--;
        return result->rows[count - 1].size;
    }
    if (is_late || size == 0) {
        bool is_largest = count > 0 && result->rows[count - 1].size >= HASTEN_STEPS_MOST_SIZE;
        result->end = is_largest ? HASTEN_END_ALL : HASTEN_END_BUDGET;
        return 0;
    }
    return size;
}

/* A last step that was larger than foreseen would leave no time for rounds. */
static void drop_overlong(struct hasten_scaling *scaling) {
    size_t *count = &scaling->result.row_count;
    double most_s = MOST_BLOCK_SHARE * scaling->options.budget_s;
    while (scaling->options.size_count == 0 && *count > ENOUGH_SIZES &&
           scaling->whole_s[*count - 1] > most_s) {
        (*count)--;
        scaling->result.end = HASTEN_END_BUDGET;
    }
}

static struct hasten_ask next_growing(struct hasten_scaling *scaling) {
    if (scaling->tries > 0) {
        return scaling->asked; /* the same size with more executions: tell_time set it */
    }
    uint64_t size = choose_size(scaling);
    if (size > 0) {
        return ask_time(scaling, size, 1);
    }
    drop_overlong(scaling);
    scaling->stage = STAGE_ROUNDS;
    shuffle(scaling);
    return hasten_scaling_next(scaling, scaling->now_s);
}

static struct hasten_ask next_in_rounds(struct hasten_scaling *scaling) {
    struct hasten_scaling_result *result = &scaling->result;
    if (scaling->place == result->row_count && result->row_count > 0) {
        result->rounds++;
        if (!rounds_are_over(scaling)) {
            shuffle(scaling);
        }
    }
    if (scaling->place == result->row_count) {
        finish_times(scaling);
        return hasten_scaling_next(scaling, scaling->now_s);
    }
    const struct hasten_scaling_row *row = &result->rows[scaling->order[scaling->place]];
    return ask_time(scaling, row->size, row->executions);
}

struct hasten_ask hasten_scaling_next(struct hasten_scaling *scaling, double now_s) {
    scaling->now_s = now_s;
    scaling->result.spent_s = now_s;
    switch (scaling->stage) {
    case STAGE_GROWING:
        return next_growing(scaling);
    case STAGE_ROUNDS:
        return next_in_rounds(scaling);
    case STAGE_MEMORY:
        if (scaling->place < scaling->result.row_count) {
            uint64_t size = scaling->result.rows[scaling->place].size;
            scaling->asked = (struct hasten_ask){HASTEN_ASK_MEMORY, size, 1, 0};
            return scaling->asked;
        }
        finish(scaling);
        break;
    default:
        break;
    }
    return (struct hasten_ask){.kind = HASTEN_ASK_NOTHING};
}

/* A block of the size that is being tried: long enough, or with more executions again. */
static void grow(struct hasten_scaling *scaling, const struct hasten_timed *timed) {
    struct hasten_scaling_result *result = &scaling->result;
    double each_ns = fmax(timed->spent_ns / (double)timed->executions, 0.5);
    bool is_cut = timed->executions < scaling->asked.executions;
    bool is_long = timed->spent_ns >= BLOCK_NS / 2;
    scaling->tries++;
    if (!is_long && !is_cut && scaling->tries < 6 &&
        timed->executions < (uint64_t)MOST_EXECUTIONS) {
        /* The first execution is slow: not all the way at once. */
        double wanted = fmin(BLOCK_NS / each_ns, 50.0 * (double)timed->executions);
        wanted = fmin(ceil(wanted), MOST_EXECUTIONS);
        if (wanted > 1.2 * (double)timed->executions) {
            ask_time(scaling, scaling->asked.size, (uint64_t)wanted);
            return;
        }
    }
    size_t row = result->row_count++;
    result->rows[row] = (struct hasten_scaling_row){
        .size = scaling->asked.size,
        .executions = timed->executions,
        .time_ns = each_ns,
        .error = UNKNOWN_ERROR,
        .input_bytes = timed->input_bytes,
        .is_fresh = timed->is_fresh,
    };
    bool is_again = scaling->whole_size[row] == scaling->asked.size;
    scaling->whole_s[row] = is_again ? fmin(scaling->whole_s[row], timed->whole_s) : timed->whole_s;
    scaling->whole_size[row] = scaling->asked.size;
    scaling->tries = 0;
}

void hasten_scaling_tell_time(struct hasten_scaling *scaling, const struct hasten_timed *timed) {
    if (timed->executions == 0) {
        hasten_scaling_tell_failure(scaling, false);
        return;
    }
    if (scaling->stage == STAGE_GROWING) {
        grow(scaling, timed);
        return;
    }
    size_t index = scaling->order[scaling->place++];
    struct hasten_scaling_row *row = &scaling->result.rows[index];
    /* A clock that did not move: half of its step. */
    scaling->samples[index][row->rounds++] = fmax(timed->spent_ns, 0.5) / (double)timed->executions;
}

void hasten_scaling_tell_memory(struct hasten_scaling *scaling, double bytes) {
    struct hasten_scaling_row *row = &scaling->result.rows[scaling->place++];
    row->has_memory = true;
    row->memory_bytes = bytes < 0 ? 0 : bytes;
}

void hasten_scaling_tell_failure(struct hasten_scaling *scaling, bool is_hung) {
    struct hasten_scaling_result *result = &scaling->result;
    if (scaling->stage == STAGE_MEMORY) {
        scaling->place = result->row_count; /* as far as it was seen */
        return;
    }
    result->end = is_hung ? HASTEN_END_HUNG : HASTEN_END_RAISED;
    result->end_size = scaling->asked.size;
    scaling->tries = 0;
    size_t kept = 0;
    while (kept < result->row_count && result->rows[kept].size < scaling->asked.size) {
        kept++;
    }
    result->row_count = kept;
    /* The round that was begun begins anew without the larger sizes. */
    for (size_t i = 0; i < kept; i++) {
        result->rows[i].rounds = result->rounds;
    }
    scaling->stage = STAGE_ROUNDS;
    shuffle(scaling);
}
