"""What a run of the engine comes to, by arithmetic: its pace and the free memory are said here, not measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assay.config import Device, Precision
from assay.engine import api, disk_rate, packed, residency
from assay.engine.config import EngineConfig
from assay.engine.families import model_config
from assay.engine.kv_blocks import SPARE_BLOCKS, blocks_for
from assay.ground.errors import ArtifactError, EnvironmentProblem
from assay.mlperf.data.sample import Sample
from assay.mlperf.sut.interface import SutSpec
from assay.mlperf.sut.planner import Examined, SutWork
from assay.mlperf.workloads.workload import Generation
from assay.nano import shipped
from assay.suts import engine_pace, engine_plan
from assay.suts.engine_pace import EnginePace
from assay.suts.shape import MIXTRAL_8X7B

GIB = 1 << 30
MODEL = model_config(dict(MIXTRAL_8X7B), "mixtral")
PROMPTS, ANSWERS = (100, 300, 200), (10, 30, 20)


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Free memory in GiB, which a test may change."""
    has = {"gib": 60}
    monkeypatch.setattr(api, "available_bytes", lambda: has["gib"] * GIB)
    monkeypatch.setattr(engine_pace, "measure", lambda *_: EnginePace(0.5, 0.01))
    return has


def samples(*lengths: int) -> tuple[Sample, ...]:
    return tuple(Sample(i, "", "", "", tuple(range(3, 3 + n)), "", (), ()) for i, n in enumerate(lengths))


def work(
    checkpoint: Path | None = None,
    precision: Precision = Precision.INT8,
    batch: int | None = None,
    config: Any = MIXTRAL_8X7B,
    longest: int = 40,
    **options: Any,
) -> SutWork:
    spec = SutSpec("toy", checkpoint, Device.CPU, precision, batch, Generation(1, 40, 2), False, options)
    return SutWork(spec, "toy", samples(*PROMPTS), ANSWERS, longest, config)


def test_nothing_is_said_of_a_model_that_is_not_known() -> None:
    assert engine_plan.examine(work(config={})) == Examined()


def test_a_model_that_fits_has_neither_blocker_nor_note() -> None:
    assert engine_plan.examine(work()) == Examined()


def test_a_model_that_needs_the_disk_says_what_a_step_reads_and_the_copy_that_it_lacks(
    machine: dict[str, int],
) -> None:
    machine["gib"] = 16
    found = engine_plan.examine(work())
    (note,) = found.notes
    assert "each step reads up to" in note and "of 256 experts stay in memory" in note
    (blocker,) = found.blockers
    assert "in int8 and 17.2 GB are free; there is no packed copy" in blocker.message
    assert blocker.hint.startswith("assay model pack --checkpoint DIR --precision int8, once")


def test_parts_of_a_dense_model_are_layers(machine: dict[str, int]) -> None:
    machine["gib"] = 6
    dense = {**MIXTRAL_8X7B, "model_type": "llama", "architectures": ["LlamaForCausalLM"]}
    for key in ("num_local_experts", "num_experts_per_tok"):
        dense.pop(key, None)
    found = engine_plan.examine(work(config=dense))
    assert " of 32 layers stay in memory" in found.notes[0] and "experts" not in found.notes[0]
    assert found.blockers[0].message.endswith("to read layers from")


def test_a_smaller_precision_that_fits_is_named_before_packing(machine: dict[str, int]) -> None:
    machine["gib"] = 60
    (blocker,) = engine_plan.examine(work(precision=Precision.BFLOAT16)).blockers
    assert blocker.hint.startswith("int8 would fit; or assay model pack")


def test_a_model_that_fits_nowhere_is_a_problem_of_the_machine(machine: dict[str, int]) -> None:
    machine["gib"] = 2
    with pytest.raises(EnvironmentProblem, match="even with experts read from disk"):
        engine_plan.examine(work())


def test_a_copy_in_the_same_precision_is_no_blocker(
    machine: dict[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine["gib"] = 16
    monkeypatch.setattr("assay.suts.engine_sut.prepare", lambda *_: None)
    monkeypatch.setattr(engine_plan, "read_model_config", lambda _: MODEL)
    for precision, blockers in (("bfloat16", 1), ("int8", 0)):
        folder = tmp_path / f"packed-{precision}-rows"
        folder.mkdir()
        (folder / packed.MANIFEST).write_text("{}")
        found = engine_plan.examine(work(tmp_path))
        assert len(found.blockers) == blockers and found.notes


def test_what_the_engine_cannot_run_is_refused_as_it_would_itself() -> None:
    nano = shipped.checkpoint_dir()
    assert engine_plan.examine(work(nano, Precision.FLOAT32)) == Examined()
    with pytest.raises(ArtifactError, match="made with another tokenizer"):
        engine_plan.examine(replace(work(nano, Precision.FLOAT32), samples=samples(1536)))


def test_memory_is_that_of_weights_rows_and_the_longest_that_run_at_once() -> None:
    per_token = residency.kv_bytes_per_token(MODEL, EngineConfig(Path("toy"), Precision.INT8))
    one, two = (engine_plan.ram_bytes(work(batch=n, token_budget=256)) for n in (1, 2))
    rows = [
        residency.row_bytes(MODEL, EngineConfig(Path("toy"), max_running=n, token_budget=256)) for n in (1, 2)
    ]
    assert two - rows[1] - (one - rows[0]) == (200 + 20) * per_token
    weights = residency.weight_bytes(MODEL, Precision.INT8)
    assert one == engine_plan.PROCESS_BYTES + weights + rows[0] + 330 * per_token


def test_keys_and_values_in_int8_take_less() -> None:
    wide, narrow = (engine_plan.ram_bytes(work(batch=2, kv_precision=kv)) for kv in ("auto", "int8"))
    asked = (EngineConfig(Path("toy"), Precision.INT8, kv_precision=kv) for kv in ("auto", "int8"))
    more, less = (residency.kv_bytes_per_token(MODEL, each) for each in asked)
    assert (wide - narrow) % (more - less) == 0 and wide > narrow and less < 0.6 * more


def test_with_experts_on_disk_memory_is_what_the_plan_takes(machine: dict[str, int]) -> None:
    whole = engine_plan.ram_bytes(work())
    machine["gib"] = 16
    from_disk = engine_plan.ram_bytes(work())
    assert residency.dense_bytes(MODEL, Precision.INT8) < from_disk < 16 * GIB < whole


def test_seconds_are_those_of_the_pace_over_expected_and_longest_answers() -> None:
    found = engine_plan.seconds(work(batch=3))
    config = EngineConfig(Path("toy"), max_running=3)
    pace = EnginePace(0.5, 0.01)
    assert found.answer_s == pace.answer_s(PROMPTS, ANSWERS, config)
    assert found.answer_s_at_most == pace.answer_s(PROMPTS, (40, 40, 40), config) > found.answer_s
    assert found.start_s >= 0


@pytest.mark.parametrize(("asked", "used"), [(5, 5), (35, 35), (400, 40)])
def test_answers_that_are_cut_for_speed_take_their_length(asked: int, used: int) -> None:
    found = engine_plan.seconds(work(batch=3, answer_tokens=asked))
    config, pace = EngineConfig(Path("toy"), max_running=3), EnginePace(0.5, 0.01)
    expected = [min(asked, n) for n in ANSWERS]
    assert found.answer_s == pace.answer_s(PROMPTS, expected, config)
    assert found.answer_s_at_most == pace.answer_s(PROMPTS, [used] * 3, config)


def test_reading_from_disk_bounds_each_step(
    machine: dict[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine["gib"] = 16
    monkeypatch.setattr(engine_plan, "read_model_config", lambda _: MODEL)
    monkeypatch.setattr(disk_rate, "measure", lambda _: 1e9)
    slow = engine_plan.seconds(work(tmp_path, batch=3))
    monkeypatch.setattr(disk_rate, "measure", lambda _: 1e15)
    fast = engine_plan.seconds(work(tmp_path, batch=3))
    assert slow.answer_s > 30 * 30 > fast.answer_s, "30 steps of more than 30 s of reading each"


def test_no_more_sequences_run_at_once_than_keys_and_values_have_room_for() -> None:
    config = EngineConfig(Path("toy"), max_running=64, typical_tokens=512)
    plan = residency.plan(MODEL, config, 60 * GIB)
    each = blocks_for(512) + SPARE_BLOCKS
    for blocks, most in ((0, 1), (each - 1, 1), (5 * each, 5), (64 * each, 64), (900 * each, 64)):
        assert engine_plan.at_once(config, replace(plan, kv_blocks=blocks)).max_running == most
