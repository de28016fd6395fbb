"""A published report held against the round's targets and, where they are at hand, its own logs.

A misstatement is an error. What is insufficient but declared (n = 1 said, a test style said) is a note. What can
only be concluded, because no log is at hand, says that it is inferred.
"""

from __future__ import annotations

import re
from pathlib import Path

from assay.audit import command, figures, samples, thresholds, widths
from assay.audit.defects import DEFECTS
from assay.audit.subject import Subject, load, text_of
from assay.doors import readme
from assay.ground.errors import ArtifactError, AssayError, ConfigError
from assay.mlperf.checker.finding import Finding, Severity

CHECKS = (*thresholds.CHECKS, *figures.CHECKS, *widths.CHECKS, *samples.CHECKS, *command.CHECKS)

__all__ = ["audit", "judge"]


def audit(path: Path, round_name: str | None = None, workload: str | None = None) -> list[Finding]:
    """Findings of a report (FILE) or of every README.md below a folder, in order of their lines.

    round_name, workload: where the report does not say them. Of several reports, one that cannot be judged is a
    finding, and the others are judged.
    Raises: ConfigError when there is no such path, no report in it, or round or workload of none can be told.
    """
    found: list[Finding] = []
    refused: list[AssayError] = []
    reports = _reports(path)
    for file in reports:
        try:
            found += judge(load(file, path, round_name, workload))
        except AssayError as error:
            refused.append(error)
            found.append(_not_judged(file.relative_to(path) if path.is_dir() else file, error))
    if len(refused) == len(reports):
        raise refused[0]
    return found


def _not_judged(file: Path, error: AssayError) -> Finding:
    """R14: an error where a broken record lies beside the report, a warning where the report says too little."""
    defect = DEFECTS["R14"]
    severity = Severity.ERROR if isinstance(error, ArtifactError) else Severity.WARNING
    wanted = "a report with its round and its workload"
    return Finding(
        code="R14",
        severity=severity,
        path=str(file),
        message=defect.title,
        found=error.message,
        expected=wanted,
        source=defect.source,
        fix=error.hint,
    )


def judge(asked: Subject) -> list[Finding]:
    """All findings of one report."""
    findings = [finding for check in CHECKS for finding in check(asked)]
    return sorted(findings, key=lambda f: (_line(f.path), int(f.code[1:]), f.message))


def _line(path: str) -> int:
    match = re.search(r":(\d+)$", path)
    return int(match[1]) if match else 0


def _reports(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise ConfigError(f"no report {path}", "name a README.md, or a folder that holds some")
    files = (file for file in sorted(path.rglob("*.md")) if file.is_file())
    found = [file for file in files if readme.read(text_of(file)).has_results]
    if not found:
        raise ConfigError(f"no published report below {path}", "name the README.md of a run")
    return found
