"""Settings of a server that stand in a YAML file which its command line names, as options of that command line.

Source: TensorRT-LLM, trtllm-serve --help: what the file of --extra_llm_api_options (or --config) says counts above the
other options; its keys are those of LlmArgs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from assay.ground.errors import ConfigError
from assay.ground.parsed import yaml_value

NAMED_BY = {"trtllm": ("--extra_llm_api_options", "--extra-llm-api-options", "--config")}
"""Kind of server -> the options that name such a file."""
MOST_BYTES = 1_000_000
"""Of such a file; a larger one is none of settings."""


def expanded(dialect: str, words: Sequence[str]) -> list[str]:
    """The command line with what its files say after it. Raises: ConfigError for a file that cannot be read."""
    made = list(words)
    for name, value in _files(words, NAMED_BY.get(dialect, ())):
        made += options(_read(name, Path(value)))
    return made


def options(settings: Mapping[str, object], before: str = "--") -> Iterator[str]:
    """`{"kv_cache_config": {"dtype": "fp8"}}` -> `--kv-cache-config={…}` and `--kv-cache-config.dtype=fp8`. Pure."""
    for key, value in settings.items():
        name = f"{before}{str(key).replace('_', '-')}"
        if value is None:
            continue
        if isinstance(value, Mapping):
            yield f"{name}={json.dumps(value, default=str)}"
            yield from options(value, f"{name}.")
        else:
            yield f"{name}={value}"


def _files(words: Sequence[str], names: Sequence[str]) -> Iterator[tuple[str, str]]:
    for place, word in enumerate(words):
        name, has_value, value = word.partition("=")
        if name in names and (has_value or place + 1 < len(words)):
            yield name, value if has_value else words[place + 1]


def _read(name: str, path: Path) -> Mapping[str, object]:
    try:
        with path.open("rb") as file:
            found = yaml_value(file.read(MOST_BYTES).decode())
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{name} {path} cannot be read: {error}", "a YAML file of the server's settings"
        ) from None
    if found is not None and not isinstance(found, dict):
        raise ConfigError(f"{name} {path} holds no settings", "a YAML file with `name: value`")
    return found or {}
