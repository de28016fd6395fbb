"""What the shipped model scores, per set: the facts of `reference.json`.

`benchmarks/nano_reference.py` writes that file; nothing here measures.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.ground.errors import ConfigError, did_you_mean

PATH = Path(__file__).parent / "reference.json"


@dataclass(frozen=True)
class Reference:
    """The float32 answers of transformers, scored.

    `scores`, `intervals` (95 %) and `counts` go by metric: rouge1, rouge2, rougeL, gsm8k, mbxp (percent) and
    tokens_per_sample; `rows_sha256` is that of the rows as JSON lines (`rows.to_jsonl`).
    """

    samples: int
    max_new_tokens: int
    scores: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float] | None]
    counts: Mapping[str, int]
    mean_input_tokens: float
    longest_input_tokens: int
    longest_output_tokens: int
    stopped_percent: float
    rows_sha256: str
    source: str


def load_reference(kind: str) -> Reference:
    """The reference of the default, validation or calibration set.

    Raises:
        ConfigError: no such set.
    """
    facts: dict[str, dict[str, Any]] = json.loads(PATH.read_text())
    if kind not in facts:
        raise ConfigError(f"mixtral-nano has no {kind} set", hint=did_you_mean(kind, facts))
    fields = facts[kind]
    intervals = {name: tuple(pair) if pair else None for name, pair in fields.pop("intervals").items()}
    return Reference(intervals=intervals, **fields)
