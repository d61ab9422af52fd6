# SPDX-License-Identifier: MIT
"""Statistics made up at random: what profilers write, and what they might."""

import random

FILES = [
    "~",
    "",
    "app.py",
    "/srv/app.py",
    "/srv/lib/app.py",
    "/srv/lib/",
    "/srv/lib/os.py",
    "h\u00e9/\u20ac/\U0001f40d.py",
    "bytes/\udcff\udc80.py",
    "<string>",
    "x" * 300 + "/long.py",
]
NAMES = [
    "main",
    "<module>",
    "<built-in method builtins.len>",
    "<",
    "<>",
    "run",
    "Runner.run",
    "f\u00fcr",
    "\udc80",
    "z" * 260,
    "",
]
TIMES = [0, 1, 7, 0.0, -0.0, 0.0005, 0.0015, 0.5, 1e-9, 123.4565, 99999.9999, 1e15, 1e300]
ODD_TIMES = [float("inf"), float("nan"), -3.5]
# What no table in C holds: Python's objects must do.
ODD_COUNTS = [2**53 + 1, -(2**70), True, 1.5]


class Maker:
    """Random statistics; one that is `plain` looks as profilers write them."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.is_plain = self.random.random() < 0.7
        self.has_times = self.random.random() < 0.8
        size = self.random.choice([0, 1, 2, 5, 30, 120])
        self.functions = [self.function() for _ in range(size)]

    def function(self):
        line = self.random.choice([0, 0, 1, 2, 17, 12345, 2**31, -1])
        return (self.random.choice(FILES), line, self.random.choice(NAMES))

    def count(self):
        if not self.is_plain and self.random.random() < 0.01:
            return self.random.choice(ODD_COUNTS)
        return self.random.choice([0, 1, 1, 2, 3, 10, 1000, 2**31, 2**40])

    def time(self):
        if not self.is_plain and self.random.random() < 0.02:
            return self.random.choice(ODD_TIMES)
        if self.random.random() < 0.3:
            return self.random.choice(TIMES)
        return self.random.expovariate(1)

    def calls(self):
        calls = self.count()
        return (calls, calls) if self.random.random() < 0.7 else (calls, self.count())

    def edge(self):
        has_times = self.has_times
        if not self.is_plain and self.random.random() < 0.005:
            has_times = not has_times
        return (*self.calls(), self.time(), self.time()) if has_times else self.count()

    def callers(self):
        known = list(self.functions)
        if not self.is_plain or self.has_times:
            known.append(("jprofile", 0, "profiler"))
            known.append(("nobody.py", 3, "has_no_row"))
        count = self.random.choice([0, 0, 1, 1, 2, 3, 8])
        return {self.random.choice(known): self.edge() for _ in range(min(count, len(known)))}

    def stats(self):
        """A dict as Profile.create_stats() makes it, of some of the functions."""
        # Without times of its own a caller's row is wanted when it is printed.
        share = 0.8 if self.has_times or not self.is_plain else 1
        chosen = [f for f in self.functions if self.random.random() < share]
        self.random.shuffle(chosen)
        return {f: (*self.calls(), self.time(), self.time(), self.callers()) for f in chosen}


class Profile:
    """What Stats() takes for a profiler."""

    def __init__(self, stats):
        self.stats = stats

    def create_stats(self):
        pass

    def __repr__(self):
        return "a profile"
