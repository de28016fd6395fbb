"""requests.parquet against LoadGen itself: its own summary is computed again from the rows."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assay.config import Mode, Scenario
from assay.ground.errors import ArtifactError
from assay.mlperf.data.sample import Sample
from assay.mlperf.logs import RunRecord
from assay.mlperf.record import definitions
from assay.mlperf.record.figures import figures
from assay.mlperf.rounds.round import Seeds
from assay.mlperf.rounds.target import Score
from assay.mlperf.run import request_times, requests
from assay.mlperf.run.request_times import Recorder, RequestTimes
from tests.mlperf.loadgen_job import SAMPLES, run_spec, samples, session
from tests.report import rows

SLACK_MS = 25.0
"""A stamp and LoadGen's own are taken by two threads of a busy machine."""


def rows_of_run(folder: Path, scenario: Scenario) -> tuple[pa.Table, dict[str, float]]:
    """A run of the echo SUT: its rows, and the figures of LoadGen's summary."""
    spec = run_spec(folder, scenario, times=folder / "times.npy")
    with session(folder, server=scenario is Scenario.SERVER, options={"pace": "100"}) as running:
        logged = running.run(spec)
    assert spec.times is not None
    rows = requests.table(spec, request_times.load(spec.times), logged, samples())
    return rows, {each.metric: each.value for each in figures(logged, SAMPLES, "log")}


def computed(rows: pa.Table, scenario: Scenario) -> dict[str, float]:
    """The figures by docs/requests.md."""
    column = {name: rows[name].to_numpy() for name in ("scheduled_ns", "end_ns", "answer_tokens")}
    end_s = column["end_ns"].max() / 1e9
    count = len(rows) if scenario is Scenario.OFFLINE else len(rows) - 1
    found = {"samples_per_s": count / end_s, "tokens_per_s": column["answer_tokens"].sum() / end_s}
    kinds = {"latency": column["end_ns"] - column["scheduled_ns"]}
    if scenario is Scenario.SERVER:
        first = rows["first_token_ns"].to_numpy()
        kinds["ttft"] = first - column["scheduled_ns"]
        kinds["tpot"] = (column["end_ns"] - first) / (column["answer_tokens"] - 1)
    for kind, values in kinds.items():
        ordered = np.sort(values) / 1e6
        found |= {f"{kind}_min": ordered[0], f"{kind}_mean": ordered.mean(), f"{kind}_max": ordered[-1]}
        for percentile in (50, 90, 95, 97, 99, 99.9):
            found[f"{kind}_p{percentile:g}"] = ordered[int(len(ordered) * percentile / 100)]
    return found


@pytest.mark.parametrize("scenario", [Scenario.OFFLINE, Scenario.SERVER])
def test_every_figure_of_loadgens_summary_can_be_computed_again(scenario: Scenario, tmp_path: Path) -> None:
    rows, said = rows_of_run(tmp_path, scenario)
    found = computed(rows, scenario)
    assert found.keys() == said.keys()
    for metric, value in said.items():
        slack = 0.02 * value if metric.endswith("_per_s") else SLACK_MS
        assert found[metric] == pytest.approx(value, abs=slack), metric


def test_the_times_of_a_run_are_told_in_the_definitions_of_other_tools() -> None:
    made = rows.table(200, scenario="Server")
    times = requests.token_columns(made)
    assert times is not None
    told = definitions.sheet(times)
    assert told["guidellm"]["ITL"] == pytest.approx(0.5)  # each further token takes 0.5 ms
    assert told["LoadGen"]["TTFT"] == pytest.approx(computed(made, Scenario.SERVER)["ttft_p99"])
    assert requests.token_columns(made.slice(0, 0)) is None
    no_first = made.set_column(
        made.column_names.index("first_token_ns"), "first_token_ns", pa.nulls(len(made), pa.int64())
    )
    assert requests.token_columns(no_first) is None


def test_an_answer_of_one_token_has_no_time_per_token() -> None:
    rows = pa.table({"first_token_ns": [10, 10, None], "end_ns": [40, 10, 50], "answer_tokens": [4, 1, 3]})
    assert requests.tpot_ns(rows).tolist() == pytest.approx([10.0, np.nan, np.nan], nan_ok=True)


def test_the_schedule_of_a_server_run_is_loadgens_own(tmp_path: Path) -> None:
    # Published in the log of a real run: seed, rate, number of queries and planned duration.
    seeds = Seeds(2465351861681999779, 14276810075590677512, 3936089224930324775)
    planned = request_times.server_schedule_ns(seeds, 49.39, 30)
    assert (planned[0], planned[-1], len(planned)) == (0, 779_388_399, 31)
    rows, _ = rows_of_run(tmp_path, Scenario.SERVER)
    assert (rows["issued_ns"].to_numpy() >= rows["scheduled_ns"].to_numpy() - SLACK_MS * 1e6).all()


def test_a_schedule_that_loadgens_log_contradicts_is_not_claimed(tmp_path: Path) -> None:
    spec = run_spec(tmp_path, Scenario.SERVER)
    spec.out.mkdir(parents=True)
    line = json.dumps({"key": "generated_query_duration", "value": 1})
    (spec.out / "mlperf_log_detail.txt").write_text(f":::MLLOG {line}\n")
    assert requests._scheduled_ns(spec, 3) is None


def recorded(
    path: Path, *, done: list[int], first: list[int] | None = None, arrived: list[int] | None = None
) -> Path:
    """Times of three queries, of which LoadGen gave two the same id."""
    recorder = Recorder()
    ids = np.array([7, 5, 7], np.uint64)
    recorder.issued.add(ids[:2], np.array([10, 11], np.int32))
    recorder.issued.add(ids[2:], np.array([12], np.int32))
    for each in first or []:
        recorder.first.add(np.array([each], np.uint64), np.array([1], np.int32))
    for tokens, each in enumerate(done):
        recorder.done.add(np.array([each], np.uint64), np.array([tokens], np.int32))
    recorder.arrived += [np.array([each], np.int64).tobytes() for each in arrived or []]
    recorder.save(path)
    return path


def test_an_id_that_loadgen_uses_again_is_another_query(tmp_path: Path) -> None:
    times = request_times.load(recorded(tmp_path / "t", done=[7, 7, 5], first=[5, 7, 7]))
    assert times.sample_index.tolist() == [10, 11, 12]
    assert times.tokens.tolist() == [0, 2, 1]
    assert times.first_ns is not None and times.first_ns[1] < times.first_ns[0] < times.first_ns[2]
    assert times.end_ns[0] < times.end_ns[2] < times.end_ns[1]


def test_first_tokens_keep_when_their_bytes_arrived(tmp_path: Path) -> None:
    path = recorded(tmp_path / "t", done=[7, 7, 5], first=[5, 7, 7], arrived=[30, 10, 0])
    times = request_times.load(path)
    assert times.arrived_ns is not None and times.first_ns is not None
    assert times.arrived_ns.tolist() == [10, 30, 0]  # of the last one nobody knows
    assert times.told_late_ns.tolist() == [times.first_ns[0] - 10, times.first_ns[1] - 30]
    known = requests._known(times.arrived_ns, 7)
    known.validate(full=True)
    assert known.to_pylist() == [3, 23, None]
    without = request_times.load(recorded(path, done=[7, 7, 5], first=[5, 7, 7], arrived=[0, 0, 0]))
    assert without.arrived_ns is None and not len(without.told_late_ns)


def test_queries_that_are_answered_in_order_keep_their_places(tmp_path: Path) -> None:
    times = request_times.load(recorded(tmp_path / "t", done=[7, 5, 7]))
    assert times.tokens.tolist() == [0, 1, 2] and times.first_ns is None
    assert (np.diff(times.end_ns) > 0).all()


def test_ids_that_come_in_the_order_of_issue_are_kept_once() -> None:
    times, ids = Recorder(), np.arange(4, dtype=np.uint64)
    times.issued.add(ids, np.zeros(4, np.int32))
    times.done.add(ids[:2], np.zeros(2, np.int32))
    assert not times.done.is_in_order
    times.done.add(ids[2:], np.zeros(2, np.int32))
    assert times.done.is_in_order and [call.ids for call in times.done.calls(0)] == [[0, 1], [2, 3]]
    other = Recorder()
    other.issued.add(ids, np.zeros(4, np.int32))
    for some in (ids[:1], ids[2:], ids[1:2]):
        other.done.add(some, np.zeros(len(some), np.int32))
    assert not other.done.is_in_order and [call.ids for call in other.done.calls(0)] == [[0], [2, 3], [1]]


@pytest.mark.parametrize(("done", "first"), [([7, 5], None), ([7, 5, 6], None), ([7, 7, 5], [7])])
def test_times_that_lack_a_query_are_refused(
    tmp_path: Path, done: list[int], first: list[int] | None
) -> None:
    with pytest.raises(ValueError, match="other queries than were issued"):
        request_times.load(recorded(tmp_path / "t", done=done, first=first))


def test_a_run_does_not_wait_for_pandas() -> None:
    program = """
import sys, numpy
from types import SimpleNamespace
from pathlib import Path
from assay.config import Mode, Scenario
from assay.mlperf.data.sample import Sample
from assay.mlperf.run import requests
from assay.mlperf.run.request_times import RequestTimes
ints = numpy.arange(3)
times = RequestTimes(ints.astype(numpy.int32), ints, ints, ints + 1, ints.astype(numpy.int32))
spec = SimpleNamespace(scenario=Scenario.OFFLINE, mode=Mode.PERFORMANCE)
samples = [Sample(i, "t", "ä%d" % (i % 2), "", (1,), "", (), ()) for i in range(3)]
rows = requests.table(spec, times, SimpleNamespace(latencies={}), samples)
requests.write(Path(sys.argv[1]), [rows])
assert "pandas" not in sys.modules
assert requests.read(Path(sys.argv[1]))["subset"].to_pylist() == ["ä0", "ä1", "ä0"]
"""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-c", program, f"{folder}/r.parquet"], check=True)


def test_scores_and_verdicts_are_with_their_sample() -> None:
    rows = pa.table({"sample_index": [2, 0, 1], "verdict": pa.nulls(3, pa.string())})
    scores = [
        Score("rouge1", 50.0, "%", 1, None, by_sample={1: 50.0}),
        Score("gsm8k", 50.0, "%", 2, None, by_sample={0: 100.0, 2: 0.0}),
        Score("mbxp", None, "%", 1, None, ungraded=1),
    ]
    found = requests.with_scores(rows, scores, {"gsm8k", "mbxp"})
    assert found["verdict"].to_pylist() == ["wrong", "right", None]
    assert found["score.rouge1"].to_pylist() == [None, None, 50.0]
    assert "score.mbxp" not in found.column_names


def test_an_answer_that_one_metric_calls_wrong_is_wrong_in_any_order() -> None:
    rows = pa.table({"sample_index": [0, 1, 2], "verdict": pa.nulls(3, pa.string())})
    exact = Score("exact", 50.0, "%", 2, None, by_sample={0: 100.0, 1: 0.0})
    brief = Score("brief", 50.0, "%", 2, None, by_sample={0: 0.0, 1: 100.0, 2: 100.0})
    for scores in ([exact, brief], [brief, exact]):
        found = requests.with_scores(rows, scores, {"exact", "brief"})
        assert found["verdict"].to_pylist() == ["wrong", "wrong", "right"]
    assert requests.with_scores(rows, [exact], ())["verdict"].null_count == 3


@pytest.mark.parametrize("count", [0, 2, 4, 7])
def test_rows_made_in_pieces_are_those_made_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    spec = run_spec(tmp_path, Scenario.OFFLINE)
    index = np.arange(count, dtype=np.int32)[::-1]
    at = np.arange(count, dtype=np.int64)
    times = RequestTimes(index, at, at + 5, at + 9, index + 1)
    plan = np.zeros(count, np.int64)
    at_once = requests._table(spec, times, plan, 3, samples())
    monkeypatch.setattr(requests, "WRITTEN_AT_ONCE", 2)
    in_pieces = requests._table(spec, times, plan, 3, samples())
    assert in_pieces.equals(at_once) and in_pieces.num_rows == count
    assert in_pieces["query"].to_pylist() == list(range(count))
    assert in_pieces["end_ns"].to_pylist() == [6 + each for each in range(count)]


def test_a_file_holds_the_rows_that_it_was_given(tmp_path: Path) -> None:
    made = rows.table(3000, scenario="Server")
    path = tmp_path / "requests.parquet"
    requests.write(path, [made, rows.table(100, mode="accuracy")])
    found = requests.read(path)
    assert requests.of_run(found, Scenario.SERVER, Mode.PERFORMANCE).equals(made.cast(found.schema))
    for field in found.schema:
        assert field.nullable == bool(found[field.name].null_count), field.name


def test_runs_with_other_columns_are_one_file_and_come_apart_again(tmp_path: Path) -> None:
    def rows(mode: Mode, **more: list[float]) -> pa.Table:
        word = requests._word
        own = {"scenario": word("Offline", 2), "mode": word(mode.value, 2)}
        others = {name: pa.nulls(2, pa.string()) for name in requests.WORDS}
        return pa.table({**others, **{name: [1, 2] for name in requests.NUMBERS}, **own, **more})

    path = tmp_path / "requests.parquet"
    requests.write(path, [rows(Mode.PERFORMANCE), rows(Mode.ACCURACY, **{"score.x": [1.0, 2.0]})])
    found = requests.read(path)
    assert requests.of_run(found, Scenario.OFFLINE, Mode.ACCURACY)["score.x"].to_pylist() == [1.0, 2.0]
    assert requests.of_run(found, Scenario.OFFLINE, Mode.PERFORMANCE)["score.x"].to_pylist() == [None, None]
    assert [entry.name for entry in tmp_path.glob("*requests*")] == ["requests.parquet"]


def test_what_is_no_table_of_requests_is_refused_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "requests.parquet"
    path.write_bytes(b"PAR1")
    with pytest.raises(ArtifactError, match="no table of requests"):
        requests.read(path)
    pq.write_table(pa.table({"a": [1]}), path)
    with pytest.raises(ArtifactError, match="no table of requests"):
        requests.read(path)
    rows = pa.table({name: ["a"] for name in requests.WORDS} | {name: [1] for name in requests.NUMBERS})
    for other in (
        rows.drop_columns("end_ns"),
        rows.set_column(rows.column_names.index("mode"), "mode", [[1]]),
    ):
        requests.write(path, [other])
        with pytest.raises(ArtifactError, match="no table of requests"):
            requests.read(path)
    requests.write(path, [rows])
    assert requests.read(path).num_rows == 1
    newer = pa.table({"a": [1]}).replace_schema_metadata({requests.VERSION_KEY: "9"})
    pq.write_table(newer, path)
    with pytest.raises(ArtifactError, match="schema version 9, this Assay reads 1"):
        requests.read(path)


def test_the_page_names_every_column_and_the_present_version(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs/requests.md").read_text()
    sample = Sample(0, "a", "GSM8K", "", (1,), "0", (1, 2), ())
    at = np.zeros(1, np.int64)
    times = RequestTimes(np.zeros(1, np.int32), at, None, at, np.ones(1, np.int32), at + 1)
    spec = run_spec(tmp_path, Scenario.OFFLINE)
    columns = requests.table(
        spec, times, cast(RunRecord, SimpleNamespace(latencies={})), [sample]
    ).column_names
    assert [name for name in columns if f"`{name}`" not in page] == []
    assert f"**schema {requests.SCHEMA_VERSION}**" in page
