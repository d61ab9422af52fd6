# SPDX-License-Identifier: MIT
# Functions of known class, and what makes their inputs.
import bisect
import collections
import copy
import heapq
import itertools
import json
import random
import re


def numbers(n):
    return [random.random() for _ in range(n)]


def integers(n):
    return list(range(n))


def ascending(n):
    return list(range(n)), random.randrange(n)


def shuffled_integers(n):
    found = list(range(n))
    random.shuffle(found)
    return found


def words(n):
    return ["".join(random.choices("abcdefgh", k=6)) for _ in range(n)]


def table(n):
    return {i: i for i in range(n)}


def table_and_key(n):
    return {i: i for i in range(n)}, random.randrange(n)


def set_and_absent(n):
    return set(range(n)), -1


def list_and_absent(n):
    return list(range(n)), -1


def heap(n):
    found = numbers(n)
    heapq.heapify(found)
    return found


def queue(n):
    return collections.deque(range(n))


def two_sorted(n):
    return sorted(numbers(n)), sorted(numbers(n))


def matrices(n):
    return tuple([[random.random() for _ in range(n)] for _ in range(n)] for _ in range(2))


def text(n):
    return "".join(random.choices("abcdefgh ", k=n))


def linked(n):
    node = None
    for i in range(n):
        node = (i, node)
    return (node,)


# O(1)


def length(x):
    return len(x)


def lookup(x, key):
    return x[key]


def absent_in_set(x, value):
    return value in x


def swap_ends(x):
    x[0], x[-1] = x[-1], x[0]


def popleft(x):
    return x.popleft()


def last_item(x):
    return x[-1]


# O(log n)


def bisected(x, value):
    return bisect.bisect_left(x, value)


def binary_search(x, value):
    low, high = 0, len(x)
    while low < high:
        middle = (low + high) // 2
        if x[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


def heappop(x):
    return heapq.heappop(x)


def euclid_halving(n):
    steps = 0
    while n > 1:
        n //= 2
        steps += 1
    return steps


# O(n)


def total(x):
    return sum(x)


def python_loop(x):
    found = 0
    for value in x:
        found += value
    return found


def absent_in_list(x, value):
    return value in x


def build_dict(x):
    return {value: value for value in x}


def build_set(x):
    return set(x)


def copy_dict(x):
    return x.copy()


def join_words(x):
    return "".join(x)


def reverse(x):
    return x[::-1]


def pop_first(x):
    return x.pop(0)


def count_words(x):
    return collections.Counter(x)


def merge_sorted(x, y):
    return list(heapq.merge(x, y))


def sort_sorted(x):
    return sorted(x)


def heapify(x):
    heapq.heapify(x)


def walk_linked(node):
    found = 0
    while node is not None:
        found += 1
        node = node[1]
    return found


def to_json(x):
    return json.dumps(x)


def squares_generator(n):
    return sum(i * i for i in range(n))


# O(n log n)


def sort_random(x):
    return sorted(x)


def merge_sort(x):
    if len(x) < 2:
        return x
    middle = len(x) // 2
    left, right = merge_sort(x[:middle]), merge_sort(x[middle:])
    found, i, j = [], 0, 0
    while i < len(left) and j < len(right):
        if left[i] <= right[j]:
            found.append(left[i])
            i += 1
        else:
            found.append(right[j])
            j += 1
    return found + left[i:] + right[j:]


def heap_sort(x):
    heapq.heapify(x)
    return [heapq.heappop(x) for _ in range(len(x))]


# O(n^2)


def nested_loops(x):
    found = 0
    for a in x:
        for b in x:
            found += a < b
    return found


def bubble_sort(x):
    for i in range(len(x)):
        for j in range(len(x) - 1 - i):
            if x[j] > x[j + 1]:
                x[j], x[j + 1] = x[j + 1], x[j]


def insert_first(n):
    found = []
    for i in range(n):
        found.insert(0, i)
    return found


def unique_by_list(x):
    found = []
    for value in x:
        if value not in found:
            found.append(value)
    return found


def prefix_sums_by_slices(x):
    return [sum(x[:i]) for i in range(len(x))]


# O(n^3)


def multiply(a, b):
    n = len(a)
    return [[sum(a[i][k] * b[k][j] for k in range(n)) for j in range(n)] for i in range(n)]


def triples(n):
    return sum(1 for a in range(n) for b in range(n) for c in range(n) if a < b < c)


# O(2^n)


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def subsets(n):
    return sum(1 for chosen in itertools.product((0, 1), repeat=n) if sum(chosen) == 2)


def hanoi(n, a="a", b="b", c="c"):
    return 0 if n == 0 else hanoi(n - 1, a, c, b) + 1 + hanoi(n - 1, c, b, a)


BACKTRACKING = re.compile(r"(a+)+b")


def regex(n):
    return BACKTRACKING.match("a" * n)


def deep_copy(x):
    return copy.deepcopy(x)


def concatenate(x):
    # One reference more, so that it is copied each time.
    found, kept = "", None
    for word in x:
        kept = found
        found = found + word
    return len(found), kept is None
