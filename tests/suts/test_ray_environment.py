from __future__ import annotations

import os
import subprocess
import sys

import pytest

from assay.suts import ray_environment

NAMES = (
    "RAY_USAGE_STATS_ENABLED",
    "RAY_AUTH_TOKEN",
    "RAY_AUTH_MODE",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER",
    "RAY_raylet_start_wait_time_s",
    "RAY_worker_register_timeout_seconds",
)


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*NAMES, "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


def test_a_cluster_of_our_own_has_the_token_of_this_process() -> None:
    ray_environment.set_for(is_own_cluster=True)
    assert len(os.environ["RAY_AUTH_TOKEN"]) == 64 and os.environ["RAY_AUTH_MODE"] == "token"
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"


def test_another_process_has_another_token() -> None:
    code = "from assay.suts.ray_environment import TOKEN; print(TOKEN)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert len(done.stdout.strip()) == 64 and done.stdout.strip() != ray_environment.TOKEN


def test_a_cluster_that_runs_is_joined_as_ray_does_it() -> None:
    ray_environment.set_for(is_own_cluster=False)
    assert [name for name in NAMES if name in os.environ] == ["RAY_USAGE_STATS_ENABLED"]
