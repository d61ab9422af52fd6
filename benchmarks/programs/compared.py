# SPDX-License-Identifier: MIT
"""Programs that are compared with themselves, and work whose amount is known."""

import json

WORDS = [f"word{number % 97}" for number in range(400)]
RECORDS = json.dumps([{"id": number, "name": f"n{number}"} for number in range(40)])


def units(count):
    """Work that is counted: `count` steps, and nothing else worth mentioning."""
    total = 0
    for step in range(count):
        total += step & 7
    return total


def counting():
    return units(2000)


def dictionaries():
    counts = {}
    for word in WORDS:
        counts[word] = counts.get(word, 0) + 1
    return counts


def parsing():
    return len(json.loads(RECORDS))


def sorting():
    return sorted(WORDS, key=len)[0]


def objects():
    return sum(len(pair) for pair in [(number, str(number)) for number in range(300)])
