"""The native door: flags and run.yaml become one BenchmarkConfig.

FIELDS is the one table: a dotted config field, its flag, and how its text is read; the options of the SUT that is
asked for come to it (`fields`). A value comes
from the first of: flag, run.yaml, the workload's own default, the default in `config.py`; `origin` says which.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from assay import suts
from assay.config import (
    BenchmarkConfig,
    Device,
    Division,
    Mode,
    Precision,
    Scenario,
    Style,
)
from assay.doors import sut_options
from assay.doors.field import Field
from assay.ground import parsed, paths
from assay.ground.errors import ConfigError, did_you_mean
from assay.ground.nearness import nearest
from assay.mlperf import workloads
from assay.mlperf.sut.kind import SutKind
from assay.mlperf.sut.option import BETWEEN, text_of

E = TypeVar("E", bound=Enum)

_SOURCE = re.compile(r"hf:[\w.-]+/[\w.-]+(@[\w./-]+)?|https?://[^\s/]+/\S+")
_COUNT = re.compile(r"\d{1,15}")
DURATION_MAX_S = 1e9
CONFIG_CHARS_MAX = 1 << 20
"""Of a run.yaml: a thousand times what all fields take."""
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|min|h)?")
SYNONYMS = {
    **dict.fromkeys(("fp16", "f16", "half"), "float16"),
    **dict.fromkeys(("fp32", "f32", "float", "single", "full"), "float32"),
    **dict.fromkeys(("bf16", "bfloat"), "bfloat16"),
    **dict.fromkeys(("i8", "w8a8", "w8a16"), "int8"),
    **dict.fromkeys(("gpu", "nvidia"), "cuda"),
    **dict.fromkeys(("perf", "speed"), "performance"),
    "acc": "accuracy",
}
"""What others call a choice of ours; named in a hint, as a name that is taken for another may be another thing."""
_SECONDS = {"ms": 0.001, "s": 1.0, None: 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def _choice(kind: type[E]) -> Callable[[str], E]:
    def read(text: str) -> E:
        for member in kind:
            if text.strip().lower() == str(member.value).lower():
                return member
        values = [str(member.value).lower() for member in kind]
        word = SYNONYMS.get(text.strip().lower(), text)
        hint = f"did you mean {word}?" if word in values else did_you_mean(word, values)
        raise ConfigError(f"{text!r} is not a {kind.__name__.lower()}", hint)

    return read


def _choices(kind: type[E]) -> Callable[[str], tuple[E, ...]]:
    one = _choice(kind)

    def read(text: str) -> tuple[E, ...]:
        asked = [one(part) for part in text.split(",") if part.strip()]
        if not asked:
            raise ConfigError(f"no {kind.__name__.lower()} in {text!r}", "name at least one")
        # In the order of the enum, each once: performance runs before accuracy, Offline before Server.
        return tuple(member for member in kind if member in asked)

    return read


def _count(text: str) -> int:
    if not _COUNT.fullmatch(text.strip()) or int(text) < 1:
        raise ConfigError(f"{text[:40]!r} is not a count", "a whole number from 1 on, of at most 15 digits")
    return int(text)


LEAST_QPS = 1e-6
"""One sample in eleven days. user.conf holds plain decimals: a rate far below this one would be 0 there."""


def _qps(text: str) -> float | None:
    if text.strip().lower() == "auto":
        return None
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not LEAST_QPS <= value < 1e9:
        raise ConfigError(
            f"{text!r} is not a rate in samples/s",
            f"a number from {LEAST_QPS:g}, or `auto` for a short probe",
        )
    return value


def _seconds(text: str) -> float:
    match = _DURATION.fullmatch(text.strip().lower())
    seconds = float(match[1]) * _SECONDS[match[2]] if match else math.inf
    if seconds > DURATION_MAX_S:
        raise ConfigError(f"{text[:40]!r} is not a duration", "for example 600s, 10m or 500ms; 1e9 s at most")
    return seconds


def _place(text: str) -> Path | str:
    """A path, or the address of what is to be fetched, as it stands: as a path it would lose a slash."""
    parts = urlsplit(text.strip())
    if parts.scheme == "file" and "://" in text:
        return paths.given(unquote(parts.path))
    if not text.strip().startswith(("hf:", "http:", "https:")) and "://" not in text:
        return paths.given(text)
    if not _SOURCE.fullmatch(text.strip()):
        raise ConfigError(
            f"{text!r} is no address that Assay fetches from",
            "a path, hf:OWNER/NAME, hf:OWNER/NAME@REVISION, https://… or file://…",
        )
    return text.strip()


def _file_place(text: str) -> Path | str:
    place = _place(text)
    if isinstance(place, str) and place.startswith("hf:"):
        raise ConfigError(f"{text!r} is a model, not a dataset", "a path or https://…")
    return place


def _word(text: str) -> str:
    if not text.strip():
        raise ConfigError("an empty value was given", "leave the option out, or name a value")
    return text.strip()


def _sut(text: str) -> str:
    return suts.kind(_word(text)).name


FIELDS: tuple[Field, ...] = (
    Field("scenarios", "--scenario", _choices(Scenario), "offline, server, or both with a comma"),
    Field("modes", "--mode", _choices(Mode), "performance, accuracy, or both with a comma"),
    Field(
        "style", "--style", _choice(Style), "test (few samples), fast (whole set), valid (the round's rules)"
    ),
    Field(
        "round",
        "--round",
        _word,
        "rules to hold the run against, as v5.1 (default: the newest that has the workload)",
    ),
    Field("sut", "--sut", _sut, f"who answers: {', '.join(suts.TABLE)}, or one of another package"),
    Field("device", "--device", _choice(Device), "cpu or cuda"),
    Field(
        "precision",
        "--precision",
        _choice(Precision),
        "type of the weights, as bfloat16; `assay list` names them",
        "TYPE",
    ),
    Field(
        "paths.checkpoint",
        "--checkpoint",
        _place,
        "folder of a Hugging Face checkpoint, or hf:OWNER/NAME[@REVISION] to fetch it from the hub",
        "DIR",
    ),
    Field(
        "paths.tokenizer",
        "--tokenizer",
        paths.given,
        "folder with the tokenizer, for a SUT that has no checkpoint (default: the checkpoint)",
        "DIR",
    ),
    Field(
        "paths.dataset",
        "--dataset",
        _file_place,
        "dataset in the official schema: .pkl .parquet .jsonl",
        "FILE",
    ),
    Field(
        "paths.accuracy_dataset",
        "--accuracy-dataset",
        paths.given,
        "dataset of the accuracy run, where the workload has another one for it (gpt-oss-120b)",
        "FILE",
    ),
    Field(
        "paths.compliance_dataset",
        "--compliance-dataset",
        paths.given,
        "dataset of the compliance test TEST07 (gpt-oss-120b: acc_eval_compliance_gpqa.parquet)",
        "FILE",
    ),
    Field(
        "paths.lcb_tests",
        "--lcb-tests",
        paths.given,
        "tests of LiveCodeBench: test.jsonl of code_generation_lite, or a folder with its test*.jsonl",
        "FILE",
    ),
    Field(
        "paths.out", "--out", paths.given, "run folder to create (default: a new one in ./assay-runs)", "DIR"
    ),
    Field(
        "limits.samples",
        "--samples",
        _count,
        "use N samples: in test style spread over the subsets, else the first of the dataset",
        "N",
    ),
    Field("limits.batch", "--batch", _count, "most sequences at once", "N"),
    Field("limits.target_qps", "--target-qps", _qps, "samples/s asked of LoadGen, or auto", "X"),
    Field("limits.min_duration_s", "--min-duration", _seconds, "shortest performance run, as 600s", "T"),
    Field("submission.submitter", "--submitter", _word, "name of the submitting organisation"),
    Field("submission.division", "--division", _choice(Division), "closed, open or network"),
    Field("submission.system_name", "--system-name", _word, "name of the system under test"),
    Field("submission.out", "--submission-out", paths.given, "folder of the submission tree", "DIR"),
)
_BY_NAME = {field.name: field for field in FIELDS}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options shared by `bench` and `plan`, but for those of the SUTs: `sut_options` adds these last."""
    parser.add_argument(
        "workload", nargs="?", metavar="WORKLOAD", help="mixtral-nano (default) or mixtral-8x7b"
    )
    for field in FIELDS:
        parser.add_argument(
            field.flag, dest=field.name, metavar=field.metavar or _metavar(field.name), help=field.help
        )
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="run.yaml, or the config.json of a run: the same job again",
    )


def _metavar(name: str) -> str:
    return name.rpartition(".")[2].removesuffix("s").upper()


def from_args(args: argparse.Namespace) -> BenchmarkConfig:
    """Flags over run.yaml over workload defaults. Raises: ConfigError."""
    flags = {field.name: text for field in FIELDS if (text := getattr(args, field.name, None)) is not None}
    flags |= sut_options.asked(args)
    return build(args.workload, flags, read_yaml(args.config) if args.config else {})


def from_command(words: Sequence[str]) -> BenchmarkConfig:
    """The config of a line that `command` wrote; options that are no part of the config are passed over."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    sut_options.add_arguments(parser)
    known, _ = parser.parse_known_args(list(words[2:]))
    return from_args(known)


def read_yaml(path: Path) -> dict[str, str]:
    """run.yaml as {dotted field: text}; `workload` is a field too. Raises: ConfigError."""
    import yaml

    class Loader(yaml.SafeLoader):
        """Refuses a key that stands twice: YAML forbids it, and PyYAML takes the last in silence."""

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            keys = Counter(
                key.value for key, _ in node.value if isinstance(key.value, str) and key.value != "<<"
            )
            if twice := sorted(key for key, count in keys.items() if count > 1):
                raise yaml.YAMLError(f"{', '.join(twice)} stands twice in it")
            return super().construct_mapping(node, deep)

    try:
        with paths.source(path).open(encoding="utf-8") as file:
            text = file.read(CONFIG_CHARS_MAX + 1)
        if len(text) > CONFIG_CHARS_MAX:
            raise ValueError(f"it is longer than {CONFIG_CHARS_MAX:,} characters")
        tree = parsed.yaml_value(text, Loader)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"cannot read {path}: {error}", "a YAML file with the keys of BenchmarkConfig"
        ) from error
    if not isinstance(tree, dict):
        raise ConfigError(f"{path} does not hold a mapping", "for example `workload: mixtral-nano`")
    settings: dict[str, str] = {}
    tree.pop("origin", None)  # a run's config.json says where its values came from
    _flatten(tree, "", settings, path)
    if settings.get("paths.out") == str(path.absolute().parent):
        del settings["paths.out"]  # the run that wrote it: a new run has a folder of its own
    return settings


def _flatten(tree: Mapping[Any, Any], prefix: str, into: dict[str, str], path: Path) -> None:
    known = [*_BY_NAME, "workload"]
    for key, value in tree.items():
        # `scenario` and `mode`, the flags' words, are accepted beside the field names.
        name = {"scenario": "scenarios", "mode": "modes"}.get(f"{prefix}{key}", f"{prefix}{key}")
        is_group = name == sut_options.GROUP or any(field.startswith(f"{name}.") for field in known)
        if prefix == f"{sut_options.GROUP}." and not isinstance(value, Mapping):
            known = [*known, name]  # whose options these may be is known when the SUT is
        if name not in known and not is_group:
            raise ConfigError(f"unknown key {name!r} in {path}", _nearest_key(name, known))
        if isinstance(value, Mapping) and is_group:
            _flatten(value, f"{name}.", into, path)
        elif value is not None:
            if is_group or isinstance(value, Mapping):
                kind = "a group of keys" if is_group else "a value of its own"
                raise ConfigError(
                    f"{name!r} in {path} is {kind}, not {value!r}", "see the keys in config.json"
                )
            between = BETWEEN if prefix == f"{sut_options.GROUP}." else ","
            into[name] = between.join(map(str, value)) if isinstance(value, list) else text_of(value)


def _nearest_key(name: str, known: list[str]) -> str:
    """A key is also known by its last part, as a flag is: `samples` for `limits.samples`."""
    by_word = {field.rpartition(".")[2]: field for field in known}
    near = nearest(name, [*known, *by_word])
    return f"did you mean {by_word.get(near[0], near[0])}?" if near else did_you_mean(name, known)


def build(
    workload: str | None,
    flags: Mapping[str, str],
    file: Mapping[str, str],
    first: str = "flag {flag}",
    named_by: str = "command line",
) -> BenchmarkConfig:
    """One config out of {dotted field: text} layers. Raises: ConfigError naming the layer of a bad value.

    first: what the record calls the first layer; named_by: where `workload` came from.
    """
    if workload is not None:
        name, name_from = workload, named_by
    elif "workload" in file:
        name, name_from = file["workload"], "run.yaml"
    else:
        name, name_from = BenchmarkConfig.workload, "default"
    defaults = {**workloads.get(name).defaults, "round": workloads.round_of(None, name).name}
    values: dict[str, Any] = {}
    origin = {"workload": name_from}
    layers = ((first, flags), ("run.yaml", file), (f"default of {name}", defaults))
    kind = _kind(layers)
    values |= {f"{sut_options.GROUP}.{option}": value for option, value in kind.defaults().items()}
    for label, layer in layers:
        sut_options.refuse_foreign(kind, layer, label)
    for field in fields(kind):
        for label, layer in layers:
            if field.name in layer:
                label = label.format(flag=field.flag)
                values[field.name] = _read(field, layer[field.name], label)
                origin[field.name] = label
                break
        else:
            origin[field.name] = "default"
    return _assemble(name, values, origin)


def _kind(layers: Sequence[tuple[str, Mapping[str, str]]]) -> SutKind:
    for label, layer in layers:
        if "sut" in layer:
            return suts.kind(read("sut", layer["sut"], label.format(flag="--sut")))
    return suts.kind(BenchmarkConfig.sut)


def fields(kind: SutKind) -> tuple[Field, ...]:
    """Every field of a config whose SUT is of this kind."""
    return (*FIELDS, *sut_options.fields(kind))


def read(name: str, text: str, label: str) -> Any:
    """The value of a dotted field of FIELDS. Raises: ConfigError that names `label`, where the text came from."""
    return _read(_BY_NAME[name], text, label)


def _read(field: Field, text: str, label: str) -> Any:
    try:
        return field.read(text)
    except ConfigError as error:
        raise ConfigError(f"{error.message} (from {label})", error.hint) from None


def _assemble(workload: str, values: Mapping[str, Any], origin: Mapping[str, str]) -> BenchmarkConfig:
    config = BenchmarkConfig(workload=workload, origin=origin)
    nested: dict[str, dict[str, Any]] = {}
    top: dict[str, Any] = {}
    for name, value in values.items():
        group, _, leaf = name.rpartition(".")
        (nested.setdefault(group, {}) if group else top)[leaf] = value
    options = nested.pop("sut_options", {})
    if "paths" in nested:
        nested["paths"] = {
            f"{leaf}_source" if isinstance(value, str) else leaf: value
            for leaf, value in nested["paths"].items()
        }
    groups = {
        group: dataclasses.replace(getattr(config, group), **leaves) for group, leaves in nested.items()
    }
    return dataclasses.replace(config, **top, **groups, sut_options=options)


def command(config: BenchmarkConfig) -> list[str]:
    """The `assay bench` command line that asks for exactly this config, defaults of the workload left out."""
    words, texts = ["assay", "bench", config.workload], asked(config)
    for field in fields(suts.kind(config.sut)):
        if field.name in texts and field.name != "paths.out":
            words += field.words(texts[field.name])
    return words


def asked(config: BenchmarkConfig) -> dict[str, str]:
    """{dotted field: text} of every field that is not as the workload has it; `build` reads it back.

    The round is named in any case: the newest one is another in a later Assay.
    """
    kind = suts.kind(config.sut)
    standard = dataclasses.replace(build(config.workload, {}, {}), sut_options=kind.defaults())
    values = {field.name: _value(config, field.name) for field in fields(kind)}
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
