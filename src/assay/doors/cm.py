"""The CM door: what was asked for in tags and variables becomes one BenchmarkConfig, and back.

`from_cm(*to_cm(config)) == config`. The table is in `cm_settings`, what is asked for is read by `cm_reading`, words
that are refused are in `cm_refused`; a text is read by `config_options`, so that both doors give the same value for the
same benchmark.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assay import suts
from assay.config import BenchmarkConfig
from assay.doors import config_options, config_text
from assay.doors.cm_reading import Env, Reading
from assay.doors.cm_refused import ELSEWHERE, REFUSED_KEYS, NotOffered, refuse
from assay.doors.cm_settings import BATCH, FOLDER_KEY, RATE_OF, WORKLOAD, is_on, option_setting, settings
from assay.ground.errors import ConfigError
from assay.mlperf import workloads
from assay.mlperf.run import job as jobs
from assay.recipes.model.selection import Selection

TAGS = ("app", "mlperf", "inference", "generic")
BACKEND_KEY, BACKEND = "CM_MLPERF_BACKEND", "pytorch"
SUITE_KEY = "CM_MLPERF_SUBMISSION_SYSTEM_TYPE"


def from_cm(selection: Selection, env: Env, defaults: Env | None = None) -> BenchmarkConfig:
    """The benchmark that these tags and variables ask for.

    `env` is what the caller gave, `defaults` what the recipe gives where the caller was silent; CM_ and MLC_
    names are the same names. Raises: ConfigError for what Assay does not do, for words it does not know, and
    for a variation against another explicit value of the same field, naming both.
    """
    given = canonical(env)
    _refuse_words(selection, given)
    asked = Reading(selection, given, canonical(defaults or {}))
    _refuse_two_rates(asked.texts.get("scenarios", "offline"), given)
    texts = dict(asked.texts)
    config = config_options.build(texts.pop("workload", WORKLOAD), texts, {})
    _refuse_scenarios(config, asked.origin.get("scenarios", "scenario"))
    _refuse_suite(config, given)
    return dataclasses.replace(config, origin={**config.origin, **asked.origin})


def to_cm(config: BenchmarkConfig) -> tuple[Selection, dict[str, Any]]:
    """Tags and variables that ask for exactly `config`."""
    texts = {"workload": config.workload, **config_text.asked(config)}
    variations: list[str] = []
    env: dict[str, Any] = {}
    options = [option_setting(option.name) for option in suts.of(config).options]
    for setting in (*settings(), *options):
        text = texts.get(setting.field)
        if text is None:
            continue
        if (variation := setting.variation_for(text)) is not None:
            variations.append(variation)
        elif setting.field == "paths.out":
            out = Path(text)
            env |= {setting.keys[0]: str(out.parent), FOLDER_KEY: out.name}
        else:
            key = next(key for key in setting.keys_beside(texts) if key in setting.keys)
            env[key] = setting.in_variable(text)
    return Selection(TAGS, tuple(variations)), env


def command(config: BenchmarkConfig) -> list[str]:
    """The `assay run script` line for exactly `config`: no repeated and no dead options."""
    selection, env = to_cm(config)
    words = ["assay", "run", "script", "--tags=" + ",".join(selection.asked_tags)]
    return words + [f"--env.{key}={value}" for key, value in env.items()]


def canonical_mapping(mapping: Mapping[str, str]) -> dict[str, str]:
    """A recipe's `input_mapping` with CM's prefix: it comes in the dialect that it is asked through."""
    return {flag: _canonical_key(key) for flag, key in mapping.items()}


def canonical(env: Env) -> dict[str, Any]:
    """The same variables with CM's prefix: MLC_HW_NAME is CM_HW_NAME."""
    return {_canonical_key(key): value for key, value in env.items()}


def _canonical_key(key: str) -> str:
    return f"CM_{key[4:]}" if key.startswith("MLC_") else key


def asked_by(inputs: Mapping[str, Any], mapping: Mapping[str, str]) -> tuple[Selection, dict[str, Any]]:
    """Selection and variables of a `run script` input: a mapped flag wins over its variable, and a constant over both,
    as in CM.

    A batch size that is sent to the implementation below (`--adr.mlperf-inference-implementation.tags=
    _batch_size.8`) is asked of the benchmark itself: there is nothing below.
    """
    selection = Selection.parse(inputs.get("tags"))
    env = dict(inputs.get("env") or {})
    env.update({key: inputs[flag] for flag, key in mapping.items() if flag in inputs})
    env.update(inputs.get("const") or {})
    variations = list(selection.variations)
    for flag in ("add_deps_recursive", "adr", "add_deps", "ad"):
        named = inputs.get(flag)
        below = named.get("mlperf-inference-implementation") if isinstance(named, Mapping) else None
        if isinstance(below, Mapping):
            sent = Selection.parse(below.get("tags")).variations
            variations += [name for name in sent if name.startswith(BATCH) and name not in variations]
    return Selection(selection.tags, tuple(variations)), env


def _refuse_words(selection: Selection, env: Env) -> None:
    for name in selection.variations:
        refuse(name, f"variation _{name}")
    for key, name in REFUSED_KEYS.items():
        if is_on(env.get(key, "")):
            refuse(name, f"{key}={env[key]}")
    if extra := str(env.get("CM_MLPERF_LOADGEN_EXTRA_OPTIONS", "")).strip():
        raise ConfigError(
            f"CM_MLPERF_LOADGEN_EXTRA_OPTIONS={extra}: these are options of another harness", "leave it out"
        )
    if word := str(env.get(BACKEND_KEY, "")).strip():
        refuse(word, f"{BACKEND_KEY}={word}")
        if word.lower() != BACKEND:
            raise NotOffered(f"{BACKEND_KEY}={word}: not known", f"{BACKEND_KEY}={BACKEND}, or leave it out")
    if (beams := str(env.get("GPTJ_BEAM_SIZE", "")).strip()) not in ("", "4"):
        raise NotOffered(f"GPTJ_BEAM_SIZE={beams}: the closed division takes 4 beams alone", "leave it out")


def _refuse_two_rates(scenarios: str, env: Env) -> None:
    rates = {str(env[key]) for key in RATE_OF.values() if env.get(key)}
    if "," in scenarios and len(rates) > 1:
        raise ConfigError(
            f"one job has one rate, and {' and '.join(RATE_OF.values())} differ",
            "run the scenarios one by one",
        )


def _refuse_scenarios(config: BenchmarkConfig, where: str) -> None:
    """Raises: NotOffered for a scenario that the workload is not measured in: a pulled repository's recipe may."""
    for scenario in config.scenarios:
        try:
            jobs.refuse_scenario(workloads.get(config.workload), scenario)
        except ConfigError as error:
            raise NotOffered(f"{where}: {error.message}", ELSEWHERE) from error


def _refuse_suite(config: BenchmarkConfig, env: Env) -> None:
    """Raises: NotOffered for another suite than the one that a submission of this workload is written for."""
    if not (word := str(env.get(SUITE_KEY, "")).strip()):
        return
    name = workloads.get(config.workload).official_name
    suite = workloads.round_of(config.round, config.workload).workload(name).suites[0]
    if word.lower() != suite:
        raise NotOffered(
            f"{SUITE_KEY}={word}: Assay submits {config.workload} as {suite}",
            "leave it out; `assay submit --system-file` says another system_type",
        )
