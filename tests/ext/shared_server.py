# SPDX-License-Identifier: MIT
"""A server of its own for tests of shared results, and one that answers rubbish."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from pathlib import Path

PROGRAM = shutil.which("redis-server") or shutil.which("valkey-server")


def until(condition, seconds=20.0):
    """Waits for something that is bound to happen."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.005)


class Server:
    """redis-server on a socket in a folder of its own."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="hasten-"))
        self.socket = self.folder / "socket"
        self.url = f"unix://{self.socket}"
        self.process = None
        self.clients = []
        self.begin()

    def begin(self):
        options = ["--port", "0", "--unixsocket", str(self.socket), "--save", ""]
        self.socket.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [PROGRAM, *options, "--dir", str(self.folder)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

        def answers():
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as attempt:
                attempt.connect(str(self.socket))
                return True
            return False

        try:
            until(answers)
        except BaseException:
            self.kill()
            raise

    def client(self):
        import redis

        client = redis.Redis(unix_socket_path=str(self.socket))
        self.clients.append(client)
        return client

    def names(self, pattern="hasten:*"):
        client = self.client()
        return sorted(client.keys(pattern))

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def end(self):
        for client in self.clients:
            client.close()
        self.signal(signal.SIGCONT)
        self.kill()
        shutil.rmtree(self.folder)


class Rubbish:
    """Answers each piece that it receives with the same bytes; closes on None."""

    def __init__(self, answer):
        self.answer = answer
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self.listener.getsockname()[1]}/0"
        self.thread = threading.Thread(target=self._accept)
        self.served = []
        self.thread.start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.served.append(threading.Thread(target=self._serve, args=(connection,)))
            self.served[-1].start()

    def _serve(self, connection):
        with connection, contextlib.suppress(OSError):
            while connection.recv(65536) and self.answer is not None:
                connection.sendall(self.answer)

    def end(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()
        for thread in self.served:
            thread.join()


class Other:
    """Another process, which does what it is told, a line each, and answers with a repr."""

    START = """
        import os, sys, time
        from hasten._shared import link as _shared_link
        from hasten._shared import server as _shared_server
        from hasten.functools import cache, lru_cache
        url = sys.argv[1]
        _shared_server.CONNECT_S = _shared_server.ANSWER_S = 20.0
        {}
        print("ready", flush=True)
        for line in sys.stdin:
            print(repr(eval(line)), flush=True)
    """

    def __init__(self, url, code):
        text = textwrap.dedent(self.START).format(textwrap.dedent(code).strip())
        self.process = subprocess.Popen(
            [sys.executable, "-c", text, url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONHASHSEED": "random"},
        )
        assert self.process.stdout.readline() == "ready\n", self.process.stderr.read()

    def begin(self, expression):
        self.process.stdin.write(expression + "\n")
        self.process.stdin.flush()

    def answer(self):
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read()
        return eval(line)

    def ask(self, expression):
        self.begin(expression)
        return self.answer()

    def end(self):
        """Its end is quiet and does not take long."""
        _, errors = self.process.communicate(timeout=30)
        assert errors == ""
        assert self.process.returncode == 0

    def kill(self):
        self.process.kill()
        self.process.communicate()
