from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from assay.cli import main
from assay.cli import score as score_verb
from assay.ground.errors import ConfigError
from assay.mlperf.data import dataset
from assay.mlperf.data.dataset_file import write_columns
from assay.mlperf.rounds.target import Score
from assay.sandbox.isolation import Bubblewrap, Unshare
from tests.cli.words import parsed
from tests.mlperf.scoring.conftest import WORDS, words, write_log

__all__ = ["words"]  # the fixture


def row(subset: str, id: str, truth: str, answer: str) -> dict[str, object]:
    return {
        "dataset": subset,
        "id": id,
        "input": "<s> question",
        "gt_output": truth,
        "tok_input": [1, 3],
        "tok_ref_output": [WORDS.index(word) for word in answer.split()],
        "tok_stop_sequence": [2],
    }


ROWS = [
    row("GSM8K", "train.1", "7", "The answer is 7"),
    row("OpenOrca", "flan.1", "the cat sat on a mat", "the cat sat on a mat"),
]
PROGRAM = row("MBXP", "ruby_f", "", "puts 1")


@pytest.fixture
def tokenizer_folder(tmp_path: Path, words: object) -> Path:
    (tmp_path / "model").mkdir()
    words._fast.save(str(tmp_path / "model/tokenizer.json"))  # type: ignore[attr-defined]
    return tmp_path / "model"


def command(tmp_path: Path, rows: list[dict[str, object]], *more: str) -> list[str]:
    write_columns(tmp_path / "set.jsonl", dataset.columns_of(rows))
    answers = [(n, each["tok_ref_output"]) for n, each in enumerate(rows)]
    log = write_log(tmp_path / "mlperf_log_accuracy.json", answers)  # type: ignore[arg-type]
    files = [
        "--log",
        str(log),
        "--dataset",
        str(tmp_path / "set.jsonl"),
        "--tokenizer",
        str(tmp_path / "model"),
    ]
    return ["score", *files, *more]


def test_json_is_one_object_with_the_official_keys(
    tmp_path: Path, tokenizer_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command(tmp_path, ROWS, "--json")) == 0
    result = json.loads(capsys.readouterr().out)
    values = {score["metric"]: score["value"] for score in result["scores"]}
    assert (values["rouge1"], values["gsm8k"], values["mbxp"], values["tokens_per_sample"]) == (
        100.0,
        100.0,
        None,
        5.0,
    )
    official = result["official"]
    assert (official["rouge1"], official["gen_num"], official["gen_tok_len"]) == (100.0, 2, 10)


def test_what_was_not_measured_is_said_beside_its_reason(
    tmp_path: Path, tokenizer_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command(tmp_path, ROWS[:1], "--accuracy-txt", str(tmp_path / "accuracy.txt"))) == 0
    out = capsys.readouterr().out
    assert "rouge1             not measured: the log answers no OpenOrca sample" in out
    assert "n = 1" in out
    assert "'gsm8k': 100.0" in (tmp_path / "accuracy.txt").read_text()


def test_a_log_that_answers_a_part_of_the_dataset_is_said_to_be_partial(
    tmp_path: Path, tokenizer_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = command(tmp_path, ROWS)
    assert main(whole) == 0
    assert "PARTIAL" not in capsys.readouterr().out
    write_log(tmp_path / "mlperf_log_accuracy.json", [(0, [1])])
    assert main(whole) == 0
    assert "PARTIAL: the log answers 1 of the dataset's 2 samples" in capsys.readouterr().out


def test_ungraded_programs_end_with_the_environment_exit_code(
    tmp_path: Path,
    tokenizer_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for wall in (Bubblewrap, Unshare):
        monkeypatch.setattr(wall, "missing", lambda self: ["the tool"])
    assert main(command(tmp_path, [*ROWS, PROGRAM], "--json")) == 3
    assert json.loads(capsys.readouterr().out)["official"].get("mbxp") is None
    assert main(command(tmp_path, [*ROWS, PROGRAM])) == 3
    assert "mbxp               not measured: no sandbox" in capsys.readouterr().out


def test_a_dataset_of_another_workload_is_told_by_its_form(
    tmp_path: Path, tokenizer_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows: list[dict[str, object]] = [{"input": "Sum up", "output": "a mat", "tok_ref_output": [3]}]
    assert main(command(tmp_path, rows)) == 3
    # The tokenizer has </s> as 2, which ends the answers of one workload alone with rows of this form.
    assert "try: --workload llama2-70b-99: " in capsys.readouterr().err
    assert main(command(tmp_path, rows, "--workload", "gptj-99")) == 0
    told = capsys.readouterr().err
    assert "the tokenizer ends answers with token 2, gptj-99 with 50256" in told
    assert main(command(tmp_path, ROWS)) == 0
    assert "ends answers" not in capsys.readouterr().err


def test_a_wrong_dtype_ends_with_words_and_no_traceback(
    tmp_path: Path, tokenizer_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command(tmp_path, ROWS, "--dtype", "int64")) == 3
    error = capsys.readouterr().err
    assert "--dtype int32" in error
    assert "Traceback" not in error


FILES = ("--log", "l", "--dataset", "d", "--tokenizer", "t")


@pytest.mark.parametrize(("text", "workers"), [("1", 1), ("16", 16), ("ray", "ray"), (" RAY ", "ray")])
def test_workers_are_a_number_or_a_cluster(text: str, workers: int | str) -> None:
    assert parsed(score_verb, *FILES, "--workers", text).workers == workers


@pytest.mark.parametrize("text", ["", "two", "-1", "1.5", "²", "1 2", "x" * 100])
def test_other_workers_are_refused_by_a_sentence(text: str) -> None:
    with pytest.raises(ConfigError, match="is not a value of --workers") as caught:
        parsed(score_verb, *FILES, f"--workers={text}")
    assert len(caught.value.message) < 80 and "a whole number" in caught.value.hint


def test_a_cluster_has_an_address_only_where_it_is_asked_for() -> None:
    with pytest.raises(ConfigError, match="--ray-address is for --workers ray"):
        score_verb.run(parsed(score_verb, *FILES, "--ray-address", "auto"))


def scored(metric: str = "rouge1", value: float | None = 46.0, **more: Any) -> Score:
    return Score(metric, value, "%", more.pop("n", 10), more.pop("interval", (40.0, 52.004)), **more)


@pytest.mark.parametrize(
    ("score", "lines"),
    [
        (scored(), ["  rouge1               46.0000 %              n = 10  95 %: 40.00 to 52.00"]),
        (scored(interval=None), ["  rouge1               46.0000 %              n = 10"]),
        (scored(value=None, reason="no ruby"), ["  rouge1             not measured: no ruby"]),
        (
            scored(
                details={
                    "cpp": {"passed": 1, "run": 2},
                    "answered": 1_000,
                    "samples": 15_000,
                    "duplicates": 3,
                }
            ),
            [
                "  rouge1               46.0000 %              n = 10  95 %: 40.00 to 52.00",
                "    cpp: 1 passed, 2 run",
                "    3 answers are of samples logged before: the first answer counts",
                "    PARTIAL: the log answers 1,000 of the dataset's 15,000 samples",
            ],
        ),
        (
            scored(interval=None, details={"sandbox": {"kind": "none", "safe": False}, "duplicates": 0}),
            [
                "  rouge1               46.0000 %              n = 10",
                "    sandbox: none (UNSAFE: none was used)",
            ],
        ),
        (
            scored(interval=None, details={"sandbox": {"kind": "bubblewrap", "safe": True}}),
            ["  rouge1               46.0000 %              n = 10", "    sandbox: bubblewrap"],
        ),
    ],
)
def test_a_score_is_told_in_lines(score: Score, lines: list[str]) -> None:
    assert score_verb.text([score]).splitlines() == lines


def test_the_official_keys_stand_beside_the_scores_and_null_where_nothing_was_measured() -> None:
    found = score_verb.to_dict([scored(), scored("mbxp", None)], {"gen_num": 10.0, "rouge1": math.nan})
    assert found["official"] == {"gen_num": 10.0, "rouge1": None}
    assert (found["gen_num"], found["rouge1"], found["mbxp"]) == (10.0, 46.0, None)
    values = {one["metric"]: one["value"] for one in found["scores"]}  # type: ignore[attr-defined]
    assert values == {"rouge1": 46.0, "mbxp": None}
    json.dumps(found, allow_nan=False)


def test_a_run_folder_needs_no_file_to_be_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "run"
    words = ("--sut", "echo", "--mode", "accuracy", "--samples", "6", "--no-submit", "--out", str(run))
    assert main(["bench", *words, "--json"]) == 0
    (mode,) = json.loads(capsys.readouterr().out)["runs"]
    assert main(["score", str(run), "--json"]) == 0
    said = capsys.readouterr()
    assert "FAKE" in said.err
    again = {one["metric"]: one["value"] for one in json.loads(said.out)["scores"]}
    assert again == {one["metric"]: one["value"] for one in mode["scores"]} != {}
    assert main(["score", str(run), "--scenario", "server"]) == 2
    assert "no accuracy run of Server" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "--log, --dataset, --tokenizer must be given where no run folder is named"),
        ("--log {0} --dataset {0}", "--tokenizer must be given"),
        ("{0} --log {0}", "--log is for a log without a run folder"),
        ("{0} --workload x", "--workload is for a log"),
        ("--log {0} --dataset {0} --tokenizer {0} --scenario offline", "--scenario is for a run folder"),
    ],
)
def test_a_run_folder_or_three_files_are_named(
    words: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["score", *words.format(tmp_path).split()]) == 2
    assert said in capsys.readouterr().err
