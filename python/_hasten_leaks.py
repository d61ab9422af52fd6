# SPDX-License-Identifier: MIT
"""Watches this program for leaks: what `hasten run --leaks` asks for.

hasten-dropin.pth calls start() when Python starts with HASTEN_LEAKS set. Its value is
`WHEN:FOLDER`: after how many seconds each a mark is made, or at each return of which
function (`module.name:function`), and where to write what is found. The word `check` only
asks whether watching would work here. Programs that the program starts inherit the variable
and so are watched too; each writes a file of its own.
"""

import os
import sys

VARIABLE = "HASTEN_LEAKS"
# A report is also written when a mark's number doubles, from this on: a program that is
# killed leaves that.
FIRST_REPORT = 8


def is_usable():
    """Whether start() found what it needs."""
    return "hasten._leaks" in sys.modules


class _Watching:
    def __init__(self, when, folder):
        self.when = when
        self.folder = folder
        self.failed = False
        self.reset()

    def reset(self):
        """At the beginning, and in a process that was forked: its past is not its own."""
        import _thread

        self.watch = None
        self.found = False  # the file names leaks
        self.lock = _thread.allocate_lock()  # nobody waits for another's mark
        self.stop = _thread.allocate_lock()
        self.stop.acquire()
        self.next_report = FIRST_REPORT
        if ":" not in self.when:
            _thread.start_new_thread(self.mark_in_time, (self.stop, float(self.when)))

    def mark_in_time(self, stop, seconds):
        """Runs in a thread that threading does not know of."""
        while not stop.acquire(True, seconds):
            self.mark()

    def mark(self):
        if self.failed or not self.lock.acquire(False):
            return
        try:
            from hasten.leaks import Watch

            if self.watch is None:
                self.watch = Watch()
            number = self.watch.mark()
            if number == self.next_report:
                self.next_report *= 2
                self.write()
        except Exception as error:
            self.fail(error)
        finally:
            self.lock.release()

    def write(self):
        import json

        if not os.path.isdir(self.folder):
            self.failed = True  # the program ended, and this process goes on
            return
        found = self.watch.report()
        if self.found and not found:
            return  # what functions held is gone now that they have ended
        self.found = bool(found)
        path = os.path.join(self.folder, f"{os.getpid()}.part")
        with open(path + ".new", "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"{found.text()}\n\f{json.dumps(found.as_dict())}\n")
        os.replace(path + ".new", path)

    def fail(self, error):
        """Said once; the program goes on."""
        self.failed = True
        print(f"hasten: leaks are not watched any more: {error!r}", file=sys.stderr)

    def finish(self):
        """At exit: once more, now that what is left is what was kept."""
        if self.stop.locked():
            self.stop.release()
        if self.failed or self.watch is None or not self.lock.acquire(True, 10):
            return
        try:
            self.write()
        except Exception as error:
            self.fail(error)

    def watch_returns(self, module, name):
        """Each function is looked at when it is first called, and then no more."""
        monitoring = sys.monitoring
        free = [number for number in (4, 3, 1) if monitoring.get_tool(number) is None]
        if not free:
            self.fail(RuntimeError("other tools use sys.monitoring"))
            return
        tool = free[0]
        events = monitoring.events

        def started(code, _):
            if code.co_qualname == name and sys._getframe(1).f_globals.get("__name__") == module:
                monitoring.set_local_events(tool, code, events.PY_RETURN)
            return monitoring.DISABLE

        def returned(_, __, ___):
            self.mark()

        monitoring.use_tool_id(tool, "hasten leaks")
        monitoring.register_callback(tool, events.PY_START, started)
        monitoring.register_callback(tool, events.PY_RETURN, returned)
        monitoring.set_events(tool, events.PY_START)

    def watch_profile(self, module, name):
        """Before 3.12 there is only the profile function, which hears of every call."""
        import threading

        def profile(frame, event, _):
            code = frame.f_code
            if (
                event == "return"
                and code.co_qualname == name
                and frame.f_globals.get("__name__") == module
            ):
                self.mark()

        sys.setprofile(profile)
        threading.setprofile(profile)

    def begin(self):
        module, colon, name = self.when.partition(":")
        if colon and hasattr(sys, "monitoring"):
            self.watch_returns(module, name)
        elif colon:
            self.watch_profile(module, name)


def start():
    try:
        from hasten import _leaks

        del _leaks
    except ImportError as error:
        print(f"hasten: cannot watch {sys.executable}: {error}", file=sys.stderr)
        return
    value = os.environ[VARIABLE]
    if value == "check":
        return
    when, folder = value.split("\t", 1)
    if not os.path.isdir(folder):
        return
    import atexit

    watching = _Watching(when, folder)
    watching.begin()
    atexit.register(watching.finish)
    os.register_at_fork(after_in_child=watching.reset)
