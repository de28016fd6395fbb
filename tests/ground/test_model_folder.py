"""Which files of a checkpoint folder are its weights, and what is said of folders as people have them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.ground import model_folder
from assay.ground.errors import ArtifactError, AssayError, ConfigError
from assay.ground.safetensors_header import BITS


def weights(path: Path, dtype: str = "BF16", name: str = "a.weight") -> None:
    """A safetensors file of one tensor of 8 bytes."""
    shape = [64 // BITS[dtype]]
    header = json.dumps({name: {"dtype": dtype, "shape": shape, "data_offsets": [0, 8]}}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(8))


def index(folder: Path, *files: str) -> None:
    named = {f"t{number}": file for number, file in enumerate(files)}
    (folder / model_folder.INDEX).write_text(json.dumps({"weight_map": named}))


def test_weights_in_other_formats_beside_the_loaded_ones_are_not_counted(tmp_path: Path) -> None:
    for file in ("model.safetensors", "consolidated.safetensors", "adapter_model.safetensors"):
        weights(tmp_path / file)
    assert model_folder.weight_files(tmp_path) == (tmp_path / "model.safetensors",)


def test_of_a_sharded_checkpoint_the_files_are_those_that_the_index_names(tmp_path: Path) -> None:
    for file in ("a.safetensors", "b.safetensors", "consolidated.00.safetensors"):
        weights(tmp_path / file)
    index(tmp_path, "b.safetensors", "a.safetensors", "b.safetensors")
    assert [file.name for file in model_folder.weight_files(tmp_path)] == ["a.safetensors", "b.safetensors"]
    (tmp_path / "a.safetensors").unlink()
    with pytest.raises(ArtifactError, match=r"lacks 1 weight file\(s\) of 2: a\.safetensors"):
        model_folder.weight_files(tmp_path)


def test_where_one_file_and_shards_lie_side_by_side_the_one_is_loaded_as_transformers_does(
    tmp_path: Path,
) -> None:
    weights(tmp_path / "model.safetensors")
    index(tmp_path, "gone.safetensors")
    assert model_folder.weight_files(tmp_path) == (tmp_path / "model.safetensors",)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"pytorch_model.bin": "x"}, r"holds pytorch_model\.bin, and pickled.*\n.*save_pretrained"),
        ({"mixtral.Q4_K_M.gguf": "GGUF"}, "holds GGUF, which is not run\n.*float checkpoint"),
        ({"gptq_model-4bit.safetensors": "x"}, r"it holds gptq_model-4bit\.safetensors"),
        ({"model-00001-of-00002.safetensors": "x"}, r"fetch model\.safetensors\.index\.json too"),
        (
            {
                "adapter_config.json": '{"base_model_name_or_path": "some/base"}',
                "adapter_model.safetensors": "x",
            },
            "an adapter alone\n.*merge it into some/base",
        ),
        ({}, "no model.safetensors and no model.safetensors.index.json"),
    ],
    ids=["pickled", "gguf", "gptq", "no index", "adapter", "empty"],
)
def test_a_folder_without_weights_is_told_by_what_lies_there_instead(
    tmp_path: Path, files: dict[str, str], words: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(ArtifactError) as refused:
        model_folder.weight_files(tmp_path)
    assert refused.match(words)


@pytest.mark.parametrize("name", ["mixtral.Q4_K_M.gguf", "model.safetensors", "config.json"])
def test_a_file_in_place_of_a_folder_is_told_that_a_folder_is_wanted(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_text("{}")
    with pytest.raises(ConfigError, match="is a file, and a checkpoint is a folder") as refused:
        model_folder.read_config(file)
    assert ("float checkpoint" in refused.value.hint) == name.endswith(".gguf")


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, r"config\.json is missing\n.*a folder in Hugging Face format"),
        ({"adapter_config.json": "{}"}, "an adapter alone\n.*merge it into its base model"),
        ({"model.gguf": ""}, "GGUF"),
        ({"params.json": "{}", "consolidated.safetensors": ""}, "Mistral's own format"),
        ({"snapshots/abc/config.json": "{}"}, "name the snapshot: .*snapshots/abc"),
        ({"config.json": "{"}, r"config\.json cannot be read"),
        ({"config.json": "[]"}, "does not hold a JSON object"),
    ],
    ids=["empty", "adapter", "gguf", "mistral", "hub cache", "cut short", "no object"],
)
def test_a_folder_without_a_readable_config_is_refused(
    tmp_path: Path, files: dict[str, str], words: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    with pytest.raises(ArtifactError) as refused:
        model_folder.read_config(tmp_path)
    assert refused.match(words)


def test_a_name_of_the_hub_taken_for_a_folder_is_told_how_it_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError) as refused:
        model_folder.read_config(tmp_path / "mistralai" / "Mixtral-8x7B-Instruct-v0.1")
    assert "hf:mistralai/Mixtral-8x7B-Instruct-v0.1" in refused.value.hint


@pytest.mark.parametrize(
    ("dtype", "name", "files"),
    [
        ("F8_E4M3", "a.weight", ("hf_quant_config.json",)),
        ("F8_E5M2", "a.weight", ()),
        ("I16", "a.qweight", ("quantize_config.json",)),
        ("BF16", "a.weight_scale", ()),
    ],
)
def test_quantised_weights_are_named_without_a_word_in_the_config(
    tmp_path: Path, dtype: str, name: str, files: tuple[str, ...]
) -> None:
    weights(tmp_path / "model.safetensors", dtype, name)
    for file in files:
        (tmp_path / file).write_text("{}")
    with pytest.raises(ConfigError, match=f"already quantised: {name} is {dtype}") as refused:
        model_folder.refuse_quantised(tmp_path, model_folder.stored_tensors(tmp_path))
    assert all(file in refused.value.message for file in files)


@pytest.mark.parametrize("dtype", ["F64", "F32", "F16", "BF16"])
def test_float_weights_are_taken_whatever_lies_beside_them(tmp_path: Path, dtype: str) -> None:
    weights(tmp_path / "model.safetensors", dtype)
    (tmp_path / "hf_quant_config.json").write_text("{}")
    model_folder.refuse_quantised(tmp_path, model_folder.stored_tensors(tmp_path))


@pytest.mark.parametrize("field", model_folder.SAID_QUANTISED)
def test_either_word_of_a_config_says_that_weights_are_quantised(field: str) -> None:
    with pytest.raises(AssayError, match="already quantised"):
        model_folder.refuse_said_quantised({field: {"bits": 4}}, "config.json")
    model_folder.refuse_said_quantised({field: None}, "config.json")
