from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.ground.errors import ConfigError
from assay.ground.names import BYTES_MAX, path_name


@pytest.mark.parametrize(
    "name", ["a", "mixtral-8x7b", "a b", "...", ".hidden", "-x", "käse", "x" * BYTES_MAX]
)
def test_a_name_that_can_stand_in_a_path_comes_back_as_it_is(name: str) -> None:
    assert path_name(name, "submitter") == name


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "is empty"),
        (" \t", "is empty"),
        (".", "leads to another folder"),
        ("..", "leads to another folder"),
        ("a/b", "leads to another folder"),
        ("/etc", "leads to another folder"),
        ("a\\b", "leads to another folder"),
        ("a\nb", "cannot be printed"),
        ("a\0", "cannot be printed"),
        ("\x1b[2J", "cannot be printed"),
        ("\u202ename", "cannot be printed"),
        ("\udcff", "cannot be printed"),
        ("x" * (BYTES_MAX + 1), "is longer than 200 bytes"),
        ("ä" * (BYTES_MAX // 2 + 1), "is longer than 200 bytes"),
    ],
)
def test_a_name_that_cannot_is_refused_with_its_reason(name: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason) as error:
        path_name(name, "submitter")
    assert error.value.message.startswith("submitter ")
    assert error.value.message.isprintable()


@given(st.text(max_size=12))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_taken_becomes_one_entry_of_the_folder(tmp_path: Path, name: str) -> None:
    try:
        taken = path_name(name, "name")
    except ConfigError:
        return
    place = tmp_path / "place"
    (place / taken).mkdir(parents=True)
    assert [entry.name for entry in place.iterdir()] == [taken]
    (place / taken).rmdir()
