# SPDX-License-Identifier: MIT
"""What a call of a cached function costs, as a share of what it costs with the standard
`functools` of the same interpreter, measured in turns in one process; what an entry
keeps in memory; and how often each policy hits.

Usage: caching.py [--python VERSION | --all] [--quick] [--peers] [--part PART] [--json FILE]
Other projects' caches are measured where they are installed; --peers installs them aside.
"""

import argparse
import functools
import importlib
import os
import statistics
import subprocess
import sys
from pathlib import Path
from time import perf_counter_ns

from caches_of_others import GROUPS, add_peers, awaited, peer
from measuring import interval, table, write_json
from stats import in_other_interpreter
from traces import optimum, traces

VERSION = sys.version_info[:2]
CALLS = 4_000
# What the machine interrupts is not the call's: the least of so many.
TRIES = 3
VERSIONS = ("3.11", "3.12", "3.13", "3.14", "3.15")
LATER = 0.75 if VERSION >= (3, 14) else 0.65


def repeated(body):
    """A function that runs the calls of `body` about CALLS times in all, and answers ns
    for each."""
    count = body.count(";") + 1
    names = {}
    text = "\n".join(
        [
            "def run(f, rounds, now):",
            "    begin = now()",
            "    for i in rounds:",
            f"        {body}",
            "    return now() - begin",
        ]
    )
    exec(text, names)
    rounds = range(CALLS // count)

    def measure(f):
        return min(names["run"](f, rounds, perf_counter_ns) for _ in range(TRIES)) / (
            len(rounds) * count
        )

    return measure


def ten(text):
    return "; ".join(text.replace("#", str(number)) for number in range(10))


class Owner:
    """Makes classes with a method or a property of one of the modules."""

    def __init__(self, module):
        class Made:
            @module.lru_cache(maxsize=128)
            def method(self, a):
                return a

            @module.cached_property
            def value(self):
                return 5

        self.made = Made


def plain(module, **options):
    return module.lru_cache(**({"maxsize": 128} | options))(lambda *args, **kwargs: args)


# Title, what must be reached, what makes the thing to call, what is called.
HITS = [
    ("hit, one int", LATER, plain, ten("f(#)")),
    ("hit, one str", LATER, plain, ten("f('name#')")),
    ("hit, two positional", 0.55, plain, ten("f(#, 'a')")),
    ("hit, three positional", 0.55, plain, ten("f(#, 'a', 2)")),
    ("hit, one keyword", 0.35, plain, ten("f(a=#)")),
    ("hit, one positional, two keywords", 0.35, plain, ten("f(#, b=1, c='x')")),
    ("hit, method", 0.60, lambda module: Owner(module).made(), ten("f.method(#)")),
    ("hit, typed", 0.50, lambda module: plain(module, typed=True), ten("f(#)")),
    ("hit, cache", LATER, lambda module: module.cache(lambda a: a), ten("f(#)")),
    (
        "miss with eviction",
        0.80,
        # Each time the same numbers, of which it holds the last 64.
        lambda module: module.lru_cache(64)(lambda a: a),
        "f(i); f(i + 1000000); f(i + 2000000)",
    ),
    (
        "cached_property, hit",
        0.75 if VERSION in ((3, 12), (3, 13)) else 1.0,
        lambda module: Owner(module).made(),
        ten("f.value"),
    ),
]

# Beyond the standard module: compared to its plain hit.
OPTIONS = [
    ("ttl", {"ttl": 60}),
    ("ttl, less than 0.1 s", {"ttl": 0.05}),
    ("maxbytes", {"maxbytes": 1 << 20}),
    ("single_flight", {"single_flight": True}),
    ("sieve", {"policy": "sieve"}),
    ("s3fifo", {"policy": "s3fifo"}),
    ("tinylfu", {"policy": "tinylfu"}),
]


def in_turns(rounds, sides):
    """ns a call of each side: {name: [one a round]}."""
    taken = {name: [] for name in sides}
    for measure, thing in sides.values():
        measure(thing)
    for turn in range(rounds):
        order = list(sides.items())
        for name, (measure, thing) in order if turn % 2 else reversed(order):
            taken[name].append(measure(thing))
    return taken


def compared(title, must, taken, name, base):
    theirs, ours = taken[base], taken[name]
    ratio, low, high = interval([our / their for our, their in zip(ours, theirs)])
    verdict = "" if must is None or ratio <= must else "missed"
    return [
        title,
        f"{statistics.median(theirs):.1f}",
        f"{statistics.median(ours):.1f}",
        f"{ratio:.2f}",
        f"{low:.2f} .. {high:.2f}",
        "" if must is None else f"{must:.2f}",
        verdict,
    ]


COLUMNS = ["what", "standard, ns", "hasten, ns", "share", "95 %", "must be", ""]


def sides_of(ours, make, body):
    return {
        name: (repeated(body), make(module))
        for name, module in (("standard", functools), ("hasten", ours))
    }


def hits(ours, rounds):
    rows = []
    for title, must, make, body in HITS:
        taken = in_turns(rounds, sides_of(ours, make, body))
        rows.append(compared(title, must, taken, "hasten", "standard"))
    taken = {"standard": [], "hasten": []}
    walk = repeated_misses()
    for turn in range(rounds):
        order = (("standard", functools), ("hasten", ours))
        for name, module in order if turn % 2 else order[::-1]:
            taken[name].append(walk(Owner(module).made))
    rows.append(compared("cached_property, miss", 0.5, taken, "hasten", "standard"))
    table("Cost of a call", COLUMNS, rows)
    return rows


def repeated_misses():
    names = {}
    exec(
        "def run(instances, now):\n    begin = now()\n    for one in instances:\n"
        "        one.value\n    return now() - begin",
        names,
    )

    def walk(made):
        times = []
        for _ in range(TRIES):
            instances = [made() for _ in range(1000)]
            times.append(names["run"](instances, perf_counter_ns) / len(instances))
        return min(times)

    return walk


def options(ours, rounds):
    body = ten("f(#)")
    sides = {"standard": (repeated(body), plain(functools))}
    for title, keywords in OPTIONS:
        sides[title] = (repeated(body), plain(ours, **keywords))
    cachetools, cachebox, theine = peer("cachetools.func"), peer("cachebox"), peer("theine")
    if cachetools:
        sides["cachetools, lru"] = (repeated(body), cachetools.lru_cache(128)(lambda a: a))
        sides["cachetools, ttl"] = (repeated(body), cachetools.ttl_cache(128, 60)(lambda a: a))
    if cachebox:
        made = cachebox.cached(cachebox.TTLCache(128, 60))(lambda a: a)
        sides["cachebox, ttl"] = (repeated(body), made)
        sides["cachebox, lru"] = (
            repeated(body),
            cachebox.cached(cachebox.LRUCache(128))(lambda a: a),
        )
    if theine:
        made = theine.Memoize(128, None)(lambda a: a)
        sides["theine, tinylfu"] = (repeated(body), made)
    taken = in_turns(rounds, sides)
    musts = dict.fromkeys((title for title, _ in OPTIONS), 1.0)
    rows = [
        compared(title, musts.get(title), taken, title, "standard")
        for title in sides
        if title != "standard"
    ]
    table("With keywords: hit of one int, against the standard plain hit", COLUMNS, rows)
    return rows


def beside_others(ours, rounds):
    """Against hasten's own, which is the first of each group."""
    rows = []
    for title, make, call in GROUPS:
        things = make(ours)
        measure = awaited(CALLS) if call is None else repeated(ten(call))
        sides = {name: (measure, thing) for name, thing in things.items()}
        taken = in_turns(rounds, sides)
        first = next(iter(things))
        for name in things:
            ratio, low, high = interval(
                [one / base for one, base in zip(taken[name], taken[first])]
            )
            rows.append(
                [
                    title if name == first else "",
                    name,
                    f"{statistics.median(taken[name]):.1f}",
                    f"{ratio:.2f}",
                    f"{low:.2f} .. {high:.2f}",
                ]
            )
    table("Beside others", ["what", "whose", "ns", "times hasten's", "95 %"], rows)
    return rows


MEMORY = """\
import {0} as module
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096
numbers = [1000 + n for n in range({1})]
function = module.lru_cache({1})(lambda *args: None)
before = resident()
for n in numbers: {2}
print((resident() - before) / {1})
"""


def memory():
    rows = []
    for title, call in (("one argument", "function(n)"), ("two arguments", "function(n, n)")):
        for entries in (100_000, 150_000):
            sizes = []
            for module in ("functools", "hasten.functools"):
                code = MEMORY.format(module, entries, call)
                answer = subprocess.run(
                    [sys.executable, "-c", code], check=True, capture_output=True, text=True
                )
                sizes.append(float(answer.stdout))
            share = sizes[1] / sizes[0]
            rows.append(
                [
                    f"{title}, {entries:,} entries",
                    f"{sizes[0]:.0f}",
                    f"{sizes[1]:.0f}",
                    f"{share:.2f}",
                    "0.60",
                    "" if share <= 0.6 else "missed",
                ]
            )
    table("Bytes an entry", ["what", "standard", "hasten", "share", "must be", ""], rows)
    return rows


# Hit ratios.


def policies(ours, length):
    rows = []
    for title, trace in traces(length):
        row = [title]
        for policy in ("lru", "sieve", "s3fifo", "tinylfu"):
            function = ours.lru_cache(1000, policy=policy)(lambda key: key)
            for key in trace:
                function(key)
            row.append(f"{100 * function.cache_info().hits / len(trace):.1f}")
        row.append(f"{100 * optimum(trace, 1000) / len(trace):.1f}")
        rows.append(row)
    table(
        "Hits in percent, 1,000 entries",
        ["trace", "lru", "sieve", "s3fifo", "tinylfu", "optimum"],
        rows,
    )
    return rows


def main():
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--python", metavar="VERSION")
    arguments.add_argument("--all", action="store_true", help="every interpreter")
    arguments.add_argument("--json", type=Path, metavar="FILE")
    arguments.add_argument("--quick", action="store_true", help="fewer rounds")
    arguments.add_argument("--part", choices=["hits", "options", "memory", "policies", "others"])
    arguments.add_argument("--peers", action="store_true", help="install those measured against")
    given = arguments.parse_args()
    if given.all:
        words = [word for word in sys.argv[1:] if word != "--all"]
        command = [sys.executable, __file__, *words, "--python"]
        return max(subprocess.run([*command, one], check=False).returncode for one in VERSIONS)
    if given.python:
        return subprocess.run(in_other_interpreter(given.python), check=False).returncode
    if given.peers:
        add_peers()
    ours = importlib.import_module("hasten.functools")
    rounds = 31 if given.quick else 151
    print(f"Python {'.'.join(map(str, sys.version_info[:3]))}, {os.cpu_count()} CPUs")
    parts = {
        "hits": lambda: hits(ours, rounds),
        "options": lambda: options(ours, rounds),
        "others": lambda: beside_others(ours, rounds),
        "memory": memory,
        "policies": lambda: policies(ours, 60_000 if given.quick else 300_000),
    }
    results = {name: run() for name, run in parts.items() if given.part in (None, name)}
    write_json(given, "caching", None, results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
