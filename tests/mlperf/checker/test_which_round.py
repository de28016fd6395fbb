"""A tree is judged by the round that it was made for, where nobody says which."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.mlperf.checker.check import check
from assay.mlperf.checker.walk import walk
from assay.mlperf.checker.which_round import round_of
from assay.mlperf.rounds import round as rounds
from tests.mlperf.checker.good_tree import GoodTree

HELD = [
    (name, workload)
    for name in rounds.official_names()
    for workload in ("mixtral-8x7b", "llama2-70b-99", "llama3.1-8b")
    if workload in rounds.load(name).workloads
]


@pytest.mark.parametrize(("name", "workload"), HELD)
def test_a_tree_is_of_the_round_whose_seeds_its_logs_have(name: str, workload: str, tmp_path: Path) -> None:
    tree = GoodTree.make(tmp_path, name, workload=workload)
    assert round_of(walk(tree.root)).name == name
    assert check(tree.root).round == name


@pytest.mark.parametrize(
    ("folders", "name"),
    [
        (("results/box/mixtral-8x7b/Offline",), "v6.0"),
        (("results/box/mixtral-8x7b/Offline", "measurements/box"), "v5.1"),
        (("results/box/gptj-99/Offline", "compliance/box"), "v5.0"),
        (("results/box/llama3.1-8b/Offline",), "v6.1"),
        (("results/box/llama3.1-8b/Offline", "results/box/mixtral-8x7b/Offline"), "v6.0"),
        ((), "v6.1"),
    ],
)
def test_without_logs_names_and_folders_decide(folders: tuple[str, ...], name: str, tmp_path: Path) -> None:
    for folder in folders:
        (tmp_path / "closed/Tester" / folder).mkdir(parents=True)
    assert round_of(walk(tmp_path)).name == name


def test_artefacts_of_endpoints_are_of_a_round_that_accepts_them(tmp_path: Path) -> None:
    place = tmp_path / "closed/Tester/results/box/llama3.1-8b/Offline/performance"
    place.mkdir(parents=True)
    (place / "result_summary.json").write_text(json.dumps({"qps": 1.0}))
    assert rounds.load(round_of(walk(tmp_path)).name).endpoints


def test_the_submitter_who_is_asked_for_decides(tmp_path: Path) -> None:
    for owner, workload in (("A", "mixtral-8x7b"), ("B", "gpt-oss-120b")):
        (tmp_path / f"closed/{owner}/results/box/{workload}/Offline").mkdir(parents=True)
    assert round_of(walk(tmp_path), "A").name == "v6.0"
    assert round_of(walk(tmp_path), "B").name == "v6.1"
