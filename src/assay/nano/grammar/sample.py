"""One generated sample, and the rule that says which split it may appear in.

Knows nothing of tokens or of the three grammars.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

Split = Literal["train", "test", "calibration"]
Subset = Literal["GSM8K", "OpenOrca", "MBXP"]

SUBSETS: tuple[Subset, ...] = ("GSM8K", "OpenOrca", "MBXP")
"""In the block order of the official data set."""


@dataclass(frozen=True)
class GeneratedSample:
    """A question with its one right answer.

    `content` is what the sample is about with all wording taken away (operations and operands, steps and
    constants, task and words): two samples with the same content are the same exercise.
    """

    subset: Subset
    question: str
    prompt: str
    answer: str
    truth: str
    content: str
    split: Split
    language: str = ""
    entry_point: str = ""


def share(text: str) -> float:
    """A number in [0, 1) that depends on nothing but `text`, the same on every machine."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big") / 2**48


def split_of(content: str, held_out: bool = False) -> Split:
    """The only split that may hold `content`; `held_out` combinations are never trained on."""
    where = share("split " + content)
    if held_out:
        return "test" if where < 0.8 else "calibration"
    if where < 0.85:
        return "train"
    return "test" if where < 0.97 else "calibration"
