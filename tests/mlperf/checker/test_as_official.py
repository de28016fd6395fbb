"""What the official checkers of a round accept is accepted here: each case was published and passed."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from assay.mlperf.checker.check import check
from assay.mlperf.checker.finding import Severity
from assay.mlperf.rounds import round as rounds
from tests.mlperf import run_folder
from tests.mlperf.checker.good_tree import GoodTree, Spoil


def rename(old: str, new: str) -> Spoil:
    def spoil(tree: GoodTree) -> None:
        for path in sorted(tree.root.rglob(f"{old}*"), reverse=True):
            path.rename(path.with_name(path.name.replace(old, new)))

    return spoil


def beside_accuracy(name: str) -> Spoil:
    return lambda t: (t.accuracy() / name).write_text("{}")


def on_windows(*names: str) -> Spoil:
    """Text files of the accuracy folder as Windows writes them."""

    def spoil(tree: GoodTree) -> None:
        for name in names:
            path = tree.accuracy() / name
            path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))

    return spoil


def cut_answers(end: str) -> Spoil:
    def spoil(tree: GoodTree) -> None:
        gap = f"{end}{end}...{end}{end}"
        (tree.accuracy() / "mlperf_log_accuracy.json").write_bytes(
            f"[{end}{{ 00{gap}00 }}{end}]{end}".encode()
        )

    return spoil


def whole_answers_with_a_hash_of_other_line_ends(tree: GoodTree) -> None:
    text = b'[\n{ "seq_id" : 0, "qsl_idx" : 0, "data" : "00" }\n]\n'
    (tree.accuracy() / "mlperf_log_accuracy.json").write_bytes(text.replace(b"\n", b"\r\n"))
    verdict = tree.accuracy() / "accuracy.txt"
    verdict.write_text(re.sub(r"hash=\w+", f"hash={hashlib.sha256(text).hexdigest()}", verdict.read_text()))


def marked_and_not_counted(tree: GoodTree) -> None:
    path = tree.performance() / "mlperf_log_detail.txt"
    path.write_text(path.read_text() + run_folder.record("error_runtime", "late", is_error=True) + "\n")


def counted(tree: GoodTree) -> None:
    tree.log(tree.performance(), num_errors=1)


def with_tokens_per_sample(tree: GoodTree, value: str | None) -> list[str]:
    """Set or remove a metric that has an upper limit alone; the codes found."""
    for folder in tree.owner.glob("results/box/*/*"):
        tree.score("tokens_per_sample", value, folder.name)
        for test, file in (("TEST07", "verify_accuracy.txt"), ("TEST09", "verify_output_len.txt")):
            (folder / test).mkdir(exist_ok=True)
            (folder / test / file).write_text("TEST PASS\n")
    return tree.codes()


ACCEPTED: list[tuple[str, str, str, Spoil]] = [
    ("v5.1", "llama3.1-8b", "closed", rename("llama3.1-8b", "llama3_1-8b")),
    ("v6.0", "llama3.1-8b", "closed", rename("llama3.1-8b", "llama3_1-8b")),
    ("v5.0", "llama3.1-405b", "closed", rename("llama3.1-405b", "llama3_1-405b")),
    ("v5.1", "llama3.1-405b", "open", rename("llama3.1-405b", "llama3_1-405b")),
    ("v5.1", "mixtral-8x7b", "closed", beside_accuracy("mlperf_log_trace.json")),
    ("v6.0", "mixtral-8x7b", "closed", beside_accuracy("results.json")),
    ("v5.1", "mixtral-8x7b", "open", beside_accuracy("mlperf_log_trace.json")),
    ("v5.1", "mixtral-8x7b", "closed", on_windows("accuracy.txt", "mlperf_log_detail.txt")),
    ("v5.1", "mixtral-8x7b", "closed", cut_answers("\r\n")),
    ("v5.1", "mixtral-8x7b", "closed", cut_answers("\n")),
    ("v6.0", "mixtral-8x7b", "open", lambda t: t.system(framework=2.4)),
    ("v5.1", "mixtral-8x7b", "closed", whole_answers_with_a_hash_of_other_line_ends),
]


@pytest.mark.parametrize(("round_", "workload", "division", "spoil"), ACCEPTED)
def test_it_gives_no_error(tmp_path: Path, round_: str, workload: str, division: str, spoil: Spoil) -> None:
    tree = GoodTree.make(tmp_path, round_, division, workload)
    spoil(tree)
    assert tree.codes() == []


@pytest.mark.parametrize(
    ("round_", "code", "spoil"),
    [
        ("v5.1", "P2", marked_and_not_counted),
        ("v6.0", "P2", counted),  # the modular checker prints them and goes on
        ("v5.1", "T9", lambda t: (t.root / "open/Nobody/code").mkdir(parents=True)),
    ],
)
def test_what_the_official_checker_passes_over_is_a_warning(
    tmp_path: Path, round_: str, code: str, spoil: Spoil
) -> None:
    tree = GoodTree.make(tmp_path, round_)
    spoil(tree)
    assert (tree.codes(), tree.codes(Severity.ERROR)) == ([code], [])


@pytest.mark.parametrize("division", ["closed", "open"])
def test_a_metric_with_an_upper_limit_alone_may_be_absent(tmp_path: Path, division: str) -> None:
    tree = GoodTree.make(tmp_path, "v6.0", division, "gpt-oss-120b")
    assert with_tokens_per_sample(tree, None) == []


def test_a_value_above_a_limit_that_stands_alone_is_an_error(tmp_path: Path) -> None:
    tree = GoodTree.make(tmp_path, "v6.0", "closed", "gpt-oss-120b")
    assert with_tokens_per_sample(tree, "10999") == ["A2"]


@pytest.mark.parametrize("name", ["resnet50", "mobilenet", "bert-99-pruned", "efficientnet-lite0"])
def test_a_benchmark_under_another_name_is_not_judged(tmp_path: Path, name: str) -> None:
    tree = GoodTree.make(tmp_path)
    rename("mixtral-8x7b", name)(tree)
    assert tree.codes() == ["N1"]


def test_results_that_were_not_judged_have_not_passed(tmp_path: Path) -> None:
    tree = GoodTree.make(tmp_path)
    assert check(tree.root, rounds.load("v5.1")).is_submission is True
    rename("mixtral-8x7b", "stable-diffusion-xl")(tree)
    report = check(tree.root, rounds.load("v5.1"))
    assert (report.is_submission, report.not_judged) == (None, 2)
    assert report.to_dict()["summary"]["results_without_errors"] == 0


def test_a_tree_without_a_result_has_not_passed(tmp_path: Path) -> None:
    (tmp_path / "open/Org/results/box/mixtral-8x7b").mkdir(parents=True)
    (tmp_path / "open/Org/results/box/mixtral-8x7b/note.md").write_text("to come")
    assert check(tmp_path, rounds.load("v5.1")).is_submission is not True


def test_an_error_stands_above_what_was_not_judged(tmp_path: Path) -> None:
    tree = GoodTree.make(tmp_path)
    rename("mixtral-8x7b", "rgat")(tree)
    (tree.owner / "calibration.md").unlink()
    assert check(tree.root, rounds.load("v5.1")).is_submission is False


def test_links_to_folders_of_the_tree_are_followed(tmp_path: Path) -> None:
    tree = GoodTree.make(tmp_path, workload="llama2-70b-99")
    for folder in list(tree.root.rglob("llama2-70b-99")):
        folder.with_name("llama2-70b-99.9").symlink_to("llama2-70b-99")
    report = check(tree.root, rounds.load("v5.1"))
    assert [f.code for f in report.findings if f.severity is Severity.ERROR] == []
    assert len(report.rows) == 6


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    tree = GoodTree.make(tmp_path)
    (tree.owner / "code/up").symlink_to("../..")
    for here, there in (("a", "b"), ("b", "a")):
        folder = tree.owner / "code" / here
        folder.mkdir()
        (folder / "note.md").write_text("x")
        (folder / there).symlink_to(f"../{there}")
    assert tree.codes() == []


def conf(tree: GoodTree, text: str) -> list[str]:
    for scenario in ("Offline", "Server", "Interactive"):
        (tree.measurements(scenario) / "user.conf").write_text(text)
    return tree.codes()


@pytest.mark.parametrize(
    ("workload", "text", "codes"),
    [
        ("llama2-70b-99.9", "llama2-70b.Offline.min_duration = 5", ["X4"]),
        ("llama2-70b-99", "llama2-70b-interactive.Server.min_duration = 5", ["X4"]),
        ("llama3.1-405b", "llama3_1-405b.*.min_duration = 5", ["X4"]),
        ("llama3.1-405b", "llama3.1-405b.*.min_duration = 5", ["X4"]),
        ("llama2-70b-99", "gptj.Offline.min_duration = 5", []),
        ("llama2-70b-99", "llama2-70b-interactive.Offline.min_duration = 5", []),
        (
            "llama2-70b-99",
            "llama2-70b.Offline.min_duration = 5\nllama2-70b-99.Offline.min_duration = 600000",
            [],
        ),
        ("llama2-70b-99", "*.*.min_duration = 5\nllama2-70b.*.min_duration = 600000", []),
    ],
)
def test_user_conf_speaks_of_a_benchmark_by_loadgens_name(
    tmp_path: Path, workload: str, text: str, codes: list[str]
) -> None:
    assert conf(GoodTree.make(tmp_path, "v5.1", "closed", workload), text) == codes


def test_a_workload_is_found_under_every_spelling_of_its_round() -> None:
    assert rounds.load("v5.1").workload("llama3_1-8b-edge").key == "llama3.1-8b-edge"
    assert rounds.load("v5.0").official_name("llama3_1-405b") == "llama3.1-405b"


@pytest.mark.parametrize("round_", ["v4.0", "v4.1", "v5.0"])
def test_the_result_of_single_stream_is_a_latency_in_milliseconds(tmp_path: Path, round_: str) -> None:
    tree = GoodTree.make(tmp_path, round_, "open", "gptj-99")
    tree.results("Offline").rename(tree.results("SingleStream"))
    logged = {"effective_scenario": "SingleStream", "early_stopping_latency_ss": 4_149_800_000}
    tree.log(tree.performance("SingleStream"), **logged)
    rows = [r for r in check(tree.root, rounds.load(round_)).rows if r.scenario == "SingleStream"]
    assert [(r.result, r.units) for r in rows] == [(4149.8, "Latency (ms)")]
