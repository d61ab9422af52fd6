# SPDX-License-Identifier: MIT
"""Coroutines: two that compute between sleeps and one that only sleeps.

Truth: `shares` in the last line, of self time of `light` and `heavy`; `sleeper` never
runs for long. Usage: asyncio_tasks.py [SECONDS]
"""

import asyncio

from telling import Truth, seconds_asked

TRUTH = {"kind": "shares", "metric": "total"}


def compute(units):
    total = 0
    for index in range(units):
        total += index * index % 7
    return total


def light(units):
    return compute(units)


def heavy(units):
    return compute(units)


async def worker(truth, seconds, function, units):
    while truth.seconds < seconds:
        truth.call(function.__name__, function, units)
        await asyncio.sleep(0)


async def sleeper():
    while True:
        await asyncio.sleep(0.01)


async def gather(truth, seconds):
    rest = asyncio.create_task(sleeper(), name="sleeper")
    await asyncio.gather(
        worker(truth, seconds, light, 8_000), worker(truth, seconds, heavy, 24_000)
    )
    rest.cancel()


def main():
    truth = Truth()
    asyncio.run(gather(truth, seconds_asked()))
    truth.tell()


if __name__ == "__main__":
    main()
