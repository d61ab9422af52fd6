"""Programs that look as if they leaked, but keep nothing for ever.

Each is the text of a module named app with a function step(i).
"""

DECOYS = {}


def decoy(function):
    DECOYS[function.__name__] = function.__doc__


@decoy
def levelling_cache():
    """
cache = {}
def step(i):
    for n in range(5):
        cache[min(5 * i + n, 15)] = bytes(1000)
"""


@decoy
def full_lru_cache():
    """
import functools
@functools.lru_cache(maxsize=20)
def render(n):
    return bytes(1000 + n)
for n in range(20):
    render(-n)
def step(i):
    for n in range(7):
        render(7 * i + n)
"""


@decoy
def filling_lru_cache():
    """
import functools
@functools.lru_cache(maxsize=128)
def render(n):
    return bytes(1000 + n)
def step(i):
    for n in range(7):
        render(7 * i + n)
"""


@decoy
def lru_cache_of_objects():
    """
import functools
class Answer:
    def __init__(self, n):
        self.data = bytes(1000 + n)
@functools.lru_cache(maxsize=128)
def render(n):
    return Answer(n)
def step(i):
    for n in range(7):
        render(7 * i + n)
"""


@decoy
def bounded_deque():
    """
import collections
recent = collections.deque(maxlen=50)
def step(i):
    for n in range(3):
        recent.append(bytes(1000))
"""


@decoy
def pool():
    """
free = []
def step(i):
    busy = [free.pop() if free else bytearray(1000) for n in range(1 + min(i, 4))]
    free.extend(busy)
"""


@decoy
def lazy_table():
    """
table = {}
def step(i):
    for n in range(i * 4, i * 4 + 4):
        key = n * n % 13
        if key not in table:
            table[key] = bytes(1000)
"""


@decoy
def random_replacement():
    """
import random
random.seed(7)
cache = {n: bytes(1000) for n in range(40)}
def step(i):
    for n in range(6):
        del cache[random.choice(list(cache))]
        cache[1000 + 6 * i + n] = bytes(1000)
"""


@decoy
def flushed_buffer():
    """
buffer = []
def step(i):
    buffer.append(bytes(1000))
    if len(buffer) == 5:
        buffer.clear()
"""


@decoy
def replaced_state():
    """
current = None
def step(i):
    global current
    current = [bytes(1000) for n in range(20)]
"""


@decoy
def weak_values():
    """
import weakref
class Session:
    def __init__(self):
        self.data = bytes(1000)
sessions = weakref.WeakValueDictionary()
def step(i):
    session = Session()
    sessions[i] = session
"""


@decoy
def garbage_that_waits():
    """
class Node:
    def __init__(self):
        self.me = self
        self.data = bytes(1000)
def step(i):
    Node()
"""


@decoy
def lazy_imports():
    """
import importlib
NAMES = ["json", "decimal", "csv", "string", "bisect", "heapq"]
def step(i):
    importlib.import_module(NAMES[i % len(NAMES)])
"""


@decoy
def sliced_history():
    """
history = tuple(bytes(1000) for n in range(50))
def step(i):
    global history
    history = (history + (bytes(1000), bytes(1000)))[-50:]
"""


@decoy
def oldest_evicted():
    """
cache = {n: bytes(1000) for n in range(-30, 0)}
def step(i):
    for n in range(2):
        cache[2 * i + n] = bytes(1000)
        del cache[next(iter(cache))]
"""


@decoy
def worker_threads():
    """
import concurrent.futures
pool = concurrent.futures.ThreadPoolExecutor(max_workers=3)
def step(i):
    list(pool.map(len, [bytes(1000)] * 6))
"""


@decoy
def compiled_patterns():
    """
import re
PATTERNS = [f"a{{{n}}}[b-d]+" for n in range(6)]
def step(i):
    re.match(PATTERNS[i % len(PATTERNS)], "aaa")
"""


@decoy
def busy_program():
    """
import argparse, asyncio, collections, concurrent.futures, copy, dataclasses, decimal, difflib
import inspect, json, logging, os, pickle, random, re, sqlite3, textwrap, threading, traceback
import unittest.mock, urllib.parse, uuid
import xml.etree.ElementTree as ET

logging.basicConfig(level=logging.INFO, filename=os.devnull)
pool = concurrent.futures.ThreadPoolExecutor(3)
recent = collections.deque(maxlen=30)

@dataclasses.dataclass
class Item:
    name: str
    tags: list = dataclasses.field(default_factory=list)

async def work(n):
    await asyncio.sleep(0)
    one = asyncio.Queue()
    await one.put(Item(str(n), [n]))
    return await one.get()

async def serve(i):
    return await asyncio.gather(*[work(i * 10 + n) for n in range(10)])

def step(i):
    items = asyncio.run(serve(i))
    recent.extend(items)
    text = json.dumps([dataclasses.asdict(item) for item in items])
    re.sub("a%d" % i, "b", text)
    logging.getLogger("busy.%d" % (i % 4)).info("hello %s", json.loads(text))
    list(pool.map(hash, [item.name for item in items]))
    decimal.Decimal(i + 1).sqrt()
    base = sqlite3.connect(":memory:")
    base.execute("create table t(x)")
    base.executemany("insert into t values(?)", [(n,) for n in range(50)])
    base.close()
    urllib.parse.urlsplit("http://x/%d" % i)
    mock = unittest.mock.Mock()
    mock.call(i)
    mock.other.more(3)
    try:
        1 / 0
    except ZeroDivisionError as error:
        traceback.format_exception(error)
    ET.fromstring("<a>%s</a>" % "".join("<b x='%d'/>" % n for n in range(20)))
    pickle.loads(pickle.dumps(items))
    copy.deepcopy(items)
    textwrap.fill("words and words " * 20)
    list(difflib.unified_diff(["a"], ["b"]))
    uuid.uuid4()
    inspect.signature(step)
    thread = threading.Thread(target=lambda: random.random())
    thread.start()
    thread.join()
    parser = argparse.ArgumentParser()
    parser.add_argument("--x")
    parser.parse_args(["--x", "1"])
    type("C%d" % i, (Item,), {})("n")
"""
