"""Subjects of rules taken from a good tree, with one part changed: no file is written again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from assay.mlperf.checker import subjects
from assay.mlperf.checker.rule import Fault
from assay.mlperf.checker.subjects import DescribedSystem, JudgedRun, ScoredEntry
from assay.mlperf.checker.submission import Entry, System, submitters
from assay.mlperf.checker.walk import walk
from assay.mlperf.rounds import round as rounds
from tests.mlperf.checker.good_tree import GoodTree


class Parts:
    """The parts of a good tree."""

    def __init__(self, folder: Path, round_name: str = "v5.1", division: str = "closed") -> None:
        self.good = GoodTree.make(folder, round_name, division)
        self.tree = walk(self.good.root)
        (self.submitter,) = submitters(self.tree, rounds.load(round_name))
        self.system: System = self.submitter.systems()[0]
        (self.benchmark,) = self.system.benchmarks()

    def entry(self, scenario: str = "Offline") -> Entry:
        return next(each for each in self.benchmark.entries() if each.folder == scenario)

    def run(self, scenario: str = "Offline", *, accuracy: bool = False, **changes: Any) -> JudgedRun:
        """A run whose log has these values, `__` in a key standing for a point; None removes a key."""
        scope = subjects.ACCURACY if accuracy else subjects.PERFORMANCE
        found = scope.of(self.entry(scenario))
        assert found is not None
        changed = {name.replace("__", "."): value for name, value in changes.items()}
        values = {
            k: v for k, v in {**found.log.values, **changed}.items() if v is not None or k not in changed
        }
        return replace(found, log=replace(found.log, values=values))

    def scored(self, metric: str, value: float | None) -> ScoredEntry:
        found = subjects.SCORED.of(self.entry())
        assert found is not None
        lines = [line for line in found.text.replace(",", "\n").splitlines() if f"'{metric}'" not in line]
        lines += [f"'{metric}': {value}"] if value is not None else []
        return replace(found, text="\n".join(lines))

    def described(self, **changes: Any) -> DescribedSystem:
        """The system with these fields; None removes one."""
        found = subjects.DESCRIBED.of(self.system)
        assert found is not None
        fields = {k: v for k, v in {**found.fields, **changes}.items() if v is not None}
        return replace(found, fields=fields)


def only(faults: Iterator[Fault]) -> Fault:
    (found,) = faults
    return found
