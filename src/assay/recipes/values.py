"""Values as recipes, hooks and command lines give them, by name: whatever YAML, JSON and Python can hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Values = dict[str, Any]
Given = Mapping[str, Any]
"""Such values that are only read."""
