# SPDX-License-Identifier: MIT
import tracemalloc as _standard
from collections.abc import Iterable
from tracemalloc import BaseFilter as BaseFilter
from tracemalloc import DomainFilter as DomainFilter
from tracemalloc import Filter as Filter
from tracemalloc import Frame as Frame
from tracemalloc import Statistic as Statistic
from tracemalloc import StatisticDiff as StatisticDiff
from tracemalloc import Trace as Trace
from tracemalloc import Traceback as Traceback
from typing import Any

from hasten._tracemalloc import clear_traces as clear_traces
from hasten._tracemalloc import get_traceback_limit as get_traceback_limit
from hasten._tracemalloc import get_traced_memory as get_traced_memory
from hasten._tracemalloc import get_tracemalloc_memory as get_tracemalloc_memory
from hasten._tracemalloc import is_tracing as is_tracing
from hasten._tracemalloc import reset_peak as reset_peak
from hasten._tracemalloc import stop as stop

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

class Snapshot(_standard.Snapshot):
    traces: Any
    def __init__(self, traces: Any, traceback_limit: int) -> None: ...
    def filter_traces(self, filters: Iterable[BaseFilter]) -> Snapshot: ...

def start(nframe: int = 1, /) -> None: ...
def get_object_traceback(obj: object) -> Traceback | None: ...
def take_snapshot() -> Snapshot: ...
