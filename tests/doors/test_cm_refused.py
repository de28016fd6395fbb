"""What upstream's benchmark recipes offer and Assay does not do is refused by name."""

from __future__ import annotations

import pytest

from assay.doors import cm_claims, cm_refused
from assay.doors.cm_refused import NotOffered, refuse


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        (" MultiStream ", "no MLPerf round measures a language model in MultiStream"),
        ("rocm", "Assay runs on cpu and cuda"),
        ("onnxruntime", "Assay runs models on pytorch"),
        ("llama2-70b-99.9", "Assay measures mixtral-nano, mixtral-8x7b"),
        ("nvidia", "Assay has the reference"),
        ("uint8", "no SUT of Assay computes in it"),
        ("r4.0-dev", "Assay measures nothing of rounds before v4.1"),
        ("power", "SPEC PTDaemon"),
    ],
)
def test_a_benchmark_that_is_not_offered_is_refused_with_its_reason(word: str, reason: str) -> None:
    with pytest.raises(NotOffered, match=reason) as error:
        refuse(word, "--tags")
    assert error.value.message.startswith("--tags: ")
    assert "--recipes=OWNER@NAME" in error.value.hint


@pytest.mark.parametrize(
    "word", ["offline", "server", "cpu", "cuda", "pytorch", "mixtral-8x7b", "r5.1", "", "_power"]
)
def test_what_assay_does_and_what_nobody_knows_is_not_refused(word: str) -> None:
    refuse(word, "--tags")


def test_a_variable_stands_for_a_variation_that_is_refused() -> None:
    assert set(cm_refused.REFUSED_KEYS.values()) <= set(cm_refused.REFUSED)


def test_a_variable_that_is_refused_is_claimed_so_that_it_is_not_told_as_unknown() -> None:
    assert cm_claims.unclaimed(dict.fromkeys(cm_refused.REFUSED_KEYS, "yes")) == []
