from __future__ import annotations

from typing import Any

from assay.mlperf.sut.interface import Used
from assay.suts import ray_report
from assay.suts.ray_report import ReplicaRun, RunCounts


def used(**facts: Any) -> Used:
    usual = {"sut": "toy", "backend": "toy 1", "precision": "bfloat16", "device": "cpu", "batch": 4}
    return Used(**{**usual, "weights_sha256": "ab", **facts})


def merged(replicas: dict[str, Used], gone: dict[str, str], taken_over: int = 0) -> Used:
    return ray_report.merged("toy", "2.60.0", replicas, gone, taken_over, [], {})


def test_what_all_say_stands_once_and_batches_add_up() -> None:
    made = merged({"r0": used(notes=("slow disk",)), "r1": used(notes=("slow disk", "hot"))}, {})
    assert made.backend == "2 replicas by Ray 2.60.0, each toy 1"
    assert (made.precision, made.batch, made.weights_sha256) == ("bfloat16", 8, "ab")
    assert made.notes == ("slow disk", "r1: hot") and made.losses == ()


def test_one_replica_that_fails_or_is_fake_counts_for_all() -> None:
    made = merged(
        {"r0": used(is_fake=True, issue_delay_ms=1.0), "r1": used(faults=("2 cut",), issue_delay_ms=3.0)}, {}
    )
    assert made.is_fake and made.faults == ("r1: 2 cut",) and made.issue_delay_ms == 3.0


def test_a_lost_replica_is_a_loss_and_a_note() -> None:
    made = merged({"r0": used()}, {"r1": "killed"}, taken_over=7)
    assert made.losses == ("r1 was lost: killed",)
    assert made.notes == ("1 of the replicas were lost (r1); others answered 7 of their queries",)
    assert made.backend.startswith("2 replicas by Ray") and made.details["taken_over"] == 7


def test_counts_are_those_of_one_run() -> None:
    counts = RunCounts(2)
    assert counts.rows(["a", "b"], [2.0, 3.0], {}) == []
    counts.given(0, 10.0, 3)
    counts.given(0, 11.0, 2)
    counts.answered(0, 14.0, 5, 100)
    (first, second) = counts.rows(["a", "b"], [2.0, 3.0], {1: "gone"})
    assert first == ReplicaRun(0, "a", 5, 100, 4.0, 3, 2.0) and first.tokens_per_s == 25.0
    assert second.gone == "gone" and second.tokens_per_s == 0.0
    assert first.to_dict()["tokens_per_s"] == 25.0


def test_a_slow_replica_is_named() -> None:
    rows = [ReplicaRun(rank, "n", 1, tokens, 1.0, 1) for rank, tokens in enumerate((100, 100, 90, 50))]
    assert ray_report.slow(rows) == ["replica 3 on n made 50 tokens/s, 53% of the median replica"]
    assert ray_report.slow(rows[2:]) == []  # of two nobody says which one is right
