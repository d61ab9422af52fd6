# SPDX-License-Identifier: MIT
"""What pytest's fixture `benchmark` does: measures a function in a test.

The call forms and the names of results are those of pytest-benchmark. Rounds are measured
here, because a test's function needs its fixtures; the numbers are worked out in C.
"""

import asyncio
import gc
import inspect
import math
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

from hasten._growing import Waiting
from hasten._measured import Metadata
from hasten._turns import Partner

# A round is long against the clock, and against being interrupted.
LEAST_ROUND_S = 100e-6
MOST_ITERATIONS = 10**9
# What takes longer is not executed twice to find out how long it takes.
LONG_S = 0.01
# Rounds beyond add nothing but memory.
MOST_ROUNDS = 100_000


class FixtureAlreadyUsed(Exception):
    """A fixture measures one function."""


class Options:
    """How a test wants to be measured: its marker's keywords, else the command line's."""

    KNOWN = frozenset(
        (
            "calibration_precision", "cprofile", "cprofile_loops", "disable_gc", "group", "limit",
            "max_time", "min_rounds", "min_time", "threshold", "timer", "warmup",
            "warmup_iterations",
        )
    )  # fmt: skip

    def __init__(self, values: dict[str, Any]) -> None:
        unknown = sorted(set(values) - self.KNOWN)
        if unknown:
            raise ValueError(f"benchmark does not know {', '.join(unknown)}")
        self.min_time = float(values.get("min_time", 5e-6))
        self.max_time = float(values.get("max_time", 1.0))
        self.min_rounds = int(values.get("min_rounds", 5))
        self.timer: Callable[[], float] = values.get("timer", time.perf_counter)
        self.disable_gc = bool(values.get("disable_gc", False))
        self.warmup = values.get("warmup", "auto") not in (False, "off", None)
        self.warmup_iterations = int(values.get("warmup_iterations", 100000))
        self.group: str | None = values.get("group")
        self.limit: str | None = values.get("limit")
        self.threshold: str | None = values.get("threshold")
        self.cprofile = bool(values.get("cprofile", False))
        self.cprofile_loops: int | None = values.get("cprofile_loops")
        if self.min_rounds < 1 or self.max_time < 0 or self.min_time < 0:
            raise ValueError("benchmark: min_rounds is 1 or more, times are not negative")

    def as_dict(self) -> dict[str, Any]:
        timer = getattr(self.timer, "__qualname__", repr(self.timer))
        return {
            "disable_gc": self.disable_gc,
            "timer": timer,
            "min_rounds": self.min_rounds,
            "max_time": self.max_time,
            "min_time": self.min_time,
            "warmup": self.warmup,
        }


@contextmanager
def undisturbed() -> Iterator[None]:
    """Without what follows the test's lines: coverage, a debugger, a profiler."""
    tracer, profiler = sys.gettrace(), sys.getprofile()
    sys.settrace(None)
    sys.setprofile(None)
    try:
        yield
    finally:
        sys.settrace(tracer)
        sys.setprofile(profiler)


def run_alone(function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """A coroutine function's result. asyncio.run would have its text made at the end, which
    is memory."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(function(*args, **kwargs))
    finally:
        loop.close()


class Benchmark:
    """The fixture."""

    def __init__(
        self,
        options: Options,
        done: Callable[[Metadata], None],
        *,
        name: str = "",
        fullname: str = "",
        param: str | None = None,
        params: dict[str, Any] | None = None,
        disabled: bool = False,
        partner: Partner | None = None,
        measured: tuple[int, list[float]] | None = None,
    ) -> None:
        self.options = options
        self.name = name
        self.fullname = fullname
        self.param = param
        self.params = params
        self.group = options.group
        self.disabled = disabled
        self.partner = partner
        self.measured = measured  # elsewhere: iterations of a round, and the seconds of one
        self.extra_info: dict[str, Any] = {}
        self.stats: Metadata | None = None
        self.has_error = False
        self.growth: Any = None  # of `complexity`
        self.target: Callable[..., Any] | None = None
        # Makes one more execution ready: it, and what is to be done after it.
        self.again: Callable[[], tuple[Callable[[], Any], Callable[[], Any]]] | None = None
        self._mode: str | None = None
        self._done = done
        self._undo: list[Callable[[], None]] = []
        self._waiting = Waiting()

    @property
    def enabled(self) -> bool:
        return not self.disabled

    @contextmanager
    def _used(self, mode: str) -> Iterator[None]:
        if self._mode is not None:
            self.has_error = True
            raise FixtureAlreadyUsed(
                f"Fixture can only be used once. Previously it was used in {self._mode} mode."
            )
        self._mode = mode
        try:
            yield
        except BaseException:
            self.has_error = True
            raise

    @property
    def was_used(self) -> bool:
        return self._mode is not None

    def __call__(self, function_to_benchmark: Any, /, *args: Any, **kwargs: Any) -> Any:
        with self._used("benchmark(...)"):
            if inspect.iscoroutinefunction(function_to_benchmark):
                return self._of_coroutines(function_to_benchmark, args, kwargs)
            return self._of_calls(function_to_benchmark, args, kwargs)

    def _of_calls(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        def round_of(iterations: int) -> float:
            return self._timed(function, args, kwargs, iterations)

        self.target = function
        self.again = lambda: (lambda: function(*args, **kwargs), lambda: None)
        if self.enabled:
            with undisturbed():
                self._rounds(round_of)
            self._profile(lambda: (args, kwargs), function, None)
        return function(*args, **kwargs)

    def _of_coroutines(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Where a loop runs already, what is returned must be awaited."""
        timer = self.options.timer

        async def timed(iterations: int) -> float:
            start = timer()
            for _ in range(iterations):
                await function(*args, **kwargs)
            return timer() - start

        async def all_rounds() -> Any:
            if self.enabled:
                plan = self._plan()
                iterations = next(plan)
                with undisturbed():
                    while iterations:
                        with self._collector():
                            spent = await timed(iterations)
                        iterations = plan.send(spent)
            return await function(*args, **kwargs)

        self.target = function
        self.again = lambda: (lambda: run_alone(function, args, kwargs), lambda: None)
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            with asyncio.Runner() as runner:
                return runner.run(all_rounds())
        return all_rounds()

    @contextmanager
    def _collector(self) -> Iterator[None]:
        was_enabled = gc.isenabled()
        if self.options.disable_gc:
            gc.disable()
        try:
            yield
        finally:
            if was_enabled:
                gc.enable()

    def _timed(
        self, function: Callable[..., Any], args: Any, kwargs: Any, iterations: int
    ) -> float:
        """Seconds of the iterations, without what others had the processor meanwhile."""
        timer, turns = self.options.timer, range(iterations)
        with self._collector():
            waited = self._waiting.now()
            if args or kwargs:
                start = timer()
                for _ in turns:
                    function(*args, **kwargs)
                spent = timer() - start
            else:
                start = timer()
                for _ in turns:
                    function()
                spent = timer() - start
            # Another clock may not count it, and what is short has seldom been interrupted.
            if timer is time.perf_counter:
                spent -= self._waiting.since(waited, spent * 1e9) / 1e9
        return spent

    def _rounds(self, round_of: Callable[[int], float]) -> None:
        plan = self._plan()
        iterations = next(plan)
        while iterations:
            iterations = plan.send(round_of(iterations))

    def _plan(self) -> Generator[int, float, None]:
        """Asks for rounds of so many iterations, is told their seconds; 0 is the end."""
        if self.partner is not None:
            yield from self._turns(self.partner)
        elif self.measured is not None:
            metadata = Metadata(self, self.measured[0])
            metadata.stats.data.extend(self.measured[1])
            self._finish(metadata)
        else:
            yield from self._planned()
        yield 0

    def _turns(self, partner: Partner) -> Generator[int, float, None]:
        """Rounds as who compares two runs wants them."""
        metadata = Metadata(self, 1)
        partner.begin("rounds")
        while (wanted := partner.wants()) is not None:
            if wanted["before"]:
                yield wanted["before"]
            spent = yield wanted["run"]
            partner.tell(spent)
            metadata.iterations = wanted["run"]
            metadata.stats.data.append(spent / wanted["run"])
        # The test may count them.
        iterations, data = metadata.iterations, metadata.stats.data
        while len(data) < self.options.min_rounds and (not data or data[-1] * iterations < LONG_S):
            data.append((yield iterations) / iterations)
        self._finish(metadata)

    def _planned(self) -> Generator[int, float, None]:
        options = self.options
        wanted = max(options.min_time, LEAST_ROUND_S)
        iterations = 1
        spent = yield iterations
        while iterations < MOST_ITERATIONS:
            if wanted <= spent < max(options.max_time / 10, LONG_S):
                # The first call has more to do than others, and any may be interrupted.
                spent = min(spent, (yield iterations))
            if spent >= wanted:
                break
            factor = wanted / spent if spent > 0 else 10
            iterations = min(math.ceil(iterations * min(max(factor, 1.5), 10)), MOST_ITERATIONS)
            spent = yield iterations
        metadata = Metadata(self, iterations)
        data = metadata.stats.data
        # Each round here took about as long as this one; there may be no time for a warm-up.
        if options.warmup and spent < options.max_time / 10:
            yield from self._warm(iterations, options.max_time / 10)
        began = time.perf_counter()
        while len(data) < options.min_rounds or (
            time.perf_counter() - began < options.max_time and len(data) < MOST_ROUNDS
        ):
            data.append((yield iterations) / iterations)
        self._finish(metadata)

    def _warm(self, iterations: int, most_s: float) -> Generator[int, float, None]:
        """Until three rounds in a row are no faster than the best before."""
        best, since, began, made = math.inf, 0, time.perf_counter(), 0
        while (
            since < 3
            and time.perf_counter() - began < most_s
            and made < self.options.warmup_iterations
        ):
            spent = yield iterations
            made += iterations
            since = 0 if spent < 0.99 * best else since + 1
            best = min(best, spent)

    def _finish(self, metadata: Metadata) -> None:
        self.stats = metadata
        self._done(metadata)

    def pedantic(
        self,
        target: Callable[..., Any],
        args: Any = (),
        kwargs: Any = None,
        setup: Callable[[], Any] | None = None,
        teardown: Callable[..., Any] | None = None,
        rounds: int = 1,
        warmup_rounds: int = 0,
        iterations: int = 1,
    ) -> Any:
        """Exactly so many rounds of so many iterations, with a setup before each round."""
        with self._used("benchmark.pedantic(...)"):
            for name, value, least in (
                ("iterations", iterations, 1), ("rounds", rounds, 1),
                ("warmup_rounds", warmup_rounds, 0),
            ):  # fmt: skip
                if not isinstance(value, int) or value < least:
                    raise ValueError(f"Must have positive int for `{name}`.")
            if iterations > 1 and setup:
                raise ValueError("Can't use more than 1 `iterations` with a `setup` function.")
            prepare = self._preparing(args, kwargs or {}, setup)
            return self._pedantic(target, prepare, teardown, rounds, warmup_rounds, iterations)

    @staticmethod
    def _preparing(args: Any, kwargs: Any, setup: Callable[[], Any] | None) -> Callable[[], Any]:
        def prepare() -> Any:
            made = setup() if setup else None
            if made and (args or kwargs):
                raise TypeError("Can't use `args` or `kwargs` if `setup` returns the arguments.")
            return made or (args, kwargs)

        return prepare

    def _pedantic(
        self, target: Any, prepare: Any, teardown: Any, rounds: int, warmups: int, iterations: int
    ) -> Any:
        result = None
        asynchronous = inspect.iscoroutinefunction(target)

        def call(*args: Any, **kwargs: Any) -> None:
            nonlocal result
            result = (
                asyncio.run(target(*args, **kwargs)) if asynchronous else target(*args, **kwargs)
            )

        def again() -> tuple[Callable[[], Any], Callable[[], Any]]:
            args, kwargs = prepare()
            down = teardown or (lambda *_args, **_kwargs: None)
            if asynchronous:
                return lambda: run_alone(target, args, kwargs), lambda: down(*args, **kwargs)
            return lambda: target(*args, **kwargs), lambda: down(*args, **kwargs)

        self.target, self.again = target, again
        if self.disabled:
            args, kwargs = prepare()
            call(*args, **kwargs)
            if teardown is not None:
                teardown(*args, **kwargs)
            return result
        metadata = Metadata(self, iterations)
        partner = self.partner
        if partner is not None:
            partner.begin("pedantic", iterations)
        for number in range(warmups + rounds):
            if partner is not None and number >= warmups and partner.wants() is None:
                break
            args, kwargs = prepare()
            with undisturbed():
                spent = (
                    self._timed(call if asynchronous else target, args, kwargs, iterations)
                    if iterations > 1
                    else self._timed(call, args, kwargs, 1)
                )
            if teardown is not None:
                teardown(*args, **kwargs)
            if number >= warmups:
                metadata.stats.data.append(spent / iterations)
                if partner is not None:
                    partner.tell(spent)
        else:
            if partner is not None:
                partner.finish()
        if iterations > 1:
            args, kwargs = prepare()
            call(*args, **kwargs)
            if teardown is not None:
                teardown(*args, **kwargs)
        self._finish(metadata)
        self._profile(prepare, target, teardown)
        return result

    def _profile(self, prepare: Any, target: Any, teardown: Any) -> None:
        """With the marker's `cprofile`, some more executions under hasten.cProfile."""
        if not self.options.cprofile or self.stats is None:
            return
        from hasten import cProfile, pstats

        profile = cProfile.Profile()
        for _ in range(self.options.cprofile_loops or 1):
            args, kwargs = prepare()
            with undisturbed():
                profile.runcall(target, *args, **kwargs)
            if teardown is not None:
                teardown(*args, **kwargs)
        self.stats.cprofile_stats = pstats.Stats(profile)  # type: ignore[arg-type]

    def complexity(
        self,
        function: Callable[..., Any],
        generate: Callable[[int], Any] | None = None,
        **more: Any,
    ) -> Any:
        """hasten.complexity(function, generate, ...); the test's budget is judged by it."""
        with self._used("benchmark.complexity(...)"):
            self.target = function
            from hasten.scaling import complexity, once

            if self.disabled:
                return once(function, generate)
            more.setdefault("budget", max(self.options.max_time, 1.0))
            with undisturbed():
                self.growth = complexity(function, generate, **more)
            return self.growth

    def weave(self, target: Any, **more: Any) -> None:
        """Measures the call of what "module.name" names, until the test is over. Anything
        but a name is for aspectlib to find, where that is installed."""
        import importlib

        if not isinstance(target, str) or "." not in target or more:
            self._weave_by_aspectlib(target, more)
            return
        place, _dot, name = target.rpartition(".")
        holder = importlib.import_module(place)
        function = getattr(holder, name)

        def measured(*args: Any, **kwargs: Any) -> Any:
            setattr(holder, name, function)
            return self(function, *args, **kwargs)

        setattr(holder, name, measured)
        self._undo.append(lambda: setattr(holder, name, function))

    patch = weave

    def _weave_by_aspectlib(self, target: Any, more: dict[str, Any]) -> None:
        import importlib

        try:
            aspectlib = importlib.import_module("aspectlib")
        except ImportError as error:
            raise ImportError(
                'weave takes the name of a function, like "time.sleep"; for anything else'
                " install aspectlib"
            ) from error

        def aspect(function: Callable[..., Any]) -> Callable[..., Any]:
            return lambda *args, **kwargs: self(function, *args, **kwargs)

        self._undo.append(aspectlib.weave(target, aspect, **more).rollback)

    def cleanup(self) -> None:
        self._waiting.close()  # the test is kept until all are done
        while self._undo:
            self._undo.pop()()
