from __future__ import annotations

import os

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


def test_a_cluster_of_our_own_has_a_token_that_nobody_else_knows() -> None:
    ray_environment.set_for(is_own_cluster=True)
    first = os.environ["RAY_AUTH_TOKEN"]
    ray_environment.set_for(is_own_cluster=True)
    assert len(first) == 64 and os.environ["RAY_AUTH_TOKEN"] != first
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"


def test_a_cluster_that_runs_is_joined_as_ray_does_it() -> None:
    ray_environment.set_for(is_own_cluster=False)
    assert [name for name in NAMES if name in os.environ] == ["RAY_USAGE_STATS_ENABLED"]
