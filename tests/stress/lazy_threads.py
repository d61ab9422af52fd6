# SPDX-License-Identifier: MIT
"""Threads that use one lazy object that is not there yet, all at once, round after round: its
factory runs once, and all of them get what it made. Every tenth factory fails at first.

Usage: lazy_threads.py THREADS ROUNDS
"""

import sys
import threading
import time

from hasten import lazy


def factory_of(number, made):
    """What is to be made in a round; `made` counts how often it was tried."""

    def factory():
        made[number] += 1
        if number % 7 == 0:
            time.sleep(0)  # somebody else's turn
        if number % 10 == 0 and made[number] == 1:
            raise ConnectionError(number)
        return [number]

    return factory


def main(threads, rounds):
    made, failures, wrong = [0] * rounds, [0] * threads, []
    kinds = (lazy.Proxy, type("Sub", (lazy.Proxy,), {}), lazy.resource)
    current = []
    barrier = threading.Barrier(threads)

    def use(index):
        for number in range(rounds):
            if barrier.wait() == 0:
                current[:] = [kinds[number % len(kinds)](factory_of(number, made))]
            barrier.wait()
            proxy = current[0]
            try:
                value = proxy[0]
            except ConnectionError:
                failures[index] += 1
                value = proxy[0]
            if value != number or lazy.resolve(proxy) is not lazy.resolve(current[0]):
                wrong.append((index, number, value))

    workers = [threading.Thread(target=use, args=(index,)) for index in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    expected = [2 if number % 10 == 0 else 1 for number in range(rounds)]
    assert not wrong, wrong[:10]
    assert made == expected, [n for n in range(rounds) if made[n] != expected[n]][:10]
    assert sum(failures) == len(range(0, rounds, 10)), failures
    print(f"{threads} threads, {rounds} rounds: each object was made once")


if __name__ == "__main__":
    sys.setswitchinterval(1e-5)
    main(*map(int, sys.argv[1:]))
