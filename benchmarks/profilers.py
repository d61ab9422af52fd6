# SPDX-License-Identifier: MIT
"""hasten and its peers behind one face: attach, stop, read the stacks.

A stack is a tuple of (file, function, line) from the root to the leaf; `line` is None
where the output has none.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from environment import RECORDINGS, hasten_command, make_peers

sys.path.insert(0, str(RECORDINGS))
from recordings import Recording


@dataclass
class Result:
    """What one run of a profiler gave."""

    path: Path
    messages: str
    code: int
    cpu_s: float
    wall_s: float
    facts: dict = field(default_factory=dict)


class Session:
    """A profiler that is attached."""

    def __init__(self, command, path):
        self.path = path
        self.log = tempfile.TemporaryFile("w+")
        self.start = time.perf_counter()
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT
        )

    def ended(self):
        """Whether the profiler is gone already."""
        return (
            os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        )

    def stop(self, patience=120.0):
        """Interrupts the profiler unless it has ended, and waits until its output is written."""
        if not self.ended():
            self.process.send_signal(signal.SIGINT)
        return self.wait(patience)

    def finish(self, patience=120.0):
        """For a target that has ended: the profiler should end by itself."""
        self.wait_until(time.perf_counter() + patience / 4)
        return self.stop(patience)

    def wait_until(self, end):
        while not self.ended() and time.perf_counter() < end:
            time.sleep(0.02)

    def wait(self, patience=120.0):
        self.wait_until(time.perf_counter() + patience)
        if not self.ended():
            self.process.kill()
        _, status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.log.seek(0)
        with self.log:
            return Result(
                self.path,
                self.log.read(),
                self.process.returncode,
                usage.ru_utime + usage.ru_stime,
                time.perf_counter() - self.start,
            )


class Profiler:
    name = ""
    slow_to_attach = 0.8  # seconds after which it surely samples

    def supports(self, interpreter):
        raise NotImplementedError

    def command(self, interpreter, pid, rate, path, all_threads):
        raise NotImplementedError

    def attach(self, interpreter, pid, rate, folder, all_threads=False):
        """Starts it on the process; its output is a new file in the folder."""
        path = folder / f"{self.name.replace(' ', '-')}.out"
        path.unlink(missing_ok=True)
        session = Session(self.command(interpreter, pid, rate, path, all_threads), path)
        time.sleep(self.slow_to_attach)
        return session

    def stacks(self, result):
        """Counter of stacks; empty where the profiler wrote nothing."""
        if not result.path.exists():
            print(
                f"{self.name} wrote nothing (exit code {result.code}): "
                f"{result.messages.strip()[-300:]}",
                file=sys.stderr,
            )
            return Counter()
        return self.read(result)

    def read(self, result):
        raise NotImplementedError

    def times(self, result):
        """Counter of stacks by the time that the profiler gives them, in a unit of its own."""
        return self.stacks(result)

    def failed(self, result):
        """Samples that the profiler says it could not take, or None."""
        return


class Hasten(Profiler):
    name = "hasten"

    def supports(self, interpreter):
        return (3, 11) <= interpreter.minor <= (3, 15)

    def command(self, interpreter, pid, rate, path, all_threads):
        return [
            hasten_command(),
            "attach",
            str(pid),
            "-o",
            str(path),
            "-r",
            str(rate),
            "--no-report",
        ]

    def read(self, result):
        return Recording(result.path).stacks()

    def times(self, result):
        return Recording(result.path).stacks("time")

    def failed(self, result):
        if not result.path.exists():
            return None
        return int(Recording(result.path).facts["samples.failed"])


class Tachyon(Profiler):
    """The sampling profiler of Python 3.15's standard library."""

    name = "profiling.sampling"

    def supports(self, interpreter):
        return interpreter.minor == (3, 15)

    def command(self, interpreter, pid, rate, path, all_threads):
        python = "python3.15" if interpreter.enter else interpreter.command
        threads = ["-a"] if all_threads else []
        return [
            *interpreter.enter,
            python,
            "-m",
            "profiling.sampling",
            "attach",
            str(pid),
            "-r",
            str(rate),
            *threads,
            "--collapsed",
            "-o",
            str(path),
        ]

    def read(self, result):
        return read_collapsed(
            result.path, re.compile(r"(?P<file>.*):(?P<name>[^:]*):(?P<line>\d+)")
        )

    def failed(self, result):
        captured = re.search(r"Captured (\d+) samples", result.messages)
        rate = re.search(r"Error rate: ([\d.]+)", result.messages)
        if captured and rate:
            return round(int(captured.group(1)) * float(rate.group(1)) / 100)
        return None


class PySpy(Profiler):
    def __init__(self, blocking=True):
        self.blocking = blocking
        self.name = "py-spy" if blocking else "py-spy (non-blocking)"

    def supports(self, interpreter):
        return make_peers() is not None and (3, 11) <= interpreter.minor <= (3, 15)

    def command(self, interpreter, pid, rate, path, all_threads):
        return [
            str(make_peers() / "py-spy"),
            "record",
            "-p",
            str(pid),
            "-r",
            str(rate),
            "-f",
            "raw",
            "-o",
            str(path),
            "--full-filenames",
            *([] if self.blocking else ["--nonblocking"]),
            *(["--idle"] if all_threads else []),
        ]

    def read(self, result):
        return read_collapsed(
            result.path, re.compile(r"(?P<name>.*) \((?P<file>.*):(?P<line>\d+)\)")
        )

    def failed(self, result):
        match = re.search(r"Errors: (\d+)", result.messages)
        return int(match.group(1)) if match else None


class Austin(Profiler):
    name = "austin"

    def supports(self, interpreter):
        # Its build needs a newer C library than some machines have: where the interpreter
        # has a root of its own, it runs in there. It knows Python up to 3.14.
        if make_peers() is None or not (3, 11) <= interpreter.minor <= (3, 14):
            return False
        probe = [*interpreter.enter, str(make_peers() / "austin"), "--version"]
        return subprocess.run(probe, capture_output=True, check=False).returncode == 0

    def command(self, interpreter, pid, rate, path, all_threads):
        return [
            *interpreter.enter,
            str(make_peers() / "austin"),
            "-i",
            f"{max(1, round(1e6 / rate))}us",
            "-o",
            str(path),
            "-p",
            str(pid),
        ]

    def read(self, result):
        text = result.path.with_suffix(".austin")
        subprocess.run([make_peers() / "mojo2austin", result.path, text], check=True)
        counts = Counter()
        with text.open() as lines:
            for line in lines:
                if line.startswith("#") or not line.strip():
                    continue
                frames = line.rpartition(" ")[0].split(";")[2:]
                stack = [frame.rsplit(":", 2) for frame in frames]
                counts[tuple((file, name, int(number)) for file, name, number in stack)] += 1
        text.unlink()
        return counts

    def failed(self, result):
        match = re.search(r"Error rate.*?(\d+)/\d+", re.sub(r"\x1b\[[\d;]*m", "", result.messages))
        return int(match.group(1)) if match else None


def read_collapsed(path, frame_pattern):
    """`frame;frame;... count` lines; frames that the pattern does not know are left out."""
    counts = Counter()
    with open(path) as lines:
        for line in lines:
            text, _, count = line.rstrip("\n").rpartition(" ")
            matches = map(frame_pattern.fullmatch, text.split(";"))
            stack = tuple((m["file"], m["name"], int(m["line"])) for m in matches if m)
            counts[stack] += int(count)
    return counts


def all_profilers():
    return [Hasten(), Tachyon(), PySpy(), PySpy(blocking=False), Austin()]
