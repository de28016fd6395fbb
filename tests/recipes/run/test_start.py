"""The runner of one command: what it may do, and the environment that recipes see."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from assay.recipes.run.session import Policy
from assay.recipes.run.start import make_runner
from tests.recipes.conftest import Kit


def runner_of(kit: Kit, *, strict: bool = False, access: Any = None, **inputs: Any) -> Any:
    return make_runner(kit.context(), {"user_python": True, **inputs}, access, strict=strict)


@pytest.mark.parametrize(
    ("inputs", "strict", "policy"),
    [
        ({}, False, Policy()),
        ({"cache": "exact"}, False, Policy(exact_cache=True)),
        ({"cache": "cm"}, False, Policy()),
        ({"cache": ""}, True, Policy(strict=True)),
    ],
)
def test_the_policy_is_as_asked(inputs: Any, strict: bool, policy: Policy, kit: Kit) -> None:
    assert runner_of(kit, strict=strict, **inputs).policy == policy


@pytest.mark.parametrize(
    ("inputs", "strict", "is_guarded"),
    [
        ({}, False, True),
        ({"allow_sudo": True}, False, False),
        ({"allow_sudo": "no"}, False, True),
        ({}, True, False),
    ],
)
def test_sudo_is_guarded_unless_it_is_allowed_or_all_is_as_in_cm(
    inputs: Any, strict: bool, is_guarded: bool, kit: Kit
) -> None:
    first = Path(runner_of(kit, strict=strict, **inputs).host_env["PATH"].split(os.pathsep)[0])
    assert (first / "sudo").exists() is is_guarded


@pytest.mark.parametrize(
    ("inputs", "strict", "is_ours"),
    [
        ({"user_python": False}, False, True),
        ({"user_python": True}, False, False),
        ({"user_python": False}, True, False),
    ],
)
def test_a_python_of_the_home_is_first_unless_the_users_is_wanted(
    inputs: Any, strict: bool, is_ours: bool, kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    from assay.recipes.run import host_environment

    monkeypatch.setattr(host_environment, "_python", lambda home, env: Path("/python of the home"))
    path = runner_of(kit, strict=strict, **inputs).host_env["PATH"].split(os.pathsep)
    assert ("/python of the home/bin" in path) is is_ours


def test_the_context_knows_the_runner_and_its_hooks_reach_the_home(kit: Kit) -> None:
    context = kit.context()
    runner = make_runner(context, {"user_python": True}, None, strict=False)
    assert context.runner is runner and runner.index is context.index
    assert runner.host_env["CM_REPOS"] == str(kit.home.root) and runner.host_env["ASSAY_DIALECT"] == "cm"
    assert runner.host_env["HOME"] == context.host_env["HOME"]
    assert runner.access("x")["return"] == 1  # made without
    assert runner_of(kit, access=lambda asked: {"got": asked}).access("x") == {"got": "x"}
