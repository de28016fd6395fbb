from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import pytest

from assay.config import Device, Precision
from assay.ground import settings
from assay.ground.errors import ConfigError, EnvironmentProblem
from assay.machine import probe
from assay.machine.probe import Probed
from assay.mlperf.data.sample import Sample
from assay.mlperf.sut.interface import SutSpec
from assay.mlperf.sut.planner import SutWork
from assay.mlperf.workloads.workload import Generation
from assay.suts import serve_pace, serve_plan
from assay.suts.shape import MIXTRAL_8X7B

OWN = f"{sys.executable} -m server --port {{port}}"


def work(is_closed: bool = True, **options: object) -> SutWork:
    spec = SutSpec("serve", None, Device.CPU, Precision.BFLOAT16, None, Generation(2, 30, 2), True, options)  # type: ignore[arg-type]
    samples = [Sample(0, "t.0", "", "", (1,) * 50, "", (), ())]
    return SutWork(spec, "w", samples, [20], 30, MIXTRAL_8X7B, is_closed=is_closed)


def on(monkeypatch: pytest.MonkeyPatch, count: int, memory: str = "81559 MiB") -> None:
    """A machine with so many accelerators."""
    found = {
        "accelerators_per_node": Probed(str(count), "t"),
        "accelerator_memory_capacity": Probed(memory, "t"),
    }
    monkeypatch.setattr(probe, "accelerators", lambda: found)


def test_a_program_or_module_that_is_not_there_is_in_the_way() -> None:
    (lacking,) = serve_plan.examine(work(server="sglang", server_args="--disable-radix-cache")).blockers
    assert f"{sys.executable} has no module sglang" in lacking.message
    (gone,) = serve_plan.examine(work(server="vllm", server_python="/no/such/python")).blockers
    assert isinstance(gone, EnvironmentProblem) and "/no/such/python" in gone.message
    with pytest.raises(ConfigError, match="does not say where the port goes"):
        serve_plan.examine(work(server="llama-server"))


def test_a_program_of_one_s_own_is_taken_as_it_is() -> None:
    found = serve_plan.examine(work(server=OWN, api="llamacpp", server_args="-c 4096"))
    assert found.blockers == () and "has made no run here yet" in found.notes[-1]


def test_minutes_are_those_of_the_fastest_run_of_the_same_command(tmp_path: Path) -> None:
    settings.set_home(tmp_path)
    asked = work(server=OWN, server_args="--more")
    asked = dataclasses.replace(asked, spec=dataclasses.replace(asked.spec, checkpoint=tmp_path))
    assert serve_plan.seconds(asked) is None
    words = [*OWN.format(port=41234).split(), "--more"]
    serve_pace.keep(serve_pace.key(words, 41234, tmp_path), 12.0, 10.0)
    found = serve_plan.seconds(asked)
    assert found is not None and (found.start_s, found.answer_s, found.answer_s_at_most) == (12.0, 2.0, 3.0)
    assert "10 tokens/s" in serve_plan.examine(asked).notes[-1]


def test_arguments_that_break_the_rules_are_in_the_way_of_a_closed_run_alone() -> None:
    options = {"server": OWN, "api": "llamacpp", "server_args": "--context-shift"}
    (closed,) = serve_plan.examine(work(**options)).blockers
    assert "the server's arguments: a closed run will be INVALID: --context-shift" in closed.message
    opened = serve_plan.examine(work(is_closed=False, **options))
    assert opened.blockers == () and any("--context-shift" in note for note in opened.notes)


def test_devices_are_held_against_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    vllm = {"server": f"{OWN} --no-enable-prefix-caching", "api": "vllm"}
    on(monkeypatch, 4)
    (small,) = serve_plan.examine(work(**vllm)).blockers
    assert "93.4 GB of weights" in small.message and "over 2 or more devices" in small.hint
    divided = serve_plan.examine(work(**vllm, server_args="-tp 4"))
    assert divided.blockers == ()
    assert any(
        "each of 4 devices holds 23.4 GB" in n and "tokens at the same time" in n for n in divided.notes
    )
    (many,) = serve_plan.examine(work(**vllm, server_args="-tp 4 -dp 2")).blockers
    assert "ask for 8 devices, and 4 are here" in many.message


def test_weights_count_as_memory_where_no_accelerator_holds_them(monkeypatch: pytest.MonkeyPatch) -> None:
    on(monkeypatch, 0, "N/A")
    without = serve_plan.ram_bytes(work())
    on(monkeypatch, 1)
    assert without is not None and without > 93e9 > 1e9 > (serve_plan.ram_bytes(work()) or 0) > 0
    assert serve_plan.seconds(work()) is None
