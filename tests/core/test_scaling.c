/* SPDX-License-Identifier: MIT
 *
 * Measuring over growing inputs, with functions and a clock that are only pretended: what
 * is asked for, when it ends, what comes out. */
#include "check.h"
#include "failing_allocator.h"

#include <math.h>
#include <stdlib.h>

#include "core/scaling/scaling.h"
#include "core/scaling/steps.h"
#include "core/scaling/words.h"
#include "core/stats/random.h"

/* Seconds that an execution takes. */
typedef double cost_of(double size);

static double constant(double size) {
    (void)size;
    return 40e-9;
}
static double logarithmic(double size) {
    return 60e-9 + 14e-9 * log2(size);
}
static double linear(double size) {
    return 80e-9 + 25e-9 * size;
}
static double linearithmic(double size) {
    return 100e-9 + 12e-9 * size * log2(size);
}
static double quadratic(double size) {
    return 100e-9 + 60e-9 * size + 20e-9 * size * size;
}
static double cubic(double size) {
    return 100e-9 + 30e-9 * size * size * size;
}
static double exponential(double size) {
    return 80e-9 + 60e-9 * pow(2, size);
}

struct pretended {
    cost_of *cost;
    double now_s;
    double longest_s;   /* that one execution took */
    uint64_t raises_at; /* sizes from here on; 0: never */
    struct hasten_random random;
    size_t asked;
};

static void execute(struct pretended *pretended, struct hasten_scaling *scaling,
                    const struct hasten_ask *ask) {
    double size = (double)ask->size;
    pretended->asked++;
    if (pretended->raises_at != 0 && ask->size >= pretended->raises_at) {
        hasten_scaling_tell_failure(scaling, false);
        return;
    }
    if (ask->kind == HASTEN_ASK_MEMORY) {
        hasten_scaling_tell_memory(scaling, 56 + 8000 * size);
        return;
    }
    /* One block in eight is interrupted. */
    double noise = 1 + 0.04 * hasten_random_unit(&pretended->random);
    noise *= hasten_random_below(&pretended->random, 8) == 0 ? 1.5 : 1;
    double each_s = pretended->cost(size) * noise;
    double spent_s = each_s * (double)ask->executions;
    pretended->longest_s = fmax(pretended->longest_s, each_s);
    pretended->now_s += spent_s + 50e-9 * size + 20e-6;
    struct hasten_timed timed = {.executions = ask->executions,
                                 .spent_ns = spent_s * 1e9,
                                 .whole_s = spent_s + 50e-9 * size};
    hasten_scaling_tell_time(scaling, &timed);
}

static struct hasten_scaling *run(struct pretended *pretended,
                                  const struct hasten_scaling_options *options) {
    struct hasten_scaling *scaling = NULL;
    if (!CHECK_STATUS(hasten_scaling_new(NULL, options, &scaling, NULL), HASTEN_OK)) {
        exit(1);
    }
    for (;;) {
        struct hasten_ask ask = hasten_scaling_next(scaling, pretended->now_s);
        if (ask.kind == HASTEN_ASK_NOTHING || pretended->asked > 100000) {
            return scaling;
        }
        execute(pretended, scaling, &ask);
    }
}

static void test_classes(void) {
    static const struct {
        cost_of *cost;
        enum hasten_growth growth;
    } functions[] = {
        {constant, HASTEN_GROWTH_CONSTANT},       {logarithmic, HASTEN_GROWTH_LOG},
        {linear, HASTEN_GROWTH_LINEAR},           {linearithmic, HASTEN_GROWTH_LINEARITHMIC},
        {quadratic, HASTEN_GROWTH_QUADRATIC},     {cubic, HASTEN_GROWTH_CUBIC},
        {exponential, HASTEN_GROWTH_EXPONENTIAL},
    };
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        for (uint64_t seed = 0; seed < 5; seed++) {
            struct pretended pretended = {.cost = functions[i].cost, .random = {seed}};
            struct hasten_scaling_options options = {
                .budget_s = 5, .patience_s = 60, .seed = seed, .wants_memory = true};
            struct hasten_scaling *scaling = run(&pretended, &options);
            const struct hasten_scaling_result *result = hasten_scaling_result(scaling);
            CHECK_EQ_INT(result->time.growth, functions[i].growth);
            CHECK_EQ_INT(result->time.doubt, HASTEN_DOUBT_NONE);
            CHECK(result->row_count >= 8);
            CHECK(result->rounds >= 5);
            /* Steep functions are never begun at a size that takes hours. */
            CHECK(pretended.longest_s < 1.5);
            CHECK(pretended.now_s < 6);
            bool is_steep = functions[i].growth == HASTEN_GROWTH_EXPONENTIAL;
            CHECK(result->has_memory);
            CHECK(is_steep || result->memory.growth == HASTEN_GROWTH_LINEAR);
            hasten_scaling_free(scaling);
        }
    }
}

static void test_sizes_given(void) {
    const uint64_t sizes[] = {100, 200, 400, 800, 1600, 3200, 6400, 12800};
    struct pretended pretended = {.cost = linear};
    struct hasten_scaling_options options = {
        .sizes = sizes, .size_count = 8, .budget_s = 2, .patience_s = 60};
    struct hasten_scaling *scaling = run(&pretended, &options);
    const struct hasten_scaling_result *result = hasten_scaling_result(scaling);
    CHECK_EQ_INT(result->row_count, 8);
    CHECK_EQ_INT(result->rows[7].size, 12800);
    CHECK_EQ_INT(result->end, HASTEN_END_ALL);
    CHECK_EQ_INT(result->time.growth, HASTEN_GROWTH_LINEAR);
    hasten_scaling_free(scaling);

    /* What would take longer than there is patience for is not begun. */
    struct pretended slow = {.cost = cubic};
    options.patience_s = 20;
    scaling = run(&slow, &options);
    result = hasten_scaling_result(scaling);
    CHECK_EQ_INT(result->end, HASTEN_END_BUDGET);
    CHECK_EQ_INT(result->end_size, 1600);
    CHECK_EQ_INT(result->row_count, 4);
    CHECK_EQ_INT(result->time.doubt, HASTEN_DOUBT_TOO_FEW);
    hasten_scaling_free(scaling);
}

static void test_largest_size(void) {
    struct hasten_steps steps = {
        .sizes = {500000, 700000}, .times_s = {6e-6, 1e-5}, .count = 20, .known = 2};
    CHECK_EQ_INT(hasten_steps_next(&steps, 10), HASTEN_STEPS_MOST_SIZE);
    steps.sizes[0] = 700000;
    steps.sizes[1] = (double)HASTEN_STEPS_MOST_SIZE;
    CHECK_EQ_INT(hasten_steps_next(&steps, 10), 0);

    struct pretended pretended = {.cost = constant};
    struct hasten_scaling_options options = {.budget_s = 60, .patience_s = 60};
    struct hasten_scaling *scaling = run(&pretended, &options);
    const struct hasten_scaling_result *result = hasten_scaling_result(scaling);
    CHECK_EQ_INT(result->end, HASTEN_END_ALL);
    CHECK_EQ_INT(result->rows[result->row_count - 1].size, HASTEN_STEPS_MOST_SIZE);
    hasten_scaling_free(scaling);
}

static void test_failures(void) {
    struct pretended pretended = {.cost = linear, .raises_at = 1000};
    struct hasten_scaling_options options = {.budget_s = 2, .patience_s = 60};
    struct hasten_scaling *scaling = run(&pretended, &options);
    const struct hasten_scaling_result *result = hasten_scaling_result(scaling);
    CHECK_EQ_INT(result->end, HASTEN_END_RAISED);
    CHECK(result->end_size >= 1000 && result->end_size < 2000);
    CHECK(result->row_count >= 8 && result->rows[result->row_count - 1].size < 1000);
    CHECK_EQ_INT(result->time.growth, HASTEN_GROWTH_LINEAR);
    hasten_scaling_free(scaling);

    struct pretended never = {.cost = linear, .raises_at = 1};
    scaling = run(&never, &options);
    result = hasten_scaling_result(scaling);
    CHECK_EQ_INT(result->row_count, 0);
    CHECK_EQ_INT(result->time.doubt, HASTEN_DOUBT_TOO_FEW);
    CHECK_EQ_INT(never.asked, 1);
    hasten_scaling_free(scaling);
}

/* A function that raises now and then: what a round that was given up has measured is not
 * measured twice, and there are never more rounds than have room. */
static void test_failures_in_rounds(void) {
    uint64_t sizes[HASTEN_SCALING_MOST_SIZES];
    for (size_t i = 0; i < HASTEN_SCALING_MOST_SIZES; i++) {
        sizes[i] = i + 1;
    }
    struct pretended pretended = {.cost = linear};
    struct hasten_scaling_options options = {
        .sizes = sizes, .size_count = HASTEN_SCALING_MOST_SIZES, .budget_s = 5, .patience_s = 60};
    struct hasten_scaling *scaling = NULL;
    CHECK_STATUS(hasten_scaling_new(NULL, &options, &scaling, NULL), HASTEN_OK);
    const struct hasten_scaling_result *result = hasten_scaling_result(scaling);
    bool is_growing = true;
    for (;;) {
        struct hasten_ask ask = hasten_scaling_next(scaling, pretended.now_s);
        if (ask.kind == HASTEN_ASK_NOTHING) {
            break;
        }
        is_growing = is_growing && result->row_count < HASTEN_SCALING_MOST_SIZES;
        bool is_largest = ask.size == result->row_count;
        if (!is_growing && is_largest && result->row_count > 4) {
            hasten_scaling_tell_failure(scaling, false);
        } else {
            execute(&pretended, scaling, &ask);
        }
    }
    CHECK_EQ_INT(result->row_count, 4);
    CHECK(result->rounds > 0 && result->rounds <= HASTEN_SCALING_MOST_ROUNDS);
    for (size_t i = 0; i < result->row_count; i++) {
        CHECK_EQ_INT(result->rows[i].rounds, result->rounds);
    }
    hasten_scaling_free(scaling);
}

static void test_refused(void) {
    struct hasten_scaling *scaling = NULL;
    uint64_t many[HASTEN_SCALING_MOST_SIZES + 1];
    const uint64_t wrong[] = {5, 5}, zero[] = {0};
    struct hasten_scaling_options options = {.sizes = wrong, .size_count = 2};
    CHECK_STATUS(hasten_scaling_new(NULL, &options, &scaling, NULL), HASTEN_INVALID);
    options.sizes = zero;
    options.size_count = 1;
    CHECK_STATUS(hasten_scaling_new(NULL, &options, &scaling, NULL), HASTEN_INVALID);
    for (size_t i = 0; i < HASTEN_SCALING_MOST_SIZES + 1; i++) {
        many[i] = i + 1;
    }
    options.sizes = many;
    options.size_count = HASTEN_SCALING_MOST_SIZES + 1;
    CHECK_STATUS(hasten_scaling_new(NULL, &options, &scaling, NULL), HASTEN_LIMIT);
    options.size_count--;
    struct failing_allocator failing;
    failing_allocator_init(&failing, 1, true);
    CHECK_STATUS(hasten_scaling_new(&failing.allocator, &options, &scaling, NULL),
                 HASTEN_NO_MEMORY);
    CHECK(scaling == NULL);
    hasten_scaling_free(scaling);
}

static void test_text(void) {
    struct pretended pretended = {.cost = linearithmic};
    struct hasten_scaling_options options = {.budget_s = 5, .patience_s = 60, .wants_memory = true};
    struct hasten_scaling *scaling = run(&pretended, &options);
    const struct hasten_scaling_result *result = hasten_scaling_result(scaling);
    for (unsigned columns = 10; columns < 200; columns += 45) {
        struct hasten_buffer out;
        hasten_buffer_init(&out, NULL);
        hasten_scaling_text(&out, result, columns, false);
        const char *text = hasten_buffer_cstring(&out);
        CHECK_HAS_STR(text, "time    O(n log n), ");
        CHECK_HAS_STR(text, "doubling n makes it 2.1 times slower; ");
        CHECK_HAS_STR(text, "memory  O(n), ");
        CHECK((strchr(text, '|') != NULL) == (columns > 40));
        size_t longest = 0;
        for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1) {
            size_t size = strcspn(line, "\n");
            longest = memchr(line, '|', size) != NULL && size > longest ? size : longest;
        }
        CHECK(longest <= columns);
        hasten_buffer_done(&out);
    }
    hasten_scaling_free(scaling);
}

/* Memory is told of as far as it was seen. */
static void test_memory_fails(void) {
    struct pretended pretended = {.cost = linear};
    struct hasten_scaling_options options = {.budget_s = 5, .patience_s = 60, .wants_memory = true};
    struct hasten_scaling *scaling = NULL;
    CHECK_STATUS(hasten_scaling_new(NULL, &options, &scaling, NULL), HASTEN_OK);
    struct hasten_ask ask;
    while ((ask = hasten_scaling_next(scaling, pretended.now_s)).kind != HASTEN_ASK_NOTHING) {
        if (ask.kind == HASTEN_ASK_MEMORY && ask.size > 1024) {
            hasten_scaling_tell_failure(scaling, false);
        } else {
            execute(&pretended, scaling, &ask);
        }
    }
    struct hasten_buffer out;
    hasten_buffer_init(&out, NULL);
    hasten_scaling_text(&out, hasten_scaling_result(scaling), 80, false);
    CHECK_HAS_STR(hasten_buffer_cstring(&out), "larger; 7.81 MiB at n = 1024, ");
    hasten_buffer_done(&out);
    hasten_scaling_free(scaling);
}

int main(void) {
    test_classes();
    test_sizes_given();
    test_largest_size();
    test_failures();
    test_failures_in_rounds();
    test_refused();
    test_text();
    test_memory_fails();
    return check_done();
}
