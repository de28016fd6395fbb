"""The simulated prefix cache: blocks of 16 tokens, the last token always computed, salts kept apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.endpoint.mock.ask import MockAsk
from assay.endpoint.mock.prefixes import Prefixes


def ask(ids: tuple[int, ...], salt: str = "", *, caches: bool = True) -> MockAsk:
    return MockAsk(ids, 1, 0, False, (), salt, caches, True)


@pytest.mark.parametrize(
    ("tokens", "found"), [(0, 0), (1, 0), (16, 0), (17, 16), (32, 16), (33, 32), (40, 32)]
)
def test_whole_blocks_before_the_last_token_are_found_again(tokens: int, found: int) -> None:
    prefixes, ids = Prefixes(), tuple(range(tokens))
    assert prefixes.look_up(ask(ids)) == 0
    assert prefixes.look_up(ask(ids)) == found
    assert (prefixes.queries, prefixes.hits) == (2 * tokens, found)


def test_a_prompt_that_begins_alike_shares_its_beginning() -> None:
    prefixes = Prefixes()
    prefixes.look_up(ask(tuple(range(64))))
    assert prefixes.look_up(ask((*range(40), *[7] * 24))) == 32
    assert prefixes.look_up(ask((9, *range(1, 64)))) == 0


def test_the_same_block_after_another_beginning_is_not_the_same() -> None:
    prefixes, block = Prefixes(), tuple(range(16))
    prefixes.look_up(ask((*block, *block, 1)))
    assert prefixes.look_up(ask((*[5] * 16, *block, 1))) == 0


def test_a_salt_keeps_a_request_out_and_lets_its_own_in() -> None:
    prefixes, ids = Prefixes(), tuple(range(17))
    assert [prefixes.look_up(ask(ids, salt)) for salt in ("", "a", "b", "a", "")] == [0, 0, 0, 16, 16]


def test_one_that_asks_for_no_cache_is_counted_and_leaves_nothing() -> None:
    prefixes, ids = Prefixes(), tuple(range(17))
    assert [prefixes.look_up(ask(ids, caches=False)) for _ in range(2)] == [0, 0]
    assert prefixes.look_up(ask(ids)) == 0
    assert (prefixes.queries, prefixes.hits) == (51, 0)


def shared(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    """Whole blocks that both begin with, none of them with the last token of either."""
    blocks = 0
    for end in range(16, min(len(one), len(other)), 16):
        blocks = end if one[:end] == other[:end] else blocks
    return blocks


@given(st.lists(st.lists(st.integers(0, 1), max_size=3).map(lambda few: tuple(few) * 20), max_size=6))
def test_what_is_found_is_the_longest_beginning_that_was_seen(prompts: list[tuple[int, ...]]) -> None:
    prefixes = Prefixes()
    for number, ids in enumerate(prompts):
        longest = max((shared(ids, seen) for seen in prompts[:number]), default=0)
        assert prefixes.look_up(ask(ids)) == longest
