# SPDX-License-Identifier: MIT
"""How a function's cost grows with the size of its input; `hasten.complexity` is this.

result = hasten.complexity(sorted, lambda n: [random.random() for _ in range(n)])
print(result)                    # O(n log n), how sure, a plot
assert result.time.growth == "O(n log n)"
"""

import os
import random
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

from hasten._growing import Runner
from hasten._stats import Scaling, find_class

__all__ = ["Growth", "Result", "complexity"]

# As many sizes as have a curve (src/core/stats/models.h).
_LEAST_SIZES = 5


class Growth:
    """What was found of time or memory."""

    __slots__ = ("_fields",)

    def __init__(self, fields: dict[str, Any]) -> None:
        self._fields = fields

    @property
    def growth(self) -> str | None:
        """ "O(n log n)"; None where it can't be told."""
        found: str | None = self._fields["class"]
        return found

    @property
    def doubt(self) -> str | None:
        """Why it can't be told: "between" (classes), "noise", "narrow" (sizes), "few sizes",
        "beginning" (of a larger class), "power" (another one), "irregular"."""
        found: str | None = self._fields["doubt"]
        return found

    @property
    def confidence(self) -> float:
        """How likely the best class is, 0 to 1; also where that is not enough."""
        found: float = self._fields["confidence"]
        return found

    @property
    def doubling(self) -> float:
        """By what factor the cost grows when the largest size is reached from its half."""
        found: float = self._fields["doubling"]
        return found

    @property
    def weights(self) -> dict[str, float]:
        """How likely each class is."""
        return dict(self._fields["weights"])

    def is_at_most(self, limit: str) -> bool | None:
        """Whether it is of this class or a lower one; None where it can't be told."""
        allowed = _class_of(limit)[0]
        if self.growth is not None:
            return _class_of(self.growth)[0] <= allowed
        if self.doubt != "between":
            return None
        # It can be enough to know between which classes it is.
        likely = [_class_of(name)[0] for name, weight in self.weights.items() if weight > 0.05]
        return True if max(likely) <= allowed else False if min(likely) > allowed else None

    def __str__(self) -> str:
        words: str = self._fields["words"]
        return words

    def __repr__(self) -> str:
        return f"<{self}>"


class Result:
    """Sizes, what each took, and the classes that follow. `print` shows a plot."""

    __slots__ = ("_fields", "_scaling", "error", "memory", "time")

    def __init__(self, scaling: Scaling, error: BaseException | None) -> None:
        self._scaling = scaling
        self._fields = scaling.result()
        self.error = error
        self.time = Growth(self._fields["time"])
        memory = self._fields["memory"]
        self.memory = None if memory is None else Growth(memory)

    @property
    def sizes(self) -> list[int]:
        return [row["size"] for row in self._fields["sizes"]]

    @property
    def seconds(self) -> list[float]:
        """Of one execution, for each size."""
        return [row["time_s"] for row in self._fields["sizes"]]

    @property
    def peak_bytes(self) -> list[int | None]:
        """At the peak of one execution, above what was there before, for each size."""
        return [row["memory_bytes"] for row in self._fields["sizes"]]

    def to_dict(self) -> dict[str, Any]:
        """The fields that `hasten complexity --json` has."""
        return self._scaling.result()

    def __str__(self) -> str:
        columns, unicode = 80, False
        try:
            columns = os.get_terminal_size(sys.stdout.fileno()).columns
        except (OSError, ValueError, AttributeError):
            columns = int(os.environ.get("COLUMNS") or 80) if _is_number("COLUMNS") else 80
        unicode = "utf" in (getattr(sys.stdout, "encoding", None) or "").lower()
        return self._scaling.text(max(columns, 20), unicode).rstrip("\n")

    def __repr__(self) -> str:
        memory = "" if self.memory is None else f", memory {self.memory}"
        return f"<time {self.time}{memory}>"


def _is_number(variable: str) -> bool:
    return os.environ.get(variable, "").isdecimal()


def _class_of(text: str) -> tuple[int, str]:
    found = find_class(text)
    if found is None:
        raise ValueError(
            f'a class of growth is expected, like "n log n", "n^2" or "2^n", not {text!r}'
        )
    return found


def _measure(scaling: Scaling, runner: Runner) -> Exception | None:
    """Executes what is asked for; the exception that ended it."""
    failure: Exception | None = None
    began = time.monotonic()
    while (ask := scaling.next(time.monotonic() - began)) is not None:
        kind, size, executions, draw = ask
        try:
            if kind == "time":
                scaling.tell_time(*runner.time(size, executions, draw))
            else:
                scaling.tell_memory(runner.memory(size))
        except Exception as error:
            failure = error
            scaling.tell_failure()
    return failure


def once(function: Callable[..., Any], generate: Callable[[int], Any] | None = None) -> Result:
    """The function is executed, and not measured: of its growth nothing can be told."""
    scaling = Scaling()
    ask = scaling.next(0)
    assert ask is not None  # the first size
    runner = Runner(function, generate)
    try:
        runner.call(runner.arguments(ask[1]))
    finally:
        runner.close()
    # With nothing measured it ends here.
    scaling.tell_failure()
    while scaling.next(0) is not None:
        scaling.tell_failure()
    return Result(scaling, None)


def complexity(
    function: Callable[..., Any],
    generate: Callable[[int], Any] | None = None,
    *,
    sizes: Iterable[int] | None = None,
    budget: float = 10.0,
    memory: bool = False,
) -> Result:
    """How the time of `function(*generate(n))` grows with n, and its memory.

    A tuple that `generate` returns is all arguments, anything else the only one; without it
    the function gets n. Inputs are made anew for each execution where the function changes
    them. Sizes grow by themselves, within `budget` seconds in all, or are those given.
    """
    if not callable(function) or not (generate is None or callable(generate)):
        raise TypeError("a function and a function that makes its inputs are expected")
    scaling = Scaling(
        None if sizes is None else sorted(set(sizes)),
        float(budget),
        memory=memory,
        seed=random.SystemRandom().getrandbits(64),
    )
    runner = Runner(function, generate)
    try:
        failure = _measure(scaling, runner)
    finally:
        runner.close()
    result = Result(scaling, failure)
    if failure is not None and len(result.sizes) < _LEAST_SIZES:
        raise failure
    return result
