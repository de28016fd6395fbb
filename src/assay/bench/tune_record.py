"""What a search for the highest VALID rate came to: tune.json of its folder, and the memory for the next search."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from assay.bench.tune_search import Tried
from assay.config import BenchmarkConfig
from assay.doors import config_text
from assay.ground import cores, files, settings
from assay.ground.errors import ArtifactError
from assay.ground.parsed import json_value
from assay.ground.typed import typed

FILE = "tune.json"
SCHEMA_VERSION = 1
APART = ("paths.out", "submission.", "limits.target_qps", "modes")
"""Fields of a config that do not change which rate is VALID."""


@dataclass(frozen=True)
class Official:
    """A run at the rate that was found."""

    target_qps: float
    validity: str
    late: int
    allowed: int
    folder: str


@dataclass(frozen=True)
class Tuned:
    """A search, as far as it came. Rates in samples/s, times in seconds."""

    folder: str
    facts: tuple[str, ...]
    """The job and the system: what a rate holds for."""
    scenario: str
    duration_s: float
    """Least duration of the official run."""
    limits: Mapping[str, float] = field(default_factory=dict)
    full_rate: float | None = None
    guess: float | None = None
    guess_from: str = ""
    probes: tuple[Tried, ...] = ()
    low: float | None = None
    """The highest rate that passes."""
    high: float | None = None
    """The lowest rate that fails."""
    reason: str = ""
    """Why the search ended; empty while it has not."""
    official: tuple[Official, ...] = ()
    is_fake: bool = False
    """Whether the answers were no model's."""
    servers: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """URL -> what the server said of itself before the last probes. Empty without a server that was running."""
    started_at: str = ""
    """UTC, ISO 8601; empty in records of earlier versions, as `servers` is."""
    notes: tuple[str, ...] = ()
    """Of the call, not of the search: not written."""
    schema: int = SCHEMA_VERSION

    @property
    def mark(self) -> str:
        """What begins a line that may be pasted alone."""
        return "FAKE: " if self.is_fake else ""

    @property
    def valid(self) -> Official | None:
        return next((each for each in self.official if each.validity == "VALID"), None)


def facts(config: BenchmarkConfig) -> tuple[str, ...]:
    """The system, and every setting that the highest rate depends on, as `name=value`."""
    asked = {name: text for name, text in config_text.asked(config).items() if not name.startswith(APART)}
    system = (f"processor={platform.processor() or platform.machine()}", f"cores={cores.usable()}")
    return (
        *system,
        f"host={platform.node()}",
        f"workload={config.workload}",
        *(f"{k}={v}" for k, v in sorted(asked.items())),
    )


def write(tuned: Tuned) -> None:
    """Raises: EnvironmentProblem when the disk is full."""
    fields = dataclasses.asdict(tuned)
    del fields["notes"]
    files.write_json(Path(tuned.folder) / FILE, fields)


def read(folder: Path) -> Tuned | None:
    """None where no search was begun. Raises: ArtifactError for a damaged record."""
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        found = json_value(path.read_text())
        if found["schema"] != SCHEMA_VERSION:
            raise ValueError(f"schema {found['schema']}, not {SCHEMA_VERSION}")
        return dataclasses.replace(typed(Tuned, found, FILE), folder=str(folder))
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ArtifactError(f"{path} is no record of a search: {error}", "--out a new folder") from error


def is_blank(folder: Path) -> bool:
    """Whether a search was begun there that has no probe, as one that was refused. Raises: as `read`."""
    found = read(folder)
    return found is not None and not found.probes


def remember(facts: tuple[str, ...], target_qps: float) -> None:
    """Where the next search for the same job on this system begins. Raises: EnvironmentProblem."""
    files.write_json(_memory(facts), {"target_qps": target_qps, "facts": facts})


def recall(facts: tuple[str, ...]) -> float | None:
    """None when nothing is known, and when the file is damaged: it is only a memory."""
    try:
        return float(json_value(_memory(facts).read_text())["target_qps"])
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _memory(facts: tuple[str, ...]) -> Path:
    name = hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]
    return settings.home() / "tuned" / f"{name}.json"
