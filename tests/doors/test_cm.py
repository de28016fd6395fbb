"""The CM door: tags and variables in, one BenchmarkConfig out, and back again."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.config import BenchmarkConfig, Device, Mode, Precision, Scenario, Style
from assay.doors import cm, config_options
from assay.ground.errors import ConfigError
from assay.mlperf import workloads
from assay.recipes.contract import argv
from assay.recipes.model.selection import Selection

TEXTS = {
    "scenarios": st.sampled_from(["offline"]),
    "modes": st.sampled_from(["performance", "accuracy", "performance,accuracy"]),
    "style": st.sampled_from(["test", "fast", "valid"]),
    "round": st.sampled_from(["v4.1", "v4.1-dev", "v5.1", "v6.1", "v9.9"]),
    "sut": st.sampled_from(["transformers", "engine", "echo"]),
    "device": st.sampled_from(["cpu", "cuda"]),
    "precision": st.sampled_from(["float32", "bfloat16", "float16", "int8", "int4"]),
    "paths.checkpoint": st.sampled_from(["/m/a b", "/models/x,y"]),
    "paths.tokenizer": st.sampled_from(["/m/words"]),
    "paths.dataset": st.sampled_from(["/d/rows.pkl"]),
    "paths.accuracy_dataset": st.sampled_from(["/d/acc.parquet"]),
    "paths.compliance_dataset": st.sampled_from(["/d/gpqa.parquet"]),
    "paths.lcb_tests": st.sampled_from(["/d/test.jsonl"]),
    "paths.out": st.sampled_from(["/runs/one", "/r"]),
    "limits.samples": st.integers(1, 15000).map(str),
    "limits.batch": st.integers(1, 4096).map(str),
    "limits.target_qps": st.floats(1e-6, 1e6).map(str),
    "limits.min_duration_s": st.integers(0, 10**7).map(lambda ms: f"{ms}ms"),
    "submission.submitter": st.sampled_from(["MLCommons", "Two Words"]),
    "submission.division": st.sampled_from(["closed", "open", "network"]),
    "submission.system_name": st.sampled_from(["gh_action"]),
    "submission.out": st.sampled_from(["/tree"]),
}
OPTIONS = {
    "echo": {"sut_options.answers": "prompt", "sut_options.pace": "2.5"},
    "engine": {"sut_options.kv_tokens": "4096", "sut_options.kernels": "torch"},
}


@st.composite
def configs(draw: st.DrawFn) -> BenchmarkConfig:
    texts = draw(st.fixed_dictionaries({}, optional=TEXTS))
    if draw(st.booleans()):
        texts |= OPTIONS.get(texts.get("sut", "engine"), {})
    workload = draw(st.sampled_from(list(workloads.TABLE)))
    known = st.sampled_from([each.value.lower() for each in workloads.get(workload).loadgen_keys])
    texts["scenarios"] = ",".join(draw(st.lists(known, min_size=1, unique=True)))
    return config_options.build(workload, texts, {})


def ask(*variations: str, defaults: dict[str, Any] | None = None, **env: Any) -> BenchmarkConfig:
    return cm.from_cm(Selection(cm.TAGS, variations), env, defaults)


def test_every_field_of_the_options_is_drawn() -> None:
    assert set(TEXTS) == {field.name for field in config_options.FIELDS}


@given(configs())
def test_config_to_tags_and_variables_and_back_is_the_identity(config: BenchmarkConfig) -> None:
    assert cm.from_cm(*cm.to_cm(config)) == config


@given(configs())
def test_config_to_a_command_line_and_back_is_the_identity(config: BenchmarkConfig) -> None:
    inputs = argv.parse(cm.command(config)[1:])
    assert cm.from_cm(*cm.asked_by(inputs, {})) == config


def test_eight_variations_fill_eight_fields() -> None:
    config = ask(
        "reference", "mixtral-8x7b", "pytorch", "cpu", "test", "r4.1-dev_default", "float16", "offline"
    )
    assert config.sut == "transformers"
    assert config.workload == "mixtral-8x7b"
    assert config.device is Device.CPU
    assert config.style is Style.TEST
    assert config.round == "v4.1-dev"
    assert config.precision is Precision.FLOAT16
    assert config.scenarios == (Scenario.OFFLINE,)
    assert config.origin["precision"] == "variation _float16"


def test_the_implementation_decides_who_answers() -> None:
    assert ask("assay").sut == "engine"
    assert ask("reference").sut == "transformers"
    assert ask(CM_MLPERF_IMPLEMENTATION="reference").sut == "transformers"


def test_modes_go_over_all_modes_and_all_modes_over_mode() -> None:
    both = (Mode.PERFORMANCE, Mode.ACCURACY)
    env: dict[str, Any] = {"CM_MLPERF_LOADGEN_MODE": "accuracy"}
    assert ask(**env).modes == (Mode.ACCURACY,)
    env["CM_MLPERF_LOADGEN_ALL_MODES"] = "yes"
    assert ask(**env).modes == both
    env["CM_MLPERF_LOADGEN_MODES"] = ["performance"]
    assert ask(**env).modes == (Mode.PERFORMANCE,)
    assert ask(CM_MLPERF_LOADGEN_ALL_MODES="no", CM_MLPERF_LOADGEN_MODE="all").modes == both


def test_scenarios_go_over_scenario() -> None:
    config = ask(CM_MLPERF_LOADGEN_SCENARIO="Offline", CM_MLPERF_LOADGEN_SCENARIOS=["Server"])
    assert config.scenarios == (Scenario.SERVER,)
    assert ask("all-scenarios").scenarios == (Scenario.OFFLINE, Scenario.SERVER)


def test_a_variation_against_another_explicit_value_is_an_error_that_names_both() -> None:
    with pytest.raises(ConfigError, match="variation _offline and CM_MLPERF_LOADGEN_SCENARIO=Server"):
        ask("offline", CM_MLPERF_LOADGEN_SCENARIO="Server")
    with pytest.raises(ConfigError, match=r"variation _batch_size\.8 and CM_MLPERF_LOADGEN_MAX_BATCHSIZE=4"):
        ask("batch_size.8", CM_MLPERF_LOADGEN_MAX_BATCHSIZE="4")


def test_a_variation_and_a_variable_that_agree_are_no_conflict() -> None:
    config = ask("offline", "float32", CM_MLPERF_LOADGEN_SCENARIO="Offline", CM_MLPERF_MODEL_PRECISION="fp32")
    assert config.precision is Precision.FLOAT32


def test_a_default_of_the_recipe_gives_way_to_what_was_asked() -> None:
    defaults = {"CM_MLPERF_LOADGEN_MODE": "accuracy"}
    silent = ask(defaults=defaults)
    assert silent.modes == (Mode.ACCURACY,)
    assert silent.origin["modes"] == "default of CM's recipe: CM_MLPERF_LOADGEN_MODE=accuracy"
    assert ask("performance-only", defaults=defaults).modes == (Mode.PERFORMANCE,)
    assert ask(defaults=defaults, CM_MLPERF_LOADGEN_MODE="performance").modes == (Mode.PERFORMANCE,)


def test_a_batch_size_sent_to_the_implementation_is_asked_of_the_benchmark() -> None:
    inputs = argv.parse(
        ["run", "script", "--tags=app,mlperf", "--adr.mlperf-inference-implementation.tags=_batch_size.3"]
    )
    assert cm.from_cm(*cm.asked_by(inputs, {})).limits.batch == 3


def test_a_mapped_flag_wins_over_its_variable() -> None:
    inputs = argv.parse(["run", "script", "--env.CM_HW_NAME=one", "--hw_name=two"])
    _, env = cm.asked_by(inputs, {"hw_name": "CM_HW_NAME"})
    assert env == {"CM_HW_NAME": "two"}


def test_two_rates_for_one_job_are_refused() -> None:
    with pytest.raises(ConfigError, match="one job has one rate"):
        ask(
            "all-scenarios",
            CM_MLPERF_LOADGEN_OFFLINE_TARGET_QPS="1",
            CM_MLPERF_LOADGEN_SERVER_TARGET_QPS="2",
        )


def test_the_newer_prefix_names_the_same_variables() -> None:
    assert ask(MLC_HW_NAME="box").submission.system_name == "box"


def test_an_empty_variable_asks_for_nothing() -> None:
    assert ask(CM_HW_NAME="", CM_MLPERF_MODEL_PRECISION="").submission.system_name is None


@pytest.mark.parametrize(
    ("variation", "reason"),
    [
        ("rocm", "cpu and cuda"),
        ("resnet50", "mixtral-8x7b"),
        ("singlestream", "not in SingleStream"),
    ],
)
def test_what_is_not_done_is_refused_by_name(variation: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=f"variation _{variation}: .*{reason}") as caught:
        ask(variation)
    assert "--recipes=" in caught.value.hint


@pytest.mark.parametrize(
    "env",
    [
        {"CM_MLPERF_POWER": "yes"},
        {"CM_MLPERF_BACKEND": "onnxruntime"},
        {"CM_MLPERF_SUBMISSION_SYSTEM_TYPE": "edge"},
        {"CM_MLPERF_MODEL": "resnet50"},
        {"CM_MLPERF_DEVICE": "toaster"},
    ],
)
def test_a_variable_that_asks_for_it_is_refused_with_its_value(env: dict[str, str]) -> None:
    (pair,) = (f"{key}={value}" for key, value in env.items())
    with pytest.raises(ConfigError, match=pair):
        ask(**env)


def test_a_switch_that_is_off_is_not_refused() -> None:
    assert ask(CM_MLPERF_POWER="no", CM_SYSTEM_POWER="").workload == "mixtral-8x7b"


# ---- the words of each workload


@pytest.mark.parametrize("name", workloads.TABLE)
def test_each_workload_is_asked_for_by_its_variation_and_by_upstreams_spelling(name: str) -> None:
    spelled = name.replace("llama3.1", "llama3_1")
    for asked in (ask(name), ask(spelled), ask(CM_MLPERF_MODEL=spelled), ask(CM_MODEL=name)):
        assert asked.workload == name


def test_a_workload_reads_its_own_variables_and_no_others() -> None:
    env = {
        "MIXTRAL_CHECKPOINT_PATH": "/mixtral",
        "LLAMA2_CHECKPOINT_PATH": "/llama2",
        "CM_DATASET_OPENORCA_PREPROCESSED_PATH": "/orca.pkl",
        "CM_DATASET_MIXTRAL_PREPROCESSED_PATH": "/mixtral.pkl",
    }
    for name, checkpoint, data in (
        ("llama2-70b-99", "/llama2", "/orca.pkl"),
        ("mixtral-8x7b", "/mixtral", "/mixtral.pkl"),
        ("deepseek-r1", "None", "None"),
    ):
        paths = ask(name, **env).paths
        assert (str(paths.checkpoint), str(paths.dataset)) == (checkpoint, data)


def test_what_any_recipe_gives_is_read_for_every_workload() -> None:
    paths = ask("gpt-oss-120b", CM_ML_MODEL_PATH="/m", CM_DATASET_PREPROCESSED_PATH="/d.parquet").paths
    assert (str(paths.checkpoint), str(paths.dataset)) == ("/m", "/d.parquet")


def test_all_scenarios_are_those_of_the_workload() -> None:
    assert ask("llama3_1-8b-edge", "all-scenarios").scenarios == (Scenario.OFFLINE, Scenario.SINGLE_STREAM)
    assert ask("llama3_1-8b", "all-scenarios").scenarios == (Scenario.OFFLINE, Scenario.SERVER)


def test_the_suite_is_that_of_the_workload() -> None:
    assert ask("llama3_1-8b-edge", CM_MLPERF_SUBMISSION_SYSTEM_TYPE="edge").workload == "llama3.1-8b-edge"
    with pytest.raises(ConfigError, match="Assay submits llama2-70b-99 as datacenter"):
        ask("llama2-70b-99", CM_MLPERF_SUBMISSION_SYSTEM_TYPE="edge")


def test_gptj_has_four_beams() -> None:
    assert ask("gptj-99", GPTJ_BEAM_SIZE="4").workload == "gptj-99"
    with pytest.raises(ConfigError, match="4 beams alone"):
        ask("gptj-99", GPTJ_BEAM_SIZE="2")
