"""What happens around the benchmark: what is fetched, cleaned, taken as it is, and refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.bench import app, benchmark, fetching
from assay.config import BenchmarkConfig, ContainerRequest, Delivery, Division, SubmissionRequest
from assay.doors import native
from assay.doors.builtin.call import MayFetch
from assay.ground import settings
from assay.ground.errors import ArtifactError, ConfigError, EnvironmentProblem, RunFailed
from assay.ground.hub import Hub
from assay.mlperf import artifact
from assay.mlperf.artifact import DatasetFile
from tests import fakes
from tests.ground import flaky_server as flaky

CLOSED = BenchmarkConfig(submission=SubmissionRequest(division=Division.CLOSED))


@pytest.fixture(autouse=True)
def own_store(tmp_path: Path) -> None:
    settings.set_home(tmp_path / "store")


def asked(**texts: str) -> BenchmarkConfig:
    return native.build("mixtral-8x7b", {key.replace("__", "."): text for key, text in texts.items()}, {})


def obtain(config: BenchmarkConfig, may_fetch: MayFetch | None = None) -> tuple[BenchmarkConfig, list[str]]:
    said: list[str] = []
    return fetching.obtain(config, Hub(), said.append, may_fetch or MayFetch()), said


def test_the_embedded_workload_needs_nothing() -> None:
    config = BenchmarkConfig()
    assert obtain(config)[0] is config


def test_the_full_model_is_refused_before_anything_is_fetched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("assay.ground.download.free_bytes", lambda _: 10**9)
    with pytest.raises(EnvironmentProblem, match="93 GB on disk"):
        obtain(asked())
    assert not settings.home().exists()


def test_the_native_door_refuses_the_full_model_with_the_same_figures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("assay.ground.download.free_bytes", lambda _: 10**9)
    with pytest.raises(EnvironmentProblem, match="93 GB on disk"):
        app.prepare(asked())


def test_the_dataset_of_the_round_is_fetched_when_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with flaky.serving(b"rows") as server:
        name = "09292024_mixtral_15k_mintoken2_v1.pkl"
        monkeypatch.setitem(artifact.DATASETS, name, DatasetFile(name, server.url(f"/{name}"), None))
        config, _ = obtain(asked(sut="echo", round="v5.1"))
    assert config.paths.dataset is not None
    assert config.paths.dataset.read_bytes() == b"rows"


def test_nothing_is_fetched_that_may_not_be() -> None:
    config, _ = obtain(asked(), MayFetch(model=False, dataset=False))
    assert (config.paths.checkpoint, config.paths.dataset) == (None, None)


def test_a_path_that_is_not_there_is_told_before_the_run(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="does not exist"):
        obtain(asked(paths__checkpoint=str(tmp_path / "gone")))


def test_a_superseded_dataset_is_told(tmp_path: Path) -> None:
    old = tmp_path / "2024.06.06_mixtral_15k_v4.pkl"
    old.write_bytes(b"rows")
    _, said = obtain(asked(sut="echo", paths__dataset=str(old)))
    assert any("superseded" in line for line in said)


def test_an_earlier_run_is_removed_and_a_folder_of_somebody_else_is_not(tmp_path: Path) -> None:
    run, other = tmp_path / "run", tmp_path / "other"
    for folder, name in ((run, "result.json"), (other, "thesis.tex")):
        folder.mkdir()
        (folder / name).write_text("{}")
    benchmark.remove_run(run)
    assert not run.exists()
    with pytest.raises(ConfigError, match="is no run folder"):
        benchmark.remove_run(other)
    assert (other / "thesis.tex").exists()


def test_an_earlier_tree_is_removed_and_a_folder_of_somebody_else_is_not(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "open" / "Me").mkdir(parents=True)
    (tree / "README.md").write_text("hello")
    benchmark.remove_tree(tree)
    assert not tree.exists()
    (tree / "photos").mkdir(parents=True)
    with pytest.raises(ConfigError, match="it holds photos"):
        benchmark.remove_tree(tree)


def test_what_is_not_there_needs_no_cleaning(tmp_path: Path) -> None:
    benchmark.remove_run(tmp_path / "none")
    benchmark.remove_tree(tmp_path / "none")
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_compliance_tests_are_for_closed_submissions_outside_of_containers() -> None:
    assert benchmark.complies(CLOSED, Delivery(compliance=True))
    assert not benchmark.complies(CLOSED, Delivery())
    assert not benchmark.complies(BenchmarkConfig(), Delivery(compliance=True))
    with pytest.raises(ConfigError, match="in a container are not possible"):
        benchmark.complies(CLOSED, Delivery(compliance=True, container=ContainerRequest()))


@pytest.mark.parametrize(("is_gate", "validity"), [(True, "INVALID"), (False, "INVALID"), (True, "VALID")])
def test_the_gate_fails_a_job_whose_run_is_invalid_and_says_why_in_any_case(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_gate: bool, validity: str
) -> None:
    made = fakes.result(fakes.performance(validity=validity))
    monkeypatch.setattr(app, "run", lambda config, watch: (made, tmp_path))
    said: list[str] = []

    def deliver() -> object:
        watch = app.Watch(said.append, lambda progress: None)
        delivery = Delivery(gate=is_gate)
        return benchmark.deliver(
            BenchmarkConfig(), delivery, Hub(), watch, may_fetch=MayFetch(), comply=lambda folder: None
        )

    if is_gate and validity == "INVALID":
        with pytest.raises(RunFailed, match="Offline INVALID"):
            deliver()
    else:
        deliver()
    assert any(f"Offline {validity}" in line for line in said)
