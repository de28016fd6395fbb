"""The CM door: what was asked for in tags and variables becomes one BenchmarkConfig, and back.

`from_cm(*to_cm(config)) == config`. The table is in `cm_settings`, what is refused in `cm_refused`; a text
found there is read by `native`, so that both doors give the same value for the same benchmark.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from assay import suts
from assay.config import BenchmarkConfig, Scenario
from assay.doors import cm_artifacts, config_text, native, sut_options
from assay.doors.cm_refused import ELSEWHERE, REFUSED_KEYS, NotOffered, refuse
from assay.doors.cm_settings import ALL_SCENARIOS, BATCH, SETTINGS, WRAPPER_ONLY, Setting, is_on
from assay.ground.errors import ConfigError
from assay.mlperf import workloads
from assay.mlperf.run import job as jobs
from assay.mlperf.sut.option import BETWEEN
from assay.recipes.model.selection import Selection

TAGS = ("app", "mlperf", "inference", "generic")
WORKLOAD = workloads.USUAL.name
"""What these tags measure when no model is named."""
MOUNT = "/cm-mount"
"""CM's containers see the host folder /x as /cm-mount/x; on the host the prefix means nothing."""
FOLDER_KEY = "CM_OUTPUT_FOLDER_NAME"
RATE_OF = {
    scenario.value.lower(): f"CM_MLPERF_LOADGEN_{scenario.value.upper()}_TARGET_QPS"
    for scenario in Scenario
    if not scenario.is_one_by_one
}
"""Scenario -> the variable for the rate of that scenario alone."""

BACKEND_KEY, BACKEND = "CM_MLPERF_BACKEND", "pytorch"
SUITE_KEY = "CM_MLPERF_SUBMISSION_SYSTEM_TYPE"
OPTION_KEY = "CM_ASSAY_SUT_OPTIONS_"
"""Prefix of the variables for the options of the SUT alone."""

Env = Mapping[str, Any]


class Asked(NamedTuple):
    """One value asked for, as text, and by what."""

    text: str
    where: str


def from_cm(selection: Selection, env: Env, defaults: Env | None = None) -> BenchmarkConfig:
    """The benchmark that these tags and variables ask for.

    `env` is what the caller gave, `defaults` what the recipe gives where the caller was silent; CM_ and MLC_
    names are the same names. Raises: ConfigError for what Assay does not do, for words it does not know, and
    for a variation against another explicit value of the same field, naming both.
    """
    given, usual = canonical(env), canonical(defaults or {})
    _refuse(selection, given)
    found: dict[str, Asked] = {}
    for setting in _settings():
        _find(setting, selection, (given, usual), found)
    for name in (
        key.removeprefix(OPTION_KEY).lower() for key in {**usual, **given} if key.startswith(OPTION_KEY)
    ):
        _find(_option(name), selection, (given, usual), found)
    _refuse_two_rates(found, given)
    texts = {name: asked.text for name, asked in found.items()}
    config = native.build(texts.pop("workload", WORKLOAD), texts, {})
    _refuse_scenarios(config, found["scenarios"].where if "scenarios" in found else "scenario")
    _refuse_suite(config, given)
    origin = {**config.origin, **{name: asked.where for name, asked in found.items()}}
    return dataclasses.replace(config, origin=origin)


def to_cm(config: BenchmarkConfig) -> tuple[Selection, dict[str, Any]]:
    """Tags and variables that ask for exactly `config`."""
    texts = {"workload": config.workload, **config_text.asked(config)}
    variations: list[str] = []
    env: dict[str, Any] = {}
    options = [_option(option.name) for option in suts.of(config).options]
    for setting in (*_settings(), *options):
        text = texts.get(setting.field)
        if text is None:
            continue
        variation = _variation_for(setting, text)
        if variation is not None:
            variations.append(variation)
        elif setting.field == "paths.out":
            out = Path(text)
            env |= {setting.keys[0]: str(out.parent), FOLDER_KEY: out.name}
        else:
            key = next(key for key in _keys(setting, texts) if key in setting.keys)
            env[key] = _in_variable(setting, text)
    return Selection(TAGS, tuple(variations)), env


def command(config: BenchmarkConfig) -> list[str]:
    """The `assay run script` line for exactly `config`: no repeated and no dead options."""
    selection, env = to_cm(config)
    words = ["assay", "run", "script", "--tags=" + ",".join(selection.asked_tags)]
    return words + [f"--env.{key}={value}" for key, value in env.items()]


def canonical_mapping(mapping: Mapping[str, str]) -> dict[str, str]:
    """A recipe's `input_mapping` with CM's prefix: it comes in the dialect that it is asked through."""
    return {flag: f"CM_{key[4:]}" if key.startswith("MLC_") else key for flag, key in mapping.items()}


def canonical(env: Env) -> dict[str, Any]:
    """The same variables with CM's prefix: MLC_HW_NAME is CM_HW_NAME."""
    return {f"CM_{key[4:]}" if key.startswith("MLC_") else key: value for key, value in env.items()}


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


def _settings() -> Iterator[Setting]:
    """The table, and under a name of their own the fields that CM has no word for."""
    yield from SETTINGS
    known = {setting.field for setting in SETTINGS}
    for field in native.FIELDS:
        if field.name not in known:
            yield Setting(field.name, ("CM_ASSAY_" + field.name.upper().replace(".", "_"),))


def _option(name: str) -> Setting:
    return Setting(f"{sut_options.GROUP}.{name}", (OPTION_KEY + name.upper(),))


def _find(setting: Setting, selection: Selection, envs: tuple[Env, Env], found: dict[str, Asked]) -> None:
    """Note what is asked for in `found`: by the caller, else by the recipe's defaults."""
    given, usual = envs
    asked = _explicit(setting, selection, given, found)
    if asked is None and (default := _first(setting, usual, found)) is not None:
        asked = Asked(default.text, f"default of CM's recipe: {default.where}")
    if asked is not None:
        if asked.text == ALL_SCENARIOS:
            asked = Asked(_all_scenarios(found), asked.where)
        found[setting.field] = asked


def _refuse(selection: Selection, env: Env) -> None:
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


def _all_scenarios(found: Mapping[str, Asked]) -> str:
    """Offline and Server, or what the workload knows in their place: an edge one has no Server."""
    known = workloads.get(found["workload"].text if "workload" in found else WORKLOAD).loadgen_keys
    usual = [each for each in (Scenario.OFFLINE, Scenario.SERVER) if each in known]
    return ",".join(each.value.lower() for each in (usual if len(usual) > 1 else known))


def _refuse_scenarios(config: BenchmarkConfig, where: str) -> None:
    """Raises: NotOffered for a scenario that the workload is not measured in: a pulled repository's recipe may."""
    for scenario in config.scenarios:
        try:
            jobs.refuse_scenario(workloads.get(config.workload), scenario)
        except ConfigError as error:
            raise NotOffered(f"{where}: {error.message}", ELSEWHERE) from error


def _refuse_two_rates(found: Mapping[str, Asked], env: Env) -> None:
    scenarios = found["scenarios"].text if "scenarios" in found else "offline"
    rates = {str(env[key]) for key in RATE_OF.values() if env.get(key)}
    if "," in scenarios and len(rates) > 1:
        raise ConfigError(
            f"one job has one rate, and {' and '.join(RATE_OF.values())} differ",
            "run the scenarios one by one",
        )


def _explicit(setting: Setting, selection: Selection, env: Env, found: Mapping[str, Asked]) -> Asked | None:
    """What the caller asks for: a variation or a variable; both only when they say the same."""
    asked = [*_from_variations(setting, selection)]
    if (variable := _first(setting, env, found)) is not None:
        asked.append(variable)
    for other in asked[1:]:
        if _value(setting, other) != _value(setting, asked[0]):
            raise ConfigError(
                f"{setting.field} is asked for twice: {asked[0].where} and {other.where}",
                "leave one of them out",
            )
    return asked[0] if asked else None


def _from_variations(setting: Setting, selection: Selection) -> Iterator[Asked]:
    for name in selection.variations:
        if name in setting.variations:
            yield Asked(setting.variations[name], f"variation _{name}")
        elif setting.field == "limits.batch" and name.startswith(BATCH):
            yield Asked(name.removeprefix(BATCH), f"variation _{name}")


def _first(setting: Setting, env: Env, found: Mapping[str, Asked]) -> Asked | None:
    """What the first of the setting's variables that asks for anything asks for."""
    texts = {name: asked.text for name, asked in found.items()}
    for key in _keys(setting, texts):
        raw = env.get(key)
        between = BETWEEN if key.startswith(OPTION_KEY) else ","
        value = between.join(map(str, raw)) if isinstance(raw, list) else "" if raw is None else str(raw)
        if not value.strip():
            continue
        where = f"{key}={value}"
        if (
            setting.field != "sut" or value.strip().lower() not in suts.TABLE
        ):  # upstream's backend ray is another thing
            refuse(value, where)
        text = setting.text_of(key, value)
        if text is not None:
            asked = Asked(_path(setting, text, env, texts), where)
            _value(setting, asked)  # so that a word nobody knows is told with its variable
            return asked
    return None


def _keys(setting: Setting, texts: Mapping[str, str]) -> tuple[str, ...]:
    """The variables that count here: some fields have those of one style, one scenario or one workload."""
    if setting.field == "limits.samples" and texts.get("style", "test") != "test":
        return ("CM_MLPERF_LOADGEN_QUERY_COUNT",)
    workload = texts.get("workload", WORKLOAD)
    if setting.field == "paths.checkpoint":
        return cm_artifacts.checkpoint_keys(workload)
    if setting.field == "paths.dataset":
        return cm_artifacts.dataset_keys(workload)
    if setting.field == "limits.target_qps":
        scenario = texts.get("scenarios", "offline")
        return (*(RATE_OF[name] for name in scenario.lower().split(",") if name in RATE_OF), *setting.keys)
    return setting.keys


def _path(setting: Setting, text: str, env: Env, texts: Mapping[str, str]) -> str:
    """`text` itself, or the host's folder that it means."""
    if not setting.field.startswith("paths.") and setting.field != "submission.out":
        return text
    if text.startswith(f"{MOUNT}/"):
        text = text.removeprefix(MOUNT)
    if setting.field == "paths.out":
        return str(Path(text) / (str(env.get(FOLDER_KEY) or "") or f"{texts.get('style', 'test')}_results"))
    return text


def _value(setting: Setting, asked: Asked) -> Any:
    """Raises: ConfigError for a word that nobody knows; NotOffered for such a model or implementation."""
    try:
        if setting.field == "workload":
            workloads.get(asked.text)
            return asked.text
        if asked.text == ALL_SCENARIOS or setting.field.startswith(f"{sut_options.GROUP}."):
            return asked.text  # read when the workload or the SUT is known
        return native.read(setting.field, asked.text, asked.where)
    except ConfigError as error:
        if setting.field in ("workload", "sut"):
            raise NotOffered(f"{asked.where}: {error.message}", error.hint) from error
        raise


def _variation_for(setting: Setting, text: str) -> str | None:
    if setting.field == "limits.batch":
        return f"{BATCH}{text}"
    fitting = (name for name, meant in setting.variations.items() if meant == text)
    return next((name for name in fitting if name not in WRAPPER_ONLY), None)


def _in_variable(setting: Setting, text: str) -> str:
    """`text` as a variable says it, so that `text_of` gives `text` again."""
    return f"{float(text)}s" if setting.unit else text
