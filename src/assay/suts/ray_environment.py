"""What Ray is told by variables of the SUT process. Set before Ray is imported; what Ray starts inherits them."""

from __future__ import annotations

import os
import secrets

TOKEN = secrets.token_hex(32)
"""Of all clusters of this process: Ray reads it once."""
START_S = "180"
"""Longest wait for Ray's own processes. Its 30 s and 60 s are too short on a busy machine."""


def set_for(is_own_cluster: bool) -> None:
    """Nothing is reported to Ray's makers. A cluster of our own stays on the loopback address, and only this process
    knows its token; for one that runs already Ray looks for both as it always does."""
    told = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
    if is_own_cluster:
        told |= {
            "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
            "RAY_raylet_start_wait_time_s": START_S,
            "RAY_worker_register_timeout_seconds": START_S,
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": TOKEN,
        }
    os.environ.update(told)
