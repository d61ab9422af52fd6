# SPDX-License-Identifier: MIT
"""What the fixture `benchmark` measured: `benchmark.stats`, as pytest-benchmark names things."""

import math
import statistics
from typing import Any

from hasten._stats import summarize

FIELDS = (
    "min", "max", "mean", "stddev", "rounds", "median", "iqr", "q1", "q3", "iqr_outliers",
    "stddev_outliers", "outliers", "ld15iqr", "hd15iqr", "ops", "total",
)  # fmt: skip


class Stats:
    """Rounds in seconds of one iteration, and what they look like."""

    def __init__(self, data: list[float]) -> None:
        self.data = data
        self._summary: dict[str, float] = {}

    def __bool__(self) -> bool:
        return bool(self.data)

    @property
    def summary(self) -> dict[str, float]:
        if not self._summary or self._summary["count"] != len(self.data):
            self._summary = summarize(self.data)
        return self._summary

    @property
    def sorted_data(self) -> list[float]:
        return sorted(self.data)

    @property
    def rounds(self) -> int:
        return len(self.data)

    @property
    def total(self) -> float:
        return math.fsum(self.data)

    @property
    def min(self) -> float:
        return self.summary["least"]

    @property
    def max(self) -> float:
        return self.summary["most"]

    @property
    def mean(self) -> float:
        return self.summary["mean"]

    @property
    def median(self) -> float:
        return self.summary["median"]

    @property
    def interval(self) -> tuple[float, float]:
        """Where the median is, with 95 % confidence."""
        return self.summary["low"], self.summary["high"]

    @property
    def stddev(self) -> float:
        return statistics.stdev(self.data) if len(self.data) > 1 else 0.0

    @property
    def q1(self) -> float:
        return self.summary["lower_quartile"]

    @property
    def q3(self) -> float:
        return self.summary["upper_quartile"]

    @property
    def iqr(self) -> float:
        return self.q3 - self.q1

    @property
    def ld15iqr(self) -> float:
        return min(value for value in self.data if value >= self.q1 - 1.5 * self.iqr)

    @property
    def hd15iqr(self) -> float:
        return max(value for value in self.data if value <= self.q3 + 1.5 * self.iqr)

    @property
    def iqr_outliers(self) -> int:
        return int(self.summary["low_outliers"] + self.summary["high_outliers"])

    @property
    def stddev_outliers(self) -> int:
        low, high = self.mean - self.stddev, self.mean + self.stddev
        return sum(not low <= value <= high for value in self.data)

    @property
    def outliers(self) -> str:
        return f"{self.stddev_outliers};{self.iqr_outliers}"

    @property
    def ops(self) -> float:
        return 1 / self.mean if self.mean else 0.0

    def as_dict(self) -> dict[str, Any]:
        return {field: getattr(self, field) for field in FIELDS}


class Metadata:
    """A benchmark that was measured: `benchmark.stats`."""

    def __init__(self, fixture: Any, iterations: int) -> None:
        self.name = fixture.name
        self.fullname = fixture.fullname
        self.group = fixture.group
        self.param = fixture.param
        self.params = fixture.params
        self.extra_info = fixture.extra_info
        self.options = fixture.options
        self.iterations = iterations
        self.has_error = False
        self.cprofile_stats: Any = None
        self.stats = Stats([])

    def __bool__(self) -> bool:
        return bool(self.stats)

    def __getitem__(self, key: str) -> Any:
        return getattr(self.stats if key in FIELDS else self, key)

    def __getattr__(self, name: str) -> Any:
        if name in FIELDS or name == "interval":
            return getattr(self.stats, name)
        raise AttributeError(name)

    def as_dict(self) -> dict[str, Any]:
        return {
            "group": self.group,
            "name": self.name,
            "fullname": self.fullname,
            "params": self.params and {key: repr(value) for key, value in self.params.items()},
            "param": self.param,
            "extra_info": self.extra_info,
            "options": self.options.as_dict(),
            "stats": self.stats.as_dict()
            | {"interval": list(self.stats.interval), "iterations": self.iterations},
        }
