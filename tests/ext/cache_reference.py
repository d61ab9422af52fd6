# SPDX-License-Identifier: MIT
"""The policies of caches as their papers have them, of entries of one size, in the plainest
Python: `ask(key)` answers whether the key was there, and puts it there."""

from collections import Counter, OrderedDict, deque


class Lru:
    def __init__(self, size):
        self.size, self.kept = size, OrderedDict()

    def ask(self, key):
        if key in self.kept:
            self.kept.move_to_end(key)
            return True
        if len(self.kept) == self.size:
            self.kept.popitem(last=False)
        self.kept[key] = None
        return False


class Sieve:
    """Zhang et al., NSDI 2024, algorithm 1."""

    def __init__(self, size):
        self.size = size
        self.visited = {}
        self.newer, self.older = {}, {}
        self.head = self.tail = self.hand = None

    def ask(self, key):
        if key in self.visited:
            self.visited[key] = True
            return True
        if len(self.visited) == self.size:
            self.evict()
        self.visited[key] = False
        self.older[key], self.newer[key] = self.head, None
        if self.head is not None:
            self.newer[self.head] = key
        self.head = key
        self.tail = key if self.tail is None else self.tail
        return False

    def evict(self):
        hand = self.tail if self.hand is None else self.hand
        while self.visited[hand]:
            self.visited[hand] = False
            hand = self.tail if self.newer[hand] is None else self.newer[hand]
        newer, older = self.newer.pop(hand), self.older.pop(hand)
        self.hand = newer
        if older is None:
            self.tail = newer
        else:
            self.newer[older] = newer
        if newer is None:
            self.head = older
        else:
            self.older[newer] = older
        del self.visited[hand]


class S3Fifo:
    """Yang et al., SOSP 2023, algorithm 1: a tenth of the room is for the small queue, and
    as many keys are remembered as there is room for in the main one."""

    def __init__(self, size):
        self.size, self.small_size = size, size // 10
        self.small, self.main = deque(), deque()
        self.uses = {}
        self.ghosts = OrderedDict()

    def ask(self, key):
        if key in self.uses:
            self.uses[key] = min(self.uses[key] + 1, 3)
            return True
        came_back = key in self.ghosts
        if came_back:
            del self.ghosts[key]
        while len(self.uses) == self.size:
            self.evict()
        (self.main if came_back else self.small).append(key)
        self.uses[key] = 0
        return False

    def evict(self):
        if len(self.main) > self.size - self.small_size or not self.small:
            self.evict_from_main()
        else:
            self.evict_from_small()

    def evict_from_small(self):
        while self.small:
            key = self.small.popleft()
            if self.uses[key] < 2:
                del self.uses[key]
                if len(self.ghosts) == self.size - self.small_size:
                    self.ghosts.popitem(last=False)
                self.ghosts[key] = None
                return
            self.uses[key] = 0
            self.main.append(key)

    def evict_from_main(self):
        while self.uses[self.main[0]] > 0:
            key = self.main.popleft()
            self.uses[key] -= 1
            self.main.append(key)
        del self.uses[self.main.popleft()]


class TinyLfu:
    """Einziger et al., 2017: a window of a hundredth, and four fifths of the rest protected.
    Counts are exact, where a cache has a sketch of them."""

    def __init__(self, size):
        self.size = size
        self.window_size = max(1, size // 100)
        self.protected_size = (size - self.window_size) * 4 // 5
        self.window, self.probation, self.protected = OrderedDict(), OrderedDict(), OrderedDict()
        self.counts, self.additions = Counter(), 0
        # As many as there are words in a sketch for so many entries.
        self.period = 10 * (1 << (size - 1).bit_length())

    def count(self, key):
        if self.counts[key] < 15:
            self.counts[key] += 1
            self.additions += 1
        if self.additions >= self.period:
            odd = sum(count % 2 for count in self.counts.values())
            self.counts = Counter({key: count // 2 for key, count in self.counts.items()})
            self.additions = (self.additions - odd) // 2

    def ask(self, key):
        self.count(key)
        if key in self.window:
            self.window.move_to_end(key)
        elif key in self.protected:
            self.protected.move_to_end(key)
        elif key in self.probation:
            del self.probation[key]
            self.protected[key] = None
            if len(self.protected) > self.protected_size:
                self.probation[self.protected.popitem(last=False)[0]] = None
        else:
            self.add(key)
            return False
        return True

    def add(self, key):
        self.window[key] = None
        if len(self.window) <= self.window_size:
            return
        candidate = self.window.popitem(last=False)[0]
        if len(self.window) + len(self.probation) + len(self.protected) < self.size:
            self.probation[candidate] = None
            return
        victims = self.probation or self.protected
        victim = next(iter(victims))
        if self.counts[candidate] > self.counts[victim]:
            del victims[victim]
            self.probation[candidate] = None


POLICIES = {"lru": Lru, "sieve": Sieve, "s3fifo": S3Fifo, "tinylfu": TinyLfu}
