from __future__ import annotations

import json
import platform

import pytest

from assay.machine import probe

LSCPU = {
    "lscpu": [
        {"field": "Model name:", "data": "Example 9000"},
        {"field": "Socket(s):", "data": "2"},
        {"field": "Core(s) per socket:", "data": "48"},
        {"field": "Flags:", "data": "fpu avx2 avx512f amx_bf16"},
        {"field": "Caches:", "data": "", "children": [{"field": "L3 cache:", "data": "210 MiB"}]},
    ]
}


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What each tool prints; a tool that is not listed is not installed."""
    printed: dict[str, str] = {}
    monkeypatch.setattr(probe, "_output", lambda command: printed.get(command[0], ""))
    return printed


def test_processor_fields_come_from_lscpu_and_say_so(tools: dict[str, str]) -> None:
    tools["lscpu"] = json.dumps(LSCPU)
    found = probe.fields()
    assert found["host_processor_model_name"] == probe.Probed("Example 9000", "lscpu")
    assert found["host_processors_per_node"].value == "2"
    assert found["host_processor_core_count"].value == "48"
    assert found["host_processor_caches"].value == "L3 210 MiB"
    assert found["host_processor_features"].value == "avx2 avx512f amx_bf16"


def test_what_the_machine_does_not_tell_stays_unknown_and_listed(tools: dict[str, str]) -> None:
    tools["lscpu"] = "not JSON"
    found = probe.fields()
    for name in ("host_processors_per_node", "host_memory_configuration", "host_networking"):
        assert found[name].value is None
        assert found[name].source


def test_gpus_are_counted_from_nvidia_smi_and_none_is_not_invented(tools: dict[str, str]) -> None:
    assert probe.fields()["accelerators_per_node"].value == "0"
    tools["nvidia-smi"] = "NVIDIA H100, 81559 MiB\nNVIDIA H100, 81559 MiB\n"
    found = probe.fields()
    assert found["accelerators_per_node"].value == "2"
    assert found["accelerator_memory_capacity"].value == "81559 MiB"


def test_a_description_is_plain_json_with_a_source_for_every_field() -> None:
    found = json.loads(json.dumps(probe.describe()))
    assert found["python"]["value"] == platform.python_version()
    assert all(field["source"] for field in found.values())
