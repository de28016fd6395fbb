"""RoundWorkload: what one round demands of one workload, a table `[workloads.KEY]` of the round's file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from assay.config import Scenario
from assay.mlperf.rounds.target import Target

LATENCY_UNIT = "Latency (ms)"
"""Unit of SingleStream and MultiStream in the words of the checkers."""


def loadgen_key(official: str) -> str:
    """LoadGen's name of a benchmark, in mlperf.conf and user.conf: `llama2-70b-99.9` is `llama2-70b` there.

    Dots would end the name there, so `llama3.1-8b` is `llama3_1-8b`. Interactive has a key of its own
    (`Scenario.key_suffix`).
    """
    return official.removesuffix("-99.9").removesuffix("-99").replace(".", "_")


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


def of_table(key: str, table: Mapping[str, Any]) -> RoundWorkload:
    """A table `[workloads.KEY]` of a round's file. Raises: KeyError for a key that is missing."""
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
