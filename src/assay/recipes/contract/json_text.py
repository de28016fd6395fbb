"""Any values as JSON in the form of both tools: indented by two spaces, keys sorted."""

from __future__ import annotations

import json
from typing import Any


def json_text(value: Any) -> str:
    """The JSON text. Values that JSON cannot represent become texts. So do keys that cannot be sorted."""
    try:
        return json.dumps(value, indent=2, sort_keys=True, default=str)
    except TypeError:
        return json.dumps(_with_names(value), indent=2, sort_keys=True, default=str)


def _with_names(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _with_names(item) for key, item in value.items()}
    return [_with_names(item) for item in value] if isinstance(value, list) else value
