"""The reasoning workloads through LoadGen with reference answers: scores, tree, check and report."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import word_tokenizer

ROWS, WRONG = 32, 3
ANSWERS = {
    "aime": [("25", r"\boxed{25}"), ("7", "Answer: 7")],
    "math500": [(r"\frac{1}{2}", r"\boxed{0.5}"), ("3", r"\boxed{k=3}")],
    "gpqa": [("C", "ANSWER: C"), ("A", "FINAL ANSWER = (A)")],
    "mmlu_pro": [("J", "ANSWER: J"), ("B", "surely B")],
}
WORDS = [
    "<pad>",
    "</s>",
    "Why",
    *{word for forms in ANSWERS.values() for _, said in forms for word in said.split()},
]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tokenizer")
    word_tokenizer.write(path, WORDS, "<pad>")
    return path


@pytest.fixture(scope="module")
def deepseek(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """32 rows of four subsets; the reference answers to the first three say nothing."""
    rows = []
    for number in range(ROWS):
        subset = list(ANSWERS)[number % 4]
        truth, said = ANSWERS[subset][number // 4 % 2]
        ids = [WORDS.index(word) for word in said.split()] if number >= WRONG else [2]
        rows.append(
            {
                "text_input": "Why",
                "tok_input": [2, number % len(WORDS)],
                "ground_truth": truth,
                "dataset": subset,
                "question": "Why",
                "tok_ref_output": ids,
            }
        )
    path = tmp_path_factory.mktemp("data") / "deepseek.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def assay(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "assay", *map(str, words)]
    env = {**os.environ, "COLUMNS": "200"}
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, check=False)


def test_deepseek_r1_runs_to_report_tree_and_check(tokenizer: Path, deepseek: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    words = (
        "--dataset",
        deepseek,
        "--tokenizer",
        tokenizer,
        "--sut",
        "echo",
        "--out",
        out,
        "--samples",
        ROWS,
    )
    scenarios = ("--scenario", "offline,server,interactive", "--submit", "--allow-fake")
    done = assay("bench", "deepseek-r1", *words, *scenarios)
    assert "Exact match" in done.stdout, done.stdout + done.stderr
    result = json.loads((out / "result.json").read_text())
    accuracy = [run for run in result["runs"] if run["mode"] == "accuracy"]
    assert len(accuracy) == 3
    for run in accuracy:
        scores = {score["metric"]: score for score in run["scores"]}
        assert scores["exact_match"]["value"] == 100 * (ROWS - WRONG) / ROWS
        assert scores["exact_match"]["low"] == 80.544618
        limits = scores["tokens_per_sample"]["low"], scores["tokens_per_sample"]["high"]
        assert limits == (3497.60466, 4274.85014)
    text = (out / "Interactive/accuracy/accuracy.txt").read_text()
    assert "'exact_match': 90.625" in text and "'num-samples': 32" in text
    report = (out / "README.md").read_text()
    assert "Tokens per sample" in report and "okens/s" in report
    tree = out / "submission"
    assert list(tree.glob("open/*/results/*/deepseek-r1/Interactive/performance/run_1/mlperf_log_detail.txt"))
    found = json.loads(assay("check", tree, "--json").stdout)
    assert found


def test_scoring_a_log_alone_gives_what_the_run_gave(tokenizer: Path, deepseek: Path, tmp_path: Path) -> None:
    row = [json.loads(line) for line in deepseek.read_text().splitlines()][WRONG + 1]
    ids = b"".join(int(i).to_bytes(4, "little") for i in row["tok_ref_output"]).hex()
    log = tmp_path / "mlperf_log_accuracy.json"
    log.write_text("[\n" + json.dumps({"seq_id": 0, "qsl_idx": WRONG + 1, "data": ids}) + "\n]\n")
    done = assay(
        "score",
        "--workload",
        "deepseek-r1",
        "--log",
        log,
        "--dataset",
        deepseek,
        "--tokenizer",
        tokenizer,
        "--json",
    )
    assert done.returncode == 0, done.stderr
    assert exact_match(done)["value"] == 100


def exact_match(scored: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """That score of what `assay score --json` printed."""
    (found,) = [each for each in json.loads(scored.stdout)["scores"] if each["metric"] == "exact_match"]
    return dict(found)


def test_programs_are_graded_by_the_tests_that_are_brought_and_by_nothing_else(tmp_path: Path) -> None:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    fast = Tokenizer(models.BPE({letter: i for i, letter in enumerate(letters)}, []))
    fast.pre_tokenizer, fast.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    fast.save(str(tmp_path / "tokenizer.json"))
    programs = ["print(int(input()) * 2)", "print(4)", "def twice(x): return x * 2", "no code"]
    says = [f"```python\n{program}\n```" for program in programs[:3]] + programs[3:]
    rows = [
        {
            "tok_input": [1],
            "ground_truth": "printed" if number < 2 else "called",
            "dataset": "livecodebench",
            "tok_ref_output": fast.encode(text).ids,
        }
        for number, text in enumerate(says)
    ]
    data = tmp_path / "rows.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    tests = json.dumps([{"input": text, "output": str(2 * int(text))} for text in ("2", "5")])
    problems = [
        {
            "question_id": name,
            "public_test_cases": tests,
            "private_test_cases": "[]",
            "metadata": json.dumps(more),
        }
        for name, more in (("printed", {}), ("called", {"func_name": "twice"}))
    ]
    (tmp_path / "test.jsonl").write_text("".join(json.dumps(problem) + "\n" for problem in problems))
    words = ("--dataset", data, "--tokenizer", tmp_path, "--sut", "echo", "--style", "fast")
    bench = (
        "bench",
        "deepseek-r1",
        *words,
        "--out",
        tmp_path / "run",
        "--lcb-tests",
        tmp_path / "test.jsonl",
    )
    done = assay(*bench, "--mode", "accuracy")
    text = (tmp_path / "run/Offline/accuracy/accuracy.txt").read_text()
    assert "'exact_match': 50.0" in text, done.stdout + done.stderr
    log = tmp_path / "run/Offline/accuracy/mlperf_log_accuracy.json"
    score = (
        "score",
        "--workload",
        "deepseek-r1",
        "--log",
        log,
        "--dataset",
        data,
        "--tokenizer",
        tmp_path,
        "--json",
    )
    graded = assay(*score, "--lcb-tests", tmp_path)
    assert exact_match(graded)["value"] == 50
    alone = assay(*score)
    exact = exact_match(alone)
    assert (alone.returncode, exact["value"]) == (3, None)
    assert exact["ungraded"] == 3 and "--lcb-tests" in exact["reason"]
    other = ("bench", "deepseek-r1", *words, "--out", tmp_path / "other")
    lost = assay(*other, "--lcb-tests", tmp_path / "nothing.jsonl")
    assert lost.returncode != 0 and "no such file of problems" in lost.stderr
    assert not (tmp_path / "other").exists()


@pytest.fixture(scope="module")
def harmony(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(tokenizer, 32 rows of AIME and GPQA whose first three reference answers are wrong)."""
    words = ["<pad>", "Why", "final", "A", "B", r"\boxed{25}", r"\boxed{7}"]
    marks = ["<|channel|>final<|message|>", "<|return|>"]
    folder = tmp_path_factory.mktemp("harmony")
    fast = word_tokenizer.write(folder, words, "<pad>", marks)
    opening, end = (fast.token_to_id(mark) for mark in marks)
    rows = []
    for number in range(ROWS):
        is_aime = number % 2 == 0
        said = (5 if is_aime else 3) if number >= WRONG else (6 if is_aime else 4)
        rows.append(
            {
                "input_tokens": [1, number % 7],
                "dataset": "aime25" if is_aime else "gpqa_diamond",
                "ground_truth": "25" if is_aime else "A",
                "tok_ref_output": [opening, said, end],
            }
        )
    (folder / "acc.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder, folder / "acc.jsonl"


def test_gpt_oss_120b_weighs_its_questions_and_reads_the_final_message(
    harmony: tuple[Path, Path], tmp_path: Path
) -> None:
    folder, data = harmony
    out = tmp_path / "run"
    words = ("--dataset", data, "--tokenizer", folder, "--sut", "echo", "--out", out, "--samples", ROWS)
    done = assay(
        "bench",
        "gpt-oss-120b",
        *words,
        "--scenario",
        "offline,server,interactive",
        "--submit",
        "--allow-fake",
    )
    assert "Exact match" in done.stdout, done.stdout + done.stderr
    right_aime, right_gpqa = 16 - 2, 16 - 1
    wanted = round(100 * (right_aime / 8 + right_gpqa / 5) / (16 / 8 + 16 / 5), 3)
    for scenario in ("Offline", "Server", "Interactive"):
        assert f"'exact_match': {wanted}" in (out / scenario / "accuracy/accuracy.txt").read_text()
        log = (out / scenario / "accuracy/mlperf_log_accuracy.json").read_text()
        assert log.count("qsl_idx") == ROWS
    assert list((out / "submission").glob("open/*/results/*/gpt-oss-120b/Interactive/performance/run_1"))


def test_two_data_sets_are_run_in_one_job_each_with_its_rows_and_scored_by_the_second(
    harmony: tuple[Path, Path], tmp_path: Path
) -> None:
    folder, accuracy = harmony
    performance = tmp_path / "perf.jsonl"
    rows = [{"input_tokens": [1, i % 7], "tok_ref_output": [3, 4, 5]} for i in range(40)]
    performance.write_text("".join(json.dumps(row) + "\n" for row in rows))
    out = tmp_path / "run"
    sets = ("--dataset", performance, "--accuracy-dataset", accuracy, "--tokenizer", folder, "--sut", "echo")
    more = ("--style", "fast", "--scenario", "offline,server", "--out", out)
    planned = " ".join(assay("plan", "gpt-oss-120b", *sets, "--style", "fast").stdout.split())
    assert f"a data set of its own, {ROWS} rows" in planned, planned
    done = assay("bench", "gpt-oss-120b", *sets, *more)
    assert "of another dataset" in done.stdout, done.stdout + done.stderr
    result = json.loads((out / "result.json").read_text())
    assert (result["dataset"]["rows"], result["accuracy_dataset"]["rows"]) == (40, ROWS)
    assert [(run["mode"], run["scenario"]) for run in result["runs"]] == [
        (mode, scenario) for mode in ("performance", "accuracy") for scenario in ("Offline", "Server")
    ]
    for scenario in ("Offline", "Server"):
        assert "'exact_match': " in (out / scenario / "accuracy/accuracy.txt").read_text()
        assert "override = 40" in (out / scenario / "user.conf").read_text()
        assert f"override = {ROWS}" in (out / scenario / "accuracy/user.conf").read_text()
    log = (out / "Offline/accuracy/mlperf_log_accuracy.json",)
    again = assay(
        "score",
        "--workload",
        "gpt-oss-120b",
        "--log",
        *log,
        "--dataset",
        accuracy,
        "--tokenizer",
        folder,
        "--json",
    )
    (score,) = [each for each in result["runs"][2]["scores"] if each["metric"] == "exact_match"]
    assert exact_match(again)["value"] == score["value"]
    few = assay("compliance", out, "--compliance-dataset", accuracy)
    assert few.returncode == 2 and "TEST09 asks 6,396 different samples, and there are 40" in few.stderr
    unnamed = assay("compliance", out)
    assert unnamed.returncode == 2 and "--compliance-dataset FILE" in unnamed.stderr
    assert_verified(out, accuracy, score["value"])


def assert_verified(out: Path, questions: Path, score: float) -> None:
    """Logs of TEST07 and TEST09 that were made elsewhere are held to the round's limits and filed."""
    log = out / "Offline/accuracy/mlperf_log_accuracy.json"
    verify = ("compliance", out, "--verify", log, "--scenario", "interactive", "--json")
    right = assay(*verify, "--test", "TEST07", "--compliance-dataset", questions)
    told = json.loads(right.stdout)["tests"]["TEST07 Interactive"]
    assert (told["score"], told["threshold"], told["passed"]) == (score, 60.698, True), right.stderr
    assert (out / "Interactive/compliance/TEST07/verify_accuracy.txt").read_text().endswith("TEST PASS\n")
    short = assay(*verify, "--test", "test09")
    told = json.loads(short.stdout)["tests"]["TEST09 Interactive"]
    assert (short.returncode, told["mean"], told["low"], told["high"]) == (1, 3.0, 1150.38, 1406.02)
    assert (out / "Interactive/compliance/TEST09/verify_output_len.txt").read_text().endswith("TEST FAIL\n")
    for words, said in (
        (("--test", "TEST07"), "--compliance-dataset FILE"),
        (("--test", "TEST08"), "unknown compliance test 'TEST08'"),
    ):
        refused = assay(*verify, *words)
        assert refused.returncode == 2 and said in refused.stderr


def test_a_workload_with_one_data_set_takes_no_second(
    tokenizer: Path, deepseek: Path, tmp_path: Path
) -> None:
    sets = ("--dataset", deepseek, "--accuracy-dataset", deepseek, "--tokenizer", tokenizer, "--sut", "echo")
    done = assay("bench", "deepseek-r1", *sets, "--out", tmp_path / "run")
    assert done.returncode == 2 and "has one data set for performance and accuracy" in done.stderr
    assert not (tmp_path / "run").exists()


def test_a_valid_run_of_gpt_oss_120b_has_one_mode(harmony: tuple[Path, Path]) -> None:
    folder, data = harmony
    done = assay(
        "bench", "gpt-oss-120b", "--style", "valid", "--dataset", data, "--tokenizer", folder, "--sut", "echo"
    )
    assert done.returncode == 2 and "a data set for performance and another for accuracy" in done.stderr


def test_llama3_1_405b_runs_in_every_scenario(tmp_path: Path) -> None:
    word_tokenizer.write(tmp_path, ["<pad>", "Answer:", "Rome", "Oslo", "The", "cat", "sat"], "<pad>")
    rows = []
    for number in range(ROWS):
        is_summary = number % 2 == 1
        said = [4, 5, 6] if is_summary else [1, 2 if number >= WRONG else 3]
        truth, metric = ("The cat sat", "rouge") if is_summary else ("Rome|Roma", "qa_em")
        row = {"input": "Why", "tok_input": [1, number % 7], "gt_output": truth, "metric": metric}
        rows.append({**row, "tok_ref_output": said})
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    out = tmp_path / "run"
    words_of = ("--dataset", tmp_path / "rows.jsonl", "--tokenizer", tmp_path, "--sut", "echo", "--out", out)
    scenarios = ("--scenario", "offline,server,interactive", "--samples", ROWS, "--submit", "--allow-fake")
    done = assay("bench", "llama3.1-405b", *words_of, *scenarios)
    assert "Exact match" in done.stdout, done.stdout + done.stderr
    for scenario in ("Offline", "Server", "Interactive"):
        text = (out / scenario / "accuracy/accuracy.txt").read_text()
        assert "'rougeL': 100.0" in text and "'exact_match': 87.5" in text, text
    assert list((out / "submission").glob("open/*/results/*/llama3.1-405b/Interactive/performance/run_1"))
