# SPDX-License-Identifier: MIT
"""What use of a lazy object costs, as a share of what it costs with the faster of
lazy-object-proxy and wrapt (their extensions in C), and of the object itself; what it costs to
make one, and how much memory it takes. All in turns in one process.

Usage: lazy.py [--python VERSION | --all] [--quick] [--json FILE]
The peers are measured where they are installed.
"""

import argparse
import gc
import importlib
import math
import os
import statistics
import subprocess
import sys
from pathlib import Path
from time import perf_counter_ns

from caching import VERSIONS, in_turns, ten
from measuring import interval, table, write_json
from stats import in_other_interpreter

OBJECTS = 20_000
CALLS = 4_000
# What the machine interrupts is not the use's: the least of so many.
TRIES = 3


class Thing:
    def __init__(self):
        self.value = 1

    def method(self):
        return 1


def function():
    return 1


def repeated(body, names, calls=CALLS):
    """What runs the statements of `body` about so often, with what stands for them as `f`,
    and answers ns for each."""
    count = body.count(";") + 1
    text = ["def run(f, rounds, now):", "    begin = now()", "    for _ in rounds:"]
    text += [f"        {body}", "    return now() - begin"]
    exec("\n".join(text), names)
    rounds = range(calls // count)

    def measure(f):
        best = min(names["run"](f, rounds, perf_counter_ns) for _ in range(TRIES))
        return best / (len(rounds) * count)

    return measure


# Title, what makes the object, what is done with it, which share of the peers' cost it may be,
# and of the object's own.
USES = [
    ("attribute", Thing, ten("f.value"), 0.35, 3.0),
    ("method call", Thing, ten("f.method()"), 0.35, None),
    ("item", lambda: [1, 2, 3], ten("f[1]"), 1.0, None),
    ("len", lambda: [1, 2, 3], ten("len(f)"), 1.0, None),
    ("+", lambda: 3, ten("f + 1"), 1.0, None),
    ("call", lambda: function, ten("f()"), 1.0, None),
    ("iteration", lambda: [1, 2, 3], "[*f]", 1.0, None),
    ("isinstance", Thing, ten("isinstance(f, Thing)"), 1.0, None),
]
# The geometric mean of those that may not be slower.
MEAN = 0.8
MAKING, MEMORY = 0.5, 0.6


def kinds():
    """Name -> what makes a proxy of what a factory makes, lazily."""
    from hasten.lazy import Proxy

    found = {"hasten": Proxy}
    for name, module, attribute in (
        ("lazy-object-proxy", "lazy_object_proxy.cext", "Proxy"),
        ("wrapt", "wrapt", "LazyObjectProxy"),
    ):
        try:
            found[name] = getattr(importlib.import_module(module), attribute)
        except ImportError:
            print(f"{name} is not installed", file=sys.stderr)
    return found


def proxy_of(name, kind, make):
    """One whose object is there. wrapt's lazy proxies have to be told what they will be."""
    proxy = kind(make, interface=type(make())) if name == "wrapt" else kind(make)
    str(proxy)
    return proxy


def share_of(taken, name, base):
    return interval([ours / theirs for ours, theirs in zip(taken[name], taken[base])])


def faster(taken, peers):
    return min(peers, key=lambda name: statistics.median(taken[name]))


def uses(found, rounds):
    rows, shares = [], []
    for title, make, body, must, most in USES:
        # Each has code of its own, which the interpreter adapts to what it works on.
        things = {"bare": make()} | {name: proxy_of(name, found[name], make) for name in found}
        sides = {name: (repeated(body, {"Thing": Thing}), things[name]) for name in things}
        taken = in_turns(rounds, sides)
        peer = faster(taken, [name for name in found if name != "hasten"])
        ratio, low, high = share_of(taken, "hasten", peer)
        own = share_of(taken, "hasten", "bare")[0]
        if must == 1.0:
            shares.append(ratio)
        missed = low > must or (most is not None and own > most)
        costs = [f"{statistics.median(taken[name]):.1f}" for name in ("bare", peer, "hasten")]
        limits = f"{must:.2f}" + (f", {most:.0f} x bare" if most else "")
        shown = [f"{ratio:.2f}", f"{low:.2f} .. {high:.2f}", f"{own:.2f}", limits]
        rows.append([title, peer, *costs, *shown, "missed" if missed else ""])
    mean = math.exp(statistics.fmean(map(math.log, shares)))
    blank = [""] * 4
    shown = [f"{mean:.2f}", "", "", f"{MEAN:.2f}", "" if mean <= MEAN else "missed"]
    rows.append(["mean of those that may be 1.00", *blank, *shown])
    columns = ["use", "faster peer", "bare, ns", "peer, ns", "hasten, ns", "share", "95 %"]
    table("Use of an object that is there", [*columns, "x bare", "must be", ""], rows)
    return rows


def making(found, rounds):
    body = ten("f(make)")
    measure = repeated(body, {"make": function})
    sides = {name: (measure, kind) for name, kind in found.items() if name != "wrapt"}
    if "wrapt" in found:
        # It makes a class for each: fewer of them, or all day is spent on it.
        sides["wrapt"] = (repeated(body, {"make": function}, 40), found["wrapt"])
    taken = in_turns(rounds, sides)
    peer = faster(taken, [name for name in found if name != "hasten"])
    ratio, low, high = share_of(taken, "hasten", peer)
    costs = [f"{statistics.median(taken[name]):.1f}" for name in (peer, "hasten")]
    row = ["time, ns", peer, *costs, f"{ratio:.2f}", f"{low:.2f} .. {high:.2f}", f"{MAKING:.2f}"]
    return [*row, "" if low <= MAKING else "missed"]


def resident():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def bytes_of(name):
    """Of one of many, in a process of its own."""
    code = f"import lazy; print(lazy.grown({name!r}))"
    answer = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).resolve().parent,
    )
    return float(answer.stdout)


def grown(name):
    kind = kinds()[name]
    count = OBJECTS // 20 if name == "wrapt" else OBJECTS * 5
    kept = [None] * count
    kind(function)
    gc.collect()
    gc.disable()
    before = resident()
    for i in range(count):
        kept[i] = kind(function)
    return (resident() - before) / count


def memory(found):
    sizes = {name: bytes_of(name) for name in found}
    peer = min((name for name in found if name != "hasten"), key=sizes.__getitem__)
    share = sizes["hasten"] / sizes[peer]
    row = ["memory, bytes", peer, f"{sizes[peer]:.0f}", f"{sizes['hasten']:.0f}"]
    return [*row, f"{share:.2f}", "", f"{MEMORY:.2f}", "" if share <= MEMORY else "missed"]


def main():
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--python", metavar="VERSION")
    arguments.add_argument("--all", action="store_true", help="every interpreter")
    arguments.add_argument("--json", type=Path, metavar="FILE")
    arguments.add_argument("--quick", action="store_true", help="fewer rounds")
    given = arguments.parse_args()
    if given.all:
        words = [word for word in sys.argv[1:] if word != "--all"]
        command = [sys.executable, __file__, *words, "--python"]
        return max(subprocess.run([*command, one], check=False).returncode for one in VERSIONS)
    if given.python:
        return subprocess.run(in_other_interpreter(given.python), check=False).returncode
    rounds = 31 if given.quick else 151
    print(f"Python {'.'.join(map(str, sys.version_info[:3]))}, {os.cpu_count()} CPUs")
    found = kinds()
    if len(found) == 1:
        print("no peer is installed: pip install lazy-object-proxy wrapt", file=sys.stderr)
        return 1
    results = {"uses": uses(found, rounds), "making": [making(found, rounds), memory(found)]}
    columns = ["a proxy", "better peer", "peer", "hasten", "share", "95 %", "must be", ""]
    table("Making one", columns, results["making"])
    write_json(given, "lazy", None, results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
