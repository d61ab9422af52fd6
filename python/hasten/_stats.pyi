# SPDX-License-Identifier: MIT
from collections.abc import Iterable, Sequence
from typing import Any, final

def summarize(values: Sequence[float], /) -> dict[str, float]: ...
def find_class(text: str, /) -> tuple[int, str] | None: ...

@final
class Scaling:
    def __new__(
        cls,
        sizes: Iterable[int] | None = None,
        budget: float = 10.0,
        patience: float = 60.0,
        memory: bool = False,
        seed: int = 0,
    ) -> Scaling: ...
    def next(self, seconds: float, /) -> tuple[str, int, int, int] | None: ...
    def tell_time(
        self,
        executions: int,
        nanoseconds: float,
        whole_nanoseconds: float,
        input_bytes: float,
        fresh: int,
        /,
    ) -> None: ...
    def tell_memory(self, bytes: float, /) -> None: ...
    def tell_failure(self) -> None: ...
    def result(self) -> dict[str, Any]: ...
    def text(self, columns: int, unicode: bool, /) -> str: ...
