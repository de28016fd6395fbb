"""Training batches: generated samples as token ids, laid end to end without padding.

Shape letters: N tokens of the batch, B samples, A answer tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from assay.nano.generator import training_stream
from assay.nano.tokenizer import encode_answer, encode_prompt

if TYPE_CHECKING:
    from tokenizers import Tokenizer


GROUP_SIZE = 12
"""Samples of about the same length that share one padded attention."""


@dataclass(frozen=True)
class SampleGroup:
    """Consecutive samples of a batch: `sample_N` counts from 0 within the group, `position_N` within a sample."""

    sample_N: Tensor
    position_N: Tensor
    num_samples: int
    length_max: int


@dataclass(frozen=True)
class TrainingBatch:
    """Whole samples by length, each its prompt followed by its answer (the last id of each is only a target).

    `source_A` are the places in N that must predict the answer ids `target_A`; `groups` cover N in order.
    """

    ids_N: Tensor
    position_N: Tensor
    source_A: Tensor
    target_A: Tensor
    groups: tuple[SampleGroup, ...]


def pack(pairs: list[tuple[list[int], list[int]]]) -> TrainingBatch:
    """One batch of (prompt ids, answer ids) pairs."""
    pairs = sorted(pairs, key=lambda pair: len(pair[0]) + len(pair[1]))
    lengths = [len(prompt) + len(answer) - 1 for prompt, answer in pairs]
    starts = np.cumsum([0, *lengths[:-1]])
    sources = [np.arange(s + len(p) - 1, s + n) for s, n, (p, _) in zip(starts, lengths, pairs)]
    return TrainingBatch(
        ids_N=torch.tensor([i for prompt, answer in pairs for i in prompt + answer[:-1]]),
        position_N=torch.from_numpy(np.concatenate([np.arange(n) for n in lengths])),
        source_A=torch.from_numpy(np.concatenate(sources)),
        target_A=torch.tensor([i for _, answer in pairs for i in answer]),
        groups=tuple(_group(lengths[i : i + GROUP_SIZE]) for i in range(0, len(lengths), GROUP_SIZE)),
    )


def _group(lengths: list[int]) -> SampleGroup:
    return SampleGroup(
        sample_N=torch.from_numpy(np.repeat(np.arange(len(lengths)), lengths)),
        position_N=torch.from_numpy(np.concatenate([np.arange(n) for n in lengths])),
        num_samples=len(lengths),
        length_max=max(lengths),
    )


def training_batch(tokenizer: Tokenizer, seed: int, step: int, num_samples: int) -> TrainingBatch:
    """The batch of a step: a function of seed and step alone, so that a resumed run sees what it would have seen."""
    samples = islice(training_stream(seed, start=step * num_samples), num_samples)
    return pack([(encode_prompt(tokenizer, s.prompt), encode_answer(tokenizer, s.answer)) for s in samples])
