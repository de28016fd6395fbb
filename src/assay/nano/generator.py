"""Samples of a split, as many as asked for, the same for the same seed on every machine.

Knows which grammar writes which subset; knows nothing of tokens.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from assay.nano.grammar.instruction import write_instruction
from assay.nano.grammar.problem import write_problem
from assay.nano.grammar.program import write_program
from assay.nano.grammar.sample import SUBSETS, GeneratedSample, Split, Subset
from assay.nano.grammar.step import LANGUAGES

WRITERS = {"GSM8K": write_problem, "OpenOrca": write_instruction, "MBXP": write_program}


def write_sample(subset: Subset, split: Split, seed: str) -> GeneratedSample:
    """The sample that `seed` stands for: the first of its random sequence that belongs to `split`."""
    rng = Random(seed)
    while True:
        sample = WRITERS[subset](rng)
        if sample.split == split:
            return sample


def training_stream(seed: int, start: int = 0) -> Iterator[GeneratedSample]:
    """Training samples without end, the subsets taking turns; `start` skips that many at no cost."""
    index = start
    while True:
        yield write_sample(SUBSETS[index % len(SUBSETS)], "train", f"{seed} train {index}")
        index += 1


def distinct_samples(subset: Subset, split: Split, count: int, seed: int) -> list[GeneratedSample]:
    """`count` samples of a subset, no exercise and no function name twice, the languages of MBXP taking turns."""
    found: list[GeneratedSample] = []
    seen: set[str] = set()
    index = 0
    while len(found) < count:
        sample = write_sample(subset, split, f"{seed} {split} {subset} {index}")
        index += 1
        marks = {sample.content, f"{sample.language} {sample.entry_point}"} - {" "}
        is_its_turn = not sample.language or sample.language == LANGUAGES[len(found) % len(LANGUAGES)]
        if is_its_turn and not marks & seen:
            seen |= marks
            found.append(sample)
    return found
