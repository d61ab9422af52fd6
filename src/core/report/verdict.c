/* SPDX-License-Identifier: MIT
 *
 * Chooses what is worth a sentence and writes it. */
#include "core/report/verdict.h"

#include <string.h>

#include "core/report/numbers.h"
#include "core/report/paths.h"

/* Shares from which something is worth saying. */
#define LARGE_FUNCTION 0.15
#define LARGE_TOTAL 0.30
#define LARGE_IMPORT 0.20
/* A line with this part of its function's time stands for the function. */
#define HOT_LINE 0.60
/* More functions are no news. */
#define MOST_FUNCTIONS 3
#define LARGE_WAITING 0.05
#define LARGE_GC 0.05
#define LARGE_GIL 0.25 /* of the running time: a quarter more threads than the GIL serves */

#define STATE_BIT(state) (1u << (state))
#define RUNNING_STATES                                                       \
    (STATE_BIT(HASTEN_STATE_RUNNING_GIL) | STATE_BIT(HASTEN_STATE_RUNNING) | \
     STATE_BIT(HASTEN_STATE_UNKNOWN))

const char *hasten_waiting_name(enum hasten_state state) {
    switch (state) {
    case HASTEN_STATE_WAIT_GIL:
        return "the GIL";
    case HASTEN_STATE_WAIT_FILE:
        return "a file";
    case HASTEN_STATE_WAIT_NETWORK:
        return "the network";
    case HASTEN_STATE_WAIT_LOCK:
        return "a lock";
    case HASTEN_STATE_WAIT_SLEEP:
        return "sleep";
    case HASTEN_STATE_WAIT_OTHER:
        return "other things";
    case HASTEN_STATE_RUNNING_GIL:
    case HASTEN_STATE_RUNNING:
    case HASTEN_STATE_UNKNOWN:
    case HASTEN_STATE_COUNT:
        break;
    }
    return "";
}

/* "waiting for a file", "sleeping". */
static void say_waiting(struct hasten_buffer *out, enum hasten_state state) {
    if (state == HASTEN_STATE_WAIT_SLEEP) {
        hasten_buffer_text(out, "sleeping");
    } else {
        hasten_buffer_format(out, "waiting for %s", hasten_waiting_name(state));
    }
}

static bool is_module(const struct hasten_page *page, const struct hasten_row *row) {
    const struct hasten_profile *profile = page->aggregate->profile;
    return strcmp(profile->strings[profile->functions[row->function].qualname], "<module>") == 0;
}

void hasten_verdict_place(const struct hasten_page *page, struct hasten_buffer *out,
                          const struct hasten_row *row) {
    struct hasten_row whole = *row;
    if (is_module(page, row)) {
        whole.line = 0;
        hasten_buffer_text(out, "the top level of ");
        hasten_page_place(page, out, &whole);
        return;
    }
    hasten_page_name(page, out, row);
    hasten_buffer_text(out, " (");
    hasten_page_place(page, out, row);
    hasten_buffer_byte(out, ')');
}

/* ", called from fetch (app.py:33)" where `line` is not the program's own code. */
static void say_caller(const struct hasten_page *page, struct hasten_buffer *out, uint32_t line,
                       uint32_t states, enum hasten_who who) {
    uint32_t caller = hasten_aggregate_caller(page->aggregate, line, states, who);
    if (caller != HASTEN_NONE) {
        hasten_buffer_text(out, ", reached from ");
        hasten_verdict_place(page, out, &page->aggregate->lines[caller]);
    }
}

/* The largest line of a function by its running time. */
static uint32_t largest_line(const struct hasten_aggregate *aggregate, uint32_t function) {
    uint32_t best = HASTEN_NONE;
    int64_t best_ns = 0;
    for (size_t i = 0; i < aggregate->line_count; i++) {
        const struct hasten_row *line = &aggregate->lines[i];
        if (line->function == function && line->self.running_ns > best_ns) {
            best_ns = line->self.running_ns;
            best = (uint32_t)i;
        }
    }
    return best;
}

/* Of the program's own functions the one that takes most with all it calls and
 * is not simply everything. */
static uint32_t largest_own_total(const struct hasten_aggregate *aggregate) {
    const struct hasten_profile *profile = aggregate->profile;
    int64_t whole = hasten_time_counted(&aggregate->sum);
    uint32_t best = HASTEN_NONE;
    int64_t best_ns = 0;
    for (size_t i = 0; i < aggregate->function_count; i++) {
        int64_t total = hasten_time_counted(&aggregate->functions[i].total);
        const char *file = profile->strings[profile->functions[i].file];
        if (total > best_ns && hasten_share(total, whole) < 0.95 &&
            hasten_path_origin(file) == HASTEN_ORIGIN_OWN) {
            best_ns = total;
            best = (uint32_t)i;
        }
    }
    return best;
}

/* A function by its hottest line where that has most of its time: that is where
 * to look. */
static void say_hot_place(const struct hasten_page *page, struct hasten_buffer *out,
                          uint32_t function) {
    const struct hasten_aggregate *aggregate = page->aggregate;
    const struct hasten_row *row = &aggregate->functions[function];
    uint32_t line = largest_line(aggregate, function);
    if (line != HASTEN_NONE && !is_module(page, row) &&
        hasten_share(aggregate->lines[line].self.running_ns, row->self.running_ns) >= HOT_LINE) {
        row = &aggregate->lines[line];
    }
    hasten_verdict_place(page, out, row);
}

/* The functions with most running time of their own, at most MOST_FUNCTIONS. */
static size_t largest_running(const struct hasten_aggregate *aggregate, uint32_t *functions) {
    size_t count = 0;
    for (size_t i = 0; i < aggregate->function_count; i++) {
        int64_t amount_ns = aggregate->functions[i].self.running_ns;
        size_t place = count < MOST_FUNCTIONS ? count : MOST_FUNCTIONS;
        while (place > 0 &&
               aggregate->functions[functions[place - 1]].self.running_ns < amount_ns) {
            place--;
        }
        if (amount_ns <= 0 || place == MOST_FUNCTIONS) {
            continue;
        }
        count += count < MOST_FUNCTIONS;
        for (size_t last = count - 1; last > place; last--) {
            functions[last] = functions[last - 1];
        }
        functions[place] = (uint32_t)i;
    }
    return count;
}

/* "the largest, f (x.py:3), has 8 %; main (x.py:1) with all it calls takes 61 %". */
static void say_spread(const struct hasten_page *page, struct hasten_buffer *out, uint32_t function,
                       int64_t whole) {
    const struct hasten_aggregate *aggregate = page->aggregate;
    hasten_buffer_text(out, "the largest, ");
    say_hot_place(page, out, function);
    hasten_buffer_text(out, ", has ");
    hasten_number_share(out, hasten_share(aggregate->functions[function].self.running_ns, whole));
    uint32_t total = largest_own_total(aggregate);
    if (total == HASTEN_NONE) {
        return;
    }
    const struct hasten_row *own = &aggregate->functions[total];
    double share = hasten_share(hasten_time_counted(&own->total), whole);
    if (share >= LARGE_TOTAL) {
        hasten_buffer_text(out, "; ");
        hasten_verdict_place(page, out, own);
        hasten_buffer_text(out, " with all it calls takes ");
        hasten_number_share(out, share);
    }
}

static void say_running(const struct hasten_page *page, struct hasten_buffer *out,
                        const uint32_t *functions, size_t count, bool first) {
    const struct hasten_aggregate *aggregate = page->aggregate;
    int64_t whole = hasten_time_counted(&aggregate->sum);
    for (size_t i = 0; i < count; i++) {
        const struct hasten_row *row = &aggregate->functions[functions[i]];
        double share = hasten_share(row->self.running_ns, whole);
        if (i == 0 && share < LARGE_FUNCTION) {
            hasten_buffer_text(out, first ? "No single function dominates: "
                                          : "no function dominates the rest: ");
            say_spread(page, out, functions[0], whole);
            return;
        }
        if (share < LARGE_FUNCTION) {
            return;
        }
        hasten_buffer_text(out, i == 0 ? "" : "; ");
        hasten_number_share(out, share);
        hasten_buffer_text(out, first && i == 0 ? " of the time is spent in " : " in ");
        say_hot_place(page, out, functions[i]);
        if (row->self.native_ns > row->self.running_ns / 2) {
            hasten_buffer_text(out, i == 0 ? ", mostly inside C functions that it calls"
                                           : " (mostly C)");
        }
        say_caller(page, out, largest_line(aggregate, functions[i]), RUNNING_STATES,
                   HASTEN_WHO_ALL);
    }
}

/* The waiting states of the main thread, most first; how many are worth saying. */
static size_t sort_waiting(const struct hasten_aggregate *aggregate, int64_t whole,
                           enum hasten_state *states) {
    size_t count = 0;
    for (uint32_t state = 0; state < HASTEN_STATE_COUNT; state++) {
        int64_t amount = aggregate->waiting[state].main_ns;
        if (hasten_share(amount, whole) < LARGE_WAITING) {
            continue;
        }
        size_t place = count++;
        while (place > 0 && aggregate->waiting[states[place - 1]].main_ns < amount) {
            states[place] = states[place - 1];
            place--;
        }
        states[place] = (enum hasten_state)state;
    }
    return count;
}

static bool has_other_threads(const struct hasten_aggregate *aggregate) {
    return aggregate->profile->thread_count > 1;
}

/* "30 % waiting for a file": `first` when no clause stands before it. */
static void say_waits(const struct hasten_page *page, struct hasten_buffer *out, int64_t whole,
                      bool first) {
    const struct hasten_aggregate *aggregate = page->aggregate;
    enum hasten_state states[HASTEN_STATE_COUNT];
    size_t count = sort_waiting(aggregate, whole, states);
    for (size_t i = 0; i < count; i++) {
        const struct hasten_waiting_row *waiting = &aggregate->waiting[states[i]];
        hasten_buffer_text(out, first ? "" : "; ");
        hasten_number_share(out, hasten_share(waiting->main_ns, whole));
        hasten_buffer_text(out, first ? " of the time is spent " : " ");
        say_waiting(out, states[i]);
        if (has_other_threads(aggregate)) {
            hasten_buffer_text(out, first ? " on the main thread" : " (main thread)");
        }
        if (first && waiting->main_line != HASTEN_NONE) {
            hasten_buffer_text(out, " in ");
            hasten_verdict_place(page, out, &aggregate->lines[waiting->main_line]);
            say_caller(page, out, waiting->main_line, STATE_BIT(states[i]), HASTEN_WHO_MAIN);
        }
        first = false;
    }
}

/* The import machinery's entry, under which all of an import happens. */
static double import_share(const struct hasten_aggregate *aggregate) {
    const struct hasten_profile *profile = aggregate->profile;
    for (size_t i = 0; i < aggregate->function_count; i++) {
        const struct hasten_function *function = &profile->functions[i];
        if (strcmp(profile->strings[function->file], "<frozen importlib._bootstrap>") == 0 &&
            strcmp(profile->strings[function->qualname], "_find_and_load") == 0) {
            return hasten_share(hasten_time_counted(&aggregate->functions[i].total),
                                hasten_time_counted(&aggregate->sum));
        }
    }
    return 0;
}

/* What is not in the shares but worth knowing. */
static void say_more(const struct hasten_page *page, struct hasten_buffer *out) {
    const struct hasten_aggregate *aggregate = page->aggregate;
    int64_t running = aggregate->sum.running_ns;
    int64_t gil = aggregate->waiting[HASTEN_STATE_WAIT_GIL].main_ns +
                  aggregate->waiting[HASTEN_STATE_WAIT_GIL].other_ns;
    double gc = hasten_share(aggregate->sum.gc_ns, running);
    double import = import_share(aggregate);
    if (import >= LARGE_IMPORT) {
        hasten_buffer_text(out, " Importing modules takes ");
        hasten_number_share(out, import);
        hasten_buffer_text(out, " in all.");
    }
    if (gc >= LARGE_GC) {
        hasten_buffer_text(out, " The garbage collector runs ");
        hasten_number_share(out, gc > 1 ? 1 : gc);
        hasten_buffer_text(out, " of the running time.");
    }
    if (hasten_share(gil, running) >= LARGE_GIL) {
        hasten_buffer_text(out, " Threads hold each other up: they waited ");
        hasten_number_duration(out, gil);
        hasten_buffer_text(out, " for the GIL.");
    }
}

/* Whether waiting is the news. A main thread that waits for a lock while others
 * work for it is not: what they do is. */
static bool waiting_comes_first(const struct hasten_aggregate *aggregate, uint32_t function) {
    int64_t others_ns = 0;
    for (size_t i = 0; i < aggregate->profile->thread_count; i++) {
        if (!aggregate->threads[i].is_main) {
            hasten_time_add(&others_ns, aggregate->threads[i].running_ns);
        }
    }
    int64_t running_ns = aggregate->functions[function].self.running_ns;
    for (uint32_t state = 0; state < HASTEN_STATE_COUNT; state++) {
        int64_t waiting_ns = aggregate->waiting[state].main_ns;
        bool for_others = state == HASTEN_STATE_WAIT_LOCK || state == HASTEN_STATE_WAIT_GIL ||
                          state == HASTEN_STATE_WAIT_OTHER;
        if (waiting_ns > running_ns && !(for_others && others_ns > waiting_ns / 2)) {
            return true;
        }
    }
    return false;
}

void hasten_verdict(const struct hasten_page *page, struct hasten_buffer *out) {
    const struct hasten_aggregate *aggregate = page->aggregate;
    int64_t whole = hasten_time_counted(&aggregate->sum);
    uint32_t functions[MOST_FUNCTIONS];
    size_t count = largest_running(aggregate, functions);
    if (whole == 0) {
        return;
    }
    if (count == 0) {
        say_waits(page, out, whole, true);
    } else if (waiting_comes_first(aggregate, functions[0])) {
        size_t before = out->size;
        say_waits(page, out, whole, true);
        bool none = out->size == before;
        hasten_buffer_text(out, none ? "" : "; ");
        say_running(page, out, functions, count, none);
    } else {
        say_running(page, out, functions, count, true);
        say_waits(page, out, whole, false);
    }
    hasten_buffer_byte(out, '.');
    say_more(page, out);
}
