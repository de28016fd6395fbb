"""Judges a submission tree: every rule over all its subjects, all findings, in stable order.

Large trees are judged by forked workers, which share the listing of the tree. The verdict is the same
with one worker and with many.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from assay.ground import cores, paths
from assay.ground.count import counted
from assay.ground.errors import ConfigError
from assay.mlperf.checker import archive, rules, which_round  # noqa: F401  importing the rules registers them
from assay.mlperf.checker.archive import Archive
from assay.mlperf.checker.finding import Finding, Severity
from assay.mlperf.checker.rule import RULES, Level
from assay.mlperf.checker.submission import Benchmark, Entry, Submitter, System, submitters
from assay.mlperf.checker.summary import Row, row
from assay.mlperf.checker.tree import Tree
from assay.mlperf.checker.walk import walk
from assay.mlperf.rounds.round import Round

PARALLEL_FROM = 4000
"""Files from which forking pays: a worker costs about as much as judging a few hundred files."""
WORKERS_MAX = 4
"""When none are asked for. A choice: a check is no reason to take a whole machine."""


@dataclass(frozen=True)
class Report:
    """The outcome of a check. A tree is a submission of the round only when all of it was judged, without errors."""

    round: str
    findings: tuple[Finding, ...]
    rows: tuple[Row, ...]
    """One for each scenario result."""
    files: int

    def count(self, severity: Severity) -> int:
        return sum(finding.severity is severity for finding in self.findings)

    @property
    def counts(self) -> str:
        """`2 errors, 1 warning`."""
        errors, warnings = self.count(Severity.ERROR), self.count(Severity.WARNING)
        return f"{counted(errors, 'error')}, {counted(warnings, 'warning')}"

    @property
    def is_clean(self) -> bool:
        """No errors in what was judged; warnings and notes may be there."""
        return self.count(Severity.ERROR) == 0

    @property
    def is_example(self) -> bool:
        """Whether all results are of models in no round: such a tree cannot be without errors."""
        return bool(self.rows) and all(row.is_example for row in self.rows)

    @property
    def fails(self) -> bool:
        """Whether what was to make or judge a submission ends with 1. Errors of an example are expected."""
        return not (self.is_clean or self.is_example)

    @property
    def not_judged(self) -> int:
        """Results of which something was not judged: they have neither passed nor failed."""
        return sum(bool(row.not_judged) for row in self.rows)

    @property
    def is_submission(self) -> bool | None:
        """None: no errors, and not everything was judged, or there was nothing to judge."""
        if not self.is_clean:
            return False
        return True if self.rows and not self.not_judged else None

    def to_dict(self) -> dict[str, Any]:
        return {
            "findings": [finding.to_dict() for finding in self.findings],
            "summary": {
                "round": self.round,
                "is_submission": self.is_submission,
                "is_example": self.is_example,
                "errors": self.count(Severity.ERROR),
                "warnings": self.count(Severity.WARNING),
                "notes": self.count(Severity.NOTE),
                "results": len(self.rows),
                "results_without_errors": sum(not r.errors and not r.not_judged for r in self.rows),
                "results_not_judged": self.not_judged,
                "files": self.files,
                "rows": [r.to_dict() for r in self.rows],
            },
        }


def check(
    root: Path, round_: Round | None = None, submitter: str | None = None, workers: int | None = None
) -> Report:
    """Judge the tree below `root`, or packed in it; with `submitter`, that submitter's part alone.

    round_: None = the one that the tree agrees with (`which_round`). workers: processes that judge; None = as many as
    pay.
    Raises: ConfigError when `root` is neither a folder nor an archive.
    """
    if archive.is_archive(root):
        with archive.unpacked(root) as packed:
            report = check(packed.root, round_, submitter, workers)
        return replace(report, findings=(*_findings(Level.ARCHIVE, packed), *report.findings))
    if not root.is_dir():
        raise ConfigError(
            f"no folder and no packed tree {root}",
            paths.near(root) or "name the folder that holds closed/, open/ or network/, or a .tar.gz of it",
        )
    tree = walk(root, submitter)
    round_ = round_ or which_round.round_of(tree, submitter)
    findings = list(_findings(Level.TREE, tree))
    owners = submitters(tree, round_, submitter)
    for owner in owners:
        findings += _findings(Level.SUBMITTER, owner)
    systems = [system for owner in owners for system in owner.systems()]
    rows: list[Row] = []
    for found, judged in _judge_all(systems, _workers(workers, len(tree.files), len(systems))):
        findings += found
        rows += judged
    unique = {(f.path, f.code, f.message, f.found): f for f in findings}
    ordered = sorted(unique.values(), key=lambda f: (f.path, _natural(f.code), f.message, f.found))
    return Report(round_.name, tuple(ordered), tuple(sorted(rows, key=lambda r: r.location)), len(tree.files))


def _findings(
    level: Level, model: Archive | Tree | Submitter | System | Benchmark | Entry
) -> Iterator[Finding]:
    for rule in RULES.values():
        if rule.scope.level is level:
            yield from rule.findings(model)


def judge(system: System) -> tuple[list[Finding], list[Row]]:
    """Findings and rows of one system's results."""
    findings = list(_findings(Level.SYSTEM, system))
    rows = []
    for benchmark in system.benchmarks():
        findings += _findings(Level.BENCHMARK, benchmark)
        for entry in benchmark.entries():
            own = list(_findings(Level.ENTRY, entry))
            findings += own
            rows.append(row(entry, sum(f.severity is Severity.ERROR for f in own)))
    return findings, rows


def _workers(asked: int | None, files: int, systems: int) -> int:
    if asked is None:
        asked = min(WORKERS_MAX, cores.usable()) if files >= PARALLEL_FROM else 1
    can_fork = "fork" in multiprocessing.get_all_start_methods()
    return max(1, min(asked, systems)) if can_fork else 1


_shared: list[System] = []
"""What forked workers judge: they inherit it, so that the tree is neither copied nor sent."""


def _judge_all(systems: list[System], workers: int) -> Iterable[tuple[list[Finding], list[Row]]]:
    if workers == 1:
        return (judge(system) for system in systems)
    _shared[:] = systems
    try:
        with multiprocessing.get_context("fork").Pool(workers, _end_quietly) as pool:
            return pool.map(_judge_shared, range(len(systems)), chunksize=4)
    finally:
        _shared.clear()


def _end_quietly() -> None:
    """A worker is ended by the pool, and says nothing of it."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _judge_shared(index: int) -> tuple[list[Finding], list[Row]]:
    return judge(_shared[index])


def _natural(code: str) -> tuple[str, int]:
    return code[0], int(code[1:])
