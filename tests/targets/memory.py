# SPDX-License-Identifier: MIT
"""Allocates known amounts of memory at known places, in one of many ways.

Each function says how much it allocates in its line marked `# counted`, where nothing else
is allocated: `TOLD[name]` is [bytes allocated, bytes of them alive at the end, blocks
allocated]. Of native memory that is what C functions ask for there; Python's own comes beside
it. The last line printed is all of that as JSON.
Usage: memory.py KIND [ARGUMENT]
"""

import ctypes
import gc
import json
import mmap
import os
import resource
import signal
import subprocess
import sys
import threading
import time
import warnings

KEPT: list[object] = []
TOLD: dict[str, object] = {}

libc = ctypes.CDLL(None, use_errno=True)
for name in ("malloc", "calloc", "realloc", "aligned_alloc", "memalign"):
    getattr(libc, name).restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.calloc.argtypes = [ctypes.c_size_t] * 2
libc.realloc.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
libc.aligned_alloc.argtypes = libc.memalign.argtypes = [ctypes.c_size_t] * 2
libc.posix_memalign.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]

# The bytes to ask for so that the whole object is that large.
SIZES = (64, 512, 1000, 2000, 3000, 4096, 5000, 10000, 65536, 100000, 1048576)
OF = {size: size - bytes.__basicsize__ for size in SIZES}


def told(name, allocated, alive, blocks):
    TOLD[name] = [allocated, alive, blocks]


def blocks_of(size, count):
    for _ in range(count):
        bytes(size)  # counted


# Sizes: the functions are alike, so that each has a line of its own.
def of_16_bytes(count):
    for _ in range(count):
        object()  # counted


def of_64_bytes(count):
    for _ in range(count):
        bytes(OF[64])  # counted


def of_512_bytes(count):
    for _ in range(count):
        bytes(OF[512])  # counted


def of_4096_bytes(count):
    for _ in range(count):
        bytes(OF[4096])  # counted


def of_65536_bytes(count):
    for _ in range(count):
        bytes(OF[65536])  # counted


def of_1048576_bytes(count):
    for _ in range(count):
        bytes(OF[1048576])  # counted


def sizes(total):
    for size in (16, 64, 512, 4096, 65536, 1048576):
        count = int(total) // size
        globals()[f"of_{size}_bytes"](count)
        told(f"of_{size}_bytes", count * size, 0, count)


# Exactly: what lives, what is freed, what was there at the peak.
def keeps():
    for _ in range(1000):
        KEPT.append(
            bytes(OF[1000])  # counted
        )


def throws_away():
    for _ in range(5000):
        bytes(OF[2000])  # counted


def is_there_at_the_peak():
    kept = []
    for _ in range(500):
        kept.append(
            bytes(OF[100_000])  # counted
        )
    return kept


def lives(_):
    keeps()
    told("keeps", 1000 * 1000, 1000 * 1000, 1000)
    throws_away()
    told("throws_away", 5000 * 2000, 0, 5000)
    peak = is_there_at_the_peak()
    told("is_there_at_the_peak", 500 * 100_000, 0, 500)
    del peak


# Memory that is not Python's, asked for without the GIL.
def c_malloc():
    for _ in range(200):
        KEPT.append(libc.malloc(10_000))  # counted


def c_calloc():
    for _ in range(100):
        libc.free(libc.calloc(10, 3000))  # counted


def c_realloc():
    block = None
    for size in range(10_000, 210_000, 10_000):
        block = libc.realloc(block, size)  # counted
    libc.realloc(block, 1000)  # counted: smaller, in place


def c_aligned():
    block = ctypes.c_void_p()
    for _ in range(100):
        libc.free(libc.aligned_alloc(64, 6400))  # counted
        libc.free(libc.memalign(64, 6400))  # counted
        libc.posix_memalign(ctypes.addressof(block), 64, 6400)  # counted
        libc.free(block)


def c_nothing():
    for _ in range(50):
        libc.malloc(0)  # counted
    libc.free(None)


def c_too_much():
    for _ in range(50):
        assert libc.malloc(1 << 60) is None  # counted
        assert libc.calloc(1 << 40, 1 << 40) is None  # counted


def to_nothing():
    for _ in range(100):
        libc.realloc(libc.malloc(500), 0)  # counted


def grows_not():
    block = libc.malloc(777)  # counted
    assert libc.realloc(block, 1 << 60) is None  # the old block is still there


def maps():
    with mmap.mmap(-1, 1 << 20):  # counted
        pass
    KEPT.append(mmap.mmap(-1, 3 << 20))  # counted


def native(_):
    for function in (c_malloc, c_calloc, c_realloc, c_aligned, c_nothing, c_too_much, to_nothing,
                     grows_not, maps):
        function()
    steps = sum(range(10_000, 210_000, 10_000))
    told("native c_malloc", 2_000_000, 2_000_000, 200)
    told("native c_calloc", 3_000_000, 0, 100)
    told("native c_realloc", steps + 1000, 1000, 21)
    told("native c_aligned", 300 * 6400, 0, 300)
    told("native c_nothing", 0, 0, 50)
    told("native c_too_much", 0, 0, 0)
    told("native to_nothing", 50_000, 0, 100)
    told("native grows_not", 777, 777, 1)
    told("native maps", 4 << 20, 3 << 20, 2)


# Threads.
def in_thread(count, kept):
    for _ in range(count):
        kept.append(
            bytes(OF[5000])  # counted
        )


def frees_elsewhere(blocks):
    blocks.clear()


def threads(_):
    lists = [[] for _ in range(4)]
    workers = [
        threading.Thread(target=in_thread, args=(500, kept), name=f"worker-{number}")
        for number, kept in enumerate(lists)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    other = threading.Thread(target=frees_elsewhere, args=(lists[0],))
    other.start()
    other.join()
    KEPT.append(lists)
    told("in_thread", 2000 * 5000, 1500 * 5000, 2000)


def in_small_thread():
    for _ in range(100):
        KEPT.append(
            bytes(OF[5000])  # counted
        )
        libc.malloc(5000)


def small_stacks(_):
    # The smallest that the version takes. On the smallest that 3.14 takes it keeps objects
    # that it would free, for fear of the stack's end.
    for size in (32768, 262144):
        try:
            threading.stack_size(size)
            break
        except ValueError:
            continue
    workers = [threading.Thread(target=in_small_thread) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    told("in_small_thread", 8 * 100 * 5000, 8 * 100 * 5000, 800)


# Processes.
def in_child():
    for _ in range(300):
        KEPT.append(
            bytes(OF[10_000])  # counted
        )


def before_fork():
    for _ in range(300):
        KEPT.append(
            bytes(OF[10_000])  # counted
        )


def forks(_):
    before_fork()
    told("before_fork", 3_000_000, 3_000_000, 300)
    pids = []
    for _ in range(3):
        pid = os.fork()
        if pid == 0:
            KEPT.clear()  # what is the parent's does not count again
            in_child()
            os._exit(0)
        pids.append(pid)
    for pid in pids:
        os.waitpid(pid, 0)
    told("in_child", 9_000_000, 9_000_000, 900)
    TOLD["pids"] = pids


def forks_with_threads(_):
    warnings.simplefilter("ignore")  # 3.12 and later warn of just that
    stop = threading.Event()

    def churn():
        while not stop.is_set():
            blocks_of(3000, 100)

    workers = [threading.Thread(target=churn) for _ in range(3)]
    for worker in workers:
        worker.start()
    codes = []
    for _ in range(20):
        pid = os.fork()
        if pid == 0:
            in_child()
            os._exit(5)
        codes.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    stop.set()
    for worker in workers:
        worker.join()
    TOLD["codes"] = codes


def runs_programs(_):
    before_fork()
    told("before_fork", 3_000_000, 3_000_000, 300)
    script = "x = [bytes(9967) for _ in range(400)]"
    subprocess.run([sys.executable, "-c", script], check=True, env={})
    answer = subprocess.run(["sh", "-c", "env; exit 4"], capture_output=True, check=False)
    TOLD["sh"] = [answer.returncode, answer.stderr.decode()]
    TOLD["sees"] = [line for line in answer.stdout.decode().splitlines() if "asten" in line.lower()
                    and line.startswith(("LD_", "HASTEN_MEMORY="))]
    told("<module>", None, 4_000_000, None)


def becomes_another(argument):
    if argument != "again":
        before_fork()
        os.execv(sys.executable, [sys.executable, __file__, "becomes_another", "again"])
    in_child()
    told("before_fork", 3_000_000, 3_000_000, 300)
    told("in_child", 3_000_000, 3_000_000, 300)


# Ends.
def ends(how):
    keeps()
    told("keeps", 1_000_000, 1_000_000, 1000)
    print(json.dumps(TOLD), flush=True)
    if how == "exit_now":
        os._exit(3)
    if how == "kill":
        time.sleep(0.7)
        blocks_of(20_000, 300)  # what is due is written with the next samples
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "exception":
        raise ValueError("the end")
    if how == "daemon":
        threading.Thread(target=native_for_ever, daemon=True).start()
        time.sleep(0.1)
        os.write(1, b"")
    raise SystemExit(0)


def native_for_ever():
    while True:
        libc.free(libc.malloc(100_000))


# What is the program's stays the program's.
def closes_descriptors(folder):
    for turn in range(8):
        os.closerange(3, 256)
        files = [open(os.path.join(folder, f"own-{turn}-{n}"), "wb") for n in range(20)]
        for _ in range(10):
            blocks_of(30_000, 200)
            time.sleep(0.02)
        for file in files:
            file.write(b"own")
            file.close()
    TOLD["sizes"] = sorted({os.path.getsize(os.path.join(folder, n)) for n in os.listdir(folder)})


def has_no_room(_):
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    for _ in range(15):
        blocks_of(30_000, 300)
        time.sleep(0.05)


def goes_deep(_):
    def down(level):
        if level > 0:
            down(level - 1)
        else:
            keeps()

    sys.setrecursionlimit(20_000)
    down(3000)
    told("keeps", 1_000_000, 1_000_000, 1000)


def yields(count):
    for _ in range(count):
        KEPT.append(
            bytes(OF[3000])  # counted
        )
        yield


def generators(_):
    for _ in yields(500):
        pass
    sum(1 for _ in yields(500))
    told("yields", 3_000_000, 3_000_000, 1000)


def subinterpreters(_):
    for module in ("_interpreters", "_xxsubinterpreters"):
        try:
            interpreters = __import__(module)
            break
        except ImportError:
            continue
    code = (
        "def inside():\n"
        "    return [bytes(8000 - bytes.__basicsize__) for _ in range(500)]\n"
        "kept = inside()\n"
        "del kept\n"
    )
    run = getattr(interpreters, "run_string", None) or interpreters.exec
    for _ in range(2):
        interpreter = interpreters.create()
        run(interpreter, code)
        interpreters.destroy(interpreter)
    told("inside", 2 * 500 * 8000, 0, 1000)
    keeps()
    told("keeps", 1_000_000, 1_000_000, 1000)


if __name__ == "__main__":
    gc.disable()
    globals()[sys.argv[1]](sys.argv[2] if len(sys.argv) > 2 else None)
    print(json.dumps(TOLD))
