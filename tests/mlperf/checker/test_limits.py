"""A value at its very limit is no fault: the other side of each planted one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assay.mlperf.checker.finding import Severity
from tests.mlperf.checker.good_tree import GoodTree, Spoil
from tests.mlperf.run_folder import answers, verdict


def perf(scenario: str = "Offline", **changes: Any) -> Spoil:
    return lambda t: t.log(t.performance(scenario), **changes)


def acc(**changes: Any) -> Spoil:
    return lambda t: t.log(t.accuracy(), **changes)


def score(metric: str, value: str) -> Spoil:
    return lambda t: t.score(metric, value)


TTFT = "result_first_token_99__00_percentile_latency_ns"
TPOT = "result_time_per_output_token_99__00_percentile_ns"
RIGHT: dict[str, Spoil] = {
    "samples held ready (P4)": perf(effective_performance_sample_count=15_000),
    "more samples held ready (P4)": perf(effective_performance_sample_count=15_001),
    "early stopping in Offline (P6)": perf(early_stopping_met=False),
    "target latency (P7)": perf("Server", effective_target_latency_ns=20_000_000_000),
    "one query (P8)": perf(effective_min_query_count=1),
    "samples of the query (P9)": perf(effective_samples_per_query=15_000),
    "minimum duration (P10)": perf(effective_min_duration_ms=600_000),
    "quoted flag of an older LoadGen (P11)": perf(requested_use_token_latencies="true"),
    "first token just below (P12)": perf("Server", **{TTFT: 1_999_999_999}),
    "output token just below (P12)": perf("Server", **{TPOT: 199_999_999}),
    "no scheduled rate (P15)": perf("Server", result_scheduled_samples_per_sec=None),
    "rouge1 at its target (A1)": score("rouge1", "45.142911"),
    "gsm8k at its target (A1)": score("gsm8k", "72.9234"),
    "tokens at their lower limit (A1)": score("tokens_per_sample", "131.31"),
    "whole set counted by the other key (A6)": acc(effective_accuracy_sample_count=15_000),
    "first tokens compared (C1)": lambda t: (t.compliance() / "verify_accuracy.txt").write_text(
        verdict("True")
    ),
    "line ends of Windows (C1)": lambda t: (t.compliance() / "verify_accuracy.txt").write_bytes(
        verdict().replace("\n", "\r\n").encode()
    ),
    "the whole log of TEST09 (T5)": lambda t: _sized(
        t.owner / "code/mixtral-8x7b/TEST09/accuracy/mlperf_log_accuracy.json", 65 << 20
    ),
    "a file of exactly 50 MB (T5)": lambda t: _sized(t.owner / "code/mixtral-8x7b/data.bin", 50 << 20),
    "a small accuracy log (A4)": lambda t: (t.accuracy() / "mlperf_log_accuracy.json").write_text(
        answers(60)
    ),
    "an accuracy log that may lie beside performance (F1)": lambda t: (
        t.performance() / "mlperf_log_accuracy.json"
    ).write_text("[\n]\n"),
    "a trace (F2)": lambda t: (t.accuracy() / "mlperf_log_trace.json").write_text("{}"),
    "a README of its own (T8)": lambda t: (t.owner / "README.md").write_text("x"),
    "a link inside of the tree (T4)": lambda t: (t.owner / "code/again").symlink_to("mixtral-8x7b"),
}


def _sized(path: Path, size: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(size)


@pytest.mark.parametrize("name", RIGHT)
def test_it_is_no_error(name: str, tmp_path: Path) -> None:
    tree = GoodTree.make(tmp_path)
    RIGHT[name](tree)
    assert tree.codes(Severity.ERROR) == []
