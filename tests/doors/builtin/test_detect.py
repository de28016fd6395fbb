"""The recipes about the machine: system, processor, and the description of a submission."""

from __future__ import annotations

import platform
from typing import Any

import pytest

from assay.doors.builtin.detect_cpu.action import NAMES
from assay.doors.builtin.detect_cpu.action import action as detect_cpu
from assay.doors.builtin.detect_os.action import action as detect_os
from assay.doors.builtin.sut_description.action import action as sut_description
from assay.machine import probe
from tests.doors.builtin.calls import Call


def test_the_system_is_told_in_the_variables_that_recipes_read() -> None:
    env = detect_os(Call("detect,os").of())["new_env"]
    system = platform.uname()
    assert env["CM_HOST_OS_TYPE"] == "linux" == system.system.lower()
    assert env["CM_HOST_OS_KERNEL_VERSION"] == system.release
    assert env["CM_HOST_PLATFORM_FLAVOR"] == env["CM_HOST_OS_MACHINE"] == system.machine
    assert env["CM_HOST_PYTHON_BITS"] in ("32", "64")
    assert all(isinstance(value, str) for value in env.values())


@pytest.mark.parametrize(
    ("release", "found"),
    [
        ({"ID": "ubuntu", "ID_LIKE": "debian", "VERSION_ID": "24.04"}, ("ubuntu", "debian", "24.04")),
        ({"ID": "debian"}, ("debian", "", "")),
        ({}, ("linux", "", "")),
        (None, ("linux", "", "")),
    ],
)
def test_a_distribution_is_told_as_far_as_the_system_says(
    release: dict[str, str] | None, found: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def read() -> dict[str, str]:
        if release is None:
            raise OSError("no /etc/os-release")
        return release

    monkeypatch.setattr(platform, "freedesktop_os_release", read)
    env = detect_os(Call("detect,os").of())["new_env"]
    assert tuple(env[f"CM_HOST_OS_{name}"] for name in ("FLAVOR", "FLAVOR_LIKE", "VERSION")) == found


@pytest.mark.parametrize("action", [detect_os, detect_cpu])
def test_names_have_the_prefix_of_the_tool_that_asks(action: Any) -> None:
    of_cm, of_mlc = action(Call("x").of())["new_env"], action(Call("x", prefix="MLC_").of())["new_env"]
    assert of_cm and {name.replace("MLC_", "CM_", 1) for name in of_mlc} == set(of_cm)
    assert all(name.startswith("MLC_") for name in of_mlc)


def described(monkeypatch: pytest.MonkeyPatch, **fields: str | None) -> None:
    told = {name: {"value": value, "source": "test"} for name, value in fields.items()}
    monkeypatch.setattr(probe, "describe", lambda: told)


def test_what_is_not_known_of_the_processor_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    described(monkeypatch, host_processor_model_name="a processor", host_processor_caches=None)
    assert detect_cpu(Call("detect,cpu").of())["new_env"] == {"CM_HOST_CPU_MODEL_NAME": "a processor"}


def test_every_field_of_the_table_is_one_that_is_probed() -> None:
    assert set(NAMES) <= set(probe.fields())


def test_the_description_is_handed_on_whole_with_the_name_that_was_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    described(monkeypatch, host_processor_model_name="a processor", cooling=None, system_name="by itself")
    answer = sut_description(Call("get,sut").of(CM_HW_NAME="box", CM_MLPERF_SUBMITTER="T"))
    assert answer["new_env"] == {"CM_HW_NAME": "box"}
    assert answer["new_state"]["CM_SUT_META"] == {
        "host_processor_model_name": "a processor",
        "cooling": "",
        "system_name": "box",
        "submitter": "T",
    }
    unnamed = sut_description(Call("get,sut", CM_MLPERF_SUBMITTER="usual").of())
    assert unnamed["new_env"] == {"CM_HW_NAME": "by itself"}
    assert unnamed["new_state"]["CM_SUT_META"]["submitter"] == "usual"
