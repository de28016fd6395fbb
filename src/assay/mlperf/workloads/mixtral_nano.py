"""mixtral-nano: Assay's own workload. Model and dataset ship with the package (`assay.nano`), and it is in no round.

Its rules are made here from its own reference scores, in the form of a round's. A test-style run takes the default
set, any other the validation set, each with reference scores of its own.
"""

from __future__ import annotations

from typing import Literal

from assay import nano
from assay.config import Scenario, Style
from assay.mlperf.data.dataset import Dataset, columns_of
from assay.mlperf.rounds.round_workload import Latency, RoundWorkload
from assay.mlperf.rounds.target import Target
from assay.mlperf.scoring import tokens
from assay.mlperf.workloads.datasets import mixtral_rows as rows
from assay.mlperf.workloads.scorers.mixtral_scorers import SCORERS, official_results
from assay.mlperf.workloads.workload import Workload
from assay.nano.reference import Reference, load_reference

NAME = "mixtral-nano"
Kind = Literal["default", "validation"]

SHARE = 0.99
"""Quality kept: 99 % of the reference in every metric, as the rules demand of mixtral-8x7b."""
SLACK_SAMPLES = 3
"""On the default set one sample is 1 % of its kind, so a loss of up to 3 is not told from noise."""
TOKENS_SHARE = (0.9, 1.1)
"""Tokens per sample against the reference's. Source: inference_rules, constraints for the Closed division."""
LATENCY = Latency(ttft_ms=2000.0, tpot_ms=200.0)
"""As mixtral-8x7b's. Source: mlperf.conf, mixtral-8x7b.Server."""


def _kind_of(style: Style) -> Kind:
    return "default" if style is Style.TEST else "validation"


def dataset(style: Style) -> Dataset:
    """300 rows for a test-style run, 1,500 for any other."""
    kind = _kind_of(style)
    made = rows.SCHEMA.samples(columns_of(nano.dataset(kind)), "the embedded dataset")
    return Dataset(made, f"the embedded {kind} set of {NAME}", load_reference(kind).rows_sha256)


def rules(style: Style) -> RoundWorkload:
    """Its gates in a round's form, from the float32 reference scores of the set.

    The validation set is large enough to be judged answer by answer.
    """
    kind = _kind_of(style)
    reference = load_reference(kind)
    return RoundWorkload(
        key=NAME,
        title=f"{NAME} (Assay's own, in no round)",
        suites=("datacenter",),
        required=("Offline",),
        one_of=(),
        dataset_samples=reference.samples,
        performance_samples=reference.samples,
        offline_min_queries=reference.samples,
        min_new_tokens=2,
        max_new_tokens=reference.max_new_tokens,
        latency={"Server": LATENCY},
        targets={metric: _target(reference, metric, kind) for metric in reference.scores},
        compliance=("TEST06",),
        result_key={
            "Offline": "result_tokens_per_second",
            "Server": "result_completed_tokens_per_second",
        },
        result_unit="Tokens/s",
        dataset_file="embedded",
        source=reference.source,
        paired_loss=1 - SHARE if kind == "validation" else None,
    )


def _target(reference: Reference, metric: str, kind: Kind) -> Target:
    """Gate of one metric: 99 % of the reference; on the default set 3 samples less if that is lower.

    Tokens per sample: 90 to 110 %.
    """
    value = reference.scores[metric]
    if metric == tokens.METRIC.id:
        low, high = (share * value for share in TOKENS_SHARE)
        return Target(metric, tokens.METRIC.unit, low, high, value, reference.source)
    slack = (1 - SHARE) * value
    if kind == "default":
        slack = max(slack, 100 * SLACK_SAMPLES / reference.counts[metric])
    return Target(metric, "%", value - slack, None, value, reference.source)


WORKLOAD = Workload(
    name=NAME,
    official="mixtral-8x7b",
    description="a few-million-parameter Mixtral that ships with Assay, over samples of the same three kinds",
    schema=rows.SCHEMA,
    scorers=SCORERS,
    official_results=official_results,
    loadgen_keys=dict.fromkeys((Scenario.OFFLINE, Scenario.SERVER), NAME),
    eos_id=2,
    own_rules=rules,
    own_checkpoint=nano.checkpoint_dir,
    own_dataset=dataset,
    checkpoint_hint="the embedded model is used unless --checkpoint names another",
    dataset_hint="the embedded dataset is used unless --dataset names another",
    note=f"{NAME} is Assay's own small workload; its figures say nothing about mixtral-8x7b",
    test_samples=None,
    defaults={"limits.batch": "64", "precision": "bfloat16"},
)
