/* SPDX-License-Identifier: MIT
 *
 * Rounds, blocks in turns, and when to stop. */
#include "cli/bench/measure.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bench/counts.h"
#include "cli/bench/memory.h"
#include "cli/bench/pin.h"
#include "cli/bench/reduce.h"
#include "cli/bench/spawn.h"
#include "cli/message.h"
#include "core/base/clock.h"
#include "core/stats/random.h"

/* Long against the clock (50 ns) and what the way through the pipe leaves in the caches,
 * and so short that a process sleeps more than it runs and is let on as soon as it wants:
 * with five times as many busy processes as processors, rounds of 0.5 ms blocks had fourteen
 * times as many blocks as those of 2 ms in the same time, and differed by half as much. Blocks
 * of 0.25 ms were no better. */
#define BLOCK_NS 5e5
/* Rounds a budget is divided into. What differs between processes, by their layout
 * in memory, is as a rule more than what differs between blocks: rounds are as
 * short as starting the processes is worth. */
#define ROUND_S 0.15
#define LEAST_ROUNDS 9
/* Of one side alone: a median known this well is known. */
#define GOOD_SHARE 0.005
#define MOST_LOOPS 1e9
/* The least of so many tells how long an execution takes undisturbed. */
#define CALIBRATION_BLOCKS 3
/* And of two sides that seem to differ much, by turns. */
#define CALIBRATION_PAIRS 16
/* Rounds after the first that are watched for what starting costs. */
#define WATCHED_STARTS 3
#define LONGEST_WAIT_NS 250e6 /* of a process for a processor, where the kernel does not say */

struct bench_run {
    const struct bench_side *sides;
    const struct bench_plan *plan;
    struct bench_result *result;
    struct hasten_random random;
    size_t planned;
    size_t looks; /* taken */
    double least_start_s;
    bool is_parallel;
    bool has_failed; /* a look at the data did, which was said */
    int processor;   /* that the round runs on; -1: any */
    uint64_t start_ns;
};

/* Who comes first in whatever is done by turns, where `second` side B does: nothing
 * may happen to one side always before the other, or it would be a difference. */
static size_t side_of(const struct bench_run *run, size_t turn, bool second) {
    return run->result->side_count == 2 && second ? 1 - turn : turn;
}

/* Blocks of a side that a round may have: there is room for so many rounds of as many. */
static size_t most_in_round(const struct bench_run *run) {
    return BENCH_MOST_BLOCKS / run->planned - 2;
}

static double elapsed_s(const struct bench_run *run) {
    return (double)(hasten_clock_monotonic_ns() - run->start_ns) / 1e9;
}

static bool keep(struct bench_series *series, const struct bench_block *block) {
    void *blocks = series->blocks;
    if (series->block_count == BENCH_MOST_BLOCKS ||
        hasten_grow(NULL, &blocks, &series->block_capacity, series->block_count + 1,
                    sizeof *block) != 0) {
        cli_say("bench: %s", series->block_count == BENCH_MOST_BLOCKS
                                 ? "too many blocks; a smaller --budget has fewer"
                                 : "out of memory");
        return false;
    }
    series->blocks = blocks;
    series->blocks[series->block_count++] = *block;
    return true;
}

/* Whether an execution is a block of its own. What takes microseconds may take many
 * milliseconds once, where other processes run then; what took longer than those leave it
 * waiting, also without what the kernel says that it waited, is not executed again for that. */
static bool is_slow(double least_ns, double waited_ns, unsigned executions) {
    return executions > 0 && least_ns > 10 * BLOCK_NS &&
           (executions > 1 || least_ns - waited_ns > LONGEST_WAIT_NS);
}

/* How often to execute for a block of BLOCK_NS, found from short to long. These
 * blocks do not count: they warm the process up. */
static bool calibrate(struct bench_process *process, struct bench_series *series) {
    uint64_t loops = 1;
    unsigned long_blocks = 0;
    double least_ns = INFINITY; /* an execution, in a block that was long enough */
    while (long_blocks < CALIBRATION_BLOCKS) {
        struct bench_block block;
        double waited_ns = bench_waited_ns(process->pid);
        if (!bench_process_block(process, loops, &block)) {
            return false;
        }
        waited_ns = bench_waited_ns(process->pid) - waited_ns;
        double block_ns = block.each_ns * (double)loops;
        bool is_long = block_ns >= BLOCK_NS / 2 || loops >= (uint64_t)MOST_LOOPS;
        bool is_command = process->side->kind == BENCH_COMMAND;
        if (is_long || is_command) {
            least_ns = fmin(least_ns, block.each_ns);
            long_blocks++;
        } else {
            least_ns = INFINITY; /* an interruption made those before seem long */
            long_blocks = 0;
        }
        if (is_command || (loops == 1 && is_slow(least_ns, waited_ns, long_blocks))) {
            break;
        }
        /* By a hundred at most: first executions are slow. */
        double factor = BLOCK_NS / fmax(least_ns * (double)loops, 1);
        factor = isinf(least_ns) ? BLOCK_NS / fmax(block_ns, 1) : factor;
        factor = factor > 100 ? 100 : factor;
        if (factor >= 1.5 && loops < (uint64_t)MOST_LOOPS) {
            loops = (uint64_t)fmin(ceil((double)loops * factor), MOST_LOOPS);
            long_blocks = 0; /* likewise */
            least_ns = INFINITY;
        }
    }
    series->least_ns = least_ns;
    return true;
}

/* Whether the sides cost so much the same that their blocks have as many executions. */
static bool are_near(const struct bench_series *series) {
    double ratio = series[1].least_ns / series[0].least_ns;
    return ratio > 0.67 && ratio < 1.5;
}

/* Where somebody else ran beside one side's calibration, equal sides seem to differ, and blocks
 * of unlike numbers of executions are a difference in themselves (0.6 %, seen with 45 and 78)
 * that no number of rounds takes away. By turns, that happens to both. */
static bool calibrate_by_turns(const struct bench_run *run, struct bench_process *processes) {
    struct bench_series *series = run->result->series;
    bool is_short = fmax(series[0].least_ns, series[1].least_ns) < 10 * BLOCK_NS;
    for (size_t pair = 0; is_short && pair < CALIBRATION_PAIRS && !are_near(series); pair++) {
        for (size_t turn = 0; turn < 2; turn++) {
            size_t side = side_of(run, turn, pair % 2 == 1);
            double *least_ns = &series[side].least_ns;
            struct bench_block block;
            if (!bench_process_block(&processes[side],
                                     (uint64_t)fmin(fmax(BLOCK_NS / *least_ns, 1), MOST_LOOPS),
                                     &block)) {
                return false;
            }
            *least_ns = fmin(*least_ns, block.each_ns);
        }
    }
    return true;
}

/* Both sides' blocks shall be as long as each other's, because longer ones are
 * interrupted more often; and the same where they hardly differ, so that no chance
 * of calibration can make a difference. */
static void choose_loops(const struct bench_run *run) {
    struct bench_result *result = run->result;
    struct bench_series *series = result->series;
    bool is_command = run->sides[0].kind == BENCH_COMMAND;
    bool is_near = result->side_count == 2 && are_near(series);
    double mean_ns = is_near ? (series[0].least_ns + series[1].least_ns) / 2 : 0;
    for (size_t side = 0; side < result->side_count; side++) {
        double wanted = BLOCK_NS / (is_near ? mean_ns : series[side].least_ns);
        series[side].loops = is_command || wanted < 1 ? 1 : (uint64_t)fmin(wanted, MOST_LOOPS);
    }
}

static size_t pids_of(const struct bench_run *run, const struct bench_process *processes,
                      pid_t pids[2]) {
    size_t count = run->result->side_count == 2 ? 2 : 1;
    for (size_t side = 0; side < count; side++) {
        pids[side] = processes[side].pid;
    }
    return count;
}

/* Both processes on one processor, as long as none was seen to use several. */
static void pin_round(struct bench_run *run, const struct bench_process *processes) {
    pid_t pids[2] = {0, 0};
    size_t count = pids_of(run, processes, pids);
    run->processor = -1;
    for (size_t side = 0; side < count; side++) {
        run->is_parallel =
            run->is_parallel || run->sides[0].kind == BENCH_COMMAND || !bench_is_single(pids[side]);
    }
    if (!run->is_parallel) {
        run->processor = bench_pin(pids, count, &run->random);
    } else if (run->sides[0].kind != BENCH_COMMAND) {
        bench_pin_elsewhere(pids, count, -1);
    }
}

/* Starts the processes of the next round, without waiting for them. */
static bool start_round(struct bench_run *run, struct bench_process *processes) {
    pid_t pids[2] = {0, 0};
    struct bench_chance chance = {
        .hash_seed = 1 + hasten_random_below(&run->random, UINT32_MAX - 1),
        .padding = hasten_random_below(&run->random, 4096),
    };
    bool second = hasten_random_below(&run->random, 2) == 1;
    for (size_t turn = 0; turn < run->result->side_count; turn++) {
        size_t side = side_of(run, turn, second);
        if (!bench_process_start(&processes[side], &run->sides[side], &chance,
                                 run->plan->patience_s)) {
            return false;
        }
    }
    if (run->processor >= 0) {
        bench_pin_elsewhere(pids, pids_of(run, processes, pids), run->processor);
    }
    return true;
}

/* Whether both sides returned the same, as far as that can be told. */
static void compare_results(struct bench_result *result, const struct bench_process *processes) {
    if (result->side_count == 2 && strcmp(processes[0].digest, "-") != 0 &&
        strcmp(processes[1].digest, "-") != 0) {
        result->compared_results++;
        result->different_results += strcmp(processes[0].digest, processes[1].digest) != 0;
    }
}

/* Makes the sides' processes of a round ready. */
static bool begin_round(struct bench_run *run, struct bench_process *processes) {
    struct bench_result *result = run->result;
    for (size_t side = 0; side < result->side_count; side++) {
        if (!bench_process_ready(&processes[side])) {
            return false;
        }
        result->series[side].prints = processes[side].prints;
        memcpy(result->series[side].changed, processes[side].changed,
               sizeof result->series[side].changed);
    }
    compare_results(result, processes);
    pin_round(run, processes);
    bool second = hasten_random_below(&run->random, 2) == 1;
    for (size_t turn = 0; turn < result->side_count; turn++) {
        size_t side = side_of(run, turn, second);
        struct bench_series *series = &result->series[side];
        struct bench_block block;
        if (result->rounds == 0) {
            if (!calibrate(&processes[side], series)) {
                return false;
            }
        } else if (run->sides[side].kind != BENCH_COMMAND &&
                   !bench_process_block(&processes[side], series->loops, &block)) {
            return false;
        }
        series->starts[result->rounds] = series->block_count;
    }
    if (result->rounds == 0) {
        if (result->side_count == 2 && run->sides[0].kind != BENCH_COMMAND &&
            !calibrate_by_turns(run, processes)) {
            return false;
        }
        choose_loops(run);
    }
    return true;
}

/* One block a side, `second` side first where that is set. */
static bool run_pair(struct bench_run *run, struct bench_process *processes, bool second) {
    struct bench_result *result = run->result;
    for (size_t turn = 0; turn < result->side_count; turn++) {
        size_t side = side_of(run, turn, second);
        struct bench_block block;
        if (!bench_process_block(&processes[side], result->series[side].loops, &block)) {
            return false;
        }
        block.frequency_khz = bench_frequency_khz(run->processor);
        if (!keep(&result->series[side], &block)) {
            return false;
        }
    }
    return true;
}

/* Blocks until the round's time is over; two pairs at least, or one of what is so
 * slow that there would be too few rounds. */
static bool run_round(struct bench_run *run, struct bench_process *processes,
                      const struct bench_process *next, double until_s) {
    double longest_s = run->plan->budget_s / LEAST_ROUNDS;
    double waiting_s = fmax(until_s, elapsed_s(run) + longest_s);
    bool second = hasten_random_below(&run->random, 2) == 1;
    for (size_t pairs = 0;; pairs++) {
        double before_s = elapsed_s(run);
        bool quad_begins = pairs % 2 == 0;
        /* The second pair of a quad has the other order. */
        second = quad_begins ? hasten_random_below(&run->random, 2) == 1 : !second;
        if (!run_pair(run, processes, second)) {
            return false;
        }
        double now_s = elapsed_s(run);
        double pair_s = now_s - before_s;
        bool is_slow = 2 * pair_s > longest_s;
        bool is_whole = !quad_begins || is_slow;
        if (is_whole && pairs + 2 > most_in_round(run)) {
            return true;
        }
        /* As long as the next processes are not ready, time is best spent here. */
        bool may_end = bench_process_answers(&next[0]) &&
                       (run->result->side_count == 1 || bench_process_answers(&next[1]));
        double end_s = may_end || is_slow ? until_s : waiting_s;
        if (is_whole && now_s + (is_slow ? 0 : 2 * pair_s) > end_s) {
            return true;
        }
        if (run->sides[0].kind == BENCH_COMMAND) {
            return true; /* each run is a process: pairs are rounds */
        }
    }
}

static void show_progress(const struct bench_run *run) {
    double left_s = run->plan->budget_s - elapsed_s(run);
    if (run->plan->shows_progress) {
        fprintf(stderr, "\r\x1b[Khasten: %.60s: round %zu, at most %.0f s left",
                run->sides[0].label, run->result->rounds + 1, left_s < 0 ? 0 : left_s);
    }
}

/* Whether it is clear on which side of the threshold B is. An alarm has to hold among
 * all comparisons; that there is none costs nothing when it is wrong. */
static bool is_guarded(const struct bench_run *run, const struct hasten_ratio *decided,
                       double alpha) {
    const struct bench_result *result = run->result;
    double most = 1 + run->plan->threshold;
    size_t comparisons = run->plan->comparisons < 1 ? 1 : run->plan->comparisons;
    struct hasten_ratio strict;
    return decided->high < most ||
           (decided->low > most &&
            hasten_paired_ratio(NULL, result->log_ratios, result->rounds,
                                alpha / (double)comparisons, &strict, NULL) == HASTEN_OK &&
            strict.low > most);
}

/* Whether the verdict is known, and holds among all comparisons. */
static bool is_decided(const struct bench_run *run, const struct hasten_ratio *decided,
                       double alpha) {
    enum hasten_comparison comparison = run->result->comparison;
    double comparisons = run->plan->comparisons < 1 ? 1 : (double)run->plan->comparisons;
    return comparison == HASTEN_COMPARISON_SAME ||
           (comparison != HASTEN_COMPARISON_UNCLEAR && decided->p <= alpha / comparisons);
}

/* Looks at the estimates so far where a look is due. True when it is clear. */
static bool look(struct bench_run *run, bool is_last) {
    struct bench_result *result = run->result;
    size_t due = run->looks;
    while (due + 1 < HASTEN_LOOKS && result->rounds >= hasten_look_place(due, run->planned)) {
        due++;
    }
    if (is_last) {
        due = HASTEN_LOOKS;
    } else if (due == run->looks) {
        return false;
    }
    run->looks = due;
    double alpha = hasten_look_alpha(due - 1);
    double shown = hasten_look_interval_alpha(due - 1);
    struct hasten_ratio decided, ratio;
    if (hasten_paired_ratio(NULL, result->log_ratios, result->rounds, alpha, &decided, NULL) !=
            HASTEN_OK ||
        hasten_paired_ratio(NULL, result->log_ratios, result->rounds, shown, &ratio, NULL) !=
            HASTEN_OK) {
        cli_say("bench: out of memory");
        run->has_failed = true; /* without an answer nothing may look like one */
        return true;
    }
    result->comparison = hasten_compare(&decided, alpha, run->plan->margin);
    result->ratio = ratio;
    result->alpha = alpha;
    return run->plan->guards ? is_guarded(run, &decided, alpha) : is_decided(run, &decided, alpha);
}

/* Whether another round would add nothing, or there is no time for it. */
static bool is_over(struct bench_run *run) {
    struct bench_result *result = run->result;
    double spent_s = elapsed_s(run);
    double round_s = spent_s / (double)result->rounds;
    bool is_full = result->series[0].block_count + most_in_round(run) + 2 > BENCH_MOST_BLOCKS;
    bool is_last = result->rounds == BENCH_MOST_ROUNDS || is_full ||
                   spent_s + round_s / 2 > run->plan->budget_s;
    if (run->sides[0].kind == BENCH_COMMAND && result->rounds == 1) {
        double rounds = run->plan->budget_s / round_s;
        run->planned = rounds < 1                   ? 1
                       : rounds > BENCH_MOST_ROUNDS ? BENCH_MOST_ROUNDS
                                                    : (size_t)rounds;
    }
    if (result->side_count == 2) {
        return look(run, is_last) || is_last;
    }
    if (is_last || result->rounds < LEAST_ROUNDS || result->rounds % 4 != 0) {
        return is_last;
    }
    struct bench_series *series = &result->series[0];
    return bench_reduce_series(series, result->rounds, run->plan->seed) &&
           (series->interval.high - series->interval.low) / 2 <=
               GOOD_SHARE * series->summary.median;
}

/* When rounds have shown what starting costs: no more of it than of measuring. The least of
 * some, for one that other processes held up would leave few rounds to all the budget. */
static void adapt_plan(struct bench_run *run, double start_s) {
    size_t seen = run->result->rounds;
    run->least_start_s = seen == 1 ? start_s : fmin(run->least_start_s, start_s);
    double rounds = run->plan->budget_s / fmax(2 * run->least_start_s, ROUND_S);
    if (seen == WATCHED_STARTS && rounds < (double)run->planned) {
        run->planned = rounds < LEAST_ROUNDS ? LEAST_ROUNDS : (size_t)rounds;
    }
}

/* Measures with processes that were started, while those of the next round start. */
static bool measure_round(struct bench_run *run, struct bench_process *processes,
                          struct bench_process *next) {
    struct bench_result *result = run->result;
    double begun_s = elapsed_s(run);
    if (!begin_round(run, processes)) {
        return false;
    }
    double now_s = elapsed_s(run);
    if (result->rounds >= 1 && result->rounds <= WATCHED_STARTS &&
        run->sides[0].kind != BENCH_COMMAND) {
        adapt_plan(run, now_s - begun_s);
    }
    double until_s = run->plan->budget_s * (double)(result->rounds + 1) / (double)run->planned;
    if (!start_round(run, next) || !run_round(run, processes, next, until_s)) {
        return false;
    }
    for (size_t side = 0; side < result->side_count; side++) {
        run->is_parallel = run->is_parallel || !bench_is_single(processes[side].pid);
    }
    return true;
}

static bool run_rounds(struct bench_run *run) {
    struct bench_result *result = run->result;
    struct bench_process processes[2] = {{.errors = -1}, {.errors = -1}};
    struct bench_process next[2] = {{.errors = -1}, {.errors = -1}};
    bool done = start_round(run, processes);
    for (bool is_done = false; done && !is_done;) {
        show_progress(run);
        done = measure_round(run, processes, next);
        for (size_t side = 0; side < 2; side++) {
            bench_process_end(&processes[side]);
            processes[side] = next[side];
            next[side] = (struct bench_process){.errors = -1}; /* what it had is moved */
        }
        if (done) {
            size_t round = result->rounds++;
            for (size_t side = 0; side < result->side_count; side++) {
                result->series[side].starts[round + 1] = result->series[side].block_count;
            }
            if (result->side_count == 2) {
                result->log_ratios[round] =
                    bench_reduce_round(&result->series[0], &result->series[1], round);
            }
            is_done = is_over(run);
            done = !run->has_failed;
        }
    }
    bench_process_end(&processes[0]);
    bench_process_end(&processes[1]);
    return done;
}

static void count_memory(const struct bench_run *run) {
    for (size_t side = 0; side < run->result->side_count && !run->plan->skips_memory; side++) {
        struct bench_series *series = &run->result->series[side];
        bench_memory_count(&run->sides[side], run->plan->patience_s, series->amounts);
        if (run->sides[side].kind == BENCH_COMMAND) {
            series->amounts[BENCH_PEAK_BYTES] =
                (struct bench_amount){true, (double)series->peak_kb * 1024};
        }
    }
}

bool bench_measure(const struct bench_side *sides, size_t side_count, const struct bench_plan *plan,
                   struct bench_result *result) {
    double planned = plan->budget_s / ROUND_S;
    *result = (struct bench_result){
        .side_count = side_count,
        .log_ratios = malloc(BENCH_MOST_ROUNDS * sizeof(double)),
    };
    struct bench_run run = {
        .sides = sides,
        .plan = plan,
        .result = result,
        .random = {plan->seed},
        .planned = planned < LEAST_ROUNDS        ? LEAST_ROUNDS
                   : planned > BENCH_MOST_ROUNDS ? BENCH_MOST_ROUNDS
                                                 : (size_t)planned,
        .processor = -1,
        .start_ns = hasten_clock_monotonic_ns(),
    };
    if (result->log_ratios == NULL) {
        cli_say("bench: out of memory");
        return false;
    }
    bool done = run_rounds(&run);
    if (plan->shows_progress) {
        fputs("\r\x1b[K", stderr);
    }
    result->spent_s = elapsed_s(&run);
    for (size_t side = 0; side < side_count && done; side++) {
        done = bench_reduce_series(&result->series[side], result->rounds, plan->seed);
    }
    for (size_t side = 0; side < side_count && done; side++) {
        struct bench_series *series = &result->series[side];
        done = bench_counts_take(&sides[side], plan->counts, series->loops, plan->patience_s,
                                 series->amounts);
    }
    if (done) {
        count_memory(&run);
        result->slack = bench_reduce_slack(&result->series[0], result->rounds);
    }
    return done;
}

void bench_result_done(struct bench_result *result) {
    for (size_t side = 0; side < 2; side++) {
        struct bench_series *series = &result->series[side];
        hasten_release(NULL, series->blocks, series->block_capacity * sizeof *series->blocks);
        series->blocks = NULL;
    }
    free(result->log_ratios);
    result->log_ratios = NULL;
}
