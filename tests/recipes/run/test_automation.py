"""What hooks read and call on `automation` beside finding tools and versions."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from assay.recipes.contract.cm import CM
from assay.recipes.contract.mlc import MLC
from assay.recipes.run.automation import Automation
from tests.recipes.run.conftest import Make


def test_named_dependencies_are_given_tags(automation: Automation) -> None:
    deps = [{"tags": "get,gcc", "names": ["compiler"]}, {"tags": "get,os"}]
    asked = {"deps": deps, "update_deps": {"compiler": {"tags": "_new", "version": "12"}}}
    assert automation.update_deps(asked) == {"return": 0}
    assert deps[0]["version"] == "12" and "_new" in str(deps[0]["tags"])
    assert deps[1] == {"tags": "get,os"}


def test_working_files_of_a_script_are_removed_and_others_stay(automation: Automation) -> None:
    for name in ("tmp-run.sh", "tmp-run-env.out", "tmp-ver.out", "mine.txt"):
        Path(name).write_text("")
    assert automation.clean_some_tmp_files({}) == {"return": 0}
    assert {path.name for path in Path().iterdir()} == {"mine.txt"}


@pytest.mark.parametrize(
    ("meta", "names"), [({"variations": {"a": {}, "b": {}}}, ["a", "b"]), ({}, []), (None, [])]
)
def test_the_variations_of_a_description_are_listed(
    meta: Any, names: list[str], automation: Automation
) -> None:
    assert automation._available_variations({"meta": meta}) == {"return": 0, "variations": names}


@pytest.mark.parametrize("dialect", [CM, MLC])
def test_hooks_find_the_runner_and_a_logger_by_the_names_they_know(dialect: Any, make: Make) -> None:
    automation = make(dialect=dialect)
    assert automation.cmind.access("x")["asked"] == automation.action_object.access("x")["asked"] == "x"
    assert automation.logger.name == automation.cmind.logger.name == "assay.recipes"
    assert automation.meta["alias"] == "script" and re.fullmatch("[0-9a-f]{16}", automation.meta["uid"])
    assert all(key.startswith(dialect.prefix) for key in automation.local_env_keys)
