"""How long answers will be: the lengths of a checkpoint's answers when it last ran a dataset, else the reference's.

No arithmetic tells when a model ends its answers, and most of the time of a run depends on it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from assay.ground import files, settings
from assay.ground.parsed import json_value
from assay.mlperf.data.sample import Sample
from assay.mlperf.rounds.round_workload import RoundWorkload
from assay.mlperf.workloads.workload import Workload


@dataclass(frozen=True)
class ExpectedAnswers:
    """Tokens of each answer, the step that ends it included, and where the numbers come from."""

    tokens: tuple[int, ...]
    notes: tuple[str, ...] = ()


def expected(
    samples: Sequence[Sample],
    most: int,
    workload: Workload,
    known: Mapping[int, int],
    *,
    is_random: bool = False,
    has_model: bool = True,
) -> ExpectedAnswers:
    """The expected length of each answer, at most `most` tokens. Pure.

    known: row of the dataset -> tokens of this checkpoint's answer in an earlier run; used when it has every row.
    is_random: the weights are random. has_model: the shape of the model is known.
    """
    if samples and has_model and all(sample.row in known for sample in samples):
        note = "answers are counted as long as this checkpoint's were in its last run of the dataset"
        return ExpectedAnswers(tuple(min(most, known[sample.row]) for sample in samples), (note,))
    if is_random:
        note = f"random weights seldom end an answer: {most} tokens are counted for each"
        return ExpectedAnswers((most,) * len(samples), (note,))
    mean = workload.mean_answer_tokens
    tokens = tuple(min(most, 1 + (len(s.reference_ids) or mean.get(s.subset, most))) for s in samples)
    if samples and not all(sample.reference_ids for sample in samples):
        return ExpectedAnswers(
            tokens, ("the dataset has no reference answers: the official set's mean lengths are counted",)
        )
    if samples and has_model and workload.own_dataset is None:
        note = (
            "answers are counted as long as the reference's: how long this checkpoint's are is known after "
            "its first accuracy run"
        )
        return ExpectedAnswers(tokens, (note,))
    return ExpectedAnswers(tokens)


@dataclass(frozen=True)
class MeanAnswer:
    """Mean tokens of the reference model's answers, and where the figure comes from."""

    tokens: float
    source: str


def of_reference(workload: Workload, rules: RoundWorkload) -> MeanAnswer | None:
    """None where neither the round nor the workload knows it. Pure."""
    target, limits = rules.targets.get("tokens_per_sample"), rules.compliance_limits
    # With an upper limit alone it is a placeholder, as for gpt-oss-120b.
    if target is not None and target.low is not None and target.reference is not None:
        return MeanAnswer(target.reference, "the reference's tokens_per_sample")
    if "test09_min_output_tokens" in limits and "test09_max_output_tokens" in limits:
        middle = (limits["test09_min_output_tokens"] + limits["test09_max_output_tokens"]) / 2
        return MeanAnswer(middle, "the middle of TEST09's limits")
    means = set(workload.mean_answer_tokens.values())
    return MeanAnswer(means.pop(), "the official set's mean") if len(means) == 1 else None


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
