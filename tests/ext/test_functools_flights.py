# SPDX-License-Identifier: MIT
"""lru_cache with single_flight=: threads, signals, fork, and what failed."""

import os
import subprocess
import sys
import threading
import time
import traceback
import warnings

import pytest
from hasten.functools import lru_cache
from shared_server import until
from threads import run_threads


class Wrong(Exception):
    pass


def test_single_flight():
    calls, answers = [], []

    @lru_cache(single_flight=True)
    def function(number):
        calls.append(number)
        time.sleep(0.05)
        return [number]

    run_threads(8, lambda: answers.append(function(1)))
    assert calls == [1]
    assert len(answers) == 8 and all(answer is answers[0] for answer in answers)
    stats = function.cache_stats()
    assert (stats.misses, stats.hits) == (1, 7)


def test_single_flight_after_a_failure_the_next_computes():
    calls = []

    @lru_cache(single_flight=True)
    def function():
        calls.append(None)
        time.sleep(0.01)
        if len(calls) < 3:
            raise Wrong
        return 5

    answers = []

    def work():
        try:
            answers.append(function())
        except Wrong:
            answers.append("wrong")

    run_threads(5, work)
    assert sorted(map(str, answers)) == ["5", "5", "5", "wrong", "wrong"]
    assert len(calls) == 3


def test_single_flight_shares_failures_that_are_kept():
    calls, seen = [], []

    @lru_cache(single_flight=True, exceptions=Wrong, exceptions_ttl=30)
    def function():
        calls.append(None)
        time.sleep(0.03)
        raise Wrong("once")

    def work():
        try:
            function()
        except Wrong as error:
            seen.append(error)

    run_threads(5, work)
    assert len(calls) == 1 and len(seen) == 5 and len(set(map(id, seen))) == 1


def test_single_flight_of_a_function_that_calls_itself():
    @lru_cache(single_flight=True)
    def fibonacci(number):
        return number if number < 2 else fibonacci(number - 1) + fibonacci(number - 2)

    assert fibonacci(60) == 1548008755920

    depth = []

    @lru_cache(single_flight=True)
    def same(number):
        depth.append(None)
        return same(number) + 1 if len(depth) < 4 else 0

    assert same(1) == 3


def test_single_flight_of_two_that_call_each_other():
    barrier = threading.Barrier(2, timeout=30)
    met = threading.local()

    def meet():
        if not getattr(met, "once", False):
            met.once = True
            barrier.wait()

    @lru_cache(single_flight=True)
    def one(depth):
        meet()
        return 1 if depth == 0 else other(0) + 1

    @lru_cache(single_flight=True)
    def other(depth):
        meet()
        return 1 if depth == 0 else one(0) + 1

    answers = []
    threads = [
        threading.Thread(target=lambda f=f: answers.append(f(1)), daemon=True) for f in (one, other)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    assert answers == [2, 2]


def test_fork_while_another_thread_computes():
    inside, go_on, parent = threading.Event(), threading.Event(), os.getpid()

    @lru_cache(single_flight=True)
    def function():
        if os.getpid() == parent:
            inside.set()
            go_on.wait(30)
        return 7

    thread = threading.Thread(target=function)
    thread.start()
    inside.wait(30)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        sys.stdout.flush()
        child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if function() == 7 else 1
        finally:
            os._exit(status)
    go_on.set()
    thread.join()
    assert os.waitpid(child, 0)[1] == 0


NESTED = """
import os, signal, threading, time
from hasten.functools import lru_cache

begun = {name: threading.Event() for name in ("outer", "inner", "handler")}
go_on = threading.Event()
main = threading.get_ident()

@lru_cache(single_flight=True)
def mine():
    return theirs() if threading.get_ident() == main else "alone"

@lru_cache(single_flight=True)
def theirs():
    begun["outer"].set()
    begun["handler"].wait(60)
    time.sleep(0.1)  # until the handler waits
    answer = mine()
    go_on.set()
    return answer

@lru_cache(single_flight=True)
def others():
    begun["inner"].set()
    go_on.wait(2)
    return "others"

def handler(*_):
    begun["handler"].set()
    others()

signal.signal(signal.SIGUSR1, handler)

def signals():
    begun["outer"].wait(60)
    begun["inner"].wait(60)
    time.sleep(0.1)
    os.kill(os.getpid(), signal.SIGUSR1)

threads = [threading.Thread(target=t, daemon=True) for t in (theirs, others, signals)]
threads[0].start()
begun["outer"].wait(60)
for thread in threads[1:]:
    thread.start()
print(mine())
"""


def test_a_wait_of_a_signals_handler_within_a_wait():
    """The main thread waits for another's computation, and its handler for a third's: the
    first must not wait for the main thread's."""
    done = subprocess.run(
        [sys.executable, "-c", NESTED], check=False, capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("alone\n", "")


@pytest.mark.parametrize("kept", [None, Wrong])
def test_failures_shared_with_those_who_wait(kept):
    calls, seen = [], []
    all_there = threading.Barrier(4, timeout=30)
    # Who has its key computes or waits before another thread has a turn.
    keys = iter([5] * 4)

    @lru_cache(
        single_flight=True,
        exceptions_shared=True,
        exceptions=kept,
        exceptions_ttl=30,
        key=keys.__next__,
    )
    def function():
        calls.append(None)
        all_there.wait()
        until(lambda: keys.__length_hint__() == 0)
        raise Wrong("once")

    def work():
        all_there.wait()
        try:
            function()
        except Wrong as error:
            seen.append(error)

    def begin():
        with pytest.raises(Wrong):
            function()

    first = threading.Thread(target=begin)
    first.start()
    run_threads(3, work)
    first.join()
    assert len(seen) == 3
    assert len(calls) == 1 and len(set(map(id, seen))) == 1
    assert traceback.extract_tb(seen[0].__traceback__)[-1].name == "function"
    assert function.cache_stats().waits == 3


def test_the_wish_to_end_is_not_shared():
    calls, inside, go_on = [], threading.Event(), threading.Event()

    @lru_cache(single_flight=True, exceptions_shared=True)
    def function():
        calls.append(None)
        if len(calls) == 1:
            inside.set()
            go_on.wait(30)
            raise SystemExit
        return 5

    def begin():
        with pytest.raises(SystemExit):
            function()

    answers = []
    first = threading.Thread(target=begin)
    first.start()
    inside.wait(30)
    second = threading.Thread(target=lambda: answers.append(function()))
    second.start()
    go_on.set()
    first.join()
    second.join()
    assert answers == [5]
