# SPDX-License-Identifier: MIT
"""Connections to a server, by the package `redis`, and what they are asked.

Nothing here raises what that package raises: a server that cannot be reached, or answers
what it should not, is `Unreachable`; one that says no, `Refused`.
"""

import importlib
from collections import deque
from typing import Any

CONNECT_S = 0.5  # for connecting, where the server's address says nothing
ANSWER_S = 0.5  # for an answer
LARGEST_BYTES = 64 << 20  # of a result that is written or read

# What a client may have set for its own connections and is otherwise here.
_NOT_OURS = ("parser_class", "redis_connect_func", "cache", "cache_config", "himport_registry")
_NOT_OURS_BEGIN = ("maint", "orig_", "oss_cluster")


class Unreachable(Exception):
    """The server does not answer, or nothing that makes sense."""


class Refused(Exception):
    """The server answered that it will not."""


def refusals(answers: list[Any]) -> list[Exception]:
    """Those among the answers, and within that to a transaction."""
    last = answers[-1] if answers and isinstance(answers[-1], list) else []
    return [answer for answer in (*answers, *last) if isinstance(answer, Exception)]


def _import_redis() -> Any:
    try:
        return importlib.import_module("redis")
    except ImportError as error:
        raise ImportError(
            "shared= wants the package redis: pip install 'hasten[shared]'", name="redis"
        ) from error


class Connections:
    """Connections to a server: as a URL says, or as a client of the program has them."""

    def __init__(self, server: Any) -> None:
        redis = _import_redis()
        if isinstance(server, str):
            pool = redis.ConnectionPool.from_url(server)
        else:
            pool = server.connection_pool
        self._type = pool.connection_class
        self._options = {
            name: value
            for name, value in pool.connection_kwargs.items()
            if name not in _NOT_OURS and not name.startswith(_NOT_OURS_BEGIN)
        }
        self._options.update(
            protocol=2,
            decode_responses=False,
            retry=redis.retry.Retry(redis.backoff.NoBackoff(), 0),
            retry_on_timeout=False,
            retry_on_error=[],
            health_check_interval=0,
        )
        for name, seconds in ("socket_timeout", ANSWER_S), ("socket_connect_timeout", CONNECT_S):
            if self._options.get(name) is None:
                self._options[name] = seconds
        self._lost: Any = redis.exceptions.ConnectionError
        self._refused: Any = redis.exceptions.ResponseError
        self._idle: deque[Any] = deque()
        host, port = self._options.get("host", "localhost"), self._options.get("port", 6379)
        self.name: str = self._options.get("path") or f"{host}:{port}"

    def make(self) -> Any:
        """Another connection, which is made when it is first used."""
        return self._type(**self._options)

    def answer(self, connection: Any) -> Any:
        """The next answer; a refusal is one too."""
        try:
            return connection.read_response()
        except self._refused as error:
            return error

    def give_up(self) -> list[Any]:
        """Those that nobody uses at present."""
        idle, self._idle = self._idle, deque()
        return list(idle)

    def ask(self, *commands: tuple[Any, ...]) -> list[Any]:
        """Answers to commands on a connection of those that nobody uses at present."""
        while True:
            idle = self._idle
            try:
                connection, is_used = idle.pop(), True
            except IndexError:
                connection, is_used = self.make(), False
            try:
                if len(commands) == 1:
                    connection.send_command(*commands[0])
                    answers = [self.answer(connection)]
                else:
                    connection.send_packed_command(connection.pack_commands(commands))
                    answers = [self.answer(connection) for _ in commands]
            except BaseException as error:
                connection.disconnect()
                if not isinstance(error, Exception):
                    raise
                if is_used and isinstance(error, self._lost):
                    # It was closed while nobody used it, and so perhaps are the others.
                    idle.clear()
                    continue
                raise Unreachable(str(error)) from error
            idle.append(connection)
            for answer in answers:
                if isinstance(answer, Exception):
                    raise Refused(str(answer)) from answer
            return answers
