# SPDX-License-Identifier: MIT
"""Sequences of keys that programs might ask a cache for, the same on every machine, and how
often any cache could have had them: what the policies of caches are measured on."""

import heapq
import itertools
import random

KEYS = 10_000


def zipf(rng, skew, keys, length):
    """Keys of which the nth is asked for as 1 / n ** skew."""
    weights = list(itertools.accumulate(1 / (rank + 1) ** skew for rank in range(keys)))
    return rng.choices(range(keys), cum_weights=weights, k=length)


def traces(length):
    """(title, keys) of each; the title tells what is asked for."""
    for skew in (0.7, 0.9, 1.1):
        yield f"zipf {skew}", zipf(random.Random(1), skew, KEYS, length)
    scan = zipf(random.Random(2), 0.9, KEYS, length // 2)
    yield (
        "zipf 0.9, and scans",
        [key for i, key in enumerate(scan) for key in (key, KEYS + i % (3 * KEYS))],
    )
    yield "a loop of 1,500", [i % 1500 for i in range(length)]
    shift = zipf(random.Random(3), 0.9, KEYS, length)
    yield "zipf 0.9, shifting", [(key + i // 2000 * 100) % KEYS for i, key in enumerate(shift)]


def optimum(trace, size):
    """Hits where what is needed last goes (Belady)."""
    later, following = {}, [0] * len(trace)
    for i in range(len(trace) - 1, -1, -1):
        following[i] = later.get(trace[i], len(trace))
        later[trace[i]] = i
    kept, order, found = {}, [], 0
    for i, key in enumerate(trace):
        if key in kept:
            found += 1
        elif len(kept) == size:
            while True:
                when, candidate = heapq.heappop(order)
                if kept.get(candidate) == -when:
                    break
            # It may be that the new one is needed last of all.
            if -when < following[i]:
                heapq.heappush(order, (when, candidate))
                continue
            del kept[candidate]
        kept[key] = following[i]
        heapq.heappush(order, (-following[i], key))
    return found
