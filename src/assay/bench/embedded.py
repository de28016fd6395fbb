"""The embedded workload: where `nano` (a model, rows, reference scores) meets `mlperf` (rules, samples).

mixtral-nano stands in no round; its rules are made here from its own reference scores, in the form of a round's.
A test-style run takes the default set, any other the validation set, each with reference scores of its own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from assay import nano, suts
from assay.config import BenchmarkConfig, Style
from assay.mlperf import dataset as datasets
from assay.mlperf import job as jobs
from assay.mlperf import workloads
from assay.mlperf.dataset import Dataset
from assay.mlperf.job import Job
from assay.mlperf.result import ScoredMetric
from assay.mlperf.round import Latency, RoundWorkload
from assay.mlperf.score import Score, Target
from assay.mlperf.scoring.paired import loss_exceeds
from assay.nano.reference import Reference, load_reference

Kind = Literal["default", "validation"]

SHARE = 0.99
"""Quality kept: 99 % of the reference in every metric, as the rules demand of mixtral-8x7b."""
SLACK_SAMPLES = 3
"""On the default set one sample is 1 % of its kind, so a loss of up to 3 is not told from noise."""
TOKENS_SHARE = (0.9, 1.1)
"""Tokens per sample against the reference's. Source: inference_rules, constraints for the Closed division."""
PAIRED = "one-sided paired test against the reference answers: a loss over 1 % fails at p < 0.05"
LATENCY = Latency(ttft_ms=2000.0, tpot_ms=200.0)
"""As mixtral-8x7b's. Source: mlperf.conf, mixtral-8x7b.Server."""


def is_embedded(config: BenchmarkConfig) -> bool:
    return workloads.get(config.workload).is_embedded


def kind_of(config: BenchmarkConfig) -> Kind:
    return "default" if config.style is Style.TEST else "validation"


def checkpoint() -> Path:
    return nano.checkpoint_dir()


def job(config: BenchmarkConfig) -> Job:
    """The job of a config of an embedded workload. Raises: ConfigError as `mlperf.job.of`."""
    return jobs.of(config, suts.kind(config.sut), rules(kind_of(config)))


def dataset(config: BenchmarkConfig) -> Dataset:
    kind = kind_of(config)
    rows = datasets.samples(datasets.columns_of(nano.dataset(kind)), "the embedded dataset")
    return Dataset(rows, f"embedded: {kind} set of mixtral-nano", load_reference(kind).rows_sha256)


def is_paired(config: BenchmarkConfig) -> bool:
    """True when the verdict comes from holding each answer beside the reference's: the whole validation set."""
    is_whole = config.limits.samples is None and config.paths.dataset is None
    return is_embedded(config) and kind_of(config) == "validation" and is_whole


def judged(scored: ScoredMetric, found: Score, reference: Mapping[str, Mapping[int, float]]) -> ScoredMetric:
    """A score of the validation set with the paired verdict in place of the plain gate's."""
    answers = reference[scored.metric]
    if scored.value is None or not answers:
        return scored
    met = not loss_exceeds(found.by_sample, answers, 1 - SHARE)
    return dataclasses.replace(scored, met=met, source=f"{scored.source}; {PAIRED}")


def rules(kind: Kind) -> RoundWorkload:
    """mixtral-nano's gates in a round's form, from the float32 reference scores of the set."""
    reference = load_reference(kind)
    return RoundWorkload(
        key="mixtral-nano",
        title="mixtral-nano (Assay's own, in no round)",
        suites=("datacenter",),
        required=("Offline",),
        one_of=(),
        dataset_samples=reference.samples,
        performance_samples=reference.samples,
        offline_min_queries=reference.samples,
        min_new_tokens=2,
        max_new_tokens=reference.max_new_tokens,
        latency={"Server": LATENCY},
        targets={metric: target(reference, metric, kind) for metric in reference.scores},
        compliance=("TEST06",),
        result_key={
            "Offline": "result_tokens_per_second",
            "Server": "result_completed_tokens_per_second",
        },
        result_unit="Tokens/s",
        dataset_file="embedded",
        source=reference.source,
    )


def target(reference: Reference, metric: str, kind: Kind) -> Target:
    """Gate of one metric: 99 % of the reference; on the default set 3 samples less if that is lower.

    Tokens per sample: 90 to 110 %.
    """
    value = reference.scores[metric]
    if metric == "tokens_per_sample":
        low, high = (share * value for share in TOKENS_SHARE)
        return Target(metric, "tokens/sample", low, high, value, reference.source)
    slack = (1 - SHARE) * value
    if kind == "default":
        slack = max(slack, 100 * SLACK_SAMPLES / reference.counts[metric])
    return Target(metric, "%", value - slack, None, value, reference.source)
