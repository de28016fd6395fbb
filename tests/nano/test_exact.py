"""How often the model being trained would answer exactly right, with models of which that is known."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from assay.nano import exact
from assay.nano.batch import TrainingBatch
from assay.nano.grammar.sample import SUBSETS
from assay.nano.shipped import checkpoint_dir
from assay.nano.tokenizer import load_tokenizer


class Answering:
    """Chooses every id of the answer right, but for the last one in the share of samples that it spoils."""

    def __init__(self, spoil_every: int) -> None:
        self._spoil_every, self._asked = spoil_every, 0

    def __call__(self, batch: TrainingBatch, dtype: Any) -> Any:
        self._asked += 1
        logits = torch.nn.functional.one_hot(batch.target_A, 2000).float()
        if self._spoil_every and self._asked % self._spoil_every == 0:
            logits[-1] = logits[-1].roll(1)
        return SimpleNamespace(logits_AV=logits)


@pytest.mark.parametrize(("spoil_every", "share"), [(0, 100.0), (1, 0.0), (3, 66.7)])
def test_one_wrong_id_makes_an_answer_wrong(
    spoil_every: int, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exact, "NUM_SAMPLES", 6)
    tokenizer = load_tokenizer(checkpoint_dir())
    shares = exact.exact_shares(Answering(spoil_every), tokenizer, 1)  # type: ignore[arg-type]
    assert shares == dict.fromkeys(SUBSETS, share)
