"""The workloads that summarise: a set of one's own through real LoadGen in every scenario, answers known beforehand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assay.cli import main
from assay.mlperf.record import result
from tests.end_to_end import rows

pytest.importorskip("punkt")
pytestmark = pytest.mark.usefixtures("loadgen")

ROWS, WRONG = 30, 3
CNNDM = {
    "llama3.1-8b": ("offline,server,interactive", "v6.1"),
    "llama3.1-8b-edge": ("offline,singlestream", "v6.1"),
    "gptj-99": ("offline,server,singlestream", "v5.0"),
    "gptj-99.9": ("offline,server,singlestream", "v4.1"),
}
SHORT_AND_FAKE = {"S2", "X12", "A6", "P1", "P4", "P6", "P9", "P10"}
"""Findings of a run of a few samples and seconds that computes nothing, on a system that nobody described."""
TOO_FEW_FOR_AN_ESTIMATE = {"P2", "P15"}
"""Of gptj in SingleStream, whose result is LoadGen's early-stopping estimate: 30 queries give none."""
ROUGE = ("rouge1", "rouge2", "rougeL", "rougeLsum")


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rows.tokenizer(tmp_path_factory.mktemp("words"))


def highlights(number: int) -> str:
    return (
        f"Dr. Smith sold {number} boats at 5 p.m. on Monday. The port of Ostend was glad! Nobody else came."
    )


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Articles as Hugging Face's cnn_dailymail has them."""
    made = [
        {"article": f"Boat {n} was sold. " * 5, "highlights": highlights(n), "id": str(n)}
        for n in range(ROWS)
    ]
    path = tmp_path_factory.mktemp("texts") / "texts.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in made))
    return path


def build(workload: str, words: Path, texts: Path, out: Path) -> Path:
    asked = ["dataset", "build", "--workload", workload, "--texts", str(texts), "--tokenizer", str(words)]
    assert main([*asked, "--samples", str(ROWS), "--out", str(out)]) == 0
    return out


def bench(workload: str, words: Path, data: Path, out: Path, *more: str) -> int:
    asked = ["bench", workload, "--sut", "echo", "--checkpoint", str(words), "--dataset", str(data)]
    return main([*asked, "--out", str(out), "--samples", str(ROWS), "--target-qps", "100", *more])


def scores(folder: Path, scenario: str = "Offline") -> dict[str, Any]:
    run = result.read(folder).find(scenario, "accuracy")
    assert run is not None
    return {score.metric: score for score in run.scores}


@pytest.mark.parametrize("workload", CNNDM)
def test_a_set_of_one_s_own_runs_in_every_scenario_to_report_tree_and_check(
    workload: str, words: Path, texts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = build(workload, words, texts, tmp_path / "own.json"), tmp_path / "run"
    row = json.loads(data.read_text())[0]
    assert list(row)[:4] == ["instruction", "input", "tok_input", "output"]
    asked, round_ = CNNDM[workload]
    more = ("--scenario", asked, "--round", round_, "--submit", "--allow-fake")
    assert bench(workload, words, data, out, *more) == 0, capsys.readouterr()
    made = result.read(out)
    scenarios = [
        name for name in ("Offline", "Server", "Interactive", "SingleStream") if name.lower() in asked
    ]
    assert {(run.scenario, run.mode) for run in made.runs} == {
        (scenario, mode) for scenario in scenarios for mode in ("performance", "accuracy")
    }
    characters = sum(len(highlights(n)) for n in range(ROWS))
    for scenario in scenarios:
        found = scores(out, scenario)
        assert [found[metric].value for metric in ROUGE] == [100.0] * 4
        assert (found["gen_len"].value, found["gen_len"].unit) == (characters, "characters")
        printed = (out / scenario / "accuracy/accuracy.txt").read_text()
        assert f"'rougeLsum': 100.0, 'gen_len': {characters}, 'gen_num': {ROWS}" in printed
        assert list(
            (out / "submission").glob(f"open/*/results/*/{workload}/{scenario}/accuracy/accuracy.txt")
        )
    report = (out / "README.md").read_text()
    assert "ROUGE-Lsum" in report and "Characters of all answers" in report
    capsys.readouterr()
    main(["check", str(out / "submission"), "--round", round_, "--json"])
    verdict = json.loads(capsys.readouterr().out)
    assert {
        finding["code"] for finding in verdict["findings"] if finding["severity"] == "error"
    } <= SHORT_AND_FAKE | (TOO_FEW_FOR_AN_ESTIMATE if workload.startswith("gptj") else set())


def test_each_wrong_answer_lowers_every_metric_by_its_share(words: Path, texts: Path, tmp_path: Path) -> None:
    data = build("llama3.1-8b", words, texts, tmp_path / "own.json")
    made = json.loads(data.read_text())
    for row in made[:WRONG]:
        row["tok_ref_output"] = rows.encode(words, "xyzzy")
    data.write_text(json.dumps(made))
    bench("llama3.1-8b", words, data, tmp_path / "run", "--mode", "accuracy")
    found = scores(tmp_path / "run")
    assert [found[metric].value for metric in ROUGE] == [100 * (ROWS - WRONG) / ROWS] * 4
    right = sum(len(row["output"]) for row in made[WRONG:])
    assert found["gen_len"].value == right + WRONG * len("xyzzy")


def test_the_interactive_run_has_loadgen_s_own_key(words: Path, texts: Path, tmp_path: Path) -> None:
    data = build("llama3.1-8b", words, texts, tmp_path / "own.json")
    bench("llama3.1-8b", words, data, tmp_path / "run", "--scenario", "interactive", "--mode", "performance")
    log = (tmp_path / "run/Interactive/performance/run_1/mlperf_log_detail.txt").read_text()
    assert '"key": "requested_server_ttft_latency", "value": 500000000' in log
    assert '"key": "requested_server_tpot_latency", "value": 30000000' in log
    assert '"key": "effective_scenario", "value": "Server"' in log


LLAMA2 = {
    "llama2-70b-99": ("offline,server,interactive", "v6.0"),
    "llama2-70b-99.9": ("offline,server,interactive", "v6.1"),
    "llama2-70b-interactive-99": ("offline,server", "v5.0"),
    "llama2-70b-interactive-99.9": ("offline,server", "v5.0"),
}


@pytest.fixture(scope="module")
def questions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As OpenOrca has them, every second one with a system prompt."""
    made = [
        {"question": f"Boat {n}?", "system_prompt": "Be brief ." * (n % 2), "response": highlights(n)}
        for n in range(ROWS)
    ]
    path = tmp_path_factory.mktemp("questions") / "questions.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in made))
    return path


@pytest.mark.parametrize("workload", LLAMA2)
def test_questions_of_one_s_own_run_with_planted_wrong_answers(
    workload: str, words: Path, questions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = build(workload, words, questions, tmp_path / "own.json"), tmp_path / "run"
    made = json.loads(data.read_text())
    assert {row["input"].partition("Boat")[0] for row in made} == {
        "<s>[INST] ",
        "<s>[INST] <<SYS>>\nBe brief .\n<</SYS>>\n\n",
    }
    assert all(row["tok_input"][:1] == rows.encode(words, "<s>") for row in made)
    for row in made[:WRONG]:
        row["tok_output"] = rows.encode(words, "xyzzy")
    data.write_text(json.dumps(made))
    asked, round_ = LLAMA2[workload]
    more = ("--scenario", asked, "--round", round_, "--submit", "--allow-fake")
    assert bench(workload, words, data, out, *more) == 0, capsys.readouterr()
    tokens = sum(len(row["tok_output"]) for row in made)
    for scenario in (name for name in ("Offline", "Server", "Interactive") if name.lower() in asked):
        found = scores(out, scenario)
        assert [found[metric].value for metric in ROUGE] == [100 * (ROWS - WRONG) / ROWS] * 4
        assert found["tokens_per_sample"].value == round(tokens / ROWS, 1)
        printed = (out / scenario / "accuracy/accuracy.txt").read_text()
        assert f"'gen_num': {ROWS}, 'gen_tok_len': {tokens}, 'tokens_per_sample': " in printed
        conf = (out / scenario / "user.conf").read_text()
        is_interactive = "interactive" in workload or scenario == "Interactive"
        assert conf.startswith("llama2-70b-interactive." if is_interactive else "llama2-70b.")
    capsys.readouterr()
    main(["check", str(out / "submission"), "--round", round_, "--json"])
    verdict = json.loads(capsys.readouterr().out)
    assert {
        finding["code"] for finding in verdict["findings"] if finding["severity"] == "error"
    } <= SHORT_AND_FAKE


@pytest.mark.parametrize(
    ("flags", "words_"),
    [
        ((), "a set of llama3.1-8b is built from --texts"),
        (("--texts", "TEXTS", "--gsm8k", "TEXTS"), "a set of llama3.1-8b is not built from --gsm8k"),
        (("--texts", "TEXTS", "--only-passing"), "llama3.1-8b has no programs"),
        (("--texts", "OTHER"), "no column article, highlights; it has question"),
    ],
)
def test_files_of_another_kind_are_refused_by_name(
    flags: tuple[str, ...],
    words_: str,
    words: Path,
    texts: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "other.jsonl").write_text('{"question": "?"}\n')
    named = {"TEXTS": str(texts), "OTHER": str(tmp_path / "other.jsonl")}
    asked = ["dataset", "build", "--workload", "llama3.1-8b", "--tokenizer", str(words), "--samples", "3"]
    assert main([*asked, "--out", str(tmp_path / "o.json"), *(named.get(flag, flag) for flag in flags)]) in (
        2,
        3,
    )
    assert words_ in capsys.readouterr().err
