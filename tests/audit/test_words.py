from __future__ import annotations

import pytest

from assay.audit.words import PRECISIONS, precision


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("fp16", "float16"),
        ("FP16", "float16"),
        ("bf16", "bfloat16"),
        ("fp32", "float32"),
        ("uint8", "int8"),
        ("fp8", "fp8"),
        ("Half", "half"),
        ("", ""),
    ],
)
def test_a_precision_has_one_spelling(word: str, name: str) -> None:
    assert precision(word) == name


def test_the_one_spelling_of_a_precision_is_itself() -> None:
    assert all(precision(name) == name for name in PRECISIONS.values())
