"""The config as plain JSON values."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.config import (
    BenchmarkConfig,
    Delivery,
    Device,
    Limits,
    Mode,
    Paths,
    Precision,
    Scenario,
    Style,
    plain,
)


@pytest.mark.parametrize("member", [*Scenario, *Mode, *Style, *Precision, *Device])
def test_a_choice_is_its_value_in_text(member: Scenario) -> None:
    assert f"{member}" == str(member) == member.value == member


@pytest.mark.parametrize(
    ("value", "json_value"),
    [
        (Path("/a/b"), "/a/b"),
        ((Scenario.OFFLINE, Mode.ACCURACY), ["Offline", "accuracy"]),
        ({Scenario.SERVER: 1, 2: Path("x")}, {"Server": 1, "2": "x"}),
        (Limits(samples=3), {"samples": 3, "batch": None, "target_qps": None, "min_duration_s": None}),
        ([None, True, 1.5, "x"], [None, True, 1.5, "x"]),
    ],
)
def test_a_value_is_what_json_holds(value: object, json_value: object) -> None:
    assert plain(value) == json_value
    assert json.loads(json.dumps(plain(value))) == json_value


def test_a_source_stands_where_its_path_would() -> None:
    config = BenchmarkConfig(paths=Paths(checkpoint_source="hf:me/model", dataset=Path("/d")))
    found = config.to_dict()["paths"]
    assert (found["checkpoint"], found["dataset"]) == ("hf:me/model", "/d")
    assert not {"checkpoint_source", "dataset_source"} & set(found)


def test_where_a_value_came_from_changes_no_config() -> None:
    assert BenchmarkConfig(origin={"sut": "flag --sut"}) == BenchmarkConfig()


def test_nothing_is_delivered_unasked() -> None:
    asked = Delivery()
    assert not any(
        (asked.submit, asked.allow_fake, asked.pack, asked.compliance, asked.unsafe_no_sandbox, asked.gate)
    )
