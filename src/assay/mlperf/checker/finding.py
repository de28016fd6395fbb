"""Finding: one thing that a checker or an audit has to say."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any


class Severity(str, Enum):
    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    """Data, not an exception: a bad submission yields all of its findings, in stable order."""

    code: str
    severity: Severity
    path: str
    """File or folder, relative to the root that was checked."""
    message: str
    found: str
    expected: str
    source: str
    """The rule: document or checker and section."""
    fix: str

    def to_dict(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "severity": self.severity.value,
            "path": self.path,
            "message": self.message,
            "found": self.found,
            "expected": self.expected,
            "source": self.source,
            "fix": self.fix,
        }
