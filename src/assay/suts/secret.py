"""Secrets of a SUT: an option names the environment variable, and the value is read here, where it is used.

The value is in no config, record, command line or message.
"""

from __future__ import annotations

import os

from assay.ground.errors import ConfigError


def value(variable: str) -> str:
    """Raises: ConfigError when the variable is not set, or is empty."""
    found = os.environ.get(variable, "").strip()
    if not found:
        raise ConfigError(f"the environment variable {variable} is not set", f"export {variable}=…")
    return found
