from __future__ import annotations

import pytest

from assay.cli.verbs import CM_VERBS, VERBS
from assay.ground.nearness import nearest

OPTIONS = [
    "--scenario",
    "--sut",
    "--submitter",
    "--round",
    "--style",
    "--out",
    "--checkpoint",
    "--target-qps",
]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("--scenaro", "--scenario"),
        ("--target_qps", "--target-qps"),
        ("--Style", "--style"),
        ("--out-dir", "--out"),
        ("--check", "--checkpoint"),
        ("--chekpiont", "--checkpoint"),
        ("--submiter", "--submitter"),
        ("--subbmiter", "--submitter"),
    ],
)
def test_a_slip_of_the_hand_is_near(word: str, meant: str) -> None:
    assert nearest(word, OPTIONS) == [meant]


@pytest.mark.parametrize(
    "word", ["--url", "--resume", "--dry-run", "--seed", "--yes", "--list", "--model", "-v", ""]
)
def test_another_word_is_not_near_however_few_there_are(word: str) -> None:
    assert nearest(word, OPTIONS) == []


def test_nothing_is_near_an_empty_word() -> None:
    assert nearest("", ["-h", "a"]) == []


@pytest.mark.parametrize("word", ["serve", "upload", "gate"])
def test_another_verb_is_not_near(word: str) -> None:
    assert nearest(word, [*VERBS, *CM_VERBS]) == []


def test_a_beginning_names_all_that_begin_so() -> None:
    assert nearest("mixtral", ["mixtral-nano", "mixtral-8x7b", "llama"]) == ["mixtral-8x7b", "mixtral-nano"]
