"""load.json: what was asked of a server, level by level, and what each level came to."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from assay.config import plain
from assay.endpoint.load.figures import Lengths, LevelFigures, pareto
from assay.endpoint.load.level import Goodput, LoadLevel
from assay.ground import files
from assay.ground.errors import ArtifactError
from assay.ground.parsed import json_value
from assay.ground.typed import typed

FILE = "load.json"
SCHEMA_VERSION = 1


class LevelStatus(Enum):
    WAITING = "WAITING"
    COMPLETE = "COMPLETE"
    INTERRUPTED = "INTERRUPTED"
    FAILED = "FAILED"


@dataclass(frozen=True)
class LevelRecord:
    level: LoadLevel
    status: LevelStatus = LevelStatus.WAITING
    reason: str = ""
    """Why the level is not COMPLETE; empty when it is."""
    figures: LevelFigures | None = None
    definitions: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """The figures of the level by five tools' definitions: docs/definitions.md."""


@dataclass(frozen=True)
class LoadAsked:
    """The settings that the figures belong to. A record is continued only when all of them are the same."""

    workload: str
    dataset_sha256: str
    samples: int
    urls: tuple[str, ...]
    api: str
    model: str
    duration_s: float
    seed: int
    least_tokens: int
    most_tokens: int
    ignores_eos: bool
    """Whether every answer has exactly `most_tokens` tokens."""
    levels: tuple[LoadLevel, ...]
    goodput: Goodput | None = None


def is_blank(folder: Path) -> bool:
    """Whether a load was begun there in which no level was measured, as one whose server failed the first request.
    Raises: as `read`."""
    found = read(folder)
    return found is not None and all(each.figures is None for each in found.levels)


def differences(there: LoadAsked, asked: LoadAsked) -> str:
    """`seed 0 there, 1 asked; …`: the settings that are not the same."""
    both = {name: (getattr(there, name), getattr(asked, name)) for name in LoadAsked.__dataclass_fields__}
    return "; ".join(
        f"{name} {_words(old)} there, {_words(new)} asked" for name, (old, new) in both.items() if old != new
    )


OF_A_START = ("kv_cache_tokens",)
"""What a server finds out anew each time it starts: it may differ where every argument is the same."""


def changes(then: Mapping[str, Mapping[str, object]], now: Mapping[str, Mapping[str, object]]) -> str:
    """`URL: version 0.11.0 then, 0.12.0 now; …`: what the servers say of themselves otherwise than they did. Empty for
    none, and where nothing is known of then."""
    return "; ".join(
        f"{url}: {name} {_words(old.get(name))} then, {_words(now[url].get(name))} now"
        for url, old in then.items()
        if url in now
        for name in sorted({*old, *now[url]} - {*OF_A_START})
        if old.get(name) != now[url].get(name)
    )


def _words(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(_words, value))
    if isinstance(value, LoadLevel):
        return value.label
    return value.words if isinstance(value, Goodput) else "none" if value is None else str(value)


@dataclass(frozen=True)
class LoadRecord:
    asked: LoadAsked
    tier: str
    server: str
    """Kind and version of the server, as it reports them."""
    dataset: str
    prompt_tokens: Lengths
    """Token counts of the dataset's prompts, by the workload's tokenizer."""
    is_salted: bool
    """Whether every request has its own salt, which keeps it out of the prefix cache."""
    command: tuple[str, ...]
    assay: str
    started_at: str
    levels: tuple[LevelRecord, ...]
    finished_at: str = ""
    notes: tuple[str, ...] = ()
    servers: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """URL -> what the server said of itself before the levels. Empty in records of earlier versions."""
    schema_version: int = SCHEMA_VERSION

    @property
    def status(self) -> LevelStatus:
        """The worst status of all levels."""
        worst = (LevelStatus.INTERRUPTED, LevelStatus.FAILED, LevelStatus.WAITING)
        found = {each.status for each in self.levels}
        return next((each for each in worst if each in found), LevelStatus.COMPLETE)

    @property
    def pareto(self) -> tuple[bool, ...]:
        """For each level: whether no other one is better in both throughput and what a user sees."""
        return tuple(pareto([each.figures for each in self.levels]))

    def with_notes(self, notes: Iterable[str]) -> LoadRecord:
        return dataclasses.replace(self, notes=(*self.notes, *notes))

    def with_level(self, place: int, made: LevelRecord) -> LoadRecord:
        return dataclasses.replace(self, levels=(*self.levels[:place], made, *self.levels[place + 1 :]))


def to_dict(record: LoadRecord) -> dict[str, object]:
    """load.json as plain values. `status` and `pareto` follow from the levels; they are written for readers."""
    found: dict[str, object] = plain(record)
    return {**found, "status": record.status.value, "pareto": list(record.pareto)}


def write(folder: Path, record: LoadRecord) -> None:
    """Raises: EnvironmentProblem when the disk is full."""
    files.write_json(folder / FILE, to_dict(record))


def read(folder: Path) -> LoadRecord | None:
    """The record in a folder; None when there is none. Raises: ArtifactError for a record that is damaged or newer
    than this version."""
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        found = json_value(path.read_bytes())
        if found["schema_version"] != SCHEMA_VERSION:
            raise ValueError(f"schema version {found['schema_version']}, not {SCHEMA_VERSION}")
        return typed(LoadRecord, found, FILE)
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ArtifactError(f"{path} is no record of a load: {error}", "--out a new folder") from error
