"""Which options of a CM command line have an effect here, which are accepted without one, and why.

EFFECTS and NO_EFFECT together are the table in docs/cm-options.md; what is in neither is told once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from assay import suts
from assay.config import BenchmarkConfig
from assay.doors import cm_artifacts, config_options
from assay.doors.cm_reading import MOUNT
from assay.doors.cm_refused import REFUSED_KEYS
from assay.doors.cm_settings import BATCH, FOLDER_KEY, OPTION_KEY, RATE_OF, SETTINGS
from assay.doors.field import is_default
from assay.ground.errors import ConfigError, did_you_mean
from assay.recipes.contract.flags import DEPENDENCY_INPUTS, RUNNER_INPUTS
from assay.recipes.contract.secrets import hidden


def _sets(field: str, key: str) -> str:
    users = cm_artifacts.users(key)
    return f"sets {field}" + (f" of {', '.join(users)}" if users else "")


EFFECTS: Mapping[str, str] = {
    **{key: _sets(setting.field, key) for setting in SETTINGS for key in setting.keys},
    **{key: f"sets limits.target_qps of {scenario}" for scenario, key in RATE_OF.items()},
    **dict.fromkeys(REFUSED_KEYS, "refused when on"),
    FOLDER_KEY: "name of the run folder below OUTPUT_BASE_DIR",
    "CM_MLPERF_BACKEND": "must be pytorch, the only backend of the reference",
    "CM_MLPERF_SUBMISSION_SYSTEM_TYPE": "must be the suite of the workload: edge for llama3.1-8b-edge, else datacenter",
    "CM_MLPERF_SUBMISSION_RUN": "builds the submission tree",
    "CM_MLPERF_SKIP_SUBMISSION_GENERATION": "builds no submission tree, whatever else is asked",
    "CM_MLPERF_SUBMISSION_GENERATION_STYLE": "short: findings that a test run must have do not fail the job",
    "CM_RUN_SUBMISSION_CHECKER": "checks the tree",
    "CM_TAR_SUBMISSION_DIR": "packs the tree",
    "CM_MLPERF_LOADGEN_COMPLIANCE": "runs the compliance tests of the round, in the closed division",
    "CM_MLPERF_CLEAN_ALL": "removes an earlier run's folder and tree first, and runs again",
    "CM_MLPERF_CLEAN_SUBMISSION_DIR": "removes an earlier tree first",
    "CM_RERUN": "runs although the run folder holds a finished run",
    "CM_MLPERF_USE_DOCKER": "runs in a container",
    "CM_RUN_DOCKER_CONTAINER": "runs in a container, unless CM_MLPERF_USE_DOCKER says otherwise",
    "CM_DOCKER_PRIVILEGED_MODE": "a privileged container",
    "CM_DOCKER_REUSE_EXISTING_CONTAINER": "goes on in a container of an earlier run",
    "CM_DOCKER_DETACHED_MODE": "starts the container in the background and waits for it",
    "CM_DOCKER_CONTAINER_KEEP_ALIVE": "leaves the container when it has ended",
    "CM_CONTAINER_TOOL": "podman or docker",
    "CM_ASSAY_CONTAINER": "podman or docker",
    "CM_ASSAY_CONTAINER_BASE": "base image of the container",
    "CM_ASSAY_GATE": "fails the job for a missed target, an INVALID run or a score that could not be graded",
    "CM_ASSAY_UNSAFE_NO_SANDBOX": "runs generated programs without a sandbox; recorded in the result",
    "GPTJ_BEAM_SIZE": "must be 4, the only number of beams that the closed division takes",
    **{
        key: f"no: without {instead} the job is refused instead of fetching the {what}"
        for key, (what, instead) in cm_artifacts.download_keys().items()
    },
}
"""Variable -> what it does."""

NO_EFFECT: Mapping[str, str] = {
    "CM_QUIET": "Assay asks no questions",
    "CM_RUN_MLPERF_ACCURACY": "an accuracy run is always scored",
    "CM_MLPERF_INFERENCE_SOURCE_VERSION": "Assay contains its own harness: no sources are fetched",
    "CM_MLPERF_LAST_RELEASE": "the round is asked for by its variation; Assay knows the rules of each",
    "CM_TMP_PIP_VERSION_STRING": "no package is installed",
    "CM_MLPERF_LOADGEN_EXTRA_OPTIONS": "options of upstream's script, which is not run; must be empty",
    "CM_MLPERF_QUANTIZATION": "the precision says it all",
    "CM_GET_PLATFORM_DETAILS": "the platform is always described in the submission",
    "CM_MLPERF_INFERENCE_PULL_SRC_CHANGES": "no sources are fetched",
    "CM_MLPERF_INFERENCE_PULL_CODE_CHANGES": "no sources are fetched",
    "CM_MLPERF_INFERENCE_LOADGEN_INSTALL_FROM_PIP": "LoadGen is always the published package",
    "CM_REGENERATE_MEASURE_FILES": "measurement files are always written anew",
    "CM_MLPERF_REGENERATE_ACCURACY_FILE": "accuracy.txt is always written anew",
    "CM_MLPERF_README": "the report is always written",
    "CM_SAVE_CONSOLE_LOG": "the console is not logged; LoadGen's logs are always kept",
    "CM_DUMP_VERSION_INFO": "versions are always in result.json",
    "CM_SKIP_TRUNCATE_ACCURACY": "a tree holds truncated accuracy logs; the run folder keeps them whole",
    "CM_SKIP_SYS_UTILS": "no system package is installed",
}
"""Variable -> why it does nothing."""

BATCH_DEPENDENCY = "mlperf-inference-implementation"
NAMED_DEPENDENCIES: Mapping[str, str] = {
    "compiler": "nothing is compiled by a dependency",
    "submission-checker": "_short-run is CM_MLPERF_SUBMISSION_GENERATION_STYLE=short here",
    "get-mlperf-inference-results-dir": "the results folder is OUTPUT_BASE_DIR",
    "get-mlperf-inference-submission-dir": "the tree's folder is CM_MLPERF_INFERENCE_SUBMISSION_DIR",
    "mlperf-inference-nvidia-scratch-space": "NVIDIA's harness is not run",
    BATCH_DEPENDENCY: "_batch_size.N sets limits.batch",
}
"""`--adr.NAME` / `--add_deps_recursive.NAME` -> what becomes of it."""


def unclaimed(env: Mapping[str, Any], mapped: Iterable[str] = (), workload: str = "") -> list[str]:
    """A sentence for every variable that neither the door nor the recipe (`mapped`) knows, and for every path that
    belongs to another workload than the one that is measured."""
    known = {*EFFECTS, *NO_EFFECT, *mapped}
    return [*_of_other_workloads(env, workload)] + [
        f"ignored: {key}; {did_you_mean(key, known)}" if _is_near(key, known) else f"ignored: {key}"
        for key in env
        if key not in known and not key.startswith("CM_ASSAY_") and not key.startswith("CM_TMP_")
    ]


def idle(config: BenchmarkConfig) -> list[str]:
    """A sentence for a batch size that the SUT has no use for. CM's commands name one for every implementation."""
    where = config.origin.get("limits.batch", "default")
    if is_default(where) or config_options.has_batch(config):
        return []
    key = f"{OPTION_KEY}MAX_IN_FLIGHT"
    hint = f"; {key}=N" if any(o.name == "max_in_flight" for o in suts.of(config).options) else ""
    return [f"ignored: {where}; the {config.sut} SUT has no batch{hint}"]


def _of_other_workloads(env: Mapping[str, Any], workload: str) -> Iterator[str]:
    for key, value in env.items():
        users = cm_artifacts.users(key)
        if users and workload and workload not in users and str(value or "").strip():
            keys = (
                cm_artifacts.checkpoint_keys
                if key in cm_artifacts.CHECKPOINT_KEYS
                else cm_artifacts.dataset_keys
            )
            if key not in keys(workload):
                yield f"ignored: {key} is of {users[0]}; {workload} reads {keys(workload)[0]}"


def unclaimed_inputs(inputs: Mapping[str, Any], mapping: Mapping[str, str]) -> list[str]:
    """A sentence for every option beside `--env` that has no effect on a recipe of Assay's own."""
    known = RUNNER_INPUTS | mapping.keys()
    found = [
        f"ignored: --{key}; {did_you_mean(key, known)}" if _is_near(key, known) else f"ignored: --{key}"
        for key in inputs
        if key not in known and not key.startswith("docker_")
    ]
    for flag in DEPENDENCY_INPUTS:
        for name, asked in (inputs.get(flag) or {}).items():
            for part, value in asked.items() if isinstance(asked, Mapping) else [("", asked)]:
                if not _is_claimed(name, part, value):
                    word = f"--{flag}.{name}" + (f".{part}" if part else "")
                    found.append(
                        f"ignored: {word}={hidden(value, part)}; Assay's own implementation has no such part"
                    )
    return found


def _is_claimed(name: str, part: str, value: Any) -> bool:
    if name != BATCH_DEPENDENCY:
        return name in NAMED_DEPENDENCIES
    sent = [str(tag).strip() for tag in (value if isinstance(value, list) else str(value).split(","))]
    return part == "tags" and all(tag.startswith(f"_{BATCH}") for tag in sent if tag)


def moved(env: Mapping[str, Any]) -> str | None:
    """One note on the places that CM's containers call otherwise; each is read as the host's."""
    keys = [key for key, value in env.items() if str(value or "").startswith(f"{MOUNT}/")]
    if not keys:
        return None
    first = str(env[keys[0]]).removeprefix(MOUNT)
    return f"{MOUNT} is / in CM's containers and left out of {', '.join(keys)}: {hidden(first, keys[0])} is meant"


def tell_unclaimed(sentences: Sequence[str], *, strict: bool) -> str | None:
    """One note for all of them. Raises: ConfigError instead when `strict`."""
    if not sentences:
        return None
    if strict:
        raise ConfigError("; ".join(sentences), "correct or leave out, or run without --strict")
    return "; ".join(sentences)


def repeated(words: Sequence[str]) -> str | None:
    """One note on the options that a command line gives twice with different values; the last one counts."""
    values: dict[str, list[str]] = {}
    for word in words:
        key, equals, value = word.lstrip("-").partition("=")
        if word.startswith("-") and equals:
            values.setdefault(key.removeprefix("env."), []).append(value)
    twice = [key for key, given in values.items() if len(Counter(given)) > 1]
    if not twice:
        return None
    return "given more than once, the last counts: " + ", ".join(
        f"{key}={hidden(values[key][-1], key)}" for key in twice
    )


def _is_near(key: str, known: Iterable[str]) -> bool:
    return did_you_mean(key, known).startswith("did you mean")
