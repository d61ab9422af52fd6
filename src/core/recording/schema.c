/* SPDX-License-Identifier: MIT
 *
 * Tables are named in the singular and hold numbers; views in the plural are
 * what a person asks. The columns of time in views are seconds. */
#include "core/recording/schema.h"

/* SQL keeps its own lines. */
/* clang-format off */

/* Texts of tables are compared byte by byte with those in a file: a change here
 * is a new version of the format. */
const struct hasten_schema_object hasten_schema_tables[] = {
    {"fact",
     "CREATE TABLE fact(\n"
     "  name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID", 1},
    {"string",
     "CREATE TABLE string(\n"
     "  id INTEGER PRIMARY KEY, text TEXT NOT NULL)", 1},
    {"process",
     "CREATE TABLE process(\n"
     "  id INTEGER PRIMARY KEY, pid INTEGER NOT NULL, parent_pid INTEGER NOT NULL,\n"
     "  python_version INTEGER NOT NULL, command INTEGER NOT NULL, executable INTEGER NOT NULL,\n"
     "  label INTEGER NOT NULL, start_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL)", 1},
    {"thread",
     "CREATE TABLE thread(\n"
     "  id INTEGER PRIMARY KEY, process INTEGER NOT NULL, tid INTEGER NOT NULL,\n"
     "  name INTEGER NOT NULL, is_main INTEGER NOT NULL, start_ns INTEGER NOT NULL,\n"
     "  end_ns INTEGER NOT NULL, samples INTEGER NOT NULL)", 1},
    {"function",
     "CREATE TABLE function(\n"
     "  id INTEGER PRIMARY KEY, file INTEGER NOT NULL, qualname INTEGER NOT NULL,\n"
     "  first_line INTEGER NOT NULL)", 1},
    {"code",
     "CREATE TABLE code(\n"
     "  id INTEGER PRIMARY KEY, process INTEGER NOT NULL, file INTEGER NOT NULL,\n"
     "  name INTEGER NOT NULL, qualname INTEGER NOT NULL, function INTEGER NOT NULL,\n"
     "  first_line INTEGER NOT NULL, linetable BLOB NOT NULL)", 1},
    {"line",
     "CREATE TABLE line(\n"
     "  id INTEGER PRIMARY KEY, function INTEGER NOT NULL, line INTEGER NOT NULL)", 1},
    {"node",
     "CREATE TABLE node(\n"
     "  id INTEGER PRIMARY KEY, parent INTEGER NOT NULL, code INTEGER NOT NULL,\n"
     "  instruction INTEGER NOT NULL, line INTEGER NOT NULL)", 1},
    {"metric",
     "CREATE TABLE metric(\n"
     "  id INTEGER PRIMARY KEY, name TEXT NOT NULL, unit TEXT NOT NULL,\n"
     "  description TEXT NOT NULL, is_state INTEGER NOT NULL)", 1},
    {"value",
     "CREATE TABLE value(\n"
     "  node INTEGER, thread INTEGER, metric INTEGER, amount INTEGER NOT NULL,\n"
     "  PRIMARY KEY (node, thread, metric)) WITHOUT ROWID", 1},
    {"function_value",
     "CREATE TABLE function_value(\n"
     "  function INTEGER, metric INTEGER, self INTEGER NOT NULL, total INTEGER NOT NULL,\n"
     "  PRIMARY KEY (function, metric)) WITHOUT ROWID", 1},
    {"line_value",
     "CREATE TABLE line_value(\n"
     "  line INTEGER, metric INTEGER, self INTEGER NOT NULL, total INTEGER NOT NULL,\n"
     "  PRIMARY KEY (line, metric)) WITHOUT ROWID", 1},
    {"sample_chunk",
     "CREATE TABLE sample_chunk(\n"
     "  id INTEGER PRIMARY KEY, first_slot INTEGER NOT NULL, last_slot INTEGER NOT NULL,\n"
     "  count INTEGER NOT NULL, samples BLOB NOT NULL)", 1},
    {"series",
     "CREATE TABLE series(\n"
     "  id INTEGER PRIMARY KEY, process INTEGER NOT NULL, name TEXT NOT NULL,\n"
     "  unit TEXT NOT NULL, description TEXT NOT NULL)", 2},
    {"point",
     "CREATE TABLE point(\n"
     "  series INTEGER, time_ns INTEGER, value INTEGER NOT NULL,\n"
     "  PRIMARY KEY (series, time_ns)) WITHOUT ROWID", 2},
};
const size_t hasten_schema_table_count =
    sizeof hasten_schema_tables / sizeof hasten_schema_tables[0];

/* All time of the recording in ns; NULL where there is none. */
#define ALL_TIME                                                                                   \
    "(SELECT nullif(sum(v.amount), 0) FROM value v JOIN metric m ON m.id = v.metric"               \
    " WHERE m.is_state)"

/* Self, total and samples by function or by line, from its table of values. */
#define SUMS(table, key)                                                                           \
    "SELECT v." key " AS id,\n"                                                                    \
    "      sum(v.self) FILTER (WHERE m.is_state) AS self,\n"                                       \
    "      sum(v.total) FILTER (WHERE m.is_state) AS total,\n"                                     \
    "      sum(v.self) FILTER (WHERE m.name = 'samples') AS samples\n"                             \
    "    FROM " table " v JOIN metric m ON m.id = v.metric GROUP BY v." key

#define SUM_COLUMNS                                                                                \
    "    s.self / 1e9 AS self, s.total / 1e9 AS total,\n"                                          \
    "    s.self * 1.0 / a.time AS self_share, s.total * 1.0 / a.time AS total_share,\n"            \
    "    coalesce(s.samples, 0) AS samples\n"

const char *const hasten_schema_finish[] = {
    "CREATE INDEX node_by_parent ON node(parent)",

    "CREATE VIEW facts AS SELECT name, value FROM fact",

    "CREATE VIEW metrics AS\n"
    "  SELECT m.name AS name, m.unit AS unit, sum(v.amount) AS amount,\n"
    "    m.description AS description\n"
    "  FROM metric m JOIN value v ON v.metric = m.id GROUP BY m.id",

    "CREATE VIEW functions AS\n"
    "  WITH s AS (\n"
    "    " SUMS("function_value", "function") "),\n"
    "  a AS (SELECT " ALL_TIME " AS time)\n"
    "  SELECT q.text AS name, p.text AS file, f.first_line AS line,\n" SUM_COLUMNS
    "  FROM s CROSS JOIN a JOIN function f ON f.id = s.id\n"
    "    JOIN string q ON q.id = f.qualname JOIN string p ON p.id = f.file\n"
    "  WHERE s.total IS NOT NULL",

    "CREATE VIEW lines AS\n"
    "  WITH s AS (\n"
    "    " SUMS("line_value", "line") "),\n"
    "  a AS (SELECT " ALL_TIME " AS time)\n"
    "  SELECT p.text AS file, nullif(l.line, 0) AS line, q.text AS name,\n" SUM_COLUMNS
    "  FROM s CROSS JOIN a JOIN line l ON l.id = s.id JOIN function f ON f.id = l.function\n"
    "    JOIN string q ON q.id = f.qualname JOIN string p ON p.id = f.file\n"
    "  WHERE s.total IS NOT NULL",

    "CREATE VIEW threads AS\n"
    "  SELECT p.pid AS pid, t.tid AS tid, n.text AS name, t.is_main AS is_main,\n"
    "    t.start_ns / 1e9 AS start, t.end_ns / 1e9 AS \"end\", t.samples AS samples\n"
    "  FROM thread t JOIN process p ON p.id = t.process JOIN string n ON n.id = t.name",

    "CREATE VIEW processes AS\n"
    "  SELECT p.pid AS pid, p.parent_pid AS parent_pid,\n"
    "    printf('%d.%d.%d', p.python_version >> 24, (p.python_version >> 16) & 255,\n"
    "      (p.python_version >> 8) & 255) AS python,\n"
    "    l.text AS label, c.text AS command, e.text AS executable,\n"
    "    p.start_ns / 1e9 AS start, p.end_ns / 1e9 AS \"end\"\n"
    "  FROM process p JOIN string l ON l.id = p.label JOIN string c ON c.id = p.command\n"
    "    JOIN string e ON e.id = p.executable",

    "CREATE VIEW states AS\n"
    "  WITH a AS (SELECT " ALL_TIME " AS time)\n"
    "  SELECT p.pid AS pid, t.tid AS tid, n.text AS thread, substr(m.name, 6) AS state,\n"
    "    sum(v.amount) / 1e9 AS time, sum(v.amount) * 1.0 / a.time AS share\n"
    "  FROM value v CROSS JOIN a JOIN metric m ON m.id = v.metric\n"
    "    JOIN thread t ON t.id = v.thread JOIN process p ON p.id = t.process\n"
    "    JOIN string n ON n.id = t.name\n"
    "  WHERE m.is_state GROUP BY v.thread, v.metric",

    "CREATE VIEW waiting AS\n"
    "  SELECT pid, tid, thread, substr(state, 6) AS kind, time, share\n"
    "  FROM states WHERE substr(state, 1, 5) = 'wait_'",

    "CREATE VIEW memory AS\n"
    "  WITH place AS (\n"
    "    SELECT n.id AS id, n.id AS node, NULL AS native FROM node n JOIN code c ON c.id = n.code\n"
    "      WHERE NOT (c.first_line = -1 AND c.linetable = x'')\n"
    "    UNION ALL SELECT n.id, n.parent, c.name FROM node n JOIN code c ON c.id = n.code\n"
    "      WHERE c.first_line = -1 AND c.linetable = x''\n"
    "    UNION ALL SELECT 0, 0, NULL)\n"
    "  SELECT p.text AS file, nullif(l.line, 0) AS line, q.text AS name, e.text AS native,\n"
    "    coalesce(sum(v.amount) FILTER (WHERE m.name = 'heap.peak.bytes'), 0) AS peak,\n"
    "    coalesce(sum(v.amount) FILTER (WHERE m.name = 'heap.allocated.bytes'), 0) AS allocated,\n"
    "    coalesce(sum(v.amount) FILTER (WHERE m.name = 'heap.temporary.bytes'), 0) AS temporary,\n"
    "    coalesce(sum(v.amount) FILTER (WHERE m.name = 'heap.live.bytes'), 0) AS live\n"
    "  FROM value v JOIN metric m ON m.id = v.metric JOIN place ON place.id = v.node\n"
    "    LEFT JOIN node n ON n.id = place.node LEFT JOIN line l ON l.id = n.line\n"
    "    LEFT JOIN function f ON f.id = l.function LEFT JOIN string q ON q.id = f.qualname\n"
    "    LEFT JOIN string p ON p.id = f.file LEFT JOIN string e ON e.id = place.native\n"
    "  WHERE m.name LIKE 'heap.%.bytes' GROUP BY n.line, place.native",

    "CREATE VIEW points AS\n"
    "  SELECT p.pid AS pid, s.name AS name, s.unit AS unit, t.time_ns / 1e9 AS time,\n"
    "    t.value AS value\n"
    "  FROM point t JOIN series s ON s.id = t.series JOIN process p ON p.id = s.process",

    "CREATE VIEW stacks AS\n"
    "  WITH RECURSIVE path(node, stack) AS (\n"
    "    SELECT n.id, q.text FROM node n JOIN code c ON c.id = n.code\n"
    "      JOIN string q ON q.id = c.qualname WHERE n.parent = 0\n"
    "    UNION ALL\n"
    "    SELECT n.id, path.stack || ';' || q.text FROM path JOIN node n ON n.parent = path.node\n"
    "      JOIN code c ON c.id = n.code JOIN string q ON q.id = c.qualname),\n"
    "  s AS (\n"
    "    SELECT v.node AS node, sum(v.amount) FILTER (WHERE m.is_state) AS time,\n"
    "      sum(v.amount) FILTER (WHERE m.name = 'samples') AS samples\n"
    "    FROM value v JOIN metric m ON m.id = v.metric GROUP BY v.node)\n"
    "  SELECT path.stack AS stack, sum(s.time) / 1e9 AS self, sum(s.samples) AS samples\n"
    "  FROM s JOIN path ON path.node = s.node WHERE s.time IS NOT NULL GROUP BY path.stack",
};
const size_t hasten_schema_finish_count =
    sizeof hasten_schema_finish / sizeof hasten_schema_finish[0];

/* clang-format on */
