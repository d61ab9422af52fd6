/* SPDX-License-Identifier: MIT
 *
 * Inserting the profile table by table, each in the order of its key, so that
 * SQLite only ever appends. */
#include "core/recording/sqlite_rows.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <string.h>

#include "core/profile/totals.h"
#include "core/recording/schema.h"

int hasten_sqlite_create_tables(struct sqlite3 *database) {
    int code = SQLITE_OK;
    for (size_t i = 0; i < hasten_schema_table_count && code == SQLITE_OK; i++) {
        code = sqlite3_exec(database, hasten_schema_tables[i].sql, NULL, NULL, NULL);
    }
    return code;
}

/* One statement that inserts row after row; keeps the first failure. */
struct inserter {
    sqlite3 *database;
    sqlite3_stmt *statement;
    int column; /* next parameter */
    int code;
};

static void begin(struct inserter *inserter, const char *sql) {
    inserter->statement = NULL;
    inserter->column = 1;
    if (inserter->code == SQLITE_OK) {
        inserter->code =
            sqlite3_prepare_v2(inserter->database, sql, -1, &inserter->statement, NULL);
    }
}

static void put_integer(struct inserter *inserter, int64_t value) {
    if (inserter->code == SQLITE_OK) {
        inserter->code = sqlite3_bind_int64(inserter->statement, inserter->column++, value);
    }
}

/* Times are unsigned here and signed there. */
static void put_time(struct inserter *inserter, uint64_t value) {
    put_integer(inserter, value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

static void put_text(struct inserter *inserter, const char *text) {
    if (inserter->code == SQLITE_OK) {
        inserter->code =
            sqlite3_bind_text(inserter->statement, inserter->column++, text, -1, SQLITE_STATIC);
    }
}

static void put_blob(struct inserter *inserter, const void *data, size_t size) {
    if (inserter->code == SQLITE_OK) {
        inserter->code =
            sqlite3_bind_blob64(inserter->statement, inserter->column++, data, size, SQLITE_STATIC);
    }
}

static void end_row(struct inserter *inserter) {
    if (inserter->code == SQLITE_OK) {
        int code = sqlite3_step(inserter->statement);
        inserter->code = code == SQLITE_DONE ? sqlite3_reset(inserter->statement) : code;
    }
    inserter->column = 1;
}

static void end(struct inserter *inserter) {
    sqlite3_finalize(inserter->statement);
    inserter->statement = NULL;
}

static void insert_strings(struct inserter *inserter, const struct hasten_profile *profile) {
    begin(inserter, "INSERT INTO fact VALUES(?, ?)");
    for (size_t i = 0; i < profile->fact_count; i++) {
        put_text(inserter, profile->strings[profile->facts[i].name]);
        put_text(inserter, profile->strings[profile->facts[i].value]);
        end_row(inserter);
    }
    end(inserter);
    begin(inserter, "INSERT INTO string VALUES(?, ?)");
    for (size_t i = 0; i < profile->string_count; i++) {
        put_integer(inserter, (int64_t)i);
        put_text(inserter, profile->strings[i]);
        end_row(inserter);
    }
    end(inserter);
}

static void insert_processes(struct inserter *inserter, const struct hasten_profile *profile) {
    begin(inserter, "INSERT INTO process VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)");
    for (size_t i = 0; i < profile->process_count; i++) {
        const struct hasten_process *process = &profile->processes[i];
        put_integer(inserter, (int64_t)i);
        put_integer(inserter, process->pid);
        put_integer(inserter, process->parent_pid);
        put_integer(inserter, process->python_version);
        put_integer(inserter, process->command);
        put_integer(inserter, process->executable);
        put_integer(inserter, process->label);
        put_time(inserter, process->start_ns);
        put_time(inserter, process->end_ns);
        end_row(inserter);
    }
    end(inserter);
    begin(inserter, "INSERT INTO thread VALUES(?, ?, ?, ?, ?, ?, ?, ?)");
    for (size_t i = 0; i < profile->thread_count; i++) {
        const struct hasten_thread *thread = &profile->threads[i];
        put_integer(inserter, (int64_t)i);
        put_integer(inserter, thread->process);
        put_integer(inserter, thread->tid);
        put_integer(inserter, thread->name);
        put_integer(inserter, thread->is_main);
        put_time(inserter, thread->start_ns);
        put_time(inserter, thread->end_ns);
        put_time(inserter, thread->samples);
        end_row(inserter);
    }
    end(inserter);
}

static void insert_codes(struct inserter *inserter, const struct hasten_profile *profile) {
    begin(inserter, "INSERT INTO function VALUES(?, ?, ?, ?)");
    for (size_t i = 0; i < profile->function_count; i++) {
        const struct hasten_function *function = &profile->functions[i];
        put_integer(inserter, (int64_t)i);
        put_integer(inserter, function->file);
        put_integer(inserter, function->qualname);
        put_integer(inserter, function->first_line);
        end_row(inserter);
    }
    end(inserter);
    begin(inserter, "INSERT INTO code VALUES(?, ?, ?, ?, ?, ?, ?, ?)");
    for (size_t i = 0; i < profile->code_count; i++) {
        const struct hasten_code *code = &profile->codes[i];
        put_integer(inserter, (int64_t)i);
        put_integer(inserter, code->process);
        put_integer(inserter, code->file);
        put_integer(inserter, code->name);
        put_integer(inserter, code->qualname);
        put_integer(inserter, code->function);
        put_integer(inserter, code->first_line);
        put_blob(inserter, code->linetable, code->linetable_size);
        end_row(inserter);
    }
    end(inserter);
}

static void insert_nodes(struct inserter *inserter, const struct hasten_profile *profile,
                         const struct hasten_totals *totals) {
    begin(inserter, "INSERT INTO line VALUES(?, ?, ?)");
    for (size_t i = 0; i < totals->line_count; i++) {
        put_integer(inserter, (int64_t)i);
        put_integer(inserter, totals->lines[i].function);
        put_integer(inserter, totals->lines[i].line);
        end_row(inserter);
    }
    end(inserter);
    begin(inserter, "INSERT INTO node VALUES(?, ?, ?, ?, ?)");
    for (size_t i = 1; i < profile->node_count; i++) {
        put_integer(inserter, (int64_t)i);
        put_integer(inserter, profile->nodes[i].parent);
        put_integer(inserter, profile->nodes[i].code);
        put_integer(inserter, profile->nodes[i].instruction);
        put_integer(inserter, totals->node_line[i]);
        end_row(inserter);
    }
    end(inserter);
}

/* Whether the metric is the time in one of the states: these make up all time. */
static bool is_state_metric(const char *name) {
    static const char *const names[] = {
#define STATE_METRIC(state, metric, sentence) metric,
        HASTEN_STATE_MAP(STATE_METRIC)
#undef STATE_METRIC
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static void insert_values(struct inserter *inserter, const struct hasten_profile *profile) {
    begin(inserter, "INSERT INTO metric VALUES(?, ?, ?, ?, ?)");
    for (size_t i = 0; i < profile->metric_count; i++) {
        const struct hasten_metric *metric = &profile->metrics[i];
        put_integer(inserter, (int64_t)i);
        put_text(inserter, profile->strings[metric->name]);
        put_text(inserter, profile->strings[metric->unit]);
        put_text(inserter, profile->strings[metric->description]);
        put_integer(inserter, is_state_metric(profile->strings[metric->name]));
        end_row(inserter);
    }
    end(inserter);
    begin(inserter, "INSERT INTO value VALUES(?, ?, ?, ?)");
    for (size_t i = 0; i < profile->value_count; i++) {
        const struct hasten_value *value = &profile->values[i];
        put_integer(inserter, value->node);
        put_integer(inserter, value->thread);
        put_integer(inserter, value->metric);
        put_integer(inserter, value->amount);
        end_row(inserter);
    }
    end(inserter);
}

static void insert_series(struct inserter *inserter, const struct hasten_profile *profile) {
    begin(inserter, "INSERT INTO series VALUES(?, ?, ?, ?, ?)");
    for (size_t i = 0; i < profile->series_count; i++) {
        const struct hasten_series *series = &profile->series[i];
        put_integer(inserter, (int64_t)i);
        put_integer(inserter, series->process);
        put_text(inserter, profile->strings[series->name]);
        put_text(inserter, profile->strings[series->unit]);
        put_text(inserter, profile->strings[series->description]);
        end_row(inserter);
    }
    end(inserter);
    begin(inserter, "INSERT INTO point VALUES(?, ?, ?)");
    for (size_t i = 0; i < profile->series_count; i++) {
        const struct hasten_series *series = &profile->series[i];
        for (size_t k = 0; k < series->point_count; k++) {
            put_integer(inserter, (int64_t)i);
            put_time(inserter, series->points[k].time_ns);
            put_integer(inserter, series->points[k].value);
            end_row(inserter);
        }
    }
    end(inserter);
}

/* Rows of one metric where there is an amount. */
static void insert_sums(struct inserter *inserter, const char *sql, uint32_t metric,
                        const int64_t *self, const int64_t *total, size_t count) {
    begin(inserter, sql);
    for (size_t i = 0; i < count; i++) {
        if (self[i] != 0 || total[i] != 0) {
            put_integer(inserter, (int64_t)i);
            put_integer(inserter, metric);
            put_integer(inserter, self[i]);
            put_integer(inserter, total[i]);
            end_row(inserter);
        }
    }
    end(inserter);
}

static void insert_totals(struct inserter *inserter, const struct hasten_profile *profile,
                          struct hasten_totals *totals) {
    for (size_t i = 0; i < profile->metric_count; i++) {
        hasten_totals_metric(totals, (uint32_t)i);
        insert_sums(inserter, "INSERT INTO function_value VALUES(?, ?, ?, ?)", (uint32_t)i,
                    totals->function_self, totals->function_total, profile->function_count);
        insert_sums(inserter, "INSERT INTO line_value VALUES(?, ?, ?, ?)", (uint32_t)i,
                    totals->line_self, totals->line_total, totals->line_count);
    }
}

int hasten_sqlite_insert_profile(struct sqlite3 *database, const struct hasten_profile *profile,
                                 const struct hasten_allocator *allocator) {
    struct hasten_totals totals;
    if (hasten_totals_init(&totals, profile, allocator) != HASTEN_OK) {
        return SQLITE_NOMEM;
    }
    struct inserter inserter = {.database = database, .code = SQLITE_OK};
    insert_strings(&inserter, profile);
    insert_processes(&inserter, profile);
    insert_codes(&inserter, profile);
    insert_nodes(&inserter, profile, &totals);
    insert_values(&inserter, profile);
    insert_totals(&inserter, profile, &totals);
    insert_series(&inserter, profile);
    hasten_totals_done(&totals);
    for (size_t i = 0; i < hasten_schema_finish_count && inserter.code == SQLITE_OK; i++) {
        inserter.code = sqlite3_exec(database, hasten_schema_finish[i], NULL, NULL, NULL);
    }
    return inserter.code;
}
