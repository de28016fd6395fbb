from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import pytest

from assay.config import Mode, Scenario
from assay.ground import files
from assay.ground.errors import ArtifactError
from assay.mlperf.record import result
from assay.mlperf.record.result import RunResult, RunValidity, Status
from assay.mlperf.rounds.round import Seeds
from assay.mlperf.rounds.target import Score, Target
from assay.mlperf.sut.interface import Used
from assay.report import outcome, readme, summary
from tests import fakes


def test_a_result_read_back_is_the_result_that_was_written(tmp_path: Path) -> None:
    made = fakes.result()
    made.write(tmp_path)
    assert result.read(tmp_path) == made


def test_a_score_is_held_against_the_target_of_its_own_name_only() -> None:
    targets = {
        "rouge1": Target("rouge1", "%", 45.0, None, 45.5, "s"),
        "tokens_per_sample": Target("tokens_per_sample", "tokens", 130.0, 160.49, 144.84, "s"),
    }
    tokens = Score("tokens_per_sample", 342.0, "tokens", 1, None)
    paired = result.pair(tokens, targets, "log.json")
    assert (paired.low, paired.high, paired.met) == (130.0, 160.49, False)


def test_a_score_without_target_is_not_judged() -> None:
    paired = result.pair(Score("gen_len", 3.0, "characters", 1, None), {}, "log.json")
    assert paired.met is None


def test_a_target_refuses_the_score_of_another_metric() -> None:
    target = Target("rouge1", "%", 45.0, None, 45.5, "s")
    with pytest.raises(ValueError, match="rouge1"):
        target.met_by(Score("gsm8k", 50.0, "%", 1, None))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        "null",
        "{}",
        "[" * 5000,
        '{"schema_version": "2"}',
        '{"schema_version": true}',
        '{"schema_version": 0}',
        '{"schema_version": 1, "runs": 3}',
        '{"schema_version": 1, "asked": {"paths": 3}, "used": {}}',
        '{"schema_version": 1, "asked": {"paths": {"dataset": 3}}, "used": {}}',
        '{"schema_version": 1, "asked": {"paths": {}}, "used": {"details": 3}}',
        '{"schema_version": 2, "runs": 3}',
    ],
)
def test_a_broken_result_file_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "result.json").write_text(text)
    with pytest.raises(ArtifactError, match=r"result\.json"):
        result.read(tmp_path)


def test_a_missing_result_file_says_what_a_run_folder_is(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="assay bench"):
        result.read(tmp_path)


def test_the_file_is_plain_json(tmp_path: Path) -> None:
    path = fakes.result().write(tmp_path)
    assert json.loads(path.read_text())["schema_version"] == result.SCHEMA_VERSION


KEPT = Path(__file__).parent / "kept_results"


def kept(name: str, tmp_path: Path) -> RunResult:
    """A record that an earlier Assay wrote, read by this one."""
    shutil.copyfile(KEPT / f"{name}.json", tmp_path / "result.json")
    return result.read(tmp_path)


@pytest.mark.parametrize("path", sorted(KEPT.rglob("*.json")), ids=lambda path: path.stem)
def test_a_record_of_every_schema_is_read_and_reported(path: Path, tmp_path: Path) -> None:
    made = kept(path.relative_to(KEPT).with_suffix("").as_posix(), tmp_path)
    text = readme.render(made) + summary.render(made) + str(outcome.of(made))
    assert "unverified" in text
    for run in made.runs:
        assert f"{run.scenario.value} {run.mode.value}: {run.samples} samples" in text
    made.write(tmp_path)
    assert result.read(tmp_path) == made


def test_a_record_of_schema_1_keeps_what_it_said(tmp_path: Path) -> None:
    before = json.loads((KEPT / "schema_1/nano-offline-server.json").read_text())
    made = kept("schema_1/nano-offline-server", tmp_path)
    assert made.schema_version == result.SCHEMA_VERSION
    assert made.used is not None and made.used.precision == before["used"]["precision"] == "bfloat16"
    assert made.asked.scenarios == (Scenario.OFFLINE, Scenario.SERVER) and made.asked.limits.samples == 30
    assert made.dataset.rows_used == tuple(before["dataset"]["rows_used"])
    assert made.loadgen.seeds.qsl == before["loadgen"]["seeds"]["qsl"]
    server = made.find(Scenario.SERVER, Mode.PERFORMANCE)
    assert server is not None and server.validity is RunValidity.INVALID
    assert server.setting("min_query_count") == 30
    assert [len(run.figures) for run in made.runs] == [len(run["figures"]) for run in before["runs"]]


@pytest.mark.parametrize(
    ("name", "status", "reason"),
    [
        ("echo", Status.COMPLETE, ""),
        ("failed", Status.FAILED, "the SUT process was killed by SIGKILL"),
        ("interrupted", Status.INTERRUPTED, "stopped by the user"),
        ("killed", Status.INTERRUPTED, "its process was killed"),
    ],
)
def test_a_run_of_schema_1_that_broke_off_says_so(
    name: str, status: Status, reason: str, tmp_path: Path
) -> None:
    made = kept(f"schema_1/{name}", tmp_path)
    assert made.status is status and made.reason.startswith(reason)


def test_a_run_that_ends_while_its_record_is_read_is_no_interrupted_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataclasses.replace(fakes.result(), status=Status.RUNNING).write(tmp_path)

    def ends(folder: Path) -> bool:
        fakes.result().write(folder)
        return False

    monkeypatch.setattr(files, "is_held", ends)
    assert result.read(tmp_path).status is Status.COMPLETE


def test_what_schema_1_could_not_grade_stays_ungraded(tmp_path: Path) -> None:
    (run,) = kept("schema_1/ungraded", tmp_path).runs
    (mbxp,) = (score for score in run.scores if score.metric == "mbxp")
    assert (mbxp.value, mbxp.met, mbxp.ungraded) == (None, None, 4)


def test_a_source_of_schema_1_is_no_path(tmp_path: Path) -> None:
    record = json.loads((KEPT / "schema_1/echo.json").read_text())
    record["asked"]["paths"] |= {"checkpoint": "hf:a/b@c", "dataset": "https://x.org/d.pkl"}
    (tmp_path / "result.json").write_text(json.dumps(record))
    paths = result.read(tmp_path).asked.paths
    assert (paths.checkpoint, paths.checkpoint_source) == (None, "hf:a/b@c")
    assert (paths.dataset, paths.dataset_source) == (None, "https://x.org/d.pkl")


def test_a_record_of_a_newer_schema_says_which_assay_reads_it(tmp_path: Path) -> None:
    newer = {**fakes.result().to_dict(), "schema_version": 99, "assay": "7.1.0"}
    (tmp_path / "result.json").write_text(json.dumps(newer))
    with pytest.raises(ArtifactError, match="schema version 99, this Assay reads 2 and older") as refused:
        result.read(tmp_path)
    assert "Assay 7.1.0" in refused.value.hint


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(RunResult)])
def test_a_record_that_lacks_a_field_or_holds_another_type_is_refused_in_a_sentence(
    name: str, tmp_path: Path
) -> None:
    whole = fakes.result().to_dict()
    for damaged in ({**whole, name: 7.5}, {k: v for k, v in whole.items() if k != name}):
        (tmp_path / "result.json").write_text(json.dumps(damaged))
        try:
            made = result.read(tmp_path)
        except ArtifactError as error:
            assert "result.json" in error.message
        else:
            assert made == dataclasses.replace(fakes.result(), **{name: getattr(made, name)})


def test_the_page_of_the_schema_names_every_field_and_the_present_version() -> None:
    page = (Path(__file__).parents[3] / "docs/result.md").read_text()
    assert f"**schema {result.SCHEMA_VERSION}**" in page
    kinds = (
        RunResult,
        result.ModeResult,
        result.Figure,
        result.ScoredMetric,
        result.DatasetUsed,
        result.LoadgenUsed,
        result.ModelUsed,
        result.SystemField,
        Used,
        Seeds,
    )
    names = {field.name for kind in kinds for field in dataclasses.fields(kind)}
    assert {name for name in names if f"`{name}`" not in page} == set()


def test_a_setting_is_a_number_that_loadgen_named() -> None:
    run = fakes.performance(effective={"target_qps": 2, "print_timestamps": True, "scenario": "Offline"})
    assert run.setting("target_qps") == 2
    assert [run.setting(name) for name in ("print_timestamps", "scenario", "min_duration_ms")] == [None] * 3
