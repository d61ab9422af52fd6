# SPDX-License-Identifier: MIT
"""hasten.pstats against the standard module: the same steps on the same random statistics
must print the same text, leave the same attributes and fail in the same way."""

import copy
import io
import marshal
import pstats as standard
import random
import sys

import pytest
from hasten import pstats as ours
from random_stats import Maker, Profile

SEEDS = range(150)
SORT_KEYS = [
    ("calls",),
    ("ncalls", "file"),
    ("cumulative",),
    ("cumtime", "name", "line"),
    ("filename", "line"),
    ("module",),
    ("name", "calls"),
    ("nfl",),
    ("pcalls", "tottime"),
    ("stdname",),
    ("time",),
    ("tot", "std"),
    (-1,),
    (0,),
    (1,),
    (2,),
    (),
    (standard.SortKey.TIME,),
    (standard.SortKey.NAME, standard.SortKey.FILENAME),
    # Refused.
    ("nonsense",),
    ("c",),
    ("calls", standard.SortKey.TIME),
    (7,),
    ("name", "nonsense"),
]
RESTRICTIONS = [
    (),
    (3,),
    (0,),
    (10**9,),
    (-1,),
    (0.25,),
    (0.999,),
    (1.0,),
    ("app",),
    ("app", 2),
    (0.5, r"\.py:\d+\(", 0.5),
    ("(",),
    ("^{built", 1),
    ("no such function",),
    (None,),
    (True,),
]
STEPS = ["sort", "sort", "reverse", "strip", "add", "self"]
STEPS += ["print", "callers", "callees", "profile", "look", "dump"]
ATTRIBUTES = ["total_calls", "prim_calls", "total_tt", "max_name_len", "files", "top_level"]


class Both:
    """The same Stats object twice: the standard one and ours."""

    def __init__(self, random_, folder):
        self.random = random_
        self.folder = folder
        self.streams = [io.StringIO(), io.StringIO()]
        self.files = 0
        self.objects = [None, None]

    def write(self, stats):
        self.files += 1
        path = self.folder / f"{self.files}.prof"
        version = self.random.randrange(marshal.version + 1)
        path.write_bytes(marshal.dumps(stats, version) + b"trailing")
        return str(path)

    def do(self, action):
        """Runs the action on both, which must answer or fail alike."""
        outcomes = []
        for module, it in zip((standard, ours), (0, 1)):
            try:
                outcomes.append(("answer", action(module, it)))
            except Exception as error:
                text = str(error).replace("hasten.pstats.", "pstats.")
                outcomes.append((type(error), text))
        assert self.streams[0].getvalue() == self.streams[1].getvalue()
        assert repr(outcomes[0]) == repr(outcomes[1])
        return outcomes[0][0] == "answer"

    def source(self):
        """Makes what both can load: a file, a profiler, or nothing."""
        stats = Maker(self.random.randrange(10**9)).stats()
        kind = self.random.choice(["file", "file", "file", "profile", "stats"])
        if kind == "file":
            path = self.write(stats)
            return lambda module: path
        if kind == "profile":
            return lambda module: Profile(copy.deepcopy(stats))
        return lambda module: module.Stats(Profile(copy.deepcopy(stats)))

    def make(self):
        sources = [self.source() for _ in range(self.random.choice([0, 1, 1, 1, 2, 4]))]

        def action(module, it):
            loaded = [source(module) for source in sources]
            if loaded and isinstance(loaded[0], module.Stats):
                loaded[0] = None
            self.objects[it] = module.Stats(*loaded, stream=self.streams[it])

        return self.do(action)

    def compare_attributes(self):
        for name in ATTRIBUTES:
            self.do(lambda module, it, name=name: getattr(self.objects[it], name))

    def compare_dicts(self):
        for name in ("stats", "fcn_list", "all_callees"):
            self.do(lambda module, it, name=name: getattr(self.objects[it], name))

    def compare_dump(self):
        """Dumps of both, read by the standard module."""
        path = str(self.folder / "dump")

        def action(module, it):
            self.objects[it].dump_stats(path)
            with open(path, "rb") as file:
                return marshal.load(file)

        self.do(action)

    def step(self):
        amount = self.random.choice(RESTRICTIONS)
        kind = self.random.choice(STEPS)
        if kind == "sort":
            keys = self.random.choice(SORT_KEYS)
            self.do(lambda module, it: self.objects[it].sort_stats(*keys).__class__.__name__)
        elif kind == "reverse":
            self.do(lambda module, it: self.objects[it].reverse_order() is self.objects[it])
        elif kind == "strip":
            self.do(lambda module, it: self.objects[it].strip_dirs() is self.objects[it])
        elif kind == "add":
            sources = [self.source() for _ in range(self.random.randrange(3))]
            self.do(
                lambda module, it: (
                    self.objects[it].add(*[source(module) for source in sources])
                    is self.objects[it]
                )
            )
        elif kind == "self":
            self.do(lambda module, it: self.objects[it].add(self.objects[it]) and None)
        elif kind == "print":
            self.do(lambda module, it: self.objects[it].print_stats(*amount) and None)
        elif kind == "callers":
            self.do(lambda module, it: self.objects[it].print_callers(*amount) and None)
        elif kind == "callees":
            self.do(lambda module, it: self.objects[it].print_callees(*amount) and None)
        elif kind == "profile":
            self.do(lambda module, it: self.objects[it].get_stats_profile())
        elif kind == "dump":
            self.compare_dump()
        elif self.random.random() < 0.3:
            # From here on Python's objects count, not the table.
            self.compare_dicts()


@pytest.mark.parametrize("seed", SEEDS)
def test_same_steps_same_outcome(seed, tmp_path):
    both = Both(random.Random(seed), tmp_path)
    if both.make():
        both.compare_attributes()
        for _ in range(both.random.choice([1, 3, 10])):
            both.step()
            both.compare_attributes()
        both.compare_dump()
        both.compare_dicts()


def test_random_statistics_reach_the_table():
    """The comparison above means something only where the table is in use."""
    in_use = printed = 0
    for seed in SEEDS:
        maker = Maker(seed)
        stats = maker.stats()
        if stats and maker.is_plain and maker.has_times:
            loaded = ours.Stats(Profile(stats), stream=io.StringIO())
            loaded.sort_stats("name").strip_dirs().sort_stats("time").print_stats()
            in_use += loaded._table is not None
            printed += loaded.print_callees().print_callers()._table is not None
    assert in_use > len(SEEDS) / 3
    assert printed > len(SEEDS) / 3


@pytest.mark.parametrize("keys", SORT_KEYS[:19], ids=str)
@pytest.mark.parametrize("amount", RESTRICTIONS, ids=str)
def test_every_key_with_every_restriction(keys, amount):
    texts = []
    for module in (standard, ours):
        stream = io.StringIO()
        maker = Maker(7)
        maker.is_plain = True
        stats = module.Stats(Profile(maker.stats()), stream=stream)
        stats.sort_stats(*keys).print_stats(*amount).reverse_order().print_callers(*amount)
        stats.strip_dirs().sort_stats(*keys).print_callees(*amount)
        texts.append(stream.getvalue())
    assert texts[0] == texts[1]
    assert texts[0].count("\n") >= 3


@pytest.mark.skipif(sys.version_info < (3, 15), reason="3.15 has sampling profilers")
def test_statistics_of_a_sampling_profiler(tmp_path):
    stats = Maker(11).stats() | {("__sampled__",): True}
    path = tmp_path / "sampled"
    path.write_bytes(marshal.dumps(stats))
    texts = []
    for module in (standard, ours):
        stream = io.StringIO()
        loaded = module.Stats(str(path), stream=stream)
        assert isinstance(loaded, module.SampledStats)
        loaded.print_stats().sort_stats("calls").print_callers()
        made = module.stats_factory(stats)
        made.stream = stream
        made.sort_stats("nsamples").print_stats(5).print_callees()
        module.Stats(str(path), str(path), stream=stream).print_stats()
        texts.append(stream.getvalue())
    assert texts[0] == texts[1]
    assert "nsamples" in texts[0]
    assert ("__sampled__",) in stats
