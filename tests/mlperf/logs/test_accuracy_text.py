"""accuracy.txt in the printed form: which values are read of it."""

from __future__ import annotations

import pytest

from assay.mlperf.logs.accuracy_text import HASH, scores


@pytest.mark.parametrize(
    ("text", "metric", "expected"),
    [
        ("{'rouge1': 45.4911, 'rouge2': 23.2829}", "rouge2", [23.2829]),
        ("{'rouge1': '45.4911'}", "rouge1", [45.4911]),
        ("'gsm8k': 73.78", "gsm8k", [73.78]),
        ("'rouge1':45.4911", "rouge1", []),  # the official pattern asks for a blank
        ("'rouge1': 1.2.3", "rouge1", []),
        ("'rouge1': 44, again 'rouge1': 45", "rouge1", [44, 45]),
        ("'tokens_per_sample': 144.84", "tokens_per_sample", [144.84]),
    ],
)
def test_the_values_of_a_metric_are_read_as_checkers_read_them(
    text: str, metric: str, expected: list[float]
) -> None:
    assert scores(text, metric) == expected


def test_the_hash_must_stand_on_a_line_of_its_own() -> None:
    found = HASH.search("accuracy: 1\nhash=abc123\n")
    assert found is not None and found[1] == "abc123"
    assert HASH.search("no hash=abc123\n") is None
