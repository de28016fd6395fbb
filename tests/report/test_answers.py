"""What a run answered: the pairing of log, dataset and verdicts by sample."""

from __future__ import annotations

import dataclasses
import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from assay.cli import main
from assay.config import Mode, Paths, Scenario
from assay.ground.errors import ArtifactError, ConfigError
from assay.ground.files import sha256
from assay.mlperf.data import dataset
from assay.mlperf.data.dataset_file import write_columns
from assay.mlperf.record.run_folder import RunFolder
from assay.mlperf.run import requests
from assay.report import answers
from assay.report.answers import AnswerFilter
from tests import fakes
from tests.docs import pages
from tests.mlperf.scoring.conftest import WORDS, words, write_log
from tests.report import rows

__all__ = ["words"]  # the fixture

ASKED = [
    ("GSM8K", "7", "The answer is 7"),
    ("GSM8K", "8", "The answer is 9"),
    ("OpenOrca", "the cat", "the dogs run"),
]


def ids(text: str) -> list[int]:
    return [WORDS.index(word) for word in text.split()]


@pytest.fixture
def run(tmp_path: Path, words: Any) -> RunFolder:
    """A run folder whose log answers the samples of ASKED in another order than the dataset's."""
    model, file = tmp_path / "model", tmp_path / "set.jsonl"
    model.mkdir()
    words._fast.save(str(model / "tokenizer.json"))
    cells = [
        {
            "dataset": subset,
            "id": f"row.{n}",
            "input": f"<s> question {n}",
            "gt_output": truth,
            "tok_input": [1, 3],
            "tok_ref_output": [3],
            "tok_stop_sequence": [2],
        }
        for n, (subset, truth, _) in enumerate(ASKED)
    ]
    write_columns(file, dataset.columns_of(cells))
    folder = RunFolder(tmp_path / "run")
    log = folder.logs(Scenario.OFFLINE, Mode.ACCURACY)
    log.mkdir(parents=True)
    write_log(log / "mlperf_log_accuracy.json", [(n, ids(ASKED[n][2])) for n in (2, 0, 1)])
    table = rows.table(len(ASKED), mode="accuracy")
    place = table.column_names.index("verdict")
    table = table.set_column(place, "verdict", pa.array(["right", "wrong", None]))
    table = table.append_column("score.gsm8k", pa.array([100.0, 0.0, None]))
    table = table.append_column("score.rouge1", pa.array([None, 50.0, 30.0]))
    requests.write(folder.requests, [table])
    record(folder, sha256(file), Paths(dataset=file, tokenizer=model))
    return folder


def record(folder: RunFolder, digest: str, paths: Paths, rows_used: tuple[int, ...] = ()) -> None:
    made = fakes.result()
    used = dataclasses.replace(made.dataset, sha256=digest, samples=3, rows_used=rows_used)
    asked = dataclasses.replace(made.asked, paths=paths)
    dataclasses.replace(made, dataset=used, asked=asked).write(folder.path)


def test_it_is_said_what_the_scorer_read(run: RunFolder) -> None:
    found = {each.id: each.reason for each in answers.of(run, AnswerFilter())}
    assert found == {
        "row.0": "reads the number 7, and 7 is right",
        "row.1": "reads the number 9, and 8 is right",
        "row.2": "",
    }


def test_a_value_without_a_verdict_is_said_once_beside_its_mean_over_the_run(
    run: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    said = {each.id: answers.scores_of(each) for each in answers.of(run, AnswerFilter())}
    assert said == {
        "row.0": "GSM8K accuracy 100",
        "row.1": "GSM8K accuracy 0, ROUGE-1 50 (mean of the run 40)",
        "row.2": "ROUGE-1 30 (mean of the run 40)",
    }
    target = run.path / "answers.html"
    assert main(["answers", str(run.path), "--html", str(target)]) == 0
    capsys.readouterr()
    assert main(["answers", str(run.path)]) == 0
    for text in (capsys.readouterr().out, target.read_text()):
        assert text.lower().replace("-", "").count("rouge1") == 2  # of the two answers that have it


def test_the_end_of_what_a_program_said_stands_below_its_answer(
    run: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = "exit status 1: assert f(2) == 4\nAssertionError \x1b[31m<script>alert(1)</script>"
    table = requests.read(run.requests).append_column("why.mbxp", pa.array([None, hostile, ""]))
    requests.write(run.requests, [table])
    found = {each.id: each.reason for each in answers.of(run, AnswerFilter())}
    assert hostile in found["row.1"] and "exit status" not in found["row.0"]
    target = run.path / "answers.html"
    assert main(["answers", str(run.path)]) == 0
    shown = capsys.readouterr().out
    assert "            AssertionError" in shown and "\x1b" not in shown
    assert main(["answers", str(run.path), "--html", str(target)]) == 0
    assert "&lt;script&gt;alert(1)" in target.read_text() and "<script>alert" not in target.read_text()


def test_a_page_of_them_is_written(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    target = run.path / "answers.html"
    assert main(["answers", str(run.path), "--html", str(target)]) == 0
    assert capsys.readouterr().out == f"3 answers: {target}\n"
    assert "reads the number 9, and 8 is right" in target.read_text()


def paths_of(run: RunFolder) -> Paths:
    return Paths(dataset=run.path.parent / "set.jsonl", tokenizer=run.path.parent / "model")


def test_each_answer_stands_beside_its_own_question_truth_and_verdict(run: RunFolder) -> None:
    found = {each.sample_index: each for each in answers.of(run, AnswerFilter())}
    for n, (subset, truth, answer) in enumerate(ASKED):
        shown = found[n]
        assert (shown.subset, shown.truth, shown.answer) == (subset, truth, answer)
        assert shown.question == f"<s> question {n}"
    assert [found[n].verdict for n in range(3)] == ["right", "wrong", ""]
    assert found[1].scores == {"gsm8k": 0.0, "rouge1": 50.0} and found[2].scores == {"rouge1": 30.0}


def test_only_wrong_answers_and_only_a_subset_can_be_asked_for(run: RunFolder) -> None:
    assert [each.sample_index for each in answers.of(run, AnswerFilter(is_wrong=True))] == [1]
    for word in ("OpenOrca", "openorca"):
        assert [each.sample_index for each in answers.of(run, AnswerFilter(subset=word))] == [2]
    assert answers.of(run, AnswerFilter(subset="OpenOrca", is_wrong=True)) == []


def test_a_run_over_other_rows_than_the_first_shows_those(run: RunFolder) -> None:
    record(run, sha256(run.path.parent / "set.jsonl"), paths_of(run), rows_used=(2, 1, 0))
    found = {each.sample_index: each for each in answers.of(run, AnswerFilter())}
    assert [found[n].row for n in range(3)] == [2, 1, 0]
    assert found[0].truth == "the cat" and found[0].answer == "The answer is 7"


def test_another_dataset_than_that_of_the_run_is_refused(run: RunFolder) -> None:
    record(run, "1" * 64, paths_of(run))
    with pytest.raises(ArtifactError, match="not the dataset of the run"):
        answers.of(run, AnswerFilter())


def test_an_unknown_subset_is_refused_with_what_is_near(run: RunFolder) -> None:
    with pytest.raises(ConfigError, match="no subset 'GSM8'") as error:
        answers.of(run, AnswerFilter(subset="GSM8"))
    assert "GSM8K" in error.value.hint


def test_wrong_answers_of_a_run_that_was_not_graded_are_refused_and_the_answers_are_shown(
    run: RunFolder,
) -> None:
    run.requests.unlink()
    assert len(answers.of(run, AnswerFilter())) == 3
    with pytest.raises(ConfigError, match="judged right or wrong"):
        answers.of(run, AnswerFilter(is_wrong=True))


def test_a_scenario_that_was_not_run_is_refused(run: RunFolder) -> None:
    with pytest.raises(ConfigError, match="no accuracy run of Server"):
        answers.of(run, AnswerFilter(scenario=Scenario.SERVER))


def test_the_verb_shows_texts_and_json(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["answers", str(run.path), "--wrong"]) == 0
    said = capsys.readouterr().out
    assert (
        "sample 1 (row 1, GSM8K, row.1): wrong" in said
        and "    The answer is 9" in said
        and "1 answer\n" in said
    )
    assert main(["answers", str(run.path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["answers"]
    assert [each["sample_index"] for each in found] == [2, 0, 1]


def test_escape_sequences_of_an_answer_do_not_reach_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    from assay.cli.terminal import say

    shown = answers.ShownAnswer(0, 0, "i\x1b[2J", "s", "q", "a\x1b]0;x\x07", "", "wrong")
    say("\n".join(answers.lines(shown)))
    said = capsys.readouterr().out
    assert "\x1b" not in said and "\x07" not in said and "(empty)" in said


def test_the_guides_program_counts_the_answers_of_the_json(
    run: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    (page,) = (page for page in pages.all_pages() if page.name == "wrong-answers.md")
    (shown,) = (c for block in page.blocks for c, _ in block.commands if "--json |" in c)
    python, *words_ = shlex.split(shown.partition("--json | ")[2])
    assert python == "python"
    assert main(["answers", str(run.path), "--json"]) == 0
    given = capsys.readouterr().out
    printed = subprocess.run(
        [sys.executable, *words_], input=given, capture_output=True, text=True, check=True
    )
    assert printed.stdout == "3 wrong\n"
