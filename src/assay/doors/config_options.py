"""The options of a benchmark: flags and run.yaml become one BenchmarkConfig.

FIELDS is the one table: a dotted config field, its flag, and how its text is read (`readers.py`); the options of the
SUT that is asked for are added to it (`fields`). A value comes from the first of: flag, run.yaml, the workload's own
default, the default in `config.py`; `origin` says which.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from assay import suts
from assay.config import (
    BenchmarkConfig,
    Device,
    Division,
    Mode,
    Scenario,
    Style,
)
from assay.doors import readers, run_file, sut_options
from assay.doors.field import Field, is_default, of_layer
from assay.doors.run_file import RunFile
from assay.ground import paths
from assay.ground.errors import ConfigError, did_you_mean
from assay.mlperf import workloads
from assay.mlperf.sut.kind import SutKind

Layer = tuple[str, Mapping[str, str]]
"""Where values come from, in words, and {dotted field: text}."""
FLAG = "flag {flag}"
MODEL = f"{sut_options.GROUP}.model"

FIELDS: tuple[Field, ...] = (
    Field("scenarios", "--scenario", readers.choices(Scenario), "offline, server, or both with a comma"),
    Field("modes", "--mode", readers.choices(Mode), "performance, accuracy, or both with a comma"),
    Field(
        "style",
        "--style",
        readers.choice(Style),
        "test (few samples), fast (whole set), valid (the round's rules)",
    ),
    Field(
        "round",
        "--round",
        readers.word,
        "rules to hold the run against, as v5.1 (default: the newest that has the workload)",
    ),
    Field("sut", "--sut", readers.sut, f"who answers: {', '.join(suts.TABLE)}, or one of another package"),
    Field("device", "--device", readers.choice(Device), "cpu or cuda"),
    Field(
        "precision",
        "--precision",
        readers.precision,
        "type of the weights, as bfloat16; `assay list` names them",
        "TYPE",
    ),
    Field(
        "paths.checkpoint",
        "--checkpoint",
        readers.place,
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
        readers.dataset_place,
        "dataset in the official schema: .pkl .parquet .jsonl .json, or a folder that holds one",
        "FILE",
    ),
    Field(
        "paths.accuracy_dataset",
        "--accuracy-dataset",
        readers.dataset_path,
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
        readers.count,
        "use N samples: in test style spread over the subsets, else the first of the dataset",
        "N",
    ),
    Field("limits.batch", "--batch", readers.count, "most sequences at once", "N"),
    Field("limits.target_qps", "--target-qps", readers.rate, "samples/s asked of LoadGen, or auto", "X"),
    Field(
        "limits.min_duration_s", "--min-duration", readers.seconds, "shortest performance run, as 600s", "T"
    ),
    Field("submission.submitter", "--submitter", readers.word, "name of the submitting organisation"),
    Field("submission.division", "--division", readers.choice(Division), "closed, open or network"),
    Field("submission.system_name", "--system-name", readers.word, "name of the system under test"),
    Field("submission.out", "--submission-out", paths.given, "folder of the submission tree", "DIR"),
)
_BY_NAME = {field.name: field for field in FIELDS}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options shared by `bench` and `plan`, but for those of the SUTs: `sut_options` adds these last."""
    parser.add_argument(
        "workload",
        nargs="?",
        metavar="WORKLOAD",
        help=f"what is measured (default: {BenchmarkConfig.workload}); `assay list` has all of them",
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
    return over_file(args, read_file(args.config))


def read_file(path: Path | None) -> RunFile:
    """A run.yaml or config.json; without a path, one that asks for nothing. Raises: ConfigError."""
    return run_file.read(path, _BY_NAME) if path else RunFile()


def over_file(args: argparse.Namespace, file: RunFile) -> BenchmarkConfig:
    """As `from_args`, of a run.yaml that was read. Raises: ConfigError.

    `--model` is what other tools call the workload or its checkpoint: that is what it means where the SUT has no such
    option.
    """
    flags = {field.name: text for field in FIELDS if (text := getattr(args, field.name, None)) is not None}
    flags |= sut_options.asked(args)
    workload, model = args.workload, flags.get(MODEL)
    kind = _kind(_asked_layers((FLAG, flags), (file.name, file.settings)))
    if model is not None and MODEL not in map(sut_options.name_of, kind.options):
        if workload is None and model in workloads.names():
            workload = flags.pop(MODEL)
        elif "paths.checkpoint" not in flags:
            flags["paths.checkpoint"] = flags.pop(MODEL)
    config = build(workload, flags, file.settings, file=file.name)
    refuse_idle(config, flags)
    return config


def has_batch(config: BenchmarkConfig) -> bool:
    return suts.of(config).default_batch(workloads.get(config.workload), config.scenarios) is not None


def idle(config: BenchmarkConfig) -> dict[str, str]:
    """Field -> why it has no effect, of those that were asked for."""
    why = dict.fromkeys(suts.of(config).ignores, f"the {config.sut} SUT has its own")
    if not has_batch(config):
        why["limits.batch"] = f"the {config.sut} SUT has no batch"
    return {name: words for name, words in why.items() if not is_default(config.origin.get(name, "default"))}


def refuse_idle(config: BenchmarkConfig, asked: Collection[str]) -> None:
    """Raises: ConfigError for a batch among the `asked` fields where a server decides how much it batches: the figures
    would pass for those of that batch. Other SUTs without one, and files, which may serve several SUTs, are told that
    it is ignored."""
    instead = next((o for o in suts.of(config).options if o.name == "max_in_flight"), None)
    if "limits.batch" in asked and instead is not None and not has_batch(config):
        raise ConfigError(
            f"the {config.sut} SUT has no batch (from {config.origin['limits.batch']})",
            f"{instead.flag} N: {instead.help}",
        )


def build(
    workload: str | None,
    flags: Mapping[str, str],
    settings: Mapping[str, str],
    first: str = FLAG,
    named_by: str = "command line",
    file: str = run_file.RUN_YAML,
) -> BenchmarkConfig:
    """One config out of {dotted field: text} layers.

    Raises: ConfigError naming the layer of a bad value, and a field that there is not.

    first: what the record calls the first layer; named_by: where `workload` came from; file: what `settings` are of.
    """
    if workload is not None:
        name, name_from = workload, named_by
    elif "workload" in settings:
        name, name_from = settings["workload"], file
    else:
        name, name_from = BenchmarkConfig.workload, "default"
    defaults = {**workloads.get(name).defaults, "round": workloads.round_of(None, name).name}
    values: dict[str, Any] = {}
    origin = {"workload": name_from}
    layers = (*_asked_layers((first, flags), (file, settings)), (f"default of {name}", defaults))
    kind = _kind(layers)
    values |= {f"{sut_options.GROUP}.{option}": value for option, value in kind.defaults().items()}
    for label, layer in layers:
        sut_options.refuse_foreign(kind, layer, label)
    known = fields(kind)
    _refuse_unknown(known, layers)
    for field in known:
        for label, layer in layers:
            if field.name in layer:
                label = of_layer(label, field.flag)
                values[field.name] = _read(field, layer[field.name], label)
                origin[field.name] = label
                break
        else:
            origin[field.name] = "default"
    return _assemble(name, values, origin)


def _refuse_unknown(known: Sequence[Field], layers: Sequence[Layer]) -> None:
    names = {field.name for field in known} | {"workload"}
    for label, layer in layers:
        for name in layer:
            if name not in names:
                raise ConfigError(f"{of_layer(label, name)}: no setting {name!r}", did_you_mean(name, names))


def _asked_layers(first: Layer, file: Layer) -> tuple[Layer, ...]:
    """What was asked for, and the SUT that its options are of where none is named: `--url` asks for the endpoint."""
    layers: tuple[Layer, ...] = (first, file)
    if not any("sut" in layer for _, layer in layers) and (
        meant := sut_options.sut_of({**file[1], **first[1]})
    ):
        layers += (("the options given", {"sut": meant}),)
    return layers


def _kind(layers: Sequence[Layer]) -> SutKind:
    """The SUT that is asked for; one that hosts another has that one's facts and options."""
    name = BenchmarkConfig.sut
    for label, layer in layers:
        if "sut" in layer:
            name = read("sut", layer["sut"], of_layer(label, "--sut"))
            break
    hosted = f"{sut_options.GROUP}.{suts.kind(name).hosts}"
    for label, layer in layers:
        if hosted in layer:
            flag = sut_options.flag(hosted)
            inner = _read(_BY_NAME["sut"], layer[hosted], of_layer(label, flag))
            return suts.asked(name, {suts.kind(name).hosts: inner})
    return suts.asked(name, {})


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
