"""`assay answers`: filters, formats and the page; what an answer is paired with is tested in tests/report."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from assay.cli import answers
from assay.config import Scenario
from assay.ground.errors import ArtifactError, ConfigError
from assay.mlperf.record.run_folder import RunFolder
from assay.report.answers import ShownAnswer
from tests.cli.words import parsed
from tests.report.test_answers import run, words

__all__ = ["run", "words"]  # fixtures


def found(folder: RunFolder, capsys: pytest.CaptureFixture[str], *more: str) -> list[dict[str, object]]:
    assert answers.run(parsed(answers, str(folder.path), "--json", *more)) == 0
    listed: list[dict[str, object]] = json.loads(capsys.readouterr().out)["answers"]
    return listed


def test_all_answers_are_listed_with_what_was_asked(
    run: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert {str(one["id"]) for one in found(run, capsys)} == {"row.0", "row.1", "row.2"}


@pytest.mark.parametrize(
    ("more", "ids"),
    [
        (["--subset", "GSM8K"], {"row.0", "row.1"}),
        (["--wrong"], {"row.1"}),
        (["--wrong", "--subset", "OpenOrca"], set()),
        (["--scenario", "offline"], {"row.0", "row.1", "row.2"}),
    ],
)
def test_a_part_can_be_asked_for(
    more: list[str], ids: set[str], run: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert {str(one["id"]) for one in found(run, capsys, *more)} == ids


def test_the_terminal_shows_each_and_counts_them(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    assert answers.run(parsed(answers, str(run.path), "--wrong")) == 0
    out = capsys.readouterr().out
    assert "The answer is 9" in out and out.splitlines()[-1] == "1 answer"


def test_a_page_is_written_beside_what_is_said(
    run: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    assert answers.run(parsed(answers, str(run.path), "--html", str(page))) == 0
    assert capsys.readouterr().out == f"3 answers: {page}\n"
    assert "The answer is 9" in page.read_text()
    page.unlink()
    assert len(found(run, capsys, "--html", str(page))) == 3 and page.exists()


@pytest.mark.parametrize(("scenario", "hint"), [("Ofline", "Offline"), ("x", "")])
def test_an_unknown_scenario_gets_its_nearest(scenario: str, hint: str, run: RunFolder) -> None:
    with pytest.raises(ConfigError, match="no scenario") as caught:
        answers.run(parsed(answers, str(run.path), "--scenario", scenario))
    assert hint.lower() in caught.value.hint.lower()


def test_a_scenario_that_was_not_run_is_an_error(run: RunFolder) -> None:
    with pytest.raises((ConfigError, ArtifactError)):
        answers.run(parsed(answers, str(run.path), "--scenario", Scenario.SERVER.value))


def test_a_folder_without_a_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError):
        answers.run(parsed(answers, str(tmp_path)))


def test_the_answers_are_plain_values(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    names = {field.name for field in dataclasses.fields(ShownAnswer)}
    assert all(one.keys() == names for one in found(run, capsys))
