"""Errors of the library name arguments."""

from __future__ import annotations

from pathlib import Path

import pytest

import assay
from assay.bench import python_words
from assay.ground.errors import ConfigError

ARGUMENTS = frozenset(("samples", "out", "min_duration", "style", "submit", "rerun", "dataset"))
SWITCHES, OPTIONS = frozenset(("submit", "rerun")), frozenset(("url", "max_in_flight"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("--samples 8 or fewer", "samples=8 or fewer"),
        ("--out a new folder, or --rerun", "out=a new folder, or rerun=True"),
        ("--rerun replaces it", "rerun=True replaces it"),
        ("leave --samples out, or ask for --style test", "leave samples out, or ask for style=test"),
        ("--min-duration 3s is below 600 s", "min_duration=3s is below 600 s"),
        ("allow it, or --no-submit", "allow it, or submit=False"),
        (
            "--url URL; of a server --max-in-flight N",
            "sut_options url=URL; of a server sut_options max_in_flight=N",
        ),
        ("`assay bench --samples 8` shows --samples", "`assay bench --samples 8` shows samples"),
        ("--container podman", "--container podman"),
        ("see --dataset", "see dataset"),
        ("a -- b, --", "a -- b, --"),
        ("", ""),
    ],
)
def test_an_option_is_told_as_the_argument_that_it_is(text: str, said: str) -> None:
    assert python_words.translated(text, ARGUMENTS, SWITCHES, OPTIONS) == said


def test_the_library_names_its_arguments(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        assay.bench(sut="echo", samples=301, out=tmp_path / "run")
    assert caught.value.hint == "samples=300 or fewer"
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text("{}")
    with pytest.raises(ConfigError, match="not empty") as caught:
        assay.bench(sut="echo", samples=30, out=tmp_path / "run")
    assert "rerun=True replaces it; out=a new folder" in caught.value.hint
    assert f"`assay bench --resume {tmp_path / 'run'}` goes on" in caught.value.hint
    with pytest.raises(ConfigError) as caught:
        assay.bench(sut="endpoint", batch=8, sut_options={"url": "http://a:1"})
    assert caught.value.hint.startswith("sut_options max_in_flight=N")
