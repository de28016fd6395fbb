"""Replicas are killed at random moments of accuracy runs, on a cluster of three Ray nodes; every answer is held against
what it must be.

    python -m tests.end_to_end.ray_kills KILLS [SEED [REPLICAS]]

Prints a line for each run and a sum; exit code 1 when an answer was lost, doubled or swapped.
"""

from __future__ import annotations

import json
import os
import random
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from assay import suts
from assay.config import Device, Mode, Precision, Scenario
from assay.ground.errors import AssayError
from assay.mlperf.data.sample import Sample
from assay.mlperf.logs.accuracy import read_accuracy
from assay.mlperf.rounds import round as rounds
from assay.mlperf.run.session import RunSpec, Session
from assay.mlperf.sut.interface import SutSpec, Used
from assay.mlperf.workloads.workload import Generation
from assay.suts import ray_environment

REPLICAS, NODES = 4, 3
SAMPLES, SECONDS = 400, 4.0
"""Of each run, and how long it takes while no replica is lost: on a busy machine some kills come late in it."""


@contextmanager
def cluster(nodes: int = NODES) -> Iterator[str]:
    """So many Ray nodes on this machine, 2 CPUs each; the address of the head."""
    ray_environment.set_for(is_own_cluster=True)
    from ray.cluster_utils import Cluster

    with tempfile.TemporaryDirectory(dir="/tmp", prefix="r") as folder:
        size: dict[str, Any] = {"num_cpus": 2, "object_store_memory": 200 << 20}
        os.environ["RAY_TMPDIR"] = folder
        (Path(folder) / "ray").mkdir()
        head = {**size, "include_dashboard": False, "gcs_server_port": free_port()}
        made = Cluster(initialize_head=True, head_node_args=head)
        try:
            for _ in range(nodes - 1):
                made.add_node(**size)
            yield made.address
        finally:
            made.shutdown()


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port


def samples() -> list[Sample]:
    """Each with an answer that no other has."""
    return [Sample(n, f"t.{n}", "", "", (1, 7), "", (n // 250, n % 250, 9, 9), ()) for n in range(SAMPLES)]


def wrong(log: Path) -> list[str]:
    """What is wrong with the answers of an accuracy run, a sentence each."""
    expected = {sample.index: list(sample.reference_ids) for sample in samples()}
    found: list[str] = []
    seen = set()
    for entry in read_accuracy(log):
        index, tokens = entry.qsl_idx, list(entry.token_ids)
        if index in seen:
            found.append(f"sample {index} was answered twice")
        if tokens != expected[index]:
            found.append(f"sample {index} has the answer {tokens}")
        seen.add(index)
    return found + [f"sample {index} was not answered" for index in expected.keys() - seen]


def replica_processes(session: psutil.Process) -> list[psutil.Process]:
    """The SUT processes that actors of this cluster have started, among our own descendants alone. `session`: the SUT
    process of the run."""
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            if "assay.mlperf.sut.process" in process.cmdline() and process.pid != session.pid:
                found.append(process)
        except psutil.NoSuchProcess:
            continue
    return found


def one_run(
    address: str, dice: random.Random, kills: int, replicas: int = REPLICAS
) -> tuple[list[str], int, Used]:
    """What was wrong, how many replicas were killed, and what the SUT says of it."""
    round_ = rounds.load("v5.1")
    options = suts.asked("ray", {"of": "echo"}).values(
        {
            "of": "echo",
            "replicas": str(replicas),
            "ray_address": address,
            "pace": SAMPLES / SECONDS / replicas,
            "cpus_per_replica": REPLICAS / replicas,
        }
    )
    spec = SutSpec("ray", None, Device.CPU, Precision.FLOAT32, None, Generation(2, 8, 2), False, options)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        run = RunSpec(
            scenario=Scenario.OFFLINE,
            mode=Mode.ACCURACY,
            loadgen_key="mixtral-8x7b",
            has_loadgen_settings=True,
            samples=SAMPLES,
            target_qps=100.0,
            seeds=round_.seeds,
            out=folder / "run_1",
            user_conf=folder / "user.conf",
            min_query_count=SAMPLES,
            max_query_count=SAMPLES,
            times=folder / "times.npy",
        )
        killed = 0
        with Session(
            sut_module="assay.suts.ray_sut",
            spec=spec,
            samples=samples(),
            wheel=round_.wheels[0],
            log_dir=folder,
        ) as session:
            assert session._host is not None
            sut = psutil.Process(session._host.child.pid)

            def kill() -> None:
                nonlocal killed
                while not run.out.is_dir():
                    time.sleep(0.01)
                for _ in range(kills):
                    time.sleep(dice.uniform(0.0, SECONDS / replicas))
                    alive = replica_processes(sut)
                    if len(alive) > 1 and not run.times.exists():  # type: ignore[union-attr]
                        victim = dice.choice(alive)
                        if dice.random() < 0.5 and (actor := victim.parent()) is not None:
                            victim = actor
                        try:
                            victim.kill()
                            killed += 1
                        except psutil.NoSuchProcess:
                            continue

            killer = threading.Thread(target=kill)
            killer.start()
            session.run(run)
            killer.join()
            used = session.used
        return wrong(run.out / "mlperf_log_accuracy.json"), killed, used


def main(kills: int, seed: int, replicas: int) -> int:
    dice = random.Random(seed)
    done = runs = bad = lost = failed = 0
    with cluster() as address:
        while done < kills:
            try:
                said, killed, used = one_run(address, dice, min(replicas - 1, kills - done), replicas)
            except AssayError as error:
                failed += 1
                print(json.dumps({"failed": error.message}), flush=True)
                if failed > runs + 3:
                    break
                continue
            done, runs, bad, lost = done + killed, runs + 1, bad + bool(said), lost + len(used.losses)
            row = {"run": runs, "killed": killed, "taken_over": used.details["taken_over"], "wrong": said}
            print(json.dumps(row), flush=True)
    print(json.dumps({"runs": runs, "killed": done, "losses": lost, "bad runs": bad, "failed runs": failed}))
    return int(bad > 0 or failed > 0)


if __name__ == "__main__":
    asked = [int(word) for word in sys.argv[1:]]
    sys.exit(main(*asked, *(7, REPLICAS)[len(asked) - 1 :]))
