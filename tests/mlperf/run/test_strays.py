"""An answer that nobody waits for is told by its sample, or as one that was never asked."""

from __future__ import annotations

import numpy as np
import pytest

from assay.mlperf.run import strays
from assay.mlperf.run.request_times import Stamps


@pytest.fixture
def issued() -> Stamps:
    """Samples 7 and 8 under the ids 100 and 200, and then sample 9 under 100 again."""
    stamps = Stamps()
    stamps.add(np.array([100, 200], np.uint64), np.array([7, 8], np.int32))
    stamps.add(np.array([100], np.uint64), np.array([9], np.int32))
    return stamps


@pytest.mark.parametrize(
    ("ids", "open_", "words"),
    [
        ([300], {100}, "a query that was never asked, with id 300"),
        ([200], {100}, "answered sample 8 twice"),
        ([100], set(), "answered sample 9 twice"),
        ([200, 100, 200], {100, 200}, "answered sample 8 twice"),
    ],
)
def test_a_stray_answer_is_named(issued: Stamps, ids: list[int], open_: set[int], words: str) -> None:
    assert words in strays.answer(ids, open_, issued).message


def test_a_second_first_token_is_named(issued: Stamps) -> None:
    said = strays.first_token([200, 100], {100}, issued)
    assert said.message == "the SUT reported a first token of sample 9 twice"
    assert "exactly once" in said.hint
