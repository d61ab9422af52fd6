# SPDX-License-Identifier: MIT
"""What is in the server: names of keys, forms of values, for how long."""

import json
import math
import struct
import subprocess
import sys
import time
import warnings
from enum import IntEnum

import pytest
from hasten._functools import _is_plain, _shared_key
from hasten._shared.values import version_of
from hasten.functools import cache, lru_cache
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shared_server import until

# On a busy machine, making examples may take long.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def key(*args, typed=False, **kwargs):
    return _shared_key(b"", args, kwargs, typed)


class Number(IntEnum):
    ONE = 1


class Text(str):
    __slots__ = ()


# Arguments as keys.


def test_the_form_of_keys():
    assert key(1, "ä", b"x", None, -2.5) == b"i1.s2:\xc3\xa4b1:xnf-0x1.4p+1."
    assert key((1, (2,)), ()) == b"(i1.(i2.))()"
    assert key(1, b=2, a=3) == b"i1.k1:ai3.k1:bi2." == key(1, a=3, b=2)
    assert key(2**64) == b"x0x10000000000000000."
    assert key(True, 1.0, -0.0) == b"i1.i1.i0."
    assert key(True, 1.0, 1, typed=True) == b"t1.F0x1p+0.i1."
    assert key("\udcff") == b"s3:\xed\xb3\xbf"
    assert key(frozenset("ba")) == b"{s1:as1:b}"
    assert key(math.inf, -math.inf) == b"finf.f-inf."
    assert len(key(10**5000)) > 4000


PARTS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(),
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.frozensets(inner, max_size=3),
    max_leaves=6,
)
CALLS = st.tuples(
    st.lists(PARTS, max_size=3).map(tuple), st.dictionaries(st.sampled_from("abc"), PARTS)
)


@given(CALLS, CALLS)
@settings(PATIENT, max_examples=80)
def test_keys_are_the_same_for_the_same_calls_and_no_others(one, other):
    assert (key(*one[0], **one[1]) == key(*other[0], **other[1])) == (one == other)
    assert key(*one[0], **one[1]) == key(*eval(repr(one[0]), {"inf": math.inf}), **one[1])


@pytest.mark.parametrize("value", [[1], {}, {1}, object(), Number.ONE, Text("x"), 1j, range(3)])
def test_what_has_no_form(value):
    with pytest.raises(TypeError, match=r"an argument of type '.*' cannot be part of a key"):
        key((1, value))


def test_depth():
    deep = ()
    for _ in range(100_000):
        deep = (deep,)
    with pytest.raises(RecursionError):
        key(deep)
    while deep:
        (deep,) = deep


def test_keys_in_the_server(server):
    @cache(shared=server.url, namespace="of: this*", version="1:2")
    def function(*args, **kwargs):
        return 1

    function(1), function(a=2), function("x" * 300), function("x" * 301), function()
    keys = server.names()
    assert [name for name in keys if b"#" not in name] == [
        b"hasten:of%3A this%2A:1%3A2:",
        b"hasten:of%3A this%2A:1%3A2:i1.",
        b"hasten:of%3A this%2A:1%3A2:k1:ai2.",
    ]
    assert len(keys) == 5
    assert max(len(name) for name in keys) < 90

    @cache(shared=server.url, namespace="of: this", version="1:2")
    def another():
        return 1

    another()
    function.cache_clear()
    assert server.names() == [b"hasten:of%3A this:1%3A2:"]

    @cache(shared=server.url, key=lambda request: request["id"], version="1")
    def by_key(request):
        return request["id"]

    assert by_key({"id": 3, "at": 1}) == by_key({"id": 3, "at": 2}) == 3
    assert by_key.cache_info()[:2] == (1, 1)

    with pytest.raises(TypeError, match="key= may answer something that can"):
        another((Text("x"),))


# The version of a function.


def make(text, name="f"):
    names = {}
    exec(text, names)
    return names[name]


def test_versions():
    base = "def f(a, b=2):\n    return a + len([x for x in (1, 2) if x in {3, 'a', 'b', 'c'}])\n"
    version = version_of(make(base))
    assert version == version_of(make("\n\n" + base)), "where it is does not matter"
    others = [
        base.replace("+", "-"),
        base.replace("b=2", "b=3"),
        base.replace("b=2", "*, b=2"),
        base.replace("'c'", "'d'"),
        base.replace("len", "max"),
        base.replace("(1, 2)", "(1, 3)"),
    ]
    assert len({version, *(version_of(make(other)) for other in others)}) == 7
    warm = make(base)
    for _ in range(3000):
        warm(1)
    assert version_of(warm) == version
    code = f"from hasten._shared.values import version_of\nn = {{}}\nexec({base!r}, n)\n"
    for seed in "1", "2":
        done = subprocess.run(
            [sys.executable, "-c", code + "print(version_of(n['f']))"],
            check=True,
            capture_output=True,
            text=True,
            env={"PYTHONHASHSEED": seed},
        )
        assert done.stdout.strip() == version


def test_versions_of_functions_that_a_function_makes():
    def outer(held):
        def inner(number):
            return number, held

        return inner

    assert version_of(outer(1)) != version_of(outer(2))
    assert version_of(outer(1)) == version_of(outer(1))
    assert version_of(outer(outer(1))) != version_of(outer(outer(2)))
    assert version_of(outer(len)) != version_of(outer(max))
    with pytest.raises(TypeError, match="version= must tell it"):
        version_of(outer([]))

    def recursive(number):
        return recursive(number)

    assert version_of(recursive)


# Values.


@pytest.mark.parametrize(
    ("value", "plain", "wide"),
    [
        ({"a": [1, 2.5, None, True, "x", {"b": {}}]}, True, True),
        ((1, 2), False, False),
        ([(1,)], False, False),
        ({1: 2}, False, True),
        ({b"1": b"2"}, False, True),
        ({(1,): 2}, False, False),
        ({1, 2}, False, False),
        (b"x", False, True),
        (Number.ONE, False, False),
        ({Text("x"): 1}, False, False),
        (10**30, True, True),
    ],
)
def test_what_comes_back_the_same(value, plain, wide):
    assert (_is_plain(value, False), _is_plain(value, True)) == (plain, wide)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(JSON)
@settings(PATIENT, max_examples=100)
def test_json_gives_back_what_is_plain(value):
    assert _is_plain(value, False)
    assert repr(json.loads(json.dumps(value))) == repr(value)


def test_what_does_not_come_back_the_same_stays_here(server):
    @cache(shared=server.url)
    def pair(number):
        return (number, number)

    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        assert [pair(1), pair(1), pair(2)] == [(1, 1), (1, 1), (2, 2)]
    assert len(seen) == 1
    assert "pair stays here: JSON has no form" in str(seen[0].message)
    assert server.names("*") == []
    assert pair.cache_stats().unshared == 2
    assert pair.cache_info().hits == 1


class Reverse:
    """A serialiser of the program's."""

    @staticmethod
    def dumps(value):
        return repr(value).encode()[::-1]

    @staticmethod
    def loads(data):
        return eval(data[::-1])


@pytest.mark.parametrize(
    ("serializer", "value"),
    [
        ("msgpack", {"a": b"\x00", 5: [1.5]}),
        ("pickle", ({1, 2}, (3,), Number.ONE)),
        (Reverse, ((1,), {2})),
    ],
)
def test_serializers(server, serializer, value):
    calls = []
    functions = []
    for _ in range(2):

        @cache(shared=server.url, namespace="same", version="1", serializer=serializer)
        def answer(number):
            calls.append(number)
            return value

        functions.append(answer)
    assert functions[0](1) == functions[1](1) == value
    assert type(functions[1](1)) is type(value)
    assert calls == [1]


@pytest.mark.filterwarnings("ignore:shared cache:RuntimeWarning")
def test_serializers_that_fail(server):
    class Bad:
        @staticmethod
        def dumps(value):
            return "no bytes"

        @staticmethod
        def loads(data):
            raise KeyError

    @cache(shared=server.url, serializer=Bad)
    def text(number):
        return number

    assert [text(1), text(1)] == [1, 1]
    assert text.cache_stats().unshared == 1

    circular = []
    circular.append(circular)

    @cache(shared=server.url, version="1")
    def make_circular():
        return circular

    assert make_circular() is circular


# Times.


def entry(value, left_s):
    return struct.pack(">4sQ", b"hst1", int((time.time() + left_s) * 1000)) + value


def test_results_end_together(server):
    @lru_cache(shared=server.url, ttl=600, jitter=0.1, version="1")
    def function(number):
        return "computed"

    function(1)
    [name] = server.names()
    client = server.client()
    assert 500_000 < client.pttl(name) < 700_000
    # A process that has it from the server does not have it for longer than that.
    client.set(name, entry(b'"from there"', 0.3))
    until(lambda: function.cache_info().currsize == 0)
    assert function(1) == "from there"
    client.set(name, entry(b'"later"', 600), px=600_000)
    until(lambda: function(1) == "later")
    client.set(name, entry(b'"ending"', 0.05), px=600_000)
    until(lambda: function(1) == "ending")
    stats = function.cache_stats()
    until(
        lambda: function(1) == "ending" and function.cache_stats().remote_hits > stats.remote_hits
    )


def test_the_server_ends_them(server):
    @lru_cache(shared=server.url, ttl=0.15, version="1")
    def function(number):
        return number

    function(1)
    assert len(server.names()) == 1
    until(lambda: server.names() == [] and function.cache_info().currsize == 0)


def test_stale_results_are_served_while_another_process_computes(server, other, tmp_path):
    go_on = tmp_path / "go on"
    code = f"""
        @cache(shared=url, ttl=0.2, stale=600, namespace="stale", version="1")
        def slow():
            while not os.path.exists({str(go_on)!r}):
                time.sleep(0.005)
            return "new"
    """
    there = other(code)

    @cache(shared=server.url, ttl=0.2, stale=600, namespace="stale", version="1")
    def slow():
        return "computed here"

    [name] = [b"hasten:stale:1:"]
    server.client().set(name, entry(b'"old"', -1))
    there.begin("slow()")
    until(lambda: server.names("hasten-right:*"))
    assert slow() == "old"
    go_on.touch()
    assert there.answer() == "new"
    until(lambda: slow() in ("new", "computed here"))


def test_what_ended_long_ago_is_computed_again(server):
    """Who wrote it would have served it for longer."""
    made = []

    @cache(shared=server.url, ttl=20, namespace="over", version="1")
    def function():
        made.append("computed")
        return made[-1]

    name = b"hasten:over:1:"
    server.client().set(name, entry(b'"differing clocks"', -10))
    assert function() == "differing clocks" and made == []
    function.cache_clear()
    server.client().set(name, entry(b'"kept for ever"', -3600))
    assert function() == "computed" == function()
    assert made == ["computed"]
