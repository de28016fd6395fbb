"""What lower precisions cost in the answers themselves: ROUGE of instruction rows, each precision beside float32."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from assay.config import Precision
from assay.engine import parity
from assay.engine.config import EngineConfig
from assay.ground.errors import ConfigError
from assay.mlperf.data import dataset, tokenizer
from assay.mlperf.data.sample import Sample
from assay.mlperf.scoring import interval, paired, rouge
from assay.mlperf.workloads.datasets import mixtral_rows

LOSS_MAX = 0.01
"""Part of float32's ROUGE that a lower precision may lose."""
BATCH = 32

Values = Mapping[str, Sequence[float]]
"""Metric -> F1 of each row, 0 to 1"""


@dataclass(frozen=True)
class Rouge:
    """F1 of the same rows' answers in a precision and in float32, against the dataset's own references."""

    precision: str
    values: Values
    float32: Values

    @property
    def rows(self) -> int:
        return len(next(iter(self.values.values())))

    @property
    def holds(self) -> bool:
        """False when some mean is more than LOSS_MAX below float32's, by a paired test at p < 0.05."""
        return not any(
            paired.loss_exceeds(_numbered(self.values[name]), _numbered(whole), LOSS_MAX)
            for name, whole in self.float32.items()
        )

    def to_dict(self) -> dict[str, Any]:
        """Means of both, and of the difference with its 95 % interval (None below five rows), all in percent."""
        found = {name: (values, self.float32[name]) for name, values in self.values.items()}
        metrics = {
            name: {
                "value": 100 * _mean(values),
                "float32": 100 * _mean(whole),
                "change_95": interval.of_mean([100 * (v - w) for v, w in zip(values, whole)]),
            }
            for name, (values, whole) in found.items()
        }
        return {"precision": self.precision, "rows": self.rows, "metrics": metrics, "holds": self.holds}


def instruction_rows(path: Path) -> list[Sample]:
    """Raises: ConfigError when the dataset has none."""
    rows = [
        sample for sample in dataset.read(path, mixtral_rows.SCHEMA) if sample.subset == mixtral_rows.OPENORCA
    ]
    if not rows:
        raise ConfigError(f"{path} has no instruction rows to score", f"rows of {mixtral_rows.OPENORCA}")
    return rows


def rouge_beside_float32(
    configs: Sequence[EngineConfig], rows: Sequence[Sample], tokens: int, progress: Callable[[str], None]
) -> list[Rouge]:
    """One entry for each config that is not float32 itself; every answer is `tokens` long."""
    lower = [config for config in configs if config.precision is not Precision.FLOAT32]
    if not lower:
        return []
    whole = _values(replace(lower[0], precision=Precision.FLOAT32, kernels="torch"), rows, tokens, progress)
    return [Rouge(c.precision.value, _values(c, rows, tokens, progress), whole) for c in lower]


def _values(
    config: EngineConfig, rows: Sequence[Sample], tokens: int, progress: Callable[[str], None]
) -> Values:
    progress(f"answers to {len(rows)} instruction rows in {config.precision.value}")
    prompts = [row.prompt_ids for row in rows]
    answers = parity.answers(replace(config, max_running=BATCH), prompts, tokens, progress)
    texts = tokenizer.load(config.checkpoint).decode(answers)
    return rouge.f_measures([row.truth for row in rows], texts)


def _numbered(values: Sequence[float]) -> dict[int, float]:
    return dict(enumerate(values))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
