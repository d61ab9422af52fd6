# SPDX-License-Identifier: MIT
"""Compares the benchmarks of a test suite with those of another revision.

Both revisions are built in the same way (`hasten revision`). A *round* starts a test run of
each, with the same random hash seed and size of the environment, and takes both through the
tests side by side: in each test they execute blocks in turns, A B B A or B A A B by chance.
A round gives one estimate a test, and the answer comes from the rounds, as in `hasten check`
(src/cli/bench/measure.h says why): statistics are C's.
"""

import contextlib
import fcntl
import json
import math
import os
import random
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from hasten._stats import holm, paired_ratio, summarize, turns_ratio
from hasten._turns import Channel, Ended, Message

ALPHA = 0.05
LEAST_ROUNDS = 9
# Long against the clock, and so short that a process is seldom interrupted in one.
BLOCK_S = 0.5e-3
# A test that takes so many blocks' time is executed once a block.
SLOW_BLOCKS = 10
MOST_LOOPS = 10**9
CALIBRATION_BLOCKS = 3
# A suite's collection may take longer than a benchmark.
READY_FACTOR = 10
# Session fixtures are taken down in this time, or not at all.
END_S = 30
TAIL_LINES = 15
REFERENCE: Final = 0
NOW: Final = 1
# The program's own numbers go on as they would.
CHANCE = random.SystemRandom()


class Refused(Exception):
    """Nothing can be compared; says why and what to do."""


class Failed(Exception):
    """A test run did not answer."""


class Over(Exception):
    """A test has no more to execute."""


@dataclass
class Revision:
    """As `hasten revision --json` says it."""

    label: str
    commit: str
    python: str
    top: str
    root: str
    folder: str
    entry: str
    dirty: bool
    environment: dict[str, str | None]
    lock: int = -1

    def keep(self) -> None:
        """Another hasten does not clean it up meanwhile."""
        self.lock = os.open(self.entry, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(self.lock, fcntl.LOCK_SH)

    def moved(self, text: str) -> str:
        """A path in the working tree, or an option that ends with one, in this revision."""
        name, equals, path = text.rpartition("=")
        if path != self.top and not path.startswith(os.path.join(self.top, "")):
            return text
        return name + equals + self.root + path[len(self.top) :]

    def close(self) -> None:
        if self.lock >= 0:
            os.close(self.lock)
            self.lock = -1


def prepare(command: str, python: str, name: str, directory: str) -> Revision:
    """Builds a revision where it is not there yet; "." is the working tree as it is."""
    try:
        answer = subprocess.run(
            [command, "revision", "--json", "--python", python, name],
            cwd=directory, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except OSError as error:
        raise Refused(f"cannot run {command}: {error.strerror}") from None
    if answer.returncode != 0:
        raise Refused(answer.stderr.strip().removeprefix("hasten: ") or "hasten revision failed")
    revision = Revision(**json.loads(answer.stdout))
    revision.keep()
    return revision


@dataclass
class Compared:
    """A test, and what came out."""

    name: str
    threshold: float
    budget_s: float
    loops: list[int] = field(default_factory=list)
    log_ratios: list[float] = field(default_factory=list)
    seconds: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))
    verdict: str = ""  # as in docs/pytest.md
    reason: str = ""
    ratio: float = 1.0
    low: float = 0.0
    high: float = math.inf

    def median(self, side: int) -> float | None:
        return summarize(self.seconds[side])["median"] if self.seconds[side] else None

    is_hanging: bool = False  # it is better not executed again

    def fail(self, verdict: str, reason: str) -> None:
        self.verdict, self.reason = verdict, reason
        self.log_ratios.clear()

    @property
    def is_over(self) -> bool:
        """Another round would say nothing."""
        return self.verdict != ""

    def as_dict(self) -> dict[str, Any]:
        known = bool(self.log_ratios)
        return {
            "verdict": self.verdict,
            "reason": self.reason,
            "threshold": self.threshold,
            "ratio": self.ratio if known else None,
            "interval": [self.low, self.high] if known and self.low > 0 else None,
            "was_s": self.median(REFERENCE),
            "is_s": self.median(NOW),
            "rounds": len(self.log_ratios),
        }


class Side:
    """A test run of one revision."""

    def __init__(
        self, revision: Revision, arguments: list[str], chance: dict[str, str], folder: str
    ) -> None:
        self.revision = revision
        self.folder = folder
        os.mkdir(folder)
        self.log = os.path.join(folder, "log")
        ours, theirs = socket.socketpair()
        environment = {**os.environ, **chance, "HASTEN_TURNS": str(theirs.fileno())}
        for name, value in revision.environment.items():
            environment.pop(name, None)
            if value is not None:
                environment[name] = value
        more = [
            f"--basetemp={folder}/temporary", "-o", f"cache_dir={folder}/cache", "-p",
            "hasten-benchmark",
        ]  # fmt: skip
        # The current directory is no place to import from: the environment has the project.
        command = [revision.python, "-P", "-m", "pytest", *arguments, *more]
        with theirs, open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                command, cwd=revision.folder, env=environment, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, pass_fds=[theirs.fileno()], start_new_session=True,
            )  # fmt: skip
        self.channel = Channel(ours)
        self.ended: Message | None = None  # of the test that it runs
        self.is_over = False

    def answer(self, patience_s: float) -> Message:
        deadline = time.monotonic() + patience_s
        while (message := self.channel.take()) is None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise Failed(f"{self.revision.label} did not come to an end in {patience_s:g} s")
            # What it has started may keep the socket open when it is gone.
            if select.select([self.channel], [], [], min(left, 0.2))[0]:
                try:
                    self.channel.read()
                except Ended:
                    raise Failed(self.how_it_ended()) from None
            elif self.process.poll() is not None:
                raise Failed(self.how_it_ended())
        if "end" in message:
            self.ended = message
        return message

    def how_it_ended(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        with open(self.log, errors="backslashreplace") as log:
            lines = [line.rstrip() for line in log.read().splitlines() if line.strip()]
        tail = "".join(f"\n    {line}" for line in lines[-TAIL_LINES:])
        status = self.process.returncode
        return f"the test run of {self.revision.label} has ended (status {status}){tail}"

    def send(self, message: Message) -> None:
        try:
            self.channel.send(message)
        except Ended:
            raise Failed(self.how_it_ended()) from None

    def run(self, iterations: int, before: int, patience_s: float) -> Message:
        self.send({"run": iterations, "before": before})
        return self.answer(patience_s)

    def kill(self) -> None:
        if self.is_over:
            return  # its number may be another's
        self.is_over = True
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def end(self, patience_s: float) -> None:
        """Lets it take down what its tests share."""
        self.channel.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(patience_s)
        self.kill()


def _processor() -> int:
    return CHANCE.choice(sorted(os.sched_getaffinity(0)))


class Turns:
    """One test, measured by a pair of test runs that have both come to its benchmark."""

    def __init__(
        self, sides: list[Side], test: Compared, begun: list[Message], patience_s: float
    ) -> None:
        self.sides = sides
        self.test = test
        self.patience_s = patience_s
        self.is_pedantic = any(message["at"] == "pedantic" for message in begun)
        self.loops = [message["iterations"] for message in begun] if self.is_pedantic else []
        self.is_single = all(message["single"] for message in begun)
        self.blocks: tuple[list[float], list[float]] = ([], [])
        self.clean: list[float] = []

    def pin(self, processors: set[int]) -> None:
        for side in self.sides:
            with contextlib.suppress(OSError):
                os.sched_setaffinity(side.process.pid, processors)

    def block(self, side: int, loops: int, before: int) -> Message:
        answer = self.sides[side].run(loops, before, self.patience_s)
        if "spent" not in answer:
            raise Over
        return answer

    def calibrate(self, side: int) -> float:
        """Seconds of an execution, from short blocks to long ones."""
        loops, executed, least = 1, 0, math.inf
        while executed < CALIBRATION_BLOCKS:
            answer = self.block(side, loops, 0)
            spent = max(answer["spent"], 1e-9)
            if spent < BLOCK_S / 2 and loops < MOST_LOOPS:
                executed, least = 0, math.inf
            else:
                executed, least = executed + 1, min(least, spent / loops)
            if loops == 1 and SLOW_BLOCKS * BLOCK_S < least < math.inf:
                break
            # By a hundred at most: first executions are slow.
            factor = min(BLOCK_S / (spent if least == math.inf else least * loops), 100)
            if factor >= 1.5 and loops < MOST_LOOPS:
                loops = min(math.ceil(loops * factor), MOST_LOOPS)
                executed, least = 0, math.inf
        return least

    def choose_loops(self) -> list[int]:
        """As many on both sides where these hardly differ, so that no chance makes a
        difference; else blocks as long as each other's."""
        times = [self.calibrate(side) for side in (REFERENCE, NOW)]
        if 0.67 < times[NOW] / times[REFERENCE] < 1.5:
            times = [sum(times) / 2] * 2
        return [max(1, min(int(BLOCK_S / each), MOST_LOOPS)) for each in times]

    def pair(self, second: bool) -> None:
        """A block a side."""
        taken: list[Message] = [{}, {}]
        for side in (NOW, REFERENCE) if second else (REFERENCE, NOW):
            # Some untimed get the caches back from the other side.
            before = 0 if self.is_pedantic else self.loops[side] // 4
            taken[side] = self.block(side, self.loops[side], before)
        reference, now = taken
        # A clock that did not move: half of its step.
        self.blocks[REFERENCE].append(max(reference["spent"], 0.5e-9) / self.loops[REFERENCE])
        self.blocks[NOW].append(max(now["spent"], 0.5e-9) / self.loops[NOW])
        self.clean.append(float(reference["switches"] == 0 and now["switches"] == 0))

    def measure(self, until_s: float) -> None:
        """Blocks for so long; two pairs at least, or one of what is slow."""
        everywhere = os.sched_getaffinity(0)
        if self.is_single:
            self.pin({_processor()})
        try:
            self.warm_up()
            self.run_pairs(until_s)
        except Over:
            pass  # what was measured before counts
        finally:
            if self.is_single:
                self.pin(everywhere)

    def warm_up(self) -> None:
        if self.is_pedantic:
            return
        if not self.test.loops:
            self.loops = self.test.loops = self.choose_loops()
            return
        self.loops = self.test.loops
        for side in CHANCE.sample((REFERENCE, NOW), 2):
            self.block(side, self.loops[side], 0)

    def run_pairs(self, until_s: float) -> None:
        began = before = time.monotonic()
        goes_on = True
        while goes_on:
            second = CHANCE.random() < 0.5
            self.pair(second)
            if 2 * (time.monotonic() - before) > until_s:
                return
            self.pair(not second)
            now = time.monotonic()
            goes_on = now - began + (now - before) < until_s
            before = now

    def keep(self) -> None:
        if self.clean:
            self.test.log_ratios.append(turns_ratio(*self.blocks, self.clean))
            for side in (REFERENCE, NOW):
                self.test.seconds[side].extend(self.blocks[side])


class Comparison:
    """All tests, in rounds."""

    def __init__(
        self,
        revisions: list[Revision],
        arguments: Callable[[Revision], list[str]],
        tests: list[Compared],
        patience_s: float,
        say: Callable[[str], None],
    ) -> None:
        self.revisions = revisions
        self.arguments = arguments
        self.tests = tests
        self.patience_s = patience_s
        self.say = say
        # So many that what is slower in all of them is so among all tests, too.
        wanted = 1 + math.ceil(math.log2(max(len(tests), 1) / ALPHA))
        self.rounds = max(LEAST_ROUNDS, wanted)
        self.folder = tempfile.mkdtemp(prefix="hasten-against-")
        self.started = 0
        self.sides: list[Side] = []

    def run(self) -> None:
        try:
            for number in range(self.rounds):
                self.say(f"round {number + 1} of {self.rounds}")
                left = [test for test in self.tests if not test.is_over]
                while left:
                    left = self.run_tests(left)
        finally:
            for side in self.sides:
                side.kill()
            shutil.rmtree(self.folder, ignore_errors=True)
            for revision in self.revisions:
                revision.close()
        self.judge()

    def start(self) -> None:
        """A test run of each revision, one as lucky as the other."""
        self.started += 1
        chance = {"HASTEN_BENCH_PADDING": "x" * CHANCE.randrange(4096)}
        if "PYTHONHASHSEED" not in os.environ:
            chance["PYTHONHASHSEED"] = str(CHANCE.randrange(1, 2**32))
        self.sides = []
        made = {}
        # What comes first finds files and processors otherwise than what comes second.
        for number in CHANCE.sample((REFERENCE, NOW), 2):
            revision = self.revisions[number]
            folder = os.path.join(self.folder, f"{self.started}-{number}")
            made[number] = Side(revision, self.arguments(revision), chance, folder)
            self.sides.append(made[number])
        self.sides = [made[REFERENCE], made[NOW]]

    def ready(self, tests: list[Compared]) -> list[Compared]:
        """Those of the tests that both have."""
        known: list[set[str]] = []
        for side in self.sides:
            try:
                answer = side.answer(READY_FACTOR * self.patience_s)
            except Failed as error:
                raise Refused(
                    f"the tests of {side.revision.label} cannot be run: {error}"
                ) from None
            known.append(set(answer["ready"]))
            for test in tests:
                if test.name in known[-1] or test.is_over:
                    continue
                place = test.name.partition("::")[0]
                reason = answer["failed"].get(place, "it is not there")
                if side.revision is self.revisions[REFERENCE]:
                    test.fail("new", reason)
                else:
                    test.fail("failed", f"in a copy of the working tree: {reason}")
        return [test for test in tests if all(test.name in names for names in known)]

    def run_tests(self, tests: list[Compared]) -> list[Compared]:
        """One round of them; answers those that are left where a test run has ended."""
        self.start()
        tests = self.ready(tests)
        for number, test in enumerate(tests):
            after = tests[number + 1].name if number + 1 < len(tests) else None
            try:
                self.run_test(test, after)
            except Failed as error:
                test.fail("failed", str(error))
                test.is_hanging = True
                for side in self.sides:
                    side.kill()
                return tests[number + 1 :]
        for side in self.sides:
            side.end(END_S)
            shutil.rmtree(side.folder, ignore_errors=True)
        return []

    def run_test(self, test: Compared, after: str | None) -> None:
        for side in self.sides:
            side.ended = None
            side.send({"test": test.name, "next": after})
        answers = [side.answer(self.patience_s) for side in self.sides]
        if all("at" in answer for answer in answers):
            turns = Turns(self.sides, test, answers, self.patience_s)
            turns.measure(test.budget_s / self.rounds)
            turns.keep()
        ends = [self.finish(side) for side in self.sides]
        for side, end in zip(self.sides, ends):
            if end["apart"]:
                raise Refused(f"{side.revision.label}: {end['apart']}")
        self.take_ends(test, answers, ends)

    def finish(self, side: Side) -> Message:
        """Has the test run to the test's end."""
        if side.ended is None:
            side.send({"enough": True})
        while side.ended is None:
            side.answer(self.patience_s)
        return side.ended

    def take_ends(self, test: Compared, answers: list[Message], ends: list[Message]) -> None:
        label = self.revisions[REFERENCE].label
        reference, now = ends
        if now["end"] == "failed":
            test.fail("failed", f"fails in a copy of the working tree: {now['text']}")
        elif reference["end"] == "failed":
            test.fail("new", f"fails at {label}: {reference['text']}")
        elif "at" in answers[NOW] and "at" not in answers[REFERENCE]:
            what = "is skipped" if reference["end"] == "skipped" else "measures nothing"
            test.fail("new", f"{what} at {label}")
        elif "at" not in answers[NOW]:
            test.fail("not measured", "it measures nothing")

    def judge(self) -> None:
        measured = [test for test in self.tests if test.log_ratios and not test.is_over]
        slower, faster = [], []
        for test in measured:
            test.ratio, test.low, test.high, p = paired_ratio(test.log_ratios, ALPHA)
            faster.append(p if test.ratio < 1 else 1.0)
            shift = math.log1p(test.threshold)
            beyond = paired_ratio([value - shift for value in test.log_ratios], ALPHA)
            slower.append(beyond[3] if beyond[0] > 1 else 1.0)
        if not measured:
            return
        for test, is_slower, is_faster in zip(measured, holm(slower), holm(faster)):
            self.judge_test(test, is_slower, is_faster)

    def judge_test(self, test: Compared, is_slower: bool, is_faster: bool) -> None:
        most = 1 + test.threshold
        if is_slower and test.low > most:
            test.verdict = "slower"
            test.reason = (
                f"it takes {100 * (test.ratio - 1):.1f} % more time than at"
                f" {self.revisions[REFERENCE].label}"
                f" (95 %: {100 * (test.low - 1):+.1f} % to {100 * (test.high - 1):+.1f} %);"
                f" {100 * test.threshold:.3g} % is allowed"
            )
        elif is_faster and test.high < 1:
            test.verdict = "faster"
        elif test.high < most:
            test.verdict = "fine"
        else:
            test.verdict = "unclear"
            test.reason = (
                f"whether it is within {100 * test.threshold:.3g} %"
                " needs a larger --hasten-against-budget, or a quieter machine"
            )
