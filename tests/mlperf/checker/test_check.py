"""The check as a whole: order, workers, filters, output, and hostile trees."""

from __future__ import annotations

import csv
import io
import json
import os
import string
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from assay.audit.defects import DEFECTS
from assay.cli import main
from assay.cli.check import text
from assay.ground.errors import ConfigError
from assay.mlperf.checker import rules_text, summary
from assay.mlperf.checker.check import check
from assay.mlperf.checker.finding import Severity
from assay.mlperf.checker.rule import RULES
from assay.mlperf.logs.detail import JUDGED_KEYS, parse
from assay.mlperf.rounds import round as rounds
from tests.mlperf import run_folder
from tests.mlperf.checker.good_tree import GoodTree

V51 = rounds.load("v5.1")
DOCS = Path(__file__).parents[3] / "docs/rules.md"


def test_a_good_tree_is_a_submission(tmp_path: Path) -> None:
    report = check(GoodTree.make(tmp_path).root, V51)
    assert report.is_clean
    assert [(r.scenario, r.units, r.errors, r.compliance) for r in report.rows] == [
        ("Offline", "Tokens/s", 0, True),
        ("Server", "Tokens/s", 0, True),
    ]
    assert report.rows[0].result == pytest.approx(20 * 144.84)
    assert "no errors" in text(report)


def test_workers_change_nothing(tmp_path: Path) -> None:
    tree = GoodTree.make(tmp_path)
    for name in ("b", "c", "d"):
        (tree.owner / "systems" / f"{name}.json").write_text("{}")
        (tree.owner / "results" / name / "mixtral-8x7b" / "Offline").mkdir(parents=True)
    alone, many = (check(tree.root, V51, workers=n) for n in (1, 3))
    assert alone == many
    assert len(alone.rows) == 5


def test_one_submitter_alone_is_judged(tmp_path: Path) -> None:
    tree = GoodTree.make(tmp_path)
    bad = tree.root / "closed/Other/results/x"
    bad.mkdir(parents=True)
    assert not check(tree.root, V51).is_clean
    assert check(tree.root, V51, submitter="Tester").is_clean
    assert [f.code for f in check(tree.root, V51, submitter="tester").findings] == ["T15"]


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no folder and no packed tree"):
        check(tmp_path / "missing", V51)


def test_seeds_of_another_round_are_named(tmp_path: Path) -> None:
    tree = GoodTree.make(tmp_path)
    found = check(tree.root, rounds.load("v5.0")).findings
    assert {f.code for f in found if "the seeds of v5.1" in f.found} == {"P5", "X3"}


def test_json_and_csv_hold_what_a_program_needs(tmp_path: Path) -> None:
    tree = GoodTree.make(tmp_path)
    tree.system(system_name='a "quoted", name', number_of_nodes="2", accelerators_per_node="4")
    report = check(tree.root, V51)
    value = json.loads(json.dumps(report.to_dict()))
    assert value["summary"]["results"] == value["summary"]["results_without_errors"] == 2
    rows = list(csv.DictReader(io.StringIO(summary.to_csv(report.rows))))
    assert rows[0]["SystemName"] == 'a "quoted", name'
    assert rows[0]["total_accelerators"] == "8"
    assert len(rows[0]) == 31
    assert rows[1]["Scenario"] == "Server"


def test_docs_are_those_of_the_rules(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--all"]) == 0
    assert DOCS.read_text(encoding="utf-8") == capsys.readouterr().out, (
        "run: assay explain --all > docs/rules.md"
    )


def test_the_page_of_rules_loses_no_text_when_it_is_rendered() -> None:
    tokens = MarkdownIt("commonmark").enable("table").parse(DOCS.read_text(encoding="utf-8"))
    inline = [token for token in tokens if token.type == "inline"]
    shown = {"".join(part.content for part in token.children or []) for token in inline}
    assert {part.type for token in inline for part in token.children or []} <= {
        "text",
        "code_inline",
        "softbreak",
    }
    for one in (*RULES.values(), *DEFECTS.values()):
        assert {text.replace("`", "") for text in (one.title, one.source, one.fix)} <= shown


def test_every_rule_has_a_source_a_fix_and_a_family() -> None:
    assert all(rule.source and rule.fix and rule.code[0] in rules_text.FAMILIES for rule in RULES.values())
    with pytest.raises(ConfigError) as caught:
        rules_text.get("P99")
    assert "P9" in caught.value.hint


def test_quoted_flags_of_older_loadgens_are_read() -> None:
    log = parse(run_folder.record("early_stopping_met", "false").encode())
    assert log.flag("early_stopping_met") is False
    assert log.flag("result_validity") is None


def test_keys_in_another_order_are_read_all_the_same() -> None:
    line = ':::MLLOG {"value": "VALID", "key": "result_validity"}\n'
    assert parse(line.encode(), JUDGED_KEYS).values == {"result_validity": "VALID"}


@pytest.mark.parametrize("value", ["NaN", "Infinity", "true", '"5"', "null", "[]", "1" * 5000])
def test_a_value_that_is_no_finite_number_is_none(value: str) -> None:
    log = parse(f':::MLLOG {{"key": "effective_min_duration_ms", "value": {value}}}\n'.encode())
    assert log.number("effective_min_duration_ms") is None


# Fuzzed cases of the suite: 300 files, 200 fields, 3000 + 5000 logs and 150 trees here, 100 archives in
# test_archive.py, 1500 reports in test_audit.py: 10,250.
HOSTILE = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
FILES = [
    "performance/mlperf_log_detail.txt",
    "accuracy/mlperf_log_detail.txt",
    "accuracy/accuracy.txt",
    "accuracy/mlperf_log_accuracy.json",
    "system",
    "measurement",
    "verify",
    "user.conf",
]


def target(tree: GoodTree, name: str) -> Path:
    places = {
        "system": tree.system_file,
        "measurement": tree.measurement_file(),
        "verify": tree.compliance() / "verify_accuracy.txt",
        "user.conf": tree.measurements() / "user.conf",
    }
    folder, _, file = name.partition("/")
    return places.get(name) or (tree.performance() if folder == "performance" else tree.accuracy()) / file


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def shared_tree(tmp_path_factory: pytest.TempPathFactory) -> GoodTree:
    return GoodTree.make(tmp_path_factory.mktemp("shared"))


@settings(HOSTILE, max_examples=300)
@given(name=st.sampled_from(FILES), content=st.binary(max_size=300))
def test_any_bytes_in_any_file_are_judged(shared_tree: GoodTree, name: str, content: bytes) -> None:
    path = target(shared_tree, name)
    before = path.read_bytes()
    try:
        path.write_bytes(content)
        assert text(check(shared_tree.root, V51))
    finally:
        path.write_bytes(before)


@settings(HOSTILE, max_examples=200)
@given(name=st.sampled_from(["system", "measurement"]), key=st.sampled_from(V51.fields.system), value=JSON)
def test_any_json_in_any_field_is_judged(shared_tree: GoodTree, name: str, key: str, value: object) -> None:
    path = target(shared_tree, name)
    before = path.read_bytes()
    try:
        path.write_text(json.dumps({**json.loads(before), key: value, "retraining": value}))
        report = check(shared_tree.root, V51)
        assert summary.to_csv(report.rows)
        assert json.dumps(report.to_dict())
    finally:
        path.write_bytes(before)


@settings(HOSTILE, max_examples=3000)
@given(key=st.sampled_from(sorted(JUDGED_KEYS)), value=JSON, cut=st.integers(0, 400))
def test_any_log_is_read(key: str, value: object, cut: int) -> None:
    content = (run_folder.record(key, value) + "\n" + run_folder.record("x", 1, is_error=True)).encode()
    log = parse(content[: len(content) - cut], JUDGED_KEYS)
    assert log.number(key) is None or isinstance(log.number(key), (int, float))


@settings(HOSTILE, max_examples=5000)
@given(content=st.binary(max_size=200))
def test_any_bytes_are_read_as_a_log_with_a_fault_or_a_value(content: bytes) -> None:
    log = parse(b":::MLLOG " + content, JUDGED_KEYS)
    assert log.faults or log.values or not log.errors


NAMES = st.text(alphabet=string.ascii_letters + "._- ~é", min_size=1, max_size=12).filter(
    lambda n: n not in (".", "..")
)


@settings(HOSTILE, max_examples=150)
@given(paths=st.lists(st.lists(NAMES, min_size=1, max_size=7), max_size=12), kind=st.sampled_from("fdlp"))
def test_any_tree_is_judged(
    tmp_path_factory: pytest.TempPathFactory, paths: list[list[str]], kind: str
) -> None:
    root = tmp_path_factory.mktemp("tree")
    for parts in [*paths, ["closed", "Tester", "results", "x", "mixtral-8x7b", "Offline"]]:
        path = root / "closed/Tester/results" / Path(*parts)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if kind == "d":
                path.mkdir()
            elif kind == "l":
                path.symlink_to(root)
            elif kind == "p":
                os.mkfifo(path)
            else:
                path.write_text("x")
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            continue
    report = check(root, V51)
    assert report.count(Severity.ERROR) > 0


def test_a_name_that_is_no_utf8_is_a_finding(tmp_path: Path) -> None:
    tree = GoodTree.make(tmp_path)
    (Path(os.fsdecode(os.fsencode(tree.owner / "code") + b"/\xff\xfe"))).write_text("x")
    report = check(tree.root, V51)
    assert [f.code for f in report.findings] == ["T13"]
    assert json.dumps(report.to_dict()).encode("utf-8")


def test_a_link_to_a_file_inside_the_tree_is_followed(tmp_path: Path) -> None:
    tree = GoodTree.make(tmp_path)
    path = tree.performance() / "mlperf_log_detail.txt"
    moved = tree.owner / "code" / "log.txt"
    path.rename(moved)
    path.symlink_to(os.path.relpath(moved, path.parent))
    assert check(tree.root, V51).is_clean


def test_a_very_deep_tree_ends(tmp_path: Path) -> None:
    tree = GoodTree.make(tmp_path)
    (tree.owner / "code" / Path(*["d"] * 60)).mkdir(parents=True)
    assert [f.code for f in check(tree.root, V51).findings] == ["T13"]
