"""Which experts rows want, counted over the run: what is worth reading ahead, and what is worth keeping. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

LIKELY = 0.9
"""An expert is read ahead where a step wants it with at least this probability: at most a tenth of such reads are for
nothing. The others wait until the router has spoken."""
PRIOR_ROWS = 64
"""Rows of even use that count beside those that were seen, so that the first few do not decide"""
LOYALTY = 1.1
"""An expert that is kept leaves only for one that is used more by this factor: equal ones do not change places."""

Expert = tuple[int, int]
"""(layer, expert)"""


class ExpertUse:
    """Rows by layer and expert. Each row of a step wants `active` experts of a layer."""

    def __init__(self, num_layers: int, num_experts: int, active: int) -> None:
        self._active = active
        self._rows_LE = [[0] * num_experts for _ in range(num_layers)]
        self._rows_L = [0] * num_layers

    def count(self, layer: int, rows_E: Sequence[int]) -> None:
        """One step: how many rows wanted each expert of the layer."""
        self._rows_LE[layer] = [before + now for before, now in zip(self._rows_LE[layer], rows_E)]
        self._rows_L[layer] += sum(rows_E) // self._active

    def share(self, expert: Expert) -> float:
        """The part of a layer's rows that want this expert, 0 to 1."""
        layer, e = expert
        even = PRIOR_ROWS * self._active / len(self._rows_LE[layer])
        return (self._rows_LE[layer][e] + even) / (self._rows_L[layer] + PRIOR_ROWS)

    def likely(self, layer: int, rows: int) -> list[Expert]:
        """The experts of a layer that a step of so many rows is likely to want, each row on its own."""
        everyone = [(layer, e) for e in range(len(self._rows_LE[layer]))]
        return [expert for expert in everyone if 1 - (1 - self.share(expert)) ** rows >= LIKELY]

    def most_used(self, count: int, kept: Collection[Expert]) -> frozenset[Expert]:
        """The `count` experts to keep in memory, of all layers; those that are kept now have LOYALTY."""

        def worth(expert: Expert) -> float:
            return self.share(expert) * (LOYALTY if expert in kept else 1)

        everyone = [(layer, e) for layer, rows_E in enumerate(self._rows_LE) for e in range(len(rows_E))]
        return frozenset(sorted(everyone, key=worth, reverse=True)[:count])
