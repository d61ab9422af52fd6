/* SPDX-License-Identifier: MIT
 *
 * From measurements to verdicts. */
#include "cli/check/judge.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "cli/check/growth.h"
#include "cli/check/text.h"
#include "cli/message.h"
#include "cli/signals.h"
#include "core/base/clock.h"

#define ALPHA 0.05
/* Less is what an interpreter's own books take now and then. */
#define LEAST_BYTES 4096

/* Whether the reference can run it at all: a benchmark may be younger. What hangs there is
 * there, and cannot be compared. */
static bool reference_runs(const struct check_list *list, const struct check_entry *entry,
                           bool *ret_hangs) {
    struct bench_process process;
    struct bench_chance chance = {.hash_seed = 1, .padding = 0};
    bool runs = bench_process_start(&process, &entry->sides[CHECK_REFERENCE], &chance,
                                    list->options->bench.timeout_s) &&
                bench_process_ready(&process);
    *ret_hangs = !runs && process.is_late;
    if (runs) {
        bench_process_end(&process);
    }
    return runs;
}

/* Without a reference, what has no budget is measured only to be recorded. */
static bool is_wanted(const struct check_list *list, const struct check_entry *entry) {
    return list->revisions != NULL || list->options->check.records || check_has_budget(entry);
}

static void measure_entry(struct check_list *list, struct check_entry *entry,
                          struct bench_plan *plan) {
    bool compares = list->revisions != NULL;
    plan->budget_s = entry->limits.budget_s;
    plan->threshold = entry->limits.threshold;
    plan->margin = fmax(entry->limits.threshold, 0.001);
    bool hangs = false;
    if (compares && !reference_runs(list, entry, &hangs)) {
        entry->verdict = hangs ? CHECK_FAILED : CHECK_NEW;
        snprintf(entry->reason, sizeof entry->reason,
                 hangs ? "%.100s does not come to an end in time" : "%.100s cannot run it",
                 list->revisions[CHECK_REFERENCE].label);
        compares = false;
    }
    if (hangs) {
        return;
    }
    plan->guards = compares;
    const struct bench_side *sides = compares ? entry->sides : &entry->sides[CHECK_NOW];
    entry->is_measured = bench_measure(sides, compares ? 2 : 1, plan, &entry->result);
    if (!entry->is_measured) {
        entry->verdict = CHECK_FAILED;
        snprintf(entry->reason, sizeof entry->reason, "it could not be measured");
    }
    plan->seed++;
}

bool check_measure(struct check_list *list) {
    struct bench_plan plan = {
        .patience_s = list->options->bench.timeout_s,
        .shows_progress = isatty(STDERR_FILENO) == 1,
        .comparisons = list->count,
    };
    if (getrandom(&plan.seed, sizeof plan.seed, GRND_NONBLOCK) != (ssize_t)sizeof plan.seed) {
        plan.seed = hasten_clock_wall_ns() ^ (uint64_t)getpid() << 40;
    }
    for (size_t i = 0; i < list->count && !cli_signals_stop_asked(); i++) {
        struct check_entry *entry = list->entries[i];
        if (entry->verdict != CHECK_FAILED && is_wanted(list, entry)) {
            measure_entry(list, entry, &plan);
        }
    }
    return !cli_signals_stop_asked();
}

/* How likely it is, at the threshold exactly, to look so much slower. The looks at the
 * data share the error: what a look had less of it than all counts so much more. */
static bool find_p(struct check_entry *entry) {
    const struct bench_result *result = &entry->result;
    double shift = log1p(entry->limits.threshold);
    double *shifted = malloc(result->rounds * sizeof *shifted);
    struct hasten_ratio beyond;
    bool done = shifted != NULL;
    for (size_t i = 0; i < result->rounds && done; i++) {
        shifted[i] = result->log_ratios[i] - shift;
    }
    done = done &&
           hasten_paired_ratio(NULL, shifted, result->rounds, ALPHA, &beyond, NULL) == HASTEN_OK;
    if (done) {
        double alpha = result->alpha > 0 ? result->alpha : ALPHA;
        entry->p = beyond.ratio > 1 ? hasten_look_p(beyond.p, alpha) : 1;
        entry->p_faster = result->ratio.ratio < 1 ? hasten_look_p(result->ratio.p, alpha) : 1;
    } else {
        cli_say("check: out of memory");
    }
    free(shifted);
    return done;
}

static bool is_compared(const struct check_entry *entry) {
    return entry->is_measured && entry->result.side_count == 2;
}

/* The verdict on time, of a comparison; what is slower and faster among all. */
static void judge_time(const struct check_list *list, struct check_entry *entry, bool is_slower,
                       bool is_faster) {
    const struct hasten_ratio *ratio = &entry->result.ratio;
    struct check_text text = {0};
    double most = 1 + entry->limits.threshold;
    if (entry->result.different_results > 0 && !list->options->check.allows_different) {
        entry->verdict = CHECK_DIFFERENT;
        check_format(&text, "it does not return the same (--allow-different permits that)");
    } else if (is_slower && ratio->low > most) {
        entry->verdict = CHECK_SLOWER;
        check_format(&text, "slower by more than ");
        check_percent(&text, entry->limits.threshold);
    } else if (is_faster && ratio->high < 1) {
        entry->verdict = CHECK_FASTER;
        check_format(&text, "faster");
    } else if (ratio->high < most) {
        entry->verdict = CHECK_FINE;
        check_format(&text, "fine");
    } else {
        entry->verdict = CHECK_UNCLEAR;
        check_format(&text, "unclear: whether it is within ");
        check_percent(&text, entry->limits.threshold);
        check_format(&text, " needs a larger --budget");
    }
    snprintf(entry->reason, sizeof entry->reason, "%s", text.data);
}

/* Memory is counted, not estimated: what is beyond the threshold is. */
static void judge_memory(struct check_entry *entry) {
    const struct bench_amount *was = check_peak(entry, CHECK_REFERENCE);
    const struct bench_amount *is = check_peak(entry, CHECK_NOW);
    struct check_text text = {0};
    bool differs = was != NULL && is != NULL && is->value - was->value > LEAST_BYTES &&
                   is->value > was->value * (1 + entry->limits.memory_threshold);
    bool is_slower = entry->verdict == CHECK_SLOWER;
    if (!differs || (entry->verdict >= CHECK_SLOWER && !is_slower)) {
        return;
    }
    check_format(&text, "%s%sneeds ", is_slower ? entry->reason : "", is_slower ? "; " : "");
    check_bytes(&text, is->value);
    check_format(&text, " at its peak, was ");
    check_bytes(&text, was->value);
    check_format(&text, "; ");
    check_percent(&text, entry->limits.memory_threshold);
    check_format(&text, " more is allowed");
    snprintf(entry->reason, sizeof entry->reason, "%s", text.data);
    entry->verdict = is_slower ? CHECK_SLOWER : CHECK_MEMORY;
}

static void judge_memory_budget(struct check_entry *entry) {
    const struct bench_amount *is = check_peak(entry, CHECK_NOW);
    struct check_text text = {0};
    if (entry->budget.memory_bytes <= 0 || entry->verdict >= CHECK_SLOWER) {
        return;
    }
    if (is == NULL) {
        check_format(&text, "its memory cannot be counted here");
        entry->verdict = CHECK_UNCLEAR;
    } else if (is->value > entry->budget.memory_bytes) {
        check_format(&text, "needs ");
        check_bytes(&text, is->value);
        check_format(&text, ", over its budget of ");
        check_bytes(&text, entry->budget.memory_bytes);
        entry->verdict = CHECK_OVER_BUDGET;
    } else if (entry->result.side_count == 1 && entry->verdict == CHECK_FINE &&
               entry->budget.time_ns <= 0) {
        check_format(&text, "within its budget of ");
        check_bytes(&text, entry->budget.memory_bytes);
    }
    if (text.data[0] != '\0') {
        snprintf(entry->reason, sizeof entry->reason, "%s", text.data);
    }
}

/* Over its budget where the whole interval is. */
static void judge_budget(struct check_entry *entry) {
    const struct bench_series *now = check_series(entry, CHECK_NOW);
    struct check_text text = {0};
    if (now == NULL || entry->budget.time_ns <= 0 || entry->verdict >= CHECK_SLOWER) {
        return;
    }
    bool is_over = now->interval.low > entry->budget.time_ns;
    if (is_over || now->interval.high > entry->budget.time_ns) {
        check_format(&text, "%s its budget of ", is_over ? "over" : "unclear: about");
        check_time(&text, entry->budget.time_ns);
        entry->verdict = is_over ? CHECK_OVER_BUDGET : CHECK_UNCLEAR;
    } else if (entry->result.side_count == 1 && entry->verdict == CHECK_FINE) {
        check_format(&text, "within its budget of ");
        check_time(&text, entry->budget.time_ns);
    }
    if (text.data[0] != '\0') {
        snprintf(entry->reason, sizeof entry->reason, "%s", text.data);
    }
}

/* Of one benchmark, all there is to say. */
static void judge_entry(const struct check_list *list, struct check_entry *entry, bool is_slower,
                        bool is_faster) {
    if (is_compared(entry)) {
        judge_time(list, entry, is_slower, is_faster);
    } else if (entry->is_measured && entry->reason[0] == '\0') {
        snprintf(entry->reason, sizeof entry->reason, "measured");
    } else if (entry->reason[0] == '\0') {
        snprintf(entry->reason, sizeof entry->reason, "it has no budget");
    }
    judge_memory(entry);
    judge_budget(entry);
    if (entry->is_measured) {
        judge_memory_budget(entry);
    }
}

bool check_judge(struct check_list *list) {
    /* Of those that were compared: p of being slower, then of being faster. */
    double *p = malloc(2 * list->count * sizeof *p);
    bool *differs = malloc(2 * list->count * sizeof *differs);
    bool done = p != NULL && differs != NULL;
    size_t count = 0;
    for (size_t i = 0; i < list->count && done; i++) {
        struct check_entry *entry = list->entries[i];
        if (is_compared(entry)) {
            done = find_p(entry);
            p[list->count + count] = entry->p_faster;
            p[count++] = entry->p;
        }
    }
    if (done) {
        hasten_holm(p, count, ALPHA, differs);
        hasten_holm(p + list->count, count, ALPHA, differs + list->count);
    }
    count = 0;
    for (size_t i = 0; i < list->count && done; i++) {
        struct check_entry *entry = list->entries[i];
        bool compared = is_compared(entry);
        judge_entry(list, entry, compared && differs[count],
                    compared && differs[list->count + count]);
        count += compared;
    }
    free(p);
    free(differs);
    return done && check_growth(list);
}

bool check_is_unjudged(const struct check_list *list, const struct check_entry *entry) {
    bool is_strict = list->options->check.is_strict || list->settings.is_strict;
    return entry->verdict >= CHECK_DIFFERENT || (is_strict && entry->verdict == CHECK_UNCLEAR);
}

int check_exit_status(const struct check_list *list) {
    size_t regressions = 0, failures = 0, judged = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct check_entry *entry = list->entries[i];
        regressions += entry->verdict >= CHECK_SLOWER && entry->verdict < CHECK_DIFFERENT;
        failures += check_is_unjudged(list, entry);
        judged += entry->is_measured && (list->revisions == NULL || is_compared(entry));
    }
    return regressions > 0 ? 1 : failures > 0 || judged == 0 ? 2 : 0;
}
