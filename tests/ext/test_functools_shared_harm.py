# SPDX-License-Identifier: MIT
"""Whatever becomes of the server, a function with shared results answers the right ones."""

import signal
import socket
import subprocess
import sys
import textwrap
import threading
import warnings

import pytest
from hasten._shared import link as _shared_link
from hasten._shared import server as _shared_server
from hasten.functools import cache
from isolated import run_isolated
from shared_server import until

pytestmark = pytest.mark.filterwarnings("ignore:shared cache:RuntimeWarning")


def squaring(url, **options):
    made = []

    @cache(shared=url, version="1", **options)
    def square(number):
        made.append(number)
        return number * number

    return square, made


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(_shared_server, "ANSWER_S", 1.2)
    monkeypatch.setattr(_shared_link, "PING_S", 0.4)


def is_up(server):
    return _shared_link._links[server.url].is_up


def is_shared(function):
    """A call reaches the server."""
    before = function.cache_stats()
    function.cache_clear(shared=False)
    function(7)
    after = function.cache_stats()
    return after.remote_hits + after.remote_misses > 0 and before is not None


@pytest.mark.filterwarnings("always:shared cache:RuntimeWarning")
def test_a_server_that_is_not_there(server):
    server.kill()
    square, made = squaring(server.url)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        assert [square(number) for number in (1, 2, 3)] == [1, 4, 9]
    assert [
        str(warning.message).split(": ")[0]
        for warning in seen
        if warning.category is RuntimeWarning
    ] == [f"shared cache {server.socket}"]
    assert made == [1, 2, 3]
    # It comes, and what was computed meanwhile is forgotten.
    server.begin()
    until(lambda: is_up(server))
    assert square.cache_info().currsize == 0
    assert square(3) == 9
    assert len(server.names()) == 1


def test_a_server_that_is_killed_and_comes_again(server):
    square, made = squaring(server.url)
    assert square(3) == 9
    server.kill()
    # Nobody would say that it is over.
    until(lambda: not is_up(server) and square.cache_info().currsize == 0)
    assert [square(3), square(4)] == [9, 16]
    assert made == [3, 3, 4]
    server.begin()
    until(lambda: is_up(server))
    assert square(3) == 9
    assert made == [3, 3, 4, 3]
    # And messages come.
    server.client().flushall()
    until(lambda: square.cache_info().currsize == 0)


def test_a_server_that_stands_still(server, impatient):
    square, made = squaring(server.url)
    square(1)
    server.signal(signal.SIGSTOP)
    errors = square.cache_stats().remote_errors
    assert [square(number) for number in range(2, 40)] == [n * n for n in range(2, 40)]
    assert made == list(range(1, 40))
    # Only those that asked before it was known.
    assert 1 <= square.cache_stats().remote_errors - errors <= 3
    until(lambda: not is_up(server))
    with pytest.raises(ConnectionError):
        square.cache_discard(1)
    server.signal(signal.SIGCONT)
    until(lambda: is_up(server))
    assert is_shared(square)


def test_a_server_that_stands_still_while_it_is_asked(server, impatient):
    """The call that waits for an answer computes."""
    square, made = squaring(server.url)
    square(1)
    square.cache_clear(shared=False)
    server.signal(signal.SIGSTOP)
    assert square(1) == 1
    assert made == [1, 1]
    assert square.cache_stats().remote_errors == 1


def test_connections_that_the_server_closes(server):
    square, _made = squaring(server.url)
    assert square(5) == 25
    square.cache_clear(shared=False)
    link = _shared_link._links[server.url]
    listening = {link._listener_id}
    client = server.client()
    mine = client.client_id()
    for each in client.client_list():
        if int(each["id"]) not in (*listening, mine):
            client.client_kill_filter(_id=each["id"])
    # Whether the one for reading or the one for writing is noticed first: it is right.
    assert square(5) == 25
    until(lambda: link.is_up and link._listener_id not in listening)
    assert is_shared(square)


@pytest.mark.parametrize(
    "answer",
    [
        b"\x00\xff\xfe\r\n",
        b"$5\r\nab",
        b"$-7\r\n",
        b"*99999999999\r\n",
        b"*-1\r\n",
        b":x\r\n",
        b"+OK\r\n",
        b"+OK\r\n" * 7,
        b":1\r\n",
        b"-ERR no\r\n",
        b"*" + b"1\r\n*" * 5000,
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        None,
    ],
    ids=lambda answer: repr(answer)[:16],
)
def test_a_server_that_answers_rubbish(rubbish, answer, impatient):
    server = rubbish(answer)
    square, _made = squaring(server.url)
    assert [square(2), square(3)] == [4, 9]
    assert not is_up(server)


@pytest.mark.parametrize("rubbish", [b"", b"x", b"hst1", b"hst1" + b"\0" * 8 + b"{", b"\xff" * 99])
def test_rubbish_where_a_result_should_be(server, rubbish):
    square, made = squaring(server.url)
    square(3)
    [key] = server.names()
    client = server.client()
    client.set(key, rubbish)
    until(lambda: square.cache_info().currsize == 0)
    assert square(3) == 9
    assert made == [3, 3]
    assert client.get(key) not in (rubbish, None)
    assert square.cache_stats().remote_errors == (2 if rubbish else 0)


def test_something_else_where_a_result_should_be(server):
    square, made = squaring(server.url)
    square(3)
    [key] = server.names()
    client = server.client()
    client.delete(key)
    client.lpush(key, 1)
    assert square(3) == 9
    assert made == [3, 3]


@pytest.mark.filterwarnings("always:shared cache:RuntimeWarning")
def test_a_server_that_is_full(server):
    square, made = squaring(server.url)
    square(1)
    server.client().config_set("maxmemory", "1")
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        assert [square(number) for number in (1, 2, 2, 3)] == [1, 4, 4, 9]
    assert [
        ("refuses" in str(warning.message))
        for warning in seen
        if warning.category is RuntimeWarning
    ] == [True]
    assert made == [1, 2, 3], "kept here all the same"
    assert square.cache_discard(1) is True, "that much can be done"
    assert square(1) == 1
    server.client().config_set("maxmemory", "0")
    square.cache_clear(shared=False)
    square(2)
    assert len(server.names()) == 1


def test_a_server_that_only_reads(server):
    square, made = squaring(server.url)
    square(1)
    server.client().replicaof("127.0.0.1", "1")
    square.cache_clear(shared=False)
    assert [square(1), square(2)] == [1, 4]
    assert made == [1, 2]
    with pytest.raises(ConnectionError, match="read only"):
        square.cache_clear()


def test_a_password_that_is_missing(server):
    server.client().config_set("requirepass", "secret")
    square, _made = squaring(server.url)
    assert [square(1), square(2)] == [1, 4]
    assert not is_up(server)


def test_a_server_that_may_not_be_listened_to(server):
    client = server.client()
    client.acl_setuser("poor", enabled=True, passwords=["+x"], keys=["*"], categories=["+@all"])
    square, _made = squaring(f"unix://poor:x@{server.socket}")
    assert [square(1), square(2)] == [1, 4]
    link = _shared_link._links.pop(f"unix://poor:x@{server.socket}")
    assert not link.is_up
    link.end()


def test_nothing_listens_there():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"redis://127.0.0.1:{taken.getsockname()[1]}/0"
    square, _made = squaring(url)
    assert [square(1), square(2)] == [1, 4]
    _shared_link._links.pop(url).end()


def test_a_failing_program_is_told_of_no_warning(server):
    """With warnings as errors, nothing but what the function answers comes of a call."""
    server.kill()
    square, _made = squaring(server.url)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert square(3) == 9


def test_values_with_code_of_their_own(server):
    """What goes because of a message may call the cache."""

    class Noisy:
        def __del__(self):
            square(11)
            square.cache_discard(12)

    noisy, made = [], []

    @cache(shared=server.url, version="1")
    def make(number):
        made.append(number)
        return Noisy()

    square, _ = squaring(server.url)
    for number in range(5):
        make(number)
    link = _shared_link._links[server.url]
    server.client().flushall()
    until(lambda: make.cache_info().currsize == 0)
    for number in range(5):
        make(number)
    make.cache_clear()
    server.kill()
    until(lambda: not link.is_up)
    assert square(3) == 9
    assert noisy == []


PROGRAM = """
import sys, threading, os, gc, warnings
from hasten.functools import cache
@cache(shared=sys.argv[1])
def square(number):
    return number * number
{}
"""


@pytest.mark.parametrize(
    "ending",
    [
        "print(square(3))",
        "print(square(3)); sys.exit(0)",
        "print(square(3)); sys.stdout.flush(); os._exit(0)",
        "print(square(3)); del square; gc.collect()",
        # A thread that goes on after the main one.
        "import time\nthreading.Thread(target=lambda: (time.sleep(0.1), print(square(3)))).start()",
        "import atexit\natexit.register(lambda: print(square(3)))\nsquare(3)",
        "class Late:\n    def __del__(self): print(square(3))\nlate = Late()\nsquare(4)",
        "import atexit\natexit.register(lambda: print(square(3)))",
    ],
    ids=["end", "exit", "_exit", "collected", "thread", "atexit", "destructor", "first in atexit"],
)
def test_the_end_of_a_program(server, ending):
    if ending.startswith("import atexit"):
        server.kill()
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM.format(ending), server.url],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("9\n", "", 0)


def test_without_the_package(tmp_path):
    (tmp_path / "redis.py").write_text("raise ImportError('none')")
    code = "from hasten.functools import cache\ncache(shared='redis://x')(lambda a: a)(1)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(tmp_path)},
    )
    assert done.returncode == 1
    assert done.stderr.endswith(
        "ImportError: shared= wants the package redis: pip install 'hasten[shared]'\n"
    )


def test_an_interpreter_within_another(server):
    """It has a thread of its own, which does not keep it from ending."""
    code = """
        from hasten._shared import server as _shared_server
        from hasten.functools import cache

        _shared_server.CONNECT_S = _shared_server.ANSWER_S = 20.0

        @cache(shared="URL", namespace="within", version="1")
        def square(number):
            return number * number

        assert [square(3), square(3)] == [9, 9]
        assert square.cache_stats().remote_misses == 1
    """
    run_isolated(textwrap.dedent(code).replace("URL", server.url))
    assert server.names() == [b"hasten:within:1:i3."]


def test_an_interpreter_without_threads(server, monkeypatch):
    def refuse(self):
        raise RuntimeError("no threads here")

    square, made = squaring(server.url)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        assert [square(3), square(3)] == [9, 9]
    assert made == [3, 3], "nobody would say that it is over"
    assert square.cache_info().currsize == 0


def test_threads_while_the_server_comes_and_goes(server):
    square, _made = squaring(server.url)
    wrong = []
    over = threading.Event()

    def ask(seed):
        number = seed
        while not over.is_set():
            number = (number * 7 + 1) % 50
            if square(number) != number * number:
                wrong.append(number)

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(2):
        until(lambda: is_up(server))
        server.client().flushall()
        server.kill()
        until(lambda: not is_up(server))
        server.begin()
    over.set()
    for thread in threads:
        thread.join()
    assert wrong == []
