"""Programs that leak, each in one of the classic ways.

Each is the text of a module named app with a function step(i). Told with it are the chain
of holders, as a regular expression, and the kind of holder.
"""

LEAKS = {}


def leak(chain, kind):
    def keep(function):
        LEAKS[function.__name__] = (function.__doc__, chain, kind)

    return keep


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
