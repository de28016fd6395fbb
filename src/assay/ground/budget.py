"""How large the content of a foreign file may become when it is unpacked: one rule for every reader.

A few bytes can stand for a terabyte: zeros packed by bzip2, a value of a pickle or an anchor of YAML that is
used twice at each of sixty levels. What is read is counted as it will be in memory and held against the bytes
that came in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn

from assay.ground.errors import ArtifactError

FACTOR = 32
"""Bytes that one byte of a file may stand for. Text packs to a tenth; a set joined to itself shares its rows."""
FLOOR_BYTES = 16 << 20
"""Bytes that even the smallest file may stand for."""
DISK_FLOOR_BYTES, DISK_FACTOR = 1 << 30, 100
"""The same for an archive that is unpacked onto a disk: logs pack to a hundredth."""
ENTRY_BYTES = 4096
"""What a file, a folder or a link takes on a disk beside its content."""
DEPTH_MAX = 100
"""Levels of lists and mappings; a dataset has two, a configuration fewer than ten."""
INT_BITS_MAX = 14_000
"""Python prints no whole number of more than 4,300 digits (`sys.set_int_max_str_digits`)."""
POINTER_BYTES = 8


@dataclass
class Budget:
    """The bytes that the content of one file may still take."""

    where: object
    """The file, as errors name it."""
    left_bytes: int
    limit: str = ""
    """The rule in words."""

    @classmethod
    def of(cls, where: object, size_bytes: int) -> Budget:
        """For a file of `size_bytes`."""
        return cls(where, FLOOR_BYTES + FACTOR * size_bytes, _limit(FLOOR_BYTES, FACTOR))

    @classmethod
    def on_disk(cls, where: object, size_bytes: int) -> Budget:
        """For an archive of `size_bytes` that is unpacked into files."""
        left = DISK_FLOOR_BYTES + DISK_FACTOR * size_bytes
        return cls(where, left, _limit(DISK_FLOOR_BYTES, DISK_FACTOR))

    def spend(self, count_bytes: int) -> None:
        """Raises: ArtifactError when that is more than is left."""
        self.left_bytes -= count_bytes
        if self.left_bytes < 0:
            self.refuse(f"it unfolds to more than {self.limit}")

    def weigh(self, value: Any) -> None:
        """Spend plain containers and scalars, every shared part wherever it stands; each is looked at once.

        Raises: ArtifactError also for a container that holds itself, for more than DEPTH_MAX levels, and for a number
        too long to print.
        """
        self.spend(_Scale(self).weigh(value, 0)[0])

    def refuse(self, why: str) -> NoReturn:
        """Raises: ArtifactError."""
        raise ArtifactError(f"{self.where}: refused: {why}", "get the file from its publisher again")


def _limit(floor_bytes: int, factor: int) -> str:
    return f"{floor_bytes >> 20} MiB and {factor} times its size"


class _Scale:
    """Remembers (bytes, levels) of each container by its identity."""

    def __init__(self, budget: Budget) -> None:
        self._refuse = budget.refuse
        self._known: dict[int, tuple[int, int]] = {}

    def weigh(self, value: Any, depth: int) -> tuple[int, int]:
        if type(value) not in (list, tuple, set, frozenset, dict):
            return self._scalar(value), 0
        if id(value) not in self._known:
            if depth > DEPTH_MAX:
                self._refuse(f"more than {DEPTH_MAX} levels of containers")
            self._known[id(value)] = (0, DEPTH_MAX + 1)  # met again before it is known: it holds itself
            self._known[id(value)] = self._container(value, depth + 1)
        size_bytes, levels = self._known[id(value)]
        if depth + levels > DEPTH_MAX:
            self._refuse(f"more than {DEPTH_MAX} levels of containers, or one that holds itself")
        return size_bytes, levels

    def _container(self, value: Any, depth: int) -> tuple[int, int]:
        items = [*value.keys(), *value.values()] if type(value) is dict else value
        if set(map(type, items)) == {int}:  # token ids: millions of them, so not one by one
            self._scalar(max(items)), self._scalar(min(items))
            return POINTER_BYTES * (1 + len(items)), 1
        parts = [self.weigh(item, depth) for item in items]
        return POINTER_BYTES + sum(part[0] for part in parts), 1 + max((part[1] for part in parts), default=0)

    def _scalar(self, value: Any) -> int:
        if type(value) is int and value.bit_length() > INT_BITS_MAX:
            self._refuse(f"a whole number of {value.bit_length()} bits")
        return POINTER_BYTES + (len(value) if type(value) in (str, bytes) else 0)
