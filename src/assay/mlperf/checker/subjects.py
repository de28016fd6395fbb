"""What rules look at: parts of a tree that must all be there before a rule can judge.

A rule names its scope: `@rule("P10", of=PERFORMANCE, …)` looks at a `JudgedRun`. Where a part is missing, the scope
finds nothing and the rule is not asked; F6, N1, N2 and S6 say what is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from assay.mlperf.checker.archive import Archive
from assay.mlperf.checker.rule import Level, RuleScope
from assay.mlperf.checker.submission import Benchmark, Entry, Submitter, System
from assay.mlperf.checker.tree import Tree
from assay.mlperf.logs.detail import DetailLog
from assay.mlperf.rounds.round import Round
from assay.mlperf.rounds.round_workload import RoundWorkload

S = TypeVar("S")


@dataclass(frozen=True)
class DescribedSystem:
    """A system and its readable description."""

    system: System
    fields: dict[str, Any]

    @property
    def file(self) -> str:
        return self.system.file

    @property
    def round(self) -> Round:
        return self.system.submitter.round


@dataclass(frozen=True)
class HeldBenchmark:
    """A benchmark whose rules Assay holds."""

    benchmark: Benchmark
    rules: RoundWorkload


@dataclass(frozen=True)
class RuledEntry:
    """A scenario result of a benchmark whose rules Assay holds."""

    entry: Entry
    rules: RoundWorkload


@dataclass(frozen=True)
class LoggedRun:
    """A scenario result and the detail log of one of its runs, which may be damaged."""

    entry: Entry
    log: DetailLog
    path: str
    """The log's place in the tree."""


@dataclass(frozen=True)
class JudgedRun(LoggedRun):
    """A scenario result, one of its logs, and the rules of its benchmark."""

    rules: RoundWorkload


@dataclass(frozen=True)
class ScoredEntry:
    """A scenario result, its accuracy.txt, and the rules of its benchmark."""

    entry: Entry
    text: str
    rules: RoundWorkload


@dataclass(frozen=True)
class AnsweredEntry:
    """A scenario result and its accuracy log, which is so small that nothing was cut out of it."""

    entry: Entry
    answers: bytes


def _itself(model: S) -> S:
    return model


def _described(system: System) -> DescribedSystem | None:
    return None if system.fields is None else DescribedSystem(system, system.fields)


def _held(benchmark: Benchmark) -> HeldBenchmark | None:
    return None if benchmark.rules is None else HeldBenchmark(benchmark, benchmark.rules)


def _ruled(entry: Entry) -> RuledEntry | None:
    rules = entry.benchmark.rules
    return None if rules is None else RuledEntry(entry, rules)


def _performance_log(entry: Entry) -> LoggedRun | None:
    log = entry.performance
    return None if log is None else LoggedRun(entry, log, entry.performance_log)


def _accuracy_log(entry: Entry) -> LoggedRun | None:
    log = entry.accuracy
    return None if log is None else LoggedRun(entry, log, entry.accuracy_log)


def _performance(entry: Entry) -> JudgedRun | None:
    log, rules = entry.performance, entry.benchmark.rules
    if log is None or log.faults or rules is None:
        return None
    return JudgedRun(entry, log, entry.performance_log, rules)


def _accuracy(entry: Entry) -> JudgedRun | None:
    log, rules = entry.accuracy, entry.benchmark.rules
    return None if log is None or rules is None else JudgedRun(entry, log, entry.accuracy_log, rules)


def _scored(entry: Entry) -> ScoredEntry | None:
    text, rules = entry.accuracy_text, entry.benchmark.rules
    return None if text is None or rules is None else ScoredEntry(entry, text, rules)


def _answered(entry: Entry) -> AnsweredEntry | None:
    answers = entry.whole_answers
    return None if answers is None else AnsweredEntry(entry, answers)


ARCHIVE: RuleScope[Archive, Archive] = RuleScope(Level.ARCHIVE, _itself)
TREE: RuleScope[Tree, Tree] = RuleScope(Level.TREE, _itself)
SUBMITTER: RuleScope[Submitter, Submitter] = RuleScope(Level.SUBMITTER, _itself)
SYSTEM: RuleScope[System, System] = RuleScope(Level.SYSTEM, _itself)
DESCRIBED = RuleScope(Level.SYSTEM, _described)
BENCHMARK: RuleScope[Benchmark, Benchmark] = RuleScope(Level.BENCHMARK, _itself)
HELD = RuleScope(Level.BENCHMARK, _held)
ENTRY: RuleScope[Entry, Entry] = RuleScope(Level.ENTRY, _itself)
RULED = RuleScope(Level.ENTRY, _ruled)
PERFORMANCE_LOG = RuleScope(Level.ENTRY, _performance_log)
ACCURACY_LOG = RuleScope(Level.ENTRY, _accuracy_log)
PERFORMANCE = RuleScope(Level.ENTRY, _performance)
"""The rules of the entry are held, and its performance log has no faults."""
ACCURACY = RuleScope(Level.ENTRY, _accuracy)
SCORED = RuleScope(Level.ENTRY, _scored)
ANSWERED = RuleScope(Level.ENTRY, _answered)


def loadgen(scope: RuleScope[Entry, S]) -> RuleScope[Entry, S]:
    """Of entries with LoadGen's logs alone."""
    return _where(scope, lambda entry: not entry.is_endpoints)


def endpoints(scope: RuleScope[Entry, S]) -> RuleScope[Entry, S]:
    """Of entries with artefacts of MLPerf Endpoints alone."""
    return _where(scope, lambda entry: entry.is_endpoints)


def gated(scope: RuleScope[Entry, S]) -> RuleScope[Entry, S]:
    """Of closed and network submissions alone."""
    return _where(scope, lambda entry: entry.submitter.is_gated)


def _where(scope: RuleScope[Entry, S], is_meant: Callable[[Entry], bool]) -> RuleScope[Entry, S]:
    return RuleScope(scope.level, lambda entry: scope.of(entry) if is_meant(entry) else None)
