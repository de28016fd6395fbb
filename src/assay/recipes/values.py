"""Values of recipes, hooks and command lines, by name: anything that YAML, JSON and Python can hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Values = dict[str, Any]
Given = Mapping[str, Any]
"""Values that are only read."""
