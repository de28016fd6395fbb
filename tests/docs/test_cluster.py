"""The Slurm script and the KubeRay manifest of docs/cluster.md, as far as they can be tried without either."""

from __future__ import annotations

import os
import re
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from assay.cli import main
from assay.suts.ray import KIND

PAGE = Path(__file__).parents[2] / "docs" / "cluster.md"
STUB = """#!/bin/bash
name=$(basename "$0")
echo "$name $*" >> "$CALLS"
case $name in
  scontrol) printf 'n1\\nn2\\nn3\\nn4\\n';;
  openssl) echo 5ec4e7;;
esac
"""
"""Stands for each command that a script calls, and writes down how it was called."""


def block(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return str(found)


@pytest.fixture
def calls(tmp_path: Path) -> list[list[str]]:
    """What the Slurm script calls, with a stub for each command."""
    places = tmp_path / "bin"
    places.mkdir()
    for name in ("scontrol", "srun", "openssl", "sleep"):
        (places / name).write_text(STUB)
        (places / name).chmod(0o755)
    environment = {
        "PATH": f"{places}:{os.environ['PATH']}",
        "CALLS": str(tmp_path / "calls"),
        "SLURM_JOB_NODELIST": "n[1-4]",
    }
    subprocess.run(
        ["bash", "-eu", "-c", block("bash") + "\nwait\n"],
        env=environment,
        check=True,
        timeout=60,
    )
    return [line.split() for line in (tmp_path / "calls").read_text().splitlines()]


def test_the_slurm_script_starts_the_head_then_the_others_then_assay(calls: list[list[str]]) -> None:
    assert calls[0] == ["scontrol", "show", "hostnames", "n[1-4]"]
    made = [call for call in calls if call[0] == "srun"]
    heads = [call for call in made if "--head" in call]
    others = [call for call in made if "--address=n1:6379" in call]
    assert len(made) == 3 and len(heads) == len(others) == 1
    assert "n1" in heads[0] and "--exclude=n1" in others[0] and "--nodes=3" in others[0]
    assert {"sleep"} <= {call[0] for call in calls}


def test_both_call_assay_as_it_takes_it(calls: list[list[str]], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["bench", "--sut", KIND.name, "--help"])
    helped = capsys.readouterr().out
    (of_slurm,) = [call[call.index("assay") :] for call in calls if "assay" in call]
    of_kuberay = str(manifest()["spec"]["entrypoint"]).split()
    for words in (of_slurm, of_kuberay):
        assert words[:2] == ["assay", "bench"]
        given = {flag: value for flag, value in pairwise(words) if flag.startswith("--")}
        assert all(f"{flag} " in helped for flag in given)
        assert given["--sut"] == KIND.name
        for flag, name in (("--ray-address", "ray_address"), ("--replicas", "replicas")):
            KIND.option(name).read(given[flag])


def manifest() -> dict[str, Any]:
    yaml = pytest.importorskip("yaml")
    found: dict[str, Any] = yaml.safe_load(block("yaml"))
    return found


def test_the_manifest_has_a_head_and_workers_that_see_the_model() -> None:
    made = manifest()
    assert (made["apiVersion"], made["kind"]) == ("ray.io/v1", "RayJob")
    cluster = made["spec"]["rayClusterSpec"]
    (workers,) = cluster["workerGroupSpecs"]
    count = int(str(made["spec"]["entrypoint"]).split("--replicas ")[1].split()[0])
    assert workers["replicas"] + 1 == count, "a replica for each pod"
    for pod in (cluster["headGroupSpec"]["template"]["spec"], workers["template"]["spec"]):
        (container,) = pod["containers"]
        assert {each["name"] for each in container["volumeMounts"]} == {
            each["name"] for each in pod["volumes"]
        }
