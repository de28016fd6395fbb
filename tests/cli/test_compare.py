"""`assay compare`: exit codes and output."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.cli import compare as verb
from assay.cli import main
from assay.ground.errors import ConfigError
from assay.mlperf.record.result import NoRunFolder
from tests import fakes
from tests.cli.words import parsed


@pytest.fixture
def two(tmp_path: Path) -> list[str]:
    """Two run folders of the same result, without requests.parquet."""
    for name in "ab":
        (tmp_path / name).mkdir()
        fakes.result().write(tmp_path / name)
    return [str(tmp_path / "a"), str(tmp_path / "b")]


@pytest.mark.parametrize(
    ("condition", "code"), [("tokens_per_s < 0.97x", 0), ("tokens_per_s > 0.97x", 1), ("x", 2)]
)
def test_the_exit_code_is_one_where_a_gate_fails(two: list[str], condition: str, code: int) -> None:
    assert main(["compare", *two, "--fail-if", "tokens_per_s < 0.5x", "--fail-if", condition]) == code


def test_json_is_one_object_and_markdown_names_both_runs(
    two: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", *two, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["b"] == two[1]
    assert main(["compare", *two]) == 0
    assert f"- A: {two[0]}" in capsys.readouterr().out


def test_a_folder_without_a_run_is_an_error(two: list[str], tmp_path: Path) -> None:
    assert main(["compare", two[0], str(tmp_path)]) == 2


def test_earlier_runs_beside_the_two_or_in_a_named_folder_set_the_noise(
    two: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def earlier() -> int | None:
        found = json.loads(capsys.readouterr().out)["performance"][0]["earlier"]
        return found and int(found["runs"])

    for folder, count in ((tmp_path, 3), (tmp_path / "other", 4)):
        for number in range(count):
            place = folder / f"run{number}"
            place.mkdir(parents=True)
            fakes.result().write(place)
    assert main(["compare", *two, "--json"]) == 0 and earlier() == 3
    assert main(["compare", *two, "--json", "--history", str(tmp_path / "other")]) == 0 and earlier() == 4
    assert main(["compare", *two, "--history", str(tmp_path / "nowhere")]) == 2


def test_a_condition_is_read_before_any_run_and_a_run_before_anything_is_written(
    two: list[str], tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    with pytest.raises(ConfigError, match="what < is < this"):
        verb.run(parsed(verb, str(tmp_path / "none"), two[1], "--fail-if", "what < is < this"))
    with pytest.raises(NoRunFolder, match="there is no folder"):
        verb.run(parsed(verb, str(tmp_path / "none"), two[1], "--html", str(page)))
    assert not page.exists()


def test_further_runs_of_a_side_are_named_by_their_number(
    two: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*two, "--and-a", two[0], "--and-a", two[1], "--fail-if", "tokens_per_s < 0.5x"]
    assert verb.run(parsed(verb, *words)) == 0
    out = capsys.readouterr().out
    assert f"- A: {two[0]} and 2 more" in out and "## Gates" in out
