from __future__ import annotations

import dataclasses
import os
import re
import signal
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from assay.config import Mode, Scenario
from assay.ground.errors import ConfigError, EnvironmentProblem, Interrupted, RunFailed
from assay.mlperf import logs
from assay.mlperf.logs.accuracy import read_accuracy
from assay.mlperf.rounds import round as rounds
from assay.mlperf.run.session import Session
from assay.mlperf.sut.progress import Progress
from tests.mlperf.loadgen_job import SAMPLES, run_spec, samples, session, sut_spec


def troubled(folder: Path, trouble: str, **settings: object) -> Session:
    return session(folder, "tests.mlperf.troubled_sut", options={"trouble": trouble}, **settings)


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


@pytest.fixture
def leaves_no_process() -> object:
    before = children()
    yield
    assert children() <= before


@pytest.mark.usefixtures("leaves_no_process")
def test_offline_performance_then_accuracy_run_against_one_loaded_sut(tmp_path: Path) -> None:
    seen: list[Progress] = []
    with session(tmp_path, on_progress=seen.append) as running:
        assert running.used.is_fake
        assert running.probe(10) > 0
        performance = running.run(run_spec(tmp_path, Scenario.OFFLINE))
        accuracy = running.run(run_spec(tmp_path, Scenario.OFFLINE, Mode.ACCURACY))
    assert (performance.validity, performance.samples, performance.errors) == ("VALID", SAMPLES, ())
    assert performance.samples_per_s and performance.tokens_per_s
    assert performance.tokens_per_s > 3 * performance.samples_per_s
    assert performance.seeds == rounds.load("v5.1").seeds
    assert (accuracy.validity, accuracy.samples) == ("", SAMPLES)
    phases = [progress.phase for progress in seen]
    assert phases[0] == "loading" and "probe" in phases
    assert seen[-1].phase == "Offline accuracy" and seen[-1].done == seen[-1].total == SAMPLES


@pytest.mark.usefixtures("leaves_no_process")
def test_a_released_session_takes_no_more_runs_and_its_sut_ends(tmp_path: Path) -> None:
    with session(tmp_path) as running:
        running.run(run_spec(tmp_path, Scenario.OFFLINE))
        (sut,) = psutil.Process().children()
        running.release()
        sut.wait(30)  # ends although nobody has left the session
        with pytest.raises(RunFailed, match="the session has released its SUT"):
            running.run(run_spec(tmp_path, Scenario.OFFLINE, Mode.ACCURACY))


def test_the_accuracy_log_holds_each_reference_answer_once(tmp_path: Path) -> None:
    spec = run_spec(tmp_path, Scenario.OFFLINE, Mode.ACCURACY)
    with session(tmp_path) as running:
        running.run(spec)
    entries = list(read_accuracy(spec.out / logs.ACCURACY_FILE, "int32"))
    answers = {entry.qsl_idx: tuple(entry.token_ids.tolist()) for entry in entries}
    assert answers == {sample.index: sample.reference_ids for sample in samples()}
    assert all(entry.token_count == len(entry.token_ids) for entry in entries)


def test_a_second_data_set_is_answered_after_the_first(tmp_path: Path) -> None:
    later = [dataclasses.replace(each, reference_ids=(90, 91, 92)) for each in samples()[:7]]
    with session(tmp_path) as running:
        running.run(run_spec(tmp_path / "first", Scenario.OFFLINE, Mode.ACCURACY))
        running.renew(sut_spec(), later)
        changes = {"samples": 7, "min_query_count": 7, "max_query_count": 7}
        spec = run_spec(tmp_path / "second", Scenario.OFFLINE, Mode.ACCURACY, **changes)
        running.run(spec)
    entries = list(read_accuracy(spec.out / logs.ACCURACY_FILE, "int32"))
    assert [entry.token_ids.tolist() for entry in entries] == [[90, 91, 92]] * 7


@pytest.mark.parametrize("key", ["mixtral-8x7b", "mixtral-nano"])
def test_a_short_server_run_reports_first_tokens_without_an_error(tmp_path: Path, key: str) -> None:
    with session(tmp_path, server=True) as running:
        is_known = key == "mixtral-8x7b"
        record = running.run(
            run_spec(tmp_path, Scenario.SERVER, loadgen_key=key, has_loadgen_settings=is_known)
        )
    assert record.errors == ()
    assert record.samples == SAMPLES
    assert record.latencies["ttft"].percentile_ms[99.0] >= record.latencies["ttft"].min_ms > 0
    assert record.latencies["tpot"].mean_ms >= 0
    (reason,) = record.invalid_because
    assert re.fullmatch(r"too few queries for early stopping: \d+ more are needed", reason)


@pytest.mark.parametrize("scenario", [Scenario.OFFLINE, Scenario.SERVER])
def test_a_test06_run_logs_answers_and_leaves_the_working_folder_alone(
    tmp_path: Path, scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    spec = run_spec(tmp_path, scenario, compliance="TEST06")
    with session(tmp_path, server=scenario is Scenario.SERVER) as running:
        record = running.run(spec)
    assert record.samples == 100 and record.errors == ()
    assert spec.audit_conf is not None and spec.audit_conf.is_file()
    entries = list(read_accuracy(spec.out / logs.ACCURACY_FILE))
    assert len(entries) == 100
    if scenario is Scenario.SERVER:
        assert all(
            entry.first_ids is not None and entry.first_ids[0] == entry.token_ids[0] for entry in entries
        )
    assert list(here.iterdir()) == []


def test_loadgen_4_logs_the_answers_of_test06_without_an_audit_config(tmp_path: Path) -> None:
    seeds = rounds.load("v4.1").seeds
    spec = run_spec(tmp_path, Scenario.OFFLINE, compliance="TEST06", seeds=seeds)
    with session(tmp_path, round_name="v4.1") as running:
        record = running.run(spec)
    assert record.samples == 100 and record.errors == ()
    assert len(list(read_accuracy(spec.out / logs.ACCURACY_FILE))) == 100
    assert not (spec.user_conf.parent / "audit.config").exists()


@pytest.mark.parametrize("name", ["v4.1", "v5.0", "v6.0", "v6.1"])
def test_the_wheel_of_every_round_carries_the_seeds_of_its_round(tmp_path: Path, name: str) -> None:
    seeds = rounds.load(name).seeds
    with session(tmp_path, round_name=name) as running:
        assert running.run(run_spec(tmp_path, Scenario.OFFLINE, seeds=seeds)).seeds == seeds


def test_a_wheel_with_the_seeds_of_another_round_is_named_with_both_seeds(tmp_path: Path) -> None:
    asked, carried = rounds.load("v6.0").seeds, rounds.load("v5.1").seeds
    with session(tmp_path) as running, pytest.raises(RunFailed) as failure:
        running.run(run_spec(tmp_path, Scenario.OFFLINE, seeds=asked))
    for word in ("LoadGen 6.0.3", str(asked.qsl), str(carried.qsl), str(carried.schedule)):
        assert word in failure.value.message


def test_a_folder_with_the_logs_of_a_run_is_not_overwritten(tmp_path: Path) -> None:
    spec = run_spec(tmp_path, Scenario.OFFLINE)
    spec.out.mkdir(parents=True)
    kept = spec.out / logs.DETAIL_FILE
    kept.write_text("mine")
    with session(tmp_path) as running, pytest.raises(ConfigError, match="already holds"):
        running.run(spec)
    assert kept.read_text() == "mine"


@pytest.mark.usefixtures("leaves_no_process")
@pytest.mark.parametrize(
    ("trouble", "kind", "words"),
    [
        ("does not load", EnvironmentProblem, ("90 GB", "a larger machine", "sut.log")),
        ("breaks while loading", RunFailed, ("could not be loaded", "KeyError", "troubled_sut.py")),
        ("dies while loading", RunFailed, ("exit code 7", "sut.log")),
    ],
)
def test_a_sut_that_does_not_load_ends_the_session_with_its_reason(
    tmp_path: Path, trouble: str, kind: type[Exception], words: tuple[str, ...]
) -> None:
    with pytest.raises(kind) as failure, troubled(tmp_path, trouble):
        pass
    for word in words:
        assert word in str(failure.value)


@pytest.mark.usefixtures("leaves_no_process")
@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ("killed", ("the SUT process was killed by SIGKILL", "these are my last words", "sut.log")),
        ("raises", ("ValueError: no such sample", "troubled_sut.py, line", "sut.log")),
        ("raises in a thread", ("a thread of the test SUT failed", "ValueError")),
        ("invents ids", ("a query that was never asked, with id 12345",)),
        ("answers twice", ("the SUT answered sample", "twice")),
        ("silent", ("30 queries were not answered", "for 1 s")),
    ],
)
def test_a_run_that_a_sut_breaks_fails_with_the_reason(
    tmp_path: Path, trouble: str, words: tuple[str, ...]
) -> None:
    limit_s = 1.0 if trouble == "silent" else 60.0  # the others are told before anybody is overdue
    with (
        pytest.raises(RunFailed) as failure,
        troubled(tmp_path, trouble, answer_timeout_s=limit_s) as running,
    ):
        running.run(run_spec(tmp_path, Scenario.OFFLINE))
    for word in words:
        assert word in str(failure.value)


def test_a_broken_session_takes_no_further_run(tmp_path: Path) -> None:
    with troubled(tmp_path, "raises") as running:
        with pytest.raises(RunFailed, match="no such sample"):
            running.run(run_spec(tmp_path, Scenario.OFFLINE))
        with pytest.raises(RunFailed, match=r"the session is over.*no such sample"):
            running.run(run_spec(tmp_path, Scenario.OFFLINE, Mode.ACCURACY))


def test_a_sut_that_breaks_under_the_probe_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunFailed, match="no such sample"), troubled(tmp_path, "raises") as running:
        running.probe(4)


def test_a_slow_sut_that_keeps_talking_is_left_alone(tmp_path: Path) -> None:
    seen: list[Progress] = []
    with troubled(tmp_path, "slow but talking", answer_timeout_s=2.0, on_progress=seen.append) as running:
        record = running.run(run_spec(tmp_path, Scenario.OFFLINE))
    assert record.samples == SAMPLES
    assert "part 7" in [progress.message for progress in seen]


def test_temporary_files_may_lie_deeper_than_the_name_of_a_socket_is_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("d" * 100) / ("é" * 50)
    deep.mkdir(parents=True)
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    with session(tmp_path) as running:
        assert running.run(run_spec(tmp_path, Scenario.OFFLINE)).samples == SAMPLES
    assert list(deep.iterdir()) == []


def test_used_is_asked_again_after_each_run(tmp_path: Path) -> None:
    with troubled(tmp_path, "") as running:
        assert running.used.details["issued"] == 0
        running.run(run_spec(tmp_path, Scenario.OFFLINE))
        assert running.used.details["issued"] == SAMPLES


def when_running(act: Callable[[psutil.Process], None], module: str) -> threading.Thread:
    """Calls `act` with the child that runs `module`, as soon as LoadGen has had time to issue its queries."""

    def watch() -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            time.sleep(0.05)
            for child in psutil.Process().children():
                if module in child.cmdline() and len(psutil.Process().children()) >= 2:
                    time.sleep(0.7)
                    act(child)
                    return

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


@pytest.mark.usefixtures("leaves_no_process")
def test_a_killed_loadgen_child_fails_the_run_with_its_signal(tmp_path: Path) -> None:
    with troubled(tmp_path, "silent") as running:
        killer = when_running(lambda child: child.kill(), "assay.mlperf.run.loadgen")
        with pytest.raises(RunFailed, match="the LoadGen child was killed by SIGKILL"):
            running.run(run_spec(tmp_path, Scenario.OFFLINE))
        killer.join()


@pytest.mark.parametrize("is_renewed", [False, True])
def test_a_sut_that_died_after_its_last_run_is_told_when_it_is_asked(
    tmp_path: Path, is_renewed: bool
) -> None:
    with session(tmp_path) as running:
        host, build = running._loaded(), running._build
        os.kill(host.child.pid, signal.SIGKILL)
        assert host.child.wait(60) is not None
        with pytest.raises(RunFailed, match="the SUT process was killed by SIGKILL"):
            host.renew(build.spec, build.samples) if is_renewed else host.refresh()


@pytest.mark.usefixtures("leaves_no_process")
def test_ctrl_c_ends_both_children_and_raises_interrupted(tmp_path: Path) -> None:
    with troubled(tmp_path, "silent") as running:
        killer = when_running(lambda _child: os.kill(os.getpid(), signal.SIGINT), "assay.mlperf.run.loadgen")
        with pytest.raises(Interrupted):
            running.run(run_spec(tmp_path, Scenario.OFFLINE))
        killer.join()


@pytest.mark.parametrize("mode", list(Mode))
def test_a_full_disk_fails_the_run_and_says_how_much_is_free(
    tmp_path: Path, small_disk: Callable[[int], Path], mode: Mode
) -> None:
    disk = small_disk(48)
    (disk / "filler").write_bytes(b"x" * 28_000)
    spec = run_spec(tmp_path, Scenario.OFFLINE, mode, out=disk / "run")
    with session(tmp_path) as running, pytest.raises(RunFailed, match=r"\d [kMGT]?B are free"):
        running.run(spec)
