# SPDX-License-Identifier: MIT
"""Reads a finished recording with sqlite3 alone, as docs/formats/sqlite.md allows."""

import sqlite3
from collections import Counter
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import Any

Frame = tuple[str, str, int]
"""file, qualified name, line"""


class Recording:
    def __init__(self, path: Path) -> None:
        self.path = path

    def rows(self, query: str, values: object = ()) -> list[Any]:
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)) as database:
            database.row_factory = sqlite3.Row
            return database.execute(query, values).fetchall()

    @cached_property
    def facts(self) -> dict[str, str]:
        return {row["name"]: row["value"] for row in self.rows("SELECT name, value FROM facts")}

    @cached_property
    def processes(self) -> list[Any]:
        return self.rows("SELECT * FROM processes")

    @cached_property
    def threads(self) -> list[Any]:
        return self.rows("SELECT * FROM threads")

    @cached_property
    def functions(self) -> dict[str, Any]:
        """By the last part of the qualified name; of equal names the one with most time."""
        rows = self.rows("SELECT * FROM functions ORDER BY total")
        return {row["name"].rpartition(".")[2]: row for row in rows}

    def metrics(self) -> dict[str, int]:
        rows = self.rows("SELECT name, amount FROM metrics")
        return {row["name"]: row["amount"] or 0 for row in rows}

    @cached_property
    def stacks_by_node(self) -> dict[int, tuple[Frame, ...]]:
        """The stack of every node, root first; node 0 is empty."""
        codes = {
            row["id"]: (row["file"], row["qualname"])
            for row in self.rows(
                "SELECT c.id, f.text AS file, q.text AS qualname FROM code c "
                "JOIN string f ON f.id = c.file JOIN string q ON q.id = c.qualname"
            )
        }
        stacks: dict[int, tuple[Frame, ...]] = {0: ()}
        nodes = self.rows(
            "SELECT n.id, n.parent, n.code, l.line FROM node n JOIN line l ON l.id = n.line "
            "WHERE n.id > 0 ORDER BY n.id"
        )
        for row in nodes:
            frame = (*codes[row["code"]], row["line"] or 0)
            stacks[row["id"]] = (*stacks[row["parent"]], frame)
        return stacks

    def amounts(self, metric: str) -> dict[int, int]:
        """A metric's own amount of each node, summed over threads; "time" is all states'."""
        # time.gc and time.native are parts of the states' time, not more of it.
        condition = (
            "(m.name LIKE 'time.%' AND m.name NOT IN ('time.gc', 'time.native'))"
            if metric == "time"
            else "m.name = :metric"
        )
        rows = self.rows(
            "SELECT v.node, sum(v.amount) AS amount FROM value v "
            f"JOIN metric m ON m.id = v.metric WHERE {condition} GROUP BY v.node",
            {"metric": metric},
        )
        return {row["node"]: row["amount"] for row in rows}

    def stacks(self, metric: str = "samples") -> Counter[tuple[Frame, ...]]:
        counts: Counter[tuple[Frame, ...]] = Counter()
        for node, amount in self.amounts(metric).items():
            counts[self.stacks_by_node[node]] += amount
        return counts

    def shares(self, names: list[str], metric: str) -> tuple[dict[str, float], int]:
        """Each name's share of the time of them all, by "self" or "total"; and their samples."""
        sums = {unit: dict.fromkeys(names, 0) for unit in ("time", "samples")}
        for unit, counts in sums.items():
            for stack, amount in self.stacks(unit).items():
                functions = [name.rpartition(".")[2] for _, name, _ in stack]
                found = set(functions[-1:] if metric == "self" else functions)
                for name in found & counts.keys():
                    counts[name] += amount
        times, samples = sums.values()
        whole = max(1, sum(times.values()))
        return {name: time / whole for name, time in times.items()}, sum(samples.values())

    def check_consistency(self) -> None:
        """What must hold of every recording whatever was measured."""
        assert self.rows("PRAGMA integrity_check")[0][0] == "ok"
        metrics = self.metrics()
        samples = sum(thread["samples"] for thread in self.threads)
        assert metrics.get("samples", 0) == samples
        assert int(self.facts["samples"]) == samples
        chunked = self.rows("SELECT coalesce(sum(count), 0) FROM sample_chunk")[0][0]
        assert chunked == samples
        for row in self.rows("SELECT self, total, self_share, total_share FROM functions"):
            assert 0 <= (row["self"] or 0) <= (row["total"] or 0)
            assert -1e-9 <= (row["self_share"] or 0) <= (row["total_share"] or 0) <= 1 + 1e-9
        assert self.rows("SELECT count(*) FROM node WHERE parent >= id AND id > 0")[0][0] == 0
        slots, missed = int(self.facts["slots"]), int(self.facts["slots.missed"])
        assert slots >= 0
        assert missed >= 0
