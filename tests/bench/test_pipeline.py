"""What happens around the benchmark: what is fetched, cleaned, taken as it is, and refused."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from assay.bench import earlier, pipeline, plan, preparation, submit
from assay.bench.pipeline import FinishedBenchmark
from assay.bench.running import Reporter, RunInProgress
from assay.bench.submit import Submitted
from assay.config import (
    BenchmarkConfig,
    ContainerRequest,
    Delivery,
    EarlierRun,
    MayFetch,
    Paths,
    Request,
    SubmissionRequest,
)
from assay.doors import config_options
from assay.ground import settings
from assay.ground.errors import ArtifactError, AssayError, ConfigError, EnvironmentProblem
from assay.ground.hub import Hub
from assay.mlperf import workloads
from assay.mlperf.checker import check
from assay.mlperf.record import result
from assay.mlperf.record.result import RunResult, RunValidity, Status
from assay.mlperf.rounds import round as rounds
from assay.mlperf.workloads import artifact
from assay.mlperf.workloads.workload import DatasetFile
from assay.report import outcome
from tests import fakes
from tests.bench import echo_job
from tests.ground import flaky_server as flaky

MIXTRAL_ROWS = json.dumps(
    {
        "dataset": "GSM8K",
        "id": "train.1",
        "input": "<s> x",
        "gt_output": "3",
        "tok_input": [5] * 10,
        "tok_ref_output": [7] * 20,
        "tok_stop_sequence": [2],
    }
)


@pytest.fixture(autouse=True)
def own_store(tmp_path: Path) -> None:
    settings.set_home(tmp_path / "store")


def asked(**texts: str) -> BenchmarkConfig:
    return config_options.build(
        "mixtral-8x7b", {key.replace("__", "."): text for key, text in texts.items()}, {}
    )


def obtain(config: BenchmarkConfig, may_fetch: MayFetch | None = None) -> tuple[BenchmarkConfig, list[str]]:
    said: list[str] = []
    request = Request(config, Delivery(may_fetch=may_fetch or MayFetch()))
    return pipeline.obtain(request, Hub(), said.append, None).config, said


def test_the_embedded_workload_needs_nothing() -> None:
    config = BenchmarkConfig()
    assert obtain(config)[0] == config


def test_the_full_model_is_refused_before_anything_is_fetched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("assay.ground.download.free_bytes", lambda _: 10**9)
    with pytest.raises(EnvironmentProblem, match=r"93\.4 GB on disk"):
        obtain(asked())
    assert not settings.home().exists()


def test_the_dataset_of_the_round_is_fetched_when_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = MIXTRAL_ROWS.encode()
    with flaky.serving(rows) as server:
        name = "09292024_mixtral_15k_mintoken2_v1.jsonl"
        file = DatasetFile(name, server.url(f"/{name}"), None)
        workload = dataclasses.replace(workloads.get("mixtral-8x7b"), dataset_files=(file,))
        monkeypatch.setitem(workloads.TABLE, "mixtral-8x7b", workload)
        config, _ = obtain(asked(sut="echo", round="v5.1", modes="performance", limits__samples="1"))
    assert config.paths.dataset is not None
    assert config.paths.dataset.read_bytes() == rows


def test_nothing_is_fetched_that_may_not_be() -> None:
    with pytest.raises(ConfigError, match="mixtral-8x7b does not ship with Assay"):
        obtain(asked(), MayFetch(model=False, dataset=False))
    assert not settings.home().exists()


def test_a_path_that_is_not_there_is_told_before_the_run(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="gone does not exist"):
        obtain(asked(paths__checkpoint=str(tmp_path / "gone"), paths__dataset=str(tmp_path / "gone.pkl")))


def test_what_stands_in_the_way_is_told_before_anything_is_fetched(tmp_path: Path) -> None:
    with flaky.serving(b"rows") as server, pytest.raises(ArtifactError, match=r"no tokenizer\.model"):
        obtain(asked(sut="echo", paths__dataset=server.url("/rows.jsonl"), paths__tokenizer=str(tmp_path)))
    assert set(server.methods) <= {"HEAD"}


@pytest.mark.parametrize(
    "texts",
    [
        {"paths__checkpoint": "gone"},
        {"paths__dataset": "gone.pkl", "sut": "echo"},
        {"paths__dataset": "rows.jsonl", "paths__tokenizer": ".", "sut": "echo"},
        {"paths__dataset": "rows.jsonl", "limits__samples": "2", "sut": "echo"},
        {"paths__dataset": "rows.jsonl", "style": "valid", "sut": "echo"},
        {"paths__dataset": "rows.jsonl", "paths__lcb_tests": "gone", "sut": "echo"},
        {"paths__dataset": "rows.jsonl", "paths__out": "full", "sut": "echo"},
        {"paths__dataset": "rows.jsonl", "precision": "int4"},
        {"paths__checkpoint": "full", "sut": "transformers"},
        {"paths__dataset": "full", "sut": "echo"},
    ],
)
def test_a_run_ends_with_the_first_thing_that_its_plan_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, texts: dict[str, str]
) -> None:
    (tmp_path / "rows.jsonl").write_text(MIXTRAL_ROWS)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pipeline.measure, "measure", lambda *_: pytest.fail("it ran"))
    request = Request(asked(**{"modes": "performance", "limits__samples": "1", **texts}))
    blocker = plan.make(request).blockers[0]
    with pytest.raises(AssayError) as raised:
        pipeline.run(request, Hub(), echo_job.silent(), consent=lambda things: pytest.fail("it would fetch"))
    assert (raised.value.message, raised.value.exit_code) == (blocker.message, blocker.exit_code)


def test_a_superseded_dataset_is_told(tmp_path: Path) -> None:
    old = tmp_path / "2024.06.06_mixtral_15k_v4.jsonl"
    old.write_text(MIXTRAL_ROWS)
    file = DatasetFile(old.name, "https://x.org/old", superseded_by="a newer one")
    assert artifact.warning(old, [file]) == f"{old.name} is superseded by a newer one"


def test_an_earlier_run_is_removed_and_a_folder_of_somebody_else_is_not(tmp_path: Path) -> None:
    run, other = tmp_path / "run", tmp_path / "other"
    for folder, name in ((run, "result.json"), (other, "thesis.tex")):
        folder.mkdir()
        (folder / name).write_text("{}")
    earlier.remove_run(run)
    assert not run.exists()
    with pytest.raises(ConfigError, match="is no run folder"):
        earlier.remove_run(other)
    assert (other / "thesis.tex").exists()


def test_an_earlier_tree_is_removed_and_a_folder_of_somebody_else_is_not(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "open" / "Me").mkdir(parents=True)
    (tree / "README.md").write_text("hello")
    earlier.remove_tree(tree)
    assert not tree.exists()
    (tree / "photos").mkdir(parents=True)
    with pytest.raises(ConfigError, match="it holds photos"):
        earlier.remove_tree(tree)


def test_what_is_not_there_needs_no_cleaning(tmp_path: Path) -> None:
    earlier.remove_run(tmp_path / "none")
    earlier.remove_tree(tmp_path / "none")
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


@pytest.mark.parametrize(
    ("is_gate", "validity"),
    [(True, RunValidity.INVALID), (False, RunValidity.INVALID), (True, RunValidity.VALID)],
)
def test_the_gate_fails_a_job_whose_run_is_invalid_and_says_why_in_any_case(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_gate: bool, validity: RunValidity
) -> None:
    made = fakes.result(fakes.performance(validity=validity))
    monkeypatch.setattr(earlier, "take", lambda *_: made)
    said: list[RunResult] = []
    request = Request(BenchmarkConfig(paths=Paths(out=tmp_path)), Delivery(gate=is_gate))
    finished = pipeline.run(request, Hub(), Reporter(lambda text: None, lambda progress: None, said.append))
    failed = [failure.message for failure in pipeline.failures(request, finished)]
    assert failed == (
        ["the gate failed: Offline INVALID"] if is_gate and validity is RunValidity.INVALID else []
    )
    assert said == [made]


@pytest.mark.parametrize(
    ("style", "invalid", "is_failed"), [("valid", True, True), ("fast", True, False), ("valid", False, False)]
)
def test_an_invalid_run_fails_a_job_of_the_valid_style_alone(
    tmp_path: Path, style: str, invalid: bool, is_failed: bool
) -> None:
    made = fakes.result(fakes.performance(validity=RunValidity.INVALID if invalid else RunValidity.VALID))
    request = Request(BenchmarkConfig(), Delivery(refuse_invalid=style == "valid"))
    failed = pipeline.failures(request, FinishedBenchmark(made, tmp_path, outcome.of(made)))
    assert bool(failed) == is_failed


@pytest.mark.parametrize(("full", "is_failed"), [(True, True), (False, False)])
def test_errors_of_the_checker_fail_the_job_in_the_full_style_alone(
    tmp_path: Path, full: bool, is_failed: bool
) -> None:
    made = fakes.result(fakes.performance(), workload="mixtral-8x7b")
    (tmp_path / "open").mkdir()
    report = check.check(tmp_path, rounds.load("v5.1"))
    assert not report.is_clean
    finished = FinishedBenchmark(made, tmp_path, outcome.of(made), Submitted(tmp_path, None, report))
    failed = pipeline.failures(Request(BenchmarkConfig(), Delivery(full=full)), finished)
    assert [("has 1 error in round v5.1" in each.message) for each in failed] == [True] * is_failed


def test_the_tree_is_where_it_is_asked_for_else_in_the_run_or_beside_it(tmp_path: Path) -> None:
    run, own = tmp_path / "run", tmp_path / "own"
    beside = Delivery(is_tree_beside_run=True)
    named = BenchmarkConfig(submission=SubmissionRequest(out=own))
    assert submit.place_of_tree(Request(BenchmarkConfig()), run) == run / "submission"
    assert submit.place_of_tree(Request(BenchmarkConfig(), beside), run) == tmp_path / "run_submission"
    assert submit.place_of_tree(Request(named, beside), run) == own


@pytest.mark.parametrize("way", list(EarlierRun))
@pytest.mark.parametrize("status", [Status.COMPLETE, Status.FAILED])
def test_an_earlier_run_is_left_taken_or_replaced_as_asked(
    tmp_path: Path, way: EarlierRun, status: Status
) -> None:
    out = tmp_path / "run"
    out.mkdir()
    made = fakes.result(fakes.performance(), status=status)
    made.write(out)
    config = dataclasses.replace(made.asked, paths=dataclasses.replace(made.asked.paths, out=out))
    taken = earlier.take(config, way, lambda text: None)
    may_take = way in (EarlierRun.REUSE, EarlierRun.RESUME)
    assert (taken is not None) == (may_take and status is Status.COMPLETE)
    assert out.exists() == (taken is not None or way in (EarlierRun.REFUSE, EarlierRun.RESUME))


def test_a_compliance_test_that_the_division_does_not_owe_is_left_out_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, said = fakes.result(fakes.performance()), list[str]()
    monkeypatch.setattr(earlier, "take", lambda *_: made)
    request = Request(BenchmarkConfig(paths=Paths(out=tmp_path)), Delivery(compliance=True))
    pipeline.run(request, Hub(), Reporter(said.append, lambda progress: None))
    assert said == ["no compliance test is run: the open division owes none"]


@pytest.mark.parametrize("is_inside", [False, True])
def test_what_is_measured_here_or_in_a_container_is_recorded_by_the_pipeline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_inside: bool
) -> None:
    def work(running: RunInProgress, *_: object) -> None:
        assert result.read(running.folder).status is Status.RUNNING
        running.runs.append(fakes.performance())

    wrong = "measured in the other place"
    monkeypatch.setattr(pipeline.measure, "measure", lambda *_: pytest.fail(wrong) if is_inside else work(*_))
    monkeypatch.setattr(pipeline.contained, "run", lambda *_: work(*_) if is_inside else pytest.fail(wrong))
    monkeypatch.setattr(preparation, "find_engine", lambda wanted: None)
    delivery = Delivery(container=ContainerRequest() if is_inside else None)
    finished = pipeline.run(echo_job.request(tmp_path / "run", delivery), Hub(), echo_job.silent())
    assert result.read(tmp_path / "run") == finished.result
    assert finished.result.status is Status.COMPLETE and len(finished.result.runs) == 1
