# SPDX-License-Identifier: MIT
"""The standard module `tracemalloc`, at a fraction of its cost.

The names and their behaviour are those of the running interpreter's own module. Snapshots
are tables in C: `statistics`, `compare_to` and `filter_traces` work on them, and Python
objects are made of what is asked for. Where a program gives traces of its own to `Snapshot`
or changes a snapshot's, the standard module's code goes on with Python's objects.
"""

import _imp
import fnmatch
import linecache  # noqa: F401 (programs that replace linecache.getline look for it here)
import pickle
from collections.abc import Iterable
from importlib import import_module
from types import FunctionType
from typing import Any

from hasten._standard import original
from hasten._tracemalloc import (
    Table,
    _get_object_traceback,  # noqa: F401 (the standard module's code finds it here)
    _get_traces,
    _snapshot,
    _wrap_create_dynamic,
    clear_traces,
    get_traceback_limit,
    get_traced_memory,
    get_tracemalloc_memory,
    is_tracing,
    reset_peak,
    stop,
)
from hasten._tracemalloc import start as _start

_standard = original("tracemalloc")

__all__ = [
    "BaseFilter",
    "DomainFilter",
    "Filter",
    "Frame",
    "Snapshot",
    "Statistic",
    "StatisticDiff",
    "Trace",
    "Traceback",
    "clear_traces",
    "get_object_traceback",
    "get_traceback_limit",
    "get_traced_memory",
    "get_tracemalloc_memory",
    "is_tracing",
    "reset_peak",
    "start",
    "stop",
    "take_snapshot",
]

BaseFilter = _standard.BaseFilter
DomainFilter = _standard.DomainFilter
Filter = _standard.Filter
Frame = _standard.Frame
Statistic = _standard.Statistic
StatisticDiff = _standard.StatisticDiff
Trace = _standard.Trace
Traceback = _standard.Traceback
_compare_grouped_stats = _standard._compare_grouped_stats
_format_size = _standard._format_size
_normalize_filename = _standard._normalize_filename

# What the table does without asking: where one of these was replaced, it is not used.
_LOOKED_UP = ("_get_traces", "get_traceback_limit", "is_tracing")
_ORIGINAL = {name: globals()[name] for name in _LOOKED_UP}


# _imp.create_dynamic as it was made to tell of libraries that it loads.
_wrapped: list[Any] = []


def start(nframe: int = 1, /) -> None:
    """
    Start tracing Python memory allocations.

    Also set the maximum number of frames stored in the traceback of a trace to nframe.
    """
    # Extension modules that are loaded from here on may tell of blocks of their own.
    if _imp.create_dynamic not in _wrapped:
        _wrapped.append(_wrap_create_dynamic(_imp.create_dynamic))
        _imp.create_dynamic = _wrapped[-1]
    _start(nframe)


def _here(function: FunctionType) -> FunctionType:
    """The function with this module's names in place of its own module's."""
    copy = FunctionType(
        function.__code__,
        globals(),
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    copy.__qualname__ = function.__qualname__
    copy.__doc__ = function.__doc__
    return copy


get_object_traceback = _here(_standard.get_object_traceback)


class _Traces(_standard._Traces):
    """Traces as a sequence; of a table until somebody wants the list."""

    def __init__(self, traces: Any) -> None:
        self._table: Table | None = None
        if isinstance(traces, Table):
            self._table = traces
        else:
            self._list = traces

    @property
    def _traces(self) -> Any:
        if self._table is not None:
            self._list = self._table.traces(0, len(self._table))
            self._table = None
        return self._list

    @_traces.setter
    def _traces(self, traces: Any) -> None:
        self._table = None
        self._list = traces

    def __len__(self) -> int:
        return len(self._list if self._table is None else self._table)

    def __getitem__(self, index: Any) -> Any:
        if self._table is None or isinstance(index, slice):
            return super().__getitem__(index)
        count = len(self._table)
        number = index + count if index < 0 else index
        if not 0 <= number < count:
            raise IndexError("list index out of range")
        return Trace(self._table.traces(number, number + 1)[0])

    def __iter__(self) -> Any:
        return map(Trace, self._all())

    def _all(self) -> Any:
        """The list, made for this once: equal traces are one object, so that it is small."""
        return self._list if self._table is None else self._table.traces(0, len(self._table))

    def __eq__(self, other: Any) -> Any:
        if not isinstance(other, _standard._Traces):
            return NotImplemented
        return self._all() == (other._all() if isinstance(other, _Traces) else other._traces)

    __hash__ = None  # type: ignore[assignment]

    def __getstate__(self) -> dict[str, Any]:
        return {"_traces": self._all()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._traces = state["_traces"]


class _Standard:
    """Stands for the standard module in a pickle, which then can be loaded without us."""

    def __reduce__(self) -> Any:
        return import_module, ("tracemalloc",)


class _Pickler(pickle.Pickler):
    def reducer_override(self, value: Any) -> Any:
        if value is Snapshot or value is _Traces:
            return getattr, (_Standard(), value.__name__)
        return NotImplemented


class Snapshot(_standard.Snapshot):
    __doc__ = _standard.Snapshot.__doc__

    def __init__(self, traces: Any, traceback_limit: int) -> None:
        self.traces = _Traces(traces)
        self.traceback_limit = traceback_limit

    def _table(self) -> Table | None:
        """The table, where it is in use."""
        traces = self.traces
        return traces._table if type(traces) is _Traces else None

    def dump(self, filename: Any) -> None:
        """
        Write the snapshot into a file.
        """
        with open(filename, "wb") as file:
            _Pickler(file, pickle.HIGHEST_PROTOCOL).dump(self)

    @staticmethod
    def load(filename: Any) -> Any:
        """
        Load a snapshot from a file.
        """
        with open(filename, "rb") as file:
            loaded = pickle.load(file)
        if type(loaded) is not _standard.Snapshot:
            return loaded
        snapshot = Snapshot.__new__(Snapshot)
        snapshot.__dict__.update(vars(loaded))
        snapshot.traces = _Traces(loaded.traces._traces)
        return snapshot

    def filter_traces(self, filters: Any) -> "Snapshot":
        """
        Create a new Snapshot instance with a filtered traces sequence, filters
        is a list of Filter or DomainFilter instances.  If filters is an empty
        list, return a new Snapshot instance with a copy of the traces.
        """
        if not isinstance(filters, Iterable):
            raise TypeError(f"filters must be a list of filters, not {type(filters).__name__}")
        table = self._table()
        filters = list(filters)
        if table is not None:
            conditions = _conditions(table, filters)
            if conditions is not None:
                return Snapshot(table.filter(conditions), self.traceback_limit)
        if filters:
            including = [one for one in filters if one.inclusive]
            excluding = [one for one in filters if not one.inclusive]
            traces = [
                trace
                for trace in self.traces._traces
                if self._filter_trace(including, excluding, trace)
            ]
        else:
            traces = self.traces._traces.copy()
        return Snapshot(traces, self.traceback_limit)

    def _group_by(self, key_type: str, cumulative: bool) -> dict[Any, Any]:
        table = self._table()
        if table is None:
            grouped: dict[Any, Any] = super()._group_by(key_type, cumulative)
            return grouped
        return {stat.traceback: stat for stat in self.statistics(key_type, cumulative)}

    def statistics(self, key_type: str, cumulative: bool = False) -> list[Any]:
        """
        Group statistics by key_type. Return a sorted list of Statistic
        instances.
        """
        table = self._table()
        if table is None:
            return super().statistics(key_type, cumulative)
        _check_key(key_type, cumulative)
        return [
            Statistic(Traceback(frames), size, count)
            for frames, size, count in table.statistics(key_type, bool(cumulative))
        ]

    def compare_to(self, old_snapshot: Any, key_type: str, cumulative: bool = False) -> list[Any]:
        """
        Compute the differences with an old snapshot old_snapshot. Get
        statistics as a sorted list of StatisticDiff instances, grouped by
        group_by.
        """
        table = self._table()
        old = old_snapshot._table() if isinstance(old_snapshot, Snapshot) else None
        if table is None or old is None:
            return super().compare_to(old_snapshot, key_type, cumulative)
        _check_key(key_type, cumulative)
        return [
            StatisticDiff(Traceback(frames), size, size_change, count, count_change)
            for frames, size, size_change, count, count_change in table.compare(
                old, key_type, bool(cumulative)
            )
        ]


def _check_key(key_type: Any, cumulative: Any) -> None:
    if key_type not in ("traceback", "filename", "lineno"):
        raise ValueError(f"unknown key_type: {key_type!r}")
    if cumulative and key_type == "traceback":
        raise ValueError(f"cumulative mode cannot by used with key type {key_type!r}")


def _is_number(value: Any) -> bool:
    return type(value) is int and 0 <= value < 1 << 32


def _conditions(table: Table, filters: list[Any]) -> list[Any] | None:
    """The filters as a table takes them; None where one is something else."""
    conditions: list[Any] = []
    files: list[str] | None = None
    for one in filters:
        if type(one) is DomainFilter:
            if not _is_number(one.domain):
                return None
            conditions.append((bool(one.inclusive), None, None, False, one.domain))
            continue
        is_plain = type(one) is Filter and all(
            number is None or _is_number(number) for number in (one.lineno, one.domain)
        )
        if not is_plain:
            return None
        if files is None:
            files = [_normalize_filename(name) for name in table.files()]
        matching = bytes(fnmatch.fnmatch(name, one.filename_pattern) for name in files)
        conditions.append(
            (bool(one.inclusive), matching, one.lineno, bool(one.all_frames), one.domain)
        )
    return conditions


def take_snapshot() -> Snapshot:
    """
    Take a snapshot of traces of memory blocks allocated by Python.
    """
    if not is_tracing():
        raise RuntimeError(
            "the tracemalloc module must be tracing memory allocations to take a snapshot"
        )
    names = globals()
    if all(names[name] is value for name, value in _ORIGINAL.items()):
        return Snapshot(_snapshot(), get_traceback_limit())
    return Snapshot(_get_traces(), get_traceback_limit())
