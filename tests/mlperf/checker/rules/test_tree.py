"""Rules of the whole tree, over listings that exist in memory alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from assay.mlperf.checker.finding import Severity
from assay.mlperf.checker.rule import Fault
from assay.mlperf.checker.rules import tree as rules
from assay.mlperf.checker.tree import FILE_MAX_BYTES, Tree
from tests.mlperf.checker.parts import ROOT, listed


@pytest.mark.parametrize(
    ("rule", "good", "bad", "path"),
    [
        (rules.root_folder, "closed/A/x", "other/A/x", "other"),
        (rules.root_file, "README.md", "notes.txt", "notes.txt"),
        (rules.division_file, "closed/A/x", "closed/x", "closed/x"),
        (rules.dot_name, "closed/A/x.y", "closed/A/.x", "closed/A/.x"),
        (rules.blank_name, "closed/A/x_y", "closed/A/x y", "closed/A/x y"),
        (rules.bytecode, "closed/A/pycache/x", "closed/A/__pycache__/x", "closed/A/__pycache__"),
        (rules.empty_folder, "closed/A/x", "closed/A/x/", "closed/A/x"),
        (rules.has_results, "closed/A/results/box/x", "closed/A/systems/box.json", ""),
    ],
)
def test_a_name_is_told_where_it_stands(
    rule: Callable[[Tree], Iterator[Fault]], good: str, bad: str, path: str
) -> None:
    assert list(rule(listed(good))) == []
    assert [fault.path for fault in rule(listed(bad))] == [path]


def test_a_file_of_fifty_mebibytes_is_the_largest() -> None:
    most = FILE_MAX_BYTES
    assert list(rules.file_size(listed("closed/A/x", sizes=most))) == []
    assert [f.found for f in rules.file_size(listed("closed/A/x", sizes=most + 1))] == ["52,428,801 bytes"]


def test_the_accuracy_log_of_test09_may_be_larger() -> None:
    path = "closed/A/results/box/gpt-oss-120b/Offline/TEST09/accuracy/mlperf_log_accuracy.json"
    assert list(rules.file_size(listed(path, sizes=FILE_MAX_BYTES + 1))) == []


def test_links_and_special_files_are_told_each() -> None:
    tree = replace(ROOT, broken_links=("a",), foreign_links=("b",), special=("c", "d"))
    assert [fault.path for fault in rules.link(tree)] == ["a", "b"]
    assert [fault.path for fault in rules.special(tree)] == ["c", "d"]


@pytest.mark.parametrize(("results", "severity"), [("results/", Severity.ERROR), ("", Severity.WARNING)])
def test_an_empty_folder_weighs_more_where_the_official_checkers_look(
    results: str, severity: Severity
) -> None:
    paths = ["closed/A/systems/", *([f"closed/A/{results}box/x"] if results else [])]
    assert [fault.severity for fault in rules.empty_folder(listed(*paths))] == [severity]
