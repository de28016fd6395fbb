"""Another tool's record becomes a run folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.bench import foreign, foreign_logs, foreign_tools
from assay.ground import files
from assay.ground.errors import ConfigError
from assay.mlperf.record import result
from assay.mlperf.run import requests
from assay.report import compare, history, outcome, page, readme, summary
from assay.report.page import Shown
from assay.report.run_side import RunSide
from tests import fakes
from tests.bench.foreign_files import GUIDELLM, VLLM, logs


@pytest.fixture
def vllm(tmp_path: Path) -> foreign.ForeignRun:
    path = tmp_path / "vllm.json"
    path.write_text(json.dumps(VLLM))
    return foreign_tools.runs(VLLM, path)[0]


def test_the_folder_holds_record_text_rows_and_what_was_read(
    vllm: foreign.ForeignRun, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    made = foreign.write(vllm, out)
    assert result.read(out) == made
    assert (out / "source/vllm.json").read_text() == json.dumps(VLLM)
    assert made.files["source/vllm.json"] == files.sha256(out / "source/vllm.json")
    assert made.files.keys() == {"source/vllm.json", "requests.parquet", "README.md"}
    assert requests.read(out / "requests.parquet").num_rows == 3
    assert "vllm bench serve gives no verdict" in (out / "README.md").read_text()


def test_the_notes_say_whose_figures_these_are_and_what_they_mean(vllm: foreign.ForeignRun) -> None:
    made = foreign.result(vllm)
    assert any("every figure is vllm bench serve's own" in note for note in made.notes)
    assert "ttft: first token - sent" in made.notes
    assert "1 request failed, and no figure holds them" in made.notes
    assert made.used is not None and made.used.details["definitions"] == dict(vllm.definitions)


def test_a_folder_that_holds_something_is_left_alone(vllm: foreign.ForeignRun, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/kept").touch()
    with pytest.raises(ConfigError, match="is there already"):
        foreign.write(vllm, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["kept"]


def test_an_imported_run_can_be_shown_and_listed(vllm: foreign.ForeignRun, tmp_path: Path) -> None:
    made = foreign.write(vllm, tmp_path / "all/out")
    assert "60 tokens/s" in summary.render(made, 80)
    assert str(outcome.of(made)) == "nothing was judged"
    shown = page.render([Shown(made, requests.read(tmp_path / "all/out/requests.parquet"))])
    assert "<svg" in shown and "vllm bench serve" in shown
    (past,) = history.of(tmp_path / "all")
    assert history.rows([past], tmp_path / "all")[0][1] == "org/model"


def test_figures_of_other_definitions_are_said_to_be_no_one_figure(vllm: foreign.ForeignRun) -> None:
    other = foreign_tools.runs(GUIDELLM, Path("g.json"))[1]
    sides = [RunSide(run.tool, foreign.result(run), None) for run in (vllm, other)]
    warnings = compare.compare(*sides).warnings
    assert (
        "tpot is not one figure: (end - first token) / (tokens - 1) in A, (end - sent) / tokens in B"
        in warnings
    )
    assert not any(warning.startswith("ttft is") for warning in warnings)


def test_loadgens_logs_keep_loadgens_word_and_definitions(vllm: foreign.ForeignRun, tmp_path: Path) -> None:
    (run,) = foreign_logs.runs(logs(tmp_path / "m/Server/performance/run_1"))
    made = foreign.write(run, tmp_path / "out")
    assert str(outcome.of(made)) == "Server VALID"
    assert (made.round, made.loadgen.version) == ("v4.1", "4.1 @ abc")
    assert (tmp_path / "out/Server/performance/run_1/mlperf_log_detail.txt").is_file()
    warnings = compare.compare(RunSide("a", made, None), RunSide("b", foreign.result(vllm), None)).warnings
    assert "ttft is not one figure: first token - scheduled in A, first token - sent in B" in warnings


def test_nothing_is_said_that_nobody_asked_for(vllm: foreign.ForeignRun) -> None:
    made = foreign.result(vllm)
    text = page.render([Shown(made, None)])
    assert "float32" not in text and "Run it again" not in text
    assert 'class="verdict open"' in text and "what vllm bench serve says it ran with" in text
    assert "Run command" not in readme.render(made)
    own = RunSide("own", fakes.result(fakes.performance()), None)
    differences = compare.compare(RunSide("vllm", made, None), own).differences
    assert [each.a for each in differences if each.name.startswith("asked.")] == [
        "" for each in differences if each.name.startswith("asked.")
    ]
