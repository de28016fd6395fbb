"""How fast a server that Assay starts was in its last runs on this machine: a memory, for the next plan.

A server that is not up cannot be asked, and to start one takes minutes. So a plan goes by what a run of the same
command has shown.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from assay.ground import files, settings
from assay.ground.count import number
from assay.ground.parsed import json_value


@dataclass(frozen=True)
class ServePace:
    start_s: float
    """From its start until it answers."""
    tokens_per_s: float
    """Of answers, by its fastest run: one with queries that come slowly says less than it can do."""
    day: str

    def words(self) -> str:
        return (
            f"answers are counted at {number(self.tokens_per_s)} tokens/s, and its start at {self.start_s:.0f} s, "
            f"as in the fastest run of this command here ({self.day})"
        )


def keep(command: str, start_s: float, tokens_per_s: float) -> None:
    """`command`: `key` of it. A slower run than the one before is left out. Raises: EnvironmentProblem."""
    known = recall(command)
    if known is None or tokens_per_s > known.tokens_per_s:
        made = ServePace(start_s, tokens_per_s, time.strftime("%Y-%m-%d", time.gmtime()))
        files.write_json(_file(command), dataclasses.asdict(made))


def recall(command: str) -> ServePace | None:
    """None where nothing is known, and where the file is damaged: it is only a memory."""
    try:
        found = json_value(_file(command).read_text())
        pace = ServePace(float(found["start_s"]), float(found["tokens_per_s"]), str(found["day"])[:10])
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return pace if pace.start_s >= 0 and pace.tokens_per_s > 0 else None


def key(words: Sequence[str], port: int, checkpoint: Path) -> str:
    """What one command is the same by, wherever its port is: also its weights and this machine. Pure but for a stat."""
    config = checkpoint / "config.json"
    changed = config.stat().st_mtime_ns if config.exists() else 0
    return json.dumps([*(word.replace(str(port), "PORT") for word in words), changed, platform.node()])


def _file(command: str) -> Path:
    return settings.home() / "served" / f"{hashlib.sha256(command.encode()).hexdigest()[:16]}.json"
