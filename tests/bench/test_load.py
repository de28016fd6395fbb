"""`assay load` around its levels: what it refuses, records, marks and goes on with."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from assay.bench import load, load_server
from assay.bench.load_server import LoadRequest
from assay.bench.running import Reporter
from assay.cli.load import render
from assay.endpoint.load import record
from assay.endpoint.load.drive import LevelProgress
from assay.endpoint.load.fleet import LoadFleet
from assay.endpoint.load.level import Goodput, LoadLevel, levels
from assay.endpoint.load.record import LevelRecord, LevelStatus, LoadRecord
from assay.endpoint.load.timing import LoadedRequest
from assay.endpoint.single import ProbedServer
from assay.ground.errors import ArtifactError, ConfigError, EnvironmentProblem, Interrupted, RunFailed
from assay.mlperf.record.run_folder import RunFolder
from assay.mlperf.run import requests
from assay.mlperf.sut.progress import Progress
from tests.endpoint.tiny_server import TinyServer
from tests.mock_server import mock

PACE = {"ttft_ms": 10, "tpot_ms": 1, "tokens": 6}


def asked(server: ProbedServer, out: Path | None, **more: Any) -> LoadRequest:
    usual = LoadRequest("mixtral-nano", (server.text,), levels("1,3", None), 0.25, samples=8, out=out)
    return dataclasses.replace(usual, **more)


def loaded(request: LoadRequest) -> tuple[LoadRecord, list[str]]:
    said: list[str] = []
    _, made = load.run(request, Reporter(said.append, lambda _: None))
    return made, said


def test_every_level_has_its_figures_definitions_and_rows(tmp_path: Path) -> None:
    out = tmp_path / "out"
    limits = Goodput(ttft_ms=5000)
    with mock(**PACE) as server:
        made, said = loaded(asked(server, out, levels=levels("1,3", "20"), goodput=limits))
    assert made.status is LevelStatus.COMPLETE and record.read(out) == made
    assert [line.split(":")[0] for line in said] == ["concurrency 1", "concurrency 3", "20 requests/s"]
    rows = requests.read(RunFolder(out).requests).to_pandas()
    for each in made.levels:
        own = rows[rows.scenario == each.level.label]
        assert each.figures is not None and len(own) == each.figures.answered == each.figures.requests
        assert set(own.answer_tokens) == {6} and set(own.status) == {"answered"}
        ttft = (own.first_token_ns - own.scheduled_ns) / 1e6
        assert each.figures.ttft_ms["p50"] == pytest.approx(ttft.median())
        assert each.definitions["vllm bench serve"]["TTFT"] > 0
        assert each.figures.good_share == 1.0
        unstamped = each.figures.unstamped  # 0 where the kernel stamps from the first answer on
        assert unstamped is not None and unstamped <= each.figures.answered
    assert made.server == "vllm mock" and (made.tier, made.is_salted) == ("A", True)
    assert made.prompt_tokens.least > 0 and made.asked.most_tokens == 256


def test_after_an_interruption_the_same_command_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, real, ran = tmp_path / "out", LoadFleet.run, []

    def broken(self: LoadFleet, level: LoadLevel, told: Any) -> list[LoadedRequest]:
        ran.append(level.label)
        if level.value == 3:
            raise KeyboardInterrupt
        return real(self, level, told)

    with mock(**PACE) as server:
        monkeypatch.setattr(LoadFleet, "run", broken)
        with pytest.raises(Interrupted, match="1 of 3 levels"):
            loaded(asked(server, out, levels=levels("1,3,4", None)))
        stopped = record.read(out)
        assert stopped is not None and stopped.status is LevelStatus.INTERRUPTED
        assert [each.status.value for each in stopped.levels] == ["COMPLETE", "INTERRUPTED", "INTERRUPTED"]
        monkeypatch.setattr(LoadFleet, "run", real)
        made, said = loaded(asked(server, out, levels=levels("1,3,4", None)))
    assert made.status is LevelStatus.COMPLETE and made.levels[0] == stopped.levels[0]
    assert said[0].startswith("not measured again: concurrency 1 of ") and str(out / record.FILE) in said[0]
    assert len(said) == 3 and not any(each.reason for each in made.levels)
    assert made.notes[-1] == said[0] and not any("again" in note for note in stopped.notes)
    written = record.read(out)
    assert written is not None
    assert written.notes[-1].startswith("measured by more than one call: concurrency 1 by a call of ")
    scenarios = requests.read(RunFolder(out).requests)["scenario"].to_pylist()
    assert set(scenarios) == {"concurrency 1", "concurrency 3", "concurrency 4"}


def test_what_another_load_measured_before_the_folder_was_free_is_not_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_server, real_run, ran = load_server.server, LoadFleet.run, []

    def run(self: LoadFleet, level: LoadLevel, told: Any) -> list[LoadedRequest]:
        ran.append(level.label)
        if len(ran) == 2:
            raise KeyboardInterrupt
        return real_run(self, level, told)

    def while_it_asks(request: LoadRequest) -> Any:
        monkeypatch.setattr(load_server, "server", real_server)
        loaded(request)  # the other one: from its begin to its end
        return real_server(request)

    monkeypatch.setattr(LoadFleet, "run", run)
    with mock(**PACE) as server:
        request = asked(server, tmp_path / "out", levels=levels("1,3", None))
        with pytest.raises(Interrupted):
            loaded(request)
        monkeypatch.setattr(load_server, "server", while_it_asks)
        made, _ = loaded(request)
    assert made.status is LevelStatus.COMPLETE and made.notes[-1].startswith(
        "not measured again: concurrency 1, concurrency 3 of "
    )
    assert ran == ["concurrency 1", "concurrency 3", "concurrency 3"]


def test_a_load_that_is_whole_is_shown_again_and_nothing_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any) -> None:
        raise AssertionError("the server was asked again")

    with mock(**PACE) as server:
        request = asked(server, tmp_path / "out", levels=levels("1", None))
        first, _ = loaded(request)
    monkeypatch.setattr(load_server, "warm_up", never)
    shown, said = loaded(request)  # the server has gone
    assert shown == first.with_notes(said) and record.read(tmp_path / "out") == first
    assert len(said) == 1 and said[0].endswith("; the server was not asked; --rerun measures anew")
    assert f"  note     {said[0]}" in render(shown, "load.json")


def test_a_server_that_serves_another_model_after_the_load_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = LoadFleet.run

    def run(self: LoadFleet, level: LoadLevel, told: Any) -> list[LoadedRequest]:
        server.model = {"id": "other"}
        return real(self, level, told)

    monkeypatch.setattr(LoadFleet, "run", run)
    with TinyServer(lambda _: [5, 6, 7]) as server:
        request = LoadRequest(
            "mixtral-nano", (server.url,), levels("1", None), 0.2, samples=4, out=tmp_path / "out"
        )
        made, said = loaded(dataclasses.replace(request, api="vllm"))
        assert record.read(tmp_path / "out") == made and made.notes[-1] == said[-1]
        wanted = f"{server.url} served model tiny before the run, and other after it: the figures are of no one model"
        assert said[-1] == wanted


def test_another_load_and_what_is_no_load_are_left_alone(tmp_path: Path) -> None:
    out, taken = tmp_path / "out", tmp_path / "taken"
    taken.mkdir()
    (taken / "result.json").write_text("{}")
    with mock(**PACE) as server:
        first, _ = loaded(asked(server, out, levels=levels("1", None)))
    # Each is said without the server, which has gone.
    with pytest.raises(ConfigError, match="another load: levels concurrency 1 there, concurrency 1, conc"):
        loaded(asked(server, out))
    with pytest.raises(ConfigError, match="another load: model mock there, other asked"):
        loaded(asked(server, out, levels=levels("1", None), model="other"))
    with pytest.raises(ConfigError, match="not empty"):
        loaded(asked(server, taken))
    (taken / record.FILE).write_text("{}")
    with pytest.raises(ArtifactError):
        loaded(asked(server, taken))
    with pytest.raises(ConfigError, match="no API vlm"):
        loaded(asked(server, tmp_path / "new", api="vlm"))
    assert record.read(out) == first


def test_a_load_that_goes_on_must_find_the_same_model(tmp_path: Path) -> None:
    with mock(**PACE) as server:
        kept, _ = loaded(asked(server, tmp_path / "out", levels=levels("1,2", None)))
    with mock(**PACE, model="other") as other:
        there = dataclasses.replace(kept.asked, urls=(other.text,))
        left = (kept.levels[0], LevelRecord(kept.levels[1].level))
        record.write(tmp_path / "out", dataclasses.replace(kept, asked=there, levels=left))
        with pytest.raises(ConfigError, match="model mock there, other asked"):
            loaded(asked(other, tmp_path / "out", levels=levels("1,2", None), model="other"))
        with pytest.raises(ConfigError, match="other"):
            loaded(asked(other, tmp_path / "out", levels=levels("1,2", None)))


@pytest.mark.parametrize("is_measured", [True, False])
def test_a_load_goes_on_only_with_the_server_that_it_began_with(is_measured: bool, tmp_path: Path) -> None:
    out = tmp_path / "out"

    def go_on(server: TinyServer) -> LoadRecord:
        request = LoadRequest("mixtral-nano", (server.url,), levels("1,2", None), 0.2, samples=4, out=out)
        return loaded(dataclasses.replace(request, api="vllm"))[0]

    with TinyServer(lambda _: [5, 6, 7]) as server:
        server.model = {"id": "tiny", "root": "DIR"}
        made = go_on(server)
        assert made.servers == {server.url: {"id": "tiny", "root": "DIR"}}
        waiting = LevelRecord(made.levels[1].level)
        first = made.levels[0] if is_measured else LevelRecord(made.levels[0].level)
        record.write(out, dataclasses.replace(made, levels=(first, waiting)))
        server.model = {"id": "tiny", "root": "OTHER"}
        if is_measured:
            with pytest.raises(ConfigError, match=r"another server: .*: root DIR then, OTHER now"):
                go_on(server)
        else:
            assert go_on(server).servers == {server.url: server.model}


def test_a_load_is_replaced_when_asked_for_and_where_it_measured_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, other = tmp_path / "out", levels("2", None)
    with mock(**PACE) as server:
        with monkeypatch.context() as broken:
            broken.setattr(load_server, "warm_up", lambda *_: (_ for _ in ()).throw(RunFailed("no use", "")))
            with pytest.raises(RunFailed, match="no use"):
                loaded(asked(server, out))
        assert record.is_blank(out)
        first, _ = loaded(asked(server, out, levels=levels("1", None)))
        assert [each.level.value for each in first.levels] == [1] and not record.is_blank(out)
        second, said = loaded(asked(server, out, levels=other, is_anew=True))
        assert [each.level.value for each in second.levels] == [2] and record.read(out) == second
        assert not any("again" in line for line in said)
    # A server that has gone costs nothing that was measured.
    with pytest.raises(EnvironmentProblem):
        loaded(asked(server, out, is_anew=True))
    assert record.read(out) == second
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match="holds no record of `assay load`"):
        loaded(asked(server, tmp_path / "mine", is_anew=True))


def test_what_a_server_finds_out_anew_is_no_other_server() -> None:
    then = {"URL": {"version": "1", "kv_cache_tokens": 100}}
    assert not record.changes(then, {"URL": {"version": "1", "kv_cache_tokens": 101}})
    assert record.changes(then, {"URL": {}}) == "URL: version 1 then, none now"
    assert not record.changes({}, then)


def test_a_level_that_fails_is_said_and_the_next_one_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = LoadFleet.run

    def gives_up(self: LoadFleet, level: LoadLevel, told: Any) -> list[LoadedRequest]:
        if level.value == 1:
            raise RunFailed("50 requests failed in a row: refused (HTTP 429)")
        return real(self, level, told)

    monkeypatch.setattr(LoadFleet, "run", gives_up)
    with mock(**PACE) as server:
        made, said = loaded(asked(server, tmp_path / "out", levels=levels("1,2", None)))
    assert [each.status for each in made.levels] == [LevelStatus.FAILED, LevelStatus.COMPLETE]
    assert "429" in made.levels[0].reason and "FAILED" in said[0]
    assert made.status is LevelStatus.FAILED


@pytest.mark.parametrize(
    ("api", "tier", "has_salt"),
    [("tgi", "B", False), ("ollama", "C", False), ("llamacpp", "A", True), ("openai", "C", False)],
)
def test_servers_of_every_tier_are_loaded(api: str, tier: str, has_salt: bool, tmp_path: Path) -> None:
    with mock(api=api, **PACE) as server:
        made, _ = loaded(asked(server, tmp_path / "out", levels=levels("2", None), api=api))
    assert (made.tier, made.is_salted, len(made.notes) > 1) == (tier, has_salt, not has_salt)
    assert made.notes[0] == "1 client process carried the streams"
    (level,) = made.levels
    assert level.figures is not None and not level.figures.failures
    assert level.figures.answer_tokens is not None and level.figures.answer_tokens.most == 6


def test_answers_have_the_length_that_is_asked_for(tmp_path: Path) -> None:
    with mock(**PACE) as server:
        made, _ = loaded(asked(server, tmp_path / "out", levels=levels("2", None), answer_tokens=11))
    lengths = made.levels[0].figures and made.levels[0].figures.answer_tokens
    assert lengths is not None and (lengths.least, lengths.most) == (11, 11)
    assert made.asked.ignores_eos


@pytest.mark.parametrize(
    ("more", "error", "named"),
    [
        ({"api": "vlm"}, ConfigError, "no API vlm"),
        ({"model": "other"}, ConfigError, "no model other"),
        ({"workload": "llama3.1-8b"}, ConfigError, "dataset"),
        ({"workload": "mixtral-nanno"}, ConfigError, "mixtral-nan"),
        ({"urls": ("http://127.0.0.1:9",)}, EnvironmentProblem, "no server answers"),
        ({"urls": ("ftp://a",)}, ConfigError, "address"),
        ({"samples": 10**6}, ConfigError, "samples"),
    ],
)
def test_what_cannot_be_loaded_is_refused_before_a_folder_is_made(
    more: dict[str, Any], error: type[Exception], named: str, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with mock(**PACE) as server, pytest.raises(error, match=named):
        loaded(asked(server, out, **more))
    assert not out.exists()


def test_a_server_whose_first_answer_fails_is_not_loaded(tmp_path: Path) -> None:
    fault = {"kind": "damaged", "requests": [2]}
    with mock(**PACE, fault=[fault]) as server, pytest.raises(RunFailed, match="first answer"):
        loaded(asked(server, tmp_path / "out"))


def test_the_key_is_sent_and_stands_nowhere(tmp_path: Path) -> None:
    with mock(**PACE, key="hush-hush") as server:
        request = asked(server, tmp_path / "out", levels=levels("1", None), key="hush-hush")
        made, _ = loaded(request)
        with pytest.raises(ConfigError, match="key"):
            loaded(asked(server, tmp_path / "other"))
    assert made.status is LevelStatus.COMPLETE
    assert "hush" not in repr(request) + (tmp_path / "out" / record.FILE).read_text()


def test_progress_has_the_time_that_is_left_for_all_levels() -> None:
    seen: list[Progress] = []
    level = levels("4", None)[0]
    load._told(Reporter(lambda _: None, seen.append), level, 30, left=2)(LevelProgress(10, 50, 4))
    assert seen == [Progress("concurrency 4", 50, None, 5.0, 80.0)]


def test_several_servers_share_the_load_and_must_have_the_model(tmp_path: Path) -> None:
    with mock(**PACE) as one, mock(**PACE) as two, mock(**PACE, model="other") as other:
        both = (one.text, two.text)
        made, _ = loaded(asked(one, tmp_path / "out", levels=levels("4", None), urls=both))
        with pytest.raises(ConfigError, match="no model mock"):
            load_server.server(asked(one, None, urls=(one.text, other.text)))
    shares = made.levels[0].figures and made.levels[0].figures.shares
    assert shares is not None and set(shares) == set(both) and min(shares.values()) > 0
