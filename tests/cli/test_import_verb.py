"""`assay import` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.cli import guard, main
from assay.cli import import_verb as verb
from assay.ground.errors import ConfigError
from tests.bench.foreign_files import GUIDELLM, VLLM, logs
from tests.cli.words import parsed


def test_a_file_becomes_a_run_folder_that_can_be_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "v.json").write_text(json.dumps(VLLM))
    for name in ("a", "b"):
        assert main(["import", str(tmp_path / "v.json"), "--out", str(tmp_path / name)]) == 0
    assert "vllm bench serve, org/model, Server: nothing was judged" in capsys.readouterr().out
    assert (
        main(["compare", str(tmp_path / "a"), str(tmp_path / "b"), "--fail-if", "tokens_per_s < 0.97x"]) == 0
    )
    assert main(["report", str(tmp_path / "a"), "--html", str(tmp_path / "page.html")]) == 0
    assert main(["history", str(tmp_path)]) == 0


def test_several_runs_have_a_folder_each(tmp_path: Path) -> None:
    (tmp_path / "g.json").write_text(json.dumps(GUIDELLM))
    assert main(["import", str(tmp_path / "g.json"), "--out", str(tmp_path / "out")]) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["001-m", "002-m"]


def test_a_folder_of_logs_or_of_json_is_taken(tmp_path: Path) -> None:
    logs(tmp_path / "logs/m/Server/performance/run_1")
    assert main(["import", str(tmp_path / "logs"), "--out", str(tmp_path / "one")]) == 0
    assert (tmp_path / "one/result.json").is_file()
    (tmp_path / "json").mkdir()
    (tmp_path / "json/v.json").write_text(json.dumps(VLLM))
    assert main(["import", str(tmp_path / "json"), "--out", str(tmp_path / "two")]) == 0


@pytest.mark.parametrize("text", ["", "{", "[1]", "{}", '{"benchmarks": [{}]}'])
def test_what_is_of_no_tool_is_refused_and_makes_nothing(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.json").write_text(text)
    assert main(["import", str(tmp_path / "x.json"), "--out", str(tmp_path / "out")]) != 0
    assert "known: LoadGen's logs" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_what_assay_has_made_and_what_is_absent_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder, name in (("run", "result.json"), ("load", "load.json")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_text("{}")
    for folder, said in (
        ("run", "is a run folder already"),
        ("load", "holds what `assay load` measured"),
        ("absent", "there is no file or folder"),
    ):
        assert main(["import", str(tmp_path / folder), "--out", str(tmp_path / "out")]) != 0
        assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_empty_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    assert main(["import", str(tmp_path / "empty")]) != 0
    assert "neither logs of LoadGen nor JSON" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "is_ours"),
    [
        (["import", "results/"], True),
        (["import", "x.json"], True),
        (["import", "absent"], True),
        (["import"], True),
        (["import", "repo", "o@n"], False),
        (["import", "script"], False),
    ],
)
def test_import_is_ours_where_a_file_is_meant_and_cms_elsewhere(words: list[str], is_ours: bool) -> None:
    assert guard.is_ours(words) is is_ours


def test_runs_are_read_from_a_file_a_folder_of_them_or_logs(tmp_path: Path) -> None:
    (tmp_path / "g.json").write_text(json.dumps(GUIDELLM))
    (tmp_path / "v.json").write_text(json.dumps(VLLM))
    (tmp_path / "other.txt").write_text("")
    assert [run.tool for run in verb.runs_of(tmp_path / "v.json")] == ["vllm bench serve"]
    assert len(verb.runs_of(tmp_path)) == len(verb.runs_of(tmp_path / "g.json")) + 1 == 3
    logs(tmp_path / "logs/m/Server/performance/run_1")
    assert len(verb.runs_of(tmp_path)) == 1  # logs of LoadGen come before JSON
    with pytest.raises(ConfigError, match="there is no file or folder"):
        verb.runs_of(tmp_path / "absent.json")


def test_without_a_place_runs_go_below_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "v.json").write_text(json.dumps(VLLM))
    monkeypatch.chdir(tmp_path)
    assert verb.run(parsed(verb, "v.json", "--json")) == 0
    (told,) = json.loads(capsys.readouterr().out)["runs"]
    assert told["folder"] == "assay-runs/imported-v.json" and told["tool"] == "vllm bench serve"
    assert told["scenarios"] == ["Server"] and told["outcome"]
    assert (tmp_path / told["folder"] / "result.json").is_file()
