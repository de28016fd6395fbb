"""Experts read from disk give the tokens of experts in memory; what goes wrong is said and loses no request."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assay.config import Precision
from assay.engine import api, packed, packing, residency
from assay.engine.api import Engine
from assay.engine.config import EngineConfig
from assay.engine.families import read_model_config
from assay.engine.sequence import EngineRequest
from assay.ground.errors import ArtifactError, AssayError, ConfigError, EnvironmentProblem, RunFailed

Requests = Callable[..., list[EngineRequest]]
Answers = dict[int, tuple[int, ...]]


def config(checkpoint: Path, precision: Precision = Precision.INT8, **change: Any) -> EngineConfig:
    settings = {"max_running": 8, "token_budget": 40, "weights": "disk", "kernels": "torch"}
    return EngineConfig(checkpoint, precision, **(settings | change))


def answers(engine: Engine, requests: list[EngineRequest]) -> Answers:
    return {a.id: a.tokens for a in engine.generate(requests)}


@pytest.fixture(scope="module")
def deep(tmp_path_factory: pytest.TempPathFactory, make_checkpoint: Callable[..., Path]) -> Path:
    """More experts than there are slots for."""
    return make_checkpoint(tmp_path_factory.mktemp("deep"), seed=4, num_hidden_layers=5)


@pytest.fixture
def checkpoint(deep: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(deep, tmp_path / "model"))


def packed_copy(checkpoint: Path, **change: Any) -> Path:
    return packing.pack(config(checkpoint, **change), lambda _: None).folder


@pytest.mark.parametrize("kernels", ["torch", "portable", "avx512", "amx"])
@pytest.mark.parametrize("precision", [Precision.BFLOAT16, Precision.INT8])
def test_experts_on_disk_give_the_tokens_of_experts_in_memory(
    checkpoint: Path, requests: Requests, kernels: str, precision: Precision
) -> None:
    settings = config(checkpoint, precision, kernels=kernels)
    try:
        in_memory = answers(Engine(replace(settings, weights="memory")), requests(9))
    except EnvironmentProblem as reason:
        pytest.skip(reason.message)
    packing.pack(settings, lambda _: None)
    engine = Engine(settings)
    assert engine.plan.is_from_disk and not engine.plan.resident
    assert answers(engine, requests(9)) == in_memory
    engine.close()


def test_experts_that_fit_stay_and_the_others_are_read(
    checkpoint: Path, requests: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed_copy(checkpoint)
    expected = answers(Engine(config(checkpoint)), requests(9))
    settings = config(checkpoint, weights="auto", kv_tokens=512)
    model = read_model_config(checkpoint)
    monkeypatch.setattr(residency, "DISK_SHARE", 1.0)
    tight = residency.from_disk(model, replace(settings, weights="disk"), 1 << 40).total
    monkeypatch.setattr(
        api, "available_bytes", lambda: tight + 3 * residency.expert_bytes(model, Precision.INT8)
    )
    engine = Engine(settings)
    assert len(engine.plan.resident) == 3
    assert answers(engine, requests(9)) == expected
    told = engine.insight()["experts_from_disk"]
    assert told["resident_experts"] == 3 and told["bytes_of_a_whole_step"] == engine.plan.step_bytes


def test_experts_that_come_to_stay_change_no_token(
    checkpoint: Path, requests: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Single rows: each wants two of four experts."""
    packed_copy(checkpoint)
    few = [replace(request, max_new_tokens=60) for request in requests(2)]
    expected = answers(Engine(config(checkpoint, max_running=1)), few)
    settings = config(checkpoint, weights="auto", kv_tokens=512, max_running=1)
    model = read_model_config(checkpoint)
    monkeypatch.setattr(residency, "DISK_SHARE", 1.0)
    tight = residency.from_disk(model, replace(settings, weights="disk"), 1 << 40).total
    monkeypatch.setattr(
        api, "available_bytes", lambda: tight + 8 * residency.expert_bytes(model, Precision.INT8)
    )
    engine = Engine(settings)
    assert answers(engine, few) == expected
    told = engine.insight()["experts_from_disk"]
    assert told["resident_experts"] == 8 and told["experts_exchanged"] > 0
    kept, read = told["resident_experts"], engine.meter.experts_read
    assert told["bytes_read"] < (read + kept) * engine.ops.expert_bytes


def test_few_rows_read_the_experts_that_they_want_alone(checkpoint: Path) -> None:
    packed_copy(checkpoint)
    engine = Engine(config(checkpoint))
    list(engine.generate([EngineRequest(0, (5,), 6)]))
    wanted = engine.meter.experts_read
    assert wanted < 6 * 5 * 4, "every expert was wanted, so that nothing is shown"
    assert engine.stream is not None
    assert engine.stream.clock.bytes == wanted * engine.ops.expert_bytes


def test_a_read_that_fails_ends_the_step_with_the_numbers_and_the_next_one_goes_on(
    checkpoint: Path, requests: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed_copy(checkpoint)
    expected = answers(Engine(config(checkpoint)), requests(9))
    engine, got, read, reads = Engine(config(checkpoint)), {}, os.preadv, iter(range(1000))

    def fails_once(*arguments: Any) -> int:
        if next(reads) == 20:
            raise OSError(5, "Input/output error")
        return read(*arguments)

    monkeypatch.setattr(os, "preadv", fails_once)
    for request in requests(9):
        engine.add(request)
    failures = []
    while engine.has_work:
        try:
            got |= {a.id: a.tokens for a in engine.step().finished}
        except RunFailed as failure:
            failures.append(failure.message)
    assert len(failures) == 1
    assert "layer-" in failures[0] and "Input/output error" in failures[0] and "B were read" in failures[0]
    assert got == expected


def change_byte(file: Path, at: int) -> None:
    bytes_ = bytearray(file.read_bytes())
    bytes_[at] ^= 1
    file.write_bytes(bytes_)


def test_bytes_that_are_not_those_that_were_packed_are_refused_when_they_are_read(checkpoint: Path) -> None:
    change_byte(packed.layer_file(packed_copy(checkpoint), 1), 5)
    with pytest.raises(RunFailed, match=r"expert 0 of .*layer-001.*not those that were packed") as refused:
        list(Engine(config(checkpoint, token_budget=99)).generate([EngineRequest(0, tuple(range(3, 60)), 2)]))
    assert f"assay model pack --checkpoint {checkpoint} --precision int8" in refused.value.hint
    packed_copy(checkpoint)
    list(Engine(config(checkpoint, token_budget=99)).generate([EngineRequest(0, tuple(range(3, 60)), 2)]))


def cut(folder: Path) -> None:
    os.truncate(packed.layer_file(folder, 1), 4096)


def lose(folder: Path) -> None:
    packed.layer_file(folder, 0).unlink()


def other_weights(folder: Path) -> None:
    change_byte(folder.parent / "model.safetensors", -1)


def break_manifest(folder: Path) -> None:
    (folder / packed.MANIFEST).write_text('{"version": 1}')


def newer(folder: Path) -> None:
    text = (folder / packed.MANIFEST).read_text()
    (folder / packed.MANIFEST).write_text(text.replace('"version": 1', '"version": 9'))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (cut, r"layer-001\.experts has 4096 bytes, its packed copy says"),
        (lose, r"layer-000\.experts is missing"),
        (other_weights, r"packed from other weights: .*model\.safetensors has changed"),
        (break_manifest, r"pack\.json is not the manifest"),
        (newer, "has version 9, expected 1"),
    ],
)
def test_a_copy_that_is_damaged_or_of_other_weights_is_refused_by_name_and_packed_again(
    checkpoint: Path, requests: Requests, damage: Callable[[Path], None], words: str
) -> None:
    damage(packed_copy(checkpoint))
    with pytest.raises(ArtifactError, match=words):
        Engine(config(checkpoint))
    packed_copy(checkpoint)
    assert len(answers(Engine(config(checkpoint)), requests(2))) == 2


def test_a_copy_of_another_shape_is_refused(checkpoint: Path, tmp_path: Path, make_checkpoint: Any) -> None:
    copy = packed_copy(checkpoint)
    wider = make_checkpoint(tmp_path / "wider", intermediate_size=128)
    shutil.copytree(copy, wider / copy.name)
    manifest = packed.find(checkpoint, Precision.INT8, "rows").manifest  # type: ignore[union-attr]
    packed.write(wider / copy.name, replace(manifest, sources=()))
    with pytest.raises(ArtifactError, match=r"holds 5 layers of 4 experts of \d+ bytes; the model"):
        Engine(config(wider))
    packed_copy(wider)
    Engine(config(wider))


def test_without_a_copy_the_command_that_makes_it_is_named(checkpoint: Path) -> None:
    packed_copy(checkpoint, precision=Precision.BFLOAT16)
    with pytest.raises(ConfigError) as refused:
        Engine(config(checkpoint))
    assert (
        "no packed copy in int8" in refused.value.message and "packed-bfloat16-rows" in refused.value.message
    )
    assert refused.value.hint.startswith(f"assay model pack --checkpoint {checkpoint} --precision int8")


def test_packing_that_was_stopped_goes_on_where_it_was(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, layers = packing._Job._write, []

    def stopped(job: Any, layer: int, *rest: Any) -> tuple[str, ...]:
        if layer == 1:
            raise KeyboardInterrupt
        return write(job, layer, *rest)

    def noted(job: Any, layer: int, *rest: Any) -> tuple[str, ...]:
        layers.append(layer)
        return write(job, layer, *rest)

    monkeypatch.setattr(packing._Job, "_write", stopped)
    with pytest.raises(KeyboardInterrupt):
        packed_copy(checkpoint)
    assert packed.find(checkpoint, Precision.INT8, "rows") is None
    monkeypatch.setattr(packing._Job, "_write", noted)
    folder = packed_copy(checkpoint)
    assert layers == [1, 2, 3, 4] and not (folder / packing.NOTES).exists()
    packed_copy(checkpoint)
    assert layers == [1, 2, 3, 4], "a copy that is whole is not made again"


def test_a_finished_layer_that_has_changed_is_packed_again(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch, requests: Requests
) -> None:
    expected = answers(Engine(replace(config(checkpoint), weights="memory")), requests(2))
    monkeypatch.setattr(
        packed, "write", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device"))
    )
    with pytest.raises(EnvironmentProblem, match="disk full while writing"):
        packed_copy(checkpoint)
    monkeypatch.undo()
    monkeypatch.setattr(api, "available_bytes", lambda: 4 << 30)
    change_byte(packed.layer_file(packed.folder_in(checkpoint, Precision.INT8, "rows"), 0), 9)
    packed_copy(checkpoint)
    assert answers(Engine(config(checkpoint)), requests(2)) == expected


def test_a_disk_without_room_is_refused_before_anything_is_packed(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1000}))
    with pytest.raises(EnvironmentProblem, match=r"needs [\d.]+ [kM]B of disk and 1.0 kB are free"):
        packed_copy(checkpoint)


def test_a_random_copy_is_the_same_for_the_same_seed_and_runs_without_experts_in_the_checkpoint(
    checkpoint: Path, requests: Requests
) -> None:
    from safetensors.torch import load_file, save_file

    file = checkpoint / "model.safetensors"
    save_file({n: t for n, t in load_file(file).items() if ".experts." not in n}, file)
    with pytest.raises(ConfigError, match="has no experts of its own"):
        Engine(config(checkpoint, weights="auto"))
    first = packing.write_random(config(checkpoint), 7, lambda _: None)
    expected = answers(Engine(config(checkpoint, weights="auto")), requests(4))
    shutil.rmtree(first.folder)
    again = packing.write_random(config(checkpoint), 7, lambda _: None)
    assert again.manifest == first.manifest
    assert answers(Engine(config(checkpoint)), requests(4)) == expected
    other = packing.write_random(config(checkpoint), 8, lambda _: None)
    assert other.manifest.sha256[0][0] != first.manifest.sha256[0][0]


def test_a_model_that_cannot_even_be_read_from_disk_is_refused_with_the_numbers(checkpoint: Path) -> None:
    with pytest.raises(
        EnvironmentProblem, match=r"even with experts read from disk .* KV .* is available"
    ) as refused:
        Engine(config(checkpoint, kv_tokens=10**9))
    assert isinstance(refused.value, AssayError) and "fewer kv_tokens" in refused.value.hint


def test_the_bound_on_memory_is_that_of_the_whole_process(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = api.usable_bytes(3 << 30)
    assert 0 < taken < 3 << 30
    assert api.usable_bytes(1) == 0
    assert api.usable_bytes(None) == api.available_bytes()
