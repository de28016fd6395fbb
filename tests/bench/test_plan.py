from __future__ import annotations

import dataclasses
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from assay.bench import answer_lengths, cost, plan
from assay.config import (
    BenchmarkConfig,
    Delivery,
    EarlierRun,
    Limits,
    Mode,
    Paths,
    Precision,
    Request,
    Scenario,
)
from assay.doors import config_options
from assay.engine.config import EngineConfig
from assay.ground import download, memory
from assay.mlperf import workloads
from assay.mlperf.run import wheels
from assay.suts import checkpoint as checkpoints
from assay.suts import engine_pace, pace
from assay.suts.engine_pace import EnginePace
from assay.suts.pace import Pace
from assay.suts.shape import MIXTRAL_8X7B
from tests import fakes

PACE = Pace(start_s=5.0, prefill_s=0.5, prompt_tokens=10, step_s=0.1)
SMALL = {
    **MIXTRAL_8X7B,
    "hidden_size": 64,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
}


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "model"
    checkpoints.random({**SMALL, "num_key_value_heads": 2}, seed=1, out=folder)
    return folder


@pytest.fixture
def checkpoint(made_once: Path, tmp_path: Path) -> Path:
    """Whole, and its weights are not known to be random."""
    folder = Path(shutil.copytree(made_once, tmp_path / "model"))
    rewrite(folder, assay_weights=None)
    return folder


def made_of(config: BenchmarkConfig) -> plan.Plan:
    return plan.make(Request(config))


def nano_files() -> Path:
    own = workloads.get("mixtral-nano").own_checkpoint
    assert own is not None
    return own()


def rewrite(folder: Path, **fields: Any) -> None:
    """Fields of config.json changed."""
    known = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**known, **fields}))


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """Three samples with prompts of 10 tokens and answers of 20."""
    kinds = (("GSM8K", "train.1", [2]), ("OpenOrca", "flan.2", [2]), ("MBXP", "python_f", [13, 9]))
    file = tmp_path / "rows.jsonl"
    with file.open("w") as out:
        for kind, id, stop in kinds:
            row = {"dataset": kind, "id": id, "input": "<s> x", "gt_output": "3", "tok_input": [5] * 10}
            out.write(json.dumps({**row, "tok_ref_output": [7] * 20, "tok_stop_sequence": stop}) + "\n")
    return file


@pytest.fixture
def config(checkpoint: Path, rows: Path) -> BenchmarkConfig:
    return BenchmarkConfig(
        "mixtral-8x7b",
        sut="transformers",
        modes=(Mode.PERFORMANCE,),
        paths=Paths(checkpoint, dataset=rows),
        limits=Limits(samples=3),
    )


@pytest.fixture(autouse=True)
def paced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plans here are arithmetic over a pace that was not measured, whether or not LoadGen can be had."""
    monkeypatch.setattr(wheels, "refuse_unusable", lambda wheel: None)
    monkeypatch.setattr(pace, "measure", lambda shape, precision, batch, prompt_tokens: PACE)
    monkeypatch.setattr(cost, "slowdown", lambda: 1.0)
    monkeypatch.setattr(download, "free_bytes", lambda _: 10**12)


def test_answering_is_prefill_and_a_step_for_each_expected_token(config: BenchmarkConfig) -> None:
    made = made_of(config)
    # Batch 1: three prompts of 10 tokens, and 20 tokens of answer with the step that ends it.
    assert made.parts["answer"] == pytest.approx(3 * 0.5 + 3 * 21 * 0.1 + cost.RUN_START_S)
    assert made.parts["start"] == pytest.approx(6.0)
    assert made.seconds_at_most is not None
    assert made.seconds_at_most - (made.seconds or 0) == pytest.approx(3 * (1024 - 21) * 0.1)


def test_a_batch_takes_as_many_steps_as_its_longest_answer(config: BenchmarkConfig) -> None:
    made = made_of(dataclasses.replace(config, limits=Limits(samples=3, batch=3)))
    assert made.parts["answer"] == pytest.approx(0.5 + 21 * 0.1 + cost.RUN_START_S)


def test_minutes_while_the_dataset_is_away_lie_between_the_shortest_and_the_longest_prompts(
    config: BenchmarkConfig,
) -> None:
    made = made_of(dataclasses.replace(config, paths=Paths(config.paths.checkpoint)))
    # Batch 1: three answers of 145 tokens, the round's reference, and three prompts of 2,048 tokens at most.
    assert made.parts["answer"] == pytest.approx(3 * 2048 * 0.05 + 3 * 145 * 0.1 + cost.RUN_START_S)
    assert made.seconds_at_least is not None and made.seconds is not None
    assert made.seconds - made.seconds_at_least == pytest.approx(3 * 2047 * 0.05)
    assert any("no source gives the mean length of mixtral-8x7b's prompts" in note for note in made.notes)
    assert made_of(config).seconds_at_least is None


def test_the_samples_of_a_test_style_run_are_explained_where_nobody_asked_for_a_number(
    config: BenchmarkConfig,
) -> None:
    said = "a test-style run takes 10 samples of mixtral-8x7b where --samples says no other number"
    silent = dataclasses.replace(config, limits=Limits(batch=1))
    assert any(note.startswith(said) for note in made_of(silent).notes)
    assert not any(note.startswith(said) for note in made_of(config).notes)


def test_a_finished_run_that_is_taken_is_all_that_a_plan_says(tmp_path: Path) -> None:
    done = fakes.result()
    done.write(tmp_path)
    config = dataclasses.replace(done.asked, paths=Paths(out=tmp_path))
    made = plan.make(Request(config, Delivery(earlier_run=EarlierRun.REUSE)))
    assert not made.blockers and made.seconds is None
    assert any("holds a finished run: it is taken as it is" in note for note in made.notes)


def test_each_mode_is_a_run_of_its_own_and_accuracy_is_scored(config: BenchmarkConfig) -> None:
    paths = dataclasses.replace(config.paths, tokenizer=nano_files())
    both = made_of(dataclasses.replace(config, paths=paths, modes=(Mode.PERFORMANCE, Mode.ACCURACY)))
    one = made_of(config)
    assert both.parts["answer"] == pytest.approx(2 * one.parts["answer"])
    assert both.parts["score"] > 0 and one.parts["score"] == 0


def test_a_run_takes_at_least_its_minimum_duration(config: BenchmarkConfig) -> None:
    made = made_of(dataclasses.replace(config, limits=Limits(samples=3, min_duration_s=600.0)))
    assert made.parts["answer"] == pytest.approx(600 + cost.RUN_START_S)


def test_queries_of_a_server_run_arrive_at_their_rate(config: BenchmarkConfig) -> None:
    slow = dataclasses.replace(config, scenarios=(Scenario.SERVER,), limits=Limits(samples=3, target_qps=0.1))
    assert made_of(slow).parts["answer"] == pytest.approx(30 + cost.RUN_START_S)
    offline = dataclasses.replace(slow, scenarios=(Scenario.OFFLINE,))
    assert made_of(offline).parts["answer"] == pytest.approx(3 * 0.5 + 3 * 21 * 0.1 + cost.RUN_START_S)


def test_on_a_busy_machine_what_is_not_timed_is_counted_longer(
    config: BenchmarkConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet = made_of(config).parts
    monkeypatch.setattr(cost, "slowdown", lambda: 3.0)
    busy = made_of(config).parts
    assert busy["load"] == pytest.approx(3 * quiet["load"])
    assert busy["answer"] - quiet["answer"] == pytest.approx(2 * cost.RUN_START_S)


def test_random_weights_are_counted_at_the_longest_answer_and_said_so(
    config: BenchmarkConfig, checkpoint: Path
) -> None:
    rewrite(checkpoint, assay_weights="random")
    made = made_of(config)
    assert made.answer_tokens == 1024
    assert any("random weights" in note for note in made.notes)


def test_lengths_of_the_last_run_count_when_every_sample_has_one(
    config: BenchmarkConfig, checkpoint: Path, rows: Path
) -> None:
    answer_lengths.keep(checkpoint, rows, {0: 500, 1: 600})
    assert made_of(config).answer_tokens == 21
    answer_lengths.keep(checkpoint, rows, {2: 2000})
    assert made_of(config).answer_tokens == (500 + 600 + 1024) / 3
    os.utime(rows, (1, 1))
    assert made_of(config).answer_tokens == 21


def test_memory_grows_by_the_weights_when_the_precision_does(config: BenchmarkConfig) -> None:
    wide = made_of(config)
    narrow = made_of(dataclasses.replace(config, precision=Precision.BFLOAT16))
    assert wide.weight_bytes == 2 * (narrow.weight_bytes or 0)
    assert wide.ram_bytes - narrow.ram_bytes >= (narrow.weight_bytes or 0)


def test_mixtral_8x7b_without_a_checkpoint_is_planned_with_its_figures() -> None:
    made = made_of(BenchmarkConfig("mixtral-8x7b", sut="transformers", precision=Precision.FLOAT16))
    assert made.parameters == 46_702_792_704
    assert made.weight_bytes == 93_405_585_408
    assert made.seconds is None
    assert made.download_bytes >= 93_405_585_408


def test_weights_beyond_free_memory_are_refused_with_what_would_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available", lambda: 60_000_000_000)
    asked = BenchmarkConfig("mixtral-8x7b", sut="engine", precision=Precision.BFLOAT16)
    blocker = made_of(asked).blockers[-1]
    assert "93.7 GB in bfloat16" in blocker.message and "60.0 GB are free" in blocker.message
    assert blocker.hint.startswith("int8 would fit; or assay model pack")
    assert blocker.exit_code == 3


def test_a_precision_that_the_sut_cannot_run_is_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available", lambda: 60_000_000_000)
    made = made_of(BenchmarkConfig("mixtral-8x7b", sut="transformers", precision=Precision.FLOAT16))
    assert made.blockers[-1].hint.startswith("no precision of it fits")


def test_all_blockers_are_collected_not_only_the_first(config: BenchmarkConfig, tmp_path: Path) -> None:
    bad = dataclasses.replace(config, paths=Paths(tmp_path / "absent", dataset=tmp_path / "absent.jsonl"))
    messages = told(bad)
    assert "absent.jsonl does not exist" in messages and f"{tmp_path / 'absent'} does not exist" in messages


@pytest.mark.parametrize("sut", ["transformers", "engine"])
def test_a_dataset_of_another_tokenizer_is_a_blocker(
    config: BenchmarkConfig, checkpoint: Path, sut: str
) -> None:
    rewrite(checkpoint, vocab_size=5)
    blockers = made_of(dataclasses.replace(config, sut=sut)).blockers
    assert any("token id 5" in b.message and "another tokenizer" in b.message for b in blockers)


def told(config: BenchmarkConfig) -> str:
    return " ".join(blocker.message for blocker in made_of(config).blockers)


@pytest.mark.parametrize("sut", ["transformers", "engine"])
def test_a_plan_refuses_what_the_run_would_refuse_of_the_weights(
    config: BenchmarkConfig, checkpoint: Path, sut: str
) -> None:
    config = dataclasses.replace(config, sut=sut)
    assert not told(config)
    weights = checkpoint / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1])
    assert "not a whole safetensors file" in told(config)
    weights.write_bytes(b"no weights at all")
    assert "not a whole safetensors file" in told(config)
    weights.rename(checkpoint / "pytorch_model.bin")
    assert "pickled weights are not loaded" in told(config)
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (checkpoint / "model.safetensors.index.json").write_text(json.dumps(index))
    (checkpoint / "model-00001-of-00002.safetensors").write_bytes(whole)
    assert "lacks 1 weight file(s) of 2: model-00002-of-00002.safetensors" in told(config)


def test_a_plan_counts_the_weights_that_are_loaded_and_no_copy_beside_them(
    config: BenchmarkConfig, checkpoint: Path
) -> None:
    alone = made_of(config).read_bytes
    shutil.copy(checkpoint / "model.safetensors", checkpoint / "consolidated.safetensors")
    assert made_of(config).read_bytes == alone


def test_a_plan_of_the_engine_refuses_tensors_of_another_model(
    config: BenchmarkConfig, checkpoint: Path
) -> None:
    rewrite(checkpoint, num_hidden_layers=3)
    assert "is missing model.layers.2." in told(dataclasses.replace(config, sut="engine"))


@pytest.mark.parametrize("field", ["max_position_embeddings", "sliding_window"])
@pytest.mark.parametrize("tokens", [1, 1000])
def test_a_window_that_a_sample_does_not_fit_into_is_a_blocker(
    config: BenchmarkConfig, checkpoint: Path, field: str, tokens: int
) -> None:
    rewrite(checkpoint, **{field: tokens})
    assert f"the model's window of {tokens}" in told(dataclasses.replace(config, sut="engine"))


def test_a_window_of_any_claimed_size_is_planned(config: BenchmarkConfig, checkpoint: Path) -> None:
    rewrite(checkpoint, max_position_embeddings=10**18)
    assert made_of(dataclasses.replace(config, sut="engine")).seconds


def test_an_echo_run_needs_no_weights_and_lasts_as_its_pace_says(config: BenchmarkConfig, rows: Path) -> None:
    echo = dataclasses.replace(config, sut="echo", sut_options={"pace": "2"}, paths=Paths(dataset=rows))
    made = made_of(echo)
    assert made.weight_bytes is None
    assert made.parts["answer"] == pytest.approx(1.5 + cost.RUN_START_S)


def test_a_freed_place_of_the_engine_is_taken_by_the_next_sample(checkpoint: Path) -> None:
    config = EngineConfig(checkpoint, max_running=2, token_budget=8)
    assert engine_pace.num_steps([2] * 4, [5, 1, 1, 1], config) == 5
    assert engine_pace.num_steps([16] * 4, [5, 1, 1, 1], config) == 8


def test_minutes_of_the_engine_are_its_steps_and_their_rows(
    config: BenchmarkConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_pace, "measure", lambda *_: EnginePace(step_s=10.0, row_s=1.0))
    asked = dataclasses.replace(config, sut="engine", precision=Precision.BFLOAT16)
    made = made_of(asked)
    # Three prompts of 10 and answers of 21 tokens at once: 21 steps of 93 rows in all.
    assert made.parts["answer"] >= 21 * 10 + 93
    assert made.seconds_at_most is not None and made.seconds_at_most > made.parts["answer"]


def test_the_longest_answers_take_no_less_than_the_expected_ones_when_the_second_timing_is_luckier(
    config: BenchmarkConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    paces = iter([EnginePace(10.0, 1.0), EnginePace(0.001, 0.0)])
    monkeypatch.setattr(engine_pace, "measure", lambda *_: next(paces))
    made = made_of(dataclasses.replace(config, sut="engine", precision=Precision.BFLOAT16))
    assert made.seconds_at_most is not None and made.seconds_at_most >= (made.seconds or 0)


def test_a_precision_that_the_engine_lacks_is_a_blocker(config: BenchmarkConfig) -> None:
    made = made_of(dataclasses.replace(config, sut="engine", precision=Precision.INT4))
    assert any("int4" in blocker.message for blocker in made.blockers)


@pytest.mark.parametrize("workload", ["deepseek-r1", "llama3.1-405b", "llama2-70b-99", "gpt-oss-120b"])
def test_a_model_that_is_too_large_is_told_with_its_sizes_and_what_would_fit(
    workload: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "available", lambda: 24 * 10**9)
    made = made_of(config_options.build(workload, {"sut": "serve"}, {}))
    assert made.sizes is not None
    assert made.parameters == made.sizes.parameters
    assert made.weight_bytes == 2 * made.parameters
    said = next(each for each in made.blockers if "of memory are needed" in each.message)
    assert "--sut endpoint" in said.hint
    assert [each.partition(" ")[0] for each in made.could_run] == ["gptj-99", "llama3.1-8b"]


def test_a_sut_that_lacks_the_model_is_told_before_it_is_fetched() -> None:
    made = made_of(config_options.build("deepseek-r1", {"sut": "engine"}, {}))
    said = next(each for each in made.blockers if "does not run models like deepseek-ai" in each.message)
    assert "--sut transformers" in said.hint
    assert not any("num_attention_heads" in each.message for each in made.blockers)
