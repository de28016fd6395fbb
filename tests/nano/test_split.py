"""Which exercise may appear where: never in two splits, and by its content alone."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.nano.grammar import words
from assay.nano.grammar.sample import share, split_of


@given(st.text())
def test_a_share_is_a_number_from_0_to_below_1(text: str) -> None:
    assert 0 <= share(text) < 1
    assert share(text) == share(text)


def test_a_share_is_the_first_48_bits_of_the_digest() -> None:
    digest = hashlib.sha256(b"abc").hexdigest()  # ba7816bf8f01cfea..., FIPS 180-2 appendix B.1
    assert digest.startswith("ba7816bf8f01")
    assert share("abc") == 0xBA7816BF8F01 / (1 << 48)


def test_splits_have_their_shares() -> None:
    counts = {"train": 0, "test": 0, "calibration": 0}
    for number in range(4000):
        counts[split_of(f"content {number}")] += 1
    assert counts["train"] / 4000 == pytest.approx(0.85, abs=0.02)
    assert counts["test"] / 4000 == pytest.approx(0.12, abs=0.02)
    assert counts["calibration"] / 4000 == pytest.approx(0.03, abs=0.01)


def test_what_is_held_out_is_never_trained_on() -> None:
    splits = [split_of(f"content {number}", held_out=True) for number in range(1000)]
    assert set(splits) == {"test", "calibration"}
    assert splits.count("test") / 1000 == pytest.approx(0.8, abs=0.04)


LISTS = {name: value for name, value in vars(words).items() if name.isupper()}


@pytest.mark.parametrize("name", sorted(LISTS))
def test_no_word_stands_twice_in_a_list(name: str) -> None:
    value = LISTS[name]
    lists = value.values() if name == "GROUPS" else [list(value)]
    for found in lists:
        assert len(found) == len(set(found)) > 1
        assert all(word.isascii() and word.isalpha() for word in found)


def test_a_thing_belongs_to_one_group() -> None:
    members = [word for group in words.GROUPS.values() for word in group]
    assert len(members) == len(set(members))
