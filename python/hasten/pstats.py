# SPDX-License-Identifier: MIT
"""The standard module `pstats`, with statistics kept, added and sorted in C.

The names and their behaviour are those of the running interpreter's own module, and the
text is the same to the letter. `Stats` is a subclass of the standard one: wherever a
program does what the table in C has no answer for (it changes `stats.stats`, it overrides
a method, its numbers are fractions), the standard module's own code goes on with Python's
objects. That code looks names up in this module, so that replacing `f8` here works too.
"""

if __name__ == "__main__":
    from hasten._browser import main as _main

    _main()
    raise SystemExit

import marshal
import os
import re
import sys
import time
from functools import cmp_to_key  # noqa: F401 (the standard module's code finds it here)
from types import FunctionType
from typing import Any

from hasten._pstats import Table
from hasten._standard import here, original

_standard = original("pstats")

__all__ = ["FunctionProfile", "SortKey", "Stats", "StatsProfile"]

# 3.15 has sampling profilers, whose files are marked as theirs.
_SAMPLED_MARK = ("__sampled__",)
_HAS_SAMPLED = sys.version_info >= (3, 15)
# What recordings of hasten begin with, while they are written and afterwards.
_RECORDING_MARKS = (b"\x89HSTLOG\n", b"SQLite format 3\0")
# How many lines are made at a time.
_LINES_AT_ONCE = 1000


def _here(function: FunctionType) -> FunctionType:
    """The function with this module's names in place of its own module's."""
    return here(function, globals())


def _all_here(standard: type, cls: type) -> None:
    """Gives `cls` the functions of the standard class, looking names up here. Those that
    use super() know their class and stay as they are."""
    for name, value in vars(standard).items():
        if isinstance(value, FunctionType):
            setattr(cls, name, value if value.__closure__ else _here(value))
    cls.__doc__ = standard.__doc__


FunctionProfile = _standard.FunctionProfile
SortKey = _standard.SortKey
StatsProfile = _standard.StatsProfile
TupleComp = _standard.TupleComp
add_callers = _here(_standard.add_callers)
add_func_stats = _here(_standard.add_func_stats)
count_calls = _here(_standard.count_calls)
f8 = _here(_standard.f8)
func_get_function_name = _here(_standard.func_get_function_name)
func_std_string = _here(_standard.func_std_string)
func_strip_path = _here(_standard.func_strip_path)

# What the table does without asking: where one of these was replaced, it is not used.
_LOOKED_UP = (
    "TupleComp",
    "add_callers",
    "add_func_stats",
    "f8",
    "func_std_string",
    "func_strip_path",
)
_ORIGINAL = {name: globals()[name] for name in _LOOKED_UP}


def _is_original() -> bool:
    names = globals()
    return all(names[name] is value for name, value in _ORIGINAL.items())


def _read(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:
        return file.read()


def _label(path: str) -> str:
    """What `files` says of a file."""
    try:
        return time.ctime(os.stat(path).st_mtime) + "    " + path
    except Exception:
        return path


def _load(table: Table, path: str, data: bytes, adding: bool) -> Any:
    """The sums of what was added; None where it is something for Python's objects."""
    try:
        if data.startswith(_RECORDING_MARKS):
            return table.load_recording(path, adding)
        return table.load(data, adding, _HAS_SAMPLED)
    except (EOFError, TypeError, ValueError) as error:
        # Those of decoding a name want more than a sentence.
        kind = ValueError if isinstance(error, UnicodeError) else type(error)
        raise kind(f"{path!r} is damaged, or has no statistics: {error}") from None


class _Plain(_standard.Stats):
    """The standard class, looking names up in this module."""


_all_here(_standard.Stats, _Plain)


class Stats(_Plain):
    __doc__ = _standard.Stats.__doc__

    # Either `_table` has the statistics or, where it is None, `_stats`. An order of the
    # table's rows is in `_order`; otherwise `_functions` is what `fcn_list` says.
    _table: Table | None = None
    _stats: Any = None
    _order: list[int] | None = None
    _functions: Any = None
    _callees: Any = None
    _callees_are_counted = False  # the table's, and nobody has seen them yet
    _sums: Any = None  # of the file or profile that was loaded

    # What programs reach for: made when it is asked for.

    def _give_up_table(self) -> None:
        """From here on Python's objects are what counts."""
        if self._table is not None:
            self._functions = self.fcn_list
            self._callees = self.all_callees
            self._stats = self._table.stats()
            self._table = None

    @property
    def stats(self) -> Any:
        self._give_up_table()
        return self._stats

    @stats.setter
    def stats(self, value: Any) -> None:
        self._give_up_table()
        self._stats = value

    @property
    def fcn_list(self) -> Any:
        if self._order is not None and self._table is not None:
            self._functions = self._table.functions(self._order)
        self._order = None
        return self._functions

    @fcn_list.setter
    def fcn_list(self, value: Any) -> None:
        self._order = None
        self._functions = value

    @property
    def all_callees(self) -> Any:
        if self._callees_are_counted and self._table is not None:
            self._callees = self._table.callees()
        self._callees_are_counted = False
        return self._callees

    @all_callees.setter
    def all_callees(self, value: Any) -> None:
        self._callees_are_counted = False
        self._callees = value

    def __getstate__(self) -> dict[str, Any]:
        state = {name: value for name, value in vars(self).items() if name not in vars(Stats)}
        return state | {name: getattr(self, name) for name in ("stats", "fcn_list", "all_callees")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)

    def _table_if(self, *methods: str) -> Table | None:
        """The table, where it is in use and none of the methods has another meaning."""
        if self._table is None or not _is_original():
            return None
        own = vars(self)
        for name in methods:
            if name in own or getattr(type(self), name) is not getattr(Stats, name):
                return None
        return self._table

    # Loading and adding.

    def _use(self, table: Table, sums: Any) -> None:
        self._table = table
        self._sums = sums
        self._stats = None

    def _load_file(self, path: str) -> None:
        data = _read(path)
        table = Table()
        sums = _load(table, path, data, False)
        if sums is None and data.startswith(_RECORDING_MARKS):
            raise ValueError(f"{path!r} has numbers that are too large")
        if sums is not None:
            self._use(table, sums)
            is_sampled = sums[6]
        else:
            # The table looked at all of it: it is plain data, whatever its shape.
            stats = marshal.loads(data)
            is_sampled = _HAS_SAMPLED and _SAMPLED_MARK in stats
            if is_sampled:
                stats.pop(_SAMPLED_MARK)
            self.stats = stats
        if sys.version_info >= (3, 15) and is_sampled:
            self.__class__ = SampledStats
        self.files = [_label(path)]
        if not (self._stats if self._table is None else len(self._table)):
            raise TypeError(
                f"Cannot create or construct a {self.__class__!r} object from {self.files[0]!r}"
            )

    def load_stats(self, arg: Any) -> None:
        if isinstance(arg, str):
            self._load_file(arg)
            return
        super().load_stats(arg)
        table = Table()
        if type(self._stats) is dict and _is_original():
            sums = table.add_dict(self._stats, False)
            if sums is not None:
                self._use(table, sums)

    def get_top_level_stats(self) -> None:
        if self._sums is None:
            super().get_top_level_stats()
            return
        calls, primitive_calls, own, width, _, roots, _ = self._sums
        self.total_calls += calls
        self.prim_calls += primitive_calls
        self.total_tt += own
        self.top_level.update(roots)
        self.max_name_len = max(self.max_name_len, width)

    def _count_in(self, files: list[str], sums: Any, roots: Any) -> None:
        self.files += files
        self.total_calls += sums[0]
        self.prim_calls += sums[1]
        self.total_tt += sums[2]
        for function in roots:
            self.top_level.add(function)
        self.max_name_len = max(self.max_name_len, sums[3])
        self.fcn_list = None

    def _table_to_change(self) -> Table | None:
        table = self._table if _is_original() else None
        if table is not None:
            # The standard module goes on printing callees that were counted before.
            self._callees = self.all_callees
            self._sums = None
        return table

    def _add_file(self, path: str) -> bool:
        table = self._table_to_change()
        if table is None:
            return False
        data = _read(path)
        sums = _load(table, path, data, True)
        if sums is None or sums[4] == 0:
            return False
        self._count_in([_label(path)], sums, set(sums[5]))
        return True

    def _add_stats(self, item: Any) -> None:
        sums = (item.total_calls, item.prim_calls, item.total_tt, item.max_name_len)
        self._count_in(item.files, sums, item.top_level)
        table = self._table_to_change()
        other = item._table if isinstance(item, Stats) else None
        if table is not None and other is not None:
            added = table.add_table(other)
        elif table is not None and type(item.stats) is dict:
            added = table.add_dict(item.stats, True)
        else:
            added = None
        if added is None:
            stats = self.stats
            others = item.stats if item is self or other is None else other.stats()
            for function, row in others.items():
                known = stats.get(function, (0, 0, 0, 0, {}))
                stats[function] = add_func_stats(known, row)

    def add(self, *arg_list: Any) -> "Stats":
        for item in reversed(arg_list):
            if isinstance(item, str) and self._add_file(item):
                continue
            self._add_stats(item if isinstance(item, _standard.Stats) else Stats(item))
        return self

    def dump_stats(self, filename: Any) -> None:
        if self._table is None:
            super().dump_stats(filename)
            return
        with open(filename, "wb") as file:
            file.write(self._table.dump())

    # Ordering.

    def sort_stats(self, *field: Any) -> "Stats":
        table = self._table_if()
        if table is None or not field:
            super().sort_stats(*field)
            return self
        words: Any = field
        if len(field) == 1 and isinstance(field[0], int):
            words = [{-1: "stdname", 0: "calls", 1: "time", 2: "cumulative"}[field[0]]]
        elif any(type(word) is not type(field[0]) for word in field):
            raise TypeError("Can't have mixed argument type")
        definitions = self.get_sort_arg_defs()
        keys: tuple[Any, ...] = ()
        self.sort_type = ""
        for word in words:
            key, text = definitions[word.value if isinstance(word, SortKey) else word]
            keys += key
            self.sort_type += ", " + text if self.sort_type else text
        order = table.sort(keys)
        if order is None:
            super().sort_stats(*field)
        else:
            self.fcn_list = None
            self._order = order
        return self

    def reverse_order(self) -> "Stats":
        if self._order is None:
            super().reverse_order()
        else:
            self._order.reverse()
        return self

    def strip_dirs(self) -> "Stats":
        table = self._table_to_change()
        width = None if table is None else table.strip()
        if width is None:
            super().strip_dirs()
            return self
        self.top_level = {func_strip_path(function) for function in self.top_level}
        self.max_name_len = width
        self.fcn_list = None
        self.all_callees = None
        return self

    def calc_callees(self) -> None:
        if self._table is None:
            super().calc_callees()
        elif not self._callees:
            self._callees_are_counted = True

    def get_stats_profile(self) -> StatsProfile:
        if self._table is None:
            return super().get_stats_profile()
        plain = _Plain.__new__(_Plain)
        plain.stats = self._table.stats()
        plain.fcn_list = self._functions
        if self._order is not None:
            plain.fcn_list = self._table.functions(self._order)
        plain.total_tt = self.total_tt
        return plain.get_stats_profile()

    # Printing.

    def _restrict(
        self, table: Table, selection: Any, rows: list[int], message: str
    ) -> tuple[list[int], str]:
        if not isinstance(selection, str):
            return super().eval_print_amount(selection, rows, message)
        try:
            pattern = re.compile(selection)
        except re.error:
            return rows, message + f"   <Invalid regular expression {selection!r}>\n"
        names = table.names(rows)
        kept = [row for row, name in zip(rows, names) if pattern.search(name)]
        if len(kept) != len(rows):
            message += (
                f"   List reduced from {len(rows)!r} to {len(kept)!r} "
                f"due to restriction <{selection!r}>\n"
            )
        return kept, message

    def _select(self, table: Table, selections: Any) -> tuple[int, list[int]] | None:
        """The width of the column of names, and the rows to print; says what is missing."""
        rows = self._order
        if rows is None and self._functions:
            rows = table.rows(self._functions)
            if rows is None:
                return None
        if rows:
            message = "   Ordered by: " + self.sort_type + "\n"
        else:
            rows = list(range(len(table)))
            message = "   Random listing order was used\n"
        for selection in selections:
            rows, message = self._restrict(table, selection, rows, message)
        if not rows:
            return 0, rows
        print(message, file=self.stream)
        width = self.max_name_len
        if len(rows) < len(table):
            width = max(map(len, table.names(rows)))
        return width + 2, rows

    def _end_list(self) -> None:
        print(file=self.stream)
        print(file=self.stream)

    def print_stats(self, *amount: Any) -> "Stats":
        table = self._table_if("get_print_list", "eval_print_amount", "print_line")
        if table is None:
            super().print_stats(*amount)
            return self
        for filename in self.files:
            print(filename, file=self.stream)
        if self.files:
            print(file=self.stream)
        indent = " " * 8
        for function in self.top_level:
            print(indent, func_get_function_name(function), file=self.stream)
        print(indent, self.total_calls, "function calls", end=" ", file=self.stream)
        if self.total_calls != self.prim_calls:
            # Old-style formats, which take numbers of any type.
            print("(%d primitive calls)" % self.prim_calls, end=" ", file=self.stream)  # noqa: UP031
        print("in %.3f seconds" % self.total_tt, file=self.stream)  # noqa: UP031
        print(file=self.stream)
        selected = self._select(table, amount)
        if selected is None:
            self._print_plainly(amount)
            return self
        rows = selected[1]
        if rows:
            self.print_title()
            for start in range(0, len(rows), _LINES_AT_ONCE):
                lines = table.lines(rows[start : start + _LINES_AT_ONCE])
                print(*lines, sep="\n", file=self.stream)
            self._end_list()
        return self

    def _print_plainly(self, amount: Any) -> None:
        _, functions = self.get_print_list(amount)
        if functions:
            self.print_title()
            for function in functions:
                self.print_line(function)
            self._end_list()

    def _print_call_heading(self, table: Table, width: int, title: str) -> None:
        print("Function ".ljust(width) + title, file=self.stream)
        if table.has_times and _HAS_SAMPLED:
            self.print_call_subheading(width)
        elif table.has_times:
            print(" " * width + "    ncalls  tottime  cumtime", file=self.stream)

    def _print_calls(self, table: Table, amount: Any, title: str, is_callees: bool) -> bool:
        selected = self._select(table, amount)
        if selected is None:
            return False
        width, rows = selected
        if not rows:
            return True
        if is_callees:
            self.calc_callees()
        self._print_call_heading(table, width, title)
        make = table.callee_lines if is_callees else table.caller_lines
        for start in range(0, len(rows), _LINES_AT_ONCE):
            chunk = rows[start : start + _LINES_AT_ONCE]
            lines = make(chunk, width)
            if lines is not None:
                print(*lines, sep="\n", file=self.stream)
                continue
            # The standard module fails at the line in question.
            for function in table.functions(chunk):
                self.print_call_line(width, function, self.stats[function][4], "<-")
        self._end_list()
        return True

    def print_callees(self, *amount: Any) -> "Stats":
        table = self._table_if(
            "get_print_list",
            "eval_print_amount",
            "print_call_line",
            "print_call_heading",
            "calc_callees",
        )
        # Callees that were counted before something was added are no longer the table's.
        is_current = table is not None and not self._callees
        if not is_current or not self._print_calls(table, amount, "called...", True):
            super().print_callees(*amount)
        return self

    def print_callers(self, *amount: Any) -> "Stats":
        table = self._table_if(
            "get_print_list", "eval_print_amount", "print_call_line", "print_call_heading"
        )
        if table is None or not self._print_calls(table, amount, "was called by...", False):
            super().print_callers(*amount)
        return self


if sys.version_info >= (3, 15):
    StatsLoaderShim = _standard.StatsLoaderShim
    stats_factory = _here(_standard.stats_factory)

    class SampledStats(Stats, _standard.SampledStats):
        __doc__ = _standard.SampledStats.__doc__

    _all_here(_standard.SampledStats, SampledStats)
