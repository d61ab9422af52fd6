# SPDX-License-Identifier: MIT
"""Short calls of many kinds whose every possible stack is known.

Made to catch a sampler that mixes two moments into one stack: functions are called for
some 50 ns in turn, at the same depth, by callers that never call the other's callees.

Truth: `TREE` has every path of function names below `main`, and a comment `# calls:`
names who may be called from a line. oracle_judge.py says what is wrong with a stack.
Usage: oracle.py [SECONDS]
"""

import time

from telling import seconds_asked, tell

TRUTH = {"kind": "oracle"}


def levels(names, tree=None):
    """{"a": {"b": {"c": tree}}} for ("a", "b", "c")."""
    tree = tree or {}
    for name in reversed(names):
        tree = {name: tree}
    return tree


SQUARES = {"square": {}}
TREE = {
    "alternating": {"alpha": {"alpha_leaf": {}}, "beta": {"beta_leaf": {}}, "gamma": {}},
    "left": {"shared": {"only_left": {"deep_left": {}}}},
    "right": {"shared": {"only_right": {"deep_right": {}}}},
    "properties": {"width": {"measure": {}}, "height": {"estimate": {}}},
    "keys": {"by_first": {}, "by_last": {"reverse": {}}, "<listcomp>": {}},
    "streams": {"numbers": {"produce": {}}, "letters": {"spell": {}, "numbers": {"produce": {}}}},
    "comprehensions": {**SQUARES, "<listcomp>": SQUARES, "<genexpr>": {"cube": {}}},
    "living": {"__init__": {"fill": {}}, "__del__": {"bury": {}}},
    "decorated": {"wrapper": {"plain": {}, "fancy": {}}},
    "chain": levels(("one", "two", "three", "four", "five", "six")),
    "ping_pong": levels(("ping", "pong") * 4),
    "operators": {"__add__": {"plus": {}}, "__getitem__": {"item": {}}, "__getattr__": {}},
}
LIBRARY = {"tell", "seconds_asked"}  # what main calls in other files
BEFORE_MAIN = {"<module>", "decorate", "levels", "Box", "Living", "Number"}


def alpha_leaf():
    return 1


def beta_leaf():
    return 2


def alpha():
    return alpha_leaf()  # calls: alpha_leaf


def beta():
    return beta_leaf()  # calls: beta_leaf


def gamma():
    return 3


def alternating():
    for _ in range(40):
        alpha()  # calls: alpha
        beta()  # calls: beta
        gamma()  # calls: gamma


def deep_left():
    return 1


def deep_right():
    return 2


def only_left():
    return deep_left()  # calls: deep_left


def only_right():
    return deep_right()  # calls: deep_right


def shared(callee):
    return callee()  # calls: only_left, only_right


def left():
    for _ in range(20):
        shared(only_left)  # calls: shared


def right():
    for _ in range(20):
        shared(only_right)  # calls: shared


def measure():
    return 5


def estimate():
    return 6


class Box:
    @property
    def width(self):
        return measure()  # calls: measure

    @property
    def height(self):
        return estimate()  # calls: estimate


def properties():
    box = Box()
    for _ in range(20):
        _ = box.width  # calls: width
        _ = box.height  # calls: height


def by_first(pair):
    return pair[0]


def reverse(pair):
    return pair[1]


def by_last(pair):
    return reverse(pair)  # calls: reverse


def keys():
    pairs = [(index * 7 % 11, index) for index in (1, 2, 3, 4, 5, 6, 7, 8)]  # calls: <listcomp>
    sorted(pairs, key=by_first)  # calls: by_first
    sorted(pairs, key=by_last)  # calls: by_last


def produce(index):
    return index


def spell(index):
    return "abcdefgh"[index]


def numbers():
    for index in range(6):
        yield produce(index)  # calls: produce


def letters():
    for index in numbers():  # calls: numbers
        yield spell(index)  # calls: spell


def streams():
    for _ in numbers():  # calls: numbers
        pass
    for _ in letters():  # calls: letters
        pass


def square(value):
    return value * value


def cube(value):
    return value * value * value


def comprehensions():
    values = [square(value) for value in (1, 2, 3, 4, 5, 6)]  # calls: square, <listcomp>
    return sum(cube(value) for value in values)  # calls: <genexpr>, cube


def fill():
    return 1


def bury():
    return 2


class Living:
    def __init__(self):
        self.value = fill()  # calls: fill

    def __del__(self):
        bury()  # calls: bury


def living():
    for _ in range(10):
        being = Living()  # calls: __init__
        being = None  # calls: __del__
    return being


def decorate(function):
    def wrapper(value):
        return function(value)  # calls: plain, fancy

    return wrapper


@decorate
def plain(value):
    return value


@decorate
def fancy(value):
    return -value


def decorated():
    for value in range(10):
        plain(value)  # calls: wrapper
        fancy(value)  # calls: wrapper


def six():
    return 6


def five():
    return six()  # calls: six


def four():
    return five()  # calls: five


def three():
    return four()  # calls: four


def two():
    return three()  # calls: three


def one():
    return two()  # calls: two


def chain():
    for _ in range(8):
        one()  # calls: one


def ping(depth):
    if depth:
        return pong(depth - 1)  # calls: pong
    return 0


def pong(depth):
    if depth:
        return ping(depth - 1)  # calls: ping
    return 1


def ping_pong():
    for _ in range(6):
        ping(7)  # calls: ping


def plus():
    return 1


def item():
    return 2


class Number:
    def __add__(self, other):
        return plus()  # calls: plus

    def __getitem__(self, index):
        return item()  # calls: item

    def __getattr__(self, name):
        return name


def operators():
    number = Number()
    for _ in range(10):
        number + 1  # calls: __add__
        number[1]  # calls: __getitem__
        _ = number.missing  # calls: __getattr__


def main():
    end = seconds_asked() + time.perf_counter()  # calls: seconds_asked
    rounds = 0
    while time.perf_counter() < end:
        rounds += 1
        alternating()  # calls: alternating
        left()  # calls: left
        right()  # calls: right
        properties()  # calls: properties
        keys()  # calls: keys
        streams()  # calls: streams
        comprehensions()  # calls: comprehensions
        living()  # calls: living
        decorated()  # calls: decorated
        chain()  # calls: chain
        ping_pong()  # calls: ping_pong
        operators()  # calls: operators
    tell(rounds=rounds)  # calls: tell


if __name__ == "__main__":
    main()
