"""What lower precisions cost in the answers themselves: ROUGE of instruction rows, each precision beside float32."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from assay.config import Precision
from assay.engine import parity
from assay.engine.config import EngineConfig
from assay.ground.errors import ConfigError
from assay.mlperf import dataset, tokenizer
from assay.mlperf.sample import Sample, Subset
from assay.mlperf.scoring import rouge

LOSS_MAX = 0.01
"""Part of float32's ROUGE that a lower precision may lose."""
BATCH = 32


@dataclass(frozen=True)
class Rouge:
    """Mean F1 per metric over `rows` answers, against the dataset's own references."""

    precision: str
    rows: int
    scores: dict[str, float]
    float32: dict[str, float]

    @property
    def holds(self) -> bool:
        return all(self.scores[name] >= (1 - LOSS_MAX) * whole for name, whole in self.float32.items())


def instruction_rows(path: Path) -> list[Sample]:
    """Raises: ConfigError when the dataset has none."""
    rows = [sample for sample in dataset.read(path) if sample.subset is Subset.OPENORCA]
    if not rows:
        raise ConfigError(f"{path} has no instruction rows to score", f"rows of {Subset.OPENORCA.value}")
    return rows


def rouge_beside_float32(
    configs: Sequence[EngineConfig], rows: Sequence[Sample], tokens: int, progress: Callable[[str], None]
) -> list[Rouge]:
    """One entry for each config that is not float32 itself; answers are at most `tokens` long."""
    lower = [config for config in configs if config.precision is not Precision.FLOAT32]
    if not lower:
        return []
    whole = _scores(replace(lower[0], precision=Precision.FLOAT32, kernels="torch"), rows, tokens, progress)
    return [
        Rouge(config.precision.value, len(rows), _scores(config, rows, tokens, progress), whole)
        for config in lower
    ]


def _scores(
    config: EngineConfig, rows: Sequence[Sample], tokens: int, progress: Callable[[str], None]
) -> dict[str, float]:
    progress(f"answers to {len(rows)} instruction rows in {config.precision.value}")
    prompts = [row.prompt_ids for row in rows]
    answers = parity.answers(replace(config, max_running=BATCH), prompts, tokens, progress)
    texts = tokenizer.load(config.checkpoint).decode(answers)
    measured = rouge.f_measures([row.truth for row in rows], texts)
    return {name: sum(values) / len(values) for name, values in measured.items()}
