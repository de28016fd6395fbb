"""docs/schema: up to date, and of one mind with the code that reads: what one takes the other takes."""

from __future__ import annotations

import copy
import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import pytest
import yaml

from assay.config import BenchmarkConfig, Delivery, Request
from assay.doors import config_options
from assay.ground.errors import AssayError
from assay.mlperf.record import result
from tests import fakes

ROOT = Path(__file__).parents[1]


def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("json_schemas", ROOT / "tools" / "json_schemas.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


SCHEMAS = tool()


def validator(name: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads((SCHEMAS.FOLDER / name).read_text(encoding="utf-8")))


RESULT, RUN = validator("result.schema.json"), validator("run.schema.json")


def test_the_published_schemas_are_those_of_the_types() -> None:
    for name, schema in SCHEMAS.documents().items():
        jsonschema.Draft202012Validator.check_schema(schema)
        assert (SCHEMAS.FOLDER / name).read_text(encoding="utf-8") == SCHEMAS.text_of(schema), (
            "run: python tools/json_schemas.py"
        )


def test_fields_carry_what_is_said_below_them() -> None:
    assert RESULT.schema["properties"]["command"]["description"].startswith("A command line")
    assert RUN.schema["properties"]["round"]["description"].startswith("null = the newest round")


def changed(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """The tree with one value in it replaced by one of another type, or left out, at every place in turn."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        for other in ("text", 7, None, [], {}, True):
            if type(other) is not type(value):
                yield (*path, key), other
        yield from changed(value, (*path, key))


def with_value(tree: Any, path: tuple[Any, ...], value: Any) -> Any:
    made = copy.deepcopy(tree)
    place = made
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return made


def test_a_record_that_one_refuses_the_other_refuses(tmp_path: Path) -> None:
    record = fakes.result().to_dict()
    record["runs"] = record["runs"][:1]
    tried = {True: 0, False: 0}
    for path, value in changed(record):
        made = with_value(record, path, value)
        if path == ("schema_version",) or path[:1] == ("files",):
            continue  # the versions of records, and how a folder is held: not a matter of types
        (tmp_path / "result.json").write_text(json.dumps(made))
        try:
            result.read(tmp_path)
            is_read = True
        except AssayError:
            is_read = False
        assert RESULT.is_valid(made) == is_read, (path, value)
        tried[is_read] += 1
    assert min(tried.values()) > 20


@pytest.mark.parametrize("key", ["workload", "used", "runs", "schema_version"])
def test_a_record_without_a_field_is_refused(key: str) -> None:
    record = fakes.result().to_dict()
    del record[key]
    assert not RESULT.is_valid(record)


RUNS = [
    "workload: mixtral-nano",
    "{}",
    "scenario: offline, server",
    "scenarios: [Offline, SERVER]",
    "scenarios: ',offline,,server,'",
    "modes: accuracy",
    "mode: [accuracy]",
    "style: VALID",
    "round: 6.0",
    "round: v5.1",
    "limits: {samples: 3, min_duration_s: 600s, target_qps: auto}",
    "limits:",
    "limits: {samples: null, batch: 4}",
    "sut: echo\nsut_options: {pace: 3}",
    "submission: {division: Closed}",
    "delivery: {submit: true, container: {engine: podman}}",
    "delivery: {container: null, may_fetch: {model: false}, earlier_run: reuse}",
    "origin: {style: here}",
]
NO_RUNS = [
    "workloads: mixtral-nano",
    "scenario: offlin",
    "scenarios: []",
    "scenarios: ','",
    "device: gpu",
    "limits: 3",
    "limits: {sampels: 3}",
    "limits: {samples: {a: 1}}",
    "submission: {division: cloosed}",
    "delivery: {sbumit: true}",
    "delivery: {submit: 'yes'}",
    "delivery: {container: podman}",
    "delivery: {earlier_run: later}",
    "- workload",
]


def reads(text: str, place: Path) -> bool:
    (place / "run.yaml").write_text(text)
    try:
        file = config_options.read_file(place / "run.yaml")
        config_options.build(None, {}, file.settings)
        file.delivery_over(Delivery())
    except AssayError:
        return False
    return True


@pytest.mark.parametrize(("text", "is_read"), [*((t, True) for t in RUNS), *((t, False) for t in NO_RUNS)])
def test_a_run_yaml_that_is_read_is_taken_and_one_that_is_refused_is_not(
    text: str, is_read: bool, tmp_path: Path
) -> None:
    assert reads(text, tmp_path) is is_read
    assert RUN.is_valid(yaml.safe_load(text)) is is_read


def test_every_config_json_is_taken() -> None:
    for flags in ({}, {"paths.checkpoint": "hf:a/b", "limits.samples": "3", "sut": "echo"}):
        RUN.validate(
            json.loads(json.dumps(Request(config_options.build("mixtral-8x7b", flags, {})).to_dict()))
        )
    RUN.validate(Request(BenchmarkConfig()).to_dict())
