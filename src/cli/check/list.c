/* SPDX-License-Identifier: MIT
 *
 * Finds benchmarks in the files that the settings name. */
#include "cli/check/list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/message.h"
#include "cli/python.h"
#include "cli/signals.h"

static bool out_of_memory(void) {
    cli_say("check: out of memory");
    return false;
}

const char *check_verdict_name(enum check_verdict verdict) {
    static const char *const names[] = {
#define CHECK_VERDICT_NAME(id, name) [CHECK_##id] = (name),
        CHECK_VERDICT_MAP(CHECK_VERDICT_NAME)
#undef CHECK_VERDICT_NAME
    };
    return names[verdict];
}

bool check_has_budget(const struct check_entry *entry) {
    const struct check_budget *budget = &entry->budget;
    return budget->time_ns > 0 || budget->memory_bytes > 0 || budget->complexity[0] != '\0';
}

const struct bench_series *check_series(const struct check_entry *entry, size_t side) {
    if (!entry->is_measured || (side == CHECK_REFERENCE && entry->result.side_count == 1)) {
        return NULL;
    }
    return &entry->result.series[entry->result.side_count == 1 ? 0 : side];
}

const struct bench_amount *check_peak(const struct check_entry *entry, size_t side) {
    const struct bench_series *series = check_series(entry, side);
    bool is_known = series != NULL && series->amounts[BENCH_PEAK_BYTES].is_known;
    return is_known ? &series->amounts[BENCH_PEAK_BYTES] : NULL;
}

/* Where the benchmarks of the working tree (CHECK_NOW) and of the reference run. */
static struct bench_side make_side(const struct check_list *list, size_t side) {
    struct bench_side made = {
        .kind = BENCH_FUNCTION,
        .python = list->python,
        .file = list->file->path,
        .leaves_gc_on = list->options->bench.leaves_gc_on,
        .verb = "check",
    };
    if (list->revisions != NULL) {
        made.python = list->revisions[side].python;
        made.settings = list->revisions[side].settings;
    }
    return made;
}

static bool add_entry(struct check_list *list, const char *name) {
    void *entries = list->entries;
    if (list->count == CHECK_MOST_ENTRIES) {
        cli_say("check: more than %d benchmarks; fewer values in `params` are fewer benchmarks",
                CHECK_MOST_ENTRIES);
        return false;
    }
    if (hasten_grow(NULL, &entries, &list->capacity, list->count + 1, sizeof *list->entries) != 0) {
        return out_of_memory();
    }
    list->entries = entries;
    struct check_entry *entry = calloc(1, sizeof *entry);
    char *kept = strdup(name);
    if (entry == NULL || kept == NULL) {
        free(entry);
        free(kept);
        return out_of_memory();
    }
    entry->name = kept;
    entry->file = list->file;
    entry->limits = check_limits_of(&list->settings, list->options, name);
    entry->p = 1;
    list->entries[list->count++] = entry;
    return true;
}

static bool found_function(void *context, const char *function, uint32_t parameter,
                           const char *label) {
    struct check_list *list = context;
    char name[1024];
    snprintf(name, sizeof name, "%.700s::%.300s", list->file->name, label);
    if (!add_entry(list, name)) {
        return false;
    }
    struct check_entry *entry = list->entries[list->count - 1];
    for (size_t side = 0; side < 2; side++) {
        struct bench_side *made = &entry->sides[side];
        *made = make_side(list, side);
        snprintf(made->function, sizeof made->function, "%s", function);
        made->parameter = parameter;
        snprintf(made->label, sizeof made->label, "%.180s%s%.60s", label,
                 list->revisions == NULL ? "" : " of ",
                 list->revisions == NULL ? "" : list->revisions[side].label);
    }
    return true;
}

/* "20000000 5000000 n log n", in the order in which functions were found. */
static bool found_budget(void *context, const char *function, uint32_t parameter,
                         const char *label) {
    struct check_list *list = context;
    char memory[32], time[32];
    int rest = 0;
    (void)function;
    (void)parameter;
    if (list->next == list->count || sscanf(label, "%31s %31s %n", memory, time, &rest) != 2) {
        cli_say("check: %s has other benchmarks each time it is loaded", list->file->name);
        return false;
    }
    struct check_budget *budget = &list->entries[list->next++]->budget;
    budget->memory_bytes = strtod(memory, NULL); /* "-" is 0 */
    budget->time_ns = strtod(time, NULL);
    if (strcmp(label + rest, "-") != 0) {
        snprintf(budget->complexity, sizeof budget->complexity, "%.31s", label + rest);
    }
    return true;
}

/* All functions of a file; one entry that failed where it cannot be read. */
static bool list_file(struct check_list *list) {
    struct bench_side reader = make_side(list, CHECK_NOW);
    snprintf(reader.label, sizeof reader.label, "%.250s", list->file->name);
    double patience_s = list->options->bench.timeout_s;
    list->first = list->next = list->count;
    if (bench_process_list(&reader, "list", patience_s, found_function, list)) {
        return list->count == list->first ||
               bench_process_list(&reader, "budgets", patience_s, found_budget, list);
    }
    if (cli_signals_stop_asked() || list->count > list->first || !add_entry(list, reader.label)) {
        return false;
    }
    struct check_entry *entry = list->entries[list->count - 1];
    entry->verdict = CHECK_FAILED;
    snprintf(entry->reason, sizeof entry->reason, "the file cannot be loaded");
    return true;
}

static bool make_revisions(struct check_list *list) {
    const struct cli_options *options = list->options;
    list->revisions = calloc(2, sizeof *list->revisions);
    if (list->revisions == NULL) {
        return out_of_memory();
    }
    list->revisions[0].entry.lock = list->revisions[1].entry.lock = -1;
    if (!revision_project_find(&list->project, list->python, options->bench.install) ||
        !revision_prepare(&list->project, options->check.against,
                          &list->revisions[CHECK_REFERENCE]) ||
        !revision_prepare(&list->project, NULL, &list->revisions[CHECK_NOW])) {
        return false;
    }
    revision_cache_clean();
    return true;
}

bool check_list_make(struct check_list *list, const struct cli_options *options) {
    *list = (struct check_list){.options = options};
    if (!cli_python_choose(options->python, list->python, sizeof list->python)) {
        cli_say("check: no interpreter%s%s found; --python PATH names one",
                options->python == NULL ? "" : " ", options->python == NULL ? "" : options->python);
        return false;
    }
    if (!check_settings_read(&list->settings, list->python, options)) {
        return false;
    }
    if (list->settings.file_count == 0) {
        cli_say("check: there are no files bench_*.py in %s; [tool.hasten.check] in pyproject.toml "
                "says which there are",
                list->settings.home);
        return false;
    }
    if (options->check.against != NULL && !make_revisions(list)) {
        return false;
    }
    for (size_t i = 0; i < list->settings.file_count; i++) {
        list->file = &list->settings.files[i];
        if (!list_file(list)) {
            return false;
        }
    }
    if (list->count == 0) {
        cli_say("check: the files have no functions named bench_*");
    }
    return list->count > 0;
}

void check_list_done(struct check_list *list) {
    for (size_t i = 0; i < list->count; i++) {
        bench_result_done(&list->entries[i]->result);
        free(list->entries[i]->name);
        free(list->entries[i]);
    }
    hasten_release(NULL, list->entries, list->capacity * sizeof *list->entries);
    for (size_t side = 0; side < 2 && list->revisions != NULL; side++) {
        revision_done(&list->revisions[side]);
    }
    free(list->revisions);
    revision_project_done(&list->project);
    check_settings_done(&list->settings);
}
