"""Round: the rules of one MLPerf Inference round as data, read from `rounds/<name>.toml`.

Every figure in those files carries its source. A round is asked by name (`v5.1`; `5.1`, `v4.1-dev` are read
as the round they belong to) and a workload of it by its official key.
Workloads of Assay's own are in no round. A user's own rounds lie in `rounds/` of the store.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

from assay.ground import settings
from assay.ground.errors import ConfigError, did_you_mean
from assay.mlperf.rounds import round_workload, toml_shape, toml_text
from assay.mlperf.rounds.round_workload import RoundWorkload

_NAME_PARTS = {
    "mobilenet": "resnet",
    "efficientnet": "resnet",
    "resnet50": "resnet",
    "bert-99.9": "bert-99.9",
    "bert-99": "bert-99",
    "llama3_1-405b": "llama3.1-405b",
}
"""Part of a folder's name -> official name; the first that fits."""


@dataclass(frozen=True)
class Seeds:
    """LoadGen's three published seeds of a round."""

    qsl: int
    sample_index: int
    schedule: int


@dataclass(frozen=True)
class Wheel:
    """A `mlcommons-loadgen` release that carries a round's seeds: exact version, a SHA-256 per file."""

    version: str
    sha256: Mapping[str, str]
    """file name of a wheel, or of the source archive -> SHA-256"""
    memory_mb: int
    """Resident memory of a LoadGen process at start, MB (4.1.30 takes 10 GB)."""

    @property
    def is_loadgen_4(self) -> bool:
        return self.version.startswith("4.")

    @property
    def reads_audit_config(self) -> bool:
        """LoadGen 4.x takes an audit.config for a second user.conf, an error in its log, and reads the sampling of
        answers from no file at all (measured with 4.1.12 to 4.1.30): both are then set in its settings."""
        return not self.is_loadgen_4


@dataclass(frozen=True)
class FileKeys:
    """Keys of the JSON files of a submission."""

    system: tuple[str, ...]
    may_be_empty: tuple[str, ...]
    """System fields whose value may be an empty string."""
    network: tuple[str, ...]
    """Further system fields of the network division."""
    measurement: tuple[str, ...]
    source: str


@dataclass(frozen=True)
class Round:
    name: str
    deadline: str
    seeds: Seeds
    wheels: tuple[Wheel, ...]
    min_duration_ms: int
    layout: str
    """`old`: measurements/ and compliance/ beside results/ (to v5.1); `new`: inside results/ (from v6.0)."""
    code_folder: str
    """`code` or `src`."""
    needs_mlperf_conf: bool
    needs_calibration: bool
    fields: FileKeys
    workloads: Mapping[str, RoundWorkload]
    refused: Mapping[str, str]
    """workload -> why it is not part of the round"""
    not_judged: tuple[str, ...]
    """Official workloads of the round whose rules Assay does not hold."""
    endpoints: tuple[str, ...]
    """Workloads whose entries may hold artefacts of MLPerf Endpoints in place of LoadGen's logs."""
    other_names: Mapping[str, str]
    """other spelling of a benchmark's folder -> official name"""
    sources: Mapping[str, str]
    """part (round, seeds, run, tree) -> where its figures stand"""

    @property
    def source(self) -> str:
        return self.sources["round"]

    def official_name(self, name: str, own: Mapping[str, object] = MappingProxyType({})) -> str:
        """The round's name of a benchmark folder; an unknown name comes back as it is.

        own: the submitter's model_mapping.json, which goes after the round's own spellings.
        Source: get_mlperf_model of the official checkers, its last guess by a part of the name included.
        """
        if name in self.workloads or name in self.not_judged:
            return name
        mapped = self.other_names.get(name) or own.get(name)
        guess = next((official for part, official in _NAME_PARTS.items() if part in name), name)
        return mapped if mapped and isinstance(mapped, str) else guess

    def workload(self, key: str) -> RoundWorkload:
        """A workload by any of its names. Raises: ConfigError with the reason when the round does not hold it."""
        key = self.official_name(key)
        if key in self.workloads:
            return self.workloads[key]
        others = rounds_of(key)
        hint = f"rounds that hold {key}: {', '.join(others)}" if others else did_you_mean(key, self.workloads)
        if key in self.refused:
            raise ConfigError(f"{key} is not part of round {self.name}: {self.refused[key]}", hint)
        raise ConfigError(f"round {self.name} holds no rules for {key}", hint)


def official_names() -> tuple[str, ...]:
    """Rounds that Assay holds, oldest first."""
    files = (entry.name for entry in resources.files(__package__).iterdir())
    found = [name[: -len(".toml")] for name in files if re.fullmatch(r"v\d+\.\d+\.toml", name)]
    return tuple(sorted(found, key=by_number))


def by_number(name: str) -> tuple[int, ...]:
    """A key that puts v10.0 behind v6.1."""
    return tuple(int(part) for part in name[1:].split("."))


def own_folder() -> Path:
    """Where a user's own rounds lie, each in NAME.toml (docs/extending.md)."""
    return settings.home() / "rounds"


def names() -> tuple[str, ...]:
    """The rounds that Assay holds, oldest first, then a user's own."""
    official = official_names()
    own = sorted(path.stem for path in own_folder().glob("*.toml"))
    return (*official, *(name for name in own if name not in official))


def rounds_of(workload: str) -> tuple[str, ...]:
    """Rounds that hold a workload, oldest first."""
    return tuple(name for name in names() if workload in load(name).workloads)


def newest_of(workload: str) -> str:
    """The newest round that holds a workload; one of a user's own only where no other does.

    Raises: ConfigError when none does.
    """
    official = official_names()
    others = (name for name in names() if name not in official)
    for name in (*reversed(official), *others):
        if workload in load(name).workloads:
            return name
    known = {key for name in names() for key in load(name).workloads}
    raise ConfigError(f"no round holds rules for {workload!r}", did_you_mean(workload, known))


def load(name: str) -> Round:
    """The round of that name; `5.1`, `r5.1`, `v5.1-dev` and `V5.1` are v5.1.

    Raises: ConfigError for a name that belongs to no round, and for a file of a user's own that is no round.
    """
    match = re.fullmatch(r"[vr]?(\d+)[._](\d+)(?:[.-]?dev)?", name.strip().lower())
    canonical = f"v{match[1]}.{match[2]}" if match else name
    if canonical in official_names():
        return _load(canonical)
    if name in names():
        return _load_own(own_folder() / f"{name}.toml")
    # Another number is no slip of the pen: v7.0 is not nearer to v4.0 than to v6.1.
    hint = f"one of: {', '.join(names())}" if match else did_you_mean(canonical, names())
    raise ConfigError(f"unknown round {name!r}", hint)


@cache
def _load_own(path: Path) -> Round:
    """A round of a user's own: whole, or `based_on` one of Assay's, whose values it changes and adds to."""
    try:
        tree = toml_text.parse(path.read_text(encoding="utf-8"))
        if "based_on" in tree:
            base = tree.pop("based_on")
            if base not in official_names():
                raise ConfigError(f"{path}: based_on is {base!r}", did_you_mean(str(base), official_names()))
            toml_shape.refuse_other(tree, _shape(), str(path))
            tree = _merged(_read_toml(f"{base}.toml"), tree)
        toml_shape.refuse_other(tree, _shape(), str(path))
        if tree["name"] != path.stem:
            raise ConfigError(f"{path} calls itself {tree['name']!r}", f"rename it {tree['name']}.toml")
        return _round(tree)
    except KeyError as error:
        raise ConfigError(f"{path} is no round: {error} is missing", "docs/extending.md shows one") from error
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ConfigError(f"{path} is no round: {error}", "docs/extending.md shows one") from error


@cache
def _shape() -> toml_shape.TomlShape:
    return toml_shape.learnt(_read_toml(f"{name}.toml") for name in official_names())


def _merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with the changes, table by table."""
    both = {
        key: _merged(base[key], value)
        if isinstance(value, Mapping) and isinstance(base.get(key), Mapping)
        else value
        for key, value in changes.items()
    }
    return {**base, **both}


@cache
def _load(name: str) -> Round:
    return _round(_read_toml(f"{name}.toml"))


def _round(tree: Mapping[str, Any]) -> Round:
    run, layout = tree["run"], tree["tree"]
    seeds = tree["seeds"]
    return Round(
        name=tree["name"],
        deadline=tree["deadline"],
        seeds=Seeds(int(seeds["qsl"]), int(seeds["sample_index"]), int(seeds["schedule"])),
        wheels=tuple(Wheel(w["version"], w["sha256"], w["memory_mb"]) for w in tree.get("wheels", [])),
        min_duration_ms=run["min_duration_ms"],
        layout=layout["layout"],
        code_folder=layout["code_folder"],
        needs_mlperf_conf=layout["needs_mlperf_conf"],
        needs_calibration=layout["needs_calibration"],
        fields=_fields(),
        workloads={
            key: round_workload.of_table(key, table) for key, table in tree.get("workloads", {}).items()
        },
        refused=tree.get("refused", {}),
        not_judged=tuple(tree["not_judged"]),
        endpoints=tuple(tree.get("endpoints", {}).get("workloads", ())),
        other_names=tree["other_names"],
        sources={
            "round": tree["source"],
            "seeds": seeds["source"],
            "run": run["source"],
            "tree": layout["source"],
        },
    )


@cache
def _fields() -> FileKeys:
    tree = _read_toml("fields.toml")
    return FileKeys(
        system=tuple(tree["system"]),
        may_be_empty=tuple(tree["may_be_empty"]),
        network=tuple(tree["network"]),
        measurement=tuple(tree["measurement"]),
        source=tree["source"],
    )


def _read_toml(name: str) -> dict[str, Any]:
    text = resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
    return toml_text.parse(text)
