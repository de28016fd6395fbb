"""A Python process that a recipe started asks the runner: one JSON in, one JSON out, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.recipes.conftest import Kit

MODULE = "assay.recipes.actions.remote"


def asked(kit: Kit, request: Any, dialect: str = "cm") -> dict[str, Any]:
    text = request if isinstance(request, str) else json.dumps(request)
    done = subprocess.run(
        [sys.executable, "-m", MODULE],
        input=text,
        env={
            **os.environ,
            "CM_REPOS": str(kit.home.root),
            "MLC_REPOS": str(kit.root / "mlc"),
            "ASSAY_DIALECT": dialect,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture
def home(kit: Kit) -> Kit:
    kit.recipe("leaf", env={"CM_L": "1"}, new_env_keys=["CM_L"])
    kit.context().index.artifacts("script")
    return kit


def test_a_recipe_is_run_and_its_values_come_back(home: Kit) -> None:
    answer = asked(home, {"action": "run", "automation": "script", "tags": "leaf", "user_python": True})
    assert (answer["return"], answer["new_env"]) == (0, {"CM_L": "1"})


def test_what_is_found_is_told_by_path_and_description(home: Kit) -> None:
    answer = asked(home, {"action": "find", "automation": "script", "tags": "leaf"})
    (found,) = answer["list"]
    assert Path(found["path"]) == home.repository / "script/leaf" and found["meta"]["alias"] == "leaf"


def test_a_failure_is_an_answer_too_and_nothing_else_is_printed(home: Kit) -> None:
    answer = asked(home, {"action": "run", "automation": "script", "tags": "absent"})
    assert answer["return"] in (1, 16) and "absent" in answer["error"]


def test_the_home_is_that_of_the_dialect_that_runs(home: Kit) -> None:
    answer = asked(home, {"action": "find", "automation": "script", "tags": "leaf"}, "mlc")
    assert answer["list"] == []
