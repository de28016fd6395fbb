from __future__ import annotations

from pathlib import Path

import pytest
import torch

from assay.config import Precision
from assay.engine.families import read_model_config
from assay.engine.ops import Ops
from assay.engine.ops.plain import PlainOps
from assay.engine.sampling import greedy

NONE: frozenset[int] = frozenset()


@pytest.fixture(scope="module")
def ops(small_checkpoint: Path) -> Ops:
    return PlainOps(Precision.FLOAT32, read_model_config(small_checkpoint))


@pytest.mark.parametrize(
    ("logits", "banned", "token"),
    [
        ([0.0, 3.0, 1.0], NONE, 1),
        ([0.0, 3.0, 3.0], NONE, 1),  # of equal ones the smallest id
        ([0.0, 3.0, 1.0], frozenset({1}), 2),
        ([0.0, 3.0, 1.0], frozenset({1, 2}), 0),
        ([0.0, 3.0, 1.0], frozenset({1, 77}), 2),  # an id beyond the vocabulary bans nothing
        ([0.0, 1.0, 3.0], frozenset({-1}), 2),  # nor does one below it
        ([-5.0, -4.0, -6.0], frozenset({1}), 0),
        ([-5.0, float("nan"), 9.0], NONE, -1),
        ([9.0, float("nan"), float("nan")], frozenset({1}), -1),
    ],
)
def test_the_greatest_that_is_allowed_is_chosen(
    logits: list[float], banned: frozenset[int], token: int, ops: Ops
) -> None:
    assert greedy(torch.tensor([logits]), [banned], ops) == [token]


def test_each_row_has_its_own_bans(ops: Ops) -> None:
    logits = torch.tensor([[1.0, 2.0, 3.0]] * 3)
    assert greedy(logits, [frozenset({2}), NONE, frozenset({1, 2})], ops) == [1, 2, 0]


def test_a_step_without_a_sampled_row_chooses_nothing(ops: Ops) -> None:
    assert greedy(torch.empty(0, 3), [], ops) == []
