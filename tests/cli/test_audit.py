"""`assay audit`: findings with their counts, and the exit code that follows from the errors alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.audit import audit as judge
from assay.cli import audit
from assay.ground.errors import AssayError
from tests import published
from tests.cli.words import parsed


def readme(folder: Path, text: str) -> str:
    path = folder / "README.md"
    path.write_text(text)
    return str(path)


def test_a_misstatement_is_an_error_with_its_place_and_fix(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = readme(tmp_path, published.report())
    assert audit.run(parsed(audit, path)) == 1
    said = capsys.readouterr().out
    assert audit.run(parsed(audit, path, "--json")) == 1
    told = json.loads(capsys.readouterr().out)
    counts = told["summary"]
    assert counts["errors"] == sum(one["severity"] == "error" for one in told["findings"]) > 0
    assert said.splitlines()[-1] == ", ".join(f"{count} {name}" for name, count in counts.items())
    assert all(one["message"] in said for one in told["findings"])


def test_a_right_report_has_nothing_to_say(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = readme(tmp_path, published.right())
    assert audit.run(parsed(audit, path)) == 0
    assert capsys.readouterr().out == "0 errors, 0 warnings, 0 notes\n"
    assert audit.run(parsed(audit, path, "--json")) == 0
    assert json.loads(capsys.readouterr().out)["findings"] == []


def test_a_folder_with_reports_is_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "deep").mkdir()
    readme(tmp_path / "deep", published.report())
    assert audit.run(parsed(audit, str(tmp_path))) == 1
    assert capsys.readouterr().out


def test_round_and_workload_are_handed_to_the_judge(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = readme(tmp_path, published.report())
    words = parsed(audit, path, "--round", "v5.1", "--workload", "mixtral-8x7b", "--json")
    audit.run(words)
    told = json.loads(capsys.readouterr().out)["findings"]
    assert told == [each.to_dict() for each in judge(Path(path), "v5.1", "mixtral-8x7b")]
    with pytest.raises(AssayError):
        audit.run(parsed(audit, readme(tmp_path, "# nothing here\n"), "--round", "no such round"))
