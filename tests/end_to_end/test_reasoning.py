"""The reasoning workloads through LoadGen with reference answers: scores, tree, check and report."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

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
    from tokenizers import Tokenizer, models, pre_tokenizers

    fast = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<pad>"))
    fast.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    path = tmp_path_factory.mktemp("tokenizer")
    fast.save(str(path / "tokenizer.json"))
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
    scores = {score["metric"]: score for score in json.loads(done.stdout.splitlines()[-1])["scores"]}
    assert scores["exact_match"]["value"] == 100
