"""Counts of rows decide which experts are read ahead and which are kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.engine.expert_use import LOYALTY, PRIOR_ROWS, ExpertUse


def test_before_any_row_all_experts_are_used_evenly() -> None:
    use = ExpertUse(2, 8, 2)
    assert use.share((1, 7)) == 0.25
    # 1 - 0.75 ** n reaches 0.9 at n = 9
    assert [len(use.likely(1, rows)) for rows in (1, 8, 9, 1000)] == [0, 0, 8, 8]


def test_the_one_expert_of_a_dense_model_is_wanted_by_every_row() -> None:
    assert ExpertUse(1, 1, 1).likely(0, 1) == [(0, 0)]


def test_an_expert_that_nobody_wants_is_soon_not_likely_any_more_and_one_that_all_want_is() -> None:
    use = ExpertUse(1, 4, 2)
    for _ in range(100):
        use.count(0, [100, 60, 40, 0])
    assert use.share((0, 0)) == pytest.approx((10_000 + PRIOR_ROWS / 2) / (10_000 + PRIOR_ROWS))
    assert use.likely(0, 1) == [(0, 0)]
    assert use.likely(0, 100) == [(0, 0), (0, 1), (0, 2)]


def test_the_most_used_of_all_layers_are_kept() -> None:
    use = ExpertUse(2, 4, 1)
    use.count(0, [700, 100, 100, 100])
    use.count(1, [0, 0, 400, 600])
    assert use.most_used(3, ()) == {(0, 0), (1, 2), (1, 3)}
    assert use.most_used(0, ()) == frozenset()


def test_an_expert_that_is_kept_stays_unless_another_is_clearly_used_more() -> None:
    use = ExpertUse(1, 2, 1)
    use.count(0, [500, 520])
    assert use.most_used(1, [(0, 0)]) == {(0, 0)} and use.most_used(1, ()) == {(0, 1)}
    use.count(0, [0, round(100 * LOYALTY)])
    assert use.most_used(1, [(0, 0)]) == {(0, 1)}


@given(st.lists(st.integers(0, 50), min_size=4, max_size=4), st.integers(0, 8))
def test_as_many_are_kept_as_there_is_room_for(rows: list[int], count: int) -> None:
    use = ExpertUse(2, 4, 2)
    use.count(0, [2 * each for each in rows])
    assert len(use.most_used(count, [(1, 0)])) == count
    assert sum(use.share((0, e)) for e in range(4)) == pytest.approx(2)
