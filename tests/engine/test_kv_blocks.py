"""Block accounting: no block is shared, lost or freed twice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.engine.kv_blocks import KvBlocks, blocks_for


@pytest.mark.parametrize(("tokens", "blocks"), [(0, 0), (1, 1), (16, 1), (17, 2), (160, 10)])
def test_the_last_block_may_be_partly_filled(tokens: int, blocks: int) -> None:
    assert blocks_for(tokens) == blocks


@given(st.lists(st.integers(0, 5), max_size=40), st.randoms(use_true_random=False))
def test_blocks_are_never_shared_and_all_come_back(sizes: list[int], random) -> None:  # type: ignore[no-untyped-def]
    pool, owners = KvBlocks(12), []
    for size in sizes:
        if size <= pool.num_free:
            owners.append(pool.take(size))
        elif owners:
            pool.give_back(owners.pop(random.randrange(len(owners))))
        held = [block for owner in owners for block in owner]
        assert len(held) == len(set(held)) == pool.num_used
    for owner in owners:
        pool.give_back(owner)
    assert pool.num_free == 12


def test_freeing_a_block_twice_is_a_bug_that_is_caught() -> None:
    pool = KvBlocks(2)
    (block,) = pool.take(1)
    pool.give_back([block])
    with pytest.raises(AssertionError, match="freed twice"):
        pool.give_back([block])
