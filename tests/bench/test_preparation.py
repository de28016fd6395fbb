"""The one preparation: what a plan shows, and a run ends with."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from assay.bench import earlier, preparation
from assay.bench.preparation import Preparation
from assay.config import (
    BenchmarkConfig,
    ContainerRequest,
    Delivery,
    Division,
    EarlierRun,
    MayFetch,
    Mode,
    Paths,
    Request,
    SubmissionRequest,
)
from assay.doors import config_options
from assay.ground import settings
from assay.ground.errors import ArtifactError, ConfigError, EnvironmentProblem
from tests import fakes
from tests.bench import echo_job

NOTHING = Delivery(may_fetch=MayFetch(model=False, dataset=False))


@pytest.fixture(autouse=True)
def own_store(tmp_path: Path) -> None:
    settings.set_home(tmp_path / "store")


def asked(workload: str = "mixtral-8x7b", **texts: str) -> BenchmarkConfig:
    return config_options.build(workload, {key.replace("__", "."): text for key, text in texts.items()}, {})


def said(made: Preparation) -> str:
    return " | ".join(f"{each.message} > {each.hint}" for each in (*made.problems, *made.no_room))


def echo(folder: Path, delivery: Delivery | None = None, **texts: str) -> Preparation:
    return preparation.of_request(echo_job.request(folder, delivery, **texts))


def rows(folder: Path, count: int = 3) -> Path:
    """Samples of mixtral-8x7b with prompts of 10 tokens."""
    row = {"dataset": "GSM8K", "id": "a", "input": "x", "gt_output": "3", "tok_input": [5] * 10}
    row |= {"tok_ref_output": [7] * 20, "tok_stop_sequence": [2]}
    folder.mkdir(exist_ok=True)
    file = folder / "rows.jsonl"
    file.write_text("".join(json.dumps({**row, "id": str(i)}) + "\n" for i in range(count)))
    return file


def test_a_job_that_can_run_is_ready(tmp_path: Path) -> None:
    made = echo(tmp_path / "run")
    ready = made.ready()
    assert not made.problems and not made.wanted and made.spec is not None
    assert ready.job.config.limits.samples == echo_job.SAMPLES and len(ready.data.samples) > echo_job.SAMPLES
    assert not (tmp_path / "run").exists()


def test_a_sut_that_nobody_knows_is_all_that_is_said() -> None:
    made = preparation.of_request(Request(BenchmarkConfig(sut="nothing")))
    assert (made.kind, made.job) == (None, None) and len(made.problems) == 1
    with pytest.raises(ConfigError, match="unknown SUT 'nothing'"):
        made.ready()


def test_all_that_stands_in_the_way_is_met_and_the_first_is_raised(tmp_path: Path) -> None:
    bad = asked(
        sut="transformers",
        paths__checkpoint=str(tmp_path / "gone"),
        paths__dataset=str(tmp_path / "gone.pkl"),
        paths__lcb_tests=str(tmp_path / "tests"),
    )
    made = preparation.of_request(Request(bad))
    assert [Path(each.message.split()[0]).name for each in made.problems[:2]] == ["gone", "gone.pkl"]
    assert str(tmp_path / "tests") in said(made)
    with pytest.raises(ArtifactError, match="gone does not exist"):
        made.refuse()


def test_what_is_to_be_fetched_is_named_and_a_run_does_not_begin_without_it() -> None:
    made = preparation.of_measurement(Request(asked(sut="echo", modes="performance")))
    assert [each.what for each in made.wanted] == ["dataset"] and made.data is None
    with pytest.raises(ConfigError, match="not here: the dataset"):
        made.ready()


def test_the_full_model_has_no_room_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assay.ground.download.free_bytes", lambda _: 10**9)
    made = preparation.of_measurement(Request(asked()))
    with pytest.raises(EnvironmentProblem, match=r"93\.4 GB on disk"):
        made.ready()


def test_a_folder_around_the_checkpoint_or_the_dataset_stands_for_it(tmp_path: Path) -> None:
    inner = tmp_path / "outer" / "inner"
    inner.mkdir(parents=True)
    (inner / "config.json").write_text("{}")
    file = rows(tmp_path / "data")
    config = asked(
        sut="echo", paths__checkpoint=str(tmp_path / "outer"), paths__dataset=str(tmp_path / "data")
    )
    made = preparation.of_measurement(Request(config))
    assert (made.config.paths.checkpoint, made.config.paths.dataset) == (inner, file)
    assert made.data is not None and len(made.data.samples) == 3


def test_a_tokenizer_that_only_scoring_reads_is_looked_at_before_the_run(tmp_path: Path) -> None:
    data, broken = str(rows(tmp_path / "data")), tmp_path / "model"
    broken.mkdir()
    (broken / "tokenizer.json").write_text("{")
    config = asked(sut="echo", paths__dataset=data, paths__tokenizer=str(broken), limits__samples="1")
    assert "unreadable tokenizer" in said(preparation.of_measurement(Request(config)))
    fast = dataclasses.replace(config, modes=(Mode.PERFORMANCE,))
    assert not preparation.of_measurement(Request(fast)).problems
    none = dataclasses.replace(fast, paths=dataclasses.replace(fast.paths, tokenizer=tmp_path / "data"))
    assert "no tokenizer.model and no tokenizer.json" in said(preparation.of_measurement(Request(none)))


def test_too_few_rows_are_told_in_each_mode(tmp_path: Path) -> None:
    config = asked(sut="echo", modes="performance", paths__dataset=str(rows(tmp_path)), limits__samples="9")
    assert "9 samples asked, and the dataset holds 3" in said(preparation.of_measurement(Request(config)))


def test_rows_are_read_although_the_job_cannot_run(tmp_path: Path) -> None:
    config = asked(sut="transformers", precision="int8", paths__dataset=str(rows(tmp_path)))
    made = preparation.of_measurement(Request(config, NOTHING))
    assert made.job is None and "cannot run in int8" in said(made)
    assert made.data is not None and len(made.data.samples) == 3


@pytest.mark.parametrize(
    ("way", "holds", "words"),
    [
        (EarlierRun.REFUSE, "thesis.tex", "is not empty"),
        (EarlierRun.REUSE, "thesis.tex", "is not empty"),
        (EarlierRun.REPLACE, "thesis.tex", "is no run folder"),
        (EarlierRun.RESUME, "thesis.tex", "holds no run to go on with"),
        (EarlierRun.REPLACE, "", ""),
        (EarlierRun.REUSE, "", ""),
    ],
)
def test_the_run_folder_is_looked_at_and_left_as_it_is(
    tmp_path: Path, way: EarlierRun, holds: str, words: str
) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    if holds:
        (folder / holds).write_text("mine")
    made = echo(folder, Delivery(earlier_run=way))
    assert words in said(made) and bool(said(made)) == bool(words)
    assert [path.name for path in folder.iterdir()] == ([holds] if holds else [])


def test_a_run_folder_below_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "file is no folder that may be written to" in said(echo(tmp_path / "file" / "run"))


def test_a_finished_run_that_is_taken_needs_nothing_else(tmp_path: Path) -> None:
    made = fakes.result()
    made.write(tmp_path)
    config = dataclasses.replace(made.asked, paths=Paths(out=tmp_path, dataset=tmp_path / "gone.pkl"))
    taken = preparation.of_request(Request(config, Delivery(earlier_run=EarlierRun.REUSE)))
    assert taken.is_done and not taken.problems
    assert earlier.finished(config, EarlierRun.REFUSE) is None


def test_a_submission_folder_that_is_no_tree_is_told_before_the_run_and_left_alone(tmp_path: Path) -> None:
    tree = tmp_path / "thesis"
    tree.mkdir()
    (tree / "thesis.tex").write_text("mine")
    cleaned = Delivery(submit=True, clean_submission=True)
    made = echo(tmp_path / "run", cleaned, submission__out=str(tree))
    assert "is no submission tree: it holds thesis.tex" in said(made)
    made = echo(tmp_path / "run", Delivery(submit=True), submission__out=str(tree / "thesis.tex"))
    assert "thesis.tex is no folder" in said(made)
    assert (tree / "thesis.tex").read_text() == "mine"


def test_a_container_without_an_engine_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    made = echo(tmp_path / "run", Delivery(container=ContainerRequest("podman")))
    assert "podman is not installed" in said(made)


def test_a_compliance_test_that_could_not_be_run_afterwards_is_told(tmp_path: Path) -> None:
    one = {"input": "x", "tok_input": [5], "dataset": "gpqa", "ground_truth": "A"}
    file = tmp_path / "perf.jsonl"
    file.write_text(json.dumps(one) + "\n")
    texts = {
        "sut": "echo",
        "modes": "performance",
        "submission.division": "closed",
        "paths.dataset": str(file),
    }
    config = config_options.build("gpt-oss-120b", texts, {})
    owed = preparation.of_request(Request(config, Delivery(compliance=True)))
    assert "TEST07 asks the questions of a data set of its own" in said(owed)
    to_come = config_options.build(
        "gpt-oss-120b", {key: texts[key] for key in texts if key != "paths.dataset"}, {}
    )
    owed = preparation.of_request(Request(to_come, Delivery(compliance=True)))
    assert owed.data is None and "TEST07 asks the questions" in said(owed)
    with_own = dataclasses.replace(config, paths=dataclasses.replace(config.paths, compliance_dataset=file))
    owed = preparation.of_request(Request(with_own, Delivery(compliance=True)))
    assert "TEST07 asks 990 different samples, and there are 1" in said(owed)
    assert "TEST07" not in said(preparation.of_request(Request(config)))


def test_no_other_weights_are_measured_for_the_closed_division(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = Paths(checkpoint=tmp_path)
    closed = BenchmarkConfig(
        "mixtral-8x7b", paths=paths, submission=SubmissionRequest(division=Division.CLOSED)
    )
    known = preparation.identity.Identity("mixtral-8x7b", 5, False, "not the weights of mixtral-8x7b")
    monkeypatch.setattr(preparation.identity, "said_of", lambda *_: known)
    with pytest.raises(ConfigError, match="takes the workload's own model alone: not the weights"):
        preparation.refuse_other_weights(closed)
    preparation.refuse_other_weights(dataclasses.replace(closed, sut="echo"))  # loads no weights
    preparation.refuse_other_weights(dataclasses.replace(closed, submission=SubmissionRequest()))


def test_a_workload_of_no_round_is_refused_for_the_closed_division_before_it_runs() -> None:
    nano = BenchmarkConfig(submission=SubmissionRequest(division=Division.CLOSED))
    with pytest.raises(ConfigError, match="mixtral-nano is in no round") as raised:
        preparation.refuse_other_weights(nano)
    assert raised.value.hint == "--division open, or --no-submit"
    preparation.refuse_other_weights(BenchmarkConfig())
