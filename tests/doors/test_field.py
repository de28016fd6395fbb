"""A setting of the config, and the words that ask for it."""

from __future__ import annotations

import argparse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.doors import config_options
from assay.doors.field import Field
from assay.mlperf.sut.option import BETWEEN

PLAIN = Field("paths.out", "--out", str, "where")
LISTED = Field("sut_options.env", "--env", str, "several", is_list=True)
SWITCH = Field("gate", "--gate", str, "yes or no", is_switch=True)


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        (PLAIN, "a b", ["--out", "a b"]),
        (PLAIN, "", ["--out", ""]),
        (PLAIN, f"a{BETWEEN}b", ["--out", f"a{BETWEEN}b"]),
        (LISTED, f"A=1{BETWEEN}B=2", ["--env", "A=1", "--env", "B=2"]),
        (LISTED, "A=1", ["--env", "A=1"]),
        (SWITCH, "yes", ["--gate"]),
        (SWITCH, "no", ["--no-gate"]),
    ],
)
def test_a_text_is_asked_for_by_words(field: Field, text: str, words: list[str]) -> None:
    assert field.words(text) == words


ENTRY = st.text(st.characters(codec="utf-8", exclude_characters=BETWEEN), min_size=1).filter(
    lambda t: t[0] != "-"
)


@given(st.lists(ENTRY, min_size=1, max_size=4))
def test_argparse_reads_the_words_of_a_list_as_what_they_were(entries: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument(LISTED.flag, action="append")
    assert parser.parse_args(LISTED.words(BETWEEN.join(entries))).env == entries


def test_every_field_of_the_options_has_its_own_flag_and_help() -> None:
    flags = [field.flag for field in config_options.FIELDS]
    assert len(set(flags)) == len(flags) and all(flag.startswith("--") for flag in flags)
    assert len({field.name for field in config_options.FIELDS}) == len(flags)
    assert all(field.help for field in config_options.FIELDS)
