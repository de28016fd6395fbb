"""Round: the rules of one MLPerf Inference round as data, read from `rounds/<name>.toml`.

Every figure in those files carries its source. A round is asked by name (`v5.1`; `5.1`, `v4.1-dev` are read
as the round they belong to) and a workload of it by its official key.
Workloads of Assay's own are in no round. A user's own rounds lie in `rounds/` of the store.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

from assay.config import Scenario
from assay.ground import settings
from assay.ground.errors import ConfigError, did_you_mean
from assay.mlperf.rounds import toml_shape, toml_text
from assay.mlperf.rounds.target import Target

_NAME_PARTS = {
    "mobilenet": "resnet",
    "efficientnet": "resnet",
    "resnet50": "resnet",
    "bert-99.9": "bert-99.9",
    "bert-99": "bert-99",
    "llama3_1-405b": "llama3.1-405b",
}
"""Part of a folder's name -> official name; the first that fits."""

LATENCY_UNIT = "Latency (ms)"
"""Unit of SingleStream and MultiStream in the words of the checkers."""


def loadgen_key(official: str) -> str:
    """LoadGen's name of a benchmark, in mlperf.conf and user.conf: `llama2-70b-99.9` is `llama2-70b` there.

    Dots would end the name there, so `llama3.1-8b` is `llama3_1-8b`. Interactive has a key of its own
    (`Scenario.key_suffix`).
    """
    return official.removesuffix("-99.9").removesuffix("-99").replace(".", "_")


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


@dataclass(frozen=True)
class Latency:
    """p99 limits of a Server run, milliseconds."""

    ttft_ms: float
    tpot_ms: float


@dataclass(frozen=True)
class RoundWorkload:
    """What one round demands of one workload."""

    key: str
    title: str
    suites: tuple[str, ...]
    required: tuple[str, ...]
    """Scenarios that closed and network submissions must hold."""
    one_of: tuple[str, ...]
    """Scenarios of which at least one must be present (v5.1: Server or Interactive); empty = no such rule."""
    dataset_samples: int
    """Rows of the official validation set."""
    performance_samples: int
    offline_min_queries: int
    min_new_tokens: int | None
    max_new_tokens: int | None
    latency: Mapping[str, Latency]
    """scenario -> limits"""
    targets: Mapping[str, Target]
    """metric -> gate"""
    compliance: tuple[str, ...]
    """Compliance tests demanded of closed submissions, as `TEST06`."""
    result_key: Mapping[str, str]
    """scenario -> key of the detail log that holds the official result"""
    result_unit: str
    """Unit of rates, where `other_units` names no other for the scenario; see `unit_of`."""
    dataset_file: str
    source: str
    notes: tuple[str, ...] = ()
    required_edge: tuple[str, ...] = ()
    """Scenarios that closed and network submissions of an edge system must hold."""
    required_datacenter_edge: tuple[str, ...] = ()
    """Scenarios that those of a `datacenter,edge` system must hold, where they are not those of both suites."""
    compliance_limits: Mapping[str, float] = field(default_factory=dict)
    """Keys of audit.config that the verifiers of these tests read, as `test07_accuracy_threshold`."""
    accuracy_samples: int | None = None
    """Samples of the accuracy run where they differ from the performance run's; None = dataset_samples."""
    accuracy_dataset_file: str = ""
    """Dataset file of the accuracy run where it is another one; empty = dataset_file."""
    accuracy_max_new_tokens: int | None = None
    """Longest answer of the accuracy run where it differs from the performance run's; None = max_new_tokens."""
    decoding: str = "greedy"
    """How each token is chosen, in words."""
    eos_id: int | None = None
    """End-of-sequence id of the official model, of which TEST06 allows one at the end of an answer."""
    other_units: Mapping[str, str] = field(default_factory=dict)
    """scenario -> unit of its rate, where it is not result_unit"""
    equal_issue: bool | tuple[str, ...] = True
    """Every sample is issued equally often (LoadGen's sample_concatenate_permutation): always or never, or in the
    scenarios named."""
    token_latencies: bool = True
    """TTFT, TPOT and tokens/s are measured (LoadGen's use_token_latencies)."""
    target_latency_ms: Mapping[str, int] = field(default_factory=dict)
    """scenario -> largest target_latency that LoadGen may have been given (0, none, for token latencies)"""
    speculative: Mapping[str, str] = field(default_factory=dict)
    """scenario -> how tokens may be drafted in it; a scenario that is missing has no speculative decoding"""
    superseded_files: tuple[str, ...] = ()
    """Dataset files of earlier rounds, no longer allowed."""
    rules_high: Mapping[str, float] = field(default_factory=dict)
    """metric -> upper limit by the written rules, where the checker gates at another figure."""
    paired_loss: float | None = None
    """Share of a metric that may be lost to the dataset's reference answers, by a one-sided paired test; the verdict
    of a run over the whole set of the workload itself. None = the targets alone decide."""

    def required_of(self, suite: str) -> tuple[str, ...]:
        """Scenarios that a closed submission of a `datacenter`, `edge` or `datacenter,edge` system owes."""
        suites = {part.strip() for part in suite.split(",")}
        if len(suites) == 2 and self.required_datacenter_edge:
            return self.required_datacenter_edge
        wanted = (
            *(self.required if "datacenter" in suites else ()),
            *(self.required_edge if "edge" in suites else ()),
        )
        return tuple(dict.fromkeys(wanted))

    def allowed_in(self, suite: str) -> tuple[str, ...]:
        """Scenarios that a closed submission of such a system may hold."""
        optional = self.one_of if "datacenter" in suite else ()
        return tuple(dict.fromkeys((*self.required_of(suite), *optional)))

    def issues_equally(self, scenario: str) -> bool:
        """Whether each sample is issued equally often in that scenario."""
        return self.equal_issue if isinstance(self.equal_issue, bool) else scenario in self.equal_issue

    def unit_of(self, scenario: str | None) -> str:
        """Unit of the official result: a latency where queries come one by one, else a rate. None = of most scenarios.

        Source: unit tables of the submission checkers (unit_dict, SPECIAL_UNIT_DICT).
        """
        if scenario is None:
            return self.result_unit
        found = Scenario.named(scenario)
        if found is not None and found.is_one_by_one:
            return LATENCY_UNIT
        return self.other_units.get(scenario, self.result_unit)


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
    raise ConfigError(f"unknown round {name!r}", did_you_mean(canonical, names()))


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
        workloads={key: _workload(key, table) for key, table in tree.get("workloads", {}).items()},
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


def _workload(key: str, table: Mapping[str, Any]) -> RoundWorkload:
    targets = table.get("targets", {})
    return RoundWorkload(
        key=key,
        title=table["title"],
        suites=tuple(table["suites"]),
        required=tuple(table["required"]),
        one_of=tuple(table["one_of"]),
        dataset_samples=table["dataset_samples"],
        performance_samples=table["performance_samples"],
        offline_min_queries=table["offline_min_queries"],
        min_new_tokens=table.get("min_new_tokens"),
        max_new_tokens=table.get("max_new_tokens"),
        latency={
            s: Latency(limit["ttft_ms"], limit["tpot_ms"]) for s, limit in table.get("latency", {}).items()
        },
        targets={metric: _target(metric, gate) for metric, gate in targets.items()},
        compliance=tuple(table["compliance"]),
        result_key=table["result_key"],
        result_unit=table["result_unit"],
        dataset_file=table["dataset_file"],
        source=table["source"],
        notes=(
            *table.get("notes", ()),
            *(f"{m}: {gate['note']}" for m, gate in targets.items() if "note" in gate),
        ),
        required_edge=tuple(table.get("required_edge", ())),
        required_datacenter_edge=tuple(table.get("required_datacenter_edge", ())),
        compliance_limits=dict(table.get("compliance_limits", {})),
        accuracy_samples=table.get("accuracy_samples"),
        accuracy_dataset_file=table.get("accuracy_dataset_file", ""),
        accuracy_max_new_tokens=table.get("accuracy_max_new_tokens"),
        decoding=table.get("decoding", "greedy"),
        eos_id=table.get("eos_id"),
        other_units=table.get("other_units", {}),
        equal_issue=equal if isinstance(equal := table["equal_issue"], bool) else tuple(equal),
        token_latencies=table["token_latencies"],
        target_latency_ms=table.get("target_latency_ms", {}),
        speculative=table.get("speculative", {}),
        superseded_files=tuple(table.get("superseded_files", ())),
        rules_high={metric: gate["rules_high"] for metric, gate in targets.items() if "rules_high" in gate},
    )


def _target(metric: str, gate: Mapping[str, Any]) -> Target:
    return Target(
        metric=metric,
        unit=gate["unit"],
        low=gate.get("low"),
        high=gate.get("high"),
        reference=gate.get("reference"),
        source=gate["source"],
    )


def _read_toml(name: str) -> dict[str, Any]:
    text = resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
    return toml_text.parse(text)
