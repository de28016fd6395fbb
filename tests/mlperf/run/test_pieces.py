"""An accuracy run in pieces: LoadGen is asked for what is missing, and the joined log holds each answer once."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from assay.config import Mode, Scenario
from assay.ground.errors import EnvironmentProblem
from assay.mlperf.logs.accuracy import read_accuracy
from assay.mlperf.run import journal, pieces, request_times, requests
from assay.mlperf.run.journal import JournalWriter, Keeper
from assay.mlperf.run.run_spec import RunSpec
from tests.mlperf.loadgen_job import SAMPLES, run_spec, samples, session


def spec_in(folder: Path, scenario: Scenario = Scenario.OFFLINE, **changes: object) -> RunSpec:
    asked = {"journal": folder / "journal", "times": folder / "times.npy", **changes}
    return run_spec(folder, scenario, Mode.ACCURACY, **asked)


def keep(spec: RunSpec, answers: dict[int, list[int]], firsts: dict[int, int] | None = None) -> None:
    assert spec.journal is not None
    writer = JournalWriter(spec.journal)
    tokens = np.array([token for ids in answers.values() for token in ids], np.int32)
    writer.add(list(answers), firsts or {}, [len(ids) for ids in answers.values()], tokens)
    writer.close()


def test_without_kept_answers_the_run_is_the_whole_one(tmp_path: Path) -> None:
    spec = spec_in(tmp_path)
    assert pieces.kept(spec) == {} and pieces.rest(spec, {}) is spec
    assert pieces.kept(dataclasses.replace(spec, journal=None)) == {}


def test_the_rest_is_the_samples_without_an_answer_with_settings_apart(tmp_path: Path) -> None:
    spec = spec_in(tmp_path)
    keep(spec, {0: [1, 2], 2: [3, 4], 29: [5, 6]})
    piece = pieces.rest(spec, pieces.kept(spec))
    assert piece.asks == (1, *range(3, 29))
    assert piece.samples == piece.min_query_count == piece.max_query_count == SAMPLES - 3
    assert piece.user_conf == spec.out / "user.conf" != spec.user_conf


def test_one_sample_is_left_for_loadgen_and_strangers_are_no_samples(tmp_path: Path) -> None:
    spec = spec_in(tmp_path)
    keep(spec, {index: [1, 2] for index in range(SAMPLES + 5)})
    assert sorted(pieces.kept(spec)) == list(range(SAMPLES - 1))
    assert pieces.rest(spec, pieces.kept(spec)).asks == (SAMPLES - 1,)


def test_what_is_asked_of_loadgen_is_known_by_the_samples_index(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path / "journal", (4, 7))
    assert keeper.issued([100, 200], np.array([1, 0], np.int32)).tolist() == [7, 4]
    keeper.began([200], [9])
    keeper.answered([200, 100], [2, 1], np.array([9, 8, 5], np.int32))
    keeper.issued([100], np.array([0], np.int32))  # LoadGen uses an id again
    keeper.answered([100], [1], np.array([3], np.int32))
    found = journal.read(tmp_path / "journal")
    assert [(each.sample_index, each.first_id, each.token_ids.tolist()) for each in found.values()] == [
        (4, None, [3]),
        (7, None, [5]),
    ]


@pytest.mark.parametrize("scenario", [Scenario.OFFLINE, Scenario.SERVER])
def test_a_run_in_two_pieces_has_each_answer_of_the_run_in_one(tmp_path: Path, scenario: Scenario) -> None:
    is_server = scenario is Scenario.SERVER
    whole, spec = spec_in(tmp_path / "a", scenario), spec_in(tmp_path / "b", scenario)
    with session(tmp_path / "a", server=is_server) as running:
        logged = running.run(whole)
        rows = requests.table(whole, request_times.load(whole.times), logged, samples())  # type: ignore
        assert pieces.whole_record(whole, "5.1") is not None
    assert whole.journal is not None and spec.journal is not None
    expected = {each.qsl_idx: each for each in read_accuracy(whole.out / "mlperf_log_accuracy.json")}
    assert {i: each.token_ids.tolist() for i, each in journal.read(whole.journal).items()} == {
        i: each.token_ids.tolist() for i, each in expected.items()
    }
    spec.journal.parent.mkdir(parents=True)
    spec.journal.write_bytes(whole.journal.read_bytes()[:400])  # as a kill leaves it
    kept = pieces.kept(spec)
    assert 0 < len(kept) < SAMPLES
    piece = pieces.rest(spec, kept)
    with session(tmp_path / "b", server=is_server) as running:
        logged = running.run(piece)
    assert pieces.whole_record(spec, "5.1") is None  # whole, and not over all samples
    own = requests.table(piece, request_times.load(piece.times), logged, samples())  # type: ignore
    pieces.join(piece, kept)
    joined = list(read_accuracy(spec.out / "mlperf_log_accuracy.json"))
    assert [each.seq_id for each in joined] == list(range(SAMPLES))
    for each in joined:
        other = expected.pop(each.qsl_idx)
        assert each.token_ids.tolist() == other.token_ids.tolist()
        assert (each.first_ids is None) == (other.first_ids is None) == (not is_server)
        assert each.first_ids is None or each.first_ids.tolist() == other.first_ids.tolist()  # type: ignore
        assert each.token_count == other.token_count
    assert not expected and not pieces.is_whole(spec.out)
    rest = requests.kept_rows(spec, list(kept.values()), samples())
    assert rest.schema == own.schema == rows.schema
    assert sorted([*own["sample_index"].to_pylist(), *rest["sample_index"].to_pylist()]) == list(
        range(SAMPLES)
    )
    assert rest["end_ns"].null_count == rest.num_rows and set(rest["status"].to_pylist()) == {"kept"}
    assert rest["query"].to_pylist() == list(range(own.num_rows, SAMPLES))


def test_a_log_that_was_joined_or_cut_is_not_loadgens_whole_one(tmp_path: Path) -> None:
    spec = spec_in(tmp_path)
    assert not pieces.is_whole(spec.out)
    spec.out.mkdir(parents=True)
    (spec.out / "mlperf_log_accuracy.json").write_text(json.dumps([]))
    assert not pieces.is_whole(spec.out)


def test_leavings_are_removed_and_what_cannot_be_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, times = tmp_path / "out", tmp_path / "times"
    out.mkdir()
    (out / "log").touch()
    times.touch()
    pieces.clear(out, times)
    pieces.clear(out, None)
    assert not out.exists() and not times.exists()

    def refuse(path: Path) -> None:
        raise PermissionError(13, "not yours")

    out.mkdir()
    monkeypatch.setattr(pieces.shutil, "rmtree", refuse)
    with pytest.raises(EnvironmentProblem, match="not yours"):
        pieces.clear(out, None)
