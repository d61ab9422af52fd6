/* SPDX-License-Identifier: MIT
 *
 * The benchmarks that are checked, where each is run, and what came out. */
#ifndef HASTEN_CLI_CHECK_LIST_H
#define HASTEN_CLI_CHECK_LIST_H

#include "cli/bench/measure.h"
#include "cli/check/settings.h"
#include "cli/revision/revision.h"

/* Each has a budget of its own: more is a mistake. */
#define CHECK_MOST_ENTRIES 1000

/* X(id, name): the name is that of --json; from SLOWER on it is a regression, from
 * DIFFERENT on it could not be judged. */
#define CHECK_VERDICT_MAP(X)      \
    X(FINE, "fine")               \
    X(FASTER, "faster")           \
    X(UNCLEAR, "unclear")         \
    X(NEW, "new")                 \
    X(SLOWER, "slower")           \
    X(MEMORY, "more memory")      \
    X(OVER_BUDGET, "over budget") \
    X(DIFFERENT, "different")     \
    X(FAILED, "failed")

enum check_verdict {
#define CHECK_VERDICT_ENUM(id, name) CHECK_##id,
    CHECK_VERDICT_MAP(CHECK_VERDICT_ENUM)
#undef CHECK_VERDICT_ENUM
};

/* The places of sides in entries: B relative to A is now relative to the reference. */
enum { CHECK_REFERENCE, CHECK_NOW };

/* What hasten.budget asks for; 0 or "": nothing. */
struct check_budget {
    double time_ns;
    double memory_bytes;
    char complexity[32];
};

struct check_entry {
    char *name; /* "benchmarks/bench_x.py::bench_f[1]" */
    const struct check_file *file;
    struct bench_side sides[2]; /* one, CHECK_NOW, where there is no reference */
    struct check_limits limits;
    struct check_budget budget;
    struct bench_result result; /* of both sides, or of the one */
    bool is_measured;
    double p; /* that it looks so much slower than the threshold by chance; corrected for looks */
    double p_faster; /* the same of being faster at all */
    enum check_verdict verdict;
    char reason[256]; /* what the verdict says, in words */
};

struct check_list {
    const struct cli_options *options;
    struct check_settings settings;
    struct revision_project project;
    struct revision *revisions; /* the reference and now; NULL: there is no reference */
    char python[PATH_MAX];      /* of the present environment */
    struct check_entry **entries;
    size_t count, capacity;
    const struct check_file *file; /* that is being listed */
    size_t first, next;            /* its entries */
};

/* Settings, revisions and benchmarks. False after saying what is wrong. Release with
 * check_list_done, also then. */
bool check_list_make(struct check_list *list, const struct cli_options *options);
void check_list_done(struct check_list *list);

/* The series of the side; NULL where it was not measured. */
const struct bench_series *check_series(const struct check_entry *entry, size_t side);
/* The most memory that an execution needed; NULL where it is not known. */
const struct bench_amount *check_peak(const struct check_entry *entry, size_t side);
bool check_has_budget(const struct check_entry *entry);
const char *check_verdict_name(enum check_verdict verdict);

#endif
