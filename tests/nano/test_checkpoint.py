"""The shipped checkpoint: what it weighs, that every expert works, and that damage to it shows in its answers."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest
import torch

from assay import nano
from assay.nano import greedy
from tests.nano.damage import DAMAGES, damaged_model, unharmed
from tests.nano.grading import right_answers

NUM_FAST = 24
LOSS_ALLOWED = 3
"""Samples of 100 that a sound run may lose against the float32 reference."""


def _fast_rows() -> list[dict[str, Any]]:
    rows = nano.dataset("default")
    return [*rows[:8], *rows[100:108], *rows[200:208]]


def test_the_checkpoint_is_small_and_the_card_tells_its_data_and_scores() -> None:
    folder = nano.checkpoint_dir()
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 16 * 2**20
    card = (folder / "MODEL_CARD.md").read_text()
    for word in ("seed", "Data", "Recipe", "Scores", "hours"):
        assert word in card
    for metric in ("rouge1", "gsm8k", "mbxp"):
        assert f"{nano.reference('validation').scores[metric]:.1f}" in card


def test_plain_transformers_answers_as_stored_in_any_batch() -> None:
    rows = _fast_rows()
    model = greedy.load_model(nano.checkpoint_dir())
    answers = greedy.answer_rows(model, rows, batch_size=NUM_FAST)
    assert [a.ids for a in answers] == [row["tok_ref_output"] for row in rows]
    assert all(a.stopped for a in answers)


def test_no_expert_is_dead_on_the_test_set() -> None:
    model = greedy.load_model(nano.checkpoint_dir())
    counts: dict[int, Counter[int]] = {}

    def count(layer: int) -> Any:
        def hook(module: Any, inputs: Any, output: Any) -> None:
            weights = module.weight
            chosen = (
                torch.nn.functional.linear(inputs[0].reshape(-1, weights.shape[1]), weights).topk(2).indices
            )
            counts.setdefault(layer, Counter()).update(chosen.flatten().tolist())

        return hook

    routers = [m for name, m in model.named_modules() if name.endswith("gate")]
    assert len(routers) == 4
    for layer, router in enumerate(routers):
        router.register_forward_hook(count(layer))
    with torch.inference_mode():
        for row in nano.dataset("default"):
            model(torch.tensor([row["tok_input"] + row["tok_ref_output"]]))
    for layer, found in counts.items():
        shares = [found[expert] / found.total() for expert in range(8)]
        assert min(shares) >= 0.04, (layer, shares)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_bfloat16_keeps_the_scores_in_any_batch_order(seed: int) -> None:
    rows = nano.dataset("default")
    order = Random(seed).sample(range(len(rows)), len(rows))
    model = greedy.load_model(nano.checkpoint_dir(), torch.bfloat16)
    right = right_answers(rows, greedy.answer_rows(model, rows, order=order))
    reference = nano.reference("default")
    for metric, value in right.items():
        assert value >= reference.scores[metric] - LOSS_ALLOWED, (metric, right)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*DAMAGES, "RoPE base x 0.1", "none"])
def test_planted_damage_costs_more_than_the_gate_allows(name: str) -> None:
    rows = nano.dataset("default")
    factor = 0.1 if name == "RoPE base x 0.1" else 1.0
    model = damaged_model(nano.checkpoint_dir(), DAMAGES.get(name, unharmed), factor)
    right = right_answers(rows, greedy.answer_rows(model, rows))
    reference = nano.reference("default")
    failed = [m for m, value in right.items() if value < reference.scores[m] - LOSS_ALLOWED]
    assert bool(failed) == (name != "none"), right
