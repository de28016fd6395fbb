"""Which client process carries which order. Pure.

An order goes to the process with the fewest open ones. A process gets at most twice what it may have in flight: the
rest waits here for whoever is free first, so that none stands idle at the end of a run.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from assay.endpoint.clients.crossing import Order

AHEAD = 2
"""Orders that a process holds, per place in flight."""


class Dealer:
    """`share`: what one process may have in flight."""

    def __init__(self, processes: int, share: int) -> None:
        self.open: list[set[int] | None] = [set() for _ in range(processes)]
        """Numbers of the orders that each process holds; None for one that has ended."""
        self._most = AHEAD * share
        self._waiting: deque[Order] = deque()

    @property
    def is_alone(self) -> bool:
        """Nobody is left."""
        return all(held is None for held in self.open)

    def deal(self, orders: Iterable[Order] = ()) -> dict[int, list[Order]]:
        """What each process is given now: of `orders` and of what has waited."""
        self._waiting += orders
        dealt: dict[int, list[Order]] = {}
        while self._waiting:
            free = [(len(held), at) for at, held in enumerate(self.open) if held is not None]
            if not free:
                break
            count, at = min(free)
            if count >= self._most:
                break
            order = self._waiting.popleft()
            held = self.open[at]
            assert held is not None
            held.add(order[0])
            dealt.setdefault(at, []).append(order)
        return dealt

    def ended(self, process: int, numbers: Iterable[int]) -> None:
        held = self.open[process]
        if held is not None:
            held.difference_update(numbers)

    def lost(self, process: int) -> list[int]:
        """What a process that has ended leaves open; all that waits too, when it was the last."""
        held, self.open[process] = self.open[process], None
        left = sorted(held or ())
        if self.is_alone:
            left += [number for number, *_ in self._waiting]
            self._waiting.clear()
        return left
