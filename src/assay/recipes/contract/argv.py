"""CM's command line as plain data: `run script --env.A=1 --tags=a,b @more.yaml -- rest` -> one dictionary.

Every value is a text, True, False or a list of texts; nothing is converted here. It is compared with the real
parser: docs/cm-contract.md, section "Command line".
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from assay.recipes.errors import GENERAL, NOT_FOUND, RecipeFault
from assay.recipes.values import Values

Inputs = Values
TEXTS_OR_LISTS = frozenset({"tags", "new_tags"})
LISTS = frozenset({"artifacts", "cmd", "unparsed_cmd"})
DICTIONARIES = frozenset({"meta"})


def parse(argv: list[str]) -> Inputs:
    """The inputs of an action. Only the first two words can be `action` and `automation`.

    Raises: RecipeFault for an `@file` that is missing or not JSON or YAML, and for a dotted key below a plain value.
    """
    inputs: Inputs = {}
    words = list(argv)
    for name in ("action", "automation"):
        if words and words[0][:1] not in ("-", "@", ""):
            inputs[name] = words.pop(0)
        elif name == "action":
            break
    inputs["cmd"] = list(words)
    for position, word in enumerate(words):
        if word == "--":
            inputs["unparsed_cmd"] = words[position + 1 :]
            break
        if word.startswith("@"):
            inputs.update(read_input_file(Path(word[1:])))
        elif word.startswith("-"):
            _set_flag(inputs, word)
        elif "artifact" in inputs:
            inputs.setdefault("artifacts", []).append(word)
        else:
            inputs["artifact"] = word
    return inputs


def read_input_file(path: Path) -> Inputs:
    """The dictionary in a .json or .yaml file given as `@file`.

    Raises: RecipeFault (16) when the file is missing or of another kind, (4) when it does not parse.
    """
    if path.suffix not in (".json", ".yaml"):
        raise RecipeFault(f"@{path} is neither .json nor .yaml", NOT_FOUND, "rename it, or give flags")
    from assay.ground.paths import source

    try:
        text = source(path).read_text(encoding="utf-8")
    except OSError as error:
        raise RecipeFault(f"cannot read @{path}: {error.strerror}", NOT_FOUND) from error
    except UnicodeDecodeError as error:
        raise RecipeFault(f"@{path} is no text in UTF-8 (byte {error.start})", 4) from error
    value = _parse_text(path, text)
    if not isinstance(value, dict):
        raise RecipeFault(f"@{path} holds {type(value).__name__}, not a dictionary", 4)
    if problem := next(_misshapen(value), ""):
        raise RecipeFault(f"@{path}: {problem}", 4)
    return {str(key): item for key, item in value.items()}


def _misshapen(inputs: dict[Any, Any]) -> Iterator[str]:
    """A sentence for each input that has a type which no command line could produce."""
    for key, value in inputs.items():
        if key in TEXTS_OR_LISTS:
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, (dict, list, set)):
                    yield f"{key} must be text or a list of texts, not {value!r:.60}"
        elif key in LISTS and value and not isinstance(value, list):
            yield f"{key} must be a list, not {value!r:.60}"
        elif key in DICTIONARIES and value and not isinstance(value, dict):
            yield f"{key} must be a dictionary, not {value!r:.60}"


def _parse_text(path: Path, text: str) -> Any:
    from assay.ground.parsed import json_value, yaml_value

    kind, parse = ("JSON", json_value) if path.suffix == ".json" else ("YAML", yaml_value)
    try:
        return parse(text)
    except ValueError as error:
        raise RecipeFault(f"@{path} is no {kind}: {error}", 4) from error


def _set_flag(inputs: Inputs, word: str) -> None:
    key, equals, text = word[2 if word.startswith("--") else 1 :].partition("=")
    value: str | bool | list[str]
    if equals:
        key, value = key.strip(), text.strip()
    elif word.endswith("-"):
        key, value = key[:-1], False
    else:
        value = True
    if key.endswith(","):
        key, value = key[:-1], value.split(",") if isinstance(value, str) and value else []
    set_nested(inputs, key, value)


def set_nested(inputs: Inputs, key: str, value: Any) -> None:
    """Sets `value` at a dotted key. Hyphens become underscores, but only in the first part. Raises: RecipeFault (1)
    when a part of the key already has a plain value."""
    first, *rest = key.split(".")
    parts = [first.replace("-", "_"), *rest]
    place = inputs
    for part in parts[:-1]:
        place = place.setdefault(part, {})
        if not isinstance(place, dict):
            raise RecipeFault(
                f"--{key} cannot be set: {part} is already {place!r}",
                GENERAL,
                f"give --{part}.… or --{part}=…, not both",
            )
    place[parts[-1]] = value
