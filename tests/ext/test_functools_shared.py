# SPDX-License-Identifier: MIT
"""Results that a server keeps for many processes: who computes, who is told of what."""

import gc
import os
import threading
import weakref

import pytest
from hasten._shared import link as _shared_link
from hasten.functools import cache, cached_method, lru_cache
from shared_server import until

DOUBLE = """
    made = []
    @cache(shared=url, namespace="double", version="1")
    def double(number):
        made.append(number)
        return {"twice": 2 * number}
"""


def doubling(url, **options):
    """The same function as in DOUBLE, and what it computed."""
    made = []

    @cache(shared=url, **({"namespace": "double", "version": "1"} | options))
    def double(number):
        made.append(number)
        return {"twice": 2 * number}

    return double, made


def asked(server):
    """How often values were read from the server."""
    stats = server.client().info("commandstats")
    return stats.get("cmdstat_getrange", {"calls": 0})["calls"]


def test_a_local_hit_asks_nobody(server):
    double, made = doubling(server.url)
    assert double(4) == {"twice": 8}
    before = asked(server)
    for _ in range(100):
        assert double(4) == {"twice": 8}
    assert asked(server) == before
    assert made == [4]
    stats = double.cache_stats()
    assert (stats.hits, stats.misses, stats.remote_hits, stats.remote_misses) == (100, 1, 0, 1)
    assert double.cache_info() == (100, 1, None, 1)
    assert double.__wrapped__(5) == {"twice": 10}
    assert double.cache_parameters()["shared"] == server.url


def test_what_another_process_computed_is_not_computed_again(server, other):
    there = other(DOUBLE)
    assert there.ask("double(3)") == {"twice": 6}
    double, made = doubling(server.url)
    assert double(3) == {"twice": 6}
    assert made == []
    assert double.cache_stats().remote_hits == 1
    assert double(5) == {"twice": 10}
    assert there.ask("double(5), made") == ({"twice": 10}, [3])


def test_what_another_process_invalidates_is_computed_again(server, other):
    double, made = doubling(server.url)
    there = other(DOUBLE)
    double(3), double(4)
    assert there.ask("double.cache_discard(3)") is True
    until(lambda: double.cache_info().currsize == 1)
    assert double(3) == {"twice": 6}
    assert made == [3, 4, 3]
    assert double.cache_stats().invalidations == 1
    there.ask("double.cache_clear()")
    until(lambda: double.cache_info().currsize == 0)
    assert server.names("*") == []
    double(3)
    assert made == [3, 4, 3, 3]
    # What is forgotten here only is there.
    there.ask("double(3)")
    there.ask("double.cache_clear(shared=False)")
    assert there.ask("double(3), made") == ({"twice": 6}, [])


def test_a_message_between_reading_and_keeping_wins(server, monkeypatch):
    double, made = doubling(server.url)
    double(1)
    [key] = server.names()
    double.cache_clear(shared=False)
    link = _shared_link._links[server.url]
    read = link.read

    def slow_read(name):
        payload = read(name)
        before = double.cache_stats().invalidations
        server.client().set(name, payload.replace(b"2", b"7"))
        until(lambda: double.cache_stats().invalidations > before)
        return payload

    with monkeypatch.context() as patched:
        patched.setattr(link, "read", slow_read)
        assert double(1) == {"twice": 2}, "what was true when it was asked"
    assert double.cache_info().currsize == 0
    assert double(1) == {"twice": 7}
    assert made == [1]
    assert key in server.names()


def test_what_is_invalidated_while_it_is_computed_is_not_kept(server):
    source = {"value": "old"}
    inside, go_on = threading.Event(), threading.Event()

    @cache(shared=server.url, version="1")
    def look(name):
        value = source[name]
        inside.set()
        go_on.wait(20)
        return value

    thread = threading.Thread(target=look, args=("value",))
    thread.start()
    assert inside.wait(20)
    source["value"] = "new"
    look.cache_discard("value")
    go_on.set()
    thread.join()
    assert server.names() == []
    assert look("value") == "new"
    assert len(server.names()) == 1


def test_many_processes_compute_once(server, other, tmp_path):
    log = tmp_path / "log"
    log.touch()
    code = f"""
        @cache(shared=url)
        def slow(number):
            with open({str(log)!r}, "a") as log:
                log.write("x")
            time.sleep(0.2)
            return number + 1
    """
    processes = [other(code) for _ in range(3)]
    for process in processes:
        process.begin("slow(1), slow.cache_stats().remote_hits")
    answers = sorted(process.answer() for process in processes)
    assert answers == [(2, 0), (2, 1), (2, 1)]
    assert log.read_text() == "x"


def test_threads_compute_once(server):
    made = []

    @lru_cache(shared=server.url, version="1")
    def slow(number):
        made.append(number)
        until(lambda: len(made) == 8)
        return number

    answers = []
    threads = [threading.Thread(target=lambda i=i: answers.append(slow(i % 8))) for i in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == list(range(8))
    assert sorted(answers) == sorted(list(range(8)) * 3)


def test_who_computes_may_die(server, other, monkeypatch):
    code = """
        _shared_link.LOCK_S = 0.6
        @cache(shared=url, namespace="slow", version="1")
        def slow(number):
            print("begun", flush=True)
            time.sleep(600)
    """
    there = other(code)
    there.begin("slow(1)")
    assert there.process.stdout.readline() == "begun\n"
    there.kill()

    @cache(shared=server.url, namespace="slow", version="1")
    def slow(number):
        return "computed here"

    assert slow(1) == "computed here"
    assert len(server.names()) == 1


def test_who_computes_for_long_keeps_the_right_to(server, other, monkeypatch):
    monkeypatch.setattr(_shared_link, "LOCK_S", 8.0)
    monkeypatch.setattr(_shared_link, "PING_S", 0.05)
    client = server.client()

    @cache(shared=server.url, version="1")
    def slow(number):
        [right] = client.keys("hasten-right:*")
        renewals, before = 0, client.pttl(right)
        while renewals < 3:
            left = client.pttl(right)
            assert left > 0
            renewals += left > before
            before = left
        return number

    assert slow(1) == 1
    assert len(server.names()) == 1
    assert client.keys("hasten-right:*") == []


def test_a_failure_is_nobody_elses(server):
    @cache(shared=server.url, version="1")
    def fail(number):
        raise [ValueError, StopIteration, KeyboardInterrupt][number]("no")

    for number, error in enumerate((ValueError, StopIteration, KeyboardInterrupt)):
        with pytest.raises(error, match="no"):
            fail(number)
    assert server.names("*") == []
    assert fail.cache_info().currsize == 0


def test_failures_are_kept_here_if_asked_for(server):
    made = []

    @cache(shared=server.url, version="1", exceptions=KeyError, exceptions_ttl=600)
    def fail(number):
        made.append(number)
        raise KeyError(number)

    for _ in range(3):
        with pytest.raises(KeyError):
            fail(1)
    assert made == [1]
    assert server.names("*") == []


def test_recursion(server):
    @cache(shared=server.url, version="1")
    def fibonacci(number):
        return number if number < 2 else fibonacci(number - 1) + fibonacci(number - 2)

    assert fibonacci(30) == 832040
    assert len(server.names()) == 31


def test_a_call_of_itself_with_the_same_arguments_computes(server):
    depth = []

    @cache(shared=server.url, version="1")
    def deep(number):
        depth.append(number)
        return deep(number) if len(depth) < 3 else "bottom"

    assert deep(1) == "bottom"
    assert len(depth) == 3


def test_limits_of_the_cache_in_front(server):
    gone = []

    @lru_cache(maxsize=2, shared=server.url, on_evict=lambda key, value: gone.append((key, value)))
    def square(number):
        return number * number

    assert [square(number) for number in (1, 2, 3)] == [1, 4, 9]
    assert gone == [(1, 1)]
    assert square(1) == 1
    assert square.cache_stats().remote_hits == 1

    @lru_cache(maxbytes=100, weigh=len, shared=server.url, copy=True)
    def text(number):
        return ["x"] * number

    assert text(60) == text(60)
    assert text(60) is not text(60)
    text(50)
    assert text.cache_stats().size == 50
    assert text.cache_stats().evictions == 1


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_fork(server):
    double, made = doubling(server.url)
    double(1)
    identifiers = {client["id"] for client in server.client().client_list()}
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            ok = double(1) == {"twice": 2} and double.cache_stats().remote_hits == 1
            ok = ok and double(2) == {"twice": 4} and made == [1, 2]
            os.write(write, b"1" if ok else b"0")
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    assert os.read(read, 1) == b"1"
    os.close(read)
    os.close(write)
    assert double(2) == {"twice": 4}
    assert made == [1], "the child computed it"
    # The parent's connections are as they were, and messages come.
    assert identifiers <= {client["id"] for client in server.client().client_list()}
    server.client().delete(*server.names())
    until(lambda: double.cache_info().currsize == 0)


def test_a_client_of_the_programs_and_other_names_of_urls(server):
    import redis

    client = redis.Redis(unix_socket_path=str(server.socket), decode_responses=True, protocol=3)
    double, made = doubling(client)
    double(1)
    again, made_again = doubling(server.url)
    assert again(1) == {"twice": 2}
    assert (made, made_again) == ([1], [])
    _shared_link._links.pop(client.connection_pool).end()
    client.close()


def test_a_function_that_nobody_has_goes(server):
    double, _ = doubling(server.url)
    double(1)
    link = _shared_link._links[server.url]
    assert any(link._all())
    gone = weakref.ref(double)
    del double
    gc.collect()
    assert gone() is None
    assert not any(link._all())


def test_arguments_that_are_wrong(server):
    for wrong, error, text in (
        ({"shared": "http://localhost"}, ValueError, "begins with redis://"),
        ({"shared": 5}, TypeError, "wants a URL"),
        ({"serializer": "json5", "shared": server.url}, ValueError, "json, msgpack, pickle"),
        ({"serializer": 5, "shared": server.url}, TypeError, "dumps and loads"),
        ({"namespace": "x"}, TypeError, "namespace= wants shared="),
        ({"namespace": 5, "shared": server.url}, TypeError, "namespace= wants text"),
        ({"version": 5, "shared": server.url}, TypeError, "version= wants text"),
        ({"clock": lambda: 0.0, "shared": server.url}, TypeError, "clock= is not for shared"),
    ):
        with pytest.raises(error, match=text):
            lru_cache(**wrong)(lambda: 1)
    with pytest.raises(ValueError, match="maxsize must not be 0"):
        lru_cache(maxsize=0, shared=server.url)(lambda: 1)
    with pytest.raises(TypeError, match="no plain function"):
        lru_cache(shared=server.url)(len)
    with pytest.raises(TypeError, match="not for methods"):
        cached_method(shared=server.url)(lambda self: 1)
