"""How often the model being trained would answer exactly right: its greedy choice at every place of the answer.

With the right answer so far as input, all choices right means that free greedy generation gives the same answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from assay.nano.batch import pack
from assay.nano.generator import distinct_samples
from assay.nano.grammar.sample import SUBSETS
from assay.nano.model import NanoModel
from assay.nano.tokenizer import encode_answer, encode_prompt

if TYPE_CHECKING:
    from tokenizers import Tokenizer

NUM_SAMPLES = 30
"""Of each subset; they only show how training goes."""


def exact_shares(model: NanoModel, tokenizer: Tokenizer, seed: int) -> dict[str, float]:
    """Percent of calibration samples of each subset that would be answered to the letter."""
    shares: dict[str, float] = {}
    for subset in SUBSETS:
        right = 0
        for sample in distinct_samples(subset, "calibration", NUM_SAMPLES, seed):
            pair = (encode_prompt(tokenizer, sample.prompt), encode_answer(tokenizer, sample.answer))
            batch = pack([pair])
            with torch.inference_mode():
                choice = model(batch, torch.bfloat16).logits_AV.argmax(dim=-1)
            right += bool((choice == batch.target_A).all())
        shares[subset] = round(100 * right / NUM_SAMPLES, 1)
    return shares
