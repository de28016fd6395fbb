"""The bare `utils` that MLC's hooks import: there inside a hook, gone after it."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from assay.recipes.contract import helpers
from assay.recipes.contract.hooks import HookProcessState

MODULE = "assay/recipes/contract/shim/utils.py"


@pytest.fixture
def utils() -> Iterator[ModuleType]:
    with HookProcessState(dict(os.environ)).applied():
        module = importlib.import_module("utils")
        assert module.__file__ is not None and Path(module.__file__).as_posix().endswith(MODULE)
        yield module


def test_the_name_belongs_to_the_hook_alone() -> None:
    before = sys.modules.get("utils")
    state = HookProcessState(dict(os.environ))
    with state.applied():
        first = importlib.import_module("utils")
    assert sys.modules.get("utils") is before is not first
    with state.applied():
        assert importlib.import_module("utils") is first


@pytest.mark.parametrize("name", sorted({*helpers.ACTIONS, "is_true", "is_false"}))
def test_the_actions_of_utils_are_functions_of_it(utils: ModuleType, name: str) -> None:
    assert getattr(utils, name) is getattr(helpers, name)


@pytest.mark.parametrize("name", ["load_json", "save_txt", "merge_dicts", "convert_env_to_dict"])
def test_the_helpers_of_cmind_are_too(utils: ModuleType, name: str) -> None:
    assert callable(getattr(utils, name))


@pytest.mark.parametrize(("left", "right", "order"), [("1.10", "1.9", 1), ("1", "1.0", 0), ("1", "2", -1)])
def test_versions_are_given_and_answered_in_a_dictionary_here(
    utils: ModuleType, left: str, right: str, order: int
) -> None:
    answer = utils.compare_versions({"version1": left, "version2": right})
    assert answer == {"return": 0, "comparison": order}


def test_what_hooks_log_reaches_assays_log(utils: ModuleType, caplog: pytest.LogCaptureFixture) -> None:
    utils.logger.warning("a word of a hook")
    assert [(r.name, r.message) for r in caplog.records] == [("assay.recipes", "a word of a hook")]
