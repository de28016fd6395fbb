"""The ray SUT on a Ray that is started for it: slow, as Ray takes seconds to come up."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.end_to_end import ray_kills

pytestmark = [
    pytest.mark.slow,
    # Not imported here: Ray reads its settings when it is.
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="ray is not installed"),
]
SECONDS = 240


def bench(out: Path, *options: str) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "assay", "bench", "mixtral-nano", "--out", str(out), *options]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finished(started: subprocess.Popen[str]) -> str:
    said, _ = started.communicate(timeout=SECONDS)
    return said


def result(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "result.json").read_text())
    return found


def answers(out: Path) -> dict[int, str]:
    log = json.loads((out / "Offline" / "accuracy" / "mlperf_log_accuracy.json").read_text())
    found = {entry["qsl_idx"]: entry["data"] for entry in log}
    assert len(found) == len(log)
    return found


def of_ray(session: int) -> list[psutil.Process]:
    """Living processes that a SUT process of that session has left."""
    found = []
    for process in psutil.process_iter(["name", "cmdline"]):
        try:
            if os.getsid(process.pid) == session and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (ProcessLookupError, psutil.NoSuchProcess):
            continue
    return found


def sut_process(started: subprocess.Popen[str], out: Path) -> psutil.Process:
    """The SUT process, once the replicas are loaded."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and started.poll() is None:
        for child in psutil.Process(started.pid).children():
            if is_sut(child) and (out / "Offline").is_dir():
                return child
        time.sleep(0.05)
    raise AssertionError(f"no SUT process: {finished(started)}")


def replicas(sut: psutil.Process) -> list[psutil.Process]:
    return [each for each in sut.children(recursive=True) if is_sut(each)]


def is_sut(process: psutil.Process) -> bool:
    try:
        return "assay.mlperf.sut.process" in process.cmdline()
    except psutil.NoSuchProcess:  # one that has just ended, a zombie too
        return False


def none_left(session: int) -> bool:
    end = time.monotonic() + 30
    while (left := of_ray(session)) and time.monotonic() < end:
        time.sleep(0.2)
    return not left


def test_replicas_answer_as_one_process_does(tmp_path: Path) -> None:
    alone = finished(bench(tmp_path / "one", "--samples", "60", "--mode", "accuracy"))
    joined = bench(tmp_path / "two", "--samples", "60", "--sut", "ray", "--replicas", "2")
    said = finished(joined)
    assert answers(tmp_path / "two") == answers(tmp_path / "one"), (alone, said)
    used = result(tmp_path / "two")["used"]
    assert [row["answers"] for row in used["details"]["runs"][-1]] == [30, 30]
    assert used["weights_sha256"] == result(tmp_path / "one")["used"]["weights_sha256"]


@pytest.mark.parametrize("is_actor", [False, True], ids=["its SUT", "its actor"])
def test_a_replica_that_is_killed_loses_no_answer(tmp_path: Path, is_actor: bool) -> None:
    out = tmp_path / "run"
    options = (
        "--of",
        "echo",
        "--pace",
        "20",
        "--replicas",
        "3",
        "--samples",
        "150",
        "--mode",
        "performance,accuracy",
    )
    started = bench(out, "--sut", "ray", *options)
    sut = sut_process(started, out)
    while not (out / "Offline" / "accuracy").is_dir():
        time.sleep(0.02)
    time.sleep(0.5)
    session = os.getsid(sut.pid)
    victim = replicas(sut)[0]
    (victim.parent() if is_actor else victim).send_signal(signal.SIGKILL)
    said = finished(started)
    assert len(answers(out)) == 150, said
    made = result(out)
    assert [run["faults"] for run in made["runs"]] == [[], []] and len(made["used"]["losses"]) == 1
    assert "of the replicas were lost" in said and none_left(session)


def test_a_replica_that_dies_in_a_performance_run_makes_it_invalid(tmp_path: Path) -> None:
    out = tmp_path / "run"
    options = ("--of", "echo", "--pace", "20", "--replicas", "2", "--samples", "150", "--mode", "performance")
    started = bench(out, "--sut", "ray", *options)
    sut = sut_process(started, out)
    time.sleep(0.5)
    replicas(sut)[0].send_signal(signal.SIGKILL)
    said = finished(started)
    assert "INVALID, whatever LoadGen says: replica " in said and "was lost: " in said
    assert result(out)["runs"][0]["faults"]


@pytest.mark.parametrize("victim", ["gcs_server", "raylet", "assay"])
def test_a_lost_head_ends_the_run_and_leaves_nothing(tmp_path: Path, victim: str) -> None:
    out = tmp_path / "run"
    options = ("--of", "echo", "--pace", "1", "--replicas", "2", "--samples", "150", "--mode", "performance")
    started = bench(out, "--sut", "ray", *options)
    sut = sut_process(started, out)
    time.sleep(1.0)
    family = sut.children(recursive=True)
    session = os.getsid(sut.pid)
    if victim == "assay":
        started.kill()
    else:
        next(each for each in family if each.name() == victim).kill()
    began = time.monotonic()
    said = finished(started)
    assert time.monotonic() - began < 60
    if victim != "assay":
        made = result(out)
        assert made["status"] == "FAILED" and "lost" in made["reason"], said
    assert none_left(session)


def test_three_nodes_answer_as_one_and_lose_nothing_with_a_replica() -> None:
    dice = random.Random(5)
    with ray_kills.cluster() as address:
        said, killed, used = ray_kills.one_run(address, dice, 0)
        assert (said, killed, used.losses) == ([], 0, ())
        assert len(used.details["nodes"]) == 3 and len(used.details["replicas"]) == 4
        said, killed, used = ray_kills.one_run(address, dice, 2)
        assert said == [] and len(used.losses) <= killed == 2


def test_four_engines_on_three_nodes_give_the_answers_and_scores_of_one(tmp_path: Path) -> None:
    asked = ("--samples", "300", "--mode", "accuracy")
    alone = finished(bench(tmp_path / "one", *asked))
    with ray_kills.cluster() as address:
        options = ("--replicas", "4", "--cpus-per-replica", "1", "--ray-address", address)
        said = finished(bench(tmp_path / "four", "--sut", "ray", *options, *asked))
    one, four = (answers(tmp_path / name) for name in ("one", "four"))
    assert len(one) == 300 and four == one, (alone, said)
    scores = [result(tmp_path / name)["runs"][0]["scores"] for name in ("one", "four")]
    assert scores[0] == scores[1]
    assert len(result(tmp_path / "four")["used"]["details"]["nodes"]) == 3


def may_make_namespaces() -> bool:
    return shutil.which("ip") is not None and subprocess.run(["unshare", "--net", "true"]).returncode == 0


def test_a_node_whose_network_is_cut_is_given_up_and_loses_no_answer(tmp_path: Path) -> None:
    if not may_make_namespaces():
        pytest.skip("this user may make no network namespaces, or `ip` is not installed")
    out = tmp_path / "run"
    words = ["unshare", "--net", sys.executable, "-m", "tests.end_to_end.ray_network", str(out), "accuracy"]
    told = json.loads(subprocess.run(words, stdout=subprocess.PIPE, check=True, timeout=4 * SECONDS).stdout)
    assert told["code"] == 0 and len(answers(out)) == 300, told
    (loss,) = result(out)["used"]["losses"]
    assert "was lost: " in loss and told["seconds"] < 120, told
