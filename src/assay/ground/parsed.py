"""Foreign JSON and YAML as plain values. Whatever is wrong with a text ends in one ValueError that says what.

The parsers themselves raise RecursionError for depth, and PyYAML raises what its constructors happen to meet.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing itself is too slow for the recipes' commands
    from typing import Any

MERGED_MAX = 100_000
"""Pairs that YAML's merge key `<<` may copy. An older PyYAML copies each anew: twice at thirty levels is a billion."""


def json_value(content: str | bytes) -> Any:
    """Raises: ValueError."""
    import json

    try:
        return json.loads(content)
    except RecursionError:
        raise ValueError("nested too deep") from None


def yaml_value(text: str, base: Any = None, *, weighed: bool = True) -> Any:
    """YAML 1.1 as PyYAML's `base` reads it (default: libyaml's safe loader where there is one).

    Raises: ValueError, and where the caller does not weigh it also for a value that unfolds to more than its text may
    (`ground.budget`).
    """
    import yaml

    from assay.ground.budget import Budget
    from assay.ground.errors import ArtifactError

    class Loader(base or getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        merged = 0

        def flatten_mapping(self, node: Any) -> None:
            super().flatten_mapping(node)
            self.merged += len(node.value)
            if self.merged > MERGED_MAX:
                raise yaml.YAMLError("its merge keys copy without end")

    try:
        value = yaml.load(text, Loader)
        if weighed:
            Budget.of("it", len(text)).weigh(value)
    except RecursionError:
        raise ValueError("nested too deep") from None
    except ArtifactError as error:
        raise ValueError(error.message.removeprefix("it: ")) from None
    except (yaml.YAMLError, AttributeError, LookupError, TypeError, OverflowError) as error:
        raise ValueError(str(error)) from error
    return value
