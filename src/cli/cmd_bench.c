/* SPDX-License-Identifier: MIT
 *
 * hasten bench: works out what the sides are, measures, shows. */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "cli/bench/counts.h"
#include "cli/bench/html.h"
#include "cli/bench/show.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/python.h"
#include "cli/revision/revision.h"
#include "cli/screen.h"
#include "cli/signals.h"
#include "core/base/clock.h"

/* A file with more is a mistake: each has a budget of its own. */
#define MOST_ENTRIES 1000
/* It could not be measured; the same as wrong usage, and not 1, which is for a
 * regression that was found. */
#define EXIT_NOT_MEASURED CLI_EXIT_USAGE

struct bench_list {
    struct bench_side sides[2]; /* what all entries have in common */
    size_t side_count;
    struct bench_entry **entries;
    size_t count, capacity;
    char python[2][PATH_MAX];
    struct hasten_buffer setup, statement;
    struct revision_project project;
    struct revision *revisions; /* of --vs-rev, one a side; NULL: none */
};

static bool add(struct bench_list *list) {
    void *entries = list->entries;
    if (list->count == MOST_ENTRIES) {
        cli_say("bench: more than %d benchmarks; fewer values in `params` are fewer benchmarks",
                MOST_ENTRIES);
        return false;
    }
    if (hasten_grow(NULL, &entries, &list->capacity, list->count + 1, sizeof *list->entries) != 0) {
        cli_say("bench: out of memory");
        return false;
    }
    list->entries = entries;
    struct bench_entry *entry = calloc(1, sizeof *entry);
    if (entry == NULL) {
        cli_say("bench: out of memory");
        return false;
    }
    memcpy(entry->sides, list->sides, sizeof entry->sides);
    list->entries[list->count++] = entry;
    return true;
}

static void list_done(struct bench_list *list) {
    for (size_t i = 0; i < list->count; i++) {
        struct bench_entry *entry = list->entries[i];
        bench_result_done(&entry->result);
        free(entry);
    }
    hasten_release(NULL, list->entries, list->capacity * sizeof *list->entries);
    hasten_buffer_done(&list->setup);
    hasten_buffer_done(&list->statement);
    for (size_t side = 0; side < 2 && list->revisions != NULL; side++) {
        revision_done(&list->revisions[side]);
    }
    free(list->revisions);
    revision_project_done(&list->project);
}

/* How a side is called: `what`, and what is special about it. */
static void name_side(struct bench_side *side, const char *what, const char *special) {
    char text[sizeof side->label];
    snprintf(text, sizeof text, "%s", what);
    for (char *c = text; *c != '\0'; c++) {
        *c = *c == '\n' ? ';' : *c;
    }
    snprintf(side->label, sizeof side->label, "%.180s%s%.60s%s", text, special == NULL ? "" : " (",
             special == NULL ? "" : special, special == NULL ? "" : ")");
}

static const char *special_of(const struct cli_options *options, size_t side) {
    if (side == 0) {
        return NULL;
    }
    const struct cli_bench_options *bench = &options->bench;
    return bench->vs_rev != NULL   ? bench->vs_rev
           : bench->vs_env != NULL ? bench->vs_env
                                   : bench->vs_python;
}

static bool found_function(void *context, const char *function, uint32_t parameter,
                           const char *label) {
    struct bench_list *list = context;
    if (!add(list)) {
        return false;
    }
    struct bench_side *sides = list->entries[list->count - 1]->sides;
    for (size_t side = 0; side < list->side_count; side++) {
        int size = snprintf(sides[side].function, sizeof sides[side].function, "%s", function);
        if (size >= (int)sizeof sides[side].function) {
            cli_say("bench: the name %s is too long", function);
            return false;
        }
        sides[side].parameter = parameter;
        char special[64];
        snprintf(special, sizeof special, "%s", list->sides[side].label);
        name_side(&sides[side], label, special[0] == '\0' ? NULL : special);
    }
    return true;
}

/* All functions of the file; side B has those of the same name. */
static bool take_file(struct bench_list *list, const struct cli_options *options) {
    for (size_t side = 0; side < list->side_count && side < 2; side++) {
        const char *special = special_of(options, side);
        list->sides[side].kind = BENCH_FUNCTION;
        list->sides[side].file =
            side == 1 && options->bench.vs != NULL ? options->bench.vs : options->arguments[0];
        special = special == NULL && side == 1 ? options->bench.vs : special;
        snprintf(list->sides[side].label, sizeof list->sides[side].label, "%s",
                 special == NULL ? "" : special);
    }
    struct bench_side reader = list->sides[0];
    name_side(&reader, reader.file, NULL);
    if (!bench_process_list(&reader, "list", options->bench.timeout_s, found_function, list)) {
        return false;
    }
    if (list->count == 0) {
        cli_say("bench: %s has no functions named bench_*", reader.file);
        return false;
    }
    return true;
}

static bool take_statement(struct bench_list *list, const struct cli_options *options) {
    for (size_t i = 0; i < options->bench.setup_count; i++) {
        hasten_buffer_text(&list->setup, i == 0 ? "" : "\n");
        hasten_buffer_text(&list->setup, options->bench.setups[i]);
    }
    for (int i = 0; i < options->argument_count; i++) {
        hasten_buffer_text(&list->statement, i == 0 ? "" : "\n");
        hasten_buffer_text(&list->statement, options->arguments[i]);
    }
    const char *setup = hasten_buffer_cstring(&list->setup);
    const char *statement = hasten_buffer_cstring(&list->statement);
    for (size_t side = 0; side < list->side_count; side++) {
        list->sides[side].setup = setup[0] == '\0' ? "pass" : setup;
        list->sides[side].statement =
            side == 1 && options->bench.vs != NULL ? options->bench.vs : statement;
        name_side(&list->sides[side], list->sides[side].statement, special_of(options, side));
    }
    return !list->setup.failed && !list->statement.failed && add(list);
}

/* Splits what follows -- at --vs. */
static bool take_commands(struct bench_list *list, const struct cli_options *options) {
    char **words = options->arguments;
    int count = options->argument_count, first = count;
    for (int i = 0; i < count && first == count; i++) {
        if (strcmp(words[i], "--vs") == 0) {
            first = i;
        }
    }
    if (first == 0 || first == count - 1) {
        cli_say("bench: a command is missing %s --vs", first == 0 ? "before" : "after");
        return false;
    }
    if (first < count) {
        words[first] = NULL; /* ends A's; B's ends where main's arguments do */
        list->side_count = 2;
    }
    for (size_t side = 0; side < list->side_count; side++) {
        char **command = side == 1 && first < count ? words + first + 1 : words;
        char text[sizeof list->sides[side].label] = "";
        for (char **word = command; *word != NULL && word < words + count; word++) {
            size_t used = strlen(text);
            snprintf(text + used, sizeof text - used, "%s%s", word == command ? "" : " ", *word);
        }
        list->sides[side].kind = BENCH_COMMAND;
        list->sides[side].command = command;
        name_side(&list->sides[side], text, special_of(options, side));
    }
    words[count] = NULL;
    return add(list);
}

/* Both revisions, and their environments in the sides. */
static bool take_revisions(struct bench_list *list, const struct cli_options *options) {
    const struct cli_bench_options *bench = &options->bench;
    if (bench->vs != NULL || bench->vs_python != NULL || bench->vs_env != NULL) {
        cli_say("bench: --vs-rev compares the same code of two revisions: no other --vs with it");
        return false;
    }
    list->revisions = calloc(2, sizeof *list->revisions);
    if (list->revisions == NULL) {
        cli_say("bench: out of memory");
        return false;
    }
    list->revisions[0].entry.lock = list->revisions[1].entry.lock = -1;
    if (!revision_project_find(&list->project, list->python[0], bench->install)) {
        return false;
    }
    for (size_t side = 0; side < 2; side++) {
        struct revision *revision = &list->revisions[side];
        if (!revision_prepare(&list->project, side == 0 ? NULL : bench->vs_rev, revision)) {
            return false;
        }
        list->sides[side].python = revision->python;
        list->sides[side].settings = revision->settings;
        list->sides[side].directory = options->is_command ? revision->folder : NULL;
    }
    if (revision_is_dirty(&list->project)) {
        cli_say("bench: A is the working tree, with changes that are not committed");
    }
    revision_cache_clean();
    return true;
}

/* What is the same for all kinds. */
static bool choose_sides(struct bench_list *list, const struct cli_options *options) {
    const struct cli_bench_options *bench = &options->bench;
    bool compares = bench->vs != NULL || bench->vs_python != NULL || bench->vs_env != NULL ||
                    bench->vs_rev != NULL;
    list->side_count = compares ? 2 : 1;
    for (size_t side = 0; side < 2; side++) {
        const char *wanted =
            side == 1 && bench->vs_python != NULL ? bench->vs_python : options->python;
        if ((!options->is_command || bench->vs_rev != NULL) &&
            !cli_python_choose(wanted, list->python[side], sizeof list->python[side])) {
            cli_say("bench: no interpreter%s%s found; --python PATH names one",
                    wanted == NULL ? "" : " ", wanted == NULL ? "" : wanted);
            return false;
        }
        list->sides[side].python = list->python[side];
        list->sides[side].leaves_gc_on = bench->leaves_gc_on;
        list->sides[side].unrolls = bench->unrolls;
    }
    list->sides[1].variable = bench->vs_env;
    return bench->vs_rev == NULL || take_revisions(list, options);
}

static bool ends_with(const char *text, const char *end) {
    size_t size = strlen(text), end_size = strlen(end);
    return size > end_size && strcmp(text + size - end_size, end) == 0;
}

static bool take_all(struct bench_list *list, const struct cli_options *options) {
    if (options->argument_count == 0) {
        cli_say("bench: what shall be measured? `hasten help bench` shows how");
        return false;
    }
    if (options->is_command && (options->bench.setup_count > 0 || options->bench.vs != NULL ||
                                options->bench.vs_python != NULL || options->bench.unrolls ||
                                (options->python != NULL && options->bench.vs_rev == NULL))) {
        cli_say("bench: of commands only --vs-env, --vs-rev, and --vs after them, can be "
                "compared");
        return false;
    }
    if (!choose_sides(list, options)) {
        return false;
    }
    if (options->is_command) {
        return take_commands(list, options);
    }
    bool is_file = options->argument_count == 1 && ends_with(options->arguments[0], ".py");
    if (is_file && options->bench.unrolls) {
        cli_say("bench: --unroll copies statements; a function loops in itself, or not");
        return false;
    }
    if (is_file) {
        return take_file(list, options);
    }
    return take_statement(list, options);
}

/* One comparison in twenty is wrong by chance: of many, more must be asked. */
static void correct(struct bench_list *list) {
    if (list->count < 2) {
        return;
    }
    double *p = malloc(list->count * sizeof *p);
    bool *differs = malloc(list->count * sizeof *differs);
    if (p != NULL && differs != NULL) {
        for (size_t i = 0; i < list->count; i++) {
            const struct bench_result *result = &list->entries[i]->result;
            p[i] = result->alpha > 0 ? hasten_look_p(result->ratio.p, result->alpha) : 1;
        }
        hasten_holm(p, list->count, 0.05, differs);
        for (size_t i = 0; i < list->count; i++) {
            struct bench_result *result = &list->entries[i]->result;
            bool was = result->comparison == HASTEN_COMPARISON_FASTER ||
                       result->comparison == HASTEN_COMPARISON_SLOWER;
            if (was && !differs[i]) {
                result->comparison = HASTEN_COMPARISON_UNCLEAR;
                result->is_corrected = true;
            }
        }
    }
    free(p);
    free(differs);
}

static bool show(struct bench_list *list, const struct cli_options *options,
                 const struct bench_plan *plan) {
    struct hasten_buffer out;
    hasten_buffer_init(&out, NULL);
    if (options->json) {
        bench_json(&out, list->entries, list->count, plan);
    } else {
        bool unicode = cli_screen(STDOUT_FILENO, options).unicode;
        for (size_t i = 0; i < list->count; i++) {
            hasten_buffer_text(&out, i == 0 ? "" : "\n");
            bench_show(&out, list->entries[i], unicode, plan);
        }
        if (list->side_count == 2 && list->count > 1) {
            hasten_buffer_format(&out,
                                 "\nVerdicts are corrected for %zu comparisons at once (Holm).\n",
                                 list->count);
        }
    }
    bool is_whole = !out.failed;
    if (is_whole) {
        fwrite(out.data, 1, out.size, stdout);
    } else {
        cli_say("bench: out of memory");
    }
    hasten_buffer_done(&out);
    return is_whole;
}

/* One that fails is said to, and does not take the others with it: it leaves the list.
 * False where none is left, or a stop was asked for. */
static bool measure_all(struct bench_list *list, struct bench_plan *plan) {
    size_t kept = 0, count = list->count;
    for (size_t i = 0; i < count; i++) {
        struct bench_entry *entry = list->entries[i];
        if (!cli_signals_stop_asked() &&
            bench_measure(entry->sides, list->side_count, plan, &entry->result)) {
            list->entries[kept++] = entry;
        } else {
            bench_result_done(&entry->result);
            free(entry);
        }
        plan->seed++;
    }
    list->count = kept;
    if (kept > 0 && kept < count && !cli_signals_stop_asked()) {
        cli_say("bench: %zu of %zu benchmarks could not be measured", count - kept, count);
    }
    return kept > 0 && !cli_signals_stop_asked();
}

int cmd_bench(const struct cli_options *options) {
    struct bench_list list = {.side_count = 1};
    struct bench_plan plan = {
        .budget_s = options->bench.budget_s,
        .patience_s = options->bench.timeout_s,
        .margin = options->bench.margin,
        .counts = options->bench.counts,
        .skips_memory = options->bench.skips_memory,
        .shows_progress = isatty(STDERR_FILENO) == 1,
    };
    if (getrandom(&plan.seed, sizeof plan.seed, GRND_NONBLOCK) != (ssize_t)sizeof plan.seed) {
        plan.seed = hasten_clock_wall_ns() ^ (uint64_t)getpid() << 40;
    }
    hasten_buffer_init(&list.setup, NULL);
    hasten_buffer_init(&list.statement, NULL);
    cli_signals_catch_stop();
    bool done = take_all(&list, options) &&
                bench_counts_possible(plan.counts, list.entries[0]->sides[0].kind);
    const char *html = options->bench.html;
    bool has_page = done && html != NULL && bench_html_prepare(html);
    done = done && (html == NULL || has_page);
    size_t asked = list.count;
    plan.comparisons = list.count;
    done = done && measure_all(&list, &plan);
    if (done) {
        if (list.side_count == 2) {
            correct(&list);
        }
        done = show(&list, options, &plan) &&
               (html == NULL || bench_html_write(html, list.entries, list.count, &plan));
    } else if (has_page) {
        bench_html_abandon(html);
    }
    list_done(&list);
    if (cli_signals_stop_asked()) {
        cli_signals_die_by(SIGINT);
    }
    return done && list.count == asked ? CLI_EXIT_OK : EXIT_NOT_MEASURED;
}
