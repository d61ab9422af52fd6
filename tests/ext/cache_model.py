# SPDX-License-Identifier: MIT
"""What a cache with a policy, sizes and ends should do, written as plainly as possible."""

from dataclasses import dataclass, field
from typing import Any

FOREVER = float("inf")
SWEPT_AT_ONCE = 4


@dataclass
class Entry:
    value: Any
    end: float
    size: int
    is_failure: bool
    uses: int = 0


@dataclass
class Model:
    policy: str
    maxsize: float
    capacity: float
    ttl: float = 0
    stale: float = 0
    entries: dict[Any, Entry] = field(default_factory=dict)
    # Keys, the oldest first. S3-FIFO: small, main.
    queues: tuple[list[Any], list[Any]] = field(default_factory=lambda: ([], []))
    ghosts: list[Any] = field(default_factory=list)
    ages: list[Any] = field(default_factory=list)
    hand: Any = None
    evicted: list[Any] = field(default_factory=list)
    hits: int = 0
    misses: int = 0
    evictions: int = 0
    expirations: int = 0

    def size(self):
        return sum(entry.size for entry in self.entries.values())

    def small_share(self):
        return max(1, self.capacity // 10)

    def queue_size(self, queue):
        return sum(self.entries[key].size for key in queue)

    def take_out(self, key):
        for queue in self.queues:
            if key in queue:
                if self.hand == key:
                    place = queue.index(key) + 1
                    self.hand = queue[place] if place < len(queue) else None
                queue.remove(key)
        if key in self.ages:
            self.ages.remove(key)
        return self.entries.pop(key)

    def tell(self, key, entry):
        if not entry.is_failure:
            self.evicted.append((key, entry.value))

    def expire(self, key):
        self.expirations += 1
        self.tell(key, self.take_out(key))

    def is_over(self, entry, now):
        return entry.end <= now and (entry.is_failure or now - entry.end >= self.stale)

    def sweep(self, now, most=0):
        for number, key in enumerate(list(self.ages)):
            if most and number == most:
                break
            if self.is_over(self.entries[key], now):
                self.expire(key)
            elif most:
                break

    def hit(self, key):
        entry = self.entries[key]
        if self.policy == "lru":
            self.queues[0].remove(key)
            self.queues[0].append(key)
        else:
            entry.uses = min(entry.uses + 1, 1 if self.policy == "sieve" else 3)

    def victim(self):
        small, main = self.queues
        if self.policy == "sieve":
            place = small.index(self.hand) if self.hand is not None else 0
            while self.entries[small[place]].uses:
                self.entries[small[place]].uses = 0
                place = (place + 1) % len(small)
            self.hand = small[place]
            return self.hand
        if self.policy == "s3fifo":
            return self.s3fifo_victim(small, main)
        return small[0]

    def s3fifo_victim(self, small, main):
        count = len(self.entries)
        if self.queue_size(main) <= self.capacity - self.small_share():
            while small:
                if self.entries[small[0]].uses < 2:
                    most = count - count // 10
                    while len(self.ghosts) >= most:
                        del self.ghosts[0]
                    self.ghosts.append(small[0])
                    return small[0]
                self.entries[small[0]].uses = 0
                main.append(small.pop(0))
        while self.entries[main[0]].uses:
            self.entries[main[0]].uses -= 1
            main.append(main.pop(0))
        return main[0]

    def keep(self, key, value, size, now, lifetime=None, is_failure=False):
        if key in self.entries:
            self.take_out(key)
        self.sweep(now, SWEPT_AT_ONCE)
        if size > self.capacity:
            return
        # Before there is room made for it.
        came_back = key in self.ghosts
        if came_back:
            self.ghosts.remove(key)
        while self.entries and (
            self.size() + size > self.capacity or len(self.entries) >= self.maxsize
        ):
            key_out = self.victim()
            self.evictions += 1
            self.tell(key_out, self.take_out(key_out))
        lifetime = self.ttl if lifetime is None else lifetime
        end = now + lifetime if lifetime else FOREVER
        queue = self.queues[0]
        if came_back:
            queue = self.queues[1]
        queue.append(key)
        self.entries[key] = Entry(value, end, size, is_failure)
        if end != FOREVER:
            self.ages.append(key)

    def find(self, key, now):
        """The entry where there is one that may be served, fresh or not."""
        entry = self.entries.get(key)
        if entry is not None and self.is_over(entry, now):
            self.expire(key)
            return None
        return entry

    def clear(self):
        self.entries.clear()
        for queue in self.queues:
            queue.clear()
        self.ages.clear()
        self.ghosts.clear()
        self.hand = None
        self.hits = self.misses = self.evictions = self.expirations = 0
