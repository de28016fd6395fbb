from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given as given_any
from hypothesis import strategies as st

from assay.ground import paths
from assay.ground.errors import ConfigError
from assay.ground.paths import given, source


def test_a_path_is_absolute_and_has_no_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/me")
    assert given("a/b") == tmp_path / "a" / "b"
    assert given("~/runs") == Path("/home/me/runs")
    assert given("/x/../y") == Path("/x/../y")  # a link may stand there: not resolved
    assert given(Path()) == tmp_path


def test_a_byte_that_is_no_utf_8_stays_in_the_path() -> None:
    assert given("/a\udcff") == Path("/a\udcff")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "an empty text is no path"),
        ("a\0b", "it holds a NUL"),
        ("\ud800", "surrogates not allowed"),
        ("~nobody-of-this-name/x", "is no path"),
    ],
)
def test_what_no_file_system_takes_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        given(text)


@given_any(st.text(max_size=20))
def test_any_text_is_an_absolute_path_or_one_kind_of_error(text: str) -> None:
    try:
        assert given(text).is_absolute()
    except ConfigError as error:
        assert error.hint


def test_what_lies_beside_a_path_under_a_name_like_its_is_offered(tmp_path: Path) -> None:
    for name in ("run.yaml", "notes.txt"):
        (tmp_path / name).touch()
    assert paths.near(tmp_path / "run.yml") == "did you mean run.yaml?"
    assert paths.near(tmp_path / "tree") == paths.near(tmp_path / "nowhere/run.yml") == ""


def test_what_may_never_end_is_no_source(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zeros").symlink_to("/dev/zero")
    for name, kind in (("pipe", "named pipe"), ("zeros", "device")):
        with pytest.raises(ConfigError, match=f"{name} is a {kind}, no file"):
            source(tmp_path / name)
    with pytest.raises(ConfigError, match="an empty text is no path"):
        source("")


def test_what_a_shell_hands_over_a_file_and_nothing_are_sources(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (Path("/dev/stdin"), Path("/dev/null"), tmp_path / "file", tmp_path, tmp_path / "gone"):
        assert source(path) == path
