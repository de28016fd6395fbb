from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from assay.config import Device
from assay.ground.errors import ConfigError, EnvironmentProblem
from assay.suts import device_map
from assay.suts.device_map import DeviceMap
from assay.suts.transformers import KIND


def asked(device: Device = Device.CPU, gpus: int = 0, **options: Any) -> DeviceMap | None:
    return device_map.asked(KIND.values(options), device, gpus)


def test_one_device_holds_all_unless_there_are_several_or_a_map_is_asked_for() -> None:
    assert asked() is None and asked(Device.CUDA, 1) is None
    assert asked(Device.CUDA, 2) == DeviceMap("auto", {})
    assert asked(Device.CUDA, 1, device_map="balanced") == DeviceMap("balanced", {})
    assert asked(Device.CUDA, 2, gpu_memory_gib=0.5, cpu_memory_gib=1.0) == DeviceMap(
        "auto", {0: 1 << 29, 1: 1 << 29, "cpu": 1 << 30}
    )


def test_a_map_is_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "map.json").write_text(json.dumps({"model": 0, "lm_head": "cpu"}))
    made = asked(device_map=str(tmp_path / "map.json"))
    assert made is not None and made.devices == {"model": 0, "lm_head": "cpu"} and not made.may_use_disk


@pytest.mark.parametrize("text", ["[]", "{}", '{"model": null}', '{"model": true}', "{", "\x00"])
def test_what_is_no_map_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "map.json").write_text(text)
    with pytest.raises(ConfigError, match=r"map\.json"):
        asked(device_map=str(tmp_path / "map.json"))
    with pytest.raises(ConfigError, match="No such file"):
        asked(device_map=str(tmp_path / "none.json"))


def test_accelerate_is_told_every_device_that_may_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    made = device_map.arguments(DeviceMap("auto", {"cpu": 5}), {0: 7, "cpu": 9}, Path("/o"))
    assert made == {"device_map": "auto", "max_memory": {0: 7, "cpu": 5}, "offload_folder": "/o"}
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EnvironmentProblem, match="needs accelerate"):
        device_map.arguments(DeviceMap("auto", {}), {}, None)


def test_each_tensor_is_counted_where_its_module_is() -> None:
    placed: dict[str, str | int] = {"model": 0, "model.layers.1": "cpu", "model.layers.10": "disk"}
    tensors = [
        ("model.layers.1.w", 2, 8),
        ("model.layers.10.w", 3, 12),
        ("model.e", 5, 20),
        ("lm_head.w", 1, 4),
    ]
    found = device_map.shares(placed, tensors)
    assert found == {
        "cpu": {"parameters": 3, "bytes": 12},
        "disk": {"parameters": 3, "bytes": 12},
        "cuda:0": {"parameters": 5, "bytes": 20},
    }
    assert device_map.words(found) == "cpu 27%, disk 27%, cuda:0 45%"


def test_prompts_go_to_the_first_device_that_computes() -> None:
    assert device_map.main_device({"a": "disk", "b": "cpu", "c": 1}) == "cuda:1"
    assert device_map.main_device({"": "disk"}) == "cpu"
