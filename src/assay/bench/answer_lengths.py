"""The lengths of a checkpoint's answers when it last ran a dataset, kept for the next plan.

No arithmetic tells when a model ends its answers, and most of the time of a run hangs on it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from assay.ground import files, settings
from assay.ground.parsed import json_value


def keep(checkpoint: Path, dataset: Path, tokens: Mapping[int, int]) -> None:
    """tokens: index of the sample in the dataset -> tokens of its answer. Raises: EnvironmentProblem."""
    known = {**recall(checkpoint, dataset), **tokens}
    files.write_json(_file(checkpoint, dataset), {str(index): known[index] for index in sorted(known)})


def recall(checkpoint: Path, dataset: Path) -> dict[int, int]:
    """Empty when nothing is known, and when the file is damaged: it is only a memory."""
    try:
        known = json_value(_file(checkpoint, dataset).read_text())
        return {int(index): int(tokens) for index, tokens in known.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _file(checkpoint: Path, dataset: Path) -> Path:
    """Named by the paths of both and by their times of change: another model in the same place has another file."""
    config = checkpoint / "config.json"
    # Not Path.resolve: a loop of links is an error there.
    facts = [os.path.realpath(place) for place in (config, dataset)]
    facts += [str(place.stat().st_mtime_ns) for place in (config, dataset) if place.exists()]
    name = hashlib.sha256("\n".join(facts).encode()).hexdigest()[:16]
    return settings.home() / "answer_lengths" / f"{name}.json"
