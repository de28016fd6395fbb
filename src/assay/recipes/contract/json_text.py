"""Values of any form as the JSON that both tools write: two spaces, names sorted."""

from __future__ import annotations

import json
from typing import Any


def json_text(value: Any) -> str:
    """What JSON has no form for becomes text, names that are none and cannot be sorted among others too."""
    try:
        return json.dumps(value, indent=2, sort_keys=True, default=str)
    except TypeError:
        return json.dumps(_with_names(value), indent=2, sort_keys=True, default=str)


def _with_names(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _with_names(item) for key, item in value.items()}
    return [_with_names(item) for item in value] if isinstance(value, list) else value
