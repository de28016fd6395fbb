from __future__ import annotations

import pytest

from assay.ground.count import counted


@pytest.mark.parametrize(
    ("count", "nouns", "said"),
    [
        (1, ("sample",), "1 sample"),
        (0, ("sample",), "0 samples"),
        (300, ("sample",), "300 samples"),
        (1, ("entry", "entries"), "1 entry"),
        (2, ("entry", "entries"), "2 entries"),
    ],
)
def test_a_noun_is_in_the_plural_but_for_one(count: int, nouns: tuple[str, ...], said: str) -> None:
    assert counted(count, *nouns) == said
