# SPDX-License-Identifier: MIT
"""Does a fixed amount of work whenever it is told to, DEPTH calls deep.

Each line on standard input is a number of units; each answer is the wall and the CPU
time that they took, in nanoseconds. The work moves the top of the stack: short calls,
loops and returns by a few levels. With THREADS, nine of ten threads wait and the tenth
share the work. Usage: steps.py DEPTH [THREADS]
"""

import queue
import sys
import threading
import time


def add(left, right):
    return left + right


def loop(count):
    total = 0
    for index in range(count):
        total += index * index % 7
    return total


def mixed(units):
    total = 0
    for _ in range(units):
        total = add(total, loop(150))
        for index in range(20):
            total = add(total, index)
    return total


def down(levels, units):
    if levels > 4:
        return down(levels - 1, units)
    total = 0
    while units > 0:
        total += levels_three(min(units, 8))
        units -= 8
    return total


def levels_three(units):
    return levels_two(units)


def levels_two(units):
    return mixed(units)


def work_alone(depth, units):
    down(depth - 1, units)  # main is the first level


def worker(depth, requests, answers):
    while True:
        units = requests.get()
        down(depth - 1, units)
        answers.put(units)


def start_threads(depth, count):
    requests, answers, forever = queue.Queue(), queue.Queue(), threading.Event()
    workers = max(1, count // 10)
    for number in range(count - 1):
        if number < workers:
            target, arguments = worker, (depth, requests, answers)
        else:
            target, arguments = forever.wait, ()
        threading.Thread(target=target, args=arguments, name=f"thread-{number}", daemon=True).start()
    return workers, requests, answers


def main():
    depth = int(sys.argv[1])
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    if count > 1:
        workers, requests, answers = start_threads(depth, count)
    print("ready", flush=True)
    for line in sys.stdin:
        units = int(line)
        wall, cpu = time.perf_counter_ns(), time.process_time_ns()
        if count > 1:
            for _ in range(workers):
                requests.put(units // workers)
            for _ in range(workers):
                answers.get()
        else:
            work_alone(depth, units)
        print(time.perf_counter_ns() - wall, time.process_time_ns() - cpu, flush=True)


if __name__ == "__main__":
    main()
