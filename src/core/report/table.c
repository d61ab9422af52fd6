/* SPDX-License-Identifier: MIT
 *
 * Collects cells, finds column widths, writes rows. */
#include "core/report/table.h"

#include <string.h>

#include "core/report/text.h"

/* Before each column, the first too: the page's indent. */
#define GAP "  "

struct hasten_table_cell {
    size_t text; /* offset of the NUL-terminated text */
    struct hasten_bar bar;
    enum hasten_style style;
    bool is_bar;
};

void hasten_table_init(struct hasten_table *table, struct hasten_page *page,
                       const struct hasten_table_column *columns, size_t column_count,
                       int64_t bar_full_ns) {
    *table = (struct hasten_table){
        .page = page, .columns = columns, .column_count = column_count, .bar_full_ns = bar_full_ns};
    hasten_buffer_init(&table->text, page->aggregate->allocator);
}

static struct hasten_table_cell *add_cell(struct hasten_table *table) {
    static const struct hasten_table_cell empty;
    void *cells = table->cells;
    if (hasten_grow(table->page->aggregate->allocator, &cells, &table->cell_capacity,
                    table->cell_count + 1, sizeof *table->cells) != 0) {
        table->failed = true;
        return NULL;
    }
    table->cells = cells;
    table->cells[table->cell_count] = empty;
    return &table->cells[table->cell_count++];
}

void hasten_table_text(struct hasten_table *table, enum hasten_style style, const char *text) {
    struct hasten_table_cell *cell = add_cell(table);
    if (cell != NULL) {
        cell->style = style;
        cell->text = table->text.size;
        hasten_buffer_append(&table->text, text, strlen(text) + 1);
    }
}

void hasten_table_bar(struct hasten_table *table, struct hasten_bar bar) {
    struct hasten_table_cell *cell = add_cell(table);
    if (cell != NULL) {
        cell->is_bar = true;
        cell->bar = bar;
    }
}

static const char *cell_text(const struct hasten_table *table,
                             const struct hasten_table_cell *cell) {
    return table->text.data + cell->text;
}

/* Takes columns away from the widest that may lose some until the row fits. */
static void shrink(const struct hasten_table *table, size_t *widths, size_t available) {
    size_t sum = 0;
    for (size_t i = 0; i < table->column_count; i++) {
        sum += widths[i];
    }
    while (sum > available) {
        size_t widest = table->column_count;
        for (size_t i = 0; i < table->column_count; i++) {
            const struct hasten_table_column *column = &table->columns[i];
            if (column->cut != HASTEN_CUT_NEVER && widths[i] > column->least &&
                (widest == table->column_count || widths[i] > widths[widest])) {
                widest = i;
            }
        }
        if (widest == table->column_count) {
            return;
        }
        widths[widest]--;
        sum--;
    }
}

static void measure(const struct hasten_table *table, size_t *widths) {
    size_t count = table->column_count;
    for (size_t i = 0; i < count; i++) {
        const char *heading = table->columns[i].heading;
        widths[i] = hasten_text_width(heading, strlen(heading));
    }
    size_t column = 0;
    for (size_t i = 0; i < table->cell_count; i++) {
        const struct hasten_table_cell *cell = &table->cells[i];
        const char *text = cell->is_bar ? "" : cell_text(table, cell);
        size_t width =
            cell->is_bar ? table->page->bar_columns : hasten_text_width(text, strlen(text));
        widths[column] = width > widths[column] ? width : widths[column];
        column = column + 1 == count ? 0 : column + 1;
    }
    size_t gaps = count * strlen(GAP);
    shrink(table, widths, table->page->columns > gaps ? table->page->columns - gaps : 0);
}

static void pad(struct hasten_page *page, size_t columns) {
    for (size_t i = 0; i < columns; i++) {
        hasten_buffer_byte(&page->out, ' ');
    }
}

static void write_text(struct hasten_table *table, size_t column, enum hasten_style style,
                       const char *text, size_t width) {
    struct hasten_page *page = table->page;
    const struct hasten_table_column *description = &table->columns[column];
    bool last = column + 1 == table->column_count;
    struct hasten_buffer *cut = &page->scratch;
    hasten_buffer_clear(cut);
    size_t used = 0;
    if (description->cut == HASTEN_CUT_START) {
        used = hasten_text_cut_start(cut, text, width, page->options->unicode);
    } else {
        used = hasten_text_cut_end(cut, text, width, page->options->unicode);
    }
    pad(page, description->right ? width - used : 0);
    bool styled = style != HASTEN_STYLE_PLAIN && cut->size > 0;
    if (styled) {
        hasten_page_style(page, style);
    }
    hasten_buffer_append(&page->out, cut->data, cut->size);
    if (styled) {
        hasten_page_style(page, HASTEN_STYLE_PLAIN);
    }
    pad(page, description->right || last ? 0 : width - used);
    page->out.failed = page->out.failed || cut->failed;
}

static void write_cell(struct hasten_table *table, size_t index, const size_t *widths) {
    const struct hasten_table_cell *cell = &table->cells[index];
    size_t column = index % table->column_count;
    hasten_buffer_text(&table->page->out, GAP);
    if (cell->is_bar) {
        size_t drawn = hasten_page_bar(table->page, &cell->bar, table->bar_full_ns, widths[column]);
        pad(table->page, widths[column] - drawn);
    } else {
        write_text(table, column, cell->style, cell_text(table, cell), widths[column]);
    }
    if (column + 1 == table->column_count) {
        hasten_buffer_byte(&table->page->out, '\n');
    }
}

void hasten_table_finish(struct hasten_table *table) {
    size_t widths[HASTEN_TABLE_COLUMNS] = {0};
    struct hasten_page *page = table->page;
    if (table->failed || table->text.failed) {
        page->out.failed = true;
    } else if (table->column_count > 0) {
        measure(table, widths);
        for (size_t i = 0; i < table->column_count; i++) {
            hasten_buffer_text(&page->out, GAP);
            write_text(table, i, HASTEN_STYLE_FAINT, table->columns[i].heading, widths[i]);
        }
        hasten_buffer_byte(&page->out, '\n');
        for (size_t i = 0; i < table->cell_count; i++) {
            write_cell(table, i, widths);
        }
    }
    hasten_release(page->aggregate->allocator, table->cells,
                   table->cell_capacity * sizeof *table->cells);
    hasten_buffer_done(&table->text);
}
