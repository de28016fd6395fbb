"""The parity check itself: it passes what is equal, and it notices what is not."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from assay.config import Precision
from assay.engine import parity
from assay.engine.config import EngineConfig
from assay.engine.families import read_model_config


@pytest.fixture(scope="module")
def traces(small_checkpoint: Path) -> list[parity.Trace]:
    prompts = parity.random_prompts(read_model_config(small_checkpoint), 8, 12)
    return parity.reference_traces(small_checkpoint, prompts, 12, lambda _: None)


def compare(checkpoint: Path, traces: list[parity.Trace], precision: Precision) -> parity.ParityReport:
    return parity.compare(EngineConfig(checkpoint, precision), traces, [1, 3, 8], lambda _: None)


def test_float32_gives_the_same_tokens_at_every_batch_size(
    small_checkpoint: Path, traces: list[parity.Trace]
) -> None:
    report = compare(small_checkpoint, traces, Precision.FLOAT32)
    assert report.holds and report.precision == "float32"
    assert [(g.batch, g.shuffled) for g in report.generated] == [
        (1, False),
        (3, False),
        (8, False),
        (8, True),
    ]
    assert all(g.same + g.close_calls == 8 and not g.diverged for g in report.generated)
    assert report.scored.agreement == 1 and report.scored.logit_error_max < 1e-3


@pytest.mark.parametrize("precision", [Precision.FLOAT32, Precision.BFLOAT16])
def test_keys_and_values_in_int8_are_near_and_are_held_to_the_agreement_of_lower_precisions(
    small_checkpoint: Path, traces: list[parity.Trace], precision: Precision
) -> None:
    """Random weights amplify rounding, and more where a head has few channels: 16 here."""
    config = EngineConfig(small_checkpoint, precision, kv_precision="int8", kernels="torch")
    report = parity.compare(config, traces, [3], lambda _: None)
    assert (report.precision, report.kv_precision) == (precision.value, "int8")
    assert report.scored.agreement >= 0.85
    assert 1e-6 < report.scored.kl_mean < 0.1
    assert report.holds is (report.scored.agreement >= parity.AGREEMENT_MIN)


@pytest.mark.parametrize(("precision", "error"), [(Precision.BFLOAT16, 0.05), (Precision.INT8, 0.2)])
def test_lower_precisions_are_near(
    small_checkpoint: Path, traces: list[parity.Trace], precision: Precision, error: float
) -> None:
    """Error relative to the spread of the reference's logits; random weights amplify rounding."""
    report = compare(small_checkpoint, traces, precision)
    spread = float(torch.cat([t.logits_NV for t in traces]).std())
    assert report.precision == precision.value
    assert report.scored.kl_mean < error * spread and report.scored.agreement > 0.85


def test_a_divergence_counts_unless_the_reference_hardly_decided(
    small_checkpoint: Path, traces: list[parity.Trace]
) -> None:
    wrong = (traces[0].tokens[0] + 1, *traces[0].tokens[1:])
    sure = [replace(traces[0], tokens=wrong, is_close=(False,) * 12), *traces[1:]]
    unsure = [replace(traces[0], tokens=wrong, is_close=(True,) * 12), *traces[1:]]
    report = compare(small_checkpoint, sure, Precision.FLOAT32)
    assert not report.holds and report.generated[0].diverged == ((0, 0),)
    lenient = compare(small_checkpoint, unsure, Precision.FLOAT32)
    assert lenient.holds and lenient.generated[0].close_calls >= 1


def test_a_checkpoint_of_odd_widths_that_wishes_for_penalties_is_held_against_plain_greedy_tokens(
    tmp_path: Path, make_checkpoint: Callable[..., Path]
) -> None:
    checkpoint = make_checkpoint(tmp_path, hidden_size=66, intermediate_size=33, head_dim=24)
    wishes = {"repetition_penalty": 50.0, "no_repeat_ngram_size": 1, "eos_token_id": list(range(96))}
    (checkpoint / "generation_config.json").write_text(json.dumps(wishes))
    prompts = parity.random_prompts(read_model_config(checkpoint), 3, 6)
    found = parity.reference_traces(checkpoint, prompts, 6, lambda _: None)
    assert [t.tokens for t in found] == [tuple(t.logits_NV.argmax(-1).tolist()) for t in found]
    assert compare(checkpoint, found, Precision.FLOAT32).holds


def test_the_first_difference_is_found() -> None:
    assert parity.first_difference((1, 2, 3), (1, 2, 3)) is None
    assert parity.first_difference((1, 2, 3), (1, 5, 3)) == 1


def test_a_dense_model_has_no_routing_that_could_be_close(
    tmp_path: Path, make_checkpoint: Callable[..., Path]
) -> None:
    checkpoint = make_checkpoint(tmp_path, model_type="llama")
    prompts = parity.random_prompts(read_model_config(checkpoint), 4, 6)
    traces = parity.reference_traces(checkpoint, prompts, 6, lambda _: None)
    report = parity.compare(EngineConfig(checkpoint, Precision.FLOAT32), traces, [1, 4], lambda _: None)
    assert report.holds
    assert report.scored.logit_error_max < 1e-3
