"""`assay compliance`: verdicts told, and the exit code that follows from them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from assay.bench import comply
from assay.cli import compliance
from assay.config import Scenario
from assay.ground.errors import ConfigError
from tests.cli.words import parsed
from tests.mlperf import run_folder


def log(folder: Path, count: int) -> Path:
    path = folder / "log.json"
    path.write_text(run_folder.answers(count))
    return path


@pytest.mark.parametrize(("count", "code"), [(100, 0), (0, 1)])
def test_a_log_is_verified_in_words(
    count: int, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = parsed(compliance, str(tmp_path), "--verify", str(log(tmp_path, count)))
    assert compliance.run(words) == code
    first, *rest = capsys.readouterr().out.splitlines()
    assert first.startswith("TEST06 Offline: ") and rest
    assert (tmp_path / "Offline/compliance/TEST06/verify_accuracy.txt").is_file()


@pytest.mark.parametrize("test", ["TEST06", "test06", None])
def test_the_test_may_be_named_in_any_case_and_is_06_otherwise(
    test: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    named = ["--test", test] if test else []
    words = parsed(compliance, str(tmp_path), "--verify", str(log(tmp_path, 100)), "--json", *named)
    assert compliance.run(words) == 0
    (name,) = told = json.loads(capsys.readouterr().out)["tests"]
    assert name == "TEST06 Offline" and told[name]["passed"] is True


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--scenario", "Ofline"], "unknown scenario 'Ofline'"),
        (["--test", "TEST99"], "TEST99"),
    ],
)
def test_what_is_not_known_is_named(more: list[str], words: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=words):
        compliance.run(parsed(compliance, str(tmp_path), "--verify", str(log(tmp_path, 100)), *more))


@pytest.mark.parametrize(("passed", "code"), [((True, True), 0), ((True, False), 1), ((), 0)])
def test_without_a_log_every_test_of_the_round_is_run_and_one_failure_is_enough(
    passed: tuple[bool, ...],
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    seen: list[Any] = []
    good = comply.verify(tmp_path, log(tmp_path, 100), "TEST06", Scenario.OFFLINE, None)
    bad = comply.verify(tmp_path, log(tmp_path, 0), "TEST06", Scenario.OFFLINE, None)

    def perform(folder: Path, reporter: Any, dataset: Path | None) -> dict[str, Any]:
        seen.append((folder, dataset))
        reporter.say("running TEST06")
        return {f"TEST06 {number}": good if each else bad for number, each in enumerate(passed)}

    monkeypatch.setattr(comply, "perform", perform)
    more = ["--compliance-dataset", str(tmp_path / "set.parquet")]
    assert compliance.run(parsed(compliance, str(tmp_path), *more)) == code
    said = capsys.readouterr()
    assert seen == [(tmp_path, tmp_path / "set.parquet")]
    assert [line for line in said.out.splitlines() if re.match(r"TEST06 \d:", line)] == [
        f"TEST06 {number}: {(good if each else bad).words}" for number, each in enumerate(passed)
    ]
    assert "running TEST06" in said.err
