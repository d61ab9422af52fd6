# SPDX-License-Identifier: MIT
"""What a program of pyperformance measures, without pyperf."""

import argparse
import asyncio
import os
import runpy
import sys
import time
import types


class Runner:
    """Stands in for pyperf's: notes what would be measured. The first one counts."""

    found = None

    def __init__(self, *args, **kwargs):
        self.argparser = argparse.ArgumentParser()
        self.metadata = {}

    def parse_args(self, *args):
        self.args = self.argparser.parse_args([])
        return self.args

    def bench_func(self, name, function, *args, **kwargs):
        if Runner.found is None:
            Runner.found = lambda: function(*args)

    def bench_async_func(self, name, function, *args, **kwargs):
        if Runner.found is None:
            Runner.found = lambda: asyncio.run(function(*args))

    def bench_time_func(self, name, function, *args, **kwargs):
        if Runner.found is None:
            Runner.found = lambda: function(1, *args)


def load(folder, name):
    """The function that the program of that name measures."""
    sys.modules["pyperf"] = types.SimpleNamespace(Runner=Runner, perf_counter=time.perf_counter)
    Runner.found = None
    path = os.path.join(folder, f"bm_{name}", "run_benchmark.py")
    sys.argv[:] = [path]
    names = runpy.run_path(path, run_name="__main__")
    # The namespace goes with run_path, but its functions need it.
    Runner.found.__globals__.setdefault("kept", []).append(names)
    return Runner.found
