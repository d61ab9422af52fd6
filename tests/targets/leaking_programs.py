"""Programs that leak, each in one of the classic ways, and programs that only look like it.

Each is the text of a module named app with a function step(i). Of what leaks, the chain
of holders is told, as a regular expression.
"""

LEAKS = {}
DECOYS = {}


def leak(chain, kind):
    def keep(function):
        LEAKS[function.__name__] = (function.__doc__, chain, kind)

    return keep


def decoy(function):
    DECOYS[function.__name__] = function.__doc__


@leak(r"app\.history\[\d+\]", "list")
def module_list():
    """
history = []
def step(i):
    history.append(bytes(1000))
"""


@leak(r"app\.cache\['user\d+'\]\.payload", "dict")
def module_dict():
    """
cache = {}
class Session:
    def __init__(self):
        self.payload = bytes(1000)
def step(i):
    cache[f"user{i}"] = Session()
"""


@leak(r"app\.cache\['k'\]\.items\[\d+\]", "list")
def nested_list():
    """
class Box:
    def __init__(self):
        self.items = []
cache = {"k": Box()}
def step(i):
    cache["k"].items.append(bytes(1000))
"""


@leak(r"app\.Service\.compute \(lru_cache\) -> args\[0\]\.data", "lru_cache on a method")
def cached_method():
    """
import functools
class Service:
    def __init__(self):
        self.data = bytes(1000)
    @functools.lru_cache(maxsize=None)
    def compute(self, n):
        return n
def step(i):
    Service().compute(i)
"""


@leak(r"app\.Service\.compute \(lru_cache\) -> args\[0\]\.data", "lru_cache on a method")
def bounded_cached_method():
    """
import functools
class Service:
    def __init__(self):
        self.data = bytes(1000)
    @functools.lru_cache
    def compute(self, n):
        return n
def step(i):
    Service().compute(i)
"""


@leak(r"app\.Service\.compute \(lru_cache\) -> args\[0\]", "lru_cache on a method")
def bounded_cached_method_with_results():
    """
import functools
class Service:
    @functools.lru_cache
    def compute(self, n):
        return bytes(2000)
def step(i):
    Service().compute(i)
"""


@leak(r"app\.render \(lru_cache\) -> result", "lru_cache")
def unbounded_cache():
    """
import functools
@functools.lru_cache(maxsize=None)
def render(n):
    return bytes(1000 + n)
def step(i):
    render(i)
"""


@leak(r"app\.callbacks\[\d+\]\.__closure__ \(data\)", "closure")
def closure():
    """
callbacks = []
def make(i):
    data = bytes(1000)
    def callback():
        return len(data)
    return callback
def step(i):
    callbacks.append(make(i))
"""


@leak(r"app\.bus\.listeners\['change'\]\[\d+\]\.__self__\.view", "bound method")
def listener():
    """
class Bus:
    def __init__(self):
        self.listeners = {"change": []}
bus = Bus()
class Widget:
    def __init__(self):
        self.view = bytes(1000)
        bus.listeners["change"].append(self.changed)
    def changed(self):
        pass
def step(i):
    Widget()
"""


@leak(r"app\.errors\[\d+\]\.__traceback__(\.tb_next)*\.tb_frame \(local data of work\(\)\)", "traceback")
def traceback():
    """
errors = []
def work():
    data = bytes(1000)
    raise ValueError(len(data))
def step(i):
    try:
        work()
    except ValueError as error:
        errors.append(error)
"""


@leak(r"\(only itself\) app\.Node.*-> itself", "cycle")
def cycle_with_finalizer():
    """
import gc
gc.disable()
class Node:
    def __init__(self):
        self.me = self
        self.data = bytes(1000)
    def __del__(self):
        pass
def step(i):
    Node()
"""


@leak(r"app\.graveyard\[\d+\]\.data", "list")
def resurrection():
    """
import gc
graveyard = []
class Node:
    def __init__(self):
        self.me = self
        self.data = bytes(1000)
    def __del__(self):
        graveyard.append(self)
def step(i):
    Node()
    gc.collect()
"""


@leak(r"app\.Handler\.seen\[\d+\]", "class attribute")
def class_attribute():
    """
class Handler:
    seen = []
    def handle(self, request):
        self.seen.append(request)
def step(i):
    Handler().handle(bytes(1000))
"""


@leak(r"app\.local \(of a thread\)\.buffers\[\d+\]", "thread-local")
def thread_local():
    """
import threading
local = threading.local()
def step(i):
    if not hasattr(local, "buffers"):
        local.buffers = []
    local.buffers.append(bytes(1000))
"""


@leak(r"app\.pending\[\d+\] \(local chunk of produce\(\)\)", "generator")
def generator():
    """
pending = []
def produce():
    chunk = bytes(1000)
    yield len(chunk)
    yield chunk
def step(i):
    one = produce()
    next(one)
    pending.append(one)
"""


@leak(r"app\.waiting\[\d+\] \(local body of request\(\)\)", "generator")
def coroutine():
    """
import types
waiting = []
@types.coroutine
def forever():
    yield
async def request():
    body = bytes(1000)
    await forever()
    return body
def step(i):
    one = request()
    one.send(None)
    waiting.append(one)
"""


@leak(r"\(context of thread \d+\)\.ContextVar\('trail'\)\[\d+\]", "context variable")
def context_variable():
    """
import contextvars
def install():
    contextvars.ContextVar("trail").set([])
install()
def step(i):
    for variable, value in contextvars.copy_context().items():
        if variable.name == "trail":
            value.append(bytes(1000))
"""


@leak(r"app\.references\[\d+\]\.__callback__\.__closure__ \(data\)", "weakref callback")
def weakref_callback():
    """
import weakref
references = []
class Thing:
    pass
kept = Thing()
def step(i):
    data = bytes(1000)
    def gone(reference):
        return data
    references.append(weakref.ref(kept, gone))
"""


@leak(r"app\.seen \(member\)", "set")
def module_set():
    """
seen = set()
def step(i):
    seen.add(f"{i:>1000}")
"""


@leak(r"app\.log\[\d+\]", "deque")
def unbounded_deque():
    """
import collections
log = collections.deque()
def step(i):
    log.append(bytes(1000))
"""


@leak(r"app\.index\['\d+'\]\[\d+\]", "list")
def lists_of_a_dict():
    """
index = {str(n): [] for n in range(20)}
def step(i):
    for items in index.values():
        items.append(bytes(1000))
"""


@leak(r"app\.visits \(key <app\.Session>\)\.data", "dict")
def keyed_by_objects():
    """
visits = {}
class Session:
    def __init__(self):
        self.data = bytes(1000)
def step(i):
    visits[Session()] = i
"""


@leak(r"app\.serve\(\): done\[\d+\]", "local variable")
def running_function():
    """
import threading
turn, taken = threading.Semaphore(0), threading.Semaphore(0)
def serve():
    done = []
    while True:
        turn.acquire()
        done.append(bytes(1000))
        taken.release()
threading.Thread(target=serve, daemon=True).start()
def step(i):
    turn.release()
    taken.acquire()
"""


@leak(r"app\.trail\[\d+\]|app\.trail", "list")
def replaced_by_larger():
    """
trail = []
def step(i):
    global trail
    trail = trail + [bytes(1000)]
"""


@leak(r"app\.log", "other")
def growing_bytes():
    """
log = bytearray()
def step(i):
    log.extend(b"x" * 3000)
"""


@leak(r"app\.Slotted\.all\[\d+\]\.data", "class attribute")
def slots():
    """
class Slotted:
    __slots__ = ("data", "__weakref__")
    all = []
    def __init__(self):
        self.data = bytes(1000)
        self.all.append(self)
def step(i):
    Slotted()
"""


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
