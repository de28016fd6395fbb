from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.config import BenchmarkConfig, Device, Mode, Precision, Scenario, Style
from assay.doors import config_options, config_text, sut_options
from assay.ground.errors import ConfigError
from assay.mlperf.rounds import round as rounds


def test_nothing_asked_gives_the_workloads_defaults_and_says_so() -> None:
    config = config_options.build(None, {}, {})
    assert config.workload == "mixtral-nano"
    assert config.style is Style.TEST
    assert config.limits.batch == 64
    assert config.origin["limits.batch"] == "default of mixtral-nano"
    assert config.origin["sut"] == "default"


def test_without_a_round_the_newest_that_has_the_workload_is_asked_and_the_command_names_it() -> None:
    for workload in ("mixtral-8x7b", "mixtral-nano"):
        config = config_options.build(workload, {}, {})
        assert config.round == rounds.rounds_of("mixtral-8x7b")[-1]
        assert config.origin["round"] == f"default of {workload}"
        assert f"--round {config.round}" in " ".join(config_text.command(config))


def test_mixtral_8x7b_is_run_in_the_precision_that_is_published() -> None:
    assert config_options.build("mixtral-8x7b", {}, {}).precision is Precision.BFLOAT16


def test_a_flag_wins_over_run_yaml_and_run_yaml_over_the_default(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text("workload: mixtral-nano\nprecision: bfloat16\nlimits:\n  batch: 4\n  samples: 7\n")
    config = config_options.build(None, {"limits.batch": "9"}, config_options.read_file(file).settings)
    assert (config.precision, config.limits.batch, config.limits.samples) == (Precision.BFLOAT16, 9, 7)
    assert config.origin["limits.batch"] == "flag --batch"
    assert config.origin["limits.samples"] == "run.yaml"


def test_a_setting_names_the_file_that_it_stands_in(tmp_path: Path) -> None:
    file = tmp_path / "config{flags}.json"
    file.write_text('{"workload": "mixtral-nano", "style": "fast", "limits": {"samples": 0}}')
    with pytest.raises(ConfigError, match=r"from config\{flags\}\.json"):
        typed("--config", str(file))
    file.write_text('{"workload": "mixtral-nano", "style": "fast"}')
    config = typed("--config", str(file))
    assert config.origin["workload"] == config.origin["style"] == file.name


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("precison: float16\n", "precision"),
        ("precison:\n", "precision"),
        ("limits:\n  bach: 3\n", "limits.batch"),
        ("limits: 3\n", "group of keys"),
        ("foo: {}\n", "unknown key 'foo'"),
        ("precision: {}\n", "a value of its own"),
        ("- a\n- b\n", "workload"),
        ("a: [1, 2\n", "YAML"),
    ],
)
def test_a_bad_run_yaml_is_refused_with_the_nearest_key(tmp_path: Path, text: str, hint: str) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as error:
        config_options.build(None, {}, config_options.read_file(file).settings)
    assert hint in str(error.value)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("precision", "flaot16", ["float16", "flag --precision"]),
        ("scenarios", "offlin", ["offline"]),
        ("limits.samples", "0", ["count"]),
        ("limits.samples", "²", ["count"]),
        ("limits.target_qps", "-3", ["rate"]),
        ("limits.target_qps", "nan", ["rate"]),
        ("limits.min_duration_s", "ten", ["600s"]),
        ("sut", " ", ["empty"]),
        ("sut", "ecko", ["did you mean echo", "flag --sut"]),
    ],
)
def test_a_bad_value_names_its_layer_and_the_way_out(name: str, text: str, words: list[str]) -> None:
    with pytest.raises(ConfigError) as error:
        config_options.build(None, {name: text}, {})
    for word in words:
        assert word in str(error.value)


@pytest.mark.parametrize(
    ("text", "seconds"), [("600s", 600), ("10m", 600), ("500ms", 0.5), ("2", 2), ("1h", 3600)]
)
def test_durations_are_read_in_the_units_people_write(text: str, seconds: float) -> None:
    assert config_options.build(None, {"limits.min_duration_s": text}, {}).limits.min_duration_s == seconds


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("limits.samples", "9" * 5000),
        ("limits.batch", "9" * 16),
        ("limits.min_duration_s", "9" * 400),
        ("limits.min_duration_s", "1000000001"),
        ("limits.target_qps", "1e-300"),
        ("paths.checkpoint", ""),
        ("paths.dataset", ""),
        ("paths.out", ""),
    ],
)
def test_a_number_beyond_all_measure_and_an_empty_path_are_refused(name: str, text: str) -> None:
    with pytest.raises(ConfigError, match=r"is not a|no path"):
        config_options.build(None, {name: text}, {})


def test_a_device_in_place_of_a_run_yaml_is_refused() -> None:
    with pytest.raises(ConfigError, match="is a device, no file"):
        config_options.read_file(Path("/dev/zero"))


def test_an_unknown_workload_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"mixtral-8x7b"):
        config_options.build("mixtral-8x7", {}, {})


def _subset(kind: type) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(list(kind)), min_size=1, unique=True).map(
        lambda members: ",".join(m.value.lower() for m in members)
    )


asked = st.fixed_dictionaries(
    {},
    optional={
        "scenarios": _subset(Scenario),
        "modes": _subset(Mode),
        "style": st.sampled_from([s.value for s in Style]),
        "round": st.sampled_from(["v4.1", "v5.1", "v6.0"]),
        "sut": st.sampled_from(["transformers", "engine"]),
        "device": st.sampled_from([d.value for d in Device]),
        "precision": st.sampled_from([p.value for p in Precision]),
        "limits.samples": st.integers(1, 10**6).map(str),
        "limits.target_qps": st.one_of(st.just("auto"), st.floats(1e-3, 1e6).map(repr)),
        "limits.min_duration_s": st.integers(0, 10**5).map(str),
        "submission.submitter": st.text("abc XYZ'\"$", min_size=1).filter(lambda t: t.strip()),
    },
)
own_options = st.sampled_from(
    [
        {},
        {"sut": "echo", "sut_options.answers": "prompt", "sut_options.pace": "2.5"},
        {"sut": "engine", "sut_options.threads": "3", "sut_options.order": "longest-prompt"},
    ]
)


@given(st.builds(dict.__or__, asked, own_options))
def test_the_printed_command_asks_for_the_same_config_again(flags: dict[str, str]) -> None:
    config = config_options.build("mixtral-8x7b", flags, {})
    assert typed(*config_text.command(config)[2:]) == config


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sampels: 3", "did you mean limits.samples?"),
        ("limits: {sampels: 3}", "did you mean limits.samples?"),
        ("batch: 3", "did you mean limits.batch?"),
        ("limits: {batch: 3, batch: 4}", "batch stands twice"),
        ("sut: echo\nsut: engine", "sut stands twice"),
    ],
)
def test_a_key_of_run_yaml_that_is_unknown_or_stands_twice_is_refused(
    tmp_path: Path, text: str, words: str
) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as error:
        config_options.read_file(file)
    assert words in str(error.value)


def test_a_config_is_plain_json_with_its_origins() -> None:
    tree = BenchmarkConfig(origin={"style": "default"}).to_dict()
    assert tree["style"] == "test"
    assert tree["origin"] == {"style": "default"}


def test_the_config_of_a_run_asks_for_the_same_job_in_a_new_folder(tmp_path: Path) -> None:
    flags = {"scenarios": "server", "limits.min_duration_s": "20s", "paths.out": str(tmp_path), "sut": "echo"}
    asked = config_options.build("mixtral-8x7b", {**flags, "sut_options.pace": "3"}, {})
    (tmp_path / "config.json").write_text(json.dumps(asked.to_dict()))
    again = config_options.build(None, {}, config_options.read_file(tmp_path / "config.json").settings)
    assert again.paths.out is None
    assert dataclasses.replace(again, paths=asked.paths) == asked


def typed(*words: str) -> BenchmarkConfig:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    config_options.add_arguments(parser)
    sut_options.add_arguments(parser)
    return config_options.from_args(parser.parse_args(list(words)))


def test_an_option_of_one_sut_alone_asks_for_it() -> None:
    config = typed("--url", "http://127.0.0.1:1")
    assert (config.sut, config.origin["sut"]) == ("endpoint", "the options given")
    assert typed("--server", "vllm").sut == "serve"
    assert typed("--threads", "2").sut == typed().sut == "engine"
    with pytest.raises(ConfigError, match="--timeout belongs to the endpoint and serve SUT"):
        typed("--timeout", "3")
    with pytest.raises(ConfigError, match="--url belongs to the endpoint SUT, not to echo"):
        typed("--url", "http://127.0.0.1:1", "--sut", "echo")


def test_model_is_the_workload_or_its_checkpoint_where_the_sut_has_no_such_option(tmp_path: Path) -> None:
    assert typed("--model", "mixtral-8x7b").workload == "mixtral-8x7b"
    config = typed("mixtral-8x7b", "--model", str(tmp_path))
    assert (config.workload, config.paths.checkpoint) == ("mixtral-8x7b", tmp_path)
    config = typed("mixtral-8x7b", "--url", "http://127.0.0.1:1", "--model", "m")
    assert (config.sut_options["model"], config.paths.checkpoint) == ("m", None)
    with pytest.raises(ConfigError, match="--model belongs to the endpoint SUT"):
        typed("mixtral-8x7b", "--model", "a", "--checkpoint", "b")


def test_a_field_that_there_is_not_is_named_with_its_layer() -> None:
    with pytest.raises(ConfigError, match=r"no setting 'limits\.sample'") as told:
        config_options.build(None, {"limits.sample": "4"}, {})
    assert "limits.samples" in told.value.hint
    with pytest.raises(ConfigError, match=r"run\.yaml: no setting 'colour'"):
        config_options.build(None, {}, {"colour": "red"})


def test_a_folder_may_stand_for_its_dataset(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text("")
    for flag in ("paths.dataset", "paths.accuracy_dataset"):
        paths = config_options.build("gpt-oss-120b", {flag: str(tmp_path)}, {}).paths
        assert tmp_path / "rows.jsonl" in (paths.dataset, paths.accuracy_dataset)
