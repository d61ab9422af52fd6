/* SPDX-License-Identifier: MIT
 *
 * A profile's rows into the tables of the SQLite form. */
#ifndef HASTEN_RECORDING_SQLITE_ROWS_H
#define HASTEN_RECORDING_SQLITE_ROWS_H

#include "hasten/profile.h"

struct sqlite3;

/* Creates the tables. Answers SQLite's code. */
HASTEN_CHECKED int hasten_sqlite_create_tables(struct sqlite3 *database);
/* Inserts everything but samples, then makes indexes and views. Answers SQLite's
 * code, SQLITE_NOMEM also where the allocator had nothing. */
HASTEN_CHECKED int hasten_sqlite_insert_profile(struct sqlite3 *database,
                                                const struct hasten_profile *profile,
                                                const struct hasten_allocator *allocator);

#endif
