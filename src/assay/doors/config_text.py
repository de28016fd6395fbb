"""A config as the texts that `config_options` reads, for records, commands and CM's door."""

from __future__ import annotations

import dataclasses
from enum import Enum
from typing import Any

from assay import suts
from assay.config import BenchmarkConfig
from assay.doors import config_options
from assay.mlperf.sut.option import text_of


def command(config: BenchmarkConfig) -> list[str]:
    """The `assay bench` command line that asks for exactly this config, defaults of the workload left out, and a batch
    that its SUT has not, which that door refuses."""
    words, texts = ["assay", "bench", config.workload], asked(config)
    if not config_options.has_batch(config):
        texts.pop("limits.batch", None)
    for field in config_options.fields(suts.of(config)):
        if field.name in texts and field.name != "paths.out":
            words += field.words(texts[field.name])
    return words


def asked(config: BenchmarkConfig) -> dict[str, str]:
    """{dotted field: text} of every field that is not as the workload has it; `config_options.build` reads it back.

    The round is named in any case: the newest one is another in a later Assay.
    """
    kind = suts.of(config)
    standard = dataclasses.replace(config_options.build(config.workload, {}, {}), sut_options=kind.defaults())
    values = {field.name: _value(config, field.name) for field in config_options.fields(kind)}
    kept = {"round": config.round or standard.round}
    changed = {name: value for name, value in values.items() if value != _value(standard, name)}
    return {name: _text(value) for name, value in {**changed, **kept}.items()}


def value_text(config: BenchmarkConfig, name: str) -> str | None:
    """One field as its flag would be given; None for what nobody set."""
    value = _value(config, name)
    return None if value is None and name != "limits.target_qps" else _text(value)


def _value(config: BenchmarkConfig, name: str) -> Any:
    group, _, leaf = name.rpartition(".")
    if group == "sut_options":
        return config.sut_options.get(leaf)
    value = getattr(getattr(config, group) if group else config, leaf)
    return getattr(config.paths, f"{leaf}_source", None) if group == "paths" and value is None else value


def _text(value: Any) -> str:
    if isinstance(value, tuple) and value and isinstance(value[0], Enum):
        return ",".join(_text(part) for part in value)
    if isinstance(value, Enum):
        return str(value.value).lower()
    return "auto" if value is None else text_of(value)
