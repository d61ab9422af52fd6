# SPDX-License-Identifier: MIT
"""What the drivers share: their options, targets at work, intervals, tables, JSON."""

import argparse
import json
import os
import platform
import random
import statistics
import subprocess
import sys
from pathlib import Path

from environment import PROGRAMS, TARGETS, of_command
from profilers import all_profilers


def parser(text):
    options = argparse.ArgumentParser(
        description=text, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument(
        "--python",
        default="3.15",
        help="interpreter of the target: a version or a path (default: 3.15)",
    )
    options.add_argument(
        "--only",
        action="append",
        metavar="NAME",
        help="measure this profiler only (can be repeated)",
    )
    options.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers there")
    options.add_argument("--quick", action="store_true", help="fewer rounds: to try a driver out")
    return options


def chosen(options):
    """The interpreter, and the profilers that can look at it."""
    interpreter = of_command(options.python)
    profilers = [
        profiler
        for profiler in all_profilers()
        if not options.only or profiler.name in options.only
    ]
    usable = [profiler for profiler in profilers if profiler.supports(interpreter)]
    for profiler in profilers:
        if profiler not in usable:
            print(f"{profiler.name}: not with Python {interpreter.version} here", file=sys.stderr)
    return interpreter, usable


class Steps:
    """programs/steps.py at work."""

    def __init__(self, interpreter, depth=30, threads=1):
        command = [interpreter.command, str(PROGRAMS / "steps.py"), str(depth), str(threads)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        assert self.process.stdout.readline() == "ready\n"

    @property
    def pid(self):
        return self.process.pid

    def work(self, units):
        """(wall, CPU) seconds that the units took."""
        self.begin(units)
        return self.finish()

    def work_in_slices(self, units, slices=8):
        """(wall, CPU) seconds of the units, from the median of equal slices of them: a
        burst of something else on the machine spoils one slice, not the sum."""
        parts = [self.work(units // slices) for _ in range(slices)]
        return tuple(slices * statistics.median(part[i] for part in parts) for i in range(2))

    def begin(self, units):
        self.process.stdin.write(f"{units}\n")

    def finish(self):
        wall, cpu = self.process.stdout.readline().split()
        return int(wall) / 1e9, int(cpu) / 1e9

    def units_for(self, seconds):
        """How many units take about so long."""
        self.work(2_000)
        best = min(self.work(4_000)[0] for _ in range(3))
        return max(100, int(4_000 * seconds / best))

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.process.kill()
        self.process.communicate()


class Gated:
    """A program of tests/targets that starts its work when told to."""

    def __init__(self, interpreter, program, *arguments):
        command = [interpreter.command, str(TARGETS / program), *map(str, arguments)]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"TARGET_GATE": "1"},
        )
        assert self.process.stdout.readline() == "at the gate\n"

    @property
    def pid(self):
        return self.process.pid

    def run(self):
        """Opens the gate and returns what the program told in its last line."""
        output, _ = self.process.communicate("\n")
        return json.loads(output.splitlines()[-1])

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


def interval(values, measure=statistics.median, resamples=4000):
    """The measure of the values and its 95 % bootstrap interval."""
    rng = random.Random(1)
    answers = sorted(measure(rng.choices(values, k=len(values))) for _ in range(resamples))
    return measure(values), answers[int(0.025 * resamples)], answers[int(0.975 * resamples) - 1]


def table(title, columns, rows):
    """Prints rows of texts and numbers; the first column is on the left."""
    texts = [[cell if isinstance(cell, str) else f"{cell:,}" for cell in row] for row in rows]
    widths = [max(len(line[i]) for line in [list(columns), *texts]) for i in range(len(columns))]
    print(f"\n{title}")
    for line in [list(columns), ["-" * width for width in widths], *texts]:
        cells = [line[0].ljust(widths[0])] + [c.rjust(w) for c, w in zip(line[1:], widths[1:])]
        print("  " + "  ".join(cells).rstrip())
    sys.stdout.flush()


def percent(value, digits=2):
    return f"{100 * value:+.{digits}f} %"


def write_json(options, driver, interpreter, results):
    if options.json is None:
        return
    options.json.parent.mkdir(parents=True, exist_ok=True)
    facts = {
        "driver": driver,
        "python": interpreter.version if interpreter else None,
        "machine": f"{platform.machine()}, {os.cpu_count()} CPUs, Linux {platform.release()}",
        "results": results,
    }
    options.json.write_text(json.dumps(facts, indent=1) + "\n")
