"""The form of a round's TOML, learnt from Assay's own rounds: which keys there are, and what kind of value each has.

So a misspelt key of a user's own round loses no limit, and a text in place of a number is named with its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from assay.ground.errors import ConfigError, did_you_mean

BY_NAME = frozenset(
    {
        *("workloads", "targets", "latency", "refused", "other_names", "other_units", "sha256"),
        *("compliance_limits", "target_latency_ms", "speculative"),
    }
)
"""Tables whose keys are names: of workloads, metrics, scenarios, files."""
ANY = "*"


@dataclass
class TomlShape:
    """What may stand in one place."""

    kinds: set[str] = field(default_factory=set)
    parts: dict[str, TomlShape] = field(default_factory=dict)
    """Key -> what may stand there; ANY = below every key."""


def learnt(trees: Iterable[Mapping[str, Any]]) -> TomlShape:
    """The shape of everything that stands in these TOML files."""
    found = TomlShape()
    for tree in trees:
        _learn(found, tree, "")
    return found


def refuse_other(tree: Mapping[str, Any], shape: TomlShape, file: str) -> None:
    """Raises: ConfigError with file and key for what no known file has in its place."""
    _check(tree, shape, "", file)


def _learn(shape: TomlShape, value: Any, key: str) -> None:
    shape.kinds.add(_kind(value))
    for name, part in _parts(value):
        place = ANY if key in BY_NAME or isinstance(value, list) else name
        _learn(shape.parts.setdefault(place, TomlShape()), part, name)


def _check(value: Any, shape: TomlShape, where: str, file: str) -> None:
    if _kind(value) not in shape.kinds:
        wanted = " or ".join(sorted(shape.kinds))
        raise ConfigError(f"{file}: {where} is {value!r}, {_kind(value)}", f"{wanted} belongs there")
    for name, part in _parts(value):
        known = shape.parts.get(ANY) or shape.parts.get(name)
        if known is None:
            place = f"[{where}]" if where else "the top"
            raise ConfigError(f"{file}: nothing reads {name!r} in {place}", did_you_mean(name, shape.parts))
        _check(part, known, f"{where}.{name}" if where else name, file)


def _parts(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return list(value.items())
    return [(str(place), part) for place, part in enumerate(value)] if isinstance(value, list) else []


def _kind(value: Any) -> str:
    """In words, for an error."""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, (int, float)):
        return "a number"
    names = ((str, "a text"), (list, "a list"), (Mapping, "a table"))
    return next((name for kind, name in names if isinstance(value, kind)), "another value")
