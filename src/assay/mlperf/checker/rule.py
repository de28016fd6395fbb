"""Rule: one condition, one function, one code, one source, one way to fix it.

    @rule("P10", level=Level.ENTRY, title="...", source="...", fix="...")
    def minimum_duration(entry: Entry) -> Iterator[Fault]: ...

The function yields a Fault for each violation; the decorator adds what is the same for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from assay.mlperf.checker.finding import Finding, Severity


class Level(str, Enum):
    """What a rule looks at."""

    ARCHIVE = "archive"
    TREE = "tree"
    SUBMITTER = "submitter"
    SYSTEM = "system"
    BENCHMARK = "benchmark"
    ENTRY = "entry"


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
    level: Level
    severity: Severity
    title: str
    source: str
    fix: str
    check: Callable[[Any], Iterator[Fault]]
    """Takes the model of its level: Tree, Submitter, System, Benchmark or Entry."""

    def findings(self, subject: Any) -> Iterator[Finding]:
        for fault in self.check(subject):
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
    level: Level,
    title: str,
    source: str,
    fix: str,
    severity: Severity = Severity.ERROR,
) -> Callable[[Callable[[Any], Iterator[Fault]]], Callable[[Any], Iterator[Fault]]]:
    """Register a rule function under its code; a code may be used once."""

    def register(check: Callable[[Any], Iterator[Fault]]) -> Callable[[Any], Iterator[Fault]]:
        assert code not in RULES, f"two rules have the code {code}"
        RULES[code] = Rule(code, level, severity, title, source, fix, check)
        return check

    return register
