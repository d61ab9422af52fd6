/* SPDX-License-Identifier: MIT
 *
 * The terminal's report of imports: a tree, and what never used modules cost. */
#include "cli/imports/show.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/report/numbers.h"
#include "core/report/table.h"
#include "core/report/text.h"

#define DEFAULT_ROWS 40
#define BAR_COLUMNS 12
/* Never used modules that are listed by themselves. */
#define MOST_UNUSED 10
/* A tree that is deeper is shown as if it were not. */
#define MOST_DEPTH 200

struct shown {
    const struct hasten_loads *loads;
    const struct cli_options *options;
    struct hasten_page page;
    struct hasten_table table;
    int64_t least_ns; /* loads with less are not shown */
    size_t rows;
    bool failed;
};

static void put_duration(struct hasten_table *table, enum hasten_style style, int64_t time_ns) {
    struct hasten_buffer text;
    hasten_buffer_init(&text, NULL);
    hasten_number_duration(&text, time_ns);
    hasten_table_text(table, style, hasten_buffer_cstring(&text));
    hasten_buffer_done(&text);
}

static void put_bytes(struct hasten_table *table, int64_t bytes) {
    struct hasten_buffer text;
    hasten_buffer_init(&text, NULL);
    hasten_number_bytes(&text, bytes);
    hasten_table_text(table, HASTEN_STYLE_PLAIN, hasten_buffer_cstring(&text));
    hasten_buffer_done(&text);
}

/* How much of a module's name is that of a package which the one above it is in, too: of
 * "pip._vendor.rich.text" below "pip._vendor.rich.console" the first 17 bytes. */
static size_t shared_size(const char *above, const char *name) {
    size_t shared = 0;
    for (size_t i = 0; name[i] != '\0' && (above[i] == name[i] || above[i] == '\0'); i++) {
        if (name[i] == '.') {
            shared = i + 1;
        }
        if (above[i] == '\0') {
            break;
        }
    }
    return shared;
}

/* In a deep tree there is little room: what is above says the rest. */
static void put_name(struct shown *shown, const struct hasten_load *load, size_t depth,
                     enum hasten_style style) {
    struct hasten_buffer text;
    const char *name = hasten_loads_text(shown->loads, load->name);
    hasten_buffer_init(&text, NULL);
    for (size_t i = 0; i < depth; i++) {
        hasten_buffer_byte(&text, ' ');
    }
    if (depth > 0 && load->parent != HASTEN_LOADS_NONE) {
        const struct hasten_load *above = &shown->loads->loads[load->parent];
        const size_t shared = shared_size(hasten_loads_text(shown->loads, above->name), name);
        hasten_buffer_text(&text, shared == 0 ? "" : shown->page.options->unicode ? "…" : "~");
        name += shared;
    }
    hasten_text_safe(&text, name, strlen(name), shown->page.options->unicode);
    hasten_table_text(&shown->table, style, hasten_buffer_cstring(&text));
    hasten_buffer_done(&text);
}

static const char *note_of(const struct hasten_load *load) {
    return load->has_failed ? "failed" : load->is_needed ? "" : "never used";
}

static void put_row(struct shown *shown, const struct hasten_load *load, size_t depth) {
    const enum hasten_style style = load->is_needed ? HASTEN_STYLE_PLAIN : HASTEN_STYLE_WAITING;
    struct hasten_table *table = &shown->table;
    put_duration(table, style, load->total_ns);
    put_duration(table, style, load->self_ns);
    put_bytes(table, load->total_bytes);
    /* Of a load that was going on at the end, the parts are known and the whole is not. */
    const int64_t unneeded_ns =
        load->unneeded_ns < load->total_ns ? load->unneeded_ns : load->total_ns;
    hasten_table_bar(table, (struct hasten_bar){.python_ns = load->total_ns - unneeded_ns,
                                                .waiting_ns = unneeded_ns});
    put_name(shown, load, depth, style);
    hasten_table_text(table, style, note_of(load));
    shown->rows++;
}

/* Whether the load, or with --unused something below it, is to be shown. */
static bool is_shown(const struct shown *shown, const struct hasten_load *load) {
    return load->total_ns >= shown->least_ns &&
           (!shown->options->imports.unused || !load->is_needed || load->unneeded_below > 0);
}

/* `numbers` has room for the rest of the tree. */
static void put_tree(struct shown *shown, size_t parent, size_t depth, size_t *numbers) {
    const uint32_t most = shown->options->imports.depth;
    if (depth >= MOST_DEPTH || (most != 0 && depth >= most)) {
        return;
    }
    const size_t count = hasten_loads_below(shown->loads, parent, numbers);
    for (size_t i = 0; i < count; i++) {
        const struct hasten_load *load = &shown->loads->loads[numbers[i]];
        if (is_shown(shown, load)) {
            put_row(shown, load, depth);
            put_tree(shown, numbers[i], depth + 1, numbers + count);
        }
    }
}

static int longest_first(const void *left, const void *right) {
    const int64_t one = *(const int64_t *)left;
    const int64_t other = *(const int64_t *)right;
    return (one < other) - (one > other);
}

/* The time that as many loads have as are to be shown. What is above another has at least its
 * time, so that these are a tree. */
static int64_t find_least(const struct shown *shown, size_t limit) {
    const struct hasten_loads *loads = shown->loads;
    int64_t least_ns = 0;
    int64_t *times = limit == 0 ? NULL : malloc((loads->count + 1) * sizeof *times);
    size_t count = 0;
    for (size_t i = 0; times != NULL && i < loads->count; i++) {
        if (is_shown(shown, &loads->loads[i])) {
            times[count++] = loads->loads[i].total_ns;
        }
    }
    if (count > limit && times != NULL) {
        qsort(times, count, sizeof *times, longest_first);
        least_ns = times[limit - 1];
    }
    free(times);
    return least_ns;
}

static void put_sentence(struct hasten_page *page, enum hasten_style style,
                         struct hasten_buffer *text) {
    hasten_page_style(page, style);
    hasten_text_wrap(&page->out, hasten_buffer_cstring(text), "", page->columns);
    hasten_page_style(page, HASTEN_STYLE_PLAIN);
    hasten_buffer_clear(text);
}

static void put_head(struct shown *shown, const char *program) {
    const struct hasten_loads *loads = shown->loads;
    struct hasten_buffer text;
    hasten_buffer_init(&text, NULL);
    hasten_buffer_text(&text, "Imports of ");
    hasten_text_safe(&text, program, strlen(program), shown->page.options->unicode);
    hasten_buffer_text(&text, ": ");
    hasten_number_duration(&text, loads->total_ns);
    hasten_buffer_text(&text, " of the ");
    hasten_number_duration(&text, loads->duration_ns);
    hasten_buffer_format(&text, " that it ran, %zu modules, ", loads->count);
    hasten_number_bytes(&text, loads->total_bytes);
    hasten_buffer_text(&text, " more of resident memory.");
    put_sentence(&shown->page, HASTEN_STYLE_STRONG, &text);
    if (!loads->knows_use) {
        hasten_buffer_text(&text, "Which of them were used is not known: other tools use "
                                  "sys.monitoring.");
    } else if (loads->unneeded_count == 0) {
        hasten_buffer_text(&text, "All of them were used.");
    } else {
        hasten_buffer_format(&text, "Never used: %zu of them, ", loads->unneeded_count);
        hasten_number_duration(&text, loads->unneeded_ns);
        hasten_buffer_text(&text, " (");
        hasten_number_share(&text, hasten_share(loads->unneeded_ns, loads->total_ns));
        hasten_buffer_text(&text, " of the time), ");
        hasten_number_bytes(&text, loads->unneeded_bytes);
        hasten_buffer_text(&text, ".");
    }
    put_sentence(&shown->page, HASTEN_STYLE_PLAIN, &text);
    hasten_buffer_done(&text);
}

static void put_imports(struct shown *shown, size_t limit) {
    static const struct hasten_table_column columns[] = {
        {.heading = "total", .right = true},
        {.heading = "self", .right = true},
        {.heading = "memory", .right = true},
        {.heading = ""},
        {.heading = "module", .cut = HASTEN_CUT_END, .least = 16},
        {.heading = ""},
    };
    const size_t count = shown->loads->count;
    size_t *numbers = malloc((count + 1) * sizeof *numbers);
    if (numbers == NULL) {
        shown->failed = true;
        return;
    }
    shown->least_ns = find_least(shown, limit);
    hasten_buffer_byte(&shown->page.out, '\n');
    hasten_table_init(&shown->table, &shown->page, columns, sizeof columns / sizeof *columns,
                      shown->loads->total_ns);
    put_tree(shown, HASTEN_LOADS_NONE, 0, numbers);
    hasten_table_finish(&shown->table);
    free(numbers);
    if (shown->rows < count && !shown->options->imports.unused) {
        hasten_page_more(&shown->page, count - shown->rows);
    }
}

/* Never used, and loaded by what was: what importing it lazily would save. */
static bool is_top_unused(const struct hasten_loads *loads, const struct hasten_load *load) {
    return !load->is_needed && !load->has_failed &&
           (load->parent == HASTEN_LOADS_NONE || loads->loads[load->parent].is_needed);
}

static size_t find_unused(const struct hasten_loads *loads, size_t *numbers) {
    size_t count = 0;
    for (size_t i = 0; i < loads->count; i++) {
        if (!is_top_unused(loads, &loads->loads[i])) {
            continue;
        }
        size_t at = count < MOST_UNUSED ? count++ : MOST_UNUSED;
        for (; at > 0 && loads->loads[numbers[at - 1]].saved_ns < loads->loads[i].saved_ns; at--) {
            if (at < MOST_UNUSED) {
                numbers[at] = numbers[at - 1];
            }
        }
        if (at < MOST_UNUSED) {
            numbers[at] = i;
        }
    }
    return count;
}

static void put_unused(struct shown *shown) {
    static const struct hasten_table_column columns[] = {
        {.heading = "saves", .right = true},
        {.heading = "never used", .cut = HASTEN_CUT_END, .least = 16},
        {.heading = "imported by", .cut = HASTEN_CUT_START, .least = 12},
    };
    const struct hasten_loads *loads = shown->loads;
    size_t numbers[MOST_UNUSED];
    const size_t count = find_unused(loads, numbers);
    if (count == 0) {
        return;
    }
    hasten_buffer_byte(&shown->page.out, '\n');
    hasten_table_init(&shown->table, &shown->page, columns, sizeof columns / sizeof *columns, 0);
    for (size_t i = 0; i < count; i++) {
        const struct hasten_load *load = &loads->loads[numbers[i]];
        struct hasten_buffer by;
        const char *importer = hasten_loads_text(loads, load->importer);
        put_duration(&shown->table, HASTEN_STYLE_PLAIN, load->saved_ns);
        put_name(shown, load, 0, HASTEN_STYLE_WAITING);
        hasten_buffer_init(&by, NULL);
        hasten_text_safe(&by, importer, strlen(importer), shown->page.options->unicode);
        hasten_table_text(&shown->table, HASTEN_STYLE_PLAIN, hasten_buffer_cstring(&by));
        hasten_buffer_done(&by);
    }
    hasten_table_finish(&shown->table);
}

static void put_advice(struct shown *shown, const char *program) {
    struct hasten_buffer text;
    if (shown->loads->unneeded_count == 0) {
        return;
    }
    hasten_buffer_init(&text, NULL);
    hasten_buffer_byte(&shown->page.out, '\n');
    hasten_buffer_text(&text, "Lazy imports would save at most ");
    hasten_number_duration(&text, shown->loads->unneeded_ns);
    hasten_buffer_text(&text, " here. To try it: hasten run --lazy-imports ");
    hasten_text_safe(&text, program, strlen(program), shown->page.options->unicode);
    put_sentence(&shown->page, HASTEN_STYLE_PLAIN, &text);
    hasten_buffer_done(&text);
}

void cli_imports_text(struct hasten_buffer *out, const struct hasten_loads *loads,
                      const struct cli_options *options, const struct hasten_report_options *screen,
                      const char *program) {
    const struct hasten_aggregate none = {.allocator = NULL};
    struct shown shown = {.loads = loads, .options = options};
    shown.page = (struct hasten_page){.aggregate = &none,
                                      .options = screen,
                                      .columns = screen->columns,
                                      .bar_columns = BAR_COLUMNS};
    hasten_buffer_init(&shown.page.out, NULL);
    hasten_buffer_init(&shown.page.scratch, NULL);
    put_head(&shown, program);
    if (loads->count > 0) {
        put_imports(&shown, options->has_limit ? options->limit : DEFAULT_ROWS);
        put_unused(&shown);
        put_advice(&shown, program);
    }
    hasten_buffer_append(out, shown.page.out.data, shown.page.out.size);
    out->failed = out->failed || shown.failed || shown.page.out.failed;
    hasten_buffer_done(&shown.page.out);
    hasten_buffer_done(&shown.page.scratch);
}
