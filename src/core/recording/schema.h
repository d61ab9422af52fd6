/* SPDX-License-Identifier: MIT
 *
 * The SQLite form's tables and views, version HASTEN_SQLITE_VERSION: older versions
 * have those that were there already. The same
 * texts create the file and recognise it: a reader takes only tables whose
 * definition in the file is exactly one of these. docs/formats/sqlite.md tells
 * what the columns mean. */
#ifndef HASTEN_RECORDING_SCHEMA_H
#define HASTEN_RECORDING_SCHEMA_H

#include <stddef.h>
#include <stdint.h>

struct hasten_schema_object {
    const char *name;
    const char *sql;
    uint32_t since; /* the version that brought it */
};

extern const struct hasten_schema_object hasten_schema_tables[];
extern const size_t hasten_schema_table_count;
/* Made after the rows. */
extern const char *const hasten_schema_finish[];
extern const size_t hasten_schema_finish_count;

#endif
