"""The samples that a plan counts: those of the dataset, or, while it is away, as many as the round names.

No source gives the mean length of the official sets' prompts. So nothing is counted with a made-up one: while the
dataset is away, the plan is between prompts of one token and prompts of the longest that the workload documents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assay.bench import answer_lengths
from assay.bench.known_model import KnownModel
from assay.bench.preparation import Preparation
from assay.mlperf.data.sample import Sample
from assay.mlperf.run.job import Job

FIRST_ID, IDS = 3, 900
"""Ids of a prompt that nobody wrote; every published vocabulary has them, and the first three are often special."""


@dataclass(frozen=True)
class ExpectedSamples:
    """Samples, and the tokens of each answer, the step that ends it included; as many of these, or none."""

    samples: Sequence[Sample] = ()
    """With prompts of the longest documented length while the dataset is away."""
    tokens: Sequence[int] = ()
    shortest: Sequence[Sample] = ()
    """The same with prompts of one token; empty where the dataset is here."""
    notes: tuple[str, ...] = ()


def of(prepared: Preparation, model: KnownModel) -> ExpectedSamples:
    """Raises: ConfigError when the dataset has too few rows for the job."""
    job, data = prepared.job, prepared.data
    if data is None:
        is_to_come = any(each.what == "dataset" for each in prepared.wanted)
        return away(job, _cut(prepared)) if job is not None and is_to_come else ExpectedSamples()
    samples = job.choose(data.samples) if job else data.samples
    paths, known = prepared.config.paths, dict[int, int]()
    if paths.checkpoint is not None and paths.dataset is not None:
        known = answer_lengths.recall(paths.checkpoint, paths.dataset)
    most, cut = (job.rules.max_new_tokens or 0) if job else 0, _cut(prepared)
    found = answer_lengths.expected(
        samples,
        min(most, cut or most),
        prepared.workload,
        known,
        is_random=model.is_random,
        has_model=model.shape is not None,
    )
    notes, longest = found.notes, max(found.tokens, default=0)
    if cut is not None and longest and (longest < cut or cut >= most):
        notes = (
            *notes,
            f"--answer-tokens {cut} cuts no answer: the longest is counted with {longest} tokens",
        )
    return ExpectedSamples(samples, found.tokens, notes=notes)


def _cut(prepared: Preparation) -> int | None:
    """The longest answer where an option of the SUT cuts answers short, `--answer-tokens`."""
    asked = prepared.spec.options.get("answer_tokens") if prepared.spec else None
    return asked if isinstance(asked, int) else None


def away(job: Job, cut: int | None = None) -> ExpectedSamples:
    """Of an official set that is not here. Empty, with a note, when no source says how long its answers are.

    cut: the longest answer that was asked for.
    """
    name, count, longest = job.workload.name, job.samples(job.whole_set), job.workload.prompt_tokens_max
    mean = answer_lengths.of_reference(job.workload, job.rules)
    if mean is None:
        note = f"no time is said: the dataset is not here, and no source gives the mean length of {name}'s answers"
        return ExpectedSamples(notes=(note,))
    length = min(filter(None, (round(mean.tokens), job.rules.max_new_tokens, cut)))
    source = mean.source if length != cut else "as was asked for"
    note = (
        f"the dataset is not here: counted are {count:,} prompts of 1 to {longest:,} tokens, the longest documented, "
        f"as no source gives the mean length of {name}'s prompts; answers of {length} tokens "
        f"({source}); no grading of programs"
    )
    return ExpectedSamples(_prompts(count, longest), [length] * count, _prompts(count, 1), (note,))


def _prompts(count: int, length: int) -> list[Sample]:
    ids = tuple(FIRST_ID + place % IDS for place in range(length))
    return [
        Sample(
            index=index,
            id=str(index),
            subset="",
            prompt="",
            prompt_ids=ids,
            truth="",
            reference_ids=(),
            stop_ids=(),
        )
        for index in range(count)
    ]
