/* SPDX-License-Identifier: MIT
 *
 * From medians of sizes to a class, by core/stats/models.h. */
#include "cli/check/growth.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/check/text.h"
#include "cli/message.h"
#include "core/scaling/scaling.h"

/* A class that has less weight is not taken into account where several explain it. */
#define LEAST_WEIGHT 0.05
/* Sizes were measured one after the other, with more or less of what else the machine
 * does: the least time is the one that was disturbed least, and how far the quartile is
 * from it says how well it is known. */
#define LEAST_ERROR 0.01

/* The entries of one function, with as many parameters. */
struct group {
    struct check_entry **entries;
    size_t count;
};

static struct group group_at(const struct check_list *list, size_t first) {
    struct group group = {list->entries + first, 0};
    const struct check_entry *one = list->entries[first];
    for (size_t i = first; i < list->count; i++) {
        const struct check_entry *entry = list->entries[i];
        if (entry->file != one->file ||
            strcmp(entry->sides[CHECK_NOW].function, one->sides[CHECK_NOW].function) != 0) {
            break;
        }
        group.count++;
    }
    return group;
}

/* "file.py::bench_x[1000]" is 1000; 0 where the parameter is no size. */
static uint64_t size_of(const struct check_entry *entry) {
    const char *bracket = strrchr(entry->name, '[');
    char *end = NULL;
    if (bracket == NULL || bracket[1] < '1' || bracket[1] > '9') {
        return 0;
    }
    unsigned long long size = strtoull(bracket + 1, &end, 10);
    return strcmp(end, "]") == 0 ? size : 0;
}

/* Its place among the rows, which ascend; each size counts once. */
static void add_row(struct hasten_scaling_result *result, const struct check_entry *entry) {
    const struct bench_series *now = check_series(entry, CHECK_NOW);
    uint64_t size = size_of(entry);
    size_t at = result->row_count;
    if (size == 0 || now == NULL || at == HASTEN_SCALING_MOST_SIZES) {
        return;
    }
    while (at > 0 && result->rows[at - 1].size >= size) {
        if (result->rows[at - 1].size == size) {
            return;
        }
        at--;
    }
    memmove(result->rows + at + 1, result->rows + at,
            (result->row_count - at) * sizeof *result->rows);
    double least = now->summary.least;
    result->rows[at] = (struct hasten_scaling_row){
        .size = size,
        .time_ns = least,
        .error = fmax(LEAST_ERROR, (now->summary.lower_quartile - least) / least / 2),
    };
    result->row_count++;
}

/* 1 where it grows by more than the limit, -1 where it does not, 0 where that cannot be
 * told: it can be enough to know between which classes it is. */
static int compare(const struct hasten_verdict *verdict, enum hasten_growth limit) {
    enum hasten_growth least = verdict->growth, most = verdict->growth;
    if (verdict->doubt != HASTEN_DOUBT_NONE && verdict->doubt != HASTEN_DOUBT_BETWEEN) {
        return 0;
    }
    for (enum hasten_growth growth = 0; growth < HASTEN_GROWTH_COUNT; growth++) {
        bool is_likely = verdict->doubt == HASTEN_DOUBT_BETWEEN && verdict->fits[growth].exists &&
                         verdict->fits[growth].weight > LEAST_WEIGHT;
        least = is_likely && growth < least ? growth : least;
        most = is_likely && growth > most ? growth : most;
    }
    return least > limit ? 1 : most <= limit ? -1 : 0;
}

static void judge(struct check_entry *entry, const struct hasten_verdict *verdict,
                  enum hasten_growth limit) {
    struct check_text text = {0};
    int order = compare(verdict, limit);
    if (order > 0) {
        check_format(&text, "grows like %s, over its budget of %s",
                     hasten_growth_name(verdict->growth), hasten_growth_name(limit));
        entry->verdict = CHECK_OVER_BUDGET;
    } else if (order == 0) {
        check_format(&text, "unclear: whether it is within its budget of %s cannot be told (%s)",
                     hasten_growth_name(limit), hasten_doubt_name(verdict->doubt));
        entry->verdict = CHECK_UNCLEAR;
    } else if (entry->verdict == CHECK_FINE && entry->result.side_count == 1) {
        check_format(&text, "within its budget of %s", hasten_growth_name(limit));
    }
    if (text.data[0] != '\0') {
        snprintf(entry->reason, sizeof entry->reason, "%s", text.data);
    }
}

static bool judge_group(const struct group *group) {
    enum hasten_growth limit = hasten_growth_find(group->entries[0]->budget.complexity);
    struct check_entry *largest = group->entries[0];
    struct hasten_cost points[HASTEN_SCALING_MOST_SIZES];
    struct hasten_scaling_result *result = calloc(1, sizeof *result);
    if (result == NULL) {
        cli_say("check: out of memory");
        return false;
    }
    for (size_t i = 0; i < group->count; i++) {
        add_row(result, group->entries[i]);
        largest = size_of(group->entries[i]) > size_of(largest) ? group->entries[i] : largest;
    }
    if (limit != HASTEN_GROWTH_COUNT && largest->is_measured && largest->verdict < CHECK_SLOWER) {
        long cache = sysconf(_SC_LEVEL2_CACHE_SIZE);
        size_t count = hasten_scaling_points(result, false, cache > 0 ? (double)cache : 0, points);
        struct hasten_verdict verdict = hasten_classify(points, count, &hasten_tolerance_time);
        judge(largest, &verdict, limit);
    }
    free(result);
    return true;
}

bool check_growth(struct check_list *list) {
    bool done = true;
    for (size_t first = 0; first < list->count && done;) {
        struct group group = group_at(list, first);
        if (list->entries[first]->budget.complexity[0] != '\0') {
            done = judge_group(&group);
        }
        first += group.count;
    }
    return done;
}
