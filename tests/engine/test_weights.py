"""What the loader says to checkpoints that are not whole, not sound or of another layout."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from assay.config import Precision
from assay.engine.api import Engine
from assay.engine.config import EngineConfig
from assay.engine.families import read_model_config
from assay.engine.sequence import EngineRequest
from assay.engine.weights import expected_shapes
from assay.ground.errors import ArtifactError, ConfigError, EnvironmentProblem

Tensors = dict[str, torch.Tensor]


def rewritten(source: Path, folder: Path, change: Callable[[Tensors], None]) -> Path:
    """A copy of the checkpoint with `change` made to its tensors."""
    shutil.copy(source / "config.json", folder)
    tensors = load_file(source / "model.safetensors")
    change(tensors)
    save_file({name: t.contiguous() for name, t in tensors.items()}, folder / "model.safetensors")
    return folder


def load(folder: Path) -> Engine:
    return Engine(EngineConfig(folder, Precision.FLOAT32, max_running=4, token_budget=64))


def answer(folder: Path) -> tuple[int, ...]:
    (finished,) = load(folder).generate([EngineRequest(0, (5, 9, 33, 60), 10)])
    return finished.tokens


def fill(name: str, value: float) -> Callable[[Tensors], None]:
    def change(tensors: Tensors) -> None:
        tensors[name][0] = value

    return change


def renamed(old: str, new: str) -> Callable[[Tensors], None]:
    """All names that begin with `old` begin with `new`."""

    def change(tensors: Tensors) -> None:
        for name in [n for n in tensors if n.startswith(old)]:
            tensors[new + name.removeprefix(old)] = tensors.pop(name)

    return change


ROUTER = "model.layers.1.block_sparse_moe.gate.weight"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.pop(ROUTER), f"is missing {ROUTER}"),
        (lambda t: t.update(extra=torch.zeros(2)), "does not ask for: extra"),
        (lambda t: t.update({"lm_head.weight": torch.zeros(95, 64)}), r"lm_head.weight is \(95, 64\)"),
        (fill("model.norm.weight", float("nan")), "model.norm.weight holds NaN"),
        (fill(ROUTER, float("inf")), f"{ROUTER} holds NaN or infinite"),
        (lambda t: t.update({"model.norm.weight": torch.zeros(64, dtype=torch.int32)}), "dtype I32"),
        (lambda t: t.pop("lm_head.weight"), r"(?s)is missing lm_head.*lacks tie_word_embeddings"),
        (
            renamed("model.", "model.language_model."),
            r"(?s)is missing .*model\.language_model\.\S+ stands for model\.",
        ),
        (renamed("model.", ""), r"(?s)is missing .* embed_tokens.weight stands for model\.embed_tokens"),
        (renamed("", "module."), r"(?s)is missing .*module.lm_head.weight stands for lm_head"),
    ],
    ids=["missing", "extra", "shape", "nan", "infinite", "dtype", "head", "prefix", "no prefix", "module"],
)
def test_an_unsound_checkpoint_is_refused_with_the_tensor_that_is_wrong(
    small_checkpoint: Path, tmp_path: Path, change: Callable[[Tensors], None], words: str
) -> None:
    with pytest.raises(ArtifactError, match=words):
        load(rewritten(small_checkpoint, tmp_path, change))


def test_a_norm_of_a_layer_is_not_said_to_stand_for_the_last_norm(
    small_checkpoint: Path, tmp_path: Path
) -> None:
    def change(tensors: Tensors) -> None:
        tensors["model.layers.0.norm.weight"] = tensors.pop("model.norm.weight")
        tensors["model.layers.0.subnorm.weight"] = torch.zeros(64)

    with pytest.raises(ArtifactError, match=r"is missing model\.norm\.weight") as raised:
        load(rewritten(small_checkpoint, tmp_path, change))
    assert "stands for" not in str(raised.value) and "stands for" not in str(raised.value.hint)


def test_large_numbers_whose_sum_overflows_are_finite(small_checkpoint: Path, tmp_path: Path) -> None:
    load(rewritten(small_checkpoint, tmp_path, fill("model.embed_tokens.weight", 3e38)))


@pytest.mark.parametrize(("add", "is_refused"), [(0.0, False), (1.0, True)])
def test_a_tied_head_that_is_stored_must_be_the_embedding(
    small_checkpoint: Path, tmp_path: Path, add: float, is_refused: bool
) -> None:
    def store(tensors: Tensors) -> None:
        tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"] + add

    folder = rewritten(small_checkpoint, tmp_path, store)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"tie_word_embeddings": True}))
    if not is_refused:
        assert len(answer(folder)) == 10
        return
    with pytest.raises(ArtifactError, match=r"lm_head\.weight is not model\.embed_tokens\.weight"):
        load(folder)


def test_a_file_that_was_cut_short_is_refused(small_checkpoint: Path, tmp_path: Path) -> None:
    shutil.copytree(small_checkpoint, tmp_path, dirs_exist_ok=True)
    whole = (tmp_path / "model.safetensors").read_bytes()
    for size in (0, 4, 100, len(whole) - 1):
        (tmp_path / "model.safetensors").write_bytes(whole[:size])
        with pytest.raises(ArtifactError, match="not a whole safetensors file"):
            load(tmp_path)


@pytest.mark.parametrize(
    "entry",
    [
        {"dtype": "F32", "shape": [2], "data_offsets": []},
        {"dtype": "F32", "shape": [2]},
        {"dtype": "F32", "shape": "2", "data_offsets": [0, 8]},
        {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [-2], "data_offsets": [0, -8]},
        {"dtype": "F32", "shape": [2], "data_offsets": [-8, 0]},
        7,
    ],
)
def test_a_header_that_lies_about_a_tensor_is_refused(
    small_checkpoint: Path, tmp_path: Path, entry: object
) -> None:
    shutil.copy(small_checkpoint / "config.json", tmp_path)
    header = json.dumps({"lm_head.weight": entry}).encode()
    (tmp_path / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(8))
    with pytest.raises(ArtifactError, match="not a whole safetensors file"):
        load(tmp_path)


@pytest.mark.parametrize("index", ["", "[]", "{}", '{"weight_map": 3}', '{"weight_map": {"a": 3}}'])
def test_a_shard_index_that_is_none_is_refused(small_checkpoint: Path, tmp_path: Path, index: str) -> None:
    shutil.copy(small_checkpoint / "config.json", tmp_path)
    (tmp_path / "model.safetensors.index.json").write_text(index)
    with pytest.raises(ArtifactError, match="is not a shard index"):
        load(tmp_path)


def test_shards_give_the_same_answer_and_a_missing_one_is_named(
    small_checkpoint: Path, tmp_path: Path
) -> None:
    shutil.copy(small_checkpoint / "config.json", tmp_path)
    tensors = load_file(small_checkpoint / "model.safetensors")
    names = sorted(tensors)
    shards = {"a.safetensors": names[::2], "b.safetensors": names[1::2]}
    for file, part in shards.items():
        save_file({n: tensors[n] for n in part}, tmp_path / file)
    index = {"weight_map": {n: file for file, part in shards.items() for n in part}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    assert answer(tmp_path) == answer(small_checkpoint)
    (tmp_path / "b.safetensors").unlink()
    with pytest.raises(ArtifactError, match=r"lacks 1 weight file.*b\.safetensors"):
        load(tmp_path)


def stack_experts(tensors: Tensors) -> None:
    """From a tensor per expert to all experts of a layer in one, the block renamed, as transformers 5 holds it."""
    for layer in range(2):
        old, new = f"model.layers.{layer}.block_sparse_moe.experts", f"model.layers.{layer}.mlp.experts"
        w1, w2, w3 = ([tensors.pop(f"{old}.{e}.{w}.weight") for e in range(4)] for w in ("w1", "w2", "w3"))
        router = tensors.pop(f"model.layers.{layer}.block_sparse_moe.gate.weight")
        tensors[f"model.layers.{layer}.mlp.gate.weight"] = router
        tensors[f"{new}.gate_up_proj"] = torch.stack([torch.cat(pair) for pair in zip(w1, w3)])
        tensors[f"{new}.down_proj"] = torch.stack(w2)


def test_stacked_experts_give_the_same_answer(small_checkpoint: Path, tmp_path: Path) -> None:
    assert answer(rewritten(small_checkpoint, tmp_path, stack_experts)) == answer(small_checkpoint)


def test_a_checkpoint_saved_by_transformers_in_its_own_layout_gives_the_same_answer(
    small_checkpoint: Path, tmp_path: Path
) -> None:
    import inspect

    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(small_checkpoint, dtype=torch.float32)
    if "save_original_format" not in inspect.signature(model.save_pretrained).parameters:
        pytest.skip("this transformers has one layout alone")
    model.save_pretrained(tmp_path, save_original_format=False)
    assert answer(tmp_path) == answer(small_checkpoint)


def test_quantised_weights_are_named_as_such(small_checkpoint: Path, tmp_path: Path) -> None:
    def quantise(tensors: Tensors) -> None:
        name = "model.layers.0.block_sparse_moe.experts.0.w1.weight"
        tensors[name] = tensors[name].to(torch.float8_e4m3fn)

    with pytest.raises(ConfigError, match=r"already quantised: .* is F8_E4M3"):
        load(rewritten(small_checkpoint, tmp_path, quantise))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_checkpoints_load(small_checkpoint: Path, tmp_path: Path, dtype: torch.dtype) -> None:
    def halve(tensors: Tensors) -> None:
        tensors.update({name: t.to(dtype) for name, t in tensors.items()})

    assert len(answer(rewritten(small_checkpoint, tmp_path, halve))) == 10


def test_too_little_memory_is_refused_before_loading_with_the_figures(small_checkpoint: Path) -> None:
    with pytest.raises(EnvironmentProblem, match=r"float32 takes .* MB, .*for 1000000000 tokens.*available"):
        Engine(EngineConfig(small_checkpoint, Precision.FLOAT32, kv_tokens=10**9))


def test_tokens_to_score_that_kv_has_no_room_for_are_refused(small_checkpoint: Path) -> None:
    config = EngineConfig(small_checkpoint, Precision.FLOAT32, 1, 16, kv_tokens=16)
    engine = Engine(config)
    assert engine.score((5,) * 16).shape == (16, 96)
    with pytest.raises(ConfigError, match="for 17 tokens; the engine has room for 16"):
        engine.score((5,) * 17)


def test_a_refused_request_leaves_the_others_running(small_checkpoint: Path) -> None:
    engine = load(small_checkpoint)
    engine.add(EngineRequest(0, (5, 6), 4))
    for bad in (EngineRequest(1, (5, 96), 4), EngineRequest(0, (5,), 4), EngineRequest(2, (5,) * 300, 4)):
        with pytest.raises(ConfigError):
            engine.add(bad)
    answers = []
    while engine.has_work:
        answers += engine.step().finished
    assert [len(a.tokens) for a in answers] == [4]


def test_the_used_precision_is_that_of_the_packed_weights(small_checkpoint: Path) -> None:
    for precision in (Precision.FLOAT32, Precision.BFLOAT16, Precision.INT8):
        engine = Engine(EngineConfig(small_checkpoint, precision, kernels="torch"))
        assert engine.insight()["precision"] == precision.value


@pytest.mark.parametrize("is_stacked", [False, True])
def test_the_tensors_of_a_config_hold_as_many_numbers_as_the_model(
    small_checkpoint: Path, is_stacked: bool
) -> None:
    """Vocabulary 96, hidden 64, experts of 96, 2 layers of 4 experts, 4 heads and 2 KV heads of 16 channels."""
    shapes = expected_shapes(read_model_config(small_checkpoint), is_stacked)
    per_layer = 2 * 64 + 2 * 64 * 64 + 2 * 32 * 64 + 4 * 64 + 4 * 3 * 64 * 96
    assert sum(map(math.prod, shapes.values())) == 2 * 96 * 64 + 64 + 2 * per_layer


def test_a_tied_head_is_not_expected(small_checkpoint: Path) -> None:
    config = replace(read_model_config(small_checkpoint), tied_embeddings=True)
    assert "lm_head.weight" not in expected_shapes(config, False)
