from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from assay import suts
from assay.config import BenchmarkConfig, Mode
from assay.doors import config_options
from assay.ground.errors import ArtifactError, ConfigError
from assay.mlperf import workloads
from assay.mlperf.run import job
from assay.mlperf.workloads.workload import Decoding

FILES = {"paths.dataset": "/d.parquet", "paths.checkpoint": "/m"}


def asked(**flags: str) -> BenchmarkConfig:
    return config_options.build(
        "mixtral-8x7b", {**FILES, **{k.replace("__", "."): v for k, v in flags.items()}}, {}
    )


def job_of(config: BenchmarkConfig) -> job.Job:
    return job.of(config, suts.kind(config.sut))


@pytest.mark.parametrize(("round_", "reason"), [("v4.0", "v4.1"), ("v6.1", "v6.0")])
def test_a_round_without_mixtral_is_refused_with_the_rounds_that_have_it(round_: str, reason: str) -> None:
    with pytest.raises(ConfigError) as error:
        job_of(asked(round=round_))
    assert round_ in str(error.value)
    assert reason in str(error.value)


def test_a_development_name_is_the_round_it_belongs_to() -> None:
    made = job_of(asked(round="4.1-dev"))
    assert made.config.round == "v4.1"


@pytest.mark.parametrize(
    ("sut", "words"), [("engine", "are searched with 4 beams"), ("endpoint", "need 4 beams")]
)
def test_beam_search_is_refused_by_a_sut_that_has_none(sut: str, words: str) -> None:
    with pytest.raises(ConfigError, match=f"answers of gptj-99 {words}"):
        job_of(config_options.build("gptj-99", {**FILES, "sut": sut}, {}))


@pytest.mark.parametrize("sut", ["engine", "transformers"])
def test_a_workload_that_samples_is_refused_by_a_sut_that_is_greedy(
    sut: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sampled = dataclasses.replace(workloads.get("mixtral-8x7b"), decoding=Decoding(temperature=1.0))
    monkeypatch.setitem(workloads.TABLE, "mixtral-8x7b", sampled)
    with pytest.raises(ConfigError, match="sampled at temperature 1,"):
        job_of(asked(sut=sut))
    assert job_of(asked(sut="echo")).generation(None).decoding.temperature == 1.0


def test_a_round_without_lengths_of_answers_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    made = job_of(asked(sut="echo"))
    silent = dataclasses.replace(made, rules=dataclasses.replace(made.rules, max_new_tokens=None))
    with pytest.raises(ConfigError, match="does not say how long an answer of mixtral-8x7b may be"):
        silent.generation(None)


def test_what_the_sut_process_is_told_comes_from_the_config_and_the_round() -> None:
    made = job_of(asked(sut="echo", limits__batch="7", scenarios="Offline,Server"))
    spec = made.sut_spec(None, Path("/t"))
    assert (spec.kind, spec.batch, spec.tokenizer, spec.server) == ("echo", 7, Path("/t"), True)
    assert spec.generation == made.generation(None)
    assert spec.exact is (Mode.ACCURACY in made.config.modes)


@pytest.mark.parametrize(("round_", "tokens"), [("v4.1", 1), ("v5.0", 2), ("v5.1", 2), ("v6.0", 2)])
def test_the_least_number_of_new_tokens_is_the_rounds(round_: str, tokens: int, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"eos_token_id": 7}')
    generation = job_of(asked(round=round_, paths__checkpoint=str(tmp_path))).generation(tmp_path)
    assert (generation.min_new_tokens, generation.max_new_tokens, generation.eos_id) == (tokens, 1024, 7)


def test_a_checkpoint_without_config_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"config\.json"):
        job_of(asked()).generation(tmp_path)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"sut": "transformers", "precision": "int8"}, "transformers SUT cannot run in int8"),
        ({"sut": "engine", "sut_options__answers": "prompt"}, "belongs to the echo SUT"),
        ({"style": "valid", "limits__samples": "5"}, "whole dataset"),
        (
            {"style": "valid", "submission__division": "closed", "limits__min_duration_s": "60"},
            "below the 600 s",
        ),
    ],
)
def test_an_impossible_combination_is_refused_before_any_work(flags: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        job_of(asked(**flags))


@pytest.mark.parametrize("missing", ["paths.checkpoint", "paths.dataset"])
def test_what_does_not_ship_has_to_be_brought(missing: str) -> None:
    flags = {name: path for name, path in FILES.items() if name != missing}
    with pytest.raises(ConfigError, match="does not ship"):
        job_of(config_options.build("mixtral-8x7b", flags, {}))


def test_a_test_style_run_takes_ten_samples_unless_asked_and_a_fast_one_all() -> None:
    assert job_of(asked()).samples(15000) == 10
    assert job_of(asked(limits__samples="3")).samples(15000) == 3
    assert job_of(asked(style="fast")).samples(15000) == 15000
    assert job_of(asked()).samples(4) == 4


def test_more_samples_than_there_are_and_a_valid_run_of_a_part_are_refused() -> None:
    with pytest.raises(ConfigError, match="holds 4"):
        job_of(asked(limits__samples="5")).samples(4)
    with pytest.raises(ConfigError, match="15000"):
        job_of(asked(style="valid")).samples(4)


def test_only_a_valid_run_has_the_rounds_duration() -> None:
    assert job_of(asked()).min_duration_s() == 0
    assert job_of(asked(style="valid")).min_duration_s() == 600
    assert job_of(asked(limits__min_duration_s="2s")).min_duration_s() == 2


@pytest.mark.parametrize(
    ("listed", "eos"),
    [
        ([128001, 128008, 128009], (128009, 128001, 128008)),
        ([7, 8], (7, 8)),
        (5, (5,)),
        ([], (128009,)),
        (None, (128009,)),
    ],
)
def test_of_several_ends_that_a_checkpoint_lists_the_workloads_own_is_taken(
    listed: object, eos: tuple[int, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    llama = dataclasses.replace(workloads.get("mixtral-8x7b"), eos_id=128009)
    monkeypatch.setitem(workloads.TABLE, "mixtral-8x7b", llama)
    (tmp_path / "config.json").write_text(json.dumps({"eos_token_id": listed}))
    assert job_of(asked(sut="echo")).generation(tmp_path).eos_ids == eos


@pytest.mark.parametrize(
    ("config", "wished", "eos"),
    [
        ({}, {"eos_token_id": [8, 9]}, (8, 9)),
        ({"eos_token_id": None}, {"eos_token_id": 8}, (8,)),
        ({"eos_token_id": 7}, {"eos_token_id": [7, 8]}, (7,)),
        ({}, {}, (2,)),
        ({}, [8], (2,)),
        (
            {"eos_token_id": [7, 50]},
            {},
            (7, 50),
        ),  # an id that cannot be chosen does no harm beside one that can
    ],
)
def test_ends_that_generation_config_alone_states_are_taken(
    config: dict[str, object], wished: object, eos: tuple[int, ...], tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"vocab_size": 10, **config}))
    (tmp_path / "generation_config.json").write_text(json.dumps(wished))
    assert job_of(asked(sut="echo")).generation(tmp_path).eos_ids == eos


@pytest.mark.parametrize("listed", [-1, 10, [-1, 99]])
def test_ends_outside_the_vocabulary_are_refused(listed: object, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"vocab_size": 10, "eos_token_id": listed}))
    with pytest.raises(ConfigError, match="no answer would end"):
        job_of(asked(sut="echo")).generation(tmp_path)


def test_the_vocabulary_is_the_checkpoints_and_else_that_of_the_model_that_the_workload_names(
    tmp_path: Path,
) -> None:
    config = tmp_path / "config.json"
    config.write_text('{"vocab_size": 49152}')
    mixtral = job_of(asked(sut="echo"))
    assert mixtral.generation(None).vocabulary == 32000
    assert mixtral.generation(tmp_path).vocabulary == 49152
    config.write_text('{"text_config": {"vocab_size": 7}}')
    assert mixtral.generation(tmp_path).vocabulary is None


def two_sets(**flags: str) -> BenchmarkConfig:
    files = {"paths.dataset": "/d/perf.parquet", "paths.tokenizer": "/m", "sut": "echo"}
    return config_options.build("gpt-oss-120b", {**files, **flags}, {})


def test_a_scenario_without_limits_in_the_round_is_refused_with_those_that_can_be_run() -> None:
    files = {"paths.dataset": "/d/rows.pkl", "paths.tokenizer": "/m", "sut": "echo"}
    config = config_options.build("deepseek-r1", {**files, "round": "v5.1", "scenarios": "interactive"}, {})
    with pytest.raises(ConfigError, match="no Interactive limits in round") as caught:
        job_of(config)
    assert caught.value.hint == "--scenario offline,server"


def test_each_mode_of_two_sets_has_its_rows_its_file_and_its_longest_answer() -> None:
    whole = job_of(two_sets(**{"paths.accuracy_dataset": "/d/acc.parquet", "style": "valid"}))
    performance, accuracy = whole.of_mode(Mode.PERFORMANCE), whole.of_mode(Mode.ACCURACY)
    assert (performance.whole_set, accuracy.whole_set) == (6396, 4395)
    assert accuracy.config.paths.dataset == Path("/d/acc.parquet")
    assert performance.config.paths.dataset == Path("/d/perf.parquet")
    longest = [each.generation(None).max_new_tokens for each in (performance, accuracy)]
    assert longest == [10240, 32768]
    assert (performance.samples(6396), accuracy.samples(4395)) == (6396, 4395)
    with pytest.raises(ConfigError, match="whole set of 4395"):
        accuracy.samples(6396)


def test_two_modes_over_one_of_two_sets_are_refused_in_valid_style_alone() -> None:
    job_of(two_sets())
    with pytest.raises(ConfigError, match="another for accuracy") as caught:
        job_of(two_sets(style="valid"))
    assert caught.value.hint == "--accuracy-dataset FILE names the second"


def test_a_second_set_of_a_workload_that_has_one_is_refused() -> None:
    config = config_options.build(
        "deepseek-r1", {"paths.dataset": "/d", "paths.accuracy_dataset": "/e", "sut": "echo"}, {}
    )
    with pytest.raises(ConfigError, match="has one data set"):
        job_of(config)


def test_an_option_that_a_sut_cannot_do_without_is_asked_for_before_a_run() -> None:
    config = BenchmarkConfig(sut="endpoint")
    with pytest.raises(ConfigError, match="the endpoint SUT needs --url: address of the server") as error:
        job.of(config, suts.of(config))
    assert error.value.hint == "--url URL"
    given = BenchmarkConfig(sut="endpoint", sut_options={"url": ("http://127.0.0.1:1",)})
    assert job.of(given, suts.of(given)).kind.name == "endpoint"
