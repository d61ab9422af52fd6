# SPDX-License-Identifier: MIT
"""Caches with a policy, sizes, ends, keys and failures against a plain model of them, on
operations that Hypothesis makes up."""

import pytest
from cache_model import FOREVER, Model
from hasten.functools import lru_cache

hypothesis = pytest.importorskip("hypothesis")
st = hypothesis.strategies
# How fast operations are made up is the machine's matter.
MAKING_IS_SLOW = [hypothesis.HealthCheck.too_slow]

KEYS = st.integers(0, 14)
OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("call"), KEYS),
        st.tuples(st.just("call"), KEYS),
        st.tuples(st.just("call"), KEYS),
        st.tuples(st.just("advance"), st.integers(1, 9)),
        st.tuples(st.just("discard"), KEYS),
        st.tuples(st.just("stats"), st.none()),
        st.tuples(st.just("clear"), st.none()),
    ),
    max_size=120,
)
OPTIONS = st.fixed_dictionaries(
    {
        "policy": st.sampled_from(["lru", "sieve", "s3fifo", "tinylfu"]),
        "maxsize": st.one_of(st.none(), st.integers(1, 12)),
        "maxbytes": st.one_of(st.none(), st.integers(1, 60)),
        "ttl": st.one_of(st.none(), st.integers(2, 12)),
        "stale": st.one_of(st.none(), st.integers(1, 6)),
        "exceptions": st.booleans(),
        "by_key": st.booleans(),
        "copy": st.booleans(),
        "single_flight": st.booleans(),
    }
)


def weight(number):
    return number * 5 % 17


class Failed(Exception):
    pass


def make(options, now, evicted, calls):
    keywords = {"policy": options["policy"], "single_flight": options["single_flight"]}
    if options["maxbytes"] is not None:
        keywords |= {"maxbytes": options["maxbytes"], "weigh": lambda value: weight(value[0])}
    if options["ttl"] is not None:
        keywords |= {"ttl": options["ttl"]}
        if options["stale"] is not None:
            keywords |= {"stale": options["stale"]}
    if options["exceptions"]:
        keywords |= {"exceptions": Failed, "exceptions_ttl": 3}
    if options["by_key"]:
        keywords |= {"key": lambda argument: argument[0]}
    if options["copy"]:
        keywords |= {"copy": list}

    @lru_cache(
        options["maxsize"],
        clock=lambda: now[0],
        on_evict=lambda key, value: evicted.append((key, list(value))),
        **keywords,
    )
    def function(argument):
        number = argument[0] if options["by_key"] else argument
        calls.append(number)
        if number % 5 == 4:
            raise Failed(number)
        return [number, len(calls)]

    return function


class Run:
    """One cache and its model, side by side."""

    def __init__(self, options):
        self.options = options
        self.now, self.evicted, self.calls = [0], [], []
        self.function = make(options, self.now, self.evicted, self.calls)
        maxsize = FOREVER if options["maxsize"] is None else options["maxsize"]
        capacity = maxsize if options["maxbytes"] is None else options["maxbytes"]
        has_ttl = options["ttl"] is not None
        self.model = Model(
            options["policy"],
            maxsize,
            capacity,
            ttl=options["ttl"] or 0,
            stale=(options["stale"] or 0) if has_ttl else 0,
        )

    def expected(self, number, value_now):
        """What the model says of a call: the value, or None for a failure."""
        model, now = self.model, self.now[0]
        entry = model.find(number, now)
        if entry is not None and entry.end > now:
            model.hits += 1
            model.hit(number)
            return entry.value
        model.misses += 1
        if number % 5 == 4:
            if self.options["exceptions"]:
                model.keep(number, None, 1, now, lifetime=3, is_failure=True)
            return None
        size = 1 if self.options["maxbytes"] is None else weight(number)
        model.keep(number, value_now, size, now)
        return value_now

    def argument(self, number):
        return [number] if self.options["by_key"] else number

    def call(self, number):
        expected = self.expected(number, [number, len(self.calls) + 1])
        try:
            got = self.function(self.argument(number))
        except Failed as error:
            assert error.args == (number,)
            got = None
        assert got == expected
        if got is not None and self.options["copy"]:
            got.append("changed by the caller")

    def advance(self, time):
        self.now[0] += time

    def discard(self, number):
        found = number in self.model.entries
        if found:
            self.model.take_out(number)
        assert self.function.cache_discard(self.argument(number)) is found

    def clear(self, _):
        self.function.cache_clear()
        self.model.clear()

    def stats(self, _):
        self.model.sweep(self.now[0])
        stats, model = self.function.cache_stats(), self.model
        assert stats.hits == model.hits
        assert stats.misses == model.misses
        assert stats.evictions == model.evictions
        assert stats.expirations == model.expirations
        assert stats.size == model.size()
        assert self.function.cache_info().currsize == len(model.entries)


@hypothesis.settings(
    max_examples=300, deadline=None, database=None, suppress_health_check=MAKING_IS_SLOW
)
@hypothesis.given(options=OPTIONS, operations=OPERATIONS)
def test_against_the_model(options, operations):
    # What TinyLFU gives up depends on counters that collide: see the invariants below.
    hypothesis.assume(options["policy"] != "tinylfu")
    run = Run(options)
    for name, argument in operations:
        getattr(run, name)(argument)
        assert run.evicted == run.model.evicted
    run.stats(None)


@hypothesis.settings(
    max_examples=150, deadline=None, database=None, suppress_health_check=MAKING_IS_SLOW
)
@hypothesis.given(options=OPTIONS, operations=OPERATIONS)
def test_what_holds_for_every_policy(options, operations):
    now, evicted, calls = [0], [], []
    function = make(options, now, evicted, calls)
    for name, number in operations:
        if name == "call":
            argument = [number] if options["by_key"] else number
            if number % 5 == 4:
                with pytest.raises(Failed):
                    function(argument)
            else:
                assert function(argument)[0] == number
        elif name == "advance":
            now[0] += number
        elif name == "clear":
            function.cache_clear()
        stats, info = function.cache_stats(), function.cache_info()
        assert options["maxsize"] is None or info.currsize <= options["maxsize"]
        assert options["maxbytes"] is None or stats.size <= options["maxbytes"]
        assert stats.misses <= len(calls)
