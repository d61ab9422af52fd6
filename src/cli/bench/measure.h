/* SPDX-License-Identifier: MIT
 *
 * Measures one benchmark, of one side or of two that are compared.
 *
 * The budget is divided among *rounds*. A round starts a fresh process a side, both
 * with the same random hash seed and environment size, lets them warm up, and has
 * them run short blocks in turns, A B B A or B A A B, which first being random. It
 * gives one estimate of log(B / A), the median of its quads. What rounds have in common
 * with each other is only the truth, so that their number decides how sure the
 * result is (core/stats/paired.h). */
#ifndef HASTEN_CLI_BENCH_MEASURE_H
#define HASTEN_CLI_BENCH_MEASURE_H

#include "cli/bench/process.h"
#include "core/stats/bootstrap.h"
#include "core/stats/paired.h"
#include "core/stats/summary.h"

/* Where one stops: enough for any budget, and for pairwise means. */
#define BENCH_MOST_ROUNDS 1000
#define BENCH_MOST_BLOCKS 200000

struct bench_plan {
    double budget_s;
    double patience_s;
    double margin; /* a ratio this near to 1 is "same" */
    uint64_t seed;
    bool shows_progress;
    bool skips_memory;
    unsigned counts; /* counts.h */
    /* `hasten check` asks whether B is slower by more than this share; it is clear when
     * that is. */
    bool guards;
    double threshold;
    size_t comparisons; /* that are made at once: it has to be clear among all */
};

/* What was measured of a side. */
struct bench_series {
    struct bench_block *blocks; /* in order of time; those of round r from starts[r] on */
    size_t block_count, block_capacity;
    size_t starts[BENCH_MOST_ROUNDS + 1];
    uint64_t loops;                  /* executions a block */
    double least_ns;                 /* an execution, when calibrating */
    size_t warm_up_blocks;           /* left out of the numbers below */
    struct hasten_summary summary;   /* of each_ns */
    struct hasten_interval interval; /* of the median */
    size_t outliers;                 /* and those with more of a cause than blocks have as a rule */
    size_t outliers_switched, outliers_stolen, outliers_collected, outliers_slowed;
    uint64_t peak_kb;
    struct bench_amount amounts[BENCH_AMOUNTS];
    bool prints;      /* executions do */
    char changed[64]; /* a name whose value one changed; "-": none */
};

struct bench_result {
    size_t side_count;
    size_t rounds;
    double spent_s;
    double slack; /* share by which rounds of one side differ: what cannot be seen */
    struct bench_series series[2];
    struct hasten_ratio ratio;
    double alpha;       /* of the last look */
    double *log_ratios; /* an estimate a round */
    enum hasten_comparison comparison;
    bool is_corrected;                          /* it was clear, but not among so many */
    size_t compared_results, different_results; /* rounds whose sides could be compared */
};

/* False after saying why it cannot be measured. Release with bench_result_done,
 * also then. */
bool bench_measure(const struct bench_side *sides, size_t side_count, const struct bench_plan *plan,
                   struct bench_result *result);
void bench_result_done(struct bench_result *result);

#endif
