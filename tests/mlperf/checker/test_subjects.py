"""A rule is asked only where everything that it looks at is there."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from assay.mlperf import checker
from assay.mlperf.checker import subjects
from assay.mlperf.checker.rule import Level, RuleScope
from assay.mlperf.checker.submission import Benchmark, Entry, System, submitters
from assay.mlperf.checker.walk import walk
from assay.mlperf.rounds import round as rounds
from tests.mlperf.checker.good_tree import GoodTree, Spoil

ENTRY_SCOPES = ("RULED", "PERFORMANCE_LOG", "PERFORMANCE", "ACCURACY_LOG", "ACCURACY", "SCORED", "ANSWERED")
ASK_FOR_WHAT_IS_MISSING = {
    "accuracy.hash_line",
    "compliance.other_tests",
    "compliance.test06",
    "endpoints.audits",
    "extra_runs.same_sut",
    "files.measurement",
    "model.known_benchmark",
    "model.not_held",
    "model.not_judgeable",
    "system.readable",
}
"""Rules whose finding is that something is missing; A3, which needs accuracy.txt and no rules; E5 and X5,
which look at a second file where there is one."""


@pytest.fixture
def tree(tmp_path: Path) -> GoodTree:
    return GoodTree.make(tmp_path)


def system(tree: GoodTree) -> System:
    (owner,) = submitters(walk(tree.root), rounds.load(tree.round))
    return owner.systems()[0]


def offline(tree: GoodTree) -> Entry:
    (benchmark,) = system(tree).benchmarks()
    return next(entry for entry in benchmark.entries() if entry.folder == "Offline")


def found(entry: Entry) -> set[str]:
    return {name for name in ENTRY_SCOPES if getattr(subjects, name).of(entry) is not None}


def test_a_whole_entry_is_looked_at_by_every_rule(tree: GoodTree) -> None:
    entry = offline(tree)
    (tree.accuracy() / "mlperf_log_accuracy.json").write_text("[]")
    judged = subjects.PERFORMANCE.of(entry)
    assert judged is not None
    assert (judged.path, judged.log, judged.rules) == (
        entry.performance_log,
        entry.performance,
        entry.benchmark.rules,
    )
    assert found(offline(tree)) == set(ENTRY_SCOPES)


@pytest.mark.parametrize(
    ("spoil", "lacking"),
    [
        (
            lambda tree: (tree.performance() / "mlperf_log_detail.txt").unlink(),
            {"PERFORMANCE_LOG", "PERFORMANCE"},
        ),
        (lambda tree: (tree.performance() / "mlperf_log_detail.txt").write_text("hello"), {"PERFORMANCE"}),
        (lambda tree: (tree.accuracy() / "mlperf_log_detail.txt").unlink(), {"ACCURACY_LOG", "ACCURACY"}),
        (lambda tree: (tree.accuracy() / "accuracy.txt").unlink(), {"SCORED"}),
        (lambda tree: (tree.accuracy() / "mlperf_log_accuracy.json").unlink(), {"ANSWERED"}),
    ],
    ids=["no log", "no LoadGen log", "no accuracy log", "no accuracy.txt", "no answers"],
)
def test_a_scope_finds_nothing_where_a_part_is_missing(
    tree: GoodTree, spoil: Spoil, lacking: set[str]
) -> None:
    (tree.accuracy() / "mlperf_log_accuracy.json").write_text("[]")
    spoil(tree)
    assert found(offline(tree)) == set(ENTRY_SCOPES) - lacking


def test_nothing_of_a_benchmark_without_rules_is_held_against_rules(tree: GoodTree) -> None:
    entry = offline(tree)
    unknown = replace(entry, benchmark=replace(entry.benchmark, name="resnet"))
    assert found(unknown) <= {"PERFORMANCE_LOG", "ACCURACY_LOG", "ANSWERED"}
    assert subjects.HELD.of(unknown.benchmark) is None
    held = subjects.HELD.of(entry.benchmark)
    assert held is not None and isinstance(held.benchmark, Benchmark)


def test_a_system_without_a_readable_description_is_not_described(tree: GoodTree) -> None:
    described = subjects.DESCRIBED.of(system(tree))
    assert described is not None and described.fields["status"]
    tree.system_file.write_text("[")
    assert subjects.DESCRIBED.of(system(tree)) is None


@pytest.mark.parametrize(
    ("narrow", "is_found"),
    [(subjects.loadgen, True), (subjects.endpoints, False), (subjects.gated, False)],
)
def test_a_scope_is_narrowed_to_a_kind_of_entry(
    tmp_path: Path, narrow: Callable[[RuleScope[Entry, Entry]], RuleScope[Entry, Entry]], is_found: bool
) -> None:
    entry = offline(GoodTree.make(tmp_path, division="open"))
    scope = narrow(subjects.ENTRY)
    assert scope.level is Level.ENTRY
    assert (scope.of(entry) is entry) is is_found


def test_no_rule_begins_by_asking_whether_its_subject_is_there() -> None:
    parts = {"log", "rules", "fields", "performance", "accuracy", "accuracy_text", "measurement", "text"}
    asking = {
        f"{path.stem}.{function.name}"
        for path in (Path(checker.__file__).parent / "rules").glob("*.py")
        for function in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(function, ast.FunctionDef) and function.decorator_list
        for node in ast.walk(function)
        if isinstance(node, ast.Compare) and ast.unparse(node.comparators[0]) == "None"
        if ast.unparse(node.left).split(".")[-1] in parts
    }
    assert asking <= ASK_FOR_WHAT_IS_MISSING
