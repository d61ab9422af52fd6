# SPDX-License-Identifier: MIT
"""The same calls of hasten's caches and of other projects', in turns: hits of a mapping, of a
method's cache, of a property and of an async function."""

import asyncio
import functools
import importlib
import subprocess
import sys
from pathlib import Path
from time import perf_counter_ns

HERE = Path(__file__).resolve().parent
TRIES = 3


def peer(name):
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def add_peers():
    """Installs what of requirements_caches.txt can be had for this interpreter, once."""
    version = "{}.{}".format(*sys.version_info)
    folder = HERE.parent / ".cache" / "peers-of-caches" / version
    wanted = (HERE / "requirements_caches.txt").read_text()
    stamp = folder / ".requirements"
    if not (stamp.exists() and stamp.read_text() == wanted):
        pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        for line in wanted.splitlines():
            if not line.startswith("#"):
                command = [*pip, "--only-binary", ":all:", "--target", str(folder), line]
                if subprocess.run(command, check=False, capture_output=True).returncode != 0:
                    print(f"{line} cannot be had for {version}", file=sys.stderr)
        folder.mkdir(parents=True, exist_ok=True)
        stamp.write_text(wanted)
    sys.path.append(str(folder))


def mappings(ours):
    made = {"hasten, Cache": ours.Cache(128)}
    if peer("lru"):
        made["lru-dict"] = peer("lru").LRU(128)
    if peer("cachetools"):
        made["cachetools"] = peer("cachetools").LRUCache(128)
    if peer("cachebox"):
        made["cachebox"] = peer("cachebox").LRUCache(128)
    for mapping in made.values():
        for number in range(10):
            mapping[number] = number
    return made


def with_method(decorate):
    class Owner:
        @decorate
        def method(self, number):
            return number

    return Owner()


def methods(ours):
    made = {
        "hasten, cached_method": with_method(ours.cached_method(maxsize=128)),
        "standard, lru_cache": with_method(functools.lru_cache(maxsize=128)),
    }
    if peer("methodtools"):
        made["methodtools"] = with_method(peer("methodtools").lru_cache(maxsize=128))
    return made


def with_property(decorate):
    class Owner:
        @decorate
        def value(self):
            return 5

    return Owner()


def properties(ours):
    made = {
        "hasten": with_property(ours.cached_property),
        "hasten, ttl": with_property(ours.cached_property(ttl=60)),
        "standard": with_property(functools.cached_property),
    }
    if peer("propcache.api"):
        made["propcache"] = with_property(peer("propcache.api").cached_property)
    return made


def coroutines(ours):
    async def function(number):
        return number

    made = {
        "hasten, cache": ours.lru_cache(maxsize=128)(function),
        "not cached": function,
    }
    if peer("async_lru"):
        made["async-lru"] = peer("async_lru").alru_cache(maxsize=128)(function)
    return made


def awaited(calls):
    async def run(function):
        begin = perf_counter_ns()
        for number in range(calls):
            await function(number % 10)
        return perf_counter_ns() - begin

    async def least(function):
        return min([await run(function) for _ in range(TRIES)]) / calls

    # One for all: async-lru forgets on another.
    loop = asyncio.new_event_loop()
    return lambda function: loop.run_until_complete(least(function))


# Title, what makes the things to measure, their call.
GROUPS = [
    ("Hit of a mapping", mappings, "f[#]"),
    ("Hit of a method whose instances have caches of their own", methods, "f.method(#)"),
    ("Hit of a cached property", properties, "f.value"),
    ("Hit of an async function, awaited", coroutines, None),
]
