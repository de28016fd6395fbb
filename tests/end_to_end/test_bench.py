"""`assay bench` through its own door: real LoadGen, real processes, answers known beforehand (echo)."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assay.bench import answer_lengths
from assay.cli import main
from assay.config import Scenario
from assay.ground.errors import EnvironmentProblem
from assay.ground.files import sha256
from assay.mlperf.record import result
from assay.mlperf.run import target_rate
from assay.mlperf.run.session import Session
from tests.end_to_end import rows, small_mixtral

pytestmark = pytest.mark.usefixtures("loadgen")


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rows.tokenizer(tmp_path_factory.mktemp("words"))


def bench(words: Path, data: Path, out: Path, *more: str) -> int:
    asked = ["bench", "mixtral-8x7b", "--sut", "echo", "--checkpoint", str(words), "--dataset", str(data)]
    return main([*asked, "--out", str(out), *more])


def scores(folder: Path) -> dict[str, Any]:
    run = result.read(folder).find("Offline", "accuracy")
    assert run is not None
    return {score.metric: score for score in run.scores}


def test_both_scenarios_and_modes_in_one_job(words: Path, tmp_path: Path) -> None:
    data, out = rows.write(tmp_path / "d.jsonl", words), tmp_path / "run"
    assert bench(words, data, out, "--scenario", "offline,server", "--target-qps", "50") == 0
    made = result.read(out)
    assert [(run.scenario, run.mode) for run in made.runs] == [
        ("Offline", "performance"),
        ("Offline", "accuracy"),
        ("Server", "performance"),
        ("Server", "accuracy"),
    ]
    assert made.status == result.Status.COMPLETE
    assert made.is_fake
    for run in made.runs:
        assert run.samples == len(rows.ROWS)
        for log in ("mlperf_log_detail.txt", "mlperf_log_summary.txt", "mlperf_log_accuracy.json"):
            assert f"{run.folder}/{log}" in made.files
        for figure in run.figures:
            assert figure.file in made.files
    server = made.find("Server", "performance")
    assert server is not None
    ttft, tpot = server.figure("ttft_p99"), server.figure("tpot_p99")
    assert ttft is not None and 0 < ttft.value < 2000
    assert tpot is not None and 0 <= tpot.value < 200
    assert "FAKE" in (out / "README.md").read_text()
    assert {name: sha256(out / name) for name in made.files} == made.files
    assert "README.md" in made.files and "result.json" not in made.files


def test_a_fake_is_not_submitted_unless_that_is_asked_for_and_then_marked(
    words: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = rows.write(tmp_path / "d.jsonl", words), tmp_path / "run"
    assert bench(words, data, out, "--submit") == 2
    assert "--allow-fake" in capsys.readouterr().err
    assert not out.exists()
    assert bench(words, data, out, "--submit", "--allow-fake", "--division", "open") == 0
    assert any("FAKE RUN" in path.read_text() for path in (out / "submission").rglob("README.md"))


def test_reference_answers_score_100_and_each_planted_wrong_one_costs_exactly_one(
    words: Path, tmp_path: Path
) -> None:
    right = rows.write(tmp_path / "right.parquet", words)
    assert bench(words, right, tmp_path / "right", "--mode", "accuracy") == 0
    found = scores(tmp_path / "right")
    assert (found["rouge1"].value, found["rougeL"].value, found["gsm8k"].value) == (100, 100, 100)
    wrong = rows.write(tmp_path / "wrong.parquet", words, {"train.2": "The answer is 6"})
    assert bench(words, wrong, tmp_path / "wrong", "--mode", "accuracy") == 0
    assert scores(tmp_path / "wrong")["gsm8k"].value == 50
    assert scores(tmp_path / "wrong")["rouge1"].value == 100


@pytest.mark.usefixtures("sandbox")
def test_programs_are_run_and_a_wrong_one_fails(words: Path, tmp_path: Path) -> None:
    right = rows.write(tmp_path / "right.pkl.jsonl", words)
    assert bench(words, right, tmp_path / "right", "--mode", "accuracy") == 0
    assert scores(tmp_path / "right")["mbxp"].value == 100
    bad = {"python_double": rows.PROGRAM.replace("2 *", "3 *") + rows.STOP}
    wrong = rows.write(tmp_path / "wrong.jsonl", words, bad)
    assert bench(words, wrong, tmp_path / "wrong", "--mode", "accuracy") == 0
    assert scores(tmp_path / "wrong")["mbxp"].value == 0


def test_without_a_sandbox_programs_are_ungraded_never_wrong(
    words: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    data = rows.write(tmp_path / "d.jsonl", words)
    assert bench(words, data, tmp_path / "run", "--mode", "accuracy") == 0
    mbxp = scores(tmp_path / "run")["mbxp"]
    assert mbxp.value is None
    assert mbxp.ungraded == 1
    assert mbxp.met is None
    assert "not measured" in (tmp_path / "run" / "README.md").read_text()


def test_the_json_is_the_last_line_and_is_the_result(
    words: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = rows.write(tmp_path / "d.jsonl", words)
    assert (
        bench(words, data, tmp_path / "run", "--mode", "performance", "--submit", "--allow-fake", "--json")
        == 0
    )
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["schema_version"] == result.SCHEMA_VERSION
    assert told["submission"]["results"] == 1
    assert (tmp_path / "run" / "submission.tar.gz").is_file()


def test_a_run_that_a_wrong_probe_made_too_short_is_repeated_with_the_rate_it_reached(
    words: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Session, "probe", lambda _session, _count: 1.0)
    data, out = rows.write(tmp_path / "d.jsonl", words), tmp_path / "run"
    asked = ["--style", "fast", "--mode", "performance", "--min-duration", "1s", "--pace", "60", "--gate"]
    assert bench(words, data, out, *asked) == 0
    made = result.read(out)
    assert [run.validity for run in made.runs] == ["VALID"]
    assert made.runs[0].seconds >= 1.0
    assert "INVALID" in (out / "Offline/first_try/run_1/mlperf_log_summary.txt").read_text()
    assert any("run again at" in note for note in made.notes)


def test_a_target_that_was_asked_for_is_kept_and_the_gate_ends_with_1(
    words: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = rows.write(tmp_path / "d.jsonl", words)
    asked = ["--style", "fast", "--mode", "performance", "--min-duration", "300s", "--target-qps", "1"]
    assert bench(words, data, tmp_path / "shown", *asked) == 0
    assert "Offline INVALID; not a failure without --gate" in " ".join(
        capsys.readouterr().out.splitlines()[-1].split()
    )
    assert bench(words, data, tmp_path / "gated", *asked, "--gate") == 1
    reached = result.read(tmp_path / "gated").runs[0].figure("samples_per_s")
    assert reached is not None
    target = target_rate.below_or_above(Scenario.OFFLINE, reached.value)
    assert f"try: --target-qps {target:g}" in capsys.readouterr().out


def test_a_finished_run_is_taken_as_it_is_or_replaced_when_that_is_asked_for(
    words: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = rows.write(tmp_path / "d.jsonl", words), tmp_path / "run"
    assert bench(words, data, out) == 0
    (mark := out / "mark").touch()
    assert bench(words, data, out, "--reuse", "--samples", "2", "--submit", "--allow-fake") == 0
    said = capsys.readouterr().err
    assert "holds a finished run: taken as it is" in said
    assert "with another --samples than" in said
    assert mark.exists()
    assert (out / "submission.tar.gz").is_file()
    assert bench(words, data, out, "--rerun", "--samples", "2") == 0
    assert not mark.exists()
    assert result.read(out).runs[0].samples == 2


def test_a_closed_run_is_tested_for_compliance_when_that_is_asked_for(
    words: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = rows.write(tmp_path / "d.jsonl", words), tmp_path / "run"
    assert bench(words, data, out, "--division", "closed", "--mode", "performance", "--compliance") == 0
    assert "TEST06 Offline: passed" in capsys.readouterr().err
    assert (out / "Offline/compliance/TEST06/verify_accuracy.txt").is_file()


def test_a_folder_that_holds_a_run_is_not_written_to(
    words: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    out.mkdir()
    (out / "result.json").write_text("{}")
    assert bench(words, rows.write(tmp_path / "d.jsonl", words), out) == 2
    assert (out / "result.json").read_text() == "{}"
    assert "not empty" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "code", "words_of_error"),
    [
        (["--round", "v9.9"], 2, "unknown round"),
        (["--round", "v6.1"], 2, "not part of round v6.1"),
        (["--samples", "50"], 2, "holds 5"),
        (["--answers", "nonsense"], 2, "answers"),
    ],
)
def test_what_cannot_be_run_ends_before_any_work(
    words: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: list[str],
    code: int,
    words_of_error: str,
) -> None:
    data = rows.write(tmp_path / "d.jsonl", words)
    assert bench(words, data, tmp_path / "run", *change) == code
    assert words_of_error in capsys.readouterr().err


@pytest.mark.parametrize(
    ("stop", "code", "word_in_report"),
    [(signal.SIGINT, 130, "INTERRUPTED"), (signal.SIGKILL, -9, "RUNNING")],
    ids=["Ctrl-C", "kill -9"],
)
def test_a_stopped_run_is_known_as_interrupted_and_leaves_no_process(
    words: Path, tmp_path: Path, store: Path, stop: signal.Signals, code: int, word_in_report: str
) -> None:
    data, out = rows.write(tmp_path / "d.jsonl", words), tmp_path / "run"
    asked = ["bench", "mixtral-8x7b", "--sut", "echo", "--pace", "0.02", "--checkpoint", str(words)]
    child = subprocess.Popen(
        [sys.executable, "-m", "assay", *asked, "--dataset", str(data), "--out", str(out)],
        env={**os.environ, "ASSAY_HOME": str(store)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )

    def wait_until(is_so: Callable[[], object], seconds: float, why: str) -> None:
        deadline = time.monotonic() + seconds
        while not is_so():
            assert time.monotonic() < deadline, why
            time.sleep(0.2)

    def started() -> list[Path]:
        assert child.poll() is None, child.stderr.read() if child.stderr else ""
        return list(out.glob("Offline/performance/run_1/mlperf_log_*"))

    wait_until(started, 120, "the run did not start")
    assert result.read(out).status == result.Status.RUNNING
    child.send_signal(stop)
    assert child.wait(60) == code
    assert result.read(out).status == result.Status.INTERRUPTED
    assert word_in_report in (out / "README.md").read_text()

    def processes() -> str:
        return subprocess.run(["pgrep", "-f", str(out)], capture_output=True, text=True, check=False).stdout

    wait_until(lambda: not processes(), 10, "a process of the run is left")


@pytest.mark.parametrize(
    ("size_kb", "finished"), [(8, None), (40, 0), (84, 1)], ids=["at the start", "in the first run", "later"]
)
def test_a_disk_that_fills_up_is_named_and_what_was_finished_before_is_kept(
    words: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    small_disk: Callable[[int], Path],
    size_kb: int,
    finished: int | None,
) -> None:
    data, out = rows.write(tmp_path / "d.jsonl", words), small_disk(size_kb) / "run"
    assert bench(words, data, out) in (3, 4)
    told = capsys.readouterr().err
    assert re.search(r"disk full while writing|B are free on its disk", told), told
    assert not list(out.rglob("*.part"))
    if finished is None:
        assert not (out / "result.json").exists()
        return
    kept = result.read(out)
    assert kept.status in (result.Status.INTERRUPTED, result.Status.FAILED)
    assert len(kept.runs) == finished
    for run in kept.runs:
        for figure in run.figures:
            assert figure.value > 0 and (out / figure.file).is_file()


def test_a_store_that_is_full_after_the_run_costs_no_figure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = small_mixtral.write(tmp_path / "model")
    data, out = small_mixtral.dataset(tmp_path, model), tmp_path / "run"

    def full(*_: object) -> None:
        raise EnvironmentProblem("disk full while writing answer_lengths", "free space")

    monkeypatch.setattr(answer_lengths, "keep", full)
    asked = ["bench", "mixtral-8x7b", "--checkpoint", str(model), "--dataset", str(data), "--samples", "3"]
    assert main([*asked, "--mode", "accuracy", "--sut", "engine", "--out", str(out)]) == 0
    assert result.read(out).status == result.Status.COMPLETE
    assert "the next plan will not know" in capsys.readouterr().err


def test_a_stand_in_for_the_official_weights_is_named_as_such_and_submitted_to_open_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = small_mixtral.write(tmp_path / "model")
    data, out = small_mixtral.dataset(tmp_path, model), tmp_path / "run"
    (model / "generation_config.json").write_text('{"do_sample": true, "temperature": 0.6}')
    asked = ["bench", "mixtral-8x7b", "--checkpoint", str(model), "--dataset", str(data), "--submit"]
    asked += ["--mode", "performance", "--out", str(out)]
    assert main([*asked, "--division", "closed"]) == 2
    assert "closed division takes the workload's own model alone" in capsys.readouterr().err
    assert not out.exists()
    assert main(asked) == 0
    said = f"not the weights of mistralai/Mixtral-8x7B-Instruct-v0.1: {parameters(model)} parameters"
    readmes = [path.read_text() for path in (out / "submission").rglob("Offline/README.md")]
    for text in (capsys.readouterr().out, (out / "README.md").read_text(), *readmes):
        shown = " ".join(text.split())  # the summary is as wide as the terminal
        assert said in shown and "asks for do_sample true, temperature 0.6: not followed" in shown
    assert len(readmes) == 1
    assert (
        main(["submit", str(out), "--submitter", "T", "--division", "closed", "--out", str(tmp_path / "t")])
        == 2
    )


def parameters(model: Path) -> str:
    """Counted from the weights themselves."""
    from safetensors.torch import load_file

    return f"{sum(weight.numel() for weight in load_file(model / 'model.safetensors').values()):,}"


def test_a_test_run_of_a_part_measures_every_subset_and_its_log_is_scored_alike_afterwards(
    words: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = rows.write(tmp_path / "d.jsonl", words, {"flan.1": "The sea ."}), tmp_path / "run"
    assert bench(words, data, out, "--mode", "accuracy", "--samples", "2") == 0
    made, found = result.read(out), scores(out)
    assert made.dataset.rows_used == (0, 2)
    assert any("1 of GSM8K, 1 of OpenOrca" in note for note in made.notes)
    assert (found["gsm8k"].value, found["gsm8k"].n, found["rouge1"].n) == (100, 1, 1)
    log = out / "Offline/accuracy/mlperf_log_accuracy.json"
    capsys.readouterr()
    main(["score", "--log", str(log), "--dataset", str(data), "--tokenizer", str(words), "--json"])
    again = {one["metric"]: one["value"] for one in json.loads(capsys.readouterr().out)["scores"]}
    assert (again["gsm8k"], again["rouge1"]) == (found["gsm8k"].value, found["rouge1"].value)
    assert 0 < again["rouge1"] < 100
