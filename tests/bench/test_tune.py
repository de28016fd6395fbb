"""`assay tune` around its search: what it refuses, records, remembers and goes on with."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from assay.bench import measure, tune, tune_page, tune_record
from assay.bench.running import Reporter
from assay.bench.tune_record import Tuned
from assay.bench.tune_search import ABOVE
from assay.cli.tune import render
from assay.config import BenchmarkConfig, Delivery, EarlierRun, Request, Scenario
from assay.doors import config_options
from assay.ground import settings
from assay.ground.errors import ArtifactError, ConfigError, Interrupted
from assay.ground.hub import Hub
from assay.mlperf.rounds.early_stopping import Judgement
from assay.mlperf.rounds.round import Seeds
from assay.mlperf.rounds.round_workload import Latency
from assay.mlperf.run.run_spec import RunSpec
from assay.mlperf.run.trial import StopRule, Tally
from assay.mlperf.sut.interface import Used

LIMIT = 88.0
FULL = 100.0


class FakeSession:
    """Passes up to LIMIT samples/s, and refuses an answer above `refuses_from`; is interrupted at the probe numbered
    `breaks_at`."""

    def __init__(
        self,
        breaks_at: int | None = None,
        refuses_from: float = math.inf,
        server: dict[str, str] | None = None,
    ) -> None:
        self.tried: list[float] = []
        self._breaks_at, self._refuses_from = breaks_at, refuses_from
        self._endpoints = [{"url": "URL", "server": server}] if server else []

    @property
    def used(self) -> Used:
        refused = sum(rate > self._refuses_from for rate in self.tried)
        details = {"failures": {"BUSY": refused}, "endpoints": self._endpoints}
        return Used("fake", "fake", "none", "none", None, None, details=details)

    def probe(self, count: int) -> float:
        return FULL

    def trial(self, spec: RunSpec, stop: StopRule) -> tuple[Tally, None]:
        if len(self.tried) == self._breaks_at:
            raise Interrupted("stopped by the user", "")
        self.tried.append(spec.target_qps)
        passed = spec.target_qps <= LIMIT
        return Tally(Judgement.PASS if passed else Judgement.FAIL, 900, 800, 0 if passed else 999, 0), None


def asked(tmp_path: Path, **texts: str) -> BenchmarkConfig:
    given = {"scenarios": "server", "sut": "echo", "paths.out": str(tmp_path / "out"), **texts}
    return config_options.build("mixtral-nano", given, {})


def search(
    monkeypatch: pytest.MonkeyPatch,
    config: BenchmarkConfig,
    session: FakeSession,
    delivery: Delivery | None = None,
) -> tuple[Tuned, list[str]]:
    @contextmanager
    def of(_: object) -> Iterator[FakeSession]:
        yield session

    monkeypatch.setattr(measure, "session_of", of)
    said: list[str] = []
    return tune.run(
        Request(config, delivery or Delivery()), Hub(), Reporter(said.append, lambda _: None), False, None
    ), said


@pytest.fixture(autouse=True)
def own_store(tmp_path: Path) -> Iterator[None]:
    before = settings.current()
    settings.adopt(settings.Settings(tmp_path / "store"))
    yield
    settings.adopt(before)


def test_the_search_records_every_probe_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = FakeSession()
    tuned, said = search(monkeypatch, asked(tmp_path), session)
    assert tuned.low is not None
    assert tuned.high is not None
    assert tuned.low <= LIMIT < tuned.high <= tuned.low * 1.016
    assert [each.target_qps for each in tuned.probes] == session.tried
    assert all(each.reason and each.outcome for each in tuned.probes)
    assert tune_record.read(tmp_path / "out") == tuned
    assert any("at most" in line and "more of 600 s" in line for line in said)
    assert f"{tuned.low:g} samples/s pass" in render(tuned)


def test_a_rate_at_which_answers_fail_does_not_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tuned, _ = search(monkeypatch, asked(tmp_path), FakeSession(refuses_from=60.0))
    assert tuned.low is not None and tuned.high is not None
    assert tuned.low <= 60 < tuned.high <= tuned.low * 1.016
    assert {each.outcome for each in tuned.probes if 60 < each.target_qps <= LIMIT} == {
        "1 answer of 900 failed"
    }


def test_a_search_that_was_stopped_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Interrupted) as stopped:
        search(monkeypatch, asked(tmp_path), FakeSession(breaks_at=2))
    assert str(tmp_path / "out") in stopped.value.hint
    session = FakeSession()
    tuned, _ = search(monkeypatch, asked(tmp_path), session)
    assert [each.target_qps for each in tuned.probes[2:]] == session.tried
    assert tuned.low is not None
    again = FakeSession()
    shown, said = search(monkeypatch, asked(tmp_path), again)
    assert dataclasses.replace(shown, notes=tuned.notes) == tuned and again.tried == []
    assert said[0].startswith(f"not measured again: {len(tuned.probes)} probes of {tuned.started_at}, in ")
    assert said[0] in render(shown) and "--rerun" in said[0] and said[0] in tune_page.render(shown)
    assert "not measured again: 2 probes" in tuned.notes[0]
    found = tune_record.read(tmp_path / "out")
    assert found is not None and not found.notes


def test_what_another_search_tried_before_the_folder_was_free_is_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Interrupted):
        search(monkeypatch, asked(tmp_path), FakeSession(breaks_at=2))
    session, real, other = FakeSession(), tune.preparation.ready, []

    def while_it_prepares(config: BenchmarkConfig) -> Any:
        monkeypatch.setattr(tune.preparation, "ready", real)
        other.append(search(monkeypatch, asked(tmp_path), session)[0])
        return real(config)

    monkeypatch.setattr(tune.preparation, "ready", while_it_prepares)
    tuned, _ = search(monkeypatch, asked(tmp_path), session)
    assert (tuned.low, tuned.probes) == (other[0].low, other[0].probes)
    assert [each.target_qps for each in tuned.probes[2:]] == session.tried


def test_a_folder_with_another_search_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    search(monkeypatch, asked(tmp_path), FakeSession())
    with pytest.raises(ConfigError, match="another job"):
        search(monkeypatch, asked(tmp_path, **{"sut_options.pace": "20"}), FakeSession())


def test_a_search_that_was_refused_leaves_nothing_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lacks = asked(tmp_path, **{"paths.dataset": str(tmp_path / "none.jsonl")})
    with pytest.raises(ArtifactError):
        search(monkeypatch, lacks, FakeSession())
    assert not (tmp_path / "out").exists()
    too_short = asked(
        tmp_path, **{"limits.min_duration_s": "1s", "limits.target_qps": "50", "limits.samples": "60"}
    )
    with pytest.raises(ConfigError, match="can be VALID"):  # known with the rate, once the SUT is loaded
        search(monkeypatch, too_short, FakeSession())
    assert tune_record.is_blank(tmp_path / "out")
    assert search(monkeypatch, asked(tmp_path), FakeSession())[0].low is not None


def test_a_search_is_replaced_when_that_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    search(monkeypatch, asked(tmp_path), FakeSession())
    other, session = asked(tmp_path, **{"sut_options.pace": "20"}), FakeSession()
    tuned, said = search(monkeypatch, other, session, Delivery(earlier_run=EarlierRun.REPLACE))
    assert [each.target_qps for each in tuned.probes] == session.tried and not tuned.notes
    assert tune_record.read(tmp_path / "out") == tuned and not any("again" in line for line in said)
    (tmp_path / "out" / tune_record.FILE).unlink()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match="holds no record of `assay tune`"):
        search(monkeypatch, other, FakeSession(), Delivery(earlier_run=EarlierRun.REPLACE))


def test_a_search_goes_on_only_with_the_server_that_it_began_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Interrupted):
        search(monkeypatch, asked(tmp_path), FakeSession(breaks_at=2, server={"version": "1"}))
    begun = tune_record.read(tmp_path / "out")
    assert begun is not None and begun.servers == {"URL": {"version": "1"}}
    with pytest.raises(ConfigError, match="another server: URL: version 1 then, 2 now"):
        search(monkeypatch, asked(tmp_path), FakeSession(server={"version": "2"}))
    assert search(monkeypatch, asked(tmp_path), FakeSession(server={"version": "1"}))[0].low is not None


def test_every_line_of_a_search_on_a_fake_that_may_be_pasted_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tuned, said = search(monkeypatch, asked(tmp_path), FakeSession())
    assert not any("FAKE" in line for line in said) and "FAKE" not in render(tuned)
    fake = dataclasses.replace(tuned, is_fake=True)
    assert tune.words(fake).startswith("FAKE: probe") and f"FAKE: {tuned.low:g} samples/s pass" in render(
        fake
    )
    assert "FAKE: " in tune_page.render(fake)


def test_the_next_search_begins_at_what_the_last_one_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = search(monkeypatch, asked(tmp_path), FakeSession())
    session = FakeSession()
    second, _ = search(monkeypatch, asked(tmp_path, **{"paths.out": str(tmp_path / "more")}), session)
    assert first.low is not None
    assert session.tried[0] == pytest.approx(ABOVE * first.low, rel=1e-3)
    assert "last tuned" in second.guess_from
    session = FakeSession()
    asked_for = asked(tmp_path, **{"paths.out": str(tmp_path / "own"), "limits.target_qps": "50"})
    assert search(monkeypatch, asked_for, session)[0].guess_from == "as asked"
    assert session.tried[0] == 50.0


def test_only_a_run_with_a_rate_can_be_tuned(tmp_path: Path) -> None:
    for scenarios in ("offline", "offline,server"):
        with pytest.raises(ConfigError, match="rate to be found"):
            tune.settled(asked(tmp_path, scenarios=scenarios))


def test_the_rounds_duration_is_taken_where_the_style_has_none(tmp_path: Path) -> None:
    assert tune.settled(asked(tmp_path)).limits.min_duration_s == 600
    short = asked(tmp_path, **{"limits.min_duration_s": "40s"})
    assert tune.settled(short).limits.min_duration_s == 40


def test_a_run_too_short_for_the_rule_is_refused_before_it_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = FakeSession()
    short = asked(
        tmp_path, **{"limits.min_duration_s": "1s", "limits.target_qps": "50", "limits.samples": "60"}
    )
    with pytest.raises(ConfigError, match="none below 459 can be VALID"):
        search(monkeypatch, short, session)
    assert session.tried == []


def test_loadgens_word_decides_a_probe_that_ran_to_its_end() -> None:
    tally = Tally(Judgement.UNSURE, 1000, 1000, 2, 0, is_whole=True)
    assert tune.judged(tally, 2, "VALID", 0)[0]
    passed, why = tune.judged(tally, 2, "INVALID", 0)
    assert not passed
    assert "LoadGen says INVALID" in why
    assert tune.judged(dataclasses.replace(tally, verdict=Judgement.PASS), 2, None, 0)[0]


@pytest.mark.parametrize(
    ("late", "tpot_ms", "by_pace", "is_foretold"),
    [
        ((0, 9), (12.0, 5.0), True, True),
        ((9, 0), (12.0, 5.0), False, False),
        ((0, 0), (8.0, 5.0), True, True),  # 80 % of its limit; the first token 10 % of its own
        ((0, 9), (12.0, 0.0), True, False),  # all tokens of an answer at once
        ((0, 9), (12.0, 11.0), True, False),  # too slow with one stream alone
        ((0, 0), (0.0, 0.0), False, False),  # nothing has ended
    ],
)
def test_what_is_nearer_to_its_limit_foretells_the_best_rate(
    late: tuple[int, int], tpot_ms: tuple[float, float], by_pace: bool, is_foretold: bool
) -> None:
    limits = Latency(100.0, 10.0)
    tally = Tally(Judgement.FAIL, 900, 800, *late, 10.0 if tpot_ms[0] else 0.0, 1.0, 30.0, *tpot_ms, 20.0)
    assert tune.by_pace(tally, limits) is by_pace
    stop = StopRule(Seeds(1, 2, 3), 30.0, limits, 1800, 0)
    full, foreseen = tune.foretold(tally, stop, lambda rate: int(60 * rate))
    if by_pace:
        assert full is None and (foreseen is not None) is is_foretold
    else:
        assert (full is not None) is (tpot_ms[0] > 0)


def test_late_queries_are_counted_from_the_rows_of_the_run() -> None:
    ms = 1_000_000
    rows = pa.table(
        {
            "scenario": ["Server"] * 5,
            "mode": ["performance"] * 4 + ["accuracy"],
            "scheduled_ns": [0] * 5,
            "first_token_ns": [99 * ms, 101 * ms, 5 * ms, 1 * ms, 900 * ms],
            "end_ns": [109 * ms, 111 * ms, 500 * ms, 2 * ms, 999 * ms],
            "answer_tokens": [11, 11, 3, 1, 11],  # an answer of one token has no time per further token
        }
    )
    assert tune.late_queries(rows, Scenario.SERVER, {"ttft_p99": 100.0, "tpot_p99": 50.0}) == 1
    assert tune.late_queries(rows, Scenario.SERVER, {"ttft_p99": 4.0, "tpot_p99": 50.0}) == 3
