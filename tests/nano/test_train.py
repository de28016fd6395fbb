"""Training repeats itself: same seed, same data, same losses; a resumed run goes on as if never stopped."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from assay.nano.batch import pack
from assay.nano.model import NanoModel
from assay.nano.shape import Shape
from assay.nano.train import Trainer, TrainingRecipe, parse, prepare_tokenizer, train


def _recipe(**changes: int) -> TrainingRecipe:
    return TrainingRecipe(
        **{
            "workers": 1,
            "warmup_steps": 1,
            "samples_per_step": 6,
            "tokenizer_samples": 600,
            "steps": 4,
            **changes,
        }
    )


def _losses(recipe: TrainingRecipe, folder: Path, steps: int) -> list[float]:
    folder.mkdir(exist_ok=True)
    torch.set_num_threads(1)
    trainer = Trainer(recipe, prepare_tokenizer(recipe, folder))
    return [trainer.advance() for _ in range(steps)]


def test_the_same_seed_gives_the_same_losses(tmp_path: Path) -> None:
    once = _losses(_recipe(), tmp_path / "a", 3)
    assert once == _losses(_recipe(), tmp_path / "b", 3)
    assert once != _losses(_recipe(seed=1), tmp_path / "a", 3)


@pytest.mark.slow
def test_the_first_200_steps_of_the_shipped_recipe_repeat_themselves(tmp_path: Path) -> None:
    recipe = TrainingRecipe(workers=1)
    assert _losses(recipe, tmp_path / "a", 200) == _losses(recipe, tmp_path / "b", 200)


def test_a_resumed_run_ends_with_the_weights_of_one_that_never_stopped(tmp_path: Path) -> None:
    lines: list[str] = []
    train(_recipe(steps=4, decay_steps=2), tmp_path / "whole", lines.append)
    # Its two steps have the same rate as the first two of the whole run, so lengthening it gives the whole run.
    train(_recipe(steps=2, decay_steps=1), tmp_path / "parts", lines.append)
    train(_recipe(steps=4, decay_steps=2), tmp_path / "parts", lines.append)
    whole, parts = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "parts"))
    assert whole == parts
    assert len((tmp_path / "parts/losses.jsonl").read_text().splitlines()) == 4
    assert any("min left" in line for line in lines)


def test_the_rate_rises_stays_and_falls() -> None:
    recipe = TrainingRecipe(steps=1000, warmup_steps=100, decay_steps=200, learning_rate=1.0)
    assert [recipe.rate(step) for step in (0, 99, 500, 800, 900, 999)] == [0.01, 1.0, 1.0, 1.0, 0.5, 0.005]


def test_only_answers_are_learnt_and_samples_do_not_see_each_other() -> None:
    torch.manual_seed(1)
    model = NanoModel(Shape(vocabulary=50, hidden=24, layers=2, heads=6, kv_heads=2, ffn=16))
    first, second = ([1, 1, 5, 6], [7, 8, 2]), ([1, 1, 9, 10, 11, 12], [13, 2])
    together = model(pack([second, first]))
    assert together.logits_AV.shape == (5, 50)
    alone = torch.cat([model(pack([pair])).logits_AV for pair in (first, second)])
    torch.testing.assert_close(together.logits_AV, alone, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(together.share_LE.sum(dim=1), torch.ones(2))


def test_losses_are_kept_as_one_number_a_line(tmp_path: Path) -> None:
    train(_recipe(steps=2), tmp_path, lambda line: None)
    assert all(
        isinstance(json.loads(line), float) for line in (tmp_path / "losses.jsonl").read_text().splitlines()
    )


def test_the_command_line_sets_the_recipe(tmp_path: Path) -> None:
    recipe, folder = parse(["--out", str(tmp_path), "--steps", "70", "--decay-steps", "20", "--seed", "9"])
    assert (recipe.steps, recipe.decay_steps, recipe.seed, folder) == (70, 20, 9, tmp_path)
