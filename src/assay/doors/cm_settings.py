"""SETTINGS: where each field of a BenchmarkConfig is asked for in CM's language. `cm_reading` reads the table, `cm`
writes from it.

Source of the names: the variation groups, `default_env` and `input_mapping` of app-mlperf-inference and
run-mlperf-inference-app, cm4mlops at commit 3a60122724e9. Knows CM's words; what a value means is `config_options`'s.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from assay.config import Scenario
from assay.doors import cm_artifacts, config_options, sut_options
from assay.doors.cm_refused import upstream_name
from assay.mlperf import workloads
from assay.mlperf.rounds import round as rounds

ROUNDS = tuple(word for name in rounds.official_names() for word in (f"{name[1:]}-dev", name[1:]))
"""CM names a round, or its development version."""
WORKLOAD = workloads.USUAL.name
"""What CM's tags measure when no model is named."""
BOTH_MODES = "performance,accuracy"
ALL_SCENARIOS = "all scenarios"
"""Those of the workload: `cm_reading` knows which."""
BATCH = "batch_size."
"""Prefix of the dynamic variation `_batch_size.8`."""
OPTION_KEY = "CM_ASSAY_SUT_OPTIONS_"
"""Prefix of the variables for the options of the SUT alone."""
FOLDER_KEY = "CM_OUTPUT_FOLDER_NAME"
"""The run folder is OUTPUT_BASE_DIR/CM_OUTPUT_FOLDER_NAME."""
RATE_OF = {
    scenario.value.lower(): f"CM_MLPERF_LOADGEN_{scenario.value.upper()}_TARGET_QPS"
    for scenario in Scenario
    if not scenario.is_one_by_one
}
"""Scenario -> the variable for the rate of that scenario alone."""

WRAPPER_ONLY = frozenset(
    {
        "performance-only",
        "find-performance",
        "accuracy-only",
        "performance-and-accuracy",
        "all-modes",
        "populate-readme",
        "submission",
        "all-scenarios",
    }
)
"""Variations of run-mlperf,inference that app,mlperf,inference lacks: read, never written."""


@dataclass(frozen=True)
class Setting:
    """One config field in CM's language."""

    field: str
    """Dotted field of BenchmarkConfig."""
    keys: tuple[str, ...]
    """Variables that ask for it; of those given the first decides. The first is the one written."""
    variations: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Variation -> value as text. Of several for one value the first is the one written."""
    words: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Further words for a value in a variable, lower case."""
    switches: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Variable -> the value that it asks for when it is switched on; off means nothing."""
    unit: str = ""
    """What a bare number in a variable is counted in; the texts of options carry theirs."""
    prefix: str = ""
    """Of the dynamic variation whose rest is the value."""

    def keys_beside(self, texts: Mapping[str, str]) -> tuple[str, ...]:
        """The variables that count, given the texts of earlier fields: some are of one style, scenario or workload."""
        workload = texts.get("workload", WORKLOAD)
        match self.field:
            case "limits.samples" if texts.get("style", "test") != "test":
                return ("CM_MLPERF_LOADGEN_QUERY_COUNT",)
            case "paths.checkpoint":
                return cm_artifacts.checkpoint_keys(workload)
            case "paths.dataset":
                return cm_artifacts.dataset_keys(workload)
            case "limits.target_qps":
                scenarios = texts.get("scenarios", "offline").lower().split(",")
                return (*(RATE_OF[name] for name in scenarios if name in RATE_OF), *self.keys)
        return self.keys

    def text_of_variation(self, name: str) -> str | None:
        """What a variation asks for; None when it is of another field."""
        if self.prefix and name.startswith(self.prefix):
            return name.removeprefix(self.prefix)
        return self.variations.get(name)

    def variation_for(self, text: str) -> str | None:
        """The variation that asks for `text`; None when only a variable can."""
        if self.prefix:
            return f"{self.prefix}{text}"
        fitting = (name for name, meant in self.variations.items() if meant == text)
        return next((name for name in fitting if name not in WRAPPER_ONLY), None)

    def in_variable(self, text: str) -> str:
        """`text` as a variable says it, so that `text_of` gives `text` again."""
        return f"{float(text)}s" if self.unit else text

    def text_of(self, key: str, value: str) -> str | None:
        """What `value` of the variable `key` asks for, as an option's text; None when it asks for nothing."""
        if key in self.switches:
            return self.switches[key] if is_on(value) else None
        word = value.strip().lower()
        known = self.words.get(word) or self.variations.get(word)
        return known or (f"{value}{self.unit}" if self.unit and value.strip().isdigit() else value)


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "workload",
        ("CM_MLPERF_MODEL", "CM_MODEL"),
        {word: name for name in workloads.TABLE for word in (name, upstream_name(name))},
    ),
    Setting(
        "sut",
        ("CM_MLPERF_IMPLEMENTATION",),
        {
            "reference": "transformers",
            "python": "transformers",
            "mlcommons-python": "transformers",
            "assay": "engine",
            "echo": "echo",
        },
        {"mlcommons_python": "transformers"},
    ),
    Setting(
        "device",
        ("CM_MLPERF_DEVICE",),
        {"cpu": "cpu", "cuda": "cuda"},
        {"gpu": "cuda"},
    ),
    Setting("style", ("CM_MLPERF_RUN_STYLE",), {"test": "test", "fast": "fast", "valid": "valid"}),
    Setting(
        "round",
        ("CM_MLPERF_INFERENCE_VERSION", "CM_RUN_MLPERF_INFERENCE_APP_DEFAULTS"),
        {f"r{name}_default": f"v{name}" for name in ROUNDS} | {f"r{name}": f"v{name}" for name in ROUNDS},
        {name: f"v{name}" for name in ROUNDS},
    ),
    Setting(
        "precision",
        ("CM_MLPERF_MODEL_PRECISION",),
        {name: name for name in ("float32", "float16", "bfloat16", "int8", "int4")} | {"fp32": "float32"},
        {"fp16": "float16", "bf16": "bfloat16"},
    ),
    Setting(
        "scenarios",
        (
            "CM_MLPERF_LOADGEN_SCENARIOS",
            "CM_MLPERF_LOADGEN_ALL_SCENARIOS",
            "CM_MLPERF_LOADGEN_SCENARIO",
        ),
        {
            **{
                each.value.lower(): each.value.lower()
                for each in Scenario
                if each is not Scenario.MULTI_STREAM
            },
            "all-scenarios": ALL_SCENARIOS,
        },
        switches={"CM_MLPERF_LOADGEN_ALL_SCENARIOS": ALL_SCENARIOS},
    ),
    Setting(
        "modes",
        ("CM_MLPERF_LOADGEN_MODES", "CM_MLPERF_LOADGEN_ALL_MODES", "CM_MLPERF_LOADGEN_MODE"),
        {
            "performance-only": "performance",
            "find-performance": "performance",
            "accuracy-only": "accuracy",
            "performance-and-accuracy": BOTH_MODES,
            "all-modes": BOTH_MODES,
            "populate-readme": BOTH_MODES,
            "submission": BOTH_MODES,
        },
        {"all": BOTH_MODES},
        {"CM_MLPERF_LOADGEN_ALL_MODES": BOTH_MODES},
    ),
    Setting("limits.batch", ("CM_MLPERF_LOADGEN_MAX_BATCHSIZE",), prefix=BATCH),
    Setting("limits.samples", ("CM_TEST_QUERY_COUNT", "CM_MLPERF_LOADGEN_QUERY_COUNT")),
    Setting("limits.target_qps", ("CM_MLPERF_LOADGEN_TARGET_QPS",)),
    Setting("limits.min_duration_s", ("CM_MLPERF_INFERENCE_MIN_DURATION",), unit="ms"),
    Setting("paths.checkpoint", cm_artifacts.CHECKPOINT_KEYS),
    Setting("paths.dataset", cm_artifacts.DATASET_KEYS),
    Setting("paths.out", ("OUTPUT_BASE_DIR",)),
    Setting("submission.submitter", ("CM_MLPERF_SUBMITTER",)),
    Setting("submission.division", ("CM_MLPERF_SUBMISSION_DIVISION",)),
    Setting("submission.system_name", ("CM_HW_NAME",)),
    Setting("submission.out", ("CM_MLPERF_INFERENCE_SUBMISSION_DIR",)),
)


def settings() -> Iterator[Setting]:
    """The table, and under a name of their own the fields that CM has no word for."""
    yield from SETTINGS
    known = {setting.field for setting in SETTINGS}
    for field in config_options.FIELDS:
        if field.name not in known:
            yield Setting(field.name, ("CM_ASSAY_" + field.name.upper().replace(".", "_"),))


def option_setting(name: str) -> Setting:
    """An option of the SUT."""
    return Setting(f"{sut_options.GROUP}.{name}", (OPTION_KEY + name.upper(),))


def is_on(value: object) -> bool:
    """CM's truth: anything but empty, no, off, false and 0."""
    return str(value).strip().lower() not in ("", "no", "off", "false", "0", "none")
