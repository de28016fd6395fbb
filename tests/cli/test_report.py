"""`assay report`: a run folder shown again."""

from __future__ import annotations

import html
import json
from pathlib import Path

import pytest

from assay.cli import main
from assay.cli import report as verb
from assay.mlperf.record.run_folder import RunFolder
from assay.mlperf.run import requests
from tests import fakes
from tests.cli.words import parsed
from tests.report import rows


def test_a_run_is_shown_again_with_its_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, target = RunFolder(tmp_path), tmp_path / "page.html"
    fakes.result().write(tmp_path)
    requests.write(run.requests, [rows.table()])
    assert main(["report", str(tmp_path), "--html", str(target)]) == 0
    said = capsys.readouterr().out
    assert (
        "Offline performance: 10 samples" in said
        and "1 score inside (part of the set), Offline VALID" in said
    )
    assert "<svg" in target.read_text()


def test_the_definitions_of_five_tools_are_shown_where_a_run_has_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = {"LoadGen": {"TTFT": 7.25}, "guidellm": {"ITL": 3.5}}
    fakes.result(fakes.performance(definitions=told), fakes.accuracy()).write(tmp_path)
    assert main(["report", str(tmp_path), "--definitions", "--html", str(tmp_path / "p.html")]) == 0
    shown = capsys.readouterr().out
    assert "Offline performance, by five tools' definitions" in shown and "LoadGen  guidellm" in shown
    assert "7.25" in shown and "accuracy, by five" not in shown
    assert "by five tools' definitions" in html.unescape((tmp_path / "p.html").read_text())
    fakes.result(fakes.performance()).write(tmp_path)
    assert main(["report", str(tmp_path), "--definitions"]) == 0
    assert "no run here tells its first tokens" in capsys.readouterr().out


def test_damaged_requests_cost_the_plots_and_not_the_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fakes.result().write(tmp_path)
    RunFolder(tmp_path).requests.write_bytes(b"PAR1")
    assert main(["report", str(tmp_path), "--html", str(tmp_path / "page.html")]) == 0
    assert "no plots" in capsys.readouterr().err
    assert "is no table of requests" in (tmp_path / "page.html").read_text()


def test_what_is_no_run_folder_is_an_error_that_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(tmp_path), "--html", str(tmp_path / "page.html")]) == 2
    assert "no result.json" in capsys.readouterr().err


def test_a_folder_without_a_run_says_what_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    load, inner = tmp_path / "load", tmp_path / "mine"
    for folder, name in ((load, "load.json"), (inner, "result.json")):
        folder.mkdir()
        (folder / name).write_text("{}")
    for path, said in (
        (load, "holds what `assay load` measured, not a run"),
        (tmp_path, "runs in it: mine"),
        (tmp_path / "nowhere", "there is no folder"),
        (tmp_path / "mien", "try: did you mean mine?"),
    ):
        assert main(["report", str(path)]) == 2
        assert said in capsys.readouterr().err
    assert main(["check", str(load)]) == 2
    assert "not a submission tree" in capsys.readouterr().err
    assert not (tmp_path / "page.html").exists() and not RunFolder(tmp_path).readme.exists()


@pytest.mark.parametrize("verb", ["report", "report --json", "compare RUN", "history"])
def test_what_shows_a_run_changes_nothing_in_its_folder(
    verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    fakes.result().write(run)
    RunFolder(run).readme.write_text("# mine\n")
    before = state_of(run)
    name, *more = [str(run) if word == "RUN" else word for word in verb.split()]
    assert main([name, str(run), *more]) == 0 and capsys.readouterr().out
    assert state_of(run) == before


def state_of(folder: Path) -> dict[Path, tuple[int, int, bytes]]:
    """Each file below a folder: when it was written, which one it is, and its content."""
    found = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {path: (path.stat().st_mtime_ns, path.stat().st_ino, path.read_bytes()) for path in found}


def test_a_record_of_schema_1_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = fakes.result().to_dict() | {"schema_version": 1, "model": {}}
    record["used"] = {**record["used"], "details": {"notes": ["slow kernels"]}}
    del record["used"]["notes"]
    RunFolder(tmp_path).result.write_text(json.dumps(record))
    assert main(["report", str(tmp_path), "--html", str(tmp_path / "page.html")]) == 0
    assert (
        "slow kernels" in capsys.readouterr().out and "slow kernels" in (tmp_path / "page.html").read_text()
    )


@pytest.mark.parametrize(("has_browser", "hint"), [(True, ""), (False, "no browser was found here")])
def test_open_makes_the_page_in_the_run_folder_and_shows_it(
    has_browser: bool,
    hint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda address: opened.append(address) or has_browser)
    fakes.result().write(tmp_path)
    assert main(["report", str(tmp_path), "--open"]) == 0
    assert opened == [RunFolder(tmp_path).page.as_uri()]
    assert RunFolder(tmp_path).page.read_text().startswith("<!DOCTYPE html>")
    assert hint in capsys.readouterr().err


def test_nothing_is_opened_that_was_not_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webbrowser.open", lambda address: pytest.fail(f"opened {address}"))
    fakes.result().write(tmp_path)
    assert main(["report", str(tmp_path), "--html", str(tmp_path / "x.html")]) == 0
    assert not RunFolder(tmp_path).page.exists()


def test_a_history_and_a_comparison_have_a_page_beside_what_they_print(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, target = tmp_path / "all/run", tmp_path / "page.html"
    run.mkdir(parents=True)
    fakes.result().write(run)
    assert main(["history", str(tmp_path / "all"), "--html", str(target)]) == 0
    assert "<h1>History</h1>" in target.read_text()
    assert main(["compare", str(run), str(run), "--html", str(target), "--json"]) == 0
    assert "<h1>Comparison</h1>" in target.read_text()
    assert json.loads(capsys.readouterr().out.strip().splitlines()[-1])["differences"] == []


def test_several_runs_are_one_page_and_one_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = [tmp_path / name for name in "ab"]
    for folder in folders:
        folder.mkdir()
        fakes.result().write(folder)
    page = tmp_path / "page.html"
    assert verb.run(parsed(verb, *map(str, folders), "--html", str(page), "--json")) == 0
    told = json.loads(capsys.readouterr().out)
    assert [run["folder"] for run in told["runs"]] == [str(folder) for folder in folders]
    assert told["page"] == str(page) and all(run["outcome"] for run in told["runs"])
    assert not any(RunFolder(folder).readme.exists() for folder in folders)
    assert verb.run(parsed(verb, str(folders[0]), "--json")) == 0
    assert json.loads(capsys.readouterr().out)["page"] is None


def test_a_readme_is_named_where_there_is_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fakes.result().write(tmp_path)
    readme = RunFolder(tmp_path).readme
    for has_one in (False, True):
        assert verb.run(parsed(verb, str(tmp_path))) == 0
        assert (str(readme) in capsys.readouterr().out) == has_one
        readme.write_text("# mine\n")


def test_a_page_shows_what_the_check_of_the_tree_found(tmp_path: Path) -> None:
    fakes.result().write(tmp_path)
    page = tmp_path / "page.html"
    RunFolder(tmp_path).tree.mkdir(parents=True)
    (RunFolder(tmp_path).tree / "nonsense").mkdir()
    assert verb.run(parsed(verb, str(tmp_path), "--html", str(page))) == 0
    with_tree = page.read_text()
    (RunFolder(tmp_path).tree / "nonsense").rmdir()
    RunFolder(tmp_path).tree.rmdir()
    assert verb.run(parsed(verb, str(tmp_path), "--html", str(page))) == 0
    assert "nonsense" in with_tree and "nonsense" not in page.read_text()


def test_a_report_needs_a_run() -> None:
    from assay.ground.errors import ConfigError

    with pytest.raises(ConfigError, match="RUN"):
        parsed(verb)
