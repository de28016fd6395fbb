"""Rule: one condition, one function, one code, one source, one way to fix it.

    @rule("P10", of=PERFORMANCE, title="...", source="...", fix="...")
    def minimum_duration(run: JudgedRun) -> Iterator[Fault]: ...

The function yields a Fault for each violation; the decorator adds what is the same for all of them. What it looks at
is a scope of `subjects.py`; mypy holds the function's parameter against it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, Generic, TypeVar

from assay.mlperf.checker.finding import Finding, Severity

M = TypeVar("M")
S = TypeVar("S")


class Level(str, Enum):
    """Part of a tree in which a rule's subject is found, once for each."""

    ARCHIVE = "archive"
    TREE = "tree"
    SUBMITTER = "submitter"
    SYSTEM = "system"
    BENCHMARK = "benchmark"
    ENTRY = "entry"


@dataclass(frozen=True)
class RuleScope(Generic[M, S]):
    """What a rule looks at: a subject S, found in the model M of its level."""

    level: Level
    of: Callable[[M], S | None]
    """None where the model lacks a part of the subject."""


@dataclass(frozen=True)
class Fault:
    """One violation. `severity` overrides the rule's own where the division or the round decides."""

    path: str
    message: str
    found: str
    expected: str
    severity: Severity | None = None


@dataclass(frozen=True)
class Rule:
    code: str
    scope: RuleScope[Any, Any]
    severity: Severity
    title: str
    source: str
    fix: str
    check: Callable[[Any], Iterator[Fault]]
    """Takes the subject of the scope."""

    def findings(self, model: Any) -> Iterator[Finding]:
        """What is wrong with a model of the scope's level: an Archive, Tree, Submitter, System, Benchmark or Entry."""
        subject = self.scope.of(model)
        for fault in self.check(subject) if subject is not None else ():
            yield Finding(
                code=self.code,
                severity=fault.severity or self.severity,
                path=fault.path,
                message=fault.message,
                found=fault.found[:500],
                expected=fault.expected,
                source=self.source,
                fix=self.fix,
            )


RULES: dict[str, Rule] = {}


def rule(
    code: str,
    *,
    of: RuleScope[M, S],
    title: str,
    source: str,
    fix: str,
    severity: Severity = Severity.ERROR,
) -> Callable[[Callable[[S], Iterator[Fault]]], Callable[[S], Iterator[Fault]]]:
    """Register a rule function under its code; a code may be used once."""

    def register(check: Callable[[S], Iterator[Fault]]) -> Callable[[S], Iterator[Fault]]:
        assert code not in RULES, f"two rules have the code {code}"
        RULES[code] = Rule(code, of, severity, title, source, fix, check)
        return check

    return register
