# SPDX-License-Identifier: MIT
"""What a call costs whose result a server keeps for many processes (`shared=`): found in the
process, as a share of a hit of the standard lru_cache and in ns; found in the server, as a
share of one GET of redis-py for the same value. A redis-server of its own is asked, on
loopback, in turns in one process.

Usage: shared.py [--python VERSION] [--quick] [--json FILE]
"""

import argparse
import functools
import importlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from time import perf_counter_ns

from caching import COLUMNS, compared, in_turns, repeated, ten
from measuring import table, write_json
from stats import in_other_interpreter

LOCAL_NS = 100
REMOTE = 1.2
ASKED = 100
VALUE = {"name": "ann", "visits": list(range(20)), "rate": 0.5}


def start(folder):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        sys.exit("shared.py: neither redis-server nor valkey-server is installed")
    process = subprocess.Popen(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder],
        stdout=subprocess.DEVNULL,
    )
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return process, port
        except OSError:
            time.sleep(0.01)


def asked(thing):
    """ns for each call of two in turns."""
    begin = perf_counter_ns()
    for i in range(ASKED):
        thing(i & 1)
    return (perf_counter_ns() - begin) / ASKED


def local(ours, url, rounds):
    body = ten("f(#)")
    sides = {
        "standard": (repeated(body), functools.lru_cache(128)(lambda a: VALUE)),
        "hasten": (repeated(body), ours.lru_cache(128, shared=url, version="1")(lambda a: VALUE)),
        "ttl": (
            repeated(body),
            ours.lru_cache(128, shared=url, version="2", ttl=600)(lambda a: VALUE),
        ),
    }
    taken = in_turns(rounds, sides)
    rows = [
        compared("found in the process", None, taken, "hasten", "standard"),
        compared("the same, with ttl", None, taken, "ttl", "standard"),
    ]
    for row in rows:
        row[-2:] = [f"{LOCAL_NS} ns", "" if float(row[2]) <= LOCAL_NS else "missed"]
    return rows


def remote(ours, url, rounds):
    redis = importlib.import_module("redis")
    client = redis.Redis.from_url(url)
    # Room for one: each call asks the server.
    fetch = ours.lru_cache(1, shared=url, version="3")(lambda a: VALUE)
    for number in (0, 1, 0, 1):
        fetch(number)
    keys = [f"hasten:__main__.remote.<locals>.<lambda>:3:i{number}." for number in (0, 1)]
    if not all(client.get(key) for key in keys):
        sys.exit("shared.py: the results are not where they should be")
    before = fetch.cache_stats()
    taken = in_turns(
        rounds, {"get": (asked, lambda i: client.get(keys[i])), "hasten": (asked, fetch)}
    )
    after = fetch.cache_stats()
    if after.remote_hits - before.remote_hits != after.misses - before.misses:
        sys.exit("shared.py: not each call was answered by the server")
    return [compared("found in the server (one GET)", REMOTE, taken, "hasten", "get")]


def main():
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--python", metavar="VERSION")
    arguments.add_argument("--json", type=Path, metavar="FILE")
    arguments.add_argument("--quick", action="store_true", help="fewer rounds")
    given = arguments.parse_args()
    if given.python:
        return subprocess.run(in_other_interpreter(given.python), check=False).returncode
    ours = importlib.import_module("hasten.functools")
    rounds = 21 if given.quick else 101
    print(f"Python {'.'.join(map(str, sys.version_info[:3]))}, {os.cpu_count()} CPUs")
    with tempfile.TemporaryDirectory() as folder:
        server, port = start(folder)
        try:
            url = f"redis://127.0.0.1:{port}/0"
            rows = local(ours, url, rounds) + remote(ours, url, rounds)
        finally:
            importlib.import_module("hasten._shared.link").link_to(url).end()
            server.kill()
            server.wait()
    table("Cost of a call", COLUMNS, rows)
    write_json(given, "shared", None, rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
